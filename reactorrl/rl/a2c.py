"""`A2C`: advantage actor-critic as a reactor program."""

from __future__ import annotations

from dataclasses import dataclass

from .learner import Metrics
from .networks import torch
from .onpolicy import (
    Experience,
    OnPolicyLearner,
    OnPolicyOptions,
    Synchronous,
    actor_critic_losses,
)


@dataclass(frozen=True, kw_only=True)
class A2COptions(OnPolicyOptions):
    """Options of `A2C`; the defaults are Stable-Baselines3's, with the 8 envs of its zoo.

    Raises:
        ValueError: A number is out of its range.
    """

    learning_rate: float = 7e-4
    """Of RMSprop."""
    num_envs: int = 8
    """Envs that are stepped side by side."""
    num_steps: int = 5
    """Steps of each env per round, which is one gradient step."""


class A2CLearner(OnPolicyLearner):
    """Takes one gradient step on all of each round's experience."""

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return RMSprop."""
        return torch.optim.RMSprop(
            [self.flat.vector], lr=self.options.learning_rate, alpha=0.99, eps=1e-5
        )

    def update(self, experience: Experience) -> Metrics:
        """Take the gradient step."""
        loss, metrics = actor_critic_losses(self.network, experience, self.options)
        self.step([loss])
        return metrics


class A2C(Synchronous):
    """A bank of rollouts and a learner: one gradient step, and one tag, per round.

    The learner's weights reach every rollout one microstep later; within that tag the rollouts run
    in parallel and the learner learns from all their trajectories, in order of the bank. The
    results do not depend on the number of workers, to the last bit. Run it with `fast=True`.

    Args:
        options: See `A2COptions`.

    Source:
        Mnih et al. (2016), Asynchronous methods for deep reinforcement learning, Algorithm S3,
        with all actors in step.

    Deviations:
        1. One gradient of the mean loss over all envs, for the paper's sums, one actor at a time.
        2. At the end of an episode that was cut off, the value of its final observation follows.
        3. The norm of the gradient is bounded; `eps` is added to the root of the mean square.
    """

    options: A2COptions

    def __init__(self, options: A2COptions = A2COptions()) -> None:
        super().__init__(options, A2CLearner)
