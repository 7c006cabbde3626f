"""`Sb3VecEnv`: a vector env for Stable-Baselines3. Importing this module needs that package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env import VecEnv

from .env import ReactorVectorEnv
from .infos import info_of

if "torch" in sys.modules:  # which SB3 has imported, and whose first optimizer turns the GIL on
    from ..rl.torch_setup import import_dynamo

    import_dynamo()


class Sb3VecEnv(VecEnv):
    """Envs on threads in the form that Stable-Baselines3 trains on.

    An env that is over is reset at once: its observation is the first of the next episode, the last
    one is in its info as `"terminal_observation"`, and `"TimeLimit.truncated"` says whether it was
    only cut off. Rewards are float32.

    Args:
        env_fns: Functions that make the envs, each in a `Monitor` if episodes are to be reported.
        **options: Of `ReactorVectorEnv`, such as `workers`.

    >>> model = PPO("MlpPolicy", Sb3VecEnv([make_env] * 8))  # doctest: +SKIP
    """

    def __init__(self, env_fns: Iterable[Callable[[], Any]], **options: Any) -> None:
        self.envs: ReactorVectorEnv = ReactorVectorEnv(
            env_fns, autoreset_mode=AutoresetMode.SAME_STEP, **options
        )
        self._actions: Any = None
        super().__init__(
            self.envs.num_envs,
            self.envs.single_observation_space,
            self.envs.single_action_space,
        )

    def reset(self) -> Any:
        """Reset all envs, with what `seed` and `set_options` asked for; the observations."""
        options = self._options[0] or None
        if any(each != self._options[0] for each in self._options):
            raise ValueError("set_options(): all envs get the same options here; give one dict")
        obs, infos = self.envs.reset(seed=list(self._seeds), options=options)
        self.reset_infos: list[dict[str, Any]] = [info_of(infos, k) for k in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return obs

    def step_async(self, actions: Any) -> None:
        """Take the actions; `step_wait` does the steps."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, Any, Any, list[dict[str, Any]]]:
        """Step the envs: observations, rewards, dones, and a list of infos."""
        obs, rewards, terminations, truncations, infos = self.envs.step(self._actions)
        dones = terminations | truncations
        listed = [info_of(infos, k) for k in range(self.num_envs)]
        for k in np.flatnonzero(dones):
            final_obs, final_info = listed[k].pop("final_obs"), listed[k].pop("final_info", {})
            self.reset_infos[k] = listed[k]
            listed[k] = {**final_info, "terminal_observation": final_obs}
        for k, info in enumerate(listed):
            info["TimeLimit.truncated"] = bool(truncations[k] and not terminations[k])
        return obs, rewards.astype(np.float32), dones, listed

    def close(self) -> None:
        """Close the envs and end their threads."""
        self.envs.close()

    def get_images(self) -> Sequence[Any]:
        """The frame of each env."""
        return self.envs.render()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of some envs."""
        return self._chosen(self.envs.get_attr(attr_name), indices)

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of some envs to one value."""
        for env in self._chosen(self.envs.envs, indices):
            env.set_wrapper_attr(attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        """Call a method of some envs; a list of the results."""
        chosen = self._chosen(self.envs.envs, indices)
        return [env.get_wrapper_attr(method_name)(*args, **kwargs) for env in chosen]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Whether a wrapper of this class is around the envs."""
        return [_is_wrapped(env, wrapper_class) for env in self._chosen(self.envs.envs, indices)]

    def _chosen(self, values: Sequence[Any], indices: Any) -> list[Any]:
        return [values[k] for k in self._get_indices(indices)]


def _is_wrapped(env: Any, wrapper_class: type) -> bool:
    while env is not env.unwrapped and not isinstance(env, wrapper_class):
        env = env.env
    return isinstance(env, wrapper_class)
