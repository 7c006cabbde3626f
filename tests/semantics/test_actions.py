"""Logical actions: delays, pile-up, spacing policies, handles."""

from datetime import timedelta

import pytest
from programs import Collect, Trace, Wire, placed, run, scheduling

import reactorrl as rr

# -- delays and values


@pytest.mark.parametrize(
    ("min_delay", "delay", "tag"),
    [
        (0, 0, (0, 1)),
        (0, 5, (5, 0)),
        (3, 0, (3, 0)),
        (3, 5, (8, 0)),
        (timedelta(microseconds=1), 0, (1000, 0)),
    ],
)
def test_an_event_comes_after_min_delay_plus_delay(workers, min_delay, delay, tag):
    """The tag is min_delay + delay later; 0 in all is the next microstep."""
    events, tags, report = placed(rr.LogicalAction(min_delay), delay, workers=workers)
    assert events == [(tag, 0)]
    assert tags == [tag]
    assert report.stop_tag == rr.Tag(tag[0], tag[1] + 1)


def test_a_delay_may_be_a_timedelta(workers):
    """`delay` takes what every time takes."""
    events, _, _ = placed(rr.LogicalAction(), timedelta(microseconds=2), workers=workers)
    assert events == [((2000, 0), 0)]


@pytest.mark.parametrize(("delay", "error"), [(-1, ValueError), (1.0, TypeError), ("1", TypeError)])
def test_a_bad_delay_is_refused_at_once(workers, delay, error):
    """A negative delay is a ValueError, a wrong type a TypeError; nothing is scheduled."""
    trace = Trace()

    def body(self, act):
        with pytest.raises(error):
            act.schedule(delay=delay)

    report = run(scheduling(trace, rr.LogicalAction(), body), workers)
    assert trace.events == []
    assert report.stop_tag == rr.Tag(0, 1)


@pytest.mark.parametrize("value", [None, 0, False, "", [1]])
def test_every_value_is_a_value(workers, value):
    """None, 0 and False are present values; an object arrives as itself."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=act)
        def start(self):
            self.act.schedule(value)

        @rr.reaction(act)
        def on_act(self):
            trace(
                self,
                (self.act.is_present, self.act.value is value, self.act.get("default") is value),
            )

    run(Main(), workers)
    assert trace.events == [((0, 1), (True, True, True))]


def test_a_schedule_without_value_is_present_with_none(workers):
    """`schedule()` carries None, which is present."""
    trace = Trace()
    run(scheduling(trace, rr.LogicalAction(), lambda self, act: act.schedule()), workers)
    assert trace.events == [((0, 1), None)]


def test_an_absent_action_has_no_value(workers):
    """`.value` of an absent action raises AbsentError, `.get` gives the default."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, uses=act)
        def start(self):
            with pytest.raises(rr.AbsentError, match="act"):
                self.act.value  # noqa: B018
            trace(self, (self.act.is_present, self.act.get(), self.act.get("none")))

    run(Main(), workers)
    assert trace.events == [((0, 0), (False, None, "none"))]


def test_actions_that_meet_run_a_reaction_once(workers):
    """Two actions at one tag are one run, which sees both."""
    trace = Trace()

    class Main(rr.Reactor):
        a = rr.LogicalAction()
        b = rr.LogicalAction(5)

        @rr.reaction(rr.startup, effects=(a, b))
        def start(self):
            self.a.schedule("a", delay=5)
            self.b.schedule("b")

        @rr.reaction(a, b)
        def both(self):
            trace(self, (self.a.get(), self.b.get()))

    run(Main(), workers)
    assert trace.events == [((5, 0), ("a", "b"))]


def test_a_used_action_is_read_but_does_not_trigger(workers):
    """`uses` may be read and causes no run."""
    trace = Trace()

    class Main(rr.Reactor):
        a = rr.LogicalAction()
        b = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=(a, b))
        def start(self):
            self.a.schedule("a", delay=1)
            self.a.schedule("a", delay=2)
            self.b.schedule("b", delay=2)

        @rr.reaction(b, uses=a)
        def on_b(self):
            trace(self, (self.a.get(), self.b.get()))

    run(Main(), workers)
    assert trace.events == [((2, 0), ("a", "b"))]


# -- without spacing


def test_events_of_one_time_take_one_microstep_each(workers):
    """Several schedules to one time come one per microstep, in the order of the calls."""
    events, tags, report = placed(rr.LogicalAction(), 5, 5, 5, workers=workers)
    assert events == [((5, 0), 0), ((5, 1), 1), ((5, 2), 2)]
    assert tags == [(5, 0), (5, 1), (5, 2)]
    assert report.stop_tag == rr.Tag(5, 3)


def test_events_of_zero_delay_take_the_next_microsteps(workers):
    """The same holds for the microsteps after now."""
    events, _, _ = placed(rr.LogicalAction(), 0, 0, 0, workers=workers)
    assert events == [((0, 1), 0), ((0, 2), 1), ((0, 3), 2)]


def test_an_event_joins_the_pile_that_is_already_there(workers):
    """An event scheduled later to an occupied time takes its first free microstep."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()
        tick = rr.Timer(4)

        @rr.reaction(rr.startup, tick, effects=act)
        def plan(self):
            at = self.tag.time
            self.act.schedule(f"from {at}", delay=10 - at)
            self.act.schedule(f"again from {at}", delay=10 - at)

        @rr.reaction(act)
        def on_act(self):
            trace(self, self.act.value)

    run(Main(), workers)
    assert trace.events == [
        ((10, 0), "from 0"),
        ((10, 1), "again from 0"),
        ((10, 2), "from 4"),
        ((10, 3), "again from 4"),
    ]


def test_a_pile_is_joined_from_within(workers):
    """While a pile is worked off, a zero-delay event goes behind what is left of it."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=act)
        def plan(self):
            for i in range(3):
                self.act.schedule(i, delay=5)

        @rr.reaction(act, effects=act)
        def on_act(self):
            trace(self, self.act.value)
            if self.act.value == 0:
                self.act.schedule(3)

    run(Main(), workers)
    assert trace.events == [((5, k), k) for k in range(4)]


def test_two_reactions_schedule_in_their_order(workers):
    """Reactions of one reactor run in order, and so do their events."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=act)
        def one(self):
            self.act.schedule("one", delay=5)

        @rr.reaction(rr.startup, effects=act)
        def two(self):
            self.act.schedule("two", delay=5)

        @rr.reaction(act)
        def on_act(self):
            trace(self, self.act.value)

    run(Main(), workers)
    assert trace.events == [((5, 0), "one"), ((5, 1), "two")]


def test_a_long_self_scheduling_chain_keeps_every_event(workers):
    """Ten thousand events in a row: all come, each at its time."""
    seen = []

    class Main(rr.Reactor):
        act = rr.LogicalAction(3)

        @rr.reaction(rr.startup, act, effects=act)
        def on(self):
            k = self.act.get(0)
            seen.append((self.tag.time, k))
            if k < 10_000:
                self.act.schedule(k + 1)

    report = run(Main(), workers)
    assert seen == [(3 * k, k) for k in range(10_001)]
    assert (report.reactions, report.tags, report.stop_tag) == (10_001, 10_002, rr.Tag(30_000, 1))


# -- the stop tag


def test_an_event_at_the_stop_tag_runs_and_later_ones_are_dropped(workers):
    """Exactly at the stop tag an event runs; a later one is dropped and its handle says so."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=act)
        def start(self):
            handles = [self.act.schedule(d, delay=d) for d in (10, 10, 11, 3)]
            trace(self, [h.tag for h in handles])
            assert handles[1].cancel() is False

        @rr.reaction(act)
        def on_act(self):
            trace(self, self.act.value)

        @rr.reaction(rr.shutdown, uses=act)
        def end(self):
            trace(self, ("shutdown", self.act.get()))

    report = run(Main(), workers, timeout=10)
    assert trace.events == [
        ((0, 0), [rr.Tag(10, 0), None, None, rr.Tag(3, 0)]),
        ((3, 0), 3),
        ((10, 0), 10),
        ((10, 0), ("shutdown", 10)),
    ]
    assert report.stop_tag == rr.Tag(10, 0)


def test_nothing_can_be_scheduled_in_shutdown(workers):
    """A shutdown reaction's events would come after the stop tag: dropped, without error."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()

        @rr.reaction(rr.shutdown, effects=act)
        def end(self):
            trace(self, (self.act.schedule().tag, self.act.schedule(delay=5).tag))

        @rr.reaction(act)
        def never(self):
            trace(self, "never")

    report = run(Main(), workers)
    assert trace.events == [((0, 1), (None, None))]
    assert report.stop_tag == rr.Tag(0, 1)


# -- what is not allowed


def test_an_undeclared_action_cannot_be_scheduled(workers):
    """Scheduling without declaring the effect raises inside of the body, which may go on."""
    trace = Trace()

    class Main(rr.Reactor):
        a = rr.LogicalAction()
        b = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=a)
        def start(self):
            with pytest.raises(rr.UndeclaredEffectError, match=r"\bb\b"):
                self.b.schedule()
            self.a.schedule("a")

        @rr.reaction(a, b)
        def on(self):
            trace(self, (self.a.get(), self.b.is_present))
            with pytest.raises(rr.UndeclaredEffectError):
                self.a.schedule()

    run(Main(), workers)
    assert trace.events == [((0, 1), ("a", False))]


def test_a_logical_action_is_not_scheduled_outside_of_a_reaction(workers):
    """Before, and after the run, schedule raises PhaseError."""
    main = scheduling(Trace(), rr.LogicalAction(), lambda self, act: None)
    with pytest.raises(rr.PhaseError):
        main.act.schedule()
    run(main, workers)
    with pytest.raises(rr.PhaseError):
        main.act.schedule()


def test_another_reactors_action_cannot_be_scheduled(workers):
    """An action belongs to one reactor, by declaration and by capability."""
    trace, errors = Trace(), []

    class Thief(rr.Reactor):
        inp = rr.Input()

        @rr.reaction(inp)
        def steal(self):
            with pytest.raises((rr.UndeclaredEffectError, rr.PhaseError)) as e:
                self.inp.value.act.schedule()
            errors.append(e.value)

    class Owner(rr.Reactor):
        out = rr.Output()
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=(out, act))
        def lend(self):
            self.out.set(self)

        @rr.reaction(act)
        def never(self):
            trace(self, "never")

    def build(self):
        self.owner, self.thief, self.sink = Owner(), Thief(), Collect(trace)
        self.connect(self.owner.out, self.thief.inp)

    report = run(Wire(build), workers)
    assert len(errors) == 1
    assert trace.rows == []
    assert report.stop_tag == rr.Tag(0, 1)
