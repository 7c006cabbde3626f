/* roundtrip: how two processors stand to each other now.
 *
 * A hypervisor moves virtual processors between cores that share a cache, cores that do not, and
 * two hardware threads of one core, and says so nowhere. For each line "A B" on standard input:
 *
 *     <ns of a cache line's round trip between A and B> <slow-down of A when B computes too>
 *
 * The first tells near from far. The second, in processor time so that other processes do not
 * count, is about 1.0 on cores of their own and up to 2 on one core.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define BATCHES 9
#define TRIPS 300
#define TURNS 40000
#define SPINS_BEFORE_YIELD 20000

typedef struct line {
    _Alignas(128) atomic_uint_fast64_t value;
} line_t;

static line_t ping, pong, gate;
static volatile uint64_t sink;
static int cpus[2];

static int64_t now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* Spins until the line holds `value`, and lets others run if that takes long. */
static void await(line_t *line, uint64_t value) {
    for (unsigned spins = 1; atomic_load_explicit(&line->value, memory_order_acquire) != value;
         spins++) {
        if (spins % SPINS_BEFORE_YIELD == 0) {
            sched_yield();
        }
    }
}

/* Processor time in ns. Four independent chains fill a core, so that a sibling is felt. */
static int64_t compute_ns(void) {
    int64_t begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
    uint64_t a = 1, b = 2, c = 3, d = 4;
    for (int i = 0; i < TURNS; i++) {
        a = (a << 1) ^ (a >> 3);
        b = (b << 1) ^ (b >> 3);
        c = (c << 1) ^ (c >> 3);
        d = (d << 1) ^ (d >> 3);
    }
    sink = a ^ b ^ c ^ d;
    return now_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
}

static void *partner(void *unused) {
    (void)unused;
    pin(cpus[1]);
    uint64_t trip = 0;
    for (int batch = 0; batch < BATCHES; batch++) {
        for (int i = 0; i < TRIPS; i++) {
            trip++;
            await(&ping, trip);
            atomic_store_explicit(&pong.value, trip, memory_order_release);
        }
    }
    for (uint64_t batch = 1; batch <= BATCHES; batch++) {
        await(&gate, 2 * batch - 1);
        atomic_store_explicit(&gate.value, 2 * batch, memory_order_release);
        compute_ns();
        compute_ns();
    }
    return NULL;
}

int main(void) {
    while (scanf("%d %d", &cpus[0], &cpus[1]) == 2) {
        int64_t trip_ns = INT64_MAX, alone_ns = INT64_MAX, both_ns = INT64_MAX;
        pin(cpus[0]);
        for (int batch = 0; batch < BATCHES; batch++) {
            int64_t ns = compute_ns();
            alone_ns = ns < alone_ns ? ns : alone_ns;
        }
        atomic_store(&ping.value, 0);
        atomic_store(&pong.value, 0);
        atomic_store(&gate.value, 0);
        pthread_t thread;
        if (pthread_create(&thread, NULL, partner, NULL) != 0) {
            return 1;
        }
        uint64_t trip = 0;
        for (int batch = 0; batch < BATCHES; batch++) {
            int64_t begin = now_ns(CLOCK_MONOTONIC);
            for (int i = 0; i < TRIPS; i++) {
                atomic_store_explicit(&ping.value, ++trip, memory_order_release);
                await(&pong, trip);
            }
            int64_t ns = (now_ns(CLOCK_MONOTONIC) - begin) / TRIPS;
            trip_ns = ns < trip_ns ? ns : trip_ns;
        }
        for (uint64_t batch = 1; batch <= BATCHES; batch++) {
            atomic_store_explicit(&gate.value, 2 * batch - 1, memory_order_release);
            await(&gate, 2 * batch);
            int64_t ns = compute_ns();
            both_ns = ns < both_ns ? ns : both_ns;
        }
        pthread_join(thread, NULL);
        printf("%ld %.3f\n", (long)trip_ns, (double)both_ns / (double)alone_ns);
        fflush(stdout);
    }
    return 0;
}
