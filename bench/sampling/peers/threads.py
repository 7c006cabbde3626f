"""Plain threads of the same interpreter: one after the other, with a barrier, and never meeting."""

import threading
from typing import Any

from bench.sampling.sampler import Sampler, digest, fixed_weights
from bench.stopwatch import Stopwatch


def serial(envs: int, steps: int, warm: int, rounds: int) -> dict[str, Any]:
    """The floor: one thread steps all envs in turn."""
    samplers = [Sampler(index, steps) for index in range(envs)]
    checks, weights = [0] * envs, fixed_weights()
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            for index, sampler in enumerate(samplers):
                checks[index] = digest(checks[index], sampler.roll_out(weights))
    return watch.reply(checks)


def free_running(envs: int, steps: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """The limit: every thread steps its envs through all rounds and nobody gathers anything."""
    samplers = [Sampler(index, steps) for index in range(envs)]
    checks, weights = [0] * envs, fixed_weights()
    todo = 0

    def run(share: range) -> None:
        for _ in range(todo):
            for index in share:
                checks[index] = digest(checks[index], samplers[index].roll_out(weights))

    watch = Stopwatch(warm, rounds)
    while todo := watch.lap():
        others = [
            threading.Thread(target=run, args=(range(first, envs, threads),))
            for first in range(1, threads)
        ]
        for thread in others:
            thread.start()
        run(range(0, envs, threads))
        for thread in others:
            thread.join()
    return watch.reply(checks)


def barrier(envs: int, steps: int, threads: int, warm: int, rounds: int) -> dict[str, Any]:
    """Persistent threads that meet twice a round; the calling thread takes the first share."""
    samplers = [Sampler(index, steps) for index in range(envs)]
    checks, weights = [0] * envs, fixed_weights()
    gathered: list[Any] = [None] * envs
    begin, end = threading.Barrier(threads), threading.Barrier(threads)
    is_over = False

    def answer(first: int) -> None:
        for index in range(first, envs, threads):
            gathered[index] = samplers[index].roll_out(weights)
            checks[index] = digest(checks[index], gathered[index])

    def serve(first: int) -> None:
        while True:
            begin.wait()
            if is_over:
                return
            answer(first)
            end.wait()

    others = [threading.Thread(target=serve, args=(first,)) for first in range(1, threads)]
    for thread in others:
        thread.start()
    watch = Stopwatch(warm, rounds)
    while left := watch.lap():
        for _ in range(left):
            begin.wait()
            answer(0)
            end.wait()
    is_over = True
    begin.wait()
    for thread in others:
        thread.join()
    return watch.reply(checks)
