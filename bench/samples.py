"""What was measured: repetitions by contender, and the medians and quartiles of them."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Reply = dict[str, Any]


@dataclass(frozen=True)
class Summary:
    """Median and quartiles of the clean samples, or of all where too few are clean."""

    median: float
    q1: float
    q3: float
    low: float
    samples: int
    clean: int

    @classmethod
    def of(cls, values: Sequence[float], clean: Sequence[bool], wanted: int) -> "Summary":
        """`wanted`: the number of clean samples that make the others superfluous."""
        kept = [value for value, good in zip(values, clean, strict=True) if good]
        if len(kept) < wanted:
            kept = list(values)
        q1, median, q3 = quartiles(kept)
        return cls(median, q1, q3, min(kept), len(kept), sum(clean))

    def as_json(self) -> dict[str, Any]:
        """For the results file."""
        return asdict(self)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """First quartile, median and third quartile; one value is all three."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive")
    return q1, median, q3


def quantile(values: Sequence[float], q: float) -> float:
    """The smallest value that the share `q` of all, 0 to 1, does not exceed."""
    return sorted(values)[max(0, math.ceil(q * len(values)) - 1)]


def per_round(reply: Reply) -> float:
    """Nanoseconds of one round: the usual figure of a sample."""
    return reply["ns"] / reply["rounds"]


@dataclass
class Measured:
    """All samples of one case, by label, in the order in which they were taken."""

    wanted: int
    scales: dict[str, float]  # units of work in one round, by label
    samples: dict[str, list[Reply]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    round_trips: list[str] = field(default_factory=list)
    foreign: float = 0.0  # share of the machine that other processes used meanwhile
    interpreters: dict[str, Reply] = field(default_factory=dict)

    def summary(self, label: str, value: Callable[[Reply], float] = per_round) -> Summary:
        """Of one contender, for one unit of its work."""
        scale = self.scales[label]
        replies = self.samples[label]
        values = [value(reply) / scale for reply in replies]
        return Summary.of(values, [is_clean(reply) for reply in replies], self.wanted)

    def rate(self, label: str) -> Summary:
        """Units of work of one contender in a second."""
        replies = self.samples[label]
        values = [1e9 * self.scales[label] / per_round(reply) for reply in replies]
        return Summary.of(values, [is_clean(reply) for reply in replies], self.wanted)

    def ratio(self, above: str, below: str, value: Callable[[Reply], float] = per_round) -> Summary:
        """Of two contenders, from pairs taken one after the other.

        Where one of them was measured apart, each sample of `below` is held against the median.
        """
        scale = self.scales[above] / self.scales[below]
        if len(self.samples[above]) != len(self.samples[below]):
            middle, unit = self.summary(above, value).median, self.scales[below]
            replies = self.samples[below]
            values = [middle * unit / value(reply) for reply in replies]
            return Summary.of(values, [is_clean(reply) for reply in replies], self.wanted)
        pairs = list(zip(self.samples[above], self.samples[below], strict=True))
        values = [value(a) / value(b) / scale for a, b in pairs]
        return Summary.of(values, [is_clean(a) and is_clean(b) for a, b in pairs], self.wanted)


def is_clean(reply: Reply) -> bool:
    """No processor was taken away while the clock ran."""
    return not reply.get("switches") and not reply.get("stolen")
