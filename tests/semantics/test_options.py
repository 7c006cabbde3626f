"""The options of a program: what is refused, random numbers, trace files, checks."""

import json

import pytest
from programs import Collect, Emit, Pass, Trace, Wire, chain, run

import reactorrl as rr


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"workers": 0}, ValueError),
        ({"workers": -1}, ValueError),
        ({"workers": 1.5}, TypeError),
        ({"timeout": -1}, ValueError),
        ({"timeout": 0.5}, TypeError),
        ({"affinity": "fastest"}, ValueError),
        ({"unknown": 1}, TypeError),
    ],
)
def test_bad_options_are_refused_at_once(options, error):
    """A wrong type is a TypeError, a wrong value a ValueError, before anything runs."""
    with pytest.raises(error):
        rr.Program(rr.Reactor(), **options)


@pytest.mark.parametrize("bad", [None, "Main", rr.Reactor, 3])
def test_only_a_reactor_is_a_program(bad):
    """The main of a program is an instance of Reactor."""
    with pytest.raises(TypeError):
        rr.Program(bad)


@pytest.mark.parametrize("affinity", [None, "performance", "spread", [0]])
def test_affinity_changes_nothing_that_a_program_shows(affinity):
    """Where workers run does not matter to traces."""
    trace = Trace()
    n = 1 if affinity == [0] else 2
    run(chain(Emit(1, 2), Pass(3), Collect(trace)), n, affinity=affinity)
    assert trace.events == [((0, 0), 3), ((10, 0), 6)]


# -- random numbers


def draws(workers, seed, n):
    class Draw(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            self.numbers = self.rng.integers(10**9, size=3).tolist()

    def build(self):
        self.bank, self.single = rr.Bank(n, Draw), Draw()

    main = Wire(build)
    run(main, workers, seed=seed)
    return [reactor.numbers for reactor in (*main.bank, main.single)]


def test_rng_depends_on_seed_and_path_and_on_nothing_else(workers):
    """self.rng is spawned by path: equal for all workers, different for each reactor and seed."""
    first = draws(workers, 7, 3)
    assert first == draws(1, 7, 3)
    assert len({tuple(numbers) for numbers in first}) == 4
    assert first[0] != draws(workers, 8, 3)[0]
    assert first[:3] == draws(workers, 7, 5)[:3]


def test_there_is_no_rng_without_a_seed(workers):
    """Without `seed` a reactor has no generator."""

    class Main(rr.Reactor):
        @rr.reaction(rr.startup)
        def start(self):
            with pytest.raises(rr.ReactorError):
                self.rng  # noqa: B018

    assert run(Main(), workers).reactions == 1


# -- trace files


def test_a_trace_file_shows_every_reaction_with_path_and_tag(workers, tmp_path):
    """`trace=` writes a Chrome trace: one complete event for each body run, one track a worker."""
    file = tmp_path / "run.json"
    report = run(chain(Emit(1, 2), Pass(), Collect(Trace())), workers, trace=file)
    whole = json.loads(file.read_text())
    events, tracks = whole["traceEvents"], whole["otherData"]["workers"]
    bodies = [event for event in events if event.get("cat") == "reaction"]
    shown = sorted((e["args"]["time"], e["args"]["microstep"], e["name"]) for e in bodies)
    names = ["Wire.s0.emit", "Wire.s1.forward", "Wire.s2.collect"]
    assert shown == [(time, 0, name) for time in (0, 10) for name in names]
    assert len(tracks) == workers
    assert {event["tid"] for event in bodies} <= {track["tid"] for track in tracks}
    assert all(event["dur"] >= 0 for event in bodies)
    assert report.reaction_times_s.keys() == set(names)


# -- check=True


def arrays(**options):
    """What becomes of an array that a reader writes to, and of the array after the run."""
    np = pytest.importorskip("numpy")
    payload, outcomes = np.zeros(3), []

    class Reader(rr.Reactor):
        inp = rr.Input()

        @rr.reaction(inp)
        def write(self):
            try:
                self.inp.value[0] = 1
                outcomes.append("written")
            except ValueError:
                outcomes.append("refused")

    def build(self):
        self.src, self.now, self.late = Emit(payload), Reader(), Reader()
        self.connect(self.src.out, self.now.inp)
        self.connect(self.src.out, self.late.inp, after=5)

    run(Wire(build), **options)
    return outcomes, payload.tolist(), payload.flags.writeable


def test_with_check_an_array_is_read_only_while_it_is_a_payload(workers):
    """check=True: who writes to a received array gets an error; later it is writeable again."""
    assert arrays(workers=workers, check=True) == (["refused", "refused"], [0, 0, 0], True)
    assert arrays(workers=workers) == (["written", "written"], [1, 0, 0], True)
