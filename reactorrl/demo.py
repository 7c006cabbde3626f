"""Train parallel DQN on CartPole-v1, once with one worker and once with two, and compare the results.

`python -m reactorrl.demo --help` shows the options.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import reactorrl as rr

from .interrupts import gil_is_enabled

if TYPE_CHECKING:
    from .rl import DQN, DQNOptions

GOALS = {"CartPole-v1": 195.0}
"""Mean return of the last 100 episodes from which an env counts as learned."""

_REFRESH = rr.msec(200)
_WARM_UP_TIMESTEPS = 6_000


@dataclass(frozen=True)
class Run:
    """What one training run gave."""

    workers: int
    report: rr.RunReport
    env_steps: int
    mean_return: float
    weights_sha256: str

    @property
    def steps_per_s(self) -> float:
        """Env steps per second of wall time."""
        return self.env_steps / self.report.wall_time_s

    def seconds_in(self, part: str) -> float:
        """Return the time in the bodies whose path contains `part`, summed over reactors and workers."""
        times = self.report.reaction_times_s or {}
        return sum(seconds for path, seconds in times.items() if part in path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0, or 1 if nothing was learned or the runs differ."""
    options = _parser().parse_args(arguments)
    missing = [name for name in ("torch", "matplotlib") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"The demo needs {' and '.join(missing)}: pip install 'reactorrl[torch,viz]'")
        return 1
    options.out.mkdir(parents=True, exist_ok=True)

    print(f"Parallel DQN on {options.env_id}: {options.num_envs} rollouts, seed {options.seed}")
    started = time.perf_counter()
    from .rl import DQN, DQNOptions  # noqa: PLC0415 - torch takes seconds, --help should not

    chosen = DQNOptions(
        env_id=options.env_id,
        num_envs=options.num_envs,
        seed=options.seed,
        total_timesteps=options.total_timesteps,
    )
    print(_interpreter())
    _warm_up(chosen)
    print(f"torch {sys.modules['torch'].__version__} imported and warm, {_since(started)}\n")

    runs = []
    for workers in options.workers:
        dqn = DQN(chosen)
        runs.append(_train(dqn, workers, chosen))
    diagram, curve = options.out / "reactors.svg", options.out / "returns.png"
    diagram.write_text(rr.Program(DQN(chosen)).graph.to_svg())
    _draw_returns(dqn, chosen, curve)

    _print_table(runs)
    print(f"\nreactor diagram  {diagram}\nreturn curve     {curve}\nin all           {_since(started)}\n")
    is_learned = _say_whether_learned(options.env_id, runs)
    return 0 if _say_whether_equal(runs) and is_learned else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m reactorrl.demo", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--workers", type=int, nargs="+", default=[1, 2], metavar="N", help="train once with each (default: 1 2)")
    add("--env-id", default="CartPole-v1", metavar="ID", help="Gymnasium env, flat observations, discrete actions")
    add("--num-envs", type=int, default=6, metavar="N", help="rollout reactors (default: %(default)s)")
    add("--total-timesteps", type=int, default=400_000, metavar="N", help="env steps per run (default: %(default)s)")
    add("--seed", type=int, default=1, metavar="N", help="of everything random (default: %(default)s)")
    add("--out", type=Path, default=Path("reactorrl-demo"), metavar="DIR", help="for the pictures (default: %(default)s)")
    return parser


def _interpreter() -> str:
    turns = "on: reactions take turns, so more workers are no faster" if gil_is_enabled() else "off"
    cores = len(os.sched_getaffinity(0))
    return f"{platform.python_implementation()} {platform.python_version()}, GIL {turns}; {cores} cores"


def _warm_up(options: DQNOptions) -> None:
    """Let torch and the interpreter do what they do only once, so that the first run is not the slower."""
    from .rl import DQN  # noqa: PLC0415

    rr.run(DQN(replace(options, total_timesteps=_WARM_UP_TIMESTEPS)), workers=1, fast=True)


def _train(dqn: DQN, workers: int, options: DQNOptions) -> Run:
    """Run the program; this thread looks at the episodes from time to time and draws the bar."""
    from tqdm import tqdm  # noqa: PLC0415

    from .rl import weights_sha256  # noqa: PLC0415

    episodes = dqn.episodes
    total = options.rounds * options.num_envs * options.num_steps
    title = f"workers={workers}"
    with (
        tqdm(total=total, desc=title, unit="step", unit_scale=True, mininterval=0) as bar,
        rr.Program(dqn, workers=workers, fast=True, profile=True) as program,
    ):
        program.start()
        report = None
        while report is None:
            report = program.join(timeout=_REFRESH)
            bar.set_postfix_str(f"mean return {episodes.mean_return():.0f}", refresh=False)
            bar.update(episodes.env_steps - bar.n)
    digest = weights_sha256(dqn.learner.latest)
    return Run(workers, report, episodes.env_steps, episodes.mean_return(), digest)


def _draw_returns(dqn: DQN, options: DQNOptions, path: Path) -> None:
    """Draw the return of every episode, and the mean over 100, against the env steps."""
    import numpy as np  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    steps = np.array(dqn.episodes.ended_at) / 1000
    returns = np.array(dqn.episodes.returns)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(steps, returns, ".", color="#9ab8d6", markersize=3, label="one episode", rasterized=True)
    if len(returns) >= 100:
        means = np.convolve(returns, np.full(100, 0.01), "valid")
        axes.plot(steps[99:], means, color="#0b5394", linewidth=2, label="mean of the last 100")
    goal = GOALS.get(options.env_id)
    if goal is not None:
        axes.axhline(goal, color="#b45f06", linewidth=1, linestyle="--", label=f"learned: {goal:.0f}")
    axes.set_title(
        f"Parallel DQN on {options.env_id}: {options.num_envs} rollouts, seed {options.seed}"
    )
    axes.set_xlabel("env steps of all rollouts, in thousands")
    axes.set_ylabel("return of an episode")
    axes.set_xlim(0, None)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(path, dpi=150)


def _print_table(runs: list[Run]) -> None:
    rows = [("", *(f"workers={run.workers}" for run in runs))]
    rows.append(("mean return of the last 100 episodes", *(f"{run.mean_return:.1f}" for run in runs)))
    rows.append(("env steps", *(f"{run.env_steps:,}" for run in runs)))
    rows.append(("seconds", *(f"{run.report.wall_time_s:.1f}" for run in runs)))
    rows.append(("env steps/s", *(f"{run.steps_per_s:,.0f}" for run in runs)))
    rows.append(("seconds in rollouts, all workers", *(f"{run.seconds_in('.rollouts['):.1f}" for run in runs)))
    rows.append(("seconds in the learner", *(f"{run.seconds_in('.learner.'):.1f}" for run in runs)))
    print()
    for name, *values in rows:
        print(f"{name:<38}" + "".join(f"{value:>14}" for value in values))
    print()
    for run in runs:
        print(f"workers={run.workers}  trace hash      {run.report.trace_hash}")
        print(f"workers={run.workers}  weights SHA-256 {run.weights_sha256}")


def _say_whether_learned(env_id: str, runs: list[Run]) -> bool:
    goal = GOALS.get(env_id)
    if goal is None:
        return True
    worst = min(run.mean_return for run in runs)
    if worst >= goal:
        print(f"Learned: the last 100 episodes returned {worst:.1f} in the mean; {goal:.0f} were asked for.")
        return True
    print(f"NOT learned: the last 100 episodes returned {worst:.1f} in the mean, not {goal:.0f}.")
    return False


def _say_whether_equal(runs: list[Run]) -> bool:
    if len(runs) < 2:
        return True
    counts = " and ".join(str(run.workers) for run in runs)
    differing = [
        what
        for what, values in (
            ("trace hash", {run.report.trace_hash for run in runs}),
            ("weights", {run.weights_sha256 for run in runs}),
        )
        if len(values) > 1
    ]
    if differing:
        print(f"DIFFERENT: {' and '.join(differing)} should be the same with {counts} workers.")
        return False
    print(f"Equal: the same trace hash and the same weights, to the last bit, with {counts} workers.")
    return True


def _since(started: float) -> str:
    return f"{time.perf_counter() - started:.1f} s"


if __name__ == "__main__":
    sys.exit(main())
