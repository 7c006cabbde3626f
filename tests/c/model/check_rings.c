/* check_rings.c: the rings of ring.h between threads: nothing lost, doubled or out of order, and what an
 * item points to is complete. */
#include <string.h>

#include "model.h"
#include "ring.h"

/* ---- one producer, one consumer ---------------------------------------------------------------- */

enum { N_SPSC = 3 };

static struct spsc_state {
    rrl_spsc_t ring;
    uint32_t contents[N_SPSC]; /* plain; written just before the push */
    uint32_t n_got, n_pushed;
} *spsc;

static void make_spsc(uint32_t capacity) {
    spsc = aligned_alloc(RRL_CACHE_LINE, sizeof *spsc);
    memset(spsc, 0, sizeof *spsc);
    MODEL_CHECK(rrl__spsc_init(&spsc->ring, capacity) == RRL_OK);
}

static void spsc_1(void) { make_spsc(1); }
static void spsc_2(void) { make_spsc(2); }

static bool push_next(void) {
    spsc->contents[spsc->n_pushed] = spsc->n_pushed + 1;
    if (!rrl__spsc_push(&spsc->ring, &spsc->contents[spsc->n_pushed])) return false;
    spsc->n_pushed++;
    return true;
}

static uint32_t pop_some(uint32_t max) {
    void *items[N_SPSC];
    uint32_t n = rrl__spsc_pop(&spsc->ring, items, max);
    for (uint32_t i = 0; i < n; i++) {
        MODEL_CHECK(items[i] == &spsc->contents[spsc->n_got]);
        spsc->n_got++;
        MODEL_CHECK(spsc->contents[spsc->n_got - 1] == spsc->n_got);
        /* The consumer may do with it as it likes. */
        spsc->contents[spsc->n_got - 1] = 0;
    }
    return n;
}

/* Both go on until all are through. */
static void spsc_all(uint32_t index) {
    if (index == 0) {
        while (spsc->n_pushed < N_SPSC) {
            if (!push_next()) model_yield();
        }
    } else {
        while (spsc->n_got < N_SPSC) {
            if (pop_some(2) == 0) model_yield();
        }
    }
}

/* Each tries a few times: full and empty are answers, and true ones. */
static void spsc_try(uint32_t index) {
    if (index == 0) {
        for (int i = 0; i < N_SPSC; i++) (void)push_next();
    } else {
        for (int i = 0; i < 2; i++) {
            bool is_empty = rrl__spsc_is_empty(&spsc->ring);
            MODEL_CHECK(pop_some(1) == 1 || is_empty);
        }
    }
}

static void spsc_end(void) {
    uint32_t n = spsc->n_got;
    while (pop_some(1)) {
    }
    MODEL_CHECK(spsc->n_got == spsc->n_pushed);
    MODEL_CHECK(spsc->n_pushed >= 1 && spsc->n_got - n <= 2);
    MODEL_CHECK(rrl__spsc_is_valid(&spsc->ring));
    rrl__spsc_destroy(&spsc->ring);
    free(spsc);
}

/* ---- several producers ------------------------------------------------------------------------- */

enum { N_EACH = 2, MAX_PRODUCERS = 3 };

static struct mpsc_state {
    rrl_mpsc_t ring;
    uint32_t contents[MAX_PRODUCERS][N_EACH];
    uint32_t n_pushed[MAX_PRODUCERS], n_got[MAX_PRODUCERS];
    uint32_t n_all;
} *mpsc;

static void mpsc_2(void) {
    mpsc = aligned_alloc(RRL_CACHE_LINE, sizeof *mpsc);
    memset(mpsc, 0, sizeof *mpsc);
    MODEL_CHECK(rrl__mpsc_init(&mpsc->ring, 2) == RRL_OK);
}

static bool mpsc_push(uint32_t producer) {
    uint32_t i = mpsc->n_pushed[producer];
    mpsc->contents[producer][i] = i + 1;
    rrl_inbox_item_t item = {producer, i, -(int64_t)i, &mpsc->contents[producer][i]};
    if (!rrl__mpsc_push(&mpsc->ring, &item)) return false;
    mpsc->n_pushed[producer]++;
    return true;
}

static bool mpsc_pop(void) {
    rrl_inbox_item_t item;
    if (!rrl__mpsc_pop(&mpsc->ring, &item)) return false;
    MODEL_CHECK(item.action < MAX_PRODUCERS);
    uint32_t i = mpsc->n_got[item.action]++;
    MODEL_CHECK(i < N_EACH && item.stamp_ns == i && item.delay_ns == -(int64_t)i);
    MODEL_CHECK(item.ticket == &mpsc->contents[item.action][i]);
    MODEL_CHECK(*(uint32_t *)item.ticket == i + 1);
    *(uint32_t *)item.ticket = 0;
    mpsc->n_all++;
    return true;
}

/* The last thread pops. A full ring is tried again. */
static void mpsc_all(uint32_t index, uint32_t n_producers, uint32_t n_each) {
    if (index < n_producers) {
        while (mpsc->n_pushed[index] < n_each) {
            if (!mpsc_push(index)) model_yield();
        }
    } else {
        while (mpsc->n_all < n_producers * n_each) {
            if (!mpsc_pop()) model_yield();
        }
    }
}

static void mpsc_two(uint32_t index) { mpsc_all(index, 2, 2); }
static void mpsc_three(uint32_t index) { mpsc_all(index, 3, 2); }

/* Each once; what does not fit is refused, and only that. */
static void mpsc_try(uint32_t index) {
    if (index < 2) {
        (void)mpsc_push(index);
    } else {
        (void)mpsc_pop();
    }
}

static void mpsc_end(void) {
    while (mpsc_pop()) {
    }
    uint32_t n_pushed = 0;
    for (uint32_t i = 0; i < MAX_PRODUCERS; i++) n_pushed += mpsc->n_pushed[i];
    MODEL_CHECK(mpsc->n_all == n_pushed);
    MODEL_CHECK(rrl__mpsc_is_valid(&mpsc->ring));
    rrl__mpsc_destroy(&mpsc->ring);
    free(mpsc);
}

static void mpsc_try_end(void) {
    MODEL_CHECK(mpsc->n_pushed[0] == 1 && mpsc->n_pushed[1] == 1); /* there was room for both */
    mpsc_end();
}

const model_check_t model_checks[] = {
    {"spsc_capacity_1", 2, MODEL_BOUND, 4, spsc_1, spsc_all, spsc_end, false},
    {"spsc_capacity_2", 2, MODEL_BOUND, 5, spsc_2, spsc_all, spsc_end, false},
    {"spsc_refuses_at_1", 2, MODEL_FULL, 0, spsc_1, spsc_try, spsc_end, false},
    {"spsc_refuses_at_2", 2, MODEL_FULL, 0, spsc_2, spsc_try, spsc_end, false},
    {"mpsc_room_for_all", 3, MODEL_FULL, 0, mpsc_2, mpsc_try, mpsc_try_end, false},
    {"mpsc_two_producers", 3, MODEL_RANDOM, 200000, mpsc_2, mpsc_two, mpsc_end, false},
    {"mpsc_three_producers", 4, MODEL_RANDOM, 200000, mpsc_2, mpsc_three, mpsc_end, false},
    {0},
};
