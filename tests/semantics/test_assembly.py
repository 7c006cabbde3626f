"""Every other mistake that is found before anything runs."""

import pytest
from programs import Collect, Emit, Pass, Spread, Trace, Wide, Wire, run

import reactorrl as rr


def problems(main_or_build):
    """Assembles, and returns the problems of the AssemblyError that must come."""
    with pytest.raises(rr.AssemblyError) as e:
        rr.Program(Wire(main_or_build) if not isinstance(main_or_build, type) else main_or_build())
    assert not isinstance(e.value, rr.CausalityLoopError)
    assert all(problem in str(e.value) for problem in e.value.problems)
    return e.value.problems


def only(found, *words):
    """There is one problem, and it names all the words."""
    assert len(found) == 1, found
    assert all(word in found[0] for word in words), found


# -- connections


@pytest.mark.parametrize(
    ("left", "right", "options"), [(2, 3, {}), (3, 2, {}), (2, 3, {"broadcast": True}), (3, 0, {})]
)
def test_widths_must_match(left, right, options):
    """Any mismatch is an error, never a warning, also with broadcast."""

    def build(self):
        self.src, self.dst = Spread(left, {}), Wide(None, right)
        self.connect(self.src.out, self.dst.inp, **options)

    only(problems(build), "Wire", str(left), str(right))


def test_a_destination_has_one_writer():
    """Two connections into one port are an error that names all three ports."""

    def build(self):
        self.a, self.b, self.c = Emit(1), Emit(2), Collect(None)
        self.connect(self.a.out, self.c.inp)
        self.connect(self.b.out, self.c.inp, after=0)

    only(problems(build), "Wire.c.inp", "Wire.a.out", "Wire.b.out")


def test_a_connection_and_an_effect_are_two_writers():
    """A connected port cannot be a reaction's effect as well."""

    class Main(rr.Reactor):
        def __init__(self):
            self.a, self.c = Emit(1), Collect(None)
            self.connect(self.a.out, self.c.inp)
            self.add_reaction(self.write, triggers=[rr.startup], effects=[self.c.inp])

        def write(self):
            pass

    only(problems(Main), "Main.c.inp", "Main.write")


def test_two_reactors_cannot_write_one_output():
    """An own output that a child feeds is no effect of an own reaction."""

    class Main(rr.Reactor):
        out = rr.Output()

        def __init__(self):
            self.a = Emit(1)
            self.connect(self.a.out, self.out)

        @rr.reaction(rr.startup, effects=out)
        def write(self):
            pass

    only(problems(Main), "Main.out", "Main.write")


def test_two_reactions_of_one_reactor_may_write_one_output(workers):
    """The order inside a reactor says which write is the last."""
    trace = Trace()

    class Main(rr.Reactor):
        def __init__(self):
            self.c = Collect(trace)
            self.add_reaction(self.one, triggers=[rr.startup], effects=[self.c.inp])
            self.add_reaction(self.two, triggers=[rr.startup], effects=[self.c.inp])

        def one(self):
            self.c.inp.set(1)

        def two(self):
            self.c.inp.set(2)

    run(Main(), workers)
    assert trace.events == [((0, 0), 2)]


def child_input_as_source(self):
    self.a, self.b = Pass(), Collect(None)
    self.connect(self.a.inp, self.b.inp)


def child_output_as_target(self):
    self.a, self.b = Emit(1), Pass()
    self.connect(self.a.out, self.b.out)


def two_levels_down(self):
    self.box, self.c = Wire(lambda box: setattr(box, "deep", Emit(1))), Collect(None)
    self.connect(self.box.deep.out, self.c.inp)


@pytest.mark.parametrize(
    ("build", "path"),
    [
        (child_input_as_source, "Wire.a.inp"),
        (child_output_as_target, "Wire.b.out"),
        (two_levels_down, "Wire.box.deep.out"),
    ],
)
def test_connections_go_the_allowed_ways_only(build, path):
    """From own inputs and children's outputs to own outputs and children's inputs, no deeper."""
    only(problems(build), path)


@pytest.mark.parametrize("bad", [1, "a.out", None, rr.LogicalAction()])
def test_only_ports_are_connected(bad):
    """Something that is no port is a TypeError at once."""

    def build(self):
        self.c = Collect(None)
        self.connect(bad, self.c.inp)

    with pytest.raises(TypeError):
        Wire(build)


# -- reactions


def body(self):
    pass


def declaring(*triggers, **others):
    """A class whose one reaction is declared so; the elements are those given."""
    elements = [
        e
        for group in (triggers, *others.values())
        for e in (group if isinstance(group, tuple) else (group,))
    ]
    names = {f"e{i}": e for i, e in enumerate(elements) if e not in (rr.startup, rr.shutdown)}
    return type("Main", (rr.Reactor,), {**names, "react": rr.reaction(*triggers, **others)(body)})


def test_an_own_output_is_no_trigger():
    """A reactor's own output cannot trigger it."""
    only(problems(declaring(rr.Output())), "Main.react", "e0")


def test_an_own_input_is_no_effect():
    """A reaction cannot set an input of its own reactor."""
    only(problems(declaring(rr.startup, effects=rr.Input())), "Main.react")


def test_a_timer_is_no_effect():
    """Nobody sets a timer."""
    only(problems(declaring(rr.startup, effects=rr.Timer())), "Main.react")


def test_a_reaction_without_trigger_is_an_error():
    """It would never run."""
    only(problems(declaring(uses=rr.Input())), "Main.react", "trigger")


def test_a_trigger_listed_twice_is_allowed(workers):
    """Twice the same trigger is one trigger."""
    trace = Trace()

    class Main(rr.Reactor):
        tick = rr.Timer()

        @rr.reaction(tick, tick, rr.startup)
        def on(self):
            trace(self, "once")

    run(Main(), workers)
    assert trace.events == [((0, 0), "once")]


def contained(triggers=(), effects=()):
    """A Main whose one added reaction names the child's elements of these names."""

    class Child(rr.Reactor):
        inp = rr.Input()
        out = rr.Output()
        act = rr.LogicalAction()
        tick = rr.Timer()

    class Main(rr.Reactor):
        def __init__(self):
            self.child = Child()
            self.add_reaction(
                self.react,
                triggers=[rr.startup, *(getattr(self.child, name) for name in triggers)],
                effects=[getattr(self.child, name) for name in effects],
            )

        def react(self):
            pass

    return Main


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ({"triggers": ["inp"]}, "inp"),
        ({"triggers": ["act"]}, "act"),
        ({"triggers": ["tick"]}, "tick"),
        ({"effects": ["out"]}, "out"),
        ({"effects": ["act"]}, "act"),
    ],
)
def test_only_ports_of_children_cross_the_border(declared, name):
    """Of a child, outputs may be triggers and inputs effects; nothing else may be named."""
    only(problems(contained(**declared)), "Main.react", f"Main.child.{name}")


@pytest.mark.parametrize("bad", ["inp", 1, None, Emit])
def test_only_elements_are_declared(bad):
    """Names and other objects are a TypeError at once."""
    with pytest.raises(TypeError):
        rr.reaction(bad)(body)


def test_a_body_takes_no_argument():
    """The body of a reaction is a method without arguments, not a coroutine, not a generator."""

    def with_argument(self, value):
        pass

    async def coroutine(self):
        pass

    def generator(self):
        yield

    for bad in (with_argument, coroutine, generator):
        with pytest.raises(TypeError):
            rr.reaction(rr.startup)(bad)


# -- names and structure


def test_a_derived_class_does_not_redefine_an_element():
    """A name of a base's element cannot be declared again."""

    class Base(rr.Reactor):
        inp = rr.Input()

    class Derived(Base):
        inp = rr.Input()

    only(problems(Derived), "Derived", "Base", "inp")


@pytest.mark.parametrize(
    "name", ["tag", "path", "connect", "request_stop", "bank_index", "add_reaction", "lag"]
)
def test_public_names_of_reactors_are_taken(name):
    """An element cannot shadow what every reactor has."""
    with pytest.raises(rr.AssemblyError, match=name):
        rr.Program(type("Main", (rr.Reactor,), {name: rr.Timer()})())


def test_an_element_and_a_child_cannot_share_a_name():
    """One name is one thing."""

    class Main(rr.Reactor):
        inp = rr.Input()

        def __init__(self):
            self.inp = Emit(1)

    only(problems(Main), "Main", "inp")


def test_a_child_name_is_assigned_once():
    """Two assignments to one child name leave a reactor without a place."""

    class Main(rr.Reactor):
        def __init__(self):
            self.child = Emit(1)
            self.child = Emit(2)

    only(problems(Main), "Main", "child")


def test_a_reactor_that_contains_its_own_class_without_end_is_an_error():
    """An endless instantiation is reported as such."""

    class Russian(rr.Reactor):
        def __init__(self):
            self.inner = Russian()

    with pytest.raises(rr.AssemblyError, match="Russian"):
        rr.Program(Russian())


def test_a_main_with_ports_runs_with_them_absent(workers):
    """Ports of the main reactor are allowed and absent."""
    trace = Trace()

    class Main(rr.Reactor):
        inp = rr.Input()
        tick = rr.Timer()

        @rr.reaction(tick, inp)
        def on(self):
            trace(self, self.inp.is_present)

    run(Main(), workers)
    assert trace.events == [((0, 0), False)]


def test_all_problems_come_at_once_with_full_paths():
    """One AssemblyError lists every problem of every reactor."""

    class Bad(rr.Reactor):
        out = rr.Output()
        act = rr.LogicalAction(policy="drop")
        tick = rr.Timer("missing")

        @rr.reaction(out, act, tick)
        def react(self):
            pass

    def build(self):
        self.bad, self.src, self.sink = Bad(), Spread(2, {}), Wide(None, 3)
        self.box = Wire(child_input_as_source)
        self.connect(self.src.out, self.sink.inp)

    found = problems(build)
    for words in (
        ("Wire.bad.react", "out"),
        ("Wire.bad.act",),
        ("Wire.bad.tick", "missing"),
        ("Wire.sink.inp",),
        ("Wire.box.a.inp",),
    ):
        assert any(all(word in problem for word in words) for problem in found), (words, found)


def test_a_failed_assembly_runs_nothing():
    """No body runs, and no program is there."""
    trace = Trace()

    class Main(rr.Reactor):
        act = rr.LogicalAction(policy="drop")

        @rr.reaction(rr.startup)
        def start(self):
            trace(self, "started")

    with pytest.raises(rr.AssemblyError):
        run(Main())
    assert trace.rows == []


def test_the_structure_is_fixed_while_running(workers):
    """Connecting or adding in a body raises PhaseError."""
    trace = Trace()

    class Main(rr.Reactor):
        def __init__(self):
            self.a, self.b = Emit(1), Collect(trace)
            self.add_reaction(self.change, triggers=[rr.startup])

        def change(self):
            with pytest.raises(rr.PhaseError):
                self.connect(self.a.out, self.b.inp)
            with pytest.raises(rr.PhaseError):
                self.add_reaction(self.change, triggers=[rr.startup])
            trace(self, "refused")

    run(Main(), workers)
    assert trace.rows == [((0, 0), "Main", "refused")]
