/* Every allocation of the core, one after the other, is refused: nothing may leak, nothing may be
 * lost. The allocator is replaced, which the sanitizers have done already: there, nothing is run. */
#include "body.h"

#if CHECK_SLOWDOWN == 1

/* Allocations left until one is refused; negative: none is. Armed while the core works. */
static int64_t n_until_refusal = -1;
static int64_t n_blocks; /* alive */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);
void *aligned_alloc(size_t alignment, size_t size);

static bool is_refused(void) {
    if (n_until_refusal < 0) return false;
    return n_until_refusal-- == 0;
}

static void *count(void *block) {
    if (block) __atomic_add_fetch(&n_blocks, 1, __ATOMIC_RELAXED);
    return block;
}

void *malloc(size_t size) { return is_refused() ? NULL : count(__libc_malloc(size)); }

void *calloc(size_t n, size_t size) { return is_refused() ? NULL : count(__libc_calloc(n, size)); }

void *realloc(void *block, size_t size) {
    if (is_refused()) return NULL;
    void *grown = __libc_realloc(block, size);
    return block ? grown : count(grown);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return is_refused() ? NULL : count(__libc_memalign(alignment, size));
}

void free(void *block) {
    if (block) __atomic_sub_fetch(&n_blocks, 1, __ATOMIC_RELAXED);
    __libc_free(block);
}

/* ---- making a program ------------------------------------------------------------------------ */

/* One of everything. */
static rrl_status_t add_all(rrl_graph_t *g, rrl_view_t *views) {
    rrl_id_t id, reaction;
    rrl_action_spec_t logical = {.min_spacing_ns = RRL_NO_SPACING};
    rrl_action_spec_t physical = {.min_spacing_ns = 0, .is_physical = true, .capacity = 5};
    rrl_status_t rc = rrl_graph_add_reactor(g, 0, &id);
    for (int i = 0; i < 12 && !rc; i++) rc = rrl_graph_add_port(g, 0, false, &views[i], &id);
    if (!rc) rc = rrl_graph_add_multiport(g, 2, 3, &views[12], NULL, &id);
    if (!rc) rc = rrl_graph_add_action(g, 0, RRL_NONE, &logical, &views[13], &id);
    if (!rc) rc = rrl_graph_add_action(g, 0, RRL_NONE, &physical, &views[14], &id);
    if (!rc) rc = rrl_graph_add_timer(g, 0, RRL_NONE, 0, 0, &views[15], &id);
    if (!rc) rc = rrl_graph_add_reaction(g, 0, RRL_NONE, 1, RRL_NO_DEADLINE, false, &reaction);
    if (!rc) rc = rrl_graph_declare(g, reaction, RRL_TRIGGER, RRL_MULTIPORT, 0);
    if (!rc) rc = rrl_graph_declare(g, reaction, RRL_EFFECT, RRL_PORT, 0);
    if (!rc) rc = rrl_graph_declare(g, reaction, RRL_EFFECT, RRL_ACTION, 0);
    if (!rc) rc = rrl_graph_declare(g, reaction, RRL_TRIGGER, RRL_TIMER, 0);
    if (!rc) rc = rrl_graph_connect(g, 0, 2, 4, false, RRL_NONE);
    if (!rc) rc = rrl_graph_connect(g, 0, 6, RRL_NO_DELAY, true, RRL_NONE);
    if (!rc) rc = rrl_graph_connect(g, 6, 7, RRL_NO_DELAY, false, RRL_NONE);
    return rc;
}

static void a_program_is_made_whole_or_not_at_all(void) {
    bool is_through = false;
    int64_t n_before = n_blocks, k = 0, n_without = 0;
    for (; !is_through; k++) {
        static rrl_view_t views[16];
        rrl_host_t host = {.ctx = NULL};
        rrl_options_t options = {.n_workers = 3, .timeout_ns = 1, .trace_capacity = 8};
        rrl_graph_t *g = NULL;
        rrl_program_t *p = NULL;
        rrl_cycle_step_t *cycle = NULL;
        size_t n_cycle;
        n_until_refusal = k;
        rrl_status_t rc = rrl_graph_create(&g);
        if (!rc) rc = add_all(g, views);
        if (!rc) rc = rrl_program_create(g, &options, &host, &p, &cycle, &n_cycle);
        is_through = n_until_refusal >= 0; /* none was left to refuse */
        n_until_refusal = -1;
        /* Counting the processors is the one that may do without. */
        if (rc) CHECK_EQ(rc, RRL_E_NOMEM);
        n_without += !rc && !is_through;
        CHECK_EQ(p != NULL, !rc);
        CHECK(!cycle);
        rrl_program_destroy(p);
        rrl_graph_destroy(g);
        CHECK_EQ(n_blocks, n_before);
    }
    CHECK_EQ(n_without, 1);
    CHECK(k > 60); /* that many allocations were refused in turn */
}

static void a_loop_is_reported_whole_or_not_at_all(void) {
    for (int ports_only = 0; ports_only < 2; ports_only++) {
        rrl_status_t rc = RRL_E_NOMEM;
        int64_t n_before = n_blocks;
        for (int64_t k = 0; rc == RRL_E_NOMEM; k++) {
            app_t *app = app_new();
            wire_t wire = {app_port(app), app_port(app), NULL};
            rrl_cycle_step_t *cycle = NULL;
            size_t n_cycle = 0;
            add_wire(app, &wire);
            connect(app, wire.out, wire.in, RRL_NO_DELAY);
            if (ports_only) wire.in = app_port(app);
            if (ports_only) connect(app, wire.in, wire.in, RRL_NO_DELAY);
            n_until_refusal = k;
            rc = app_try_create(app, &cycle, &n_cycle);
            n_until_refusal = -1;
            CHECK_EQ(cycle != NULL, rc == RRL_E_CYCLE);
            CHECK_EQ(n_cycle, rc == RRL_E_CYCLE);
            free(cycle);
            app_free(app);
            CHECK_EQ(n_blocks, n_before);
        }
        CHECK_EQ(rc, RRL_E_CYCLE);
    }
}

/* ---- running --------------------------------------------------------------------------------- */

typedef struct greedy {
    rrl_id_t action, physical;
    wire_t wire;
    int64_t k; /* the allocation that is refused */
    bool was_told;
} greedy_t;

/* Pushes, sets and schedules; the payloads themselves come from where there is enough. */
static rrl_status_t ask_for_more(const here_t *h) {
    greedy_t *greedy = h->arg;
    enum { N = 40 };
    payload_t *payloads[N];
    int64_t n_left = h->tag.time_ns == 0 ? greedy->k : n_until_refusal;
    n_until_refusal = -1;
    for (int i = 0; i < N; i++)
        payloads[i] = i % 4 ? payload_new(h->app, i) : ticket_new(h->app, i);
    n_until_refusal = n_left;
    for (int i = 0; i < N; i++) {
        rrl_tag_t tag;
        uint64_t serial;
        rrl_status_t rc;
        if (i % 4 == 0) {
            rc = rrl_schedule_physical(h->app->p, greedy->physical, i, payloads[i], &tag);
        } else if (i % 4 == 1) {
            rc = rrl_port_set(h->w, greedy->wire.out, payloads[i]);
        } else {
            rc = rrl_schedule(h->w, greedy->action, i, payloads[i], &tag, &serial);
        }
        CHECK(rc == RRL_OK || rc == RRL_E_NOMEM || rc == RRL_STOPPED);
        greedy->was_told |= rc == RRL_E_NOMEM;
        if (rc == RRL_E_NOMEM) payload_drop(payloads[i]);
    }
    return RRL_OK;
}

/* Refuses the k-th allocation from the first body on. True: none was left to refuse. */
static bool run_without(int64_t k) {
    app_t *app = app_new();
    greedy_t greedy = {.k = k};
    greedy.action = app_logical(app, 0);
    greedy.physical = app_physical(app, 64);
    greedy.wire = (wire_t){app_port(app), app_port(app), NULL};
    rrl_id_t r =
        app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), ask_for_more, &greedy);
    declare(app, r, RRL_EFFECT, RRL_PORT, greedy.wire.out);
    declare(app, r, RRL_EFFECT, RRL_ACTION, greedy.action);
    app_on(app, app_reactor(app), RRL_PORT, greedy.wire.in, NULL, NULL);
    app_on(app, app_reactor(app), RRL_ACTION, greedy.physical, NULL, NULL);
    connect(app, greedy.wire.out, greedy.wire.in, 7);
    app->options.timeout_ns = 9;
    app_start(app, 1);
    CHECK_EQ(rrl_program_wait(app->p, APP_PATIENCE_NS), RRL_OK);
    CHECK_EQ(rrl_program_join(app->p), RRL_OK);
    bool is_through = n_until_refusal >= 0;
    n_until_refusal = -1;
    rrl_program_stats(app->p, &app->stats);
    CHECK(app->stats.status == RRL_OK || (app->stats.status == RRL_E_NOMEM && !is_through));
    if (app->stats.status == RRL_OK) check_stop_tag(app, 9, 0);
    CHECK(!greedy.was_told || !is_through);
    CHECK_EQ(rrl_load_relaxed_u64(&app->n_live), 0);
    app_check_views(app);
    app_free(app);
    return is_through;
}

static void a_run_without_memory_ends_and_gives_all_back(void) {
    CHECK(run_without(1000000)); /* the C library keeps something of the first thread */
    int64_t n_before = n_blocks, k = 0;
    while (!run_without(k)) {
        CHECK_EQ(n_blocks, n_before);
        k++;
    }
    CHECK(k > 10);
}

#endif

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
#if CHECK_SLOWDOWN == 1
        CHECK_CASE(a_program_is_made_whole_or_not_at_all),
        CHECK_CASE(a_loop_is_reported_whole_or_not_at_all),
        CHECK_CASE(a_run_without_memory_ends_and_gives_all_back),
#else
        {"not under a sanitizer", NULL},
#endif
    };
    if (CHECK_SLOWDOWN != 1) return 0;
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
