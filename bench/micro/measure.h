/* measure.h: repeat, throw away what was disturbed, print one JSON line.
 *
 * A case is a function that does `n` operations and returns how long they took. A repetition during
 * which this thread lost its processor is not counted (unless more than half are like that: a busy
 * machine). */
#ifndef RRL_BENCH_MEASURE_H
#define RRL_BENCH_MEASURE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"

#define MAX_REPEATS 101

typedef struct measure_options {
    int repeats;
    uint64_t scale_percent; /* of each case's operations */
} measure_options_t;

/* Arguments: [--smoke]. */
static inline measure_options_t measure_options(int argc, char **argv) {
    bool is_smoke = argc > 1 && strcmp(argv[1], "--smoke") == 0;
    return is_smoke ? (measure_options_t){3, 2} : (measure_options_t){21, 100};
}

static inline int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline void measure(const char *bench, const char *name, uint64_t size, uint64_t n,
                           int64_t (*run)(void *ctx, uint64_t n), void *ctx,
                           const measure_options_t *options) {
    double samples[MAX_REPEATS];
    int n_kept = 0, n_disturbed = 0;
    n = n * options->scale_percent / 100 + 1;
    run(ctx, n); /* caches, branch predictors, page faults */
    for (int i = 0; i < options->repeats; i++) {
        int64_t preemptions = rrl__thread_preemptions();
        double ns = (double)run(ctx, n) / (double)n;
        bool is_disturbed = rrl__thread_preemptions() != preemptions;
        if (is_disturbed && ++n_disturbed <= options->repeats / 2) continue;
        samples[n_kept++] = ns;
    }
    qsort(samples, (size_t)n_kept, sizeof *samples, compare_doubles);
    printf("{\"bench\": \"%s\", \"case\": \"%s\", \"size\": %" PRIu64 ", \"min_ns\": %.2f, "
           "\"median_ns\": %.2f, \"operations\": %" PRIu64
           ", \"repeats\": %d, \"disturbed\": %d}\n",
           bench, name, size, samples[0], samples[n_kept / 2], n, n_kept, n_disturbed);
    fflush(stdout);
}

#endif
