"""A plain sequential interpreter of reactor semantics: the oracle of tests/test_determinism.py.

It follows the rules as literally as it can and as naively as it may: no levels but those needed to
say where a program stops when a body raises, no queues but dictionaries.
"""

from dataclasses import dataclass, field
from functools import cache
from math import inf

import model
from model import ABSENT, SHUTDOWN, STARTUP, Ref

MAX_TIME = 2**63 - 1


def later(tag, delay):
    """The tag that `delay` after `tag` means: 0 is one microstep, more resets the microstep."""
    time, microstep = tag
    if delay == 0:
        return (time, microstep + 1)
    if time + delay >= MAX_TIME:
        raise OverflowError("past the end of time")
    return (time + delay, 0)


@dataclass
class Outcome:
    trace: list
    stop_tag: tuple[int, int]
    n_reactions: int
    n_events: int
    n_tags: int
    errors: list = field(
        default_factory=list
    )  # (path, reaction) of every body that raised, in static order


class Event:
    """A pending event of an action; also the handle of it. tag None: dropped."""

    def __init__(self, tag, value):
        self.tag, self.value = tag, value


class ActionQueue:
    """The pending events of one action, or of one delayed connection, and the spacing policy."""

    def __init__(self, spec):
        self.spec = spec
        self.pending = {}  # tag -> Event
        self.last = None  # the tag last given to an event, handled, cancelled or not
        self.is_cut = False  # an event was dropped because it came past the stop tag

    def schedule(self, now, stop, delay, value):
        spec = self.spec
        tag, floor, removed = later(now, spec.min_delay + delay), now, None
        if spec.min_spacing is not None and self.last is not None:
            earliest = self.last[0] + spec.min_spacing
            is_early = earliest > tag[0] or (earliest == tag[0] and spec.min_spacing == 0)
            is_pending = self.last in self.pending
            if is_early and spec.policy == "drop":
                return Event(None, value)
            if is_early and spec.policy == "replace" and is_pending:
                self.pending[self.last].value = value
                return self.pending[self.last]
            if is_early and spec.policy == "update":
                removed = self.pending.pop(self.last, None)
            elif is_early:
                tag, floor = (earliest, 0), max(now, self.last)
        while tag in self.pending or tag <= floor:
            tag = (tag[0], tag[1] + 1)
        if tag > stop:
            self.is_cut = True
            if removed is not None:  # a dropped call has no effect
                self.pending[removed.tag] = removed
            return Event(None, value)
        self.last = tag
        self.pending[tag] = Event(tag, value)
        return self.pending[tag]

    def cancel(self, event):
        if event.tag is None or self.pending.get(event.tag) is not event:
            return False
        del self.pending[event.tag]
        return True


class TimerQueue:
    def __init__(self, spec):
        self.spec = spec
        self.pending = {(spec.offset, 0): Event((spec.offset, 0), True)}
        self.is_cut = False

    def rearm(self, tag):
        if self.spec.period:
            following = later(tag, self.spec.period)
            self.pending[following] = Event(following, True)


class Instance:
    """One reactor, elaborated. A port is (path, name, channel); other elements (path, name)."""

    def __init__(self, spec, path):
        self.spec, self.path = spec, path
        self.memory = model.Memory()
        self.ports = {p.name: [(path, p.name, i) for i in range(1 if p.width is None else p.width)]
                      for p in (*spec.inputs, *spec.outputs)}  # fmt: skip
        self.is_multiport = {p.name: p.width is not None for p in (*spec.inputs, *spec.outputs)}
        self.children = {}
        for name, child, n in spec.children:
            if n is None:
                self.children[name] = [Instance(child, f"{path}.{name}")]
            else:
                self.children[name] = [Instance(child, f"{path}.{name}[{i}]") for i in range(n)]

    def walk(self):
        """Depth first, in order of assignment and bank index: the static order."""
        yield self
        for members in self.children.values():
            for member in members:
                yield from member.walk()

    def channels(self, ref):
        owners = [self] if ref.child is None else self.children[ref.child]
        if ref.member is not None:
            owners = [owners[ref.member]]
        grid = [owner.ports[ref.name] for owner in owners]
        if ref.is_interleaved:
            grid = list(zip(*grid, strict=True))
        found = [channel for row in grid for channel in row]
        return found if ref.channel is None else [found[ref.channel]]

    def shows_tuple(self, ref):
        """Whether reading `ref` gives one value for each channel, rather than one value."""
        if ref.channel is not None:
            return False
        is_bank = ref.child is not None and ref.member is None and self.child_is_bank(ref.child)
        owner = self if ref.child is None else self.children[ref.child][0]
        return is_bank or owner.is_multiport[ref.name]

    def child_is_bank(self, name):
        return next(n for child, _, n in self.spec.children if child == name) is not None


class Reference:
    """Runs a described program. Also the world of the bodies that it runs (see model.perform)."""

    def __init__(self, spec, *, timeout=None, keepalive=False):
        self.main = Instance(spec, spec.name)
        self.keepalive = keepalive
        self.stop_tag = (inf, 0) if timeout is None else (timeout, 0)
        self.shows_handles = not spec.has_step(model.Stop)
        self.instances = list(self.main.walk())
        self.queues = {}
        for x in self.instances:
            self.queues.update({(x.path, a.name): ActionQueue(a) for a in x.spec.actions})
            self.queues.update({(x.path, t.name): TimerQueue(t) for t in x.spec.timers})
        self.now, self.delayed = (
            {},
            {},
        )  # port -> ports it feeds at the same tag; (port, delay) -> ports
        for x in self.instances:
            for c in x.spec.connections:
                self.connect(x, c)
        self.reactions = [(x, r) for x in self.instances for r in x.spec.reactions]
        self.levels = self.find_levels()
        self.trace = []
        self.n_reactions = self.n_events = self.n_tags = 0

    # -- the graph

    def connect(self, instance, c):
        sources = [s for ref in c.sources for s in instance.channels(ref)]
        destinations = [d for ref in c.destinations for d in instance.channels(ref)]
        if c.is_broadcast:
            sources *= len(destinations) // len(sources)
        for source, destination in zip(sources, destinations, strict=True):
            if c.after is None:
                self.now.setdefault(source, []).append(destination)
            else:
                # Connections that agree in source and delay are one event, as those of a broadcast.
                self.queues[source, c.after] = ActionQueue(model.Action("after", c.after))
                self.delayed.setdefault((source, c.after), []).append(destination)

    def reached(self, port):
        """The port and all that it feeds at the same tag."""
        found = [port]
        for destination in self.now.get(port, ()):
            found += self.reached(destination)
        return found

    def find_levels(self):
        """The length of the longest chain of reactions that must precede each."""
        before = {i: set() for i in range(len(self.reactions))}
        writers = {}
        for i, (x, r) in enumerate(self.reactions):
            if i and self.reactions[i - 1][0] is x:
                before[i].add(i - 1)
            for ref in r.effects:
                for port in x.channels(ref) if is_port(x, ref) else ():
                    for end in self.reached(port):
                        writers.setdefault(end, set()).add(i)
        for i, (x, r) in enumerate(self.reactions):
            for ref in (*r.triggers, *r.uses):
                if isinstance(ref, Ref) and is_port(x, ref):
                    for port in x.channels(ref):
                        before[i] |= {
                            j for j in writers.get(port, ()) if self.reactions[j][0] is not x
                        }

        @cache
        def level(i):
            return 1 + max((level(j) for j in before[i]), default=-1)

        return [level(i) for i in range(len(self.reactions))]

    # -- the loop

    def run(self):
        tag, errors = (0, 0), []
        while not errors:
            errors = self.process(tag)
            if errors or tag == self.stop_tag:
                break
            self.stop_tag = min(self.stop_tag, self.requested)
            pending = [t for q in self.queues.values() for t in q.pending]
            # Only who has nothing to come starves: an event past the timeout is one to come.
            is_cut = any(q.is_cut for q in self.queues.values())
            if pending or is_cut or (self.keepalive and self.stop_tag[0] != inf):
                tag = min([*pending, self.stop_tag])
            else:
                tag = self.stop_tag = min(self.stop_tag, later(tag, 0))
        paths = [(self.reactions[i][0].path, self.reactions[i][1].name) for i in sorted(errors)]
        trace = sorted(self.trace, key=lambda row: row[:2])
        return Outcome(trace, tag, self.n_reactions, self.n_events, self.n_tags, paths)

    def process(self, tag):
        """One tag. The indices of the reactions whose bodies raised."""
        self.tag, self.present, self.outgoing, self.requested = tag, {}, {}, (inf, 0)
        self.n_tags += 1
        for key, queue in self.queues.items():
            event = queue.pending.pop(tag, None)
            if event is not None:
                self.n_events += 1
                if isinstance(queue, TimerQueue):
                    queue.rearm(tag)
                for port in self.delayed.get(key, [key]):
                    self.put(port, event.value)
        errors, ran = [], set()
        for level in range(max(self.levels, default=-1) + 1):
            for i, (x, r) in enumerate(self.reactions):
                if self.levels[i] == level and any(self.is_present(x, t) for t in r.triggers):
                    self.run_body(i, ran, errors)
            if errors:
                break
        if errors:
            self.stop_tag = tag
            for i in sorted(range(len(self.reactions)), key=lambda i: self.levels[i]):
                if SHUTDOWN in self.reactions[i][1].triggers and i not in ran:
                    self.run_body(i, ran, errors)
        for source, value in self.outgoing.items():
            self.queues[source].schedule(tag, self.stop_tag, 0, value)
        return errors

    def run_body(self, i, ran, errors):
        self.instance, reaction = self.reactions[i]
        self.path = self.instance.path
        ran.add(i)
        self.n_reactions += 1
        try:
            model.perform(reaction, self, self.instance.memory)
        except model.Boom:
            errors.append(i)

    def put(self, port, value):
        for end in self.reached(port):
            self.present[end] = value
            for delay in self.delayed:
                if delay[0] == end:
                    self.outgoing[delay] = value

    def is_present(self, x, trigger):
        if isinstance(trigger, str):
            return self.tag == {STARTUP: (0, 0), SHUTDOWN: self.stop_tag}[trigger]
        if is_port(x, trigger):
            return any(port in self.present for port in x.channels(trigger))
        return (x.path, trigger.name) in self.present

    # -- the world of a body

    def read(self, ref):
        x = self.instance
        if is_port(x, ref):
            values = tuple(self.present.get(port, ABSENT) for port in x.channels(ref))
            return values if x.shows_tuple(ref) else values[0]
        key = (x.path, ref.name)
        return (
            key in self.present
            if isinstance(self.queues[key], TimerQueue)
            else self.present.get(key, ABSENT)
        )

    def set(self, ref, channel, value):
        channels = self.instance.channels(ref)
        self.put(channels[channel % len(channels)], value)

    def schedule(self, name, value, delay):
        key = (self.path, name)
        return key, self.queues[key].schedule(self.tag, self.stop_tag, delay, value)

    def handle_tag(self, handle):
        return handle[1].tag if self.shows_handles else None

    def cancel(self, handle):
        key, event = handle
        return self.queues[key].cancel(event)

    def request_stop(self):
        self.requested = later(self.tag, 0)

    def record(self, entry):
        self.trace.append((self.tag, self.path, entry))


def is_port(instance, ref):
    return ref.child is not None or ref.name in instance.ports
