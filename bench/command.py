"""The command line: `reactorrl bench NAME`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from . import peers
from .experiments import EXPERIMENTS, Experiment, chosen, refuse_unknown
from .harness import FULL, QUICK, SMOKE, Case, Settings
from .headlines import markdown as headlines_markdown
from .results import Results, compare, write_between_marks
from .running import Progress, run
from .table import header, markdown, text_lines

EXAMPLES = """
examples:
  reactorrl bench all --quick --out results      some of everything in three minutes
  reactorrl bench micro --only ping event        some cases
  reactorrl bench broadcast-gather --peers ray   beside one peer alone
  reactorrl bench plot results/*.json -o pictures
"""
INTERRUPTED = 130
FIGURES = "figures"  # beside a document
HEADLINES = "headlines"  # the marks of that table


def main(arguments: Sequence[str]) -> int:
    """Runs `reactorrl bench ARGUMENTS...` and returns its exit status.

    0: all of our own sides were measured. 1: one was not, or a file cannot be used. 2: the
    arguments are wrong. 130: interrupted; what was measured until then is kept.
    """
    parser = argparse.ArgumentParser(
        prog="reactorrl bench",
        description="Measure on this machine, now, next to peers.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for experiment in EXPERIMENTS.values():
        add_experiment(commands, experiment.name, experiment.question, [experiment])
    everything = list(EXPERIMENTS.values())
    add_experiment(commands, "all", "all of these, one after the other", everything)
    add_documents(commands)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except (OSError, ValueError, RuntimeError) as error:
        print(f"reactorrl bench {options.command}: {error}", file=sys.stderr)
        return 1


def add_experiment(
    commands: argparse._SubParsersAction,
    name: str,
    question: str,
    experiments: Sequence[Experiment],
) -> None:
    """The command that measures one, or all."""
    parser = commands.add_parser(name, help=question, description=question)
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick",
        action="store_const",
        dest="settings",
        const=QUICK,
        help="fewer cases, shorter repetitions, and only as many as fit into some seconds",
    )
    size.add_argument(
        "--smoke",
        action="store_const",
        dest="settings",
        const=SMOKE,
        help="two tiny repetitions: whether it works; its times mean nothing",
    )
    parser.add_argument(
        "--only", action="extend", nargs="+", default=[], metavar="WORD", help="of cases' names"
    )
    others = parser.add_mutually_exclusive_group()
    others.add_argument(
        "--peers",
        action="extend",
        nargs="+",
        metavar="WORD",
        help="only peers with such a word in their names, as `reactorrl bench peers` shows them",
    )
    others.add_argument(
        "--no-peers", action="store_const", dest="peers", const=[], help="only what is in Python"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="write NAME.json and the pictures there"
    )
    if len(experiments) == 1:
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument("--list", action="store_true", help="show the cases and measure nothing")
    parser.set_defaults(
        run=measure_command, parser=parser, experiments=experiments, settings=FULL, json=None
    )


def add_documents(commands: argparse._SubParsersAction) -> None:
    """The commands that measure nothing."""

    def add(name: str, run: Callable[..., int], text: str) -> argparse.ArgumentParser:
        parser = commands.add_parser(name, help=text, description=text)
        parser.set_defaults(run=run, parser=parser)
        return parser

    plot = add("plot", plot_command, "draw the pictures of results, as PNG and SVG")
    plot.add_argument("files", nargs="+", type=Path, metavar="FILE")
    plot.add_argument("-o", "--out", type=Path, default=Path(), metavar="FOLDER")
    install = add("peers", peers_command, "install what is compared with, apart from this Python")
    install.add_argument("words", nargs="*", metavar="WORD", help="of the names of peers")
    install.add_argument("--again", action="store_true", help="also those that are there")
    table = add("table", table_command, "show results, or write their tables into a document")
    table.add_argument("files", nargs="+", type=Path, metavar="FILE")
    table.add_argument(
        "--write",
        type=Path,
        metavar="DOCUMENT",
        help=f"between the marks of each experiment, with pictures in {FIGURES} beside it",
    )
    headlines = add(
        "headlines", headlines_command, "what was published beside ours, and what it is made of"
    )
    headlines.add_argument("files", nargs="+", type=Path, metavar="FILE")
    headlines.add_argument(
        "--write", type=Path, metavar="DOCUMENT", help=f"between its marks {HEADLINES!r}"
    )
    both = add("compare", compare_command, "our medians of two runs; refused across machines")
    both.add_argument("before", type=Path)
    both.add_argument("after", type=Path)


def measure_command(options: argparse.Namespace) -> int:
    """Measures one experiment, or all."""
    try:
        parts = parts_of(options.experiments, options.settings, options.only, options.peers)
    except ValueError as error:
        options.parser.error(str(error))
    if options.list:
        for experiment, cases in parts:
            print(f"{experiment.name}: {experiment.question}")
            for case in cases:
                print(f"  {case.name:<28} {case.question}")
                print(f"  {'':<28} {'; '.join(c.label for c in case.contenders)}")
        return 0
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    found: list[Results] = []
    interrupted = False
    try:
        measure_parts(parts, options, found)
    except KeyboardInterrupt:
        interrupted = True
        print("interrupted", file=sys.stderr)
    if options.settings.mode != SMOKE.mode:
        print("\n".join(closing_lines(found)))
    if interrupted:
        return INTERRUPTED
    return 0 if all(map(is_complete, found)) else 1


def parts_of(
    experiments: Sequence[Experiment],
    settings: Settings,
    words: Sequence[str],
    asked_peers: Sequence[str] | None,
) -> list[tuple[Experiment, list[Case]]]:
    """The experiments with the cases that are asked for; those without any are left out."""
    cases: dict[str, list[Case]] = {}
    for experiment in experiments:
        try:
            cases[experiment.name] = experiment.cases(settings)
        except ModuleNotFoundError as error:
            reason = f"{experiment.name} needs {error.name}, which is not installed"
            if len(experiments) == 1:
                raise RuntimeError(reason) from error
            print(f"left out: {reason}", file=sys.stderr)
            cases[experiment.name] = []
    refuse_unknown(words, [case for part in cases.values() for case in part])
    parts = [(e, chosen(cases[e.name], words, asked_peers)) for e in experiments]
    return [(experiment, part) for experiment, part in parts if part]


def measure_parts(
    parts: Sequence[tuple[Experiment, list[Case]]],
    options: argparse.Namespace,
    found: list[Results],
) -> None:
    """Prints each case as soon as it is measured, and writes what is known until then."""
    everything = [case for _, cases in parts for case in cases]
    with Progress(everything, shown=sys.stderr.isatty()) as bar:
        for experiment, cases in parts:
            paths = [options.json, options.out and options.out / f"{experiment.name}.json"]

            def keep(results: Results, paths: Sequence[Path | None] = paths) -> None:
                if len(results.cases) == 1:
                    found.append(results)
                    bar.write(header(results.as_json()))
                bar.write("\n".join(text_lines(results.cases[-1])))
                for path in filter(None, paths):
                    results.save(path)

            results = run(experiment, cases, options.settings, bar, keep)
            if options.out:
                try:
                    results.plot().save(options.out)
                except RuntimeError as error:  # measured is measured, drawn or not
                    bar.write(f"no pictures: {error}")


def closing_lines(found: Sequence[Results]) -> list[str]:
    """Every goal that was missed or could not be tried, plainly."""
    findings = [(c["name"], f) for results in found for c in results.cases for f in c["findings"]]
    goals = [(n, f) for n, f in findings if f["at_most"] is not None or f["at_least"] is not None]
    reached = sum(f["reached"] is True for _, f in goals)
    lines = [f"{reached} of {len(goals)} goals reached"]
    lines += [f"  missed: {name}: {f['what']}" for name, f in goals if f["reached"] is False]
    lines += [f"  not measured: {name}: {f['what']}" for name, f in goals if f["reached"] is None]
    return lines


def is_complete(results: Results) -> bool:
    """Whether all of our own sides were measured."""
    return not any(
        label.startswith("reactorrl") for case in results.cases for label in case["missing"]
    )


def plot_command(options: argparse.Namespace) -> int:
    """Draws what there is to draw."""
    paths = [path for file in options.files for path in Results.load(file).plot().save(options.out)]
    for path in paths:
        print(path)
    if not paths:
        print("no pictures belong to these results", file=sys.stderr)
    return 0 if paths else 1


def peers_command(options: argparse.Namespace) -> int:
    """Installs peers."""
    try:
        return peers.provide(options.words, again=options.again)
    except ValueError as error:
        options.parser.error(str(error))


def table_command(options: argparse.Namespace) -> int:
    """Shows results, or writes them down."""
    for file in options.files:
        results = Results.load(file)
        if options.write:
            pictures = results.plot()
            pictures.save(options.write.parent / FIGURES)
            drawn = [figure for figure in results.figures if figure.name in pictures]
            shown = "".join(f"![{one.title}]({FIGURES}/{one.name}.png)\n" for one in drawn)
            text = f"\n{shown}\n{markdown(results.as_json())}\n"
            write_between_marks(options.write, results.experiment, text)
        else:
            print(results)
    return 0


def headlines_command(options: argparse.Namespace) -> int:
    """Shows the table, or writes it down."""
    text = headlines_markdown([Results.load(file) for file in options.files])
    if options.write:
        write_between_marks(options.write, HEADLINES, f"\n{text}\n")
    else:
        print(text)
    return 0


def compare_command(options: argparse.Namespace) -> int:
    """Refused across machines."""
    before, after = (Results.load(path).as_json() for path in (options.before, options.after))
    print("\n".join(compare(before, after)))
    return 0
