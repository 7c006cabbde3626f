#include "kernels/n_step.h"

rrl_n_step_return_t rrl_n_step_from(const rrl_n_step_t *of, int64_t slot) {
    int64_t per_lane = of->per_lane, lane = slot / per_lane;
    int64_t begin = lane * per_lane, end = begin + per_lane;
    int64_t newest = of->written[lane] - 1, ahead = begin + newest % per_lane - slot;
    if (ahead < 0) ahead += per_lane;
    int64_t most = ahead + 1 < of->n ? ahead + 1 : of->n;

    double reward = 0, power = 1;
    const rrl_step_t *step = &of->steps[slot], *last = step;
    for (int64_t k = 0; k < most; k++) {
        last = step;
        reward += power * (double)step->reward;
        power *= of->gamma;
        if (step->ended) break;
        step = step + 1 < of->steps + end ? step + 1 : of->steps + begin;
    }
    return (rrl_n_step_return_t){
        .reward = reward,
        .discount = last->terminated ? 0 : power,
        .lane = lane,
        .position = newest - ahead,
        .row = of->steps[slot].row,
        .next_row = last->row + last->row_step,
    };
}
