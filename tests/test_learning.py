"""Each experiment of bench/learning, short: the same bits everywhere, and something was learned.

`trace_hash` is the same on every machine. So is what a table holds; but torch's kernels differ
between processors, and the weights of networks are compared with what was written down only on the
kind of processor and the version of torch that it was written down for. Everywhere, 1 and 2 workers
must end with the same weights. After a change that is meant to change bits:

    PYTHONPATH=. python tests/test_learning.py        prints what to write down, and where
"""

import hashlib
import json
import math
import platform
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import reactorrl as rr
from bench.learning import multiagent, tabular
from bench.learning.deep import program_of
from reactorrl import rl

WRITTEN_DOWN = Path(__file__).with_name("learned.json")
SEED = 1


@dataclass(frozen=True)
class Short:
    """A short run, and what it must reach.

    That is the exact return of a table's greedy policy, and the mean return of a network's last 20
    episodes of training, or of 2 000 greedy ones where these are short. `ceiling`: of a negative
    control, which the published program does not solve.
    """

    program: str
    env_id: str
    floor: float
    options: dict = field(default_factory=dict)
    ceiling: float = math.inf

    @property
    def name(self):
        return f"{self.program}-{self.env_id}"

    @property
    def is_table(self):
        return self.program == "qlearning" and self.options.get("kind") != "network"

    def make(self):
        if self.program == "qlearning":
            settings = {**tabular.SETTINGS.get(self.env_id, {}), **self.options}
            return rl.QLearning(rl.QLearningOptions(env_id=self.env_id, seed=SEED, **settings))
        if self.program == "marl":
            settings = {**multiagent.SETTINGS[self.env_id], **self.options}
            options = rl.MultiAgentPPOOptions(env_id=self.env_id, seed=SEED, **settings)
            return rl.MultiAgentPPO(options)
        return program_of(self.program, self.env_id, SEED, **self.options)


CASES = (
    Short("qlearning", "CliffWalking-v1", -13.0),
    Short("qlearning", "FrozenLake-v1", 0.7, {"total_timesteps": 60_000}),
    Short("qlearning", "Taxi-v4", 0.0, {"total_timesteps": 200_000}),
    Short("qlearning", "Blackjack-v1", -0.25, {"kind": "network", "total_timesteps": 8_000}),
    Short("dqn", "CartPole-v1", 40.0, {"total_timesteps": 4_000}),
    Short("dqn", "Acrobot-v1", -450.0, {"total_timesteps": 5_000}),
    Short("ppo", "CartPole-v1", 80.0, {"total_timesteps": 10_000}),
    Short("ppo", "Acrobot-v1", -350.0, {"total_timesteps": 30_000}),
    Short("ppo", "MountainCar-v0", -200.0, {"total_timesteps": 8_192}, ceiling=-200.0),
    Short("a2c", "CartPole-v1", 40.0, {"total_timesteps": 8_000}),
    Short("a3c", "CartPole-v1", 40.0, {"total_timesteps": 8_000}),
    Short("marl", "TrafficJunction-easy", -100.0, {"total_timesteps": 10_240}),
    # Too short to learn Pong, but whoever's actions do not reach the game has -21 in every one.
    Short("ppo", "ALE/Pong-v5", -20.9, {"total_timesteps": 4_608, "num_envs": 4}),
)


def processor():
    """What decides the bits of a network: torch's version, and what its kernels choose by."""
    torch = pytest.importorskip("torch")
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = [platform.processor()]
    facts = [line for line in lines if line.startswith(("cpu family", "model\t", "flags"))][:3]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    return f"torch {torch.__version__} on {platform.machine()} {digest}"


def outcome(short, workers):
    """Hash of the trace, hash of the weights, and what was reached."""
    main = short.make()
    report = rr.run(main, workers=workers, fast=True)
    reached = main.episodes.mean_return(20)
    if short.env_id == "Blackjack-v1":
        returns = main.evaluate(main.learner.latest, episodes=2_000, seed=SEED)
        reached = sum(returns) / len(returns)
    if short.is_table:
        model = rl.TabularModel.of(short.env_id)
        actions = main.learner.latest["q"].argmax(axis=1)
        reached = model.return_of(actions, model.steps or tabular.NO_LIMIT)
    return report.trace_hash, rl.weights_sha256(main.learner.latest), reached


@pytest.mark.parametrize("short", CASES, ids=lambda short: short.name)
def test_a_short_run_learns_and_ends_with_the_same_bits(short):
    written = json.loads(WRITTEN_DOWN.read_text())
    trace_hash, weights, reached = outcome(short, 1)
    assert outcome(short, 2) == (trace_hash, weights, reached)
    assert trace_hash == written["trace_hash"][short.name]
    kind = "everywhere" if short.is_table else processor()
    if kind in written["weights"]:
        assert weights == written["weights"][kind][short.name]
    assert short.floor <= reached <= short.ceiling


def write_down():
    """Replace what is written down of this processor."""
    written = json.loads(WRITTEN_DOWN.read_text()) if WRITTEN_DOWN.exists() else {"weights": {}}
    kinds = written["weights"]
    written["trace_hash"], kinds["everywhere"], kinds[processor()] = {}, {}, {}
    for short in CASES:
        began = time.perf_counter()
        trace_hash, weights, reached = outcome(short, 2)
        written["trace_hash"][short.name] = trace_hash
        kinds["everywhere" if short.is_table else processor()][short.name] = weights
        seconds = time.perf_counter() - began
        print(
            f"{short.name:<28}{reached:9.2f}, floor {short.floor:7.2f}, {seconds:.1f} s", flush=True
        )
    WRITTEN_DOWN.write_text(json.dumps(written, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(write_down())
