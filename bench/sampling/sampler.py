"""What every side of the rollout case does: step an env with a small policy. NumPy and Gymnasium.

The loop and its figures are those of `reactorrl.rl.Rollout` with one env, so that what is compared
is how calls and data get from one place to another.
"""

from __future__ import annotations

import zlib

import gymnasium as gym
import numpy as np

ENV_ID = "CartPole-v1"
SEED = 1
Weights = tuple[np.ndarray, ...]


def fixed_weights() -> Weights:
    """A policy of two layers of 64 that leaves the pole standing for a while."""
    rng = np.random.default_rng(SEED)
    sizes = ((4, 64), (64, 64), (64, 2))
    return tuple(rng.normal(0, size[0] ** -0.5, size).astype(np.float32) for size in sizes)


class Sampler:
    """One env and what it has seen."""

    def __init__(self, index: int, steps: int) -> None:
        self.env = gym.make(ENV_ID)
        self.steps = steps
        self.rng = np.random.default_rng((SEED, index))
        self.obs, _ = self.env.reset(seed=SEED + index)

    def roll_out(self, weights: Weights) -> tuple[np.ndarray, ...]:
        """Return observations, actions, rewards and both ends of the next `steps` steps."""
        steps, step_env = self.steps, self.env.step
        observed = np.empty((steps, 4), np.float32)
        actions = np.empty(steps, np.int64)
        rewards = np.empty(steps, np.float32)
        ends = np.zeros((2, steps), np.bool_)
        noise = self.rng.gumbel(size=(steps, 2)).astype(np.float32)
        obs = self.obs
        for step in range(steps):
            observed[step] = obs
            hidden = np.tanh(observed[step] @ weights[0])
            hidden = np.tanh(hidden @ weights[1])
            action = int((hidden @ weights[2] + noise[step]).argmax())
            obs, reward, terminated, truncated, _ = step_env(action)
            actions[step] = action
            rewards[step] = reward
            if terminated or truncated:
                ends[:, step] = terminated, truncated
                obs, _ = self.env.reset()
        self.obs = obs
        return observed, actions, rewards, ends


def digest(before: int, trajectory: tuple[np.ndarray, ...]) -> int:
    """Add a trajectory to a checksum: equal sides have seen the same."""
    for array in trajectory:
        before = zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data, before)
    return before
