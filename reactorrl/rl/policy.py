"""How a rollout chooses actions: weights, forward passes, exploration.

Everything here is NumPy, so that acting on features needs no torch: one observation through two
hidden layers of 64 takes about 6 us this way and about 28 us through `torch.nn`. `networks` has the
torch side of the same networks, and the forward pass for images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]
"""A network's parameters by name, in its own order: read-only arrays."""

_ZERO = np.float32(0.0)  # a Python 0.0 would be converted again at every call


def frozen(arrays: Mapping[str, NDArray[np.float32]]) -> Weights:
    """Return the very arrays, made read-only: what may be set on a port."""
    for array in arrays.values():
        array.flags.writeable = False
    return MappingProxyType(dict(arrays))


def weights_sha256(weights: Weights) -> str:
    """Return the SHA-256 of names, shapes and bytes in hex: equal for weights equal to the bit."""
    digest = hashlib.sha256()
    for name, array in weights.items():
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


class Forward(Protocol):
    """A network that only computes: on the weights loaded last, by one thread at a time."""

    def load(self, weights: Weights) -> None:
        """Take over new weights."""

    def __call__(self, obs: NDArray[Any]) -> NDArray[np.float32]:
        """Return `(n, n_outputs)` for observations `(n, ...)`."""


class MLPForward:
    """A stack of linear layers on features, in NumPy.

    Args:
        prefix: Of the names of its weights, as `"actor."`; layers come in their order.
        activation: Between layers, `"relu"` or `"tanh"`.

    Raises:
        ValueError: No such activation.
    """

    def __init__(self, prefix: str = "", activation: str = "relu") -> None:
        if activation not in ("relu", "tanh"):
            raise ValueError(f"activation={activation!r}: must be 'relu' or 'tanh'")
        self._prefix = prefix
        self._is_tanh = activation == "tanh"
        self._layers: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []

    def load(self, weights: Weights) -> None:
        """Take over new weights, without copying them."""
        mine = [array for name, array in weights.items() if name.startswith(self._prefix)]
        self._layers = [(w.T, b) for w, b in zip(mine[::2], mine[1::2], strict=True)]

    def __call__(self, obs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return `(n, n_outputs)` float32 for `(n, n_features)` float32."""
        matrix, bias = self._layers[0]
        values = obs.dot(matrix)  # the same as @, with less around it
        values += bias
        for matrix, bias in self._layers[1:]:
            if self._is_tanh:
                np.tanh(values, out=values)
            else:
                np.maximum(values, _ZERO, out=values)
            values = values.dot(matrix)
            values += bias
        return values


class Policy(Protocol):
    """Chooses actions for the envs of one rollout; owned by it."""

    def start(
        self, weights: Weights, shape: tuple[int, int], env_steps: int, rng: np.random.Generator
    ) -> None:
        """Prepare for one trajectory.

        All its random numbers are drawn here, also those that no step will use: one call in place
        of one for each step.

        Args:
            weights: To act with.
            shape: Steps and envs.
            env_steps: That each env has made before.
            rng: The rollout's own.
        """

    def act(self, step: int, obs: NDArray[Any]) -> NDArray[np.int64]:
        """Return `(n_envs,)` actions, counted from 0, for observations `(n_envs, ...)`."""


class Greedy:
    """The action with the largest output: the first of them, if several are equal."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward

    def start(
        self, weights: Weights, shape: tuple[int, int], env_steps: int, rng: np.random.Generator
    ) -> None:
        """See `Policy`."""
        self._forward.load(weights)

    def act(self, step: int, obs: NDArray[Any]) -> NDArray[np.int64]:
        """See `Policy`."""
        return self._forward(obs).argmax(axis=1)


class EpsilonGreedy:
    """The action with the largest output, or any action with probability `epsilon`.

    Args:
        forward: Gives the value of every action.
        n_actions: Number of actions.
        epsilon: Probability of a random action, over the env steps of one env.
    """

    def __init__(self, forward: Forward, n_actions: int, epsilon: LinearSchedule) -> None:
        self._forward = forward
        self._n_actions = n_actions
        self._epsilon = epsilon

    def start(
        self, weights: Weights, shape: tuple[int, int], env_steps: int, rng: np.random.Generator
    ) -> None:
        """See `Policy`."""
        self._forward.load(weights)
        epsilon = self._epsilon(np.arange(env_steps, env_steps + shape[0]))
        self._explores = rng.random(shape) < epsilon[:, np.newaxis]
        self._n_explore = self._explores.sum(axis=1).tolist()
        self._random = rng.integers(self._n_actions, size=shape)

    def act(self, step: int, obs: NDArray[Any]) -> NDArray[np.int64]:
        """See `Policy`."""
        if self._n_explore[step] == len(obs):
            return self._random[step]
        best = self._forward(obs).argmax(axis=1)
        if self._n_explore[step]:
            best[self._explores[step]] = self._random[step, self._explores[step]]
        return best


class Categorical:
    """An action drawn with the probabilities whose unnormalised logarithms the outputs are.

    Source:
        The Gumbel-max trick: the argmax of logits plus Gumbel noise is distributed so.
    """

    def __init__(self, forward: Forward, n_actions: int) -> None:
        self._forward = forward
        self._n_actions = n_actions

    def start(
        self, weights: Weights, shape: tuple[int, int], env_steps: int, rng: np.random.Generator
    ) -> None:
        """See `Policy`."""
        self._forward.load(weights)
        self._noise = rng.gumbel(size=(*shape, self._n_actions)).astype(np.float32)

    def act(self, step: int, obs: NDArray[Any]) -> NDArray[np.int64]:
        """See `Policy`."""
        return (self._forward(obs) + self._noise[step]).argmax(axis=1)


@dataclass(frozen=True)
class LinearSchedule:
    """A number that goes from `start` to `end` over `duration` env steps and stays there.

    Raises:
        ValueError: `duration` is not positive.

    >>> LinearSchedule(1.0, 0.0, 10)(np.array([0, 5, 20])).tolist()
    [1.0, 0.5, 0.0]
    """

    start: float
    end: float
    duration: float

    def __post_init__(self) -> None:
        if not self.duration > 0:
            raise ValueError(f"duration={self.duration}: must be positive")

    def __call__(self, env_steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the values at these counts of env steps, of their shape."""
        return self.start + (self.end - self.start) * np.minimum(env_steps / self.duration, 1.0)
