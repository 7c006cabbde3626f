"""Much of everything, and blows from outside: nothing is lost, reordered or left behind.

The full sizes take minutes and run under `--long`; a million tags at constant memory are in
test_memory.py.
"""

import ctypes
import gc
import os
import queue
import signal
import threading
import time
import weakref
from collections import Counter

import pytest
from leftovers import leftover_threads, os_threads
from programs import BOUND, Fails, Pass, Trace, Wire, chain, in_thread, run, running, wait

import reactorrl as rr

LONG_BOUND = 3600


def told(what, n, seconds):
    """What was measured; shown with -s, and on failure."""
    print(f"{n:,} {what} in {seconds:.2f} s, {n / seconds:,.0f} a second")


# -- physical events


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.parametrize("n_producers", [1, 8])
def test_physical_events_of_many_threads(n_workers, n_producers, is_long):
    """10^7 events of 8 threads through one bounded queue: all come, in the order of each thread."""
    n = (10**7 if is_long else 100_000) // n_producers

    class Main(rr.Reactor):
        act = rr.PhysicalAction(capacity=1024, full="block")

        def __init__(self):
            self.started, self.go_on, self.done = (threading.Event() for _ in range(3))
            self.next = [0] * n_producers
            self.left, self.last = n * n_producers, rr.Tag(-1, 0)

        @rr.reaction(rr.startup)
        def start(self):
            self.started.set()

        @rr.reaction(act)
        def on(self):
            k, i = self.act.value
            if i != self.next[k] or self.tag <= self.last:
                raise ValueError(f"event {i} of {k} after {self.next[k] - 1}, {self.last}")
            self.next[k], self.last = i + 1, self.tag
            self.left -= 1
            if not self.left:
                self.done.set()

    main = Main()

    def push(k):
        for i in range(n):
            main.act.schedule((k, i))

    with running(main, n_workers, fast=True):
        begin = time.perf_counter()
        threads = [in_thread(push, k) for k in range(n_producers)]
        for thread in threads:
            thread.join(LONG_BOUND if is_long else BOUND)
        assert main.done.wait(LONG_BOUND if is_long else BOUND), (main.left, main.next)
        told(f"events of {n_producers} threads", n * n_producers, time.perf_counter() - begin)
    assert main.next == [n] * n_producers


@pytest.mark.parametrize("full", ["raise", "drop"])
def test_what_a_full_queue_refuses_is_known_to_the_caller(workers, full):
    """Taken and refused add up to what was pushed, and what was taken comes in order."""
    n, n_producers = 20_000, 4
    act = rr.PhysicalAction(capacity=16, full=full)

    class Main(rr.Reactor):
        def __init__(self):
            self.act, self.came = act, [[] for _ in range(n_producers)]
            self.started, self.go_on = threading.Event(), threading.Event()
            self.add_reaction(self.started.set, triggers=[rr.startup])
            self.add_reaction(self.on, triggers=[self.act])

        def on(self):
            k, i = self.act.value
            self.came[k].append(i)

    main, taken = Main(), [[] for _ in range(n_producers)]

    def push(k):
        for i in range(n):
            try:
                handle = main.act.schedule((k, i))
            except rr.CapacityError:
                continue
            if handle.tag is not None:
                taken[k].append(i)

    program = rr.Program(main, workers=workers, fast=True)
    with main.act.producer():
        program.start()
        wait(main.started)
        threads = [in_thread(push, k) for k in range(n_producers)]
        for thread in threads:
            thread.join(BOUND)
    program.join()
    assert main.came == taken
    assert all(taken)


# -- exceptions and signals from outside


def raise_in(thread_id, kind):
    """Raises an exception in another thread, at its next step in Python; whether it is there."""
    call = ctypes.pythonapi.PyThreadState_SetAsyncExc
    return call(ctypes.c_ulong(thread_id), ctypes.py_object(kind)) == 1


class Killed(BaseException):
    """What hits a worker."""


@pytest.mark.parametrize("kind", [Killed, SystemExit, MemoryError])
def test_an_exception_that_hits_a_worker_is_one_of_its_body(workers, kind):
    """Wherever it strikes, the program ends in order: error, shutdown, no thread left behind."""
    before, tags = os_threads(), []

    class Main(rr.Reactor):
        tick = rr.Timer(0, 10)

        @rr.reaction(tick)
        def on(self):
            if self.tag.time == 500:
                here.put(threading.get_ident())  # not an Event: the exception may strike inside
            for _ in range(50):
                pass

        @rr.reaction(rr.shutdown)
        def end(self):
            ended.append(self.path)

    for _ in range(10):
        here, ended = queue.SimpleQueue(), []
        main = Wire(lambda self: setattr(self, "bank", rr.Bank(8, Main)))
        program = rr.Program(main, workers=workers, fast=True, timeout=10**9)
        program.start()
        assert raise_in(here.get(timeout=BOUND), kind)
        with pytest.raises(rr.ReactionError) as e:
            program.join()
        assert type(e.value.__cause__) is kind
        assert e.value.report.stop_tag == e.value.tag
        tags.append(e.value.tag)
        assert len(ended) >= 7  # all but one that was hit in its shutdown reaction
    assert all(tag.time >= 500 for tag in tags)
    assert leftover_threads(before) == {}
    assert run(chain(rr.Reactor())).tags == 2


def test_a_storm_of_signals_changes_nothing(workers):
    """A handler that runs thousands of times in the main thread: same trace, same end."""

    class Main(rr.Reactor):
        tick, out = rr.Timer(0, 10), rr.Output()

        @rr.reaction(tick, effects=out)
        def on(self):
            self.out.set(self.tag.time)

    def go():
        seen = []

        class Sink(rr.Reactor):
            inp = rr.Input()

            @rr.reaction(inp)
            def on(self):
                seen.append(self.inp.value)

        report = rr.run(chain(Main(), Pass(), Sink()), workers=workers, fast=True, timeout=50_000)
        return seen, report.trace_hash

    calls = []
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
        stormy = go()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert calls
    assert stormy == go()


# -- many


@pytest.mark.parametrize("n_workers", [1, 2])
def test_a_hundred_thousand_reactors(n_workers):
    """They are assembled, run at one tag, and are gone."""
    n, references = 100_000, []

    class Stage(rr.Reactor):
        inp, out = rr.Input(), rr.Output()

        @rr.reaction(inp, effects=out)
        def on(self):
            self.out.set(self.inp.value + 1)

    class Ends(rr.Reactor):
        inp, out = rr.Input(width=n - 1), rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def start(self):
            self.out.set(0)

        @rr.reaction(inp)
        def collect(self):
            self.total = sum(channel.value for channel in self.inp.present())

    def build(self):
        self.ends, self.bank = Ends(), rr.Bank(n - 1, Stage)
        self.connect(self.ends.out, self.bank.inp, broadcast=True)
        self.connect(self.bank.out, self.ends.inp)

    begin = time.perf_counter()
    main = Wire(build)
    program = rr.Program(main, workers=n_workers, fast=True)
    told("reactors assembled", n, time.perf_counter() - begin)
    begin = time.perf_counter()
    report = program.run()
    told("reactions run", report.reactions, time.perf_counter() - begin)
    assert (report.reactions, main.ends.total) == (n + 1, n - 1)
    references += [weakref.ref(main), weakref.ref(program), weakref.ref(main.bank[n // 2])]
    del main, program
    gc.collect()
    assert [reference() for reference in references] == [None] * 3


def test_a_thousand_programs_leave_nothing_behind(is_long):
    """Run, failed, never started, stopped, dropped while they ran: no thread, file or object."""
    n = 10_000 if is_long else 1000

    class Main(rr.Reactor):
        out, act, physical = rr.Output(), rr.LogicalAction(1), rr.PhysicalAction()

        def __init__(self, fails=False):
            self.fails, self.child = fails, Pass()

        @rr.reaction(rr.startup, act, effects=(out, act))
        def on(self):
            k = self.act.get(0)
            self.out.set([k])
            if self.fails and k == 5:
                raise ValueError
            if k < 10:
                self.act.schedule(k + 1)

    def one(k):
        program = rr.Program(Main(k % 5 == 1), workers=1 + k % 3, fast=True, keepalive=k % 5 == 2)
        references.append(weakref.ref(program))
        if k % 5 == 0:
            program.run()
        elif k % 5 == 1:
            with pytest.raises(rr.ReactionError):
                program.run()
        elif k % 5 == 2:
            program.start()
            program.stop()
            program.join()
        elif k % 5 == 3:
            program.start()  # and is dropped

    def counts():
        gc.collect()
        return Counter(type(thing).__name__ for thing in gc.get_objects())

    references = []
    for k in range(50):
        one(k)
    time_is_up = time.monotonic() + BOUND
    while any(r() is not None for r in references) and time.monotonic() < time_is_up:
        one(0)  # joins those that ended by themselves
        gc.collect()
    references.clear()
    threads, files, objects = len(os_threads()), len(os.listdir("/proc/self/fd")), counts()
    begin = time.perf_counter()
    for k in range(n):
        one(k)
    told("programs", n, time.perf_counter() - begin)
    while any(r() is not None for r in references) and time.monotonic() < time_is_up:
        one(0)
        gc.collect()
    assert not [r() for r in references if r() is not None]
    references.clear()
    more = counts() - objects
    assert {name: k for name, k in more.items() if k >= n // 10} == {}, more.most_common(5)
    assert len(os.listdir("/proc/self/fd")) == files
    assert len(os_threads()) <= threads


def test_failures_in_many_places_at_once(workers):
    """A thousand bodies raise at one tag: one error, 999 notes, in static order."""

    def build(self):
        self.bank = rr.Bank(1000, Fails)
        self.src = Pass()
        self.add_reaction(self.go, triggers=[rr.startup], effects=[self.bank.inp])

    class Main(rr.Reactor):
        def __init__(self):
            build(self)

        def go(self):
            for port in self.bank.inp:
                port.set(Trace)

    with pytest.raises(rr.ReactionError) as e:
        run(Main(), workers)
    assert e.value.reaction == "Main.bank[0].fail"
    assert [note.split()[0] for note in e.value.__notes__] == [
        f"Main.bank[{i}].fail" for i in range(1, 1000)
    ]
