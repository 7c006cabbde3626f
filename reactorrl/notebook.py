"""What differs in a Jupyter kernel: names of cells, interrupts, and sockets of threads."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any


def file_name(path: str) -> str:
    """Return what messages call a file: its last part, or of a notebook's cell `Cell In[3]`."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    cell = None if shell is None else shell.compile.format_code_name(path)
    return os.path.basename(path) if cell is None else " ".join(cell)


def is_of_awaiting_cell(handler: Any) -> bool:
    """Whether ipykernel has put a signal's handler in place for a cell with `await` in it.

    That one cancels the cell once the event loop runs again, so nothing would interrupt what such a
    cell calls and waits for.
    """
    return getattr(handler, "__module__", None) == "ipykernel.ipkernel"


def close_sockets_of_ended_threads() -> None:
    """Close the sockets that ipykernel keeps for workers that have printed and ended.

    It makes one for each thread that prints or displays, and closes it once the thread's `is_alive`
    is false. Threads that `threading` did not make, as workers, have none to say so, and a kernel
    has 1023 sockets.
    """
    if "ipykernel.iostream" not in sys.modules:
        return
    publisher = getattr(sys.stdout, "pub_thread", None)
    sockets = getattr(publisher, "_event_pipes", None)
    lock = getattr(publisher, "_event_pipe_gc_lock", None)
    if sockets is None or lock is None:
        return
    running = set(threading.enumerate())
    with lock:
        for thread in [each for each in sockets if each not in running]:
            sockets.pop(thread).close()
