/* plan.h: the compiled graph: flat arrays of ids, immutable while the program runs (I13).
 *
 * A *cell* holds the payload that one source has at the current tag. Every element that can be present
 * has one, numbered in this order:
 *
 *     [ ports | delays | actions | timers | resets of modes | startups of modes | startup of each enclave
 *       | shutdown of each enclave | shutdowns of modes | copies ]
 *
 * A port with an undelayed connection into it has no cell of its own in use: it shows the cell of the
 * port where the chain begins. A *delay* is a delayed or physical connection; connections that agree in
 * source, delay, mode and the enclave they lead to share one, so that a broadcast costs one event.
 *
 * A port that connections of modes lead to shows its own cell, which a *forward* fills: while its mode is
 * active, it carries what comes into one cell on to another at the same tag. A *copy* is what a mutable
 * port shows that is not the only reader of its source. */
#ifndef RRL_PLAN_H
#define RRL_PLAN_H

#include "apg.h"
#include "csr.h"
#include "graph.h"

typedef struct rrl_plan_read {
    rrl_view_t *view;
    void *concealed; /* what its is_present holds between bodies: NULL, but for a channel */
    uint32_t cell;
} rrl_plan_read_t;

typedef struct rrl_plan_reaction {
    uint32_t reads_begin, reads_end; /* in reads: single ports, actions, timers */
    uint32_t wide_begin, wide_end;   /* in wide: multiports */
    uint64_t hash;
    int64_t deadline_ns; /* or RRL_NO_DEADLINE */
    bool has_handler;
    uint32_t level;
    uint32_t home; /* the worker that runs it, unless another steals it */
    rrl_id_t reactor;
    rrl_id_t mode; /* the innermost one that encloses it, or RRL_NONE */
} rrl_plan_reaction_t;

typedef struct rrl_plan_mode {
    rrl_id_t within; /* a mode with a smaller number, or RRL_NONE */
    uint32_t modal;  /* its reactor, among those with modes */
    uint32_t enclave;
    bool is_initial;
} rrl_plan_mode_t;

typedef struct rrl_plan_delay {
    uint32_t source;  /* the cell that it captures */
    int64_t delay_ns; /* physical: added to the clock */
    bool is_physical;
    rrl_id_t destination; /* the first port that it leads to */
    rrl_id_t mode;        /* captures, and lets time pass, while this is active; or RRL_NONE */
    uint32_t from, to;    /* enclaves */
} rrl_plan_delay_t;

#define RRL__MAX_WORKERS 4096

typedef struct rrl_plan_enclave {
    uint32_t first_worker, n_workers;
    uint32_t capacity;
} rrl_plan_enclave_t;

/* One channel of a multiport that some reaction reads. */
typedef struct rrl_plan_channel {
    rrl_id_t multiport;
    uint32_t index;
} rrl_plan_channel_t;

typedef struct rrl_plan {
    uint32_t n_workers; /* of all enclaves */
    uint32_t n_enclaves;
    uint32_t n_reactions, n_ports, n_multiports, n_delays, n_actions, n_timers, n_levels;
    uint32_t n_modes, n_modals, n_forwards, n_copies;
    uint32_t first_delay, first_action, first_timer, reset, mode_startup, startup, shutdown,
        mode_shutdown, first_copy, n_cells; /* cells */

    rrl_plan_enclave_t *enclaves;
    uint32_t *reactor_enclave;
    rrl_plan_reaction_t *reactions;
    rrl_plan_read_t *reads;
    uint32_t *wide;
    rrl_csr_t triggers; /* by cell: reactions that its presence enables */
    rrl_csr_t channels; /* by cell: channel_refs that show it */
    rrl_csr_t delays;   /* by cell: delays that capture it */
    rrl_plan_channel_t *channel_refs;
    rrl_plan_delay_t *delay;
    uint32_t *port_cell;
    /* In a program with deadlines, or NULL: by reaction its place in the order of inferred deadlines, then of
     * ids; and the reaction at each place. */
    uint32_t *urgency, *by_urgency;
    bool has_order; /* with deadlines or modes: the order inside a slot may count */
    /* NULL if no port is mutable: by port its copy, or RRL_NONE; whether what is set on it has one reader,
     * which is mutable. */
    uint32_t *copy_of;
    uint8_t *is_moved;
    rrl_csr_t copied; /* by reaction: ports with a copy that it reads */
    rrl_plan_mode_t *modes;
    rrl_csr_t modal_modes; /* by reactor with modes: its modes */
    rrl_csr_t nested;      /* by mode: the reactors with modes that lie in it and in no inner one */
    rrl_forward_t *forward;
    rrl_csr_t forwards;       /* by cell: forwards from it */
    rrl_csr_t port_writers;   /* by port: reactions that declare it as effect */
    rrl_csr_t action_writers; /* by action: likewise */
    rrl_csr_t refs;           /* by reaction: graph_refs, for the slow questions */
    rrl_graph_ref_t *graph_refs;
    rrl_graph_port_t *ports;
    rrl_graph_multiport_t *multiports;
    rrl_graph_action_t *actions;
    rrl_graph_timer_t *timers;
    uint32_t *
        slot_begin; /* by level * n_workers + home: its part of the ready array; one more at the end */
} rrl_plan_t;

/* On failure *out holds nothing. See rrl_program_create for the cycle. */
/* n_workers: of enclave 0. */
rrl_status_t rrl__plan_compile(const rrl_graph_t *g, uint32_t n_workers, rrl_plan_t *out,
                               rrl_cycle_step_t **out_cycle, size_t *out_n_cycle);
void rrl__plan_destroy(rrl_plan_t *plan);

/* Checks the modes of the graph and numbers the reactors that have some. RRL_E_INVAL: modes of one reactor
 * that do not lie in one place, or not one of them initial; something of another reactor or enclave. */
rrl_status_t rrl__plan_modes(const rrl_graph_t *g, rrl_plan_t *plan);

/* Counts readers and decides which mutable ports get a copy. */
rrl_status_t rrl__plan_readers(const rrl_graph_t *g, const rrl_port_ref_t *refs, uint32_t n_refs,
                               rrl_plan_t *plan);

/* The slow questions: whether `reaction` declares the element in a role that lets it read, or write. */
bool rrl__plan_may_read(const rrl_plan_t *plan, rrl_id_t reaction, rrl_kind_t kind,
                        rrl_id_t element);

static inline bool rrl__csr_has(const rrl_csr_t *csr, uint32_t key, uint32_t item) {
    for (uint32_t i = csr->begin[key]; i < csr->begin[key + 1]; i++) {
        if (csr->items[i] == item) return true;
    }
    return false;
}

#endif
