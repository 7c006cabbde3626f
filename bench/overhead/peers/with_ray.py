"""Ray: one actor for each client, or envs in actors as in bench/sampling/peers/with_ray.py.

What it needs of memory is seen in the driver alone; its other processes are not counted.
"""

from functools import cache
from typing import Any

from ...sampling.peers.with_ray import ray, shared_out, start, started
from ..course import Course


@ray.remote(num_cpus=0)
class Client:
    """Answers with the same number in a message of its own."""

    def answer(self, message: list[int]) -> list[int]:
        """One message in, one out."""
        return [message[0]]


@cache
def made(clients: int) -> list[Any]:
    """They live as long as this process."""
    start()
    return [Client.remote() for _ in range(clients)]


def talk(clients: int, rounds: int) -> dict[str, Any]:
    """Messages of one number."""
    members = made(clients)
    received, course = 0, Course(rounds)
    while left := course.lap():
        for _ in range(left):
            message = [received]
            received += len(ray.get([client.answer.remote(message) for client in members]))
    return course.reply(received)


def sampling(env: str, envs: int, actors: int, clock: str, rounds: int) -> dict[str, Any]:
    """One step of each env per round."""
    members, shares = started(actors), shared_out(envs, actors)
    ray.get(
        [m.begin_timed.remote(env, share, clock) for m, share in zip(members, shares, strict=True)]
    )
    number = 0
    course = Course(rounds, lambda: sum(ray.get([member.spent.remote() for member in members])))
    while left := course.lap():
        for _ in range(left):
            number += 1
            ray.get([member.sample.remote(number) for member in members])
    return course.reply(0)
