#include "body.h"

/* A reaction that follows a script: at its startup it schedules, then it says what comes. */
typedef struct script {
    rrl_id_t action;
    rrl_status_t (*start)(const here_t *h, rrl_id_t action);
} script_t;

static rrl_status_t follow(const here_t *h) {
    const script_t *script = h->arg;
    int64_t value = get_action(h, script->action);
    if (value == ABSENT) return script->start(h, script->action);
    note(h, "%lld", (long long)value);
    return RRL_OK;
}

static void add_script(app_t *app, script_t *script) {
    rrl_id_t r = app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 0), follow, script);
    declare(app, r, RRL_TRIGGER, RRL_ACTION, script->action);
    declare(app, r, RRL_EFFECT, RRL_ACTION, script->action);
}

static void check_script(rrl_action_spec_t spec, int64_t timeout_ns,
                         rrl_status_t (*start)(const here_t *h, rrl_id_t action),
                         const char *expected) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        script_t script = {app_action(app, spec), start};
        add_script(app, &script);
        app->options.timeout_ns = timeout_ns;
        app_go(app);
        CHECK_STR_EQ(app_log(app), expected);
        app_free(app);
    }
}

static void expect_tag(handle_t handle, int64_t time_ns, uint32_t microstep) {
    CHECK_EQ(handle.status, RRL_OK);
    CHECK_EQ(handle.tag.time_ns, time_ns);
    CHECK_EQ(handle.tag.microstep, microstep);
}

static const rrl_action_spec_t plain = {.min_spacing_ns = RRL_NO_SPACING};

static rrl_action_spec_t spaced(int64_t spacing_ns, rrl_policy_t policy) {
    return (rrl_action_spec_t){.min_spacing_ns = spacing_ns, .policy = policy};
}

/* ---- without spacing ------------------------------------------------------------------------- */

static rrl_status_t schedule_around(const here_t *h, rrl_id_t a) {
    expect_tag(schedule(h, a, 20, 1), 25, 0);
    expect_tag(schedule(h, a, 0, 2), 5, 0); /* delay 0, minimum 5 */
    expect_tag(schedule(h, a, 1, 3), 6, 0);
    return RRL_OK;
}

static void a_delay_adds_to_the_minimum(void) {
    rrl_action_spec_t spec = plain;
    spec.min_delay_ns = 5;
    check_script(spec, RRL_FOREVER, schedule_around, "5.0 2; 6.0 3; 25.0 1");
}

static rrl_status_t schedule_at_once(const here_t *h, rrl_id_t a) {
    expect_tag(schedule(h, a, 0, 1), 0, 1);
    return RRL_OK;
}

static void delay_zero_is_the_next_microstep(void) {
    check_script(plain, RRL_FOREVER, schedule_at_once, "0.1 1");
}

static rrl_status_t pile_up(const here_t *h, rrl_id_t a) {
    expect_tag(schedule(h, a, 10, 1), 10, 0);
    expect_tag(schedule(h, a, 10, 2), 10, 1);
    expect_tag(schedule(h, a, 0, 3), 0, 1);
    expect_tag(schedule(h, a, 0, 4), 0, 2);
    handle_t third = schedule(h, a, 10, 5);
    expect_tag(third, 10, 2);
    expect_tag(schedule(h, a, 10, 6), 10, 3);
    CHECK_EQ(rrl_cancel(h->w, a, third.tag, third.serial), RRL_OK);
    expect_tag(schedule(h, a, 10, 7), 10, 2); /* into the gap */
    return RRL_OK;
}

static void events_for_one_time_pile_up_in_microsteps(void) {
    check_script(plain, RRL_FOREVER, pile_up, "0.1 3; 0.2 4; 10.0 1; 10.1 2; 10.2 7; 10.3 6");
}

static rrl_status_t schedule_past_time(const here_t *h, rrl_id_t a) {
    CHECK_EQ(schedule(h, a, RRL_FOREVER, 1).status, RRL_E_OVERFLOW);
    CHECK_EQ(schedule(h, a, RRL_FOREVER - 5, 1).status, RRL_E_OVERFLOW);
    CHECK_EQ(schedule(h, a, -1, 1).status, RRL_E_INVAL);
    CHECK_EQ(schedule(h, 1000, 0, 1).status, RRL_E_INVAL);
    expect_tag(schedule(h, a, RRL_FOREVER - 6, 1), RRL_FOREVER - 1, 0);
    return RRL_OK;
}

static void sums_past_all_time_are_refused(void) {
    rrl_action_spec_t spec = plain;
    spec.min_delay_ns = 5;
    check_script(spec, RRL_FOREVER, schedule_past_time, "9223372036854775806.0 1");
}

static rrl_status_t schedule_near_the_end(const here_t *h, rrl_id_t a) {
    handle_t late;
    expect_tag(schedule(h, a, 10, 1), 10, 0);
    late = schedule(h, a, 10, 2); /* (10, 1): past the stop tag */
    CHECK_EQ(late.status, RRL_STOPPED);
    CHECK_EQ(late.serial, 0);
    CHECK_EQ(schedule(h, a, 11, 3).status, RRL_STOPPED);
    CHECK_EQ(schedule(h, a, RRL_FOREVER, 3).status, RRL_E_OVERFLOW);
    return RRL_OK;
}

static void an_event_at_the_stop_tag_runs_and_a_later_one_is_dropped(void) {
    check_script(plain, 10, schedule_near_the_end, "10.0 1");
}

static rrl_status_t schedule_at_the_end(const here_t *h) {
    CHECK_EQ(schedule(h, *(const rrl_id_t *)h->arg, 0, 1).status, RRL_STOPPED);
    note(h, "end");
    return RRL_OK;
}

static void what_shutdown_schedules_is_dropped(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t a = app_logical(app, 0), reactor = app_reactor(app);
        declare(app, app_on(app, reactor, RRL_SHUTDOWN, 0, schedule_at_the_end, &a), RRL_EFFECT,
                RRL_ACTION, a);
        app_on(app, reactor, RRL_ACTION, a, say, "never");
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.1 end");
        CHECK_EQ(app->stats.n_dropped, 1);
        app_free(app);
    }
}

static void a_dropped_event_makes_the_program_last_until_its_timeout(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        script_t script = {app_action(app, plain), schedule_near_the_end};
        add_script(app, &script);
        app->options.timeout_ns = 10;
        app_go(app);
        check_stop_tag(app, 10, 0);
        CHECK_EQ(app->stats.n_dropped, 2);
        app_free(app);
    }
}

/* ---- cancel ---------------------------------------------------------------------------------- */

static rrl_status_t cancel_some(const here_t *h, rrl_id_t a) {
    handle_t first = schedule(h, a, 3, 1), second = schedule(h, a, 5, 2),
             third = schedule(h, a, 100000000000, 3);
    CHECK_EQ(rrl_cancel(h->w, a, second.tag, second.serial), RRL_OK);
    CHECK_EQ(rrl_cancel(h->w, a, second.tag, second.serial), RRL_EMPTY);
    CHECK_EQ(rrl_cancel(h->w, a, first.tag, second.serial), RRL_EMPTY); /* another event's name */
    CHECK_EQ(rrl_cancel(h->w, a, third.tag, third.serial), RRL_OK);
    handle_t again = schedule(h, a, 5, 4); /* the same tag, another event */
    expect_tag(again, 5, 0);
    CHECK_EQ(rrl_cancel(h->w, a, second.tag, second.serial), RRL_EMPTY);
    return RRL_OK;
}

static void a_cancelled_event_does_not_happen_nor_does_its_tag(void) {
    for (int fast = 0; fast < 2; fast++) {
        FOR_POOLS(pool) {
            app_t *app = app_new_for(pool);
            script_t script = {app_action(app, plain), cancel_some};
            add_script(app, &script);
            app->options.fast = fast;
            app_go(app);
            CHECK_STR_EQ(app_log(app), "3.0 1; 5.0 4");
            check_stop_tag(app, 5, 1); /* starved: the cancelled one is not waited for */
            CHECK_EQ(app->stats.n_tags, 4);
            CHECK_EQ(app->stats.n_events, 3);
            app_free(app);
        }
    }
}

static rrl_status_t cancel_thousands(const here_t *h) {
    rrl_id_t a = *(const rrl_id_t *)h->arg;
    if (h->tag.time_ns == 200) CHECK_EQ(rrl_request_stop(h->w), RRL_OK);
    for (int i = 0; i < 50; i++) {
        handle_t handle = schedule(h, a, 1000000 + i, i);
        CHECK_EQ(rrl_cancel(h->w, a, handle.tag, handle.serial), RRL_OK);
    }
    return RRL_OK;
}

static void cancelled_events_do_not_pile_up(void) {
    app_t *app = app_new();
    rrl_id_t a = app_logical(app, 0);
    rrl_id_t r =
        app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), cancel_thousands, &a);
    declare(app, r, RRL_EFFECT, RRL_ACTION, a);
    app_run(app, 2);
    CHECK(rrl__event_queue_size(&app->p->enclaves[0].events) <= 300); /* of 10050 */
    check_stop_tag(app, 200, 1);
    app_free(app);
}

/* ---- spacing --------------------------------------------------------------------------------- */

static rrl_status_t aim_around_a_hundred(const here_t *h, rrl_id_t a) {
    expect_tag(schedule(h, a, 100, 1), 100, 0);
    expect_tag(schedule(h, a, 99, 2), 110, 0);
    expect_tag(schedule(h, a, 101, 3), 120, 0);
    expect_tag(schedule(h, a, 130, 4), 130, 0); /* just far enough */
    return RRL_OK;
}

static void deferred_events_queue_up_at_the_spacing(void) {
    check_script(spaced(10, RRL_DEFER), RRL_FOREVER, aim_around_a_hundred,
                 "100.0 1; 110.0 2; 120.0 3; 130.0 4");
}

static rrl_status_t aim_and_drop(const here_t *h, rrl_id_t a) {
    expect_tag(schedule(h, a, 100, 1), 100, 0);
    CHECK_EQ(schedule(h, a, 99, 2).status, RRL_STOPPED);
    CHECK_EQ(schedule(h, a, 109, 3).status, RRL_STOPPED);
    expect_tag(schedule(h, a, 110, 4), 110, 0);
    return RRL_OK;
}

static void early_events_may_be_dropped(void) {
    check_script(spaced(10, RRL_DROP), RRL_FOREVER, aim_and_drop, "100.0 1; 110.0 4");
}

static rrl_status_t aim_and_replace(const here_t *h, rrl_id_t a) {
    handle_t first = schedule(h, a, 100, 1), second = schedule(h, a, 99, 2);
    expect_tag(second, 100, 0);
    CHECK_EQ(second.serial, first.serial);
    handle_t third = schedule(h, a, 110, 3);
    expect_tag(third, 110, 0);
    CHECK_EQ(rrl_cancel(h->w, a, third.tag, third.serial), RRL_OK);
    expect_tag(schedule(h, a, 111, 4), 120, 0); /* a cancelled one counts, but cannot be replaced */
    return RRL_OK;
}

static void early_events_may_replace_the_value_of_the_last(void) {
    check_script(spaced(10, RRL_REPLACE), RRL_FOREVER, aim_and_replace, "100.0 2; 120.0 4");
}

static rrl_status_t aim_and_update(const here_t *h, rrl_id_t a) {
    handle_t first = schedule(h, a, 100, 1), second = schedule(h, a, 99, 2);
    expect_tag(second, 99, 0); /* unadjusted */
    CHECK_EQ(rrl_cancel(h->w, a, first.tag, first.serial), RRL_EMPTY);
    expect_tag(schedule(h, a, 99, 3), 99, 0); /* its own place has become free */
    expect_tag(schedule(h, a, 200, 4), 200, 0);
    /* past the stop tag: the call has no effect */
    CHECK_EQ(schedule(h, a, 205, 5).status, RRL_STOPPED);
    return RRL_OK;
}

static void early_events_may_take_the_place_of_the_last(void) {
    check_script(spaced(10, RRL_UPDATE), 201, aim_and_update, "99.0 3; 200.0 4");
}

static rrl_status_t aim_at_one_time(const here_t *h, rrl_id_t a) {
    expect_tag(schedule(h, a, 10, 1), 10, 0);
    expect_tag(schedule(h, a, 10, 2), 10, 1);
    expect_tag(schedule(h, a, 9, 3), 10, 2);
    expect_tag(schedule(h, a, 11, 4), 11, 0);
    return RRL_OK;
}

static void spacing_zero_still_keeps_the_order(void) {
    check_script(spaced(0, RRL_DEFER), RRL_FOREVER, aim_at_one_time,
                 "10.0 1; 10.1 2; 10.2 3; 11.0 4");
}

/* ---- all of it against a model --------------------------------------------------------------- */

/* As tests/reference.py has it: a list of pending events, and the tag given last. */
typedef struct model {
    rrl_action_spec_t spec;
    rrl_id_t action;
    struct {
        rrl_tag_t tag;
        int64_t value;
    } pending[400];
    uint32_t n;
    rrl_tag_t last;
    bool has_last;
} model_t;

static uint32_t model_find(const model_t *m, rrl_tag_t tag) {
    uint32_t i = 0;
    while (i < m->n && !rrl_tag_equal(m->pending[i].tag, tag)) i++;
    return i;
}

static void model_add(model_t *m, rrl_tag_t tag, int64_t value) {
    CHECK(m->n < 400);
    m->pending[m->n].tag = tag;
    m->pending[m->n++].value = value;
}

/* False: dropped. */
static bool model_schedule(model_t *m, rrl_tag_t now, rrl_tag_t stop, int64_t delay_ns,
                           int64_t value, rrl_tag_t *out_tag) {
    int64_t total_ns = delay_ns + m->spec.min_delay_ns, removed_value = 0;
    rrl_tag_t tag = total_ns ? (rrl_tag_t){now.time_ns + total_ns, 0}
                             : (rrl_tag_t){now.time_ns, now.microstep + 1};
    rrl_tag_t floor = now;
    bool has_removed = false;
    if (m->spec.min_spacing_ns != RRL_NO_SPACING && m->has_last) {
        int64_t earliest_ns = m->last.time_ns + m->spec.min_spacing_ns;
        bool is_early = earliest_ns > tag.time_ns ||
                        (earliest_ns == tag.time_ns && m->spec.min_spacing_ns == 0);
        uint32_t last = model_find(m, m->last);
        if (is_early && m->spec.policy == RRL_DROP) return false;
        if (is_early && m->spec.policy == RRL_REPLACE && last < m->n) {
            m->pending[last].value = value;
            *out_tag = m->last;
            return true;
        }
        if (is_early && m->spec.policy == RRL_UPDATE) {
            has_removed = last < m->n;
            if (has_removed) {
                removed_value = m->pending[last].value;
                m->pending[last] = m->pending[--m->n];
            }
        } else if (is_early) {
            tag = (rrl_tag_t){earliest_ns, 0};
            if (rrl_tag_is_before(floor, m->last)) floor = m->last;
        }
    }
    while (model_find(m, tag) < m->n || !rrl_tag_is_before(floor, tag)) tag.microstep++;
    if (rrl_tag_is_before(stop, tag)) {
        if (has_removed) model_add(m, m->last, removed_value);
        return false;
    }
    m->last = tag;
    m->has_last = true;
    model_add(m, tag, value);
    *out_tag = tag;
    return true;
}

enum { N_MODELS = 10, N_HANDLES = 16 };

typedef struct driver {
    model_t models[N_MODELS];
    struct {
        handle_t handle;
        uint32_t model;
    } handles[N_HANDLES];
    uint64_t random, n_runs;
    uint32_t n_left; /* calls */
    rrl_tag_t stop;
    int64_t next_value;
} driver_t;

static rrl_status_t drive(const here_t *h) {
    driver_t *d = h->arg;
    d->n_runs++;
    /* what is present is what the model has for this tag */
    for (uint32_t i = 0; i < N_MODELS; i++) {
        model_t *m = &d->models[i];
        uint32_t due = model_find(m, h->tag);
        CHECK_EQ(get_action(h, m->action), due < m->n ? m->pending[due].value : ABSENT);
        if (due < m->n) m->pending[due] = m->pending[--m->n];
        for (uint32_t k = 0; k < m->n; k++) CHECK(rrl_tag_is_before(h->tag, m->pending[k].tag));
    }
    for (uint32_t k = (uint32_t)(check_random(&d->random) % 5); k && d->n_left; k--, d->n_left--) {
        uint32_t slot = (uint32_t)(check_random(&d->random) % N_HANDLES);
        uint32_t i = (uint32_t)(check_random(&d->random) % N_MODELS);
        handle_t handle = d->handles[slot].handle;
        if (check_random(&d->random) % 4 == 0 && handle.serial) {
            model_t *m = &d->models[d->handles[slot].model];
            uint32_t there = model_find(m, handle.tag);
            rrl_status_t rc = rrl_cancel(h->w, m->action, handle.tag, handle.serial);
            if (there == m->n) CHECK_EQ(rc, RRL_EMPTY);
            if (rc == RRL_OK) m->pending[there] = m->pending[--m->n];
            continue;
        }
        int64_t delay_ns =
            check_random(&d->random) % 8 ? 1 + (int64_t)(check_random(&d->random) % 9) : 0;
        rrl_tag_t expected = {-1, 0};
        bool is_kept =
            model_schedule(&d->models[i], h->tag, d->stop, delay_ns, ++d->next_value, &expected);
        handle = schedule(h, d->models[i].action, delay_ns, d->next_value);
        CHECK_EQ(handle.serial != 0, is_kept);
        if (is_kept) CHECK(rrl_tag_equal(handle.tag, expected));
        d->handles[slot].handle = handle;
        d->handles[slot].model = i;
    }
    return RRL_OK;
}

static void actions_behave_as_the_model(void) {
    for (uint64_t seed = 1; seed <= 120 / CHECK_SLOWDOWN; seed++) {
        app_t *app = app_new();
        driver_t *d = calloc(1, sizeof *d);
        CHECK(d);
        d->random = seed * 0x9e3779b97f4a7c15u;
        d->n_left = 600;
        d->stop = (rrl_tag_t){60, 0};
        rrl_id_t r = app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), drive, d);
        for (uint32_t i = 0; i < N_MODELS; i++) {
            rrl_action_spec_t spec =
                spaced(i < 8 ? (i < 4 ? 0 : 3) : RRL_NO_SPACING, (rrl_policy_t)(i % 4));
            spec.min_delay_ns = (int64_t)(check_random(&d->random) % 2);
            d->models[i] = (model_t){.spec = spec, .action = app_action(app, spec)};
            declare(app, r, RRL_TRIGGER, RRL_ACTION, d->models[i].action);
            declare(app, r, RRL_EFFECT, RRL_ACTION, d->models[i].action);
        }
        app->options.timeout_ns = d->stop.time_ns;
        app_run(app, 1 + (uint32_t)(seed % 2));
        CHECK_EQ(app->stats.n_tags, d->n_runs); /* no tag was left empty by a cancel */
        for (uint32_t i = 0; i < N_MODELS; i++) CHECK_EQ(d->models[i].n, 0);
        free(d);
        app_free(app);
    }
}

/* ---- delays ---------------------------------------------------------------------------------- */

/* Sets its output at (t, 0) and, by an action without delay, at (t, 1). */
typedef struct doubler {
    rrl_id_t timer, action, out;
} doubler_t;

static rrl_status_t set_doubly(const here_t *h) {
    const doubler_t *d = h->arg;
    set(h, d->out, h->tag.time_ns * 10 + h->tag.microstep);
    if (timer_fired(h, d->timer)) schedule(h, d->action, 0, 1);
    return RRL_OK;
}

static void add_doubler(app_t *app, doubler_t *d, int64_t period_ns) {
    *d = (doubler_t){app_timer(app, 0, period_ns), app_logical(app, 0), app_port(app)};
    rrl_id_t r = app_on(app, app_reactor(app), RRL_TIMER, d->timer, set_doubly, d);
    declare(app, r, RRL_TRIGGER, RRL_ACTION, d->action);
    declare(app, r, RRL_EFFECT, RRL_ACTION, d->action);
    declare(app, r, RRL_EFFECT, RRL_PORT, d->out);
}

static void overlapping_values_all_arrive_in_order(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        doubler_t source;
        wire_t sink = {app_port(app), RRL_NONE, "got"};
        add_doubler(app, &source, 2);
        add_wire(app, &sink);
        connect(app, source.out, sink.in, 5);
        app->options.timeout_ns = 8;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "5.0 got 0; 5.1 got 1; 7.0 got 20; 7.1 got 21");
        /* the values of 4, 6 and (8, 0), and an action at (8, 1) */
        CHECK_EQ(app->stats.n_dropped, 6);
        app_free(app);
    }
}

static void a_delay_of_zero_is_one_microstep(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        doubler_t source;
        wire_t sink = {app_port(app), app_port(app), "a"}, next = {app_port(app), RRL_NONE, "b"};
        add_doubler(app, &source, 0);
        add_wire(app, &sink);
        add_wire(app, &next);
        connect(app, source.out, sink.in, 0);
        connect(app, sink.out, next.in, 0);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.1 a 0; 0.2 a 1; 0.2 b 1; 0.3 b 2");
        check_stop_tag(app, 0, 4);
        app_free(app);
    }
}

static void one_output_may_go_many_ways(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wire_t source = {.out = app_port(app)}, sinks[6];
        static const int64_t delays[6] = {RRL_NO_DELAY, 3, 3, 0, 7, RRL_NO_DELAY};
        rrl_id_t through = app_port(app), onward = app_port(app);
        rrl_id_t r =
            app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 1, 0), emit_one, &source);
        declare(app, r, RRL_EFFECT, RRL_PORT, source.out);
        for (int i = 0; i < 6; i++) {
            static const char *const names[6] = {"now", "three", "also", "zero", "seven", "onward"};
            sinks[i] = (wire_t){app_port(app), RRL_NONE, names[i]};
            add_wire(app, &sinks[i]);
            if (i < 5) connect(app, source.out, sinks[i].in, delays[i]);
        }
        connect(app, source.out, through, 2); /* and through a chain with two delays */
        connect(app, through, onward, RRL_NO_DELAY);
        connect(app, onward, sinks[5].in, 4);
        app_go(app);
        CHECK_STR_EQ(app_log(app),
                     "1.0 now 1; 1.1 zero 1; 4.0 three 1; 4.0 also 1; 7.0 onward 1; 8.0 seven 1");
        CHECK_EQ(app->stats.n_events, 6);
        app_free(app);
    }
}

static rrl_status_t grow(const here_t *h) {
    const wire_t *wire = h->arg;
    int64_t value = get(h, wire->in);
    if (value == ABSENT) {
        note(h, "%s -", wire->name);
    } else {
        note(h, "%s %lld", wire->name, (long long)value);
    }
    if (value < 3) set(h, wire->out, value == ABSENT ? 1 : value + 1);
    return RRL_OK;
}

static void a_loop_with_a_delay_goes_round(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wire_t wire = {app_port(app), app_port(app), "loop"};
        rrl_id_t r = app_on(app, app_reactor(app), RRL_PORT, wire.in, grow, &wire);
        declare(app, r, RRL_TRIGGER, RRL_STARTUP, 0);
        declare(app, r, RRL_EFFECT, RRL_PORT, wire.out);
        connect(app, wire.out, wire.in, 2);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 loop -; 2.0 loop 1; 4.0 loop 2; 6.0 loop 3");
        check_stop_tag(app, 6, 1);
        app_free(app);
    }
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(a_delay_adds_to_the_minimum),
        CHECK_CASE(delay_zero_is_the_next_microstep),
        CHECK_CASE(events_for_one_time_pile_up_in_microsteps),
        CHECK_CASE(sums_past_all_time_are_refused),
        CHECK_CASE(an_event_at_the_stop_tag_runs_and_a_later_one_is_dropped),
        CHECK_CASE(what_shutdown_schedules_is_dropped),
        CHECK_CASE(a_dropped_event_makes_the_program_last_until_its_timeout),
        CHECK_CASE(a_cancelled_event_does_not_happen_nor_does_its_tag),
        CHECK_CASE(cancelled_events_do_not_pile_up),
        CHECK_CASE(deferred_events_queue_up_at_the_spacing),
        CHECK_CASE(early_events_may_be_dropped),
        CHECK_CASE(early_events_may_replace_the_value_of_the_last),
        CHECK_CASE(early_events_may_take_the_place_of_the_last),
        CHECK_CASE(spacing_zero_still_keeps_the_order),
        CHECK_CASE(actions_behave_as_the_model),
        CHECK_CASE(overlapping_values_all_arrive_in_order),
        CHECK_CASE(a_delay_of_zero_is_one_microstep),
        CHECK_CASE(one_output_may_go_many_ways),
        CHECK_CASE(a_loop_with_a_delay_goes_round),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
