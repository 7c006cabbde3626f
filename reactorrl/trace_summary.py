"""`reactorrl trace summary run.json`: where the time of a run went, and what to change.

The *critical path* of a tag is the longest reaction of each of its levels, one after another: with
any number of workers, and a runtime that costs nothing, the tag would take as long.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .report import table_lines, time_text
from .trace import FORMAT

_SHOWN = 12  # reactions
_CRITICAL = 5  # of them, on the critical path
_SHORT_NS = 2_000  # what handing a level out costs, about
_BETWEEN = {  # names of slices, as trace.py writes them
    "coordinating": "coordinating",
    "spinning": "spinning",
    "parked": "parked",
    "waiting for the next tag": "waiting",
}


class Slice(NamedTuple):
    """One body of a reaction; times in ns."""

    begin: int
    duration: int
    pid: int
    tid: int
    path: str
    level: int
    tag: tuple[int, int]


@dataclass
class Recorded:
    """What a trace file holds.

    Attributes:
        header: Its `otherData`.
        slices: The bodies.
        between: (begin, duration, tid, name) of what the workers did otherwise, in ns.
        lags: By enclave: those at the beginning of each tag, in ns; empty without a clock.
        raised: Bodies that raised.
    """

    header: dict[str, Any]
    slices: list[Slice]
    between: list[tuple[int, int, int, str]]
    lags: dict[int, list[int]]
    raised: int = 0


def read_trace(path: str | os.PathLike[str]) -> Recorded:
    """Read a file that `Program(trace=)` wrote.

    Args:
        path: The file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no such file, of another version, or not complete.
    """
    name = os.fspath(path)
    with open(path, encoding="utf-8", errors="replace") as file:
        recorded = Recorded(_checked_header(file.readline(), name), [], [], defaultdict(list))
        known: dict[str, str] = {}  # one string for each path
        is_whole = False
        for number, line in enumerate(file, 2):
            text = line.rstrip(",\n")
            if text == "]}":
                is_whole = True
            elif text:
                try:
                    _take(json.loads(text), recorded, known)
                except (ValueError, KeyError, TypeError) as error:
                    raise ValueError(
                        f"{name}, line {number}: this is not what reactorrl writes ({error!r}); has"
                        " something else changed the file?"
                    ) from None
    if not is_whole:
        raise ValueError(f"{name} ends in the middle: the program could not finish writing it")
    return recorded


def _checked_header(line: str, name: str) -> dict[str, Any]:
    try:
        header = json.loads(line.rstrip("\n") + "]}")["otherData"]
        version = header["reactorrl_trace"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{name} is no trace of this reactorrl: another program or an older version wrote it;"
            ' run the program again with trace="run.json"'
        ) from None
    if version != FORMAT:
        raise ValueError(
            f"{name} has format {version!r}, of reactorrl {header.get('reactorrl', '?')}; this"
            f" reactorrl reads format {FORMAT}"
        )
    return header


def _take(event: dict[str, Any], recorded: Recorded, known: dict[str, str]) -> None:
    if event["ph"] == "C":
        if event["name"] == "lag (us)":
            recorded.lags[event["pid"]].append(_ns(event["args"]["us"]))
        return
    if event["ph"] != "X":
        return
    begin, duration, category = _ns(event["ts"]), _ns(event["dur"]), event["cat"]
    if category == "runtime":
        recorded.between.append((begin, duration, event["tid"], _BETWEEN[event["name"]]))
    elif category == "reaction":
        given = event["args"]
        path = known.setdefault(event["name"], event["name"])
        tag = given["time"], given["microstep"]
        recorded.slices.append(
            Slice(begin, duration, event["pid"], event["tid"], path, given["level"], tag)
        )
        recorded.raised += "raised" in given


def _ns(us: float) -> int:
    return round(us * 1000)


class ReactionTotals(NamedTuple):
    """Bodies of one reaction; times in ns, `share` of all bodies' time.

    `slowest` is what those beyond the 99th percentile took together.
    """

    path: str
    runs: int
    total: int
    mean: float
    p99: int
    longest: int
    slowest: int
    share: float


class WorkerShares(NamedTuple):
    """What one worker did, as shares of the time; `waiting` is for the next tag."""

    name: str
    busy: float
    coordinating: float
    spinning: float
    parked: float
    waiting: float


class LevelTotals(NamedTuple):
    """One level over all tags; times in ns.

    `longest` sums the longest body of each tag; `main` is the reaction that it mostly was, for
    `main_longest` of it.
    """

    level: int
    enclave: str
    tags: int
    reactions: int
    total: int
    longest: int
    main: str
    main_longest: int


class Width(NamedTuple):
    """Levels of tags at which `first` to `last` reactions ran; `share` of all bodies' time."""

    first: int
    last: int
    levels: int
    share: float


@dataclass(frozen=True)
class TraceSummary:
    """Where the time of a run went; `str()` of it is the text of the command.

    Attributes:
        wall: Of the part that all tracks have, in ns.
        active: Of that, when some enclave did not wait for its next tag.
        work: Of all bodies, in ns.
        critical: Of the enclave with the longest critical path, in ns.
        tags: At which some body ran.
        lost: Records of all workers that the file has no more.
        reactions: By total time, longest first.
        workers: By number.
        levels: By their part of the critical path, longest first.
        widths: Of levels.
        on_critical: (path, ns) of what the critical path is made of, longest first.
        raised: Bodies that raised.
        lag: Median and largest one, in ns, of the enclave with the largest; `None` without a clock.
        advice: In words.
    """

    wall: int
    active: int
    work: int
    critical: int
    tags: int
    lost: int
    reactions: tuple[ReactionTotals, ...]
    workers: tuple[WorkerShares, ...]
    levels: tuple[LevelTotals, ...]
    widths: tuple[Width, ...]
    on_critical: tuple[tuple[str, int], ...]
    raised: int
    lag: tuple[int, int] | None
    advice: tuple[str, ...] = ()

    @property
    def best_speed_up(self) -> float:
        """Against one worker without any overhead: that of the critical path."""
        return self.work / self.critical if self.critical else 1.0

    @property
    def at_once(self) -> float:
        """How many bodies ran at once on average, while something was to be done."""
        return self.work / self.active if self.active else 0.0

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def summarize(recorded: Recorded) -> TraceSummary:
    """Add up what a trace holds.

    Args:
        recorded: As `read_trace` gives it. Where records are lost, what lies before the first one
            that all tracks have is left out.
    """
    since = _complete_since(recorded)
    slices = [each for each in recorded.slices if each.begin >= since]
    between = [each for each in recorded.between if each[0] >= since]
    ends = [each.begin + each.duration for each in slices] + [b + d for b, d, *_ in between]
    begins = [each.begin for each in slices] + [b for b, *_ in between]
    wall = max(ends, default=0) - min(begins, default=0)
    enclaves = recorded.header["enclaves"]
    levels, per_tag = _levels(slices)
    critical: Counter[int] = Counter()
    on_critical: Counter[str] = Counter()
    for (pid, _, _), (_, _, longest, path) in per_tag.items():
        critical[pid] += longest
        on_critical[path] += longest
    work = sum(each.duration for each in slices)
    waiting: Counter[int] = Counter()
    pids = {worker["tid"]: worker["pid"] for worker in recorded.header["workers"]}
    for _, duration, tid, name in between:
        if name == "waiting":
            waiting[pids[tid]] += duration
    lags = [(max(each), sorted(each)[len(each) // 2]) for each in recorded.lags.values() if each]
    largest, median = max(lags, default=(0, 0))
    summary = TraceSummary(
        wall=wall,
        active=wall - min((waiting[pid] for pid in set(pids.values())), default=0),
        work=work,
        critical=max(critical.values(), default=0),
        tags=len({(each.pid, each.tag) for each in slices}),
        lost=sum(worker["lost"] for worker in recorded.header["workers"]),
        reactions=tuple(_by_reaction(slices, work)),
        workers=tuple(_by_worker(slices, between, recorded.header["workers"], wall)),
        levels=tuple(
            LevelTotals(level, enclaves[pid - 1], *totals)
            for (pid, level), totals in sorted(levels.items(), key=lambda each: -each[1][3])
        ),
        widths=tuple(_widths(per_tag.values(), work)),
        on_critical=tuple(on_critical.most_common()),
        raised=recorded.raised,
        lag=(median, largest) if lags else None,
    )
    return TraceSummary(**{**vars(summary), "advice": tuple(_advice(summary, recorded))})


def _complete_since(recorded: Recorded) -> int:
    """When the last of the tracks begins that have lost records; 0 if none has."""
    lossy = {worker["tid"] for worker in recorded.header["workers"] if worker["lost"]}
    first: dict[int, int] = {}
    for each in recorded.slices:
        first[each.tid] = min(each.begin, first.get(each.tid, each.begin))
    for begin, _, tid, _ in recorded.between:
        first[tid] = min(begin, first.get(tid, begin))
    return max((first[tid] for tid in lossy if tid in first), default=0)


_PerTag = dict[tuple[int, tuple[int, int], int], tuple[int, int, int, str]]


def _levels(slices: Sequence[Slice]) -> tuple[dict[tuple[int, int], Any], _PerTag]:
    """By enclave and level: the fields of `LevelTotals` from `tags` on.

    And by enclave, tag and level: bodies, their time, the longest one, and which it was.
    """
    per_tag: _PerTag = {}
    for each in slices:
        key = each.pid, each.tag, each.level
        n, total, longest, path = per_tag.get(key, (0, 0, -1, ""))
        if each.duration > longest:
            longest, path = each.duration, each.path
        per_tag[key] = n + 1, total + each.duration, longest, path
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    mains: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for (pid, _, level), (n, total, longest, path) in per_tag.items():
        for i, more in enumerate((1, n, total, longest)):
            sums[pid, level][i] += more
        mains[pid, level][path] += longest
    return {key: (*sums[key], *mains[key].most_common(1)[0]) for key in sums}, per_tag


def _by_reaction(slices: Sequence[Slice], work: int) -> Iterator[ReactionTotals]:
    durations: dict[str, list[int]] = defaultdict(list)
    for each in slices:
        durations[each.path].append(each.duration)
    for path, found in sorted(durations.items(), key=lambda item: -sum(item[1])):
        found.sort()
        total, n = sum(found), len(found)
        rank = math.ceil(0.99 * n)
        share = total / work if work else 0.0
        slowest = sum(found[rank:])
        yield ReactionTotals(path, n, total, total / n, found[rank - 1], found[-1], slowest, share)


def _by_worker(
    slices: Sequence[Slice],
    between: Sequence[tuple[int, int, int, str]],
    workers: Sequence[dict[str, int]],
    wall: int,
) -> Iterator[WorkerShares]:
    spent: Counter[tuple[int, str]] = Counter()
    for each in slices:
        spent[each.tid, "busy"] += each.duration
    for _, duration, tid, name in between:
        spent[tid, name] += duration
    for number, worker in enumerate(workers):
        tid = worker["tid"]
        shares = [spent[tid, name] / wall if wall else 0.0 for name in WorkerShares._fields[1:]]
        yield WorkerShares(f"worker {number}", *shares)


def _widths(found: Iterable[tuple[int, int, int, str]], work: int) -> Iterator[Width]:
    levels: Counter[int] = Counter()
    times: Counter[int] = Counter()
    for n, total, *_ in found:
        power = (n - 1).bit_length()
        levels[power] += 1
        times[power] += total
    for power in sorted(levels):
        first = (1 << power >> 1) + 1
        yield Width(first, 1 << power, levels[power], times[power] / work if work else 0.0)


# ---- what to change ------------------------------------------------------------------------------


def _advice(summary: TraceSummary, recorded: Recorded) -> Iterator[str]:
    n_workers = len(summary.workers)
    if summary.lost:
        yield (
            f"{summary.lost:,} older records were overwritten, so all this is about the last"
            f" {time_text(summary.wall)}; trace a shorter run for the whole of it"
        )
    if summary.raised:
        yield f"bodies that raised: {summary.raised}; the run ended early, as do these figures"
    if not summary.work:
        yield "no reaction ran in what was recorded"
        return
    for reaction in summary.reactions:
        if reaction.share > 0.2 and reaction.slowest > 0.5 * reaction.total:
            yield (
                f"the slowest 1% of the runs of {reaction.path} take"
                f" {reaction.slowest / reaction.total:.0%} of its time, up to"
                f" {time_text(reaction.longest)} each: look for pauses, as of the garbage collector"
                " or of other programs on these processors, before anything else"
            )
    yield from _about_levels(summary, n_workers)
    yield from _about_workers(summary, n_workers)
    yield from _about_the_clock(summary, recorded)


def _about_levels(summary: TraceSummary, n_workers: int) -> Iterator[str]:
    critical = sum(level.longest for level in summary.levels)
    where = " of {}" if len({level.enclave for level in summary.levels}) > 1 else ""
    for level in summary.levels:
        share = level.main_longest / critical
        if share < 0.3 or level.main_longest < 0.8 * level.total:
            continue
        name = f"level {level.level}{where.format(level.enclave)}"
        kind = "is one reaction" if level.reactions == level.tags else "is little but one reaction"
        yield (
            f"{name} {kind}, {level.main}, which takes {share:.0%} of the critical path: more"
            " workers cannot help there; make it shorter, or split it among several reactors"
        )
    for level in summary.levels:
        mean = level.total / level.reactions
        if level.reactions > level.tags and level.longest / level.tags > 2 * mean:
            if level.longest < 0.2 * critical or level.longest > 0.8 * level.total:
                continue
            yield (
                f"level {level.level}{where.format(level.enclave)} waits for its longest reaction,"
                f" mostly {level.main}: {time_text(level.longest / level.tags)} where the mean is"
                f" {time_text(mean)}; make them more even"
            )
    if n_workers == 1 and summary.best_speed_up >= 1.5:
        yield (
            f"the program ran on one worker; its bodies could be done {summary.best_speed_up:.1f}"
            " times as fast by several, less what sharing costs"
        )


def _about_workers(summary: TraceSummary, n_workers: int) -> Iterator[str]:
    mean = summary.work / sum(reaction.runs for reaction in summary.reactions)
    coordinating = sum(worker.coordinating for worker in summary.workers)
    busy = sum(worker.busy for worker in summary.workers)
    is_short = mean < _SHORT_NS
    if n_workers > 1 and is_short and summary.at_once < 1.2:
        yield (
            f"bodies of {time_text(mean)} on average are too short for {n_workers} workers, as"
            " handing a level out costs about as much; try workers=1, or do more in each reaction"
        )
    elif coordinating > busy:
        yield (
            f"the runtime's own work between bodies takes {coordinating / busy:.1f} times as long"
            f" as the bodies, which are short ({time_text(mean)} on average): do more in each"
            " reaction"
        )
    narrow = next((width.levels for width in summary.widths if width.last == 1), 0)
    share = narrow / sum(width.levels for width in summary.widths)
    if n_workers > 1 and share > 0.8 and not is_short:
        yield f"{share:.0%} of the levels are one reaction, so that mostly one worker has work"
    is_full = summary.at_once > 0.7 * n_workers
    if n_workers > 1 and is_full and summary.best_speed_up > 1.5 * n_workers:
        yield (
            f"{summary.at_once:.1f} bodies ran at once on {n_workers} workers, and up to"
            f" {summary.best_speed_up:.1f} could: more workers help, on processors of their own"
        )


def _about_the_clock(summary: TraceSummary, recorded: Recorded) -> Iterator[str]:
    if summary.lag is None:
        return
    waiting = 1 - summary.active / summary.wall if summary.wall else 0.0
    for pid, lags in recorded.lags.items():
        tenth = max(1, len(lags) // 10)
        before, after = (sum(part) / tenth for part in (lags[:tenth], lags[-tenth:]))
        if len(lags) >= 10 and after > 1e6 and after > 4 * max(before, 0) and waiting < 0.05:
            yield (
                f"{recorded.header['enclaves'][pid - 1]} falls behind the clock: its lag went from"
                f" {time_text(before)} to {time_text(after)}; its tags need more time than there is"
            )
    if waiting > 0.5:
        yield (
            f"{waiting:.0%} of the time nothing was due: the program keeps up with the clock, and"
            " more workers would wait more"
        )


# ---- text ----------------------------------------------------------------------------------------


def _lines(summary: TraceSummary) -> Iterator[str]:
    count = sum(reaction.runs for reaction in summary.reactions)
    yield f"{count:,} reactions at {summary.tags:,} tags in {time_text(summary.wall)}"
    yield ""
    rows = [("reaction", "runs", "total", "mean", "p99", "max", "share")]
    rows += [
        (
            r.path,
            f"{r.runs:,}",
            *(time_text(ns) for ns in (r.total, r.mean, r.p99, r.longest)),
            f"{r.share:.1%}",
        )
        for r in summary.reactions[:_SHOWN]
    ]
    yield from table_lines(rows)
    if len(summary.reactions) > _SHOWN:
        yield f"and {len(summary.reactions) - _SHOWN} more"
    yield ""
    heads = ("worker", "busy", "coordinating", "spinning", "parked", "waiting")
    shares = [(w[0], *(f"{share:.1%}" for share in w[1:])) for w in summary.workers]
    yield from table_lines([heads, *shares])
    yield "waiting: for the next tag; what is missing to 100 % is the way from one to another"
    yield ""
    yield (
        f"critical path  {time_text(summary.critical)} of {time_text(summary.work)} in bodies: with"
        f" any number of workers at most {summary.best_speed_up:.2f} times as fast as with one"
    )
    yield f"at once        {summary.at_once:.2f} bodies on average while something was due"
    if summary.lag is not None:
        median, largest = summary.lag
        yield f"lag            {time_text(median)} in the median, {time_text(largest)} at most"
    yield ""
    whole = sum(ns for _, ns in summary.on_critical)
    on_path = summary.on_critical[:_CRITICAL]
    rows2 = [(path, time_text(ns), f"{ns / whole if whole else 0:.1%}") for path, ns in on_path]
    yield from table_lines([("on the critical path", "total", "share"), *rows2])
    yield ""
    rows3 = [
        (
            f"{w.first}" if w.first == w.last else f"{w.first} to {w.last}",
            f"{w.levels:,}",
            f"{w.share:.1%}",
        )
        for w in summary.widths
    ]
    yield from table_lines([("reactions in a level", "levels", "of the time"), *rows3])
    yield ""
    yield "What to change"
    for text in summary.advice or ("nothing stands out",):
        yield f"- {text}"


def trace_command(arguments: Sequence[str]) -> int:
    """Run `reactorrl trace ARGUMENTS...` and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="reactorrl trace", description="Say where the time of a traced run went."
    )
    parser.add_argument("action", choices=["summary"])
    parser.add_argument("file", help="what trace= wrote")
    asked = parser.parse_args(arguments)
    try:
        print(summarize(read_trace(asked.file)))
    except (OSError, ValueError) as error:
        print(f"reactorrl trace: {error}", file=sys.stderr)
        return 1
    return 0
