"""`reactorrl doctor`: what this machine, interpreter and environment offer, and what is wrong."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .. import __version__, _core
from ..interrupts import gil_culprits, gil_explanation, gil_is_enabled
from ..placement import place, usable_cores
from .imports import examine, is_free_threaded, shown_culprit
from .machine import PROBE_SECONDS, cgroup, probe, processors
from .packages import extra_command, install_command, installed, known_packages

_SLOW_DOWN_OF_SIBLINGS = 1.35  # cores of their own stay near 1
_SHARED = {"core": "one core", "cache": "one cache", "memory": "no cache in common"}

Lines = Iterator[tuple[str, str]]


class Diagnosis:
    """What was found so far.

    Attributes:
        facts: By section, for programs.
        problems: What is wrong, and what to do about it.
    """

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.problems: list[str] = []


def doctor_command(arguments: Sequence[str] | None = None) -> int:
    """Run `reactorrl doctor`; return 0 if all is well, else 1.

    Args:
        arguments: The command line behind `doctor`.
    """
    parser = argparse.ArgumentParser(
        prog="reactorrl doctor",
        description="Says what this machine, interpreter and environment offer to programs, and"
        " what is wrong. The exit status is 0 if nothing is.",
    )
    parser.add_argument("--json", action="store_true", help="facts and problems as JSON")
    parser.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this module and say which extension modules in it turn the GIL on, and who"
        " imports them; once for each, and nothing else is examined then",
    )
    options = parser.parse_args(arguments)
    found = Diagnosis()
    sections: list[Callable[[Diagnosis], Lines]] = [
        _interpreter,
        _processors,
        _cgroup,
        _workers,
        _probe,
        _packages,
    ]
    if options.modules:
        sections = [_interpreter, lambda found: _modules(found, options.modules)]
    for section in sections:
        for name, text in section(found):
            if not options.json:
                print(f"{name:<12} {text}", flush=True)
    if options.json:
        print(json.dumps({**found.facts, "problems": found.problems}, indent=2))
    else:
        print("\n" + ("\n".join(found.problems) if found.problems else "Nothing is wrong."))
    return 1 if found.problems else 0


def _interpreter(found: Diagnosis) -> Lines:
    is_on = gil_is_enabled()
    found.facts["interpreter"] = facts = {
        "reactorrl": __version__,
        "package": os.path.dirname(os.path.dirname(__file__)),
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
        "executable": sys.executable,
        "free_threaded": is_free_threaded(),
        "gil_enabled": is_on,
        "gil_culprits": gil_culprits(),
    }
    build = "free-threaded" if is_free_threaded() else "ordinary"
    yield "reactorrl", f"{__version__} in {facts['package']}"
    yield (
        "interpreter",
        f"{facts['implementation']} {facts['version']}, {build}: {sys.executable}",
    )
    yield "GIL", gil_explanation() if is_on else "off: reactions run in parallel"
    if is_on and is_free_threaded():
        found.problems.append(f"GIL: {gil_explanation()}")


def _processors(found: Diagnosis) -> Lines:
    found.facts["processors"] = facts = processors(_core.topology())
    usable, siblings, kinds = facts["usable"], facts["siblings"], facts["kinds"]
    yield "processors", f"{facts['model']}, load {facts['load']}"
    cores = _count(facts["cores"], "core")
    caches = _count(facts["caches"], "last-level cache")
    yield "", f"{len(usable)} of {facts['present']} usable: {_ranges(usable)}, {cores}, {caches}"
    if siblings:
        shown = ", ".join(_ranges(cpus) for cpus in siblings)
        yield "", f"SMT siblings, two threads of one core: {shown}"
    if len(kinds) > 1:
        slower = ", then ".join(_ranges(cpus) for cpus in kinds[1:])
        yield "", f"performance cores: {_ranges(kinds[0])}; slower: {slower}"


def _cgroup(found: Diagnosis) -> Lines:
    found.facts["cgroup"] = facts = cgroup()
    limits = []
    if facts["cpus"] is not None:
        limits.append(f"the time of {facts['cpus']:g} CPUs")
    if facts["cpuset"] is not None:
        limits.append(f"CPUs {facts['cpuset']}")
    if facts["memory"] is not None:
        limits.append(f"{facts['memory'] / 2**30:.1f} GiB of memory")
    if facts["version"] is not None:
        yield "cgroup", f"version {facts['version']}: {', '.join(limits) or 'no limits'}"


def _workers(found: Diagnosis) -> Lines:
    count = usable_cores()
    placed = {affinity: place(affinity, None)[1] for affinity in ("performance", "spread")}
    found.facts["workers"] = {"default": count, **placed}
    yield "workers", f"{count} unless workers= says otherwise; the system places them"
    for affinity, cpus in placed.items():
        yield "", f"affinity={affinity!r} pins them to {', '.join(map(str, cpus or ()))}"


def _probe(found: Diagnosis) -> Lines:
    topology = _core.topology()
    if len(topology) < 2:
        found.facts["probe"] = []
        return
    found.facts["probe"] = pairs = probe(topology, PROBE_SECONDS)
    name = "probe"
    for pair in pairs:
        a, b = pair["cpus"]
        yield name, f"{a} and {b}, {_SHARED[pair['share']]}: {_times(pair)}"
        name = ""


def _times(pair: dict[str, Any]) -> str:
    if "trip_ns" not in pair:
        return pair.get("error", "too busy to be measured")
    shared = ""
    if pair["slow_down"] > _SLOW_DOWN_OF_SIBLINGS:
        shared = ": hardly more than one core"
    return (
        f"round trip {_time(pair['trip_ns'])} (one in ten over {_time(pair['slow_trip_ns'])}),"
        f" waking a worker {_time(pair['wake_ns'])} (over {_time(pair['slow_wake_ns'])}),"
        f" computing at once takes {pair['slow_down']:.2f}x as long{shared}"
    )


def _packages(found: Diagnosis) -> Lines:
    known = known_packages()
    found.facts["packages"] = known
    everything = [package for extra in known.values() for package in extra]
    modules = [package["module"] for package in everything if package["version"]]
    # The first optimizer imports torch._dynamo, and that triton; reactorrl.rl imports it otherwise.
    of_torch = [["torch", "torch._dynamo"], ["reactorrl.rl.learner"]]
    groups = [[name for name in modules if name != "torch"], *of_torch * ("torch" in modules)]
    with ThreadPoolExecutor(len(groups)) as pool:
        imported, *torch = pool.map(examine, groups)
    for package in everything:
        package.update(imported.get(package["module"], {}))
    yield "required", _shown_packages(known.get("", []))
    found.problems += [
        f"{package['name']} is {'too old' if package['version'] else 'missing'}:"
        f" {install_command(package['name'] + '>=' + package['least'])}"
        for package in known.get("", [])
        if package["missing"]
    ]
    for extra, of_extra in known.items():
        if extra:
            command = extra_command(extra)
            is_whole = not any(package["missing"] for package in of_extra)
            advice = "" if is_whole else f"; {command}"
            yield f"[{extra}]", f"{_shown_packages(of_extra)}{advice}"
    for package in everything:
        found.problems += _import_problems(package["name"], imported.get(package["module"], {}))
    if torch:
        yield from _torch(found, *torch)


def _shown_packages(several: Sequence[dict[str, Any]]) -> str:
    return ", ".join(
        f"{package['name']} {package['version'] or 'is missing'}"
        + (
            f" is older than {package['least']}"
            if package["version"] and package["missing"]
            else ""
        )
        for package in several
    )


def _import_problems(name: str, result: dict[str, Any]) -> Iterator[str]:
    if result.get("error"):
        yield f"{name}: importing it fails: {result['error']}"
    if result.get("culprits"):
        yield (
            f"{name}: importing it turns the GIL on: {_shown_culprits(result)}; do without it, or"
            " try another version, or set PYTHON_GIL=0 to run it unlocked at your own risk"
        )


def _shown_culprits(result: dict[str, Any]) -> str:
    return " and ".join(map(shown_culprit, result["culprits"]))


def _torch(found: Diagnosis, plain: dict[str, Any], ours: dict[str, Any]) -> Lines:
    first, dynamo, learner = plain["torch"], plain["torch._dynamo"], ours["reactorrl.rl.learner"]
    triton = installed("triton")
    found.facts["torch"] = {
        "version": installed("torch"),
        "triton": triton,
        **first["facts"],
        "import": first,
        "first_optimizer": dynamo,
        "reactorrl.rl": learner,
    }
    with_triton = f", triton {triton}" if triton else ""
    yield "torch", f"{installed('torch')}{_torch_facts(first['facts'])}{with_triton}"
    problems = list(_import_problems("torch", first))
    problems = problems or list(_import_problems("reactorrl.rl.learner", learner))
    found.problems += problems
    if problems or not is_free_threaded():
        return
    if not dynamo["culprits"]:
        yield "", "neither importing it nor its first optimizer turns the GIL on"
        return
    yield "", f"its first optimizer turns the GIL on: {_shown_culprits(dynamo)}"
    yield (
        "",
        "reactorrl.rl prevents that; elsewhere, before the first optimizer:"
        " from reactorrl.rl import torch_setup; torch_setup.import_dynamo()",
    )


def _torch_facts(facts: dict[str, Any]) -> str:
    if not facts:
        return ""
    devices = ", ".join(facts["devices"]) or "no GPU"
    return f", CUDA {facts['cuda'] or 'not built in'}, {devices}, {facts['threads']} threads"


def _modules(found: Diagnosis, names: Sequence[str]) -> Lines:
    found.facts["imports"] = results = {name: examine([name])[name] for name in names}
    for name, result in results.items():
        if result["error"]:
            yield name, "cannot be imported"
        elif not is_free_threaded():
            yield name, "imported; what turns the GIL on shows on a free-threaded interpreter only"
        elif not result["culprits"]:
            yield name, "the GIL stays off"
        else:
            yield name, "turns the GIL on"
        found.problems += _import_problems(name, result)


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _ranges(cpus: Sequence[int]) -> str:
    """As the kernel writes them: 0-3,8."""
    parts: list[list[int]] = []
    for cpu in cpus:
        if parts and cpu == parts[-1][-1] + 1:
            parts[-1].append(cpu)
        else:
            parts.append([cpu])
    return ",".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def _time(ns: float) -> str:
    return f"{ns:.0f} ns" if ns < 1000 else f"{ns / 1000:.1f} µs"
