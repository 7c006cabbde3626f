"""The oracle itself (tests/reference.py), held against results worked out by hand."""

import pytest
from model import (
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
