/* _host.h: what the binding needs in plain C: the way from a worker into a Python body, and the few
 * interpreter calls that differ between builds. Included by _core.pyx alone. */
#ifndef REACTORRL_HOST_H
#define REACTORRL_HOST_H

#include <Python.h>
#if PY_VERSION_HEX < 0x030C0000
#include <structmember.h>
#define Py_T_OBJECT_EX T_OBJECT_EX
#define Py_READONLY READONLY
#endif

#include "rrl.h"

#if defined(Py_GIL_DISABLED) && PY_VERSION_HEX < 0x030E0000
#error "reactorrl needs free-threaded CPython 3.14 or newer, or an ordinary CPython"
#endif

/* The worker whose thread this is, and the graph of its program; NULL on all other threads. The one piece
 * of state that is not in an object: it answers "does a body run here, and whose?" in a nanosecond. */
typedef struct rl_here {
    rrl_worker_t *worker;
    void *graph;
    bool has_made; /* the running body made a reactor */
} rl_here_t;

static _Thread_local rl_here_t rl_here __attribute__((tls_model("initial-exec")));

static inline rrl_worker_t *rl_worker_of(void *graph) {
    return rl_here.graph == graph ? rl_here.worker : NULL;
}

static inline rrl_worker_t *rl_worker(void) { return rl_here.worker; }

static inline void *rl_graph(void) { return rl_here.graph; }

static inline void rl_note_made(void) { rl_here.has_made = true; }

/* What run_reaction and run_handler call: borrowed from lists that the graph keeps. */
typedef struct rl_body {
    PyObject *func;
    PyObject *handler; /* instead of func when the deadline was missed; None if there is none */
    PyObject *self;
} rl_body_t;

/* The context of the host callbacks of one program. */
typedef struct rl_host {
    void *graph;       /* the Graph object */
    rl_body_t *bodies; /* by reaction */
    PyInterpreterState *interpreter;
    PyThreadState *
        *states; /* by worker; made by its own thread, as reference counting is biased to it */
    PyObject **contexts;    /* by worker: a copy of the context that the program was started in */
    unsigned long *threads; /* by worker: its identity, 0 before its first attach */
    int (*note_failure)(void *ctx, uint32_t index, rrl_id_t reaction, void *error);
    void *(*refuse_made)(void *reactor);    /* an exception, or NULL */
    void (*thaw)(void *ctx, void *payload); /* NULL unless check=True */
    void *(*redeem)(void *ctx, void *ticket);
    void (*overflowed)(void *ctx, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag);
    /* NULL: nobody records. */
    void (*record)(void *ctx, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag, void *payload);
    void (*missed)(void *ctx, rrl_id_t reaction, rrl_tag_t tag);
} rl_host_t;

/* The exception in flight, taken off the thread. */
static inline PyObject *rl_take_error(void) {
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback) PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

static rrl_status_t rl_thread_start(void *ctx, rrl_worker_t *w, uint32_t index) {
    rl_host_t *host = ctx;
    host->states[index] = PyThreadState_New(host->interpreter);
    if (!host->states[index]) return RRL_E_NOMEM;
    host->threads[index] = PyThread_get_thread_ident();
    rl_here = (rl_here_t){w, host->graph, false};
    PyEval_RestoreThread(host->states[index]);
    PyContext_Enter(host->contexts[index]); /* fails only where another thread is in it */
    PyEval_SaveThread();
    return RRL_OK;
}

static void rl_attach(void *ctx, uint32_t index) {
    rl_host_t *host = ctx;
    PyEval_RestoreThread(host->states[index]);
}

static void rl_detach(void *ctx, uint32_t index) {
    (void)ctx, (void)index;
    PyEval_SaveThread();
}

static void rl_thread_stop(void *ctx, uint32_t index) {
    rl_host_t *host = ctx;
    PyEval_RestoreThread(host->states[index]);
    PyContext_Exit(host->contexts[index]);
    Py_CLEAR(host->contexts[index]);
    PyThreadState_Clear(host->states[index]);
    PyThreadState_DeleteCurrent();
    host->states[index] = NULL;
    rl_here = (rl_here_t){NULL, NULL, false};
}

static inline rrl_status_t rl_call(rl_host_t *host, uint32_t index, rrl_id_t reaction,
                                   PyObject *func) {
    PyObject *args[2] = {NULL, host->bodies[reaction].self};
    PyObject *result =
        PyObject_Vectorcall(func, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    if (result && !rl_here.has_made) {
        Py_DECREF(result);
        return RRL_OK;
    }
    PyObject *error = result ? host->refuse_made(host->bodies[reaction].self) : rl_take_error();
    rl_here.has_made = false;
    Py_XDECREF(result);
    if (!error) return RRL_OK;
    host->note_failure(host, index, reaction, error);
    return RRL_E_REACTION;
}

static rrl_status_t rl_run_reaction(void *ctx, uint32_t index, rrl_id_t reaction) {
    rl_host_t *host = ctx;
    return rl_call(host, index, reaction, host->bodies[reaction].func);
}

static rrl_status_t rl_run_handler(void *ctx, uint32_t index, rrl_id_t reaction) {
    rl_host_t *host = ctx;
    return rl_call(host, index, reaction, host->bodies[reaction].handler);
}

static void rl_retain(void *ctx, void *payload) {
    (void)ctx;
    Py_INCREF((PyObject *)payload);
}

static void rl_release(void *ctx, void *const *payloads, size_t n) {
    rl_host_t *host = ctx;
    for (size_t i = 0; i < n; i++) {
        if (host->thaw) host->thaw(ctx, payloads[i]);
        Py_DECREF((PyObject *)payloads[i]);
    }
}

static void *rl_redeem(void *ctx, void *ticket) { return ((rl_host_t *)ctx)->redeem(ctx, ticket); }

static inline rrl_host_t rl_callbacks(rl_host_t *ctx) {
    rrl_host_t host = {.ctx = ctx,
                       .present = Py_True,
                       .absent = Py_False,
                       .thread_start = rl_thread_start,
                       .thread_stop = rl_thread_stop,
                       .attach = rl_attach,
                       .detach = rl_detach,
                       .run_reaction = rl_run_reaction,
                       .run_handler = rl_run_handler,
                       .retain = rl_retain,
                       .release = rl_release,
                       .redeem = rl_redeem,
                       .overflowed = ctx->overflowed,
                       .record = ctx->record,
                       .missed = ctx->missed};
    return host;
}

static inline void rl_note_interpreter(rl_host_t *host) {
    host->interpreter = PyInterpreterState_Get();
}

static inline void rl_drop_contexts(rl_host_t *host, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) Py_CLEAR(host->contexts[i]);
}

/* One for each worker, since only one thread at a time can be in a context. Without them a worker would see
 * none of the caller's context variables: NumPy's error state, filters of warnings, a notebook's cell. */
static inline int rl_copy_contexts(rl_host_t *host, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        host->contexts[i] = PyContext_CopyCurrent();
        if (host->contexts[i]) continue;
        rl_drop_contexts(host, i);
        return -1;
    }
    return 0;
}

static inline void rl_drop_thread_state(PyThreadState *state) {
    PyThreadState_Clear(state);
    PyThreadState_Delete(state);
}

/* For objects that live as long as the program and that several threads call or read: the interpreter then
 * leaves their counts alone. The object is freed by the garbage collector alone. */
static inline void rl_defer(PyObject *object) {
#ifdef Py_GIL_DISABLED
    PyUnstable_Object_EnableDeferredRefcount(object);
#else
    (void)object;
#endif
}

/* For a payload that another thread will read through a slot: without this the specialised read falls back
 * to a locked one when the object belongs to another thread. */
static inline void rl_share(PyObject *object) {
#ifdef Py_GIL_DISABLED
    PyUnstable_EnableTryIncRef(object);
#else
    (void)object;
#endif
}

/* A new reference to what the slot holds; NULL: nothing, or nothing that this thread can be sure of. Any
 * thread: the worker may empty the slot and give the object back at the same time. */
static inline void *rl_take(void **slot) {
    PyObject *object = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (!object) return NULL;
#ifdef Py_GIL_DISABLED
    if (!PyUnstable_TryIncRef(object)) return NULL;
    if (object == __atomic_load_n(slot, __ATOMIC_ACQUIRE)) return object;
    Py_DECREF(object);
    return NULL;
#else
    return Py_NewRef(object);
#endif
}

/* Gives `type` a read-only slot: attribute `name` at `offset`; NULL there raises AttributeError. CPython
 * specialises reads of such a slot, which makes them as fast as those of an instance attribute. `member`
 * lives as long as the type. */
static inline int rl_add_slot(PyTypeObject *type, PyMemberDef *member, const char *name,
                              Py_ssize_t offset) {
    *member = (PyMemberDef){name, Py_T_OBJECT_EX, offset, Py_READONLY, NULL};
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *dict = PyType_GetDict(type);
#else
    PyObject *dict = Py_XNewRef(type->tp_dict);
#endif
    PyObject *descriptor = dict ? PyDescr_NewMember(type, member) : NULL;
    int rc = descriptor ? PyDict_SetItemString(dict, name, descriptor) : -1;
    Py_XDECREF(descriptor);
    Py_XDECREF(dict);
    PyType_Modified(type);
    return rc;
}

/* From pending (0) to `outcome`. Any thread; one of them wins. */
static inline int rl_settle(int *state, int outcome) {
    int pending = 0;
    return __atomic_compare_exchange_n(state, &pending, outcome, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* What it was settled to, or 0. Any thread. */
static inline int rl_outcome(const int *state) { return __atomic_load_n(state, __ATOMIC_ACQUIRE); }

#endif
