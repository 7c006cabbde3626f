"""The documents are true: their programs run, the files and targets that they name exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".venv", ".git", "build", "dist", "node_modules", ".pytest_cache"}
DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not NOT_OURS & set(path.relative_to(ROOT).parts)
)
# A name without a folder is looked for here.
FOLDERS = (
    "",
    "csrc",
    "reactorrl",
    "reactorrl/rl",
    "reactorrl/vector",
    "tests",
    "tests/c",
    "bench",
    "bench/micro",
    "bench/sampling",
    "tools",
)
SECONDS = 60

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"\n\n((?: {4}.*\n)+)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"^[\w./-]+\.(?:py|pyx|pxd|pxi|pyi|c|h|md|toml|txt)$|^[\w.-]+/[\w./-]*$")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
INVARIANT = re.compile(r"^\| I\d+ \|.*\| ([^|]*) \|$", re.MULTILINE)
STOP = re.compile(r"^\| (\d+) \| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)


def fences(document, *languages):
    """The (language, text) of every fenced block in one of the languages, in order."""
    return [match for match in FENCE.findall(document.read_text()) if match[0] in languages]


def code_spans(document):
    """What stands between single backticks, outside of fenced blocks."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", document.read_text()))


def name(document):
    return str(document.relative_to(ROOT))


def anchors(document):
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if fences(d, "python")], ids=name)
def test_programs_run_and_print_what_is_printed(document, tmp_path):
    """The Python blocks of a document, one after another as one script, print its text blocks."""
    program, expected = tmp_path / "program.py", ""
    program.write_text("\n".join(text for _, text in fences(document, "python")))
    expected = "".join(text for _, text in fences(document, "text"))
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, program],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document):
    """Every relative link names a file of the tree, and a heading of it where it names one."""
    broken = []
    for link in LINK.findall(FENCE.sub("", document.read_text())):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_named_files_exist(document):
    """Every path and file name in code type is one of the tree."""
    missing = []
    for span in code_spans(document):
        if FILE.match(span) is None or span.startswith(("~", "/")) or span == "Python.h":
            continue
        places = [document.parent / span, *(ROOT / folder / span for folder in FOLDERS)]
        if not any(place.exists() for place in places):
            missing.append(span)
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_named_make_targets_exist(document):
    """Every `make x` is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    code = [*code_spans(document), *(text for _, text in fences(document, "", "sh"))]
    code += INDENTED.findall(FENCE.sub("", document.read_text()))
    named = {target for text in code for target in TARGET.findall(text)}
    assert named <= targets


def test_the_ten_stops_are_where_the_architecture_says():
    """Each stop's file has the comment of that stop, next to the function that the table names."""
    stops = STOP.findall((ROOT / "ARCHITECTURE.md").read_text())
    assert [int(number) for number, _, _ in stops] == list(range(1, 11))
    astray = []
    for number, path, function in stops:
        lines = (ROOT / path).read_text().splitlines()
        marked = [i for i, line in enumerate(lines) if f"event path {number}/10" in line]
        near = "\n".join("\n".join(lines[max(0, i - 1) : i + 8]) for i in marked)
        if len(marked) != 1 or re.search(rf"\b{function}\b", near) is None:
            astray.append((number, path, function))
    assert not astray


def test_the_core_s_table_of_files_is_complete():
    """csrc/README.md names every source and header of the folder."""
    text = (ROOT / "csrc/README.md").read_text()
    files = [path.name for pattern in ("*.c", "*.h") for path in (ROOT / "csrc").glob(pattern)]
    assert [file for file in files if f"`{file}`" not in text] == []


def test_the_architecture_stays_short():
    """At most 250 lines, so that it is read, and kept true."""
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 250


def test_what_checks_an_invariant_is_there():
    """What a row of CONTRIBUTING's table of invariants names is in a file of that row."""
    rows = INVARIANT.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert len(rows) == 14
    gone = []
    for where in rows:
        names = re.findall(r"`([^`]+)`", where)
        text = "".join((ROOT / file).read_text() for file in names if FILE.match(file))
        gone += [word for word in names if not FILE.match(word) and word not in text]
    assert not gone
