"""The oracle's modes (tests/reference_modes.py), held against results worked out by hand."""

import pytest
from model import (
    RESET,
    SHUTDOWN,
    STARTUP,
    Action,
    Cancel,
    Child,
    Connection,
    Enter,
    Mode,
    Port,
    Reaction,
    Reactor,
    Ref,
    Schedule,
    Set,
    Stop,
    Timer,
    Transition,
    When,
)
from reference import Reference

ONCE = When(1)


def reactor(name="Main", *, moves=(), modes="ab", timers=(), reactions=(), **parts):
    """A reactor with modes a (initial), b, ...; moves: (time, mode, "reset" or "history").

    Each move is made by a timer and a reaction outside the modes; those of one time by one timer.
    """
    beats = {time: Timer(f"at{time}", time) for time, _, _ in moves}
    going = tuple(
        Reaction(
            f"go{i}",
            (Ref(beats[time].name),),
            effects=(Transition(mode, kind == "history"),),
            steps=(Enter(0),),
        )
        for i, (time, mode, kind) in enumerate(moves)
    )
    return Reactor(
        name,
        timers=(*timers, *beats.values()),
        reactions=(*going, *reactions),
        modes=tuple(Mode(mode, is_initial=mode == "a") for mode in modes),
        **parts,
    )


def seen(name, *triggers, mode=None):
    return Reaction(name, tuple(t if t in SPECIAL else Ref(t) for t in triggers), mode=mode)


SPECIAL = (STARTUP, SHUTDOWN, RESET)


def scheduling(name, trigger, action, *delays, mode=None):
    """Schedules at its first run."""
    step = Schedule(0, delays, ONCE)
    trigger = trigger if trigger in SPECIAL else Ref(trigger)
    return Reaction(name, (trigger,), (), (Ref(action),), (step,), mode)


def runs(spec, *names, path=None, **options):
    """The tags at which these reactions ran, and the outcome."""
    outcome = Reference(spec, **options).run()
    at = [
        tag
        for tag, where, entry in outcome.trace
        if entry[0] in names and (path is None or where == path)
    ]
    return at, outcome


def tags(spec, *names, path=None, **options):
    return runs(spec, *names, path=path, **options)[0]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # Left at 12 with the tick of 20 to come in 8; entered at 30: 38, then every 10.
        ("history", [(0, 0), (10, 0), (38, 0), (48, 0)]),
        # Offset 0: one microstep after the entry.
        ("reset", [(0, 0), (10, 0), (30, 1), (40, 0), (50, 0)]),
    ],
)
def test_a_timer_stands_still_in_an_inactive_mode(kind, expected):
    """Entered by history it goes on with what was left, by reset it starts again."""
    spec = reactor(
        moves=[(12, "b", "reset"), (30, "a", kind)],
        timers=(Timer("tick", 0, 10, "a"),),
        reactions=(seen("ticked", "tick", mode="a"),),
    )
    assert tags(spec, "ticked", timeout=50) == expected


def test_a_one_shot_timer_fires_again_after_a_reset_and_not_after_history():
    """Offset 5: at 5; entered by history at 20: no more; by reset at 40: at 45."""
    spec = reactor(
        moves=[(10, "b", "reset"), (20, "a", "history"), (30, "b", "history"), (40, "a", "reset")],
        timers=(Timer("tick", 5, 0, "a"),),
        reactions=(seen("ticked", "tick", mode="a"),),
    )
    assert tags(spec, "ticked") == [(5, 0), (45, 0)]


def test_the_transition_is_made_at_the_end_of_the_tag():
    """At the tag of the transition the old mode's reactions run, the new one's do not."""
    spec = reactor(
        moves=[(10, "b", "reset")],
        timers=(Timer("tick", 0, 5),),
        reactions=(seen("in_a", "tick", mode="a"), seen("in_b", "tick", mode="b")),
    )
    assert tags(spec, "in_a", timeout=20) == [(0, 0), (5, 0), (10, 0)]
    assert tags(spec, "in_b", timeout=20) == [(15, 0), (20, 0)]


def test_of_several_transitions_in_a_tag_the_last_in_order_is_made():
    """b then c: c."""
    spec = reactor(
        modes="abc",
        moves=[(10, "b", "reset"), (10, "c", "reset")],
        timers=(Timer("tick", 0, 5),),
        reactions=(seen("in_b", "tick", mode="b"), seen("in_c", "tick", mode="c")),
    )
    assert tags(spec, "in_b", timeout=20) == []
    assert tags(spec, "in_c", timeout=20) == [(15, 0), (20, 0)]


def test_suspended_events_come_when_their_time_in_the_mode_has_come():
    """Left at (10,0) with events at (10,2) and (15,1); entered at (30,0): (30,2) and (35,1)."""
    start = Reaction(
        "start", (Ref("tick"),), (), (Ref("act"),), (Schedule(0, (0, 0, 5, 5), ONCE),), "a"
    )
    spec = reactor(
        moves=[(10, "b", "reset"), (30, "a", "history")],
        timers=(Timer("tick", 10, 0, "a"),),
        actions=(Action("act", mode="a"),),
        reactions=(start, seen("got", "act", mode="a")),
    )
    # (10,1) and (10,2), (15,0) and (15,1) by the rule of one event per microstep.
    assert tags(spec, "got") == [(30, 1), (30, 2), (35, 0), (35, 1)]


def test_a_reset_discards_what_was_to_come():
    """The event at 15 of a mode left at 10 does not come; a handle to it cancels nothing."""
    cancel = Reaction("cancel", (RESET,), (), (Ref("act"),), (Cancel(0, ONCE),), "a")
    spec = reactor(
        moves=[(10, "b", "reset"), (30, "a", "reset")],
        timers=(Timer("tick", 10, 0, "a"),),
        actions=(Action("act", mode="a"),),
        reactions=(
            scheduling("start", "tick", "act", 5, mode="a"),
            cancel,
            seen("got", "act", mode="a"),
        ),
    )
    at, outcome = runs(spec, "got")
    assert at == []
    assert [row for row in outcome.trace if row[2][0] == "cancel"] == [
        ((30, 1), "Main", ("cancel", (True, False), (False,)))
    ]
    assert outcome.stop_tag == (40, 1)  # the timer once more: 30 + 10


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # last = 5 moves by 30 - 10 to 25; at 31 one for 31: early, so at 25 + 40.
        ("history", [(5, 0), (65, 0)]),
        # Forgotten: at 31 for 31, a microstep later.
        ("reset", [(5, 0), (31, 1)]),
    ],
)
def test_the_spacing_counts_local_time(kind, expected):
    """The last event's time moves with the mode, and a reset forgets it."""
    again = Reaction("again", (Ref("late"),), (), (Ref("act"),), (Schedule(0, (0,), ONCE),), "a")
    spec = reactor(
        moves=[(10, "b", "reset"), (30, "a", kind)],
        timers=(Timer("late", 31),),
        actions=(Action("act", 0, 40, mode="a"),),
        reactions=(
            scheduling("start", STARTUP, "act", 5, mode="a"),
            again,
            seen("got", "act", mode="a"),
        ),
    )
    assert tags(spec, "got") == expected


def test_the_spacing_counts_from_a_suspended_event():
    """Pending for 15 when left at 10, so for 35 from 30 on: at 31 one for 32 comes at 55."""
    again = Reaction("again", (Ref("late"),), (), (Ref("act"),), (Schedule(0, (1,), ONCE),), "a")
    spec = reactor(
        moves=[(10, "b", "reset"), (30, "a", "history")],
        timers=(Timer("late", 31),),
        actions=(Action("act", 0, 20, mode="a"),),
        reactions=(
            scheduling("start", STARTUP, "act", 15, mode="a"),
            again,
            seen("got", "act", mode="a"),
        ),
    )
    assert tags(spec, "got") == [(35, 0), (55, 0)]


@pytest.mark.parametrize("kind", ["reset", "history"])
def test_a_mode_that_never_was_active_starts_with_its_first_entry(kind):
    """Timers with their offset, startup once, reset only by reset: all after (20,0)."""
    spec = reactor(
        moves=[(20, "b", kind), (30, "a", "reset"), (40, "b", "reset")],
        timers=(Timer("now", 0, 0, "b"), Timer("soon", 3, 0, "b")),
        reactions=(
            seen("now", "now", mode="b"),
            seen("soon", "soon", mode="b"),
            seen("started", STARTUP, mode="b"),
            seen("reset", RESET, mode="b"),
        ),
    )
    assert tags(spec, "now") == [(20, 1), (40, 1)]
    assert tags(spec, "soon") == [(23, 0), (43, 0)]
    assert tags(spec, "started") == [(20, 1)]
    assert tags(spec, "reset") == [(20, 1)] * (kind == "reset") + [(40, 1)]


def test_the_initial_mode_has_startup_and_no_reset():
    """startup at (0,0); reset at the first entry by reset only."""
    spec = reactor(
        moves=[(10, "b", "reset"), (20, "a", "reset")],
        reactions=(seen("started", STARTUP, mode="a"), seen("reset", RESET, mode="a")),
    )
    assert tags(spec, "started") == [(0, 0)]
    assert tags(spec, "reset") == [(20, 1)]


def test_a_transition_into_the_same_mode():
    """By history nothing, by reset what any reset does."""
    spec = reactor(
        moves=[(12, "a", "history"), (23, "a", "reset")],
        timers=(Timer("tick", 0, 10, "a"),),
        actions=(Action("act", mode="a"),),
        reactions=(
            scheduling("start", STARTUP, "act", 25, mode="a"),
            seen("ticked", "tick", mode="a"),
            seen("reset", RESET, mode="a"),
            seen("got", "act", mode="a"),
        ),
    )
    assert tags(spec, "ticked", timeout=40) == [(0, 0), (10, 0), (20, 0), (23, 1), (33, 0)]
    assert tags(spec, "reset", timeout=40) == [(23, 1)]
    assert tags(spec, "got", timeout=40) == []


def test_entries_are_no_events_and_make_a_tag_only_if_something_is_to_be_done():
    """(10,1) happens for the reset, (20,1) does not; events are those of timers alone."""
    spec = reactor(
        moves=[(10, "b", "reset"), (20, "a", "reset")],
        reactions=(seen("reset", RESET, mode="b"),),
    )
    outcome = Reference(spec).run()
    assert outcome.n_tags == 5  # (0,0), (10,0), (10,1), (20,0), the stop tag (20,1)
    assert outcome.stop_tag == (20, 1)
    assert outcome.n_events == 2
    assert outcome.n_reactions == 3
    no_reset = reactor(moves=[(10, "b", "reset"), (20, "a", "reset")])
    assert Reference(no_reset).run().n_tags == 4


def test_suspended_events_do_not_keep_a_program_alive():
    """The mode left at 12 has ticks to come, and the program ends at (12,1), timeout or not."""
    spec = reactor(
        moves=[(12, "b", "reset")],
        timers=(Timer("tick", 0, 10, "a"),),
        reactions=(seen("ticked", "tick", mode="a"),),
    )
    at, outcome = runs(spec, "ticked", timeout=100)
    assert at == [(0, 0), (10, 0)]
    assert outcome.stop_tag == (12, 1)


@pytest.mark.parametrize(("back", "stop"), [(30, (50, 0)), (20, (40, 1))])
def test_a_resumed_event_past_the_stop_tag_is_dropped(back, stop):
    """Left at 10 with an event for 30, entered at `back`: it comes 20 after that."""
    spec = reactor(
        moves=[(10, "b", "reset"), (back, "a", "history")],
        actions=(Action("act", mode="a"),),
        reactions=(scheduling("start", STARTUP, "act", 30, mode="a"), seen("got", "act", mode="a")),
    )
    at, outcome = runs(spec, "got", timeout=50)
    assert at == [(back + 20, 0)]
    assert outcome.stop_tag == ((50, 0) if back == 30 else stop)
    # One ns less of timeout, and the event of 50 is dropped; the program goes on to the timeout.
    at, outcome = runs(spec, "got", timeout=49)
    assert at == ([] if back == 30 else [(40, 0)])
    assert outcome.stop_tag == ((49, 0) if back == 30 else stop)


def test_shutdown_comes_to_every_mode_that_ever_was_active():
    """a was and is not, b is, c never was, and the reactions outside always are."""
    spec = reactor(
        modes="abc",
        moves=[(10, "b", "reset")],
        reactions=(
            seen("no_mode", SHUTDOWN),
            *(seen(f"end_{mode}", SHUTDOWN, mode=mode) for mode in "abc"),
        ),
    )
    for name in ("no_mode", "end_a", "end_b"):
        assert tags(spec, name) == [(10, 1)]
    assert tags(spec, "end_c") == []


def test_a_stop_in_the_tag_of_a_transition():
    """The first microstep of the new mode is the last tag: startup, reset and shutdown there."""
    stop = Reaction("stop", (Ref("at10"),), steps=(Stop(0),))
    spec = reactor(
        moves=[(10, "b", "reset")],
        reactions=(stop, seen("entered", STARTUP, RESET, mode="b"), seen("end", SHUTDOWN)),
    )
    at, outcome = runs(spec, "entered", "end")
    assert at == [(10, 1), (10, 1)]
    assert outcome.stop_tag == (10, 1)


def test_reactions_of_different_modes_have_no_order():
    """Levels: a's two follow each other, b's one starts anew, the last follows all."""
    spec = reactor(
        reactions=(
            seen("a0", SHUTDOWN, mode="a"),
            seen("b0", SHUTDOWN, mode="b"),
            seen("a1", SHUTDOWN, mode="a"),
            seen("rest", SHUTDOWN),
            seen("b1", SHUTDOWN, mode="b"),
        )
    )
    assert Reference(spec).levels == [0, 0, 1, 2, 3]


# Nested modes. The outer reactor is Main, its child `in` lies in mode a and has modes a and b.


def nested(moves, inner_moves, *, outer_modes="ab", **inner):
    child = reactor("In", moves=inner_moves, **inner)
    return reactor(moves=moves, modes=outer_modes, children=(Child("in", child, mode="a"),))


def inner_ticks(moves, inner_moves, **options):
    """When the timers (0, 10) of the inner modes a and b tick, before 60."""
    spec = nested(
        moves,
        inner_moves,
        timers=(Timer("ta", 0, 10, "a"), Timer("tb", 0, 10, "b")),
        reactions=(
            seen("a", "ta", mode="a"),
            seen("b", "tb", mode="b"),
            seen("reset_a", RESET, mode="a"),
            seen("reset_b", RESET, mode="b"),
        ),
    )
    return {name: tags(spec, name, timeout=60, **options) for name in (
        "a", "b", "reset_a", "reset_b")}  # fmt: skip


def test_an_outer_mode_left_and_entered_by_history_keeps_the_inner_one():
    """The inner a ticks till 10, then 32 - 12 = 20 later: 40, 50, 60. Its own moves wait too."""
    found = inner_ticks([(12, "b", "reset"), (32, "a", "history")], [(25, "b", "reset")])
    # The inner reactor's timer for 25 lies in the outer a too: 13 after 12, 13 after 32: 45.
    assert found == {
        "a": [(0, 0), (10, 0), (40, 0)],
        "b": [(45, 1), (55, 0)],
        "reset_a": [],
        "reset_b": [(45, 1)],
    }


def test_an_outer_reset_puts_the_inner_initial_mode_back():
    """Inner b from 5 on; the outer reset at 32 starts the inner reactor with a, by reset."""
    found = inner_ticks([(12, "b", "reset"), (32, "a", "reset")], [(5, "b", "history")])
    assert found == {
        # After the reset the inner timer for its move starts again: 32 + 5.
        "a": [(0, 0), (32, 1)],
        # At 37 by history, but what it had was discarded: its timer starts with the offset.
        "b": [(5, 1), (37, 1), (47, 0), (57, 0)],
        "reset_a": [(32, 1)],
        "reset_b": [],
    }


def test_an_outer_reset_of_the_active_mode_reaches_the_inner_ones():
    """Inner b from 5 on, outer a again by reset at 12."""
    found = inner_ticks([(12, "a", "reset")], [(5, "b", "reset")])
    assert found == {
        "a": [(0, 0), (12, 1)],
        "b": [(5, 1), (17, 1), (27, 0), (37, 0), (47, 0), (57, 0)],
        "reset_a": [(12, 1)],
        "reset_b": [(5, 1), (17, 1)],
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # By history, never active: offset 0 after the entry at 32.
        ("history", {"b": [(32, 1), (42, 0), (52, 0)], "reset_b": []}),
        # It counts as entered by reset when it becomes active.
        ("reset", {"b": [(32, 1), (42, 0), (52, 0)], "reset_b": [(32, 1)]}),
    ],
)
def test_an_inner_transition_in_the_tag_in_which_the_outer_mode_is_left(kind, expected):
    """The inner b is current from 12 on, and active with the outer mode, at 32."""
    found = inner_ticks([(12, "b", "reset"), (32, "a", "history")], [(12, "b", kind)])
    assert found == {"a": [(0, 0), (10, 0)], "reset_a": [], **expected}


def test_an_inner_reset_in_the_tag_in_which_the_outer_mode_is_left_and_then_an_outer_reset():
    """The outer reset puts a back; the move to b of the tag 12 is forgotten, and comes at 44."""
    found = inner_ticks([(12, "b", "reset"), (32, "a", "reset")], [(12, "b", "reset")])
    assert found == {
        "a": [(0, 0), (10, 0), (32, 1), (42, 0)],
        "b": [(44, 1), (54, 0)],
        "reset_a": [(32, 1)],
        "reset_b": [(44, 1)],
    }


def test_an_inner_transition_in_the_tag_of_an_outer_reset_is_not_made():
    """Outer a by reset at 12 wins over inner b at 12; the inner move comes again at 12 + 12."""
    found = inner_ticks([(12, "a", "reset")], [(12, "b", "history")])
    assert found == {
        "a": [(0, 0), (10, 0), (12, 1), (22, 0)],
        "b": [(24, 1), (34, 0), (44, 0), (54, 0)],
        "reset_a": [(12, 1)],
        "reset_b": [],
    }


def test_an_outer_reset_forgets_that_an_inner_mode_was_to_be_entered_by_reset():
    """Inner b by reset as the outer is left at 12; after the outer reset b by history at 40."""
    found = inner_ticks(
        [(12, "b", "reset"), (32, "a", "reset")], [(8, "b", "history"), (12, "b", "reset")]
    )
    assert found == {
        "a": [(0, 0), (32, 1)],
        "b": [(8, 1), (40, 1), (44, 1), (54, 0)],
        "reset_a": [(32, 1)],
        "reset_b": [(44, 1)],
    }


def test_an_inner_mode_goes_on_from_where_it_was_left():
    """Inner b left at 8 (ticked at 4), outer left at 12 and back at 32, inner b again at 40."""
    found = inner_ticks(
        [(12, "b", "reset"), (32, "a", "history")],
        [(4, "b", "history"), (8, "a", "history"), (20, "b", "history")],
    )
    # b: first at (4,1), next tick 14, left at 8: 6 to go. The inner move at 20 comes at 40: 46, 56.
    # a: left at 4 with 6 to go, back at 8: 14, but the outer mode is left at 12: 2 to go: 34; next
    # 44, but left at 40.
    assert found == {
        "a": [(0, 0), (34, 0)],
        "b": [(4, 1), (46, 0), (56, 0)],
        "reset_a": [],
        "reset_b": [],
    }


def test_shutdown_of_nested_modes():
    """Inner a was active though the outer mode is left; inner b never was."""
    spec = nested(
        [(10, "b", "reset")],
        [],
        reactions=(seen("end_a", SHUTDOWN, mode="a"), seen("end_b", SHUTDOWN, mode="b")),
    )
    assert tags(spec, "end_a") == [(10, 1)]
    assert tags(spec, "end_b") == []


def test_a_reactor_in_a_mode_that_has_no_modes_stands_still_with_it():
    """Its startup, reset and timer are those of the mode that encloses it."""
    child = Reactor(
        "In",
        timers=(Timer("tick", 5, 0),),
        reactions=(seen("started", STARTUP), seen("reset", RESET), seen("ticked", "tick")),
    )
    spec = reactor(
        moves=[(10, "b", "reset"), (12, "a", "reset"), (30, "b", "history")],
        children=(Child("in", child, mode="b"),),
    )
    assert tags(spec, "started") == [(10, 1)]
    assert tags(spec, "reset") == [(10, 1)]
    # Left at 12 with 3 to go, entered at 30.
    assert tags(spec, "ticked") == [(33, 0)]


# Connections in modes.


def source(name="Source", period=10):
    send = Reaction("send", (Ref("tick"),), (), (Ref("out"),), (Set(0),))
    return Reactor(
        name,
        outputs=(Port("out"),),
        timers=(Timer("tick", 0, period),),
        reactions=(send,),
    )


SINK = Reactor("Sink", (Port("inp"),), reactions=(seen("got", "inp"),))


def test_connections_in_modes_take_turns_at_one_destination():
    """From the one with period 10 till 12, then from the one with period 7 after that."""
    spec = reactor(
        moves=[(12, "b", "reset")],
        children=(
            Child("tens", source("Tens")),
            Child("sevens", source("Sevens", 7)),
            Child("sink", SINK),
        ),
        connections=(
            Connection((Ref("out", "tens"),), (Ref("inp", "sink"),), mode="a"),
            Connection((Ref("out", "sevens"),), (Ref("inp", "sink"),), mode="b"),
        ),
    )
    assert tags(spec, "got", timeout=25) == [(0, 0), (10, 0), (14, 0), (21, 0)]


def test_a_delay_in_a_mode_pauses_with_it():
    """Sent at 10, left at 12 with 6 of 8 to go, entered at 35: at 41; nothing is taken between."""
    spec = reactor(
        moves=[(12, "b", "reset"), (35, "a", "history")],
        children=(Child("src", source()), Child("sink", SINK)),
        connections=(Connection((Ref("out", "src"),), (Ref("inp", "sink"),), 8, mode="a"),),
    )
    assert tags(spec, "got", timeout=60) == [(8, 0), (41, 0), (48, 0), (58, 0)]


def test_a_delay_in_a_mode_takes_what_is_sent_in_the_tag_in_which_it_is_left():
    """after=0 at (10,0): suspended at (10,1), resumed at (35,1); a reset discards it."""
    spec = {
        kind: reactor(
            moves=[(10, "b", "reset"), (35, "a", kind)],
            children=(Child("src", source()), Child("sink", SINK)),
            connections=(Connection((Ref("out", "src"),), (Ref("inp", "sink"),), 0, mode="a"),),
        )
        for kind in ("history", "reset")
    }
    assert tags(spec["history"], "got", timeout=39) == [(0, 1), (35, 1)]
    assert tags(spec["reset"], "got", timeout=39) == [(0, 1)]


def test_what_a_reactor_outside_sends_goes_nowhere_while_the_reactions_are_inactive():
    """A connection outside modes transports always; a reaction in a mode sees it when active."""
    sink = reactor(
        "Sink",
        moves=[(15, "b", "reset"), (35, "a", "reset")],
        inputs=(Port("inp"),),
        reactions=(seen("got", "inp", mode="a"),),
    )
    spec = Reactor(
        "Main",
        children=(Child("src", source()), Child("sink", sink)),
        connections=(Connection((Ref("out", "src"),), (Ref("inp", "sink"),), 1),),
    )
    assert tags(spec, "got", timeout=45) == [(1, 0), (11, 0), (41, 0)]
