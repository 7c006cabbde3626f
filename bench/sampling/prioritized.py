"""Prioritized replay: rows are drawn from a million, and get other priorities."""

from functools import cache
from typing import Any

import numpy as np

from reactorrl import rl
from reactorrl.rl._sum_tree import SumTree

from ..harness import Case, Contender, Settings
from ..micro.sides import HERE, Places
from ..results import Finding, Goal
from ..samples import Measured
from ..stopwatch import Stopwatch
from .experience import (
    ALPHA,
    BETA,
    N_FEATURES,
    N_PRIORITIES,
    errors,
    transitions_of,
)

OURS = "reactorrl"
PEERS = {"Tianshou": "with_tianshou", "TorchRL": "with_torchrl"}
ROWS = 256
CAPACITY = 1_000_000
QUESTIONS = {
    "sampler": "what does it cost to draw {rows} indices with their weights and to set their "
    "priorities",
    "transitions": "what does it cost to draw a batch of {rows} transitions of {features} features "
    "and to set their priorities",
}


@cache
def filled_tree(capacity: int) -> SumTree:
    """A tree with the priorities of new transitions: all equal."""
    tree = SumTree(capacity)
    tree.set(np.arange(capacity), np.ones(capacity))
    return tree


def sampler(rows: int, capacity: int, warm: int, rounds: int) -> dict[str, Any]:
    """The sum tree, with the arithmetic of the memory around it."""
    tree, rng, new = filled_tree(capacity), np.random.default_rng(3), errors(rows)
    watch = Stopwatch(warm, rounds)
    n = 0
    while left := watch.lap():
        for k in range(left):
            leaves, values = tree.sample(rng.random(rows))
            weights = (tree.minimum / values) ** BETA
            tree.set(leaves, (new[k % N_PRIORITIES].astype(np.float64) + 1e-6) ** ALPHA)
            n += len(weights)
    return watch.reply(n)


@cache
def filled_memory(capacity: int) -> rl.PrioritizedReplayMemory:
    """As many transitions as there may be, of one env."""
    # Observations of ends take room, too.
    memory = rl.PrioritizedReplayMemory(
        capacity=capacity + capacity // 100, obs_shape=(N_FEATURES,), alpha=ALPHA
    )
    data = {name: array[:, None] for name, array in transitions_of(capacity).items()}
    memory.add(
        rl.Trajectory(
            obs=data["obs"],
            actions=data["act"],
            rewards=data["rew"],
            terminated=data["terminated"],
            truncated=np.zeros_like(data["terminated"]),
            last_obs=data["obs_next"][-1],
            final_obs=data["obs_next"][data["terminated"]],
            episode_returns=np.empty(0),
            episode_lengths=np.empty(0, np.int64),
        )
    )
    return memory


def transitions(rows: int, capacity: int, warm: int, rounds: int) -> dict[str, Any]:
    """The memory as a learner uses it."""
    memory, rng, new = filled_memory(capacity), np.random.default_rng(3), errors(rows)
    watch = Stopwatch(warm, rounds)
    n = 0
    while left := watch.lap():
        for k in range(left):
            batch = memory.sample(rows, rng, BETA)
            memory.update(rl.Priorities(batch.indices, new[k % N_PRIORITIES]))
            n += len(batch)
    return watch.reply(n)


def conclude(measured: Measured) -> list[Finding]:
    """The times, and how many times as fast as the best peer ours is."""
    series = {label: measured.summary(label) for label in measured.samples}
    found = [Finding("one batch", "ns", OURS, series)]
    peers = [label for label in PEERS if label in series]
    if peers and OURS in series:
        best = min(peers, key=lambda label: series[label].median)
        ratio = {OURS: measured.ratio(best, OURS)}
        found.append(Finding("best peer against ours", "x", OURS, ratio, Goal(at_least=1.0)))
    return found


def cases(places: Places, settings: Settings) -> list[Case]:
    """The sampler alone, and with the transitions."""
    capacity = CAPACITY if settings.mode != "smoke" else CAPACITY // 100
    size = {"rows": ROWS, "capacity": capacity}
    return [
        Case(
            f"prioritized-{what}",
            f"From {capacity:,}, {question.format(rows=ROWS, features=N_FEATURES)}?",
            [
                Contender(OURS, places[HERE], f"bench.sampling.prioritized:{what}", size),
                *(
                    Contender(label, places[label], f"bench.sampling.peers.{module}:{what}", size)
                    for label, module in PEERS.items()
                ),
            ],
            conclude,
            seconds=20,
        )
        for what, question in QUESTIONS.items()
    ]
