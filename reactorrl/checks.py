"""What `check=True` adds: arrays set on a port cannot be written until the tag ends."""

from __future__ import annotations

import sys
import threading
from typing import Any


class FrozenArrays:
    """The arrays that are payloads now, and how many ports and events hold each.

    An array that was writeable when it was set is made read-only, and writeable again when the last
    port or event lets go of it. Its base and other views of the same memory are not touched. What
    goes to one mutable reader alone, and the copies of mutable readers, are counted and stay
    writeable.

    Note:
        Any worker; one lock, as this is for finding mistakes, not for speed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holders: dict[int, int] = {}  # by id of an array that was writeable when first held
        self._frozen: set[int] = set()  # those of them that were made read-only here

    def freeze(self, value: Any) -> None:
        """Make `value` read-only if it is a NumPy array; called once for each time it is set."""
        if self.hold(value):
            with self._lock:
                value.setflags(write=False)
                self._frozen.add(id(value))

    def hold(self, value: Any) -> bool:
        """Count one more holder of `value`; return whether it is an array that is counted."""
        numpy = sys.modules.get("numpy")
        if numpy is None or not issubclass(type(value), numpy.ndarray):
            return False
        with self._lock:
            holders = self._holders.get(id(value), 0)
            if not holders and not value.flags.writeable:
                return False
            self._holders[id(value)] = holders + 1
            return True

    def thaw(self, value: Any) -> None:
        """Undo one `freeze` or `hold` of `value`."""
        with self._lock:
            holders = self._holders.get(id(value))
            if holders is None:
                return
            if holders > 1:
                self._holders[id(value)] = holders - 1
                return
            del self._holders[id(value)]
            was_frozen = id(value) in self._frozen
            self._frozen.discard(id(value))
        if was_frozen:
            value.setflags(write=True)
