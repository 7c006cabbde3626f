"""What a trace costs a running program: the same program with and without, one after the other."""

import os
from typing import Any

import reactorrl as rr
from reactorrl import trace

from ..harness import Case, Contender, Settings
from ..results import Finding, Goal
from ..samples import Measured, Summary, is_clean, per_round
from ..stopwatch import Stopwatch
from .fanout import FanOut
from .sides import HERE, Places

CALL = "bench.micro.tracing:fan_out"
WITHOUT, WITH, COST = "without a trace", "with a trace", "the trace"
WIDE = {"full": 256, "quick": 256, "smoke": 4}
RECORDS = 1 << 17  # kept, so that writing the file, which nobody times, is quick


def fan_out(sinks: int, is_traced: bool, warm: int, rounds: int) -> dict[str, Any]:
    """A source and its sinks at one tag: with one sink, two levels of one reaction each."""
    trace.RECORDS = RECORDS
    watch = Stopwatch(warm, rounds)
    main = FanOut(watch, sinks, 0)
    rr.run(main, workers=1, fast=True, trace=os.devnull if is_traced else None)
    return watch.reply(sum(sink.done for sink in main.sinks))


def difference(measured: Measured, reactions: int) -> Summary:
    """Per reaction, from pairs taken one after the other."""
    pairs = list(zip(measured.samples[WITH], measured.samples[WITHOUT], strict=True))
    values = [(per_round(a) - per_round(b)) / reactions for a, b in pairs]
    return Summary.of(values, [is_clean(a) and is_clean(b) for a, b in pairs], measured.wanted)


def cost(places: Places, name: str, sinks: int) -> Case:
    """Per reaction, messages and levels included."""
    reactions = sinks + 1
    contenders = [
        Contender(
            label,
            places[HERE],
            CALL,
            {"sinks": sinks, "is_traced": label == WITH},
            scale=reactions,
        )
        for label in (WITHOUT, WITH)
    ]

    def conclude(measured: Measured) -> list[Finding]:
        times = {label: measured.summary(label) for label in measured.samples}
        costs = {COST: difference(measured, reactions)} if len(times) == 2 else {}
        return [
            Finding("a reaction", "ns", WITH, times),
            Finding("of that", "ns", COST, costs, Goal(at_most=100)),
        ]

    return Case(
        f"trace-{name}",
        f"What does a trace add to each of {reactions} reactions at a tag?",
        contenders,
        conclude,
        seconds=6,
    )


def cases(places: Places, settings: Settings) -> list[Case]:
    """Levels of one reaction, and a level of many."""
    return [cost(places, "narrow", 1), cost(places, "wide", WIDE[settings.mode])]
