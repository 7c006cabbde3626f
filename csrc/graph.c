#include "graph.h"

#include "memory.h"

rrl_status_t rrl_graph_create(rrl_graph_t **out_graph) {
    *out_graph = rrl__zeroed(1, sizeof(rrl_graph_t));
    return *out_graph ? RRL_OK : RRL_E_NOMEM;
}

void rrl_graph_destroy(rrl_graph_t *g) {
    if (!g) return;
    free(g->ports);
    free(g->multiports);
    free(g->actions);
    free(g->timers);
    free(g->reactions);
    free(g->refs);
    free(g);
}

rrl_status_t rrl_graph_add_reactor(rrl_graph_t *g, rrl_id_t *out_id) {
    if (g->n_reactors == RRL_NONE - 1) return RRL_E_INVAL;
    *out_id = g->n_reactors++;
    return RRL_OK;
}

rrl_status_t rrl_graph_add_port(rrl_graph_t *g, rrl_view_t *view, rrl_id_t *out_id) {
    rrl_status_t rc =
        rrl__reserve((void **)&g->ports, &g->cap_ports, g->n_ports + 1ull, sizeof *g->ports);
    if (rc) return rc;
    g->ports[g->n_ports] = (rrl_graph_port_t){
        .view = view, .source = RRL_NONE, .multiport = RRL_NONE, .delay_ns = RRL_NO_DELAY};
    *out_id = g->n_ports++;
    return RRL_OK;
}

rrl_status_t rrl_graph_add_multiport(rrl_graph_t *g, rrl_id_t first, uint32_t width,
                                     rrl_view_t *view, void *concealed, rrl_id_t *out_id) {
    if ((uint64_t)first + width > g->n_ports) return RRL_E_INVAL;
    rrl_status_t rc = rrl__reserve((void **)&g->multiports, &g->cap_multiports,
                                   g->n_multiports + 1ull, sizeof *g->multiports);
    if (rc) return rc;
    for (uint32_t i = 0; i < width; i++) {
        if (g->ports[first + i].multiport != RRL_NONE) return RRL_E_INVAL;
    }
    for (uint32_t i = 0; i < width; i++) g->ports[first + i].multiport = g->n_multiports;
    g->multiports[g->n_multiports] = (rrl_graph_multiport_t){view, concealed, first, width};
    *out_id = g->n_multiports++;
    return RRL_OK;
}

rrl_status_t rrl_graph_add_action(rrl_graph_t *g, const rrl_action_spec_t *spec, rrl_view_t *view,
                                  rrl_id_t *out_id) {
    if (spec->min_delay_ns < 0 || spec->min_spacing_ns < RRL_NO_SPACING) return RRL_E_INVAL;
    if (spec->is_physical && spec->capacity == 0) return RRL_E_INVAL;
    rrl_status_t rc = rrl__reserve((void **)&g->actions, &g->cap_actions, g->n_actions + 1ull,
                                   sizeof *g->actions);
    if (rc) return rc;
    g->actions[g->n_actions] = (rrl_graph_action_t){view, *spec};
    *out_id = g->n_actions++;
    return RRL_OK;
}

rrl_status_t rrl_graph_add_timer(rrl_graph_t *g, int64_t offset_ns, int64_t period_ns,
                                 rrl_view_t *view, rrl_id_t *out_id) {
    if (offset_ns < 0 || offset_ns == RRL_FOREVER || period_ns < 0) return RRL_E_INVAL;
    rrl_status_t rc =
        rrl__reserve((void **)&g->timers, &g->cap_timers, g->n_timers + 1ull, sizeof *g->timers);
    if (rc) return rc;
    g->timers[g->n_timers] = (rrl_graph_timer_t){view, offset_ns, period_ns};
    *out_id = g->n_timers++;
    return RRL_OK;
}

rrl_status_t rrl_graph_add_reaction(rrl_graph_t *g, rrl_id_t reactor, uint64_t hash,
                                    rrl_id_t *out_id) {
    if (reactor >= g->n_reactors) return RRL_E_INVAL;
    rrl_status_t rc = rrl__reserve((void **)&g->reactions, &g->cap_reactions, g->n_reactions + 1ull,
                                   sizeof *g->reactions);
    if (rc) return rc;
    g->reactions[g->n_reactions] = (rrl_graph_reaction_t){reactor, hash};
    *out_id = g->n_reactions++;
    return RRL_OK;
}

static uint32_t count_of(const rrl_graph_t *g, rrl_kind_t kind) {
    switch (kind) {
    case RRL_PORT:
        return g->n_ports;
    case RRL_MULTIPORT:
        return g->n_multiports;
    case RRL_ACTION:
        return g->n_actions;
    case RRL_TIMER:
        return g->n_timers;
    case RRL_STARTUP:
    case RRL_SHUTDOWN:
        return 1;
    }
    return 0;
}

rrl_status_t rrl_graph_declare(rrl_graph_t *g, rrl_id_t reaction, rrl_role_t role, rrl_kind_t kind,
                               rrl_id_t element) {
    if (reaction >= g->n_reactions || element >= count_of(g, kind)) return RRL_E_INVAL;
    rrl_status_t rc =
        rrl__reserve((void **)&g->refs, &g->cap_refs, g->n_refs + 1ull, sizeof *g->refs);
    if (rc) return rc;
    g->refs[g->n_refs++] = (rrl_graph_ref_t){reaction, element, (uint8_t)role, (uint8_t)kind};
    return RRL_OK;
}

rrl_status_t rrl_graph_connect(rrl_graph_t *g, rrl_id_t source, rrl_id_t destination,
                               int64_t delay_ns, bool is_physical) {
    if (source >= g->n_ports || destination >= g->n_ports || delay_ns < RRL_NO_DELAY)
        return RRL_E_INVAL;
    rrl_graph_port_t *port = &g->ports[destination];
    if (port->source != RRL_NONE) return RRL_E_INVAL;
    port->source = source;
    port->delay_ns = delay_ns;
    port->is_physical = is_physical;
    return RRL_OK;
}
