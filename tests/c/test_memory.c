/* Every allocation of the core, one after the other, is refused: nothing may leak, nothing may be
 * lost, and nothing may hang. */
#include "memory.h"
#include "modes.h"

/* ---- making a program ------------------------------------------------------------------------ */

/* One of everything. */
static rrl_status_t add_all(rrl_graph_t *g, rrl_view_t *views) {
    rrl_id_t id, reaction, mode, other;
    rrl_action_spec_t logical = {.min_spacing_ns = RRL_NO_SPACING};
    rrl_action_spec_t physical = {.min_spacing_ns = 0, .is_physical = true, .capacity = 5};
    rrl_status_t rc = rrl_graph_add_reactor(g, 0, &id);
    for (int i = 0; i < 12 && !rc; i++) rc = rrl_graph_add_port(g, 0, i == 9, &views[i], &id);
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
    if (!rc) rc = rrl_graph_add_reactor(g, 0, &id);
    if (!rc) rc = rrl_graph_add_mode(g, 0, RRL_NONE, true, &mode);
    if (!rc) rc = rrl_graph_add_mode(g, id, mode, true, &other);
    if (!rc) rc = rrl_graph_connect(g, 0, 8, RRL_NO_DELAY, false, mode);
    if (!rc) rc = rrl_graph_connect(g, 8, 9, 3, false, mode);
    if (!rc) rc = rrl_graph_add_reaction(g, id, other, 2, 5, true, &reaction);
    if (!rc) rc = rrl_graph_declare(g, reaction, RRL_TRIGGER, RRL_PORT, 8);
    if (!rc) rc = rrl_graph_declare(g, reaction, RRL_USE, RRL_PORT, 9); /* needs a copy */
    if (!rc) rc = rrl_graph_declare(g, reaction, RRL_EFFECT, RRL_MODE_RESET, other);
    return rc;
}

static void a_program_is_made_whole_or_not_at_all(void) {
    bool is_through = false;
    int64_t n_before = rrl_test_n_blocks(), k = 0;
    for (; !is_through; k++) {
        static rrl_view_t views[16];
        rrl_host_t host = {.ctx = NULL};
        rrl_options_t options = {.n_workers = 3, .timeout_ns = 1, .trace_capacity = 8};
        rrl_graph_t *g = NULL;
        rrl_program_t *p = NULL;
        rrl_cycle_step_t *cycle = NULL;
        size_t n_cycle;
        rrl_test_refuse(k);
        rrl_status_t rc = rrl_graph_create(&g);
        if (!rc) rc = add_all(g, views);
        if (!rc) rc = rrl_program_create(g, &options, &host, &p, &cycle, &n_cycle);
        is_through = rrl_test_until_refusal() >= 0; /* none was left to refuse */
        rrl_test_refuse(-1);
        CHECK_EQ(rc, is_through ? RRL_OK : RRL_E_NOMEM);
        CHECK_EQ(p != NULL, !rc);
        CHECK(!p || rrl_port_needs_copy(p, 9));
        CHECK(!cycle);
        rrl_program_destroy(p);
        rrl_graph_destroy(g);
        CHECK_EQ(rrl_test_n_blocks(), n_before);
    }
    CHECK(k > 60); /* that many allocations were refused in turn */
}

static void a_loop_is_reported_whole_or_not_at_all(void) {
    for (int ports_only = 0; ports_only < 3; ports_only++) {
        rrl_status_t rc = RRL_E_NOMEM;
        int64_t n_before = rrl_test_n_blocks();
        for (int64_t k = 0; rc == RRL_E_NOMEM; k++) {
            app_t *app = app_new();
            wire_t wire = {app_port(app), app_port(app), NULL};
            rrl_cycle_step_t *cycle = NULL;
            size_t n_cycle = 0;
            add_wire(app, &wire);
            connect(app, wire.out, wire.in, RRL_NO_DELAY);
            if (ports_only) wire.in = app_port(app);
            rrl_id_t mode =
                ports_only == 2 ? add_mode(app, app_reactor(app), RRL_NONE, true) : RRL_NONE;
            if (ports_only) link_in(app, mode, wire.in, wire.in, RRL_NO_DELAY);
            rrl_test_refuse(k);
            rc = app_try_create(app, &cycle, &n_cycle);
            rrl_test_refuse(-1);
            CHECK_EQ(cycle != NULL, rc == RRL_E_CYCLE);
            CHECK_EQ(n_cycle, rc != RRL_E_CYCLE ? 0 : ports_only ? 3 : 1); /* loops of one step */
            rrl__free(cycle);
            app_free(app);
            CHECK_EQ(rrl_test_n_blocks(), n_before);
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
    if (h->tag.time_ns == 0) rrl_test_refuse(greedy->k);
    for (int i = 0; i < N; i++)
        payloads[i] = i % 4 ? payload_new(h->app, i) : ticket_new(h->app, i);
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
    bool is_through = rrl_test_until_refusal() >= 0;
    rrl_test_refuse(-1);
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
    int64_t n_before = rrl_test_n_blocks(), k = 0;
    while (!run_without(k)) {
        CHECK_EQ(rrl_test_n_blocks(), n_before);
        k++;
    }
    CHECK(k > 10);
}

/* ---- everything at once ----------------------------------------------------------------------- */

typedef struct rich {
    rrl_id_t action, physical, out, first_channel;
    turn_t to_green, to_red;
    wire_t sinks[3], far;
} rich_t;

/* Tells a refusal from an error, and keeps no payload that was refused. */
static void check_taken(rrl_status_t rc, payload_t *payload) {
    CHECK(rc == RRL_OK || rc == RRL_E_NOMEM || rc == RRL_STOPPED || rc == RRL_FULL);
    if (rc == RRL_E_NOMEM || rc == RRL_FULL) payload_drop(payload);
}

static rrl_status_t do_all(const here_t *h) {
    rich_t *rich = h->arg;
    rrl_tag_t tag;
    uint64_t serial;
    for (int i = 0; i < 12; i++) {
        payload_t *payload = payload_new(h->app, i);
        check_taken(rrl_schedule(h->w, rich->action, i % 5, payload, &tag, &serial), payload);
    }
    for (int i = 0; i < 3; i++) {
        payload_t *ticket = ticket_new(h->app, i);
        rrl_status_t rc = rrl_schedule_physical(h->app->p, rich->physical, 0, ticket, &tag);
        check_taken(rc, ticket);
    }
    for (uint32_t i = 0; i < 3; i++) set(h, rich->first_channel + i, i);
    set(h, rich->out, 1);
    return RRL_OK;
}

static rrl_status_t fail_at_six(const here_t *h) {
    return h->tag.time_ns == 6 ? RRL_E_REACTION : RRL_OK;
}

/* Delays, actions, a multiport, modes with timers, physical events, a body that raises at 6, and an enclave
 * that answers, to which a stop travels for 2. */
static void build_rich(app_t *app, rich_t *rich, bool fails) {
    rrl_id_t wide;
    rrl_id_t source = app_reactor(app);
    app->owner = source;
    rich->action = app_logical(app, 1);
    rich->physical = app_physical(app, 2);
    rich->out = app_port(app);
    wide = app_multiport(app, 3, &rich->first_channel);
    rrl_id_t r = app_on(app, source, RRL_TIMER, app_timer(app, 0, 3), do_all, rich);
    declare(app, r, RRL_EFFECT, RRL_ACTION, rich->action);
    declare(app, r, RRL_EFFECT, RRL_MULTIPORT, wide);
    declare(app, r, RRL_EFFECT, RRL_PORT, rich->out);
    app_on(app, source, RRL_ACTION, rich->physical, NULL, NULL);
    app_on(app, source, RRL_ACTION, rich->action, NULL, NULL);
    for (uint32_t i = 0; i < 3; i++) {
        rich->sinks[i] = (wire_t){app_port(app), app_port(app), NULL};
        connect(app, rich->first_channel + i, rich->sinks[i].in, i == 1 ? 2 : RRL_NO_DELAY);
        add_wire(app, &rich->sinks[i]);
    }
    rrl_id_t light = app_reactor(app), red = add_mode(app, light, RRL_NONE, true),
             green = add_mode(app, light, RRL_NONE, false);
    rich->to_green = (turn_t){green, "go"};
    rich->to_red = (turn_t){red, "stop"};
    r = on_in(app, light, red, RRL_TIMER, timer_in(app, red, 2, 0), go, &rich->to_green);
    declare(app, r, RRL_EFFECT, RRL_MODE_RESET, green);
    r = on_in(app, light, green, RRL_TIMER, timer_in(app, green, 1, 2), go, &rich->to_red);
    declare(app, r, RRL_EFFECT, RRL_MODE_RESET, red);
    if (fails) app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 3), fail_at_six, NULL);
    rrl_id_t back = app_port(app);
    app_on(app, source, RRL_PORT, back, NULL, NULL);
    app_enclave(app, 1);
    rich->far = (wire_t){app_port(app), app_port(app), NULL};
    add_wire(app, &rich->far);
    connect(app, rich->out, rich->far.in, 2);
    connect(app, rich->far.out, back, 1);
}

/* Refuses the k-th allocation from the program's creation on. True: none was left to refuse. */
static bool run_rich_without(int64_t k, uint32_t n_workers, app_mode_t mode, bool fails) {
    app_t *app = app_new();
    rich_t rich;
    rrl_cycle_step_t *cycle;
    size_t n_cycle;
    build_rich(app, &rich, fails);
    app->options.n_workers = n_workers;
    app->options.timeout_ns = 12;
    app->options.trace_capacity = 8;
    app->mode = mode;
    rrl_test_refuse(k);
    rrl_status_t rc = app_try_create(app, &cycle, &n_cycle);
    CHECK(rc == RRL_OK || rc == RRL_E_NOMEM);
    if (!rc) {
        if (mode != MODE_NATURAL) app_force_mode(app);
        CHECK_EQ(rrl_program_start(app->p), RRL_OK);
        CHECK_EQ(rrl_program_wait(app->p, APP_PATIENCE_NS), RRL_OK);
        CHECK_EQ(rrl_program_join(app->p), RRL_OK);
        rrl_program_stats(app->p, &app->stats);
        bool was_refused = rrl_test_until_refusal() < 0;
        CHECK(app->stats.status == RRL_OK || (app->stats.status == RRL_E_NOMEM && was_refused));
        if (!was_refused) check_stop_tag(app, fails ? 8 : 12, 0);
    }
    bool is_through = rrl_test_until_refusal() >= 0;
    rrl_test_refuse(-1);
    CHECK_EQ(rrl_load_relaxed_u64(&app->n_live), 0);
    app_check_views(app);
    app_free(app);
    return is_through;
}

static void a_rich_program_is_refused_or_ends(void) {
    static const pool_t pools[] = {{1, MODE_NATURAL}, {3, MODE_PARK}, {2, MODE_SPIN}};
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
        int64_t n_before = rrl_test_n_blocks(), k = 0;
        while (!run_rich_without(k, pools[i].n_workers, pools[i].mode, i == 1)) {
            CHECK_EQ(rrl_test_n_blocks(), n_before);
            k++;
        }
        printf("%lld allocations refused in turn\n", (long long)k);
        CHECK(k > 100);
    }
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(a_program_is_made_whole_or_not_at_all),
        CHECK_CASE(a_loop_is_reported_whole_or_not_at_all),
        CHECK_CASE(a_run_without_memory_ends_and_gives_all_back),
        CHECK_CASE(a_rich_program_is_refused_or_ends),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
