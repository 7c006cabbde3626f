"""The spaces of the batch, from those of the envs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gymnasium import Space, spaces
from gymnasium.spaces.utils import is_space_dtype_shape_equiv
from gymnasium.vector.utils import batch_differing_spaces, batch_space

ARRAY_SPACES: tuple[type[Space[Any]], ...] = (
    spaces.Box,
    spaces.Discrete,
    spaces.MultiDiscrete,
    spaces.MultiBinary,
)
"""A sample of the batched space is one array whose rows are samples of the single one."""


def observation_spaces(
    envs: Sequence[Any], mode: str | tuple[Space[Any], Space[Any]]
) -> tuple[Space[Any], Space[Any]]:
    """The single and the batched observation space.

    Raises:
        RuntimeError: The spaces of two envs do not go together.
        TypeError: One is no `gymnasium.Space`.
        ValueError: There is no such mode.
    """
    found = _spaces_of(envs, "observation_space")
    if isinstance(mode, tuple):
        if len(mode) != 2 or not all(isinstance(space, Space) for space in mode):
            raise TypeError(
                f"observation_mode={mode!r}: a tuple holds the batched and the single space"
            )
        batched, single = mode
    elif mode == "same":
        single, batched = found[0], batch_space(found[0], len(found))
    elif mode == "different":
        single = found[0]
    else:
        raise ValueError(
            f'observation_mode={mode!r}: it is "same", "different" or a tuple of spaces'
        )
    for index, space in enumerate(found):
        if mode == "same" and space != single:
            raise RuntimeError(
                f"the observation space of env {index} is {space}, that of env 0 {single};"
                ' observation_mode="different" allows other bounds'
            )
        if mode != "same" and not is_space_dtype_shape_equiv(space, single):
            raise RuntimeError(
                f"the observation space of env {index} is {space}, which has not the shape and"
                f" dtype of {single}"
            )
    if mode == "different":
        batched = batch_differing_spaces(found)
    return single, batched


def action_spaces(envs: Sequence[Any]) -> tuple[Space[Any], Space[Any]]:
    """The single and the batched action space.

    Raises:
        RuntimeError: The spaces of two envs differ.
        TypeError: One is no `gymnasium.Space`.
    """
    found = _spaces_of(envs, "action_space")
    for index, space in enumerate(found):
        if space != found[0]:
            raise RuntimeError(
                f"the action space of env {index} is {space}, that of env 0 {found[0]}"
            )
    return found[0], batch_space(found[0], len(found))


def _spaces_of(envs: Sequence[Any], name: str) -> list[Space[Any]]:
    found = [getattr(env, name, None) for env in envs]
    for index, space in enumerate(found):
        if not isinstance(space, Space):
            raise TypeError(f"the {name} of env {index} is {space!r}, not a gymnasium.Space")
    return found
