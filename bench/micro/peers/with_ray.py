"""Ray: actors in processes of their own, objects in shared memory.

Tuned as its documentation advises: one `put` and N references, actors without CPU reservations,
NumPy payloads that are read in place, no logging to the driver. Three forms, the usual one first:

- `returning`: each client returns the array, so 10 MB are copied into the object store N times;
- `references`: the client reads the array in place and returns its reference, nothing is copied;
- `compiled_graph`: Ray's own answer to a fixed topology, channels in shared memory set up once.
"""

import contextlib
import logging
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ...stopwatch import Stopwatch

# Read by Ray when it is imported.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.dag import InputNode, MultiOutputNode


@ray.remote(num_cpus=0)
class Client:
    """Returns what it got."""

    def answer(self, value: np.ndarray) -> np.ndarray:
        """By value: Ray hands over a view of the shared memory and copies what is returned."""
        return value

    def answer_reference(self, box: list[Any]) -> Any:
        """By reference: the value is looked at in place."""
        ray.get(box[0])
        return box[0]


@cache
def started_clients(n: int) -> list[Any]:
    """The cluster and the actors live as long as this process: starting them is not measured."""
    if not ray.is_initialized():
        ray.init(
            num_cpus=os.cpu_count(),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    return [Client.remote() for _ in range(n)]


def run(one_round: Callable[[], list[Any]], warm: int, rounds: int) -> dict[str, Any]:
    """Times rounds of broadcast and gather."""
    watch = Stopwatch(warm, rounds)
    gathered = 0
    while left := watch.lap():
        for _ in range(left):
            gathered += len(one_round())
    return watch.reply(gathered)


def returning(clients: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`put` once; every client returns the array."""
    members = started_clients(clients)
    reference = ray.put(np.zeros(size, np.uint8))
    return run(
        lambda: ray.get([client.answer.remote(reference) for client in members]), warm, rounds
    )


def references(clients: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """`put` once; every client returns the reference."""
    members = started_clients(clients)
    reference = ray.put(np.zeros(size, np.uint8))

    def one_round() -> list[Any]:
        answers = [client.answer_reference.remote([reference]) for client in members]
        return ray.get(ray.get(answers))

    return run(one_round, warm, rounds)


@cache
def compiled(clients: int, size: int) -> Any:
    """The compiled graph of one broadcast and gather, with channels that fit the payload."""
    members = started_clients(clients)
    with InputNode() as value:
        graph = MultiOutputNode([client.answer.bind(value) for client in members])
    return graph.experimental_compile(_buffer_size_bytes=max(1_000_000, 2 * size))


def compiled_graph(clients: int, size: int, warm: int, rounds: int) -> dict[str, Any]:
    """The payload is written once to a channel that all clients read."""
    graph = compiled(clients, size)
    payload = np.zeros(size, np.uint8)
    return run(lambda: ray.get(graph.execute(payload)), warm, rounds)


def close() -> None:
    """Ends the cluster; compiled graphs first."""
    with contextlib.suppress(Exception):
        compiled.cache_clear()
    ray.shutdown()
