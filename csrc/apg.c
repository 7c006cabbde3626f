#include "apg.h"

#include "csr.h"
#include "memory.h"

typedef struct apg {
    const rrl_apg_input_t *in;
    const rrl_graph_t *g;
    rrl_csr_t readers;       /* by cell: port_refs that read it */
    rrl_csr_t effects;       /* by reaction: port_refs that it may set */
    rrl_csr_t later;         /* by reaction: reactions of its reactor that come next */
    rrl_csr_t forwards_from; /* by cell: forwards */
    uint32_t *n_before;      /* predecessors that have no level yet */
    uint32_t *stack;         /* forwards yet to be followed */
    uint64_t *seen;          /* by forward: the walk that has met it */
    uint64_t n_walks;
} apg_t;

typedef void (*edge_fn)(void *ctx, rrl_id_t from, rrl_id_t to, rrl_id_t port);

/* ---- edges ----------------------------------------------------------------------------------- */

/* `port`: what `from` sets directly, or RRL_NONE behind a connection of `mode`. A later reaction of the same
 * reactor that reads the reactor's own output is ordered by the sequence already. */
static void visit_readers(const apg_t *a, rrl_id_t from, uint32_t cell, rrl_id_t port,
                          rrl_id_t mode, edge_fn visit, void *ctx) {
    const rrl_graph_reaction_t *writer = &a->g->reactions[from];
    for (uint32_t i = a->readers.begin[cell]; i < a->readers.begin[cell + 1]; i++) {
        const rrl_port_ref_t *ref = &a->in->port_refs[a->readers.items[i]];
        const rrl_graph_reaction_t *reader = &a->g->reactions[ref->reaction];
        if (ref->port == port && reader->reactor == writer->reactor) continue;
        if (rrl__modes_exclude(a->g, writer->mode, reader->mode)) continue;
        if (rrl__modes_exclude(a->g, mode, reader->mode)) continue;
        visit(ctx, from, ref->reaction, ref->port);
    }
}

/* Puts on the stack what goes on from the cell, to which a connection of `mode` has led. */
static uint32_t push_forwards(apg_t *a, uint32_t n, rrl_id_t from, uint32_t cell, rrl_id_t mode) {
    for (uint32_t i = a->forwards_from.begin[cell]; i < a->forwards_from.begin[cell + 1]; i++) {
        uint32_t f = a->forwards_from.items[i];
        rrl_id_t next_mode = a->in->forwards[f].mode;
        if (a->seen[f] == a->n_walks) continue;
        if (rrl__modes_exclude(a->g, a->g->reactions[from].mode, next_mode)) continue;
        if (rrl__modes_exclude(a->g, mode, next_mode)) continue;
        a->seen[f] = a->n_walks;
        a->stack[n++] = f;
    }
    return n;
}

/* Calls `visit` for every edge out of `from`; `port` as in rrl_cycle_step_t. An edge may come twice, and
 * does so each time. */
static void for_each_edge(apg_t *a, rrl_id_t from, edge_fn visit, void *ctx) {
    for (uint32_t i = a->later.begin[from]; i < a->later.begin[from + 1]; i++)
        visit(ctx, from, a->later.items[i], RRL_NONE);
    for (uint32_t i = a->effects.begin[from]; i < a->effects.begin[from + 1]; i++) {
        rrl_id_t port = a->in->port_refs[a->effects.items[i]].port;
        uint32_t cell = a->in->port_cell[port];
        visit_readers(a, from, cell, port, RRL_NONE, visit, ctx);
        a->n_walks++;
        for (uint32_t n = push_forwards(a, 0, from, cell, RRL_NONE); n != 0;) {
            const rrl_forward_t *f = &a->in->forwards[a->stack[--n]];
            visit_readers(a, from, f->to, RRL_NONE, f->mode, visit, ctx);
            n = push_forwards(a, n, from, f->to, f->mode);
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

static void inherit_deadline(void *ctx, rrl_id_t from, rrl_id_t to, rrl_id_t port) {
    (void)port;
    int64_t *deadlines_ns = ctx;
    if (deadlines_ns[to] < deadlines_ns[from]) deadlines_ns[from] = deadlines_ns[to];
}

/* Backwards along the order, so that what follows a reaction is settled before it. */
static void infer_deadlines(apg_t *a, const sort_state_t *s, int64_t *out_deadlines_ns) {
    bool some = false;
    for (uint32_t r = 0; r < a->g->n_reactions; r++) {
        int64_t deadline_ns = a->g->reactions[r].deadline_ns;
        out_deadlines_ns[r] = deadline_ns == RRL_NO_DEADLINE ? RRL_FOREVER : deadline_ns;
        some |= deadline_ns != RRL_NO_DEADLINE;
    }
    for (uint32_t i = s->n_ready; some && i-- > 0;)
        for_each_edge(a, s->ready[i], inherit_deadline, out_deadlines_ns);
}

/* ---- loops ----------------------------------------------------------------------------------- */

rrl_cycle_step_t *rrl__add_loop(rrl_loops_t *loops, uint32_t n) {
    uint32_t gap = loops->n != 0;
    if (rrl__reserve((void **)&loops->steps, &loops->capacity, (uint64_t)loops->n + gap + n,
                     sizeof *loops->steps))
        return NULL;
    if (gap) loops->steps[loops->n++] = (rrl_cycle_step_t){RRL_NONE, RRL_NONE};
    loops->n += n;
    return &loops->steps[loops->n - n];
}

/* before[x]: a predecessor of x that lies on a loop or behind one, for every x with n_before. Walking
 * backwards from any of them must come round: into a loop, or to where an earlier walk was. A loop is reversed into
 * running order. */
static rrl_status_t walk_back(const uint32_t *n_before, const rrl_cycle_step_t *before, uint32_t n,
                              rrl_loops_t *loops) {
    uint32_t *walk =
        rrl__zeroed(n, sizeof *walk); /* by node: the start of the walk that met it, + 1 */
    rrl_status_t rc = walk ? RRL_OK : RRL_E_NOMEM;
    for (uint32_t start = 0; start < n && !rc; start++) {
        uint32_t x = start, length = 1;
        if (!n_before[start]) continue;
        while (!walk[x]) {
            walk[x] = start + 1;
            x = before[x].reaction;
        }
        if (walk[x] != start + 1) continue; /* into what an earlier walk has met */
        for (uint32_t y = before[x].reaction; y != x; y = before[y].reaction) length++;
        rrl_cycle_step_t *steps = rrl__add_loop(loops, length);
        if (!steps) rc = RRL_E_NOMEM;
        for (uint32_t i = length; steps && i-- > 0; x = before[x].reaction) steps[i] = before[x];
    }
    rrl__free(walk);
    return rc;
}

typedef struct back_edges {
    const apg_t *a;
    rrl_cycle_step_t *before; /* by reaction: one unsettled predecessor, and the port between */
} back_edges_t;

static void note_back_edge(void *ctx, rrl_id_t from, rrl_id_t to, rrl_id_t port) {
    back_edges_t *b = ctx;
    if (b->a->n_before[to]) b->before[to] = (rrl_cycle_step_t){from, port};
}

/* Every unsettled reaction has an unsettled predecessor. */
static rrl_status_t find_loops(apg_t *a, rrl_loops_t *loops) {
    uint32_t n = a->g->n_reactions;
    back_edges_t b = {a, rrl__zeroed(n, sizeof *b.before)};
    if (!b.before) return RRL_E_NOMEM;
    for (uint32_t r = 0; r < n; r++) {
        if (a->n_before[r]) for_each_edge(a, r, note_back_edge, &b);
    }
    rrl_status_t rc = walk_back(a->n_before, b.before, n, loops);
    rrl__free(b.before);
    return rc;
}

/* By forward: those that go on from where it leads. */
static rrl_status_t link_forwards(const apg_t *a, rrl_csr_t *out_next) {
    const rrl_forward_t *forwards = a->in->forwards;
    rrl_pairs_t next = {0};
    rrl_status_t rc = RRL_OK;
    for (uint32_t f = 0; f < a->in->n_forwards; f++) {
        uint32_t cell = forwards[f].to;
        for (uint32_t i = a->forwards_from.begin[cell]; i < a->forwards_from.begin[cell + 1]; i++) {
            uint32_t to = a->forwards_from.items[i];
            if (rc || rrl__modes_exclude(a->g, forwards[f].mode, forwards[to].mode)) continue;
            rc = rrl__pairs_add(&next, f, to);
        }
    }
    if (!rc) rc = rrl__csr_build(out_next, &next, a->in->n_forwards, false, 0);
    rrl__pairs_destroy(&next);
    return rc;
}

/* Connections of modes that form a loop, without any reaction on it. */
static rrl_status_t check_forwards(const apg_t *a, rrl_loops_t *loops) {
    uint32_t n_told = loops->n;
    uint32_t n = a->in->n_forwards, n_ready = 0;
    uint32_t *n_before = rrl__zeroed(n, sizeof *n_before), *ready = a->stack;
    rrl_cycle_step_t *before = rrl__zeroed(n, sizeof *before);
    rrl_csr_t next = {0};
    rrl_status_t rc = n_before && before ? link_forwards(a, &next) : RRL_E_NOMEM;
    if (rc) goto done;
    for (uint32_t i = 0; i < next.begin[n]; i++) n_before[next.items[i]]++;
    for (uint32_t f = 0; f < n; f++) {
        if (!n_before[f]) ready[n_ready++] = f;
    }
    for (uint32_t k = 0; k < n_ready; k++) {
        for (uint32_t i = next.begin[ready[k]]; i < next.begin[ready[k] + 1]; i++) {
            if (--n_before[next.items[i]] == 0) ready[n_ready++] = next.items[i];
        }
    }
    if (n_ready == n) goto done;
    for (uint32_t f = 0; f < n; f++) {
        for (uint32_t i = next.begin[f]; n_before[f] && i < next.begin[f + 1]; i++)
            before[next.items[i]] = (rrl_cycle_step_t){f, a->in->forwards[next.items[i]].to};
    }
    rc = walk_back(n_before, before, n, loops);
    for (uint32_t i = n_told; i < loops->n; i++) loops->steps[i].reaction = RRL_NONE;
done:
    rrl__free(n_before);
    rrl__free(before);
    rrl__csr_destroy(&next);
    return rc;
}

/* ---- building -------------------------------------------------------------------------------- */

static rrl_status_t link_references(apg_t *a) {
    rrl_pairs_t readers = {0}, effects = {0}, forwards = {0};
    rrl_status_t rc = RRL_OK;
    for (uint32_t i = 0; i < a->in->n_port_refs && !rc; i++) {
        const rrl_port_ref_t *ref = &a->in->port_refs[i];
        uint32_t cell = a->in->port_cell[ref->port];
        if (ref->role == RRL_TRIGGER || ref->role == RRL_USE) {
            rc = rrl__pairs_add(&readers, cell, i);
        } else if (ref->role == RRL_EFFECT) {
            rc = cell == ref->port ? rrl__pairs_add(&effects, ref->reaction, i) : RRL_E_INVAL;
        }
    }
    for (uint32_t f = 0; f < a->in->n_forwards && !rc; f++)
        rc = rrl__pairs_add(&forwards, a->in->forwards[f].from, f);
    if (!rc) rc = rrl__csr_build(&a->readers, &readers, a->in->n_cells, false, 0);
    if (!rc) rc = rrl__csr_build(&a->effects, &effects, a->g->n_reactions, false, 0);
    if (!rc) rc = rrl__csr_build(&a->forwards_from, &forwards, a->in->n_cells, false, 0);
    rrl__pairs_destroy(&readers);
    rrl__pairs_destroy(&effects);
    rrl__pairs_destroy(&forwards);
    return rc;
}

/* The mode of its own reactor that the reaction lies in, or RRL_NONE. */
static rrl_id_t own_mode(const rrl_graph_t *g, rrl_id_t reaction) {
    rrl_id_t mode = g->reactions[reaction].mode;
    bool is_own = mode != RRL_NONE && g->modes[mode].reactor == g->reactions[reaction].reactor;
    return is_own ? mode : RRL_NONE;
}

static rrl_status_t group_modes(const rrl_graph_t *g, rrl_csr_t *out_modes) {
    rrl_pairs_t pairs = {0};
    rrl_status_t rc = RRL_OK;
    for (rrl_id_t m = 0; m < g->n_modes && !rc; m++)
        rc = rrl__pairs_add(&pairs, g->modes[m].reactor, m);
    if (!rc) rc = rrl__csr_build(out_modes, &pairs, g->n_reactors, false, 0);
    rrl__pairs_destroy(&pairs);
    return rc;
}

/* Of the reactions so far, by number + 1; 0: none. */
typedef struct latest {
    uint32_t *outside; /* by reactor: the last one outside its modes */
    uint32_t *inside;  /* by mode: the last one, if it came after that */
} latest_t;

/* Declaration order, but none between different modes of the reactor. */
static rrl_status_t link_reaction(const rrl_graph_t *g, const rrl_csr_t *modes, rrl_id_t r,
                                  const latest_t *latest, rrl_pairs_t *later) {
    rrl_status_t rc = RRL_OK;
    uint32_t reactor = g->reactions[r].reactor, *outside = &latest->outside[reactor];
    rrl_id_t mode = own_mode(g, r);
    if (mode != RRL_NONE) {
        uint32_t before = latest->inside[mode] ? latest->inside[mode] : *outside;
        latest->inside[mode] = r + 1;
        return before ? rrl__pairs_add(later, before - 1, r) : RRL_OK;
    }
    if (*outside) rc = rrl__pairs_add(later, *outside - 1, r);
    *outside = r + 1;
    for (uint32_t i = modes->begin[reactor]; i < modes->begin[reactor + 1] && !rc; i++) {
        uint32_t *inside = &latest->inside[modes->items[i]];
        if (*inside) rc = rrl__pairs_add(later, *inside - 1, r);
        *inside = 0;
    }
    return rc;
}

static rrl_status_t link_reactors(apg_t *a) {
    const rrl_graph_t *g = a->g;
    rrl_pairs_t later = {0};
    rrl_csr_t modes = {0};
    latest_t latest = {rrl__zeroed(g->n_reactors, sizeof(uint32_t)),
                       rrl__zeroed(g->n_modes, sizeof(uint32_t))};
    rrl_status_t rc = latest.outside && latest.inside ? group_modes(g, &modes) : RRL_E_NOMEM;
    for (rrl_id_t r = 0; r < g->n_reactions && !rc; r++)
        rc = link_reaction(g, &modes, r, &latest, &later);
    if (!rc) rc = rrl__csr_build(&a->later, &later, g->n_reactions, false, 0);
    rrl__pairs_destroy(&later);
    rrl__csr_destroy(&modes);
    rrl__free(latest.outside);
    rrl__free(latest.inside);
    return rc;
}

static rrl_status_t build(apg_t *a) {
    a->n_before = rrl__zeroed(a->g->n_reactions, sizeof *a->n_before);
    a->stack = rrl__zeroed(a->in->n_forwards, sizeof *a->stack);
    a->seen = rrl__zeroed(a->in->n_forwards, sizeof *a->seen);
    if (!a->n_before || !a->stack || !a->seen) return RRL_E_NOMEM;
    rrl_status_t rc = link_references(a);
    return rc ? rc : link_reactors(a);
}

static void destroy(apg_t *a) {
    rrl__free(a->n_before);
    rrl__free(a->stack);
    rrl__free(a->seen);
    rrl__csr_destroy(&a->readers);
    rrl__csr_destroy(&a->effects);
    rrl__csr_destroy(&a->later);
    rrl__csr_destroy(&a->forwards_from);
}

rrl_status_t rrl__apg_levels(const rrl_apg_input_t *in, uint32_t *out_levels,
                             int64_t *out_deadlines_ns, uint32_t *out_n_levels,
                             rrl_loops_t *loops) {
    uint32_t n = in->g->n_reactions, n_levels = 0;
    apg_t a = {.in = in, .g = in->g};
    sort_state_t s = {.a = &a, .levels = out_levels, .ready = rrl__zeroed(n, sizeof *s.ready)};
    rrl_status_t rc = s.ready ? build(&a) : RRL_E_NOMEM;
    if (!rc) rc = check_forwards(&a, loops);
    if (rc) goto done;

    for (uint32_t r = 0; r < n; r++) {
        out_levels[r] = 0;
        for_each_edge(&a, r, count_edge, &a);
    }
    for (uint32_t r = 0; r < n; r++) {
        if (a.n_before[r] == 0) s.ready[s.n_ready++] = r;
    }
    for (uint32_t i = 0; i < s.n_ready; i++) {
        uint32_t r = s.ready[i];
        if (out_levels[r] >= n_levels) n_levels = out_levels[r] + 1;
        for_each_edge(&a, r, settle_edge, &s);
    }
    *out_n_levels = n_levels;
    if (s.n_ready == n) {
        infer_deadlines(&a, &s, out_deadlines_ns);
    } else {
        rc = find_loops(&a, loops);
    }
done:
    rrl__free(s.ready);
    destroy(&a);
    return rc;
}
