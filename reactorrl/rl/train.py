"""Training runs: a program with logs, checkpoints, evaluation and a folder of its own.

`train` is what `reactorrl train` calls; it also works from scripts and notebooks:

    run = train("ppo", PPOOptions(env_id="CartPole-v1"))
    print(run.mean)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

import reactorrl as rr
from reactorrl.interrupts import Interrupts, SecondInterrupt

from . import checkpoint
from .algorithm import Algorithm, Options
from .evaluate import Evaluator
from .plot import check_picture, draw_returns
from .policy import Weights
from .presets import load_program
from .scalars import CSV_NAME, CsvLog, Log, Sb3Names, TensorBoardLog, Thinned, WandbLog
from .video import capture_video, check_video

CHECKPOINT_NAME = "checkpoint.npz"
BEST_NAME = "best.npz"
MODEL_NAME = "model.npz"
EVALUATION_SEED = 1_000_000  # added to the program's: episodes that no rollout has seen

_REFRESH = rr.msec(200)
_LINE_S = 10.0  # between two states of the bar in a log file
_POINTS = 2_000  # of a scalar in TensorBoard and W&B; they show no more
_CHECKPOINTS = 10  # of a run, unless --checkpoint-frequency says otherwise
_MAY_CHANGE = frozenset({"total_timesteps", "cuda"})  # when a run goes on

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How to run a program: nothing here changes what it learns.

    Raises:
        ValueError: A number is out of its range.
    """

    workers: int | None = None
    """Threads that run reactions; None: the usable cores. The results do not depend on it."""
    resume: Path | None = None
    """Go on from this checkpoint, or from that of this run's folder; all is written into that."""
    exp_name: str | None = None
    """Part of the folder's name; None: the program's."""
    log_dir: Path = Path("runs")
    """Where the run's folder {env_id}__{exp_name}__{seed}__{unix_time} is made."""
    checkpoint_frequency: int = 0
    """Env steps between two checkpoints; 0: a tenth of all. There is always one at the end."""
    eval_frequency: int = 0
    """Env steps between two evaluations during training, whose best weights are kept; 0: none."""
    eval_episodes: int = 10
    """Episodes of every evaluation, and of the one at the end."""
    step_timeout: float = 120.0
    """Seconds after which an env that does not return from a step or reset is an error."""
    save_plot: Path | None = None
    """Draw the return of every episode into this file; {run} is the run's folder."""
    capture_video: bool = False
    """Film an episode of what was learned, as video.mp4 or video.gif in the run's folder."""
    trace: Path | None = None
    """Write what every worker did into this file, for ui.perfetto.dev; {run} is the folder."""
    log_names: Literal["cleanrl", "sb3"] = "cleanrl"
    """Names of the scalars: CleanRL's or Stable-Baselines3's."""
    track: bool = False
    """Log to Weights & Biases, too."""
    wandb_project_name: str = "reactorrl"
    """Project of W&B."""
    wandb_entity: str | None = None
    """Entity of W&B; None: the user's default."""

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers={self.workers}: must be at least 1")
        for name in ("checkpoint_frequency", "eval_frequency"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least 0")
        if self.eval_episodes < 1:
            raise ValueError(f"eval_episodes={self.eval_episodes}: must be at least 1")
        if not self.step_timeout > 0:
            raise ValueError(f"step_timeout={self.step_timeout}: must be positive")


@dataclass(frozen=True)
class TrainingRun:
    """What a training run gave.

    Attributes:
        algorithm: The program, which has ended; `algorithm.episodes` are its episodes.
        folder: With logs, checkpoint and models.
        report: Of the program; None if the checkpoint it went on from was its end.
        returns: Of the evaluation at the end.
    """

    algorithm: Algorithm
    folder: Path
    report: rr.RunReport | None = field(repr=False)
    returns: list[float] = field(repr=False)

    @property
    def weights(self) -> Weights:
        """What was learned."""
        return self.algorithm.learner.latest

    @property
    def mean(self) -> float:
        """Mean return of the evaluation."""
        return float(np.mean(self.returns))

    @property
    def std(self) -> float:
        """Standard deviation of its returns."""
        return float(np.std(self.returns))

    def __repr__(self) -> str:
        return f"<TrainingRun {self.folder}, {evaluation_line(self.returns)}>"


class EnvTimeoutError(rr.ReactorError):
    """An env did not return from a step or reset within the declared time."""


def evaluation_line(returns: list[float]) -> str:
    """Return `evaluation: mean X, std Y over N episodes`."""
    mean, std = np.mean(returns), np.std(returns)
    return f"evaluation: mean {mean:.2f}, std {std:.2f} over {len(returns)} episodes"


def train(
    name: str,
    options: Options | None = None,
    run: RunOptions = RunOptions(),
    *,
    say: Callable[[str], None] = print,
) -> TrainingRun:
    """Train a program and evaluate it.

    Ctrl-C ends the program after the round at hand, with a checkpoint; a second one at once, with
    the checkpoint before.

    Args:
        name: Of the program: `"dqn"`, `"ppo"`, ..., or `"module:Class"`; see
            `reactorrl.rl.presets.load_program`.
        options: Of the program; None for those of the checkpoint in `run.resume`, or the defaults.
        run: How to run it.
        say: Takes lines for the user.

    Raises:
        CheckpointError: `run.resume` cannot be read, or is of another program or other options.
        EnvTimeoutError: An env hangs. Nothing can stop its thread: leave the process.
        ReactionError: A reaction raised; the last checkpoint and the logs are complete.
        KeyboardInterrupt: After the checkpoint.
        ImportError: Something is asked for that is not installed.
        Exception: What the program raises at options or an env that it cannot use.
    """
    program, options_class = load_program(name)
    saved, header = None, {}
    if run.resume is not None:
        path = checkpoint_path(run.resume)
        saved, header = checkpoint.load(path)
        if "program" not in saved:
            raise checkpoint.CheckpointError(
                f"{path}: weights alone, from which no run can go on; give its folder or"
                f" {CHECKPOINT_NAME}"
            )
        of_checkpoint = options_of(header, path, name, options_class)
        options = of_checkpoint if options is None else _checked(options, of_checkpoint, path)
    options = options_class() if options is None else options
    algorithm = program(options)
    if run.eval_frequency:
        _add_evaluator(algorithm, run)
    _check_files(run)
    if run.capture_video:
        check_video(algorithm)

    if saved is None:
        folder = _make_folder(name, options, run)
    else:
        folder = path.parent
        say(f"resuming {path}: {name} on {options.env_id} at {header['env_steps']:,} env steps")
        if run.eval_frequency:
            saved["program"].setdefault("evaluator", algorithm.evaluator.state_dict())
        algorithm.load_state_dict(saved["program"])
        for line in _unsaved(saved["program"]):
            say(f"{line}: they begin new episodes, with other seeds")
        algorithm.learner.latest = saved["weights"]
        saved.clear()  # a replay memory would be there twice
    session = _Session(name, algorithm, options, run, folder, header, say)
    report = None
    try:
        if not _is_done(algorithm, options):
            report = session.train()
    except BaseException as error:
        is_there = (folder / CHECKPOINT_NAME).exists()
        error.add_note(
            f"go on with: reactorrl train {name} --resume {folder}"
            if is_there
            else f"the logs are in {folder}; there was no checkpoint yet"
        )
        raise
    finally:
        session.close()
    if report is None:
        say("the checkpoint is the end of its run; a larger total_timesteps would go on")
    weights = algorithm.learner.latest
    save_model(folder / MODEL_NAME, weights, session.header())
    if run.save_plot is not None:
        say(f"return curve  {session.draw()}")
    if run.trace is not None and report is not None:
        say(f"trace         {session.place(run.trace)}")
    if run.capture_video:
        seed = options.seed + EVALUATION_SEED
        say(f"video         {capture_video(algorithm, weights, folder, seed=seed)}")
    say(f"run           {folder}")
    returns = algorithm.evaluate(
        weights, episodes=run.eval_episodes, seed=options.seed + EVALUATION_SEED
    )
    say(evaluation_line(returns))
    return TrainingRun(algorithm, folder, report, returns)


def checkpoint_path(path: Path) -> Path:
    """Return a file, or the checkpoint in a run's folder."""
    return path / CHECKPOINT_NAME if path.is_dir() else path


def options_of(header: dict[str, Any], path: Path, name: str, kind: type[Options]) -> Options:
    """Return the options of a checkpoint.

    Raises:
        CheckpointError: The checkpoint is of another program, or of another version of it.
    """
    if header.get("program") != name:
        raise checkpoint.CheckpointError(
            f"{path}: a checkpoint of {header.get('program')!r}, not of {name!r}"
        )
    saved = header["options"]
    unknown = sorted(saved.keys() - {each.name for each in fields(kind)})
    if unknown:
        raise checkpoint.CheckpointError(
            f"{path}: {name} of this version has no options {', '.join(unknown)}"
        )
    return kind(**{key: _tuples(value) for key, value in saved.items()})


def _checked(asked: Options, saved: Options, path: Path) -> Options:
    """Return the options asked for, if the run of a checkpoint can go on with them exactly."""

    def fixed(options: Options) -> dict[str, Any]:
        return {k: v for k, v in asdict(options).items() if k not in _MAY_CHANGE}

    differing = checkpoint.differences(fixed(saved), fixed(asked))
    if differing:
        raise checkpoint.CheckpointError(
            f"{path}: its run has other options, so it cannot go on exactly: {'; '.join(differing)}"
        )
    return asked


def save_model(path: Path, weights: Weights, header: dict[str, Any]) -> None:
    """Write weights alone, with what `reactorrl evaluate` needs to know."""
    checkpoint.save(path, {"weights": dict(weights)}, header)


class _Session:
    """One program while it is trained: its logs, its checkpoints, its progress."""

    def __init__(
        self,
        name: str,
        algorithm: Algorithm,
        options: Options,
        run: RunOptions,
        folder: Path,
        header: dict[str, Any],
        say: Callable[[str], None],
    ) -> None:
        self.name = name
        self.algorithm = algorithm
        self.options = options
        self.run = run
        self.folder = folder
        self.say = say
        self.first_step = algorithm.episodes.env_steps
        total = options.rounds * options.steps_per_round
        self.frequency = run.checkpoint_frequency or -(-total // _CHECKPOINTS)
        self.next_checkpoint = self._following_checkpoint()
        self.notes: list[str] = []  # said by the main thread, as there is a bar to keep whole
        self.csv = CsvLog(folder / CSV_NAME, header.get("csv_size"))
        self.logs = self._open_logs(total)
        algorithm.episodes.sinks += self.logs
        algorithm.gate.hook = self._begin_round
        evaluator = getattr(algorithm, "evaluator", None)
        if evaluator is not None:
            evaluator.keep = self._keep_best
        self.started = time.perf_counter()

    def _open_logs(self, total: int) -> list[Log]:
        options = {**asdict(self.options), "program": self.name}
        run, every = self.run, max(total // _POINTS, 1)
        logs: list[Log] = [self.csv]
        try:
            tensorboard = TensorBoardLog(self.folder, options, self.first_step)
            logs.append(Thinned(tensorboard, every))
        except ImportError:
            self.say("no TensorBoard log: pip install tensorboardX")
        if run.track:
            project, entity = run.wandb_project_name, run.wandb_entity
            logs.append(Thinned(WandbLog(self.folder, options, project, entity), every))
        if run.log_names == "sb3":
            episodes = self.algorithm.episodes
            logs = [Sb3Names(log, episodes.returns, episodes.lengths) for log in logs]
        return logs

    def train(self) -> rr.RunReport:
        """Run the program to its end; the checkpoint is written however it ends in order."""
        algorithm, run = self.algorithm, self.run
        program = rr.Program(
            algorithm, workers=run.workers, fast=True, trace=run.trace and self.place(run.trace)
        )
        watch = _Watch(algorithm, self.options.env_id, run.step_timeout)
        with self._bar() as bar, Interrupts(program._runtime) as interrupts:  # noqa: SLF001
            program.start()
            report = None
            try:
                while report is None:
                    report = program.join(timeout=_REFRESH)
                    watch.check()
                    self._show(bar)
            except SecondInterrupt:
                raise KeyboardInterrupt from None
            except BaseException:
                program.stop()
                raise
        if algorithm.ends_between_rounds or not interrupts.count:
            self.save()
        self._say_notes(self.say)
        if interrupts.count:
            self.say(f"interrupted at {algorithm.episodes.env_steps:,} env steps")
            raise KeyboardInterrupt
        return report

    def _begin_round(self) -> None:
        """Between two rounds, on whichever worker: nothing else runs."""
        env_steps = self.algorithm.episodes.env_steps
        if env_steps == self.first_step:
            return
        speed = (env_steps - self.first_step) / (time.perf_counter() - self.started)
        for log in self.logs:
            log.write(env_steps, {"charts/SPS": round(speed, 1)})
        if env_steps >= self.next_checkpoint:
            self.save()

    def _following_checkpoint(self) -> int:
        return (self.algorithm.episodes.env_steps // self.frequency + 1) * self.frequency

    def save(self) -> None:
        """Write the checkpoint."""
        state = self.algorithm.state_dict()
        self.next_checkpoint = self._following_checkpoint()
        tree = {"program": state, "weights": dict(self.algorithm.learner.latest)}
        checkpoint.save(self.folder / CHECKPOINT_NAME, tree, self.header(csv_size=self.csv.size))
        for line in _unsaved(state):
            if line not in self.notes:
                self.notes.append(line)

    def header(self, **more: Any) -> dict[str, Any]:
        """Return what says which program this is and how far it is."""
        return {
            "program": self.name,
            "options": asdict(self.options),
            "env_steps": self.algorithm.episodes.env_steps,
            **more,
        }

    def _keep_best(self, weights: Weights, mean: float) -> None:
        save_model(self.folder / BEST_NAME, weights, self.header(mean=mean))

    @contextmanager
    def _bar(self) -> Iterator[Any]:
        from tqdm import auto  # noqa: PLC0415

        class Bar(auto.tqdm):
            monitor_interval = 0  # no thread that watches the bars

        is_watched = sys.stderr.isatty() or "ipykernel" in sys.modules
        with Bar(
            total=self.options.rounds * self.options.steps_per_round,
            initial=self.first_step,
            unit=" env steps",
            unit_scale=True,
            mininterval=0.1 if is_watched else _LINE_S,
        ) as bar:
            yield bar

    def _show(self, bar: Any) -> None:
        self._say_notes(bar.write)
        episodes = self.algorithm.episodes
        bar.set_postfix_str(f"mean return {episodes.mean_return():.1f}", refresh=False)
        bar.update(episodes.env_steps - bar.n)

    def _say_notes(self, say: Callable[[str], None]) -> None:
        for index, line in enumerate(self.notes):
            if line:
                say(f"checkpoint: {line}; a resumed run will begin new episodes there")
                self.notes[index] = ""

    def draw(self) -> Path:
        """Draw the return curve and return its file."""
        assert self.run.save_plot is not None
        path = self.place(self.run.save_plot)
        options = self.options
        title = f"{self.name} on {options.env_id}: {options.num_envs} envs, seed {options.seed}"
        draw_returns(self.algorithm.episodes, path, title=title)
        return path

    def place(self, path: Path) -> Path:
        """Return a path with the run's folder in place of `{run}`."""
        return Path(str(path).replace("{run}", str(self.folder)))

    def close(self) -> None:
        """Close the logs."""
        for log in self.logs:
            log.close()


class _Watch:
    """Looks from the outside at where every rollout is; each call of an env may take so long."""

    def __init__(self, algorithm: Algorithm, env_id: str, seconds: float) -> None:
        self._rollouts = list(algorithm.rollouts)
        self._env_id = env_id
        self._seconds = seconds
        self._seen = [(None, 0.0)] * len(self._rollouts)

    def check(self) -> None:
        now = time.perf_counter()
        for index, rollout in enumerate(self._rollouts):
            at, env_steps = rollout.at, rollout.env_steps
            where = None if at is None else (*at, env_steps)
            before, since = self._seen[index]
            if where is None or where != before:
                self._seen[index] = where, now
            elif now - since > self._seconds:
                (step, env), n = at, rollout.num_envs
                raise EnvTimeoutError(
                    f"env {rollout.bank_index * n + env} of {rollout.path} ({self._env_id}) hangs:"
                    f" it has not returned from its step {env_steps + step} for"
                    f" {now - since:.0f} s (step_timeout={self._seconds:g}); its thread cannot be"
                    " ended, so leave this process"
                )


def _check_files(run: RunOptions) -> None:
    """Refuse before training what could not be written after it."""
    for name in ("save_plot", "trace"):
        path = getattr(run, name)
        if path is not None and "{run}" not in str(path) and not path.parent.is_dir():
            raise ValueError(f"{name}={str(path)!r}: there is no folder {path.parent}")
    if run.save_plot is not None:
        check_picture(run.save_plot)


def _add_evaluator(algorithm: Algorithm, run: RunOptions) -> None:
    options = algorithm.options
    rounds = getattr(options, "sync_every", 1)  # between two uses of the gate
    if rounds == 0:
        raise ValueError("eval_frequency needs sync_every, the rounds between two looks at weights")
    every = max(round(run.eval_frequency / (options.steps_per_round * rounds)), 1)
    evaluate = partial(
        algorithm.evaluate, episodes=run.eval_episodes, seed=options.seed + EVALUATION_SEED
    )
    algorithm.evaluator = Evaluator(evaluate, every)
    algorithm.connect(algorithm.gate.weights, algorithm.evaluator.weights)
    algorithm.connect(algorithm.evaluator.metrics, algorithm.episodes.evaluation)


def _make_folder(name: str, options: Options, run: RunOptions) -> Path:
    start = f"{options.env_id}__{run.exp_name or name}__{options.seed}".replace("/", "-")
    run.log_dir.mkdir(parents=True, exist_ok=True)
    unix_time = int(time.time())
    while True:  # of runs that begin in the same second, each has a folder
        folder = run.log_dir / f"{start}__{unix_time}"
        try:
            folder.mkdir()
        except FileExistsError:
            unix_time += 1
        else:
            return folder


def _is_done(algorithm: Algorithm, options: Options) -> bool:
    return algorithm.episodes.env_steps >= options.rounds * options.steps_per_round


def _unsaved(state: dict[str, Any]) -> Iterator[str]:
    """Say which envs are not in a program's state, and why."""
    for name, part in state.items():
        if isinstance(part, dict) and part.get("unsavable"):
            yield f"the envs of {name} cannot be saved ({part['unsavable']})"


def _tuples(value: T) -> T | tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else value
