"""What `check=True` adds: arrays set on a port cannot be written until the tag ends."""

from __future__ import annotations

import threading
from typing import Any


class FrozenArrays:
    """The arrays that are payloads now, and how many ports and events hold each.

    An array that was writeable when it was set is made read-only, and writeable again when the last
    port or event lets go of it. Its base and other views of the same memory are not touched.

    Note:
        Any worker; one lock, as this is for finding mistakes, not for speed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders: dict[int, int] = {}  # by id of an array that was made read-only here

    def freeze(self, value: Any) -> None:
        """Make `value` read-only if it is a NumPy array; called once for each time it is set."""
        flags = getattr(value, "flags", None)
        if not hasattr(flags, "writeable"):
            return
        with self._lock:
            if flags.writeable:
                value.setflags(write=False)
                self._holders[id(value)] = 1
            elif id(value) in self._holders:
                self._holders[id(value)] += 1

    def thaw(self, value: Any) -> None:
        """Undo one `freeze` of `value`."""
        with self._lock:
            holders = self._holders.get(id(value))
            if holders is None:
                return
            if holders > 1:
                self._holders[id(value)] = holders - 1
                return
            del self._holders[id(value)]
        value.setflags(write=True)
