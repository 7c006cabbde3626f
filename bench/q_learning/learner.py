"""The peers' learner, in torch, which actors that only play do without; see `parts`."""

from __future__ import annotations

import torch

from .parts import GAMMA, LEARNING_RATE, MAX_GRAD_NORM, SEED, SIZES, Trajectory, Weights


class Learner:
    """A gradient step of Adam for each batch; the targets are those of the weights before it."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        generator = torch.Generator().manual_seed(SEED)
        drawn = [
            torch.empty(shape).uniform_(-(n_in**-0.5), n_in**-0.5, generator=generator)
            for n_in, n_out in SIZES
            for shape in ((n_out, n_in), (n_out,))
        ]
        # One vector for the optimizer, which spends most of its time between small parameters.
        self.flat = torch.nn.Parameter(torch.cat([each.flatten() for each in drawn]))
        views = self.flat.detach().split([each.numel() for each in drawn])
        self.parameters = [
            view.view_as(each).requires_grad_() for view, each in zip(views, drawn, strict=True)
        ]
        self.optimizer = torch.optim.Adam([self.flat], LEARNING_RATE, fused=True)

    def weights(self) -> Weights:
        """Copies for the rollouts."""
        return [parameter.detach().numpy().copy() for parameter in self.parameters]

    def values(self, obs: torch.Tensor) -> torch.Tensor:
        """What the actions are worth, `(batch, 2)`."""
        w1, b1, w2, b2 = self.parameters
        linear = torch.nn.functional.linear
        return linear(linear(obs, w1, b1).relu(), w2, b2)

    def learn(self, batch: Trajectory | None) -> Weights:
        """Take a gradient step on the squared error, and return the new weights."""
        if batch is not None:
            obs, actions, rewards, next_obs, terminated = map(torch.tensor, batch)
            with torch.no_grad():
                discounts = torch.where(terminated, 0.0, GAMMA)
                targets = rewards + discounts * self.values(next_obs).amax(dim=1)
            values = self.values(obs)
            actions = actions.unsqueeze(1)
            errors = values.detach().gather(1, actions).squeeze(1) - targets
            # The loss is the mean of the squared errors; its derivative is written out.
            by_values = torch.zeros_like(values)
            by_values.scatter_(1, actions, (2 * errors / len(errors)).unsqueeze(1))
            gradients = torch.autograd.grad([values], self.parameters, [by_values])
            gradient = torch.cat([each.flatten() for each in gradients])
            self.flat.grad = gradient * (MAX_GRAD_NORM / (gradient.norm() + 1e-6)).clamp(max=1.0)
            self.optimizer.step()
        return self.weights()
