"""Tags, microsteps, timers, the clock and the end of time."""

import json
import threading
from datetime import timedelta

import pytest
from programs import BOUND, Collect, Emit, Fails, Trace, Wire, in_thread, joined, prepared, run

import reactorrl as rr

# -- times and tags


def test_units_are_ints_of_nanoseconds():
    """nsec, usec, msec and sec return ints of nanoseconds."""
    assert [rr.nsec(3), rr.usec(3), rr.msec(3), rr.sec(3)] == [3, 3_000, 3_000_000, 3_000_000_000]
    assert {type(unit(3)) for unit in (rr.nsec, rr.usec, rr.msec, rr.sec)} == {int}
    assert rr.FOREVER == 2**63 - 1
    assert rr.NEVER == -(2**63)


def test_tags_are_ordered_by_time_then_microstep():
    """The order of tags is lexicographic, and equality needs both parts."""
    tags = [rr.Tag(1, 0), rr.Tag(0, 7), rr.Tag(0, 0), rr.Tag(1, 1)]
    assert sorted(tags) == [rr.Tag(0, 0), rr.Tag(0, 7), rr.Tag(1, 0), rr.Tag(1, 1)]
    assert rr.Tag(1, 0) != rr.Tag(1, 1)
    assert (rr.Tag(4, 2).time, rr.Tag(4, 2).microstep) == (4, 2)


@pytest.mark.parametrize("bad", [1.5, None, True, b"3"])
def test_a_time_is_an_int_or_a_timedelta(bad):
    """A wrong type of time is a TypeError at once."""
    with pytest.raises(TypeError):
        rr.Timer(offset=bad)


@pytest.mark.parametrize(
    "declare",
    [
        lambda: rr.Timer(offset=-1),
        lambda: rr.Timer(period=-1),
        lambda: rr.Timer(offset=timedelta(microseconds=-1)),
        lambda: rr.LogicalAction(-1),
        lambda: rr.LogicalAction(min_spacing=-1),
        lambda: rr.PhysicalAction(-1),
    ],
)
def test_a_negative_time_is_a_value_error(declare):
    """Negative delays, offsets, periods and spacings are refused when given."""
    with pytest.raises(ValueError, match="negative"):
        declare()


# -- timers


def timed(trace, *timers):
    class Main(rr.Reactor):
        a = timers[0]
        b = timers[1] if len(timers) > 1 else rr.Timer(10**6)

        @rr.reaction(a, b)
        def tick(self):
            trace(self, (self.a.is_present, self.b.is_present))

    return Main()


A, B, BOTH = (True, False), (False, True), (True, True)


def test_a_timer_fires_at_offset_and_then_every_period(workers):
    """A timer fires at offset + k * period, always at microstep 0, without drift."""
    trace = Trace()
    report = run(timed(trace, rr.Timer(3, 7)), workers, timeout=24)
    assert trace.events == [((3, 0), A), ((10, 0), A), ((17, 0), A), ((24, 0), A)]
    assert report.stop_tag == rr.Tag(24, 0)


@pytest.mark.parametrize("period", [None, 0])
def test_a_timer_without_period_fires_once(workers, period):
    """Period None and period 0 both mean once."""
    trace = Trace()
    run(timed(trace, rr.Timer(5, period), rr.Timer(20)), workers)
    assert trace.events == [((5, 0), A), ((20, 0), B)]


def test_timers_that_meet_run_a_reaction_once(workers):
    """A reaction runs at most once at a tag, however many of its triggers are present."""
    trace = Trace()
    run(timed(trace, rr.Timer(0, 4), rr.Timer(0, 6)), workers, timeout=12)
    assert trace.events == [((0, 0), BOTH), ((4, 0), A), ((6, 0), B), ((8, 0), A), ((12, 0), BOTH)]


def test_a_timer_at_offset_zero_fires_together_with_startup(workers):
    """Startup and timers with offset 0 occur at (0, 0): one run of a reaction with both."""
    trace = Trace()

    class Main(rr.Reactor):
        tick = rr.Timer()

        @rr.reaction(rr.startup, tick)
        def both(self):
            trace(self, self.tick.is_present)

    report = run(Main(), workers)
    assert trace.events == [((0, 0), True)]
    assert (report.reactions, report.stop_tag) == (1, rr.Tag(0, 1))


def test_a_timer_takes_timedeltas_and_names_of_attributes(workers):
    """Offset and period may be times, or the names of instance attributes."""
    trace = Trace()

    class Main(rr.Reactor):
        tick = rr.Timer("first", "every")
        tock = rr.Timer(timedelta(microseconds=1), timedelta(microseconds=2))

        def __init__(self):
            self.first, self.every = 500, timedelta(microseconds=1)

        @rr.reaction(tick, tock)
        def on(self):
            trace(self, (self.tick.is_present, self.tock.is_present))

    run(Main(), workers, timeout=3000)
    assert trace.events == [
        ((500, 0), A), ((1000, 0), B), ((1500, 0), A), ((2500, 0), A), ((3000, 0), B),
    ]  # fmt: skip


def test_a_bad_attribute_of_a_timer_is_an_assembly_error_and_a_value_error():
    """A bad number that only the instance knows is found at assembly, under the timer's path."""

    class Main(rr.Reactor):
        tick = rr.Timer(period="every")
        every = -5

        @rr.reaction(tick)
        def on(self):
            pass

    with pytest.raises(rr.AssemblyError, match=r"Main\.tick") as e:
        rr.Program(Main())
    assert isinstance(e.value, ValueError)


def test_each_member_of_a_bank_has_timers_of_its_own(workers):
    """Elements belong to an instance: parameters differ between the members of a bank."""
    trace = Trace()

    class Ticker(rr.Reactor):
        tick = rr.Timer("offset")

        def __init__(self):
            self.offset = 10 * self.bank_index

        @rr.reaction(tick)
        def on(self):
            trace(self, self.bank_index)

    def build(self):
        self.bank = rr.Bank(3, Ticker)

    run(Wire(build), workers)
    assert trace.rows == [
        ((0, 0), "Wire.bank[0]", 0), ((10, 0), "Wire.bank[1]", 1), ((20, 0), "Wire.bank[2]", 2),
    ]  # fmt: skip


# -- microsteps


def test_zero_delays_count_microsteps_and_leave_time_alone(workers):
    """A delay of 0 is the next microstep; any positive delay starts again at microstep 0."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, act, effects=act)
        def on(self):
            k = self.act.get(0)
            trace(self, k)
            if k < 5:
                self.act.schedule(k + 1, delay=7 if k == 2 else 0)

    report = run(Main(), workers)
    assert trace.events == [
        ((0, 0), 0),
        ((0, 1), 1),
        ((0, 2), 2),
        ((7, 0), 3),
        ((7, 1), 4),
        ((7, 2), 5),
    ]
    assert report.stop_tag == rr.Tag(7, 3)


def test_presence_lasts_one_microstep(workers):
    """What is present at a tag is absent at the next one."""
    trace = Trace()

    class Main(rr.Reactor):
        out = rr.Output()
        a = rr.LogicalAction()
        b = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=(a, out))
        def start(self):
            self.out.set(1)
            self.a.schedule("a")

        @rr.reaction(a, effects=b)
        def on_a(self):
            self.b.schedule("b")

        @rr.reaction(rr.startup, a, b, uses=out)
        def look(self):
            trace(self, (self.out.get(), self.a.get(), self.b.get()))

    run(Main(), workers)
    assert trace.events == [
        ((0, 0), (1, None, None)), ((0, 1), (None, "a", None)), ((0, 2), (None, None, "b")),
    ]  # fmt: skip


# -- physical time


class Clocked(rr.Reactor):
    """Records what the clocks say at every tick."""

    tick = rr.Timer(0, rr.msec(2))

    def __init__(self):
        self.seen = []

    @rr.reaction(tick)
    def on_tick(self):
        before, at = self.tag, self.physical_elapsed()
        spin_until = at + rr.usec(200)
        while self.physical_elapsed() < spin_until:
            pass
        self.seen.append((before, at, self.physical_elapsed(), self.tag, self.lag()))


@pytest.mark.own_clock(reason="its bodies wait for the real clock")
def test_a_tag_is_not_processed_before_its_time(workers):
    """Without `fast`, physical time at a tag is never less than the tag's time."""
    main = Clocked()
    rr.run(main, workers=workers, timeout=rr.msec(10))
    assert [tuple(row[0]) for row in main.seen] == [(rr.msec(2 * k), 0) for k in range(6)]
    assert all(at >= tag.time for tag, at, *_ in main.seen)


@pytest.mark.own_clock(reason="only the real clock moves by itself")
def test_logical_time_stands_still_while_physical_time_moves(workers):
    """During a body the tag is fixed; physical_elapsed grows; lag is their difference."""
    main = Clocked()
    rr.run(main, workers=workers, fast=True, timeout=rr.msec(4))
    for before, at, later, tag, lag in main.seen:
        assert tag == before
        assert later >= at + rr.usec(200)
        assert lag >= later - tag.time


def test_microsteps_do_not_wait(workers):
    """Microsteps of one time follow each other without a wait for the clock; order is kept."""
    trace, done = Trace(), threading.Event()

    class Main(rr.Reactor):
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, act, effects=act)
        def on(self):
            k = self.act.get(0)
            trace(self, k)
            if k < 100:
                self.act.schedule(k + 1)
            else:
                done.set()

    report = prepared(Main(), workers).run()
    assert done.wait(BOUND)
    assert trace.events == [((0, k), k) for k in range(101)]
    assert report.stop_tag == rr.Tag(0, 101)


def test_a_fast_program_never_waits(workers):
    """With `fast`, ten years of logical time pass in as long as its three bodies take."""
    trace, year = Trace(), 365 * 24 * 3600 * rr.sec(1)
    report = run(timed(trace, rr.Timer(0, 5 * year)), workers, timeout=10 * year)
    assert [tag for tag, _ in trace.events] == [(0, 0), (10**6, 0), (5 * year, 0), (10 * year, 0)]
    assert report.stop_tag == rr.Tag(10 * year, 0)


def test_only_startup_and_timers_without_offset_happen_at_the_first_tag(workers):
    """At (0, 0) there are startup and timers with offset 0; all that bodies schedule is later."""
    trace = Trace()

    class Main(rr.Reactor):
        out = rr.Output()
        now, later = rr.Timer(), rr.Timer(1)
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=(act, out))
        def start(self):
            self.act.schedule()
            self.out.set(1)

        @rr.reaction(rr.startup, now, later, act, rr.shutdown)
        def look(self):
            trace(self, (self.now.is_present, self.later.is_present, self.act.is_present))

    def build(self):
        self.main, self.sink = Main(), Collect(trace)
        self.connect(self.main.out, self.sink.inp, after=0)

    run(Wire(build), workers)
    assert trace.at("Wire.main") == [
        ((0, 0), (True, False, False)), ((0, 1), (False, False, True)),
        ((1, 0), (False, True, False)), ((1, 1), (False, False, False)),
    ]  # fmt: skip
    assert trace.at("Wire.sink") == [((0, 1), 1)]


# -- the end of time


def test_sums_past_the_end_of_time_overflow(workers):
    """FOREVER is no time that can happen: OverflowError, before the stop tag is looked at."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()
        slow = rr.LogicalAction(rr.FOREVER - 10)

        @rr.reaction(rr.startup, effects=(act, slow))
        def start(self):
            for action, delay in [(self.act, rr.FOREVER), (self.slow, 10), (self.slow, rr.FOREVER)]:
                with pytest.raises(OverflowError):
                    action.schedule(delay=delay)
            trace(self, self.slow.schedule(delay=9).tag)

    report = run(Main(), workers, timeout=5)
    assert trace.events == [((0, 0), None)]
    assert report.stop_tag == rr.Tag(5, 0)


def test_the_last_instant_can_be_reached_and_nothing_after_it(workers):
    """FOREVER - 1 is a time; from there only microsteps are left."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=act)
        def start(self):
            self.act.schedule(delay=rr.FOREVER - 1)

        @rr.reaction(act, effects=act)
        def late(self):
            if self.tag.microstep == 0:
                self.act.schedule()
            with pytest.raises(OverflowError):
                self.act.schedule(delay=1)
            trace(self, "late")

    report = run(Main(), workers)
    end = rr.FOREVER - 1
    assert trace.events == [((end, 0), "late"), ((end, 1), "late")]
    assert report.stop_tag == rr.Tag(end, 2)


class Ends(Collect):
    """Goes on for ever by itself; records the end."""

    tick = rr.Timer(0, 1)

    @rr.reaction(tick)
    def on(self):
        pass

    @rr.reaction(rr.shutdown)
    def end(self):
        self.trace(self, "shutdown")


@pytest.mark.parametrize("wrap", [lambda reactor: reactor, rr.enclave], ids=["plain", "enclave"])
def test_a_connection_past_the_end_of_time_ends_the_program(workers, wrap):
    """OverflowError out of run(): it names the connection and the tag; shutdown has run."""
    trace = Trace()

    def build(self):
        self.a, self.b = Emit(1, 2), wrap(Ends(trace))
        self.connect(self.a.out, self.b.inp, after=rr.FOREVER - 10)

    with pytest.raises(OverflowError) as e:
        run(Wire(build), workers)
    assert str(e.value).startswith("Wire.a.out -> Wire.b.inp (test_time.py:")
    assert "sent at Tag(time=10, microstep=0) would happen past the end of time" in str(e.value)
    assert "give a smaller after=, or end the program before" in str(e.value)
    stops = [each.stop_tag for each in e.value.report.enclaves]
    assert stops[0] == rr.Tag(10, 1)
    assert trace.events == [(tuple(stops[-1]), "shutdown")]
    assert e.value.report.dropped == 2


def test_after_an_overflow_only_shutdown_reactions_run(workers):
    """At the next microstep, whatever else was due there; what they set triggers nothing."""
    trace = Trace()

    class Busy(rr.Reactor):
        out, again = rr.Output(), rr.LogicalAction()

        @rr.reaction(rr.startup, again, effects=(out, again))
        def go(self):
            trace(self, "go")
            self.again.schedule(delay=10 - self.tag.time)
            self.out.set(1)

        @rr.reaction(rr.shutdown, effects=out)
        def end(self):
            trace(self, "end")
            self.out.set(2)

    def build(self):
        self.busy, self.sink, self.far = Busy(), Collect(trace), Collect(trace)
        self.connect(self.busy.out, self.sink.inp)
        self.connect(self.busy.out, self.far.inp, after=rr.FOREVER - 10)

    with pytest.raises(OverflowError):
        run(Wire(build), workers)
    assert trace.at("Wire.busy") == [((0, 0), "go"), ((10, 0), "go"), ((10, 1), "end")]
    assert trace.at("Wire.sink") == [((0, 0), 1), ((10, 0), 1)]
    assert trace.at("Wire.far") == []


def test_an_overflow_at_the_tag_of_an_error_is_a_note(workers):
    """The body that raised comes first, and every overflow is told."""

    def build(self):
        self.a, self.b, self.c = Emit(1, offset=10), rr.Bank(2, Collect, Trace()), Fails()
        self.connect(self.a.out, self.b.inp, after=rr.FOREVER - 10, broadcast=True)
        self.connect(self.a.out, self.c.inp)

    with pytest.raises(rr.ReactionError) as e:
        run(Wire(build), workers)
    assert e.value.reaction == "Wire.c.fail"
    assert [note.split(" (")[0] for note in e.value.__notes__] == ["Wire.a.out -> Wire.b[0].inp"]
    assert e.value.report.stop_tag == rr.Tag(10, 0)


def test_a_timer_stops_before_the_end_of_time(workers):
    """A timer whose next time would lie past the end of time is present no more."""
    trace, end = Trace(), rr.FOREVER - 1

    class Main(rr.Reactor):
        last = rr.Timer(end - 5, 3)

        @rr.reaction(last)
        def on(self):
            trace(self, "on")

    assert run(Main(), workers).stop_tag == rr.Tag(end - 2, 1)
    assert trace.events == [((end - 5, 0), "on"), ((end - 2, 0), "on")]


class Last(rr.Reactor):
    """Calls `body` when something comes from outside."""

    act, again, out = rr.PhysicalAction(), rr.LogicalAction(), rr.Output()

    def __init__(self, trace, body):
        self.trace, self.body = trace, body

    @rr.reaction(act, effects=(again, out))
    def on(self):
        self.body(self)

    @rr.reaction(rr.shutdown)
    def end(self):
        self.trace(self, "end")


def at_the_last_microstep(path, make, workers):
    """Runs what `make` makes; its `a.act` comes at (5, 2**32 - 1), as a recording may say."""
    rr.run(make(), workers=1, fast=True, record=path)
    header = path.read_text().splitlines()[0]
    event = {"event": "action", "path": "Wire.a.act", "tag": (5, 2**32 - 1), "value": None}
    path.write_text("\n".join([header, json.dumps(event), json.dumps({"event": "end"}), ""]))
    return rr.run(make(), workers=workers, replay=path)


def wired(trace, body, after=0):
    def build(self):
        self.a, self.b = Last(trace, body), Collect(Trace())
        self.connect(self.a.out, self.b.inp, after=after)

    return Wire(build)


@pytest.mark.own_clock(reason="a replay does not wait for a clock")
def test_scheduling_at_the_last_microstep_overflows(workers, tmp_path):
    """There is no next microstep of this time; a stop comes at the next nanosecond."""
    trace = Trace()

    def body(reactor):
        with pytest.raises(OverflowError, match=r"Wire\.a\.again: .*in reaction Wire\.a\.on at"):
            reactor.again.schedule()
        assert reactor.again.schedule(delay=1).tag == (6, 0)
        reactor.request_stop()

    report = at_the_last_microstep(tmp_path / "run", lambda: wired(trace, body), workers)
    assert trace.events[1:] == [((6, 0), "end")]
    assert report.stop_tag == rr.Tag(6, 0)


@pytest.mark.own_clock(reason="a replay does not wait for a clock")
def test_a_connection_at_the_last_microstep_overflows(workers, tmp_path):
    """after=0 needs a next microstep: OverflowError out of run()."""
    trace = Trace()
    with pytest.raises(OverflowError) as e:
        at_the_last_microstep(
            tmp_path / "run", lambda: wired(trace, lambda reactor: reactor.out.set(1)), workers
        )
    assert "needs one microstep more than there are; give after= a time" in str(e.value)
    assert "sent at Tag(time=5, microstep=4294967295)" in str(e.value)
    assert trace.events[1:] == [((6, 0), "end")]
    assert (e.value.report.stop_tag, e.value.report.dropped) == (rr.Tag(6, 0), 1)


class Pushes(rr.Reactor):
    act = rr.PhysicalAction(min_spacing=rr.FOREVER - 1)

    @rr.reaction(rr.startup, effects=act)
    def start(self):
        for i in range(3):
            self.act.schedule(i)

    @rr.reaction(act)
    def on(self):
        pass


def test_a_spacing_of_physical_events_past_the_end_of_time_ends_the_program(workers):
    """The caller has gone on: OverflowError out of run() names the action."""
    with pytest.raises(OverflowError, match=r"^Pushes\.act: what came at .* past the end of time"):
        run(Pushes(), workers)


@pytest.mark.own_clock(reason="only a clock under test comes near the end of time")
def test_a_physical_connection_past_the_end_of_time_ends_the_program(workers):
    """Its tag is the clock's time and the delay; the sum is past the end of time."""
    clock = rr.testing.VirtualClock()

    class Send(rr.Reactor):
        out, later = rr.Output(), rr.LogicalAction()

        @rr.reaction(rr.startup, effects=(out, later))
        def start(self):
            clock.advance(rr.FOREVER - 10)
            self.later.schedule(delay=1)

        @rr.reaction(later, effects=out)
        def send(self):
            self.out.set(1)

    def build(self):
        self.a, self.b = Send(), Collect(Trace())
        self.connect(self.a.out, self.b.inp, physical=True, after=20)

    with pytest.raises(OverflowError, match=r"sent at Tag\(time=1, microstep=0\)"):
        rr.run(Wire(build), workers=workers, clock=clock)


class Returns(rr.Reactor):
    """Leaves `on` at 10 and is back at 40: what was pending there is due 30 later."""

    tick = rr.Timer(10, 30)
    on, off = rr.Mode(initial=True), rr.Mode()
    with on:
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=act)
        def start(self):
            if not self.is_sent:
                self.act.schedule(delay=rr.FOREVER - 20)

        @rr.reaction(act)
        def late(self):
            self.trace(self, "late")

    def __init__(self, trace, is_sent):
        self.trace, self.is_sent = trace, is_sent
        if is_sent:
            with self.on:
                self.a, self.b = Emit(1), Collect(trace)
                self.connect(self.a.out, self.b.inp, after=rr.FOREVER - 20)

    @rr.reaction(tick, effects=(off, rr.history(on)))
    def switch(self):
        self.trace(self, "switch")
        (self.off if self.on.is_active else self.on).set()

    @rr.reaction(rr.shutdown)
    def end(self):
        self.trace(self, "end")


@pytest.mark.parametrize(
    ("is_sent", "what"),
    [(False, r"Returns\.act"), (True, r"Returns\.a\.out -> Returns\.b\.inp")],
    ids=["action", "connection"],
)
def test_a_mode_s_pause_past_the_end_of_time_ends_the_program(workers, is_sent, what):
    """Known when the mode is active again, where its events find no time left."""
    trace = Trace()
    with pytest.raises(OverflowError, match=rf"^{what}.* at Tag\(time=40, .* past the end of time"):
        run(Returns(trace, is_sent), workers)
    assert trace.events == [((10, 0), "switch"), ((40, 0), "switch"), ((40, 1), "end")]


class Paused(rr.Reactor):
    """Leaves `on` near the end of time, where something comes from outside at once."""

    tick = rr.Timer(rr.FOREVER - 20)
    on, off = rr.Mode(initial=True), rr.Mode()
    with on:
        act = rr.PhysicalAction()

        @rr.reaction(act)
        def never(self):
            self.trace(self, "never")

    def __init__(self, trace):
        self.trace = trace

    @rr.reaction(tick, effects=off)
    def switch(self):
        self.off.set()
        joined(in_thread(lambda: self.act.schedule(delay=30)))

    @rr.reaction(rr.shutdown)
    def end(self):
        self.trace(self, "end")


@pytest.mark.own_clock(reason="only the real clock can be behind logical time")
def test_what_comes_for_a_paused_mode_past_the_end_of_time_ends_the_program(workers):
    """Its delay counts from where the mode was left, not from the clock."""
    trace = Trace()
    with pytest.raises(OverflowError, match=r"^Paused\.act: what came at .* past the end of time"):
        rr.run(Paused(trace), workers=workers, fast=True)
    assert trace.events == [((rr.FOREVER - 20, 1), "end")]
