"""`QLearning`: synchronous parallel Q-learning, on a table or with a small network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import reactorrl as rr

from .algorithm import Algorithm, EpisodeLog, Gate, Options
from .discrete import table_maker
from .envs import spaces_of
from .policy import EpsilonGreedy, Greedy, LinearSchedule, Policy, Weights, frozen
from .rollout import Rollout
from .trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class QLearningOptions(Options):
    """Options of `QLearning`; the defaults solve FrozenLake-v1.

    Raises:
        ValueError: As for `Options`; or a share or step size is not where it has to be.
    """

    env_id: str = "FrozenLake-v1"
    """Gymnasium env; observations are Discrete, or a Tuple or MultiDiscrete of such."""
    total_timesteps: int = 200_000
    """Env steps of all envs together; rounded up to whole rounds."""
    learning_rate: float = 1.0
    """Step size of the first update of a pair of state and action."""
    step_decay: float = 0.6
    """The n-th update of a pair has the step size `learning_rate / n**step_decay`; 0: constant."""
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
        if not 0 < self.learning_rate <= 1:
            raise ValueError(f"learning_rate={self.learning_rate}: must be in (0, 1]")
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
        learning_rate: Step size of a pair's first update.
        step_decay: Exponent with which it falls with the number of updates of the pair.

    Attributes:
        latest: The newest table `{"q": (n_states, n_actions)}` float64; None before the start.
        round: Rounds learned from so far.

    Source:
        Watkins & Dayan (1992), Q-learning, equation 1. Their theorem asks for step sizes that sum
        to infinity while their squares do not: exponents in (1/2, 1]. Even-Dar & Mansour (2003),
        Learning rates for Q-learning: with one below 1 the time to converge is polynomial.
    """

    trajectories = rr.Input[Trajectory](width="n")
    weights = rr.Output[Weights]()
    metrics = rr.Output[dict[str, float]]()

    def __init__(
        self,
        n: int,
        shape: tuple[int, int],
        *,
        rounds: int,
        gamma: float,
        learning_rate: float,
        step_decay: float,
    ) -> None:
        self.n = n
        self.rounds = rounds
        self.gamma = gamma
        self.learning_rate = learning_rate
        self.step_decay = step_decay
        self.round = 0
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
        gamma, first, power = self.gamma, self.learning_rate, -self.step_decay
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
    """Rollouts that act on one table in parallel, and a learner that updates it between rounds.

    The table reaches every rollout one microstep later (`after=0`); within that tag the rollouts
    run in parallel, and the learner takes their transitions in order of the bank. The results do
    not depend on the number of workers, to the last bit. Run it with `fast=True`; no torch needed.

    Args:
        options: See `QLearningOptions`.

    Attributes:
        rollouts: The bank of `Rollout`.

    Raises:
        TypeError: The env's states or actions cannot be counted.

    Source:
        Watkins & Dayan (1992), Q-learning.

    Deviations:
        1. Updates come in rounds: all of a round were acted for with the table of its start.
    """

    def __init__(self, options: QLearningOptions = QLearningOptions()) -> None:
        self.options = options
        make_env = table_maker(options.env_id)
        env = make_env()
        try:
            n_states, n_actions = env.get_wrapper_attr("n_states"), spaces_of(env).n_actions
        finally:
            env.close()
        n = options.rollouts
        exploration = options.exploration_fraction * options.total_timesteps / options.num_envs
        epsilon = LinearSchedule(options.start_e, options.end_e, exploration)
        self.rollouts = rr.Bank(
            n,
            Rollout,
            make_env,
            lambda: EpsilonGreedy(TableForward(), n_actions, epsilon),
            num_envs=options.num_envs // n,
            steps=options.num_steps,
            seed=options.seed,
        )
        self.learner = TableLearner(
            n,
            (n_states, n_actions),
            rounds=options.rounds,
            gamma=options.gamma,
            learning_rate=options.learning_rate,
            step_decay=options.step_decay,
        )
        self.episodes = EpisodeLog(n)
        self.gate = Gate()
        self.connect(self.learner.weights, self.gate.weights_in, after=0)
        self.connect(self.gate.weights, self.rollouts.weights, broadcast=True)
        self.connect(self.rollouts.trajectory, self.learner.trajectories)
        self.connect(self.rollouts.trajectory, self.episodes.trajectories)
        self.connect(self.learner.metrics, self.episodes.metrics)

    def greedy_policy(self) -> Policy:
        """Return the policy without exploration."""
        return Greedy(TableForward())
