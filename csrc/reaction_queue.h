/* reaction_queue.h: the reactions that are ready at the current tag, by level and home.
 *
 * One slot for each reaction, laid out at assembly: the reactions of one level and one home lie side by
 * side, so that a level is W ready-made slices and nothing is sorted or allocated while running.
 *
 *     level 0          level 1                level 2
 *     [w0 w0|w1]       [w0 w0 w0|w1 w1 w1]    [w0|]         plan.slot_begin[level * W + home]
 *
 * The coordinator's (I9). A reaction is queued at most once per tag (I4). */
#ifndef RRL_REACTION_QUEUE_H
#define RRL_REACTION_QUEUE_H

#include "modes.h"

static inline void rrl__reaction_queue_add(rrl_enclave_t *e, rrl_id_t reaction) {
    rrl_program_t *p = e->program;
    if (p->queued_epoch[reaction] == e->epoch) return;
    p->queued_epoch[reaction] = e->epoch;
    const rrl_plan_reaction_t *r = &p->plan.reactions[reaction];
    size_t slot = (size_t)r->level * p->plan.n_workers + r->home;
    p->ready[p->plan.slot_begin[slot] + p->n_ready[slot]++] = reaction;
    e->ready_levels[r->level >> 6] |= 1ull << (r->level & 63);
}

/* The same, but not in a mode that is not active. */
static inline void rrl__reaction_queue_push(rrl_enclave_t *e, rrl_id_t reaction) {
    const rrl_program_t *p = e->program;
    if (rrl__is_mode_active(p, p->plan.reactions[reaction].mode))
        rrl__reaction_queue_add(e, reaction);
}

/* The lowest level with ready reactions, no longer marked as ready; RRL_NONE: none. Levels only rise
 * within a tag, so the search goes on at e->level_word. */
static inline uint32_t rrl__reaction_queue_take_level(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    uint32_t n_words = p->plan.n_levels / 64 + 1;
    for (; e->level_word < n_words; e->level_word++) {
        uint64_t word = e->ready_levels[e->level_word];
        if (!word) continue;
        e->ready_levels[e->level_word] = word & (word - 1);
        return e->level_word * 64 + (uint32_t)__builtin_ctzll(word);
    }
    return RRL_NONE;
}

/* Takes everything out again, as if it had never been queued, and starts at the lowest level. */
static inline void rrl__reaction_queue_clear(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    for (uint32_t level; (level = rrl__reaction_queue_take_level(e)) != RRL_NONE;) {
        for (uint32_t home = 0; home < e->n_workers; home++) {
            size_t slot = rrl__first_slot(e, level) + home;
            for (uint32_t i = 0; i < p->n_ready[slot]; i++)
                p->queued_epoch[p->ready[p->plan.slot_begin[slot] + i]] = 0;
            p->n_ready[slot] = 0;
        }
    }
    e->level_word = 0;
}

#endif
