"""Eight envs of a local class on threads, without a main guard: any number sees the same."""

import hashlib

import gymnasium as gym
import numpy as np

from reactorrl.vector import ReactorVectorEnv


class Walk(gym.Env):
    """A drunkard's walk between two walls: reach the right one."""

    observation_space = gym.spaces.Box(-10, 10, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = np.zeros(1)
        return self.at, {}

    def step(self, action):
        self.at = self.at + (1 if action else -1) + self.np_random.normal()
        has_arrived, is_lost = bool(self.at >= 10), bool(self.at <= -10)
        return np.clip(self.at, -10, 10), float(has_arrived), has_arrived, is_lost, {}


def sample(workers, steps=500):
    """Returns steps, arrivals and a hash of all that was seen."""
    envs = ReactorVectorEnv([Walk] * 8, workers=workers)
    rng, seen, arrivals = np.random.default_rng(1), hashlib.sha256(), 0
    obs, _ = envs.reset(seed=1)
    for _ in range(steps):
        actions = (rng.random(8) < 0.6).astype(np.int64)
        obs, rewards, terminations, truncations, _ = envs.step(actions)
        arrivals += int(terminations.sum())
        for array in (obs, rewards, terminations, truncations):
            seen.update(array.tobytes())
    envs.close()
    return f"{steps * 8} steps, {arrivals} arrivals, hash {seen.hexdigest()[:16]}"


for workers in (1, 2, 4):
    print(f"{workers} workers: {sample(workers)}")
