"""The measured side: a process that runs one repetition for each line it reads.

`python -m bench.serve '{"cpus": [0]}'` reads requests and writes replies, one JSON object a line:

    {"call": "bench.micro.events:self_scheduling", "arguments": {"warm": 10, "rounds": 1000}}
    {"reply": {"ns": 250000, "rounds": 1000, "check": 1010, ...}}        or {"error": "..."}

Only the standard library is used, so that any interpreter from 3.11 on can serve. Whatever the
measured code prints goes to standard error; nothing is printed while the clock runs.
"""

import gc
import importlib
import json
import os
import platform
import sys
import time
import traceback
from typing import Any

SINGLE_THREADED = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def gil_enabled() -> bool:
    """Whether the interpreter lock is on now."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def interpreter() -> dict[str, Any]:
    """What this process runs on."""
    return {
        "python": platform.python_version(),
        "compiler": platform.python_compiler(),
        "gil": gil_enabled(),
        "cpus": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "gc": "collected before each repetition, off during it",
    }


def repetition(request: dict[str, Any]) -> dict[str, Any]:
    """Runs one repetition with the garbage collector out of the way, unless it asks for it."""
    module, _, function = request["call"].partition(":")
    measured = getattr(importlib.import_module(module), function)
    gc.collect()
    if not request.get("gc", False):
        gc.disable()
    try:
        return measured(**request["arguments"])
    finally:
        gc.enable()


def answer(line: str) -> dict[str, Any]:
    """One request in, one reply out; no exception leaves."""
    try:
        request = json.loads(line)
        if request["call"] == "interpreter":
            return {"reply": interpreter()}
        reply = repetition(request)
        reply["cpu_s"] = time.process_time()
        reply["gil"] = gil_enabled()
        return {"reply": reply}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    """Serves until standard input ends."""
    options = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    if options.get("cpus"):
        os.sched_setaffinity(0, options["cpus"])
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        replies.write(json.dumps(answer(line)) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
