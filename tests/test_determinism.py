"""One behaviour for every number of workers: random programs against tests/reference.py."""

import itertools
import random
import time

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from model import (
    SHUTDOWN,
    STARTUP,
    Action,
    Child,
    Connection,
    Port,
    Reaction,
    Reactor,
    Ref,
    Schedule,
    Set,
    Timer,
    When,
)
from real import RealProgram
from reference import Reference
from strategies import endings, programs

import reactorrl as rr

WORKERS = (1, 2, 4, 8)
PROGRAMS, LONG_PROGRAMS = 200, 10_000


class Pauses:
    """Now and then a busy wait, with lengths from a generator that no program knows."""

    def __init__(self, seed, chance=0.15, longest_ns=100_000):
        self.random, self.chance, self.longest_ns = random.Random(seed), chance, longest_ns

    def __call__(self):
        if self.random.random() < self.chance:
            end = time.perf_counter_ns() + self.random.randrange(self.longest_ns)
            while time.perf_counter_ns() < end:
                pass


def observe(spec, workers, pause, **ending):
    """Everything that a real run of `spec` shows, in the reference's terms, and its trace_hash."""
    program = RealProgram(spec, pause)
    error = None
    try:
        report = rr.run(program.main(), workers=workers, fast=True, **ending)
    except rr.ReactionError as e:
        error, report = e, e.report
    return {
        "trace": program.trace(),
        "stop_tag": (report.stop_tag.time, report.stop_tag.microstep),
        "reactions": report.reactions,
        "events": report.events,
        "tags": report.tags,
        "error": error.__cause__.args if error else None,
        "notes": len(getattr(error, "__notes__", ())),
    }, report.trace_hash


def expect(spec, **ending):
    outcome = Reference(spec, **ending).run()
    return {
        "trace": outcome.trace,
        "stop_tag": outcome.stop_tag,
        "reactions": outcome.n_reactions,
        "events": outcome.n_events,
        "tags": outcome.n_tags,
        "error": outcome.errors[0] if outcome.errors else None,
        "notes": max(0, len(outcome.errors) - 1),
    }


def assert_same(expected, actual, what):
    """Fails with the first difference of the traces, which says more than two long lists."""
    for i, (left, right) in enumerate(zip(expected["trace"], actual["trace"], strict=False)):
        assert left == right, f"{what}: row {i} should be\n  {left}\nand is\n  {right}"
    longer = max(expected["trace"], actual["trace"], key=len)
    shorter = min(len(expected["trace"]), len(actual["trace"]))
    more = "expected" if longer is expected["trace"] else "seen"
    assert len(longer) == shorter, (
        f"{what}: after {shorter} equal rows only {more}: {longer[shorter]}"
    )
    assert expected == actual, what


@pytest.mark.timeout(300)
def test_random_programs_behave_as_the_reference_for_every_number_of_workers(seed, is_long):
    """Traces, counts, stop tag and error equal the interpreter's; trace_hash does over workers."""
    pause = Pauses(seed)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=LONG_PROGRAMS if is_long else PROGRAMS,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(st.data())
    def check(data):
        spec = data.draw(programs())
        ending = data.draw(endings(spec))
        expected = expect(spec, **ending)
        hashes = set()
        for workers in WORKERS:
            actual, trace_hash = observe(spec, workers, pause, **ending)
            assert_same(expected, actual, f"{workers} workers")
            hashes.add(trace_hash)
        assert len(hashes) == 1, f"trace_hash differs over workers: {hashes}"

    check()


def wide_program(width, depth, rounds):
    """`depth` banks of `width` members between a hub's broadcast and its gathering input."""
    steps = (Set(0), Schedule(1, (0, 3), When(rounds, 4)))
    stage = Reactor(
        "Stage", (Port("inp"),), (Port("out"),), (Action("again", 2, 5, "replace"),), (),
        (
            Reaction("work", (Ref("inp"), Ref("again")), (), (Ref("out"), Ref("again")), steps),
            Reaction("count", (Ref("inp"), SHUTDOWN), (Ref("out"),)),
        ),
    )  # fmt: skip
    send = (Set(0, 0, When(rounds)),)
    hub = Reactor(
        "Hub", (Port("gather", width),), (Port("out"),), (), (Timer("tick", 1, 11),),
        (Reaction("send", (STARTUP, Ref("gather"), Ref("tick")), (), (Ref("out"),), send),),
    )  # fmt: skip
    names = [f"stage{i}" for i in range(depth)]
    connections = [Connection((Ref("out", "hub"),), (Ref("inp", names[0]),), 0, is_broadcast=True)]
    connections += [
        Connection((Ref("out", a),), (Ref("inp", b),)) for a, b in itertools.pairwise(names)
    ]
    connections.append(Connection((Ref("out", names[-1]),), (Ref("gather", "hub"),), 1))
    children = (Child("hub", hub), *(Child(name, stage, width) for name in names))
    return Reactor("Wide", children=children, connections=tuple(connections))


@pytest.mark.parametrize(("width", "depth"), [(4, 3), (32, 2), (3, 24)])
def test_wide_and_deep_programs_behave_as_the_reference(width, depth, seed, is_long):
    """Levels shared by the workers give the sequential trace, whatever the bodies' lengths."""
    spec = wide_program(width, depth, rounds=40)
    expected = expect(spec, timeout=500)
    hashes = set()
    for round_ in range(20 if is_long else 1):
        for workers in WORKERS:
            pause = Pauses(seed + round_, chance=0.05, longest_ns=300_000)
            actual, trace_hash = observe(spec, workers, pause, timeout=500)
            assert_same(expected, actual, f"{workers} workers")
            hashes.add(trace_hash)
    assert len(hashes) == 1


def hash_of(*, delay=5, value=1, name="go"):
    out, act = rr.Output(), rr.LogicalAction()

    def start(self):
        self.act.schedule(value, delay=delay)

    def go(self):
        self.out.set(self.act.value)

    go.__name__ = name
    members = {"out": out, "act": act}
    members["start"] = rr.reaction(rr.startup, effects=act)(start)
    members[name] = rr.reaction(act, effects=out)(go)
    return rr.run(type("Main", (rr.Reactor,), members)(), workers=1, fast=True).trace_hash


def test_trace_hash_is_a_matter_of_behaviour_and_not_of_values():
    """trace_hash takes in tags, reactions, ports set and actions scheduled; not values."""
    assert hash_of() == hash_of()
    assert hash_of(value=2) == hash_of()
    assert hash_of(delay=6) != hash_of()
    assert hash_of(name="other") != hash_of()


# The oracle itself, held against results written down by hand.


def scheduling(action, *delays, at=0):
    """A program that schedules `action` with these delays, all at tag (at, 0)."""
    reactions = (
        Reaction("start", (Ref("timer"),), (), (Ref("act"),), (Schedule(0, delays),)),
        Reaction("seen", (Ref("act"),)),
    )
    return Reactor("Main", actions=(action,), timers=(Timer("timer", at),), reactions=reactions)


@pytest.mark.parametrize(
    ("action", "delays", "tags"),
    [
        (Action("act"), (5, 5, 0), [(0, 1), (5, 0), (5, 1)]),
        (Action("act", 5), (0, 5), [(5, 0), (10, 0)]),
        (Action("act", 0, 10), (100, 99, 101), [(100, 0), (110, 0), (120, 0)]),
        (Action("act", 0, 10, "drop"), (100, 99, 110), [(100, 0), (110, 0)]),
        (Action("act", 0, 10, "replace"), (100, 99, 110), [(100, 0), (110, 0)]),
        (Action("act", 0, 10, "update"), (100, 99, 108), [(108, 0)]),
        (Action("act", 0, 0), (5, 5, 3), [(5, 0), (5, 1), (5, 2)]),
        (Action("act", 0, 0, "drop"), (5, 5, 6), [(5, 0), (6, 0)]),
    ],
)
def test_the_reference_places_events_as_the_handbook_does(action, delays, tags):
    """The interpreter's own rules of spacing, against tags worked out by hand."""
    outcome = Reference(scheduling(action, *delays)).run()
    assert [row[0] for row in outcome.trace if row[2][0] == "seen"] == tags
    assert outcome.stop_tag == (tags[-1][0], tags[-1][1] + 1)


def test_the_reference_delivers_everything_that_is_in_flight():
    """A delay keeps values of one time apart by microsteps, and drops those past the stop tag."""
    source = Reactor(
        "Source", outputs=(Port("out"),), actions=(Action("again"),),
        reactions=(
            Reaction("send", (STARTUP, Ref("again")), (), (Ref("out"), Ref("again")),
                     (Set(0), Schedule(1, (0,), When(2)))),
        ),
    )  # fmt: skip
    sink = Reactor("Sink", (Port("inp"),), reactions=(Reaction("got", (Ref("inp"),)),))
    spec = Reactor(
        "Main", children=(Child("source", source), Child("sink", sink)),
        connections=(Connection((Ref("out", "source"),), (Ref("inp", "sink"),), 5),),
    )  # fmt: skip
    outcome = Reference(spec, timeout=5).run()
    assert [row[:2] for row in outcome.trace] == [
        ((0, 0), "Main.source"),
        ((0, 1), "Main.source"),
        ((0, 2), "Main.source"),
        ((5, 0), "Main.sink"),
    ]
    assert outcome.stop_tag == (5, 0)
    assert Reference(spec).run().stop_tag == (5, 3)
