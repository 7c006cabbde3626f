"""Films of environments: a GIF through Pillow, an MP4 through imageio-ffmpeg.

    from reactorrl import atari, film

    env = atari.make("Pong", render_mode="rgb_array", seed=1)
    film.record("pong.gif", env, lambda obs: env.action_space.sample(), steps=300)

Gymnasium's CartPole renders through pygame, which free-threaded Python does not have; `cart_pole`
draws it instead: `film.record("cart.gif", gym.make("CartPole-v1"), policy, steps=200,
draw=film.cart_pole)`.

Pillow and imageio-ffmpeg are optional: `pip install 'reactorrl[atari]'`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import methodcaller
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import DependencyNotInstalled
from numpy.typing import NDArray


def record(
    path: str | Path,
    env: gym.Env[Any, Any],
    policy: Callable[[Any], Any],
    *,
    steps: int,
    seed: int | None = None,
    scale: int = 1,
    draw: Callable[[gym.Env[Any, Any]], NDArray[np.uint8]] | None = None,
) -> Path:
    """Play an environment and write what it looks like.

    Args:
        path: Ends in `.gif` or `.mp4`.
        env: Made with `render_mode="rgb_array"`, unless `draw` is given; its `render_fps` is the
            film's.
        policy: From an observation to an action.
        steps: How many; episodes follow each other, each reset is a picture too.
        seed: Of the first reset.
        scale: Pixels of the film for each pixel in both directions.
        draw: From the environment to a picture, in place of its `render`.

    Returns:
        The path of the film.

    Raises:
        ValueError: As `write`; or the environment renders nothing, or there are no steps.
        gymnasium.error.DependencyNotInstalled: As `write`.
    """
    if draw is None and env.render_mode != "rgb_array":
        raise ValueError(f'{env}: make it with render_mode="rgb_array" to film it')
    if steps < 1:
        raise ValueError(f"steps={steps}: 1 or more")
    fps = env.metadata.get("render_fps", 30)
    pictures = _play(env, policy, steps, seed, draw or methodcaller("render"))
    return write(path, pictures, fps=fps, scale=scale)


def write(
    path: str | Path, pictures: Iterable[NDArray[np.uint8]], *, fps: float = 30, scale: int = 1
) -> Path:
    """Write pictures as a film, each as soon as it comes.

    Args:
        path: Ends in `.gif` or `.mp4`.
        pictures: `(rows, columns, 3)` RGB or `(rows, columns)` grey, uint8, all of one shape.
        fps: Pictures in a second; in a GIF, up to 50 and rounded to hundredths of a second each.
        scale: Pixels of the film for each pixel in both directions.

    Returns:
        The path of the film. An odd number of rows or columns is one more in an MP4.

    Raises:
        ValueError: Another ending, no picture, or one of another shape or dtype.
        gymnasium.error.DependencyNotInstalled: The package that writes such films is missing.
    """
    path = Path(path)
    if path.suffix not in _WRITERS:
        raise ValueError(f"{path}: a film ends in {' or '.join(_WRITERS)}")
    if fps <= 0 or scale < 1:
        raise ValueError(f"fps={fps}, scale={scale}: fps above 0 and a scale of 1 or more")
    _WRITERS[path.suffix](path, _enlarged(pictures, scale), fps)
    return path


def cart_pole(env: gym.Env[Any, Any]) -> NDArray[np.uint8]:
    """Draw Gymnasium's CartPole as it stands now.

    Args:
        env: A CartPole, wrapped or not, after its first reset.

    Returns:
        `(200, 300, 3)` RGB: the whole track, the cart on it, the pole.

    Raises:
        gymnasium.error.DependencyNotInstalled: Pillow is missing.
    """
    drawing = _needed("PIL.ImageDraw", "pillow")
    cart: Any = env.unwrapped
    rows, columns, track = 200, 300, 150
    position, _, angle, _ = cart.state
    metre = columns / (2 * cart.x_threshold)
    x, length = columns / 2 + position * metre, 2 * cart.length * metre
    tip = (x + length * np.sin(angle), track - 10 - length * np.cos(angle))
    image = _needed("PIL.Image", "pillow").new("RGB", (columns, rows), "white")
    on = drawing.Draw(image)
    on.line([(0, track), (columns, track)], "grey")
    on.rectangle([(x - 15, track - 10), (x + 15, track + 8)], "black")
    on.line([(x, track - 10), tip], "chocolate", 6)
    return np.array(image)


def _play(
    env: gym.Env[Any, Any],
    policy: Callable[[Any], Any],
    steps: int,
    seed: int | None,
    draw: Callable[[Any], Any],
) -> Iterator[NDArray[np.uint8]]:
    obs, _ = env.reset(seed=seed)
    yield draw(env)
    for _ in range(steps):
        obs, _, terminated, truncated, _ = env.step(policy(obs))
        yield draw(env)
        if terminated or truncated:
            obs, _ = env.reset()
            yield draw(env)


def _enlarged(pictures: Iterable[NDArray[np.uint8]], scale: int) -> Iterator[NDArray[np.uint8]]:
    """The pictures in RGB and of one shape, of which there is at least one."""
    shape = None
    for number, picture in enumerate(pictures):
        picture = np.asarray(picture)
        shape = shape or picture.shape
        is_picture = picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)
        if not is_picture or picture.shape != shape or picture.dtype != np.uint8:
            raise ValueError(
                f"picture {number} is {picture.dtype} of shape {picture.shape}; all are uint8, "
                f"(rows, columns, 3) or (rows, columns), and of the first one's shape {shape}"
            )
        if picture.ndim == 2:
            picture = np.repeat(picture[:, :, None], 3, axis=2)
        yield np.ascontiguousarray(picture.repeat(scale, axis=0).repeat(scale, axis=1))
    if shape is None:
        raise ValueError("a film has 1 or more pictures")


def _needed(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DependencyNotInstalled(
            f"such a film needs {package}: pip install {package}"
        ) from error


def _write_gif(path: Path, pictures: Iterator[NDArray[np.uint8]], fps: float) -> None:
    image = _needed("PIL.Image", "pillow")
    images = (image.fromarray(picture) for picture in pictures)
    first = next(images)
    duration_ms = 10 * max(2, round(100 / fps))  # browsers slow down what is shorter
    first.save(path, save_all=True, append_images=images, duration=duration_ms, loop=0)


def _write_mp4(path: Path, pictures: Iterator[NDArray[np.uint8]], fps: float) -> None:
    ffmpeg = _needed("imageio_ffmpeg", "imageio-ffmpeg")
    first = next(pictures)
    rows, columns = first.shape[:2]
    film = ffmpeg.write_frames(
        str(path), (columns, rows), fps=fps, macro_block_size=2, ffmpeg_log_level="error"
    )
    film.send(None)
    try:
        for picture in chain([first], pictures):
            film.send(picture)
    finally:
        film.close()


_WRITERS = {".gif": _write_gif, ".mp4": _write_mp4}
