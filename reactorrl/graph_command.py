"""`reactorrl graph module:Class -o out.svg`: draw a program without running it."""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

from .diagram import Graph, Span
from .errors import CausalityLoopError, ReactorError, described
from .program import Program
from .reactor import Reactor

_FAILED, _INTERRUPTED = 1, 130
_FORMATS: dict[str, Callable[[Graph], str]] = {
    "mmd": Graph.to_mermaid,
    "svg": Graph.to_svg,
    "dot": Graph.to_dot,
}
_OTHER_SUFFIXES = {"mermaid": "mmd", "gv": "dot"}
_EXAMPLES = """\
examples:
  reactorrl graph train:Main                    Mermaid on the standard output
  reactorrl graph train:Main -o main.svg        also .mmd (Mermaid) and .dot (Graphviz)
  reactorrl graph train:Main n=6 env=CartPole-v1 -o main.svg
  reactorrl graph dqn num_envs=6 -o dqn.svg     the program that `reactorrl train dqn` would run
  reactorrl graph train:Main --levels           which reactions may run at the same time

A causality loop is drawn in red; the exit status is then 1, as the program cannot run."""


class _Mistake(Exception):
    """What cannot be drawn, and what to do."""


def graph_command(arguments: Sequence[str]) -> int:
    """Run `reactorrl graph ARGUMENTS...` and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="reactorrl graph",
        description="Draw a program: its reactors, reactions with levels, and connections with"
        " delays. It is built, but not run.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "program",
        help="module:Class (a main reactor), module:function (that returns a Reactor or a Program),"
        " file.py:Class, or a name that `reactorrl train` knows",
    )
    parser.add_argument(
        "values",
        nargs="*",
        metavar="name=value",
        help="arguments of the class or function, options of what learns; Python literals or text",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to FILE.svg, .mmd or .dot; - is the screen"
    )
    parser.add_argument(
        "--format", choices=_FORMATS, help="default: as FILE ends, on the screen mmd (Mermaid)"
    )
    parser.add_argument(
        "--levels", action="store_true", help="print the reactions of each level instead"
    )
    asked = parser.parse_intermixed_args(arguments)
    form = asked.format or _format_of(asked.output, parser)
    status = 0
    try:
        try:
            graph = _build(asked.program, _values(asked.values, parser))
        except CausalityLoopError as error:
            print(f"reactorrl graph: {error}", file=sys.stderr)
            status = _FAILED
            if error.graph is None:
                return status
            graph = error.graph
        _write(graph, form, asked.output, asked.levels)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (_Mistake, ImportError, OSError, ReactorError) as error:
        print(f"reactorrl graph: {error}", file=sys.stderr)
        return _FAILED
    return status


def _format_of(output: str | None, parser: argparse.ArgumentParser) -> str:
    if output in (None, "-"):
        return "mmd"
    suffix = Path(output).suffix[1:].lower()
    suffix = _OTHER_SUFFIXES.get(suffix, suffix)
    if suffix not in _FORMATS:
        parser.error(
            f"-o {output}: end it in .svg, .mmd or .dot, or name one with --format; other kinds of"
            " pictures can be made of an .svg"
        )
    return suffix


def _values(given: Sequence[str], parser: argparse.ArgumentParser) -> dict[str, Any]:
    values = {}
    for each in given:
        name, separator, text = each.partition("=")
        if not (separator and name.isidentifier()):
            parser.error(f"{each!r}: arguments of the program are given as name=value")
        try:
            values[name] = ast.literal_eval(text)
        except (SyntaxError, ValueError):
            values[name] = text
    return values


def _write(graph: Graph, form: str, output: str | None, has_levels: bool) -> None:
    if has_levels:
        print("\n".join(_shown_levels(graph)))
    if output is None and has_levels:
        return
    text = _FORMATS[form](graph)
    if output in (None, "-"):
        print(text, end="")
    else:
        try:
            Path(output).write_text(text, encoding="utf-8")
        except FileNotFoundError as error:
            raise _Mistake(f"{error}; make the folder first") from None
        print(f"wrote {output}: {graph!r}")


def _shown_levels(graph: Graph) -> Iterator[str]:
    """The levels, the paths of each that differ only in numbers as one."""
    if graph.has_loop:
        yield "no levels, as the reactions of the loop wait for each other"
    for level, paths in enumerate(graph.levels):
        yield f"L{level}: {len(paths)} reaction{'s' * (len(paths) > 1)}"
        folded: dict[str, list[Span]] = {}
        for path in paths:
            numbers = re.findall(r"\[(\d+)\]", path)
            spans = folded.setdefault(re.sub(r"\[\d+\]", "[]", path), [Span() for _ in numbers])
            for span, number in zip(spans, numbers, strict=True):
                span.add(int(number))
        for path, spans in folded.items():
            rest = iter(spans)
            yield "  " + re.sub(r"\[\]", lambda _, rest=rest: f"[{next(rest)}]", path)


@contextlib.contextmanager
def _importing_from(folder: str) -> Iterator[None]:
    """Find modules in this folder first, as `python -m` does and an installed command does not."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def _build(name: str, values: dict[str, Any]) -> Graph:
    """Import and make what was asked for.

    Raises:
        _Mistake: It is not there, or no program.
        ReactorError: It cannot be assembled.
    """
    module_name, _, what = name.partition(":")
    is_file = module_name.endswith(".py")
    with _importing_from(os.path.dirname(os.path.abspath(module_name)) if is_file else os.getcwd()):
        if not what and not is_file:
            from .rl.presets import PROGRAMS  # noqa: PLC0415 - reactors need no gymnasium

            if name in PROGRAMS:
                return _graph_of_algorithm(name, values)
            top = name.partition(".")[0]
            if not top or importlib.util.find_spec(top) is None:
                names = ", ".join(PROGRAMS)
                raise _Mistake(f"no program {name!r}; give module:Class, file.py:Class, or {names}")
        module = _load(module_name) if is_file else _import(module_name)
        if not hasattr(module, what):
            lacks = f"{module_name} has no {what!r}" if what else f"{name} is a module"
            raise _Mistake(f"{lacks}; name what to draw{_candidates(module_name, module)}")
        return _graph_of(getattr(module, what), module, name, values)


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _Mistake(f"importing {name} needs {error.name}, which is not installed") from None
        raise _Mistake(
            f"no module {name!r} in {os.getcwd()} or on Python's path; go to its folder, or give"
            " file.py:Class"
        ) from None
    except Exception as error:
        traceback.print_exc()
        raise _Mistake(f"importing {name} raised {described(error)}") from None


def _load(path: str) -> ModuleType:
    name = Path(path).stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not os.path.isfile(path):
        raise _Mistake(f"no file {path} in {os.getcwd()}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        traceback.print_exc()
        raise _Mistake(f"importing {path} raised {described(error)}") from None
    return module


def _candidates(name: str, module: ModuleType) -> str:
    """What of a module can be drawn, to end a message."""
    found = [
        f"{name}:{key}"
        for key, value in vars(module).items()
        if isinstance(value, (Reactor, Program))
        or (isinstance(value, type) and issubclass(value, Reactor) and value is not Reactor)
    ]
    return f": {', '.join(found)}" if found else ", a class or a function of it"


def _graph_of(made: Any, module: ModuleType, name: str, values: dict[str, Any]) -> Graph:
    if isinstance(made, type) and _is_algorithm(made):
        return _graph_of_algorithm(f"{module.__name__}:{name.partition(':')[2]}", values)
    if not isinstance(made, (Reactor, Program)):
        if not callable(made):
            raise _Mistake(f"{name} is {made!r}; name a class or a function that makes a Reactor")
        made = _call(made, name, values)
    elif values:
        raise _Mistake(f"{name} has been made already, so it takes no {next(iter(values))}=")
    if isinstance(made, Program):
        return made.graph
    if not isinstance(made, Reactor):
        raise _Mistake(
            f"{name} returned {type(made).__name__}; it must return a Reactor, or a Program that"
            " has not run"
        )
    return Program(made, workers=1).graph


def _call(make: Callable[..., Any], name: str, values: dict[str, Any]) -> Any:
    signature = _signature(make)
    try:
        signature.bind(**values)
    except TypeError as error:
        raise _Mistake(f"{name}{signature}: {error}; give its arguments as name=value") from None
    try:
        return make(**values)
    except ReactorError:
        raise
    except Exception as error:
        traceback.print_exception(error.with_traceback(error.__traceback__.tb_next))
        raise _Mistake(f"{name} raised {described(error)}") from None


def _signature(make: Callable[..., Any]) -> inspect.Signature:
    if not isinstance(make, type):
        return inspect.signature(make)
    if make.__init__ is object.__init__:
        return inspect.Signature()
    _, *parameters = inspect.signature(make.__init__).parameters.values()
    return inspect.Signature(parameters)


def _is_algorithm(cls: type) -> bool:
    module = sys.modules.get("reactorrl.rl.algorithm")
    return module is not None and issubclass(cls, module.Algorithm)


def _graph_of_algorithm(name: str, values: dict[str, Any]) -> Graph:
    """As `reactorrl train` would make it."""
    from .rl.presets import load_program, preset_for  # noqa: PLC0415

    try:
        program, options_class = load_program(name)
    except ValueError as error:
        raise _Mistake(str(error)) from None
    known = [each.name for each in fields(options_class)]
    unknown = [key for key in values if key not in known]
    if unknown:
        raise _Mistake(f"{name} has no option {unknown[0]!r}; there are {', '.join(known)}")
    preset = preset_for(name, values.get("env_id", options_class().env_id))
    try:
        options = options_class(**{**preset.values, **values})
    except (TypeError, ValueError) as error:
        raise _Mistake(f"{name}: {error}") from None
    return Program(_call(lambda: program(options), name, {}), workers=1).graph
