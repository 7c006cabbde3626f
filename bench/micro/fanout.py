"""N reactions ready at one tag: what each costs, and how well two workers share them."""

from typing import Any

import reactorrl as rr

from ..harness import Case, Contender, Settings
from ..results import Finding, Goal
from ..samples import Measured
from ..stopwatch import Stopwatch
from .sides import HERE, OURS_1, OURS_2, PEER, XRONOS, Places, xronos_on_both
from .work import busy, iterations_for

CALL = "bench.micro.fanout:fan_out"
OURS = "reactorrl"
LOOP = "plain loop"
LIMIT = "plain threads that never meet (limit)"
READY = {"full": (16, 256, 4096), "quick": (16, 256), "smoke": (2, 4, 8)}
BODIES = {"1ms": 1_000_000, "1us": 1_000}


class Source(rr.Reactor):
    """Triggers all sinks once a round."""

    out = rr.Output[int]()
    tick = rr.LogicalAction[None](min_delay=rr.usec(1))

    def __init__(self, watch: Stopwatch) -> None:
        self.watch = watch
        self.left = watch.lap()

    @rr.reaction(rr.startup, tick, effects=(out, tick))
    def on_tick(self) -> None:
        if not self.left:
            self.left = self.watch.lap()
            if not self.left:
                return
        self.left -= 1
        self.out.set(0)
        self.tick.schedule()


class Counting(rr.Reactor):
    """The least that a reaction with state does."""

    inp = rr.Input[int]()

    def __init__(self) -> None:
        self.done = 0

    @rr.reaction(inp)
    def work(self) -> None:
        self.done += 1


class Computing(rr.Reactor):
    """Computes for a fixed number of iterations."""

    inp = rr.Input[int]()

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations
        self.done = 0

    @rr.reaction(inp)
    def work(self) -> None:
        busy(self.iterations)
        self.done += 1


class FanOut(rr.Reactor):
    """A source and a bank of sinks on one level."""

    def __init__(self, watch: Stopwatch, sinks: int, iterations: int) -> None:
        self.source = Source(watch)
        self.sinks = rr.Bank(sinks, *((Computing, iterations) if iterations else (Counting,)))
        self.connect(self.source.out, self.sinks.inp, broadcast=True)


def fan_out(workers: int, sinks: int, iterations: int, warm: int, rounds: int) -> dict[str, Any]:
    """All sinks ready at one tag."""
    watch = Stopwatch(warm, rounds)
    main = FanOut(watch, sinks, iterations)
    rr.run(main, workers=workers, fast=True)
    return watch.reply(sum(sink.done for sink in main.sinks))


def per_ready_reaction(places: Places, ready: tuple[int, ...]) -> Case:
    """The cost of one ready reaction must not depend on how many are ready."""
    contenders = []
    for sinks in ready:
        shape: dict[str, Any] = {"sinks": sinks, "iterations": 0}
        name = f", N = {sinks}"
        one: dict[str, Any] = {"scale": sinks, "task": name}
        contenders += [
            Contender(OURS + name, places[HERE], CALL, {**shape, "workers": 1}, **one),
            *xronos_on_both(places, "with_xronos_many:fan_out", shape, name, **one),
            Contender(LOOP + name, places[HERE], f"{PEER}.plain:fan_out", shape, **one),
        ]

    def conclude(measured: Measured) -> list[Finding]:
        sides = [OURS, *XRONOS, LOOP]
        found = [
            Finding(
                f"each of {sinks} ready reactions",
                "ns",
                OURS,
                {
                    side: measured.summary(f"{side}, N = {sinks}")
                    for side in sides
                    if f"{side}, N = {sinks}" in measured.samples
                },
            )
            for sinks in ready
        ]
        few, many = (f", N = {sinks}" for sinks in (ready[0], ready[-1]))
        ratios = {
            side: measured.ratio(side + many, side + few)
            for side in sides
            if {side + many, side + few} <= measured.samples.keys()
        }
        what = f"each of {ready[-1]} against each of {ready[0]}"
        return [*found, Finding(what, "x", OURS, ratios, Goal(at_most=1.3))]

    return Case(
        "ready",
        "Does a ready reaction cost more when many are ready?",
        contenders,
        conclude,
        seconds=25,
    )


def computing(places: Places, sinks: int, iterations: int, place: str = HERE) -> list[Contender]:
    """Our two sides of a computing case."""
    shape = {"sinks": sinks, "iterations": iterations}
    return [
        Contender(label, places[place], CALL, {**shape, "workers": workers})
        for label, workers in ((OURS_1, 1), (OURS_2, 2))
    ]


def speed_up(
    places: Places, settings: Settings, sinks: int, body: str, goal: Goal | None = None
) -> Case:
    """Two workers against one, next to what the machine allows at this minute."""
    shape: dict[str, Any] = {"sinks": sinks, "iterations": iterations(body, settings)}
    unsynchronised = f"{PEER}.threads:fan_out_unsynchronised"
    xronos = places[XRONOS[0]]
    contenders = [
        *computing(places, sinks, shape["iterations"]),
        Contender("plain thread", places[HERE], unsynchronised, {**shape, "threads": 1}),
        Contender("2 plain threads", places[HERE], unsynchronised, {**shape, "threads": 2}),
        Contender("xronos", xronos, f"{PEER}.with_xronos_many:fan_out", shape),
        Contender("plain loop beside xronos", xronos, f"{PEER}.plain:fan_out", shape),
    ]
    pairs = {
        OURS: (OURS_1, OURS_2),
        LIMIT: ("plain thread", "2 plain threads"),
        "xronos against a plain loop": ("plain loop beside xronos", "xronos"),
    }

    def conclude(measured: Measured) -> list[Finding]:
        ratios = {
            name: measured.ratio(one, two)
            for name, (one, two) in pairs.items()
            if {one, two} <= measured.samples.keys()
        }
        times = {label: measured.summary(label) for label in measured.samples}
        return [
            Finding("2 workers against 1", "x", OURS, ratios, goal),
            Finding("one round", "ns", OURS_2, times),
        ]

    return Case(
        f"parallel-{sinks}x{body}",
        f"How much faster are two workers than one with {sinks} bodies of {body} on one level?",
        contenders,
        conclude,
        seconds=15 if body == "1ms" and sinks > 2 else 6,
    )


def iterations(body: str, settings: Settings) -> int:
    """Of `busy`, for a body that takes as long as its name says; hardly any in a smoke run."""
    return 50 if settings.mode == "smoke" else iterations_for(BODIES[body])


def cases(places: Places, settings: Settings) -> list[Case]:
    """Cost per ready reaction, then the speed-ups."""
    return [
        per_ready_reaction(places, READY[settings.mode]),
        speed_up(places, settings, 64, "1ms", Goal(at_least=1.9)),
        speed_up(places, settings, 64, "1us", Goal(at_least=1.6)),
        speed_up(places, settings, 2, "1ms", Goal(at_least=1.9)),
        speed_up(places, settings, 2, "1us"),
    ]
