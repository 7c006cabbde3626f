"""Plain threads on the same interpreter: with a barrier per round, and, as the limit, with none."""

import threading
from typing import Any

import numpy as np

from ...shares import in_threads
from ...stopwatch import Stopwatch
from .plain import Client, Sink


class BarrierPool:
    """Clients divided among persistent threads that meet twice a round.

    The calling thread takes the first share itself, so that two threads need one hand-over there
    and one back, which is the least that this idiom can do.
    """

    def __init__(self, clients: int, threads: int) -> None:
        members = [Client() for _ in range(clients)]
        self.shares = [members[i::threads] for i in range(threads)]
        self.results: list[list[np.ndarray]] = [[] for _ in range(threads)]
        self.payload: np.ndarray | None = None
        self.begin = threading.Barrier(threads)
        self.end = threading.Barrier(threads)
        self.threads = [
            threading.Thread(target=self.serve, args=(i,), daemon=True) for i in range(1, threads)
        ]
        for thread in self.threads:
            thread.start()

    def answer(self, share: int) -> None:
        """The reactions of one thread's clients."""
        value = self.payload
        assert value is not None
        self.results[share] = [client.answer(value) for client in self.shares[share]]

    def serve(self, share: int) -> None:
        """A thread's life; a payload of None ends it."""
        while True:
            self.begin.wait()
            if self.payload is None:
                return
            self.answer(share)
            self.end.wait()

    def round(self, value: np.ndarray) -> list[np.ndarray]:
        """Broadcasts and gathers."""
        self.payload = value
        self.begin.wait()
        self.answer(0)
        self.end.wait()
        return [answer for share in self.results for answer in share]

    def close(self) -> None:
        """Ends the threads."""
        self.payload = None
        self.begin.wait()
        for thread in self.threads:
            thread.join()


def broadcast_gather(
    clients: int, size: int, threads: int, warm: int, rounds: int
) -> dict[str, Any]:
    """One object to all clients by reference, and back."""
    watch = Stopwatch(warm, rounds)
    pool = BarrierPool(clients, threads)
    value = np.zeros(size, np.uint8)
    gathered = 0
    while left := watch.lap():
        for _ in range(left):
            values = pool.round(value)
            gathered += len(values)
            value = values[0]
    pool.close()
    return watch.reply(gathered)


def fan_out_unsynchronised(
    sinks: int, iterations: int, threads: int, warm: int, rounds: int
) -> dict[str, Any]:
    """The limit: every thread runs its share of all rounds without ever meeting the others."""

    def make(number: int) -> list[Sink]:
        return [Sink(iterations) for _ in range(number, sinks, threads)]

    def run(share: list[Sink], rounds: int) -> None:
        for _ in range(rounds):
            for sink in share:
                sink.work()

    watch, shares = in_threads(threads, make, run, warm, rounds, meets=False)
    return watch.reply(sum(sink.done for share in shares for sink in share))
