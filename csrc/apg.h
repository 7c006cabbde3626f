/* apg.h: the acyclic precedence graph: which reaction must finish before which, and the levels.
 *
 * Nodes are reactions. r precedes s when
 *   - both belong to one reactor and r was declared before s, whether or not both run, or
 *   - r may set a port whose value s reads at the same tag, through any chain of undelayed connections.
 * The level of a reaction is the length of the longest chain that ends in it. Two reactions of one level
 * have no path between them (I5), and so may run at once. */
#ifndef RRL_APG_H
#define RRL_APG_H

#include "graph.h"

/* A reaction's reference to one port, multiports spread out into their channels. */
typedef struct rrl_port_ref {
    rrl_id_t reaction;
    rrl_id_t port;
    uint8_t role; /* rrl_role_t */
} rrl_port_ref_t;

/* port_cell[p]: where the value that p shows at a tag is kept; an undelayed chain shares one cell, and the
 * cell of an unconnected port is its own number. out_levels: one for each reaction.
 * RRL_E_CYCLE: *out_cycle has *out_n_cycle steps (the caller frees it). RRL_E_INVAL: an effect on a port
 * with a connection into it. O(reactions + references + edges); no recursion. */
rrl_status_t rrl__apg_levels(const rrl_graph_t *g, const rrl_port_ref_t *port_refs,
                             uint32_t n_port_refs, const uint32_t *port_cell, uint32_t n_cells,
                             uint32_t *out_levels, uint32_t *out_n_levels,
                             rrl_cycle_step_t **out_cycle, size_t *out_n_cycle);

#endif
