"""A plain sequential interpreter of reactor semantics: the oracle of tests/test_determinism.py.

It follows the rules as literally as it can and as naively as it may: no levels but those needed to
say where a program stops when a body raises and how far a clock moves, no queues but dictionaries.
"""

import copy
from dataclasses import dataclass, field, replace
from functools import cache
from math import inf

import model
from model import ABSENT, SHUTDOWN, STARTUP
from reference_modes import Modes
from reference_queues import ActionQueue, TimerQueue, later
from reference_tree import Instance, is_own_output, is_port


@dataclass
class Outcome:
    trace: list
    stop_tag: tuple[int, int]
    n_reactions: int
    n_events: int
    n_tags: int
    # (path, reaction) of every body that raised, in static order; those of the shutdown that a
    # raising body causes come last
    errors: list = field(default_factory=list)
    misses: dict = field(default_factory=dict)  # path of the reaction -> missed deadlines
    enclaves: dict = field(default_factory=dict)  # path -> (stop tag, tags, events)


class Enclave:
    """One time line: its queues, the tag that it processed last, where and why it stops."""

    def __init__(self, path, stop):
        self.path, self.stop = path, stop
        # Where it was told to stop meanwhile, or starves: it is as if it knew when it gets there.
        self.ordered = (inf, 0)
        self.queues = {}
        self.modes = None
        self.tag = None
        self.is_kept_alive = False  # until its stop tag, also with nothing to do
        self.has_ended = False
        self.n_events = self.n_tags = 0

    @property
    def is_cut(self):
        return any(queue.is_cut for queue in self.queues.values())

    def pending(self):
        """The tags to come. What is suspended is not."""
        for queue in self.queues.values():
            if not queue.is_suspended:
                yield from queue.pending
        yield from self.modes.entries

    def next_tag(self):
        """What it processes next by itself, or None if it is idle."""
        if self.tag is None:
            return (0, 0)
        end = min(self.stop, self.ordered)
        tags = [tag for tag in self.pending() if tag <= end]
        if tags:
            return min(tags)
        # Only who has nothing to come starves: an event past the timeout is one to come.
        is_waiting = self.is_kept_alive or self.is_cut or self.ordered[0] != inf
        return end if is_waiting else None


class Reference:
    """Runs a described program. Also the world of the bodies that it runs (see model.perform)."""

    def __init__(self, spec, *, timeout=None, keepalive=False, has_clock=False):
        self.main = Instance(spec, spec.name)
        self.clock = 0 if has_clock else None
        self.shows_handles = not spec.has_step(model.Stop)
        self.instances = list(self.main.walk())
        stop = (inf, 0) if timeout is None else (timeout, 0)
        self.enclaves = {}
        for x in self.instances:
            self.enclaves.setdefault(x.enclave, Enclave(x.enclave, stop))
        for enclave in self.enclaves.values():
            enclave.is_kept_alive = keepalive and timeout is not None
        self.enclave_of = {x.path: self.enclaves[x.enclave] for x in self.instances}
        for x in self.instances:
            queues = self.enclave_of[x.path].queues
            for a in x.spec.actions:
                queues[x.path, a.name] = ActionQueue(a, x.mode_of(a))
            for t in x.spec.timers:
                queues[x.path, t.name] = TimerQueue(t, x.mode_of(t))
        self.now = {}  # port -> [(a port that it feeds at the same tag, mode)]
        self.delayed = {}  # (port, delay, mode, path of enclave) -> [port]
        self.taps = {}  # port -> keys of `delayed`
        for x in self.instances:
            for c in x.spec.connections:
                self.connect(x, c)
        self.reactions = [(x, r, x.mode_of(r)) for x in self.instances for r in x.spec.reactions]
        self.levels = self.find_levels()
        self.reached = cache(self.find_reached)
        self.n_readers = cache(self.count_readers)
        self.is_alone = cache(self.find_alone)
        assert not has_clock or len(self.enclaves) == 1
        for enclave in self.enclaves.values():
            self.start(enclave)
        self.trace, self.misses, self.errors = [], {}, []
        self.n_reactions = 0
        self.originals = model.Originals()
        self.original, self.is_original = self.originals.original, self.originals.is_original

    # -- the graph

    def connect(self, instance, c):
        sources = [s for ref in c.sources for s in instance.channels(ref)]
        destinations = [d for ref in c.destinations for d in instance.channels(ref)]
        if c.is_broadcast:
            sources *= len(destinations) // len(sources)
        mode = instance.mode_of(c)
        for source, destination in zip(sources, destinations, strict=True):
            target = self.enclave_of[destination[0]]
            if c.after is None:
                assert target is self.enclave_of[source[0]]
                self.now.setdefault(source, []).append((destination, mode))
                continue
            # Connections that agree in source, delay and mode are one event, as those of a
            # broadcast; but each enclave has its own.
            key = (source, c.after, mode, target.path)
            if key not in self.delayed:
                self.delayed[key] = []
                self.taps.setdefault(source, []).append(key)
                target.queues[key] = ActionQueue(model.Action("after", c.after), mode)
            self.delayed[key].append(destination)

    def fed(self, port, *, whatever_mode):
        """The port and all that it feeds at the same tag, now or in whatever modes."""
        found = [port]
        for destination, mode in self.now.get(port, ()):
            if whatever_mode or mode is None or mode.is_active:
                found += self.fed(destination, whatever_mode=whatever_mode)
        return found

    def find_levels(self):
        """The length of the longest chain of reactions that must precede each."""
        before = {i: set() for i in range(len(self.reactions))}
        writers, own = {}, {}
        for i, (x, r, _) in enumerate(self.reactions):
            for j in own.setdefault(x, []):
                modes = {r.mode, self.reactions[j][1].mode}
                if None in modes or len(modes) == 1:
                    before[i].add(j)
            own[x].append(i)
            for ref in r.effects:
                for port in x.channels(ref) if is_port(x, ref) else ():
                    for end in self.fed(port, whatever_mode=True):
                        writers.setdefault(end, set()).add(i)
        for i, (x, r, _) in enumerate(self.reactions):
            for ref in r.sources:
                if is_port(x, ref):
                    for port in x.channels(ref):
                        before[i] |= {
                            j for j in writers.get(port, ()) if self.reactions[j][0] is not x
                        }

        @cache
        def level(i):
            return 1 + max((level(j) for j in before[i]), default=-1)

        return [level(i) for i in range(len(self.reactions))]

    def find_reached(self, source):
        """All ports that what is set at `source` comes to: through delays, in whatever modes."""
        reached, rest = set(), [source]
        while rest:
            port = rest.pop()
            for end in set(self.fed(port, whatever_mode=True)) - reached:
                reached.add(end)
                for key in self.taps.get(end, ()):
                    rest += self.delayed[key]
        return reached

    def find_alone(self, port):
        """Whether of all values that come here nobody else reads any.

        The rule is about a value; where modes lead several sources to one port, it is for all.
        """
        sources = {
            source
            for x, r, _ in self.reactions
            for ref in r.effects
            if is_port(x, ref)
            for source in x.channels(ref)
        }
        return all(self.n_readers(s) == 1 for s in sources if port in self.reached(s))

    def count_readers(self, source):
        """How many read what is set at `source`: input ports with reactions, parents that read.

        Not the writer itself.
        """
        reached, readers = self.reached(source), set()
        for x, r, _ in self.reactions:
            for ref in r.sources:
                if is_port(x, ref) and not is_own_output(x, ref):
                    readers |= {(x.path, port) for port in x.channels(ref) if port in reached}
        return len(readers)

    # -- the time lines

    def start(self, enclave):
        mine = [x for x in self.instances if self.enclave_of[x.path] is enclave]
        reactions = [entry for entry in self.reactions if self.enclave_of[entry[0].path] is enclave]
        queues = list(enclave.queues.values())
        enclave.modes = Modes(mine, queues, reactions)
        for queue in queues:
            if isinstance(queue, TimerQueue) and not queue.is_suspended:
                queue.start((queue.spec.offset, 0), enclave.stop)

    def edges(self):
        """(from, to, delay) of all connections between enclaves."""
        found = {
            (self.enclave_of[source[0]], self.enclaves[target], delay)
            for source, delay, _, target in self.delayed
        }
        return [(a, b, delay) for a, b, delay in found if a is not b]

    def downstream(self, enclave):
        found, rest = {enclave}, [enclave]
        while rest:
            a = rest.pop()
            more = {b for source, b, _ in self.edges() if source is a} - found
            found |= more
            rest += more
        return found

    def stops_as_one(self):
        """Whether every enclave that has a Stop or a Raise reaches all others."""
        return all(
            len(self.downstream(self.enclave_of[x.path])) == len(self.enclaves)
            for x in self.instances
            if replace(x.spec, children=()).has_step((model.Stop, model.Raise))
        )

    def run(self):
        """Group after group: a group's enclaves feed each other, the ones before feed it.

        What comes from the ones before is all there when a group begins; within it the smallest
        tag is the next one. So nobody can ever get an event at a tag that it has processed.
        """
        reach = {e: self.downstream(e) for e in self.enclaves.values()}
        rest = list(self.enclaves.values())
        while rest:
            first = next(e for e in rest if all(u in reach[e] for u in rest if e in reach[u]))
            group = [e for e in rest if e in reach[first] and first in reach[e]]
            self.run_group(group)
            rest = [e for e in rest if e not in group]
        ended = self.enclaves.values()
        return Outcome(
            sorted(self.trace, key=lambda row: row[:2]),
            max(e.tag for e in ended),
            self.n_reactions,
            sum(e.n_events for e in ended),
            sum(e.n_tags for e in ended),
            [(self.reactions[i][0].path, name) for _, i, name in sorted(self.errors)],
            self.misses,
            {e.path: (e.tag, e.n_tags, e.n_events) for e in ended},
        )

    def run_group(self, group):
        """Until all have ended: by themselves, or all idle ones of the group at once."""
        while any(not e.has_ended for e in group):
            tags = {e: e.next_tag() for e in group if not e.has_ended}
            busy = {e: tag for e, tag in tags.items() if tag is not None}
            if busy:
                enclave = min(busy, key=busy.get)
                self.process(enclave, busy[enclave])
                continue
            # The earliest tags at which nothing more can come: a microstep after the own last tag,
            # and when a value sent at the last tag of anyone upstream would arrive. If one of those
            # went on to the timeout, that is behind the timeout; so its receivers end there too.
            ends = {e: later(e.tag, 0) for e in tags}
            for u in self.enclaves.values():
                for e, arrival in self.arrivals(u, u.tag).items() if u.tag else ():
                    if e in ends and e is not u:
                        ends[e] = max(ends[e], arrival)
            for e, end in ends.items():
                e.ordered = min(e.ordered, end)

    def arrivals(self, enclave, tag):
        """When what is sent at `tag` arrives at the soonest, in each enclave that it reaches."""
        found, rest = {enclave: tag}, [enclave]
        while rest:
            a = rest.pop()
            for source, b, delay in self.edges():
                if source is a and later(found[a], delay) < found.get(b, (inf, 0)):
                    found[b] = later(found[a], delay)
                    rest.append(b)
        return found

    def stop_all(self, enclave, tag):
        """request_stop() or a raising body at `tag`: those reached stop as a value would arrive."""
        for e, stop in self.arrivals(enclave, tag).items():
            if e is not enclave:
                assert e.has_ended or e.tag is None or e.tag < stop
                e.ordered = min(e.ordered, stop)

    def process(self, enclave, tag):
        """One tag of one enclave."""
        self.enclave, self.tag = enclave, tag
        self.present, self.copies, self.outgoing = {}, {}, {}
        self.has_requested, self.wanted = False, {}
        enclave.tag = tag
        enclave.n_tags += 1
        if tag == enclave.ordered:
            enclave.stop = tag
        if self.clock is not None:
            self.clock = max(self.clock, tag[0])
        self.entered = enclave.modes.entries.pop(tag, set())
        for key, queue in enclave.queues.items():
            event = None if queue.is_suspended else queue.pending.pop(tag, None)
            if event is None:
                continue
            enclave.n_events += 1
            if isinstance(queue, TimerQueue):
                queue.rearm(tag, enclave.stop)
            if key in self.delayed:
                for port in self.delayed[key]:
                    self.put(port, event.value)
            else:
                self.present[key] = event.value
        errors = self.run_reactions()
        if errors:
            self.stop_all(enclave, tag)
        elif self.has_requested and tag != enclave.stop:
            enclave.ordered = min(enclave.ordered, later(tag, 0))
            self.stop_all(enclave, tag)
        for key, value in self.outgoing.items():
            self.send(key, value)
        if tag == enclave.stop:
            enclave.has_ended = True
        else:
            enclave.modes.change(tag, enclave.stop, self.wanted)

    def send(self, key, value):
        queue, receiver = self.enclaves[key[3]].queues[key], self.enclaves[key[3]]
        arrival = later(self.tag, queue.spec.min_delay)
        assert receiver.tag is None or receiver.tag < arrival
        queue.schedule(self.tag, receiver.stop, 0, value)

    def run_reactions(self):
        """The reactions of a tag, level by level. The indices of those whose bodies raised."""
        mine = [i for i, (x, _, _) in enumerate(self.reactions)
                if self.enclave_of[x.path] is self.enclave]  # fmt: skip
        levels = sorted({self.levels[i] for i in mine})
        errors, ran, self.is_unwinding = [], set(), False
        for level in levels:
            for i in mine:
                if self.levels[i] == level and self.is_triggered(i):
                    self.run_body(i, ran, errors)
            self.end_level()
            if errors:
                break
        if errors:
            self.enclave.stop, self.is_unwinding = self.tag, True
            for level in levels:
                for i in mine:
                    if self.levels[i] == level and i not in ran and self.shuts_down(i):
                        self.run_body(i, ran, errors)
                self.end_level()
        return errors

    def is_triggered(self, i):
        x, r, mode = self.reactions[i]
        if self.shuts_down(i):
            return True
        if mode is not None and not mode.is_active:
            return False
        return any(self.is_present(x, mode, trigger) for trigger in r.triggers)

    def shuts_down(self, i):
        """Also in modes that are inactive, but not in those that never were active.

        In an inactive mode no order holds against those of other modes of the reactor: they run by
        level, and within a level in order of declaration.
        """
        _, r, mode = self.reactions[i]
        is_last = self.tag == self.enclave.stop and SHUTDOWN in r.triggers
        return is_last and (mode is None or mode.was_active)

    def is_present(self, x, mode, trigger):
        if trigger == STARTUP and self.tag == (0, 0):
            return True
        if isinstance(trigger, str):
            return (trigger, mode) in self.entered
        if is_port(x, trigger):
            return any(port in self.present for port in x.channels(trigger))
        return (x.path, trigger.name) in self.present

    def run_body(self, i, ran, errors):
        self.instance, r, _ = self.reactions[i]
        self.path = self.instance.path
        ran.add(i)
        is_late = r.deadline is not None and self.is_late(r.deadline)
        if is_late:
            path = f"{self.path}.{r.name}"
            self.misses[path] = self.misses.get(path, 0) + 1
            if r.handler is None:
                return
        self.n_reactions += 1
        self.taken = 0
        try:
            model.perform(r, self, self.instance.memory, is_late=is_late)
        except model.Boom as boom:
            errors.append(i)
            self.errors.append((self.is_unwinding, i, boom.args[1]))
        self.longest = max(self.longest, self.taken)

    # -- the clock: it stands still in bodies, and moves at the end of a level

    longest = 0

    def is_late(self, deadline):
        assert deadline == 0 or self.clock is not None, "without a clock only 0 is certain"
        return deadline == 0 or self.clock > self.tag[0] + deadline

    def end_level(self):
        if self.clock is not None:
            self.clock += self.longest
        self.longest = 0

    def put(self, port, value):
        for end in self.fed(port, whatever_mode=False):
            self.present[end] = value
            for key in self.taps.get(end, ()):
                if key[2] is None or key[2].is_active:
                    self.outgoing[key] = value

    # -- the world of a body

    def modes(self):
        return [state.is_active for state in self.instance.modes.values()]

    def read(self, ref):
        x = self.instance
        if is_port(x, ref):
            is_mutable = ref.child is None and any(
                p.is_mutable for p in x.spec.inputs if p.name == ref.name
            )
            values = tuple(self.value(port, is_mutable) for port in x.channels(ref))
            return values if x.shows_tuple(ref) else values[0]
        key = (x.path, ref.name)
        is_timer = isinstance(self.enclave.queues[key], TimerQueue)
        return key in self.present if is_timer else self.present.get(key, ABSENT)

    def value(self, port, is_mutable):
        value = self.present.get(port, ABSENT)
        if not (is_mutable and isinstance(value, list)) or self.is_alone(port):
            return value
        # One copy of a value for each port: all reactions of its reactor share it.
        return self.copies.setdefault((port, id(value)), copy.copy(value))

    def set(self, ref, channel, value):
        channels = self.instance.channels(ref)
        self.put(channels[channel % len(channels)], value)

    def queue(self, name):
        return self.enclave.queues[self.path, name]

    def schedule(self, name, value, delay):
        queue = self.queue(name)
        return queue, queue.schedule(self.tag, self.enclave.stop, delay, value)

    def handle_tag(self, handle):
        return handle[1].tag if self.shows_handles else None

    def cancel(self, handle):
        queue, event = handle
        return queue.cancel(event)

    def enter(self, transition):
        self.wanted[self.instance] = transition

    def advance(self, ns):
        """The clock as the body sees it, with its own share, and the lag."""
        self.taken += ns
        now = self.clock + self.taken
        return now, now - self.tag[0]

    def request_stop(self):
        self.has_requested = True

    def record(self, entry):
        self.trace.append((self.tag, self.path, entry))
