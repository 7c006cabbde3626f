"""Envs for rollouts: made by id, and what a program has to know about their spaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete

MakeEnv: TypeAlias = Callable[..., "gym.Env[Any, Any]"]
"""Makes one env; called once for each, on whichever worker its rollout runs, without arguments; to
film an episode, with `render_mode="rgb_array"`."""


@dataclass(frozen=True)
class Spaces:
    """What an env shows and takes.

    Attributes:
        obs_shape: Of one observation.
        obs_dtype: In which observations are kept: uint8 for images, else float32.
        n_actions: Number of actions.
        first_action: The number of the first.
    """

    obs_shape: tuple[int, ...]
    obs_dtype: np.dtype[Any]
    n_actions: int
    first_action: int

    @property
    def is_image(self) -> bool:
        """Whether a convolutional network is called for."""
        return len(self.obs_shape) == 3


def env_maker(env_id: str, **options: Any) -> MakeEnv:
    """Return what makes the env of this id; observations that are no `Box` come flattened.

    Args:
        env_id: Gymnasium's. `ALE/...` is an Atari game, preprocessed as `reactorrl.atari` does.
        **options: Passed on to `gymnasium.make`, or `reactorrl.atari.make`.
    """

    def make(**more: Any) -> gym.Env[Any, Any]:
        if env_id.startswith("ALE/"):
            from reactorrl import atari  # noqa: PLC0415 - ale-py is an extra

            return atari.make(env_id, **options, **more)
        env = gym.make(env_id, **options, **more)
        space = env.observation_space
        is_plain = isinstance(space, Box) and len(space.shape) in (1, 3)
        return env if is_plain else gym.wrappers.FlattenObservation(env)

    return make


def spaces_of(env: gym.Env[Any, Any]) -> Spaces:
    """Return an env's spaces.

    Raises:
        TypeError: Observations are neither vectors nor images, or actions not `Discrete`.
    """
    observations, actions = env.observation_space, env.action_space
    if not isinstance(observations, Box) or len(observations.shape) not in (1, 3):
        raise TypeError(
            f"{env}: observations must be a Box with one dimension (features) or three (images),"
            f" they are {observations}"
        )
    if not isinstance(actions, Discrete):
        raise TypeError(f"{env}: actions must be Discrete, they are {actions}")
    dtype = np.dtype(np.uint8 if observations.dtype == np.uint8 else np.float32)
    return Spaces(observations.shape, dtype, int(actions.n), int(actions.start))


def probe(make_env: MakeEnv) -> Spaces:
    """Make an env only to look at its spaces; TypeError as for `spaces_of`."""
    env = make_env()
    try:
        return spaces_of(env)
    finally:
        env.close()


def score_of(
    info: Mapping[str, Any], total: float, length: int, *, terminated: bool
) -> tuple[float, int] | None:
    """Return return and length of what has ended, None if it was only one life of several.

    Args:
        info: Of the last step. An Atari game says with its real end what the whole game gave, as
            the rewards may have been clipped; `lives` that are left say that it goes on.
        total: Undiscounted sum of the rewards since the last score.
        length: Env steps since then.
        terminated: Whether the episode reached an end of its own.
    """
    game = info.get("game")
    if isinstance(game, dict):
        return float(game["r"]), int(game["l"])
    return None if terminated and info.get("lives", 0) > 0 else (total, length)
