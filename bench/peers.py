"""The peers that need an interpreter or packages of their own: `reactorrl bench peers`.

Each lives in a virtual environment in the cache, outside the checkout, named after what is in it,
so that a new version makes a new one. What cannot be had is named with the reason.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .place import Place
from .registries import Unavailable, cache_dir, cache_lock, run, uv

ORDINARY = ("python3.14", "python3.13", "python3.12", "python3.11", "python3")
VERSION = """
import sys, sysconfig
print(*sys.version_info[:3], sysconfig.get_config_var("Py_GIL_DISABLED") or 0)
"""
IMPORT_S = 120
BUILD_S = 300


@dataclass(frozen=True)
class Peer:
    """What to install, on which kind of interpreter, and how to know that it works."""

    name: str
    requirements: tuple[str, ...]
    module: str
    same_interpreter: bool = False
    newest: tuple[int, int] | None = None  # of the interpreters that it runs on
    sources: tuple[
        str, ...
    ] = ()  # old ones: built, whatever Python they ask for, nothing with them


ATARI = ("ale-py==0.12.1", "gymnasium==1.4.0", "opencv-python-headless==5.0.0.93", "numpy")
PEERS = (
    Peer("xronos", ("xronos==0.15.0", "numpy"), "xronos", same_interpreter=True),
    Peer(
        "xronos, Gym",
        ("xronos==0.15.0", "gymnasium==1.4.0", "numpy"),
        "xronos",
        same_interpreter=True,
    ),
    Peer("xronos, ordinary CPython", ("xronos==0.15.0", "numpy"), "xronos"),
    Peer("Ray", ("ray==2.60.0", "numpy", "gymnasium==1.4.0"), "ray"),
    Peer("EnvPool", ("envpool==1.2.5", "gymnasium==1.4.0", "numpy"), "envpool"),
    Peer("Tianshou", ("tianshou==2.0.1", "torch==2.15.0"), "tianshou"),
    Peer("TorchRL", ("torchrl==0.14.1", "torch==2.15.0", "numpy"), "torchrl"),
    Peer("ale-py", ATARI, "ale_py"),
    Peer(
        "CleanRL",
        (
            *("gymnasium==0.29.1", "numpy==1.26.4", "torch==2.15.0", "tensorboard==2.21.0"),
            *("stable-baselines3==2.3.2", "pygame==2.6.1", "cloudpickle", "gym-notices"),
            *("pip", "wheel"),
        ),
        "cleanrl",
        newest=(3, 12),
        sources=("setuptools==65.7.0", "gym==0.23.1", "cleanrl==1.2.0"),
    ),
    Peer("Ray, Atari", ("ray==2.60.0", *ATARI), "ray"),
    Peer(
        "Ray, learning",
        ("ray==2.60.0", "numpy", "gymnasium==1.4.0", "pettingzoo==1.27.0", "torch==2.15.0"),
        "ray",
    ),
)


@cache
def version_of(python: str) -> tuple[int, ...]:
    """Major, minor, patch, and 1 for a free-threaded build."""
    numbers = run([python, "-c", VERSION], what=f"{Path(python).name} does not run", timeout=30)
    return tuple(map(int, numbers.split()))


@cache
def ordinary_python(newest: tuple[int, int] | None = None) -> str:
    """An interpreter from 3.11 on, with a lock, for peers without free-threaded wheels."""
    for name in ORDINARY:
        found = shutil.which(name)
        try:
            *version, _, is_free_threaded = version_of(found) if found else (0, 0, 0, 0)
            if [3, 11] <= version <= list(newest or version) and not is_free_threaded:
                return found or ""
        except (Unavailable, ValueError):
            continue
    until = f"to {newest[0]}.{newest[1]}" if newest else "on"
    raise Unavailable(f"no ordinary CPython from 3.11 {until} was found; install one")


def interpreter_of(peer: Peer) -> str:
    """The interpreter that the peer's environment is made from."""
    return sys.executable if peer.same_interpreter else ordinary_python(peer.newest)


def environment_of(peer: Peer) -> Path:
    """Where the peer lives, or would live."""
    content = repr((peer.requirements + peer.sources, version_of(interpreter_of(peer))))
    key = hashlib.sha256(content.encode()).hexdigest()[:12]
    return cache_dir() / "peers" / f"{peer.module}-{key}"


def install(peer: Peer) -> dict[str, Any]:
    """Makes the environment and tries the peer in it."""
    status: dict[str, Any] = {"ready": True}
    try:
        home = environment_of(peer)
        python = home / "bin" / "python"
        name, wheels = peer.name, ("--only-binary", ":all:")
        uv("venv", "--clear", "--python", interpreter_of(peer), home, what=f"no venv for {name}")
        uv(
            *("pip", "install", *wheels, "--python", python, *peer.requirements),
            what=f"{name} could not be installed",
        )
        for source in peer.sources:
            freely = ("--no-deps", "--no-build-isolation", "--ignore-requires-python")
            run(
                [python, "-m", "pip", "install", "-q", *freely, source],
                what=f"{source} could not be built",
                timeout=BUILD_S,
            )
        run([python, "-c", f"import {peer.module}"], what=f"{name} fails", timeout=IMPORT_S)
    except Unavailable as error:
        return {"ready": False, "reason": str(error)}
    (home / "status.json").write_text(json.dumps(status))
    return status


def status_of(peer: Peer) -> dict[str, Any]:
    """Whether the peer can be used, and the reason if not."""
    try:
        return json.loads((environment_of(peer) / "status.json").read_text())
    except Unavailable as error:
        return {"ready": False, "reason": str(error)}
    except OSError:
        return {"ready": False, "reason": "not installed (reactorrl bench peers)"}


def places() -> dict[str, Place]:
    """Where each peer runs; a missing one says why."""
    found = {}
    for peer in PEERS:
        status = status_of(peer)
        if status["ready"]:
            found[peer.name] = Place(peer.name, str(environment_of(peer) / "bin" / "python"))
        else:
            found[peer.name] = Place(peer.name, missing=status["reason"])
    return found


def describe() -> dict[str, Any]:
    """For the results: what each peer is, or why it is not there."""
    return {peer.name: {"requirements": peer.requirements, **status_of(peer)} for peer in PEERS}


def named(words: Iterable[str]) -> list[Peer]:
    """Those with one of the words in their names; ValueError where none has a word."""
    found: dict[str, Peer] = {}
    for word in words:
        these = {peer.name: peer for peer in PEERS if word.lower() in peer.name.lower()}
        if not these:
            names = ", ".join(peer.name for peer in PEERS)
            raise ValueError(f"no peer has {word!r} in its name; there are {names}")
        found |= these
    return list(found.values())


def provide(words: Sequence[str] = (), *, again: bool = False) -> int:
    """Installs what is not there yet; a peer that cannot be had is no error.

    Args:
        words: Only peers with such a word in their names.
        again: Also those that are there.
    """
    wanted = named(words) if words else PEERS
    for number, peer in enumerate(wanted, 1):
        status = status_of(peer)
        if again or not status["ready"]:
            print(f"[{number}/{len(wanted)}] {peer.name}: installing …", flush=True)
            with cache_lock():
                status = install(peer)
        print(f"[{number}/{len(wanted)}] {peer.name}: {status.get('reason', 'ready')}")
    return 0
