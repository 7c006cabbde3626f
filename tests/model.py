"""Programs as data: tests/reference.py interprets them, `RealProgram` makes them reactor classes.

A body is a list of steps that depend on what the body reads and on how often it ran, and on nothing
else, so that one text runs in both worlds. Steps are bounded by their `limit`: every program ends.
"""

import zlib
from dataclasses import MISSING, dataclass, fields
from types import MethodType

STARTUP, SHUTDOWN = "startup", "shutdown"
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


@dataclass(frozen=True, repr=False)
class Action(Part):
    name: str
    min_delay: int = 0
    min_spacing: int | None = None
    policy: str = "defer"


@dataclass(frozen=True, repr=False)
class Timer(Part):
    name: str
    offset: int = 0
    period: int = 0


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
    effects: tuple[Ref, ...] = ()
    steps: tuple = ()


@dataclass(frozen=True, repr=False)
class Connection(Part):
    sources: tuple[Ref, ...]
    destinations: tuple[Ref, ...]
    after: int | None = None
    is_broadcast: bool = False


@dataclass(frozen=True, repr=False)
class Reactor(Part):
    name: str
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    actions: tuple[Action, ...] = ()
    timers: tuple[Timer, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    children: tuple[
        tuple[str, "Reactor", int | None], ...
    ] = ()  # (name, what, members of a bank or None)
    connections: tuple[Connection, ...] = ()

    def all_reactions(self):
        yield from self.reactions
        for _, child, _ in self.children:
            yield from child.all_reactions()

    def has_step(self, kind):
        return any(isinstance(step, kind) for r in self.all_reactions() for step in r.steps)


class Boom(Exception):
    """What a Raise step raises: (path of the reactor, name of the reaction)."""


class Memory:
    """The state variables of one reactor."""

    def __init__(self):
        self.digest = 0
        self.counts = {}
        self.handles = {}


def perform(reaction, world, memory):
    """Run one body. `world` reads, writes, schedules and records for one reactor at one tag."""
    count = memory.counts.get(reaction.name, 0)
    memory.counts[reaction.name] = count + 1
    seen = tuple(
        world.read(ref) for ref in (*reaction.triggers, *reaction.uses) if isinstance(ref, Ref)
    )
    memory.digest = zlib.crc32(repr((memory.digest, reaction.name, seen)).encode())
    value = {0: None, 1: False, 2: 0}.get(memory.digest % 16, memory.digest)
    done = []
    for step in reaction.steps:
        match step:
            case Set(effect, channel, when) if when(count):
                world.set(reaction.effects[effect], channel, value)
                if reaction.effects[effect].child is None:
                    done.append(world.read(reaction.effects[effect]))
            case Schedule(effect, delays, when) if when(count):
                name = reaction.effects[effect].name
                for i, delay in enumerate(delays):
                    handle = world.schedule(name, (value, i), delay)
                    memory.handles.setdefault(name, []).append(handle)
                    done.append(world.handle_tag(handle))
            case Cancel(effect, when) if when(count):
                handles = memory.handles.get(reaction.effects[effect].name)
                done.append(world.cancel(handles.pop()) if handles else "nothing")
            case Stop(at) if at == count:
                world.request_stop()
    world.record((reaction.name, seen, tuple(done)))
    if any(isinstance(step, Raise) and step.at == count for step in reaction.steps):
        raise Boom(world.path, reaction.name)


class RuntimeWorld:
    """The world of a body that runs as a real reaction of `reactor`."""

    def __init__(self, program, reactor):
        self.program, self.reactor, self.path = program, reactor, reactor.path

    def read(self, ref):
        element = live(self.reactor, ref)
        if isinstance(element, list):
            return tuple(read_one(channel) for channel in element)
        if hasattr(element, "present"):
            channels = tuple(read_one(channel) for channel in element)
            present = tuple(i for i, value in enumerate(channels) if value != ABSENT)
            assert tuple(channel.index for channel in element.present()) == present
            assert element.is_present is bool(present)
            return channels
        return read_one(element)

    def set(self, ref, channel, value):
        element = live(self.reactor, ref)
        channels = [element] if hasattr(element, "set") else list(element)
        channels[channel % len(channels)].set(value)

    def schedule(self, name, value, delay):
        return getattr(self.reactor, name).schedule(value, delay=delay)

    def handle_tag(self, handle):
        if not self.program.shows_handles:
            return None
        return None if handle.tag is None else (handle.tag.time, handle.tag.microstep)

    def cancel(self, handle):
        return handle.cancel()

    def request_stop(self):
        self.reactor.request_stop()

    def record(self, entry):
        tag = self.reactor.tag
        self.program.rows.append(((tag.time, tag.microstep), self.path, entry))


def read_one(element):
    """What an element shows: a value or ABSENT; of a timer, whether it is present."""
    if type(element).__name__ == "Timer":
        return element.is_present
    return element.value if element.is_present else ABSENT


def live(reactor, ref):
    """The real element, or list of channels, that `ref` names in `reactor`."""
    import reactorrl as rr

    owner = reactor if ref.child is None else getattr(reactor, ref.child)
    if ref.member is not None:
        owner = owner[ref.member]
    element = getattr(owner, ref.name)
    if ref.channel is not None:
        return element[ref.channel]
    return list(rr.interleaved(element)) if ref.is_interleaved else element


class RealProgram:
    """The reactor classes of a described program, and the trace of its last run."""

    def __init__(self, spec, pause=lambda: None):
        self.spec, self.pause = spec, pause
        self.shows_handles = not spec.has_step(Stop)
        self.rows = []
        self._classes = {}

    def main(self):
        self.rows = []
        return self.reactor_class(self.spec)()

    def trace(self):
        """The rows by tag and path; those of one reactor at one tag stay in order."""
        return sorted(self.rows, key=lambda row: row[:2])

    def body(self, reaction):
        def body(self_):
            self.pause()
            perform(reaction, RuntimeWorld(self, self_), self_.memory)

        body.__name__ = reaction.name
        return body

    def reactor_class(self, spec):
        import reactorrl as rr

        if spec in self._classes:
            return self._classes[spec]
        members = {}
        members.update({p.name: rr.Input(width=p.width) for p in spec.inputs})
        members.update({p.name: rr.Output(width=p.width) for p in spec.outputs})
        for a in spec.actions:
            with_policy = (
                {} if a.min_spacing is None else {"min_spacing": a.min_spacing, "policy": a.policy}
            )
            members[a.name] = rr.LogicalAction(a.min_delay, **with_policy)
        members.update({t.name: rr.Timer(t.offset, t.period) for t in spec.timers})
        special = {STARTUP: rr.startup, SHUTDOWN: rr.shutdown}

        def declared(refs, find):
            return [special[ref] if isinstance(ref, str) else find(ref) for ref in refs]

        # Reactions that name elements of children can only be added in __init__, after the others.
        own = [r for r in spec.reactions if not names_children(r)]
        late = spec.reactions[len(own) :]
        assert tuple(own) == spec.reactions[: len(own)], (
            "a reaction on children precedes one without"
        )
        for r in own:
            triggers, uses, effects = (
                declared(refs, lambda ref: members[ref.name])
                for refs in (r.triggers, r.uses, r.effects)
            )
            members[r.name] = rr.reaction(*triggers, uses=uses, effects=effects)(self.body(r))

        def build(self_):
            self_.memory = Memory()
            for name, child, n in spec.children:
                cls = self.reactor_class(child)
                setattr(self_, name, cls() if n is None else rr.Bank(n, cls))
            for c in spec.connections:
                sources, destinations = (
                    [live(self_, ref) for ref in refs] for refs in (c.sources, c.destinations)
                )
                self_.connect(sources, destinations, after=c.after, broadcast=c.is_broadcast)
            for r in late:
                triggers, uses, effects = (
                    declared(refs, lambda ref: live(self_, ref))
                    for refs in (r.triggers, r.uses, r.effects)
                )
                self_.add_reaction(
                    MethodType(self.body(r), self_), triggers=triggers, uses=uses, effects=effects
                )

        members["__init__"] = build
        self._classes[spec] = type(spec.name, (rr.Reactor,), members)
        return self._classes[spec]


def names_children(reaction):
    return any(
        isinstance(ref, Ref) and ref.child is not None
        for ref in (*reaction.triggers, *reaction.uses, *reaction.effects)
    )
