"""Train parallel DQN on CartPole-v1, with one worker and then with two, and compare the results.

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
"""Mean return of the last 100 episodes from which on an env counts as learned."""

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
        """Return the seconds in bodies whose path contains `part`, summed over all workers."""
        times = self.report.reaction_times_s or {}
        return sum(seconds for path, seconds in times.items() if part in path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return 0, or 1 if nothing was learned or the runs differ."""
    asked = _parser().parse_args(arguments)
    missing = [
        name
        for name in ("torch", "matplotlib", "networkx")
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        print(f"The demo needs {' and '.join(missing)}: pip install 'reactorrl[torch,viz]'")
        return 1
    asked.out.mkdir(parents=True, exist_ok=True)

    started = time.perf_counter()
    title = f"Parallel DQN on {asked.env_id}: {asked.num_envs} envs, seed {asked.seed}"
    print(title)
    print(_machine(), end="; ", flush=True)
    from .rl import DQN, DQNOptions  # noqa: PLC0415 - torch takes seconds, and --help need not
    from .rl.plot import draw_returns  # noqa: PLC0415

    options = DQNOptions(
        env_id=asked.env_id,
        num_envs=asked.num_envs,
        seed=asked.seed,
        total_timesteps=asked.total_timesteps,
    )
    _warm_up(options)
    print(f"torch imported and warm in {time.perf_counter() - started:.1f} s\n", flush=True)

    runs = []
    for workers in asked.workers:
        dqn = DQN(options)
        runs.append(_train(dqn, workers, options))
    diagram, curve = asked.out / "reactors.svg", asked.out / "returns.png"
    diagram.write_text(rr.Program(DQN(options)).graph.to_svg())
    draw_returns(dqn.episodes, curve, title=title, goal=GOALS.get(asked.env_id))

    _print_table(runs)
    print(f"\nreactor diagram  {diagram}\nreturn curve     {curve}")
    print(f"all of it took   {time.perf_counter() - started:.1f} s\n")
    is_learned, is_equal = _say_whether_learned(options.env_id, runs), _say_whether_equal(runs)
    return 0 if is_learned and is_equal else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m reactorrl.demo",
        description="Train parallel DQN once for each number of workers and compare the results.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )

    def add(name: str, default: object, text: str, **more: object) -> None:
        parser.add_argument(name, default=default, help=text, **more)

    add(
        "--workers", [1, 2], "numbers of workers to train with", type=_count, nargs="+", metavar="N"
    )
    add(
        "--env-id",
        "CartPole-v1",
        "Gymnasium env: flat observations, discrete actions",
        metavar="ID",
    )
    add("--num-envs", 6, "rollout reactors, each with an env of its own", type=_count, metavar="N")
    add("--total-timesteps", 400_000, "env steps of each training", type=_count, metavar="N")
    add("--seed", 1, "of everything random", type=_count, metavar="N")
    add("--out", Path("reactorrl-demo"), "folder for the pictures", type=Path, metavar="DIR")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 on")
    return int(text)


def _machine() -> str:
    gil = "on: reactions take turns, more workers are not faster" if gil_is_enabled() else "off"
    name = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{len(os.sched_getaffinity(0))} cores, {name}, GIL {gil}"


def _warm_up(options: DQNOptions) -> None:
    """Let torch and the interpreter do what they do only once, before anything is timed."""
    from .rl import DQN  # noqa: PLC0415

    rr.run(DQN(replace(options, total_timesteps=_WARM_UP_TIMESTEPS)), workers=1, fast=True)


def _train(dqn: DQN, workers: int, options: DQNOptions) -> Run:
    """Run the program; meanwhile, look at its episodes from this thread and draw the bar."""
    from tqdm import tqdm  # noqa: PLC0415

    from .rl import weights_sha256  # noqa: PLC0415

    total = options.rounds * options.num_envs * options.num_steps
    title = f"workers={workers}"
    with (
        tqdm(total=total, desc=title, unit=" env steps", unit_scale=True, mininterval=0) as bar,
        rr.Program(dqn, workers=workers, fast=True, profile=True) as program,
    ):
        program.start()
        report = None
        while report is None:
            report = program.join(timeout=_REFRESH)
            bar.set_postfix_str(f"mean return {dqn.episodes.mean_return():.0f}", refresh=False)
            bar.update(dqn.episodes.env_steps - bar.n)
    return Run(
        workers=workers,
        report=report,
        env_steps=dqn.episodes.env_steps,
        mean_return=dqn.episodes.mean_return(),
        weights_sha256=weights_sha256(dqn.learner.latest),
    )


def _print_table(runs: list[Run]) -> None:
    rows = {
        "": [f"workers={run.workers}" for run in runs],
        "mean return of the last 100 episodes": [f"{run.mean_return:.1f}" for run in runs],
        "env steps": [f"{run.env_steps:,}" for run in runs],
        "seconds": [f"{run.report.wall_time_s:.1f}" for run in runs],
        "env steps/s": [f"{run.steps_per_s:,.0f}" for run in runs],
        "seconds in rollouts, over all workers": [
            f"{run.seconds_in('.rollouts['):.1f}" for run in runs
        ],
        "seconds in the learner": [f"{run.seconds_in('.learner.'):.1f}" for run in runs],
    }
    print()
    for name, values in rows.items():
        print(f"{name:<38}" + "".join(f"{value:>12}" for value in values))
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
        print(f"Learned: the last 100 episodes returned {worst:.1f} on average (goal {goal:.0f}).")
        return True
    print(f"NOT learned: the last 100 episodes returned {worst:.1f} on average (goal {goal:.0f}).")
    return False


def _say_whether_equal(runs: list[Run]) -> bool:
    if len(runs) == 1:
        return True
    workers = " and ".join(str(run.workers) for run in runs)
    differing = []
    if len({run.report.trace_hash for run in runs}) > 1:
        differing.append("trace hash")
    if len({run.weights_sha256 for run in runs}) > 1:
        differing.append("weights")
    if differing:
        print(f"DIFFERENT: the {' and the '.join(differing)}, for {workers} workers.")
        return False
    print(f"Equal: the trace and every bit of the weights are the same for {workers} workers.")
    return True


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\nInterrupted.")
