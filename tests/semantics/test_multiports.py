"""Multiports, and how lists of channels are connected."""

import time

import pytest
from programs import Collect, Emit, Pair, PairIn, Spread, Trace, Wide, Wire, run

import reactorrl as rr


def connected(workers, trace, sources, destinations, **options):
    """Runs a Wire of `sources(self)` connected to `destinations(self)`; both build children."""

    def build(self):
        self.connect(sources(self), destinations(self), **options)

    run(Wire(build), workers)
    return trace.rows


# -- multiports


def test_a_multiport_triggers_once_for_any_of_its_channels(workers):
    """Present channels trigger one run; `present()` gives them in index order."""
    trace = Trace()

    def build(self):
        self.src, self.sink = Spread(5, {4: "e", 1: "b"}), Wide(trace, 5)
        self.connect(self.src.out, self.sink.inp)

    run(Wire(build), workers)
    assert trace.events == [((0, 0), {1: "b", 4: "e"})]


def test_a_multiport_is_a_sequence_of_channels(workers):
    """len, indexing from both ends, iteration, .index, .is_present (any), and get."""
    trace = Trace()

    class Look(rr.Reactor):
        inp = rr.Input(width=3)
        tick = rr.Timer(0, 10)

        @rr.reaction(tick, uses=inp)
        def look(self):
            channels = list(self.inp)
            assert [c.index for c in channels] == [0, 1, 2]
            assert channels[2] is self.inp[2] is self.inp[-1]
            with pytest.raises(IndexError):
                self.inp[3]
            trace(
                self,
                (
                    len(self.inp),
                    self.inp.is_present,
                    [c.get() for c in self.inp],
                    len(self.inp.present()),
                ),
            )

    def build(self):
        self.src, self.look = Spread(3, {0: 0, 2: None}), Look()
        self.connect(self.src.out, self.look.inp)

    run(Wire(build), workers, timeout=10)
    assert trace.events == [
        ((0, 0), (3, True, [0, None, None], 2)),
        ((10, 0), (3, False, [None] * 3, 0)),
    ]


def test_an_absent_channel_has_no_value(workers):
    """A channel behaves as a port: `.value` of an absent one raises AbsentError."""
    trace = Trace()

    class Look(rr.Reactor):
        inp = rr.Input(width=2)

        @rr.reaction(inp)
        def look(self):
            with pytest.raises(rr.AbsentError, match=r"inp\[0\]"):
                self.inp[0].value  # noqa: B018
            assert not self.inp[0].is_present
            trace(self, (self.inp[1].is_present, self.inp[1].value))

    def build(self):
        self.src, self.look = Spread(2, {1: "x"}), Look()
        self.connect(self.src.out, self.look.inp)

    run(Wire(build), workers)
    assert trace.events == [((0, 0), (True, "x"))]


def test_own_output_channels_can_be_read_back(workers):
    """A later reaction of the same reactor sees which channels were set, and their last values."""
    trace = Trace()

    class Main(rr.Reactor):
        out = rr.Output(width=3)

        @rr.reaction(rr.startup, effects=out)
        def write(self):
            self.out[0].set(1)
            self.out[2].set(2)
            self.out[2].set(3)

        @rr.reaction(rr.startup, uses=out)
        def look(self):
            trace(
                self,
                (
                    self.out.is_present,
                    [c.get() for c in self.out],
                    [c.index for c in self.out.present()],
                ),
            )

    run(Main(), workers)
    assert trace.events == [((0, 0), (True, [1, None, 3], [0, 2]))]


@pytest.mark.parametrize("width", [0, 1])
def test_a_multiport_may_have_no_channel_or_one(workers, width):
    """Widths 0 and 1 are widths: still a multiport."""
    trace = Trace()

    class Look(rr.Reactor):
        inp = rr.Input(width=width)
        tick = rr.Timer()

        @rr.reaction(tick, inp)
        def look(self):
            trace(self, (len(self.inp), self.inp.is_present, [c.value for c in self.inp]))

    def build(self):
        self.src, self.look = Spread(width, dict.fromkeys(range(width), "v")), Look()
        self.connect(self.src.out, self.look.inp)

    run(Wire(build), workers)
    assert trace.events == [((0, 0), (width, bool(width), ["v"] * width))]


def test_a_width_by_name_is_known_right_after_construction():
    """A width is taken from the instance attribute when it is first used; a bad one is refused."""
    assert len(Wide(None, 4).inp) == 4
    for bad, error in [(-1, ValueError), ("x", TypeError), (1.5, TypeError)]:
        with pytest.raises((error, rr.AssemblyError)):
            rr.Program(Wide(None, bad))


@pytest.mark.parametrize(("bad", "error"), [(-1, ValueError), (1.5, TypeError)])
def test_a_bad_width_is_refused_at_once(bad, error):
    """A literal width is checked where it is written."""
    with pytest.raises(error):
        rr.Input(width=bad)


# -- lists of channels


def test_lists_are_connected_channel_by_channel(workers):
    """Each side is flattened, bank-major, and then zipped."""
    trace = Trace()

    def sources(self):
        self.a, self.b, self.pairs = Emit("a"), Spread(2, {0: "b0", 1: "b1"}), rr.Bank(2, Pair)
        return [self.a.out, self.b.out, [self.pairs.out]]

    def destinations(self):
        self.sink, self.last = Wide(trace, 6), Collect(trace)
        return [self.sink.inp, self.last.inp]

    assert connected(workers, trace, sources, destinations) == [
        ((0, 0), "Wire.last", (1, 1)),
        ((0, 0), "Wire.sink", {0: "a", 1: "b0", 2: "b1", 3: (0, 0), 4: (0, 1), 5: (1, 0)}),
    ]


def pair_sources(self):
    self.src = rr.Bank(3, Pair)
    return self.src.out


def pair_destinations(trace):
    def destinations(self):
        self.dst = rr.Bank(2, PairIn3, trace)
        return self.dst.inp

    return destinations


class PairIn3(PairIn):
    """As PairIn, three channels wide."""

    wide = rr.Input(width=3)

    @rr.reaction(wide)
    def collect_wide(self):
        self.trace(self, [p.get("absent") for p in self.wide])


def test_banks_of_multiports_are_bank_major(workers):
    """b0[0], b0[1], b1[0], ... on both sides."""
    trace = Trace()

    def destinations(self):
        self.dst = rr.Bank(2, PairIn3, trace)
        return self.dst.wide

    assert connected(workers, trace, pair_sources, destinations) == [
        ((0, 0), "Wire.dst[0]", [(0, 0), (0, 1), (1, 0)]),
        ((0, 0), "Wire.dst[1]", [(1, 1), (2, 0), (2, 1)]),
    ]


def test_an_interleaved_source_is_channel_major(workers):
    """interleaved(bank.port): b0[0], b1[0], b2[0], b0[1], ..."""
    trace = Trace()

    def destinations(self):
        self.dst = rr.Bank(2, PairIn3, trace)
        return self.dst.wide

    assert connected(
        workers, trace, lambda self: rr.interleaved(pair_sources(self)), destinations
    ) == [
        ((0, 0), "Wire.dst[0]", [(0, 0), (1, 0), (2, 0)]),
        ((0, 0), "Wire.dst[1]", [(0, 1), (1, 1), (2, 1)]),
    ]


def test_an_interleaved_destination_is_channel_major(workers):
    """The same on the right side: d0[0], d1[0], d0[1], ..."""
    trace = Trace()

    def destinations(self):
        self.dst = rr.Bank(2, PairIn3, trace)
        return rr.interleaved(self.dst.wide)

    assert connected(workers, trace, pair_sources, destinations) == [
        ((0, 0), "Wire.dst[0]", [(0, 0), (1, 0), (2, 0)]),
        ((0, 0), "Wire.dst[1]", [(0, 1), (1, 1), (2, 1)]),
    ]


def test_broadcast_repeats_the_left_side(workers):
    """The left list is repeated as often as needed."""
    trace = Trace()

    def sources(self):
        self.a, self.b = Emit("a"), Emit("b")
        return [self.a.out, self.b.out]

    def destinations(self):
        self.dst = rr.Bank(2, PairIn, trace)
        return self.dst.inp

    assert connected(workers, trace, sources, destinations, broadcast=True) == [
        ((0, 0), "Wire.dst[0]", ["a", "b"]),
        ((0, 0), "Wire.dst[1]", ["a", "b"]),
    ]


def test_both_sides_may_be_interleaved(workers):
    """Channel-major against channel-major: every channel keeps its number."""
    trace = Trace()

    def destinations(self):
        self.dst = rr.Bank(3, PairIn, trace)
        return rr.interleaved(self.dst.inp)

    assert connected(
        workers, trace, lambda self: rr.interleaved(pair_sources(self)), destinations
    ) == [((0, 0), f"Wire.dst[{i}]", [(i, 0), (i, 1)]) for i in range(3)]


def test_present_channels_cost_what_is_present(workers):
    """present() of a sparse multiport takes as long for 10 channels as for 100,000."""

    def seconds(width):
        class Reader(rr.Reactor):
            inp = rr.Input(width=width)

            @rr.reaction(inp)
            def look(self):
                begin = time.perf_counter()
                for _ in range(200):
                    (channel,) = self.inp.present()
                took.append(time.perf_counter() - begin)
                assert (channel.index, channel.value) == (width - 2, "x")

        def build(self):
            self.src, self.reader = Emit(*"xxxxx"), Reader()
            self.connect(self.src.out, self.reader.inp[width - 2])

        took = []
        run(Wire(build), workers)
        return min(took)

    assert seconds(100_000) < 100 * seconds(10)


@pytest.mark.parametrize("shape", ["multiport", "interleaved bank"])
def test_assembly_is_linear_in_the_number_of_channels(shape):
    """Eight times the channels cost about eight times as much, not 64 times."""

    def seconds(n):
        def build(self):
            if shape == "multiport":
                self.a, self.b = Spread(10 * n, {}), Wide(None, 10 * n)
                self.connect(self.a.out, self.b.inp)
            else:
                self.a, self.b = rr.Bank(n, Spread, 10, {}), rr.Bank(10, Wide, None, n)
                self.connect(rr.interleaved(self.a.out), self.b.inp)

        begin = time.perf_counter()
        rr.Program(Wire(build), workers=1)
        return time.perf_counter() - begin

    small, large = (min(seconds(n) for _ in range(3)) for n in (250, 2000))
    assert large < 8 * 3 * small
