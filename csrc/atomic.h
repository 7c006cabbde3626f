/* atomic.h: the only file that knows <stdatomic.h>.
 *
 * An access names its order; there is none without one, none with seq_cst, and no fence: order lies
 * on the operations, where ThreadSanitizer sees it. The types are structs, so that a plain access
 * to an atomic field does not compile.
 *
 *   _u32 _u64 _i64 _ptr   rrl_load_relaxed   rrl_load_acquire
 *                         rrl_store_relaxed  rrl_store_release
 *                         rrl_xchg_acq_rel   rrl_cas_acq_rel    rrl_cas_weak_acq_rel
 *   _u32 _u64 _i64        rrl_add_relaxed    rrl_add_acq_rel    rrl_sub_acq_rel
 *   _u32 _u64             rrl_or_acq_rel     rrl_and_acq_rel
 *
 * Add, sub, or, and, xchg return the value before. A cas that fails loads with acquire and leaves
 * what it saw in *expected; the weak form may fail without cause.
 *
 * There is no lost wake-up without seq_cst as long as both sides go through ONE word: the waker
 * changes it with a read-modify-write after its work, the sleeper looks for work between reading
 * the word and handing that value to the futex (tests/c/litmus.c, park_wake). */
#ifndef RRL_ATOMIC_H
#define RRL_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Two lines of x86, whose prefetcher fetches pairs; one line of Apple's and some ARM cores. */
#define RRL_CACHE_LINE 128
#define RRL_ALIGNED_LINE __attribute__((aligned(RRL_CACHE_LINE)))

/* Builds with RRL_TEST_YIELD: every access below first may give the processor away, at points
 * chosen by a generator of the thread. A thread that never seeds it, or seeds 0, never yields.
 * The same seed makes the same choices at the n-th access of each thread, every time; what the
 * system runs meanwhile is its own affair, so a failing seed makes a failure likely to come
 * again, and tests/c/model one that comes again for certain. */
#ifdef RRL_TEST_YIELD
void rrl_test_yield_seed(uint64_t seed);
/* All choices of this thread so far, mixed; 0: it never yields. */
uint64_t rrl_test_yield_state(void);
void rrl__test_yield(void);
#else
static inline void rrl__test_yield(void) {}
#endif

/* Builds with RRL_MODEL_CHECK: the model checker goes to another thread (tests/c/model). */
#ifdef RRL_MODEL_CHECK
void rrl__model_pause(void);
#endif

static inline void rrl_cpu_relax(void) {
#if defined(RRL_MODEL_CHECK)
    rrl__model_pause();
#elif defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#else
    __asm__ __volatile__("" ::: "memory");
#endif
}

#define RRL__DEFINE_ATOMIC(s, T)                                                                   \
    typedef struct rrl_atomic_##s {                                                                \
        _Atomic(T) word;                                                                           \
    } rrl_atomic_##s##_t;                                                                          \
    static inline T rrl_load_relaxed_##s(const rrl_atomic_##s##_t *a) {                            \
        rrl__test_yield();                                                                         \
        return atomic_load_explicit(&a->word, memory_order_relaxed);                               \
    }                                                                                              \
    static inline T rrl_load_acquire_##s(const rrl_atomic_##s##_t *a) {                            \
        rrl__test_yield();                                                                         \
        return atomic_load_explicit(&a->word, memory_order_acquire);                               \
    }                                                                                              \
    static inline void rrl_store_relaxed_##s(rrl_atomic_##s##_t *a, T value) {                     \
        rrl__test_yield();                                                                         \
        atomic_store_explicit(&a->word, value, memory_order_relaxed);                              \
    }                                                                                              \
    static inline void rrl_store_release_##s(rrl_atomic_##s##_t *a, T value) {                     \
        rrl__test_yield();                                                                         \
        atomic_store_explicit(&a->word, value, memory_order_release);                              \
    }                                                                                              \
    static inline T rrl_xchg_acq_rel_##s(rrl_atomic_##s##_t *a, T value) {                         \
        rrl__test_yield();                                                                         \
        return atomic_exchange_explicit(&a->word, value, memory_order_acq_rel);                    \
    }                                                                                              \
    static inline bool rrl_cas_acq_rel_##s(rrl_atomic_##s##_t *a, T *expected, T desired) {        \
        rrl__test_yield();                                                                         \
        return atomic_compare_exchange_strong_explicit(                                            \
            &a->word, expected, desired, memory_order_acq_rel, memory_order_acquire);              \
    }                                                                                              \
    static inline bool rrl_cas_weak_acq_rel_##s(rrl_atomic_##s##_t *a, T *expected, T desired) {   \
        rrl__test_yield();                                                                         \
        return atomic_compare_exchange_weak_explicit(&a->word, expected, desired,                  \
                                                     memory_order_acq_rel, memory_order_acquire);  \
    }

#define RRL__DEFINE_ATOMIC_RMW(verb, order, s, T)                                                  \
    static inline T rrl_##verb##_##order##_##s(rrl_atomic_##s##_t *a, T operand) {                 \
        rrl__test_yield();                                                                         \
        return atomic_fetch_##verb##_explicit(&a->word, operand, memory_order_##order);            \
    }

#define RRL__DEFINE_ATOMIC_SUM(s, T)                                                               \
    RRL__DEFINE_ATOMIC_RMW(add, relaxed, s, T)                                                     \
    RRL__DEFINE_ATOMIC_RMW(add, acq_rel, s, T)                                                     \
    RRL__DEFINE_ATOMIC_RMW(sub, acq_rel, s, T)

#define RRL__DEFINE_ATOMIC_BITS(s, T)                                                              \
    RRL__DEFINE_ATOMIC_RMW(or, acq_rel, s, T)                                                      \
    RRL__DEFINE_ATOMIC_RMW(and, acq_rel, s, T)

RRL__DEFINE_ATOMIC(u32, uint32_t)
RRL__DEFINE_ATOMIC_SUM(u32, uint32_t)
RRL__DEFINE_ATOMIC_BITS(u32, uint32_t)

RRL__DEFINE_ATOMIC(u64, uint64_t)
RRL__DEFINE_ATOMIC_SUM(u64, uint64_t)
RRL__DEFINE_ATOMIC_BITS(u64, uint64_t)

RRL__DEFINE_ATOMIC(i64, int64_t)
RRL__DEFINE_ATOMIC_SUM(i64, int64_t)

RRL__DEFINE_ATOMIC(ptr, void *)

#undef RRL__DEFINE_ATOMIC
#undef RRL__DEFINE_ATOMIC_RMW
#undef RRL__DEFINE_ATOMIC_SUM
#undef RRL__DEFINE_ATOMIC_BITS

_Static_assert(sizeof(rrl_atomic_u32_t) == 4 && sizeof(rrl_atomic_u64_t) == 8, "plain words");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "no hidden locks");
_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "no hidden locks");

#endif
