"""Plain threads of the same interpreter: one alone, with a barrier, and never meeting."""

from typing import Any

from ...shares import in_threads
from ..sampler import Hashes, Sampler


class Share:
    """The envs of one thread, and what they gave last."""

    def __init__(self, indices: range, shape: dict[str, Any], hashes: Hashes | None) -> None:
        self.indices = indices
        self.samplers = [Sampler(index=index, **shape) for index in indices]
        self.hashes = hashes

    def run(self, rounds: int) -> None:
        """The next steps of each env, so many times."""
        samplers = self.samplers
        for _ in range(rounds):
            self.newest = [sampler.sample() for sampler in samplers]
            if self.hashes:
                for index, sample in zip(self.indices, self.newest, strict=True):
                    self.hashes.add(index, *sample)


def sampling(
    envs: int, threads: int, warm: int, rounds: int, *, meets: bool, hashed: bool, **shape: Any
) -> dict[str, Any]:
    """All envs in shares, whose threads meet twice a round or never."""
    hashes = Hashes(envs)
    watch, _ = in_threads(
        threads,
        lambda number: Share(range(number, envs, threads), shape, hashes if hashed else None),
        Share.run,
        warm,
        rounds,
        meets=meets,
    )
    return watch.reply(hashes.of_env)


def serial(hashed: bool = False, **shape: Any) -> dict[str, Any]:
    """The floor: one thread steps all envs in turn."""
    return sampling(threads=1, meets=False, hashed=hashed, **shape)


def free_running(hashed: bool = False, **shape: Any) -> dict[str, Any]:
    """The limit: every thread goes through all rounds and nobody gathers anything."""
    return sampling(meets=False, hashed=hashed, **shape)


def barrier(hashed: bool = False, **shape: Any) -> dict[str, Any]:
    """What one would write by hand: the threads meet twice a round."""
    return sampling(meets=True, hashed=hashed, **shape)
