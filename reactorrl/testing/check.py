"""`check_reactor`: runs a reactor alone, reads its bodies, and says what breaks the promises."""

from __future__ import annotations

import copy
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..clock import VirtualClock
from ..declare import TRIGGER, USE
from ..elements import LogicalAction, startup
from ..errors import ReactionError, UndeclaredEffectError, UndeclaredUseError
from ..notebook import file_name
from ..reactor import Reactor
from ..report import RunReport
from ..time import Tag, msec, sec
from .bench import fed_ports
from .digests import digest
from .inspection import Reading
from .observe import LIMIT_NS, Body, ObservedProgram, Written, paced, unused
from .sources import global_generators
from .traces import Trace, Tracer, assert_same_trace, first_difference

_ADVICE = {
    "undeclared-effect": "add it to effects=",
    "undeclared-use": "add it to uses=, or to the triggers",
    "global-random": "use self.rng, or a generator of its own that is made from a seed",
    "wall-clock": "use self.tag",
    "physical-time": "what depends on it differs from run to run; use self.tag",
    "mutation-after-set": "set a copy, or make a new value",
    "mutation-of-input": "work on a copy, or declare the input with mutable=True",
    "shared-state": "instances share it; make it in __init__",
    "global-write": "reactors share it; send values through ports",
    "not-reproducible": "something that is neither seed nor input decides; see the values",
    "raises": "give the inputs that it needs as inputs=, or mend it",
}
_WARNINGS = {"physical-time"}
_PERIOD_NS = msec(1)  # between the given inputs
_MOST_BODIES = 5_000  # then the run is long enough
_IMMUTABLE = (int, float, complex, str, bytes, type(None), type)
_KEPT_VALUES = 64  # values set on ports that are watched, newest


@dataclass(frozen=True)
class Finding:
    """Something about a reactor that breaks a promise.

    Attributes:
        kind: One of those that `check_reactor` lists.
        path: Of the reaction.
        file: Where, if known.
        line: Of the file.
        what: What it does.
        advice: What to do.
        is_warning: Whether `assert_reactor` lets it pass.
    """

    kind: str
    path: str
    file: str
    line: int
    what: str
    advice: str
    is_warning: bool = False

    def __str__(self) -> str:
        where = f" ({file_name(self.file)}:{self.line})" if self.file else ""
        level = "warning" if self.is_warning else "error"
        what, colon, more = self.what.partition(":\n")
        return f"{level} [{self.kind}] {self.path}{where} {what}; {self.advice}{colon}{more}"


class Findings(list[Finding]):
    """What `check_reactor` found, with what it could not see.

    Attributes:
        not_run: Paths of reactions that did not run; give `inputs=` that trigger them.
        not_read: Functions whose source is not there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.not_run: list[str] = []
        self.not_read: list[str] = []
        self.told: set[tuple[str, str, int]] = set()  # what the source of a body has told

    def __str__(self) -> str:
        lines = [*map(str, self)] or ["nothing found"]
        if self.not_run:
            lines.append(f"did not run: {', '.join(self.not_run)}")
        if self.not_read:
            lines.append(f"no source of: {', '.join(self.not_read)}")
        return "\n".join(lines)

    @property
    def errors(self) -> list[Finding]:
        """Those that are more than warnings."""
        return [finding for finding in self if not finding.is_warning]

    def note(self, kind: str, path: str, file: str, line: int, what: str) -> None:
        """Add one, unless the same thing was found at the same place."""
        for known in self:
            if (known.kind, known.file, known.line) == (kind, file, line) and (
                known.what == what or known.path == path
            ):
                return
        self.append(Finding(kind, path, file, line, what, _ADVICE[kind], kind in _WARNINGS))

    def note_seen(self, kind: str, path: str, file: str, line: int, what: str) -> None:
        """Add what was seen when a body ran, unless its source has told so, and where."""
        if (kind, file, line) not in self.told:
            self.note(kind, path, file, line, what)


def check_reactor(
    reactor: Callable[..., Reactor],
    /,
    *args: Any,
    inputs: Iterable[Mapping[Any, Any]] = (),
    options: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Findings:
    """Run a reactor alone, twice, read the source of its bodies, and list what breaks promises.

    Kinds of findings, by what a body does:

    - `undeclared-effect`, `undeclared-use`: touches what its reaction does not declare
    - `global-random`: draws from a global generator, or an unseeded one
    - `wall-clock`: reads a clock
    - `physical-time`: calls `physical_elapsed()` or `lag()`; a warning
    - `mutation-after-set`: changes a value that it has set on a port
    - `mutation-of-input`: changes a value that it got through an input that is not `mutable`
    - `shared-state`: changes an attribute of the class
    - `global-write`: changes a variable of the module or of an outer function
    - `not-reproducible`: two runs with the same seed and inputs differ
    - `raises`: raises an error

    Both ways of looking have limits. What runs is seen only where it ran, so give `inputs`; what is
    read is followed through functions of the reactor's own package only. What was not seen is in
    the result, too. A reactor with children is checked with all of them.

    Args:
        reactor: A reactor class, or a function that returns a new reactor.
        *args: For it.
        **kwargs: For it; a class with a parameter named `inputs` or `options` needs a function
            around it.
        inputs: What to feed, one after another, from 1 ms of logical time on, 1 ms apart: mappings
            from inputs (`Rollout.weights`, or the name) to values; for a multiport a sequence with
            a value for each channel, or a mapping from indices.
        options: Of `Program`; `seed=0` and a `timeout` of 1 s unless given.

    Returns:
        The findings, a list. Empty if nothing was found.

    Raises:
        AssemblyError: The reactor cannot be assembled.
        PhaseError: The function returns one that it has returned before.
        TypeError: `inputs` names something else than inputs of the reactor.
        TimeoutError: It does not come to an end.

    >>> import random
    >>> import reactorrl as rr
    >>> class Dice(rr.Reactor):
    ...     roll, eyes = rr.Input(), rr.Output()
    ...     @rr.reaction(roll, effects=eyes)
    ...     def throw(self):
    ...         self.eyes.set(random.randint(1, 6))
    >>> finding, *_ = check_reactor(Dice, inputs=[{Dice.roll: None}])
    >>> print(finding.kind, finding.path, finding.what)
    global-random Dice.throw uses random.randint()
    """
    if isinstance(reactor, Reactor):
        made = type(reactor).__name__
        raise TypeError(f"give the class or a function: check_reactor({made}), not an instance")
    fed = list(inputs)
    # One body at a time, so that it is clear which one has changed something.
    alone = {"clock": VirtualClock, "workers": 1}
    chosen = {"seed": 0, "timeout": sec(1), **(options or {}), **alone}
    findings = Findings()
    ran: set[str] = set()
    traces: list[Trace] = []
    # Copies, as a run may change what it is given.
    bodies: Mapping[str, Written] = {}
    names: dict[str, dict[int, tuple[str, Any]]] = {}
    for given in (_copied((args, kwargs, fed)), (args, kwargs, fed)):
        watch = _Watch(findings, names)
        main = unused(reactor(*given[0], **given[1]))
        if not isinstance(main, Reactor):
            raise TypeError(f"check_reactor() checks reactors, got {main!r}")
        program = ObservedProgram(_bench(main, given[2]), watch, **paced(chosen))
        bodies = program.bodies
        watch.attend(bodies)
        if not traces:
            _read(bodies, findings, names)
        traces.append(watch.trace(_run(program)))
        ran |= {row.path for row in traces[-1].rows}
    findings.not_run = [path for path in bodies if path not in ran]
    _compare(*traces, findings, bodies)
    return findings


def assert_reactor(
    reactor: Callable[..., Reactor],
    /,
    *args: Any,
    inputs: Iterable[Mapping[Any, Any]] = (),
    options: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Raise an AssertionError that lists what `check_reactor` finds, warnings aside."""
    findings = check_reactor(reactor, *args, inputs=inputs, options=options, **kwargs)
    if findings.errors:
        raise AssertionError("\n".join(map(str, findings.errors)))


def _bench(main: Reactor, fed: Sequence[Mapping[Any, Any]]) -> Reactor:
    """A nameless reactor around `main` that sets its inputs."""
    feeds = [fed_ports(main, feed, "inputs= takes mappings such as") for feed in fed]
    ports = list({id(port): port for feed in feeds for port in feed}.values())

    class Bench(Reactor):
        feed = LogicalAction(_PERIOD_NS)

        def __init__(self) -> None:
            setattr(self, type(main).__name__, main)
            self.n = 0
            self.add_reaction(self.schedule, [startup, self.feed], effects=self.feed)
            if ports:
                self.add_reaction(self.set_ports, self.feed, effects=ports)

        def schedule(self) -> None:
            if self.n < len(feeds):
                self.feed.schedule(self.n)
                self.n += 1

        def set_ports(self) -> None:
            for port, value in feeds[self.feed.value].items():
                port.set(value)

    Bench.__name__ = ""
    return Bench()


def _copied(given: Any) -> Any:
    try:
        return copy.deepcopy(given)
    except Exception:  # whatever a class of the user's does; then both runs get the same
        return given


def _run(program: ObservedProgram) -> RunReport:
    try:
        return program.run_within(LIMIT_NS)
    except ReactionError as error:
        return error.report


def _read(bodies: Mapping[str, Written], findings: Findings, names: dict[str, Any]) -> None:
    """Reads the source of all bodies; keeps the containers outside that they name."""
    unread: dict[str, None] = {}
    for path, written in bodies.items():
        reading = Reading(written)
        for found in reading.found:
            findings.note(found.kind, path, found.file, found.line, found.what)
            findings.told.add((found.kind, *_place(written)))
        unread.update(dict.fromkeys(reading.unread))
        names[path] = reading.names
    findings.not_read = list(unread)


def _compare(a: Trace, b: Trace, findings: Findings, bodies: Mapping[str, Written]) -> None:
    try:
        assert_same_trace(a, b, ("first", "second"))
    except AssertionError as difference:
        first = first_difference(a, b)
        row = (first and first[-1]) or (a.rows or b.rows)[-1]
        file, line = _place(bodies[row.path])
        text = str(difference).partition("\n")[2]
        what = f"does something else in a second run:\n{text}"
        findings.note("not-reproducible", row.path, file, line, what)


def _place(written: Written) -> tuple[str, int]:
    code = getattr(written.functions[0], "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code else ("", 0)


@dataclass
class _SetValue:
    """A value on its way, which nobody may change."""

    port: str
    value: Any
    digest: str
    tag: Tag
    writer: Any  # the node of its reactor


class _Watch(Tracer):
    """Looks before and after each body at what it may have changed.

    Args:
        findings: Where to tell.
        names: Of each path, the mutable containers outside the reactor that the body names.
    """

    def __init__(self, findings: Findings, names: Mapping[str, dict[int, tuple[str, Any]]]) -> None:
        super().__init__(values=True)
        self._findings = findings
        self._names = names
        self._bodies: Mapping[str, Written] = {}
        self._held: deque[_SetValue] = deque(maxlen=_KEPT_VALUES)
        self._n_bodies = 0

    def attend(self, bodies: Mapping[str, Written]) -> None:
        """Learn what the reactions are, by path."""
        self._bodies = bodies

    def begin(self, body: Body) -> None:
        super().begin(body)
        if not body.node.path:
            return
        self._n_bodies += 1
        if self._n_bodies == _MOST_BODIES:
            body.node.reactor.request_stop()
        owned = {id(value) for value in self._owned_by(body)}
        self._held = deque(
            (each for each in self._held if id(each.value) not in owned), _KEPT_VALUES
        )
        self._generators = global_generators()
        self._shared = self._shared_digests(body)

    def _owned_by(self, body: Body) -> Iterator[Any]:
        """What the body gets through mutable inputs, and may change."""
        for role, element in self._bodies[body.path].declared:
            if role in (TRIGGER, USE) and getattr(element, "mutable", False):
                for port in getattr(element, "channels", None) or (element,):
                    if port.is_present:
                        yield port.value

    def _shared_digests(self, body: Body) -> dict[tuple[str, str], str]:
        """Of what no body may change: the attributes of its class, containers outside."""
        digests = {}
        for owner in type(body.node.reactor).__mro__:
            if owner is Reactor:
                break
            for name, value in vars(owner).items():
                if not name.startswith(("__", "_rrl_", "_abc_")) and not hasattr(value, "__get__"):
                    digests["shared-state", f"{owner.__name__}.{name}"] = digest(value)
        for name, value in self._names.get(body.path, {}).values():
            digests["global-write", name] = digest(value)
        return digests

    def end(self, body: Body, error: BaseException | None) -> None:
        super().end(body, error)
        if not body.node.path:
            return
        if error is not None:
            self._tell_error(body, error)
        for name, state in global_generators().items():
            if self._generators.get(name, state) != state:
                self._tell(body, "global-random", f"draws from the global generator of {name}")
        for (kind, name), now in self._shared_digests(body).items():
            if self._shared.get((kind, name)) != now:
                self._tell(body, kind, f"changes {name}")
        for each in self._held:
            now = digest(each.value)
            if now == each.digest:
                continue
            each.digest = now
            if each.writer is body.node:
                what = f"changes the value that it set on {each.port} at {each.tag}"
                self._tell(body, "mutation-after-set", what)
            else:
                what = f"changes the value that was set on {each.port} at {each.tag}"
                self._tell(body, "mutation-of-input", what)

    def did_set(self, body: Body, port: Any, value: Any) -> None:
        super().did_set(body, port, value)
        if not isinstance(value, _IMMUTABLE):
            held = _SetValue(str(port), value, digest(value), body.tag, body.node)
            self._held.append(held)

    def _tell(self, body: Body, kind: str, what: str) -> None:
        """What was seen, unless the source has told it already."""
        self._findings.note_seen(kind, body.path, *_place(self._bodies[body.path]), what)

    def _tell_error(self, body: Body, error: BaseException) -> None:
        file, line = _place(self._bodies[body.path])
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == file:
                line = frame.lineno or line
        if isinstance(error, UndeclaredEffectError):
            kind = "undeclared-effect"
        elif isinstance(error, UndeclaredUseError):
            kind = "undeclared-use"
        else:
            kind = "raises"
        text = f"raises {type(error).__name__}: {error}"
        self._findings.note(kind, body.path, file, line, text)
