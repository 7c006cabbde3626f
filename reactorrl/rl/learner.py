"""`Learner`: the reactor that turns batches into weights, by deep Q-learning with torch."""

from __future__ import annotations

from collections.abc import Sequence

import reactorrl as rr

from .policy import Weights, frozen
from .replay import Batch
from .torch_setup import import_dynamo, prepare_worker, torch

import_dynamo()


class Learner(rr.Reactor):
    """Publishes weights at startup and after every batch; stops the program after `rounds` batches.

    A batch is cut into minibatches of `minibatch_size` rows, in order, one gradient step for each.
    The targets of the whole batch are computed before its first step. A batch without rows only
    publishes.

    Args:
        initial: Weights to start from.
        rounds: Batches until the program is asked to stop.
        minibatch_size: Rows of a gradient step.
        learning_rate: Of Adam.
        gamma: Discount of the reward of the next env step.
        target_period: Batches between two copies of the weights to the target network.
        max_grad_norm: Gradients with a larger 2-norm are scaled down to it.

    Attributes:
        latest: The newest weights, also after the end of the program.

    Source:
        Mnih et al. (2015), Human-level control through deep reinforcement learning, Algorithm 1.

    Deviations:
        1. The loss is the plain squared error, and the norm of the gradient is clipped, where the
           paper clips each error to +-1: CartPole's returns reach 500, and clipped errors learn
           them slowly.
        2. Adam in place of RMSProp.
        3. The target network is replaced between batches only, so it is constant within one.
        4. A truncated episode is bootstrapped from its final observation; the paper has no
            truncation.
    """

    batch = rr.Input[Batch]()
    weights = rr.Output[Weights]()

    def __init__(
        self,
        initial: Weights,
        *,
        rounds: int,
        minibatch_size: int,
        learning_rate: float,
        gamma: float,
        target_period: int,
        max_grad_norm: float,
    ) -> None:
        self.latest = initial
        self.rounds = rounds
        self.minibatch_size = minibatch_size
        self.learning_rate = learning_rate
        self.gamma = gamma
        self.target_period = target_period
        self.max_grad_norm = max_grad_norm

    @rr.reaction(rr.startup, effects=weights)
    def start(self) -> None:
        """Make the networks and publish the initial weights."""
        prepare_worker()
        self.round = 0
        self.parameters = [torch.nn.Parameter(torch.tensor(array)) for array in self.latest]
        self.optimizer = torch.optim.Adam(self.parameters, self.learning_rate, fused=True)
        self.weights.set(self.latest)

    @rr.reaction(batch, effects=weights)
    def learn(self) -> None:
        """Learn from the batch; publish the weights, or stop the program after the last round."""
        prepare_worker()
        if self.round % self.target_period == 0:
            self.target = [parameter.detach().clone() for parameter in self.parameters]
        if len(self.batch.value):
            self.update(self.batch.value)
            self.latest = frozen([each.detach().numpy().copy() for each in self.parameters])
        self.round += 1
        if self.round >= self.rounds:
            self.request_stop()
        else:
            self.weights.set(self.latest)

    def update(self, batch: Batch) -> None:
        """Take one gradient step for each minibatch; only for the reactor's own reactions."""
        # torch.tensor copies into memory of torch's own alignment, on which the rounding of a sum
        # may depend.
        obs, next_obs = torch.tensor(batch.obs), torch.tensor(batch.next_obs)
        rewards, terminated = torch.tensor(batch.rewards), torch.tensor(batch.terminated)
        actions = torch.tensor(batch.actions).unsqueeze(1)
        targets = td_targets(self.target, rewards, next_obs, terminated, self.gamma)
        for first in range(0, len(batch), self.minibatch_size):
            rows = slice(first, first + self.minibatch_size)
            chosen = q_values(self.parameters, obs[rows]).gather(1, actions[rows]).squeeze(1)
            loss = torch.nn.functional.mse_loss(chosen, targets[rows])
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.parameters, self.max_grad_norm)
            self.optimizer.step()


def q_values(weights: Sequence[torch.Tensor], obs: torch.Tensor) -> torch.Tensor:
    """Return `(batch, n_actions)` float32, as `policy.q_values` does, with gradients.

    Args:
        weights: Matrices `(n_in, n_out)` and biases `(n_out,)` in turn, float32.
        obs: `(batch, n_in)` float32.
    """
    values = torch.addmm(weights[1], obs, weights[0])
    for layer in range(2, len(weights), 2):
        values = torch.addmm(weights[layer + 1], values.relu(), weights[layer])
    return values


@torch.no_grad()
def td_targets(
    target: Sequence[torch.Tensor],
    rewards: torch.Tensor,
    next_obs: torch.Tensor,
    terminated: torch.Tensor,
    gamma: float,
) -> torch.Tensor:
    """Return what the chosen actions should be worth: r + gamma * max_a Q_target(next_obs, a).

    The second term is 0 where the episode terminated, and only there: a truncated episode would
    have gone on.

    Args:
        target: Weights of the target network, as for `q_values`.
        rewards: `(batch,)` float32.
        next_obs: `(batch, n_features)` float32.
        terminated: `(batch,)` bool.
        gamma: Discount.

    Returns:
        `(batch,)` float32, without gradients.
    """
    best = q_values(target, next_obs).amax(dim=1)
    return rewards + gamma * best.masked_fill(terminated, 0.0)
