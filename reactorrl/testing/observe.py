"""Looking into a running program: which bodies run, what they set and schedule.

The bodies are wrapped when the program is assembled, and the classes of its ports and actions are
exchanged for ones that tell. So a program that nobody observes pays nothing.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from ..declare import HISTORY
from ..elements import Mode
from ..errors import PhaseError
from ..program import Program
from ..report import RunReport
from ..time import Tag, TimeLike, sec, to_ns
from ..tree import Node

LIMIT_NS = sec(60)
"""Physical time that a run under test may take unless its caller says otherwise."""
_GRACE_NS = sec(2)  # for the end of a program that took too long


class Body:
    """One run of one body.

    Attributes:
        order: Of its reaction among those of a tag: its level, and its id.
        path: The reaction's path.
        node: Of its reactor.
        tag: When it runs.
        is_handler: Whether it is the handler of a missed deadline.
    """

    __slots__ = ("_histories", "is_handler", "node", "observer", "order", "path", "tag")

    observer: Observer
    order: tuple[int, int]
    path: str
    node: Node
    tag: Tag
    is_handler: bool

    def __init__(
        self,
        observer: Observer,
        order: tuple[int, int],
        path: str,
        node: Node,
        tag: Tag,
        histories: set[tuple[int, int]],
        *,
        is_handler: bool,
    ) -> None:
        self.observer, self.order, self.path, self.node = observer, order, path, node
        self.tag, self.is_handler, self._histories = tag, is_handler, histories

    def way_into(self, mode: Any) -> str:
        """How its reaction enters a mode: by `"reset"`, or by `"history"`."""
        return "history" if (self.order[1], mode.id) in self._histories else "reset"


class Written(NamedTuple):
    """A reaction as it is written.

    Attributes:
        node: Of its reactor.
        functions: The body, and the handler of a missed deadline if there is one.
        declared: (role, live element or built-in).
    """

    node: Node
    functions: tuple[Callable[[Any], object], ...]
    declared: list[tuple[int, Any]]


class Observer:
    """Is told what bodies do, on the worker that runs them; derive from it what you need."""

    def begin(self, body: Body) -> None:
        """`body` is about to run."""

    def end(self, body: Body, error: BaseException | None) -> None:
        """It has returned, or raised `error`."""

    def did_set(self, body: Body, port: Any, value: Any) -> None:
        """It has set `port`."""

    def did_enter(self, body: Body, mode: Any, how: str) -> None:
        """It has asked for a transition into `mode`, by `"reset"` or `"history"`."""

    def did_schedule(self, body: Body, action: Any, tag: Tag | None, value: Any) -> None:
        """It has scheduled an event at `tag`, or one that was dropped."""


class _Here(threading.local):
    body: Body | None = None


_here = _Here()


class ObservedProgram(Program):
    """A program whose bodies, ports and actions tell an observer what they do.

    Args:
        main: The top reactor.
        observer: Who is told.
        **options: Of `Program`.
    """

    def __init__(self, main: Any, observer: Observer, **options: Any) -> None:
        self._observer = observer
        self._instrument = self._watch
        self._functions: dict[str, list[Callable[[Any], object]]] = {}  # body, handler
        self._levels: list[int] = []
        self._histories: set[tuple[int, int]] = set()  # (reaction, mode that it so enters)
        super().__init__(main, **options)
        self._levels += self._runtime.levels
        rows = enumerate(self._assembly.declared())
        self._histories |= {
            (reaction, each.id) for reaction, row in rows for role, each in row if role == HISTORY
        }
        for element in self._assembly.elements():
            element.__class__ = _telling(type(element))

    def _watch(
        self, reaction: int, path: str, node: Node, function: Callable[[Any], object]
    ) -> Callable[[Any], object]:
        observer, levels, histories = self._observer, self._levels, self._histories
        self._functions.setdefault(path, []).append(function)
        is_handler = len(self._functions[path]) > 1

        @functools.wraps(function)
        def watched(reactor: Any) -> None:
            order = (levels[reaction], reaction)
            body = Body(observer, order, path, node, reactor.tag, histories, is_handler=is_handler)
            observer.begin(body)
            _here.body = body
            try:
                function(reactor)
            except BaseException as error:
                _here.body = None
                observer.end(body, error)
                raise
            _here.body = None
            observer.end(body, None)

        return watched

    def __repr__(self) -> str:
        return f"<Program {self.tested}, {self._phase}>"

    @property
    def tested(self) -> str:
        """The path of the main reactor, which may have a nameless bench around it."""
        return next((node.path for node in self._assembly.nodes if node.path), "")

    @property
    def bodies(self) -> dict[str, Written]:
        """What each reaction is, by path, without those of a bench."""
        assembly = self._assembly
        rows = zip(assembly.paths, assembly.owners, assembly.declared(), strict=True)
        return {
            path: Written(node, tuple(self._functions[path]), elements)
            for path, node, elements in rows
            if node.path
        }

    @property
    def is_running(self) -> bool:
        """Whether it has been started and not been joined."""
        return self._phase == "running"

    def run_within(self, limit: TimeLike) -> RunReport:
        """Run to the end as `run` does, but for no longer than `limit` of physical time.

        Raises:
            TimeoutError: The time is up; says what runs.
        """
        self.start()
        report = self.join(to_ns(limit, "limit"))
        if report is None:
            raise self.timed_out("has not ended within its time")
        return report

    def timed_out(self, what: str) -> TimeoutError:
        """Stop the program, with a grace for its bodies, and return the error that says what runs.

        Args:
            what: What has taken too long.
        """
        text = f"{self} {what}:\n{self._described()}"
        self.abandon()
        return TimeoutError(text)

    def abandon(self) -> None:
        """Stop; wait a little for its end."""
        self.stop()
        if self._runtime.wait(_GRACE_NS):
            self._end()


@functools.cache
def _telling(cls: type) -> type:
    """A class like `cls`, of the same layout, whose `set` and `schedule` tell the observer."""
    namespace: dict[str, Any] = {"__slots__": (), "__module__": cls.__module__}
    if issubclass(cls, Mode):
        plain_enter: Any = cls.set

        def enter(self: Any) -> None:
            plain_enter(self)
            body = _here.body
            if body is not None:
                body.observer.did_enter(body, self, body.way_into(self))

        namespace["set"] = enter
    elif hasattr(cls, "set"):
        plain_set: Any = cls.set

        def set(self: Any, *value: Any) -> None:  # noqa: A001
            plain_set(self, *value)
            body = _here.body
            if body is not None:
                body.observer.did_set(body, self, value[0] if value else None)

        namespace["set"] = set
    if hasattr(cls, "schedule"):
        plain_schedule: Any = cls.schedule

        def schedule(self: Any, value: Any = None, *, delay: TimeLike = 0) -> Any:
            handle = plain_schedule(self, value, delay=delay)
            body = _here.body
            if body is not None:
                body.observer.did_schedule(body, self, handle.tag, value)
            return handle

        namespace["schedule"] = schedule
    return type(cls.__name__, (cls,), namespace)


def main_of(make: Callable[[], Any]) -> Any:
    """Call a factory of main reactors; TypeError if it makes something else, or always the same."""
    return unused(make() if callable(make) else make)


def unused(main: Any) -> Any:
    """Return what a factory has made; TypeError if it is no reactor, PhaseError if it has run."""
    if isinstance(main, Program):
        raise TypeError(
            "the factory returns the main reactor, not a Program; give its options as keywords"
        )
    if getattr(getattr(main, "_rrl", None), "membership", None) is not None:
        raise PhaseError(f"{main.path} has been assembled before; make a new one at each call")
    return main


def paced(options: dict[str, Any]) -> dict[str, Any]:
    """The options of one run: as fast as possible, unless they say how time passes.

    `clock=VirtualClock`, the class, gives each run a clock of its own.
    """
    clock = options.get("clock")
    if isinstance(clock, type):
        return {**options, "clock": clock()}
    return options if clock is not None else {"fast": True, **options}
