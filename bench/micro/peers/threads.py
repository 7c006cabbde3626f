"""Plain threads on the same interpreter that never meet: the limit."""

from typing import Any

from ...shares import in_threads
from .plain import Sink


def fan_out_unsynchronised(
    sinks: int, iterations: int, threads: int, warm: int, rounds: int
) -> dict[str, Any]:
    """The limit: every thread runs its share of all rounds without ever meeting the others."""

    def make(number: int) -> list[Sink]:
        return [Sink(iterations) for _ in range(number, sinks, threads)]

    def run(share: list[Sink], rounds: int) -> None:
        for _ in range(rounds):
            for sink in share:
                sink.work()

    watch, shares = in_threads(threads, make, run, warm, rounds, meets=False)
    return watch.reply(sum(sink.done for share in shares for sink in share))
