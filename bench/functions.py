"""Experiments as functions, for scripts and notebooks.

Each measures on this machine, now, and returns `Results`, which show themselves as a table and draw
their pictures with `.plot()`. Shared by all of them:

    peers: Words from the names of peers to compare with, as in ("ray", "xronos"); None takes all
        that are installed, () none.
    only: Words, one of which the name of a case must contain.
    mode: "quick", "full" or "smoke", which are the options of the command line.
    progress: Whether to show a bar with the time left.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from . import experiments
from .experiments import EXPERIMENTS
from .harness import MODES, Case, Settings
from .results import Results
from .running import Progress, run

# By `__getattr__`, so that no experiment is imported before it is asked for.
determinism: Callable[..., Results]
marl: Callable[..., Results]
micro: Callable[..., Results]
overhead: Callable[..., Results]
q_learning: Callable[..., Results]
sampling: Callable[..., Results]


def load(path: str | Path) -> Results:
    """The results that `Results.save` or the command line wrote there."""
    return Results.load(path)


def measured(
    name: str,
    make_cases: Callable[[Settings], Sequence[Case]],
    only: Sequence[str],
    peers: Sequence[str] | None,
    mode: str,
    progress: bool,
) -> Results:
    """Measures what is asked for of an experiment's cases."""
    if mode not in MODES:
        raise ValueError(f"no mode {mode!r}; there are {', '.join(MODES)}")
    settings = replace(MODES[mode], experiment_s=math.inf)  # what is asked for is measured
    cases = make_cases(settings)
    experiments.refuse_unknown(only, cases)
    chosen = experiments.chosen(cases, only, peers)
    with Progress(chosen, shown=progress) as bar:
        return run(EXPERIMENTS[name], chosen, settings, bar)


def broadcast_gather(
    *,
    sizes: Sequence[int] | None = None,
    actors: Sequence[int] | None = None,
    copies: Sequence[bool] = (False, True),
    peers: Sequence[str] | None = None,
    only: Sequence[str] = (),
    mode: str = "quick",
    progress: bool = True,
) -> Results:
    """What does it cost to send an object to N actors, and to gather an answer of each?

    Args:
        sizes: Bytes of the object, with 6 actors; None takes those of the mode.
        actors: How many, with an object of 10 MB; None takes those of the mode.
        copies: Whether actors return the object itself (False), or a copy of it (True).
        peers: See the module.
        only: See the module.
        mode: See the module.
        progress: See the module.
    """
    from .broadcast_gather.cases import cases  # noqa: PLC0415 - needs reactorrl, peers have none

    narrowed = partial(cases, sizes=sizes, actors=actors, copies=copies)
    return measured("broadcast-gather", narrowed, only, peers, mode, progress)


def experiment_function(name: str) -> Callable[..., Results]:
    """The function of an experiment whose cases are fixed, and narrowed by their coordinates."""

    def function(
        *,
        peers: Sequence[str] | None = None,
        only: Sequence[str] = (),
        mode: str = "quick",
        progress: bool = True,
        **at: object,
    ) -> Results:
        def narrowed(settings: Settings) -> list[Case]:
            return experiments.where(EXPERIMENTS[name].cases(settings), at)

        return measured(name, narrowed, only, peers, mode, progress)

    function.__name__ = function.__qualname__ = name.replace("-", "_")
    function.__doc__ = f"""{EXPERIMENTS[name].question}

    Args:
        peers: See the module.
        only: See the module.
        mode: See the module.
        progress: See the module.
        at: A value, or several, of any coordinate that cases have, as in `steps=(1, 8)`; a name or
            value that no case has is a ValueError that lists those that there are.
    """
    return function


def __getattr__(attribute: str) -> Callable[..., Results]:
    name = attribute.replace("_", "-")
    if name not in EXPERIMENTS:
        raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
    return experiment_function(name)
