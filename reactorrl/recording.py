"""Recording what reaches a program from outside, and replaying it.

A recording is a file of JSON lines: a header; a line for each event of a physical action, each
value that came through a physical connection and each missed deadline, as they happen; at the end
the last tag of each enclave. Until the program has ended it is called `<path>.part`, and is
readable all the same: what a crash leaves can be replayed as far as it goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from . import _core
from ._version import __version__
from .assembly import Assembly
from .encoding import decode, encode
from .errors import RecordingError
from .time import Tag

_FORMAT, _VERSION = "reactorrl-recording", 1


class Recorder:
    """Writes a recording while a program runs.

    Args:
        path: The file.
        assembly: Of the program; not compiled yet.
        options: Those that a replay must have, too.
        allow_pickle: Whether values of any type may be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        assembly: Assembly,
        options: Mapping[str, Any],
        *,
        allow_pickle: bool,
    ) -> None:
        self.path: str = os.fspath(path)
        self.error: RecordingError | None = None
        self._assembly = assembly
        self._options = dict(options)
        self._allow_pickle = allow_pickle
        self._lock = threading.Lock()  # enclaves record at once
        self._file: Any = None
        self._stop: Any = None
        _core.attach_recorder(assembly.graph, self)

    def begin(self, stop: Any) -> None:
        """Open the file.

        Args:
            stop: Called when recording becomes impossible; `error` says why.

        Raises:
            OSError: The file cannot be written.
        """
        self._stop = stop
        elements = list(self._assembly.elements())
        self._actions = {each.id: each for each in elements if isinstance(each, _core.Action)}
        self._ports = {each.id: each for each in elements if isinstance(each, _core.Port)}
        part = f"{self.path}.part"
        try:
            self._file = open(part, "w", encoding="utf-8")  # noqa: SIM115
        except OSError as error:
            text = f"record={self.path!r}: {part} cannot be written: {error.strerror}"
            raise OSError(error.errno, text) from error
        self._write(
            {
                "format": _FORMAT,
                "version": _VERSION,
                "library": __version__,
                "main": self._assembly.nodes[0].path,
                "fingerprint": fingerprint(self._assembly),
                "options": self._options,
            }
        )

    def event(self, is_action: bool, number: int, time: int, microstep: int, value: Any) -> None:
        """Write an event; called by the runtime. Never raises."""
        element = (self._actions if is_action else self._ports)[number]
        try:
            line = {
                "event": "action" if is_action else "port",
                "path": str(element),
                "tag": (time, microstep),
                "value": encode(value, allow_pickle=self._allow_pickle),
            }
            self._write(line)
        except Exception as error:
            text = f"a value of type {type(value).__name__} cannot be recorded: {error}"
            self._fail(f"{element} at {Tag(time, microstep)}: {text}", error)

    def missed(self, reaction: int, time: int, microstep: int) -> None:
        """Write a missed deadline; called by the runtime. Never raises."""
        path = self._assembly.paths[reaction]
        try:
            self._write({"event": "miss", "path": path, "tag": (time, microstep)})
        except Exception as error:
            self._fail(f"{path}: its missed deadline cannot be recorded: {error}", error)

    def finish(self, stops: Sequence[tuple[str, Tag]], trace_hash: str) -> None:
        """Write the end and give the file its name.

        Args:
            stops: Path and last tag of each enclave that its own bodies did not end by raising;
                those will do so again.
            trace_hash: Of the report.
        """
        if self._file is None:
            return
        try:
            for path, tag in stops:
                self._write({"event": "stop", "path": path, "tag": tag})
            self._write({"event": "end", "trace_hash": trace_hash})
            os.fsync(self._file.fileno())
            self._file.close()
            if self.error is None:
                os.replace(f"{self.path}.part", self.path)
        except OSError as error:
            self._fail(f"{self.path} cannot be finished: {error}", error)
        finally:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _write(self, line: Mapping[str, Any]) -> None:
        text = json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n"
        with self._lock:
            self._file.write(text)
            self._file.flush()  # so that a crash loses nothing that was processed

    def _fail(self, text: str, cause: BaseException) -> None:
        if self.error is None:
            self.error = RecordingError(f"{text} ({self.path}.part has what came before)")
            self.error.__cause__ = cause
        self._stop()


class _Line(NamedTuple):
    kind: str
    path: str
    tag: Tag
    value: Any


class Recording:
    """A recording that was read.

    Args:
        path: The file.
        allow_pickle: Whether pickled values may be loaded. Loading one runs whatever its writer put
            there: only for files of those you trust.

    Raises:
        OSError: The file cannot be read.
        RecordingError: It is no recording of this version, damaged, or needs `allow_pickle`.
    """

    def __init__(self, path: str | os.PathLike[str], *, allow_pickle: bool) -> None:
        self.path: str = os.fspath(path)
        try:
            with open(path, encoding="utf-8") as file:
                lines = file.readlines()
        except UnicodeDecodeError:
            raise RecordingError(f"{self.path} is no recording") from None
        if lines and not lines[-1].endswith("\n"):
            lines.pop()  # a crash tore it
        try:
            self.header: Any = json.loads(lines[0])
            is_ours = self.header["format"] == _FORMAT
        except (ValueError, TypeError, KeyError, IndexError):
            is_ours = False
        if not is_ours:
            raise RecordingError(f"{self.path} is no recording")
        if self.header.get("version") != _VERSION:
            raise RecordingError(
                f"{self.path} is a recording of format {self.header.get('version')}; this version"
                f" of reactorrl reads format {_VERSION}"
            )
        self._lines: list[_Line] = []
        self.is_whole: bool = False
        self.trace_hash: str | None = None
        for number, line in enumerate(lines[1:], 2):
            if self.is_whole:
                raise RecordingError(
                    f"{self.path}, line {number}: there is something after the end"
                )
            try:
                self._read(json.loads(line), allow_pickle)
            except PermissionError:
                raise RecordingError(
                    f"{self.path}, line {number}: the value is pickled, and loading it runs what"
                    " its writer chose; allow_pickle=True loads it, if you trust the file"
                ) from None
            except Exception as error:
                raise RecordingError(f"{self.path}, line {number} is damaged: {error}") from error

    def _read(self, line: Any, allow_pickle: bool) -> None:
        if line["event"] == "end":
            self.is_whole = True
            self.trace_hash = line.get("trace_hash")
            return
        if line["event"] not in ("action", "port", "miss", "stop"):
            raise ValueError(f"unknown event {line['event']!r}")
        value = decode(line.get("value"), allow_pickle=allow_pickle)
        self._lines.append(_Line(line["event"], line["path"], Tag(*line["tag"]), value))

    def check(self, assembly: Assembly, options: Mapping[str, Any]) -> None:
        """Raise RecordingError unless it was made of the same program with the same options."""
        header, main = self.header, assembly.nodes[0].path
        if header.get("main") != main:
            raise RecordingError(
                f"{self.path} is a recording of {header.get('main')}, not of {main}"
            )
        if header.get("fingerprint") != fingerprint(assembly):
            raise RecordingError(
                f"{self.path} is a recording of another {main}: its reactors, elements or"
                " connections were not the same"
            )
        recorded = header.get("options") or {}
        for name, value in options.items():
            # What a crash left has no end, so a timeout may give it one.
            if recorded.get(name) != value and (self.is_whole or name != "timeout"):
                was = f"{name}={recorded.get(name)!r}"
                raise RecordingError(
                    f"{self.path} was recorded with {was}, and is replayed with {name}={value!r};"
                    f" give {was}"
                )
        if header.get("library") != __version__:
            warnings.warn(
                f"{self.path} was recorded by reactorrl {header.get('library')}, and this is"
                f" {__version__}: the run may differ",
                RuntimeWarning,
                stacklevel=4,
            )
        if not self.is_whole:
            warnings.warn(
                f"{self.path} is incomplete (no end line); replaying its {len(self._lines)} events",
                RuntimeWarning,
                stacklevel=4,
            )

    def check_end(self, trace_hash: str) -> None:
        """Warn if a replay has not done what was recorded.

        Args:
            trace_hash: Of the report of the replay.
        """
        if self.trace_hash not in (None, trace_hash):
            warnings.warn(
                f"{self.path}: the replay gave trace_hash {trace_hash}, recorded was"
                f" {self.trace_hash}: a body has changed, or depends on something outside",
                RuntimeWarning,
                stacklevel=4,
            )

    def feed(self, runtime: Any, assembly: Assembly) -> None:
        """Give a runtime that has not been started all that was recorded.

        Args:
            runtime: A `_core.Runtime` made for a replay.
            assembly: Of the program.
        """
        elements = {(_kind_of(each), str(each)): each for each in assembly.elements()}
        reactions = {path: number for number, path in enumerate(assembly.paths)}
        enclaves = {node.path: number for number, node in enumerate(assembly.enclaves)}
        for line in sorted(self._lines, key=lambda line: line.tag):
            try:
                if line.kind == "miss":
                    _core.feed_miss(runtime, reactions[line.path], *line.tag)
                elif line.kind == "stop":
                    _core.feed_stop(runtime, enclaves[line.path], *line.tag)
                else:
                    _core.feed(runtime, elements[line.kind, line.path], *line.tag, line.value)
            except (KeyError, ValueError) as error:
                raise RecordingError(
                    f"{self.path}: {line.kind} {line.path} at {line.tag} is nothing that can come"
                    " to this program"
                ) from error


def _kind_of(element: Any) -> str:
    return "port" if isinstance(element, _core.Port) else "action"


def fingerprint(assembly: Assembly) -> str:
    """Return a hash of the reactors, reactions, elements and connections of a program."""
    lines = [*(node.path for node in assembly.nodes), *assembly.paths]
    lines += [f"{type(each).__name__} {each}" for each in assembly.elements()]
    for node in assembly.nodes:
        for connection in node.connections or ():
            ends = ", ".join(map(str, [*connection.sources, "to", *connection.destinations]))
            lines.append(f"{ends} {connection.delay_ns} {connection.physical}")
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()
