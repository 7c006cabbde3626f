/* model.h: what a check of the model checker looks like, and what it may use.
 *
 * The code under check is the core itself, compiled as it is, with -fsanitize=thread: the compiler then
 * calls a function for every access to memory, and relacy.cpp answers those calls with Relacy instead of
 * with ThreadSanitizer. Atomic accesses become Relacy's, whose loads may return any value that their order
 * allows; plain accesses are held against the happens-before that the atomic ones made. Threads are
 * fibers: a thread is left before an atomic access, a wait or a yield, never elsewhere. */
#ifndef RRL_MODEL_H
#define RRL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MODEL_MAX_THREADS 4

/* How the interleavings are chosen. */
typedef enum model_search {
    MODEL_FULL,   /* all of them */
    MODEL_BOUND,  /* all with at most `bound` switches away from a thread that could go on */
    MODEL_RANDOM, /* `bound` of them, by seeds 1, 2, ... */
} model_search_t;

typedef struct model_check {
    const char *name;
    uint32_t n_threads;
    model_search_t search;
    uint32_t bound;
    void (*before)(void); /* alone: makes what the threads share, all of it on the heap */
    void (*thread)(uint32_t index);
    void (*after)(void);         /* alone: what must hold at the end; frees everything */
    bool may_wake_without_cause; /* waits may return at any time */
} model_check_t;

/* Of this executable; the last one has no name. */
extern const model_check_t model_checks[];

void model_fail(const char *what);
#define MODEL_CHECK(expr) ((expr) ? (void)0 : model_fail(#expr))

/* One of 0 ... n - 1; every one is tried. */
uint32_t model_choice(uint32_t n);
/* Says that the thread goes round a loop until another has done something. */
void model_yield(void);
/* How far the clock goes from one look at it to the next. */
void model_clock_step(int64_t ns);

/* Threads that the core started in before(): thread `index` of the check runs the one that was started
 * as number `index`. */
void model_run_started(uint32_t index);
/* Whether rrl__thread_start has been called more than `index` times. */
bool model_is_started(uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
