"""A bank of envs around a server, and the time that the envs themselves take."""

from typing import Any

import reactorrl as rr

from ..sampling.rollouts import Rounds
from ..sampling.sampler import TimedSampler
from .course import Course


def sampling(workers: int, env: str, envs: int, rounds: int) -> dict[str, Any]:
    """One step of each env per round."""
    course = Course(rounds, lambda: sum(rollout.sampler.spent for rollout in main.rollouts))
    main = Rounds(course, envs, lambda index: TimedSampler(env, index, 1))
    rr.run(main, workers=workers, fast=True)
    return course.reply(0)
