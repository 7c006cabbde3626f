"""Enclaves: each on its own time line, together what one time line would compute."""

import threading

import pytest
from programs import BOUND, Collect, Emit, Pass, Trace, Wire, run

import reactorrl as rr


def enclave_of(report, path):
    (found,) = [enclave for enclave in report.enclaves if enclave.path == path]
    return found


def piped(wrap, trace, n=20, after=5, **options):
    """Emit, Pass and Collect in a row, the first two wrapped, with a delay between them."""

    def build(self):
        self.src, self.mid = wrap(Emit(*range(n)), **options), wrap(Pass(2), **options)
        self.sink = Collect(trace)
        self.connect(self.src.out, self.mid.inp, after=after)
        self.connect(self.mid.out, self.sink.inp, after=after)

    return Wire(build)


def plain(reactor, **_):
    return reactor


@pytest.mark.parametrize("after", [0, 5])
def test_a_program_of_enclaves_computes_what_it_would_without(workers, after):
    """The same values at the same tags."""
    with_enclaves, without = Trace(), Trace()
    run(piped(rr.enclave, with_enclaves, after=after), workers)
    run(piped(plain, without, after=after), workers)
    assert with_enclaves.rows == without.rows
    assert with_enclaves.rows[0][0] == ((0, 2) if after == 0 else (10, 0))
    assert len(with_enclaves.rows) == 20


def test_the_trace_hash_does_not_depend_on_workers(workers):
    """Neither on those of the program nor on those of the enclaves, nor on how fast each is."""
    hashes = {
        run(piped(rr.enclave, Trace(), workers=n), workers).trace_hash for n in (1, 2) for _ in "ab"
    }
    hashes.add(run(piped(rr.enclave, Trace()), 1).trace_hash)
    assert len(hashes) == 1


def test_a_small_capacity_makes_senders_wait_and_changes_nothing(workers):
    """One event under way at a time, and a sender that could run far ahead."""
    small, large = Trace(), Trace()
    run(piped(rr.enclave, small, n=200, capacity=1), workers)
    run(piped(rr.enclave, large, n=200), workers)
    assert small.rows == large.rows
    assert len(small.rows) == 200


def test_enclave_returns_what_it_is_given(workers):
    """A reactor, or a bank, each member of which becomes one."""
    trace = Trace()

    def build(self):
        self.src, self.sink = Emit(1), Collect(trace)
        bank = rr.Bank(3, Pass)
        self.bank = rr.enclave(bank)
        assert self.bank is bank
        self.last = rr.enclave(Pass(7))
        assert isinstance(self.last, Pass)
        self.connect(self.src.out, self.bank.inp, broadcast=True, after=1)
        self.connect(self.bank[0].out, self.last.inp, after=1)
        self.connect(self.last.out, self.sink.inp, after=1)

    report = run(Wire(build), workers)
    assert trace.events == [((3, 0), 7)]
    assert [enclave.path for enclave in report.enclaves] == [
        "Wire", "Wire.bank[0]", "Wire.bank[1]", "Wire.bank[2]", "Wire.last",
    ]  # fmt: skip


def test_an_idle_enclave_ends_after_its_last_tag(workers):
    """Each one microstep after it, once nobody can send any more; the program at the latest."""
    trace = Trace()
    report = run(piped(rr.enclave, trace, n=3), workers)
    # Emit: 0, 10, 20. Pass: 5, 15, 25. Collect: 10, 20, 30.
    assert enclave_of(report, "Wire.src").stop_tag == rr.Tag(20, 1)
    assert enclave_of(report, "Wire.mid").stop_tag == rr.Tag(25, 1)
    assert enclave_of(report, "Wire").stop_tag == rr.Tag(30, 1)
    assert report.stop_tag == rr.Tag(30, 1)


def test_shutdown_runs_at_the_end_of_each_enclave(workers):
    """At its own stop tag."""
    trace = Trace()

    class Ends(Pass):
        @rr.reaction(rr.shutdown)
        def end(self):
            trace(self, "end")

    def build(self):
        self.src, self.ends, self.alone = Emit(1, 2), rr.enclave(Ends()), rr.enclave(Ends())
        self.connect(self.src.out, self.ends.inp, after=5)

    run(Wire(build), workers)
    assert trace.rows == [((0, 1), "Wire.alone", "end"), ((15, 1), "Wire.ends", "end")]


def test_enclaves_in_a_circle_end_together(workers):
    """A value goes round until nobody passes it on: b then ends when an answer would have come."""
    trace = Trace()

    class Entry(rr.Reactor):
        inp, out = rr.Input(), rr.Output()

        @rr.reaction(rr.startup, inp, effects=out)
        def go(self):
            n = self.inp.get(0)
            trace(self, n)
            if n < 3:
                self.out.set(n + 1)

    def build(self):
        self.a, self.b = rr.enclave(Entry()), rr.enclave(Pass())
        self.connect(self.a.out, self.b.inp, after=2)
        self.connect(self.b.out, self.a.inp, after=3)

    report = run(Wire(build), workers)
    assert trace.rows == [((5 * n, 0), "Wire.a", n) for n in range(4)]
    assert enclave_of(report, "Wire.a").stop_tag == rr.Tag(15, 1)
    # What a could have sent at 15 would have come at 17.
    assert enclave_of(report, "Wire.b").stop_tag == rr.Tag(17, 0)


def test_a_timeout_ends_every_enclave_at_its_tag(workers):
    """As one program: who has nothing left starves before it; what happens at it happens."""
    trace = Trace()

    class Ticks(rr.Reactor):
        tick = rr.Timer(0, 10)

        @rr.reaction(tick)
        def on(self):
            trace(self, "tick")

        @rr.reaction(rr.shutdown)
        def end(self):
            trace(self, "end")

    def build(self):
        self.a, self.b = rr.enclave(Ticks()), rr.enclave(Ticks())

    report = run(Wire(build), workers, timeout=20)
    for name in "ab":
        assert trace.at(f"Wire.{name}") == [
            ((0, 0), "tick"), ((10, 0), "tick"), ((20, 0), "tick"), ((20, 0), "end"),
        ]  # fmt: skip
        assert enclave_of(report, f"Wire.{name}").stop_tag == rr.Tag(20, 0)
    assert enclave_of(report, "Wire").stop_tag == rr.Tag(0, 1)
    assert report.stop_tag == rr.Tag(20, 0)


def test_request_stop_travels_along_the_connections(workers):
    """The own enclave stops a microstep later, those it reaches as late as a value would come."""
    trace = Trace()

    class Stops(rr.Reactor):
        out = rr.Output()
        tick = rr.Timer(0, 10)

        @rr.reaction(tick, effects=out)
        def on(self):
            self.out.set(self.tag.time)
            if self.tag.time == 20:
                self.request_stop()

    class Sink(Collect):
        @rr.reaction(rr.shutdown)
        def end(self):
            self.trace(self, "end")

    def build(self):
        self.src, self.near = rr.enclave(Stops()), rr.enclave(Sink(trace))
        self.far = rr.enclave(Sink(trace))
        self.connect(self.src.out, self.near.inp, after=0)
        self.connect(self.src.out, self.far.inp, after=7)

    report = run(Wire(build), workers)
    assert trace.at("Wire.near") == [((0, 1), 0), ((10, 1), 10), ((20, 1), 20), ((20, 1), "end")]
    assert trace.at("Wire.far") == [((7, 0), 0), ((17, 0), 10), ((27, 0), 20), ((27, 0), "end")]
    stops = {enclave.path: enclave.stop_tag for enclave in report.enclaves}
    assert stops["Wire.src"] == stops["Wire.near"] == rr.Tag(20, 1)
    assert stops["Wire.far"] == rr.Tag(27, 0)


def test_a_body_that_raises_in_an_enclave_ends_the_program(workers):
    """Its enclave unwinds at that tag, those downstream end as by request_stop; run() raises."""
    trace = Trace()

    class Fails(rr.Reactor):
        out = rr.Output()
        tick = rr.Timer(0, 10)

        @rr.reaction(tick, effects=out)
        def on(self):
            self.out.set(self.tag.time)
            if self.tag.time == 20:
                raise ValueError("enough")

        @rr.reaction(rr.shutdown)
        def end(self):
            trace(self, "end")

    class Sink(Collect):
        @rr.reaction(rr.shutdown)
        def end(self):
            self.trace(self, "end")

    def build(self):
        self.src, self.sink = rr.enclave(Fails()), rr.enclave(Sink(trace))
        self.connect(self.src.out, self.sink.inp, after=7)

    with pytest.raises(rr.ReactionError) as e:
        run(Wire(build), workers)
    assert (e.value.reaction, e.value.tag) == ("Wire.src.on", rr.Tag(20, 0))
    assert trace.at("Wire.src") == [((20, 0), "end")]
    assert trace.at("Wire.sink")[:2] == [((7, 0), 0), ((17, 0), 10)]
    assert trace.at("Wire.sink")[-1] == ((27, 0), "end")


@pytest.mark.own_clock(reason="under a virtual clock enclaves take turns")
def test_unconnected_enclaves_do_not_wait_for_each_other(workers):
    """A body may last until another enclave is far ahead of it."""
    far_ahead = threading.Event()

    class Slow(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            assert far_ahead.wait(BOUND)

    class Quick(rr.Reactor):
        tick = rr.Timer(0, 10)

        @rr.reaction(tick)
        def on(self):
            if self.tag.time == 1000:
                far_ahead.set()

    def build(self):
        self.slow, self.quick = rr.enclave(Slow()), rr.enclave(Quick())

    report = rr.run(Wire(build), workers=workers, fast=True, timeout=1000)
    assert enclave_of(report, "Wire.slow").stop_tag == rr.Tag(0, 1)
    assert enclave_of(report, "Wire.quick").stop_tag == rr.Tag(1000, 0)


def test_an_enclave_waits_for_what_may_still_come(workers):
    """Its own timer at 20 comes after the value that a slow sender sends at 10 for 20."""
    trace = Trace()

    class Slow(rr.Reactor):
        out, tick = rr.Output(), rr.Timer(10)

        @rr.reaction(tick, effects=out)
        def on(self):
            for _ in range(200_000):
                pass
            self.out.set("slow")

    class Waits(rr.Reactor):
        inp, tick = rr.Input(), rr.Timer(20)

        @rr.reaction(tick, inp)
        def on(self):
            trace(self, (self.tick.is_present, self.inp.get()))

    def build(self):
        self.slow, self.waits = rr.enclave(Slow()), rr.enclave(Waits())
        self.connect(self.slow.out, self.waits.inp, after=10)

    run(Wire(build), workers)
    assert trace.events == [((20, 0), (True, "slow"))]


def test_enclaves_may_be_nested(workers):
    """One inside of another has a time line of its own, too."""
    trace = Trace()

    class Box(rr.Reactor):
        inp, out = rr.Input(), rr.Output()

        def __init__(self):
            self.inner, self.local = rr.enclave(Pass(3)), Pass(10)
            self.connect(self.inp, self.inner.inp, after=1)
            self.connect(self.inner.out, self.local.inp, after=1)
            self.connect(self.local.out, self.out)

    def build(self):
        self.src, self.box, self.sink = Emit(1, 2), rr.enclave(Box()), Collect(trace)
        self.connect(self.src.out, self.box.inp, after=1)
        self.connect(self.box.out, self.sink.inp, after=1)

    report = run(Wire(build), workers)
    assert trace.events == [((4, 0), 30), ((14, 0), 60)]
    assert [e.path for e in report.enclaves] == ["Wire", "Wire.box", "Wire.box.inner"]


def test_a_report_adds_the_enclaves_up(workers):
    """reactions, events and tags are sums; each enclave has its own line."""
    report = run(piped(rr.enclave, Trace(), n=3), workers)
    assert report.reactions == 3 * 3
    assert report.reaction_counts == {
        "Wire.src.emit": 3, "Wire.mid.forward": 3, "Wire.sink.collect": 3,
    }  # fmt: skip
    assert report.tags == sum(enclave.tags for enclave in report.enclaves)
    assert report.events == sum(enclave.events for enclave in report.enclaves)
    # Emit: 0, 10, 20 and the stop at (20, 1); two events of its action.
    src = enclave_of(report, "Wire.src")
    assert (src.tags, src.events) == (4, 2)


@pytest.mark.own_clock(reason="under a virtual clock no enclave is ahead of the clock")
def test_a_physical_event_lands_behind_what_others_rely_on(workers):
    """B was let go to one hour, as A was idle: A's event comes when it cannot reach B before."""
    trace, ahead, hour = Trace(), threading.Event(), rr.sec(3600)

    class Sender(rr.Reactor):
        act, out = rr.PhysicalAction(), rr.Output()

        @rr.reaction(act, effects=out)
        def on(self):
            trace(self, self.act.value)
            self.out.set(self.act.value)

    class Ahead(Collect):
        tick = rr.Timer(hour)

        @rr.reaction(tick)
        def far(self):
            ahead.set()

    def build(self):
        self.a, self.b = rr.enclave(Sender()), rr.enclave(Ahead(trace))
        self.connect(self.a.out, self.b.inp, after=10)

    main = Wire(build)
    program = rr.Program(main, workers=workers, fast=True)
    with main.a.act.producer():
        program.start()
        assert ahead.wait(BOUND)
        main.a.act.schedule("x")
    report = program.join()
    assert trace.at("Wire.a") == [((hour - 9, 0), "x")]
    assert trace.at("Wire.b") == [((hour + 1, 0), "x")]
    assert report.dropped == 0


def test_a_physical_connection_between_enclaves(workers):
    """Stamped with the time of arrival; it orders nothing."""
    trace = Trace()

    def build(self):
        self.src, self.sink = rr.enclave(Emit("x")), rr.enclave(Collect(trace))
        self.connect(self.src.out, self.sink.inp, physical=True)

    run(Wire(build), workers)
    assert [value for _, value in trace.events] == ["x"]


# -- mistakes


def problem_of(build, *words):
    with pytest.raises(rr.AssemblyError) as e:
        rr.Program(Wire(build), workers=1)
    assert any(all(word in problem for word in words) for problem in e.value.problems), (
        e.value.problems
    )


def test_enclaves_are_connected_with_a_delay():
    """A plain connection between two time lines is an error that says what to do."""

    def build(self):
        self.src, self.sink = rr.enclave(Emit(1)), Collect(Trace())
        self.connect(self.src.out, self.sink.inp)

    problem_of(build, "Wire.src.out", "Wire.sink.inp", "after=")


def test_a_containers_reaction_cannot_name_the_ports_of_an_enclave():
    """They belong to another time line; the error says to connect with a delay."""

    def build(self):
        self.src = rr.enclave(Emit(1))
        self.add_reaction(lambda: None, triggers=[self.src.out])

    problem_of(build, "Wire.src.out", "after=")


def test_an_enclave_cannot_be_in_a_mode():
    """Its time line cannot stand still."""

    class Main(rr.Reactor):
        a = rr.Mode(initial=True)

        def __init__(self):
            with self.a:
                self.child = rr.enclave(Emit(1))

    with pytest.raises(rr.AssemblyError, match=r"Main\.child"):
        rr.Program(Main(), workers=1)


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        ((5,), {}, TypeError),
        ((Emit,), {}, TypeError),
        (None, {"workers": 0}, ValueError),
        (None, {"workers": 1.5}, TypeError),
        (None, {"capacity": 0}, ValueError),
        (None, {"capacity": 1.5}, TypeError),
    ],
)
def test_a_bad_enclave_is_refused_at_once(arguments, options, error):
    """What is no reactor, and bad numbers."""
    with pytest.raises(error):
        rr.enclave(*(arguments or (Emit(1),)), **options)
