"""xronos: the same two programs; one reaction runs at a time."""

import datetime
from collections.abc import Callable
from typing import Any

import xronos
from xronos import experimental

from ..course import Course

NOW = datetime.timedelta(0)


class Server(xronos.Reactor):
    """Sends a number to all, takes their answers in, and so on."""

    out = xronos.OutputPortDeclaration[list[int]]()

    def __init__(self, course: Course, clients: int) -> None:
        super().__init__()
        self.course = course
        self.left = course.lap()
        self.received = 0
        self.inputs = [experimental.InputPort[list[int]](f"in_{i}", self) for i in range(clients)]

    @xronos.reaction
    def start(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.startup)
        out = ctx.add_effect(self.out)
        return lambda: out.set([0])

    @xronos.reaction
    def gather(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inputs = [ctx.add_trigger(port) for port in self.inputs]
        out = ctx.add_effect(self.out)

        def handler() -> None:
            self.received += len([port.get() for port in inputs])
            self.left -= 1
            if not self.left:
                self.left = self.course.lap()
                if not self.left:
                    return
            out.set([self.received])

        return handler


class Client(xronos.Reactor):
    """Answers with the same number in a message of its own."""

    inp = xronos.InputPortDeclaration[list[int]]()
    out = xronos.OutputPortDeclaration[list[int]]()

    @xronos.reaction
    def answer(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inp = ctx.add_trigger(self.inp)
        out = ctx.add_effect(self.out)
        return lambda: out.set([inp.get()[0]])


def talk(clients: int, rounds: int) -> dict[str, Any]:
    """Messages of one number."""
    course = Course(rounds)
    environment = xronos.Environment(fast=True)
    server = environment.create_reactor("server", Server, course, clients)
    for i, port in enumerate(server.inputs):
        client = environment.create_reactor(f"client_{i}", Client)
        environment.connect(server.out, client.inp, NOW)
        environment.connect(client.out, port)
    environment.execute()
    return course.reply(server.received)


def sampling(env: str, envs: int, rounds: int) -> dict[str, Any]:
    """One step of each env per round."""
    from ...sampling.peers.with_xronos import execute  # noqa: PLC0415 - `talk` needs no Gymnasium
    from ...sampling.sampler import TimedSampler  # noqa: PLC0415

    samplers = [TimedSampler(env, index, 1) for index in range(envs)]
    course = Course(rounds, lambda: sum(sampler.spent for sampler in samplers))
    execute(course, samplers)
    return course.reply(0)
