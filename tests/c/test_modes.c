#include "modes.h"

/* ---- transitions ----------------------------------------------------------------------------- */

/* What a body schedules, and what it says. */
typedef struct plan_ahead {
    rrl_id_t action;
    int64_t delay_ns;
    const char *name;
    handle_t handle;
} plan_ahead_t;

static rrl_status_t plan_ahead(const here_t *h) {
    plan_ahead_t *ahead = h->arg;
    note(h, "%s", ahead->name);
    ahead->handle = schedule(h, ahead->action, ahead->delay_ns, 7);
    return RRL_OK;
}

static rrl_id_t on_ahead(app_t *app, rrl_id_t reactor, rrl_id_t mode, rrl_kind_t kind,
                         rrl_id_t element, plan_ahead_t *ahead) {
    rrl_id_t r = on_in(app, reactor, mode, kind, element, plan_ahead, ahead);
    declare(app, r, RRL_EFFECT, RRL_ACTION, ahead->action);
    return r;
}

static void a_light_goes_round(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t light = app_reactor(app);
        rrl_id_t red = add_mode(app, light, RRL_NONE, true),
                 green = add_mode(app, light, RRL_NONE, false);
        turn_t to_green = {green, "go"}, to_red = {red, "stop"};
        plan_ahead_t restart = {logical_in(app, green), 2, "restart", {.serial = 0}};
        rrl_id_t r = on_in(app, light, red, RRL_TIMER, timer_in(app, red, 3, 0), go, &to_green);
        declare(app, r, RRL_EFFECT, RRL_MODE_RESET, green);
        on_ahead(app, light, green, RRL_RESET, 0, &restart);
        r = on_in(app, light, green, RRL_ACTION, restart.action, go, &to_red);
        declare(app, r, RRL_EFFECT, RRL_MODE_HISTORY, red); /* whose timer has gone off */
        declare(app, r, RRL_EFFECT, RRL_MODE_RESET, red);   /* the first declared counts */
        app->options.timeout_ns = 100;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "3.0 go; 3.1 restart; 5.0 stop");
        check_stop_tag(app, 5, 1);
        app_free(app);
    }
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t light = app_reactor(app);
        rrl_id_t red = add_mode(app, light, RRL_NONE, true),
                 green = add_mode(app, light, RRL_NONE, false);
        turn_t to_green = {green, "go"}, to_red = {red, "stop"};
        plan_ahead_t restart = {logical_in(app, green), 2, "restart", {.serial = 0}};
        rrl_id_t r = on_in(app, light, red, RRL_TIMER, timer_in(app, red, 3, 0), go, &to_green);
        declare(app, r, RRL_EFFECT, RRL_MODE_RESET, green);
        on_ahead(app, light, green, RRL_RESET, 0, &restart);
        r = on_in(app, light, green, RRL_ACTION, restart.action, go, &to_red);
        declare(app, r, RRL_EFFECT, RRL_MODE_RESET, red);
        app->options.timeout_ns = 12;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "3.0 go; 3.1 restart; 5.0 stop; 8.0 go; 8.1 restart; 10.0 stop");
        check_stop_tag(app, 12, 0);       /* the next timer lies beyond */
        CHECK_EQ(app->stats.n_events, 4); /* entries are none */
        CHECK_EQ(app->stats.n_tags, 8);
        app_free(app);
    }
}

/* Two modes that a clock outside switches: away from the first at 5, back at 7. */
typedef struct two_modes {
    app_t *app;
    rrl_id_t reactor, first, second;
    turn_t away, back;
} two_modes_t;

static void add_two_modes(two_modes_t *t, const pool_t *pool) {
    *t = (two_modes_t){.app = app_new_for(pool)};
    t->reactor = app_reactor(t->app);
    t->first = add_mode(t->app, t->reactor, RRL_NONE, true);
    t->second = add_mode(t->app, t->reactor, RRL_NONE, false);
    t->away = (turn_t){t->second, "away"};
    t->back = (turn_t){t->first, "back"};
}

/* After the reactions of the modes, so that these come first. */
static void go_away_and_back(two_modes_t *t, rrl_kind_t kind) {
    go_at(t->app, t->reactor, 5, RRL_MODE_RESET, &t->away);
    go_at(t->app, t->reactor, 7, kind, &t->back);
}

static void time_stands_still_while_a_mode_is_left(void) {
    FOR_POOLS(pool) {
        two_modes_t t;
        add_two_modes(&t, pool);
        app_t *app = t.app;
        plan_ahead_t soon = {logical_in(app, t.first), 0, "soon", {.serial = 0}},
                     late = {logical_in(app, t.first), 4, "late", {.serial = 0}};
        rrl_id_t at_5 = timer_in(app, t.first, 5, 0), tick = timer_in(app, t.first, 1, 3);
        on_in(app, t.reactor, t.first, RRL_TIMER, tick, say, "tick"); /* 1, 4, then 7 */
        on_ahead(app, t.reactor, t.first, RRL_TIMER, at_5, &soon);
        on_ahead(app, t.reactor, t.first, RRL_TIMER, at_5, &late);
        on_in(app, t.reactor, t.first, RRL_ACTION, soon.action, say, "soon comes");
        on_in(app, t.reactor, t.first, RRL_ACTION, late.action, say, "late comes");
        go_away_and_back(&t, RRL_MODE_HISTORY);
        app->options.timeout_ns = 12;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "1.0 tick; 4.0 tick; 5.0 soon; 5.0 late; 5.0 away; 7.0 back; "
                                   "7.1 soon comes; 9.0 tick; 11.0 late comes; 12.0 tick");
        CHECK_EQ(app->stats.n_events, 9);
        CHECK_EQ(app->stats.n_dropped, 0);
        app_free(app);
    }
}

static void an_entry_by_reset_forgets_what_was_pending(void) {
    FOR_POOLS(pool) {
        two_modes_t t;
        add_two_modes(&t, pool);
        app_t *app = t.app;
        plan_ahead_t soon = {logical_in(app, t.first), 0, "soon", {.serial = 0}},
                     late = {logical_in(app, t.first), 4, "late", {.serial = 0}};
        rrl_id_t at_5 = timer_in(app, t.first, 5, 0);
        on_in(app, t.reactor, t.first, RRL_TIMER, timer_in(app, t.first, 0, 3), say, "tick");
        on_in(app, t.reactor, t.first, RRL_RESET, 0, say, "reset");
        on_ahead(app, t.reactor, t.first, RRL_TIMER, at_5, &soon);
        on_ahead(app, t.reactor, t.first, RRL_TIMER, at_5, &late);
        on_in(app, t.reactor, t.first, RRL_ACTION, soon.action, say, "soon comes");
        on_in(app, t.reactor, t.first, RRL_ACTION, late.action, say, "late comes");
        go_away_and_back(&t, RRL_MODE_RESET);
        app->options.timeout_ns = 16;
        app_go(app);
        /* offset 0: the next microstep, and from there in whole periods; one-shots again */
        CHECK_STR_EQ(app_log(app), "0.0 tick; 3.0 tick; 5.0 soon; 5.0 late; 5.0 away; 7.0 back; "
                                   "7.1 tick; 7.1 reset; 10.0 tick; 12.0 soon; 12.0 late; "
                                   "12.1 soon comes; 13.0 tick; 16.0 tick; 16.0 late comes");
        app_free(app);
    }
}

static void a_mode_is_left_and_entered_in_turn_for_ever(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app);
        rrl_id_t first = add_mode(app, reactor, RRL_NONE, true),
                 second = add_mode(app, reactor, RRL_NONE, false);
        turn_t away = {second, "away"}, back = {first, "back"};
        /* local times 2, 4, ... of both, which stand still in turn */
        rrl_id_t r = on_in(app, reactor, first, RRL_TIMER, timer_in(app, first, 2, 2), go, &away);
        declare(app, r, RRL_EFFECT, RRL_MODE_HISTORY, second);
        r = on_in(app, reactor, second, RRL_TIMER, timer_in(app, second, 2, 2), go, &back);
        declare(app, r, RRL_EFFECT, RRL_MODE_HISTORY, first);
        rrl_id_t slow = timer_in(app, first, 5, 0);
        on_in(app, reactor, first, RRL_TIMER, slow, say, "slow"); /* local time 5: at 9 */
        app->options.timeout_ns = 600;
        app_go(app);
        CHECK_EQ(app->stats.n_reactions, 301);
        CHECK(strncmp(app_log(app), "2.0 away; 4.0 back; 6.0 away; 8.0 back; 9.0 slow; 10.0 away; ",
                      60) == 0);
        app_free(app);
    }
}

static rrl_status_t set_two(const here_t *h) {
    const turn_t *turns = h->arg;
    CHECK(rrl_mode_is_active(h->w, 0) && !rrl_mode_is_active(h->w, 1));
    CHECK_EQ(rrl_mode_set(h->w, turns[0].mode), RRL_OK);
    CHECK_EQ(rrl_mode_set(h->w, turns[1].mode), RRL_OK);
    CHECK(rrl_mode_is_active(h->w, 0)); /* takes effect after this tag */
    return RRL_OK;
}

static void the_last_of_several_transitions_wins(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app), mode[3];
        for (int i = 0; i < 3; i++) mode[i] = add_mode(app, reactor, RRL_NONE, i == 0);
        turn_t turns[] = {{mode[1], ""}, {mode[2], ""}}, keep = {mode[0], "keep"};
        rrl_id_t early = app_timer(app, 1, 0), both = app_timer(app, 2, 0);
        rrl_id_t r = app_on(app, reactor, RRL_TIMER, early, set_two, turns);
        declare(app, r, RRL_TRIGGER, RRL_TIMER, both);
        for (int i = 1; i < 3; i++) declare(app, r, RRL_EFFECT, RRL_MODE_RESET, mode[i]);
        /* a self transition by history, which at 1 undoes the others */
        r = app_on(app, reactor, RRL_TIMER, early, go, &keep);
        declare(app, r, RRL_EFFECT, RRL_MODE_HISTORY, mode[0]);
        static const char *names[] = {"reset 0", "reset 1", "reset 2"};
        for (int i = 0; i < 3; i++)
            on_in(app, reactor, mode[i], RRL_RESET, 0, say, (void *)(uintptr_t)names[i]);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "1.0 keep; 2.1 reset 2");
        check_stop_tag(app, 2, 2);
        app_free(app);
    }
}

static void a_self_transition_by_reset_begins_anew(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app), mode = add_mode(app, reactor, RRL_NONE, true);
        turn_t again = {mode, "again"};
        on_in(app, reactor, mode, RRL_STARTUP, 0, say, "startup");
        on_in(app, reactor, mode, RRL_RESET, 0, say, "reset");
        on_in(app, reactor, mode, RRL_TIMER, timer_in(app, mode, 2, 4), say, "tick");
        go_at(app, reactor, 3, RRL_MODE_RESET, &again);
        go_at(app, reactor, 5, RRL_MODE_RESET, &again);
        go_at(app, reactor, 6, RRL_MODE_HISTORY, &again);
        app->options.timeout_ns = 11;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 startup; 2.0 tick; 3.0 again; 3.1 reset; 5.0 tick; "
                                   "5.0 again; 5.1 reset; 6.0 again; 7.0 tick; 11.0 tick");
        app_free(app);
    }
}

static rrl_status_t try_modes(const here_t *h) {
    CHECK_EQ(rrl_mode_set(h->w, 0), RRL_E_UNDECLARED);
    CHECK_EQ(rrl_mode_set(h->w, 7), RRL_E_INVAL);
    CHECK(!rrl_mode_is_active(h->w, 7));
    return RRL_OK;
}

static void only_a_declared_transition_can_be_made(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app), mode = add_mode(app, reactor, RRL_NONE, true);
        app_on(app, reactor, RRL_STARTUP, 0, try_modes, NULL);
        app_go(app);
        CHECK_EQ(app->stats.n_reactions, 1);
        CHECK_EQ(rrl_mode_set(app->workers[0].w, mode), RRL_E_PHASE);
        CHECK(rrl_mode_is_active(app->workers[0].w, mode));
        CHECK(rrl_program_mode_is_active(app->p, mode));
        CHECK(!rrl_program_mode_is_active(app->p, mode + 1));
        app_free(app);
    }
}

/* ---- startup and shutdown -------------------------------------------------------------------- */

static void startup_and_shutdown_belong_to_modes_that_were_active(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app), mode[3];
        static const char *names[][3] = {{"startup 0", "shutdown 0", "reset 0"},
                                         {"startup 1", "shutdown 1", "reset 1"},
                                         {"startup 2", "shutdown 2", "reset 2"}};
        for (int i = 0; i < 3; i++) mode[i] = add_mode(app, reactor, RRL_NONE, i == 0);
        for (int i = 0; i < 3; i++) {
            on_in(app, reactor, mode[i], RRL_STARTUP, 0, say, (void *)(uintptr_t)names[i][0]);
            on_in(app, reactor, mode[i], RRL_SHUTDOWN, 0, say, (void *)(uintptr_t)names[i][1]);
            on_in(app, reactor, mode[i], RRL_RESET, 0, say, (void *)(uintptr_t)names[i][2]);
        }
        turn_t turns[] = {{mode[1], "to 1"}, {mode[0], "to 0"}, {mode[1], "to 1"}};
        go_at(app, reactor, 1, RRL_MODE_HISTORY, &turns[0]);
        go_at(app, reactor, 2, RRL_MODE_HISTORY, &turns[1]);
        go_at(app, reactor, 3, RRL_MODE_RESET, &turns[2]);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 startup 0; 1.0 to 1; 1.1 startup 1; 2.0 to 0; 3.0 to 1; "
                                   "3.1 reset 1; 3.2 shutdown 0; 3.2 shutdown 1");
        app_free(app);
    }
}

static void a_transition_at_the_last_tag_has_no_effect(void) {
    FOR_POOLS(pool) {
        two_modes_t t;
        add_two_modes(&t, pool);
        on_in(t.app, t.reactor, t.second, RRL_SHUTDOWN, 0, say, "shutdown");
        on_in(t.app, t.reactor, t.second, RRL_STARTUP, 0, say, "startup");
        go_away_and_back(&t, RRL_MODE_HISTORY);
        t.app->options.timeout_ns = 5;
        app_go(t.app);
        CHECK_STR_EQ(app_log(t.app), "5.0 away");
        app_free(t.app);
    }
}

static void shutdown_runs_in_all_of_them_when_a_body_raises(void) {
    FOR_POOLS(pool) {
        two_modes_t t;
        add_two_modes(&t, pool);
        on_in(t.app, t.reactor, t.first, RRL_SHUTDOWN, 0, say, "one");
        on_in(t.app, t.reactor, t.second, RRL_SHUTDOWN, 0, say, "two");
        go_away_and_back(&t, RRL_MODE_HISTORY);
        rrl_id_t r =
            app_on(t.app, app_reactor(t.app), RRL_TIMER, app_timer(t.app, 6, 0), fail, "body");
        (void)r;
        app_go(t.app);
        CHECK_STR_EQ(app_log(t.app), "5.0 away; 6.0 one; 6.0 two; 6.0 body fails");
        app_free(t.app);
    }
}

/* Counts in the state of its reactor, which nobody else may touch at once. */
static rrl_status_t count_up(const here_t *h) {
    int *state = h->arg;
    int seen = *state;
    for (int i = 0; i < 20000; i++) rrl_cpu_relax();
    *state = seen + 1;
    note(h, "%d", seen);
    return RRL_OK;
}

static void reactions_of_several_modes_run_one_by_one_at_the_end(void) {
    FOR_POOLS(pool) {
        enum { N = 2 };
        app_t *app = app_new_for(pool);
        int states[N] = {0};
        turn_t turns[N];
        for (int i = 0; i < N; i++) {
            rrl_id_t reactor = app_reactor(app), mode[3];
            for (int k = 0; k < 3; k++) mode[k] = add_mode(app, reactor, RRL_NONE, k == 0);
            /* declared in another order than the modes */
            on_in(app, reactor, mode[2], RRL_SHUTDOWN, 0, count_up, &states[i]);
            on_in(app, reactor, mode[0], RRL_SHUTDOWN, 0, count_up, &states[i]);
            turns[i] = (turn_t){mode[2], ""};
            go_at(app, reactor, 1, RRL_MODE_RESET, &turns[i]);
        }
        app_go(app);
        CHECK_STR_EQ(app_log(app), "1.0 ; 1.0 ; 1.1 0; 1.1 1; 1.1 0; 1.1 1");
        app_free(app);
    }
}

/* ---- nesting --------------------------------------------------------------------------------- */

/* A reactor with modes in the first mode of another: outer {a, b}, inner, in a: {x, y}. */
typedef struct nest {
    app_t *app;
    rrl_id_t outer, inner, a, b, x, y;
    turn_t to_a, to_b, to_x, to_y;
} nest_t;

static void add_nest(nest_t *n, const pool_t *pool) {
    *n = (nest_t){.app = app_new_for(pool)};
    n->outer = app_reactor(n->app);
    n->inner = app_reactor(n->app);
    n->a = add_mode(n->app, n->outer, RRL_NONE, true);
    n->b = add_mode(n->app, n->outer, RRL_NONE, false);
    n->x = add_mode(n->app, n->inner, n->a, true);
    n->y = add_mode(n->app, n->inner, n->a, false);
    n->to_a = (turn_t){n->a, "to a"};
    n->to_b = (turn_t){n->b, "to b"};
    n->to_x = (turn_t){n->x, "to x"};
    n->to_y = (turn_t){n->y, "to y"};
    on_in(n->app, n->inner, n->x, RRL_TIMER, timer_in(n->app, n->x, 0, 4), say, "x ticks");
    on_in(n->app, n->inner, n->y, RRL_TIMER, timer_in(n->app, n->y, 1, 4), say, "y ticks");
    on_in(n->app, n->inner, n->x, RRL_RESET, 0, say, "x reset");
    on_in(n->app, n->inner, n->y, RRL_RESET, 0, say, "y reset");
    on_in(n->app, n->inner, n->y, RRL_STARTUP, 0, say, "y startup");
    on_in(n->app, n->inner, n->a, RRL_RESET, 0, say, "a reset in it");
    n->app->options.timeout_ns = 20;
}

/* A transition of the inner reactor, which makes it only while it is active. */
static void go_inside(nest_t *n, int64_t time_ns, rrl_kind_t kind, turn_t *turn) {
    rrl_id_t timer = app_timer(n->app, time_ns, 0);
    rrl_id_t r = on_in(n->app, n->inner, n->a, RRL_TIMER, timer, go, turn);
    declare(n->app, r, RRL_EFFECT, kind, turn->mode);
}

static void leaving_a_mode_suspends_what_is_nested_in_it(void) {
    FOR_POOLS(pool) {
        nest_t n;
        add_nest(&n, pool);
        go_inside(&n, 2, RRL_MODE_HISTORY, &n.to_y); /* y: 3, then 7 */
        go_at(n.app, n.outer, 5, RRL_MODE_HISTORY, &n.to_b);
        go_inside(&n, 6, RRL_MODE_HISTORY, &n.to_x); /* is not made */
        go_at(n.app, n.outer, 9, RRL_MODE_HISTORY, &n.to_a);
        go_inside(&n, 16, RRL_MODE_HISTORY, &n.to_x); /* x was left at 2, 2 before its tick */
        app_go(n.app);
        CHECK_STR_EQ(app_log(n.app), "0.0 x ticks; 2.0 to y; 2.1 y startup; 3.0 y ticks; "
                                     "5.0 to b; 9.0 to a; 11.0 y ticks; 15.0 y ticks; "
                                     "16.0 to x; 18.0 x ticks");
        app_free(n.app);
    }
}

static void a_reset_goes_back_to_initial_modes_inside(void) {
    FOR_POOLS(pool) {
        nest_t n;
        add_nest(&n, pool);
        go_inside(&n, 2, RRL_MODE_RESET, &n.to_y);
        go_at(n.app, n.outer, 5, RRL_MODE_HISTORY, &n.to_b);
        go_at(n.app, n.outer, 9, RRL_MODE_RESET, &n.to_a);
        go_inside(&n, 11, RRL_MODE_HISTORY,
                  &n.to_y); /* was reset with a: begins anew, by history */
        app_go(n.app);
        CHECK_STR_EQ(app_log(n.app),
                     "0.0 x ticks; 2.0 to y; 2.1 y reset; 2.1 y startup; 3.0 y ticks; 5.0 to b; "
                     "9.0 to a; 9.1 x ticks; 9.1 x reset; 9.1 a reset in it; 11.0 to y; "
                     "12.0 y ticks; 16.0 y ticks; 20.0 y ticks");
        app_free(n.app);
    }
}

static void what_was_reset_while_it_was_not_current_is_not_told_so_later(void) {
    FOR_POOLS(pool) {
        nest_t n;
        add_nest(&n, pool);
        rrl_id_t reactor = app_reactor(n.app), core = add_mode(n.app, reactor, n.y, true);
        on_in(n.app, reactor, core, RRL_RESET, 0, say, "core reset");
        on_in(n.app, reactor, core, RRL_TIMER, timer_in(n.app, core, 1, 5), say, "core ticks");
        go_inside(&n, 2, RRL_MODE_HISTORY, &n.to_y);
        go_at(n.app, n.outer, 5, RRL_MODE_RESET, &n.to_a);
        go_inside(&n, 6, RRL_MODE_HISTORY, &n.to_y);
        n.app->options.timeout_ns = 8;
        app_go(n.app);
        CHECK_STR_EQ(app_log(n.app),
                     "0.0 x ticks; 2.0 to y; 2.1 y startup; 3.0 y ticks; 3.0 core ticks; "
                     "5.0 to a; 5.1 x ticks; 5.1 x reset; 5.1 a reset in it; 6.0 to y; "
                     "7.0 y ticks; 7.0 core ticks");
        app_free(n.app);
    }
}

static void an_inner_transition_with_an_outer_one_takes_effect_when_that_returns(void) {
    FOR_POOLS(pool) {
        for (int kind = 0; kind < 2; kind++) {
            nest_t n;
            add_nest(&n, pool);
            go_inside(&n, 2, RRL_MODE_RESET, &n.to_y); /* y: 3, then 7 */
            go_inside(&n, 4, RRL_MODE_HISTORY, &n.to_x);
            /* x, or y again by reset, becomes current, but is not active before 9 */
            if (kind) go_inside(&n, 5, RRL_MODE_RESET, &n.to_y);
            if (!kind) go_inside(&n, 5, RRL_MODE_HISTORY, &n.to_y);
            go_at(n.app, n.outer, 5, RRL_MODE_HISTORY, &n.to_b);
            go_at(n.app, n.outer, 9, RRL_MODE_HISTORY, &n.to_a);
            app_go(n.app);
            /* y was left at 4, 3 before its tick */
            CHECK_STR_EQ(app_log(n.app),
                         kind ? "0.0 x ticks; 2.0 to y; 2.1 y reset; 2.1 y startup; 3.0 y ticks; "
                                "4.0 to x; 5.0 to y; 5.0 to b; 9.0 to a; 9.1 y reset; "
                                "10.0 y ticks; 14.0 y ticks; 18.0 y ticks"
                              : "0.0 x ticks; 2.0 to y; 2.1 y reset; 2.1 y startup; 3.0 y ticks; "
                                "4.0 to x; 5.0 to y; 5.0 to b; 9.0 to a; 12.0 y ticks; "
                                "16.0 y ticks; 20.0 y ticks");
            app_free(n.app);
        }
    }
}

static void an_outer_reset_overrules_an_inner_transition(void) {
    FOR_POOLS(pool) {
        nest_t n;
        add_nest(&n, pool);
        go_inside(&n, 5, RRL_MODE_RESET, &n.to_y);
        go_at(n.app, n.outer, 5, RRL_MODE_RESET, &n.to_a); /* a self transition */
        app_go(n.app);
        CHECK_STR_EQ(app_log(n.app),
                     "0.0 x ticks; 4.0 x ticks; 5.0 to y; 5.0 to a; 5.1 x ticks; 5.1 x reset; "
                     "5.1 a reset in it; 9.0 x ticks; 13.0 x ticks; 17.0 x ticks");
        app_free(n.app);
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

static void suspended_events_do_not_keep_a_program_alive(void) {
    for (int64_t timeout_ns = 6; timeout_ns < 200; timeout_ns += 144) {
        FOR_POOLS(pool) {
            two_modes_t t;
            add_two_modes(&t, pool);
            plan_ahead_t ahead = {logical_in(t.app, t.first), 100, "ahead", {.serial = 0}};
            on_ahead(t.app, t.reactor, t.first, RRL_STARTUP, 0, &ahead);
            on_in(t.app, t.reactor, t.first, RRL_TIMER, timer_in(t.app, t.first, 120, 0), say, "");
            go_at(t.app, t.reactor, 5, RRL_MODE_HISTORY, &t.away);
            t.app->options.timeout_ns = timeout_ns;
            app_go(t.app);
            CHECK_STR_EQ(app_log(t.app), "0.0 ahead; 5.0 away");
            /* with the short timeout the event was dropped when it was scheduled */
            check_stop_tag(t.app, timeout_ns == 6 ? 6 : 5, timeout_ns == 6 ? 0 : 1);
            app_free(t.app);
        }
    }
}

static void a_suspended_timer_beyond_the_stop_tag_is_not_waited_for(void) {
    FOR_POOLS(pool) {
        two_modes_t t;
        add_two_modes(&t, pool);
        on_in(t.app, t.reactor, t.first, RRL_TIMER, timer_in(t.app, t.first, 0, 100), say, "tick");
        go_at(t.app, t.reactor, 5, RRL_MODE_HISTORY, &t.away);
        t.app->options.timeout_ns = 50;
        app_go(t.app);
        CHECK_STR_EQ(app_log(t.app), "0.0 tick; 5.0 away");
        check_stop_tag(t.app, 5, 1);
        app_free(t.app);
    }
}

static void an_event_that_comes_too_late_after_all_is_dropped(void) {
    FOR_POOLS(pool) {
        two_modes_t t;
        add_two_modes(&t, pool);
        plan_ahead_t in_time = {logical_in(t.app, t.first), 8, "ahead", {.serial = 0}},
                     late = {in_time.action, 9, "ahead", {.serial = 0}};
        on_ahead(t.app, t.reactor, t.first, RRL_STARTUP, 0, &in_time);
        on_ahead(t.app, t.reactor, t.first, RRL_STARTUP, 0, &late);
        on_in(t.app, t.reactor, t.first, RRL_ACTION, late.action, say, "comes");
        go_away_and_back(&t, RRL_MODE_HISTORY); /* 8 and 9 become 10 and 11 */
        t.app->options.timeout_ns = 10;
        app_go(t.app);
        CHECK_STR_EQ(app_log(t.app), "0.0 ahead; 0.0 ahead; 5.0 away; 7.0 back; 10.0 comes");
        CHECK_EQ(t.app->stats.n_dropped, 1);
        check_stop_tag(t.app, 10, 0);
        app_free(t.app);
    }
}

/* ---- actions --------------------------------------------------------------------------------- */

static rrl_status_t cancel_it(const here_t *h) {
    const plan_ahead_t *ahead = h->arg;
    rrl_status_t rc = rrl_cancel(h->w, ahead->action, ahead->handle.tag, ahead->handle.serial);
    note(h, rc == RRL_OK ? "cancelled" : "too late");
    return RRL_OK;
}

static void a_handle_stays_that_of_its_event(void) {
    static const rrl_kind_t kinds[] = {RRL_MODE_HISTORY, RRL_MODE_RESET};
    for (int i = 0; i < 2; i++) {
        FOR_POOLS(pool) {
            two_modes_t t;
            add_two_modes(&t, pool);
            app_t *app = t.app;
            /* both for local time 6; after a reset the second is one of another life, with the old tag */
            plan_ahead_t first = {logical_in(app, t.first), 14, "first", {.serial = 0}},
                         second = {first.action, 6, "second", {.serial = 0}};
            on_ahead(app, t.reactor, t.first, RRL_STARTUP, 0, &first);
            if (i) on_ahead(app, t.reactor, t.first, RRL_TIMER, app_timer(app, 8, 0), &second);
            on_in(app, t.reactor, t.first, RRL_ACTION, first.action, say, "comes");
            rrl_id_t r =
                on_in(app, t.reactor, t.first, RRL_TIMER, app_timer(app, 9, 0), cancel_it, &first);
            declare(app, r, RRL_EFFECT, RRL_ACTION, first.action);
            go_away_and_back(&t, kinds[i]);
            app_go(app);
            CHECK_STR_EQ(app_log(app), i ? "0.0 first; 5.0 away; 7.0 back; 8.0 second; "
                                           "9.0 too late; 14.0 comes"
                                         : "0.0 first; 5.0 away; 7.0 back; 9.0 cancelled");
            app_free(app);
        }
    }
}

static void spacing_goes_with_the_time_of_the_mode(void) {
    static const rrl_kind_t kinds[] = {RRL_MODE_HISTORY, RRL_MODE_RESET};
    for (int i = 0; i < 2; i++) {
        FOR_POOLS(pool) {
            two_modes_t t;
            add_two_modes(&t, pool);
            app_t *app = t.app;
            rrl_id_t action = action_in(app, t.first, (rrl_action_spec_t){.min_spacing_ns = 10});
            plan_ahead_t ahead = {action, 0, "ahead", {.serial = 0}};
            rrl_id_t r =
                on_ahead(app, t.reactor, t.first, RRL_TIMER, timer_in(app, t.first, 3, 0), &ahead);
            declare(app, r, RRL_TRIGGER, RRL_TIMER, app_timer(app, 8, 0));
            on_in(app, t.reactor, t.first, RRL_ACTION, action, say, "comes");
            go_away_and_back(&t, kinds[i]);
            app->options.timeout_ns = 16;
            app_go(app);
            /* by history: the event of (3, 1) counts as one of (5, 1) */
            CHECK_STR_EQ(app_log(app),
                         i ? "3.0 ahead; 3.1 comes; 5.0 away; 7.0 back; 8.0 ahead; 8.1 comes; "
                             "10.0 ahead"
                           : "3.0 ahead; 3.1 comes; 5.0 away; 7.0 back; 8.0 ahead; 15.0 comes");
            app_free(app);
        }
    }
}

/* Pushes for the first action at once, for the second with a delay. */
static rrl_status_t push_both(const here_t *h) {
    CHECK_EQ(push(h->app, 0, 0, 1, NULL), RRL_OK);
    CHECK_EQ(push(h->app, 1, 1000000000, 2, NULL), RRL_OK);
    return RRL_OK;
}

static void what_comes_from_outside_waits_in_the_time_of_the_mode(void) {
    static const rrl_kind_t kinds[] = {RRL_MODE_HISTORY, RRL_MODE_RESET};
    for (int i = 0; i < 2; i++) {
        FOR_POOLS(pool) {
            app_t *app = app_new_for(pool);
            rrl_id_t reactor = app_reactor(app);
            rrl_id_t first = add_mode(app, reactor, RRL_NONE, true),
                     second = add_mode(app, reactor, RRL_NONE, false);
            turn_t away = {second, "away"}, back = {first, "back"};
            rrl_action_spec_t spec = {
                .min_spacing_ns = RRL_NO_SPACING, .is_physical = true, .capacity = 2};
            for (int k = 0; k < 2; k++) {
                rrl_id_t action = action_in(app, first, spec);
                on_in(app, reactor, first, RRL_ACTION, action, say, k ? "second" : "first");
            }
            go_at(app, reactor, 5, RRL_MODE_RESET, &away);
            app_on(app, reactor, RRL_TIMER, app_timer(app, 6, 0), push_both, NULL);
            go_at(app, reactor, 7000, kinds[i], &back);
            app_go(app);
            CHECK_STR_EQ(app_log(app), i ? "5.0 away; 7000.0 back"
                                         : "5.0 away; 7000.0 back; 7000.1 first; "
                                           "1000007000.0 second");
            app_free(app);
        }
    }
}

/* ---- determinism ----------------------------------------------------------------------------- */

static uint64_t hash_of(const pool_t *pool, rrl_kind_t kind, bool swap) {
    two_modes_t t;
    add_two_modes(&t, pool);
    rrl_id_t third = add_mode(t.app, t.reactor, RRL_NONE, false);
    turn_t away = {swap ? third : t.second, "away"};
    go_at(t.app, t.reactor, 5, kind, &away);
    app_go(t.app);
    uint64_t hash = t.app->stats.trace_hash;
    app_free(t.app);
    return hash;
}

static void transitions_are_part_of_the_trace(void) {
    uint64_t by_reset = hash_of(app_pools, RRL_MODE_RESET, false);
    CHECK(by_reset != hash_of(app_pools, RRL_MODE_HISTORY, false));
    CHECK(by_reset != hash_of(app_pools, RRL_MODE_RESET, true));
    FOR_POOLS(pool) CHECK(by_reset == hash_of(pool, RRL_MODE_RESET, false));
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(a_light_goes_round),
        CHECK_CASE(time_stands_still_while_a_mode_is_left),
        CHECK_CASE(an_entry_by_reset_forgets_what_was_pending),
        CHECK_CASE(a_mode_is_left_and_entered_in_turn_for_ever),
        CHECK_CASE(the_last_of_several_transitions_wins),
        CHECK_CASE(a_self_transition_by_reset_begins_anew),
        CHECK_CASE(only_a_declared_transition_can_be_made),
        CHECK_CASE(startup_and_shutdown_belong_to_modes_that_were_active),
        CHECK_CASE(a_transition_at_the_last_tag_has_no_effect),
        CHECK_CASE(shutdown_runs_in_all_of_them_when_a_body_raises),
        CHECK_CASE(reactions_of_several_modes_run_one_by_one_at_the_end),
        CHECK_CASE(leaving_a_mode_suspends_what_is_nested_in_it),
        CHECK_CASE(a_reset_goes_back_to_initial_modes_inside),
        CHECK_CASE(what_was_reset_while_it_was_not_current_is_not_told_so_later),
        CHECK_CASE(an_inner_transition_with_an_outer_one_takes_effect_when_that_returns),
        CHECK_CASE(an_outer_reset_overrules_an_inner_transition),
        CHECK_CASE(suspended_events_do_not_keep_a_program_alive),
        CHECK_CASE(a_suspended_timer_beyond_the_stop_tag_is_not_waited_for),
        CHECK_CASE(an_event_that_comes_too_late_after_all_is_dropped),
        CHECK_CASE(a_handle_stays_that_of_its_event),
        CHECK_CASE(spacing_goes_with_the_time_of_the_mode),
        CHECK_CASE(what_comes_from_outside_waits_in_the_time_of_the_mode),
        CHECK_CASE(transitions_are_part_of_the_trace),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
