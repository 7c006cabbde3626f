/* trace.h: what a run leaves behind for its trace file.
 *
 * A *lane* is a ring of records with one writer at a time: a worker's is its own, an enclave's is its
 * coordinator's. Nobody locks, allocates or waits; of more records than fit, the last ones stay. Whatever is
 * called for a program without a trace costs one comparison. */
#ifndef RRL_TRACE_H
#define RRL_TRACE_H

#include "rrl.h"

typedef struct rrl_lane {
    rrl_trace_record_t *records; /* [mask + 1] */
    uint64_t n;                  /* ever written */
    uint64_t mask;
} rrl_lane_t;

/* Where the last slice of a worker ended, and how long its lists were then: what is more at the end of a body
 * is the body's. */
typedef struct rrl_mark {
    int64_t ns; /* of the clock; 0: there was none */
    uint32_t n_set, n_wakes, n_failed;
    bool is_coordinating;
} rrl_mark_t;

/* `capacity` is a power of two, or 0. RRL_E_INVAL, RRL_E_NOMEM. */
rrl_status_t rrl__lane_init(rrl_lane_t *lane, uint32_t capacity);
void rrl__lane_destroy(rrl_lane_t *lane);

#endif
