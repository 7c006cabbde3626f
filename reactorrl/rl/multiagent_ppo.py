"""`MultiAgentPPO`: PPO for the agents of a parallel env, who share one network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import reactorrl as rr

from .algorithm import Algorithm, Gate
from .learner import Metrics
from .multiagent import (
    MakeParallelEnv,
    MultiAgentEpisodeLog,
    MultiAgentRollout,
    MultiAgentTrajectory,
    evaluate_agents,
    parallel_env_maker,
    probe_agents,
)
from .networks import ActorCritic, actor_forward, torch
from .onpolicy import Experience
from .policy import Categorical, Forward, Greedy, Policy, Weights
from .ppo import PPOLearner, PPOOptions


@dataclass(frozen=True, kw_only=True)
class MultiAgentPPOOptions(PPOOptions):
    """Options of `MultiAgentPPO`; the defaults learn the easy traffic junction.

    Raises:
        ValueError: As for `PPOOptions`.
    """

    env_id: str = "TrafficJunction-easy"
    """Parallel env; see `parallel_env_maker`."""
    total_timesteps: int = 200_000
    """Env steps of all envs together; a step of all agents is one."""
    learning_rate: float = 1e-3
    """Of Adam."""
    num_envs: int = 16
    """Envs that are stepped side by side."""
    num_steps: int = 64
    """Steps of each env per round."""


class MultiAgentExperience(Experience):
    """What the agents did that were there; the rest of the rows is left out.

    Args:
        trajectories: Of equally many steps.
        device: Of the tensors.

    Attributes:
        obs: `(n_active, ...)`, step by step.
        actions: `(n_active,)` int64.
        following: As for `Experience`, of all rows.
    """

    obs: torch.Tensor
    actions: torch.Tensor

    def __init__(self, trajectories: Sequence[MultiAgentTrajectory], device: torch.device) -> None:
        super().__init__(trajectories, device)
        active = torch.cat([torch.tensor(t.active) for t in trajectories], 1)
        self._rows = active.flatten().nonzero().squeeze(1).to(device)
        self._count = active.numel()
        self.obs, self.actions = self.obs[self._rows], self.actions[self._rows]

    def advantages(
        self, values: torch.Tensor, following: torch.Tensor, *, gamma: float, gae_lambda: float
    ) -> torch.Tensor:
        """Return `(n_active,)` advantages; see `Experience`.

        An agent's time ends with `terminated` before a row that was left out, so that no sum goes
        through one.
        """
        every = torch.zeros(self._count, device=values.device)
        every[self._rows] = values
        advantages = super().advantages(every, following, gamma=gamma, gae_lambda=gae_lambda)
        return advantages[self._rows]


class MultiAgentPPOLearner(PPOLearner):
    """A `PPOLearner` for which each step of each agent that was there is a transition."""

    experience: type[Experience] = MultiAgentExperience

    def update(self, experience: Experience) -> Metrics:
        """Take the gradient steps; fewer if `target_kl` says so.

        Raises:
            ValueError: So few agents were there that a minibatch would not have two transitions.
        """
        transitions, parts = len(experience.actions), self.options.num_minibatches
        if transitions < 2 * parts:
            raise ValueError(
                f"round {self.round + 1} of {self.path}: the agents made {transitions} steps, too"
                f" few for {parts} minibatches; raise num_steps or num_envs"
            )
        return super().update(experience)


class MultiAgentPPO(Algorithm):
    """PPO for several agents that learn independently but share one network.

    Every agent acts on its own observation and learns from its own rewards; each is one column of
    the batch, while it is there. Otherwise it is `PPO`. Run it with `fast=True`.

    Args:
        options: See `MultiAgentPPOOptions`.

    Attributes:
        episodes: A `MultiAgentEpisodeLog`: its returns are sums over the agents.

    Raises:
        TypeError: The agents cannot share a network; see `probe_agents`.

    Source:
        De Witt et al. (2020), Is independent learning all you need in the StarCraft multi-agent
        challenge?; sharing: Gupta, Egorov & Kochenderfer (2017), Cooperative multi-agent control
        using deep reinforcement learning, section 4.

    Deviations:
        1. Those of `PPO`.
    """

    options: MultiAgentPPOOptions
    make_env: MakeParallelEnv
    make_forward: Callable[[], Forward]
    rollouts: rr.Bank[MultiAgentRollout]
    learner: MultiAgentPPOLearner
    episodes: MultiAgentEpisodeLog
    gate: Gate

    def __init__(self, options: MultiAgentPPOOptions = MultiAgentPPOOptions()) -> None:
        self.options = options
        make_env = self.make_env = parallel_env_maker(options.env_id)
        agent_spaces = probe_agents(make_env)
        spaces = agent_spaces.spaces
        make_network = partial(ActorCritic, spaces, options.hidden_sizes)
        self.make_forward = partial(actor_forward, spaces, make_network)
        n = options.rollouts
        self.rollouts = rr.Bank(
            n,
            MultiAgentRollout,
            make_env,
            lambda: Categorical(self.make_forward(), spaces.n_actions),
            agent_spaces,
            num_envs=options.num_envs // n,
            steps=options.num_steps,
            seed=options.seed,
        )
        self.learner = MultiAgentPPOLearner(n, make_network, options)
        self.gate = Gate()
        self.episodes = MultiAgentEpisodeLog(n)

        self.connect(self.learner.weights, self.gate.weights_in, after=0)
        self.connect(self.gate.weights, self.rollouts.weights, broadcast=True)
        self.connect(self.rollouts.trajectory, self.learner.trajectories)
        self.connect(self.rollouts.trajectory, self.episodes.trajectories)
        self.connect(self.learner.metrics, self.episodes.metrics)

    def greedy_policy(self) -> Policy:
        """Return the policy that takes the likeliest actions."""
        return Greedy(self.make_forward())

    def evaluate(self, weights: Weights, *, episodes: int, seed: int) -> list[float]:
        """Return the returns of so many episodes without exploration, summed over the agents."""
        return evaluate_agents(
            self.greedy_policy(), weights, self.make_env, episodes=episodes, seed=seed
        )[0]
