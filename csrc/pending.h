/* pending.h: the events of one action, or in flight on one delay, in order of their tags.
 *
 * A sorted ring. Nearly every event is later than all before it, so adding is O(1) at the back and taking
 * is O(1) at the front; an event that must go in between is found by bisection and moves the later ones.
 * No two events of one ring share a tag (I3).
 *
 * Owned by whoever may schedule: the worker that runs a reaction of the action's reactor, the coordinator
 * between levels. The level barrier orders the two. */
#ifndef RRL_PENDING_H
#define RRL_PENDING_H

#include "rrl.h"

typedef struct rrl_pending_event {
    rrl_tag_t tag;
    void *payload;
    uint64_t serial; /* names the event in its ring; from 1, in order of scheduling */
} rrl_pending_event_t;

typedef struct rrl_pending {
    rrl_pending_event_t *events;
    uint32_t head, n, capacity; /* capacity: a power of two, or 0 */
} rrl_pending_t;

void rrl__pending_destroy(rrl_pending_t *q);

/* The i-th event in order of tags; i < n. Whoever changes tags keeps their order. */
static inline rrl_pending_event_t *rrl__pending_at(const rrl_pending_t *q, uint32_t i) {
    return &q->events[(q->head + i) & (q->capacity - 1)];
}

/* The first tag at or after `tag`, in microsteps, that no event of the ring has. RRL_E_OVERFLOW. */
rrl_status_t rrl__pending_free_tag(const rrl_pending_t *q, rrl_tag_t tag, rrl_tag_t *out_tag);
/* `event.tag` is free. *grew tells of an allocation. RRL_E_NOMEM leaves the ring unchanged. */
rrl_status_t rrl__pending_add(rrl_pending_t *q, rrl_pending_event_t event, bool *grew);
/* The event at exactly this tag, or NULL; valid until the ring changes. */
rrl_pending_event_t *rrl__pending_find(const rrl_pending_t *q, rrl_tag_t tag);
/* Takes the event at exactly this tag out. */
bool rrl__pending_take(rrl_pending_t *q, rrl_tag_t tag, rrl_pending_event_t *out_event);
bool rrl__pending_is_valid(const rrl_pending_t *q);

#endif
