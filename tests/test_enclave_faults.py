"""Enclaves under load: references, ends, clocks and recordings that must be exact."""

import random
import sys

import pytest

import reactorrl as rr
from reactorrl.testing import VirtualClock

BOUND = rr.sec(60)


class Thing:
    """Something that only reference counts keep."""


class Keeper(rr.Reactor):
    """Sends what it keeps, and counts references to the latest all the while."""

    out = rr.Output()
    again = rr.LogicalAction()

    def __init__(self, n):
        self.n, self.kept = n, []

    @rr.reaction(rr.startup, again, effects=(out, again))
    def go(self):
        self.kept.append(Thing())
        self.out.set(self.kept[-1])
        for thing in self.kept[-4:]:
            for _ in range(200):
                one = thing
                other = one
                del one, other
        if len(self.kept) < self.n:
            self.again.schedule(delay=1)


class Reader(rr.Reactor):
    inp = rr.Input()

    @rr.reaction(inp)
    def got(self):
        self.inp.value  # noqa: B018


class Handed(rr.Reactor):
    def __init__(self):
        self.keeper, self.reader = Keeper(1500), rr.enclave(Reader())
        self.connect(self.keeper.out, self.reader.inp, after=0)


def test_references_that_another_enclave_drops_are_counted_exactly():
    """A value is dropped by a thread that did not make it, while its maker counts, too."""
    main = Handed()
    rr.run(main, workers=1, fast=True)
    things = main.keeper.kept
    assert len(things) == 1500
    assert {sys.getrefcount(things[i]) for i in range(1500)} == {sys.getrefcount([Thing()][0]) + 1}


class Chain(rr.Reactor):
    inp, out = rr.Input(), rr.Output()
    again = rr.LogicalAction()

    def __init__(self, n, spins):
        self.n, self.spins, self.count = n, spins, 0

    @rr.reaction(rr.startup, again, effects=(out, again))
    def go(self):
        for _ in range(self.spins):
            pass
        self.count += 1
        if self.count < self.n:
            self.again.schedule()

    @rr.reaction(inp)
    def got(self):
        pass


class Behind(rr.Reactor):
    """X and Y reach each other, and Z is behind X."""

    def __init__(self, chooser):
        self.x = rr.enclave(Chain(1, 0))
        self.y = rr.enclave(Chain(8, chooser.randrange(300)))
        self.z = rr.enclave(Chain(30, chooser.randrange(300)))
        self.connect(self.x.out, self.y.inp, after=0)
        self.connect(self.y.out, self.x.inp, after=0)
        self.connect(self.x.out, self.z.inp, after=0)


def test_where_an_idle_enclave_ends_is_not_a_matter_of_who_was_ahead(seed, is_long):
    chooser = random.Random(seed)
    ends = {
        (report.trace_hash, tuple(enclave.stop_tag for enclave in report.enclaves))
        for _ in range(20_000 if is_long else 500)
        for report in [rr.run(Behind(chooser), fast=True)]
    }
    assert len(ends) == 1


class Late(rr.Reactor):
    out, tick = rr.Output(), rr.Timer(1)

    @rr.reaction(tick, effects=out)
    def send(self):
        self.out.set(1)


class Far(rr.Reactor):
    def __init__(self, after):
        self.late, self.reader = Late(), rr.enclave(Reader())
        self.connect(self.late.out, self.reader.inp, after=after)


def test_a_delay_past_the_end_of_time_does_not_keep_an_enclave():
    program = rr.Program(Far(rr.FOREVER - 1))
    program.start()
    with pytest.raises(OverflowError, match=r"Far\.late\.out -> Far\.reader\.inp") as e:
        program.join(timeout=BOUND)
    report = e.value.report
    assert (report.stop_tag, report.dropped) == (rr.Tag(1, 1), 1)


def test_a_delay_without_end_is_refused():
    with pytest.raises(OverflowError, match="no value would ever arrive"):
        Far(rr.FOREVER)


class Takes(rr.Reactor):
    again = rr.LogicalAction()

    def __init__(self, clock, n):
        self.clock, self.n = clock, n

    @rr.reaction(rr.startup, again, effects=again)
    def go(self):
        self.clock.advance(1)
        self.n -= 1
        if self.n:
            self.again.schedule()


def test_a_virtual_clock_adds_up_whoever_moves_it():
    """Bodies and another thread at once: nothing that was taken is lost."""
    clock = VirtualClock()
    program = rr.Program(Takes(clock, 20_000), clock=clock)
    program.start()
    outside = 0
    while program.join(timeout=0) is None:
        clock.advance(1)
        outside += 1
    assert clock.now == 20_000 + outside


class Source(rr.Reactor):
    one, two = rr.Output(), rr.Output()
    tick = rr.Timer(0, rr.usec(200))

    @rr.reaction(tick, effects=(one, two))
    def go(self):
        self.one.set(1)
        self.two.set(2)


class Sink(rr.Reactor):
    inp = rr.Input()

    def __init__(self):
        self.seen = []

    @rr.reaction(inp)
    def got(self):
        self.seen.append((self.tag, self.inp.value))


class Switch(rr.Reactor):
    """Physical connections of two modes lead to one port."""

    a, b = rr.Mode(initial=True), rr.Mode()
    turn = rr.Timer(rr.usec(900), rr.msec(1))

    def __init__(self):
        self.source, self.sink = Source(), Sink()
        with self.a:
            self.connect(self.source.one, self.sink.inp, physical=True)
        with self.b:
            self.connect(self.source.two, self.sink.inp, physical=True)

    @rr.reaction(turn, effects=(a, b))
    def change(self):
        (self.b if self.a.is_active else self.a).set()


def test_physical_connections_of_several_modes_are_replayed(tmp_path):
    main, again = Switch(), Switch()
    limit = rr.msec(10)
    report = rr.run(main, record=tmp_path / "run.rec", timeout=limit)
    replayed = rr.run(again, replay=tmp_path / "run.rec", timeout=limit)
    assert {value for _, value in main.sink.seen} == {1, 2}
    assert (again.sink.seen, replayed.trace_hash) == (main.sink.seen, report.trace_hash)


class Added(rr.Reactor):
    tick = rr.Timer()

    def __init__(self):
        for _ in range(3):
            self.add_reaction(self.go, self.tick)

    def go(self):
        pass


def test_added_reactions_of_one_name_have_paths_of_their_own():
    report = rr.run(Added(), fast=True)
    assert list(report.reaction_counts) == ["Added.go", "Added.go#2", "Added.go#3"]


def test_a_timer_that_never_fires_is_told_with_all_other_problems():
    class Never(rr.Reactor):
        tick, other = rr.Timer(rr.FOREVER), rr.Timer(0, "lack")

    with pytest.raises(rr.AssemblyError) as caught:
        rr.Program(Never())
    assert isinstance(caught.value, ValueError)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "Never.tick",
        "Never.other",
    ]


class Works(rr.Reactor):
    @rr.reaction(rr.startup)
    def work(self):
        sum(range(2_000_000))


class Alone(rr.Reactor):
    def __init__(self):
        self.works, self.idle = rr.enclave(Works()), Reader()


def test_a_worker_is_not_busy_once_its_enclave_has_ended():
    report = rr.run(Alone(), workers=1, fast=True)
    main, inner = report.workers
    if report.gil_enabled:
        pytest.skip("a worker that waits for its turn counts as busy")
    assert main.busy_s < inner.busy_s / 2
