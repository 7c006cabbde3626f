"""A bank of 15 envs around one server, as in the paper: env steps a second, by steps per event.

All sides take the same random actions and must see the same trajectories.
"""

import sys
from collections.abc import Collection, Sequence
from typing import Any

from ..figures import Figure
from ..harness import Case, Contender, Settings
from ..place import ONLY_IN_FULL, Place
from ..results import Controls, Finding, Published
from ..samples import Measured
from .envs import is_game
from .sides import ASYNC, ENVPOOL, FREE, HERE, OURS, OURS_1, PROCESSES, SYNC, ratios

ENVS = 15
FEWER_ENVS = 6  # of the case that stands for training: long trajectories, as many rollouts as usual
GYM = ("CartPole-v1", "Blackjack-v1", "Pendulum-v1")
GAMES = ("Pong", "MsPacman", "SpaceInvaders")
GYM_STEPS = (1, 8, 64, 200)
GAME_STEPS = (1, 8)
FEW = ("gym-cartpole-1", "gym-blackjack-1", "gym-pendulum-1", "raw-pong-1")  # unless it is full
COMPARED, COMPARED_OF_GAMES = 60, 12  # steps of each env, at least
NO_GAMES = Place("", missing="its environment has no ale-py")

PEER = "bench.sampling.peers"
GIL = "the same program with the GIL on, 2 workers"
PICKLED = "the same program, messages pickled, 2 workers"
SERIAL, BARRIER = "serial loop", "2 threads with a barrier"
RAY, GRAPH = "Ray, 2 actors", "Ray Compiled Graph, 2 actors"
ARTIFACT = "Ray as in the artifact, an actor for each env"
SLOW = (ASYNC, RAY, GRAPH, ARTIFACT)  # processes of their own
WHAT = "env steps"

FIGURES = (
    *(
        Figure(
            f"gym-{env.partition('-')[0].lower()}",
            f"{env}, {ENVS} envs",
            WHAT,
            "env steps per second",
            x="steps",
            x_label="steps of each env per event",
            where={"env": env},
            log_x=True,
            log_y=True,
        )
        for env in GYM
    ),
    Figure(
        "atari-raw",
        f"Atari, raw frames, {ENVS} games, one step per event",
        WHAT,
        "env steps per second",
        where={"frames": "raw", "steps": 1},
    ),
)

SOURCE = "arXiv 2312.04704, 32 processors"
PUBLISHED = (
    *(
        Published(
            f"gym-{env.partition('-')[0].lower()}-1",
            WHAT,
            "/s",
            {"Ray": 10_000 * ENVS / ray, "reactors": 10_000 * ENVS / reactors},
            f"{SOURCE}, 10 000 rounds",
        )
        for env, ray, reactors in zip(GYM, (45.8, 27.2, 46.5), (39.3, 20.1, 41.1), strict=True)
    ),
    *(
        Published(
            f"raw-{game.lower()}-1",
            WHAT,
            "/s",
            {"Ray": 1000 * ENVS / 200, "reactors": 1000 * ENVS / 17},
            f"{SOURCE}, 1000 rounds (Ray: 198 to 201 s), games reset at every step",
        )
        for game in GAMES
    ),
)
CONTROLS = Controls(
    one=OURS_1,
    two=OURS,
    gil=GIL,
    loop=SERIAL,
    threads=BARRIER,
    artifact=ARTIFACT,
    ray=(RAY, GRAPH, ARTIFACT),
    copying=PICKLED,
)


def contenders(
    places: dict[str, Place], env: str, envs: int, steps: int, left_out: Collection[str]
) -> list[Contender]:
    """All sides of a case; those with processes of their own are measured apart."""
    shape: dict[str, Any] = {"env": env, "envs": envs, "steps": steps}
    scale = float(envs * steps)
    gil = Place("here, with the GIL on", sys.executable, environment={"PYTHON_GIL": "1"})
    ours = "bench.sampling.rollouts:sampling"
    threads, vector, ray = (f"{PEER}.{name}" for name in ("threads", "with_vector", "with_ray"))
    ray_place = places["Ray, Atari" if is_game(env) else "Ray"]
    xronos = NO_GAMES if is_game(env) else places["xronos, Gym"]
    sides: tuple[tuple[str, Place, str, dict[str, Any]], ...] = (
        (OURS, places[HERE], ours, {"workers": 2}),
        (OURS_1, places[HERE], ours, {"workers": 1}),
        (SERIAL, places[HERE], f"{threads}:serial", {}),
        (BARRIER, places[HERE], f"{threads}:barrier", {"threads": 2}),
        (FREE, places[HERE], f"{threads}:free_running", {"threads": 2}),
        (SYNC, places[HERE], f"{vector}:sampling", {"kind": "sync"}),
        (GIL, gil, ours, {"workers": 2}),
        (PICKLED, places[HERE], ours, {"workers": 2, "pickled": True}),
        ("xronos", xronos, f"{PEER}.with_xronos:sampling", {}),
        (ASYNC, places[PROCESSES], f"{vector}:sampling", {"kind": "async"}),
        (RAY, ray_place, f"{ray}:sampling", {"actors": 2}),
        (GRAPH, ray_place, f"{ray}:sampling", {"actors": 2, "graph": True}),
        (ARTIFACT, ray_place, f"{ray}:sampling", {"actors": envs}),
    )
    compared = COMPARED_OF_GAMES if is_game(env) else COMPARED
    verify = {"warm": 1, "rounds": max(1, compared // steps), "hashed": True}
    return [
        *(
            Contender(
                label,
                ONLY_IN_FULL if label in left_out else place,
                call,
                {**shape, **more},
                scale,
                apart=label in SLOW,
                alone=label == GRAPH,
                verify=verify,
            )
            for label, place, call, more in sides
        ),
        Contender(
            ENVPOOL,
            places["EnvPool"],
            f"{PEER}.with_envpool:sampling",
            {**shape, "threads": 2},
            scale,
            task="EnvPool",
        ),
    ]


def goals(env: str, envs: int, steps: int) -> Sequence[tuple[str, float | None]]:
    """How many times the others' time is to be of ours."""
    if is_game(env):
        return ((SERIAL, None), (FREE, None), (RAY, None))
    if steps == 1:
        return ((SERIAL, 1.0), (FREE, None), (ARTIFACT, 50.0), (RAY, 50.0))
    is_long = steps == 200
    return (
        (SERIAL, None),
        (FREE, 0.95 if is_long else None),
        (RAY, 3.0 if envs == FEWER_ENVS else None),
    )


def bank(
    name: str, env: str, envs: int, steps: int, at: dict[str, Any], sides: list[Contender]
) -> Case:
    """One env at so many steps of each per event."""

    def conclude(measured: Measured) -> list[Finding]:
        series = {label: measured.rate(label) for label in measured.samples}
        return [
            Finding(WHAT, "/s", OURS, series),
            *ratios(measured, goals(env, envs, steps)),
            *ratios(measured, ((RAY, None),), FREE),
        ]

    return Case(
        name,
        f"How many steps a second do {envs} envs of {env} take, {steps} per event?",
        sides,
        conclude,
        seconds=60,
        at={**at, "steps": steps},
    )


def cases(places: dict[str, Place], settings: Settings) -> list[Case]:
    """The envs of Gymnasium, and games with raw frames; few of them unless it is a full run."""
    is_full = settings.mode == "full"
    left_out = {} if is_full else dict.fromkeys(FEW, SLOW) | {FEW[0]: (GRAPH, ARTIFACT)}
    banks: list[tuple[str, str, int, int, dict[str, Any]]] = [
        (f"gym-{env.partition('-')[0].lower()}-{steps}", env, ENVS, steps, {"env": env})
        for env in GYM
        for steps in GYM_STEPS
    ]
    banks.append(("rollouts-200", GYM[0], FEWER_ENVS, 200, {}))
    banks += [
        (
            f"raw-{game.lower()}-{steps}",
            f"ALE/{game}-v5",
            ENVS,
            steps,
            {"env": game, "frames": "raw"},
        )
        for game in GAMES
        for steps in GAME_STEPS
    ]
    return [
        bank(
            name, env, envs, steps, at, contenders(places, env, envs, steps, left_out.get(name, ()))
        )
        for name, env, envs, steps, at in banks
        if is_full or name in FEW
    ]
