"""Programs as objects: reports, background runs, several at once."""

import random
import threading

import pytest
from programs import BOUND, Collect, Emit, Pass, Trace, Wide, Wire, chain, prepared, run, wait

import reactorrl as rr


class Idle(rr.Reactor):
    """Tells when it has started, and records its end."""

    def __init__(self, trace):
        self.trace, self.started = trace, threading.Event()

    @rr.reaction(rr.startup)
    def start(self):
        self.started.set()

    @rr.reaction(rr.shutdown)
    def end(self):
        self.trace(self, "shutdown")


# -- reports


def test_a_report_counts_reactions_events_and_tags(workers):
    """Bodies run, events handled (timers, actions, delays), tags processed with the stop tag."""

    class Main(rr.Reactor):
        tick = rr.Timer(0, 10)
        act = rr.LogicalAction(5)

        @rr.reaction(tick, effects=act)
        def on_tick(self):
            self.act.schedule()

        @rr.reaction(act)
        def on_act(self):
            pass

    report = run(Main(), workers, timeout=20)
    assert (report.reactions, report.events, report.tags) == (3 + 2, 3 + 2, 5)
    assert report.stop_tag == rr.Tag(20, 0)
    assert report.wall_time_s > 0


def test_events_that_meet_are_counted_one_by_one(workers):
    """Two events at one tag are two events; a delayed broadcast is one, however many it reaches."""

    def build(self):
        self.a, self.bank, self.c = Emit(1, 2), rr.Bank(5, Collect, Trace()), Collect(Trace())
        self.connect(self.a.out, self.bank.inp, after=10, broadcast=True)
        self.connect(self.a.out, self.c.inp, after=20)

    report = run(Wire(build), workers)
    # Emit's own event at 10; the bank's at 10 and 20, the other's at 20 and 30.
    assert (report.events, report.tags, report.stop_tag) == (5, 5, rr.Tag(30, 1))


def test_a_report_counts_each_reaction_and_worker(workers):
    """Runs of each reaction by path, and of each worker; times only with profile=True."""

    def build(self):
        self.bank, self.sink = rr.Bank(2, Emit, 1, 2, 3), Collect(Trace())
        self.connect(self.bank[1].out, self.sink.inp)

    counts = {"Wire.bank[0].emit": 3, "Wire.bank[1].emit": 3, "Wire.sink.collect": 3}
    report = run(Wire(build), workers)
    assert report.reaction_counts == counts
    assert report.reaction_times_s is None
    assert sum(worker.reactions for worker in report.workers) == report.reactions == 9
    profiled = run(Wire(build), workers, profile=True)
    assert profiled.reaction_times_s.keys() == counts.keys()
    assert all(0 < seconds < profiled.wall_time_s for seconds in profiled.reaction_times_s.values())


def test_a_report_prints_as_a_short_table(workers):
    """str(report) shows the figures."""
    report = run(chain(Emit(*range(7)), Pass(), Collect(Trace())), workers)
    text = str(report)
    assert "21" in text
    assert len(text.splitlines()) >= 3
    assert repr(report.stop_tag) in text or str(report.stop_tag) in text


def test_trace_hash_is_equal_for_equal_behaviour_and_every_number_of_workers():
    """The same program gives one hash, another one a different hash."""
    hashes = {run(chain(Emit(1, 2), Pass(), Collect(Trace())), n).trace_hash for n in (1, 2, 4, 8)}
    assert len(hashes) == 1
    assert run(chain(Emit(1, 2, 3), Pass(), Collect(Trace()))).trace_hash not in hashes


# -- in the background


def test_a_started_program_runs_until_it_is_stopped(workers):
    """start() returns, stop() asks for the next microstep, join() waits and gives the report."""
    trace = Trace()
    main = Idle(trace)
    program = prepared(main, workers, keepalive=True)
    program.start()
    wait(main.started)
    program.stop()
    report = program.join()
    assert trace.events == [((0, 1), "shutdown")]
    assert report.stop_tag == rr.Tag(0, 1)


def test_a_started_program_may_end_by_itself(workers):
    """join() alone waits for the regular end."""
    trace = Trace()
    program = prepared(chain(Emit(1, 2), Collect(trace)), workers, fast=True)
    program.start()
    assert program.join().stop_tag == rr.Tag(10, 1)
    assert trace.events == [((0, 0), 1), ((10, 0), 2)]


def test_join_may_be_called_again_and_by_several_threads(workers):
    """Every join() gives the same report; one with a timeout gives None while the program runs."""
    main = Idle(Trace())
    program = prepared(main, workers, keepalive=True)
    program.start()
    wait(main.started)
    assert program.join(timeout=rr.usec(1)) is None
    reports = []
    threads = [threading.Thread(target=lambda: reports.append(program.join())) for _ in range(4)]
    for thread in threads:
        thread.start()
    program.stop()
    program.stop()
    for thread in threads:
        thread.join(BOUND)
    program.stop()
    assert [report.stop_tag for report in reports] == [rr.Tag(0, 1)] * 4
    assert program.join().trace_hash == reports[0].trace_hash


def test_there_may_be_many_more_workers_than_processors():
    """A program with 40 workers on any machine behaves as with one."""

    def build(self):
        self.src, self.bank = Emit(*range(20)), rr.Bank(100, Pass)
        self.connect(self.src.out, self.bank.inp, broadcast=True)

    one, many = run(Wire(build), 1), run(Wire(build), 40)
    assert len(many.workers) == 40
    assert (many.trace_hash, many.reactions) == (one.trace_hash, 20 + 2000)


def test_join_raises_what_run_would_raise(workers):
    """An error of a background run comes out of join()."""

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            raise ValueError("here")

    program = prepared(Main(), workers)
    program.start()
    with pytest.raises(rr.ReactionError) as e:
        program.join()
    assert e.value.__cause__.args == ("here",)


def test_a_program_is_a_context_manager(workers):
    """Leaving the block ends the program in good order: shutdown runs, no thread is left."""
    trace = Trace()
    main = Idle(trace)
    with prepared(main, workers, keepalive=True) as program:
        program.start()
        wait(main.started)
    assert trace.events == [((0, 1), "shutdown")]


def test_a_program_runs_once(workers):
    """A program that has run cannot be started again."""
    program = prepared(Emit(1), workers, fast=True)
    assert program.run().reactions == 1
    with pytest.raises(rr.PhaseError):
        program.run()
    with pytest.raises(rr.PhaseError):
        program.start()


def test_stop_may_come_from_any_thread(workers):
    """Another thread ends a program that run() waits for."""
    trace = Trace()
    main = Idle(trace)
    program = prepared(main, workers, keepalive=True)

    def stop():
        wait(main.started)
        program.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    report = program.run()
    stopper.join(BOUND)
    assert not stopper.is_alive()
    assert (report.stop_tag, trace.events) == (rr.Tag(0, 1), [((0, 1), "shutdown")])


def test_stop_may_come_before_start_returns(workers):
    """A body runs while start() is still on its way; who is told by it may stop the program."""
    main = Idle(Trace())
    program = prepared(main, workers, keepalive=True)
    runtime = program._runtime

    class Slow:
        def start(self):
            runtime.start()
            wait(main.started)
            program.stop()

        def __getattr__(self, name):
            return getattr(runtime, name)

    program._runtime = Slow()
    program.start()
    program._runtime = runtime
    assert program.join(rr.sec(BOUND)).stop_tag == rr.Tag(0, 1)


def test_stop_comes_between_tags(workers):
    """The tag being processed completes; the stop tag is one microstep after it."""
    trace, entered, go_on = Trace(), threading.Event(), threading.Event()

    class Main(rr.Reactor):
        tick = rr.Timer(0, 10)

        @rr.reaction(tick)
        def first(self):
            if self.tag.time == 20:
                entered.set()
                wait(go_on)
            trace(self, "first")

        @rr.reaction(tick)
        def second(self):
            trace(self, "second")

        @rr.reaction(rr.shutdown)
        def end(self):
            trace(self, "shutdown")

    program = prepared(Main(), workers, fast=True)
    program.start()
    wait(entered)
    program.stop()
    go_on.set()
    assert program.join().stop_tag == rr.Tag(20, 1)
    assert trace.events[-3:] == [((20, 0), "first"), ((20, 0), "second"), ((20, 1), "shutdown")]


# -- several programs


def test_programs_one_after_another_do_not_know_of_each_other(workers):
    """Fifty programs in a row: each has the same trace and the same hash."""
    seen = set()
    for _ in range(50):
        trace = Trace()
        report = run(chain(Emit(1, 2), Pass(5), Collect(trace)), workers)
        assert trace.events == [((0, 0), 5), ((10, 0), 10)]
        seen.add((report.trace_hash, report.stop_tag, report.reactions))
    assert len(seen) == 1


def test_programs_at_once_do_not_know_of_each_other(workers):
    """Several programs on several threads: each has its own time, trace and end."""
    results = {}

    def go(k):
        trace = Trace()
        report = run(chain(Emit(*range(200), period=k), Pass(k), Collect(trace)), workers)
        results[k] = (trace.events, report.stop_tag)

    threads = [threading.Thread(target=go, args=(k,)) for k in range(1, 6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(BOUND * 3)
    assert results == {
        k: ([((i * k, 0), i * k) for i in range(200)], rr.Tag(199 * k, 1)) for k in range(1, 6)
    }


def test_a_body_may_run_another_program(workers):
    """A program inside of a body has its own tags, and the outer one goes on after it."""
    inner, outer = Trace(), Trace()

    class Main(rr.Reactor):
        tick = rr.Timer(0, 5)

        @rr.reaction(tick)
        def on_tick(self):
            run(chain(Emit(self.tag.time), Collect(inner)), workers)
            outer(self, "back")

    run(Main(), workers, timeout=10)
    assert outer.events == [((0, 0), "back"), ((5, 0), "back"), ((10, 0), "back")]
    assert [row[2] for row in inner.rows] == [0, 5, 10]


def test_a_body_may_build_reactors(workers):
    """Only the running program's structure is fixed; new reactors can be made anywhere."""
    made = []

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            made.append(chain(Emit(1), Pass()))

    run(Main(), workers)
    assert run(made[0], workers).reactions == 2


# -- what a reactor knows of itself


def test_tags_are_asked_for_inside_of_bodies_only(workers):
    """tag, physical_elapsed, lag and request_stop raise PhaseError outside of its bodies."""
    other = []

    class Main(rr.Reactor):
        def __init__(self):
            self.child = Pass()

        @rr.reaction(rr.startup)
        def start(self):
            with pytest.raises(rr.PhaseError):
                self.child.tag  # noqa: B018
            with pytest.raises(rr.PhaseError):
                self.child.request_stop()
            other.append(self.tag)

    main = Main()
    for _ in range(2):
        for ask in (lambda: main.tag, main.physical_elapsed, main.lag, main.request_stop):
            with pytest.raises(rr.PhaseError):
                ask()
        if not other:
            run(main, workers)
    assert other == [rr.Tag(0, 0)]


def test_a_path_is_known_once_the_tree_is_built():
    """path names a reactor from main down, in and out of bodies."""

    def build(self):
        self.bank, self.box = rr.Bank(2, Pass), Wire(lambda box: setattr(box, "inner", Pass()))

    main = Wire(build)
    assert [main.path, main.bank[1].path, main.box.inner.path] == [
        "Wire",
        "Wire.bank[1]",
        "Wire.box.inner",
    ]


def hash_of(workers, *, values=(1, 2), delay=5, is_set=True, schedules=True, name="on"):
    class Main(rr.Reactor):
        out = rr.Output()
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, effects=(out, act))
        def start(self):
            if is_set:
                self.out.set(values[0])
            if schedules:
                self.act.schedule(values[1], delay=delay)

    def on(self):
        pass

    body = rr.reaction(Main.act)(on)
    main = type("Main", (Main,), {name: body})
    return run(main(), workers, timeout=100, keepalive=True).trace_hash


def test_trace_hash_is_of_tags_reactions_ports_and_actions(workers):
    """A tag, a reaction, a port set or an action scheduled changes the hash; a value does not."""
    base = hash_of(1)
    assert hash_of(workers) == hash_of(workers, values=("x", None)) == base
    others = [
        hash_of(workers, delay=6),
        hash_of(workers, is_set=False),
        hash_of(workers, schedules=False),
        hash_of(workers, name="other"),
    ]
    assert len({base, *others}) == 5


def test_delays_in_bodies_change_nothing(workers):
    """Bodies that take random time on any worker give the same trace and the same hash."""

    class Slow(Pass):
        def forward(self):
            for _ in range(random.randrange(3000)):
                pass
            super().forward()

    def go(n, stage):
        trace = Trace()

        def build(self):
            self.src, self.sink = Emit(*range(20)), Wide(trace, 6)
            self.first, self.second = rr.Bank(6, stage, 2), rr.Bank(6, stage, 3)
            self.connect(self.src.out, self.first.inp, broadcast=True)
            self.connect(self.first.out, self.second.inp, after=3)
            self.connect(self.second.out, self.sink.inp)

        return trace, run(Wire(build), n).trace_hash

    expected, expected_hash = go(1, Pass)
    trace, trace_hash = go(workers, Slow)
    assert trace.rows == expected.rows
    assert trace.rows[-1] == ((193, 0), "Wire.sink", dict.fromkeys(range(6), 19 * 6))
    assert trace_hash == expected_hash
