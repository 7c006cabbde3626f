"""What every side of the replay benchmarks keeps, and learns of it. NumPy only: peers import it."""

import numpy as np

ALPHA, BETA = 0.6, 0.4
N_FEATURES = 4
N_PRIORITIES = 64


def errors(rows: int) -> np.ndarray:
    """Absolute TD errors to take in turn, `(N_PRIORITIES, rows)` float32."""
    rng = np.random.default_rng(1)
    return rng.exponential(size=(N_PRIORITIES, rows)).astype(np.float32)


def transitions_of(capacity: int) -> dict[str, np.ndarray]:
    """What every side keeps, by the names of Tianshou; an episode ends now and then."""
    rng = np.random.default_rng(2)
    obs = rng.normal(size=(capacity + 1, N_FEATURES)).astype(np.float32)
    return {
        "obs": obs[:-1],
        "obs_next": obs[1:],
        "act": rng.integers(2, size=capacity),
        "rew": rng.normal(size=capacity).astype(np.float32),
        "terminated": rng.random(capacity) < 0.005,
    }
