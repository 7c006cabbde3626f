"""Ray: actors in processes, and `ray.wait` for whichever gradient is ready first."""

import logging
import os
from functools import cache
from typing import Any

# Read by Ray when it is imported.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import numpy as np
import ray

from ...stopwatch import Stopwatch
from ..parts import N_ACTORS, N_UPDATES, Actor, first_weights, sha256_of, updated


@ray.remote(num_cpus=0)
class Worker:
    """An actor of the learning program in an actor of Ray."""

    def begin(self, index: int, longest_s: float) -> None:
        """A run begins."""
        self.actor = Actor(index, longest_s)

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """Answers weights with a gradient."""
        return self.actor.gradient(weights)


@cache
def started() -> list[Any]:
    """The cluster and the actors live as long as this process."""
    ray.init(
        num_cpus=os.cpu_count(),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    return [Worker.remote() for _ in range(N_ACTORS)]


def learned(longest_s: float) -> np.ndarray:
    """The weights after one run."""
    members = started()
    ray.get([member.begin.remote(index, longest_s) for index, member in enumerate(members)])
    weights = first_weights()
    pending = {member.gradient.remote(weights): member for member in members}
    for _ in range(N_UPDATES):
        (ready,), _ = ray.wait(list(pending), num_returns=1)
        member = pending.pop(ready)
        weights = updated(weights, ray.get(ready))
        pending[member.gradient.remote(weights)] = member
    ray.wait(list(pending), num_returns=len(pending))
    return weights


def outcomes(longest_s: float, runs: int) -> dict[str, Any]:
    """The hashes of the weights of so many runs."""
    watch = Stopwatch(1, runs)
    hashes = []
    while left := watch.lap():
        hashes += [sha256_of(learned(longest_s)) for _ in range(left)]
    return watch.reply(None, hashes=hashes)


def close() -> None:
    """Ends the cluster."""
    ray.shutdown()
