"""After a run nothing is left: no reactor, no payload, no thread; and memory stays where it was."""

import gc
import os
import sys
import threading
import tracemalloc
import weakref
from pathlib import Path

import pytest
from programs import Collect, Door, Emit, Pass, Trace, Wire, chain, run, running, wait

import reactorrl as rr

MEBIBYTE = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")


class Payload:
    """Something that a weak reference can watch."""

    def __init__(self, k=0):
        self.k = k

    def __mul__(self, factor):
        return self


def rss():
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def assert_gone(references):
    gc.collect()
    left = [reference() for reference in references if reference() is not None]
    assert not left, (
        f"{len(left)} of {len(references)} are left, the first: {left[0]!r} {gc.get_referrers(left[0])}"
    )


# -- what is left after a run


class Handles(rr.Reactor):
    """Makes payloads that are replaced, cancelled, dropped, updated away, deferred, overwritten, too late."""

    out = rr.Output()
    plain = rr.LogicalAction()
    drop = rr.LogicalAction(min_spacing=10, policy="drop")
    replace = rr.LogicalAction(min_spacing=10, policy="replace")
    update = rr.LogicalAction(min_spacing=10, policy="update")

    def __init__(self, made):
        self.made = made

    def payload(self):
        payload = Payload()
        self.made.append(weakref.ref(payload))
        return payload

    @rr.reaction(rr.startup, effects=(out, plain, drop, replace, update))
    def start(self):
        self.out.set(self.payload())
        self.out.set(self.payload())
        for action in (self.plain, self.drop, self.replace, self.update):
            for delay in (5, 5, 6, 10**6):
                self.handle = action.schedule(self.payload(), delay=delay)
            self.handle.cancel()

    @rr.reaction(plain, drop, replace, update, effects=out)
    def on_action(self):
        self.out.set([a.get() for a in (self.plain, self.drop, self.replace, self.update)])


def every_way(made):
    def build(self):
        self.src = Handles(made)
        self.now, self.delayed = rr.Bank(3, Collect, Trace()), rr.Bank(3, Collect, Trace())
        self.never = Collect(Trace())
        self.connect(self.src.out, self.now.inp, broadcast=True)
        self.connect(self.src.out, self.delayed.inp, broadcast=True, after=3)
        self.connect(self.src.out, self.never.inp, after=10**7)

    return Wire(build)


def test_no_payload_is_left_whatever_became_of_it(workers):
    """Payloads that were delivered, overwritten, dropped, replaced, cancelled or never due are all released."""
    made = []
    report = run(every_way(made), workers, timeout=100)
    assert len(made) == 18
    assert report.stop_tag == rr.Tag(8, 1) or report.stop_tag == rr.Tag(100, 0)
    del report
    assert_gone(made)


def tree(reactor, found):
    found.append(weakref.ref(reactor))
    for value in vars(reactor).values():
        for item in value if isinstance(value, (list, rr.Bank)) else [value]:
            if isinstance(item, rr.Reactor):
                tree(item, found)
    return found


def test_no_reactor_and_no_program_is_left(workers):
    """With the last reference to it, a program goes with all its reactors."""
    main = every_way([])
    program = rr.Program(main, workers=workers, fast=True, timeout=100)
    references = [*tree(main, []), weakref.ref(program)]
    program.run()
    del main, program
    assert len(references) == 10
    assert_gone(references)


def test_a_program_that_never_runs_leaves_nothing():
    """An assembled program that is not started is plain garbage; so is one that failed to assemble."""
    main = every_way([])
    references = [*tree(main, []), weakref.ref(rr.Program(main))]
    del main

    bad = Wire(lambda self: self.connect(setattr(self, "a", Pass()) or self.a.out, self.a.inp))
    references.append(weakref.ref(bad))
    with pytest.raises(rr.CausalityLoopError):
        rr.Program(bad)
    del bad
    assert_gone(references)


def test_an_error_keeps_its_frames_and_nothing_longer(workers):
    """Reactors live as long as the traceback of a ReactionError that the user keeps."""
    main = chain(Emit(Payload(), Payload()), Pass("not a number, so a Payload times it"), Fails())
    references = tree(main, [])
    with pytest.raises(rr.ReactionError) as e:
        run(main, workers)
    del main
    assert e.value.__cause__.args == ("failed",)
    del e
    assert_gone(references)


class Fails(rr.Reactor):
    inp = rr.Input()

    @rr.reaction(inp)
    def fail(self):
        raise ValueError("failed")


def test_pending_physical_events_are_released(workers):
    """What waits in the inbox or in the queue at the end goes with the program."""
    main = Door(is_held=True)
    made = []
    with running(main, workers) as program:
        for delay in (0, rr.sec(3600)):
            for _ in range(10):
                payload = Payload()
                made.append(weakref.ref(payload))
                handle = main.act.schedule(payload, delay=delay)
                del payload
        handle.cancel()
        program.stop()
        main.go_on.set()
    main.seen.clear()
    del main, program, handle
    assert_gone(made)


def test_threads_state_goes_with_the_workers(workers):
    """Thread-locals of bodies die with the workers, and threading forgets them."""
    made, local, before = [], threading.local(), threading.active_count()

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            local.value = Payload()
            made.append(weakref.ref(local.value))
            assert threading.current_thread() in threading.enumerate()

    def build(self):
        self.bank = rr.Bank(16, Main)

    run(Wire(build), workers)
    assert len(made) == 16
    if workers == 1:  # the only worker may be the caller's thread
        vars(local).clear()
    assert_gone(made)
    assert threading.active_count() == before


def test_reference_counts_balance(workers):
    """A payload that went everywhere has afterwards the references that it had before."""
    payloads = [Payload(k) for k in range(50)]
    gc.collect()
    before = [sys.getrefcount(p) for p in payloads]

    def build(self):
        self.src, self.mid = Emit(*payloads), Pass()
        self.sinks, self.late = rr.Bank(4, Collect, Trace()), Collect(Trace())
        self.connect(self.src.out, self.mid.inp)
        self.connect(self.mid.out, self.sinks.inp, broadcast=True)
        self.connect(self.mid.out, self.late.inp, after=15)

    run(Wire(build), workers, timeout=400)
    gc.collect()
    assert [sys.getrefcount(p) for p in payloads] == before


# -- memory


def one_of_many(k):
    run(every_way([]), 1 + k % 3, timeout=100)
    if k % 4 == 0:
        with pytest.raises(rr.ReactionError):
            run(chain(Emit(0), Fails()), 2)


@pytest.mark.parametrize("is_traced", [False, True])
def test_many_programs_keep_memory_where_it_is(is_traced, is_long):
    """Programs in a row, with and without errors: neither Python nor the process holds more and more."""
    rounds = 5000 if is_long else 300
    if is_traced:
        tracemalloc.start()
    try:
        for k in range(400):  # fills the interpreter's free lists
            one_of_many(k)
        gc.collect()
        resident, traced = rss(), tracemalloc.get_traced_memory()[0]
        for k in range(rounds):
            one_of_many(k)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - traced
    finally:
        tracemalloc.stop()
    assert grown < 20 * rounds, f"{grown / rounds:.0f} bytes a program"
    if not is_traced:  # tracing itself takes memory
        assert rss() - resident < MEBIBYTE + 200 * rounds


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


# -- finalisers


def test_a_finaliser_that_raises_is_reported_and_harmless(workers, monkeypatch):
    """An error in a payload's __del__ goes to sys.unraisablehook, one for each, and the program goes on."""
    reported = []
    monkeypatch.setattr(sys, "unraisablehook", lambda hook: reported.append(type(hook.exc_value)))

    class Raises:
        def __del__(self):
            raise LookupError

    class Source(rr.Reactor):
        out = rr.Output()
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, act, effects=(out, act))
        def on(self):
            if self.tag.microstep < 20:
                self.out.set(Raises())
                self.act.schedule(Raises())

    trace = Trace()

    class Count(Collect):
        def collect(self):
            self.trace(self, self.inp.is_present)

    report = run(chain(Source(), Count(trace)), workers)
    gc.collect()
    assert trace.events == [((0, k), True) for k in range(20)]
    assert report.stop_tag == rr.Tag(0, 21)
    assert reported == [LookupError] * 40


def test_a_finaliser_may_schedule(workers):
    """A payload's __del__ may call a physical action: it counts as any thread, or as the body that it interrupts."""
    outcomes = []

    class Schedules:
        def __init__(self, act):
            self.act = act

        def __del__(self):
            try:
                self.act.schedule("from a finaliser")
                outcomes.append("scheduled")
            except rr.ReactorError as e:
                outcomes.append(type(e).__name__)

    class Main(rr.Reactor):
        act = rr.PhysicalAction()
        step = rr.LogicalAction()

        def __init__(self):
            self.heard = 0

        @rr.reaction(rr.startup, step, effects=step)
        def on(self):
            if self.tag.microstep < 20:
                self.step.schedule(Schedules(self.act))

        @rr.reaction(act)
        def hear(self):
            self.heard += 1

    main = Main()
    report = run(main, workers, timeout=rr.sec(1))
    gc.collect()
    assert len(outcomes) == 20
    assert set(outcomes) <= {"scheduled", "PhaseError", "UndeclaredEffectError"}
    assert main.heard <= outcomes.count("scheduled")
    assert report.reactions == 21 + main.heard


# -- errors on several workers


@pytest.mark.parametrize("n_workers", [2, 4])
def test_errors_on_several_workers_give_one_error_every_time(n_workers):
    """Sixteen bodies that raise at the same time: the same error and notes on every run, nothing left."""
    references, seen = [], set()

    class Bad(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            for _ in range(3000):
                pass
            raise ValueError(self.bank_index)

    for _ in range(40):
        main = Wire(lambda self: setattr(self, "bank", rr.Bank(16, Bad)))
        references += tree(main, [])
        with pytest.raises(rr.ReactionError) as e:
            run(main, n_workers)
        seen.add((e.value.reaction, e.value.__cause__.args, tuple(e.value.__notes__)))
        del main, e
    assert len(seen) == 1
    ((reaction, args, notes),) = seen
    assert (reaction, args, len(notes)) == ("Wire.bank[0].start", (0,), 15)
    assert_gone(references)


def test_a_running_program_outlives_the_name_of_its_object(workers):
    """A program that nobody refers to any more ends in good order when it is collected, or by itself."""
    main = Door(n=3)
    program = rr.Program(main, workers=workers, keepalive=True, timeout=rr.msec(50))
    program.start()
    wait(main.started)
    act = main.act
    del program
    gc.collect()
    try:
        for i in range(3):
            act.schedule(i)
        wait(main.came)
        assert main.values == [0, 1, 2]
    except rr.PhaseError:
        assert main.values in ([], [0], [0, 1], [0, 1, 2])
