/* ring.h: bounded queues between threads; no waiting inside, a full or an empty ring says so.
 *
 *   rrl_spsc_t   pointers, one producer and one consumer: an atomic load and a store each; a line
 *                changes hands only when a side has used up what it last saw of the other
 *   rrl_mpsc_t   items of the inbox, any number of producers, one consumer at a time
 *
 * A ring is initialised and destroyed while no one else touches it. "One at a time" means that the
 * role may change threads if the change itself is ordered (a barrier, a join). The structs are
 * RRL_ALIGNED_LINE: what contains them comes from aligned_alloc.
 *
 * I8: 0 <= tail - head <= capacity; counters run on and wrap, positions are counter & mask. */
#ifndef RRL_RING_H
#define RRL_RING_H

#include <stdlib.h>

#include "assert.h"
#include "atomic.h"
#include "memory.h"
#include "rrl.h"

#define RRL__RING_MAX_CAPACITY ((uint32_t)1 << 30)

/* Whole lines, so that nothing else shares the last one. */
static inline void *rrl__ring_alloc(size_t size) {
    return rrl__aligned_alloc(RRL_CACHE_LINE,
                              (size + RRL_CACHE_LINE - 1) & ~(size_t)(RRL_CACHE_LINE - 1));
}

static inline bool rrl__ring_is_capacity(uint32_t capacity) {
    return capacity > 0 && capacity <= RRL__RING_MAX_CAPACITY && (capacity & (capacity - 1)) == 0;
}

/* ---- one producer, one consumer -----------------------------------------------------------------
 *
 *     line 0, producer's         line 1, consumer's         line 2, read only
 *     [tail | seen_head]         [head | seen_tail]         [slots | mask]
 *
 *     slots:  . . . x x x x . .        x: published, tail - head of them
 *                   ^head   ^tail
 */
typedef struct rrl_spsc {
    /* written by push; read by pop; its release publishes the slots below it */
    RRL_ALIGNED_LINE rrl_atomic_u32_t tail;
    uint32_t seen_head; /* producer's last look at head */
    /* written by pop; read by push; its release gives the slots below it back */
    RRL_ALIGNED_LINE rrl_atomic_u32_t head;
    uint32_t seen_tail; /* consumer's last look at tail */
    /* [mask + 1], owned */
    RRL_ALIGNED_LINE void **slots;
    uint32_t mask;
} rrl_spsc_t;

#define RRL__OWN_LINE(type, a, b) (offsetof(type, b) - offsetof(type, a) >= RRL_CACHE_LINE)
_Static_assert(RRL__OWN_LINE(rrl_spsc_t, tail, head), "the producer's line");
_Static_assert(RRL__OWN_LINE(rrl_spsc_t, head, slots), "the consumer's line");
_Static_assert(sizeof(rrl_spsc_t) == 3 * RRL_CACHE_LINE, "three lines");

/* capacity: a power of two, or RRL_E_INVAL. RRL_E_NOMEM. A ring that failed may be destroyed. */
static inline rrl_status_t rrl__spsc_init(rrl_spsc_t *r, uint32_t capacity) {
    r->slots = NULL;
    if (!rrl__ring_is_capacity(capacity)) return RRL_E_INVAL;
    r->slots = rrl__ring_alloc(capacity * sizeof(void *));
    if (!r->slots) return RRL_E_NOMEM;
    r->mask = capacity - 1;
    rrl_store_relaxed_u32(&r->tail, 0); /* relaxed, both: nobody else has the ring yet */
    rrl_store_relaxed_u32(&r->head, 0);
    r->seen_head = r->seen_tail = 0;
    return RRL_OK;
}

/* What is still in the ring stays with whom it belongs to: the caller empties it first. */
static inline void rrl__spsc_destroy(rrl_spsc_t *r) {
    rrl__free(r->slots);
    r->slots = NULL;
}

/* Producer. False: full. */
static inline bool rrl__spsc_push(rrl_spsc_t *r, void *item) {
    uint32_t tail = rrl_load_relaxed_u32(&r->tail); /* relaxed: our own store */
    if (tail - r->seen_head > r->mask) {
        /* acquire: pairs with pop's release of head; its reads of the slots are over. */
        r->seen_head = rrl_load_acquire_u32(&r->head);
        rrl_assert2(tail - r->seen_head <= r->mask + 1);
        if (tail - r->seen_head > r->mask) return false;
    }
    r->slots[tail & r->mask] = item;
    /* release: the slot, and what it points to, become visible to pop's acquire of tail. */
    rrl_store_release_u32(&r->tail, tail + 1);
    return true;
}

/* Consumer. Takes up to `max` items, oldest first; returns how many. */
static inline uint32_t rrl__spsc_pop(rrl_spsc_t *r, void **out_items, uint32_t max) {
    uint32_t head = rrl_load_relaxed_u32(&r->head); /* relaxed: our own store */
    uint32_t n = r->seen_tail - head;
    if (n < max) {
        /* acquire: pairs with push's release of tail; the slots below it are written. */
        r->seen_tail = rrl_load_acquire_u32(&r->tail);
        n = r->seen_tail - head;
        rrl_assert2(n <= r->mask + 1);
        if (n == 0) return 0;
    }
    if (n > max) n = max;
    for (uint32_t i = 0; i < n; i++) out_items[i] = r->slots[(head + i) & r->mask];
    /* release: our reads of the slots are over when push's acquire of head lets it write again. */
    rrl_store_release_u32(&r->head, head + n);
    return n;
}

/* Consumer. */
static inline bool rrl__spsc_is_empty(const rrl_spsc_t *r) {
    /* head relaxed: our own store. tail acquire: pairs with push's release, as in pop, so that who
     * sees "not empty" also sees what the producer did before. */
    return rrl_load_relaxed_u32(&r->head) == rrl_load_acquire_u32(&r->tail);
}

/* I8, while neither side is in an operation. */
static inline bool rrl__spsc_is_valid(const rrl_spsc_t *r) {
    uint32_t tail = rrl_load_acquire_u32(&r->tail), head = rrl_load_acquire_u32(&r->head);
    return r->slots && rrl__ring_is_capacity(r->mask + 1) && tail - head <= r->mask + 1 &&
           tail - r->seen_head <= r->mask + 1 && r->seen_tail - head <= r->mask + 1;
}

/* ---- many producers, one consumer ---------------------------------------------------------------
 *
 * After D. Vyukov's bounded queue: every cell carries the counter of the operation it waits for, so
 * a producer touches tail once and then only its own cell.
 *
 *     turn of the cell at counter c     c             free, for the push that takes c from tail
 *     (low 32 bits)                     c + 1         full, for the pop at head c
 *                                       c + capacity  free again, one lap later
 *
 * A cell is 32 bytes, two in a 64-byte line: packed cells measured 5 times faster than one per
 * line. Items of one producer leave in its order; items of different producers in the order of
 * tail. A producer that is interrupted between taking its counter and filling its cell holds back
 * the items behind it ("empty" until then), but no other producer. */
typedef struct rrl_inbox_item {
    rrl_id_t action;
    int64_t stamp_ns; /* physical time of the push */
    int64_t delay_ns;
    void *ticket; /* its reference belongs to the ring while the item is in it */
} rrl_inbox_item_t;

typedef struct rrl__mpsc_cell {
    /* written by push and pop by turns; read by both; its release publishes the fields below */
    rrl_atomic_u32_t turn;
    rrl_id_t action;
    int64_t stamp_ns;
    int64_t delay_ns;
    void *ticket;
} rrl__mpsc_cell_t;

typedef struct rrl_mpsc {
    /* moved by push, with compare-and-swap only; read by push; publishes nothing */
    RRL_ALIGNED_LINE rrl_atomic_u64_t tail;
    /* consumer's */
    RRL_ALIGNED_LINE uint64_t head;
    /* [mask + 1], owned */
    RRL_ALIGNED_LINE rrl__mpsc_cell_t *cells;
    uint32_t mask;
} rrl_mpsc_t;

_Static_assert(sizeof(rrl__mpsc_cell_t) == 32, "two cells in 64 bytes");
_Static_assert(RRL__OWN_LINE(rrl_mpsc_t, tail, head), "the producers' line");
_Static_assert(RRL__OWN_LINE(rrl_mpsc_t, head, cells), "the consumer's line");
_Static_assert(sizeof(rrl_mpsc_t) == 3 * RRL_CACHE_LINE, "three lines");

/* capacity: a power of two, at least 2, or RRL_E_INVAL. RRL_E_NOMEM. A ring that failed may be
 * destroyed. */
static inline rrl_status_t rrl__mpsc_init(rrl_mpsc_t *r, uint32_t capacity) {
    r->cells = NULL;
    /* With one cell, "full" at c and "free" at c + capacity would be the same turn. */
    if (!rrl__ring_is_capacity(capacity) || capacity < 2) return RRL_E_INVAL;
    r->cells = rrl__ring_alloc(capacity * sizeof(rrl__mpsc_cell_t));
    if (!r->cells) return RRL_E_NOMEM;
    r->mask = capacity - 1;
    r->head = 0;
    rrl_store_relaxed_u64(&r->tail, 0); /* relaxed, here and below: nobody else has the ring yet */
    for (uint32_t i = 0; i < capacity; i++) rrl_store_relaxed_u32(&r->cells[i].turn, i);
    return RRL_OK;
}

/* The caller pops what is left first: the tickets are its own again. */
static inline void rrl__mpsc_destroy(rrl_mpsc_t *r) {
    rrl__free(r->cells);
    r->cells = NULL;
}

/* Any thread. False: full. */
static inline bool rrl__mpsc_push(rrl_mpsc_t *r, const rrl_inbox_item_t *item) {
    uint64_t tail = rrl_load_relaxed_u64(&r->tail); /* relaxed: only a guess, the cas decides */
    for (;;) {
        rrl__mpsc_cell_t *cell = &r->cells[tail & r->mask];
        /* acquire: pairs with pop's release of the turn; its reads of the cell are over. */
        int32_t ahead = (int32_t)(rrl_load_acquire_u32(&cell->turn) - (uint32_t)tail);
        if (ahead < 0) return false; /* the cell still waits for the pop of the lap before */
        if (ahead > 0) {
            tail = rrl_load_relaxed_u64(&r->tail); /* another producer was here; relaxed: a guess */
            continue;
        }
        /* 64 bits: a producer that slept through 2^32 pushes would pass a 32-bit comparison. */
        if (!rrl_cas_weak_acq_rel_u64(&r->tail, &tail, tail + 1)) continue;
        cell->action = item->action;
        cell->stamp_ns = item->stamp_ns;
        cell->delay_ns = item->delay_ns;
        cell->ticket = item->ticket;
        /* release: the fields, and what the ticket points to, become visible to pop's acquire. */
        rrl_store_release_u32(&cell->turn, (uint32_t)tail + 1);
        return true;
    }
}

/* Consumer. */
static inline bool rrl__mpsc_is_empty(const rrl_mpsc_t *r) {
    /* acquire: pairs with push's release of the turn. */
    return rrl_load_acquire_u32(&r->cells[r->head & r->mask].turn) != (uint32_t)r->head + 1;
}

/* Consumer. False: empty, or the oldest push is not finished. */
static inline bool rrl__mpsc_pop(rrl_mpsc_t *r, rrl_inbox_item_t *out_item) {
    if (rrl__mpsc_is_empty(r)) return false; /* its acquire: the cell's fields are written */
    rrl__mpsc_cell_t *cell = &r->cells[r->head & r->mask];
    *out_item = (rrl_inbox_item_t){cell->action, cell->stamp_ns, cell->delay_ns, cell->ticket};
    /* release: our reads of the cell come before the acquire of the push one lap later. */
    rrl_store_release_u32(&cell->turn, (uint32_t)r->head + r->mask + 1);
    r->head++;
    return true;
}

/* I8 and the turns, while no one is in an operation; O(capacity). */
static inline bool rrl__mpsc_is_valid(const rrl_mpsc_t *r) {
    uint64_t tail = rrl_load_acquire_u64(&r->tail);
    if (!r->cells || !rrl__ring_is_capacity(r->mask + 1) || tail - r->head > (uint64_t)r->mask + 1)
        return false;
    for (uint64_t c = r->head; c < r->head + r->mask + 1; c++) {
        uint32_t turn = rrl_load_acquire_u32(&r->cells[c & r->mask].turn);
        if (turn != (uint32_t)c + (c < tail)) return false;
    }
    return true;
}

#endif
