"""Rollout reactors that step their env many times per event, as training does."""

from typing import Any

import reactorrl as rr

from ..harness import Case, Contender, Settings
from ..micro.sides import HERE, OURS_1, OURS_2, RAY, Places, faster
from ..results import Finding, Goal
from ..samples import Measured
from ..stopwatch import Stopwatch
from .sampler import Sampler, Weights, digest, fixed_weights

PEER = "bench.sampling.peers"
FREE, BARRIER = "2 threads that never meet", "2 threads with a barrier"
SERIAL, TUNED_RAY = "one thread", "Ray, tuned"


class Rollout(rr.Reactor):
    """One env; answers weights with a trajectory."""

    weights = rr.Input[Weights]()
    trajectory = rr.Output[Any]()

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.check = 0

    @rr.reaction(rr.startup)
    def make_env(self) -> None:
        self.sampler = Sampler(self.bank_index, self.steps)

    @rr.reaction(weights, effects=trajectory)
    def sample(self) -> None:
        trajectory = self.sampler.roll_out(self.weights.value)
        self.check = digest(self.check, trajectory)
        self.trajectory.set(trajectory)


class Gather(rr.Reactor):
    """Sends the weights, takes in all trajectories, and so on."""

    trajectories = rr.Input[Any](width="envs")
    weights = rr.Output[Weights]()

    def __init__(self, watch: Stopwatch, envs: int) -> None:
        self.watch = watch
        self.envs = envs
        self.policy = fixed_weights()
        self.left = watch.lap()

    @rr.reaction(rr.startup, effects=weights)
    def start(self) -> None:
        self.weights.set(self.policy)

    @rr.reaction(trajectories, effects=weights)
    def gather(self) -> None:
        self.newest = [port.value for port in self.trajectories]
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()
            if not self.left:
                return
        self.weights.set(self.policy)


class Rounds(rr.Reactor):
    """Rollouts around a gathering reactor."""

    def __init__(self, watch: Stopwatch, envs: int, steps: int) -> None:
        self.rollouts = rr.Bank(envs, Rollout, steps)
        self.gather = Gather(watch, envs)
        self.connect(self.gather.weights, self.rollouts.weights, broadcast=True, after=0)
        self.connect(self.rollouts.trajectory, self.gather.trajectories)


def sampling(workers: int, envs: int, steps: int, warm: int, rounds: int) -> dict[str, Any]:
    """The measured program."""
    watch = Stopwatch(warm, rounds)
    main = Rounds(watch, envs, steps)
    rr.run(main, workers=workers, fast=True)
    return watch.reply([rollout.check for rollout in main.rollouts])


def cases(places: Places, _settings: Settings) -> list[Case]:
    """Six CartPoles, at 200 steps per event and at one."""
    return [rollouts(places, steps) for steps in (200, 1)]


def rollouts(places: Places, steps: int) -> Case:
    """Six envs; the goals are set for long trajectories."""
    envs = 6
    shape = {"envs": envs, "steps": steps}
    scale = float(envs * steps)

    sides = (
        (OURS_1, HERE, "bench.sampling.rollouts:sampling", {"workers": 1}),
        (OURS_2, HERE, "bench.sampling.rollouts:sampling", {"workers": 2}),
        (FREE, HERE, f"{PEER}.threads:free_running", {"threads": 2}),
        (BARRIER, HERE, f"{PEER}.threads:barrier", {"threads": 2}),
        (SERIAL, HERE, f"{PEER}.threads:serial", {}),
        (TUNED_RAY, RAY, f"{PEER}.with_ray:sampling", {"actors": 2}),
    )
    contenders = [
        Contender(label, places[place], call, {**shape, **more}, scale, apart=place == RAY)
        for label, place, call, more in sides
    ]

    def conclude(measured: Measured) -> list[Finding]:
        best = faster(measured, OURS_1, OURS_2)
        times = {label: measured.summary(label) for label in measured.samples}
        found = [Finding("one env step", "ns", best, times)]
        for other, goal in ((FREE, 0.95), (TUNED_RAY, 3.0)):
            if {best, other} <= measured.samples.keys():
                ratio = {best: measured.ratio(other, best)}
                wanted = Goal(at_least=goal) if steps > 1 else None
                found.append(Finding(f"{other} against ours", "x", best, ratio, wanted))
        return found

    return Case(
        f"rollouts-{steps}",
        f"What does one step of {envs} CartPoles cost, {steps} steps per event?",
        contenders,
        conclude,
        seconds=30,
    )
