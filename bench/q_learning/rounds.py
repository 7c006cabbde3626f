"""Our side: the library's own program, as a user would run it."""

from typing import Any

import reactorrl as rr
from reactorrl.rl import QLearning, QLearningOptions

from ..stopwatch import Stopwatch
from .parts import (
    EPSILON,
    GAMMA,
    LEARNING_RATE,
    MAX_GRAD_NORM,
    N_ROLLOUTS,
    SEED,
    SIZES,
    STEPS,
    sha256_of,
)


class Watch(rr.Reactor):
    """Sees the end of every round, which is when the learner's metrics are there."""

    metrics = rr.Input[Any]()

    def __init__(self, watch: Stopwatch) -> None:
        self.watch = watch
        self.left = watch.lap()

    @rr.reaction(metrics)
    def on_end_of_round(self) -> None:
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()


class Timed(QLearning):
    """The program, and a watch."""

    def __init__(self, options: QLearningOptions, watch: Stopwatch) -> None:
        super().__init__(options)
        self.watch = Watch(watch)
        self.connect(self.learner.metrics, self.watch.metrics)


def learning(workers: int, batch_size: int, warm: int, rounds: int) -> dict[str, Any]:
    """Train for some rounds; where the time went is in the report of a profiled run."""
    steps = (warm + rounds) * STEPS
    options = QLearningOptions(
        env_id="Blackjack-v1",
        kind="network",
        seed=SEED,
        num_envs=N_ROLLOUTS,
        num_rollouts=N_ROLLOUTS,
        num_steps=STEPS,
        total_timesteps=N_ROLLOUTS * steps,
        buffer_size=2 * N_ROLLOUTS * (steps + 1),  # everything: an episode's end takes a row more
        hidden_sizes=(SIZES[0][1],),
        batch_size=batch_size,
        learning_rate=LEARNING_RATE,
        max_grad_norm=MAX_GRAD_NORM,
        gamma=GAMMA,
        start_e=EPSILON,
        end_e=EPSILON,
        cuda=False,
    )
    watch = Stopwatch(warm, rounds)
    main = Timed(options, watch)
    report = rr.run(main, workers=workers, fast=True, profile=True)
    parts = {"replay": "Timed.replay.remember", "learning": "Timed.learner.learn"}
    share = rounds / (warm + rounds)
    parts_ns = {part: report.reaction_times_s[path] * 1e9 * share for part, path in parts.items()}
    parts_ns["rollout"] = watch.ns - sum(parts_ns.values())
    weights = main.learner.latest
    return watch.reply(sha256_of(list(weights.values())), parts_ns=parts_ns)
