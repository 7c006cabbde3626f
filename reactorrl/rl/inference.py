"""`MultiAgentInference`: an env of several agents, each with a policy of its own, side by side."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import reactorrl as rr

from .multiagent import MakeParallelEnv, parallel_env_maker, probe_agents
from .policy import MLPForward, Weights, frozen


@dataclass(frozen=True, kw_only=True)
class MultiAgentInferenceOptions:
    """Options of `MultiAgentInference`.

    Raises:
        ValueError: A count is below 1.
    """

    env_id: str = "TrafficJunction-medium"
    """Parallel env; see `parallel_env_maker`."""
    num_agents: int = 10
    """Cars of the traffic junction; other envs have a number of agents of their own."""
    seed: int = 1
    """Of the env and of the policies' weights."""
    total_timesteps: int = 100_000
    """Env steps; a step of all agents is one."""
    hidden_sizes: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers of each policy."""
    batched: bool = False
    """One reactor for the policies of all agents, instead of one for each."""

    def __post_init__(self) -> None:
        for name in ("num_agents", "total_timesteps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least 1")
        if min(self.hidden_sizes, default=1) < 1:
            raise ValueError(f"hidden_sizes={self.hidden_sizes}: each must be at least 1")


def initial_weights(sizes: tuple[int, ...], rng: np.random.Generator) -> Weights:
    """Draw the layers of an MLP uniformly from +-1/sqrt(fan in), as torch does by default."""
    weights = {}
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        bound = n_in**-0.5
        weights[f"{index}.weight"] = rng.uniform(-bound, bound, (n_out, n_in)).astype(np.float32)
        weights[f"{index}.bias"] = rng.uniform(-bound, bound, n_out).astype(np.float32)
    return frozen(weights)


class JointEnv(rr.Reactor):
    """Steps a parallel env once at every tag at which the actions of all its agents arrive.

    Args:
        n: Width of `actions`: each channel has the actions of as many agents, in order.
        make_env: Makes the env.
        env_steps: Until the program is asked to stop.
        seed: Of the env.

    Attributes:
        env_steps: Made so far.
        episode_returns: Summed over the agents, of every episode that has ended.
        actions_sha256: Of all actions so far, in hex.
    """

    actions: Final = rr.Input[list[int]](width="n")
    observations: Final = rr.Output[NDArray[np.float32]]()

    def __init__(self, n: int, make_env: MakeParallelEnv, *, env_steps: int, seed: int) -> None:
        self.n = n
        self.make_env = make_env
        self.last_step = env_steps
        self.seed = seed
        self.env_steps: int = 0
        self.episode_returns: list[float] = []
        self._so_far = 0.0
        self._digest = hashlib.sha256()

    @property
    def actions_sha256(self) -> str:
        """Of all actions so far, in hex."""
        return self._digest.hexdigest()

    @rr.reaction(rr.startup, effects=observations)
    def start(self) -> None:
        """Make the env; show its first observations."""
        self.env: Any = self.make_env()
        self.agents: list[str] = list(self.env.possible_agents)
        self.show(self.env.reset(seed=self.seed)[0])

    @rr.reaction(actions, effects=observations)
    def step(self) -> None:
        """Step the env; show what each agent sees, or stop after the last step."""
        actions = [action for channel in self.actions for action in channel.value]
        self._digest.update(bytes(actions))
        if len(self.env.agents) == len(self.agents):
            chosen = dict(zip(self.agents, actions, strict=True))
        else:
            every = dict(zip(self.agents, actions, strict=True))
            chosen = {agent: every[agent] for agent in self.env.agents}
        observations, rewards, *_ = self.env.step(chosen)
        self._so_far += sum(rewards.values())
        self.env_steps += 1
        if not self.env.agents:
            self.episode_returns.append(self._so_far)
            self._so_far = 0.0
            observations, _ = self.env.reset()
        if self.env_steps < self.last_step:
            self.show(observations)
        else:
            self.request_stop()

    @rr.reaction(rr.shutdown)
    def close(self) -> None:
        """Close the env."""
        self.env.close()

    def show(self, observations: dict[str, NDArray[np.float32]]) -> None:
        """Set one array with a row for each agent; zeros for those that are not there."""
        if len(observations) == len(self.agents):
            each = [observations[agent] for agent in self.agents]
        else:
            nothing = np.zeros(self.env.observation_space(self.agents[0]).shape, np.float32)
            each = [observations.get(agent, nothing) for agent in self.agents]
        rows = np.concatenate(each).reshape(len(each), -1)  # a stack, in a quarter of the time
        rows.flags.writeable = False
        self.observations.set(rows)


class AgentPolicy(rr.Reactor):
    """One agent's policy: the action with the largest output of its network.

    Args:
        weights: Of all agents' networks; its own is that of its place in the bank.
    """

    observations: Final = rr.Input[NDArray[np.float32]]()
    actions: Final = rr.Output[list[int]]()

    def __init__(self, weights: list[Weights]) -> None:
        self.forward: MLPForward = MLPForward()
        self.forward.load(weights[self.bank_index])
        self.row: slice = slice(self.bank_index, self.bank_index + 1)

    @rr.reaction(observations, effects=actions)
    def act(self) -> None:
        """Look at its own row only."""
        outputs = self.forward(self.observations.value[self.row])
        self.actions.set([int(outputs.argmax())])


class BatchedPolicies(rr.Reactor):
    """The policies of all agents, each with a network of its own, in one pass over all layers.

    Args:
        weights: Of all agents' networks.
    """

    observations: Final = rr.Input[NDArray[np.float32]]()
    actions: Final = rr.Output[list[int]]()

    def __init__(self, weights: list[Weights]) -> None:
        stacked = [np.stack(arrays) for arrays in zip(*(w.values() for w in weights), strict=True)]
        matrices = [w.transpose(0, 2, 1) for w in stacked[::2]]
        biases = [b[:, np.newaxis] for b in stacked[1::2]]
        self.layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = list(
            zip(matrices, biases, strict=True)
        )

    @rr.reaction(observations, effects=actions)
    def act(self) -> None:
        """Choose for every agent."""
        values = self.observations.value[:, np.newaxis]
        for index, (matrix, bias) in enumerate(self.layers):
            if index > 0:
                np.maximum(values, np.float32(0.0), out=values)
            values = values @ matrix + bias
        self.actions.set(values[:, 0].argmax(axis=1).tolist())


class MultiAgentInference(rr.Reactor):
    """One env and a policy for each of its agents: at each tag all act, then the env steps.

    The env's joint observation reaches all policies one microstep later (`after=0`), as one array;
    they run in parallel, each on its own row. Their actions come together at the env, in order of
    the agents. The results do not depend on the number of workers. Run it with `fast=True`.

    Args:
        options: See `MultiAgentInferenceOptions`.

    Attributes:
        env: A `JointEnv`, with `env_steps`, `episode_returns` and `actions_sha256`.

    Source:
        The experiment on multi-agent inference of arXiv 2312.04704.

    Deviations:
        1. Each agent is sent one array and reads its row, instead of lists of lists.
    """

    def __init__(self, options: MultiAgentInferenceOptions = MultiAgentInferenceOptions()) -> None:
        self.options = options
        is_traffic = options.env_id.startswith("TrafficJunction")
        arguments = {"n_cars": options.num_agents} if is_traffic else {}
        make_env = parallel_env_maker(options.env_id, **arguments)
        found = probe_agents(make_env)
        sizes = (*found.spaces.obs_shape, *options.hidden_sizes, found.spaces.n_actions)
        weights = [
            initial_weights(sizes, np.random.default_rng((options.seed, index)))
            for index in range(len(found.agents))
        ]
        kind, n = (BatchedPolicies, 1) if options.batched else (AgentPolicy, len(weights))
        self.env: JointEnv = JointEnv(
            n, make_env, env_steps=options.total_timesteps, seed=options.seed
        )
        self.policies: rr.Bank[AgentPolicy | BatchedPolicies] = rr.Bank(n, kind, weights)
        self.connect(self.env.observations, self.policies.observations, broadcast=True, after=0)
        self.connect(self.policies.actions, self.env.actions)
