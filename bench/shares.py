"""Work shared out among plain threads: what one writes by hand, and, unsynchronised, the limit."""

import threading
from collections.abc import Callable
from typing import TypeVar

from .stopwatch import Stopwatch

S = TypeVar("S")
W = TypeVar("W", bound=Stopwatch)


def in_threads(
    threads: int,
    make: Callable[[int], S],
    run: Callable[[S, int], None],
    warm: int,
    rounds: int,
    *,
    meets: bool,
    after: Callable[[], object] | None = None,
    make_watch: Callable[[int, int], W] = Stopwatch,
) -> tuple[W, list[S]]:
    """Run rounds in persistent threads; the calling one is the first of them.

    Each thread makes the share that it works on, because on free-threaded CPython objects are cheap
    for the thread that made them.

    Args:
        threads: How many.
        make: Makes the share of the thread with this number.
        run: Does so many rounds of a share.
        warm: Rounds before the clock runs.
        rounds: Rounds that are timed.
        meets: Whether the threads meet twice a round; else only around all rounds.
        after: What the calling thread does whenever they have met.
        make_watch: Makes what times the rounds, of `warm` and `rounds`.

    Returns:
        The watch, and the shares in order.
    """
    barrier = threading.Barrier(threads)
    shares: dict[int, S] = {}
    todo = 1

    def serve(number: int) -> None:
        share = shares[number] = make(number)
        barrier.wait()
        while True:
            barrier.wait()
            if not todo:
                return
            run(share, 1 if meets else todo)
            barrier.wait()

    others = [threading.Thread(target=serve, args=(number,)) for number in range(1, threads)]
    for thread in others:
        thread.start()
    mine = shares[0] = make(0)
    barrier.wait()
    watch = make_watch(warm, rounds)
    while todo := watch.lap():
        for _ in range(todo if meets else 1):
            barrier.wait()
            run(mine, 1 if meets else todo)
            barrier.wait()
            if after:
                after()
    barrier.wait()
    for thread in others:
        thread.join()
    return watch, [shares[number] for number in range(threads)]
