"""Ping Pong: two reactors send a message to and fro, 1 000 000 times."""

from typing import Any

import reactorrl as rr

from .runner import Benchmark, measured


class Ping(rr.Reactor):
    """Sends, and again whenever it is answered."""

    start, pong = rr.Input[Any](), rr.Input[int]()
    ping, finished = rr.Output[int](), rr.Output[int]()

    def __init__(self, pings: int) -> None:
        self.pings = pings

    @rr.reaction(start, effects=ping)
    def begin(self) -> None:
        self.sent = 1
        self.ping.set(1)

    @rr.reaction(pong, effects=(ping, finished))
    def on_pong(self) -> None:
        if self.sent == self.pings:
            self.finished.set(self.pong.value)
        else:
            self.sent += 1
            self.ping.set(self.sent)


class Pong(rr.Reactor):
    """Answers."""

    ping, pong = rr.Input[int](), rr.Output[int]()

    @rr.reaction(ping, effects=pong)
    def on_ping(self) -> None:
        self.pong.set(self.ping.value)


class PingPong(Benchmark):
    """The loop takes a microstep."""

    def __init__(self, pings: int) -> None:
        self.ping, self.pong = Ping(pings), Pong()
        self.connect(self.start, self.ping.start)
        self.connect(self.ping.ping, self.pong.ping)
        self.connect(self.pong.pong, self.ping.pong, after=0)
        self.connect(self.ping.finished, self.finished)


def run(workers: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`size`: messages each way."""
    return measured(PingPong(size), size, workers, warm, rounds)
