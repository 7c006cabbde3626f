"""Reactors and programs for reinforcement learning.

Rollouts, memories and policies on features need NumPy and Gymnasium; learners, programs and
networks also need torch, which is imported when one of them is first asked for
(`pip install 'reactorrl[torch]'`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .algorithm import Algorithm, EpisodeLog, Gate, Options
from .discrete import Model
from .envs import Spaces, env_maker, probe, spaces_of
from .gae import gae
from .policy import (
    Categorical,
    EpsilonGreedy,
    Greedy,
    LinearSchedule,
    MLPForward,
    Policy,
    Weights,
    weights_sha256,
)
from .prioritized import Priorities, PrioritizedReplayBuffer, PrioritizedReplayMemory
from .qlearning import QLearning, QLearningOptions
from .replay import Batch, ReplayBuffer, ReplayMemory
from .rollout import Rollout
from .trajectory import Trajectory

if TYPE_CHECKING:
    from .a2c import A2C, A2COptions
    from .a3c import A3C, A3COptions
    from .dqn import DQN, DQNOptions
    from .learner import Learner
    from .ppo import PPO, PPOOptions

_NEEDS_TORCH = {
    "A2C": "a2c",
    "A2COptions": "a2c",
    "A3C": "a3c",
    "A3COptions": "a3c",
    "DQN": "dqn",
    "DQNOptions": "dqn",
    "Learner": "learner",
    "PPO": "ppo",
    "PPOOptions": "ppo",
}

__all__ = [
    "A2C",
    "A3C",
    "DQN",
    "PPO",
    "A2COptions",
    "A3COptions",
    "Algorithm",
    "Batch",
    "Categorical",
    "DQNOptions",
    "EpisodeLog",
    "EpsilonGreedy",
    "Gate",
    "Greedy",
    "Learner",
    "LinearSchedule",
    "MLPForward",
    "Model",
    "Options",
    "PPOOptions",
    "Policy",
    "Priorities",
    "PrioritizedReplayBuffer",
    "PrioritizedReplayMemory",
    "QLearning",
    "QLearningOptions",
    "ReplayBuffer",
    "ReplayMemory",
    "Rollout",
    "Spaces",
    "Trajectory",
    "Weights",
    "env_maker",
    "gae",
    "probe",
    "spaces_of",
    "weights_sha256",
]


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_NEEDS_TORCH[name]}", __name__), name)
    globals()[name] = value
    return value
