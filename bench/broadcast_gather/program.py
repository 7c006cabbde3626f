"""Ours: the shape of every synchronous training loop.

A server sends one array to a bank of clients, each answers, and the server takes in all answers.
What is sent is never copied, unless a client does.
"""

from typing import Any

import numpy as np

import reactorrl as rr

from ..stopwatch import Stopwatch
from .payload import payload, reply, watch


class Server(rr.Reactor):
    """Broadcasts one array and gathers an answer of every client."""

    answers = rr.Input[np.ndarray](width="clients")
    out = rr.Output[np.ndarray]()

    def __init__(self, stopwatch: Stopwatch, clients: int, value: np.ndarray) -> None:
        self.stopwatch = stopwatch
        self.clients = clients
        self.value = value
        self.left = stopwatch.lap()
        self.gathered = 0
        self.newest: list[np.ndarray] = []

    @rr.reaction(rr.startup, effects=out)
    def start(self) -> None:
        self.out.set(self.value)

    @rr.reaction(answers, effects=out)
    def gather(self) -> None:
        answers = [port.value for port in self.answers]
        self.gathered += len(answers)
        self.left -= 1
        if not self.left:
            self.left = self.stopwatch.lap()
            if not self.left:
                self.newest = answers
                return
        self.out.set(self.value)


class Client(rr.Reactor):
    """Answers with the array that it got."""

    inp = rr.Input[np.ndarray]()
    out = rr.Output[np.ndarray]()

    @rr.reaction(inp, effects=out)
    def answer(self) -> None:
        self.out.set(self.inp.value)


class CopyingClient(rr.Reactor):
    """Answers with a copy of its own: what an input that may be written into has got."""

    inp = rr.Input[np.ndarray](mutable=True)
    out = rr.Output[np.ndarray]()

    @rr.reaction(inp, effects=out)
    def answer(self) -> None:
        self.out.set(self.inp.value)


class CallingClient(rr.Reactor):
    """Answers with a copy that it makes itself, in fresh memory."""

    inp = rr.Input[np.ndarray]()
    out = rr.Output[np.ndarray]()

    @rr.reaction(inp, effects=out)
    def answer(self) -> None:
        self.out.set(self.inp.value.copy())


class Star(rr.Reactor):
    """A server and a bank of clients."""

    def __init__(self, server: Server, client: type[rr.Reactor]) -> None:
        self.server = server
        self.clients = rr.Bank(server.clients, client)
        self.connect(self.server.out, self.clients.inp, broadcast=True, after=0)
        self.connect(self.clients.out, self.server.answers)


def broadcast_gather(
    workers: int, clients: int, size: int, copies: bool, warm: int, rounds: int, calls: bool = False
) -> dict[str, Any]:
    """The measured rounds. `calls`: the copies are calls of `copy`, as a single client's must be.

    The only reader of a value would get the array itself.
    """
    stopwatch = watch(warm, rounds)
    server = Server(stopwatch, clients, payload(size))
    client = (CallingClient if calls or clients == 1 else CopyingClient) if copies else Client
    rr.run(Star(server, client), workers=workers, fast=True)
    return reply(stopwatch, server.gathered, server.newest)
