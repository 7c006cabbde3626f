"""Traces: what ran at which tag and what it set and scheduled; to keep and to compare."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..errors import ReactionError
from ..reactor import Reactor
from ..report import RunReport
from ..time import Tag, TimeLike
from .digests import digest, shown
from .observe import LIMIT_NS, Body, ObservedProgram, Observer, main_of, paced

_FORMAT, _VERSION = "reactorrl-trace", 1


class Effect(NamedTuple):
    """One thing that a body did.

    Attributes:
        kind: `"set"` (a port), `"enter"` (a mode) or `"schedule"`.
        path: Of the port, action or mode.
        tag: Of the scheduled event; `None` for a dropped one, a port and a mode.
        value: With `values=True` the `digest` of the value, else `""`.
        text: With `values=True` the value in short, for the reader; not compared. For a mode how it
            is entered, `"reset"` or `"history"`.
    """

    kind: str
    path: str
    tag: Tag | None = None
    value: str = ""
    text: str = ""

    def __str__(self) -> str:
        if self.kind == "enter":
            return f"enter {self.path} ({self.text})"
        when = "" if self.kind == "set" else f" for {self.tag}" if self.tag else ", dropped"
        value = f" = {self.text} ({self.value})" if self.value else ""
        return f"{self.kind} {self.path}{when}{value}"


class TraceRow(NamedTuple):
    """One run of one body.

    Attributes:
        tag: When.
        path: Of the reaction.
        effects: What it set and scheduled, in the order of the calls.
        error: What it raised, as text, or `""`.
        is_handler: Whether it was the handler of a missed deadline.
    """

    tag: Tag
    path: str
    effects: tuple[Effect, ...] = ()
    error: str = ""
    is_handler: bool = False

    def __str__(self) -> str:
        late = ", the handler of its missed deadline," if self.is_handler else ""
        lines = [f"{self.path}{late} at {self.tag}", *(f"  {effect}" for effect in self.effects)]
        if self.error:
            lines.append(f"  raised {self.error}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Trace:
    """A whole run, tag by tag, and within a tag in an order that does not depend on the workers.

    That is by level, so that what is computed stands before what is computed from it, and within a
    level in the order of the declarations.

    Attributes:
        rows: Every body that ran.
        stop_tag: The last tag.
        trace_hash: That of the run's report.
        has_values: Whether the digests of values are there.
    """

    rows: tuple[TraceRow, ...]
    stop_tag: Tag
    trace_hash: str
    has_values: bool = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        return first_difference(self, other) is None

    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "\n".join([*map(str, self.rows), f"stopped at {self.stop_tag}"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as JSON lines: a header, then a line for each row."""
        header = {
            "format": _FORMAT,
            "version": _VERSION,
            "rows": len(self.rows),
            "stop_tag": self.stop_tag,
            "trace_hash": self.trace_hash,
            "has_values": self.has_values,
        }
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in (header, *self.rows))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """Read what `save` wrote; ValueError if it is something else, or not all there."""
        with open(path, encoding="utf-8") as file:
            try:
                header, *rows = map(json.loads, file)
                if header["format"] != _FORMAT or header["version"] != _VERSION:
                    raise ValueError
                trace = cls(
                    tuple(map(_row, rows)),
                    Tag(*header["stop_tag"]),
                    header["trace_hash"],
                    header["has_values"],
                )
                is_whole = header["rows"] == len(rows)
            except (ValueError, TypeError, KeyError, IndexError):
                raise ValueError(f"{os.fspath(path)} is no trace of version {_VERSION}") from None
        if not is_whole:
            raise ValueError(f"{os.fspath(path)} ends after {len(rows)} of {header['rows']} rows")
        return trace


def record_trace(
    make_main: Callable[[], Reactor] | Reactor,
    *,
    values: bool = False,
    limit: TimeLike = LIMIT_NS,
    **options: Any,
) -> Trace:
    """Run a program to its end and return what it did.

    A program whose body raises has a trace, too: it ends with the error.

    Args:
        make_main: A new main reactor, or a function that makes one.
        values: Also keep a digest of each value set or scheduled (see `digest`).
        limit: Physical time that it may take.
        **options: Of `Program`; `fast=True` unless given, or a clock.

    Raises:
        TimeoutError: It takes longer than `limit`; says what runs.

    >>> import reactorrl as rr
    >>> class Blink(rr.Reactor):
    ...     tick, on = rr.Timer(period=rr.sec(1)), rr.Output()
    ...     @rr.reaction(tick, effects=on)
    ...     def blink(self):
    ...         self.on.set(self.tag.time // rr.sec(1) % 2 == 0)
    >>> print(record_trace(Blink, values=True, timeout=rr.sec(1)))
    Blink.blink at Tag(time=0, microstep=0)
      set Blink.on = True (815eefc408b73cbd)
    Blink.blink at Tag(time=1000000000, microstep=0)
      set Blink.on = False (23c7e7989eba62ea)
    stopped at Tag(time=1000000000, microstep=0)
    """
    recorder = Tracer(values=values)
    program = ObservedProgram(main_of(make_main), recorder, **paced(options))
    try:
        report = program.run_within(limit)
    except ReactionError as error:
        report = error.report
    return recorder.trace(report)


class Tracer(Observer):
    """Collects the rows of a trace while a program runs."""

    def __init__(self, *, values: bool = False) -> None:
        self._has_values = values
        self._here = threading.local()
        self._rows: list[tuple[Tag, tuple[int, int], TraceRow]] = []  # append is atomic
        self._n_taken = 0

    def begin(self, body: Body) -> None:
        self._here.effects = []

    def end(self, body: Body, error: BaseException | None) -> None:
        if not body.node.path:
            return  # of a bench, which is no part of the program
        text = "" if error is None else f"{type(error).__name__}: {error}"
        row = TraceRow(body.tag, body.path, tuple(self._here.effects), text, body.is_handler)
        self._rows.append((body.tag, body.order, row))

    def did_set(self, body: Body, port: Any, value: Any) -> None:
        self._here.effects.append(Effect("set", str(port), None, *self._seen(value)))

    def did_enter(self, body: Body, mode: Any, how: str) -> None:
        self._here.effects.append(Effect("enter", str(mode), None, "", how))

    def did_schedule(self, body: Body, action: Any, tag: Tag | None, value: Any) -> None:
        self._here.effects.append(Effect("schedule", str(action), tag, *self._seen(value)))

    def _seen(self, value: Any) -> tuple[str, ...]:
        return (digest(value), shown(value)) if self._has_values else ()

    @property
    def rows(self) -> tuple[TraceRow, ...]:
        """So far, in order."""
        return self._in_order(self._rows)

    def take(self) -> tuple[TraceRow, ...]:
        """Those since the last call; between tags only."""
        self._n_taken, first = len(self._rows), self._n_taken
        return self._in_order(self._rows[first:])

    def _in_order(self, rows: list[tuple[Tag, tuple[int, int], TraceRow]]) -> tuple[TraceRow, ...]:
        return tuple(row for _, _, row in sorted(rows, key=lambda row: row[:2]))

    def trace(self, report: RunReport) -> Trace:
        """The trace of a run that has ended."""
        return Trace(self.rows, report.stop_tag, report.trace_hash, self._has_values)


def assert_same_trace(a: Trace, b: Trace, names: Sequence[str] = ("a", "b")) -> None:
    """Raise an AssertionError with the first difference of two traces, both sides of it.

    Args:
        a: A trace.
        b: Another; its values count if both have them.
        names: How the message calls the two.
    """
    for each in (a, b):
        if not isinstance(each, Trace):
            kind = type(each).__name__
            raise TypeError(
                f"assert_same_trace takes Traces (record_trace, Trace.load), got {kind}"
            )
    difference = first_difference(a, b)
    if difference is None:
        return
    where, left, right, _ = difference
    width = max(map(len, names))
    lines = [f"the traces part {where}"]
    for name, side in zip(names, (left, right), strict=True):
        shown_side = str(side).replace("\n", "\n" + " " * (width + 4))
        lines.append(f"  {name:>{width}}: {shown_side}")
    raise AssertionError("\n".join(lines))


def first_difference(a: Trace, b: Trace) -> tuple[str, Any, Any, TraceRow | None] | None:
    """Where two traces part, both sides, and the row of the body that is different."""
    with_values = a.has_values and b.has_values
    for i in range(max(len(a.rows), len(b.rows))):
        left = a.rows[i] if i < len(a.rows) else None
        right = b.rows[i] if i < len(b.rows) else None
        if left and right and _compared(left, with_values) == _compared(right, with_values):
            continue
        first = _earlier(left, right, b.rows[i:])
        where = f"at {first.tag}, {first.path} (row {i})"
        ends = f"stopped at {a.stop_tag}", f"stopped at {b.stop_tag}"
        return where, left or ends[0], right or ends[1], first
    if a.stop_tag != b.stop_tag:
        return "at their ends", f"stopped at {a.stop_tag}", f"stopped at {b.stop_tag}", None
    if a.trace_hash != b.trace_hash:
        return "in their hashes alone", a.trace_hash, b.trace_hash, None
    return None


def _earlier(left: TraceRow | None, right: TraceRow | None, others: Sequence[TraceRow]) -> TraceRow:
    """The row that stands first of two; `others` are those from `right` on."""
    if left is None or right is None or left.tag != right.tag:
        return min((row for row in (left, right) if row), key=lambda row: row.tag)
    # Only one of two bodies has run in both: it comes later.
    comes = any(row.tag == left.tag and row.path == left.path for row in others)
    return right if comes else left


def _compared(row: TraceRow, with_values: bool) -> tuple[Any, ...]:
    effects = [effect[: 4 if with_values else 3] for effect in row.effects]
    return (row.tag, row.path, effects, row.error, row.is_handler)


def _row(line: Any) -> TraceRow:
    tag, path, effects, error, is_handler = line
    return TraceRow(
        Tag(*tag),
        path,
        tuple(
            Effect(kind, of, at and Tag(*at), value, text) for kind, of, at, value, text in effects
        ),
        error,
        is_handler,
    )
