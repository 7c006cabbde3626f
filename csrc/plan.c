#include "plan.h"

#include "apg.h"
#include "hash.h"
#include "memory.h"
#include "placement.h"

/* What one compilation needs and throws away. */
typedef struct compile {
    const rrl_graph_t *g;
    rrl_plan_t *plan;
    rrl_port_ref_t *port_refs;
    uint32_t n_port_refs, cap_port_refs;
    uint32_t *link_delay;   /* by port: the delay on the connection into it, or RRL_NONE */
    uint32_t *modal_delay;  /* by modal link: the delay on it, or RRL_NONE */
    uint32_t *delay_source; /* by delay: the port that it captures */
    uint32_t *levels;
    int64_t *deadlines_ns;
    rrl_loops_t loops;
} compile_t;

static bool is_delayed(const rrl_graph_port_t *port) {
    return port->source != RRL_NONE && (port->delay_ns != RRL_NO_DELAY || port->is_physical);
}

static void *copy_of(const void *items, size_t n, size_t size) {
    void *copy = rrl__zeroed(n, size);
    if (copy && n) memcpy(copy, items, n * size);
    return copy;
}

static rrl_status_t copy_graph(const rrl_graph_t *g, rrl_plan_t *plan) {
    plan->n_reactions = g->n_reactions;
    plan->n_ports = g->n_ports;
    plan->n_multiports = g->n_multiports;
    plan->n_actions = g->n_actions;
    plan->n_timers = g->n_timers;
    plan->n_enclaves = g->n_enclaves;
    plan->enclaves = rrl__zeroed(g->n_enclaves, sizeof *plan->enclaves);
    plan->reactor_enclave =
        copy_of(g->reactor_enclave, g->n_reactors, sizeof *plan->reactor_enclave);
    plan->ports = copy_of(g->ports, g->n_ports, sizeof *g->ports);
    plan->multiports = copy_of(g->multiports, g->n_multiports, sizeof *g->multiports);
    plan->actions = copy_of(g->actions, g->n_actions, sizeof *g->actions);
    plan->timers = copy_of(g->timers, g->n_timers, sizeof *g->timers);
    plan->graph_refs = copy_of(g->refs, g->n_refs, sizeof *g->refs);
    for (uint32_t i = 0; i < g->n_ports; i++) {
        const rrl_graph_port_t *port = &g->ports[i];
        if (port->reactor >= g->n_reactors) return RRL_E_INVAL;
        if (port->source == RRL_NONE || is_delayed(port)) continue;
        uint32_t from = g->reactor_enclave[g->ports[port->source].reactor];
        if (from != g->reactor_enclave[port->reactor]) return RRL_E_INVAL;
    }
    for (uint32_t i = 0; i < g->n_actions; i++)
        if (g->actions[i].reactor >= g->n_reactors) return RRL_E_INVAL;
    for (uint32_t i = 0; i < g->n_timers; i++)
        if (g->timers[i].reactor >= g->n_reactors) return RRL_E_INVAL;
    bool ok = plan->enclaves && plan->reactor_enclave && plan->ports && plan->multiports &&
              plan->actions && plan->timers && plan->graph_refs;
    return ok ? RRL_OK : RRL_E_NOMEM;
}

/* ---- delays: connections that agree in source, delay and kind share one -------------------------- */

typedef struct delayed_link {
    rrl_id_t source, destination;
    int64_t delay_ns;
    uint32_t to; /* enclave */
    bool is_physical;
    rrl_id_t mode;
    uint32_t *out_delay; /* where the delay's number goes */
} delayed_link_t;

static uint32_t enclave_of_port(const rrl_graph_t *g, rrl_id_t port) {
    return g->reactor_enclave[g->ports[port].reactor];
}

static int compare_links(const void *a, const void *b) {
    const delayed_link_t *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->delay_ns != y->delay_ns) return x->delay_ns < y->delay_ns ? -1 : 1;
    if (x->is_physical != y->is_physical) return x->is_physical ? 1 : -1;
    if (x->to != y->to) return x->to < y->to ? -1 : 1;
    if (x->mode != y->mode) return x->mode < y->mode ? -1 : 1;
    return x->destination < y->destination ? -1 : x->destination > y->destination;
}

static bool share_delay(const delayed_link_t *a, const delayed_link_t *b) {
    return a->source == b->source && a->delay_ns == b->delay_ns &&
           a->is_physical == b->is_physical && a->to == b->to && a->mode == b->mode;
}

/* All of them into `links`, which may be NULL to count only. */
static uint32_t list_delayed(const compile_t *c, delayed_link_t *links) {
    const rrl_graph_t *g = c->g;
    uint32_t n = 0;
    for (uint32_t p = 0; p < g->n_ports; p++) {
        const rrl_graph_port_t *port = &g->ports[p];
        if (!is_delayed(port)) continue;
        if (links)
            links[n] = (delayed_link_t){
                port->source,      p,        port->delay_ns,   enclave_of_port(g, p),
                port->is_physical, RRL_NONE, &c->link_delay[p]};
        n++;
    }
    for (uint32_t i = 0; i < g->n_modal_links; i++) {
        const rrl_graph_modal_link_t *l = &g->modal_links[i];
        if (l->delay_ns == RRL_NO_DELAY && !l->is_physical) continue;
        if (links)
            links[n] = (delayed_link_t){l->source,         l->destination,
                                        l->delay_ns,       enclave_of_port(g, l->destination),
                                        l->is_physical,    l->mode,
                                        &c->modal_delay[i]};
        n++;
    }
    for (uint32_t i = 0; links && i < n; i++)
        if (links[i].delay_ns == RRL_NO_DELAY) links[i].delay_ns = 0;
    return n;
}

static void number_delays(compile_t *c, const delayed_link_t *links, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        const delayed_link_t *link = &links[i];
        if (!i || !share_delay(&links[i - 1], link)) {
            c->delay_source[c->plan->n_delays] = link->source;
            c->plan->delay[c->plan->n_delays++] =
                (rrl_plan_delay_t){.source = RRL_NONE,
                                   .delay_ns = link->delay_ns,
                                   .is_physical = link->is_physical,
                                   .destination = link->destination,
                                   .mode = link->mode,
                                   .from = enclave_of_port(c->g, link->source),
                                   .to = link->to};
        }
        *link->out_delay = c->plan->n_delays - 1;
    }
}

static rrl_status_t collect_delays(compile_t *c) {
    const rrl_graph_t *g = c->g;
    uint32_t n = list_delayed(c, NULL);
    delayed_link_t *links = rrl__zeroed(n, sizeof *links);
    c->link_delay = rrl__zeroed(g->n_ports, sizeof *c->link_delay);
    c->modal_delay = rrl__zeroed(g->n_modal_links, sizeof *c->modal_delay);
    c->delay_source = rrl__zeroed(n, sizeof *c->delay_source);
    c->plan->delay = rrl__zeroed(n, sizeof *c->plan->delay);
    bool ok = links && c->link_delay && c->modal_delay && c->delay_source && c->plan->delay;
    if (ok) {
        for (uint32_t p = 0; p < g->n_ports; p++) c->link_delay[p] = RRL_NONE;
        for (uint32_t i = 0; i < g->n_modal_links; i++) c->modal_delay[i] = RRL_NONE;
        list_delayed(c, links);
        qsort(links, n, sizeof *links, compare_links);
        number_delays(c, links, n);
    }
    rrl__free(links);
    return ok ? RRL_OK : RRL_E_NOMEM;
}

/* ---- cells ---------------------------------------------------------------------------------------- */

static void number_cells(rrl_plan_t *plan) {
    plan->first_delay = plan->n_ports;
    plan->first_action = plan->first_delay + plan->n_delays;
    plan->first_timer = plan->first_action + plan->n_actions;
    plan->reset = plan->first_timer + plan->n_timers;
    plan->mode_startup = plan->reset + plan->n_modes;
    plan->startup = plan->mode_startup + plan->n_modes;
    plan->shutdown = plan->startup + plan->n_enclaves;
    plan->mode_shutdown = plan->shutdown + plan->n_enclaves;
    plan->first_copy = plan->mode_shutdown + plan->n_modes;
    plan->n_cells = plan->first_copy + plan->n_copies;
}

/* A chain of undelayed connections that closes on itself, without any reaction on it. */
static rrl_status_t note_port_loop(compile_t *c, rrl_id_t port) {
    uint32_t n = 0;
    rrl_id_t p = port;
    do {
        n++;
        p = c->g->ports[p].source;
    } while (p != port);
    rrl_cycle_step_t *steps = rrl__add_loop(&c->loops, n);
    if (!steps) return RRL_E_NOMEM;
    for (uint32_t i = n; i-- > 0;) {
        steps[i] = (rrl_cycle_step_t){RRL_NONE, p};
        p = c->g->ports[p].source;
    }
    return RRL_OK;
}

static rrl_status_t find_cells(compile_t *c) {
    rrl_plan_t *plan = c->plan;
    const uint32_t on_path = RRL_NONE - 1;
    plan->port_cell = rrl__zeroed(plan->n_ports, sizeof *plan->port_cell);
    if (!plan->port_cell) return RRL_E_NOMEM;
    for (uint32_t p = 0; p < plan->n_ports; p++) plan->port_cell[p] = RRL_NONE;
    for (uint32_t start = 0; start < plan->n_ports; start++) {
        rrl_id_t p = start;
        uint32_t cell = RRL_NONE;
        while (cell == RRL_NONE) {
            if (plan->port_cell[p] == on_path) {
                rrl_status_t rc = note_port_loop(c, p);
                if (rc) return rc;
                cell = p; /* any: to find the other loops */
            } else if (plan->port_cell[p] != RRL_NONE) {
                cell = plan->port_cell[p];
            } else if (c->link_delay[p] != RRL_NONE) {
                cell = plan->first_delay + c->link_delay[p];
            } else if (c->g->ports[p].source == RRL_NONE) {
                cell = p;
            } else {
                plan->port_cell[p] = on_path;
                p = c->g->ports[p].source;
            }
        }
        for (p = start; plan->port_cell[p] == on_path; p = c->g->ports[p].source)
            plan->port_cell[p] = cell;
        plan->port_cell[p] = cell;
    }
    return RRL_OK;
}

static rrl_status_t link_forwards(compile_t *c) {
    rrl_plan_t *plan = c->plan;
    rrl_pairs_t forwards = {0};
    rrl_status_t rc = RRL_OK;
    plan->n_forwards = c->g->n_modal_links;
    plan->forward = rrl__zeroed(plan->n_forwards, sizeof *plan->forward);
    if (!plan->forward) return RRL_E_NOMEM;
    for (uint32_t i = 0; i < plan->n_forwards && !rc; i++) {
        const rrl_graph_modal_link_t *link = &c->g->modal_links[i];
        uint32_t from = c->modal_delay[i] == RRL_NONE ? plan->port_cell[link->source]
                                                      : plan->first_delay + c->modal_delay[i];
        plan->forward[i] = (rrl_forward_t){from, link->destination, link->mode};
        rc = rrl__pairs_add(&forwards, from, i);
    }
    if (!rc) rc = rrl__csr_build(&plan->forwards, &forwards, plan->n_cells, false, 0);
    rrl__pairs_destroy(&forwards);
    return rc;
}

/* ---- references ------------------------------------------------------------------------------------ */

static rrl_status_t add_port_ref(compile_t *c, const rrl_graph_ref_t *ref, rrl_id_t port) {
    rrl_status_t rc = rrl__reserve((void **)&c->port_refs, &c->cap_port_refs, c->n_port_refs + 1ull,
                                   sizeof *c->port_refs);
    if (rc) return rc;
    c->port_refs[c->n_port_refs++] = (rrl_port_ref_t){ref->reaction, port, ref->role};
    return RRL_OK;
}

static rrl_status_t spread_references(compile_t *c) {
    rrl_status_t rc = RRL_OK;
    for (uint32_t i = 0; i < c->g->n_refs && !rc; i++) {
        const rrl_graph_ref_t *ref = &c->g->refs[i];
        if (ref->kind == RRL_PORT) {
            rc = add_port_ref(c, ref, ref->element);
        } else if (ref->kind == RRL_MULTIPORT) {
            const rrl_graph_multiport_t *m = &c->g->multiports[ref->element];
            for (uint32_t k = 0; k < m->width && !rc; k++) rc = add_port_ref(c, ref, m->first + k);
        }
    }
    return rc;
}

/* The cell of an element that is not a port, as the declaring reaction sees it. */
static uint32_t element_cell(const rrl_plan_t *plan, const rrl_graph_ref_t *ref) {
    uint32_t enclave = plan->reactor_enclave[plan->reactions[ref->reaction].reactor];
    rrl_id_t mode = plan->reactions[ref->reaction].mode;
    switch (ref->kind) {
    case RRL_ACTION:
        return plan->first_action + ref->element;
    case RRL_TIMER:
        return plan->first_timer + ref->element;
    case RRL_STARTUP:
        return mode == RRL_NONE ? plan->startup + enclave : plan->mode_startup + mode;
    case RRL_SHUTDOWN:
        return mode == RRL_NONE ? plan->shutdown + enclave : plan->mode_shutdown + mode;
    case RRL_RESET: /* outside modes it is never present */
        return mode == RRL_NONE ? RRL_NONE : plan->reset + mode;
    default:
        return RRL_NONE;
    }
}

static rrl_status_t link_triggers(compile_t *c) {
    rrl_plan_t *plan = c->plan;
    rrl_pairs_t triggers = {0};
    rrl_status_t rc = RRL_OK;
    for (uint32_t i = 0; i < c->n_port_refs && !rc; i++) {
        const rrl_port_ref_t *ref = &c->port_refs[i];
        if (ref->role == RRL_TRIGGER)
            rc = rrl__pairs_add(&triggers, plan->port_cell[ref->port], ref->reaction);
    }
    for (uint32_t i = 0; i < c->g->n_refs && !rc; i++) {
        const rrl_graph_ref_t *ref = &c->g->refs[i];
        uint32_t cell = element_cell(plan, ref);
        if (cell != RRL_NONE && ref->role == RRL_TRIGGER)
            rc = rrl__pairs_add(&triggers, cell, ref->reaction);
    }
    if (!rc)
        rc = rrl__csr_build(&plan->triggers, &triggers, plan->n_cells, true, plan->n_reactions);
    rrl__pairs_destroy(&triggers);
    return rc;
}

static rrl_status_t link_delays(compile_t *c) {
    rrl_pairs_t delays = {0};
    rrl_status_t rc = RRL_OK;
    for (uint32_t d = 0; d < c->plan->n_delays && !rc; d++) {
        c->plan->delay[d].source = c->plan->port_cell[c->delay_source[d]];
        rc = rrl__pairs_add(&delays, c->plan->delay[d].source, d);
    }
    if (!rc) rc = rrl__csr_build(&c->plan->delays, &delays, c->plan->n_cells, false, 0);
    rrl__pairs_destroy(&delays);
    return rc;
}

static rrl_status_t link_writers(compile_t *c) {
    rrl_plan_t *plan = c->plan;
    rrl_pairs_t ports = {0}, actions = {0};
    rrl_status_t rc = RRL_OK;
    for (uint32_t i = 0; i < c->n_port_refs && !rc; i++) {
        const rrl_port_ref_t *ref = &c->port_refs[i];
        if (ref->role == RRL_EFFECT) rc = rrl__pairs_add(&ports, ref->port, ref->reaction);
    }
    for (uint32_t i = 0; i < c->g->n_refs && !rc; i++) {
        const rrl_graph_ref_t *ref = &c->g->refs[i];
        if (ref->role == RRL_EFFECT && ref->kind == RRL_ACTION)
            rc = rrl__pairs_add(&actions, ref->element, ref->reaction);
    }
    if (!rc)
        rc = rrl__csr_build(&plan->port_writers, &ports, plan->n_ports, true, plan->n_reactions);
    if (!rc)
        rc = rrl__csr_build(&plan->action_writers, &actions, plan->n_actions, true,
                            plan->n_reactions);
    rrl__pairs_destroy(&ports);
    rrl__pairs_destroy(&actions);
    return rc;
}

/* The multiports that some reaction reads keep a list of their present channels. */
static rrl_status_t link_channels(compile_t *c) {
    rrl_plan_t *plan = c->plan;
    rrl_pairs_t channels = {0};
    rrl_status_t rc = RRL_E_NOMEM;
    uint32_t n = 0;
    uint8_t *is_read = rrl__zeroed(plan->n_multiports, 1);
    if (!is_read) return rc;
    for (uint32_t i = 0; i < c->g->n_refs; i++) {
        const rrl_graph_ref_t *ref = &c->g->refs[i];
        if (ref->kind != RRL_MULTIPORT || is_read[ref->element]) continue;
        if (ref->role != RRL_TRIGGER && ref->role != RRL_USE) continue;
        is_read[ref->element] = 1;
        n += plan->multiports[ref->element].width;
    }
    plan->channel_refs = rrl__zeroed(n, sizeof *plan->channel_refs);
    if (!plan->channel_refs) goto done;
    rc = RRL_OK;
    n = 0;
    for (uint32_t m = 0; m < plan->n_multiports; m++) {
        const rrl_graph_multiport_t *wide = &plan->multiports[m];
        for (uint32_t k = 0; is_read[m] && k < wide->width && !rc; k++) {
            plan->channel_refs[n] = (rrl_plan_channel_t){m, k};
            rc = rrl__pairs_add(&channels, plan->port_cell[wide->first + k], n++);
        }
    }
    if (!rc) rc = rrl__csr_build(&plan->channels, &channels, plan->n_cells, false, 0);
done:
    rrl__free(is_read);
    rrl__pairs_destroy(&channels);
    return rc;
}

/* The views that the worker fills around each body. A view stands once, however often it is declared. */
static rrl_status_t link_reads(compile_t *c) {
    rrl_plan_t *plan = c->plan;
    rrl_pairs_t refs = {0};
    rrl_status_t rc = RRL_OK;
    uint32_t n_reads = 0, n_wide = 0;
    /* Elements of all kinds in one numbering: multiports after the cells of the others. */
    uint32_t n_elements = plan->n_cells + plan->n_multiports;
    uint32_t *seen =
        rrl__zeroed(n_elements, sizeof *seen); /* the last reaction that listed it, + 1 */
    for (uint32_t i = 0; i < c->g->n_refs && !rc; i++)
        rc = rrl__pairs_add(&refs, c->g->refs[i].reaction, i);
    if (!rc) rc = rrl__csr_build(&plan->refs, &refs, plan->n_reactions, false, 0);
    rrl__pairs_destroy(&refs);
    plan->reads = rrl__zeroed(c->g->n_refs, sizeof *plan->reads);
    plan->wide = rrl__zeroed(c->g->n_refs, sizeof *plan->wide);
    if (!rc && (!seen || !plan->reads || !plan->wide)) rc = RRL_E_NOMEM;
    for (uint32_t r = 0; r < plan->n_reactions && !rc; r++) {
        rrl_plan_reaction_t *reaction = &plan->reactions[r];
        reaction->reads_begin = n_reads;
        reaction->wide_begin = n_wide;
        for (uint32_t i = plan->refs.begin[r]; i < plan->refs.begin[r + 1]; i++) {
            const rrl_graph_ref_t *ref = &plan->graph_refs[plan->refs.items[i]];
            if (ref->role != RRL_TRIGGER && ref->role != RRL_USE) continue;
            uint32_t number = ref->kind == RRL_PORT        ? ref->element
                              : ref->kind == RRL_MULTIPORT ? plan->n_cells + ref->element
                                                           : element_cell(plan, ref);
            if (number == RRL_NONE || seen[number] == r + 1) continue;
            seen[number] = r + 1;
            if (ref->kind == RRL_MULTIPORT) {
                plan->wide[n_wide++] = ref->element;
                continue;
            }
            rrl_view_t *view = ref->kind == RRL_PORT     ? plan->ports[ref->element].view
                               : ref->kind == RRL_ACTION ? plan->actions[ref->element].view
                               : ref->kind == RRL_TIMER  ? plan->timers[ref->element].view
                                                         : NULL;
            if (!view) continue;
            rrl_id_t wide = ref->kind == RRL_PORT ? plan->ports[ref->element].multiport : RRL_NONE;
            plan->reads[n_reads++] = (rrl_plan_read_t){
                .view = view,
                .concealed = wide == RRL_NONE ? NULL : plan->multiports[wide].concealed,
                .cell = ref->kind == RRL_PORT ? plan->port_cell[ref->element] : number};
        }
        reaction->reads_end = n_reads;
        reaction->wide_end = n_wide;
    }
    rrl__free(seen);
    return rc;
}

typedef struct due {
    int64_t deadline_ns;
    rrl_id_t reaction;
} due_t;

static int compare_dues(const void *a, const void *b) {
    const due_t *x = a, *y = b;
    if (x->deadline_ns != y->deadline_ns) return x->deadline_ns < y->deadline_ns ? -1 : 1;
    return x->reaction < y->reaction ? -1 : x->reaction > y->reaction;
}

static rrl_status_t rank_reactions(compile_t *c) {
    rrl_plan_t *plan = c->plan;
    uint32_t n = plan->n_reactions;
    bool some = false;
    for (uint32_t r = 0; r < n; r++) some |= c->deadlines_ns[r] != RRL_FOREVER;
    plan->has_order = some || plan->n_modes;
    if (!some) return RRL_OK;
    due_t *dues = rrl__zeroed(n, sizeof *dues);
    plan->urgency = rrl__zeroed(n, sizeof *plan->urgency);
    plan->by_urgency = rrl__zeroed(n, sizeof *plan->by_urgency);
    bool ok = dues && plan->urgency && plan->by_urgency;
    for (uint32_t r = 0; ok && r < n; r++) dues[r] = (due_t){c->deadlines_ns[r], r};
    if (ok) qsort(dues, n, sizeof *dues, compare_dues);
    for (uint32_t i = 0; ok && i < n; i++) {
        plan->by_urgency[i] = dues[i].reaction;
        plan->urgency[dues[i].reaction] = i;
    }
    rrl__free(dues);
    return ok ? RRL_OK : RRL_E_NOMEM;
}

static rrl_status_t set_levels(compile_t *c) {
    rrl_plan_t *plan = c->plan;
    c->levels = rrl__zeroed(plan->n_reactions, sizeof *c->levels);
    c->deadlines_ns = rrl__zeroed(plan->n_reactions, sizeof *c->deadlines_ns);
    plan->reactions = rrl__zeroed(plan->n_reactions, sizeof *plan->reactions);
    if (!c->levels || !c->deadlines_ns || !plan->reactions) return RRL_E_NOMEM;
    rrl_apg_input_t in = {.g = c->g,
                          .port_refs = c->port_refs,
                          .n_port_refs = c->n_port_refs,
                          .port_cell = plan->port_cell,
                          .n_cells = plan->n_cells,
                          .forwards = plan->forward,
                          .n_forwards = plan->n_forwards};
    rrl_status_t rc = rrl__apg_levels(&in, c->levels, c->deadlines_ns, &plan->n_levels, &c->loops);
    for (uint32_t r = 0; r < plan->n_reactions && !rc; r++) {
        plan->reactions[r].level = c->levels[r];
        plan->reactions[r].hash = rrl__mix(c->g->reactions[r].hash);
        plan->reactions[r].reactor = c->g->reactions[r].reactor;
        plan->reactions[r].deadline_ns = c->g->reactions[r].deadline_ns;
        plan->reactions[r].has_handler = c->g->reactions[r].has_handler;
        plan->reactions[r].mode = c->g->reactions[r].mode;
    }
    return rc;
}

static rrl_status_t count_workers(compile_t *c, uint32_t n_main_workers) {
    uint64_t n = 0;
    for (uint32_t e = 0; e < c->g->n_enclaves; e++) {
        uint32_t n_workers = e ? c->g->enclaves[e].n_workers : n_main_workers;
        c->plan->enclaves[e] =
            (rrl_plan_enclave_t){(uint32_t)n, n_workers, c->g->enclaves[e].capacity};
        n += n_workers;
        if (n > RRL__MAX_WORKERS) return RRL_E_INVAL;
    }
    c->plan->n_workers = (uint32_t)n;
    return RRL_OK;
}

rrl_status_t rrl__plan_compile(const rrl_graph_t *g, uint32_t n_workers, rrl_plan_t *out,
                               rrl_cycle_step_t **out_cycle, size_t *out_n_cycle) {
    *out = (rrl_plan_t){0};
    compile_t c = {.g = g, .plan = out};
    rrl_status_t rc = copy_graph(g, out);
    if (!rc) rc = count_workers(&c, n_workers);
    if (!rc) rc = rrl__plan_modes(g, out);
    if (!rc) rc = collect_delays(&c);
    if (!rc) rc = spread_references(&c);
    if (!rc) rc = rrl__plan_readers(g, c.port_refs, c.n_port_refs, out);
    if (!rc) number_cells(out);
    if (!rc) rc = find_cells(&c);
    if (!rc) rc = link_forwards(&c);
    if (!rc) rc = set_levels(&c);
    if (c.loops.n && rc != RRL_E_NOMEM) rc = RRL_E_CYCLE;
    if (!rc) rc = rank_reactions(&c);
    if (!rc) rc = link_triggers(&c);
    if (!rc) rc = link_delays(&c);
    if (!rc) rc = link_writers(&c);
    if (!rc) rc = link_channels(&c);
    if (!rc) rc = link_reads(&c);
    if (!rc) rc = rrl__place(out, g->n_reactors);
    rrl__free(c.port_refs);
    rrl__free(c.link_delay);
    rrl__free(c.modal_delay);
    rrl__free(c.delay_source);
    rrl__free(c.levels);
    rrl__free(c.deadlines_ns);
    if (rc == RRL_E_CYCLE) {
        *out_cycle = c.loops.steps;
        *out_n_cycle = c.loops.n;
    } else {
        rrl__free(c.loops.steps);
    }
    if (rc) rrl__plan_destroy(out);
    return rc;
}

void rrl__plan_destroy(rrl_plan_t *plan) {
    rrl__free(plan->enclaves);
    rrl__free(plan->reactor_enclave);
    rrl__free(plan->reactions);
    rrl__free(plan->reads);
    rrl__free(plan->wide);
    rrl__csr_destroy(&plan->triggers);
    rrl__csr_destroy(&plan->channels);
    rrl__csr_destroy(&plan->delays);
    rrl__csr_destroy(&plan->port_writers);
    rrl__csr_destroy(&plan->action_writers);
    rrl__csr_destroy(&plan->refs);
    rrl__free(plan->urgency);
    rrl__free(plan->by_urgency);
    rrl__csr_destroy(&plan->copied);
    rrl__free(plan->copy_of);
    rrl__free(plan->is_moved);
    rrl__csr_destroy(&plan->modal_modes);
    rrl__csr_destroy(&plan->nested);
    rrl__csr_destroy(&plan->forwards);
    rrl__free(plan->modes);
    rrl__free(plan->forward);
    rrl__free(plan->channel_refs);
    rrl__free(plan->delay);
    rrl__free(plan->port_cell);
    rrl__free(plan->graph_refs);
    rrl__free(plan->ports);
    rrl__free(plan->multiports);
    rrl__free(plan->actions);
    rrl__free(plan->timers);
    rrl__free(plan->slot_begin);
    *plan = (rrl_plan_t){0};
}

bool rrl__plan_may_read(const rrl_plan_t *plan, rrl_id_t reaction, rrl_kind_t kind,
                        rrl_id_t element) {
    rrl_id_t multiport = kind == RRL_PORT ? plan->ports[element].multiport : RRL_NONE;
    for (uint32_t i = plan->refs.begin[reaction]; i < plan->refs.begin[reaction + 1]; i++) {
        const rrl_graph_ref_t *ref = &plan->graph_refs[plan->refs.items[i]];
        /* Scheduling an action says nothing about reading it: its value belongs to those it triggers. */
        if (ref->role == RRL_EFFECT && ref->kind == RRL_ACTION) continue;
        if (ref->kind == kind && ref->element == element) return true;
        if (multiport != RRL_NONE && ref->kind == RRL_MULTIPORT && ref->element == multiport)
            return true;
    }
    return false;
}
