"""Connections with `after`."""

from datetime import timedelta

import pytest
from programs import ABSENT, Collect, Emit, Pass, Trace, Wide, Wire, run

import reactorrl as rr


def through(after, *values, period=10, **options):
    """What a Collect sees of an Emit behind `after`, and the report."""
    trace = Trace()

    def build(self):
        self.a, self.b = Emit(*values, period=period), Collect(trace)
        self.connect(self.a.out, self.b.inp, after=after)

    return trace, run(Wire(build), **options)


def test_without_after_a_value_arrives_at_the_same_tag(workers):
    """A plain connection has no delay."""
    trace, report = through(None, 1, 2, workers=workers)
    assert trace.events == [((0, 0), 1), ((10, 0), 2)]
    assert report.stop_tag == rr.Tag(10, 1)


def test_after_zero_is_one_microstep_later(workers):
    """`after=0` delays by one microstep."""
    trace, report = through(0, 1, 2, workers=workers)
    assert trace.events == [((0, 1), 1), ((10, 1), 2)]
    assert report.stop_tag == rr.Tag(10, 2)


@pytest.mark.parametrize("after", [7, timedelta(microseconds=1)])
def test_a_positive_after_adds_to_the_time(workers, after):
    """`after=d` delivers at time + d, microstep 0; a timedelta will do."""
    d = 7 if after == 7 else 1000
    trace, _ = through(after, 1, 2, workers=workers)
    assert trace.events == [((d, 0), 1), ((10 + d, 0), 2)]


def test_after_resets_the_microstep(workers):
    """A value sent at (t, 1) arrives at (t + d, 0)."""
    trace, _ = through(5, ABSENT, 1, period=0, workers=workers)
    assert trace.events == [((5, 0), 1)]


def test_values_in_flight_overlap(workers):
    """All values that are in flight at once arrive, in order."""
    trace, _ = through(35, *range(6), workers=workers)
    assert trace.events == [((35 + 10 * k, 0), k) for k in range(6)]


def test_values_of_one_time_pile_up_behind_a_positive_after(workers):
    """Values of (t, 0), (t, 1), (t, 2) arrive at (t + d, 0), (t + d, 1), (t + d, 2)."""
    trace, report = through(5, "a", "b", "c", period=0, workers=workers)
    assert trace.events == [((5, 0), "a"), ((5, 1), "b"), ((5, 2), "c")]
    assert report.stop_tag == rr.Tag(5, 3)


def test_values_pile_up_for_each_channel_by_itself(workers):
    """Only values of one channel keep each other apart."""
    trace = Trace()

    def build(self):
        self.a, self.b = Emit("a0", "a1", period=0), Emit(ABSENT, "b1", period=0)
        self.sink = Wide(trace, 2)
        self.connect([self.a.out, self.b.out], self.sink.inp, after=5)

    run(Wire(build), workers)
    assert trace.events == [((5, 0), {0: "a0", 1: "b1"}), ((5, 1), {0: "a1"})]


@pytest.mark.parametrize("value", [None, 0, False, ""])
def test_after_carries_every_value(workers, value):
    """None, 0, False and "" are values like all others."""
    trace, _ = through(3, value, workers=workers)
    assert trace.events == [((3, 0), value)]


def test_the_last_write_of_a_tag_goes_through_after(workers):
    """A port has one value at a tag, and that one is delayed."""
    trace = Trace()

    class Twice(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def one(self):
            self.out.set(1)
            self.out.set(2)

        @rr.reaction(rr.startup, effects=out)
        def two(self):
            self.out.set(3)

    def build(self):
        self.a, self.b = Twice(), Collect(trace)
        self.connect(self.a.out, self.b.inp, after=5)

    run(Wire(build), workers)
    assert trace.events == [((5, 0), 3)]


def test_delays_in_a_row_add_up(workers):
    """A value passes two delays and a reaction between them."""
    trace = Trace()

    def build(self):
        self.a, self.b, self.c = Emit(1, 2), Pass(10), Collect(trace)
        self.connect(self.a.out, self.b.inp, after=3)
        self.connect(self.b.out, self.c.inp, after=4)

    run(Wire(build), workers)
    assert trace.events == [((7, 0), 10), ((17, 0), 20)]


def test_after_with_broadcast_delays_every_copy(workers):
    """One source behind `after` and `broadcast` reaches all members at the later tag."""
    trace = Trace()

    def build(self):
        self.a, self.bank = Emit("x"), rr.Bank(3, Collect, trace)
        self.connect(self.a.out, self.bank.inp, after=0, broadcast=True)

    run(Wire(build), workers)
    assert trace.rows == [((0, 1), f"Wire.bank[{i}]", "x") for i in range(3)]


def test_one_source_feeds_delayed_and_direct_destinations(workers):
    """Every connection of a port has its own delay."""
    trace = Trace()

    def build(self):
        self.a, self.b, self.c, self.d = Emit("x"), Collect(trace), Collect(trace), Collect(trace)
        self.connect(self.a.out, self.b.inp)
        self.connect(self.a.out, self.c.inp, after=0)
        self.connect(self.a.out, self.d.inp, after=4)

    run(Wire(build), workers)
    assert trace.rows == [((0, 0), "Wire.b", "x"), ((0, 1), "Wire.c", "x"), ((4, 0), "Wire.d", "x")]


def test_a_delayed_value_at_the_stop_tag_arrives_and_a_later_one_does_not(workers):
    """An event exactly at the stop tag is handled; later ones are dropped."""
    trace, report = through(10, 1, 2, 3, timeout=20, workers=workers)
    assert trace.events == [((10, 0), 1), ((20, 0), 2)]
    assert report.stop_tag == rr.Tag(20, 0)


def test_a_negative_after_is_a_value_error():
    """A negative `after` is refused by connect."""

    def build(self):
        self.a, self.b = Emit(1), Collect(None)
        self.connect(self.a.out, self.b.inp, after=-1)

    with pytest.raises(ValueError, match="negative"):
        Wire(build)
