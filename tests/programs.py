"""What the semantics tests share: a trace, a way to run, and the reactors that most need."""

import threading
import weakref
from contextlib import contextmanager

import reactorrl as rr
import reactorrl.testing  # rr.testing

BOUND = 20.0
"""Seconds that a test waits for an event of another thread before it fails."""

ABSENT = object()


class Trace:
    """What happened, as ((time, microstep), path, event).

    Bodies call it; `rows` sorts by tag and path, since reactions of different reactors on one level
    run in any order. The rows of one reactor at one tag stay in the order of its reactions.
    """

    def __init__(self):
        self._rows = []

    def __call__(self, reactor, event):
        self._rows.append((tuple(reactor.tag), reactor.path, event))

    @property
    def rows(self):
        return sorted(self._rows, key=lambda row: row[:2])

    @property
    def events(self):
        """The rows without paths: for programs in which one reactor records."""
        assert len({path for _, path, _ in self._rows}) <= 1, self.rows
        return [(tag, event) for tag, _, event in self.rows]

    def at(self, path):
        """(tag, event) of one reactor."""
        return [(tag, event) for tag, row_path, event in self.rows if row_path == path]


class Leg:
    """The clock under which `run` runs programs, and how many it ran under it."""

    def __init__(self, name="fast"):
        self.name, self.n_runs, self.clock = name, 0, None

    def options(self, **real):
        """Options of `rr.Program`; `real` are those without a virtual clock."""
        if self.name == "fast":
            return real
        self.n_runs += 1
        self.clock = rr.testing.VirtualClock()
        return {"clock": self.clock}


leg = Leg()


@contextmanager
def clocked(name):
    """Within the block `run` uses this clock: "fast" or "virtual"."""
    global leg  # noqa: PLW0603
    before, leg = leg, Leg(name)
    try:
        yield leg
    finally:
        leg = before


def run(main, workers=1, **options):
    """Run without waiting for physical time, unless the test gives `fast` itself."""
    if "fast" not in options:
        options.update(leg.options(fast=True))
    return rr.run(main, workers=workers, **options)


def prepared(main, workers, *, fast=False, **options):
    """A program under the test's clock; `fast` is about the real one."""
    return rr.Program(main, workers=workers, **leg.options(fast=fast), **options)


class Emit(rr.Reactor):
    """Sets `out` to the k-th value at offset + k * period; ABSENT sets nothing."""

    out = rr.Output()
    step = rr.LogicalAction()

    def __init__(self, *values, offset=0, period=10):
        self.values, self.offset, self.period = values, offset, period

    @rr.reaction(rr.startup, step, effects=(out, step))
    def emit(self):
        if not self.step.is_present and self.offset:
            self.step.schedule(0, delay=self.offset)
            return
        k = self.step.get(0)
        if k < len(self.values) and self.values[k] is not ABSENT:
            self.out.set(self.values[k])
        if k + 1 < len(self.values):
            self.step.schedule(k + 1, delay=self.period)


class Collect(rr.Reactor):
    """Records every value of `inp`."""

    inp = rr.Input()

    def __init__(self, trace):
        self.trace = trace

    @rr.reaction(inp)
    def collect(self):
        self.trace(self, self.inp.value)


class Wide(rr.Reactor):
    """Records the present channels of a multiport as {index: value}."""

    inp = rr.Input(width="n")

    def __init__(self, trace, n):
        self.trace, self.n = trace, n

    @rr.reaction(inp)
    def collect(self):
        self.trace(self, {p.index: p.value for p in self.inp.present()})


class Pass(rr.Reactor):
    """Hands `inp` on to `out` at the same tag, times `factor`."""

    inp = rr.Input()
    out = rr.Output()

    def __init__(self, factor=1):
        self.factor = factor

    @rr.reaction(inp, effects=out)
    def forward(self):
        self.out.set(self.inp.value * self.factor)


class Spread(rr.Reactor):
    """Sets the channels of `out` given by {channel: value}, at startup."""

    out = rr.Output(width="n")

    def __init__(self, n, values):
        self.n, self.values = n, values

    @rr.reaction(rr.startup, effects=out)
    def spread(self):
        for channel, value in self.values.items():
            self.out[channel].set(value)


class Pair(rr.Reactor):
    """A member with two output channels, which carry (bank_index, channel)."""

    out = rr.Output(width=2)

    @rr.reaction(rr.startup, effects=out)
    def emit(self):
        for channel in self.out:
            channel.set((self.bank_index, channel.index))


class PairIn(rr.Reactor):
    """A member with two input channels."""

    inp = rr.Input(width=2)

    def __init__(self, trace):
        self.trace = trace

    @rr.reaction(inp)
    def collect(self):
        self.trace(self, [p.get("absent") for p in self.inp])


class Wire(rr.Reactor):
    """A Main that calls `build(self)`."""

    def __init__(self, build):
        build(self)


def chain(*stages):
    """A Wire of Emit -> stages, as children `s0`, `s1`, ..., all without delay."""

    def build(self):
        for i, stage in enumerate(stages):
            setattr(self, f"s{i}", stage)
            if i:
                self.connect(stages[i - 1].out, stage.inp)

    return Wire(build)


def scheduling(trace, action, body):
    """A Main whose startup runs `body(self, self.act)`, and which records the action's values."""

    class Main(rr.Reactor):
        act = action

        @rr.reaction(rr.startup, effects=act)
        def start(self):
            body(self, self.act)

        @rr.reaction(act)
        def on_act(self):
            trace(self, self.act.value)

    return Main()


def placed(action, *delays, workers=1, **options):
    """Schedules one event for each delay, by number: what comes of it, and the handles' tags."""
    trace, tags = Trace(), []

    def body(self, act):
        for i, delay in enumerate(delays):
            tag = act.schedule(i, delay=delay).tag
            tags.append(tag if tag is None else tuple(tag))

    report = run(scheduling(trace, action, body), workers, **options)
    return trace.events, tags, report


class Door(rr.Reactor):
    """Records what comes through a physical action; `came` is set when `n` events came.

    With `is_held`, the startup reaction waits for `go_on`: meanwhile nothing is taken over.
    """

    def __init__(self, act=None, n=1, *, is_held=False):
        self.act = act or rr.PhysicalAction()
        self.n, self.is_held = n, is_held
        self.started, self.go_on, self.came = (
            threading.Event(),
            threading.Event(),
            threading.Event(),
        )
        self.seen, self.now = [], None
        self.add_reaction(self.start, triggers=[rr.startup])
        self.add_reaction(self.on_act, triggers=[self.act])

    def start(self):
        self.now = self.physical_elapsed()
        self.started.set()
        if self.is_held:
            wait(self.go_on)

    def on_act(self):
        self.seen.append((tuple(self.tag), self.act.value))
        if len(self.seen) >= self.n:
            self.came.set()

    @property
    def values(self):
        return [value for _, value in self.seen]


@contextmanager
def running(main, workers, **options):
    """The started program; afterwards it is stopped and has ended.

    A virtual clock has moved on a little, so that what comes from outside is later than the start.
    """
    running = prepared(main, workers, **{"keepalive": True, **options})
    clock = leg.clock
    running.start()
    try:
        wait(main.started)
        if clock is not None:
            clock.advance(rr.usec(1))
        yield running
    finally:
        main.go_on.set()
        running.stop()
        running.join()


def in_thread(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    return thread


def joined(*threads):
    for thread in threads:
        thread.join(BOUND)
        assert not thread.is_alive(), "a thread that schedules did not come back"


class Payload:
    """Something that a weak reference can watch."""

    def __init__(self, k=0):
        self.k = k

    def __mul__(self, factor):
        return self


class Handles(rr.Reactor):
    """Makes payloads that are replaced, cancelled, dropped, updated away, overwritten, late."""

    out = rr.Output()
    plain = rr.LogicalAction()
    drop = rr.LogicalAction(min_spacing=10, policy="drop")
    replace = rr.LogicalAction(min_spacing=10, policy="replace")
    update = rr.LogicalAction(min_spacing=10, policy="update")

    def __init__(self, made):
        self.made = made

    def payload(self):
        payload = Payload()
        self.made.append(weakref.ref(payload))
        return payload

    @rr.reaction(rr.startup, effects=(out, plain, drop, replace, update))
    def start(self):
        self.out.set(self.payload())
        self.out.set(self.payload())
        for action in (self.plain, self.drop, self.replace, self.update):
            for delay in (5, 5, 6, 10**6):
                self.handle = action.schedule(self.payload(), delay=delay)
            self.handle.cancel()

    @rr.reaction(plain, drop, replace, update, effects=out)
    def on_action(self):
        self.out.set([a.get() for a in (self.plain, self.drop, self.replace, self.update)])


def every_way(made):
    def build(self):
        self.src = Handles(made)
        self.now, self.delayed = rr.Bank(3, Collect, Trace()), rr.Bank(3, Collect, Trace())
        self.never = Collect(Trace())
        self.connect(self.src.out, self.now.inp, broadcast=True)
        self.connect(self.src.out, self.delayed.inp, broadcast=True, after=3)
        self.connect(self.src.out, self.never.inp, after=10**7)

    return Wire(build)


class Fails(rr.Reactor):
    inp = rr.Input()

    @rr.reaction(inp)
    def fail(self):
        raise ValueError("failed")


def wait(event: threading.Event):
    """Waits for another thread, bounded; a body or a test that waits in vain fails."""
    assert event.wait(BOUND), "another thread did not come so far"
