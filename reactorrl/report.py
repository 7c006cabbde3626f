"""`RunReport`: what a run did."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

from .time import Tag

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
        rows = self._summary()
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        header, *table = self._reaction_rows()
        if table:
            paths = max(len(row[0]) for row in (header, *table))
            lines.append("")
            lines += [
                "  ".join((row[0].ljust(paths), *(c.rjust(12) for c in row[1:])))
                for row in (header, *table)
            ]
            if len(self.reaction_counts) > len(table):
                lines.append(f"and {len(self.reaction_counts) - len(table)} more")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The same table for notebooks."""
        cell = "<td style='text-align:left'>{}</td>".format
        rows = [
            f"<tr><th style='text-align:left'>{name}</th>{cell(html.escape(value))}</tr>"
            for name, value in self._summary()
        ]
        header, *table = self._reaction_rows()
        parts = ["<table>", *rows, "</table>"]
        if table:
            head = "".join(f"<th>{html.escape(text)}</th>" for text in header)
            body = "".join(
                "<tr>"
                + cell(html.escape(row[0]))
                + "".join(f"<td>{text}</td>" for text in row[1:])
                + "</tr>"
                for row in table
            )
            parts.append(f"<table><tr>{head}</tr>{body}</table>")
        return "".join(parts)

    def _summary(self) -> list[tuple[str, str]]:
        rate = self.reactions / self.wall_time_s if self.wall_time_s > 0 else 0.0
        rows = [
            ("stop tag", str(self.stop_tag)),
            ("reactions", f"{self.reactions:,} in {self.wall_time_s:.3f} s ({rate:,.0f} a second)"),
            ("tags, events", f"{self.tags:,}, {self.events:,}"),
            ("trace hash", self.trace_hash),
            ("GIL", "on: the workers took turns" if self.gil_enabled else "off"),
        ]
        if self.deadline_misses:
            missed = sum(self.deadline_misses.values())
            worst = max(self.deadline_misses, key=self.deadline_misses.__getitem__)
            rows.append(("deadlines missed", f"{missed:,}, most by {worst}"))
        if len(self.enclaves) > 1:
            rows += [
                (
                    f"enclave {enclave.path}",
                    f"to {enclave.stop_tag}, {enclave.tags:,} tags, {enclave.events:,} events,"
                    f" {enclave.trace_hash}",
                )
                for enclave in self.enclaves
            ]
        for index, worker in enumerate(self.workers):
            name = f"worker {index}"
            if len(self.enclaves) > 1:
                name += f" ({worker.enclave})"
            pinned = "" if worker.cpu is None else f", on CPU {worker.cpu}"
            rows.append(
                (
                    name,
                    f"busy {worker.busy_s:.3f} s, parked {worker.parked_s:.3f} s,"
                    f" {worker.reactions:,} reactions{pinned}",
                )
            )
        return rows

    def _reaction_rows(self) -> list[tuple[str, ...]]:
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
            header += ["total s", "mean us"]
            for row in rows:
                count, total = self.reaction_counts[row[0]], times[row[0]]
                row += [f"{total:.4f}", f"{total / count * 1e6 if count else 0.0:.1f}"]
        return [tuple(row) for row in (header, *rows)]


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
