/* n_step.h: n-step returns, put together from single steps when they are drawn.
 *
 * Steps lie in slots, lane by lane: that of position p of lane l is l * per_lane + p % per_lane, and
 * position p + 1 is the step after p. A lane holds its positions below `written`, at most per_lane of them.
 *
 *     lane l   [ 8 9 | 4 5 6 7 ]    written = 10, per_lane = 6: from the oldest, 4, to the newest, 9
 *
 * All memory is the caller's; nothing is written but what is `out`. Any number of threads, as long as
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

/* What begins at some slots: an array of each, the caller's. */
typedef struct rrl_n_step_returns {
    float *rewards;   /* sum of gamma^k times the k-th reward, to the n-th step or the end before */
    float *discounts; /* gamma to the number of steps; 0 if the last one terminated */
    int64_t *lanes;
    int64_t *indices;   /* position * n_lanes + lane */
    int64_t *rows;      /* of the observation at the slot */
    int64_t *next_rows; /* of the one that the last step led to */
} rrl_n_step_returns_t;

/* Each of the n_slots slots holds a step. A return ends with its episode, and at the newest step of its
 * lane. */
void rrl_n_step_gather(const rrl_n_step_t *of, int64_t n_slots, const int64_t *slots,
                       rrl_n_step_returns_t out);

/* The first position of a lane, from `first` on, whose row is `oldest` or a later one; `written` if there
 * is none. Rows do not decrease along a lane. */
int64_t rrl_n_step_first(const rrl_n_step_t *of, int64_t lane, int64_t first, int64_t oldest);

#endif
