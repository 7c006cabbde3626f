"""ale-py's own vector env, written in C++, on threads of its own; its wheels have it, 3.14t not."""

from functools import cache
from typing import Any

from ale_py import vector_env as ale_vector

from ..stepping import stepped


@cache
def made(game: str, n_envs: int, threads: int) -> Any:
    """It lives as long as the process."""
    return ale_vector.AtariVectorEnv(game, num_envs=n_envs, num_threads=threads)


def vector_env(
    game: str, n_envs: int, n_actions: int, threads: int, warm: int, rounds: int
) -> dict[str, Any]:
    """Batched steps in lockstep."""
    return stepped(made(game, n_envs, threads), n_envs, n_actions, warm, rounds)
