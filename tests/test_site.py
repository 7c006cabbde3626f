"""The site of docs/: it builds without a warning, and it has all that it is to have."""

import importlib
import re
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import reactorrl as rr

pytest.importorskip("sphinx")
pytest.importorskip("myst_parser")
pytest.importorskip("furo")

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PACKAGES = (
    "reactorrl",
    "reactorrl.atari",
    "reactorrl.rl",
    "reactorrl.testing",
    "reactorrl.vector",
)
SECONDS = 110


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder with the built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-W", "ignore", "-m", "sphinx", "-q", "-E", "--fail-on-warning"]
    done = subprocess.run(
        [*command, "--keep-going", "-b", "html", "-d", folder / "doctrees", DOCS, folder / "html"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder / "html"


@pytest.fixture(scope="module")
def tools():
    """The modules of docs/ that Sphinx loads."""
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module("pages"), importlib.import_module("timeline")
    finally:
        sys.path.remove(str(DOCS))


def text_of(page):
    return page.read_text(encoding="utf-8")


@pytest.mark.timeout(SECONDS + 10)
def test_every_page_is_in_the_contents(site):
    """The sidebar, which every page has, leads to all of them."""
    sidebar = text_of(site / "index.html")
    names = [str(page.relative_to(DOCS).with_suffix(".html")) for page in PAGES]
    assert [
        name for name in names if name != "index.html" and f'href="{name}"' not in sidebar
    ] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_in_the_reference(site, package):
    """The inventory has the names of `__all__`, each under the package that offers it."""
    header, _, packed = (site / "objects.inv").read_bytes().partition(b"zlib.\n")
    assert header.startswith(b"# Sphinx inventory version 2")
    known = {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines()}
    names = {f"{package}.{name}" for name in importlib.import_module(package).__all__}
    aliases = {"reactorrl.vector.make_vec": "reactorrl.make_vec"}
    assert {name for name in names if aliases.get(name, name) not in known} == set()


def test_every_rule_of_the_model_is_on_a_page(site, tools):
    """Those of tests/semantics/rules.py, with their sentences."""
    pages, _ = tools
    text = "".join(text_of(page) for page in (site / "semantics").glob("*.html"))
    missing = [name for name, _ in pages.rules("") if f"<code>{name}</code>" not in text]
    assert missing == []
    assert len(pages.rules("")) > 200


def test_every_example_is_on_its_page(site):
    """With its code: the first class or function is there."""
    text = text_of(site / "examples.html")
    files = sorted((ROOT / "examples").glob("*.py"))
    assert [file.name for file in files if f">{file.name}<" not in text] == []


def test_pictures_are_the_same_every_time(tools):
    """Byte for byte, so that a page changes only where its program does."""
    pages, _ = tools
    for name in ("tags", "order", "outside", "modes"):
        text = text_of(DOCS / f"semantics/{name}.md")
        first = pages.expanded(text)
        assert first.count("<svg") == text.count("{timeline}") + text.count("{diagram}") > 2
        assert first == pages.expanded(text)


class Pair(rr.Reactor):
    """Sends at two microsteps; what is delayed arrives at two, too."""

    out, more = rr.Output(), rr.LogicalAction()

    @rr.reaction(rr.startup, more, effects=[out, more])
    def send(self):
        self.out.set(self.tag.microstep)
        if self.tag.microstep == 0:
            self.more.schedule()


class Ends(rr.Reactor):
    inp = rr.Input(width=2)

    @rr.reaction(inp)
    def take(self): ...


class Sends(rr.Reactor):
    def __init__(self):
        self.pair, self.ends = Pair(), Ends()
        self.connect(self.pair.out, self.ends.inp[0])
        self.connect(self.pair.out, self.ends.inp[1], after=rr.msec(1))


def test_arrows_lead_to_where_values_arrive(tools):
    """At the same tag, through a delay, through an action; piled up, a microstep each."""
    _, timeline = tools
    run = timeline.record(Sends)
    boxes = {(row.tag, row.path): None for row in run.trace.rows}
    send, take = "Sends.pair.send", "Sends.ends.take"
    at = [rr.Tag(0, 0), rr.Tag(0, 1), rr.Tag(rr.msec(1), 0), rr.Tag(rr.msec(1), 1)]
    assert sorted(timeline.edges(run, boxes)) == sorted(
        [
            ((at[0], send), (at[0], take)),
            ((at[0], send), (at[1], send)),
            ((at[0], send), (at[2], take)),
            ((at[1], send), (at[1], take)),
            ((at[1], send), (at[3], take)),
        ]
    )


def test_links_to_the_outside_are_well_formed():
    """They are not followed, as there may be no network."""
    for page in PAGES:
        for link in re.findall(r"\]\((\w+:[^)]*)\)", text_of(page)):
            parts = urlsplit(link)
            assert parts.scheme == "https", (page.name, link)
            assert re.fullmatch(r"[\w.-]+\.[a-z]+", parts.netloc), (page.name, link)
