#include "check.h"
#include "pending.h"
#include "tag.h"

/* ---- a model: an unsorted list --------------------------------------------------------------- */

enum { MAX_MODEL = 200 };

typedef struct model {
    rrl_pending_event_t events[MAX_MODEL];
    uint32_t n;
} model_t;

static rrl_pending_event_t *model_find(model_t *m, rrl_tag_t tag) {
    for (uint32_t i = 0; i < m->n; i++) {
        if (rrl_tag_equal(m->events[i].tag, tag)) return &m->events[i];
    }
    return NULL;
}

static rrl_status_t model_free_tag(model_t *m, rrl_tag_t tag, rrl_tag_t *out_tag) {
    while (model_find(m, tag)) {
        if (tag.microstep++ == UINT32_MAX) return RRL_E_OVERFLOW;
    }
    *out_tag = tag;
    return RRL_OK;
}

static void *payload_of(uint64_t serial) { return (void *)(uintptr_t)(serial * 16); }

static void check_event(const rrl_pending_event_t *event, const rrl_pending_event_t *expected) {
    CHECK(rrl_tag_equal(event->tag, expected->tag));
    CHECK_EQ(event->serial, expected->serial);
    CHECK(event->payload == expected->payload);
}

static rrl_tag_t random_tag(uint64_t *random) {
    /* Few times and microsteps, so that tags meet; some at the end of the microsteps. */
    uint32_t microstep = (uint32_t)(check_random(random) % 8);
    int64_t time_ns = (int64_t)(check_random(random) % 6) - 1;
    return (rrl_tag_t){time_ns, check_random(random) % 8 ? microstep : UINT32_MAX - microstep};
}

static void it_behaves_as_a_list_of_events(void) {
    for (uint64_t seed = 1; seed <= 300 / CHECK_SLOWDOWN; seed++) {
        rrl_pending_t q = {0};
        model_t model = {.n = 0};
        uint64_t random = seed * 0x9e3779b97f4a7c15u, serial = 0;
        uint32_t target = 1 + (uint32_t)(check_random(&random) % 60);
        for (int step = 0; step < 600; step++) {
            rrl_tag_t tag = random_tag(&random), got = {-9, 9}, expected = {-9, 9};
            CHECK_EQ(rrl__pending_free_tag(&q, tag, &got), model_free_tag(&model, tag, &expected));
            CHECK(rrl_tag_equal(got, expected)); /* both unchanged after an overflow */
            rrl_pending_event_t *there = model_find(&model, tag);
            rrl_pending_event_t *found = rrl__pending_find(&q, tag);
            CHECK_EQ(found != NULL, there != NULL);
            if (found) check_event(found, there);
            if (check_random(&random) % (model.n + target) < target && model.n < MAX_MODEL) {
                if (got.time_ns == -9) continue;
                rrl_pending_event_t event = {got, payload_of(++serial), serial};
                bool grew = false;
                uint32_t capacity = q.capacity;
                CHECK_EQ(rrl__pending_add(&q, event, &grew), RRL_OK);
                CHECK_EQ(grew, q.capacity != capacity);
                model.events[model.n++] = event;
            } else {
                rrl_pending_event_t taken;
                CHECK_EQ(rrl__pending_take(&q, tag, &taken), there != NULL);
                if (there) {
                    check_event(&taken, there);
                    *there = model.events[--model.n];
                }
            }
            CHECK_EQ(q.n, model.n);
            CHECK(rrl__pending_is_valid(&q));
        }
        while (model.n) { /* what is left leaves from the front, smallest first */
            rrl_tag_t first = q.events[q.head].tag;
            rrl_pending_event_t taken;
            for (uint32_t i = 0; i < model.n; i++)
                CHECK(!rrl_tag_is_before(model.events[i].tag, first));
            CHECK(rrl__pending_take(&q, first, &taken));
            rrl_pending_event_t *there = model_find(&model, first);
            check_event(&taken, there);
            *there = model.events[--model.n];
        }
        CHECK_EQ(q.n, 0);
        rrl__pending_destroy(&q);
    }
}

static void add(rrl_pending_t *q, int64_t time_ns, uint32_t microstep) {
    bool grew;
    rrl_pending_event_t event = {{time_ns, microstep}, payload_of(1), 1};
    CHECK_EQ(rrl__pending_add(q, event, &grew), RRL_OK);
}

static void check_free(const rrl_pending_t *q, int64_t time_ns, uint32_t from, uint32_t expected) {
    rrl_tag_t tag;
    CHECK_EQ(rrl__pending_free_tag(q, (rrl_tag_t){time_ns, from}, &tag), RRL_OK);
    CHECK_EQ(tag.time_ns, time_ns);
    CHECK_EQ(tag.microstep, expected);
}

static void a_free_tag_is_the_first_gap(void) {
    rrl_pending_t q = {0};
    check_free(&q, 5, 3, 3);
    for (uint32_t m = 0; m < 10; m++) {
        if (m != 4 && m != 7) add(&q, 5, m);
    }
    check_free(&q, 5, 0, 4);
    check_free(&q, 5, 4, 4);
    check_free(&q, 5, 5, 7);
    check_free(&q, 5, 8, 10);
    add(&q, 6, 0); /* the same with later and earlier times around */
    add(&q, 4, 9);
    check_free(&q, 5, 0, 4);
    check_free(&q, 5, 8, 10);
    add(&q, 5, 4);
    add(&q, 5, 7);
    check_free(&q, 5, 0, 10);
    check_free(&q, 5, 9, 10);
    check_free(&q, 6, 0, 1);
    check_free(&q, 4, 9, 10);
    check_free(&q, 4, 8, 8);
    rrl__pending_destroy(&q);
}

static void the_microsteps_of_a_time_may_run_out(void) {
    rrl_pending_t q = {0};
    rrl_tag_t tag = {1, 1};
    for (uint32_t m = 0; m < 3; m++) add(&q, 2, UINT32_MAX - m);
    check_free(&q, 2, UINT32_MAX - 3, UINT32_MAX - 3);
    CHECK_EQ(rrl__pending_free_tag(&q, (rrl_tag_t){2, UINT32_MAX - 2}, &tag), RRL_E_OVERFLOW);
    CHECK_EQ(rrl__pending_free_tag(&q, (rrl_tag_t){2, UINT32_MAX}, &tag), RRL_E_OVERFLOW);
    add(&q, 3, 0); /* with something behind */
    CHECK_EQ(rrl__pending_free_tag(&q, (rrl_tag_t){2, UINT32_MAX - 1}, &tag), RRL_E_OVERFLOW);
    CHECK(rrl_tag_equal(tag, (rrl_tag_t){1, 1}));
    rrl__pending_destroy(&q);

    add(&q, 2, UINT32_MAX - 2); /* with a gap on the way */
    add(&q, 2, UINT32_MAX);
    check_free(&q, 2, UINT32_MAX - 2, UINT32_MAX - 1);
    rrl__pending_destroy(&q);
}

static void thousands_pile_up_at_one_time(void) {
    enum { N = 20000 };
    rrl_pending_t q = {0};
    rrl_pending_event_t event;
    add(&q, 8, 0);
    for (uint32_t m = 0; m < N / CHECK_SLOWDOWN / 4; m++) {
        check_free(&q, 7, 0, m);
        add(&q, 7, m);
    }
    check_free(&q, 8, 0, 1);
    for (uint32_t m = 0; m < N / CHECK_SLOWDOWN / 4; m++) {
        CHECK(rrl__pending_take(&q, (rrl_tag_t){7, m}, &event));
    }
    CHECK_EQ(q.n, 1);
    rrl__pending_destroy(&q);
    rrl__pending_destroy(&q);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(it_behaves_as_a_list_of_events),
        CHECK_CASE(a_free_tag_is_the_first_gap),
        CHECK_CASE(the_microsteps_of_a_time_may_run_out),
        CHECK_CASE(thousands_pile_up_at_one_time),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
