"""The oracle itself (tests/reference.py), held against results worked out by hand."""

import pytest
from model import (
    SHUTDOWN,
    STARTUP,
    Action,
    Advance,
    Child,
    Connection,
    Mutate,
    Port,
    Raise,
    Reaction,
    Reactor,
    Ref,
    Schedule,
    Set,
    Timer,
    When,
)
from reference import Reference


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


# Deadlines, under a clock that only Advance steps move.


def late_program(deadline, handler=None, *, period=0):
    """Two bodies of one level take 4 and 7; then `last` runs, with a deadline."""

    def slow(ns):
        body = (Advance(ns), Set(0))
        return Reactor(
            f"Slow{ns}", outputs=(Port("out"),), timers=(Timer("tick", 0, period),),
            reactions=(Reaction("work", (Ref("tick"),), (), (Ref("out"),), body),),
        )  # fmt: skip

    last = Reaction(
        "last", (Ref("inp"),), (Ref("other"),), (Ref("out"),), (Set(0),), None, deadline, handler
    )
    sink = Reactor("Sink", (Port("inp"), Port("other")), (Port("out"),), reactions=(last,))
    return Reactor(
        "Main",
        children=(Child("a", slow(4)), Child("b", slow(7)), Child("sink", sink)),
        connections=(
            Connection((Ref("out", "a"),), (Ref("inp", "sink"),)),
            Connection((Ref("out", "b"),), (Ref("other", "sink"),)),
        ),
    )


def ran(outcome, path="Main.sink"):
    return [(tag, entry[0]) for tag, where, entry in outcome.trace if where == path]


def test_the_clock_moves_by_the_longest_body_of_a_level():
    """After the level the clock shows 7: later than 6, and not later than 7."""
    on_time = Reference(late_program(7), has_clock=True).run()
    assert ran(on_time) == [((0, 0), "last")]
    assert on_time.misses == {}
    assert on_time.n_reactions == 3
    late = Reference(late_program(6), has_clock=True).run()
    assert ran(late) == []
    assert late.misses == {"Main.sink.last": 1}
    assert late.n_reactions == 2  # a body that is skipped is none


def test_a_handler_runs_instead_of_the_body():
    """It counts as a reaction and as a miss."""
    outcome = Reference(late_program(6, handler=(Set(0),)), has_clock=True).run()
    assert ran(outcome) == [((0, 0), "last late")]
    assert outcome.misses == {"Main.sink.last": 1}
    assert outcome.n_reactions == 3


def test_a_deadline_of_0_is_always_missed():
    """With a clock that stands at the tag's time, and without a clock."""
    spec = Reactor("Main", reactions=(Reaction("now", (STARTUP, SHUTDOWN), deadline=0),))
    for has_clock in (False, True):
        outcome = Reference(spec, has_clock=has_clock).run()
        assert outcome.misses == {"Main.now": 2}
        assert outcome.n_reactions == 0


@pytest.mark.parametrize(("period", "lags"), [(3, [0, 4, 8]), (7, [0, 0, 0]), (10, [0, 0, 0])])
def test_the_clock_jumps_to_the_next_tag_and_never_back(period, lags):
    """Each round takes 7: with 3 between the tags it falls behind by 4, with 7 or 10 it does not.

    What `a` sees of the clock in its body has its own 4 on top.
    """
    outcome = Reference(late_program(None, period=period), has_clock=True, timeout=2 * period).run()
    seen = [entry[2][0] for _, where, entry in outcome.trace if where == "Main.a"]
    assert seen == [(k * period + lag + 4, lag + 4) for k, lag in enumerate(lags)]  # (clock, lag)


def test_the_shutdown_after_a_raise_has_its_deadline_too():
    """The raising body took 5, so a shutdown reaction with 4 is late; it does not run twice."""
    spec = Reactor(
        "Main",
        reactions=(
            Reaction("fails", (STARTUP,), steps=(Advance(5), Raise(0))),
            Reaction("early", (SHUTDOWN,), deadline=5),
            Reaction("late", (SHUTDOWN,), deadline=4),
        ),
    )
    outcome = Reference(spec, has_clock=True).run()
    assert ran(outcome, "Main") == [((0, 0), "fails"), ((0, 0), "early")]
    assert outcome.misses == {"Main.late": 1}
    assert outcome.errors == [("Main", "fails")]


def test_what_raises_in_the_shutdown_after_a_raise_comes_last():
    """Though it is declared first."""
    spec = Reactor(
        "Main",
        reactions=(
            Reaction("end", (SHUTDOWN,), steps=(Raise(0),)),
            Reaction("start", (STARTUP,), steps=(Raise(0),)),
        ),
    )
    assert Reference(spec).run().errors == [("Main", "start"), ("Main", "end")]


# Mutable inputs.


def sender():
    """Sends a list, and looks at its own output again."""
    return Reactor(
        "Sender", outputs=(Port("out"),),
        reactions=(
            Reaction("send", (STARTUP,), (), (Ref("out"),), (Set(0, is_list=True),)),
            Reaction("look", (STARTUP,), (Ref("out"),)),
        ),
    )  # fmt: skip


def changer(name="Changer", *, is_mutable=True):
    """Changes what it gets, if it may; its second reaction looks at it again."""
    steps = (Mutate(0),) if is_mutable else ()
    return Reactor(
        name, (Port("inp", None, is_mutable),),
        reactions=(
            Reaction("change", (Ref("inp"),), steps=steps),
            Reaction("look", (Ref("inp"),)),
        ),
    )  # fmt: skip


def shown(spec, *children):
    """What the two reactions of each of these children see: (original or copy, length)."""
    trace = Reference(spec).run().trace
    found = [
        [(entry[1][0][0], len(entry[1][0]) - 1) for _, where, entry in trace if where == path]
        for path in (f"Main.{child}" for child in children)
    ]
    return found[0] if len(found) == 1 else found


def fan(*children, after=None, reactions=()):
    return Reactor(
        "Main",
        children=(
            Child("s", sender()),
            *(Child(f"c{i}", child) for i, child in enumerate(children)),
        ),
        connections=tuple(
            Connection((Ref("out", "s"),), (Ref("inp", f"c{i}"),), after if i else None)
            for i in range(len(children))
        ),
        reactions=reactions,
    )


def test_the_only_reader_gets_the_object_itself():
    """And its later reactions see what it did to it."""
    assert shown(fan(changer()), "c0") == [("original", 1), ("original", 2)]


def test_of_several_readers_each_mutable_one_gets_a_copy():
    """One copy for all reactions of a reader; who may not change it gets the object itself."""
    spec = fan(changer(), changer("Reader", is_mutable=False), changer())
    assert shown(spec, "c0", "c1", "c2") == [
        [("copy", 1), ("copy", 2)],
        [("original", 1), ("original", 1)],
        [("copy", 1), ("copy", 2)],
    ]


def test_a_reader_behind_a_delay_counts():
    """Though it reads later: the one at the same tag gets a copy."""
    spec = fan(changer(), changer("Reader", is_mutable=False), after=5)
    assert shown(spec, "c0", "c1") == [
        [("copy", 1), ("copy", 2)],
        [("original", 1), ("original", 1)],
    ]


def test_a_parent_that_reads_counts():
    """It reads the child's output, and is a reader like the child that gets it."""
    spec = fan(changer(), reactions=(Reaction("reads", (Ref("out", "s"),)),))
    assert shown(spec, "c0") == [("copy", 1), ("copy", 2)]


def test_the_writer_and_those_without_reactions_do_not_count():
    """A child that only has the port is no reader, nor is the writer, which reads its output."""
    spec = fan(changer(), Reactor("Idle", (Port("inp"),)))
    assert shown(spec, "c0") == [("original", 1), ("original", 2)]
