"""`assert_deterministic`: the same behaviour for every number of workers and speed of bodies."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ReactionError
from ..reactor import Reactor
from ..report import RunReport
from ..time import TimeLike, usec
from .digests import shown
from .observe import LIMIT_NS, Body, ObservedProgram, main_of, paced
from .traces import Trace, Tracer, assert_same_trace

_CHANCE, _LONGEST_NS = 0.2, usec(200)  # of a delay before and after a body
_RERUNS = 5  # to see the difference with traces


class _Shaken(Tracer):
    """Delays bodies at random; records them, if asked to."""

    def __init__(self, seed: int | None, *, traces: bool) -> None:
        super().__init__(values=True)
        self._random = None if seed is None else random.Random(seed)
        self._traces = traces

    def begin(self, body: Body) -> None:
        self._delay()
        if self._traces:
            super().begin(body)

    def end(self, body: Body, error: BaseException | None) -> None:
        if self._traces:
            super().end(body, error)
        self._delay()

    def did_set(self, body: Body, port: Any, value: Any) -> None:
        if self._traces:
            super().did_set(body, port, value)

    def did_enter(self, body: Body, mode: Any, how: str) -> None:
        if self._traces:
            super().did_enter(body, mode, how)

    def did_schedule(self, body: Body, action: Any, tag: Any, value: Any) -> None:
        if self._traces:
            super().did_schedule(body, action, tag, value)

    def _delay(self) -> None:
        if self._random is None or self._random.random() >= _CHANCE:
            return
        end = time.perf_counter_ns() + self._random.randrange(_LONGEST_NS)
        while time.perf_counter_ns() < end:
            pass


def assert_deterministic(
    make: Callable[[], Reactor],
    workers: int | Sequence[int] = (1, 2, 4),
    *,
    repeats: int = 1,
    delays_seed: int | None = 0,
    digest: Callable[[Any], object] | None = None,
    limit: TimeLike = LIMIT_NS,
    **options: Any,
) -> RunReport:
    """Run new instances of a program with several numbers of workers; all must do the same.

    Compared are `trace_hash`, stop tag, counts, the error if a body raises, and `digest(main)`.
    Bodies are delayed at random, so that schedules differ. If two runs differ, they are repeated
    with traces, and the AssertionError shows where these part, with the values of ports.

    Args:
        make: Returns a new main reactor at each call.
        workers: The numbers of workers; one number `n` means `(1, n)`.
        repeats: Runs with each.
        delays_seed: Of the delays; `None` for none.
        digest: What else must be equal, taken from the main reactor after the run: for example
            `lambda main: main.learner.weights.tobytes()`.
        limit: Physical time that a run may take.
        **options: Of `Program`; `fast=True` unless given, or a clock: the class `VirtualClock`, as
            each run needs its own.

    Returns:
        The report of the first run.

    Raises:
        AssertionError: Two runs differ.
        ReactionError: A body raised, the same in all runs.
        TimeoutError: A run takes longer than `limit`; says what runs.

    >>> import reactorrl as rr
    >>> class Count(rr.Reactor):
    ...     tick, number = rr.Timer(period=1), rr.Output()
    ...     @rr.reaction(tick, effects=number)
    ...     def count(self):
    ...         self.number.set(self.tag.time)
    >>> assert_deterministic(Count, workers=(1, 2), timeout=9).reactions
    10
    """
    if isinstance(workers, int):
        workers = (1, workers)
    if not workers or min(workers) < 1 or repeats < 1:
        raise ValueError(f"workers={workers!r}, repeats={repeats}: there is nothing to compare")

    def run(n: int, round_: int, *, traces: bool) -> tuple[dict[str, Any], Trace, RunReport, Any]:
        seed = None if delays_seed is None else hash((delays_seed, n, round_))
        tracer = _Shaken(seed, traces=traces)
        main = main_of(make)
        error = None
        try:
            program = ObservedProgram(main, tracer, workers=n, **paced(options))
            report = program.run_within(limit)
        except ReactionError as raised:
            error, report = raised, raised.report
        return _outcome(main, report, error, digest), tracer.trace(report), report, error

    first, _, first_report, first_error = run(workers[0], 0, traces=False)
    rounds = [(n, round_) for round_ in range(repeats) for n in workers]
    for n, round_ in rounds[1:]:
        outcome, *_ = run(n, round_, traces=False)
        if outcome == first:
            continue
        names = (f"{workers[0]} workers", f"{n} workers")
        text = [f"{names[0]} and {names[1]} (run {round_ + 1}) do not do the same:"]
        text += [
            f"  {what}: {shown(value, 200)}, then {shown(outcome[what], 200)}"
            for what, value in first.items()
            if outcome.get(what) != value
        ]
        text.append(_where_they_part(run, workers[0], n, round_, names))
        raise AssertionError("\n".join(text))
    if first_error is not None:
        raise first_error
    return first_report


def _outcome(
    main: Any, report: RunReport, error: ReactionError | None, digest: Any
) -> dict[str, Any]:
    """What two runs must have in common."""
    outcome: dict[str, Any] = {
        name: getattr(report, name)
        for name in (
            "trace_hash",
            "stop_tag",
            "reactions",
            "events",
            "tags",
            "dropped",
            "reaction_counts",
            "deadline_misses",
            "enclaves",
        )
        if hasattr(report, name)
    }
    if error is not None:
        notes = getattr(error, "__notes__", [])
        outcome["error"] = "; ".join([str(error), *notes])
    if digest is not None:
        outcome["digest"] = digest(main)
    return outcome


def _where_they_part(run: Any, a: int, b: int, round_: int, names: tuple[str, str]) -> str:
    for attempt in range(_RERUNS):
        _, left, *_ = run(a, 0, traces=True)
        _, right, *_ = run(b, round_ + attempt, traces=True)
        try:
            assert_same_trace(left, right, names)
        except AssertionError as difference:
            return f"Repeated with traces, {difference}"
    return (
        f"Repeated {_RERUNS} times with traces, what bodies set and schedule is equal: the"
        " difference is rare, or in state that no port shows"
    )
