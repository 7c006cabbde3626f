"""Plain threads of the same interpreter: one alone, with a barrier, and never meeting.

Each thread makes the envs that it steps: on free-threaded CPython objects are cheap for the thread
that made them.
"""

import threading
from typing import Any

from bench.sampling.sampler import Sampler, digest, fixed_weights
from bench.stopwatch import Stopwatch


class Share:
    """The envs of one thread, and the checks of what they gave."""

    def __init__(self, indices: range, steps: int) -> None:
        self.samplers = {index: Sampler(index, steps) for index in indices}
        self.checks = dict.fromkeys(indices, 0)
        self.weights = fixed_weights()

    def round(self) -> None:
        """A trajectory of each env."""
        for index, sampler in self.samplers.items():
            self.checks[index] = digest(self.checks[index], sampler.roll_out(self.weights))


def in_threads(
    envs: int, steps: int, threads: int, warm: int, rounds: int, *, meets: bool
) -> dict[str, Any]:
    """Persistent threads with a share of the envs each; the calling one is the first.

    They meet before and after each round, or, where `meets` is false, only before and after all
    the rounds that are timed.
    """
    barrier = threading.Barrier(threads)
    shares: list[Share] = []
    todo = 1

    def rounds_of(share: Share) -> None:
        for _ in range(1 if meets else todo):
            share.round()

    def serve(first: int) -> None:
        share = Share(range(first, envs, threads), steps)
        shares.append(share)
        barrier.wait()
        while True:
            barrier.wait()
            if not todo:
                return
            rounds_of(share)
            barrier.wait()

    def one_turn(share: Share) -> None:
        barrier.wait()
        rounds_of(share)
        barrier.wait()

    others = [threading.Thread(target=serve, args=(first,)) for first in range(1, threads)]
    for thread in others:
        thread.start()
    mine = Share(range(0, envs, threads), steps)
    shares.append(mine)
    barrier.wait()
    watch = Stopwatch(warm, rounds)
    while todo := watch.lap():
        for _ in range(todo if meets else 1):
            one_turn(mine)
    barrier.wait()
    for thread in others:
        thread.join()
    checks = {index: check for share in shares for index, check in share.checks.items()}
    return watch.reply([checks[index] for index in range(envs)])


def serial(envs: int, steps: int, warm: int, rounds: int) -> dict[str, Any]:
    """The floor: one thread steps all envs in turn."""
    return in_threads(envs, steps, 1, warm, rounds, meets=False)


def free_running(envs: int, steps: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """The limit: every thread goes through all rounds and nobody gathers anything."""
    return in_threads(envs, steps, threads, warm, rounds, meets=False)


def barrier(envs: int, steps: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """What one would write by hand: the threads meet twice a round."""
    return in_threads(envs, steps, threads, warm, rounds, meets=True)
