"""Memory stays where it is: over many programs, and over a long one."""

import gc
import os
import tracemalloc
from pathlib import Path

import pytest
from programs import Emit, Fails, Wire, chain, every_way, run

import reactorrl as rr

MEBIBYTE = 1 << 20
BATCH = 200
PAGE = os.sysconf("SC_PAGE_SIZE")


def rss():
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def one_of_many(k):
    run(every_way([]), 1 + k % 3, timeout=100)
    if k % 4 == 0:
        with pytest.raises(rr.ReactionError):
            run(chain(Emit(0), Fails()), 2)


def batches_until_steady(measure, allowed, is_long):
    """Growth of each batch of programs, up to the first that keeps within `allowed` bytes.

    The interpreter's free lists and the allocator fill up first; a leak would never come to an end.
    """
    size, grown = measure(), []
    for _ in range(40 if is_long else 12):
        for k in range(BATCH):
            one_of_many(k)
        gc.collect()
        grown.append(measure() - size)
        size += grown[-1]
        if grown[-1] <= allowed and not is_long:
            break
    return grown


def test_many_programs_leave_no_objects(is_long):
    """Programs in a row, with and without errors: what Python has allocated stays the same."""
    tracemalloc.start()
    try:
        grown = batches_until_steady(
            lambda: tracemalloc.get_traced_memory()[0], 10 * BATCH, is_long
        )
    finally:
        tracemalloc.stop()
    assert grown[-1] <= 10 * BATCH, grown


def test_many_programs_leave_no_memory(is_long):
    """The same for the memory of the process, to which the C core's belongs."""
    grown = batches_until_steady(rss, MEBIBYTE // 8, is_long)
    assert grown[-1] <= MEBIBYTE // 8, grown


@pytest.mark.parametrize("n_workers", [1, 2])
def test_memory_is_steady_over_a_million_tags(n_workers, is_long):
    """A running program allocates nothing that it does not give back: events, payloads, delays."""
    n = 5_000_000 if is_long else 1_000_000
    sizes = []

    class Main(rr.Reactor):
        act = rr.LogicalAction(1)
        out = rr.Output()

        @rr.reaction(rr.startup, act, effects=(act, out))
        def on(self):
            k = self.act.get(0)
            if k % (n // 10) == 0:
                gc.collect()
                sizes.append(rss())
            if k < n:
                self.act.schedule(k + 1)
            if k % 16 == 0:
                self.out.set((k, "payload"))

    class Sink(rr.Reactor):
        inp = rr.Input()

        @rr.reaction(inp)
        def on(self):
            self.last = self.inp.value

    def build(self):
        self.main, self.sink, self.late = Main(), Sink(), Sink()
        self.connect(self.main.out, self.sink.inp)
        self.connect(self.main.out, self.late.inp, after=100)

    report = run(Wire(build), n_workers)
    assert report.tags >= n
    assert sizes[-1] - sizes[2] < 2 * MEBIBYTE, [size - sizes[0] for size in sizes]
