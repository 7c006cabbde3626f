#include "check.h"
#include "kernels/n_step.h"

enum { PER_LANE = 7, N_LANES = 3, N_SLOTS = PER_LANE * N_LANES, MOST = 60 };

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
static void check_return(rrl_n_step_returns_t got, int64_t i, const lane_t *lane, int64_t position,
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
    CHECK((double)got.rewards[i] == reward);
    CHECK((double)got.discounts[i] == (last->terminated ? 0 : power));
    CHECK_EQ(got.rows[i], lane->steps[position].row);
    CHECK_EQ(got.next_rows[i], last->row + last->row_step);
}

/* Everything that the lanes hold, at once. */
static void check_all(const rrl_n_step_t *of, const lane_t *lanes) {
    float rewards[N_SLOTS], discounts[N_SLOTS];
    int64_t slots[N_SLOTS], got_lanes[N_SLOTS], indices[N_SLOTS], rows[N_SLOTS], next_rows[N_SLOTS];
    const rrl_n_step_returns_t got = {rewards, discounts, got_lanes, indices, rows, next_rows};
    int64_t n_slots = 0, i = 0;
    for (int64_t l = 0; l < N_LANES; l++) {
        for (int64_t k = 0; k < PER_LANE && k < lanes[l].n; k++)
            slots[n_slots++] = l * PER_LANE + (lanes[l].n - 1 - k) % PER_LANE;
    }
    rrl_n_step_gather(of, n_slots, slots, got);
    for (int64_t l = 0; l < N_LANES; l++) {
        for (int64_t k = 0; k < PER_LANE && k < lanes[l].n; k++, i++) {
            int64_t position = lanes[l].n - 1 - k;
            CHECK_EQ(got_lanes[i], l);
            CHECK_EQ(indices[i], position * N_LANES + l);
            check_return(got, i, &lanes[l], position, of->n);
        }
    }
    CHECK_EQ(i, n_slots);
}

/* From `from` on, and from the oldest step that is still there. */
static int64_t first_by_history(const lane_t *lane, int64_t from, int64_t oldest) {
    int64_t first = lane->n > PER_LANE ? lane->n - PER_LANE : 0;
    if (first < from) first = from;
    while (first < lane->n && lane->steps[first].row < oldest) first++;
    return first;
}

static void returns_are_those_of_the_whole_history(void) {
    uint64_t random = 7;
    for (int64_t n = 1; n <= PER_LANE + 2; n++) {
        lane_t lanes[N_LANES] = {{.n = 0}};
        rrl_step_t steps[N_SLOTS];
        int64_t written[N_LANES] = {0};
        memset(steps, 0xff, sizeof steps); /* what was never written counts for nothing */
        const rrl_n_step_t of = {PER_LANE, N_LANES, steps, written, n, 0.5};
        check_all(&of, lanes);
        for (int round = 0; round < MOST; round++) {
            int64_t l = (int64_t)(check_random(&random) % N_LANES);
            lane_t *lane = &lanes[l];
            lane->steps[lane->n] = random_step(&random, 10 * round);
            steps[l * PER_LANE + lane->n % PER_LANE] = lane->steps[lane->n];
            written[l] = ++lane->n;
            check_all(&of, lanes);
            int64_t from = (int64_t)(check_random(&random) % (uint64_t)(lane->n + 1));
            int64_t oldest = (int64_t)(check_random(&random) % (uint64_t)(10 * round + 20)) - 5;
            CHECK_EQ(rrl_n_step_first(&of, l, from, oldest), first_by_history(lane, from, oldest));
        }
    }
}

int main(int argc, char **argv) {
    const check_case_t cases[] = {CHECK_CASE(returns_are_those_of_the_whole_history)};
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
