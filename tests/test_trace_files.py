"""Trace files: slices, messages, counters, what is lost; and what `reactorrl trace` says."""

import json
import re
import threading
from collections import Counter, defaultdict
from contextlib import ExitStack
from pathlib import Path

import pytest

import reactorrl as rr
from reactorrl import trace as trace_module
from reactorrl.__main__ import main as command_line
from reactorrl.testing import VirtualClock
from reactorrl.trace_summary import Recorded, Slice, read_trace, summarize

HEADER = Path(__file__).resolve().parent.parent / "csrc" / "rrl.h"


class Source(rr.Reactor):
    """Sends 2, 1, 0 a microsecond apart."""

    out = rr.Output[int]()
    tick = rr.LogicalAction[None](min_delay=rr.usec(1))

    def __init__(self):
        self.left = 3

    @rr.reaction(rr.startup, tick, effects=(out, tick))
    def send(self):
        self.left -= 1
        self.out.set(self.left)
        if self.left:
            self.tick.schedule()


class Double(rr.Reactor):
    inp = rr.Input[int]()
    out = rr.Output[int]()

    @rr.reaction(inp, effects=(out,))
    def double(self):
        if self.inp.value:
            self.out.set(2 * self.inp.value)


class Sink(rr.Reactor):
    inp = rr.Input[int]()

    @rr.reaction(inp)
    def take(self):
        pass


class Main(rr.Reactor):
    """A source, two that double, and a sink a millisecond later."""

    def __init__(self):
        self.source = Source()
        self.double = rr.Bank(2, Double)
        self.sink = Sink()
        self.connect(self.source.out, self.double.inp, broadcast=True)
        self.connect(self.double[0].out, self.sink.inp, after=rr.msec(1))


class File:
    """A trace file, read as any program would."""

    def __init__(self, path):
        whole = json.loads(path.read_text())
        self.header = whole["otherData"]
        self.events = whole["traceEvents"]

    def of(self, **wanted):
        return [e for e in self.events if all(e.get(key) == wanted[key] for key in wanted)]

    def names(self):
        return {(e["pid"], e["tid"]): e["args"]["name"] for e in self.of(ph="M")}

    def workers(self):
        """The tid of each."""
        return [worker["tid"] for worker in self.header["workers"]]

    def bodies(self):
        """(time, microstep, path), in order of tags and paths."""
        args = [
            (e["args"]["time"], e["args"]["microstep"], e["name"])
            for e in self.of(ph="X", cat="reaction")
        ]
        return sorted(args)

    def slice_at(self, event):
        """The name of the slice of its track in which an event lies, and the slice's tag."""
        found = [
            e
            for e in self.of(ph="X", pid=event["pid"], tid=event["tid"])
            if ns(e["ts"]) <= ns(event["ts"]) < max(ns(e["ts"]) + ns(e["dur"]), ns(e["ts"]) + 1)
        ]
        assert len(found) == 1, event
        return found[0]["name"], found[0].get("args", {}).get("time")

    def messages(self):
        """((name, time) of the sender, name of the message, (name, time) of the receiver)."""
        begins = {e["id"]: e for e in self.of(ph="s")}
        assert len(begins) == len(self.of(ph="s"))
        found = []
        for end in self.of(ph="f"):
            begin = begins[end["id"]]
            assert end["bp"] == "e"
            assert begin["name"] == end["name"]
            assert ns(begin["ts"]) <= ns(end["ts"])
            found.append((self.slice_at(begin), begin["name"], self.slice_at(end)))
        assert {e["id"] for e in self.of(ph="f")} == set(begins)
        return sorted(found)

    def counter(self, name, pid=1):
        return [next(iter(e["args"].values())) for e in self.of(ph="C", name=name, pid=pid)]

    def check(self):
        """Events of a track are sorted; its slices do not overlap, but for arrivals at once."""
        tracks = defaultdict(list)
        for event in self.events:
            if event["ph"] != "M":
                key = event["pid"], event.get("tid"), event["name"] if event["ph"] == "C" else ""
                tracks[key].append(event)
        for events in tracks.values():
            times = [ns(e["ts"]) for e in events]
            assert times == sorted(times)
            assert min(times) >= 0
            until = 0
            for e in events:
                if e["ph"] == "X" and e["cat"] != "outside":
                    assert ns(e["ts"]) >= until
                    until = ns(e["ts"]) + ns(e["dur"])


def ns(us):
    return round(us * 1000)


def traced(main, tmp_path, *, fails=False, **options):
    path = tmp_path / "run.json"
    if fails:
        with pytest.raises(rr.ReactionError) as caught:
            rr.run(main, trace=path, **options)
        report = caught.value.report
    else:
        report = rr.run(main, trace=path, **options)
    file = File(path)
    file.check()
    assert Counter(e["name"].split(" (")[0] for e in file.of(ph="X", cat="reaction")) == Counter(
        {name: n for name, n in report.reaction_counts.items() if n}
    ) + Counter(report.deadline_misses) - Counter(
        {name: n for name, n in report.deadline_misses.items() if report.reaction_counts[name]}
    )
    return file


# -- what a file holds


def test_the_numbers_of_records_are_those_of_the_core():
    """Kinds of records and links are written twice, in C and in Python; they agree."""
    code = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)

    def names(kind):
        enum = re.search(rf"typedef enum rrl_{kind}_kind \{{(.*?)\}}", code, re.DOTALL)[1]
        return re.findall(rf"RRL_{kind.upper()}(_[A-Z]+)", enum)

    none, *kinds = names("trace")
    assert none == "_NONE"
    values = [getattr(trace_module, name) for name in kinds]
    assert values == list(range(1, 15))
    assert names("link") == ["_REACTION", "_CELL", "_DELAY", "_ACTION"]
    links = [getattr(trace_module, n) for n in ("_TRIGGERS", "_FILLS", "_FEEDS", "_IS_ACTION")]
    assert links == [0, 1, 2, 3]
    assert int(re.search(r"RRL_TRACE_ID_BITS (\d+)", code)[1]) == trace_module._ID_BITS


def test_slices_messages_and_counters_of_a_small_program(workers, tmp_path):
    """Every body with its tag, an arrow for each message and receiver, the queue at each tag."""
    file = traced(Main(), tmp_path, workers=workers, fast=True)
    names = ("double[0].double", "double[1].double", "source.send")
    assert file.bodies() == [
        *[(t, 0, f"Main.{name}") for t in (0, 1000, 2000) for name in names],
        (1_000_000, 0, "Main.sink.take"),
        (1_001_000, 0, "Main.sink.take"),
    ]
    sent = [
        (("Main.source.send", t), "Main.source.out", (f"Main.double[{i}].double", t))
        for t in (0, 1000, 2000)
        for i in (0, 1)
    ]
    ticks = [
        (("Main.source.send", t), "Main.source.tick", ("Main.source.send", t + 1000))
        for t in (0, 1000)
    ]
    late = [
        (("Main.double[0].double", t), "Main.double[0].out", ("Main.sink.take", t + 1_000_000))
        for t in (0, 1000)
    ]
    assert file.messages() == sorted(sent + ticks + late)
    assert file.counter("event queue") == [0, 1, 2, 1, 0]
    assert file.counter("lag (us)") == []  # there is no clock that it keeps to
    tags = [(e["name"], e["args"]["reactions"]) for e in file.of(cat="tag")]
    times = ("0 s", "1 us", "2 us", "1 ms", "1.001 ms")  # the last one, of the end, has no bodies
    assert tags == [(f"tag {t}", n) for t, n in zip(times, (3, 3, 3, 1, 1), strict=True)]
    assert file.names() == {
        (1, 0): "Main",
        **{(1, 2 + i): f"worker {i}" for i in range(workers)},
        (1, 2 + workers): "tags",
        (1, 3 + workers): "from outside",
    }
    levels = {"Main.source.send": 0, "Main.double[0].double": 1, "Main.double[1].double": 1}
    assert file.header["levels"] == {**levels, "Main.sink.take": 0}
    assert all(
        e["args"]["level"] == file.header["levels"][e["name"]] for e in file.of(cat="reaction")
    )


def test_what_workers_do_between_bodies_is_shown(tmp_path):
    """The coordinator waits for its next tag, and coordinates; another worker waits for work."""

    class Late(rr.Reactor):
        timer = rr.Timer(rr.msec(5))

        @rr.reaction(timer)
        def work(self):
            pass

    file = traced(Late(), tmp_path, workers=2)
    first, second = (
        [e["name"] for e in file.of(ph="X", tid=tid, cat="runtime")] for tid in file.workers()
    )
    assert "coordinating" in first
    assert "waiting for the next tag" in first
    assert second[:2] in (["spinning", "parked"], ["parked"])
    waited = sum(e["dur"] for e in file.of(name="waiting for the next tag"))
    assert waited > 1000


def test_lag_is_counted_by_the_programs_clock(workers, tmp_path):
    """At the beginning of each tag; exact under a virtual clock."""
    clock = VirtualClock()

    class Slow(rr.Reactor):
        timer = rr.Timer(0, rr.msec(1))

        @rr.reaction(timer)
        def work(self):
            clock.advance(rr.usec(1500))

    file = traced(Slow(), tmp_path, workers=workers, clock=clock, timeout=rr.msec(3))
    assert file.counter("lag (us)") == [0, 500, 1000, 1500]


def test_enclaves_are_processes_and_messages_go_between_them(workers, tmp_path):
    class Two(rr.Reactor):
        def __init__(self):
            self.source = Source()
            self.sink = rr.enclave(Sink(), workers=2)
            self.connect(self.source.out, self.sink.inp, after=0)

    file = traced(Two(), tmp_path, workers=workers, fast=True)
    assert file.header["enclaves"] == ["Two", "Two.sink"]
    assert [worker["pid"] for worker in file.header["workers"]] == [1] * workers + [2, 2]
    assert {e["pid"] for e in file.of(name="Two.sink.take")} == {2}
    main = set(file.workers()[:workers])
    assert {(e["pid"], e["tid"] in main) for e in file.of(cat="reaction")} == {
        (1, True),
        (2, False),
    }
    names = file.names()
    assert [names[1, tid] for tid in main] == [f"worker {i}" for i in range(workers)]
    assert {tid for _, tid in names} & {1, 2} == set()  # a viewer shows such ones as main threads
    across = [m for m in file.messages() if m[2][0] == "Two.sink.take"]
    assert across == [
        (("Two.source.send", t), "Two.source.out", ("Two.sink.take", t)) for t in (0, 1000, 2000)
    ]


def test_what_comes_from_another_thread_is_shown_with_an_arrow(workers, tmp_path):
    """An instant on a track of its own, at the time of the push; the inbox is counted."""

    class Open(rr.Reactor):
        event = rr.PhysicalAction[int]()

        def __init__(self):
            self.got = []

        @rr.reaction(rr.startup)
        def begin(self):
            held = ExitStack()  # from now on, or the program could end before the thread begins
            held.enter_context(self.event.producer())
            self.thread = threading.Thread(target=self.push, args=(held,))
            self.thread.start()

        def push(self, held):
            with held:
                for i in range(3):
                    self.event.schedule(i)

        @rr.reaction(event)
        def take(self):
            self.got.append(self.event.value)

        @rr.reaction(rr.shutdown)
        def end(self):
            self.thread.join()

    main = Open()
    file = traced(main, tmp_path, workers=workers)
    assert main.got == [0, 1, 2]
    pushes = file.of(ph="X", cat="outside")
    assert [e["name"] for e in pushes] == ["Open.event"] * 3
    assert {file.names()[e["pid"], e["tid"]] for e in pushes} == {"from outside"}
    times = [e["args"]["time"] for e in pushes]
    assert file.messages() == [
        (("Open.event", t), "Open.event", ("Open.take", t)) for t in sorted(times)
    ]
    assert all(ns(e["ts"]) <= e["args"]["time"] for e in pushes)
    inbox = file.counter("inbox")
    assert len(inbox) == 6
    assert inbox[-1] == 0
    assert max(inbox) >= 1


def test_an_event_that_was_dropped_says_so(tmp_path):
    class Choosy(rr.Reactor):
        event = rr.PhysicalAction[int](min_spacing=rr.sec(1), policy="drop")

        @rr.reaction(rr.startup, effects=(event,))
        def push(self):
            self.event.schedule(1)
            self.event.schedule(2)

        @rr.reaction(event)
        def take(self):
            pass

    file = traced(Choosy(), tmp_path, workers=1, fast=True)
    assert [e["args"].get("dropped", False) for e in file.of(cat="outside")] == [False, True]
    assert len(file.messages()) == 1


def test_a_cancelled_event_has_no_arrow(tmp_path):
    class Undecided(rr.Reactor):
        act = rr.LogicalAction[None](min_delay=5)
        timer = rr.Timer(0, 5)

        @rr.reaction(rr.startup, effects=(act,))
        def begin(self):
            self.act.schedule().cancel()

        @rr.reaction(act, timer)
        def take(self):
            pass

    file = traced(Undecided(), tmp_path, workers=1, fast=True, timeout=5)
    assert (5, 0, "Undecided.take") in file.bodies()
    assert file.messages() == []


def test_messages_through_connections_and_events_of_modes(workers, tmp_path):
    """A connection of a mode carries on at once; an event that a mode held back comes later."""

    class Modal(rr.Reactor):
        on = rr.Mode(initial=True)
        off = rr.Mode()
        switch = rr.Timer(10, 10)

        def __init__(self):
            with self.on:
                self.source = Source()
                self.sink = Sink()
                self.connect(self.source.out, self.sink.inp)
                self.late = Later()

        @rr.reaction(switch, effects=(rr.history(on), rr.history(off)))
        def change(self):
            (self.off if self.on.is_active else self.on).set()

    class Later(rr.Reactor):
        act = rr.LogicalAction[None](min_delay=15)

        @rr.reaction(rr.startup, effects=(act,))
        def begin(self):
            self.act.schedule()

        @rr.reaction(act)
        def take(self):
            pass

    file = traced(Modal(), tmp_path, workers=workers, fast=True, timeout=40)
    messages = file.messages()
    assert (("Modal.source.send", 0), "Modal.source.out", ("Modal.sink.take", 0)) in messages
    [moved] = [m for m in messages if m[1] == "Modal.late.act"]
    assert moved == (("Modal.late.begin", 0), "Modal.late.act", ("Modal.late.take", 25))


def test_a_missed_deadline_is_named(tmp_path):
    """With its handler, and where there is none."""

    class Late(rr.Reactor):
        def __init__(self):
            self.add_reaction(
                lambda self: None,
                triggers=(rr.startup,),
                deadline=0,
                on_deadline_miss=lambda self: None,
            )

        @rr.reaction(rr.startup, deadline=0)
        def body(self):
            pass

    file = traced(Late(), tmp_path, workers=1, fast=True)
    names = sorted(e["name"] for e in file.of(cat="reaction"))
    assert len(names) == 2
    assert names[1] == "Late.body (deadline missed)"
    assert names[0].endswith(" (deadline handler)")


def test_an_error_leaves_a_readable_file(workers, tmp_path):
    """The body that raised is marked; what follows is there."""

    class Fails(Main):
        @rr.reaction(rr.startup)
        def fail(self):
            raise ValueError("no")

        @rr.reaction(rr.shutdown)
        def end(self):
            pass

    file = traced(Fails(), tmp_path, fails=True, workers=workers, fast=True)
    assert [e["name"] for e in file.of(cat="reaction") if e["args"].get("raised")] == ["Fails.fail"]
    assert "Fails.end" in {e["name"] for e in file.of(cat="reaction")}
    summary = summarize(read_trace(tmp_path / "run.json"))
    assert "- bodies that raised: 1; the run ended early" in str(summary)


def test_of_a_long_run_the_last_part_is_kept(monkeypatch, tmp_path):
    """How much is lost is said in the file and in the summary."""
    monkeypatch.setattr("reactorrl.trace.RECORDS", 1 << 12)

    class Long(rr.Reactor):
        timer = rr.Timer(0, 1)

        @rr.reaction(timer)
        def work(self):
            pass

    path = tmp_path / "run.json"
    rr.run(Long(), workers=1, fast=True, timeout=4095, trace=path)
    file = File(path)
    [worker] = file.header["workers"]
    n_kept = len(file.of(tid=worker["tid"], ph="X"))
    assert n_kept == 1 << 12
    bodies = file.of(cat="reaction")
    assert [e["args"]["time"] for e in bodies][-1] == 4095
    assert worker["lost"] > 4000
    assert len(bodies) + worker["lost"] > 4096
    summary = summarize(read_trace(path))
    assert summary.lost == worker["lost"]
    assert summary.advice[0].startswith(f"{summary.lost:,} older records were overwritten")


def test_tracks_share_the_room():
    assert trace_module.records_per_track(1) == 1 << 20
    assert trace_module.records_per_track(3) == 1 << 18
    assert trace_module.records_per_track(5000) == 1 << 12


def test_names_of_any_kind_are_written(tmp_path):
    """Paths are quoted as JSON wants it."""

    class Odd(rr.Reactor):
        @rr.reaction(rr.startup)
        def größe(self):  # noqa: PLC2401
            pass

    file = traced(Odd(), tmp_path, workers=1, fast=True)
    assert file.bodies() == [(0, 0, "Odd.größe")]


# -- the summary


def header(n_workers=1, **more):
    workers = [{"pid": 1, "tid": 1 + i, "lost": 0} for i in range(n_workers)]
    return {
        "reactorrl_trace": 1,
        "reactorrl": "0",
        "enclaves": ["Main"],
        "workers": workers,
        "lost_of_enclaves": [0],
        "has_lag": True,
        "levels": {},
        **more,
    }


def body(begin, duration, path, *, level=0, tag=0, tid=1, pid=1):
    return Slice(begin, duration, pid, tid, path, level, (tag, 0))


def recorded(slices, between=(), n_workers=1, lags=None, **more):
    return Recorded(header(n_workers, **more), list(slices), list(between), lags or {})


TWO_TAGS = [
    body(0, 100, "a"),
    body(100, 300, "b[0]", level=1),
    body(150, 500, "b[1]", level=1, tid=2),
    body(1000, 200, "a", tag=5),
    body(1200, 100, "b[0]", level=1, tag=5),
]
BETWEEN = [(400, 600, 1, "waiting"), (0, 150, 2, "spinning"), (650, 750, 2, "parked")]


def test_a_summary_adds_up():
    """Of a trace written by hand: two tags, two levels, two workers; times in ns."""
    summary = summarize(recorded(TWO_TAGS, BETWEEN, n_workers=2, lags={1: [10, 30, 20]}))
    assert summary.wall == 1400
    assert summary.active == 800
    assert summary.work == 1200
    assert summary.critical == 100 + 500 + 200 + 100
    assert summary.tags == 2
    assert summary.lost == 0
    assert summary.lag == (20, 30)
    assert summary.best_speed_up == 1200 / 900
    assert summary.at_once == 1200 / 800
    assert [(*r[:3], r.mean, r.p99, r.share) for r in summary.reactions] == [
        ("b[1]", 1, 500, 500, 500, 500 / 1200),
        ("b[0]", 2, 400, 200, 300, 400 / 1200),
        ("a", 2, 300, 150, 200, 300 / 1200),
    ]
    assert summary.workers == (
        ("worker 0", 700 / 1400, 0.0, 0.0, 0.0, 600 / 1400),
        ("worker 1", 500 / 1400, 0.0, 150 / 1400, 750 / 1400, 0.0),
    )
    assert summary.levels == (
        (1, "Main", 2, 3, 900, 600, "b[1]", 500),
        (0, "Main", 2, 2, 300, 300, "a", 300),
    )
    assert summary.widths == ((1, 1, 3, 400 / 1200), (2, 2, 1, 800 / 1200))
    assert summary.on_critical == (("b[1]", 500), ("a", 300), ("b[0]", 100))


def test_p99_is_the_nearest_rank():
    slices = [body(i * 1000, i, "a", tag=i) for i in range(1, 201)]
    [reaction] = summarize(recorded(slices)).reactions
    assert (reaction.p99, reaction.mean) == (198, 100.5)
    assert (reaction.longest, reaction.slowest) == (200, 199 + 200)


def test_the_widths_are_grouped_by_powers_of_two():
    slices = [
        body(1000 * tag + i, 1, f"r{i}", tag=tag)
        for tag, n in enumerate((1, 2, 3, 4, 5, 8))
        for i in range(n)
    ]
    widths = summarize(recorded(slices)).widths
    assert [(w.first, w.last, w.levels) for w in widths] == [
        (1, 1, 1),
        (2, 2, 1),
        (3, 4, 2),
        (5, 8, 2),
    ]


def test_where_records_are_lost_the_tracks_begin_together():
    lossy = header(2)
    lossy["workers"][1]["lost"] = 7
    summary = summarize(Recorded(lossy, TWO_TAGS, BETWEEN[2:], {}))
    assert summary.work == 500 + 300  # what began before 150 is left out
    assert summary.lost == 7


def advice(slices, between=(), **options):
    return list(summarize(recorded(slices, between, **options)).advice)


def test_advice_a_level_of_one_long_reaction():
    slices = [body(t * 10**6, 9 * 10**5, "slow", tag=t) for t in range(4)]
    slices += [body(t * 10**6, 10**5, "quick", level=1, tag=t, tid=2) for t in range(4)]
    first, *rest = advice(slices, n_workers=2)
    assert first == (
        "level 0 is one reaction, slow, which takes 90% of the critical path: more workers cannot"
        " help there; make it shorter, or split it among several reactors"
    )
    assert rest == ["100% of the levels are one reaction, so that mostly one worker has work"]


def test_advice_short_bodies():
    slices = [body(t * 1000 + i, 800, f"r{i}", tag=t) for t in range(4) for i in range(2)]
    between = [(0, 50_000, 1, "coordinating")]
    text = "bodies of 800 ns on average are too short for 2 workers"
    assert any(line.startswith(text) for line in advice(slices, between, n_workers=2))
    [line] = [line for line in advice(slices, between) if "own work" in line]
    assert "takes 7.8 times as long as the bodies" in line


def test_advice_pauses():
    """Few runs take most of the time of a reaction."""
    slices = [body(t * 10**6, 10**6 if t == 50 else 1000, "r", tag=t) for t in range(200)]
    first, *_ = advice(slices)
    assert first == (
        "the slowest 1% of the runs of r take 83% of its time, up to 1 ms each: look for pauses, as"
        " of the garbage collector or of other programs on these processors, before anything else"
    )


def test_advice_uneven_level():
    slices = [
        body(t * 10**6, 10**5 * (8 if i == 0 else 1), f"r{i}", tag=t, tid=1 + i % 2)
        for t in range(4)
        for i in range(9)
    ]
    [line] = [line for line in advice(slices, n_workers=2) if "waits for its longest" in line]
    assert (
        "level 0 waits for its longest reaction, mostly r0: 800 us where the mean is 178 us" in line
    )


def test_advice_more_workers():
    slices = [body(i // 2 * 10**5, 10**5, f"r{i}", tid=1 + i % 2) for i in range(16)]
    [line] = advice(slices, n_workers=2)
    assert line.startswith("2.0 bodies ran at once on 2 workers, and up to 16.0 could")
    [line] = advice([each._replace(tid=1, begin=i * 10**5) for i, each in enumerate(slices)])
    assert line.startswith("the program ran on one worker; its bodies could be done 16.0 times")


def test_advice_about_the_clock():
    slices = [body(t * 10**6, 10**5, f"r{t % 2}", tag=t) for t in range(20)]
    waits = [(t * 10**6 + 10**5, 9 * 10**5, 1, "waiting") for t in range(20)]
    lags = {1: [1000] * 20}
    assert any(
        line.startswith("90% of the time nothing was due")
        for line in advice(slices, waits, lags=lags)
    )
    behind = [body(t * 10**5, 10**5, f"r{t % 2}", tag=t) for t in range(20)]
    lines = advice(behind, lags={1: [t * 10**6 for t in range(20)]})
    assert any(
        "Main falls behind the clock: its lag went from 500 us to 18.5 ms" in line for line in lines
    )


def test_advice_only_from_what_is_there():
    assert advice([]) == ["no reaction ran in what was recorded"]
    even = [body(t * 10**6, 10**5, f"r{i}", tag=t, tid=1 + i) for t in range(4) for i in range(2)]
    assert advice(even, n_workers=2) == []
    assert "nothing stands out" in str(summarize(recorded(even, n_workers=2)))


def test_the_command_prints_the_summary(tmp_path, capsys):
    path = tmp_path / "run.json"
    rr.run(Main(), workers=1, fast=True, trace=path)
    assert command_line(["trace", "summary", str(path)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("11 reactions at 5 tags in ")
    assert re.search(r"^Main.double\[0\].double +3 ", text, re.MULTILINE)
    assert "What to change" in text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: ['{"traceEvents":[', "]}"], "another program or an older version wrote it"),
        (lambda lines: ["not JSON"], "another program or an older version wrote it"),
        (lambda lines: [], "another program or an older version wrote it"),
        (
            lambda lines: [lines[0].replace('"reactorrl_trace":1', '"reactorrl_trace":9')],
            "has format 9, of reactorrl",
        ),
        (lambda lines: lines[:-1], "ends in the middle"),
        (lambda lines: [*lines[:3], "{}", *lines[3:]], "line 4: this is not what reactorrl writes"),
        (lambda lines: [*lines[:3], '{"ph":', *lines[3:]], "line 4"),
    ],
)
def test_other_files_are_refused(tmp_path, capsys, change, says):
    path = tmp_path / "run.json"
    rr.run(Main(), workers=1, fast=True, trace=path)
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    assert command_line(["trace", "summary", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err
    assert str(path) in captured.err


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert command_line(["trace", "summary", str(tmp_path / "none.json")]) == 1
    assert "none.json" in capsys.readouterr().err
