#include "check.h"
#include "threads.h"

/* Each operation on each type: what it returns, and what is there afterwards. */
#define CHECK_WORDS(s, T, a, b, c)                                                                 \
    do {                                                                                           \
        rrl_atomic_##s##_t word;                                                                   \
        T seen = (b);                                                                              \
        rrl_store_relaxed_##s(&word, (a));                                                         \
        CHECK(rrl_load_relaxed_##s(&word) == (a));                                                 \
        rrl_store_release_##s(&word, (b));                                                         \
        CHECK(rrl_load_acquire_##s(&word) == (b));                                                 \
        CHECK(rrl_xchg_acq_rel_##s(&word, (c)) == (b));                                            \
        CHECK(!rrl_cas_acq_rel_##s(&word, &seen, (a)));                                            \
        CHECK(seen == (c) && rrl_load_relaxed_##s(&word) == (c));                                  \
        CHECK(rrl_cas_acq_rel_##s(&word, &seen, (a)));                                             \
        CHECK(seen == (c) && rrl_load_relaxed_##s(&word) == (a));                                  \
        CHECK(!rrl_cas_weak_acq_rel_##s(&word, &seen, (b)));                                       \
        CHECK(seen == (a));                                                                        \
        while (!rrl_cas_weak_acq_rel_##s(&word, &seen, (b))) CHECK(seen == (a));                   \
        CHECK(rrl_load_relaxed_##s(&word) == (b));                                                 \
    } while (0)

#define CHECK_SUMS(s, start, max)                                                                  \
    do {                                                                                           \
        rrl_atomic_##s##_t word;                                                                   \
        rrl_store_relaxed_##s(&word, (start));                                                     \
        CHECK(rrl_add_relaxed_##s(&word, 5) == (start));                                           \
        CHECK(rrl_add_acq_rel_##s(&word, (max)) == (start) + 5);                                   \
        CHECK(rrl_sub_acq_rel_##s(&word, (max)) == (start) + 5 + (max));                           \
        CHECK(rrl_load_relaxed_##s(&word) == (start) + 5);                                         \
    } while (0)

static void words_behave_as_named(void) {
    int x, y, z;
    CHECK_WORDS(u32, uint32_t, 0u, 7u, UINT32_MAX);
    CHECK_WORDS(u64, uint64_t, 0u, 7u, UINT64_MAX);
    CHECK_WORDS(i64, int64_t, INT64_MIN, -1, INT64_MAX);
    CHECK_WORDS(ptr, void *, (void *)&x, (void *)&y, (void *)&z);
}

static void sums_return_what_was_before(void) {
    CHECK_SUMS(u32, 0u, UINT32_MAX);
    CHECK_SUMS(u64, (uint64_t)1 << 40, UINT64_MAX);
    CHECK_SUMS(i64, INT64_MIN, INT64_MAX);
}

static void bits_return_what_was_before(void) {
    rrl_atomic_u32_t narrow;
    rrl_atomic_u64_t wide;
    rrl_store_relaxed_u32(&narrow, 0xc);
    CHECK_EQ(rrl_or_acq_rel_u32(&narrow, 0x3), 0xc);
    CHECK_EQ(rrl_and_acq_rel_u32(&narrow, 0x6), 0xf);
    CHECK_EQ(rrl_load_relaxed_u32(&narrow), 0x6);
    rrl_store_relaxed_u64(&wide, (uint64_t)1 << 60);
    CHECK_EQ(rrl_or_acq_rel_u64(&wide, 1), (uint64_t)1 << 60);
    CHECK_EQ(rrl_and_acq_rel_u64(&wide, 1), (uint64_t)1 << 60 | 1);
    CHECK_EQ(rrl_load_relaxed_u64(&wide), 1);
}

enum { N_ROUNDS = 20000 / CHECK_SLOWDOWN };

static void count_up(void *ctx, uint32_t index) {
    rrl_atomic_i64_t *sum = ctx;
    for (int i = 0; i < N_ROUNDS; i++) {
        if (index % 2) {
            rrl_sub_acq_rel_i64(sum, 3);
        } else {
            rrl_add_relaxed_i64(sum, 5);
        }
    }
}

static void no_addition_is_lost(void) {
    static const thread_body_t bodies[] = {count_up, count_up, count_up, count_up};
    rrl_atomic_i64_t sum;
    rrl_store_relaxed_i64(&sum, 0);
    run_threads(bodies, 4, &sum, 1);
    CHECK_EQ(rrl_load_relaxed_i64(&sum), N_ROUNDS * (2 * 5 - 2 * 3));
}

/* ---- yields ---------------------------------------------------------------------------------- */

typedef struct choices {
    rrl_atomic_u32_t word;
    uint64_t made[4]; /* by thread */
} choices_t;

static void choose(void *ctx, uint32_t index) {
    choices_t *choices = ctx;
    for (int i = 0; i < 1000; i++) rrl_add_relaxed_u32(&choices->word, 1);
    choices->made[index] = rrl_test_yield_state();
}

static void choices_made_with(uint64_t seed, choices_t *out) {
    static const thread_body_t bodies[] = {choose, choose, choose, choose};
    *out = (choices_t){.made = {0}};
    run_threads(bodies, 4, out, seed);
}

static void a_seed_makes_the_same_choices_again(void) {
    choices_t first, again, other, none;
    choices_made_with(7, &first);
    choices_made_with(7, &again);
    choices_made_with(8, &other);
    choices_made_with(0, &none);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(first.made[i], again.made[i]);
        CHECK(first.made[i] != other.made[i]);
        CHECK(first.made[i] != first.made[(i + 1) % 4]);
        CHECK_EQ(none.made[i], 0);
    }
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(words_behave_as_named),
        CHECK_CASE(sums_return_what_was_before),
        CHECK_CASE(bits_return_what_was_before),
        CHECK_CASE(no_addition_is_lost),
        CHECK_CASE(a_seed_makes_the_same_choices_again),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
