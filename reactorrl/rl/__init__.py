"""Reactors and programs for reinforcement learning.

`Rollout` and `ReplayBuffer` need NumPy and Gymnasium; `Learner` and `DQN` also need torch, which is
imported when they are first asked for (`pip install 'reactorrl[torch]'`).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .policy import LinearSchedule, Weights, initial_weights, q_values, weights_sha256
from .replay import Batch, ReplayBuffer, ReplayMemory
from .rollout import Rollout, Trajectory

if TYPE_CHECKING:
    from .dqn import DQN, DQNOptions, EpisodeLog
    from .learner import Learner, td_targets

_NEEDS_TORCH = {
    "DQN": "dqn",
    "DQNOptions": "dqn",
    "EpisodeLog": "dqn",
    "Learner": "learner",
    "td_targets": "learner",
}

__all__ = [
    "DQN",
    "Batch",
    "DQNOptions",
    "EpisodeLog",
    "Learner",
    "LinearSchedule",
    "ReplayBuffer",
    "ReplayMemory",
    "Rollout",
    "Trajectory",
    "Weights",
    "initial_weights",
    "q_values",
    "td_targets",
    "weights_sha256",
]


def __getattr__(name: str) -> Any:
    if name not in _NEEDS_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_NEEDS_TORCH[name]}", __name__), name)
    globals()[name] = value
    return value
