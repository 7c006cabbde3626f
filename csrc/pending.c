#include "pending.h"

#include <stdlib.h>

#include "assert.h"
#include "memory.h"
#include "tag.h"

void rrl__pending_destroy(rrl_pending_t *q) {
    rrl__free(q->events);
    *q = (rrl_pending_t){0};
}

/* How many events have a smaller tag. */
static uint32_t rank_of(const rrl_pending_t *q, rrl_tag_t tag) {
    uint32_t low = 0, high = q->n;
    if (q->n && rrl_tag_is_before(rrl__pending_at(q, q->n - 1)->tag, tag)) return q->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rrl_tag_is_before(rrl__pending_at(q, middle)->tag, tag)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

rrl_status_t rrl__pending_free_tag(const rrl_pending_t *q, rrl_tag_t tag, rrl_tag_t *out_tag) {
    uint32_t i = rank_of(q, tag);
    /* Without gaps, the events of this time from here on end with the last of them. */
    if (i < q->n && rrl_tag_equal(rrl__pending_at(q, i)->tag, tag)) {
        uint32_t end = q->n;
        if (rrl__pending_at(q, end - 1)->tag.time_ns != tag.time_ns)
            end = tag.time_ns == RRL_FOREVER ? q->n : rank_of(q, (rrl_tag_t){tag.time_ns + 1, 0});
        if (rrl__pending_at(q, end - 1)->tag.microstep - tag.microstep == end - 1 - i) {
            i = end;
            tag.microstep = rrl__pending_at(q, end - 1)->tag.microstep;
            if (tag.microstep++ == UINT32_MAX) return RRL_E_OVERFLOW;
        }
    }
    for (; i < q->n && rrl_tag_equal(rrl__pending_at(q, i)->tag, tag); i++) {
        if (tag.microstep++ == UINT32_MAX) return RRL_E_OVERFLOW;
    }
    *out_tag = tag;
    return RRL_OK;
}

static rrl_status_t grow(rrl_pending_t *q) {
    if (q->capacity > RRL_NONE / 4) return RRL_E_NOMEM;
    uint32_t capacity = q->capacity ? q->capacity * 2 : 2;
    rrl_pending_event_t *events = rrl__malloc(capacity * sizeof *events);
    if (!events) return RRL_E_NOMEM;
    for (uint32_t i = 0; i < q->n; i++) events[i] = *rrl__pending_at(q, i);
    rrl__free(q->events);
    q->events = events;
    q->head = 0;
    q->capacity = capacity;
    return RRL_OK;
}

rrl_status_t rrl__pending_add(rrl_pending_t *q, rrl_pending_event_t event, bool *grew) {
    if (q->n == q->capacity) {
        rrl_status_t rc = grow(q);
        if (rc) return rc;
        *grew = true;
    }
    uint32_t rank = rank_of(q, event.tag);
    for (uint32_t i = q->n; i > rank; i--) *rrl__pending_at(q, i) = *rrl__pending_at(q, i - 1);
    q->n++;
    *rrl__pending_at(q, rank) = event;
    rrl_assert3(rrl__pending_is_valid(q));
    return RRL_OK;
}

rrl_pending_event_t *rrl__pending_find(const rrl_pending_t *q, rrl_tag_t tag) {
    uint32_t i = rank_of(q, tag);
    return i < q->n && rrl_tag_equal(rrl__pending_at(q, i)->tag, tag) ? rrl__pending_at(q, i)
                                                                      : NULL;
}

bool rrl__pending_take(rrl_pending_t *q, rrl_tag_t tag, rrl_pending_event_t *out_event) {
    uint32_t rank = rank_of(q, tag);
    if (rank == q->n || !rrl_tag_equal(rrl__pending_at(q, rank)->tag, tag)) return false;
    *out_event = *rrl__pending_at(q, rank);
    q->n--;
    if (rank == 0) {
        q->head = (q->head + 1) & (q->capacity - 1);
    } else {
        for (uint32_t i = rank; i < q->n; i++) *rrl__pending_at(q, i) = *rrl__pending_at(q, i + 1);
    }
    rrl_assert3(rrl__pending_is_valid(q));
    return true;
}

bool rrl__pending_is_valid(const rrl_pending_t *q) {
    if (q->n > q->capacity || (q->capacity & (q->capacity - 1))) return false;
    for (uint32_t i = 1; i < q->n; i++) {
        if (!rrl_tag_is_before(rrl__pending_at(q, i - 1)->tag, rrl__pending_at(q, i)->tag))
            return false;
    }
    return true;
}
