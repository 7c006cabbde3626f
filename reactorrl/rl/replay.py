"""Replay of past transitions: the memory, and the reactor that keeps one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import reactorrl as rr

from .trajectory import Trajectory


@dataclass(frozen=True)
class Batch:
    """Transitions drawn from a memory: copies, owned by whoever received them.

    Attributes:
        obs: `(rows, n_features)` float32.
        actions: `(rows,)` int64.
        rewards: `(rows,)` float32.
        next_obs: `(rows, n_features)` float32.
        terminated: `(rows,)` bool; where it is false, the value of `next_obs` counts, also where
            the episode was truncated.
    """

    obs: NDArray[np.float32]
    actions: NDArray[np.int64]
    rewards: NDArray[np.float32]
    next_obs: NDArray[np.float32]
    terminated: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rewards)


class ReplayMemory:
    """The last `capacity` transitions, in a ring of preallocated arrays.

    A slot holds a whole transition, its successor included, so that nothing is ever paired across
    the end of an episode or across envs. Not thread-safe: one reactor owns it.

    Args:
        capacity: Number of slots.
        n_features: Of an observation.

    Raises:
        ValueError: `capacity` is below 1.
    """

    def __init__(self, capacity: int, n_features: int) -> None:
        if capacity < 1:
            raise ValueError(f"capacity={capacity}: at least one transition must fit")
        self.capacity = capacity
        self._filled = 0
        self._next = 0
        self._slots = Batch(
            obs=np.zeros((capacity, n_features), np.float32),
            actions=np.zeros(capacity, np.int64),
            rewards=np.zeros(capacity, np.float32),
            next_obs=np.zeros((capacity, n_features), np.float32),
            terminated=np.zeros(capacity, np.bool_),
        )

    def __len__(self) -> int:
        return self._filled

    def add(self, trajectory: Trajectory) -> None:
        """Copy all transitions in, in order, over the oldest ones.

        Raises:
            ValueError: The trajectory is longer than the memory.
        """
        steps = len(trajectory)
        if steps > self.capacity:
            raise ValueError(f"{steps} transitions do not fit into {self.capacity} slots")
        where = np.arange(self._next, self._next + steps) % self.capacity
        slots = self._slots
        slots.obs[where] = trajectory.obs
        slots.actions[where] = trajectory.actions
        slots.rewards[where] = trajectory.rewards
        slots.next_obs[where] = trajectory.next_obs
        slots.terminated[where] = trajectory.terminated
        self._next = (self._next + steps) % self.capacity
        self._filled = min(self._filled + steps, self.capacity)

    def sample(self, batch_size: int, rng: np.random.Generator) -> Batch:
        """Draw transitions uniformly, with replacement, from the filled slots.

        Args:
            batch_size: Rows of the batch; 0 is allowed.
            rng: Source of the random numbers, advanced by the call.

        Returns:
            Copies, owned by the caller.

        Raises:
            ValueError: The memory is empty and `batch_size` is not 0.
        """
        if not self._filled and batch_size:
            raise ValueError("the memory is empty: there is nothing to sample")
        where = rng.integers(max(self._filled, 1), size=batch_size)
        slots = self._slots
        return Batch(
            obs=slots.obs[where],
            actions=slots.actions[where],
            rewards=slots.rewards[where],
            next_obs=slots.next_obs[where],
            terminated=slots.terminated[where],
        )


class ReplayBuffer(rr.Reactor):
    """Remembers the trajectories of `n` rollouts and answers each tag of theirs with one batch.

    Trajectories enter in the order of their channels, so that the memory does not depend on which
    of them was done first. The batch has the rows of all minibatches of one round; it has none
    before `learning_starts` transitions are there.

    Args:
        n: Width of `trajectories`.
        n_features: Of an observation.
        capacity: Transitions to remember.
        batch_rows: Rows of a batch.
        learning_starts: Transitions to wait for.
        seed: Of the generator that draws the batches.
    """

    trajectories = rr.Input[Trajectory](width="n")
    batch = rr.Output[Batch]()

    def __init__(
        self,
        n: int,
        *,
        n_features: int,
        capacity: int,
        batch_rows: int,
        learning_starts: int,
        seed: int,
    ) -> None:
        self.n = n
        self.memory = ReplayMemory(capacity, n_features)
        self.batch_rows = batch_rows
        self.learning_starts = learning_starts
        self.generator = np.random.default_rng((seed, n))  # the rollouts have (seed, 0) and on

    @rr.reaction(trajectories, effects=batch)
    def remember(self) -> None:
        """Take all trajectories in and draw the round's batch."""
        for channel in self.trajectories.present():
            self.memory.add(channel.value)
        rows = self.batch_rows if len(self.memory) >= self.learning_starts else 0
        self.batch.set(self.memory.sample(rows, self.generator))
