"""What every peer's env step is made of: the junction and the agents' networks. NumPy, PettingZoo.

The env is the library's own file, loaded by its path where reactorrl cannot be imported; the
networks have the weights and do the arithmetic of `reactorrl.rl.MultiAgentInference`.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

SEED = 1
HIDDEN = (64, 64)
N_ACTIONS = 2
ZERO = np.float32(0.0)


@cache
def traffic(file: str) -> Any:
    """The module in this file."""
    spec = importlib.util.spec_from_file_location("bench_traffic", file)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def layers_of(agent: int, n_features: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The matrices and biases of one agent's network."""
    rng = np.random.default_rng((SEED, agent))
    layers = []
    for n_in, n_out in pairwise((n_features, *HIDDEN, N_ACTIONS)):
        bound = n_in**-0.5
        matrix = rng.uniform(-bound, bound, (n_out, n_in)).astype(np.float32)
        layers.append((matrix.T, rng.uniform(-bound, bound, n_out).astype(np.float32)))
    return layers


class Policy:
    """One agent's."""

    def __init__(self, agent: int, n_features: int) -> None:
        self.layers = layers_of(agent, n_features)

    def act(self, obs: np.ndarray) -> int:
        """The action with the largest output for one observation, `(1, n_features)`."""
        matrix, bias = self.layers[0]
        values = obs.dot(matrix)
        values += bias
        for matrix, bias in self.layers[1:]:
            np.maximum(values, ZERO, out=values)
            values = values.dot(matrix)
            values += bias
        return int(values.argmax())


class Policies:
    """Those of all agents, each with a network of its own, in one pass over stacked layers."""

    def __init__(self, n_agents: int, n_features: int) -> None:
        layers = zip(*(layers_of(agent, n_features) for agent in range(n_agents)), strict=True)
        self.layers = [tuple(map(np.stack, zip(*layer, strict=True))) for layer in layers]

    def act(self, rows: np.ndarray) -> list[int]:
        """An action for each row of `(n_agents, n_features)`."""
        values = rows[:, np.newaxis]
        for index, (matrices, biases) in enumerate(self.layers):
            if index:
                np.maximum(values, ZERO, out=values)
            values = values @ matrices + biases[:, np.newaxis]
        return values[:, 0].argmax(axis=1).tolist()


class Traffic:
    """The env, episode after episode, and a hash of all actions.

    Attributes:
        rows: `(n_agents, n_features)`, what the agents see.
    """

    def __init__(self, file: str, n_agents: int) -> None:
        self.env = traffic(file).TrafficJunction("medium", n_cars=n_agents)
        self.agents = self.env.possible_agents
        self.digest = hashlib.sha256()
        self.show(self.env.reset(seed=SEED)[0])
        self.n_features = self.rows.shape[1]

    def show(self, observations: dict[str, np.ndarray]) -> None:
        """One array of what was one dictionary."""
        self.rows = np.concatenate(list(observations.values())).reshape(len(self.agents), -1)

    def step(self, actions: list[int]) -> None:
        """All agents act."""
        self.digest.update(bytes(actions))
        observations, *_ = self.env.step(dict(zip(self.agents, actions, strict=True)))
        if not self.env.agents:
            observations, _ = self.env.reset()
        self.show(observations)
