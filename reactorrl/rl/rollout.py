"""`Rollout`: a reactor that steps an env of its own and hands over what happened."""

from __future__ import annotations

from dataclasses import dataclass, fields

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import reactorrl as rr

from .policy import LinearSchedule, Weights, q_values


@dataclass(frozen=True)
class Trajectory:
    """Consecutive transitions of one env, in read-only arrays.

    Attributes:
        obs: `(steps, n_features)` float32, what the agent saw.
        actions: `(steps,)` int64, counted from 0 whatever the action space starts at.
        rewards: `(steps,)` float32, as the env gave them.
        next_obs: `(steps, n_features)` float32, what the env answered: at the end of an episode its
            final observation, never the first one of the next.
        terminated: `(steps,)` bool, the episode reached an end of its own: no value follows.
        truncated: `(steps,)` bool, it was cut off: the value of `next_obs` follows. Both may be
            true.
        episode_returns: `(n_ended,)` float64, undiscounted sums of the episodes that ended here, in
            order.
        episode_lengths: `(n_ended,)` int64, their env steps.
    """

    obs: NDArray[np.float32]
    actions: NDArray[np.int64]
    rewards: NDArray[np.float32]
    next_obs: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    episode_returns: NDArray[np.float64]
    episode_lengths: NDArray[np.int64]

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False

    def __len__(self) -> int:
        return len(self.rewards)


class Rollout(rr.Reactor):
    """Steps its env `steps` times at every tag at which weights arrive, epsilon-greedily.

    Episodes go on from one tag to the next. The random numbers come from a generator of its own,
    seeded from `(seed, bank_index)`, and from the env's, seeded with `seed + bank_index`.

    Args:
        env_id: Id of a Gymnasium env with a flat `Box` of observations and `Discrete` actions.
        steps: Env steps per trajectory.
        seed: Of the program; members of a bank differ by their index.
        epsilon: Probability of a random action, over the env steps of this very env.

    Raises:
        TypeError: In the startup reaction, if the env has other spaces.

    Source:
        Mnih et al. (2015), Algorithm 1: the inner loop, without the learning.
    """

    weights = rr.Input[Weights]()
    trajectory = rr.Output[Trajectory]()

    def __init__(self, env_id: str, steps: int, seed: int, epsilon: LinearSchedule) -> None:
        self.env_id = env_id
        self.steps = steps
        self.seed = seed
        self.epsilon = epsilon

    @rr.reaction(rr.startup)
    def make_env(self) -> None:
        """Make the env and reset it, for the only time with a seed."""
        self.env = gym.make(self.env_id)
        self.n_features, self.n_actions = flat_sizes(self.env)
        self.first_action = int(self.env.action_space.start)
        self.generator = np.random.default_rng((self.seed, self.bank_index))
        self.env_steps = 0
        self.episode_return = 0.0
        self.episode_length = 0
        self.obs, _ = self.env.reset(seed=self.seed + self.bank_index)

    @rr.reaction(weights, effects=trajectory)
    def sample(self) -> None:
        """Set the trajectory of the next `steps` env steps under the new weights."""
        self.trajectory.set(self.roll_out(self.weights.value))

    @rr.reaction(rr.shutdown)
    def close_env(self) -> None:
        """Close the env, if it could be made."""
        if hasattr(self, "env"):
            self.env.close()

    def roll_out(self, weights: Weights) -> Trajectory:
        """Step the env `steps` times, return fresh arrays; for the reactor's own reactions only."""
        steps, env, obs = self.steps, self.env, self.obs
        observed = np.empty((steps, self.n_features), np.float32)
        answered = np.empty((steps, self.n_features), np.float32)
        rewards = np.empty(steps, np.float32)
        ends = np.zeros((2, steps), np.bool_)
        returns: list[float] = []
        lengths: list[int] = []

        # All random numbers of a trajectory are drawn at its start, also those that greedy steps
        # leave unused: two calls in place of two for each step.
        epsilon = self.epsilon(np.arange(self.env_steps, self.env_steps + steps))
        explores = (self.generator.random(steps) < epsilon).tolist()
        actions = self.generator.integers(self.n_actions, size=steps)

        for step in range(steps):
            observed[step] = obs
            if not explores[step]:
                actions[step] = q_values(weights, observed[step]).argmax()
            obs, reward, terminated, truncated, _ = env.step(self.first_action + int(actions[step]))
            answered[step] = obs
            rewards[step] = reward
            self.episode_return += float(reward)
            self.episode_length += 1
            if terminated or truncated:
                ends[:, step] = terminated, truncated
                returns.append(self.episode_return)
                lengths.append(self.episode_length)
                self.episode_return, self.episode_length = 0.0, 0
                obs, _ = env.reset()

        self.obs = obs
        self.env_steps += steps
        return Trajectory(
            observed, actions, rewards, answered, ends[0], ends[1],
            np.array(returns, np.float64), np.array(lengths, np.int64),
        )  # fmt: skip


def flat_sizes(env: gym.Env) -> tuple[int, int]:
    """Return the number of features of an observation and the number of actions.

    Raises:
        TypeError: Observations are no flat `Box`, or actions not `Discrete`.
    """
    observations, actions = env.observation_space, env.action_space
    if not isinstance(observations, gym.spaces.Box) or len(observations.shape) != 1:
        raise TypeError(f"{env}: observations must be a flat Box, they are {observations}")
    if not isinstance(actions, gym.spaces.Discrete):
        raise TypeError(f"{env}: actions must be Discrete, they are {actions}")
    return observations.shape[0], int(actions.n)
