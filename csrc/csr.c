#include "csr.h"

#include "memory.h"

rrl_status_t rrl__pairs_add(rrl_pairs_t *pairs, uint32_t key, uint32_t item) {
    rrl_status_t rc =
        rrl__reserve((void **)&pairs->keys, &pairs->cap_keys, pairs->n + 1ull, sizeof(uint32_t));
    if (!rc)
        rc = rrl__reserve((void **)&pairs->items, &pairs->cap_items, pairs->n + 1ull,
                          sizeof(uint32_t));
    if (rc) return rc;
    pairs->keys[pairs->n] = key;
    pairs->items[pairs->n++] = item;
    return RRL_OK;
}

void rrl__pairs_destroy(rrl_pairs_t *pairs) {
    rrl__free(pairs->keys);
    rrl__free(pairs->items);
    *pairs = (rrl_pairs_t){0};
}

/* Squeezes repeated items out of every list. `seen` holds, for each item, the last key + 1 it stood in. */
static void drop_repeats(rrl_csr_t *csr, uint32_t n_keys, uint32_t *seen) {
    uint32_t out = 0, from = 0;
    for (uint32_t key = 0; key < n_keys; key++) {
        uint32_t end = csr->begin[key + 1];
        for (uint32_t i = from; i < end; i++) {
            uint32_t item = csr->items[i];
            if (seen[item] == key + 1) continue;
            seen[item] = key + 1;
            csr->items[out++] = item;
        }
        from = end;
        csr->begin[key + 1] = out;
    }
}

rrl_status_t rrl__csr_build(rrl_csr_t *out, const rrl_pairs_t *pairs, uint32_t n_keys, bool unique,
                            uint32_t n_items) {
    uint32_t *begin = rrl__zeroed((size_t)n_keys + 2, sizeof *begin);
    uint32_t *items = rrl__zeroed(pairs->n, sizeof *items);
    uint32_t *seen = unique ? rrl__zeroed(n_items, sizeof *seen) : NULL;
    *out = (rrl_csr_t){begin, items};
    if (!begin || !items || (unique && !seen)) {
        rrl__free(seen);
        rrl__csr_destroy(out);
        return RRL_E_NOMEM;
    }
    /* A counting sort: begin[key + 1] is first the next free place of `key`, and ends as its end. */
    for (uint32_t i = 0; i < pairs->n; i++) begin[pairs->keys[i] + 2]++;
    for (uint32_t key = 1; key <= n_keys; key++) begin[key + 1] += begin[key];
    for (uint32_t i = 0; i < pairs->n; i++) items[begin[pairs->keys[i] + 1]++] = pairs->items[i];
    if (unique) drop_repeats(out, n_keys, seen);
    rrl__free(seen);
    return RRL_OK;
}

void rrl__csr_destroy(rrl_csr_t *csr) {
    rrl__free(csr->begin);
    rrl__free(csr->items);
    *csr = (rrl_csr_t){0};
}
