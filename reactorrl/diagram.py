"""`program.graph`: the program as a diagram, in SVG, Mermaid or DOT.

Reactors are nested boxes; the members of a bank (or of a list, if of one class) are folded into one
box with their number. Reactions carry their level, connections their delay and how many channels
they join.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .assembly import Assembly
from .declare import EFFECT, PEEK, TRIGGER, is_built_in
from .elements import LogicalAction, PhysicalAction, Timer
from .ports import INPUTS, MULTIPORTS, PORTS
from .time import to_ns
from .tree import Node, node_of


@dataclass(eq=False)
class Item:
    """What is drawn inside a box besides other boxes.

    Attributes:
        key: Unique, and fit for an identifier.
        kind: "input", "output", "reaction", "timer", "logical", "physical", "startup" or
            "shutdown".
        label: Its name, with the width of a multiport.
        note: Level of a reaction, period of a timer, delay of an action.
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
    """One reactor, or `count` of one class under one name."""

    key: str
    label: str
    class_name: str
    parent: Box | None
    count: int = 0
    children: list[Box] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name, number and class."""
        times = f" x{self.count}" if self.count > 1 else ""
        own_name = self.label == self.class_name
        return f"{self.label}{times}" if own_name else f"{self.label}{times} : {self.class_name}"


@dataclass(eq=False)
class Edge:
    """A connection, or what a reaction declares.

    Attributes:
        source, target: What it leads from and to.
        box: Inside which box it is drawn.
        kind: "connection", "delayed", "physical", "trigger", "use", "effect".
        delay: As in "after 0", or empty.
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
        self._edges: dict[tuple[str, str, str, str], Edge] = {}
        firsts = self._add_boxes(assembly.nodes)
        self._add_reactions(assembly, levels, firsts)
        for source, target, connection, node in assembly.wiring.all_links():
            delay = "" if connection.delay_ns < 0 else f"after {shown_time(connection.delay_ns)}"
            kind = "physical" if connection.physical else "delayed" if delay else "connection"
            self._add_edge(self._item(source), self._item(target), self._box_of[node], kind, delay)

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
        arrows = {"use": "-.->", "delayed": "-.->", "physical": "-.->"}
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
        }
        lines = ["digraph program {", "  rankdir=LR", "  node [fontname=Helvetica, fontsize=10]"]
        lines.append("  edge [fontname=Helvetica, fontsize=9]")
        for depth, box, is_end in _walk(self.boxes):
            indent = "  " * (depth + 1)
            if is_end:
                lines.append(f"{indent}}}")
                continue
            lines.append(f"{indent}subgraph cluster_{box.key} {{")
            lines.append(f'{indent}  label="{_quoted(box.title)}"')
            for item in box.items.values():
                shape = shapes.get(item.kind, "plaintext")
                lines.append(
                    f'{indent}  {item.key} [shape={shape}, label="{_quoted(item.caption)}"]'
                )
        for edge in self.edges:
            style = "dashed" if edge.kind in ("use", "delayed", "physical") else "solid"
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
            name = node.label.rpartition("[")[0] or node.label or node.path
            key = (parent, name, type(node.reactor))
            box = known.get(key)
            if box is None:
                box = Box(f"r{len(self.boxes)}", name, type(node.reactor).__name__, parent)
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
        for name in names:
            element = getattr(node.reactor, name)
            if isinstance(element, PORTS):
                kind = "input" if isinstance(element, INPUTS) else "output"
                label = f"{name}[{len(element)}]" if isinstance(element, MULTIPORTS) else name
                self._add_item(box, name, kind, label)
            elif isinstance(element, Timer):
                self._add_item(box, name, "timer", name, _timer_note(node, element))
            elif isinstance(element, (LogicalAction, PhysicalAction)):
                kind = "logical" if isinstance(element, LogicalAction) else "physical"
                delay = element.spec.min_delay_ns
                self._add_item(box, name, kind, name, f"+{shown_time(delay)}" if delay else "")

    def _add_reactions(self, assembly: Assembly, levels: list[int], firsts: set[Node]) -> None:
        rows = zip(assembly.paths, assembly.owners, assembly.declared(), levels, strict=True)
        for path, owner, declared, level in rows:
            if owner not in firsts:
                continue
            box = self._box_of[owner]
            name = path[len(owner.path) + 1 :]
            reaction = self._add_item(box, f"{name}()", "reaction", name, f"L{level}")
            for role, element in declared:
                if role == PEEK:
                    continue
                if is_built_in(element):
                    kind = element.name
                    item = box.items.get(kind) or self._add_item(box, kind, kind, kind)
                else:
                    item = self._item(element)
                if role == EFFECT:
                    self._add_edge(reaction, item, box, "effect")
                else:
                    self._add_edge(item, reaction, box, "trigger" if role == TRIGGER else "use")

    def _add_item(self, box: Box, name: str, kind: str, label: str, note: str = "") -> Item:
        item = Item(f"{box.key}_{len(box.items)}", kind, label, note, box)
        box.items[name] = item
        return item

    def _item(self, element: Any) -> Item:
        return self._box_of[node_of(element.reactor)].items[element.name]

    def _add_edge(self, source: Item, target: Item, box: Box, kind: str, delay: str = "") -> None:
        key = (source.key, target.key, kind, delay)
        edge = self._edges.get(key)
        if edge is None:
            self._edges[key] = Edge(source, target, box, kind, delay)
        else:
            edge.count += 1


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
