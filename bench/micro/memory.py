"""Memory over a long run: the resident set must not grow with the number of tags."""

import os
import statistics
from typing import Any

import reactorrl as rr

from ..broadcast_gather.program import Client
from ..harness import Case, Contender, Settings
from ..results import Finding, Goal
from ..samples import Measured, Reply
from ..stopwatch import Stopwatch
from .sides import HERE, OURS_1, OURS_2, Places

TAGS = {"full": 1_000_000, "quick": 200_000, "smoke": 4_000}
POINTS = 100
CLIENTS = 6


class Gauge:
    """Readings of the resident set of this process; taking one allocates next to nothing."""

    def __init__(self) -> None:
        self.statm = os.open("/proc/self/statm", os.O_RDONLY)
        self.readings: list[bytes] = []

    def read(self) -> None:
        """One more."""
        self.readings.append(os.pread(self.statm, 64, 0))

    def close(self) -> list[int]:
        """Bytes in memory at each reading, without pages of files, which come in over time."""
        os.close(self.statm)
        size = os.sysconf("SC_PAGE_SIZE")
        fields = [reading.split() for reading in self.readings]
        return [(int(resident) - int(shared)) * size for _, resident, shared, *_ in fields]


class Renewing(rr.Reactor):
    """Broadcasts a new object in every round, and looks at the memory now and then."""

    values = rr.Input[list[int]](width=CLIENTS)
    out = rr.Output[list[int]]()

    def __init__(self, watch: Stopwatch, every: int) -> None:
        self.watch = watch
        self.left = watch.lap()
        self.every = every
        self.rounds = 0
        self.gauge = Gauge()

    @rr.reaction(rr.startup, effects=out)
    def start(self) -> None:
        self.out.set([0])

    @rr.reaction(values, effects=out)
    def gather(self) -> None:
        self.rounds += len([port.value for port in self.values]) // CLIENTS
        if self.rounds % self.every == 0:
            self.gauge.read()
        self.left -= 1
        if not self.left:
            self.left = self.watch.lap()
            if not self.left:
                return
        self.out.set([self.rounds])


class Renewal(rr.Reactor):
    """A server with fresh payloads and a bank of clients."""

    def __init__(self, watch: Stopwatch, every: int) -> None:
        self.server = Renewing(watch, every)
        self.clients = rr.Bank(CLIENTS, Client)
        self.connect(self.server.out, self.clients.inp, broadcast=True, after=0)
        self.connect(self.clients.out, self.server.values)


def long_run(workers: int, tags: int) -> dict[str, Any]:
    """One tag a round; the slope is fitted to the last four fifths of the run."""
    watch = Stopwatch(1, tags - 1)
    every = max(1, tags // POINTS)
    main = Renewal(watch, every)
    rr.run(main, workers=workers, fast=True)
    readings = main.server.gauge.close()
    seen = readings[len(readings) // 5 :]
    slope, _ = statistics.linear_regression([i * every for i in range(len(seen))], seen)
    return watch.reply(
        main.server.rounds,
        bytes_per_tag=slope,
        growth_bytes=seen[-1] - seen[0],
    )


def bytes_per_tag(reply: Reply) -> float:
    """The slope of the resident set."""
    return reply["bytes_per_tag"]


def cases(places: Places, settings: Settings) -> list[Case]:
    """With one worker and with two, with the garbage collector as users have it."""
    tags = TAGS[settings.mode]

    def conclude(measured: Measured) -> list[Finding]:
        return [
            Finding(
                f"growth per tag over {tags} tags, {label}",
                "B",
                label,
                {label: measured.summary(label, bytes_per_tag)},
                Goal(at_most=0.1),
            )
            for label in (OURS_1, OURS_2)
            if label in measured.samples
        ]

    return [
        Case(
            "memory",
            "Does memory grow with the number of tags?",
            [
                Contender(
                    label,
                    places[HERE],
                    "bench.micro.memory:long_run",
                    {"workers": workers, "tags": tags},
                    rounds=tags,
                    gc=True,
                )
                for label, workers in ((OURS_1, 1), (OURS_2, 2))
            ],
            conclude,
            seconds=40,
            disturbed_anyway=True,
        )
    ]
