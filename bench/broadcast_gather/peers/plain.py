"""No runtime at all: what the same bodies cost in a plain loop, without levels, ports or workers.

A floor rather than a peer: a program that needs nothing of a runtime is written like this.
"""

from typing import Any

import numpy as np

from ..payload import payload, reply, watch


class Client:
    """Returns what it got."""

    def answer(self, value: np.ndarray) -> np.ndarray:
        """The reaction."""
        return value


class CopyingClient(Client):
    """Returns a copy."""

    def answer(self, value: np.ndarray) -> np.ndarray:
        """The reaction."""
        return value.copy()


def members(clients: int, copies: bool) -> list[Client]:
    """So many of a kind."""
    return [CopyingClient() if copies else Client() for _ in range(clients)]


def broadcast_gather(
    clients: int, size: int, copies: bool, warm: int, rounds: int
) -> dict[str, Any]:
    """One call a client and round."""
    stopwatch, value, gathered = watch(warm, rounds), payload(size), 0
    there = members(clients, copies)
    answers: list[np.ndarray] = []
    while left := stopwatch.lap():
        for _ in range(left):
            answers.clear()
            answers += [client.answer(value) for client in there]
            gathered += len(answers)
    return reply(stopwatch, gathered, answers)
