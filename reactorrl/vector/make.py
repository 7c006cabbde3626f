"""`make_vec`, and the ids `reactorrl/<id>` in Gymnasium's registry."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, find_highest_version, get_env_id, parse_env_id
from gymnasium.vector import AutoresetMode

from ..ids import ENTRY_POINT
from .env import ReactorVectorEnv

_VECTOR_OPTIONS = ("autoreset_mode", "copy", "observation_mode", "step_timeout", "workers")


def make_vec(
    id: str | EnvSpec,
    num_envs: int = 1,
    *,
    workers: int | None = None,
    autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    vector_kwargs: dict[str, Any] | None = None,
    wrappers: Sequence[Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]]] | None = None,
    atari: str | None = None,
    **kwargs: Any,
) -> ReactorVectorEnv:
    """Make a `ReactorVectorEnv` of a registered env.

    Args:
        id: As for `gymnasium.make`: an id, `"module:id"`, or an `EnvSpec`.
        num_envs: How many.
        workers: Threads that step them, see `ReactorVectorEnv`.
        autoreset_mode: When an env that is over is reset.
        vector_kwargs: Other options of `ReactorVectorEnv`: `copy`, `observation_mode`,
            `step_timeout`.
        wrappers: Functions that wrap each single env, the innermost first.
        atari: The preset, `"dqn"` or `"machado"`, for a game of `reactorrl.atari`; `id` names it.
        **kwargs: For `gymnasium.make`, or `reactorrl.atari.spec`.

    Raises:
        gymnasium.error.Error: There is no such id; names what comes close.
        TypeError, ValueError: An argument is wrong.

    >>> import numpy as np
    >>> envs = make_vec("CartPole-v1", 4, workers=2)
    >>> obs, infos = envs.reset(seed=1)
    >>> obs, rewards, terminations, truncations, infos = envs.step(np.array([0, 1, 0, 1]))
    >>> obs.shape, rewards.tolist()
    ((4, 4), [1.0, 1.0, 1.0, 1.0])
    >>> envs.close()
    """
    options = {"workers": workers, "autoreset_mode": autoreset_mode}
    for name, value in (vector_kwargs or {}).items():
        if name not in _VECTOR_OPTIONS:
            known = ", ".join(_VECTOR_OPTIONS)
            raise TypeError(f"vector_kwargs has no {name!r}; there are {known}")
        options[name] = value
    if num_envs < 1:
        raise ValueError(f"num_envs={num_envs}: at least one")
    if atari is not None:
        from ..atari import spec as atari_spec  # noqa: PLC0415 - ale-py is an extra

        rendering = {"render_mode": kwargs.pop("render_mode")} if "render_mode" in kwargs else {}
        spec, kwargs = atari_spec(str(id), atari, **kwargs), rendering
    else:
        spec = copy.deepcopy(id if isinstance(id, EnvSpec) else _spec_of(id))
    around = list(wrappers or ())

    def make_one() -> Any:
        env = gym.make(spec, **kwargs)
        for wrapper in around:
            env = wrapper(env)
        return env

    envs = ReactorVectorEnv([make_one] * num_envs, **options)
    envs.spec = copy.deepcopy(spec)
    envs.spec.kwargs.update(kwargs, num_envs=num_envs)
    return envs


def make_registered(num_envs: int, env_id: str, **kwargs: Any) -> ReactorVectorEnv:
    """What `gymnasium.make_vec("reactorrl/<id>", ...)` calls.

    Args:
        num_envs: How many.
        env_id: The id of the single env.
        **kwargs: Options of `ReactorVectorEnv`, and for `gymnasium.make`.
    """
    options = {name: kwargs.pop(name) for name in _VECTOR_OPTIONS if name in kwargs}
    return make_vec(env_id, num_envs, vector_kwargs=options, **kwargs)


def _spec_of(id: str) -> EnvSpec:
    module, _, name = id.rpartition(":")
    if module:
        importlib.import_module(module)
    namespace, base, version = parse_env_id(name)
    if version is None:
        latest = find_highest_version(namespace, base)
        name = name if latest is None else get_env_id(namespace, base, latest)
    spec = gym.spec(name)
    return gym.spec(spec.kwargs["env_id"]) if spec.vector_entry_point == ENTRY_POINT else spec
