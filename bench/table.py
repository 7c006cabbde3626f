"""How results are shown: text for a terminal, Markdown for a document. Works on the JSON alone."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

NOISY_FOREIGN = 0.05  # share of the machine


def show(value: float, unit: str) -> str:
    """Three digits and a unit that fits."""
    if unit == "ns":
        for limit, name, factor in ((1e3, "ns", 1), (1e6, "µs", 1e3), (1e9, "ms", 1e6)):
            if abs(value) < 0.9995 * limit:
                return f"{digits(value / factor)} {name}"
        return f"{digits(value / 1e9)} s"
    if unit == "/s":
        name, factor = ("M/s", 1e6) if value >= 999_500 else ("k/s", 1e3)
        return f"{digits(value / factor)} {name}" if value >= 999.5 else f"{digits(value)} /s"
    if not unit:
        return f"{value:g}"
    return f"{value:.2f}x" if unit == "x" else f"{value:.2f} {unit}"


def digits(value: float) -> str:
    """Three significant digits without an exponent."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def goal_text(finding: dict[str, Any]) -> str:
    """`≤ 300 ns`, or nothing."""
    if finding["at_most"] is not None:
        return f"≤ {show(finding['at_most'], finding['unit'])}"
    if finding["at_least"] is not None:
        return f"≥ {show(finding['at_least'], finding['unit'])}"
    return ""


def verdict(finding: dict[str, Any]) -> str:
    """In words; a miss is called one."""
    return {True: "reached", False: "MISSED", None: ""}[finding["reached"]]


def times_ours(finding: dict[str, Any], label: str) -> str:
    """How many times our time or rate another one is; nothing for ourselves."""
    ours = finding["series"].get(finding["ours"])
    if finding["unit"] not in ("ns", "/s") or label == finding["ours"]:
        return ""
    if ours is None or not ours["median"]:
        return ""
    return f"{digits(finding['series'][label]['median'] / ours['median'])} times ours"


def doubts(case: dict[str, Any]) -> str:
    """What makes the case's figures doubtful, in words; empty when nothing does."""
    said = []
    ours = [one for label, one in case["interpreters"].items() if label.startswith("reactorrl")]
    if any(one["gil"] for one in ours):
        said.append("our side ran with the GIL on")
    if case["foreign"] > NOISY_FOREIGN and not case["company"]:
        said.append(f"other processes used {case['foreign']:.0%} of the machine")
    if case["round_trip"] not in ("near", "unknown"):
        said.append(f"the processors stood {case['round_trip']}")
    series = [s for f in case["findings"] for s in f["series"].values()]
    few = min((s["clean"] / s["samples"] for s in series), default=1)
    if few < 1 and not case["disturbed_anyway"]:
        worst = min(series, key=lambda s: s["clean"] / s["samples"])
        said.append(f"as few as {worst['clean']} of {worst['samples']} repetitions undisturbed")
    return "; ".join(said)


def listed(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The findings that are not points of a figure."""
    return [finding for finding in case["findings"] if not finding["at"]]


def missing(cases: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Who was not measured in any of the cases, by the reason."""
    found: dict[str, dict[str, None]] = {}
    for case in cases:
        for label, reason in case["missing"].items():
            found.setdefault(reason, {})[label] = None
    return {reason: list(labels) for reason, labels in found.items()}


def rows(case: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, list[str]]]:
    """Finding, label, and cells: median, quartiles, and how it compares."""
    for finding in listed(case):
        unit = finding["unit"]
        for label, s in finding["series"].items():
            right = times_ours(finding, label)
            if label == finding["ours"]:
                right = f"{goal_text(finding):<12} {verdict(finding)}".strip()
            spread = f"{show(s['q1'], unit)} … {show(s['q3'], unit)}"
            yield finding, label, [show(s["median"], unit), spread, right]


def text_lines(case: dict[str, Any]) -> Iterator[str]:
    """A case for a terminal."""
    shown = None
    for finding, label, (median, spread, right) in rows(case):
        if finding is not shown:
            shown = finding
            yield f"{case['name']}: {finding['what']}"
        yield f"    {label:<42} {median:>9}   {spread:<22} {right}".rstrip()
    for reason, labels in missing([case]).items():
        yield f"{case['name']}: not measured: {'; '.join(labels)}: {reason}"
    if doubt := doubts(case):
        yield f"    noisy: {doubt}"


def html(data: dict[str, Any]) -> str:
    """All cases for a notebook."""
    lines = ["<table>", f"<caption>{escape(header(data))}</caption>", "<tbody>"]

    def row(cells: Sequence[str], tag: str = "td") -> None:
        lines.append(f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>")

    row(["case", "", "median", "quartiles", "against ours"], "th")
    for case in data["cases"]:
        shown = None
        for finding, label, cells in rows(case):
            first = "" if finding is shown else f"{case['name']}: {finding['what']}"
            shown = finding
            row([first, label, *cells])
        for reason, labels in missing([case]).items():
            row([case["name"], "; ".join(labels), "not measured", reason, ""])
        if doubt := doubts(case):
            row([case["name"], f"noisy: {doubt}", "", "", ""])
    return "\n".join([*lines, "</tbody>", "</table>"])


def header(data: dict[str, Any]) -> str:
    """The machine in a sentence."""
    m = data["machine"]
    gil = "GIL on" if m["gil"] else "GIL off"
    load_average = m["load_average"][0]
    return (
        f"{m['processor']}, {m['cpus']} processors, {m['system']}, CPython {m['python']} ({gil}), "
        f"commit {m['commit']}, {m['time']}, load {load_average}, mode {data['mode']}"
    )


def markdown(data: dict[str, Any]) -> str:
    """The tables of a document: all cases, and what others published."""
    lines = [
        header(data) + ".",
        "",
        "| case | ours | beside it | goal | |",
        "|---|---|---|---|---|",
    ]
    for case in data["cases"]:
        lines += case_rows(case)
    return "\n".join(lines + published_lines(data))


def case_rows(case: dict[str, Any]) -> Iterator[str]:
    """The rows of one case."""
    for finding in listed(case):
        unit, cells = finding["unit"], []
        for label, s in finding["series"].items():
            if label != finding["ours"]:
                times = times_ours(finding, label)
                cells.append(
                    f"{label} {show(s['median'], unit)}" + (f" ({times})" if times else "")
                )
        ours = finding["series"].get(finding["ours"])
        figure = (
            f"**{show(ours['median'], unit)}** ({show(ours['q1'], unit)} … "
            f"{show(ours['q3'], unit)}), {finding['ours']}"
            if ours
            else "not measured"
        )
        row = [f"{case['name']}: {finding['what']}", figure, "; ".join(cells)]
        yield "| " + " | ".join([*row, goal_text(finding), verdict(finding)]) + " |"
    for reason, labels in missing([case]).items():
        yield f"| {case['name']}: {'; '.join(labels)} | not measured: {reason} | | | |"
    if doubt := doubts(case):
        yield f"| {case['name']} | noisy: {doubt} | | | |"


def published_lines(data: dict[str, Any]) -> list[str]:
    """What others published beside our median of the same run; no ratio across machines."""
    if not data["published"]:
        return []
    medians = {
        (case["name"], f["what"]): show(f["series"][f["ours"]]["median"], f["unit"])
        for case in data["cases"]
        for f in listed(case)
        if f["ours"] in f["series"]
    }
    lines = [
        "",
        "| case | published, of another machine | source | ours, here |",
        "|---|---|---|---|",
    ]
    for one in data["published"]:
        figures = "; ".join(f"{k} {show(v, one['unit'])}" for k, v in one["figures"].items())
        ours = medians.get((one["case"], one["what"]), "not measured")
        lines.append(f"| {one['case']}: {one['what']} | {figures} | {one['source']} | {ours} |")
    return lines
