"""`Simulation`: a reactor under a virtual clock, tag by tag."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from .. import _core
from ..clock import VirtualClock
from ..elements import Mode, PhysicalAction
from ..errors import PhaseError
from ..ports import INPUTS, MULTIPORTS, OUTPUTS
from ..reactor import Reactor
from ..report import RunReport
from ..time import FOREVER, Tag, TimeLike, sec, to_ns
from ..tree import node_of
from .bench import fed_ports, port_of, ports_of
from .observe import ObservedProgram, main_of
from .traces import Trace, Tracer

_LIMIT_NS = sec(10)


@dataclass(frozen=True)
class Step:
    """What happened at one tag.

    Attributes:
        tag: The tag.
        reactions: Paths of the reactions that ran, those that others wait for first.
        outputs: Values that were set on outputs of the main reactor, by port.
    """

    tag: Tag
    reactions: tuple[str, ...]
    outputs: dict[Any, Any]


class Simulation:
    """Runs a reactor under a virtual clock, tag by tag, and plays its surroundings.

    The main reactor may have ports: `feed` sets its inputs, `outputs` and `step` show what it sets.
    Paths, random numbers and tags are as in a program without a simulation around it; counts and
    `trace_hash` of the report also cover the two reactions that feed and look. Nothing waits: what
    takes too long in physical time, such as a body that hangs, is a TimeoutError. As a context
    manager it finishes at the end of the block. Threads and bodies may schedule physical actions as
    soon as it is made.

    Args:
        main: The reactor, newly made; or its class or another function that makes it.
        limit: Longest physical time of any one call.
        **options: Of `Program`, without `clock` and `fast`; `workers=1` unless given.

    Attributes:
        main: The reactor.
        clock: The `VirtualClock`.

    Raises:
        AssemblyError: As for `Program`.
        TypeError: `main` is no reactor, or an option is none of a simulation.
        ValueError: `main` was made an enclave, which a main reactor is anyway.

    >>> import reactorrl as rr
    >>> class Echo(rr.Reactor):
    ...     inp, out = rr.Input(), rr.Output()
    ...     again = rr.LogicalAction(rr.msec(5))
    ...     @rr.reaction(inp, effects=again)
    ...     def hear(self):
    ...         self.again.schedule(self.inp.value)
    ...     @rr.reaction(again, effects=out)
    ...     def answer(self):
    ...         self.out.set(self.again.value)
    >>> with Simulation(Echo) as sim:
    ...     sim.feed({Echo.inp: "hello"}, at=rr.msec(2))
    ...     steps = sim.run()
    >>> [step.reactions for step in steps if step.reactions]
    [('Echo.hear',), ('Echo.answer',)]
    >>> sim.outputs(Echo.out)
    [(Tag(time=7000000, microstep=0), 'hello')]
    """

    def __init__(self, main: Any, *, limit: TimeLike = _LIMIT_NS, **options: Any) -> None:
        for name in ("clock", "fast"):
            if name in options:
                raise TypeError(f"Simulation() has a virtual clock of its own; leave {name}= out")
        for name in ("record", "replay"):
            if options.get(name) is not None:
                raise TypeError(f"Simulation() cannot {name}: it plays the surroundings itself")
        self.main: Reactor = main_of(main)
        name = type(self.main).__name__
        if not isinstance(self.main, Reactor):
            raise TypeError(f"Simulation() takes a reactor or what makes one, got {self.main!r}")
        if node_of(self.main).enclave is not None:
            raise ValueError(f"{name} is the main reactor and so an enclave already")
        timeout = options.get("timeout")
        self._timeout_ns = FOREVER if timeout is None else to_ns(timeout, "timeout")
        self.clock: VirtualClock = VirtualClock()
        self._limit_ns = to_ns(limit, "limit")
        self._tracer = Tracer(values=True)
        self._bench = _Bench(self.main)
        options.setdefault("workers", 1)
        self._program = _Stepped(self._bench, self._tracer, clock=self.clock, **options)
        self._tag: Tag | None = None
        self._is_over = False
        self._is_finished = self._is_given_up = False
        runtime = self._program.runtime
        self._bench.fed.hold(True)  # more may always be fed
        self._program.start()  # its physical actions take events from now on
        self._release = weakref.finalize(self, _release, runtime)

    def __repr__(self) -> str:
        return f"{str(self._program)[:-1]}, at {self._tag}>" if self._tag else str(self._program)

    @property
    def tag(self) -> Tag | None:
        """The tag that was processed last; `None` before the first."""
        return self._tag

    @property
    def next_tag(self) -> Tag | None:
        """The tag that `step` will process; `None` if nothing is due, or all is over."""
        return None if self._is_over else self._at_rest()

    def feed(self, values: Mapping[Any, Any], at: TimeLike | None = None) -> None:
        """Set inputs of the main reactor, together at one tag; the tag is not processed yet.

        What is fed for the same time again comes a microstep later.

        Args:
            values: From inputs to values: `{main.inp: 1}`, `{Main.inp: 1}` or `{"inp": 1}`; for a
                multiport a sequence with a value for each channel, or a mapping from indices.
            at: The logical time; `None` for now: the clock's, or the next microstep if a tag of
                this time has been processed. The first is at the start, after `startup`.

        Raises:
            TypeError: Something is no input of the main reactor.
            IndexError: A multiport has no such channel.
            ValueError: `at` is in the past, or after the timeout.
            PhaseError: The program has ended.
        """
        fed = fed_ports(self.main, values, "feed() takes")
        _ = self.next_tag  # it rests
        if self._is_over:
            raise PhaseError(f"{self._program} {self._how_it_ended()} and takes nothing in")
        delay_ns = 0 if at is None else to_ns(at, "at") - self.clock.now
        if delay_ns < 0:
            raise ValueError(f"at={at!r} is in the past: it is {self.clock.now} ns")
        if self.clock.now + delay_ns > self._timeout_ns:
            raise ValueError(f"at={at!r} is later than the end, timeout={self._timeout_ns} ns")
        self._bench.fed.schedule(fed, delay=delay_ns)

    def step(self) -> Step | None:
        """Process the next tag and return what happened; `None` if nothing is due.

        Raises:
            ReactionError: A body raised.
            TimeoutError: It takes too long; says what runs.
        """
        tag = self.next_tag
        if tag is None:
            return None
        self._bench.seen.clear()
        _core.step(self._program.runtime, *tag)
        self._tag = tag
        self._at_rest()
        reactions = tuple(row.path for row in self._tracer.take())
        return Step(tag, reactions, dict(self._bench.seen))

    def run_until(self, end: TimeLike) -> list[Step]:
        """Process all tags up to a logical time, and move the clock there; return the steps."""
        until_ns = to_ns(end, "end")
        steps = self._run(until_ns)
        if not self._is_over and self.clock.now < until_ns:
            self.clock.advance(until_ns - self.clock.now)
        return steps

    def run(self) -> list[Step]:
        """Process tags until nothing is due; return the steps.

        Raises:
            ReactionError: A body raised.
            TimeoutError: There is always something due; see `run_until`.
        """
        return self._run(FOREVER)

    def outputs(self, port: Any) -> list[tuple[Tag, Any]]:
        """Return all that was set on an output of the main reactor, with the tags.

        Args:
            port: The output, one declared by the class, or a name; of a multiport a channel.
        """
        found = port_of(self.main, port, OUTPUTS, "output")
        if isinstance(found, MULTIPORTS):
            raise TypeError(f"{found} is a multiport: name a channel, {found.name}[0]")
        return list(self._bench.history.get(found, ()))

    def is_active(self, mode: Any) -> bool:
        """Return whether a mode, and every mode around it, is current; those initially, at first.

        Args:
            mode: A live mode (`sim.main.child.idle`), one declared by the class of the main reactor
                (`Main.idle`), or a path (`"Main.child.idle"`).

        Raises:
            TypeError: It is no mode of the program.
        """
        found = self._program.mode_of(self.main, mode)
        return _core.is_mode_active(self._program.runtime, found)

    def finish(self) -> RunReport:
        """Stop at the next microstep, where shutdown reactions run, and return the report.

        Raises:
            ReactionError: A body raised.
            TimeoutError: It takes too long; says what runs.
        """
        if not self._is_over:
            _ = self.next_tag
        self._is_finished |= not self._is_over
        self._release()
        return self._end()

    def trace(self) -> Trace:
        """Return what has run, with digests of values; after `finish`."""
        return self._tracer.trace(self.finish())

    def __enter__(self) -> Simulation:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None and not self._is_over:
            self.finish()
        self._release()
        if self._program.is_running:
            self._program.abandon()

    def _at_rest(self) -> Tag | None:
        """Wait until nothing can happen before the next step: the next tag, if one is due."""
        answer = _core.wait_for_pause(self._program.runtime, self._limit_ns)
        if answer is None:
            raise self._timed_out("does not come to rest")
        is_paused, tag = answer
        if not is_paused:
            self._end()
        return tag

    def _end(self) -> RunReport:
        self._is_over = True
        report = self._program.join(self._limit_ns)
        if report is None:
            raise self._timed_out("does not end")
        return report

    def _how_it_ended(self) -> str:
        report = self._program.report
        if report is None or self._is_given_up:
            return "has taken too long"
        if self._program.has_failed:
            why = "as a body raised"
        elif self._is_finished:
            why = "by finish()"
        elif report.stop_tag == Tag(self._timeout_ns, 0):
            why = "by its timeout"
        else:
            why = "as a body asked for it"
        return f"has ended at {report.stop_tag}, {why},"

    def _timed_out(self, what: str) -> TimeoutError:
        self._is_over = self._is_given_up = True
        self._release()
        return self._program.timed_out(what)

    def _run(self, until_ns: int) -> list[Step]:
        steps: list[Step] = []
        end = time.monotonic_ns() + self._limit_ns
        while (tag := self.next_tag) is not None and tag.time <= until_ns:
            step = self.step()
            if step is not None:
                steps.append(step)
            if time.monotonic_ns() > end:
                raise self._timed_out(
                    f"has had {len(steps)} tags, the last at {tag}, and more are due; use"
                    " run_until(), or the program goes round in microsteps"
                )
        return steps


class _Bench(Reactor):
    """The surroundings: feeds the inputs of `main` and looks at its outputs."""

    fed = PhysicalAction[dict[Any, Any]](capacity=1 << 20)

    def __init__(self, main: Reactor) -> None:
        setattr(self, type(main).__name__, main)
        self.seen: dict[Any, Any] = {}
        self.history: dict[Any, list[tuple[Tag, Any]]] = {}
        ports = ports_of(main)
        inputs = [port for port in ports if isinstance(port, INPUTS)]
        self.outputs = [
            port
            for each in ports
            if isinstance(each, OUTPUTS)
            for port in (each if isinstance(each, MULTIPORTS) else (each,))
        ]
        self.add_reaction(self.feed, self.fed, effects=inputs)
        if self.outputs:
            self.add_reaction(self.see, self.outputs)

    def feed(self) -> None:
        for port, value in self.fed.value.items():
            port.set(value)

    def see(self) -> None:
        for port in self.outputs:
            if port.is_present:
                self.seen[port] = port.value
                self.history.setdefault(port, []).append((self.tag, port.value))


_Bench.__name__ = ""


class _Stepped(ObservedProgram):
    _is_stepped = True

    @property
    def runtime(self) -> Any:
        """What the core's calls take."""
        return self._runtime

    @property
    def report(self) -> RunReport | None:
        """Of its end, once there is one."""
        return self._report

    @property
    def has_failed(self) -> bool:
        """Whether it has ended with an error."""
        return self._error is not None

    def __repr__(self) -> str:
        return f"<Simulation of {self.tested}, {self._phase}>"

    def mode_of(self, main: Reactor, key: Any) -> Mode:
        """The live mode of the program that a mode, a declaration of `main` or a path means."""
        modes = [each for each in self._assembly.elements() if isinstance(each, Mode)]
        declared = node_of(main).plan.elements
        names = [name for name, _, each in declared if each is key]
        for mode in modes:
            is_meant = str(mode) == key if isinstance(key, str) else mode is key
            if is_meant or (mode.reactor is main and mode.name in names):
                return mode
        there = ", ".join(map(str, modes)) or "none"
        raise TypeError(f"{key!r} is no mode of the program; there are: {there}")


def _release(runtime: Any) -> None:
    """Let a program end that nobody steps any more."""
    runtime.request_stop()
    _core.step(runtime, FOREVER - 1, 2**32 - 1)
