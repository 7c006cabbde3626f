/* test_trace.c: what the lanes of a trace hold, and what one can see of a program while it runs. */
#include "body.h"

#include "threads.h"

enum { CAPACITY = 256 };

static uint32_t kind_of(rrl_trace_record_t record) { return record.what >> RRL_TRACE_ID_BITS; }

static uint32_t id_of(rrl_trace_record_t record) {
    return record.what & ((1u << RRL_TRACE_ID_BITS) - 1);
}

static const char *const kinds[] = {"none",  "body",  "handler", "skipped", "coordinating",
                                    "spins", "parks", "idle",    "raised",  "set",
                                    "sent",  "tag",   "due",     "moved",   "arrived"};

/* The records of a lane but the slices between bodies, as "kind id time.microstep; ...". */
static const char *lane_text(const app_t *app, uint32_t lane) {
    static char text[4000];
    static rrl_trace_record_t records[CAPACITY];
    uint64_t n_lost;
    size_t n = rrl_program_trace(app->p, lane, records, &n_lost), used = 0;
    CHECK_EQ(n_lost, 0);
    CHECK_EQ(rrl_program_trace(app->p, lane, NULL, &n_lost), n);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        uint32_t kind = kind_of(records[i]);
        if (kind >= RRL_TRACE_COORDINATING && kind <= RRL_TRACE_IDLE) continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %u %lld.%u",
                                 used ? "; " : "", kinds[kind], id_of(records[i]),
                                 (long long)records[i].time_ns, records[i].microstep);
    }
    return text;
}

typedef struct source {
    rrl_id_t out, action;
    bool fails;
} source_t;

/* Sets the port, schedules the action once. */
static rrl_status_t send(const here_t *h) {
    const source_t *s = h->arg;
    set(h, s->out, 1);
    if (h->tag.time_ns == 0) schedule(h, s->action, 5, 7);
    return s->fails ? RRL_E_REACTION : RRL_OK;
}

/* 0: a source; 1: at once, 2: 3 ns later what it sends. */
static app_t *build(source_t *s) {
    app_t *app = app_new();
    rrl_id_t near = app_port(app), far = app_port(app);
    s->out = app_port(app);
    s->action = app_logical(app, 0);
    rrl_id_t r = app_on(app, app_reactor(app), RRL_STARTUP, 0, send, s);
    declare(app, r, RRL_TRIGGER, RRL_ACTION, s->action);
    declare(app, r, RRL_EFFECT, RRL_ACTION, s->action);
    declare(app, r, RRL_EFFECT, RRL_PORT, s->out);
    app_on(app, app_reactor(app), RRL_PORT, near, NULL, NULL);
    app_on(app, app_reactor(app), RRL_PORT, far, NULL, NULL);
    connect(app, s->out, near, RRL_NO_DELAY);
    connect(app, s->out, far, 3);
    app->options.trace_capacity = CAPACITY;
    return app;
}

static void the_lanes_tell_what_ran_and_what_it_sent(void) {
    source_t source = {.fails = false};
    app_t *app = build(&source);
    app_run(app, 1);
    /* Cells: ports 0, 1, 2; then the delay, 3, and the action, 4. */
    CHECK_STR_EQ(lane_text(app, 0), "body 0 0.0; set 2 0.0; sent 4 5.0; body 1 0.0; body 2 3.0; "
                                    "body 0 5.0; set 2 5.0; body 1 5.0; body 2 8.0");
    CHECK_STR_EQ(lane_text(app, 1),
                 "tag 0 0.0; sent 3 3.0; due 3 3.0; tag 1 3.0; due 4 5.0; tag 0 5.0; sent 3 8.0; "
                 "due 3 8.0; tag 0 8.0");
    app_free(app);
}

static void a_body_that_raises_leaves_a_mark(void) {
    source_t source = {.fails = true};
    app_t *app = build(&source);
    app_run(app, 1);
    CHECK_STR_EQ(lane_text(app, 0), "body 0 0.0; raised 0 0.0; set 2 0.0; sent 4 5.0");
    app_free(app);
}

static void slices_of_a_worker_follow_each_other(void) {
    FOR_POOLS(pool) {
        rrl_trace_record_t records[CAPACITY];
        app_t *app = app_new_for(pool);
        for (int i = 0; i < 6; i++)
            app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), NULL, NULL);
        app->options.timeout_ns = 9;
        app->options.trace_capacity = CAPACITY;
        app_go(app);
        uint64_t n_bodies = 0, n_lost;
        for (uint32_t w = 0; w < pool->n_workers; w++) {
            size_t n = rrl_program_trace(app->p, w, records, &n_lost);
            int64_t until_ns = 0;
            CHECK_EQ(n_lost, 0);
            for (size_t i = 0; i < n; i++) {
                CHECK(records[i].begin_ns >= until_ns && records[i].end_ns >= records[i].begin_ns);
                until_ns = records[i].end_ns;
                n_bodies += kind_of(records[i]) == RRL_TRACE_REACTION;
            }
        }
        CHECK_EQ(n_bodies, 60);
        app_free(app);
    }
}

static void a_full_lane_keeps_the_last_records(void) {
    rrl_trace_record_t records[4];
    uint64_t n_lost;
    app_t *app = app_new();
    app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), NULL, NULL);
    app->options.timeout_ns = 99;
    app->options.trace_capacity = 4;
    app_run(app, 1);
    CHECK_EQ(rrl_program_trace(app->p, 1, records, &n_lost), 4);
    CHECK_EQ(n_lost, 96);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(kind_of(records[i]), RRL_TRACE_TAG);
        CHECK_EQ(records[i].time_ns, 96 + i);
    }
    app_free(app);
}

static void a_capacity_is_a_power_of_two(void) {
    rrl_cycle_step_t *cycle;
    size_t n_cycle;
    app_t *app = app_new();
    app->options.trace_capacity = 12;
    CHECK_EQ(app_try_create(app, &cycle, &n_cycle), RRL_E_INVAL);
    app_free(app);
}

static void without_a_trace_there_are_no_records(void) {
    uint64_t n_lost;
    app_t *app = app_new();
    app_run(app, 1);
    for (uint32_t lane = 0; lane < 2; lane++) {
        CHECK_EQ(rrl_program_trace(app->p, lane, NULL, &n_lost), 0);
        CHECK_EQ(n_lost, 0);
    }
    app_free(app);
}

static void links_say_what_a_cell_leads_to(void) {
    rrl_link_t links[8];
    source_t source = {.fails = false};
    app_t *app = build(&source);
    app_run(app, 1);
    CHECK_EQ(rrl_program_links(app->p, NULL), 6);
    CHECK_EQ(rrl_program_links(app->p, links), 6);
    static const rrl_link_t expected[] = {{RRL_LINK_REACTION, 2, 1}, {RRL_LINK_DELAY, 2, 3},
                                          {RRL_LINK_REACTION, 3, 2}, {RRL_LINK_REACTION, 4, 0},
                                          {RRL_LINK_REACTION, 5, 0}, {RRL_LINK_ACTION, 4, 0}};
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(links[i].kind, expected[i].kind);
        CHECK_EQ(links[i].cell, expected[i].cell);
        CHECK_EQ(links[i].to, expected[i].to);
    }
    app_free(app);
}

/* ---- while it runs -------------------------------------------------------------------------------- */

static void what_was_pushed_from_outside_is_seen(void) {
    app_t *app = app_new();
    rrl_trace_record_t records[CAPACITY];
    uint64_t n_lost;
    rrl_id_t action = app_physical(app, 4);
    app_on(app, app_reactor(app), RRL_ACTION, action, NULL, NULL);
    app->options.trace_capacity = CAPACITY;
    app->options.keepalive = true;
    app_start(app, 1);
    payload_t *ticket;
    CHECK_EQ(push(app, action, 0, 1, &ticket), RRL_OK);
    payload_drop(ticket);
    rrl_pulse_t pulse = {0};
    while (!pulse.n_reactions) { /* relaxed counters of others, read at any time */
        rrl_program_pulse(app->p, 0, &pulse);
        rrl__thread_yield();
    }
    CHECK_EQ(pulse.n_reactions, 1);
    rrl_program_request_stop(app->p);
    app_finish(app);
    rrl_program_pulse(app->p, 0, &pulse);
    CHECK_EQ(pulse.n_tags, app->stats.n_tags);
    size_t n = rrl_program_trace(app->p, 1, records, &n_lost), n_arrived = 0;
    for (size_t i = 0; i < n; i++) {
        if (kind_of(records[i]) != RRL_TRACE_ARRIVED) continue;
        n_arrived++;
        CHECK(records[i].begin_ns <= records[i].end_ns &&
              records[i].time_ns >= records[i].begin_ns);
        CHECK_EQ(kind_of(records[i + 1]), RRL_TRACE_DUE);
        CHECK_EQ(records[i + 1].time_ns, records[i].time_ns);
    }
    CHECK_EQ(n_arrived, 1);
    app_free(app);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(the_lanes_tell_what_ran_and_what_it_sent),
        CHECK_CASE(a_body_that_raises_leaves_a_mark),
        CHECK_CASE(slices_of_a_worker_follow_each_other),
        CHECK_CASE(a_full_lane_keeps_the_last_records),
        CHECK_CASE(a_capacity_is_a_power_of_two),
        CHECK_CASE(without_a_trace_there_are_no_records),
        CHECK_CASE(links_say_what_a_cell_leads_to),
        CHECK_CASE(what_was_pushed_from_outside_is_seen),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
