#include "graph.h"

#include "memory.h"

rrl_status_t rrl_graph_create(rrl_graph_t **out_graph) {
    rrl_graph_t *g = rrl__zeroed(1, sizeof(rrl_graph_t));
    rrl_id_t main_enclave;
    if (!g) return RRL_E_NOMEM;
    rrl_status_t rc = rrl_graph_add_enclave(g, 1, 1, &main_enclave);
    if (rc) {
        rrl_graph_destroy(g);
        return rc;
    }
    *out_graph = g;
    return RRL_OK;
}

void rrl_graph_destroy(rrl_graph_t *g) {
    if (!g) return;
    rrl__free(g->enclaves);
    rrl__free(g->reactor_enclave);
    rrl__free(g->modes);
    rrl__free(g->modal_links);
    rrl__free(g->ports);
    rrl__free(g->multiports);
    rrl__free(g->actions);
    rrl__free(g->timers);
    rrl__free(g->reactions);
    rrl__free(g->refs);
    rrl__free(g);
}

rrl_status_t rrl_graph_add_enclave(rrl_graph_t *g, uint32_t n_workers, uint32_t capacity,
                                   rrl_id_t *out_id) {
    if (n_workers < 1 || capacity < 1) return RRL_E_INVAL;
    rrl_status_t rc = rrl__reserve((void **)&g->enclaves, &g->cap_enclaves, g->n_enclaves + 1ull,
                                   sizeof *g->enclaves);
    if (rc) return rc;
    g->enclaves[g->n_enclaves] = (rrl_graph_enclave_t){n_workers, capacity};
    *out_id = g->n_enclaves++;
    return RRL_OK;
}

rrl_status_t rrl_graph_add_reactor(rrl_graph_t *g, rrl_id_t enclave, rrl_id_t *out_id) {
    if (enclave >= g->n_enclaves) return RRL_E_INVAL;
    rrl_status_t rc = rrl__reserve((void **)&g->reactor_enclave, &g->cap_reactors,
                                   g->n_reactors + 1ull, sizeof *g->reactor_enclave);
    if (rc) return rc;
    g->reactor_enclave[g->n_reactors] = enclave;
    *out_id = g->n_reactors++;
    return RRL_OK;
}

static bool is_mode(const rrl_graph_t *g, rrl_id_t mode) {
    return mode == RRL_NONE || mode < g->n_modes;
}

rrl_status_t rrl_graph_add_mode(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t within, bool is_initial,
                                rrl_id_t *out_id) {
    if (reactor >= g->n_reactors || !is_mode(g, within)) return RRL_E_INVAL;
    rrl_status_t rc =
        rrl__reserve((void **)&g->modes, &g->cap_modes, g->n_modes + 1ull, sizeof *g->modes);
    if (rc) return rc;
    g->modes[g->n_modes] = (rrl_graph_mode_t){reactor, within, is_initial};
    *out_id = g->n_modes++;
    return RRL_OK;
}

bool rrl__modes_exclude(const rrl_graph_t *g, rrl_id_t a, rrl_id_t b) {
    for (; a != RRL_NONE; a = g->modes[a].within) {
        for (rrl_id_t c = b; c != RRL_NONE; c = g->modes[c].within) {
            if (a != c && g->modes[a].reactor == g->modes[c].reactor) return true;
        }
    }
    return false;
}

rrl_status_t rrl_graph_add_port(rrl_graph_t *g, rrl_id_t reactor, bool is_mutable, rrl_view_t *view,
                                rrl_id_t *out_id) {
    rrl_status_t rc =
        rrl__reserve((void **)&g->ports, &g->cap_ports, g->n_ports + 1ull, sizeof *g->ports);
    if (rc) return rc;
    g->ports[g->n_ports] = (rrl_graph_port_t){.view = view,
                                              .reactor = reactor,
                                              .source = RRL_NONE,
                                              .multiport = RRL_NONE,
                                              .delay_ns = RRL_NO_DELAY,
                                              .is_mutable = is_mutable};
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

rrl_status_t rrl_graph_add_action(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode,
                                  const rrl_action_spec_t *spec, rrl_view_t *view,
                                  rrl_id_t *out_id) {
    if (!is_mode(g, mode)) return RRL_E_INVAL;
    if (spec->min_delay_ns < 0 || spec->min_spacing_ns < RRL_NO_SPACING) return RRL_E_INVAL;
    if (spec->is_physical && spec->capacity == 0) return RRL_E_INVAL;
    rrl_status_t rc = rrl__reserve((void **)&g->actions, &g->cap_actions, g->n_actions + 1ull,
                                   sizeof *g->actions);
    if (rc) return rc;
    g->actions[g->n_actions] = (rrl_graph_action_t){view, reactor, mode, *spec};
    *out_id = g->n_actions++;
    return RRL_OK;
}

rrl_status_t rrl_graph_add_timer(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode, int64_t offset_ns,
                                 int64_t period_ns, rrl_view_t *view, rrl_id_t *out_id) {
    if (!is_mode(g, mode)) return RRL_E_INVAL;
    if (offset_ns < 0 || offset_ns == RRL_FOREVER || period_ns < 0) return RRL_E_INVAL;
    rrl_status_t rc =
        rrl__reserve((void **)&g->timers, &g->cap_timers, g->n_timers + 1ull, sizeof *g->timers);
    if (rc) return rc;
    g->timers[g->n_timers] = (rrl_graph_timer_t){view, reactor, mode, offset_ns, period_ns};
    *out_id = g->n_timers++;
    return RRL_OK;
}

rrl_status_t rrl_graph_add_reaction(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode, uint64_t hash,
                                    int64_t deadline_ns, bool has_handler, rrl_id_t *out_id) {
    if (reactor >= g->n_reactors || !is_mode(g, mode)) return RRL_E_INVAL;
    if (deadline_ns < RRL_NO_DEADLINE) return RRL_E_INVAL;
    rrl_status_t rc = rrl__reserve((void **)&g->reactions, &g->cap_reactions, g->n_reactions + 1ull,
                                   sizeof *g->reactions);
    if (rc) return rc;
    g->reactions[g->n_reactions] =
        (rrl_graph_reaction_t){reactor, mode, hash, deadline_ns, has_handler};
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
    case RRL_MODE_RESET:
    case RRL_MODE_HISTORY:
        return g->n_modes;
    case RRL_STARTUP:
    case RRL_SHUTDOWN:
    case RRL_RESET:
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
                               int64_t delay_ns, bool is_physical, rrl_id_t mode) {
    if (source >= g->n_ports || destination >= g->n_ports || delay_ns < RRL_NO_DELAY)
        return RRL_E_INVAL;
    if (!is_mode(g, mode)) return RRL_E_INVAL;
    rrl_graph_port_t *port = &g->ports[destination];
    if (port->source != RRL_NONE) return RRL_E_INVAL;
    if (mode != RRL_NONE) {
        rrl_status_t rc = rrl__reserve((void **)&g->modal_links, &g->cap_modal_links,
                                       g->n_modal_links + 1ull, sizeof *g->modal_links);
        if (rc) return rc;
        g->modal_links[g->n_modal_links++] =
            (rrl_graph_modal_link_t){source, destination, mode, delay_ns, is_physical};
        return RRL_OK;
    }
    port->source = source;
    port->delay_ns = delay_ns;
    port->is_physical = is_physical;
    return RRL_OK;
}
