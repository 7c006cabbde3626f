"""`Trajectory`: what a rollout hands over, and the returns of the episodes that ended in it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Trajectory:
    """Consecutive transitions of one or several envs, in read-only arrays.

    The observation after step t of env i is `obs[t + 1, i]` (after the last step `last_obs[i]`),
    unless an episode ended there: then it is the env's row of `final_obs`, and `obs[t + 1, i]` is
    the first observation of the next episode.

    Attributes:
        obs: `(steps, n_envs, ...)`, what the agent saw, of the env's dtype (float64 as float32).
        actions: `(steps, n_envs)` int64, counted from 0 whatever the action space starts at.
        rewards: `(steps, n_envs)` float32, as the env gave them.
        terminated: `(steps, n_envs)` bool, the episode reached an end of its own: no value follows.
        truncated: `(steps, n_envs)` bool, it was cut off: the value of its row of `final_obs`
            follows. Both may be true, and then it is terminated.
        last_obs: `(n_envs, ...)`, what the agent sees next.
        final_obs: `(n_ended, ...)`, the final observation of every episode that ended here, in
            order of (step, env).
        episode_returns: `(n_scored,)` float64, undiscounted sums of the episodes that ended here,
            in the same order. An env that ends episodes early for the learner's sake, as Atari's
            do at the loss of a life, scores only the real ones.
        episode_lengths: `(n_scored,)` int64, their env steps.
    """

    obs: NDArray[Any]
    actions: NDArray[np.int64]
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    last_obs: NDArray[Any]
    final_obs: NDArray[Any]
    episode_returns: NDArray[np.float64]
    episode_lengths: NDArray[np.int64]

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False

    def __len__(self) -> int:
        """The env steps in it, of all its envs."""
        return self.rewards.size

    @property
    def ended(self) -> NDArray[np.bool_]:
        """`(steps, n_envs)`: an episode ended here, one way or the other."""
        return self.terminated | self.truncated

    def next_obs(self) -> NDArray[Any]:
        """Return `(steps, n_envs, ...)`: what each step led to, a copy."""
        following = np.concatenate([self.obs[1:], self.last_obs[np.newaxis]])
        following[self.ended] = self.final_obs
        return following
