/* apg.h: the acyclic precedence graph: which reaction must finish before which, and the levels.
 *
 * Nodes are reactions. r precedes s when
 *   - both belong to one reactor and r was declared before s, whether or not both run, or
 *   - r may set a port whose value s reads at the same tag, through any chain of undelayed connections,
 * unless modes keep the two, or the connection and one of them, from ever being active at one tag.
 * The level of a reaction is the length of the longest chain that ends in it. Two reactions of one level
 * have no path between them, or exclude each other (I5), and so may run at once. */
#ifndef RRL_APG_H
#define RRL_APG_H

#include "graph.h"

/* A reaction's reference to one port, multiports spread out into their channels. */
typedef struct rrl_port_ref {
    rrl_id_t reaction;
    rrl_id_t port;
    uint8_t role; /* rrl_role_t */
} rrl_port_ref_t;

/* What a connection of a mode carries on, at the same tag, from a cell to the cell of a port. */
typedef struct rrl_forward {
    uint32_t from;
    rrl_id_t to;   /* a port that shows its own cell */
    rrl_id_t mode; /* only while this is active */
} rrl_forward_t;

typedef struct rrl_apg_input {
    const rrl_graph_t *g;
    const rrl_port_ref_t *port_refs;
    uint32_t n_port_refs;
    /* By port: the cell where the value that it shows at a tag is kept; an undelayed chain shares one, and
     * the cell of an unconnected port is its own number. */
    const uint32_t *port_cell;
    uint32_t n_cells;
    const rrl_forward_t *forwards;
    uint32_t n_forwards;
} rrl_apg_input_t;

/* Loops, one behind the other, with a step of RRL_NONE twice between two. */
typedef struct rrl_loops {
    rrl_cycle_step_t *steps;
    uint32_t n, capacity;
} rrl_loops_t;

/* The place of one more loop, of n steps; NULL: no memory. */
rrl_cycle_step_t *rrl__add_loop(rrl_loops_t *loops, uint32_t n);

/* By reaction: its level, and the earliest deadline among itself and all that follow at the same tag
 * (RRL_FOREVER: none). Adds to `loops` all that there are; then the rest is not filled in. RRL_E_INVAL: an
 * effect on a port with a connection into it. O(reactions + references + edges); no recursion. */
rrl_status_t rrl__apg_levels(const rrl_apg_input_t *in, uint32_t *out_levels,
                             int64_t *out_deadlines_ns, uint32_t *out_n_levels, rrl_loops_t *loops);

#endif
