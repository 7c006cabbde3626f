"""Plain threads of the same interpreter: one alone, with a barrier, and never meeting."""

from typing import Any

from ...shares import in_threads
from ..sampler import Sampler, digest, fixed_weights


class Share:
    """The envs of one thread, and the checks of what they gave."""

    def __init__(self, indices: range, steps: int) -> None:
        self.samplers = {index: Sampler(index, steps) for index in indices}
        self.checks = dict.fromkeys(indices, 0)
        self.weights = fixed_weights()

    def run(self, rounds: int) -> None:
        """A trajectory of each env, so many times."""
        for _ in range(rounds):
            for index, sampler in self.samplers.items():
                self.checks[index] = digest(self.checks[index], sampler.roll_out(self.weights))


def sampling(
    envs: int, steps: int, threads: int, warm: int, rounds: int, *, meets: bool
) -> dict[str, Any]:
    """Trajectories of all envs, their threads meeting twice a round or never."""
    watch, shares = in_threads(
        threads,
        lambda number: Share(range(number, envs, threads), steps),
        Share.run,
        warm,
        rounds,
        meets=meets,
    )
    return watch.reply([shares[index % threads].checks[index] for index in range(envs)])


def serial(envs: int, steps: int, warm: int, rounds: int) -> dict[str, Any]:
    """The floor: one thread steps all envs in turn."""
    return sampling(envs, steps, 1, warm, rounds, meets=False)


def free_running(envs: int, steps: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """The limit: every thread goes through all rounds and nobody gathers anything."""
    return sampling(envs, steps, threads, warm, rounds, meets=False)


def barrier(envs: int, steps: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """What one would write by hand: the threads meet twice a round."""
    return sampling(envs, steps, threads, warm, rounds, meets=True)
