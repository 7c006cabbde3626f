"""A bank of envs around one server: the shape in which reactors gather experience.

server.go -> clients.go after 0        client.experience -> server.experience[client]
"""

import pickle
from collections.abc import Callable
from typing import Any

import reactorrl as rr

from ..stopwatch import Stopwatch
from .sampler import Hashes, PickledSampler, Sampler


class Rollout(rr.Reactor):
    """One env; answers every round with its next steps."""

    go = rr.Input[int]()
    experience = rr.Output[Any]()

    def __init__(self, make: Callable[[int], Sampler]) -> None:
        self.make = make

    @rr.reaction(rr.startup)
    def make_env(self) -> None:
        self.sampler = self.make(self.bank_index)

    @rr.reaction(go, effects=experience)
    def step(self) -> None:
        self.experience.set(self.sampler.sample())


class Gather(rr.Reactor):
    """Calls for the next steps of all envs, takes them in, and so on."""

    experience = rr.Input[Any](width="envs")
    go = rr.Output[int]()

    def __init__(self, watch: Stopwatch, envs: int, hashes: Hashes | None, pickled: bool) -> None:
        self.pickled = pickled
        self.watch = watch
        self.envs = envs
        self.hashes = hashes
        self.left = watch.lap()

    @rr.reaction(rr.startup, effects=go)
    def start(self) -> None:
        self.go.set(self.left)

    @rr.reaction(experience, effects=go)
    def gather(self) -> None:
        self.newest = [port.value for port in self.experience]
        if self.pickled:
            self.newest = [pickle.loads(sample) for sample in self.newest]
        if self.hashes:
            self.hashes.add_all(self.newest)
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()
            if not self.left:
                return
        self.go.set(self.left)


class Rounds(rr.Reactor):
    """The bank and the server."""

    def __init__(
        self,
        watch: Stopwatch,
        envs: int,
        make: Callable[[int], Sampler],
        hashes: Hashes | None = None,
        *,
        pickled: bool = False,
    ) -> None:
        self.rollouts = rr.Bank(envs, Rollout, make)
        self.gather = Gather(watch, envs, hashes, pickled)
        self.connect(self.gather.go, self.rollouts.go, broadcast=True, after=0)
        self.connect(self.rollouts.experience, self.gather.experience)


def sampling(
    workers: int,
    env: str,
    envs: int,
    steps: int,
    warm: int,
    rounds: int,
    hashed: bool = False,
    pickled: bool = False,
) -> dict[str, Any]:
    """The measured program; `pickled`: with messages as processes have to exchange them."""
    watch, hashes = Stopwatch(warm, rounds), Hashes(envs)
    kind = PickledSampler if pickled else Sampler
    main = Rounds(
        watch,
        envs,
        lambda index: kind(env, index, steps),
        hashes if hashed else None,
        pickled=pickled,
    )
    rr.run(main, workers=workers, fast=True)
    return watch.reply(hashes.of_env)
