"""min_spacing with its four policies; handles and cancel."""

import pytest
from programs import Trace, placed, run, scheduling

import reactorrl as rr


def spaced(policy, spacing=10):
    return rr.LogicalAction(min_spacing=spacing, policy=policy)


POLICIES = ("defer", "drop", "replace", "update")


@pytest.mark.parametrize("policy", POLICIES)
def test_events_that_keep_their_distance_are_not_touched(workers, policy):
    """No policy changes an event at least min_spacing after the last one."""
    events, _, _ = placed(spaced(policy), 5, 15, 30, workers=workers)
    assert events == [((5, 0), 0), ((15, 0), 1), ((30, 0), 2)]


def test_defer_moves_an_early_event_to_the_end_of_the_spacing(workers):
    """The handbook's example: 100, 99 and 101 with spacing 10 fire at 100, 110 and 120."""
    events, tags, _ = placed(spaced("defer"), 100, 99, 101, workers=workers)
    assert events == [((100, 0), 0), ((110, 0), 1), ((120, 0), 2)]
    assert tags == [(100, 0), (110, 0), (120, 0)]


def test_drop_discards_an_early_event(workers):
    """An early event is dropped; its handle has no tag, and it does not count for the spacing."""
    events, tags, _ = placed(spaced("drop"), 100, 99, 101, 109, 110, workers=workers)
    assert events == [((100, 0), 0), ((110, 0), 4)]
    assert tags == [(100, 0), None, None, None, (110, 0)]


def test_replace_changes_the_value_of_a_pending_event(workers):
    """An early event puts its value into the pending one, whose tag stays."""
    events, tags, _ = placed(spaced("replace"), 100, 99, 105, 110, 115, workers=workers)
    assert events == [((100, 0), 2), ((110, 0), 4)]
    assert tags == [(100, 0), (100, 0), (100, 0), (110, 0), (110, 0)]


def test_update_removes_the_pending_event_and_takes_its_own_time(workers):
    """The pending event goes, the new one comes at its own time, not adjusted for the spacing."""
    events, tags, _ = placed(spaced("update"), 100, 99, 108, 118, 112, workers=workers)
    assert events == [((108, 0), 2), ((112, 0), 4)]
    assert tags == [(100, 0), (99, 0), (108, 0), (118, 0), (112, 0)]


def handled(policy, *delays, spacing=10, workers=1):
    """An event at (20, 0) schedules one more of its kind for each delay; what comes of them."""
    trace = Trace()

    class Main(rr.Reactor):
        act = spaced(policy, spacing)

        @rr.reaction(rr.startup, effects=act)
        def start(self):
            self.act.schedule("first", delay=20)

        @rr.reaction(act, effects=act)
        def on_act(self):
            if self.act.value == "first":
                for i, delay in enumerate(delays):
                    self.act.schedule(i, delay=delay)
            else:
                trace(self, self.act.value)

    run(Main(), workers)
    return trace.events


@pytest.mark.parametrize(
    ("policy", "spacing", "delays", "events"),
    [
        ("defer", 10, (0, 3), [((30, 0), 0), ((40, 0), 1)]),
        ("drop", 10, (0, 3, 10), [((30, 0), 2)]),
        ("replace", 10, (0, 3), [((30, 0), 1)]),
        ("update", 10, (0,), [((20, 1), 0)]),
        ("update", 10, (3,), [((23, 0), 0)]),
        ("defer", 0, (0, 0), [((20, 1), 0), ((20, 2), 1)]),
        ("drop", 0, (0, 0, 1), [((21, 0), 2)]),
        ("replace", 0, (0, 0), [((20, 1), 1)]),
        ("update", 0, (0, 0), [((20, 1), 1)]),
    ],
)
def test_a_handled_event_still_spaces_the_next(workers, policy, spacing, delays, events):
    """After a handled event defer and replace wait, drop drops, update does not adjust."""
    assert handled(policy, *delays, spacing=spacing, workers=workers) == events


@pytest.mark.parametrize(
    ("policy", "events"),
    [
        ("defer", [((5, 0), 0), ((5, 1), 1), ((5, 2), 2), ((6, 0), 3)]),
        ("drop", [((5, 0), 0), ((6, 0), 3)]),
        ("replace", [((5, 0), 2), ((6, 0), 3)]),
        ("update", [((4, 0), 2), ((6, 0), 3)]),
    ],
)
def test_spacing_zero_is_not_no_spacing(workers, policy, events):
    """With min_spacing 0, equal and earlier times are early, and the policy decides."""
    assert placed(spaced(policy, 0), 5, 5, 4, 6, workers=workers)[0] == events


def test_spacing_zero_defers_behind_now_and_the_last_event(workers):
    """defer with spacing 0 takes the first microstep free after both now and the last event."""
    trace = Trace()

    class Main(rr.Reactor):
        act = spaced("defer", 0)

        @rr.reaction(rr.startup, act, effects=act)
        def on(self):
            k = self.act.get(0)
            trace(self, k)
            if k < 3:
                self.act.schedule(k + 1)

    run(Main(), workers)
    assert trace.events == [((0, k), k) for k in range(4)]


def test_an_unadjusted_event_never_shares_a_tag(workers):
    """update may aim at a tag that an older event has: it takes the next microstep."""
    events, tags, _ = placed(spaced("update"), 100, 110, 105, 100, workers=workers)
    assert tags == [(100, 0), (110, 0), (105, 0), (100, 1)]
    assert events == [((100, 0), 0), ((100, 1), 3)]


def test_an_event_dropped_by_the_stop_tag_does_not_count_for_the_spacing(workers):
    """What never got a tag is not the last event given one."""
    events, tags, _ = placed(spaced("defer"), 50, 5, 16, timeout=20, workers=workers)
    assert tags == [None, (5, 0), (16, 0)]
    assert events == [((5, 0), 1), ((16, 0), 2)]


# -- declarations


@pytest.mark.parametrize("policy", ["later", "", "DEFER"])
def test_an_unknown_policy_is_refused_at_once(policy):
    """A policy is one of four words."""
    with pytest.raises(ValueError, match="policy"):
        rr.LogicalAction(min_spacing=1, policy=policy)


def test_a_policy_without_spacing_is_an_assembly_error():
    """A policy other than the default says nothing without min_spacing, so it is a mistake."""

    class Main(rr.Reactor):
        act = rr.LogicalAction(policy="drop")

        @rr.reaction(rr.startup, effects=act)
        def start(self):
            self.act.schedule()

    with pytest.raises(rr.AssemblyError, match="min_spacing"):
        rr.Program(Main())


# -- handles


def test_cancel_removes_a_pending_event_once(workers):
    """cancel() is True if the event was still pending; then it does not come."""
    trace, answers = Trace(), []

    def body(self, act):
        handle, kept = act.schedule("gone", delay=5), act.schedule("kept", delay=5)
        answers.extend([handle.cancel(), handle.cancel(), tuple(kept.tag)])

    run(scheduling(trace, rr.LogicalAction(), body), workers)
    assert answers == [True, False, (5, 1)]
    assert trace.events == [((5, 1), "kept")]


def test_a_tag_left_empty_by_cancel_does_not_happen(workers):
    """A tag with nothing but cancelled events is not processed."""
    report = run(
        scheduling(Trace(), rr.LogicalAction(), lambda self, act: act.schedule(delay=5).cancel()),
        workers,
    )
    assert (report.stop_tag, report.tags, report.reactions) == (rr.Tag(0, 1), 2, 1)


@pytest.mark.parametrize("timeout", [5, 6])
def test_what_does_not_come_at_the_timeout_brings_no_timeout(workers, timeout):
    """A program with nothing left to do ends, also if what was cancelled lay at its very end."""
    cancelled = scheduling(
        Trace(), rr.LogicalAction(), lambda self, act: act.schedule(delay=5).cancel()
    )
    assert run(cancelled, workers, timeout=timeout).stop_tag == rr.Tag(0, 1)

    def body(self, act):
        act.schedule(delay=5)
        act.schedule(delay=1)

    updated = scheduling(Trace(), spaced("update"), body)
    assert run(updated, workers, timeout=timeout).stop_tag == rr.Tag(1, 1)


def test_a_later_reaction_may_cancel(workers):
    """A handle is good in every reaction that declares the action, until the event is handled."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction()
        tick = rr.Timer(5)

        @rr.reaction(rr.startup, effects=act)
        def start(self):
            self.handles = [self.act.schedule(d, delay=d) for d in (3, 5, 7)]

        @rr.reaction(tick, effects=act)
        def stop_them(self):
            trace(self, [h.cancel() for h in self.handles])

        @rr.reaction(act)
        def on_act(self):
            trace(self, self.act.value)

    run(Main(), workers)
    assert trace.events == [((3, 0), 3), ((5, 0), [False, False, True]), ((5, 0), 5)]


def test_a_cancelled_event_still_counts_for_the_spacing(workers):
    """It was the last event given a tag, and the next one keeps its distance."""
    trace, tags = Trace(), []

    def body(self, act):
        act.schedule("gone", delay=5).cancel()
        tags.append(tuple(act.schedule("kept", delay=6).tag))

    run(scheduling(trace, spaced("defer"), body), workers)
    assert tags == [(15, 0)]
    assert trace.events == [((15, 0), "kept")]


def test_a_replacing_call_returns_the_pending_events_handle(workers):
    """Both handles name the one event: cancelling by either removes it."""
    trace, answers = Trace(), []

    def body(self, act):
        first = act.schedule(1, delay=5)
        second = act.schedule(2, delay=6)
        answers.extend([second.tag == first.tag, second.cancel(), first.cancel()])

    run(scheduling(trace, spaced("replace"), body), workers)
    assert answers == [True, True, False]
    assert trace.events == []


def test_a_handle_of_an_event_updated_away_cancels_nothing(workers):
    """After an update the old handle's cancel() is False and leaves the new event alone."""
    trace, answers = Trace(), []

    def body(self, act):
        first = act.schedule(1, delay=5)
        second = act.schedule(2, delay=5)
        answers.extend([first.cancel(), tuple(second.tag)])

    run(scheduling(trace, spaced("update"), body), workers)
    assert answers == [False, (5, 0)]
    assert trace.events == [((5, 0), 2)]


def test_a_dropped_events_handle_cancels_nothing(workers):
    """A dropped call gives a handle without tag whose cancel() is False."""
    trace, answers = Trace(), []

    def body(self, act):
        act.schedule(1, delay=5)
        dropped = act.schedule(2, delay=6)
        answers.extend([dropped.tag, dropped.cancel()])

    run(scheduling(trace, spaced("drop"), body), workers)
    assert answers == [None, False]
    assert trace.events == [((5, 0), 1)]


def test_a_handle_cannot_be_used_outside_of_a_reaction(workers):
    """As scheduling, cancelling needs a body that declares the action."""
    handles = []
    run(
        scheduling(
            Trace(), rr.LogicalAction(), lambda self, act: handles.append(act.schedule(delay=5))
        ),
        workers,
    )
    with pytest.raises(rr.PhaseError):
        handles[0].cancel()
