"""The programs by name, and hyper-parameters for envs: what others have found and published.

A preset is a set of options that differ from the program's own defaults. Sources:

* rl-zoo: RL Baselines3 Zoo, `hyperparams/{dqn,ppo,a2c}.yml`, as of 2024. What it trains on one env
  in turns of so many env steps is spread over several here, with as many gradient steps for as many
  env steps. Presets that normalise observations or rewards are left out: nothing here does so.
* CleanRL: `cleanrl/{dqn,ppo}.py` and `cleanrl/ppo_atari.py`, as of 2024.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .algorithm import Algorithm, Options

PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "dqn": "DQN",
        "ppo": "PPO",
        "a2c": "A2C",
        "a3c": "A3C",
        "qlearning": "QLearning",
        "marl": "MultiAgentPPO",
    }
)
"""Class in `reactorrl.rl` by the name that the command line has for it."""

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


_DEFAULT = Preset("none for this env, the program's defaults")

_DQN_CONTROL = {
    "num_envs": 4,
    "num_steps": 4,
    "gradient_steps": 16,
    "total_timesteps": 100_000,
    "learning_rate": 6.3e-4,
    "batch_size": 128,
    "buffer_size": 50_000,
    "learning_starts": 0,
    "target_network_frequency": 250,
    "exploration_fraction": 0.12,
    "end_e": 0.1,
    "loss": "huber",
    "hidden_sizes": (256, 256),
}

PRESETS: Mapping[tuple[str, str], Preset] = MappingProxyType(
    {
        ("dqn", "CartPole-v1"): Preset(
            "rl-zoo",
            {
                "num_envs": 8,
                "num_steps": 32,
                "gradient_steps": 128,
                "total_timesteps": 50_000,
                "learning_rate": 2.3e-3,
                "batch_size": 64,
                "buffer_size": 100_000,
                "learning_starts": 1_000,
                "target_network_frequency": 10,
                "exploration_fraction": 0.16,
                "end_e": 0.04,
                "loss": "huber",
                "hidden_sizes": (256, 256),
            },
        ),
        ("dqn", "Acrobot-v1"): Preset("rl-zoo", _DQN_CONTROL),
        ("dqn", "LunarLander-v3"): Preset("rl-zoo, for LunarLander-v2", _DQN_CONTROL),
        ("dqn", "MountainCar-v0"): Preset(
            "rl-zoo",
            {
                "num_envs": 4,
                "num_steps": 4,
                "gradient_steps": 8,
                "total_timesteps": 120_000,
                "learning_rate": 4e-3,
                "gamma": 0.98,
                "batch_size": 128,
                "buffer_size": 10_000,
                "learning_starts": 1_000,
                "target_network_frequency": 600,
                "exploration_fraction": 0.2,
                "end_e": 0.07,
                "loss": "huber",
                "hidden_sizes": (256, 256),
            },
        ),
        ("dqn", ATARI): Preset(
            "rl-zoo",
            {
                "num_envs": 8,
                "num_steps": 4,
                "gradient_steps": 8,
                "total_timesteps": 10_000_000,
                "learning_rate": 1e-4,
                "batch_size": 32,
                "buffer_size": 100_000,
                "learning_starts": 100_000,
                "target_network_frequency": 1_000,
                "exploration_fraction": 0.1,
                "end_e": 0.01,
                "loss": "huber",
            },
        ),
        ("ppo", "CartPole-v1"): Preset(
            "rl-zoo, but for its clip_range, which falls to 0",
            {
                "num_envs": 8,
                "num_steps": 32,
                "total_timesteps": 100_000,
                "learning_rate": 1e-3,
                "gamma": 0.98,
                "gae_lambda": 0.8,
                "num_minibatches": 1,
                "update_epochs": 20,
                "clip_vloss": False,
                "ent_coef": 0.0,
            },
        ),
        ("ppo", "LunarLander-v3"): Preset(
            "rl-zoo, for LunarLander-v2",
            {
                "num_envs": 16,
                "num_steps": 1_024,
                "total_timesteps": 1_000_000,
                "learning_rate": 3e-4,
                "anneal_lr": False,
                "gamma": 0.999,
                "gae_lambda": 0.98,
                "num_minibatches": 256,
                "clip_vloss": False,
            },
        ),
        ("ppo", ATARI): Preset(
            "CleanRL, as rl-zoo's clip_range falls to 0",
            {"num_envs": 8, "total_timesteps": 10_000_000, "clip_coef": 0.1},
        ),
        ("a2c", "CartPole-v1"): Preset("rl-zoo", {"total_timesteps": 500_000}),
        ("a2c", ATARI): Preset(
            "rl-zoo",
            {"num_envs": 16, "total_timesteps": 10_000_000, "ent_coef": 0.01, "vf_coef": 0.25},
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

    Args:
        name: One of `PROGRAMS`, or `"module:Class"` for an `Algorithm` of one's own; its options
            are the `ClassOptions` of that module.

    Raises:
        ValueError: There is no such program.
        ImportError: There is no such module, or something it needs is not installed.
    """
    module_name, is_own, class_name = name.partition(":")
    if not is_own:
        if name not in PROGRAMS:
            raise ValueError(f"no program {name!r}; there are {', '.join(PROGRAMS)}")
        module_name, class_name = "reactorrl.rl", PROGRAMS[name]
    module = importlib.import_module(module_name)
    program = getattr(module, class_name, None)
    options = getattr(module, f"{class_name}Options", None)
    for found, kind in ((program, Algorithm), (options, Options)):
        if not (isinstance(found, type) and issubclass(found, kind)):
            raise ValueError(
                f"program {name!r}: {module_name} must have an Algorithm {class_name} and its"
                f" Options {class_name}Options"
            )
    return program, options
