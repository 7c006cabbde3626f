"""The declared graph, and the trampolines from its program into Python. Part of _core.pyx."""


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


cdef void _overflowed(void *ctx, rrl.rrl_kind_t kind, rrl.rrl_id_t number,
                      rrl.rrl_tag_t tag) noexcept:
    (<Graph>(<rl_host_t *>ctx).graph)._overflows.append(
        (kind == rrl.RRL_ACTION, number, (tag.time_ns, tag.microstep)))


cdef void *_refuse_made(void *reactor) noexcept:
    from .tree import refuse_new_children  # above this module: found when it is needed
    try:
        refuse_new_children(<object>reactor)
    except BaseException as error:
        Py_INCREF(error)
        return <void *>error
    return NULL


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


@cython.final
cdef class Graph:
    def __cinit__(self):
        self._elements, self._failures, self._overflows = [], [], []
        self._funcs, self._handlers, self._selves = [], [], []
        self._copies = PrivateCopies()
        self._n_enclaves = 1
        _check(rrl.rrl_graph_create(&self._c_graph), "Graph")

    def __dealloc__(self):
        rrl.rrl_graph_destroy(self._c_graph)
        self._c_host.thaw = NULL  # what it would ask may be gone
        rrl.rrl_program_destroy(self._c_program)
        free(self._c_host.bodies)
        free(self._c_host.states)
        free(self._c_host.contexts)
        free(self._c_host.threads)

    cdef rrl.rrl_graph_t *_open(self) except NULL:
        if self._c_graph is NULL:
            raise errors.PhaseError("this graph has its program already")
        return self._c_graph

    cdef int _claim(self, Element element) except -1:
        """Takes the element in: its view stays in place as long as this graph."""
        if element._graph is not None:
            raise errors.AssemblyError(f"{element} belongs to another program; make a new reactor")
        self._elements.append(element)
        element._graph = self
        rl_defer(element)
        return 0

    cdef int _note_set(self, Port port, object value) except -1:
        """With check=True: what is set cannot be written, unless its one reader may."""
        if rrl.rrl_port_is_moved(self._c_program, <uint32_t>port.id):
            self._frozen.hold(value)
        else:
            self._frozen.freeze(value)
        return 0

    def add_enclave(self, uint32_t workers, uint32_t capacity):
        cdef rrl.rrl_id_t number
        _check(rrl.rrl_graph_add_enclave(self._open(), workers, capacity, &number), "enclave")
        self._n_workers += workers
        self._n_enclaves += 1
        return number

    @cython.always_allow_keywords(True)
    def add_reactor(self, reactor, uint32_t enclave=0):
        cdef rrl.rrl_id_t number
        _check(rrl.rrl_graph_add_reactor(self._open(), enclave, &number), reactor)
        self._reactor = number
        rl_defer(reactor)
        return number

    def add_mode(self, Mode mode not None, Mode within, bint initial):
        cdef rrl.rrl_id_t number
        self._claim(mode)
        _check(rrl.rrl_graph_add_mode(
            self._open(), self._reactor, _mode_id(within), initial, &number), mode)
        mode.id = number
        return number

    def add_port(self, Port port not None):
        cdef rrl.rrl_id_t number
        self._claim(port)
        _check(rrl.rrl_graph_add_port(
            self._open(), self._reactor, port.mutable, &port._view, &number), port)
        port.id = number
        return number

    def add_multiport(self, Multiport multiport not None):
        cdef rrl.rrl_id_t number, first = 0
        cdef uint32_t width = <uint32_t>len(multiport.channels)
        self._claim(multiport)
        for channel in multiport.channels:
            self.add_port(channel)
        if width:
            first = <uint32_t>(<Port>multiport.channels[0]).id
        _check(rrl.rrl_graph_add_multiport(
            self._open(), first, width, &multiport._view, NULL, &number), multiport)
        multiport.id = number
        return number

    def add_action(self, Action action not None, bint physical, int64_t min_delay_ns,
                   int64_t min_spacing_ns, int policy, uint32_t capacity, Mode mode=None):
        cdef rrl.rrl_id_t number
        cdef rrl.rrl_action_spec_t spec
        spec.min_delay_ns = min_delay_ns
        spec.min_spacing_ns = min_spacing_ns
        spec.policy = <rrl.rrl_policy_t>policy
        spec.is_physical = physical
        spec.capacity = capacity
        self._claim(action)
        _check(rrl.rrl_graph_add_action(
            self._open(), self._reactor, _mode_id(mode), &spec, &action._view, &number), action)
        action.id = number
        return number

    def add_timer(self, Timer timer not None, int64_t offset_ns, int64_t period_ns, Mode mode=None):
        cdef rrl.rrl_id_t number
        self._claim(timer)
        _check(rrl.rrl_graph_add_timer(
            self._open(), self._reactor, _mode_id(mode), offset_ns, period_ns, &timer._view,
            &number), timer)
        timer.id = number
        return number

    def add_reaction(self, uint32_t reactor_id, func, self_, path_hash, Mode mode=None,
                     int64_t deadline_ns=rrl.RRL_NO_DEADLINE, handler=None):
        cdef rrl.rrl_id_t number
        _check(rrl.rrl_graph_add_reaction(
            self._open(), reactor_id, _mode_id(mode), <uint64_t>(path_hash & 0xFFFFFFFFFFFFFFFF),
            deadline_ns, handler is not None, &number), func)
        rl_defer(func)
        if handler is not None:
            rl_defer(handler)
        self._funcs.append(func)
        self._handlers.append(handler)
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
        elif isinstance(element, Mode):
            kind = rrl.RRL_MODE_HISTORY if role == HISTORY else rrl.RRL_MODE_RESET
            role = rrl.RRL_EFFECT
        elif isinstance(element, Edge):
            kind = (<Edge>element)._kind
        else:
            raise TypeError(f"{element!r} is no element of a reactor")
        number = (<Element>element).id if isinstance(element, Element) else 0
        _check(rrl.rrl_graph_declare(
            self._open(), reaction_id, <rrl.rrl_role_t>role, kind, <uint32_t>number), element)

    def connect(self, Port source not None, Port destination not None, int64_t delay_ns,
                bint physical, Mode mode=None):
        _check(rrl.rrl_graph_connect(
            self._open(), <uint32_t>source.id, <uint32_t>destination.id, delay_ns, physical,
            _mode_id(mode)), destination)

    cdef int _compile(self, const rrl.rrl_options_t *options) except -1:
        cdef rrl.rrl_cycle_step_t *cycle = NULL
        cdef size_t n_cycle = 0, i
        cdef Py_ssize_t n = len(self._funcs)
        cdef size_t n_workers = self._n_workers + options.n_workers
        cdef rrl.rrl_host_t callbacks
        self._c_host.graph = <void *>self
        self._c_host.note_failure = _note_failure
        self._c_host.refuse_made = _refuse_made
        self._c_host.redeem = _redeem
        self._c_host.overflowed = _overflowed
        if self._frozen is not None:
            self._c_host.thaw = _thaw
        self._c_host.bodies = <rl_body_t *>calloc(n + 1, sizeof(rl_body_t))
        self._c_host.states = <PyThreadState **>calloc(n_workers, sizeof(void *))
        self._c_host.contexts = <PyObject **>calloc(n_workers, sizeof(void *))
        self._c_host.threads = <unsigned long *>calloc(n_workers, sizeof(unsigned long))
        if not (self._c_host.bodies and self._c_host.states and self._c_host.contexts
                and self._c_host.threads):
            raise MemoryError
        for i in range(<size_t>n):
            self._c_host.bodies[i].func = <void *>self._funcs[i]
            self._c_host.bodies[i].handler = <void *>self._handlers[i]
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


cdef rrl.rrl_id_t _mode_id(Mode mode) noexcept:
    return rrl.RRL_NONE if mode is None else <rrl.rrl_id_t>mode.id


cdef object _or_minus_one(rrl.rrl_id_t number):
    return -1 if number == rrl.RRL_NONE else number
