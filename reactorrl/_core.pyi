"""Types of the compiled module: the border between Python and the C core (csrc/rrl.h)."""

from collections.abc import Callable, Sequence
from typing import Any, final

class Element:
    # In whose `with` block it was made (a mode or scope.Nested); once assembled, the mode of its
    # reactor that it belongs to, or None.
    mode: Any
    def bind(self, reactor: Any, name: str) -> None:
        """Make `reactor` the owner, under this name; a multiport's channels too."""

class Port(Element):
    """One port. `elements.Input` and `elements.Output` derive from it (`__slots__ = ()`).

    As a class attribute it is a declaration; `declaration.make(reactor)` gives the live port of one
    instance.
    """

    # Seen by a running body that declares the port as trigger or use, at the speed of a slot.
    # Otherwise, and for an absent value, both are empty and the subclass's __getattr__ answers.
    value: Any
    is_present: bool
    # The same value, for a subclass whose ports are mutable: makes the copy without an exception
    # on the way to __getattr__. AttributeError when absent.
    own_value: Any
    # Set by `make` and by Python during assembly, read-only for bodies.
    reactor: Any  # the reactor instance that the port belongs to, or None for a declaration
    name: str | None
    index: int  # channel of its multiport; -1 for a single port
    type: Any
    mutable: bool  # the reader may write into the value: a copy of its own, if there are others
    id: int  # in the graph; -1 before assembly
    def __init__(self, type: Any = None, mutable: bool = False) -> None: ...
    def make(self, reactor: Any, index: int = -1) -> Port:
        """A live port of the same class and declaration, owned by `reactor`."""
    def set(self, value: Any) -> None:
        """PhaseError outside a body; UndeclaredEffectError in one that does not declare it."""
    def get(self, default: Any = None) -> Any:
        """The value, or `default` when absent. PhaseError, UndeclaredUseError."""
    def lookup(self) -> tuple[bool, Any]:
        """(is present, value or None) by the slow way.

        Also right for effects; makes the copy of a mutable port. PhaseError, UndeclaredUseError,
        and what copying raises.
        """

class Multiport(Element):
    """A vector of ports.

    `len`, indexing (negative too, slices give tuples), iteration, all at C speed.
    """

    is_present: bool  # as Port.is_present: whether any channel is
    reactor: Any
    name: str | None
    channels: tuple[Port, ...] | None  # None while the width is not known
    type: Any
    mutable: bool
    width: (
        Any  # of a declaration: an int or the name of an attribute; of a live multiport: its length
    )
    id: int
    def __init__(self, channel: Port, width: int | str) -> None:
        """A declaration; `channel` is the declaration of each channel."""
    def make(self, reactor: Any, width: int) -> Multiport:
        """width -1: not known yet; the first use of the channels calls `self._resolve()`."""
    def fill(self, width: int) -> None:
        """Make the channels; ValueError when they are there."""
    def present(self) -> tuple[Port, ...]:
        """The present channels in index order. PhaseError, UndeclaredUseError."""
    def lookup(self) -> bool:
        """Whether any channel is present, the slow way. PhaseError, UndeclaredUseError."""

class Action(Element):
    """An action; `elements.LogicalAction` and `PhysicalAction` derive from it."""

    value: Any  # as for Port
    is_present: bool
    reactor: Any
    name: str | None
    spec: Any  # opaque to the core: what elements.py keeps of the declaration
    id: int
    def __init__(self, spec: Any = None) -> None: ...
    def make(self, reactor: Any) -> Action: ...
    def get(self, default: Any = None) -> Any: ...
    def lookup(self) -> tuple[bool, Any]: ...
    def schedule_logical(self, value: Any = None, *, delay: Any = 0) -> Handle:
        """As LogicalAction.schedule, which is this very method; checks `delay` itself."""
    def schedule_physical(self, value: Any, delay: Any, full: str) -> Handle:
        """full: "raise" | "drop" | "block"."""
    def hold(self, open: bool) -> None:
        """One producer more or less (PhysicalAction.producer)."""

class Timer(Element):
    is_present: bool
    reactor: Any
    name: str | None
    spec: Any
    id: int
    def __init__(self, spec: Any = None) -> None: ...
    def make(self, reactor: Any) -> Timer: ...
    def lookup(self) -> tuple[bool, Any]: ...

class Mode(Element):
    """A mode; `elements.Mode` derives from it."""

    reactor: Any
    name: str | None
    id: int
    def __init__(self, initial: bool = False) -> None: ...
    @property
    def initial(self) -> bool: ...
    def make(self, reactor: Any) -> Mode: ...
    def set(self) -> None:
        """PhaseError outside a body; UndeclaredEffectError in one that does not declare it."""
    @property
    def is_active(self) -> bool:
        """PhaseError outside a body of its reactor."""

class Edge:
    """A trigger that belongs to no reactor."""

    name: str
    def __init__(self, name: str, kind: int) -> None: ...

@final
class Handle:
    """What `schedule` returns."""

    tag: Any  # Tag, or None when the event was dropped
    def cancel(self) -> bool: ...

TRIGGER: int
USE: int
EFFECT: int
PEEK: int  # a use of the reactor's own output: looked up the slow way, no view, no edge
HISTORY: int  # in Graph.declare alone: an effect, on a mode that is entered by history
startup: Edge  # the singletons rr.startup and rr.shutdown; usable in Graph.declare
shutdown: Edge
RESET: int  # kind of the Edge rr.reset

@final
class Graph:
    """The declared graph of one program.

    Ids count from 0 in order of addition, the static order: depth first, a reactor before its
    children, reactions in order of priority.
    """

    def add_enclave(self, workers: int, capacity: int) -> int:
        """Enclave 0, that of the main reactor, is there."""
    def add_reactor(self, reactor: Any, enclave: int = 0) -> int: ...
    def add_mode(self, mode: Mode, within: Mode | None, initial: bool) -> int:
        """Of the reactor added last, which lies in the mode `within` of another one."""
    def add_port(self, port: Port) -> int:
        """Sets port.id."""
    def add_multiport(self, multiport: Multiport) -> int:
        """Adds its channels (contiguous ids), then itself.

        `is_present` of an absent channel is looked up, so that an undeclared one is an error.
        """
    def add_action(
        self,
        action: Action,
        physical: bool,
        min_delay_ns: int,
        min_spacing_ns: int,  # -1: none
        policy: int,  # 0 defer, 1 drop, 2 replace, 3 update
        capacity: int,
        mode: Mode | None = None,  # here and below: the innermost one that encloses it
    ) -> int: ...
    def add_timer(
        self, timer: Timer, offset_ns: int, period_ns: int, mode: Mode | None = None
    ) -> int: ...
    def add_reaction(
        self,
        reactor_id: int,
        func: Callable[[Any], object],
        self_: Any,
        path_hash: int,
        mode: Mode | None = None,
        deadline_ns: int = -1,  # none
        handler: Callable[[Any], object] | None = None,
    ) -> int:
        """`func`, or `handler` past the deadline, is called as func(self_) on a worker.

        Path_hash: 64 bits from the reaction's path, for trace_hash.
        """
    def declare(self, reaction_id: int, role: int, element: Any) -> None: ...
    def connect(
        self,
        source: Port,
        destination: Port,
        delay_ns: int,
        physical: bool,
        mode: Mode | None = None,
    ) -> None:
        """delay_ns -1: same tag."""

@final
class Runtime:
    """A compiled graph and its workers."""

    def __init__(
        self,
        graph: Graph,
        *,
        workers: int,
        fast: bool,
        keepalive: bool,
        profile: bool,
        check: bool,
        timeout_ns: int,  # -1: none
        cpus: Sequence[int] | None,  # one per worker of all enclaves, or None
        trace_capacity: int,  # records per worker and enclave, a power of two; 0: none
        virtual_clock: bool = False,
        stepped: bool = False,
        replay: bool = False,
    ) -> None:
        """Raises CycleFound (args: list of (reaction id, port id or -1)) on causality loops."""
    levels: list[int]  # by reaction id
    homes: list[int]
    def start(self) -> None: ...
    def wait(self, timeout_ns: int) -> bool:
        """True when the program has ended. Runs Python's signal handlers, which may raise."""
    def request_stop(self) -> None: ...
    def is_on_worker(self) -> bool:
        """Whether a worker of this program asks."""
    def join(self) -> None:
        """After `wait` returned True: ends the threads, gives every payload back."""
    def interrupt(self) -> None:
        """Raises KeyboardInterrupt asynchronously in every body that is running now."""
    def failures(self) -> list[tuple[int, BaseException, tuple[int, int]]]:
        """(reaction id, exception, (time_ns, microstep)) of bodies that raised, in static order."""
    def overflows(self) -> list[tuple[bool, int, tuple[int, int]]]:
        """(is an action, id, (time_ns, microstep)) of events that have no tag, sorted."""
    def stats(self) -> dict[str, Any]:
        """The fields of rrl_stats_t; stop_tag as (time_ns, microstep)."""
    def worker_stats(self) -> list[dict[str, int]]:
        """One dict a worker: wall_ns, spinning_ns, parked_ns, reactions, stolen, cpu (-1: any)."""
    def enclave_stats(self) -> list[dict[str, Any]]:
        """The fields of rrl_enclave_stats_t, one dict an enclave; stop_tag as in `stats`."""
    def reaction_counts(self) -> list[int]: ...
    def miss_counts(self) -> list[int]: ...
    def reaction_ns(self) -> list[int]: ...
    def trace(self) -> list[tuple[bytearray, int]]:
        """Per worker, then per enclave: its rrl_trace_record_t, and how many are lost."""
    def links(self) -> bytearray:
        """The rrl_link_t of the program."""
    def pulse(self, worker: int) -> tuple[int, int, int, int]:
        """The fields of rrl_pulse_t, also while the program runs."""
    def describe(self) -> str: ...
    def forget_threads(self) -> None:
        """In the child after a fork: the workers are not there; `wait` returns at once."""

class CycleFound(Exception): ...

# Time under test; recording what comes from outside, and feeding it again.
def elapsed_ns(runtime: Runtime) -> int: ...
def advance_clock(runtime: Runtime, delta_ns: int) -> None:
    """In a body of this program: what the body takes; elsewhere at once."""

def step(runtime: Runtime, time_ns: int, microstep: int) -> None:
    """Lets a stepped program process all tags up to this one."""

def wait_for_pause(runtime: Runtime, timeout_ns: int) -> tuple[bool, Any] | None:
    """(is paused, next tag or None).

    (False, None) when the program has ended; None when the time is up.
    """

def is_mode_active(runtime: Runtime, mode: Mode) -> bool:
    """While no tag is being processed."""

def feed(runtime: Runtime, element: Element, time_ns: int, microstep: int, value: Any) -> None:
    """Before the start of a replay: an event of an action or port, as the recorder got it."""

def feed_miss(runtime: Runtime, reaction: int, time_ns: int, microstep: int) -> None: ...
def feed_stop(runtime: Runtime, enclave: int, time_ns: int, microstep: int) -> None: ...
def attach_recorder(graph: Graph, recorder: Any) -> None:
    """Before the graph is compiled; the recorder's methods are called on workers.

    event(is_action, id, time_ns, microstep, value) and missed(reaction, time_ns, microstep).
    """

# Of the running body, for properties of Reactor. Each raises PhaseError when the caller is not
# a body of that very reactor.
def current_tag(reactor: Any) -> Any: ...
def physical_elapsed(reactor: Any) -> int: ...
def lag(reactor: Any) -> int: ...
def request_stop(reactor: Any) -> None: ...
def in_reaction() -> bool:
    """Whether this thread runs a body now."""

def note_made() -> None:
    """A reactor without a builder was made: the running body is checked for new children."""

def topology(
    sysfs: str = "/sys", allowed: Sequence[int] | None = None
) -> list[tuple[int, int, int, int]]:
    """(cpu, core, cache, performance) of the usable processors, preferred ones first."""

def cgroup_cpus(root: str = "/") -> int: ...
def probe(a: int, b: int, budget_ns: int) -> dict[str, int] | None:
    """The fields of rrl_probe_t for processors `a` and `b`; None: they were too busy."""
