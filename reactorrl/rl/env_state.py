"""The state of an env as plain data, so that a checkpoint can bring it back without pickle.

An env and its wrappers are walked attribute by attribute. Numbers, texts, arrays, generators and
containers of them are the state; functions, classes and what Gymnasium never changes are not. An
env that holds anything else (an emulator, a physics engine) can offer its state itself: by
`get_state()`, which returns numbers, texts, arrays and containers of them, and `set_state(state)`,
both of the env and all that it wraps.
"""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec

# Set once, or of no consequence for what the env does: the tables of the toy texts, what wrappers
# were made with, and the observation that the checker compares addresses with.
_CONSTANTS = frozenset(
    {"spec", "_cached_spec", "metadata", "_metadata", "_saved_kwargs", "_previous_data", "P"}
)
_PLAIN = (type(None), bool, int, float, str)
_CODE = (
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    EnvSpec,
)


def env_state(env: Any) -> dict[str, Any] | None:
    """Return an env's state as nested dicts and lists of arrays and scalars, all of them copies.

    Args:
        env: Of Gymnasium or PettingZoo; it has been reset.

    Returns:
        None if the env holds something that cannot be saved; `unsavable` says what.
    """
    try:
        return _Writer().write_env(env, type(env).__name__)
    except _UnsavableError:
        return None


def unsavable(env: Any) -> str | None:
    """Return in a few words what keeps an env from being saved, None if nothing does."""
    try:
        _Writer().write_env(env, type(env).__name__)
    except _UnsavableError as error:
        return str(error)
    return None


def states_of(envs: Iterable[Any]) -> dict[str, Any]:
    """Return what a rollout's state says of its envs.

    Returns:
        `envs` are their states, None where there is none; `unsavable` is what kept the first of
        those from being saved, None if all were.
    """
    states, reason = [], None
    for env in envs:
        state = env_state(env)
        states.append(state)
        if state is None and reason is None:
            reason = unsavable(env)
    return {"envs": states, "unsavable": reason}


def restore_env(env: Any, state: dict[str, Any] | None) -> None:
    """Bring a freshly made and reset env into a state; leave it as it is where there is none.

    Raises:
        ValueError: The state is of another kind of env.
    """
    if state is not None:
        _Reader().read(state, env)


class _UnsavableError(Exception):
    pass


class _Writer:
    """Encodes values as `{kind: data}`, and what is held twice as a reference to the first."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}
        self._seen: list[Any] = []  # kept alive, as they are known by their addresses

    def write(self, value: Any, where: str) -> Any:
        if type(value) in _PLAIN:
            return value
        if isinstance(value, np.generic) and value.dtype.kind in "biufcSU":
            return {"scalar": np.array(value)}
        if id(value) in self._numbers:
            return {"same": self._numbers[id(value)]}
        if isinstance(value, gym.Env) or _is_of_pettingzoo(value):
            return self.write_env(value, where)
        self._note(value)
        return self._write_object(value, where)

    def _note(self, value: Any) -> None:
        self._numbers[id(value)] = len(self._seen)
        self._seen.append(value)

    def _write_object(self, value: Any, where: str) -> Any:
        kind = type(value)
        if kind is np.ndarray and not value.dtype.hasobject:
            self._refuse_views(value, where)
            return {"array": value.copy()}
        if kind is np.random.Generator:
            return {"generator": value.bit_generator.state}
        if kind in (list, tuple):
            items = [self.write(each, f"{where}[{i}]") for i, each in enumerate(value)]
            return {kind.__name__: items}
        if kind is deque:
            items = [self.write(each, f"{where}[{i}]") for i, each in enumerate(value)]
            return {"deque": items, "maxlen": value.maxlen}
        if kind is dict:
            pairs = value.items()
            return {
                "dict": [[self.write(k, where), self.write(v, f"{where}[{k!r}]")] for k, v in pairs]
            }
        if isinstance(value, gym.Space):
            states = [_generator_of(space) for space in _spaces_in(value)]
            return {"space": states}
        raise _UnsavableError(f"{where} is a {kind.__module__}.{kind.__qualname__}")

    def write_env(self, env: Any, where: str) -> dict[str, Any]:
        self._note(env)
        kind = type(env)
        if hasattr(kind, "get_state") and hasattr(kind, "set_state"):
            state = self.write(env.get_state(), f"{where}.get_state()")
            return {"env": kind.__name__, "state": state}
        if any(getattr(each, "__slots__", ()) for each in kind.__mro__):
            raise _UnsavableError(f"{where} has __slots__")
        attributes = {
            name: self.write(value, f"{where}.{name}" if name != "env" else type(value).__name__)
            for name, value in vars(env).items()
            if name not in _CONSTANTS and not self._is_code(value)
        }
        return {"env": kind.__name__, "attributes": attributes}

    def _is_code(self, value: Any) -> bool:
        if isinstance(value, types.MethodType):
            return id(value.__self__) in self._numbers
        return isinstance(value, _CODE)

    def _refuse_views(self, array: np.ndarray[Any, Any], where: str) -> None:
        for other in self._seen[:-1]:
            if isinstance(other, np.ndarray) and np.may_share_memory(array, other):
                raise _UnsavableError(f"{where} shares memory with another array")


class _Reader:
    """The inverse: makes new values, but brings envs and spaces that exist into the state."""

    def __init__(self) -> None:
        self._made: list[Any] = []

    def read(self, data: Any, existing: Any = None) -> Any:
        if type(data) in _PLAIN:
            return data
        kind = next(iter(data))
        content = data[kind]
        if kind == "scalar":
            return np.asarray(content)[()]
        if kind == "same":
            return self._made[content]
        number = len(self._made)
        self._made.append(None)
        made = self._made[number] = getattr(self, f"_read_{kind}")(number, data, existing)
        return made

    def _read_array(self, number: int, data: Any, existing: Any) -> Any:
        return np.array(data["array"])

    def _read_generator(self, number: int, data: Any, existing: Any) -> Any:
        return _generator_from(data["generator"])

    def _read_list(self, number: int, data: Any, existing: Any) -> Any:
        made = self._made[number] = []
        made += self._read_items(data["list"], existing)
        return made

    def _read_tuple(self, number: int, data: Any, existing: Any) -> Any:
        return tuple(self._read_items(data["tuple"], existing))

    def _read_deque(self, number: int, data: Any, existing: Any) -> Any:
        made = self._made[number] = deque(maxlen=data["maxlen"])
        made.extend(self._read_items(data["deque"], existing))
        return made

    def _read_items(self, items: list[Any], existing: Any) -> list[Any]:
        there = list(existing) if isinstance(existing, (list, tuple, deque)) else []
        return [self.read(each, old) for each, old in zip_longest(items, there[: len(items)])]

    def _read_dict(self, number: int, data: Any, existing: Any) -> Any:
        there = existing if isinstance(existing, dict) else {}
        made = self._made[number] = {}
        for saved_key, value in data["dict"]:
            key = self.read(saved_key)
            made[key] = self.read(value, there.get(key))
        return made

    def _read_space(self, number: int, data: Any, existing: Any) -> Any:
        states = data["space"]
        spaces = list(_spaces_in(existing)) if isinstance(existing, gym.Space) else []
        if len(spaces) != len(states):
            raise ValueError("the saved env has other spaces")
        for space, state in zip(spaces, states, strict=True):
            space._np_random = None if state is None else _generator_from(state)  # noqa: SLF001
        return existing

    def _read_env(self, number: int, data: Any, existing: Any) -> Any:
        self._made[number] = existing
        if type(existing).__name__ != data["env"]:
            raise ValueError(f"the saved env is a {data['env']}, this one {existing!r}")
        if "state" in data:
            existing.set_state(self.read(data["state"]))
            return existing
        attributes = vars(existing)
        for name, value in data["attributes"].items():
            attributes[name] = self.read(value, attributes.get(name))
        return existing


def _is_of_pettingzoo(value: Any) -> bool:
    return any(kind.__module__.startswith("pettingzoo.") for kind in type(value).__mro__)


def _spaces_in(space: gym.Space[Any]) -> Iterator[gym.Space[Any]]:
    """A space and those that it is made of: each has a generator of its own."""
    yield space
    parts = getattr(space, "spaces", ())
    for part in parts.values() if isinstance(parts, dict) else parts:
        yield from _spaces_in(part)


def _generator_of(space: gym.Space[Any]) -> dict[str, Any] | None:
    generator = space._np_random  # noqa: SLF001 - the property would seed one from the system
    return None if generator is None else generator.bit_generator.state


def _generator_from(state: dict[str, Any]) -> np.random.Generator:
    name = state["bit_generator"]
    kind = getattr(np.random, name, None)
    if not (isinstance(kind, type) and issubclass(kind, np.random.BitGenerator)):
        raise ValueError(f"{name!r} is no bit generator of NumPy")
    bits = kind()
    bits.state = state
    return np.random.Generator(bits)
