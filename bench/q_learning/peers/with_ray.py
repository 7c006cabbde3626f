"""Ray: rollouts in actors of their own, in two forms.

- `tuned`: as many actors as processors with several rollouts each, the weights `put` once a round
  and referred to, trajectories as a few NumPy arrays, replay and learner in the driver, which needs
  them next; actors reserve no processors, nothing is logged to the driver.
- `as_in_the_artifact`: an actor for each rollout and one for the replay, weights by value.
"""

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
from ..parts import (
    N_ROLLOUTS,
    Learner,
    Replay,
    Rollout,
    Rounds,
    Trajectory,
    Weights,
    sha256_of,
    stacked,
)


@ray.remote(num_cpus=0)
class Rollouts:
    """Some rollouts in a process."""

    def __init__(self, indices: list[int]) -> None:
        self.rollouts = [Rollout(index) for index in indices]

    def roll_out(self, weights: Weights) -> Trajectory:
        """A trajectory of each."""
        return stacked([rollout.roll_out(weights) for rollout in self.rollouts])


@ray.remote(num_cpus=0)
class ReplayActor:
    """The replay in a process."""

    def __init__(self, rounds: int, batch_size: int) -> None:
        self.replay = Replay(rounds, batch_size)

    def remember(self, *trajectories: Trajectory) -> Trajectory | None:
        """Take in what all rollouts saw, and draw a batch."""
        self.replay.add(joined(trajectories))
        return self.replay.sample()


@cache
def start() -> None:
    """The cluster lives as long as this process: starting it is not measured."""
    ray.init(
        num_cpus=os.cpu_count(),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def joined(trajectories: Any) -> Trajectory:
    """The rows of several actors' trajectories, one after the other."""
    return Trajectory(*map(np.concatenate, zip(*trajectories, strict=True)))


def tuned(batch_size: int, actors: int, warm: int, rounds: int) -> dict[str, Any]:
    """Few actors and few objects."""
    start()
    shares = [
        range(N_ROLLOUTS)[number * N_ROLLOUTS // actors :][: N_ROLLOUTS // actors]
        for number in range(actors)
    ]
    members = [Rollouts.remote(list(share)) for share in shares]
    replay, learner = Replay(warm + rounds, batch_size), Learner()

    def roll_out(weights: Weights) -> Trajectory:
        reference = ray.put(weights)
        return joined(ray.get([member.roll_out.remote(reference) for member in members]))

    def remember(trajectories: Trajectory) -> Trajectory | None:
        replay.add(trajectories)
        return replay.sample()

    return timed(
        Rounds(roll_out, remember, learner.learn, learner.weights()), members, warm, rounds
    )


def as_in_the_artifact(batch_size: int, warm: int, rounds: int) -> dict[str, Any]:
    """An actor for everything."""
    start()
    members = [Rollouts.remote([index]) for index in range(N_ROLLOUTS)]
    replay, learner = ReplayActor.remote(warm + rounds, batch_size), Learner()

    def roll_out(weights: Weights) -> list[Trajectory]:
        return ray.get([member.roll_out.remote(weights) for member in members])

    def remember(trajectories: list[Trajectory]) -> Trajectory | None:
        return ray.get(replay.remember.remote(*trajectories))

    loop = Rounds(roll_out, remember, learner.learn, learner.weights())
    return timed(loop, [*members, replay], warm, rounds)


def timed(loop: Rounds, members: list[Any], warm: int, rounds: int) -> dict[str, Any]:
    """Warm up, time the rest, end the actors."""
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        loop.parts_ns = dict.fromkeys(loop.parts_ns, 0)
        loop.run(left)
    for member in members:
        ray.kill(member)
    return watch.reply(sha256_of(loop.weights), parts_ns=loop.parts_ns)


def close() -> None:
    """Ends the cluster."""
    ray.shutdown()
