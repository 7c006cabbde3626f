"""The policy of a `Rollout`: the weights of a small Q-network, its forward pass, exploration.

Everything here is NumPy, so that acting needs no torch: one observation through two hidden layers
of 64 takes about 6 us this way and about 28 us through `torch.nn`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Weights: TypeAlias = tuple[NDArray[np.float32], ...]
"""Read-only float32 arrays, layer by layer: a matrix `(n_in, n_out)`, then its bias `(n_out,)`."""

_ZERO = np.float32(0.0)  # a Python 0.0 would be converted again at every call


def initial_weights(layer_sizes: Sequence[int], generator: np.random.Generator) -> Weights:
    """Draw the weights of a fully connected network.

    Args:
        layer_sizes: Features of an observation, widths of the hidden layers, number of actions.
        generator: Source of the random numbers, advanced by the call.

    Returns:
        Read-only arrays; matrices and biases are uniform in +-1/sqrt(n_in).

    Raises:
        ValueError: Fewer than two sizes, or one below 1.

    Source:
        The bound is that of `torch.nn.Linear`.

    >>> [array.shape for array in initial_weights((4, 8, 2), np.random.default_rng(1))]
    [(4, 8), (8,), (8, 2), (2,)]
    """
    if len(layer_sizes) < 2 or min(layer_sizes) < 1:
        raise ValueError(f"layer_sizes={tuple(layer_sizes)}: at least two sizes of at least 1")
    arrays = []
    for n_in, n_out in pairwise(layer_sizes):
        bound = n_in**-0.5
        arrays.append(generator.uniform(-bound, bound, (n_in, n_out)).astype(np.float32))
        arrays.append(generator.uniform(-bound, bound, n_out).astype(np.float32))
    return frozen(arrays)


def frozen(arrays: Sequence[NDArray[np.float32]]) -> Weights:
    """Return the very arrays as a tuple, made read-only: what may be set on a port."""
    for array in arrays:
        array.flags.writeable = False
    return tuple(arrays)


def q_values(weights: Weights, obs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the value of every action: the network's output, ReLU between its layers.

    Args:
        weights: As from `initial_weights`.
        obs: `(n_in,)` or `(batch, n_in)` float32.

    Returns:
        `(n_actions,)` or `(batch, n_actions)` float32, owned by the caller.
    """
    values = obs @ weights[0] + weights[1]
    for layer in range(2, len(weights), 2):
        values = np.maximum(values, _ZERO) @ weights[layer] + weights[layer + 1]
    return values


def weights_sha256(weights: Weights) -> str:
    """Return the SHA-256 of shapes and bytes in hex: equal for weights equal to the last bit."""
    digest = hashlib.sha256()
    for array in weights:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


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
