/* sum_tree.h: sums over many changing values, for drawing an index in proportion to its value.
 *
 * A tree of nodes of eight cells, each node one cache line. Level 0 holds the leaves; a cell of level l + 1
 * is the sum of one node of level l; the last level is one cell, the total. A million leaves make seven
 * levels of nodes.
 *
 *     level 2   [T]
 *     level 1   [a b . . . . . .]                          T = a + b + ...
 *     level 0   [. . . . . . . .][. . . . . . . .]...      a, b: the sums of these
 *
 * Beside the sums, the levels from 1 on have the minima of the leaves that are not 0.
 *
 * T1: a cell above level 0 is the sum of its node from left to right, and computed anew whenever one of them
 *     changes. So the tree depends on the leaves alone, to the last bit, and no error adds up.
 * T2: a leaf of value 0 is never drawn.
 *
 * The memory is the caller's. One thread at a time. Source: Schaul et al. (2016), Prioritized experience
 * replay, appendix B.2.1. */
#ifndef RRL_SUM_TREE_H
#define RRL_SUM_TREE_H

#include <stdbool.h>
#include <stdint.h>

#define RRL_SUM_TREE_MAX_LEVELS 15
#define RRL_SUM_TREE_MAX_LEAVES ((int64_t)1 << 40)
/* A leaf is 0 or within these: no sum overflows, and nothing is subnormal. */
#define RRL_SUM_TREE_MIN_VALUE 0x1p-900
#define RRL_SUM_TREE_MAX_VALUE 0x1p+900

typedef struct rrl_sum_tree {
    int64_t n_leaves;
    int n_levels;                           /* the last one is the total */
    int64_t first[RRL_SUM_TREE_MAX_LEVELS]; /* cell of each level in `sums` */
    double *sums;                           /* the caller's, all levels */
    double *minima; /* the caller's, from level 1 on; infinity without leaves */
} rrl_sum_tree_t;

/* Cells that `sums` and `minima` need. 1 <= n_leaves <= RRL_SUM_TREE_MAX_LEAVES. */
void rrl_sum_tree_sizes(int64_t n_leaves, int64_t *out_n_sums, int64_t *out_n_minima);

/* All leaves 0. `sums` lies on a cache line and is zeroed; both arrays outlive the tree. */
void rrl_sum_tree_init(rrl_sum_tree_t *tree, int64_t n_leaves, double *sums, double *minima);

/* Sets n leaves; of one that is named twice the last value stays. Returns n; or the position of the first
 * pair with a leaf that there is not, or a value that none may have: then nothing has changed.
 * O(n log n_leaves), fastest where neighbours in `leaves` are neighbours in the tree. */
int64_t rrl_sum_tree_set(rrl_sum_tree_t *tree, int64_t n, const int64_t *leaves,
                         const double *values);

static inline double rrl_sum_tree_total(const rrl_sum_tree_t *tree) {
    return tree->sums[tree->first[tree->n_levels - 1]];
}

/* Of the leaves that are not 0; infinity where all are. */
static inline double rrl_sum_tree_minimum(const rrl_sum_tree_t *tree) {
    return tree->minima[tree->first[tree->n_levels - 1] - tree->first[1]];
}

/* Draws n leaves, with replacement: the i-th from the i-th of n equal parts of the total, at the fraction
 * uniforms[i] of it, 0 <= uniforms[i] < 1. The leaves do not decrease. Needs a total above 0. */
void rrl_sum_tree_sample(const rrl_sum_tree_t *tree, int64_t n, const double *uniforms,
                         int64_t *out_leaves, double *out_values);

/* T1, and the minima; O(n_leaves). */
bool rrl_sum_tree_is_valid(const rrl_sum_tree_t *tree);

#endif
