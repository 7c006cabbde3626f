"""check_reactor finds what a reactor must not do, and nothing where there is nothing."""

import contextlib
import datetime
import itertools
import random
import time
from collections import deque
from importlib import util
from pathlib import Path

import numpy as np
import pytest

import reactorrl as rr
from reactorrl.rl import (
    EpsilonGreedy,
    LinearSchedule,
    MLPForward,
    ReplayBuffer,
    Rollout,
    env_maker,
)
from reactorrl.testing import Finding, assert_reactor, check_reactor

ROOT = Path(__file__).resolve().parent.parent
SEEN = []
TABLE = {"rows": 0}
COUNT = 0
CONSTANTS = [1, 2, 3]
COUNTER = itertools.count()


class Echo(rr.Reactor):
    """What the others are variations of; does nothing wrong."""

    inp, other = rr.Input(), rr.Input()
    out, spare = rr.Output(), rr.Output()
    act = rr.LogicalAction()

    def __init__(self):
        self.seen = []
        self.buffer = np.zeros(3)

    @rr.reaction(inp, uses=other, effects=(out, act))
    def step(self):
        self.out.set(self.inp.value)


class Sets(Echo):
    def step(self):
        self.spare.set(1)


class SetsByAnotherName(Echo):
    def step(self):
        port = self.spare
        port.set(1)


class SetsInSomeCase(Echo):
    def step(self):
        if self.inp.value is None:
            self.publish()

    def publish(self):
        self.spare.set(1)


class Schedules(Echo):
    late = rr.LogicalAction()

    def step(self):
        self.late.schedule()


class SetsOutOfSight(Echo):
    def step(self):
        getattr(self, "spa" + "re").set(1)


class SwallowsTheError(Echo):
    def step(self):
        with contextlib.suppress(rr.UndeclaredEffectError):
            self.spare.set(1)


class SetsWhatItDeclares(Echo):
    def step(self):
        port = self.out
        port.set(1)
        self.act.schedule(delay=3)


class Reads(Echo):
    def step(self):
        return self.spare.get()


class ReadsInSomeCase(Echo):
    act2 = rr.LogicalAction()

    def step(self):
        if self.inp.value is None:
            return self.act2.is_present
        return None


class ReadsWhatItDeclares(Echo):
    def step(self):
        return self.inp.value, self.other.get(), self.out.get()


class Wide(rr.Reactor):
    inp = rr.Input(width=2)
    out = rr.Output(width=2)

    @rr.reaction(inp, effects=out)
    def step(self):
        for i, port in enumerate(self.inp):
            self.out[i].set(port.get())
        for port in self.inp.present():
            self.out[port.index].set(port.value)


class WideUndeclared(Wide):
    more = rr.Output(width=2)

    def step(self):
        for port in self.more:
            port.set(1)


class Modal(Echo):
    """Enters its modes as it declares; `more` is not declared."""

    first, second, more = rr.Mode(initial=True), rr.Mode(), rr.Mode()

    @rr.reaction(Echo.inp, effects=[second, rr.history(first)])
    def turn(self):
        (self.second if self.first.is_active else self.first).set()


class ModalUndeclared(Modal):
    def turn(self):
        self.more.set()


class Late(Echo):
    @rr.reaction(Echo.inp, deadline=0)
    def hurry(self):
        self.seen.append(1)

    @hurry.on_deadline_miss
    def miss(self):
        self.spare.set(1)


class Parent(rr.Reactor):
    def __init__(self):
        self.child, self.other = Echo(), Echo()
        self.add_reaction(self.start, rr.startup, effects=self.child.inp)

    def start(self):
        self.child.inp.set(1)


class ParentUndeclared(Parent):
    def start(self):
        self.other.inp.set(1)


class DrawsFromRandom(Echo):
    def step(self):
        self.out.set(random.random())


class DrawsFromNumpy(Echo):
    def step(self):
        self.out.set(np.random.normal(size=2))


class DrawsUnseeded(Echo):
    def step(self):
        self.out.set(np.random.default_rng().random())


class DrawsElsewhere(Echo):
    def step(self):
        self.out.set(drawn())


def drawn():
    import random as r

    return r.choice([1, 2, 3])


class DrawsOutOfSight(Echo):
    def step(self):
        self.out.set(getattr(random, "rand" + "om")())


class DrawsItsOwn(Echo):
    def step(self):
        generator = random.Random(7)
        self.out.set((self.rng.random(), generator.random(), np.random.default_rng(3).random()))


class ReadsTheClock(Echo):
    def step(self):
        self.out.set(time.perf_counter() > 0)


class ReadsTheDate(Echo):
    def step(self):
        self.out.set(datetime.datetime.now().year > 0)


class ReadsALocalClock(Echo):
    def __init__(self):
        self.now = time.monotonic

    def step(self):
        self.out.set(self.now() > 0)


class ReadsTheTag(Echo):
    def step(self):
        self.out.set((self.tag.time, datetime.datetime(2020, 1, 1), time.gmtime(0)))


class ReadsTheLag(Echo):
    def step(self):
        self.out.set(self.lag() > 0)


class ChangesWhatItSet(Echo):
    def step(self):
        self.out.set(self.buffer)
        self.buffer[0] += 1


class ChangesItLater(Echo):
    def step(self):
        self.seen.append(self.inp.value)
        if len(self.seen) == 1:
            self.out.set(self.seen)


class SetsACopy(Echo):
    def step(self):
        self.buffer[0] += 1
        self.out.set(self.buffer.copy())


class ChangesItsInput(Echo):
    def step(self):
        self.inp.value.append(3)


class CopiesItsInput(Echo):
    def step(self):
        copied = list(self.inp.value)
        copied.append(3)
        self.out.set(copied)


class ChangesAMutableInput(rr.Reactor):
    """Only reader of what is its own to change, at this tag and later."""

    inp, out = rr.Input(mutable=True), rr.Output()

    def __init__(self):
        self.kept = []

    @rr.reaction(inp, effects=out)
    def step(self):
        self.inp.value.append(3)
        for each in self.kept:
            each.append(4)
        self.kept.append(self.inp.value)


class ChangesTheClass(Echo):
    def step(self):
        type(self).latest = self.inp.value


class ChangesASharedList(Echo):
    log = []  # noqa: RUF012

    def step(self):
        self.log.append(self.tag)


class ChangesTheClassOutOfSight(Echo):
    log = []  # noqa: RUF012

    def step(self):
        note(self.log)


def note(log):
    log.append(1)


class ChangesItself(Echo):
    log = ()
    latest = None

    def step(self):
        self.latest = self.inp.value
        self.seen.append(self.latest)
        self.log += (1,)


class AssignsAGlobal(Echo):
    def step(self):
        global COUNT  # noqa: PLW0603
        COUNT += 1


class AppendsToAGlobal(Echo):
    def step(self):
        SEEN.append(1)


class ChangesATable(Echo):
    def step(self):
        TABLE["rows"] += 1


class ChangesAGlobalOutOfSight(Echo):
    def step(self):
        note(SEEN)


class ReadsGlobals(Echo):
    def step(self):
        SEEN = [COUNT, TABLE["rows"], *CONSTANTS]  # noqa: N806
        SEEN.append(1)
        self.out.set(SEEN)


def closure():
    counts, total = deque(), 0

    class Counts(Echo):
        def step(self):
            nonlocal total
            total += 1
            counts.append(1)

    return Counts()


class IsNotReproducible(Echo):
    made = iter(range(100))

    def __init__(self):
        self.number = next(self.made)

    def step(self):
        self.out.set(self.number)


class Raises(Echo):
    def step(self):
        return self.other.value


E = {"inputs": [{"inp": 1}, {"inp": 2}]}
LISTS = {"inputs": [{Echo.inp: [1, 2]}, {Echo.inp: [1]}]}
HAS = [
    ("undeclared-effect", Sets, E),
    ("undeclared-effect", SetsByAnotherName, E),
    ("undeclared-effect", SetsInSomeCase, E),
    ("undeclared-effect", Schedules, E),
    ("undeclared-effect", SetsOutOfSight, E),
    ("undeclared-effect", SwallowsTheError, E),
    ("undeclared-effect", WideUndeclared, {"inputs": [{"inp": [1, 2]}]}),
    ("undeclared-effect", ParentUndeclared, {}),
    ("undeclared-effect", ModalUndeclared, {}),
    ("undeclared-effect", ModalUndeclared, E),
    ("undeclared-effect", Late, {}),
    ("undeclared-effect", Late, E),
    ("undeclared-use", Reads, E),
    ("undeclared-use", ReadsInSomeCase, E),
    ("global-random", DrawsFromRandom, {}),
    ("global-random", DrawsFromNumpy, E),
    ("global-random", DrawsUnseeded, {}),
    ("global-random", DrawsElsewhere, {}),
    ("global-random", DrawsOutOfSight, E),
    ("wall-clock", ReadsTheClock, {}),
    ("wall-clock", ReadsTheDate, {}),
    ("wall-clock", ReadsALocalClock, {}),
    ("physical-time", ReadsTheLag, {}),
    ("mutation-after-set", ChangesWhatItSet, E),
    ("mutation-after-set", ChangesItLater, E),
    ("mutation-of-input", ChangesItsInput, LISTS),
    ("shared-state", ChangesTheClass, {}),
    ("shared-state", ChangesASharedList, {}),
    ("shared-state", ChangesTheClassOutOfSight, E),
    ("global-write", AssignsAGlobal, {}),
    ("global-write", AppendsToAGlobal, {}),
    ("global-write", ChangesATable, {}),
    ("global-write", ChangesAGlobalOutOfSight, E),
    ("global-write", closure, {}),
    ("not-reproducible", IsNotReproducible, E),
    ("raises", Raises, E),
]
HAS_NOT = [
    (Echo, E),
    (SetsWhatItDeclares, E),
    (ReadsWhatItDeclares, E),
    (Wide, {"inputs": [{"inp": [1, 2]}, {Wide.inp: {1: 5}}]}),
    (Parent, {}),
    (Modal, E),
    (DrawsItsOwn, E),
    (ReadsTheTag, E),
    (SetsACopy, E),
    (CopiesItsInput, LISTS),
    (ChangesAMutableInput, {"inputs": [{"inp": [1]}, {"inp": [2]}, {"inp": []}]}),
    (ChangesItself, E),
    (ReadsGlobals, E),
]


@pytest.mark.parametrize(("kind", "reactor", "given"), HAS, ids=lambda x: getattr(x, "__name__", x))
def test_what_is_wrong_is_found(kind, reactor, given):
    """Each kind, whether the source shows it or only the run, and nothing else of note."""
    findings = check_reactor(reactor, **given)
    assert kind in {finding.kind for finding in findings}, str(findings)
    # What is drawn at random, or shared, may differ in the second run; what raises is told, too.
    consequences = {"not-reproducible", "raises", kind}
    if reactor is WideUndeclared:
        consequences.add("undeclared-use")  # so says the runtime of the loop over its channels
    assert {finding.kind for finding in findings} <= consequences, str(findings)


@pytest.mark.parametrize(("reactor", "given"), HAS_NOT, ids=lambda x: getattr(x, "__name__", ""))
def test_what_is_right_is_left_alone(reactor, given):
    """A reactor that does the same the right way has no findings, and all of it was seen."""
    findings = check_reactor(reactor, **given)
    assert findings == []
    assert findings.not_read == []


def test_torch_s_global_generator():
    """It is found where the source shows it and where only the run does; others are left alone."""
    torch = pytest.importorskip("torch")

    class Global(Echo):
        def step(self):
            self.out.set(torch.rand(3))

    class OutOfSight(Echo):
        def step(self):
            self.out.set(torch.empty(3).uniform_())

    class Own(Echo):
        def step(self):
            generator = torch.Generator().manual_seed(1)
            self.out.set(torch.rand(3, generator=generator))

    assert [f.what for f in check_reactor(Global)] == ["uses torch.rand()"]
    kinds = {f.kind: f.what for f in check_reactor(OutOfSight, **E)}
    assert kinds["global-random"] == "draws from the global generator of torch"
    assert check_reactor(Own, **E) == []


def test_a_finding_tells_where():
    """Path, file, line and advice; the text has them all."""
    (finding,) = check_reactor(ReadsTheClock)
    line = ReadsTheClock.step.function.__code__ if hasattr(ReadsTheClock.step, "function") else None
    line = (line or ReadsTheClock.step.__code__).co_firstlineno + 1
    assert finding == Finding(
        "wall-clock",
        "ReadsTheClock.step",
        __file__,
        line,
        "reads the wall clock, time.perf_counter()",
        "use self.tag",
    )
    assert str(finding) == (
        f"error [wall-clock] ReadsTheClock.step (test_check_reactor.py:{line}) reads the wall"
        " clock, time.perf_counter(); use self.tag"
    )


def test_what_differs_first_is_found():
    """It is the child that draws, not the container that passes on what it hears."""

    class Draws(rr.Reactor):
        out = rr.Output()

        @rr.reaction(rr.startup, effects=out)
        def draw(self):
            self.out.set(next(COUNTER))

    class Around(rr.Reactor):
        out = rr.Output()

        def __init__(self):
            self.child = Draws()
            self.add_reaction(self.tell, self.child.out, effects=self.out)

        def tell(self):
            self.out.set(self.child.out.value)

    findings = check_reactor(Around)
    assert [(each.kind, each.path) for each in findings] == [
        ("not-reproducible", "Around.child.draw")
    ]


def test_what_did_not_run_is_told():
    """Without inputs a reaction to an input does not run."""
    findings = check_reactor(Echo)
    assert (findings, findings.not_run) == ([], ["Echo.step"])
    assert str(findings) == "nothing found\ndid not run: Echo.step"


def test_what_cannot_be_read_is_told():
    """A body without source is only run."""
    namespace = {"Echo": Echo}
    exec("class Hidden(Echo):\n def step(self):\n  self.spare.set(1)", namespace)
    findings = check_reactor(namespace["Hidden"], **E)
    assert findings.not_read == ["Hidden.step"]
    assert [finding.kind for finding in findings] == ["undeclared-effect"]


def test_a_warning_passes_and_an_error_does_not():
    """assert_reactor raises with the findings that are errors."""
    assert_reactor(ReadsTheLag)
    with pytest.raises(
        AssertionError, match=r"error \[wall-clock\] ReadsTheClock\.step .*use self.tag"
    ):
        assert_reactor(ReadsTheClock)


def test_a_mutation_of_an_input_names_who_did_it():
    """The body after which the value differs, and not the one that set it."""

    class Chain(rr.Reactor):
        inp = rr.Input()

        def __init__(self):
            self.first, self.second = Echo(), ChangesItsInput()
            self.connect(self.inp, self.first.inp)
            self.connect(self.first.out, self.second.inp, after=5)

    findings = check_reactor(Chain, inputs=[{"inp": [1]}])
    assert [(f.kind, f.path) for f in findings] == [("mutation-of-input", "Chain.second.step")]
    assert "Chain.first.out" in findings[0].what or "Chain.inp" in findings[0].what


def test_a_bank_tells_a_finding_once():
    """The members have the same body."""

    class Many(rr.Reactor):
        def __init__(self):
            self.clocks = rr.Bank(3, ReadsTheClock)

    findings = check_reactor(Many)
    assert [finding.path for finding in findings] == ["Many.clocks[0].step"]


def test_endless_reactors_are_cut_off():
    """A reactor that never stops is stopped after many bodies, the same in both runs."""

    class Endless(rr.Reactor):
        tick = rr.Timer(period=1)

        @rr.reaction(tick)
        def step(self):
            pass

    assert check_reactor(Endless) == []


@pytest.mark.parametrize("inputs", [[{"nothing": 1}], [{"out": 1}], [{3: 1}], [{Wide.out: [1]}]])
def test_inputs_are_inputs(inputs):
    """Something else is a TypeError that names it."""
    with pytest.raises(TypeError, match="is no input of Wide"):
        check_reactor(Wide, inputs=inputs)


def test_inputs_are_mappings():
    """A mapping alone, or a port, is a TypeError that shows one."""
    for inputs in ({Echo.inp: 1}, [(Echo.inp, 1)]):
        with pytest.raises(TypeError, match=r"inputs= takes mappings such as \{Echo.inp: value\}"):
            check_reactor(Echo, inputs=inputs)


def test_each_call_makes_a_new_reactor():
    """An instance is refused, and so is a function that returns the same one again."""
    used = Echo()
    with pytest.raises(rr.PhaseError, match="assembled before; make a new one at each call"):
        check_reactor(lambda: used, inputs=[{Echo.inp: 1}])
    idle = Echo()
    with pytest.raises(rr.PhaseError, match="assembled before; make a new one at each call"):
        check_reactor(lambda: idle)
    with pytest.raises(TypeError, match=r"class or a function: check_reactor\(Echo\), not an inst"):
        check_reactor(Echo())
    assert check_reactor(Echo).not_run == ["Echo.step"]


# What the library itself comes with.

WEIGHTS = {
    f"{layer}.{name}": np.random.default_rng(1).normal(size=shape).astype(np.float32)
    for layer, (name, shape) in enumerate(
        (("weight", (8, 4)), ("bias", 8), ("weight", (2, 8)), ("bias", 2))
    )
}


def rollout(steps):
    """The arguments of one on two envs."""

    def policy():
        return EpsilonGreedy(MLPForward(), 2, LinearSchedule(1.0, 0.0, 20))

    return {
        "make_env": env_maker("CartPole-v1"),
        "make_policy": policy,
        "num_envs": 2,
        "steps": steps,
        "seed": 1,
    }


def trajectories(n):
    found = []

    class Main(rr.Reactor):
        def __init__(self):
            self.rollout = Rollout(**rollout(20))
            self.add_reaction(self.start, rr.startup, effects=self.rollout.weights)
            self.add_reaction(self.keep, self.rollout.trajectory)

        def start(self):
            self.rollout.weights.set(WEIGHTS)

        def keep(self):
            found.append(self.rollout.trajectory.value)

    rr.run(Main(), fast=True, workers=1)
    return found * n


def test_the_rollout_is_clean():
    """No finding, and all its reactions ran."""
    findings = check_reactor(Rollout, **rollout(30), inputs=[{Rollout.weights: WEIGHTS}] * 3)
    assert (findings, findings.not_run) == ([], [])


def test_the_replay_buffer_is_clean():
    """No finding, and all its reactions ran."""
    findings = check_reactor(
        ReplayBuffer,
        2,
        num_envs=2,
        obs_shape=(4,),
        capacity=300,
        batch_rows=8,
        learning_starts=10,
        seed=1,
        inputs=[{ReplayBuffer.trajectories: trajectories(2)}] * 3,
    )
    assert (findings, findings.not_run) == ([], [])


@pytest.mark.leaves_threads
def test_dqn_is_clean():
    """The whole program with its learner: no finding, and all ran; nothing evaluates in it."""
    pytest.importorskip("torch")
    from reactorrl.rl import DQN, DQNOptions

    options = DQNOptions(num_envs=2, num_steps=16, total_timesteps=200, learning_starts=32)
    findings = check_reactor(DQN, options)
    assert (findings, findings.not_run) == ([], ["DQN.episodes.record_evaluation"])


EXAMPLES = {
    "a3c": ("A3C", (20,), {}),
    "asynchronous": ("Bandit", (), {}),
    "hello": ("Hello", (), {"timeout": rr.msec(3)}),
    "parallel_dqn": ("Train", ("CartPole-v1", 2, 3), {}),
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_are_clean(example):
    """All their reactions; two draw how long they sleep, and say so."""
    path = ROOT / "examples" / f"{example}.py"
    name, arguments, options = EXAMPLES[example]
    spec = util.spec_from_file_location(path.stem, path)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    findings = check_reactor(getattr(module, name), *arguments, options=options)
    known = {
        ("asynchronous", "global-random", "Bandit.learner.learn"),
        ("a3c", "global-random", "A3C.actors[0].differentiate"),
    }
    assert {(path.stem, finding.kind, finding.path) for finding in findings} <= known
    assert (findings.not_run, findings.not_read) == ([], [])
