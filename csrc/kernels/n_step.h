/* n_step.h: n-step returns, put together from single steps when they are drawn.
 *
 * Steps lie in slots, lane by lane: that of position p of lane l is l * per_lane + p % per_lane, and
 * position p + 1 is the step after p. A lane holds its positions below `written`, at most per_lane of them.
 *
 *     lane l   [ 8 9 | 4 5 6 7 ]    written = 10, per_lane = 6: from the oldest, 4, to the newest, 9
 *
 * All memory is the caller's; nothing is written but what is `out_`. Any number of threads, as long as
 * nobody writes. */
#ifndef RRL_N_STEP_H
#define RRL_N_STEP_H

#include <stdint.h>

/* One step, as NumPy has it in an array: four to a cache line. */
typedef struct rrl_step {
    int64_t row; /* of the observation */
    float reward;
    uint8_t row_step;   /* from `row` to the row of what followed */
    uint8_t terminated; /* not 0: no value follows */
    uint8_t ended;      /* not 0: the episode ended, one way or the other */
    uint8_t unused;
} rrl_step_t;

_Static_assert(sizeof(rrl_step_t) == 16, "without holes");

typedef struct rrl_n_step {
    int64_t per_lane, n_lanes;
    const rrl_step_t *steps; /* by slot */
    const int64_t *written;  /* [n_lanes] positions until now */
    int64_t n;               /* steps of a return, at least 1 */
    double gamma;
} rrl_n_step_t;

/* What begins at one slot. */
typedef struct rrl_n_step_return {
    double reward;   /* sum of gamma^k times the k-th reward, to the n-th step or the end before */
    double discount; /* gamma to the number of steps; 0 if the last one terminated */
    int64_t lane, position;
    int64_t row;      /* of the observation at the slot */
    int64_t next_row; /* of the one that the last step led to */
} rrl_n_step_return_t;

/* The slot holds a step. A return ends with its episode, and at the newest step of its lane. */
rrl_n_step_return_t rrl_n_step_from(const rrl_n_step_t *of, int64_t slot);

#endif
