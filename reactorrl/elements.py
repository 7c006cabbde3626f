"""The elements of a reactor besides its ports: timers, actions, modes; startup, shutdown, reset.

As a class attribute an element is a declaration, and the one to hand to `@reaction`. Every instance
has live elements of its own under the same names, which are what a body reads, sets and schedules.
"""

from __future__ import annotations

import operator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple

from . import _core
from .errors import PhaseError
from .ports import T, assign, check_bool, path_of, read, refuse_truth
from .scope import building, enter_mode, leave_mode
from .time import TimeLike, to_ns

Policy = Literal["defer", "drop", "replace", "update"]
Full = Literal["raise", "drop", "block"]

POLICIES: tuple[str, ...] = (
    "defer",
    "drop",
    "replace",
    "update",
)  # in the order of _core's numbers
_FULL = ("raise", "drop", "block")

startup: _core.Edge = _core.startup
"""Trigger that is present at the first tag, (0, 0); in a mode, after it became active first."""
shutdown: _core.Edge = _core.shutdown
"""Trigger that is present at the last tag; not in a mode that was never active."""


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

        __setattr__ = assign
        __bool__ = refuse_truth

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
    unless the program has `keepalive=True` or the action an open `producer()`. An event that
    `min_spacing` moves past the end of time ends the program with an OverflowError.

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

    __slots__ = ("_action", "_entered")

    def __init__(self, action: PhysicalAction[Any]) -> None:
        self._action = action
        self._entered: list[None] = []  # one for each time; appends and pops of any thread add up

    def __enter__(self) -> PhysicalAction[Any]:
        self._action.hold(True)
        self._entered.append(None)
        return self._action

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._entered.pop()
        except IndexError:
            text = f"a producer of {self._action} is left without being entered"
            raise PhaseError(text) from None
        self._action.hold(False)


class Timer(_core.Timer):
    """A trigger that is present at `offset` and then every `period`, while there is time.

    Args:
        offset: Time of the first event since the start, or the name of an attribute that holds it.
        period: Time between events, or an attribute's name; `None` or 0 for a single event.
    """

    __slots__ = ()

    is_present: bool

    def __init__(self, offset: TimeLike | str = 0, period: TimeLike | str | None = None) -> None:
        for name in (offset, period):
            if isinstance(name, str) and not name.isidentifier():
                raise ValueError(
                    f"Timer({name!r}): a text is the name of an attribute that holds the time;"
                    " for a time write rr.msec(100) or a timedelta"
                )
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

        __bool__ = refuse_truth

    __str__ = path_of

    def __repr__(self) -> str:
        return f"<Timer {self}>"


class Mode(_core.Mode):
    """One of several ways in which a reactor may work, exactly one of which is current.

    What is declared in its `with` block belongs to the mode: reactions, timers and actions in the
    class body; children, connections and added reactions in `__init__`, as `with self.red:`. It is
    active while the mode and all that enclose it are current. A reaction enters a mode that it
    declares as effect by `self.red.set()`, after its tag: by reset, or by history if it declares
    `rr.history(red)`.

    A child lies in the mode if it is made in the block: one that was made elsewhere, and is only
    assigned there, does not.

    Args:
        initial: Whether the program starts in it; one mode of a reactor does.

    Raises:
        TypeError: `initial` is no bool.

    >>> import reactorrl as rr
    >>> class Light(rr.Reactor):
    ...     red, green = rr.Mode(initial=True), rr.Mode()
    ...     with red:
    ...         wait = rr.Timer(rr.sec(3))
    ...         @rr.reaction(wait, effects=green)
    ...         def go(self):
    ...             self.green.set()
    """

    __slots__ = ()

    def __init__(self, *, initial: bool = False) -> None:
        _core.Mode.__init__(self, check_bool(initial, "initial"))

    @property
    def initial(self) -> bool:
        """Whether the program starts in it."""
        return super().initial

    if TYPE_CHECKING:

        def set(self) -> None:
            """Enter the mode when this tag is over; the last call of a tag counts.

            Raises:
                UndeclaredEffectError: The reaction does not declare it as effect.
                PhaseError: Called outside a reaction.
            """

        @property
        def is_active(self) -> bool:
            """Whether it and all that enclose it are current. PhaseError outside its reactor."""

    def __enter__(self) -> Mode:
        if self.id >= 0:
            raise PhaseError(f"with {self}: is for before the program is assembled")
        made = building.stack[-1] if building.stack else None
        if made is not None and made.plan.declarations.get(self.name) is self:
            raise TypeError(
                f"with {type(made.reactor).__name__}.{self}: is the declaration; write `with"
                f" self.{self}:`"
            )
        enter_mode(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        leave_mode()

    __str__ = path_of

    def __repr__(self) -> str:
        return f"<Mode {self}>"


class Transition:
    """How an effect enters a mode; what `rr.reset(mode)` and `rr.history(mode)` return."""

    __slots__ = ("by_history", "mode")

    def __init__(self, mode: Mode, by_history: bool) -> None:
        self.mode: Mode = mode
        self.by_history: bool = by_history

    def __enter__(self) -> None:
        raise TypeError(f"with {self!r}: is no mode; write `with` and the mode itself")

    def __exit__(self, *_: object) -> None:
        pass

    def __repr__(self) -> str:
        return f"rr.{'history' if self.by_history else 'reset'}({self.mode})"


class _Reset(_core.Edge):
    """Trigger that is present one microstep after the mode of the reaction was entered by reset.

    `rr.reset(mode)` is the effect of entering it so: its events and those of all modes in it are
    discarded, its timers start again, and the reactors in it go back to their initial modes.
    """

    def __call__(self, mode: Mode | None = None) -> Transition:
        if mode is None:
            raise TypeError("rr.reset(mode) is an effect; the trigger is rr.reset without brackets")
        return Transition(_checked_mode(mode, "reset"), by_history=False)


reset: _Reset = _Reset("reset", _core.RESET)
"""Trigger that is present one microstep after the mode of the reaction was entered by reset.

`rr.reset(mode)` is the effect of entering it so: its events and those of all modes in it are
discarded, its timers start again, and the reactors in it go back to their initial modes.
"""


def history(mode: Mode) -> Transition:
    """Return the effect of entering a mode by history: it goes on where it was left.

    The events that were pending then come with the delays that remained.

    Raises:
        TypeError: `mode` is no mode.
        PhaseError: The program has been assembled.
    """
    return Transition(_checked_mode(mode, "history"), by_history=True)


def _checked_mode(mode: Mode, what: str) -> Mode:
    if not isinstance(mode, Mode):
        raise TypeError(f"rr.{what}(mode) takes a mode, got {mode!r}")
    if mode.id >= 0:
        advice = f"in the body call self.{mode.name}.set()"
        raise PhaseError(f"rr.{what}({mode}) is for effects=; {advice}")
    return mode


def _action_spec(min_delay: TimeLike, min_spacing: TimeLike | None, policy: str) -> ActionSpec:
    if policy not in POLICIES:
        raise ValueError(f"policy={policy!r}: it is one of {', '.join(map(repr, POLICIES))}")
    spacing = -1 if min_spacing is None else to_ns(min_spacing, "min_spacing")
    return ActionSpec(to_ns(min_delay, "min_delay"), spacing, policy)


ELEMENTS = (_core.Port, _core.Multiport, _core.Action, _core.Timer, _core.Mode)
ACTIONS = (LogicalAction, PhysicalAction)
