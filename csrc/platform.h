/* platform.h: what the core asks of the operating system. All of it is in platform_linux.c.
 *
 * Times are nanoseconds of one clock that never jumps back (CLOCK_MONOTONIC); deadlines are
 * absolute on it. Statuses that are not listed are not returned. */
#ifndef RRL_PLATFORM_H
#define RRL_PLATFORM_H

#include "atomic.h"
#include "rrl.h"

int64_t rrl__clock_ns(void);
/* Processor time of the calling thread. A system call: several hundred ns. */
int64_t rrl__thread_cpu_ns(void);
/* How often the calling thread lost its processor to another. A system call. */
int64_t rrl__thread_preemptions(void);

/* ---- waiting: threads of this process only --------------------------------------------------- */

/* Sleeps while *word is `expected`, at most until deadline_ns (RRL_FOREVER: no limit).
 * RRL_OK: woken, or the word differed; may also come without cause, so look again. RRL_TIMEOUT.
 * RRL_INTERRUPTED: a signal was handled by this thread. Orders nothing: load the word with acquire
 * afterwards. */
rrl_status_t rrl__futex_wait(rrl_atomic_u32_t *word, uint32_t expected, int64_t deadline_ns);
/* Wakes up to n sleepers (INT_MAX: all). A system call even if nobody sleeps. */
void rrl__futex_wake(rrl_atomic_u32_t *word, int n);
/* The same on the low half of a word: only the low 32 bits of `expected` count, and a change of the
 * high half alone keeps a sleeper asleep. */
rrl_status_t rrl__futex_wait_low32(rrl_atomic_u64_t *word, uint64_t expected, int64_t deadline_ns);
void rrl__futex_wake_low32(rrl_atomic_u64_t *word, int n);

/* ---- threads --------------------------------------------------------------------------------- */

typedef struct rrl__thread {
    uintptr_t handle;
} rrl__thread_t;

/* The new thread has all signals blocked, so they arrive where the program waits, and
 * RRL__STACK_BYTES of stack; the caller's signals are as before. RRL_E_OS: no thread was made. Join
 * exactly once. */
#define RRL__STACK_BYTES ((size_t)8 << 20)
rrl_status_t rrl__thread_start(rrl__thread_t *out_thread, void *(*entry)(void *), void *arg);
void rrl__thread_join(rrl__thread_t thread);
/* The calling thread runs on processor `cpu` only. RRL_E_OS: not allowed; nothing changed. */
rrl_status_t rrl__thread_pin(int32_t cpu);
/* The calling thread, for rrl__thread_keep_off. */
int32_t rrl__thread_id(void);
/* A sleeping thread will wake on another processor than the caller's. *out_before: the processors that it
 * could use until now, for rrl__thread_allow once it runs. False: it may use no other, or there are more
 * than RRL__MAX_CPUS; nothing changed. */
#define RRL__MAX_CPUS 1024
typedef struct rrl__cpus {
    uint64_t bits[RRL__MAX_CPUS / 64];
} rrl__cpus_t;
bool rrl__thread_keep_off(int32_t thread, rrl__cpus_t *out_before);
/* The calling thread runs on these processors. */
void rrl__thread_allow(const rrl__cpus_t *cpus);
/* Gives the processor to another thread that is ready, if there is one. */
void rrl__thread_yield(void);

/* ---- processors ------------------------------------------------------------------------------ */

/* How many processors the calling thread may use; at least 1. */
uint32_t rrl__usable_cpus(void);
/* Their numbers, ascending; free(*out_cpus). RRL_E_NOMEM, RRL_E_OS. */
rrl_status_t rrl__allowed_cpus(int32_t **out_cpus, size_t *out_n);

/* ---- files ----------------------------------------------------------------------------------- */

/* The beginning of a small text file, at most size - 1 bytes and a NUL. False: it cannot be read,
 * and the buffer holds "". */
bool rrl__file_read(const char *path, char *buffer, size_t size);

#endif
