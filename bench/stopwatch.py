"""Times the middle of a run. Standard library only: every measured process imports it."""

import resource
import time
from typing import Any


def involuntary_switches() -> int:
    """How often the kernel took a processor away from any thread of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def stolen_ticks() -> int:
    """Ticks that the hypervisor gave to others, over all processors; 0 where it does not say."""
    try:
        with open("/proc/stat") as stat:
            fields = stat.readline().split()
        return int(fields[8])
    except (OSError, IndexError, ValueError):
        return 0


def counters() -> tuple[int, int, int]:
    """Processor time, involuntary switches and stolen ticks until now."""
    return time.process_time_ns(), involuntary_switches(), stolen_ticks()


class Stopwatch:
    """Skips the first `warm` rounds of a run, then times the next `rounds`.

    The measured program counts down and asks at zero for more:

        self.left = watch.lap()
        ...
        self.left -= 1
        if not self.left:
            self.left = watch.lap()
            if not self.left:
                stop()

    With `singles`, that many more rounds follow, each timed alone: `lap` is called after each.
    """

    def __init__(self, warm: int, rounds: int, *, singles: int = 0) -> None:
        if warm < 1 or rounds < 1:
            raise ValueError("warm and rounds are at least 1")
        self.rounds = rounds
        self._todo = [0, *[1] * singles, rounds, warm]
        self._single_from = 2 + singles  # laps that are left when the timed rounds are done
        self._before = (0, 0, 0)
        self._begin = 0
        self.ns = 0
        self.cpu_ns = 0  # of all threads of the process
        self.switches = 0
        self.stolen = 0
        self.singles_ns: list[int] = []

    def lap(self) -> int:
        """The number of rounds to do before the next call; 0 when the run is over."""
        now = time.perf_counter_ns()
        left = len(self._todo) - self._single_from
        if left < -1:
            self.singles_ns.append(now - self._begin)
        elif left == -1:
            after = counters()
            self.ns = now - self._begin
            self.cpu_ns, self.switches, self.stolen = (
                last - first for first, last in zip(self._before, after, strict=True)
            )
        elif left == 0:
            self._before = counters()
        todo = self._todo.pop()
        self._begin = time.perf_counter_ns()
        return todo

    def reply(self, check: Any, **extra: Any) -> dict[str, Any]:
        """What a measured function returns; `check` must be equal on all sides."""
        if self._todo:
            raise RuntimeError("the run ended before its last round")
        return {
            "ns": self.ns,
            "rounds": self.rounds,
            "cpu_ns": self.cpu_ns,
            "switches": self.switches,
            "stolen": self.stolen,
            "check": check,
            **({"singles_ns": self.singles_ns} if self.singles_ns else {}),
            **extra,
        }
