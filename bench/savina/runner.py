"""Runs a benchmark again and again in one program, as Lingua Franca's versions of Savina do."""

from typing import Any

import reactorrl as rr

from ..stopwatch import Stopwatch


class Benchmark(rr.Reactor):
    """Starts on `start`, which is always a new tag; sends what it found out when it is done."""

    start = rr.Input[Any]()
    finished = rr.Output[Any]()


class Runner(rr.Reactor):
    """Starts the benchmark whenever it has finished, until the watch says stop."""

    finished = rr.Input[Any]()
    start = rr.Output[Any]()

    def __init__(self, watch: Stopwatch, expected: int) -> None:
        self.watch = watch
        self.expected = expected
        self.left = watch.lap()

    @rr.reaction(rr.startup, effects=start)
    def begin(self) -> None:
        self.start.set(None)

    @rr.reaction(finished, effects=start)
    def again(self) -> None:
        if self.finished.value != self.expected:
            raise ValueError(f"{self.finished.value}, not {self.expected}")
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()
        if self.left:
            self.start.set(None)


class Suite(rr.Reactor):
    """The runner and the benchmark."""

    def __init__(self, watch: Stopwatch, benchmark: Benchmark, expected: int) -> None:
        self.runner = Runner(watch, expected)
        self.benchmark = benchmark
        self.connect(self.runner.start, self.benchmark.start, after=0)
        self.connect(self.benchmark.finished, self.runner.finished)


def measured(
    benchmark: Benchmark, expected: int, workers: int, warm: int, rounds: int
) -> dict[str, Any]:
    """A round is a whole run of the benchmark; each must find out what is expected."""
    watch = Stopwatch(warm, rounds)
    report = rr.run(Suite(watch, benchmark, expected), workers=workers, fast=True)
    return watch.reply(report.trace_hash)
