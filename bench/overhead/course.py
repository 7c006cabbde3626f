"""A long run in a hundred laps: what a round cost, and what memory there was. Standard library."""

import os
import statistics
import sys
import time
from array import array
from collections.abc import Callable
from typing import Any

from ..stopwatch import Stopwatch, counters

LAPS = 100
TENTHS = 10
FIELDS = 64  # bytes of /proc/self/statm, at most


class Course(Stopwatch):
    """A stopwatch that a program asks for more rounds a hundred times.

    The lap before the first, of the same length, is not counted. Looking at the memory and at the
    work between two laps is in neither of them.

    Args:
        rounds: Of the whole run; rounded down to hundreds.
        spent: The time in ns that envs have computed until now.
    """

    def __init__(self, rounds: int, spent: Callable[[], int] = lambda: 0) -> None:
        each = max(1, rounds // LAPS)
        super().__init__(each, each * LAPS)
        self.spent = spent
        self._each = each
        self._laps = -1
        # What is noted between laps is written into these, so that no object is made for it.
        self._ns, self._spent, self._blocks = (array("q", bytes(8 * (LAPS + 1))) for _ in range(3))
        self._pages = memoryview(bytearray(FIELDS * (LAPS + 1)))
        self._statm = os.open("/proc/self/statm", os.O_RDONLY)

    def lap(self) -> int:
        """The number of rounds to do before the next call; 0 when the run is over."""
        now = time.perf_counter_ns()
        if self._begin:
            self._laps += 1
            self._note(now)
        if self._laps == LAPS:
            self._end()
            return 0
        self._begin = time.perf_counter_ns()
        return self._each

    def _note(self, now: int) -> None:
        lap = self._laps
        if not lap:
            self._before = counters()
        self._ns[lap] = now - self._begin
        self._spent[lap] = self.spent()
        self._blocks[lap] = sys.getallocatedblocks()
        os.preadv(self._statm, [self._pages[lap * FIELDS : (lap + 1) * FIELDS]], 0)

    def _end(self) -> None:
        os.close(self._statm)
        self._todo = []
        self.ns = sum(self._ns[1:])
        self.cpu_ns, self.switches, self.stolen = (
            last - first for first, last in zip(self._before, counters(), strict=True)
        )

    def reply(self, check: Any, **extra: Any) -> dict[str, Any]:
        """Also what was seen on the way.

        `cost` and `spent`: ns of a round, and of its envs, in each tenth; `grown`: bytes of
        resident memory at the end of each tenth, more than before the first; `slope`: of the
        resident set in the last four fifths, bytes a round; `blocks`: of the interpreter's
        allocator, by which the thread that asks for laps holds more at the end than after the
        first fifth.
        """
        laps = range(LAPS + 1)
        pages = [bytes(self._pages[lap * FIELDS :][:FIELDS]).split() for lap in laps]
        size = os.sysconf("SC_PAGE_SIZE")
        # Without pages of files, which come in over time.
        resident = [(int(all_) - int(shared)) * size for _, all_, shared, *_ in pages]
        late = resident[LAPS // 5 :]
        slope, _ = statistics.linear_regression([i * self._each for i in range(len(late))], late)
        length = LAPS // TENTHS
        ends = range(length, LAPS + 1, length)
        rounds = length * self._each
        return super().reply(
            check,
            cost=[sum(self._ns[end - length + 1 : end + 1]) / rounds for end in ends],
            spent=[(self._spent[end] - self._spent[end - length]) / rounds for end in ends],
            grown=[resident[end] - resident[0] for end in ends],
            slope=slope,
            blocks=self._blocks[-1] - self._blocks[LAPS // 5],
            **extra,
        )


def tenths(rounds: int) -> list[int]:
    """The numbers of rounds done at the end of each tenth."""
    return [max(1, rounds // LAPS) * (LAPS // TENTHS) * (tenth + 1) for tenth in range(TENTHS)]
