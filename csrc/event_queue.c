#include "event_queue.h"

#include <stdlib.h>
#include <string.h>

#include "assert.h"
#include "memory.h"

/* With the root at cell 3, children of a node begin at a multiple of four: on a 64-byte line. */
#define ROOT 3u
#define MIN_CAPACITY 8u
#define MAX_CAPACITY ((uint32_t)1 << 30)
#define LINE_BYTES ((size_t)64)
#define BUCKET_BITS 32

static uint32_t parent_of(uint32_t cell) { return cell / 4 + 2; }

static uint32_t children_of(uint32_t cell) { return 4 * (cell - 2); }

static rrl__event_key_t key_of(rrl_tag_t tag) {
    /* Flipping the sign bit makes unsigned order of what is signed. */
    uint64_t time = (uint64_t)tag.time_ns ^ (uint64_t)1 << 63;
    return (rrl__event_key_t)time << 64 | (rrl__event_key_t)tag.microstep << BUCKET_BITS;
}

static rrl_tag_t tag_of(rrl__event_key_t key) {
    return (rrl_tag_t){(int64_t)((uint64_t)(key >> 64) ^ (uint64_t)1 << 63),
                       (uint32_t)(key >> BUCKET_BITS)};
}

static uint32_t bucket_of(rrl__event_key_t key) { return (uint32_t)key; }

static bool is_same_tag(rrl__event_key_t a, rrl__event_key_t b) {
    return (uint64_t)(a >> 64) == (uint64_t)(b >> 64) &&
           (uint32_t)(a >> BUCKET_BITS) == (uint32_t)(b >> BUCKET_BITS);
}

static rrl__event_key_t *cache_entry(rrl_event_queue_t *q, rrl__event_key_t key) {
    uint64_t mixed = (uint64_t)(key >> 64) + (uint64_t)(key >> BUCKET_BITS);
    return &q->cache[mixed * 0x9e3779b97f4a7c15u >> 32 & (RRL__EVENT_CACHE - 1)];
}

static void clear_cache(rrl_event_queue_t *q) {
    memset(q->cache, 0xff, sizeof q->cache); /* RRL__EVENT_KEY_NONE */
}

/* ---- memory ---------------------------------------------------------------------------------- */

static rrl_status_t reserve(rrl_event_queue_t *q, uint32_t capacity) {
    if (capacity > MAX_CAPACITY) return RRL_E_NOMEM;
    size_t n_cells = ((size_t)ROOT + capacity + 3) / 4 * 4;
    size_t size = n_cells * sizeof *q->cells + capacity * (sizeof *q->buckets + sizeof *q->events);
    rrl__event_key_t *cells =
        rrl__aligned_alloc(LINE_BYTES, (size + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES);
    if (!cells) return RRL_E_NOMEM;
    rrl__bucket_t *buckets = (void *)(cells + n_cells);
    rrl__event_t *events = (void *)(buckets + capacity);
    memset(cells, 0xff, n_cells * sizeof *cells); /* RRL__EVENT_KEY_NONE: Q1 */
    if (q->cells) {
        memcpy(cells, q->cells, q->end * sizeof *cells);
        memcpy(buckets, q->buckets, q->n_used * sizeof *buckets);
        memcpy(events, q->events, q->n_used * sizeof *events);
        rrl__free(q->cells);
    }
    q->cells = cells;
    q->buckets = buckets;
    q->events = events;
    q->capacity = capacity;
    return RRL_OK;
}

rrl_status_t rrl__event_queue_init(rrl_event_queue_t *q, uint32_t capacity) {
    *q = (rrl_event_queue_t){.end = ROOT, .free_event = RRL_NONE, .open_event = RRL_NONE};
    clear_cache(q);
    return reserve(q, capacity > MIN_CAPACITY ? capacity : MIN_CAPACITY);
}

void rrl__event_queue_destroy(rrl_event_queue_t *q) {
    rrl__free(q->cells);
    q->cells = NULL;
}

static void release_event(rrl_event_queue_t *q, uint32_t event) {
    q->events[event].next = q->free_event;
    q->free_event = event;
    q->size--;
}

/* ---- heap ------------------------------------------------------------------------------------ */

static uint32_t smaller_of(const rrl__event_key_t *cells, uint32_t a, uint32_t b) {
    return cells[b] < cells[a] ? b : a;
}

/* Puts `key` at or below the hole `cell`. */
static void sift_down(rrl_event_queue_t *q, uint32_t cell, rrl__event_key_t key) {
    rrl__event_key_t *cells = q->cells;
    for (uint32_t c = children_of(cell); c < q->end; c = children_of(cell)) {
        uint32_t least =
            smaller_of(cells, smaller_of(cells, c, c + 1), smaller_of(cells, c + 2, c + 3));
        if (key <= cells[least]) break;
        cells[cell] = cells[least];
        cell = least;
    }
    cells[cell] = key;
}

static void insert_key(rrl_event_queue_t *q, rrl__event_key_t key) {
    rrl__event_key_t *cells = q->cells;
    uint32_t cell = q->end++;
    while (cell > ROOT && key < cells[parent_of(cell)]) {
        cells[cell] = cells[parent_of(cell)];
        cell = parent_of(cell);
    }
    cells[cell] = key;
}

/* Measured and rejected: leaving a hole here for the next push to fill. It saves up to 8 % with
 * many events pending and loses as much with one. */
static void remove_root(rrl_event_queue_t *q) {
    rrl__event_key_t last = q->cells[--q->end];
    q->cells[q->end] = RRL__EVENT_KEY_NONE;
    if (q->end > ROOT) sift_down(q, ROOT, last);
}

/* ---- push ------------------------------------------------------------------------------------ */

static void add_bucket(rrl_event_queue_t *q, rrl__event_key_t key, uint32_t first, uint32_t last) {
    q->buckets[first] = (rrl__bucket_t){q->n_births++, last, RRL_NONE};
    key |= first;
    insert_key(q, key);
    *cache_entry(q, key) = key;
}

/* Makes a bucket of what is left of the open tag. Every other bucket of that tag is born later. */
static void close_tag(rrl_event_queue_t *q) {
    if (q->open_event == RRL_NONE) return;
    add_bucket(q, q->open_key, q->open_event, q->open_last);
    q->open_event = RRL_NONE;
}

rrl_status_t rrl__event_queue_push(rrl_event_queue_t *q, rrl_tag_t tag, uint32_t trigger) {
    rrl_assert(tag.time_ns < RRL_FOREVER);
    uint32_t event = q->free_event;
    if (event != RRL_NONE) {
        q->free_event = q->events[event].next;
    } else {
        if (q->n_used == q->capacity) {
            rrl_status_t rc = reserve(q, q->capacity * 2);
            if (rc) return rc;
            q->n_allocations++;
        }
        event = q->n_used++;
    }
    q->events[event] = (rrl__event_t){trigger, RRL_NONE};
    q->size++;

    rrl__event_key_t key = key_of(tag), cached = *cache_entry(q, key);
    if (is_same_tag(cached, key)) {
        rrl__bucket_t *bucket = &q->buckets[bucket_of(cached)];
        q->events[bucket->last].next = event;
        bucket->last = event;
    } else if (q->open_event != RRL_NONE && is_same_tag(q->open_key, key)) {
        q->events[q->open_last].next = event;
        q->open_last = event;
    } else {
        if (key < q->open_key) close_tag(q); /* Q3 */
        add_bucket(q, key, event, event);
    }
    rrl_assert3(rrl__event_queue_is_valid(q));
    return RRL_OK;
}

/* ---- pop ------------------------------------------------------------------------------------- */

static uint32_t take_root(rrl_event_queue_t *q) {
    rrl__event_key_t key = q->cells[ROOT], *entry = cache_entry(q, key);
    if (*entry == key) *entry = RRL__EVENT_KEY_NONE;
    remove_root(q);
    return bucket_of(key);
}

/* One list of buckets from two, each in order of birth. */
static uint32_t merge_by_birth(rrl__bucket_t *buckets, uint32_t a, uint32_t b) {
    uint32_t first = RRL_NONE, *link = &first;
    while (a != RRL_NONE && b != RRL_NONE) {
        uint32_t *older = buckets[a].birth < buckets[b].birth ? &a : &b;
        *link = *older;
        link = &buckets[*older].next;
        *older = *link;
    }
    *link = a != RRL_NONE ? a : b;
    return first;
}

/* The tag of `first` has more buckets, because the cache forgot it in between: appends their chains
 * in order of birth. A merge sort without recursion: sorted[i] is empty or has 2^i buckets. */
__attribute__((cold, noinline)) static void join_buckets(rrl_event_queue_t *q, uint32_t first) {
    uint32_t sorted[33], bucket = first;
    for (int i = 0; i < 33; i++) sorted[i] = RRL_NONE;
    for (;;) {
        uint32_t list = bucket;
        int i = 0;
        for (; sorted[i] != RRL_NONE; i++) {
            list = merge_by_birth(q->buckets, sorted[i], list);
            sorted[i] = RRL_NONE;
        }
        sorted[i] = list;
        if (!is_same_tag(q->cells[ROOT], q->open_key)) break;
        bucket = take_root(q);
    }
    uint32_t list = RRL_NONE;
    for (int i = 0; i < 33; i++) list = merge_by_birth(q->buckets, sorted[i], list);
    q->open_event = list;
    for (; q->buckets[list].next != RRL_NONE; list = q->buckets[list].next)
        q->events[q->buckets[list].last].next = q->buckets[list].next;
    q->open_last = q->buckets[list].last;
}

static void open_tag(rrl_event_queue_t *q) {
    q->open_key = q->cells[ROOT] >> BUCKET_BITS << BUCKET_BITS;
    uint32_t bucket = take_root(q);
    q->open_event = bucket;
    q->open_last = q->buckets[bucket].last;
    if (is_same_tag(q->cells[ROOT], q->open_key)) join_buckets(q, bucket);
}

bool rrl__event_queue_peek(const rrl_event_queue_t *q, rrl_tag_t *out_tag) {
    if (q->size == 0) return false;
    *out_tag = tag_of(q->open_event != RRL_NONE ? q->open_key : q->cells[ROOT]);
    return true;
}

bool rrl__event_queue_pop_at(rrl_event_queue_t *q, rrl_tag_t tag, uint32_t *out_trigger) {
    rrl__event_key_t key = key_of(tag);
    if (q->open_event == RRL_NONE) {
        if (!is_same_tag(q->cells[ROOT], key)) return false;
        open_tag(q);
    } else if (!is_same_tag(q->open_key, key)) {
        return false;
    }
    uint32_t event = q->open_event;
    *out_trigger = q->events[event].trigger;
    q->open_event = q->events[event].next;
    release_event(q, event);
    rrl_assert3(rrl__event_queue_is_valid(q));
    return true;
}

/* ---- filter ---------------------------------------------------------------------------------- */

void rrl__event_queue_filter(rrl_event_queue_t *q,
                             bool (*keep)(void *ctx, rrl_tag_t tag, uint32_t trigger), void *ctx) {
    close_tag(q);
    clear_cache(q); /* buckets may change their numbers */
    uint32_t end = ROOT;
    for (uint32_t cell = ROOT; cell < q->end; cell++) {
        rrl__event_key_t key = q->cells[cell];
        rrl__bucket_t kept = q->buckets[bucket_of(key)];
        uint32_t first = RRL_NONE, *link = &first;
        for (uint32_t event = bucket_of(key), next; event != RRL_NONE; event = next) {
            next = q->events[event].next;
            if (keep(ctx, tag_of(key), q->events[event].trigger)) {
                *link = event;
                link = &q->events[event].next;
                kept.last = event;
            } else {
                release_event(q, event);
            }
        }
        *link = RRL_NONE;
        if (first == RRL_NONE) continue;
        q->buckets[first] = kept;
        q->cells[end++] = (key >> BUCKET_BITS << BUCKET_BITS) | first;
    }
    for (uint32_t cell = end; cell < q->end; cell++) q->cells[cell] = RRL__EVENT_KEY_NONE;
    q->end = end;
    if (end > ROOT + 1) {
        for (uint32_t cell = parent_of(end - 1); cell >= ROOT; cell--)
            sift_down(q, cell, q->cells[cell]);
    }
    rrl_assert3(rrl__event_queue_is_valid(q));
}

/* ---- validity -------------------------------------------------------------------------------- */

/* Length of a chain that ends with `last`, or more than any chain can have. */
static uint32_t chain_length(const rrl_event_queue_t *q, uint32_t first, uint32_t last) {
    uint32_t n = 0, event = first;
    for (; n <= q->n_used; event = q->events[event].next) {
        if (event >= q->n_used) return RRL_NONE;
        n++;
        if (q->events[event].next == RRL_NONE) break;
    }
    return event == last ? n : RRL_NONE;
}

bool rrl__event_queue_is_valid(const rrl_event_queue_t *q) {
    if (!q->cells || q->end < ROOT || q->n_used > q->capacity || q->end - ROOT > q->n_used)
        return false;
    uint64_t n_events = 0, n_cached = 0;
    for (uint32_t cell = ROOT; cell < q->end; cell++) {
        rrl__event_key_t key = q->cells[cell];
        if (cell > ROOT && key <= q->cells[parent_of(cell)]) return false;
        if (bucket_of(key) >= q->n_used) return false;
        n_events += chain_length(q, bucket_of(key), q->buckets[bucket_of(key)].last);
        n_cached += *cache_entry((rrl_event_queue_t *)(uintptr_t)q, key) == key;
    }
    for (uint32_t cell = q->end; cell % 4 != 0; cell++) {
        if (q->cells[cell] != RRL__EVENT_KEY_NONE) return false;
    }
    if (q->open_event != RRL_NONE) {
        n_events += chain_length(q, q->open_event, q->open_last);
        if (q->cells[ROOT] <= q->open_key || is_same_tag(q->cells[ROOT], q->open_key)) return false;
    }
    uint64_t n_free = 0;
    for (uint32_t event = q->free_event; event != RRL_NONE; event = q->events[event].next) {
        if (event >= q->n_used || ++n_free > q->n_used) return false;
    }
    for (int i = 0; i < RRL__EVENT_CACHE; i++) n_cached -= q->cache[i] != RRL__EVENT_KEY_NONE;
    return n_events == q->size && n_events + n_free == q->n_used && n_cached == 0;
}
