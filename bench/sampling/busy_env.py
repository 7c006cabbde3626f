"""An env in Python that computes for half a millisecond a step, as simulators do."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from ..harness import Case, Contender, Settings
from ..micro.work import busy, iterations_for
from ..place import Place
from ..samples import Measured
from .sides import ASYNC, FREE, HERE, SYNC, findings, python_sides

N_ENVS = 8
STEP_NS = 500_000


class BusyEnv(gym.Env):
    """Computes, then observes how often it was stepped."""

    observation_space = spaces.Box(0, np.inf, (4,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, iterations: int) -> None:
        self._iterations = iterations
        self._obs = np.zeros(4, np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._obs = np.zeros(4, np.float32)
        return self._obs, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        busy(self._iterations)
        self._obs = self._obs + 1
        return self._obs, float(action), False, False, {}


def cases(places: dict[str, Place], settings: Settings) -> list[Case]:
    """One question."""
    step_ns = STEP_NS if settings.mode != "smoke" else 10_000

    def conclude(measured: Measured) -> list[Any]:
        return findings(measured, ((SYNC, 1.9), (ASYNC, 1.3), (FREE, None)))

    env = {
        "env": "bench.sampling.busy_env:BusyEnv",
        "arguments": {"iterations": iterations_for(step_ns)},
    }
    limit = Contender(
        FREE,
        places[HERE],
        "bench.sampling.peers.threads:free_running",
        {**env, "envs": N_ENVS, "steps": 1, "threads": 2},
        scale=N_ENVS,
        task="threads",
    )
    return [
        Case(
            f"busy-{STEP_NS // 1000}us-{N_ENVS}",
            f"What does a step of {N_ENVS} envs that compute for {STEP_NS // 1000} µs cost?",
            [*python_sides(places, {**env, "n_envs": N_ENVS, "n_actions": 2}), limit],
            conclude,
            seconds=30,
        )
    ]
