"""Ctrl-C and SIGTERM while a program runs, and the warning about the GIL."""

from __future__ import annotations

import os
import re
import signal
import sys
import sysconfig
import threading
import warnings
from types import FrameType, TracebackType
from typing import Any

from .notebook import is_of_awaiting_cell

_has_warned = False


class SecondInterrupt(BaseException):
    """Leaves the wait for a program that was asked to stop before; never seen by users."""


class Interrupts:
    """While entered on the main thread, the first signal stops the runtime orderly.

    Only default handlers, and a notebook's, are replaced, and put back afterwards. The second
    signal interrupts the bodies that run and raises `SecondInterrupt`, as does every later one.

    Attributes:
        count: Signals so far.
    """

    def __init__(self, runtime: Any) -> None:
        self._runtime = runtime
        self._replaced: list[tuple[int, Any]] = []
        self.count: int = 0

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            defaults = (
                (signal.SIGINT, signal.default_int_handler),
                (signal.SIGTERM, signal.SIG_DFL),
            )
            for number, default in defaults:
                handler = signal.getsignal(number)
                if handler == default or is_of_awaiting_cell(handler):
                    signal.signal(number, self._on_signal)
                    self._replaced.append((number, handler))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._replaced:
            signal.signal(number, handler)
        self._replaced.clear()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        if self.count == 1:
            self._runtime.request_stop()
            return
        if self.count == 2:
            self._runtime.interrupt()
        raise SecondInterrupt


def gil_is_enabled() -> bool:
    """Whether threads take turns in this interpreter, now."""
    check = getattr(sys, "_is_gil_enabled", None)
    return True if check is None else check()


def gil_culprits() -> list[str]:
    """Return the extension modules that turned the GIL on, as far as CPython's warnings name them.

    Filters that silence its RuntimeWarning silence this, too.
    """
    registry = getattr(sys.modules.get("importlib._bootstrap"), "__warningregistry__", {})
    texts = [key[0] for key in registry if isinstance(key, tuple)]
    matches = (re.search(r"GIL\) has been enabled to load module '([^']+)'", str(t)) for t in texts)
    return [match[1] for match in matches if match]


def gil_explanation() -> str:
    """Say in one line why the GIL is on, as far as it can be known, and what to do."""
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        return (
            "the GIL is on, so reactions take turns (the results are the same); to have them in"
            " parallel, run this on free-threaded CPython, for instance `uv python install 3.14t`"
        )
    if os.environ.get("PYTHON_GIL") == "1" or sys._xoptions.get("gil") == "1":  # noqa: SLF001
        reason = "PYTHON_GIL=1 or -X gil=1 asks for it; leave that out"
    elif "triton._C.libtriton" in sys.modules:
        reason = (
            "importing triton did it, as the first torch optimizer does; hide triton before"
            " (sys.modules['triton'] = None; import torch._dynamo; del sys.modules['triton'])"
        )
    else:
        culprits = " and ".join(gil_culprits())
        reason = (
            f"importing {culprits or 'an extension module'} did it; `reactorrl doctor --import"
            f" MODULE` with a module of yours says {'' if culprits else 'which it was and '}who"
            " imports it"
        )
    return f"the GIL of this free-threaded interpreter is on, so reactions take turns: {reason}"


def warn_if_gil_is_enabled() -> bool:
    """Warn once per process when the GIL is on; return whether it is."""
    global _has_warned  # noqa: PLW0603
    is_enabled = gil_is_enabled()
    if is_enabled and not _has_warned:
        _has_warned = True
        warn_user(gil_explanation())
    return is_enabled


def warn_user(text: str) -> None:
    """Warn at the line outside of this package from which the call came."""
    level, frame = 2, sys._getframe(1)  # noqa: SLF001
    while frame.f_back is not None and frame.f_globals.get("__package__") == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(f"reactorrl: {text}", RuntimeWarning, stacklevel=level)
