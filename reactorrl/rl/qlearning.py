"""`QLearning`: synchronous parallel Q-learning, on a table or with a small network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

import reactorrl as rr

from .algorithm import Algorithm, EpisodeLog, Gate, Options
from .discrete import features_maker, table_maker
from .envs import MakeEnv, probe
from .policy import EpsilonGreedy, Forward, Greedy, LinearSchedule, MLPForward, Weights, frozen
from .replay import ReplayBuffer
from .rollout import Rollout
from .trajectory import Trajectory

if TYPE_CHECKING:  # a table needs no torch
    from .dqn import QLearner


@dataclass(frozen=True, kw_only=True)
class QLearningOptions(Options):
    """Options of `QLearning`; the defaults solve FrozenLake-v1 with a table.

    Raises:
        ValueError: As for `Options`; or a share or step size is not where it has to be.
    """

    env_id: str = "FrozenLake-v1"
    """Gymnasium env; a table needs observations that are Discrete, or a Tuple or MultiDiscrete."""
    kind: Literal["table", "network"] = "table"
    """What holds the values: a table, or a network that learns from a replay (it needs torch)."""
    total_timesteps: int = 200_000
    """Env steps of all envs together; rounded up to whole rounds."""
    step_size: float = 1.0
    """Table: of the first update of a pair of state and action."""
    step_decay: float = 0.6
    """Table: the n-th update of a pair has the step size `step_size / n**step_decay`."""
    learning_rate: float = 1e-2
    """Network: of Adam."""
    max_grad_norm: float = 10.0
    """Network: gradients with a larger 2-norm are scaled down to it."""
    hidden_sizes: tuple[int, ...] = (32,)
    """Network: widths of the hidden layers."""
    batch_size: int = 500
    """Network: transitions of the one gradient step of each round."""
    buffer_size: int = 100_000
    """Network: transitions that are remembered."""
    num_envs: int = 16
    """Envs that are stepped side by side."""
    num_steps: int = 100
    """Steps of each env per round."""
    start_e: float = 1.0
    """Probability of a random action at the start."""
    end_e: float = 0.3
    """Probability of a random action at the end of exploration."""
    exploration_fraction: float = 0.8
    """Share of the env steps over which it falls, linearly."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in ("table", "network"):
            raise ValueError(f"kind={self.kind!r}: must be 'table' or 'network'")
        if not 0 < self.step_size <= 1:
            raise ValueError(f"step_size={self.step_size}: must be in (0, 1]")
        for name in ("gamma", "step_decay", "start_e", "end_e"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)}: must be in [0, 1]")
        if not 0 < self.exploration_fraction <= 1:
            raise ValueError(f"exploration_fraction={self.exploration_fraction}: must be in (0, 1]")


class TableForward:
    """Looks values up: a `Forward` whose network is a table."""

    def load(self, weights: Weights) -> None:
        """Take over a new table."""
        self._q = weights["q"]

    def __call__(self, obs: NDArray[np.float32]) -> NDArray[Any]:
        """Return `(n, n_actions)` for numbers of states `(n, 1)`."""
        return self._q[obs[:, 0].astype(np.intp)]


class TableLearner(rr.Reactor):
    """Updates a table with every transition, in order of rollout, step and env.

    Args:
        n: Width of `trajectories`.
        shape: `(n_states, n_actions)`.
        rounds: Until the program is asked to stop.
        gamma: Discount of what follows a step.
        step_size: Of a pair's first update.
        step_decay: Exponent with which it falls with the number of updates of the pair.

    Attributes:
        latest: The newest table `{"q": (n_states, n_actions)}` float64; None before the start.
        round: Rounds learned from so far.

    Source:
        Watkins & Dayan (1992), Q-learning, equation 1. Their theorem asks for step sizes that sum
        to infinity while their squares do not: exponents in (1/2, 1]. Even-Dar & Mansour (2003),
        Learning rates for Q-learning: with one below 1 the time to converge is polynomial.
    """

    trajectories: Final = rr.Input[Trajectory](width="n")
    weights: Final = rr.Output[Weights]()
    metrics: Final = rr.Output[dict[str, float]]()

    def __init__(
        self,
        n: int,
        shape: tuple[int, int],
        *,
        rounds: int,
        gamma: float,
        step_size: float,
        step_decay: float,
    ) -> None:
        self.n = n
        self.rounds = rounds
        self.gamma = gamma
        self.step_size = step_size
        self.step_decay = step_decay
        self.round: int = 0
        self.latest: Weights | None = None
        self._q: list[list[float]] = np.zeros(shape).tolist()
        self._updates: list[list[int]] = np.zeros(shape, np.int64).tolist()

    @rr.reaction(rr.startup, effects=weights)
    def start(self) -> None:
        """Publish the table."""
        self.publish()
        self.weights.set(self.latest)

    @rr.reaction(trajectories, effects=(weights, metrics))
    def learn(self) -> None:
        """Update with all that arrived; publish the table, or stop after the last round.

        Raises:
            FloatingPointError: A value is not finite.
        """
        squared, values, count = 0.0, 0.0, 0
        for channel in self.trajectories.present():
            trajectory = channel.value
            columns = (
                trajectory.obs[..., 0].astype(np.int64),
                trajectory.actions,
                trajectory.rewards.astype(np.float64),
                trajectory.next_obs()[..., 0].astype(np.int64),
                trajectory.terminated,
            )
            more = self.update(*(column.ravel().tolist() for column in columns))
            squared, values, count = squared + more[0], values + more[1], count + len(trajectory)
        if not np.isfinite(squared):
            raise FloatingPointError(
                f"a value is not finite in round {self.round + 1} of {self.path}: look for rewards"
                " that are not, or lower gamma"
            )
        self.round += 1
        self.publish()
        self.metrics.set({"losses/td_loss": squared / count, "losses/q_values": values / count})
        if self.round >= self.rounds:
            self.request_stop()
        else:
            self.weights.set(self.latest)

    def update(
        self,
        states: list[int],
        actions: list[int],
        rewards: list[float],
        next_states: list[int],
        terminated: list[bool],
    ) -> tuple[float, float]:
        """Update with one transition after the other.

        Returns:
            The sum of squared errors, and of the values before the updates.
        """
        q, updates = self._q, self._updates
        gamma, first, power = self.gamma, self.step_size, -self.step_decay
        squared = values = 0.0
        for state, action, reward, next_state, is_end in zip(
            states, actions, rewards, next_states, terminated, strict=True
        ):
            row, counts = q[state], updates[state]
            counts[action] += 1
            target = reward if is_end else reward + gamma * max(q[next_state])
            value = row[action]
            error = target - value
            row[action] = value + first * counts[action] ** power * error
            squared += error * error
            values += value
        return squared, values

    def publish(self) -> None:
        """Bring `latest` up to date."""
        self.latest = frozen({"q": np.array(self._q)})

    def state_dict(self) -> dict[str, Any]:
        """Return what it takes to go on bit for bit."""
        return {
            "round": self.round,
            "q": np.array(self._q),
            "updates": np.array(self._updates),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from this state."""
        self.round = state["round"]
        self._q = np.asarray(state["q"]).tolist()
        self._updates = np.asarray(state["updates"]).tolist()


class QLearning(Algorithm):
    """Rollouts that act in parallel, and a learner that updates the values between rounds.

    The values reach every rollout one microstep later (`after=0`); within that tag the rollouts run
    in parallel, and the learner takes their transitions in order of the bank; with a network they
    go through a replay. The results do not depend on the number of workers, to the last bit. Run it
    with `fast=True`.

    Args:
        options: See `QLearningOptions`.

    Raises:
        TypeError: The env's states or actions cannot be counted; a network needs only the latter.

    Source:
        Watkins & Dayan (1992), Q-learning. With a network it is the synchronous parallel Q-learning
        of arXiv 2312.04704: rollouts, a replay, a learner, one gradient step a round.

    Deviations:
        1. Updates come in rounds: all of a round were acted for with the values of its start.
        2. With a network, those of `QLearner`; the target network is the one of the round's start.
    """

    options: QLearningOptions
    rollouts: rr.Bank[Rollout]
    replay: ReplayBuffer
    episodes: EpisodeLog
    gate: Gate

    def __init__(self, options: QLearningOptions = QLearningOptions()) -> None:
        self.options = options
        self.gate = Gate()
        self.episodes = EpisodeLog(options.rollouts)
        if options.kind == "table":
            self._add_table()
        else:
            self._add_network()
        self.connect(self.learner.weights, self.gate.weights_in, after=0)
        self.connect(self.gate.weights, self.rollouts.weights, broadcast=True)
        self.connect(self.rollouts.trajectory, self.episodes.trajectories)
        self.connect(self.learner.metrics, self.episodes.metrics)

    def greedy_policy(self) -> Greedy:
        """Return the policy without exploration."""
        return Greedy(self.make_forward())

    def _add_table(self) -> None:
        options, make_env = self.options, table_maker(self.options.env_id)
        env = make_env()
        try:
            n_states = env.get_wrapper_attr("n_states")
        finally:
            env.close()
        n_actions = self._add_rollouts(make_env, TableForward)
        self.learner: TableLearner | QLearner = TableLearner(
            options.rollouts,
            (n_states, n_actions),
            rounds=options.rounds,
            gamma=options.gamma,
            step_size=options.step_size,
            step_decay=options.step_decay,
        )
        self.connect(self.rollouts.trajectory, self.learner.trajectories)

    def _add_network(self) -> None:
        from .dqn import DQNOptions, QLearner  # noqa: PLC0415 - a table needs no torch
        from .networks import QNetwork  # noqa: PLC0415

        options, make_env = self.options, features_maker(self.options.env_id)
        spaces = probe(make_env)
        if spaces.is_image:
            raise TypeError(f"{options.env_id}: images need DQN, observations have to be features")
        self._add_rollouts(make_env, MLPForward)
        self.replay = ReplayBuffer(
            options.rollouts,
            num_envs=options.num_envs // options.rollouts,
            batch_rows=options.batch_size,
            learning_starts=options.batch_size,
            seed=options.seed,
            capacity=options.buffer_size,
            obs_shape=spaces.obs_shape,
            gamma=options.gamma,
        )
        shared = {
            field.name: getattr(options, field.name)
            for field in fields(DQNOptions)
            if hasattr(options, field.name)
        }
        of_learner = DQNOptions(**shared, gradient_steps=1, learning_starts=options.batch_size)
        self.learner = QLearner(
            lambda generator: QNetwork(spaces, options.hidden_sizes, False, generator), of_learner
        )
        self.connect(self.rollouts.trajectory, self.replay.trajectories)
        self.connect(self.replay.batch, self.learner.batch)

    def _add_rollouts(self, make_env: MakeEnv, make_forward: Callable[[], Forward]) -> int:
        """Add the bank of rollouts; return the number of actions."""
        options, n_actions = self.options, probe(make_env).n_actions
        self.make_forward = make_forward
        epsilon = LinearSchedule(
            options.start_e,
            options.end_e,
            options.exploration_fraction * options.total_timesteps / options.num_envs,
        )
        self.rollouts = rr.Bank(
            options.rollouts,
            Rollout,
            make_env,
            lambda: EpsilonGreedy(make_forward(), n_actions, epsilon),
            num_envs=options.num_envs // options.rollouts,
            steps=options.num_steps,
            seed=options.seed,
        )
        return n_actions
