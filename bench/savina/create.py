"""Fork Join, create: 40 000 reactors are made, which do one message each.

The reactors of a program are known before it starts, so a round makes a program and runs it.
"""

from math import sin
from typing import Any

import reactorrl as rr

from ..stopwatch import Stopwatch


class Worker(rr.Reactor):
    """Does its only message."""

    message = rr.Input[None]()

    def __init__(self) -> None:
        self.done = 0

    @rr.reaction(message)
    def on_message(self) -> None:
        self.result = sin(37.2) ** 2
        self.done += 1


class Source(rr.Reactor):
    """One message to everyone."""

    message = rr.Output[None]()

    @rr.reaction(rr.startup, effects=message)
    def send(self) -> None:
        self.message.set(None)


class Create(rr.Reactor):
    """A source and its workers."""

    def __init__(self, n: int) -> None:
        self.source, self.workers = Source(), rr.Bank(n, Worker)
        self.connect(self.source.message, self.workers.message, broadcast=True)


def run(workers: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`size`: reactors."""
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            main = Create(size)
            rr.run(main, workers=workers, fast=True)
            if any(worker.done != 1 for worker in main.workers):
                raise ValueError("a reactor did not do its message")
    return watch.reply(size)
