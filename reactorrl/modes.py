"""Modes of a program under assembly: what lies in which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .declare import misplaced, nested_text, unnamed_text
from .elements import ELEMENTS, Mode
from .plan import MODE
from .scope import Nested
from .tree import Node, node_of


class Modes:
    """Adds the modes of a program to its graph, and finds the mode of each part."""

    def __init__(self, graph: Any, report: Callable[[str], None]) -> None:
        self._graph = graph
        self._report = report
        self._nested: set[tuple[str, Nested]] = set()  # reported

    def enclose(self, node: Node, parent: Node) -> None:
        """Set `node.within` for a node made in a mode; the parent's modes have been added."""
        mode = self._unnested(node.mode, parent)
        if mode.id >= 0 and mode.reactor is parent.reactor:
            node.within = mode
            return
        # A child of a child that was made in the same block lies in it anyway.
        above = parent.within
        while above is not None and above is not mode:
            above = node_of(above.reactor).within
        if above is None:
            self._report(
                f"{node.path} was made in `with {mode}:`, which is no mode of {parent.path}"
                f"{unnamed_text(mode)}"
            )

    def add(self, node: Node) -> None:
        """Add the modes of a reactor, and tell each of its elements in a mode."""
        reactor, plan, extra = node.reactor, node.plan, node.extra or ()
        names = [name for name, kind, _ in plan.elements if kind == MODE]
        names += [name for name, element in extra if isinstance(element, Mode)]
        modes = [mode for name in names if (mode := self._live(reactor, name)) is not None]
        if not modes:
            return
        initial = [mode for mode in modes if mode.initial]
        if not initial:
            named = ", ".join(mode.name for mode in modes)
            self._report(
                f"{node.path} has modes ({named}) and none of them is initial; give `initial=True`"
                " to the one to start in"
            )
        elif len(initial) > 1:
            named = " and ".join(mode.name for mode in initial)
            self._report(
                f"{node.path} has {len(initial)} initial modes, {named}; a program starts in one of"
                " them, so leave initial=True at one"
            )
        for mode in modes:
            self._graph.add_mode(mode, node.within, mode is (initial or modes)[0])
        for name, mode_name in plan.modes.items():
            element = getattr(reactor, name, None)
            if isinstance(element, ELEMENTS) and element.reactor is reactor:
                element.mode = self._live(reactor, mode_name)

    def place(self, node: Node, element: Any) -> None:
        """Check the mode in which `__init__` made an element of its own."""
        mode = self.own(node, element.mode, element.name)
        problem = None if mode is None else misplaced(str(element), element, mode)
        if problem is not None:
            self._report(problem)
        element.mode = None if problem is not None else mode

    def own(self, node: Node, made_in: Any, what: str, line: str = "") -> Any:
        """Return the mode of `node` that something was made in; `None` if it is none (reported)."""
        if made_in is None:
            return None
        mode = self._unnested(made_in, node)
        if mode.id >= 0 and mode.reactor is node.reactor:
            return mode
        where = f" ({line})" if line else ""
        self._report(
            f"{node.path}.{what} stands in `with {mode}:`, which is no mode of {node.path}"
            f"{unnamed_text(mode)}{where}"
        )
        return None

    def _live(self, reactor: Any, name: str) -> Any:
        mode = getattr(reactor, name, None)
        return mode if isinstance(mode, Mode) and mode.reactor is reactor else None

    def _unnested(self, made_in: Any, node: Node) -> Any:
        if type(made_in) is not Nested:
            return made_in
        if (node.path, made_in) not in self._nested:
            self._nested.add((node.path, made_in))
            self._report(f"{node.path}: {nested_text(made_in)}")
        return made_in.inner


def mode_in(node: Node, element: Any) -> Any:
    """Return the mode of `node` in which an element of it, or of a child, lies; or `None`."""
    owner = node_of(element.reactor)
    if owner is node:
        return element.mode
    return None if owner.within is node.within else owner.within
