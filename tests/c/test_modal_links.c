#include "modes.h"

/* Two modes, which a clock switches: away after 5, back after 7. */
typedef struct two_turns {
    rrl_id_t reactor, first, second;
    turn_t away, back;
} two_turns_t;

static void add_turns(two_turns_t *t, app_t *app) {
    t->reactor = app_reactor(app);
    t->first = add_mode(app, t->reactor, RRL_NONE, true);
    t->second = add_mode(app, t->reactor, RRL_NONE, false);
    t->away = (turn_t){t->second, "away"};
    t->back = (turn_t){t->first, "back"};
    go_at(app, t->reactor, 5, RRL_MODE_HISTORY, &t->away);
    go_at(app, t->reactor, 7, RRL_MODE_HISTORY, &t->back);
}

/* A source that says the time at 0, 2, 4, ..., and a sink. */
typedef struct bench {
    app_t *app;
    two_turns_t turns;
    rrl_id_t out, in;
    wire_t sink;
} bench_t;

static rrl_status_t count_time(const here_t *h) {
    set(h, ((const wire_t *)h->arg)->out, h->tag.time_ns);
    return RRL_OK;
}

static void add_bench(bench_t *b, const pool_t *pool, wire_t *source) {
    *b = (bench_t){.app = app_new_for(pool)};
    add_turns(&b->turns, b->app);
    b->out = app_port(b->app);
    b->in = app_port(b->app);
    *source = (wire_t){.out = b->out};
    rrl_id_t r =
        app_on(b->app, app_reactor(b->app), RRL_TIMER, app_timer(b->app, 0, 2), count_time, source);
    declare(b->app, r, RRL_EFFECT, RRL_PORT, b->out);
    b->sink = (wire_t){b->in, RRL_NONE, "got"};
    add_wire(b->app, &b->sink);
    b->app->options.timeout_ns = 12;
}

static void a_connection_carries_while_its_mode_is_active(void) {
    FOR_POOLS(pool) {
        bench_t b;
        wire_t source;
        add_bench(&b, pool, &source);
        link_in(b.app, b.turns.first, b.out, b.in, RRL_NO_DELAY);
        app_go(b.app);
        CHECK_STR_EQ(app_log(b.app), "0.0 got 0; 2.0 got 2; 4.0 got 4; 5.0 away; 7.0 back; "
                                     "8.0 got 8; 10.0 got 10; 12.0 got 12");
        app_free(b.app);
    }
}

static void connections_of_several_modes_lead_to_one_port(void) {
    FOR_POOLS(pool) {
        bench_t b;
        wire_t source, other;
        add_bench(&b, pool, &source);
        /* another source, behind the first one */
        other = (wire_t){app_port(b.app), app_port(b.app), "other"};
        connect(b.app, b.out, other.in, RRL_NO_DELAY);
        add_wire(b.app, &other);
        link_in(b.app, b.turns.first, b.out, b.in, RRL_NO_DELAY);
        link_in(b.app, b.turns.second, other.out, b.in, RRL_NO_DELAY);
        b.app->options.timeout_ns = 8;
        app_go(b.app);
        CHECK_STR_EQ(app_log(b.app), "0.0 got 0; 0.0 other 0; 2.0 got 2; 2.0 other 2; 4.0 got 4; "
                                     "4.0 other 4; 5.0 away; 6.0 got 7; 6.0 other 6; 7.0 back; "
                                     "8.0 got 8; 8.0 other 8");
        CHECK(rrl_program_level(b.app->p, 3) > rrl_program_level(b.app->p, 4)); /* the sink waits */
        app_free(b.app);
    }
}

static void a_reaction_of_one_mode_writes_where_the_other_connects(void) {
    FOR_POOLS(pool) {
        bench_t b;
        wire_t source, own;
        add_bench(&b, pool, &source);
        own = (wire_t){.out = b.in};
        link_in(b.app, b.turns.first, b.out, b.in, RRL_NO_DELAY);
        rrl_id_t r = on_in(b.app, b.turns.reactor, b.turns.second, RRL_TIMER,
                           timer_in(b.app, b.turns.second, 1, 5), emit_one, &own);
        declare(b.app, r, RRL_EFFECT, RRL_PORT, b.in);
        b.app->options.timeout_ns = 8;
        app_go(b.app);
        CHECK_STR_EQ(app_log(b.app), "0.0 got 0; 2.0 got 2; 4.0 got 4; 5.0 away; 6.0 got 1; "
                                     "7.0 back; 8.0 got 8");
        app_free(b.app);
    }
}

static rrl_status_t set_again(const here_t *h) {
    set(h, ((const wire_t *)h->arg)->out, 100 + h->tag.time_ns);
    return RRL_OK;
}

/* source -> (first) a -> b -> (first) c -> after 1 d; the source's reactor sets twice */
static void what_is_carried_goes_on_in_any_way(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app), maker = app_reactor(app);
        rrl_id_t mode = add_mode(app, reactor, RRL_NONE, true);
        rrl_id_t out = app_port(app), a = app_port(app), b = app_port(app), c = app_port(app),
                 d = app_port(app), first, wide = app_multiport(app, 2, &first);
        rrl_id_t timer = app_timer(app, 1, 4);
        wire_t source = {.out = out}, sinks[] = {{a, RRL_NONE, "a"},
                                                 {b, RRL_NONE, "b"},
                                                 {c, RRL_NONE, "c"},
                                                 {d, RRL_NONE, "d"},
                                                 {first + 1, RRL_NONE, "w"}};
        declare(app, app_on(app, maker, RRL_TIMER, timer, count_time, &source), RRL_EFFECT,
                RRL_PORT, out);
        declare(app, app_on(app, maker, RRL_TIMER, timer, set_again, &source), RRL_EFFECT, RRL_PORT,
                out);
        for (int i = 0; i < 4; i++) add_wire(app, &sinks[i]);
        app_on(app, app_reactor(app), RRL_MULTIPORT, wide, forward, &sinks[4]);
        link_in(app, mode, out, a, RRL_NO_DELAY);
        connect(app, a, b, RRL_NO_DELAY);
        link_in(app, mode, b, c, RRL_NO_DELAY);
        link_in(app, mode, c, first + 1, RRL_NO_DELAY);
        connect(app, c, d, 1);
        app->options.timeout_ns = 6;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "1.0 a 101; 1.0 b 101; 1.0 c 101; 1.0 w 101; 2.0 d 101; "
                                   "5.0 a 105; 5.0 b 105; 5.0 c 105; 5.0 w 105; 6.0 d 105");
        for (rrl_id_t r = 2; r < 5; r++) CHECK_EQ(rrl_program_level(app->p, r), 2);
        CHECK_EQ(rrl_program_level(app->p, 6), 2);
        app_free(app);
    }
}

static void a_delay_of_a_mode_pauses_with_it(void) {
    FOR_POOLS(pool) {
        bench_t b;
        wire_t source;
        add_bench(&b, pool, &source);
        link_in(b.app, b.turns.first, b.out, b.in, 3);
        b.app->options.timeout_ns = 14;
        app_go(b.app);
        /* that of 4 has two thirds of its way before it at 5; that of 6 was not captured */
        CHECK_STR_EQ(app_log(b.app), "3.0 got 0; 5.0 away; 5.0 got 2; 7.0 back; 9.0 got 4; "
                                     "11.0 got 8; 13.0 got 10");
        app_free(b.app);
    }
}

static void a_delay_of_a_mode_loses_what_is_under_way_by_reset(void) {
    FOR_POOLS(pool) {
        bench_t b;
        wire_t source;
        add_bench(&b, pool, &source);
        link_in(b.app, b.turns.first, b.out, b.in, 3);
        wire_t outside = {app_port(b.app), RRL_NONE, "outside"};
        add_wire(b.app, &outside);
        connect(b.app, b.out, outside.in, 3); /* not the same delay */
        go_at(b.app, b.turns.reactor, 7, RRL_MODE_RESET, &b.turns.back);
        app_go(b.app);
        CHECK_STR_EQ(app_log(b.app),
                     "3.0 got 0; 3.0 outside 0; 5.0 away; 5.0 got 2; 5.0 outside 2; 7.0 back; "
                     "7.0 outside 4; 7.0 back; 9.0 outside 6; 11.0 got 8; 11.0 outside 8");
        app_free(b.app);
    }
}

static void different_delays_lead_to_one_port(void) {
    FOR_POOLS(pool) {
        bench_t b;
        wire_t source;
        add_bench(&b, pool, &source);
        link_in(b.app, b.turns.first, b.out, b.in, 1);
        link_in(b.app, b.turns.second, b.out, b.in, 0);
        b.app->options.timeout_ns = 9;
        app_go(b.app);
        CHECK_STR_EQ(app_log(b.app), "1.0 got 0; 3.0 got 2; 5.0 away; 5.0 got 4; 6.1 got 6; "
                                     "7.0 back; 9.0 got 8");
        app_free(b.app);
    }
}

static void a_physical_connection_of_a_mode_takes_only_what_comes_while_it_is_active(void) {
    FOR_POOLS(pool) {
        two_turns_t t;
        app_t *app = app_new_for(pool);
        add_turns(&t, app);
        wire_t source = {.out = app_port(app)}, sink = {app_port(app), app_port(app), ""};
        rrl_id_t r = app_reaction(app, app_reactor(app), emit_one, &source);
        for (int64_t time = 4; time <= 8; time += 2)
            declare(app, r, RRL_TRIGGER, RRL_TIMER, app_timer(app, time, 0));
        declare(app, r, RRL_EFFECT, RRL_PORT, source.out);
        add_wire(app, &sink);
        CHECK_EQ(rrl_graph_connect(app->g, source.out, sink.in, 0, true, t.first), RRL_OK);
        app_go(app);
        CHECK_EQ(rrl_program_reaction_count(app->p, r), 3);
        CHECK_EQ(rrl_program_reaction_count(app->p, r + 1), 2); /* those of 4 and 8 */
        app_free(app);
    }
}

static void what_a_dying_mode_sets_is_seen_where_a_connection_carries_it(void) {
    FOR_POOLS(pool) {
        bench_t b;
        wire_t source, last;
        add_bench(&b, pool, &source);
        last = (wire_t){.out = app_port(b.app)};
        rrl_id_t r = app_on(b.app, app_reactor(b.app), RRL_SHUTDOWN, 0, emit_one, &last);
        declare(b.app, r, RRL_EFFECT, RRL_PORT, last.out);
        link_in(b.app, b.turns.first, last.out, b.in, RRL_NO_DELAY);
        declare(b.app, 3, RRL_TRIGGER, RRL_SHUTDOWN, 0);
        app_on(b.app, app_reactor(b.app), RRL_TIMER, app_timer(b.app, 3, 0), fail, "body");
        app_go(b.app);
        CHECK_STR_EQ(app_log(b.app), "3.0 got 1; 3.0 body fails");
        app_free(b.app);
    }
}

static void a_connection_is_not_mixed_with_another_without_a_mode(void) {
    app_t *app = app_new();
    rrl_id_t mode = add_mode(app, app_reactor(app), RRL_NONE, true);
    rrl_id_t a = app_port(app), b = app_port(app);
    rrl_cycle_step_t *cycle;
    size_t n;
    link_in(app, mode, a, b, RRL_NO_DELAY);
    CHECK_EQ(rrl_graph_connect(app->g, a, b, 5, false, mode + 1), RRL_E_INVAL);
    connect(app, a, b, RRL_NO_DELAY);
    CHECK_EQ(rrl_graph_connect(app->g, a, b, 5, false, mode), RRL_E_INVAL);
    CHECK_EQ(app_try_create(app, &cycle, &n), RRL_E_INVAL);
    app_free(app);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(a_connection_carries_while_its_mode_is_active),
        CHECK_CASE(connections_of_several_modes_lead_to_one_port),
        CHECK_CASE(a_reaction_of_one_mode_writes_where_the_other_connects),
        CHECK_CASE(what_is_carried_goes_on_in_any_way),
        CHECK_CASE(a_delay_of_a_mode_pauses_with_it),
        CHECK_CASE(a_delay_of_a_mode_loses_what_is_under_way_by_reset),
        CHECK_CASE(different_delays_lead_to_one_port),
        CHECK_CASE(a_physical_connection_of_a_mode_takes_only_what_comes_while_it_is_active),
        CHECK_CASE(what_a_dying_mode_sets_is_seen_where_a_connection_carries_it),
        CHECK_CASE(a_connection_is_not_mixed_with_another_without_a_mode),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
