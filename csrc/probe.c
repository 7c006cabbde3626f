/* How two processors stand to each other now: two threads of its own, one on each, exchange a cache
 * line, and one parks until the other wakes it. */
#include <stdlib.h>

#include "atomic.h"
#include "platform.h"
#include "rrl.h"

#define MAX_SAMPLES 4096
#define TRIPS 300 /* a sample; of one alone the clock's own cost would be a part */
#define SPINS_BEFORE_YIELD 256
#define NS_BEFORE_WAKE 50000 /* after its answer the partner is parked by then, nearly always */
#define END UINT32_MAX

typedef struct samples {
    int64_t ns[MAX_SAMPLES];
    size_t n;
} samples_t;

typedef struct pair {
    int32_t cpus[2];
    int64_t budget_ns; /* of the whole */
    samples_t trips, wakes;
    rrl_status_t rc, partner_rc; /* each its thread's, read after the join */
    /* Written by the prober, read by the partner: what to answer, END at last. Publishes nothing. */
    RRL_ALIGNED_LINE rrl_atomic_u32_t ping;
    /* The reverse: the last ping answered. Publishes nothing. */
    RRL_ALIGNED_LINE rrl_atomic_u32_t pong;
    /* As ping, and what the partner parks on. */
    RRL_ALIGNED_LINE rrl_atomic_u32_t bell;
    /* As pong, for the bell; publishes woken_ns, when the partner saw its last change. */
    RRL_ALIGNED_LINE rrl_atomic_u32_t heard;
    int64_t woken_ns;
} pair_t;

/* Spins until the word is not `old`; 0: not until the deadline. */
static uint32_t await_change(rrl_atomic_u32_t *word, uint32_t old, int64_t deadline_ns) {
    for (uint32_t spins = 1;; spins++) {
        uint32_t now = rrl_load_acquire_u32(word); /* pairs with the store of whoever answers */
        if (now != old) return now;
        if (spins % SPINS_BEFORE_YIELD == 0) {
            if (rrl__clock_ns() > deadline_ns) return 0;
            rrl__thread_yield(); /* both may share one processor */
        }
        rrl_cpu_relax();
    }
}

static void *partner(void *arg) {
    pair_t *p = arg;
    p->partner_rc = rrl__thread_pin(p->cpus[1]);
    uint32_t asked = 0;
    while ((asked = await_change(&p->ping, asked, RRL_FOREVER)) != END)
        rrl_store_release_u32(&p->pong, asked); /* pairs with await_change of the prober */
    uint32_t rung = 0;
    for (;;) {
        uint32_t now = rrl_load_acquire_u32(&p->bell); /* pairs with measure_wakes */
        if (now == END) return NULL;
        if (now == rung) {
            rrl__futex_wait(&p->bell, rung, RRL_FOREVER);
            continue;
        }
        p->woken_ns = rrl__clock_ns();
        rung = now;
        rrl_store_release_u32(&p->heard, rung); /* pairs with await_change of the prober */
    }
}

static void measure_trips(pair_t *p, int64_t end_ns, int64_t deadline_ns) {
    uint32_t trip = 0;
    while (p->trips.n < MAX_SAMPLES && rrl__clock_ns() < end_ns) {
        int64_t begin_ns = rrl__clock_ns();
        for (int i = 0; i < TRIPS; i++) {
            rrl_store_release_u32(&p->ping, trip + 1); /* pairs with await_change of the partner */
            if (!await_change(&p->pong, trip, deadline_ns)) return;
            trip++;
        }
        p->trips.ns[p->trips.n++] = (rrl__clock_ns() - begin_ns) / TRIPS;
    }
}

static void measure_wakes(pair_t *p, int64_t end_ns, int64_t deadline_ns) {
    for (uint32_t rings = 0; p->wakes.n < MAX_SAMPLES && rrl__clock_ns() < end_ns; rings++) {
        int64_t begin_ns = rrl__clock_ns(), now_ns;
        while ((now_ns = rrl__clock_ns()) < begin_ns + NS_BEFORE_WAKE) rrl_cpu_relax();
        rrl_store_release_u32(&p->bell, rings + 1); /* pairs with the load in `partner` */
        rrl__futex_wake(&p->bell, 1);
        if (!await_change(&p->heard, rings, deadline_ns)) return;
        p->wakes.ns[p->wakes.n++] = p->woken_ns - now_ns;
    }
}

static void *prober(void *arg) {
    pair_t *p = arg;
    int64_t begin_ns = rrl__clock_ns(), deadline_ns = begin_ns + 2 * p->budget_ns;
    p->rc = rrl__thread_pin(p->cpus[0]);
    if (!p->rc) measure_trips(p, begin_ns + p->budget_ns / 2, deadline_ns);
    rrl_store_release_u32(&p->ping, END); /* pairs with await_change of the partner */
    if (!p->rc) measure_wakes(p, begin_ns + p->budget_ns, deadline_ns);
    rrl_store_release_u32(&p->bell, END); /* pairs with the load in `partner` */
    rrl__futex_wake(&p->bell, 1);
    return NULL;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void summarize(samples_t *samples, int64_t *out_median_ns, int64_t *out_slow_ns) {
    qsort(samples->ns, samples->n, sizeof *samples->ns, by_size);
    *out_median_ns = samples->ns[samples->n / 2];
    *out_slow_ns = samples->ns[samples->n * 9 / 10];
}

rrl_status_t rrl_probe(int32_t a, int32_t b, int64_t budget_ns, rrl_probe_t *out_probe) {
    pair_t p = {.cpus = {a, b}, .budget_ns = budget_ns};
    rrl__thread_t threads[2];
    rrl_status_t rc = rrl__thread_start(&threads[0], partner, &p);
    if (rc) return rc;
    rc = rrl__thread_start(&threads[1], prober, &p);
    if (rc) {
        rrl_store_release_u32(&p.ping, END); /* both pair with the loads in `partner` */
        rrl_store_release_u32(&p.bell, END);
    } else {
        rrl__thread_join(threads[1]);
    }
    rrl__thread_join(threads[0]);
    if (rc) return rc;
    if (p.rc || p.partner_rc) return RRL_E_OS;
    if (!p.trips.n || !p.wakes.n) return RRL_TIMEOUT;
    summarize(&p.trips, &out_probe->trip_ns, &out_probe->slow_trip_ns);
    summarize(&p.wakes, &out_probe->wake_ns, &out_probe->slow_wake_ns);
    return RRL_OK;
}
