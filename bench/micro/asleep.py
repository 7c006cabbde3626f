"""Two bodies of a millisecond at every tag of a timer, between which all workers fall asleep."""

import threading
import time
from collections.abc import Callable
from typing import Any

import reactorrl as rr

from ..harness import FULL, QUICK, SMOKE, Case, Contender, Settings
from ..results import Finding, Goal
from ..samples import Measured
from ..stopwatch import counters
from .sides import HERE, OURS_1, OURS_2, Places
from .work import busy, iterations_for

PAUSE_MS = 2  # asleep: nobody spins that long
BODIES = 2
ROUNDS = {FULL.mode: 100, QUICK.mode: 40, SMOKE.mode: 2}  # where threads wake shows after some
BARRIER, PINNED = "2 threads with a barrier", "reactorrl, 2 workers, affinity='spread'"
CALL = "bench.micro.asleep"


class Spans:
    """Adds up the rounds alone, without the pauses; the first `warm` are not counted."""

    def __init__(self, warm: int, rounds: int) -> None:
        self.warm, self.rounds = warm, rounds
        self.left = warm + rounds
        self.ns = 0
        self.before = (0, 0, 0)
        self.done = 0

    def begin(self) -> None:
        """A round begins now."""
        if self.left == self.rounds:
            self.ns, self.before = 0, counters()
        self.since = time.perf_counter_ns()

    def end(self) -> bool:
        """It ends now. True: it was the last."""
        self.ns += time.perf_counter_ns() - self.since
        self.left -= 1
        return not self.left

    def reply(self) -> dict[str, Any]:
        """What a measured function returns."""
        cpu_ns, switches, stolen = (
            last - first for first, last in zip(self.before, counters(), strict=True)
        )
        return {
            "ns": self.ns,
            "rounds": self.rounds,
            "cpu_ns": cpu_ns,
            "switches": switches,
            "stolen": stolen,
            "check": self.done,
        }


class Begin(rr.Reactor):
    """The timer."""

    tick = rr.Timer(rr.msec(1), rr.msec(PAUSE_MS + BODIES))
    out = rr.Output[int]()

    def __init__(self, spans: Spans) -> None:
        self.spans = spans

    @rr.reaction(tick, effects=out)
    def begin(self) -> None:
        self.spans.begin()
        self.out.set(1)


class Body(rr.Reactor):
    """Computes."""

    inp = rr.Input[int]()
    out = rr.Output[int]()

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations

    @rr.reaction(inp, effects=out)
    def compute(self) -> None:
        busy(self.iterations)
        self.out.set(self.inp.value)


class End(rr.Reactor):
    """Hears all of them."""

    inp = rr.Input[int](width="n")

    def __init__(self, n: int, spans: Spans) -> None:
        self.n, self.spans = n, spans

    @rr.reaction(inp)
    def end(self) -> None:
        self.spans.done += sum(port.value for port in self.inp)
        if self.spans.end():
            self.request_stop()


class Rounds(rr.Reactor):
    """A level before, a level of bodies, a level after."""

    def __init__(self, spans: Spans, iterations: int) -> None:
        self.begin = Begin(spans)
        self.bodies = rr.Bank(BODIES, Body, iterations)
        self.end = End(BODIES, spans)
        self.connect(self.begin.out, self.bodies.inp, broadcast=True)
        self.connect(self.bodies.out, self.end.inp)


def reactors(
    workers: int, iterations: int, warm: int, rounds: int, affinity: str | None = None
) -> dict[str, Any]:
    """The measured program."""
    spans = Spans(warm, rounds)
    rr.run(Rounds(spans, iterations), workers=workers, affinity=affinity)
    return spans.reply()


def threads(iterations: int, warm: int, rounds: int) -> dict[str, Any]:
    """The same by hand: the calling thread and another one, which meet before and after."""
    spans = Spans(warm, rounds)
    barrier = threading.Barrier(BODIES)

    def rest(work: Callable[[], int]) -> None:
        for _ in range(warm + rounds):
            barrier.wait()
            work()
            barrier.wait()

    other = threading.Thread(target=rest, args=(lambda: busy(iterations),))
    other.start()
    for _ in range(warm + rounds):
        time.sleep(PAUSE_MS / 1000)
        spans.begin()
        barrier.wait()
        busy(iterations)
        barrier.wait()
        spans.done += BODIES
        spans.end()
    other.join()
    return spans.reply()


def cases(places: Places, settings: Settings) -> list[Case]:
    """One."""
    shape = {"iterations": 50 if settings.mode == SMOKE.mode else iterations_for(1_000_000)}
    sides = (
        (OURS_1, "reactors", {"workers": 1}),
        (OURS_2, "reactors", {"workers": 2}),
        (PINNED, "reactors", {"workers": 2, "affinity": "spread"}),
        (BARRIER, "threads", {}),
    )

    def conclude(measured: Measured) -> list[Finding]:
        times = {label: measured.summary(label) for label in measured.samples}
        found = [Finding("one round, without the pause", "ns", OURS_2, times)]
        ratios = {
            label: measured.ratio(OURS_1, label)
            for label in (OURS_2, PINNED, BARRIER)
            if {OURS_1, label} <= measured.samples.keys()
        }
        what = "against 1 worker"
        return [*found, Finding(what, "x", OURS_2, ratios, Goal(at_least=1.7))]

    return [
        Case(
            "asleep-2x1ms",
            "How much faster are two workers than one with 2 bodies of 1ms, asleep in between?",
            [
                Contender(
                    label,
                    places[HERE],
                    f"{CALL}:{call}",
                    {**shape, **more},
                    timed_rounds=ROUNDS[settings.mode],
                )
                for label, call, more in sides
            ],
            conclude,
            seconds=60 if settings.mode == FULL.mode else 6,
        )
    ]
