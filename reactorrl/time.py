"""Logical time: tags, and times as integers of nanoseconds."""

from __future__ import annotations

import math
import operator
from datetime import timedelta
from typing import NamedTuple, SupportsIndex

FOREVER: int = 2**63 - 1
"""Later than every time that can happen."""
NEVER: int = -(2**63)
"""Earlier than every time that can happen."""

TimeLike = int | SupportsIndex | timedelta
"""A time as users give it: an integer of nanoseconds or a `datetime.timedelta`."""


class Tag(NamedTuple):
    """A point of logical time. Tags are ordered by time, then by microstep.

    Attributes:
        time: Nanoseconds since the start of the program.
        microstep: Counts the steps that happen at one time, from 0.

    >>> Tag(msec(2), 0) < Tag(msec(2), 1)
    True
    """

    time: int
    microstep: int


def nsec(n: float) -> int:
    """Return `n` nanoseconds as an int."""
    return _scaled(n, 1, "nsec")


def usec(n: float) -> int:
    """Return `n` microseconds in nanoseconds."""
    return _scaled(n, 1_000, "usec")


def msec(n: float) -> int:
    """Return `n` milliseconds in nanoseconds.

    >>> msec(1.5)
    1500000
    """
    return _scaled(n, 1_000_000, "msec")


def sec(n: float) -> int:
    """Return `n` seconds in nanoseconds."""
    return _scaled(n, 1_000_000_000, "sec")


def to_ns(value: TimeLike, what: str = "time") -> int:
    """Return a time given by a user in nanoseconds.

    Args:
        value: An integer (NumPy's too) in nanoseconds, or a `timedelta`.
        what: How the error calls it.

    Raises:
        TypeError: `value` is a bool, a float or no number at all.
        ValueError: `value` is negative.
        OverflowError: `value` is past `FOREVER`.

    >>> to_ns(timedelta(milliseconds=3))
    3000000
    """
    if isinstance(value, timedelta):
        ns = (value.days * 86_400 + value.seconds) * 1_000_000_000 + value.microseconds * 1_000
    elif isinstance(value, bool):
        raise TypeError(f"{what} is a bool ({value}); give nanoseconds or a timedelta")
    else:
        try:
            ns = operator.index(value)
        except TypeError:
            raise TypeError(
                f"{what} is a {type(value).__name__} ({value!r}); give an int of nanoseconds,"
                " such as rr.msec(5), or a timedelta"
            ) from None
    if ns < 0:
        raise ValueError(f"{what} is negative ({value!r})")
    if ns > FOREVER:
        raise OverflowError(f"{what} is past the end of time ({value!r})")
    return ns


def _scaled(n: float, unit_ns: int, name: str) -> int:
    if isinstance(n, bool):
        raise TypeError(f"{name}({n}): a bool is no number of units")
    try:
        return operator.index(n) * unit_ns  # type: ignore[arg-type]
    except TypeError:
        pass
    if not isinstance(n, float):  # NumPy's float64 is one
        raise TypeError(f"{name}() takes a number, got a {type(n).__name__}")
    if not math.isfinite(n):
        raise ValueError(f"{name}({n}): not a finite number")
    return round(n * unit_ns)
