"""How elements and children come to be: in the class, in __init__, in lists."""

import pytest
from programs import Collect, Emit, Pass, Trace, Wide, Wire, run

import reactorrl as rr


def test_elements_are_generic_for_type_checkers_only(workers):
    """`Input[T]()` is an Input; types are not checked at run time."""
    trace = Trace()

    class Typed(rr.Reactor):
        inp = rr.Input[int]()
        many = rr.Input[str](width=2)
        out = rr.Output[list[int]]()
        act = rr.LogicalAction[int]()

        @rr.reaction(rr.startup, effects=(out, act))
        def start(self):
            self.out.set("no list")
            self.act.schedule("no int")

        @rr.reaction(act, uses=(inp, many, out))
        def on_act(self):
            trace(self, (self.act.value, self.inp.get(), len(self.many)))

    run(Typed(), workers)
    assert trace.events == [((0, 1), ("no int", None, 2))]


def test_elements_may_be_made_in_init(workers):
    """Ports, multiports, actions and timers assigned to self are elements as those of the class."""
    trace = Trace()

    class Dynamic(rr.Reactor):
        def __init__(self, width):
            self.inp = rr.Input(width=width)
            self.out = rr.Output()
            self.tick = rr.Timer(5)
            self.act = rr.LogicalAction(min_delay=3)
            self.add_reaction(self.on_inp, triggers=[self.inp], effects=[self.act])
            self.add_reaction(self.on_event, triggers=[self.act, self.tick], effects=[self.out])

        def on_inp(self):
            self.act.schedule([p.value for p in self.inp.present()])

        def on_event(self):
            self.out.set((self.tick.is_present, self.act.get()))

    def build(self):
        self.bank, self.dynamic, self.sink = rr.Bank(3, Emit, "x"), Dynamic(3), Collect(trace)
        self.connect(self.bank.out, self.dynamic.inp)
        self.connect(self.dynamic.out, self.sink.inp)

    run(Wire(build), workers)
    assert trace.events == [((3, 0), (False, ["x"] * 3)), ((5, 0), (True, None))]


def test_instances_do_not_share_elements_or_state(workers):
    """Two instances of a class have ports, actions and attributes of their own."""
    trace = Trace()

    class Counter(rr.Reactor):
        act = rr.LogicalAction(min_delay=10)

        def __init__(self, limit):
            self.limit, self.count = limit, 0

        @rr.reaction(rr.startup, act, effects=act)
        def step(self):
            self.count += 1
            trace(self, self.count)
            if self.count < self.limit:
                self.act.schedule()

    def build(self):
        self.a, self.b = Counter(1), Counter(3)

    run(Wire(build), workers)
    assert trace.at("Wire.a") == [((0, 0), 1)]
    assert trace.at("Wire.b") == [((0, 0), 1), ((10, 0), 2), ((20, 0), 3)]


@pytest.mark.parametrize("kind", [list, tuple])
def test_lists_of_reactors_are_children(workers, kind):
    """A list or tuple of reactors makes children with indexed names, connected like others."""
    trace = Trace()

    def build(self):
        self.sources = kind(Emit(i) for i in range(3))
        self.sink = Wide(trace, 3)
        self.connect([s.out for s in self.sources], self.sink.inp)

    report = run(Wire(build), workers)
    assert trace.events == [((0, 0), {0: 0, 1: 1, 2: 2})]
    assert list(report.reaction_counts) == [
        "Wire.sources[0].emit",
        "Wire.sources[1].emit",
        "Wire.sources[2].emit",
        "Wire.sink.collect",
    ]


def test_children_may_be_made_elsewhere_and_passed_in(workers):
    """A reactor belongs to whom it is assigned to, whoever made it."""
    trace = Trace()

    class Holder(rr.Reactor):
        inp = rr.Input()

        def __init__(self, inner):
            self.inner = inner
            self.connect(self.inp, inner.inp)

    def build(self):
        collect = Collect(trace)
        self.src, self.holder = Emit(1), Holder(collect)
        self.connect(self.src.out, self.holder.inp)

    run(Wire(build), workers)
    assert trace.rows == [((0, 0), "Wire.holder.inner", 1)]


def test_a_reference_to_a_sibling_is_no_child(workers):
    """A reactor that only remembers another one, which has a parent, does not adopt it."""
    trace = Trace()

    class Friend(Pass):
        def __init__(self, other):
            super().__init__()
            self.other = other

    def build(self):
        self.src = Emit(1)
        self.friend, self.sink = Friend(self.src), Collect(trace)
        self.connect(self.src.out, self.friend.inp)
        self.connect(self.friend.out, self.sink.inp)

    report = run(Wire(build), workers)
    assert trace.events == [((0, 0), 1)]
    assert list(report.reaction_counts) == [
        "Wire.src.emit",
        "Wire.friend.forward",
        "Wire.sink.collect",
    ]


def test_state_assigned_in_a_body_stays(workers):
    """Attributes that bodies assign are the reactor's state, seen by its later reactions."""
    trace = Trace()

    class Main(rr.Reactor):
        tick = rr.Timer(0, 1)

        @rr.reaction(rr.startup)
        def start(self):
            self.total = 0

        @rr.reaction(tick)
        def add(self):
            self.total += self.tag.time

        @rr.reaction(rr.shutdown)
        def end(self):
            trace(self, self.total)

    run(Main(), workers, timeout=10)
    assert trace.events == [((10, 0), 55)]


def test_an_instance_belongs_to_one_program(workers):
    """The same main cannot be assembled twice."""
    main = Emit(1)
    run(main, workers)
    with pytest.raises(rr.ReactorError):
        rr.Program(main)
