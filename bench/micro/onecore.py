"""Two workers where only one processor is free: they must not get in each other's way."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..harness import Case, Contender, Settings
from ..machine import usable_cpus
from ..results import Finding, Goal
from ..samples import Measured
from . import fanout
from .sides import HERE, ONE_PROCESSOR, OURS_1, OURS_2, Places

OURS = "2 workers against 1"
GOAL = Goal(at_most=1.3)
HOG = """
import os, sys
parent, cpu = map(int, sys.argv[1:])
os.sched_setaffinity(0, {cpu})
while os.getppid() == parent:
    pass
"""


@contextmanager
def busy_processor() -> Iterator[None]:
    """Another process computes on the second processor meanwhile."""
    cpu = usable_cpus()[-1]
    hog = subprocess.Popen([sys.executable, "-c", HOG, str(os.getpid()), str(cpu)])
    try:
        yield
    finally:
        hog.kill()
        hog.wait()


def conclude(measured: Measured) -> list[Finding]:
    """The pairwise ratio, and the times behind it."""
    if not {OURS_1, OURS_2} <= measured.samples.keys():
        return [Finding("time of 2 workers against 1", "x", OURS, {}, GOAL)]
    times = {label: measured.summary(label) for label in measured.samples}
    ratio = {OURS: measured.ratio(OURS_2, OURS_1)}
    return [
        Finding("time of 2 workers against 1", "x", OURS, ratio, GOAL),
        Finding("one round", "ns", OURS_2, times),
    ]


def programs(places: Places, settings: Settings, place: str) -> dict[str, list[Contender]]:
    """The same programs as in the other cases."""
    found = {
        f"broadcast-{clients}": [
            Contender(
                label,
                places[place],
                "bench.broadcast_gather.program:broadcast_gather",
                {"workers": workers, "clients": clients, "size": 1_000, "copies": False},
            )
            for label, workers in ((OURS_1, 1), (OURS_2, 2))
        ]
        for clients in (6, 64)
    }
    for body in fanout.BODIES:
        turns = fanout.iterations(body, settings)
        found[f"parallel-64x{body}"] = fanout.computing(places, 64, turns, place)
    return found


def cases(places: Places, settings: Settings) -> list[Case]:
    """Restricted to one processor before the start, and with a hog on the other."""
    found = [
        Case(
            f"one-processor-{name}",
            f"{name} where the process may use one processor only: what do two workers cost?",
            contenders,
            conclude,
            seconds=6 if name.endswith("ms") else 3,
            disturbed_anyway=True,
        )
        for name, contenders in programs(places, settings, ONE_PROCESSOR).items()
    ]
    if len(usable_cpus()) < 2:
        return found
    return found + [
        Case(
            f"busy-processor-{name}",
            f"{name} where another process computes on the second processor: what do two cost?",
            contenders,
            conclude,
            seconds=6 if name.endswith("ms") else 3,
            company=busy_processor,
            disturbed_anyway=True,
        )
        for name, contenders in programs(places, settings, HERE).items()
    ]
