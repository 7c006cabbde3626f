"""Where the numbers of a run go: a CSV file, TensorBoard, Weights & Biases."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from .algorithm import ScalarSink

CSV_NAME = "progress.csv"

SB3_NAMES = {
    "charts/episodic_return": "rollout/ep_rew_mean",
    "charts/episodic_length": "rollout/ep_len_mean",
    "charts/SPS": "time/fps",
    "charts/learning_rate": "train/learning_rate",
    "losses/value_loss": "train/value_loss",
    "losses/policy_loss": "train/policy_gradient_loss",
    "losses/entropy": "train/entropy_loss",
    "losses/approx_kl": "train/approx_kl",
    "losses/clipfrac": "train/clip_fraction",
    "losses/explained_variance": "train/explained_variance",
    "losses/td_loss": "train/loss",
    "eval/episodic_return": "eval/mean_reward",
    "eval/episodic_length": "eval/mean_ep_length",
}
"""Names of Stable-Baselines3 for CleanRL's; the others keep their names."""

_MEANS = ("charts/episodic_return", "charts/episodic_length")  # SB3 logs means over 100 episodes
_NEGATED = ("losses/entropy",)


class Log(ScalarSink, Protocol):
    """A sink that knows its run; closed at the end."""

    def close(self) -> None:
        """Write out what is left."""


class CsvLog:
    """Rows of `global_step,name,value`, complete on disk after every round.

    Args:
        path: The file; it is continued if it exists.
        size: Bytes of it to keep, None for all: where the checkpoint was that a run goes on from.
    """

    def __init__(self, path: str | os.PathLike[str], size: int | None = None) -> None:
        self._file = open(path, "a", encoding="utf-8", newline="")  # noqa: SIM115 - closed later
        if size is not None and self.size > size:
            os.truncate(path, size)
        if not self.size:
            self._file.write("global_step,name,value\n")
            self._file.flush()

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self._file.fileno()).st_size

    def write(self, env_steps: int, scalars: dict[str, float]) -> None:
        """See `ScalarSink`."""
        self._file.write("".join(f"{env_steps},{name},{scalars[name]!r}\n" for name in scalars))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Thinned:
    """Lets at most one value of each scalar through in so many env steps: the first of them.

    For logs that show no more points than this, and take a tenth of a millisecond for each.
    """

    def __init__(self, log: Log, env_steps: int) -> None:
        self._log = log
        self._env_steps = env_steps
        self._next: dict[str, int] = {}

    def write(self, env_steps: int, scalars: dict[str, float]) -> None:
        """See `ScalarSink`."""
        due = {name: x for name, x in scalars.items() if env_steps >= self._next.get(name, 0)}
        if due:
            self._next |= dict.fromkeys(due, env_steps + self._env_steps)
            self._log.write(env_steps, due)

    def close(self) -> None:
        """Close the log behind."""
        self._log.close()


class TensorBoardLog:
    """An event file for TensorBoard, written by `tensorboardX`, complete on disk at every write.

    Args:
        folder: Of the run.
        options: Shown as the text `hyperparameters`.
        env_steps: That the run goes on from; TensorBoard forgets what older files have after it.

    Raises:
        ImportError: tensorboardX is not installed.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any], env_steps: int = 0) -> None:
        # Not its SummaryWriter: that starts a thread and a queue between processes.
        from tensorboardX import event_file_writer, summary  # noqa: PLC0415 - an extra
        from tensorboardX.proto import event_pb2, summary_pb2  # noqa: PLC0415

        self._event, self._summary = event_pb2.Event, summary_pb2.Summary
        self._file = event_file_writer.EventsWriter(str(folder / "events"), f".{env_steps}")
        if env_steps:
            start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._write(env_steps + 1, session_log=start)
        self._write(env_steps, summary=summary.text("hyperparameters", markdown_table(options)))
        self._file.flush()

    def write(self, env_steps: int, scalars: dict[str, float]) -> None:
        """See `ScalarSink`."""
        value = self._summary.Value
        values = [value(tag=name, simple_value=x) for name, x in scalars.items()]
        self._write(env_steps, summary=self._summary(value=values))
        self._file.flush()

    def _write(self, step: int, **content: Any) -> None:
        self._file.write_event(self._event(wall_time=time.time(), step=step, **content))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class WandbLog:
    """A run of Weights & Biases.

    Args:
        folder: Of the run; its name is the run's name.
        options: Become the run's config.
        project: Of W&B.
        entity: Of W&B; None for the user's default.

    Raises:
        ImportError: wandb is not installed.
    """

    def __init__(
        self, folder: Path, options: Mapping[str, Any], project: str, entity: str | None
    ) -> None:
        try:
            import wandb  # noqa: PLC0415 - an extra, and only with --track
        except ImportError:
            raise ImportError("--track needs wandb: pip install wandb") from None
        self._run = wandb.init(
            project=project,
            entity=entity,
            name=folder.name,
            id=folder.name,
            resume="allow",
            config=dict(options),
            dir=str(folder),
        )

    def write(self, env_steps: int, scalars: dict[str, float]) -> None:
        """See `ScalarSink`."""
        self._run.log({"global_step": env_steps, **scalars})

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


class Sb3Names:
    """Hands scalars on by Stable-Baselines3's names and signs, see `SB3_NAMES`.

    Args:
        log: That takes them.
        returns: Of the episodes so far; SB3 logs the mean over the last 100.
        lengths: Of the same.
    """

    def __init__(self, log: Log, returns: Iterable[float], lengths: Iterable[float]) -> None:
        self._log = log
        self._last = {
            name: deque(values, maxlen=100)
            for name, values in zip(_MEANS, (returns, lengths), strict=True)
        }

    def write(self, env_steps: int, scalars: dict[str, float]) -> None:
        """See `ScalarSink`."""
        renamed = {}
        for name, value in scalars.items():
            if name in self._last:
                last = self._last[name]
                last.append(value)
                value = sum(last) / len(last)
            elif name in _NEGATED:
                value = -value
            renamed[SB3_NAMES.get(name, name)] = value
        self._log.write(env_steps, renamed)

    def close(self) -> None:
        """Close the log behind."""
        self._log.close()


def markdown_table(options: Mapping[str, Any]) -> str:
    """Return options as a table with the columns param and value."""
    rows = [f"|{name}|{value}|" for name, value in options.items()]
    return "\n".join(["|param|value|", "|-|-|", *rows])
