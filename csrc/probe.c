/* How two processors stand to each other now: two threads of its own, one on each, exchange a cache
 * line, one parks until the other wakes it, and both compute at once. */
#include <stdlib.h>

#include "atomic.h"
#include "platform.h"
#include "rrl.h"

#define MAX_SAMPLES 4096
#define TRIPS 300 /* a sample; of one alone the clock's own cost would be a part */
#define SPINS_BEFORE_YIELD 256
#define NS_BEFORE_WAKE 50000 /* after its answer the partner is parked by then, nearly always */
#define TURNS 40000          /* of computing: some 50 us */
#define BURSTS 31
#define END UINT32_MAX
#define BUSY (END - 1) /* on the bell: compute until it changes */

typedef struct samples {
    int64_t ns[MAX_SAMPLES];
    size_t n;
} samples_t;

typedef struct pair {
    int32_t cpus[2];
    int64_t budget_ns; /* of the whole */
    samples_t trips, wakes, alone, beside;
    uint64_t sinks[2];           /* so that what is computed is used */
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

/* Processor time, so that other threads do not count. Four independent chains fill a core. */
static int64_t compute_ns(uint64_t *sink) {
    int64_t begin_ns = rrl__thread_cpu_ns();
    uint64_t a = *sink + 1, b = a + 1, c = b + 1, d = c + 1;
    for (int i = 0; i < TURNS; i++) {
        a = (a << 1) ^ (a >> 3);
        b = (b << 1) ^ (b >> 3);
        c = (c << 1) ^ (c >> 3);
        d = (d << 1) ^ (d >> 3);
    }
    *sink = a ^ b ^ c ^ d;
    return rrl__thread_cpu_ns() - begin_ns;
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
        while (rung == BUSY && rrl_load_acquire_u32(&p->bell) == BUSY) compute_ns(&p->sinks[1]);
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

static void ring(pair_t *p, uint32_t what) {
    rrl_store_release_u32(&p->bell, what); /* pairs with the loads in `partner` */
    rrl__futex_wake(&p->bell, 1);
}

/* How often it rang; the partner has heard it, unless the deadline passed. */
static uint32_t measure_wakes(pair_t *p, int64_t end_ns, int64_t deadline_ns) {
    uint32_t rings = 0;
    for (; p->wakes.n < MAX_SAMPLES && rrl__clock_ns() < end_ns; rings++) {
        int64_t begin_ns = rrl__clock_ns(), now_ns;
        while ((now_ns = rrl__clock_ns()) < begin_ns + NS_BEFORE_WAKE) rrl_cpu_relax();
        ring(p, rings + 1);
        if (!await_change(&p->heard, rings, deadline_ns)) return rings;
        p->wakes.ns[p->wakes.n++] = p->woken_ns - now_ns;
    }
    return rings;
}

static void measure_computing(pair_t *p, uint32_t rings, int64_t deadline_ns) {
    if (rrl__clock_ns() > deadline_ns) return;
    while (p->alone.n < BURSTS) p->alone.ns[p->alone.n++] = compute_ns(&p->sinks[0]);
    ring(p, BUSY);
    if (!await_change(&p->heard, rings, deadline_ns)) return;
    while (p->beside.n < BURSTS) p->beside.ns[p->beside.n++] = compute_ns(&p->sinks[0]);
}

static void *prober(void *arg) {
    pair_t *p = arg;
    int64_t begin_ns = rrl__clock_ns(), deadline_ns = begin_ns + 2 * p->budget_ns;
    p->rc = rrl__thread_pin(p->cpus[0]);
    if (!p->rc) measure_trips(p, begin_ns + p->budget_ns / 2, deadline_ns);
    rrl_store_release_u32(&p->ping, END); /* pairs with await_change of the partner */
    if (!p->rc) {
        uint32_t rings = measure_wakes(p, begin_ns + p->budget_ns, deadline_ns);
        measure_computing(p, rings, deadline_ns);
    }
    ring(p, END);
    return NULL;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The sample that `tenths` of ten are not above. */
static int64_t quantile(samples_t *samples, size_t tenths) {
    qsort(samples->ns, samples->n, sizeof *samples->ns, by_size);
    return samples->ns[samples->n * tenths / 10];
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
    if (!p.trips.n || !p.wakes.n || !p.beside.n) return RRL_TIMEOUT;
    *out_probe = (rrl_probe_t){
        .trip_ns = quantile(&p.trips, 5),
        .slow_trip_ns = quantile(&p.trips, 9),
        .wake_ns = quantile(&p.wakes, 5),
        .slow_wake_ns = quantile(&p.wakes, 9),
        .alone_ns = quantile(&p.alone, 5),
        .beside_ns = quantile(&p.beside, 5),
    };
    return RRL_OK;
}
