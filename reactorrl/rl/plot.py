"""The picture of a training run: the return of every episode against the env steps."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import numpy as np

from .algorithm import EpisodeLog

_WINDOW = 100


def import_figure() -> Any:
    """Return matplotlib's figure; without pyplot there is no window and no state.

    Raises:
        ImportError: matplotlib is not installed; the text says how to.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra
    except ImportError:
        raise ImportError("drawing needs matplotlib: pip install 'reactorrl[viz]'") from None
    return Figure


def check_picture(path: Path) -> None:
    """Check that a picture could be drawn into this file.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: The suffix is that of no picture.
    """
    formats = sorted(import_figure()().canvas.get_supported_filetypes())
    if path.suffix[1:].lower() not in formats:
        raise ValueError(f"{path}: a picture's suffix is one of {', '.join(formats)}")


def draw_returns(
    episodes: EpisodeLog,
    target: str | os.PathLike[str] | IO[bytes],
    *,
    title: str,
    goal: float | None = None,
    dpi: int = 150,
) -> None:
    """Write the return of every episode, and the mean over 100, as a picture.

    Args:
        episodes: Of the run; it may still go on.
        target: The file; its suffix says the format. What is no path takes a PNG.
        title: Above the picture.
        goal: Drawn as a line.
        dpi: Pixels per inch of 8 by 4.5 inches.

    Raises:
        ImportError: matplotlib is not installed.
    """
    # In this order, as the log appends the other way round.
    env_steps = episodes.env_steps
    returns = np.array(episodes.returns.copy())
    steps = np.array(episodes.ended_at[: len(returns)]) / 1000
    figure = import_figure()(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(steps, returns, ".", color="#9ab8d6", markersize=3, label="one episode")
    if len(returns) >= _WINDOW:
        means = np.convolve(returns, np.full(_WINDOW, 1 / _WINDOW), "valid")
        axes.plot(
            steps[_WINDOW - 1 :], means, color="#0b5394", linewidth=2, label="mean of the last 100"
        )
    if goal is not None:
        axes.axhline(goal, color="#b45f06", linewidth=1, linestyle="--", label=f"goal: {goal:.0f}")
    axes.set_title(title)
    axes.set_xlabel("env steps of all envs, in thousands")
    axes.set_ylabel("return of an episode")
    axes.set_xlim(0, max(env_steps / 1000, 1e-3))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right")
    figure.savefig(target, dpi=dpi)
