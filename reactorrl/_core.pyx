# cython: language_level=3, freethreading_compatible=True, boundscheck=False, wraparound=False
# cython: embedsignature=False, always_allow_keywords=False, binding=False
"""The border between Python and the C core (csrc/rrl.h): lifetimes, conversions, trampolines."""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.pystate cimport PyThreadState_SetAsyncExc
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

from reactorrl cimport _rrl as rrl

from . import checks, errors
from .time import Tag, to_ns

TRIGGER = rrl.RRL_TRIGGER
USE = rrl.RRL_USE
EFFECT = rrl.RRL_EFFECT
PEEK = rrl.RRL_PEEK

# Python's signal handlers run at least this often while the main thread waits.
cdef int64_t SIGNAL_PERIOD_NS = 100_000_000

# States of a Handle. Only a physical event's are settled by more than one thread.
cdef enum:
    PENDING
    OVER
    CANCELLED
    DROPPED


class CycleFound(Exception):
    """A causality loop: a list of (reaction id or -1, port id or -1)."""


cdef object _exception_class(rrl.rrl_status_t rc):
    name = rrl.rrl_status_exception(rc).decode()
    return getattr(errors, name, None) or getattr(__builtins__, name)


cdef int _check(rrl.rrl_status_t rc, object subject) except -1:
    """The one place where a status becomes an exception. `subject` is the element or the call."""
    if rc >= 0:
        return 0
    text = f"{subject}: {rrl.rrl_status_text(rc).decode()}"
    cdef rrl.rrl_worker_t *w = rl_worker()
    if w is not NULL and rrl.rrl_worker_reaction(w) != rrl.RRL_NONE:
        graph = <Graph>rl_graph()
        reaction = rrl.rrl_worker_reaction(w)
        text += f" (in reaction {_path(graph, reaction)} at {_tag(rrl.rrl_worker_tag(w))})"
        owner = getattr(subject, "reactor", None)
        runner = graph._selves[reaction]
        if owner is not None and owner is not runner and owner._rrl_container is not runner:
            rc = rrl.RRL_E_PHASE  # of another reactor: no declaration would help
    raise _exception_class(rc)(text)


cdef object _path(Graph graph, rrl.rrl_id_t reaction):
    func = graph._funcs[reaction]
    return f"{graph._selves[reaction].path}.{getattr(func, '__name__', func)}"


cdef object _tag(rrl.rrl_tag_t tag):
    return Tag(tag.time_ns, tag.microstep)


# ---- elements ----


cdef class Element:
    """What ports, multiports, actions and timers have in common."""

    def __cinit__(self, *args, **kwargs):
        self.id = -1

    def bind(self, reactor, name):
        """Makes `reactor` the owner, under this name."""
        self.reactor = reactor
        self.name = name

    def lookup(self):
        """(is present, value) of an element that a reaction sees through its view alone."""
        if self._view.is_present is NULL:
            _check(_why_concealed(self._graph), self)
        return (True, <object>self._view.value) if self._view.value is not NULL else (False, None)

    @cython.always_allow_keywords(True)
    def get(self, default=None):
        if self._view.value is not NULL:
            return <object>self._view.value
        present, value = self.lookup()
        return value if present else default

    cdef rrl.rrl_worker_t *_worker(self) except NULL:
        """The worker whose body this is, of the element's program."""
        cdef rrl.rrl_worker_t *w = rl_worker_of(<void *>self._graph)
        if w is NULL:
            _check(rrl.RRL_E_PHASE, self)
        return w


cdef class Port(Element):
    def __cinit__(self, *args, **kwargs):
        self.index = -1

    def __init__(self, type=None, mutable=False):
        self.type = type
        self.mutable = mutable

    @cython.always_allow_keywords(True)
    def make(self, reactor, Py_ssize_t index=-1):
        cls = self.__class__
        cdef Port port = <Port>Port.__new__(cls)
        port.type, port.mutable, port.index = self.type, self.mutable, index
        port.reactor, port.name = reactor, self.name
        return port

    def set(self, value):
        cdef rrl.rrl_worker_t *w = self._worker()
        if self._graph._n_workers > 1:
            rl_share(value)
        if self._graph._frozen is not None:
            self._graph._frozen.freeze(value)
        Py_INCREF(value)
        cdef rrl.rrl_status_t rc = rrl.rrl_port_set(w, <uint32_t>self.id, <void *>value)
        if rc != rrl.RRL_OK:
            Py_DECREF(value)
            _check(rc, self)

    def lookup(self):
        cdef void *payload = NULL
        _check(rrl.rrl_port_payload(self._worker(), <uint32_t>self.id, &payload), self)
        return (True, <object>payload) if payload is not NULL else (False, None)


cdef class Multiport(Element):
    def __init__(self, Port channel, width):
        self._channel = channel
        self._width = width

    @property
    def type(self):
        return self._channel.type

    @property
    def mutable(self):
        return self._channel.mutable

    @property
    def width(self):
        return self._width if self.channels is None else len(self.channels)

    def make(self, reactor, Py_ssize_t width):
        cls = self.__class__
        cdef Multiport multiport = <Multiport>Multiport.__new__(cls)
        multiport._channel, multiport._width = self._channel, self._width
        multiport.reactor, multiport.name = reactor, self.name
        if width >= 0:
            multiport.fill(width)
        return multiport

    def fill(self, Py_ssize_t width):
        """Makes the channels; once."""
        if self.channels is not None:
            raise ValueError(f"{self} has its channels already")
        self.channels = tuple([self._channel.make(self.reactor, i) for i in range(width)])
        self.bind(self.reactor, self.name)

    def bind(self, reactor, name):
        Element.bind(self, reactor, name)
        for channel in self.channels or ():
            channel.bind(reactor, name)

    cdef object _known_channels(self):
        if self.channels is None:
            self._resolve()
        # In a body an undeclared multiport must not look empty.
        cdef rrl.rrl_worker_t *w
        if self._view.is_present is NULL and self._graph is not None:
            w = rl_worker_of(<void *>self._graph)
            if w is not NULL and not rrl.rrl_may_touch(w, <uint32_t>self.id):
                _check(rrl.RRL_E_UNDECLARED_USE, self)
        return self.channels

    def __len__(self):
        if self.channels is None:
            self._resolve()
        return len(self.channels)

    def __getitem__(self, index):
        return self._known_channels()[index]

    def __iter__(self):
        return iter(self._known_channels())

    def present(self):
        cdef const uint32_t *indices = NULL
        cdef uint32_t n = 0, i
        cdef rrl.rrl_worker_t *w = self._worker()
        _check(rrl.rrl_multiport_present(w, <uint32_t>self.id, &indices, &n), self)
        if n == <uint32_t>len(self.channels):
            return self.channels
        return tuple([self.channels[indices[i]] for i in range(n)])

    def lookup(self):
        return bool(self.present())


cdef class Action(Element):
    def __init__(self, spec=None):
        self.spec = spec

    def make(self, reactor):
        cls = self.__class__
        cdef Action action = <Action>Action.__new__(cls)
        action.spec, action.reactor, action.name = self.spec, reactor, self.name
        return action

    @cython.always_allow_keywords(True)
    def schedule_logical(self, value=None, *, delay=0):  # event path 2/10 (ARCHITECTURE.md)
        cdef rrl.rrl_tag_t tag
        cdef uint64_t serial = 0
        cdef int64_t delay_ns = _delay(delay)
        cdef rrl.rrl_worker_t *w = self._worker()
        if self._graph._n_workers > 1:
            rl_share(value)
        Py_INCREF(value)
        cdef rrl.rrl_status_t rc = rrl.rrl_schedule(
            w, <uint32_t>self.id, delay_ns, <void *>value, &tag, &serial)
        if rc < 0:
            Py_DECREF(value)
            _check(rc, self)
        cdef Handle handle = Handle.__new__(Handle)
        handle._action = self
        handle._c_tag = tag
        handle._serial = serial
        handle._state = PENDING if serial else DROPPED
        return handle

    def schedule_physical(self, value, delay, full):
        cdef int64_t delay_ns = _delay(delay)
        cdef rrl.rrl_program_t *program = self._program()
        cdef rrl.rrl_worker_t *w = rl_worker_of(<void *>self._graph)
        cdef bint in_body = w is not NULL and rrl.rrl_worker_reaction(w) != rrl.RRL_NONE
        if in_body and not rrl.rrl_may_schedule(w, <uint32_t>self.id):
            _check(rrl.RRL_E_UNDECLARED, self)
        cdef Handle handle = Handle.__new__(Handle)
        handle._action = self
        handle._is_physical = True
        handle._value = value
        rl_share(value)
        rl_share(handle)
        cdef rrl.rrl_status_t rc
        while True:
            Py_INCREF(handle)
            rc = rrl.rrl_schedule_physical(
                program, <uint32_t>self.id, delay_ns, <void *>handle, &handle._c_tag)
            if rc == rrl.RRL_OK:
                return handle
            Py_DECREF(handle)
            if rc == rrl.RRL_STOPPED:
                _check(rrl.RRL_E_PHASE, f"{self}: the program has ended")
            if rc != rrl.RRL_FULL:
                _check(rc, self)
            if full == "drop":
                handle._state = DROPPED
                return handle
            if full == "raise" or in_body:
                _check(rrl.RRL_E_CAPACITY, self)
            with nogil:
                rrl.rrl_wait_for_room(program, <uint32_t>self.id, SIGNAL_PERIOD_NS)
            PyErr_CheckSignals()

    def hold(self, bint open):
        rrl.rrl_program_hold(self._program(), <uint32_t>self.id, open)

    cdef rrl.rrl_program_t *_program(self) except NULL:
        if self._graph is None or self._graph._c_program is NULL:
            _check(rrl.RRL_E_PHASE, f"{self}: its program has not been assembled")
        return self._graph._c_program


cdef class Timer(Element):
    def __init__(self, spec=None):
        self.spec = spec

    def make(self, reactor):
        cls = self.__class__
        cdef Timer timer = <Timer>Timer.__new__(cls)
        timer.spec, timer.reactor, timer.name = self.spec, reactor, self.name
        return timer


cdef rrl.rrl_status_t _why_concealed(Graph graph) noexcept:
    """Why a view is empty: no body runs here, or it does not declare the element."""
    cdef rrl.rrl_worker_t *w = rl_worker_of(<void *>graph)
    if w is NULL or rrl.rrl_worker_reaction(w) == rrl.RRL_NONE:
        return rrl.RRL_E_PHASE
    return rrl.RRL_E_UNDECLARED_USE


cdef int64_t _delay(object delay) except -1:
    if type(delay) is not int:
        delay = to_ns(delay, "delay")
    elif delay < 0 or delay > rrl.RRL_FOREVER:
        to_ns(delay, "delay")
    return delay


cdef class Handle:
    def __init__(self):
        raise TypeError("a Handle is what schedule() returns")

    @property
    def tag(self):
        return None if self._state == DROPPED else _tag(self._c_tag)

    def cancel(self):
        if self._is_physical:
            return rl_settle(&self._state, CANCELLED)
        if not self._serial:
            return False
        cdef rrl.rrl_status_t rc = rrl.rrl_cancel(
            self._action._worker(), <uint32_t>self._action.id, self._c_tag, self._serial)
        _check(rc, self._action)
        return rc == rrl.RRL_OK


@cython.final
cdef class _Edge:
    """What startup and shutdown are: triggers of every program."""

    cdef readonly str name

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"reactorrl.{self.name}"

    def __reduce__(self):
        return self.name.upper()


STARTUP = _Edge("startup")
SHUTDOWN = _Edge("shutdown")


# ---- trampolines: called by the core, attached ----


cdef int _note_failure(void *ctx, uint32_t index, rrl.rrl_id_t reaction, void *error) noexcept:
    cdef rl_host_t *host = <rl_host_t *>ctx
    cdef Graph graph = <Graph>host.graph
    cdef rrl.rrl_worker_t *w = rl_worker()
    cdef rrl.rrl_tag_t tag = rrl.rrl_worker_tag(w)
    raised = <object>error
    Py_DECREF(raised)  # the reference that rl_take_error made
    graph._failures.append(
        (bool(rrl.rrl_worker_is_unwinding(w)), reaction, raised, (tag.time_ns, tag.microstep)))
    return 0


cdef void _thaw(void *ctx, void *payload) noexcept:
    (<Graph>(<rl_host_t *>ctx).graph)._frozen.thaw(<object>payload)


cdef void *_redeem(void *ctx, void *ticket) noexcept:
    cdef Handle handle = <Handle>ticket
    value = handle._value
    handle._value = None
    if not rl_settle(&handle._state, OVER):
        return NULL
    Py_INCREF(value)
    return <void *>value


# ---- the graph ----


@cython.final
cdef class Graph:
    def __cinit__(self):
        self._elements, self._funcs, self._selves, self._failures = [], [], [], []
        _check(rrl.rrl_graph_create(&self._c_graph), "Graph")

    def __dealloc__(self):
        rrl.rrl_graph_destroy(self._c_graph)
        rrl.rrl_program_destroy(self._c_program)
        free(self._c_host.bodies)
        free(self._c_host.states)
        free(self._c_host.threads)

    cdef int _claim(self, Element element) except -1:
        """Takes the element in: its view stays in place as long as this graph."""
        if element._graph is not None:
            raise errors.AssemblyError(f"{element} belongs to another program; make a new reactor")
        self._elements.append(element)
        element._graph = self
        rl_defer(element)
        return 0

    def add_reactor(self, reactor):
        cdef rrl.rrl_id_t number
        _check(rrl.rrl_graph_add_reactor(self._c_graph, 0, &number), reactor)
        self._reactor = number
        rl_defer(reactor)
        return number

    def add_port(self, Port port):
        cdef rrl.rrl_id_t number
        self._claim(port)
        _check(rrl.rrl_graph_add_port(
            self._c_graph, self._reactor, port.mutable, &port._view, &number), port)
        port.id = number
        return number

    @cython.always_allow_keywords(True)
    def add_multiport(self, Multiport multiport, bint shows_absent=False):
        cdef rrl.rrl_id_t number, first = 0
        cdef uint32_t width = <uint32_t>len(multiport.channels)
        cdef void *concealed = <void *>False if shows_absent else NULL
        self._claim(multiport)
        for channel in multiport.channels:
            self.add_port(channel)
            (<Port>channel)._view.is_present = concealed
        if width:
            first = <uint32_t>(<Port>multiport.channels[0]).id
        _check(rrl.rrl_graph_add_multiport(
            self._c_graph, first, width, &multiport._view, concealed, &number), multiport)
        multiport.id = number
        return number

    def add_action(self, Action action, bint physical, int64_t min_delay_ns, int64_t min_spacing_ns,
                   int policy, uint32_t capacity):
        cdef rrl.rrl_id_t number
        cdef rrl.rrl_action_spec_t spec
        spec.min_delay_ns = min_delay_ns
        spec.min_spacing_ns = min_spacing_ns
        spec.policy = <rrl.rrl_policy_t>policy
        spec.is_physical = physical
        spec.capacity = capacity
        self._claim(action)
        _check(rrl.rrl_graph_add_action(
            self._c_graph, self._reactor, rrl.RRL_NONE, &spec, &action._view, &number), action)
        action.id = number
        return number

    def add_timer(self, Timer timer, int64_t offset_ns, int64_t period_ns):
        cdef rrl.rrl_id_t number
        self._claim(timer)
        _check(rrl.rrl_graph_add_timer(
            self._c_graph, self._reactor, rrl.RRL_NONE, offset_ns, period_ns, &timer._view,
            &number), timer)
        timer.id = number
        return number

    def add_reaction(self, uint32_t reactor_id, func, self_, path_hash):
        cdef rrl.rrl_id_t number
        _check(rrl.rrl_graph_add_reaction(
            self._c_graph, reactor_id, rrl.RRL_NONE, <uint64_t>(path_hash & 0xFFFFFFFFFFFFFFFF),
            rrl.RRL_NO_DEADLINE, False, &number), func)
        rl_defer(func)
        self._funcs.append(func)
        self._selves.append(self_)
        return number

    def declare(self, uint32_t reaction_id, int role, element):
        cdef rrl.rrl_kind_t kind
        if isinstance(element, Port):
            kind = rrl.RRL_PORT
        elif isinstance(element, Multiport):
            kind = rrl.RRL_MULTIPORT
        elif isinstance(element, Action):
            kind = rrl.RRL_ACTION
        elif isinstance(element, Timer):
            kind = rrl.RRL_TIMER
        elif element is STARTUP:
            kind = rrl.RRL_STARTUP
        elif element is SHUTDOWN:
            kind = rrl.RRL_SHUTDOWN
        else:
            raise TypeError(f"{element!r} is no element of a reactor")
        number = (<Element>element).id if isinstance(element, Element) else 0
        _check(rrl.rrl_graph_declare(
            self._c_graph, reaction_id, <rrl.rrl_role_t>role, kind, <uint32_t>number), element)

    def connect(self, Port source, Port destination, int64_t delay_ns, bint physical):
        _check(rrl.rrl_graph_connect(
            self._c_graph, <uint32_t>source.id, <uint32_t>destination.id, delay_ns, physical,
            rrl.RRL_NONE), destination)

    cdef int _compile(self, const rrl.rrl_options_t *options) except -1:
        cdef rrl.rrl_cycle_step_t *cycle = NULL
        cdef size_t n_cycle = 0, i
        cdef Py_ssize_t n = len(self._funcs)
        cdef rrl.rrl_host_t callbacks
        self._c_host.graph = <void *>self
        self._c_host.note_failure = _note_failure
        self._c_host.redeem = _redeem
        if self._frozen is not None:
            self._c_host.thaw = _thaw
        self._c_host.bodies = <rl_body_t *>calloc(n + 1, sizeof(rl_body_t))
        self._c_host.states = <PyThreadState **>calloc(options.n_workers, sizeof(void *))
        self._c_host.threads = <unsigned long *>calloc(options.n_workers, sizeof(unsigned long))
        if not (self._c_host.bodies and self._c_host.states and self._c_host.threads):
            raise MemoryError
        for i in range(<size_t>n):
            self._c_host.bodies[i].func = <void *>self._funcs[i]
            self._c_host.bodies[i].self = <void *>self._selves[i]
        callbacks = rl_callbacks(&self._c_host)
        rc = rrl.rrl_program_create(
            self._c_graph, options, &callbacks, &self._c_program, &cycle, &n_cycle)
        if rc == rrl.RRL_E_CYCLE:
            steps = [(_or_minus_one(cycle[i].reaction), _or_minus_one(cycle[i].port))
                     for i in range(n_cycle)]
            free(cycle)
            raise CycleFound(steps)
        _check(rc, "Program")
        self._n_workers = rrl.rrl_program_n_workers(self._c_program)
        rrl.rrl_graph_destroy(self._c_graph)
        self._c_graph = NULL
        return 0


cdef object _or_minus_one(rrl.rrl_id_t number):
    return -1 if number == rrl.RRL_NONE else number


# ---- a running program ----


@cython.final
@cython.always_allow_keywords(True)
cdef class Runtime:
    def __init__(self, Graph graph, *, uint32_t workers, bint fast, bint keepalive, bint profile,
                 bint check, int64_t timeout_ns, cpus, uint32_t trace_capacity):
        cdef rrl.rrl_options_t options
        cdef int32_t *c_cpus = NULL
        cdef uint32_t i
        if graph._c_graph is NULL:
            raise errors.PhaseError("this graph has its program already")
        if cpus is not None:
            c_cpus = <int32_t *>calloc(workers, sizeof(int32_t))
            if c_cpus is NULL:
                raise MemoryError
            for i in range(workers):
                c_cpus[i] = cpus[i]
        options.n_workers = workers
        options.fast = fast
        options.virtual_clock = options.stepped = options.replay = False
        options.keepalive = keepalive
        options.profile = profile
        options.timeout_ns = rrl.RRL_FOREVER if timeout_ns < 0 else timeout_ns
        options.cpus = c_cpus
        options.trace_capacity = trace_capacity
        options.yield_seed = 0
        graph._frozen = checks.FrozenArrays() if check else None
        self.graph = graph
        try:
            graph._compile(&options)
        finally:
            free(c_cpus)

    @property
    def levels(self):
        return [rrl.rrl_program_level(self.graph._c_program, i) for i in self._ids()]

    @property
    def homes(self):
        return [rrl.rrl_program_home(self.graph._c_program, i) for i in self._ids()]

    def start(self):
        cdef uint32_t i
        cdef rrl.rrl_status_t rc = rrl.RRL_E_PHASE
        if not self._holds_itself:
            for i in range(self.graph._n_workers):
                # Not on the workers: growing the interpreter's tables stops all attached threads.
                if self.graph._c_host.states[i] is NULL:
                    self.graph._c_host.states[i] = rl_new_thread_state()
            self._hold(True)
            with nogil:
                rc = rrl.rrl_program_start(self.graph._c_program)
            if rc < 0:
                self._hold(False)
                self._drop_states()
        _check(rc, "Program.start")

    cdef int _hold(self, bint holds) except -1:
        """While threads run, neither a count of 0 nor the collector may free what they use."""
        self._holds_itself = holds
        if holds:
            Py_INCREF(self)
        else:
            Py_DECREF(self)
        return 0

    cdef int _drop_states(self) except -1:
        cdef uint32_t i
        for i in range(self.graph._n_workers):
            if self.graph._c_host.states[i] is not NULL:
                rl_drop_thread_state(self.graph._c_host.states[i])
                self.graph._c_host.states[i] = NULL
        return 0

    def wait(self, int64_t timeout_ns):
        cdef rrl.rrl_status_t rc = rrl.RRL_TIMEOUT
        cdef int64_t slice_ns
        cdef rrl.rrl_program_t *program = self.graph._c_program
        while timeout_ns >= 0:
            slice_ns = min(timeout_ns, SIGNAL_PERIOD_NS)
            with nogil:
                rc = rrl.rrl_program_wait(program, slice_ns)
            PyErr_CheckSignals()
            if rc == rrl.RRL_OK or rc == rrl.RRL_STOPPED:
                return True
            timeout_ns -= max(slice_ns, 1)
        return False

    def request_stop(self):
        rrl.rrl_program_request_stop(self.graph._c_program)

    def join(self):
        cdef rrl.rrl_status_t rc
        if not self._holds_itself:
            return
        with nogil:
            rc = rrl.rrl_program_join(self.graph._c_program)
        _check(rc, "Program.join")
        self._hold(False)

    def forget_threads(self):
        rrl.rrl_program_forget_threads(self.graph._c_program)

    def interrupt(self):
        cdef uint32_t i
        for i in range(self.graph._n_workers):
            if rrl.rrl_program_running(self.graph._c_program, i) != rrl.RRL_NONE:
                PyThreadState_SetAsyncExc(
                    self.graph._c_host.threads[i], <PyObject *>KeyboardInterrupt)

    def failures(self):
        found = sorted(self.graph._failures, key=lambda failure: failure[:2])
        return [failure[1:] for failure in found]

    def stats(self):
        cdef rrl.rrl_stats_t s
        rrl.rrl_program_stats(self.graph._c_program, &s)
        _check(s.status, "Program")
        return {
            "stop_tag": (s.stop_tag.time_ns, s.stop_tag.microstep), "reactions": s.n_reactions,
            "events": s.n_events, "tags": s.n_tags, "trace_hash": s.trace_hash,
            "wall_ns": s.wall_ns, "allocations": s.n_allocations, "dropped": s.n_dropped,
        }

    def worker_stats(self):
        cdef rrl.rrl_worker_stats_t s
        found = []
        for i in range(self.graph._n_workers):
            rrl.rrl_program_worker_stats(self.graph._c_program, i, &s)
            found.append({"spinning_ns": s.spinning_ns, "parked_ns": s.parked_ns,
                          "reactions": s.n_reactions, "stolen": s.n_stolen, "cpu": s.cpu})
        return found

    def reaction_counts(self):
        return [rrl.rrl_program_reaction_count(self.graph._c_program, i) for i in self._ids()]

    def reaction_ns(self):
        return [rrl.rrl_program_reaction_ns(self.graph._c_program, i) for i in self._ids()]

    def trace(self):
        return [self._trace_of(worker) for worker in range(self.graph._n_workers)]

    cdef object _trace_of(self, uint32_t worker):
        cdef rrl.rrl_trace_record_t r
        cdef uint64_t n_lost
        cdef size_t i
        records = []
        for i in range(rrl.rrl_program_trace_length(self.graph._c_program, worker, &n_lost)):
            r = rrl.rrl_program_trace(self.graph._c_program, worker, i)
            records.append((r.tag.time_ns, r.tag.microstep, r.begin_ns, r.end_ns, r.reaction))
        return records

    cdef object _ids(self):
        return range(len(self.graph._funcs))

    def describe(self):
        cdef uint32_t i
        cdef rrl.rrl_id_t reaction
        lines = [f"at {rrl.rrl_program_time_ns(self.graph._c_program)} ns of logical time"]
        for i in range(self.graph._n_workers):
            reaction = rrl.rrl_program_running(self.graph._c_program, i)
            doing = "waits" if reaction == rrl.RRL_NONE else f"runs {_path(self.graph, reaction)}"
            lines.append(f"worker {i} {doing}")
        return "\n".join(lines)


# ---- the running body ----


cdef void *_runner(rrl.rrl_id_t reaction) noexcept:
    return (<Graph>rl_graph())._c_host.bodies[reaction].self


cdef rrl.rrl_worker_t *_worker_running(object reactor) except NULL:
    cdef rrl.rrl_worker_t *w = rl_worker()
    cdef rrl.rrl_id_t reaction = rrl.RRL_NONE if w is NULL else rrl.rrl_worker_reaction(w)
    if reaction == rrl.RRL_NONE or _runner(reaction) != <void *>reactor:
        raise errors.PhaseError(f"only a running reaction of {reactor!r} may ask for this")
    return w


def current_tag(reactor):
    return _tag(rrl.rrl_worker_tag(_worker_running(reactor)))


def physical_elapsed(reactor):
    return rrl.rrl_worker_elapsed_ns(_worker_running(reactor))


def lag(reactor):
    cdef rrl.rrl_worker_t *w = _worker_running(reactor)
    return rrl.rrl_worker_elapsed_ns(w) - rrl.rrl_worker_tag(w).time_ns


def request_stop(reactor):
    _check(rrl.rrl_request_stop(_worker_running(reactor)), reactor)


def in_reaction():
    cdef rrl.rrl_worker_t *w = rl_worker()
    return w is not NULL and rrl.rrl_worker_reaction(w) != rrl.RRL_NONE


# ---- processors ----


@cython.always_allow_keywords(True)
def topology(sysfs="/sys", allowed=None):
    cdef rrl.rrl_cpu_t cpus[4096]
    cdef int32_t ids[4096]
    cdef size_t n = 0, i, n_allowed = 0
    path = sysfs.encode()
    if allowed is not None:
        n_allowed = min(<size_t>len(allowed), <size_t>4096)
        for i in range(n_allowed):
            ids[i] = allowed[i]
    _check(rrl.rrl_topology_read(
        path, ids if allowed is not None else NULL, n_allowed, cpus, 4096, &n), "topology")
    return [(cpus[i].id, cpus[i].core, cpus[i].cache, cpus[i].performance) for i in range(n)]


@cython.always_allow_keywords(True)
def cgroup_cpus(root="/"):
    path = root.encode()
    return rrl.rrl_cgroup_cpus(path)


# ---- slots: see rl_add_slot ----

cdef PyMemberDef _members[2]


cdef int _add_slots() except -1:
    cdef Element element = Element()
    cdef Py_ssize_t offset = <char *>&element._view - <char *><void *>element
    rl_add_slot(<PyTypeObject *>Element, &_members[0], "value", offset)
    rl_add_slot(<PyTypeObject *>Element, &_members[1], "is_present", offset + sizeof(void *))
    return 0


_add_slots()
