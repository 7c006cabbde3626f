"""`program.graph`: the program as a diagram, in SVG, Mermaid or DOT.

Reactors are nested boxes; the members of a bank (or of a list, if of one class) are folded into one
box with their number. Reactions carry their level, connections their delay and how many channels
they join. The modes of a reactor are boxes in it, and transitions lead to their edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .assembly import Assembly
from .declare import EFFECTS, HISTORY, PEEK, TRIGGER, is_built_in
from .elements import LogicalAction, Mode, PhysicalAction, Timer
from .ports import INPUTS, MULTIPORTS, PORTS
from .time import to_ns
from .tree import Node, node_of


@dataclass(eq=False)
class Item:
    """What is drawn inside a box besides other boxes.

    Attributes:
        key: Unique, and fit for an identifier.
        kind: "input", "output", "reaction", "timer", "logical", "physical", "startup",
            "shutdown", "reset", or "entry" (where transitions reach the box of a mode).
        label: Its name, with the width of a multiport.
        note: Level and deadline of a reaction, period of a timer, delay of an action.
        box: Where it belongs.
    """

    key: str
    kind: str
    label: str
    note: str
    box: Box

    @property
    def caption(self) -> str:
        """Name and note."""
        return f"{self.label} {self.note}".rstrip()


@dataclass(eq=False)
class Box:
    """One reactor, or `count` of one class under one name; or a mode.

    Attributes:
        kind: "reactor", "enclave" or "mode".
    """

    key: str
    label: str
    class_name: str
    parent: Box | None
    kind: str = "reactor"
    count: int = 0
    children: list[Box] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name, number and class."""
        times = f" x{self.count}" if self.count > 1 else ""
        own_name = self.label == self.class_name
        title = f"{self.label}{times}" if own_name else f"{self.label}{times} : {self.class_name}"
        return f"{title}, enclave" if self.kind == "enclave" else title


@dataclass(eq=False)
class Edge:
    """A connection, or what a reaction declares.

    Attributes:
        source, target: What it leads from and to.
        box: Inside which box it is drawn.
        kind: "connection", "delayed", "physical", "trigger", "use", "effect", "transition".
        delay: As in "after 0", or empty; of a transition "reset" or "history".
        count: Channels that it stands for.
    """

    source: Item
    target: Item
    box: Box
    kind: str
    delay: str
    count: int = 1

    @property
    def label(self) -> str:
        """Delay and number of channels."""
        times = f"x{self.count}" if self.count > 1 else ""
        return " ".join(filter(None, (times, self.delay)))


class Graph:
    """The diagram of one program.

    Attributes:
        levels: The paths of the reactions on each level; those of one level may run at the same
            time.
        boxes: Every box, a parent before its children; the first is the main reactor.
        edges: Every edge.
    """

    def __init__(self, assembly: Assembly, levels: list[int]) -> None:
        self.levels: list[list[str]] = [[] for _ in range(max(levels, default=-1) + 1)]
        for path, level in zip(assembly.paths, levels, strict=True):
            self.levels[level].append(path)
        self.boxes: list[Box] = []
        self._box_of: dict[Node, Box] = {}
        self._mode_boxes: dict[tuple[Box, str], Box] = {}
        self._items: dict[tuple[Box, str], Item] = {}  # by box of the reactor
        self._edges: dict[tuple[str, str, str, str], Edge] = {}
        firsts = self._add_boxes(assembly.nodes)
        self._add_reactions(assembly, levels, firsts)
        for source, target, connection, node in assembly.wiring.all_links():
            delay = "" if connection.delay_ns < 0 else f"after {shown_time(connection.delay_ns)}"
            kind = "physical" if connection.physical else "delayed" if delay else "connection"
            box = self._box_of[node]
            self._add_edge(self._item(source), self._item(target), box, kind, delay)

    @property
    def edges(self) -> list[Edge]:
        """Every edge, those that differ only in channel or bank member as one."""
        return list(self._edges.values())

    def to_svg(self) -> str:
        """Return a self-contained SVG image."""
        from .svg import draw  # noqa: PLC0415 - the layout is loaded for those who look at it

        return draw(self)

    def to_mermaid(self) -> str:
        """Return a Mermaid flowchart, which Markdown viewers draw."""
        shapes = {
            "reaction": '{{"%s"}}',
            "timer": '(("%s"))',
            "logical": '>"%s"]',
            "physical": '>"%s"]',
            "entry": '>"%s"]',
        }
        lines = ["flowchart LR"]
        for depth, box, is_end in _walk(self.boxes):
            indent = "  " * (depth + 1)
            if is_end:
                lines.append(f"{indent}end")
                continue
            lines.append(f'{indent}subgraph {box.key}["{_quoted(box.title)}"]')
            for item in box.items.values():
                shape = shapes.get(item.kind, '(["%s"])')
                lines.append(f"{indent}  {item.key}{shape % _quoted(item.caption)}")
        dashed = [box.key for box in self.boxes if box.kind == "enclave"]
        lines += [f"  style {key} stroke-dasharray:6 4" for key in dashed]
        arrows = {"use": "-.->", "delayed": "-.->", "physical": "-.->", "transition": "==>"}
        for edge in self.edges:
            label = "~> " * (edge.kind == "physical") + edge.label
            text = f'|"{_quoted(label.strip())}"|' if label else ""
            lines.append(
                f"  {edge.source.key} {arrows.get(edge.kind, '-->')}{text} {edge.target.key}"
            )
        return "\n".join(lines) + "\n"

    def to_dot(self) -> str:
        """Return a Graphviz digraph."""
        shapes = {
            "reaction": "cds",
            "timer": "circle",
            "logical": "triangle",
            "physical": "invtriangle",
            "startup": "doublecircle",
            "shutdown": "doublecircle",
            "reset": "doublecircle",
            "entry": "rarrow",
        }
        borders = {"reactor": "solid", "enclave": "dashed", "mode": "rounded"}
        lines = ["digraph program {", "  rankdir=LR", "  node [fontname=Helvetica, fontsize=10]"]
        lines.append("  edge [fontname=Helvetica, fontsize=9]")
        for depth, box, is_end in _walk(self.boxes):
            indent = "  " * (depth + 1)
            if is_end:
                lines.append(f"{indent}}}")
                continue
            lines.append(f"{indent}subgraph cluster_{box.key} {{")
            lines.append(f'{indent}  label="{_quoted(box.title)}"; style={borders[box.kind]}')
            for item in box.items.values():
                shape = shapes.get(item.kind, "plaintext")
                lines.append(
                    f'{indent}  {item.key} [shape={shape}, label="{_quoted(item.caption)}"]'
                )
        for edge in self.edges:
            is_dashed = edge.kind in ("use", "delayed", "physical")
            style = "bold" if edge.kind == "transition" else "dashed" if is_dashed else "solid"
            lines.append(
                f"  {edge.source.key} -> {edge.target.key}"
                f' [style={style}, label="{_quoted(edge.label)}"]'
            )
        return "\n".join([*lines, "}"]) + "\n"

    def __repr__(self) -> str:
        reactions = sum(map(len, self.levels))
        return (
            f"<Graph of {self.boxes[0].label}: {reactions} reactions on {len(self.levels)} levels>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.to_svg(), "text/plain": repr(self)}

    def _add_boxes(self, nodes: Iterable[Node]) -> set[Node]:
        """Make the boxes; return the nodes whose elements and reactions they show."""
        known: dict[tuple[Box | None, str, type], Box] = {}
        firsts: set[Node] = set()
        first_parent: dict[Box, Node | None] = {}
        for node in nodes:
            parent = None if node.parent is None else self._box_of[node.parent]
            if parent is not None and node.parent and node.within is not node.parent.within:
                parent = self._mode_boxes[parent, node.within.name]
            name = node.label.rpartition("[")[0] or node.label or node.path
            key = (parent, name, type(node.reactor))
            box = known.get(key)
            if box is None:
                kind = "enclave" if node.enclave else "reactor"
                box = Box(f"r{len(self.boxes)}", name, type(node.reactor).__name__, parent, kind)
                known[key] = box
                first_parent[box] = node.parent
                firsts.add(node)
                self.boxes.append(box)
                if parent is not None:
                    parent.children.append(box)
                self._add_elements(box, node)
            self._box_of[node] = box
            if node.parent is first_parent[box]:
                box.count += 1
        return firsts

    def _add_elements(self, box: Box, node: Node) -> None:
        names = [name for name, _, _ in node.plan.elements] + [name for name, _ in node.extra or ()]
        elements = [(name, getattr(node.reactor, name)) for name in names]
        for name, element in elements:
            if isinstance(element, Mode):
                self._add_mode(box, name, element)
        for name, element in elements:
            within = self._inside(box, element.mode)
            if isinstance(element, PORTS):
                kind = "input" if isinstance(element, INPUTS) else "output"
                label = f"{name}[{len(element)}]" if isinstance(element, MULTIPORTS) else name
                item = self._add_item(box, name, kind, label)
            elif isinstance(element, Timer):
                item = self._add_item(within, name, "timer", name, _timer_note(node, element))
            elif isinstance(element, (LogicalAction, PhysicalAction)):
                kind = "logical" if isinstance(element, LogicalAction) else "physical"
                delay = element.spec.min_delay_ns
                note = f"+{shown_time(delay)}" if delay else ""
                item = self._add_item(within, name, kind, name, note)
            else:
                continue
            self._items[box, name] = item

    def _add_mode(self, owner: Box, name: str, mode: Mode) -> None:
        title = f"mode {name}, initial" if mode.initial else f"mode {name}"
        box = Box(f"r{len(self.boxes)}", title, title, owner, "mode")
        self.boxes.append(box)
        owner.children.append(box)
        self._mode_boxes[owner, name] = box
        self._items[owner, name] = self._add_item(box, name, "entry", "enter")

    def _inside(self, box: Box, mode: Any) -> Box:
        return box if mode is None else self._mode_boxes[box, mode.name]

    def _add_reactions(self, assembly: Assembly, levels: list[int], firsts: set[Node]) -> None:
        rows = zip(
            assembly.paths,
            assembly.owners,
            assembly.modes,
            assembly.deadlines,
            assembly.declared(),
            levels,
            strict=True,
        )
        for path, owner, mode, deadline_ns, declared, level in rows:
            if owner not in firsts:
                continue
            box = self._box_of[owner]
            within = self._inside(box, mode)
            name = path[len(owner.path) + 1 :]
            note = f"L{level}" if deadline_ns < 0 else f"L{level}, within {shown_time(deadline_ns)}"
            reaction = self._add_item(within, f"{name}()", "reaction", name, note)
            for role, element in declared:
                if role == PEEK:
                    continue
                if is_built_in(element):
                    kind = element.name
                    item = within.items.get(kind) or self._add_item(within, kind, kind, kind)
                else:
                    item = self._item(element)
                if isinstance(element, Mode):
                    how = "history" if role == HISTORY else "reset"
                    self._add_edge(reaction, item, box, "transition", how)
                elif role in EFFECTS:
                    self._add_edge(reaction, item, box, "effect")
                else:
                    self._add_edge(item, reaction, box, "trigger" if role == TRIGGER else "use")

    def _add_item(self, box: Box, name: str, kind: str, label: str, note: str = "") -> Item:
        item = Item(f"{box.key}_{len(box.items)}", kind, label, note, box)
        box.items[name] = item
        return item

    def _item(self, element: Any) -> Item:
        return self._items[self._box_of[node_of(element.reactor)], element.name]

    def _add_edge(self, source: Item, target: Item, box: Box, kind: str, delay: str = "") -> None:
        """Add an edge among what is in `box`, the box of a reactor."""
        places = {_place_of(item, box) for item in (source, target)}
        box = places.pop() if len(places) == 1 else box
        key = (source.key, target.key, kind, delay)
        edge = self._edges.get(key)
        if edge is None:
            self._edges[key] = Edge(source, target, box, kind, delay)
        else:
            edge.count += 1


def _place_of(item: Item, box: Box) -> Box:
    """Where an edge of the reactor `box` ends: in `box` itself or in one of its modes."""
    if item.box is box or item.box.kind == "mode":
        return box if item.kind == "entry" else item.box
    return item.box.parent or box


def shown_time(ns: int) -> str:
    """Return a time in its largest whole unit.

    >>> shown_time(1_500_000), shown_time(0)
    ('1500 us', '0')
    """
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000)):
        if ns and ns % size == 0:
            return f"{ns // size} {unit}"
    return f"{ns} ns" if ns else "0"


def _timer_note(node: Node, timer: Any) -> str:
    def value(given: Any) -> Any:
        return getattr(node.reactor, given) if isinstance(given, str) else given

    offset, period = value(timer.spec.offset), value(timer.spec.period)
    note = f"every {_shown_user_time(period)}" if period else "once"
    return f"{note} from {_shown_user_time(offset)}" if offset else note


def _shown_user_time(value: Any) -> str:
    return shown_time(to_ns(value))


def _walk(boxes: list[Box]) -> Iterator[tuple[int, Box, bool]]:
    """Yield (depth, box, whether it ends here), as brackets open and close."""
    pending = [(0, boxes[0], True), (0, boxes[0], False)]
    while pending:
        depth, box, is_end = pending.pop()
        yield depth, box, is_end
        if not is_end:
            for child in reversed(box.children):
                pending += [(depth + 1, child, True), (depth + 1, child, False)]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', "'")
