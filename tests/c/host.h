/* host.h: a host in plain C, and a small builder, for tests of whole programs.
 *
 * Payloads are counted objects on the heap. The host checks what rrl.h promises it: attach and detach
 * take turns and lie on the worker's thread; callbacks come attached; no worker waits while attached (the
 * system call is watched); every reference is given back; a ticket is redeemed once, and released after;
 * a reaction runs at most once for each tag, and never at once with another of its reactor.
 *
 * Counters are relaxed, so that the host orders nothing that the runtime should order itself: what is
 * unordered there stays visible to ThreadSanitizer.
 *
 * Included by one source file of an executable. */
#ifndef RRL_TEST_HOST_H
#define RRL_TEST_HOST_H

#include <linux/futex.h>
#include <math.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "check.h"
#include "runtime.h"
#include "tag.h"

#define APP_MAX_WORKERS 16
#define APP_MAX_PORTS 4096
#define APP_MAX_OTHERS 512 /* of each other kind */
#define APP_MAX_NOTES 4096
#define APP_PATIENCE_NS ((int64_t)30000000000) /* only a program that hangs is waited for so long */
#define ABSENT INT64_MIN

typedef struct app app_t;

/* A value, or a ticket for one: what the inbox of a physical action holds. */
typedef struct payload {
    rrl_atomic_u32_t n_refs;
    app_t *app;
    int64_t value;
    struct payload *inner;  /* a ticket's; NULL: a value */
    rrl_atomic_u32_t state; /* a ticket's: TICKET_* */
} payload_t;

enum { TICKET_PENDING, TICKET_REDEEMED, TICKET_CANCELLED };

/* What a body gets. */
typedef struct here {
    app_t *app;
    rrl_worker_t *w;
    rrl_id_t reaction;
    rrl_tag_t tag;
    void *arg;
} here_t;

typedef rrl_status_t (*body_t)(const here_t *h);

typedef struct app_reaction {
    body_t body;
    void *arg;
    rrl_id_t reactor;
    rrl_tag_t last_tag; /* plain: the runtime orders the runs of one reaction */
} app_reaction_t;

typedef struct app_worker {
    rrl_worker_t *w;
    app_t *app;
    uint32_t index;
    bool is_attached;
} app_worker_t;

typedef struct app_note {
    rrl_tag_t tag;
    rrl_id_t reaction;
    char text[40];
} app_note_t;

/* What the host was told. */
typedef struct app_overflow {
    rrl_kind_t kind;
    rrl_id_t id;
    rrl_tag_t tag;
} app_overflow_t;

/* How levels are run. */
typedef enum app_mode {
    MODE_NATURAL,
    /* every level with two homes is published, in chunks of one; workers spin and may steal */
    MODE_SPIN,
    MODE_PARK,  /* the same, but workers park at once */
    MODE_LEARN, /* costs are learned as always, but workers spin, as if each had its processor */
} app_mode_t;

struct app {
    rrl_graph_t *g;
    rrl_program_t *p;
    rrl_options_t options;
    app_mode_t mode;
    rrl_stats_t stats;
    uint64_t n_stolen;
    void (*on_drop)(const payload_t *payload); /* a finaliser, or NULL */
    uint32_t n_workers_used;
    rrl_id_t owner;   /* the reactor of the elements that are added next */
    rrl_id_t enclave; /* of the reactors that are added next */
    uint32_t n_ports, n_multiports, n_actions, n_timers, n_reactions, n_reactors;
    rrl_view_t port_views[APP_MAX_PORTS];
    void *port_concealed[APP_MAX_PORTS];
    rrl_view_t multiport_views[APP_MAX_OTHERS];
    rrl_view_t action_views[APP_MAX_OTHERS];
    rrl_view_t timer_views[APP_MAX_OTHERS];
    app_reaction_t reactions[APP_MAX_OTHERS];
    bool reactor_is_busy[APP_MAX_OTHERS]; /* plain: the runtime orders the bodies of a reactor */
    app_worker_t workers[APP_MAX_WORKERS];
    /* references, the one that an object is born with included */
    rrl_atomic_u64_t n_taken, n_given_back;
    rrl_atomic_u64_t n_live; /* objects */
    rrl_atomic_u64_t n_redeemed;
    uint32_t n_overflows; /* plain: of programs with one enclave */
    app_overflow_t overflows[4];
    rrl_atomic_u32_t n_notes;
    app_note_t notes[APP_MAX_NOTES];
    char log[APP_MAX_NOTES * 16];
};

static char app_present, app_absent, app_concealed; /* only their addresses count */
static _Thread_local app_worker_t *app_here;

static inline const char *app_check_waits(long number, long operation) {
    bool waits = number == SYS_futex && (operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
    return waits && app_here && app_here->is_attached ? "waits while attached" : NULL;
}

/* The system's own. Found before main: the leak checker yields while nobody may allocate, as dlsym does. */
static long (*libc_syscall)(long number, ...);
static int (*libc_sched_yield)(void);
extern void *dlsym(void *handle, const char *name);

__attribute__((constructor)) static void find_libc(void) {
    void *const next = (void *)-1L; /* RTLD_NEXT */
    *(void **)&libc_syscall = dlsym(next, "syscall");
    *(void **)&libc_sched_yield = dlsym(next, "sched_yield");
}

/* platform_linux.c waits through this one. */
long syscall(long number, ...);
long syscall(long number, ...) {
    va_list list;
    long a[6];
    va_start(list, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
    va_end(list);
    CHECK(!app_check_waits(number, a[1]));
    return libc_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Yields inside a body are the body's own; those of the yield hook may come anywhere. */
int sched_yield(void);
int sched_yield(void) {
    bool is_hook = !app_here || app_here->app->options.yield_seed;
    CHECK(is_hook || !app_here->is_attached || rrl_worker_reaction(app_here->w) != RRL_NONE);
    return libc_sched_yield();
}

/* ---- payloads -------------------------------------------------------------------------------- */

static inline payload_t *payload_new(app_t *app, int64_t value) {
    payload_t *payload = calloc(1, sizeof *payload);
    CHECK(payload);
    payload->app = app;
    payload->value = value;
    rrl_store_relaxed_u32(&payload->n_refs, 1);
    rrl_add_relaxed_u64(&app->n_taken, 1);
    rrl_add_relaxed_u64(&app->n_live, 1);
    return payload;
}

static inline void payload_drop(payload_t *payload) {
    rrl_add_relaxed_u64(&payload->app->n_given_back, 1);
    uint32_t before = rrl_sub_acq_rel_u32(&payload->n_refs, 1);
    CHECK(before > 0);
    if (before > 1) return;
    rrl_sub_acq_rel_u64(&payload->app->n_live, 1);
    if (payload->app->on_drop) payload->app->on_drop(payload);
    if (payload->inner) payload_drop(payload->inner);
    free(payload);
}

static inline payload_t *ticket_new(app_t *app, int64_t value) {
    payload_t *ticket = payload_new(app, value);
    ticket->inner = payload_new(app, value);
    return ticket;
}

/* False: too late. */
static inline bool ticket_cancel(payload_t *ticket) {
    uint32_t pending = TICKET_PENDING;
    return rrl_cas_acq_rel_u32(&ticket->state, &pending, TICKET_CANCELLED);
}

/* ---- callbacks ------------------------------------------------------------------------------- */

static rrl_status_t host_thread_start(void *ctx, rrl_worker_t *w, uint32_t index) {
    app_t *app = ctx;
    CHECK(!app_here);
    app_here = &app->workers[index];
    *app_here = (app_worker_t){w, app, index, false};
    CHECK_EQ(rrl_worker_index(w), index);
    CHECK(rrl_worker_program(w) == app->p);
    return RRL_OK;
}

static void host_thread_stop(void *ctx, uint32_t index) {
    app_t *app = ctx;
    CHECK(app_here == &app->workers[index] && !app_here->is_attached);
    app_here = NULL;
}

static void host_attach(void *ctx, uint32_t index) {
    app_t *app = ctx;
    CHECK(app_here == &app->workers[index] && !app_here->is_attached);
    app_here->is_attached = true;
}

static void host_detach(void *ctx, uint32_t index) {
    app_t *app = ctx;
    CHECK(app_here == &app->workers[index] && app_here->is_attached);
    app_here->is_attached = false;
}

static void host_check_attached(void *ctx) {
    CHECK(app_here && app_here->app == ctx && app_here->is_attached);
}

static rrl_status_t host_run_reaction(void *ctx, uint32_t index, rrl_id_t reaction) {
    app_t *app = ctx;
    app_reaction_t *r = &app->reactions[reaction];
    host_check_attached(ctx);
    here_t h = {app, app_here->w, reaction, rrl_worker_tag(app_here->w), r->arg};
    CHECK_EQ(app_here->index, index);
    CHECK_EQ(rrl_worker_reaction(h.w), reaction);
    CHECK(rrl_tag_is_before(r->last_tag, h.tag));
    r->last_tag = h.tag;
    CHECK(!app->reactor_is_busy[r->reactor]);
    app->reactor_is_busy[r->reactor] = true;
    rrl_status_t rc = r->body ? r->body(&h) : RRL_OK;
    app->reactor_is_busy[r->reactor] = false;
    return rc;
}

static void host_retain(void *ctx, void *payload) {
    host_check_attached(ctx);
    CHECK(rrl_add_relaxed_u32(&((payload_t *)payload)->n_refs, 1) > 0);
    rrl_add_relaxed_u64(&((app_t *)ctx)->n_taken, 1);
}

static void host_release(void *ctx, void *const *payloads, size_t n) {
    host_check_attached(ctx);
    CHECK(n > 0);
    for (size_t i = 0; i < n; i++) {
        payload_t *payload = payloads[i];
        CHECK(payload->app == ctx);
        if (payload->inner) CHECK(rrl_load_relaxed_u32(&payload->state) != TICKET_PENDING);
        payload_drop(payload);
    }
}

static void *host_redeem(void *ctx, void *ticket) {
    payload_t *t = ticket;
    host_check_attached(ctx);
    CHECK(t->inner);
    uint32_t state = TICKET_PENDING;
    bool is_mine = rrl_cas_acq_rel_u32(&t->state, &state, TICKET_REDEEMED);
    CHECK(is_mine || state == TICKET_CANCELLED); /* not twice */
    rrl_add_relaxed_u64(&((app_t *)ctx)->n_redeemed, 1);
    if (!is_mine) return NULL;
    host_retain(ctx, t->inner);
    return t->inner;
}

static void host_overflowed(void *ctx, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag) {
    app_t *app = ctx;
    host_check_attached(ctx);
    CHECK(app->n_overflows < 4);
    app->overflows[app->n_overflows++] = (app_overflow_t){kind, id, tag};
}

/* ---- building -------------------------------------------------------------------------------- */

static inline app_t *app_new(void) {
    app_t *app = calloc(1, sizeof *app);
    CHECK(app);
    app->options = (rrl_options_t){.n_workers = 1, .fast = true, .timeout_ns = RRL_FOREVER};
    CHECK_EQ(rrl_graph_create(&app->g), RRL_OK);
    return app;
}

static inline rrl_id_t app_reactor(app_t *app) {
    rrl_id_t id;
    CHECK(app->n_reactors < APP_MAX_OTHERS);
    CHECK_EQ(rrl_graph_add_reactor(app->g, app->enclave, &id), RRL_OK);
    CHECK_EQ(id, app->n_reactors++);
    return id;
}

static inline rrl_id_t app_port(app_t *app) {
    rrl_id_t id;
    CHECK(app->n_ports < APP_MAX_PORTS);
    CHECK_EQ(rrl_graph_add_port(app->g, app->owner, false, &app->port_views[app->n_ports], &id),
             RRL_OK);
    CHECK_EQ(id, app->n_ports++);
    return id;
}

/* An enclave; what is added next is in it. */
static inline rrl_id_t app_enclave(app_t *app, uint32_t n_workers) {
    CHECK_EQ(rrl_graph_add_enclave(app->g, n_workers, 4, &app->enclave), RRL_OK);
    app->owner = app->n_reactors; /* the next one */
    return app->enclave;
}

/* Its channels are the ports before `*out_first + width`. */
static inline rrl_id_t app_multiport(app_t *app, uint32_t width, rrl_id_t *out_first) {
    rrl_id_t id;
    CHECK(app->n_multiports < APP_MAX_OTHERS);
    *out_first = app->n_ports;
    for (uint32_t i = 0; i < width; i++) {
        app->port_concealed[app->n_ports] = &app_concealed;
        app->port_views[app->n_ports].is_present = &app_concealed;
        app_port(app);
    }
    CHECK_EQ(rrl_graph_add_multiport(app->g, *out_first, width,
                                     &app->multiport_views[app->n_multiports], &app_concealed, &id),
             RRL_OK);
    CHECK_EQ(id, app->n_multiports++);
    return id;
}

static inline rrl_id_t app_action(app_t *app, rrl_action_spec_t spec) {
    rrl_id_t id;
    CHECK(app->n_actions < APP_MAX_OTHERS);
    CHECK_EQ(rrl_graph_add_action(app->g, app->owner, RRL_NONE, &spec,
                                  &app->action_views[app->n_actions], &id),
             RRL_OK);
    CHECK_EQ(id, app->n_actions++);
    return id;
}

/* Without spacing. */
static inline rrl_id_t app_logical(app_t *app, int64_t min_delay_ns) {
    return app_action(
        app, (rrl_action_spec_t){.min_delay_ns = min_delay_ns, .min_spacing_ns = RRL_NO_SPACING});
}

static inline rrl_id_t app_physical(app_t *app, uint32_t capacity) {
    return app_action(app, (rrl_action_spec_t){.min_spacing_ns = RRL_NO_SPACING,
                                               .is_physical = true,
                                               .capacity = capacity});
}

static inline rrl_id_t app_timer(app_t *app, int64_t offset_ns, int64_t period_ns) {
    rrl_id_t id;
    CHECK(app->n_timers < APP_MAX_OTHERS);
    rrl_view_t *view = &app->timer_views[app->n_timers];
    CHECK_EQ(rrl_graph_add_timer(app->g, app->owner, RRL_NONE, offset_ns, period_ns, view, &id),
             RRL_OK);
    CHECK_EQ(id, app->n_timers++);
    return id;
}

static inline rrl_id_t app_reaction(app_t *app, rrl_id_t reactor, body_t body, void *arg) {
    rrl_id_t id;
    CHECK(app->n_reactions < APP_MAX_OTHERS);
    CHECK_EQ(rrl_graph_add_reaction(app->g, reactor, RRL_NONE, 1000 + app->n_reactions,
                                    RRL_NO_DEADLINE, false, &id),
             RRL_OK);
    CHECK_EQ(id, app->n_reactions++);
    app->reactions[id] = (app_reaction_t){body, arg, reactor, {RRL_NEVER, 0}};
    return id;
}

static inline void declare(app_t *app, rrl_id_t reaction, rrl_role_t role, rrl_kind_t kind,
                           rrl_id_t element) {
    CHECK_EQ(rrl_graph_declare(app->g, reaction, role, kind, element), RRL_OK);
}

/* A reaction with one trigger. */
static inline rrl_id_t app_on(app_t *app, rrl_id_t reactor, rrl_kind_t kind, rrl_id_t element,
                              body_t body, void *arg) {
    rrl_id_t id = app_reaction(app, reactor, body, arg);
    declare(app, id, RRL_TRIGGER, kind, element);
    return id;
}

static inline void connect(app_t *app, rrl_id_t source, rrl_id_t destination, int64_t delay_ns) {
    CHECK_EQ(rrl_graph_connect(app->g, source, destination, delay_ns, false, RRL_NONE), RRL_OK);
}

/* ---- running --------------------------------------------------------------------------------- */

static inline void app_force_mode(app_t *app) {
    rrl_program_t *p = app->p;
    /* An average that holds infinity stays there: every level is worth handing out. */
    for (size_t i = 0; i < (size_t)p->plan.n_levels * p->plan.n_workers; i++)
        p->slice_ns[i] = app->mode == MODE_LEARN ? 0 : INFINITY;
    for (uint32_t l = 0; l < p->plan.n_levels && app->mode != MODE_LEARN; l++)
        for (uint32_t e = 0; e < p->plan.n_enclaves; e++)
            p->enclaves[e].level_costs[l] = (rrl_level_cost_t){INFINITY, 1, 0, UINT32_MAX, false};
    p->n_usable_cpus = APP_MAX_WORKERS;
    p->is_oversubscribed = app->mode == MODE_PARK;
}

static inline rrl_status_t app_try_create(app_t *app, rrl_cycle_step_t **out_cycle,
                                          size_t *out_n_cycle) {
    rrl_host_t host = {.ctx = app,
                       .present = &app_present,
                       .absent = &app_absent,
                       .thread_start = host_thread_start,
                       .thread_stop = host_thread_stop,
                       .attach = host_attach,
                       .detach = host_detach,
                       .run_reaction = host_run_reaction,
                       .run_handler = host_run_reaction,
                       .retain = host_retain,
                       .release = host_release,
                       .redeem = host_redeem,
                       .overflowed = host_overflowed};
    CHECK(app->options.n_workers <= APP_MAX_WORKERS && !app->p);
    if (!app->n_reactors) app_reactor(app); /* that of the elements */
    return rrl_program_create(app->g, &app->options, &host, &app->p, out_cycle, out_n_cycle);
}

static inline void app_create(app_t *app, uint32_t n_workers) {
    rrl_cycle_step_t *cycle;
    size_t n_cycle;
    app->options.n_workers = n_workers;
    CHECK_EQ(app_try_create(app, &cycle, &n_cycle), RRL_OK);
    rrl_graph_destroy(app->g); /* the program needs it no more */
    app->g = NULL;
    if (app->mode != MODE_NATURAL) app_force_mode(app);
}

static inline void app_start(app_t *app, uint32_t n_workers) {
    app_create(app, n_workers);
    CHECK_EQ(rrl_program_start(app->p), RRL_OK);
}

static inline void app_check_views(const app_t *app) {
    for (uint32_t i = 0; i < app->n_ports; i++) {
        CHECK(!app->port_views[i].value);
        CHECK(app->port_views[i].is_present == app->port_concealed[i]);
    }
    for (uint32_t i = 0; i < APP_MAX_OTHERS; i++) {
        CHECK(!app->multiport_views[i].value && !app->multiport_views[i].is_present);
        CHECK(!app->action_views[i].value && !app->action_views[i].is_present);
        CHECK(!app->timer_views[i].value && !app->timer_views[i].is_present);
    }
}

/* Waits for the end; nothing may be left. */
static inline void app_finish(app_t *app) {
    uint64_t n_reactions = 0;
    CHECK_EQ(rrl_program_wait(app->p, APP_PATIENCE_NS), RRL_OK);
    rrl_program_stats(app->p, &app->stats); /* complete before the join */
    for (uint32_t i = 0; i < rrl_program_n_workers(app->p); i++) {
        rrl_worker_stats_t ws;
        rrl_program_worker_stats(app->p, i, &ws);
        app->n_stolen += ws.n_stolen;
        app->n_workers_used += ws.n_reactions != 0;
    }
    CHECK_EQ(rrl_program_join(app->p), RRL_OK);
    CHECK_EQ(app->stats.status, RRL_OK);
    CHECK_EQ(rrl_load_relaxed_u64(&app->n_given_back), rrl_load_relaxed_u64(&app->n_taken));
    CHECK_EQ(rrl_load_relaxed_u64(&app->n_live), 0);
    app_check_views(app);
    for (rrl_id_t r = 0; r < app->n_reactions; r++)
        n_reactions += rrl_program_reaction_count(app->p, r);
    CHECK_EQ(n_reactions, app->stats.n_reactions);
}

static inline void app_run(app_t *app, uint32_t n_workers) {
    app_start(app, n_workers);
    app_finish(app);
}

static inline void app_free(app_t *app) {
    rrl_program_destroy(app->p);
    rrl_graph_destroy(app->g);
    free(app);
}

/* A pool to run a test with. */
typedef struct pool {
    uint32_t n_workers;
    app_mode_t mode;
} pool_t;

static const pool_t app_pools[] = {
    {1, MODE_NATURAL}, {3, MODE_NATURAL}, {2, MODE_PARK}, {4, MODE_SPIN}, {0, MODE_NATURAL}};

/* Every test of a whole program is run with each. */
#define FOR_POOLS(pool) for (const pool_t *pool = app_pools; pool->n_workers; pool++)

static inline app_t *app_new_for(const pool_t *pool) {
    app_t *app = app_new();
    app->mode = pool->mode;
    app->options.n_workers = pool->n_workers;
    return app;
}

/* Runs with the pool that it was made for. */
static inline void app_go(app_t *app) { app_run(app, app->options.n_workers); }

#endif
