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
from .ids import register_ids_with_gymnasium
from .ports import Input, Output
from .program import Program, run
from .reactor import Reactor
from .report import EnclaveReport, RunReport
from .time import FOREVER, NEVER, Tag, msec, nsec, sec, usec

if TYPE_CHECKING:
    from . import atari as atari
    from . import film as film
    from . import testing as testing
    from . import vector as vector
    from .vector import make_vec as make_vec

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
    "make_vec",
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


register_ids_with_gymnasium()


def __getattr__(name: str) -> Any:
    # Imported when they are first asked for, as programs do not need them.
    if name in ("atari", "film", "rl", "testing", "vector"):
        import importlib  # noqa: PLC0415

        return importlib.import_module(f".{name}", __name__)
    if name == "make_vec":
        from .vector import make_vec  # noqa: PLC0415

        return make_vec
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
