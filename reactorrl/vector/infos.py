"""Infos of single envs, put together as Gymnasium does, and taken apart again."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from gymnasium.vector import VectorEnv

_env = itemgetter(0)


class _Merger(VectorEnv):
    """Gymnasium's own rules for dtypes and masks, for a given number of rows."""

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs

    def merge(self, found: Iterable[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
        infos: dict[str, Any] = {}
        for row, info in found:
            infos = self._add_info(infos, info, row)
        return infos


def merged(found: list[tuple[int, dict[str, Any]]], num_envs: int) -> dict[str, Any]:
    """One dict of arrays with masks from infos of single envs.

    Args:
        found: Pairs of an env's index and an info of it. The order of envs does not matter, that of
            one env's infos does.
        num_envs: Length of the arrays.
    """
    return _Merger(num_envs).merge(sorted(found, key=_env))


def info_of(infos: dict[str, Any], index: int) -> dict[str, Any]:
    """The info of one env: the entries whose mask names it."""
    found = {}
    for key, value in infos.items():
        mask = infos.get(f"_{key}")
        if mask is not None and mask[index]:
            found[key] = info_of(value, index) if isinstance(value, dict) else value[index]
    return found
