"""Asynchronous learning with reactors: updates are applied as they arrive, in logical time."""

from typing import Any

import numpy as np

import reactorrl as rr

from ..stopwatch import Stopwatch
from .parts import N_ACTORS, N_UPDATES, Actor, first_weights, sha256_of, updated


class Worker(rr.Reactor):
    """Answers weights with a gradient, after a logical time of its own choice."""

    weights = rr.Input[np.ndarray]()
    gradient = rr.Output[np.ndarray]()
    done = rr.LogicalAction[np.ndarray]()

    def __init__(self, longest_s: float) -> None:
        self.actor = Actor(self.bank_index, longest_s)

    @rr.reaction(weights, effects=done)
    def compute(self) -> None:
        takes = rr.usec(int(self.rng.integers(50, 250)))
        self.done.schedule(self.actor.gradient(self.weights.value), delay=takes)

    @rr.reaction(done, effects=gradient)
    def send(self) -> None:
        self.gradient.set(self.done.value)


class Learner(rr.Reactor):
    """Applies every gradient at once, and sends its worker the new weights."""

    gradients = rr.Input[np.ndarray](width=N_ACTORS)
    weights = rr.Output[np.ndarray](width=N_ACTORS)

    def __init__(self) -> None:
        self.latest = first_weights()
        self.updates = 0

    @rr.reaction(rr.startup, effects=weights)
    def start(self) -> None:
        for channel in self.weights:
            channel.set(self.latest)

    @rr.reaction(gradients, effects=weights)
    def learn(self) -> None:
        for channel in self.gradients.present():
            self.latest = updated(self.latest, channel.value)
            self.weights[channel.index].set(self.latest)
            self.updates += 1
            if self.updates == N_UPDATES:
                self.request_stop()
                return


class Asynchronous(rr.Reactor):
    """Workers that never wait for each other."""

    def __init__(self, longest_s: float) -> None:
        self.learner = Learner()
        self.workers = rr.Bank(N_ACTORS, Worker, longest_s)
        self.connect(self.learner.weights, self.workers.weights)
        self.connect(self.workers.gradient, self.learner.gradients, after=0)


def outcomes(workers: int, longest_s: float, runs: int) -> dict[str, Any]:
    """The hashes of the weights of so many runs."""
    watch = Stopwatch(1, runs)
    hashes = []
    while left := watch.lap():
        for _ in range(left):
            main = Asynchronous(longest_s)
            rr.run(main, workers=workers, fast=True, seed=1)
            hashes.append(sha256_of(main.learner.latest))
    return watch.reply(None, hashes=hashes)
