"""The elements of a reactor besides its ports: timers, actions, startup and shutdown.

As a class attribute an element is a declaration, and the one to hand to `@reaction`. Every instance
has live elements of its own under the same names, which are what a body reads, sets and schedules.
"""

from __future__ import annotations

import operator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from . import _core
from .ports import path_of, read
from .time import TimeLike, to_ns

T = TypeVar("T")
Policy = Literal["defer", "drop", "replace", "update"]
Full = Literal["raise", "drop", "block"]

POLICIES: tuple[str, ...] = (
    "defer",
    "drop",
    "replace",
    "update",
)  # in the order of _core's numbers
_FULL = ("raise", "drop", "block")

startup = _core.STARTUP
"""Trigger that is present at the first tag, (0, 0)."""
shutdown = _core.SHUTDOWN
"""Trigger that is present at the last tag."""


class ActionSpec(NamedTuple):
    """What an action was declared with; times in ns, a spacing of -1 for none."""

    min_delay_ns: int
    min_spacing_ns: int
    policy: str
    capacity: int = 1
    full: str = "raise"


class TimerSpec(NamedTuple):
    """What a timer was declared with: times in ns, or names of attributes of its reactor."""

    offset: int | str
    period: int | str | None


class _Action(_core.Action, Generic[T]):
    __slots__ = ()

    value: T
    is_present: bool

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            return read(self, name)

    __str__ = path_of

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class LogicalAction(_Action[T]):
    """An event that a reaction schedules for a later tag of its own reactor.

    `schedule(value=None, *, delay=0)`, in a body that declares the action as an effect, makes an
    event at `min_delay + delay` from this tag; 0 in all is the next microstep. It returns a handle:
    `.tag` of the event, `None` if it was dropped; `.cancel()` takes it back and is true if it was
    still pending. Raises `UndeclaredEffectError`, `PhaseError` outside a reaction, `OverflowError`
    past the end of time.

    Args:
        min_delay: Added to the delay of every `schedule`; 0 is one microstep later.
        min_spacing: Least time between two events, or `None`.
        policy: With `min_spacing`, what becomes of an event that comes too early: `"defer"`,
            `"drop"`, `"replace"` the pending event's value, or `"update"` (the pending event is
            taken back).

    Raises:
        TypeError, ValueError: A time is not one, or negative; the policy is none of the four.
    """

    __slots__ = ()

    def __init__(
        self,
        min_delay: TimeLike = 0,
        *,
        min_spacing: TimeLike | None = None,
        policy: Policy = "defer",
    ) -> None:
        _core.Action.__init__(self, _action_spec(min_delay, min_spacing, policy))

    if TYPE_CHECKING:

        def schedule(self, value: T | None = None, *, delay: TimeLike = 0) -> _core.Handle: ...

    else:
        schedule = _core.Action.schedule_logical  # event path 1/10 (ARCHITECTURE.md)


class PhysicalAction(_Action[T]):
    """An event from outside: `schedule` may be called from any thread while the program runs.

    It lands at the physical time of the call plus the delays. It does not keep a program alive,
    unless the program has `keepalive=True` or the action an open `producer()`.

    Args:
        min_delay: As for `LogicalAction`, also `min_spacing` and `policy`.
        min_spacing: As for `LogicalAction`.
        policy: As for `LogicalAction`.
        capacity: How many calls may wait to be taken over by the program.
        full: What a call beyond that does: `"raise"` a `CapacityError`, `"drop"` the event, or
            `"block"` until there is room.
    """

    __slots__ = ()

    def __init__(
        self,
        min_delay: TimeLike = 0,
        *,
        min_spacing: TimeLike | None = None,
        policy: Policy = "defer",
        capacity: int = 1024,
        full: Full = "raise",
    ) -> None:
        if full not in _FULL:
            raise ValueError(f"full={full!r}: it is one of {', '.join(map(repr, _FULL))}")
        if isinstance(capacity, bool):
            raise TypeError("capacity is a bool; give the number of events that may wait")
        if not 1 <= operator.index(capacity) < 2**31:
            raise ValueError(f"capacity={capacity}: at least one event must be able to wait")
        spec = _action_spec(min_delay, min_spacing, policy)
        spec = spec._replace(capacity=operator.index(capacity), full=full)
        _core.Action.__init__(self, spec)

    def schedule(self, value: T | None = None, *, delay: TimeLike = 0) -> _core.Handle:
        """Schedule an event at the physical time plus `min_delay + delay`; from any thread.

        Args:
            value: What `.value` shows when the event comes.
            delay: Time in ns or a `timedelta`.

        Returns:
            A handle, as that of a `LogicalAction`.

        Raises:
            CapacityError: The queue is full and `full="raise"`.
            PhaseError: The program does not run, or `full="block"` would block a reaction.
            UndeclaredEffectError: Called in a body of a reaction that does not declare it.
        """
        return self.schedule_physical(value, delay, self.spec.full)

    def producer(self) -> Producer:
        """Return a scope that keeps the program alive: `with action.producer(): ...`."""
        return Producer(self)


class Producer:
    """The scope that `PhysicalAction.producer` returns; may be entered several times."""

    __slots__ = ("_action",)

    def __init__(self, action: PhysicalAction[Any]) -> None:
        self._action = action

    def __enter__(self) -> PhysicalAction[Any]:
        self._action.hold(True)
        return self._action

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._action.hold(False)


class Timer(_core.Timer):
    """A trigger that is present at `offset` and then every `period`.

    Args:
        offset: Time of the first event since the start, or the name of an attribute that holds it.
        period: Time between events, or an attribute's name; `None` or 0 for a single event.
    """

    __slots__ = ()

    is_present: bool

    def __init__(self, offset: TimeLike | str = 0, period: TimeLike | str | None = None) -> None:
        spec = TimerSpec(
            offset if isinstance(offset, str) else to_ns(offset, "offset"),
            period if period is None or isinstance(period, str) else to_ns(period, "period"),
        )
        _core.Timer.__init__(self, spec)

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            if name == "is_present":
                return self.lookup()[0]
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    __str__ = path_of

    def __repr__(self) -> str:
        return f"<Timer {self}>"


def _action_spec(min_delay: TimeLike, min_spacing: TimeLike | None, policy: str) -> ActionSpec:
    if policy not in POLICIES:
        raise ValueError(f"policy={policy!r}: it is one of {', '.join(map(repr, POLICIES))}")
    spacing = -1 if min_spacing is None else to_ns(min_spacing, "min_spacing")
    return ActionSpec(to_ns(min_delay, "min_delay"), spacing, policy)


ELEMENTS = (_core.Port, _core.Multiport, _core.Action, _core.Timer)
ACTIONS = (LogicalAction, PhysicalAction)
