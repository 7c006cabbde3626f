"""Who takes part: the vector envs of this interpreter, and how their figures are laid out.

Each function makes its vector env at the first repetition and keeps it, since making the processes
of `AsyncVectorEnv` takes seconds.
"""

import importlib
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import gymnasium as gym
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

from .. import peers
from ..harness import Contender
from ..place import Place
from ..results import Finding, Goal
from ..samples import Measured
from .stepping import stepped

HERE = "here"
PROCESSES = "here, with processes of its own"
OURS = "reactorrl, 2 workers"
OURS_1 = "reactorrl, 1 worker"
SYNC = "SyncVectorEnv"
ASYNC = "AsyncVectorEnv"
ENVPOOL = "EnvPool, 2 threads"
SLOW_STARTERS = (PROCESSES, "Ray", "Ray, Atari", "Tianshou", "TorchRL")


def all_places(with_slow_starters: bool) -> dict[str, Place]:
    """This interpreter and the peers' own."""
    found = {
        HERE: Place(HERE, sys.executable),
        PROCESSES: Place(PROCESSES, sys.executable),
        **peers.places(),
    }
    if not with_slow_starters:
        missing = "left out of a smoke run: it takes seconds to start"
        found |= {name: Place(name, missing=missing) for name in SLOW_STARTERS}
    return found


class Maker:
    """Makes one env: an id of Gymnasium, or `module:class` with arguments. Can be pickled."""

    def __init__(self, env: str, arguments: dict[str, Any]) -> None:
        self.env = env
        self.arguments = arguments

    def __call__(self) -> gym.Env:
        if ":" not in self.env:
            return gym.make(self.env, **self.arguments)
        module, _, name = self.env.partition(":")
        return getattr(importlib.import_module(module), name)(**self.arguments)


@cache
def made(kind: str, env: str, n_envs: int, workers: int, arguments: tuple[Any, ...]) -> Any:
    """The vector env of a kind; it lives as long as the process."""
    fns = [Maker(env, dict(arguments))] * n_envs
    if kind == "sync":
        return SyncVectorEnv(fns)
    if kind == "async":
        return AsyncVectorEnv(fns)
    from reactorrl.vector import ReactorVectorEnv  # noqa: PLC0415 - the others do without

    return ReactorVectorEnv(fns, workers=workers)


def vector_env(
    kind: str,
    env: str,
    n_envs: int,
    n_actions: int,
    warm: int,
    rounds: int,
    workers: int = 1,
    arguments: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Batched steps of one of them."""
    envs = made(kind, env, n_envs, workers, tuple(sorted((arguments or {}).items())))
    return stepped(envs, n_envs, n_actions, warm, rounds)


def python_sides(places: dict[str, Place], shape: dict[str, Any]) -> list[Contender]:
    """Ours on one and two workers, Sync and Async: they must see the same."""
    call, scale = "bench.sampling.sides:vector_env", shape["n_envs"]
    return [
        Contender(label, places[place], call, {**shape, "kind": kind, **more}, scale=scale)
        for label, place, kind, more in (
            (OURS, HERE, "ours", {"workers": 2}),
            (OURS_1, HERE, "ours", {"workers": 1}),
            (SYNC, HERE, "sync", {}),
            (ASYNC, PROCESSES, "async", {}),
        )
    ]


def findings(measured: Measured, goals: Sequence[tuple[str, float]]) -> list[Finding]:
    """What a step costs on each side, and how many times ours each of `goals` takes."""
    series = {label: measured.summary(label) for label in measured.samples}
    found = [Finding("one env step", "ns", OURS, series)]
    for label, least in goals:
        if {label, OURS} <= measured.samples.keys():
            ratio = {OURS: measured.ratio(label, OURS)}
            found.append(Finding(f"{label} against {OURS}", "x", OURS, ratio, Goal(at_least=least)))
    return found
