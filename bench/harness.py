"""Measures cases: contenders take turns, A B C A B C, each in a process of its own.

A *contender* is a function in a *place* (bench/place.py) that does a given number of rounds and
times them. A *sample* is one timed repetition of it. A repetition during which the kernel took a
processor away from the process, or the hypervisor from the machine, is *disturbed*: it is kept,
marked and repeated.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from .machine import Probe, cpu_seconds
from .place import Place, Server, ServerError
from .samples import Measured, Reply, is_clean

VERIFY_ROUNDS = 6
LEAST_REPETITIONS = 3  # of a case that is out of time


class UnequalWorkError(RuntimeError):
    """Two contenders did not do the same work."""


@dataclass(frozen=True)
class Settings:
    """How long and how often to measure."""

    mode: str
    repetitions: int
    sample_s: float
    tries: int  # at most so many times `repetitions`, to replace disturbed ones
    patience_s: float  # a case that took this long replaces no more
    limit_s: float = 120.0
    experiment_s: float = math.inf  # shared out among its cases, which then repeat less


FULL = Settings("full", repetitions=15, sample_s=0.04, tries=3, patience_s=20)
QUICK = Settings("quick", repetitions=10, sample_s=0.012, tries=2, patience_s=20, experiment_s=7)
SMOKE = Settings("smoke", repetitions=2, sample_s=0.002, tries=1, patience_s=0, limit_s=40)
MODES = {settings.mode: settings for settings in (FULL, QUICK, SMOKE)}


@dataclass(frozen=True)
class Contender:
    """One side of a case. `scale`: units of work in one round, for the figure of one unit."""

    label: str
    place: Place
    call: str
    arguments: dict[str, Any] = field(default_factory=dict)
    scale: float = 1.0
    task: str = ""  # contenders of one task must return equal checks
    verify: Mapping[str, Any] = field(default_factory=dict)  # more arguments, for the checks alone
    apart: bool = False  # its other processes would disturb: measured after the rest, then ended
    alone: bool = False  # apart, and they spin while they wait: not beside others of its place
    rounds: int | None = None  # fixed, for functions that take no number of rounds
    timed_rounds: int | None = None  # of a sample, instead of as many as fill it
    gc: bool = False  # leaves the garbage collector on


@dataclass(frozen=True)
class Case:
    """A question, who takes part, and how the answer is read from the samples."""

    name: str
    question: str
    contenders: Sequence[Contender]
    conclude: Callable[[Measured], list[Any]]
    seconds: float = 4.0  # a guess for the progress bar
    company: Callable[[], AbstractContextManager[Any]] | None = None  # computes beside it
    disturbed_anyway: bool = False  # disturbance is what it measures: nothing is repeated
    at: Mapping[str, float | str] = field(default_factory=dict)  # where in a figure: {"clients": 6}
    verify_rounds: int = (
        VERIFY_ROUNDS  # of the run that compares the checks; fewer if they are long
    )


class Servers:
    """Processes by place, started when first used and kept between cases."""

    def __init__(self) -> None:
        self._servers: dict[Place, Server] = {}
        self._ended_cpu_s = 0.0

    def at(self, place: Place) -> Server:
        """The running process of a place."""
        if place.missing:
            raise ServerError(place.missing)
        if place not in self._servers:
            self._servers[place] = Server(place)
        return self._servers[place]

    def call(self, contender: Contender, arguments: dict[str, Any], limit_s: float) -> Reply:
        """One repetition; a process that did not survive it is replaced at the next call."""
        server = self.at(contender.place)
        try:
            return server.call(contender.call, arguments, limit_s, contender.gc)
        except ServerError:
            if not server.is_alive():
                self.drop(contender.place)
            raise

    def drop(self, place: Place) -> None:
        """Ends the process of a place, if there is one."""
        if place in self._servers:
            server = self._servers.pop(place)
            self._ended_cpu_s += server.cpu_s
            server.close()

    def cpu_s(self) -> float:
        """Processor time of all measured processes, as they said last, and of this one."""
        running = sum(server.cpu_s for server in self._servers.values())
        return running + self._ended_cpu_s + time.process_time()

    def close(self) -> None:
        """Ends all of them."""
        for place in list(self._servers):
            self.drop(place)


def measure(
    case: Case, settings: Settings, servers: Servers, probe: Probe, until: float = math.inf
) -> Iterator[float | Measured]:
    """Yields the share of the case that is done, 0 to 1, and at the end what was measured.

    After `until`, of `time.monotonic()`, it repeats no more than it has to, and what would be
    measured apart is missing.
    """
    result = Measured(settings.repetitions, {c.label: c.scale for c in case.contenders})
    together = [c for c in case.contenders if not c.apart]
    groups = [together, *by_place(c for c in case.contenders if c.apart)]
    checks: dict[str, dict[str, Any]] = {}
    with case.company() if case.company else nullcontext():
        before, own = cpu_seconds(), servers.cpu_s()
        for number, group in enumerate(groups):
            now = time.monotonic()
            if now > until and group is not together:
                reason = f"no time was left for it in a {settings.mode} run"
                result.missing |= {c.label: c.place.missing or reason for c in group}
                continue
            group_until = now + (until - now) / (len(groups) - number)
            for share in take_turns(
                case, group, settings, servers, probe, result, checks, group_until
            ):
                yield (number + share) / len(groups)
            if group is not together:
                servers.drop(group[0].place)
            else:
                result.foreign = foreign_share(before, cpu_seconds(), servers.cpu_s() - own)
    yield result


def by_place(contenders: Iterable[Contender]) -> list[list[Contender]]:
    """Those of one place together: they share its process and take turns. Who is alone, is."""
    groups: dict[tuple[Place, str], list[Contender]] = {}
    for contender in contenders:
        key = contender.place, contender.label if contender.alone else ""
        groups.setdefault(key, []).append(contender)
    return list(groups.values())


def take_turns(
    case: Case,
    group: Sequence[Contender],
    settings: Settings,
    servers: Servers,
    probe: Probe,
    result: Measured,
    checks: dict[str, dict[str, Any]],
    until: float,
) -> Iterator[float]:
    """Verifies and calibrates each contender, then interleaves their repetitions."""
    ready: list[tuple[Contender, dict[str, Any]]] = []
    few = {"warm": min(2, case.verify_rounds), "rounds": case.verify_rounds}
    for contender in group:
        try:
            if contender.rounds is None:
                arguments = {**contender.arguments, **few, **contender.verify}
                reply = servers.call(contender, arguments, settings.limit_s)
                checks.setdefault(contender.task, {})[contender.label] = reply["check"]
                arguments = calibrated(contender, servers, settings, reply)
            else:
                arguments = dict(contender.arguments)
                servers.call(contender, arguments, settings.limit_s)
            ready.append((contender, arguments))
            result.interpreters[contender.label] = servers.at(contender.place).interpreter()
        except ServerError as error:
            result.missing[contender.label] = str(error)
    for same in checks.values():
        if len(set(map(repr, same.values()))) > 1:
            raise UnequalWorkError(f"{case.name}: {same}")

    turns = clean_turns = 0
    begin = time.monotonic()
    most = settings.repetitions * (1 if case.disturbed_anyway else settings.tries)
    while ready and clean_turns < settings.repetitions and turns < most:
        now = time.monotonic()
        if turns >= settings.repetitions and now - begin > settings.patience_s:
            break
        if turns >= LEAST_REPETITIONS and now > until:
            break
        turn: dict[str, Reply] = {}
        for contender, arguments in list(ready):
            try:
                turn[contender.label] = servers.call(contender, arguments, settings.limit_s)
            except ServerError as error:
                result.missing[contender.label] = str(error)
                result.samples.pop(contender.label, None)
                ready.remove((contender, arguments))
        for label, reply in turn.items():
            result.samples.setdefault(label, []).append(reply)
        turns += 1
        clean_turns += case.disturbed_anyway or all(map(is_clean, turn.values()))
        result.round_trips.append(probe.kind())
        yield max(clean_turns / settings.repetitions, turns / most)


def calibrated(
    contender: Contender, servers: Servers, settings: Settings, verified: Reply
) -> dict[str, Any]:
    """The contender's arguments with as many rounds as fill a sample; this also warms it up."""
    if contender.timed_rounds is not None:
        rounds = contender.timed_rounds
        return {**contender.arguments, "warm": max(min(2, rounds), rounds // 10), "rounds": rounds}
    goal = settings.sample_s * 1e9
    rounds, spent = verified["rounds"], verified["ns"]
    while spent < goal and rounds < 10_000_000:
        arguments = {**contender.arguments, "warm": 2, "rounds": rounds}
        # The better of two: a disturbed one would make the sample too short for its own overhead.
        spent = min(servers.call(contender, arguments, settings.limit_s)["ns"] for _ in range(2))
        if spent * 4 > goal:
            break
        rounds = round(rounds * min(50, max(2, goal / max(spent, 1) / 2)))
    rounds = max(1, round(rounds * goal / max(spent, 1)))
    return {**contender.arguments, "warm": max(min(2, rounds), rounds // 10), "rounds": rounds}


def foreign_share(before: tuple[float, float], after: tuple[float, float], own: float) -> float:
    """The share of the machine's processor time that neither was idle nor ours."""
    busy, total = after[0] - before[0], after[1] - before[1]
    return max(0.0, (busy - own) / total) if total > 0 else 0.0
