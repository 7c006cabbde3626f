"""No runtime at all: what the same bodies cost in a plain loop, without levels, ports or workers.

Floors rather than peers: a program that needs nothing of a runtime is written like this.
"""

import heapq
from collections.abc import Callable
from typing import Any

from ...stopwatch import Stopwatch
from ..work import busy


class Clock:
    """The state and body of the self-scheduling reaction, on a bare event heap."""

    def __init__(self, watch: Stopwatch) -> None:
        self.watch = watch
        self.left = watch.lap()
        self.time = 0
        self.serial = 0
        self.heap: list[tuple[int, int, Callable[[], None]]] = []

    def schedule(self, delay: int) -> None:
        """One more event; the serial number keeps ties in order."""
        self.serial += 1
        heapq.heappush(self.heap, (self.time + delay, self.serial, self.on_tick))

    def on_tick(self) -> None:
        """The reaction."""
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()
            if not self.left:
                return
        self.schedule(1000)

    def run(self) -> None:
        """The loop of a one-line scheduler."""
        heap, pop = self.heap, heapq.heappop
        while heap:
            self.time, _, body = pop(heap)
            body()


def self_scheduling(warm: int, rounds: int) -> dict[str, Any]:
    """One event after the other through `heapq`."""
    watch = Stopwatch(warm, rounds)
    clock = Clock(watch)
    clock.schedule(0)
    clock.run()
    return watch.reply(warm + rounds)


class Sink:
    """Computes for a fixed number of iterations, or just counts."""

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations
        self.done = 0

    def work(self) -> None:
        """The reaction, with the same choice of bodies as on the other sides."""
        if self.iterations:
            busy(self.iterations)
        self.done += 1


def fan_out(sinks: int, iterations: int, warm: int, rounds: int) -> dict[str, Any]:
    """All sinks, one after the other."""
    watch = Stopwatch(warm, rounds)
    members = [Sink(iterations) for _ in range(sinks)]
    while left := watch.lap():
        for _ in range(left):
            for sink in members:
                sink.work()
    return watch.reply(sum(sink.done for sink in members))
