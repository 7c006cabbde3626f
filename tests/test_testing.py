"""reactorrl.testing: the virtual clock, simulations, traces, determinism."""

import collections
import contextlib
import dataclasses
import doctest
import enum
import functools
import importlib
import itertools
import sysconfig
import threading
import time
from datetime import timedelta

import numpy as np
import pytest

import reactorrl as rr
from reactorrl.testing import (
    Effect,
    Simulation,
    Step,
    Trace,
    TraceRow,
    VirtualClock,
    assert_deterministic,
    assert_same_trace,
    digest,
    record_trace,
)

MODULES = (
    "clock testing.check testing.determinism testing.digests testing.simulation testing.traces"
)


@pytest.mark.parametrize("name", MODULES.split())
def test_docstrings_run(name):
    """The examples of each module print what they say."""
    outcome = doctest.testmod(importlib.import_module(f"reactorrl.{name}"))
    assert (outcome.failed, outcome.attempted > 1) == (0, True)


class Adder(rr.Reactor):
    """Sums what comes, and says so after a while and at the end."""

    left, right = rr.Input(), rr.Input()
    wide = rr.Input(width=3)
    total, late = rr.Output(), rr.Output()
    each = rr.Output(width=3)
    again = rr.LogicalAction(rr.msec(3))

    def __init__(self):
        self.sum = 0
        self.ended = None

    @rr.reaction(left, right, effects=(total, again))
    def add(self):
        self.sum += self.left.get(0) + self.right.get(0)
        self.total.set(self.sum)
        self.again.schedule(self.sum)

    @rr.reaction(wide, effects=each)
    def pass_on(self):
        for port in self.wide.present():
            self.each[port.index].set(port.value)

    @rr.reaction(again, effects=late)
    def tell(self):
        self.late.set(-self.again.value)

    @rr.reaction(rr.shutdown)
    def end(self):
        self.ended = self.tag


# Simulations.


def test_a_simulation_runs_tag_by_tag():
    """Each step is one tag, with the reactions in static order and what they set."""
    sim = Simulation(Adder)
    main = sim.main
    assert (sim.tag, sim.next_tag) == (None, rr.Tag(0, 0))
    assert repr(sim) == "<Simulation of Adder, running>"
    assert sim.step() == Step(rr.Tag(0, 0), (), {})
    assert (sim.next_tag, sim.step()) == (None, None)
    assert repr(sim) == "<Simulation of Adder, running, at Tag(time=0, microstep=0)>"
    sim.feed({main.left: 1, Adder.right: 2, "wide": {2: 5}})
    assert sim.next_tag == rr.Tag(0, 1)
    assert sim.step() == Step(
        rr.Tag(0, 1), ("Adder.add", "Adder.pass_on"), {main.total: 3, main.each[2]: 5}
    )
    assert (sim.next_tag, sim.clock.now) == (rr.Tag(rr.msec(3), 0), 0)
    assert sim.step() == Step(rr.Tag(rr.msec(3), 0), ("Adder.tell",), {main.late: -3})
    assert (sim.tag, sim.clock.now) == (rr.Tag(rr.msec(3), 0), rr.msec(3))
    report = sim.finish()
    assert report.stop_tag == main.ended == rr.Tag(rr.msec(3), 1)
    assert (sim.step(), sim.next_tag) == (None, None)
    text = r"<Simulation of Adder, ended> has ended at Tag\(.*=1\), by finish\(\), and takes"
    with pytest.raises(rr.PhaseError, match=text):
        sim.feed({main.left: 1})


def test_what_is_fed_for_one_time_comes_in_order():
    """One feed is one tag; later times come later, whatever the order of the calls."""
    with Simulation(Adder()) as sim:
        sim.feed({"left": 10}, at=timedelta(milliseconds=2))
        sim.feed({"left": 1}, at=rr.msec(1))
        sim.feed({"left": 100}, at=rr.msec(1))
        sim.feed({"wide": [7, 8, 9]})
        steps = sim.run_until(rr.msec(2))
        assert [step.tag for step in steps] == [
            rr.Tag(0, 0),
            rr.Tag(0, 1),
            rr.Tag(rr.msec(1), 0),
            rr.Tag(rr.msec(1), 1),
            rr.Tag(rr.msec(2), 0),
        ]
        assert sim.outputs("total") == [
            (rr.Tag(rr.msec(1), 0), 1),
            (rr.Tag(rr.msec(1), 1), 101),
            (rr.Tag(rr.msec(2), 0), 111),
        ]
        assert sim.outputs(sim.main.each[1]) == [(rr.Tag(0, 1), 8)]
        assert sim.outputs(Adder.late) == []
        with pytest.raises(ValueError, match="is in the past: it is 2000000 ns"):
            sim.feed({"left": 1}, at=rr.msec(1))


def test_run_until_moves_the_clock():
    """To exactly the time, where the next feed then lands."""
    with Simulation(Adder) as sim:
        sim.run_until(rr.msec(7))
        assert (sim.clock.now, sim.tag) == (rr.msec(7), rr.Tag(0, 0))
        sim.feed({"left": 1})
        assert sim.next_tag == rr.Tag(rr.msec(7), 0)
        assert [step.tag.time for step in sim.run()] == [rr.msec(7), rr.msec(10)]


def test_run_steps_until_nothing_is_due():
    """And may be called again."""
    with Simulation(Adder) as sim:
        assert [step.tag for step in sim.run()] == [rr.Tag(0, 0)]
        assert sim.run() == []
        sim.feed({"left": 1})
        assert len(sim.run()) == 2


class Noisy(rr.Reactor):
    tick = rr.Timer(period=rr.msec(1))
    out = rr.Output()

    @rr.reaction(tick, effects=out)
    def draw(self):
        self.out.set((self.path, self.rng.random(), self.physical_elapsed(), self.lag()))


def test_paths_tags_and_random_numbers_are_those_of_a_program(workers):
    """The trace is that of the program by itself, under a virtual clock."""
    options = {"seed": 3, "timeout": rr.msec(4), "workers": workers}
    with Simulation(Noisy, **options) as sim:
        sim.run()
    own = record_trace(Noisy, values=True, clock=VirtualClock(), **options)
    assert_same_trace(dataclasses.replace(sim.trace(), trace_hash=own.trace_hash), own)
    assert [row.path for row in own.rows] == ["Noisy.draw"] * 5


def test_a_timeout_ends_a_simulation():
    """At exactly its tag, beside shutdown; nothing is due then."""
    sim = Simulation(Adder, timeout=rr.msec(2))
    sim.feed({"left": 1}, at=rr.msec(2))
    assert [step.reactions for step in sim.run()] == [(), ("Adder.add", "Adder.end")]
    assert sim.next_tag is None
    assert sim.finish().stop_tag == sim.main.ended == rr.Tag(rr.msec(2), 0)


class Fails(rr.Reactor):
    inp = rr.Input()

    @rr.reaction(inp)
    def fail(self):
        raise KeyError(self.inp.value)


def test_a_body_that_raises_surfaces_in_the_step():
    """As a ReactionError; again from finish, and not from the end of the block."""
    with Simulation(Fails) as sim:
        sim.feed({"inp": 4})
        sim.step()
        with pytest.raises(rr.ReactionError, match=r"Fails\.fail raised .*KeyError: 4"):
            sim.step()
        assert sim.next_tag is None
    with pytest.raises(rr.ReactionError, match=r"Fails\.fail"):
        sim.finish()


def test_a_body_that_hangs_is_named():
    """The TimeoutError says what runs."""
    gate = threading.Event()

    class Hangs(rr.Reactor):
        @rr.reaction(rr.startup)
        def hang(self):
            gate.wait(30)

    sim = Simulation(Hangs, limit=rr.msec(500))
    try:
        with pytest.raises(TimeoutError, match=r"does not come to rest:(.|\n)*runs Hangs\.hang"):
            sim.step()
    finally:
        gate.set()
    sim._program.abandon()
    assert not sim._program.is_running


def test_an_endless_run_is_bounded():
    """run() of a reactor that always has something due is a TimeoutError."""
    sim = Simulation(Noisy, limit=rr.sec(1), seed=1)
    text = r"has had \d+ tags, the last at Tag\(.*\), and more are due; use run_until\(\), or the"
    with pytest.raises(TimeoutError, match=text):
        sim.run()
    assert not sim._program.is_running


def test_a_forgotten_simulation_leaves_no_thread():
    """Its program ends when nobody can step it any more (see no_thread_is_left)."""
    sim = Simulation(Noisy, seed=1)
    sim.step()
    del sim


@pytest.mark.parametrize("key", ["nothing", "total", 3, Noisy.out])
def test_only_inputs_are_fed(key):
    """Everything else is a TypeError that names it."""
    with Simulation(Adder) as sim, pytest.raises(TypeError, match="is no input of Adder"):
        sim.feed({key: 1})


class Pushed(rr.Reactor):
    """Hears from outside; stops itself if told to."""

    push, out = rr.PhysicalAction(), rr.Output()
    inp = rr.Input()

    @rr.reaction(push, effects=out)
    def hear(self):
        self.out.set(self.push.value)
        if self.push.value == "stop":
            self.request_stop()
        if self.push.value == "raise":
            raise KeyError


def test_physical_actions_take_events_before_the_first_step():
    """They come after the startup, as later ones do."""
    with Simulation(Pushed) as sim:
        sim.main.push.schedule(4)
        sim.run()
        sim.main.push.schedule(5)
        sim.run()
    assert [value for _, value in sim.outputs("out")] == [4, 5]


@pytest.mark.parametrize(
    ("pushed", "timeout", "text"),
    [
        ("stop", None, r"at Tag\(time=0, microstep=2\), as a body asked for it, and"),
        ("raise", None, r"at Tag\(time=0, microstep=1\), as a body raised, and"),
        ("", 5, r"at Tag\(time=5, microstep=0\), by its timeout, and"),
    ],
)
def test_an_ended_simulation_says_why(pushed, timeout, text):
    """When something is fed to it."""
    sim = Simulation(Pushed, timeout=timeout)
    sim.main.push.schedule(pushed)
    with contextlib.suppress(rr.ReactionError):
        sim.run()
    with pytest.raises(rr.PhaseError, match=f"<Simulation of Pushed, ended> has ended {text}"):
        sim.feed({"inp": 1})


def test_what_would_come_after_the_timeout_is_refused():
    """What is fed for the timeout itself still comes."""
    with Simulation(Adder, timeout=rr.msec(5)) as sim:
        sim.feed({"left": 1}, at=rr.msec(5))
        text = "at=7000000 is later than the end, timeout=5000000 ns"
        with pytest.raises(ValueError, match=text):
            sim.feed({"left": 1}, at=rr.msec(7))
        sim.run()
    assert sim.outputs("total") == [(rr.Tag(rr.msec(5), 0), 1)]


def test_declarations_are_those_of_the_class():
    """One of another class that has the same name is no port of this one; those of a base are."""

    class Other(rr.Reactor):
        left, total = rr.Input(), rr.Output()

    class Derived(Adder):
        pass

    with Simulation(Derived) as sim:
        with pytest.raises(TypeError, match="is no input of Derived; it has left, right, wide"):
            sim.feed({Other.left: 1})
        with pytest.raises(TypeError, match="is no output of Derived; it has total, late, each"):
            sim.outputs(Other.total)
        sim.feed({Adder.left: 1, Derived.right: 2})
        sim.run()
    assert [value for _, value in sim.outputs(Adder.total)] == [3]


@pytest.mark.parametrize("fed", [Adder.left, (Adder.left, 1), [Adder.left]])
def test_feed_takes_a_mapping(fed):
    """The message shows one."""
    text = r"feed\(\) takes \{Adder.left: value\}, got"
    with Simulation(Adder) as sim, pytest.raises(TypeError, match=text):
        sim.feed(fed, 50)


@pytest.mark.parametrize(
    ("value", "error"),
    [(1, TypeError), ([1, 2, 3, 4], IndexError), ({3: 1}, IndexError), ({-1: 1}, IndexError)],
)
def test_a_multiport_takes_values_of_its_channels(value, error):
    """The message has the width and both forms."""
    text = r"Adder.wide is a multiport of 3: give \[v0, v1, v2\] or \{index: v\}"
    with Simulation(Adder) as sim, pytest.raises(error, match=text):
        sim.feed({Adder.wide: value})


def test_what_a_simulation_refuses():
    """Ports of others, whole multiports as outputs, a clock, a used reactor."""
    used = Adder()
    with Simulation(used) as sim:
        with pytest.raises(TypeError, match="is no output of Adder"):
            sim.outputs("left")
        with pytest.raises(TypeError, match="name a channel"):
            sim.outputs(Adder.each)
        with pytest.raises(TypeError, match="is no input of Adder"):
            sim.feed({Adder().left: 1})
        with pytest.raises(rr.PhaseError, match="assembled before"):
            Simulation(used)
    with pytest.raises(TypeError, match="leave clock= out"):
        Simulation(Adder, clock=VirtualClock())
    with pytest.raises(TypeError, match=r"takes a reactor or what makes one, got 3"):
        Simulation(3)
    with pytest.raises(ValueError, match="Adder is the main reactor and so an enclave already"):
        Simulation(rr.enclave(Adder()))
    for name in ("record", "replay"):
        with pytest.raises(TypeError, match=rf"Simulation\(\) cannot {name}: it plays"):
            Simulation(Adder, **{name: "run.rec"})


# The clock.


class Worker(rr.Reactor):
    go = rr.Input()

    def __init__(self, clock, busy_ns):
        self.clock, self.busy_ns = clock, busy_ns

    @rr.reaction(go)
    def work(self):
        before = self.lag()
        self.clock.advance(self.busy_ns)
        self.seen = (before, self.lag(), self.physical_elapsed())


class Crew(rr.Reactor):
    tick = rr.Timer(rr.msec(10))
    go = rr.Output()
    event = rr.PhysicalAction()

    def __init__(self, clock, *busy_ns):
        self.clock = clock
        self.workers = [Worker(clock, each) for each in busy_ns]
        self.came = []
        self.add_reaction(self.start, self.tick, effects=[each.go for each in self.workers])

    def start(self):
        for each in self.workers:
            each.go.set(1)

    @rr.reaction(tick, event, effects=event)
    def after(self):
        if self.tick.is_present:
            self.event.schedule(delay=5)
        self.came.append((self.tag, self.lag()))


def test_a_level_takes_as_long_as_its_longest_body(workers):
    """Each body sees its own time; the clock moves on by the longest of the level."""
    clock = VirtualClock()
    main = Crew(clock, 3, 700, 50)
    rr.run(main, clock=clock, workers=workers)
    start = rr.msec(10)
    assert [each.seen for each in main.workers] == [
        (0, 3, start + 3),
        (0, 700, start + 700),
        (0, 50, start + 50),
    ]
    assert clock.now == start + 700
    # The physical action was scheduled in the level before: 5 ns after the clock of then.
    assert main.came == [(rr.Tag(start, 0), 0), (rr.Tag(start + 5, 0), 695)]


def test_waiting_costs_no_time():
    """An hour of logical time passes at once, and clock and tags agree."""
    clock = VirtualClock()

    class Hour(rr.Reactor):
        tick = rr.Timer(rr.sec(3600))

        @rr.reaction(tick)
        def look(self):
            self.seen = (self.tag, self.physical_elapsed(), self.lag())

    main = Hour()
    started = time.monotonic()
    rr.run(main, clock=clock, workers=1)
    assert time.monotonic() - started < 60
    assert main.seen == (rr.Tag(rr.sec(3600), 0), rr.sec(3600), 0)
    assert clock.now == rr.sec(3600)


def test_what_a_clock_refuses():
    """A second program, negative times, moving before there is a program; fast, and others."""
    clock = VirtualClock()
    assert clock.now == 0
    with pytest.raises(rr.PhaseError, match="stands at 0 until"):
        clock.advance(1)
    rr.run(Adder(), clock=clock, workers=1)
    with pytest.raises(rr.PhaseError, match="belongs to another program"):
        rr.Program(Adder(), clock=clock)
    with pytest.raises(ValueError, match="negative"):
        clock.advance(-1)
    with pytest.raises(TypeError, match="it is a reactorrl"):
        rr.Program(Adder(), clock=3)
    with pytest.raises(ValueError, match="clock= and fast=True"):
        rr.Program(Adder(), clock=VirtualClock(), fast=True)


# Traces.


class Pipe(rr.Reactor):
    """A bank between a source and a sink; what it does depends on the parameters."""

    def __init__(self, n=3, step=1, name="out"):
        self.source = Source(step)
        self.stages = rr.Bank(n, Stage)
        self.connect(self.source.out, self.stages.inp, broadcast=True)


class Source(rr.Reactor):
    tick = rr.Timer(period=10)
    out = rr.Output()

    def __init__(self, step):
        self.count, self.step = 0, step

    @rr.reaction(tick, effects=out)
    def send(self):
        self.count += self.step
        self.out.set(self.count)


class Stage(rr.Reactor):
    inp, out = rr.Input(), rr.Output()
    act = rr.LogicalAction(2)

    @rr.reaction(inp, effects=act)
    def hear(self):
        self.act.schedule(self.inp.value * (self.bank_index + 1))

    @rr.reaction(act, effects=out)
    def answer(self):
        self.out.set(self.act.value)


def test_a_trace_has_what_bodies_did(workers):
    """Tag, path, ports and actions with tags, in static order, for any number of workers."""
    trace = record_trace(functools.partial(Pipe, 2), timeout=5, workers=workers)
    zero, two = rr.Tag(0, 0), rr.Tag(2, 0)
    assert trace.rows == (
        TraceRow(zero, "Pipe.source.send", (Effect("set", "Pipe.source.out"),)),
        TraceRow(zero, "Pipe.stages[0].hear", (Effect("schedule", "Pipe.stages[0].act", two),)),
        TraceRow(zero, "Pipe.stages[1].hear", (Effect("schedule", "Pipe.stages[1].act", two),)),
        TraceRow(two, "Pipe.stages[0].answer", (Effect("set", "Pipe.stages[0].out"),)),
        TraceRow(two, "Pipe.stages[1].answer", (Effect("set", "Pipe.stages[1].out"),)),
    )
    assert trace.stop_tag == rr.Tag(5, 0)
    plain = rr.run(Pipe(2), timeout=5, workers=workers, fast=True)
    assert trace.trace_hash == plain.trace_hash


def test_a_trace_is_saved_and_loaded(tmp_path):
    """As JSON lines; equal afterwards, values included."""
    trace = record_trace(Pipe, values=True, timeout=30)
    trace.save(tmp_path / "trace")
    loaded = Trace.load(tmp_path / "trace")
    assert loaded == trace
    assert loaded.rows == trace.rows
    assert (loaded.stop_tag, loaded.has_values) == (trace.stop_tag, True)
    assert len((tmp_path / "trace").read_text().splitlines()) == 1 + len(trace.rows)


def test_what_is_no_trace_is_refused(tmp_path):
    """Other files, and the beginning of one."""
    path = tmp_path / "trace"
    record_trace(Pipe, timeout=30).save(path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    with pytest.raises(ValueError, match=rf"ends after {len(lines) - 2} of {len(lines) - 1} rows"):
        Trace.load(path)
    for text in ("", "hello", "{}\n", lines[0].replace('"version": 1', '"version": 2')):
        path.write_text(text)
        with pytest.raises(ValueError, match="is no trace of version 1"):
            Trace.load(path)


def test_the_first_difference_is_shown():
    """Tag, path and both sides; a difference of values only where both have them."""
    a = record_trace(Pipe, values=True, timeout=30)
    b = record_trace(functools.partial(Pipe, step=2), values=True, timeout=30)
    with pytest.raises(AssertionError) as raised:
        assert_same_trace(a, b)
    one, two = digest(1), digest(2)
    assert str(raised.value) == (
        "the traces part at Tag(time=0, microstep=0), Pipe.source.send (row 0)\n"
        "  a: Pipe.source.send at Tag(time=0, microstep=0)\n"
        f"       set Pipe.source.out = 1 ({one})\n"
        "  b: Pipe.source.send at Tag(time=0, microstep=0)\n"
        f"       set Pipe.source.out = 2 ({two})"
    )
    assert_same_trace(a, record_trace(functools.partial(Pipe, step=2), timeout=30))
    assert_same_trace(a, record_trace(Pipe, values=True, timeout=30))


class Child(rr.Reactor):
    out = rr.Output()

    def __init__(self, value, sets=True):
        self.value, self.sets = value, sets

    @rr.reaction(rr.startup, effects=out)
    def begin(self):
        if self.sets:
            self.out.set(self.value)


class Listens(rr.Reactor):
    """Its own reaction stands before those of its child, from which it hears."""

    out = rr.Output()

    def __init__(self, *given):
        self.child = Child(*given)
        self.add_reaction(self.listen, self.child.out, effects=self.out)

    def listen(self):
        self.out.set(self.child.out.value)


def test_causes_stand_before_what_follows_from_them():
    """Also when a container's reaction comes first in static order; the cause is what differs."""
    one, two = (record_trace(lambda n=n: Listens(n), values=True) for n in (1, 2))
    assert [row.path for row in one.rows] == ["Listens.child.begin", "Listens.listen"]
    assert Simulation(Listens(1)).step().reactions == ("Listens.child.begin", "Listens.listen")
    with pytest.raises(AssertionError, match=r"microstep=0\), Listens.child.begin \(row 0\)"):
        assert_same_trace(one, two)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_body_that_ran_in_one_of_two_is_named(swapped):
    """Whichever of the two traces it is missing in."""

    def trace(*paths):
        rows = tuple(TraceRow(rr.Tag(0, 0), path) for path in paths)
        return Trace(rows, rr.Tag(0, 0), "")

    pair = [trace("a", "c"), trace("a", "b", "c")]
    with pytest.raises(AssertionError, match=r"microstep=0\), b \(row 1\)"):
        assert_same_trace(*(reversed(pair) if swapped else pair))


def test_a_trace_has_no_hash():
    """Equal are those whose rows are; one with digests of values equals one without."""
    a, b = record_trace(Pipe, timeout=30), record_trace(Pipe, values=True, timeout=30)
    assert a == b
    with pytest.raises(TypeError, match="unhashable"):
        hash(a)


def test_only_traces_are_compared():
    """A report is none."""
    with pytest.raises(TypeError, match=r"takes Traces \(record_trace, .*\), got RunReport"):
        assert_same_trace(rr.run(Listens(1)), record_trace(Listens(1)))


def test_a_trace_that_ends_early_differs_there():
    """One side has stopped, the other goes on."""
    a, b = (record_trace(functools.partial(Pipe, 1), timeout=end) for end in (9, 10))
    with pytest.raises(AssertionError) as raised:
        assert_same_trace(a, b, ("short", "long"))
    assert str(raised.value).splitlines()[:3] == [
        "the traces part at Tag(time=10, microstep=0), Pipe.source.send (row 3)",
        "  short: stopped at Tag(time=9, microstep=0)",
        "   long: Pipe.source.send at Tag(time=10, microstep=0)",
    ]


def test_a_trace_ends_with_the_error():
    """A body that raises is the last row."""

    class Main(rr.Reactor):
        def __init__(self):
            self.fails = Fails()
            self.add_reaction(self.start, rr.startup, effects=self.fails.inp)

        def start(self):
            self.fails.inp.set(1)

    trace = record_trace(Main)
    assert trace.rows[-1] == TraceRow(rr.Tag(0, 0), "Main.fails.fail", (), "KeyError: 1")


def test_a_run_that_does_not_end_is_bounded():
    """record_trace raises a TimeoutError."""
    with pytest.raises(TimeoutError, match="has not ended within its time"):
        record_trace(Pipe, limit=rr.msec(50))


class Guarded(rr.Reactor):
    """Its deadline is missed at every second tick, and it changes its mode at the third."""

    tick = rr.Timer(period=rr.msec(1))
    out = rr.Output()
    awake, asleep = rr.Mode(initial=True), rr.Mode()

    def __init__(self, clock):
        self.clock = clock

    @rr.reaction(tick, effects=asleep)
    def load(self):
        self.clock.advance(self.tag.time % rr.msec(2))
        if self.tag.time == rr.msec(2):
            self.asleep.set()

    with awake:

        @rr.reaction(tick, effects=out, deadline=10)
        def work(self):
            self.out.set("in time")

        @work.on_deadline_miss
        def late(self):
            self.out.set("late")


def test_a_trace_tells_handlers_and_modes(workers):
    """A handler in place of its body, a transition as what a body set."""
    clock = VirtualClock()
    options = {"clock": clock, "timeout": rr.msec(3), "workers": workers}
    trace = record_trace(Guarded(clock), **options)
    out, load, work = Effect("set", "Guarded.out"), "Guarded.load", "Guarded.work"
    at = [rr.Tag(rr.msec(n), 0) for n in range(4)]
    assert trace.rows == (
        TraceRow(at[0], load),
        TraceRow(at[0], work, (out,)),
        TraceRow(at[1], load),
        TraceRow(at[1], work, (out,), is_handler=True),
        TraceRow(at[2], load, (Effect("enter", "Guarded.asleep", text="reset"),)),
        TraceRow(at[2], work, (out,)),
        TraceRow(at[3], load),
    )
    assert str(trace.rows[3]).startswith("Guarded.work, the handler of its missed deadline, at Tag")


def test_a_trace_tells_how_a_mode_is_entered():
    """By reset or by history, as the reaction declares it, and without a value."""

    class Main(rr.Reactor):
        here, there = rr.Mode(initial=True), rr.Mode()
        again = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=(there, again))
        def go(self):
            self.there.set()
            self.again.schedule(delay=1)

        @rr.reaction(again, effects=rr.history(here))
        def back(self):
            self.here.set()

    lines = str(record_trace(Main, values=True)).splitlines()
    assert lines[1] == "  enter Main.there (reset)"
    assert lines[4] == "  enter Main.here (history)"


def test_a_simulation_of_modes_and_deadlines(workers):
    """Steps show what the reactor sets in its modes, on time and late."""
    clocks = []

    def make():
        clocks.append(Handed())
        return Guarded(clocks[0])

    with Simulation(make, workers=workers) as sim:
        clocks[0].clock = sim.clock
        steps = sim.run_until(rr.msec(4))
    assert [list(step.outputs.values()) for step in steps] == [
        ["in time"],
        ["late"],
        ["in time"],
        [],
        [],
    ]


class Idles(rr.Reactor):
    awake = rr.Mode(initial=True)


class Turning(rr.Reactor):
    """Its mode changes; one of them has a child with modes of its own."""

    turn = rr.Input()
    day, night = rr.Mode(initial=True), rr.Mode()

    def __init__(self):
        with self.night:
            self.child = Idles()

    @rr.reaction(turn, effects=(day, night))
    def change(self):
        (self.night if self.turn.value else self.day).set()


def test_a_simulation_tells_which_modes_are_active(workers):
    """Before the start, at rest, and after the end; within a mode that is left none is active."""
    sim = Simulation(Turning, workers=workers)
    day, night = sim.main.day, sim.main.night
    inner = sim.main.child.awake

    def active():
        return [sim.is_active(mode) for mode in (day, Turning.night, inner)]

    with sim:
        assert active() == [True, False, False]
        sim.feed({"turn": True}, at=5)
        sim.run_until(4)
        assert active() == [True, False, False]
        sim.step()
        assert active() == [False, True, True]
        assert [sim.is_active(str(mode)) for mode in (day, night)] == [False, True]
        assert sim.is_active("Turning.child.awake")
        sim.feed({"turn": False})
        sim.step()
        assert active() == [True, False, False]
    assert active() == [True, False, False]
    for key in (Guarded.awake, "awake", 3, None, Turning().day, Turning.turn):
        with pytest.raises(
            TypeError, match=r"is no mode of the program; there are: Turning\.day, "
        ):
            sim.is_active(key)


class Handed:
    """A clock for reactors that are made before the simulation has one."""

    def advance(self, delta):
        self.clock.advance(delta)


def test_a_simulation_of_enclaves(workers):
    """Each tag is one step, of all enclaves, the smallest first."""

    class Two(rr.Reactor):
        inp, out = rr.Input(), rr.Output()

        def __init__(self):
            self.near = Adder()
            self.far = rr.enclave(Adder())
            self.connect(self.inp, self.near.left)
            self.connect(self.near.total, self.far.left, after=rr.msec(1))
            self.connect(self.far.total, self.out, after=0)

    with Simulation(Two, workers=workers) as sim:
        sim.feed({Two.inp: 4}, at=5)
        steps = sim.run()
    seen = [(step.tag, step.reactions, list(step.outputs.values())) for step in steps]
    late = rr.msec(1) + 5
    assert [row for row in seen if row[1] or row[2]] == [
        (rr.Tag(5, 0), ("Two.near.add",), []),
        (rr.Tag(late, 0), ("Two.far.add",), []),
        (rr.Tag(late, 1), (), [4]),
        (rr.Tag(rr.msec(3) + 5, 0), ("Two.near.tell",), []),
        (rr.Tag(late + rr.msec(3), 0), ("Two.far.tell",), []),
    ]
    assert sim.finish().stop_tag.time == late + rr.msec(3)


# Digests.


@dataclasses.dataclass
class Point:
    x: int
    y: list


class Plain:
    def __init__(self, x):
        self.x = x

    @functools.cached_property
    def twice(self):
        return self.x * 2


class Slots:
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x


class Color(enum.Enum):
    RED = 1
    BLUE = 2


def cycle(x):
    found = [x]
    found.append(found)
    return found


VALUES = [
    lambda: None,
    lambda: 0,
    lambda: False,
    lambda: 0.0,
    lambda: -0.0,
    lambda: float("nan"),
    lambda: "",
    lambda: b"",
    lambda: bytearray(b""),
    list,
    tuple,
    dict,
    set,
    lambda: [1, [2]],
    lambda: [[1], 2],
    lambda: (1, [2]),
    lambda: {"a": 1, "b": 2},
    lambda: {"b": 2, "a": 1},
    lambda: {"a", "b", "c", "d"},
    lambda: collections.deque([1, 2]),
    lambda: np.zeros(3),
    lambda: np.zeros(3, np.float32),
    lambda: np.zeros((3, 1)),
    lambda: np.array([0.0, 0.0, 1.0]),
    lambda: np.array([[1, "a"]], object),
    lambda: np.float32(0),
    lambda: Point(1, [2]),
    lambda: Point(1, [3]),
    lambda: Plain(1),
    lambda: Plain([1]),
    lambda: Slots(1),
    lambda: Slots(2),
    lambda: Color.RED,
    lambda: Color.BLUE,
    lambda: cycle(1),
    lambda: cycle(2),
    lambda: np.random.default_rng(1),
    lambda: np.random.default_rng(2),
    lambda: len,
    lambda: Plain,
]


def test_equal_values_have_equal_digests_and_others_do_not():
    """Every value against itself made again, and against every other."""
    digests = [digest(make()) for make in VALUES]
    assert [digest(make()) for make in VALUES] == digests
    for (i, a), (k, b) in itertools.combinations(enumerate(digests), 2):
        assert a != b, (VALUES[i](), VALUES[k]())


def test_a_cached_property_does_not_count():
    """Looking at it is no change."""
    value = Plain(4)
    before = digest(value)
    assert value.twice == 8
    assert digest(value) == before


def test_digests_of_tensors():
    """dtype, shape and contents; not whether a gradient is wanted."""
    torch = pytest.importorskip("torch")
    a = torch.tensor([1.0, 2.0])
    assert digest(a) == digest(torch.tensor([1.0, 2.0]))
    assert digest(a) != digest(torch.tensor([1.0, 3.0]))
    assert digest(a.bfloat16()) == digest(a.clone().bfloat16())
    assert len({digest(a), digest(a.double()), digest(a.reshape(2, 1))}) == 3


# Determinism.


def test_a_deterministic_program_passes():
    """Reports, traces and the digest are equal; the first report comes back."""
    report = assert_deterministic(
        Pipe, repeats=2, timeout=200, digest=lambda main: main.source.count
    )
    assert report.stop_tag == rr.Tag(200, 0)
    assert report.trace_hash == rr.run(Pipe(), fast=True, timeout=200).trace_hash


class Racing(rr.Reactor):
    """Members of a bank append to one list behind the runtime's back."""

    def __init__(self):
        self.log = []
        self.source = Source(1)
        self.racers = rr.Bank(6, Racer, self.log)
        self.connect(self.source.out, self.racers.inp, broadcast=True)


class Racer(rr.Reactor):
    inp, out = rr.Input(), rr.Output()

    def __init__(self, log):
        self.log = log

    @rr.reaction(inp, effects=out)
    def race(self):
        self.log.append(self.bank_index)
        self.out.set(len(self.log))


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="with the GIL bodies take turns"
)
def test_a_race_is_found_and_shown():
    """What depends on who comes first: the digest differs, the traces part at a racer."""
    with pytest.raises(AssertionError) as raised:
        assert_deterministic(
            Racing, workers=(1, 4), repeats=5, timeout=3000, digest=lambda main: main.log
        )
    text = str(raised.value)
    assert text.startswith(
        "1 workers and 4 workers (run 1) do not do the same:\n  digest: [0, 1, 2"
    )
    assert "Repeated with traces, the traces part at Tag(time=" in text
    assert "Racing.racers[" in text


def test_workers_may_be_one_number():
    """It is compared with one worker."""
    seen = []

    def make():
        seen.append(Adder())
        return seen[-1]

    assert_deterministic(make, workers=2)
    assert len(seen) == 2


def test_a_difference_is_shown_with_both_sides():
    """Here each instance differs from the one before."""
    steps = itertools.count(1)
    with pytest.raises(AssertionError) as raised:
        assert_deterministic(lambda: Stopping(next(steps)), workers=(1, 2), delays_seed=None)
    lines = str(raised.value).splitlines()
    assert lines[0] == "1 workers and 2 workers (run 1) do not do the same:"
    assert "  stop_tag: Tag(time=1, microstep=1), then Tag(time=2, microstep=1)" in lines
    assert any("Repeated with traces, the traces part at" in line for line in lines)


class Stopping(rr.Reactor):
    act = rr.LogicalAction()

    def __init__(self, delay):
        self.delay = delay

    @rr.reaction(rr.startup, effects=act)
    def start(self):
        self.act.schedule(delay=self.delay)

    @rr.reaction(act)
    def stop(self):
        pass


def test_a_digest_alone_may_differ():
    """Then the text says that no port shows it."""
    counts = itertools.count()
    with pytest.raises(AssertionError, match="in state that no port shows"):
        assert_deterministic(lambda: Stopping(1), workers=(1, 1), digest=lambda main: next(counts))


def test_the_same_error_in_all_runs_is_that_error():
    """A program that always raises the same is deterministic; the error comes out."""

    class Main(rr.Reactor):
        def __init__(self):
            self.fails = rr.Bank(3, Fails)
            self.add_reaction(self.start, rr.startup, effects=self.fails.inp)

        def start(self):
            for each in self.fails:
                each.inp.set(each.bank_index)

    with pytest.raises(rr.ReactionError, match=r"Main\.fails\[0\]\.fail"):
        assert_deterministic(Main)


def test_errors_that_differ_are_a_difference():
    """Their texts are compared."""
    numbers = itertools.count()

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            raise ValueError(next(numbers))

    with pytest.raises(AssertionError, match=r"ValueError: 0'?, then .*ValueError: 1"):
        assert_deterministic(Main, workers=(1, 2))


def test_what_determinism_refuses():
    """Programs, instances used twice, nothing to compare."""
    with pytest.raises(TypeError, match="returns the main reactor, not a Program"):
        assert_deterministic(lambda: rr.Program(Adder()))
    main = Adder()
    with pytest.raises(rr.PhaseError, match="make a new one at each call"):
        assert_deterministic(lambda: main)
    with pytest.raises(ValueError, match="nothing to compare"):
        assert_deterministic(Adder, workers=0)
    with pytest.raises(ValueError, match="nothing to compare"):
        assert_deterministic(Adder, workers=())
