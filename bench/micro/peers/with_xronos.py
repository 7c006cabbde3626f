"""xronos: reactors in Python on a C++ runtime; one reaction runs at a time.

Its own idiom: triggers and effects are declared once and closed over by the handler, and the state
that a handler changes is kept in attributes, as in its documentation.
"""

import datetime
from collections.abc import Callable
from typing import Any

import xronos

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
