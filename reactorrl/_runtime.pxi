"""A compiled program: running it, and what it did. Part of _core.pyx."""


@cython.final
@cython.always_allow_keywords(True)
cdef class Runtime:
    def __cinit__(self, Graph graph not None, *, uint32_t workers, bint fast, bint keepalive,
                  bint profile, bint check, int64_t timeout_ns, cpus, uint32_t trace_capacity,
                  bint virtual_clock=False, bint stepped=False, bint replay=False):
        cdef rrl.rrl_options_t options
        cdef int32_t *c_cpus = NULL
        cdef uint32_t i
        graph._open()
        if cpus is not None:
            cpus = [<int32_t>cpu for cpu in cpus]
            if len(cpus) != <Py_ssize_t>graph._n_workers + workers:
                raise ValueError(f"{len(cpus)} processors for {graph._n_workers + workers} workers")
            c_cpus = <int32_t *>calloc(len(cpus) + 1, sizeof(int32_t))
            if c_cpus is NULL:
                raise MemoryError
            for i in range(<uint32_t>len(cpus)):
                c_cpus[i] = cpus[i]
        options.n_workers = workers
        options.fast = fast
        options.virtual_clock = virtual_clock
        options.stepped = stepped
        options.replay = graph._replays = replay
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
            rl_note_interpreter(&self.graph._c_host)
            rl_copy_contexts(&self.graph._c_host, self.graph._n_workers)
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
        rl_drop_contexts(&self.graph._c_host, self.graph._n_workers)
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

    def is_on_worker(self):
        return rl_worker_of(<void *>self.graph) is not NULL

    def join(self):
        cdef rrl.rrl_status_t rc
        if not self._holds_itself:
            return
        with nogil:
            rc = rrl.rrl_program_join(self.graph._c_program)
        _check(rc, "Program.join")
        self.graph._copies.close()
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

    def overflows(self):
        return sorted(self.graph._overflows)

    def stats(self):
        cdef rrl.rrl_stats_t s
        rrl.rrl_program_stats(self.graph._c_program, &s)
        _check(s.status, "Program")
        return {
            "stop_tag": (s.stop_tag.time_ns, s.stop_tag.microstep), "reactions": s.n_reactions,
            "events": s.n_events, "tags": s.n_tags, "trace_hash": s.trace_hash,
            "wall_ns": s.wall_ns, "allocations": s.n_allocations, "dropped": s.n_dropped,
        }

    def enclave_stats(self):
        cdef rrl.rrl_enclave_stats_t s
        cdef uint32_t i
        found = []
        for i in range(self.graph._n_enclaves):
            rrl.rrl_program_enclave_stats(self.graph._c_program, i, &s)
            found.append({
                "stop_tag": (s.stop_tag.time_ns, s.stop_tag.microstep), "events": s.n_events,
                "tags": s.n_tags, "trace_hash": s.trace_hash})
        return found

    def worker_stats(self):
        cdef rrl.rrl_worker_stats_t s
        found = []
        for i in range(self.graph._n_workers):
            rrl.rrl_program_worker_stats(self.graph._c_program, i, &s)
            found.append({
                "wall_ns": s.wall_ns, "spinning_ns": s.spinning_ns, "parked_ns": s.parked_ns,
                "reactions": s.n_reactions, "stolen": s.n_stolen, "cpu": s.cpu})
        return found

    def reaction_counts(self):
        return [rrl.rrl_program_reaction_count(self.graph._c_program, i) for i in self._ids()]

    def miss_counts(self):
        return [rrl.rrl_program_miss_count(self.graph._c_program, i) for i in self._ids()]

    def reaction_ns(self):
        return [rrl.rrl_program_reaction_ns(self.graph._c_program, i) for i in self._ids()]

    def trace(self):
        return [self._lane(i) for i in range(self.graph._n_workers + self.graph._n_enclaves)]

    cdef object _lane(self, uint32_t lane):
        cdef uint64_t n_lost
        cdef size_t n = rrl.rrl_program_trace(self.graph._c_program, lane, NULL, &n_lost)
        cdef bytearray data = bytearray(n * sizeof(rrl.rrl_trace_record_t))
        rrl.rrl_program_trace(
            self.graph._c_program, lane, <rrl.rrl_trace_record_t *><char *>data, &n_lost)
        return data, n_lost

    def links(self):
        cdef size_t n = rrl.rrl_program_links(self.graph._c_program, NULL)
        cdef bytearray data = bytearray(n * sizeof(rrl.rrl_link_t))
        rrl.rrl_program_links(self.graph._c_program, <rrl.rrl_link_t *><char *>data)
        return data

    def pulse(self, uint32_t worker):
        cdef rrl.rrl_pulse_t r
        if worker >= self.graph._n_workers:
            raise IndexError(f"worker {worker} of {self.graph._n_workers}")
        rrl.rrl_program_pulse(self.graph._c_program, worker, &r)
        return r.n_reactions, r.waiting_ns, r.n_tags, r.lag_ns

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
