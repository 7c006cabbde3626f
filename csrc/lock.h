/* lock.h: a lock for short sections that never wait inside. Three states, so that an unlock without
 * contention makes no system call (U. Drepper, Futexes Are Tricky, 2011, mutex 2). */
#ifndef RRL_LOCK_H
#define RRL_LOCK_H

#include "platform.h"

enum { RRL__UNLOCKED, RRL__LOCKED, RRL__CONTENDED };

typedef struct rrl__lock {
    rrl_atomic_u32_t word;
} rrl__lock_t;

static inline bool rrl__lock_try(rrl__lock_t *lock) {
    uint32_t seen = RRL__UNLOCKED;
    return rrl_cas_acq_rel_u32(&lock->word, &seen, RRL__LOCKED); /* acquire: pairs with release */
}

static inline void rrl__lock_acquire(rrl__lock_t *lock) {
    if (rrl__lock_try(lock)) return;
    while (rrl_xchg_acq_rel_u32(&lock->word, RRL__CONTENDED) != RRL__UNLOCKED)
        rrl__futex_wait(&lock->word, RRL__CONTENDED, RRL_FOREVER);
}

static inline void rrl__lock_release(rrl__lock_t *lock) {
    if (rrl_xchg_acq_rel_u32(&lock->word, RRL__UNLOCKED) == RRL__CONTENDED)
        rrl__futex_wake(&lock->word, 1);
}

#endif
