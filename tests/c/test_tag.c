#include "check.h"
#include "tag.h"

static const rrl_tag_t ascending[] = {
    {RRL_NEVER, 0}, {-5, 3}, {-1, UINT32_MAX},   {0, 0},           {0, 1},          {0, UINT32_MAX},
    {1, 0},         {1, 7},  {INT64_MAX - 1, 0}, {RRL_FOREVER, 0}, {RRL_FOREVER, 1}};
enum { N_ASCENDING = sizeof ascending / sizeof *ascending };

static void tags_are_ordered_by_time_then_microstep(void) {
    for (int i = 0; i < N_ASCENDING; i++) {
        for (int j = 0; j < N_ASCENDING; j++) {
            CHECK_EQ(rrl_tag_is_before(ascending[i], ascending[j]), i < j);
            CHECK_EQ(rrl_tag_equal(ascending[i], ascending[j]), i == j);
            CHECK_EQ(rrl_tag_compare(ascending[i], ascending[j]), (i > j) - (i < j));
        }
    }
}

static void check_delay(rrl_tag_t tag, int64_t delay_ns, rrl_status_t status, rrl_tag_t expected) {
    rrl_tag_t out = {-77, 77};
    CHECK_EQ(rrl_tag_delay(tag, delay_ns, &out), status);
    if (status != RRL_OK) expected = (rrl_tag_t){-77, 77};
    CHECK_EQ(out.time_ns, expected.time_ns);
    CHECK_EQ(out.microstep, expected.microstep);
}

static void no_delay_is_the_next_microstep(void) {
    check_delay((rrl_tag_t){5, 0}, 0, RRL_OK, (rrl_tag_t){5, 1});
    check_delay((rrl_tag_t){5, UINT32_MAX - 1}, 0, RRL_OK, (rrl_tag_t){5, UINT32_MAX});
    check_delay((rrl_tag_t){5, UINT32_MAX}, 0, RRL_E_OVERFLOW, (rrl_tag_t){0, 0});
}

static void a_delay_is_a_later_time_at_microstep_zero(void) {
    check_delay((rrl_tag_t){5, 9}, 1, RRL_OK, (rrl_tag_t){6, 0});
    check_delay((rrl_tag_t){-5, UINT32_MAX}, 5, RRL_OK, (rrl_tag_t){0, 0});
}

static void a_time_that_reaches_forever_is_an_overflow(void) {
    check_delay((rrl_tag_t){0, 0}, INT64_MAX - 1, RRL_OK, (rrl_tag_t){INT64_MAX - 1, 0});
    check_delay((rrl_tag_t){0, 0}, RRL_FOREVER, RRL_E_OVERFLOW, (rrl_tag_t){0, 0});
    check_delay((rrl_tag_t){1, 0}, INT64_MAX - 1, RRL_E_OVERFLOW, (rrl_tag_t){0, 0});
    check_delay((rrl_tag_t){INT64_MAX - 1, 0}, RRL_FOREVER, RRL_E_OVERFLOW, (rrl_tag_t){0, 0});
}

static void sums_of_times_stay_between_never_and_forever(void) {
    int64_t sum = 42;
    CHECK_EQ(rrl_time_add(40, -50, &sum), RRL_OK);
    CHECK_EQ(sum, -10);
    CHECK_EQ(rrl_time_add(INT64_MIN + 2, -1, &sum), RRL_OK);
    CHECK_EQ(sum, INT64_MIN + 1);
    CHECK_EQ(rrl_time_add(INT64_MIN + 1, -1, &sum), RRL_E_OVERFLOW);
    CHECK_EQ(rrl_time_add(INT64_MIN + 1, -2, &sum), RRL_E_OVERFLOW);
    CHECK_EQ(rrl_time_add(INT64_MAX, 1, &sum), RRL_E_OVERFLOW);
    CHECK_EQ(sum, INT64_MIN + 1);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(tags_are_ordered_by_time_then_microstep),
        CHECK_CASE(no_delay_is_the_next_microstep),
        CHECK_CASE(a_delay_is_a_later_time_at_microstep_zero),
        CHECK_CASE(a_time_that_reaches_forever_is_an_overflow),
        CHECK_CASE(sums_of_times_stay_between_never_and_forever),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
