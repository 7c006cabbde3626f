"""Ray: actors in processes of their own, each with some envs that it steps by itself.

Tuned: as many actors as processors with several envs each, arrays for results, no processors
reserved, nothing logged to the driver. With one env in each actor, it is what the artifact of
arXiv 2312.04704 does. A compiled graph is Ray's own form for a fixed topology: its channels in
shared memory are set up once.
"""

import logging
import os
import time
from functools import cache
from typing import Any

# Read by Ray when it is imported.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.dag import InputNode, MultiOutputNode

from ...stopwatch import Stopwatch
from ..sampler import Hashes, Sampler, TimedSampler

SPARE_BYTES = 1_000_000


@ray.remote(num_cpus=0)
class Actor:
    """Several envs in a process."""

    def begin(self, env: str, indices: list[int], steps: int) -> int:
        """Makes the envs anew; the size in bytes of what they will observe in a round."""
        self.samplers = [Sampler(env, index, steps) for index in indices]
        return sum(sampler.bytes for sampler in self.samplers)

    def begin_timed(self, env: str, indices: list[int], clock: str) -> None:
        """Makes the envs anew, and their time is taken with this function of `time`."""
        chosen = getattr(time, clock)
        self.samplers = [TimedSampler(env, index, 1, clock=chosen) for index in indices]

    def spent(self) -> int:
        """How long the envs have computed so far."""
        return sum(sampler.spent for sampler in self.samplers)

    def sample(self, _round: int) -> list[Any]:
        """The next steps of each env."""
        return [sampler.sample() for sampler in self.samplers]


@cache
def start() -> None:
    """The cluster and its actors live as long as this process: starting them is not measured."""
    ray.init(
        num_cpus=os.cpu_count(),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


@cache
def started(actors: int, _in_graph: bool = False) -> list[Any]:
    """So many actors; those of a graph are its own."""
    start()
    return [Actor.remote() for _ in range(actors)]


def shared_out(envs: int, actors: int) -> list[list[int]]:
    """Whose env is which."""
    return [list(range(first, envs, actors)) for first in range(actors)]


@cache
def compiled(actors: int, size: int) -> Any:
    """The compiled graph of one round, with channels that fit what it gathers."""
    with InputNode() as number:
        graph = MultiOutputNode([member.sample.bind(number) for member in started(actors, True)])
    return graph.experimental_compile(_buffer_size_bytes=size)


def sampling(
    env: str,
    envs: int,
    steps: int,
    actors: int,
    warm: int,
    rounds: int,
    graph: bool = False,
    hashed: bool = False,
) -> dict[str, Any]:
    """A round: a number goes out to every actor, the next steps of all its envs come back."""
    members, shares = started(actors, graph), shared_out(envs, actors)
    begun = [m.begin.remote(env, share, steps) for m, share in zip(members, shares, strict=True)]
    size = SPARE_BYTES + 2 * max(ray.get(begun))
    round_of = compiled(actors, size).execute if graph else None
    hashes, number = Hashes(envs), 0
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            number += 1
            if round_of:
                answers = ray.get(round_of(number))
            else:
                answers = ray.get([member.sample.remote(number) for member in members])
            if hashed:
                for share, answer in zip(shares, answers, strict=True):
                    for index, sample in zip(share, answer, strict=True):
                        hashes.add(index, *sample)
    return watch.reply(hashes.of_env)
