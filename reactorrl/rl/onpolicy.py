"""What PPO, A2C and A3C share: options, advantages of trajectories, the learner's step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

import reactorrl as rr

from .algorithm import Algorithm, EpisodeLog, Gate, Options
from .envs import MakeEnv, Spaces, env_maker, probe
from .gae import gae
from .learner import Learner, Metrics
from .networks import (
    ActorCritic,
    MakeNetwork,
    actor_forward,
    torch,
)
from .policy import Categorical, Forward, Greedy, Policy
from .rollout import Rollout
from .torch_setup import prepare_worker
from .trajectory import Trajectory

R = TypeVar("R", bound=Rollout)


@dataclass(frozen=True, kw_only=True)
class OnPolicyOptions(Options):
    """Options of every program that learns from what its newest policy did.

    Raises:
        ValueError: A number is out of its range.
    """

    anneal_lr: bool = False
    """Whether the learning rate falls to 0, linearly over the rounds."""
    gae_lambda: float = 1.0
    """Of generalized advantage estimation; 1: the returns of as many steps as there are."""
    ent_coef: float = 0.0
    """Weight of the policy's entropy, which is to be large."""
    vf_coef: float = 0.5
    """Weight of the value loss."""
    hidden_sizes: tuple[int, ...] = (64, 64)
    """Widths of the hidden layers of policy and value each; images have a network of their own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("gamma", "gae_lambda"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name}={getattr(self, name)}: must be from 0 to 1")
        if min(self.hidden_sizes, default=1) < 1:
            raise ValueError(f"hidden_sizes={self.hidden_sizes}: each must be at least 1")

    def learning_rate_of(self, finished_rounds: int) -> float:
        """Return the learning rate after this many rounds."""
        if not self.anneal_lr:
            return self.learning_rate
        return self.learning_rate * max(1 - finished_rounds / self.rounds, 0.0)


class Experience:
    """Trajectories of one tag as tensors, env after env in order of the bank.

    Args:
        trajectories: Of equally many steps.
        device: Of the tensors.

    Attributes:
        obs: `(steps * n_envs, ...)`, step by step.
        actions: `(steps * n_envs,)` int64.
        following: `(n_envs + n_ended, ...)`: what the agents see next, then what they saw when
            their episodes ended.
    """

    def __init__(self, trajectories: Sequence[Trajectory], device: torch.device) -> None:
        self._trajectories = trajectories

        def tensor(arrays: Iterable[NDArray[np.generic]], axis: int = 0) -> torch.Tensor:
            # A copy in torch's own memory: what torch computes may depend on the alignment.
            return torch.tensor(np.concatenate(tuple(arrays), axis)).to(device)

        self.obs: torch.Tensor = tensor((t.obs for t in trajectories), 1).flatten(0, 1)
        self.actions: torch.Tensor = tensor((t.actions for t in trajectories), 1).flatten()
        self.following: torch.Tensor = tensor(
            [*(t.last_obs for t in trajectories), *(t.final_obs for t in trajectories)]
        )

    def advantages(
        self, values: torch.Tensor, following: torch.Tensor, *, gamma: float, gae_lambda: float
    ) -> torch.Tensor:
        """Return `(steps * n_envs,)` advantages.

        Args:
            values: Of `obs`.
            following: Values of `following`.
            gamma: Discount.
            gae_lambda: See `gae`.
        """
        merged = {
            name: np.concatenate([getattr(t, name) for t in self._trajectories], 1)
            for name in ("rewards", "terminated", "truncated")
        }
        by_step = values.cpu().numpy().reshape(merged["rewards"].shape)
        n_envs = by_step.shape[1]
        last, final = np.split(following.cpu().numpy(), [n_envs])
        next_values = np.concatenate([by_step[1:], last[np.newaxis]])
        env = row = 0
        for trajectory in self._trajectories:
            ended = trajectory.ended
            own = next_values[:, env : env + ended.shape[1]]
            n_ended = len(trajectory.final_obs)
            own[ended] = final[row : row + n_ended]
            env, row = env + ended.shape[1], row + n_ended
        advantages = gae(
            values=by_step, next_values=next_values, gamma=gamma, gae_lambda=gae_lambda, **merged
        )
        return torch.tensor(advantages).flatten().to(values.device)


def log_probs_and_entropy(
    logits: torch.Tensor, actions: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the log-probabilities of actions, and the entropies: `(n,)` each.

    Args:
        logits: `(n, n_actions)`.
        actions: `(n,)` int64.
    """
    log_probs = logits.log_softmax(1)
    entropy = -(log_probs * log_probs.exp()).sum(1)
    return log_probs.gather(1, actions.unsqueeze(1)).squeeze(1), entropy


def explained_variance(values: torch.Tensor, returns: torch.Tensor) -> dict[str, float]:
    """Return the share of the returns' variance that the values explain, if there is a variance."""
    if len(returns) < 2 or (variance := returns.var()) == 0:
        return {}
    return {"losses/explained_variance": 1 - ((returns - values).var() / variance).item()}


def actor_critic_losses(
    network: torch.nn.Module, experience: Experience, options: OnPolicyOptions
) -> tuple[torch.Tensor, Metrics]:
    """Return the loss of advantage actor-critic on all of an experience, and what it consists of.

    Source:
        Mnih et al. (2016), Asynchronous methods for deep reinforcement learning, Algorithm S3.
    """
    logits, values = network(experience.obs)
    with torch.no_grad():
        following = network(experience.following)[1]
    advantages = experience.advantages(
        values.detach(), following, gamma=options.gamma, gae_lambda=options.gae_lambda
    )
    returns = advantages + values.detach()
    log_probs, entropies = log_probs_and_entropy(logits, experience.actions)
    policy_loss = -(advantages * log_probs).mean()
    value_loss = torch.nn.functional.mse_loss(values, returns)
    entropy = entropies.mean()
    metrics = {
        "losses/policy_loss": policy_loss.item(),
        "losses/value_loss": value_loss.item(),
        "losses/entropy": entropy.item(),
        **explained_variance(values.detach(), returns),
    }
    return policy_loss - options.ent_coef * entropy + options.vf_coef * value_loss, metrics


class OnPolicyLearner(Learner):
    """Learns from the trajectories of each tag, once.

    Args:
        n: Width of `trajectories`.
        make_network: Makes an `ActorCritic`, or what is called like one.
        options: Of the program.

    Attributes:
        flat: All parameters in one vector, which is what the optimizer is given.
    """

    experience: type[Experience] = Experience
    trajectories: Final = rr.Input[Trajectory](width="n")

    def __init__(self, n: int, make_network: MakeNetwork, options: OnPolicyOptions) -> None:
        super().__init__(
            make_network, rounds=options.rounds, seed=options.seed, device=options.device
        )
        self.n = n
        self.options = options

    @rr.reaction(trajectories, effects=(Learner.weights, Learner.metrics))
    def learn(self) -> None:
        """Take the gradient steps of one round."""
        prepare_worker()
        arrived = [channel.value for channel in self.trajectories]
        learning_rate = self.options.learning_rate_of(self.round)
        self.optimizer.param_groups[0]["lr"] = learning_rate
        metrics = self.update(self.experience(arrived, self.device))
        self.finish_round({**metrics, "charts/learning_rate": learning_rate})

    def update(self, experience: Experience) -> Metrics:
        """Take the gradient steps; return the losses."""
        raise NotImplementedError

    def step(
        self,
        outputs: Sequence[torch.Tensor],
        by_outputs: Sequence[torch.Tensor] | None = None,
    ) -> None:
        """Take one gradient step; arguments as for `Flat.gradient`."""
        bound = self.options.max_grad_norm
        self.flat.vector.grad = self.flat.gradient(bound, outputs, by_outputs)
        self.optimizer.step()


class OnPolicy(Algorithm):
    """Of an actor-critic: its env and network, and the rollouts that act with it.

    Args:
        options: Of the program.
    """

    options: OnPolicyOptions
    episodes: EpisodeLog

    def __init__(self, options: OnPolicyOptions) -> None:
        self.options = options
        self.make_env: MakeEnv = env_maker(options.env_id)
        self.spaces: Spaces = probe(self.make_env)
        self.make_network: MakeNetwork = partial(ActorCritic, self.spaces, options.hidden_sizes)
        self.episodes = EpisodeLog(options.rollouts)

    def bank_of(self, rollout: type[R], *arguments: Any) -> rr.Bank[R]:
        """Return a bank of rollouts that share the envs; `arguments` come before `Rollout`'s."""
        options = self.options
        return rr.Bank(
            options.rollouts,
            rollout,
            *arguments,
            make_env=self.make_env,
            make_policy=lambda: Categorical(self._forward(), self.spaces.n_actions),
            num_envs=options.num_envs // options.rollouts,
            steps=options.num_steps,
            seed=options.seed,
        )

    def greedy_policy(self) -> Policy:
        """Return the policy that takes the likeliest actions."""
        return Greedy(self._forward())

    def _forward(self) -> Forward:
        return actor_forward(self.spaces, self.make_network)


class Synchronous(OnPolicy):
    """A bank of rollouts and a learner that take turns: what `PPO` and `A2C` are made of.

    Args:
        options: Of the program.
        learner: The class of its learner.
    """

    rollouts: rr.Bank[Rollout]
    learner: OnPolicyLearner
    gate: Gate

    def __init__(self, options: OnPolicyOptions, learner: type[OnPolicyLearner]) -> None:
        super().__init__(options)
        self.rollouts = self.bank_of(Rollout)
        self.learner = learner(options.rollouts, self.make_network, options)
        self.gate = Gate()

        self.connect(self.learner.weights, self.gate.weights_in, after=0)
        self.connect(self.gate.weights, self.rollouts.weights, broadcast=True)
        self.connect(self.rollouts.trajectory, self.learner.trajectories)
        self.connect(self.rollouts.trajectory, self.episodes.trajectories)
        self.connect(self.learner.metrics, self.episodes.metrics)
