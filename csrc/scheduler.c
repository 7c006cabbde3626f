/* scheduler.c: the tag loop. Everything here but rrl__run_reactions and the functions for bodies is the
 * coordinator's: the worker that finished the last reaction of a level. */
#include "memory.h"
#include "modes.h"
#include "reaction_queue.h"
#include "runtime.h"
#include "tag.h"

/* ---- bodies ---------------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_present(rrl_present_t *present) {
    if (present->is_sorted) return;
    qsort(present->channels, present->n, sizeof *present->channels, compare_ids);
    present->is_sorted = true;
}

/* Fills the views of what the reaction declares to read. */
static void expose(const rrl_program_t *p, const rrl_plan_reaction_t *r) {
    const rrl_plan_t *plan = &p->plan;
    for (uint32_t i = r->reads_begin; i < r->reads_end; i++) {
        void *payload = p->cells[plan->reads[i].cell];
        plan->reads[i].view->value = payload;
        plan->reads[i].view->is_present = payload ? p->host.present : p->host.absent;
    }
    for (uint32_t i = r->wide_begin; i < r->wide_end; i++) {
        const rrl_graph_multiport_t *m = &plan->multiports[plan->wide[i]];
        rrl_present_t *present = &p->present[plan->wide[i]];
        sort_present(present);
        m->view->is_present = present->n ? p->host.present : p->host.absent;
        for (uint32_t k = 0; k < present->n; k++) {
            rrl_id_t port = m->first + present->channels[k];
            plan->ports[port].view->value = p->cells[plan->port_cell[port]];
            plan->ports[port].view->is_present = p->host.present;
        }
    }
}

/* A mutable port that is not the only reader shows its own copy, or nothing until it has one. */
static void expose_copies(const rrl_program_t *p, rrl_id_t reaction) {
    const rrl_plan_t *plan = &p->plan;
    for (uint32_t i = plan->copied.begin[reaction]; i < plan->copied.begin[reaction + 1]; i++) {
        rrl_id_t port = plan->copied.items[i];
        if (!p->cells[plan->port_cell[port]]) continue;
        plan->ports[port].view->value = p->cells[plan->first_copy + plan->copy_of[port]];
    }
}

static void conceal(const rrl_program_t *p, const rrl_plan_reaction_t *r) {
    const rrl_plan_t *plan = &p->plan;
    for (uint32_t i = r->reads_begin; i < r->reads_end; i++)
        *plan->reads[i].view = (rrl_view_t){NULL, plan->reads[i].concealed};
    for (uint32_t i = r->wide_begin; i < r->wide_end; i++) {
        const rrl_graph_multiport_t *m = &plan->multiports[plan->wide[i]];
        const rrl_present_t *present = &p->present[plan->wide[i]];
        m->view->is_present = NULL;
        for (uint32_t k = 0; k < present->n; k++) {
            *plan->ports[m->first + present->channels[k]].view = (rrl_view_t){NULL, m->concealed};
        }
    }
}

static void note_failure(rrl_worker_t *w, rrl_id_t reaction) {
    if (rrl__reserve((void **)&w->failed, &w->cap_failed, w->n_failed + 1ull, sizeof *w->failed)) {
        w->n_failed = w->n_failed ? w->n_failed : 1; /* which one is lost; that one failed is not */
        return;
    }
    w->failed[w->n_failed++] = reaction;
}

/* Just before the body: whether it would start too late. */
static bool has_missed(const rrl_program_t *p, const rrl_worker_t *w, rrl_id_t id,
                       int64_t deadline_ns) {
    rrl_tag_t tag = w->enclave->tag;
    int64_t due_ns;
    if (deadline_ns == 0) return true;
    if (p->options.replay) return rrl__was_missed(p, id, tag);
    if (rrl_time_add(tag.time_ns, deadline_ns, &due_ns)) return false;
    return rrl__elapsed_ns(p) > due_ns;
}

/* What ran: the body, in its place a handler, or nothing. */
static rrl_trace_kind_t run_one(rrl_program_t *p, rrl_worker_t *w, rrl_id_t id,
                                const rrl_plan_reaction_t *r) {
    if (r->deadline_ns == RRL_NO_DEADLINE || !has_missed(p, w, id, r->deadline_ns)) {
        if (p->host.run_reaction(p->host.ctx, w->index, id)) note_failure(w, id);
        w->hash += r->hash;
        return RRL_TRACE_REACTION;
    }
    p->misses[id]++;
    w->hash += rrl__mix(RRL__HASH_MISS + r->hash);
    if (p->host.missed) p->host.missed(p->host.ctx, id, w->enclave->tag);
    if (!r->has_handler) return RRL_TRACE_SKIPPED;
    if (p->host.run_handler(p->host.ctx, w->index, id)) note_failure(w, id);
    return RRL_TRACE_HANDLER;
}

void rrl__run_reactions(rrl_enclave_t *e, rrl_worker_t *w, const uint32_t *reactions, uint32_t n) {
    rrl_program_t *p = e->program;
    bool is_timed = p->options.profile || p->options.trace_capacity;
    uint32_t n_skipped = 0;
    if (is_timed) rrl__begin_bodies(w, reactions[0]);
    for (uint32_t i = 0; i < n; i++) {
        rrl_id_t id = reactions[i];
        const rrl_plan_reaction_t *r = &p->plan.reactions[id];
        expose(p, r);
        if (p->plan.n_copies) expose_copies(p, id);
        rrl_store_relaxed_u32(&w->reaction, id);
        rrl_trace_kind_t what = run_one(p, w, id, r);
        bool has_run = what != RRL_TRACE_SKIPPED;
        rrl_store_relaxed_u32(&w->reaction, RRL_NONE);
        conceal(p, r);
        if (is_timed) rrl__end_body(w, id, what);
        p->counts[id] += has_run;
        n_skipped += !has_run;
        if (w->advance_ns) rrl__end_advance(w);
    }
    rrl__count(&w->n_reactions, n - n_skipped);
}

/* event path 9/10 (ARCHITECTURE.md): a body has set a port */
rrl_status_t rrl_port_set(rrl_worker_t *w, rrl_id_t port, void *payload) {
    rrl_program_t *p = w->program;
    rrl_id_t reaction = rrl_load_relaxed_u32(&w->reaction); /* relaxed: this thread's own store */
    if (reaction == RRL_NONE) return RRL_E_PHASE;
    if (port >= p->plan.n_ports) return RRL_E_INVAL;
    if (!rrl__csr_has(&p->plan.port_writers, port, reaction)) return RRL_E_UNDECLARED;
    void *old = p->cells[port];
    p->cells[port] = payload;
    w->hash += rrl__mix(RRL__HASH_PORT + port);
    if (old) {
        p->host.release(p->host.ctx, &old, 1); /* last: its finaliser may set ports, too */
    } else {
        w->set_cells[w->n_set++] = port;
    }
    return RRL_OK;
}

rrl_status_t rrl_port_payload(const rrl_worker_t *w, rrl_id_t port, void **out_payload) {
    const rrl_program_t *p = w->program;
    rrl_id_t reaction = rrl_load_relaxed_u32(&w->reaction);
    if (reaction == RRL_NONE) return RRL_E_PHASE;
    if (port >= p->plan.n_ports) return RRL_E_INVAL;
    if (!rrl__plan_may_read(&p->plan, reaction, RRL_PORT, port)) return RRL_E_UNDECLARED_USE;
    *out_payload = p->cells[p->plan.port_cell[port]];
    if (!rrl_port_needs_copy(p, port)) return RRL_OK;
    void *copy = p->cells[p->plan.first_copy + p->plan.copy_of[port]];
    if (copy) *out_payload = copy;
    return RRL_OK;
}

rrl_status_t rrl_port_own(rrl_worker_t *w, rrl_id_t port, void *copy) {
    rrl_program_t *p = w->program;
    rrl_id_t reaction = rrl_load_relaxed_u32(&w->reaction);
    if (reaction == RRL_NONE) return RRL_E_PHASE;
    if (port >= p->plan.n_ports || !rrl_port_needs_copy(p, port)) return RRL_E_INVAL;
    if (!rrl__csr_has(&p->plan.copied, reaction, port)) return RRL_E_UNDECLARED_USE;
    uint32_t cell = p->plan.first_copy + p->plan.copy_of[port];
    if (!p->cells[p->plan.port_cell[port]] || p->cells[cell]) return RRL_E_INVAL;
    p->cells[cell] = copy;
    w->set_cells[w->n_set++] = cell; /* given back like what a port held */
    p->plan.ports[port].view->value = copy;
    return RRL_OK;
}

/* Whether the views of the multiport are filled for `reaction`. The view itself does not tell: another
 * reactor may be reading it. */
static bool is_shown(const rrl_plan_t *plan, rrl_id_t reaction, rrl_id_t multiport) {
    const rrl_plan_reaction_t *r = &plan->reactions[reaction];
    for (uint32_t i = r->wide_begin; i < r->wide_end; i++) {
        if (plan->wide[i] == multiport) return true;
    }
    return false;
}

rrl_status_t rrl_multiport_present(const rrl_worker_t *w, rrl_id_t multiport,
                                   const uint32_t **out_channels, uint32_t *out_n) {
    const rrl_program_t *p = w->program;
    rrl_id_t reaction = rrl_load_relaxed_u32(&w->reaction);
    if (reaction == RRL_NONE) return RRL_E_PHASE;
    if (multiport >= p->plan.n_multiports) return RRL_E_INVAL;
    if (!rrl__plan_may_read(&p->plan, reaction, RRL_MULTIPORT, multiport))
        return RRL_E_UNDECLARED_USE;
    const rrl_graph_multiport_t *m = &p->plan.multiports[multiport];
    if (is_shown(&p->plan, reaction, multiport)) {
        *out_channels = p->present[multiport].channels;
        *out_n = p->present[multiport].n;
        return RRL_OK;
    }
    /* The reactor's own output, whose channels the running body may have just set. */
    *out_n = 0;
    for (uint32_t k = 0; k < m->width; k++) {
        if (p->cells[p->plan.port_cell[m->first + k]]) w->channels[(*out_n)++] = k;
    }
    *out_channels = w->channels;
    return RRL_OK;
}

bool rrl_may_touch(const rrl_worker_t *w, rrl_id_t multiport) {
    const rrl_plan_t *plan = &w->program->plan;
    rrl_id_t reaction = rrl_load_relaxed_u32(&w->reaction);
    if (reaction == RRL_NONE) return true;
    for (uint32_t i = plan->refs.begin[reaction]; i < plan->refs.begin[reaction + 1]; i++) {
        const rrl_graph_ref_t *ref = &plan->graph_refs[plan->refs.items[i]];
        if (ref->kind == RRL_MULTIPORT && ref->element == multiport) return true;
        if (ref->kind == RRL_PORT && plan->ports[ref->element].multiport == multiport) return true;
    }
    return false;
}

bool rrl_may_schedule(const rrl_worker_t *w, rrl_id_t action) {
    rrl_id_t reaction = rrl_load_relaxed_u32(&w->reaction);
    return reaction != RRL_NONE && action < w->program->plan.n_actions &&
           rrl__csr_has(&w->program->plan.action_writers, action, reaction);
}

bool rrl_worker_is_unwinding(const rrl_worker_t *w) { return w->enclave->is_unwinding; }

rrl_status_t rrl_request_stop(rrl_worker_t *w) {
    if (rrl_load_relaxed_u32(&w->reaction) == RRL_NONE) return RRL_E_PHASE;
    w->wants_stop = true;
    return RRL_OK;
}

/* ---- a tag ----------------------------------------------------------------------------------------- */

/* A cell has got its payload: lists the channels that show it and queues what it triggers. */
static void mark_present(rrl_enclave_t *e, uint32_t cell) {
    rrl_program_t *p = e->program;
    const rrl_plan_t *plan = &p->plan;
    for (uint32_t i = plan->channels.begin[cell]; i < plan->channels.begin[cell + 1]; i++) {
        const rrl_plan_channel_t *channel = &plan->channel_refs[plan->channels.items[i]];
        rrl_present_t *present = &p->present[channel->multiport];
        if (present->n && present->channels[present->n - 1] > channel->index)
            present->is_sorted = false;
        present->channels[present->n++] = channel->index;
    }
    if (e->is_unwinding) return;
    for (uint32_t i = plan->triggers.begin[cell]; i < plan->triggers.begin[cell + 1]; i++)
        rrl__reaction_queue_push(e, plan->triggers.items[i]);
}

/* What connections of modes have filled is present, and carried on in turn. */
static void mark_forwarded(rrl_enclave_t *e) {
    while (e->n_marked < e->n_forwarded) {
        uint32_t cell = e->program->plan.forward[e->forwarded[e->n_marked++]].to;
        mark_present(e, cell);
        rrl__forward(e, cell);
    }
}

static void clear_cell(rrl_enclave_t *e, uint32_t cell) {
    rrl_program_t *p = e->program;
    const rrl_plan_t *plan = &p->plan;
    p->cells[cell] = NULL;
    for (uint32_t i = plan->channels.begin[cell]; i < plan->channels.begin[cell + 1]; i++) {
        rrl_present_t *present = &p->present[plan->channel_refs[plan->channels.items[i]].multiport];
        present->n = 0;
        present->is_sorted = true;
    }
}

static void queue_triggers(rrl_enclave_t *e, uint32_t cell) {
    rrl_program_t *p = e->program;
    for (uint32_t i = p->plan.triggers.begin[cell]; i < p->plan.triggers.begin[cell + 1]; i++)
        rrl__reaction_queue_push(e, p->plan.triggers.items[i]);
}

static void queue_shutdown(rrl_enclave_t *e) {
    queue_triggers(e, e->program->plan.shutdown + e->index);
    rrl__modes_shut_down(e);
}

static void lower_stop_tag(rrl_enclave_t *e, rrl_tag_t tag) {
    if (rrl_tag_is_before(tag, e->stop_tag)) e->stop_tag = tag;
}

/* Timers stay in the queue for ever, so that one beyond the stop tag keeps the program from starving. */
static void rearm_timer(rrl_enclave_t *e, uint32_t timer, int64_t due_ns) {
    rrl_program_t *p = e->program;
    int64_t period_ns = p->plan.timers[timer].period_ns;
    rrl_tag_t next = {RRL_FOREVER, 0};
    if (period_ns && !rrl_time_add(due_ns, period_ns, &next.time_ns))
        rrl__push_event(e, next, p->first_timer_trigger + timer);
    if (p->timer_due) p->timer_due[timer] = next;
}

/* What a wake of a timer, or of a mode's entry, makes present; NULL: it is stale. */
static void *take_timer(rrl_enclave_t *e, uint32_t trigger, rrl_tag_t tag) {
    rrl_program_t *p = e->program;
    uint32_t timer = trigger - p->first_timer_trigger;
    if (timer < p->plan.n_timers) {
        if (!rrl__is_timer_due(p, timer, tag)) return NULL;
        rearm_timer(e, timer, tag.time_ns);
    }
    return p->host.present;
}

/* A recording names the port that a value came to, not the connection: of those of several modes into one
 * port, it came by that of the mode which is active. */
static uint32_t delay_that_recorded(const rrl_program_t *p, uint32_t trigger) {
    const rrl_plan_t *plan = &p->plan;
    if (!p->options.replay || !plan->n_modes || trigger >= p->first_action_trigger) return trigger;
    if (!plan->delay[trigger].is_physical) return trigger;
    for (uint32_t d = 0; d < plan->n_delays; d++) {
        const rrl_plan_delay_t *other = &plan->delay[d];
        if (other->is_physical && other->destination == plan->delay[trigger].destination &&
            rrl__is_mode_active(p, other->mode))
            return d;
    }
    return trigger;
}

/* event path 5/10 (ARCHITECTURE.md): all events of the tag leave the queue */
static void collect_due(rrl_enclave_t *e, rrl_tag_t tag) {
    rrl_program_t *p = e->program;
    uint32_t trigger;
    while (rrl__event_queue_pop_at(&e->events, tag, &trigger)) {
        void *payload = trigger >= p->first_timer_trigger ? take_timer(e, trigger, tag)
                                                          : rrl__take_due(e, trigger, tag);
        if (!payload) continue; /* cancelled, or of a mode that is not active */
        uint32_t cell = p->plan.first_delay + delay_that_recorded(p, trigger);
        p->cells[cell] = payload;
        e->event_cells[e->n_event_cells++] = cell;
        e->n_events += trigger < p->first_entry_trigger;
        if (rrl__is_traced(e) && trigger < p->first_timer_trigger)
            rrl__trace_event(e, RRL_TRACE_DUE, trigger, tag, tag);
    }
}

/* event path 6/10 (ARCHITECTURE.md): the tag becomes current, what is present triggers */
static void start_tag(rrl_enclave_t *e, rrl_tag_t tag) {
    rrl_program_t *p = e->program;
    rrl_assert(e->epoch == 0 || rrl_tag_is_before(e->tag, tag)); /* I1 */
    e->tag = tag;
    rrl_store_relaxed_i64(&e->shown_time_ns, tag.time_ns);
    e->epoch++;
    e->level_word = 0;
    e->is_new_tag = true;
    for (uint32_t i = 0; i < e->n_event_cells; i++) mark_present(e, e->event_cells[i]);
    if (p->plan.n_forwards) {
        for (uint32_t i = 0; i < e->n_event_cells; i++) rrl__forward(e, e->event_cells[i]);
        mark_forwarded(e);
    }
    if (e->epoch == 1) {
        queue_triggers(e, p->plan.startup + e->index);
        rrl__modes_start(e);
    }
    if (rrl_tag_equal(tag, e->stop_tag)) queue_shutdown(e);
}

/* A body raised: the rest of the tag is given up, but for the shutdown reactions that have not run. */
static void unwind(rrl_enclave_t *e) {
    for (uint32_t i = 0; i < e->n_workers; i++) e->workers[i].n_failed = 0;
    if (e->is_unwinding) return;
    e->is_unwinding = true;
    e->tells_stop = true;
    e->stop_tag = e->tag;
    rrl__reaction_queue_clear(e);
    queue_shutdown(e);
}

static void forward_level(rrl_enclave_t *e) {
    rrl__refresh_forwards(e);
    for (uint32_t i = 0; i < e->n_workers; i++) {
        rrl_worker_t *w = &e->workers[i];
        for (; w->n_forwarded < w->n_set; w->n_forwarded++)
            rrl__forward(e, w->set_cells[w->n_forwarded]);
    }
    mark_forwarded(e);
}

/* event path 10/10 (ARCHITECTURE.md): what the level's reactions have set takes effect */
static void finish_level(rrl_enclave_t *e) {
    bool has_failed = false;
    for (uint32_t i = 0; i < e->n_workers; i++) {
        rrl_worker_t *w = &e->workers[i];
        has_failed |= w->n_failed != 0;
        for (; w->n_merged < w->n_set; w->n_merged++) mark_present(e, w->set_cells[w->n_merged]);
    }
    if (e->program->plan.n_forwards) forward_level(e);
    if (e->program->options.virtual_clock) rrl__move_clock(e);
    if (has_failed) unwind(e);
}

/* Gives the payload back to the worker that made it, where dropping it is cheap; one that sleeps would
 * hold it for long. */
static void give_back(rrl_enclave_t *e, rrl_worker_t *coordinator, rrl_worker_t *maker,
                      void *payload) {
    if (maker != coordinator && !rrl__is_parked(maker) &&
        rrl__spsc_push(&maker->returns[coordinator->rank], payload)) {
        rrl_store_release_u32(&maker->has_returns, 1); /* pairs with rrl__take_returns */
        return;
    }
    rrl__discard(e, payload);
}

/* Hands the cell's payload to the delays that start there. Returns it if its reference is still ours. */
static void *capture_delays(rrl_enclave_t *e, uint32_t cell) {
    rrl_program_t *p = e->program;
    const rrl_plan_t *plan = &p->plan;
    void *payload = p->cells[cell];
    for (uint32_t i = plan->delays.begin[cell]; i < plan->delays.begin[cell + 1]; i++) {
        uint32_t d = plan->delays.items[i];
        bool is_last = i + 1 == plan->delays.begin[cell + 1];
        if (rrl__is_suspended(p, d)) continue;
        if (plan->delay[d].is_physical) continue; /* capture_physical has it */
        if (!is_last) p->host.retain(p->host.ctx, payload);
        rrl__capture_delay(e, d, payload);
        if (is_last) payload = NULL;
    }
    return payload;
}

static void list_physical(rrl_enclave_t *e, const uint32_t *cells, uint32_t n) {
    rrl_program_t *p = e->program;
    const rrl_csr_t *delays = &p->plan.delays;
    for (uint32_t k = 0; k < n; k++) {
        for (uint32_t i = delays->begin[cells[k]]; i < delays->begin[cells[k] + 1]; i++) {
            uint32_t d = delays->items[i];
            if (p->plan.delay[d].is_physical && !rrl__is_suspended(p, d))
                e->physical[e->n_physical++] = d;
        }
    }
}

/* Values of physical connections are stamped in the order of their channels, whoever set them first. */
static void capture_physical(rrl_enclave_t *e) {
    rrl_program_t *p = e->program;
    if (!e->has_physical_delays) return;
    for (uint32_t i = 0; i < e->n_workers; i++)
        list_physical(e, e->workers[i].set_cells, e->workers[i].n_set);
    list_physical(e, e->event_cells, e->n_event_cells);
    for (uint32_t i = 0; i < e->n_forwarded; i++)
        list_physical(e, &p->plan.forward[e->forwarded[i]].to, 1);
    qsort(e->physical, e->n_physical, sizeof *e->physical, compare_ids);
    for (uint32_t i = 0; i < e->n_physical; i++) {
        void *payload = p->cells[p->plan.delay[e->physical[i]].source];
        p->host.retain(p->host.ctx, payload);
        rrl__capture_delay(e, e->physical[i], payload);
    }
    e->n_physical = 0;
}

static void collect_wakes(rrl_enclave_t *e, rrl_worker_t *w) {
    for (uint32_t i = 0; i < w->n_wakes; i++)
        rrl__push_event(e, w->wakes[i].tag, w->wakes[i].trigger);
    w->n_wakes = 0;
    e->n_stale += w->n_stale;
    w->n_stale = 0;
    e->is_past_stop |= w->is_past_stop;
    w->is_past_stop = false;
}

/* Gives back what connections of modes have carried on. */
static void clear_forwarded(rrl_enclave_t *e) {
    for (uint32_t i = 0; i < e->n_forwarded; i++) {
        uint32_t cell = e->program->plan.forward[e->forwarded[i]].to;
        void *payload = capture_delays(e, cell);
        clear_cell(e, cell);
        if (payload) rrl__discard(e, payload);
    }
    e->n_forwarded = e->n_marked = 0;
}

static void finish_modes(rrl_enclave_t *e) {
    clear_forwarded(e);
    if (rrl_tag_is_before(e->tag, e->stop_tag)) rrl__modes_change(e);
}

static void finish_tag(rrl_enclave_t *e, rrl_worker_t *coordinator) {
    rrl_program_t *p = e->program;
    uint64_t hash = 0;
    bool wants_stop = false;
    capture_physical(e);
    for (uint32_t i = 0; i < e->n_workers; i++) {
        rrl_worker_t *w = &e->workers[i];
        for (uint32_t k = 0; k < w->n_set; k++) {
            void *payload = capture_delays(e, w->set_cells[k]);
            clear_cell(e, w->set_cells[k]);
            if (payload) give_back(e, coordinator, w, payload);
        }
        w->n_set = w->n_merged = w->n_forwarded = 0;
        collect_wakes(e, w);
        hash += w->hash;
        w->hash = 0;
        wants_stop |= w->wants_stop;
        w->wants_stop = false;
    }
    for (uint32_t k = 0; k < e->n_event_cells; k++) {
        uint32_t cell = e->event_cells[k];
        void *payload = capture_delays(e, cell);
        clear_cell(e, cell);
        if (payload && cell < p->plan.first_timer) rrl__discard(e, payload);
    }
    e->n_event_cells = 0;
    if (p->plan.n_modes) finish_modes(e);
    rrl__count(&e->n_tags, 1);
    e->trace_hash = rrl__mix(rrl__mix_tag(e->trace_hash, e->tag) + hash);
    if (wants_stop && rrl_tag_is_before(e->tag, e->stop_tag)) { /* at the end it is late for that */
        lower_stop_tag(e, rrl__tag_after(e->tag));
        e->tells_stop = true;
    }
    rrl__release_garbage(e);
    if (e->n_stale > 64 && e->n_stale * 2 > rrl__event_queue_size(&e->events)) {
        rrl__event_queue_filter(&e->events, rrl__is_live_wake, p);
        e->n_stale = 0;
    }
}

/* ---- from tag to tag ------------------------------------------------------------------------------- */

/* Empties the inbox. True: more may come, because a producer is open, or because a push has begun, which
 * rings when it is done. */
static bool receive(rrl_enclave_t *e) {
    /* acquire, and before the inbox: the pushes made under a hold that is over have moved the tail. */
    bool is_held = rrl_load_acquire_u32(&e->n_holds) != 0;
    rrl__drain_inbox(e);
    return is_held || rrl_load_relaxed_u64(&e->inbox.tail) != e->inbox.head;
}

/* The next tag to process and whether it must be waited for although the program is fast; false: nothing
 * will ever happen unless the bell rings. */
static bool choose_tag(rrl_enclave_t *e, bool may_receive, rrl_tag_t *out_tag,
                       bool *out_must_wait) {
    rrl_program_t *p = e->program;
    rrl_tag_t after = rrl__tag_after(e->tag), stop_tag = e->stop_tag;
    bool is_ordered = e->ordered_stop.time_ns != RRL_FOREVER;
    if (is_ordered && rrl_tag_is_before(e->ordered_stop, stop_tag)) stop_tag = e->ordered_stop;
    *out_must_wait = false;
    if (rrl__event_queue_peek(&e->events, out_tag)) {
        if (rrl_tag_is_before(stop_tag, *out_tag)) *out_tag = stop_tag;
        return true;
    }
    if (is_ordered) {
        *out_tag = stop_tag;
        return true;
    }
    bool is_timed_out = e->is_past_stop && e->stop_tag.time_ns != RRL_FOREVER;
    bool is_starving = !p->options.keepalive && !is_timed_out && !may_receive;
    /* With a ledger that is for the group to decide. */
    if (is_starving && p->ledger && rrl_tag_is_before(after, e->stop_tag)) return false;
    if (is_starving && !p->ledger) lower_stop_tag(e, after);
    if (e->stop_tag.time_ns == RRL_FOREVER) return false;
    *out_tag = e->stop_tag;
    /* Not for a stop that was asked for from outside: it is the first tag at which something could still come. */
    *out_must_wait =
        may_receive && rrl_tag_is_before(rrl__tag_after(rrl__present_of(e)), e->stop_tag);
    return true;
}

/* Waits until something may have changed: the clock, or what the bell announces. */
static void wait_for_tag(rrl_enclave_t *e, rrl_worker_t *w, bool is_known, rrl_tag_t next) {
    rrl_program_t *p = e->program;
    int64_t due_ns;
    bool has_time = is_known && !p->options.virtual_clock;
    if (!has_time || rrl_time_add(p->start_ns, next.time_ns, &due_ns)) due_ns = RRL_FOREVER;
    rrl__wait_for_bell(e, w, due_ns);
}

/* event path 4/10 (ARCHITECTURE.md): the next tag is found and waited for; false: there is none */
static bool advance_tag(rrl_enclave_t *e, rrl_worker_t *w) {
    rrl_program_t *p = e->program;
    if (e->epoch && !rrl_tag_is_before(e->tag, e->stop_tag)) return false;
    for (;;) {
        rrl_tag_t next = {RRL_FOREVER, 0};
        bool must_wait;
        if (p->ledger) rrl__ledger_exchange(e, w);
        bool may_receive = receive(e);
        if (rrl_load_acquire_u32(&e->stop_requested))
            lower_stop_tag(e, rrl__tag_after(rrl__present_of(e)));
        bool is_known = choose_tag(e, may_receive, &next, &must_wait);
        if (e->n_garbage) rrl__release_garbage(e);
        if (e->status) return false;
        bool is_due =
            is_known && ((p->options.fast && !must_wait) || rrl__elapsed_ns(p) >= next.time_ns);
        /* Cancelled events must not be waited for, and what none but they lead to is no timeout. */
        bool is_end = !rrl_tag_is_before(next, e->stop_tag);
        if (e->n_stale && (!is_due || is_end || p->ledger)) {
            rrl__event_queue_filter(&e->events, rrl__is_live_wake, p);
            e->n_stale = 0;
            continue;
        }
        if (p->ledger) {
            rrl_answer_t answer = rrl__ledger_ask(e, w, next, is_due, may_receive);
            if (answer == RRL_WAIT) wait_for_tag(e, w, is_known && !is_due, next);
            if (answer != RRL_GO) continue;
        } else if (!is_due) {
            wait_for_tag(e, w, is_known, next);
            continue; /* what has come meanwhile may be due before */
        }
        if (rrl_tag_equal(next, e->ordered_stop)) lower_stop_tag(e, next);
        collect_due(e, next);
        if (e->n_event_cells || rrl_tag_equal(next, e->stop_tag)) {
            start_tag(e, next);
            return true;
        }
    }
}

static void begin(rrl_enclave_t *e, rrl_worker_t *w) {
    rrl_program_t *p = e->program;
    rrl_tag_t first = {0, 0};
    for (uint32_t i = 0; i < p->plan.n_timers; i++) {
        uint32_t trigger = p->first_timer_trigger + i;
        if (p->plan.reactor_enclave[p->plan.timers[i].reactor] != e->index) continue;
        if (rrl__is_suspended(p, trigger)) continue;
        rrl__push_event(e, (rrl_tag_t){p->plan.timers[i].offset_ns, 0}, trigger);
    }
    for (rrl_answer_t answer = RRL_LOOK_AGAIN; p->ledger && answer != RRL_GO;) {
        rrl__ledger_exchange(e, w);
        answer = rrl__ledger_ask(e, w, first, true, true);
        if (answer == RRL_WAIT) wait_for_tag(e, w, false, first);
    }
    if (rrl_tag_equal(first, e->ordered_stop)) lower_stop_tag(e, first);
    collect_due(e, first);
    start_tag(e, first);
}

static void end(rrl_enclave_t *e, rrl_worker_t *w) {
    if (e->program->ledger) rrl__ledger_leave(e, w);
    rrl__detach(w); /* waits for pushes under way */
    rrl__close_gate(e);
    rrl__attach(w);
    rrl__drain_inbox(e);
    rrl__discard_pending(e);
    rrl__release_garbage(e);
    e->end_ns = rrl__clock_ns();
    if (rrl__is_traced(e)) rrl__trace_hand_out(w, RRL_NONE);
    rrl__publish_quit(e);
}

/* ---- levels ---------------------------------------------------------------------------------------- */

/* A guess of what handing out costs beyond the longest slice, until it has been measured; and what waking
 * a parked worker costs until it runs (a virtual machine's halt and resume; see bench/micro). */
#define HANDOFF_NS 400.0f
#define WAKE_NS 30000.0f
/* Beside a level that takes so long a wake is little: its time tells something also with one in it. */
#define LONG_NS (4 * WAKE_NS)

typedef struct slices {
    uint32_t n;           /* reactions in all */
    uint32_t n_busy;      /* workers with a slice */
    uint32_t last;        /* one of them */
    float total, longest; /* estimated costs */
    bool is_unknown;      /* of some slice nothing is known */
    bool must_wake;       /* a parked worker has one */
    bool is_long;         /* takes more than LONG_NS in all */
} slices_t;

static slices_t measure_slices(const rrl_enclave_t *e, const rrl_worker_t *w, size_t first_slot) {
    const rrl_program_t *p = e->program;
    slices_t s = {0};
    for (uint32_t home = 0; home < e->n_workers; home++) {
        uint32_t n = p->n_ready[first_slot + home];
        if (!n) continue;
        float cost = p->slice_ns[first_slot + home] * (float)n;
        s.n += n;
        s.n_busy++;
        s.last = home;
        s.total += cost;
        if (cost > s.longest) s.longest = cost;
        s.is_unknown |= cost == 0;
        s.must_wake |= home != w->rank && rrl__is_parked(&e->workers[home]);
    }
    s.is_long = s.total > LONG_NS;
    return s;
}

/* Least runs of a level between two trials of the way that was slower. */
static uint32_t shortest_interval(float usual_ns) { return usual_ns > LONG_NS ? 4 : 64; }

/* A trial that took longer than the usual way puts the next one off, until trials cost a hundredth of all;
 * but about every second there is one, so that a processor that became free is noticed. */
static void price_trial(rrl_level_cost_t *cost, float took_ns, float usual_ns) {
    if (cost->age || usual_ns <= 0) return;
    if (cost->is_waking) took_ns += WAKE_NS;
    cost->is_waking = false;
    float interval = 100 * (took_ns - usual_ns) / usual_ns, longest = 1e9f / usual_ns;
    if (interval > longest) interval = longest;
    uint32_t shortest = shortest_interval(usual_ns);
    cost->interval = interval > (float)shortest ? (uint32_t)interval : shortest;
}

/* event path 7/10 (ARCHITECTURE.md): the level runs here or is handed out, whichever has been cheaper.
 * A parked worker is woken once the savings forgone since the last time add up to the price of waking it:
 * at most twice the cost of knowing in advance. */
static bool should_publish(rrl_enclave_t *e, const rrl_worker_t *w, uint32_t level,
                           const slices_t *s) {
    rrl_program_t *p = e->program;
    if (p->n_usable_cpus < 2) return false;
    if (s->n_busy == 1) return s->last != w->rank && !s->must_wake; /* state stays with its home */
    rrl_level_cost_t *cost = &e->level_costs[level];
    if (s->is_unknown && cost->inline_ns == 0) return true;
    float here = cost->inline_ns == 0 ? s->total : cost->inline_ns * (float)s->n;
    float there =
        cost->published_ns == 0 ? s->longest + HANDOFF_NS : cost->published_ns * (float)s->n;
    bool is_better = there < here;
    if (!cost->interval) cost->interval = shortest_interval(here);
    if (++cost->age >= cost->interval) {
        /* A trial of the other way. To hand out a short level, the others are woken first, and the next run
         * is the trial; if they sleep again by then, runs are too far apart for one. */
        bool is_blurred = s->must_wake && !s->is_long;
        if (!is_better && is_blurred && !cost->is_waking) {
            cost->is_waking = true;
            return true;
        }
        cost->age = 0;
        if (is_better || !is_blurred) return !is_better;
        price_trial(cost, here, here);
    }
    if (!is_better || !s->must_wake) return is_better;
    e->credit_ns += here - there;
    if (e->credit_ns < WAKE_NS) return false;
    e->credit_ns = 0;
    return true;
}

static void publish_level(rrl_enclave_t *e, rrl_worker_t *w, uint32_t level, const slices_t *s) {
    /* With a wake in it the time of a short level would tell of the wake. */
    e->timed_level = s->n_busy > 1 && (!s->must_wake || s->is_long) ? level : RRL_NONE;
    e->timed_n = s->n;
    if (e->timed_level != RRL_NONE) e->timed_since_ns = rrl__clock_ns();
    if (rrl__is_traced(e)) rrl__trace_hand_out(w, level);
    rrl__publish_level(e, w, level);
}

static void learn_published(rrl_enclave_t *e) {
    if (e->timed_level == RRL_NONE) return;
    rrl_level_cost_t *cost = &e->level_costs[e->timed_level];
    int64_t elapsed_ns = rrl__clock_ns() - e->timed_since_ns;
    cost->published_ns = rrl__learn(cost->published_ns, elapsed_ns, e->timed_n);
    price_trial(cost, (float)elapsed_ns, cost->inline_ns * (float)e->timed_n);
    e->timed_level = RRL_NONE;
}

static void run_inline(rrl_enclave_t *e, rrl_worker_t *w, uint32_t level, const slices_t *s) {
    rrl_program_t *p = e->program;
    size_t first_slot = rrl__first_slot(e, level);
    rrl_level_cost_t *cost = &e->level_costs[level];
    bool is_timed = s->n_busy > 1 && (cost->age == 0 ||
                                      rrl__is_worth_timing(cost->inline_ns, s->n, e->n_levels_run));
    int64_t begin_ns = is_timed ? rrl__clock_ns() : 0;
    for (uint32_t home = 0; home < e->n_workers; home++) {
        uint32_t n = p->n_ready[first_slot + home];
        if (!n) continue;
        p->n_ready[first_slot + home] = 0;
        rrl__run_reactions(e, w, &p->ready[p->plan.slot_begin[first_slot + home]], n);
    }
    if (!is_timed) return;
    int64_t elapsed_ns = rrl__clock_ns() - begin_ns;
    cost->inline_ns = rrl__learn(cost->inline_ns, elapsed_ns, s->n);
    price_trial(cost, (float)elapsed_ns, cost->published_ns * (float)s->n);
}

static void sort_urgent_first(const rrl_plan_t *plan, uint32_t *reactions, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) reactions[i] = plan->urgency[reactions[i]];
    qsort(reactions, n, sizeof *reactions, compare_ids);
    for (uint32_t i = 0; i < n; i++) reactions[i] = plan->by_urgency[reactions[i]];
}

/* Puts each slot of the level into static order, or the most urgent reactions first. */
static void sort_level(rrl_enclave_t *e, uint32_t level, bool is_static) {
    rrl_program_t *p = e->program;
    for (uint32_t home = 0; home < e->n_workers; home++) {
        size_t slot = rrl__first_slot(e, level) + home;
        uint32_t *reactions = &p->ready[p->plan.slot_begin[slot]], n = p->n_ready[slot];
        if (n < 2) continue;
        if (is_static) {
            qsort(reactions, n, sizeof *reactions, compare_ids);
        } else {
            sort_urgent_first(&p->plan, reactions, n);
        }
    }
}

/* True: nobody may share the level, because the last tag may run reactions of several modes of one reactor,
 * which have no order but their declaration. */
static bool order_level(rrl_enclave_t *e, uint32_t level) {
    const rrl_plan_t *plan = &e->program->plan;
    bool is_last = plan->n_modes && rrl_tag_equal(e->tag, e->stop_tag);
    if (is_last || plan->urgency) sort_level(e, level, is_last);
    return is_last;
}

/* True: the level was handed out, with a slice for `w` too perhaps. */
static bool run_level(rrl_enclave_t *e, rrl_worker_t *w, uint32_t level) {
    slices_t s = {0};
    e->n_levels_run++;
    bool is_alone = e->program->plan.has_order && order_level(e, level);
    if (e->n_workers > 1 && !is_alone) {
        s = measure_slices(e, w, rrl__first_slot(e, level));
        if (should_publish(e, w, level, &s)) {
            publish_level(e, w, level, &s);
            return true;
        }
    }
    run_inline(e, w, level, &s);
    return false;
}

bool rrl__coordinate(rrl_enclave_t *e, rrl_worker_t *w) {
    w->mark.is_coordinating = true;
    rrl__attach(w);
    if (!e->epoch) {
        begin(e, w);
    } else {
        learn_published(e);
        finish_level(e);
    }
    for (;;) {
        uint32_t level = rrl__reaction_queue_take_level(e);
        if (level != RRL_NONE) {
            if (run_level(e, w, level)) return true;
            finish_level(e);
            continue;
        }
        finish_tag(e, w);
        if (!advance_tag(e, w)) {
            end(e, w);
            return false;
        }
    }
}
