"""xronos: reactors in Python on a C++ runtime; one reaction runs at a time.

Its own idiom: triggers and effects are declared once and closed over by the handler, and the state
that a handler changes is kept in attributes, as in its documentation.
"""

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import xronos
from xronos import experimental

from ...stopwatch import Stopwatch
from ..payload import payload, reply, watch

NOW = datetime.timedelta(0)


class Server(xronos.Reactor):
    """Broadcasts one array and gathers an answer of every client."""

    out = xronos.OutputPortDeclaration[np.ndarray]()

    def __init__(self, stopwatch: Stopwatch, clients: int, value: np.ndarray) -> None:
        super().__init__()
        self.stopwatch = stopwatch
        self.value = value
        self.left = stopwatch.lap()
        self.gathered = 0
        self.newest: list[np.ndarray] = []
        self.inputs = [
            experimental.InputPort[np.ndarray](f"input_{i}", self) for i in range(clients)
        ]

    @xronos.reaction
    def start(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.startup)
        out = ctx.add_effect(self.out)
        return lambda: out.set(self.value)

    @xronos.reaction
    def gather(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inputs = [ctx.add_trigger(port) for port in self.inputs]
        out = ctx.add_effect(self.out)

        def handler() -> None:
            answers = [port.get() for port in inputs]
            self.gathered += len(answers)
            self.left -= 1
            if not self.left:
                self.left = self.stopwatch.lap()
                if not self.left:
                    self.newest = answers
                    return
            out.set(self.value)

        return handler


class Client(xronos.Reactor):
    """Answers with the array that it got."""

    inp = xronos.InputPortDeclaration[np.ndarray]()
    out = xronos.OutputPortDeclaration[np.ndarray]()

    @xronos.reaction
    def answer(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inp = ctx.add_trigger(self.inp)
        out = ctx.add_effect(self.out)
        return lambda: out.set(inp.get())


class CopyingClient(xronos.Reactor):
    """Answers with a copy of its own."""

    inp = xronos.InputPortDeclaration[np.ndarray]()
    out = xronos.OutputPortDeclaration[np.ndarray]()

    @xronos.reaction
    def answer(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inp = ctx.add_trigger(self.inp)
        out = ctx.add_effect(self.out)
        return lambda: out.set(inp.get().copy())


def broadcast_gather(
    clients: int, size: int, copies: bool, warm: int, rounds: int
) -> dict[str, Any]:
    """The measured rounds."""
    stopwatch = watch(warm, rounds)
    environment = xronos.Environment(fast=True)
    server = environment.create_reactor("server", Server, stopwatch, clients, payload(size))
    kind = CopyingClient if copies else Client
    for i, port in enumerate(server.inputs):
        client = environment.create_reactor(f"client_{i}", kind)
        environment.connect(server.out, client.inp, NOW)
        environment.connect(client.out, port)
    environment.execute()
    return reply(stopwatch, server.gathered, server.newest)
