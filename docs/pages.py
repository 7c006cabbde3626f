"""What the pages have besides Markdown: pictures of the programs above them, and lists of rules.

    :::{diagram} Main()             the reactors of a program, as `Program.graph` draws them
    :::
    :::{timeline} Main, seed=1      what a run of it did, from the options of `Program`
    :::
    :::{rules} tag. delay.          rules of tests/semantics/rules.py by the beginning of their ids
    :::
    :::{examples} hello timers      scripts of examples/, what they say of themselves and their code
    :::

The Python blocks before a picture are run, in one namespace for each page. So a picture is of the
program that the reader sees.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tempfile
from html import escape
from pathlib import Path
from typing import Any

import timeline
from docutils import nodes
from sphinx.domains.python import PyXRefRole
from sphinx.util import inspect

import reactorrl as rr

PARTS = re.compile(
    r"^```(?P<language>\w+)\n(?P<code>.*?)^```$"
    r"|^:::\{(?P<name>timeline|diagram|rules|examples)\} ?(?P<argument>[^\n]*)\n:::$",
    re.MULTILINE | re.DOTALL,
)
SHRINK = 0.75  # smaller a picture's letters cannot be read
HIDDEN = "\ue03a"  # a colon, while Napoleon reads
ROOT = Path(__file__).parent.parent
RULES, EXAMPLES = ROOT / "tests/semantics/rules.py", ROOT / "examples"


def expanded(text: str) -> str:
    """The text of a page with pictures, lists of rules and examples in place."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    pictures = [match.start() for match in PARTS.finditer(text) if match["name"] in PICTURES]
    last = max(pictures, default=0)

    def replace(match: re.Match[str]) -> str:
        if match["name"]:
            return DIRECTIVES[match["name"]](match["argument"], namespace)
        if match["language"] == "python" and match.start() < last:
            exec(match["code"], namespace)
        return match[0]

    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        return PARTS.sub(replace, text)


def picture_of_run(argument: str, namespace: dict[str, Any]) -> str:
    make, options = eval(f"(lambda make, **options: (make, options))({argument})", namespace)
    return figure(timeline.timeline(make, **options))


def picture_of_program(argument: str, namespace: dict[str, Any]) -> str:
    return figure(rr.Program(eval(argument, namespace), workers=1).graph.to_svg())


def list_of_rules(argument: str, _: Any) -> str:
    items = [f"<li><code>{name}</code> {escape(text)}</li>" for name, text in rules(argument)]
    count = f"{len(items)} rules" if len(items) > 1 else "1 rule"
    return f"<details><summary>{count} that tests hold</summary><ul>{''.join(items)}</ul></details>"


def list_of_examples(argument: str, _: Any) -> str:
    return "\n\n".join(listing(EXAMPLES / f"{name}.py") for name in argument.split())


def listing(path: Path) -> str:
    text = path.read_text()
    first, _, more = ast.get_docstring(ast.parse(text)).partition("\n\n")
    begin = text.count("\n", 0, text.index('"""', 3)) + 3  # behind the docstring
    return (
        f"### {path.name}\n\n{first}\n\n{more}\n\n:::{{literalinclude}} ../examples/{path.name}\n"
        f":language: python\n:lines: {begin}-\n:::"
    )


PICTURES = {"timeline": picture_of_run, "diagram": picture_of_program}
DIRECTIVES = {**PICTURES, "rules": list_of_rules, "examples": list_of_examples}


def rules(beginnings: str) -> list[tuple[str, str]]:
    """The ids and sentences of those rules whose ids begin with one of these words."""
    namespace: dict[str, Any] = {"__name__": "rules"}
    exec(RULES.read_text(), namespace)
    words = tuple(beginnings.split()) or ("",)
    return [(n, rule.text) for n, rule in namespace["RULES"].items() if n.startswith(words)]


def figure(svg: str) -> str:
    least = SHRINK * int(re.search(r'width="(\d+)"', svg)[1])
    return raw(f'<figure class="picture" style="--least: {least:.0f}px">{svg}</figure>')


def raw(html: str) -> str:
    return f"```{{raw}} html\n{html}\n```"


def name_role(_: str, raw_text: str, text: str, line: int, inliner: Any, *__: Any) -> Any:
    """Single backticks in a docstring: a link if it names something on the site, code if not."""
    if re.fullmatch(r"[A-Za-z_][\w.]*", text):
        return PyXRefRole()("py:obj", raw_text, text, line, inliner)
    return [nodes.literal(raw_text, text)], []


def hide_colon(_: Any, what: str, *rest: Any) -> None:
    """Keep Napoleon from taking `The rounds: so many` for an attribute of the type `The rounds`."""
    lines = rest[-1]
    if what in ("attribute", "data", "property") and lines:
        lines[0] = lines[0].replace(":", HIDDEN)


def show_colon(*arguments: Any) -> None:
    lines = arguments[-1]
    lines[:] = [line.replace(HIDDEN, ":") for line in lines]


def signature_of_init(_: Any, what: str, __: str, thing: Any, *___: Any) -> tuple[str, None] | None:
    """That of `__init__` for a reactor; Sphinx would show the one of the metaclass's call."""
    if what != "class" or not issubclass(thing, rr.Reactor):
        return None
    if thing.__init__ is object.__init__:
        return "()", None
    signature = inspect.signature(thing.__init__, bound_method=True)
    return inspect.stringify_signature(signature, show_annotation=False), None


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""

    def read(_: Any, name: str, source: list[str]) -> None:
        try:
            source[0] = expanded(source[0])
        except Exception as error:
            raise RuntimeError(f"{name}.md: {error}") from error

    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", hide_colon, priority=400)
    app.connect("autodoc-process-docstring", show_colon, priority=600)
    app.connect("autodoc-process-signature", signature_of_init)
    app.add_role("name", name_role)
    return {"parallel_read_safe": True}
