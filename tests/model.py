"""Programs as data: tests/reference.py interprets them, tests/real.py makes them reactor classes.

A body is a list of steps that depend on what the body reads and on how often it ran, and on nothing
else, so that one text runs in both worlds. Steps are bounded by their `limit`: every program ends.
"""

import zlib
from dataclasses import MISSING, dataclass, fields

STARTUP, SHUTDOWN, RESET = "startup", "shutdown", "reset"
ABSENT = "absent"


class Part:
    """Prints without the fields that have their default: a failing program is read by people."""

    def __repr__(self):
        shown = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if f.default is MISSING or getattr(self, f.name) != f.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_pretty_(self, printer, cycle):  # what Hypothesis prints
        printer.text(repr(self))


@dataclass(frozen=True, repr=False)
class Ref(Part):
    """An element as a reactor names it: its own, or one of a child's (all members of a bank)."""

    name: str
    child: str | None = None
    member: int | None = None
    channel: int | None = None
    is_interleaved: bool = False


@dataclass(frozen=True, repr=False)
class Port(Part):
    name: str
    width: int | None = None
    is_mutable: bool = False


@dataclass(frozen=True, repr=False)
class Mode(Part):
    name: str
    is_initial: bool = False


@dataclass(frozen=True, repr=False)
class Transition(Part):
    """An effect: the mode that an Enter step may make the next one."""

    mode: str
    is_history: bool = False

    child = None  # as in Ref: a mode is always the reactor's own


@dataclass(frozen=True, repr=False)
class Action(Part):
    name: str
    min_delay: int = 0
    min_spacing: int | None = None
    policy: str = "defer"
    mode: str | None = None


@dataclass(frozen=True, repr=False)
class Timer(Part):
    name: str
    offset: int = 0
    period: int = 0
    mode: str | None = None


@dataclass(frozen=True, repr=False)
class When(Part):
    """Whether a step is done in the `count`-th run of its reaction."""

    limit: int = 1_000_000
    every: int = 1
    phase: int = 0

    def __call__(self, count):
        return count < self.limit and count % self.every == self.phase % self.every


@dataclass(frozen=True, repr=False)
class Set(Part):
    effect: int  # which of the reaction's effects
    channel: int = 0  # of all channels that the effect names, modulo their number
    when: When = When()
    is_list: bool = False  # sends a list, that a reader with a mutable input may change


@dataclass(frozen=True, repr=False)
class Schedule(Part):
    effect: int
    delays: tuple[int, ...] = (0,)
    when: When = When()


@dataclass(frozen=True, repr=False)
class Cancel(Part):
    effect: int
    when: When = When()


@dataclass(frozen=True, repr=False)
class Enter(Part):
    """Sets the mode of a Transition."""

    effect: int
    when: When = When()


@dataclass(frozen=True, repr=False)
class Mutate(Part):
    """Changes the lists just read; `source` counts the triggers and uses that are elements."""

    source: int
    when: When = When()


@dataclass(frozen=True, repr=False)
class Advance(Part):
    """The body takes so many ns of the virtual clock."""

    ns: int
    when: When = When()


@dataclass(frozen=True, repr=False)
class Stop(Part):
    at: int


@dataclass(frozen=True, repr=False)
class Raise(Part):
    at: int


@dataclass(frozen=True, repr=False)
class Reaction(Part):
    name: str
    triggers: tuple[Ref | str, ...]
    uses: tuple[Ref, ...] = ()
    effects: tuple[Ref | Transition, ...] = ()
    steps: tuple = ()
    mode: str | None = None
    deadline: int | None = None
    handler: tuple | None = None  # the steps of the deadline's handler

    @property
    def sources(self):
        return [ref for ref in (*self.triggers, *self.uses) if isinstance(ref, Ref)]


@dataclass(frozen=True, repr=False)
class Connection(Part):
    sources: tuple[Ref, ...]
    destinations: tuple[Ref, ...]
    after: int | None = None
    is_broadcast: bool = False
    mode: str | None = None


@dataclass(frozen=True, repr=False)
class Child(Part):
    name: str
    reactor: "Reactor"
    members: int | None = None  # of a bank
    mode: str | None = None
    is_enclave: bool = False  # each member of a bank is one


@dataclass(frozen=True, repr=False)
class Reactor(Part):
    name: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    actions: tuple[Action, ...] = ()
    timers: tuple[Timer, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    children: tuple[Child, ...] = ()
    connections: tuple[Connection, ...] = ()
    modes: tuple[Mode, ...] = ()

    def all_reactions(self):
        yield from self.reactions
        for child in self.children:
            yield from child.reactor.all_reactions()

    def has_step(self, kind):
        return any(
            isinstance(step, kind)
            for r in self.all_reactions()
            for step in (*r.steps, *(r.handler or ()))
        )


class Boom(Exception):
    """What a Raise step raises: (path of the reactor, name of the reaction)."""


class Memory:
    """The state variables of one reactor."""

    def __init__(self):
        self.digest = 0
        self.counts = {}
        self.handles = {}


def perform(reaction, world, memory, *, is_late=False):
    """Run one body, or the deadline's handler. `world` acts for one reactor at one tag."""
    name, steps = reaction.name, reaction.steps
    if is_late:
        name, steps = f"{name} late", reaction.handler
    count = memory.counts.get(name, 0)
    memory.counts[name] = count + 1
    seen = (*world.modes(), *(show(world, world.read(ref)) for ref in reaction.sources))
    memory.digest = zlib.crc32(repr((memory.digest, name, seen)).encode())
    value = {0: None, 1: False, 2: 0}.get(memory.digest % 16, memory.digest)
    done = []
    for step in steps:
        match step:
            case Set(effect, channel, when, is_list) if when(count):
                sent = world.original([value]) if is_list else value
                world.set(reaction.effects[effect], channel, sent)
                if reaction.effects[effect].child is None:
                    done.append(show(world, world.read(reaction.effects[effect])))
            case Schedule(effect, delays, when) if when(count):
                action = reaction.effects[effect].name
                for i, delay in enumerate(delays):
                    handle = world.schedule(action, (value, i), delay)
                    memory.handles.setdefault(action, []).append(handle)
                    done.append(world.handle_tag(handle))
            case Cancel(effect, when) if when(count):
                handles = memory.handles.get(reaction.effects[effect].name)
                done.append(world.cancel(handles.pop()) if handles else "nothing")
            case Enter(effect, when) if when(count):
                world.enter(reaction.effects[effect])
            case Mutate(source, when) if when(count):
                read = world.read(reaction.sources[source])
                for found in read if isinstance(read, tuple) else (read,):
                    if isinstance(found, list):
                        found.append(value)
                done.append(show(world, world.read(reaction.sources[source])))
            case Advance(ns, when) if when(count):
                done.append(world.advance(ns))
            case Stop(at) if at == count:
                world.request_stop()
    world.record((name, seen, tuple(done)))
    if any(isinstance(step, Raise) and step.at == count for step in steps):
        raise Boom(world.path, name)


def show(world, read):
    """What was read, as it is now: of a list also whether it is the very object that was set."""
    if isinstance(read, list):
        return ("original" if world.is_original(read) else "copy", *read)
    if isinstance(read, tuple):
        return tuple(show(world, value) for value in read)
    return read


class Originals:
    """The lists that were set, by identity; it keeps them alive, so that no other gets their id."""

    def __init__(self):
        self._by_id = {}

    def original(self, value):
        self._by_id[id(value)] = value
        return value

    def is_original(self, value):
        return id(value) in self._by_id
