"""The command line: `reactorrl train ppo`, `graph`, `doctor`; also as `python -m reactorrl`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from . import __version__

_OWN = "module:Class"
_PROGRAMS = {  # reactorrl.rl.presets.PROGRAMS, without importing it
    "dqn": "deep Q-learning with a replay buffer",
    "ppo": "proximal policy optimization",
    "a2c": "synchronous advantage actor-critic",
    "a3c": "asynchronous advantage actor-critic, the same in every run",
    "qlearning": "parallel Q-learning, on a table or with a small network",
    "marl": "PPO for several agents (PettingZoo)",
}
# Each has a parser of its own, in a module that is imported when it is asked for.
_COMMANDS = {
    "evaluate": ("rl.cli", "evaluate_command", "evaluate what a run has learned"),
    "graph": ("graph_command", "graph_command", "draw a program without running it"),
    "trace": ("trace_summary", "trace_command", "say where the time of a traced run went"),
    "bench": ("bench.command", "main", "measure on this machine, next to peers"),
    "doctor": ("doctor", "doctor_command", "say what this machine offers, and what is wrong"),
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
    train = commands.add_parser(
        "train",
        help="train a program; `train ppo --help` lists its flags",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="programs:\n" + "\n".join(f"  {name:<14}{what}" for name, what in _PROGRAMS.items()),
    )
    names = ",".join((*_PROGRAMS, _OWN))
    train.add_argument("program", type=_program, metavar=f"{{{names}}}")
    train.add_argument("flags", nargs=argparse.REMAINDER, help="of the program and the run")
    for name, (_, _, what) in _COMMANDS.items():
        command = commands.add_parser(name, add_help=False, help=what)
        command.add_argument("flags", nargs=argparse.REMAINDER)
    arguments, more = parser.parse_known_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    if arguments.command == "train":
        from .rl.cli import train_command  # noqa: PLC0415 - --help need not wait for it

        return train_command(arguments.program, arguments.flags)
    module, function, _ = _COMMANDS[arguments.command]
    run = getattr(import_module(f".{module}", __package__), function)
    return run([*more, *arguments.flags])


def _program(name: str) -> str:
    if name not in _PROGRAMS and ":" not in name:
        names = ", ".join(_PROGRAMS)
        raise argparse.ArgumentTypeError(f"no program {name!r}; one of {names}, or {_OWN}")
    return name


if __name__ == "__main__":
    sys.exit(main())
