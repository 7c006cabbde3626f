"""Random reactor programs, grown cell by cell so that a failure shrinks to a few reactions.

A program is a Main with cells: reactors or banks, each with a few ports, actions, timers and
reactions. A cell's input is fed by earlier cells without delay, by any cell with a delay, by a
reaction of Main, or not at all. Small times throughout, so that events of different origin meet.
What else there is in a program, its Kind says.
"""

import itertools
from dataclasses import dataclass, replace
from functools import cache

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


# One draw from a table costs a tenth of several small ones. The simplest comes first: shrinking
# goes there.
BOOLS = st.booleans()
MAYBE_TIMES = st.sampled_from((None, *TIMES))
ANY_TIMES = st.sampled_from(TIMES)
# Bounded, so that loops and self-scheduling actions come to an end.
WHENS = st.sampled_from(
    [When(*w) for w in itertools.product(range(1, 7), range(1, 4), range(3)) if w[2] < w[1]]
)
SPACINGS = [(None, "defer"), *itertools.product(TIMES, POLICIES)]
ACTIONS = st.sampled_from([Action("", d, *s) for d, s in itertools.product(TIMES, SPACINGS)])
TIMERS = st.sampled_from([Timer("", *t) for t in itertools.product(TIMES, PERIODS)])
DELAYS = st.sampled_from(
    [*((t,) for t in TIMES), *itertools.product(TIMES, TIMES), (5, 5, 0), (10, 3, 5), (1, 1, 1)]
)
NUMBERS = [st.integers(0, n) for n in range(64)]
WIDTHS = st.sampled_from((None, 1, 2, 3))


@cache
def one_in(n):
    return st.sampled_from([False] * (n - 1) + [True])


@cache
def index_sets(n, minimum, maximum):
    sizes = range(min(minimum, n), min(maximum, n) + 1)
    return st.sampled_from([c for k in sizes for c in itertools.combinations(range(n), k)])


def subset(draw, elements, *, minimum=0, maximum=3):
    chosen = draw(index_sets(len(elements), minimum, maximum))
    return tuple(elements[i] for i in chosen)


def pick(draw, elements):
    return elements[draw(NUMBERS[len(elements) - 1])] if len(elements) > 1 else elements[0]


def steps(draw, kind, effects, action_names=(), mutable_sources=()):
    found = []
    if kind.has_clock and draw(BOOLS):
        found.append(Advance(pick(draw, (1, 2, 4)), draw(WHENS)))
    found += [Mutate(i, draw(WHENS)) for i in mutable_sources if draw(BOOLS)]
    for i, effect in enumerate(effects):
        if isinstance(effect, Transition):
            found.append(Enter(i, draw(WHENS)))
        elif effect.name in action_names and effect.child is None:
            found.append(Schedule(i, draw(DELAYS), draw(WHENS)))
            if draw(one_in(5)):
                found.append(Cancel(i, draw(WHENS)))
        else:
            for _ in range(1 + draw(one_in(3))):
                is_list = kind.mutable and draw(BOOLS)
                found.append(Set(i, draw(NUMBERS[5]), draw(WHENS), is_list))
    return tuple(found)


def some_modes(draw):
    """Two or three modes, of which the first is the initial one."""
    names = ("red", "green", "blue")[: 3 - draw(BOOLS)]
    return tuple(Mode(name, is_initial=name == "red") for name in names)


def transitions(draw, modes, *, minimum=0):
    chosen = subset(draw, [m.name for m in modes], minimum=minimum, maximum=2)
    return tuple(Transition(name, draw(BOOLS)) for name in chosen)


def toggle(draw, modes):
    """A timer and a reaction that changes between two of the modes at its ticks."""
    names = subset(draw, [m.name for m in modes], minimum=2, maximum=2)
    timer = Timer("beat", 1, pick(draw, (4, 5, 7)))
    effects = tuple(Transition(name, draw(BOOLS)) for name in reversed(names))
    body = (Enter(0, When(12, 2, 0)), Enter(1, When(12, 2, 1)))
    return (timer,), (Reaction("toggle", (Ref("beat"),), (), effects, body),)


def reaction(draw, kind, name, triggers, uses, effects, *, mode=None, action_names=(), mutable=()):
    """One reaction with these declarations; mutable: the names of the mutable inputs."""
    sources = [ref for ref in (*triggers, *uses) if isinstance(ref, Ref)]
    mutable_sources = [
        i for i, ref in enumerate(sources) if ref.child is None and ref.name in mutable
    ]
    body = steps(draw, kind, effects, action_names, mutable_sources)
    deadline = handler = None
    if kind.deadlines and draw(one_in(3)):
        deadline = pick(draw, kind.deadlines)
        if draw(BOOLS):
            handler = steps(draw, kind, effects, action_names, mutable_sources)
    return Reaction(name, triggers, uses, effects, body, mode, deadline, handler)


def inputs(draw, kind, width):
    def is_mutable():
        return kind.mutable and draw(BOOLS)

    return (Port("inp", width, is_mutable()), Port("back", None, is_mutable()))


def cell(draw, kind, name, widths=None, *, is_inside=False):
    """A reactor with inputs `inp` and `back` (for loops), an output `out`, some reactions.

    widths: of `inp` and `out`; is_inside: it is a child in a mode.
    """
    width, out_width = widths or (draw(WIDTHS), draw(WIDTHS))
    modes = some_modes(draw) if kind.modes and draw(BOOLS) else ()
    mode_names = (None, *(m.name for m in modes))

    def some_of(table, name):
        for i in range(max(draw(NUMBERS[2]), len(modes) > 0)):
            # The first timer and the first action of a modal reactor are in a mode.
            names = mode_names[1:] if modes and i == 0 else mode_names
            yield replace(draw(table), name=f"{name}{i}", mode=pick(draw, names))

    action_specs, timer_specs = tuple(some_of(ACTIONS, "act")), tuple(some_of(TIMERS, "timer"))
    input_specs = inputs(draw, kind, width)
    mutable = [p.name for p in input_specs if p.is_mutable]
    found = []
    for i in range(1 + draw(NUMBERS[3])):
        # The first one can always run, or at least while the program is young.
        mode = pick(draw, mode_names if i else mode_names[:2])
        acts = [Ref(a.name) for a in action_specs if a.mode in (None, mode)]
        ticks = [Ref(t.name) for t in timer_specs if t.mode in (None, mode)]
        readable = [Ref("inp"), Ref("back"), *ticks, *acts]
        special = [STARTUP, SHUTDOWN] + [RESET] * (is_inside or mode is not None)
        triggers = subset(draw, [*special, *readable], minimum=1)
        uses = subset(draw, [ref for ref in readable if ref not in triggers], maximum=2)
        if SHUTDOWN in triggers and (is_inside or mode is not None):
            acts = []  # an inactive mode's time stands still; what a delay means then, no rule says
        effects = subset(draw, [Ref("out"), *acts], minimum=i == 0)
        effects += transitions(draw, modes, minimum=i == 0) if modes else ()
        found.append(
            reaction(draw, kind, f"r{i}", triggers, uses, effects, mode=mode, mutable=mutable,
                     action_names=[ref.name for ref in acts])
        )  # fmt: skip
    beat, toggling = toggle(draw, modes) if modes and draw(BOOLS) else ((), ())
    return Reactor(
        name, input_specs, (Port("out", out_width),), action_specs, (*timer_specs, *beat),
        (*found, *toggling), modes=modes,
    )  # fmt: skip


def wrapped(draw, kind, cell):
    """The cell in a reactor that passes its ports through, the output with a delay or without."""
    is_enclave = kind.enclaves and draw(BOOLS)
    delays = [None, None, draw(MAYBE_TIMES)]
    if is_enclave:
        delays = [draw(ANY_TIMES) for _ in range(3)]
    return Reactor(
        cell.name + "Box", cell.inputs, cell.outputs,
        children=(Child("cell", cell, is_enclave=is_enclave),),
        connections=(
            Connection((Ref("inp"),), (Ref("inp", "cell"),), delays[0]),
            Connection((Ref("back"),), (Ref("back", "cell"),), delays[1]),
            Connection((Ref("out", "cell"),), (Ref("out"),), delays[2]),
        ),
    )  # fmt: skip


def modal_box(draw, kind, name):
    """A reactor with cells in its modes, that share its input and write its one output in turn."""
    widths = draw(WIDTHS), draw(WIDTHS)
    is_even = widths[0] == widths[1]
    modes = some_modes(draw)
    children, connections, own, late = [], [], [], []
    free = None
    if draw(one_in(3)):
        free = Child("free", cell(draw, kind, f"{name}Free", widths))
        children.append(free)
        connections.append(Connection((Ref("inp"),), (Ref("inp", "free"),)))
    for i, mode in enumerate(modes):
        after = draw(MAYBE_TIMES)
        if i > 0 and is_even and draw(one_in(3)):
            connections.append(Connection((Ref("inp"),), (Ref("out"),), after, mode=mode.name))
            continue
        inner = f"in{i}"
        spec = cell(draw, kind, f"{name}In{i}", widths, is_inside=True)
        children.append(Child(inner, spec, mode=mode.name))
        source = Ref("inp")
        if free is not None and is_even and draw(BOOLS):
            source = Ref("out", "free")
        into = draw(MAYBE_TIMES)
        connections += [
            Connection((source,), (Ref("inp", inner),), into, mode=mode.name),
            Connection((Ref("out", inner),), (Ref("out"),), after, mode=mode.name),
        ]
        if draw(BOOLS):
            connections.append(Connection((Ref("back"),), (Ref("back", inner),), mode=mode.name))
        if draw(one_in(3)):
            effects = transitions(draw, modes, minimum=1)
            triggers = (Ref("out", inner), *subset(draw, [RESET, STARTUP], maximum=1))
            late.append(reaction(draw, kind, f"seen{i}", triggers, (), effects, mode=mode.name))
    timer = replace(draw(TIMERS), name="tick")
    for i in range(1 + draw(BOOLS)):
        mode = pick(draw, (None, *(m.name for m in modes))) if i else None
        special = [STARTUP, SHUTDOWN] + [RESET] * (mode is not None)
        triggers = subset(draw, [Ref("tick"), Ref("inp"), Ref("back"), *special], minimum=1)
        effects = transitions(draw, modes, minimum=1)
        own.append(reaction(draw, kind, f"switch{i}", triggers, (), effects, mode=mode))
    beat, toggling = toggle(draw, modes) if draw(BOOLS) else ((), ())
    return Reactor(
        name, inputs(draw, kind, widths[0]), (Port("out", widths[1]),), (), (timer, *beat),
        (*toggling, *own, *late), tuple(children), tuple(connections), modes,
    )  # fmt: skip


def some(draw, elements, n):
    """Up to n of the elements, in their order."""
    return tuple(dict.fromkeys(pick(draw, elements) for _ in range(n)))


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


def wiring(draw, kind, child, earlier):
    """How `inp` is fed: [Connection], and (triggers, effects) of a parent's reaction or None."""
    name, n = child.name, child.members
    into = channels(child, "inp")
    sources = [c for other in earlier for c in channels(other, "out")]
    fitting = [other for other in earlier if len(channels(other, "out")) == len(into)]
    ways = ["nothing", "each", "bank", "broadcast", "reaction"]
    way = pick(draw, ways + ["each", "broadcast"] * (3 * kind.mutable))
    if way == "nothing" or not sources or (way == "bank" and not fitting):
        return [], None
    enclaves = {other.name for other in (child, *earlier) if other.is_enclave}
    if way == "reaction":
        if enclaves:
            sources = [c for c in sources if c.child not in enclaves]
        if not sources or name in enclaves:
            return [], None
        triggers = some(draw, sources, 1 + draw(NUMBERS[2]))
        return [], (triggers, (Ref("inp", name),))
    after = None if draw(BOOLS) else draw(MAYBE_TIMES)
    whole = (Ref("inp", name, is_interleaved=n is not None and draw(BOOLS)),)
    if way == "bank":
        other = pick(draw, fitting)
        is_interleaved = other.members is not None and draw(BOOLS)
        chosen, is_broadcast = (Ref("out", other.name, is_interleaved=is_interleaved),), False
    elif way == "broadcast":
        chosen, is_broadcast = (pick(draw, sources),), True
    else:
        chosen, is_broadcast = tuple(pick(draw, sources) for _ in into), False
    if after is None and enclaves & {name, *(c.child for c in chosen)}:
        after = draw(ANY_TIMES)
    return [Connection(chosen, whole, after, is_broadcast)], None


@st.composite
def programs(draw, kind=PLAIN):
    """A whole program; with a periodic timer it ends at a timeout only."""
    children, connections, main_reactions, sources = [], [], [], []
    for i in range(1 + draw(NUMBERS[4])):
        make = modal_box if kind.modes and draw(one_in(3)) else cell
        spec = make(draw, kind, f"Cell{i}")
        if draw(one_in(5)):
            spec = wrapped(draw, kind, spec)
        n = draw(WIDTHS)
        child = Child(f"c{i}", spec, n, is_enclave=kind.enclaves and draw(BOOLS))
        more, declared = wiring(draw, kind, child, children)
        connections += more
        if declared is not None:
            triggers, effects = declared
            main_reactions.append(reaction(draw, kind, f"main{i}", triggers, (), effects))
        children.append(child)
        sources += channels(child, "out")
    for child in children:
        if draw(one_in(3)):
            backs = channels(child, "back")
            chosen = tuple(pick(draw, sources) for _ in backs)
            connections.append(Connection(chosen, tuple(backs), draw(ANY_TIMES)))
    main = Reactor(
        "Main", (), (), (), (), tuple(main_reactions), tuple(children), tuple(connections)
    )
    if kind.may_stop and draw(one_in(6)):
        main = with_step(draw, main, Stop)
    if kind.may_raise and draw(one_in(6)):
        main = with_step(draw, main, Raise)
    return main


def has_period(reactor):
    own = any(timer.period for timer in reactor.timers)
    return own or any(has_period(child.reactor) for child in reactor.children)


@st.composite
def endings(draw, main):
    """{timeout, keepalive} with which the program ends."""
    timeout = pick(draw, (40, 40, 40, 15, 0))
    if not has_period(main) and draw(BOOLS):
        return {"timeout": None, "keepalive": False}
    return {"timeout": timeout, "keepalive": draw(BOOLS)}


def with_step(draw, main, kind_of_step):
    """The program with one more step in one reaction of one cell, of each member of a bank.

    Without it, if that would not stop all enclaves: where the others are then, speed decides.
    """
    at = draw(NUMBERS[len(main.children) - 1])
    if any(child.is_enclave for child in main.children):
        main = feeding_all(draw, main, at)
    step = kind_of_step(draw(NUMBERS[4]))

    def added(reactor):
        if reactor.children and (not reactor.reactions or draw(BOOLS)):
            inner = draw(NUMBERS[len(reactor.children) - 1])
            return with_child(reactor, inner)
        i = draw(NUMBERS[len(reactor.reactions) - 1])
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


def feeding_all(draw, main, at):
    """The program with this cell in Main's own enclave, and a way from it to all others."""
    children = list(main.children)
    children[at] = replace(children[at], is_enclave=False)
    fed = {ref.child for c in main.connections for ref in c.destinations if ref.name == "back"}
    source = channels(children[at], "out")[:1]
    more = [
        Connection(tuple(source), (Ref("back", child.name),), draw(ANY_TIMES), is_broadcast=True)
        for child in children
        if child.name not in fed
    ]
    return replace(main, children=tuple(children), connections=(*main.connections, *more))
