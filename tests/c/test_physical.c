#include "body.h"

#include "threads.h"

#define MS ((int64_t)1000000)

/* Notes the value of the action that triggered it. */
static rrl_status_t take(const here_t *h) {
    note(h, "%lld", (long long)get_action(h, *(const rrl_id_t *)h->arg));
    return RRL_OK;
}

/* The texts of the notes without their tags, which come from the clock. */
static void check_values(app_t *app, const char *expected) {
    char values[400] = "";
    size_t used = 0;
    (void)app_log(app); /* sorts */
    for (const char *c = app->log; *c; c++) {
        if (*c != ' ' || (c > app->log && c[-1] == ';')) continue;
        const char *end = strchr(c, ';');
        int n = (int)(end ? end - c : (long)strlen(c));
        used += (size_t)snprintf(values + used, sizeof values - used, "%.*s", n, c);
        if (end) c = end - 1;
    }
    CHECK_STR_EQ(values[0] ? values + 1 : values, expected);
}

/* ---- from inside a body: what is pushed there is in the inbox when the tag ends -------------- */

typedef struct pusher {
    rrl_id_t action;
    int64_t delays[4];
    uint32_t n;
    uint32_t n_accepted;
    uint32_t cancelled; /* which one is cancelled at once; none: UINT32_MAX */
} pusher_t;

static rrl_status_t push_some(const here_t *h) {
    pusher_t *pusher = h->arg;
    for (uint32_t i = 0; i < pusher->n; i++) {
        payload_t *ticket;
        rrl_status_t rc = push(h->app, pusher->action, pusher->delays[i], i + 1, &ticket);
        CHECK(rc == RRL_OK || rc == RRL_FULL);
        if (rc) continue;
        pusher->n_accepted++;
        if (i == pusher->cancelled) CHECK(ticket_cancel(ticket));
        payload_drop(ticket);
    }
    return RRL_OK;
}

static app_t *push_at_start(const pool_t *pool, pusher_t *pusher, rrl_action_spec_t spec) {
    app_t *app = app_new_for(pool);
    spec.is_physical = true;
    pusher->action = app_action(app, spec);
    app_on(app, app_reactor(app), RRL_STARTUP, 0, push_some, pusher);
    app_on(app, app_reactor(app), RRL_ACTION, pusher->action, take, &pusher->action);
    app_go(app);
    return app;
}

static void a_full_inbox_refuses(void) {
    FOR_POOLS(pool) {
        pusher_t pusher = {.n = 3, .cancelled = UINT32_MAX};
        app_t *app = push_at_start(
            pool, &pusher, (rrl_action_spec_t){.min_spacing_ns = RRL_NO_SPACING, .capacity = 2});
        CHECK_EQ(pusher.n_accepted, 2);
        check_values(app, "1 2");
        CHECK_EQ(rrl_load_relaxed_u64(&app->n_redeemed), 2);
        app_free(app);
    }
}

static void a_cancelled_ticket_does_not_happen(void) {
    FOR_POOLS(pool) {
        pusher_t pusher = {.n = 3, .cancelled = 1, .delays = {0, 1, 2}};
        app_t *app = push_at_start(
            pool, &pusher, (rrl_action_spec_t){.min_spacing_ns = RRL_NO_SPACING, .capacity = 3});
        check_values(app, "1 3");
        CHECK_EQ(rrl_load_relaxed_u64(&app->n_redeemed), 3);
        CHECK_EQ(app->stats.n_tags, 4);
        app_free(app);
    }
}

static void physical_events_obey_the_policies(void) {
    static const char *const expected[] = {
        [RRL_DEFER] = "1 2 3", [RRL_DROP] = "1", [RRL_REPLACE] = "3", [RRL_UPDATE] = "3"};
    for (int policy = RRL_DEFER; policy <= RRL_UPDATE; policy++) {
        FOR_POOLS(pool) {
            /* Far apart, so that all are early, however slow the pushes are. */
            pusher_t pusher = {
                .n = 3, .cancelled = UINT32_MAX, .delays = {9000 * MS, 9000 * MS, 9000 * MS}};
            app_t *app = push_at_start(pool, &pusher,
                                       (rrl_action_spec_t){.min_spacing_ns = 5000 * MS,
                                                           .policy = (rrl_policy_t)policy,
                                                           .capacity = 3});
            check_values(app, expected[policy]);
            CHECK_EQ(rrl_load_relaxed_u64(&app->n_redeemed), 3); /* what was dropped, too */
            CHECK_EQ(app->stats.n_dropped, policy == RRL_DROP ? 2 : 0);
            app_free(app);
        }
    }
}

static void past_the_stop_tag_it_is_dropped(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        pusher_t pusher = {.n = 1, .cancelled = UINT32_MAX, .delays = {9000 * MS}};
        pusher.action = app_physical(app, 1);
        app_on(app, app_reactor(app), RRL_STARTUP, 0, push_some, &pusher);
        app_on(app, app_reactor(app), RRL_ACTION, pusher.action, take, &pusher.action);
        app->options.timeout_ns = 8000 * MS;
        app_go(app);
        check_values(app, "");
        check_stop_tag(app, 8000 * MS, 0);
        CHECK_EQ(app->stats.n_dropped, 1);
        app_free(app);
    }
}

/* ---- where an event lands -------------------------------------------------------------------- */

typedef struct landing {
    rrl_id_t action;
    rrl_tag_t pushed_at, said, came;
} landing_t;

static rrl_status_t land(const here_t *h) {
    landing_t *l = h->arg;
    if (get_action(h, l->action) != ABSENT) {
        l->came = h->tag;
        return RRL_OK;
    }
    payload_t *ticket = ticket_new(h->app, 1);
    l->pushed_at = h->tag;
    CHECK_EQ(rrl_schedule_physical(h->app->p, l->action, 3, ticket, &l->said), RRL_OK);
    return RRL_OK;
}

static landing_t push_at(int64_t time_ns, bool fast, const pool_t *pool) {
    app_t *app = app_new_for(pool);
    landing_t l = {.action = app_action(app, (rrl_action_spec_t){.min_delay_ns = 4,
                                                                 .min_spacing_ns = RRL_NO_SPACING,
                                                                 .is_physical = true,
                                                                 .capacity = 1})};
    rrl_id_t r = app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, time_ns, 0), land, &l);
    declare(app, r, RRL_TRIGGER, RRL_ACTION, l.action);
    app->options.fast = fast;
    app_go(app);
    CHECK_EQ(app->stats.n_events, 2);
    app_free(app);
    return l;
}

static void an_event_lands_at_the_time_of_the_push_and_its_delays(void) {
    FOR_POOLS(pool) {
        landing_t l = push_at(1, false, pool);
        CHECK(l.said.time_ns >= 1 + 7 && l.said.microstep == 0);
        CHECK(rrl_tag_equal(l.came, l.said));
    }
}

static void a_late_event_lands_at_the_next_microstep(void) {
    FOR_POOLS(pool) {
        landing_t l = push_at(1000000 * MS, true, pool); /* logical time is far ahead */
        CHECK(l.said.time_ns < l.pushed_at.time_ns);
        CHECK(rrl_tag_equal(l.came, (rrl_tag_t){1000000 * MS, 1}));
    }
}

static void what_cannot_be_pushed_is_refused(void) {
    app_t *app = app_new();
    rrl_id_t physical = app_physical(app, 1), logical = app_logical(app, 0);
    app->options.keepalive = true;
    app_start(app, 1);
    CHECK_EQ(push(app, logical, 0, 1, NULL), RRL_E_INVAL);
    CHECK_EQ(push(app, 1000, 0, 1, NULL), RRL_E_INVAL);
    CHECK_EQ(push(app, physical, -1, 1, NULL), RRL_E_INVAL);
    CHECK_EQ(push(app, physical, RRL_FOREVER, 1, NULL), RRL_E_OVERFLOW);
    CHECK_EQ(rrl_wait_for_room(app->p, 1000, 0), RRL_E_INVAL);
    CHECK_EQ(rrl_wait_for_room(app->p, logical, 0), RRL_E_INVAL);
    CHECK_EQ(rrl_wait_for_room(app->p, physical, 0), RRL_OK);
    rrl_program_request_stop(app->p);
    app_finish(app);
    app_free(app);
}

static rrl_status_t schedule_logically(const here_t *h) {
    CHECK_EQ(schedule(h, *(const rrl_id_t *)h->arg, 0, 1).status, RRL_E_INVAL);
    return RRL_OK;
}

static void a_physical_action_is_not_scheduled_as_a_logical_one(void) {
    app_t *app = app_new();
    rrl_id_t a = app_physical(app, 1);
    declare(app, app_on(app, app_reactor(app), RRL_STARTUP, 0, schedule_logically, &a), RRL_EFFECT,
            RRL_ACTION, a);
    app_run(app, 1);
    CHECK_EQ(app->stats.n_reactions, 1);
    app_free(app);
}

/* ---- from other threads ---------------------------------------------------------------------- */

enum { N_PUSHERS = 4, N_EACH = 400 / CHECK_SLOWDOWN };

typedef struct crowd {
    app_t *app;
    rrl_id_t action;
    int64_t last_of[N_PUSHERS]; /* the body's */
    uint32_t n_taken;
    rrl_atomic_u32_t n_pushed;
    bool ends_early;
} crowd_t;

static rrl_status_t take_of_crowd(const here_t *h) {
    crowd_t *crowd = h->arg;
    int64_t value = get_action(h, crowd->action);
    CHECK(value % 1000 > crowd->last_of[value / 1000]); /* in order, of each */
    crowd->last_of[value / 1000] = value % 1000;
    crowd->n_taken++;
    return RRL_OK;
}

static void push_all(void *ctx, uint32_t index) {
    crowd_t *crowd = ctx;
    for (int64_t i = 1; i <= N_EACH || crowd->ends_early; i++) {
        rrl_status_t rc;
        while ((rc = push(crowd->app, crowd->action, 0, index * 1000 + i % 1000, NULL)) ==
               RRL_FULL) {
            rc = rrl_wait_for_room(crowd->app->p, crowd->action, APP_PATIENCE_NS);
            if (rc) break;
        }
        if (crowd->ends_early && rc == RRL_STOPPED) break;
        CHECK_EQ(rc, RRL_OK);
        if (rrl_add_relaxed_u32(&crowd->n_pushed, 1) == N_EACH && crowd->ends_early)
            rrl_program_request_stop(crowd->app->p);
    }
    rrl_program_hold(crowd->app->p, RRL_NONE, false);
}

static void run_crowd(const pool_t *pool, uint32_t capacity, bool ends_early, uint64_t seed) {
    static const thread_body_t bodies[N_PUSHERS] = {push_all, push_all, push_all, push_all};
    crowd_t crowd = {.app = app_new_for(pool), .ends_early = ends_early};
    app_t *app = crowd.app;
    crowd.action = app_physical(app, capacity);
    app_on(app, app_reactor(app), RRL_ACTION, crowd.action, ends_early ? NULL : take_of_crowd,
           &crowd);
    app->options.fast = false;
    app->options.yield_seed = seed;
    app_create(app, pool->n_workers);
    for (int i = 0; i < N_PUSHERS; i++) rrl_program_hold(app->p, RRL_NONE, true);
    CHECK_EQ(rrl_program_start(app->p), RRL_OK);
    run_threads(bodies, N_PUSHERS, &crowd, seed);
    app_finish(app);
    if (!ends_early) {
        CHECK_EQ(crowd.n_taken, N_PUSHERS * N_EACH);
        CHECK_EQ(app->stats.n_events, N_PUSHERS * N_EACH);
        CHECK_EQ(app->stats.n_dropped, 0);
    }
    CHECK_EQ(rrl_load_relaxed_u64(&app->n_redeemed), rrl_load_relaxed_u32(&crowd.n_pushed));
    app_free(app);
}

static void what_threads_push_arrives_in_their_order(void) {
    FOR_POOLS(pool) {
        run_crowd(pool, 64, false, 0);
        run_crowd(pool, 16, false, 7);
        run_crowd(pool, 1, false, 8);
    }
}

static void pushers_are_turned_away_at_the_end_and_nothing_leaks(void) {
    FOR_POOLS(pool) {
        run_crowd(pool, 64, true, 0);
        run_crowd(pool, 2, true, 9);
    }
}

static void the_end_waits_for_a_push_under_way(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        app->options.keepalive = true;
        app_start(app, pool->n_workers);
        rrl_add_acq_rel_u32(&app->p->enclaves[0].gate,
                            1); /* as a pusher that has lost its processor */
        rrl_program_request_stop(app->p);
        while (!(rrl_load_acquire_u32(&app->p->enclaves[0].gate) & RRL_GATE_CLOSED))
            rrl__thread_yield();
        CHECK_EQ(rrl_program_wait(app->p, MS / 2), RRL_TIMEOUT);
        rrl_sub_acq_rel_u32(&app->p->enclaves[0].gate, 1);
        app_finish(app);
        app_free(app);
    }
}

/* ---- waiting for room ------------------------------------------------------------------------ */

typedef struct blockade {
    rrl_atomic_u32_t has_begun, may_end;
} blockade_t;

static rrl_status_t block(const here_t *h) {
    blockade_t *b = h->arg;
    rrl_store_release_u32(&b->has_begun, 1);
    while (!rrl_load_acquire_u32(&b->may_end)) rrl__thread_yield();
    return RRL_OK;
}

static void a_wait_for_room_ends_when_the_inbox_is_taken_over(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        blockade_t b = {.has_begun = {0}};
        rrl_id_t a = app_physical(app, 1);
        app_on(app, app_reactor(app), RRL_STARTUP, 0, block, &b);
        app_on(app, app_reactor(app), RRL_ACTION, a, take, &a);
        app_create(app, pool->n_workers);
        rrl_program_hold(app->p, RRL_NONE, true);
        CHECK_EQ(rrl_program_start(app->p), RRL_OK);
        while (!rrl_load_acquire_u32(&b.has_begun)) rrl__thread_yield();
        CHECK_EQ(push(app, a, 0, 1, NULL), RRL_OK);
        CHECK_EQ(push(app, a, 0, 2, NULL), RRL_FULL);
        CHECK_EQ(rrl_wait_for_room(app->p, a, MS / 10), RRL_TIMEOUT);
        rrl_store_release_u32(&b.may_end, 1);
        CHECK_EQ(rrl_wait_for_room(app->p, a, APP_PATIENCE_NS), RRL_OK);
        CHECK_EQ(push(app, a, 0, 3, NULL), RRL_OK);
        rrl_program_hold(app->p, RRL_NONE, false);
        app_finish(app);
        check_values(app, "1 3");
        app_free(app);
    }
}

/* ---- physical connections -------------------------------------------------------------------- */

enum { N_CHANNELS = 5 };

typedef struct spread {
    rrl_id_t out[N_CHANNELS], in[N_CHANNELS], delayed;
    rrl_tag_t came[N_CHANNELS], came_delayed;
    int64_t delay_ns;
} spread_t;

static rrl_status_t set_all(const here_t *h) {
    const spread_t *s = h->arg;
    for (uint32_t i = 0; i < N_CHANNELS; i++) set(h, s->out[(i * 3 + 2) % N_CHANNELS], 1);
    return RRL_OK;
}

static rrl_status_t see(const here_t *h) {
    spread_t *s = h->arg;
    for (uint32_t i = 0; i < N_CHANNELS; i++) {
        if (get(h, s->in[i]) != ABSENT) s->came[i] = h->tag;
    }
    if (get(h, s->delayed) != ABSENT) s->came_delayed = h->tag;
    return RRL_OK;
}

static void values_of_physical_connections_are_stamped_in_order(void) {
    /* In real time, fast behind the clock, and fast ahead of it. */
    static const int64_t offsets[3] = {1000, 1000, 1000000 * MS};
    for (int way = 0; way < 3; way++) {
        FOR_POOLS(pool) {
            app_t *app = app_new_for(pool);
            spread_t s = {.delay_ns = way ? 100000 * MS : MS};
            rrl_id_t source = app_reactor(app), sink = app_reactor(app);
            rrl_id_t from =
                app_on(app, source, RRL_TIMER, app_timer(app, offsets[way], 0), set_all, &s);
            rrl_id_t to = app_reaction(app, sink, see, &s);
            for (uint32_t i = 0; i < N_CHANNELS; i++) {
                s.out[i] = app_port(app);
                s.in[i] = app_port(app);
                declare(app, from, RRL_EFFECT, RRL_PORT, s.out[i]);
                declare(app, to, RRL_TRIGGER, RRL_PORT, s.in[i]);
                CHECK_EQ(rrl_graph_connect(app->g, s.out[i], s.in[i], RRL_NO_DELAY, true, RRL_NONE),
                         RRL_OK);
            }
            s.delayed = app_port(app);
            declare(app, to, RRL_TRIGGER, RRL_PORT, s.delayed);
            CHECK_EQ(rrl_graph_connect(app->g, s.out[0], s.delayed, s.delay_ns, true, RRL_NONE),
                     RRL_OK);
            app->options.fast = way != 0;
            app_go(app);
            CHECK(rrl_tag_is_before((rrl_tag_t){offsets[way], 0}, s.came[0]));
            for (uint32_t i = 1; i < N_CHANNELS; i++)
                CHECK(rrl_tag_is_before(s.came[i - 1], s.came[i]));
            CHECK(s.came_delayed.time_ns >= s.came[0].time_ns + s.delay_ns);
            /* it delays no other */
            if (way) CHECK(s.came[N_CHANNELS - 1].time_ns < s.came[0].time_ns + s.delay_ns);
            CHECK_EQ(app->stats.n_events, 1 + N_CHANNELS + 1);
            app_free(app);
        }
    }
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(a_full_inbox_refuses),
        CHECK_CASE(a_cancelled_ticket_does_not_happen),
        CHECK_CASE(physical_events_obey_the_policies),
        CHECK_CASE(past_the_stop_tag_it_is_dropped),
        CHECK_CASE(an_event_lands_at_the_time_of_the_push_and_its_delays),
        CHECK_CASE(a_late_event_lands_at_the_next_microstep),
        CHECK_CASE(what_cannot_be_pushed_is_refused),
        CHECK_CASE(a_physical_action_is_not_scheduled_as_a_logical_one),
        CHECK_CASE(what_threads_push_arrives_in_their_order),
        CHECK_CASE(pushers_are_turned_away_at_the_end_and_nothing_leaks),
        CHECK_CASE(the_end_waits_for_a_push_under_way),
        CHECK_CASE(a_wait_for_room_ends_when_the_inbox_is_taken_over),
        CHECK_CASE(values_of_physical_connections_are_stamped_in_order),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
