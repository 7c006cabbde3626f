"""Mistakes that everybody makes first: each gets a text that says what to write instead."""

import re
import warnings

import pytest

import reactorrl as rr
from reactorrl.testing import record_trace


class Source(rr.Reactor):
    out = rr.Output()

    @rr.reaction(rr.startup, effects=out)
    def go(self):
        self.out.set(1)


class Sink(rr.Reactor):
    inp = rr.Input()

    @rr.reaction(inp)
    def show(self):
        pass


class Wide(rr.Reactor):
    inp, out = rr.Input(width=2), rr.Output(width=2)


def in_body(body, effects=(), **elements):
    """The error of a reaction on startup that runs `body` in a reactor with these elements."""
    cls = type(rr.Reactor)(
        "Main",
        (rr.Reactor,),
        {**elements, "go": rr.reaction(rr.startup, effects=effects)(body)},
    )
    with pytest.raises(rr.ReactionError) as e:
        rr.run(cls(), workers=1)
    return e.value.__cause__


def started(main):
    """The texts of the warnings when it runs."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        rr.run(main, workers=1, fast=True)
    return [str(warning.message) for warning in caught if "the GIL" not in str(warning.message)]


# -- nothing happens, or not what was meant


def test_a_forgotten_connection():
    """A reactor that waits for inputs which nothing feeds is named when the program starts."""

    class Main(rr.Reactor):
        def __init__(self):
            self.source, self.sink = Source(), rr.Bank(2, Sink)
            self.connect(self.source.out, self.sink[1].inp)

    assert started(Main()) == [
        "reactorrl: Main.sink[0] never runs: nothing is connected to Main.sink[0].inp; see"
        " Main.connect"
    ]


def test_what_else_feeds_an_input():
    """A reaction that sets it, a channel of several; what runs for another reason is fine, too."""

    class Other(rr.Reactor):
        inp, tick = rr.Input(), rr.Timer()

        @rr.reaction(inp)
        def read(self):
            pass

        @rr.reaction(tick)
        def work(self):
            pass

    class Gather(rr.Reactor):
        inp = rr.Input(width=2)

        @rr.reaction(inp)
        def read(self):
            pass

    class Main(rr.Reactor):
        def __init__(self):
            self.source, self.sink, self.other, self.all = Source(), Sink(), Other(), Gather()
            self.connect(self.source.out, self.all.inp[1])
            self.add_reaction(self.feed, rr.startup, effects=self.sink.inp)

        def feed(self):
            self.sink.inp.set(1)

    assert started(Main()) == []


def test_many_reactors_that_never_run_are_shortened():
    """The first are named."""

    class Main(rr.Reactor):
        def __init__(self):
            self.sinks, self.source = rr.Bank(9, Sink), Source()

    (text,) = started(Main())
    assert text.count("never runs") == 5
    assert text.endswith("\n  and 4 more")


def test_no_reaction_at_all():
    """Methods that nobody decorated are no reactions."""

    class Main(rr.Reactor):
        def go(self):
            pass

    assert started(Main()) == [
        "reactorrl: Main: neither it nor what it contains has a reaction; decorate methods with"
        " @rr.reaction(...)"
    ]


def test_an_element_that_a_body_assigns():
    """`self.out = 1` sends nothing, which the end of the run tells."""

    class Main(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def go(self):
            self.out = 1

    assert started(Main()) == [
        "reactorrl: Main.out was assigned a value (int) by a reaction, which sends nothing; call"
        " self.out.set(value), or schedule(value) of an action"
    ]


def test_elements_under_observation_are_not_told():
    """Those of a traced program are of a class that tells, and still the elements declared."""

    class Main(rr.Reactor):
        tick, out = rr.Timer(), rr.Output()

        @rr.reaction(tick, effects=out)
        def go(self):
            self.out.set(1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(record_trace(Main).rows) == 1


def problems(main):
    with pytest.raises(rr.AssemblyError) as e:
        rr.Program(main, workers=1)
    return e.value.problems


def test_two_reactions_of_one_name():
    """Python would forget the first one."""

    class Main(rr.Reactor):
        tick = rr.Timer()

        @rr.reaction(tick)
        def on(self):
            pass

        @rr.reaction(rr.startup)
        def on(self):  # noqa: F811
            pass

        tick = rr.Timer(1)  # noqa: PIE794

    assert problems(Main()) == [
        "Main.on is defined twice, so that the first, a reaction, would be lost; rename one",
        "Main.tick is defined twice, so that the first, a Timer, would be lost; rename one",
    ]


def test_a_child_in_the_body_of_the_class():
    """It would be shared by all instances."""

    class Main(rr.Reactor):
        kid, kids = Source(), rr.Bank(2, Source)

    shared = "is made in the body of the class Main, where all its instances would share it; make"
    assert problems(Main()) == [
        f"Main.kid {shared} it in __init__: self.kid = ...",
        f"Main.kids {shared} it in __init__: self.kids = ...",
    ]


# -- what is refused at once


@pytest.mark.parametrize(
    ("mistake", "text"),
    [
        (lambda: rr.reaction("tick"), "got 'tick'; name the element itself, without quotes"),
        (lambda: rr.reaction(rr.Output), "; make one: Output()"),
        (lambda: rr.reaction([rr.startup], []), "; triggers are given one by one, and uses= and"),
        (lambda: rr.reaction(lambda self: True), "a trigger is an element (a port, an action,"),
        (lambda: rr.reaction(Source.go.function), "as in @rr.reaction(rr.startup)"),
        (lambda: rr.Output(3), "type=3: it says what the values are; for several channels, width="),
        (lambda: rr.Bank(Source, 2), "; the number comes first: Bank(2, Source)"),
        (lambda: rr.Bank(2.0, Source), "n is a float (2.0); give an int"),
        (lambda: rr.Bank("2", Source), "n is a str ('2'); give an int"),
        (lambda: Source(3), "Source() takes no arguments, as it has no __init__"),
        (lambda: rr.Bank(2, Source, n=3), "Source() takes no arguments, as it has no __init__"),
        (lambda: rr.run(Source(), workers="2"), "workers is a str ('2'); give how many threads"),
        (lambda: rr.run(Source(), workers=2.0), "workers is a float (2.0); give how many threads"),
        (lambda: rr.run(Source(), seed=1.5), "seed is a float (1.5); give a non-negative int"),
        (lambda: Wide().connect(Source(), Sink().inp), "no port; name one of its ports (out)"),
        (lambda: Wide().connect(rr.Bank(1, Wide), []), "no port; name one of its ports (inp, out)"),
        (lambda: Wide().connect(rr.Reactor(), []), "name one of its ports (it has none)"),
    ],
)
def test_wrong_arguments(mistake, text):
    """The TypeError says what to give instead."""
    with pytest.raises(TypeError, match=re.escape(text)):
        mistake()


def test_a_time_as_text():
    """A text is the name of an attribute, which 100ms is not."""
    with pytest.raises(ValueError, match=r"Timer\('100ms'\): a text is the name of an attribute"):
        rr.Timer(period="100ms")


def test_a_class_that_is_no_reactor():
    """One with reactions lacks its base."""

    class Main:
        @rr.reaction(rr.startup)
        def go(self):
            pass

    with pytest.raises(TypeError, match=r"; derive its class from it: class Main\(rr\.Reactor\)$"):
        rr.run(Main())


# -- where nothing runs


def test_outside_of_reactions():
    """Calling a reaction, setting in `__init__`, scheduling from outside: each with the way."""

    class Early(rr.Reactor):
        out = rr.Output()

        def __init__(self):
            self.out.set(1)

    class Holder(rr.Reactor):
        act = rr.LogicalAction()

    only = "only a running reaction may do this; "
    with pytest.raises(rr.PhaseError) as e:
        Source().go()
    assert str(e.value) == f"Source.out: {only}rr.run(main) runs them, and nothing else calls them"
    with pytest.raises(rr.PhaseError) as e:
        Early()
    assert str(e.value) == (
        f"Early.out: {only}in __init__ none runs yet, so do it in one on rr.startup"
    )
    with pytest.raises(rr.PhaseError) as e:
        Holder().act.schedule(1)
    assert str(e.value) == f"Holder.act: {only}from outside schedule a PhysicalAction"
    with pytest.raises(rr.PhaseError) as e:
        _ = Source().tag
    assert str(e.value) == "only a running reaction of Source may ask for this"
    with pytest.raises(rr.PhaseError, match=r"use it in reactions, such as one on rr\.startup"):
        _ = Source().rng


def test_a_program_runs_once():
    """What to make anew is said: the reactor, too."""
    program = rr.Program(Source(), workers=1)
    program.run()
    with pytest.raises(rr.PhaseError, match="make a new Program, of a new Source"):
        program.run()
    main = Wide()
    rr.Program(main, workers=1)
    with pytest.raises(rr.PhaseError, match=r"^Wide\.connect\(\) is .*; call it in __init__"):
        main.connect(main.inp, main.out)


# -- in bodies


def test_channels_and_single_ports():
    """A multiport has no value, a single port no channel, and neither takes an assignment."""
    error = in_body(lambda self: self.wide.set(1), wide := rr.Output(width=2), wide=wide)
    assert isinstance(error, AttributeError)
    assert str(error) == (
        "Main.wide is a multiport and has no 'set' of its own; ask a channel, self.wide[0].set, or"
        " each one in a loop"
    )
    error = in_body(lambda self: self.wide[2].set(1), wide := rr.Output(width=2), wide=wide)
    assert isinstance(error, IndexError)
    assert str(error) == "Main.wide[2]: it has 2 channels, from 0 on"
    error = in_body(lambda self: self.wide.__setitem__(1, 3), wide := rr.Output(width=2), wide=wide)
    assert isinstance(error, TypeError)
    assert str(error) == (
        "Main.wide[1] cannot be assigned; to send something call self.wide[1].set(value)"
    )
    error = in_body(lambda self: self.out[1].set(1), out := rr.Output(), out=out)
    assert isinstance(error, TypeError)
    assert str(error) == ("Main.out is a single port and has no channel [1]; give it some: width=2")


def test_assigned_values():
    """What is sent is set."""
    error = in_body(lambda self: setattr(self.out, "value", 1), out := rr.Output(), out=out)
    assert (
        str(error)
        == "Main.out.value cannot be assigned; to send something call self.out.set(value)"
    )


@pytest.mark.parametrize(
    ("element", "advice"),
    [
        (rr.Output(), "is_present, or its .value"),
        (rr.LogicalAction(), "is_present"),
        (rr.Timer(), "is_present"),
        (rr.Output(width=2), "is_present"),
    ],
)
def test_elements_as_conditions(element, advice):
    """`if self.inp:` may mean that it is present or that its value is true: refused in a body."""
    assert bool(element)
    error = in_body(lambda self: print("yes" if self.it else "no"), it=element)
    assert isinstance(error, TypeError)
    assert str(error) == f"Main.it is neither true nor false; ask self.it.{advice}"


def test_an_output_read_too_early():
    """Reactions run in the order of their definition, which the error says."""

    class Main(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, uses=out)
        def read(self):
            _ = self.out.value

        @rr.reaction(rr.startup, effects=out)
        def write(self):
            self.out.set(1)

    with pytest.raises(rr.ReactionError) as e:
        rr.run(Main(), workers=1)
    assert isinstance(e.value.__cause__, rr.AbsentError)
    assert str(e.value.__cause__).endswith(
        ", or use .get(default); reactions run in the order of their definition, so define the one"
        " that sets it before this one"
    )


@pytest.mark.filterwarnings("ignore:reactorrl:RuntimeWarning")  # of inputs that nothing feeds
def test_ports_of_children():
    """A decorated reaction cannot declare them; `add_reaction` can."""

    class Main(rr.Reactor):
        def __init__(self):
            self.source, self.sink = Source(), Sink()

        @rr.reaction(rr.startup)
        def go(self):
            self.sink.inp.set(1) if self.is_setting else self.source.out.get()

    for is_setting, role in ((True, "effects"), (False, "uses")):
        main = Main()
        main.is_setting = is_setting
        with pytest.raises(rr.ReactionError) as e:
            rr.run(main, workers=1)
        assert (
            f"add it to {role}= of one made by self.add_reaction(...) in __init__, as it is a"
            " child's"
        ) in str(e.value)


def test_elements_of_strangers():
    """What is neither the reactor's nor a child's is reached through ports."""

    class Box(rr.Reactor):
        def __init__(self):
            self.deep = Source()

    class Main(rr.Reactor):
        def __init__(self):
            self.box = Box()

        @rr.reaction(rr.startup)
        def go(self):
            self.box.deep.out.set(1)

    with pytest.raises(rr.ReactionError) as e:
        rr.run(Main(), workers=1)
    assert isinstance(e.value.__cause__, rr.PhaseError)
    assert "only Main.box.deep and what contains it may touch this; connect a port to it" in str(
        e.value
    )
