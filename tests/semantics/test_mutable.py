"""Mutable inputs: the only reader gets the object itself, one of several a copy of its own."""

import copy

import pytest
from programs import ABSENT, Emit, Trace, Wire, run

import reactorrl as rr


class Reader(rr.Reactor):
    """Keeps what it reads."""

    inp = rr.Input()

    def __init__(self):
        self.seen = []

    @rr.reaction(inp)
    def read(self):
        value = self.inp.value
        assert value is self.inp.get()
        self.seen.append(value)


class Mutable(rr.Reactor):
    """Keeps what it reads, changed."""

    inp = rr.Input(mutable=True)

    def __init__(self):
        self.seen = []

    @rr.reaction(inp)
    def read(self):
        value = self.inp.value
        assert value is self.inp.value
        assert value is self.inp.get()
        value.append("changed")
        self.seen.append(value)


def read_by(workers, *readers, payload=None, **options):
    """Runs an Emit of a payload that all the readers get; the payload."""
    payload = ["made"] if payload is None else payload

    def build(self):
        self.src, self.readers = Emit(payload), list(readers)
        self.connect(self.src.out, [reader.inp for reader in readers], broadcast=True, **options)

    run(Wire(build), workers)
    return payload


def test_the_only_reader_gets_the_object_itself(workers):
    """Nothing is copied, also behind a delay."""
    for options in ({}, {"after": 5}):
        reader = Mutable()
        payload = read_by(workers, reader, **options)
        assert reader.seen[0] is payload
        assert payload == ["made", "changed"]


def test_each_mutable_one_of_several_readers_gets_a_copy(workers):
    """Others share the original, which nobody changes."""
    readers = [Mutable(), Reader(), Mutable(), Reader()]
    payload = read_by(workers, *readers)
    assert payload == ["made"]
    assert all(reader.seen[0] is payload for reader in readers[1::2])
    first, second = (reader.seen[0] for reader in readers[0::2])
    assert first == second == ["made", "changed"]
    assert first is not second


def test_a_copy_is_deep(workers):
    """Without a copy of its own kind a value is copied by copy.deepcopy."""
    inner = ["inner"]
    readers = [Mutable(), Mutable()]
    payload = read_by(workers, *readers, payload=[inner])
    assert payload == [["inner"]]
    assert all(reader.seen[0][0] is not inner for reader in readers)


def test_arrays_are_copied_as_arrays(workers):
    """ndarray.copy: memory of its own, writeable, of the same values."""
    np = pytest.importorskip("numpy")

    class Doubles(rr.Reactor):
        inp = rr.Input(mutable=True)

        @rr.reaction(inp)
        def read(self):
            self.array = self.inp.value
            self.array *= 2

    array, readers = np.arange(4.0), [Doubles(), Doubles()]
    read_by(workers, *readers, payload=array)
    assert array.tolist() == [0, 1, 2, 3]
    for reader in readers:
        assert reader.array.tolist() == [0, 2, 4, 6]
        assert not np.shares_memory(reader.array, array)
    only = Doubles()
    read_by(workers, only, payload=array)
    assert only.array is array


def test_what_has_a_clone_is_cloned(workers):
    """A tensor is copied by its `clone`, not by deepcopy."""
    torch = pytest.importorskip("torch")

    class Doubles(rr.Reactor):
        inp = rr.Input(mutable=True)

        @rr.reaction(inp)
        def read(self):
            self.tensor = self.inp.value
            self.tensor *= 2

    tensor, readers = torch.arange(3), [Doubles(), Doubles()]
    read_by(workers, *readers, payload=tensor)
    assert tensor.tolist() == [0, 1, 2]
    assert [reader.tensor.tolist() for reader in readers] == [[0, 2, 4]] * 2


def test_readers_are_counted_as_declared_not_as_run(workers):
    """A reader whose reaction never runs is a reader; one without reactions is none."""

    class Sleeps(rr.Reactor):
        inp = rr.Input()
        tick = rr.Timer(10**9)

        @rr.reaction(tick, uses=inp)
        def read(self):
            pass

    class Deaf(rr.Reactor):
        inp = rr.Input()

    mutable = Mutable()
    payload = read_by(workers, mutable, Sleeps())
    assert mutable.seen[0] is not payload
    mutable = Mutable()
    assert read_by(workers, mutable, Deaf()) is mutable.seen[0]


def test_a_delayed_reader_is_a_reader(workers):
    """One now and one later are two; so are two behind different delays."""
    now, late = Mutable(), Reader()
    payload = ["made"]

    def build(self):
        self.src, self.now, self.late = Emit(payload), now, late
        self.connect(self.src.out, self.now.inp)
        self.connect(self.src.out, self.late.inp, after=5)

    run(Wire(build), workers)
    assert late.seen[0] is payload
    assert payload == ["made"]
    assert now.seen == [["made", "changed"]]


def test_a_parent_that_reads_is_a_reader_and_the_writer_is_none(workers):
    """The container's reaction on a child's output counts; reading back an own output does not."""

    class Writer(Emit):
        @rr.reaction(rr.startup, uses=Emit.out)
        def look_back(self):
            self.back = self.out.get()

    def parent(reads):
        class Parent(rr.Reactor):
            def __init__(self):
                self.src, self.dst = Writer(["made"]), Mutable()
                self.connect(self.src.out, self.dst.inp)
                if reads:
                    self.add_reaction(self.read, triggers=[self.src.out])

            def read(self):
                self.seen = self.src.out.value

        return Parent()

    alone, reading = parent(False), parent(True)
    run(alone, workers)
    assert alone.dst.seen[0] is alone.src.back
    run(reading, workers)
    assert reading.dst.seen[0] is not reading.src.back
    assert reading.seen is reading.src.back
    assert reading.seen == ["made"]


def test_there_is_one_copy_for_a_tag_and_channel(workers):
    """All reactions of the reactor see the same one at a tag, and another at the next tag."""

    class Twice(rr.Reactor):
        inp = rr.Input(mutable=True)

        def __init__(self):
            self.seen = []

        @rr.reaction(inp)
        def first(self):
            self.inp.value.append(1)

        @rr.reaction(inp)
        def second(self):
            self.inp.value.append(2)
            self.seen.append(self.inp.value)

    payload, twice = ["made"], Twice()

    def build(self):
        self.src, self.twice, self.other = Emit(payload, payload), twice, Reader()
        self.connect(self.src.out, [self.twice.inp, self.other.inp], broadcast=True)

    run(Wire(build), workers)
    assert twice.seen == [["made", 1, 2], ["made", 1, 2]]
    assert twice.seen[0] is not twice.seen[1]
    assert payload == ["made"]


def test_channels_of_a_multiport_are_counted_one_by_one(workers):
    """A channel with one reader hands its object over, a shared one a copy."""

    class Wide(rr.Reactor):
        inp = rr.Input(width=3, mutable=True)

        @rr.reaction(inp)
        def read(self):
            self.seen = {channel.index: channel.value for channel in self.inp.present()}
            self.again = [channel.get("absent") for channel in self.inp]

    payloads, wide = [["a"], ["b"]], Wide()

    def build(self):
        self.srcs = [Emit(payload) for payload in payloads] + [Emit(ABSENT)]
        self.wide, self.reader = wide, Reader()
        self.connect([src.out for src in self.srcs], self.wide.inp)
        self.connect(self.srcs[1].out, self.reader.inp)

    run(Wire(build), workers)
    assert wide.seen[0] is payloads[0]
    assert wide.seen[1] == payloads[1]
    assert wide.seen[1] is not payloads[1]
    assert wide.again == [wide.seen[0], wide.seen[1], "absent"]
    assert wide.again[1] is wide.seen[1]


def test_small_values_are_values(workers):
    """None, 0 and False are present for a mutable input, too."""
    trace = Trace()

    class Look(rr.Reactor):
        inp = rr.Input(mutable=True)

        @rr.reaction(inp)
        def read(self):
            trace(self, (self.inp.is_present, self.inp.value))

    def build(self):
        self.src, self.a, self.b = Emit(None, 0, False), Look(), Reader()
        self.connect(self.src.out, [self.a.inp, self.b.inp], broadcast=True)

    run(Wire(build), workers)
    assert trace.events == [((0, 0), (True, None)), ((10, 0), (True, 0)), ((20, 0), (True, False))]


@pytest.mark.parametrize("kind", [copy.Error, AttributeError])
def test_a_value_that_cannot_be_copied_is_an_error_of_the_reader(workers, kind):
    """What the copy raises comes out of `.value`, in the body that asked for it, and once."""
    tries = []

    class Unique:
        def __deepcopy__(self, memo):
            tries.append(memo)
            raise kind("there is only one")

    with pytest.raises(rr.ReactionError) as e:
        read_by(workers, Mutable(), Reader(), payload=Unique())
    assert e.value.reaction == "Wire.readers[0].read"
    assert type(e.value.__cause__) is kind
    assert len(tries) == 1
    (note,) = e.value.__cause__.__notes__
    assert "Wire.readers[0].inp is mutable and not the only reader" in note
    assert "copy of the Unique" in note
