"""The texts of assembly errors: every problem names full paths, and says what to do."""

import re

import pytest

import reactorrl as rr
from reactorrl.declare import EFFECT, misused
from reactorrl.plan import NO_TRIGGER


class Source(rr.Reactor):
    out = rr.Output()


class Sink(rr.Reactor):
    inp = rr.Input()


class Wide(rr.Reactor):
    inp = rr.Input(width="n")
    out = rr.Output(width="n")

    def __init__(self, n):
        self.n = n


class Main(rr.Reactor):
    """Runs a function of a test as its `__init__`."""

    out = rr.Output()
    inp = rr.Input()

    def __init__(self, build):
        build(self)


def problems(main):
    """The problems of the AssemblyError that must come, without line numbers."""
    with pytest.raises(rr.AssemblyError) as e:
        rr.Program(main, workers=1)
    return [re.sub(r" \(test_problems.py:\d+\)", "", problem) for problem in e.value.problems]


def two_and_three(self):
    self.a, self.b = Wide(2), Wide(3)
    self.connect(self.a.out, self.b.inp)


def two_to_four(self):
    self.a, self.b = Wide(2), Wide(4)
    self.connect(self.a.out, self.b.inp)


def broadcast_two_to_three(self):
    self.a, self.b = Wide(2), Wide(3)
    self.connect(self.a.out, self.b.inp, broadcast=True)


def bank_and_nothing(self):
    self.a, self.b = rr.Bank(5, Source), Wide(0)
    self.connect(self.a.out, self.b.inp)


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (
            two_and_three,
            "Main.connect: 2 channels (Main.a.out[0], Main.a.out[1]) on the left and 3 channels"
            " (Main.b.inp[0], Main.b.inp[1], Main.b.inp[2]) on the right; make them equal",
        ),
        (
            two_to_four,
            "Main.connect: 2 channels (Main.a.out[0], Main.a.out[1]) on the left and 4 channels"
            " (Main.b.inp[0] to Main.b.inp[3]) on the right; make them equal, or repeat the left"
            " side"
            " with broadcast=True",
        ),
        (
            broadcast_two_to_three,
            "Main.connect: 2 channels (Main.a.out[0], Main.a.out[1]) on the left and 3 channels"
            " (Main.b.inp[0], Main.b.inp[1], Main.b.inp[2]) on the right; broadcast repeats the"
            " left"
            " side a whole number of times",
        ),
        (
            bank_and_nothing,
            "Main.connect: 5 channels (Main.a[0].out to Main.a[4].out) on the left and 0 channels"
            " on"
            " the right; make them equal, or repeat the left side with broadcast=True",
        ),
    ],
)
def test_width_mismatches(build, problem):
    """A width mismatch names both sides and their widths."""
    assert problems(Main(build)) == [problem]


def connected(source, destination):
    """A Main that connects what the two functions take from it."""

    def build(self):
        self.a, self.b, self.box = (
            Source(),
            Sink(),
            Main(lambda box: setattr(box, "deep", Source())),
        )
        self.connect(source(self), destination(self))

    return Main(build)


ELSEWHERE = Source()


@pytest.mark.parametrize(
    ("source", "destination", "reason"),
    [
        (
            lambda m: m.out,
            lambda m: m.b.inp,
            "Main.out to Main.b.inp: an own output cannot be a source here; it is for the container"
            " to connect",
        ),
        (
            lambda m: m.b.inp,
            lambda m: m.box.inp,
            "Main.b.inp to Main.box.inp: a child's input cannot be a source; connect what feeds it",
        ),
        (
            lambda m: m.a.out,
            lambda m: m.inp,
            "Main.a.out to Main.inp: an own input cannot be a destination here; it is for the"
            " container to connect. To read a child's output have a reaction on it:"
            " self.add_reaction(self.show, self.kid.out)",
        ),
        (
            lambda m: m.inp,
            lambda m: m.a.out,
            "Main.inp to Main.a.out: a child's output cannot be a destination; only the child sets"
            " it",
        ),
        (
            lambda m: m.box.deep.out,
            lambda m: m.b.inp,
            "Main.box.deep.out to Main.b.inp: Main.box.deep.out: it is more than one level down;"
            " pass"
            " it on through a port of the child between",
        ),
        (
            lambda m: ELSEWHERE.out,
            lambda m: m.b.inp,
            "Source.out to Main.b.inp: Source.out: Source is not in this program",
        ),
        (
            lambda m: Source.out,
            lambda m: m.b.inp,
            "out to Main.b.inp: out: it is what the class Source declares; name that of an"
            " instance: self.<child> = Source(...), and self.<child>.out",
        ),
    ],
)
def test_directions(source, destination, reason):
    """A connection that is not allowed says which end is at fault."""
    assert problems(connected(source, destination)) == [f"Main.connect: {reason}"]


def test_second_writers():
    """The first writer is named: a connection, a decorated reaction, an added one."""

    class Outer(rr.Reactor):
        out = rr.Output()

        def __init__(self):
            self.a, self.b, self.c, self.d = Source(), Source(), Sink(), Sink()
            self.connect(self.a.out, self.c.inp)
            self.connect(self.b.out, self.c.inp, after=0)
            self.add_reaction(self.feed, triggers=[rr.startup], effects=[self.d.inp])
            self.connect(self.b.out, self.d.inp)
            self.connect(self.b.out, self.out)

        @rr.reaction(rr.startup, effects=out)
        def set(self):
            pass

        def feed(self):
            pass

    assert problems(Outer()) == [
        "Outer.connect: Outer.b.out to Outer.c.inp: Outer.a.out is connected to it already; a"
        " port has one writer",
        "Outer.connect: Outer.b.out to Outer.d.inp: the reaction Outer.feed sets it; a port has one"
        " writer",
        "Outer.connect: Outer.b.out to Outer.out: the reaction Outer.set sets it; a port has one"
        " writer",
    ]


def test_roles():
    """Elements in roles that are not theirs, in decorated and in added reactions."""

    class Inner(rr.Reactor):
        inp, out = rr.Input(), rr.Output()
        tick, act = rr.Timer(), rr.LogicalAction()

        @rr.reaction(out)
        def own_output(self):
            pass

        @rr.reaction(inp, uses=rr.startup, effects=[inp, tick])
        def own_input(self):
            pass

        @rr.reaction(uses=inp)
        def idle(self):
            pass

        @rr.reaction(Source.out)
        def foreign(self):
            pass

    class Outer(rr.Reactor):
        def __init__(self):
            self.inner = Inner()
            self.add_reaction(
                self.go,
                triggers=[self.inner.inp, self.inner.act],
                uses=[self.inner.tick],
                effects=[self.inner.out, rr.shutdown],
            )
            self.add_reaction(self.go)

        def go(self):
            pass

    own, theirs = "Outer.inner.", "actions and timers belong to the reactions of their own reactor"
    assert problems(Outer()) == [
        f"{own}own_output has out as trigger: a reactor's own output cannot trigger it; to set it"
        " name it in effects=, to read it back in uses= of a reaction defined after the one that"
        " sets it",
        f"{own}own_input has reactorrl.startup as use: reactorrl.startup can only be a trigger",
        f"{own}own_input has inp as effect: a reaction cannot set an input of its own reactor; what"
        " connects to it does",
        f"{own}own_input has tick as effect: a timer fires by itself and cannot be an effect",
        f"{own}idle {NO_TRIGGER}",
        f"{own}foreign names Source.out, which is no element of Inner; for those of children,"
        " and those made in __init__, use self.add_reaction",
        "Outer.go has Outer.inner.inp as trigger: a child's input is for the child to read",
        f"Outer.go has Outer.inner.act as trigger: {theirs}",
        f"Outer.go has Outer.inner.tick as use: {theirs}",
        "Outer.go has Outer.inner.out as effect: only the child itself sets its output",
        "Outer.go has reactorrl.shutdown as effect: reactorrl.shutdown can only be a trigger",
        f"Outer.go#2 {NO_TRIGGER}",
    ]


def test_names_of_classes():
    """Clashes between a class, its bases and what every reactor has."""

    class Base(rr.Reactor):
        inp = rr.Input()
        tag = rr.Input()

        @rr.reaction(inp)
        def go(self):
            pass

    class Other(rr.Reactor):
        x = rr.Input()

        @rr.reaction(x)
        def go(self):
            pass

    class Derived(Base, Other):
        inp = rr.Output()
        go = None
        twice = again = rr.Input()

        def connect(self):
            pass

    assert problems(Derived()) == [
        "Derived.tag of Base hides the tag of every reactor; rename it",
        "Derived.go is a reaction of Base and of Other; rename one",
        "Derived.inp of Derived redefines the element inp of Base; rename one",
        "Derived.go of Derived hides the reaction go of Base; override it with a method, or rename"
        " it",
        "Derived.connect of Derived hides the connect of every reactor; rename it",
        "Derived.again is one and the same element as twice; declare two",
    ]


def lost(made, cls):
    return (
        f"Main.__init__ makes {made} that no attribute of self holds at its end, and that is no"
        f" child so; write self.<name> = {cls}(...); several of them go into a list or an rr.Bank,"
        " not into a dict or a set"
    )


def test_names_of_instances():
    """What `__init__` assigns must not take a name that means something else."""

    def build(self):
        self.inp = Source()
        self.late = rr.Input()
        self.late = 3
        self.out = rr.Output()
        self.rng = 4
        self.kid = Sink()
        self.kid = Sink()
        Source()
        self.pair = (rr.Bank(2, Wide, 1), 5)
        self.pair = 0

    assert problems(Main(build)) == [
        "Main: self.rng is assigned, but rng belongs to every reactor; rename it",
        "Main.out is declared as an element (Output) and then assigned a value (Output); use two"
        " names",
        "Main.inp is declared as an element (Input) and then assigned a value (Source); use two"
        " names",
        lost("a Sink", "Sink"),
        lost("a Source", "Source"),
        lost("2 Wide", "Wide"),
    ]


def test_a_hidden_method():
    """A method of every reactor that the class's own code hides on the instance."""

    class Hiding(rr.Reactor):
        def __init__(self):
            self.lag = 5

    assert problems(Hiding()) == ["Hiding: self.lag hides the lag of every reactor; rename it"]


def test_numbers():
    """Bad numbers make an AssemblyError that is a ValueError; the others are told beside it."""

    class Timed(rr.Reactor):
        tick = rr.Timer("offset", "period")
        late = rr.Timer("nowhere")
        act = rr.LogicalAction(policy="replace")
        wide = rr.Input(width="n")
        wider = rr.Output(width="m")
        text = rr.Output(width="offset")

        def __init__(self, n):
            self.offset, self.period, self.n = "soon", -5, n

    def build(self):
        self.bank = rr.Bank(1, Timed, -2)

    with pytest.raises(ValueError, match="7 problems") as e:
        rr.Program(Main(build), workers=1)
    assert isinstance(e.value, rr.AssemblyError)
    path = "Main.bank[0]"
    assert sorted(e.value.problems) == sorted(
        [
            f"{path}: the width of wide, self.n, is negative (-2)",
            f"{path}: the width of wider, self.m, is not there; set it in __init__ before the port"
            " is"
            " used",
            f"{path}: the width of text, self.offset, is a str; it must be an int",
            f"{path}.tick: its offset self.offset is a str ('soon'); give an int of nanoseconds,"
            " such"
            " as rr.msec(5), or a timedelta",
            f"{path}.tick: its period self.period is negative (-5)",
            f"{path}.late: its offset is self.nowhere, which is not there; set it in __init__",
            f"{path}.act has policy='replace' and no min_spacing, so that nothing is ever too"
            " early;"
            " give min_spacing, or leave the policy out",
        ]
    )


def test_a_width_needed_too_early():
    """A width by name that a port needs inside `__init__` is told there and then."""

    class Early(rr.Reactor):
        wide = rr.Input(width="n")

        def __init__(self):
            len(self.wide)

    def build(self):
        self.early = Early()

    with pytest.raises(rr.AssemblyError) as e:
        Main(build)
    assert e.value.problems == [
        "Main.<Early>: the width of wide, self.n, is not there; set it in __init__ before the port"
        " is"
        " used"
    ]


def test_endless_containment():
    """A class that contains itself is told instead of Python's RecursionError."""

    class Doll(rr.Reactor):
        def __init__(self):
            self.doll = Doll()

    with pytest.raises(rr.AssemblyError, match=r"contains its own class .*Doll without end"):
        Doll()


def test_other_programs():
    """A reactor of one program cannot be assembled again, by itself or as a child."""

    class Holder(rr.Reactor):
        def __init__(self, child):
            self.child = child

    used = Source()
    rr.Program(used, workers=1)
    with pytest.raises(rr.PhaseError, match="Source has been assembled before; make a new Source"):
        rr.Program(used, workers=1)
    assert problems(Holder(used)) == [
        "Holder.child belongs to another program, as Source; make a new Source"
    ]
    holder = Holder(Source())
    rr.Program(holder, workers=1)
    with pytest.raises(rr.PhaseError, match=r"Holder\.child has been assembled before"):
        rr.Program(holder.child, workers=1)


def test_a_child_is_no_main():
    """A reactor that has a parent is run by running that."""

    def build(self):
        self.kid = Source()

    with pytest.raises(rr.AssemblyError, match=r"Main\.kid is a child of Main; run that"):
        rr.Program(Main(build).kid, workers=1)


class Pass(rr.Reactor):
    inp, out = rr.Input(), rr.Output()

    @rr.reaction(inp, effects=out)
    def go(self):
        pass

    @rr.reaction(rr.shutdown)
    def end(self):
        pass


def test_a_causality_loop():
    """The loop goes through reactions and ports in order, and its connections are suggested."""

    class Box(rr.Reactor):
        inp, out = rr.Input(), rr.Output()

        def __init__(self):
            self.one = Pass()
            self.connect(self.inp, self.one.inp)
            self.connect(self.one.out, self.out)

    class Loop(rr.Reactor):
        def __init__(self):
            self.box, self.two = Box(), Pass()
            self.connect(self.box.out, self.two.inp)
            self.connect(self.two.out, self.box.inp)

    with pytest.raises(rr.CausalityLoopError) as e:
        rr.Program(Loop(), workers=1)
    loop = [
        "Loop.box.one.go",
        "Loop.box.one.out",
        "Loop.box.out",
        "Loop.two.inp",
        "Loop.two.go",
        "Loop.two.out",
        "Loop.box.inp",
        "Loop.box.one.inp",
    ]
    start = e.value.cycle.index(loop[0])
    assert e.value.cycle[start:] + e.value.cycle[:start] == loop
    text = str(e.value)
    for link in ("Loop.box.out -> Loop.two.inp", "Loop.two.out -> Loop.box.inp"):
        assert link in text.partition("give after=0")[2]


def test_all_causality_loops_at_once():
    """Each loop that shares nothing with another is a problem of its own."""

    class Loops(rr.Reactor):
        def __init__(self):
            self.pairs = rr.Bank(4, Pass)
            for one, two in ((0, 1), (2, 3)):
                self.connect(self.pairs[one].out, self.pairs[two].inp)
                self.connect(self.pairs[two].out, self.pairs[one].inp)

    with pytest.raises(rr.CausalityLoopError) as e:
        rr.Program(Loops(), workers=1)
    found = [set(re.findall(r"pairs\[(\d)\]\.go", text)) for text in e.value.problems]
    assert found == [{"0", "1"}, {"2", "3"}]
    assert set(re.findall(r"\d", " ".join(e.value.cycle))) == {"0", "1"}


class Straight(rr.Reactor):
    inp, out = rr.Input(), rr.Output()

    def __init__(self):
        self.connect(self.inp, self.out)


def test_loops_of_connections_alone_are_told_at_once():
    """Each of them, and one with reactions beside them; a port is named once in each."""

    class Loops(rr.Reactor):
        def __init__(self):
            self.s, self.one = rr.Bank(5, Straight), Pass()
            for a, b in ((0, 1), (1, 0), (2, 3), (3, 2)):
                self.connect(self.s[a].out, self.s[b].inp)
            self.connect(self.s[2].out, self.s[4].inp)
            self.connect(self.one.out, self.one.inp)

    with pytest.raises(rr.CausalityLoopError) as e:
        rr.Program(Loops(), workers=1)
    text = "causality loop, each waits for the one before: "
    found = [problem.removeprefix(text).split(". A delay")[0] for problem in e.value.problems]
    assert found == [
        "Loops.s[0].out -> Loops.s[1].inp -> Loops.s[1].out -> Loops.s[0].inp -> Loops.s[0].out",
        "Loops.s[2].out -> Loops.s[3].inp -> Loops.s[3].out -> Loops.s[2].inp -> Loops.s[2].out",
        "Loops.one.go -> Loops.one.out -> Loops.one.inp -> Loops.one.go",
    ]
    assert [*e.value.cycle, e.value.cycle[0]] == found[0].split(" -> ")
    for link in ("Loops.s[1].inp -> Loops.s[1].out", "Loops.s[1].out -> Loops.s[0].inp"):
        assert link in e.value.problems[0].partition("give after=0")[2]


@pytest.mark.parametrize("is_bad_number", [False, True])
def test_a_loop_beside_other_problems(is_bad_number):
    """One CausalityLoopError tells all; it is a ValueError too if a number is at fault."""

    class Loop(rr.Reactor):
        tick = rr.Timer("period")

        def __init__(self):
            self.period = -1 if is_bad_number else 1
            self.one = Pass()
            self.connect(self.one.out, self.one.inp)
            Source()

    with pytest.raises(rr.CausalityLoopError) as e:
        rr.Program(Loop(), workers=1)
    found = [text.partition(" ")[0] for text in e.value.problems]
    assert found == ["Loop.tick:"] * is_bad_number + ["Loop.__init__", "causality"]
    assert set(e.value.cycle) == {"Loop.one.go", "Loop.one.out", "Loop.one.inp"}
    assert isinstance(e.value, ValueError) is is_bad_number


def test_a_loop_without_connections():
    """Where no connection is in the loop, a logical action is suggested."""

    class Loop(rr.Reactor):
        def __init__(self):
            self.one = Pass()
            self.add_reaction(self.back, triggers=[self.one.out], effects=[self.one.inp])

        def back(self):
            pass

    with pytest.raises(rr.CausalityLoopError, match="None of its connections") as e:
        rr.Program(Loop(), workers=1)
    assert set(e.value.cycle) == {"Loop.back", "Loop.one.inp", "Loop.one.go", "Loop.one.out"}


def test_many_problems_are_shortened_in_the_text_only():
    """The message shows the first problems, `.problems` has all."""

    def build(self):
        self.a, self.b = Wide(100), Sink()
        self.connect(self.a.out, [self.b.inp] * 100)

    found = problems(Main(build))
    assert len(found) == 99
    with pytest.raises(rr.AssemblyError, match="99 problems:") as e:
        rr.Program(Main(build), workers=1)
    assert str(e.value).splitlines()[-1] == "  - and 69 more (see .problems)"


def test_deadlines():
    """A handler needs a deadline to miss, and is given once, in the class of the reaction."""

    class Late(rr.Reactor):
        @rr.reaction(rr.startup, deadline=5)
        def go(self):
            pass

        @go.on_deadline_miss
        def late(self):
            pass

        with pytest.raises(
            ValueError, match=r"^Late\.go has a handler for missed deadlines already"
        ):
            go.on_deadline_miss(late)

    with pytest.raises(
        ValueError, match=r"^Late\.go belongs to Late, which is complete; override its"
    ):
        Late.go.on_deadline_miss(lambda self: None)
    with pytest.raises(ValueError, match=r"^deadline is negative"):
        rr.reaction(rr.startup, deadline=-1)
    with pytest.raises(TypeError, match="deadline is a float"):
        rr.reaction(rr.startup, deadline=0.5)
    with pytest.raises(ValueError, match=r"^Late\.go has no deadline to miss; give @reaction"):
        rr.reaction(rr.startup)(Late.go.function).on_deadline_miss(lambda self: None)
    with pytest.raises(TypeError, match="the body of a reaction takes self"):
        rr.reaction(rr.startup, deadline=1)(Late.go.function).on_deadline_miss(lambda: None)
    with pytest.raises(TypeError, match=r"^Late\.go: write @go\.on_deadline_miss without brackets"):
        rr.reaction(rr.startup, deadline=1)(Late.go.function).on_deadline_miss()
    main = Source()
    with pytest.raises(ValueError, match=r"^Source.add_reaction.* has no deadline to miss"):
        main.add_reaction(lambda: None, rr.startup, on_deadline_miss=lambda: None)
    with pytest.raises(ValueError, match=r"^deadline is negative"):
        main.add_reaction(lambda: None, rr.startup, deadline=-1)


def test_too_many_workers_of_enclaves():
    """The enclave with most of them is named, beside the other problems."""

    def build(self):
        self.a, self.b = rr.enclave(Source(), workers=1096), rr.enclave(Sink(), workers=3000)
        Source()

    with pytest.raises(rr.AssemblyError) as e:
        rr.Program(Main(build), workers=1)
    assert [text.partition(" ")[0] for text in e.value.problems] == ["Main.__init__", "Main.b"]
    assert e.value.problems[1] == (
        "Main.b is an enclave with workers=3000: all enclaves have 4096, and the program 1, but at"
        " most 4096 in all are possible; give rr.enclave(workers=) or workers= a smaller number, or"
        " make fewer enclaves"
    )
    assert isinstance(e.value, ValueError)


def test_calls_of_enclave():
    """What is no reactor, no number of workers or no capacity is refused at once."""
    for wrong in (5, Source, [Source()], Source().out):
        with pytest.raises(TypeError, match="takes a reactor or a bank"):
            rr.enclave(wrong)
    with pytest.raises(ValueError, match="workers=0"):
        rr.enclave(Source(), workers=0)
    with pytest.raises(ValueError, match="at most 4096"):
        rr.enclave(Source(), workers=5000)
    with pytest.raises(ValueError, match="capacity=-1"):
        rr.enclave(Source(), capacity=-1)
    for wrong in (True, "2"):
        with pytest.raises(TypeError, match=rf"workers={wrong!r}\): give an int"):
            rr.enclave(Source(), workers=wrong)
    with pytest.raises(TypeError, match=r"; make an instance: rr\.enclave\(Source\(\.\.\.\)\)"):
        rr.enclave(Source)
    with pytest.raises(TypeError, match=r"; use rr\.enclave\(rr\.Bank\(n, Source\)\)"):
        rr.enclave([Source()])
    with pytest.raises(TypeError, match="; give the class, Source, and its arguments after it"):
        rr.Bank(2, Source())
    main = Source()
    assert rr.enclave(main) is main
    with pytest.raises(ValueError, match="Source is an enclave already"):
        rr.enclave(main)
    other = Source()
    rr.Program(other, workers=1)
    with pytest.raises(rr.PhaseError, match="before the program is assembled"):
        rr.enclave(other)


def test_enclaves():
    """Enclaves meet at delayed connections only, and stand outside of modes."""

    class Modal(rr.Reactor):
        on = rr.Mode(initial=True)

        def __init__(self):
            with self.on:
                self.inner = rr.enclave(Source())

    class Outer(rr.Reactor):
        inp, out = rr.Input(), rr.Output()

        def __init__(self):
            self.one, self.two = rr.enclave(rr.Bank(2, Pass)), rr.enclave(Pass(), workers=2)
            self.three, self.modal = Pass(), Modal()
            self.connect(self.one.out, [self.two.inp, self.three.inp])
            self.connect(self.inp, self.one[0].inp)
            self.connect(self.two.out, self.one[1].inp, after=0)
            self.connect(self.three.out, self.out, physical=True)
            self.add_reaction(self.look, self.one[0].out, self.three.out)

        def look(self):
            pass

    apart = (
        "the two are in different enclaves, which share no tags; connect them with after= (0 is one"
        " microstep) or physical=True"
    )
    assert problems(rr.enclave(Outer())) == [
        "Outer is the main reactor and so an enclave already; its workers are those of the program",
        "Outer.modal.inner is an enclave and in the mode Outer.modal.on; an enclave's time does not"
        " stand still, so make it outside of all modes",
        "Outer.look has Outer.one[0].out as trigger: Outer.one[0] is an enclave, with a time line"
        " of its own; connect the port, with after=, to one of Outer or of a child beside it",
        f"Outer.connect: Outer.one[0].out to Outer.two.inp: {apart}",
        f"Outer.connect: Outer.one[1].out to Outer.three.inp: {apart}",
        f"Outer.connect: Outer.inp to Outer.one[0].inp: {apart}",
    ]


def test_initial_modes():
    """One mode of a reactor is initial, wherever its modes come from."""

    class Unset(rr.Reactor):
        red, green = rr.Mode(), rr.Mode()

    class Two(Unset):
        blue = rr.Mode(initial=True)

        def __init__(self):
            self.black = rr.Mode(initial=True)

    def build(self):
        self.unset, self.two = Unset(), Two()

    assert problems(Main(build)) == [
        "Main.unset has modes (red, green) and none of them is initial; give `initial=True` to the"
        " one to start in",
        "Main.two has 2 initial modes, blue and black; a program starts in one of them, so leave"
        " initial=True at one",
    ]


class Light(rr.Reactor):
    cars, lamp = rr.Input(), rr.Output()
    red, green = rr.Mode(initial=True), rr.Mode()
    with red:
        wait = rr.Timer()
        act = rr.LogicalAction()

        @rr.reaction(wait, effects=[rr.history(green), lamp])
        def go(self):
            pass


def test_modes_of_classes():
    """What a class declares in its modes, and names across them."""

    class Wrong(Light):
        other = rr.Timer()

        with Light.green:
            inp = rr.Input()
            inner = rr.Mode()

            @rr.reaction(rr.reset, Light.wait, other, effects=Light.act)
            def restart(self):
                pass

            with Light.red:
                late = rr.Timer()

                @rr.reaction(late, Light.green, uses=rr.reset(Light.red))
                def double(self):
                    pass

        @rr.reaction(rr.reset, effects=[Light.green, rr.history(Light.green)])
        def outside(self):
            pass

    class Foreign(rr.Reactor):
        with Light.red:
            tick = rr.Timer()

            @rr.reaction(tick, effects=Light.green)
            def go(self):
                pass

    def build(self):
        self.wrong, self.foreign = Wrong(), Foreign()

    put = "only what is in that mode may name it; put both into `with red:`, or neither"
    only = "a mode can only be an effect, which enters it"
    assert problems(Main(build)) == [
        "Main.wrong.inp is a port, which cannot belong to the mode green; make it outside",
        "Main.wrong.inner is a mode made in the mode green; a child in that mode may have modes",
        "Main.wrong.red: `with red:` stands inside `with green:`; modes are nested by a child in"
        " the outer one, with modes of its own",
        f"Main.wrong.restart has wait as trigger: it belongs to the mode red, and {put}",
        f"Main.wrong.restart has act as effect: it belongs to the mode red, and {put}",
        f"Main.wrong.double has green as trigger: {only}; rr.reset, in `with <mode>:`,"
        " triggers when it was entered by reset",
        f"Main.wrong.double has red as use: {only}; any body of its reactor may read"
        " self.<mode>.is_active",
        "Main.wrong.outside enters green by reset and by history; declare one of them",
        "Main.foreign.tick stands in `with red:`, which is no mode of Foreign",
        "Main.foreign.go stands in `with red:`, which is no mode of Foreign",
        "Main.foreign.go names Light.green, which is no element of Foreign; a reaction enters the"
        " modes of its own reactor",
        "Main.wrong.outside has reactorrl.reset as trigger and lies in no mode, so that it would"
        " never come; put it into `with <mode>:`",
    ]


def test_modes_of_instances():
    """What `__init__` makes in modes, and names across them."""

    class Outer(rr.Reactor):
        out, one_out = rr.Output(), rr.Output()
        on, off = rr.Mode(initial=True), rr.Mode()

        def __init__(self):
            self.a, self.light = Source(), Light()
            with self.on:
                self.b, self.c = Source(), Sink()
                self.port = rr.Input()
                self.tick = rr.Timer()
                self.connect(self.a.out, self.out)
            with self.off:
                self.d = Sink()
                self.connect(self.b.out, self.d.inp)
                self.add_reaction(self.look, self.tick, self.b.out, [self.out, rr.history(self.on)])
                self.connect(self.a.out, self.one_out)
                with self.on:
                    self.e = Sink()
            self.connect(self.a.out, self.c.inp)
            self.connect(self.b.out, self.one_out)
            self.connect(self.a.out, self.one_out)
            with self.light.red:
                self.f = Sink()
                self.add_reaction(self.look, rr.startup, effects=self.light.green)
            with rr.Mode():
                self.g = rr.Timer()
            self.add_reaction(self.look, rr.reset, effects=[self.off, rr.history(self.off)])

        def look(self):
            pass

    def with_(mode, other):
        return (
            f"belongs to the mode {mode}, and only what is in that mode may name it; put both into"
            f" `with {mode}:`, or neither"
        )

    on, off, red = "Outer.on", "Outer.off", "Outer.light.red"
    assert problems(Outer()) == [
        "Outer.port is a port, which cannot belong to the mode Outer.on; make it outside",
        "Outer.g stands in `with <unnamed Mode>:`, which is no mode of Outer; a mode needs a name"
        " of its own, as in red = rr.Mode()",
        f"Outer: `with {on}:` stands inside `with {off}:`; modes are nested by a child in the outer"
        " one, with modes of its own",
        f"Outer.f was made in `with {red}:`, which is no mode of Outer",
        f"Outer.look has Outer.tick as trigger: it {with_(on, off)}",
        f"Outer.look has Outer.b.out as use: it {with_(on, off)}",
        f"Outer.look stands in `with {red}:`, which is no mode of Outer",
        "Outer.look#2 has Outer.light.green as effect: a mode is entered by the reactions of its"
        " own reactor",
        f"Outer.look#3 enters {off} by reset and by history; declare one of them",
        "Outer.look#3 has reactorrl.reset as trigger and lies in no mode, so that it would never"
        " come; put it into `with <mode>:`",
        f"Outer.connect: Outer.b.out to Outer.d.inp: Outer.b {with_(on, off)}",
        f"Outer.connect: Outer.a.out to Outer.c.inp: Outer.c {with_(on, off)}",
        f"Outer.connect: Outer.b.out to Outer.one_out: Outer.b {with_(on, off)}",
        "Outer.connect: Outer.a.out to Outer.one_out: Outer.a.out is connected to it already; a"
        " port has one writer",
    ]


def test_writers_in_modes():
    """One destination may have a writer in each mode; not two in one, and not one outside."""

    class Outer(Light):
        with Light.green:

            @rr.reaction(rr.reset, effects=Light.lamp)
            def shine(self):
                pass

        def __init__(self):
            self.a, self.b, self.c = Source(), Source(), Sink()
            with self.red:
                self.connect(self.a.out, self.c.inp)
            with self.green:
                self.connect(self.a.out, self.c.inp, after=0)
                self.connect(self.b.out, self.c.inp)
                self.connect(self.b.out, self.lamp)
            self.connect(self.b.out, self.c.inp)
            self.connect(self.b.out, self.lamp)

    to = "Outer.connect: Outer.b.out to Outer"
    assert problems(Outer()) == [
        f"{to}.c.inp: Outer.a.out is connected to it already; a port has one writer in each mode",
        f"{to}.lamp: the reaction Outer.shine sets it; a port has one writer in each mode",
        f"{to}.c.inp: Outer.a.out is connected to it already; a port has one writer",
        f"{to}.lamp: the reaction Outer.go sets it; a port has one writer",
    ]


def test_calls_of_modes():
    """Transitions are into modes; a block of a mode is for before the assembly."""
    for call in (rr.reset, rr.history):
        with pytest.raises(TypeError, match="takes a mode"):
            call(Light.wait)
    with pytest.raises(TypeError, match=r"the trigger is rr\.reset without brackets"):
        rr.reset()
    with pytest.raises(TypeError, match=r"; name the mode, rr\.history\(mode\)"):
        rr.reaction(rr.startup, effects=rr.history)
    with (
        pytest.raises(TypeError, match=r"with rr\.history\(red\): is no mode"),
        rr.history(Light.red),
    ):
        pass
    assert "as an effect name the mode" in misused(EFFECT, rr.reset)
    with pytest.raises(TypeError, match="by keyword; its name is that of the attribute"):
        rr.Mode("red")
    with pytest.raises(TypeError, match="initial='yes': it is True or False"):
        rr.Mode(initial="yes")
    with pytest.raises(TypeError, match="mutable='copy': it is True or False"):
        rr.Input(mutable="copy")
    with pytest.raises(rr.PhaseError, match=r"red is the declaration; ask self\.red\.is_active"):
        _ = Light.red.is_active
    main = Light()
    rr.Program(main, workers=1)
    with pytest.raises(rr.PhaseError, match=r"with Light\.red: is for before"), main.red:
        pass
    with pytest.raises(rr.PhaseError):
        main.green.set()
    for call, name in ((rr.reset, "reset"), (rr.history, "history")):
        text = rf"rr\.{name}\(Light\.red\) is for effects=; in the body call self\.red\.set\(\)"
        with pytest.raises(rr.PhaseError, match=text):
            call(main.red)
    with pytest.raises(rr.PhaseError, match=r"Light\.red\.is_active: only a running reaction"):
        _ = main.red.is_active


def test_a_block_is_opened_on_the_instance():
    """In `__init__` the mode is that of self, and not the declaration."""

    class Outer(Light):
        def __init__(self):
            with Light.red:
                pass

    with pytest.raises(TypeError, match=r"with Outer\.red: is the declaration; write `with self"):
        Outer()


def in_a_body(do):
    """The exception that a body of a Reader raises when it does this with its reactor."""

    class Reader(rr.Reactor):
        inp, out = rr.Input(), rr.Output()
        on = rr.Mode(initial=True)

        @rr.reaction(inp)
        def read(self):
            do(self)

    class Starter(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def start(self):
            self.out.set(1)

    def build(self):
        self.starter, self.reader = Starter(), Reader()
        self.connect(self.starter.out, self.reader.inp)

    with pytest.raises(rr.ReactionError) as e:
        rr.run(Main(build), workers=1, fast=True)
    return e.value.__cause__


def test_what_a_body_cannot_do_with_an_element():
    """The advice is none that is refused next."""

    def assign(self):
        self.inp.value += 1

    error = in_a_body(assign)
    assert type(error) is AttributeError
    assert str(error) == (
        "Main.reader.inp.value cannot be assigned; to change what it reads write into the object (v"
        " = self.inp.value; v += 1), to send something set an output"
    )
    error = in_a_body(lambda self: self.inp.set(1))
    assert type(error) is rr.UndeclaredEffectError
    assert "a reaction cannot set an input of its own reactor" in str(error)
    assert "effects=" not in str(error)
    error = in_a_body(lambda self: self.out.set(1))
    assert "add it to effects=" in str(error)
    error = in_a_body(lambda self: rr.reset(self.on).set())
    assert type(error) is rr.PhaseError
    assert "in the body call self.on.set()" in str(error)


def test_a_block_that_raises_leaves_nothing_behind():
    """An exception in `with mode:` ends the block, in a class and in `__init__`."""
    with pytest.raises(ZeroDivisionError):

        class Broken(rr.Reactor):
            red = rr.Mode(initial=True)
            with red:
                _ = 1 // 0

    def build(self):
        self.red = rr.Mode(initial=True)
        with self.red:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Main(build)
    assert rr.Timer().mode is None
    rr.Program(Light(), workers=1)
