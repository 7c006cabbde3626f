"""What classes and instances declare in modes and for deadlines, and how it is inherited."""

import copy
import pickle

import numpy as np
import pytest

import reactorrl as rr
from reactorrl import placement
from reactorrl.assembly import Assembly
from reactorrl.checks import FrozenArrays
from reactorrl.declare import EFFECT, HISTORY, TRIGGER
from reactorrl.scope import building, current_mode


class Light(rr.Reactor):
    cars, lamp = rr.Input(), rr.Output()
    red, green = rr.Mode(initial=True), rr.Mode()

    with red:
        wait = rr.Timer()

        @rr.reaction(wait, effects=[green, lamp], deadline=rr.msec(5))
        def go(self):
            return "go"

        @go.on_deadline_miss
        def late(self):
            return "late"

    with green:
        act = rr.LogicalAction()

        @rr.reaction(rr.reset, effects=act)
        def restart(self):
            pass

    @rr.reaction(cars, effects=[rr.history(red), rr.reset(green)])
    def outside(self):
        pass


def planned(cls, name):
    """The reaction `name` in the plan of the class."""
    return next(reaction for reaction in cls._rrl_plan.reactions if reaction.name == name)


def test_the_plan_of_a_class_with_modes():
    """Elements and reactions know the mode in whose block they stand."""
    plan = Light._rrl_plan
    assert plan.problems == ()
    assert plan.modes == {"wait": "red", "act": "green"}
    assert [(r.name, r.mode, r.deadline_ns) for r in plan.reactions] == [
        ("go", "red", 5_000_000),
        ("restart", "green", -1),
        ("outside", None, -1),
    ]
    assert planned(Light, "outside").declared == (
        (TRIGGER, "cars"),
        (HISTORY, "red"),
        (EFFECT, "green"),
    )
    assert planned(Light, "restart").declared[0] == (TRIGGER, rr.reset)
    assert plan.writers == {"lamp": [("red", "go")]}
    assert planned(Light, "go").handler is Light.late


def test_a_derived_class_goes_on_with_the_modes_of_its_base():
    """It inherits modes, adds to them, and may add modes; the base stays as it is."""

    class Derived(Light):
        amber = rr.Mode()

        with Light.red:
            beep = rr.Timer()

            @rr.reaction(beep, Light.wait, effects=[amber, Light.lamp])
            def ring(self):
                pass

        with amber:

            @rr.reaction(rr.reset, effects=Light.lamp)
            def blink(self):
                pass

    plan = Derived._rrl_plan
    assert plan.problems == ()
    assert plan.modes == {"wait": "red", "act": "green", "beep": "red"}
    assert [r.mode for r in plan.reactions] == ["red", "green", None, "red", "amber"]
    assert plan.writers == {"lamp": [("red", "go"), ("red", "ring"), ("amber", "blink")]}
    assert "beep" not in Light._rrl_plan.modes
    assert [r.name for r in Light._rrl_plan.reactions] == ["go", "restart", "outside"]


def test_overriding_a_body_keeps_mode_deadline_and_handler():
    """Only another `@reaction` replaces them; the handler is overridden by its own name."""

    class Body(Light):
        def go(self):
            return "other"

    class Handler(Light):
        def late(self):
            return "later"

    class Again(Light):
        with Light.green:

            @rr.reaction(Light.act, deadline=7)
            def go(self):
                pass

    for cls, body, handler in ((Body, Body.go, Light.late), (Handler, None, Handler.late)):
        reaction = planned(cls, "go")
        assert (reaction.mode, reaction.deadline_ns) == ("red", 5_000_000)
        assert reaction.function is (body or Light.go.function)
        assert reaction.handler is handler
    again = planned(Again, "go")
    assert (again.mode, again.deadline_ns, again.handler) == ("green", 7, None)
    assert [r.name for r in Again._rrl_plan.reactions] == ["go", "restart", "outside"]


def test_a_handler_may_have_the_name_of_its_reaction():
    """As with a property's setter, the name stays that of the reaction."""

    class Late(rr.Reactor):
        @rr.reaction(rr.startup, deadline=0)
        def go(self):
            return "go"

        @go.on_deadline_miss
        def go(self):
            return "late"

    (reaction,) = Late._rrl_plan.reactions
    assert (reaction.function(None), reaction.handler(None)) == ("go", "late")
    assert Late().go() == "go"


class Leaf(rr.Reactor):
    inp = rr.Input()

    def __init__(self):
        self.own = rr.Timer()
        assert current_mode() is None


class Box(rr.Reactor):
    def __init__(self, *given):
        self.given = list(given)
        self.leaf = Leaf()


class Outer(rr.Reactor):
    out = rr.Output()
    on = rr.Mode(initial=True)

    def __init__(self):
        self.off = rr.Mode()
        self.free = Leaf()
        with self.on:
            self.boxes = rr.Bank(2, Box)
            self.box = Box(Leaf())
            self.tick = rr.Timer()
            self.add_reaction(self.look, self.tick, effects=self.out)
        with self.off:
            self.act = rr.LogicalAction()
            self.add_reaction(self.look, self.act, effects=self.out)
        self.add_reaction(self.look, rr.startup)

    def look(self):
        pass


def test_what_init_makes_in_a_mode():
    """Children, banks, elements and reactions belong to it, and so does what is in the children."""
    outer = Outer()
    assembly = Assembly(outer)
    assert assembly.problems == []
    assert {node.path: node.within and node.within.name for node in assembly.nodes} == {
        "Outer": None,
        "Outer.free": None,
        "Outer.boxes[0]": "on",
        "Outer.boxes[0].leaf": "on",
        "Outer.boxes[1]": "on",
        "Outer.boxes[1].leaf": "on",
        "Outer.box": "on",
        "Outer.box.given[0]": "on",
        "Outer.box.leaf": "on",
    }
    assert [mode and mode.name for mode in assembly.modes] == ["on", "off", None]
    assert assembly.paths == ["Outer.look", "Outer.look#2", "Outer.look#3"]
    assert (outer.tick.mode, outer.act.mode, outer.free.own.mode) == (outer.on, outer.off, None)
    assert (str(outer.on), repr(outer.off)) == ("Outer.on", "<Mode Outer.off>")
    assert outer.on is not Outer.on


def test_only_what_is_made_in_the_block_lies_in_the_mode():
    """A child that was made elsewhere and is assigned in the block does not."""

    class Holder(rr.Reactor):
        on = rr.Mode(initial=True)

        def __init__(self, given):
            with self.on:
                self.given, self.made = given, Leaf()

    assembly = Assembly(Holder(Leaf()))
    assert assembly.problems == []
    assert {node.path: node.within and node.within.name for node in assembly.nodes} == {
        "Holder": None,
        "Holder.given": None,
        "Holder.made": "on",
    }


def test_blocks_leave_nothing_open():
    """After a class, an instance, and an exception in a block, no mode is entered."""
    with rr.Mode() as mode:
        assert rr.Timer().mode is mode
    with pytest.raises(ZeroDivisionError), rr.Mode():
        raise ZeroDivisionError
    Outer()
    assert (building.modes, building.stack, current_mode()) == ([], [], None)


def test_enclaves_of_a_tree():
    """Everything below an enclave belongs to it, but for the enclaves in it."""

    class Deep(rr.Reactor):
        def __init__(self):
            self.box = rr.enclave(Box(), workers=2)
            self.leaf = Leaf()

    class Main(rr.Reactor):
        def __init__(self):
            self.deep = rr.enclave(Deep())
            self.bank = rr.enclave(rr.Bank(2, Leaf))
            self.leaf = Leaf()

    assembly = Assembly(Main())
    assert assembly.problems == []
    assert {node.path: node.enclave_id for node in assembly.nodes} == {
        "Main": 0,
        "Main.deep": 1,
        "Main.deep.box": 2,
        "Main.deep.box.leaf": 2,
        "Main.deep.leaf": 1,
        "Main.bank[0]": 3,
        "Main.bank[1]": 4,
        "Main.leaf": 0,
    }
    assert [node.path for node in assembly.enclaves] == [
        "Main",
        "Main.deep",
        "Main.deep.box",
        "Main.bank[0]",
        "Main.bank[1]",
    ]


def test_mutable_declarations():
    """Every channel of a mutable multiport is mutable, and nothing else is."""

    class Reader(rr.Reactor):
        one, wide = rr.Input(mutable=True), rr.Input(width=2, mutable=True)
        other = rr.Input()

    reader = Reader()
    assert reader.one.mutable
    assert reader.wide.mutable
    assert all(channel.mutable for channel in reader.wide)
    assert not reader.other.mutable


def test_triggers_are_singletons():
    """Copies and pickles of startup, shutdown and reset are these themselves."""
    for trigger in (rr.startup, rr.shutdown, rr.reset):
        assert copy.deepcopy(trigger) is trigger
        assert pickle.loads(pickle.dumps(trigger)) is trigger
        assert repr(trigger).startswith("reactorrl.")


def test_frozen_arrays_count_all_holders():
    """An array is writeable again when the last holder has let go, frozen or not."""
    frozen, array = FrozenArrays(), np.zeros(2)
    frozen.hold(array)
    assert array.flags.writeable
    frozen.freeze(array)
    frozen.hold(array)
    assert not array.flags.writeable
    frozen.thaw(array)
    frozen.thaw(array)
    assert not array.flags.writeable
    frozen.thaw(array)
    assert array.flags.writeable
    array.setflags(write=False)
    frozen.freeze(array)
    frozen.thaw(array)
    assert not array.flags.writeable  # it was read-only before


def test_processors_of_enclaves(monkeypatch):
    """Those of enclaves come after the others; an explicit list must have enough for all."""
    topology = [(cpu, cpu, cpu % 2, 1) for cpu in (3, 2, 1, 0)]
    monkeypatch.setattr(placement._core, "topology", lambda: topology)
    place = placement.place
    assert place("performance", 1, 2) == (1, [3, 2, 1])
    assert place("spread", 2, 1) == (2, [3, 2, 1])
    assert place("performance", 3, 2) == (3, None)
    assert place([0, 1, 2], None, 1) == (2, [0, 1, 2])
    assert place([0, 1, 2], 1, 1) == (1, [0, 1])
    assert place(None, 3, 1) == (3, None)
    with pytest.raises(ValueError, match="affinity lists 1 CPUs for 1 workers and 2 of enclaves"):
        place([0], None, 2)


def test_workers_of_enclaves_are_pinned():
    """The report tells the processor of each."""
    cpus = sorted(cpu for cpu, *_ in placement._core.topology())[:2]
    if len(cpus) < 2:
        pytest.skip("one processor")

    class Main(rr.Reactor):
        def __init__(self):
            self.leaf = rr.enclave(Leaf())

    report = rr.run(Main(), workers=1, affinity=cpus)
    assert [worker.cpu for worker in report.workers] == cpus
    assert [enclave.path for enclave in report.enclaves] == ["Main", "Main.leaf"]


class Adds(rr.Reactor):
    inp, out = rr.Input(mutable=True), rr.Output()

    @rr.reaction(inp, effects=out)
    def add(self):
        self.array = self.inp.value
        self.array += 1
        self.out.set(self.array)


class Writes(rr.Reactor):
    inp = rr.Input()

    @rr.reaction(inp)
    def write(self):
        with pytest.raises(ValueError, match="read-only"):
            self.inp.value[0] = 5
        self.has_tried = True


@pytest.mark.parametrize("n", [1, 2])
def test_checked_programs_let_mutable_readers_write(n):
    """With check=True its one reader writes into the object, several into copies; others cannot."""
    array = np.zeros(2)

    class Main(rr.Reactor):
        out = rr.Output()

        def __init__(self):
            self.source, self.adds, self.writes = Sends(), rr.Bank(n, Adds), rr.Bank(n, Writes)
            self.connect(self.source.out, self.adds.inp, broadcast=True)
            self.connect(self.adds.out, self.writes.inp, after=0)

    class Sends(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def send(self):
            self.out.set(array)

    main = Main()
    rr.run(main, workers=2, check=True)
    assert [adds.array.tolist() for adds in main.adds] == [[1, 1]] * n
    assert all(writes.has_tried for writes in main.writes)
    assert array.tolist() == ([1, 1] if n == 1 else [0, 0])
    assert array.flags.writeable
    assert all(adds.array.flags.writeable for adds in main.adds)


def test_the_report_tells_misses_and_enclaves():
    """A column of misses where there are any, and each worker's enclave where there are several."""

    class Late(rr.Reactor):
        @rr.reaction(rr.startup, deadline=0)
        def body(self):
            pass

    class Main(rr.Reactor):
        def __init__(self):
            self.late = rr.enclave(Late(), workers=2)

        @rr.reaction(rr.startup)
        def start(self):
            pass

    report = rr.run(Main(), workers=1, fast=True)
    assert [worker.enclave for worker in report.workers] == ["Main", "Main.late", "Main.late"]
    lines = [line.split() for line in str(report).splitlines()]
    assert ["reaction", "runs", "missed"] in lines
    assert ["Main.late.body", "0", "1"] in lines
    assert [line[:3] for line in lines if line[:1] == ["worker"]] == [
        ["worker", "0", "(Main)"],
        ["worker", "1", "(Main.late)"],
        ["worker", "2", "(Main.late)"],
    ]
    assert "<th>missed</th>" in report._repr_html_()
    timed = rr.run(Late(), workers=1, fast=True, profile=True)
    assert [line.split()[:3] for line in str(timed).splitlines()][-2:] == [
        ["reaction", "runs", "missed"],
        ["Late.body", "0", "1"],
    ]
    on_time = rr.run(rr.Reactor(), workers=1, fast=True)
    assert "missed" not in str(on_time)
    assert "(Reactor)" not in str(on_time)
