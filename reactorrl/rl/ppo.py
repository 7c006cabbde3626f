"""`PPO`: proximal policy optimization as a reactor program."""

from __future__ import annotations

from dataclasses import dataclass

from .learner import Metrics
from .networks import torch
from .onpolicy import (
    Experience,
    OnPolicyLearner,
    OnPolicyOptions,
    Synchronous,
    explained_variance,
    log_probs_and_entropy,
)


@dataclass(frozen=True, kw_only=True)
class PPOOptions(OnPolicyOptions):
    """Options of `PPO`; the defaults are CleanRL's for classic control.

    For Atari it has `num_envs=8`, `clip_coef=0.1` and 10 million steps.

    Raises:
        ValueError: A number is out of its range, or the batch of `num_envs * num_steps` does not
            divide into `num_minibatches`.
    """

    anneal_lr: bool = True
    """Whether the learning rate falls to 0, linearly over the rounds."""
    gae_lambda: float = 0.95
    """Of generalized advantage estimation."""
    num_minibatches: int = 4
    """Parts into which each round's batch is divided at random: a gradient step each."""
    update_epochs: int = 4
    """Times that each round's batch is gone through."""
    norm_adv: bool = True
    """Whether the advantages of each minibatch are scaled to mean 0 and deviation 1."""
    clip_coef: float = 0.2
    """How far the probability of an action may move before its advantage counts no more."""
    clip_vloss: bool = True
    """Whether the values are kept as near to those of before, too."""
    ent_coef: float = 0.01
    """Weight of the policy's entropy, which is to be large."""
    target_kl: float | None = None
    """No further epoch in this round once the policy has moved so far."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("num_minibatches", "update_epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: must be at least 1")
        if self.steps_per_round % self.num_minibatches:
            raise ValueError(
                f"num_minibatches={self.num_minibatches}: must divide the batch of"
                f" num_envs * num_steps = {self.steps_per_round}"
            )
        if self.norm_adv and self.minibatch_size < 2:
            raise ValueError(
                f"num_minibatches={self.num_minibatches}: a minibatch of one step has no deviation"
                " to scale by; give fewer, or norm_adv=False"
            )
        if not self.clip_coef > 0.0:
            raise ValueError(f"clip_coef={self.clip_coef}: must be positive")
        if self.target_kl is not None and not self.target_kl > 0.0:
            raise ValueError(f"target_kl={self.target_kl}: must be positive, or None")

    @property
    def minibatch_size(self) -> int:
        """Env steps of one gradient step."""
        return self.steps_per_round // self.num_minibatches


@dataclass(frozen=True)
class Losses:
    """Of one minibatch of n steps, and the gradient of their weighted sum.

    Attributes:
        policy: Clipped surrogate, to be small; a scalar.
        value: Half the mean square, clipped if so asked; a scalar.
        entropy: Mean of the policy's; a scalar.
        log_ratio: `(n,)`, by how much the log-probability of each action has grown.
        by_logits: `(n, n_actions)`, derivatives of `policy - ent_coef * entropy + vf_coef * value`.
        by_values: `(n,)`, of the same.
    """

    policy: torch.Tensor
    value: torch.Tensor
    entropy: torch.Tensor
    log_ratio: torch.Tensor
    by_logits: torch.Tensor
    by_values: torch.Tensor


@torch.no_grad()
def ppo_losses(
    logits: torch.Tensor,
    values: torch.Tensor,
    *,
    actions: torch.Tensor,
    old_log_probs: torch.Tensor,
    old_values: torch.Tensor,
    advantages: torch.Tensor,
    returns: torch.Tensor,
    options: PPOOptions,
) -> Losses:
    """Return the losses of a minibatch: arguments are `(n,)`, `logits` `(n, n_actions)`.

    The derivatives are written out: autograd takes longer over these few operations on short
    vectors than over a network of the usual size.

    Source:
        Schulman et al. (2017), Proximal policy optimization algorithms, equations 7 and 9.
    """
    n, clip_coef = len(values), options.clip_coef
    log_probs = logits.log_softmax(1)
    probs = log_probs.exp()
    chosen = actions.unsqueeze(1)
    log_ratio = log_probs.gather(1, chosen).squeeze(1) - old_log_probs
    ratio = log_ratio.exp()
    surrogate = advantages * ratio
    clipped = advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    entropies = -(log_probs * probs).sum(1, keepdim=True)

    # By the log-probability of the action: nothing where the clipped surrogate is the smaller one.
    by_chosen = (surrogate * (surrogate <= clipped) / -n).unsqueeze(1)
    by_logits = probs * (options.ent_coef / n * (log_probs + entropies) - by_chosen)
    by_logits.scatter_add_(1, chosen, by_chosen)

    error = values - returns
    squares, by_values = error.square(), error
    if options.clip_vloss:
        moved = values - old_values
        near = (old_values + moved.clamp(-clip_coef, clip_coef) - returns).square()
        by_values = error * ((moved.abs() <= clip_coef) | (squares >= near))
        squares = torch.maximum(squares, near)
    return Losses(
        policy=-torch.minimum(surrogate, clipped).mean(),
        value=0.5 * squares.mean(),
        entropy=entropies.mean(),
        log_ratio=log_ratio,
        by_logits=by_logits,
        by_values=by_values * (options.vf_coef / n),
    )


class PPOLearner(OnPolicyLearner):
    """Goes through each round's experience several times, in minibatches."""

    options: PPOOptions

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return Adam with CleanRL's epsilon."""
        return torch.optim.Adam(
            [self.flat.vector], lr=self.options.learning_rate, eps=1e-5, fused=True
        )

    def update(self, experience: Experience) -> Metrics:
        """Take the gradient steps; fewer if `target_kl` says so."""
        options, parts = self.options, self.options.num_minibatches
        with torch.no_grad():
            logits, values = self.network(experience.obs)
            following = self.network(experience.following)[1]
            old_log_probs = log_probs_and_entropy(logits, experience.actions)[0]
        advantages = experience.advantages(
            values, following, gamma=options.gamma, gae_lambda=options.gae_lambda
        )
        returns = advantages + values
        columns = torch.stack((old_log_probs, values, advantages, returns))

        log_ratios: list[torch.Tensor] = []
        for _ in range(options.update_epochs):
            order = torch.randperm(len(values), generator=self.generator).to(self.device)
            obs, actions = experience.obs[order], experience.actions[order]
            minibatches = zip(
                obs.tensor_split(parts),
                actions.tensor_split(parts),
                columns[:, order].tensor_split(parts, 1),
                strict=True,
            )
            for obs, actions, (old_log_probs, old_values, advantages, targets) in minibatches:
                if options.norm_adv:
                    deviation, mean = torch.std_mean(advantages)
                    advantages = (advantages - mean) / (deviation + 1e-8)
                logits, new_values = self.network(obs)
                losses = ppo_losses(
                    logits,
                    new_values,
                    actions=actions,
                    old_log_probs=old_log_probs,
                    old_values=old_values,
                    advantages=advantages,
                    returns=targets,
                    options=options,
                )
                self.step((logits, new_values), (losses.by_logits, losses.by_values))
                log_ratios.append(losses.log_ratio)
            approx_kl = (losses.log_ratio.exp() - 1 - losses.log_ratio).mean()
            if options.target_kl is not None and approx_kl > options.target_kl:
                break

        moved = (torch.cat(log_ratios).exp() - 1).abs() > options.clip_coef
        return {
            "losses/policy_loss": losses.policy.item(),
            "losses/value_loss": losses.value.item(),
            "losses/entropy": losses.entropy.item(),
            "losses/old_approx_kl": -losses.log_ratio.mean().item(),
            "losses/approx_kl": approx_kl.item(),
            "losses/clipfrac": moved.float().mean().item(),
            **explained_variance(values, returns),
        }


class PPO(Synchronous):
    """A bank of rollouts and a learner: one round per tag.

    The learner's weights reach every rollout one microstep later; within that tag the rollouts run
    in parallel and the learner learns from all their trajectories, in order of the bank. Learning
    has no part in the rollouts' random numbers, nor they in the learner's. The results do not
    depend on the number of workers, to the last bit. Run it with `fast=True`.

    Args:
        options: See `PPOOptions`.

    Source:
        Schulman et al. (2017), Proximal policy optimization algorithms, Algorithm 1; the details
        are those of Huang et al. (2022), The 37 implementation details of PPO.

    Deviations:
        1. At the end of an episode that was cut off, the value of its final observation follows;
           CleanRL's script takes such an end for a terminal state.
        2. The learner computes the log-probabilities under the acting weights itself, so that the
           first ratio is 1 to the last bit; rollouts only choose actions.
    """

    options: PPOOptions

    def __init__(self, options: PPOOptions = PPOOptions()) -> None:
        super().__init__(options, PPOLearner)
