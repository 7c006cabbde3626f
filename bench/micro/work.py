"""The bodies that all sides run."""

import time
from itertools import repeat


def busy(iterations: int) -> int:
    """Computes without allocating: `iterations` turns of a pure Python loop."""
    x = 0
    for _ in repeat(None, iterations):
        x ^= 1
    return x


def iterations_for(ns: int) -> int:
    """How many iterations of `busy` take `ns` on this interpreter, alone on a processor."""
    best = float("inf")
    for _ in range(200):
        begin = time.perf_counter_ns()
        busy(5_000)
        best = min(best, time.perf_counter_ns() - begin)
    return max(1, round(ns * 5_000 / best))
