"""Counting: one reactor sends 1 000 000 messages, another counts them and tells."""

from typing import Any

import reactorrl as rr

from .runner import Benchmark, measured


class Producer(rr.Reactor):
    """Sends a message at each microstep, then asks for the count."""

    start, count = rr.Input[Any](), rr.Input[int]()
    increment, retrieve, finished = rr.Output[None](), rr.Output[None](), rr.Output[int]()
    following = rr.LogicalAction[None]()

    def __init__(self, messages: int) -> None:
        self.messages = messages

    @rr.reaction(start, following, effects=(increment, retrieve, following))
    def send(self) -> None:
        if self.start.is_present:
            self.left = self.messages
        if self.left:
            self.left -= 1
            self.increment.set(None)
            self.following.schedule()
        else:
            self.retrieve.set(None)

    @rr.reaction(count, effects=finished)
    def on_count(self) -> None:
        self.finished.set(self.count.value)


class Counter(rr.Reactor):
    """Counts until it is asked."""

    increment, retrieve, count = rr.Input[None](), rr.Input[None](), rr.Output[int]()

    def __init__(self) -> None:
        self.counted = 0

    @rr.reaction(increment)
    def on_increment(self) -> None:
        self.counted += 1

    @rr.reaction(retrieve, effects=count)
    def on_retrieve(self) -> None:
        self.count.set(self.counted)
        self.counted = 0


class Counting(Benchmark):
    """A producer and a counter."""

    def __init__(self, messages: int) -> None:
        self.producer, self.counter = Producer(messages), Counter()
        self.connect(self.start, self.producer.start)
        self.connect(self.producer.increment, self.counter.increment)
        self.connect(self.producer.retrieve, self.counter.retrieve)
        self.connect(self.counter.count, self.producer.count)
        self.connect(self.producer.finished, self.finished)


def run(workers: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`size`: messages."""
    return measured(Counting(size), size, workers, warm, rounds)
