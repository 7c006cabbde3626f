"""Which elements a body may reach: declared ones, its own and its children's, while it runs."""

import pytest
from programs import Collect, Emit, Pass, Spread, Trace, Wire, chain, run

import reactorrl as rr


def test_an_undeclared_output_cannot_be_set(workers):
    """Setting a port without declaring the effect raises inside of the body, and sets nothing."""
    trace = Trace()

    class Main(rr.Reactor):
        a = rr.Output()
        b = rr.Output()

        @rr.reaction(rr.startup, effects=a)
        def start(self):
            with pytest.raises(rr.UndeclaredEffectError, match=r"\bb\b"):
                self.b.set(1)
            self.a.set(2)

        @rr.reaction(rr.startup, uses=(a, b))
        def look(self):
            trace(self, (self.a.get(), self.b.is_present))
            with pytest.raises(rr.UndeclaredEffectError):
                self.a.set(3)

    run(Main(), workers)
    assert trace.events == [((0, 0), (2, False))]


def test_an_undeclared_childs_input_cannot_be_set(workers):
    """A parent's body needs the declared effect, too."""
    trace = Trace()

    class Main(rr.Reactor):
        def __init__(self):
            self.child = Collect(trace)
            self.add_reaction(self.start, triggers=[rr.startup])

        def start(self):
            with pytest.raises(rr.UndeclaredEffectError, match=r"child\.inp"):
                self.child.inp.set(1)
            trace(self, "refused")

    run(Main(), workers)
    assert trace.rows == [((0, 0), "Main", "refused")]


def test_an_undeclared_input_cannot_be_read(workers):
    """Reading an own input without declaring it raises UndeclaredUseError, present or absent."""
    trace = Trace()

    class Look(rr.Reactor):
        inp = rr.Input()

        @rr.reaction(rr.startup)
        def early(self):
            for read in (
                lambda: self.inp.value,
                lambda: self.inp.is_present,
                self.inp.get,
            ):
                with pytest.raises(rr.UndeclaredUseError, match="inp"):
                    read()
            trace(self, "refused")

        @rr.reaction(inp)
        def late(self):
            trace(self, self.inp.value)

    run(chain(Emit(1), Look()), workers)
    assert trace.events == [((0, 0), "refused"), ((0, 0), 1)]


def test_ports_are_used_inside_of_reactions_only(workers):
    """Before and after a run, and in __init__, a port has no value to read and cannot be set."""
    main = chain(Emit(1), Pass())
    for _ in range(2):
        for use in (
            lambda: main.s0.out.set(1), lambda: main.s1.inp.value, lambda: main.s1.inp.is_present,
            main.s1.inp.get,
        ):  # fmt: skip
            with pytest.raises(rr.PhaseError):
                use()
        if not hasattr(main, "has_run"):
            main.has_run = run(main, workers).reactions == 2
    assert main.has_run


def test_another_reactors_ports_are_out_of_reach(workers):
    """A body that gets hold of another reactor's port can neither read nor write it: PhaseError."""
    trace = Trace()

    class Thief(rr.Reactor):
        inp = rr.Input()

        @rr.reaction(inp)
        def steal(self):
            owner = self.inp.value
            with pytest.raises(rr.PhaseError):
                owner.secret.set(1)
            with pytest.raises(rr.PhaseError):
                owner.hidden.get()
            trace(self, "refused")

    class Owner(rr.Reactor):
        out = rr.Output()
        secret = rr.Output()
        hidden = rr.Input()

        @rr.reaction(rr.startup, effects=(out, secret), uses=hidden)
        def lend(self):
            self.out.set(self)

    run(chain(Owner(), Thief()), workers)
    assert trace.events == [((0, 0), "refused")]


def test_nothing_undeclared_can_be_read(workers):
    """A child's output, an own output, an action, a timer, a multiport: all must be declared."""
    trace = Trace()

    class Main(rr.Reactor):
        out = rr.Output()
        outs = rr.Output(width=2)
        inps = rr.Input(width=2)
        act = rr.LogicalAction()
        tick = rr.Timer()

        def __init__(self):
            self.child = Emit(1)
            self.add_reaction(self.look, triggers=[rr.startup])

        def look(self):
            for read in (
                lambda: self.child.out.value,
                lambda: self.child.out.is_present,
                self.out.get,
                lambda: self.outs.is_present,
                lambda: self.outs[0].is_present,
                lambda: self.inps.is_present,
                self.inps.present,
                lambda: list(self.inps),
                lambda: self.act.value,
                lambda: self.act.is_present,
                lambda: self.tick.is_present,
            ):
                with pytest.raises(rr.UndeclaredUseError):
                    read()
            trace(self, "refused")

    run(Main(), workers)
    assert trace.events == [((0, 0), "refused")]


def test_who_declares_single_channels_cannot_ask_the_whole_multiport(workers):
    """Of a multiport only declared channels can be read; the others never look absent."""
    trace = Trace()

    class Look(rr.Reactor):
        inp = rr.Input(width=3)

        def __init__(self):
            self.add_reaction(self.look, triggers=[self.inp[0]])

        def look(self):
            for read in (
                lambda: self.inp[1].value,
                self.inp[1].get,
                lambda: self.inp[1].is_present,
                lambda: self.inp.is_present,
                self.inp.present,
            ):
                with pytest.raises(rr.UndeclaredUseError):
                    read()
            trace(self, (self.inp[0].value, self.inp[0].is_present))

    def build(self):
        self.src, self.look = Spread(3, {0: "a", 1: "b", 2: "c"}), Look()
        self.connect(self.src.out, self.look.inp)

    run(Wire(build), workers)
    assert trace.events == [((0, 0), ("a", True))]
