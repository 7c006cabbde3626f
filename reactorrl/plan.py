"""What a reactor class declares, worked out once when the class is made.

A `Plan` is the recipe from which every instance of the class gets its live elements, and from which
assembly reads the reactions in order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from opcode import opmap
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from .bank import Bank, ReactorBase
from .declare import (
    EFFECT,
    PEEK,
    TRIGGER,
    USE,
    Body,
    Reaction,
    ambiguous,
    check_body,
    elsewhere_text,
    is_built_in,
    misplaced,
    misused,
    nested_text,
    role_name,
    unnamed_text,
)
from .elements import ELEMENTS, Mode
from .ports import INPUTS, OUTPUTS
from .scope import Nested

NO_TRIGGER = "has no trigger and would never run; name one, such as rr.startup, a timer or an input"

_STORE_ATTR, _EXTENDED_ARG = opmap["STORE_ATTR"], opmap["EXTENDED_ARG"]

PORT, MULTIPORT, ACTION, TIMER, MODE = range(5)  # positions in elements.ELEMENTS


class PlannedReaction(NamedTuple):
    name: str
    function: Body
    # (role, name of an element, or startup, shutdown or reset itself)
    declared: tuple[tuple[int, Any], ...]
    mode: str | None
    deadline_ns: int  # -1: none
    handler: Body | None


@dataclass(eq=False, slots=True)
class Plan:
    """One class's elements and reactions, base classes first; not changed once made.

    Attributes:
        cls: The class.
        makers: What to put on a new instance: `setattr(self, name, make(self, *arguments))`.
        elements: Name, kind and declaration of each element.
        reactions: The reactions in order of priority.
        problems: What is wrong with the class; told at assembly after the path of an instance.
        declarations: The elements by name.
        multiports: Names of those elements whose width may have to be looked up.
        has_modes: Whether there are modes among the elements.
        modes: Of each element in a mode, the name of the mode.
        awaited: The inputs, if all reactions are triggered by inputs alone.
        writers: Of each output that is an effect, such reactions as (mode or `None`, name).
        stores: The attributes that methods of the class assign, and at how many places. Looking
            these names up finds what an instance holds without asking for its `__dict__`: once
            somebody did, CPython no longer specialises the attribute accesses of that instance.
            Names that the class itself answers (properties) are left out, as asking runs code.
    """

    cls: type
    makers: tuple[tuple[str, Callable[..., Any], tuple[Any, ...]], ...]
    elements: tuple[tuple[str, int, Any], ...]
    reactions: tuple[PlannedReaction, ...]
    problems: tuple[str, ...]
    declarations: dict[str, Any]
    multiports: tuple[str, ...]
    has_modes: bool
    modes: dict[str, str]
    awaited: tuple[str, ...]
    writers: dict[str, list[tuple[str | None, str]]]
    stores: dict[str, int]


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
        problems += names.get("_rrl_lost", ())
        for name, value in (*own.items(), *((n, v) for n, v in names.items() if n not in own)):
            home = homes.get(name)
            if isinstance(value, (ReactorBase, Bank)):
                problems.append(
                    f"{name} is made in the body of the class {owner.__name__}, where all its"
                    f" instances would share it; make it in __init__: self.{name} = ..."
                )
            if name in reserved:
                problems.append(
                    f"{name} of {owner.__name__} hides the {name} of every reactor; rename it"
                )
            elif name in elements:
                problems.append(
                    f"{name} of {owner.__name__} redefines the element {name} of"
                    f" {homes[name].__name__}; rename one"
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
                        f"{name} is a reaction of {home.__name__} and of {owner.__name__};"
                        " rename one"
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
    names_of: dict[int, str] = {}
    for name, element in elements.items():
        if id(element) in names_of:
            problems.append(
                f"{name} is one and the same element as {names_of[id(element)]}; declare two"
            )
        names_of[id(element)] = name
    kinds = [(name, kind_of(element), element) for name, element in elements.items()]
    modes = _modes(cls, kinds, names_of, problems)
    planned = tuple(_planned(cls, name, names_of, modes, problems) for name in reactions)
    makers = [
        (name, element.make, (-1,) if kind == MULTIPORT else ()) for name, kind, element in kinds
    ]
    multiports = tuple(name for name, kind, _ in kinds if kind == MULTIPORT)
    writers: dict[str, list[tuple[str | None, str]]] = {}
    for reaction in planned:
        for role, what in reaction.declared:
            if role == EFFECT and isinstance(elements[what], OUTPUTS):
                writers.setdefault(what, []).append((reaction.mode, reaction.name))
    stores = _stores(cls)
    return Plan(
        cls,
        tuple(makers),
        tuple(kinds),
        planned,
        tuple(problems),
        elements,
        multiports,
        any(kind == MODE for _, kind, _ in kinds),
        modes,
        _awaited(planned, elements),
        writers,
        {
            name: n_places
            for name, n_places in stores.items()
            if not hasattr(inspect.getattr_static(cls, name, None), "__get__")
        },
    )


def _awaited(reactions: Sequence[PlannedReaction], elements: dict[str, Any]) -> tuple[str, ...]:
    triggers = {what: None for each in reactions for role, what in each.declared if role == TRIGGER}
    are_inputs = all(isinstance(elements.get(what), INPUTS) for what in triggers)
    return tuple(triggers) if are_inputs else ()


def kind_of(element: Any) -> int:
    """Return PORT, MULTIPORT, ACTION, TIMER or MODE."""
    return next(kind for kind, base in enumerate(ELEMENTS) if isinstance(element, base))


def _stores(cls: type) -> dict[str, int]:
    """The attributes that methods assign, and at how many places."""
    stores: dict[str, int] = {}
    for owner in reversed(cls.__mro__[:-1]):
        if issubclass(owner, ReactorBase) and "_rrl_declared" not in vars(owner):
            continue  # Reactor itself
        for value in vars(owner).values():
            function = value.function if isinstance(value, Reaction) else value
            if isinstance(function, FunctionType):
                _count_stores(function.__code__, stores)
    return stores


def _count_stores(code: CodeType, stores: dict[str, int]) -> None:
    extended = 0
    instructions = code.co_code
    for i in range(0, len(instructions), 2):
        opcode, argument = instructions[i], instructions[i + 1] | extended
        extended = argument << 8 if opcode == _EXTENDED_ARG else 0
        if opcode == _STORE_ATTR:
            name = code.co_names[argument]
            stores[name] = stores.get(name, 0) + 1
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _count_stores(constant, stores)


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


def _modes(
    cls: type, kinds: list[tuple[str, int, Any]], names_of: dict[int, str], problems: list[str]
) -> dict[str, str]:
    """The modes of elements."""
    modes: dict[str, str] = {}
    for name, _, element in kinds:
        mode = _mode_name(cls, name, element.mode, names_of, problems)
        if mode is None:
            continue
        problem = misplaced(name, element, mode)
        if problem is None:
            modes[name] = mode
        else:
            problems.append(problem)
    return modes


def _mode_name(
    cls: type, what: str, made_in: Any, names_of: dict[int, str], problems: list[str]
) -> str | None:
    if type(made_in) is Nested:
        text = f"{made_in.inner}: {nested_text(made_in)}"
        if text not in problems:
            problems.append(text)
        made_in = made_in.inner
    if made_in is None or id(made_in) in names_of:
        return names_of.get(id(made_in))
    problems.append(
        f"{what} stands in `with {made_in}:`, which is no mode of {cls.__name__}"
        f"{unnamed_text(made_in)}"
    )
    return None


def _planned(
    cls: type,
    name: str,
    names_of: dict[int, str],
    modes: dict[str, str],
    problems: list[str],
) -> PlannedReaction:
    """The reaction `name` of `cls`: the nearest body, and what the nearest `@reaction` says."""
    body: Body | None = None
    reaction: Reaction | None = None
    for owner in cls.__mro__:
        value = vars(owner).get(name)
        if isinstance(value, FunctionType):
            body = body or value
        elif isinstance(value, Reaction):
            body, reaction = body or value.function, value
            break
    assert reaction is not None
    declared = reaction.declared
    mode = _mode_name(cls, name, reaction.mode, names_of, problems)
    if not any(role == TRIGGER for role, _ in declared):
        problems.append(f"{name} {NO_TRIGGER}")
    named: list[tuple[int, Any]] = []
    for role, element in declared:
        if not is_built_in(element) and id(element) not in names_of:
            advice = (
                f"a reaction enters the modes of its own reactor{unnamed_text(element)}"
                if isinstance(element, Mode)
                else "for those of children, and those made in __init__, use self.add_reaction"
            )
            owner = declaring_class(element)
            of_class = f"{owner.__name__}." if owner is not None else ""
            problems.append(
                f"{name} names {of_class}{element}, which is no element of {cls.__name__}; {advice}"
            )
            continue
        within = modes.get(names_of.get(id(element), ""))
        if within is not None and within != mode:
            elsewhere = elsewhere_text("it", within)
            problems.append(f"{name} has {element} as {role_name(role)}: {elsewhere}")
            continue
        reason = misused(role, element)
        if reason is not None:
            problems.append(f"{name} has {element} as {role_name(role)}: {reason}")
            continue
        if role == USE and isinstance(element, OUTPUTS):
            role = PEEK
        entry = (role, element if is_built_in(element) else names_of[id(element)])
        if entry not in named:
            named.append(entry)
    doubled = ambiguous(named)
    if doubled is not None:
        problems.append(f"{name} {doubled}")
    handler = _handler(cls, reaction)
    return PlannedReaction(name, body, tuple(named), mode, reaction.deadline_ns, handler)  # type: ignore[arg-type]


def declaring_class(element: Any) -> type | None:
    """Return the class in whose body an element was declared, or `None`."""
    pending: list[type] = ReactorBase.__subclasses__()
    while pending:
        cls = pending.pop()
        if any(declared is element for declared in _declarations_of(cls).values()):
            return cls
        pending += cls.__subclasses__()
    return None


def _handler(cls: type, reaction: Reaction) -> Body | None:
    """The handler of missed deadlines: as declared, or the method that overrides it by name."""
    handler = reaction.handler
    name = getattr(handler, "__name__", "")
    for owner in cls.__mro__:
        found = vars(owner).get(name)
        if found is handler:
            break
        if isinstance(found, FunctionType) and any(
            vars(base).get(name) is handler for base in owner.__mro__
        ):
            check_body(found, 1)
            return found
    return handler
