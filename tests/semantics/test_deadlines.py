"""Deadlines: checked just before a body starts, against a clock that the tests move by hand."""

import pytest
from programs import Collect, Emit, Trace, Wire, run

import reactorrl as rr

MS = rr.msec(1)


def timed_run(main, clock, workers=1, **options):
    return rr.run(main, workers=workers, clock=clock, **options)


class Slow(rr.Reactor):
    """Takes `ns` of the clock at each tick, and says so downstream."""

    out = rr.Output()
    tick = rr.Timer(0, rr.sec(1))

    def __init__(self, clock, *ns):
        self.clock, self.ns = clock, list(ns)

    @rr.reaction(tick, effects=out)
    def work(self):
        if self.ns:
            self.clock.advance(self.ns.pop(0))
        self.out.set(self.tag.time)


class Guarded(rr.Reactor):
    """Records what ran; its deadline is 5 ms."""

    inp, out = rr.Input(), rr.Output()

    def __init__(self, trace):
        self.trace = trace

    @rr.reaction(inp, effects=out, deadline=5 * MS)
    def body(self):
        self.trace(self, "body")
        self.out.set("body")

    @body.on_deadline_miss
    def late(self):
        self.trace(self, "late")
        self.out.set("late")


def slow_and_guarded(trace, clock, *ns, guarded=Guarded):
    def build(self):
        self.slow, self.guarded, self.sink = Slow(clock, *ns), guarded(trace), Collect(trace)
        self.connect(self.slow.out, self.guarded.inp)
        if hasattr(self.guarded, "out"):
            self.connect(self.guarded.out, self.sink.inp)

    return Wire(build)


@pytest.mark.own_clock(reason="it looks at a virtual clock of its own")
def test_a_deadline_is_missed_when_the_clock_is_past_it(workers):
    """At tag + 5 ms exactly the body runs; one nanosecond later the handler runs instead."""
    trace, clock = Trace(), rr.testing.VirtualClock()
    main = slow_and_guarded(trace, clock, 5 * MS, 5 * MS + 1, 0)
    report = timed_run(main, clock, workers, timeout=rr.sec(2))
    assert trace.at("Wire.guarded") == [
        ((0, 0), "body"), ((rr.sec(1), 0), "late"), ((rr.sec(2), 0), "body"),
    ]  # fmt: skip
    assert report.deadline_misses == {"Wire.guarded.body": 1}


@pytest.mark.own_clock(reason="it looks at a virtual clock of its own")
def test_a_handler_has_what_the_body_has(workers):
    """It reads and sets the same ports at the same tag, and runs once for it."""
    trace, clock = Trace(), rr.testing.VirtualClock()
    report = timed_run(slow_and_guarded(trace, clock, 6 * MS), clock, workers, timeout=0)
    assert trace.rows == [((0, 0), "Wire.guarded", "late"), ((0, 0), "Wire.sink", "late")]
    assert report.reactions == 3  # a handler that runs counts as a reaction


@pytest.mark.own_clock(reason="it looks at a virtual clock of its own")
def test_without_a_handler_the_body_is_skipped_and_counted(workers):
    """Nothing downstream happens, and what was skipped is no reaction that ran."""

    class Skips(Guarded):
        @rr.reaction(Guarded.inp, effects=Guarded.out, deadline=5 * MS)
        def body(self):
            self.trace(self, "body")

    trace, clock = Trace(), rr.testing.VirtualClock()
    main = slow_and_guarded(trace, clock, 6 * MS, 6 * MS, 0, guarded=Skips)
    report = timed_run(main, clock, workers, timeout=rr.sec(2))
    assert trace.rows == [((rr.sec(2), 0), "Wire.guarded", "body")]
    assert report.deadline_misses == {"Wire.guarded.body": 2}
    assert report.reactions == 3 + 1


def test_a_deadline_of_zero_is_always_missed(workers):
    """Under every clock."""
    trace = Trace()

    class Main(rr.Reactor):
        tick = rr.Timer(0, 10)

        @rr.reaction(tick, deadline=0)
        def body(self):
            trace(self, "body")

        @body.on_deadline_miss
        def late(self):
            trace(self, "late")

    report = run(Main(), workers, timeout=20)
    assert trace.events == [((0, 0), "late"), ((10, 0), "late"), ((20, 0), "late")]
    assert report.deadline_misses == {"Main.body": 3}
    assert report.reactions == 3


def test_a_deadline_that_is_kept_changes_nothing(workers):
    """No miss is reported, and behaviour is as without the deadline."""
    trace = Trace()

    class Main(rr.Reactor):
        tick = rr.Timer(0, 10)

        @rr.reaction(tick, deadline=rr.FOREVER)
        def body(self):
            trace(self, "body")

    report = run(Main(), workers, timeout=10)
    assert trace.events == [((0, 0), "body"), ((10, 0), "body")]
    assert report.deadline_misses == {}


def test_a_handler_declares_what_its_body_declares(workers):
    """What the reaction does not declare is an error in the handler, too."""
    trace = Trace()

    class Main(rr.Reactor):
        a, b = rr.Output(), rr.Output()

        @rr.reaction(rr.startup, effects=a, deadline=0)
        def body(self):
            trace(self, "body")

        @body.on_deadline_miss
        def late(self):
            with pytest.raises(rr.UndeclaredEffectError):
                self.b.set(1)
            self.a.set(1)
            trace(self, "late")

    run(Main(), workers)
    assert trace.events == [((0, 0), "late")]


def test_a_handler_that_raises_is_a_body_that_raises(workers):
    """The program stops at that tag with the error of the reaction."""
    trace = Trace()

    class Main(rr.Reactor):
        @rr.reaction(rr.startup, deadline=0)
        def body(self):
            pass

        @body.on_deadline_miss
        def late(self):
            raise ValueError("late")

        @rr.reaction(rr.shutdown)
        def end(self):
            trace(self, "end")

    with pytest.raises(rr.ReactionError) as e:
        run(Main(), workers)
    assert (e.value.reaction, e.value.tag, str(e.value.__cause__)) == (
        "Main.body",
        rr.Tag(0, 0),
        "late",
    )
    assert trace.events == [((0, 0), "end")]


def test_an_override_keeps_deadline_and_handler(workers):
    """Unless it is decorated again."""
    trace = Trace()

    class Base(rr.Reactor):
        @rr.reaction(rr.startup, deadline=0)
        def body(self):
            trace(self, "base")

        @body.on_deadline_miss
        def late(self):
            trace(self, "late")

    class Keeps(Base):
        def body(self):
            trace(self, "derived")

    class Again(Base):
        @rr.reaction(rr.startup)
        def body(self):
            trace(self, "again")

    class Other(Base):
        def late(self):
            trace(self, "other")

    def build(self):
        self.keeps, self.again, self.other = Keeps(), Again(), Other()

    run(Wire(build), workers)
    assert [row[2] for row in trace.rows] == ["again", "late", "other"]


def test_added_reactions_have_deadlines(workers):
    """add_reaction takes deadline and on_deadline_miss."""
    trace = Trace()

    class Main(rr.Reactor):
        def __init__(self):
            self.child = Emit(1)
            self.add_reaction(
                self.body, triggers=[self.child.out], deadline=0, on_deadline_miss=self.late
            )
            self.add_reaction(self.other, triggers=[self.child.out], deadline=rr.FOREVER)

        def body(self):
            trace(self, "body")

        def late(self):
            trace(self, ("late", self.child.out.value))

        def other(self):
            trace(self, "other")

    report = run(Main(), workers)
    assert trace.events == [((0, 0), ("late", 1)), ((0, 0), "other")]
    assert report.deadline_misses == {"Main.body": 1}


@pytest.mark.own_clock(reason="it looks at a virtual clock of its own")
def test_the_clock_is_looked_at_just_before_the_body(workers):
    """Bodies of one reactor follow each other: the first makes the second late, not itself."""
    trace, clock = Trace(), rr.testing.VirtualClock()

    class Main(rr.Reactor):
        @rr.reaction(rr.startup, deadline=5 * MS)
        def first(self):
            trace(self, "first")
            clock.advance(9 * MS)

        @rr.reaction(rr.startup, deadline=5 * MS)
        def second(self):
            trace(self, "second")

    report = timed_run(Main(), clock, workers)
    assert trace.events == [((0, 0), "first")]
    assert report.deadline_misses == {"Main.second": 1}


def test_the_most_urgent_reaction_of_a_level_comes_first():
    """By its own deadline, or the least of what follows it at the same tag."""
    order = []

    class Member(rr.Reactor):
        out = rr.Output()

        def __init__(self, name):
            self.name = name

        def body(self):
            order.append(self.name)
            self.out.set(self.name)

    def member(name, deadline=None):
        class Own(Member):
            @rr.reaction(rr.startup, effects=Member.out, deadline=deadline)
            def go(self):
                self.body()

        return Own(name)

    class Urgent(rr.Reactor):
        inp = rr.Input()

        @rr.reaction(inp, deadline=rr.sec(1000))
        def hurry(self):
            order.append("hurry")

    def build(self):
        self.none = member("none")
        self.later = member("hours", rr.sec(7200))
        self.hour = member("hour", rr.sec(3600))
        self.before = member("before the urgent one")
        self.delayed = member("a delay before an urgent one")
        self.urgent, self.other = Urgent(), Urgent()
        self.connect(self.before.out, self.urgent.inp)
        self.connect(self.delayed.out, self.other.inp, after=0)

    run(Wire(build), 1)
    assert order[:3] == ["before the urgent one", "hour", "hours"]
    assert sorted(order[3:5]) == ["a delay before an urgent one", "none"]
    assert order[5:] == ["hurry", "hurry"]


@pytest.mark.parametrize(
    ("deadline", "error"), [(-1, ValueError), (1.5, TypeError), ("5", TypeError), (True, TypeError)]
)
def test_a_bad_deadline_is_refused_at_once(deadline, error):
    """It is a time."""
    with pytest.raises(error):
        rr.reaction(rr.startup, deadline=deadline)
    with pytest.raises(error):
        rr.Reactor().add_reaction(print, [rr.startup], deadline=deadline)


def test_a_handler_needs_a_deadline():
    """Without one it could never run."""

    def build():
        class Main(rr.Reactor):
            @rr.reaction(rr.startup)
            def body(self):
                pass

            @body.on_deadline_miss
            def late(self):
                pass

        rr.Program(Main(), workers=1)

    with pytest.raises(rr.AssemblyError, match=r"Main\.body has no deadline to miss"):
        build()


@pytest.mark.own_clock(reason="only the real clock can be behind logical time")
def test_a_fast_program_s_deadlines_are_about_physical_time(workers):
    """Physical time since the start: far ahead of it nothing is late; at the start, all is."""
    trace = Trace()

    class Main(rr.Reactor):
        far = rr.Timer(rr.sec(1000))

        @rr.reaction(rr.startup, deadline=1)
        def early(self):
            trace(self, "early")

        @rr.reaction(far, deadline=1)
        def late(self):
            trace(self, "late")

    report = rr.run(Main(), workers=workers, fast=True)
    assert trace.rows == [((rr.sec(1000), 0), "Main", "late")]
    assert report.deadline_misses == {"Main.early": 1}


@pytest.mark.own_clock(reason="it looks at a virtual clock of its own")
def test_a_missed_deadline_shows_in_the_trace_hash(workers):
    """The handler sets what the body sets, at the same tag; the hash tells which of them ran."""
    hashes = []
    for took in (5 * MS, 6 * MS):
        clock = rr.testing.VirtualClock()
        main = slow_and_guarded(Trace(), clock, took)
        hashes.append(timed_run(main, clock, workers, timeout=0).trace_hash)
    assert hashes[0] != hashes[1]
