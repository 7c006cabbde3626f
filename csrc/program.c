/* program.c: a program's memory, its threads' beginning and end, and its reports. */
#include <limits.h>

#include "memory.h"
#include "modes.h"
#include "runtime.h"
#include "tag.h"

#define RETURN_RING_CAPACITY 256

/* ---- memory ---------------------------------------------------------------------------------------- */

static void *aligned_zeroed(size_t n, size_t item_size) {
    size_t size = (n * item_size + RRL_CACHE_LINE - 1) / RRL_CACHE_LINE * RRL_CACHE_LINE;
    void *block = rrl__aligned_alloc(RRL_CACHE_LINE, size ? size : RRL_CACHE_LINE);
    if (block) memset(block, 0, size ? size : RRL_CACHE_LINE);
    return block;
}

static uint32_t widest_multiport(const rrl_plan_t *plan) {
    uint32_t widest = 0;
    for (uint32_t m = 0; m < plan->n_multiports; m++) {
        if (plan->multiports[m].width > widest) widest = plan->multiports[m].width;
    }
    return widest;
}

static rrl_status_t create_worker(rrl_enclave_t *e, uint32_t rank) {
    rrl_program_t *p = e->program;
    rrl_worker_t *w = &e->workers[rank];
    w->program = p;
    w->enclave = e;
    w->rank = rank;
    w->index = e->first_worker + rank;
    w->cpu = p->options.cpus ? p->options.cpus[w->index] : -1;
    rrl_store_relaxed_u32(&w->reaction, RRL_NONE); /* relaxed: the thread is not there yet */
    w->set_cells = rrl__zeroed((size_t)p->plan.n_ports + p->plan.n_copies, sizeof *w->set_cells);
    w->modals_set = rrl__zeroed(p->plan.n_modals, sizeof *w->modals_set);
    w->channels = rrl__zeroed(widest_multiport(&p->plan), sizeof *w->channels);
    w->returns = aligned_zeroed(e->n_workers, sizeof *w->returns);
    if (!w->set_cells || !w->modals_set || !w->channels || !w->returns) return RRL_E_NOMEM;
    rrl_status_t rc = rrl__lane_init(&w->lane, p->options.trace_capacity);
    if (rc) return rc;
    for (uint32_t i = 0; i < e->n_workers; i++) {
        rc = i == rank ? rrl__spsc_init(&w->returns[i], 1)
                       : rrl__spsc_init(&w->returns[i], RETURN_RING_CAPACITY);
        if (rc) return rc;
    }
    return RRL_OK;
}

static rrl_status_t create_triggers(rrl_program_t *p) {
    const rrl_plan_t *plan = &p->plan;
    p->first_action_trigger = plan->n_delays;
    p->first_timer_trigger = p->first_action_trigger + plan->n_actions;
    p->first_entry_trigger = p->first_timer_trigger + plan->n_timers;
    p->n_triggers = p->first_entry_trigger + 2 * plan->n_modes;
    p->triggers = rrl__zeroed(p->first_timer_trigger, sizeof *p->triggers);
    if (!p->triggers) return RRL_E_NOMEM;
    for (uint32_t i = 0; i < p->first_timer_trigger; i++)
        p->triggers[i].last_tag = (rrl_tag_t){RRL_NEVER, 0};
    return RRL_OK;
}

uint32_t rrl__enclave_of_trigger(const rrl_program_t *p, uint32_t trigger) {
    const rrl_plan_t *plan = &p->plan;
    if (trigger < p->first_action_trigger) return plan->delay[trigger].to;
    if (trigger < p->first_timer_trigger)
        return plan->reactor_enclave[plan->actions[trigger - p->first_action_trigger].reactor];
    if (trigger < p->first_entry_trigger)
        return plan->reactor_enclave[plan->timers[trigger - p->first_timer_trigger].reactor];
    return plan->modes[(trigger - p->first_entry_trigger) % plan->n_modes].enclave;
}

static rrl_status_t create_enclave(rrl_program_t *p, uint32_t index) {
    const rrl_plan_t *plan = &p->plan;
    rrl_enclave_t *e = &p->enclaves[index];
    e->program = p;
    e->index = index;
    e->first_worker = plan->enclaves[index].first_worker;
    e->n_workers = plan->enclaves[index].n_workers;
    e->workers = &p->workers[e->first_worker];
    e->stop_tag = (rrl_tag_t){p->options.timeout_ns, 0};
    e->ordered_stop = (rrl_tag_t){RRL_FOREVER, 0};
    e->last_stamp = (rrl_tag_t){RRL_NEVER, 0};
    e->timed_level = RRL_NONE;
    uint32_t n_triggers = 0, n_physical = 0;
    for (uint32_t t = 0; t < p->n_triggers; t++)
        n_triggers += rrl__enclave_of_trigger(p, t) == index;
    for (uint32_t d = 0; d < plan->n_delays; d++)
        n_physical += plan->delay[d].is_physical && plan->delay[d].from == index;
    e->has_physical_delays = n_physical != 0;
    e->event_cells = rrl__zeroed(n_triggers, sizeof *e->event_cells);
    e->forwarded = rrl__zeroed(plan->n_forwards, sizeof *e->forwarded);
    e->modals_set = rrl__zeroed(plan->n_modals, sizeof *e->modals_set);
    e->mode_stack = rrl__zeroed(plan->n_modes, sizeof *e->mode_stack);
    e->physical = rrl__zeroed(n_physical, sizeof *e->physical);
    e->level_costs = rrl__zeroed(plan->n_levels, sizeof *e->level_costs);
    e->ready_levels = rrl__zeroed(plan->n_levels / 64 + 1, sizeof *e->ready_levels);
    if (!e->event_cells || !e->physical || !e->level_costs || !e->ready_levels) return RRL_E_NOMEM;
    if (!e->forwarded || !e->modals_set || !e->mode_stack) return RRL_E_NOMEM;
    rrl_status_t rc = rrl__event_queue_init(&e->events, n_triggers + 1);
    if (!rc) rc = rrl__lane_init(&e->lane, p->options.trace_capacity);

    uint64_t room = 1;
    for (uint32_t a = 0; a < plan->n_actions; a++) {
        if (plan->actions[a].spec.is_physical &&
            rrl__enclave_of_trigger(p, p->first_action_trigger + a) == index)
            room += plan->actions[a].spec.capacity;
    }
    uint32_t capacity = 2;
    while (capacity < room && capacity < RRL__RING_MAX_CAPACITY) capacity *= 2;
    if (!rc) rc = rrl__mpsc_init(&e->inbox, capacity);
    for (uint32_t i = 0; i < e->n_workers && !rc; i++) rc = create_worker(e, i);
    return rc;
}

static void destroy_enclave(rrl_enclave_t *e) {
    for (uint32_t i = 0; e->program && i < e->n_workers; i++) {
        rrl_worker_t *w = &e->workers[i];
        for (uint32_t k = 0; w->returns && k < e->n_workers; k++) rrl__spsc_destroy(&w->returns[k]);
        rrl__free(w->returns);
        rrl__free(w->set_cells);
        rrl__free(w->modals_set);
        rrl__free(w->channels);
        rrl__free(w->wakes);
        rrl__free(w->failed);
        rrl__lane_destroy(&w->lane);
    }
    rrl__lane_destroy(&e->lane);
    rrl__event_queue_destroy(&e->events);
    rrl__mpsc_destroy(&e->inbox);
    rrl__free(e->event_cells);
    rrl__free(e->forwarded);
    rrl__free(e->modals_set);
    rrl__free(e->mode_stack);
    rrl__free(e->physical);
    rrl__free(e->level_costs);
    rrl__free(e->ready_levels);
    rrl__free(e->garbage);
    rrl__free(e->outbox.items);
    rrl__free(e->inbound.items);
}

static rrl_status_t create_present(rrl_program_t *p) {
    const rrl_plan_t *plan = &p->plan;
    p->present = rrl__zeroed(plan->n_multiports, sizeof *p->present);
    if (!p->present) return RRL_E_NOMEM;
    for (uint32_t m = 0; m < plan->n_multiports; m++) {
        p->present[m].is_sorted = true;
        p->present[m].channels = rrl__zeroed(plan->multiports[m].width, sizeof(uint32_t));
        if (!p->present[m].channels) return RRL_E_NOMEM;
    }
    return RRL_OK;
}

static rrl_status_t create_queue(rrl_program_t *p) {
    const rrl_plan_t *plan = &p->plan;
    size_t n_slots = (size_t)plan->n_levels * plan->n_workers;
    p->cells = rrl__zeroed(plan->n_cells, sizeof *p->cells);
    p->queued_epoch = rrl__zeroed(plan->n_reactions, sizeof *p->queued_epoch);
    p->ready = rrl__zeroed(plan->n_reactions, sizeof *p->ready);
    p->n_ready = rrl__zeroed(n_slots, sizeof *p->n_ready);
    p->slice_ns = rrl__zeroed(n_slots, sizeof *p->slice_ns);
    p->misses = rrl__zeroed(plan->n_reactions, sizeof *p->misses);
    p->counts = rrl__zeroed(plan->n_reactions, sizeof *p->counts);
    p->spent_ns = rrl__zeroed(plan->n_reactions, sizeof *p->spent_ns);
    bool ok = p->cells && p->queued_epoch && p->ready && p->n_ready && p->slice_ns && p->misses &&
              p->counts && p->spent_ns;
    return ok ? RRL_OK : RRL_E_NOMEM;
}

rrl_status_t rrl_program_create(const rrl_graph_t *g, const rrl_options_t *options,
                                const rrl_host_t *host, rrl_program_t **out_program,
                                rrl_cycle_step_t **out_cycle, size_t *out_n_cycle) {
    if (options->n_workers < 1 || options->n_workers > RRL__MAX_WORKERS) return RRL_E_INVAL;
    rrl_program_t *p = aligned_zeroed(1, sizeof *p);
    if (!p) return RRL_E_NOMEM;
    p->options = *options;
    p->host = *host;
    rrl_status_t rc = rrl__plan_compile(g, options->n_workers, &p->plan, out_cycle, out_n_cycle);
    if (rc) {
        rrl__free(p);
        return rc;
    }
    p->n_usable_cpus = rrl__usable_cpus();
    p->is_oversubscribed = p->n_usable_cpus < p->plan.n_workers;
    p->workers = aligned_zeroed(p->plan.n_workers, sizeof *p->workers);
    p->enclaves = aligned_zeroed(p->plan.n_enclaves, sizeof *p->enclaves);
    if (!p->workers || !p->enclaves) rc = RRL_E_NOMEM;
    if (!rc) rc = create_triggers(p);
    if (!rc) rc = rrl__modes_create(p);
    if (!rc) rc = create_present(p);
    if (!rc) rc = create_queue(p);
    for (uint32_t i = 0; i < p->plan.n_enclaves && !rc; i++) rc = create_enclave(p, i);
    if (!rc) rc = rrl__ledger_create(p);
    p->options.cpus = NULL; /* the caller's; the workers have theirs */
    if (rc) {
        rrl_program_destroy(p);
        return rc;
    }
    *out_program = p;
    return RRL_OK;
}

/* What a recorded run was fed, if it never ran. */
static void release_fed(rrl_program_t *p) {
    rrl_pending_event_t event;
    for (uint32_t i = 0; p->triggers && i < p->first_timer_trigger; i++) {
        rrl_pending_t *q = &p->triggers[i].pending;
        while (q->n) {
            rrl__pending_take(q, rrl__pending_at(q, 0)->tag, &event);
            p->host.release(p->host.ctx, &event.payload, 1);
        }
    }
}

void rrl_program_destroy(rrl_program_t *p) {
    if (!p) return;
    if (!p->has_run) release_fed(p);
    for (uint32_t i = 0; p->enclaves && p->workers && i < p->plan.n_enclaves; i++)
        destroy_enclave(&p->enclaves[i]);
    for (uint32_t i = 0; p->triggers && i < p->first_timer_trigger; i++)
        rrl__pending_destroy(&p->triggers[i].pending);
    for (uint32_t m = 0; p->present && m < p->plan.n_multiports; m++)
        rrl__free(p->present[m].channels);
    rrl__free(p->enclaves);
    rrl__free(p->workers);
    rrl__free(p->triggers);
    rrl__modes_destroy(p);
    rrl__free(p->present);
    rrl__free(p->cells);
    rrl__free(p->queued_epoch);
    rrl__free(p->ready);
    rrl__free(p->n_ready);
    rrl__free(p->slice_ns);
    rrl__free(p->counts);
    rrl__free(p->misses);
    rrl__free(p->fed_misses);
    rrl__ledger_destroy(p->ledger);
    rrl__free(p->spent_ns);
    rrl__plan_destroy(&p->plan);
    rrl__free(p);
}

/* ---- a recorded run ------------------------------------------------------------------------------- */

rrl_status_t rrl_program_feed(rrl_program_t *p, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag,
                              void *payload) {
    uint32_t trigger = RRL_NONE;
    bool grew;
    if (!p->options.replay || rrl_load_relaxed_u32(&p->phase) != RRL_CREATED)
        return RRL_E_PHASE; /* relaxed: one thread still */
    if (kind == RRL_ACTION && id < p->plan.n_actions && p->plan.actions[id].spec.is_physical)
        trigger = p->first_action_trigger + id;
    for (uint32_t d = 0; kind == RRL_PORT && d < p->plan.n_delays; d++) {
        if (p->plan.delay[d].is_physical && p->plan.delay[d].destination == id) trigger = d;
    }
    if (trigger == RRL_NONE || tag.time_ns < 0 || tag.time_ns == RRL_FOREVER) return RRL_E_INVAL;
    rrl_trigger_state_t *t = &p->triggers[trigger];
    if (rrl__pending_find(&t->pending, tag)) return RRL_E_INVAL;
    rrl_enclave_t *e = &p->enclaves[rrl__enclave_of_trigger(p, trigger)];
    rrl_status_t rc = rrl__event_queue_push(&e->events, tag, trigger);
    if (rc) return rc;
    /* A failure leaves a wake without an event, which is passed over. */
    return rrl__pending_add(&t->pending, (rrl_pending_event_t){tag, payload, ++t->last_serial},
                            &grew);
}

rrl_status_t rrl_program_feed_miss(rrl_program_t *p, rrl_id_t reaction, rrl_tag_t tag) {
    if (!p->options.replay || reaction >= p->plan.n_reactions) return RRL_E_INVAL;
    rrl_status_t rc = rrl__reserve((void **)&p->fed_misses, &p->cap_fed_misses,
                                   p->n_fed_misses + 1ull, sizeof *p->fed_misses);
    if (!rc) p->fed_misses[p->n_fed_misses++] = (rrl_missed_t){tag, reaction};
    return rc;
}

rrl_status_t rrl_program_feed_stop(rrl_program_t *p, rrl_id_t enclave, rrl_tag_t tag) {
    if (!p->options.replay || enclave >= p->plan.n_enclaves || tag.time_ns < 0) return RRL_E_INVAL;
    p->enclaves[enclave].ordered_stop = tag;
    if (p->ledger) p->ledger->entries[enclave].stop = tag;
    return RRL_OK;
}

static int compare_missed(const void *a, const void *b) {
    const rrl_missed_t *x = a, *y = b;
    if (x->reaction != y->reaction) return x->reaction < y->reaction ? -1 : 1;
    return rrl_tag_compare(x->tag, y->tag);
}

bool rrl__was_missed(const rrl_program_t *p, rrl_id_t reaction, rrl_tag_t tag) {
    rrl_missed_t key = {tag, reaction};
    return p->n_fed_misses &&
           bsearch(&key, p->fed_misses, p->n_fed_misses, sizeof key, compare_missed) != NULL;
}

/* ---- a virtual clock -------------------------------------------------------------------------------- */

rrl_status_t rrl__advance_virtual(rrl_program_t *p, int64_t delta_ns) {
    int64_t now_ns = rrl_load_relaxed_i64(&p->virtual_ns), sum_ns; /* relaxed: the cas decides */
    do {
        if (rrl_time_add(now_ns, delta_ns, &sum_ns)) return RRL_E_OVERFLOW;
    } while (!rrl_cas_weak_acq_rel_i64(&p->virtual_ns, &now_ns, sum_ns));
    return RRL_OK;
}

void rrl__end_advance(rrl_worker_t *w) {
    if (w->advance_ns > w->level_advance_ns) w->level_advance_ns = w->advance_ns;
    w->advance_ns = 0;
}

void rrl__move_clock(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    int64_t longest_ns = 0;
    for (uint32_t i = 0; i < e->n_workers; i++) {
        if (e->workers[i].level_advance_ns > longest_ns)
            longest_ns = e->workers[i].level_advance_ns;
        e->workers[i].level_advance_ns = 0;
    }
    /* Out of range only if the outside moved it on meanwhile: then it stays. */
    if (longest_ns) (void)rrl__advance_virtual(p, longest_ns);
}

/* ---- threads --------------------------------------------------------------------------------------- */

rrl_status_t rrl_program_start(rrl_program_t *p) {
    if (rrl_load_acquire_u32(&p->phase) != RRL_CREATED) return RRL_E_PHASE;
    if (p->n_fed_misses)
        qsort(p->fed_misses, p->n_fed_misses, sizeof *p->fed_misses, compare_missed);
    rrl_store_relaxed_u32(&p->n_running, p->plan.n_workers); /* relaxed: no thread is there yet */
    uint32_t n = 0, seen;
    while (n < p->plan.n_workers &&
           !rrl__thread_start(&p->workers[n].thread, rrl__worker_main, &p->workers[n]))
        n++;
    /* acquire: pairs with check_in; all are ready, and none has done anything, before one may. */
    while ((seen = rrl_load_acquire_u32(&p->n_started)) < n)
        rrl__futex_wait(&p->n_started, seen, RRL_FOREVER);
    bool is_refused = rrl_load_relaxed_u32(&p->is_refused) != 0;
    p->has_run = n == p->plan.n_workers && !is_refused;
    p->start_ns = rrl__clock_ns();
    /* release: pairs with check_in and rrl_schedule_physical */
    rrl_store_release_u32(&p->phase, p->has_run ? RRL_RUNNING : RRL_FORGOTTEN);
    rrl__futex_wake(&p->phase, INT_MAX);
    if (p->has_run) return RRL_OK;
    for (uint32_t k = 0; k < p->plan.n_enclaves; k++) rrl__close_gate(&p->enclaves[k]);
    for (uint32_t k = 0; k < n; k++) rrl__thread_join(p->workers[k].thread);
    return is_refused ? RRL_E_NOMEM : RRL_E_OS;
}

rrl_status_t rrl_program_wait(rrl_program_t *p, int64_t timeout_ns) {
    int64_t deadline_ns;
    if (timeout_ns == RRL_FOREVER || rrl_time_add(rrl__clock_ns(), timeout_ns, &deadline_ns))
        deadline_ns = RRL_FOREVER;
    for (;;) {
        uint32_t phase = rrl_load_acquire_u32(&p->phase); /* pairs with announce_end */
        if (phase == RRL_ENDED) return RRL_OK;
        if (phase == RRL_FORGOTTEN) return RRL_STOPPED;
        rrl_status_t rc = rrl__futex_wait(&p->phase, phase, deadline_ns);
        if (rc) return rc;
    }
}

rrl_status_t rrl_program_join(rrl_program_t *p) {
    uint32_t phase = rrl_load_acquire_u32(&p->phase);
    if (phase == RRL_FORGOTTEN) return RRL_STOPPED;
    if (phase != RRL_ENDED) return RRL_E_PHASE;
    for (uint32_t i = 0; i < p->plan.n_workers; i++) rrl__thread_join(p->workers[i].thread);
    return RRL_OK;
}

void rrl_program_request_stop(rrl_program_t *p) {
    for (uint32_t i = 0; i < p->plan.n_enclaves; i++) {
        rrl_store_release_u32(&p->enclaves[i].stop_requested, 1);
        rrl__ring_bell(&p->enclaves[i]);
    }
}

void rrl_program_forget_threads(rrl_program_t *p) {
    rrl_store_release_u32(&p->phase, RRL_FORGOTTEN);
    for (uint32_t i = 0; i < p->plan.n_enclaves; i++)
        rrl_or_acq_rel_u32(&p->enclaves[i].gate, RRL_GATE_CLOSED);
    /* Whoever held the lock is gone; relaxed: one thread is left. */
    if (p->ledger) rrl_store_relaxed_u32(&p->ledger->lock.word, RRL__UNLOCKED);
}

/* ---- the running body ------------------------------------------------------------------------------ */

rrl_id_t rrl_worker_reaction(const rrl_worker_t *w) { return rrl_load_relaxed_u32(&w->reaction); }

rrl_program_t *rrl_worker_program(const rrl_worker_t *w) { return w->program; }

uint32_t rrl_worker_index(const rrl_worker_t *w) { return w->index; }

rrl_tag_t rrl_worker_tag(const rrl_worker_t *w) { return w->enclave->tag; }

uint32_t rrl_program_n_workers(const rrl_program_t *p) { return p->plan.n_workers; }

/* ---- reports --------------------------------------------------------------------------------------- */

int64_t rrl_program_elapsed_ns(const rrl_program_t *p) { return rrl__elapsed_ns(p); }

int64_t rrl_worker_elapsed_ns(const rrl_worker_t *w) {
    return rrl__elapsed_ns(w->program) + w->advance_ns;
}

bool rrl_port_needs_copy(const rrl_program_t *p, rrl_id_t port) {
    return p->plan.n_copies && port < p->plan.n_ports && p->plan.copy_of[port] != RRL_NONE;
}

bool rrl_port_is_moved(const rrl_program_t *p, rrl_id_t port) {
    return p->plan.is_moved && port < p->plan.n_ports && p->plan.is_moved[port];
}

uint32_t rrl_program_n_levels(const rrl_program_t *p) { return p->plan.n_levels; }

uint32_t rrl_program_level(const rrl_program_t *p, rrl_id_t reaction) {
    return reaction < p->plan.n_reactions ? p->plan.reactions[reaction].level : RRL_NONE;
}

uint32_t rrl_program_home(const rrl_program_t *p, rrl_id_t reaction) {
    return reaction < p->plan.n_reactions ? p->plan.reactions[reaction].home : RRL_NONE;
}

void rrl_program_stats(const rrl_program_t *p, rrl_stats_t *out_stats) {
    rrl_stats_t s = {.trace_hash = p->enclaves[0].trace_hash};
    int64_t end_ns = 0;
    for (uint32_t i = 0; i < p->plan.n_enclaves; i++) {
        const rrl_enclave_t *e = &p->enclaves[i];
        if (rrl_tag_is_before(s.stop_tag, e->tag)) s.stop_tag = e->tag;
        if (i) s.trace_hash = rrl__mix(s.trace_hash + rrl__mix(e->trace_hash));
        if (e->end_ns > end_ns) end_ns = e->end_ns;
        s.n_events += e->n_events;
        s.n_tags += rrl_load_relaxed_u64(&e->n_tags);
        s.n_allocations += e->n_allocations + e->events.n_allocations;
        s.n_dropped += e->n_dropped;
        if (e->status) s.status = e->status;
    }
    s.wall_ns = (end_ns ? end_ns : rrl__clock_ns()) - p->start_ns;
    for (uint32_t i = 0; i < p->plan.n_workers; i++) {
        s.n_reactions += rrl_load_relaxed_u64(&p->workers[i].n_reactions);
        s.n_allocations += p->workers[i].n_allocations;
        s.n_dropped += p->workers[i].n_dropped;
    }
    *out_stats = s;
}

void rrl_program_enclave_stats(const rrl_program_t *p, rrl_id_t enclave,
                               rrl_enclave_stats_t *out_stats) {
    const rrl_enclave_t *e = &p->enclaves[enclave];
    *out_stats =
        (rrl_enclave_stats_t){e->tag, e->n_events, rrl_load_relaxed_u64(&e->n_tags), e->trace_hash};
}

void rrl_program_worker_stats(const rrl_program_t *p, uint32_t worker,
                              rrl_worker_stats_t *out_stats) {
    const rrl_worker_t *w = &p->workers[worker];
    int64_t wall_ns = (w->end_ns ? w->end_ns : rrl__clock_ns()) - p->start_ns;
    *out_stats = (rrl_worker_stats_t){wall_ns,
                                      rrl_load_relaxed_i64(&w->spinning_ns),
                                      rrl_load_relaxed_i64(&w->parked_ns),
                                      rrl_load_relaxed_u64(&w->n_reactions),
                                      w->n_stolen,
                                      w->cpu};
}

void rrl_program_pulse(const rrl_program_t *p, uint32_t worker, rrl_pulse_t *out_pulse) {
    const rrl_worker_t *w = &p->workers[worker];
    const rrl_enclave_t *e = w->enclave;
    /* relaxed, all: a look from outside, and each counts up by itself */
    int64_t waiting_ns =
        rrl_load_relaxed_i64(&w->spinning_ns) + rrl_load_relaxed_i64(&w->parked_ns);
    int64_t since_ns = rrl_load_relaxed_i64(&w->asleep_since_ns);
    bool is_idle = rrl_load_relaxed_u32(&e->is_idle) != 0;
    *out_pulse = (rrl_pulse_t){
        .n_reactions = rrl_load_relaxed_u64(&w->n_reactions),
        .waiting_ns = waiting_ns + (since_ns ? rrl__clock_ns() - since_ns : 0),
        .n_tags = rrl_load_relaxed_u64(&e->n_tags),
        .lag_ns = is_idle ? 0 : rrl__elapsed_ns(p) - rrl_load_relaxed_i64(&e->shown_time_ns),
    };
}

uint64_t rrl_program_reaction_count(const rrl_program_t *p, rrl_id_t reaction) {
    return reaction < p->plan.n_reactions ? p->counts[reaction] : 0;
}

uint64_t rrl_program_miss_count(const rrl_program_t *p, rrl_id_t reaction) {
    return reaction < p->plan.n_reactions ? p->misses[reaction] : 0;
}

int64_t rrl_program_reaction_ns(const rrl_program_t *p, rrl_id_t reaction) {
    return reaction < p->plan.n_reactions ? p->spent_ns[reaction] : 0;
}

rrl_id_t rrl_program_running(const rrl_program_t *p, uint32_t worker) {
    return rrl_load_relaxed_u32(
        &p->workers[worker].reaction); /* relaxed, both: a look from outside */
}

int64_t rrl_program_time_ns(const rrl_program_t *p) {
    return rrl_load_relaxed_i64(&p->enclaves[0].shown_time_ns);
}
