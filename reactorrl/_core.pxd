"""Layouts of the extension types: who holds what for how long."""

from cpython.ref cimport PyObject
from libc.stdint cimport int64_t, uint32_t, uint64_t

from reactorrl cimport _rrl as rrl


cdef extern from "_host.h":
    ctypedef struct rl_body_t:
        void *func
        void *handler
        void *self

    ctypedef struct PyThreadState:
        pass

    ctypedef struct PyTypeObject:
        pass

    ctypedef struct PyMemberDef:
        pass

    PyObject *Py_True  # `<void *>True` would be the C number 1

    ctypedef struct rl_here_t:
        rrl.rrl_worker_t *worker
        void *graph

    ctypedef struct rl_host_t:
        void *graph
        rl_body_t *bodies
        PyThreadState **states
        PyObject **contexts
        unsigned long *threads
        int (*note_failure)(void *ctx, uint32_t index, rrl.rrl_id_t reaction, void *error) noexcept
        void *(*refuse_made)(void *reactor) noexcept
        void (*thaw)(void *ctx, void *payload) noexcept
        void *(*redeem)(void *ctx, void *ticket) noexcept
        void (*overflowed)(
            void *ctx, rrl.rrl_kind_t kind, rrl.rrl_id_t id, rrl.rrl_tag_t tag) noexcept
        void (*record)(void *ctx, rrl.rrl_kind_t kind, rrl.rrl_id_t id, rrl.rrl_tag_t tag,
                       void *payload) noexcept
        void (*missed)(void *ctx, rrl.rrl_id_t reaction, rrl.rrl_tag_t tag) noexcept

    rl_here_t rl_here
    rrl.rrl_worker_t *rl_worker_of(void *graph) nogil
    rrl.rrl_worker_t *rl_worker() nogil
    void *rl_graph() nogil
    void rl_note_made() nogil
    rrl.rrl_host_t rl_callbacks(rl_host_t *ctx) nogil
    void rl_note_interpreter(rl_host_t *host)
    int rl_copy_contexts(rl_host_t *host, uint32_t n) except -1
    void rl_drop_contexts(rl_host_t *host, uint32_t n)
    void rl_drop_thread_state(PyThreadState *state)
    void rl_defer(object obj)
    void rl_share(object obj)
    void *rl_take(void **slot)
    int rl_add_slot(
        PyTypeObject *type, PyMemberDef *member, const char *name, Py_ssize_t offset) except -1
    bint rl_settle(int *state, int outcome) nogil
    int rl_outcome(const int *state) nogil


cdef class Graph:
    cdef rrl.rrl_graph_t *_c_graph      # owned until the program is compiled, then NULL
    cdef rrl.rrl_program_t *_c_program  # owned once compiled; its views lie in the elements below
    cdef rl_host_t _c_host              # the context of the program's callbacks
    cdef uint32_t _n_workers            # of all enclaves; of all but the main one until compiled
    cdef uint32_t _n_enclaves
    cdef rrl.rrl_id_t _reactor          # added last: whose elements are added now
    cdef list _elements                 # keeps every view in place as long as the program
    cdef list _funcs                    # keep what _c_host.bodies borrows
    cdef list _handlers                 # None where a reaction has none
    cdef list _selves
    cdef list _failures                 # (unwinding, reaction, error, tag), appended to by workers
    cdef list _overflows                # (is an action, id, tag), appended to by workers
    cdef object _frozen                 # checks.FrozenArrays with check=True, else None
    cdef object _copies                 # copies.PrivateCopies
    cdef object _recorder               # told of what comes from outside, or None
    cdef bint _replays                  # what comes from outside was fed
    cdef rrl.rrl_graph_t *_open(self) except NULL
    cdef int _claim(self, Element element) except -1
    cdef int _note_set(self, Port port, object value) except -1
    cdef int _compile(self, const rrl.rrl_options_t *options) except -1


cdef class Element:
    cdef rrl.rrl_view_t _view           # `value` and `is_present`, filled around each body
    cdef Graph _graph                   # whose program it belongs to; None before assembly
    cdef public object reactor
    cdef public object name
    cdef public object mode             # in whose `with` it was made; once assembled, its reactor's
    cdef readonly int64_t id            # in the graph; -1 before assembly
    cdef rrl.rrl_worker_t *_worker(self) except NULL


cdef class Port(Element):
    cdef public object type
    cdef public bint mutable
    cdef readonly Py_ssize_t index      # channel of its multiport; -1: none
    cdef object _failure                # AttributeError of a copy, on its way round __getattr__
    cdef tuple _lookup(self)
    cdef object _own(self, rrl.rrl_worker_t *w, object value)


cdef class Multiport(Element):
    cdef Port _channel                  # declaration of every channel
    cdef object _width                  # declared: an int or a name
    cdef readonly tuple channels        # None while the width is not known
    cdef object _known_channels(self)


cdef class Action(Element):
    cdef public object spec
    cdef rrl.rrl_program_t *_program(self) except NULL


cdef class Timer(Element):
    cdef public object spec


cdef class Mode(Element):
    cdef readonly bint initial


cdef class Edge:
    cdef readonly str name
    cdef rrl.rrl_kind_t _kind


cdef class Handle:
    cdef Action _action
    cdef rrl.rrl_tag_t _c_tag
    cdef uint64_t _serial               # logical: names the event; 0: dropped or physical
    cdef bint _is_physical
    cdef int _state                     # PENDING, OVER, CANCELLED or DROPPED
    cdef object _value                  # physical: the payload until the event comes


cdef class Runtime:
    cdef readonly Graph graph
    cdef bint _holds_itself             # one reference more while threads run
    cdef int _hold(self, bint holds) except -1
    cdef int _drop_states(self) except -1
    cdef object _lane(self, uint32_t lane)
    cdef object _ids(self)
