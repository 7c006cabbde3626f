#include "kernels/sum_tree.h"

#include <math.h>

enum { WIDTH = 8, SHIFT = 3 };

/* Descents that go side by side, so that their misses of the cache overlap. */
enum { GROUP = 16 };

/* Leaves that a loop asks the cache for ahead of time. */
enum { AHEAD = 16 };

_Static_assert(WIDTH == 1 << SHIFT, "a cell's node is found by a shift");
_Static_assert(WIDTH * sizeof(double) == 64, "a node is a cache line");

/* Cells of a level, in whole nodes. */
static int64_t padded(int64_t n_cells) { return (n_cells + WIDTH - 1) & ~(int64_t)(WIDTH - 1); }

/* All of the tree but its memory; returns the number of cells in all levels. */
static int64_t lay_out(rrl_sum_tree_t *tree, int64_t n_leaves) {
    tree->n_leaves = n_leaves;
    int64_t n_cells = n_leaves, end = 0;
    int level = 0;
    do {
        tree->first[level++] = end;
        end += padded(n_cells);
        n_cells = padded(n_cells) >> SHIFT;
    } while (n_cells > 1);
    tree->first[level] = end;
    tree->n_levels = level + 1;
    return end + WIDTH;
}

void rrl_sum_tree_sizes(int64_t n_leaves, int64_t *out_n_sums, int64_t *out_n_minima) {
    rrl_sum_tree_t tree;
    *out_n_sums = lay_out(&tree, n_leaves);
    *out_n_minima = *out_n_sums - tree.first[1];
}

void rrl_sum_tree_init(rrl_sum_tree_t *tree, int64_t n_leaves, double *sums, double *minima) {
    int64_t n_minima = lay_out(tree, n_leaves) - tree->first[1];
    tree->sums = sums;
    tree->minima = minima;
    for (int64_t i = 0; i < n_minima; i++) minima[i] = INFINITY;
}

static bool is_value(double value) {
    return value == 0 || (value >= RRL_SUM_TREE_MIN_VALUE && value <= RRL_SUM_TREE_MAX_VALUE);
}

static double node_sum(const double *node) {
    double sum = node[0];
    for (int i = 1; i < WIDTH; i++) sum += node[i];
    return sum;
}

/* Of a node of minima, or of leaves, of which those that are 0 do not count. */
static double node_minimum(const double *node) {
    double minimum = INFINITY;
    for (int i = 0; i < WIDTH; i++) {
        double value = node[i] > 0 ? node[i] : INFINITY;
        minimum = value < minimum ? value : minimum;
    }
    return minimum;
}

/* Below which the minima of a level are computed: those of the level below, or the leaves themselves. */
static const double *minima_of(const rrl_sum_tree_t *tree, int level) {
    return level ? tree->minima + (tree->first[level] - tree->first[1]) : tree->sums;
}

int64_t rrl_sum_tree_set(rrl_sum_tree_t *tree, int64_t n, const int64_t *leaves,
                         const double *values) {
    for (int64_t i = 0; i < n; i++) {
        if (leaves[i] < 0 || leaves[i] >= tree->n_leaves || !is_value(values[i])) return i;
    }
    double *sums = tree->sums;
    for (int64_t i = 0; i < n; i++) {
        if (i + AHEAD < n) __builtin_prefetch(&sums[leaves[i + AHEAD]], 1);
        sums[leaves[i]] = values[i];
    }
    /* Level by level: within one, no cell depends on another. */
    for (int level = 1; level < tree->n_levels; level++) {
        const double *children = sums + tree->first[level - 1];
        const double *child_minima = minima_of(tree, level - 1);
        double *level_sums = sums + tree->first[level];
        double *level_minima = tree->minima + (tree->first[level] - tree->first[1]);
        int64_t last = -1;
        for (int64_t i = 0; i < n; i++) {
            int64_t cell = leaves[i] >> (SHIFT * level);
            if (cell == last) continue;
            last = cell;
            level_sums[cell] = node_sum(children + (cell << SHIFT));
            level_minima[cell] = node_minimum(child_minima + (cell << SHIFT));
        }
    }
    return n;
}

/* The largest number below x, for x from RRL_SUM_TREE_MIN_VALUE on. */
static double just_below(double x) { return x * (1 - 0x1p-53); }

/* The child in which `rest` lies, 0 <= rest < sum of the node; rest becomes what lies before it there.
 *
 * The chosen child is above 0, as the sums before and after it differ: T2. What is left may, by rounding,
 * reach the child's own value, which the next node could not place; so it is kept below. */
static int64_t choose(const double *node, double *rest) {
    double before[WIDTH];
    before[0] = 0;
    for (int i = 1; i < WIDTH; i++) before[i] = before[i - 1] + node[i - 1];
    int64_t child = 0;
    for (int i = 1; i < WIDTH; i++) child += *rest >= before[i];
    double left = *rest - before[child], limit = just_below(node[child]);
    *rest = left < limit ? left : limit;
    return child;
}

void rrl_sum_tree_sample(const rrl_sum_tree_t *tree, int64_t n, const double *uniforms,
                         int64_t *out_leaves, double *out_values) {
    double total = rrl_sum_tree_total(tree), limit = just_below(total);
    int64_t cells[GROUP];
    double rests[GROUP];
    for (int64_t begin = 0; begin < n; begin += GROUP) {
        int size = n - begin < GROUP ? (int)(n - begin) : GROUP;
        for (int i = 0; i < size; i++) {
            double rest = ((double)(begin + i) + uniforms[begin + i]) / (double)n * total;
            rests[i] = rest < limit ? rest : limit;
            cells[i] = 0;
        }
        for (int level = tree->n_levels - 2; level >= 0; level--) {
            const double *nodes = tree->sums + tree->first[level];
            for (int i = 0; i < size; i++) {
                int64_t node = cells[i] << SHIFT;
                cells[i] = node + choose(nodes + node, &rests[i]);
                if (level)
                    __builtin_prefetch(&tree->sums[tree->first[level - 1] + (cells[i] << SHIFT)]);
            }
        }
        for (int i = 0; i < size; i++) {
            out_leaves[begin + i] = cells[i];
            out_values[begin + i] = tree->sums[cells[i]];
        }
    }
}

bool rrl_sum_tree_is_valid(const rrl_sum_tree_t *tree) {
    int64_t n_nodes = padded(tree->n_leaves) >> SHIFT;
    for (int level = 1; level < tree->n_levels; level++) {
        const double *children = tree->sums + tree->first[level - 1];
        const double *child_minima = minima_of(tree, level - 1);
        for (int64_t cell = 0; cell < n_nodes; cell++) {
            if (tree->sums[tree->first[level] + cell] != node_sum(children + (cell << SHIFT)) ||
                minima_of(tree, level)[cell] != node_minimum(child_minima + (cell << SHIFT)))
                return false;
        }
        n_nodes = padded(n_nodes) >> SHIFT;
    }
    return true;
}
