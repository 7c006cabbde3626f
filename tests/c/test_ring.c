#include "check.h"
#include "ring.h"

#define N_COUNTERS 3

/* Counters at which the rings behave the same: fresh, just before 2^31, just before the wrap. */
static const uint32_t counters[N_COUNTERS] = {0, INT32_MAX - 2, UINT32_MAX - 2};

static void *pointer(uint64_t n) { return (void *)(uintptr_t)n; }

static void start_spsc(rrl_spsc_t *r, uint32_t capacity, uint32_t counter) {
    CHECK_EQ(rrl__spsc_init(r, capacity), RRL_OK);
    rrl_store_relaxed_u32(&r->tail, counter);
    rrl_store_relaxed_u32(&r->head, counter);
    r->seen_head = r->seen_tail = counter;
    CHECK(rrl__spsc_is_valid(r));
}

/* As if `counter` items had passed through. */
static void start_mpsc(rrl_mpsc_t *r, uint32_t capacity, uint64_t counter) {
    CHECK_EQ(rrl__mpsc_init(r, capacity), RRL_OK);
    rrl_store_relaxed_u64(&r->tail, counter);
    r->head = counter;
    for (uint64_t c = counter; c < counter + capacity; c++)
        rrl_store_relaxed_u32(&r->cells[c & r->mask].turn, (uint32_t)c);
    CHECK(rrl__mpsc_is_valid(r));
}

static void a_capacity_is_a_power_of_two(void) {
    static const uint32_t wrong[] = {0, 3, 6, 1000, UINT32_MAX, (uint32_t)1 << 31};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        rrl_spsc_t spsc;
        rrl_mpsc_t mpsc;
        CHECK_EQ(rrl__spsc_init(&spsc, wrong[i]), RRL_E_INVAL);
        CHECK_EQ(rrl__mpsc_init(&mpsc, wrong[i]), RRL_E_INVAL);
        rrl__spsc_destroy(&spsc);
        rrl__mpsc_destroy(&mpsc);
    }
    rrl_mpsc_t mpsc;
    CHECK_EQ(rrl__mpsc_init(&mpsc, 1), RRL_E_INVAL);
    rrl__mpsc_destroy(&mpsc);
}

static void spsc_holds_exactly_its_capacity(void) {
    for (int k = 0; k < N_COUNTERS; k++) {
        for (uint32_t capacity = 1; capacity <= 8; capacity *= 2) {
            rrl_spsc_t r;
            start_spsc(&r, capacity, counters[k]);
            CHECK(rrl__spsc_is_empty(&r));
            for (uint64_t i = 0; i < capacity; i++) CHECK(rrl__spsc_push(&r, pointer(100 + i)));
            CHECK(!rrl__spsc_push(&r, pointer(999)));
            CHECK(!rrl__spsc_is_empty(&r));
            CHECK(rrl__spsc_is_valid(&r));
            void *out[9] = {0};
            CHECK_EQ(rrl__spsc_pop(&r, out, 9), capacity);
            for (uint64_t i = 0; i < capacity; i++) CHECK(out[i] == pointer(100 + i));
            CHECK_EQ(rrl__spsc_pop(&r, out, 9), 0);
            CHECK(rrl__spsc_is_empty(&r));
            rrl__spsc_destroy(&r);
        }
    }
}

static void spsc_pops_no_more_than_asked(void) {
    rrl_spsc_t r;
    void *out[4] = {0};
    start_spsc(&r, 4, UINT32_MAX);
    for (uint64_t i = 0; i < 4; i++) CHECK(rrl__spsc_push(&r, pointer(i)));
    CHECK_EQ(rrl__spsc_pop(&r, out, 0), 0);
    CHECK_EQ(rrl__spsc_pop(&r, out, 1), 1);
    CHECK(out[0] == pointer(0) && out[1] == NULL);
    CHECK_EQ(rrl__spsc_pop(&r, out, 2), 2);
    CHECK(out[0] == pointer(1) && out[1] == pointer(2) && out[2] == NULL);
    CHECK_EQ(rrl__spsc_pop(&r, out, 4), 1);
    CHECK(out[0] == pointer(3));
    rrl__spsc_destroy(&r);
}

/* A null pointer is an item like any other. */
static void spsc_carries_null(void) {
    rrl_spsc_t r;
    void *out = pointer(1);
    start_spsc(&r, 1, 0);
    CHECK(rrl__spsc_push(&r, NULL));
    CHECK_EQ(rrl__spsc_pop(&r, &out, 1), 1);
    CHECK(out == NULL);
    rrl__spsc_destroy(&r);
}

static void spsc_agrees_with_a_list(void) {
    uint64_t random = 4711;
    for (int round = 0; round < 60 / CHECK_SLOWDOWN; round++) {
        rrl_spsc_t r;
        uint32_t capacity = 1u << check_random(&random) % 5;
        uint64_t pushed = 0, popped = 0; /* the list: numbers popped ... pushed - 1 */
        start_spsc(&r, capacity, counters[check_random(&random) % N_COUNTERS]);
        for (int i = 0; i < 2000; i++) {
            if (check_random(&random) % 2) {
                bool fits = pushed - popped < capacity;
                CHECK_EQ(rrl__spsc_push(&r, pointer(pushed)), fits);
                pushed += fits;
            } else {
                void *out[20];
                uint32_t max = (uint32_t)(check_random(&random) % 20);
                uint64_t n = pushed - popped < max ? pushed - popped : max;
                CHECK_EQ(rrl__spsc_pop(&r, out, max), n);
                for (uint64_t k = 0; k < n; k++) CHECK(out[k] == pointer(popped++));
            }
            CHECK_EQ(rrl__spsc_is_empty(&r), pushed == popped);
            CHECK(rrl__spsc_is_valid(&r));
        }
        rrl__spsc_destroy(&r);
    }
}

static rrl_inbox_item_t item(uint64_t n) {
    return (rrl_inbox_item_t){(rrl_id_t)n, (int64_t)n * 3, (int64_t)n * 5, pointer(n * 7)};
}

static void check_item(const rrl_inbox_item_t *actual, uint64_t n) {
    rrl_inbox_item_t expected = item(n);
    CHECK_EQ(actual->action, expected.action);
    CHECK_EQ(actual->stamp_ns, expected.stamp_ns);
    CHECK_EQ(actual->delay_ns, expected.delay_ns);
    CHECK(actual->ticket == expected.ticket);
}

static void mpsc_agrees_with_a_list(void) {
    static const uint64_t starts[] = {0, INT32_MAX - 5, UINT32_MAX - 5, ((uint64_t)7 << 32) - 9};
    uint64_t random = 815;
    for (int round = 0; round < 60 / CHECK_SLOWDOWN; round++) {
        rrl_mpsc_t r;
        uint32_t capacity = 2u << check_random(&random) % 4;
        uint64_t pushed = 0, popped = 0;
        start_mpsc(&r, capacity, starts[check_random(&random) % 4]);
        for (int i = 0; i < 2000; i++) {
            if (check_random(&random) % 2) {
                rrl_inbox_item_t in = item(pushed);
                bool fits = pushed - popped < capacity;
                CHECK_EQ(rrl__mpsc_push(&r, &in), fits);
                pushed += fits;
            } else {
                rrl_inbox_item_t out;
                bool has = pushed != popped;
                CHECK_EQ(rrl__mpsc_pop(&r, &out), has);
                if (has) check_item(&out, popped++);
            }
            CHECK_EQ(rrl__mpsc_is_empty(&r), pushed == popped);
            CHECK(rrl__mpsc_is_valid(&r));
        }
        rrl__mpsc_destroy(&r);
    }
}

/* Two producers, step by step: the first has taken its place but not filled it. */
static void mpsc_waits_for_an_unfinished_push(void) {
    rrl_mpsc_t r;
    rrl_inbox_item_t out, in = item(2);
    start_mpsc(&r, 2, UINT32_MAX);
    uint64_t place = rrl_add_acq_rel_u64(&r.tail, 1);
    CHECK(rrl__mpsc_push(&r, &in));
    CHECK(!rrl__mpsc_push(&r, &in)); /* full, with one place taken and one filled */
    CHECK(rrl__mpsc_is_empty(&r));
    CHECK(!rrl__mpsc_pop(&r, &out));
    rrl__mpsc_cell_t *cell = &r.cells[place & r.mask];
    in = item(1);
    cell->action = in.action;
    cell->stamp_ns = in.stamp_ns;
    cell->delay_ns = in.delay_ns;
    cell->ticket = in.ticket;
    rrl_store_release_u32(&cell->turn, (uint32_t)place + 1);
    CHECK(rrl__mpsc_pop(&r, &out));
    check_item(&out, 1);
    CHECK(rrl__mpsc_pop(&r, &out));
    check_item(&out, 2);
    CHECK(rrl__mpsc_is_valid(&r));
    rrl__mpsc_destroy(&r);
}

static void a_damaged_ring_is_not_valid(void) {
    rrl_spsc_t spsc;
    rrl_mpsc_t mpsc;
    start_spsc(&spsc, 4, 0);
    rrl_store_relaxed_u32(&spsc.tail, 5);
    CHECK(!rrl__spsc_is_valid(&spsc));
    start_mpsc(&mpsc, 4, 0);
    rrl_store_relaxed_u32(&mpsc.cells[2].turn, 3);
    CHECK(!rrl__mpsc_is_valid(&mpsc));
    rrl__spsc_destroy(&spsc);
    rrl__mpsc_destroy(&mpsc);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(a_capacity_is_a_power_of_two),      CHECK_CASE(spsc_holds_exactly_its_capacity),
        CHECK_CASE(spsc_pops_no_more_than_asked),      CHECK_CASE(spsc_carries_null),
        CHECK_CASE(spsc_agrees_with_a_list),           CHECK_CASE(mpsc_agrees_with_a_list),
        CHECK_CASE(mpsc_waits_for_an_unfinished_push), CHECK_CASE(a_damaged_ring_is_not_valid),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
