"""Results: a JSON file with the machine, a table for people, a comparison within one machine.

python -m bench.results table FILE                      the table, as text
python -m bench.results table FILE --write README.md    as Markdown, between the marks there
python -m bench.results compare BEFORE AFTER            refused across machines
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .harness import Case
from .machine import usual
from .samples import Measured, Summary, per_round
from .table import header, markdown, show, text_lines

FORMAT = 1
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


class DifferentMachinesError(Exception):
    """The two results say nothing about each other."""


@dataclass(frozen=True)
class Goal:
    """What the median has to keep."""

    at_most: float | None = None
    at_least: float | None = None

    def is_reached(self, value: float) -> bool:
        """Whether `value` keeps it."""
        if self.at_most is not None and value > self.at_most:
            return False
        return self.at_least is None or value >= self.at_least


@dataclass(frozen=True)
class Finding:
    """One answer: our figure, the others' beside it, and what was aimed at.

    Units: `ns` and `B` are better when small; `x` is a ratio, and the goal says which way.
    """

    what: str
    unit: str
    ours: str
    series: dict[str, Summary]
    goal: Goal | None = None

    def as_json(self) -> dict[str, Any]:
        """For the results file."""
        median = self.series[self.ours].median if self.ours in self.series else None
        return {
            "what": self.what,
            "unit": self.unit,
            "ours": self.ours,
            "series": {label: summary.as_json() for label, summary in self.series.items()},
            "at_most": self.goal.at_most if self.goal else None,
            "at_least": self.goal.at_least if self.goal else None,
            "reached": self.goal.is_reached(median) if self.goal and median is not None else None,
        }


@dataclass
class Results:
    """Everything that one run found out."""

    machine: dict[str, Any]
    mode: str
    peers: dict[str, Any]
    probe: dict[str, Any] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)

    def add(self, case: Case, measured: Measured) -> dict[str, Any]:
        """One case, with its raw samples. A smoke run reaches and misses nothing."""
        findings = [finding.as_json() for finding in case.conclude(measured)]
        for finding in findings if self.mode == "smoke" else ():
            finding["reached"] = None
        entry = {
            "name": case.name,
            "question": case.question,
            "at": dict(case.at),
            "findings": findings,
            "missing": measured.missing,
            "round_trip": usual(measured.round_trips) if measured.round_trips else "unknown",
            "foreign": round(measured.foreign, 4),
            "company": case.company is not None,
            "disturbed_anyway": case.disturbed_anyway,
            "interpreters": measured.interpreters,
            "samples": {
                label: [
                    {
                        "ns": per_round(reply) / measured.scales[label],
                        "rounds": reply["rounds"],
                        "cpu_ns": reply.get("cpu_ns", 0) / reply["rounds"] / measured.scales[label],
                        "switches": reply.get("switches", 0),
                        "stolen": reply.get("stolen", 0),
                    }
                    for reply in replies
                ]
                for label, replies in measured.samples.items()
            },
        }
        self.cases.append(entry)
        return entry

    def as_json(self) -> dict[str, Any]:
        """The whole file."""
        return {
            "format": FORMAT,
            "mode": self.mode,
            "machine": self.machine,
            "probe": self.probe,
            "peers": self.peers,
            "cases": self.cases,
        }


def load(path: str | Path) -> dict[str, Any]:
    """A results file; ValueError if it is none."""
    data = json.loads(Path(path).read_text())
    if data.get("format") != FORMAT:
        raise ValueError(f"{path}: not a results file of format {FORMAT}")
    return data


def compare(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Our medians of two runs on one machine; DifferentMachinesError otherwise."""
    if before["machine"]["identity"] != after["machine"]["identity"]:
        raise DifferentMachinesError("results of different machines cannot be compared")
    if "smoke" in (before["mode"], after["mode"]):
        raise ValueError("a smoke run measures nothing")
    old = {(c["name"], f["what"]): f for c in before["cases"] for f in c["findings"]}
    for case in after["cases"]:
        for finding in case["findings"]:
            was = old.get((case["name"], finding["what"]))
            if was is None or was["ours"] not in was["series"]:
                continue
            a = was["series"][was["ours"]]["median"]
            b = finding["series"][finding["ours"]]["median"]
            change = f"{(b / a - 1):+.1%}" if a else ""
            unit = finding["unit"]
            name = f"{case['name']}: {finding['what']}"
            yield f"{name:<60} {show(a, unit):>10} {show(b, unit):>10} {change:>8}"


def write_between_marks(path: Path, text: str) -> None:
    """Replaces what stands between the marks of a document."""
    head, mark, rest = path.read_text().partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not mark or not end:
        raise ValueError(f"{path} has no {BEGIN} … {END}")
    path.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.results", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    table = commands.add_parser("table", help="show a results file")
    table.add_argument("file")
    table.add_argument("--write", type=Path, help="a document with the marks of the table")
    both = commands.add_parser("compare", help="our medians of two runs on one machine")
    both.add_argument("before")
    both.add_argument("after")
    options = parser.parse_args()
    try:
        if options.command == "compare":
            print("\n".join(compare(load(options.before), load(options.after))))
        elif options.write:
            write_between_marks(options.write, markdown(load(options.file)))
        else:
            data = load(options.file)
            print(header(data))
            for case in data["cases"]:
                print("\n".join(text_lines(case)))
    except (OSError, ValueError, DifferentMachinesError) as error:
        print(f"bench.results: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
