"""In which layer, which row and which order the units of one box stand.

networkx finds the edges that run forward and the layers. It neither orders a layer, as is done here
by the mean position of the neighbours, nor breaks many layers into rows, like words into lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, zip_longest

from .diagram import Box, Item

try:
    import networkx as nx
except ImportError:
    raise ImportError(
        "networkx lays out SVG diagrams: pip install 'reactorrl[viz]'; Mermaid and DOT need nothing"
    ) from None

GAP_Y = 14.0
_SWEEPS = 10
_WIDEST_ROW = 1000.0


@dataclass(eq=False)
class Unit:
    """Something that has a place in a layer: a box, an item, or (with neither) a passing edge.

    Attributes:
        x, y: Of its upper left corner, in the enclosing box.
        is_port: Whether it is one of the enclosing box itself.
    """

    width: float
    height: float
    box: Box | None = None
    item: Item | None = None
    is_port: bool = False
    layer: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def is_icon(self) -> bool:
        """Whether it is a timer, an action or a built-in trigger."""
        return self.item is not None and self.item.kind != "reaction" and not self.is_port


Edge = tuple[Unit, Unit, bool]
"""Source, target, and whether it may run backwards just as well."""


def assign_layers(units: Sequence[Unit], edges: Iterable[Edge]) -> list[list[Unit]]:
    """Return the layers; inputs are the first one and outputs the last, even if there are none."""
    forward = nx.DiGraph()
    forward.add_nodes_from(unit for unit in units if not unit.is_port)
    edges = sorted(edges, key=lambda edge: edge[2])
    forward.add_edges_from(edge[:2] for edge in edges if not edge[2])
    is_sound = nx.is_directed_acyclic_graph(forward)
    if not is_sound:
        forward.remove_edges_from(list(forward.edges))
    for source, target, is_weak in edges:
        if (is_weak or not is_sound) and not nx.has_path(forward, target, source):
            forward.add_edge(source, target)
    depth = 0
    for depth, generation in enumerate(nx.topological_generations(forward), start=1):
        for unit in generation:
            unit.layer = depth
    for unit in forward:  # triggers stand next to what they trigger
        if unit.is_icon and not forward.in_degree(unit):
            nearest = min((target.layer for target in forward.successors(unit)), default=2)
            unit.layer = max(1, nearest - 1)
    layers: list[list[Unit]] = [[] for _ in range(depth + 2)]
    for unit in units:
        if unit.is_port and unit.item is not None:
            unit.layer = 0 if unit.item.kind == "input" else depth + 1
        layers[unit.layer].append(unit)
    return layers


def break_rows(widths: Sequence[float]) -> list[range]:
    """Return rows of layers: as few as are narrow enough, and these as even as they can be.

    Args:
        widths: Of the layers; the first and the last stay with those next to them.
    """
    inner = list(widths[1:-1]) or [0.0]
    inner[0] += widths[0]
    inner[-1] += widths[-1]
    starts = _starts(inner, _WIDEST_ROW)
    sums = (total for first in range(len(inner)) for total in accumulate(inner[first:]))
    for widest in sorted(total for total in sums if max(inner) <= total <= _WIDEST_ROW):
        even = _starts(inner, widest)
        if len(even) == len(starts):
            starts = even
            break
    bounds = [0, *(start + 1 for start in starts[1:]), len(widths)]
    return [range(first, end) for first, end in pairwise(bounds)]


def _starts(widths: Sequence[float], widest: float) -> list[int]:
    starts, width = [0], widths[0]
    for number, more in enumerate(widths[1:], start=1):
        if width + more > widest:
            starts.append(number)
            width = 0.0
        width += more
    return starts


def order(layers: Sequence[list[Unit]], neighbours: dict[Unit, list[Unit]]) -> None:
    """Sort each layer so that few edges cross."""
    for sweep in range(_SWEEPS):
        rank = {unit: i - len(layer) / 2 for layer in layers for i, unit in enumerate(layer)}
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            means = {
                unit: sum(rank[other] for other in near) / len(near) if near else rank[unit]
                for unit in layer
                for near in (neighbours[unit],)
            }
            layer.sort(key=means.__getitem__)
            rank.update((unit, i - len(layer) / 2) for i, unit in enumerate(layer))


def straighten(layers: Sequence[list[Unit]], pulls: dict[Unit, list[tuple[Unit, float]]]) -> None:
    """Stack each layer, and move units towards their neighbours' height in the same order.

    Args:
        layers: Of one row.
        pulls: Neighbours, and how much higher one would have to be for a straight line.
    """
    for layer in layers:
        y = 0.0
        for unit, following in zip_longest(layer, layer[1:]):
            unit.y = y
            y += unit.height + _space(unit, following)
    for sweep in range(_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            y, drift, n_pulled = float("-inf"), 0.0, 0
            for unit, following in zip_longest(layer, layer[1:]):
                wish = max(unit.y, y)
                if unit in pulls:
                    wish = sum(v.y + shift for v, shift in pulls[unit]) / len(pulls[unit])
                    drift += max(0.0, y - wish)
                    n_pulled += 1
                elif y > float("-inf"):
                    wish = y
                unit.y = max(wish, y)
                y = unit.y + unit.height + _space(unit, following)
            for unit in layer if n_pulled else ():
                unit.y -= drift / n_pulled
    for layer in layers:  # what nothing pulls stands close to what follows
        first = next((i for i, unit in enumerate(layer) if unit in pulls), 0)
        for i in range(first - 1, -1, -1):
            layer[i].y = layer[i + 1].y - _space(layer[i], layer[i + 1]) - layer[i].height
    end, empty = float("inf"), 0.0  # what is empty in all layers is not needed
    for unit in sorted((unit for layer in layers for unit in layer), key=lambda unit: unit.y):
        empty += max(0.0, unit.y - empty - end - GAP_Y)
        unit.y -= empty
        end = max(end, unit.y + unit.height) if end < float("inf") else unit.y + unit.height


def _space(unit: Unit, following: Unit | None) -> float:
    if following is None or (unit.is_port and following.is_port):
        return 0.0
    passing = (unit.box or unit.item, following.box or following.item).count(None)
    return (GAP_Y, 10.0, 5.0)[passing]
