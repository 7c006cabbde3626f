#include "body.h"

static rrl_status_t say_unwinding(const here_t *h) {
    note(h, "end%s", rrl_worker_is_unwinding(h->w) ? " unwinding" : "");
    if (h->arg) set(h, ((const wire_t *)h->arg)->out, 1);
    return RRL_OK;
}

static void a_level_with_a_failure_finishes_and_then_only_shutdown_runs(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t shut_out = app_port(app), shut_in = app_port(app);
        wire_t source[3], sink[3], last = {.out = shut_out}, never = {shut_in, RRL_NONE, "never"};
        for (int i = 0; i < 3; i++) { /* level 0: three reactors; level 1: what they feed */
            source[i] = (wire_t){.out = app_port(app)};
            sink[i] = (wire_t){app_port(app), RRL_NONE, "sink"};
            connect(app, source[i].out, sink[i].in, RRL_NO_DELAY);
            rrl_id_t r = app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 3), emit_one,
                                &source[i]);
            declare(app, r, RRL_EFFECT, RRL_PORT, source[i].out);
            add_wire(app, &sink[i]);
        }
        for (int i = 0; i < 2; i++) {
            app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 3, 0), fail, i ? "b" : "a");
        }
        rrl_id_t closing = app_on(app, app_reactor(app), RRL_SHUTDOWN, 0, say_unwinding, &last);
        declare(app, closing, RRL_EFFECT, RRL_PORT, shut_out);
        connect(app, shut_out, shut_in, RRL_NO_DELAY);
        add_wire(app, &never);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 sink 1; 0.0 sink 1; 0.0 sink 1; 3.0 a fails; 3.0 b fails; "
                                   "3.0 end unwinding");
        check_stop_tag(app, 3, 0);
        /* the timers of both tags, three sinks, two failures, one end */
        CHECK_EQ(app->stats.n_reactions, 12);
        app_free(app);
    }
}

static void shutdown_reactions_that_have_run_do_not_run_again(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t first = app_reactor(app), second = app_reactor(app);
        app_on(app, first, RRL_SHUTDOWN, 0, fail, "first");        /* level 0 */
        app_on(app, first, RRL_SHUTDOWN, 0, say_unwinding, NULL);  /* level 1: still to come */
        app_on(app, second, RRL_SHUTDOWN, 0, say_unwinding, NULL); /* level 0 */
        rrl_id_t both = app_on(app, second, RRL_TIMER, app_timer(app, 4, 0), fail, "timer");
        declare(app, both, RRL_TRIGGER, RRL_SHUTDOWN, 0); /* level 1 */
        app->options.timeout_ns = 4;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "4.0 first fails; 4.0 end unwinding; 4.0 end; 4.0 timer fails");
        check_stop_tag(app, 4, 0);
        app_free(app);
    }
}

static rrl_status_t schedule_two(const here_t *h) {
    note(h, "tick");
    CHECK_EQ(schedule(h, 0, 0, 1).status, RRL_OK);
    CHECK_EQ(schedule(h, 0, 7, 2).status, RRL_OK);
    CHECK_EQ(rrl_request_stop(h->w), RRL_OK);
    return RRL_OK;
}

static void what_is_pending_at_a_failure_is_given_back(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app), timer = app_timer(app, 0, 1),
                 action = app_logical(app, 0);
        wire_t source = {.out = app_port(app)};
        rrl_id_t in = app_port(app);
        rrl_id_t r = app_on(app, reactor, RRL_TIMER, timer, schedule_two, NULL);
        declare(app, r, RRL_EFFECT, RRL_ACTION, action);
        r = app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), emit_one, &source);
        declare(app, r, RRL_EFFECT, RRL_PORT, source.out);
        connect(app, source.out, in, 5);
        app_on(app, reactor, RRL_TIMER, timer, fail, "body");
        app_on(app, reactor, RRL_SHUTDOWN, 0, fail, "end");
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 tick; 0.0 body fails; 0.0 end fails");
        app_free(app);
    }
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(a_level_with_a_failure_finishes_and_then_only_shutdown_runs),
        CHECK_CASE(shutdown_reactions_that_have_run_do_not_run_again),
        CHECK_CASE(what_is_pending_at_a_failure_is_given_back),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
