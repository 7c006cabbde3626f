"""Physical actions: where their events land, who schedules them, what keeps a program alive."""

import itertools
import threading

import pytest
from programs import Door, Emit, Wire, in_thread, joined, prepared, run, running, wait

import reactorrl as rr

# -- where events land


def test_an_event_lands_at_the_time_of_the_call(workers):
    """The tag is the physical time of the call, at microstep 0, and the handle tells it."""
    main = Door()
    with running(main, workers):
        handle = main.act.schedule("hello")
        wait(main.came)
    assert main.seen == [(tuple(handle.tag), "hello")]
    assert handle.tag.time >= main.now
    assert handle.tag.microstep == 0


def test_delays_are_added(workers):
    """min_delay and delay are added to the time of the call."""
    main = Door(rr.PhysicalAction(rr.msec(1)))
    with running(main, workers):
        main.act.schedule(None, delay=rr.msec(2))
        wait(main.came)
    assert main.seen[0][0][0] >= main.now + rr.msec(3)


def test_an_event_is_not_handled_before_its_time(workers):
    """Without fast, the event waits for its tag's time."""
    lags = []

    class Late(Door):
        def on_act(self):
            lags.append(self.lag())
            super().on_act()

    main = Late()
    with running(main, workers):
        main.act.schedule(1, delay=rr.msec(2))
        wait(main.came)
    assert len(lags) == 1
    assert lags[0] >= 0


@pytest.mark.parametrize("fast", [True, False])
def test_events_of_one_thread_come_in_the_order_of_the_calls(workers, fast):
    """Each event has a tag of its own, and tags grow with the calls."""
    main = Door(n=500)
    with running(main, workers, fast=fast):
        for i in range(500):
            main.act.schedule(i)
        wait(main.came)
    assert main.values == list(range(500))
    tags = [tag for tag, _ in main.seen]
    assert tags == sorted(set(tags))


@pytest.mark.parametrize("fast", [True, False])
def test_events_of_many_threads_all_come(workers, fast):
    """Any thread may schedule; nothing is lost, and each thread's own order is kept."""
    main = Door(rr.PhysicalAction(capacity=10_000), n=4 * 200)

    def push(k):
        for i in range(200):
            main.act.schedule((k, i))

    with running(main, workers, fast=fast):
        threads = [in_thread(push, k) for k in range(4)]
        joined(*threads)
        wait(main.came)
    assert sorted(main.values) == [(k, i) for k in range(4) for i in range(200)]
    for k in range(4):
        assert [i for kk, i in main.values if kk == k] == list(range(200))
    tags = [tag for tag, _ in main.seen]
    assert tags == sorted(set(tags))


@pytest.mark.own_clock(reason="only the real clock can be behind logical time")
def test_a_fast_program_takes_an_event_at_the_next_microstep_when_it_is_ahead(workers):
    """With fast, an event whose physical time has passed logically lands at the next microstep."""
    ahead = threading.Event()

    class Ahead(Door):
        tick = rr.Timer(rr.sec(3600))

        @rr.reaction(tick)
        def far(self):
            ahead.set()

    main = Ahead(n=2)
    with running(main, workers, fast=True):
        wait(ahead)
        main.act.schedule("a")
        main.act.schedule("b")
        wait(main.came)
    assert main.seen == [((rr.sec(3600), 1), "a"), ((rr.sec(3600), 2), "b")]


def test_a_body_may_schedule_its_own_physical_action(workers):
    """Declared as an effect, it is scheduled in a body; the event is later than the body's tag."""
    seen = []

    class Main(rr.Reactor):
        act = rr.PhysicalAction()

        @rr.reaction(rr.startup, act, effects=act)
        def on(self):
            k = self.act.get(0)
            seen.append((self.tag, k))
            if k < 3:
                self.act.schedule(k + 1)
            else:
                self.request_stop()

    run(Main(), workers, keepalive=True)
    assert [k for _, k in seen] == [0, 1, 2, 3]
    assert [tag for tag, _ in seen] == sorted({tag for tag, _ in seen})


def test_none_is_a_value(workers):
    """schedule() carries None, present."""
    main = Door()
    with running(main, workers):
        main.act.schedule()
        wait(main.came)
    assert main.values == [None]


# -- who may schedule, and when


def test_an_undeclared_physical_action_cannot_be_scheduled_in_a_body(workers):
    """Inside of a body the effect must be declared, as for every other element."""
    refused = []

    class Main(rr.Reactor):
        act = rr.PhysicalAction()

        @rr.reaction(rr.startup)
        def start(self):
            with pytest.raises(rr.UndeclaredEffectError):
                self.act.schedule()
            refused.append(True)

        @rr.reaction(act)
        def never(self):
            refused.append("came")

    run(Main(), workers)
    assert refused == [True]


def test_a_physical_action_is_scheduled_while_its_program_runs_only(workers):
    """Before the start and after the end, schedule raises PhaseError."""
    with pytest.raises(rr.PhaseError, match=r"^Door\.act: it is in no program yet"):
        Door().act.schedule()
    waiting = prepared(main := Door(), workers)
    with pytest.raises(rr.PhaseError, match=r"does not run yet; schedule after program\.start\(\)"):
        main.act.schedule()
    del waiting
    main = Door()
    with running(main, workers):
        main.act.schedule(1)
        wait(main.came)
    with pytest.raises(rr.PhaseError, match=r"^Door\.act: the program has ended$"):
        main.act.schedule()
    assert main.values == [1]


@pytest.mark.parametrize(
    ("delay", "error"), [(-1, ValueError), (0.5, TypeError), (rr.FOREVER, OverflowError)]
)
def test_a_bad_delay_is_refused_at_the_call(workers, delay, error):
    """The caller gets the error, in its own thread."""
    main = Door()
    with running(main, workers), pytest.raises(error):
        main.act.schedule(1, delay=delay)
    assert main.values == []


# -- keeping a program alive


def test_a_physical_action_alone_does_not_keep_a_program_alive(workers):
    """Without keepalive and without an open producer, the program starves as any other."""
    main = Door()
    assert run(main, workers).stop_tag == rr.Tag(0, 1)


@pytest.mark.parametrize("fast", [True, False])
def test_a_producer_keeps_a_program_alive_until_it_is_closed(workers, fast):
    """`with action.producer()` holds the program; after the last one, all handled, it ends."""

    class Held(Door):
        def start(self):
            self.producer = self.act.producer()
            self.producer.__enter__()
            super().start()

    main = Held(n=3)

    def produce():
        wait(main.started)
        with main.act.producer():
            main.producer.__exit__(None, None, None)
            for i in range(3):
                main.act.schedule(i)

    thread = in_thread(produce)
    report = prepared(main, workers, fast=fast).run()
    joined(thread)
    assert main.values == [0, 1, 2]
    time, microstep = main.seen[-1][0]
    assert report.stop_tag == rr.Tag(time, microstep + 1)


# -- spacing and handles


@pytest.mark.parametrize(("policy", "values"), [("drop", [0]), ("replace", [2]), ("update", [2])])
def test_spacing_applies_to_physical_events(workers, policy, values):
    """The policies are those of logical actions; here three events come well within the spacing."""
    main = Door(rr.PhysicalAction(min_spacing=rr.sec(3600), policy=policy), is_held=True)
    with running(main, workers):
        for i in range(3):
            main.act.schedule(i, delay=rr.msec(1))
        main.go_on.set()
        wait(main.came)
    assert main.values == values


def test_defer_keeps_physical_events_apart(workers):
    """With min_spacing and defer, events come at least that far apart."""
    main = Door(rr.PhysicalAction(min_spacing=rr.msec(1)), n=4)
    with running(main, workers):
        for i in range(4):
            main.act.schedule(i)
        wait(main.came)
    assert main.values == [0, 1, 2, 3]
    times = [tag[0] for tag, _ in main.seen]
    assert all(b - a >= rr.msec(1) for a, b in itertools.pairwise(times))


@pytest.mark.own_clock(reason="a virtual clock jumps to the event")
def test_a_pending_physical_event_can_be_cancelled_from_any_thread(workers):
    """cancel() is True once, and the event does not come; handled events cannot be cancelled."""
    main = Door()
    with running(main, workers):
        handle = main.act.schedule("gone", delay=rr.sec(3600))
        assert handle.cancel() is True
        assert handle.cancel() is False
        handled = main.act.schedule("kept")
        wait(main.came)
        assert handled.cancel() is False
    assert main.values == ["kept"]


def test_physical_events_meet_logical_ones(workers):
    """Logical and physical events of a program happen in one order of tags."""
    tags = []

    class Mixed(Door):
        tick = rr.Timer(0, rr.usec(500))

        @rr.reaction(tick)
        def on_tick(self):
            tags.append(self.tag)

        def on_act(self):
            tags.append(self.tag)
            super().on_act()

    main = Mixed(n=20)
    with running(main, workers):
        for i in range(20):
            main.act.schedule(i)
        wait(main.came)
    assert tags == sorted(tags)
    assert main.values == list(range(20))


def test_an_emitter_in_another_program_feeds_this_one(workers):
    """A body of one program may schedule a physical action of another, as any thread may."""
    main = Door(n=3)

    class Feeder(rr.Reactor):
        inp = rr.Input()

        @rr.reaction(inp)
        def feed(self):
            main.act.schedule(self.inp.value)

    def build(self):
        self.src, self.feeder = Emit(1, 2, 3), Feeder()
        self.connect(self.src.out, self.feeder.inp)

    with running(main, workers):
        run(Wire(build), workers)
        wait(main.came)
    assert main.values == [1, 2, 3]


@pytest.mark.own_clock(reason="it is about fast=True")
def test_an_open_producer_holds_a_fast_program_before_its_timeout(workers):
    """With fast and keepalive an idle program jumps to its timeout once no producer is open."""
    main = Door(rr.PhysicalAction())
    hour = rr.sec(3600)
    held = rr.Program(main, workers=workers, fast=True, keepalive=True, timeout=hour)
    with main.act.producer():
        held.start()
        wait(main.started)
        main.act.schedule("while it is open")
        wait(main.came)
        assert held.join(timeout=0) is None
    report = held.join()
    ((tag, value),) = main.seen
    assert value == "while it is open"
    assert tag < (hour, 0)
    assert report.stop_tag == rr.Tag(hour, 0)
