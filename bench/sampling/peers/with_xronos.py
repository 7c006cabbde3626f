"""xronos: the same bank of reactors on a runtime that runs one reaction at a time."""

import datetime
from collections.abc import Callable, Sequence
from typing import Any

import xronos
from xronos import experimental

from ...stopwatch import Stopwatch
from ..sampler import Hashes, Sampler

NOW = datetime.timedelta(0)


class Rollout(xronos.Reactor):
    """One env; answers every round with its next steps."""

    go = xronos.InputPortDeclaration[int]()
    experience = xronos.OutputPortDeclaration[Any]()

    def __init__(self, sampler: Sampler) -> None:
        super().__init__()
        self.sampler = sampler

    @xronos.reaction
    def step(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.go)
        experience = ctx.add_effect(self.experience)
        sample = self.sampler.sample
        return lambda: experience.set(sample())


class Gather(xronos.Reactor):
    """Calls for the next steps of all envs, takes them in, and so on."""

    go = xronos.OutputPortDeclaration[int]()

    def __init__(self, watch: Stopwatch, envs: int, hashes: Hashes | None) -> None:
        super().__init__()
        self.watch = watch
        self.hashes = hashes
        self.left = watch.lap()
        self.inputs = [experimental.InputPort[Any](f"input_{i}", self) for i in range(envs)]

    @xronos.reaction
    def start(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        ctx.add_trigger(self.startup)
        go = ctx.add_effect(self.go)
        return lambda: go.set(self.left)

    @xronos.reaction
    def gather(self, ctx: xronos.ReactionContext) -> Callable[[], None]:
        inputs = [ctx.add_trigger(port) for port in self.inputs]
        go = ctx.add_effect(self.go)

        def handler() -> None:
            self.newest = [port.get() for port in inputs]
            if self.hashes:
                self.hashes.add_all(self.newest)
            self.left -= 1
            if not self.left:
                self.left = self.watch.lap()
                if not self.left:
                    return
            go.set(self.left)

        return handler


def sampling(
    env: str, envs: int, steps: int, warm: int, rounds: int, hashed: bool = False
) -> dict[str, Any]:
    """The measured program."""
    watch, hashes = Stopwatch(warm, rounds), Hashes(envs)
    samplers = [Sampler(env, index, steps) for index in range(envs)]
    execute(watch, samplers, hashes if hashed else None)
    return watch.reply(hashes.of_env)


def execute(watch: Stopwatch, samplers: Sequence[Sampler], hashes: Hashes | None = None) -> None:
    """Rounds of a bank and its server until the watch says stop."""
    environment = xronos.Environment(fast=True)
    gather = environment.create_reactor("gather", Gather, watch, len(samplers), hashes)
    for index, (sampler, port) in enumerate(zip(samplers, gather.inputs, strict=True)):
        rollout = environment.create_reactor(f"rollout_{index}", Rollout, sampler)
        environment.connect(gather.go, rollout.go, NOW)
        environment.connect(rollout.experience, port)
    environment.execute()
