/* litmus_pool.c: races of whole programs, run over many seeds of the yield hook; each has a table of
 * what may come out.
 *
 *     litmus_pool [number of seeds [first seed [name]]]
 *
 * A forbidden outcome prints its seed, and the process fails. What the host checks besides (host.h), such as
 * two bodies of one reactor at once or a wait while attached, ends the process at once. */
#include <inttypes.h>

#include "body.h"
#include "threads.h"

#define N_SEEDS (1000 / CHECK_SLOWDOWN)
#define MAX_OUTCOMES 4
#define PATIENCE_NS ((int64_t)10000000000) /* only what never comes is waited for so long */

typedef struct outcome {
    const char *name;
    bool is_allowed;
} outcome_t;

typedef struct litmus {
    const char *name;
    uint32_t (*run)(uint64_t seed); /* which outcome */
    outcome_t outcomes[MAX_OUTCOMES];
} litmus_t;

/* Prints the seed of what would otherwise only be a hang of app_finish. */
static bool ends(app_t *app) { return rrl_program_wait(app->p, PATIENCE_NS) == RRL_OK; }

/* A program that hangs cannot be freed. */
static uint32_t finish_as(app_t *app, uint32_t outcome) {
    app_finish(app);
    app_free(app);
    return outcome;
}

/* ---- publish, claim, steal, rescue: every reaction once for each tag ------------------------- */

enum { ONCE_FINE, ONCE_LOST, ONCE_TWICE, ONCE_HANG };
enum { BANK = 6, TICKS = 8 };

/* A bank of which some are triggered at each tag, and a second one, of which those run whose source in
 * the first has set its output: the workers that have a slice change from level to level. */
typedef struct banks {
    rrl_id_t out[BANK], in[BANK];
    rrl_atomic_u32_t n_run[2 * BANK][TICKS];
    rrl_atomic_u32_t n_stale;
} banks_t;

static bool is_due(uint32_t member, int64_t tick) {
    return tick >= member % 2 && (tick - member % 2) % (1 + member % 3) == 0;
}

static uint32_t source_of(uint32_t member) { return (member + BANK / 2) % BANK; }

static rrl_status_t run_first(const here_t *h) {
    banks_t *b = h->arg;
    rrl_add_relaxed_u32(&b->n_run[h->reaction][h->tag.time_ns], 1);
    set(h, b->out[h->reaction], h->tag.time_ns * BANK + h->reaction);
    return RRL_OK;
}

static rrl_status_t run_second(const here_t *h) {
    banks_t *b = h->arg;
    uint32_t i = h->reaction - BANK;
    rrl_add_relaxed_u32(&b->n_run[h->reaction][h->tag.time_ns], 1);
    if (get(h, b->in[i]) != h->tag.time_ns * BANK + source_of(i))
        rrl_add_relaxed_u32(&b->n_stale, 1);
    return RRL_OK;
}

static uint32_t run_once(uint64_t seed) {
    static const app_mode_t modes[3] = {MODE_SPIN, MODE_PARK, MODE_LEARN};
    app_t *app = app_new();
    banks_t *b = calloc(1, sizeof *b);
    uint32_t outcome = ONCE_FINE;
    CHECK(b);
    for (uint32_t i = 0; i < BANK; i++) {
        rrl_id_t timer = app_timer(app, i % 2, 1 + i % 3);
        rrl_id_t r = app_on(app, app_reactor(app), RRL_TIMER, timer, run_first, b);
        b->out[i] = app_port(app);
        declare(app, r, RRL_EFFECT, RRL_PORT, b->out[i]);
    }
    for (uint32_t i = 0; i < BANK; i++) {
        b->in[i] = app_port(app);
        app_on(app, app_reactor(app), RRL_PORT, b->in[i], run_second, b);
        connect(app, b->out[source_of(i)], b->in[i], RRL_NO_DELAY);
    }
    app->mode = modes[seed % 3];
    app->options.timeout_ns = TICKS - 1;
    app->options.yield_seed = seed;
    app_start(app, 2 + (uint32_t)(seed / 3 % 3));
    if (!ends(app)) return ONCE_HANG;
    for (uint32_t r = 0; r < 2 * BANK; r++) {
        for (uint32_t t = 0; t < TICKS; t++) {
            uint32_t n = rrl_load_relaxed_u32(&b->n_run[r][t]);
            uint32_t expected = is_due(r < BANK ? r : source_of(r - BANK), t);
            if (n != expected) outcome = n > expected ? ONCE_TWICE : ONCE_LOST;
        }
    }
    if (rrl_load_relaxed_u32(&b->n_stale)) outcome = ONCE_LOST;
    free(b);
    return finish_as(app, outcome);
}

/* ---- beginning and end: nobody sleeps over the last publication ------------------------------ */

enum { END_FINE, END_HANG };

static uint32_t run_end(uint64_t seed) {
    app_t *app = app_new();
    app->mode = seed % 2 ? MODE_PARK : MODE_SPIN;
    app->options.yield_seed = seed;
    for (int i = 0; i < 3; i++) app_on(app, app_reactor(app), RRL_STARTUP, 0, NULL, NULL);
    app_start(app, 3);
    return ends(app) ? finish_as(app, END_FINE) : END_HANG;
}

/* ---- the bell: a push is answered though nothing else would wake the coordinator ------------- */

enum { BELL_ANSWERED, BELL_LOST };
enum { N_PUSHES = 5 };

typedef struct bell_race {
    app_t *app;
    rrl_id_t action;
    rrl_atomic_u32_t n_handled; /* bits: 8 for each pusher */
    rrl_atomic_u32_t is_lost;
} bell_race_t;

static rrl_status_t count_handled(const here_t *h) {
    bell_race_t *race = h->arg;
    rrl_add_acq_rel_u32(&race->n_handled, 1u << 8 * get_action(h, race->action));
    return RRL_OK;
}

/* One push at a time, each waited for. */
static void push_and_wait(void *ctx, uint32_t index) {
    bell_race_t *race = ctx;
    int64_t deadline_ns = rrl__clock_ns() + PATIENCE_NS;
    for (uint32_t i = 1; i <= N_PUSHES; i++) {
        CHECK_EQ(push(race->app, race->action, 0, index, NULL), RRL_OK);
        while ((rrl_load_acquire_u32(&race->n_handled) >> 8 * index & 0xFF) < i) {
            rrl__thread_yield();
            if (rrl__clock_ns() < deadline_ns) continue;
            rrl_store_relaxed_u32(&race->is_lost, 1);
            return;
        }
    }
}

static uint32_t run_bell(uint64_t seed) {
    static const thread_body_t bodies[] = {push_and_wait, push_and_wait};
    bell_race_t race = {.app = app_new()};
    app_t *app = race.app;
    race.action = app_physical(app, 4);
    app_on(app, app_reactor(app), RRL_ACTION, race.action, count_handled, &race);
    app->options.fast = seed % 2;
    app->options.keepalive = true;
    app->options.yield_seed = seed;
    app->mode = seed % 4 < 2 ? MODE_PARK : MODE_SPIN;
    app_start(app, 1 + (uint32_t)(seed % 3));
    run_threads(bodies, 2, &race, seed);
    if (rrl_load_relaxed_u32(&race.is_lost)) return BELL_LOST;
    rrl_program_request_stop(app->p);
    return ends(app) ? finish_as(app, BELL_ANSWERED) : BELL_LOST;
}

/* ---- a hold: what was pushed under it is handled, however close the release follows ---------- */

enum { HOLD_HANDLED, HOLD_LOST };

typedef struct hold_race {
    app_t *app;
    rrl_id_t action;
    rrl_atomic_u32_t n_accepted, n_held_handled;
    rrl_atomic_u32_t n_handled;
} hold_race_t;

static rrl_status_t count_held(const here_t *h) {
    hold_race_t *race = h->arg;
    rrl_add_relaxed_u32(get_action(h, race->action) ? &race->n_held_handled : &race->n_handled, 1);
    return RRL_OK;
}

static void push_under_hold(void *ctx, uint32_t index) {
    hold_race_t *race = ctx;
    (void)index;
    CHECK_EQ(push(race->app, race->action, 0, 1, NULL), RRL_OK);
    rrl_program_hold(race->app->p, RRL_NONE, false);
}

/* Its item may be in front of the other's, and not finished. */
static void push_without_hold(void *ctx, uint32_t index) {
    hold_race_t *race = ctx;
    (void)index;
    rrl_status_t rc = push(race->app, race->action, 0, 0, NULL);
    CHECK(rc == RRL_OK || rc == RRL_STOPPED);
    if (rc == RRL_OK) rrl_add_relaxed_u32(&race->n_accepted, 1);
}

static uint32_t run_hold(uint64_t seed) {
    static const thread_body_t bodies[] = {push_under_hold, push_without_hold, push_without_hold};
    hold_race_t race = {.app = app_new()};
    app_t *app = race.app;
    race.action = app_physical(app, 4);
    app_on(app, app_reactor(app), RRL_ACTION, race.action, count_held, &race);
    app->options.fast = seed % 2;
    app->options.yield_seed = seed;
    app_create(app, 1 + (uint32_t)(seed % 2));
    rrl_program_hold(app->p, RRL_NONE, true);
    CHECK_EQ(rrl_program_start(app->p), RRL_OK);
    run_threads(bodies, 1 + (uint32_t)(seed % 3), &race, seed);
    if (!ends(app)) return HOLD_LOST;
    bool is_handled = rrl_load_relaxed_u32(&race.n_held_handled) == 1;
    return finish_as(app, is_handled ? HOLD_HANDLED : HOLD_LOST);
}

/* ---- the gate: at the end, a push was either taken over, or turned away ---------------------- */

enum { GATE_FINE, GATE_LOST, GATE_HANG };

static void push_until_the_end(void *ctx, uint32_t index) {
    hold_race_t *race = ctx;
    rrl_status_t rc;
    if (index == 0) rrl_program_request_stop(race->app->p);
    do {
        rc = push(race->app, race->action, 0, 1, NULL);
        if (rc == RRL_OK) rrl_add_relaxed_u32(&race->n_accepted, 1);
    } while (rc != RRL_STOPPED);
}

static uint32_t run_gate(uint64_t seed) {
    static const thread_body_t bodies[] = {push_until_the_end, push_until_the_end,
                                           push_until_the_end};
    hold_race_t race = {.app = app_new()};
    app_t *app = race.app;
    race.action = app_physical(app, 2);
    app_on(app, app_reactor(app), RRL_ACTION, race.action, count_held, &race);
    app->options.keepalive = true;
    app->options.yield_seed = seed;
    app_start(app, 1 + (uint32_t)(seed % 2));
    run_threads(bodies, 3, &race, seed);
    if (!ends(app)) return GATE_HANG;
    bool is_fine =
        rrl_load_relaxed_u64(&app->n_redeemed) == rrl_load_relaxed_u32(&race.n_accepted) &&
        rrl__mpsc_is_empty(&app->p->enclaves[0].inbox);
    return finish_as(app, is_fine ? GATE_FINE : GATE_LOST); /* and no reference is left */
}

/* ---- room: who waits for it does not sleep over it ------------------------------------------- */

enum { ROOM_FOUND, ROOM_SLEPT, ROOM_HANG };

typedef struct room_race {
    app_t *app;
    rrl_id_t action;
    rrl_atomic_u32_t has_slept;
} room_race_t;

static void push_with_patience(void *ctx, uint32_t index) {
    room_race_t *race = ctx;
    for (uint32_t i = 0; i < N_PUSHES; i++) {
        while (push(race->app, race->action, 0, index, NULL) == RRL_FULL) {
            rrl_status_t rc = rrl_wait_for_room(race->app->p, race->action, PATIENCE_NS);
            if (rc) rrl_store_relaxed_u32(&race->has_slept, 1);
            if (rc) break;
        }
    }
    rrl_program_hold(race->app->p, RRL_NONE, false);
}

static void push_and_go(void *ctx, uint32_t index) {
    room_race_t *race = ctx;
    for (uint32_t i = 0; i < N_PUSHES; i++) (void)push(race->app, race->action, 0, index, NULL);
    rrl_program_hold(race->app->p, RRL_NONE, false);
}

static uint32_t run_room(uint64_t seed) {
    static const thread_body_t bodies[] = {push_with_patience, push_and_go, push_and_go,
                                           push_with_patience};
    room_race_t race = {.app = app_new()};
    app_t *app = race.app;
    uint32_t n_pushers = 2 + (uint32_t)(seed % 3);
    race.action = app_physical(app, 1);
    app_on(app, app_reactor(app), RRL_ACTION, race.action, NULL, NULL);
    app->options.yield_seed = seed;
    app_create(app, 1);
    for (uint32_t i = 0; i < n_pushers; i++) rrl_program_hold(app->p, RRL_NONE, true);
    CHECK_EQ(rrl_program_start(app->p), RRL_OK);
    run_threads(bodies, n_pushers, &race, seed);
    if (!ends(app)) return ROOM_HANG;
    return finish_as(app, rrl_load_relaxed_u32(&race.has_slept) ? ROOM_SLEPT : ROOM_FOUND);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const litmus_t tests[] = {
    {"claim",
     run_once,
     {[ONCE_FINE] = {"each reaction once for each tag", true},
      [ONCE_LOST] = {"a reaction not run, or with an old value", false},
      [ONCE_TWICE] = {"a reaction twice", false},
      [ONCE_HANG] = {"a level without end", false}}},
    {"end",
     run_end,
     {[END_FINE] = {"every worker has left", true}, [END_HANG] = {"one sleeps on", false}}},
    {"bell",
     run_bell,
     {[BELL_ANSWERED] = {"every push is answered", true},
      [BELL_LOST] = {"asleep with a push made", false}}},
    {"hold",
     run_hold,
     {[HOLD_HANDLED] = {"the push under the hold is handled", true},
      [HOLD_LOST] = {"it is lost", false}}},
    {"gate",
     run_gate,
     {[GATE_FINE] = {"each push taken over or turned away", true},
      [GATE_LOST] = {"accepted, but not redeemed", false},
      [GATE_HANG] = {"no end", false}}},
    {"room",
     run_room,
     {[ROOM_FOUND] = {"all pushes made", true},
      [ROOM_SLEPT] = {"asleep beside a free place", false},
      [ROOM_HANG] = {"no end", false}}},
};

static bool run_litmus(const litmus_t *test, uint64_t first_seed, uint64_t n_seeds) {
    uint64_t counts[MAX_OUTCOMES] = {0};
    bool is_fine = true;
    for (uint64_t seed = first_seed; seed < first_seed + n_seeds && is_fine; seed++) {
        uint32_t outcome = test->run(seed);
        counts[outcome]++;
        if (test->outcomes[outcome].is_allowed) continue;
        printf("%s: seed %" PRIu64 ": %s\n", test->name, seed, test->outcomes[outcome].name);
        is_fine = false; /* the rest of a program that hangs is in the way */
    }
    for (int i = 0; i < MAX_OUTCOMES && test->outcomes[i].name; i++) {
        printf("%-8s %-42s %-10s %6" PRIu64 "\n", test->name, test->outcomes[i].name,
               test->outcomes[i].is_allowed ? "acceptable" : "FORBIDDEN", counts[i]);
    }
    fflush(stdout);
    return is_fine;
}

int main(int argc, char **argv) {
    uint64_t n_seeds = argc > 1 ? strtoull(argv[1], NULL, 0) : N_SEEDS;
    uint64_t first_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (argc > 3 && strcmp(argv[3], tests[i].name) != 0) continue;
        if (!run_litmus(&tests[i], first_seed, n_seeds)) return 1;
    }
    return 0;
}
