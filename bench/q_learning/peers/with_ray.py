"""Ray: rollouts in actors of their own, in two forms.

- `tuned`: as many actors as processors with several rollouts each, the weights `put` once a round
  and referred to, trajectories as a few NumPy arrays, replay and learner in the driver, which needs
  them next; actors reserve no processors, nothing is logged to the driver.
- `as_in_the_artifact`: an actor for each rollout and one for the replay, weights by value.
"""

import logging
import os
from functools import cache
from itertools import pairwise
from typing import Any

# Read by Ray when it is imported.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import numpy as np
import ray

from ..learner import Learner
from ..parts import (
    N_ROLLOUTS,
    Replay,
    Rollout,
    Rounds,
    Trajectory,
    Weights,
    stacked,
    timed,
)


@ray.remote(num_cpus=0)
class Rollouts:
    """Some rollouts in a process."""

    def begin(self, indices: list[int]) -> None:
        """A training begins."""
        self.rollouts = [Rollout(index) for index in indices]

    def roll_out(self, weights: Weights) -> Trajectory:
        """A trajectory of each."""
        return stacked([rollout.roll_out(weights) for rollout in self.rollouts])


@ray.remote(num_cpus=0)
class ReplayActor:
    """The replay in a process."""

    def begin(self, rounds: int, batch_size: int) -> None:
        """A training begins."""
        self.replay = Replay(rounds, batch_size)

    def remember(self, *trajectories: Trajectory) -> Trajectory | None:
        """Take in what all rollouts saw, and draw a batch."""
        self.replay.add(joined(trajectories))
        return self.replay.sample()


@cache
def started(actors: int) -> list[Any]:
    """The cluster and the actors live as long as this process: starting them is not measured."""
    if not ray.is_initialized():
        ray.init(
            num_cpus=os.cpu_count(),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    return [Rollouts.remote() for _ in range(actors)]


@cache
def replay_actor() -> Any:
    """Lives as long, too."""
    return ReplayActor.remote()


def members_of(actors: int) -> list[Any]:
    """The actors, each with its share of the rollouts at their beginning."""
    members = started(actors)
    bounds = [N_ROLLOUTS * number // actors for number in range(actors + 1)]
    shares = [list(range(*bound)) for bound in pairwise(bounds)]
    ray.get([m.begin.remote(share) for m, share in zip(members, shares, strict=True)])
    return members


def joined(trajectories: Any) -> Trajectory:
    """The rows of several actors' trajectories, one after the other."""
    return Trajectory(*map(np.concatenate, zip(*trajectories, strict=True)))


def tuned(batch_size: int, actors: int, warm: int, rounds: int) -> dict[str, Any]:
    """Few actors and few objects."""
    members = members_of(actors)
    replay, learner = Replay(warm + rounds, batch_size), Learner()

    def roll_out(weights: Weights) -> Trajectory:
        reference = ray.put(weights)
        return joined(ray.get([member.roll_out.remote(reference) for member in members]))

    def remember(trajectories: Trajectory) -> Trajectory | None:
        replay.add(trajectories)
        return replay.sample()

    return timed(Rounds(roll_out, remember, learner.learn, learner.weights()), warm, rounds)


def as_in_the_artifact(batch_size: int, warm: int, rounds: int) -> dict[str, Any]:
    """An actor for everything."""
    members, replay, learner = members_of(N_ROLLOUTS), replay_actor(), Learner()
    ray.get(replay.begin.remote(warm + rounds, batch_size))

    def roll_out(weights: Weights) -> list[Trajectory]:
        return ray.get([member.roll_out.remote(weights) for member in members])

    def remember(trajectories: list[Trajectory]) -> Trajectory | None:
        return ray.get(replay.remember.remote(*trajectories))

    return timed(Rounds(roll_out, remember, learner.learn, learner.weights()), warm, rounds)


def close() -> None:
    """Ends the cluster."""
    ray.shutdown()
