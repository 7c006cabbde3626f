"""What users give to a vector env, checked before anything runs."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np


def checked_seeds(seed: Any, num_envs: int) -> list[int | None]:
    """A seed or `None` for each env, from what `reset` was given."""
    if seed is None:
        return [None] * num_envs
    if not isinstance(seed, Sequence | np.ndarray):
        return [operator.index(seed) + index for index in range(num_envs)]
    if len(seed) != num_envs:
        raise ValueError(f"reset() got {len(seed)} seeds for {num_envs} envs")
    return [None if each is None else operator.index(each) for each in seed]


def checked_mask(mask: Any, num_envs: int) -> Any:
    """The mask of a partial reset, shape `(num_envs,)`, bool, not all False."""
    what = 'options["reset_mask"]'
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"{what} is a {type(mask).__name__}, not a NumPy array")
    if mask.dtype != np.bool_:
        raise TypeError(f"{what} has dtype {mask.dtype}, not bool")
    if mask.shape != (num_envs,):
        raise ValueError(f"{what} has shape {mask.shape}, not ({num_envs},)")
    if not mask.any():
        raise ValueError(f"{what} names no env to reset")
    return mask


def checked_ids(env_ids: Sequence[int], num_envs: int) -> list[int]:
    """Indices of different envs."""
    ids = [operator.index(index) for index in env_ids]
    wrong = [index for index in ids if not 0 <= index < num_envs]
    if wrong or len(set(ids)) < len(ids):
        what = f"{wrong} are none of {num_envs} envs" if wrong else "an env is named twice"
        raise ValueError(f"env_ids={ids}: {what}")
    return ids


def checked_fns(env_fns: Iterable[Any]) -> list[Callable[[], Any]]:
    """A function for each env, at least one."""
    found = list(env_fns)
    if not found:
        raise ValueError("env_fns is empty; give a function for each env")
    for index, function in enumerate(found):
        if not callable(function):
            raise TypeError(
                f"env_fns[{index}] is {function!r}; give a function that makes the env, such as"
                " `lambda: gym.make(...)`"
            )
    return found
