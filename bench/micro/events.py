"""One event at a time: a self-scheduling action, and a value that goes round a delayed loop."""

from typing import Any

import reactorrl as rr

from ..harness import Case, Contender, Settings
from ..results import Finding, Goal
from ..samples import Measured
from ..stopwatch import Stopwatch
from .sides import HERE, OURS_1, OURS_2, PEER, Places, ours_and_others, xronos_on_both

MODULE = "bench.micro.events"


class Clock(rr.Reactor):
    """Schedules its own action until the watch says stop."""

    tick = rr.LogicalAction[None](min_delay=rr.usec(1))

    def __init__(self, watch: Stopwatch) -> None:
        self.watch = watch
        self.left = watch.lap()

    @rr.reaction(rr.startup, tick, effects=tick)
    def on_tick(self) -> None:
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()
            if not self.left:
                return
        self.tick.schedule()


def self_scheduling(workers: int, warm: int, rounds: int) -> dict[str, Any]:
    """One event after the other; the program ends for lack of events."""
    watch = Stopwatch(warm, rounds)
    report = rr.run(Clock(watch), workers=workers, fast=True)
    return watch.reply(report.reactions)


class Ping(rr.Reactor):
    """Sends, and sends again whenever its value has come back."""

    out = rr.Output[int]()
    back = rr.Input[int]()

    def __init__(self, watch: Stopwatch) -> None:
        self.watch = watch
        self.left = watch.lap()
        self.received = 0

    @rr.reaction(rr.startup, effects=out)
    def start(self) -> None:
        self.out.set(0)

    @rr.reaction(back, effects=out)
    def on_back(self) -> None:
        self.received = self.back.value
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()
            if not self.left:
                return
        self.out.set(self.received)


class Pong(rr.Reactor):
    """Sends back one more than what it got."""

    inp = rr.Input[int]()
    out = rr.Output[int]()

    @rr.reaction(inp, effects=out)
    def on_inp(self) -> None:
        self.out.set(self.inp.value + 1)


class PingPong(rr.Reactor):
    """The loop, delayed by one microstep on one edge."""

    def __init__(self, watch: Stopwatch) -> None:
        self.ping = Ping(watch)
        self.pong = Pong()
        self.connect(self.ping.out, self.pong.inp, after=0)
        self.connect(self.pong.out, self.ping.back)


def ping_pong(workers: int, warm: int, rounds: int) -> dict[str, Any]:
    """A round trip a round."""
    watch = Stopwatch(warm, rounds)
    main = PingPong(watch)
    rr.run(main, workers=workers, fast=True)
    return watch.reply(main.ping.received)


def cases(places: Places, _settings: Settings) -> list[Case]:
    """The two cases."""

    def conclude(what: str, goal: Goal) -> Any:
        def findings(measured: Measured) -> list[Finding]:
            return ours_and_others(measured, what, OURS_1, goal)

        return findings

    return [
        Case(
            "event",
            "What does one event of a self-scheduling logical action cost?",
            [
                *ours(places, "self_scheduling"),
                *xronos_on_both(places, "with_xronos:self_scheduling"),
                Contender("plain heapq loop", places[HERE], f"{PEER}.plain:self_scheduling"),
            ],
            conclude("one event", Goal(at_most=300)),
        ),
        Case(
            "ping-pong",
            "What does a round trip through a delayed loop cost?",
            [*ours(places, "ping_pong"), *xronos_on_both(places, "with_xronos:ping_pong")],
            conclude("one round", Goal(at_most=700)),
        ),
    ]


def ours(places: Places, function: str) -> list[Contender]:
    """With one worker, and with two, which such a program cannot use."""
    return [
        Contender(label, places[HERE], f"{MODULE}:{function}", {"workers": workers})
        for label, workers in ((OURS_1, 1), (OURS_2, 2))
    ]
