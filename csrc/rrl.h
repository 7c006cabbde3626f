/* rrl.h: the border of the runtime core.
 *
 * Everything above (the Cython binding, the C tests) sees this header and no other; everything below
 * knows nothing of Python. Calls go down through the functions here; the only way up is rrl_host_t.
 *
 * Life of a program:   graph_create, graph_add_*, graph_connect      one thread, assembly
 *                      program_create                                levels, flat arrays, nothing runs
 *                      program_start ... program_wait, program_join  the workers run
 *                      program_destroy
 *
 * Words (see ARCHITECTURE.md): an *element* is a port, multiport, action or timer; an id counts the
 * elements of one kind in order of addition. A *payload* is an opaque, reference-counted pointer of the
 * host, never NULL; NULL always means "absent".
 */
#ifndef RRL_H
#define RRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- status ------------------------------------------------------------------------------------ */

/* X(name, value, text, Python exception). Negative: an error. Positive: an ordinary outcome that is
 * never raised. tests/test_boundary.py holds the last column against reactorrl/errors.py. */
#define RRL_STATUS_MAP(X)                                                                          \
    X(RRL_OK, 0, "ok", "")                                                                         \
    X(RRL_EMPTY, 1, "nothing there", "")                                                           \
    X(RRL_FULL, 2, "no room left", "")                                                             \
    X(RRL_STOPPED, 3, "the program has stopped", "")                                               \
    X(RRL_TIMEOUT, 4, "the time is up", "")                                                        \
    X(RRL_INTERRUPTED, 5, "a signal arrived", "")                                                  \
    X(RRL_E_NOMEM, -1, "out of memory", "MemoryError")                                             \
    X(RRL_E_INVAL, -2, "invalid argument", "ValueError")                                           \
    X(RRL_E_OVERFLOW, -3, "time or microstep out of range", "OverflowError")                       \
    X(RRL_E_OS, -4, "the operating system refused", "OSError")                                     \
    X(RRL_E_PHASE, -5, "not allowed now: only a running reaction may do this", "PhaseError")       \
    X(RRL_E_CYCLE, -6, "causality loop", "CausalityLoopError")                                     \
    X(RRL_E_UNDECLARED, -7,                                                                        \
      "the running reaction does not declare it; add it to effects=", "UndeclaredEffectError")     \
    X(RRL_E_UNDECLARED_USE, -8,                                                                    \
      "the running reaction does not declare it; add it to uses=", "UndeclaredUseError")           \
    X(RRL_E_CAPACITY, -9, "the queue of the physical action is full", "CapacityError")             \
    X(RRL_E_REACTION, -10, "a reaction raised", "ReactionError")

typedef enum rrl_status {
#define RRL_STATUS_ENUM(name, value, text, exception) name = value,
    RRL_STATUS_MAP(RRL_STATUS_ENUM)
#undef RRL_STATUS_ENUM
} rrl_status_t;

const char *rrl_status_name(rrl_status_t status);
const char *rrl_status_text(rrl_status_t status);
const char *rrl_status_exception(rrl_status_t status);

/* ---- time -------------------------------------------------------------------------------------- */

#define RRL_FOREVER INT64_MAX
#define RRL_NEVER INT64_MIN

/* A point of logical time: nanoseconds since the start of the program, then microsteps. */
typedef struct rrl_tag {
    int64_t time_ns;
    uint32_t microstep;
} rrl_tag_t;

/* ---- ids and views ----------------------------------------------------------------------------- */

typedef uint32_t rrl_id_t;
#define RRL_NONE UINT32_MAX

typedef enum rrl_kind {
    RRL_PORT,
    RRL_MULTIPORT,
    RRL_ACTION,
    RRL_TIMER,
    RRL_STARTUP,
    RRL_SHUTDOWN,
    RRL_RESET,        /* trigger: the mode that encloses the reaction was entered by reset */
    RRL_MODE_RESET,   /* effect: a transition into the mode by reset */
    RRL_MODE_HISTORY, /* effect: a transition into the mode by history */
} rrl_kind_t;

/* RRL_PEEK: may be looked up with rrl_port_payload, without a view and without an order (a reactor's own
 * output, ordered by the reactor's own sequence). An effect may be looked up too. */
typedef enum rrl_role { RRL_TRIGGER, RRL_USE, RRL_EFFECT, RRL_PEEK } rrl_role_t;

/* The two words through which a body sees an element. The host owns the memory (it lies inside its own
 * port object) and keeps it in place until program_destroy. Written only by the worker that runs a
 * reaction which declares the element as trigger or use, just before and just after the body:
 *   during the body   is_present = host.present or host.absent, value = borrowed payload or NULL
 *   otherwise         both NULL
 * A channel of a multiport differs: its words change only while it is present, and is_present is otherwise
 * what rrl_graph_add_multiport was told. The words of an effect stay NULL (rrl_port_payload looks it up).
 * A multiport's own view has no value. A mutable port that is not the only reader shows is_present and no
 * value until rrl_port_own has given it one. */
typedef struct rrl_view {
    void *value;
    void *is_present;
} rrl_view_t;

/* ---- the declared graph ------------------------------------------------------------------------ */

typedef struct rrl_graph rrl_graph_t;

typedef enum rrl_policy { RRL_DEFER, RRL_DROP, RRL_REPLACE, RRL_UPDATE } rrl_policy_t;

#define RRL_NO_SPACING (-1)
#define RRL_NO_DELAY (-1)
#define RRL_NO_DEADLINE (-1)

typedef struct rrl_action_spec {
    int64_t min_delay_ns;   /* >= 0 */
    int64_t min_spacing_ns; /* >= 0, or RRL_NO_SPACING */
    rrl_policy_t policy;    /* read only with a spacing */
    bool is_physical;
    uint32_t capacity; /* physical: pushes that may wait; >= 1 */
} rrl_action_spec_t;

rrl_status_t rrl_graph_create(rrl_graph_t **out_graph);
void rrl_graph_destroy(rrl_graph_t *g);

/* A time line with workers of its own. Enclave 0, that of the main reactor, is there from the start, and its
 * workers are those of the options. `capacity` >= 1: events from other enclaves that may wait in it before
 * their senders are held back. */
rrl_status_t rrl_graph_add_enclave(rrl_graph_t *g, uint32_t n_workers, uint32_t capacity,
                                   rrl_id_t *out_id);
/* Reactors, ports and reactions are added in static order: depth first, a reactor before its children;
 * the reactions of one reactor in order of priority. Errors: RRL_E_NOMEM, RRL_E_INVAL. */
rrl_status_t rrl_graph_add_reactor(rrl_graph_t *g, rrl_id_t enclave, rrl_id_t *out_id);
/* A mode of `reactor`, which lies in the mode `within` of an enclosing reactor, or RRL_NONE; `within` is
 * added before. One mode of a reactor is initial. `mode` below: the innermost mode that encloses the
 * element, or RRL_NONE. */
rrl_status_t rrl_graph_add_mode(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t within, bool is_initial,
                                rrl_id_t *out_id);
/* `is_mutable`: its readers may write into the value, so it is theirs alone. */
rrl_status_t rrl_graph_add_port(rrl_graph_t *g, rrl_id_t reactor, bool is_mutable, rrl_view_t *view,
                                rrl_id_t *out_id);
/* Channels are the `width` ports from `first` on; width may be 0. `concealed`: what is_present of a channel
 * holds while it is not shown as present; the host puts it there first. */
rrl_status_t rrl_graph_add_multiport(rrl_graph_t *g, rrl_id_t first, uint32_t width,
                                     rrl_view_t *view, void *concealed, rrl_id_t *out_id);
rrl_status_t rrl_graph_add_action(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode,
                                  const rrl_action_spec_t *spec, rrl_view_t *view,
                                  rrl_id_t *out_id);
/* period 0: fires once. */
rrl_status_t rrl_graph_add_timer(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode, int64_t offset_ns,
                                 int64_t period_ns, rrl_view_t *view, rrl_id_t *out_id);
/* deadline_ns: how late the clock may be when the body starts, or RRL_NO_DEADLINE. When it is later,
 * host.run_handler is called instead, or nothing if there is no handler. */
rrl_status_t rrl_graph_add_reaction(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode, uint64_t hash,
                                    int64_t deadline_ns, bool has_handler, rrl_id_t *out_id);
rrl_status_t rrl_graph_declare(rrl_graph_t *g, rrl_id_t reaction, rrl_role_t role, rrl_kind_t kind,
                               rrl_id_t element);
/* Connections into one port lie in different modes of one reactor, and so do the reactions that set it.
 * delay RRL_NO_DELAY: same tag, and then within one enclave. A physical connection is stamped with the
 * clock, plus its delay if it has one. `mode`: it transports only while this is active, and stays within one
 * enclave; or RRL_NONE. */
rrl_status_t rrl_graph_connect(rrl_graph_t *g, rrl_id_t source, rrl_id_t destination,
                               int64_t delay_ns, bool is_physical, rrl_id_t mode);

/* One step of a causality loop: `reaction` must run before the next step's, because of `port` (the
 * destination that the next reaction reads) or, with RRL_NONE, because both belong to one reactor. */
typedef struct rrl_cycle_step {
    rrl_id_t reaction;
    rrl_id_t port;
} rrl_cycle_step_t;

/* ---- the host ---------------------------------------------------------------------------------- */

typedef struct rrl_program rrl_program_t;
typedef struct rrl_worker rrl_worker_t;

/* What the core calls. No lock is held during any of these. A worker is *attached* between `attach` and
 * `detach`; the core detaches before every wait, spinning included. */
typedef struct rrl_host {
    void *ctx;
    void *present; /* what is_present shows */
    void *absent;
    /* On the worker's own thread, first and last. `thread_start` leaves it detached; if it does not return
     * RRL_OK on every worker, the program does not start. */
    rrl_status_t (*thread_start)(void *ctx, rrl_worker_t *w, uint32_t index);
    void (*thread_stop)(void *ctx, uint32_t index);
    void (*attach)(void *ctx, uint32_t index);
    void (*detach)(void *ctx, uint32_t index);
    /* Attached. RRL_OK, or RRL_E_REACTION when the body (or the handler of its missed deadline) raised: the
     * host keeps the error. */
    rrl_status_t (*run_reaction)(void *ctx, uint32_t index, rrl_id_t reaction);
    rrl_status_t (*run_handler)(void *ctx, uint32_t index, rrl_id_t reaction);
    /* Attached. One more reference; n references given back. */
    void (*retain)(void *ctx, void *payload);
    void (*release)(void *ctx, void *const *payloads, size_t n);
    /* Attached. The event of a physical action has come or was dropped, and can no longer be cancelled:
     * its payload, with a reference for the core, or NULL if it was cancelled before. */
    void *(*redeem)(void *ctx, void *ticket);
    /* Attached, by the coordinator of an enclave: at this tag an event of a physical action (RRL_ACTION) or of a
     * delayed connection (RRL_PORT: the first port that it leads to) got a tag past the end of time, or past
     * the microsteps of its time. It does not come; the program ends. */
    void (*overflowed)(void *ctx, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag);
    /* Attached, by the coordinator of an enclave; NULL: nobody records. What came from outside and is about
     * to be processed: the event of a physical action (RRL_ACTION), or of a physical connection
     * (RRL_PORT: the first port that it leads to). The payload is borrowed. */
    void (*record)(void *ctx, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag, void *payload);
    /* Attached, by any worker; NULL: nobody records. A deadline was missed. */
    void (*missed)(void *ctx, rrl_id_t reaction, rrl_tag_t tag);
} rrl_host_t;

/* ---- a program --------------------------------------------------------------------------------- */

typedef struct rrl_options {
    uint32_t n_workers;      /* of enclave 0; >= 1 */
    bool fast;               /* do not wait for physical time */
    bool virtual_clock;      /* a clock that only rrl_clock_advance and waiting move */
    bool stepped;            /* a tag is processed only when rrl_program_step permits it */
    bool replay;             /* what comes from outside was given to rrl_program_feed */
    bool keepalive;          /* idle instead of ending when no event is left */
    bool profile;            /* time every reaction */
    int64_t timeout_ns;      /* RRL_FOREVER: none */
    const int32_t *cpus;     /* NULL, or processors to pin to: of all workers, enclave by enclave */
    uint32_t trace_capacity; /* records kept in each lane, a power of two; 0: no trace */
    uint64_t yield_seed;     /* builds with RRL_TEST_YIELD: where to yield; else unused */
} rrl_options_t;

/* Levels, flat arrays, threads' memory; starts nothing and keeps no pointer to the graph.
 * RRL_E_CYCLE: the loops are in *out_cycle (n steps, freed by the caller with free()), between two of them
 * a step of RRL_NONE twice. */
rrl_status_t rrl_program_create(const rrl_graph_t *g, const rrl_options_t *options,
                                const rrl_host_t *host, rrl_program_t **out_program,
                                rrl_cycle_step_t **out_cycle, size_t *out_n_cycle);
/* The program must not be running. destroy(NULL) is legal. `join` has released everything; of a program that
 * was fed and has never run the caller, attached, releases what was fed. */
void rrl_program_destroy(rrl_program_t *p);

/* Starts the workers, once. RRL_E_OS: a thread could not be made, none is left. */
rrl_status_t rrl_program_start(rrl_program_t *p);
/* Any thread, detached: RRL_OK when the program has ended, RRL_TIMEOUT, RRL_INTERRUPTED by a signal. */
rrl_status_t rrl_program_wait(rrl_program_t *p, int64_t timeout_ns);
/* Any thread, detached, once, after wait returned RRL_OK: ends the threads. */
rrl_status_t rrl_program_join(rrl_program_t *p);
/* Any thread: stop at the next microstep after the tag being processed, each enclave at its own. */
void rrl_program_request_stop(rrl_program_t *p);
/* Any thread: one more, or one less, open producer of events of this physical action, whose enclave does not
 * end for lack of events while there is one. RRL_NONE: of the main enclave. */
void rrl_program_hold(rrl_program_t *p, rrl_id_t action, bool open);
/* A child process after fork: the workers are gone; wait and join return RRL_STOPPED at once. */
void rrl_program_forget_threads(rrl_program_t *p);

/* Any thread. RRL_OK: the inbox took the ticket's reference over, and gives it back through
 * host.release once host.redeem was called for it. *out_tag: where the event lands unless spacing or a
 * later logical time moves it. RRL_FULL: `capacity` pushes wait. RRL_STOPPED, RRL_E_PHASE (not started),
 * RRL_E_OVERFLOW. */
rrl_status_t rrl_schedule_physical(rrl_program_t *p, rrl_id_t action, int64_t delay_ns,
                                   void *ticket, rrl_tag_t *out_tag);
/* Any thread, detached: waits until the action's inbox may have room; RRL_TIMEOUT, RRL_STOPPED. */
rrl_status_t rrl_wait_for_room(rrl_program_t *p, rrl_id_t action, int64_t timeout_ns);

/* ---- time under test --------------------------------------------------------------------------------- */

/* Virtual clock only; delta >= 0. In a body (w not NULL): what this body takes; the clock moves on at the end
 * of the level, by the longest of its bodies. Elsewhere: at once. RRL_E_INVAL: a real clock. */
rrl_status_t rrl_clock_advance(rrl_program_t *p, rrl_worker_t *w, int64_t delta_ns);
/* Stepped programs: lets all tags up to `tag` be processed. Any thread. */
void rrl_program_step(rrl_program_t *p, rrl_tag_t tag);
/* Any thread, detached: RRL_OK when nothing can happen before the next step; *out_tag is then the next tag,
 * with time RRL_FOREVER if nothing is due. RRL_STOPPED: the program has ended. RRL_TIMEOUT, RRL_INTERRUPTED. */
rrl_status_t rrl_program_wait_for_pause(rrl_program_t *p, int64_t timeout_ns, rrl_tag_t *out_tag);

/* With options.replay, before the start: an event as host.record told it, in order of tags for each id (takes
 * the payload over); a deadline that was missed at this tag; the last tag of an enclave. */
rrl_status_t rrl_program_feed(rrl_program_t *p, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag,
                              void *payload);
rrl_status_t rrl_program_feed_miss(rrl_program_t *p, rrl_id_t reaction, rrl_tag_t tag);
rrl_status_t rrl_program_feed_stop(rrl_program_t *p, rrl_id_t enclave, rrl_tag_t tag);

/* ---- from inside a body: w is the worker that runs it ------------------------------------------- */

/* The running reaction, or RRL_NONE between bodies. */
rrl_id_t rrl_worker_reaction(const rrl_worker_t *w);
rrl_program_t *rrl_worker_program(const rrl_worker_t *w);
uint32_t rrl_worker_index(const rrl_worker_t *w);
rrl_tag_t rrl_worker_tag(const rrl_worker_t *w);

/* Takes the payload's reference over on RRL_OK. RRL_E_PHASE, RRL_E_UNDECLARED. Last write wins. */
rrl_status_t rrl_port_set(rrl_worker_t *w, rrl_id_t port, void *payload);
/* What the port holds at this tag, borrowed; NULL: absent. RRL_E_PHASE, RRL_E_UNDECLARED_USE. */
rrl_status_t rrl_port_payload(const rrl_worker_t *w, rrl_id_t port, void **out_payload);
/* The present channels of a multiport that the running reaction reads, ascending. */
rrl_status_t rrl_multiport_present(const rrl_worker_t *w, rrl_id_t multiport,
                                   const uint32_t **out_channels, uint32_t *out_n);
/* Whether the running reaction declares the multiport or one of its channels, in any role; true between
 * bodies. */
bool rrl_may_touch(const rrl_worker_t *w, rrl_id_t multiport);

/* A logical action. Takes the payload over on RRL_OK and RRL_STOPPED (dropped by policy or by the stop
 * tag: released later by the core); *out_serial names the event for rrl_cancel, 0 when dropped.
 * RRL_E_PHASE, RRL_E_UNDECLARED, RRL_E_OVERFLOW. */
rrl_status_t rrl_schedule(rrl_worker_t *w, rrl_id_t action, int64_t delay_ns, void *payload,
                          rrl_tag_t *out_tag, uint64_t *out_serial);
/* RRL_OK: it was pending and is gone. RRL_EMPTY: it was not. RRL_E_PHASE, RRL_E_UNDECLARED. */
rrl_status_t rrl_cancel(rrl_worker_t *w, rrl_id_t action, rrl_tag_t tag, uint64_t serial);
/* A transition into the mode, as the running reaction declares it; takes effect after this tag, and the last
 * one of a reactor wins. RRL_E_PHASE, RRL_E_UNDECLARED. */
rrl_status_t rrl_mode_set(rrl_worker_t *w, rrl_id_t mode);
/* Whether the mode and all that enclose it are current. */
bool rrl_mode_is_active(const rrl_worker_t *w, rrl_id_t mode);
/* The same from outside, while no tag is being processed: before the start, at a pause, after the end. */
bool rrl_program_mode_is_active(const rrl_program_t *p, rrl_id_t mode);
/* A mutable port that is not the only reader: `copy` is what it shows for the rest of this tag. Takes the
 * reference over on RRL_OK. RRL_E_INVAL: it is absent, has a copy already, or needs none. RRL_E_PHASE,
 * RRL_E_UNDECLARED_USE. */
rrl_status_t rrl_port_own(rrl_worker_t *w, rrl_id_t port, void *copy);
/* Whether the running reaction declares the action as effect. */
bool rrl_may_schedule(const rrl_worker_t *w, rrl_id_t action);
rrl_status_t rrl_request_stop(rrl_worker_t *w);
/* Whether a body has raised before, so that only shutdown reactions run. */
bool rrl_worker_is_unwinding(const rrl_worker_t *w);

/* ---- reports ----------------------------------------------------------------------------------- */

int64_t rrl_program_elapsed_ns(const rrl_program_t *p); /* physical time since the start */
int64_t rrl_worker_elapsed_ns(const rrl_worker_t *w);   /* the same, as the running body sees it */
uint32_t rrl_program_n_workers(const rrl_program_t *p); /* of all enclaves */
/* Whether reading this mutable port needs rrl_port_own; whether what is set on this port goes to one mutable
 * reader alone. */
bool rrl_port_needs_copy(const rrl_program_t *p, rrl_id_t port);
bool rrl_port_is_moved(const rrl_program_t *p, rrl_id_t port);
uint32_t rrl_program_n_levels(const rrl_program_t *p);
uint32_t rrl_program_level(const rrl_program_t *p, rrl_id_t reaction);
uint32_t rrl_program_home(const rrl_program_t *p, rrl_id_t reaction); /* a worker's index */

typedef struct rrl_stats {
    rrl_tag_t stop_tag;
    uint64_t n_reactions;
    uint64_t n_events;
    uint64_t n_tags;
    uint64_t trace_hash;
    int64_t wall_ns;
    uint64_t n_allocations; /* made while running; constant in steady state */
    uint64_t n_dropped;  /* events that never came: past the stop tag or the end of time, or refused
                                by a policy */
    rrl_status_t status; /* RRL_E_NOMEM: ended early for lack of memory */
} rrl_stats_t;

typedef struct rrl_enclave_stats {
    rrl_tag_t stop_tag;
    uint64_t n_events;
    uint64_t n_tags;
    uint64_t trace_hash;
} rrl_enclave_stats_t;

typedef struct rrl_worker_stats {
    int64_t wall_ns; /* from the start until it left, or so far */
    int64_t spinning_ns;
    int64_t parked_ns;
    uint64_t n_reactions;
    uint64_t n_stolen; /* reactions of another home */
    int32_t cpu;       /* pinned to; -1: none */
} rrl_worker_stats_t;

/* After wait returned RRL_OK; in between, a snapshot that may be torn between fields. */
void rrl_program_stats(const rrl_program_t *p, rrl_stats_t *out_stats);
void rrl_program_enclave_stats(const rrl_program_t *p, rrl_id_t enclave,
                               rrl_enclave_stats_t *out_stats);
void rrl_program_worker_stats(const rrl_program_t *p, uint32_t worker,
                              rrl_worker_stats_t *out_stats);
uint64_t rrl_program_reaction_count(const rrl_program_t *p, rrl_id_t reaction);
uint64_t rrl_program_miss_count(const rrl_program_t *p, rrl_id_t reaction); /* deadlines missed */
int64_t rrl_program_reaction_ns(const rrl_program_t *p,
                                rrl_id_t reaction); /* with profile; else 0 */

/* What a record of a trace tells. Times are those of the real clock since the start; a *cell* (plan.h) names a
 * port on which values are set, or an action or delayed connection. In the lanes of workers, in order: */
typedef enum rrl_trace_kind {
    RRL_TRACE_NONE,
    RRL_TRACE_REACTION,     /* a body; id: the reaction */
    RRL_TRACE_HANDLER,      /* the handler of a missed deadline in its place */
    RRL_TRACE_SKIPPED,      /* a missed deadline without one */
    RRL_TRACE_COORDINATING, /* between levels; id: the level that follows, or the largest id */
    RRL_TRACE_SPINNING,
    RRL_TRACE_PARKED,
    RRL_TRACE_IDLE,   /* the coordinator waits for the next tag */
    RRL_TRACE_RAISED, /* the reaction before raised */
    RRL_TRACE_SET,    /* the reaction before was the first to set the cell at the tag */
    RRL_TRACE_SENT, /* ... scheduled: an event of the cell at the tag; begin_ns, end_ns: the tag of now */
    /* In the lanes of enclaves, and RRL_TRACE_SENT by delayed connections: */
    RRL_TRACE_TAG,   /* its first body begins at begin_ns; end_ns: the lag; id: queued events */
    RRL_TRACE_DUE,   /* the cell has its event at the tag */
    RRL_TRACE_MOVED, /* what was to come at the tag (begin_ns, end_ns) comes at this one */
    RRL_TRACE_ARRIVED, /* from outside at begin_ns, taken in at end_ns, for the tag; time RRL_NEVER: dropped */
} rrl_trace_kind_t;

#define RRL_TRACE_ID_BITS 28

typedef struct rrl_trace_record {
    int64_t begin_ns;
    int64_t end_ns;
    int64_t time_ns; /* the tag */
    uint32_t microstep;
    uint32_t what; /* kind << RRL_TRACE_ID_BITS | id */
} rrl_trace_record_t;

/* How many records of a lane were kept, and how many older ones were overwritten. Lanes are those of the workers,
 * then those of the enclaves. Copies them, oldest first, unless out_records is NULL. */
size_t rrl_program_trace(const rrl_program_t *p, uint32_t lane, rrl_trace_record_t *out_records,
                         uint64_t *out_n_lost);

/* What the presence of a cell leads to. */
typedef enum rrl_link_kind {
    RRL_LINK_REACTION, /* triggers the reaction `to` */
    RRL_LINK_CELL,     /* a connection of a mode fills the cell `to` at the same tag */
    RRL_LINK_DELAY,    /* a delayed connection sends an event of the cell `to` */
    RRL_LINK_ACTION,   /* nothing: it belongs to the action `to` */
} rrl_link_kind_t;

typedef struct rrl_link {
    uint32_t kind;
    uint32_t cell;
    uint32_t to;
} rrl_link_t;

/* How many links there are. Writes them, unless out_links is NULL. A port's cell has the port's id. */
size_t rrl_program_links(const rrl_program_t *p, rrl_link_t *out_links);

/* What a worker and its enclave have done so far; any thread, while they run. */
typedef struct rrl_pulse {
    uint64_t n_reactions;
    int64_t waiting_ns; /* spinning or asleep */
    uint64_t n_tags;
    int64_t lag_ns; /* behind the clock; 0: the enclave waits for its next tag */
} rrl_pulse_t;

void rrl_program_pulse(const rrl_program_t *p, uint32_t worker, rrl_pulse_t *out_pulse);
/* What a worker runs now, or RRL_NONE; any thread. */
rrl_id_t rrl_program_running(const rrl_program_t *p, uint32_t worker);
/* The logical time that the main enclave processes; any thread. */
int64_t rrl_program_time_ns(const rrl_program_t *p);

/* ---- processors -------------------------------------------------------------------------------- */

typedef struct rrl_cpu {
    int32_t id;          /* the operating system's number */
    int32_t core;        /* dense number of the physical core; siblings share it */
    int32_t cache;       /* dense number of the last-level cache */
    int32_t performance; /* higher is faster; equal on symmetric machines */
} rrl_cpu_t;

/* The processors this process may use, in order of preference: fastest first, one per physical core
 * before any sibling, the same last-level cache first. `sysfs` is normally "/sys"; tests give a faked
 * tree, and then `allowed` (n_allowed ids; NULL asks the kernel). */
rrl_status_t rrl_topology_read(const char *sysfs, const int32_t *allowed, size_t n_allowed,
                               rrl_cpu_t *out_cpus, size_t capacity, size_t *out_n);
/* Processors' worth of time that the cgroup grants, rounded up; 0: no limit. `root` is normally "/". */
uint32_t rrl_cgroup_cpus(const char *root);

/* Of many samples the median, and what nine of ten stay below. */
typedef struct rrl_probe {
    int64_t trip_ns; /* a cache line from one processor to the other and back, both spinning */
    int64_t slow_trip_ns;
    int64_t wake_ns; /* from before a parked thread is woken until it runs */
    int64_t slow_wake_ns;
    int64_t alone_ns;  /* processor time of some computing on `a` while the other one sleeps, */
    int64_t beside_ns; /* and while it computes, too: longer if both are one core */
} rrl_probe_t;

/* Measures for at most budget_ns how processors `a` and `b` stand to each other now, on two threads that
 * are gone afterwards. RRL_E_OS: a thread was refused, or may not run there. RRL_TIMEOUT: they hardly
 * came to run. */
rrl_status_t rrl_probe(int32_t a, int32_t b, int64_t budget_ns, rrl_probe_t *out_probe);

#ifdef __cplusplus
}
#endif
#endif
