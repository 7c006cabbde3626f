"""Results: a JSON file with the machine, tables, pictures, a comparison within one machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import machine, peers
from .figures import Figure, Pictures, draw
from .harness import Case
from .machine import usual
from .samples import Measured, Summary, per_round
from .table import header, html, listed, show, text_lines

if TYPE_CHECKING:
    from .experiments import Experiment

FORMAT = 2
BEGIN, END = "<!-- results: {} -->", "<!-- end of results: {} -->"


class DifferentMachinesError(ValueError):
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

    Units: `ns` and `B` are better when small, `/s` when large; `x` is a ratio, and the goal says
    which way; a number of things has none. With `at`, it is a point of a figure that is drawn
    within the case; no table has it.
    """

    what: str
    unit: str
    ours: str
    series: dict[str, Summary]
    goal: Goal | None = None
    at: Mapping[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the results file."""
        median = self.series[self.ours].median if self.ours in self.series else None
        return {
            "what": self.what,
            "unit": self.unit,
            "at": dict(self.at),
            "ours": self.ours,
            "series": {label: summary.as_json() for label, summary in self.series.items()},
            "at_most": self.goal.at_most if self.goal else None,
            "at_least": self.goal.at_least if self.goal else None,
            "reached": self.goal.is_reached(median) if self.goal and median is not None else None,
        }


@dataclass(frozen=True)
class Published:
    """What somebody published of a case: facts, of another machine, never set against ours."""

    case: str  # of ours, beside which it is shown
    what: str  # of the finding beside it
    unit: str
    figures: Mapping[str, float]
    source: str


@dataclass(frozen=True)
class Controls:
    """Labels of an experiment's sides.

    Attributes:
        one: Ours with one worker.
        two: Ours with two workers.
        gil: The latter with the GIL on.
        loop: No runtime, one thread.
        threads: No runtime, two threads that meet in every round.
        artifact: The form of Ray with which the published figures were measured.
        ray: All forms of Ray.
        copying: Ours with two workers, copying each message; empty if there is no such side.
        copies: What a case's name ends with if its clients copy; the name without is that of the
            case by reference.
    """

    one: str
    two: str
    gil: str
    loop: str
    threads: str
    artifact: str
    ray: Sequence[str]
    copying: str = ""
    copies: str = ""


@dataclass(repr=False)
class Results:
    """Everything that one run of an experiment found out.

    In a notebook it shows itself as a table; printed, as text.
    """

    experiment: str
    mode: str
    machine: dict[str, Any]
    peers: dict[str, Any]
    figures: Sequence[Figure] = ()
    published: Sequence[Published] = ()
    probe: dict[str, Any] = field(default_factory=dict)
    cases: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def begin(cls, experiment: Experiment, mode: str) -> Results:
        """Empty ones, on this machine."""
        return cls(
            experiment.name,
            mode,
            machine.describe(),
            peers.describe(),
            tuple(experiment.figures()),
            tuple(experiment.published()),
        )

    @classmethod
    def load(cls, path: str | Path) -> Results:
        """What `save` wrote; ValueError where the file holds something else."""
        try:
            data = json.loads(Path(path).read_text())
            if data.pop("format") != FORMAT:
                raise ValueError("another format")
            data["figures"] = tuple(Figure(**figure) for figure in data["figures"])
            data["published"] = tuple(Published(**one) for one in data["published"])
            return cls(**data)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: not a results file of format {FORMAT}") from error

    def save(self, path: str | Path) -> None:
        """Writes all of it as JSON."""
        Path(path).write_text(json.dumps(self.as_json(), indent=1) + "\n")

    def plot(self) -> Pictures:
        """Draws the pictures of this experiment, from what is in these results alone."""
        return draw(self.as_json())

    def __str__(self) -> str:
        data = self.as_json()
        return "\n".join([header(data), *(line for c in self.cases for line in text_lines(c))])

    __repr__ = __str__  # what a plain console shows

    def _repr_html_(self) -> str:
        return html(self.as_json())

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
            "experiment": self.experiment,
            "mode": self.mode,
            "machine": self.machine,
            "probe": self.probe,
            "peers": self.peers,
            "figures": [asdict(figure) for figure in self.figures],
            "published": [asdict(one) for one in self.published],
            "cases": self.cases,
        }


def compare(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Our medians of two runs on one machine; DifferentMachinesError otherwise."""
    if before["machine"]["identity"] != after["machine"]["identity"]:
        raise DifferentMachinesError("results of different machines cannot be compared")
    if "smoke" in (before["mode"], after["mode"]):
        raise ValueError("a smoke run measures nothing")
    old = {(c["name"], f["what"]): f for c in before["cases"] for f in listed(c)}
    for case in after["cases"]:
        for finding in listed(case):
            was = old.get((case["name"], finding["what"]))
            if was is None or was["ours"] not in was["series"]:
                continue
            a = was["series"][was["ours"]]["median"]
            b = finding["series"][finding["ours"]]["median"]
            change = f"{(b / a - 1):+.1%}" if a else ""
            unit = finding["unit"]
            name = f"{case['name']}: {finding['what']}"
            yield f"{name:<60} {show(a, unit):>10} {show(b, unit):>10} {change:>8}"


def write_between_marks(path: Path, experiment: str, text: str) -> None:
    """Replaces what stands between an experiment's marks in a document."""
    begin, end = BEGIN.format(experiment), END.format(experiment)
    head, mark, rest = path.read_text().partition(begin)
    _, ending, tail = rest.partition(end)
    if not mark or not ending:
        raise ValueError(f"{path} has no {begin} … {end}")
    path.write_text(f"{head}{begin}\n{text}\n{end}{tail}")
