"""The same interpreter without a runtime: one thread in a loop, or a pool of threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from reactorrl.rl.torch_setup import import_dynamo

from ..learner import Learner
from ..parts import (
    N_ROLLOUTS,
    Replay,
    Rollout,
    Rounds,
    Trajectory,
    Weights,
    stacked,
    timed,
)

import_dynamo()  # keeps the GIL off on free-threaded CPython


def learning(batch_size: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """All rollouts in turn, or as tasks of a pool, gathered in order at the end of the round."""
    rollouts = [Rollout(index) for index in range(N_ROLLOUTS)]
    replay, learner = Replay(warm + rounds, batch_size), Learner()
    with ExitStack() as stack:
        each: Callable[..., Iterator[Trajectory]] = map
        if threads > 1:
            each = stack.enter_context(ThreadPoolExecutor(threads)).map

        def roll_out(weights: Weights) -> Trajectory:
            return stacked(list(each(lambda rollout: rollout.roll_out(weights), rollouts)))

        def remember(trajectories: Trajectory) -> Trajectory | None:
            replay.add(trajectories)
            return replay.sample()

        return timed(Rounds(roll_out, remember, learner.learn, learner.weights()), warm, rounds)
