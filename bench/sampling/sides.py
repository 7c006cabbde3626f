"""Who takes part: the vector envs of this interpreter, and how their figures are laid out.

Each function makes its vector env at the first repetition and keeps it, since making the processes
of `AsyncVectorEnv` takes seconds.
"""

import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv

from .. import peers
from ..harness import Contender
from ..place import Place
from ..results import Finding, Goal
from ..samples import Measured
from .envs import Maker
from .stepping import stepped

HERE = "here"
PROCESSES = "here, with processes of its own"
OURS = "reactorrl, 2 workers"
OURS_1 = "reactorrl, 1 worker"
SYNC = "SyncVectorEnv"
ASYNC = "AsyncVectorEnv"
ENVPOOL = "EnvPool, 2 threads"
FREE = "2 threads that never meet"
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


@cache
def made(kind: str, env: str, n_envs: int, workers: int, arguments: tuple[Any, ...]) -> Any:
    """The vector env of a kind; it lives as long as the process."""
    fns = [Maker(env, dict(arguments))] * n_envs
    if kind == "sync":
        return SyncVectorEnv(fns)
    if kind == "async":
        return AsyncVectorEnv(fns, context="fork")  # of a process with one thread
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


def findings(measured: Measured, goals: Sequence[tuple[str, float | None]]) -> list[Finding]:
    """What a step costs on each side, and how many times ours each of `goals` takes."""
    series = {label: measured.summary(label) for label in measured.samples}
    return [Finding("one env step", "ns", OURS, series), *ratios(measured, goals)]


def ratios(
    measured: Measured, goals: Sequence[tuple[str, float | None]], ours: str = OURS
) -> list[Finding]:
    """How many times our time each of some sides takes, and how many it should at least."""
    found = []
    for label, least in goals:
        if {label, ours} <= measured.samples.keys():
            ratio = {ours: measured.ratio(label, ours)}
            goal = None if least is None else Goal(at_least=least)
            found.append(Finding(f"{label} against {ours}", "x", ours, ratio, goal))
    return found
