"""The bounded queue of a physical action, and physical connections."""

import threading

import pytest
from programs import (
    Collect,
    Door,
    Emit,
    Pass,
    Spread,
    Trace,
    Wire,
    in_thread,
    joined,
    run,
    running,
    wait,
)

import reactorrl as rr


def test_a_full_queue_raises_by_default(workers):
    """Beyond `capacity` waiting events schedule raises CapacityError; the event is not taken."""
    main = Door(rr.PhysicalAction(capacity=2), n=2, is_held=True)
    with running(main, workers):
        main.act.schedule("a")
        main.act.schedule("b")
        with pytest.raises(rr.CapacityError, match="act"):
            main.act.schedule("c")
        main.go_on.set()
        wait(main.came)
        main.came.clear()
        main.n = 3
        main.act.schedule("d")
        wait(main.came)
    assert main.values == ["a", "b", "d"]


def test_a_full_queue_drops_if_told_to(workers):
    """full="drop": the event is discarded; its handle has no tag and nothing to cancel."""
    main = Door(rr.PhysicalAction(capacity=2, full="drop"), n=2, is_held=True)
    with running(main, workers):
        handles = [main.act.schedule(i) for i in range(5)]
        main.go_on.set()
        wait(main.came)
    assert main.values == [0, 1]
    assert [h.tag is None for h in handles] == [False, False, True, True, True]
    assert handles[2].cancel() is False


def test_a_full_queue_blocks_if_told_to(workers):
    """full="block": the caller waits until there is room; nothing is lost, the order is kept."""
    main = Door(rr.PhysicalAction(capacity=2, full="block"), n=20, is_held=True)
    pushed = []

    def push():
        for i in range(20):
            main.act.schedule(i)
            pushed.append(i)
            if i == 1:
                is_full.set()

    is_full = threading.Event()
    with running(main, workers):
        thread = in_thread(push)
        wait(is_full)
        assert pushed == [0, 1]
        main.go_on.set()
        wait(main.came)
        joined(thread)
    assert main.values == list(range(20))


def test_a_blocked_caller_is_released_when_the_program_ends(workers):
    """Nobody waits for room in a program that is over: PhaseError."""
    main = Door(rr.PhysicalAction(capacity=1, full="block"), is_held=True)
    outcome, is_full = [], threading.Event()

    def push():
        try:
            for i in range(10**6):
                main.act.schedule(i, delay=rr.sec(3600))
                is_full.set()
        except rr.PhaseError as e:
            outcome.append(type(e))

    with running(main, workers) as program:
        thread = in_thread(push)
        wait(is_full)
        program.stop()
        main.go_on.set()
        joined(thread)
    assert outcome == [rr.PhaseError]
    assert main.values == []


@pytest.mark.parametrize("full", ["raise", "drop", "block"])
def test_threads_that_push_survive_the_end_of_the_program(workers, full):
    """A call near the end is taken, refused as declared, or raises PhaseError."""
    main = Door(rr.PhysicalAction(capacity=4, full=full), n=50)
    taken, ends = [], []

    def push(k):
        try:
            for i in range(10**7):
                try:
                    if main.act.schedule((k, i)).tag is not None:
                        taken.append((k, i))
                except rr.CapacityError:
                    pass
        except rr.PhaseError:
            ends.append(k)

    with running(main, workers, fast=True) as program:
        threads = [in_thread(push, k) for k in range(3)]
        wait(main.came)
        program.stop()
        joined(*threads)
    assert sorted(ends) == [0, 1, 2]
    assert set(main.values) <= set(taken)
    for k in range(3):
        own = [i for kk, i in main.values if kk == k]
        assert own == sorted(set(own))


def test_blocking_inside_of_a_body_raises(workers):
    """A body cannot wait for room: the queue is emptied only after the tag."""
    errors = []

    class Main(rr.Reactor):
        act = rr.PhysicalAction(capacity=1, full="block")

        @rr.reaction(rr.startup, effects=act)
        def start(self):
            self.act.schedule(1)
            with pytest.raises(rr.ReactorError) as e:
                self.act.schedule(2)
            errors.append(e.value)

        @rr.reaction(act)
        def on_act(self):
            errors.append(self.act.value)
            self.request_stop()

    run(Main(), workers, keepalive=True)
    assert len(errors) == 2
    assert isinstance(errors[0], (rr.CapacityError, rr.PhaseError))
    assert errors[1] == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"capacity": 0}, ValueError), ({"capacity": 1.5}, TypeError), ({"full": "wait"}, ValueError)],
)
def test_bad_bounds_are_refused_at_once(arguments, error):
    """A capacity is a positive int, `full` one of three words."""
    with pytest.raises(error):
        rr.PhysicalAction(**arguments)


# -- physical connections


def test_a_physical_connection_stamps_with_the_clock(workers, clock):
    """`physical=True`: the tag is physical time plus `after`, never before the sender's."""
    trace, sent = Trace(), []

    class Send(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def start(self):
            sent.append(self.physical_elapsed())
            self.out.set("x")

    def build(self):
        self.a, self.b = Send(), Collect(trace)
        self.connect(self.a.out, self.b.inp, physical=True, after=rr.msec(1))

    run(Wire(build), workers)
    ((tag, value),) = trace.events
    assert value == "x"
    assert tag[0] >= sent[0] + rr.msec(1)
    # A virtual clock stands still at the sender's time, so the value is one microstep later.
    assert tag == (rr.msec(1), 1) if clock == "virtual" else tag[1] == 0


def test_a_wide_physical_connection_keeps_the_channels_apart(workers):
    """Values of one tag arrive at distinct, increasing tags in the order of the channels."""
    trace = Trace()

    def build(self):
        self.src, self.bank = Spread(5, {i: i for i in range(5)}), rr.Bank(5, Collect, trace)
        self.connect(self.src.out, self.bank.inp, physical=True)

    run(Wire(build), workers)
    assert [value for _, _, value in trace.rows] == [0, 1, 2, 3, 4]
    tags = [tag for tag, _, _ in trace.rows]
    assert tags == sorted(set(tags))


def test_a_physical_connection_breaks_a_loop(workers):
    """It is a delay as far as causality goes."""
    trace = Trace()

    class Until(Pass):
        @rr.reaction(rr.startup, effects=Pass.out)
        def start(self):
            self.out.set(0)

        def forward(self):
            trace(self, self.inp.value)
            if self.inp.value < 3:
                self.out.set(self.inp.value + 1)

    def build(self):
        self.a, self.b = Until(), Pass()
        self.connect(self.a.out, self.b.inp)
        self.connect(self.b.out, self.a.inp, physical=True)

    run(Wire(build), workers)
    assert [value for _, value in trace.events] == [0, 1, 2, 3]


@pytest.mark.own_clock(reason="only the real clock can be behind logical time")
def test_a_physical_connection_of_a_fast_program_is_never_early(workers):
    """Where logical time is past physical time the value arrives at the next microstep."""
    trace, hour = Trace(), rr.sec(3600)

    def build(self):
        self.a, self.b = Emit("x", offset=hour), Collect(trace)
        self.connect(self.a.out, self.b.inp, physical=True)

    rr.run(Wire(build), workers=workers, fast=True)
    assert trace.events == [((hour, 1), "x")]
