"""Reactors for reinforcement learning: deterministic, parallel programs on free-threaded Python.

>>> import reactorrl as rr
"""

from typing import TYPE_CHECKING, Any

from ._version import __version__
from .bank import Bank, interleaved
from .declare import reaction
from .elements import (
    LogicalAction,
    Mode,
    PhysicalAction,
    Timer,
    history,
    reset,
    shutdown,
    startup,
)
from .enclave import enclave
from .errors import (
    AbsentError,
    AssemblyError,
    CapacityError,
    CausalityLoopError,
    PhaseError,
    ReactionError,
    ReactorError,
    RecordingError,
    UndeclaredEffectError,
    UndeclaredUseError,
)
from .ports import Input, Output
from .program import Program, run
from .reactor import Reactor
from .report import EnclaveReport, RunReport
from .time import FOREVER, NEVER, Tag, msec, nsec, sec, usec

if TYPE_CHECKING:
    from . import testing as testing

__all__ = [
    "FOREVER",
    "NEVER",
    "AbsentError",
    "AssemblyError",
    "Bank",
    "CapacityError",
    "CausalityLoopError",
    "EnclaveReport",
    "Input",
    "LogicalAction",
    "Mode",
    "Output",
    "PhaseError",
    "PhysicalAction",
    "Program",
    "ReactionError",
    "Reactor",
    "ReactorError",
    "RecordingError",
    "RunReport",
    "Tag",
    "Timer",
    "UndeclaredEffectError",
    "UndeclaredUseError",
    "__version__",
    "enclave",
    "history",
    "interleaved",
    "msec",
    "nsec",
    "reaction",
    "reset",
    "run",
    "sec",
    "shutdown",
    "startup",
    "usec",
]


def __getattr__(name: str) -> Any:
    if name == "testing":  # imported when it is first asked for, as programs do not need it
        import importlib  # noqa: PLC0415

        return importlib.import_module(".testing", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
