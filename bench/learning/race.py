"""How long until CartPole is solved: our programs and CleanRL's scripts, in turns.

    python -m bench.learning.race                      PPO and DQN, three seeds
    python -m bench.learning.race ppo --seeds 1        one of them, once
    python -m bench.learning.race --json FILE          also write the results

The clock runs from the first env steps until the last 100 episodes return the bar on average, so
that importing and building are not in it. CleanRL's scripts run as they are published, on an
ordinary CPython (`reactorrl bench peers` installs them), all sides with one thread for torch. Our
programs run with CleanRL's settings and with the preset that `reactorrl train` chooses; DQN also
with CleanRL's settings and `overlap`, where rollouts, replay and learning run side by side.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import reactorrl as rr
from reactorrl.rl.presets import load_program, preset_for

from .. import machine, peers
from ..registries import cache_dir
from ..serve import SINGLE_THREADED

ENV_ID = "CartPole-v1"
BARS = {"ppo": 478.0, "dqn": 456.0}
"""CleanRL's published mean, less two of its standard deviations over seeds."""
GOAL = 0.6
"""Of CleanRL's time."""
LAST = 100
STEPS = 500_000
CLEANRL = {
    "ppo": {"total_timesteps": STEPS},
    "dqn": {
        "total_timesteps": STEPS,
        "learning_rate": 2.5e-4,
        "num_envs": 1,
        "num_steps": 10,
        "gradient_steps": 1,
        "buffer_size": 10_000,
        "learning_starts": 10_000,
        "batch_size": 128,
        "target_network_frequency": 500,
        "exploration_fraction": 0.5,
        "hidden_sizes": (120, 84),
    },
}
"""Its settings, in our names; those of PPO are the defaults."""
EPISODE = re.compile(r"global_step=(\d+), episodic_return=\[?([\d.]+)")
LIMIT_S = 1_800


@dataclass(frozen=True)
class Lap:
    """One run: seconds and env steps until the bar, or None if it was never reached."""

    side: str
    seed: int
    seconds: float | None
    env_steps: int


def ours(name: str, side: str, settings: dict[str, Any], seed: int) -> Lap:
    """Our program, stopped after the round in which it reached the bar."""
    make, options = load_program(name)
    algorithm = make(options(env_id=ENV_ID, seed=seed, cuda=False, **settings))
    began: float | None = None
    reached: float | None = None

    def look() -> None:
        nonlocal began, reached
        began = began or time.perf_counter()
        episodes = algorithm.episodes
        is_there = len(episodes.returns) >= LAST and episodes.mean_return(LAST) >= BARS[name]
        if is_there and reached is None:
            reached = time.perf_counter() - began
            algorithm.learner.rounds = algorithm.learner.round + 1

    algorithm.gate.hook = look
    rr.run(algorithm, fast=True)
    return Lap(side, seed, reached, algorithm.episodes.env_steps)


def cleanrl(name: str, python: str, seed: int) -> Lap:
    """CleanRL's script, ended when its last episodes reach the bar."""
    script = subprocess.Popen(
        [python, "-u", "-m", f"cleanrl.{name}", "--cuda", "False", "--seed", str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=cache_dir(),
        env={**os.environ, **dict.fromkeys(SINGLE_THREADED, "1")},
    )
    last: deque[float] = deque(maxlen=LAST)
    began, env_steps, reached = None, 0, None
    assert script.stdout is not None
    try:
        for line in script.stdout:
            found = EPISODE.match(line)
            if found is None:
                continue
            began = began or time.perf_counter()
            env_steps = int(found[1])
            last.append(float(found[2]))
            seconds = time.perf_counter() - began
            if len(last) == LAST and statistics.fmean(last) >= BARS[name]:
                reached = seconds
                break
            if seconds > LIMIT_S:
                break
    finally:
        script.kill()
        script.wait()
    if not env_steps:
        raise RuntimeError(
            f"CleanRL's {name}.py printed no episode; run it: {python} -m cleanrl.{name}"
        )
    return Lap("CleanRL", seed, reached, env_steps)


def sides_of(name: str) -> list[tuple[str, Callable[[int], Lap]]]:
    """Who takes part."""
    place = peers.places()["CleanRL"]
    preset = preset_for(name, ENV_ID)
    same, chosen = "reactorrl, CleanRL's settings", "reactorrl, its preset"
    found: list[tuple[str, Callable[[int], Lap]]] = [
        (same, lambda seed: ours(name, same, CLEANRL[name], seed)),
        (chosen, lambda seed: ours(name, chosen, dict(preset.values), seed)),
    ]
    if name == "dqn":
        beside = "reactorrl, the same with overlap"
        found.insert(
            1, (beside, lambda seed: ours(name, beside, {**CLEANRL[name], "overlap": True}, seed))
        )
    if place.missing:
        print(f"CleanRL is left out: {place.missing}", file=sys.stderr)
        return found
    return [*found, ("CleanRL", lambda seed: cleanrl(name, place.python, seed))]


def table(name: str, laps: Sequence[Lap]) -> str:
    """A row for each side; times as median, as a share of CleanRL's, and by env step."""
    lines = [
        f"{name.upper()} on {ENV_ID}, until the last {LAST} episodes return {BARS[name]:.0f}:",
        f"  {'':<40}{'reached':>9}{'median':>10}{'of CleanRL':>12}{'env step':>10}"
        "   seconds and env steps by seed",
    ]
    medians = {}
    for side in dict.fromkeys(lap.side for lap in laps):
        mine = [lap for lap in laps if lap.side == side]
        times = [lap.seconds for lap in mine if lap.seconds is not None]
        if len(times) == len(mine):
            medians[side] = statistics.median(times)
    for side in dict.fromkeys(lap.side for lap in laps):
        mine = [lap for lap in laps if lap.side == side]
        n_reached = sum(lap.seconds is not None for lap in mine)
        median = f"{medians[side]:.1f} s" if side in medians else "-"
        both = side in medians and "CleanRL" in medians
        share = f"{medians[side] / medians['CleanRL']:.2f}x" if both else "-"
        steps = [lap.seconds / lap.env_steps for lap in mine if lap.seconds is not None]
        of_step = f"{1e6 * statistics.median(steps):.0f} us" if steps else "-"
        each = ", ".join(
            f"{f'{lap.seconds:.1f}' if lap.seconds is not None else 'never'} ({lap.env_steps:,})"
            for lap in mine
        )
        lines.append(
            f"  {side:<40}{f'{n_reached}/{len(mine)}':>9}{median:>10}{share:>12}{of_step:>10}"
            f"   {each}"
        )
    return "\n".join([*lines, f"  goal: at most {GOAL:.1f}x of CleanRL's time"])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.learning.race", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", help="of ppo, dqn; both if none is named")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if set(options.names) - set(BARS):
        parser.error(f"there are {', '.join(BARS)}")
    results: dict[str, Any] = {"machine": machine.describe(), "laps": {}}
    for name in options.names or BARS:
        sides, laps = sides_of(name), []
        for seed in options.seeds:
            for _, run in sides:
                laps.append(run(seed))
                print(laps[-1], file=sys.stderr, flush=True)
                results["laps"][name] = [asdict(lap) for lap in laps]
                if options.json:
                    options.json.write_text(json.dumps(results, indent=1) + "\n")
        print(table(name, laps))
    return 0


if __name__ == "__main__":
    sys.exit(main())
