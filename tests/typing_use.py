"""Programs as users write them, for the type checker alone: tests/test_typing.py runs it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, assert_type

import numpy as np

import reactorrl as rr
from reactorrl.bench import broadcast_gather, load, micro
from reactorrl.bench.results import Results
from reactorrl.ports import InputMultiport, OutputMultiport
from reactorrl.testing import (
    Simulation,
    VirtualClock,
    assert_deterministic,
    check_reactor,
)

Array = np.ndarray[Any, np.dtype[np.float64]]


class Source(rr.Reactor):
    out = rr.Output[int]()
    wide = rr.Output[Array](width="n")
    tick = rr.Timer(0, rr.msec(10))
    late = rr.Timer(offset=timedelta(seconds=1), period="period")
    again = rr.LogicalAction[str](rr.usec(1), min_spacing=rr.nsec(5), policy="drop")
    press = rr.PhysicalAction[float](capacity=3, full="block")
    on, off = rr.Mode(initial=True), rr.Mode()

    def __init__(self, n: int) -> None:
        self.n, self.period = n, rr.sec(1)

    @rr.reaction(rr.startup, tick, uses=again, effects=[out, wide, again, off])
    def go(self) -> None:
        assert_type(self.tag, rr.Tag)
        assert_type(self.tag.time, int)
        assert_type(self.path, str)
        assert_type(self.bank_index, int)
        assert_type(self.lag(), int)
        assert_type(self.physical_elapsed(), int)
        assert_type(self.rng, np.random.Generator)
        assert_type(self.out, rr.Output[int])
        self.out.set(1)
        assert_type(self.out.get(), int | None)
        assert_type(self.wide, OutputMultiport[Array])
        self.wide[0].set(np.zeros(3))
        assert_type(self.again.is_present, bool)
        assert_type(self.again.value, str)
        handle = self.again.schedule("x", delay=timedelta(milliseconds=1))
        assert_type(handle.cancel(), bool)
        assert_type(self.tick.is_present, bool)
        assert_type(self.on.is_active, bool)
        self.off.set()
        self.request_stop()

    @rr.reaction(rr.shutdown, effects=rr.history(on), deadline=rr.msec(3))
    def end(self) -> None:
        pass

    @end.on_deadline_miss
    def too_late(self) -> None:
        pass

    with on:

        @rr.reaction(rr.reset, effects=rr.reset(off))
        def begin(self) -> None:
            pass


class Sink(rr.Reactor):
    inp = rr.Input[int](mutable=True)
    wide = rr.Input[Array](width=3)
    anything = rr.Input(type=dict)

    @rr.reaction(inp, wide, uses=[anything])
    def read(self) -> None:
        assert_type(self.inp, rr.Input[int])
        assert_type(self.inp.value, int)
        assert_type(self.inp.get(), int | None)
        assert_type(self.inp.get(0), int)
        assert_type(self.inp.is_present, bool)
        assert_type(self.wide, InputMultiport[Array])
        assert_type(len(self.wide), int)
        assert_type(self.wide[1].value, Array)
        assert_type(self.wide[:2], tuple[rr.Input[Array], ...])
        assert_type(self.wide.present(), tuple[rr.Input[Array], ...])
        assert_type(iter(self.wide), Iterator[rr.Input[Array]])
        assert_type(self.wide.is_present, bool)


class Main(rr.Reactor):
    def __init__(self) -> None:
        self.source = Source(3)
        self.sinks = rr.Bank(4, Sink)
        self.learner = rr.enclave(Sink(), workers=2, capacity=8)
        assert_type(self.source, Source)
        assert_type(self.learner, Sink)
        assert_type(self.sinks, rr.Bank[Sink])
        assert_type(self.sinks[0], Sink)
        assert_type(self.sinks[1:], tuple[Sink, ...])
        assert_type(len(self.sinks), int)
        assert_type([sink for sink in self.sinks], list[Sink])  # noqa: C416
        self.connect(self.source.out, self.sinks.inp, broadcast=True)
        self.connect(self.source.wide, rr.interleaved(self.sinks.wide), after=0)
        self.connect([self.source.out], [self.learner.inp], after=rr.msec(1), physical=True)
        self.add_reaction(self.watch, [self.source.out], uses=[], effects=self.sinks[0].anything)

    def watch(self) -> None:
        assert_type(self.source.out.value, int)


def outside() -> None:
    report = rr.run(Main(), workers=2, fast=True, seed=1, timeout=rr.sec(1), affinity="spread")
    assert_type(report, rr.RunReport)
    assert_type(report.stop_tag, rr.Tag)
    assert_type(report.reactions, int)
    assert_type(report.trace_hash, str)
    assert_type(report.gil_enabled, bool)
    assert_type(report.wall_time_s, float)
    assert_type([each.path for each in report.enclaves], list[str])
    with rr.Program(Main(), affinity=[0, 1], profile=True, check=True) as program:
        program.start()
        assert_type(program.join(timeout=timedelta(seconds=1)), rr.RunReport | None)
        program.stop()
    assert_type(program.run(), rr.RunReport)
    assert_type(program.graph.to_svg(), str)
    assert_type(program.graph.to_mermaid(), str)
    source = Source(1)
    with source.press.producer() as action:
        assert_type(action, rr.PhysicalAction[Any])
        source.press.schedule(0.5, delay=3)
    try:
        rr.run(source, clock=VirtualClock())
    except rr.CausalityLoopError as error:
        assert_type(error.cycle, list[str])
    except rr.AssemblyError as error:
        assert_type(error.problems, list[str])
    except rr.ReactionError as error:
        assert_type(error.reaction, str)
    assert_type(rr.Tag(1, 0) < rr.Tag(1, 1), bool)
    assert_type(rr.FOREVER, int)


def tested() -> None:
    with Simulation(Sink) as simulation:
        simulation.feed({Sink.inp: 1}, at=rr.sec(1))
        simulation.run()
    assert_deterministic(Main, workers=(1, 2), seed=1)
    for finding in check_reactor(Sink, inputs=[{Sink.inp: 1}]):
        assert_type(finding.advice, str)


def measured() -> None:
    results = broadcast_gather(sizes=(1_000,), actors=(2, 6), peers=("ray",))
    assert_type(results, Results)
    results.plot()
    results.save("results.json")
    assert_type(load("results.json"), Results)
    assert_type(micro(only=("event",), mode="smoke"), Results)
