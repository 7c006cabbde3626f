/* modes.h: modes while the program runs: which are active, and what a transition does at the end of a tag.
 *
 * A mode is *active* while it is current in its reactor and the mode around it is active. What belongs to a
 * mode that is not active is suspended: its reactions are not queued, its events and timers stay where
 * they are and their wakes in the queue are stale, its connections carry nothing. Its local time stands
 * still at the tag at which it was left; when it goes on, tags are shifted by the time between.
 *
 *   a mode's events   left at (t, m):    (t + d, k)        (t, m + k)        local time since then: d, or k
 *                     resumed at (t', m'): (t' + d, k)     (t', m' + k)      microsteps
 *
 * All of it is the coordinator's of the enclave; bodies read rrl_mode_state_t.is_active and write rrl_modal_t
 * of their own reactor. */
#ifndef RRL_MODES_H
#define RRL_MODES_H

#include "runtime.h"

static inline bool rrl__is_mode_active(const rrl_program_t *p, rrl_id_t mode) {
    return mode == RRL_NONE || p->modes[mode].is_active;
}

/* Whether the trigger's events do not happen now. */
static inline bool rrl__is_suspended(const rrl_program_t *p, uint32_t trigger) {
    return p->plan.n_modes && !rrl__is_mode_active(p, p->trigger_mode[trigger]);
}

/* Whether a wake at `tag` is one that the timer waits for. */
static inline bool rrl__is_timer_due(const rrl_program_t *p, uint32_t timer, rrl_tag_t tag) {
    if (!p->plan.n_modes) return true;
    return !rrl__is_suspended(p, p->first_timer_trigger + timer) &&
           p->timer_due[timer].time_ns == tag.time_ns &&
           p->timer_due[timer].microstep == tag.microstep;
}

/* Everything but that of enclaves and workers; RRL_E_NOMEM: destroy cleans up. */
rrl_status_t rrl__modes_create(rrl_program_t *p);
void rrl__modes_destroy(rrl_program_t *p);

/* First tag, while reactions are being queued: startup in the modes that are active from the start. */
void rrl__modes_start(rrl_enclave_t *e);
/* Last tag: shutdown in every mode that was ever active. */
void rrl__modes_shut_down(rrl_enclave_t *e);
/* End of a tag that is not the last: the transitions that bodies have asked for take effect. */
void rrl__modes_change(rrl_enclave_t *e);

/* A cell has its payload: carries it on. What is reached is added to e->forwarded, to be marked present. */
void rrl__forward(rrl_enclave_t *e, uint32_t cell);
/* End of a level, first: a cell that was set again is carried on again. */
void rrl__refresh_forwards(rrl_enclave_t *e);

#endif
