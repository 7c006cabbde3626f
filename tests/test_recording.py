"""Recording what comes from outside, and replaying it to the same trace_hash."""

import base64
import contextlib
import json
import random
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import reactorrl as rr
from reactorrl.encoding import decode, encode
from reactorrl.testing import VirtualClock

ROUNDS = 80


class Sensor(rr.Reactor):
    """Hears from a thread, and passes on by a port."""

    plain = rr.PhysicalAction()
    spaced = rr.PhysicalAction(rr.usec(50), min_spacing=rr.usec(300))
    dropped = rr.PhysicalAction(min_spacing=rr.usec(400), policy="drop")
    replaced = rr.PhysicalAction(min_spacing=rr.usec(400), policy="replace")
    out, count = rr.Output(), rr.Output()

    def __init__(self):
        self.n = 0

    @rr.reaction(plain, spaced, dropped, replaced, effects=(out, count))
    def hear(self):
        self.n += 1
        seen = [a.get() for a in (self.plain, self.spaced, self.dropped, self.replaced)]
        self.out.set((self.n, seen))
        if self.n % 3 == 0:
            self.count.set(self.n)


class Logger(rr.Reactor):
    inp, late = rr.Input(), rr.Input()
    again = rr.LogicalAction(rr.usec(20))

    def __init__(self):
        self.log = []
        self.has_heard = threading.Event()

    @rr.reaction(inp, late, effects=again)
    def note(self):
        self.log.append((self.tag, self.inp.get(), self.late.get()))
        if len(self.log) > ROUNDS // 8:
            self.has_heard.set()
        if self.inp.is_present and self.inp.value[0] % 2:
            self.again.schedule(len(self.log))

    @rr.reaction(again)
    def ring(self):
        self.log.append((self.tag, self.again.value))

    @rr.reaction(rr.shutdown)
    def end(self):
        self.log.append((self.tag, "end"))


class Main(rr.Reactor):
    """Sensors and loggers, connected plainly, delayed and physically."""

    def __init__(self, n=3):
        self.sensors = rr.Bank(n, Sensor)
        self.loggers = rr.Bank(n, Logger)
        self.connect(self.sensors.out, self.loggers.inp)
        self.connect(self.sensors.count, self.loggers.late, physical=True, after=rr.usec(10))

    @property
    def logs(self):
        return [each.log for each in self.loggers]


def push(main, seed):
    """What a thread does: pushes and cancels at random times."""
    chooser = random.Random(seed)
    handles = []
    for i in range(ROUNDS):
        sensor = chooser.choice(main.sensors)
        name = chooser.choice(["plain", "spaced", "dropped", "replaced"])
        value = chooser.choice([i, [i, {"a": None}], (i, 0.5), np.arange(i % 4.0), b"\0"])
        action = getattr(sensor, name)
        handles.append(action.schedule(value, delay=chooser.randrange(200_000)))
        if chooser.random() < 0.2:
            chooser.choice(handles).cancel()
        end = time.perf_counter_ns() + chooser.randrange(100_000)
        while time.perf_counter_ns() < end:
            pass


def run_with_threads(main, program, seed, *, stops):
    """Runs the program while two threads push, to their end, or stops it in the middle."""

    def work(k):
        with contextlib.suppress(rr.PhaseError):  # it has been stopped
            push(main, seed + k)

    with contextlib.ExitStack() as producers:
        for sensor in main.sensors:
            producers.enter_context(sensor.plain.producer())
        program.start()
        threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
        for thread in threads:
            thread.start()
        if stops:
            assert main.loggers[0].has_heard.wait(30)
            program.stop()
        for thread in threads:
            thread.join()
    return program.join()


def comparable(report):
    return (report.trace_hash, report.stop_tag, report.reactions, report.tags)


def same(a, b):
    """Equal logs, arrays included."""
    return repr(a) == repr(b)


@pytest.mark.parametrize("stops", [False, True], ids=["starves", "stopped"])
def test_what_threads_push_is_replayed(tmp_path, workers, seed, stops):
    """Policies, spacing, cancel, physical connections, a stop from outside: the same run again."""
    path = tmp_path / "run.rec"
    main = Main()
    program = rr.Program(main, workers=workers, record=path)
    report = run_with_threads(main, program, seed, stops=stops)
    assert main.logs[0][-1] == (report.stop_tag, "end")
    for n in (1, workers):
        again = Main()
        replayed = rr.run(again, workers=n, replay=path)
        assert comparable(replayed) == comparable(report)
        assert same(again.logs, main.logs)
    assert sum(map(len, main.logs)) > 10


def recorded(path, main, *, wait=None, **options):
    """Run `main`, whose action `event` gets 1, 2, 3 from outside."""
    program = rr.Program(main, record=path, **options)
    with main.event.producer():
        program.start()
        for value in (1, 2, 3):
            main.event.schedule(value)
    return program.join()


class Hears(rr.Reactor):
    event = rr.PhysicalAction()

    def __init__(self):
        self.seen = []

    @rr.reaction(event)
    def hear(self):
        self.seen.append((self.tag, self.event.value))


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_the_file_says(tmp_path):
    """A header, the events in order, the end; under its name only when it is whole."""
    path = tmp_path / "run.rec"
    main = Hears()
    report = recorded(path, main, seed=4)
    header, *events, stop, end = lines_of(path)
    fingerprint = header.pop("fingerprint")
    assert len(fingerprint) == 32
    assert header == {
        "format": "reactorrl-recording",
        "version": 1,
        "library": rr.__version__,
        "main": "Hears",
        "options": {"timeout": None, "keepalive": False, "seed": 4},
    }
    assert events == [
        {"event": "action", "path": "Hears.event", "tag": list(tag), "value": value}
        for tag, value in main.seen
    ]
    assert stop == {"event": "stop", "path": "Hears", "tag": list(report.stop_tag)}
    assert end == {"event": "end", "trace_hash": report.trace_hash}
    assert [each.name for each in tmp_path.iterdir()] == ["run.rec"]


def test_a_replay_is_not_disturbed_from_outside(tmp_path):
    """schedule() gives a dropped handle, and an open producer keeps nothing alive."""
    path = tmp_path / "run.rec"
    main = Hears()
    report = recorded(path, main)
    again = Hears()
    program = rr.Program(again, replay=path)
    again.event.producer().__enter__()
    program.start()
    handle = again.event.schedule(9)
    assert handle.tag is None
    assert not handle.cancel()
    assert comparable(program.join()) == comparable(report)
    assert again.seen == main.seen


def test_a_body_that_schedules_is_replayed(tmp_path):
    """Its physical events come from the file, and the trace is the same."""

    class Own(Hears):
        @rr.reaction(rr.startup, effects=Hears.event)
        def start(self):
            self.event.schedule(7)

    path = tmp_path / "run.rec"
    main, again = Own(), Own()
    report = rr.run(main, record=path)
    assert comparable(rr.run(again, replay=path)) == comparable(report)
    assert [value for _, value in again.seen] == [7]
    assert again.seen == main.seen


def test_a_replay_does_not_wait(tmp_path):
    """A recorded second takes no second."""
    path = tmp_path / "run.rec"

    class Later(Hears):
        @rr.reaction(rr.startup, effects=Hears.event)
        def start(self):
            self.event.schedule(7, delay=rr.sec(5000))

    clock = VirtualClock()
    report = rr.run(Later(), record=path, clock=clock)
    assert clock.now == rr.sec(5000)
    started = time.monotonic()
    assert comparable(rr.run(Later(), replay=path)) == comparable(report)
    assert time.monotonic() - started < 60


def test_a_run_that_ends_with_an_error_ends_so_again(tmp_path):
    """The body raises again, at the same tag."""

    class Fails(Hears):
        @rr.reaction(Hears.event)
        def fail(self):
            if self.event.value == 2:
                raise ValueError(self.tag)

        @rr.reaction(rr.shutdown)
        def end(self):
            self.seen.append("end")

    path = tmp_path / "run.rec"
    main, again = Fails(), Fails()
    with pytest.raises(rr.ReactionError) as first:
        recorded(path, main)
    with pytest.raises(rr.ReactionError) as second:
        rr.run(again, replay=path)
    assert (first.value.tag, first.value.reaction) == (second.value.tag, second.value.reaction)
    assert comparable(first.value.report) == comparable(second.value.report)
    assert (main.seen[-1], again.seen) == ("end", main.seen)


def test_what_a_crash_leaves_can_be_replayed(tmp_path):
    """A process that dies leaves `.part`; its events come again, as far as they were written."""
    path = tmp_path / "run.rec"
    script = f"""
import os
import reactorrl as rr
from test_recording import Hears

main = Hears()
program = rr.Program(main, record={str(path)!r}, timeout=rr.sec(100))
with main.event.producer():
    program.start()
    for value in range(5):
        main.event.schedule(value)
    while len(main.seen) < 5:
        pass
    print(main.seen, flush=True)
    os._exit(9)
"""
    tests = str(__file__).rpartition("/")[0]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tests, timeout=60
    )
    assert (done.returncode, path.exists()) == (9, False), done.stderr
    part = tmp_path / "run.rec.part"
    with part.open("a") as file:
        file.write('{"event":"action","pa')  # torn
    main = Hears()
    text = r"run.rec.part is incomplete \(no end line\); replaying its 5 events"
    with pytest.warns(RuntimeWarning, match=text):
        report = rr.run(main, replay=part)
    assert repr(main.seen) == done.stdout.strip()
    assert report.stop_tag == rr.Tag(main.seen[-1][0].time, main.seen[-1][0].microstep + 1)


class Urgent(rr.Reactor):
    """Misses the deadlines of its bodies, with and without handler, by the clock alone."""

    tick = rr.Timer(period=rr.usec(50))
    out = rr.Output()

    def __init__(self):
        self.log = []

    @rr.reaction(tick, effects=out)
    def load(self):
        if self.tag.time % rr.usec(150) == 0:
            end = time.perf_counter_ns() + rr.usec(100)
            while time.perf_counter_ns() < end:
                pass
        self.out.set(1)

    @rr.reaction(tick, effects=out, deadline=rr.usec(40))
    def work(self):
        self.log.append((self.tag, "body"))

    @work.on_deadline_miss
    def late(self):
        self.log.append((self.tag, "late"))

    @rr.reaction(tick, deadline=rr.usec(60))
    def skipped(self):
        self.log.append((self.tag, "ran"))


def test_missed_deadlines_are_replayed(tmp_path, workers):
    """The same bodies, handlers and gaps, though nothing is late."""
    path = tmp_path / "run.rec"
    main, again = Urgent(), Urgent()
    report = rr.run(main, record=path, timeout=rr.msec(20), workers=workers)
    replayed = rr.run(again, replay=path, timeout=rr.msec(20), workers=workers)
    assert comparable(replayed) == comparable(report)
    assert replayed.deadline_misses == report.deadline_misses
    assert again.log == main.log
    assert report.deadline_misses["Urgent.work"] >= 1


class Moody(Hears):
    """Physical events in modes that change, by reset and by history."""

    one, two = rr.Mode(initial=True), rr.Mode()
    turn = rr.Timer(period=rr.usec(300))
    out = rr.Output()

    @rr.reaction(turn, effects=[two, rr.history(one)])
    def change(self):
        (self.two if self.one.is_active else self.one).set()

    with one:
        held = rr.PhysicalAction(rr.usec(100))

        @rr.reaction(held, effects=out)
        def in_one(self):
            self.seen.append((self.tag, "one", self.held.value))
            self.out.set(self.held.value)

    with two:
        lost = rr.PhysicalAction()
        step = rr.Timer(rr.usec(40), rr.usec(70))

        @rr.reaction(lost, step)
        def in_two(self):
            self.seen.append((self.tag, "two", self.lost.get()))


def test_physical_events_of_modes_are_replayed(tmp_path, workers, seed):
    """At the tags at which they happened, not held up a second time."""
    path = tmp_path / "run.rec"
    main, again = Moody(), Moody()
    chooser = random.Random(seed)
    program = rr.Program(main, record=path, workers=workers)
    program.start()
    for i in range(100_000):  # until events have come in both modes
        chooser.choice([main.held, main.lost, main.event]).schedule(i)
        threading.Event().wait(20e-6)
        if i > 100 and {"one", "two"} <= {row[1] for row in list(main.seen)}:
            break
    program.stop()
    report = program.join()
    replayed = rr.run(again, replay=path, workers=workers)
    assert comparable(replayed) == comparable(report)
    assert again.seen == main.seen
    assert {row[1] for row in main.seen} >= {"one", "two"}


class Apart(Main):
    """The same sensors and loggers, each in an enclave, connected with a delay and physically."""

    def __init__(self, n=2):
        self.sensors = rr.enclave(rr.Bank(n, Sensor))
        self.loggers = rr.enclave(rr.Bank(n, Logger))
        self.connect(self.sensors.out, self.loggers.inp, after=rr.usec(5))
        self.connect(self.sensors.count, self.loggers.late, physical=True)


@pytest.mark.parametrize("stops", [False, True], ids=["starves", "stopped"])
def test_enclaves_are_replayed(tmp_path, seed, stops):
    """Each comes to its own last tag again."""
    path = tmp_path / "run.rec"
    main, again = Apart(), Apart()
    report = run_with_threads(main, rr.Program(main, record=path), seed, stops=stops)
    replayed = rr.run(again, replay=path)
    assert comparable(replayed) == comparable(report)
    assert replayed.enclaves == report.enclaves
    assert same(again.logs, main.logs)
    assert len(report.enclaves) == 5


class Brief(Sensor):
    """Ends the program, one way or the other, once it has heard enough."""

    raises = False

    def hear(self):
        self.n += 1
        self.out.set((self.n, self.plain.get()))
        if self.n == 25:
            if self.raises:
                raise ValueError(self.tag)
            self.request_stop()


class Breaking(Brief):
    raises = True


class Slow(Sensor):
    seconds = 0

    def hear(self):
        threading.Event().wait(self.seconds)
        self.n += 1
        self.out.set((self.n, self.plain.get()))


@pytest.mark.parametrize("kind", [Brief, Breaking])
def test_enclaves_that_are_not_reached_stop_where_they_did(tmp_path, seed, kind):
    """One enclave stops or raises; those without a way from it go on to where they were stopped."""

    class Ended(Apart):
        def __init__(self):
            self.sensors = [rr.enclave(kind()), rr.enclave(Slow())]
            self.loggers = rr.enclave(rr.Bank(2, Logger))
            outs = [each.out for each in self.sensors]
            self.connect(outs, self.loggers.inp, after=rr.usec(5))

    def outcome(run):
        try:
            return run(), None
        except rr.ReactionError as error:
            return error.report, str(error)

    path = tmp_path / "run.rec"
    main, again = Ended(), Ended()
    again.sensors[1].seconds = 1e-3  # so that the others have ended long before
    program = rr.Program(main, record=path)
    report, text = outcome(lambda: run_with_threads(main, program, seed, stops=False))
    replayed, again_text = outcome(lambda: rr.run(again, replay=path))
    assert comparable(replayed) == comparable(report)
    assert (replayed.enclaves, again_text) == (report.enclaves, text)
    assert same(again.logs, main.logs)
    assert (text is not None) == kind.raises


# Files that are refused.


def test_another_program_is_refused(tmp_path):
    """Another class, other elements, other connections: nothing runs."""
    path = tmp_path / "run.rec"
    recorded(path, Hears())

    class Other(Hears):
        pass

    with pytest.raises(rr.RecordingError, match="is a recording of Hears, not of Other"):
        rr.run(Other(), replay=path)
    More = type("Hears", (Hears,), {"tick": rr.Timer()})  # noqa: N806
    with pytest.raises(rr.RecordingError, match="is a recording of another Hears"):
        rr.run(More(), replay=path)

    main = Main()
    rr.run(main, record=path, timeout=0)
    unlike = Main()
    unlike.connect(unlike.sensors[0].count, unlike.loggers[0].inp)
    with pytest.raises(rr.RecordingError, match="is a recording of another Main"):
        rr.run(Main(2), replay=path, timeout=0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"seed": 2}, "seed=1, and is replayed with seed=2; give seed=1"),
        ({"seed": 1, "timeout": 5}, "timeout=None, and is replayed with timeout=5"),
        ({"seed": 1, "keepalive": True}, "keepalive=False, and is replayed with keepalive=True"),
    ],
)
def test_other_options_are_refused(tmp_path, options, text):
    """Those that decide what happens; the number of workers does not."""
    path = tmp_path / "run.rec"
    recorded(path, Hears(), seed=1)
    with pytest.raises(rr.RecordingError, match=text):
        rr.run(Hears(), replay=path, **options)
    rr.run(Hears(), replay=path, seed=1, workers=3, check=True)


def changed(text, **changes):
    header, *rest = text.splitlines(keepends=True)
    return json.dumps({**json.loads(header), **changes}) + "\n" + "".join(rest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "is no recording"),
        (lambda text: "hello\n", "is no recording"),
        (lambda text: changed(text, format="x"), "is no recording"),
        (lambda text: changed(text, version=2), "of format 2; this version .* reads format 1"),
        (lambda text: text.replace('"tag":[', '"tag":{', 1), "line 2 is damaged"),
        (lambda text: text.replace('"action"', '"nothing"', 1), "line 2 is damaged: unknown event"),
        (lambda text: text + text[-30:], "there is something after the end"),
        (lambda text: text.replace("Hears.event", "Hears.nothing", 1), "is nothing that can come"),
        (lambda text: text.replace('"action"', '"port"', 1), "is nothing that can come"),
    ],
)
def test_damaged_files_are_refused(tmp_path, change, message):
    """With the line and the reason, before anything runs."""
    path = tmp_path / "run.rec"
    recorded(path, Hears())
    path.write_text(change(path.read_text()))
    main = Hears()
    with pytest.raises(rr.RecordingError, match=message):
        rr.Program(main, replay=path)
    assert main.seen == []


def test_another_library_is_warned_of(tmp_path):
    """Its runs may differ."""
    path = tmp_path / "run.rec"
    recorded(path, Hears())
    path.write_text(changed(path.read_text(), library="0.0.1"))
    with pytest.warns(RuntimeWarning, match=r"recorded by reactorrl 0\.0\.1"):
        rr.run(Hears(), replay=path)


class HearsMore(Hears):
    """What the bodies of a program may become after the recording."""

    again = rr.LogicalAction()

    def __init__(self, n):
        super().__init__()
        self.n = n

    @rr.reaction(rr.startup, effects=again)
    def begin(self):
        for delay in range(self.n):
            self.again.schedule(delay=delay)


def test_a_replay_that_does_something_else_says_so(tmp_path):
    """Both hashes are told; not when the replay is stopped before its end."""
    path = tmp_path / "run.rec"
    hash_ = recorded(path, HearsMore(1)).trace_hash
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rr.run(HearsMore(1), replay=path).trace_hash == hash_
        program = rr.Program(HearsMore(2), replay=path)
        with program:
            program.start()
    text = f"run.rec: the replay gave trace_hash .*, recorded was {hash_}: a body has changed"
    program = rr.Program(HearsMore(2), replay=path)
    with pytest.warns(RuntimeWarning, match=text) as warned:
        report = program.run()
    assert report.trace_hash in str(warned[0].message)


def test_a_binary_file_is_no_recording(tmp_path):
    """Whatever its bytes are."""
    path = tmp_path / "run.rec"
    path.write_bytes(b"\x80\x04\x95\xff\x00\n")
    with pytest.raises(rr.RecordingError, match=r"run\.rec is no recording"):
        rr.Program(Hears(), replay=path)


def test_what_record_and_replay_refuse(tmp_path):
    """Both at once, a clock for a replay, files that are not there."""
    path = tmp_path / "run.rec"
    with pytest.raises(ValueError, match="are for two runs"):
        rr.Program(Hears(), record=path, replay=path)
    recorded(path, Hears())
    with pytest.raises(ValueError, match="clock= and replay="):
        rr.Program(Hears(), replay=path, clock=VirtualClock())
    with pytest.raises(FileNotFoundError):
        rr.Program(Hears(), replay=tmp_path / "nothing")
    program = rr.Program(Hears(), record=tmp_path / "no" / "run.rec")
    with pytest.raises(FileNotFoundError, match=r"record='.*run\.rec': .* cannot be written: No "):
        program.start()


# Values.


class Opaque:
    def __init__(self, number):
        self.number = number

    def __eq__(self, other):
        return isinstance(other, Opaque) and other.number == self.number

    __hash__ = None


def test_a_value_that_json_cannot_say_is_refused(tmp_path):
    """The run stops, and the error names the action, the tag and the type."""
    path = tmp_path / "run.rec"
    main = Hears()
    program = rr.Program(main, record=path)
    with main.event.producer():
        program.start()
        main.event.schedule(1)
        main.event.schedule(Opaque(2))
        with pytest.raises(rr.RecordingError) as raised:
            program.join(rr.sec(30))
    text = str(raised.value)
    assert text.startswith("Hears.event at Tag(time=")
    assert "a value of type Opaque cannot be recorded: a test_recording.Opaque has no JSON" in text
    assert "form; record with allow_pickle=True (" in text
    assert sorted(each.name for each in tmp_path.iterdir()) == ["run.rec.part"]


def test_pickled_values_need_permission_twice(tmp_path):
    """To write them, and to load them."""
    path = tmp_path / "run.rec"

    class Own(Hears):
        @rr.reaction(rr.startup, effects=Hears.event)
        def start(self):
            self.event.schedule(Opaque(7))

    report = rr.run(Own(), record=path, allow_pickle=True)
    with pytest.raises(rr.RecordingError, match=r"line 2: the value is pickled.*allow_pickle=True"):
        rr.run(Own(), replay=path)
    again = Own()
    assert comparable(rr.run(again, replay=path, allow_pickle=True)) == comparable(report)
    assert [value for _, value in again.seen] == [Opaque(7)]


class Loads:
    """Says so when it is loaded."""

    loaded = 0

    def __setstate__(self, state):
        Loads.loaded += 1


def test_nothing_is_loaded_without_permission(tmp_path):
    """Not even to look at it."""
    path = tmp_path / "run.rec"
    recorded(path, Hears())
    value = Loads()
    value.x = 1
    data = json.dumps(encode([value], allow_pickle=True))
    path.write_text(path.read_text().replace('"value":1', f'"value":{data}'))
    with pytest.raises(rr.RecordingError, match="is pickled"):
        rr.run(Hears(), replay=path)
    assert Loads.loaded == 0
    rr.run(Hears(), replay=path, allow_pickle=True)
    assert Loads.loaded == 1


PLAIN = [None, True, 0, -(2**80), 1.5, 1e-300, "", "\ud800\n€", [], [1, [2]], {}, {"a": [None]}]
TAGGED = [
    (),
    (1, (2, [3])),
    b"\0\xff",
    {1: 2, (3, 4): [5]},
    {"$": "bytes"},
    float("inf"),
    float("nan"),
    -0.0,
    np.arange(6, dtype=np.int16).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.array(3.0),
    np.zeros((0, 4), np.float32),
    np.array(["a", "bcd"]),
    np.array(["2020-01-01"], "M8[D]"),
    np.array([1, 2], ">i4"),
    np.array([1 + 2j, 3]),
    np.float32(1.25),
    np.bool_(True),
    np.int64(2**60),
    {"obs": np.ones(3), "done": (np.bool_(False),)},
]


@pytest.mark.parametrize("value", PLAIN + TAGGED, ids=lambda value: repr(value)[:20])
def test_values_come_back_as_they_were(value):
    """With their types, dtypes and shapes, without any pickle."""
    encoded = encode(value, allow_pickle=False)
    assert (encoded == value) if any(value is each for each in PLAIN) else True
    decoded = decode(json.loads(json.dumps(encoded, allow_nan=False)), allow_pickle=False)
    assert type(decoded) is type(value)
    assert repr(decoded) == repr(value)
    if isinstance(value, np.ndarray):
        assert (decoded.dtype, decoded.shape) == (value.dtype, value.shape)
        assert decoded.flags.writeable
        assert decoded.tobytes() == value.tobytes()


@pytest.mark.parametrize(
    "value",
    [
        Opaque(1),
        {1, 2},
        [Opaque(1)],
        np.array([Opaque(1)]),
        np.zeros(2, [("a", int)]),
        type("Int", (int,), {})(3),
        np.ma.array([1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_values_can_only_be_pickled(value):
    """Subclasses of what JSON knows included: they would come back as something else."""
    with pytest.raises(TypeError, match="has no JSON form; record with allow_pickle=True"):
        encode(value, allow_pickle=False)


def test_values_that_cannot_be_pickled_are_refused():
    """With the advice to send something else."""

    def local():
        pass

    with pytest.raises(TypeError, match=r"^a set has no JSON form; record with allow_pickle=True$"):
        encode({1}, allow_pickle=False)
    with pytest.raises(ValueError, match=r"cannot be pickled either .*; send data instead"):
        encode(local, allow_pickle=True)


@pytest.mark.parametrize("encoded", [{"$": "x"}, {"$": "array"}, {"$": "bytes", "base64": "*"}])
def test_unknown_encodings_are_refused(encoded):
    """A kind that nobody writes, a missing part, bad base64."""
    with pytest.raises((ValueError, KeyError)):
        decode(encoded, allow_pickle=True)
    assert base64.b64decode("") == b""
