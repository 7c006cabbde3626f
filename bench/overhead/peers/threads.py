"""No runtime: a plain loop, which is one thread, and threads that meet twice a round."""

from typing import Any

from ...sampling.sampler import TimedSampler
from ...shares import in_threads
from ..course import Course


class Client:
    """Answers with the same number in a message of its own."""

    def answer(self, message: list[int]) -> list[int]:
        """The reaction."""
        return [message[0]]


class Talk:
    """The clients of one thread."""

    def __init__(self, clients: int) -> None:
        self.members = [Client() for _ in range(clients)]
        self.received = 0

    def run(self, rounds: int) -> None:
        """So many rounds."""
        for _ in range(rounds):
            message = [self.received]
            self.received += len([client.answer(message) for client in self.members])


def talk(clients: int, threads: int, rounds: int) -> dict[str, Any]:
    """Messages of one number."""
    course, shares = in_threads(
        threads,
        lambda number: Talk(len(range(number, clients, threads))),
        Talk.run,
        1,
        rounds,
        meets=threads > 1,
        make_watch=lambda _, rounds: Course(rounds),
    )
    return course.reply(sum(share.received for share in shares))


class Envs:
    """The envs of one thread."""

    def __init__(self, env: str, indices: range) -> None:
        self.samplers = [TimedSampler(env, index, 1) for index in indices]

    def run(self, rounds: int) -> None:
        """So many rounds."""
        for _ in range(rounds):
            self.newest = [sampler.sample() for sampler in self.samplers]


def sampling(env: str, envs: int, threads: int, rounds: int) -> dict[str, Any]:
    """One step of each env per round."""
    made: dict[int, Envs] = {}

    def make(number: int) -> Envs:
        made[number] = Envs(env, range(number, envs, threads))
        return made[number]

    def spent() -> int:
        return sum(sampler.spent for share in made.values() for sampler in share.samplers)

    course, _ = in_threads(
        threads,
        make,
        Envs.run,
        1,
        rounds,
        meets=threads > 1,
        make_watch=lambda _, rounds: Course(rounds, spent),
    )
    return course.reply(0)
