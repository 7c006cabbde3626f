"""Fetch from package registries with their own clients: pip, uv and apt, as they are configured.

Everything goes into this project's cache or a temporary folder; nothing is installed on the system.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import glob
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UV_VERSION = "0.13.9"


class Unavailable(Exception):
    """Something could not be had. The message says what, why, and what to do, in one line."""


def say(message):
    print(f"env: {message}", flush=True)


def cache_dir():
    """Where everything is kept that outlives a checkout."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return root / "reactorrl"


@contextlib.contextmanager
def cache_lock():
    """One run at a time changes the cache. The kernel releases the lock of a run that dies."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with open(cache_dir() / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another run to finish")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left_by_a_dead_run in cache_dir().glob("scratch-*"):
            shutil.rmtree(left_by_a_dead_run, ignore_errors=True)
        yield


@contextlib.contextmanager
def scratch_dir():
    """A temporary folder in the cache, so that its contents can be renamed into place."""
    cache_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="scratch-", dir=cache_dir()) as path:
        yield Path(path)


def clean_environ(**extra):
    """This process's environment without what an outer make, virtual environment or Python left."""
    dropped = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"}
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return {**kept, **{key: str(value) for key, value in extra.items()}}


def run(command, *, what, env=None, cwd=None, timeout=None, stdin=None):
    """Run a command silently and return its output; `Unavailable` says how it failed."""
    command = [str(part) for part in command]
    options = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    try:
        done = subprocess.run(
            command,
            env=env or clean_environ(),
            cwd=cwd,
            timeout=timeout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            **options,
        )
    except FileNotFoundError as error:
        raise Unavailable(f"{what}: {command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{what}: no result within {timeout} s") from error
    if done.returncode:
        raise Unavailable(f"{what}: {last_words(done.stdout)}")
    return done.stdout


def last_words(output):
    """What most likely tells why a command failed: its first error and its last cause."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [
        line for line in lines if re.match(r"error\b|E:|CMake Error|no space", line, re.IGNORECASE)
    ]
    causes = [line for line in lines if re.match(r"cause\b|caused by", line, re.IGNORECASE)]
    return " / ".join(dict.fromkeys([*errors[:1], *(causes or lines)[-1:]])) or "it said nothing"


@functools.cache
def pip_command():
    """The command line of a pip: this Python's own, a wheel on the machine, or Debian's package."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    kept = cache_dir() / "pip"
    found = _pip_wheels() or sorted(kept.glob("pip-*.whl"))
    if not found:
        say("this Python has no pip; fetching Debian's python3-pip-whl")
        try:
            with scratch_dir() as work:
                fetch_debs(["python3-pip-whl"], work)
                kept.mkdir(exist_ok=True)
                for wheel in (work / "root/usr/share/python-wheels").glob("pip-*.whl"):
                    os.replace(wheel, kept / wheel.name)
        except Unavailable as error:
            raise Unavailable(
                f"no pip for {sys.executable} ({error}); install one (Debian: python3-pip)"
            ) from error
        found = sorted(kept.glob("pip-*.whl"))
    return [sys.executable, f"{found[-1]}/pip"]


def _pip_wheels():
    folders = ["/usr/share/python-wheels"]
    ensurepip = importlib.util.find_spec("ensurepip")
    if ensurepip and ensurepip.origin:
        folders.append(os.path.join(os.path.dirname(ensurepip.origin), "_bundled"))
    return [wheel for folder in folders for wheel in sorted(glob.glob(f"{folder}/pip-*.whl"))]


def pip(*arguments, what):
    env = clean_environ(PIP_DISABLE_PIP_VERSION_CHECK=1, PIP_USER=0, PIP_REQUIRE_VIRTUALENV=0)
    env.setdefault("PIP_RETRIES", "2")
    return run([*pip_command(), *arguments], what=what, env=env)


@functools.cache
def uv_command():
    """The pinned uv, installed into the cache on first use."""
    home = cache_dir() / f"uv-{UV_VERSION}"
    if not (home / "bin/uv").exists():
        say(f"fetching uv {UV_VERSION}")
        with scratch_dir() as work:
            pip(
                *("install", "--no-deps", "--target", work / "uv", f"uv=={UV_VERSION}"),
                what="uv could not be had; is the package index that pip uses within reach?",
            )
            shutil.rmtree(home, ignore_errors=True)
            os.replace(work / "uv", home)
    return str(home / "bin/uv")


def uv(*arguments, what, timeout=None, stdin=None, **extra):
    """Run uv from the root folder, where it finds no project and no `.venv` to act on."""
    settings = {"UV_CACHE_DIR": cache_dir() / "uv-cache", **_index_settings(), **extra}
    settings = {key: value for key, value in settings.items() if key not in os.environ}
    env = clean_environ(**settings)
    return run(
        [uv_command(), *arguments], what=what, env=env, cwd="/", timeout=timeout, stdin=stdin
    )


@functools.cache
def _index_settings():
    """uv does not read pip's configuration: hand it on, so that one mirror setting is enough."""
    index = os.environ.get("PIP_INDEX_URL", "")
    if not index:
        with contextlib.suppress(Unavailable):
            index = pip("config", "get", "global.index-url", what="no index configured").strip()
    return {"UV_DEFAULT_INDEX": index} if "://" in index else {}


def fetch_debs(packages, work, suites=(None,)):
    """Unpack Debian packages under `work`/root, through a private apt state.

    Each suite is tried in turn; None means the sources that the machine is configured with.
    """
    problems = []
    for suite in suites:
        state = work / f"apt-{suite or 'own'}"
        (state / "lists/partial").mkdir(parents=True)
        (state / "archives/partial").mkdir(parents=True)
        apt = ["apt-get", "-qq", f"-oDir::State::lists={state}/lists", f"-oDir::Cache={state}"]
        apt += ["-oAPT::Sandbox::User=root", "-oAcquire::Retries=2", "-oAcquire::http::Timeout=20"]
        if suite:
            (state / "sources.list").write_text(_sources_line(suite))
            apt += [f"-oDir::Etc::sourcelist={state}/sources.list", "-oDir::Etc::sourceparts=-"]
        try:
            run([*apt, "update"], what=f"apt-get update ({suite or 'own sources'})")
            run([*apt, "download", *packages], cwd=state, what=f"apt-get download {packages[0]}")
        except Unavailable as error:
            problems.append(error)
            continue
        for deb in sorted(state.glob("*.deb")):
            run(["dpkg", "-x", deb, work / "root"], what=f"unpacking {deb.name}")
        return
    raise problems[0]


def _sources_line(suite):
    key = "/usr/share/keyrings/debian-archive-keyring.gpg"
    signed = f"[signed-by={key}] " if os.path.exists(key) else ""
    return f"deb {signed}{_debian_mirror()} {suite} main\n"


def _debian_mirror():
    """The address of the Debian mirror that the machine's own apt configuration names."""
    files = [*glob.glob("/etc/apt/sources.list.d/*.sources"), "/etc/apt/sources.list"]
    files += glob.glob("/etc/apt/sources.list.d/*.list")
    for path in files:
        text = Path(path).read_text() if os.path.exists(path) else ""
        for line in re.findall(r"^(?:URIs:|deb\s+(?:\[[^]]*\])?)\s*(.+)$", text, re.MULTILINE):
            for uri in line.split():
                if re.search(r"\w+:.*debian", uri) and "security" not in uri:
                    return uri
    raise Unavailable("no Debian mirror is configured in /etc/apt")
