#include "kernels/n_step.h"

/* Slots that the loop asks the cache for ahead of time. */
enum { AHEAD = 16 };

void rrl_n_step_gather(const rrl_n_step_t *of, int64_t n_slots, const int64_t *slots,
                       rrl_n_step_returns_t out) {
    int64_t per_lane = of->per_lane;
    for (int64_t i = 0; i < n_slots; i++) {
        if (i + AHEAD < n_slots) __builtin_prefetch(&of->steps[slots[i + AHEAD]]);
        int64_t lane = slots[i] / per_lane, begin = lane * per_lane;
        int64_t newest = of->written[lane] - 1, ahead = begin + newest % per_lane - slots[i];
        if (ahead < 0) ahead += per_lane;
        int64_t most = ahead + 1 < of->n ? ahead + 1 : of->n;

        double reward = 0, power = 1;
        const rrl_step_t *step = &of->steps[slots[i]], *last = step;
        for (int64_t k = 0; k < most; k++) {
            last = step;
            reward += power * (double)step->reward;
            power *= of->gamma;
            if (step->ended) break;
            step = step + 1 < of->steps + begin + per_lane ? step + 1 : of->steps + begin;
        }
        out.rewards[i] = (float)reward;
        out.discounts[i] = last->terminated ? 0 : (float)power;
        out.lanes[i] = lane;
        out.indices[i] = (newest - ahead) * of->n_lanes + lane;
        out.rows[i] = of->steps[slots[i]].row;
        out.next_rows[i] = last->row + last->row_step;
    }
}

int64_t rrl_n_step_first(const rrl_n_step_t *of, int64_t lane, int64_t first, int64_t oldest) {
    const rrl_step_t *steps = of->steps + lane * of->per_lane;
    int64_t written = of->written[lane];
    if (first < written - of->per_lane) first = written - of->per_lane;
    while (first < written && steps[first % of->per_lane].row < oldest) first++;
    return first;
}
