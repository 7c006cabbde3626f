/* csr.h: lists of ids for every key, packed into two arrays (compressed sparse rows).
 *
 *     begin: [0, 2, 2, 5]      key 0 has items[0..2), key 1 none, key 2 has items[2..5)
 *
 * Built once at assembly from (key, item) pairs, then immutable. The order of the items of one key is the
 * order in which their pairs were added. */
#ifndef RRL_CSR_H
#define RRL_CSR_H

#include "rrl.h"

typedef struct rrl_pairs {
    uint32_t *keys;
    uint32_t *items;
    uint32_t n, cap_keys, cap_items;
} rrl_pairs_t;

typedef struct rrl_csr {
    uint32_t *begin; /* n_keys + 1 */
    uint32_t *items;
} rrl_csr_t;

/* RRL_E_NOMEM leaves what was added. */
rrl_status_t rrl__pairs_add(rrl_pairs_t *pairs, uint32_t key, uint32_t item);
void rrl__pairs_destroy(rrl_pairs_t *pairs);

/* Keys are < n_keys. With `unique`, an item stands once in each list; then items are < n_items. */
rrl_status_t rrl__csr_build(rrl_csr_t *out, const rrl_pairs_t *pairs, uint32_t n_keys, bool unique,
                            uint32_t n_items);
void rrl__csr_destroy(rrl_csr_t *csr);

#endif
