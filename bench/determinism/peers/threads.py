"""A thread pool: whichever gradient is ready first is applied first."""

from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import numpy as np

from ...stopwatch import Stopwatch
from ..parts import N_ACTORS, N_UPDATES, Actor, first_weights, sha256_of, updated


def learned(pool: ThreadPoolExecutor, longest_s: float) -> np.ndarray:
    """The weights after one run."""
    actors = [Actor(index, longest_s) for index in range(N_ACTORS)]
    arrived: SimpleQueue[tuple[Actor, np.ndarray]] = SimpleQueue()

    def compute(actor: Actor, weights: np.ndarray) -> None:
        arrived.put((actor, actor.gradient(weights)))

    weights = first_weights()
    for actor in actors:
        pool.submit(compute, actor, weights)
    for update in range(1, N_UPDATES + N_ACTORS):
        actor, gradient = arrived.get()
        if update <= N_UPDATES:
            weights = updated(weights, gradient)
        if update <= N_UPDATES - 1:
            pool.submit(compute, actor, weights)
    return weights


def outcomes(threads: int, longest_s: float, runs: int) -> dict[str, Any]:
    """The hashes of the weights of so many runs."""
    watch = Stopwatch(1, runs)
    hashes = []
    with ThreadPoolExecutor(threads) as pool:
        while left := watch.lap():
            hashes += [sha256_of(learned(pool, longest_s)) for _ in range(left)]
    return watch.reply(None, hashes=hashes)
