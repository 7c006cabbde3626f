"""Chameneos: 100 creatures meet in pairs at a mall and change their colours, 200 000 meetings.

Who meets whom is the order in which they came in an actor's mailbox; here the mall pairs those that
are present at a tag in the order of their numbers, as the version of Lingua Franca does.
"""

from typing import Any

import reactorrl as rr

from .runner import Benchmark, measured

N_CREATURES = 100
N_COLOURS = 3
EXIT = (-1, -1)


class Mall(rr.Reactor):
    """Pairs creatures; when all meetings are held it sends them home, and adds up what they say."""

    start = rr.Input[Any]()
    arrivals = rr.Input[tuple[int, int]](width=N_CREATURES)
    counts = rr.Input[int](width=N_CREATURES)
    meet = rr.Output[tuple[int, int]](width=N_CREATURES)
    begin, finished = rr.Output[None](), rr.Output[int]()
    pair = rr.LogicalAction[None]()

    def __init__(self, meetings: int) -> None:
        self.meetings = meetings
        self.present: dict[int, tuple[int, int]] = {}

    @rr.reaction(start, effects=begin)
    def on_start(self) -> None:
        self.left, self.home, self.total = self.meetings, 0, 0
        self.begin.set(None)

    @rr.reaction(pair, effects=meet)
    def on_pair(self) -> None:
        waiting = None
        for index in sorted(self.present):
            if not self.left:
                self.meet[index].set(EXIT)
                del self.present[index]
            elif waiting is None:
                waiting = index
            else:
                self.left -= 1
                self.meet[waiting].set(self.present.pop(index))
                del self.present[waiting]
                waiting = None

    @rr.reaction(arrivals, effects=pair)
    def on_arrivals(self) -> None:
        for channel in self.arrivals.present():
            self.present[channel.index] = channel.value
        self.pair.schedule()

    @rr.reaction(counts, effects=finished)
    def on_counts(self) -> None:
        for channel in self.counts.present():
            self.total += channel.value
            self.home += 1
        if self.home == N_CREATURES:
            self.finished.set(self.total)


class Creature(rr.Reactor):
    """Takes the colour that neither of two has who differ."""

    begin = rr.Input[None]()
    meet = rr.Input[tuple[int, int]]()
    changes = rr.Input[int](width=N_CREATURES)
    change = rr.Output[int](width=N_CREATURES)
    arrival, count = rr.Output[tuple[int, int]](), rr.Output[int]()

    @rr.reaction(begin, effects=arrival)
    def on_begin(self) -> None:
        self.colour, self.meetings = self.bank_index % N_COLOURS, 0
        self.arrival.set((self.colour, self.bank_index))

    @rr.reaction(meet, effects=(arrival, change, count))
    def on_meet(self) -> None:
        other, index = self.meet.value
        if index < 0:
            self.count.set(self.meetings)
            return
        if other != self.colour:
            self.colour = N_COLOURS - self.colour - other
        self.change[index].set(self.colour)
        self.come_back()

    @rr.reaction(changes, effects=arrival)
    def on_change(self) -> None:
        self.colour = self.changes.present()[0].value
        self.come_back()

    def come_back(self) -> None:
        self.meetings += 1
        self.arrival.set((self.colour, self.bank_index))


class Chameneos(Benchmark):
    """A mall, and creatures that know each other."""

    def __init__(self, meetings: int) -> None:
        self.mall, self.creatures = Mall(meetings), rr.Bank(N_CREATURES, Creature)
        self.connect(self.start, self.mall.start)
        self.connect(self.mall.begin, self.creatures.begin, broadcast=True)
        self.connect(self.mall.meet, self.creatures.meet)
        self.connect(self.creatures.change, rr.interleaved(self.creatures.changes))
        self.connect(self.creatures.arrival, self.mall.arrivals)
        self.connect(self.creatures.count, self.mall.counts)
        self.connect(self.mall.finished, self.finished)


def run(workers: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`size`: meetings."""
    return measured(Chameneos(size), 2 * size, workers, warm, rounds)
