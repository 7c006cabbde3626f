/* stress_physical.c: eight threads push physical events into a running program, more than it has room for;
 * every one is handled, once, those of one thread in their order.
 *
 *     stress_physical [number of events [seed]]
 *
 * The seed chooses yields, 0: none; it is printed. Nothing bounds the events that the program has taken over
 * and not yet processed, and checking them all after each step would take long: VARIANT=bare checks none. */
#include <inttypes.h>

#include "body.h"
#include "threads.h"

enum { N_ACTIONS = 2, N_PUSHERS = 8, CAPACITY = 64 };
#if defined(RRL_DEBUG) && RRL_DEBUG >= 3
#define N_EVENTS (8000 / CHECK_SLOWDOWN)
#else
#define N_EVENTS 1000000
#endif
#define PATIENCE_NS ((int64_t)60000000000)

typedef struct load {
    app_t *app;
    rrl_id_t actions[N_ACTIONS];
    int64_t n_each;
    int64_t n_got[N_PUSHERS]; /* plain: the reactor's */
    rrl_atomic_u64_t n_waits;
} load_t;

/* A value is its pusher and its number. */
static void take(load_t *load, int64_t value) {
    int64_t pusher = value % N_PUSHERS;
    CHECK_EQ(value / N_PUSHERS, load->n_got[pusher]);
    load->n_got[pusher]++;
}

static rrl_status_t take_all(const here_t *h) {
    load_t *load = h->arg;
    for (int i = 0; i < N_ACTIONS; i++) {
        int64_t value = get_action(h, load->actions[i]);
        if (value != ABSENT) take(load, value);
    }
    return RRL_OK;
}

static void push_all(void *ctx, uint32_t index) {
    load_t *load = ctx;
    rrl_id_t action = load->actions[index % N_ACTIONS];
    for (int64_t i = 0; i < load->n_each; i++) {
        rrl_status_t rc;
        while ((rc = push(load->app, action, 0, i * N_PUSHERS + index, NULL)) == RRL_FULL) {
            rrl_add_relaxed_u64(&load->n_waits, 1);
            CHECK_EQ(rrl_wait_for_room(load->app->p, action, PATIENCE_NS), RRL_OK);
        }
        CHECK_EQ(rc, RRL_OK);
    }
    rrl_program_hold(load->app->p, action, false);
}

static void run(int64_t n_events, uint32_t n_workers, uint64_t seed) {
    thread_body_t bodies[N_PUSHERS];
    load_t load = {.app = app_new(), .n_each = n_events / N_PUSHERS};
    app_t *app = load.app;
    rrl_id_t r = app_reaction(app, app_reactor(app), take_all, &load);
    for (int i = 0; i < N_ACTIONS; i++) {
        load.actions[i] = app_physical(app, CAPACITY);
        declare(app, r, RRL_TRIGGER, RRL_ACTION, load.actions[i]);
    }
    app->options.yield_seed = seed;
    app_create(app, n_workers);
    for (int i = 0; i < N_PUSHERS; i++) {
        rrl_program_hold(app->p, load.actions[i % N_ACTIONS], true);
        bodies[i] = push_all;
    }
    int64_t begin_ns = rrl__clock_ns();
    CHECK_EQ(rrl_program_start(app->p), RRL_OK);
    run_threads(bodies, N_PUSHERS, &load, seed);
    app_finish(app); /* and no reference is left */
    for (int i = 0; i < N_PUSHERS; i++) CHECK_EQ(load.n_got[i], load.n_each);
    CHECK_EQ(app->stats.n_events, load.n_each * N_PUSHERS);
    CHECK_EQ(app->stats.n_dropped, 0);
    printf("stress_physical %" PRId64 " %" PRIu64 ": %u workers, %" PRIu64
           " waits for room, %" PRIu64 " tags, %.1f s\n",
           n_events, seed, n_workers, rrl_load_relaxed_u64(&load.n_waits), app->stats.n_tags,
           (double)(rrl__clock_ns() - begin_ns) / 1e9);
    fflush(stdout);
    app_free(app);
}

int main(int argc, char **argv) {
    int64_t n_events = argc > 1 ? strtoll(argv[1], NULL, 0) : N_EVENTS;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    run(n_events, 2, 0);
    run(n_events < 1000000 ? n_events / 10 : 100000, 1, seed);
    return 0;
}
