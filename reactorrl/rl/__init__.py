"""Reactors and programs for reinforcement learning.

Rollouts, memories, policies on features and tables need NumPy and Gymnasium. Learners and networks
also need torch (`pip install 'reactorrl[torch]'`), the traffic junction needs PettingZoo
(`reactorrl[multiagent]`); these are imported when something of theirs is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .algorithm import Algorithm, EpisodeLog, Gate, Options
from .discrete import TabularModel
from .envs import Spaces, env_maker, probe, spaces_of
from .gae import gae
from .inference import MultiAgentInference, MultiAgentInferenceOptions
from .multiagent import (
    MultiAgentRollout,
    MultiAgentTrajectory,
    evaluate_agents,
    parallel_env_maker,
    probe_agents,
)
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
    from .multiagent_ppo import MultiAgentPPO, MultiAgentPPOOptions
    from .ppo import PPO, PPOOptions
    from .traffic import TrafficJunction

_NEEDS_EXTRAS = {
    "A2C": "a2c",
    "A2COptions": "a2c",
    "A3C": "a3c",
    "A3COptions": "a3c",
    "DQN": "dqn",
    "DQNOptions": "dqn",
    "Learner": "learner",
    "MultiAgentPPO": "multiagent_ppo",
    "MultiAgentPPOOptions": "multiagent_ppo",
    "PPO": "ppo",
    "PPOOptions": "ppo",
    "TrafficJunction": "traffic",
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
    "MultiAgentInference",
    "MultiAgentInferenceOptions",
    "MultiAgentPPO",
    "MultiAgentPPOOptions",
    "MultiAgentRollout",
    "MultiAgentTrajectory",
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
    "TabularModel",
    "TrafficJunction",
    "Trajectory",
    "Weights",
    "env_maker",
    "evaluate_agents",
    "gae",
    "parallel_env_maker",
    "probe",
    "probe_agents",
    "spaces_of",
    "weights_sha256",
]


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_EXTRAS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_NEEDS_EXTRAS[name]}", __name__), name)
    globals()[name] = value
    return value
