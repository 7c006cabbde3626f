#include "body.h"

static rrl_status_t hear(const here_t *h) {
    note(h, "%lld", (long long)get_action(h, (rrl_id_t)(uintptr_t)h->arg));
    return RRL_OK;
}

static rrl_status_t feed(app_t *app, rrl_id_t action, int64_t time_ns, uint32_t microstep,
                         int64_t value) {
    payload_t *payload = payload_new(app, value);
    rrl_status_t rc =
        rrl_program_feed(app->p, RRL_ACTION, action, (rrl_tag_t){time_ns, microstep}, payload);
    if (rc) payload_drop(payload);
    return rc;
}

static app_t *replayed(const pool_t *pool, rrl_id_t *out_action) {
    app_t *app = app_new_for(pool);
    app->options.replay = true;
    *out_action = app_physical(app, 1);
    app_on(app, app_reactor(app), RRL_ACTION, *out_action, hear, (void *)(uintptr_t)*out_action);
    return app;
}

static void fed_events_come_at_their_tags(void) {
    FOR_POOLS(pool) {
        rrl_id_t action;
        app_t *app = replayed(pool, &action);
        app_on(app, 0, RRL_SHUTDOWN, 0, say, "end");
        app_create(app, pool->n_workers);
        CHECK_EQ(feed(app, action, 5, 0, 1), RRL_OK);
        CHECK_EQ(feed(app, action, 5, 3, 2), RRL_OK);
        CHECK_EQ(feed(app, action, 9, 0, 3), RRL_OK);
        CHECK_EQ(rrl_program_feed_stop(app->p, 0, (rrl_tag_t){20, 2}), RRL_OK);
        CHECK_EQ(push(app, action, 0, 7, NULL), RRL_EMPTY);
        CHECK_EQ(rrl_program_start(app->p), RRL_OK);
        CHECK_EQ(push(app, action, 0, 8, NULL), RRL_EMPTY);
        app_finish(app);
        CHECK_STR_EQ(app_log(app), "5.0 1; 5.3 2; 9.0 3; 20.2 end");
        CHECK_EQ(app->stats.n_events, 3);
        check_stop_tag(app, 20, 2);
        app_free(app);
    }
}

static rrl_status_t schedule_beyond(const here_t *h) {
    handle_t handle = schedule(h, (rrl_id_t)(uintptr_t)h->arg, 50, 1);
    CHECK_EQ(handle.status, RRL_OK);
    CHECK_EQ(handle.tag.time_ns, 50);
    return RRL_OK;
}

/* As in the recorded run, where nobody knew of it yet. */
static void a_fed_stop_is_not_known_before_it_comes(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        app->options.replay = true;
        rrl_id_t action = app_logical(app, 0), reactor = app_reactor(app);
        rrl_id_t start =
            app_on(app, reactor, RRL_STARTUP, 0, schedule_beyond, (void *)(uintptr_t)action);
        declare(app, start, RRL_EFFECT, RRL_ACTION, action);
        app_on(app, reactor, RRL_ACTION, action, say, "never");
        app_create(app, pool->n_workers);
        CHECK_EQ(rrl_program_feed_stop(app->p, 0, (rrl_tag_t){10, 0}), RRL_OK);
        CHECK_EQ(rrl_program_start(app->p), RRL_OK);
        app_finish(app);
        CHECK_STR_EQ(app_log(app), "");
        check_stop_tag(app, 10, 0);
        app_free(app);
    }
}

static void only_what_can_come_is_fed(void) {
    const pool_t *pool = app_pools;
    rrl_id_t action;
    app_t *app = replayed(pool, &action);
    rrl_id_t logical = app_logical(app, 0);
    app_create(app, 1);
    CHECK_EQ(feed(app, action, 1, 0, 1), RRL_OK);
    CHECK_EQ(feed(app, action, 1, 0, 1), RRL_E_INVAL);
    CHECK_EQ(feed(app, action, -1, 0, 1), RRL_E_INVAL);
    CHECK_EQ(feed(app, logical, 2, 0, 1), RRL_E_INVAL);
    CHECK_EQ(feed(app, logical + 1, 2, 0, 1), RRL_E_INVAL);
    CHECK_EQ(rrl_program_feed_miss(app->p, 99, (rrl_tag_t){1, 0}), RRL_E_INVAL);
    CHECK_EQ(rrl_program_feed_stop(app->p, 1, (rrl_tag_t){1, 0}), RRL_E_INVAL);
    CHECK_EQ(rrl_program_start(app->p), RRL_OK);
    CHECK_EQ(feed(app, action, 3, 0, 1), RRL_E_PHASE);
    app_finish(app);
    CHECK_STR_EQ(app_log(app), "1.0 1");
    app_free(app);

    app = app_new();
    action = app_physical(app, 1);
    app_create(app, 1);
    CHECK_EQ(feed(app, action, 1, 0, 1), RRL_E_PHASE);
    CHECK_EQ(rrl_program_feed_stop(app->p, 0, (rrl_tag_t){1, 0}), RRL_E_INVAL);
    CHECK_EQ(rrl_program_start(app->p), RRL_OK);
    app_finish(app);
    app_free(app);
}

static void a_fed_stop_may_come_at_the_first_tag(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        app->options.replay = true;
        rrl_id_t reactor = app_reactor(app);
        app_on(app, reactor, RRL_STARTUP, 0, say, "start");
        app_on(app, reactor, RRL_SHUTDOWN, 0, say, "end");
        app_create(app, pool->n_workers);
        CHECK_EQ(rrl_program_feed_stop(app->p, 0, (rrl_tag_t){0, 0}), RRL_OK);
        CHECK_EQ(rrl_program_start(app->p), RRL_OK);
        app_finish(app);
        CHECK_STR_EQ(app_log(app), "0.0 start; 0.0 end");
        CHECK_EQ(app->stats.n_tags, 1);
        app_free(app);
    }
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(fed_events_come_at_their_tags),
        CHECK_CASE(a_fed_stop_is_not_known_before_it_comes),
        CHECK_CASE(only_what_can_come_is_fed),
        CHECK_CASE(a_fed_stop_may_come_at_the_first_tag),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
