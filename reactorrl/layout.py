"""Where the parts of a diagram go: layers from left to right inside every box, children first.

No library for Python alone lays out nested boxes with ports, so the geometry is ours; what is an
algorithm on graphs is networkx's (`layers.py`). Edges that skip layers pass between what lies in
them. Edges against the direction, or to another row of layers, run in lanes under the rows. So all
bend only between layers and rows, and none crosses a box.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .diagram import Box, Edge, Graph, Item
from .layers import Unit, assign_layers, break_rows, order, straighten

Point = tuple[float, float]

TITLE = 26.0
SHADOW = 7.0  # of a bank
ICON = 12.0  # half of one
PORT = 5.0  # half of one
NOTCH = 9.0  # of a reaction, where lines end
_LANE = 16.0
_PADDING = 14.0
_GAP_X = 34.0
_PORT_STEP = 20.0
_BEND = 6.0  # between the vertical parts of lanes
_WEAK = ("delayed", "physical", "transition")
_ACTIONS = ("logical", "physical")


@dataclass(eq=False)
class Route:
    """An edge, or as much of it as is inside or outside of a mode.

    Attributes:
        edge: What it is.
        source, target: Its ends here; where it crosses the edge of a mode an item without a name.
        label: Text, or empty.
        is_lane: Whether it runs under the rows.
        label_at: Middle of the text's base line, in the image.
        points: In the image. Of a lane the corners; else a straight line and a curve in turns.
    """

    edge: Edge
    source: Item
    target: Item
    label: str = ""
    is_lane: bool = False
    label_at: Point = (0.0, 0.0)
    points: list[Point] = field(default_factory=list)


@dataclass(eq=False)
class Area:
    """The layout of one box.

    Attributes:
        x, y: Of its upper left corner in the image; set last.
        ports: Vertical position of what is on its sides, from its upper edge.
        units: Child boxes and items in it, but for its ports.
        routes: Its edges.
    """

    box: Box
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0
    ports: dict[Item, float] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)


def lay_out(graph: Graph) -> dict[Box, Area]:
    """Place everything; coordinates start at the origin."""
    routes = _split_at_modes(graph)
    areas: dict[Box, Area] = {}
    for box in reversed(graph.boxes):
        areas[box] = _Layout(box, routes[box], areas).area
    for box in graph.boxes:
        area = areas[box]
        for unit in area.units:
            if unit.box is not None:
                areas[unit.box].x, areas[unit.box].y = area.x + unit.x, area.y + unit.y
        for route in area.routes:
            route.points = [(area.x + x, area.y + y) for x, y in route.points]
            route.label_at = area.x + route.label_at[0], area.y + route.label_at[1]
    return areas


def text_width(text: str, size: float = 12.0) -> float:
    """Return the space for a text; generous, as the font is the viewer's."""
    return len(text) * size * 0.56


def _split_at_modes(graph: Graph) -> dict[Box, list[Route]]:
    """The routes by box; what crosses the edge of a mode is one inside and one outside of it."""
    routes: dict[Box, dict[tuple[Item, Item, str, str], Route]] = {box: {} for box in graph.boxes}
    crossings: dict[tuple[Box, Item, str, str], Item] = {}

    def cross(mode: Box, edge: Edge, side: str) -> Item:
        key = (mode, edge.source, edge.kind, side)
        return crossings.setdefault(key, Item("", side, "", mode))

    def add(box: Box, source: Item, target: Item, edge: Edge, label: str = "") -> None:
        key = (source, target, edge.kind, label)
        route = routes[box].setdefault(key, Route(edge, source, target, label))
        if edge.is_in_loop:
            route.edge = edge

    for edge in graph.edges:
        source, target = edge.source, edge.target
        out_of, into = _mode_around(source, edge.box), _mode_around(target, edge.box)
        if out_of is not None:
            source = cross(out_of, edge, "output")
            add(out_of, edge.source, source, edge)
        if into is not None:
            target = cross(into, edge, "input")
            add(into, target, edge.target, edge)
        add(edge.box, source, target, edge, edge.label)
    return {box: list(found.values()) for box, found in routes.items()}


def _mode_around(item: Item, box: Box) -> Box | None:
    """The mode of `box` that the item is in, unless it is on the mode's edge."""
    if item.kind == "entry" or item.box is box:
        return None
    inner = item.box
    while inner.parent is not None and inner.parent is not box:
        inner = inner.parent
    return inner if inner.kind == "mode" else None


class _Layout:
    """Lays out one box; the boxes in it are done."""

    def __init__(self, box: Box, routes: list[Route], areas: dict[Box, Area]) -> None:
        self.box, self.areas = box, areas
        self.area = Area(box, routes=routes)
        self.units: dict[Box | Item, Unit] = {}
        self.vias: dict[Route, list[Unit]] = {}  # of the routes that run forward
        self._make_units()
        self.layers = assign_layers(list(self.units.values()), self._edges())
        self.lefts = [0.0] * len(self.layers)
        self.widths = [max((unit.width for unit in layer), default=0.0) for layer in self.layers]
        self.rows = break_rows([width + _GAP_X for width in self.widths])
        self.row_of = [number for number, row in enumerate(self.rows) for _ in row]
        self.bends: dict[Route, tuple[int, int]] = {}  # of lanes: how far from the layers
        self.outs = [0] * len(self.layers)  # lanes that bend behind a layer
        self.ins = [0] * len(self.layers)  # and before it
        self._choose_ways()
        self._place_columns()
        self._place_rows()
        self._draw_forward()

    def _make_units(self) -> None:
        units = self.units
        for child in self.box.children:
            area = self.areas[child]
            shadow = SHADOW if child.count.high > 1 else 0.0
            units[child] = Unit(area.width + shadow, area.height + shadow, box=child)
        for item in self.box.items.values():
            if item.kind in ("input", "output"):
                units[item] = Unit(label_width(item), _PORT_STEP, item=item, is_port=True)
            elif item.kind == "entry":
                self.area.ports[item] = TITLE / 2
            else:
                units[item] = _item_unit(item)
        for route in self.area.routes:
            for item in (route.source, route.target):
                if item.box is self.box and not item.key:
                    units[item] = Unit(0.0, 10.0, item=item, is_port=True)

    def _unit(self, item: Item) -> Unit:
        """The unit that an end of a route lies in."""
        return self.units[item if item.box is self.box else item.box]

    def _edges(self) -> Iterator[tuple[Unit, Unit, bool]]:
        for route in self.area.routes:
            source, target = self._unit(route.source), self._unit(route.target)
            if source is not target and not source.is_port and not target.is_port:
                is_weak = route.edge.kind in _WEAK or route.target.kind in _ACTIONS
                yield source, target, is_weak

    def _ends(self, route: Route) -> tuple[int, int]:
        """The layers of both ends."""
        return self._unit(route.source).layer, self._unit(route.target).layer

    def _choose_ways(self) -> None:
        lanes = []
        for route in self.area.routes:
            first, last = self._ends(route)
            if first < last and self.row_of[first] == self.row_of[last]:
                self.vias[route] = [Unit(0.0, 4.0, layer=i) for i in range(first + 1, last)]
                for via in self.vias[route]:
                    self.layers[via.layer].append(via)
            else:
                route.is_lane = True
                lanes.append((abs(first - last), len(lanes), route, first, last))
        for _, _, route, first, last in sorted(lanes):  # the longest bends farthest out
            self.bends[route] = self.outs[first], self.ins[last]
            self.outs[first] += 1
            self.ins[last] += 1

    def _place_columns(self) -> None:
        """Horizontal positions."""
        ends = []
        for number, row in enumerate(self.rows):
            x = 0.0
            for layer in row:
                x += self._gap(layer) if layer else 0.0
                self.lefts[layer] = x
                x += self.widths[layer]
            if number + 1 < len(self.rows):
                x += _PADDING + _BEND * self.outs[row[-1]]
            ends.append(x)
        title = text_width(self.box.title) * 1.1 + 2 * _PADDING
        self.area.width = max(title, *ends)
        self.lefts[-1] = self.area.width - self.widths[-1]
        for layer, left, width in zip(self.layers, self.lefts, self.widths, strict=True):
            for unit in layer:
                if unit.box is None and unit.item is None:
                    unit.width = width
                is_right = unit.is_icon or (unit.is_port and layer is self.layers[-1])
                unit.x = left + width - unit.width if is_right else left

    def _gap(self, layer: int) -> float:
        """Space before a layer: for curves, lanes, and labels of routes that end there."""
        gap = _PADDING
        if self.row_of[layer] == self.row_of[layer - 1]:
            if self.layers[layer] and self.layers[layer - 1]:
                gap = _GAP_X
            gap += _BEND * self.outs[layer - 1]
            labels = (each.label for each in self.vias if self._ends(each)[1] == layer)
            gap = max(
                gap, max((text_width(label, 11) for label in labels if label), default=0) + 16
            )
        elif 0 < self.row_of[layer] < len(self.rows) - 1:
            gap += _BEND * sum(map(self._passes_rows, self.bends))
        return gap + _BEND * self.ins[layer]

    def _passes_rows(self, route: Route) -> bool:
        first, last = self._ends(route)
        return abs(self.row_of[first] - self.row_of[last]) > 1

    def _place_rows(self) -> None:
        """Vertical positions, and the ways of the lanes."""
        neighbours: dict[Unit, list[Unit]] = {unit: [] for layer in self.layers for unit in layer}
        pulls: dict[Unit, list[tuple[Unit, float]]] = {}
        for route, vias in self.vias.items():
            stops = [self._unit(route.source), *vias, self._unit(route.target)]
            heights = [self._height(route.source), *(2.0 for _ in vias), self._height(route.target)]
            for i in range(len(stops) - 1):
                source, target, shift = stops[i], stops[i + 1], heights[i] - heights[i + 1]
                neighbours[source].append(target)
                neighbours[target].append(source)
                pulls.setdefault(target, []).append((source, shift))
                pulls.setdefault(source, []).append((target, -shift))
        area, y, tops = self.area, TITLE + 2.0, []
        lanes, slots = self._lanes()
        for row, n_lanes in zip(self.rows, slots, strict=True):
            layers = [self.layers[layer] for layer in row]
            order(layers, neighbours)
            straighten(layers, pulls)
            units = [unit for layer in layers for unit in layer]
            top = min((unit.y for unit in units), default=0.0)
            for unit in units:
                unit.y += y - top
            y = max((unit.y + unit.height for unit in units), default=y) + 6.0
            tops.append(y)
            y += _LANE * n_lanes
        area.height = y + 4.0
        area.units = [unit for unit in self.units.values() if not unit.is_port]
        area.ports |= {
            unit.item: unit.y + unit.height / 2
            for unit in self.units.values()
            if unit.is_port and unit.item
        }
        for route, parts in lanes.items():
            (x0, y0), (x1, y1) = self._start(route.source), self._end(route.target)
            corners = [
                (x, tops[channel] + _LANE * (slot + 0.5))
                for left, right, channel, slot in parts
                for x in (left, right)
            ]
            route.points = [(x0, y0), (corners[0][0], y0), *corners, (corners[-1][0], y1), (x1, y1)]
            route.label_at = (corners[0][0] + corners[1][0]) / 2, corners[0][1] + 4

    def _lanes(self) -> tuple[dict[Route, list[tuple[float, float, int, int]]], list[int]]:
        """Of every lane its level parts (from x, to x, under which row, slot); slots by row."""
        taken: list[list[list[tuple[float, float]]]] = [[] for _ in self.rows]

        def slot(row: int, from_x: float, to_x: float, label: str) -> int:
            middle, half = (from_x + to_x) / 2, text_width(label, 11) / 2
            low = min(from_x, to_x, middle - half) - _BEND
            high = max(from_x, to_x, middle + half) + _BEND
            for number, spans in enumerate(taken[row]):
                if all(high < start or end < low for start, end in spans):
                    spans.append((low, high))
                    return number
            taken[row].append([(low, high)])
            return len(taken[row]) - 1

        lanes: dict[Route, list[tuple[float, float, int, int]]] = {}
        margin = 2.0
        # Those that go up first, so that they do not run along those that go down.
        for route in sorted(self.bends, key=self._goes_down):
            out, back = self.bends[route]
            first, last = self._ends(route)
            x0 = self.lefts[first] + self.widths[first] + 10 + _BEND * out
            x1 = self.lefts[last] - 12 - _BEND * back
            above, below = sorted((self.row_of[first], self.row_of[last]))
            if below - above < 2:
                lanes[route] = [(x0, x1, above, slot(above, x0, x1, route.label))]
                continue
            margin += _BEND
            rows = (above, below - 1) if self.row_of[first] == above else (below - 1, above)
            lanes[route] = [
                (x0, margin, rows[0], slot(rows[0], x0, margin, route.label)),
                (margin, x1, rows[1], slot(rows[1], margin, x1, "")),
            ]
        return lanes, [len(slots) for slots in taken]

    def _goes_down(self, route: Route) -> bool:
        first, last = self._ends(route)
        return self.row_of[first] < self.row_of[last]

    def _draw_forward(self) -> None:
        """The ways of all but the lanes: they bend between the layers."""
        labels: dict[int, list[Route]] = {}
        for route, vias in self.vias.items():
            first, last = self._ends(route)
            y = [self._start(route.source)[1], *(via.y + 2 for via in vias)]
            y.append(self._end(route.target)[1])
            points = [self._start(route.source)]
            for i, layer in enumerate(range(first, last)):
                points.append((self.lefts[layer] + self.widths[layer], y[i]))
                points.append((self.lefts[layer + 1], y[i + 1]))
            points.append(self._end(route.target))
            route.points = points
            if route.label:
                (x0, y0), (x1, y1) = points[-3:-1]
                route.label_at = (x0 + x1) / 2, (y0 + y1) / 2 - 4
                labels.setdefault(last, []).append(route)
        for routes in labels.values():  # one below the other
            y_free = float("-inf")
            for route in sorted(routes, key=lambda each: each.label_at[1]):
                x, y_wish = route.label_at
                route.label_at = x, max(y_wish, y_free)
                y_free = route.label_at[1] + 13.0

    def _height(self, item: Item) -> float:
        """How far below the upper edge of its unit a line to an item ends."""
        unit = self._unit(item)
        if unit.box is not None:
            return self.areas[unit.box].ports[item]
        return ICON + 4 if unit.is_icon else unit.height / 2

    def _start(self, item: Item) -> Point:
        """Where a line leaves an item."""
        unit = self._unit(item)
        x = unit.x + unit.width
        if unit.box is not None:
            x = unit.x + self.areas[unit.box].width + PORT * bool(item.key)
        elif unit.is_icon:
            x = unit.x + unit.width / 2 + ICON
        return x, unit.y + self._height(item)

    def _end(self, item: Item) -> Point:
        """Where a line reaches an item."""
        unit = self._unit(item)
        x = unit.x
        if unit.box is not None:
            x -= PORT * (item.kind == "input" and bool(item.key))
        elif unit.is_icon:
            x += unit.width / 2 - ICON
        elif not unit.is_port:
            x += NOTCH
        return x, unit.y + self._height(item)


def label_width(item: Item) -> float:
    """Return the space that a port's name takes inside its box."""
    return text_width(item.label) + 12.0


def _item_unit(item: Item) -> Unit:
    note = text_width(item.note, 10)
    if item.kind == "reaction":
        return Unit(max(56.0, text_width(item.label), note) + 30.0, 34.0, item=item)
    width = max(2 * ICON, text_width(item.label, 10), note)
    return Unit(width, 56.0 if item.note else 44.0, item=item)
