"""Benchmarks of reactorrl and of what else can do the same work (see bench/README.md).

In the tree `bench`, installed `reactorrl.bench`. Measured processes always know it as `bench`, as
the interpreters of peers have no reactorrl; so it imports its own modules relatively.

From a script or a notebook, every experiment is a function:

    from reactorrl.bench import broadcast_gather

    broadcast_gather(sizes=(1_000, 10_000_000), actors=(2, 6), peers=("ray",)).plot()
"""

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # who takes them for the packages of these names would see no functions
    from .functions import broadcast_gather as broadcast_gather
    from .functions import determinism as determinism
    from .functions import load as load
    from .functions import marl as marl
    from .functions import micro as micro
    from .functions import overhead as overhead
    from .functions import q_learning as q_learning
    from .functions import sampling as sampling

EXPERIMENT_FUNCTIONS = (
    "broadcast_gather",
    "determinism",
    "marl",
    "micro",
    "overhead",
    "q_learning",
    "sampling",
)
FUNCTIONS = (*EXPERIMENT_FUNCTIONS, "load")


class _Bench(ModuleType):
    """Functions bear the names of the packages behind them, which must not take their place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in FUNCTIONS or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Bench


def __getattr__(name: str) -> Any:
    """A function of an experiment, found when it is asked for."""
    if name not in FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(".functions", __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *FUNCTIONS]
