"""What every side sends, and what it says of the answers. NumPy only: peers import it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..stopwatch import Stopwatch

SINGLES = 200  # rounds that are timed one by one after the others


@lru_cache(maxsize=1)  # of the largest there is only room for one
def payload(size: int) -> np.ndarray:
    """`size` bytes of float64, all of them in memory and no two alike."""
    return np.arange(size // 8, dtype=np.float64)


def watch(warm: int, rounds: int) -> Stopwatch:
    """Times the rounds together, then some of them alone."""
    return Stopwatch(warm, rounds, singles=min(rounds, SINGLES))


def reply(stopwatch: Stopwatch, gathered: int, answers: Sequence[np.ndarray]) -> dict[str, Any]:
    """What a side returns: the last answers must be what was sent."""
    ends = [(float(answer[0]), float(answer[-1]), answer.nbytes) for answer in answers]
    return stopwatch.reply([gathered, ends])
