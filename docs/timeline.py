"""Draws what a program did: a column for each tag, a row for each reaction, from a recorded run."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import Any, NamedTuple

from reactorrl.declare import TRIGGER, USE
from reactorrl.diagram import shown_time
from reactorrl.errors import ReactionError
from reactorrl.testing.observe import LIMIT_NS, ObservedProgram, main_of, paced
from reactorrl.testing.traces import Effect, Trace, Tracer, TraceRow
from reactorrl.time import Tag

INK, RULE = "#1f2d3a", "#d5dde4"
RAN, LATE, FAILED = "#dcebf7", "#fbe3c8", "#f6d0cf"
NOW, DELAYED = "#33475b", "#b3541e"
CHAR, ROW, HEADER, GAP, MARGIN = 6.2, 40.0, 40.0, 26.0, 10.0


class Box(NamedTuple):
    """Where one run of a body is drawn."""

    x: float
    y: float
    width: float
    lines: tuple[str, ...]
    fill: str


class Run(NamedTuple):
    """One recorded run.

    Attributes:
        trace: What ran, and what it did.
        paths: Of all reactions, in their static order.
        levels: Of each reaction.
        readers: Reactions that name an element, by its path.
        links: (destination, delay in ns, -1 for none) by the path of the source.
    """

    trace: Trace
    paths: list[str]
    levels: dict[str, int]
    readers: dict[str, list[str]]
    links: dict[str, list[tuple[str, int]]]


def timeline(make_main: Any, **options: Any) -> str:
    """Run a program and return the drawing as SVG.

    Args:
        make_main: Makes the main reactor.
        **options: Of `Program`; `fast=True` and one worker unless they say otherwise.
    """
    return draw(record(make_main, **options))


def record(make_main: Any, **options: Any) -> Run:
    """Run a program to its end, or to its error, and keep what the drawing needs."""
    tracer = Tracer(values=True)
    program = ObservedProgram(main_of(make_main), tracer, **paced({"workers": 1, **options}))
    assembly, bodies = program._assembly, program.bodies  # noqa: SLF001
    links = defaultdict(list)
    for source, target, connection, _ in assembly.wiring.all_links():
        if not connection.physical:
            links[str(source)].append((str(target), connection.delay_ns))
    readers = defaultdict(list)
    for path, body in bodies.items():
        for role, element in body.declared:
            if role in (TRIGGER, USE):
                readers[str(element)].append(path)
    levels = {path: n for n, level in enumerate(program.graph.levels) for path in level}
    try:
        report = program.run_within(LIMIT_NS)
    except ReactionError as error:
        report = error.report
    return Run(tracer.trace(report), list(assembly.paths), levels, readers, links)


def draw(run: Run) -> str:
    """Return the SVG text."""
    rows, stop = run.trace.rows, run.trace.stop_tag
    tags = sorted({row.tag for row in rows} | {stop})
    names = [path.partition(".")[2] for path in run.paths]
    left = MARGIN + max(map(len, names), default=0) * CHAR + 16
    top = {path: MARGIN + HEADER + number * ROW for number, path in enumerate(run.paths)}
    bottom = MARGIN + HEADER + len(run.paths) * ROW
    x, parts, boxes = left + GAP / 2, [], {}
    for number, tag in enumerate(tags):
        begin, cells = x, [row for row in rows if row.tag == tag]
        for level in sorted({run.levels[row.path] for row in cells}):
            here = [row for row in cells if run.levels[row.path] == level]
            width = max(max(map(len, lines(row))) for row in here) * CHAR + 12
            for row in here:
                fill = FAILED if row.error else LATE if row.is_handler else RAN
                boxes[tag, row.path] = Box(x, top[row.path] + 5, width, lines(row), fill)
            x += width + GAP
        x = max(x, begin + len(heading(tag, stop)) * CHAR + GAP)
        if number % 2 == 0:
            parts.append(rect(begin - GAP / 2, MARGIN, x - begin, bottom - MARGIN, "#f3f7fa"))
        parts.append(text((begin + x - GAP) / 2, MARGIN + 16, heading(tag, stop), anchor="middle"))
    for path, name in zip(run.paths, names, strict=True):
        parts.append(line(MARGIN, top[path], x - GAP / 2, top[path]))
        parts.append(text(MARGIN + 4, top[path] + 24, name))
    parts.append(line(MARGIN, bottom, x - GAP / 2, bottom))
    arrows = [arrow(boxes[key], boxes[to], to[0] != key[0]) for key, to in edges(run, boxes)]
    parts += [*sorted(set(arrows)), *(part for box in boxes.values() for part in drawn(box))]
    width, height = x - GAP / 2 + MARGIN, bottom + MARGIN
    return "\n".join([*frame(width, height, run.paths[0].partition(".")[0]), *parts, "</svg>\n"])


def heading(tag: Tag, stop: Tag) -> str:
    shown = shown_time(tag.time)
    shown = f"({shown}, {tag.microstep})" if tag.microstep else shown
    return f"{shown}, stop" if tag == stop else shown


def lines(row: TraceRow) -> tuple[str, ...]:
    """What a box says: at most two effects, or the error."""
    if row.error:
        return ("raised", row.error.partition(":")[0])
    said = [shown_effect(effect) for effect in row.effects]
    if len(said) > 2:
        said = [said[0], f"… {len(said) - 1} more"]
    return tuple(said) or ("late" if row.is_handler else "ran",)


def shown_effect(effect: Effect) -> str:
    name = effect.path.rpartition(".")[2]
    if effect.kind == "enter":
        return f"→ {name}"
    if effect.kind == "schedule" and effect.tag is None:
        return f"{name} dropped"
    room = 20 if effect.text.startswith("'") else 14
    value = effect.text if len(effect.text) <= room else effect.text[: room - 1] + "…"
    return name if value == "None" else f"{name} = {value}"


def edges(run: Run, boxes: dict[Any, Box]) -> list[Any]:
    """Pairs of (tag, path): who ran, and who ran for it."""
    found, last = [], {}  # last: (set at, arrives at) of a delayed element
    for row in run.trace.rows:
        for effect in row.effects:
            if effect.kind == "set":
                targets = []
                for element, delays in reached(run, effect.path):
                    tag = delayed(row.tag, delays)
                    before = last.get((element, delays))
                    if before and before[0] < row.tag and before[1] >= tag:  # a pile
                        tag = Tag(before[1].time, before[1].microstep + 1)
                    last[element, delays] = row.tag, tag
                    targets += [(tag, path) for path in named(run, element)]
            elif effect.kind == "schedule" and effect.tag:
                targets = [(effect.tag, path) for path in named(run, effect.path)]
            else:
                targets = []
            start = (row.tag, row.path)
            found += [(start, to) for to in targets if to in boxes and to != start]
    return found


def reached(run: Run, path: str) -> list[tuple[str, tuple[int, ...]]]:
    """Every element that a value set here comes to, with the delays on its way."""
    pending, found = [(path, ())], []
    while pending:
        element, delays = pending.pop()
        found.append((element, delays))
        for target, delay in run.links.get(element, ()):
            pending.append((target, delays if delay < 0 else (*delays, delay)))
    return found


def named(run: Run, element: str) -> list[str]:
    """Reactions that name the element, or the multiport whose channel it is."""
    whole = element.rpartition("[")[0] if element.endswith("]") else ""
    return [*run.readers.get(element, ()), *run.readers.get(whole, ())]


def delayed(tag: Tag, delays: tuple[int, ...]) -> Tag:
    for delay in delays:
        tag = Tag(tag.time + delay, 0) if delay else Tag(tag.time, tag.microstep + 1)
    return tag


def frame(width: float, height: float, title: str) -> list[str]:
    markers = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7"'
        ' markerHeight="7" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 1 L8 4 L0 7 z" fill="{color}"/></marker>'
        for name, color in (("now", NOW), ("later", DELAYED))
    )
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" font-family="Helvetica, Arial, sans-serif"'
        ' font-size="11">',
        f"<title>A run of {escape(title)}</title><defs>{markers}</defs>",
        rect(0, 0, width, height, "#ffffff"),
    ]


def drawn(box: Box) -> list[str]:
    middle, height = box.x + box.width / 2, ROW - 10
    first = box.y + (19 if len(box.lines) == 1 else 13)
    return [
        rect(box.x, box.y, box.width, height, box.fill, f' rx="5" stroke="{NOW}"'),
        *(text(middle, first + 12 * n, said, "middle") for n, said in enumerate(box.lines)),
    ]


def arrow(start: Box, end: Box, is_later: bool) -> str:
    x1, y1, x2, y2 = start.x + start.width, start.y + 15, end.x, end.y + 15
    bend = min(max(14.0, (x2 - x1) / 2), 30.0)
    if is_later and y1 != y2:  # not behind the boxes that follow in the row
        y1 += 11 if y2 > y1 else -11
    look = f'stroke="{DELAYED}" stroke-dasharray="5 3"' if is_later else f'stroke="{NOW}"'
    return (
        f'<path d="M{x1:.1f} {y1:.1f} C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f}'
        f' {x2:.1f} {y2:.1f}" fill="none" {look} stroke-width="1.3"'
        f' marker-end="url(#{"later" if is_later else "now"})"/>'
    )


def rect(x: float, y: float, width: float, height: float, fill: str, more: str = "") -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' fill="{fill}"{more}/>'
    )


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f} L{x2:.1f} {y2:.1f}" stroke="{RULE}"/>'


def text(x: float, y: float, said: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}">{escape(said)}</text>'
    )
