"""Banks: members, paths, and a parent's reactions on them."""

import pytest
from programs import ABSENT, Collect, Emit, Pair, Spread, Trace, Wide, Wire, run

import reactorrl as rr


def test_a_bank_numbers_its_members(workers):
    """Members know bank_index in __init__, and their paths show it; outside of banks it is 0."""
    trace = Trace()

    class Member(rr.Reactor):
        def __init__(self, base, *, step):
            self.number = base + step * self.bank_index

        @rr.reaction(rr.startup)
        def start(self):
            trace(self, (self.bank_index, self.number))

    def build(self):
        self.bank, self.single = rr.Bank(3, Member, 100, step=10), Member(5, step=1)
        self.extra = [Member(6, step=1), Member(7, step=1)]
        assert len(self.bank) == 3
        assert [m.bank_index for m in self.bank] == [0, 1, 2]
        assert self.bank[1].number == 110

    run(Wire(build), workers)
    assert trace.rows == [
        ((0, 0), "Wire.bank[0]", (0, 100)),
        ((0, 0), "Wire.bank[1]", (1, 110)),
        ((0, 0), "Wire.bank[2]", (2, 120)),
        ((0, 0), "Wire.extra[0]", (0, 6)),
        ((0, 0), "Wire.extra[1]", (0, 7)),
        ((0, 0), "Wire.single", (0, 5)),
    ]


def test_an_empty_bank_is_a_bank(workers):
    """A bank of no members has no channels and connects to a multiport of width 0."""
    trace = Trace()

    def build(self):
        self.bank, self.sink = rr.Bank(0, Emit, 1), Wide(trace, 0)
        self.connect(self.bank.out, self.sink.inp)
        assert len(self.bank) == 0

    assert run(Wire(build), workers).reactions == 0


def test_nested_banks_have_nested_paths(workers):
    """A bank in a bank: each level has its own index."""
    trace = Trace()

    class Inner(rr.Reactor):
        out = rr.Output()

        def __init__(self, outer_index):
            self.number = 10 * outer_index + self.bank_index

        @rr.reaction(rr.startup, effects=out)
        def start(self):
            trace(self, self.number)
            self.out.set(self.number)

    class Outer(rr.Reactor):
        out = rr.Output(width=2)

        def __init__(self):
            self.inner = rr.Bank(2, Inner, self.bank_index)
            self.connect(self.inner.out, self.out)

    def build(self):
        self.outer, self.sink = rr.Bank(3, Outer), Wide(trace, 6)
        self.connect(self.outer.out, self.sink.inp)

    run(Wire(build), workers)
    numbers = {(i, j): 10 * i + j for i in range(3) for j in range(2)}
    assert trace.rows == [
        *(((0, 0), f"Wire.outer[{i}].inner[{j}]", number) for (i, j), number in numbers.items()),
        ((0, 0), "Wire.sink", dict(enumerate(numbers.values()))),
    ]


def test_a_bank_feeds_a_multiport_in_bank_order(workers):
    """Gather: member i arrives on channel i."""
    trace = Trace()

    def build(self):
        self.bank, self.sink = rr.Bank(4, Pair), Wide(trace, 8)
        self.connect(self.bank.out, self.sink.inp)

    run(Wire(build), workers)
    assert trace.events == [((0, 0), {2 * i + j: (i, j) for i in range(4) for j in range(2)})]


def test_a_multiport_feeds_a_bank_in_bank_order(workers):
    """Scatter: channel i goes to member i."""
    trace = Trace()

    def build(self):
        self.src, self.bank = Spread(3, {0: "a", 2: "c"}), rr.Bank(3, Collect, trace)
        self.connect(self.src.out, self.bank.inp)

    run(Wire(build), workers)
    assert trace.rows == [((0, 0), "Wire.bank[0]", "a"), ((0, 0), "Wire.bank[2]", "c")]


# -- a parent's reactions on banks


def test_a_parent_reads_and_writes_whole_banks(workers):
    """`bank.port` as a trigger fires once for any member; as an effect it may set every input."""
    trace = Trace()

    class Main(rr.Reactor):
        def __init__(self):
            self.src = [Emit(1, ABSENT), Emit(ABSENT, 2), Emit(3, 4)]
            self.bank = rr.Bank(3, Collect, trace)
            outs = [s.out for s in self.src]
            self.add_reaction(self.shift, triggers=[outs], effects=[self.bank.inp])

        def shift(self):
            for i, source in enumerate(self.src):
                if source.out.is_present:
                    self.bank[(i + 1) % 3].inp.set(source.out.value)

    report = run(Main(), workers)
    assert trace.rows == [
        ((0, 0), "Main.bank[0]", 3),
        ((0, 0), "Main.bank[1]", 1),
        ((10, 0), "Main.bank[0]", 4),
        ((10, 0), "Main.bank[2]", 2),
    ]
    assert report.reactions == 6 + 2 + 4


def test_a_parent_uses_one_channel_of_one_member(workers):
    """A single channel of a child's multiport is an element of its own right."""
    trace = Trace()

    class Main(rr.Reactor):
        def __init__(self):
            self.bank = rr.Bank(2, Pair)
            self.sink = Wide(trace, 3)
            self.add_reaction(self.pick, triggers=[self.bank[1].out[0]], effects=[self.sink.inp[2]])

        def pick(self):
            self.sink.inp[2].set(self.bank[1].out[0].value)
            with pytest.raises(rr.UndeclaredEffectError):
                self.sink.inp[0].set("not declared")

    run(Main(), workers)
    assert trace.events == [((0, 0), {2: (1, 0)})]
