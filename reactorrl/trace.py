"""Writes a run as a Chrome trace: open it in ui.perfetto.dev or chrome://tracing.

Each enclave is a process, with a track for each worker (reactions, and what the worker did between
them), one for tags and one for what came from outside, and counters of its queues and its lag.
Arrows are messages: from the reaction that set a port, scheduled an action or fed a delayed
connection, or from the push of a physical event, to each reaction that it triggered. What came from
outside lasts a nanosecond there, as arrows need something to begin at.

One event a line, those of a track in order of time; `otherData` says what the file holds, and how
much of each track is lost. See csrc/rrl.h for the records that all this is made of.
"""

from __future__ import annotations

import json
import os
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from . import _core
from ._version import __version__
from .assembly import Assembly
from .ports import PORTS
from .report import RunReport

FORMAT = 1
"""Of the file, as `otherData` has it under "reactorrl_trace"."""
RECORDS = 1 << 20
"""Kept of a run, all tracks together; of a longer one the last of each track."""

_RECORD, _LINK = struct.Struct("=qqqII"), struct.Struct("=III")
_ID_BITS = 28
_NEVER = -(1 << 63)
_LINES = 1 << 14  # written at once

# rrl_trace_kind_t and rrl_link_kind_t
_REACTION, _HANDLER, _SKIPPED, _COORDINATING, _SPINNING, _PARKED, _IDLE = range(1, 8)
_RAISED, _SET, _SENT, _TAG, _DUE, _MOVED, _ARRIVED = range(8, 15)
_TRIGGERS, _FILLS, _FEEDS, _IS_ACTION = range(4)

_BODIES = {_REACTION: "", _HANDLER: " (deadline handler)", _SKIPPED: " (deadline missed)"}
_BETWEEN = {
    _COORDINATING: "coordinating",
    _SPINNING: "spinning",
    _PARKED: "parked",
    _IDLE: "waiting for the next tag",
}

_Key = tuple[int, int, int]  # a reaction or a cell, and a tag


def records_per_track(n_tracks: int) -> int:
    """Return how many records each of so many tracks keeps: a power of two."""
    return max(1 << 12, 1 << (RECORDS // n_tracks).bit_length() - 1)


@dataclass(frozen=True)
class Cast:
    """What the numbers in the records mean.

    Attributes:
        reactions: Paths, by id.
        levels: Of the reactions.
        ports: Paths, by id.
        actions: Paths, by id.
        enclaves: Path and number of workers, by id.
        has_lag: Whether the program keeps to a clock.
    """

    reactions: Sequence[str]
    levels: Sequence[int]
    ports: dict[int, str]
    actions: dict[int, str]
    enclaves: Sequence[tuple[str, int]]
    has_lag: bool

    @classmethod
    def of(
        cls,
        assembly: Assembly,
        levels: Sequence[int],
        report: RunReport,
        *,
        has_lag: bool,
    ) -> Cast:
        """Return that of a program which has ended; see the attributes."""
        ports: dict[int, str] = {}
        actions: dict[int, str] = {}
        for element in assembly.elements():
            if isinstance(element, PORTS):
                ports[element.id] = str(element)
            elif isinstance(element, _core.Action):
                actions[element.id] = str(element)
        workers = Counter(worker.enclave for worker in report.workers)
        enclaves = [(enclave.path, workers[enclave.path]) for enclave in report.enclaves]
        return cls(assembly.paths, levels, ports, actions, enclaves, has_lag)


def write_trace(
    path: str | os.PathLike[str],
    lanes: Sequence[tuple[bytes | bytearray, int]],
    links: bytes | bytearray,
    cast: Cast,
) -> None:
    """Write the file.

    Args:
        path: The file, replaced if it exists.
        lanes: As `_core.Runtime.trace` gives them.
        links: As `_core.Runtime.links` gives them.
        cast: What the numbers in them mean.

    Raises:
        OSError: The file cannot be written.
    """
    with open(path, "w", encoding="utf-8") as file:
        header = json.dumps(_header(lanes, cast), separators=(",", ":"))
        file.write(f'{{"otherData":{header},"displayTimeUnit":"ns","traceEvents":[\n')
        _write_lines(file, _events(lanes, _Messages(lanes, links, cast), cast))
        file.write("\n]}\n")


def _write_lines(file: TextIO, lines: Iterator[str]) -> None:
    batch: list[str] = []
    separator = ""
    for line in lines:
        batch.append(line)
        if len(batch) == _LINES:
            file.write(separator + ",\n".join(batch))
            batch.clear()
            separator = ",\n"
    if batch:
        file.write(separator + ",\n".join(batch))


def _header(lanes: Sequence[tuple[bytes | bytearray, int]], cast: Cast) -> dict[str, Any]:
    lost = [n_lost for _, n_lost in lanes]
    n_workers = len(lanes) - len(cast.enclaves)
    return {
        "reactorrl_trace": FORMAT,
        "reactorrl": __version__,
        "enclaves": [path for path, _ in cast.enclaves],
        "workers": [
            {"pid": pid, "tid": tid, "lost": n}
            for (pid, tid), n in zip(_worker_tracks(cast), lost, strict=False)
        ],
        "lost_of_enclaves": lost[n_workers:],
        "has_lag": cast.has_lag,
        "levels": dict(zip(cast.reactions, cast.levels, strict=True)),
    }


def _worker_tracks(cast: Cast) -> list[tuple[int, int]]:
    """(pid, tid) of each worker.

    Enclaves count from 1, as 0 is the idle process; tracks go on after them, as a viewer takes a
    track with the number of its process for its main thread.
    """
    pids = [pid for pid, (_, n) in enumerate(cast.enclaves, 1) for _ in range(n)]
    return [(pid, tid) for tid, pid in enumerate(pids, len(cast.enclaves) + 1)]


def _shared_tracks(cast: Cast) -> tuple[int, int]:
    """In each enclave, of its tags and of what came from outside: after those of all workers."""
    last = len(cast.enclaves) + len(_worker_tracks(cast))
    return last + 1, last + 2


class _Messages:
    """Who sent what to whom.

    Attributes:
        outgoing: (message, cell), by what sent them: a reaction at a tag, or an arrival.
        incoming: (message, cell), by reaction and tag.
        raised: Reactions and tags.
        ends: By enclave and tag: when its last reaction ended, and how many there were.
        names: Of cells.
    """

    def __init__(
        self, lanes: Sequence[tuple[bytes | bytearray, int]], links: bytes | bytearray, cast: Cast
    ) -> None:
        self.outgoing: dict[Any, list[tuple[int, int]]] = defaultdict(list)
        self.incoming: dict[_Key, list[tuple[int, int]]] = defaultdict(list)
        self.raised: set[_Key] = set()
        self.ends: dict[_Key, tuple[int, int]] = {}
        self.names = dict(cast.ports)
        self._ran: set[_Key] = set()
        self._senders: dict[_Key, Any] = {}  # by cell and tag
        self._carried: dict[_Key, _Key] = {}  # by cell and tag: the one that it came from
        self._triggered: dict[int, list[int]] = defaultdict(list)  # reactions, by cell
        self._filled: dict[int, list[int]] = defaultdict(list)  # cells, by cell
        self._filling: dict[int, list[int]] = defaultdict(list)
        self._feeding: dict[int, int] = {}  # by cell of a delayed connection: that of its source
        self._receiving: dict[int, tuple[int, ...]] = {}  # found so far
        self._read_links(links, cast)
        tracks = _worker_tracks(cast)
        for (pid, _), (data, _) in zip(tracks, lanes, strict=False):
            self._read_worker(pid, data)
        for pid, (data, _) in enumerate(lanes[len(tracks) :], 1):
            self._read_enclave(pid, data)
        n = 0
        for data, _ in lanes:
            n = self._connect(data, n)

    def _read_links(self, links: bytes | bytearray, cast: Cast) -> None:
        for kind, cell, to in _LINK.iter_unpack(links):
            if kind == _TRIGGERS:
                self._triggered[cell].append(to)
            elif kind == _FILLS:
                self._filled[cell].append(to)
                self._filling[to].append(cell)
            elif kind == _FEEDS:
                self._feeding[to] = cell
            else:
                self.names[cell] = cast.actions[to]

    def _read_worker(self, pid: int, data: bytes | bytearray) -> None:
        last: _Key = (-1, 0, 0)
        for _, end, time, microstep, what in _RECORD.iter_unpack(data):
            kind = what >> _ID_BITS
            key = what & (1 << _ID_BITS) - 1, time, microstep
            if kind in _BODIES:
                last = key
                self._ran.add(key)
                tag = pid, time, microstep
                latest, n = self.ends.get(tag, (0, 0))
                self.ends[tag] = max(latest, end), n + 1
            elif kind in (_SET, _SENT):
                self._senders[key] = last
            elif kind == _RAISED:
                self.raised.add(key)

    def _read_enclave(self, pid: int, data: bytes | bytearray) -> None:
        for number, (begin, end, time, microstep, what) in enumerate(_RECORD.iter_unpack(data)):
            kind, cell = what >> _ID_BITS, what & (1 << _ID_BITS) - 1
            key = cell, time, microstep
            if kind == _ARRIVED:
                self._senders[key] = pid, number
            elif kind == _MOVED:
                self._carried[key] = cell, begin, end
            elif kind == _SENT:
                self._carried[key] = self._feeding[cell], begin, end

    def _connect(self, data: bytes | bytearray, n: int) -> int:
        for _, _, time, microstep, what in _RECORD.iter_unpack(data):
            if what >> _ID_BITS not in (_SET, _DUE):
                continue
            cell = what & (1 << _ID_BITS) - 1
            sender = None
            for reaction in self._receivers(cell):
                key = reaction, time, microstep
                if key not in self._ran:
                    continue
                if sender is None:
                    sender = self._sender(cell, time, microstep)
                    if sender is None:
                        break
                    n += 1
                    self.outgoing[sender].append((n, cell))
                self.incoming[key].append((n, cell))
        return n

    def _receivers(self, cell: int) -> Iterable[int]:
        """Reactions that the cell triggers, also through connections of modes."""
        found = self._receiving.get(cell)
        if found is None:
            reactions: dict[int, None] = {}
            todo = [cell]
            while todo:
                one = todo.pop()
                reactions.update(dict.fromkeys(self._triggered.get(one, ())))
                todo += self._filled.get(one, ())
            found = self._receiving[cell] = tuple(reactions)
        return found

    def _sender(self, cell: int, time: int, microstep: int) -> Any:
        """What made the cell present at the tag; `None` when its record is lost."""
        todo = [(cell, time, microstep)]
        while todo:
            key = todo.pop()
            if key in self._senders:
                return self._senders[key]
            if key in self._carried:
                todo.append(self._carried[key])
            todo += [(origin, *key[1:]) for origin in self._filling.get(key[0], ())]
        return None

    def name(self, cell: int) -> str:
        """Path of the port or action; of a delayed connection that of the port which feeds it."""
        while cell in self._feeding:
            cell = self._feeding[cell]
        return self.names.get(cell, "message")


def _events(
    lanes: Sequence[tuple[bytes | bytearray, int]], messages: _Messages, cast: Cast
) -> Iterator[str]:
    tracks = _worker_tracks(cast)
    yield from _names(tracks, cast)
    arrows = _Arrows(messages)
    for (pid, tid), (data, _) in zip(tracks, lanes, strict=False):
        yield from _worker_events(pid, tid, data, arrows, cast)
    tags, outside = _shared_tracks(cast)
    for pid, (data, _) in enumerate(lanes[len(tracks) :], 1):
        yield from _tag_events(pid, tags, data, messages, has_lag=cast.has_lag)
        yield from _outside_events(pid, outside, data, arrows)


def _names(tracks: Sequence[tuple[int, int]], cast: Cast) -> Iterator[str]:
    named: list[tuple[int, int, str, str]] = []
    tags, outside = _shared_tracks(cast)
    for pid, (path, _) in enumerate(cast.enclaves, 1):
        named.append((pid, 0, "process_name", path))
        named.append((pid, tags, "thread_name", "tags"))
        named.append((pid, outside, "thread_name", "from outside"))
    named += [
        (pid, tid, "thread_name", f"worker {number}") for number, (pid, tid) in enumerate(tracks)
    ]
    for pid, tid, what, name in named:
        yield (
            f'{{"ph":"M","pid":{pid},"tid":{tid},"name":"{what}","args":{{"name":{_quoted(name)}}}}}'
        )


class _Arrows:
    """Writes the ends of messages."""

    def __init__(self, messages: _Messages) -> None:
        self._messages = messages
        self._names: dict[int, str] = {}

    def into(self, key: _Key, pid: int, tid: int, begin: int) -> Iterable[str]:
        """Those that end at a reaction."""
        found = self._messages.incoming.get(key, ())
        return [self._line('"f","bp":"e"', each, pid, tid, begin) for each in found]

    def out_of(self, key: Any, pid: int, tid: int, end: int) -> Iterable[str]:
        """Those that begin at the end of what sent them."""
        found = self._messages.outgoing.get(key, ())
        return [self._line('"s"', each, pid, tid, end - 1) for each in found]

    def name(self, cell: int) -> str:
        """Of a cell, in quotes."""
        name = self._names.get(cell)
        if name is None:
            name = self._names[cell] = _quoted(self._messages.name(cell))
        return name

    def has_raised(self, key: _Key) -> bool:
        """Whether the reaction raised at the tag."""
        return key in self._messages.raised

    def _line(self, phase: str, message: tuple[int, int], pid: int, tid: int, ns: int) -> str:
        number, cell = message
        return (
            f'{{"ph":{phase},"pid":{pid},"tid":{tid},"ts":{_us(ns)},"id":{number},'
            f'"name":{self.name(cell)},"cat":"message"}}'
        )


def _worker_events(
    pid: int, tid: int, data: bytes | bytearray, arrows: _Arrows, cast: Cast
) -> Iterator[str]:
    track = f'{{"ph":"X","pid":{pid},"tid":{tid},"ts":'
    rest: dict[int, str] = {}  # by kind and id
    for begin, end, time, microstep, what in _RECORD.iter_unpack(data):
        kind = what >> _ID_BITS
        number = what & (1 << _ID_BITS) - 1
        if kind in _BODIES:
            text = rest.get(what)
            if text is None:
                name = _quoted(f"{cast.reactions[number]}{_BODIES[kind]}")
                level = cast.levels[number]
                text = f',"name":{name},"cat":"reaction","args":{{"level":{level},"time":'
                rest[what] = text
            key = number, time, microstep
            raised = ',"raised":true' if arrows.has_raised(key) else ""
            yield (
                f"{track}{_us(begin)},"
                f'"dur":{_us(end - begin)}{text}{time},"microstep":{microstep}{raised}}}}}'
            )
            yield from arrows.into(key, pid, tid, begin)
            yield from arrows.out_of(key, pid, tid, end)
        elif kind in _BETWEEN:
            yield (
                f'{track}{_us(begin)},"dur":{_us(end - begin)},"name":"{_BETWEEN[kind]}",'
                '"cat":"runtime"}'
            )


def _tag_events(
    pid: int, tid: int, data: bytes | bytearray, messages: _Messages, *, has_lag: bool
) -> Iterator[str]:
    for begin, lag, time, microstep, what in _RECORD.iter_unpack(data):
        if what >> _ID_BITS != _TAG:
            continue
        ts, n_events = _us(begin), what & (1 << _ID_BITS) - 1
        end, n = messages.ends.get((pid, time, microstep), (begin, 0))
        yield (
            f'{{"ph":"X","pid":{pid},"tid":{tid},"ts":{ts},"dur":{_us(end - begin)},'
            f'"name":"tag {_shown(time, microstep)}","cat":"tag","args":{{"time":{time},'
            f'"microstep":{microstep},"reactions":{n}}}}}'
        )
        yield _counter(pid, ts, "event queue", "events", n_events)
        if has_lag:
            yield _counter(pid, ts, "lag (us)", "us", lag / 1000)


def _outside_events(pid: int, tid: int, data: bytes | bytearray, arrows: _Arrows) -> Iterator[str]:
    arrivals = [
        (begin, number, end, time, microstep, what & (1 << _ID_BITS) - 1)
        for number, (begin, end, time, microstep, what) in enumerate(_RECORD.iter_unpack(data))
        if what >> _ID_BITS == _ARRIVED
    ]
    arrivals.sort()
    for begin, number, _, time, microstep, cell in arrivals:
        tag = f'"time":{time},"microstep":{microstep}' if time != _NEVER else '"dropped":true'
        yield (
            f'{{"ph":"X","pid":{pid},"tid":{tid},"ts":{_us(begin)},"dur":0.001,'
            f'"name":{arrows.name(cell)},"cat":"outside","args":{{{tag}}}}}'
        )
        yield from arrows.out_of((pid, number), pid, tid, begin + 1)
    waiting = 0
    changes = [(arrival[0], 1) for arrival in arrivals] + [(arrival[2], -1) for arrival in arrivals]
    for ns, change in sorted(changes):
        waiting += change
        yield _counter(pid, _us(ns), "inbox", "events", waiting)


def _counter(pid: int, ts: str, name: str, series: str, value: float) -> str:
    return f'{{"ph":"C","pid":{pid},"ts":{ts},"name":"{name}","args":{{"{series}":{value}}}}}'


def _shown(time: int, microstep: int) -> str:
    """A tag in exact words, as in `1.5 ms + 2`."""
    places = next((n for n in (9, 6, 3) if time == 0 or time >= 10**n), 0)
    unit = {9: "s", 6: "ms", 3: "us", 0: "ns"}[places]
    whole, rest = divmod(time, 10**places)
    digits = f"{whole}.{rest:0{places}d}".rstrip("0").rstrip(".") if rest else str(whole)
    return f"{digits} {unit}" + (f" + {microstep}" if microstep else "")


def _us(ns: int) -> str:
    """Microseconds, the unit of the format."""
    return f"{ns // 1000}.{ns % 1000:03d}"


_quoted = json.JSONEncoder(ensure_ascii=False).encode
