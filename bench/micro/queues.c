/* What does an event cost? ns for one pop and one push of the event queue.
 *
 *   hold       `size` events at random tags; the first is popped and pushed again, later by a
 *              random time (the usual model of a discrete-event queue)
 *   periodic   `size` timers of one period and different phases
 *   same_tag   `size` events at every tag
 *   far_apart  64 events at each of `size` tags, pushed in turn: the cache of tags forgets all */
#include "event_queue.h"
#include "measure.h"

typedef struct queue_case {
    rrl_event_queue_t q;
    uint64_t random;
    uint32_t size;
} queue_case_t;

static uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void push(queue_case_t *c, int64_t time_ns, uint32_t trigger) {
    if (rrl__event_queue_push(&c->q, (rrl_tag_t){time_ns, 0}, trigger) != RRL_OK) abort();
}

static rrl_tag_t pop(queue_case_t *c, uint32_t *out_trigger) {
    rrl_tag_t tag;
    if (!rrl__event_queue_peek(&c->q, &tag) || !rrl__event_queue_pop_at(&c->q, tag, out_trigger))
        abort();
    return tag;
}

static int64_t run_hold(void *ctx, uint64_t n) {
    queue_case_t *c = ctx;
    uint32_t trigger;
    int64_t start = rrl__clock_ns();
    for (uint64_t i = 0; i < n; i++) {
        rrl_tag_t tag = pop(c, &trigger);
        push(c, tag.time_ns + 1 + (int64_t)(next_random(&c->random) % 1000000), trigger);
    }
    return rrl__clock_ns() - start;
}

static int64_t run_periodic(void *ctx, uint64_t n) {
    queue_case_t *c = ctx;
    uint32_t trigger;
    int64_t start = rrl__clock_ns();
    for (uint64_t i = 0; i < n; i++) {
        rrl_tag_t tag = pop(c, &trigger);
        push(c, tag.time_ns + 1000000, trigger);
    }
    return rrl__clock_ns() - start;
}

/* Whole tags, as the scheduler does it: pop all, then push all. */
static int64_t run_same_tag(void *ctx, uint64_t n) {
    queue_case_t *c = ctx;
    int64_t start = rrl__clock_ns();
    for (uint64_t i = 0; i < n; i += c->size) {
        rrl_tag_t tag;
        uint32_t trigger;
        if (!rrl__event_queue_peek(&c->q, &tag)) abort();
        while (rrl__event_queue_pop_at(&c->q, tag, &trigger)) continue;
        for (uint32_t e = 0; e < c->size; e++) push(c, tag.time_ns + 1000, e);
    }
    return rrl__clock_ns() - start;
}

static int64_t run_far_apart(void *ctx, uint64_t n) {
    queue_case_t *c = ctx;
    int64_t start = rrl__clock_ns();
    for (uint64_t i = 0; i < n; i += 64 * c->size) {
        rrl_tag_t tag;
        uint32_t trigger;
        for (uint32_t e = 0; e < 64 * c->size; e++) push(c, e % c->size, e);
        while (rrl__event_queue_peek(&c->q, &tag))
            while (rrl__event_queue_pop_at(&c->q, tag, &trigger)) continue;
    }
    return rrl__clock_ns() - start;
}

static void bench(const char *name, uint32_t size, uint64_t n, int64_t (*run)(void *, uint64_t),
                  bool is_spread, bool is_filled, const measure_options_t *options) {
    queue_case_t c = {.random = 88172645463325252u, .size = size};
    if (rrl__event_queue_init(&c.q, size) != RRL_OK) abort();
    for (uint32_t e = 0; e < size && is_filled; e++)
        push(&c, is_spread ? (int64_t)(next_random(&c.random) % 1000000) : 0, e);
    measure("event_queue", name, size, n, run, &c, options);
    rrl__event_queue_destroy(&c.q);
}

int main(int argc, char **argv) {
    const measure_options_t options = measure_options(argc, argv);
    static const uint32_t pending[] = {1, 10, 100, 1000, 10000, 100000};
    static const uint32_t together[] = {1, 8, 64, 512, 10000};
    for (size_t i = 0; i < sizeof pending / sizeof *pending; i++) {
        bench("hold", pending[i], 200000, run_hold, true, true, &options);
        bench("periodic", pending[i], 200000, run_periodic, true, true, &options);
    }
    for (size_t i = 0; i < sizeof together / sizeof *together; i++)
        bench("same_tag", together[i], 200000, run_same_tag, false, true, &options);
    bench("far_apart", 100, 64 * 100, run_far_apart, false, false, &options);
    return 0;
}
