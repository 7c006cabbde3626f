"""`DQN`: synchronous parallel deep Q-learning as a reactor program."""

from __future__ import annotations

from dataclasses import dataclass

import gymnasium as gym
import numpy as np

import reactorrl as rr

from .learner import Learner
from .policy import LinearSchedule, initial_weights
from .replay import ReplayBuffer
from .rollout import Rollout, Trajectory, flat_sizes

_COUNTS = (
    "num_envs",
    "num_steps",
    "total_timesteps",
    "buffer_size",
    "updates_per_round",
    "batch_size",
    "target_period",
)


@dataclass(frozen=True)
class DQNOptions:
    """Options of `DQN`; the defaults are the preset for CartPole-v1.

    A round is `num_envs * num_steps` env steps, then `updates_per_round` gradient steps. Names are
    CleanRL's where it has one.

    Raises:
        ValueError: A count is below 1, or learning would never start.
    """

    env_id: str = "CartPole-v1"
    """Gymnasium env with flat observations and discrete actions."""
    num_envs: int = 6
    """Rollout reactors, each with an env of its own."""
    num_steps: int = 128
    """Env steps of each rollout per round."""
    total_timesteps: int = 400_000
    """Env steps of all rollouts; rounded up to whole rounds."""
    seed: int = 1
    """Of everything random: envs, exploration, replay, initial weights."""
    learning_rate: float = 5e-4
    """Of Adam."""
    gamma: float = 0.99
    """Discount of the reward of the next env step."""
    buffer_size: int = 30_000
    """Transitions that are remembered."""
    learning_starts: int = 1_500
    """Transitions that are collected before the first gradient step."""
    updates_per_round: int = 24
    """Gradient steps per round."""
    batch_size: int = 128
    """Transitions per gradient step."""
    target_period: int = 1
    """Rounds between two updates of the target network."""
    start_e: float = 1.0
    """Probability of a random action at the start."""
    end_e: float = 0.05
    """Probability of a random action at the end of exploration."""
    exploration_fraction: float = 0.3
    """Share of the env steps over which it falls, linearly."""
    max_grad_norm: float = 10.0
    """Largest 2-norm of a gradient."""
    hidden_sizes: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers."""

    def __post_init__(self) -> None:
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least 1")
        if self.learning_starts > self.buffer_size:
            raise ValueError(
                f"learning_starts={self.learning_starts}: more than the buffer_size of"
                f" {self.buffer_size}, so learning would never start"
            )

    @property
    def rounds(self) -> int:
        """Rounds until `total_timesteps` are reached."""
        return -(-self.total_timesteps // (self.num_envs * self.num_steps))


class DQN(rr.Reactor):
    """A bank of rollouts, a replay buffer and a learner: one round per microstep.

    The learner's weights reach every rollout one microstep later (`after=0`); within that tag the
    rollouts run in parallel, the buffer gathers their trajectories in order of the bank, and the
    learner learns. The results do not depend on the number of workers, to the last bit. Run it with
    `fast=True`.

    Args:
        options: See `DQNOptions`.

    Attributes:
        episodes: The `EpisodeLog` of the run, readable at any time.
        learner: Its `latest` weights are the result.

    Source:
        Mnih et al. (2015), Human-level control through deep reinforcement learning, Algorithm 1.

    Deviations:
        1. Several envs are stepped for `num_steps` steps with the weights of the round before, and
           then learned from; the paper has one env and learns every fourth step of its agent.
        2. A small fully connected network on features, for the paper's convolutions on frames.
        3. Those of `Learner`.
    """

    def __init__(self, options: DQNOptions = DQNOptions()) -> None:
        n, seed = options.num_envs, options.seed
        env = gym.make(options.env_id)
        n_features, n_actions = flat_sizes(env)
        env.close()
        exploration = options.exploration_fraction * options.total_timesteps / n
        sizes = (n_features, *options.hidden_sizes, n_actions)

        self.rollouts = rr.Bank(
            n,
            Rollout,
            options.env_id,
            steps=options.num_steps,
            seed=seed,
            epsilon=LinearSchedule(options.start_e, options.end_e, exploration),
        )
        self.replay = ReplayBuffer(
            n,
            n_features=n_features,
            capacity=options.buffer_size,
            batch_rows=options.updates_per_round * options.batch_size,
            learning_starts=options.learning_starts,
            seed=seed,
        )
        self.learner = Learner(
            initial_weights(sizes, np.random.default_rng((seed, n + 1))),
            rounds=options.rounds,
            minibatch_size=options.batch_size,
            learning_rate=options.learning_rate,
            gamma=options.gamma,
            target_period=options.target_period,
            max_grad_norm=options.max_grad_norm,
        )
        self.episodes = EpisodeLog(n)

        self.connect(self.learner.weights, self.rollouts.weights, broadcast=True, after=0)
        self.connect(self.rollouts.trajectory, self.replay.trajectories)
        self.connect(self.replay.batch, self.learner.batch)
        self.connect(self.rollouts.trajectory, self.episodes.trajectories)


class EpisodeLog(rr.Reactor):
    """Keeps the return of every episode, by round, then by rollout, then in order of their ends.

    Args:
        n: Width of `trajectories`.

    Attributes:
        env_steps: Of all rollouts so far.
        returns: Undiscounted, of every ended episode.
        ended_at: For each of them, `env_steps` at the end of its round.
    """

    trajectories = rr.Input[Trajectory](width="n")

    def __init__(self, n: int) -> None:
        self.n = n
        self.env_steps = 0
        self.returns: list[float] = []
        self.ended_at: list[int] = []

    @rr.reaction(trajectories)
    def record(self) -> None:
        """Append what ended at this tag."""
        arrived = [channel.value for channel in self.trajectories.present()]
        self.env_steps += sum(map(len, arrived))
        for trajectory in arrived:
            self.ended_at += [self.env_steps] * len(trajectory.episode_returns)
            self.returns += trajectory.episode_returns.tolist()

    def mean_return(self, last: int = 100) -> float:
        """Return the mean over the last episodes, NaN before the first has ended."""
        returns = self.returns[-last:]
        return sum(returns) / len(returns) if returns else float("nan")
