"""`Program`: a reactor with everything below it, assembled, compiled and run."""

from __future__ import annotations

import atexit
import operator
import os
import re
import sys
import threading
import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _core
from .assembly import Assembly, Instrument
from .clock import VirtualClock
from .declare import Reaction
from .errors import AssemblyError, PhaseError, ReactionError, described
from .interrupts import Interrupts, SecondInterrupt, warn_if_gil_is_enabled, warn_user
from .live import LiveView
from .notebook import close_sockets_of_ended_threads
from .placement import Affinity, place
from .ports import check_bool
from .reactor import Reactor
from .recording import Recorder, Recording
from .report import RunReport, make_report
from .time import FOREVER, Tag, TimeLike, sec, to_ns
from .trace import Cast, records_per_track, write_trace
from .tree import node_of

if TYPE_CHECKING:
    from .diagram import Graph

_GRACE_NS = sec(5)  # for bodies that have been interrupted
_EXIT_GRACE_NS = sec(2)  # for programs that run when the interpreter exits
_SHOWN_WARNINGS = 5
_ASSEMBLED, _RUNNING, _ENDED, _LEFT = "assembled", "running", "ended", "left"

_running: dict[Any, weakref.ref[Program]] = {}  # runtimes that are not joined yet
_left: list[Any] = []  # runtimes whose bodies never returned; kept so that nobody frees them
_pruning = threading.Lock()


class Program:
    """A main reactor, assembled and ready to run once.

    Construction assembles: it validates everything, computes levels and fails with all problems at
    once. Then either `run()`, or `start()` and `join()`. As a context manager, a program that still
    runs at the end of the block is stopped and joined. Several programs may exist and run at once.

    Args:
        main: The top reactor. An instance belongs to one program.
        workers: Threads that run reactions; `None` for the usable cores. The results do not depend
            on it. Those of enclaves come on top.
        fast: Do not wait for physical time.
        timeout: Logical time (ns or `timedelta`) at which the program ends; its events still
            happen.
        keepalive: Do not end for lack of events.
        affinity: `None`, `"performance"` (fast cores first, one worker per physical core before its
            sibling), `"spread"` (far apart), or a list of CPUs, one for each worker; those of
            enclaves come last.
        trace: File for a Chrome/Perfetto trace, written at the end, also after an error; of a long
            run the last part. `reactorrl trace summary FILE` says where the time went.
        live: Show reactions and tags a second, lag and busy workers while the program runs: in a
            notebook, or on stderr if that is a terminal.
        seed: Non-negative int from which every reactor's `rng` is spawned by path; without it there
            is none.
        check: Costly checks: NumPy arrays set on ports are read-only until their tag ends.
        profile: Time every reaction.
        clock: A `reactorrl.testing.VirtualClock` in place of the real one.
        record: File that takes what comes from outside: events of physical actions, values of
            physical connections, missed deadlines, the last tag. It is `<record>.part` until the
            program has ended, and readable after a crash.
        replay: Such a file of the same program, to run again to the same `trace_hash`, as `fast` as
            possible; a RuntimeWarning tells of another one, and of a file without an end. What
            physical actions are given meanwhile is dropped.
        allow_pickle: Whether recorded values may be pickled, where JSON has no words for them. A
            recording with such values runs what its writer chose: replay none that you do not
            trust.

    Raises:
        AssemblyError: The program is not well formed; also a `ValueError` if a number is at fault.
        CausalityLoopError: Reactions wait for each other.
        PhaseError: `main` or `clock` belongs to a program already.
        RecordingError: `replay` is no recording of this program.
        TypeError, ValueError: An option is wrong.
    """

    # Of programs under test.
    _instrument: Instrument | None = None
    _is_stepped = False

    def __init__(
        self,
        main: Reactor,
        *,
        workers: int | None = None,
        fast: bool = False,
        timeout: TimeLike | None = None,
        keepalive: bool = False,
        affinity: Affinity = None,
        trace: str | os.PathLike[str] | None = None,
        seed: int | None = None,
        check: bool = False,
        profile: bool = False,
        clock: VirtualClock | None = None,
        record: str | os.PathLike[str] | None = None,
        replay: str | os.PathLike[str] | None = None,
        allow_pickle: bool = False,
        live: bool = False,
    ) -> None:
        if not isinstance(main, Reactor):
            hint = "; make an instance of it" if isinstance(main, type) else ""
            if any(isinstance(value, Reaction) for value in vars(type(main)).values()):
                hint = f"; derive its class from it: class {type(main).__name__}(rr.Reactor)"
            raise TypeError(f"the main reactor is a Reactor, got {main!r}{hint}")
        node = node_of(main)
        if node.membership is not None:
            raise PhaseError(
                f"{main.path} has been assembled before; make a new {type(main).__name__}"
            )
        timeout_ns = -1 if timeout is None else to_ns(timeout, "timeout")
        count, cpus = place(affinity, workers)
        checked_seed = _checked_seed(seed)
        _check_clock(clock, fast=fast, replay=replay is not None)
        if record is not None and replay is not None:
            raise ValueError("record= and replay= are for two runs, one after the other")
        recording = None if replay is None else Recording(replay, allow_pickle=allow_pickle)
        self._trace = None if trace is None else os.fspath(trace)
        self._has_lag = not fast and recording is None
        self._is_timed = bool(profile) or trace is not None
        if node.parent is not None:
            raise AssemblyError(
                f"{main.path} is a child of {node.parent.where()}; run that, or a new one"
            )
        self._assembly = Assembly(main, self._instrument)
        more = self._assembly.count_workers(count)
        if more:
            count, cpus = place(affinity, workers, more)
        recorded_options = {
            "timeout": None if timeout_ns in (-1, FOREVER) else timeout_ns,
            "keepalive": bool(keepalive),
            "seed": checked_seed,
        }
        self._recorder = None
        if record is not None:
            self._recorder = Recorder(
                record, self._assembly, recorded_options, allow_pickle=allow_pickle
            )
        self._runtime = self._compile(
            workers=count,
            fast=bool(fast) or recording is not None,
            virtual_clock=clock is not None,
            stepped=self._is_stepped,
            replay=recording is not None,
            keepalive=bool(keepalive),
            profile=self._is_timed,
            check=bool(check),
            timeout_ns=-1 if timeout_ns == FOREVER else timeout_ns,
            cpus=cpus,
            trace_capacity=0 if trace is None else records_per_track(count + more),
        )
        self._live = None
        if check_bool(live, "live"):
            homes = [0] * count
            for number, (_, size) in enumerate(self._enclave_sizes()[1:], 1):
                homes += [number] * size
            self._live = LiveView(self._runtime, homes, has_lag=self._has_lag)
        if clock is not None:
            clock.bind(self._runtime)
        if recording is not None:
            recording.check(self._assembly, recorded_options)
            recording.feed(self._runtime, self._assembly)
        self._assembly.membership.seed = checked_seed
        for each in self._assembly.nodes:
            each.built = None
        self._recording = recording
        self._phase = _ASSEMBLED
        self._pid = os.getpid()
        self._changing = threading.Lock()
        self._gil_enabled = False
        self._report: RunReport | None = None
        self._error: BaseException | None = None
        self._graph: Graph | None = None

    def _compile(self, **options: Any) -> Any:
        assembly = self._assembly
        try:
            runtime = _core.Runtime(assembly.graph, **options)
        except _core.CycleFound as found:
            assembly.add_loops(found.args[0])
        if assembly.problems:
            raise assembly.error()
        return runtime

    @property
    def graph(self) -> Graph:
        """The diagram of the program, which a notebook shows; see `reactorrl.diagram.Graph`.

        `.to_svg()` (with networkx), `.to_mermaid()` and `.to_dot()` return it as text, and
        `.levels` the paths of the reactions level by level.
        """
        if self._graph is None:
            from .diagram import Graph  # noqa: PLC0415 - few programs are drawn

            self._graph = Graph(self._assembly, list(self._runtime.levels))
        return self._graph

    def run(self) -> RunReport:
        """Run to the end and return the report.

        On the main thread, Ctrl-C and SIGTERM stop the program orderly: the shutdown reactions run,
        then KeyboardInterrupt is raised. A second one interrupts the bodies that still run; if one
        does not return within 5 seconds, or at a third, the program is left behind with a message.

        Raises:
            ReactionError: A body raised.
            OverflowError: What a delayed connection or a physical action had to bring lies past the
                end of time; the shutdown reactions ran at the next microstep.
            KeyboardInterrupt: See above; its `report` is there if the program ended.
            PhaseError: The program has been started before.
        """
        __tracebackhide__ = True  # IPython and pytest show the user's frames, not these
        runtime = self._runtime
        with Interrupts(runtime) as interrupts:  # entered first, so that no signal falls in between
            self.start()
            try:
                runtime.wait(FOREVER)
            except SecondInterrupt:
                self._leave_unless_ended(_GRACE_NS)
            except BaseException:  # a signal handler of the user's own
                self._request_stop()
                self._leave_unless_ended(_GRACE_NS)
                if self._phase is not _LEFT:
                    self._end()
                raise
        if self._phase is _LEFT:
            raise KeyboardInterrupt
        if interrupts.count:
            self._recording = None
        self._end()
        if interrupts.count:
            interrupt = KeyboardInterrupt()
            interrupt.report = self._report  # type: ignore[attr-defined]
            raise interrupt from self._error
        return self._outcome()

    def start(self) -> None:
        """Start in the background and return.

        Bodies see the context variables (`contextvars`) that the caller has now, each worker a copy
        of its own: so NumPy's error state is the caller's, and what bodies print appears in the
        notebook cell that started the program.

        Raises:
            PhaseError: It has been started before; a program runs once.
        """
        self._check_process("start")
        self._gil_enabled = warn_if_gil_is_enabled()
        if not self._is_stepped:
            _warn_of(self._assembly.idle())
        with self._changing:
            if self._phase is not _ASSEMBLED:
                raise PhaseError(
                    f"{self} cannot be started again; make a new Program, of a new"
                    f" {type(self._assembly.nodes[0].reactor).__name__}"
                )
            self._phase = _RUNNING  # first, for the bodies that ask
            try:
                if self._recorder is not None:
                    self._recorder.begin(self._runtime.request_stop)
                self._runtime.start()
            except BaseException:
                self._phase = _ASSEMBLED
                raise
            if self._live is not None:
                self._live.start()
        _join_ended_orphans()
        _running[self._runtime] = weakref.ref(self)

    def stop(self) -> None:
        """Ask the program to end at the next microstep, and return; any thread. See `join`.

        Raises:
            PhaseError: It has not been started.
        """
        if self._pid != os.getpid():
            return  # a forked child has nothing that runs
        if self._phase is _ASSEMBLED:
            raise PhaseError(f"{self} has not been started, so there is nothing to stop")
        if self._phase is _RUNNING:
            self._request_stop()

    def _request_stop(self) -> None:
        self._recording = None  # from here on a replay need not do what was recorded
        self._runtime.request_stop()

    def join(self, timeout: TimeLike | None = None) -> RunReport | None:
        """Wait until the program has ended and return the report; any thread but its workers.

        Args:
            timeout: Longest physical time to wait, in ns or a `timedelta`.

        Returns:
            The report, or `None` when the time was up first.

        Raises:
            ReactionError, OverflowError: As of `run`.
            PhaseError: The program has not been started, or a body of its own would wait for it.
        """
        __tracebackhide__ = True
        self._check_process("join")
        self._check_waiter()
        if self._phase is _ASSEMBLED:
            raise PhaseError(f"{self} has not been started, so it will not end")
        if self._phase is _LEFT:
            raise PhaseError(f"{self} was left while bodies of it did not return")
        if not self._runtime.wait(FOREVER if timeout is None else to_ns(timeout, "timeout")):
            return None
        self._end()
        return self._outcome()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._phase is not _RUNNING or self._pid != os.getpid():
            return
        self._request_stop()
        self._check_waiter()
        self._runtime.wait(FOREVER)
        self._end()
        if error is None:
            self._outcome()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {**self.graph._repr_mimebundle_(include, exclude), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<Program {self._assembly.nodes[0].path}, {self._phase}>"

    def _end(self) -> None:
        """Collect what there is to know once the runtime has ended; once."""
        with self._changing:
            if self._phase is not _RUNNING:
                return
            runtime = self._runtime
            runtime.join()
            if self._live is not None:
                self._live.stop()
            close_sockets_of_ended_threads()
            paths = self._assembly.paths
            self._report = make_report(
                runtime,
                paths,
                self._enclave_sizes(),
                gil_enabled=self._gil_enabled,
                is_timed=self._is_timed,
            )
            overflows = self._assembly.overflows(runtime.overflows())
            self._error = self._reaction_error(runtime.failures(), paths, overflows)
            if self._recorder is not None:
                self._recorder.finish(self._stops(), self._report.trace_hash)
                self._error = self._error or self._recorder.error
            self._phase = _ENDED
            _running.pop(runtime, None)
            if self._trace is not None:
                cast = Cast.of(self._assembly, runtime.levels, self._report, has_lag=self._has_lag)
                write_trace(self._trace, runtime.trace(), runtime.links(), cast)
            _warn_of(self._assembly.replaced())
        if self._recording is not None:
            self._recording.check_end(self._report.trace_hash)

    def _enclave_sizes(self) -> list[tuple[str, int]]:
        """Path and workers of each enclave, by id; 0 for the main one, which has the others."""
        return [
            (node.path, node.enclave.workers if node.enclave else 0)
            for node in self._assembly.enclaves
        ]

    def _stops(self) -> list[tuple[str, Tag]]:
        """Path and last tag of each enclave, but of those that a body ended by raising."""
        assert self._report is not None
        owners = self._assembly.owners
        raised = {owners[reaction].enclave_id for reaction, *_ in self._runtime.failures()}
        enclaves = enumerate(self._report.enclaves)
        return [(each.path, each.stop_tag) for number, each in enclaves if number not in raised]

    def _outcome(self) -> RunReport:
        if self._error is not None:
            raise self._error
        assert self._report is not None
        return self._report

    def _reaction_error(
        self,
        failures: list[tuple[int, BaseException, tuple[int, int]]],
        paths: list[str],
        overflows: list[str],
    ) -> ReactionError | OverflowError | None:
        error: ReactionError | OverflowError
        if failures:
            reaction, original, tag = failures[0]
            error = ReactionError(paths[reaction], Tag(*tag), self._report)
            error.__cause__ = original
        elif overflows:
            error = OverflowError(overflows.pop(0))
            error.report = self._report  # type: ignore[union-attr]
        else:
            return None
        for reaction, other, tag in failures[1:]:
            error.add_note(f"{paths[reaction]} raised, too, at {Tag(*tag)}: {described(other)}")
        for text in overflows:
            error.add_note(text)
        return error

    def _end_at_exit(self) -> None:
        if self._pid != os.getpid() or self._phase is not _RUNNING:
            return
        self._recording = None
        if not self._runtime.wait(_EXIT_GRACE_NS):
            self._runtime.interrupt()
            self._leave_unless_ended(_EXIT_GRACE_NS)
        self._end()

    def _leave_unless_ended(self, grace_ns: int) -> None:
        """Wait for so long; then say what does not return and go on without the workers."""
        runtime = self._runtime
        try:
            has_ended = runtime.wait(grace_ns)
        except SecondInterrupt:
            has_ended = False
        if has_ended:
            return
        if self._live is not None:
            self._live.stop()
        print(f"reactorrl: left {self}, as it does not end:\n{self._described()}", file=sys.stderr)
        self._phase = _LEFT
        _running.pop(runtime, None)
        _left.append(runtime)

    def _described(self) -> str:
        paths = self._assembly.paths

        def name(match: re.Match[str]) -> str:
            number = int(match[1])
            return paths[number] if number < len(paths) else match[0]

        return re.sub(r"reaction (\d+)", name, self._runtime.describe())

    def _check_waiter(self) -> None:
        if self._runtime.is_on_worker():
            raise PhaseError(f"a body of {self} cannot wait for its end; self.request_stop() asks")

    def _check_process(self, call: str) -> None:
        if self._pid != os.getpid():
            raise PhaseError(
                f"{call}(): {self} belongs to the parent process; fork left its workers there"
            )


def run(main: Reactor, **options: Any) -> RunReport:
    """Assemble and run: `Program(main, **options).run()`; see `Program` for the options."""
    __tracebackhide__ = True
    return Program(main, **options).run()


def _warn_of(texts: list[str]) -> None:
    if texts:
        more = [f"and {len(texts) - _SHOWN_WARNINGS} more"] * (len(texts) > _SHOWN_WARNINGS)
        warn_user("\n  ".join([*texts[:_SHOWN_WARNINGS], *more]))


def _checked_seed(seed: Any) -> int | None:
    if seed is None:
        return None
    if isinstance(seed, bool) or not hasattr(type(seed), "__index__"):
        raise TypeError(f"seed is a {type(seed).__name__} ({seed!r}); give a non-negative int")
    if operator.index(seed) < 0:
        raise ValueError(f"seed is negative ({seed})")
    return operator.index(seed)


def _check_clock(clock: Any, *, fast: bool, replay: bool) -> None:
    if clock is None:
        return
    if not isinstance(clock, VirtualClock):
        raise TypeError(f"clock={clock!r}: it is a reactorrl.testing.VirtualClock, or None")
    if clock.is_taken:
        raise PhaseError("the clock belongs to another program; make a new VirtualClock")
    if fast or replay:
        what = "replay=" if replay else "fast=True"
        raise ValueError(f"clock= and {what}: a virtual clock moves by waiting for it; choose one")


def _join_ended_orphans() -> None:
    """Give back the threads and memory of programs that ended after their users dropped them."""
    with _pruning:
        for runtime, program in list(_running.items()):
            if program() is None and runtime.wait(0):
                _running.pop(runtime)
                runtime.join()


def _stop_all() -> None:
    """At exit: end what runs in the background, within bounds."""
    running = dict(_running)
    for runtime in running:
        runtime.request_stop()
    for runtime, reference in running.items():
        program = reference()
        if program is not None:
            program._end_at_exit()  # noqa: SLF001
        elif runtime.wait(_EXIT_GRACE_NS):
            runtime.join()


def _forget_all() -> None:
    """In a forked child: the workers stayed in the parent."""
    for runtime in _running:
        runtime.forget_threads()
    _running.clear()


atexit.register(_stop_all)
os.register_at_fork(after_in_child=_forget_all)
