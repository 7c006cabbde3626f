/* graph.h: the declared model, as the host added it: reactors, elements, reactions, connections.
 *
 * One thread, during assembly. Append-only; rrl_program_create only reads it. Every problem that a user
 * can make has been reported by the host before: what is checked here keeps the core from reading wild. */
#ifndef RRL_GRAPH_H
#define RRL_GRAPH_H

#include "rrl.h"

typedef struct rrl_graph_port {
    rrl_view_t *view;
    rrl_id_t source;    /* connected from, or RRL_NONE */
    rrl_id_t multiport; /* it is a channel of, or RRL_NONE */
    int64_t delay_ns;   /* of that connection; RRL_NO_DELAY: same tag */
    bool is_physical;
} rrl_graph_port_t;

typedef struct rrl_graph_multiport {
    rrl_view_t *view;
    void *concealed; /* is_present of a channel that is not shown */
    rrl_id_t first;
    uint32_t width;
} rrl_graph_multiport_t;

typedef struct rrl_graph_action {
    rrl_view_t *view;
    rrl_action_spec_t spec;
} rrl_graph_action_t;

typedef struct rrl_graph_timer {
    rrl_view_t *view;
    int64_t offset_ns;
    int64_t period_ns; /* 0: fires once */
} rrl_graph_timer_t;

typedef struct rrl_graph_reaction {
    rrl_id_t reactor;
    uint64_t hash;
} rrl_graph_reaction_t;

/* One entry of a reaction's triggers, uses or effects, in order of declaration. */
typedef struct rrl_graph_ref {
    rrl_id_t reaction;
    rrl_id_t element;
    uint8_t role; /* rrl_role_t */
    uint8_t kind; /* rrl_kind_t */
} rrl_graph_ref_t;

struct rrl_graph {
    uint32_t n_reactors;
    uint32_t n_ports, cap_ports;
    uint32_t n_multiports, cap_multiports;
    uint32_t n_actions, cap_actions;
    uint32_t n_timers, cap_timers;
    uint32_t n_reactions, cap_reactions;
    uint32_t n_refs, cap_refs;
    rrl_graph_port_t *ports;
    rrl_graph_multiport_t *multiports;
    rrl_graph_action_t *actions;
    rrl_graph_timer_t *timers;
    rrl_graph_reaction_t *reactions;
    rrl_graph_ref_t *refs;
};

#endif
