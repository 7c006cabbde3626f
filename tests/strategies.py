"""Random reactor programs, grown cell by cell so that a failure shrinks to a few reactions.

A program is a Main with cells: reactors or banks, each with a few ports, actions, timers and
reactions. A cell's input is fed by earlier cells without delay, by any cell with a delay, by a
reaction of Main, or not at all. Small times throughout, so that events of different origin meet.
"""

from dataclasses import replace

from hypothesis import strategies as st
from model import (
    SHUTDOWN,
    STARTUP,
    Action,
    Cancel,
    Connection,
    Port,
    Raise,
    Reaction,
    Reactor,
    Ref,
    Schedule,
    Set,
    Stop,
    Timer,
    When,
)

TIMES = (0, 1, 2, 3, 5, 10)
POLICIES = ("defer", "drop", "replace", "update")


def times(*, minimum=0):
    return st.sampled_from([t for t in TIMES if t >= minimum])


@st.composite
def when(draw):
    """Bounded, so that loops and self-scheduling actions come to an end."""
    return When(draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(st.integers(0, 2)))


@st.composite
def actions(draw, name):
    spacing = draw(st.none() | times())
    policy = "defer" if spacing is None else draw(st.sampled_from(POLICIES))
    return Action(name, draw(times()), spacing, policy)


@st.composite
def steps(draw, effects, action_names):
    found = []
    for i, effect in enumerate(effects):
        if effect.name in action_names and effect.child is None:
            delays = tuple(draw(st.lists(times(), min_size=1, max_size=3)))
            found.append(Schedule(i, delays, draw(when())))
            if draw(st.integers(0, 4)) == 0:
                found.append(Cancel(i, draw(when())))
        else:
            sets = draw(st.lists(st.tuples(st.integers(0, 5), when()), min_size=1, max_size=2))
            found += [Set(i, channel, condition) for channel, condition in sets]
    return tuple(found)


def subset(elements, *, minimum=0, maximum=3):
    if len(elements) <= minimum:
        return st.just(tuple(elements))
    return st.lists(st.sampled_from(elements), unique=True, min_size=minimum, max_size=maximum).map(
        tuple
    )


@st.composite
def cells(draw, name):
    """A reactor with inputs `inp` and `back` (for loops), an output `out`, some reactions."""
    width, out_width = draw(st.none() | st.integers(1, 3)), draw(st.none() | st.integers(1, 3))
    action_specs = tuple(draw(actions(f"act{i}")) for i in range(draw(st.integers(0, 2))))
    timer_specs = tuple(
        Timer(f"timer{i}", draw(times()), draw(st.sampled_from((0, 4, 5, 7))))
        for i in range(draw(st.integers(0, 2)))
    )
    action_names = [a.name for a in action_specs]
    readable = [Ref(n) for n in ("inp", "back", *action_names, *(t.name for t in timer_specs))]
    triggers = [*readable, STARTUP, SHUTDOWN]
    effects = [Ref(n) for n in ("out", *action_names)]
    reactions = []
    for i in range(draw(st.integers(1, 4))):
        r_triggers = draw(subset(triggers, minimum=1))
        r_uses = draw(subset([ref for ref in readable if ref not in r_triggers], maximum=2))
        r_effects = draw(subset(effects, minimum=i == 0))
        body = draw(steps(r_effects, action_names))
        reactions.append(Reaction(f"r{i}", r_triggers, r_uses, r_effects, body))
    return Reactor(
        name, (Port("inp", width), Port("back")), (Port("out", out_width),), action_specs,
        timer_specs,
        tuple(reactions),
    )  # fmt: skip


def wrapped(cell, after):
    """The cell in a reactor that passes its ports through, the output with a delay or without."""
    return Reactor(
        cell.name + "Box", cell.inputs, cell.outputs, children=(("cell", cell, None),),
        connections=(
            Connection((Ref("inp"),), (Ref("inp", "cell"),)),
            Connection((Ref("back"),), (Ref("back", "cell"),)),
            Connection((Ref("out", "cell"),), (Ref("out"),), after),
        ),
    )  # fmt: skip


def channels(name, cell, n, port):
    """Every channel of a cell's port, as the parent names them, bank-major."""
    width = next(p.width for p in (*cell.inputs, *cell.outputs) if p.name == port)
    members = [None] if n is None else range(n)
    return [
        Ref(port, name, m, c) for m in members for c in ([None] if width is None else range(width))
    ]


@st.composite
def wiring(draw, name, cell, n, earlier):
    """How `inp` is fed: [Connection], and (triggers, effects) of a parent's reaction or None."""
    inputs = channels(name, cell, n, "inp")
    sources = [c for other, what, m in earlier for c in channels(other, what, m, "out")]
    fitting = [
        (other, m)
        for other, what, m in earlier
        if len(channels(other, what, m, "out")) == len(inputs)
    ]
    way = draw(st.sampled_from(("nothing", "each", "bank", "broadcast", "reaction")))
    if way == "nothing" or not sources or (way == "bank" and not fitting):
        return [], None
    if way == "reaction":
        triggers = draw(subset(sources, minimum=1, maximum=3))
        return [], (triggers, (Ref("inp", name),))
    after = draw(st.none() | st.none() | times())
    whole = (Ref("inp", name, is_interleaved=n is not None and draw(st.booleans())),)
    if way == "bank":
        other, m = draw(st.sampled_from(fitting))
        source = Ref("out", other, is_interleaved=m is not None and draw(st.booleans()))
        return [Connection((source,), whole, after)], None
    if way == "broadcast":
        return [
            Connection((draw(st.sampled_from(sources)),), whole, after, is_broadcast=True)
        ], None
    chosen = tuple(draw(st.sampled_from(sources)) for _ in inputs)
    return [Connection(chosen, whole, after)], None


@st.composite
def programs(draw, *, may_stop=True, may_raise=True):
    """A whole program; with a periodic timer it ends at a timeout only."""
    children, connections, main_reactions, sources = [], [], [], []
    for i in range(draw(st.integers(1, 5))):
        name = f"c{i}"
        cell = draw(cells(f"Cell{i}"))
        if draw(st.integers(0, 4)) == 0:
            cell = wrapped(cell, draw(st.none() | times()))
        n = draw(st.none() | st.integers(1, 3))
        more, reaction = draw(wiring(name, cell, n, children))
        connections += more
        if reaction is not None:
            body = draw(steps(reaction[1], ()))
            main_reactions.append(Reaction(f"main{i}", reaction[0], (), reaction[1], body))
        children.append((name, cell, n))
        sources += channels(name, cell, n, "out")
    for name, cell, n in children:
        if draw(st.integers(0, 2)) == 0:
            backs = channels(name, cell, n, "back")
            chosen = tuple(draw(st.sampled_from(sources)) for _ in backs)
            connections.append(Connection(chosen, tuple(backs), draw(times())))
    main = Reactor(
        "Main", (), (), (), (), tuple(main_reactions), tuple(children), tuple(connections)
    )
    if may_stop and draw(st.integers(0, 5)) == 0:
        main = draw(with_step(main, Stop))
    if may_raise and draw(st.integers(0, 5)) == 0:
        main = draw(with_step(main, Raise))
    return main


def has_period(reactor):
    own = any(timer.period for timer in reactor.timers)
    return own or any(has_period(child) for _, child, _ in reactor.children)


@st.composite
def endings(draw, main):
    """{timeout, keepalive} with which the program ends."""
    timeout = draw(st.sampled_from((40, 40, 40, 15, 0)))
    if not has_period(main) and draw(st.booleans()):
        return {"timeout": None, "keepalive": False}
    return {"timeout": timeout, "keepalive": draw(st.booleans())}


@st.composite
def with_step(draw, main, kind):
    """The program with one more step in one reaction of one cell, of each member of a bank."""
    at = draw(st.integers(0, len(main.children) - 1))
    name, cell, n = main.children[at]
    step = kind(draw(st.integers(0, 4)))

    def added(reactor):
        if reactor.children:
            inner, what, members = reactor.children[0]
            return replace(reactor, children=((inner, added(what), members),))
        i = draw(st.integers(0, len(reactor.reactions) - 1))
        reactions = list(reactor.reactions)
        reactions[i] = replace(reactions[i], steps=(*reactions[i].steps, step))
        return replace(reactor, reactions=tuple(reactions))

    children = list(main.children)
    children[at] = (name, added(cell), n)
    return replace(main, children=tuple(children))
