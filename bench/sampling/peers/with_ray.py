"""Ray, tuned: as many actors as processors with several envs each, whole trajectories per call.

The weights are `put` once and referred to; trajectories come back as NumPy arrays; actors reserve
no processors and nothing is logged to the driver.
"""

import logging
import os
from functools import cache
from typing import Any

# Read by Ray when it is imported.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray

from ...stopwatch import Stopwatch
from ..sampler import Sampler, digest, fixed_weights


@ray.remote(num_cpus=0)
class Actor:
    """Several envs in a process."""

    def __init__(self, indices: list[int], steps: int) -> None:
        self.samplers = [Sampler(index, steps) for index in indices]

    def roll_out(self, weights: Any) -> list[Any]:
        """One trajectory of each env."""
        return [sampler.roll_out(weights) for sampler in self.samplers]


@cache
def start() -> None:
    """The cluster lives as long as this process: starting it is not measured."""
    ray.init(
        num_cpus=os.cpu_count(),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def sampling(envs: int, steps: int, actors: int, warm: int, rounds: int) -> dict[str, Any]:
    """One round: the weights go out as a reference, all trajectories come back."""
    start()
    shares = [list(range(first, envs, actors)) for first in range(actors)]
    members = [Actor.remote(share, steps) for share in shares]
    weights = ray.put(fixed_weights())
    checks = [0] * envs
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            answers = ray.get([actor.roll_out.remote(weights) for actor in members])
            for share, answer in zip(shares, answers, strict=True):
                for index, trajectory in zip(share, answer, strict=True):
                    checks[index] = digest(checks[index], trajectory)
    for actor in members:
        ray.kill(actor)
    return watch.reply(checks)


def close() -> None:
    """Ends the cluster."""
    ray.shutdown()
