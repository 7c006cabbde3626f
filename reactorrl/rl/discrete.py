"""Envs with finitely many states: numbered for a table, solved exactly where they can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete, Tuple
from numpy.typing import NDArray

from .envs import MakeEnv


def parts_of(space: gym.Space[Any]) -> list[tuple[int, int]]:
    """Return (first, how many) of every number that an observation is made of.

    Raises:
        TypeError: The space is neither `Discrete` nor a `Tuple` or `MultiDiscrete` of such.
    """
    if isinstance(space, Discrete):
        return [(int(space.start), int(space.n))]
    if isinstance(space, MultiDiscrete):
        return list(zip(space.start.ravel().tolist(), space.nvec.ravel().tolist(), strict=True))
    if isinstance(space, Tuple):
        return [part for each in space.spaces for part in parts_of(each)]
    raise TypeError(
        "a table needs finitely many states, so observations must be Discrete, or a Tuple or"
        f" MultiDiscrete of such; they are {space} (kind='network' takes features)"
    )


class StateIndex(gym.ObservationWrapper[Any, Any, Any]):
    """Numbers the states of an env: observations become `(1,)` float32, exact up to 2**24.

    Attributes:
        n_states: Number of states; those of several numbers count in row-major order.

    Raises:
        TypeError: As for `parts_of`.
        ValueError: There are more states than float32 can number.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        parts = parts_of(env.observation_space)
        self._first = np.array([first for first, _ in parts])
        counts = [count for _, count in parts]
        self._strides = np.array(
            [np.prod(counts[i + 1 :], dtype=np.int64) for i in range(len(counts))]
        )
        self.n_states: int = int(np.prod(counts, dtype=np.int64))
        if self.n_states > 1 << 24:
            raise ValueError(f"{env}: {self.n_states} states are too many for a table")
        self.observation_space = Box(0, self.n_states - 1, (1,), np.float32)

    def observation(self, observation: Any) -> NDArray[np.float32]:
        """Return the number of a state."""
        if len(self._strides) == 1:
            index = observation - self._first[0]
        else:
            index = (np.hstack(observation) - self._first) @ self._strides
        return np.array(index, np.float32).reshape(1)


class Features(gym.ObservationWrapper[Any, Any, Any]):
    """Shows an observation of several numbers as a vector of them, `(n,)` float32."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        space = env.observation_space
        parts = parts_of(space)
        self._is_nested = isinstance(space, Tuple) and not all(
            isinstance(each, Discrete) for each in space.spaces
        )
        low = np.array([first for first, _ in parts], np.float32)
        high = np.array([first + count - 1 for first, count in parts], np.float32)
        self.observation_space = Box(low, high)

    def observation(self, observation: Any) -> NDArray[np.float32]:
        """Return the numbers side by side."""
        if self._is_nested:
            return np.hstack(observation).astype(np.float32)
        return np.array(observation, np.float32).ravel()  # in a fifth of the time


def table_maker(env_id: str) -> MakeEnv:
    """Return what makes the env of this id with its states numbered."""
    return lambda **options: StateIndex(gym.make(env_id, **options))


def features_maker(env_id: str) -> MakeEnv:
    """Return what makes the env of this id with a few numbers as features, all else flattened."""

    def make(**options: Any) -> gym.Env[Any, Any]:
        env = gym.make(env_id, **options)
        if isinstance(env.observation_space, (Tuple, MultiDiscrete)):
            return Features(env)
        is_box = isinstance(env.observation_space, Box)
        return env if is_box else gym.wrappers.FlattenObservation(env)

    return make


@dataclass(frozen=True)
class TabularModel:
    """What an env with finitely many states does, known in full.

    The k-th outcome of action a in state s has index [s, a, k]; all have shape
    `(n_states, n_actions, n_outcomes)`.

    Attributes:
        start: `(n_states,)`, the probability that an episode starts in each.
        probability: Of the outcome.
        reward: That comes with it.
        next_state: That it leads to.
        goes_on: 1 where the episode does, 0 where it ends.
        steps: The env's limit on the steps of an episode; None if it has none.
    """

    start: NDArray[np.float64]
    probability: NDArray[np.float64]
    reward: NDArray[np.float64]
    next_state: NDArray[np.int64]
    goes_on: NDArray[np.float64]
    steps: int | None

    @classmethod
    def of(cls, env_id: str) -> TabularModel:
        """Return the model of an env that gives it, as Gymnasium's toy texts do.

        Raises:
            TypeError: The env has no table `P` of transitions, or no distribution of first states.
        """
        env = gym.make(env_id)
        try:
            bare = env.unwrapped
            table = getattr(bare, "P", None)
            start = getattr(bare, "initial_state_distrib", None)
            if table is None or start is None:
                raise TypeError(
                    f"{env}: has no attributes P and initial_state_distrib, so its model is unknown"
                )
            n_states, n_actions = len(table), len(table[0])
            outcomes = max(len(table[s][a]) for s in range(n_states) for a in range(n_actions))
            rows = np.zeros((n_states, n_actions, outcomes, 4))
            for s in range(n_states):
                for a in range(n_actions):
                    rows[s, a, : len(table[s][a])] = table[s][a]
            limit = env.spec.max_episode_steps if env.spec is not None else None
        finally:
            env.close()
        return cls(
            start=np.asarray(start, np.float64),
            probability=rows[..., 0],
            next_state=rows[..., 1].astype(np.int64),
            reward=rows[..., 2],
            goes_on=1.0 - rows[..., 3],
            steps=limit,
        )

    def best_return(self, steps: int | None = None) -> float:
        """Return the largest expected return, undiscounted, that any policy has.

        Also policies that look at how many steps are left.

        Args:
            steps: After which an episode is cut off; None for the env's own limit.

        Raises:
            ValueError: There is neither.
        """
        return self._return(steps, lambda values: values.max(axis=1))

    def return_of(self, actions: NDArray[np.int64], steps: int | None = None) -> float:
        """Return the expected return, undiscounted, of a policy; there is no sampling error.

        Args:
            actions: `(n_states,)`, what it does.
            steps: As for `best_return`.
        """
        everywhere = np.arange(len(self.start))
        return self._return(steps, lambda values: values[everywhere, actions])

    def optimal_q(self, gamma: float, sweeps: int) -> NDArray[np.float64]:
        """Return `(n_states, n_actions)` values after sweeps of value iteration from zero."""
        values = np.zeros(self.probability.shape[:2])
        for _ in range(sweeps):
            values = self._backup(values.max(axis=1), gamma)
        return values

    def _return(
        self,
        steps: int | None,
        choose: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    ) -> float:
        steps = self.steps if steps is None else steps
        if steps is None:
            raise ValueError("steps: the env has no limit on the steps of an episode, so name one")
        value = np.zeros(len(self.start))
        for _ in range(steps):
            value = choose(self._backup(value, 1.0))
        return float(self.start @ value)

    def _backup(self, value: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
        """Return `(n_states, n_actions)`: what a step gives, and `value` where it leads."""
        following = gamma * self.goes_on * value[self.next_state]
        return (self.probability * (self.reward + following)).sum(axis=2)
