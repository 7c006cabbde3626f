"""Draws a laid-out diagram as SVG that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from .diagram import Box, Graph, Item
from .layers import Unit
from .layout import ICON, NOTCH, PORT, SHADOW, TITLE, Area, Point, Route, lay_out, text_width

_MARGIN = 12.0
_CAPTION = 22.0
_INK, _LINE, _FAINT, _DELAYED, _PHYSICAL = "#1f2d3a", "#33475b", "#76848f", "#b3541e", "#7b3fa0"
_TRANSITION, _LOOP = "#8a6c0d", "#d1242f"
_OUTLINE = f'stroke="{_LINE}" stroke-width="1.3"'
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
    "order": (_FAINT, 1.2, "1 3"),
}
_KINDS = {"logical": "logical action", "physical": "physical action"}
_LOOP_TEXT = "in red: a causality loop, in which each waits for the one before"


def draw(graph: Graph) -> str:
    """Return the SVG text of a diagram.

    The background is painted, so that it can be read on a dark page, too.
    """
    areas = lay_out(graph)
    main = areas[graph.boxes[0]]
    width, height = main.width + 2 * _MARGIN, main.height + 2 * _MARGIN
    if graph.has_loop:
        width, height = max(width, text_width(_LOOP_TEXT) + 2 * _MARGIN), height + _CAPTION
    corner = f"{-_MARGIN:.0f}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="{corner} {corner} {width:.0f} {height:.0f}" role="img"'
        ' font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f"<title>{escape(graph.boxes[0].label)}</title>",
        f'<rect x="{corner}" y="{corner}" width="{width:.0f}" height="{height:.0f}"'
        ' fill="#ffffff"/>',
    ]
    depths: dict[Box | None, int] = {None: -1}
    for box in graph.boxes:
        depths[box] = depths[box.parent] + (box.kind != "mode")
        parts += _box(areas[box], depths[box])
    routes = [route for area in areas.values() for route in area.routes]
    routes.sort(key=lambda route: route.edge.is_in_loop)  # over the others
    parts += [part for route in routes for part in _line(route)]
    for area in areas.values():
        for unit in area.units:
            if unit.item is not None:
                parts += _item(unit.item, unit, area)
        parts += [part for item, y in area.ports.items() for part in _port(item, y, area)]
    parts += [text for route in routes if route.label for text in _label(route)]
    if graph.has_loop:
        parts.append(_text(0, main.height + _CAPTION, _LOOP_TEXT, _LOOP))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _box(area: Area, depth: int) -> Iterator[str]:
    kind = area.box.kind
    fill, line, radius = _FILLS[depth % 2], _LINE, 7
    if kind == "mode":
        fill, line, radius = _MODE_FILL, _TRANSITION, 14
    dashes = ' stroke-dasharray="9 5"' if kind == "enclave" else ""
    for s in (SHADOW, SHADOW / 2, 0.0) if area.box.count.high > 1 else (0.0,):
        yield (
            f'<rect x="{area.x + s:.1f}" y="{area.y + s:.1f}" width="{area.width:.1f}"'
            f' height="{area.height:.1f}" rx="{radius}" fill="{fill}"'
            f' stroke="{_FAINT if s else line}" stroke-width="{1.8 if dashes else 1.2}"{dashes}/>'
        )
    yield _text(area.x + 10, area.y + TITLE - 9, area.box.title, _INK, weight="bold")


def _text(
    x: float,
    y: float,
    text: str,
    color: str,
    *,
    size: int = 12,
    anchor: str = "start",
    weight: str = "normal",
    more: str = "",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" text-anchor="{anchor}"'
        f' font-weight="{weight}"{more}>{escape(text)}</text>'
    )


def _label(route: Route) -> Iterator[str]:
    # Two texts: not every viewer knows paint-order.
    halo = ' stroke="#ffffff" stroke-width="4" stroke-linejoin="round"'
    for color, more in (("#ffffff", halo), (_stroke(route)[0], "")):
        yield _text(*route.label_at, route.label, color, size=11, anchor="middle", more=more)


def _port(item: Item, y: float, area: Area) -> Iterator[str]:
    if not item.key or item.kind == "entry":  # lines go on; an arrow ends there
        return
    is_input = item.kind == "input"
    x = area.x if is_input else area.x + area.width
    y += area.y
    color = _LOOP if item.is_in_loop else _INK
    yield f'<path d="M{x - PORT:.1f} {y - PORT:.1f} l10 5 l-10 5 z" fill="{color}"/>'
    side = (x + 8, "start") if is_input else (x - 8, "end")
    yield _text(side[0], y + 4, item.label, color, anchor=side[1])


def _item(item: Item, unit: Unit, area: Area) -> Iterator[str]:
    yield f"<g><title>{escape(_KINDS.get(item.kind, item.kind))} {escape(item.caption)}</title>"
    x, y = area.x + unit.x, area.y + unit.y
    middle = x + unit.width / 2
    if item.kind == "reaction":
        w, h, notch = unit.width, unit.height, NOTCH
        edge = (
            f'"{_LOOP}" stroke-width="2.4"' if item.is_in_loop else '"#2f7a48" stroke-width="1.2"'
        )
        yield (
            f'<path d="M{x:.1f} {y:.1f} h{w - notch:.1f} l{notch:.1f} {h / 2:.1f} l{-notch:.1f}'
            f' {h / 2:.1f} h{notch - w:.1f} l{notch:.1f} {-h / 2:.1f} z" fill="#dcefe1"'
            f" stroke={edge}/>"
        )
        base = y + (15 if item.note else 21)
        yield _text(middle + 2, base, item.label, _INK, anchor="middle")
        yield _text(middle + 2, y + 28, item.note, "#3a664a", size=10, anchor="middle")
    else:
        yield from _icon(item.kind, middle, y + ICON + 4)
        yield _text(middle, y + 40, item.label, _LINE, size=10, anchor="middle")
        yield _text(middle, y + 52, item.note, _LINE, size=10, anchor="middle")
    yield "</g>"


def _icon(kind: str, x: float, y: float) -> Iterator[str]:
    if kind == "timer":
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="11" fill="#ffffff" {_OUTLINE}/>'
        yield f'<path d="M{x:.1f} {y - 7:.1f} v7 l5 3" fill="none" {_OUTLINE}/>'
    elif kind in _KINDS:
        yield f'<path d="M{x:.1f} {y - 12:.1f} l12 22 h-24 z" fill="#ffffff" {_OUTLINE}/>'
        yield _text(x, y + 7, kind[0].upper(), _INK, size=10, anchor="middle")
    else:
        fill = {"startup": "#ffffff", "reset": _TRANSITION}.get(kind, _LINE)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="{fill}" {_OUTLINE}/>'


def _stroke(route: Route) -> tuple[str, float, str]:
    color, width, dashes = _STROKES[route.edge.kind]
    return (_LOOP, 2.4, dashes) if route.edge.is_in_loop else (color, width, dashes)


def _line(route: Route) -> Iterator[str]:
    color, width, dashes = _stroke(route)
    has_head = bool(route.target.key)  # else it goes on
    *points, (x, y) = route.points
    points.append((x - 5 * has_head, y))
    path = _rounded(points) if route.is_lane else _curved(points)
    style = f' stroke-dasharray="{dashes}"' if dashes else ""
    yield f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width}"{style}/>'
    if has_head:
        yield f'<path d="M{x - 8:.1f} {y - 3.4:.1f} L{x:.1f} {y:.1f} l-8 3.4 z" fill="{color}"/>'


def _curved(points: list[Point]) -> str:
    """Straight lines and curves in turns; all are level where they meet."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for i, (x, y) in enumerate(points[1:]):
        x0, y0 = points[i]
        if i % 2 == 0:
            path += f" H{x:.1f}"
        else:
            middle = (x0 + x) / 2
            path += f" C{middle:.1f} {y0:.1f} {middle:.1f} {y:.1f} {x:.1f} {y:.1f}"
    return path


def _rounded(points: list[Point]) -> str:
    """Level and upright lines in turns, with round corners."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x0, y0), (x, y), (x1, y1) in zip(points, points[1:], points[2:], strict=False):
        before, after = abs(x - x0) + abs(y - y0), abs(x1 - x) + abs(y1 - y)
        radius = min(6.0, before / 2, after / 2)
        if radius:
            path += (
                f" L{x + (x0 - x) * radius / before:.1f} {y + (y0 - y) * radius / before:.1f}"
                f" Q{x:.1f} {y:.1f}"
                f" {x + (x1 - x) * radius / after:.1f} {y + (y1 - y) * radius / after:.1f}"
            )
    return path + f" L{points[-1][0]:.1f} {points[-1][1]:.1f}"
