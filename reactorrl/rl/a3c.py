"""`A3C`: asynchronous advantage actor-critic on enclaves, with the same bits in every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

import reactorrl as rr

from .algorithm import Gate
from .learner import Learner, Metrics
from .networks import Flat, MakeNetwork, load_weights, torch
from .onpolicy import (
    Experience,
    OnPolicy,
    OnPolicyOptions,
    actor_critic_losses,
)
from .policy import Weights
from .rollout import Rollout
from .torch_setup import prepare_worker

# Of logical time: how long a gradient is under way, so that the actor-learners run at once, and
# by how much longer at most, so that their order varies.
_GRADIENT_DELAY = rr.msec(1)
_JITTER = rr.usec(250)


@dataclass(frozen=True, kw_only=True)
class A3COptions(OnPolicyOptions):
    """Options of `A3C`; each actor-learner has `num_envs / num_rollouts` envs.

    A round is one gradient of one actor-learner; those that are under way at the end are applied,
    too. `cuda` is of no consequence.

    Raises:
        ValueError: A number is out of its range.
    """

    learning_rate: float = 7e-4
    """Of RMSprop."""
    num_envs: int = 8
    """Envs of all actor-learners together."""
    num_steps: int = 20
    """Steps of each env per gradient."""
    num_rollouts: int = 0
    """Actor-learners that share the envs evenly; 0: the largest divisor of `num_envs` up to 4."""
    sync_every: int = 0
    """Rounds after which all wait for each other, so that a checkpoint can be made; 0: never. It is
    at least the number of actor-learners, and changes the results."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sync_every != 0 and self.sync_every < self.rollouts:
            raise ValueError(
                f"sync_every={self.sync_every}: must be 0, or at least the number of"
                f" actor-learners, {self.rollouts}"
            )

    @property
    def steps_per_round(self) -> int:
        """Env steps of one actor-learner's envs per gradient."""
        return self.num_envs // self.rollouts * self.num_steps


@dataclass(frozen=True)
class Gradient:
    """What an actor-learner sends to the server.

    Attributes:
        values: Of all parameters in one vector, float32; its norm is bounded.
        metrics: The losses that it is the gradient of.
    """

    values: torch.Tensor
    metrics: Metrics


class ActorLearner(Rollout):
    """Rolls out and differentiates the loss, with the weights that it was sent; updates nothing.

    Args:
        make_network: Makes an `ActorCritic`.
        options: Of the program.
        **rollout: Of `Rollout`.
    """

    gradient: Final = rr.Output[Gradient]()
    _computed = rr.LogicalAction[Gradient]()

    def __init__(self, make_network: MakeNetwork, options: A3COptions, **rollout: Any) -> None:
        super().__init__(**rollout)
        self.make_network = make_network
        self.options = options

    @rr.reaction(rr.startup)
    def make_copy(self) -> None:
        """Make the network that takes over the weights."""
        prepare_worker()
        self.network: torch.nn.Module = self.make_network(torch.Generator())
        self.flat: Flat = Flat(self.network)

    @rr.reaction(Rollout.weights, uses=Rollout.trajectory, effects=_computed)
    def differentiate(self) -> None:
        """Compute the gradient on the new trajectory."""
        prepare_worker()
        load_weights(self.network, self.weights.value)
        experience = Experience([self.trajectory.value], torch.device("cpu"))
        loss, metrics = actor_critic_losses(self.network, experience, self.options)
        gradient = self.flat.gradient(self.options.max_grad_norm, [loss])
        drawn = np.random.default_rng((self.seed, self.bank_index, self.env_steps))
        jitter = int(drawn.integers(_JITTER))
        self._computed.schedule(Gradient(gradient, metrics), delay=jitter)

    @rr.reaction(_computed, effects=gradient)
    def send(self) -> None:
        """Send the gradient off."""
        self.gradient.set(self._computed.value)


class GradientServer(Learner):
    """Applies each gradient as it comes, and answers with the weights that this leads to.

    Before a synchronisation and before the end it keeps answers back, until no gradient is under
    way any more.

    Args:
        n: Actor-learners.
        make_network: Makes an `ActorCritic`.
        options: Of the program.

    Attributes:
        lags: For each actor-learner, how many gradients of others were applied between its last
            gradient's weights and that gradient.
    """

    gradients: Final = rr.Input[Gradient](width="n")
    replies: Final = rr.Output[Weights](width="n")

    latest: Weights | None
    round: int

    def __init__(self, n: int, make_network: MakeNetwork, options: A3COptions) -> None:
        super().__init__(make_network, rounds=options.rounds, seed=options.seed)
        self.n = n
        self.options = options
        self.lags: list[int] = [0] * n

    @rr.reaction(rr.startup)
    def expect_all(self) -> None:
        """Expect a gradient from everyone: all have been sent the weights of this round."""
        every = self.options.sync_every or self.rounds
        self._goal = min(self.rounds, self.round - self.round % every + every)
        self._n_expected = self.n
        self._sent_at = [self.round] * self.n

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return RMSprop, whose statistics are thereby shared by all actor-learners."""
        return torch.optim.RMSprop([self.flat.vector], lr=0.0, alpha=0.99, eps=1e-5)

    @rr.reaction(gradients, effects=(Learner.weights, Learner.metrics, replies))
    def apply(self) -> None:
        """Take a step for each gradient, in order of the actor-learners if several come at once."""
        prepare_worker()
        for channel in self.gradients.present():
            self._step(channel.index, channel.value)
            if self.round + self._n_expected < self._goal:
                self._n_expected += 1
                self._sent_at[channel.index] = self.round
                self.latest = self.flat.weights()
                self.replies[channel.index].set(self.latest)
        if self._n_expected == 0:
            self.latest = self.flat.weights()
            if self.round >= self.rounds:
                self.request_stop()
            else:
                self.weights.set(self.latest)
                self.expect_all()

    def _step(self, index: int, gradient: Gradient) -> None:
        self.check_losses(gradient.metrics)
        self.lags[index] = self.round - self._sent_at[index]
        learning_rate = self.options.learning_rate_of(self.round)
        self.optimizer.param_groups[0]["lr"] = learning_rate
        self.flat.vector.grad = gradient.values
        self.optimizer.step()
        self.round += 1
        self._n_expected -= 1
        if self.round % self.n == 0:
            self.metrics.set(
                {
                    **gradient.metrics,
                    "charts/learning_rate": learning_rate,
                    "train/version_diff_avg": sum(self.lags) / self.n,
                    "train/version_diff_min": min(self.lags),
                    "train/version_diff_max": max(self.lags),
                }
            )

    def state_dict(self) -> dict[str, Any]:
        """Return what it takes to go on bit for bit; only while no gradient is under way."""
        return {**super().state_dict(), "lags": list(self.lags)}

    def restore(self, state: dict[str, Any]) -> None:
        """See `Learner`."""
        super().restore(state)
        self.lags = list(state["lags"])


class ReplyGate(Gate):
    """Where the server's weights pass: for one actor-learner, or for all when none is at work.

    `hook` is called in the second case only, as then nothing else runs.

    Args:
        n: Actor-learners.
    """

    replies_in: Final = rr.Input[Weights](width="n")
    replies: Final = rr.Output[Weights](width="n")

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    @rr.reaction(Gate.weights_in, replies_in, effects=replies)
    def reply(self) -> None:
        """Let weights for one pass, and give those for all to each."""
        if self.weights_in.is_present:
            for reply in self.replies:
                reply.set(self.weights_in.value)
        for channel in self.replies_in.present():
            self.replies[channel.index].set(channel.value)


class A3C(OnPolicy):
    """Actor-learners that do not wait for each other, and a server that applies their gradients.

    Each actor-learner is an enclave with a time line of its own. It takes the newest weights, makes
    its env steps, and sends a gradient, which arrives about a millisecond of logical time later;
    how much exactly is drawn from the seed, so that the order of arrival varies from round to
    round. The server applies gradients in order of their tags, each to weights that others have
    changed meanwhile, and sends the result back. How stale a gradient is is therefore known, see
    the metrics `train/version_diff_avg`, `_min` and `_max`, and depends on the seed only: neither
    on the speed of the machine nor on the number of workers. Run it with `fast=True`.

    A consistent state is only there when no gradient is under way: before the first round, after
    every `sync_every` rounds, and at the end.

    Args:
        options: See `A3COptions`.

    Source:
        Mnih et al. (2016), Asynchronous methods for deep reinforcement learning, Algorithm S3.

    Deviations:
        1. The paper's threads write into shared weights without locks, in an order of chance.
        2. The gradient of the mean loss over the steps, its norm bounded, for that of the sum; a
           value loss of the mean square, for half of it, times `vf_coef`.
        3. A network each for policy and value, on features; the paper's share their layers.
        4. At the end of an episode that was cut off, the value of its final observation follows.
        5. RMSprop adds its epsilon to the root of the mean square, not below it.
        6. The learning rate is constant and the entropy has no weight, unless the options say so.
    """

    ends_between_rounds = False

    options: A3COptions
    rollouts: rr.Bank[ActorLearner]
    learner: GradientServer
    gate: ReplyGate

    def __init__(self, options: A3COptions = A3COptions()) -> None:
        super().__init__(options)
        n = options.rollouts
        self.rollouts = rr.enclave(self.bank_of(ActorLearner, self.make_network, options))
        self.learner = GradientServer(n, self.make_network, options)
        self.gate = ReplyGate(n)

        # So late that the startup reactions of the enclaves have finished when the hook is called.
        self.connect(self.learner.weights, self.gate.weights_in, after=_GRADIENT_DELAY)
        self.connect(self.learner.replies, self.gate.replies_in, after=0)
        self.connect(self.gate.replies, self.rollouts.weights, after=0)
        self.connect(self.rollouts.gradient, self.learner.gradients, after=_GRADIENT_DELAY)
        self.connect(self.rollouts.trajectory, self.episodes.trajectories, after=_GRADIENT_DELAY)
        self.connect(self.learner.metrics, self.episodes.metrics)
