"""Random reactor programs, grown cell by cell so that a failure shrinks to a few reactions.

A program is a Main with cells: reactors or banks, each with a few ports, actions, timers and
reactions. A cell's input is fed by earlier cells without delay, by any cell with a delay, by a
reaction of Main, or not at all. Small times throughout, so that events of different origin meet.
What else there is in a program, its Kind says.
"""

from dataclasses import dataclass, replace

from hypothesis import strategies as st
from model import (
    RESET,
    SHUTDOWN,
    STARTUP,
    Action,
    Advance,
    Cancel,
    Child,
    Connection,
    Enter,
    Mode,
    Mutate,
    Port,
    Raise,
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

TIMES = (0, 1, 2, 3, 5, 10)
PERIODS = (0, 4, 5, 7)
POLICIES = ("defer", "drop", "replace", "update")


@dataclass(frozen=True)
class Kind:
    """What the programs of a strategy may have, besides what all may have."""

    modes: bool = False
    enclaves: bool = False
    mutable: bool = False
    deadlines: tuple[int, ...] = ()
    has_clock: bool = False  # a virtual one, that bodies advance
    may_stop: bool = True
    may_raise: bool = True

    def __post_init__(self):
        # Without a virtual clock only a deadline of 0 is certain; with one, enclaves take turns.
        assert self.has_clock or not any(self.deadlines)
        assert not (self.has_clock and self.enclaves)


PLAIN = Kind()
MODES = Kind(modes=True)
DEADLINES = Kind(deadlines=(0, 1, 2, 5), has_clock=True)
MUTABLE = Kind(mutable=True)
ENCLAVES = Kind(enclaves=True)
MIXED = Kind(modes=True, mutable=True, deadlines=(0, 1, 2, 5), has_clock=True)
MIXED_ENCLAVES = Kind(modes=True, enclaves=True, mutable=True, deadlines=(0,))


def times(*, minimum=0):
    return st.sampled_from([t for t in TIMES if t >= minimum])


def one_in(n):
    return st.integers(0, n - 1).map(lambda k: k == n - 1)


@st.composite
def when(draw):
    """Bounded, so that loops and self-scheduling actions come to an end."""
    return When(draw(st.integers(1, 6)), draw(st.integers(1, 3)), draw(st.integers(0, 2)))


@st.composite
def actions(draw, name, mode):
    spacing = draw(st.none() | times())
    policy = "defer" if spacing is None else draw(st.sampled_from(POLICIES))
    return Action(name, draw(times()), spacing, policy, mode)


@st.composite
def steps(draw, kind, effects, action_names=(), mutable_sources=()):
    found = []
    if kind.has_clock and draw(st.booleans()):
        found.append(Advance(draw(st.sampled_from((1, 2, 4))), draw(when())))
    for i in mutable_sources:
        if draw(st.booleans()):
            found.append(Mutate(i, draw(when())))
    for i, effect in enumerate(effects):
        if isinstance(effect, Transition):
            found.append(Enter(i, draw(when())))
        elif effect.name in action_names and effect.child is None:
            delays = tuple(draw(st.lists(times(), min_size=1, max_size=3)))
            found.append(Schedule(i, delays, draw(when())))
            if draw(st.integers(0, 4)) == 0:
                found.append(Cancel(i, draw(when())))
        else:
            sets = draw(st.lists(st.tuples(st.integers(0, 5), when()), min_size=1, max_size=2))
            found += [
                Set(i, channel, condition, kind.mutable and draw(st.booleans()))
                for channel, condition in sets
            ]
    return tuple(found)


def subset(elements, *, minimum=0, maximum=3):
    if len(elements) <= minimum:
        return st.just(tuple(elements))
    return st.lists(st.sampled_from(elements), unique=True, min_size=minimum, max_size=maximum).map(
        tuple
    )


@st.composite
def mode_sets(draw):
    """Two or three modes, of which the first is the initial one."""
    names = ("red", "green", "blue")[: draw(st.integers(2, 3))]
    return tuple(Mode(name, is_initial=name == "red") for name in names)


@st.composite
def transitions(draw, modes, *, minimum=0):
    chosen = draw(subset([m.name for m in modes], minimum=minimum, maximum=2))
    return tuple(Transition(name, draw(st.booleans())) for name in chosen)


def deadlines(kind):
    return st.none() | st.none() | st.sampled_from(kind.deadlines) if kind.deadlines else st.none()


@st.composite
def reactions(draw, kind, name, triggers, uses, effects, *, mode=None, action_names=(), mutable=()):
    """One reaction with these declarations; mutable: the names of the mutable inputs."""
    sources = [ref for ref in (*triggers, *uses) if isinstance(ref, Ref)]
    mutable_sources = [
        i for i, ref in enumerate(sources) if ref.child is None and ref.name in mutable
    ]
    body = draw(steps(kind, effects, action_names, mutable_sources))
    deadline, handler = draw(deadlines(kind)), None
    if deadline is not None and draw(st.booleans()):
        handler = draw(steps(kind, effects, action_names, mutable_sources))
    return Reaction(name, triggers, uses, effects, body, mode, deadline, handler)


@st.composite
def widths(draw):
    """Of a cell's `inp` and its `out`."""
    return draw(st.none() | st.integers(1, 3)), draw(st.none() | st.integers(1, 3))


@st.composite
def inputs(draw, kind, width):
    def is_mutable():
        return kind.mutable and draw(st.booleans())

    return (Port("inp", width, is_mutable()), Port("back", None, is_mutable()))


@st.composite
def cells(draw, kind, name, ports=None, *, is_inside=False):
    """A reactor with inputs `inp` and `back` (for loops), an output `out`, some reactions.

    is_inside: it is a child in a mode.
    """
    width, out_width = ports or draw(widths())
    modes = draw(mode_sets()) if kind.modes and draw(st.booleans()) else ()
    mode_names = st.sampled_from([None, *(m.name for m in modes)])
    action_specs = tuple(
        draw(actions(f"act{i}", draw(mode_names))) for i in range(draw(st.integers(0, 2)))
    )
    timer_specs = tuple(
        Timer(f"timer{i}", draw(times()), draw(st.sampled_from(PERIODS)), draw(mode_names))
        for i in range(draw(st.integers(0, 2)))
    )
    input_specs = draw(inputs(kind, width))
    mutable = [p.name for p in input_specs if p.is_mutable]
    found = []
    for i in range(draw(st.integers(1, 4))):
        # The first one can always run, or at least while the program is young.
        mode = draw(mode_names if i else st.sampled_from([None, *(m.name for m in modes[:1])]))
        acts = [Ref(a.name) for a in action_specs if a.mode in (None, mode)]
        ticks = [Ref(t.name) for t in timer_specs if t.mode in (None, mode)]
        readable = [Ref("inp"), Ref("back"), *acts, *ticks]
        special = [STARTUP, SHUTDOWN] + [RESET] * (is_inside or mode is not None)
        triggers = draw(subset([*readable, *special], minimum=1))
        uses = draw(subset([ref for ref in readable if ref not in triggers], maximum=2))
        if SHUTDOWN in triggers and (is_inside or mode is not None):
            acts = []  # an inactive mode's time stands still; what a delay means then, no rule says
        effects = draw(subset([Ref("out"), *acts], minimum=i == 0))
        effects += draw(transitions(modes, minimum=i == 0)) if modes else ()
        found.append(
            draw(
                reactions(kind, f"r{i}", triggers, uses, effects, mode=mode, mutable=mutable,
                          action_names=[ref.name for ref in acts])
            )
        )  # fmt: skip
    return Reactor(
        name, input_specs, (Port("out", out_width),), action_specs, timer_specs, tuple(found),
        modes=modes,
    )  # fmt: skip


@st.composite
def wrapped(draw, kind, cell):
    """The cell in a reactor that passes its ports through, the output with a delay or without."""
    is_enclave = kind.enclaves and draw(st.booleans())
    if is_enclave:
        delays = [draw(times()) for _ in range(3)]
    else:
        delays = [None, None, draw(st.none() | times())]
    return Reactor(
        cell.name + "Box", cell.inputs, cell.outputs,
        children=(Child("cell", cell, is_enclave=is_enclave),),
        connections=(
            Connection((Ref("inp"),), (Ref("inp", "cell"),), delays[0]),
            Connection((Ref("back"),), (Ref("back", "cell"),), delays[1]),
            Connection((Ref("out", "cell"),), (Ref("out"),), delays[2]),
        ),
    )  # fmt: skip


@st.composite
def modal_boxes(draw, kind, name):
    """A reactor with cells in its modes, that share its input and write its one output in turn."""
    ports = draw(widths())
    modes = draw(mode_sets())
    children, connections, own, late = [], [], [], []
    free = None
    if draw(one_in(3)):
        free = Child("free", draw(cells(kind, f"{name}Free", ports)))
        children.append(free)
        connections.append(Connection((Ref("inp"),), (Ref("inp", "free"),)))
    for i, mode in enumerate(modes):
        after = draw(st.none() | times())
        if i > 0 and ports[0] == ports[1] and draw(one_in(3)):
            connections.append(Connection((Ref("inp"),), (Ref("out"),), after, mode=mode.name))
            continue
        cell = f"in{i}"
        inner = draw(cells(kind, f"{name}In{i}", ports, is_inside=True))
        children.append(Child(cell, inner, mode=mode.name))
        source = Ref("inp")
        if free is not None and ports[0] == ports[1] and draw(st.booleans()):
            source = Ref("out", "free")
        into = draw(st.none() | times())
        connections += [
            Connection((source,), (Ref("inp", cell),), into, mode=mode.name),
            Connection((Ref("out", cell),), (Ref("out"),), after, mode=mode.name),
        ]
        if draw(st.booleans()):
            connections.append(Connection((Ref("back"),), (Ref("back", cell),), mode=mode.name))
        if draw(one_in(3)):
            effects = draw(transitions(modes, minimum=1))
            triggers = (Ref("out", cell), *draw(subset([RESET, STARTUP], maximum=1)))
            late.append(
                draw(reactions(kind, f"seen{i}", triggers, (), effects, mode=mode.name))
            )
    timer = Timer("tick", draw(times()), draw(st.sampled_from(PERIODS)))
    for i in range(draw(st.integers(1, 2))):
        mode = draw(st.sampled_from([None, *(m.name for m in modes)])) if i else None
        special = [STARTUP, SHUTDOWN] + [RESET] * (mode is not None)
        triggers = draw(subset([Ref("inp"), Ref("back"), Ref("tick"), *special], minimum=1))
        effects = draw(transitions(modes, minimum=1))
        own.append(draw(reactions(kind, f"switch{i}", triggers, (), effects, mode=mode)))
    return Reactor(
        name, draw(inputs(kind, ports[0])), (Port("out", ports[1]),), (), (timer,),
        (*own, *late), tuple(children), tuple(connections), modes,
    )  # fmt: skip


def channels(child, port):
    """Every channel of a cell's port, as the parent names them, bank-major."""
    cell = child.reactor
    width = next(p.width for p in (*cell.inputs, *cell.outputs) if p.name == port)
    members = [None] if child.members is None else range(child.members)
    return [
        Ref(port, child.name, m, c)
        for m in members
        for c in ([None] if width is None else range(width))
    ]


@st.composite
def wiring(draw, kind, child, earlier):
    """How `inp` is fed: [Connection], and (triggers, effects) of a parent's reaction or None."""
    name, n = child.name, child.members
    into = channels(child, "inp")
    sources = [c for other in earlier for c in channels(other, "out")]
    fitting = [other for other in earlier if len(channels(other, "out")) == len(into)]
    way = draw(st.sampled_from(("nothing", "each", "bank", "broadcast", "reaction")))
    if way == "nothing" or not sources or (way == "bank" and not fitting):
        return [], None
    enclaves = {other.name for other in (child, *earlier) if other.is_enclave}
    if way == "reaction":
        if enclaves:
            sources = [c for c in sources if c.child not in enclaves]
        if not sources or name in enclaves:
            return [], None
        triggers = draw(subset(sources, minimum=1, maximum=3))
        return [], (triggers, (Ref("inp", name),))
    after = draw(st.none() | st.none() | times())
    whole = (Ref("inp", name, is_interleaved=n is not None and draw(st.booleans())),)
    if way == "bank":
        other = draw(st.sampled_from(fitting))
        is_interleaved = other.members is not None and draw(st.booleans())
        chosen, is_broadcast = (Ref("out", other.name, is_interleaved=is_interleaved),), False
    elif way == "broadcast":
        chosen, is_broadcast = (draw(st.sampled_from(sources)),), True
    else:
        chosen, is_broadcast = tuple(draw(st.sampled_from(sources)) for _ in into), False
    if after is None and enclaves & {name, *(c.child for c in chosen)}:
        after = draw(times())
    return [Connection(chosen, whole, after, is_broadcast)], None


@st.composite
def programs(draw, kind=PLAIN):
    """A whole program; with a periodic timer it ends at a timeout only."""
    children, connections, main_reactions, sources = [], [], [], []
    for i in range(draw(st.integers(1, 5))):
        if kind.modes and draw(one_in(3)):
            cell = draw(modal_boxes(kind, f"Cell{i}"))
        else:
            cell = draw(cells(kind, f"Cell{i}"))
        if draw(st.integers(0, 4)) == 0:
            cell = draw(wrapped(kind, cell))
        n = draw(st.none() | st.integers(1, 3))
        is_enclave = kind.enclaves and draw(st.booleans())
        child = Child(f"c{i}", cell, n, is_enclave=is_enclave)
        more, reaction = draw(wiring(kind, child, children))
        connections += more
        if reaction is not None:
            triggers, effects = reaction
            main_reactions.append(draw(reactions(kind, f"main{i}", triggers, (), effects)))
        children.append(child)
        sources += channels(child, "out")
    for child in children:
        if draw(st.integers(0, 2)) == 0:
            backs = channels(child, "back")
            chosen = tuple(draw(st.sampled_from(sources)) for _ in backs)
            connections.append(Connection(chosen, tuple(backs), draw(times())))
    main = Reactor(
        "Main", (), (), (), (), tuple(main_reactions), tuple(children), tuple(connections)
    )
    if kind.may_stop and draw(st.integers(0, 5)) == 0:
        main = draw(with_step(main, Stop))
    if kind.may_raise and draw(st.integers(0, 5)) == 0:
        main = draw(with_step(main, Raise))
    return main


def has_period(reactor):
    own = any(timer.period for timer in reactor.timers)
    return own or any(has_period(child.reactor) for child in reactor.children)


@st.composite
def endings(draw, main):
    """{timeout, keepalive} with which the program ends."""
    timeout = draw(st.sampled_from((40, 40, 40, 15, 0)))
    if not has_period(main) and draw(st.booleans()):
        return {"timeout": None, "keepalive": False}
    return {"timeout": timeout, "keepalive": draw(st.booleans())}


@st.composite
def with_step(draw, main, kind_of_step):
    """The program with one more step in one reaction of one cell, of each member of a bank.

    Without it, if that would not stop all enclaves: where the others are then, speed decides.
    """
    at = draw(st.integers(0, len(main.children) - 1))
    step = kind_of_step(draw(st.integers(0, 4)))

    def added(reactor):
        if reactor.children and (not reactor.reactions or draw(st.booleans())):
            inner = draw(st.integers(0, len(reactor.children) - 1))
            return with_child(reactor, inner)
        i = draw(st.integers(0, len(reactor.reactions) - 1))
        changed = list(reactor.reactions)
        r = changed[i]
        handler = None if r.handler is None else (*r.handler, step)
        changed[i] = replace(r, steps=(*r.steps, step), handler=handler)
        return replace(reactor, reactions=tuple(changed))

    def with_child(reactor, at):
        changed = list(reactor.children)
        changed[at] = replace(changed[at], reactor=added(changed[at].reactor))
        return replace(reactor, children=tuple(changed))

    changed = with_child(main, at)
    return changed if Reference(changed).stops_as_one() else main
