"""The programs by name, and hyper-parameters for envs: what others have found and published.

A preset is a set of options that differ from the program's own defaults, which are CleanRL's for
classic control. Sources:

* rl-zoo: RL Baselines3 Zoo, `hyperparams/{dqn,ppo,a2c}.yml`, read in November 2026. Presets that
  normalise observations and rewards are left out, as there is nothing here that does so.
* CleanRL: `cleanrl/{dqn,ppo}_atari.py`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .algorithm import Algorithm, Options

PROGRAMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "dqn": ("DQN", "deep Q-learning with a replay buffer"),
        "ppo": ("PPO", "proximal policy optimization"),
        "a2c": ("A2C", "synchronous advantage actor-critic"),
        "a3c": ("A3C", "asynchronous advantage actor-critic"),
        "qlearning": ("QLearning", "Q-learning on a table"),
        "marl": ("MultiAgentPPO", "PPO for several agents (PettingZoo)"),
    }
)
"""Class in `reactorrl.rl` and a few words, by the name that the command line has for it."""

ATARI = "ALE/*"


@dataclass(frozen=True)
class Preset:
    """Options for an env.

    Attributes:
        source: Where they come from.
        values: Those that differ from the program's defaults.
    """

    source: str
    values: Mapping[str, Any] = field(default_factory=dict)


_DEFAULT = Preset("the program's own, there is no preset for this env")

_PPO_ATARI = {
    "total_timesteps": 10_000_000,
    "num_envs": 8,
    "num_steps": 128,
    "learning_rate": 2.5e-4,
    "anneal_lr": True,
    "num_minibatches": 4,
    "update_epochs": 4,
    "clip_coef": 0.1,
    "ent_coef": 0.01,
    "vf_coef": 0.5,
}

PRESETS: Mapping[tuple[str, str], Preset] = MappingProxyType(
    {
        ("ppo", "CartPole-v1"): Preset(
            "rl-zoo, but that its clip_range falls to 0",
            {
                "total_timesteps": 100_000,
                "num_envs": 8,
                "num_steps": 32,
                "num_minibatches": 1,
                "update_epochs": 20,
                "learning_rate": 1e-3,
                "anneal_lr": True,
                "gamma": 0.98,
                "gae_lambda": 0.8,
                "clip_coef": 0.2,
                "clip_vloss": False,
                "ent_coef": 0.0,
            },
        ),
        ("ppo", ATARI): Preset("CleanRL, ppo_atari.py", _PPO_ATARI),
        ("a2c", "CartPole-v1"): Preset(
            "rl-zoo", {"total_timesteps": 500_000, "num_envs": 8, "ent_coef": 0.0}
        ),
        ("a2c", ATARI): Preset(
            "rl-zoo",
            {
                "total_timesteps": 10_000_000,
                "num_envs": 16,
                "ent_coef": 0.01,
                "vf_coef": 0.25,
            },
        ),
    }
)
"""By the program's name and the env's id."""


def preset_for(name: str, env_id: str) -> Preset:
    """Return the preset of a program for an env; an empty one if there is none."""
    key = ATARI if env_id.startswith("ALE/") else env_id
    return PRESETS.get((name, key), _DEFAULT)


def load_program(name: str) -> tuple[type[Algorithm], type[Options]]:
    """Import a program and its options.

    Raises:
        ValueError: There is no such program.
        ImportError: Something it needs is not installed.
    """
    if name not in PROGRAMS:
        raise ValueError(f"no program {name!r}; there are {', '.join(PROGRAMS)}")
    module = importlib.import_module("reactorrl.rl")
    class_name = PROGRAMS[name][0]
    return getattr(module, class_name), getattr(module, class_name + "Options")
