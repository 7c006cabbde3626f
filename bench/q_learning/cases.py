"""What a round of synchronised parallel Q-learning costs, and which part of it costs what."""

from collections.abc import Callable

from ..figures import Figure
from ..harness import FULL, QUICK, SMOKE, Case, Settings
from ..micro.sides import OURS_1, OURS_2, faster
from ..place import Place
from ..results import Controls, Finding, Goal, Published
from ..samples import Measured, Reply
from ..sides import GIL_ON, HERE, RAY, learning_places, learning_sides

SERIAL, POOL = "one thread", "pool of 2 threads"
OURS_LOCKED = "same program, GIL on, 2 workers"
TUNED_RAY, ARTIFACT_RAY = "Ray, tuned", "Ray, as in the artifact"
PARTS = ("rollout", "replay", "learning")
BATCH_SIZES = {FULL.mode: (500, 1000, 2000), QUICK.mode: (1000,), SMOKE.mode: (500,)}
ROUNDS = {FULL.mode: 8, QUICK.mode: 2, SMOKE.mode: 1}  # of a repetition

FIGURES = (
    Figure(
        "q-learning",
        "Parallel Q-learning: 16 rollouts of 100 steps, a replay, a learner",
        what="one round",
        y_label="one round",
    ),
    Figure(
        "q-learning-parts",
        "Where the time of a round goes, batch of 1000",
        what="one round",
        y_label="one round",
        where={"batch_size": 1000},
        stacked=PARTS,
    ),
)
PUBLISHED = tuple(
    Published(
        f"q-learning-{size}",
        "one round",
        "ns",
        {"Ray": ray / 500 * 1e9, "reactors": reactors / 500 * 1e9},
        "arXiv 2312.04704, 32 processors, 500 rounds",
    )
    for size, ray, reactors in ((500, 137, 94), (1000, 149, 95), (2000, 192, 96))
)

CONTROLS = Controls(
    one=OURS_1,
    two=OURS_2,
    gil=OURS_LOCKED,
    loop=SERIAL,
    threads=POOL,
    artifact=ARTIFACT_RAY,
    ray=(TUNED_RAY, ARTIFACT_RAY),
)


def cases(settings: Settings) -> list[Case]:
    """One for each batch size."""
    places = learning_places(settings)
    return [learning(places, size, settings) for size in BATCH_SIZES[settings.mode]]


def learning(places: dict[str, Place], batch_size: int, settings: Settings) -> Case:
    """All sides must have learned the same weights."""
    peers = "bench.q_learning.peers"
    ours = "bench.q_learning.rounds:learning"
    sides = (
        (OURS_1, HERE, ours, {"workers": 1}),
        (OURS_2, HERE, ours, {"workers": 2}),
        (OURS_LOCKED, GIL_ON, ours, {"workers": 2}),
        (SERIAL, HERE, f"{peers}.here:learning", {"threads": 1}),
        (POOL, HERE, f"{peers}.here:learning", {"threads": 2}),
        (TUNED_RAY, RAY, f"{peers}.with_ray:tuned", {"actors": 2}),
        (ARTIFACT_RAY, RAY, f"{peers}.with_ray:as_in_the_artifact", {}),
    )
    contenders = learning_sides(
        settings,
        places,
        {"batch_size": batch_size},
        sides,
        not_in_quick=(OURS_LOCKED, ARTIFACT_RAY),
        timed_rounds=ROUNDS[settings.mode],
    )
    return Case(
        f"q-learning-{batch_size}",
        f"What does a round of parallel Q-learning with a batch of {batch_size} cost?",
        contenders,
        conclude,
        seconds=60 if settings.mode == FULL.mode else 20,
        verify_rounds=3,
        at={"batch_size": batch_size},
    )


def conclude(measured: Measured) -> list[Finding]:
    """The round, its parts, and the ratios that isolate one thing each."""
    best = faster(measured, OURS_1, OURS_2)
    times = {label: measured.summary(label) for label in measured.samples}
    found = [Finding("one round", "ns", best, times)]
    for part in PARTS:
        series = {label: measured.summary(label, time_of(part)) for label in measured.samples}
        found.append(Finding(part, "ns", best, series))
    for label, goal in ((TUNED_RAY, Goal(at_most=0.3)), (ARTIFACT_RAY, None), (POOL, None)):
        if {best, label} <= measured.samples.keys():
            ratio = {best: measured.ratio(best, label)}
            found.append(Finding(f"time of ours against {label}", "x", best, ratio, goal))
    return found


def time_of(part: str) -> Callable[[Reply], float]:
    """Nanoseconds of a part of one round."""
    return lambda reply: reply["parts_ns"][part] / reply["rounds"]
