"""`@reaction`: what a reaction declares, and what it may declare."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

from . import _core
from .elements import (
    ACTIONS,
    ELEMENTS,
    LogicalAction,
    Mode,
    Transition,
    history,
    reset,
    shutdown,
    startup,
)
from .errors import AssemblyValueError
from .ports import INPUTS, OUTPUTS
from .scope import Nested, building, current_mode
from .time import TimeLike, to_ns

Body = Callable[[Any], object]

TRIGGER, USE, EFFECT, PEEK = _core.TRIGGER, _core.USE, _core.EFFECT, _core.PEEK
HISTORY = _core.HISTORY  # an effect, on a mode that is entered by history
EFFECTS = (EFFECT, HISTORY)
_ROLES = {TRIGGER: "trigger", USE: "use", EFFECT: "effect", HISTORY: "effect"}


def is_built_in(element: Any) -> bool:
    """Whether it is startup, shutdown or reset."""
    return element is startup or element is shutdown or element is reset


def in_roles(
    call: str, triggers: Iterable[Any], uses: Iterable[Any], effects: Iterable[Any]
) -> Iterator[tuple[int, Any]]:
    """Yield (role, element) of what `call` was given; TypeError for what is no element."""
    for role, elements in ((TRIGGER, triggers), (USE, uses), (EFFECT, effects)):
        for element in elements:
            if isinstance(element, Transition):
                is_history = role == EFFECT and element.by_history
                yield HISTORY if is_history else role, element.mode
            elif isinstance(element, ELEMENTS) or is_built_in(element):
                yield role, element
            else:
                raise TypeError(
                    f"{call}() takes elements (ports, actions, timers, modes, startup, shutdown,"
                    f" reset), got {element!r}{_hint(element)}"
                )


def _hint(element: Any) -> str:
    """What may have been meant by something that is no element."""
    if element is history:
        return "; name the mode, rr.history(mode)"
    if isinstance(element, str):
        return "; name the element itself, without quotes"
    if isinstance(element, (list, tuple)):
        return "; triggers are given one by one, and uses= and effects= by keyword"
    if isinstance(element, type) and issubclass(element, ELEMENTS):
        return f"; make one: {element.__name__}()"
    return ""


class Reaction:
    """A reaction as declared in a class body by `@reaction`; what the name means in the class.

    On an instance it is the plain method, so `super().sample()` and a direct call work.
    """

    def __init__(
        self, function: Body, declared: tuple[tuple[int, Any], ...], deadline_ns: int
    ) -> None:
        self.function = function
        self.declared = declared
        self.deadline_ns = deadline_ns  # -1: none
        self.handler: Body | None = None
        self.mode: Any = current_mode()
        self._owner: type | None = None
        self.__doc__ = function.__doc__
        self.__name__: str = getattr(function, "__name__", "reaction")

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return self.function.__get__(instance, owner)

    def on_deadline_miss(self, handler: Body | None = None) -> Any:
        """Declare what runs instead of the body when the deadline is missed; a decorator.

        The handler takes no argument but `self`, and may read and set what the reaction
        declares. A subclass overrides it by its name.

        Raises:
            TypeError: It takes arguments, or is a coroutine or a generator.
            ValueError: The reaction has no deadline, has a handler already, or belongs to another
                class.
        """
        name = getattr(self.function, "__qualname__", self.__name__).rpartition("<locals>.")[2]
        if handler is None:
            raise TypeError(f"{name}: write @{self.__name__}.on_deadline_miss without brackets")
        check_body(handler, 1)
        if self._owner is not None:
            raise AssemblyValueError(
                f"{name} belongs to {self._owner.__name__}, which is complete; override its handler"
                " by name, or decorate the reaction again"
            )
        if self.deadline_ns < 0:
            raise AssemblyValueError(
                f"{name} has no deadline to miss; give @reaction(deadline=...)"
            )
        if self.handler is not None:
            raise AssemblyValueError(f"{name} has a handler for missed deadlines already")
        self.handler = handler
        # Of the same name it would take the reaction's place in the class.
        return self if getattr(handler, "__name__", None) == self.__name__ else handler


def reaction(
    *triggers: Any, uses: Any = (), effects: Any = (), deadline: TimeLike | None = None
) -> Callable[[Body], Reaction]:
    """Declare the decorated method as a reaction; its body takes no argument but `self`.

    At a tag it runs, once, when at least one trigger is present. Within one reactor reactions are
    mutually exclusive and run in the order of their definition, those of a base class first.

    Args:
        *triggers: Elements of this class, or `startup`, `shutdown` and (in a mode) `reset`.
        uses: One element or several that the body may read and that do not trigger it.
        effects: One output, action or mode or several that the body may set or schedule; a mode
            as `red` or `rr.reset(red)`, or as `rr.history(red)`. Undeclared ones raise
            `UndeclaredEffectError` in the body.
        deadline: How late physical time may be, after the tag's time, when the body starts; in ns
            or a `timedelta`. When it is later, or for a deadline of 0 always, the handler runs
            instead (see `Reaction.on_deadline_miss`), or nothing if there is none.

    Raises:
        TypeError: Something is no element, or the body is a coroutine, a generator, or takes
            arguments.
        ValueError: The deadline is negative.

    Note:
        An override of the name in a subclass replaces the body and keeps the place; decorated
        again, it replaces what is declared, too.
    """
    if len(triggers) == 1 and isinstance(triggers[0], FunctionType):
        if triggers[0].__name__ == "<lambda>":
            raise TypeError(
                "a trigger is an element (a port, an action, a timer, startup), not a function;"
                " what depends on values is asked in the body"
            )
        raise TypeError(
            "write @rr.reaction(...) with its triggers in brackets, as in @rr.reaction(rr.startup)"
        )
    declared = tuple(in_roles("reaction", triggers, _several(uses), _several(effects)))
    deadline_ns = -1 if deadline is None else to_ns(deadline, "deadline")

    def decorate(function: Body) -> Reaction:
        if isinstance(function, Reaction):
            raise TypeError(
                f"{function.__name__} is a reaction already; give it all its triggers at once"
            )
        check_body(function, 1)
        return Reaction(function, declared, deadline_ns)

    return decorate


def check_body(function: Any, arguments: int) -> None:
    """Raise TypeError unless `function` takes so many arguments and runs when called."""
    name = getattr(function, "__qualname__", repr(function))
    if isinstance(function, (staticmethod, classmethod)) or not callable(function):
        raise TypeError(f"the body of a reaction is a method, not {function!r}")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"{name} is async: a reaction runs to its end within one tag; use a plain def"
        )
    if inspect.isgeneratorfunction(function):
        raise TypeError(f"{name} is a generator: its body would never run; use a plain def")
    try:
        inspect.signature(function).bind(*(None,) * arguments)
    except TypeError:
        takes = "self and no other argument" if arguments else "no argument"
        raise TypeError(
            f"{name}{inspect.signature(function)}: the body of a reaction takes {takes}; it reads"
            " its inputs from self"
        ) from None
    except ValueError:  # a builtin without a signature
        pass


def misused(role: int, element: Any, is_own: bool = True) -> str | None:
    """Return why an element may not stand in this role, or `None` when it may.

    Args:
        role: TRIGGER, USE, EFFECT or HISTORY.
        element: The element, or startup, shutdown or reset.
        is_own: Whether it belongs to the reaction's reactor, or else to a child of it.
    """
    if is_built_in(element):
        if role == TRIGGER:
            return None
        hint = "; as an effect name the mode, rr.reset(mode)" if element is reset else ""
        return f"{element} can only be a trigger{hint}"
    if isinstance(element, Mode):
        if not is_own:
            return "a mode is entered by the reactions of its own reactor"
        if role in EFFECTS:
            return None
        hint = (
            "rr.reset, in `with <mode>:`, triggers when it was entered by reset"
            if role == TRIGGER
            else "any body of its reactor may read self.<mode>.is_active"
        )
        return f"a mode can only be an effect, which enters it; {hint}"
    if is_own:
        if role == EFFECT:
            if isinstance(element, INPUTS):
                return "a reaction cannot set an input of its own reactor; what connects to it does"
            if not isinstance(element, OUTPUTS + ACTIONS):
                return "a timer fires by itself and cannot be an effect"
        elif role == TRIGGER and isinstance(element, OUTPUTS):
            return (
                "a reactor's own output cannot trigger it; to set it name it in effects=, to read"
                " it back in uses= of a reaction defined after the one that sets it"
            )
        return None
    if not isinstance(element, INPUTS + OUTPUTS):
        return "actions and timers belong to the reactions of their own reactor"
    if role == EFFECT:
        return None if isinstance(element, INPUTS) else "only the child itself sets its output"
    return None if isinstance(element, OUTPUTS) else "a child's input is for the child to read"


def out_of_phase(subject: Any) -> str:
    """Why what only a running reaction may do cannot be done here, where none runs."""
    text = "only a running reaction may do this; "
    if building.stack:
        return f"{text}in __init__ none runs yet, so do it in one on rr.startup"
    if isinstance(subject, LogicalAction):
        return f"{text}from outside schedule a PhysicalAction"
    return f"{text}rr.run(main) runs them, and nothing else calls them"


def misplaced(name: str, element: Any, mode: Any) -> str | None:
    """Why an element may not be made in a mode, or `None` when it may."""
    if isinstance(element, INPUTS + OUTPUTS):
        return f"{name} is a port, which cannot belong to the mode {mode}; make it outside"
    if isinstance(element, Mode):
        return f"{name} is a mode made in the mode {mode}; a child in that mode may have modes"
    return None


def unnamed_text(mode: Any) -> str:
    """What to add where a mode is none of the reactor's."""
    return "" if mode.name else "; a mode needs a name of its own, as in red = rr.Mode()"


def nested_text(made_in: Nested) -> str:
    return (
        f"`with {made_in.inner}:` stands inside `with {made_in.outer}:`; modes are nested by a"
        " child in the outer one, with modes of its own"
    )


def elsewhere_text(what: str, mode: Any) -> str:
    return (
        f"{what} belongs to the mode {mode}, and only what is in that mode may name it; put both"
        f" into `with {mode}:`, or neither"
    )


def ambiguous(declared: Iterable[tuple[int, Any]]) -> str | None:
    """Say which mode is entered both by reset and by history, or `None`."""
    by_role = [{what for role, what in declared if role == effect} for effect in EFFECTS]
    both = by_role[0] & by_role[1]
    if not both:
        return None
    return f"enters {min(map(str, both))} by reset and by history; declare one of them"


def role_name(role: int) -> str:
    return _ROLES[role]


def _several(elements: Any) -> tuple[Any, ...]:
    return tuple(elements) if isinstance(elements, (tuple, list)) else (elements,)
