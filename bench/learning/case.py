"""A learning result to reproduce, and how it came out."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import reactorrl as rr
from reactorrl.rl import Algorithm


@dataclass(frozen=True)
class Outcome:
    """What training with one seed gave.

    Attributes:
        value: What the case is about, as a return or a share.
        env_steps: Of all envs, until then.
        wall_time_s: Of training.
        note: Anything to be shown beside it, as a second way of evaluation.
    """

    value: float
    env_steps: int
    wall_time_s: float
    note: str = ""


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        name: By which it is asked for.
        experiment: Algorithm and env.
        measure: What `value` is.
        reference: The published or exact figure, with its source.
        bar: What the mean over the seeds has to reach.
        train: Trains with a seed.
        seeds: To train with.
        is_quick: Whether it is short enough for the quick mode.
        at_most: What it must not exceed: in a negative control, an algorithm that solves the task
            is not the published one.
    """

    name: str
    experiment: str
    measure: str
    reference: str
    bar: float
    train: Callable[[int], Outcome]
    seeds: Sequence[int] = (1, 2, 3)
    is_quick: bool = False
    at_most: float = math.inf


@dataclass(frozen=True)
class Finding:
    """A case and its outcomes, one for each seed."""

    case: Case
    outcomes: Sequence[Outcome]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return statistics.fmean(outcome.value for outcome in self.outcomes)

    @property
    def std(self) -> float:
        """Over the seeds, dividing by their number, as CleanRL does; 0 for one."""
        return statistics.pstdev(outcome.value for outcome in self.outcomes)

    @property
    def reached(self) -> bool:
        """Whether the mean reaches the bar, and no more than it may."""
        return self.case.bar <= self.mean <= self.case.at_most

    @property
    def command(self) -> str:
        """What repeats it."""
        return f"python -m bench.learning --only {self.case.name}"

    def as_json(self) -> dict[str, Any]:
        """Everything but the function."""
        case = self.case
        return {
            "name": case.name,
            "experiment": case.experiment,
            "measure": case.measure,
            "reference": case.reference,
            "bar": case.bar,
            "mean": self.mean,
            "std": self.std,
            "reached": self.reached,
            "command": self.command,
            "runs": [
                {"seed": seed, **asdict(outcome)}
                for seed, outcome in zip(case.seeds, self.outcomes, strict=False)
            ],
        }


def markdown(findings: Iterable[Finding]) -> str:
    """The findings as a table, then a line for each note."""
    lines = [
        "| experiment | ours, mean ± std | seeds | published or exact | bar | reached | env steps"
        " | wall time | command |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    notes = []
    for finding in findings:
        case, outcomes = finding.case, finding.outcomes
        steps = statistics.fmean(outcome.env_steps for outcome in outcomes)
        seconds = statistics.fmean(outcome.wall_time_s for outcome in outcomes)
        lines.append(
            f"| {case.experiment}: {case.measure} | {finding.mean:.4g} ± {finding.std:.2g}"
            f" | {len(outcomes)} | {case.reference} | {case.bar:.4g}"
            f" | {'yes' if finding.reached else '**no**'} | {steps:,.0f} | {seconds:.0f} s"
            f" | `{finding.command}` |"
        )
        notes += [
            f"- {case.experiment}, seed {seed}: {outcome.note}"
            for seed, outcome in zip(case.seeds, outcomes, strict=False)
            if outcome.note
        ]
    return "\n".join([*lines, "", *notes] if notes else lines)


def trained(algorithm: Algorithm, workers: int | None = None) -> float:
    """Run a program to its end; return the seconds it took."""
    began = time.perf_counter()
    rr.run(algorithm, workers=workers, fast=True)
    return time.perf_counter() - began


def mean_and_interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and half the width of its 95 % confidence interval (normal approximation)."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else math.inf
    return float(np.mean(values)), 1.96 * spread / math.sqrt(len(values))
