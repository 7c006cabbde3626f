"""The names of the public API, their arguments, and what they cost where bodies use them."""

import dis
import inspect

import pytest

import reactorrl as rr
from reactorrl.interrupts import gil_explanation

NAMES = {
    "Input Output Timer LogicalAction PhysicalAction startup shutdown",
    "Mode reset history enclave",
    "nsec usec msec sec FOREVER NEVER Tag",
    "Reactor reaction Bank interleaved",
    "Program run RunReport EnclaveReport",
    "make_vec",
    "ReactorError AssemblyError CausalityLoopError ReactionError AbsentError",
    "UndeclaredEffectError UndeclaredUseError PhaseError CapacityError RecordingError",
}


def test_every_name_is_there():
    """`__all__` is the public surface; it holds what the API page names."""
    names = {name for line in NAMES for name in line.split()}
    assert names <= set(rr.__all__)
    assert all(hasattr(rr, name) for name in rr.__all__)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (rr.Input, "type, *, width, mutable"),
        (rr.Output, "type, *, width"),
        (rr.Timer, "offset, period"),
        (
            rr.make_vec,
            "id, num_envs, *, workers, autoreset_mode, vector_kwargs, wrappers, atari, kwargs",
        ),
        (rr.LogicalAction, "min_delay, *, min_spacing, policy"),
        (rr.PhysicalAction, "min_delay, *, min_spacing, policy, capacity, full"),
        (rr.Mode, "*, initial"),
        (rr.history, "mode"),
        (rr.reset, "mode"),
        (rr.enclave, "reactor, *, workers, capacity"),
        (rr.reaction, "*triggers, uses, effects, deadline"),
        (
            rr.Reactor.add_reaction,
            "self, body, triggers, uses, effects, deadline, on_deadline_miss",
        ),
        (
            rr.Reactor.connect,
            "self, sources, destinations, *, after, physical, broadcast",
        ),
        (
            rr.Program,
            "main, *, workers, fast, timeout, keepalive, affinity, trace, seed, check, profile,"
            " clock, record, replay, allow_pickle, live",
        ),
    ],
)
def test_arguments(function, arguments):
    """Names, order and which are by keyword only."""
    shown, has_star = [], False
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            name, has_star = f"*{name}", True
        elif parameter.kind is parameter.KEYWORD_ONLY and not has_star:
            shown.append("*")
            has_star = True
        shown.append(name)
    assert ", ".join(shown) == arguments


def test_the_tree_of_errors():
    """One base; some are also what Python itself would raise."""
    errors = [getattr(rr, name) for name in rr.__all__ if name.endswith("Error")]
    assert len(errors) == 10
    assert all(issubclass(error, rr.ReactorError) for error in errors)
    assert issubclass(rr.CausalityLoopError, rr.AssemblyError)
    assert issubclass(rr.AbsentError, LookupError)
    assert issubclass(rr.PhaseError, RuntimeError)


def test_class_attributes_are_declarations():
    """A class shows its elements, those of its bases too, and its reactions."""

    class Base(rr.Reactor):
        inp = rr.Input()

    class Derived(Base):
        out = rr.Output(width="n")

        @rr.reaction(Base.inp, effects=out)
        def go(self):
            """Go."""

    assert isinstance(Derived.inp, rr.Input)
    assert Derived.inp is Base.inp
    assert (str(Derived.out), Derived.out.width) == ("out", "n")
    assert Derived.go.__doc__ == "Go."
    assert {"inp", "out", "go", "connect"} <= set(dir(Derived))
    with pytest.raises(AttributeError, match="type object 'Derived' has no attribute 'nothing'"):
        _ = Derived.nothing


def test_names_of_elements():
    """An element knows its path, as soon as the path is known."""

    class Inner(rr.Reactor):
        wide = rr.Input(width=2)
        act = rr.LogicalAction()

    class Outer(rr.Reactor):
        def __init__(self):
            self.bank = rr.Bank(2, Inner)

    outer = Outer()
    assert outer.bank.path == "Outer.bank"
    assert str(outer.bank[1].wide[0]) == "Outer.bank[1].wide[0]"
    assert repr(outer.bank[0].wide) == "<InputMultiport Outer.bank[0].wide>"
    assert repr(outer.bank[0].act) == "<LogicalAction Outer.bank[0].act>"
    assert repr(outer.bank[0]) == f"<{Inner.__qualname__} Outer.bank[0]>"


def opcodes(function):
    """Instructions on attributes, as specialised after many calls on this thread."""
    instructions = dis.get_instructions(function, adaptive=True)
    return [i.opname for i in instructions if "_ATTR" in i.opname]


@pytest.mark.skipif("sys.version_info < (3, 13)", reason="how specialisation shows itself")
def test_attributes_of_reactors_are_specialised():
    """Neither elements nor children, nor the assembly, turn instances into slow ones."""

    class Leaf(rr.Reactor):
        inp = rr.Input()
        wide = rr.Output(width="n")

        def __init__(self, n):
            self.n = n

    class Main(rr.Reactor):
        tick = rr.Timer()

        def __init__(self):
            self.bank = rr.Bank(3, Leaf, 2)
            self.extra = rr.Input()
            self.several = [Leaf(1), Leaf(0)]
            self.one = Leaf(1)
            self.count = 0

        @rr.reaction(tick)
        def body(self):
            self.count += 1
            _ = self.tick, self.extra, self.bank, self.one

    main = Main()
    rr.Program(main, workers=1)
    for _ in range(1000):
        main.body()
    assert opcodes(Main.body.function) == [
        "LOAD_ATTR_INSTANCE_VALUE",
        "STORE_ATTR_INSTANCE_VALUE",
        *["LOAD_ATTR_INSTANCE_VALUE"] * 4,
    ]


def test_the_gil_is_explained():
    """Whatever the reason, the line says that reactions take turns."""
    text = gil_explanation()
    assert "reactions take turns" in text
    assert "\n" not in text
