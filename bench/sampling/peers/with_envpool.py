"""EnvPool: envs written in C++, on threads of its own."""

from functools import cache
from typing import Any

import envpool

from ..stepping import stepped


class Seeded:
    """EnvPool takes its seed when it is made."""

    def __init__(self, env: str, n_envs: int, threads: int) -> None:
        self._envs = envpool.make_gymnasium(env, num_envs=n_envs, num_threads=threads, seed=1)
        self.step = self._envs.step

    def reset(self, seed: int) -> Any:
        """A reset without one."""
        return self._envs.reset()


@cache
def made(env: str, n_envs: int, threads: int) -> Seeded:
    """It lives as long as the process."""
    return Seeded(env, n_envs, threads)


def vector_env(
    env: str, n_envs: int, n_actions: int, threads: int, warm: int, rounds: int
) -> dict[str, Any]:
    """Batched steps in lockstep."""
    return stepped(made(env, n_envs, threads), n_envs, n_actions, warm, rounds)
