#include "modes.h"

#include "memory.h"
#include "reaction_queue.h"
#include "tag.h"

#define NO_TAG ((rrl_tag_t){RRL_FOREVER, 0})

/* ---- memory ---------------------------------------------------------------------------------------- */

/* Events of a recorded run come at the tags that they had, which are those of active modes already. */
static rrl_id_t mode_of_trigger(const rrl_program_t *p, uint32_t trigger) {
    const rrl_plan_t *plan = &p->plan;
    if (trigger < p->first_action_trigger) {
        const rrl_plan_delay_t *delay = &plan->delay[trigger];
        return delay->is_physical && p->options.replay ? RRL_NONE : delay->mode;
    }
    if (trigger < p->first_timer_trigger) {
        const rrl_graph_action_t *action = &plan->actions[trigger - p->first_action_trigger];
        return action->spec.is_physical && p->options.replay ? RRL_NONE : action->mode;
    }
    if (trigger < p->first_entry_trigger)
        return plan->timers[trigger - p->first_timer_trigger].mode;
    return RRL_NONE; /* entries */
}

static rrl_status_t list_triggers(rrl_program_t *p) {
    rrl_pairs_t pairs = {0};
    rrl_status_t rc = RRL_OK;
    for (uint32_t t = 0; t < p->n_triggers && !rc; t++) {
        p->trigger_mode[t] = mode_of_trigger(p, t);
        if (p->trigger_mode[t] != RRL_NONE) rc = rrl__pairs_add(&pairs, p->trigger_mode[t], t);
    }
    if (!rc) rc = rrl__csr_build(&p->mode_triggers, &pairs, p->plan.n_modes, false, 0);
    rrl__pairs_destroy(&pairs);
    return rc;
}

rrl_status_t rrl__modes_create(rrl_program_t *p) {
    const rrl_plan_t *plan = &p->plan;
    if (!plan->n_modes) return RRL_OK;
    p->modes = rrl__zeroed(plan->n_modes, sizeof *p->modes);
    p->modals = rrl__zeroed(plan->n_modals, sizeof *p->modals);
    p->trigger_mode = rrl__zeroed(p->n_triggers, sizeof *p->trigger_mode);
    p->timer_due = rrl__zeroed(plan->n_timers, sizeof *p->timer_due);
    if (!p->modes || !p->modals || !p->trigger_mode || !p->timer_due) return RRL_E_NOMEM;
    for (rrl_id_t m = 0; m < plan->n_modes; m++) { /* outer modes come first */
        const rrl_plan_mode_t *mode = &plan->modes[m];
        bool is_active = mode->is_initial && rrl__is_mode_active(p, mode->within);
        p->modes[m] = (rrl_mode_state_t){.is_current = mode->is_initial,
                                         .is_active = is_active,
                                         .is_active_next = is_active,
                                         .was_active = is_active,
                                         .is_fresh = !is_active};
        if (mode->is_initial) p->modals[mode->modal] = (rrl_modal_t){m, RRL_NONE, false};
    }
    for (uint32_t i = 0; i < plan->n_timers; i++)
        p->timer_due[i] = (rrl_tag_t){plan->timers[i].offset_ns, 0};
    return list_triggers(p);
}

void rrl__modes_destroy(rrl_program_t *p) {
    rrl__free(p->modes);
    rrl__free(p->modals);
    rrl__free(p->trigger_mode);
    rrl__free(p->timer_due);
    rrl__csr_destroy(&p->mode_triggers);
}

/* ---- in a body ------------------------------------------------------------------------------------- */

/* The transition into `mode` that the reaction declares, or NULL. */
static const rrl_graph_ref_t *find_transition(const rrl_plan_t *plan, rrl_id_t reaction,
                                              rrl_id_t mode) {
    for (uint32_t i = plan->refs.begin[reaction]; i < plan->refs.begin[reaction + 1]; i++) {
        const rrl_graph_ref_t *ref = &plan->graph_refs[plan->refs.items[i]];
        bool is_transition = ref->kind == RRL_MODE_RESET || ref->kind == RRL_MODE_HISTORY;
        if (is_transition && ref->element == mode && ref->role == RRL_EFFECT) return ref;
    }
    return NULL;
}

rrl_status_t rrl_mode_set(rrl_worker_t *w, rrl_id_t mode) {
    rrl_program_t *p = w->program;
    rrl_id_t reaction = rrl_load_relaxed_u32(&w->reaction); /* relaxed: this thread's own store */
    if (reaction == RRL_NONE) return RRL_E_PHASE;
    if (mode >= p->plan.n_modes) return RRL_E_INVAL;
    const rrl_graph_ref_t *transition = find_transition(&p->plan, reaction, mode);
    if (!transition) return RRL_E_UNDECLARED;
    uint32_t modal = p->plan.modes[mode].modal;
    rrl_modal_t *state = &p->modals[modal];
    if (state->next == RRL_NONE) w->modals_set[w->n_modals_set++] = modal;
    state->next = mode;
    state->by_reset = transition->kind == RRL_MODE_RESET;
    w->hash += rrl__mix(rrl__mix(RRL__HASH_MODE + mode) + transition->kind);
    return RRL_OK;
}

bool rrl_mode_is_active(const rrl_worker_t *w, rrl_id_t mode) {
    return rrl_program_mode_is_active(w->program, mode);
}

bool rrl_program_mode_is_active(const rrl_program_t *p, rrl_id_t mode) {
    return mode < p->plan.n_modes && p->modes[mode].is_active;
}

/* ---- first tag, last tag --------------------------------------------------------------------------- */

void rrl__modes_start(rrl_enclave_t *e) {
    const rrl_plan_t *plan = &e->program->plan;
    for (rrl_id_t m = 0; m < plan->n_modes; m++) {
        uint32_t cell = plan->mode_startup + m;
        if (plan->modes[m].enclave != e->index) continue;
        for (uint32_t i = plan->triggers.begin[cell]; i < plan->triggers.begin[cell + 1]; i++)
            rrl__reaction_queue_push(e, plan->triggers.items[i]);
    }
}

void rrl__modes_shut_down(rrl_enclave_t *e) {
    const rrl_plan_t *plan = &e->program->plan;
    for (rrl_id_t m = 0; m < plan->n_modes; m++) {
        uint32_t cell = plan->mode_shutdown + m;
        if (plan->modes[m].enclave != e->index || !e->program->modes[m].was_active) continue;
        for (uint32_t i = plan->triggers.begin[cell]; i < plan->triggers.begin[cell + 1]; i++)
            rrl__reaction_queue_add(e, plan->triggers.items[i]);
    }
}

/* ---- events and timers ----------------------------------------------------------------------------- */

/* Where something due at `tag` > `left` comes when what was left goes on now. False: past the end of time. */
static bool shift(rrl_tag_t left, rrl_tag_t now, rrl_tag_t *tag) {
    if (tag->time_ns != left.time_ns) {
        rrl_assert(tag->time_ns > left.time_ns);
        return !rrl_time_add(tag->time_ns, now.time_ns - left.time_ns, &tag->time_ns);
    }
    rrl_assert(tag->microstep > left.microstep);
    uint32_t rest = tag->microstep - left.microstep;
    if (rest > UINT32_MAX - now.microstep) return false;
    *tag = (rrl_tag_t){now.time_ns, now.microstep + rest};
    return true;
}

/* Events that would come too late lie at the end. */
static void drop_late(rrl_enclave_t *e, uint32_t trigger, rrl_tag_t left) {
    rrl_pending_t *q = &e->program->triggers[trigger].pending;
    while (q->n) {
        rrl_tag_t tag = rrl__pending_at(q, q->n - 1)->tag, shifted = tag;
        rrl_pending_event_t event;
        bool has_tag = shift(left, e->tag, &shifted);
        if (has_tag && !rrl_tag_is_before(e->stop_tag, shifted)) return;
        rrl__pending_take(q, tag, &event);
        bool is_lost = rrl__discard_event(e, trigger, event.payload);
        if (is_lost && !has_tag) rrl__fail_overflow(e, trigger);
        e->n_dropped += is_lost;
        e->is_past_stop = true;
    }
}

/* What the spacing of the next event is measured from moves with the mode's time. */
static void resume_spacing(rrl_trigger_state_t *t, rrl_tag_t left, rrl_tag_t now) {
    const rrl_pending_event_t *event = rrl__pending_find(&t->pending, t->last_tag);
    if (t->last_tag.time_ns == RRL_NEVER) return;
    if (event && event->serial == t->last_serial) {
        (void)shift(left, now, &t->last_tag);
    } else if (rrl_time_add(t->last_tag.time_ns, now.time_ns - left.time_ns,
                            &t->last_tag.time_ns)) {
        t->last_tag.time_ns = RRL_FOREVER;
    }
}

static void resume_events(rrl_enclave_t *e, uint32_t trigger, rrl_tag_t left) {
    rrl_trigger_state_t *t = &e->program->triggers[trigger];
    resume_spacing(t, left, e->tag);
    drop_late(e, trigger, left);
    for (uint32_t i = 0; i < t->pending.n; i++) {
        rrl_pending_event_t *event = rrl__pending_at(&t->pending, i);
        rrl_tag_t was = event->tag;
        (void)shift(left, e->tag, &event->tag);
        if (rrl__is_traced(e)) rrl__trace_event(e, RRL_TRACE_MOVED, trigger, was, event->tag);
        rrl__push_event(e, event->tag, trigger);
    }
    rrl_assert3(rrl__pending_is_valid(&t->pending));
}

static void discard_events(rrl_enclave_t *e, uint32_t trigger) {
    e->program->triggers[trigger].last_tag = (rrl_tag_t){RRL_NEVER, 0};
    rrl__discard_events(e, trigger);
}

static void arm_timer(rrl_enclave_t *e, uint32_t timer, bool has_tag, rrl_tag_t tag) {
    rrl_program_t *p = e->program;
    p->timer_due[timer] = has_tag ? tag : NO_TAG;
    if (has_tag) {
        rrl__push_event(e, tag, p->first_timer_trigger + timer);
    } else {
        e->is_past_stop = true; /* past the end of time */
    }
}

static void resume_timer(rrl_enclave_t *e, uint32_t timer, bool is_fresh, rrl_tag_t left) {
    rrl_tag_t tag = e->program->timer_due[timer];
    if (is_fresh) {
        rrl_status_t rc = rrl_tag_delay(e->tag, e->program->plan.timers[timer].offset_ns, &tag);
        arm_timer(e, timer, !rc, tag);
    } else if (tag.time_ns != RRL_FOREVER) {
        bool has_tag = shift(left, e->tag, &tag);
        arm_timer(e, timer, has_tag, tag);
    }
}

/* ---- transitions ----------------------------------------------------------------------------------- */

typedef void (*visit_fn)(rrl_enclave_t *e, rrl_id_t mode);

static uint32_t push_modes(rrl_enclave_t *e, uint32_t n, uint32_t modal) {
    const rrl_csr_t *modes = &e->program->plan.modal_modes;
    for (uint32_t i = modes->begin[modal]; i < modes->begin[modal + 1]; i++)
        e->mode_stack[n++] = modes->items[i];
    return n;
}

/* The modes of a reactor and all that lie in them, an outer one before the inner ones. */
static void for_each_mode(rrl_enclave_t *e, uint32_t modal, visit_fn visit) {
    const rrl_csr_t *nested = &e->program->plan.nested;
    for (uint32_t n = push_modes(e, 0, modal); n != 0;) {
        rrl_id_t mode = e->mode_stack[--n];
        visit(e, mode);
        for (uint32_t i = nested->begin[mode]; i < nested->begin[mode + 1]; i++)
            n = push_modes(e, n, nested->items[i]);
    }
}

/* How many wakes of the mode the queue may hold, all of which are stale now. One of a timer beyond the stop
 * tag would make the program wait for that tag. */
static void give_up_wakes(rrl_enclave_t *e, rrl_id_t mode) {
    const rrl_program_t *p = e->program;
    for (uint32_t i = p->mode_triggers.begin[mode]; i < p->mode_triggers.begin[mode + 1]; i++) {
        uint32_t trigger = p->mode_triggers.items[i];
        if (trigger < p->first_timer_trigger) {
            e->n_stale += p->triggers[trigger].pending.n;
            continue;
        }
        rrl_tag_t due = p->timer_due[trigger - p->first_timer_trigger];
        e->n_stale += due.time_ns != RRL_FOREVER;
        e->must_filter |= due.time_ns != RRL_FOREVER && rrl_tag_is_before(e->stop_tag, due);
    }
}

/* Forgets everything that is pending: whenever the mode is active next, it begins anew. */
static void forget(rrl_enclave_t *e, rrl_id_t mode) {
    rrl_program_t *p = e->program;
    if (p->modes[mode].is_active) give_up_wakes(e, mode);
    for (uint32_t i = p->mode_triggers.begin[mode]; i < p->mode_triggers.begin[mode + 1]; i++) {
        uint32_t trigger = p->mode_triggers.items[i];
        if (trigger < p->first_timer_trigger) {
            discard_events(e, trigger);
        } else {
            p->timer_due[trigger - p->first_timer_trigger] = NO_TAG;
        }
    }
    p->modes[mode].is_fresh = true;
}

/* A mode around it was entered by reset. */
static void reset_nested(rrl_enclave_t *e, rrl_id_t mode) {
    rrl_program_t *p = e->program;
    const rrl_plan_mode_t *plan = &p->plan.modes[mode];
    rrl_mode_state_t *state = &p->modes[mode];
    forget(e, mode);
    if (plan->is_initial) p->modals[plan->modal].current = mode;
    state->is_current = plan->is_initial;
    state->by_reset = plan->is_initial && p->modes[plan->within].by_reset;
}

static void make_current(rrl_enclave_t *e, rrl_modal_t *modal) {
    rrl_program_t *p = e->program;
    p->modes[modal->current].is_current = false;
    p->modes[modal->next].is_current = true;
    modal->current = modal->next;
    if (!modal->by_reset) return;
    p->modes[modal->next].by_reset = true;
    forget(e, modal->next);
}

static void foresee(rrl_enclave_t *e, rrl_id_t mode) {
    const rrl_program_t *p = e->program;
    rrl_id_t within = p->plan.modes[mode].within;
    rrl_mode_state_t *state = &p->modes[mode];
    state->is_active_next =
        state->is_current && (within == RRL_NONE || p->modes[within].is_active_next);
}

static void suspend(rrl_enclave_t *e, rrl_id_t mode) {
    rrl_mode_state_t *state = &e->program->modes[mode];
    if (!state->is_fresh) give_up_wakes(e, mode);
    state->is_active = false;
    state->left = e->tag;
}

/* Startup, or reset, is present at the next microstep if somebody waits for it. */
static void announce(rrl_enclave_t *e, uint32_t entry) {
    const rrl_plan_t *plan = &e->program->plan;
    rrl_tag_t tag;
    uint32_t cell = plan->reset + entry;
    if (plan->triggers.begin[cell] == plan->triggers.begin[cell + 1]) return;
    if (rrl_tag_delay(e->tag, 0, &tag)) {
        e->is_past_stop = true;
    } else {
        rrl__push_event(e, tag, e->program->first_entry_trigger + entry);
    }
}

static void resume(rrl_enclave_t *e, rrl_id_t mode) {
    rrl_program_t *p = e->program;
    rrl_mode_state_t *state = &p->modes[mode];
    rrl_mode_state_t before = *state;
    if (before.by_reset) forget(e, mode); /* what has come from outside since */
    state->is_active = state->was_active = true;
    state->is_fresh = state->by_reset = false;
    for (uint32_t i = p->mode_triggers.begin[mode]; i < p->mode_triggers.begin[mode + 1]; i++) {
        uint32_t trigger = p->mode_triggers.items[i];
        if (trigger < p->first_timer_trigger) {
            resume_events(e, trigger, before.left);
        } else {
            resume_timer(e, trigger - p->first_timer_trigger, before.is_fresh, before.left);
        }
    }
    if (before.by_reset) announce(e, mode);
    if (!before.was_active) announce(e, p->plan.n_modes + mode);
}

/* A mode that was reset and stays active begins anew. */
static void settle(rrl_enclave_t *e, rrl_id_t mode) {
    const rrl_mode_state_t *state = &e->program->modes[mode];
    if (state->is_active && !state->is_active_next) suspend(e, mode);
    if (state->is_active_next && (!state->is_active || state->is_fresh)) resume(e, mode);
}

/* The reactors for which bodies have asked for a transition that changes something, into e->modals_set. */
static uint32_t collect_transitions(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->n_workers; i++) {
        rrl_worker_t *w = &e->workers[i];
        for (uint32_t k = 0; k < w->n_modals_set; k++) {
            rrl_modal_t *modal = &p->modals[w->modals_set[k]];
            if (modal->by_reset || modal->next != modal->current)
                e->modals_set[n++] = w->modals_set[k];
            else
                modal->next = RRL_NONE;
        }
        w->n_modals_set = 0;
    }
    return n;
}

/* In steps, so that the order in which bodies asked shows nowhere: each reactor's own transition; then what
 * lies in a mode that was reset goes back to its initial mode, whatever it asked for; then who is active. */
void rrl__modes_change(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    uint32_t n = collect_transitions(e);
    for (uint32_t i = 0; i < n; i++) make_current(e, &p->modals[e->modals_set[i]]);
    for (uint32_t i = 0; i < n; i++) {
        rrl_modal_t *modal = &p->modals[e->modals_set[i]];
        const rrl_csr_t *nested = &p->plan.nested;
        rrl_id_t mode = modal->next;
        modal->next = RRL_NONE;
        if (!modal->by_reset) continue;
        for (uint32_t k = nested->begin[mode]; k < nested->begin[mode + 1]; k++)
            for_each_mode(e, nested->items[k], reset_nested);
    }
    /* An inner reactor may be foreseen before an outer one, whose turn then puts it right. */
    for (uint32_t i = 0; i < n; i++) for_each_mode(e, e->modals_set[i], foresee);
    for (uint32_t i = 0; i < n; i++) for_each_mode(e, e->modals_set[i], settle);
    if (e->must_filter) {
        rrl__event_queue_filter(&e->events, rrl__is_live_wake, p);
        e->n_stale = 0;
        e->must_filter = false;
    }
}

/* ---- connections ----------------------------------------------------------------------------------- */

static void carry(rrl_enclave_t *e, const rrl_forward_t *f) {
    rrl_program_t *p = e->program;
    void *payload = p->cells[f->from];
    p->host.retain(p->host.ctx, payload);
    p->cells[f->to] = payload;
}

void rrl__forward(rrl_enclave_t *e, uint32_t cell) {
    rrl_program_t *p = e->program;
    const rrl_csr_t *forwards = &p->plan.forwards;
    for (uint32_t i = forwards->begin[cell]; i < forwards->begin[cell + 1]; i++) {
        const rrl_forward_t *f = &p->plan.forward[forwards->items[i]];
        if (!rrl__is_mode_active(p, f->mode) || p->cells[f->to]) continue;
        carry(e, f);
        e->forwarded[e->n_forwarded++] = forwards->items[i];
    }
}

void rrl__refresh_forwards(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    for (uint32_t i = 0; i < e->n_forwarded; i++) {
        const rrl_forward_t *f = &p->plan.forward[e->forwarded[i]];
        void *old = p->cells[f->to];
        if (old == p->cells[f->from]) continue;
        carry(e, f);
        rrl__discard(e, old);
    }
}
