/* litmus.c: small races, run over many seeds of the yield hook; each has a table of outcomes.
 *
 *     litmus [number of seeds [first seed [name]]]
 *
 * A forbidden outcome prints its seed, and the process fails. */
#include <inttypes.h>
#include <limits.h>

#include "ring.h"
#include "threads.h"

#define N_SEEDS (300 / CHECK_SLOWDOWN)
#define MAX_OUTCOMES 4
#define PATIENCE_NS ((int64_t)20000000000) /* only a wake that never comes is waited for so long */

typedef struct outcome {
    const char *name;
    bool is_allowed;
} outcome_t;

typedef struct litmus {
    const char *name;
    uint32_t (*run)(uint64_t seed); /* which outcome */
    outcome_t outcomes[MAX_OUTCOMES];
} litmus_t;

/* ---- spsc_publish: what a pointer points to was written before the pointer is seen ----------- */

enum { SPSC_FINE, SPSC_STALE, SPSC_SEQUENCE };
enum { N_PUBLISHED = 100 };

typedef struct spsc_race {
    rrl_spsc_t ring;
    uint64_t contents[N_PUBLISHED]; /* plain; zero until just before the push */
    uint32_t result;
} spsc_race_t;

static void spsc_produce(void *ctx, uint32_t index) {
    spsc_race_t *race = ctx;
    (void)index;
    for (uint32_t i = 0; i < N_PUBLISHED; i++) {
        race->contents[i] = i + 1;
        while (!rrl__spsc_push(&race->ring, &race->contents[i])) rrl__thread_yield();
    }
}

static void spsc_consume(void *ctx, uint32_t index) {
    spsc_race_t *race = ctx;
    void *items[3];
    (void)index;
    for (uint32_t n = 0; n < N_PUBLISHED;) {
        if (rrl__spsc_is_empty(&race->ring)) {
            rrl__thread_yield();
            continue;
        }
        uint32_t n_popped = rrl__spsc_pop(&race->ring, items, 3);
        if (n_popped == 0) race->result = SPSC_SEQUENCE; /* it was not empty */
        for (uint32_t k = 0; k < n_popped; k++, n++) {
            uint64_t *item = items[k];
            if (item != &race->contents[n]) {
                race->result = SPSC_SEQUENCE;
            } else if (*item != n + 1) {
                race->result = SPSC_STALE;
            }
        }
    }
    if (!rrl__spsc_is_empty(&race->ring)) race->result = SPSC_SEQUENCE;
}

static uint32_t run_spsc_publish(uint64_t seed) {
    static const thread_body_t bodies[] = {spsc_produce, spsc_consume};
    spsc_race_t race = {.result = SPSC_FINE};
    CHECK_EQ(rrl__spsc_init(&race.ring, 1u << seed % 4), RRL_OK);
    run_threads(bodies, 2, &race, seed);
    CHECK(rrl__spsc_is_valid(&race.ring));
    rrl__spsc_destroy(&race.ring);
    return race.result;
}

/* ---- mpsc: three producers; one consumer, or two that take turns ----------------------------- */

enum { MPSC_FINE, MPSC_TORN, MPSC_SEQUENCE };
enum { N_PRODUCERS = 3, N_ITEMS = 30 };

typedef struct mpsc_race {
    rrl_mpsc_t ring;
    uint64_t contents[N_PRODUCERS][N_ITEMS]; /* plain; zero until just before the push */
    uint32_t n_got[N_PRODUCERS];             /* consumer's, with n and result */
    uint32_t n;
    uint32_t result;
    /* which consumer may pop; publishes the consumer's fields to the other */
    rrl_atomic_u32_t turn;
} mpsc_race_t;

static void mpsc_produce(void *ctx, uint32_t index) {
    mpsc_race_t *race = ctx;
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        uint64_t *ticket = &race->contents[index][i];
        *ticket = i + 1;
        rrl_inbox_item_t item = {index, i, -(int64_t)i, ticket};
        while (!rrl__mpsc_push(&race->ring, &item)) rrl__thread_yield();
    }
}

static void mpsc_take(mpsc_race_t *race) {
    rrl_inbox_item_t item;
    if (!rrl__mpsc_pop(&race->ring, &item)) {
        rrl__thread_yield();
        return;
    }
    race->n++;
    uint32_t i = item.action < N_PRODUCERS ? race->n_got[item.action]++ : N_ITEMS;
    if (i >= N_ITEMS || item.stamp_ns != i) {
        race->result = MPSC_SEQUENCE;
    } else if (item.delay_ns != -(int64_t)i || item.ticket != &race->contents[item.action][i] ||
               *(uint64_t *)item.ticket != i + 1) {
        race->result = MPSC_TORN;
    }
}

static void mpsc_consume(void *ctx, uint32_t index) {
    mpsc_race_t *race = ctx;
    (void)index;
    while (race->n < N_PRODUCERS * N_ITEMS) mpsc_take(race);
}

static void mpsc_consume_in_turn(void *ctx, uint32_t index) {
    mpsc_race_t *race = ctx;
    uint32_t me = index - N_PRODUCERS;
    for (bool is_over = false; !is_over;) {
        /* acquire: pairs with the other's release below */
        if (rrl_load_acquire_u32(&race->turn) != me) {
            rrl__thread_yield();
            continue;
        }
        for (int i = 0; i < 3 && race->n < N_PRODUCERS * N_ITEMS; i++) mpsc_take(race);
        is_over = race->n == N_PRODUCERS * N_ITEMS;
        rrl_store_release_u32(&race->turn, 1 - me);
    }
}

static uint32_t run_mpsc(const thread_body_t *bodies, uint32_t n_threads, uint64_t seed) {
    mpsc_race_t race = {.result = MPSC_FINE};
    rrl_store_relaxed_u32(&race.turn, 0);
    CHECK_EQ(rrl__mpsc_init(&race.ring, 2u << seed % 3), RRL_OK);
    run_threads(bodies, n_threads, &race, seed);
    for (uint32_t p = 0; p < N_PRODUCERS; p++) {
        if (race.n_got[p] != N_ITEMS) race.result = MPSC_SEQUENCE;
    }
    CHECK(rrl__mpsc_is_empty(&race.ring));
    CHECK(rrl__mpsc_is_valid(&race.ring));
    rrl__mpsc_destroy(&race.ring);
    return race.result;
}

static uint32_t run_mpsc_producers(uint64_t seed) {
    static const thread_body_t bodies[] = {mpsc_produce, mpsc_produce, mpsc_produce, mpsc_consume};
    return run_mpsc(bodies, 4, seed);
}

static uint32_t run_mpsc_turns(uint64_t seed) {
    static const thread_body_t bodies[] = {mpsc_produce, mpsc_produce, mpsc_produce,
                                           mpsc_consume_in_turn, mpsc_consume_in_turn};
    return run_mpsc(bodies, 5, seed);
}

/* ---- park_wake: sleep on the low half of a word, with the sleepers counted in its high half -- */

enum { PARK_SLEPT, PARK_AWAKE, PARK_LOST };
enum { N_SIGNALS = 30 };
#define ONE_SLEEPER ((uint64_t)1 << 32)

typedef struct park_race {
    rrl_spsc_t ring;
    rrl_atomic_u64_t word; /* low half: signals given (never 2^32 of them); high half: sleepers */
    uint32_t result;
} park_race_t;

static void park_signal(void *ctx, uint32_t index) {
    park_race_t *race = ctx;
    (void)index;
    for (uint32_t i = 0; i < N_SIGNALS; i++) {
        while (!rrl__spsc_push(&race->ring, race)) rrl__thread_yield();
        /* After the push: who slept before this addition is counted in what it returns, and who
         * looks at the word after it sees the push. */
        if (rrl_add_acq_rel_u64(&race->word, 1) >= ONE_SLEEPER)
            rrl__futex_wake_low32(&race->word, 1);
    }
}

static void park_sleep(void *ctx, uint32_t index) {
    park_race_t *race = ctx;
    (void)index;
    for (uint32_t n = 0; n < N_SIGNALS;) {
        void *item;
        uint64_t seen = rrl_load_acquire_u64(&race->word);
        if (rrl__spsc_pop(&race->ring, &item, 1)) {
            n++;
            continue;
        }
        if (!rrl_cas_acq_rel_u64(&race->word, &seen, seen + ONE_SLEEPER)) continue;
        rrl_status_t status =
            rrl__futex_wait_low32(&race->word, seen, rrl__clock_ns() + PATIENCE_NS);
        rrl_sub_acq_rel_u64(&race->word, ONE_SLEEPER);
        if (status == RRL_TIMEOUT && !rrl__spsc_is_empty(&race->ring)) {
            race->result = PARK_LOST;
        } else if (race->result == PARK_AWAKE) {
            race->result = PARK_SLEPT;
        }
    }
}

static uint32_t run_park_wake(uint64_t seed) {
    static const thread_body_t bodies[] = {park_signal, park_sleep};
    park_race_t race = {.result = PARK_AWAKE};
    /* The counter is about to carry over every byte but the top one. */
    rrl_store_relaxed_u64(&race.word, 0x00fffff0);
    CHECK_EQ(rrl__spsc_init(&race.ring, 1u << seed % 4), RRL_OK);
    run_threads(bodies, 2, &race, seed);
    CHECK_EQ(rrl_load_relaxed_u64(&race.word), 0x00fffff0 + N_SIGNALS);
    rrl__spsc_destroy(&race.ring);
    return race.result;
}

/* ---- wake_counted: the waker wakes exactly as many as had announced themselves --------------- */

enum { WAKE_ALL, WAKE_LOST };

typedef struct wake_race {
    rrl_atomic_u32_t word; /* bit 0: go; above it: announced sleepers */
    rrl_atomic_u32_t result;
} wake_race_t;

static void wake_counted(void *ctx, uint32_t index) {
    wake_race_t *race = ctx;
    (void)index;
    uint32_t before = rrl_or_acq_rel_u32(&race->word, 1);
    if (before >> 1) rrl__futex_wake(&race->word, (int)(before >> 1));
}

static void sleep_counted(void *ctx, uint32_t index) {
    wake_race_t *race = ctx;
    (void)index;
    uint32_t word = rrl_load_acquire_u32(&race->word);
    while (!(word & 1)) {
        if (rrl_cas_weak_acq_rel_u32(&race->word, &word, word + 2)) {
            word += 2;
            break;
        }
    }
    while (!(word & 1)) {
        rrl_status_t status = rrl__futex_wait(&race->word, word, rrl__clock_ns() + PATIENCE_NS);
        word = rrl_load_acquire_u32(&race->word);
        if (status == RRL_TIMEOUT && (word & 1)) rrl_store_relaxed_u32(&race->result, WAKE_LOST);
    }
}

static uint32_t run_wake_counted(uint64_t seed) {
    static const thread_body_t bodies[] = {sleep_counted, sleep_counted, wake_counted,
                                           sleep_counted};
    wake_race_t race;
    rrl_store_relaxed_u32(&race.word, 0);
    rrl_store_relaxed_u32(&race.result, WAKE_ALL);
    run_threads(bodies, 4, &race, seed);
    return rrl_load_relaxed_u32(&race.result);
}

/* ---- claims: an index is given to one claimer ------------------------------------------------ */

enum { CLAIM_ONCE, CLAIM_TWICE, CLAIM_NEVER };
enum { N_CLAIMS = 60 };

typedef struct claim_race {
    rrl_atomic_u64_t next;
    rrl_atomic_u32_t n_claimed[N_CLAIMS];
} claim_race_t;

static void claim_by_add(void *ctx, uint32_t index) {
    claim_race_t *race = ctx;
    (void)index;
    for (uint64_t i; (i = rrl_add_acq_rel_u64(&race->next, 1)) < N_CLAIMS;)
        rrl_add_relaxed_u32(&race->n_claimed[i], 1);
}

static void claim_by_cas(void *ctx, uint32_t index) {
    claim_race_t *race = ctx;
    (void)index;
    uint64_t i = rrl_load_acquire_u64(&race->next);
    while (i < N_CLAIMS) {
        if (!rrl_cas_acq_rel_u64(&race->next, &i, i + 1)) continue;
        rrl_add_relaxed_u32(&race->n_claimed[i], 1);
        i = rrl_load_acquire_u64(&race->next);
    }
}

static uint32_t run_claims(uint64_t seed) {
    static const thread_body_t bodies[] = {claim_by_add, claim_by_cas, claim_by_add, claim_by_cas};
    claim_race_t race;
    uint32_t result = CLAIM_ONCE;
    rrl_store_relaxed_u64(&race.next, 0);
    for (int i = 0; i < N_CLAIMS; i++) rrl_store_relaxed_u32(&race.n_claimed[i], 0);
    run_threads(bodies, 4, &race, seed);
    for (int i = 0; i < N_CLAIMS; i++) {
        uint32_t n = rrl_load_relaxed_u32(&race.n_claimed[i]);
        if (n != 1) result = n ? CLAIM_TWICE : CLAIM_NEVER;
    }
    return result;
}

/* ---- tables ---------------------------------------------------------------------------------- */

static const litmus_t tests[] = {
    {"spsc_publish",
     run_spsc_publish,
     {[SPSC_FINE] = {"each once, in order, contents complete", true},
      [SPSC_STALE] = {"contents older than the pointer", false},
      [SPSC_SEQUENCE] = {"lost, twice or out of order", false}}},
    {"mpsc_producers",
     run_mpsc_producers,
     {[MPSC_FINE] = {"each once, in each producer's order", true},
      [MPSC_TORN] = {"fields or contents of different pushes", false},
      [MPSC_SEQUENCE] = {"lost, twice or out of order", false}}},
    {"mpsc_turns",
     run_mpsc_turns,
     {[MPSC_FINE] = {"each once, in each producer's order", true},
      [MPSC_TORN] = {"fields or contents of different pushes", false},
      [MPSC_SEQUENCE] = {"lost, twice or out of order", false}}},
    {"park_wake",
     run_park_wake,
     {[PARK_SLEPT] = {"all signals received, some asleep", true},
      [PARK_AWAKE] = {"all signals received, none asleep", true},
      [PARK_LOST] = {"asleep with a signal given", false}}},
    {"wake_counted",
     run_wake_counted,
     {[WAKE_ALL] = {"every sleeper returned", true}, [WAKE_LOST] = {"asleep after go", false}}},
    {"claims",
     run_claims,
     {[CLAIM_ONCE] = {"each index once", true},
      [CLAIM_TWICE] = {"an index twice", false},
      [CLAIM_NEVER] = {"an index never", false}}},
};

static bool run_litmus(const litmus_t *test, uint64_t first_seed, uint64_t n_seeds) {
    uint64_t counts[MAX_OUTCOMES] = {0};
    bool is_fine = true;
    for (uint64_t seed = first_seed; seed < first_seed + n_seeds; seed++) {
        uint32_t outcome = test->run(seed);
        counts[outcome]++;
        if (test->outcomes[outcome].is_allowed) continue;
        printf("%s: seed %" PRIu64 ": %s\n", test->name, seed, test->outcomes[outcome].name);
        is_fine = false;
    }
    for (int i = 0; i < MAX_OUTCOMES && test->outcomes[i].name; i++) {
        printf("%-16s %-42s %-10s %6" PRIu64 "\n", test->name, test->outcomes[i].name,
               test->outcomes[i].is_allowed ? "acceptable" : "FORBIDDEN", counts[i]);
    }
    fflush(stdout);
    return is_fine;
}

int main(int argc, char **argv) {
    uint64_t n_seeds = argc > 1 ? strtoull(argv[1], NULL, 0) : N_SEEDS;
    uint64_t first_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    bool is_fine = true;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (argc > 3 && strcmp(argv[3], tests[i].name) != 0) continue;
        is_fine &= run_litmus(&tests[i], first_seed, n_seeds);
    }
    return is_fine ? 0 : 1;
}
