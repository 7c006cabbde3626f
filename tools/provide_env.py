#!/usr/bin/env python3
"""Provide .venv: a free-threaded Python with every package that building and testing need.

Usage: provide_env.py [--require-all]

Runs on any Python >= 3.9 with nothing but its standard library. What was fetched or built once is
kept in ${XDG_CACHE_HOME:-~/.cache}/reactorrl. With --require-all, a package that cannot be had is
an error instead of a line of advice.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if sys.version_info < (3, 9):  # noqa: UP036 - whoever starts this may have an older one
    raise SystemExit(
        "env: setting up needs Python 3.9 or newer; name one: make ANY_PYTHON=python3.X"
    )

from ale_wheel import can_build, provide_ale_wheel
from interpreter import provide_interpreter
from registries import Unavailable, cache_lock, run, say, uv, uv_command

TOOLS = Path(__file__).resolve().parent
REQUIREMENTS = TOOLS / "requirements.txt"
VENV = TOOLS.parent / ".venv"
STAMP = VENV / ".provided"


def main(arguments):
    """Return the exit status."""
    if set(arguments) - {"--require-all"}:
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        missing = provided() or provide()
    except Unavailable as error:
        say(f"FAILED: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    for line in missing["absent"].values():
        say(line)
    return 1 if missing["absent"] and "--require-all" in arguments else 0


def provided():
    """What the finished environment's stamp says, or None where it is stale or not there."""
    try:
        stamp = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return None
    usable = stamp["fingerprint"] == fingerprint() and os.access(VENV / "bin/python", os.X_OK)
    if usable and stamp["absent"] and stamp["can_build"] != can_build():
        return None
    return stamp if usable else None


def fingerprint():
    """Changes whenever the environment has to be provided anew."""
    digest = hashlib.sha256(os.environ.get("PYTHON", "").encode())
    for path in sorted([*TOOLS.glob("*.py"), *TOOLS.glob("*.txt")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def provide():
    """Make the environment; return its stamp."""
    with cache_lock():
        stamp = provided()
        if stamp:
            return stamp
        STAMP.unlink(missing_ok=True)
        uv_command()
        interpreter = provide_interpreter()
        say(f"Python {interpreter.version} (free-threaded) at {interpreter.path}")
        make_venv(interpreter)
        absent = install_packages(interpreter)
        check_imports(absent)
        stamp = {
            "fingerprint": fingerprint(),
            "interpreter": interpreter.path,
            "can_build": can_build(),
            "absent": absent,
        }
        STAMP.write_text(json.dumps(stamp, indent=1))
        say(f"ready: {VENV}")
        return stamp


def make_venv(interpreter):
    """Create .venv, or keep it where it already belongs to this interpreter."""
    home = f"home = {Path(interpreter.path).resolve().parent}"
    config = VENV / "pyvenv.cfg"
    if config.exists() and home in config.read_text().splitlines():
        return
    uv("venv", "--clear", "--python", interpreter.path, VENV, what=f"{VENV} could not be made")


def install_packages(interpreter):
    """Install the requirements; return a line of advice for each one that could not be had."""
    lines = REQUIREMENTS.read_text().splitlines()
    ale = next(line for line in lines if line.startswith("ale-py=="))
    lines.remove(ale)
    with ThreadPoolExecutor(1) as beside:  # the downloads leave the processor idle
        wheel = beside.submit(provide_ale_wheel, ale, interpreter)
        pinned = ("--only-binary=:all:", "-r", "-")
        try:
            install("--offline", *pinned, stdin="\n".join(lines))
        except Unavailable:
            say("installing packages (torch is large: some 3 GB to fetch)")
            install(*pinned, stdin="\n".join(lines))
        try:
            install("--no-deps", "--no-index", wheel.result())
        except Unavailable as error:
            return {"ale-py": f"Atari games are left out: {ale} could not be built: {error}"}
    return {}


def install(*arguments, **options):
    uv(
        *("pip", "install", "--python", VENV / "bin/python", *arguments),
        what="the packages of tools/requirements.txt could not be installed",
        **options,
    )


def check_imports(absent):
    """Fail where an import fails or turns the GIL on."""
    say("checking that every package imports with the GIL off")
    run(
        [VENV / "bin/python", TOOLS / "check_imports.py", REQUIREMENTS, *absent],
        what="the environment is unusable",
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
