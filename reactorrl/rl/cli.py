"""`reactorrl train` and `reactorrl evaluate`: flags from the options' fields and docstrings."""

from __future__ import annotations

import argparse
import inspect
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict, fields, make_dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import tyro

import reactorrl as rr

from . import checkpoint
from .algorithm import Options
from .presets import PROGRAMS, Preset, load_program, preset_for
from .train import (
    EVALUATION_SEED,
    RunOptions,
    checkpoint_path,
    evaluation_line,
    options_of,
    train,
)

_FAILED, _INTERRUPTED = 1, 130
_FILES = {"--save-plot": "{run}/returns.png", "--trace": "{run}/trace.json"}

# What bad input raises, with a text that says all.
_MISTAKES = (gym.error.Error, ImportError, OSError, TypeError, ValueError, rr.ReactorError)


def train_command(name: str, arguments: Sequence[str]) -> int:
    """Run `reactorrl train NAME ARGUMENTS...` and return its exit status."""
    try:
        options, run, preset = parse(name, arguments)
        print(options_table(name, options, preset), flush=True)
        train(name, options, run, say=_say)
    except KeyboardInterrupt as interrupt:
        _say("\n".join(getattr(interrupt, "__notes__", [])))
        return _INTERRUPTED
    except _MISTAKES as error:
        _complain(f"train {name}", error)
        return _FAILED
    return 0


def evaluate_command(arguments: Sequence[str]) -> int:
    """Run `reactorrl evaluate ARGUMENTS...` and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="reactorrl evaluate",
        description="Evaluate the greedy policy of a checkpoint, a model, or a run's folder.",
    )
    parser.add_argument("checkpoint", type=Path, help="checkpoint.npz, best.npz, model.npz, folder")
    parser.add_argument("--episodes", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--seed", type=int, help="default: that of the evaluations of its run")
    asked = parser.parse_args(arguments)
    if asked.episodes < 1:
        parser.error("--episodes must be at least 1")
    try:
        path = checkpoint_path(asked.checkpoint)
        tree, header = checkpoint.load(path)
        name = header.get("program")
        if name not in PROGRAMS and ":" not in str(name):
            raise checkpoint.CheckpointError(f"{path}: of {name!r}, which is no program here")
        program, options_class = load_program(name)
        options = options_of(header, path, name, options_class)
        _say(f"{path}: {name} on {options.env_id} at {header['env_steps']:,} env steps")
        seed = options.seed + EVALUATION_SEED if asked.seed is None else asked.seed
        returns = program(options).evaluate(tree["weights"], episodes=asked.episodes, seed=seed)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except _MISTAKES as error:
        _complain("evaluate", error)
        return _FAILED
    _say(evaluation_line(returns))
    return 0


def parse(name: str, arguments: Sequence[str]) -> tuple[Options, RunOptions, Preset]:
    """Return the options that the flags ask for, and the preset of their env.

    Flags that are not given are those of the checkpoint to resume, else of the preset.

    Raises:
        CheckpointError: There is no such checkpoint, or it is of another program.
        SystemExit: `--help`, or a flag is wrong.
    """
    arguments = _with_files(arguments)
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    # Without a value, too: the parser below says then what is missing.
    first.add_argument("--env-id", "--env_id", nargs="?")
    first.add_argument("--resume", type=Path, nargs="?")
    known, _ = first.parse_known_args([each for each in arguments if each not in ("--help", "-h")])
    algorithm, options_class = load_program(name)
    if known.resume is not None:
        path = checkpoint_path(known.resume)
        default = options_of(checkpoint.load(path)[1], path, name, options_class)
        preset = Preset("the checkpoint", asdict(default))
    else:
        env_id = known.env_id or options_class().env_id
        preset = preset_for(name, env_id)
        default = options_class(env_id=env_id, **preset.values)

    both = make_dataclass("Both", [("program", options_class), ("run", RunOptions)])
    asked: Any = tyro.cli(
        both,
        prog=f"reactorrl train {name}",
        description=_first_paragraphs(algorithm),
        args=list(arguments),
        default=both(program=default, run=RunOptions()),
        config=(tyro.conf.OmitArgPrefixes,),
    )
    return asked.program, asked.run, preset


def options_table(name: str, options: Options, preset: Preset) -> str:
    """Say in which options a run differs from the program's defaults; those by flags are marked."""
    lines = [f"{name} on {options.env_id}, seed {options.seed}; preset: {preset.source}"]
    for each in fields(options):
        value = getattr(options, each.name)
        expected = preset.values.get(each.name, each.default)
        if each.name != "env_id" and (value != expected or value != each.default):
            mark = "  (flag)" if value != expected else ""
            lines.append(f"  {each.name:<24} {value}{mark}")
    return "\n".join(lines)


def _with_files(arguments: Sequence[str]) -> list[str]:
    """Give `--save-plot` and `--trace` a file where they come without one."""
    result: list[str] = []
    following = [*arguments[1:], "--"]
    for argument, after in zip(arguments, following, strict=False):
        result.append(argument)
        default = _FILES.get(argument.replace("_", "-"))
        if default is not None and after.startswith("-"):
            result.append(default)
    return result


def _first_paragraphs(program: type) -> str:
    return inspect.cleandoc(program.__doc__ or "").partition("\n\nArgs:")[0]


def _say(line: str) -> None:
    print(line, flush=True)


def _complain(command: str, error: BaseException) -> None:
    """Print what went wrong; for what a reaction raised, where as well."""
    if isinstance(error, rr.ReactionError) and error.__cause__ is not None:
        traceback.print_exception(error.__cause__)
    lines = [f"reactorrl {command}: {error}", *getattr(error, "__notes__", [])]
    print("\n".join(lines), file=sys.stderr)
