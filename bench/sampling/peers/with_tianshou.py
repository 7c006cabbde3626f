"""Tianshou: a sum tree compiled by Numba, and transitions in NumPy arrays."""

from functools import cache
from typing import Any

import numpy as np
from tianshou.data import Batch, PrioritizedReplayBuffer

from ...stopwatch import Stopwatch
from ..experience import ALPHA, BETA, N_PRIORITIES, errors, transitions_of


@cache
def filled_buffer(capacity: int) -> PrioritizedReplayBuffer:
    """Full; written at once, as one transition after the other would take minutes."""
    buffer = PrioritizedReplayBuffer(capacity, alpha=ALPHA, beta=BETA)
    data = transitions_of(capacity)
    ends = {"truncated": np.zeros_like(data["terminated"]), "done": data["terminated"]}
    buffer.set_batch(Batch(**data, **ends, info=Batch(), policy=Batch()))
    buffer._size = capacity  # noqa: SLF001 (what its own `from_data` sets)
    buffer.init_weight(np.arange(capacity))
    return buffer


def sampler(rows: int, capacity: int, warm: int, rounds: int) -> dict[str, Any]:
    """Indices and weights, then priorities."""
    buffer, new = filled_buffer(capacity), errors(rows)
    watch = Stopwatch(warm, rounds)
    n = 0
    while left := watch.lap():
        for k in range(left):
            indices = buffer.sample_indices(rows)
            weights = buffer.get_weight(indices)
            buffer.update_weight(indices, new[k % N_PRIORITIES])
            n += len(weights)
    return watch.reply(n)


def transitions(rows: int, capacity: int, warm: int, rounds: int) -> dict[str, Any]:
    """A batch with its weights, then priorities."""
    buffer, new = filled_buffer(capacity), errors(rows)
    watch = Stopwatch(warm, rounds)
    n = 0
    while left := watch.lap():
        for k in range(left):
            batch, indices = buffer.sample(rows)
            buffer.update_weight(indices, new[k % N_PRIORITIES])
            n += len(batch)
    return watch.reply(n)
