"""Generalized advantage estimation, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def gae(
    rewards: NDArray[np.float32],
    values: NDArray[np.float32],
    next_values: NDArray[np.float32],
    *,
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    gamma: float,
    gae_lambda: float,
) -> NDArray[np.float32]:
    """Return the advantages of consecutive steps; the sums never cross the end of an episode.

    Args:
        rewards: `(steps, n_envs)`.
        values: `(steps, n_envs)`, of what the agent saw before each step.
        next_values: `(steps, n_envs)`, of what each step led to, which at the end of an episode is
            its final observation. Those of terminated steps do not matter, as long as they are
            finite.
        terminated: `(steps, n_envs)`, no value follows.
        truncated: `(steps, n_envs)`, `next_values` follows, but no later step.
        gamma: Discount.
        gae_lambda: 0 looks one step ahead, 1 to the end of the episode or of the steps.

    Returns:
        `(steps, n_envs)` float32; plus `values` these are the targets of the values.

    Source:
        Schulman et al. (2016), High-dimensional continuous control using generalized advantage
        estimation, equation 16; episodes that were cut off: Pardo et al. (2018), Time limits in
        reinforcement learning, equation 6.
    """
    # A number of NumPy's would make all of it float64.
    deltas = rewards + float(gamma) * next_values * ~terminated - values
    carried = np.float32(gamma * gae_lambda) * ~(terminated | truncated)
    following = np.zeros_like(values[0])
    advantages = np.empty_like(deltas)
    for step in range(len(deltas) - 1, -1, -1):
        following = deltas[step] + carried[step] * following
        advantages[step] = following
    return advantages
