"""The reactor classes of a described program (tests/model.py), and what a run of them shows."""

from contextlib import nullcontext
from types import MethodType

from model import (
    ABSENT,
    RESET,
    SHUTDOWN,
    STARTUP,
    Memory,
    Originals,
    Ref,
    Stop,
    Transition,
    perform,
)

import reactorrl as rr


class RuntimeWorld:
    """The world of a body that runs as a real reaction of `reactor`."""

    def __init__(self, program, spec, reactor):
        self.program, self.spec = program, spec
        self.reactor, self.path = reactor, reactor.path
        self.original, self.is_original = program.originals.original, program.originals.is_original

    def modes(self):
        return [getattr(self.reactor, mode.name).is_active for mode in self.spec.modes]

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

    def enter(self, transition):
        getattr(self.reactor, transition.mode).set()

    def advance(self, ns):
        self.program.clock.advance(ns)
        return self.reactor.physical_elapsed(), self.reactor.lag()

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
    """The real element, or list of channels, or mode, that `ref` names in `reactor`."""
    if isinstance(ref, Transition):
        mode = getattr(reactor, ref.mode)
        return rr.history(mode) if ref.is_history else mode
    owner = reactor if ref.child is None else getattr(reactor, ref.child)
    if ref.member is not None:
        owner = owner[ref.member]
    element = getattr(owner, ref.name)
    if ref.channel is not None:
        return element[ref.channel]
    return list(rr.interleaved(element)) if ref.is_interleaved else element


class RealProgram:
    """The reactor classes of a described program, and the trace of its last run."""

    def __init__(self, spec, pause=lambda: None, clock=None):
        self.spec, self.pause, self.clock = spec, pause, clock
        self.shows_handles = not spec.has_step(Stop)
        self._classes = {}
        self.rows, self.originals = [], Originals()

    def main(self):
        self.rows, self.originals = [], Originals()
        return self.reactor_class(self.spec)()

    def trace(self):
        """The rows by tag and path; those of one reactor at one tag stay in order."""
        return sorted(self.rows, key=lambda row: row[:2])

    def body(self, spec, reaction, *, is_late=False):
        def body(self_):
            self.pause()
            perform(reaction, RuntimeWorld(self, spec, self_), self_.memory, is_late=is_late)

        body.__name__ = reaction.name + "_late" * is_late
        return body

    def reactor_class(self, spec):
        if spec not in self._classes:
            self._classes[spec] = self.make_class(spec)
        return self._classes[spec]

    def make_class(self, spec):
        members = {m.name: rr.Mode(initial=True) if m.is_initial else rr.Mode() for m in spec.modes}

        def inside(mode):
            return nullcontext() if mode is None else members[mode]

        for p in spec.inputs:
            options = {"mutable": True} if p.is_mutable else {}
            members[p.name] = rr.Input(width=p.width, **options)
        members.update({p.name: rr.Output(width=p.width) for p in spec.outputs})
        for a in spec.actions:
            with_policy = (
                {} if a.min_spacing is None else {"min_spacing": a.min_spacing, "policy": a.policy}
            )
            with inside(a.mode):
                members[a.name] = rr.LogicalAction(a.min_delay, **with_policy)
        for t in spec.timers:
            with inside(t.mode):
                members[t.name] = rr.Timer(t.offset, t.period)

        def own_element(ref):
            if isinstance(ref, Transition):
                return rr.history(members[ref.mode]) if ref.is_history else members[ref.mode]
            return members[ref.name]

        # Reactions that name elements of children can only be added in __init__, after the others.
        own = [r for r in spec.reactions if not names_children(r)]
        late = spec.reactions[len(own) :]
        assert tuple(own) == spec.reactions[: len(own)], (
            "a reaction on children precedes one without"
        )
        for r in own:
            options = {} if r.deadline is None else {"deadline": r.deadline}
            with inside(r.mode):
                declared = declare(r, own_element)
                triggers = declared.pop("triggers")
                members[r.name] = rr.reaction(*triggers, **declared, **options)(self.body(spec, r))
                if r.handler is not None:
                    handler = self.body(spec, r, is_late=True)
                    members[f"{r.name}_late"] = members[r.name].on_deadline_miss(handler)

        def build(self_):
            self_.memory = Memory()

            def inside(mode):
                return nullcontext() if mode is None else getattr(self_, mode)

            for child in spec.children:
                cls = self.reactor_class(child.reactor)
                with inside(child.mode):
                    made = cls() if child.members is None else rr.Bank(child.members, cls)
                    setattr(self_, child.name, rr.enclave(made) if child.is_enclave else made)
            for c in spec.connections:
                sources, destinations = (
                    [live(self_, ref) for ref in refs] for refs in (c.sources, c.destinations)
                )
                with inside(c.mode):
                    self_.connect(sources, destinations, after=c.after, broadcast=c.is_broadcast)
            for r in late:
                options = {} if r.deadline is None else {"deadline": r.deadline}
                if r.handler is not None:
                    handler = MethodType(self.body(spec, r, is_late=True), self_)
                    options["on_deadline_miss"] = handler
                with inside(r.mode):
                    self_.add_reaction(
                        MethodType(self.body(spec, r), self_),
                        **declare(r, lambda ref: live(self_, ref)),
                        **options,
                    )

        members["__init__"] = build
        return type(spec.name, (rr.Reactor,), members)


def declare(reaction, find):
    """The declarations of a reaction, with what `find` makes of each Ref and Transition."""
    special = {STARTUP: "startup", SHUTDOWN: "shutdown", RESET: "reset"}

    def found(refs):
        return [getattr(rr, special[r]) if isinstance(r, str) else find(r) for r in refs]

    return {
        "triggers": found(reaction.triggers),
        "uses": found(reaction.uses),
        "effects": found(reaction.effects),
    }


def names_children(reaction):
    return any(
        isinstance(ref, Ref) and ref.child is not None
        for ref in (*reaction.triggers, *reaction.uses, *reaction.effects)
    )
