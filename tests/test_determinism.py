"""One behaviour for every number of workers: random programs against tests/reference.py.

tests/test_oracle.py holds the reference itself against results worked out by hand.
"""

import importlib.util
import itertools
import random
import time

import hypothesis
import pytest
import strategies
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

import reactorrl as rr

WORKERS = (1, 2, 4, 8)
LONG_ROUNDS, LONG_PROGRAMS = 30, 2_000
SECONDS = 600  # a failing test shrinks its program, for five minutes at most

HAS_TESTING = importlib.util.find_spec("reactorrl.testing") is not None
needs_modes = pytest.mark.skipif(not hasattr(rr, "Mode"), reason="no modes yet")
needs_clock = pytest.mark.skipif(not HAS_TESTING, reason="no virtual clock yet")
needs_enclaves = pytest.mark.skipif(not hasattr(rr, "enclave"), reason="no enclaves yet")


def has_mutable():
    try:
        return bool(rr.Input(mutable=True))
    except ValueError:
        return False


needs_mutable = pytest.mark.skipif(not has_mutable(), reason="no mutable inputs yet")


class Pauses:
    """Now and then a busy wait, with lengths from a generator that no program knows."""

    def __init__(self, seed, chance=0.15, longest_ns=100_000):
        self.random, self.chance, self.longest_ns = random.Random(seed), chance, longest_ns

    def __call__(self):
        if self.random.random() < self.chance:
            end = time.perf_counter_ns() + self.random.randrange(self.longest_ns)
            while time.perf_counter_ns() < end:
                pass


def observe(spec, workers, pause, *, has_clock=False, **ending):
    """Everything that a real run of `spec` shows, in the reference's terms, and its trace_hash."""
    clock = None
    if has_clock:
        from reactorrl.testing import VirtualClock

        clock = VirtualClock()
    program = RealProgram(spec, pause, clock)
    error = None
    try:
        options = {"clock": clock} if has_clock else {"fast": True}
        report = rr.run(program.main(), workers=workers, **options, **ending)
    except rr.ReactionError as e:
        error, report = e, e.report
    seen = {
        "trace": program.trace(),
        "stop_tag": tuple(report.stop_tag),
        "reactions": report.reactions,
        "events": report.events,
        "tags": report.tags,
        "error": error.__cause__.args if error else None,
        "notes": len(getattr(error, "__notes__", ())),
    }
    if hasattr(report, "deadline_misses"):
        seen["misses"] = report.deadline_misses
    if hasattr(report, "enclaves"):
        assert report.enclaves[0].path == spec.name
        seen["enclaves"] = {e.path: (tuple(e.stop_tag), e.tags, e.events) for e in report.enclaves}
    hashes = [report.trace_hash, *(e.trace_hash for e in getattr(report, "enclaves", ()))]
    return seen, tuple(hashes)


def expect(spec, **options):
    outcome = Reference(spec, **options).run()
    return {
        "trace": outcome.trace,
        "stop_tag": outcome.stop_tag,
        "reactions": outcome.n_reactions,
        "events": outcome.n_events,
        "tags": outcome.n_tags,
        "error": outcome.errors[0] if outcome.errors else None,
        "notes": max(0, len(outcome.errors) - 1),
        "misses": outcome.misses,
        "enclaves": outcome.enclaves,
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
    differing = {
        key: (expected[key], actual[key]) for key in actual if expected[key] != actual[key]
    }
    assert not differing, f"{what}: (expected, seen): {differing}"


def assert_all_same(spec, options, pause):
    """The interpreter's outcome, and one trace_hash, for every number of workers."""
    expected = expect(spec, **options)
    hashes = set()
    for workers in WORKERS:
        actual, trace_hashes = observe(spec, workers, pause, **options)
        assert_same(expected, actual, f"{workers} workers")
        hashes.add(trace_hashes)
    assert len(hashes) == 1, f"trace_hash differs over workers: {hashes}"


def check_round(kind, n, seed, tried):
    pause = Pauses(seed)

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=n,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(st.data())
    def check(data):
        spec = data.draw(strategies.programs(kind))
        options = data.draw(strategies.endings(spec))
        assert_all_same(spec, {**options, "has_clock": kind.has_clock}, pause)
        tried("random programs, each with 1, 2, 4 and 8 workers", 1)

    check()


def check_programs(kind, n, seed, is_long, tried):
    """`n` random programs; with --long many times more, in rounds that name their seeds."""
    for round_ in range(LONG_ROUNDS if is_long else 1):
        print(f"round {round_}: seed {seed + round_}")
        check_round(kind, LONG_PROGRAMS if is_long else n, seed + round_, tried)


@pytest.mark.timeout(SECONDS)
def test_random_programs_behave_as_the_reference_for_every_number_of_workers(seed, is_long, tried):
    """Traces, counts, stop tag and error equal the interpreter's; trace_hash does over workers."""
    check_programs(strategies.PLAIN, 400, seed, is_long, tried)


@needs_modes
@pytest.mark.timeout(SECONDS)
def test_random_programs_with_modes_behave_as_the_reference(seed, is_long, tried):
    """Transitions, local time, nested modes, modal connections: as the interpreter has them."""
    check_programs(strategies.MODES, 400, seed, is_long, tried)


@needs_clock
@pytest.mark.timeout(SECONDS)
def test_random_programs_with_deadlines_behave_as_the_reference(seed, is_long, tried):
    """With a virtual clock: which bodies are late, what their handlers do, what is counted."""
    check_programs(strategies.DEADLINES, 300, seed, is_long, tried)


@needs_mutable
@pytest.mark.timeout(SECONDS)
def test_random_programs_with_mutable_inputs_behave_as_the_reference(seed, is_long, tried):
    """Who gets the object itself and who a copy, and that nobody sees another one's changes."""
    check_programs(strategies.MUTABLE, 300, seed, is_long, tried)


@needs_enclaves
@pytest.mark.timeout(SECONDS)
def test_random_programs_with_enclaves_behave_as_the_reference(seed, is_long, tried):
    """Each enclave has the events, the tags and the end that it has on one time line."""
    check_programs(strategies.ENCLAVES, 300, seed, is_long, tried)


@needs_modes
@needs_clock
@needs_mutable
@pytest.mark.timeout(SECONDS)
def test_random_programs_with_all_but_enclaves_behave_as_the_reference(seed, is_long, tried):
    """Modes, deadlines under a virtual clock and mutable inputs in one program."""
    check_programs(strategies.MIXED, 200, seed, is_long, tried)


@needs_modes
@needs_mutable
@needs_enclaves
@pytest.mark.timeout(SECONDS)
def test_random_programs_with_everything_behave_as_the_reference(seed, is_long, tried):
    """Modes, mutable inputs, enclaves, and deadlines that are always missed, in one program."""
    check_programs(strategies.MIXED_ENCLAVES, 200, seed, is_long, tried)


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
