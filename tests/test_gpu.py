"""Learners on a device with memory of its own: a simulated one, as few machines have a GPU."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reactorrl import rl

torch = pytest.importorskip("torch")
backend_registration = pytest.importorskip("torch.utils.backend_registration")

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 240
pytestmark = pytest.mark.timeout(SECONDS + 60)
CASES = {
    "dqn": (
        "DQN",
        {"total_timesteps": 600, "learning_starts": 100, "num_steps": 25, "gradient_steps": 6},
    ),
    "dqn, all options": (
        "DQN",
        {
            "total_timesteps": 600,
            "learning_starts": 100,
            "num_steps": 25,
            "gradient_steps": 6,
            "double": True,
            "dueling": True,
            "prioritized": True,
            "n_step": 3,
            "overlap": True,
        },
    ),
    "ppo": ("PPO", {"total_timesteps": 1024}),
    "ppo, images": (
        "PPO",
        {"env_id": "ALE/Pong-v5", "num_envs": 2, "num_steps": 16, "total_timesteps": 64},
    ),
    "a2c": ("A2C", {"total_timesteps": 320}),
    "qlearning": (
        "QLearning",
        {"env_id": "Blackjack-v1", "kind": "network", "total_timesteps": 2000},
    ),
    "multi-agent ppo": ("MultiAgentPPO", {"total_timesteps": 1024, "num_envs": 8}),
}

for package, case in (("ale_py", "ppo, images"), ("pettingzoo", "multi-agent ppo")):
    if importlib.util.find_spec(package) is None:
        del CASES[case]

SCRIPT = """
import json, sys
import simulated_gpu
keep = simulated_gpu.install()
import reactorrl as rr
from reactorrl import rl
from reactorrl.rl.learner import Learner

device = "cpu"
rl.Options.device = property(lambda options: device)

def program(name, settings):
    return getattr(rl, name)(getattr(rl, name + "Options")(seed=1, **settings))

def learned(main):
    simulated_gpu.counts.clear()
    rr.run(main, workers=2, fast=True)
    products = simulated_gpu.counts["aten.mm.default"] + simulated_gpu.counts["aten.addmm.default"]
    return [rl.weights_sha256(main.learner.latest), products]

def state_at_half(main):
    assert main.learner.rounds > 1
    states = []
    def look():
        if main.learner.round == main.learner.rounds // 2:
            states.append(main.state_dict())
            raise KeyError("enough")
    main.gate.hook = look
    try:
        rr.run(main, workers=2, fast=True)
    except rr.ReactionError as error:
        assert isinstance(error.__cause__, KeyError), error
    return states[0]

for name, settings in json.loads(sys.argv[1]).values():
    found = []
    for device in ("cpu", "sim"):
        found.append(learned(program(name, settings)))
    for first, second in (("cpu", "sim"), ("sim", "cpu")):
        device = first
        state = state_at_half(program(name, settings))
        device = second
        main = program(name, settings)
        main.load_state_dict(state)
        found.append(learned(main))
    print(json.dumps(found), flush=True)
"""


@pytest.fixture(scope="module")
def runs():
    """Weights and matrix products on the device, of each case and four runs.

    On the CPU; on the device; begun on the CPU and gone on with on the device; the other way round.
    """
    if not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"):
        pytest.skip(f"torch {torch.__version__} has no devices that are written in Python")
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(CASES)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
    )
    assert ended.returncode == 0, ended.stderr
    return dict(zip(CASES, map(json.loads, ended.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_learner_ends_with_the_weights_of_the_cpu(runs, case):
    (on_cpu, no_products), (on_device, products), *_ = runs[case]
    assert no_products == 0 < products
    assert on_device == on_cpu


@pytest.mark.parametrize("case", CASES)
def test_a_checkpoint_goes_on_where_it_was_not_made(runs, case):
    (on_cpu, _), _, (to_device, products), (to_cpu, no_products) = runs[case]
    assert no_products == 0 < products
    assert to_device == to_cpu == on_cpu


def test_a_gpu_is_used_where_torch_sees_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert rl.PPOOptions().device == "cuda"
    assert rl.PPOOptions(cuda=False).device == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert rl.PPOOptions().device == "cpu"


def test_a_learner_on_a_gpu_lets_cublas_be_deterministic(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for before, after in ((None, ":4096:8"), (":16:8", ":16:8")):
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", before or "")
        if before is None:
            monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
        rl.PPO(rl.PPOOptions())
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == after
