"""Pong: four frames of the emulator a step, and what is done with them.

The limit is ale-py alone on plain threads that never meet: each step four calls of `act`, the last
two screens in grey, and the maximum of them. That is neither resized nor stacked.
"""

from functools import cache
from typing import Any

import numpy as np

from reactorrl.atari import ale

from ..harness import Case, Contender, Settings
from ..place import ONLY_IN_FULL, Place
from ..results import Finding, Goal
from ..samples import Measured
from ..shares import in_threads
from ..stopwatch import Stopwatch
from .sides import ENVPOOL, findings, python_sides
from .stepping import BATCHES

GAME = "Pong"
N_ACTIONS = 6
N_ENVS = 8
EMULATORS = "ale-py alone, 2 threads that never meet"
EMULATOR = "ale-py alone"
ALE_VECTOR = "AtariVectorEnv of ale-py, 2 threads"
RAY = "Ray, 2 actors with 4 games, 64 steps a call"
RAY_STEPS = 64
ONE_ENV = "reactorrl.atari, one env in a loop"


class Emulator:
    """What any preprocessing has to do at least."""

    def __init__(self) -> None:
        self._ale = ale.load(GAME, {})
        self._codes = [action.value for action in self._ale.getMinimalActionSet()]
        self._grey = np.empty((2, *self._ale.getScreenDims()), np.uint8)
        self._brighter = np.empty_like(self._grey[0])
        self.reset()

    def reset(self) -> None:
        """A new game."""
        self._ale.reset_game()

    def step(self, action: int) -> None:
        """Four frames, two screens, one maximum."""
        code, (older, newer) = self._codes[action], self._grey
        for _ in range(3):
            self._ale.act(code)
        self._ale.getScreenGrayscale(older)
        self._ale.act(code)
        self._ale.getScreenGrayscale(newer)
        np.maximum(older, newer, out=self._brighter)
        if self._ale.game_over():
            self.reset()


@cache
def made(n_envs: int) -> list[Emulator]:
    """They live as long as the process."""
    return [Emulator() for _ in range(n_envs)]


def emulators(n_envs: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """Every thread steps its share through all rounds without ever meeting the others."""
    columns = np.random.default_rng(1).integers(0, N_ACTIONS, (n_envs, BATCHES)).tolist()
    for emulator in made(n_envs):
        emulator.reset()

    def make(number: int) -> list[tuple[Emulator, list[int]]]:
        return list(zip(made(n_envs), columns, strict=True))[number::threads]

    def run(share: list[tuple[Emulator, list[int]]], rounds: int) -> None:
        for k in range(rounds):
            for emulator, actions in share:
                emulator.step(actions[k % BATCHES])

    watch, _ = in_threads(threads, make, run, warm, rounds, meets=False)
    return watch.reply("emulators")


@cache
def made_env() -> Any:
    """It lives as long as the process."""
    from reactorrl import atari  # noqa: PLC0415 - as the other sides do

    return atari.make(GAME)


def one_env(warm: int, rounds: int) -> dict[str, Any]:
    """One environment in a plain loop."""
    env = made_env()
    actions = np.random.default_rng(1).integers(0, N_ACTIONS, BATCHES).tolist()
    env.reset(seed=1)
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for k in range(left):
            _, _, terminated, truncated, _ = env.step(actions[k % BATCHES])
            if terminated or truncated:
                env.reset()
    return watch.reply("one env")


def of_one(places: dict[str, Place]) -> Case:
    """The environment's own cost."""
    here = places["here"]

    def conclude(measured: Measured) -> list[Finding]:
        times = {label: measured.summary(label) for label in measured.samples}
        ratio = {ONE_ENV: measured.ratio(ONE_ENV, EMULATOR)}
        return [
            Finding("one env step", "ns", ONE_ENV, times),
            Finding(f"its time against {EMULATOR}", "x", ONE_ENV, ratio, Goal(at_most=1.05)),
        ]

    return Case(
        "atari-1",
        "What does preprocessing cost beside the emulator?",
        [
            Contender(ONE_ENV, here, "bench.sampling.atari:one_env", task="one env"),
            Contender(
                EMULATOR,
                here,
                "bench.sampling.atari:emulators",
                {"n_envs": 1, "threads": 1},
                task="emulators",
            ),
        ],
        conclude,
        seconds=10,
    )


def batched(places: dict[str, Place], is_full: bool) -> Case:
    """Eight games at once, on two processors."""
    here = places["here"]
    shape = {
        "env": "reactorrl.atari:make",
        "arguments": {"game": GAME},
        "n_envs": N_ENVS,
        "n_actions": N_ACTIONS,
    }

    def conclude(measured: Measured) -> list[Finding]:
        return findings(measured, ((EMULATORS, 0.9), (ENVPOOL, 1.15), (RAY, 2.4)))

    return Case(
        f"atari-{N_ENVS}",
        f"What does a step of {N_ENVS} games of {GAME} cost?",
        [
            *python_sides(places, shape),
            Contender(
                EMULATORS,
                here,
                "bench.sampling.atari:emulators",
                {"n_envs": N_ENVS, "threads": 2},
                scale=N_ENVS,
                task="emulators",
            ),
            Contender(
                ENVPOOL,
                places["EnvPool"],
                "bench.sampling.peers.with_envpool:vector_env",
                {"env": f"{GAME}-v5", "n_envs": N_ENVS, "n_actions": N_ACTIONS, "threads": 2},
                scale=N_ENVS,
                task="EnvPool",
            ),
            Contender(
                ALE_VECTOR,
                places["ale-py"],
                "bench.sampling.peers.with_ale:vector_env",
                {"game": GAME.lower(), "n_envs": N_ENVS, "n_actions": N_ACTIONS, "threads": 2},
                scale=N_ENVS,
                task="ale-py",
            ),
            Contender(
                RAY,
                places["Ray, Atari"] if is_full else ONLY_IN_FULL,
                "bench.sampling.peers.with_ray_atari:rollouts",
                {
                    "game": GAME,
                    "n_envs": N_ENVS,
                    "n_actions": N_ACTIONS,
                    "n_actors": 2,
                    "steps": RAY_STEPS,
                },
                scale=N_ENVS * RAY_STEPS,
                task="Ray",
                apart=True,
            ),
        ],
        conclude,
        seconds=60,
    )


def cases(places: dict[str, Place], settings: Settings) -> list[Case]:
    """One game, and eight."""
    return [of_one(places), batched(places, settings.mode == "full")]
