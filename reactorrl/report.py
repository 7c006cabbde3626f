"""`RunReport`: what a run did."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .time import Tag

Row = tuple[str, ...]

_SHOWN_REACTIONS = 12


@dataclass(frozen=True)
class WorkerReport:
    """One worker of a run.

    Attributes:
        busy_s: Seconds not spent spinning or parked.
        parked_s: Seconds asleep.
        spinning_s: Seconds waiting awake.
        reactions: Bodies that it ran.
        stolen: Of these, how many belong to another worker's reactors.
        cpu: The processor it was pinned to, or `None`.
        enclave: Path of the enclave to which it belongs.
    """

    busy_s: float
    parked_s: float
    spinning_s: float
    reactions: int
    stolen: int
    cpu: int | None
    enclave: str = ""


@dataclass(frozen=True)
class EnclaveReport:
    """One enclave of a run.

    Attributes:
        path: Of its top reactor.
        stop_tag: The tag at which its shutdown reactions ran.
        tags: Tags that it processed, the stop tag included.
        events: Events that were handled in it.
        trace_hash: 16 hex digits over what it did.
    """

    path: str
    stop_tag: Tag
    tags: int
    events: int
    trace_hash: str


@dataclass(frozen=True)
class RunReport:
    """What a run did; returned by `run` and `join`, and on errors as `error.report`.

    Attributes:
        stop_tag: The tag at which the shutdown reactions ran; the latest one of all enclaves.
        reactions: Bodies that were run, handlers of missed deadlines included.
        events: Events that were handled.
        tags: Tags that were processed, the stop tag included; summed over the enclaves.
        wall_time_s: Seconds from start to end.
        trace_hash: 16 hex digits over tags, reactions, ports set and actions scheduled; equal for
            equal behaviour, whatever the number of workers.
        reaction_counts: Bodies run, by the path of the reaction.
        reaction_times_s: Seconds in the bodies by path, or `None` without `profile` or `trace`.
        workers: A `WorkerReport` for each worker.
        gil_enabled: Whether the interpreter's lock made the workers take turns.
        dropped: Events that never came: past the stop tag or the end of time, or refused by the
            policy of their action.
        deadline_misses: How often each reaction missed its deadline, by path; only those that did.
        enclaves: An `EnclaveReport` for each enclave, that of the main reactor first.
    """

    stop_tag: Tag
    reactions: int
    events: int
    tags: int
    wall_time_s: float
    trace_hash: str
    reaction_counts: dict[str, int]
    reaction_times_s: dict[str, float] | None
    workers: tuple[WorkerReport, ...]
    gil_enabled: bool
    dropped: int = 0
    deadline_misses: dict[str, int] = field(default_factory=dict)
    enclaves: tuple[EnclaveReport, ...] = ()

    @property
    def n_workers(self) -> int:
        """How many workers ran."""
        return len(self.workers)

    def __str__(self) -> str:
        summary = self._summary()
        width = max(len(name) for name, _ in summary)
        lines = [f"{name:<{width}}  {value}" for name, value in summary]
        for table in self._tables():
            lines += ["", *table_lines(table)]
        hidden = len(self.reaction_counts) - _SHOWN_REACTIONS
        return "\n".join([*lines, f"and {hidden} more"] if hidden > 0 else lines)

    def _repr_html_(self) -> str:
        """The same tables for notebooks."""
        left = "<{0} style='text-align:left'>{1}</{0}>".format
        rows = [
            left("th", name) + left("td", html.escape(value)) for name, value in self._summary()
        ]
        parts = [_html_table(rows)]
        for head, *body in self._tables():
            rows = ["".join(f"<th>{text}</th>" for text in head)]
            rows += [
                left("td", html.escape(row[0])) + "".join(f"<td>{text}</td>" for text in row[1:])
                for row in body
            ]
            parts.append(_html_table(rows))
        hidden = len(self.reaction_counts) - _SHOWN_REACTIONS
        return "".join([*parts, f"<p>and {hidden} more</p>"] if hidden > 0 else parts)

    def _summary(self) -> list[Row]:
        rate = self.reactions / self.wall_time_s if self.wall_time_s > 0 else 0.0
        rows: list[Row] = [
            ("stop tag", f"{self.stop_tag}, after {time_text(self.stop_tag.time)}"),
            ("reactions", f"{self.reactions:,} in {self.wall_time_s:.3f} s ({rate:,.0f} a second)"),
            ("tags, events", f"{self.tags:,}, {self.events:,}"),
            ("trace hash", self.trace_hash),
            ("GIL", "on: the workers took turns" if self.gil_enabled else "off"),
        ]
        if self.dropped:
            rows.append(("dropped events", f"{self.dropped:,}: past the stop tag, or by a policy"))
        if self.deadline_misses:
            missed = sum(self.deadline_misses.values())
            worst = max(self.deadline_misses, key=self.deadline_misses.__getitem__)
            rows.append(("deadlines missed", f"{missed:,}, most by {worst}"))
        return rows

    def _tables(self) -> list[list[Row]]:
        tables = [self._worker_rows(), self._reaction_rows()]
        if len(self.enclaves) > 1:
            enclaves = [
                (e.path, str(e.stop_tag), f"{e.tags:,}", f"{e.events:,}", e.trace_hash)
                for e in self.enclaves
            ]
            tables.insert(0, [("enclave", "stop tag", "tags", "events", "trace hash"), *enclaves])
        return [table for table in tables if len(table) > 1]

    def _worker_rows(self) -> list[Row]:
        rows: list[Row] = [("workers", "busy", "spinning", "parked", "reactions", "stolen", "CPU")]
        for index, worker in enumerate(self.workers):
            name = f"worker {index}"
            if len(self.enclaves) > 1:
                name += f" ({worker.enclave})"
            times = (worker.busy_s, worker.spinning_s, worker.parked_s)
            whole = sum(times) or 1.0
            shares = [f"{seconds / whole:.1%}" for seconds in times]
            cpu = "any" if worker.cpu is None else str(worker.cpu)
            rows.append((name, *shares, f"{worker.reactions:,}", f"{worker.stolen:,}", cpu))
        return rows

    def _reaction_rows(self) -> list[Row]:
        times = self.reaction_times_s
        weight = times or self.reaction_counts
        paths = sorted(self.reaction_counts, key=lambda path: -weight[path])[:_SHOWN_REACTIONS]
        header = ["reaction", "runs"]
        rows = [[path, f"{self.reaction_counts[path]:,}"] for path in paths]
        if self.deadline_misses:
            header.append("missed")
            for row in rows:
                row.append(f"{self.deadline_misses.get(row[0], 0):,}")
        if times is not None:
            header += ["total", "mean", "share"]
            whole = sum(times.values()) or 1.0
            for row in rows:
                count, total = self.reaction_counts[row[0]], times[row[0]]
                mean = time_text(total / count * 1e9) if count else ""
                row += [time_text(total * 1e9), mean, f"{total / whole:.1%}"]
        return [tuple(row) for row in (header, *rows)]


def table_lines(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)]
        )
        for row in rows
    ]


def _html_table(rows: Sequence[str]) -> str:
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def time_text(ns: float) -> str:
    """Return a time with three digits and a unit that fits."""
    for unit, factor in (("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)):
        if abs(ns) < 999.5 * factor:
            return f"{ns / factor:.3g} {unit}"
    return f"{ns / 1e9:,.0f} s"


def make_report(
    runtime: Any,
    paths: list[str],
    enclaves: list[tuple[str, int]],
    *,
    gil_enabled: bool,
    is_timed: bool,
) -> RunReport:
    """Read the report of a runtime that has ended.

    Args:
        runtime: The `_core.Runtime`, joined.
        paths: Of the reactions, by id.
        enclaves: Path of each enclave, by id, and how many workers it was given; the main one has
            the others.
        gil_enabled: See `RunReport`.
        is_timed: Whether the reactions were timed.
    """
    stats = runtime.stats()
    wall_ns = stats["wall_ns"]
    own = [path for path, count in enclaves[1:] for _ in range(count)]
    of_workers = runtime.worker_stats()
    homes = [enclaves[0][0]] * (len(of_workers) - len(own)) + own
    workers = tuple(
        WorkerReport(
            busy_s=max(0, worker["wall_ns"] - worker["spinning_ns"] - worker["parked_ns"]) / 1e9,
            parked_s=worker["parked_ns"] / 1e9,
            spinning_s=worker["spinning_ns"] / 1e9,
            reactions=worker["reactions"],
            stolen=worker["stolen"],
            cpu=None if worker["cpu"] < 0 else worker["cpu"],
            enclave=enclave,
        )
        for worker, enclave in zip(of_workers, homes, strict=True)
    )
    times = None
    if is_timed:
        times = {path: ns / 1e9 for path, ns in zip(paths, runtime.reaction_ns(), strict=True)}
    return RunReport(
        stop_tag=Tag(*stats["stop_tag"]),
        reactions=stats["reactions"],
        events=stats["events"],
        tags=stats["tags"],
        wall_time_s=wall_ns / 1e9,
        trace_hash=f"{stats['trace_hash']:016x}",
        reaction_counts=dict(zip(paths, runtime.reaction_counts(), strict=True)),
        reaction_times_s=times,
        workers=workers,
        gil_enabled=gil_enabled,
        dropped=stats["dropped"],
        deadline_misses={
            path: n for path, n in zip(paths, runtime.miss_counts(), strict=True) if n
        },
        enclaves=tuple(
            EnclaveReport(
                path=path,
                stop_tag=Tag(*enclave["stop_tag"]),
                tags=enclave["tags"],
                events=enclave["events"],
                trace_hash=f"{enclave['trace_hash']:016x}",
            )
            for (path, _), enclave in zip(enclaves, runtime.enclave_stats(), strict=True)
        ),
    )
