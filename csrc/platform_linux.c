#define _GNU_SOURCE
#include "platform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

#define NS_PER_S 1000000000

/* ---- clocks ---------------------------------------------------------------------------------- */

static int64_t read_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t); /* cannot fail: the clock exists and t is ours */
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t rrl__clock_ns(void) { return read_clock(CLOCK_MONOTONIC); }

int64_t rrl__thread_cpu_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

int64_t rrl__thread_preemptions(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

/* ---- futex ----------------------------------------------------------------------------------- */

static rrl_status_t wait_word(const void *word, uint32_t expected, int64_t deadline_ns) {
    if (deadline_ns < 0) deadline_ns = 0; /* long past, and the kernel refuses it */
    /* RRL_FOREVER is a time too, centuries away: without one the kernel would go on waiting after a
     * signal whose handler was installed with SA_RESTART, and Ctrl-C would not end the wait. */
    struct timespec limit = {.tv_sec = (time_t)(deadline_ns / NS_PER_S),
                             .tv_nsec = (long)(deadline_ns % NS_PER_S)};
    /* The bitset form, because its timeout is absolute. */
    if (syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected, &limit, NULL,
                FUTEX_BITSET_MATCH_ANY) == 0)
        return RRL_OK;
    switch (errno) {
    case ETIMEDOUT:
        return RRL_TIMEOUT;
    case EINTR:
        return RRL_INTERRUPTED;
    default:
        return RRL_OK; /* EAGAIN: the word differs */
    }
}

static void wake_word(const void *word, int n) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

rrl_status_t rrl__futex_wait(rrl_atomic_u32_t *word, uint32_t expected, int64_t deadline_ns) {
    return wait_word(word, expected, deadline_ns);
}

void rrl__futex_wake(rrl_atomic_u32_t *word, int n) { wake_word(word, n); }

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the low half of a word is at its address");

rrl_status_t rrl__futex_wait_low32(rrl_atomic_u64_t *word, uint64_t expected, int64_t deadline_ns) {
    return wait_word(word, (uint32_t)expected, deadline_ns);
}

void rrl__futex_wake_low32(rrl_atomic_u64_t *word, int n) { wake_word(word, n); }

/* ---- threads --------------------------------------------------------------------------------- */

_Static_assert(sizeof(pthread_t) == sizeof(uintptr_t), "a handle holds a pthread_t");

rrl_status_t rrl__thread_start(rrl__thread_t *out_thread, void *(*entry)(void *), void *arg) {
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0) return RRL_E_OS;
    pthread_attr_setstacksize(&attributes, RRL__STACK_BYTES);
    /* The new thread inherits the mask; blocking inside it would leave a gap. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attributes, entry, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error) return RRL_E_OS;
    out_thread->handle = (uintptr_t)thread;
    return RRL_OK;
}

void rrl__thread_join(rrl__thread_t thread) { pthread_join((pthread_t)thread.handle, NULL); }

int32_t rrl__thread_id(void) { return (int32_t)syscall(SYS_gettid); }

_Static_assert(sizeof(rrl__cpus_t) == sizeof(cpu_set_t), "both have a bit for each processor");

bool rrl__thread_keep_off(int32_t thread, rrl__cpus_t *out_before) {
    cpu_set_t set;
    int here = sched_getcpu();
    if (here < 0 || sched_getaffinity(thread, sizeof set, &set)) return false;
    memcpy(out_before, &set, sizeof set);
    if (here < CPU_SETSIZE) CPU_CLR(here, &set);
    return CPU_COUNT(&set) && sched_setaffinity(thread, sizeof set, &set) == 0;
}

void rrl__thread_allow(const rrl__cpus_t *cpus) {
    cpu_set_t set;
    memcpy(&set, cpus, sizeof set);
    sched_setaffinity(0, sizeof set, &set); /* refused only if none of them is left */
}

void rrl__thread_yield(void) { sched_yield(); }

/* ---- processors ------------------------------------------------------------------------------ */

rrl_status_t rrl__thread_pin(int32_t cpu) {
    if (cpu < 0) return RRL_E_OS;
    size_t size = CPU_ALLOC_SIZE((size_t)cpu + 1);
    cpu_set_t *set = CPU_ALLOC((size_t)cpu + 1);
    if (!set) return RRL_E_OS;
    CPU_ZERO_S(size, set);
    CPU_SET_S((size_t)cpu, size, set);
    int error = sched_setaffinity(0, size, set);
    CPU_FREE(set);
    return error ? RRL_E_OS : RRL_OK;
}

/* The kernel refuses a set that is smaller than its own, and does not say how large that is. */
static cpu_set_t *read_allowed(size_t *out_size, size_t *out_n_bits) {
    for (size_t n_bits = 1024; n_bits <= (size_t)1 << 20; n_bits *= 2) {
        size_t size = CPU_ALLOC_SIZE(n_bits);
        cpu_set_t *set = CPU_ALLOC(n_bits);
        if (!set) return NULL;
        CPU_ZERO_S(size, set);
        if (sched_getaffinity(0, size, set) == 0) {
            *out_size = size;
            *out_n_bits = n_bits;
            return set;
        }
        CPU_FREE(set);
        if (errno != EINVAL) return NULL;
    }
    return NULL;
}

uint32_t rrl__usable_cpus(void) {
    size_t size, n_bits;
    cpu_set_t *set = read_allowed(&size, &n_bits);
    if (!set) return 1;
    int n = CPU_COUNT_S(size, set);
    CPU_FREE(set);
    return n > 0 ? (uint32_t)n : 1;
}

rrl_status_t rrl__allowed_cpus(int32_t **out_cpus, size_t *out_n) {
    size_t size, n_bits, n = 0;
    cpu_set_t *set = read_allowed(&size, &n_bits);
    if (!set) return RRL_E_OS;
    int32_t *cpus = rrl__malloc(n_bits * sizeof *cpus);
    if (cpus) {
        for (size_t cpu = 0; cpu < n_bits; cpu++) {
            if (CPU_ISSET_S(cpu, size, set)) cpus[n++] = (int32_t)cpu;
        }
    }
    CPU_FREE(set);
    if (!cpus) return RRL_E_NOMEM;
    *out_cpus = cpus;
    *out_n = n;
    return RRL_OK;
}

/* ---- files ----------------------------------------------------------------------------------- */

bool rrl__file_read(const char *path, char *buffer, size_t size) {
    size_t n = 0;
    ssize_t got = -1;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        while (n < size - 1) {
            got = read(file, buffer + n, size - 1 - n);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) break;
            n += (size_t)got;
        }
        close(file);
    }
    if (got < 0) n = 0;
    buffer[n] = '\0';
    return got >= 0;
}

/* ---- refused allocations --------------------------------------------------------------------- */

#ifdef RRL_TEST_ALLOC
/* Of all threads; in test builds only. */
static int64_t n_until_refusal = -1, n_blocks;

void rrl_test_refuse(int64_t k) { __atomic_store_n(&n_until_refusal, k, __ATOMIC_RELAXED); }

int64_t rrl_test_until_refusal(void) { return __atomic_load_n(&n_until_refusal, __ATOMIC_RELAXED); }

int64_t rrl_test_n_blocks(void) { return __atomic_load_n(&n_blocks, __ATOMIC_RELAXED); }

bool rrl__test_is_refused(void) {
    int64_t left = rrl_test_until_refusal();
    while (left >= 0) {
        if (__atomic_compare_exchange_n(&n_until_refusal, &left, left - 1, true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
            return left == 0;
    }
    return false;
}

void *rrl__test_count(void *block, int n) {
    if (block) __atomic_add_fetch(&n_blocks, n, __ATOMIC_RELAXED);
    return block;
}
#endif

/* ---- test yields ----------------------------------------------------------------------------- */

#ifdef RRL_TEST_YIELD
/* The one thread-local of the core, in test builds only. xorshift64; 0: never yield. */
static _Thread_local uint64_t yield_state;

void rrl_test_yield_seed(uint64_t seed) {
    /* Seeds come as 1, 2, 3 ...: spread them (splitmix64), or the first choices would agree. */
    uint64_t z = seed * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    yield_state = seed ? (z ^ z >> 27) | 1 : 0;
}

uint64_t rrl_test_yield_state(void) { return yield_state; }

void rrl__test_yield(void) {
    if (!yield_state) return;
    yield_state ^= yield_state << 13;
    yield_state ^= yield_state >> 7;
    yield_state ^= yield_state << 17;
    uint32_t choice = (uint32_t)(yield_state >> 32) % 64;
    if (choice < 2) {
        sched_yield();
    } else if (choice < 6) {
        for (uint32_t i = 0; i < 4 * choice; i++) rrl_cpu_relax();
    }
}
#endif
