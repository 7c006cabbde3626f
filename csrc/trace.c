/* trace.c: writes the lanes of a trace while the program runs, and reads them once it has ended. */
#include "memory.h"
#include "runtime.h"

#define MAX_ID ((1u << RRL_TRACE_ID_BITS) - 1)
#define RECORDS_PER_PAGE (4096 / sizeof(rrl_trace_record_t))

rrl_status_t rrl__lane_init(rrl_lane_t *lane, uint32_t capacity) {
    if (capacity & (capacity - 1)) return RRL_E_INVAL;
    if (!capacity) return RRL_OK;
    lane->records = rrl__zeroed(capacity, sizeof *lane->records);
    lane->mask = capacity - 1;
    if (!lane->records) return RRL_E_NOMEM;
    /* Every page is written to now, or the run would pay for having them made. */
    for (uint32_t i = 0; i < capacity; i += RECORDS_PER_PAGE) lane->records[i].what = 1;
    return RRL_OK;
}

void rrl__lane_destroy(rrl_lane_t *lane) { rrl__free(lane->records); }

static void put(rrl_lane_t *lane, rrl_trace_kind_t kind, uint32_t id, rrl_tag_t tag,
                int64_t begin_ns, int64_t end_ns) {
    uint32_t what = (uint32_t)kind << RRL_TRACE_ID_BITS | (id < MAX_ID ? id : MAX_ID);
    lane->records[lane->n++ & lane->mask] =
        (rrl_trace_record_t){begin_ns, end_ns, tag.time_ns, tag.microstep, what};
}

/* ---- a worker's lane ------------------------------------------------------------------------------- */

/* What lies between two times of the clock. */
static void put_slice(rrl_worker_t *w, rrl_trace_kind_t kind, uint32_t id, rrl_tag_t tag,
                      int64_t begin_ns, int64_t end_ns) {
    int64_t start_ns = w->program->start_ns;
    put(&w->lane, kind, id, tag, begin_ns - start_ns, end_ns - start_ns);
}

static void mark(rrl_worker_t *w, int64_t now_ns) {
    w->mark.ns = now_ns;
    w->mark.n_set = w->n_set;
    w->mark.n_wakes = w->n_wakes;
    w->mark.n_failed = w->n_failed;
}

/* The first bodies of a tag follow. */
static void put_tag(rrl_enclave_t *e, int64_t now_ns) {
    const rrl_program_t *p = e->program;
    int64_t begin_ns = now_ns - p->start_ns;
    int64_t elapsed_ns = p->options.virtual_clock ? rrl__elapsed_ns(p) : begin_ns;
    uint32_t n_queued = rrl__event_queue_size(&e->events);
    uint64_t n_pending = n_queued > e->n_stale ? n_queued - e->n_stale : 0;
    e->is_new_tag = false;
    put(&e->lane, RRL_TRACE_TAG, (uint32_t)n_pending, e->tag, begin_ns,
        elapsed_ns - e->tag.time_ns);
}

static void put_coordinating(rrl_worker_t *w, uint32_t level, int64_t now_ns) {
    if (!w->lane.records || !w->mark.is_coordinating) return;
    if (w->enclave->is_new_tag && level != RRL_NONE) put_tag(w->enclave, now_ns);
    int64_t begin_ns = w->mark.ns ? w->mark.ns : w->program->start_ns;
    put_slice(w, RRL_TRACE_COORDINATING, level, w->enclave->tag, begin_ns, now_ns);
    mark(w, now_ns);
}

void rrl__trace_hand_out(rrl_worker_t *w, uint32_t level) {
    put_coordinating(w, level, rrl__clock_ns());
    w->mark.is_coordinating = false;
}

void rrl__trace_wait(rrl_worker_t *w, rrl_trace_kind_t kind, int64_t begin_ns, int64_t end_ns) {
    if (!w->lane.records) return;
    put_coordinating(w, RRL_NONE, begin_ns);
    /* A worker that waits sees neither tag nor lists: they are the coordinator's. */
    put_slice(w, kind, 0, (rrl_tag_t){0, 0}, begin_ns, end_ns);
    w->mark.ns = end_ns;
}

void rrl__begin_bodies(rrl_worker_t *w, rrl_id_t first) {
    int64_t now_ns = rrl__clock_ns();
    put_coordinating(w, w->program->plan.reactions[first].level, now_ns);
    mark(w, now_ns);
}

void rrl__end_body(rrl_worker_t *w, rrl_id_t reaction, rrl_trace_kind_t kind) {
    rrl_program_t *p = w->program;
    rrl_tag_t tag = w->enclave->tag;
    int64_t now_ns = rrl__clock_ns();
    p->spent_ns[reaction] += now_ns - w->mark.ns;
    if (w->lane.records) {
        put_slice(w, kind, reaction, tag, w->mark.ns, now_ns);
        if (w->n_failed != w->mark.n_failed) put(&w->lane, RRL_TRACE_RAISED, reaction, tag, 0, 0);
        for (uint32_t i = w->mark.n_set; i < w->n_set; i++) {
            if (w->set_cells[i] < p->plan.n_ports)
                put(&w->lane, RRL_TRACE_SET, w->set_cells[i], tag, 0, 0);
        }
        for (uint32_t i = w->mark.n_wakes; i < w->n_wakes; i++)
            put(&w->lane, RRL_TRACE_SENT, p->plan.first_delay + w->wakes[i].trigger,
                w->wakes[i].tag, tag.time_ns, tag.microstep);
    }
    mark(w, now_ns);
}

/* ---- an enclave's lane ----------------------------------------------------------------------------- */

static void put_event(rrl_enclave_t *e, rrl_trace_kind_t kind, uint32_t trigger, rrl_tag_t tag,
                      int64_t begin_ns, int64_t end_ns) {
    put(&e->lane, kind, e->program->plan.first_delay + trigger, tag, begin_ns, end_ns);
}

void rrl__trace_event(rrl_enclave_t *e, rrl_trace_kind_t kind, uint32_t trigger, rrl_tag_t from,
                      rrl_tag_t tag) {
    put_event(e, kind, trigger, tag, from.time_ns, from.microstep);
}

void rrl__trace_arrival(rrl_enclave_t *e, uint32_t trigger, int64_t stamp_ns, rrl_tag_t tag) {
    const rrl_program_t *p = e->program;
    int64_t now_ns = rrl__clock_ns() - p->start_ns;
    put_event(e, RRL_TRACE_ARRIVED, trigger, tag, p->options.virtual_clock ? now_ns : stamp_ns,
              now_ns);
}

/* ---- after the end --------------------------------------------------------------------------------- */

static const rrl_lane_t *lane_of(const rrl_program_t *p, uint32_t lane) {
    uint32_t n = p->plan.n_workers;
    return lane < n ? &p->workers[lane].lane : &p->enclaves[lane - n].lane;
}

size_t rrl_program_trace(const rrl_program_t *p, uint32_t lane, rrl_trace_record_t *out_records,
                         uint64_t *out_n_lost) {
    const rrl_lane_t *l = lane_of(p, lane);
    uint64_t capacity = l->records ? l->mask + 1 : 0;
    uint64_t n = l->n < capacity ? l->n : capacity;
    *out_n_lost = l->n - n;
    for (uint64_t i = 0; out_records && i < n; i++)
        out_records[i] = l->records[(l->n - n + i) & l->mask];
    return (size_t)n;
}

static void put_link(rrl_link_t *out, size_t *n, rrl_link_kind_t kind, uint32_t from, uint32_t to) {
    if (out) out[*n] = (rrl_link_t){(uint32_t)kind, from, to};
    ++*n;
}

size_t rrl_program_links(const rrl_program_t *p, rrl_link_t *out_links) {
    const rrl_plan_t *plan = &p->plan;
    size_t n = 0;
    for (uint32_t cell = 0; cell < plan->n_cells; cell++) {
        for (uint32_t i = plan->triggers.begin[cell]; i < plan->triggers.begin[cell + 1]; i++)
            put_link(out_links, &n, RRL_LINK_REACTION, cell, plan->triggers.items[i]);
        for (uint32_t i = plan->delays.begin[cell]; i < plan->delays.begin[cell + 1]; i++)
            put_link(out_links, &n, RRL_LINK_DELAY, cell,
                     plan->first_delay + plan->delays.items[i]);
    }
    for (uint32_t cell = 0; plan->n_forwards && cell < plan->n_cells; cell++) {
        for (uint32_t i = plan->forwards.begin[cell]; i < plan->forwards.begin[cell + 1]; i++)
            put_link(out_links, &n, RRL_LINK_CELL, cell, plan->forward[plan->forwards.items[i]].to);
    }
    for (uint32_t a = 0; a < plan->n_actions; a++)
        put_link(out_links, &n, RRL_LINK_ACTION, plan->first_action + a, a);
    return n;
}
