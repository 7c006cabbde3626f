#include "enclaves.h"

#include <limits.h>

#include "memory.h"
#include "runtime.h"
#include "tag.h"

static const rrl_tag_t no_tag = {RRL_FOREVER, 0};

static bool is_tag(rrl_tag_t tag) { return tag.time_ns != RRL_FOREVER; }

static rrl_tag_t later_of(rrl_tag_t a, rrl_tag_t b) { return rrl_tag_is_before(a, b) ? b : a; }

static rrl_tag_t earlier_of(rrl_tag_t a, rrl_tag_t b) { return rrl_tag_is_before(b, a) ? b : a; }

/* ---- distances --------------------------------------------------------------------------------- */

static bool is_way(rrl_distance_t d) { return d.time_ns >= 0; }

static bool is_shorter(rrl_distance_t a, rrl_distance_t b) {
    if (!is_way(a) || !is_way(b)) return is_way(a);
    return a.time_ns != b.time_ns ? a.time_ns < b.time_ns : a.microsteps < b.microsteps;
}

/* First a, then b. A delay that is not 0 forgets the microsteps before it. */
static rrl_distance_t joined(rrl_distance_t a, rrl_distance_t b) {
    rrl_distance_t sum = {.microsteps = b.time_ns ? b.microsteps : a.microsteps + b.microsteps};
    if (!is_way(a) || !is_way(b)) return (rrl_distance_t){-1, 0};
    if (rrl_time_add(a.time_ns, b.time_ns, &sum.time_ns)) return (rrl_distance_t){-1, 0};
    return sum;
}

/* Where a value that leaves at `tag` arrives at the earliest; no_tag: past the end of time. */
static rrl_tag_t arrival(rrl_tag_t tag, rrl_distance_t d) {
    uint64_t microstep = d.microsteps + (uint64_t)(d.time_ns ? 0 : tag.microstep);
    int64_t time_ns;
    if (!is_tag(tag) || rrl_time_add(tag.time_ns, d.time_ns, &time_ns)) return no_tag;
    if (microstep > UINT32_MAX) return (rrl_tag_t){time_ns, UINT32_MAX};
    return (rrl_tag_t){time_ns, (uint32_t)microstep};
}

/* The last tag from which a value still arrives at or before `tag`. */
static rrl_tag_t last_departure(rrl_tag_t tag, rrl_distance_t d) {
    rrl_tag_t never = {RRL_NEVER, 0};
    if (tag.time_ns < RRL_NEVER + 2 + d.time_ns) return never;
    int64_t time_ns = tag.time_ns - d.time_ns;
    if (tag.microstep < d.microsteps) return (rrl_tag_t){time_ns - 1, UINT32_MAX};
    if (d.time_ns) return (rrl_tag_t){time_ns, UINT32_MAX};
    return (rrl_tag_t){time_ns, tag.microstep - d.microsteps};
}

/* Shortest ways between all pairs, and who can reach whom (Floyd, Warshall). */
static void find_ways(rrl_ledger_t *l) {
    uint32_t n = l->n;
    for (uint32_t via = 0; via < n; via++) {
        for (uint32_t from = 0; from < n; from++) {
            if (!l->can_reach[from * n + via]) continue;
            for (uint32_t to = 0; to < n; to++) {
                if (!l->can_reach[via * n + to]) continue;
                rrl_distance_t way = joined(l->distance[from * n + via], l->distance[via * n + to]);
                if (is_shorter(way, l->distance[from * n + to])) l->distance[from * n + to] = way;
                l->can_reach[from * n + to] = 1;
            }
        }
    }
}

static void find_groups(rrl_ledger_t *l) {
    for (uint32_t i = 0; i < l->n; i++) {
        l->entries[i].group = i;
        for (uint32_t k = 0; k < i; k++) {
            if (l->can_reach[i * l->n + k] && l->can_reach[k * l->n + i]) {
                l->entries[i].group = k;
                break;
            }
        }
    }
}

static void add_ways(rrl_ledger_t *l, const rrl_plan_t *plan) {
    for (uint32_t d = 0; d < plan->n_delays; d++) {
        const rrl_plan_delay_t *delay = &plan->delay[d];
        if (delay->from == delay->to) continue;
        size_t at = delay->from * (size_t)l->n + delay->to;
        rrl_distance_t way = {delay->delay_ns, delay->delay_ns == 0};
        l->is_linked[at] = l->can_reach[at] = 1;
        if (!delay->is_physical && is_shorter(way, l->distance[at])) l->distance[at] = way;
    }
}

rrl_status_t rrl__ledger_create(rrl_program_t *p) {
    uint32_t n = p->plan.n_enclaves;
    if (n == 1 && !p->options.virtual_clock && !p->options.stepped) return RRL_OK;
    rrl_ledger_t *l = p->ledger = rrl__zeroed(1, sizeof *l);
    if (!l) return RRL_E_NOMEM;
    l->n = n;
    l->takes_turns = p->options.virtual_clock || p->options.stepped;
    l->limit = p->options.stepped ? (rrl_tag_t){RRL_NEVER, 0} : no_tag;
    l->entries = rrl__zeroed(n, sizeof *l->entries);
    l->distance = rrl__zeroed((size_t)n * n, sizeof *l->distance);
    l->is_linked = rrl__zeroed((size_t)n * n, 1);
    l->can_reach = rrl__zeroed((size_t)n * n, 1);
    if (!l->entries || !l->distance || !l->is_linked || !l->can_reach) return RRL_E_NOMEM;
    for (size_t i = 0; i < (size_t)n * n; i++) l->distance[i].time_ns = -1;
    for (uint32_t i = 0; i < n; i++) {
        l->entries[i].stop = no_tag;
        l->entries[i].floor = (rrl_tag_t){RRL_NEVER, 0};
    }
    add_ways(l, &p->plan);
    find_ways(l);
    find_groups(l);
    return RRL_OK;
}

void rrl__ledger_destroy(rrl_ledger_t *l) {
    if (!l) return;
    for (uint32_t i = 0; l->entries && i < l->n; i++) rrl__free(l->entries[i].mailbox.items);
    rrl__free(l->entries);
    rrl__free(l->distance);
    rrl__free(l->is_linked);
    rrl__free(l->can_reach);
    rrl__free(l);
}

/* ---- the lock ---------------------------------------------------------------------------------- */

/* Detached while it waits. Whoever holds the lock does not attach, as that may wait for somebody who waits
 * for the lock. True: to be attached again behind the release. */
static bool enter(rrl_ledger_t *l, rrl_worker_t *w) {
    bool is_contended = !rrl__lock_try(&l->lock);
    if (is_contended) {
        rrl__detach(w);
        rrl__lock_acquire(&l->lock);
    }
    l->visitor = w->enclave->index;
    return is_contended;
}

static void leave(rrl_ledger_t *l, rrl_worker_t *w, bool is_detached) {
    rrl__lock_release(&l->lock);
    if (is_detached) rrl__attach(w);
}

static void enter_from_outside(rrl_ledger_t *l) {
    rrl__lock_acquire(&l->lock);
    l->visitor = RRL_NONE;
}

/* ---- under the lock ---------------------------------------------------------------------------- */

/* Lets the enclave look again. Its own coordinator, under the lock now, will do so unrung. */
static void resume(rrl_program_t *p, uint32_t i) {
    rrl_entry_t *entry = &p->ledger->entries[i];
    if (entry->stance == RRL_OVER) return;
    entry->stance = RRL_BUSY;
    if (i != p->ledger->visitor) rrl__ring_bell(&p->enclaves[i]);
}

static void order_stop(rrl_program_t *p, uint32_t i, rrl_tag_t stop) {
    rrl_entry_t *entry = &p->ledger->entries[i];
    if (!rrl_tag_is_before(stop, entry->stop)) return;
    entry->stop = stop;
    entry->head = earlier_of(entry->head, stop);
    entry->has_news = true;
    resume(p, i);
}

static bool is_upstream_clear(const rrl_ledger_t *l, uint32_t i) {
    for (uint32_t from = 0; from < l->n; from++) {
        const rrl_entry_t *other = &l->entries[from];
        rrl_distance_t d = l->distance[from * l->n + i];
        if (from == i || other->stance == RRL_OVER || !is_way(d)) continue;
        if (!rrl_tag_is_before(l->entries[i].head, arrival(other->head, d))) return false;
    }
    return true;
}

/* Whether no other head is before this one; of equal ones, the first. */
static bool is_first(const rrl_ledger_t *l, uint32_t i) {
    for (uint32_t k = 0; k < l->n; k++) {
        if (k == i || l->entries[k].stance == RRL_OVER) continue;
        int order = rrl_tag_compare(l->entries[k].head, l->entries[i].head);
        if (order < 0 || (order == 0 && k < i)) return false;
    }
    return true;
}

/* Where it sends to, events pile up. The first of all goes on nevertheless: nobody else could. */
static bool is_held_back(const rrl_program_t *p, uint32_t i) {
    const rrl_ledger_t *l = p->ledger;
    for (uint32_t to = 0; to < l->n; to++) {
        const rrl_entry_t *other = &l->entries[to];
        if (to == i || !l->is_linked[i * l->n + to] || other->stance == RRL_OVER) continue;
        if (other->n_inside >= p->plan.enclaves[to].capacity) return !is_first(l, i);
    }
    return false;
}

static bool is_anybody(const rrl_ledger_t *l, rrl_stance_t stance) {
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->entries[i].stance == stance) return true;
    }
    return false;
}

static bool may_go(const rrl_program_t *p, uint32_t i) {
    const rrl_ledger_t *l = p->ledger;
    if (rrl_tag_is_before(l->limit, l->entries[i].head)) return false;
    if (l->takes_turns && (is_anybody(l, RRL_BUSY) || !is_first(l, i))) return false;
    return is_upstream_clear(l, i) && !is_held_back(p, i);
}

/* Nobody that can reach i may now process, for events from outside, what would arrive behind it. */
static void raise_floors(rrl_ledger_t *l, uint32_t i) {
    for (uint32_t from = 0; from < l->n; from++) {
        rrl_distance_t d = l->distance[from * l->n + i];
        if (from == i || !is_way(d)) continue;
        rrl_entry_t *other = &l->entries[from];
        other->floor = later_of(other->floor, last_departure(l->entries[i].head, d));
        rrl_assert(other->stance == RRL_OVER || rrl_tag_is_before(other->floor, other->head));
    }
}

/* Whether enclave i waits for events that only its own group could still send. */
static bool is_starving(const rrl_ledger_t *l, uint32_t i) {
    const rrl_entry_t *entry = &l->entries[i];
    for (uint32_t from = 0; from < l->n; from++) {
        if (l->entries[from].group != entry->group && l->can_reach[from * l->n + i] &&
            l->entries[from].stance != RRL_OVER)
            return false;
    }
    return entry->stance == RRL_OVER ||
           (entry->stance == RRL_IDLE && !entry->may_receive && !entry->has_news);
}

/* The earliest tag at which nothing more can come: when a value that was sent at the last tag of anyone
 * upstream would arrive, but after its own last tag. */
static rrl_tag_t end_of_starving(const rrl_ledger_t *l, uint32_t i) {
    const rrl_entry_t *entry = &l->entries[i];
    /* With physical connections others may have gone on further. */
    rrl_tag_t stop = rrl__tag_after(later_of(entry->last, entry->floor));
    for (uint32_t from = 0; from < l->n; from++) {
        rrl_distance_t d = l->distance[from * l->n + i];
        rrl_tag_t last = arrival(l->entries[from].last, d);
        if (from != i && is_way(d) && is_tag(last)) stop = later_of(stop, last);
    }
    return stop;
}

/* A group without events ends, all its members at once, so that which of them found out does not matter. */
static void end_starving_groups(rrl_program_t *p) {
    rrl_ledger_t *l = p->ledger;
    if (p->options.keepalive) return;
    for (uint32_t group = 0; group < l->n; group++) {
        bool is_over = true;
        for (uint32_t i = group; i < l->n && is_over; i++)
            is_over = l->entries[i].group != group || is_starving(l, i);
        for (uint32_t i = group; i < l->n && is_over; i++) {
            rrl_entry_t *entry = &l->entries[i];
            if (entry->group == group && entry->stance == RRL_IDLE)
                order_stop(p, i, end_of_starving(l, i));
        }
    }
}

static bool let_go(rrl_program_t *p) {
    rrl_ledger_t *l = p->ledger;
    bool some = false;
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->entries[i].stance != RRL_HELD || !may_go(p, i)) continue;
        raise_floors(l, i);
        resume(p, i);
        some = true;
    }
    return some;
}

/* A virtual clock jumps to the first time that anybody waits for. */
static bool move_clock(rrl_program_t *p) {
    rrl_ledger_t *l = p->ledger;
    int64_t due_ns = RRL_FOREVER;
    if (!p->options.virtual_clock) return false;
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->entries[i].stance == RRL_TIMED && l->entries[i].head.time_ns < due_ns)
            due_ns = l->entries[i].head.time_ns;
    }
    if (due_ns == RRL_FOREVER) return false;
    if (rrl_load_relaxed_i64(&p->virtual_ns) < due_ns) /* relaxed: the lock */
        rrl_store_relaxed_i64(&p->virtual_ns, due_ns);
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->entries[i].stance == RRL_TIMED && l->entries[i].head.time_ns == due_ns)
            l->entries[i].stance = RRL_HELD;
    }
    return true;
}

/* Read-modify-writes, as the end of the program adds to the word without the lock. Release: what the tags have
 * done is seen by who waits for the pause. */
static void announce_pause(rrl_ledger_t *l) {
    rrl_or_acq_rel_u32(&l->pause, 1);
    rrl_add_acq_rel_u32(&l->pause, 2);
    rrl__futex_wake(&l->pause, INT_MAX);
}

static void end_pause(rrl_ledger_t *l) { rrl_and_acq_rel_u32(&l->pause, ~1u); }

/* Does all that has become possible. */
static void settle(rrl_program_t *p) {
    rrl_ledger_t *l = p->ledger;
    do {
        end_starving_groups(p);
        let_go(p);
    } while (!is_anybody(l, RRL_BUSY) && move_clock(p));
    bool is_left = is_anybody(l, RRL_HELD) || is_anybody(l, RRL_IDLE);
    if (is_left && !is_anybody(l, RRL_BUSY) && !is_anybody(l, RRL_TIMED)) announce_pause(l);
}

static rrl_status_t put(rrl_mailbox_t *box, rrl_mail_t mail) {
    rrl_status_t rc =
        rrl__reserve((void **)&box->items, &box->capacity, box->n + 1ull, sizeof *box->items);
    if (!rc) box->items[box->n++] = mail;
    return rc;
}

/* Moves the enclave's outgoing events into the mailboxes. What cannot be delivered stays at the front. */
static void deliver(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    uint32_t n_kept = 0;
    for (uint32_t k = 0; k < e->outbox.n; k++) {
        rrl_mail_t mail = e->outbox.items[k];
        uint32_t to = p->plan.delay[mail.delay].to;
        rrl_entry_t *entry = &p->ledger->entries[to];
        if (entry->stance == RRL_OVER || put(&entry->mailbox, mail)) {
            if (entry->stance != RRL_OVER) e->status = RRL_E_NOMEM;
            e->outbox.items[n_kept++] = mail;
            continue;
        }
        entry->n_inside++;
        rrl_tag_t tag =
            mail.tag; /* of a physical connection it may be too early: rrl__take_mail moves it */
        if (p->plan.delay[mail.delay].is_physical)
            tag = later_of(tag, rrl__tag_after(later_of(entry->last, entry->floor)));
        entry->head = earlier_of(entry->head, tag);
        if (entry->stance != RRL_BUSY) resume(p, to);
    }
    e->outbox.n = n_kept;
}

/* A stop travels as a value would, to whom one could travel; the others, and those whom it would reach past the
 * end of time, stop where they are. */
static void pass_stop_on(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    rrl_ledger_t *l = p->ledger;
    if (!e->tells_stop) return;
    e->tells_stop = false;
    /* Who ends for lack of memory does so between tags, and others may have gone on relying on its floor. */
    rrl_tag_t floor = l->entries[e->index].floor;
    rrl_tag_t from = rrl_tag_is_before(floor, e->tag) ? e->tag : rrl__tag_after(floor);
    for (uint32_t to = 0; to < l->n; to++) {
        rrl_distance_t d = l->distance[e->index * l->n + to];
        if (to == e->index || l->entries[to].stance == RRL_OVER) continue;
        if (is_way(d) && is_tag(arrival(from, d))) {
            order_stop(p, to, arrival(from, d));
        } else if (!p->options.replay || !is_tag(l->entries[to].stop)) { /* else: recorded */
            rrl_store_release_u32(&p->enclaves[to].stop_requested, 1);
            resume(p, to);
        }
    }
}

/* ---- the coordinator's calls ------------------------------------------------------------------- */

static void discard_kept(rrl_enclave_t *e) {
    e->n_dropped += e->outbox.n;
    for (uint32_t k = 0; k < e->outbox.n; k++) rrl__discard(e, e->outbox.items[k].payload);
    e->outbox.n = 0;
}

void rrl__ledger_exchange(rrl_enclave_t *e, rrl_worker_t *w) {
    rrl_program_t *p = e->program;
    rrl_ledger_t *l = p->ledger;
    rrl_entry_t *entry = &l->entries[e->index];
    bool is_detached = enter(l, w);
    entry->stance = RRL_BUSY;
    end_pause(l);
    deliver(e);
    pass_stop_on(e);
    if (e->epoch) {
        entry->last = e->tag;
        /* Behind the floor, as what comes from outside is; but not behind the tag: until this enclave has said what is next, others may go only as far as
         * its last tag lets them, or where an idle one of its group stops would depend on the moment. */
        entry->head =
            rrl_tag_is_before(entry->floor, e->tag) ? e->tag : rrl__tag_after(entry->floor);
    }
    e->floor = entry->floor;
    entry->n_inside -= e->n_taken;
    e->n_taken = 0;
    e->ordered_stop = entry->stop;
    entry->has_news = false;
    rrl_mailbox_t mailbox = entry->mailbox;
    entry->mailbox = e->inbound;
    e->inbound = mailbox;
    leave(l, w, is_detached);
    discard_kept(e);
    for (uint32_t k = 0; k < mailbox.n; k++) rrl__take_mail(e, &mailbox.items[k]);
    e->inbound.n = 0;
}

rrl_answer_t rrl__ledger_ask(rrl_enclave_t *e, rrl_worker_t *w, rrl_tag_t head, bool is_due,
                             bool may_receive) {
    rrl_program_t *p = e->program;
    rrl_ledger_t *l = p->ledger;
    rrl_entry_t *entry = &l->entries[e->index];
    rrl_answer_t answer = RRL_LOOK_AGAIN;
    bool is_detached = enter(l, w);
    if (!entry->mailbox.n && !entry->has_news) {
        entry->head = head;
        entry->may_receive = may_receive;
        entry->stance = !is_tag(head)                                 ? RRL_IDLE
                        : is_due || rrl_tag_is_before(l->limit, head) ? RRL_HELD
                                                                      : RRL_TIMED;
        settle(p);
        if (entry->stance != RRL_BUSY) {
            answer = RRL_WAIT;
            rrl_store_release_u32(&e->is_awake, 0); /* pairs with wait_for_pause */
        } else if (!entry->has_news) {
            answer = is_due ? RRL_GO : RRL_LOOK_AGAIN;
        }
    }
    leave(l, w, is_detached);
    return answer;
}

void rrl__ledger_leave(rrl_enclave_t *e, rrl_worker_t *w) {
    rrl_program_t *p = e->program;
    rrl_ledger_t *l = p->ledger;
    rrl_entry_t *entry = &l->entries[e->index];
    bool is_detached = enter(l, w);
    deliver(e);
    if (e->status) e->tells_stop = true;
    pass_stop_on(e);
    entry->stance = RRL_OVER;
    entry->last = e->tag;
    entry->head = no_tag;
    rrl_mailbox_t mailbox = entry->mailbox;
    entry->mailbox = (rrl_mailbox_t){0};
    settle(p);
    leave(l, w, is_detached);
    discard_kept(e);
    for (uint32_t k = 0; k < mailbox.n; k++) rrl__discard(e, mailbox.items[k].payload);
    e->n_dropped += mailbox.n;
    rrl__free(mailbox.items);
}

/* ---- any thread -------------------------------------------------------------------------------- */

void rrl_program_step(rrl_program_t *p, rrl_tag_t tag) {
    rrl_ledger_t *l = p->ledger;
    if (!l) return;
    enter_from_outside(l);
    l->limit = later_of(l->limit, tag);
    end_pause(l);
    settle(p);
    rrl__lock_release(&l->lock);
}

static rrl_tag_t first_head(const rrl_ledger_t *l) {
    rrl_tag_t first = no_tag;
    for (uint32_t i = 0; i < l->n; i++) {
        if (l->entries[i].stance != RRL_OVER) first = earlier_of(first, l->entries[i].head);
    }
    return first;
}

/* Whether somebody has been rung and has not said since that it waits. The bell first: who has answered it
 * was awake before. */
static bool is_anybody_awake(const rrl_program_t *p) {
    for (uint32_t i = 0; i < p->plan.n_enclaves; i++) {
        const rrl_enclave_t *e = &p->enclaves[i];
        if (p->ledger->entries[i].stance == RRL_OVER) continue;
        if (rrl_load_acquire_u32(&e->bell) == RRL_BELL_RUNG) return true;
        if (rrl_load_acquire_u32(&e->is_awake)) return true; /* pairs with rrl__wait_for_bell */
    }
    return false;
}

rrl_status_t rrl_program_wait_for_pause(rrl_program_t *p, int64_t timeout_ns, rrl_tag_t *out_tag) {
    rrl_ledger_t *l = p->ledger;
    int64_t deadline_ns;
    if (!l) return RRL_E_INVAL;
    if (timeout_ns == RRL_FOREVER || rrl_time_add(rrl__clock_ns(), timeout_ns, &deadline_ns))
        deadline_ns = RRL_FOREVER;
    for (;;) {
        /* Read before the phase, or the end could fall between the two and its wake be slept over. Acquire:
         * pairs with announce_pause and announce_end. */
        uint32_t pause = rrl_load_acquire_u32(&l->pause);
        if (rrl_load_acquire_u32(&p->phase) >= RRL_ENDED) return RRL_STOPPED;
        if (pause & 1) {
            enter_from_outside(l);
            bool is_paused = !is_anybody_awake(p) && (rrl_load_relaxed_u32(&l->pause) & 1);
            *out_tag = first_head(l);
            rrl__lock_release(&l->lock);
            if (is_paused) return RRL_OK;
        }
        rrl_status_t rc = rrl__futex_wait(&l->pause, pause, deadline_ns);
        if (rc) return rc;
    }
}

rrl_status_t rrl_clock_advance(rrl_program_t *p, rrl_worker_t *w, int64_t delta_ns) {
    int64_t sum_ns;
    if (!p->options.virtual_clock || delta_ns < 0) return RRL_E_INVAL;
    if (w) {
        if (rrl_time_add(w->advance_ns, delta_ns, &sum_ns)) return RRL_E_OVERFLOW;
        if (rrl_time_add(rrl_load_relaxed_i64(&p->virtual_ns), sum_ns, &sum_ns))
            return RRL_E_OVERFLOW; /* relaxed: bodies of a level see one time */
        w->advance_ns += delta_ns;
        return RRL_OK;
    }
    enter_from_outside(p->ledger);
    rrl_status_t rc = rrl__advance_virtual(p, delta_ns);
    for (uint32_t i = 0; i < p->plan.n_enclaves && !rc; i++) {
        if (p->ledger->entries[i].stance == RRL_TIMED) resume(p, i);
    }
    rrl__lock_release(&p->ledger->lock);
    return rc;
}
