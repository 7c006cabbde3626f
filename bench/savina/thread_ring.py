"""Thread Ring: a token goes round a ring of 100 reactors, 100 000 hops."""

from typing import Any

import reactorrl as rr

from .runner import Benchmark, measured

N_REACTORS = 100


class Member(rr.Reactor):
    """Passes the token on, one less; the last hop ends here."""

    token, following = rr.Input[int](), rr.Output[int]()
    finished = rr.Output[int]()

    @rr.reaction(token, effects=(following, finished))
    def on_token(self) -> None:
        left = self.token.value
        if left:
            self.following.set(left - 1)
        else:
            self.finished.set(self.bank_index)


class Opener(rr.Reactor):
    """Puts the token into the ring, and closes the ring; not a hop."""

    start, token, ended = rr.Input[Any](), rr.Input[int](), rr.Input[int](width=N_REACTORS)
    following, finished = rr.Output[int](), rr.Output[int]()

    def __init__(self, hops: int) -> None:
        self.hops = hops

    @rr.reaction(start, token, effects=following)
    def pass_on(self) -> None:
        self.following.set(self.hops if self.start.is_present else self.token.value)

    @rr.reaction(ended, effects=finished)
    def on_end(self) -> None:
        self.finished.set(self.ended.present()[0].value)


class ThreadRing(Benchmark):
    """A whole turn is one tag; the delay is where the ring closes."""

    def __init__(self, hops: int) -> None:
        self.opener = Opener(hops)
        self.members = rr.Bank(N_REACTORS, Member)
        self.connect(self.start, self.opener.start)
        self.connect([self.opener.following, *self.members.following[:-1]], self.members.token)
        self.connect(self.members.following[-1], self.opener.token, after=0)
        self.connect(self.members.finished, self.opener.ended)
        self.connect(self.opener.finished, self.finished)


def run(workers: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`size`: hops."""
    return measured(ThreadRing(size), size % N_REACTORS, workers, warm, rounds)
