"""Find, or else provide, a free-threaded CPython of at least 3.14 with its headers."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import assemble_python
from registries import Unavailable, cache_dir, clean_environ, say, scratch_dir, uv

WANTED = "3.14t"
OLDEST = (3, 14)
DOWNLOAD_SECONDS = 180

PROBE = """
import json, os, platform, sys, sysconfig
header = os.path.join(sysconfig.get_path("include"), "Python.h")
print(json.dumps({
    "version": platform.python_version(),
    "release": sys.version_info[:2],
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "headers": os.path.exists(header),
    "soabi": sysconfig.get_config_var("SOABI"),
    "platform": sysconfig.get_platform(),
}))
"""


class Interpreter:
    """An executable, and what it says of itself."""

    def __init__(self, path, facts):
        self.path = str(path)
        self.version = facts["version"]
        self.soabi = facts["soabi"]
        self.platform = facts["platform"]


def provide_interpreter():
    """The first suitable interpreter, from the cheapest source to the dearest."""
    for source in (_from_variable, _on_path, _known_to_uv, _in_cache, _from_uv, _assembled):
        found = source()
        if found:
            return found
    newer = _first_suitable(_free_threaded_on_path(exactly=False))
    if newer:
        return newer
    raise Unavailable(
        f"no free-threaded Python {WANTED} could be had; install one and name it: "
        "make env PYTHON=/path/to/python3.14t"
    )


def _from_variable():
    named = os.environ.get("PYTHON", "")
    if not named:
        return None
    path = shutil.which(named)
    found, problem = _examine(path) if path else (None, "is not there")
    if problem:
        say(f"$PYTHON ({named}) {problem}; looking for another")
    return found


def _on_path():
    return _first_suitable(_free_threaded_on_path(exactly=True))


def _free_threaded_on_path(exactly):
    """Executables named python3.Nt: those of WANTED, or else the newer ones."""
    found = []
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for path in sorted(Path(folder or ".").glob("python3.*t")):
            match = re.fullmatch(r"python3\.(\d+)t", path.name)
            if match and (path.name == f"python{WANTED}") == exactly:
                found.append((int(match.group(1)), len(found), path))
    return [path for _, _, path in sorted(found)]


def _known_to_uv():
    try:
        found = uv("python", "find", "--no-project", "--system", WANTED, what="uv python find")
    except Unavailable:
        return None
    return _first_suitable([found.strip()])


def _in_cache():
    downloaded = sorted((cache_dir() / "python").glob("*/bin/python3.14t"))
    return _first_suitable([*downloaded, _assembly_prefix() / "bin/python3.14t"])


def _from_uv():
    say(f"downloading Python {WANTED}")
    try:
        uv(
            *("python", "install", "--no-bin", "--install-dir", cache_dir() / "python", WANTED),
            what="uv python install",
            timeout=DOWNLOAD_SECONDS,
            UV_HTTP_RETRIES=0,
            UV_HTTP_CONNECT_TIMEOUT=10,
            UV_HTTP_TIMEOUT=30,
        )
    except Unavailable:
        say("it is out of reach; assembling one from packages")
        return None
    return _in_cache()


def _assembled():
    try:
        with scratch_dir() as work:
            return _first_suitable([assemble_python.assemble(_assembly_prefix(), work)])
    except Unavailable as error:
        say(f"Python {WANTED} could not be assembled: {error}")
        return None


def _assembly_prefix():
    recipe = hashlib.sha256(Path(assemble_python.__file__).read_bytes()).hexdigest()[:12]
    return cache_dir() / f"python-{WANTED}-assembled-{recipe}"


def _first_suitable(paths):
    for path in paths:
        found, _ = _examine(path)
        if found:
            return found
    return None


def _examine(path):
    """The interpreter at `path` and None, or None and what is wrong with it."""
    try:
        answer = subprocess.run(
            [str(path), "-c", PROBE],
            env=clean_environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )
        facts = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None, "does not run"
    if not facts["free_threaded"]:
        return None, f"is Python {facts['version']} with a GIL"
    if tuple(facts["release"]) < OLDEST:
        return None, f"is Python {facts['version']}, older than 3.14"
    if not facts["headers"]:
        return None, "has no C headers (Python.h)"
    return Interpreter(path, facts), None
