"""A long run: does talking become dearer, does memory grow? And what is talking beside the work?"""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from statistics import fmean
from typing import Any

from ..figures import Figure
from ..harness import SMOKE, Case, Contender, Settings
from ..micro.sides import HERE, OURS_1, OURS_2, RAY, Places, all_places
from ..place import ONLY_IN_FULL, Place
from ..results import Finding, Goal
from ..samples import Measured, Reply, Summary
from .course import TENTHS, tenths
from .messages import CLIENTS

PEER = "bench.overhead.peers"
LOOP, BARRIER = "plain loop", "2 threads with a barrier"
GIL = "the same program with the GIL on, 2 workers"
TUNED, ARTIFACT = "Ray, 2 actors", "Ray as in the artifact, 15 actors"
ENV, ENVS = "CartPole-v1", 15

FLAT = Goal(at_most=1.1)

# Rounds in each mode: fewer where a round takes longer. Where there are none, the side is left out.
LONG = {"full": 1_000_000, "quick": 100_000, "smoke": 4_000}
SHORTER = {"full": 100_000, "quick": 5_000, "smoke": 200}
RAY_TALKS = {"full": 1_000, "quick": 0, "smoke": 0}
SAMPLED = {"full": 5_000, "quick": 500, "smoke": 100}
RAY_SAMPLES = {"full": 1_000, "quick": 0, "smoke": 0}
ARTIFACT_SAMPLES = {"full": 300, "quick": 0, "smoke": 0}

COST, MEMORY, OVERHEAD = "a round", "memory", "overhead of a round"
ROUNDS = "rounds done"
FIGURES = (
    Figure(
        "overhead-cost",
        f"Messages to {CLIENTS} clients and back",
        COST,
        "time of a round",
        x="rounds",
        x_label=ROUNDS,
        where={"talk": "messages"},
        log_x=True,
        log_y=True,
    ),
    Figure(
        "overhead-memory",
        f"Messages to {CLIENTS} clients and back",
        MEMORY,
        "resident memory, against the start",
        x="rounds",
        x_label=ROUNDS,
        where={"talk": "messages"},
        log_x=True,
    ),
    Figure(
        "overhead-sampling",
        f"{ENVS} envs of {ENV}, one step per event",
        OVERHEAD,
        "time of a round beside the envs' own work",
        x="rounds",
        x_label=ROUNDS,
        where={"talk": "envs"},
        log_x=True,
        log_y=True,
    ),
)


def side(
    label: str, place: Place, call: str, shape: dict[str, Any], rounds: int, **options: Any
) -> Contender:
    """A run of so many rounds, with the garbage collector as users have it."""
    if not rounds:
        place = ONLY_IN_FULL
    arguments = {**shape, "rounds": rounds}
    return Contender(label, place, call, arguments, rounds=rounds, gc=True, **options)


def course(
    measured: Measured,
    what: str,
    unit: str,
    value: Callable[[str, int, Reply], float],
    rounds: dict[str, int],
) -> Iterator[Finding]:
    """The points of a figure: a value of each tenth of each side, by the rounds done until then."""
    points: dict[int, dict[str, Summary]] = {}
    for label in measured.samples:
        for tenth, done in enumerate(tenths(rounds[label])):
            summary = measured.summary(label, partial(value, label, tenth))
            points.setdefault(done, {})[label] = summary
    for done, series in sorted(points.items()):
        yield Finding(what, unit, OURS_2, series, at={"rounds": done})


def cost_of(_label: str, tenth: int, reply: Reply) -> float:
    """Of a round in a tenth of the run."""
    return reply["cost"][tenth]


def grown_by(_label: str, tenth: int, reply: Reply) -> float:
    """Bytes of memory since the start."""
    return reply["grown"][tenth]


def last_against_first(reply: Reply) -> float:
    """Of the costs of a round."""
    return reply["cost"][TENTHS - 1] / reply["cost"][0]


def bytes_per_round(reply: Reply) -> float:
    """The slope of the resident set."""
    return reply["slope"]


def work_of(reply: Reply) -> float:
    """Of all envs in a round."""
    return fmean(reply["spent"])


def blocks_held(reply: Reply) -> float:
    """By the thread of the server."""
    return reply["blocks"]


def messages(places: Places, mode: str) -> Case:
    """Nothing but messages."""
    ours = "bench.overhead.messages:talk"
    shape = {"clients": CLIENTS}
    threads = f"{PEER}.threads:talk"
    xronos = f"{PEER}.with_xronos:talk"
    contenders = [
        side(OURS_1, places[HERE], ours, {"workers": 1}, LONG[mode]),
        side(OURS_2, places[HERE], ours, {"workers": 2}, LONG[mode]),
        side(GIL, places[GIL], ours, {"workers": 2}, LONG[mode]),
        side(LOOP, places[HERE], threads, {**shape, "threads": 1}, LONG[mode]),
        side(BARRIER, places[HERE], threads, {**shape, "threads": 2}, SHORTER[mode]),
        side("xronos", places["xronos"], xronos, shape, SHORTER[mode]),
        side(RAY, places[RAY], f"{PEER}.with_ray:talk", shape, RAY_TALKS[mode], apart=True),
    ]
    rounds = {contender.label: contender.rounds or 0 for contender in contenders}

    def conclude(measured: Measured) -> list[Finding]:
        times = {label: measured.summary(label) for label in measured.samples}
        drift = {label: measured.summary(label, last_against_first) for label in measured.samples}
        growth = {label: measured.summary(label, bytes_per_round) for label in measured.samples}
        blocks = {label: measured.summary(label, blocks_held) for label in measured.samples}
        return [
            Finding("one round", "ns", OURS_2, times),
            Finding("a round of the last tenth against the first", "x", OURS_2, drift, FLAT),
            Finding("growth of memory per round", "B", OURS_2, growth, Goal(at_most=0.1)),
            Finding("blocks allocated and kept in the run", "blocks", OURS_2, blocks),
            *course(measured, COST, "ns", cost_of, rounds),
            *course(measured, MEMORY, "B", grown_by, rounds),
        ]

    return Case(
        "drift",
        "Does a round of messages become dearer, or memory grow, with the number of rounds?",
        contenders,
        conclude,
        seconds=500 if mode == "full" else 10,
        disturbed_anyway=True,
        at={"talk": "messages"},
    )


def envs(places: Places, mode: str) -> Case:
    """Messages, and envs that are stepped for them."""
    shape: dict[str, Any] = {"env": ENV, "envs": ENVS}
    ours, threads = "bench.overhead.envs:sampling", f"{PEER}.threads:sampling"
    ray = f"{PEER}.with_ray:sampling"
    tuned = {**shape, "actors": 2, "clock": "perf_counter_ns"}
    artifact = {**shape, "actors": ENVS, "clock": "thread_time_ns"}
    xronos = f"{PEER}.with_xronos:sampling"
    sides = (
        (1, side(OURS_1, places[HERE], ours, {**shape, "workers": 1}, SAMPLED[mode])),
        (2, side(OURS_2, places[HERE], ours, {**shape, "workers": 2}, SAMPLED[mode])),
        (1, side(LOOP, places[HERE], threads, {**shape, "threads": 1}, SAMPLED[mode])),
        (2, side(BARRIER, places[HERE], threads, {**shape, "threads": 2}, SAMPLED[mode])),
        (1, side("xronos", places["xronos, Gym"], xronos, shape, SAMPLED[mode])),
        (2, side(TUNED, places[RAY], ray, tuned, RAY_SAMPLES[mode], apart=True)),
        (2, side(ARTIFACT, places[RAY], ray, artifact, ARTIFACT_SAMPLES[mode], apart=True)),
    )
    processors = {contender.label: number for number, contender in sides}
    rounds = {contender.label: contender.rounds or 0 for _, contender in sides}

    def conclude(measured: Measured) -> list[Finding]:
        def beside(label: str, tenth: int, reply: Reply) -> float:
            return reply["cost"][tenth] - reply["spent"][tenth] / processors[label]

        def whole(label: str, reply: Reply) -> float:
            return fmean(beside(label, tenth, reply) for tenth in range(TENTHS))

        labels = list(measured.samples)
        overhead = {label: measured.summary(label, partial(whole, label)) for label in labels}
        work = {label: measured.summary(label, work_of) for label in labels}
        return [
            Finding(OVERHEAD, "ns", OURS_2, overhead),
            Finding(f"work of {ENVS} envs in a round", "ns", OURS_2, work),
            *course(measured, OVERHEAD, "ns", beside, rounds),
        ]

    return Case(
        "sampling-overhead",
        f"What does a round of {ENVS} envs of {ENV} cost beside the envs' own work?",
        contenders=[contender for _, contender in sides],
        conclude=conclude,
        seconds=120 if mode == "full" else 6,
        disturbed_anyway=True,
        at={"talk": "envs"},
    )


def cases(settings: Settings) -> list[Case]:
    """Messages alone, and with envs."""
    places = all_places(with_ray=settings.mode != SMOKE.mode)
    places[GIL] = Place(GIL, sys.executable, environment={"PYTHON_GIL": "1"})
    return [messages(places, settings.mode), envs(places, settings.mode)]
