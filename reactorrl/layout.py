"""Where the parts of a diagram go: layers from left to right inside every box, children first.

Within a box the units (child boxes, reactions, timers, actions) are layered by their longest path,
ordered by the mean position of their neighbours, and edges that skip layers pass through
placeholders. Edges against the direction run in lanes under the content.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .diagram import Box, Edge, Graph, Item

Point = tuple[float, float]

CHARACTER = 6.9  # width of one at the font size of 12
TITLE = 26.0
PADDING = 16.0
GAP_Y = 16.0
PORT_STEP = 20.0
LANE = 16.0
_PORT_KINDS = ("input", "output")
_WEAK = ("delayed", "physical", "transition")
_ACTIONS = ("logical", "physical")
_SWEEPS = 6


@dataclass(eq=False)
class Unit:
    """Something that has a place in a layer: a box, an item, or (with neither) a passing edge."""

    width: float
    height: float
    box: Box | None = None
    item: Item | None = None
    layer: int = 0
    x: float = 0.0  # in the content of the enclosing box
    y: float = 0.0


@dataclass(eq=False)
class Route:
    """How an edge runs, in the coordinates of its box."""

    edge: Edge
    via: list[Unit] = field(default_factory=list)  # placeholders
    lane: int = -1  # under the content; -1: forward


@dataclass(eq=False)
class Area:
    """The layout of one box.

    Attributes:
        x, y: Of its upper left corner in the image; set last.
        ports: Vertical position of its ports, from its upper edge.
        units: Child boxes and items in it.
        places: The units of the items.
        routes: Its edges.
        content: Position of its content, from its upper left corner.
        bottom: Of the content, from its upper edge; lanes are below.
    """

    box: Box
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0
    ports: dict[Item, float] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    places: dict[Item, Unit] = field(default_factory=dict)
    routes: list[Route] = field(default_factory=list)
    content: Point = (0.0, 0.0)
    bottom: float = 0.0


def lay_out(graph: Graph) -> dict[Box, Area]:
    """Place everything; coordinates start at the origin."""
    edges: dict[Box, list[Edge]] = {box: [] for box in graph.boxes}
    for edge in graph.edges:
        edges[edge.box].append(edge)
    areas: dict[Box, Area] = {}
    for box in reversed(graph.boxes):
        areas[box] = _Layout(box, edges[box], areas).area
    for box in graph.boxes:
        area = areas[box]
        for unit in area.units:
            if unit.box is not None:
                inner = areas[unit.box]
                inner.x = area.x + area.content[0] + unit.x
                inner.y = area.y + area.content[1] + unit.y
    return areas


class _Layout:
    def __init__(self, box: Box, edges: list[Edge], areas: dict[Box, Area]) -> None:
        self.box, self.edges, self.areas = box, edges, areas
        self.area = Area(box)
        self.units: dict[Box | Item, Unit] = {}
        for child in box.children:
            self.units[child] = Unit(areas[child].width, areas[child].height, box=child)
        for item in box.items.values():
            if item.kind not in _PORT_KINDS and item.kind != "entry":
                self.units[item] = _item_unit(item)
        self.layers: list[list[Unit]] = []
        self._assign_layers()
        self._route()
        self._order()
        self._place()

    def _unit(self, item: Item) -> Unit | None:
        """The unit that an end of an edge lies in; `None` for a port of this box."""
        box = item.box
        if box is self.box:
            return self.units.get(item)
        while box.parent is not self.box and box.parent is not None:
            box = box.parent  # out of a mode
        return self.units[box]

    def _assign_layers(self) -> None:
        after: dict[Unit, list[Unit]] = {unit: [] for unit in self.units.values()}
        weak: list[tuple[Unit, Unit]] = []
        for edge in self.edges:
            source, target = self._unit(edge.source), self._unit(edge.target)
            if source is None or target is None or source is target:
                continue
            if edge.kind in _WEAK or edge.target.kind in _ACTIONS:
                weak.append((source, target))
            else:
                after[source].append(target)
        for source, target in weak:  # they run forward where nothing speaks against it
            if not _reaches(after, target, source):
                after[source].append(target)
        order = _postorder(after)
        position = {unit: number for number, unit in enumerate(order)}
        has_source: set[Unit] = set()
        for unit in reversed(order):
            for target in after[unit]:
                if position[target] < position[unit]:  # else it closes a cycle
                    target.layer = max(target.layer, unit.layer + 1)
                    has_source.add(target)
        for unit in self.units.values():  # triggers stand next to what they trigger
            if (
                unit.item
                and unit.item.kind != "reaction"
                and after[unit]
                and unit not in has_source
            ):
                unit.layer = max(0, min(target.layer for target in after[unit]) - 1)
        depth = max((unit.layer for unit in self.units.values()), default=-1) + 1
        self.layers = [[] for _ in range(depth)]
        for unit in self.units.values():
            self.layers[unit.layer].append(unit)

    def _route(self) -> None:
        lanes = 0
        for edge in self.edges:
            source, target = self._unit(edge.source), self._unit(edge.target)
            first = -1 if source is None else source.layer
            last = len(self.layers) if target is None else target.layer
            route = Route(edge)
            if first >= last:
                route.lane, lanes = lanes, lanes + 1
            else:
                for layer in range(first + 1, last):
                    passing = Unit(0.0, 4.0, layer=layer)
                    self.layers[layer].append(passing)
                    route.via.append(passing)
            self.area.routes.append(route)

    def _hops(self) -> list[tuple[Unit | None, Item | None, Unit | None, Item | None]]:
        """Every stretch between neighbouring layers: unit and item at both ends."""
        hops = []
        for route in self.area.routes:
            if route.lane >= 0:
                continue
            edge = route.edge
            ends = [self._unit(edge.source), *route.via, self._unit(edge.target)]
            items = [edge.source, *(None for _ in route.via), edge.target]
            hops += [(ends[i], items[i], ends[i + 1], items[i + 1]) for i in range(len(ends) - 1)]
        return hops

    def _offset(self, unit: Unit | None, item: Item | None) -> float:
        """Where in the unit the edge ends, from its upper edge."""
        if unit is None or item is None:
            return 2.0
        if unit.box is not None:
            return self._height_in(unit.box, item, unit.height / 2)
        return unit.height / 2

    def _height_in(self, box: Box, item: Item, default: float) -> float:
        """How far below the upper edge of `box` an edge to `item` ends."""
        inner = item.box
        area = self.areas[inner]
        if item in area.places:
            y = area.content[1] + area.places[item].y + area.places[item].height / 2
        else:
            y = area.ports.get(item, default)
        while inner is not box and inner.parent is not None:
            outer = self.areas[inner.parent]
            y += outer.content[1] + next(u.y for u in outer.units if u.box is inner)
            inner = inner.parent
        return y

    def _order(self) -> None:
        neighbours: dict[Unit, list[Unit]] = {u: [] for layer in self.layers for u in layer}
        for source, _, target, _ in self._hops():
            if source and target:
                neighbours[source].append(target)
                neighbours[target].append(source)
        for sweep in range(_SWEEPS):
            rank = {u: i - len(layer) / 2 for layer in self.layers for i, u in enumerate(layer)}
            for layer in self.layers if sweep % 2 == 0 else reversed(self.layers):
                layer.sort(
                    key=lambda u: (
                        sum(rank[v] for v in neighbours[u]) / len(neighbours[u])
                        if neighbours[u]
                        else rank[u]
                    )
                )
                rank.update((u, i - len(layer) / 2) for i, u in enumerate(layer))

    def _place(self) -> None:
        area, box = self.area, self.box
        x = 0.0
        for number, layer in enumerate(self.layers):
            width = max((unit.width for unit in layer), default=0.0)
            x += self._gap(number)
            y = 0.0
            for unit in layer:
                is_trigger = unit.item is not None and unit.item.kind != "reaction"
                unit.x = x + width - unit.width if is_trigger else x
                if not unit.item and not unit.box:
                    unit.width = width
                unit.y = y
                y += unit.height + GAP_Y
            x += width
        x += self._gap(len(self.layers))
        self._straighten()
        units = [unit for layer in self.layers for unit in layer]
        top = min((unit.y for unit in units), default=0.0)
        for unit in units:
            unit.y -= top
        height = max((unit.y + unit.height for unit in units), default=0.0)
        sides = {
            kind: [item for item in box.items.values() if item.kind == kind] for kind in _PORT_KINDS
        }
        height = max(height, PORT_STEP * max(map(len, sides.values())))
        left, right = (_labels_width(items) for items in sides.values())
        lanes = LANE * sum(route.lane >= 0 for route in area.routes)
        area.content = (left + PADDING, TITLE + 4)
        area.bottom = TITLE + 4 + height
        area.width = max(left + right + 2 * PADDING + x, len(box.title) * CHARACTER + 2 * PADDING)
        area.height = area.bottom + lanes + PADDING
        for items in sides.values():
            start = TITLE + 4 + (height - PORT_STEP * (len(items) - 1)) / 2
            area.ports.update((item, start + i * PORT_STEP) for i, item in enumerate(items))
        entries = (item for item in box.items.values() if item.kind == "entry")
        area.ports.update((item, TITLE / 2) for item in entries)
        area.units = [unit for unit in units if unit.box or unit.item]
        area.places = {unit.item: unit for unit in units if unit.item}

    def _gap(self, number: int) -> float:
        """Space before a layer: for curves, and for the labels of edges that end there."""
        widest = 0
        for route in self.area.routes:
            target = self._unit(route.edge.target)
            layer = len(self.layers) if target is None else target.layer
            if route.lane < 0 and layer == number:
                widest = max(widest, len(route.edge.label))
        is_outer = number in (0, len(self.layers))
        return max(26.0 if is_outer else 44.0, widest * CHARACTER + 22.0 if widest else 0.0)

    def _straighten(self) -> None:
        """Move units towards their neighbours' height, without changing the order."""
        pulls: dict[Unit, list[tuple[Unit, float]]] = {}
        for source, out_of, target, into in self._hops():
            if source and target:
                shift = self._offset(source, out_of) - self._offset(target, into)
                pulls.setdefault(target, []).append((source, shift))
                pulls.setdefault(source, []).append((target, -shift))
        for sweep in range(_SWEEPS):
            for layer in self.layers if sweep % 2 == 0 else reversed(self.layers):
                y, drift, n_pulled = float("-inf"), 0.0, 0
                for unit in layer:
                    wish = max(unit.y, y)
                    if unit in pulls:
                        wish = sum(v.y + shift for v, shift in pulls[unit]) / len(pulls[unit])
                        drift += max(0.0, y - wish)
                        n_pulled += 1
                    elif y > float("-inf"):
                        wish = y
                    unit.y = max(wish, y)
                    y = unit.y + unit.height + GAP_Y
                for unit in layer if n_pulled else ():
                    unit.y -= drift / n_pulled
        for layer in self.layers:  # what nothing pulls stands close to what follows
            first = next((i for i, unit in enumerate(layer) if unit in pulls), 0)
            for i in range(first - 1, -1, -1):
                layer[i].y = layer[i + 1].y - GAP_Y - layer[i].height


def _item_unit(item: Item) -> Unit:
    if item.kind == "reaction":
        longest = max(len(item.label) * CHARACTER, len(item.note) * 5.8)
        return Unit(max(64.0, longest + 40.0), 34.0, item=item)
    return Unit(max(26.0, len(item.caption) * 5.8), 44.0, item=item)


def label_width(item: Item) -> float:
    """Space that a port's name takes inside its box."""
    return len(item.label) * CHARACTER + 14.0


def _labels_width(items: list[Item]) -> float:
    return max(map(label_width, items), default=0.0)


def _reaches(after: dict[Unit, list[Unit]], start: Unit, goal: Unit) -> bool:
    seen, pending = {start}, [start]
    while pending:
        unit = pending.pop()
        if unit is goal:
            return True
        pending += [target for target in after[unit] if target not in seen]
        seen.update(after[unit])
    return False


def _postorder(after: dict[Unit, list[Unit]]) -> list[Unit]:
    """Depth first, a unit after all that follow it, except where a cycle closes."""
    order: list[Unit] = []
    seen: set[Unit] = set()
    for root in after:
        pending = [(root, False)]
        while pending:
            unit, is_done = pending.pop()
            if is_done:
                order.append(unit)
            elif unit not in seen:
                seen.add(unit)
                pending.append((unit, True))
                pending += [(target, False) for target in reversed(after[unit])]
    return order
