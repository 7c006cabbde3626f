/* What does it cost to hand an item over? ns for one push and one pop.
 *
 *   spsc, mpsc          on one thread: the instructions, with every line in the cache
 *   spsc_pair           a producer and a consumer on two processors, as fast as both can
 *   mpsc_1 ... mpsc_4   1 to 4 producers and a consumer, on the processors there are
 *
 * Both threads yield when the ring is full or empty; `size` is the ring's capacity. On one
 * processor the pairs measure the kernel. */
#include "ring.h"
#include "measure.h"

#define MAX_PRODUCERS 4

typedef struct ring_case {
    rrl_spsc_t spsc;
    rrl_mpsc_t mpsc;
    int32_t *cpus;
    size_t n_cpus;
    uint32_t n_producers;
    uint64_t n_each;
    rrl_atomic_u32_t n_missing; /* threads that have not come yet */
} ring_case_t;

typedef struct producer {
    ring_case_t *c;
    uint32_t index;
} producer_t;

/* ---- one thread ------------------------------------------------------------------------------ */

static int64_t run_spsc(void *ctx, uint64_t n) {
    ring_case_t *c = ctx;
    void *item;
    int64_t start = rrl__clock_ns();
    for (uint64_t i = 0; i < n; i++) {
        if (!rrl__spsc_push(&c->spsc, c) || rrl__spsc_pop(&c->spsc, &item, 1) != 1) abort();
    }
    return rrl__clock_ns() - start;
}

static int64_t run_mpsc(void *ctx, uint64_t n) {
    ring_case_t *c = ctx;
    rrl_inbox_item_t item = {1, 2, 3, c};
    int64_t start = rrl__clock_ns();
    for (uint64_t i = 0; i < n; i++) {
        if (!rrl__mpsc_push(&c->mpsc, &item) || !rrl__mpsc_pop(&c->mpsc, &item)) abort();
    }
    return rrl__clock_ns() - start;
}

/* ---- several --------------------------------------------------------------------------------- */

/* Spins for a moment, then lets others run. */
static void wait_a_little(uint32_t *n_waits) {
    if (++*n_waits % 64) {
        rrl_cpu_relax();
    } else {
        rrl__thread_yield();
    }
}

static void meet(ring_case_t *c, uint32_t index) {
    uint32_t n_waits = 0;
    rrl__thread_pin(c->cpus[index % c->n_cpus]); /* refused: then where the kernel likes */
    rrl_sub_acq_rel_u32(&c->n_missing, 1);
    while (rrl_load_acquire_u32(&c->n_missing)) wait_a_little(&n_waits);
}

static void *produce_spsc(void *arg) {
    producer_t *p = arg;
    uint32_t n_waits = 0;
    meet(p->c, p->index);
    for (uint64_t i = 0; i < p->c->n_each; i++) {
        while (!rrl__spsc_push(&p->c->spsc, p)) wait_a_little(&n_waits);
    }
    return NULL;
}

static void *produce_mpsc(void *arg) {
    producer_t *p = arg;
    uint32_t n_waits = 0;
    rrl_inbox_item_t item = {p->index, 2, 3, p};
    meet(p->c, p->index);
    for (uint64_t i = 0; i < p->c->n_each; i++) {
        while (!rrl__mpsc_push(&p->c->mpsc, &item)) wait_a_little(&n_waits);
    }
    return NULL;
}

/* The consumer is the calling thread. */
static int64_t run_threads(ring_case_t *c, uint64_t n, void *(*produce)(void *arg)) {
    rrl__thread_t threads[MAX_PRODUCERS];
    producer_t producers[MAX_PRODUCERS];
    void *items[32];
    uint32_t n_waits = 0;
    c->n_each = n / c->n_producers;
    rrl_store_relaxed_u32(&c->n_missing, c->n_producers + 1);
    for (uint32_t i = 0; i < c->n_producers; i++) {
        producers[i] = (producer_t){c, i + 1};
        if (rrl__thread_start(&threads[i], produce, &producers[i]) != RRL_OK) abort();
    }
    meet(c, 0);
    int64_t start = rrl__clock_ns();
    for (uint64_t got = 0; got < c->n_each * c->n_producers;) {
        rrl_inbox_item_t item;
        uint32_t n_got = produce == produce_spsc ? rrl__spsc_pop(&c->spsc, items, 32)
                                                 : rrl__mpsc_pop(&c->mpsc, &item);
        got += n_got;
        if (n_got == 0) wait_a_little(&n_waits);
    }
    int64_t elapsed_ns = rrl__clock_ns() - start;
    for (uint32_t i = 0; i < c->n_producers; i++) rrl__thread_join(threads[i]);
    return elapsed_ns;
}

static int64_t run_spsc_pair(void *ctx, uint64_t n) { return run_threads(ctx, n, produce_spsc); }

static int64_t run_mpsc_group(void *ctx, uint64_t n) { return run_threads(ctx, n, produce_mpsc); }

int main(int argc, char **argv) {
    static const uint32_t capacities[] = {16, 256, 4096};
    const measure_options_t options = measure_options(argc, argv);
    ring_case_t c = {0};
    if (rrl__allowed_cpus(&c.cpus, &c.n_cpus) != RRL_OK) abort();
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        uint32_t capacity = capacities[i];
        if (rrl__spsc_init(&c.spsc, capacity) != RRL_OK) abort();
        if (rrl__mpsc_init(&c.mpsc, capacity) != RRL_OK) abort();
        measure("ring", "spsc", capacity, 1000000, run_spsc, &c, &options);
        measure("ring", "mpsc", capacity, 1000000, run_mpsc, &c, &options);
        c.n_producers = 1;
        measure("ring", "spsc_pair", capacity, 500000, run_spsc_pair, &c, &options);
        for (c.n_producers = 1; c.n_producers <= MAX_PRODUCERS; c.n_producers *= 2) {
            char name[] = "mpsc_0";
            name[5] = (char)('0' + c.n_producers);
            measure("ring", name, capacity, 200000, run_mpsc_group, &c, &options);
        }
        rrl__spsc_destroy(&c.spsc);
        rrl__mpsc_destroy(&c.mpsc);
    }
    free(c.cpus);
    return 0;
}
