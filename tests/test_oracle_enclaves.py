"""The oracle's enclaves, held against results worked out by hand."""

from model import (
    SHUTDOWN,
    STARTUP,
    Action,
    Child,
    Connection,
    Port,
    Raise,
    Reaction,
    Reactor,
    Ref,
    Set,
    Stop,
    Timer,
    When,
)
from reference import Reference

ALWAYS = When()


def node(name, *timers, on=("tick",), sends=ALWAYS, more=()):
    """Has `inp`, which it records, and `out`, which it sets on its timers (or what `on` says)."""
    triggers = tuple(t if t in (STARTUP, SHUTDOWN) else Ref(t) for t in on)
    return Reactor(
        name, (Port("inp"),), (Port("out"),),
        actions=(Action("again"),),
        timers=timers,
        reactions=(
            Reaction("send", triggers, effects=(Ref("out"),), steps=(Set(0, 0, sends),)),
            Reaction("got", (Ref("inp"),)),
            Reaction("end", (SHUTDOWN,)),
            *more,
        ),
    )  # fmt: skip


def tick(offset, period=0):
    return Timer("tick", offset, period)


IDLE = {"on": ("again",)}


def program(*connections, own="main", **children):
    """Each child is an enclave, but for `main`; connections: (from, to, delay)."""
    return Reactor(
        "Main",
        children=tuple(
            Child(name, what, is_enclave=name != own) for name, what in children.items()
        ),
        connections=tuple(
            Connection((Ref("out", a),), (Ref("inp", b),), delay) for a, b, delay in connections
        ),
    )


def run(spec, **options):
    """(time, name, reaction) of what was received and ended; the stop tags; the outcome."""
    outcome = Reference(spec, **options).run()
    rows = [
        (tag, where.removeprefix("Main."), entry[0])
        for tag, where, entry in outcome.trace
        if entry[0] != "send"
    ]
    stops = {where.removeprefix("Main."): e[0] for where, e in outcome.enclaves.items()}
    return rows, stops, outcome


def test_each_enclave_has_its_own_tags():
    """Main ticks at 0, 10, 20; the other gets it 3 later; both end at the timeout."""
    spec = program(("main", "e", 3), main=node("M", tick(0, 10)), e=node("E", **IDLE))
    rows, _, outcome = run(spec, timeout=25)
    assert rows == [
        ((3, 0), "e", "got"),
        ((13, 0), "e", "got"),
        ((23, 0), "e", "got"),
        ((25, 0), "e", "end"),
        ((25, 0), "main", "end"),
    ]
    # main: 0, 10, 20 and the stop; e: 0, 3, 13, 23 and the stop.
    assert outcome.enclaves == {"Main": ((25, 0), 4, 3), "Main.e": ((25, 0), 5, 3)}
    assert (outcome.stop_tag, outcome.n_tags, outcome.n_events) == ((25, 0), 9, 6)


def test_a_delay_of_nothing_is_a_microstep():
    """From (10,0) to (10,1)."""
    spec = program(("main", "e", 0), main=node("M", tick(10)), e=node("E", **IDLE))
    rows, stops, _ = run(spec)
    assert rows == [((10, 1), "e", "got"), ((10, 1), "main", "end"), ((10, 2), "e", "end")]
    assert stops == {"Main": (10, 1), "e": (10, 2)}


def test_an_idle_enclave_ends_when_nothing_more_can_come():
    """Main at (10,1); e, with one at 13, at (13,1); f, a delay of 1 behind it, at 14."""
    spec = program(
        ("main", "e", 3), ("e", "f", 1),
        main=node("M", tick(10)), e=node("E", **IDLE), f=node("F", **IDLE),
    )  # fmt: skip
    _, stops, outcome = run(spec)
    assert stops == {"Main": (10, 1), "e": (13, 1), "f": (14, 0)}
    assert outcome.stop_tag == (14, 0)
    alone = program(main=node("M", tick(10)), e=node("E", **IDLE))
    assert run(alone)[1] == {"Main": (10, 1), "e": (0, 1)}


def test_what_a_shutdown_reaction_sends_still_arrives_downstream():
    """Main ends at (10,1): from there 15, and e ends at (15,1)."""
    main = node("M", tick(10), on=(SHUTDOWN,))
    rows, stops, _ = run(program(("main", "e", 5), main=main, e=node("E", **IDLE)))
    assert ((15, 0), "e", "got") in rows
    assert stops == {"Main": (10, 1), "e": (15, 1)}


def test_an_enclave_waits_for_the_end_of_all_that_feeds_it():
    """main ends at (100,1), so d at 101, and what it sends then comes to f at 106."""
    spec = program(
        ("main", "d", 1), ("d", "f", 5),
        main=node("M", tick(100), sends=When(0)),
        d=node("D", on=(SHUTDOWN,)),
        f=node("F", tick(50)),
    )  # fmt: skip
    rows, stops, outcome = run(spec)
    assert stops == {"Main": (100, 1), "d": (101, 0), "f": (106, 1)}
    assert ((106, 0), "f", "got") in rows
    assert outcome.enclaves["Main.f"] == ((106, 1), 4, 2)


def test_a_group_ends_at_once():
    """Main 10 -> e 15 -> main 20, which sends no more: main ends at (20,1), e at 20 + 5."""
    spec = program(
        ("main", "e", 5), ("e", "main", 5),
        main=node("M", tick(10)), e=node("E", on=("inp",)),
    )  # fmt: skip
    rows, stops, _ = run(spec)
    assert [row for row in rows if row[2] == "got"] == [
        ((15, 0), "e", "got"),
        ((20, 0), "main", "got"),
    ]
    assert stops == {"Main": (20, 1), "e": (25, 0)}


def test_what_a_shutdown_reaction_sends_within_a_group_comes_at_the_stop_tag_or_not_at_all():
    """e ends at (50,1) and main at 50 + 100, where e's is met; main's would come at 155."""
    spec = program(
        ("main", "e", 5), ("e", "main", 100),
        main=node("M", tick(10), on=(SHUTDOWN,)), e=node("E", tick(50), on=(SHUTDOWN,)),
    )  # fmt: skip
    rows, stops, _ = run(spec)
    assert [row for row in rows if row[2] == "got"] == [((150, 0), "main", "got")]
    assert stops == {"Main": (150, 0), "e": (50, 1)}


def test_the_timeout_ends_all_who_may_still_get_something():
    """main ticks on to the timeout but sends once: e is not known to be idle before. f is alone."""
    spec = program(
        ("main", "e", 3),
        main=node("M", tick(0, 10), sends=When(1)), e=node("E", **IDLE), f=node("F", **IDLE),
    )  # fmt: skip
    assert run(spec, timeout=25)[1] == {"Main": (25, 0), "e": (25, 0), "f": (0, 1)}
    main, e = node("M", tick(0, 10), sends=When(1)), node("E", **IDLE)
    group = program(("main", "e", 3), ("e", "main", 3), main=main, e=e)
    assert run(group, timeout=25)[1] == {"Main": (25, 0), "e": (25, 0)}
    assert run(spec, timeout=25, keepalive=True)[1] == dict.fromkeys(("Main", "e", "f"), (25, 0))


def test_an_event_past_the_timeout_keeps_the_receiver_and_not_the_sender():
    """main starves at (20,1); what it sent would be at 30, so e goes on to the timeout."""
    spec = program(("main", "e", 10), main=node("M", tick(20)), e=node("E", **IDLE))
    assert run(spec, timeout=25)[1] == {"Main": (20, 1), "e": (25, 0)}
    assert run(spec, timeout=30)[1] == {"Main": (20, 1), "e": (30, 0)}
    assert run(spec, timeout=31)[1] == {"Main": (20, 1), "e": (30, 1)}


def stopping(step):
    """main does `step` at (10,0); e is 3 behind, f 0 behind e or 20 behind main."""
    doing = Reaction("doing", (Ref("tick"),), steps=(step,))
    return program(
        ("main", "e", 3), ("e", "f", 0), ("f", "main", 1),
        main=node("M", tick(10, 10), more=(doing,)),
        e=node("E", Timer("other", 1, 1), on=("other",), sends=When(0)),
        f=node("F", **IDLE),
    )  # fmt: skip


def test_a_request_to_stop_arrives_as_a_value_would():
    """main at (10,1), e at (13,0) where it still gets what was sent at 10, f at (13,1)."""
    rows, stops, outcome = run(stopping(Stop(0)), timeout=100)
    assert stops == {"Main": (10, 1), "e": (13, 0), "f": (13, 1)}
    assert outcome.stop_tag == (13, 1)
    assert rows == [
        ((10, 0), "main", "doing"),
        ((10, 1), "main", "end"),
        ((13, 0), "e", "got"),
        ((13, 0), "e", "end"),
        ((13, 1), "f", "end"),
    ]


def test_a_body_that_raises_unwinds_its_own_enclave_at_once():
    """main at (10,0), the others as by a request."""
    rows, stops, outcome = run(stopping(Raise(0)), timeout=100)
    assert stops == {"Main": (10, 0), "e": (13, 0), "f": (13, 1)}
    assert outcome.errors == [("Main.main", "doing")]
    assert ((13, 0), "e", "got") in rows


def test_the_shortest_way_counts():
    """Straight after 20, or through e after 3 and 0."""
    spec = stopping(Stop(0))
    more = Connection((Ref("out", "main"),), (Ref("again", "f"),), 20)
    f = spec.children[2].reactor
    f = Reactor(
        "F", (*f.inputs, Port("again")), f.outputs, timers=(Timer("x", 0, 0),),
        reactions=(Reaction("end", (SHUTDOWN,)),),
    )  # fmt: skip
    spec = Reactor(
        "Main",
        children=(*spec.children[:2], Child("f", f, is_enclave=True)),
        connections=(*spec.connections, more),
    )
    assert run(spec, timeout=100)[1]["f"] == (13, 1)


def test_a_broadcast_is_one_event_in_each_enclave():
    """To two inputs of one enclave one event, to another enclave one more."""
    two = Reactor(
        "Two", (Port("inp"), Port("back")),
        reactions=(Reaction("got", (Ref("inp"), Ref("back"))),),
    )  # fmt: skip
    spec = Reactor(
        "Main",
        children=(
            Child("main", node("M", tick(10))),
            Child("a", two, is_enclave=True),
            Child("b", two, is_enclave=True),
        ),
        connections=(
            Connection(
                (Ref("out", "main"),), (Ref("inp", "a"), Ref("back", "a"), Ref("inp", "b")), 3,
                is_broadcast=True,
            ),
        ),
    )  # fmt: skip
    outcome = Reference(spec).run()
    assert {path: e[2] for path, e in outcome.enclaves.items()} == {
        "Main": 1, "Main.a": 1, "Main.b": 1
    }  # fmt: skip


def test_enclaves_nest_and_members_of_a_bank_are_enclaves_of_their_own():
    """A box and its cell have a time line each; so does each member of a bank."""
    box = Reactor(
        "Box", (Port("inp"),), (Port("out"),),
        children=(Child("cell", node("C", **IDLE), is_enclave=True),),
        connections=(Connection((Ref("inp"),), (Ref("inp", "cell"),), 2),),
    )  # fmt: skip
    spec = Reactor(
        "Main",
        children=(
            Child("main", node("M", tick(10))),
            Child("box", box, is_enclave=True),
            Child("bank", node("B", **IDLE), 2, is_enclave=True),
        ),
        connections=(Connection((Ref("out", "main"),), (Ref("inp", "box"),), 1),),
    )
    rows, stops, _ = run(spec)
    assert stops == {
        "Main": (10, 1),
        "box": (11, 1),
        "box.cell": (13, 1),
        "bank[0]": (0, 1),
        "bank[1]": (0, 1),
    }
    assert ((13, 0), "box.cell", "got") in rows


def test_steps_that_stop_are_put_only_where_they_stop_all():
    """From main everything is reached in a loop, from e alone nothing."""
    assert Reference(stopping(Stop(0))).stops_as_one()
    e = node("E", tick(0), more=(Reaction("stop", (STARTUP,), steps=(Stop(0),)),))
    assert not Reference(program(("main", "e", 3), main=node("M", tick(0)), e=e)).stops_as_one()
