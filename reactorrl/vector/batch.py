"""Observations of single envs, written into and read from the arrays of the batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from .spaces import ARRAY_SPACES

Write = Callable[[Any], None]


class Batch(ABC):
    """The observations of all envs, in the form that the batched space has."""

    @abstractmethod
    def writer(self, index: int) -> Write:
        """A function that stores an observation of one env.

        It touches nothing that those of other envs do, so that threads do not disturb each other.
        TypeError or ValueError: the observation does not fit the space.
        """

    @abstractmethod
    def all(self, copy: bool) -> Any:
        """All observations, shape `(num_envs, ...)`; a copy, or what the next write changes."""

    @abstractmethod
    def some(self, indices: Sequence[int]) -> Any:
        """A copy of those of some envs, in this order."""


def make_batch(space: Space[Any], n: int, name: str = "the observation") -> Batch:
    """Room for n observations of the space."""
    if isinstance(space, ARRAY_SPACES):
        return _ArrayBatch(space, n, name)
    if isinstance(space, spaces.Dict):
        parts = {key: make_batch(part, n, f"{name}[{key!r}]") for key, part in space.items()}
        return _DictBatch(parts, name)
    if isinstance(space, spaces.Tuple):
        parts = [make_batch(part, n, f"{name}[{k}]") for k, part in enumerate(space)]
        return _TupleBatch(parts, name)
    return _ObjectBatch(n)


class _ArrayBatch(Batch):
    def __init__(self, space: Space[Any], n: int, name: str) -> None:
        assert space.shape is not None
        self._array = np.zeros((n, *space.shape), dtype=space.dtype)
        self._space = space
        self._name = name

    def writer(self, index: int) -> Write:
        row = self._array[index, ...]
        shape, dtype = row.shape, row.dtype

        def write(value: Any) -> None:
            if type(value) is not np.ndarray or value.dtype is not dtype or value.shape != shape:
                value = self._fitting(value)
            row[...] = value

        return write

    def all(self, copy: bool) -> Any:
        return self._array.copy() if copy else self._array

    def some(self, indices: Sequence[int]) -> Any:
        return self._array[list(indices)]

    def _fitting(self, value: Any) -> Any:
        """The value as an array that can be stored; else an error."""
        array, shape, dtype = np.asanyarray(value), self._array.shape[1:], self._array.dtype
        if array.shape != shape:
            raise ValueError(
                f"{self._name} has shape {array.shape}, its space {self._space} has {shape}"
            )
        if not np.can_cast(array.dtype, dtype, "same_kind"):
            raise TypeError(
                f"{self._name} has dtype {array.dtype}, which does not become the {dtype} of its"
                f" space {self._space}"
            )
        return array


class _DictBatch(Batch):
    def __init__(self, parts: dict[str, Batch], name: str) -> None:
        self._parts = parts
        self._name = name

    def writer(self, index: int) -> Write:
        writers = [(key, part.writer(index)) for key, part in self._parts.items()]

        def write(value: Any) -> None:
            for key, write_part in writers:
                if key not in value:
                    raise ValueError(f"{self._name} has no key {key!r}, which its space has")
                write_part(value[key])

        return write

    def all(self, copy: bool) -> Any:
        return {key: part.all(copy) for key, part in self._parts.items()}

    def some(self, indices: Sequence[int]) -> Any:
        return {key: part.some(indices) for key, part in self._parts.items()}


class _TupleBatch(Batch):
    def __init__(self, parts: Sequence[Batch], name: str) -> None:
        self._parts = parts
        self._name = name

    def writer(self, index: int) -> Write:
        writers = [part.writer(index) for part in self._parts]

        def write(value: Any) -> None:
            if len(value) != len(writers):
                raise ValueError(f"{self._name} has {len(value)} parts, its space {len(writers)}")
            for write_part, part in zip(writers, value, strict=True):
                write_part(part)

        return write

    def all(self, copy: bool) -> Any:
        return tuple(part.all(copy) for part in self._parts)

    def some(self, indices: Sequence[int]) -> Any:
        return tuple(part.some(indices) for part in self._parts)


class _ObjectBatch(Batch):
    """For Text and all else that has no array: a tuple of what the envs gave."""

    def __init__(self, n: int) -> None:
        self._items: list[Any] = [None] * n

    def writer(self, index: int) -> Write:
        def write(value: Any) -> None:
            self._items[index] = value

        return write

    def all(self, copy: bool) -> Any:
        return deepcopy(tuple(self._items)) if copy else tuple(self._items)

    def some(self, indices: Sequence[int]) -> Any:
        return deepcopy(tuple(self._items[index] for index in indices))
