#include "check.h"
#include "kernels/n_step.h"

enum { PER_LANE = 7, N_LANES = 3, MOST = 60 };

/* All that ever happened in a lane. */
typedef struct lane {
    rrl_step_t steps[MOST];
    int64_t n;
} lane_t;

static rrl_step_t random_step(uint64_t *random, int64_t row) {
    uint64_t bits = check_random(random);
    rrl_step_t step = {.row = row, .reward = (float)(bits % 100), .row_step = bits >> 8 & 3};
    step.terminated = (bits >> 16 & 7) == 0;
    step.ended = step.terminated || (bits >> 20 & 7) == 0;
    return step;
}

/* Rewards are whole and gamma is a half: nothing is rounded. */
static void check_return(const rrl_n_step_return_t *got, const lane_t *lane, int64_t position,
                         int64_t n) {
    double reward = 0, power = 1;
    const rrl_step_t *last = NULL;
    for (int64_t p = position; p < lane->n && p < position + n; p++) {
        last = &lane->steps[p];
        reward += power * (double)last->reward;
        power /= 2;
        if (last->ended) break;
    }
    CHECK(last);
    CHECK(got->reward == reward);
    CHECK(got->discount == (last->terminated ? 0 : power));
    CHECK_EQ(got->position, position);
    CHECK_EQ(got->row, lane->steps[position].row);
    CHECK_EQ(got->next_row, last->row + last->row_step);
}

static void returns_are_those_of_the_whole_history(void) {
    uint64_t random = 7;
    for (int64_t n = 1; n <= PER_LANE + 2; n++) {
        lane_t lanes[N_LANES] = {{.n = 0}};
        rrl_step_t steps[N_LANES * PER_LANE];
        int64_t written[N_LANES] = {0};
        memset(steps, 0xff, sizeof steps); /* what was never written counts for nothing */
        const rrl_n_step_t of = {PER_LANE, N_LANES, steps, written, n, 0.5};
        for (int round = 0; round < MOST; round++) {
            int64_t l = (int64_t)(check_random(&random) % N_LANES);
            lane_t *lane = &lanes[l];
            lane->steps[lane->n] = random_step(&random, 10 * round);
            steps[l * PER_LANE + lane->n % PER_LANE] = lane->steps[lane->n];
            written[l] = ++lane->n;
            for (l = 0; l < N_LANES; l++) {
                int64_t first = written[l] > PER_LANE ? written[l] - PER_LANE : 0;
                for (int64_t p = first; p < written[l]; p++) {
                    rrl_n_step_return_t got = rrl_n_step_from(&of, l * PER_LANE + p % PER_LANE);
                    CHECK_EQ(got.lane, l);
                    check_return(&got, &lanes[l], p, n);
                }
            }
        }
    }
}

int main(int argc, char **argv) {
    const check_case_t cases[] = {CHECK_CASE(returns_are_those_of_the_whole_history)};
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
