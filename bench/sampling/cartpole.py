"""CartPole: an env so cheap that the vector env itself is what is measured."""

from functools import cache
from typing import Any

import gymnasium as gym

from ..harness import Case, Contender, Settings
from ..place import Place
from ..samples import Measured
from .sides import ASYNC, ENVPOOL, HERE, SYNC, findings, python_sides
from .stepping import stepped

N_ENVS = 8
NUMPY = "CartPoleVectorEnv (NumPy), for information"


@cache
def numpy_envs(n_envs: int) -> Any:
    """Gymnasium's own CartPole that computes all envs with one NumPy expression."""
    return gym.make_vec("CartPole-v1", n_envs)


def in_numpy(n_envs: int, n_actions: int, warm: int, rounds: int) -> dict[str, Any]:
    """Its batched steps. It draws other initial states than the rest."""
    return stepped(numpy_envs(n_envs), n_envs, n_actions, warm, rounds)


def cases(places: dict[str, Place], _settings: Settings) -> list[Case]:
    """One question."""
    shape = {"n_envs": N_ENVS, "n_actions": 2}

    def conclude(measured: Measured) -> list[Any]:
        return findings(measured, ((SYNC, 1.5), (ASYNC, 10.0), (ENVPOOL, 1.2)))

    return [
        Case(
            f"cartpole-{N_ENVS}",
            f"What does a step of {N_ENVS} batched CartPoles cost?",
            [
                *python_sides(places, {**shape, "env": "CartPole-v1"}),
                Contender(
                    ENVPOOL,
                    places["EnvPool"],
                    "bench.sampling.peers.with_envpool:vector_env",
                    {**shape, "env": "CartPole-v1", "threads": 2},
                    scale=N_ENVS,
                    task="EnvPool",
                ),
                Contender(
                    NUMPY,
                    places[HERE],
                    "bench.sampling.cartpole:in_numpy",
                    shape,
                    scale=N_ENVS,
                    task="NumPy",
                ),
            ],
            conclude,
            seconds=30,
        )
    ]
