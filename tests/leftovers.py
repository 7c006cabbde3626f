"""The threads of this process, and those that a test leaves behind."""

import contextlib
import threading
import time
from pathlib import Path

LEFTOVER_SECONDS = 5.0


def os_threads():
    """The operating system's threads of this process: {id: name}."""
    names = {}
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it ended in between
            names[int(task.name)] = (task / "comm").read_text().strip()
    return names


def leftover_threads(before, seconds=LEFTOVER_SECONDS):
    """Threads that are not in `before` and do not end within the bound."""
    end = time.monotonic() + seconds
    while True:
        new = {tid: name for tid, name in os_threads().items() if tid not in before}
        if not new or time.monotonic() > end:
            return new
        threading.Event().wait(0.002)
