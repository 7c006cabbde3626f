"""Single ports: presence, values, order, connections through the hierarchy."""

import threading

import pytest
from programs import ABSENT, BOUND, Collect, Emit, Pass, Trace, Wire, chain, run

import reactorrl as rr


@pytest.mark.parametrize("value", [None, 0, False, "", [1, 2]])
def test_every_value_is_present_and_arrives_as_itself(workers, value):
    """None, 0 and False are present; an object is shared by reference, never copied."""
    seen = []

    class Look(rr.Reactor):
        inp = rr.Input()

        @rr.reaction(inp)
        def look(self):
            seen.append(
                (self.inp.is_present, self.inp.value is value, self.inp.get("default") is value)
            )

    run(chain(Emit(value), Look()), workers)
    assert seen == [(True, True, True)]


def test_an_absent_port_has_no_value(workers):
    """`.value` of an absent port raises AbsentError with its path; it is never a stale value."""
    trace = Trace()

    class Look(rr.Reactor):
        inp = rr.Input()
        tick = rr.Timer(0, 10)

        @rr.reaction(tick, uses=inp)
        def look(self):
            value = "absent"
            if self.tag.time == 10:
                with pytest.raises(rr.AbsentError, match=r"Wire\.s1\.inp") as e:
                    self.inp.value  # noqa: B018
                assert isinstance(e.value, LookupError)
            else:
                value = self.inp.value
            trace(self, (self.inp.is_present, value, self.inp.get(), self.inp.get(-1)))

    run(chain(Emit("a", ABSENT, "b"), Look()), workers, timeout=20)
    assert trace.events == [
        ((0, 0), (True, "a", "a", "a")),
        ((10, 0), (False, "absent", None, -1)),
        ((20, 0), (True, "b", "b", "b")),
    ]


def test_a_used_port_is_read_after_its_writer_and_does_not_trigger(workers):
    """`uses` orders a reaction after the writers but causes no run."""
    trace = Trace()

    class Look(rr.Reactor):
        inp = rr.Input()
        tick = rr.Timer(10)

        @rr.reaction(tick, uses=inp)
        def look(self):
            trace(self, self.inp.get())

    run(chain(Emit("a", "b"), Pass(), Pass(), Look()), workers)
    assert trace.events == [((10, 0), "b")]


def test_the_last_write_wins(workers):
    """A port has one value at a tag: the one written last, by the same or a later reaction."""
    trace = Trace()

    class Writer(rr.Reactor):
        out = rr.Output()
        other = rr.Output()

        @rr.reaction(rr.startup, effects=(out, other))
        def first(self):
            self.out.set(1)
            self.other.set(1)
            self.other.set(2)

        @rr.reaction(rr.startup, effects=out)
        def second(self):
            self.out.set(3)

    def build(self):
        self.w, self.a, self.b = Writer(), Collect(trace), Collect(trace)
        self.connect([self.w.out, self.w.other], [self.a.inp, self.b.inp])

    report = run(Wire(build), workers)
    assert trace.rows == [((0, 0), "Wire.a", 3), ((0, 0), "Wire.b", 2)]
    assert report.reactions == 4


def test_an_output_can_be_read_back(workers):
    """The same reaction and later ones of the reactor see what was written at this tag."""
    trace = Trace()

    class Main(rr.Reactor):
        out = rr.Output()
        tick = rr.Timer(0, 10)

        @rr.reaction(tick, effects=out)
        def write(self):
            before = self.out.is_present
            if self.tag.time != 10:
                self.out.set(self.tag.time)
            trace(self, ("same", before, self.out.is_present, self.out.get()))

        @rr.reaction(tick, effects=out)
        def effect(self):
            trace(self, ("effect", self.out.is_present, self.out.get("none")))

        @rr.reaction(tick, uses=out)
        def use(self):
            trace(self, ("use", self.out.is_present, self.out.get("none")))

    run(Main(), workers, timeout=20)
    assert trace.events == [
        ((0, 0), ("same", False, True, 0)),
        ((0, 0), ("effect", True, 0)),
        ((0, 0), ("use", True, 0)),
        ((10, 0), ("same", False, False, None)),
        ((10, 0), ("effect", False, "none")),
        ((10, 0), ("use", False, "none")),
        ((20, 0), ("same", False, True, 20)),
        ((20, 0), ("effect", True, 20)),
        ((20, 0), ("use", True, 20)),
    ]


def test_reading_back_an_absent_output_raises(workers):
    """`.value` of an own output that nothing has set at this tag raises AbsentError."""
    trace = Trace()

    class Main(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def start(self):
            with pytest.raises(rr.AbsentError):
                self.out.value  # noqa: B018
            self.out.set(1)
            trace(self, self.out.value)

    run(Main(), workers)
    assert trace.events == [((0, 0), 1)]


def test_an_output_feeds_any_number_of_inputs(workers):
    """One source, many destinations: each sees the same object."""
    trace, payload = Trace(), object()

    def build(self):
        self.a, self.sinks = Emit(payload), [Collect(trace) for _ in range(5)]
        for sink in self.sinks:
            self.connect(self.a.out, sink.inp)

    run(Wire(build), workers)
    assert trace.rows == [((0, 0), f"Wire.sinks[{i}]", payload) for i in range(5)]


def test_a_diamond_joins_in_one_run(workers):
    """Both ways of a diamond arrive at one tag, before the joining reaction runs once."""
    trace = Trace()

    class Join(rr.Reactor):
        a = rr.Input()
        b = rr.Input()

        @rr.reaction(a, b)
        def join(self):
            trace(self, (self.a.get(), self.b.get()))

    def build(self):
        self.src, self.short, self.long1, self.long2, self.join = (
            Emit(1, 2),
            Pass(10),
            Pass(10),
            Pass(10),
            Join(),
        )
        self.connect(self.src.out, self.short.inp)
        self.connect(self.src.out, self.long1.inp)
        self.connect(self.long1.out, self.long2.inp)
        self.connect([self.short.out, self.long2.out], [self.join.a, self.join.b])

    run(Wire(build), workers)
    assert trace.events == [((0, 0), (10, 100)), ((10, 0), (20, 200))]


def test_only_present_ports_trigger(workers):
    """Downstream of a reaction that sets nothing, nothing runs."""
    trace = Trace()

    class Even(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()

        @rr.reaction(inp, effects=out)
        def forward(self):
            if self.inp.value % 2 == 0:
                self.out.set(self.inp.value)

    report = run(chain(Emit(0, 1, 2, 3), Even(), Collect(trace)), workers)
    assert trace.events == [((0, 0), 0), ((20, 0), 2)]
    assert report.reactions == 4 + 4 + 2


def test_a_long_chain_happens_at_one_tag(workers):
    """Zero-delay connections take no time, however many there are."""
    trace = Trace()
    report = run(chain(Emit(1), *[Pass(2) for _ in range(1000)], Collect(trace)), workers)
    assert trace.events == [((0, 0), 2**1000)]
    assert (report.reactions, report.tags) == (1002, 2)


# -- order within a reactor


def test_reactions_run_in_the_order_of_definition(workers):
    """Reactions of one reactor at one tag run in order of definition, whatever triggers them."""
    trace = Trace()

    class Ordered(rr.Reactor):
        inp = rr.Input()
        tick = rr.Timer(0)

        @rr.reaction(inp)
        def a(self):
            trace(self, "a")

        @rr.reaction(tick)
        def b(self):
            trace(self, "b")

        @rr.reaction(rr.startup)
        def c(self):
            trace(self, "c")

        @rr.reaction(tick, inp)
        def d(self):
            trace(self, "d")

    run(chain(Emit(1), Pass(), Pass(), Ordered()), workers)
    assert trace.events == [((0, 0), name) for name in "abcd"]


def test_added_reactions_come_after_the_decorated_ones(workers):
    """`add_reaction` appends, in order of the calls."""
    trace = Trace()

    class Main(rr.Reactor):
        tick = rr.Timer(0)

        def __init__(self):
            self.add_reaction(self.x, triggers=[self.tick])
            self.add_reaction(self.y, triggers=[rr.startup])

        def x(self):
            trace(self, "x")

        def y(self):
            trace(self, "y")

        @rr.reaction(tick)
        def decorated(self):
            trace(self, "decorated")

    run(Main(), workers)
    assert trace.events == [((0, 0), "decorated"), ((0, 0), "x"), ((0, 0), "y")]


# -- hierarchy


def test_values_pass_through_reactors_without_reactions(workers):
    """own.in -> child.in, child.out -> own.out, own.in -> own.out, at any depth, at one tag."""
    trace = Trace()

    class Straight(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()

        def __init__(self):
            self.connect(self.inp, self.out)

    class Box(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()

        def __init__(self, inner):
            self.inner = inner
            self.connect(self.inp, self.inner.inp)
            self.connect(self.inner.out, self.out)

    report = run(chain(Emit(3), Box(Box(Pass(5))), Box(Straight()), Collect(trace)), workers)
    assert trace.events == [((0, 0), 15)]
    assert report.reactions == 3


def test_reactors_may_be_nested_deeply(workers):
    """Depth is bounded by memory alone: nothing in the assembly recurses."""
    trace = Trace()

    class Box(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()

        def __init__(self, inner):
            self.inner = inner
            self.connect(self.inp, self.inner.inp)
            self.connect(self.inner.out, self.out)

    inner = Pass(5)
    for _ in range(2000):
        inner = Box(inner)
    run(chain(Emit(3), inner, Collect(trace)), workers)
    assert trace.events == [((0, 0), 15)]


def test_a_parent_reads_and_writes_its_childrens_ports(workers):
    """Children's outputs are triggers and uses, their inputs are effects, all at one tag."""
    trace = Trace()

    class Main(rr.Reactor):
        def __init__(self):
            self.src, self.other, self.worker = Emit(1, ABSENT, 3), Emit(10, 20, ABSENT), Pass(100)
            self.add_reaction(
                self.mix, triggers=[self.src.out], uses=[self.other.out], effects=[self.worker.inp]
            )
            self.add_reaction(self.read, triggers=self.worker.out)

        def mix(self):
            self.worker.inp.set(self.src.out.value + self.other.out.get(0))

        def read(self):
            trace(self, self.worker.out.value)

    run(Main(), workers)
    assert trace.events == [((0, 0), 1100), ((20, 0), 300)]


def test_a_parents_reaction_stands_between_writer_and_reader(workers):
    """It runs after the child that writes and before the child that reads."""
    trace = Trace()

    class Main(rr.Reactor):
        def __init__(self):
            self.sink = Collect(trace)
            self.relay = Pass(2)
            self.src = Emit(1)
            self.connect(self.src.out, self.relay.inp)
            self.add_reaction(self.hand_over, triggers=[self.relay.out], effects=[self.sink.inp])

        def hand_over(self):
            self.sink.inp.set((self.relay.out.value, "handed over"))

    run(Main(), workers)
    assert trace.events == [((0, 0), (2, "handed over"))]


def test_reactions_of_one_reactor_exclude_each_other(workers):
    """However many triggers come from different sources at one tag, one body of a reactor runs."""
    n, rounds, trace = 12, 30, Trace()

    class Shared(rr.Reactor):
        inp = rr.Input(width=n)

        def __init__(self):
            self.inside = self.total = 0
            for i in range(n):
                self.add_reaction(self.work, triggers=[self.inp[i]])

        def work(self):
            self.inside += 1
            before = self.total
            for _ in range(50):
                pass
            if self.inside == 1:
                self.total = before + 1
            self.inside -= 1

        @rr.reaction(rr.shutdown)
        def end(self):
            trace(self, (self.inside, self.total))

    def build(self):
        self.bank, self.shared = rr.Bank(n, Emit, *range(rounds)), Shared()
        self.connect(self.bank.out, self.shared.inp)

    report = run(Wire(build), workers)
    assert [event for _, event in trace.events] == [(0, n * rounds)]
    assert report.reactions == 2 * n * rounds + 1


def test_a_reaction_without_a_path_to_another_does_not_wait_for_it():
    """Only paths order reactions of different reactors: with two workers these two meet."""
    meeting = threading.Barrier(2, timeout=BOUND)

    class Meets(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            meeting.wait()

    report = run(Wire(lambda self: setattr(self, "pair", rr.Bank(2, Meets))), 2)
    assert report.reactions == 2
