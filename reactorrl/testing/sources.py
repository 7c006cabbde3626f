"""Which functions read clocks and draw random numbers that no seed of the program reaches."""

from __future__ import annotations

import datetime
import os
import random
import secrets
import sys
import time
import types
import uuid
from typing import Any

_CLOCKS = (
    "time time_ns perf_counter perf_counter_ns monotonic monotonic_ns process_time process_time_ns"
    " thread_time thread_time_ns clock_gettime clock_gettime_ns"
)
_NOW = {"now", "utcnow", "today"}
_WITHOUT_A_TIME = {time.localtime, time.gmtime, time.ctime, time.asctime}  # read the clock
_UNSEEDABLE = {os.urandom, uuid.uuid1, uuid.uuid4, random.SystemRandom}
_NUMPY_GENERATORS = "default_rng RandomState SeedSequence PCG64 PCG64DXSM MT19937 Philox SFC64"
_TORCH = (
    "rand randn randint randperm normal bernoulli multinomial poisson rand_like randn_like"
    " randint_like manual_seed seed"
)


def clock_read(function: Any, n_arguments: int) -> str | None:
    """Return the name of a function that reads the wall clock when called so, or `None`."""
    if any(function is getattr(time, name, None) for name in _CLOCKS.split()):
        return f"time.{function.__name__}()"
    if _is_in(function, _WITHOUT_A_TIME) and not n_arguments:
        return f"time.{function.__name__}()"
    owner = getattr(function, "__self__", None)
    if (
        isinstance(owner, type)
        and issubclass(owner, datetime.date)
        and getattr(function, "__name__", "") in _NOW
    ):
        return f"{owner.__name__}.{function.__name__}()"
    return None


def global_random(function: Any, n_arguments: int, keywords: set[str]) -> str | None:
    """Return the name of a function that draws from a generator without a seed of ours.

    That is: the global generators of `random`, NumPy and torch; a generator made without a seed;
    the operating system's numbers.
    """
    name = getattr(function, "__name__", "")
    owner = getattr(function, "__self__", None)
    if owner is not None and owner is random._inst:  # type: ignore[attr-defined]  # noqa: SLF001
        return f"random.{name}()"
    if _is_in(function, _UNSEEDABLE) or getattr(function, "__module__", "") == secrets.__name__:
        return f"{getattr(function, '__module__', '')}.{name}()"
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        if owner is not None and owner is numpy.mtrand._rand:  # noqa: SLF001
            return f"np.random.{name}()"
        if name in ("seed", "set_state") and function is getattr(numpy, name, None):
            return f"np.random.{name}()"
    torch = sys.modules.get("torch")
    is_torch = torch is not None and name in _TORCH.split()
    if is_torch and "generator" not in keywords and function is getattr(torch, name, None):
        return f"torch.{name}()"
    if n_arguments == 0:
        made = [random.Random]
        if numpy is not None:
            made += [getattr(numpy, each) for each in _NUMPY_GENERATORS.split()]
        if _is_in(function, made):
            return f"{name}() without a seed"
    return None


def global_generators() -> dict[str, Any]:
    """The states of the global generators that are loaded, by name; equal if nothing was drawn."""
    states: dict[str, Any] = {"random": random.getstate()}
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        kind, key, *rest = numpy.get_state()
        states["np.random"] = (kind, key.tobytes(), *rest)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = torch.get_rng_state().numpy().tobytes()
    return states


MUTABLE = (list, dict, set, bytearray)
# fmt: off
MUTATORS = {
    "append", "extend", "insert", "add", "update", "setdefault", "discard", "remove", "pop",
    "popitem", "clear", "sort", "reverse", "appendleft", "extendleft", "popleft", "rotate",
    "fill", "put", "__setitem__",
}
# fmt: on


def is_mutable(value: Any) -> bool:
    """Whether it is a container whose contents a body could change."""
    return (
        isinstance(value, MUTABLE)
        or (hasattr(value, "popleft") and hasattr(value, "append"))
        or (hasattr(value, "flags") and hasattr(value, "dtype"))
    )


def is_scope(value: Any) -> bool:
    """Whether its attributes are shared by everybody: a class or a module."""
    return isinstance(value, (type, types.ModuleType))


def _is_in(function: Any, functions: Any) -> bool:
    return any(function is each for each in functions)
