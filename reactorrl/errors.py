"""The exceptions of reactorrl: one tree under `ReactorError`.

Before anything runs: `AssemblyError`, with every problem at once. At run time: `ReactionError` out
of `Program.run`, and the others inside the body that made the mistake.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .diagram import Graph

_SHOWN_PROBLEMS = 30


def described(error: BaseException) -> str:
    """Return an error's type and text, also where asking for the text raises."""
    try:
        text = str(error)
    except Exception as failure:
        text = f"<its text raises {type(failure).__name__}>"
    return f"{type(error).__name__}: {text}"


class ReactorError(Exception):
    """Base of every error that reactorrl raises of its own."""


class AssemblyError(ReactorError):
    """The program cannot be assembled; nothing has run.

    Attributes:
        problems: Every problem found, each with the full paths of what it is about and what to do.
    """

    def __init__(self, problems: Sequence[str] | str) -> None:
        self.problems: list[str] = [problems] if isinstance(problems, str) else list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return self.problems[0]
        lines = [f"{len(self.problems)} problems:"]
        lines += [f"  - {problem}" for problem in self.problems[:_SHOWN_PROBLEMS]]
        if len(self.problems) > _SHOWN_PROBLEMS:
            lines.append(f"  - and {len(self.problems) - _SHOWN_PROBLEMS} more (see .problems)")
        return "\n".join(lines)


class AssemblyValueError(AssemblyError, ValueError):
    """An `AssemblyError` with a bad number among its problems: a negative period, a width of -1."""


class CausalityLoopError(AssemblyError):
    """Reactions wait for each other within one tag; `problems` has what else is wrong, too.

    Attributes:
        cycle: Reactions and ports of the first loop by path, in order; the last one leads to the
            first.
        graph: The diagram of the program with every loop in red, as of `Program.graph`. `None` if
            something else is wrong, too, or the error comes from another process.
    """

    def __init__(
        self,
        problems: Sequence[str] | str,
        cycle: Sequence[str] = (),
        draw: Callable[[], Graph] | None = None,
    ) -> None:
        super().__init__(problems)
        self.cycle: list[str] = list(cycle)
        self._draw = draw

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems, self.cycle)

    @functools.cached_property
    def graph(self) -> Graph | None:
        return None if self._draw is None else self._draw()


class CausalityLoopValueError(CausalityLoopError, AssemblyValueError):
    """A `CausalityLoopError` with a bad number among its other problems."""


class ReactionError(ReactorError):
    """A body raised; the original is `__cause__`, with its traceback.

    Its level finished, the shutdown reactions ran, and of several errors this is the first in
    static order; the others are notes.

    Attributes:
        reaction: Path of the reaction, such as `"Train.rollouts[3].sample"`.
        tag: The `Tag` at which it ran.
        report: The `RunReport` of the run that ended so.
    """

    def __init__(self, reaction: str, tag: Any, report: Any = None) -> None:
        super().__init__(reaction, tag)
        self.reaction = reaction
        self.tag = tag
        self.report = report

    def __str__(self) -> str:
        text = f"reaction {self.reaction} raised at {self.tag}"
        cause = self.__cause__
        return text if cause is None else f"{text}: {described(cause)}"


class AbsentError(ReactorError, LookupError):
    """`.value` of a port or action that is absent at this tag."""


class UndeclaredEffectError(ReactorError):
    """A body set a port or scheduled an action that is no declared effect of its reaction."""


class UndeclaredUseError(ReactorError):
    """A body read an element that its reaction declares neither as a trigger nor as a use."""


class PhaseError(ReactorError, RuntimeError):
    """The call is not allowed now: outside a reaction, before the start, after the end."""


class CapacityError(ReactorError):
    """The queue of a physical action with `full="raise"` is full."""


class RecordingError(ReactorError):
    """A recording cannot be written, or is not one that this program can replay."""
