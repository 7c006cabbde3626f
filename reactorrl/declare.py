"""`@reaction`: what a reaction declares, and what it may declare."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

from . import _core
from .elements import ACTIONS, ELEMENTS
from .ports import INPUTS, OUTPUTS

Body = Callable[[Any], object]

TRIGGER, USE, EFFECT, PEEK = _core.TRIGGER, _core.USE, _core.EFFECT, _core.PEEK
_ROLES = {TRIGGER: "trigger", USE: "use", EFFECT: "effect"}


def is_built_in(element: Any) -> bool:
    """Whether it is startup or shutdown."""
    return element is _core.STARTUP or element is _core.SHUTDOWN


class Reaction:
    """A reaction as declared in a class body by `@reaction`; what the name means in the class.

    On an instance it is the plain method, so `super().sample()` and a direct call work.
    """

    def __init__(
        self,
        function: Body,
        triggers: tuple[Any, ...],
        uses: tuple[Any, ...],
        effects: tuple[Any, ...],
    ) -> None:
        self.function = function
        self.declared: tuple[tuple[int, Any], ...] = (
            *((TRIGGER, element) for element in triggers),
            *((USE, element) for element in uses),
            *((EFFECT, element) for element in effects),
        )
        self.__doc__ = function.__doc__
        self.__name__ = getattr(function, "__name__", "reaction")

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        return self.function.__get__(instance, owner)

    def on_deadline_miss(self, handler: Body) -> Body:
        """Not available yet."""
        raise ValueError("deadlines are not available yet")


def reaction(
    *triggers: Any, uses: Any = (), effects: Any = (), deadline: Any = None
) -> Callable[[Body], Reaction]:
    """Declare the decorated method as a reaction; its body takes no argument but `self`.

    At a tag it runs, once, when at least one trigger is present. Within one reactor reactions are
    mutually exclusive and run in the order of their definition, those of a base class first.

    Args:
        *triggers: Elements of this class, or `startup` and `shutdown`.
        uses: One element or several that the body may read and that do not trigger it.
        effects: One output or action or several that the body may set or schedule. Undeclared ones
            raise `UndeclaredEffectError` in the body.
        deadline: Not available yet.

    Raises:
        TypeError: Something is no element, or the body is a coroutine, a generator, or takes
            arguments.
        ValueError: A deadline was given.

    Note:
        An override of the name in a subclass replaces the body and keeps the place; decorated
        again, it replaces what is declared, too.
    """
    if deadline is not None:
        raise ValueError("reaction(deadline=...) is not available yet")
    if len(triggers) == 1 and isinstance(triggers[0], FunctionType):
        raise TypeError("write @rr.reaction(...) with its triggers in brackets")
    roles = (_several(triggers), _several(uses), _several(effects))
    for element in (*roles[0], *roles[1], *roles[2]):
        if not isinstance(element, ELEMENTS) and not is_built_in(element):
            raise TypeError(
                "reaction() takes elements (ports, actions, timers, startup, shutdown), got"
                f" {element!r}"
            )

    def decorate(function: Body) -> Reaction:
        if isinstance(function, Reaction):
            raise TypeError(
                f"{function.__name__} is a reaction already; give it all its triggers at once"
            )
        check_body(function, 1)
        return Reaction(function, *roles)

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
        role: TRIGGER, USE or EFFECT.
        element: The element, or startup or shutdown.
        is_own: Whether it belongs to the reaction's reactor, or else to a child of it.
    """
    if is_built_in(element):
        return None if role == TRIGGER else f"{element} can only be a trigger"
    if is_own:
        if role == EFFECT:
            if isinstance(element, INPUTS):
                return "a reaction cannot set an input of its own reactor; what connects to it does"
            if not isinstance(element, OUTPUTS + ACTIONS):
                return "a timer fires by itself and cannot be an effect"
        elif role == TRIGGER and isinstance(element, OUTPUTS):
            return (
                "a reactor's own output cannot trigger it; reactions run in the order of their"
                " definition, and `uses` reads it back"
            )
        return None
    if not isinstance(element, INPUTS + OUTPUTS):
        return "actions and timers belong to the reactions of their own reactor"
    if role == EFFECT:
        return None if isinstance(element, INPUTS) else "only the child itself sets its output"
    return None if isinstance(element, OUTPUTS) else "a child's input is for the child to read"


def role_name(role: int) -> str:
    return _ROLES[role]


def _several(elements: Any) -> tuple[Any, ...]:
    return tuple(elements) if isinstance(elements, (tuple, list)) else (elements,)
