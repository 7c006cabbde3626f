"""TorchRL: sum and min trees in C++, and transitions in tensors, on the CPU."""

from functools import cache
from typing import Any

import torch
from tensordict import TensorDict
from torchrl.data import LazyTensorStorage, TensorDictPrioritizedReplayBuffer

from ...stopwatch import Stopwatch
from ..experience import ALPHA, BETA, N_PRIORITIES, errors, transitions_of

torch.set_num_threads(1)


@cache
def filled_buffer(rows: int, capacity: int) -> TensorDictPrioritizedReplayBuffer:
    """Full, in TorchRL's layout: what a step led to is under `next`."""
    buffer = TensorDictPrioritizedReplayBuffer(
        alpha=ALPHA, beta=BETA, storage=LazyTensorStorage(capacity), batch_size=rows
    )
    data = {name: torch.from_numpy(array) for name, array in transitions_of(capacity).items()}
    column = data["terminated"].unsqueeze(1)
    buffer.extend(
        TensorDict(
            {
                "observation": data["obs"],
                "action": data["act"],
                "next": {
                    "observation": data["obs_next"],
                    "reward": data["rew"].unsqueeze(1),
                    "terminated": column,
                    "done": column,
                },
            },
            [capacity],
        )
    )
    return buffer


def sampler(rows: int, capacity: int, warm: int, rounds: int) -> dict[str, Any]:
    """Indices and weights, then priorities."""
    buffer, new = filled_buffer(rows, capacity), torch.from_numpy(errors(rows))
    sampler, storage = buffer.sampler, buffer.storage
    watch = Stopwatch(warm, rounds)
    n = 0
    while left := watch.lap():
        for k in range(left):
            indices, found = sampler.sample(storage, rows)
            sampler.update_priority(indices, new[k % N_PRIORITIES])
            n += len(found["priority_weight"])
    return watch.reply(n)


def transitions(rows: int, capacity: int, warm: int, rounds: int) -> dict[str, Any]:
    """A batch with its weights, then priorities."""
    buffer, new = filled_buffer(rows, capacity), torch.from_numpy(errors(rows))
    watch = Stopwatch(warm, rounds)
    n = 0
    while left := watch.lap():
        for k in range(left):
            batch = buffer.sample()
            batch["td_error"] = new[k % N_PRIORITIES]
            buffer.update_tensordict_priority(batch)
            n += len(batch)
    return watch.reply(n)
