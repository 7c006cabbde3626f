"""How many different weights 100 runs of the same program with the same seed learn."""

from ..figures import Figure
from ..harness import FULL, QUICK, SMOKE, Case, Settings
from ..place import Place
from ..results import Finding, Goal
from ..samples import Measured, Summary
from ..sides import HERE, RAY, learning_places, learning_sides

OURS = "reactorrl, 1, 2 and 4 workers together"
FIRST_READY = "Ray, 4 actors"
WORKERS = (1, 2, 4)
RUNS = {FULL.mode: 7, QUICK.mode: 4, SMOKE.mode: 1}  # of a repetition
DELAYS = {"none": 0.0, "up to 0.2 ms": 2e-4}
WHAT = "different outcomes"

FIGURES = (
    Figure(
        "determinism",
        "Different weights learned by runs with one seed",
        what=WHAT,
        y_label=WHAT,
        log_y=True,
    ),
)


def cases(settings: Settings) -> list[Case]:
    """With and without random delays in the bodies."""
    places = learning_places(settings)
    return [determinism(places, delays, settings) for delays in DELAYS]


def determinism(places: dict[str, Place], delays: str, settings: Settings) -> Case:
    """Every repetition is a few runs more."""
    shape = {"longest_s": DELAYS[delays], "runs": RUNS[settings.mode]}
    module = "bench.determinism"
    sides = [
        *((ours(n), HERE, f"{module}.program:outcomes", {"workers": n}) for n in WORKERS),
        *(
            (f"thread pool of {n}", HERE, f"{module}.peers.threads:outcomes", {"threads": n})
            for n in WORKERS
        ),
        (FIRST_READY, RAY, f"{module}.peers.with_ray:outcomes", {}),
    ]
    contenders = learning_sides(
        settings, places, shape, sides, not_in_quick=(FIRST_READY,), rounds=1
    )
    return Case(
        f"determinism-{'delays' if DELAYS[delays] else 'plain'}",
        f"How many different weights does one seed give, delays in bodies: {delays}?",
        contenders,
        conclude,
        seconds=20 if settings.mode == FULL.mode else 6,
        disturbed_anyway=True,
        at={"delays": delays},
    )


def conclude(measured: Measured) -> list[Finding]:
    """The outcomes of each side, and of all numbers of workers of ours."""
    hashes = {
        label: [one for reply in replies for one in reply["hashes"]]
        for label, replies in measured.samples.items()
    }
    together = [one for n in WORKERS for one in hashes.get(ours(n), ())]
    series = {OURS: counted(together)} if together else {}
    series |= {label: counted(found) for label, found in hashes.items()}
    return [Finding(WHAT, "", OURS, series, Goal(at_most=1))]


def ours(workers: int) -> str:
    """The label of our side with so many workers."""
    return f"reactorrl, {workers} worker{'s' if workers > 1 else ''}"


def counted(hashes: list[str]) -> Summary:
    """How many of them differ."""
    n = float(len(set(hashes)))
    return Summary(n, n, n, n, len(hashes), len(hashes))
