"""Ray: actors in processes of their own, objects in shared memory.

Tuned as its documentation advises: one `put` and N references, actors without CPU reservations,
NumPy payloads that are read in place, no logging to the driver. What an actor returns Ray copies
into shared memory; that is the copy where one is asked for, so that none is made twice. Forms:

- `by_value`: the array is an argument of each of N calls, and copied by NumPy before it is
  returned where copies are asked for: the program of the artifact, which nobody would tune;
- `put_once`: one `put` a round, N references, each actor returns the array;
- `references`: the actor reads the array in place and returns its reference, nothing is copied;
- `compiled_graph`: Ray's own answer to a fixed topology, channels in shared memory set up once.
"""

import logging
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

# Read by Ray when it is imported.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.dag import InputNode, MultiOutputNode

from ..payload import payload, reply, watch

STORE_SHARE = 0.4  # of the memory that is free at the start


@ray.remote(num_cpus=0)
class Client:
    """Returns what it got."""

    def answer(self, value: np.ndarray) -> np.ndarray:
        """By value: Ray hands over a view of the shared memory and copies what is returned."""
        return value

    def answer_copy(self, value: np.ndarray) -> np.ndarray:
        """A copy, which Ray copies again."""
        return value.copy()

    def answer_reference(self, box: list[Any]) -> Any:
        """By reference: the value is looked at in place."""
        ray.get(box[0])
        return box[0]


@cache
def started() -> None:
    """The cluster lives as long as this process: starting it is not measured."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    ray.init(
        num_cpus=os.cpu_count(),
        object_store_memory=int(free * STORE_SHARE),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


@cache
def members(n: int) -> list[Any]:
    """The actors, too, live as long as this process."""
    started()
    return [Client.remote() for _ in range(n)]


def run(one_round: Callable[[], list[Any]], warm: int, rounds: int) -> dict[str, Any]:
    """Times rounds of broadcast and gather."""
    stopwatch, gathered = watch(warm, rounds), 0
    answers: list[np.ndarray] = []
    while left := stopwatch.lap():
        for _ in range(left):
            answers.clear()  # what is read in place keeps its memory
            answers += one_round()
            gathered += len(answers)
    said = reply(stopwatch, gathered, answers)
    answers.clear()
    return said


def by_value(clients: int, size: int, copies: bool, warm: int, rounds: int) -> dict[str, Any]:
    """N times the array, as in the artifact."""
    value = payload(size)
    name = "answer_copy" if copies else "answer"
    calls = [getattr(member, name).remote for member in members(clients)]
    return run(lambda: ray.get([call(value) for call in calls]), warm, rounds)


def put_once(clients: int, size: int, copies: bool, warm: int, rounds: int) -> dict[str, Any]:
    """One `put` a round; every client returns the array, which Ray copies, or copies it first."""
    value = payload(size)
    name = "answer_copy" if copies else "answer"
    calls = [getattr(member, name).remote for member in members(clients)]

    def one_round() -> list[Any]:
        reference = ray.put(value)
        return ray.get([call(reference) for call in calls])

    return run(one_round, warm, rounds)


def references(clients: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`put` before the clock runs; every client returns the reference."""
    there = members(clients)
    reference = ray.put(payload(size))

    def one_round() -> list[Any]:
        return ray.get(ray.get([client.answer_reference.remote([reference]) for client in there]))

    return run(one_round, warm, rounds)


@cache
def compiled(clients: int, size: int) -> Any:
    """The compiled graph of one broadcast and gather, with channels that fit the payload."""
    started()
    there = [Client.remote() for _ in range(clients)]
    with InputNode() as value:
        graph = MultiOutputNode([client.answer.bind(value) for client in there])
    return graph.experimental_compile(_buffer_size_bytes=size + size // 8 + 1_000_000)


def compiled_graph(clients: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """The payload is written once to a channel that all clients read."""
    graph, value = compiled(clients, size), payload(size)
    return run(lambda: ray.get(graph.execute(value)), warm, rounds)
