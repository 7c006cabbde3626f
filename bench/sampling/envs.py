"""The envs that all sides step, by name. NumPy and Gymnasium: peers import it."""

import importlib
from functools import cache
from typing import Any

import gymnasium as gym

GAME = "ALE/"


def is_game(env: str) -> bool:
    """Whether it is a game of Atari by its id in Gymnasium."""
    return env.startswith(GAME)


@cache
def game(env: str, _index: int) -> gym.Env:
    """A game lives as long as the process, as loading one takes 0.1 s; its colours are seen.

    Nothing in it is random, so that a reset without a seed, which does not load it again, always
    leads to the same screen.
    """
    import ale_py  # noqa: PLC0415 - where there are no games, there is none

    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    gym.register_envs(ale_py)
    return gym.make(env, repeat_action_probability=0.0, disable_env_checker=True)


class Maker:
    """Makes one env: an id of Gymnasium, or `module:class` with arguments. Can be pickled."""

    def __init__(self, env: str, arguments: dict[str, Any] | None = None, index: int = 0) -> None:
        self.env = env
        self.arguments = arguments or {}
        self.index = index

    def __call__(self) -> gym.Env:
        if is_game(self.env):
            return game(self.env, self.index)
        if ":" not in self.env:
            return gym.make(self.env, disable_env_checker=True, **self.arguments)
        module, _, name = self.env.partition(":")
        return getattr(importlib.import_module(module), name)(**self.arguments)
