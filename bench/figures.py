"""Figures of results: lines over a coordinate of the cases, or bars, as PNG and SVG.

Drawn from the JSON of results alone. Every series has a colour, a marker and a line style or hatch
of its own, so that a picture can be read without colours, and the same one in all pictures of a
run. The same results give the same SVG, byte for byte.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .table import header, missing, show

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

INCHES = (9.6, 5.4)
DOTS_PER_INCH = 150
LABEL_WIDTH = 27  # characters
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
OURS = ("#0072b2", "#003f66")
OTHERS = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555", "#8c564b", "#000000")
MARKERS = "os^DvPX*<>hd"
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2, 1, 2)))
HATCHES = ("", "//", "..", "xx", "\\\\", "--", "++", "oo", "OO", "**", "||", "///")


@dataclass(frozen=True)
class Figure:
    """What one picture shows: the series of one finding in all cases that have its coordinates.

    A case takes part if its `at` has `x` and equals `where` in every key. Points are medians, error
    bars quartiles. Without `x`, each case is a group of bars. With `stacked`, the findings of these
    names are stacked on each other in place of `what`: one bar for each series.
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
            display(Image(rendered(canvas, "png"), width=INCHES[0] * 80))


def rendered(canvas: Canvas, kind: str) -> bytes:
    """The bytes of a file, without a date or anything else that changes from run to run."""
    import matplotlib  # noqa: PLC0415 - optional

    written = io.BytesIO()
    nothing = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    with matplotlib.rc_context(RC):
        canvas.savefig(written, format=kind, dpi=DOTS_PER_INCH, metadata=nothing[kind])
    return written.getvalue()


@dataclass
class Line:
    """One contender in all cases of a figure."""

    label: str
    style: int  # its number among all contenders of the run
    xs: list[Any] = field(default_factory=list)
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
    with matplotlib.rc_context(RC):
        for item in data["figures"]:
            figure = Figure(**item)
            cases = taking_part(figure, data["cases"])
            if lines := lines_of(figure, cases, styles(data["cases"])):
                pictures[figure.name] = picture(figure, cases, lines, data)
    return pictures


def finding_of(figure: Figure, case: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The finding that the figure shows."""
    return next((f for f in case["findings"] if f["what"] == figure.what), None)


def taking_part(figure: Figure, cases: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The figure's cases, in the order of its coordinate."""
    found = [
        case
        for case in cases
        if (not figure.x or figure.x in case["at"])
        and all(case["at"].get(name) == value for name, value in figure.where.items())
        and finding_of(figure, case)
    ]
    if figure.x and not any(isinstance(case["at"][figure.x], str) for case in found):
        found.sort(key=lambda case: case["at"][figure.x])
    return found


def styles(cases: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """A number for each label of a run: ours and the others are counted apart."""
    labels = dict.fromkeys(
        label for case in cases for f in case["findings"] for label in f["series"]
    )
    ours = [label for label in labels if label.startswith("reactorrl")]
    others = [label for label in labels if label not in ours]
    return {label: n for group in (ours, others) for n, label in enumerate(group)}


def lines_of(
    figure: Figure, cases: Sequence[Mapping[str, Any]], numbers: Mapping[str, int]
) -> list[Line]:
    """One for each contender, ours first."""
    lines: dict[str, Line] = {}
    for case in cases:
        finding = finding_of(figure, case)
        assert finding
        for label, summary in finding["series"].items():
            line = lines.setdefault(label, Line(label, numbers[label]))
            line.xs.append(case["at"][figure.x] if figure.x else case["name"])
            line.medians.append(summary["median"])
            line.q1s.append(summary["q1"])
            line.q3s.append(summary["q3"])
    return sorted(lines.values(), key=lambda line: (not line.is_ours, line.style))


def picture(
    figure: Figure, cases: Sequence[Mapping[str, Any]], lines: Sequence[Line], data: Mapping
) -> Canvas:
    """One figure with title, labels, and in small print where it was measured and what is not."""
    from matplotlib.figure import Figure as Canvas  # noqa: PLC0415 - optional

    notes = footnotes(cases, data)
    bottom = 0.17 + 0.026 * len(notes)
    canvas = Canvas(figsize=INCHES)
    axes = canvas.add_axes((0.09, bottom, 0.6, 0.89 - bottom))
    axes.set_title(figure.title, loc="left", fontsize=13, fontweight="bold", pad=12)
    axes.set_ylabel(figure.y_label)
    xs = list(dict.fromkeys(x for case in cases for x in [at(figure, case)]))
    finding = finding_of(figure, cases[0])
    assert finding
    if figure.log_y and all(value > 0 for line in lines for value in line.q1s):
        axes.set_yscale("log")
    if figure.x:
        axes.set_xlabel(figure.x_label or figure.x)
        draw_lines(axes, figure, xs, lines)
        name_lines(axes, lines)
    else:
        draw_bars(axes, xs, lines)
    axes.yaxis.set_major_formatter(lambda value, _: tick(value, finding["unit"]))
    axes.yaxis.set_minor_formatter(lambda *_: "")
    if axes.get_yscale() == "linear":
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    for number, note in enumerate(reversed(notes)):
        canvas.text(0.015, 0.018 + 0.026 * number, note, fontsize=7.5, color="#444444")
    return canvas


def at(figure: Figure, case: Mapping[str, Any]) -> Any:
    """Where a case stands on the horizontal axis."""
    return case["at"][figure.x] if figure.x else case["name"]


def tick(value: float, unit: str) -> str:
    """A figure on an axis, without digits that say nothing."""
    if unit == "ns":
        number, _, name = show(value, unit).partition(" ")
        return f"{float(number):g} {name}"
    return f"{value:g}x" if unit == "x" else f"{value:g}"


def size_text(size: float) -> str:
    """`10 MB`; a thousand bytes are a KB."""
    for limit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if size >= limit:
            return f"{size / limit:g} {name}"
    return f"{size:g} B"


def draw_lines(axes: Axes, figure: Figure, xs: Sequence[Any], lines: Sequence[Line]) -> None:
    """Medians joined by lines, with quartiles; ticks where something was measured."""
    named = any(isinstance(x, str) for x in xs)
    if figure.log_x and not named:
        axes.set_xscale("log")
    for line in lines:
        strong = line.is_ours
        axes.errorbar(
            [xs.index(x) for x in line.xs] if named else line.xs,
            line.medians,
            yerr=line.errors,
            label=line.label,
            color=line.colour,
            marker=MARKERS[line.style % len(MARKERS)],
            linestyle=DASHES[line.style % len(DASHES)],
            linewidth=2.4 if strong else 1.4,
            markersize=7 if strong else 6,
            markerfacecolor=line.colour if strong else "white",
            capsize=3,
            elinewidth=1,
            zorder=3 if strong else 2,
        )
    axes.margins(x=0.04)
    positions = list(range(len(xs))) if named else list(xs)
    texts = [size_text(x) if figure.x_unit == "B" else f"{x}" for x in xs]
    axes.set_xticks(positions, legible(axes, positions, texts))
    axes.minorticks_off()


def legible(axes: Axes, positions: Sequence[float], texts: Sequence[str]) -> list[str]:
    """The labels of ticks, without those that would run into another; the last one stays."""
    shown = [axes.transData.transform((x, 1))[0] for x in positions]
    room = 8.0 * axes.figure.dpi / 100  # of a character
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
    heights = [0.045 * (text.count("\n") + 1) + 0.012 for text in texts]
    to_axes = axes.transAxes.inverted()
    ends = [
        float(to_axes.transform(axes.transData.transform((1, line.medians[-1])))[1])
        for line in lines
    ]
    for number, middle in apart(ends, heights):
        line = lines[number]
        xs = line.xs[-1] if not isinstance(line.xs[-1], str) else len(line.xs) - 1
        start = to_axes.transform(axes.transData.transform((xs, line.medians[-1])))
        axes.annotate(
            texts[number],
            xy=(start[0], start[1]),
            xytext=(1.06, middle),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=line.colour,
            fontsize=10,
            fontweight="bold" if line.is_ours else "normal",
            va="center",
            linespacing=0.95,
            arrowprops={
                "arrowstyle": "-",
                "color": line.colour,
                "linewidth": 0.7,
                "shrinkA": 2,
                "shrinkB": 5,
            },
        )


def apart(ends: Sequence[float], heights: Sequence[float]) -> Iterator[tuple[int, float]]:
    """Numbers and middles of labels that stand near their ends and do not overlap."""
    order = sorted(range(len(ends)), key=lambda number: (ends[number], number))
    lows: list[float] = []
    floor = -0.12
    for number in order:
        lows.append(max(floor, ends[number] - heights[number] / 2))
        floor = lows[-1] + heights[number]
    ceiling = 1.06
    for place in reversed(range(len(order))):
        height = heights[order[place]]
        lows[place] = min(lows[place], ceiling - height)
        ceiling = lows[place]
    for number, low in zip(order, lows, strict=True):
        yield number, low + heights[number] / 2


def draw_bars(axes: Axes, xs: Sequence[str], lines: Sequence[Line]) -> None:
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
    columns = max(6, 66 // len(xs))
    axes.set_xticks(range(len(xs)), [textwrap.fill(x, columns) for x in xs])
    axes.grid(visible=False, axis="x")
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.02, 1.02), frameon=False, fontsize=10, handlelength=2.4
    )


def footnotes(cases: Sequence[Mapping[str, Any]], data: Mapping[str, Any]) -> list[str]:
    """The machine, and who is missing anywhere, with the reason."""
    notes = [f"Medians and quartiles. {header(dict(data))}"]
    notes += [f"Not measured: {', '.join(labels)}: {why}" for why, labels in missing(cases).items()]
    return [line for note in notes for line in textwrap.wrap(note, 165)]
