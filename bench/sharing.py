"""What it costs that two threads touch one object: `python -m bench.sharing`.

Each line is a loop that touches something, run by one thread alone, then by two at the same time.
Without the GIL a reference count that two threads write to moves between their processors. Where
it is not written to, two threads take as long as one.
"""

import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import repeat

from bench.machine import processor

TOUCHES, REPETITIONS, TRIES = 20_000, 15, 20
SHARED = [0.5]


class Holder:
    """What a reactor is to its attributes."""

    def __init__(self) -> None:
        self.value = [0.5]


def read_attribute(holder: Holder) -> None:
    for _ in repeat(None, TOUCHES):
        holder.value  # noqa: B018


def read_local(holder: Holder) -> None:
    value = holder.value
    for _ in repeat(None, TOUCHES):
        value  # noqa: B018


def read_global(_: object) -> None:
    for _ in repeat(None, TOUCHES):
        SHARED  # noqa: B018


def read_items(items: list[object]) -> None:
    for _ in repeat(None, TOUCHES // len(items)):
        for _ in items:
            pass


def sides() -> Iterator[tuple[str, Callable[..., None], list[object]]]:
    """What is touched, how, and what each of the two threads is given."""
    one = Holder()
    own, shared = ([[float(n) for n in range(1000)] for _ in range(count)] for count in (2, 1))
    yield "an attribute, each its own object", read_attribute, [Holder(), Holder()]
    yield "an attribute of one object", read_attribute, [one, one]
    yield "the same, read once into a local variable", read_local, [one, one]
    yield "a list in a variable of the module", read_global, [None, None]
    yield "the items of a list, each its own", read_items, own
    yield "the items of one list", read_items, shared * 2


def measure(loop: Callable[..., None], given: list[object]) -> float | None:
    """Nanoseconds for each touch when so many threads run the loop at once.

    None if a thread was taken off its processor meanwhile: then they did not run at once.
    """
    ready, times = [False for _ in given], []

    def run(number: int) -> None:
        what = given[number]
        loop(what)  # warms up
        ready[number] = True
        while not all(ready):  # both are awake when they begin
            pass
        begin = time.perf_counter_ns(), time.thread_time_ns()
        loop(what)
        end = time.perf_counter_ns(), time.thread_time_ns()
        times.append((end[0] - begin[0], end[1] - begin[1]))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(given))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if any(wall > 1.1 * computed for wall, computed in times):
        return None
    return max(wall for wall, _ in times) / TOUCHES


def add_repetition(loop: Callable[..., None], given: list[object], seen: list[float]) -> None:
    """Add one undisturbed repetition to those seen, if one of several is."""
    for _ in range(TRIES):
        time_of_one = measure(loop, given)
        if time_of_one is not None:
            seen.append(time_of_one)
            return


def shown(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} ns" if len(times) > REPETITIONS // 2 else "too noisy"


def gil() -> str:
    return "on" if getattr(sys, "_is_gil_enabled", lambda: True)() else "off"


def main() -> None:
    """Print a line for each side, in turns, so that a change of the machine meets all of them."""
    all_sides = list(sides())
    alone: list[list[float]] = [[] for _ in all_sides]
    both: list[list[float]] = [[] for _ in all_sides]
    for _ in range(REPETITIONS):
        for number, (_, loop, given) in enumerate(all_sides):
            add_repetition(loop, given[:1], alone[number])
            add_repetition(loop, given, both[number])
    print(f"{processor()}, CPython {platform.python_version()}, GIL {gil()}")
    print(f"{'touched':<44}{'1 thread':>10}{'2 threads':>12}")
    for (name, *_), one, two in zip(all_sides, alone, both, strict=True):
        print(f"{name:<44}{shown(one):>10}{shown(two):>12}")


if __name__ == "__main__":
    main()
