"""The state of an env as plain data, so that a checkpoint can bring it back without pickle."""

from __future__ import annotations

from typing import Any

import gymnasium as gym


def env_state(env: gym.Env[Any, Any]) -> dict[str, Any] | None:
    """Return an env's state as nested dicts and lists of arrays and scalars.

    Returns:
        None if the env holds something that cannot be saved.
    """
    return None


def restore_env(env: gym.Env[Any, Any], state: dict[str, Any] | None) -> None:
    """Bring a freshly made and reset env into a state; leave it as it is where there is none."""
