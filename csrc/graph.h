/* graph.h: the declared model, as the host added it: reactors, elements, reactions, connections.
 *
 * One thread, during assembly. Append-only; rrl_program_create only reads it, and checks the reactors of
 * the elements. Every problem that a user
 * can make has been reported by the host before: what is checked here keeps the core from reading wild. */
#ifndef RRL_GRAPH_H
#define RRL_GRAPH_H

#include "rrl.h"

typedef struct rrl_graph_enclave {
    uint32_t n_workers; /* of enclave 0 the options tell */
    uint32_t capacity;
} rrl_graph_enclave_t;

typedef struct rrl_graph_mode {
    rrl_id_t reactor;
    rrl_id_t within; /* the mode that encloses it, or RRL_NONE */
    bool is_initial;
} rrl_graph_mode_t;

typedef struct rrl_graph_port {
    rrl_view_t *view;
    rrl_id_t reactor;
    rrl_id_t source;    /* connected from, or RRL_NONE; a modal link is not noted here */
    rrl_id_t multiport; /* it is a channel of, or RRL_NONE */
    int64_t delay_ns;   /* of that connection; RRL_NO_DELAY: same tag */
    bool is_physical;
    bool is_mutable;
} rrl_graph_port_t;

/* A connection that transports only while a mode is active. */
typedef struct rrl_graph_modal_link {
    rrl_id_t source, destination, mode;
    int64_t delay_ns;
    bool is_physical;
} rrl_graph_modal_link_t;

typedef struct rrl_graph_multiport {
    rrl_view_t *view;
    void *concealed; /* is_present of a channel that is not shown */
    rrl_id_t first;
    uint32_t width;
} rrl_graph_multiport_t;

typedef struct rrl_graph_action {
    rrl_view_t *view;
    rrl_id_t reactor;
    rrl_id_t mode;
    rrl_action_spec_t spec;
} rrl_graph_action_t;

typedef struct rrl_graph_timer {
    rrl_view_t *view;
    rrl_id_t reactor;
    rrl_id_t mode;
    int64_t offset_ns;
    int64_t period_ns; /* 0: fires once */
} rrl_graph_timer_t;

typedef struct rrl_graph_reaction {
    rrl_id_t reactor;
    rrl_id_t mode;
    uint64_t hash;
    int64_t deadline_ns; /* or RRL_NO_DEADLINE */
    bool has_handler;
} rrl_graph_reaction_t;

/* One entry of a reaction's triggers, uses or effects, in order of declaration. */
typedef struct rrl_graph_ref {
    rrl_id_t reaction;
    rrl_id_t element;
    uint8_t role; /* rrl_role_t */
    uint8_t kind; /* rrl_kind_t */
} rrl_graph_ref_t;

struct rrl_graph {
    uint32_t n_enclaves, cap_enclaves;
    uint32_t n_reactors, cap_reactors;
    uint32_t n_modes, cap_modes;
    uint32_t n_modal_links, cap_modal_links;
    uint32_t n_ports, cap_ports;
    uint32_t n_multiports, cap_multiports;
    uint32_t n_actions, cap_actions;
    uint32_t n_timers, cap_timers;
    uint32_t n_reactions, cap_reactions;
    uint32_t n_refs, cap_refs;
    rrl_graph_enclave_t *enclaves;
    rrl_id_t *reactor_enclave; /* by reactor */
    rrl_graph_mode_t *modes;
    rrl_graph_modal_link_t *modal_links;
    rrl_graph_port_t *ports;
    rrl_graph_multiport_t *multiports;
    rrl_graph_action_t *actions;
    rrl_graph_timer_t *timers;
    rrl_graph_reaction_t *reactions;
    rrl_graph_ref_t *refs;
};

/* Whether the two (RRL_NONE: none) are never active at one tag: they, or modes around them, are different
 * modes of one reactor. */
bool rrl__modes_exclude(const rrl_graph_t *g, rrl_id_t a, rrl_id_t b);

#endif
