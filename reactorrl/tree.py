"""The tree of reactors: what is known of each one, and how children find their parent.

Nothing watches assignments, as that would slow down every `self.x = ...` of every body. Instead the
finished instance is scanned, at the end of its `__init__` and again at assembly.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from gc import get_referents
from typing import Any, NamedTuple

from .bank import Bank, ReactorBase
from .elements import ACTIONS, ELEMENTS, Mode, Timer
from .errors import AssemblyError, PhaseError
from .plan import Plan
from .ports import MULTIPORTS, PORTS, resolved_width
from .scope import current_mode

_LIVE = frozenset({*PORTS, *ACTIONS, Timer, Mode})
_serials = itertools.count()


class Membership:
    """What a node keeps of the program it has been assembled for.

    Not the program itself: with reactors, which are cyclic garbage, it would outlive its last user.
    """

    __slots__ = ("seed",)

    def __init__(self) -> None:
        self.seed: int | None = None


class Enclave(NamedTuple):
    """What `enclave` was asked for."""

    workers: int
    capacity: int


class Node:
    """What the library keeps of one reactor; `reactor._rrl`."""

    __slots__ = (
        "added",
        "builder",
        "built",
        "children",
        "connections",
        "enclave",
        "enclave_id",
        "extra",
        "id",
        "label",
        "membership",
        "mode",
        "parent",
        "path",
        "plan",
        "problems",
        "reactor",
        "rng",
        "serial",
        "within",
    )

    def __init__(self, reactor: Any, plan: Plan, builder: Node | None) -> None:
        self.reactor: Any = reactor
        self.plan: Plan = plan
        self.builder: Node | None = builder  # whose __init__ made it
        self.mode: Any = current_mode()  # in whose `with` block it was made
        self.within: Any = None  # once assembled: the innermost mode that encloses it
        self.enclave: Enclave | None = None  # that it is
        self.enclave_id: int = 0  # in the graph: that it belongs to
        self.serial: int = next(_serials)
        self.parent: Node | None = None
        self.label: str = ""  # under the parent, as in "rollouts[3]"
        self.path: str = ""  # once assembled
        self.id: int = -1  # in the graph
        self.children: list[Node] | None = None
        self.extra: list[tuple[str, Any]] | None = None  # elements assigned to self
        self.added: list[Any] | None = None  # AddedReaction
        self.connections: list[Any] | None = None
        self.built: list[Node] | None = None  # made by this __init__
        # Found before the path was known: (text, whether it is about a bad number).
        self.problems: list[tuple[str, bool]] | None = None
        self.membership: Membership | None = None  # since the assembly
        self.rng: Any = None

    def where(self) -> str:
        """Return the path; before the assembly, as far as it is known."""
        if self.path:
            return self.path
        labels: list[str] = []
        node = self
        while not node.path:
            holder = node.parent or node.builder
            if holder is None:
                break
            labels.append(node.label if node.parent else f"<{type(node.reactor).__name__}>")
            node = holder
        labels.append(node.path or type(node.reactor).__name__)
        return ".".join(reversed(labels))

    def problem(self, text: str, is_bad_number: bool = False) -> None:
        if self.problems is None:
            self.problems = []
        self.problems.append((text, is_bad_number))


# Types of values that a scan passes over; `reactor.py` adds its metaclass.
passed_over: set[type[Any]] = {int, float, str, bool, bytes, set, type(None), type, Node}


node_of: Callable[[Any], Node] = operator.attrgetter("_rrl")
"""What the library keeps of a reactor (or, as a `BankNode`, of a bank)."""


def finish(node: Node) -> None:
    """The end of `__init__`: resolve widths, name what was assigned, adopt what was made."""
    for name in node.plan.multiports:
        element = getattr(node.reactor, name, None)
        if isinstance(element, MULTIPORTS) and element.reactor is node.reactor:
            _resolve(node, element)
    scan(node)


def _resolve(node: Node, multiport: Any) -> None:
    if multiport.channels is not None:
        return
    try:
        multiport.fill(resolved_width(multiport))
    except AssemblyError as error:
        node.problem(str(error), isinstance(error, ValueError))
        multiport.fill(0)


def scan(node: Node, membership: Membership | None = None) -> None:
    """Name the new elements of an instance and adopt its children.

    At the end of `__init__` (no `membership`) a node adopts only what that `__init__` made: a
    reactor that it was given may be a sibling, which belongs to the parent that both will have. At
    assembly, top-down, whoever has no parent yet belongs to the first that holds it.
    """
    found: list[Any] = []
    has_dict = False
    reactor = node.reactor
    for value in get_referents(reactor):
        kind = type(value)
        if kind in passed_over:
            continue
        if kind in _LIVE or isinstance(value, ELEMENTS):
            if value.reactor is None:
                found.append(value)
        elif kind is list or kind is tuple:
            if value and isinstance(value[0], (ReactorBase, Bank)):
                found.append(value)
        elif kind is dict:
            has_dict = has_dict or value.get("_rrl") is node
        elif isinstance(value, (ReactorBase, Bank)) and _is_child(node, value, membership):
            found.append(value)
    if membership is not None:
        node.children = None
    if not found and not has_dict:
        return
    for name, value in _named(node, found, has_dict):
        if isinstance(value, ELEMENTS):
            _claim(node, name, value)
        else:
            _adopt(node, name, value, membership)


def refuse_new_children(reactor: Any) -> None:
    """After a body that made reactors: it may keep none as a child, as nothing would run it.

    Raises:
        PhaseError: An attribute of `reactor` holds one that belongs to nobody.
    """
    node = node_of(reactor)
    values = get_referents(reactor)
    values += [v for d in values if type(d) is dict and d.get("_rrl") is node for v in d.values()]
    if any(map(_is_unowned, values)):
        names = ", ".join(f"self.{name}" for name, v in vars(reactor).items() if _is_unowned(v))
        raise PhaseError(
            f"{node.where()}: {names} would be a child, which is for before the program is"
            " assembled; run it as a program of its own, and keep that"
        )


def _is_unowned(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and isinstance(value[0], (ReactorBase, Bank)) and _is_unowned(value[0])
    if isinstance(value, Bank):
        return len(value) > 0 and node_of(value).parent is None and _is_unowned(value[0])
    node = getattr(value, "_rrl", None) if isinstance(value, ReactorBase) else None
    return node is not None and node.parent is None and node.membership is None


def _is_child(node: Node, value: Any, membership: Membership | None) -> bool:
    if isinstance(value, Bank):
        parent = node_of(value).parent
        child = node_of(value[0]) if len(value) else None
    else:
        child = getattr(value, "_rrl", None)
        if child is None:
            return False
        parent = child.parent
    if parent is not None or child is None:
        return parent is None or parent is node
    return child.builder is node if membership is None else child.membership is not membership


def _named(node: Node, found: list[Any], has_dict: bool) -> list[tuple[str, Any]]:
    """The found values with their names, in order of assignment.

    Only the `__dict__` knows that order. It is done without where every name is assigned at one
    place of the class, and the places are in the order in which the values were made.
    """
    reactor = node.reactor
    missing = {id(value) for value in found}
    if not has_dict:
        named = []
        for name, n_places in node.plan.stores.items():
            value = getattr(reactor, name, None) if n_places == 1 else None
            if id(value) in missing:
                missing.remove(id(value))
                named.append((name, value))
        serials = [_serial(value) for _, value in named if not isinstance(value, ELEMENTS)]
        if not missing and serials == sorted(serials):
            return named
        missing = {id(value) for value in found}
    return [
        (name, value) for name, value in vars(reactor).items() if has_dict or id(value) in missing
    ]


def _serial(value: Any) -> int:
    while not isinstance(value, ReactorBase):
        if not len(value):
            return -1
        value = value[0]
    return node_of(value).serial


def _adopt(node: Node, name: str, value: Any, membership: Membership | None) -> None:
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            if isinstance(item, (ReactorBase, Bank)):
                _adopt(node, f"{name}[{index}]", item, membership)
    elif isinstance(value, Bank):
        if not _is_child(node, value, membership):
            return
        bank = node_of(value)
        if bank.parent is None:
            bank.parent, bank.label = node, name
        if bank.label == name:
            for index, member in enumerate(value):
                _adopt(node, f"{name}[{index}]", member, membership)
    elif isinstance(value, ReactorBase) and _is_child(node, value, membership):
        child = node_of(value)
        if child.parent is None:
            child.parent, child.label = node, name
        if child.label == name:
            if node.children is None:
                node.children = []
            node.children.append(child)


def _claim(node: Node, name: str, element: Any) -> None:
    if element.reactor is not None:
        return
    if name in node.plan.declarations:
        return  # the assembly finds it in the place of the class's element
    element.bind(node.reactor, name)
    if isinstance(element, MULTIPORTS):
        _resolve(node, element)
    if node.extra is None:
        node.extra = []
    node.extra.append((name, element))
