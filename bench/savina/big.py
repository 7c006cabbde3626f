"""Big: each of 120 reactors sends 20 000 pings to others at random, one after each pong."""

from typing import Any

import numpy as np

import reactorrl as rr

from .runner import Benchmark, measured

N_REACTORS = 120


class Member(rr.Reactor):
    """Connected with everyone, itself among them."""

    start, finished = rr.Input[Any](), rr.Output[int]()
    pings, pongs = rr.Input[int](width=N_REACTORS), rr.Input[int](width=N_REACTORS)
    ping, pong = rr.Output[int](width=N_REACTORS), rr.Output[int](width=N_REACTORS)
    following = rr.LogicalAction[None]()

    def __init__(self, pings: int) -> None:
        rng = np.random.default_rng(self.bank_index)
        self.receivers = rng.integers(N_REACTORS, size=pings).tolist()

    @rr.reaction(start, following, effects=ping)
    def send(self) -> None:
        if self.start.is_present:
            self.sent = self.answers = 0
        self.ping[self.receivers[self.sent]].set(self.sent)
        self.sent += 1

    @rr.reaction(pings, effects=pong)
    def on_pings(self) -> None:
        for channel in self.pings.present():
            self.pong[channel.index].set(channel.value)

    @rr.reaction(pongs, effects=(following, finished))
    def on_pong(self) -> None:
        self.answers += 1
        if self.sent == len(self.receivers):
            self.finished.set(self.answers)
        else:
            self.following.schedule()


class Sink(rr.Reactor):
    """All of them finish at one tag."""

    counts, finished = rr.Input[int](width=N_REACTORS), rr.Output[int]()

    @rr.reaction(counts, effects=finished)
    def on_counts(self) -> None:
        self.finished.set(sum(channel.value for channel in self.counts))


class Big(Benchmark):
    """Everyone to everyone."""

    def __init__(self, pings: int) -> None:
        self.members, self.sink = rr.Bank(N_REACTORS, Member, pings), Sink()
        self.connect(self.start, self.members.start, broadcast=True)
        self.connect(self.members.ping, rr.interleaved(self.members.pings))
        self.connect(self.members.pong, rr.interleaved(self.members.pongs))
        self.connect(self.members.finished, self.sink.counts)
        self.connect(self.sink.finished, self.finished)


def run(workers: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`size`: pings of each reactor."""
    return measured(Big(size), size * N_REACTORS, workers, warm, rounds)
