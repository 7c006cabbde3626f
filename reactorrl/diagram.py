"""`program.graph`: the program as a diagram, in SVG, Mermaid or DOT.

Reactors are nested boxes; the members of a bank (or of a list, if of one class) are folded into one
box with their number, and where they differ it shows all that any of them has. Reactions carry
their level, connections their delay and how many channels they join. The modes of a reactor are
boxes in it, and transitions lead to their edges. Causality loops are marked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .assembly import Assembly
from .declare import EFFECTS, HISTORY, PEEK, TRIGGER, is_built_in
from .elements import LogicalAction, Mode, PhysicalAction, Timer
from .ports import INPUTS, MULTIPORTS, PORTS
from .time import to_ns
from .tree import Node, node_of

_SHOWN_TIMES = 2  # of one item, where the members of a bank differ


class Span:
    """The smallest and the largest of some numbers: `3`, or `3-7`."""

    def __init__(self) -> None:
        self.low: int = -1
        self.high: int = -1

    def add(self, number: int) -> None:
        """Take one more number, from 0 on."""
        self.low = number if self.low < 0 else min(self.low, number)
        self.high = max(self.high, number)

    def __bool__(self) -> bool:
        return self.high >= 0

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


@dataclass(eq=False)
class Item:
    """What is drawn inside a box besides other boxes.

    Attributes:
        key: Unique, and fit for an identifier.
        kind: "input", "output", "reaction", "timer", "logical", "physical", "startup",
            "shutdown", "reset", or "entry" (where transitions reach the box of a mode).
        name: As declared.
        box: Where it belongs.
        widths: Of a multiport.
        levels: Of a reaction.
        times: Deadline of a reaction, offset and period of a timer, delay of an action; more than
            one if the members of a bank differ.
        is_in_loop: Whether it is part of a causality loop.
    """

    key: str
    kind: str
    name: str
    box: Box
    widths: Span = field(default_factory=Span)
    levels: Span = field(default_factory=Span)
    times: dict[str, None] = field(default_factory=dict)
    is_in_loop: bool = False

    @property
    def label(self) -> str:
        """Its name, with the width of a multiport."""
        return f"{self.name}[{self.widths}]" if self.widths else self.name

    @property
    def note(self) -> str:
        """Level and times."""
        times = list(filter(None, self.times))
        if len(times) > _SHOWN_TIMES:
            times = [times[0], "others"]
        level = f"L{self.levels}" if self.levels else ""
        return ", ".join(filter(None, (level, " or ".join(times))))

    @property
    def caption(self) -> str:
        """Label and note."""
        return f"{self.label} {self.note}".rstrip()


@dataclass(eq=False)
class Box:
    """One reactor, or `count` of one class under one name; or a mode.

    Attributes:
        kind: "reactor", "enclave" or "mode".
        workers: Of an enclave.
        count: Members; a span if the members of the bank around it have different numbers of them.
    """

    key: str
    label: str
    class_name: str
    parent: Box | None
    kind: str = "reactor"
    workers: int = 0
    count: Span = field(default_factory=Span)
    children: list[Box] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name, number, class, and the workers of an enclave."""
        times = f" x{self.count}" if self.count and str(self.count) != "1" else ""
        title = f"{self.label}{times}"
        if self.label != self.class_name:
            title += f" : {self.class_name}"
        if self.kind != "enclave":
            return title
        return f"{title}, enclave" + (f" of {self.workers} workers" if self.workers > 1 else "")


@dataclass(eq=False)
class Edge:
    """A connection, or what a reaction declares.

    Attributes:
        source, target: What it leads from and to.
        box: Inside which box it is drawn.
        kind: "connection", "delayed", "physical", "trigger", "use", "effect", "transition", or
            "order" (of two reactions of one reactor, where that is part of a causality loop).
        delay: As in "after 0", or empty; of a transition "reset" or "history".
        count: Channels that it stands for, in one member of a bank.
        is_interleaved: Whether it takes the channels of a bank member by member in turn.
        is_in_loop: Whether it is part of a causality loop.
    """

    source: Item
    target: Item
    box: Box
    kind: str
    delay: str
    count: int = 1
    is_interleaved: bool = False
    is_in_loop: bool = False

    @property
    def label(self) -> str:
        """Number of channels, how they go, and delay."""
        words = (
            f"x{self.count}" if self.count > 1 else "",
            "interleaved" if self.is_interleaved else "",
            self.kind if self.kind in ("physical", "order") else "",
            self.delay,
        )
        return " ".join(filter(None, words))


class Graph:
    """The diagram of one program.

    Attributes:
        levels: The paths of the reactions on each level; those of one level may run at the same
            time. There are none if there is a causality loop.
        boxes: Every box, a parent before its children; the first is the main reactor.
        edges: Every edge; those that differ only in channel or bank member are one.

    Args:
        assembly: Of the program.
        levels: Of its reactions, by id; `None` if there is a causality loop.
    """

    def __init__(self, assembly: Assembly, levels: Sequence[int] | None = None) -> None:
        self.levels: list[list[str]] = [[] for _ in range(max(levels or (), default=-1) + 1)]
        for path, level in zip(assembly.paths, levels or (), strict=False):
            self.levels[level].append(path)
        self.boxes: list[Box] = []
        self.edges: list[Edge] = []
        folding = _Folding(self.boxes, self.edges)
        folding.add_nodes(assembly.nodes)
        folding.add_reactions(assembly, levels)
        folding.add_connections(assembly)
        folding.mark_loops(assembly)

    @property
    def has_loop(self) -> bool:
        """Whether a causality loop is marked in it."""
        return any(edge.is_in_loop for edge in self.edges)

    def to_svg(self) -> str:
        """Return a self-contained SVG image.

        Raises:
            ImportError: networkx is not installed.
        """
        from .svg import draw  # noqa: PLC0415 - the layout is loaded for those who look at it

        return draw(self)

    def to_mermaid(self) -> str:
        """Return a Mermaid flowchart, which GitHub and other viewers of Markdown draw.

        Most draw none of more than 500 edges or 50 000 characters.
        """
        from .diagram_text import mermaid  # noqa: PLC0415

        return mermaid(self)

    def to_dot(self) -> str:
        """Return a Graphviz digraph."""
        from .diagram_text import dot  # noqa: PLC0415

        return dot(self)

    def __repr__(self) -> str:
        name = self.boxes[0].label
        if self.has_loop:
            return f"<Graph of {name}, with a causality loop>"
        reactions = sum(map(len, self.levels))
        return f"<Graph of {name}: {reactions} reactions on {len(self.levels)} levels>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows: the SVG, or without networkx the Mermaid text."""
        try:
            return {"image/svg+xml": self.to_svg(), "text/plain": repr(self)}
        except ImportError as error:
            return {"text/vnd.mermaid": self.to_mermaid(), "text/plain": f"{self!r}\n{error}"}


class _Folding:
    """Makes boxes, items and edges of a tree, equal ones of the members of a bank only once."""

    def __init__(self, boxes: list[Box], edges: list[Edge]) -> None:
        self.boxes = boxes
        self.edges = edges
        self.box_of: dict[Node, Box] = {}
        self.mode_boxes: dict[tuple[Box, str], Box] = {}
        self.items: dict[tuple[Box, str], Item] = {}  # of elements, by box of the reactor
        self.reactions: list[Item] = []  # by id
        self.owned: dict[tuple[str, str, str, str], tuple[Edge, Node]] = {}  # by the first member

    def add_nodes(self, nodes: Sequence[Node]) -> None:
        known: dict[tuple[Box | None, str, type], Box] = {}
        counts: dict[tuple[Box, Node | None], int] = {}
        for node in nodes:
            parent = None if node.parent is None else self.box_of[node.parent]
            if parent is not None and node.parent and node.within is not node.parent.within:
                parent = self.mode_boxes[parent, node.within.name]
            name = node.label.rpartition("[")[0] or node.label or node.path
            key = (parent, name, type(node.reactor))
            box = known.get(key)
            if box is None:
                box = known[key] = self.add_box(name, type(node.reactor).__name__, parent)
                if node.enclave is not None:
                    box.kind, box.workers = "enclave", node.enclave.workers
            self.box_of[node] = box
            counts[box, node.parent] = counts.get((box, node.parent), 0) + 1
            self.add_elements(box, node)
        members = Counter(self.box_of.values())
        holders = Counter(box for box, _ in counts)
        for (box, holder), count in counts.items():
            box.count.add(count)
            if holder is not None and holders[box] < members[self.box_of[holder]]:
                box.count.add(0)

    def add_box(
        self, label: str, class_name: str, parent: Box | None, kind: str = "reactor"
    ) -> Box:
        box = Box(f"r{len(self.boxes)}", label, class_name, parent, kind)
        self.boxes.append(box)
        if parent is not None:
            parent.children.append(box)
        return box

    def add_elements(self, box: Box, node: Node) -> None:
        names = [name for name, _, _ in node.plan.elements] + [name for name, _ in node.extra or ()]
        elements = [(name, getattr(node.reactor, name)) for name in names]
        for name, element in elements:
            if isinstance(element, Mode) and (box, name) not in self.mode_boxes:
                title = f"mode {name}, initial" if element.initial else f"mode {name}"
                inner = self.mode_boxes[box, name] = self.add_box(title, title, box, "mode")
                self.items[box, name] = self.add_item(inner, name, "entry", "enter")
        for name, element in elements:
            within = box if element.mode is None else self.mode_boxes[box, element.mode.name]
            if isinstance(element, PORTS):
                item = self.element(
                    box, box, name, "input" if isinstance(element, INPUTS) else "output"
                )
                if isinstance(element, MULTIPORTS):
                    item.widths.add(len(element))
            elif isinstance(element, Timer):
                item = self.element(box, within, name, "timer")
                item.times[_timer_note(node, element)] = None
            elif isinstance(element, (LogicalAction, PhysicalAction)):
                kind = "logical" if isinstance(element, LogicalAction) else "physical"
                delay = element.spec.min_delay_ns
                item = self.element(box, within, name, kind)
                item.times[f"+{shown_time(delay)}" if delay else ""] = None

    def element(self, box: Box, within: Box, name: str, kind: str) -> Item:
        item = self.items.get((box, name))
        if item is None:
            item = self.items[box, name] = self.add_item(within, name, kind, name)
        return item

    def add_item(self, box: Box, key: str, kind: str, name: str) -> Item:
        item = Item(f"{box.key}_{len(box.items)}", kind, name, box)
        box.items[key] = item
        return item

    def item_of(self, element: Any) -> Item:
        return self.items[self.box_of[node_of(element.reactor)], element.name]

    def add_reactions(self, assembly: Assembly, levels: Sequence[int] | None) -> None:
        rows = zip(
            assembly.paths,
            assembly.owners,
            assembly.modes,
            assembly.deadlines,
            assembly.declared(),
            strict=True,
        )
        for number, (path, owner, mode, deadline_ns, declared) in enumerate(rows):
            box = self.box_of[owner]
            within = box if mode is None else self.mode_boxes[box, mode.name]
            name = path[len(owner.path) + 1 :]
            key = f"{name}()"
            reaction = within.items.get(key) or self.add_item(within, key, "reaction", name)
            self.reactions.append(reaction)
            if levels is not None:
                reaction.levels.add(levels[number])
            reaction.times["" if deadline_ns < 0 else f"within {shown_time(deadline_ns)}"] = None
            for role, element in declared:
                if role == PEEK:
                    continue
                if is_built_in(element):
                    kind = element.name
                    key = f"<{kind}>"
                    item = within.items.get(key) or self.add_item(within, key, kind, kind)
                else:
                    item = self.item_of(element)
                if isinstance(element, Mode):
                    how = "history" if role == HISTORY else "reset"
                    self.add_edge(owner, reaction, item, box, "transition", how)
                elif role in EFFECTS:
                    self.add_edge(owner, reaction, item, box, "effect")
                else:
                    kind = "trigger" if role == TRIGGER else "use"
                    self.add_edge(owner, item, reaction, box, kind)

    def add_connections(self, assembly: Assembly) -> None:
        before: dict[Edge, tuple[Any, Any]] = {}
        for source, target, connection, node in assembly.wiring.all_links():
            delay = "" if connection.delay_ns < 0 else f"after {shown_time(connection.delay_ns)}"
            kind = "physical" if connection.physical else "delayed" if delay else "connection"
            ends = self.item_of(source), self.item_of(target)
            edge = self.add_edge(node, *ends, self.box_of[node], kind, delay)
            if edge in before and not connection.broadcast:
                last_source, last_target = before[edge]
                edge.is_interleaved |= _takes_turns(last_source, source)
                edge.is_interleaved |= _takes_turns(last_target, target)
            before[edge] = source, target

    def mark_loops(self, assembly: Assembly) -> None:
        direct = {
            (edge.source, edge.target): edge
            for edge in self.edges
            if edge.kind not in ("delayed", "physical")
        }
        for loop in assembly.loops:
            items = [
                self.reactions[stop] if isinstance(stop, int) else self.item_of(stop)
                for stop in loop
            ]
            for stop, source, target in zip(loop, items, [*items[1:], items[0]], strict=True):
                source.is_in_loop = True
                edge = direct.get((source, target))
                if edge is None and source.kind == target.kind == "reaction":
                    owner = assembly.owners[stop]
                    edge = self.add_edge(owner, source, target, self.box_of[owner], "order")
                if edge is not None:
                    edge.is_in_loop = True

    def add_edge(
        self, owner: Node, source: Item, target: Item, box: Box, kind: str, delay: str = ""
    ) -> Edge:
        """Add an edge among what is in `box`, that of the reactor `owner`; or count it."""
        key = (source.key, target.key, kind, delay)
        known = self.owned.get(key)
        if known is not None:
            edge, first = known
            edge.count += first is owner
            return edge
        places = {_place_of(item, box) for item in (source, target)}
        edge = Edge(source, target, places.pop() if len(places) == 1 else box, kind, delay)
        self.edges.append(edge)
        self.owned[key] = edge, owner
        return edge


def _place_of(item: Item, box: Box) -> Box:
    """Where an edge of the reactor `box` ends: in `box` itself or in one of its modes."""
    if item.box is box or item.box.kind == "mode":
        return box if item.kind == "entry" else item.box
    return item.box.parent or box


def _takes_turns(last: Any, port: Any) -> bool:
    """Whether the first channel of all members goes before the second of any."""
    return port.index > last.index and node_of(port.reactor).id < node_of(last.reactor).id


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


def walk(boxes: list[Box]) -> Iterator[tuple[int, Box, bool]]:
    """Yield (depth, box, whether it ends here), as brackets open and close."""
    pending = [(0, boxes[0], True), (0, boxes[0], False)]
    while pending:
        depth, box, is_end = pending.pop()
        yield depth, box, is_end
        if not is_end:
            for child in reversed(box.children):
                pending += [(depth + 1, child, True), (depth + 1, child, False)]
