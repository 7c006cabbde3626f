"""Modes: what is active, what is suspended, and where time goes on after a transition."""

import threading

import pytest
from programs import BOUND, Collect, Emit, Pass, Trace, Wire, run

import reactorrl as rr

# -- programs that change their mode as planned


def steering(*modes, trigger, name="plan"):
    """A reaction that goes to the mode that `self.plan` has for the time, by reset."""

    def steer(self):
        mode = getattr(self, name).get(self.tag.time)
        if mode is not None:
            getattr(self, mode).set()

    return rr.reaction(trigger, effects=modes)(steer)


def recalling(*modes, trigger):
    """The same for `self.recalls`, by history."""
    return steering(*map(rr.history, modes), trigger=trigger, name="recalls")


def noting(what, *triggers, uses=()):
    """A reaction that records `what`."""

    def note(self):
        self.trace(self, what)

    return rr.reaction(*triggers, uses=uses)(note)


def timed(a_timer, b_timer):
    """Modes a and b, each with a timer; `clock` is there every nanosecond, to steer."""

    class Main(rr.Reactor):
        a = rr.Mode(initial=True)
        b = rr.Mode()
        clock = rr.Timer(0, 1)
        steer = steering(a, b, trigger=clock)
        recall = recalling(a, b, trigger=clock)
        with a:
            in_a = rr.Timer(*a_timer)
            note_a = noting("a", in_a)
        with b:
            in_b = rr.Timer(*b_timer)
            note_b = noting("b", in_b)

        def __init__(self, plan=(), recalls=()):
            self.trace, self.plan, self.recalls = Trace(), dict(plan), dict(recalls)

    return Main


def ticks(main, workers, timeout=70):
    run(main, workers, timeout=timeout)
    return {what: [tag for tag, event in main.trace.events if event == what] for what in ("a", "b")}


def test_only_the_initial_mode_is_active_at_first(workers):
    """Timers of other modes do not fire."""
    seen = ticks(timed((0, 30), (0, 30))(), workers)
    assert seen == {"a": [(0, 0), (30, 0), (60, 0)], "b": []}


def test_a_reset_starts_the_timers_again(workers):
    """Offset 0 fires at the microstep after the entry, others at their offset; periods follow."""
    main = timed((0, 10), (3, 10))({25: "b", 47: "a"})
    assert ticks(main, workers) == {
        "a": [(0, 0), (10, 0), (20, 0), (47, 1), (57, 0), (67, 0)],
        "b": [(28, 0), (38, 0)],
    }


def test_history_goes_on_with_what_was_left(workers):
    """a left 5 before its tick, b 1 before: so much later they come after the return."""
    main = timed((0, 10), (3, 10))({25: "b"}, {47: "a", 60: "b"})
    assert ticks(main, workers) == {
        "a": [(0, 0), (10, 0), (20, 0), (52, 0)],
        "b": [(28, 0), (38, 0), (61, 0)],
    }


def test_a_mode_that_was_never_active_starts_its_timers_at_the_first_entry(workers):
    """By history as by reset."""
    for plan in (({25: "b"}, {}), ({}, {25: "b"})):
        assert ticks(timed((0, 100), (0, 20))(*plan), workers)["b"] == [
            (25, 1),
            (45, 0),
            (65, 0),
        ]


def test_a_timer_that_fires_once_fires_again_after_a_reset(workers):
    """After history it does not; if it had not fired yet, it does."""
    assert ticks(timed((4,), ())({10: "b", 20: "a"}), workers)["a"] == [(4, 0), (24, 0)]
    assert ticks(timed((4,), ())({10: "b"}, {20: "a"}), workers)["a"] == [(4, 0)]
    assert ticks(timed((15,), ())({10: "b"}, {20: "a"}), workers)["a"] == [(25, 0)]


def test_a_transition_takes_effect_after_the_tag(workers):
    """At the tag of the set the old mode still runs, later reactions included; then the new one."""
    assert ticks(timed((5,), (0,))({5: "b"}), workers) == {"a": [(5, 0)], "b": [(5, 1)]}


def test_a_transition_to_the_current_mode(workers):
    """By history nothing happens; by reset it starts again."""
    assert ticks(timed((4, 10), ())({}, {6: "a"}), workers, 30)["a"] == [(4, 0), (14, 0), (24, 0)]
    assert ticks(timed((4, 10), ())({6: "a"}), workers, 30)["a"] == [
        (4, 0),
        (10, 0),
        (20, 0),
        (30, 0),
    ]


def test_the_last_set_of_a_tag_counts(workers):
    """Reactions set in their order; the transition is the last one's, also between its kinds."""

    class Main(timed((4, 10), (0,))):
        pass

    both = Main({6: "b"}, {6: "a"})  # recall comes after steer
    assert ticks(both, workers, 30) == {"a": [(4, 0), (14, 0), (24, 0)], "b": []}

    class Twice(rr.Reactor):
        a, b, c = rr.Mode(initial=True), rr.Mode(), rr.Mode()

        def __init__(self):
            self.trace = Trace()

        @rr.reaction(rr.startup, effects=(b, c))
        def first(self):
            self.c.set()
            self.b.set()

        with b:
            in_b = noting("b", rr.reset)
        with c:
            in_c = noting("c", rr.reset)

    main = Twice()
    run(main, workers)
    assert main.trace.events == [((0, 1), "b")]


# -- events of actions


class Acts(rr.Reactor):
    """In mode a, `act` is scheduled at the times of `calls` with their delays."""

    a = rr.Mode(initial=True)
    b = rr.Mode()
    clock = rr.Timer(0, 1)
    steer = steering(a, b, trigger=clock)
    recall = recalling(a, b, trigger=clock)

    def __init__(self, calls, plan=(), recalls=(), **spacing):
        self.trace, self.calls = Trace(), dict(calls)
        self.plan, self.recalls = dict(plan), dict(recalls)
        with self.a:
            self.act = rr.LogicalAction(**spacing)
            self.add_reaction(self.call, triggers=[self.clock], effects=[self.act])
            self.add_reaction(self.on_act, triggers=[self.act])

    def call(self):
        for delay in self.calls.get(self.tag.time, ()):
            self.act.schedule(delay, delay=delay)

    def on_act(self):
        self.trace(self, self.act.value)


def test_events_wait_while_their_mode_is_not_active(workers):
    """Due 5 after the leave: by history 5 after the entry; by reset never."""
    calls = {20: [10, 2]}
    main = Acts(calls, {25: "b"}, {47: "a"})
    run(main, workers, timeout=70)
    assert main.trace.events == [((22, 0), 2), ((52, 0), 10)]
    main = Acts(calls, {25: "b", 47: "a"})
    run(main, workers, timeout=70)
    assert main.trace.events == [((22, 0), 2)]


def test_microsteps_go_on_where_they_were(workers):
    """Events one and two microsteps after the leave come one and two after the entry."""
    main = Acts({25: [0, 0]}, {25: "b"}, {47: "a"})
    run(main, workers, timeout=70)
    assert main.trace.events == [((47, 1), 0), ((47, 2), 0)]


def test_spacing_keeps_its_distance_in_the_time_of_the_mode(workers):
    """20 left at 25, entered at 47: the last event counts as 42. A reset forgets it."""
    calls = {19: [1], 48: [0]}
    main = Acts(calls, {25: "b"}, {47: "a"}, min_spacing=10)
    run(main, workers, timeout=70)
    assert main.trace.events == [((20, 0), 1), ((52, 0), 0)]
    main = Acts(calls, {25: "b", 47: "a"}, min_spacing=10)
    run(main, workers, timeout=70)
    assert main.trace.events == [((20, 0), 1), ((48, 1), 0)]


def test_an_event_that_resumes_past_the_stop_tag_is_dropped(workers):
    """Due at 15, left at 5, entered at 18: 28 is past 20, where the program then ends."""

    class Main(rr.Reactor):
        a, b = rr.Mode(initial=True), rr.Mode()
        leave, back = rr.Timer(5), rr.Timer(18)
        with a:
            due = rr.Timer(15)
            note = noting("due", due)

        def __init__(self):
            self.trace = Trace()

        @rr.reaction(leave, effects=b)
        def go(self):
            self.b.set()

        @rr.reaction(back, effects=rr.history(a))
        def come(self):
            self.a.set()

    main = Main()
    report = run(main, workers, timeout=20)
    assert main.trace.events == []
    assert report.stop_tag == rr.Tag(20, 0)


def test_suspended_events_keep_no_program_alive(workers):
    """A mode that is left with a running timer, and nothing else: the program starves."""

    class Main(rr.Reactor):
        a, b = rr.Mode(initial=True), rr.Mode()
        leave = rr.Timer(5)
        with a:
            forever = rr.Timer(0, 2)
            note = noting("a", forever)

        def __init__(self):
            self.trace = Trace()

        @rr.reaction(leave, effects=b)
        def go(self):
            self.b.set()

    main = Main()
    report = run(main, workers)
    assert [tag for tag, _ in main.trace.events] == [(0, 0), (2, 0), (4, 0)]
    assert report.stop_tag == rr.Tag(5, 1)


def test_physical_events_wait_in_the_time_of_their_mode():
    """What is pushed while the mode is not active comes when history brings it back."""
    pushed, away = threading.Event(), threading.Event()

    class Main(rr.Reactor):
        a, b = rr.Mode(initial=True), rr.Mode()
        leave, wait, back = rr.Timer(5), rr.Timer(10), rr.Timer(20)

        def __init__(self):
            self.seen = []
            with self.a:
                self.push = rr.PhysicalAction()
                self.add_reaction(self.on_push, triggers=[self.push])

        @rr.reaction(leave, effects=b)
        def go(self):
            self.b.set()

        @rr.reaction(wait)
        def stay(self):
            away.set()
            assert pushed.wait(BOUND)

        @rr.reaction(back, effects=rr.history(a))
        def come(self):
            self.a.set()

        def on_push(self):
            self.seen.append((self.tag.time, self.push.value))

    main = Main()
    program = rr.Program(main, workers=1, fast=True)
    program.start()
    assert away.wait(BOUND)
    main.push.schedule("x")
    pushed.set()
    program.join()
    assert main.seen == [(20, "x")]


# -- startup, shutdown, reset


class Built(rr.Reactor):
    """Modes a (initial), b and c; each records startup, reset and shutdown."""

    a, b, c = rr.Mode(initial=True), rr.Mode(), rr.Mode()
    clock = rr.Timer(0, 1)
    steer = steering(a, b, c, trigger=clock)
    recall = recalling(a, b, c, trigger=clock)
    start, end = noting("start", rr.startup), noting("end", rr.shutdown)
    with a:
        start_a, reset_a = noting("start a", rr.startup), noting("reset a", rr.reset)
        end_a = noting("end a", rr.shutdown)
    with b:
        start_b, reset_b = noting("start b", rr.startup), noting("reset b", rr.reset)
        end_b = noting("end b", rr.shutdown)
    with c:
        start_c, reset_c = noting("start c", rr.startup), noting("reset c", rr.reset)
        end_c = noting("end c", rr.shutdown)

    def __init__(self, plan=(), recalls=()):
        self.trace, self.plan, self.recalls = Trace(), dict(plan), dict(recalls)


@pytest.mark.parametrize("first", ["plan", "recalls"])
def test_startup_is_present_once_at_the_first_entry(workers, first):
    """At the start for the initial mode; else a microstep after the first entry, of either kind."""
    main = Built(**{first: {5: "b"}})
    main.plan.update({9: "a", 12: "b"})
    run(main, workers, timeout=20)
    starts = [row for row in main.trace.events if row[1].startswith("start")]
    assert starts == [((0, 0), "start"), ((0, 0), "start a"), ((5, 1), "start b")]


def test_reset_is_present_after_every_entry_by_reset(workers):
    """A microstep after it; not at the start, and not after history."""
    main = Built({5: "b", 9: "b", 12: "a"}, {15: "b", 17: "a"})
    run(main, workers, timeout=20)
    resets = [row for row in main.trace.events if row[1].startswith("reset")]
    assert resets == [((5, 1), "reset b"), ((9, 1), "reset b"), ((12, 1), "reset a")]


def test_shutdown_reaches_every_mode_that_ever_was_active(workers):
    """Active or not at the end; a mode that never was is left out."""
    main = Built({5: "b", 9: "a"})
    run(main, workers, timeout=20)
    assert [row for row in main.trace.events if row[1].startswith("end")] == [
        ((20, 0), "end"), ((20, 0), "end a"), ((20, 0), "end b"),
    ]  # fmt: skip


# -- nesting


class Inner(rr.Reactor):
    """Modes x (initial) and y; goes to y after 3 of its own time, ticks in both every 10."""

    x, y = rr.Mode(initial=True), rr.Mode()
    with x:
        until = rr.Timer(3)
        in_x = rr.Timer(0, 10)
        note_x = noting("x", in_x)

        @rr.reaction(until, effects=y)
        def go(self):
            self.y.set()

    with y:
        in_y = rr.Timer(1, 10)
        note_y = noting("y", in_y)
        reset_y = noting("reset y", rr.reset)

    def __init__(self, trace):
        self.trace = trace


class Outer(rr.Reactor):
    """An Inner in mode a, nothing in mode b."""

    a, b = rr.Mode(initial=True), rr.Mode()
    clock = rr.Timer(0, 1)
    steer = steering(a, b, trigger=clock)
    recall = recalling(a, b, trigger=clock)

    def __init__(self, plan=(), recalls=()):
        self.trace, self.plan, self.recalls = Trace(), dict(plan), dict(recalls)
        with self.a:
            self.inner = Inner(self.trace)


def test_a_mode_suspends_what_its_children_hold(workers):
    """Left at 6 (y ticks at 4, then at 14), entered by history at 20: 8 are left, so 28."""
    main = Outer({6: "b"}, {20: "a"})
    run(main, workers, timeout=40)
    assert main.trace.events == [
        ((0, 0), "x"), ((3, 1), "reset y"), ((4, 0), "y"), ((28, 0), "y"), ((38, 0), "y"),
    ]  # fmt: skip


def test_a_reset_brings_nested_modes_back_to_their_initial_one(workers):
    """Entered by reset at 20: x again, with its timers, and to y 3 later."""
    main = Outer({6: "b", 20: "a"})
    run(main, workers, timeout=30)
    assert main.trace.events == [
        ((0, 0), "x"), ((3, 1), "reset y"), ((4, 0), "y"),
        ((20, 1), "x"), ((23, 1), "reset y"), ((24, 0), "y"),
    ]  # fmt: skip


def test_an_inner_transition_counts_when_the_outer_mode_leaves(workers):
    """Both at 3: y is current, and on history counts as entered by reset; on reset x comes back."""
    main = Outer({3: "b"}, {20: "a"})
    run(main, workers, timeout=25)
    assert main.trace.events == [((0, 0), "x"), ((20, 1), "reset y"), ((21, 0), "y")]
    main = Outer({3: "b", 20: "a"})
    run(main, workers, timeout=22)
    assert main.trace.events == [((0, 0), "x"), ((20, 1), "x")]


def test_is_active_is_about_all_enclosing_modes(workers):
    """A body sees which of its own modes are current; outside of bodies it is a PhaseError."""

    class Main(Built):
        @rr.reaction(Built.clock)
        def look(self):
            if self.tag.time in (4, 5, 6):
                self.trace(self, (self.a.is_active, self.b.is_active))

    main = Main({5: "b"})
    with pytest.raises(rr.PhaseError):
        main.a.is_active  # noqa: B018
    run(main, workers, timeout=8)
    assert [row for row in main.trace.events if isinstance(row[1], tuple)] == [
        ((4, 0), (True, False)), ((5, 0), (True, False)), ((6, 0), (False, True)),
    ]  # fmt: skip


# -- reactions and connections


def test_reactions_of_other_modes_do_not_run(workers):
    """What arrives for them is not kept."""

    class Main(rr.Reactor):
        inp = rr.Input()
        a, b = rr.Mode(initial=True), rr.Mode()
        with a:

            @rr.reaction(inp, effects=b)
            def in_a(self):
                self.trace(self, ("a", self.inp.value))
                if self.inp.value == 2:
                    self.b.set()

        with b:

            @rr.reaction(inp, effects=rr.history(a))
            def in_b(self):
                self.trace(self, ("b", self.inp.value))
                self.a.set()

        def __init__(self, trace):
            self.trace = trace

    trace = Trace()

    def build(self):
        self.src, self.main = Emit(1, 2, 3, 4), Main(trace)
        self.connect(self.src.out, self.main.inp)

    report = run(Wire(build), workers)
    assert trace.events == [
        ((0, 0), ("a", 1)), ((10, 0), ("a", 2)), ((20, 0), ("b", 3)), ((30, 0), ("a", 4)),
    ]  # fmt: skip
    assert report.reactions == 8


def test_reactions_outside_of_modes_keep_their_place(workers):
    """Order of definition holds between them and those of the current mode."""

    class Main(rr.Reactor):
        a, b = rr.Mode(initial=True), rr.Mode()
        tick = rr.Timer(0, 10)
        first = noting("first", tick)
        with a:
            second = noting("a", tick)
        third = noting("third", tick)
        with b:
            fourth = noting("b", tick)
        last = noting("last", tick)
        leave = rr.Timer(5)

        @rr.reaction(leave, effects=b)
        def go(self):
            self.b.set()

        def __init__(self):
            self.trace = Trace()

    main = Main()
    run(main, workers, timeout=10)
    assert main.trace.events == [
        ((0, 0), "first"), ((0, 0), "a"), ((0, 0), "third"), ((0, 0), "last"),
        ((10, 0), "first"), ((10, 0), "third"), ((10, 0), "b"), ((10, 0), "last"),
    ]  # fmt: skip


def test_connections_of_two_modes_may_write_one_destination(workers):
    """Each transports while its mode is active."""
    trace = Trace()

    class Main(rr.Reactor):
        out = rr.Output()
        a, b = rr.Mode(initial=True), rr.Mode()
        clock = rr.Timer(0, 1)
        steer = steering(a, b, trigger=clock)

        def __init__(self):
            self.plan = {15: "b", 35: "a"}
            self.one, self.ten = Emit(1, 2, 3, 4, 5), Pass(10)
            self.connect(self.one.out, self.ten.inp)
            with self.a:
                self.connect(self.one.out, self.out)
            with self.b:
                self.connect(self.ten.out, self.out)

    def build(self):
        self.main, self.sink = Main(), Collect(trace)
        self.connect(self.main.out, self.sink.inp)

    run(Wire(build), workers, timeout=40)
    assert trace.events == [
        ((0, 0), 1), ((10, 0), 2), ((20, 0), 30), ((30, 0), 40), ((40, 0), 5),
    ]  # fmt: skip


def test_a_delayed_connection_pauses_with_its_mode(workers):
    """Sent at 20 with after=10, left at 25, entered by history at 47: it arrives at 52."""
    trace = Trace()

    class Main(rr.Reactor):
        a, b = rr.Mode(initial=True), rr.Mode()
        clock = rr.Timer(0, 1)
        steer = steering(a, b, trigger=clock)
        recall = recalling(a, b, trigger=clock)

        def __init__(self, plan, recalls):
            self.plan, self.recalls = plan, recalls
            self.src, self.sink = Emit(*range(7)), Collect(trace)
            with self.a:
                self.connect(self.src.out, self.sink.inp, after=10)

    run(Main({25: "b"}, {47: "a"}), workers, timeout=65)
    # 0 and 10 arrive at 10 and 20; 30 and 40 are sent while nobody captures; 50 at 60.
    assert trace.events == [((10, 0), 0), ((20, 0), 1), ((52, 0), 2), ((60, 0), 5)]


def test_modes_break_a_causality_loop(workers):
    """Between reactions of different modes there is no order, so this is no loop."""

    class Knot(rr.Reactor):
        inp, out = rr.Input(), rr.Output()
        a, b = rr.Mode(initial=True), rr.Mode()
        tick = rr.Timer(0, 10)
        with a:
            first = noting("first", inp)

            @rr.reaction(tick, effects=b)
            def leave(self):
                self.b.set()

        with b:

            @rr.reaction(tick, effects=out)
            def second(self):
                self.out.set(self.tag.time)

        def __init__(self):
            self.trace = Trace()

    def build(self):
        self.knot, self.back = Knot(), Pass()
        self.connect(self.knot.out, self.back.inp)
        self.connect(self.back.out, self.knot.inp)

    main = Wire(build)
    report = run(main, workers, timeout=20)
    assert main.knot.trace.rows == []
    assert report.reaction_counts["Wire.back.forward"] == 2


def test_modes_enter_the_trace_hash(workers):
    """Two runs that differ in a transition alone differ in the hash; entries are no events."""

    class Main(rr.Reactor):
        a, b = rr.Mode(initial=True), rr.Mode()

        def __init__(self, goes):
            self.goes = goes

        @rr.reaction(rr.startup, effects=b)
        def start(self):
            if self.goes:
                self.b.set()

    stays, goes, again = (run(Main(goes), workers) for goes in (False, True, True))
    assert goes.trace_hash == again.trace_hash != stays.trace_hash
    assert (goes.events, goes.tags, goes.stop_tag) == (stays.events, stays.tags, stays.stop_tag)


# -- inheritance


def test_a_derived_class_has_its_bases_modes(workers):
    """It may continue one, and add others."""

    class Base(rr.Reactor):
        a, b = rr.Mode(initial=True), rr.Mode()
        tick = rr.Timer(0, 10)
        with a:
            base_a = noting("base a", tick)

        def __init__(self):
            self.trace = Trace()

    class Derived(Base):
        c = rr.Mode()
        with Base.a:
            derived_a = noting("derived a", Base.tick)

            @rr.reaction(Base.tick, effects=c)
            def leave(self):
                self.c.set()

        with c:
            in_c = noting("c", Base.tick)

    main = Derived()
    run(main, workers, timeout=10)
    assert main.trace.events == [((0, 0), "base a"), ((0, 0), "derived a"), ((10, 0), "c")]


# -- mistakes


def problems(main_class, *words):
    with pytest.raises(rr.AssemblyError) as e:
        rr.Program(main_class(), workers=1)
    assert any(all(word in problem for word in words) for problem in e.value.problems), (
        e.value.problems
    )


def test_a_class_with_modes_has_one_initial_mode():
    """None and two are AssemblyErrors, also a second one in a derived class."""

    class Neither(rr.Reactor):
        a, b = rr.Mode(), rr.Mode()

    class Both(rr.Reactor):
        a, b = rr.Mode(initial=True), rr.Mode(initial=True)

    class Base(rr.Reactor):
        a = rr.Mode(initial=True)

    class Derived(Base):
        b = rr.Mode(initial=True)

    for main_class in (Neither, Both, Derived):
        problems(main_class, "initial")


def test_a_mode_is_set_where_it_is_declared(workers):
    """Undeclared it is an UndeclaredEffectError, outside of a body a PhaseError."""
    errors = []

    class Main(rr.Reactor):
        a, b = rr.Mode(initial=True), rr.Mode()

        @rr.reaction(rr.startup)
        def start(self):
            with pytest.raises(rr.UndeclaredEffectError) as e:
                self.b.set()
            errors.append(e.value)

    main = Main()
    with pytest.raises(rr.PhaseError):
        main.b.set()
    run(main, workers)
    assert len(errors) == 1


def declared_badly(what):
    """Classes that are wrong in one point each."""

    class Child(rr.Reactor):
        inp, out = rr.Input(), rr.Output()

    if what == "reset and history":

        class Main(rr.Reactor):
            a, b = rr.Mode(initial=True), rr.Mode()

            @rr.reaction(rr.startup, effects=(b, rr.history(b)))
            def start(self):
                pass

    elif what == "reset without a mode":

        class Main(rr.Reactor):
            @rr.reaction(rr.reset)
            def start(self):
                pass

    elif what == "a port":

        class Main(rr.Reactor):
            a = rr.Mode(initial=True)
            with a:
                inp = rr.Input()

    elif what == "an element of another mode":

        class Main(rr.Reactor):
            a, b = rr.Mode(initial=True), rr.Mode()
            with a:
                tick = rr.Timer()
            with b:
                note = noting("b", tick)

    elif what == "an element named outside":

        class Main(rr.Reactor):
            a = rr.Mode(initial=True)
            with a:
                tick = rr.Timer()
            note = noting("outside", tick)

    elif what == "a child connected from outside":

        class Main(rr.Reactor):
            a = rr.Mode(initial=True)

            def __init__(self):
                self.src = Child()
                with self.a:
                    self.child = Child()
                self.connect(self.src.out, self.child.inp)

    elif what == "two writers of one mode":

        class Main(rr.Reactor):
            a = rr.Mode(initial=True)

            def __init__(self):
                self.src, self.other, self.dst = Child(), Child(), Child()
                with self.a:
                    self.connect(self.src.out, self.dst.inp)
                    self.connect(self.other.out, self.dst.inp)

    return Main


@pytest.mark.parametrize(
    ("what", "word"),
    [
        ("reset and history", "b"),
        ("reset without a mode", "mode"),
        ("a port", "inp"),
        ("an element of another mode", "belongs to the mode"),
        ("an element named outside", "belongs to the mode"),
        ("a child connected from outside", "child"),
        ("two writers of one mode", "one writer"),
    ],
)
def test_what_modes_do_not_allow_is_an_assembly_error(what, word):
    """Each names the element; nothing runs."""
    problems(declared_badly(what), "Main", word)


def test_modes_are_not_nested_lexically():
    """`with a:` inside of `with b:` is an error."""

    def build():
        class Main(rr.Reactor):
            a, b = rr.Mode(initial=True), rr.Mode()
            with a, b:
                tick = rr.Timer()

        rr.Program(Main(), workers=1)

    with pytest.raises((rr.AssemblyError, TypeError, ValueError)):
        build()
