"""`Learner`: the reactor that turns experience into weights; what all of them share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import reactorrl as rr

from .networks import Flat, MakeNetwork, load_weights, weights_of
from .policy import Weights
from .torch_setup import import_dynamo, prepare_gpu, prepare_worker, torch

import_dynamo()

Metrics: TypeAlias = Mapping[str, float]
"""Scalars of one round, by CleanRL's names: `losses/td_loss`, `charts/learning_rate`."""


class Learner(rr.Reactor):
    """Publishes weights at startup and after every round; stops the program after `rounds` rounds.

    A subclass declares its inputs and a reaction on them with `effects=(Learner.weights,
    Learner.metrics)` that takes its gradient steps and ends with `finish_round`.

    Args:
        make_network: Makes the network to train.
        rounds: Until the program is asked to stop.
        seed: Of the initial weights and of all that the learner draws.
        device: Where it learns, as torch names it.

    Attributes:
        network: What is trained, from startup on.
        flat: Its parameters.
        latest: The newest weights, also after the end of the program; None before its start.
        round: Rounds learned from so far.
    """

    weights: Final = rr.Output[Weights]()
    metrics: Final = rr.Output[Metrics]()

    def __init__(
        self, make_network: MakeNetwork, *, rounds: int, seed: int, device: str = "cpu"
    ) -> None:
        self.make_network = make_network
        self.rounds = rounds
        self.seed = seed
        self.device: torch.device = torch.device(device)
        if self.device.type == "cuda":
            prepare_gpu()
        self.round: int = 0
        self.latest: Weights | None = None
        self._saved: dict[str, Any] | None = None

    @rr.reaction(rr.startup, effects=weights)
    def start(self) -> None:
        """Make network and optimizer and publish the initial weights."""
        prepare_worker()
        self.generator: torch.Generator = torch.Generator().manual_seed(self.seed)
        self.network: torch.nn.Module = self.make_network(self.generator).to(self.device)
        self.flat: Flat = Flat(self.network)
        self.optimizer: torch.optim.Optimizer = self.make_optimizer()
        if self._saved is not None:
            self.restore(self._saved)
        self.latest = self.flat.weights()
        self.weights.set(self.latest)

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Return the optimizer of `self.flat.vector`; called once, at startup."""
        raise NotImplementedError

    def finish_round(self, metrics: Metrics) -> None:
        """Publish weights and metrics, or stop the program after the last round.

        Raises:
            FloatingPointError: A loss is not finite.
        """
        self.check_losses(metrics)
        self.round += 1
        self.latest = self.flat.weights()
        self.metrics.set(metrics)
        if self.round >= self.rounds:
            self.request_stop()
        else:
            self.weights.set(self.latest)

    def check_losses(self, metrics: Metrics) -> None:
        """Raise FloatingPointError if a loss is not finite."""
        for name, value in metrics.items():
            if name.startswith("losses/") and not math.isfinite(value):
                raise FloatingPointError(
                    f"{name} is {value} in round {self.round + 1} of {self.path}: learning diverged"
                    " (lower the learning rate, or look for rewards or observations that are not"
                    " finite)"
                )

    def state_dict(self) -> dict[str, Any]:
        """Return what it takes to go on bit for bit; see `reactorrl.rl.checkpoint`."""
        return {
            "round": self.round,
            "network": dict(weights_of(self.network)),
            "optimizer": _plain(self.optimizer.state_dict()),
            "generator": self.generator.get_state().numpy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from this state at the start of the program."""
        self._saved = state

    def restore(self, state: dict[str, Any]) -> None:
        """Bring everything made by `start` into a state; subclasses add their own."""
        self.round = state["round"]
        load_weights(self.network, state["network"])
        saved = state["optimizer"]
        per_parameter = {int(key): _tensors(value) for key, value in saved["state"].items()}
        self.optimizer.load_state_dict({**saved, "state": per_parameter})
        self.generator.set_state(torch.tensor(state["generator"]))


def _plain(value: Any) -> Any:
    """Return a state dict with arrays for tensors and string keys."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy().copy()
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


def _tensors(state: dict[str, Any]) -> dict[str, Any]:
    return {name: torch.tensor(value) for name, value in state.items()}
