"""Evaluation: episodes of a policy that does not explore, in an env that nothing learns from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final, TypeAlias

import gymnasium as gym
import numpy as np

import reactorrl as rr

from .envs import MakeEnv, score_of, spaces_of
from .policy import Policy, Weights

Evaluate: TypeAlias = Callable[[Weights], "list[float]"]
"""Returns the undiscounted returns of some episodes with these weights, the same every time."""

MAX_STEPS = 27_000
"""Env steps after which an episode is scored as it stands; Atari's games end there as well. A
greedy policy may walk in circles, and not every env has a time limit of its own."""

_CHUNK = 256  # steps that a policy prepares for at a time


def evaluate(
    policy: Policy, weights: Weights, make_env: MakeEnv, *, episodes: int, seed: int
) -> list[float]:
    """Return the undiscounted returns of so many episodes, one after the other.

    Args:
        policy: Acts; it is the caller's own, as nobody else may use it meanwhile.
        weights: To act with.
        make_env: Makes the env; it is closed at the end.
        episodes: At least 1. Of an Atari game these are whole games, scored without clipping, also
            where the loss of a life ends an episode for the learner.
        seed: Of the env's first reset, and of what the policy draws, if it draws.
    """
    env = make_env()
    try:
        scores = (score for score in play(policy, weights, env, seed=seed) if score is not None)
        return list(islice(scores, episodes))
    finally:
        env.close()


def play(
    policy: Policy, weights: Weights, env: gym.Env[Any, Any], *, seed: int
) -> Iterator[float | None]:
    """Play one episode after the other; arguments as for `evaluate`.

    Yields:
        After every reset and step: the return if a whole episode has just ended, else None.
    """
    spaces = spaces_of(env)
    generator = np.random.default_rng(seed)
    obs, _ = env.reset(seed=seed)
    so_far, length, step = 0.0, 0, 0
    yield None
    while True:
        if step % _CHUNK == 0:
            policy.start(weights, (_CHUNK, 1), step, generator)
        batch = np.asarray(obs, spaces.obs_dtype)[np.newaxis]
        action = int(policy.act(step % _CHUNK, batch)[0])
        obs, reward, terminated, truncated, info = env.step(spaces.first_action + action)
        so_far, length, step = so_far + float(reward), length + 1, step + 1
        is_cut = length >= MAX_STEPS
        if not (terminated or truncated or is_cut):
            yield None
            continue
        score = score_of(info, so_far, length, terminated=terminated and not is_cut)
        if score is not None:
            so_far, length = 0.0, 0
        yield None if score is None else score[0]
        obs, _ = env.reset()
        yield None


class Evaluator(rr.Reactor):
    """Evaluates the weights every so many rounds, beside the rollouts, and keeps the best.

    Args:
        evaluate: Runs the episodes.
        every: Rounds between two evaluations; the first is after so many.

    Attributes:
        best: The weights with the largest mean so far, the first of them if several are equal;
            None before the first evaluation.
        best_mean: Their mean.
        means: Of every evaluation.
        keep: Called with the best weights and their mean as soon as they are known; None does
            nothing. Set it before the program starts.
    """

    weights: Final = rr.Input[Weights]()
    metrics: Final = rr.Output[dict[str, float]]()

    def __init__(self, evaluate: Evaluate, every: int) -> None:
        self.evaluate = evaluate
        self.every = every
        self.round: int = 0
        self.best: Weights | None = None
        self.best_mean: float = -float("inf")
        self.means: list[float] = []
        self.keep: Callable[[Weights, float], None] | None = None

    @rr.reaction(weights, effects=metrics)
    def judge(self) -> None:
        """Evaluate, if it is time to."""
        if self.round > 0 and self.round % self.every == 0:
            weights = self.weights.value
            mean = float(np.mean(self.evaluate(weights)))
            self.means.append(mean)
            self.metrics.set({"eval/episodic_return": mean})
            if mean > self.best_mean:
                self.best, self.best_mean = weights, mean
                if self.keep is not None:
                    self.keep(weights, mean)
        self.round += 1

    def state_dict(self) -> dict[str, Any]:
        """Return what it takes to go on bit for bit; see `reactorrl.rl.checkpoint`."""
        return {
            "round": self.round,
            "best": None if self.best is None else dict(self.best),
            "best_mean": self.best_mean,
            "means": list(self.means),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from this state at the start of the program."""
        self.round = state["round"]
        self.best = state["best"]
        self.best_mean = state["best_mean"]
        self.means = list(state["means"])
