"""What is being made on this thread: reactors whose `__init__` runs, and modes that are entered."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple


class Nested(NamedTuple):
    """Stands for `inner` where `with inner:` is inside `with outer:`, which the assembly tells."""

    inner: Any
    outer: Any


class Building(threading.local):
    """What is open on this thread, innermost last.

    Attributes:
        stack: The nodes whose `__init__` runs.
        modes: (mode or `Nested`, length of `stack` when it was entered).
    """

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.modes: list[tuple[Any, int]] = []


building: Building = Building()


def current_mode() -> Any:
    """Return the mode (or `Nested`) in whose `with` block something is made now, or `None`.

    The `__init__` of a child that is made in the block has a scope of its own.
    """
    modes = building.modes
    return modes[-1][0] if modes and modes[-1][1] == len(building.stack) else None


def enter_mode(mode: Any) -> None:
    outer = current_mode()
    if outer is not None:
        mode = Nested(mode, outer.inner if type(outer) is Nested else outer)
    building.modes.append((mode, len(building.stack)))


def leave_mode() -> None:
    building.modes.pop()
