"""Where a contender runs: a process of its own, reached through one line of JSON each way."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .serve import SINGLE_THREADED

PACKAGE = Path(__file__).resolve().parent
CLOSING_S = 30
INTERRUPTED_S = 5


@cache
def import_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder with nothing but `bench` to import, for interpreters of any kind; gone at exit."""
    folder = tempfile.TemporaryDirectory(prefix="reactorrl-bench-")
    (Path(folder.name) / "bench").symlink_to(PACKAGE)
    return folder


def import_path(python: str) -> str:
    """PYTHONPATH of a measured process: `bench`, and for this interpreter the same reactorrl."""
    folders = [import_folder().name]
    spec = find_spec("reactorrl") if python == sys.executable else None
    if spec and spec.origin:
        folders.append(str(Path(spec.origin).parent.parent))
    return os.pathsep.join(folders)


class ServerError(Exception):
    """The measured process failed, died or did not answer in time."""


@dataclass(frozen=True)
class Place:
    """An interpreter and the processors it may use; `missing` says why there is none."""

    name: str
    python: str = ""
    cpus: tuple[int, ...] = ()
    missing: str = ""
    environment: dict[str, str] = field(default_factory=dict, compare=False)


ONLY_IN_FULL = Place("", missing="only in a full run: its processes take long to start")


class Server:
    """A running `bench.serve`. Not shared between threads."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.cpu_s = 0.0
        self._is_busy = False
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by `close`)
        self._process = subprocess.Popen(
            [place.python, "-m", "bench.serve", json.dumps({"cpus": place.cpus})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=import_folder().name,
            start_new_session=True,  # Ctrl-C reaches only us, and `close` ends the process
            env={
                **os.environ,
                **dict.fromkeys(SINGLE_THREADED, "1"),
                "PYTHONPATH": import_path(place.python),
                "PYTHONDONTWRITEBYTECODE": "1",
                **place.environment,
            },
        )

    def call(
        self, call: str, arguments: dict[str, Any], limit_s: float, gc: bool = False
    ) -> dict[str, Any]:
        """One repetition; ServerError when it fails or takes longer than `limit_s`."""
        request = {"call": call, "arguments": arguments, "gc": gc}
        assert self._process.stdin
        self._is_busy = True
        try:
            self._process.stdin.write((json.dumps(request) + "\n").encode())
            self._process.stdin.flush()
        except OSError:
            raise ServerError(self._last_words("the process is gone")) from None
        answer = json.loads(self._line(call, time.monotonic() + limit_s))
        self._is_busy = False
        if "error" in answer:
            raise ServerError(answer["error"])
        reply = answer["reply"]
        self.cpu_s = reply.get("cpu_s", self.cpu_s)
        return reply

    def interpreter(self) -> dict[str, Any]:
        """What the process runs on."""
        return self.call("interpreter", {}, CLOSING_S)

    def is_alive(self) -> bool:
        """Whether it can be asked again."""
        return self._process.poll() is None

    def _line(self, call: str, deadline: float) -> bytes:
        """The next line of the process, which it writes at once."""
        assert self._process.stdout
        pipe, line = self._process.stdout.fileno(), b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self.kill()
                raise ServerError(f"{call} did not end in time")
            part = os.read(pipe, 65536)
            if not part:
                raise ServerError(self._last_words("the process ended"))
            line += part
        return line

    def _last_words(self, what: str) -> str:
        """The last line that the process wrote to standard error."""
        status = self._process.poll()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return f"{what} ({status}): {lines[-1] if lines else 'silently'}"

    def kill(self) -> None:
        """Ends the process without asking it."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Lets the process end by itself, interrupted if it computes; kills it if it does not."""
        if self._process.poll() is None:
            assert self._process.stdin
            try:
                self._process.stdin.close()
                if self._is_busy:
                    self._process.send_signal(signal.SIGINT)
                self._process.wait(INTERRUPTED_S if self._is_busy else CLOSING_S)
            except (OSError, subprocess.TimeoutExpired):
                self.kill()
        self._errors.close()
