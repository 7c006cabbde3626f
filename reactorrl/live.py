"""`Program(live=True)`: what a program does, while it does it, in a notebook or a terminal."""

from __future__ import annotations

import contextlib
import html
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_PERIOD_S = 0.25
_PATIENCE_S = 2.0  # with a terminal that takes nothing (Ctrl-S)


@dataclass(frozen=True)
class Sample:
    """What all workers had done at one time.

    Attributes:
        at_s: When, in seconds of any clock.
        pulses: Per worker (reactions, waiting ns, tags of its enclave, lag of its enclave in ns).
        enclaves: Per worker the number of its enclave.
    """

    at_s: float
    pulses: Sequence[tuple[int, int, int, int]]
    enclaves: Sequence[int]

    @property
    def reactions(self) -> int:
        """All that have run."""
        return sum(pulse[0] for pulse in self.pulses)

    @property
    def tags(self) -> int:
        """Of all enclaves."""
        by_enclave = {e: pulse[2] for e, pulse in zip(self.enclaves, self.pulses, strict=True)}
        return sum(by_enclave.values())

    @property
    def lag_ns(self) -> int:
        """The largest one; an enclave that waits for its next tag has none."""
        return max(pulse[3] for pulse in self.pulses)


@dataclass(frozen=True)
class Rates:
    """What happened between two samples.

    Attributes:
        reactions: A second.
        tags: A second.
        lag_ns: At the later one, or `None` for a program that keeps to no clock.
        busy: The share of the time that each worker neither spun nor slept.
    """

    reactions: float
    tags: float
    lag_ns: int | None
    busy: tuple[float, ...]

    @classmethod
    def between(cls, before: Sample, after: Sample, *, has_lag: bool) -> Rates:
        """Return those between two samples of one program."""
        seconds = max(after.at_s - before.at_s, 1e-9)
        waited = [b[1] - a[1] for a, b in zip(before.pulses, after.pulses, strict=True)]
        return cls(
            reactions=(after.reactions - before.reactions) / seconds,
            tags=(after.tags - before.tags) / seconds,
            lag_ns=after.lag_ns if has_lag else None,
            busy=tuple(min(1.0, max(0.0, 1 - ns / 1e9 / seconds)) for ns in waited),
        )

    def figures(self) -> list[tuple[str, str]]:
        """Names and values, those of the workers not included."""
        found = [("reactions/s", f"{self.reactions:,.0f}"), ("tags/s", f"{self.tags:,.0f}")]
        if self.lag_ns is not None:
            found.append(("lag", f"{self.lag_ns / 1e6:.1f} ms"))
        return found

    def __str__(self) -> str:
        shares = " ".join(f"{share:.0%}" for share in self.busy)
        return "  ".join(f"{name} {value}" for name, value in self.figures()) + f"  busy {shares}"

    def _repr_html_(self) -> str:
        row = "<tr><th style='text-align:left'>{}</th><td style='text-align:left'>{}</td></tr>"
        rows = [row.format(html.escape(name), value) for name, value in self.figures()]
        rows += [
            row.format(
                f"worker {number}",
                f"<meter min='0' max='1' value='{share:.3f}'></meter> {share:.0%} busy",
            )
            for number, share in enumerate(self.busy)
        ]
        return f"<table>{''.join(rows)}</table>"


class LiveView:
    """Shows a running program about four times a second, until it ends.

    It reads counters and nothing else, in a thread of its own, which `stop` joins. Without a
    notebook and without a terminal on stderr it shows nothing, and there is no thread.

    Args:
        runtime: The `_core.Runtime`.
        enclaves: Per worker the number of its enclave.
        has_lag: Whether the program keeps to a clock.
    """

    def __init__(self, runtime: Any, enclaves: Sequence[int], *, has_lag: bool) -> None:
        self._runtime = runtime
        self._enclaves = enclaves
        self._has_lag = has_lag
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, if there is something to show it on."""
        screen = _notebook() or _terminal()
        if screen is not None:
            self._thread = threading.Thread(
                target=self._run, args=screen, name="reactorrl live view", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Take the view away and join its thread; more than once is harmless."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
            self._thread = None

    def sample(self) -> Sample:
        """Return what the workers have done by now."""
        pulses = [self._runtime.pulse(worker) for worker in range(len(self._enclaves))]
        return Sample(time.monotonic(), pulses, self._enclaves)

    def _run(self, show: Callable[[Rates], None], close: Callable[[], None]) -> None:
        with contextlib.suppress(OSError, ValueError):  # the terminal has gone
            before = self.sample()
            while not self._stopping.wait(_PERIOD_S) and not self._runtime.wait(0):
                after = self.sample()
                show(Rates.between(before, after, has_lag=self._has_lag))
                before = after
            close()


_Screen = tuple[Callable[[Rates], None], Callable[[], None]]


def _terminal() -> _Screen | None:
    stream = sys.stderr
    if stream is None or not stream.isatty():
        return None

    def write(text: str) -> None:
        stream.write(f"\r\x1b[K{text}")
        stream.flush()

    def show(rates: Rates) -> None:
        write(str(rates)[: shutil.get_terminal_size().columns - 1])

    return show, lambda: write("")


def _notebook() -> _Screen | None:
    if "ipykernel" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython  # noqa: PLC0415 - where there is a kernel
    from IPython.display import DisplayHandle  # noqa: PLC0415

    if not hasattr(get_ipython(), "kernel"):
        return None
    handle = DisplayHandle()
    handle.display(Rates(0.0, 0.0, None, ()))
    return handle.update, lambda: None
