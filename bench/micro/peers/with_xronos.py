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

NOW = datetime.timedelta(0)
SOON = datetime.timedelta(microseconds=1)


class Clock(xronos.Reactor):
    """Schedules its own timer until the watch says stop."""

    tick = xronos.ProgrammableTimerDeclaration[None]()

    def __init__(self, watch: Stopwatch) -> None:
        super().__init__()
        self.watch = watch
        self.left = watch.lap()

    @xronos.reaction
    def on_tick(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.startup)
        ctx.add_trigger(self.tick)
        tick = ctx.add_effect(self.tick)

        def handler() -> None:
            self.left -= 1
            if not self.left:
                self.left = self.watch.lap()
                if not self.left:
                    return
            tick.schedule(None, SOON)

        return handler


def self_scheduling(warm: int, rounds: int) -> dict[str, Any]:
    """One event after the other."""
    watch = Stopwatch(warm, rounds)
    environment = xronos.Environment(fast=True)
    environment.create_reactor("clock", Clock, watch)
    environment.execute()
    return watch.reply(warm + rounds)


class Ping(xronos.Reactor):
    """Sends, and sends again whenever its value has come back."""

    out = xronos.OutputPortDeclaration[int]()
    back = xronos.InputPortDeclaration[int]()

    def __init__(self, watch: Stopwatch) -> None:
        super().__init__()
        self.watch = watch
        self.left = watch.lap()
        self.received = 0

    @xronos.reaction
    def start(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.startup)
        out = ctx.add_effect(self.out)
        return lambda: out.set(0)

    @xronos.reaction
    def on_back(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        back = ctx.add_trigger(self.back)
        out = ctx.add_effect(self.out)

        def handler() -> None:
            self.received = back.get()
            self.left -= 1
            if not self.left:
                self.left = self.watch.lap()
                if not self.left:
                    return
            out.set(self.received)

        return handler


class Pong(xronos.Reactor):
    """Sends back one more than what it got."""

    inp = xronos.InputPortDeclaration[int]()
    out = xronos.OutputPortDeclaration[int]()

    @xronos.reaction
    def on_inp(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inp = ctx.add_trigger(self.inp)
        out = ctx.add_effect(self.out)
        return lambda: out.set(inp.get() + 1)


def ping_pong(warm: int, rounds: int) -> dict[str, Any]:
    """A round trip, delayed by one microstep on one edge."""
    watch = Stopwatch(warm, rounds)
    environment = xronos.Environment(fast=True)
    ping = environment.create_reactor("ping", Ping, watch)
    pong = environment.create_reactor("pong", Pong)
    environment.connect(ping.out, pong.inp, NOW)
    environment.connect(pong.out, ping.back)
    environment.execute()
    return watch.reply(ping.received)


class Server(xronos.Reactor):
    """Broadcasts one object and gathers it from every client."""

    out = xronos.OutputPortDeclaration[np.ndarray]()

    def __init__(self, watch: Stopwatch, clients: int, payload: np.ndarray) -> None:
        super().__init__()
        self.watch = watch
        self.payload = payload
        self.left = watch.lap()
        self.gathered = 0
        self.inputs = [
            experimental.InputPort[np.ndarray](f"input_{i}", self) for i in range(clients)
        ]

    @xronos.reaction
    def start(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.startup)
        out = ctx.add_effect(self.out)
        return lambda: out.set(self.payload)

    @xronos.reaction
    def gather(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inputs = [ctx.add_trigger(port) for port in self.inputs]
        out = ctx.add_effect(self.out)

        def handler() -> None:
            values = [port.get() for port in inputs]
            self.gathered += len(values)
            self.left -= 1
            if not self.left:
                self.left = self.watch.lap()
                if not self.left:
                    return
            out.set(values[0])

        return handler


class Client(xronos.Reactor):
    """Returns the object that it got."""

    inp = xronos.InputPortDeclaration[np.ndarray]()
    out = xronos.OutputPortDeclaration[np.ndarray]()

    @xronos.reaction
    def answer(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inp = ctx.add_trigger(self.inp)
        out = ctx.add_effect(self.out)
        return lambda: out.set(inp.get())


def broadcast_gather(clients: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """One object to all clients by reference, and back."""
    watch = Stopwatch(warm, rounds)
    environment = xronos.Environment(fast=True)
    payload = np.zeros(size, np.uint8)
    server = environment.create_reactor("server", Server, watch, clients, payload)
    for i, port in enumerate(server.inputs):
        client = environment.create_reactor(f"client_{i}", Client)
        environment.connect(server.out, client.inp, NOW)
        environment.connect(client.out, port)
    environment.execute()
    return watch.reply(server.gathered)
