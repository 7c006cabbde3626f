"""Startup, shutdown, and the exact tag at which a program ends."""

import pytest
from programs import Collect, Emit, Pass, Trace, Wire, chain, prepared, run

import reactorrl as rr


class Ends(rr.Reactor):
    """Records startup and shutdown, and every event of a timer."""

    tick = rr.Timer("offset", "period")

    def __init__(self, trace, offset=0, period=None):
        self.trace, self.offset, self.period = trace, offset, period

    @rr.reaction(rr.startup)
    def start(self):
        self.trace(self, "startup")

    @rr.reaction(tick)
    def on_tick(self):
        self.trace(self, "tick")

    @rr.reaction(rr.shutdown)
    def end(self):
        self.trace(self, "shutdown")


def test_an_empty_program_ends_one_microstep_after_its_start(workers):
    """Without events a program starves at once: the tags (0, 0) and (0, 1) happen."""
    report = run(rr.Reactor(), workers)
    assert (report.stop_tag, report.tags, report.reactions, report.events) == (
        rr.Tag(0, 1),
        2,
        0,
        0,
    )


def test_starvation_is_one_microstep_after_the_last_event(workers):
    """When no event is left, shutdown happens at (t, m + 1)."""
    trace = Trace()
    report = run(Ends(trace, offset=5), workers)
    assert trace.events == [((0, 0), "startup"), ((5, 0), "tick"), ((5, 1), "shutdown")]
    assert report.stop_tag == rr.Tag(5, 1)


def test_starvation_does_not_wait_for_a_timeout(workers):
    """The same holds with a timeout still ahead."""
    assert run(Ends(Trace(), offset=5), workers, timeout=1000).stop_tag == rr.Tag(5, 1)


def test_a_timeout_is_an_exact_tag_whose_events_still_run(workers):
    """`timeout=T` stops at (T, 0); what is due there runs, and shutdown in its place."""
    trace = Trace()
    report = run(Ends(trace, 0, 10), workers, timeout=20)
    assert trace.events == [
        ((0, 0), "startup"),
        ((0, 0), "tick"),
        ((10, 0), "tick"),
        ((20, 0), "tick"),
        ((20, 0), "shutdown"),
    ]
    assert (report.stop_tag, report.tags) == (rr.Tag(20, 0), 3)


def test_a_timeout_between_two_ticks_is_a_tag_of_its_own(workers):
    """A timer with events to come does not starve: the program ends at (T, 0)."""
    trace = Trace()
    report = run(Ends(trace, 0, 10), workers, timeout=25)
    assert trace.events[-2:] == [((20, 0), "tick"), ((25, 0), "shutdown")]
    assert (report.stop_tag, report.tags) == (rr.Tag(25, 0), 4)


@pytest.mark.parametrize("after", [None, 40])
def test_who_has_an_event_past_the_timeout_does_not_starve(workers, after):
    """If the timeout cuts off an action's or a delay's event, the program ends at (T, 0)."""

    def build(self):
        self.src, self.dst = Emit(1, 2, period=1000 if after is None else 0), Collect(Trace())
        self.connect(self.src.out, self.dst.inp, after=after)

    assert run(Wire(build), workers, timeout=30).stop_tag == rr.Tag(30, 0)


def test_timeout_zero_is_startup_and_shutdown_at_one_tag(workers):
    """With timeout 0, startup, timers at 0 and shutdown are all at (0, 0)."""
    trace = Trace()
    report = run(Ends(trace, 0, 10), workers, timeout=0)
    assert trace.events == [((0, 0), "startup"), ((0, 0), "tick"), ((0, 0), "shutdown")]
    assert (report.stop_tag, report.tags, report.reactions) == (rr.Tag(0, 0), 1, 3)


def test_microsteps_at_the_time_of_the_timeout_are_past_it(workers):
    """The stop tag is (T, 0): an event at (T, 1) is dropped."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()
        tick = rr.Timer(10)

        @rr.reaction(tick, effects=act)
        def on(self):
            trace(self, self.act.schedule().tag)

        @rr.reaction(act)
        def never(self):
            trace(self, "never")

    run(Main(), workers, timeout=10)
    assert trace.events == [((10, 0), None)]


@pytest.mark.parametrize("fast", [True, False])
def test_keepalive_lasts_until_the_timeout(workers, fast):
    """With keepalive an idle program ends at (timeout, 0)."""
    trace = Trace()
    report = prepared(Ends(trace), workers, keepalive=True, timeout=rr.msec(3), fast=fast).run()
    assert trace.events[-1] == ((rr.msec(3), 0), "shutdown")
    assert (report.stop_tag, report.tags) == (rr.Tag(rr.msec(3), 0), 2)


# -- request_stop


def stopping(trace, *stop_at, plan=()):
    """Stops at each of the times; `plan` are delays of events scheduled just before."""

    class Main(rr.Reactor):
        tick = rr.Timer(0, 10)
        act = rr.LogicalAction()

        @rr.reaction(tick, effects=act)
        def on_tick(self):
            trace(self, "tick")
            if self.tag.time in stop_at:
                for delay in plan:
                    self.act.schedule(delay, delay=delay)
                self.request_stop()
                trace(self, "after request")

        @rr.reaction(tick)
        def later(self):
            trace(self, "later")

        @rr.reaction(act)
        def on_act(self):
            trace(self, self.act.value)

        @rr.reaction(rr.shutdown)
        def end(self):
            trace(self, "shutdown")
            self.request_stop()

    return Main()


def test_request_stop_ends_the_program_at_the_next_microstep(workers):
    """The tag completes; then shutdown at (t, m + 1). A request in shutdown is ignored."""
    trace = Trace()
    report = run(stopping(trace, 10), workers)
    assert trace.events == [
        ((0, 0), "tick"),
        ((0, 0), "later"),
        ((10, 0), "tick"),
        ((10, 0), "after request"),
        ((10, 0), "later"),
        ((10, 1), "shutdown"),
    ]
    assert (report.stop_tag, report.tags) == (rr.Tag(10, 1), 3)


def test_events_of_the_stop_tag_run_and_later_ones_do_not(workers):
    """An event already due at the next microstep runs beside shutdown; others are discarded."""
    trace = Trace()
    report = run(stopping(trace, 0, plan=(0, 0, 5)), workers)
    assert trace.events[-2:] == [((0, 1), 0), ((0, 1), "shutdown")]
    assert report.stop_tag == rr.Tag(0, 1)


def test_the_earliest_stop_wins(workers):
    """A request only ever lowers the stop tag: against a timeout before or after it."""
    assert run(stopping(Trace(), 10), workers, timeout=30).stop_tag == rr.Tag(10, 1)
    trace = Trace()
    assert run(stopping(trace, 20), workers, timeout=20).stop_tag == rr.Tag(20, 0)
    assert [event for tag, event in trace.events if tag == (20, 0)] == [
        "tick",
        "after request",
        "later",
        "shutdown",
    ]


def test_several_requests_are_one(workers):
    """Requests by several reactors at one tag, and by one at two, end the program once."""
    traces = [Trace(), Trace()]

    def build(self):
        self.a, self.b = stopping(traces[0], 0), stopping(traces[1], 0, 10)

    report = run(Wire(build), workers)
    for trace in traces:
        assert [event for _, event in trace.events].count("shutdown") == 1
        assert trace.events[-1] == ((0, 1), "shutdown")
    assert report.stop_tag == rr.Tag(0, 1)


# -- shutdown is a trigger like others


def test_shutdown_reactions_take_part_in_the_graph(workers):
    """At a regular stop, what shutdown reactions set triggers downstream at that very tag."""
    trace = Trace()

    class Last(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.shutdown, effects=out)
        def end(self):
            self.out.set("last words")

    report = run(chain(Last(), Pass(), Collect(trace)), workers)
    assert trace.events == [((0, 1), "last words")]
    assert report.reactions == 3


def test_shutdown_runs_after_what_precedes_it(workers):
    """A shutdown reaction sees what the tag's other reactions did before it in the graph."""
    trace = Trace()

    class End(rr.Reactor):
        inp = rr.Input()

        @rr.reaction(rr.shutdown, uses=inp)
        def end(self):
            trace(self, self.inp.get())

    run(chain(Emit(1, 2, 3), Pass(10), End()), workers, timeout=20)
    assert trace.events == [((20, 0), 30)]


def test_one_reaction_may_have_all_triggers(workers):
    """startup, shutdown and others in one list: one run at each tag where one is present."""
    trace = Trace()

    class Main(rr.Reactor):
        tick = rr.Timer(0, 10)

        @rr.reaction(rr.startup, tick, rr.shutdown)
        def on(self):
            trace(self, self.tick.is_present)

    report = run(Main(), workers, timeout=15)
    assert trace.events == [((0, 0), True), ((10, 0), True), ((15, 0), False)]
    assert report.reactions == 3


def test_every_reactor_starts_and_ends(workers):
    """Startup and shutdown reach every reactor of the tree once."""
    trace = Trace()

    def build(self):
        self.bank = rr.Bank(3, Ends, trace, offset=7)
        self.box = Wire(lambda box: setattr(box, "inner", Ends(trace, offset=7)))

    run(Wire(build), workers)
    for path in ("Wire.bank[0]", "Wire.bank[1]", "Wire.bank[2]", "Wire.box.inner"):
        assert trace.at(path) == [((0, 0), "startup"), ((7, 0), "tick"), ((7, 1), "shutdown")]


# -- base classes


def named(trace, name):
    def body(self):
        trace(self, name)

    body.__name__ = name
    return rr.reaction(rr.startup)(body)


def test_a_base_classs_reactions_come_first(workers):
    """Bases first, in listed order, a diamond's base once: D, B, C, A."""
    trace = Trace()

    class D(rr.Reactor):
        d = named(trace, "d")

    class B(D):
        b = named(trace, "b")

    class C(D):
        c = named(trace, "c")

    class A(B, C):
        a = named(trace, "a")

    run(A(), workers)
    assert trace.events == [((0, 0), name) for name in "dbca"]


def test_an_override_replaces_the_body_and_keeps_the_place(workers):
    """An override keeps triggers and place; super() reaches the base's body."""
    trace = Trace()

    class Base(rr.Reactor):
        tick = rr.Timer(5)

        @rr.reaction(tick)
        def first(self):
            trace(self, "base first")

        @rr.reaction(tick)
        def second(self):
            trace(self, "second")

    class Derived(Base):
        @rr.reaction(Base.tick)
        def third(self):
            trace(self, "third")

        def first(self):
            super().first()
            trace(self, "derived first")

    report = run(Derived(), workers)
    assert trace.events == [
        ((5, 0), event) for event in ("base first", "derived first", "second", "third")
    ]
    assert report.reactions == 3


def test_a_derived_class_has_its_bases_elements(workers):
    """Ports, actions and timers are inherited, with instances of their own."""
    trace = Trace()

    class Double(Pass):
        def forward(self):
            self.out.set(self.inp.value * 2)

    run(chain(Emit(1), Double(), Double(), Pass(100), Collect(trace)), workers)
    assert trace.events == [((0, 0), 400)]
