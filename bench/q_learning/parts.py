"""What every peer's round is made of, but for the learner: NumPy and Gymnasium.

The same algorithm, figures and random numbers as those of `reactorrl.rl.QLearning` with a network,
written down a second time for interpreters without reactorrl: the weights must be equal to the bit.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from ..stopwatch import Stopwatch

SEED = 1
EPSILON = 0.1
GAMMA = 0.99
LEARNING_RATE = 1e-2
MAX_GRAD_NORM = 10.0
N_ROLLOUTS, STEPS = 16, 100
SIZES = ((3, 32), (32, 2))
Weights = list[np.ndarray]


class Trajectory(NamedTuple):
    """Steps of one rollout, `(steps, ...)`; of several, `(rollouts, steps, ...)`."""

    obs: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    next_obs: np.ndarray
    terminated: np.ndarray


def stacked(trajectories: Sequence[Trajectory]) -> Trajectory:
    """One trajectory with a row for each."""
    return Trajectory(*map(np.stack, zip(*trajectories, strict=True)))


class Rollout:
    """One Blackjack, played epsilon-greedily."""

    def __init__(self, index: int) -> None:
        self.env = gym.make("Blackjack-v1")
        self.rng = np.random.default_rng((SEED, 1 + index))
        self.obs = np.array(self.env.reset(seed=SEED + index)[0], np.float32)

    def roll_out(self, weights: Weights) -> Trajectory:
        """Play `STEPS` steps; episodes go on from one call to the next."""
        w1, b1, w2, b2 = weights
        w1, w2 = w1.T, w2.T
        seen = np.empty((STEPS + 1, 3), np.float32)
        actions = np.empty(STEPS, np.int64)
        rewards = np.empty(STEPS, np.float32)
        terminated = np.zeros(STEPS, np.bool_)
        explores = (self.rng.random(STEPS) < EPSILON).tolist()
        at_random = self.rng.integers(2, size=STEPS).tolist()
        step_env, zero = self.env.step, np.float32(0.0)
        finals, ends = [], []
        seen[0] = self.obs
        for step in range(STEPS):
            if explores[step]:
                action = at_random[step]
            else:
                hidden = seen[step : step + 1].dot(w1)
                hidden += b1
                np.maximum(hidden, zero, out=hidden)
                values = hidden.dot(w2)
                values += b2
                action = int(values.argmax())
            obs, reward, is_end, _, _ = step_env(action)
            actions[step] = action
            rewards[step] = reward
            if is_end:
                terminated[step] = True
                finals.append(obs)
                ends.append(step)
                obs, _ = self.env.reset()
            seen[step + 1] = obs
        next_obs = seen[1:].copy()
        if ends:
            next_obs[ends] = finals
        self.obs = seen[STEPS].copy()
        return Trajectory(seen[:STEPS], actions, rewards, next_obs, terminated)


class Replay:
    """All transitions, a lane for each rollout; draws uniformly with replacement."""

    def __init__(self, rounds: int, batch_size: int) -> None:
        shape = (N_ROLLOUTS, rounds * STEPS)
        self.lanes = Trajectory(
            np.empty((*shape, 3), np.float32),
            np.empty(shape, np.int64),
            np.empty(shape, np.float32),
            np.empty((*shape, 3), np.float32),
            np.empty(shape, np.bool_),
        )
        self.written = 0  # steps of every lane
        self.batch_size = batch_size
        self.rng = np.random.default_rng((SEED, 1 + N_ROLLOUTS))

    def add(self, trajectories: Trajectory) -> None:
        """Take in one trajectory of each rollout, in their order."""
        for kept, new in zip(self.lanes, trajectories, strict=True):
            kept[:, self.written : self.written + STEPS] = new
        self.written += STEPS

    def sample(self) -> Trajectory | None:
        """Draw a batch; nothing while there are fewer transitions than rows in it."""
        total = N_ROLLOUTS * self.written
        if total < self.batch_size:
            return None
        at = divmod(self.rng.integers(total, size=self.batch_size), self.written)
        return Trajectory(*(lane[at] for lane in self.lanes))


class Rounds:
    """Drives rounds and notes how long each of their parts takes.

    Args:
        roll_out: Takes the weights to the trajectories of all rollouts, in order.
        remember: Takes these to the round's batch.
        learn: Takes this to the new weights.
        weights: The first ones.
    """

    def __init__(
        self,
        roll_out: Callable[[Weights], Any],
        remember: Callable[[Any], Any],
        learn: Callable[[Any], Weights],
        weights: Weights,
    ) -> None:
        self.roll_out, self.remember, self.learn = roll_out, remember, learn
        self.weights = weights
        self.parts_ns = {"rollout": 0, "replay": 0, "learning": 0}

    def run(self, rounds: int) -> None:
        """So many rounds."""
        now, parts = time.perf_counter_ns, self.parts_ns
        for _ in range(rounds):
            begin = now()
            trajectories = self.roll_out(self.weights)
            rolled_out = now()
            batch = self.remember(trajectories)
            remembered = now()
            self.weights = self.learn(batch)
            parts["rollout"] += rolled_out - begin
            parts["replay"] += remembered - rolled_out
            parts["learning"] += now() - remembered


def sha256_of(weights: Sequence[np.ndarray]) -> str:
    """Equal for weights that are equal to the bit."""
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()


def timed(loop: Rounds, warm: int, rounds: int) -> dict[str, Any]:
    """Warm up, and time the rest."""
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        loop.parts_ns = dict.fromkeys(loop.parts_ns, 0)
        loop.run(left)
    return watch.reply(sha256_of(loop.weights), parts_ns=loop.parts_ns)
