#include "body.h"

#include <sys/wait.h>
#include <unistd.h>

#define MS ((int64_t)1000000)

/* ---- beginning and end ----------------------------------------------------------------------- */

static void a_program_without_events_starves_at_once(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app);
        app_on(app, reactor, RRL_STARTUP, 0, say, "start");
        app_on(app, reactor, RRL_SHUTDOWN, 0, say, "end");
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 start; 0.1 end");
        check_stop_tag(app, 0, 1);
        CHECK_EQ(app->stats.n_tags, 2);
        CHECK_EQ(app->stats.n_reactions, 2);
        CHECK_EQ(app->stats.n_events, 0);
        app_free(app);
    }
}

static void a_program_may_be_empty(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        app_go(app);
        check_stop_tag(app, 0, 1);
        CHECK_EQ(rrl_program_n_levels(app->p), 0);
        CHECK_EQ(rrl_program_level(app->p, 0), RRL_NONE);
        app_free(app);
    }
}

static void timeout_zero_is_startup_and_shutdown_at_one_tag(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app);
        rrl_id_t both = app_on(app, reactor, RRL_STARTUP, 0, say, "both");
        declare(app, both, RRL_TRIGGER, RRL_SHUTDOWN, 0);
        app_on(app, reactor, RRL_TIMER, app_timer(app, 0, 1), say, "tick");
        app_on(app, reactor, RRL_SHUTDOWN, 0, say, "end");
        app->options.timeout_ns = 0;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 both; 0.0 tick; 0.0 end"); /* each once */
        check_stop_tag(app, 0, 0);
        app_free(app);
    }
}

static void timers_fire_at_exact_multiples_until_the_timeout(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app);
        app_on(app, reactor, RRL_TIMER, app_timer(app, 2, 5), say, "tick");
        app_on(app, reactor, RRL_TIMER, app_timer(app, 0, 0), say, "once");
        app_on(app, reactor, RRL_SHUTDOWN, 0, say, "end");
        app->options.timeout_ns = 12;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 once; 2.0 tick; 7.0 tick; 12.0 tick; 12.0 end");
        CHECK_EQ(app->stats.n_events, 4);
        CHECK_EQ(app->stats.n_tags, 4);
        app_free(app);
    }
}

static void a_timeout_between_two_events_is_a_tag_of_its_own(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app);
        app_on(app, reactor, RRL_TIMER, app_timer(app, 0, 10), say, "tick");
        app_on(app, reactor, RRL_SHUTDOWN, 0, say, "end");
        app->options.timeout_ns = 15;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 tick; 10.0 tick; 15.0 end");
        app_free(app);
    }
}

static void starvation_does_not_wait_for_the_timeout(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 7, 0), say, "once");
        app->options.timeout_ns = 100;
        app_go(app);
        check_stop_tag(app, 7, 1);
        app_free(app);
    }
}

static void a_timer_whose_next_time_is_past_all_time_fires_once(void) {
    app_t *app = app_new();
    app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 7, RRL_FOREVER - 7), say, "once");
    app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, RRL_FOREVER - 1, 0), say, "last");
    app_run(app, 1);
    check_stop_tag(app, RRL_FOREVER - 1, 1);
    CHECK_EQ(app->stats.n_tags, 4);
    app_free(app);
}

static rrl_status_t check_timers(const here_t *h) {
    note(h, "%d%d", timer_fired(h, 0), timer_fired(h, 1));
    return RRL_OK;
}

static void timers_of_one_tag_trigger_once(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t r = app_reaction(app, app_reactor(app), check_timers, NULL);
        declare(app, r, RRL_TRIGGER, RRL_TIMER, app_timer(app, 0, 2));
        declare(app, r, RRL_TRIGGER, RRL_TIMER, app_timer(app, 0, 3));
        app->options.timeout_ns = 4;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 11; 2.0 10; 3.0 01; 4.0 10");
        app_free(app);
    }
}

static void keepalive_lasts_until_the_timeout(void) {
    for (int fast = 0; fast < 2; fast++) {
        FOR_POOLS(pool) {
            app_t *app = app_new_for(pool);
            app_on(app, app_reactor(app), RRL_STARTUP, 0, say, "start");
            app->options.keepalive = true;
            app->options.fast = fast;
            app->options.timeout_ns = MS;
            app_go(app);
            check_stop_tag(app, MS, 0);
            if (!fast) CHECK(app->stats.wall_ns >= MS);
            app_free(app);
        }
    }
}

static void an_idle_program_can_be_stopped_from_outside(void) {
    for (int fast = 0; fast < 2; fast++) {
        FOR_POOLS(pool) {
            app_t *app = app_new_for(pool);
            rrl_id_t reactor = app_reactor(app);
            app_on(app, reactor, RRL_TIMER, app_timer(app, 0, 0), say, "start");
            app_on(app, reactor, RRL_SHUTDOWN, 0, say, "end");
            app->options.keepalive = true;
            app->options.fast = fast;
            app_start(app, pool->n_workers);
            CHECK_EQ(rrl_program_wait(app->p, MS), RRL_TIMEOUT);
            rrl_program_request_stop(app->p);
            app_finish(app);
            CHECK_STR_EQ(app_log(app), "0.0 start; 0.1 end");
            app_free(app);
        }
    }
}

static void a_wait_for_a_far_tag_can_be_stopped_from_outside(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app);
        app_on(app, reactor, RRL_TIMER, app_timer(app, RRL_FOREVER - 1, 0), say, "never");
        app_on(app, reactor, RRL_SHUTDOWN, 0, say, "end");
        app->options.fast = false;
        app_create(app, pool->n_workers);
        rrl_program_request_stop(app->p); /* before the start */
        CHECK_EQ(rrl_program_start(app->p), RRL_OK);
        app_finish(app);
        CHECK_STR_EQ(app_log(app), "0.1 end");
        app_free(app);
    }
}

static void an_open_producer_keeps_the_program(void) {
    for (int fast = 0; fast < 2; fast++) {
        FOR_POOLS(pool) {
            app_t *app = app_new_for(pool);
            app_on(app, app_reactor(app), RRL_STARTUP, 0, say, "start");
            app->options.fast = fast;
            app_create(app, pool->n_workers);
            rrl_program_hold(app->p, RRL_NONE, true);
            rrl_program_hold(app->p, RRL_NONE, true);
            CHECK_EQ(rrl_program_start(app->p), RRL_OK);
            CHECK_EQ(rrl_program_wait(app->p, MS / 2), RRL_TIMEOUT);
            rrl_program_hold(app->p, RRL_NONE, false);
            CHECK_EQ(rrl_program_wait(app->p, MS / 2), RRL_TIMEOUT);
            rrl_program_hold(app->p, RRL_NONE, false);
            app_finish(app);
            check_stop_tag(app, 0, 1);
            app_free(app);
        }
    }
}

static void a_fast_program_with_a_producer_waits_for_its_timeout(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        app_on(app, app_reactor(app), RRL_STARTUP, 0, say, "start");
        app->options.timeout_ns = 2 * MS;
        app_create(app, pool->n_workers);
        rrl_program_hold(app->p, RRL_NONE, true);
        CHECK_EQ(rrl_program_start(app->p), RRL_OK);
        app_finish(app);
        check_stop_tag(app, 2 * MS, 0);
        CHECK(app->stats.wall_ns >= 2 * MS);
        app_free(app);
    }
}

static rrl_status_t check_clock(const here_t *h) {
    CHECK(rrl_program_elapsed_ns(h->app->p) >= h->tag.time_ns);
    return RRL_OK;
}

static void no_tag_comes_before_its_time(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app);
        app_on(app, reactor, RRL_TIMER, app_timer(app, 0, MS / 2), check_clock, NULL);
        app->options.fast = false;
        app->options.timeout_ns = 2 * MS;
        app_go(app);
        CHECK_EQ(app->stats.n_events, 5);
        CHECK(app->stats.wall_ns >= 2 * MS);
        app_free(app);
    }
}

/* ---- stopping from inside -------------------------------------------------------------------- */

static rrl_status_t stop_with_an_event_left(const here_t *h) {
    note(h, "%s", timer_fired(h, 0) ? "tick" : "again");
    if (!timer_fired(h, 0)) return RRL_OK;
    CHECK_EQ(schedule(h, 0, 0, 1).status, RRL_OK);
    CHECK_EQ(schedule(h, 0, 0, 2).status, RRL_OK); /* one microstep too far */
    CHECK_EQ(rrl_request_stop(h->w), RRL_OK);
    CHECK_EQ(rrl_request_stop(h->w), RRL_OK);
    return RRL_OK;
}

static void a_request_stops_one_microstep_later_with_what_is_due_there(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t reactor = app_reactor(app);
        rrl_id_t r =
            app_on(app, reactor, RRL_TIMER, app_timer(app, 5, 5), stop_with_an_event_left, NULL);
        rrl_id_t action = app_logical(app, 0);
        declare(app, r, RRL_TRIGGER, RRL_ACTION, action);
        declare(app, r, RRL_EFFECT, RRL_ACTION, action);
        app_on(app, reactor, RRL_SHUTDOWN, 0, say_and_stop, "end"); /* ignored there */
        app_go(app);
        CHECK_STR_EQ(app_log(app), "5.0 tick; 5.1 again; 5.1 end");
        app_free(app);
    }
}

static void a_request_never_raises_the_stop_tag(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 20, 1), say_and_stop, "tick");
        app->options.timeout_ns = 20;
        app_go(app);
        check_stop_tag(app, 20, 0);
        app_free(app);
    }
}

/* ---- the ends of the numbers ----------------------------------------------------------------- */

static rrl_status_t leap_to_the_last_microstep(const here_t *h) {
    const char *asks = h->arg;
    h->w->enclave->tag.microstep = UINT32_MAX; /* as if 2^32 microsteps had passed */
    if (*asks == 'i') CHECK_EQ(rrl_request_stop(h->w), RRL_OK);
    if (*asks == 'o') rrl_program_request_stop(h->app->p);
    return RRL_OK;
}

static void after_the_last_microstep_comes_the_next_nanosecond(void) {
    static const char *const ways[] = {"starves", "inside", "outside"};
    for (int i = 0; i < 3; i++) {
        app_t *app = app_new();
        rrl_id_t reactor = app_reactor(app);
        app_on(app, reactor, RRL_TIMER, app_timer(app, 3, 0), leap_to_the_last_microstep,
               (void *)ways[i]);
        app_on(app, reactor, RRL_SHUTDOWN, 0, say, "end");
        app->options.keepalive = i != 0;
        app_run(app, 1);
        CHECK_STR_EQ(app_log(app), "4.0 end");
        app_free(app);
    }
}

static void a_delay_past_all_time_ends_the_program(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t in = app_port(app), out = app_port(app);
        wire_t wire = {.out = out};
        rrl_id_t r =
            app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 5, 0), emit_one, &wire);
        declare(app, r, RRL_EFFECT, RRL_PORT, out);
        app_on(app, app_reactor(app), RRL_PORT, in, say, "never");
        app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 5, 1), say, "goes on");
        app_on(app, app_reactor(app), RRL_SHUTDOWN, 0, say, "end");
        connect(app, out, in, RRL_FOREVER - 5);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "5.0 goes on; 5.1 end");
        CHECK_EQ(app->stats.n_dropped, 1);
        CHECK_EQ(app->n_overflows, 1);
        app_overflow_t told = app->overflows[0];
        CHECK(told.kind == RRL_PORT && told.id == in && told.tag.time_ns == 5);
        app_free(app);
    }
}

/* ---- reports --------------------------------------------------------------------------------- */

static void a_report_adds_up(void) {
    FOR_POOLS(pool) {
        enum { N = 6 };
        app_t *app = app_new_for(pool);
        uint64_t n_run = 0;
        rrl_stats_t *s = &app->stats;
        for (int i = 0; i < N; i++)
            app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), NULL, NULL);
        app->options.timeout_ns = 9;
        app->options.profile = true;
        app_go(app);
        CHECK_EQ(s->n_reactions, N * 10);
        CHECK_EQ(s->n_events, N * 10);
        CHECK_EQ(s->n_tags, 10);
        CHECK_EQ(s->n_dropped, 0);
        CHECK(s->wall_ns > 0);
        for (rrl_id_t r = 0; r < N; r++) {
            CHECK_EQ(rrl_program_reaction_count(app->p, r), 10);
            CHECK(rrl_program_reaction_ns(app->p, r) >= 0);
            CHECK_EQ(rrl_program_level(app->p, r), 0);
            CHECK_EQ(rrl_program_home(app->p, r),
                     pool->n_workers < N ? r * pool->n_workers / N : r);
        }
        CHECK_EQ(rrl_program_reaction_count(app->p, N), 0);
        for (uint32_t w = 0; w < pool->n_workers; w++) {
            rrl_worker_stats_t ws;
            rrl_program_worker_stats(app->p, w, &ws);
            CHECK(ws.n_stolen <= ws.n_reactions && ws.parked_ns >= 0 && ws.spinning_ns >= 0);
            CHECK_EQ(ws.cpu, -1);
            n_run += ws.n_reactions;
        }
        CHECK_EQ(n_run, s->n_reactions);
        CHECK_EQ(rrl_program_running(app->p, 0), RRL_NONE);
        CHECK_EQ(rrl_program_time_ns(app->p), 9);
        app_free(app);
    }
}

static uint64_t allocations_of(uint32_t n_workers, app_mode_t mode, int64_t timeout_ns) {
    app_t *app = app_new();
    wire_t wires[8];
    app->mode = mode;
    for (int i = 0; i < 8; i++) {
        wires[i] = (wire_t){.in = app_port(app), .out = app_port(app)};
        rrl_id_t r =
            app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), emit_one, &wires[i]);
        declare(app, r, RRL_EFFECT, RRL_PORT, wires[i].out);
        app_on(app, app_reactor(app), RRL_PORT, wires[i].in, NULL, NULL);
        connect(app, wires[i].out, wires[i].in, i % 2 ? RRL_NO_DELAY : i);
    }
    app->options.timeout_ns = timeout_ns;
    app_run(app, n_workers);
    uint64_t n = app->stats.n_allocations;
    app_free(app);
    return n;
}

static void nothing_is_allocated_in_a_steady_state(void) {
    CHECK_EQ(allocations_of(1, MODE_NATURAL, 100), allocations_of(1, MODE_NATURAL, 1000));
    CHECK(allocations_of(4, MODE_PARK, 300) < 20);
    CHECK(allocations_of(4, MODE_SPIN, 300) < 20);
}

static void workers_are_pinned_where_it_is_allowed(void) {
    int32_t *allowed;
    size_t n;
    CHECK_EQ(rrl__allowed_cpus(&allowed, &n), RRL_OK);
    const int32_t cpus[3] = {allowed[n - 1], 1 << 20, allowed[0]};
    app_t *app = app_new();
    app->options.cpus = cpus;
    app_run(app, 3);
    for (uint32_t i = 0; i < 3; i++) {
        rrl_worker_stats_t ws;
        rrl_program_worker_stats(app->p, i, &ws);
        CHECK_EQ(ws.cpu, i == 1 ? -1 : cpus[i]);
    }
    app_free(app);
    free(allowed);
}

/* ---- phases ---------------------------------------------------------------------------------- */

static void a_program_runs_once(void) {
    app_t *app = app_new();
    rrl_id_t action = app_physical(app, 1);
    app->options.keepalive = true;
    app_create(app, 2);
    CHECK_EQ(rrl_program_wait(app->p, 0), RRL_TIMEOUT);
    CHECK_EQ(rrl_program_join(app->p), RRL_E_PHASE);
    CHECK_EQ(push(app, action, 0, 1, NULL), RRL_E_PHASE);
    CHECK_EQ(rrl_program_start(app->p), RRL_OK);
    CHECK_EQ(rrl_program_start(app->p), RRL_E_PHASE);
    CHECK_EQ(rrl_program_join(app->p), RRL_E_PHASE);
    rrl_program_request_stop(app->p);
    app_finish(app);
    CHECK_EQ(rrl_program_start(app->p), RRL_E_PHASE);
    CHECK_EQ(push(app, action, 0, 1, NULL), RRL_STOPPED);
    CHECK_EQ(rrl_wait_for_room(app->p, action, RRL_FOREVER), RRL_STOPPED);
    CHECK_EQ(rrl_load_relaxed_u64(&app->n_live), 0);
    app_free(app);
}

static void a_program_that_was_never_started_can_go(void) {
    app_t *app = app_new();
    app_create(app, 3);
    app_free(app);
    rrl_program_destroy(NULL);
    rrl_graph_destroy(NULL);
}

static void programs_run_side_by_side(void) {
    enum { N = 4 };
    app_t *apps[N];
    for (int i = 0; i < N; i++) {
        apps[i] = app_new();
        apps[i]->mode = i % 2 ? MODE_SPIN : MODE_NATURAL;
        for (int k = 0; k < 4; k++)
            app_on(apps[i], app_reactor(apps[i]), RRL_TIMER, app_timer(apps[i], 0, 1), NULL, NULL);
        apps[i]->options.timeout_ns = 20 + i;
        app_start(apps[i], 2);
    }
    for (int i = N - 1; i >= 0; i--) {
        app_finish(apps[i]);
        check_stop_tag(apps[i], 20 + i, 0);
        CHECK_EQ(apps[i]->stats.n_reactions, 4 * (21 + i));
        app_free(apps[i]);
    }
}

static void a_forked_child_has_no_workers(void) {
    app_t *app = app_new();
    rrl_id_t action = app_physical(app, 1);
    int status = -1;
    app->options.keepalive = true;
    app_start(app, 2);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        rrl_tag_t tag;
        rrl_program_forget_threads(app->p);
        bool ok = rrl_program_wait(app->p, RRL_FOREVER) == RRL_STOPPED &&
                  rrl_program_join(app->p) == RRL_STOPPED &&
                  rrl_program_start(app->p) == RRL_E_PHASE &&
                  rrl_schedule_physical(app->p, action, 0, app, &tag) == RRL_STOPPED &&
                  rrl_wait_for_room(app->p, action, RRL_FOREVER) == RRL_STOPPED;
        rrl_program_request_stop(app->p);
        rrl_program_destroy(app->p);
        _exit(ok ? 0 : 1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    rrl_program_request_stop(app->p);
    app_finish(app);
    app_free(app);
}

/* Threads are made with the stack size asked for here: one that is too large makes none. */
static int n_threads_left = -1; /* until that; -1: no limit */

int pthread_attr_setstacksize(void *attributes, size_t size);
int pthread_attr_setstacksize(void *attributes, size_t size) {
    typedef int (*set_fn)(void *, size_t);
    union {
        void *object;
        set_fn function;
    } next = {dlsym((void *)-1L /* RTLD_NEXT */, "pthread_attr_setstacksize")};
    if (n_threads_left == 0) size = (size_t)1 << 50;
    n_threads_left -= n_threads_left > 0;
    return next.function(attributes, size);
}

static void no_thread_is_left_when_one_cannot_be_made(void) {
    for (int n = 0; n < 3; n++) {
        app_t *app = app_new();
        app_on(app, app_reactor(app), RRL_STARTUP, 0, say, "never");
        rrl_id_t action = app_physical(app, 1);
        app_create(app, 3);
        n_threads_left = n;
        CHECK_EQ(rrl_program_start(app->p), RRL_E_OS);
        n_threads_left = -1;
        CHECK_EQ(rrl_program_start(app->p), RRL_E_PHASE);
        CHECK_EQ(rrl_program_wait(app->p, RRL_FOREVER), RRL_STOPPED);
        CHECK_EQ(rrl_program_join(app->p), RRL_STOPPED);
        CHECK_EQ(push(app, action, 0, 1, NULL), RRL_STOPPED);
        CHECK_EQ(rrl_load_relaxed_u32(&app->n_notes), 0);
        CHECK_EQ(rrl_load_relaxed_u64(&app->n_live), 0);
        app_free(app);
    }
}

static void nothing_runs_when_a_thread_of_an_enclave_cannot_be_made(void) {
    for (n_threads_left = 0; n_threads_left < 3; n_threads_left++) {
        int limit = n_threads_left;
        app_t *app = app_new();
        app_on(app, app_reactor(app), RRL_STARTUP, 0, say, "start");
        app_enclave(app, 2);
        rrl_id_t inner = app_reactor(app);
        app_on(app, inner, RRL_TIMER, app_timer(app, 0, 1), say, "tick");
        app_create(app, 1);
        CHECK_EQ(rrl_program_start(app->p), RRL_E_OS);
        CHECK_STR_EQ(app_log(app), "");
        CHECK_EQ(rrl_program_wait(app->p, 0), RRL_STOPPED);
        app_free(app);
        n_threads_left = limit;
    }
    n_threads_left = -1;
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(a_program_without_events_starves_at_once),
        CHECK_CASE(a_program_may_be_empty),
        CHECK_CASE(timeout_zero_is_startup_and_shutdown_at_one_tag),
        CHECK_CASE(timers_fire_at_exact_multiples_until_the_timeout),
        CHECK_CASE(a_timeout_between_two_events_is_a_tag_of_its_own),
        CHECK_CASE(starvation_does_not_wait_for_the_timeout),
        CHECK_CASE(a_timer_whose_next_time_is_past_all_time_fires_once),
        CHECK_CASE(timers_of_one_tag_trigger_once),
        CHECK_CASE(keepalive_lasts_until_the_timeout),
        CHECK_CASE(an_idle_program_can_be_stopped_from_outside),
        CHECK_CASE(a_wait_for_a_far_tag_can_be_stopped_from_outside),
        CHECK_CASE(an_open_producer_keeps_the_program),
        CHECK_CASE(a_fast_program_with_a_producer_waits_for_its_timeout),
        CHECK_CASE(no_tag_comes_before_its_time),
        CHECK_CASE(a_request_stops_one_microstep_later_with_what_is_due_there),
        CHECK_CASE(a_request_never_raises_the_stop_tag),
        CHECK_CASE(after_the_last_microstep_comes_the_next_nanosecond),
        CHECK_CASE(a_delay_past_all_time_ends_the_program),
        CHECK_CASE(a_report_adds_up),
        CHECK_CASE(nothing_is_allocated_in_a_steady_state),
        CHECK_CASE(workers_are_pinned_where_it_is_allowed),
        CHECK_CASE(a_program_runs_once),
        CHECK_CASE(a_program_that_was_never_started_can_go),
        CHECK_CASE(programs_run_side_by_side),
        CHECK_CASE(a_forked_child_has_no_workers),
        CHECK_CASE(no_thread_is_left_when_one_cannot_be_made),
        CHECK_CASE(nothing_runs_when_a_thread_of_an_enclave_cannot_be_made),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
