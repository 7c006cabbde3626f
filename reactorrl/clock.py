"""`VirtualClock`: physical time that only a test moves."""

from __future__ import annotations

from typing import Any

from . import _core
from .errors import PhaseError
from .time import TimeLike, to_ns


class VirtualClock:
    """A clock for `Program(main, clock=...)`; with it, nothing depends on how fast anything runs.

    It stands still while reactions run, and jumps to the time of the next tag instead of waiting.
    Deadlines, `physical_elapsed`, `lag` and the tags of physical actions go by it. A clock belongs
    to one program.

    >>> import reactorrl as rr
    >>> clock = VirtualClock()
    >>> class Slow(rr.Reactor):
    ...     @rr.reaction(rr.startup)
    ...     def work(self):
    ...         clock.advance(rr.msec(3))  # so long it takes
    ...         print(self.lag())
    >>> _ = rr.run(Slow(), clock=clock)
    3000000
    """

    def __init__(self) -> None:
        self._runtime: Any = None

    @property
    def now(self) -> int:
        """Physical time since the start of the program, in ns; 0 before."""
        return 0 if self._runtime is None else _core.elapsed_ns(self._runtime)

    def advance(self, delta: TimeLike) -> None:
        """Move the clock on.

        In a body of the program: the body takes so long. It sees the new time at once; the clock
        moves once the bodies that run beside it are done, by the longest of them. Elsewhere: now.

        Args:
            delta: In ns or a `timedelta`.

        Raises:
            PhaseError: There is no program yet.
            ValueError: `delta` is negative.
        """
        delta_ns = to_ns(delta, "delta")
        if self._runtime is None:
            raise PhaseError("the clock stands at 0 until a Program has it: Program(main, clock=)")
        _core.advance_clock(self._runtime, delta_ns)

    def bind(self, runtime: Any) -> None:
        """Belong to a program from now on; `Program` calls this."""
        self._runtime = runtime

    @property
    def is_taken(self) -> bool:
        """Whether a program has it."""
        return self._runtime is not None

    def __repr__(self) -> str:
        return f"<VirtualClock at {self.now} ns>"
