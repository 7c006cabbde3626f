#include <math.h>

#include "check.h"
#include "kernels/sum_tree.h"
#include "memory.h"

typedef struct grove {
    rrl_sum_tree_t tree;
    double *sums, *minima, *expected;
} grove_t;

static grove_t plant(int64_t n_leaves) {
    int64_t n_sums, n_minima;
    rrl_sum_tree_sizes(n_leaves, &n_sums, &n_minima);
    CHECK_EQ(n_sums % 8, 0);
    grove_t g;
    g.sums = rrl__aligned_alloc(64, (size_t)n_sums * sizeof(double));
    g.minima = rrl__malloc((size_t)n_minima * sizeof(double));
    g.expected = rrl__zeroed((size_t)n_leaves, sizeof(double));
    CHECK(g.sums && g.minima && g.expected);
    memset(g.sums, 0, (size_t)n_sums * sizeof(double));
    rrl_sum_tree_init(&g.tree, n_leaves, g.sums, g.minima);
    return g;
}

static void fell(grove_t *g) {
    rrl__free(g->sums);
    rrl__free(g->minima);
    rrl__free(g->expected);
}

/* 53 bits, so that 1 - 2^-53 comes up as often as it should; every eighth at an end of [0, 1). */
static double random_uniform(uint64_t *random) {
    uint64_t bits = check_random(random);
    if (bits % 8 == 0) return bits & 8 ? 0 : 1 - 0x1p-53;
    return (double)(bits >> 11) * 0x1p-53;
}

/* Often 0, otherwise of very different sizes. */
static double random_value(uint64_t *random) {
    uint64_t bits = check_random(random);
    return bits % 3 == 0 ? 0 : (1 + (double)(bits >> 40)) * (bits % 5 ? 1 : 0x1p-40);
}

static bool is_close(double a, double b, double scale) {
    return a - b <= 1e-12 * scale && b - a <= 1e-12 * scale;
}

static void check_against_a_list(const grove_t *g) {
    double total = 0, minimum = INFINITY;
    for (int64_t i = 0; i < g->tree.n_leaves; i++) {
        CHECK(g->tree.sums[i] == g->expected[i]);
        total += g->expected[i];
        if (g->expected[i] > 0 && g->expected[i] < minimum) minimum = g->expected[i];
    }
    CHECK(is_close(rrl_sum_tree_total(&g->tree), total, total));
    CHECK(rrl_sum_tree_minimum(&g->tree) == minimum);
    CHECK(rrl_sum_tree_is_valid(&g->tree));
}

/* What is drawn lies, up to rounding, where a list of running sums has it, and is never 0. */
static void check_draws(const grove_t *g, uint64_t *random) {
    enum { N = 100 };
    double uniforms[N], values[N], total = rrl_sum_tree_total(&g->tree);
    int64_t leaves[N];
    int64_t n = 1 + (int64_t)(check_random(random) % N);
    if (total == 0) return;
    for (int64_t i = 0; i < n; i++) uniforms[i] = random_uniform(random);
    rrl_sum_tree_sample(&g->tree, n, uniforms, leaves, values);
    double before = 0;
    int64_t next = 0;
    for (int64_t i = 0; i < n; i++) {
        CHECK(leaves[i] >= (i ? leaves[i - 1] : 0) && leaves[i] < g->tree.n_leaves);
        CHECK(values[i] > 0);
        CHECK(values[i] == g->expected[leaves[i]]);
        for (; next < leaves[i]; next++) before += g->expected[next];
        double wanted = ((double)i + uniforms[i]) / (double)n * total;
        CHECK(wanted >= before - 1e-12 * total && wanted <= before + values[i] + 1e-12 * total);
    }
}

static void it_behaves_as_a_list_of_values(void) {
    const int64_t sizes[] = {1, 2, 7, 8, 9, 63, 64, 65, 511, 512, 513, 4097};
    for (uint64_t seed = 1; seed <= 60 / CHECK_SLOWDOWN; seed++) {
        uint64_t random = seed * 0x9e3779b97f4a7c15u;
        grove_t g = plant(sizes[seed % (sizeof sizes / sizeof *sizes)]);
        check_against_a_list(&g);
        for (int step = 0; step < 40; step++) {
            int64_t leaves[50];
            double values[50];
            int64_t n = (int64_t)(check_random(&random) % 51);
            for (int64_t i = 0; i < n; i++) {
                leaves[i] = (int64_t)(check_random(&random) % (uint64_t)g.tree.n_leaves);
                values[i] = random_value(&random);
                g.expected[leaves[i]] = values[i];
            }
            CHECK_EQ(rrl_sum_tree_set(&g.tree, n, leaves, values), n);
            check_against_a_list(&g);
            check_draws(&g, &random);
        }
        fell(&g);
    }
}

static void no_rounding_leads_to_a_leaf_of_value_0(void) {
    /* One leaf that is not 0 in a node whose sums are not exact, at every place of the tree. */
    enum { N = 600 };
    for (int64_t there = 0; there < N; there++) {
        grove_t g = plant(N);
        const double values[] = {0.1, RRL_SUM_TREE_MIN_VALUE, 1e-17, RRL_SUM_TREE_MAX_VALUE};
        for (int k = 0; k < 4; k++) {
            const int64_t leaves[] = {there, (there * 7 + 3) % N};
            const double both[] = {values[k], values[(k + 1) % 4]};
            CHECK_EQ(rrl_sum_tree_set(&g.tree, 2, leaves, both), 2);
            const double ends[] = {0, 1 - 0x1p-53};
            int64_t drawn[2];
            double weights[2];
            rrl_sum_tree_sample(&g.tree, 2, ends, drawn, weights);
            CHECK(weights[0] > 0 && weights[1] > 0);
        }
        fell(&g);
    }
}

static void the_tree_depends_on_the_leaves_alone(void) {
    enum { N = 1000 };
    grove_t once = plant(N), often = plant(N);
    uint64_t random = 5;
    int64_t leaves[N];
    double values[N];
    for (int64_t i = 0; i < N; i++) leaves[i] = i;
    for (int round = 0; round < 300 / CHECK_SLOWDOWN; round++) {
        for (int64_t i = 0; i < N; i++) values[i] = random_value(&random);
        for (int64_t i = N - 1; i >= 0; i--)
            CHECK_EQ(rrl_sum_tree_set(&often.tree, 1, &leaves[i], &values[i]), 1);
    }
    CHECK_EQ(rrl_sum_tree_set(&once.tree, N, leaves, values), N);
    int64_t n_sums, n_minima;
    rrl_sum_tree_sizes(N, &n_sums, &n_minima);
    CHECK_EQ(memcmp(once.sums, often.sums, (size_t)n_sums * sizeof(double)), 0);
    CHECK_EQ(memcmp(once.minima, often.minima, (size_t)n_minima * sizeof(double)), 0);
    fell(&once);
    fell(&often);
}

static void what_may_not_be_set_changes_nothing(void) {
    grove_t g = plant(20);
    const struct {
        int64_t leaf;
        double value;
    } wrong[] = {{-1, 1}, {20, 1}, {3, -1}, {3, NAN}, {3, 1e300}, {3, INFINITY}, {3, 0x1p-901}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const int64_t leaves[] = {2, wrong[i].leaf};
        const double values[] = {1, wrong[i].value};
        CHECK_EQ(rrl_sum_tree_set(&g.tree, 2, leaves, values), 1);
        check_against_a_list(&g);
    }
    fell(&g);
}

int main(int argc, char **argv) {
    const check_case_t cases[] = {
        CHECK_CASE(it_behaves_as_a_list_of_values),
        CHECK_CASE(no_rounding_leads_to_a_leaf_of_value_0),
        CHECK_CASE(the_tree_depends_on_the_leaves_alone),
        CHECK_CASE(what_may_not_be_set_changes_nothing),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
