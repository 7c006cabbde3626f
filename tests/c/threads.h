/* threads.h: run a few threads over one context and wait for all of them. */
#ifndef RRL_TEST_THREADS_H
#define RRL_TEST_THREADS_H

#include "check.h"
#include "platform.h"

#define MAX_THREADS 8

typedef void (*thread_body_t)(void *ctx, uint32_t index);

typedef struct thread_arg {
    thread_body_t body;
    void *ctx;
    uint64_t seed;
    uint32_t index;
    rrl_atomic_u32_t *n_missing;
} thread_arg_t;

static inline void *enter_thread(void *arg) {
    thread_arg_t *a = arg;
    /* All begin together, or the first would be done before the last exists. */
    rrl_sub_acq_rel_u32(a->n_missing, 1);
    while (rrl_load_acquire_u32(a->n_missing)) rrl__thread_yield();
    rrl_test_yield_seed(a->seed ? a->seed * MAX_THREADS + a->index : 0);
    a->body(a->ctx, a->index);
    return NULL;
}

/* bodies[i] on thread i. seed 0: no yields. */
static inline void run_threads(const thread_body_t *bodies, uint32_t n, void *ctx, uint64_t seed) {
    rrl__thread_t threads[MAX_THREADS];
    thread_arg_t args[MAX_THREADS];
    rrl_atomic_u32_t n_missing;
    CHECK(n <= MAX_THREADS);
    rrl_store_relaxed_u32(&n_missing, n);
    for (uint32_t i = 0; i < n; i++) {
        args[i] = (thread_arg_t){bodies[i], ctx, seed, i, &n_missing};
        CHECK_EQ(rrl__thread_start(&threads[i], enter_thread, &args[i]), RRL_OK);
    }
    for (uint32_t i = 0; i < n; i++) rrl__thread_join(threads[i]);
}

#endif
