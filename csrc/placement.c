#include "placement.h"

#include "memory.h"

typedef struct level_width {
    uint32_t level;
    uint32_t n_steady; /* reactions that more than startup and shutdown can trigger */
} level_width_t;

static int widest_first(const void *a, const void *b) {
    const level_width_t *x = a, *y = b;
    if (x->n_steady != y->n_steady) return x->n_steady > y->n_steady ? -1 : 1;
    return x->level < y->level ? -1 : x->level > y->level;
}

/* Reaction r of a level of n goes to the worker whose slice it falls into. */
static uint32_t slice_of(uint32_t r, uint32_t n, uint32_t n_workers) {
    return n <= n_workers ? r : (uint32_t)((uint64_t)r * n_workers / n);
}

static void mark_steady(const rrl_plan_t *plan, uint8_t *is_steady) {
    for (uint32_t cell = 0; cell < plan->mode_startup; cell++) {
        for (uint32_t i = plan->triggers.begin[cell]; i < plan->triggers.begin[cell + 1]; i++)
            is_steady[plan->triggers.items[i]] = 1;
    }
}

/* Of one level and one enclave: reactors that have no home yet, and of these, placed so far. */
typedef struct tally {
    uint32_t n_homeless, n_placed;
} tally_t;

/* Homes for the reactors of one level (`members`) that have none yet, in static order. */
static void place_level(const uint32_t *members, uint32_t n, const rrl_plan_t *plan,
                        const uint8_t *counts, tally_t *tallies, uint32_t *home) {
    memset(tallies, 0, plan->n_enclaves * sizeof *tallies);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t reactor = plan->reactions[members[i]].reactor;
        if (counts[members[i]] && home[reactor] == RRL_NONE)
            tallies[plan->reactor_enclave[reactor]].n_homeless++;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t reactor = plan->reactions[members[i]].reactor;
        if (!counts[members[i]] || home[reactor] != RRL_NONE) continue;
        const rrl_plan_enclave_t *enclave = &plan->enclaves[plan->reactor_enclave[reactor]];
        tally_t *tally = &tallies[plan->reactor_enclave[reactor]];
        uint32_t slice = slice_of(tally->n_placed++, tally->n_homeless, enclave->n_workers);
        home[reactor] = enclave->first_worker + slice;
    }
}

static rrl_status_t group_by_level(const rrl_plan_t *plan, rrl_csr_t *out) {
    rrl_pairs_t pairs = {0};
    rrl_status_t rc = RRL_OK;
    for (uint32_t r = 0; r < plan->n_reactions && !rc; r++)
        rc = rrl__pairs_add(&pairs, plan->reactions[r].level, r);
    if (!rc) rc = rrl__csr_build(out, &pairs, plan->n_levels, false, 0);
    rrl__pairs_destroy(&pairs);
    return rc;
}

static rrl_status_t lay_out_slots(rrl_plan_t *plan) {
    size_t n_slots = (size_t)plan->n_levels * plan->n_workers;
    plan->slot_begin = rrl__zeroed(n_slots + 1, sizeof *plan->slot_begin);
    if (!plan->slot_begin) return RRL_E_NOMEM;
    for (uint32_t r = 0; r < plan->n_reactions; r++) {
        const rrl_plan_reaction_t *reaction = &plan->reactions[r];
        plan->slot_begin[(size_t)reaction->level * plan->n_workers + reaction->home + 1]++;
    }
    for (size_t s = 0; s < n_slots; s++) plan->slot_begin[s + 1] += plan->slot_begin[s];
    return RRL_OK;
}

rrl_status_t rrl__place(rrl_plan_t *plan, uint32_t n_reactors) {
    rrl_csr_t by_level = {0};
    uint8_t *is_steady = rrl__zeroed(plan->n_reactions, 1);
    uint8_t *all = rrl__zeroed(plan->n_reactions, 1);
    uint32_t *home = rrl__zeroed(n_reactors, sizeof *home);
    level_width_t *widths = rrl__zeroed(plan->n_levels, sizeof *widths);
    tally_t *tallies = rrl__zeroed(plan->n_enclaves, sizeof *tallies);
    rrl_status_t rc = is_steady && all && home && widths && tallies
                          ? group_by_level(plan, &by_level)
                          : RRL_E_NOMEM;
    if (rc) goto done;

    mark_steady(plan, is_steady);
    memset(all, 1, plan->n_reactions);
    for (uint32_t i = 0; i < n_reactors; i++) home[i] = RRL_NONE;
    for (uint32_t l = 0; l < plan->n_levels; l++) {
        widths[l].level = l;
        for (uint32_t i = by_level.begin[l]; i < by_level.begin[l + 1]; i++)
            widths[l].n_steady += is_steady[by_level.items[i]];
    }
    qsort(widths, plan->n_levels, sizeof *widths, widest_first);
    for (int pass = 0; pass < 2; pass++) { /* steady reactions first, then the rest */
        for (uint32_t i = 0; i < plan->n_levels; i++) {
            uint32_t l = widths[i].level;
            place_level(&by_level.items[by_level.begin[l]],
                        by_level.begin[l + 1] - by_level.begin[l], plan, pass ? all : is_steady,
                        tallies, home);
        }
    }
    for (uint32_t r = 0; r < plan->n_reactions; r++)
        plan->reactions[r].home = home[plan->reactions[r].reactor];
    rc = lay_out_slots(plan);
done:
    rrl__free(is_steady);
    rrl__free(all);
    rrl__free(home);
    rrl__free(widths);
    rrl__free(tallies);
    rrl__csr_destroy(&by_level);
    return rc;
}
