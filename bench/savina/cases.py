"""Savina's classics with their usual numbers of reactors, next to published figures in the README.

Runs are shorter than those that others report, since time grows with their length; what the usual
length would take is worked out from them.
"""

from dataclasses import dataclass

from ..harness import FULL, SMOKE, Case, Contender, Settings
from ..micro.sides import HERE, OURS_1, OURS_2, Places, faster
from ..results import Finding, Published
from ..samples import Measured, Reply

SHORTER = {FULL.mode: 5, SMOKE.mode: 1000}  # so many times


@dataclass(frozen=True)
class Classic:
    """A benchmark with the length that others report, and what it counts."""

    name: str
    module: str
    size: int
    unit: str
    units: int = 1  # in each of the size
    shorter: int = 1  # still so many times


CLASSICS = (
    Classic("ping-pong", "ping_pong", 1_000_000, "ping and pong"),
    Classic("counting", "counting", 1_000_000, "message"),
    Classic("thread-ring", "thread_ring", 100_000, "hop"),
    Classic("fork-join", "throughput", 10_000, "message", 60),
    Classic("fork-join-create", "create", 40_000, "reactor"),
    Classic("big", "big", 20_000, "ping and pong", 120, shorter=5),
    Classic("chameneos", "chameneos", 200_000, "meeting"),
    Classic("banking", "banking", 50_000, "transfer"),
    Classic("philosophers", "philosophers", 10_000, "meal", 20),
)
LF_CPP = "lf-lang/benchmarks-lingua-franca, Cpp/Savina/src/micro, comments: informal, one PC"
LF_C = "wiki of lf-lang/lingua-franca, Benchmarks: medians of 100 runs, Core i9 2.3 GHz, 2020"
PUBLISHED = (
    Published(
        "savina-ping-pong",
        "one ping and pong",
        "ns",
        {"Lingua Franca C++": 215, "the same on threads": 255, "Akka": 1054},
        LF_CPP,
    ),
    Published(
        "savina-ping-pong",
        "one ping and pong",
        "ns",
        {"Lingua Franca C": 62, "the same on 8 threads": 145},
        LF_C,
    ),
    Published(
        "savina-counting",
        "one message",
        "ns",
        {"Lingua Franca C++": 178, "the same on threads": 205, "Akka": 157},
        LF_CPP,
    ),
)


def cases(places: Places, settings: Settings) -> list[Case]:
    """One for each."""
    return [savina(places, classic, settings) for classic in CLASSICS]


def savina(places: Places, classic: Classic, settings: Settings) -> Case:
    """With one worker and with two."""
    size = max(1, classic.size // SHORTER[settings.mode] // classic.shorter)
    contenders = [
        Contender(
            label,
            places[HERE],
            f"bench.savina.{classic.module}:run",
            {"workers": workers, "size": size},
            scale=size * classic.units,
            timed_rounds=1,
        )
        for label, workers in ((OURS_1, 1), (OURS_2, 2))
    ]

    def whole_run(reply: Reply) -> float:
        return reply["ns"] / reply["rounds"] * classic.size * classic.units

    def conclude(measured: Measured) -> list[Finding]:
        best = faster(measured, OURS_1, OURS_2)
        series = {label: measured.summary(label) for label in measured.samples}
        found = [Finding(f"one {classic.unit}", "ns", best, series)]
        if settings.mode == FULL.mode:
            whole = {label: measured.summary(label, whole_run) for label in measured.samples}
            found.append(Finding("a run of the usual length", "ns", best, whole))
        return found

    return Case(
        f"savina-{classic.name}",
        f"What does one {classic.unit} of Savina's {classic.name} cost?",
        contenders,
        conclude,
        seconds=30 if settings.mode == FULL.mode else 2,
        at={"classic": classic.name},
    )
