"""Steps a vector env and times it: the measured side of every sampling case.

Standard library and NumPy only, as peers run it in environments of their own.
"""

import hashlib
from typing import Any

import numpy as np

from ..stopwatch import Stopwatch

BATCHES = 256  # of actions, drawn in advance


def stepped(envs: Any, n_envs: int, n_actions: int, warm: int, rounds: int) -> dict[str, Any]:
    """Batched steps with random actions. The check takes in all that the last step gave.

    Args:
        envs: Has `reset(seed=)` and `step(actions)`; kept by the caller for later repetitions.
        n_envs: Length of a batch.
        n_actions: Actions are 0 to n_actions - 1.
        warm: Batches before the clock starts.
        rounds: Batches that are timed.
    """
    batches = list(np.random.default_rng(1).integers(0, n_actions, (BATCHES, n_envs)))
    envs.reset(seed=1)
    step, result, k = envs.step, None, 0
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            result = step(batches[k % BATCHES])
            k += 1
    seen = hashlib.sha256()
    for array in result[:4]:
        seen.update(np.ascontiguousarray(array).tobytes())
    return watch.reply(seen.hexdigest())
