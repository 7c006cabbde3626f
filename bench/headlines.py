"""What was published beside what is measured here, and what the difference is made of: one table.

An experiment's `CONTROLS` name the sides of which two, set against each other, differ in one thing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from .experiments import EXPERIMENTS
from .results import Controls, Results

NOTHING = "-"


@dataclass(frozen=True)
class Headline:
    """A row: how many times as fast the one is as the other; None where one was not measured."""

    case: str
    published: float  # reactors against Ray
    artifact: float | None  # ours, the faster number of workers, against the same form of Ray
    ray: float | None  # ... against its fastest form
    runtime: float | None  # one worker against no runtime
    threads: float | None  # two workers against one
    gil: float | None  # two workers without the GIL against with it
    zero_copy: float | None  # two workers that hand over references against two that copy
    scheduler: float | None  # two workers against two threads with a barrier


TITLES = {
    "case": "case",
    "published": "published: reactors against Ray",
    "artifact": "here: ours against the same form of Ray",
    "ray": "against its fastest form",
    "runtime": "runtime: 1 worker against a loop without",
    "threads": "threads: 2 workers against 1",
    "gil": "no GIL: off against on",
    "zero_copy": "zero-copy: references against copies",
    "scheduler": "scheduler: 2 workers against 2 threads with a barrier",
}


def headlines(results: Results, controls: Controls) -> Iterator[Headline]:
    """A row for each case of which figures were published and that was measured."""
    for one in results.published:
        speeds = medians(results, one.case, one.what)
        ray, reactors = one.figures.values()
        if not speeds:
            continue

        def faster(label: str, than: str, speeds: Mapping[str, float] = speeds) -> float | None:
            known = {label, than} <= speeds.keys()
            return speeds[label] / speeds[than] if known else None

        ours = max({controls.one, controls.two} & speeds.keys(), key=speeds.__getitem__, default="")
        best_ray = max(set(controls.ray) & speeds.keys(), key=speeds.__getitem__, default="")
        by_reference = medians(results, one.case.removesuffix(controls.copies), one.what)
        if controls.copies and {controls.two} <= by_reference.keys() & speeds.keys():
            zero_copy = by_reference[controls.two] / speeds[controls.two]
        else:
            zero_copy = faster(controls.two, controls.copying)
        yield Headline(
            case=one.case,
            published=reactors / ray if one.unit == "/s" else ray / reactors,
            artifact=faster(ours, controls.artifact),
            ray=faster(ours, best_ray),
            runtime=faster(controls.one, controls.loop),
            threads=faster(controls.two, controls.one),
            gil=faster(controls.two, controls.gil),
            zero_copy=zero_copy,
            scheduler=faster(controls.two, controls.threads),
        )


def medians(results: Results, case: str, what: str) -> dict[str, float]:
    """Rounds or steps a nanosecond of each side of a case, by label; empty if it was not measured.

    Rates stay rates and times become them, so that more is always faster.
    """
    for entry in results.cases:
        for finding in entry["findings"] if entry["name"] == case else ():
            if finding["what"] == what:
                power = 1 if finding["unit"] == "/s" else -1
                return {label: s["median"] ** power for label, s in finding["series"].items()}
    return {}


def markdown(found: Sequence[Results]) -> str:
    """The table over several experiments.

    Raises:
        ValueError: Nothing was published of what these results hold.
    """
    rows = [
        asdict(row)
        for results in found
        if (controls := EXPERIMENTS[results.experiment].controls())
        for row in headlines(results, controls)
    ]
    if not rows:
        raise ValueError("of none of these results were figures published")

    def cell(value: str | float | None) -> str:
        if value is None:
            return NOTHING
        return value if isinstance(value, str) else f"{value:.{0 if value >= 100 else 2}f}x"

    lines = [
        "| " + " | ".join(TITLES.values()) + " |",
        "|" + "---|" * len(TITLES),
        *("| " + " | ".join(cell(row[name]) for name in TITLES) + " |" for row in rows),
    ]
    return "\n".join(lines)
