/* actions.c: scheduling: where an event lands, and what waits in the queue for it. */
#include <limits.h>

#include "memory.h"
#include "modes.h"
#include "runtime.h"
#include "tag.h"

/* The first tag after `tag` at the same time. */
static rrl_status_t next_microstep(rrl_tag_t tag, rrl_tag_t *out_tag) {
    return rrl_tag_delay(tag, 0, out_tag);
}

/* What becomes of one call of schedule. */
typedef struct outcome {
    rrl_tag_t tag;
    uint64_t serial;   /* 0: dropped */
    void *discarded;   /* a payload to release, or NULL */
    bool is_new;       /* a wake at `tag` must be queued */
    bool leaves_stale; /* the wake of a removed event stays behind */
    bool is_past_stop;
    bool grew;
} outcome_t;

/* The latest event of the action, if it has not been handled. */
static rrl_pending_event_t *latest_pending(const rrl_trigger_state_t *t) {
    rrl_pending_event_t *event = rrl__pending_find(&t->pending, t->last_tag);
    return event && event->serial == t->last_serial ? event : NULL;
}

/* The tag that spacing `spacing_ns` leaves to an event that comes too early. */
static rrl_status_t deferred_tag(const rrl_trigger_state_t *t, int64_t spacing_ns,
                                 rrl_tag_t *out_tag) {
    if (spacing_ns == 0) return next_microstep(t->last_tag, out_tag);
    return rrl_tag_delay(t->last_tag, spacing_ns, out_tag);
}

static bool is_early(const rrl_trigger_state_t *t, int64_t spacing_ns, rrl_tag_t intended) {
    int64_t earliest_ns;
    if (t->last_tag.time_ns == RRL_NEVER) return false;
    if (rrl_time_add(t->last_tag.time_ns, spacing_ns, &earliest_ns)) return true;
    return earliest_ns > intended.time_ns || (spacing_ns == 0 && earliest_ns == intended.time_ns);
}

/* Gives the event a tag after `now` that no other event of the action has, and stores it. */
static rrl_status_t store(rrl_enclave_t *e, rrl_trigger_state_t *t, rrl_tag_t now, rrl_tag_t tag,
                          void *payload, outcome_t *out) {
    if (!rrl_tag_is_before(now, tag)) {
        tag = rrl__tag_after(now);
        if (tag.time_ns == RRL_FOREVER) return RRL_E_OVERFLOW;
    }
    rrl_status_t rc = rrl__pending_free_tag(&t->pending, tag, &tag);
    if (rc) return rc;
    if (rrl_tag_is_before(e->stop_tag, tag)) {
        *out = (outcome_t){.discarded = payload, .is_past_stop = true};
        return RRL_OK;
    }
    rrl_pending_event_t event = {tag, payload, t->last_serial + 1};
    rc = rrl__pending_add(&t->pending, event, &out->grew);
    if (rc) return rc;
    t->last_tag = tag;
    t->last_serial++;
    out->tag = tag;
    out->serial = event.serial;
    out->is_new = true;
    return RRL_OK;
}

/* Applies the action's spacing and policy (semantics of Lingua Franca's actions). Takes the payload over
 * on RRL_OK. Belongs to the worker that runs a reaction of the action's reactor, or to the coordinator. */
static rrl_status_t place(rrl_enclave_t *e, rrl_trigger_state_t *t, const rrl_action_spec_t *spec,
                          rrl_tag_t now, rrl_tag_t intended, void *payload, outcome_t *out) {
    *out = (outcome_t){0};
    int64_t spacing_ns = spec->min_spacing_ns;
    if (spacing_ns == RRL_NO_SPACING || !is_early(t, spacing_ns, intended))
        return store(e, t, now, intended, payload, out);

    rrl_pending_event_t *latest = latest_pending(t);
    if (spec->policy == RRL_DROP) {
        out->discarded = payload;
        return RRL_OK;
    }
    if (spec->policy == RRL_REPLACE && latest) {
        out->discarded = latest->payload;
        out->tag = latest->tag;
        out->serial = latest->serial;
        latest->payload = payload;
        return RRL_OK;
    }
    if (spec->policy == RRL_UPDATE) {
        rrl_pending_event_t removed = {.serial = 0};
        if (latest) rrl__pending_take(&t->pending, latest->tag, &removed);
        rrl_status_t rc = store(e, t, now, intended, payload, out);
        if (!removed.serial) return rc;
        if (rc || !out->serial) { /* nothing took its place: it stays; its room is still there */
            (void)rrl__pending_add(&t->pending, removed, &out->grew);
        } else {
            out->discarded = removed.payload;
            out->leaves_stale = true;
        }
        return rc;
    }
    rrl_status_t rc = deferred_tag(t, spacing_ns, &intended);
    return rc ? rc : store(e, t, now, intended, payload, out);
}

static void release_one(const rrl_program_t *p, void *payload) {
    if (payload) p->host.release(p->host.ctx, &payload, 1);
}

/* ---- in a body ------------------------------------------------------------------------------------- */

static rrl_status_t check_effect(const rrl_worker_t *w, rrl_id_t action) {
    rrl_id_t reaction = rrl_load_relaxed_u32(&w->reaction); /* relaxed: this thread's own store */
    if (reaction == RRL_NONE) return RRL_E_PHASE;
    const rrl_plan_t *plan = &w->program->plan;
    if (action >= plan->n_actions) return RRL_E_INVAL;
    return rrl__csr_has(&plan->action_writers, action, reaction) ? RRL_OK : RRL_E_UNDECLARED;
}

/* event path 3/10 (ARCHITECTURE.md) */
rrl_status_t rrl_schedule(rrl_worker_t *w, rrl_id_t action, int64_t delay_ns, void *payload,
                          rrl_tag_t *out_tag, uint64_t *out_serial) {
    rrl_program_t *p = w->program;
    rrl_enclave_t *e = w->enclave;
    rrl_status_t rc = check_effect(w, action);
    if (rc) return rc;
    const rrl_action_spec_t *spec = &p->plan.actions[action].spec;
    rrl_trigger_state_t *t = &p->triggers[p->first_action_trigger + action];
    rrl_tag_t intended;
    if (delay_ns < 0 || spec->is_physical) return RRL_E_INVAL;
    rc = rrl_time_add(delay_ns, spec->min_delay_ns, &delay_ns);
    if (!rc) rc = rrl_tag_delay(e->tag, delay_ns, &intended);
    if (rc) return rc;
    if (intended.time_ns == RRL_FOREVER) return RRL_E_OVERFLOW;
    uint32_t room = w->cap_wakes;
    rc = rrl__reserve((void **)&w->wakes, &w->cap_wakes, w->n_wakes + 1ull, sizeof *w->wakes);
    if (rc) return rc;
    w->n_allocations += room != w->cap_wakes;

    outcome_t out;
    rc = place(e, t, spec, e->tag, intended, payload, &out);
    if (rc) return rc;
    w->n_allocations += out.grew;
    w->n_stale += out.leaves_stale;
    w->is_past_stop |= out.is_past_stop;
    w->n_dropped += out.serial == 0;
    if (out.is_new)
        w->wakes[w->n_wakes++] = (rrl_wake_t){out.tag, p->first_action_trigger + action};
    if (out.serial) w->hash += rrl__mix_tag(RRL__HASH_ACTION + action, out.tag);
    *out_tag = out.tag;
    *out_serial = out.serial;
    /* Last: a payload's finaliser may schedule, too. */
    release_one(p, out.discarded);
    return out.serial ? RRL_OK : RRL_STOPPED;
}

/* The event that was given this tag; NULL: it is not pending. */
static rrl_pending_event_t *find_event(const rrl_program_t *p, rrl_id_t action, rrl_tag_t tag,
                                       uint64_t serial) {
    const rrl_pending_t *q = &p->triggers[p->first_action_trigger + action].pending;
    rrl_pending_event_t *event = rrl__pending_find(q, tag);
    if (event && event->serial == serial) return event;
    /* The tags of a mode that was left and resumed have moved. */
    uint32_t n = p->plan.actions[action].mode == RRL_NONE ? 0 : q->n;
    for (uint32_t i = 0; i < n; i++) {
        event = rrl__pending_at(q, i);
        if (event->serial == serial) return event;
    }
    return NULL;
}

rrl_status_t rrl_cancel(rrl_worker_t *w, rrl_id_t action, rrl_tag_t tag, uint64_t serial) {
    rrl_program_t *p = w->program;
    rrl_status_t rc = check_effect(w, action);
    if (rc) return rc;
    rrl_trigger_state_t *t = &p->triggers[p->first_action_trigger + action];
    rrl_pending_event_t *event = find_event(w->program, action, tag, serial), taken;
    if (!event) return RRL_EMPTY;
    tag = event->tag;
    rrl__pending_take(&t->pending, tag, &taken);
    w->n_stale++;
    w->hash += rrl__mix_tag(~(RRL__HASH_ACTION + action), tag);
    release_one(p, taken.payload);
    return RRL_OK;
}

/* ---- from outside ---------------------------------------------------------------------------------- */

/* Never counts above the capacity, not even for a moment: who waits for room would sleep over it. */
static bool take_room(rrl_trigger_state_t *t, uint32_t capacity) {
    uint32_t n = rrl_load_relaxed_u32(&t->n_waiting); /* relaxed: a guess, the cas decides */
    while (n < capacity) {
        if (rrl_cas_weak_acq_rel_u32(&t->n_waiting, &n, n + 1)) return true;
    }
    return false;
}

static void announce_room(rrl_enclave_t *e) {
    uint32_t seen = rrl_load_relaxed_u32(&e->room);
    while (!rrl_cas_weak_acq_rel_u32(&e->room, &seen, (seen + 2) & ~1u)) {
    }
    if (seen & 1) rrl__futex_wake(&e->room, INT_MAX);
}

/* Where the action's events are. */
static rrl_enclave_t *enclave_of(const rrl_program_t *p, rrl_id_t action) {
    return &p->enclaves[p->plan.reactor_enclave[p->plan.actions[action].reactor]];
}

rrl_status_t rrl_schedule_physical(rrl_program_t *p, rrl_id_t action, int64_t delay_ns,
                                   void *ticket, rrl_tag_t *out_tag) {
    if (action >= p->plan.n_actions || delay_ns < 0) return RRL_E_INVAL;
    const rrl_action_spec_t *spec = &p->plan.actions[action].spec;
    if (!spec->is_physical) return RRL_E_INVAL;
    if (p->options.replay) return RRL_EMPTY; /* what came has been fed */
    rrl_enclave_t *e = enclave_of(p, action);
    rrl_status_t rc = RRL_OK;
    /* acq_rel: pairs with rrl__close_gate. */
    if (rrl_add_acq_rel_u32(&e->gate, 1) & RRL_GATE_CLOSED) rc = RRL_STOPPED;
    /* acquire: start_ns was written before the phase. */
    if (!rc && rrl_load_acquire_u32(&p->phase) == RRL_CREATED) rc = RRL_E_PHASE;
    rrl_inbox_item_t item = {.action = action, .delay_ns = delay_ns, .ticket = ticket};
    int64_t lands_ns = 0;
    if (!rc) {
        item.stamp_ns = rrl__elapsed_ns(p);
        rc = rrl_time_add(delay_ns, spec->min_delay_ns, &item.delay_ns);
        if (!rc) rc = rrl_time_add(item.stamp_ns, item.delay_ns, &lands_ns);
        if (!rc && lands_ns == RRL_FOREVER) rc = RRL_E_OVERFLOW;
    }
    if (!rc && !take_room(&p->triggers[p->first_action_trigger + action], spec->capacity))
        rc = RRL_FULL;
    if (!rc && !rrl__mpsc_push(&e->inbox,
                               &item)) { /* all inboxes together are larger than a ring can be */
        rrl_sub_acq_rel_u32(&p->triggers[p->first_action_trigger + action].n_waiting, 1);
        announce_room(e);
        rc = RRL_FULL;
    }
    rrl_sub_acq_rel_u32(&e->gate, 1); /* releases the push to rrl__close_gate */
    if (!rc) {
        *out_tag = (rrl_tag_t){lands_ns, 0};
        rrl__ring_bell(e);
    }
    return rc;
}

rrl_status_t rrl_wait_for_room(rrl_program_t *p, rrl_id_t action, int64_t timeout_ns) {
    if (action >= p->plan.n_actions || !p->plan.actions[action].spec.is_physical)
        return RRL_E_INVAL;
    const rrl_trigger_state_t *t = &p->triggers[p->first_action_trigger + action];
    rrl_enclave_t *e = enclave_of(p, action);
    int64_t deadline_ns;
    if (timeout_ns == RRL_FOREVER || rrl_time_add(rrl__clock_ns(), timeout_ns, &deadline_ns))
        deadline_ns = RRL_FOREVER;
    for (;;) {
        /* The bit is set first, then the count looked at; the coordinator lowers the count first and then
         * takes the bit: one of the two sees the other. */
        uint32_t seen = rrl_or_acq_rel_u32(&e->room, 1) | 1;
        if (rrl_load_acquire_u32(&e->gate) & RRL_GATE_CLOSED) return RRL_STOPPED;
        if (rrl_load_relaxed_u32(&t->n_waiting) < p->plan.actions[action].spec.capacity)
            return RRL_OK;
        rrl_status_t rc = rrl__futex_wait(&e->room, seen, deadline_ns);
        if (rc) return rc;
    }
}

void rrl_program_hold(rrl_program_t *p, rrl_id_t action, bool open) {
    rrl_enclave_t *e = action == RRL_NONE ? &p->enclaves[0] : enclave_of(p, action);
    if (open) {
        rrl_add_acq_rel_u32(&e->n_holds, 1);
        return;
    }
    rrl_sub_acq_rel_u32(&e->n_holds,
                        1); /* release: pairs with is_held, so that earlier pushes are seen */
    rrl__ring_bell(e);
}

void rrl__close_gate(rrl_enclave_t *e) {
    uint32_t seen = rrl_or_acq_rel_u32(&e->gate, RRL_GATE_CLOSED);
    while (
        seen &
        ~RRL_GATE_CLOSED) { /* a pusher needs well under a microsecond, unless it lost its processor */
        rrl__thread_yield();
        seen = rrl_load_acquire_u32(&e->gate);
    }
    announce_room(e);
}

/* ---- the coordinator's ----------------------------------------------------------------------------- */

void rrl__push_event(rrl_enclave_t *e, rrl_tag_t tag, uint32_t trigger) {
    if (rrl__event_queue_push(&e->events, tag, trigger)) e->status = RRL_E_NOMEM;
}

void rrl__fail_overflow(rrl_enclave_t *e, uint32_t trigger) {
    rrl_program_t *p = e->program;
    rrl_tag_t stop = rrl__tag_after(rrl__present_of(e));
    bool is_action = trigger >= p->first_action_trigger;
    rrl_id_t id =
        is_action ? trigger - p->first_action_trigger : p->plan.delay[trigger].destination;
    p->host.overflowed(p->host.ctx, is_action ? RRL_ACTION : RRL_PORT, id, e->tag);
    if (rrl_tag_is_before(stop, e->stop_tag)) e->stop_tag = stop;
    e->is_unwinding = e->tells_stop = true;
}

void rrl__discard(rrl_enclave_t *e, void *payload) {
    rrl_program_t *p = e->program;
    uint32_t room = e->cap_garbage;
    if (rrl__reserve((void **)&e->garbage, &e->cap_garbage, e->n_garbage + 1ull,
                     sizeof *e->garbage)) {
        release_one(p, payload);
        return;
    }
    e->n_allocations += room != e->cap_garbage;
    e->garbage[e->n_garbage++] = payload;
}

void rrl__release_garbage(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    uint32_t n = e->n_garbage;
    e->n_garbage = 0;
    if (n) p->host.release(p->host.ctx, e->garbage, n);
}

/* An event cannot come: there is no memory, or no tag for it. */
static void note_lost(rrl_enclave_t *e, uint32_t trigger, rrl_status_t rc) {
    if (rc == RRL_E_NOMEM) {
        e->status = rc;
    } else {
        rrl__fail_overflow(e, trigger);
    }
}

/* False: the event had been cancelled. */
static bool redeem_and_discard(rrl_enclave_t *e, void *ticket) {
    rrl_program_t *p = e->program;
    void *payload = p->host.redeem(p->host.ctx, ticket);
    if (payload) rrl__discard(e, payload);
    rrl__discard(e, ticket);
    return payload != NULL;
}

void rrl__drain_inbox(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    rrl_inbox_item_t item;
    bool some = false;
    /* Up to here only, or busy pushers would never let the coordinator go; relaxed: what comes later rings. */
    uint64_t end = rrl_load_relaxed_u64(&e->inbox.tail);
    while (e->inbox.head != end && rrl__mpsc_pop(&e->inbox, &item)) {
        some = true;
        uint32_t trigger = p->first_action_trigger + item.action;
        rrl_trigger_state_t *t = &p->triggers[trigger];
        rrl_sub_acq_rel_u32(&t->n_waiting, 1);
        int64_t time_ns = item.stamp_ns + item.delay_ns; /* checked by the pusher */
        rrl_tag_t now = rrl__present_of(e);
        outcome_t out;
        rrl_status_t rc = RRL_OK;
        bool is_suspended = rrl__is_suspended(p, trigger);
        if (is_suspended) { /* there time stands still */
            now = p->modes[p->trigger_mode[trigger]].left;
            rc = rrl_time_add(now.time_ns, item.delay_ns, &time_ns);
        }
        if (!rc)
            rc = place(e, t, &p->plan.actions[item.action].spec, now, (rrl_tag_t){time_ns, 0},
                       item.ticket, &out);
        if (rc) {
            note_lost(e, trigger, rc);
            out = (outcome_t){.discarded = item.ticket};
        }
        if (out.discarded) redeem_and_discard(e, out.discarded);
        e->n_allocations += out.grew;
        e->n_stale += out.leaves_stale;
        e->is_past_stop |= out.is_past_stop;
        e->n_dropped += out.serial == 0;
        if (out.is_new && !is_suspended) rrl__push_event(e, out.tag, trigger);
        if (rrl__is_traced(e))
            rrl__trace_arrival(e, trigger, item.stamp_ns,
                               out.serial ? out.tag : (rrl_tag_t){RRL_NEVER, 0});
    }
    if (some) announce_room(e);
}

/* Where a value of a physical connection lands: at the clock's time, each value after the one before, and
 * then its delay, which keeps the microstep, so that values stay apart. */
static rrl_status_t stamp(rrl_enclave_t *e, int64_t delay_ns, rrl_tag_t *out_tag) {
    rrl_program_t *p = e->program;
    rrl_tag_t floor = rrl_tag_is_before(e->last_stamp, e->tag) ? e->tag : e->last_stamp;
    rrl_tag_t tag = {rrl__elapsed_ns(p), 0};
    if (!rrl_tag_is_before(floor, tag)) tag = rrl__tag_after(floor);
    e->last_stamp = tag;
    out_tag->microstep = tag.microstep;
    return rrl_time_add(tag.time_ns, delay_ns, &out_tag->time_ns);
}

/* Stores a value that a delay brings, or drops it. */
static void store_delayed(rrl_enclave_t *e, uint32_t delay, rrl_tag_t now, rrl_tag_t tag,
                          void *payload) {
    outcome_t out = {0};
    rrl_status_t rc = store(e, &e->program->triggers[delay], now, tag, payload, &out);
    e->n_allocations += out.grew;
    e->is_past_stop |= out.is_past_stop;
    if (out.is_new) {
        rrl__push_event(e, out.tag, delay);
        if (rrl__is_traced(e) && !rrl_tag_equal(tag, out.tag))
            rrl__trace_event(e, RRL_TRACE_MOVED, delay, tag, out.tag);
        return;
    }
    if (rc) note_lost(e, delay, rc);
    e->n_taken += e->program->plan.delay[delay].from != e->index;
    e->n_dropped++;
    rrl__discard(e, payload);
}

/* Puts a value into the outbox. False: no memory. */
static bool post(rrl_enclave_t *e, uint32_t delay, rrl_tag_t tag, void *payload) {
    rrl_mailbox_t *box = &e->outbox;
    uint32_t room = box->capacity;
    if (rrl__reserve((void **)&box->items, &box->capacity, box->n + 1ull, sizeof *box->items)) {
        e->status = RRL_E_NOMEM; /* never back to RRL_OK: something else may have failed before */
        return false;
    }
    e->n_allocations += room != box->capacity;
    box->items[box->n++] = (rrl_mail_t){tag, delay, payload};
    return true;
}

void rrl__capture_delay(rrl_enclave_t *e, uint32_t delay, void *payload) {
    const rrl_plan_delay_t *d = &e->program->plan.delay[delay];
    rrl_tag_t tag;
    if (d->is_physical && e->program->options.replay) { /* what came has been fed */
        rrl__discard(e, payload);
        return;
    }
    rrl_status_t rc =
        d->is_physical ? stamp(e, d->delay_ns, &tag) : rrl_tag_delay(e->tag, d->delay_ns, &tag);
    if (!rc && rrl__is_traced(e)) rrl__trace_event(e, RRL_TRACE_SENT, delay, e->tag, tag);
    if (!rc && d->to == e->index) {
        store_delayed(e, delay, e->tag, tag, payload);
    } else if (rc || !post(e, delay, tag, payload)) {
        if (rc) rrl__fail_overflow(e, delay);
        e->n_dropped++;
        rrl__discard(e, payload);
    }
}

void rrl__take_mail(rrl_enclave_t *e, const rrl_mail_t *mail) {
    bool is_physical = e->program->plan.delay[mail->delay].is_physical;
    rrl_assert(is_physical || e->epoch == 0 || rrl_tag_is_before(e->tag, mail->tag));
    store_delayed(e, mail->delay, is_physical ? rrl__present_of(e) : e->tag, mail->tag,
                  mail->payload);
}

static bool is_ticket(const rrl_program_t *p, uint32_t trigger) {
    if (trigger < p->first_action_trigger || p->options.replay) return false;
    return p->plan.actions[trigger - p->first_action_trigger].spec.is_physical;
}

static void record(const rrl_enclave_t *e, uint32_t trigger, rrl_tag_t tag, void *payload) {
    const rrl_program_t *p = e->program;
    if (!p->host.record) return;
    if (trigger >= p->first_action_trigger) {
        rrl_id_t action = trigger - p->first_action_trigger;
        if (p->plan.actions[action].spec.is_physical)
            p->host.record(p->host.ctx, RRL_ACTION, action, tag, payload);
    } else if (p->plan.delay[trigger].is_physical) {
        p->host.record(p->host.ctx, RRL_PORT, p->plan.delay[trigger].destination, tag, payload);
    }
}

void *rrl__take_due(rrl_enclave_t *e, uint32_t trigger, rrl_tag_t tag) {
    rrl_program_t *p = e->program;
    rrl_pending_event_t event;
    if (rrl__is_suspended(p, trigger)) return NULL;
    if (!rrl__pending_take(&p->triggers[trigger].pending, tag, &event)) return NULL;
    void *payload = event.payload;
    if (is_ticket(p, trigger)) {
        payload = p->host.redeem(p->host.ctx, event.payload);
        rrl__discard(e, event.payload);
    }
    if (trigger < p->first_action_trigger && p->plan.delay[trigger].from != e->index) e->n_taken++;
    if (payload) record(e, trigger, tag, payload);
    return payload;
}

bool rrl__is_live_wake(void *program, rrl_tag_t tag, uint32_t trigger) {
    const rrl_program_t *p = program;
    if (trigger >= p->first_entry_trigger) return true;
    if (trigger >= p->first_timer_trigger)
        return rrl__is_timer_due(p, trigger - p->first_timer_trigger, tag);
    return !rrl__is_suspended(p, trigger) &&
           rrl__pending_find(&p->triggers[trigger].pending, tag) != NULL;
}

bool rrl__discard_event(rrl_enclave_t *e, uint32_t trigger, void *payload) {
    if (is_ticket(e->program, trigger)) return redeem_and_discard(e, payload);
    rrl__discard(e, payload);
    return true;
}

uint32_t rrl__discard_events(rrl_enclave_t *e, uint32_t trigger) {
    rrl_pending_t *q = &e->program->triggers[trigger].pending;
    uint32_t n = 0;
    while (q->n) {
        rrl_pending_event_t event;
        rrl__pending_take(q, rrl__pending_at(q, 0)->tag, &event);
        n += rrl__discard_event(e, trigger, event.payload);
    }
    return n;
}

void rrl__discard_pending(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    for (uint32_t i = 0; i < p->first_timer_trigger; i++) {
        if (rrl__enclave_of_trigger(p, i) == e->index) e->n_dropped += rrl__discard_events(e, i);
    }
}
