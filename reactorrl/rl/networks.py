"""The networks of the learners, in torch, and their forward pass for rollouts.

Initial weights come from an explicit generator; torch's own initialisation draws from a global one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .envs import Spaces
from .policy import Forward, MLPForward, Weights, frozen
from .torch_setup import prepare_worker, torch

MakeNetwork: TypeAlias = Callable[["torch.Generator"], "torch.nn.Module"]
"""Makes a network with fresh weights, drawn from the generator."""

Init: TypeAlias = Callable[["torch.nn.Module", "torch.Generator"], None]

_ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


def uniform_init(layer: torch.nn.Module, generator: torch.Generator) -> None:
    """Draw weights and bias uniformly from +-1/sqrt(fan in), as torch does by default."""
    fan_in = layer.weight[0].numel()
    for parameter in (layer.weight, layer.bias):
        torch.nn.init.uniform_(parameter, -(fan_in**-0.5), fan_in**-0.5, generator=generator)


def orthogonal_init(gain: float) -> Init:
    """Return what draws orthogonal weights of this gain and clears the bias (PPO's custom)."""

    def init(layer: torch.nn.Module, generator: torch.Generator) -> None:
        torch.nn.init.orthogonal_(layer.weight, gain, generator=generator)
        torch.nn.init.zeros_(layer.bias)

    return init


def linear(n_in: int, n_out: int, init: Init, generator: torch.Generator) -> torch.nn.Linear:
    """Make a linear layer."""
    layer = torch.nn.utils.skip_init(torch.nn.Linear, n_in, n_out)
    init(layer, generator)
    return layer


def mlp(
    sizes: Sequence[int],
    activation: str,
    generator: torch.Generator,
    init: Init = uniform_init,
    last: Init | None = None,
) -> torch.nn.Sequential:
    """Make a stack of linear layers: the torch side of `MLPForward`.

    Args:
        sizes: Features, widths of the hidden layers, outputs.
        activation: `"relu"` or `"tanh"`, between layers.
        generator: Of the initial weights.
        init: Of every layer.
        last: Of the last one, if it differs.
    """
    layers: list[torch.nn.Module] = []
    for index, (n_in, n_out) in enumerate(pairwise(sizes)):
        is_last = index == len(sizes) - 2
        layers.append(linear(n_in, n_out, (last or init) if is_last else init, generator))
        if not is_last:
            layers.append(_ACTIVATIONS[activation]())
    return torch.nn.Sequential(*layers)


class NatureCNN(torch.nn.Sequential):
    """Frames `(n, channels, 84, 84)` to `(n, 512)` features.

    Pixels that are uint8 are divided by 255; of any other type, they are taken as they are.

    Args:
        obs_shape: Of one observation; height and width from 36 on.
        generator: Of the initial weights.
        init: Of every layer.

    Raises:
        ValueError: Height or width are too small, as where the channels come last.

    Source:
        Mnih et al. (2015), Methods, "Model architecture".
    """

    n_features = 512

    def __init__(
        self, obs_shape: Sequence[int], generator: torch.Generator, init: Init = uniform_init
    ) -> None:
        channels, height, width = obs_shape
        layers: list[torch.nn.Module] = []
        for n_out, kernel, stride in ((32, 8, 4), (64, 4, 2), (64, 3, 1)):
            layer = torch.nn.utils.skip_init(torch.nn.Conv2d, channels, n_out, kernel, stride)
            init(layer, generator)
            layers += [layer, torch.nn.ReLU()]
            channels = n_out
            height, width = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        if height < 1 or width < 1:
            raise ValueError(
                f"images of shape {tuple(obs_shape)}: must be (channels, height, width), at least"
                " 36 pixels high and wide (where the channels come last, wrap the env)"
            )
        head = linear(channels * height * width, self.n_features, init, generator)
        super().__init__(*layers, torch.nn.Flatten(), head, torch.nn.ReLU())

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Return `(n, 512)` float32."""
        return super().forward(obs.float() / 255.0 if obs.dtype == torch.uint8 else obs.float())


class ActorCritic(torch.nn.Module):
    """A policy's logits and a state's value: two towers on features, one shared CNN on images.

    Attributes:
        features: What both share: the CNN, or nothing.
        actor: Features to `(n, n_actions)` logits.
        critic: Features to `(n, 1)` values.

    Args:
        spaces: Of the env.
        hidden: Widths of each tower's hidden layers; images have none.
        generator: Of the initial weights.

    Source:
        Tanh towers and orthogonal initialisation with gains sqrt(2), 0.01 and 1: Huang et al.
        (2022), The 37 implementation details of PPO, details 2 and 8 of the core ones.
    """

    def __init__(self, spaces: Spaces, hidden: Sequence[int], generator: torch.Generator) -> None:
        super().__init__()
        body, actor, critic = map(orthogonal_init, (2**0.5, 0.01, 1.0))
        if spaces.is_image:
            self.features: torch.nn.Module = NatureCNN(spaces.obs_shape, generator, body)
            sizes = [NatureCNN.n_features]
        else:
            self.features = torch.nn.Identity()
            sizes = [spaces.obs_shape[0], *hidden]
        self.actor: torch.nn.Sequential = mlp(
            [*sizes, spaces.n_actions], "tanh", generator, body, actor
        )
        self.critic: torch.nn.Sequential = mlp([*sizes, 1], "tanh", generator, body, critic)

    def forward(self, obs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits `(n, n_actions)` and values `(n,)`."""
        features = self.features(obs).float()
        return self.actor(features), self.critic(features).squeeze(1)


class QNetwork(torch.nn.Module):
    """The value of every action: a stack of layers, after a CNN on images.

    Args:
        spaces: Of the env.
        hidden: Widths of the hidden layers; images have none of their own.
        is_dueling: Whether the last layer is two, for the state's value and for the advantages.
        generator: Of the initial weights.

    Source:
        Dueling: Wang et al. (2016), Dueling Network Architectures for Deep RL, equation 9.
    """

    def __init__(
        self, spaces: Spaces, hidden: Sequence[int], is_dueling: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        body: list[torch.nn.Module] = []
        if spaces.is_image:
            body.append(NatureCNN(spaces.obs_shape, generator))
            sizes = [NatureCNN.n_features]
        else:
            sizes = [spaces.obs_shape[0], *hidden]
            for n_in, n_out in pairwise(sizes):
                body += [linear(n_in, n_out, uniform_init, generator), torch.nn.ReLU()]
        self.is_image: bool = spaces.is_image
        self.body: torch.nn.Sequential = torch.nn.Sequential(*body)
        self.advantages: torch.nn.Linear = linear(
            sizes[-1], spaces.n_actions, uniform_init, generator
        )
        self.value: torch.nn.Linear | None = (
            linear(sizes[-1], 1, uniform_init, generator) if is_dueling else None
        )

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        """Return `(n, n_actions)`."""
        features = self.body(obs if self.is_image else obs.float())
        advantages = self.advantages(features)
        if self.value is None:
            return advantages
        return self.value(features) + advantages - advantages.mean(dim=1, keepdim=True)


def weights_of(network: torch.nn.Module) -> Weights:
    """Return copies of a network's parameters, on the CPU."""
    parameters = network.named_parameters()
    return frozen({name: p.detach().cpu().numpy().copy() for name, p in parameters})


@torch.no_grad()
def load_weights(network: torch.nn.Module, weights: Weights) -> None:
    """Copy weights into a network of the same names and shapes."""
    for name, parameter in network.named_parameters():
        parameter.copy_(torch.tensor(weights[name]))


class Flat:
    """A network's parameters as one vector, of which its own become views.

    An optimizer spends most of its time between small parameters, and walking through a network's
    modules for its parameters takes as long as a small layer.

    Attributes:
        vector: The parameters, in the network's own order.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        self._parameters = list(network.parameters())
        values = [parameter.detach().flatten() for parameter in self._parameters]
        self.vector: torch.nn.Parameter = torch.nn.Parameter(torch.cat(values))
        self._places: list[tuple[str, slice, tuple[int, ...]]] = []
        first = 0
        for name, parameter in network.named_parameters():
            place = slice(first, first + parameter.numel())
            parameter.data = self.vector.detach()[place].view_as(parameter)
            self._places.append((name, place, tuple(parameter.shape)))
            first = place.stop

    def weights(self) -> Weights:
        """Return a copy of the parameters, as `weights_of` the network."""
        copy = self.vector.detach().cpu().numpy().copy()
        return frozen({name: copy[place].reshape(shape) for name, place, shape in self._places})

    def gradient(
        self,
        max_grad_norm: float,
        outputs: Sequence[torch.Tensor],
        by_outputs: Sequence[torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Return the gradient of a loss by the vector, its 2-norm bounded.

        Args:
            max_grad_norm: The bound.
            outputs: What was computed with the network: the loss itself, or what the loss is a
                function of.
            by_outputs: The derivatives of the loss by each of them, of the same shapes; None for a
                loss.
        """
        gradients = torch.autograd.grad(outputs, self._parameters, by_outputs)
        gradient = torch.cat([each.flatten() for each in gradients])
        return gradient * (max_grad_norm / (gradient.norm() + 1e-6)).clamp(max=1.0)


class TorchForward:
    """A torch network behind `Forward`: for images.

    Args:
        make_network: Makes it; its weights do not matter.
        outputs: Takes the network and observations to `(n, n_outputs)`.
    """

    def __init__(
        self,
        make_network: MakeNetwork,
        outputs: Callable[[Any, torch.Tensor], torch.Tensor],
    ) -> None:
        self._make_network = make_network
        self._outputs = outputs
        self._network: torch.nn.Module | None = None

    def load(self, weights: Weights) -> None:
        """Take over new weights."""
        prepare_worker()
        if self._network is None:
            self._network = self._make_network(torch.Generator())
        load_weights(self._network, weights)

    @torch.no_grad()
    def __call__(self, obs: NDArray[Any]) -> NDArray[np.float32]:
        """Return `(n, n_outputs)` float32."""
        prepare_worker()
        return self._outputs(self._network, torch.tensor(obs)).numpy()


def q_forward(spaces: Spaces, is_dueling: bool, make_network: MakeNetwork) -> Forward:
    """Return the forward pass of a `QNetwork`."""
    if spaces.is_image or is_dueling:
        return TorchForward(make_network, lambda network, obs: network(obs))
    return MLPForward()


def actor_forward(spaces: Spaces, make_network: MakeNetwork) -> Forward:
    """Return the forward pass of an `ActorCritic`'s actor."""
    if not spaces.is_image:
        return MLPForward("actor.", "tanh")
    return TorchForward(make_network, lambda network, obs: network(obs)[0])
