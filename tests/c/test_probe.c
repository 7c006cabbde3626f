#define _GNU_SOURCE /* sched_getaffinity */
#include <sched.h>

#include "check.h"
#include "platform.h"

#define BUDGET_NS 20000000

/* The first and the last processor that this process may use. */
static void ends(int32_t *out_first, int32_t *out_last) {
    int32_t *cpus;
    size_t n;
    CHECK_EQ(rrl__allowed_cpus(&cpus, &n), RRL_OK);
    *out_first = cpus[0];
    *out_last = cpus[n - 1];
    free(cpus);
}

/* A machine that is busy with other things may not let both threads run at all: then try again. */
static void probe(int32_t a, int32_t b, rrl_probe_t *out_probe) {
    rrl_status_t rc = RRL_TIMEOUT;
    for (int i = 0; i < 100 && rc == RRL_TIMEOUT; i++) rc = rrl_probe(a, b, BUDGET_NS, out_probe);
    CHECK_EQ(rc, RRL_OK);
    CHECK(0 < out_probe->trip_ns && out_probe->trip_ns <= out_probe->slow_trip_ns);
    CHECK(0 < out_probe->alone_ns && 0 < out_probe->beside_ns);
    CHECK(0 < out_probe->wake_ns && out_probe->wake_ns <= out_probe->slow_wake_ns);
}

static void two_processors_are_measured(void) {
    int32_t first, last;
    rrl_probe_t found;
    ends(&first, &last);
    probe(first, last, &found);
}

static void two_threads_of_one_processor_take_turns(void) {
    int32_t first, last;
    rrl_probe_t found;
    ends(&first, &last);
    probe(first, first, &found);
}

static void the_caller_stays_where_it_may_be(void) {
    cpu_set_t before, after;
    rrl_probe_t found;
    int32_t first, last;
    ends(&first, &last);
    CHECK_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    probe(last, first, &found);
    CHECK_EQ(sched_getaffinity(0, sizeof after, &after), 0);
    CHECK(CPU_EQUAL(&before, &after));
}

static void a_processor_that_is_not_there_is_told(void) {
    rrl_probe_t found;
    int32_t first, last;
    ends(&first, &last);
    CHECK_EQ(rrl_probe(first, -1, BUDGET_NS, &found), RRL_E_OS);
    CHECK_EQ(rrl_probe(1 << 20, first, BUDGET_NS, &found), RRL_E_OS);
}

int main(int argc, char **argv) {
    const check_case_t cases[] = {
        CHECK_CASE(two_processors_are_measured),
        CHECK_CASE(two_threads_of_one_processor_take_turns),
        CHECK_CASE(the_caller_stays_where_it_may_be),
        CHECK_CASE(a_processor_that_is_not_there_is_told),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
