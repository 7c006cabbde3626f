"""Processors, the limits of the cgroup, and how far apart processors are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from .. import _core

PROBE_SECONDS = 2.0
_PAIRS = 10  # probed at most

# (processor, core, cache, performance), as `_core.topology` has them
Cpu = tuple[int, int, int, int]


def processors(topology: Sequence[Cpu]) -> dict[str, Any]:
    """What there is to know of the usable processors, in order of preference."""
    by_core: dict[int, list[int]] = {}
    by_kind: dict[int, list[int]] = {}
    for cpu, core, _, performance in topology:
        by_core.setdefault(core, []).append(cpu)
        by_kind.setdefault(performance, []).append(cpu)
    return {
        "model": _model(),
        "present": os.cpu_count(),
        "usable": sorted(cpu for cpu, *_ in topology),
        "cores": len(by_core),
        "siblings": sorted(sorted(cpus) for cpus in by_core.values() if len(cpus) > 1),
        "caches": len({cache for _, _, cache, _ in topology}),
        "kinds": [sorted(by_kind[kind]) for kind in sorted(by_kind, reverse=True)],
        "load": round(os.getloadavg()[0], 2),
    }


def _model() -> str:
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return os.uname().machine


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


# ---- cgroups


def cgroup(root: str = "/") -> dict[str, Any]:
    """The tightest limits of the process's group and of all that contain it.

    Args:
        root: Where `proc` and `sys` are.

    Returns:
        `version` 1, 2 or `None`; `cpus`, processors' worth of time, and `memory`, bytes, each
        `None` without limit; `cpuset`, as the kernel writes it.
    """
    found: dict[str, Any] = {"version": None, "cpus": None, "cpuset": None, "memory": None}
    for line in _read(Path(root, "proc/self/cgroup")).splitlines():
        number, controllers, group = line.split(":", 2)
        names = [controllers, *controllers.split(",")] if controllers else ["", "unified"]
        for name in names:
            for folder in _folders(Path(root, "sys/fs/cgroup", name), group):
                if _take_limits(found, folder) and found["version"] != 1:
                    found["version"] = 2 if number == "0" else 1
    return found


def _folders(mount: Path, group: str) -> Iterator[Path]:
    """The folder of a group, and of those that contain it."""
    folder = mount / group.lstrip("/")
    while folder != mount:
        yield folder
        folder = folder.parent
    yield mount


def _take_limits(found: dict[str, Any], folder: Path) -> bool:
    """Lower what is found to the limits in a folder; whether there are any files of the kind."""
    quota = _read(folder / "cpu.max").split() or [
        *_read(folder / "cpu.cfs_quota_us").split(),
        *_read(folder / "cpu.cfs_period_us").split(),
    ]
    memory = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes")
    cpuset = _read(folder / "cpuset.cpus.effective") or _read(folder / "cpuset.effective_cpus")
    if len(quota) == 2 and quota[0] not in ("max", "-1"):
        cpus = int(quota[0]) / int(quota[1])
        found["cpus"] = min(cpus, found["cpus"] or cpus)
    if memory.strip().isdigit() and int(memory) < 1 << 60:  # version 1 writes a huge number
        found["memory"] = min(int(memory), found["memory"] or int(memory))
    found["cpuset"] = found["cpuset"] or cpuset.strip() or None
    return bool(quota or memory or cpuset)


# ---- how far apart


def probe(topology: Sequence[Cpu], seconds: float = PROBE_SECONDS) -> list[dict[str, Any]]:
    """Measure how long pairs of processors take to reach each other, and to wake a thread.

    Args:
        topology: The usable processors, preferred ones first.
        seconds: For all pairs together.

    Returns:
        For each pair `cpus`, what they share as `share`, and in ns `trip_ns` (a cache line there
        and back), `wake_ns` (from before a parked thread is woken until it runs), both medians,
        and `slow_trip_ns`, `slow_wake_ns`, below which nine of ten are; `slow_down`, how many times
        as long one computes while the other does, too. Without these where the two were too busy,
        and with `error` where the system refused.
    """
    pairs = _pairs(topology)
    found: list[dict[str, Any]] = []
    for share, a, b in pairs:
        try:
            times: dict[str, Any] = _core.probe(a, b, int(seconds / len(pairs) * 1e9)) or {}
            if times:
                slow_down = times.pop("beside_ns") / times.pop("alone_ns")
                times["slow_down"] = round(slow_down, 2)
        except OSError as error:
            times = {"error": str(error)}
        found.append({"cpus": [a, b], "share": share, **times})
    return found


def _pairs(topology: Sequence[Cpu]) -> list[tuple[str, int, int]]:
    """Some pairs of every kind that there is."""
    by_share: dict[str, list[tuple[str, int, int]]] = {}
    for a, b in combinations(topology, 2):
        share = "core" if a[1] == b[1] else "cache" if a[2] == b[2] else "memory"
        by_share.setdefault(share, []).append((share, a[0], b[0]))
    chosen: list[tuple[str, int, int]] = []
    for kind in sorted(by_share):
        pairs = by_share[kind]
        n = min(len(pairs), max(_PAIRS // len(by_share), 1))
        chosen += [pairs[i * len(pairs) // n] for i in range(n)]
    return chosen
