/* stress_ring.c: rings under load, with more threads than processors.
 *
 *     stress_ring [percent of the usual length [seed]]
 *
 * The seed chooses capacities, batches and yields; it is printed. */
#include <inttypes.h>

#include "ring.h"
#include "threads.h"

#define N_SPSC_ITEMS 400000
#define N_MPSC_ITEMS 120000 /* of all producers together */
#define MAX_BATCH 64

/* ---- one producer, one consumer -------------------------------------------------------------- */

typedef struct spsc_load {
    rrl_spsc_t ring;
    uint64_t n_items;
    uint64_t batch_seed;
} spsc_load_t;

static void produce_one(void *ctx, uint32_t index) {
    spsc_load_t *load = ctx;
    (void)index;
    for (uint64_t i = 1; i <= load->n_items; i++) {
        while (!rrl__spsc_push(&load->ring, (void *)(uintptr_t)i)) rrl__thread_yield();
    }
}

static void consume_one(void *ctx, uint32_t index) {
    spsc_load_t *load = ctx;
    void *items[MAX_BATCH];
    uint64_t random = load->batch_seed;
    (void)index;
    for (uint64_t n = 0; n < load->n_items;) {
        uint32_t n_popped =
            rrl__spsc_pop(&load->ring, items, 1 + (uint32_t)(check_random(&random) % MAX_BATCH));
        if (n_popped == 0) rrl__thread_yield();
        for (uint32_t k = 0; k < n_popped; k++) CHECK_EQ((uintptr_t)items[k], ++n);
    }
    CHECK(rrl__spsc_is_empty(&load->ring));
}

static void stress_spsc(uint32_t capacity, uint64_t n_items, uint64_t seed, bool yields) {
    static const thread_body_t bodies[] = {produce_one, consume_one};
    spsc_load_t load = {.n_items = n_items, .batch_seed = seed};
    printf("spsc: capacity %" PRIu32 ", %" PRIu64 " items%s\n", capacity, n_items,
           yields ? ", yields" : "");
    CHECK_EQ(rrl__spsc_init(&load.ring, capacity), RRL_OK);
    run_threads(bodies, 2, &load, yields ? seed : 0);
    CHECK(rrl__spsc_is_valid(&load.ring));
    rrl__spsc_destroy(&load.ring);
}

/* ---- many producers -------------------------------------------------------------------------- */

typedef struct mpsc_load {
    rrl_mpsc_t ring;
    uint32_t n_producers;
    uint64_t n_each;
} mpsc_load_t;

static void produce_many(void *ctx, uint32_t index) {
    mpsc_load_t *load = ctx;
    for (uint64_t i = 1; i <= load->n_each; i++) {
        rrl_inbox_item_t item = {index, (int64_t)i, -(int64_t)i,
                                 (void *)(uintptr_t)(i * 8 + index)};
        while (!rrl__mpsc_push(&load->ring, &item)) rrl__thread_yield();
    }
}

static void consume_many(void *ctx, uint32_t index) {
    mpsc_load_t *load = ctx;
    uint64_t n_got[MAX_THREADS] = {0};
    (void)index;
    for (uint64_t n = 0; n < load->n_producers * load->n_each;) {
        rrl_inbox_item_t item;
        if (!rrl__mpsc_pop(&load->ring, &item)) {
            rrl__thread_yield();
            continue;
        }
        n++;
        CHECK(item.action < load->n_producers);
        uint64_t i = ++n_got[item.action];
        CHECK_EQ(item.stamp_ns, i);
        CHECK_EQ(item.delay_ns, -(int64_t)i);
        CHECK_EQ((uintptr_t)item.ticket, i * 8 + item.action);
    }
    CHECK(rrl__mpsc_is_empty(&load->ring));
}

static void stress_mpsc(uint32_t capacity, uint32_t n_producers, uint64_t n_items, uint64_t seed,
                        bool yields) {
    thread_body_t bodies[MAX_THREADS];
    mpsc_load_t load = {.n_producers = n_producers, .n_each = n_items / n_producers};
    printf("mpsc: capacity %" PRIu32 ", %" PRIu32 " producers, %" PRIu64 " items each%s\n",
           capacity, n_producers, load.n_each, yields ? ", yields" : "");
    for (uint32_t i = 0; i < n_producers; i++) bodies[i] = produce_many;
    bodies[n_producers] = consume_many;
    CHECK_EQ(rrl__mpsc_init(&load.ring, capacity), RRL_OK);
    run_threads(bodies, n_producers + 1, &load, yields ? seed : 0);
    CHECK(rrl__mpsc_is_valid(&load.ring));
    rrl__mpsc_destroy(&load.ring);
}

int main(int argc, char **argv) {
    static const uint32_t producers[] = {1, 2, 4, 7};
    uint64_t percent = argc > 1 ? strtoull(argv[1], NULL, 0) : 100 / CHECK_SLOWDOWN;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    uint64_t random = seed * 0x9e3779b97f4a7c15u | 1;
    printf("stress_ring %" PRIu64 " %" PRIu64 "\n", percent, seed);
    for (int yields = 0; yields < 2; yields++) {
        for (int i = 0; i < 3; i++) {
            uint32_t capacity = 1u << check_random(&random) % 11;
            stress_spsc(capacity, N_SPSC_ITEMS * percent / 100, check_random(&random) | 1, yields);
        }
        for (int i = 0; i < 4; i++) {
            uint32_t capacity = 2u << check_random(&random) % 10;
            stress_mpsc(capacity, producers[i], N_MPSC_ITEMS * percent / 100,
                        check_random(&random) | 1, yields);
        }
        fflush(stdout);
    }
    return 0;
}
