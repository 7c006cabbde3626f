"""Figures of results: lines over a coordinate of the cases, or bars, as PNG and SVG.

Drawn from the JSON of results alone. Every series has a colour, a marker and a line style or hatch
of its own, so that a picture can be read without colours, and the same one in all pictures of a
run. The same results give the same SVG, byte for byte.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .table import header, missing, show

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

INCHES = (9.6, 5.4)
DOTS_PER_INCH = 150
COLOURS = 128  # of a PNG
SCREEN_DOTS_PER_INCH = 90  # in a notebook, which keeps its pictures
LABEL_WIDTH = 30  # characters
LABELS_BETWEEN = (-0.16, 1.12)  # of the height of the axes
RC = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "reactorrl",
    "svg.fonttype": "path",
}
OURS = ("#0072b2", "#003f66", "#4a9fd8")
OTHERS = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#8c564b", "#000000")
MARKERS = "os^DvPX*<>hd"
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2, 1, 2)))
HATCHES = ("", "//", "..", "xx", "\\\\", "--", "++", "oo", "OO", "**", "||", "///")


@dataclass(frozen=True)
class Figure:
    """What one picture shows: the series of one finding in all cases that have its coordinates.

    A case takes part if its `at`, with that of the finding added, has `x` and equals `where` in
    every key. Points are medians, error bars quartiles. Without `x`, each case is a group of bars.
    With `stacked`, the findings of these names are stacked on each other in place of `what`: one
    bar for each series.
    """

    name: str  # of the files
    title: str
    what: str  # of the finding, as in `Finding.what`
    y_label: str
    x: str = ""
    x_label: str = ""
    x_unit: str = ""  # "B" for bytes
    where: Mapping[str, float | str] = field(default_factory=dict)
    log_x: bool = False
    log_y: bool = False
    stacked: Sequence[str] = ()


class Pictures(dict[str, "Canvas"]):
    """Drawn figures of Matplotlib, by name; a notebook shows them."""

    def save(self, folder: str | Path) -> list[Path]:
        """Writes each as PNG and as SVG, and returns where."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        paths = []
        for name, canvas in self.items():
            for kind in ("png", "svg"):
                paths.append(Path(folder) / f"{name}.{kind}")
                paths[-1].write_bytes(rendered(canvas, kind))
        return paths

    def _ipython_display_(self) -> None:
        from IPython.display import Image, display  # noqa: PLC0415 - only there

        for canvas in self.values():
            display(Image(rendered(canvas, "png", SCREEN_DOTS_PER_INCH)))


def rendered(canvas: Canvas, kind: str, dots_per_inch: int = DOTS_PER_INCH) -> bytes:
    """The bytes of a file, without a date or anything else that changes from run to run."""
    import matplotlib  # noqa: PLC0415 - optional

    written = io.BytesIO()
    nothing = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    with matplotlib.rc_context(RC):
        canvas.savefig(written, format=kind, dpi=dots_per_inch, metadata=nothing[kind])
    return smaller(written) if kind == "png" else written.getvalue()


def smaller(png: io.BytesIO) -> bytes:
    """The same picture with a palette, in a third of the bytes."""
    from PIL import Image  # noqa: PLC0415 - Matplotlib needs it, too

    written = io.BytesIO()
    Image.open(png).convert("RGB").quantize(COLOURS).save(written, "PNG", optimize=True)
    return written.getvalue()


@dataclass
class Line:
    """One contender in all cases of a figure."""

    label: str
    style: int  # its number among all contenders of the run
    xs: list[Any] = field(default_factory=list)
    positions: Sequence[float] = ()  # on the axis
    medians: list[float] = field(default_factory=list)
    q1s: list[float] = field(default_factory=list)
    q3s: list[float] = field(default_factory=list)

    @property
    def is_ours(self) -> bool:
        """Ours are drawn stronger."""
        return self.label.startswith("reactorrl")

    @property
    def colour(self) -> str:
        """Of Okabe and Ito, which colour-blind readers can tell apart."""
        palette = OURS if self.is_ours else OTHERS
        return palette[self.style % len(palette)]

    @property
    def marking(self) -> dict[str, Any]:
        """The marker: filled for ours."""
        marker = MARKERS[self.style % len(MARKERS)]
        return {"marker": marker, "markerfacecolor": self.colour if self.is_ours else "white"}

    @property
    def errors(self) -> list[list[float]]:
        """From the median down to the first quartile, and up to the third."""
        lower = [m - q for m, q in zip(self.medians, self.q1s, strict=True)]
        return [lower, [q - m for m, q in zip(self.medians, self.q3s, strict=True)]]


def draw(data: Mapping[str, Any]) -> Pictures:
    """Draws every figure of results that has points.

    Raises:
        RuntimeError: Matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: PLC0415 - optional
    except ImportError as error:
        raise RuntimeError("drawing needs Matplotlib: pip install 'reactorrl[viz]'") from error
    pictures = Pictures()
    numbers = styles(data["cases"])
    with matplotlib.rc_context(RC):
        for item in data["figures"]:
            figure = Figure(**item)
            if points := points_of(figure, data["cases"]):
                pictures[figure.name] = picture(figure, points, numbers, data)
    return pictures


@dataclass(frozen=True)
class Point:
    """A finding, and where it stands on the horizontal axis."""

    x: Any
    case: Mapping[str, Any]
    finding: Mapping[str, Any]


def points_of(figure: Figure, cases: Sequence[Mapping[str, Any]]) -> list[Point]:
    """The figure's findings, in the order of its coordinate."""
    found = []
    for case in cases:
        for finding in case["findings"]:
            at = {**case["at"], **finding["at"]}
            fits = all(at.get(name) == value for name, value in figure.where.items())
            wanted = figure.stacked or (figure.what,)
            if finding["what"] in wanted and finding["series"] and fits:
                if not figure.x:
                    found.append(Point(case["name"], case, finding))
                elif figure.x in at:
                    found.append(Point(at[figure.x], case, finding))
    if figure.x and len({point.x for point in found}) < 2:
        return []  # no line
    if figure.x and not any(isinstance(point.x, str) for point in found):
        found.sort(key=lambda point: point.x)
    return found


def styles(cases: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """A number for each label of a run: ours and the others are counted apart."""
    labels = dict.fromkeys(
        label for case in cases for f in case["findings"] for label in f["series"]
    )
    ours = [label for label in labels if label.startswith("reactorrl")]
    others = [label for label in labels if label not in ours]
    return {label: n for group in (ours, others) for n, label in enumerate(group)}


def lines_of(points: Sequence[Point], numbers: Mapping[str, int]) -> list[Line]:
    """One for each contender, ours first."""
    lines: dict[str, Line] = {}
    for point in points:
        for label, summary in point.finding["series"].items():
            line = lines.setdefault(label, Line(label, numbers[label]))
            line.xs.append(point.x)
            line.medians.append(summary["median"])
            line.q1s.append(summary["q1"])
            line.q3s.append(summary["q3"])
    return sorted(lines.values(), key=lambda line: (not line.is_ours, line.style))


def picture(
    figure: Figure, points: Sequence[Point], numbers: Mapping[str, int], data: Mapping[str, Any]
) -> Canvas:
    """One figure with title, labels, and in small print where it was measured and what is not."""
    from matplotlib.figure import Figure as Canvas  # noqa: PLC0415 - optional
    from matplotlib.ticker import LogLocator  # noqa: PLC0415 - optional

    cases = {point.case["name"]: point.case for point in points}
    notes = footnotes(list(cases.values()), data)
    bottom = 0.13 + 0.026 * len(notes)
    canvas = Canvas(figsize=INCHES)
    left = 0.27 if figure.stacked else 0.105
    axes = canvas.add_axes((left, bottom, 0.69 - left, 0.89 - bottom))
    axes.set_title(figure.title, loc="left", fontsize=13, fontweight="bold", pad=12)
    lines = lines_of(points, numbers)
    xs = list(dict.fromkeys(point.x for point in points))
    unit = points[0].finding["unit"]
    if figure.stacked:
        draw_stacks(axes, figure.stacked, points, lines)
        axes.set_xlabel(figure.y_label)
        axes.xaxis.set_major_formatter(lambda value, _: tick(value, unit))
    else:
        axes.set_ylabel(figure.y_label)
        if figure.log_y and all(value > 0 for line in lines for value in line.q1s):
            axes.set_yscale("log")
        draw = draw_lines if figure.x else draw_bars
        draw(axes, figure, xs, lines)
        low, high = axes.get_ylim()
        if axes.get_yscale() == "log" and high < 100 * low:
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: tick(value, unit))
        axes.yaxis.set_minor_formatter(lambda *_: "")
        if axes.get_yscale() == "linear":
            axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    for number, note in enumerate(reversed(notes)):
        canvas.text(0.015, 0.018 + 0.026 * number, note, fontsize=7.5, color="#444444")
    return canvas


def tick(value: float, unit: str) -> str:
    """A figure on an axis, without digits that say nothing."""
    if unit == "B":
        return size_text(value)
    if unit in ("ns", "/s"):
        number, _, name = show(value, unit).partition(" ")
        return f"{float(number):g} {name}"
    return f"{value:g}x" if unit == "x" else f"{value:g}"


def size_text(size: float) -> str:
    """`10 MB`; a thousand bytes are a KB."""
    for limit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if abs(size) >= limit:
            return f"{size / limit:g} {name}"
    return f"{size:g} B"


def draw_lines(axes: Axes, figure: Figure, xs: Sequence[Any], lines: Sequence[Line]) -> None:
    """Medians joined by lines, with quartiles; ticks where something was measured."""
    axes.set_xlabel(figure.x_label or figure.x)
    named = any(isinstance(x, str) for x in xs)
    if figure.log_x and not named:
        axes.set_xscale("log")
    for line in lines:
        line.positions = [xs.index(x) for x in line.xs] if named else line.xs
        strong = line.is_ours
        axes.errorbar(
            line.positions,
            line.medians,
            yerr=line.errors,
            label=line.label,
            color=line.colour,
            linestyle=DASHES[(line.style + line.style // len(DASHES)) % len(DASHES)],
            linewidth=2.4 if strong else 1.4,
            markersize=7 if strong else 6,
            capsize=3,
            elinewidth=1,
            zorder=3 if strong else 2,
            **line.marking,
        )
    axes.margins(x=0.04)
    positions = list(range(len(xs))) if named else list(xs)
    texts = [size_text(x) if figure.x_unit == "B" else f"{x}" for x in xs]
    axes.set_xticks(positions, legible(axes, positions, texts))
    axes.minorticks_off()
    name_lines(axes, lines)


def legible(axes: Axes, positions: Sequence[float], texts: Sequence[str]) -> list[str]:
    """The labels of ticks, without those that would run into another; the last one stays."""
    axes.autoscale_view()
    shown = [axes.transData.transform((x, 1))[0] for x in positions]
    room = 9.5 * axes.figure.dpi / 100  # of a character
    kept, before = [""] * len(texts), math.inf
    for number in reversed(range(len(texts))):
        half = len(texts[number]) * room / 2
        if shown[number] + half < before:
            kept[number], before = texts[number], shown[number] - half
    return kept


def name_lines(axes: Axes, lines: Sequence[Line]) -> None:
    """Writes each line's name beside its end, moved apart where they would overlap."""
    texts = [textwrap.fill(line.label, LABEL_WIDTH) for line in lines]
    axes.autoscale_view()
    to_axes = axes.transData + axes.transAxes.inverted()
    ends = [to_axes.transform((line.positions[-1], line.medians[-1])) for line in lines]
    heights = [0.042 * (text.count("\n") + 1) + 0.014 for text in texts]
    middles = apart([float(y) for _, y in ends], heights)
    beside = {"transform": axes.transAxes, "clip_on": False, "color": None}
    for line, text, (x, y), middle in zip(lines, texts, ends, middles, strict=True):
        beside["color"] = line.colour
        axes.plot([x + 0.01, 1.05], [y, middle], linewidth=0.7, **beside)
        axes.plot([1.06], [middle], markersize=6, **line.marking, **beside)
        axes.text(
            1.08,
            middle,
            text,
            fontsize=9.5,
            fontweight="bold" if line.is_ours else "normal",
            va="center",
            linespacing=0.95,
            **beside,
        )


def apart(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Middles of labels, as near as possible to where they are wanted and without overlap.

    Neighbours that would overlap become one stack, in the middle of what its members want.
    """
    order = sorted(range(len(wanted)), key=lambda number: (wanted[number], number))
    stacks: list[list[int]] = []

    def low(stack: list[int]) -> float:
        height, targets = 0.0, []
        for number in stack:
            targets.append(wanted[number] - height - heights[number] / 2)
            height += heights[number]
        return max(LABELS_BETWEEN[0], min(LABELS_BETWEEN[1] - height, sum(targets) / len(targets)))

    for number in order:
        stacks.append([number])
        while len(stacks) > 1:
            below = low(stacks[-2]) + sum(heights[n] for n in stacks[-2])
            if below <= low(stacks[-1]):
                break
            stacks[-2:] = [stacks[-2] + stacks[-1]]
    middles = [0.0] * len(wanted)
    for stack in stacks:
        bottom = low(stack)
        for number in stack:
            middles[number] = bottom + heights[number] / 2
            bottom += heights[number]
    return middles


def draw_bars(axes: Axes, figure: Figure, xs: Sequence[str], lines: Sequence[Line]) -> None:
    """A group for each case, and a legend beside it."""
    width = 0.84 / len(lines)
    for number, line in enumerate(lines):
        offset = (number - (len(lines) - 1) / 2) * width
        axes.bar(
            [xs.index(x) + offset for x in line.xs],
            line.medians,
            width,
            yerr=line.errors,
            label=textwrap.fill(line.label, LABEL_WIDTH),
            color=line.colour,
            alpha=0.85 if line.is_ours else 0.6,
            hatch=HATCHES[(line.style + (0 if line.is_ours else 1)) % len(HATCHES)],
            edgecolor="black",
            linewidth=0.7,
            error_kw={"capsize": 2, "elinewidth": 0.9},
        )
    texts = [textwrap.fill(x, max(8, 54 // len(xs))) for x in xs]
    axes.set_xticks(range(len(xs)), texts)
    axes.set_xlabel(figure.x_label)
    axes.grid(visible=False, axis="x")
    explain_bars(axes)


def draw_stacks(
    axes: Axes, parts: Sequence[str], points: Sequence[Point], lines: Sequence[Line]
) -> None:
    """A bar for each contender, of its findings on each other."""
    labels = [line.label for line in lines]
    done = dict.fromkeys(labels, 0.0)
    for number, part in enumerate(parts):
        series = next((p.finding["series"] for p in points if p.finding["what"] == part), {})
        lengths = [series[label]["median"] if label in series else 0.0 for label in labels]
        axes.barh(
            range(len(labels)),
            lengths,
            0.7,
            left=list(done.values()),
            label=textwrap.fill(part, LABEL_WIDTH),
            color=OTHERS[number % len(OTHERS)],
            alpha=0.6,
            hatch=HATCHES[number % len(HATCHES)],
            edgecolor="black",
            linewidth=0.7,
        )
        done = {label: x + more for (label, x), more in zip(done.items(), lengths, strict=True)}
    axes.set_yticks(range(len(labels)), [textwrap.fill(label, 25) for label in labels], fontsize=9)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    explain_bars(axes)


def explain_bars(axes: Axes) -> None:
    """A legend beside the bars."""
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.02, 1.02), frameon=False, fontsize=10, handlelength=2.4
    )


def footnotes(cases: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> list[str]:
    """The machine, and who is missing anywhere, with the reason."""
    notes = [f"Medians and quartiles. {header(dict(data))}"]
    notes += [f"Not measured: {', '.join(labels)}: {why}" for why, labels in missing(cases).items()]
    return [line for note in notes for line in textwrap.wrap(note, 165)]
