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
from .copies import PrivateCopies
from .scope import current_mode
from .time import Tag, to_ns

TRIGGER = rrl.RRL_TRIGGER
USE = rrl.RRL_USE
EFFECT = rrl.RRL_EFFECT
PEEK = rrl.RRL_PEEK
HISTORY = rrl.RRL_PEEK + 1  # in Python alone: the effect on a mode that is entered by history

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
    text, where = rrl.rrl_status_text(rc).decode(), ""
    cdef rrl.rrl_worker_t *w = rl_worker()
    if w is not NULL and rrl.rrl_worker_reaction(w) != rrl.RRL_NONE:
        graph = <Graph>rl_graph()
        reaction = rrl.rrl_worker_reaction(w)
        where = f" (in reaction {_path(graph, reaction)} at {_tag(rrl.rrl_worker_tag(w))})"
        owner = getattr(subject, "reactor", None)
        runner = graph._selves[reaction]
        if owner is not None and owner is not runner and owner._rrl_container is not runner:
            rc = rrl.RRL_E_PHASE  # of another reactor: no declaration would help
            text = f"only {owner.path} and what contains it may touch this; connect a port to it"
        elif owner is not None and rc in (rrl.RRL_E_UNDECLARED, rrl.RRL_E_UNDECLARED_USE):
            from .declare import misused  # above this module: found when it is needed
            role = EFFECT if rc == rrl.RRL_E_UNDECLARED else USE
            if owner is not runner:
                text += " of one made by self.add_reaction(...) in __init__, as it is a child's"
            text = misused(role, subject, owner is runner) or text
    elif rc == rrl.RRL_E_PHASE:
        from .declare import out_of_phase
        text = out_of_phase(subject)
    raise _exception_class(rc)(f"{subject}: {text}{where}")


cdef object _path(Graph graph, rrl.rrl_id_t reaction):
    func = graph._funcs[reaction]
    return f"{graph._selves[reaction].path}.{getattr(func, '__name__', func)}"


cdef object _tag(rrl.rrl_tag_t tag):
    return Tag(tag.time_ns, tag.microstep)


include "_elements.pxi"
include "_graph.pxi"
include "_runtime.pxi"
include "_control.pxi"


# ---- the running body ----


cdef void *_runner(rrl.rrl_id_t reaction) noexcept:
    return (<Graph>rl_graph())._c_host.bodies[reaction].self


cdef rrl.rrl_worker_t *_worker_running(object reactor, object what=None) except NULL:
    cdef rrl.rrl_worker_t *w = rl_worker()
    cdef rrl.rrl_id_t reaction = rrl.RRL_NONE if w is NULL else rrl.rrl_worker_reaction(w)
    if reaction == rrl.RRL_NONE or _runner(reaction) != <void *>reactor:
        path = getattr(reactor, "path", reactor)
        text = f"only a running reaction of {path} may ask for this"
        raise errors.PhaseError(text if what is None else f"{what}: {text}")
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


def note_made():
    """The running body, if there is one, has made a reactor."""
    rl_note_made()


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


def probe(int32_t a, int32_t b, int64_t budget_ns):
    cdef rrl.rrl_probe_t found
    cdef rrl.rrl_status_t rc
    with nogil:
        rc = rrl.rrl_probe(a, b, budget_ns, &found)
    _check(rc, f"probe of processors {a} and {b}")
    return found if rc == rrl.RRL_OK else None


# ---- slots: see rl_add_slot ----

cdef PyMemberDef _members[2]


cdef int _add_slots() except -1:
    cdef Element element = Element()
    cdef Py_ssize_t offset = <char *>&element._view - <char *><void *>element
    rl_add_slot(<PyTypeObject *>Element, &_members[0], "value", offset)
    rl_add_slot(<PyTypeObject *>Element, &_members[1], "is_present", offset + sizeof(void *))
    return 0


_add_slots()
