#include "apg.h"

#include "csr.h"
#include "memory.h"

typedef struct apg {
    const rrl_graph_t *g;
    const rrl_port_ref_t *port_refs;
    const uint32_t *port_cell;
    rrl_csr_t readers;         /* by cell: port_refs that read it */
    rrl_csr_t effects;         /* by reaction: port_refs that it may set */
    uint32_t *next_in_reactor; /* the reaction declared next in the same reactor, or RRL_NONE */
    uint32_t *n_before;        /* predecessors that have no level yet */
} apg_t;

typedef void (*edge_fn)(void *ctx, rrl_id_t from, rrl_id_t to, rrl_id_t port);

/* Calls `visit` for every edge out of `from`; `port` as in rrl_cycle_step_t. A later reaction of the same
 * reactor that reads the reactor's own output is ordered by the sequence already. */
static void for_each_edge(const apg_t *a, rrl_id_t from, edge_fn visit, void *ctx) {
    if (a->next_in_reactor[from] != RRL_NONE) visit(ctx, from, a->next_in_reactor[from], RRL_NONE);
    for (uint32_t i = a->effects.begin[from]; i < a->effects.begin[from + 1]; i++) {
        rrl_id_t port = a->port_refs[a->effects.items[i]].port;
        uint32_t cell = a->port_cell[port];
        for (uint32_t j = a->readers.begin[cell]; j < a->readers.begin[cell + 1]; j++) {
            const rrl_port_ref_t *reader = &a->port_refs[a->readers.items[j]];
            if (reader->port == port &&
                a->g->reactions[reader->reaction].reactor == a->g->reactions[from].reactor)
                continue;
            visit(ctx, from, reader->reaction, reader->port);
        }
    }
}

static void count_edge(void *ctx, rrl_id_t from, rrl_id_t to, rrl_id_t port) {
    (void)from, (void)port;
    ((apg_t *)ctx)->n_before[to]++;
}

typedef struct sort_state {
    apg_t *a;
    uint32_t *levels;
    uint32_t *ready; /* reactions whose predecessors all have a level, in the order found */
    uint32_t n_ready;
} sort_state_t;

static void settle_edge(void *ctx, rrl_id_t from, rrl_id_t to, rrl_id_t port) {
    (void)port;
    sort_state_t *s = ctx;
    if (s->levels[to] <= s->levels[from]) s->levels[to] = s->levels[from] + 1;
    if (--s->a->n_before[to] == 0) s->ready[s->n_ready++] = to;
}

typedef struct back_edges {
    const apg_t *a;
    rrl_cycle_step_t *before; /* by reaction: one unsettled predecessor, and the port between */
} back_edges_t;

static void note_back_edge(void *ctx, rrl_id_t from, rrl_id_t to, rrl_id_t port) {
    back_edges_t *b = ctx;
    if (b->a->n_before[to]) b->before[to] = (rrl_cycle_step_t){from, port};
}

/* Every unsettled reaction has an unsettled predecessor, so walking backwards from any of them must come
 * round. The walk is reversed into running order. */
static rrl_status_t find_cycle(const apg_t *a, rrl_cycle_step_t **out_cycle, size_t *out_n) {
    uint32_t n = a->g->n_reactions, start = 0;
    back_edges_t b = {a, rrl__zeroed(n, sizeof *b.before)};
    uint8_t *seen = rrl__zeroed(n, 1);
    rrl_cycle_step_t *cycle = NULL;
    if (!b.before || !seen) goto fail;
    for (uint32_t r = 0; r < n; r++) {
        if (a->n_before[r]) for_each_edge(a, r, note_back_edge, &b);
    }
    while (!a->n_before[start]) start++;
    while (!seen[start]) {
        seen[start] = 1;
        start = b.before[start].reaction;
    }
    size_t length = 0;
    uint32_t r = start;
    do {
        length++;
        r = b.before[r].reaction;
    } while (r != start);
    cycle = rrl__zeroed(length, sizeof *cycle);
    if (!cycle) goto fail;
    for (size_t i = length; i-- > 0;) {
        cycle[i] = b.before[r];
        r = b.before[r].reaction;
    }
    free(b.before);
    free(seen);
    *out_cycle = cycle;
    *out_n = length;
    return RRL_E_CYCLE;
fail:
    free(b.before);
    free(seen);
    return RRL_E_NOMEM;
}

static rrl_status_t link_references(apg_t *a, uint32_t n_port_refs, uint32_t n_cells) {
    rrl_pairs_t readers = {0}, effects = {0};
    rrl_status_t rc = RRL_OK;
    for (uint32_t i = 0; i < n_port_refs && !rc; i++) {
        const rrl_port_ref_t *ref = &a->port_refs[i];
        uint32_t cell = a->port_cell[ref->port];
        if (ref->role == RRL_TRIGGER || ref->role == RRL_USE) {
            rc = rrl__pairs_add(&readers, cell, i);
        } else if (ref->role == RRL_EFFECT) {
            rc = cell == ref->port ? rrl__pairs_add(&effects, ref->reaction, i) : RRL_E_INVAL;
        }
    }
    if (!rc) rc = rrl__csr_build(&a->readers, &readers, n_cells, false, 0);
    if (!rc) rc = rrl__csr_build(&a->effects, &effects, a->g->n_reactions, false, 0);
    rrl__pairs_destroy(&readers);
    rrl__pairs_destroy(&effects);
    return rc;
}

static rrl_status_t link_reactors(apg_t *a) {
    const rrl_graph_t *g = a->g;
    uint32_t *last =
        rrl__zeroed(g->n_reactors, sizeof *last); /* by reactor: its last reaction so far, + 1 */
    if (!last) return RRL_E_NOMEM;
    for (uint32_t r = 0; r < g->n_reactions; r++) {
        uint32_t reactor = g->reactions[r].reactor;
        a->next_in_reactor[r] = RRL_NONE;
        if (last[reactor]) a->next_in_reactor[last[reactor] - 1] = r;
        last[reactor] = r + 1;
    }
    free(last);
    return RRL_OK;
}

rrl_status_t rrl__apg_levels(const rrl_graph_t *g, const rrl_port_ref_t *port_refs,
                             uint32_t n_port_refs, const uint32_t *port_cell, uint32_t n_cells,
                             uint32_t *out_levels, uint32_t *out_n_levels,
                             rrl_cycle_step_t **out_cycle, size_t *out_n_cycle) {
    uint32_t n = g->n_reactions;
    apg_t a = {.g = g, .port_refs = port_refs, .port_cell = port_cell};
    sort_state_t s = {.a = &a, .levels = out_levels};
    rrl_status_t rc = RRL_E_NOMEM;
    a.next_in_reactor = rrl__zeroed(n, sizeof(uint32_t));
    a.n_before = rrl__zeroed(n, sizeof(uint32_t));
    s.ready = rrl__zeroed(n, sizeof(uint32_t));
    if (!a.next_in_reactor || !a.n_before || !s.ready) goto done;
    rc = link_references(&a, n_port_refs, n_cells);
    if (!rc) rc = link_reactors(&a);
    if (rc) goto done;

    for (uint32_t r = 0; r < n; r++) {
        out_levels[r] = 0;
        for_each_edge(&a, r, count_edge, &a);
    }
    for (uint32_t r = 0; r < n; r++) {
        if (a.n_before[r] == 0) s.ready[s.n_ready++] = r;
    }
    uint32_t n_levels = 0;
    for (uint32_t i = 0; i < s.n_ready; i++) {
        uint32_t r = s.ready[i];
        if (out_levels[r] >= n_levels) n_levels = out_levels[r] + 1;
        for_each_edge(&a, r, settle_edge, &s);
    }
    *out_n_levels = n_levels;
    rc = s.n_ready == n ? RRL_OK : find_cycle(&a, out_cycle, out_n_cycle);
done:
    free(a.next_in_reactor);
    free(a.n_before);
    free(s.ready);
    rrl__csr_destroy(&a.readers);
    rrl__csr_destroy(&a.effects);
    return rc;
}
