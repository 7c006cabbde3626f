"""Draws a laid-out diagram as SVG that needs nothing else."""

from __future__ import annotations

from html import escape

from .diagram import Box, Edge, Graph, Item
from .layout import LANE, TITLE, Area, Point, Route, Unit, label_width, lay_out

_MARGIN = 12.0
_INK, _LINE, _FAINT, _DELAYED, _PHYSICAL = "#1f2d3a", "#33475b", "#8794a0", "#b3541e", "#7b3fa0"
_OUTLINE = f'stroke="{_LINE}" stroke-width="1.3"'
_TRANSITION = "#9a7a12"
_FILLS = ("#ffffff", "#f3f7fa")
_MODE_FILL = "#fdf8e7"
_STROKES = {
    "connection": (_LINE, 1.7, ""),
    "delayed": (_DELAYED, 1.7, "7 4"),
    "physical": (_PHYSICAL, 1.7, "2 4"),
    "trigger": (_FAINT, 1.2, ""),
    "use": (_FAINT, 1.2, "3 3"),
    "effect": (_FAINT, 1.2, ""),
    "transition": (_TRANSITION, 1.7, ""),
}


def draw(graph: Graph) -> str:
    """Return the SVG text of a diagram."""
    areas = lay_out(graph)
    main = areas[graph.boxes[0]]
    width, height = main.width + 2 * _MARGIN, main.height + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="{-_MARGIN:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}"'
        ' font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f"<title>{escape(graph.boxes[0].label)}</title>",
        "<defs>",
        *(_marker(kind, color) for kind, (color, _, _) in _STROKES.items()),
        "</defs>",
        f'<rect x="{-_MARGIN:.0f}" y="{-_MARGIN:.0f}" width="{width:.0f}" height="{height:.0f}"'
        ' fill="#ffffff"/>',
    ]
    for box in graph.boxes:
        parts += _box(areas[box], _depth(box))
    labels: list[str] = []
    for area in areas.values():
        for route in area.routes:
            parts.append(_edge(route, area, areas, labels))
    for box in graph.boxes:
        area = areas[box]
        for unit in area.units:
            if unit.item is not None:
                parts += _item(unit.item, unit, area)
        parts += [text for item, y in area.ports.items() for text in _port(item, y, area)]
    return "\n".join([*parts, *labels, "</svg>"]) + "\n"


def _marker(kind: str, color: str) -> str:
    return (
        f'<marker id="to-{kind}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8"'
        ' markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 0.8 L8 4 L0 7.2 z" fill="{color}"/></marker>'
    )


def _depth(box: Box) -> int:
    depth = 0
    while box.parent is not None:
        depth += box.kind != "mode"
        box = box.parent
    return depth


def _box(area: Area, depth: int) -> list[str]:
    kind = area.box.kind
    fill, line, radius = _FILLS[depth % 2], _LINE, 7
    if kind == "mode":
        fill, line, radius = _MODE_FILL, _TRANSITION, 14
    dashes = ' stroke-dasharray="9 5"' if kind == "enclave" else ""
    shifts = (7, 3.5, 0) if area.box.count > 1 else (0,)
    parts = [
        f'<rect x="{area.x + s:.1f}" y="{area.y + s:.1f}" width="{area.width:.1f}"'
        f' height="{area.height:.1f}" rx="{radius}" fill="{fill}" stroke="{_FAINT if s else line}"'
        f' stroke-width="{1.8 if dashes else 1.2}"{dashes}/>'
        for s in shifts
    ]
    parts.append(_text(area.x + 12, area.y + TITLE - 8, area.box.title, _INK, weight="bold"))
    return parts


def _text(
    x: float,
    y: float,
    text: str,
    color: str,
    size: int = 12,
    anchor: str = "start",
    weight: str = "normal",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" text-anchor="{anchor}"'
        f' font-weight="{weight}">{escape(text)}</text>'
    )


def _halo_text(x: float, y: float, text: str, color: str) -> list[str]:
    # Two texts: not every viewer knows paint-order.
    start = f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="middle"'
    halo = 'fill="#ffffff" stroke="#ffffff" stroke-width="4" stroke-linejoin="round"'
    return [
        f"{start} {halo}>{escape(text)}</text>",
        f'{start} fill="{color}">{escape(text)}</text>',
    ]


def _port(item: Item, y: float, area: Area) -> list[str]:
    if item.kind == "entry":  # what leads there has an arrow
        return []
    is_input = item.kind == "input"
    x = area.x if is_input else area.x + area.width
    y += area.y
    shape = f'<path d="M{x - 5:.1f} {y - 5:.1f} l10 5 l-10 5 z" fill="{_INK}"/>'
    side = (x + 9, "start") if is_input else (x - 9, "end")
    return [shape, _text(side[0], y + 4, item.label, _INK, anchor=side[1])]


def _item(item: Item, unit: Unit, area: Area) -> list[str]:
    x, y = area.x + area.content[0] + unit.x, area.y + area.content[1] + unit.y
    middle = x + unit.width / 2
    if item.kind == "reaction":
        w, h = unit.width, unit.height
        outline = (
            f'<path d="M{x:.1f} {y:.1f} h{w - 10:.1f} l10 {h / 2:.1f} l-10 {h / 2:.1f}'
            f' h{10 - w:.1f} l10 {-h / 2:.1f} z" fill="#dcefe1" stroke="#2f7a48"'
            ' stroke-width="1.2"/>'
        )
        return [
            outline,
            _text(middle + 2, y + 15, item.label, _INK, anchor="middle"),
            _text(middle + 2, y + 28, item.note, "#4c7d5c", 10, "middle"),
        ]
    cy = y + 16
    if item.kind == "timer":
        shapes = [
            f'<circle cx="{middle:.1f}" cy="{cy:.1f}" r="11" fill="#ffffff" {_OUTLINE}/>',
            f'<path d="M{middle:.1f} {cy - 7:.1f} v7 l5 3" fill="none" {_OUTLINE}/>',
        ]
    elif item.kind in ("logical", "physical"):
        shapes = [
            f'<path d="M{middle:.1f} {cy - 12:.1f} l12 22 h-24 z" fill="#ffffff" {_OUTLINE}/>',
            _text(middle, cy + 7, item.kind[0].upper(), _INK, 10, "middle"),
        ]
    else:
        fill = {"startup": "#ffffff", "reset": _TRANSITION}.get(item.kind, _LINE)
        shapes = [
            f'<circle cx="{middle:.1f}" cy="{cy:.1f}" r="9" fill="{fill}" {_OUTLINE}/>',
        ]
    return [*shapes, _text(middle, y + 40, item.caption, _LINE, 10, "middle")]


def _ends(edge: Edge, area: Area, areas: dict[Box, Area]) -> tuple[Point, Point]:
    return _anchor(edge.source, area, areas, 1), _anchor(edge.target, area, areas, 0)


def _anchor(item: Item, area: Area, areas: dict[Box, Area], side: int) -> Point:
    """Where an edge leaves (side 1) or reaches (side 0) an item, in the image."""
    owner = areas[item.box]
    if item in owner.ports:
        x = owner.x + owner.width if item.kind == "output" else owner.x
        if item.kind == "entry":
            return x, owner.y + owner.ports[item]
        reach = label_width(item) if owner is area else 5.0  # inside, past the name
        return (x + reach if side else x - reach), owner.y + owner.ports[item]
    unit = owner.places[item]
    x, y = owner.x + owner.content[0] + unit.x, owner.y + owner.content[1] + unit.y
    if item.kind == "reaction":
        return (x + unit.width, y + unit.height / 2) if side else (x + 9, y + unit.height / 2)
    half = 12.0 if side else -12.0
    return x + unit.width / 2 + half, y + 16


def _edge(route: Route, area: Area, areas: dict[Box, Area], labels: list[str]) -> str:
    edge = route.edge
    color, width, dashes = _STROKES[edge.kind]
    (x0, y0), (x1, y1) = _ends(edge, area, areas)
    if route.lane >= 0:
        lane = area.y + area.bottom + LANE * (route.lane + 0.7)
        out, back = x0 + 12 + 3 * route.lane, x1 - 12 - 3 * route.lane
        path = (
            f"M{x0:.1f} {y0:.1f} H{out - 6:.1f} Q{out:.1f} {y0:.1f} {out:.1f} {y0 + 6:.1f}"
            f" V{lane - 6:.1f} Q{out:.1f} {lane:.1f} {out - 6:.1f} {lane:.1f} H{back + 6:.1f}"
            f" Q{back:.1f} {lane:.1f} {back:.1f} {lane - 6:.1f} V{y1 + 6:.1f}"
            f" Q{back:.1f} {y1:.1f} {back + 6:.1f} {y1:.1f} H{x1:.1f}"
        )
        at = ((out + back) / 2, lane + 4)
    else:
        left, top = area.x + area.content[0], area.y + area.content[1]
        points = [(x0, y0)]
        for unit in route.via:
            y = top + unit.y + 2
            points += [(left + unit.x, y), (left + unit.x + unit.width, y)]
        points.append((x1, y1))
        path = f"M{x0:.1f} {y0:.1f}"
        for i in range(0, len(points) - 1, 2):
            (xa, ya), (xb, yb) = points[i], points[i + 1]
            middle = (xa + xb) / 2
            path += f" C{middle:.1f} {ya:.1f} {middle:.1f} {yb:.1f} {xb:.1f} {yb:.1f}"
            if i + 2 < len(points):
                path += f" H{points[i + 2][0]:.1f}"
        (xa, ya), (xb, yb) = points[-2], points[-1]
        at = ((xa + xb) / 2, (ya + yb) / 2 - 4)
    if edge.label:
        labels += _halo_text(*at, edge.label, color)
    style = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width}"{style}'
        f' marker-end="url(#to-{edge.kind})"/>'
    )
