"""What is learned: a linear regression by actors that take unpredictably long. NumPy only."""

import hashlib
import time

import numpy as np

N_ACTORS, N_UPDATES, N_FEATURES, N_ROWS = 4, 64, 8, 16
STEP_SIZE = np.float32(0.05)


def first_weights() -> np.ndarray:
    """`(N_FEATURES,)` float32."""
    return np.zeros(N_FEATURES, np.float32)


def updated(weights: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The weights after one step; which they are depends on the order of the steps."""
    return weights - STEP_SIZE * gradient


def sha256_of(weights: np.ndarray) -> str:
    """Equal for weights that are equal to the bit."""
    return hashlib.sha256(weights.tobytes()).hexdigest()[:16]


class Actor:
    """Draws its own data, and computes gradients.

    Args:
        index: Seeds the data.
        longest_s: Each gradient takes up to so many seconds more, at random, as envs and machines
            do; how long is the only thing here that differs from run to run.
    """

    def __init__(self, index: int, longest_s: float) -> None:
        self.data = np.random.default_rng((1, index))
        self.longest_s = longest_s
        self.chance = np.random.default_rng()  # on purpose without a seed

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """Of the mean squared error of a fresh batch, `(N_FEATURES,)` float32."""
        if self.longest_s:
            time.sleep(self.chance.uniform(0.0, self.longest_s))
        rows = self.data.normal(size=(N_ROWS, N_FEATURES)).astype(np.float32)
        goals = rows.sum(axis=1)
        return rows.T @ (rows @ weights - goals) / np.float32(N_ROWS)
