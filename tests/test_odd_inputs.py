"""Whatever a program is given: an error that says so, or a result; no crash, hang or lost event.

What could take the interpreter along runs in a process of its own, with a bound.
"""

import asyncio
import gc
import signal
import threading
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from programs import Collect, Door, Emit, Trace, Wire, chain, run, running, wait
from scripts import run_script

import reactorrl as rr

NAN, HUGE = float("nan"), 10**30


def boom(*_, **__):
    raise LookupError("boom")


class Odd:
    """Nothing can be asked of it."""

    __eq__ = __bool__ = __hash__ = __len__ = __iter__ = __index__ = __repr__ = __str__ = boom
    __getattr__ = __call__ = __getitem__ = __contains__ = __add__ = __lt__ = boom


class Lies(int):
    """An int that answers every comparison with no."""

    __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: False


def outcome(function, *arguments, **options):
    """The type of what it raises, or "fine"."""
    try:
        function(*arguments, **options)
    except Exception as error:
        return type(error)
    return "fine"


def kinds(rows):
    """Names for the cases of a test: nothing else may be asked of these objects."""
    return [f"{type(value).__name__}-{error.__name__}" for value, error in rows]


# -- numbers


TIMES = [
    (NAN, TypeError), (float("inf"), TypeError), (1.0, TypeError), (5j, TypeError),
    ("5", TypeError), (True, TypeError),
    (Decimal(5), TypeError), (Fraction(5), TypeError), ([5], TypeError),
    (Odd(), LookupError), (-1, ValueError), (Lies(-5), ValueError), (-HUGE, ValueError),
    (rr.NEVER, ValueError), (timedelta(-1), ValueError), (HUGE, OverflowError),
    (Lies(HUGE), OverflowError), (timedelta.max, OverflowError), (2**63, OverflowError),
]  # fmt: skip


@pytest.mark.parametrize(("time", "error"), TIMES, ids=kinds(TIMES))
def test_a_time_is_one_or_an_error(time, error, workers):
    """Wherever a time is taken: a wrong type, a negative or an endless one is refused at once."""
    outcomes = []

    class Main(rr.Reactor):
        act, physical = rr.LogicalAction(), rr.PhysicalAction()
        out, inp = rr.Output(), rr.Input()

        @rr.reaction(rr.startup, effects=(act, physical))
        def start(self):
            outcomes.append(outcome(self.act.schedule, delay=time))
            outcomes.append(outcome(self.physical.schedule, delay=time))

        @rr.reaction(act, physical)
        def never(self):
            outcomes.append("an event")

    main = Main()
    outcomes += [
        outcome(rr.Timer, time) if type(time) is not str else error,
        outcome(rr.Timer, 0, time) if type(time) is not str else error,
        outcome(rr.LogicalAction, time),
        outcome(rr.LogicalAction, min_spacing=time),
        outcome(rr.PhysicalAction, time),
        outcome(rr.Program, Main(), timeout=time),
        outcome(main.connect, main.inp, main.out, after=time),
    ]
    run(main, workers)
    assert outcomes == [error] * 9


WIDTHS = [
    (NAN, TypeError), (1.0, TypeError), (True, TypeError), (b"3", TypeError), ([3], TypeError),
    (Odd(), LookupError), (-1, ValueError), (2**31, ValueError), (2**32 + 1, ValueError),
    (2**64, ValueError), (HUGE, ValueError), (Lies(-3), ValueError),
]  # fmt: skip


@pytest.mark.parametrize(("width", "error"), WIDTHS, ids=kinds(WIDTHS))
def test_a_width_is_one_or_an_error(width, error):
    """Of a multiport, by number and by name, and of a bank: at once, without taking memory."""

    class Named(rr.Reactor):
        inp = rr.Input(width="n")
        n = width

    assert outcome(rr.Input, width=width) is error
    assert outcome(rr.Output, width=width) is error
    assert outcome(rr.Bank, width, rr.Reactor) is error
    by_name = outcome(lambda: rr.Program(Named(), workers=1))
    assert by_name is LookupError if error is LookupError else issubclass(by_name, rr.AssemblyError)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"workers": NAN}, TypeError), ({"workers": "2"}, TypeError),
        ({"workers": True}, TypeError),
        ({"workers": 10**5}, ValueError), ({"workers": 2**32 + 1}, ValueError),
        ({"workers": HUGE}, ValueError), ({"workers": Odd()}, LookupError),
        ({"seed": 1.5}, TypeError), ({"seed": -1}, ValueError), ({"seed": Odd()}, LookupError),
        ({"seed": True}, TypeError), ({"affinity": [10**9]}, ValueError),
        ({"affinity": [2**40]}, ValueError), ({"affinity": []}, ValueError),
        ({"affinity": [-1]}, ValueError), ({"affinity": [NAN]}, TypeError),
        ({"affinity": 3}, TypeError), ({"trace": 3}, TypeError), ({"fast": Odd()}, LookupError),
    ],
    ids=lambda x: next(iter(x)) if isinstance(x, dict) else x.__name__,
)  # fmt: skip
def test_an_option_is_one_or_an_error(options, error):
    """Before anything runs."""
    assert outcome(rr.Program, rr.Reactor(), **options) is error


@pytest.mark.parametrize("capacity", [0, -1, NAN, "3", True, 2**31, HUGE, 2**31 - 1])
def test_a_capacity_is_one_or_an_error(capacity):
    """A queue too large to be had is a MemoryError before anything runs."""

    def build():
        class Main(rr.Reactor):
            act = rr.PhysicalAction(capacity=capacity)

        rr.Program(Main(), workers=1)

    assert outcome(build) in (TypeError, ValueError, MemoryError)


# -- objects that do not behave


@pytest.mark.parametrize("check", [False, True])
def test_a_payload_is_never_asked_anything(workers, check):
    """Values pass through ports, delays and actions without a call to one of their methods."""
    seen = []

    class Main(rr.Reactor):
        out, act, physical = rr.Output(), rr.LogicalAction(), rr.PhysicalAction()

        def __init__(self):
            self.odd, self.odds = Odd(), [Odd()]

        @rr.reaction(rr.startup, effects=(out, act, physical))
        def start(self):
            self.out.set(Odd())
            self.act.schedule(Odd())
            self.physical.schedule(Odd())

        @rr.reaction(act, physical)
        def on_event(self):
            seen.extend(type(action.get()) for action in (self.act, self.physical))

    class Sink(rr.Reactor):
        now, late = rr.Input(), rr.Input()

        @rr.reaction(now, late)
        def on(self):
            seen.extend(type(port.get()) for port in (self.now, self.late))

    def build(self):
        self.main, self.sink = Main(), Sink()
        self.connect(self.main.out, self.sink.now)
        self.connect(self.main.out, self.sink.late, after=5)

    run(Wire(build), workers, check=check, keepalive=True, timeout=rr.sec(3600), fast=True)
    assert seen.count(Odd) == 4


@pytest.mark.parametrize(
    "name",
    [
        "__eq__",
        "__bool__",
        "__hash__",
        "__getattr__",
        "__delattr__",
        "__repr__",
        "__str__",
        "__len__",
        "__iter__",
        "__dir__",
        "__call__",
        "__reduce__",
        "__format__",
        "__index__",
        "__contains__",
        "__enter__",
        "__lt__",
    ],
)
def test_a_reactor_is_never_asked_anything(workers, name):
    """Special methods of a reactor that raise are not called: alone, in lists and in banks."""
    ran = []

    @rr.reaction(rr.startup)
    def go(self):
        ran.append(self.path)

    odd = type("Odd", (rr.Reactor,), {"go": go, name: boom})

    def build(self):
        self.one, self.bank, self.some = odd(), rr.Bank(2, odd), [odd()]

    run(Wire(build), workers)
    assert sorted(ran) == ["Wire.bank[0]", "Wire.bank[1]", "Wire.one", "Wire.some[0]"]


@pytest.mark.parametrize("name", ["__init__", "__new__", "__setattr__"])
def test_what_making_a_reactor_raises_comes_out(name):
    """The error of the user's own code, and the next reactor is made as if nothing had been."""
    odd = type("Odd", (rr.Reactor,), {"tick": rr.Timer(), name: boom})
    for make in (odd, lambda: rr.Bank(3, odd), lambda: Wire(lambda self: odd())):
        assert outcome(make) is LookupError
    assert rr.Reactor().path == "Reactor"


@pytest.mark.parametrize(
    "kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError, StopIteration]
)
def test_an_exception_in_init_may_be_caught(workers, kind):
    """A parent that catches the error of a child's __init__ goes on and is well formed."""

    class Fails(rr.Reactor):
        out = rr.Output()

        def __init__(self):
            self.half = rr.Reactor()
            raise kind

    def build(self):
        for make in (Fails, lambda: rr.Bank(2, Fails)):
            with pytest.raises(kind):
                make()
        self.fine = Emit(1)

    assert run(Wire(build), workers).reaction_counts == {"Wire.fine.emit": 1}


def test_init_must_return_none():
    """As Python says: a generator or a coroutine as __init__ would never run."""

    class Generates(rr.Reactor):
        def __init__(self):
            yield  # noqa: PLE0100

    with pytest.raises(TypeError, match=r"Generates\.__init__"):
        Generates()


def test_a_list_that_contains_itself_is_an_error():
    """Recursive arguments end."""
    endless = []
    endless.append(endless)
    main = rr.Reactor()
    for call in (main.connect, lambda *_: main.add_reaction(print, endless)):
        assert outcome(call, endless, endless) is RecursionError


def test_a_reactor_may_hold_itself_and_others_in_a_circle(workers):
    """Who is already a child, or the main reactor, is not made a child again."""
    a, b = Emit(1), Emit(2)
    a.me, a.other, b.other = a, b, a
    assert run(a, workers).reaction_counts == {"Emit.emit": 1, "Emit.other.emit": 1}


def test_an_element_put_on_a_class_afterwards_is_an_error():
    """It would not be an element of any instance: TypeError at once."""
    for value in (rr.Input(), rr.Output(width=2), rr.Timer(), rr.reaction(rr.startup)(boom)):
        with pytest.raises(TypeError, match=r"Collect\.late"):
            Collect.late = value
    Collect.late = 5
    del Collect.late


@pytest.mark.parametrize("name", ["lag", "connect", "add_reaction", "request_stop"])
def test_a_method_hidden_from_outside_is_an_assembly_error(name):
    """`main.lag = 5` is found wherever it is written."""
    main = chain(Emit(1), Collect(Trace()))
    setattr(main.s1, name, 5)
    with pytest.raises(rr.AssemblyError) as e:
        rr.Program(main)
    assert e.value.problems == [
        f"Wire.s1: self.{name} hides the {name} of every reactor; rename it"
    ]


# -- exceptions that do not behave


class Mute(Exception):
    __str__ = __repr__ = boom


def test_an_error_whose_text_raises_is_told_all_the_same(workers):
    """run() raises the ReactionError, with every other one as a note."""

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            raise Mute

    program = rr.Program(
        Wire(lambda self: setattr(self, "bank", rr.Bank(3, Main))), workers=workers
    )
    for call in (program.run, program.join):
        with pytest.raises(rr.ReactionError, match=r"bank\[0\].*Mute: <its text raises") as e:
            call()
        assert isinstance(e.value.__cause__, Mute)
        assert len(e.value.__notes__) == 2


def test_one_exception_may_be_raised_by_many_bodies(workers):
    """The same object, at once on several workers."""
    shared = ValueError("shared")

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            raise shared

    with pytest.raises(rr.ReactionError) as e:
        run(Wire(lambda self: setattr(self, "bank", rr.Bank(8, Main))), workers)
    assert e.value.__cause__ is shared
    assert len(e.value.__notes__) == 7


def test_a_trace_that_cannot_be_written_is_an_error_once(tmp_path, workers):
    """The program has ended all the same: join() gives its report."""
    program = rr.Program(Emit(1), workers=workers, fast=True, trace=tmp_path / "no" / "such.json")
    with pytest.raises(FileNotFoundError):
        program.run()
    assert program.join().reactions == 1


# -- bodies


def test_a_body_cannot_wait_for_its_own_program(workers):
    """join() and the end of a `with` block inside a body: PhaseError; stop() is what it wants."""
    errors = []

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            calls = (program.join, program.run, program.start, lambda: program.join(rr.sec(9)))
            errors.extend(outcome(call) for call in calls)
            with pytest.raises(rr.PhaseError), program:
                pass

    program = rr.Program(Main(), workers=workers, keepalive=True)
    assert program.run().stop_tag == rr.Tag(0, 1)  # leaving the block has asked for it
    assert errors == [rr.PhaseError] * 4


@pytest.mark.parametrize("keep", ["one", "a list", "a bank"])
def test_a_body_cannot_take_a_new_child(workers, keep):
    """A reactor that a body makes and keeps as an attribute would never run: PhaseError."""

    class Main(rr.Reactor):
        tick = rr.Timer(0, 10)

        @rr.reaction(tick)
        def on(self):
            self.fine = rr.Program(Emit(1), workers=1)  # a program of its own
            self.gone = Emit(2)
            del self.gone
            if self.tag.time == 10:
                bank = rr.Bank(2, Emit, 1)
                self.late = {"one": bank[0], "a list": [*bank], "a bank": bank}[keep]

    with pytest.raises(rr.ReactionError, match=r"Main: self\.late would be a child") as e:
        run(Main(), workers)
    assert isinstance(e.value.__cause__, rr.PhaseError)
    assert e.value.tag == rr.Tag(10, 0)


def test_a_program_runs_from_its_first_body_on(workers):
    """A body that asks at once finds the program running, and can neither start nor be early."""
    outcomes = set()

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            outcomes.add((outcome(program.start), outcome(program.stop)))

    for _ in range(200):
        program = rr.Program(Main(), workers=workers, keepalive=True)
        program.start()
        assert program.join().stop_tag == rr.Tag(0, 1)
    assert outcomes == {(rr.PhaseError, "fine")}


def test_a_body_may_delete_what_it_lives_on(workers):
    """Children, elements, the whole __dict__: the program goes on with what it was made of."""
    trace = []

    class Child(rr.Reactor):
        inp, out = rr.Input(), rr.Output()

        @rr.reaction(inp, effects=out)
        def forward(self):
            self.out.set(self.inp.value)

    class Main(rr.Reactor):
        tick, act = rr.Timer(0, 10), rr.LogicalAction()

        def __init__(self):
            self.child = Child()
            self.add_reaction(self.go, [self.tick], [], [self.child.inp, self.act])
            self.add_reaction(self.back, [self.child.out])

        def go(self):
            if self.tag.time == 0:
                self.child.inp.set(1)
                kept.append(self.child)
                del self.child
            elif self.tag.time == 10:
                kept.pop().inp.set(2)
                self.act = 5
            elif self.tag.time == 20:
                vars(self).clear()
            else:
                trace.append(outcome(lambda: self.tick))
            gc.collect()

        def back(self):
            trace.append(self.tag.time)

    kept, main = [], Main()
    program = rr.Program(main, workers=workers, fast=True, timeout=30)
    del main
    assert program.run().reactions == 8
    assert trace == [0, 10, AttributeError]


def test_only_the_worker_reads_through_get():
    """Another thread that calls get() while bodies run gets PhaseError or a value, never less."""
    outcomes, started = set(), threading.Event()

    class Main(rr.Reactor):
        out, act = rr.Output(), rr.LogicalAction(1)

        @rr.reaction(rr.startup, act, effects=(out, act))
        def go(self):
            self.out.set([1])
            self.act.schedule([2])

    class Sink(Collect):
        def collect(self):
            started.set()

    main = chain(Main(), Sink(Trace()))
    with rr.Program(main, workers=1, fast=True) as program:
        program.start()
        wait(started)
        for _ in range(30_000):
            for port in (main.s1.inp, main.s0.act):
                try:
                    outcomes.add(type(port.get()))
                except rr.PhaseError:
                    outcomes.add("PhaseError")
    assert outcomes <= {list, type(None), "PhaseError"}
    assert "PhaseError" in outcomes


def test_other_threads_of_a_body_have_no_part_in_it(workers):
    """A thread that a body starts is not in the body: PhaseError, or a physical event."""
    outcomes = []

    class Main(rr.Reactor):
        out, outs, act = rr.Output(), rr.Output(width=2), rr.LogicalAction()

        def look(self):
            calls = (
                lambda: self.out.set(1), self.out.get, lambda: self.outs[1].set(1),
                self.act.schedule, self.outs.present, lambda: self.tag, self.lag, self.request_stop,
            )  # fmt: skip
            outcomes.extend(outcome(call) for call in calls)

        @rr.reaction(rr.startup, effects=(out, outs, act))
        def start(self):
            thread = threading.Thread(target=self.look)
            thread.start()
            thread.join()

    run(Main(), workers)
    assert outcomes == [rr.PhaseError] * 8


def test_a_producer_is_left_as_often_as_it_was_entered(workers):
    """One exit too many is an error, and takes nothing from another scope."""
    main = Door(n=1)
    program = rr.Program(main, workers=workers)
    first, second = main.act.producer(), main.act.producer()
    with pytest.raises(rr.PhaseError, match="act"):
        first.__exit__(None, None, None)
    with first, second:
        program.start()
        wait(main.started)
        first.__exit__(None, None, None)
        for scope in (first, main.act.producer()):
            with pytest.raises(rr.PhaseError):
                scope.__exit__(None, None, None)
        first.__enter__()
        main.act.schedule("still there")
        wait(main.came)
    with pytest.raises(rr.PhaseError):
        second.__exit__(None, None, None)
    assert program.join().reactions == 2


# -- physical actions from where Python calls


def test_signal_handlers_may_schedule(workers):
    """A handler runs inside run() on the main thread, and schedules like any thread."""
    n = 5
    main = Door(n=n)
    calls = []

    def handler(number, frame):
        calls.append(len(calls))
        main.act.schedule(calls[-1])
        if len(calls) < n:
            signal.raise_signal(signal.SIGUSR1)
        else:
            program.stop()

    program = rr.Program(main, workers=workers, keepalive=True)
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        threading.Thread(
            target=lambda: (
                wait(main.started),
                signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1),
            )
        ).start()
        program.run()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert calls == list(range(n))
    assert main.values == calls[: len(main.values)]


def test_a_signal_handler_ends_the_wait_for_room(workers):
    """An error of a handler comes out of a schedule() that waits; that event is not taken."""
    main = Door(rr.PhysicalAction(capacity=1, full="block"), is_held=True)
    taken = []

    class Alarm(Exception):
        pass

    def handler(number, frame):
        raise Alarm

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with running(main, workers):
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Alarm):
                taken.extend(i for i in range(9) if main.act.schedule(i))
            main.go_on.set()
            wait(main.came)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert main.values == taken == [0]


def test_coroutines_may_schedule(workers):
    """An event loop pushes into a small queue, waits its turn, and hears when all have come."""
    n = 200
    main = Door(rr.PhysicalAction(capacity=4), n=n)

    async def push():
        for i in range(n):
            while True:
                try:
                    main.act.schedule(i)
                    break
                except rr.CapacityError:
                    await asyncio.sleep(0)
        await asyncio.to_thread(wait, main.came)

    with running(main, workers):
        asyncio.run(push())
    assert main.values == list(range(n))


def test_a_body_may_run_an_event_loop(workers):
    """What runs inside a body's own asyncio.run() is the body."""
    trace = Trace()

    class Main(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def start(self):
            async def work():
                await asyncio.sleep(0)
                self.out.set(self.tag.time)

            asyncio.run(work())

    run(chain(Main(), Collect(trace)), workers)
    assert trace.events == [((0, 0), 0)]


# -- in processes of their own


def script(body, *options, expected, err=""):
    code, lines, errors = run_script(body, *options)
    assert (code, lines) == (0, expected), errors
    assert errors == err or err is None, errors


GIL = ["-Xgil=0", "-Xgil=1"]


@pytest.mark.parametrize("gil", GIL)
def test_endless_recursion_in_a_body(gil):
    """In Python and in C (repr, json, copy): a RecursionError of the reaction on every worker."""
    script(
        """
        import copy, json
        class Main(rr.Reactor):
            def __init__(self, how): self.how = how
            @rr.reaction(rr.startup)
            def start(self):
                deep = []
                for _ in range(200_000): deep = [deep]
                try: self.how(deep)
                finally:
                    while deep: deep = deep[0]
        class Endless:
            def __getattr__(self, name): return getattr(self, name)
            def __lt__(self, other): return sorted([self, self])
        hows = (repr, json.dumps, copy.deepcopy, lambda _: Endless().x, lambda _: Endless() < 1)
        for workers in (1, 2):
            for how in hows:
                try: rr.run(Main(how), workers=workers, fast=True)
                except rr.ReactionError as e: say(type(e.__cause__).__name__)
        """,
        "-Wignore", gil,
        expected=["RecursionError"] * 10,
    )  # fmt: skip


@pytest.mark.parametrize("gil", GIL)
def test_finalisers_that_reach_back_into_the_runtime(gil):
    """A payload's __del__ sets, schedules, pushes, stops, collects, joins, runs, raises."""
    script(
        """
        import gc
        sys.unraisablehook = lambda hook: None
        outcomes = set()
        class Inner(rr.Reactor):
            tick = rr.Timer(0, 10)
            @rr.reaction(tick)
            def on(self): pass
        class Payload:
            def __init__(self, f): self.f = f
            def __del__(self):
                try: outcomes.add((self.f.__name__, type(self.f()).__name__))
                except rr.PhaseError: outcomes.add((self.f.__name__, "PhaseError"))
        class Main(rr.Reactor):
            out, act = rr.Output(), rr.LogicalAction()
            physical, tick = rr.PhysicalAction(), rr.Timer(0, 10)
            def sets(self): self.out.set(1)
            def schedules(self): return self.act.schedule()
            def pushes(self): return self.physical.schedule()
            def stops(self): self.request_stop()
            def runs(self): return rr.run(Inner(), workers=2, fast=True, timeout=20).reactions
            def exits(self): raise SystemExit
            def collects(self): return gc.collect()
            def joins(self): return program.join()
            def connects(self): self.connect(self.out, self.out)
            @rr.reaction(tick, effects=(out, act))
            def go(self):
                fs = [self.sets, self.schedules, self.pushes, self.stops, self.runs, self.exits,
                      self.collects, self.joins, self.connects]
                k = self.tag.time // 10
                if k < len(fs):
                    self.out.set(Payload(fs[k]))
                    self.act.schedule(Payload(fs[k]))
            @rr.reaction(act)
            def on(self): pass
        class Sink(rr.Reactor):
            inp = rr.Input()
            @rr.reaction(inp)
            def on(self): pass
        class Top(rr.Reactor):
            def __init__(self):
                self.main, self.sink, self.late = Main(), Sink(), Sink()
                self.connect(self.main.out, self.sink.inp)
                self.connect(self.main.out, self.late.inp, after=3)
        for workers in (1, 2, 4):
            program = rr.Program(Top(), workers=workers, fast=True, timeout=200)
            # go at 0, 10 .. 200; nine payloads on act, sink and late; pushes trigger nothing
            say(str(program.run().reactions))
        for row in sorted(outcomes): say(" ".join(row))
        """,
        "-Wignore", gil,
        expected=["48"] * 3 + [
            "collects int", "connects PhaseError", "joins PhaseError", "pushes Handle",
            "runs int", "schedules PhaseError", "sets PhaseError", "stops PhaseError",
        ],
    )  # fmt: skip


@pytest.mark.parametrize("gil", GIL)
def test_finalisers_inside_of_a_call(gil):
    """Overwriting a port or an event runs __del__ inside of set() and schedule()."""
    script(
        """
        sys.unraisablehook = lambda hook: None
        class Payload:
            def __init__(self, f): self.f = f
            def __del__(self): self.f()
        class Main(rr.Reactor):
            out = rr.Output()
            def __init__(self): self.log = []
            @rr.reaction(rr.startup, effects=out)
            def start(self):
                self.out.set(Payload(lambda: self.out.set("from __del__")))
                self.out.set("over it")
                self.log.append(self.out.value)
                self.out.set("last")
        main = Main()
        rr.run(main, workers=2, fast=True)
        say(main.log[0])
        for policy in ("defer", "drop", "replace", "update"):
            for spacing in (0, 10):
                class Main(rr.Reactor):
                    act = rr.LogicalAction(min_spacing=spacing, policy=policy)
                    @rr.reaction(rr.startup, effects=act)
                    def start(self):
                        n, handles = [0], []
                        def again():
                            n[0] += 1
                            if n[0] < 200:
                                handles.append(self.act.schedule(Payload(again), delay=3))
                        for i in range(20):
                            handles.append(self.act.schedule(Payload(again), delay=5 + i % 3))
                        for handle in handles[::2]: handle.cancel()
                        self.tags = []
                    @rr.reaction(act)
                    def on(self): self.tags.append(self.tag)
                for workers in (1, 2):
                    main = Main()
                    rr.run(main, workers=workers, fast=True, timeout=10_000)
                    assert main.tags == sorted(set(main.tags))
        say("end")
        """,
        "-Wignore", gil,
        expected=["from __del__", "end"],
    )  # fmt: skip


def test_unfinished_elements_are_harmless():
    """`cls.__new__(cls)` without __init__, copies, pickles: an error or nothing, no crash."""
    script(
        """
        import copy, pickle, itertools, warnings
        warnings.simplefilter("ignore")  # of programs without reactions
        kinds = (rr.Input, rr.Output, rr.LogicalAction, rr.PhysicalAction, rr.Timer,
                 type(rr.Input(width=2)), type(rr.Output(width=2)))
        calls = (
            lambda e: e.value, lambda e: e.get(), lambda e: e.is_present, lambda e: e.set(1),
            lambda e: e.schedule(), repr, str, len, list, lambda e: e[0], lambda e: e.present(),
            lambda e: e.width, lambda e: e.type, lambda e: e.mutable, lambda e: e.producer(),
            lambda e: e.lookup(), copy.copy, copy.deepcopy, pickle.dumps, hash, bool,
            lambda e: type("M", (rr.Reactor,), {"x": e})(),
            lambda e: rr.run(type("M", (rr.Reactor,), {"x": e})(), workers=1, fast=True),
            lambda e: rr.run(type("M", (rr.Reactor,), {
                "__init__": lambda self: setattr(self, "x", e)})(), workers=1, fast=True),
        )
        for kind, call in itertools.product(kinds, calls):
            try: call(kind.__new__(kind))
            except Exception: pass
        say("end")
        """,
        expected=["end"],
    )


def test_a_daemon_thread_may_run_programs_until_the_end():
    """The interpreter ends in between, with its exit code, and nothing is printed."""
    script(
        """
        class Main(rr.Reactor):
            @rr.reaction(rr.startup)
            def start(self): pass
        first = threading.Event()
        def forever():
            while True:
                rr.run(Main(), workers=2, fast=True)
                first.set()
        threading.Thread(target=forever, daemon=True).start()
        first.wait(30)
        say("end")
        """,
        expected=["end"],
    )


def test_programs_at_the_end_of_the_interpreter():
    """In atexit, and in a __del__ of the last moment."""
    script(
        """
        import atexit
        class Main(rr.Reactor):
            @rr.reaction(rr.startup)
            def start(self): pass
        def go(run=rr.run, Main=Main):
            return run(Main(), workers=2, fast=True).reactions
        class Late:
            def __del__(self, go=go, write=os.write): write(1, b"%d\\n" % go())
        late = Late()
        atexit.register(lambda: say(f"atexit {go()}"))
        say("end")
        """,
        expected=["end", "atexit 1", "1"],
    )


def test_tracing_and_profiling_all_threads():
    """Trace functions set on all threads while bodies run are called, and change no result."""
    script(
        """
        class Main(rr.Reactor):
            tick, go_on = rr.Timer(0, 10), threading.Event()
            @rr.reaction(tick)
            def on(self):
                if self.tag.time == 100: self.go_on.wait(30)
                [i for i in range(5)]
        def trace(*_): return trace
        for workers in (1, 2):
            Main.go_on.clear()
            program = rr.Program(Main(), workers=workers, fast=True, timeout=10_000)
            program.start()
            for module in (threading,):
                module.settrace_all_threads(trace)
                module.setprofile_all_threads(lambda *_: None)
            Main.go_on.set()
            say(str(program.join().reactions))
            threading.settrace_all_threads(None)
            threading.setprofile_all_threads(None)
        """,
        expected=["1001", "1001"],
    )
