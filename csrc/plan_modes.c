/* plan_modes.c: the part of a plan that is about modes: which reactors have some, and what lies in which. */
#include "memory.h"
#include "plan.h"

static uint32_t enclave_of_mode(const rrl_graph_t *g, rrl_id_t mode) {
    return g->reactor_enclave[g->modes[mode].reactor];
}

static uint32_t enclave_of_port(const rrl_graph_t *g, rrl_id_t port) {
    return g->reactor_enclave[g->ports[port].reactor];
}

/* Something of this reactor may lie in the mode. */
static bool may_lie_in(const rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode) {
    if (mode == RRL_NONE) return true;
    return reactor < g->n_reactors && g->reactor_enclave[reactor] == enclave_of_mode(g, mode);
}

static bool are_members_valid(const rrl_graph_t *g) {
    bool ok = true;
    for (uint32_t i = 0; i < g->n_actions; i++)
        ok &= may_lie_in(g, g->actions[i].reactor, g->actions[i].mode);
    for (uint32_t i = 0; i < g->n_timers; i++)
        ok &= may_lie_in(g, g->timers[i].reactor, g->timers[i].mode);
    for (uint32_t i = 0; i < g->n_reactions; i++)
        ok &= may_lie_in(g, g->reactions[i].reactor, g->reactions[i].mode);
    for (uint32_t i = 0; i < g->n_modes; i++)
        ok &= may_lie_in(g, g->modes[i].reactor, g->modes[i].within);
    for (uint32_t i = 0; i < g->n_modal_links; i++) {
        const rrl_graph_modal_link_t *link = &g->modal_links[i];
        ok &= enclave_of_port(g, link->source) == enclave_of_mode(g, link->mode);
        ok &= enclave_of_port(g, link->destination) == enclave_of_mode(g, link->mode);
        ok &= g->ports[link->destination].source == RRL_NONE;
    }
    /* Transitions are plain writes: only the reactor's own reactions, which never run at once, make them. */
    for (uint32_t i = 0; i < g->n_refs; i++) {
        const rrl_graph_ref_t *ref = &g->refs[i];
        if (ref->kind != RRL_MODE_RESET && ref->kind != RRL_MODE_HISTORY) continue;
        ok &= g->modes[ref->element].reactor == g->reactions[ref->reaction].reactor;
    }
    return ok;
}

/* Reactors with modes are numbered in order of their first modes, so that an outer one comes first. */
static rrl_status_t number_modals(const rrl_graph_t *g, rrl_plan_t *plan) {
    uint32_t *first = rrl__zeroed(g->n_reactors, sizeof *first); /* its first mode, + 1 */
    uint32_t *n_initial = rrl__zeroed(g->n_modes, sizeof *n_initial);
    rrl_pairs_t modes = {0}, nested = {0};
    rrl_status_t rc = first && n_initial ? RRL_OK : RRL_E_NOMEM;
    for (rrl_id_t m = 0; m < g->n_modes && !rc; m++) {
        const rrl_graph_mode_t *mode = &g->modes[m];
        bool is_first = !first[mode->reactor];
        if (is_first) first[mode->reactor] = m + 1;
        rrl_id_t other = first[mode->reactor] - 1;
        uint32_t modal = is_first ? plan->n_modals++ : plan->modes[other].modal;
        if (g->modes[other].within != mode->within) rc = RRL_E_INVAL;
        plan->modes[m] = (rrl_plan_mode_t){.within = mode->within,
                                           .modal = modal,
                                           .enclave = enclave_of_mode(g, m),
                                           .is_initial = mode->is_initial};
        n_initial[modal] += mode->is_initial;
        if (!rc) rc = rrl__pairs_add(&modes, modal, m);
        if (!rc && is_first && mode->within != RRL_NONE)
            rc = rrl__pairs_add(&nested, mode->within, modal);
    }
    for (uint32_t i = 0; i < plan->n_modals && !rc; i++)
        rc = n_initial[i] == 1 ? RRL_OK : RRL_E_INVAL;
    if (!rc) rc = rrl__csr_build(&plan->modal_modes, &modes, plan->n_modals, false, 0);
    if (!rc) rc = rrl__csr_build(&plan->nested, &nested, plan->n_modes, false, 0);
    rrl__free(first);
    rrl__free(n_initial);
    rrl__pairs_destroy(&modes);
    rrl__pairs_destroy(&nested);
    return rc;
}

rrl_status_t rrl__plan_modes(const rrl_graph_t *g, rrl_plan_t *plan) {
    plan->n_modes = g->n_modes;
    plan->modes = rrl__zeroed(g->n_modes, sizeof *plan->modes);
    if (!plan->modes) return RRL_E_NOMEM;
    return are_members_valid(g) ? number_modals(g, plan) : RRL_E_INVAL;
}
