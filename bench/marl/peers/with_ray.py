"""Ray: policies in actors of their own, in four forms.

- `tuned`: agents share as many actors as asked for; the joint observation is `put` once as one
  array, each actor reads its rows in place and returns a list of actions; actors reserve no
  processors, nothing is logged to the driver. With an actor for each agent, or one per processor;
- `compiled_graph`: the latter, as Ray's own form of a fixed topology;
- `as_in_the_artifact`: an actor for each agent, and the whole joint observation to each of them, as
  lists by value.
"""

import contextlib
import logging
import os
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

# Read by Ray when it is imported.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_CGRAPH_get_timeout", "60")  # seconds; a busy machine needs some

import numpy as np
import ray
from ray.dag import InputNode, MultiOutputNode

from ...stopwatch import Stopwatch
from ..parts import Policy, Traffic


@ray.remote(num_cpus=0)
class Agents:
    """Some agents in a process."""

    def __init__(self, first: int, end: int, n_features: int) -> None:
        self.first = first
        self.policies = [Policy(agent, n_features) for agent in range(first, end)]

    def act(self, rows: np.ndarray) -> list[int]:
        """An action for each of its agents, of rows for all."""
        own = enumerate(self.policies, self.first)
        return [policy.act(rows[i : i + 1]) for i, policy in own]

    def act_on_lists(self, rows: list[list[float]]) -> int:
        """The action of its only agent."""
        return self.policies[0].act(np.array(rows[self.first], np.float32)[np.newaxis])


def start(agents: int, actors: int, n_features: int) -> list[Any]:
    """Actors that are ready. They and the cluster live as long as this process."""
    if not ray.is_initialized():
        ray.init(
            num_cpus=os.cpu_count(),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    bounds = [agents * number // actors for number in range(actors + 1)]
    members = [Agents.remote(first, end, n_features) for first, end in pairwise(bounds)]
    ray.get([member.__ray_ready__.remote() for member in members])
    return members


started = cache(start)


@cache
def compiled(agents: int, actors: int, n_features: int) -> Any:
    """The graph of one joint action; its channels live as long."""
    members = start(agents, actors, n_features)
    with InputNode() as rows:
        graph = MultiOutputNode([member.act.bind(rows) for member in members])
    return graph.experimental_compile()


def timed(traffic: Traffic, act: Callable[[], list[int]], warm: int, rounds: int) -> dict[str, Any]:
    """Warm up, and time the rest."""
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            traffic.step(act())
    return watch.reply(traffic.digest.hexdigest())


def tuned(file: str, agents: int, actors: int, warm: int, rounds: int) -> dict[str, Any]:
    """One `put`, a call for each actor."""
    traffic = Traffic(file, agents)
    members = started(agents, actors, traffic.n_features)

    def act() -> list[int]:
        rows = ray.put(traffic.rows)
        answers = ray.get([member.act.remote(rows) for member in members])
        return [action for answer in answers for action in answer]

    return timed(traffic, act, warm, rounds)


def compiled_graph(file: str, agents: int, actors: int, warm: int, rounds: int) -> dict[str, Any]:
    """Channels in shared memory, set up once."""
    traffic = Traffic(file, agents)
    graph = compiled(agents, actors, traffic.n_features)

    def act() -> list[int]:
        answers = ray.get(graph.execute(traffic.rows))
        return [action for answer in answers for action in answer]

    return timed(traffic, act, warm, rounds)


def as_in_the_artifact(file: str, agents: int, warm: int, rounds: int) -> dict[str, Any]:
    """Lists of lists, once for each agent."""
    traffic = Traffic(file, agents)
    members = started(agents, agents, traffic.n_features)

    def act() -> list[int]:
        rows = traffic.rows.tolist()
        return ray.get([member.act_on_lists.remote(rows) for member in members])

    return timed(traffic, act, warm, rounds)


def close() -> None:
    """Ends the cluster; compiled graphs first."""
    with contextlib.suppress(Exception):
        compiled.cache_clear()
    ray.shutdown()
