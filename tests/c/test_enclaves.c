#include "body.h"

#define MS ((int64_t)1000000)

/* A reactor that counts what its timer or its input brings, and passes the count on. */
typedef struct node {
    rrl_id_t reactor, in, out, timer, reaction;
    const char *name;
    int64_t count, stops_at; /* at this count it asks for a stop; 0: never */
    bool fails;
} node_t;

static rrl_status_t run_node(const here_t *h) {
    node_t *n = h->arg;
    int64_t got = n->in == RRL_NONE ? ABSENT : get(h, n->in);
    n->count++;
    if (got == ABSENT) {
        note(h, "%s", n->name);
    } else {
        note(h, "%s<%lld", n->name, (long long)got);
    }
    set(h, n->out, n->count);
    if (n->count == n->stops_at && n->fails) return RRL_E_REACTION;
    if (n->count == n->stops_at) CHECK_EQ(rrl_request_stop(h->w), RRL_OK);
    return RRL_OK;
}

static void say_end(app_t *app, rrl_id_t reactor, const char *text) {
    app_on(app, reactor, RRL_SHUTDOWN, 0, say, (void *)(uintptr_t)text);
}

/* With a timer (period >= 0), an input or both. */
static node_t *add_node(app_t *app, const char *name, bool has_input, int64_t offset_ns,
                        int64_t period_ns) {
    static node_t nodes[64];
    static int used;
    node_t *n = &nodes[used++ % 64];
    *n = (node_t){.name = name, .in = RRL_NONE, .timer = RRL_NONE};
    n->reactor = app_reactor(app);
    app->owner = n->reactor;
    n->out = app_port(app);
    n->reaction = app_reaction(app, n->reactor, run_node, n);
    if (has_input) declare(app, n->reaction, RRL_TRIGGER, RRL_PORT, n->in = app_port(app));
    if (period_ns >= 0)
        declare(app, n->reaction, RRL_TRIGGER, RRL_TIMER,
                n->timer = app_timer(app, offset_ns, period_ns));
    declare(app, n->reaction, RRL_EFFECT, RRL_PORT, n->out);
    return n;
}

static void check_enclave(const app_t *app, rrl_id_t enclave, int64_t time_ns, uint32_t microstep) {
    rrl_enclave_stats_t s;
    rrl_program_enclave_stats(app->p, enclave, &s);
    CHECK_EQ(s.stop_tag.time_ns, time_ns);
    CHECK_EQ(s.stop_tag.microstep, microstep);
}

static void values_arrive_after_the_delay_and_each_ends_for_itself(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        node_t *a = add_node(app, "a", false, 0, 10);
        say_end(app, a->reactor, "end a");
        app_enclave(app, 2);
        node_t *b = add_node(app, "b", true, 3, 0);
        say_end(app, b->reactor, "end b");
        connect(app, a->out, b->in, 5);
        app->options.timeout_ns = 20;
        app_go(app);
        CHECK_STR_EQ(app_log(app),
                     "0.0 a; 3.0 b; 5.0 b<1; 10.0 a; 15.0 b<2; 20.0 a; 20.0 end a; 20.0 end b");
        check_enclave(app, 0, 20, 0);
        check_enclave(app, 1, 20, 0);
        CHECK_EQ(app->stats.n_tags, 3 + 5);
        CHECK_EQ(app->stats.n_events, 3 + 3);
        app_free(app);
    }
}

/* An idle enclave ends when nothing more can come from upstream: at the arrival of what could have been sent
 * at its last tag. */
static void an_enclave_starves_after_those_upstream(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        node_t *a = add_node(app, "a", false, 7, 0);
        say_end(app, a->reactor, "end a");
        app_enclave(app, 1);
        node_t *b = add_node(app, "b", true, 0, -1);
        say_end(app, b->reactor, "end b");
        connect(app, a->out, b->in, 5);
        app_enclave(app, 1);
        say_end(app, app_reactor(app), "end alone");
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.1 end alone; 7.0 a; 7.1 end a; 12.0 b<1; 12.1 end b");
        check_enclave(app, 0, 7, 1);
        check_enclave(app, 1, 12, 1);
        check_enclave(app, 2, 0, 1);
        check_stop_tag(app, 12, 1);
        app_free(app);
    }
}

static void enclaves_in_a_loop_go_round_until_they_starve(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        node_t *a = add_node(app, "a", true, 0, 0);
        app_enclave(app, 1);
        node_t *b = add_node(app, "b", true, 0, -1);
        connect(app, a->out, b->in, 0);
        connect(app, b->out, a->in, 2);
        app->options.timeout_ns = 5;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 a; 0.1 b<1; 2.0 a<1; 2.1 b<2; 4.0 a<2; 4.1 b<3");
        check_enclave(app, 0, 5, 0); /* a value was cut off by the timeout */
        app_free(app);
    }
}

static void a_stop_travels_as_a_value_would(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        node_t *a = add_node(app, "a", false, 0, 10);
        a->stops_at = 2;
        app_enclave(app, 1);
        node_t *b = add_node(app, "b", true, 2, 4);
        say_end(app, b->reactor, "end b");
        connect(app, a->out, b->in, 5);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 a; 2.0 b; 5.0 b<1; 6.0 b; 10.0 a; 10.0 b; 14.0 b; "
                                   "15.0 b<2; 15.0 end b");
        check_enclave(app, 0, 10, 1);
        check_enclave(app, 1, 15, 0);
        app_free(app);
    }
}

static void a_failure_stops_the_others_as_a_request_does(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        node_t *a = add_node(app, "a", false, 0, 10);
        a->stops_at = 2;
        a->fails = true;
        say_end(app, a->reactor, "end a");
        app_enclave(app, 1);
        node_t *b = add_node(app, "b", true, 3, 4);
        connect(app, a->out, b->in, 0);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 a; 0.1 b<1; 3.0 b; 7.0 b; 10.0 a; 10.0 end a; 10.1 b<2");
        check_enclave(app, 0, 10, 0);
        check_enclave(app, 1, 10, 1);
        app_free(app);
    }
}

/* Far more than the capacity of 4: senders wait, and nothing is lost. */
static void a_fast_sender_waits_for_a_slow_receiver(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        node_t *a = add_node(app, "a", false, 0, 1);
        a->stops_at = 300;
        app_enclave(app, 1);
        node_t *b = add_node(app, "b", true, 0, -1), *c = add_node(app, "c", true, 0, -1);
        app_enclave(app, 1);
        node_t *d = add_node(app, "d", true, 0, -1);
        connect(app, a->out, b->in, 3);
        connect(app, a->out, d->in, 100); /* b waits for d, and d for a */
        connect(app, d->out, c->in, 1);
        app_go(app);
        CHECK_EQ(a->count, 300);
        CHECK_EQ(b->count, 300);
        CHECK_EQ(d->count, 300);
        app_free(app);
    }
}

static void stepped_programs_wait_at_every_tag(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_tag_t next;
        node_t *a = add_node(app, "a", false, 0, 10);
        app_enclave(app, 1);
        node_t *b = add_node(app, "b", true, 3, 0);
        connect(app, a->out, b->in, 5);
        app->options.timeout_ns = 10;
        app->options.stepped = app->options.virtual_clock = true;
        app->options.fast = false;
        app_start(app, app->options.n_workers);
        static const rrl_tag_t tags[] = {{0, 0}, {3, 0}, {5, 0}, {10, 0}};
        for (int i = 0; i < 4; i++) {
            CHECK_EQ(rrl_program_wait_for_pause(app->p, APP_PATIENCE_NS, &next), RRL_OK);
            CHECK(rrl_tag_equal(next, tags[i]));
            CHECK_EQ(rrl_program_elapsed_ns(app->p), i ? tags[i - 1].time_ns : 0);
            rrl_program_step(app->p, next);
        }
        CHECK_EQ(rrl_program_wait_for_pause(app->p, APP_PATIENCE_NS, &next), RRL_STOPPED);
        app_finish(app);
        CHECK_STR_EQ(app_log(app), "0.0 a; 3.0 b; 5.0 b<1; 10.0 a");
        CHECK_EQ(rrl_program_elapsed_ns(app->p), 10);
        app_free(app);
    }
}

typedef struct late {
    rrl_id_t action;
    int64_t takes_ns;
} late_t;

static rrl_status_t take_time(const here_t *h) {
    const late_t *late = h->arg;
    CHECK_EQ(rrl_clock_advance(h->app->p, h->w, late->takes_ns), RRL_OK);
    note(h, "at %lld", (long long)rrl_worker_elapsed_ns(h->w));
    return RRL_OK;
}

/* The bodies of a level take their times side by side. */
static void a_virtual_clock_moves_by_the_longest_body_of_a_level(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        late_t three = {.takes_ns = 3}, seven = {.takes_ns = 7}, none = {.takes_ns = 0};
        rrl_id_t timer = app_timer(app, 5, 0), one = app_reactor(app), other = app_reactor(app);
        rrl_id_t same = app_timer(app, 5, 0);
        app_on(app, one, RRL_TIMER, timer, take_time, &three);
        app_on(app, one, RRL_TIMER, timer, take_time, &none);
        app_on(app, other, RRL_TIMER, same, take_time, &seven);
        app->options.virtual_clock = true;
        app->options.fast = false;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "5.0 at 8; 5.0 at 12; 5.0 at 12");
        CHECK_EQ(rrl_program_elapsed_ns(app->p), 12);
        app_free(app);
    }
}

static void from_outside_a_stepped_program_can_be_fed(void) {
    app_t *app = app_new();
    rrl_id_t reactor = app_reactor(app), action = app_physical(app, 8);
    rrl_tag_t next;
    app_on(app, reactor, RRL_ACTION, action, say, "fed");
    app->options.stepped = app->options.virtual_clock = app->options.keepalive = true;
    app->options.fast = false;
    app_start(app, 1);
    for (int64_t i = 0; i < 200; i++) {
        CHECK_EQ(rrl_program_wait_for_pause(app->p, APP_PATIENCE_NS, &next), RRL_OK);
        CHECK_EQ(next.time_ns, i ? RRL_FOREVER : 0);
        if (i) {
            CHECK_EQ(push(app, action, 10, i, NULL), RRL_OK);
            CHECK_EQ(rrl_program_wait_for_pause(app->p, APP_PATIENCE_NS, &next), RRL_OK);
            CHECK_EQ(next.time_ns, 10 * i);
        }
        rrl_program_step(app->p, next);
    }
    CHECK_EQ(rrl_program_wait_for_pause(app->p, APP_PATIENCE_NS, &next), RRL_OK);
    rrl_program_request_stop(app->p);
    CHECK_EQ(rrl_program_wait_for_pause(app->p, APP_PATIENCE_NS, &next), RRL_OK);
    CHECK_EQ(next.microstep, 1);
    rrl_program_step(app->p, next);
    app_finish(app);
    CHECK_EQ(app->stats.n_events, 199);
    app_free(app);
}

/* Enclaves that share no connection do not wait for each other. */
static rrl_atomic_u32_t has_met;

static rrl_status_t wait_for_the_other(const here_t *h) {
    (void)h;
    while (!rrl_load_acquire_u32(&has_met)) rrl__thread_yield();
    return RRL_OK;
}

static rrl_status_t meet(const here_t *h) {
    if (h->tag.time_ns == 100) rrl_store_release_u32(&has_met, 1);
    return RRL_OK;
}

static void a_slow_enclave_does_not_hold_others_back(void) {
    app_t *app = app_new();
    rrl_store_relaxed_u32(&has_met, 0);
    app_on(app, app_reactor(app), RRL_STARTUP, 0, wait_for_the_other, NULL);
    app_enclave(app, 1);
    rrl_id_t reactor = app_reactor(app);
    app_on(app, reactor, RRL_TIMER, app_timer(app, 0, 1), meet, NULL);
    app->options.timeout_ns = 200;
    app_run(app, 1);
    check_enclave(app, 0, 0, 1);
    check_enclave(app, 1, 200, 0);
    app_free(app);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(values_arrive_after_the_delay_and_each_ends_for_itself),
        CHECK_CASE(an_enclave_starves_after_those_upstream),
        CHECK_CASE(enclaves_in_a_loop_go_round_until_they_starve),
        CHECK_CASE(a_stop_travels_as_a_value_would),
        CHECK_CASE(a_failure_stops_the_others_as_a_request_does),
        CHECK_CASE(a_fast_sender_waits_for_a_slow_receiver),
        CHECK_CASE(stepped_programs_wait_at_every_tag),
        CHECK_CASE(a_virtual_clock_moves_by_the_longest_body_of_a_level),
        CHECK_CASE(from_outside_a_stepped_program_can_be_fed),
        CHECK_CASE(a_slow_enclave_does_not_hold_others_back),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
