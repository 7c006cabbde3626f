"""Causality loops, and what breaks them."""

import itertools

import pytest
from programs import Emit, Pass, Trace, Wire, run

import reactorrl as rr


def ring(n, **options):
    """n Passes in a ring, the last connection with `options`; the first also hears `kick`."""

    class Entry(rr.Reactor):
        inp = rr.Input()
        kick = rr.Input()
        out = rr.Output()

        @rr.reaction(inp, kick, effects=out)
        def forward(self):
            value = self.kick.get(self.inp.get())
            if value < 3:
                self.out.set(value + 1)

    def build(self):
        self.src, self.entry = Emit(0), Entry()
        self.rest = [Pass() for _ in range(n - 1)]
        stages = [self.entry, *self.rest]
        self.connect(self.src.out, self.entry.kick)
        for a, b in itertools.pairwise(stages):
            self.connect(a.out, b.inp)
        self.connect(stages[-1].out, self.entry.inp, **options)

    return Wire(build)


@pytest.mark.parametrize("n", [1, 2, 3, 20])
def test_a_zero_delay_loop_is_an_error_that_names_the_loop(n):
    """A cycle of same-tag dependencies is refused; `.cycle` names it in order."""
    with pytest.raises(rr.CausalityLoopError) as e:
        rr.Program(ring(n))
    assert isinstance(e.value, rr.AssemblyError)
    text = " ".join(e.value.cycle)
    for path in ("Wire.entry", *(f"Wire.rest[{i}]" for i in range(n - 1))):
        assert f"{path}.forward" in text
        assert f"{path}.inp" in text
    assert "Wire.src" not in text
    order = [path for path in e.value.cycle if path.endswith(".forward")]
    assert len(order) == n
    turn = order.index("Wire.entry.forward")
    assert order[turn:] + order[:turn] == [
        "Wire.entry.forward",
        *(f"Wire.rest[{i}].forward" for i in range(n - 1)),
    ]


def test_the_error_says_where_a_delay_would_break_the_loop():
    """The message suggests `after=0` and names a connection of the loop."""
    with pytest.raises(rr.CausalityLoopError, match="after=0") as e:
        rr.Program(ring(2))
    assert "Wire.entry.inp" in str(e.value) or "Wire.rest[0].inp" in str(e.value)


@pytest.mark.parametrize(
    ("after", "tags"), [(0, [(0, k) for k in range(4)]), (5, [(5 * k, 0) for k in range(4)])]
)
def test_a_delay_breaks_a_loop(workers, after, tags):
    """With `after`, even 0, the ring runs: one round per delay, until nothing is set any more."""
    report = run(ring(3, after=after), workers)
    assert report.reactions == 1 + 3 * 3 + 1
    assert tuple(report.stop_tag) == (tags[-1][0], tags[-1][1] + 1)


def test_a_loop_through_the_order_inside_a_reactor_is_a_loop():
    """Reactions of one reactor are ordered: a later one cannot feed an earlier one."""

    class Knot(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()

        @rr.reaction(inp)
        def first(self):
            pass

        @rr.reaction(rr.startup, effects=out)
        def second(self):
            self.out.set(1)

    def build(self):
        self.knot, self.back = Knot(), Pass()
        self.connect(self.knot.out, self.back.inp)
        self.connect(self.back.out, self.knot.inp)

    with pytest.raises(rr.CausalityLoopError) as e:
        rr.Program(Wire(build))
    text = " ".join(e.value.cycle)
    assert all(
        name in text for name in ("Wire.knot.first", "Wire.knot.second", "Wire.back.forward")
    )


def test_the_same_two_reactions_the_other_way_round_are_no_loop(workers):
    """If the feeding reaction comes first there is no loop; the answer is read at the same tag."""
    trace = Trace()

    class Ask(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def ask(self):
            self.out.set(21)

        @rr.reaction(inp)
        def answer(self):
            trace(self, self.inp.value)

    def build(self):
        self.a, self.b = Ask(), Pass(2)
        self.connect(self.a.out, self.b.inp)
        self.connect(self.b.out, self.a.inp)

    run(Wire(build), workers)
    assert trace.events == [((0, 0), 42)]


def test_a_use_closes_a_loop_as_a_trigger_does():
    """A reaction that only reads a port still waits for its writers."""

    class Peek(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()

        @rr.reaction(rr.startup, uses=inp, effects=out)
        def peek(self):
            self.out.set(self.inp.get())

    def build(self):
        self.peek, self.back = Peek(), Pass()
        self.connect(self.peek.out, self.back.inp)
        self.connect(self.back.out, self.peek.inp)

    with pytest.raises(rr.CausalityLoopError):
        rr.Program(Wire(build))


def test_an_action_breaks_a_loop(workers):
    """A logical action between two reactions is a delay."""
    trace = Trace()

    class Hop(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()
        act = rr.LogicalAction()

        @rr.reaction(rr.startup, act, effects=out)
        def send(self):
            self.out.set(self.act.get(0) + 1)

        @rr.reaction(inp, effects=act)
        def receive(self):
            trace(self, self.inp.value)
            if self.inp.value < 3:
                self.act.schedule(self.inp.value)

    def build(self):
        self.hop, self.back = Hop(), Pass()
        self.connect(self.hop.out, self.back.inp)
        self.connect(self.back.out, self.hop.inp)

    run(Wire(build), workers)
    assert trace.events == [((0, 0), 1), ((0, 1), 2), ((0, 2), 3)]


def test_a_parents_reactions_can_close_a_loop():
    """Contained ports order reactions, too: child -> parent's reaction -> the same child."""

    class Main(rr.Reactor):
        def __init__(self):
            self.child = Pass()
            self.add_reaction(self.back, triggers=[self.child.out], effects=[self.child.inp])

        def back(self):
            self.child.inp.set(1)

    with pytest.raises(rr.CausalityLoopError) as e:
        rr.Program(Main())
    assert "Main.back" in " ".join(e.value.cycle)


def test_a_loop_without_reactions_is_an_error():
    """Ports that only feed each other in a circle are refused, too."""

    class Straight(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()

        def __init__(self):
            self.connect(self.inp, self.out)

    def build(self):
        self.a, self.b = Straight(), Straight()
        self.connect(self.a.out, self.b.inp)
        self.connect(self.b.out, self.a.inp)

    with pytest.raises(rr.AssemblyError, match=r"Wire\.a\.inp|Wire\.b\.inp"):
        rr.Program(Wire(build))
