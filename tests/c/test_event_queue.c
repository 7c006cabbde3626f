#include "check.h"
#include "event_queue.h"
#include "tag.h"

/* The queue's memory, so that a test can refuse it. The sanitizers know posix_memalign. */
static bool is_memory_refused;
int posix_memalign(void **out, size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size) {
    void *memory;
    return is_memory_refused || posix_memalign(&memory, alignment, size) != 0 ? NULL : memory;
}

static uint32_t n_buckets(const rrl_event_queue_t *q) { return q->end - 3; }

static void push(rrl_event_queue_t *q, int64_t time_ns, uint32_t microstep, uint32_t trigger) {
    CHECK_EQ(rrl__event_queue_push(q, (rrl_tag_t){time_ns, microstep}, trigger), RRL_OK);
}

static void check_peek(const rrl_event_queue_t *q, int64_t time_ns, uint32_t microstep) {
    rrl_tag_t tag;
    CHECK(rrl__event_queue_peek(q, &tag));
    CHECK_EQ(tag.time_ns, time_ns);
    CHECK_EQ(tag.microstep, microstep);
}

static void check_pop(rrl_event_queue_t *q, int64_t time_ns, uint32_t microstep, uint32_t trigger) {
    uint32_t out = 0;
    check_peek(q, time_ns, microstep);
    CHECK(rrl__event_queue_pop_at(q, (rrl_tag_t){time_ns, microstep}, &out));
    CHECK_EQ(out, trigger);
}

static void an_empty_queue_has_no_smallest_tag(void) {
    rrl_event_queue_t q;
    rrl_tag_t tag;
    uint32_t trigger;
    CHECK_EQ(rrl__event_queue_init(&q, 0), RRL_OK);
    CHECK(!rrl__event_queue_peek(&q, &tag));
    CHECK(!rrl__event_queue_pop_at(&q, (rrl_tag_t){0, 0}, &trigger));
    CHECK_EQ(rrl__event_queue_size(&q), 0);
    push(&q, 3, 0, 9);
    check_pop(&q, 3, 0, 9);
    CHECK(!rrl__event_queue_peek(&q, &tag));
    rrl__event_queue_destroy(&q);
    rrl__event_queue_destroy(&q);
}

static void tags_leave_in_order_of_time_then_microstep(void) {
    rrl_event_queue_t q;
    CHECK_EQ(rrl__event_queue_init(&q, 4), RRL_OK);
    push(&q, 5, 1, 10);
    push(&q, INT64_MAX - 1, UINT32_MAX, 11);
    push(&q, 5, 0, 12);
    push(&q, -7, 3, 13);
    push(&q, INT64_MIN, 0, 14);
    push(&q, 0, UINT32_MAX, 15);
    CHECK_EQ(rrl__event_queue_size(&q), 6);
    check_pop(&q, INT64_MIN, 0, 14);
    check_pop(&q, -7, 3, 13);
    check_pop(&q, 0, UINT32_MAX, 15);
    check_pop(&q, 5, 0, 12);
    check_pop(&q, 5, 1, 10);
    check_pop(&q, INT64_MAX - 1, UINT32_MAX, 11);
    CHECK_EQ(rrl__event_queue_size(&q), 0);
    rrl__event_queue_destroy(&q);
}

static void only_the_smallest_tag_can_be_popped(void) {
    rrl_event_queue_t q;
    uint32_t trigger = 77;
    CHECK_EQ(rrl__event_queue_init(&q, 4), RRL_OK);
    push(&q, 2, 1, 1);
    push(&q, 2, 2, 2);
    CHECK(!rrl__event_queue_pop_at(&q, (rrl_tag_t){2, 0}, &trigger));
    CHECK(!rrl__event_queue_pop_at(&q, (rrl_tag_t){2, 2}, &trigger));
    CHECK_EQ(trigger, 77);
    check_pop(&q, 2, 1, 1);
    CHECK(!rrl__event_queue_pop_at(&q, (rrl_tag_t){2, 1}, &trigger));
    check_pop(&q, 2, 2, 2);
    rrl__event_queue_destroy(&q);
}

static void events_of_one_tag_share_a_bucket_and_keep_their_order(void) {
    rrl_event_queue_t q;
    CHECK_EQ(rrl__event_queue_init(&q, 4), RRL_OK);
    for (uint32_t e = 0; e < 1000; e++) push(&q, 50, 0, e ^ 0x155);
    CHECK_EQ(n_buckets(&q), 1);
    for (uint32_t e = 0; e < 1000; e++) check_pop(&q, 50, 0, e ^ 0x155);
    rrl__event_queue_destroy(&q);
}

/* The cache of tags forgets; what it forgot still leaves in the order of the pushes. */
static void a_tag_with_many_buckets_keeps_its_order(void) {
    enum { N_TAGS = 10 * RRL__EVENT_CACHE, N_ROUNDS = 37 };
    rrl_event_queue_t q;
    CHECK_EQ(rrl__event_queue_init(&q, 4), RRL_OK);
    for (uint32_t round = 0; round < N_ROUNDS; round++) {
        for (uint32_t t = 0; t < N_TAGS; t++) push(&q, t * 1000, t % 3, round);
    }
    CHECK(n_buckets(&q) > 2 * N_TAGS); /* or this test tests nothing */
    for (uint32_t t = 0; t < N_TAGS; t++) {
        for (uint32_t round = 0; round < N_ROUNDS; round++) check_pop(&q, t * 1000, t % 3, round);
    }
    CHECK_EQ(rrl__event_queue_size(&q), 0);
    rrl__event_queue_destroy(&q);
}

static void a_push_into_the_tag_being_popped_comes_last(void) {
    rrl_event_queue_t q;
    CHECK_EQ(rrl__event_queue_init(&q, 4), RRL_OK);
    push(&q, 1, 0, 1);
    push(&q, 1, 0, 2);
    check_pop(&q, 1, 0, 1);
    push(&q, 1, 0, 3);
    CHECK_EQ(n_buckets(&q), 0);
    check_pop(&q, 1, 0, 2);
    check_pop(&q, 1, 0, 3);
    rrl__event_queue_destroy(&q);
}

static void a_push_before_the_tag_being_popped_comes_first(void) {
    rrl_event_queue_t q;
    CHECK_EQ(rrl__event_queue_init(&q, 4), RRL_OK);
    push(&q, 9, 0, 1);
    push(&q, 9, 0, 2);
    check_pop(&q, 9, 0, 1);
    push(&q, 8, 0, 3);
    push(&q, 9, 0, 4);
    check_pop(&q, 8, 0, 3);
    check_pop(&q, 9, 0, 2);
    check_pop(&q, 9, 0, 4);
    rrl__event_queue_destroy(&q);
}

static void growth_keeps_the_events_and_ends(void) {
    rrl_event_queue_t q;
    CHECK_EQ(rrl__event_queue_init(&q, 8), RRL_OK);
    CHECK_EQ(q.n_allocations, 0);
    for (uint32_t e = 0; e < 8; e++) push(&q, 100 - e, 0, e);
    CHECK_EQ(q.n_allocations, 0);
    for (uint32_t e = 8; e < 64; e++) push(&q, 100 - e, 0, e);
    CHECK_EQ(q.n_allocations, 3);
    for (uint32_t e = 64; e-- > 0;) check_pop(&q, 100 - e, 0, e);
    for (int64_t t = 0; t < 1000; t++) { /* 64 events for ever: no more memory */
        for (uint32_t e = 0; e < 64; e++) push(&q, t, e % 7, e);
        for (uint32_t m = 0; m < 7; m++) {
            for (uint32_t e = m; e < 64; e += 7) check_pop(&q, t, m, e);
        }
    }
    CHECK_EQ(q.n_allocations, 3);
    rrl__event_queue_destroy(&q);
}

static void refused_memory_leaves_the_queue_unchanged(void) {
    rrl_event_queue_t q;
    is_memory_refused = true;
    CHECK_EQ(rrl__event_queue_init(&q, 8), RRL_E_NOMEM);
    rrl__event_queue_destroy(&q);
    is_memory_refused = false;
    CHECK_EQ(rrl__event_queue_init(&q, 8), RRL_OK);
    for (uint32_t e = 0; e < 8; e++) push(&q, e / 2, 0, e);
    is_memory_refused = true;
    CHECK_EQ(rrl__event_queue_push(&q, (rrl_tag_t){0, 0}, 99), RRL_E_NOMEM);
    is_memory_refused = false;
    CHECK(rrl__event_queue_is_valid(&q));
    CHECK_EQ(rrl__event_queue_size(&q), 8);
    CHECK_EQ(q.n_allocations, 0);
    for (uint32_t e = 0; e < 8; e++) check_pop(&q, e / 2, 0, e);
    rrl__event_queue_destroy(&q);
}

static bool keep_odd(void *ctx, rrl_tag_t tag, uint32_t trigger) {
    *(uint32_t *)ctx += 1;
    return tag.time_ns != 3 && trigger % 2 == 1;
}

static void filter_keeps_order_and_frees_the_rest(void) {
    rrl_event_queue_t q;
    uint32_t n_asked = 0, trigger;
    CHECK_EQ(rrl__event_queue_init(&q, 64), RRL_OK);
    for (uint32_t e = 0; e < 60; e++) push(&q, e % 5, 0, e);
    check_pop(&q, 0, 0, 0); /* tag 0 is open while it is filtered */
    rrl__event_queue_filter(&q, keep_odd, &n_asked);
    CHECK_EQ(n_asked, 59);
    CHECK_EQ(rrl__event_queue_size(&q), 24);
    push(&q, 0, 0, 1000);
    for (uint32_t t = 0; t < 5; t++) {
        for (uint32_t e = t; e < 60; e += 5) {
            if (t != 3 && e % 2 == 1) check_pop(&q, t, 0, e);
        }
        if (t == 0) check_pop(&q, 0, 0, 1000);
    }
    CHECK(!rrl__event_queue_pop_at(&q, (rrl_tag_t){4, 0}, &trigger));
    for (uint32_t e = 0; e < 64; e++) push(&q, 0, 0, e);
    CHECK_EQ(q.n_allocations, 0);
    rrl__event_queue_destroy(&q);
}

/* ---- model: a list in which the first of the smallest tags is searched ----------------------- */

typedef struct model_event {
    rrl_tag_t tag;
    uint32_t trigger;
} model_event_t;

typedef struct model {
    model_event_t events[1024];
    uint32_t n;
} model_t;

static uint32_t model_first(const model_t *m) {
    uint32_t first = 0;
    for (uint32_t i = 1; i < m->n; i++) {
        if (rrl_tag_is_before(m->events[i].tag, m->events[first].tag)) first = i;
    }
    return first;
}

static void model_remove(model_t *m, uint32_t i) {
    m->n--;
    memmove(&m->events[i], &m->events[i + 1], (m->n - i) * sizeof *m->events);
}

static bool keep_by_hash(void *ctx, rrl_tag_t tag, uint32_t trigger) {
    uint64_t mixed =
        ((uint64_t)tag.time_ns * 31 + trigger + *(uint64_t *)ctx) * 0x9e3779b97f4a7c15u;
    return mixed >> 62 != 0;
}

static void run_model(uint64_t seed) {
    static model_t m;
    m.n = 0;
    uint64_t random = seed * 0x9e3779b97f4a7c15u | 1;
    uint64_t n_tags = 1 + check_random(&random) % 200; /* few: chains; many: a cache that forgets */
    uint64_t push_percent = 30 + check_random(&random) % 40;
    rrl_event_queue_t q;
    CHECK_EQ(rrl__event_queue_init(&q, (uint32_t)(check_random(&random) % 32)), RRL_OK);
    for (uint32_t step = 0; step < 3000; step++) {
        uint64_t choice = check_random(&random) % 1000;
        if (choice < push_percent * 10 && m.n < 1024) {
            uint64_t t = check_random(&random) % n_tags;
            rrl_tag_t tag = {(int64_t)(t / 3) - 20, (uint32_t)(t % 3)};
            CHECK_EQ(rrl__event_queue_push(&q, tag, step), RRL_OK);
            m.events[m.n++] = (model_event_t){tag, step};
        } else if (choice > 997) {
            rrl__event_queue_filter(&q, keep_by_hash, &random);
            for (uint32_t i = m.n; i-- > 0;) {
                if (!keep_by_hash(&random, m.events[i].tag, m.events[i].trigger))
                    model_remove(&m, i);
            }
        } else if (m.n) {
            uint32_t first = model_first(&m), trigger = 0;
            rrl_tag_t tag = m.events[first].tag, wrong = {tag.time_ns, tag.microstep ^ 1};
            check_peek(&q, tag.time_ns, tag.microstep);
            CHECK(!rrl__event_queue_pop_at(&q, wrong, &trigger));
            CHECK(rrl__event_queue_pop_at(&q, tag, &trigger));
            CHECK_EQ(trigger, m.events[first].trigger);
            model_remove(&m, first);
        }
        CHECK_EQ(rrl__event_queue_size(&q), m.n);
        CHECK(rrl__event_queue_is_valid(&q));
    }
    rrl__event_queue_destroy(&q);
}

static void agrees_with_a_list(void) {
    for (uint64_t seed = 1; seed <= 60 / CHECK_SLOWDOWN; seed++) {
        printf("  seed %d\n", (int)seed);
        run_model(seed);
    }
}

static void a_damaged_queue_is_not_valid(void) {
    rrl_event_queue_t q;
    CHECK_EQ(rrl__event_queue_init(&q, 16), RRL_OK);
    for (uint32_t e = 0; e < 12; e++) push(&q, e, 0, e);
    CHECK(rrl__event_queue_is_valid(&q));
    rrl__event_key_t root = q.cells[3];
    q.cells[3] = q.cells[14]; /* Q1 */
    CHECK(!rrl__event_queue_is_valid(&q));
    q.cells[3] = root;
    q.cells[15] = root; /* Q1, behind the last */
    CHECK(!rrl__event_queue_is_valid(&q));
    q.cells[15] = RRL__EVENT_KEY_NONE;
    q.events[5].next = 6; /* Q2 */
    CHECK(!rrl__event_queue_is_valid(&q));
    q.events[5].next = RRL_NONE;
    q.cache[0] = root ^ 15; /* Q4: the tag of the root, and another bucket */
    CHECK(!rrl__event_queue_is_valid(&q));
    rrl__event_queue_destroy(&q);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(an_empty_queue_has_no_smallest_tag),
        CHECK_CASE(tags_leave_in_order_of_time_then_microstep),
        CHECK_CASE(only_the_smallest_tag_can_be_popped),
        CHECK_CASE(events_of_one_tag_share_a_bucket_and_keep_their_order),
        CHECK_CASE(a_tag_with_many_buckets_keeps_its_order),
        CHECK_CASE(a_push_into_the_tag_being_popped_comes_last),
        CHECK_CASE(a_push_before_the_tag_being_popped_comes_first),
        CHECK_CASE(growth_keeps_the_events_and_ends),
        CHECK_CASE(refused_memory_leaves_the_queue_unchanged),
        CHECK_CASE(filter_keeps_order_and_frees_the_rest),
        CHECK_CASE(agrees_with_a_list),
        CHECK_CASE(a_damaged_queue_is_not_valid),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
