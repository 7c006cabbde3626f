"""Plain threads on the same interpreter: with a barrier per round, and, as the limit, with none."""

import threading
from typing import Any

import numpy as np

from ...shares import in_threads
from ..payload import payload, reply, watch
from .plain import members


class BarrierPool:
    """Clients divided among persistent threads that meet twice a round.

    The calling thread takes the first share itself, so that two threads need one hand-over there
    and one back, which is the least that this idiom can do. Each thread drops what it made in the
    round before, whose memory it then has at hand.
    """

    def __init__(self, clients: int, copies: bool, threads: int) -> None:
        there = members(clients, copies)
        self.shares = [there[i::threads] for i in range(threads)]
        self.results: list[list[np.ndarray]] = [[] for _ in range(threads)]
        self.value: np.ndarray | None = None
        self.begin = threading.Barrier(threads)
        self.end = threading.Barrier(threads)
        self.threads = [
            threading.Thread(target=self.serve, args=(i,), daemon=True) for i in range(1, threads)
        ]
        for thread in self.threads:
            thread.start()

    def answer(self, share: int) -> None:
        """The reactions of one thread's clients."""
        value, results = self.value, self.results[share]
        assert value is not None
        results.clear()
        results += [client.answer(value) for client in self.shares[share]]

    def serve(self, share: int) -> None:
        """A thread's life; no value ends it."""
        while True:
            self.begin.wait()
            if self.value is None:
                return
            self.answer(share)
            self.end.wait()

    def round(self, value: np.ndarray) -> int:
        """Broadcasts, gathers, and looks at all answers."""
        self.value = value
        self.begin.wait()
        self.answer(0)
        self.end.wait()
        return len([answer for share in self.results for answer in share])

    def close(self) -> None:
        """Ends the threads."""
        self.value = None
        self.begin.wait()
        for thread in self.threads:
            thread.join()


def broadcast_gather(
    clients: int, size: int, copies: bool, threads: int, warm: int, rounds: int
) -> dict[str, Any]:
    """What one writes by hand."""
    stopwatch, value, gathered = watch(warm, rounds), payload(size), 0
    pool = BarrierPool(clients, copies, threads)
    while left := stopwatch.lap():
        for _ in range(left):
            gathered += pool.round(value)
    pool.close()
    answers = [answer for share in pool.results for answer in share]
    return reply(stopwatch, gathered, answers)


class Copier:
    """One thread's copies, made in every round into the same memory."""

    def __init__(self, value: np.ndarray, clients: int) -> None:
        self.value = value
        self.answers = [np.empty_like(value) for _ in range(clients)]
        self.made = 0

    def run(self, rounds: int) -> None:
        """Nothing but copies."""
        for _ in range(rounds):
            for answer in self.answers:
                np.copyto(answer, self.value)
            self.made += len(self.answers)


def copying(clients: int, size: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """The limit of the copies: each thread makes its share of all rounds and meets nobody."""
    value = payload(size)

    def make(number: int) -> Copier:
        return Copier(value, len(range(number, clients, threads)))

    stopwatch, shares = in_threads(threads, make, Copier.run, warm, rounds, meets=False)
    answers = [answer for share in shares for answer in share.answers]
    return reply(stopwatch, sum(share.made for share in shares), answers)
