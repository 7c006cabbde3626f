"""xronos with many reactors at once: fan-out and building. See with_xronos.py."""

import datetime
import threading
import time
from collections.abc import Callable
from typing import Any

import xronos

from ...stopwatch import Stopwatch
from ..work import busy

SOON = datetime.timedelta(microseconds=1)


class Source(xronos.Reactor):
    """Triggers all sinks once a round."""

    out = xronos.OutputPortDeclaration[int]()
    tick = xronos.ProgrammableTimerDeclaration[None]()

    def __init__(self, watch: Stopwatch) -> None:
        super().__init__()
        self.watch = watch
        self.left = watch.lap()

    @xronos.reaction
    def on_tick(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.startup)
        ctx.add_trigger(self.tick)
        out = ctx.add_effect(self.out)
        tick = ctx.add_effect(self.tick)

        def handler() -> None:
            if not self.left:
                self.left = self.watch.lap()
                if not self.left:
                    return
            self.left -= 1
            out.set(0)
            tick.schedule(None, SOON)

        return handler


class Sink(xronos.Reactor):
    """Computes for a fixed number of iterations, or just counts."""

    inp = xronos.InputPortDeclaration[int]()

    def __init__(self, iterations: int) -> None:
        super().__init__()
        self.iterations = iterations
        self.done = 0

    @xronos.reaction
    def work(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.inp)

        def compute() -> None:
            busy(self.iterations)
            self.done += 1

        def count() -> None:
            self.done += 1

        return compute if self.iterations else count


def fan_out(sinks: int, iterations: int, warm: int, rounds: int) -> dict[str, Any]:
    """All sinks ready at one tag."""
    watch = Stopwatch(warm, rounds)
    environment = xronos.Environment(fast=True)
    source = environment.create_reactor("source", Source, watch)
    members = [environment.create_reactor(f"sink_{i}", Sink, iterations) for i in range(sinks)]
    for sink in members:
        environment.connect(source.out, sink.inp)
    environment.execute()
    return watch.reply(sum(sink.done for sink in members))


class Member(xronos.Reactor):
    """Two ports and one reaction."""

    inp = xronos.InputPortDeclaration[int]()
    out = xronos.OutputPortDeclaration[int]()

    @xronos.reaction
    def forward(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inp = ctx.add_trigger(self.inp)
        out = ctx.add_effect(self.out)
        return lambda: out.set(inp.get())


class First(xronos.Reactor):
    """Notes when the first reaction runs."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0

    @xronos.reaction
    def start(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.startup)

        def handler() -> None:
            self.begun = time.perf_counter_ns()

        return handler


def building(reactors: int, chain: int) -> dict[str, Any]:
    """In a thread of its own: for each reactor, xronos looks through the whole stack.

    So the harness's frames, which are no fault of its, are not among them.
    """
    replies: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: replies.append(build(reactors, chain)))
    thread.start()
    thread.join()
    return replies[0]


def build(reactors: int, chain: int) -> dict[str, Any]:
    """Builds and connects the reactors, then starts them."""
    begin = time.perf_counter_ns()
    environment = xronos.Environment(fast=True)
    first = environment.create_reactor("first", First)
    members = [environment.create_reactor(f"member_{i}", Member) for i in range(reactors)]
    for i in range(1, reactors):
        if i % chain:
            environment.connect(members[i - 1].out, members[i].inp)
    built = time.perf_counter_ns()
    environment.execute()
    return {
        "ns": built - begin,
        "rounds": reactors,
        "first_ns": first.begun - built,
        "check": reactors,
    }
