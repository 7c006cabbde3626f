"""`Exchange`: single envs are stepped as soon as a thread is free, in no common rhythm."""

from __future__ import annotations

import time
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from typing import Any

from .pool import GRACE_S, Job, Seat, TaskError, check_limit, join, start

_clock = time.perf_counter_ns


class Exchange:
    """Threads that take tasks from a queue and put them into another when they are done.

    Args:
        workers: How many threads.
        limit_ns: Longest time for one task; 0: none.

    Attributes:
        under_way: Tasks that were sent and not received.
    """

    def __init__(self, workers: int, limit_ns: int) -> None:
        self.under_way: set[int] = set()
        self._limit_ns = limit_ns
        self._tasks: SimpleQueue[tuple[Job, int] | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[int, list[Any], BaseException | None]] = SimpleQueue()
        self._ready: list[tuple[int, list[Any], BaseException | None]] = []
        self._seats = [Seat(range(0)) for _ in range(workers)]
        start(self._seats, self._help, "reactorrl-exchange")

    def send(self, job: Job, tasks: Iterable[int]) -> None:
        """Have the job done for each of the tasks, none of which is under way."""
        for task in tasks:
            self.under_way.add(task)
            self._tasks.put((job, task))

    def recv(self, n: int, timeout_s: float | None) -> tuple[list[int], list[Any]]:
        """The first n tasks that are done, ascending, and what their jobs found.

        Raises:
            TaskError: One of them raised; they are received all the same.
            TaskTimeout: One takes longer than the limit.
            TimeoutError: There are not as many in time.
        """
        end_ns = None if timeout_s is None else _clock() + round(timeout_s * 1e9)
        while len(self._ready) < n:
            wait_ns = self._limit_ns // 4 or None
            if end_ns is not None:
                left_ns = max(0, end_ns - _clock())
                wait_ns = left_ns if wait_ns is None else min(wait_ns, left_ns)
            try:
                self._ready.append(
                    self._done.get(timeout=None if wait_ns is None else wait_ns / 1e9)
                )
            except Empty:
                if self._limit_ns:
                    check_limit(self._seats, self._limit_ns)
                if end_ns is not None and _clock() >= end_ns:
                    done = {task for task, *_ in self._ready}
                    raise TimeoutError(sorted(self.under_way - done)) from None
        received, self._ready = sorted(self._ready[:n], key=lambda each: each[0]), self._ready[n:]
        self.under_way.difference_update(task for task, *_ in received)
        for task, _, error in received:
            if error is not None:
                raise TaskError(task, error)
        return [task for task, *_ in received], [item for _, found, _ in received for item in found]

    def stop(self, grace_s: float = GRACE_S) -> list[int]:
        """End the threads; return the tasks that did not let go of theirs in time."""
        while not self._tasks.empty():
            try:
                self._tasks.get_nowait()
            except Empty:
                break
        for _ in self._seats:
            self._tasks.put(None)
        return join(self._seats, grace_s)

    def _help(self, seat: Seat) -> None:
        while (item := self._tasks.get()) is not None:
            job, task = item
            error = None
            try:
                job(seat, (task,))
            except BaseException as raised:  # for whoever receives it
                error = raised
            seat.since_ns = 0
            found, seat.found = seat.found, []
            self._done.put((task, found, error))
            del item, job, found, error
