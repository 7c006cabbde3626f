/* memory.h: growable arrays and one-block allocation helpers. */
#ifndef RRL_MEMORY_H
#define RRL_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "rrl.h"

/* Makes room for `needed` items in *items, doubling; the new room is not initialised. On failure nothing
 * has changed. Returns RRL_OK also when there was room already. */
static inline rrl_status_t rrl__reserve(void **items, uint32_t *capacity, uint64_t needed,
                                        size_t item_size) {
    if (needed <= *capacity) return RRL_OK;
    if (needed >= RRL_NONE) return RRL_E_INVAL;
    uint64_t wanted = *capacity ? (uint64_t)*capacity * 2 : 8;
    if (wanted < needed) wanted = needed;
    if (wanted >= RRL_NONE) wanted = RRL_NONE - 1;
    void *grown = realloc(*items, (size_t)wanted * item_size);
    if (!grown) return RRL_E_NOMEM;
    *items = grown;
    *capacity = (uint32_t)wanted;
    return RRL_OK;
}

/* Zeroed; never NULL for n == 0, so that NULL always means "out of memory". */
static inline void *rrl__zeroed(size_t n, size_t item_size) { return calloc(n ? n : 1, item_size); }

#endif
