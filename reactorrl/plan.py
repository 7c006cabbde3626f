"""What a reactor class declares, worked out once when the class is made.

A `Plan` is the immutable recipe from which every instance of the class gets its live elements, and from
which the assembly reads the reactions in order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from . import _core
from .bank import ReactorBase
from .elements import ACTIONS, ELEMENTS
from .ports import INPUTS, OUTPUTS

Body = Callable[[Any], object]

TRIGGER, USE, EFFECT, PEEK = _core.TRIGGER, _core.USE, _core.EFFECT, _core.PEEK
_ROLES = {TRIGGER: "trigger", USE: "use", EFFECT: "effect"}

PORT, MULTIPORT, ACTION, TIMER = range(4)  # positions in elements.ELEMENTS


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


class PlannedReaction(NamedTuple):
    name: str
    function: Body
    # (role, name of an element, or startup/shutdown itself)
    declared: tuple[tuple[int, Any], ...]


class Plan(NamedTuple):
    """One class's elements and reactions, base classes first."""

    makers: tuple[
        tuple[str, Callable[..., Any], tuple[Any, ...]], ...
    ]  # setattr(self, name, make(self, *rest))
    elements: tuple[tuple[str, int, Any], ...]  # (name, kind, declaration)
    reactions: tuple[PlannedReaction, ...]
    problems: tuple[str, ...]  # told at assembly, after the path of the instance and a dot
    declarations: dict[str, Any]
    multiports: tuple[str, ...]
    writers: dict[str, str]  # output: the first reaction that has it as an effect
    mentions: dict[str, bool]  # see `mentioned_names`; filled when first needed


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
        TypeError: Something is no element, or the body is a coroutine, a generator, or takes arguments.
        ValueError: A deadline was given.

    Note:
        An override of the name in a subclass replaces the body and keeps the place; decorated again, it
        replaces what is declared, too.
    """
    if deadline is not None:
        raise ValueError("reaction(deadline=...) is not available yet")
    if len(triggers) == 1 and isinstance(triggers[0], FunctionType):
        raise TypeError("write @rr.reaction(...) with its triggers in brackets")
    roles = (_several(triggers), _several(uses), _several(effects))
    for element in (*roles[0], *roles[1], *roles[2]):
        if not isinstance(element, ELEMENTS) and not is_built_in(element):
            raise TypeError(
                f"reaction() takes elements (ports, actions, timers, startup, shutdown), got {element!r}"
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
    """Raise TypeError unless `function` can be called with so many positional arguments and run at once."""
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
            f"{name}{inspect.signature(function)}: the body of a reaction takes {takes}; it reads its"
            " inputs from self"
        ) from None
    except ValueError:  # a builtin without a signature
        pass


def make_plan(
    cls: type, declarations: dict[str, Any], base: type, reserved: frozenset[str]
) -> Plan:
    """Work out the plan of `cls`.

    Args:
        cls: The new class; the plans of its bases exist already.
        declarations: The elements of its own body, by name.
        base: `Reactor`.
        reserved: The public names of `Reactor`.
    """
    elements: dict[str, Any] = {}
    homes: dict[str, type] = {}  # of elements and reactions: the class that brought the name in
    reactions: list[str] = []
    problems: list[str] = []
    for owner in _lineage(cls, base):
        own = declarations if owner is cls else _declarations_of(owner)
        names = vars(owner)
        for name, value in (*own.items(), *((n, v) for n, v in names.items() if n not in own)):
            home = homes.get(name)
            if name in reserved:
                problems.append(
                    f"{name} of {owner.__name__} hides the {name} of every reactor; rename it"
                )
            elif name in elements:
                problems.append(
                    f"{name} of {owner.__name__} redefines the element {name} of {home.__name__};"
                    " rename one"
                )
            elif isinstance(value, ELEMENTS):
                if home is not None:
                    problems.append(
                        f"{name} of {owner.__name__} is an element, and that of {home.__name__} a"
                        " reaction; rename one"
                    )
                    continue
                elements[name], homes[name] = value, owner
            elif home is not None:
                if not issubclass(owner, home):
                    problems.append(
                        f"{name} is a reaction of both {home.__name__} and {owner.__name__}; rename one"
                    )
                elif isinstance(value, FunctionType):
                    check_body(value, 1)
                elif not isinstance(value, Reaction):
                    problems.append(
                        f"{name} of {owner.__name__} hides the reaction {name} of {home.__name__};"
                        " override it with a method, or rename it"
                    )
            elif isinstance(value, Reaction):
                reactions.append(name)
                homes[name] = owner
    names_of = {}
    for name, element in elements.items():
        if id(element) in names_of:
            problems.append(
                f"{name} is one and the same element as {names_of[id(element)]}; declare two"
            )
        names_of[id(element)] = name
    planned = tuple(_planned(cls, name, names_of, problems) for name in reactions)
    kinds = [(name, kind_of(element), element) for name, element in elements.items()]
    makers = [
        (name, element.make, (-1,) if kind == MULTIPORT else ()) for name, kind, element in kinds
    ]
    multiports = tuple(name for name, kind, _ in kinds if kind == MULTIPORT)
    writers: dict[str, str] = {}
    for name, _, declared in planned:
        for role, what in declared:
            if role == EFFECT and isinstance(elements[what], OUTPUTS):
                writers.setdefault(what, name)
    return Plan(
        tuple(makers), tuple(kinds), planned, tuple(problems), elements, multiports, writers, {}
    )


def kind_of(element: Any) -> int:
    """Return PORT, MULTIPORT, ACTION or TIMER."""
    return next(kind for kind, base in enumerate(ELEMENTS) if isinstance(element, base))


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
                "a reactor's own output cannot trigger it; order is the definition order, and `uses`"
                " reads it back"
            )
        return None
    if not isinstance(element, INPUTS + OUTPUTS):
        return "actions and timers belong to the reactions of their own reactor"
    if role == EFFECT:
        return None if isinstance(element, INPUTS) else "only the child itself sets its output"
    return None if isinstance(element, OUTPUTS) else "a child's input is for the child to read"


def role_name(role: int) -> str:
    return _ROLES[role]


def mentioned_names(cls: type, plan: Plan) -> dict[str, bool]:
    """Return every attribute that a method of the class mentions, and whether it can be a child's name.

    Looking these names up finds what an instance holds without asking for its `__dict__`: once somebody
    did, CPython no longer specialises the attribute accesses of that instance. What the class itself
    answers for (methods, properties) is no child's name.
    """
    if not plan.mentions:
        found: dict[str, None] = {"": None}
        for owner in reversed(cls.__mro__[:-1]):
            if issubclass(owner, ReactorBase) and "_rrl_declared" not in vars(owner):
                continue  # Reactor itself
            for value in vars(owner).values():
                function = value.function if isinstance(value, Reaction) else value
                code = getattr(function, "__code__", None)
                if isinstance(code, CodeType):
                    _collect_names(code, found)
        plan.mentions.update(
            (name, not hasattr(inspect.getattr_static(cls, name, None), "__get__"))
            for name in found
        )
    return plan.mentions


def _collect_names(code: CodeType, found: dict[str, None]) -> None:
    found.update(dict.fromkeys(code.co_names))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _collect_names(constant, found)


def _several(elements: Any) -> tuple[Any, ...]:
    return tuple(elements) if isinstance(elements, (tuple, list)) else (elements,)


def _lineage(cls: type, base: type) -> list[type]:
    """The classes that `cls` is made of, each base before what derives from it, as listed, once."""
    order: list[type] = []

    def visit(owner: type) -> None:
        if owner in order or owner is object or owner is base:
            return
        for parent in owner.__bases__:
            visit(parent)
        order.append(owner)

    visit(cls)
    return order


def _declarations_of(owner: type) -> dict[str, Any]:
    return getattr(owner, "__dict__", {}).get("_rrl_declared", {})


def _planned(
    cls: type, name: str, names_of: dict[int, str], problems: list[str]
) -> PlannedReaction:
    """The reaction `name` of `cls`: the nearest body, with what the nearest `@reaction` declares."""
    body: Body | None = None
    declared: tuple[tuple[int, Any], ...] = ()
    for owner in cls.__mro__:
        value = vars(owner).get(name)
        if isinstance(value, FunctionType):
            body = body or value
        elif isinstance(value, Reaction):
            body, declared = body or value.function, value.declared
            break
    if not any(role == TRIGGER for role, _ in declared):
        problems.append(f"{name} has no trigger and would never run; name one")
    named: list[tuple[int, Any]] = []
    for role, element in declared:
        if not is_built_in(element) and id(element) not in names_of:
            problems.append(
                f"{name} names {element}, which is no element of {cls.__name__}; for those of children, and"
                " those made in __init__, use self.add_reaction"
            )
            continue
        reason = misused(role, element)
        if reason is not None:
            problems.append(f"{name} has {element} as {_ROLES[role]}: {reason}")
            continue
        if role == USE and isinstance(element, OUTPUTS):
            role = PEEK
        entry = (role, element if is_built_in(element) else names_of[id(element)])
        if entry not in named:
            named.append(entry)
    return PlannedReaction(name, body, tuple(named))  # type: ignore[arg-type]
