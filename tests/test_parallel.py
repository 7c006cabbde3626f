"""Levels are shared where that pays, also by workers that were asleep."""

import os
import threading
import time

import pytest

import reactorrl as rr

SECONDS = 0.002  # that a body waits: no processor is needed for that
PERIOD = rr.msec(6)  # long enough to fall asleep before the next tag


class Waits(rr.Reactor):
    """Waits at every tag."""

    tick = rr.Timer(0, PERIOD)

    def __init__(self, seen):
        self.seen = seen
        self.ticks = 0

    @rr.reaction(tick)
    def wait(self):
        time.sleep(SECONDS)
        here = threading.get_ident(), frozenset(os.sched_getaffinity(0))
        self.seen.setdefault(self.ticks, []).append(here)
        self.ticks += 1


class Both(rr.Reactor):
    def __init__(self):
        self.seen = {}
        self.bank = rr.Bank(2, Waits, self.seen)


def shared(seen):
    """The ticks at which both workers had a body."""
    return [tick for tick, bodies in seen.items() if len({thread for thread, _ in bodies}) == 2]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor")
def test_a_long_level_is_shared_with_a_worker_that_was_asleep():
    main = Both()
    report = rr.run(main, workers=2, timeout=39 * PERIOD)
    assert len(main.seen) == 40
    assert len(shared(main.seen)) >= 20
    assert all(worker.parked_s > 0 for worker in report.workers)


def test_who_was_woken_may_use_every_processor():
    """Waking leaves no trace in a thread's affinity."""
    main = Both()
    rr.run(main, workers=2, timeout=9 * PERIOD)
    allowed = frozenset(os.sched_getaffinity(0))
    assert {cpus for bodies in main.seen.values() for _, cpus in bodies} == {allowed}
