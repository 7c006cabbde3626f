"""Which imports turn the GIL on: watched in a process of its own, as it stays on."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from importlib.machinery import ExtensionFileLoader
from typing import Any

SECONDS = 120  # of one process
_CODE = "from reactorrl.doctor.imports import watch; watch()"
_MACHINERY = ("_frozen_importlib", "_frozen_importlib_external", "reactorrl.ids", __name__)
_TURNED_ON = re.compile(r"GIL\) has been enabled to load module '([^']+)'")


def is_free_threaded() -> bool:
    """Whether this interpreter is a build that can do without the GIL."""
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def examine(names: Sequence[str], seconds: float = SECONDS) -> dict[str, dict[str, Any]]:
    """Import modules one after the other in a process of their own.

    Args:
        names: Of modules.
        seconds: After which what is not imported is given up.

    Returns:
        By name `error` (a text or `None`), `seconds`, and `culprits`: `module` is an extension
        module that turned the GIL on, or would have if it were not on already, and `by` who
        imported it, the nearest importer first, each as `module:line`. What an earlier name
        imported is told there. For torch, there are `facts` too.
    """
    found: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + seconds
    while len(found) < len(names):
        pending = names[len(found) :]
        lines, end = _run(pending, max(deadline - time.monotonic(), 1))
        for name, line in zip(pending, lines, strict=False):
            found[name] = json.loads(line)
        if len(lines) < len(pending):
            found[pending[len(lines)]] = {
                "error": end,
                "seconds": None,
                "culprits": [],
                "facts": {},
            }
    return found


def _run(names: Sequence[str], seconds: float) -> tuple[list[str], str]:
    """The lines of one process, and how it ended."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHON_GIL"}
    process = subprocess.Popen(
        [sys.executable, "-c", _CODE, *names],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        return _whole_lines(output), f"not done within {seconds:.0f} s"
    status = process.returncode
    killed = f"killed the interpreter ({signal.Signals(-status).name})" if status < 0 else ""
    return _whole_lines(output), killed or f"ended the interpreter (status {status})"


def _whole_lines(output: str) -> list[str]:
    return [line.rstrip("\n") for line in output.splitlines(keepends=True) if line.endswith("\n")]


def watch() -> None:
    """Import what the command line names, and write a line about each; see `examine`."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # modules may print
    if not sys.path or sys.path[0] != "":
        sys.path.insert(0, "")  # modules of the current directory
    culprits: list[dict[str, Any]] = []
    _note_culprits(culprits)
    for name in sys.argv[1:]:
        culprits.clear()
        begin, error, facts = time.monotonic(), None, {}
        try:
            module = importlib.import_module(name)
            facts = _torch_facts(module) if name == "torch" else {}
        except BaseException as failure:
            error = traceback.format_exception_only(failure)[-1].strip()
        taken = round(time.monotonic() - begin, 3)
        found = {"error": error, "seconds": taken, "culprits": culprits, "facts": facts}
        answers.write(json.dumps(found) + "\n")
        answers.flush()
    os._exit(0)  # what the modules do at exit is of no interest


def _torch_facts(torch: Any) -> dict[str, Any]:
    has_cuda = torch.cuda.is_available()
    count = torch.cuda.device_count() if has_cuda else 0
    return {
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda,
        "devices": [torch.cuda.get_device_name(i) for i in range(count)],
    }


def _note_culprits(culprits: list[dict[str, Any]]) -> None:
    """From now on append each extension module that does without the promise CPython asks for."""
    create_module = ExtensionFileLoader.create_module

    def create_and_note(self: ExtensionFileLoader, spec: Any) -> Any:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module = create_module(self, spec)
        for warning in caught:
            match = _TURNED_ON.search(str(warning.message))
            if match:
                culprits.append({"module": match[1], "by": list(_importers())})
        return module

    ExtensionFileLoader.create_module = create_and_note  # type: ignore[method-assign]


def _importers() -> Iterator[str]:
    """Who waits for the import under way, the nearest first."""
    frame = sys._getframe(1)  # noqa: SLF001
    last = ""
    while frame.f_back is not None:
        frame = frame.f_back
        module = frame.f_globals.get("__name__", "?")
        if module == __name__ and frame.f_code.co_name == "watch":
            return
        is_machinery = module.startswith("importlib") or module in _MACHINERY
        if module != last and not is_machinery:
            last = module
            yield f"{module}:{frame.f_lineno}"


def shown_culprit(culprit: dict[str, Any]) -> str:
    """A culprit in words, with its nearest importers."""
    by = culprit["by"]
    if len(by) > 3:
        by = [*by[:2], "...", by[-1]]
    return culprit["module"] + (f" (imported by {', by '.join(by)})" if by else "")
