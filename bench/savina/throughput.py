"""Fork Join, throughput: 10 000 messages to each of 60 reactors, which compute a sine."""

from math import sin
from typing import Any

import reactorrl as rr

from .runner import Benchmark, measured

N_WORKERS = 60


class Producer(rr.Reactor):
    """A message to all at each microstep; one more when all have done."""

    start, message = rr.Input[Any](), rr.Output[None]()
    last = rr.Output[None]()
    following = rr.LogicalAction[None]()

    def __init__(self, messages: int) -> None:
        self.messages = messages

    @rr.reaction(start, following, effects=(message, last, following))
    def send(self) -> None:
        if self.start.is_present:
            self.left = self.messages
        if self.left:
            self.left -= 1
            self.message.set(None)
            self.following.schedule()
        else:
            self.last.set(None)


class Worker(rr.Reactor):
    """Computes for each message."""

    message, last, count = rr.Input[None](), rr.Input[None](), rr.Output[int]()

    def __init__(self) -> None:
        self.received = 0

    @rr.reaction(message)
    def on_message(self) -> None:
        self.result = sin(37.2) ** 2
        self.received += 1

    @rr.reaction(last, effects=count)
    def on_last(self) -> None:
        self.count.set(self.received)
        self.received = 0


class Sink(rr.Reactor):
    """Adds up."""

    counts, finished = rr.Input[int](width=N_WORKERS), rr.Output[int]()

    @rr.reaction(counts, effects=finished)
    def on_counts(self) -> None:
        self.finished.set(sum(channel.value for channel in self.counts))


class Throughput(Benchmark):
    """A producer, workers and a sink."""

    def __init__(self, messages: int) -> None:
        self.producer, self.sink = Producer(messages), Sink()
        self.workers = rr.Bank(N_WORKERS, Worker)
        self.connect(self.start, self.producer.start)
        self.connect(self.producer.message, self.workers.message, broadcast=True)
        self.connect(self.producer.last, self.workers.last, broadcast=True)
        self.connect(self.workers.count, self.sink.counts)
        self.connect(self.sink.finished, self.finished)


def run(workers: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`size`: messages to each worker."""
    return measured(Throughput(size), size * N_WORKERS, workers, warm, rounds)
