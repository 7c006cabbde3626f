/* readers.c: the part of a plan that is about mutable ports: how many readers a value has.
 *
 * Readers of a port that some reaction sets: for each port that its values reach, at once or later, the
 * reactors that read it there. What the setting reactor reads back is none. Static: what could be read
 * counts, not what is. */
#include "memory.h"
#include "plan.h"

typedef struct readers {
    const rrl_graph_t *g;
    rrl_csr_t reactors; /* by port: reactors that read it */
    rrl_csr_t writers;  /* by port: reactors that set it */
    rrl_csr_t next;     /* by port: where connections lead from it */
    uint32_t *reached;  /* ports that the values of one reach */
    uint32_t *seen;     /* by port: the port whose values were last followed to it, + 1 */
    uint8_t *is_copied; /* by port */
} readers_t;

static rrl_status_t link_ports(readers_t *r, const rrl_port_ref_t *refs, uint32_t n_refs) {
    const rrl_graph_t *g = r->g;
    rrl_pairs_t reactors = {0}, writers = {0}, next = {0};
    rrl_status_t rc = RRL_OK;
    for (uint32_t i = 0; i < n_refs && !rc; i++) {
        rrl_id_t reactor = g->reactions[refs[i].reaction].reactor;
        if (refs[i].role == RRL_TRIGGER || refs[i].role == RRL_USE)
            rc = rrl__pairs_add(&reactors, refs[i].port, reactor);
        if (refs[i].role == RRL_EFFECT) rc = rrl__pairs_add(&writers, refs[i].port, reactor);
    }
    for (rrl_id_t p = 0; p < g->n_ports && !rc; p++) {
        if (g->ports[p].source != RRL_NONE) rc = rrl__pairs_add(&next, g->ports[p].source, p);
    }
    for (uint32_t i = 0; i < g->n_modal_links && !rc; i++)
        rc = rrl__pairs_add(&next, g->modal_links[i].source, g->modal_links[i].destination);
    if (!rc) rc = rrl__csr_build(&r->reactors, &reactors, g->n_ports, true, g->n_reactors);
    if (!rc) rc = rrl__csr_build(&r->writers, &writers, g->n_ports, true, g->n_reactors);
    if (!rc) rc = rrl__csr_build(&r->next, &next, g->n_ports, false, 0);
    rrl__pairs_destroy(&reactors);
    rrl__pairs_destroy(&writers);
    rrl__pairs_destroy(&next);
    return rc;
}

/* How many reactors read on `port` what others have set on `source`. */
static uint32_t count_on(const readers_t *r, rrl_id_t source, rrl_id_t port) {
    uint32_t n = 0;
    for (uint32_t i = r->reactors.begin[port]; i < r->reactors.begin[port + 1]; i++)
        n += port != source || !rrl__csr_has(&r->writers, port, r->reactors.items[i]);
    return n;
}

/* What is set on `source`: fills r->reached and returns how many ports that are. */
static uint32_t follow(readers_t *r, rrl_id_t source) {
    uint32_t n = 0;
    r->reached[n++] = source;
    r->seen[source] = source + 1;
    for (uint32_t i = 0; i < n; i++) {
        rrl_id_t port = r->reached[i];
        for (uint32_t k = r->next.begin[port]; k < r->next.begin[port + 1]; k++) {
            rrl_id_t next = r->next.items[k];
            if (r->seen[next] == source + 1) continue;
            r->seen[next] = source + 1;
            r->reached[n++] = next;
        }
    }
    return n;
}

static void judge(readers_t *r, rrl_id_t source, uint8_t *is_moved) {
    uint32_t n_ports = follow(r, source), n_readers = 0;
    rrl_id_t reader = RRL_NONE;
    for (uint32_t i = 0; i < n_ports; i++) {
        uint32_t n = count_on(r, source, r->reached[i]);
        n_readers += n;
        if (n) reader = r->reached[i];
    }
    is_moved[source] = n_readers == 1 && r->g->ports[reader].is_mutable;
    for (uint32_t i = 0; n_readers > 1 && i < n_ports; i++) {
        rrl_id_t port = r->reached[i];
        if (r->g->ports[port].is_mutable && count_on(r, source, port)) r->is_copied[port] = 1;
    }
}

static rrl_status_t number_copies(const readers_t *r, const rrl_port_ref_t *refs, uint32_t n_refs,
                                  rrl_plan_t *plan) {
    rrl_pairs_t copied = {0};
    rrl_status_t rc = RRL_OK;
    for (rrl_id_t p = 0; p < r->g->n_ports; p++)
        plan->copy_of[p] = r->is_copied[p] ? plan->n_copies++ : RRL_NONE;
    for (uint32_t i = 0; i < n_refs && !rc; i++) {
        bool is_read = refs[i].role == RRL_TRIGGER || refs[i].role == RRL_USE;
        if (is_read && r->is_copied[refs[i].port])
            rc = rrl__pairs_add(&copied, refs[i].reaction, refs[i].port);
    }
    if (!rc) rc = rrl__csr_build(&plan->copied, &copied, r->g->n_reactions, true, r->g->n_ports);
    rrl__pairs_destroy(&copied);
    return rc;
}

rrl_status_t rrl__plan_readers(const rrl_graph_t *g, const rrl_port_ref_t *refs, uint32_t n_refs,
                               rrl_plan_t *plan) {
    readers_t r = {.g = g};
    bool some = false;
    for (rrl_id_t p = 0; p < g->n_ports; p++) some |= g->ports[p].is_mutable;
    if (!some) return RRL_OK;
    plan->copy_of = rrl__zeroed(g->n_ports, sizeof *plan->copy_of);
    plan->is_moved = rrl__zeroed(g->n_ports, 1);
    r.reached = rrl__zeroed(g->n_ports, sizeof *r.reached);
    r.seen = rrl__zeroed(g->n_ports, sizeof *r.seen);
    r.is_copied = rrl__zeroed(g->n_ports, 1);
    bool ok = plan->copy_of && plan->is_moved && r.reached && r.seen && r.is_copied;
    rrl_status_t rc = ok ? link_ports(&r, refs, n_refs) : RRL_E_NOMEM;
    for (rrl_id_t p = 0; p < g->n_ports && !rc; p++) {
        if (r.writers.begin[p] != r.writers.begin[p + 1]) judge(&r, p, plan->is_moved);
    }
    if (!rc) rc = number_copies(&r, refs, n_refs, plan);
    rrl__free(r.reached);
    rrl__free(r.seen);
    rrl__free(r.is_copied);
    rrl__csr_destroy(&r.reactors);
    rrl__csr_destroy(&r.writers);
    rrl__csr_destroy(&r.next);
    return rc;
}
