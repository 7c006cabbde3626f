"""Several agents in one env, by PettingZoo's parallel API: rollouts, trajectories, episodes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

import reactorrl as rr

from .algorithm import EpisodeLog
from .envs import Spaces
from .policy import Policy, Weights
from .rollout import Rollout
from .trajectory import Trajectory

MakeParallelEnv: TypeAlias = Callable[[], Any]
"""Makes one `pettingzoo.ParallelEnv`."""


def parallel_env_maker(env_id: str, **options: Any) -> MakeParallelEnv:
    """Return what makes the parallel env of this id.

    Args:
        env_id: `TrafficJunction-easy`, `TrafficJunction-medium`, or the name of a module whose
            `parallel_env` makes one, as `pettingzoo.sisl.pursuit_v4`.
        **options: Passed on to what makes it.

    Raises:
        ValueError: There is no such module, or it has no `parallel_env`.
    """
    family, _, version = env_id.partition("-")
    if family == "TrafficJunction":
        from .traffic import TrafficJunction  # noqa: PLC0415 - pettingzoo is an extra

        return lambda: TrafficJunction(version or "medium", **options)
    try:
        make = importlib.import_module(env_id).parallel_env
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"env_id={env_id!r}: must be TrafficJunction-easy, TrafficJunction-medium or a module"
            f" with a function parallel_env ({error})"
        ) from error
    return lambda: make(**options)


@dataclass(frozen=True)
class AgentSpaces:
    """What the agents of a parallel env are, and what each of them sees and does.

    Attributes:
        agents: All there can be, in the env's order: the rows of every array.
        spaces: Of each of them, the same.
    """

    agents: tuple[str, ...]
    spaces: Spaces


def probe_agents(make_env: MakeParallelEnv) -> AgentSpaces:
    """Make an env only to look at its spaces.

    Raises:
        TypeError: The agents differ in their spaces, or observations are no vectors, or actions not
            `Discrete` from 0.
    """
    env = make_env()
    try:
        agents = tuple(env.possible_agents)
        observations = {repr(env.observation_space(agent)) for agent in agents}
        actions = {repr(env.action_space(agent)) for agent in agents}
        first = env.observation_space(agents[0]), env.action_space(agents[0])
    finally:
        env.close()
    if len(observations) > 1 or len(actions) > 1:
        raise TypeError(
            f"{env}: agents that share a policy must have the same spaces, they have"
            f" {', '.join(sorted(observations | actions))}"
        )
    if not isinstance(first[0], Box) or len(first[0].shape) != 1:
        raise TypeError(f"{env}: observations must be vectors (Box), they are {first[0]}")
    if not isinstance(first[1], Discrete) or first[1].start != 0:
        raise TypeError(f"{env}: actions must be Discrete and start at 0, they are {first[1]}")
    dtype = np.dtype(np.float32)
    return AgentSpaces(agents, Spaces(first[0].shape, dtype, int(first[1].n), 0))


@dataclass(frozen=True)
class MultiAgentTrajectory(Trajectory):
    """A `Trajectory` whose columns are agents: those of the first env, then those of the next.

    An agent's episode in the sense of `terminated` is its time in the env: a trip of one car. What
    its row has while it is not there means nothing. Returns and lengths are those of whole episodes
    of the env; returns are summed over its agents.

    Attributes:
        active: `(steps, n_columns)` bool, the agent was there and acted.
        agent_returns: `(n_scored, n_agents)` float64, of the same episodes.
        is_success: `(n_scored,)` float64, 1 or 0 where the env said so in an agent's last
            `info["is_success"]`, NaN where it did not.
    """

    active: NDArray[np.bool_]
    agent_returns: NDArray[np.float64]
    is_success: NDArray[np.float64]

    def __len__(self) -> int:
        """The env steps in it; a step of all agents of an env is one."""
        return self.rewards.size // self.agent_returns.shape[1]


class MultiAgentRollout(Rollout):
    """A `Rollout` of parallel envs: all agents of all its envs act in one forward pass.

    Args:
        make_env: Makes one env.
        make_policy: Makes what chooses the actions.
        agent_spaces: Of the env.
        **rollout: Of `Rollout`.
    """

    _kept = (*Rollout._kept, "active")  # noqa: SLF001 - of its base

    env_steps: int

    def __init__(
        self,
        make_env: MakeParallelEnv,
        make_policy: Callable[[], Policy],
        agent_spaces: AgentSpaces,
        **rollout: Any,
    ) -> None:
        super().__init__(make_env, make_policy, **rollout)
        self.agents: tuple[str, ...] = agent_spaces.agents
        self.obs_shape: tuple[int, ...] = agent_spaces.spaces.obs_shape

    def _lay_out(self) -> None:
        rows = self.num_envs, len(self.agents)
        self.obs: NDArray[np.float32] = np.zeros((*rows, *self.obs_shape), np.float32)
        self.active: NDArray[np.bool_] = np.zeros(rows, np.bool_)
        self.episode_returns: NDArray[np.float64] = np.zeros(rows)

    def roll_out(self, weights: Weights) -> MultiAgentTrajectory:
        """Step the envs `steps` times, return fresh arrays; for the reactor's own reactions only.

        Raises:
            Exception: What an env raised, with a note that names the env, its seed and its step.
        """
        rows = self.active.shape
        shape = (self.steps, *rows)
        features = self.obs.shape[2:]
        observed = np.empty((self.steps, *self.obs.shape), np.float32)
        active = np.empty(shape, np.bool_)
        actions = np.empty(shape, np.int64)
        rewards = np.zeros(shape, np.float32)
        ends = np.zeros((2, *shape), np.bool_)
        final_obs: list[NDArray[np.float32]] = []
        scored: list[tuple[NDArray[np.float64], int, float]] = []

        self.policy.start(weights, (self.steps, self.active.size), self.env_steps, self.generator)
        step = index = 0
        try:
            for step in range(self.steps):
                observed[step], active[step] = self.obs, self.active
                chosen = self.policy.act(step, self.obs.reshape(-1, *features))
                actions[step] = chosen.reshape(rows)
                for index in range(self.num_envs):
                    self.at = step, index
                    terminated, truncated, success = self._step(
                        index, actions[step, index], rewards[step, index]
                    )
                    ends[:, step, index] = terminated, truncated
                    final_obs.append(self.obs[index, terminated | truncated])
                    if not self.envs[index].agents:
                        returns = self.episode_returns[index].copy()
                        scored.append((returns, self.episode_lengths[index], success))
                        self._reset(index)
        except Exception as error:
            self._name_env(error, step, index)
            raise

        self.at = None
        self.env_steps += self.steps
        columns = (self.steps, self.active.size)
        agent_returns = np.array([each[0] for each in scored]).reshape(-1, rows[1])
        return MultiAgentTrajectory(
            obs=observed.reshape(*columns, *features),
            actions=actions.reshape(columns),
            rewards=rewards.reshape(columns),
            terminated=ends[0].reshape(columns),
            truncated=ends[1].reshape(columns),
            last_obs=self.obs.reshape(-1, *features).copy(),
            final_obs=np.concatenate(final_obs),
            episode_returns=agent_returns.sum(axis=1),
            episode_lengths=np.array([each[1] for each in scored], np.int64),
            active=active.reshape(columns),
            agent_returns=agent_returns,
            is_success=np.array([each[2] for each in scored], np.float64),
        )

    def _step(
        self, index: int, actions: NDArray[np.int64], rewards: NDArray[np.float32]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], float]:
        """Step an env, fill in what its agents see and get.

        Returns:
            `(n_agents,)` each, whose time ended and whose was cut off; whether it was a success.
        """
        env = self.envs[index]
        choices = dict(zip(self.agents, actions.tolist(), strict=True))
        observations, gains, terminations, truncations, infos = env.step(
            {agent: choices[agent] for agent in env.agents}
        )
        was_active = self.active[index].tolist()
        remaining = set(env.agents)
        terminated, truncated = np.zeros((2, len(self.agents)), np.bool_)
        success = float("nan")
        self.obs[index] = 0.0
        for row, agent in enumerate(self.agents):
            if agent not in observations:
                terminated[row] = was_active[row]
                self.active[index, row] = False
                continue
            info = infos.get(agent, {})
            is_there = info.get("active", True)
            success = info.get("is_success", success)
            self.obs[index, row] = observations[agent]
            self.active[index, row] = is_there and agent in remaining
            self.episode_returns[index, row] += gains[agent]
            if was_active[row]:
                rewards[row] = gains[agent]
                terminated[row] = terminations[agent] or not is_there
                truncated[row] = truncations[agent]
        self.episode_lengths[index] += 1
        return terminated, truncated, float(success)

    def _reset(self, index: int, seed: int | None = None) -> None:
        env = self.envs[index]
        observations, infos = env.reset(seed=seed)
        self.obs[index] = 0.0
        self.active[index] = False
        for row, agent in enumerate(self.agents):
            if agent in observations:
                self.obs[index, row] = observations[agent]
                self.active[index, row] = infos.get(agent, {}).get("active", True)
        self.episode_returns[index], self.episode_lengths[index] = 0.0, 0


class MultiAgentEpisodeLog(EpisodeLog):
    """An `EpisodeLog` that also keeps the returns of the agents, and which episodes succeeded.

    Attributes:
        agent_returns: Of every ended episode, `(n_agents,)` each.
        successes: 1 or 0 of every ended episode, NaN where the env does not say.
    """

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.agent_returns: list[list[float]] = []
        self.successes: list[float] = []

    @rr.reaction(EpisodeLog.trajectories)
    def record_agents(self) -> None:
        """Append what ended at this tag, agent by agent."""
        for channel in self.trajectories.present():
            trajectory = channel.value
            self.agent_returns += trajectory.agent_returns.tolist()
            self.successes += trajectory.is_success.tolist()
            for returns, success in zip(
                trajectory.agent_returns.tolist(), trajectory.is_success.tolist(), strict=True
            ):
                scalars = {
                    f"charts/episodic_return-player{player}": value
                    for player, value in enumerate(returns)
                }
                if success == success:  # not NaN
                    scalars["charts/is_success"] = success
                self._write(scalars)

    def success_rate(self, last: int = 100) -> float:
        """Return the share of successes in the last episodes, NaN before the first has ended."""
        successes = self.successes[-last:]
        return sum(successes) / len(successes) if successes else float("nan")

    def state_dict(self) -> dict[str, Any]:
        """Return what it takes to go on."""
        return {
            **super().state_dict(),
            "agent_returns": [list(each) for each in self.agent_returns],
            "successes": list(self.successes),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from this state."""
        super().load_state_dict(state)
        self.agent_returns = [list(each) for each in state["agent_returns"]]
        self.successes = list(state["successes"])


def evaluate_agents(
    policy: Policy, weights: Weights, make_env: MakeParallelEnv, *, episodes: int, seed: int
) -> tuple[list[float], list[float]]:
    """Return the returns of so many episodes, summed over the agents, and which were successes.

    Args:
        policy: Acts for all agents; it is the caller's own, as nobody else may use it meanwhile.
        weights: To act with.
        make_env: Makes the env; it is closed at the end.
        episodes: At least 1.
        seed: Of the env's first reset, and of what the policy draws, if it draws.

    Returns:
        A number for each episode, twice; of a success 1 or 0, or NaN where the env does not say.
    """
    found = probe_agents(make_env)
    env, generator = make_env(), np.random.default_rng(seed)
    returns: list[float] = []
    successes: list[float] = []
    try:
        for episode in range(episodes):
            observations, _ = env.reset(seed=seed if episode == 0 else None)
            so_far, success = 0.0, float("nan")
            while env.agents:
                rows = np.zeros((len(found.agents), *found.spaces.obs_shape), np.float32)
                for row, agent in enumerate(found.agents):
                    if agent in observations:
                        rows[row] = observations[agent]
                policy.start(weights, (1, len(rows)), 0, generator)
                actions = dict(zip(found.agents, policy.act(0, rows).tolist(), strict=True))
                observations, rewards, _, _, infos = env.step(
                    {agent: actions[agent] for agent in env.agents}
                )
                so_far += sum(rewards.values())
                for info in infos.values():
                    success = info.get("is_success", success)
            returns.append(so_far)
            successes.append(float(success))
    finally:
        env.close()
    return returns, successes
