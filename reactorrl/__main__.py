"""The command line: `reactorrl train ppo`, `reactorrl doctor`; also as `python -m reactorrl`."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib import metadata, util

from . import __version__, _core
from .interrupts import gil_explanation, gil_is_enabled
from .placement import place, usable_cores

# In a process of its own, as the GIL cannot be switched off again.
_TORCH_PROBE = """
import sys, warnings
warnings.simplefilter("ignore")
is_on = getattr(sys, "_is_gil_enabled", lambda: True)
import torch
print(is_on())
torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
print(is_on())
"""
_PROBE_SECONDS = 180

_OWN = "module:Class"
_PROGRAMS = {  # reactorrl.rl.presets.PROGRAMS, without importing it
    "dqn": "deep Q-learning with a replay buffer",
    "ppo": "proximal policy optimization",
    "a2c": "synchronous advantage actor-critic",
    "a3c": "asynchronous advantage actor-critic, the same in every run",
    "qlearning": "parallel Q-learning, on a table or with a small network",
    "marl": "PPO for several agents (PettingZoo)",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Args:
        argv: The arguments, or `None` for those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="reactorrl", description="Reactors for reinforcement learning on free-threaded Python."
    )
    parser.add_argument("--version", action="version", version=f"reactorrl {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    commands.add_parser("doctor", help="say what this machine and interpreter offer to programs")
    train = commands.add_parser(
        "train",
        help="train a program; `train ppo --help` lists its flags",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="programs:\n" + "\n".join(f"  {name:<14}{what}" for name, what in _PROGRAMS.items()),
    )
    names = ",".join((*_PROGRAMS, _OWN))
    train.add_argument("program", type=_program, metavar=f"{{{names}}}")
    train.add_argument("flags", nargs=argparse.REMAINDER, help="of the program and the run")
    evaluate = commands.add_parser(
        "evaluate", add_help=False, help="evaluate what a run has learned, from its checkpoint"
    )
    evaluate.add_argument("flags", nargs=argparse.REMAINDER)
    bench = commands.add_parser(
        "bench", add_help=False, help="measure on this machine, next to peers"
    )
    bench.add_argument("flags", nargs=argparse.REMAINDER)
    trace = commands.add_parser("trace", help="say where the time of a traced run went")
    trace.add_argument("action", choices=["summary"])
    trace.add_argument("file", help="what trace= wrote")
    arguments, more = parser.parse_known_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    if arguments.command == "train":
        from .rl.cli import train_command  # noqa: PLC0415 - --help need not wait for it

        return train_command(arguments.program, arguments.flags)
    if arguments.command == "evaluate":
        from .rl.cli import evaluate_command  # noqa: PLC0415

        return evaluate_command([*more, *arguments.flags])
    if arguments.command == "bench":
        from .bench.command import main as bench_command  # noqa: PLC0415

        return bench_command([*more, *arguments.flags])
    if more:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    if arguments.command == "trace":
        from .trace_summary import trace_command  # noqa: PLC0415

        return trace_command(arguments.action, arguments.file)
    for section in (_interpreter, _processors, _libraries):
        for name, finding in section():
            print(f"{name:<12} {finding}", flush=True)
    return 0


def _program(name: str) -> str:
    if name not in _PROGRAMS and ":" not in name:
        names = ", ".join(_PROGRAMS)
        raise argparse.ArgumentTypeError(f"no program {name!r}; one of {names}, or {_OWN}")
    return name


def _interpreter() -> Iterator[tuple[str, str]]:
    build = "free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else "ordinary"
    version = platform.python_version()
    yield "reactorrl", f"{__version__} in {os.path.dirname(__file__)}"
    yield "interpreter", f"{platform.python_implementation()} {version}, {build}: {sys.executable}"
    yield "GIL", gil_explanation() if gil_is_enabled() else "off: reactions run in parallel"


def _processors() -> Iterator[tuple[str, str]]:
    topology = _core.topology()
    cores = len({core for _, core, _, _ in topology})
    caches = len({cache for _, _, cache, _ in topology})
    text = f"{len(topology)} usable CPUs on {cores} cores and {caches} last-level caches"
    speeds = {performance for *_, performance in topology}
    yield "processors", text + (f", {len(speeds)} kinds of them" if len(speeds) > 1 else "")
    quota = _core.cgroup_cpus()
    if quota:
        yield "cgroup", f"grants the time of {quota} CPUs"
    yield "workers", f"{usable_cores()} unless workers= says otherwise, not pinned"
    for affinity in ("performance", "spread"):
        _, cpus = place(affinity, None)
        yield affinity, f"affinity={affinity!r} would pin them to CPUs {cpus}"


def _libraries() -> Iterator[tuple[str, str]]:
    for name in ("numpy", "gymnasium", "ale-py"):
        yield name, _version(name)
    has_torch = util.find_spec("torch") is not None
    yield "torch", (_torch_and_gil() if has_torch else "not installed")
    if has_torch:
        has_triton = util.find_spec("triton") is not None
        yield "triton", _version("triton") if has_triton else "not installed"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _torch_and_gil() -> str:
    version = _version("torch")
    if gil_is_enabled():
        return version
    command = [sys.executable, "-c", _TORCH_PROBE]
    try:
        probe = subprocess.run(
            command, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{version}; trying it failed: {error}"
    after_import, after_optimizer = (line == "True" for line in probe.stdout.split()[-2:])
    if after_import:
        return f"{version}; importing it switches the GIL on"
    if after_optimizer:
        return (
            f"{version}; the first optimizer imports triton, which switches the GIL on; before it:"
            " sys.modules['triton'] = None; import torch._dynamo; del sys.modules['triton']"
        )
    return f"{version}; the GIL stays off"


if __name__ == "__main__":
    sys.exit(main())
