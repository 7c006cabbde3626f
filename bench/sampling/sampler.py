"""What every side of the banks does: step an env with random actions. NumPy and Gymnasium.

The actions are drawn before the clock runs, and all sides take the same. An episode that ends is
followed by the next at once: what a step returns is the observation to act on.
"""

import pickle
import time
import zlib
from collections.abc import Callable, Iterable
from itertools import cycle
from typing import Any

import gymnasium as gym
import numpy as np

from .envs import Maker, is_game

SEED = 1
DRAWN = 256  # actions of an env, which then come again
Arguments = dict[str, Any]


def seed_of(env: str, index: int) -> int | None:
    """A game takes none: nothing in it is random."""
    return None if is_game(env) else SEED + index


def drawn_actions(space: gym.Space, index: int) -> list[Any]:
    """The actions of env number `index` of a bank."""
    rng = np.random.default_rng((SEED, index))
    if isinstance(space, gym.spaces.Discrete):
        return rng.integers(space.n, size=DRAWN).tolist()
    assert isinstance(space, gym.spaces.Box)
    return list(rng.uniform(space.low, space.high, (DRAWN, *space.shape)).astype(space.dtype))


class Sampler:
    """One env of a bank."""

    def __init__(
        self, env: str, index: int, steps: int, arguments: Arguments | None = None
    ) -> None:
        self.env = Maker(env, arguments, index)()
        self.steps = steps
        self.actions = cycle(drawn_actions(self.env.action_space, index))
        obs, _ = self.env.reset(seed=seed_of(env, index))
        first = np.asarray(obs)
        self.shape, self.dtype = (steps, *first.shape), first.dtype
        self.bytes = steps * first.nbytes  # of observations in a round

    def sample(self) -> tuple[Any, Any, Any, Any]:
        """Observation, reward, terminated and truncated; of several steps, arrays of them."""
        if self.steps == 1:
            obs, reward, terminated, truncated, _ = self.env.step(next(self.actions))
            if terminated or truncated:
                obs, _ = self.env.reset()
            return obs, reward, terminated, truncated
        take, actions = self.env.step, self.actions
        observed = np.empty(self.shape, self.dtype)
        rewards = np.empty(self.steps)
        ends = np.zeros((2, self.steps), np.bool_)
        for k in range(self.steps):
            obs, reward, terminated, truncated, _ = take(next(actions))
            if terminated or truncated:
                ends[:, k] = terminated, truncated
                obs, _ = self.env.reset()
            observed[k] = obs
            rewards[k] = reward
        return observed, rewards, ends[0], ends[1]


class TimedSampler(Sampler):
    """Knows how long its env has computed so far: `spent`, in ns of `clock`."""

    def __init__(self, *args: Any, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        super().__init__(*args)
        self.clock = clock
        self.spent = 0

    def sample(self) -> tuple[Any, Any, Any, Any]:
        """As without a clock."""
        begin = self.clock()
        sample = Sampler.sample(self)
        self.spent += self.clock() - begin
        return sample


class PickledSampler(Sampler):
    """Gives what it would give as bytes, as if it had to leave the process."""

    def sample(self) -> bytes:
        """For `pickle.loads`."""
        return pickle.dumps(Sampler.sample(self), protocol=5)


class Hashes:
    """Checksums of all that each env of a bank gave: equal sides have seen the same."""

    def __init__(self, envs: int) -> None:
        self.of_env = [0] * envs

    def add(self, index: int, obs: Any, rewards: Any, terminated: Any, truncated: Any) -> None:
        """The next steps of an env, one or several."""
        ends = (np.asarray(end, np.bool_) for end in (terminated, truncated))
        for array in (np.asarray(obs), np.asarray(rewards, np.float64), *ends):
            self.of_env[index] = zlib.crc32(array.tobytes(), self.of_env[index])

    def add_all(self, samples: Iterable[tuple[Any, Any, Any, Any]]) -> None:
        """The next steps of all envs, in order."""
        for index, sample in enumerate(samples):
            self.add(index, *sample)
