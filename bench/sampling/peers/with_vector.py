"""Gymnasium's vector envs: one thread, or a process for each env with shared memory.

They hand over batches, so several steps are a list of them. `SAME_STEP` begins the next episode in
the step that ends one, as the other sides do.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import cycle
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from ...stopwatch import Stopwatch
from ..envs import Maker
from ..sampler import Hashes, drawn_actions, seed_of

KINDS = {"sync": SyncVectorEnv, "async": AsyncVectorEnv}


@cache
def made(kind: str, env: str, envs: int, copies: bool) -> VectorEnv:
    """It lives as long as the process."""
    makers = [Maker(env, index=index) for index in range(envs)]
    options = {"context": "fork"} if kind == "async" else {}  # of a process with one thread
    return KINDS[kind](makers, copy=copies, autoreset_mode=AutoresetMode.SAME_STEP, **options)


def by_env(batches: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The batches of some steps, env by env."""
    steps = [(stacked(obs), *rest) for obs, *rest, _ in batches]
    obs, rewards, terminated, truncated = map(np.stack, zip(*steps, strict=True))
    for index in range(obs.shape[1]):
        yield obs[:, index], rewards[:, index], terminated[:, index], truncated[:, index]


def stacked(obs: Any) -> np.ndarray:
    """Observations of several parts come as a tuple of batches."""
    return np.stack(obs, axis=-1) if isinstance(obs, tuple) else obs


def sampling(
    kind: str, env: str, envs: int, steps: int, warm: int, rounds: int, hashed: bool = False
) -> dict[str, Any]:
    """Only where one step makes a round is its observation not a copy."""
    vector = made(kind, env, envs, steps > 1)
    vector.reset(seed=[seed_of(env, index) for index in range(envs)])
    hashes = Hashes(envs) if hashed else None
    return batched(vector.step, vector.single_action_space, envs, steps, warm, rounds, hashes)


def batched(
    step: Callable[[np.ndarray], Any],
    space: gym.Space,
    envs: int,
    steps: int,
    warm: int,
    rounds: int,
    hashes: Hashes | None = None,
) -> dict[str, Any]:
    """Rounds of several batched steps with the actions of a bank."""
    columns = [drawn_actions(space, index) for index in range(envs)]
    actions = cycle([np.stack(row) for row in zip(*columns, strict=True)])
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            newest = [step(next(actions)) for _ in range(steps)]
            if hashes:
                hashes.add_all(by_env(newest))
    return watch.reply(hashes.of_env if hashes else None)
