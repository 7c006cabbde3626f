"""Elements: what a body reads, sets and schedules. Part of _core.pyx."""


cdef class Element:
    """What ports, multiports, actions, timers and modes have in common."""

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
        cdef rrl.rrl_id_t reaction = rrl.rrl_worker_reaction(self._worker())
        if reaction == rrl.RRL_NONE or _runner(reaction) != <void *>self.reactor:
            _check(rrl.RRL_E_PHASE, self)  # the view is that of a body on another worker
        cdef void *payload = self._view.value
        return (True, <object>payload) if payload is not NULL else (False, None)

    @cython.always_allow_keywords(True)
    def get(self, default=None):
        cdef void *payload = rl_take(&self._view.value)
        if payload is not NULL:
            value = <object>payload
            Py_DECREF(value)  # the reference that rl_take made
            return value
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
        self.mode = current_mode()

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
            self._graph._note_set(self, value)
        Py_INCREF(value)
        cdef rrl.rrl_status_t rc = rrl.rrl_port_set(w, <uint32_t>self.id, <void *>value)
        if rc != rrl.RRL_OK:
            Py_DECREF(value)
            _check(rc, self)

    def lookup(self):
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return self._lookup()

    @property
    def own_value(self):
        """`value` for a subclass whose ports are mutable: without an exception before the copy."""
        cdef void *payload = rl_take(&self._view.value)
        if payload is not NULL:
            value = <object>payload
            Py_DECREF(value)  # the reference that rl_take made
            return value
        try:
            present, value = self._lookup()
        except AttributeError as failure:
            self._failure = failure
            raise
        if not present:
            raise AttributeError  # for the subclass's __getattr__, as an empty slot raises it
        return value

    cdef tuple _lookup(self):
        cdef void *payload = NULL
        cdef rrl.rrl_worker_t *w = self._worker()
        _check(rrl.rrl_port_payload(w, <uint32_t>self.id, &payload), self)
        if payload is NULL:
            return False, None
        value = <object>payload
        # A view that says present and has no value: see rrl_view_t.
        if self.mutable and self._view.is_present == <void *>Py_True and self._view.value is NULL:
            value = self._own(w, value)
        return True, value

    cdef object _own(self, rrl.rrl_worker_t *w, object value):
        """A copy that only this reactor sees, for the rest of the tag."""
        copy = self._graph._copies.copy(value, self)
        if self._graph._n_workers > 1:
            rl_share(copy)
        if self._graph._frozen is not None:
            self._graph._frozen.hold(copy)
        Py_INCREF(copy)
        cdef rrl.rrl_status_t rc = rrl.rrl_port_own(w, <uint32_t>self.id, <void *>copy)
        if rc != rrl.RRL_OK:
            Py_DECREF(copy)
            _check(rc, self)
        return copy


cdef class Multiport(Element):
    def __init__(self, Port channel, width):
        self._channel = channel
        self._width = width
        self.mode = current_mode()

    @property
    def type(self):
        return getattr(self._channel, "type", None)

    @property
    def mutable(self):
        return getattr(self._channel, "mutable", None)

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
        try:
            return self._known_channels()[index]
        except IndexError:
            n = len(self.channels)
            raise IndexError(f"{self}[{index}]: it has {n} channels, from 0 on") from None

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
        self.mode = current_mode()

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
            if rc == rrl.RRL_EMPTY:  # a recorded run is replayed
                handle._state = DROPPED
                return handle
            if rc == rrl.RRL_STOPPED:
                raise errors.PhaseError(f"{self}: the program has ended")
            if rc == rrl.RRL_E_PHASE:
                raise errors.PhaseError(
                    f"{self}: the program does not run yet; schedule after program.start()")
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
        if self._graph is not None and self._graph._replays:
            return
        rrl.rrl_program_hold(self._program(), <uint32_t>self.id, open)

    cdef rrl.rrl_program_t *_program(self) except NULL:
        if self._graph is None or self._graph._c_program is NULL:
            raise errors.PhaseError(
                f"{self}: it is in no program yet; make a Program of its reactor")
        return self._graph._c_program


cdef class Timer(Element):
    def __init__(self, spec=None):
        self.spec = spec
        self.mode = current_mode()

    def make(self, reactor):
        cls = self.__class__
        cdef Timer timer = <Timer>Timer.__new__(cls)
        timer.spec, timer.reactor, timer.name = self.spec, reactor, self.name
        return timer


cdef class Mode(Element):
    def __cinit__(self, *args, **kwargs):
        if args:
            raise TypeError("Mode(initial=True): by keyword; its name is that of the attribute")

    def __init__(self, bint initial=False):
        self.initial = initial
        self.mode = current_mode()

    def make(self, reactor):
        cls = self.__class__
        cdef Mode mode = <Mode>Mode.__new__(cls)
        mode.initial, mode.reactor, mode.name = self.initial, reactor, self.name
        return mode

    def set(self):
        """Enter the mode when this tag is over; for reactions that declare it as an effect."""
        _check(rrl.rrl_mode_set(self._worker(), <uint32_t>self.id), self)

    @property
    def is_active(self):
        """Whether it and all that enclose it are current. PhaseError outside its reactor."""
        if self.reactor is None:
            raise errors.PhaseError(f"{self} is the declaration; ask self.{self.name}.is_active")
        what = f"{self}.is_active"
        return rrl.rrl_mode_is_active(_worker_running(self.reactor, what), <uint32_t>self.id)


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
        return None if rl_outcome(&self._state) == DROPPED else _tag(self._c_tag)

    def cancel(self):
        if self._is_physical:
            return rl_settle(&self._state, CANCELLED)
        if not self._serial:
            return False
        cdef rrl.rrl_status_t rc = rrl.rrl_cancel(
            self._action._worker(), <uint32_t>self._action.id, self._c_tag, self._serial)
        _check(rc, self._action)
        return rc == rrl.RRL_OK


cdef class Edge:
    """What startup, shutdown and reset are: triggers that belong to no reactor."""

    def __init__(self, name, int kind):
        self.name = name
        self._kind = <rrl.rrl_kind_t>kind

    def __repr__(self):
        return f"reactorrl.{self.name}"

    def __reduce__(self):
        return self.name


startup = Edge("startup", rrl.RRL_STARTUP)
shutdown = Edge("shutdown", rrl.RRL_SHUTDOWN)
RESET = rrl.RRL_RESET
