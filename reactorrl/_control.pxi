"""Time under test; recording what comes from outside, and feeding it again. Part of _core.pyx."""


def elapsed_ns(Runtime runtime not None):
    return rrl.rrl_program_elapsed_ns(runtime.graph._c_program)


def advance_clock(Runtime runtime not None, int64_t delta_ns):
    """In a body of this program: what the body takes; elsewhere at once."""
    cdef rrl.rrl_worker_t *w = rl_worker_of(<void *>runtime.graph)
    if w is not NULL and rrl.rrl_worker_reaction(w) == rrl.RRL_NONE:
        w = NULL
    cdef rrl.rrl_status_t rc
    with nogil:
        rc = rrl.rrl_clock_advance(runtime.graph._c_program, w, delta_ns)
    _check(rc, "VirtualClock.advance")


def step(Runtime runtime not None, int64_t time_ns, uint32_t microstep):
    """Lets a stepped program process all tags up to this one."""
    cdef rrl.rrl_tag_t tag = rrl.rrl_tag_t(time_ns, microstep)
    with nogil:
        rrl.rrl_program_step(runtime.graph._c_program, tag)


def wait_for_pause(Runtime runtime not None, int64_t timeout_ns):
    """(is paused, next tag or None); (False, None) when the program has ended; None: time is up."""
    cdef rrl.rrl_status_t rc = rrl.RRL_TIMEOUT
    cdef rrl.rrl_tag_t tag
    cdef int64_t slice_ns
    cdef rrl.rrl_program_t *program = runtime.graph._c_program
    while timeout_ns >= 0:
        slice_ns = min(timeout_ns, SIGNAL_PERIOD_NS)
        with nogil:
            rc = rrl.rrl_program_wait_for_pause(program, slice_ns, &tag)
        PyErr_CheckSignals()
        if rc == rrl.RRL_STOPPED:
            return False, None
        _check(rc, "Program.wait_for_pause")
        if rc == rrl.RRL_OK:
            return True, None if tag.time_ns == rrl.RRL_FOREVER else _tag(tag)
        timeout_ns -= max(slice_ns, 1)
    return None


def is_mode_active(Runtime runtime not None, Mode mode not None):
    """While no tag is being processed."""
    return rrl.rrl_program_mode_is_active(runtime.graph._c_program, <uint32_t>mode.id)


def feed(Runtime runtime not None, Element element not None, int64_t time_ns, uint32_t microstep,
         value):
    """Before the start of a replay: an event of an action or port, as the recorder was told it."""
    cdef rrl.rrl_tag_t tag = rrl.rrl_tag_t(time_ns, microstep)
    kind = rrl.RRL_PORT if isinstance(element, Port) else rrl.RRL_ACTION
    rl_share(value)
    Py_INCREF(value)
    cdef rrl.rrl_status_t rc = rrl.rrl_program_feed(
        runtime.graph._c_program, kind, <uint32_t>element.id, tag, <void *>value)
    if rc != rrl.RRL_OK:
        Py_DECREF(value)
        _check(rc, element)


def feed_miss(Runtime runtime not None, uint32_t reaction, int64_t time_ns, uint32_t microstep):
    cdef rrl.rrl_tag_t tag = rrl.rrl_tag_t(time_ns, microstep)
    _check(rrl.rrl_program_feed_miss(runtime.graph._c_program, reaction, tag), "Program.replay")


def feed_stop(Runtime runtime not None, uint32_t enclave, int64_t time_ns, uint32_t microstep):
    cdef rrl.rrl_tag_t tag = rrl.rrl_tag_t(time_ns, microstep)
    _check(rrl.rrl_program_feed_stop(runtime.graph._c_program, enclave, tag), "Program.replay")


def attach_recorder(Graph graph not None, recorder):
    """Before the graph is compiled. Workers call the recorder's methods, which do not raise."""
    graph._recorder = recorder
    graph._c_host.record = _record
    graph._c_host.missed = _missed


cdef void _record(void *ctx, rrl.rrl_kind_t kind, rrl.rrl_id_t number, rrl.rrl_tag_t tag,
                  void *payload) noexcept:
    (<Graph>(<rl_host_t *>ctx).graph)._recorder.event(
        kind == rrl.RRL_ACTION, number, tag.time_ns, tag.microstep, <object>payload)


cdef void _missed(void *ctx, rrl.rrl_id_t reaction, rrl.rrl_tag_t tag) noexcept:
    (<Graph>(<rl_host_t *>ctx).graph)._recorder.missed(reaction, tag.time_ns, tag.microstep)
