/* event_queue.h: what happens when. A queue of (tag, trigger), smallest tag first.
 *
 * One thread at a time; the scheduler's finisher owns it (I9), and ownership is handed over by its
 * barrier. A trigger is an opaque number. Events of one tag leave in the order in which they were
 * pushed.
 *
 * Events of one tag are chained in a bucket, and the heap holds buckets, not events: N events of
 * one tag cost one pop of the heap. The key of a bucket is one 128-bit number, so that one
 * comparison without branches orders two, and the four children of a node fill one 64-byte line:
 *
 *      127            64 63          32 31           0        cells  3 | 4 5 6 7 | 8 9 10 11 | ...
 *     [ time + 2^63     | microstep    | bucket      ]               root |<- line ->|
 *
 * Cells behind the last one hold the largest number, so a line is always compared whole. A bucket
 * has the number of its first event. A small cache finds the bucket of a tag that was pushed
 * lately; when it has forgotten one, a tag gets a second bucket, and opening the tag joins them in
 * order of birth.
 *
 * Cost: push O(1) into a cached tag, else O(log n); pop O(1), and O(log n) once per bucket. No
 * allocation but for growth, which doubles and is counted.
 *
 * Invariants:
 *   Q1  heap order; cells behind the last are RRL__EVENT_KEY_NONE
 *   Q2  an event is in exactly one of: a bucket of the heap, the open chain, the free list
 *   Q3  no bucket has a tag at or before the one of the open chain
 *   Q4  a cache entry is the key of the youngest bucket of its tag, or RRL__EVENT_KEY_NONE */
#ifndef RRL_EVENT_QUEUE_H
#define RRL_EVENT_QUEUE_H

#include "rrl.h"

__extension__ typedef unsigned __int128 rrl__event_key_t;

#define RRL__EVENT_KEY_NONE (~(rrl__event_key_t)0)
#define RRL__EVENT_CACHE 32 /* entries; a power of two */

typedef struct rrl__event {
    uint32_t trigger;
    uint32_t next; /* in the chain or the free list; RRL_NONE ends it */
} rrl__event_t;

typedef struct rrl__bucket {
    uint64_t birth; /* counts buckets, so that two of one tag have an order */
    uint32_t last;  /* its youngest event */
    uint32_t next;  /* only while two buckets of one tag are being joined */
} rrl__bucket_t;

typedef struct rrl_event_queue {
    rrl__event_key_t *cells; /* owned, with events and buckets in one block; root at cell 3 */
    rrl__event_t *events;    /* [capacity] */
    rrl__bucket_t *buckets;  /* [capacity], by first event; stale where an event is not a first */
    uint32_t end;            /* one past the last cell in use */
    uint32_t size;           /* events in the queue */
    uint32_t capacity;       /* of events */
    uint32_t n_used;         /* events [n_used, capacity) were never used */
    uint32_t free_event;     /* top of the free list */
    uint32_t open_event;     /* next event of the tag being popped; RRL_NONE: no tag is open */
    uint32_t open_last;      /* the last one of it */
    rrl__event_key_t open_key;
    uint64_t n_births;
    uint64_t n_allocations; /* growths since init, the first one not counted */
    rrl__event_key_t cache[RRL__EVENT_CACHE];
} rrl_event_queue_t;

/* Room for `capacity` events before the first growth. RRL_E_NOMEM: *q may be destroyed. */
rrl_status_t rrl__event_queue_init(rrl_event_queue_t *q, uint32_t capacity);
/* Also after a failed init, and twice. */
void rrl__event_queue_destroy(rrl_event_queue_t *q);

/* Any tag but those at RRL_FOREVER. RRL_E_NOMEM leaves q unchanged. */
rrl_status_t rrl__event_queue_push(rrl_event_queue_t *q, rrl_tag_t tag, uint32_t trigger);
/* The smallest tag; false: the queue is empty. */
bool rrl__event_queue_peek(const rrl_event_queue_t *q, rrl_tag_t *out_tag);
/* The oldest event of the smallest tag, if that is `tag`; false: it is not, or there is none. */
bool rrl__event_queue_pop_at(rrl_event_queue_t *q, rrl_tag_t tag, uint32_t *out_trigger);

/* Drops the events for which `keep` says no; called once for each, in no particular order. O(n). */
void rrl__event_queue_filter(rrl_event_queue_t *q,
                             bool (*keep)(void *ctx, rrl_tag_t tag, uint32_t trigger), void *ctx);

static inline uint32_t rrl__event_queue_size(const rrl_event_queue_t *q) { return q->size; }

/* Q1 to Q4; O(n). */
bool rrl__event_queue_is_valid(const rrl_event_queue_t *q);

#endif
