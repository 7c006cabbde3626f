"""EnvPool: envs written in C++, on threads of its own. Its initial states are its own, too."""

from functools import cache
from typing import Any

import envpool

from ..envs import is_game
from ..stepping import stepped
from .with_vector import batched

RAW_FRAMES = {"img_height": 210, "img_width": 160, "gray_scale": False, "stack_num": 1}
RAW_GAME = {**RAW_FRAMES, "noop_max": 1, "use_fire_reset": False}


class Seeded:
    """EnvPool takes its seed when it is made."""

    def __init__(self, env: str, n_envs: int, threads: int, options: dict[str, Any]) -> None:
        self._envs = envpool.make_gymnasium(
            env, num_envs=n_envs, num_threads=threads, seed=1, **options
        )
        self.step = self._envs.step
        self.action_space = self._envs.action_space

    def reset(self, seed: int) -> Any:
        """A reset without one."""
        return self._envs.reset()


@cache
def made(env: str, n_envs: int, threads: int, is_raw: bool = False) -> Seeded:
    """It lives as long as the process."""
    return Seeded(env, n_envs, threads, RAW_GAME if is_raw else {})


def vector_env(
    env: str, n_envs: int, n_actions: int, threads: int, warm: int, rounds: int
) -> dict[str, Any]:
    """Batched steps in lockstep."""
    return stepped(made(env, n_envs, threads), n_envs, n_actions, warm, rounds)


def sampling(
    env: str, envs: int, steps: int, threads: int, warm: int, rounds: int
) -> dict[str, Any]:
    """The same as rounds of several steps, of any env; the frames of games are not made smaller."""
    vector = made(env.removeprefix("ALE/"), envs, threads, is_game(env))
    vector.reset(seed=1)
    return batched(vector.step, vector.action_space, envs, steps, warm, rounds)
