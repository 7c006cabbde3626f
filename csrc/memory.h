/* memory.h: where all memory of the core comes from and goes to; growable arrays.
 *
 * What a caller of rrl.h is to free with free() comes from here too. Builds with RRL_TEST_ALLOC count the
 * blocks and refuse an allocation on demand. */
#ifndef RRL_MEMORY_H
#define RRL_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "rrl.h"

#ifdef RRL_TEST_ALLOC
/* The allocation after the next k is refused; negative: none is. */
void rrl_test_refuse(int64_t k);
/* What is left of k; negative: one was refused, or none was to be. */
int64_t rrl_test_until_refusal(void);
/* Blocks that are alive. */
int64_t rrl_test_n_blocks(void);
bool rrl__test_is_refused(void);
/* One block more, or less; NULL is none. Returns it. */
void *rrl__test_count(void *block, int n);
#else
static inline bool rrl__test_is_refused(void) { return false; }
static inline void *rrl__test_count(void *block, int n) {
    (void)n;
    return block;
}
#endif

static inline void *rrl__malloc(size_t size) {
    return rrl__test_is_refused() ? NULL : rrl__test_count(malloc(size), 1);
}

static inline void *rrl__calloc(size_t n, size_t item_size) {
    return rrl__test_is_refused() ? NULL : rrl__test_count(calloc(n, item_size), 1);
}

static inline void *rrl__aligned_alloc(size_t alignment, size_t size) {
    return rrl__test_is_refused() ? NULL : rrl__test_count(aligned_alloc(alignment, size), 1);
}

static inline void *rrl__realloc(void *block, size_t size) {
    if (rrl__test_is_refused()) return NULL;
    void *grown = realloc(block, size);
    return block ? grown : rrl__test_count(grown, 1);
}

static inline void rrl__free(void *block) { free(rrl__test_count(block, -1)); }

/* Makes room for `needed` items in *items, doubling; the new room is not initialised. On failure nothing
 * has changed. Returns RRL_OK also when there was room already. */
static inline rrl_status_t rrl__reserve(void **items, uint32_t *capacity, uint64_t needed,
                                        size_t item_size) {
    if (needed <= *capacity) return RRL_OK;
    if (needed >= RRL_NONE) return RRL_E_INVAL;
    uint64_t wanted = *capacity ? (uint64_t)*capacity * 2 : 8;
    if (wanted < needed) wanted = needed;
    if (wanted >= RRL_NONE) wanted = RRL_NONE - 1;
    void *grown = rrl__realloc(*items, (size_t)wanted * item_size);
    if (!grown) return RRL_E_NOMEM;
    *items = grown;
    *capacity = (uint32_t)wanted;
    return RRL_OK;
}

/* Zeroed; never NULL for n == 0, so that NULL always means "out of memory". */
static inline void *rrl__zeroed(size_t n, size_t item_size) {
    return rrl__calloc(n ? n : 1, item_size);
}

#endif
