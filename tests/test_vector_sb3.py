"""The adapter for Stable-Baselines3, against the real base class or, without it, its contract.

The stand-in has what SB3's documentation and `VecEnv` promise to a subclass: the constructor keeps
the number of envs and the single spaces, asks for `render_mode` with `get_attr`, and makes empty
`reset_infos`; `seed` and `set_options` keep what the next `reset` is to use, which then forgets it;
`step` is `step_async` and `step_wait`; `indices` are `None`, an int or an iterable.
"""

import importlib.util
import subprocess
import sys
import sysconfig
import types

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from vector_envs import SPACES, Probe, assert_same

N = 4


class VecEnv:
    def __init__(self, num_envs, observation_space, action_space):
        self.num_envs = num_envs
        self.observation_space = observation_space
        self.action_space = action_space
        self.reset_infos = [{} for _ in range(num_envs)]
        self._seeds = [None] * num_envs
        self._options = [{} for _ in range(num_envs)]
        modes = self.get_attr("render_mode")
        assert all(mode == modes[0] for mode in modes)
        self.render_mode = modes[0]

    def _reset_seeds(self):
        self._seeds = [None] * self.num_envs

    def _reset_options(self):
        self._options = [{} for _ in range(self.num_envs)]

    def seed(self, seed):
        self._seeds = [seed + k for k in range(self.num_envs)]
        return self._seeds

    def set_options(self, options):
        self._options = [options] * self.num_envs if isinstance(options, dict) else options

    def step(self, actions):
        self.step_async(actions)
        return self.step_wait()

    def _get_indices(self, indices):
        if indices is None:
            return range(self.num_envs)
        return [indices] if isinstance(indices, int) else indices


@pytest.fixture
def sb3_vec_env(monkeypatch):
    """The adapter's class."""
    if importlib.util.find_spec("stable_baselines3") is None:
        vec_env = types.ModuleType("stable_baselines3.common.vec_env")
        vec_env.VecEnv = VecEnv
        monkeypatch.setitem(sys.modules, "stable_baselines3", types.ModuleType("sb3"))
        monkeypatch.setitem(sys.modules, "stable_baselines3.common", types.ModuleType("common"))
        monkeypatch.setitem(sys.modules, "stable_baselines3.common.vec_env", vec_env)
    yield importlib.import_module("reactorrl.vector.sb3").Sb3VecEnv
    sys.modules.pop("reactorrl.vector.sb3", None)


@pytest.mark.filterwarnings("ignore:reactorrl. the GIL")
@pytest.mark.parametrize("space", ["Box", "Dict"])
def test_it_gives_what_stable_baselines3_expects(sb3_vec_env, workers, space):
    """Four results; an env that is over shows its next episode, and its last obs in the info."""
    fns = [lambda k=k: Probe(k, obs=SPACES[space]) for k in range(N)]
    reference = SyncVectorEnv(fns, autoreset_mode="SameStep")
    envs = sb3_vec_env(fns, workers=workers)
    assert (envs.num_envs, envs.action_space) == (N, gym.spaces.Discrete(3))
    assert envs.observation_space == SPACES[space]
    envs.seed(5)
    envs.set_options({"level": 3})
    want, infos = reference.reset(seed=5, options={"level": 3})
    assert_same(envs.reset(), want)
    assert [info["who"] for info in envs.reset_infos] == [f"env {k}" for k in range(N)]
    assert envs.reset_infos[1]["odd"] == 1
    assert "odd" not in envs.reset_infos[0]
    assert envs.reset_infos[0]["options"] == ["level"]
    assert (envs._seeds, envs._options) == ([None] * N, [{}] * N)
    n_over = n_truncated = 0
    for _ in range(30):
        obs, rewards, dones, infos = envs.step(np.zeros(N, int))
        want, want_rewards, over, cut, want_infos = reference.step(np.zeros(N, int))
        assert_same(obs, want)
        assert_same(rewards, want_rewards.astype(np.float32))
        assert_same(dones, over | cut)
        for k in range(N):
            assert infos[k]["TimeLimit.truncated"] is bool(cut[k] and not over[k])
            if dones[k]:
                assert_same(infos[k]["terminal_observation"], want_infos["final_obs"][k])
                assert infos[k]["count"] == want_infos["final_info"]["count"][k]
                assert "count" not in envs.reset_infos[k]
                assert envs.reset_infos[k]["start"] == want_infos["start"][k]
            else:
                assert infos[k]["count"] == want_infos["count"][k]
                assert "terminal_observation" not in infos[k]
        n_over += dones.sum()
        n_truncated += sum(info["TimeLimit.truncated"] for info in infos)
    assert n_over > n_truncated > 0
    envs.close()


def test_attributes_and_methods_of_some_envs(sb3_vec_env):
    def wrapped():
        return gym.wrappers.TimeLimit(Probe(1), 5)

    envs = sb3_vec_env([lambda: Probe(0), wrapped, lambda: Probe(2, render_mode=None)], workers=1)
    assert envs.render_mode is None
    assert envs.get_attr("number") == [0, 1, 2]
    assert envs.get_attr("number", 1) == [1]
    envs.set_attr("number", 7, [0, 2])
    assert envs.get_attr("number") == [7, 1, 7]
    assert envs.env_method("double", 2, plus=1, indices=[1, 2]) == [6, 12]
    assert envs.env_is_wrapped(gym.wrappers.TimeLimit) == [False, True, False]
    assert [frame[0, 0, 0] for frame in envs.get_images()] == [7, 1, 7]
    envs.set_options([{}, {"level": 1}, {}])
    with pytest.raises(ValueError, match="same options"):
        envs.reset()
    envs.close()


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="ordinary CPython")
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_the_optimizer_that_trains_on_it_leaves_the_gil_off():
    """The stand-in imports torch, as the package itself does."""
    code = """
import sys, types
import torch
name = "stable_baselines3.common.vec_env"
for each in ("stable_baselines3", "stable_baselines3.common", name):
    sys.modules[each] = types.ModuleType(each)
sys.modules[name].VecEnv = object
import reactorrl.vector.sb3
torch.optim.Adam([torch.nn.Parameter(torch.ones(3))])
print(sys._is_gil_enabled())
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.stdout, ended.returncode) == ("False\n", 0), ended.stderr
