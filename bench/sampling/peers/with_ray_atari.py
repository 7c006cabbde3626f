"""Ray: games in actors of their own, several in each, many steps in each call.

An actor steps its games for a whole piece of a trajectory and returns all of it as one array for
each kind of result, which is how its documentation advises to hide the cost of a call. The games
are Gymnasium's wrappers around ale-py, with OpenCV's resize.
"""

from functools import cache
from typing import Any

import numpy as np

from ...stopwatch import Stopwatch
from ..stepping import BATCHES
from .with_ray import ray, start


@ray.remote(num_cpus=1)
class Rollout:
    """Some games of one actor."""

    def __init__(self, game: str, seeds: list[int]) -> None:
        import ale_py  # noqa: PLC0415 - in the actor only
        import cv2  # noqa: PLC0415
        import gymnasium as gym  # noqa: PLC0415

        cv2.setNumThreads(1)
        gym.register_envs(ale_py)
        self.envs = []
        for seed in seeds:
            env = gym.make(f"ALE/{game}-v5", frameskip=1, repeat_action_probability=0.0)
            env = gym.wrappers.AtariPreprocessing(env)
            self.envs.append(gym.wrappers.FrameStackObservation(env, 4))
            self.envs[-1].reset(seed=seed)

    def sample(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Steps by `(steps, games)` actions; observations, rewards and ends of every step."""
        obs = np.empty((*actions.shape, 4, 84, 84), np.uint8)
        rewards, ends = np.empty(actions.shape, np.float32), np.empty(actions.shape, bool)
        for k, row in enumerate(actions):
            for i, env in enumerate(self.envs):
                obs[k, i], rewards[k, i], terminated, truncated, _ = env.step(row[i])
                ends[k, i] = terminated or truncated
                if ends[k, i]:
                    env.reset()
        return obs, rewards, ends


@cache
def actors(game: str, n_envs: int, n_actors: int) -> list[Any]:
    """They live as long as this process."""
    start()
    seeds = np.array_split(np.arange(n_envs), n_actors)
    return [Rollout.remote(game, share.tolist()) for share in seeds]


def rollouts(
    game: str, n_envs: int, n_actions: int, n_actors: int, steps: int, warm: int, rounds: int
) -> dict[str, Any]:
    """A round is `steps` steps of every game; the driver reads each observation's last byte."""
    actions = np.random.default_rng(1).integers(0, n_actions, (BATCHES, n_envs))
    shares = [
        np.ascontiguousarray(share[:steps]) for share in np.array_split(actions, n_actors, axis=1)
    ]
    members = actors(game, n_envs, n_actors)
    seen = 0
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            calls = [
                member.sample.remote(share) for member, share in zip(members, shares, strict=True)
            ]
            for obs, _, _ in ray.get(calls):
                seen += obs[..., -1].shape[0]
    return watch.reply(seen)
