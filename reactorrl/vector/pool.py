"""`Pool`: threads that share a batch of tasks with the thread that asks for it.

A batch is handed out and given back through locks, one pair for each helper, which also order all
memory: `go` is open while a batch waits for the helper, `done` once the helper has finished with
it. Whoever acquires `go` has the batch, so that the caller can take back what a helper was too late
for. The tasks themselves lie in deques, each task claimed by the one `pop` that returns it.

The runtime of reactors is not underneath: its programs own all their threads, and a round trip from
a thread outside (a physical action in, a lock back) wakes two sleepers for each batch, where here
the caller does its share and meets helpers that are awake.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from ..interrupts import gil_is_enabled
from ..placement import usable_cores

SPIN_NS = 50_000  # about the price of a wake: for so long a thread waits without sleeping
WAKE_NS = 30_000.0  # what waking a helper costs until it runs
SHARE_NS = 20_000.0  # tasks at least this long are shared one by one
GRACE_S = 5.0  # for tasks that run while the pool is stopped

_clock = time.perf_counter_ns
_pools: weakref.WeakSet[Pool] = weakref.WeakSet()

Job = Callable[["Seat", Iterable[int]], None]


class Seat:
    """What one thread has of a batch.

    Attributes:
        at: The task it does, or did last. A job keeps it up to date.
        since_ns: When that began, on the clock of the limit; 0: none is under way.
        found: What the job leaves there for the caller.
        errors: Tasks that raised, with the error.
    """

    __slots__ = (
        *("at", "busy_ns", "chunks", "coarse", "done", "errors", "fine", "found", "go"),
        *("is_asleep", "others", "since_ns", "thread"),
    )

    def __init__(self, tasks: range) -> None:
        self.at = -1
        self.since_ns = 0
        self.found: list[Any] = []
        self.errors: list[tuple[int, BaseException]] = []
        self.chunks: deque[Iterable[int]] = deque()
        self.coarse: list[range] = [tasks] if tasks else []
        self.fine: list[tuple[int]] = [(task,) for task in tasks]
        self.others: list[Seat] = []
        self.busy_ns = 0  # in this batch
        self.thread: threading.Thread | None = None
        self.is_asleep = False  # a hint
        self.go: threading.Lock = threading.Lock()
        self.go.acquire()
        self.done: threading.Lock = threading.Lock()
        self.done.acquire()


def start(seats: Iterable[Seat], body: Callable[[Seat], None], name: str) -> None:
    """Start a thread for each seat."""
    for k, seat in enumerate(seats):
        seat.thread = threading.Thread(target=body, args=(seat,), name=f"{name}-{k}", daemon=True)
        seat.thread.start()


def join(seats: Iterable[Seat], grace_s: float) -> list[int]:
    """Wait for the threads of the seats; the tasks of those that did not end in time."""
    end = time.monotonic() + grace_s
    stuck = []
    for seat in seats:
        thread = seat.thread
        if thread is None or thread is threading.current_thread():
            continue
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            stuck.append(seat.at)
    return stuck


def check_limit(seats: Iterable[Seat], limit_ns: int) -> None:
    """TaskTimeout: one takes longer than this."""
    for seat in seats:
        since_ns, task = seat.since_ns, seat.at
        if since_ns and _clock() - since_ns > limit_ns and seat.since_ns == since_ns:
            raise TaskTimeout(task)


class Pool:
    """Runs batches of tasks 0 to `n_tasks - 1`, on the calling thread and on helpers.

    Each thread has its own tasks, a contiguous share, and does those of others when they are long
    or their owner is late. One thread uses the pool at a time.

    Args:
        n_tasks: Tasks of a batch.
        workers: Threads that do them.
        limit_s: Longest time for one task. With a limit the calling thread only waits.

    Attributes:
        problem: Why no batch can be run any more, or `None`.
        is_forked: This is a child process; the helpers are in its parent.
    """

    def __init__(self, n_tasks: int, workers: int, limit_s: float | None) -> None:
        workers = min(workers, n_tasks)
        self.problem: str | None = None
        self.is_forked = False
        self.limit_ns: int = 0 if limit_s is None else round(limit_s * 1e9)
        self._seats = [
            Seat(range(n_tasks * k // workers, n_tasks * (k + 1) // workers))
            for k in range(workers)
        ]
        self._homes = [seat for seat in self._seats for _ in seat.fine]
        for k, seat in enumerate(self._seats):
            seat.others = self._seats[k + 1 :] + self._seats[:k]
        self._own = None if self.limit_ns else self._seats[0]
        self._helpers = [seat for seat in self._seats if seat is not self._own]
        self._job: Job | None = None
        self._is_stopping = False
        self._mean_ns = 0.0  # of a task; 0: not known
        self._credit_ns = 0.0
        self._spins = usable_cores() >= len(self._helpers) + 1 and not gil_is_enabled()
        start(self._helpers, self._help, "reactorrl-envs")
        _pools.add(self)

    def run(self, job: Job) -> list[Any]:
        """Run one batch and return what the jobs found, in no order.

        Raises:
            TaskError: A task raised; the one with the smallest number.
            TaskTimeout: One takes longer than the limit.
        """
        self._job = job
        try:
            asked = self._deal()
            for seat in asked:
                seat.go.release()
            if self._own is not None:
                self._work(self._own)
            for seat in asked:
                if self._own is None or not seat.go.acquire(False):
                    self._wait(seat)
        except BaseException as error:
            self._abandon(error)
            raise
        return self._outcome()

    def run_in_order(self, job: Job) -> list[Any]:
        """The same with one task after the other, each on the thread whose task it is."""
        self._job = job
        try:
            for task, seat in enumerate(self._homes):
                if seat is self._own:
                    self._do(job, seat, (task,))
                else:
                    seat.chunks.append((task,))
                    seat.go.release()
                    self._wait(seat)
                if seat.errors:
                    break
        except BaseException as error:
            self._abandon(error)
            raise
        return self._outcome()

    def stop(self, grace_s: float = GRACE_S) -> list[int]:
        """End the helpers; return the tasks that did not let go of theirs in time."""
        self._is_stopping = True
        self.problem = self.problem or "is closed"
        for seat in self._helpers:
            seat.chunks.clear()
            with suppress(RuntimeError):  # open already
                seat.go.release()
        return join(self._helpers, grace_s)

    def _deal(self) -> list[Seat]:
        """Give each seat its chunks; return the helpers that are worth having in this batch."""
        is_fine, n_asleep = self._mean_ns > SHARE_NS, 0
        for seat in self._seats:
            seat.chunks.extend(seat.fine if is_fine else seat.coarse)
            if seat.is_asleep:
                n_asleep += len(seat.fine)
        if not n_asleep or not self._mean_ns or self._own is None:
            return self._helpers
        # Woken once the time forgone since the last wake adds up to the price of waking.
        self._credit_ns += self._mean_ns * n_asleep
        if self._credit_ns < WAKE_NS:
            return [seat for seat in self._helpers if not seat.is_asleep]
        self._credit_ns = 0.0
        return self._helpers

    def _learn(self, batch_ns: int) -> None:
        """A preempted sample says too much by orders of magnitude, so a rise is bounded.

        Nothing says too little, so a fall to less than half is believed.
        """
        sample_ns, mean_ns = batch_ns / len(self._homes), self._mean_ns
        if sample_ns > mean_ns / 2 > 0:
            sample_ns = 0.75 * mean_ns + 0.25 * min(sample_ns, 2 * mean_ns)
        self._mean_ns = sample_ns

    def _outcome(self) -> list[Any]:
        self._job = None
        found: list[Any] = []
        errors: list[tuple[int, BaseException]] = []
        busy_ns = 0
        for seat in self._seats:
            busy_ns += seat.busy_ns
            seat.busy_ns = 0
            if seat.found:
                found += seat.found
                seat.found = []
            if seat.errors:
                errors += seat.errors
                seat.errors = []
        self._learn(busy_ns)
        if errors:
            task, error = min(errors, key=lambda each: each[0])
            raise TaskError(task, error)
        return found

    def _abandon(self, error: BaseException) -> None:
        self._job = None
        for seat in self._seats:
            seat.chunks.clear()
        if isinstance(error, TaskTimeout):
            self.problem = f"waits for env {error.task}, which did not return in time"
        else:
            self.problem = f"was interrupted by {type(error).__name__} in the middle of a call"

    # ---- on every thread -----------------------------------------------------------------------

    def _work(self, seat: Seat) -> None:
        job = self._job
        if job is None:
            return  # the caller has left
        self._do_all(job, seat, seat.chunks, seat.chunks.popleft)
        for other in seat.others:
            if other.chunks:
                self._do_all(job, seat, other.chunks, other.chunks.pop)

    def _do_all(self, job: Job, seat: Seat, chunks: deque[Any], take: Callable[[], Any]) -> None:
        while chunks:
            try:
                chunk = take()
            except IndexError:
                return  # another was faster
            self._do(job, seat, chunk)

    def _do(self, job: Job, seat: Seat, chunk: Any) -> None:
        begin_ns = _clock()
        try:
            job(seat, chunk)
        except BaseException as error:
            if seat is self._own and not isinstance(error, Exception):
                raise  # Ctrl-C
            seat.errors.append((seat.at, error))
        seat.since_ns = 0
        seat.busy_ns += _clock() - begin_ns

    def _help(self, seat: Seat) -> None:
        while True:
            if not self._spin(seat.go):
                seat.is_asleep = True
                seat.go.acquire()
                seat.is_asleep = False
            if self._is_stopping:
                return
            self._work(seat)
            seat.done.release()

    def _spin(self, lock: threading.Lock) -> bool:
        """Acquire the lock if it opens soon."""
        acquire = lock.acquire
        if acquire(False):
            return True
        if not self._spins:
            return False
        end_ns = _clock() + SPIN_NS
        while _clock() < end_ns:
            for _ in range(32):
                if acquire(False):
                    return True
        return False

    def _wait(self, seat: Seat) -> None:
        """Wait until a helper is done."""
        if self._spin(seat.done):
            return
        if not self.limit_ns:
            seat.done.acquire()  # Ctrl-C interrupts it
            return
        while not seat.done.acquire(timeout=self.limit_ns / 4e9):
            check_limit(self._seats, self.limit_ns)


class TaskError(Exception):
    """A task raised `error`."""

    def __init__(self, task: int, error: BaseException) -> None:
        super().__init__(task, error)
        self.task: int = task
        self.error: BaseException = error


class TaskTimeout(Exception):
    """A task takes too long."""

    def __init__(self, task: int) -> None:
        super().__init__(task)
        self.task = task


def _forget_all() -> None:
    """In a forked child: the helpers stayed in the parent."""
    for pool in _pools:
        pool.is_forked = True
        pool.problem = "belongs to the parent process; fork left its threads there"


os.register_at_fork(after_in_child=_forget_all)
