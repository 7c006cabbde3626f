"""After a run nothing is left: no reactor, no payload, no thread."""

import gc
import sys
import threading
import weakref

import pytest
from programs import (
    Collect,
    Door,
    Emit,
    Fails,
    Pass,
    Payload,
    Trace,
    Wire,
    chain,
    every_way,
    run,
    running,
    wait,
)

import reactorrl as rr


def assert_gone(references):
    gc.collect()
    left = [reference() for reference in references if reference() is not None]
    assert not left, (
        f"{len(left)} of {len(references)} are left, as {left[0]!r} by {gc.get_referrers(left[0])}"
    )


# -- what is left after a run


def test_no_payload_is_left_whatever_became_of_it(workers):
    """Payloads delivered, overwritten, dropped, replaced, cancelled or never due are released."""
    made = []
    report = run(every_way(made), workers, timeout=100)
    assert len(made) == 18
    assert report.stop_tag == rr.Tag(100, 0)
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
    """An assembled program that is not started is plain garbage; so is one that failed to."""
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


# -- finalisers


def test_a_finaliser_that_raises_is_reported_and_harmless(workers, monkeypatch):
    """An error in a payload's __del__ goes to sys.unraisablehook, and the program goes on."""
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
    """A payload's __del__ may call a physical action: as any thread, or as the running body."""
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
    """Sixteen bodies raise at one tag: the same error and notes on every run, nothing left."""
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
    """A program that nobody refers to any more runs to its end, and then everything goes."""
    ended, references = threading.Event(), []

    class Main(rr.Reactor):
        step = rr.LogicalAction()
        go_on = threading.Event()

        @rr.reaction(rr.startup, step, effects=step)
        def on(self):
            if self.tag.microstep == 100:
                wait(self.go_on)
            if self.tag.microstep < 10_000:
                self.step.schedule()

        @rr.reaction(rr.shutdown)
        def end(self):
            ended.set()

    program = rr.Program(Main(), workers=workers, fast=True)
    references.append(weakref.ref(program))
    program.start()
    del program
    gc.collect()
    Main.go_on.set()
    wait(ended)
    assert_gone(references)
