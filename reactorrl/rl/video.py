"""The film of a training run: an episode of what was learned."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv
from numpy.typing import NDArray

from reactorrl import film

from .algorithm import Algorithm
from .evaluate import play
from .policy import Weights

_MAX_PICTURES = 5_000  # longer episodes are cut off


def capture_video(algorithm: Algorithm, weights: Weights, folder: Path, *, seed: int) -> Path:
    """Film an episode without exploration, the first one of `evaluate` with this seed.

    Args:
        algorithm: Whose env and greedy policy are used.
        weights: To act with.
        folder: Where `video.mp4` is written, or `video.gif` without imageio-ffmpeg.
        seed: Of everything random in the episode.

    Returns:
        The path of the film.

    Raises:
        ValueError: As `check_video`.
        gymnasium.error.DependencyNotInstalled: What draws the env, or writes films, is missing.
    """
    env = _env_to_film(algorithm)
    try:
        pictures = _episode(algorithm, weights, env, seed)
        name = "video.gif" if find_spec("imageio_ffmpeg") is None else "video.mp4"
        fps = env.metadata.get("render_fps", 30)
        return film.write(folder / name, islice(pictures, _MAX_PICTURES), fps=fps)
    finally:
        env.close()


def check_video(algorithm: Algorithm) -> None:
    """Draw one picture of the env, which is all that may go wrong with a film.

    Raises:
        ValueError: The env draws no pictures, or the program has no such env.
        gymnasium.error.DependencyNotInstalled: What draws the env, or writes films, is missing.
    """
    if find_spec("PIL") is None and find_spec("imageio_ffmpeg") is None:
        raise gym.error.DependencyNotInstalled(
            "capture_video needs a package that writes films: pip install 'reactorrl[atari]'"
        )
    env = _env_to_film(algorithm)
    try:
        env.reset(seed=0)
        try:
            _picture(env)
        except gym.error.DependencyNotInstalled as error:
            raise gym.error.DependencyNotInstalled(f"capture_video: {error}") from error
    finally:
        env.close()


def _env_to_film(algorithm: Algorithm) -> gym.Env[Any, Any]:
    make_env = algorithm.rollouts[0].make_env
    env = make_env()
    if not isinstance(env, gym.Env):
        raise ValueError("capture_video: only an env with one agent can be filmed")
    if isinstance(env.unwrapped, CartPoleEnv):
        return env
    env.close()
    modes = env.metadata.get("render_modes", ())
    if "rgb_array" not in modes:
        raise ValueError(
            f'capture_video: {env.unwrapped} has no render mode "rgb_array", but {list(modes)}'
        )
    return make_env(render_mode="rgb_array")


def _picture(env: gym.Env[Any, Any]) -> NDArray[np.uint8]:
    is_cart = isinstance(env.unwrapped, CartPoleEnv)  # its own pictures need pygame
    return film.cart_pole(env) if is_cart else env.render()


def _episode(
    algorithm: Algorithm, weights: Weights, env: gym.Env[Any, Any], seed: int
) -> Iterator[NDArray[np.uint8]]:
    for score in play(algorithm.greedy_policy(), weights, env, seed=seed):
        yield _picture(env)
        if score is not None:
            return
