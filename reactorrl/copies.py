"""The private copy that a mutable input gets when it is not the only reader."""

from __future__ import annotations

import copy
import sys
import threading
from collections import deque
from typing import Any

LARGE = 1 << 16  # bytes; from here on fresh pages cost more than looking for used ones


class PrivateCopies:
    """Makes the private copies of one program.

    The kernel clears the memory it hands out, page by page at the first write, which takes longer
    than the copying itself. So a large array is copied into memory that an earlier copy, and all
    views of it, have left. At most as much is held as was in use at one time, until `close`; in use
    is also what one thread made and another dropped, until the former runs again (without the GIL).

    Note:
        Any worker. The thread that drops an array's last view gives its memory back, in the middle
        of whatever it does, and therefore without the lock: a deque's append is atomic.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # for all but _returned
        self._returned: deque[_Memory] = deque()
        self._spare: list[_Memory] = []  # the one left last is the last
        self._used_bytes = self._most_used_bytes = 0
        self._is_closed = False

    def copy(self, value: Any, reader: Any = None) -> Any:
        """Return a copy that shares nothing with `value`.

        A NumPy array is copied like by `ndarray.copy` (one that holds objects by `copy.deepcopy`),
        a torch tensor by `Tensor.clone`, anything else by `copy.deepcopy`. Neither package is
        imported. A large array does not own its memory: it has a `base`.

        Args:
            value: What is copied.
            reader: The mutable port that needs the copy.

        Raises:
            Whatever the value's own copying raises, with a note that names the port.
        """
        try:
            return self._copied(value)
        except BaseException as error:
            if reader is not None:
                error.add_note(
                    f"{reader} is mutable and not the only reader, and so needs a copy of the"
                    f" {type(value).__name__}; give that a __deepcopy__, or do not let {reader} be"
                    " mutable"
                )
            raise

    def close(self) -> None:
        """Free what is spare. What is still in use is freed by its last user."""
        self._is_closed = True  # before the clearing, as a late `give_back` looks after its append
        with self._lock:
            self._spare.clear()
        self._returned.clear()

    def give_back(self, memory: _Memory) -> None:
        """Take in memory that nobody sees any more."""
        self._returned.append(memory)
        if self._is_closed:
            self._returned.clear()

    def _copied(self, value: Any) -> Any:
        numpy = sys.modules.get("numpy")
        if numpy is not None and type(value) is numpy.ndarray and not value.dtype.hasobject:
            return self._large(value) if value.nbytes >= LARGE else value.copy()
        for cls in type(value).__mro__:
            library = (cls.__module__, cls.__name__)
            if library == ("numpy", "ndarray") and not value.dtype.hasobject:
                return value.copy()
            if library == ("torch", "Tensor"):
                return value.clone()
        return copy.deepcopy(value)

    def _large(self, value: Any) -> Any:
        numpy = sys.modules["numpy"]
        memory = self._take(value.nbytes)
        try:
            loan = _Loan(memory, self)
        except BaseException:
            self.give_back(memory)
            raise
        array = numpy.ndarray(value.shape, value.dtype, numpy.asarray(loan))
        numpy.copyto(array, value)
        return array

    def _take(self, size: int) -> _Memory:
        """Memory of just this size: what was left last, or new."""
        with self._lock:
            while self._returned:
                memory = self._returned.popleft()  # `close` comes when no body runs
                self._used_bytes -= memory.nbytes
                self._spare.append(memory)
            most_used_bytes = max(self._most_used_bytes, self._used_bytes + size)
            for i in reversed(range(len(self._spare))):
                if self._spare[i].nbytes == size:
                    memory = self._spare.pop(i)
                    break
            else:
                held_bytes = self._used_bytes + sum(spare.nbytes for spare in self._spare)
                while held_bytes + size > most_used_bytes:
                    held_bytes -= self._spare.pop(0).nbytes
                memory = _Memory(size)
            self._used_bytes += size
            self._most_used_bytes = most_used_bytes
            return memory


class _Memory:
    """Memory, and how NumPy finds it; to ask for that takes as long as to copy 64 KB."""

    __slots__ = ("_owner", "interface", "nbytes")

    def __init__(self, size: int) -> None:
        numpy = sys.modules["numpy"]
        self._owner: Any = numpy.empty(size, numpy.uint8)
        self.interface: dict[str, Any] = self._owner.__array_interface__
        self.nbytes: int = size


class _Loan:
    """Memory as NumPy sees it, which goes back when the last array in it is gone.

    NumPy makes it the base of the first array, and a view's base never lies deeper than that.
    """

    __slots__ = ("__array_interface__", "_lender", "_memory")

    def __init__(self, memory: _Memory, lender: PrivateCopies) -> None:
        self._lender: PrivateCopies | None = None
        self.__array_interface__ = memory.interface
        self._memory = memory
        self._lender = lender  # last: whoever made it only half takes the memory back itself

    def __del__(self) -> None:
        if self._lender is not None:
            self._lender.give_back(self._memory)
