/* tag.h: order and arithmetic of tags. Values only; any thread. */
#ifndef RRL_TAG_H
#define RRL_TAG_H

#include "assert.h"
#include "rrl.h"

/* Times lie between RRL_NEVER and RRL_FOREVER: a sum that reaches either is an overflow. */
static inline rrl_status_t rrl_time_add(int64_t time_ns, int64_t delay_ns, int64_t *out_time_ns) {
    int64_t sum;
    if (__builtin_add_overflow(time_ns, delay_ns, &sum)) return RRL_E_OVERFLOW;
    if (sum == RRL_FOREVER || sum == RRL_NEVER) return RRL_E_OVERFLOW;
    *out_time_ns = sum;
    return RRL_OK;
}

static inline bool rrl_tag_equal(rrl_tag_t a, rrl_tag_t b) {
    return a.time_ns == b.time_ns && a.microstep == b.microstep;
}

static inline bool rrl_tag_is_before(rrl_tag_t a, rrl_tag_t b) {
    return a.time_ns < b.time_ns || (a.time_ns == b.time_ns && a.microstep < b.microstep);
}

/* < 0, 0 or > 0, as a is before, equal to or after b. */
static inline int rrl_tag_compare(rrl_tag_t a, rrl_tag_t b) {
    return (int)rrl_tag_is_before(b, a) - (int)rrl_tag_is_before(a, b);
}

/* The tag at which an event scheduled at `tag` with `delay_ns` >= 0 happens: the next microstep for
 * 0, else microstep 0 of the later time. RRL_E_OVERFLOW leaves *out_tag as it was. */
static inline rrl_status_t rrl_tag_delay(rrl_tag_t tag, int64_t delay_ns, rrl_tag_t *out_tag) {
    rrl_assert(delay_ns >= 0);
    if (delay_ns == 0) {
        if (tag.microstep == UINT32_MAX) return RRL_E_OVERFLOW;
        *out_tag = (rrl_tag_t){tag.time_ns, tag.microstep + 1};
        return RRL_OK;
    }
    int64_t time_ns;
    rrl_status_t status = rrl_time_add(tag.time_ns, delay_ns, &time_ns);
    if (status == RRL_OK) *out_tag = (rrl_tag_t){time_ns, 0};
    return status;
}

/* The first tag after `tag`; behind the last microstep that is the next nanosecond. */
static inline rrl_tag_t rrl__tag_after(rrl_tag_t tag) {
    if (tag.microstep == UINT32_MAX) return (rrl_tag_t){tag.time_ns + 1, 0};
    return (rrl_tag_t){tag.time_ns, tag.microstep + 1};
}

#endif
