/* check_enclaves.c: programs of two enclaves on the real core: what comes out does not depend on the
 * interleaving; nobody waits for ever; a pause is one, and shows what was done before it. */
#include <string.h>

#include "model.h"
#include "runtime.h"

/* Enclave 0: a timer, whose reaction sets a port; enclave 1 reads it later and answers; enclave 0 reads the
 * answer. Payloads are numbers, which nobody counts. */
enum { TICK, FORWARD, ANSWERED, N_REACTIONS };

static struct state {
    rrl_graph_t *g;
    rrl_program_t *p;
    bool is_attached[8]; /* [worker * 4]: a word of its own */
    rrl_id_t out[2], in[2];
    rrl_view_t out_view[2], in_view[2], timer_view, action_view;
    uint32_t n_run[N_REACTIONS]; /* plain; the enclave's whose the reaction is */
    uint64_t seen[2];            /* what came, mixed with its tag */
    rrl_id_t action;
    rrl_atomic_u32_t n_redeemed;
} *s;

/* Of the first interleaving. */
static uint64_t expected_hash, expected_seen[2];
static bool is_expected;

static char present, absent;

static rrl_status_t thread_start(void *ctx, rrl_worker_t *w, uint32_t index) {
    (void)ctx;
    (void)w;
    (void)index;
    return RRL_OK;
}

static void thread_stop(void *ctx, uint32_t index) {
    (void)ctx;
    (void)index;
}

static void attach(void *ctx, uint32_t index) {
    (void)ctx;
    MODEL_CHECK(!s->is_attached[index * 4]);
    s->is_attached[index * 4] = true;
}

static void detach(void *ctx, uint32_t index) {
    (void)ctx;
    MODEL_CHECK(s->is_attached[index * 4]);
    s->is_attached[index * 4] = false;
}

static void retain(void *ctx, void *payload) {
    (void)ctx;
    (void)payload;
}

static void release(void *ctx, void *const *payloads, size_t n) {
    (void)ctx;
    (void)payloads;
    (void)n;
}

static void *redeem(void *ctx, void *ticket) {
    (void)ctx;
    rrl_add_relaxed_u32(&s->n_redeemed, 1);
    return ticket;
}

static void set(uint32_t index, uint32_t port, uint64_t value) {
    void *payload = (void *)(uintptr_t)value;
    MODEL_CHECK(rrl_port_set(&s->p->workers[index], s->out[port], payload) == RRL_OK);
}

static rrl_status_t run_reaction(void *ctx, uint32_t index, rrl_id_t reaction) {
    (void)ctx;
    MODEL_CHECK(s->is_attached[index * 4]);
    s->n_run[reaction]++;
    rrl_tag_t tag = rrl_worker_tag(&s->p->workers[index]);
    if (reaction == TICK) {
        set(index, 0, 100 + (uint64_t)tag.time_ns);
        return RRL_OK;
    }
    uint32_t port = reaction == FORWARD ? 0 : 1;
    uint64_t came = (uintptr_t)s->in_view[port].value;
    s->seen[port] = rrl__mix(s->seen[port] + came * 1000 + (uint64_t)tag.time_ns);
    if (reaction == FORWARD && came) set(index, 1, came + 1);
    return RRL_OK;
}

#define MUST(call) MODEL_CHECK((call) == RRL_OK)

static void begin(rrl_options_t options, bool has_action) {
    rrl_host_t host = {.present = &present,
                       .absent = &absent,
                       .thread_start = thread_start,
                       .thread_stop = thread_stop,
                       .attach = attach,
                       .detach = detach,
                       .run_reaction = run_reaction,
                       .run_handler = run_reaction,
                       .retain = retain,
                       .release = release,
                       .redeem = redeem};
    rrl_action_spec_t spec = {.min_spacing_ns = RRL_NO_SPACING, .is_physical = true, .capacity = 2};
    rrl_cycle_step_t *cycle;
    size_t n_cycle;
    rrl_id_t enclave, reactor[2], timer, reaction[N_REACTIONS];
    s = calloc(1, sizeof *s);
    MUST(rrl_graph_create(&s->g));
    MUST(rrl_graph_add_reactor(s->g, 0, &reactor[0]));
    MUST(rrl_graph_add_timer(s->g, reactor[0], RRL_NONE, 0, 1, &s->timer_view, &timer));
    MUST(rrl_graph_add_port(s->g, reactor[0], false, &s->out_view[0], &s->out[0]));
    MUST(rrl_graph_add_port(s->g, reactor[0], false, &s->in_view[1], &s->in[1]));
    MUST(rrl_graph_add_enclave(s->g, 1, 1, &enclave));
    MUST(rrl_graph_add_reactor(s->g, enclave, &reactor[1]));
    MUST(rrl_graph_add_port(s->g, reactor[1], false, &s->in_view[0], &s->in[0]));
    MUST(rrl_graph_add_port(s->g, reactor[1], false, &s->out_view[1], &s->out[1]));
    for (uint32_t r = 0; r < N_REACTIONS; r++) {
        rrl_id_t owner = reactor[r == FORWARD];
        MUST(rrl_graph_add_reaction(s->g, owner, RRL_NONE, r + 1, RRL_NO_DEADLINE, false,
                                    &reaction[r]));
    }
    MUST(rrl_graph_declare(s->g, reaction[TICK], RRL_TRIGGER, RRL_TIMER, timer));
    MUST(rrl_graph_declare(s->g, reaction[TICK], RRL_EFFECT, RRL_PORT, s->out[0]));
    MUST(rrl_graph_declare(s->g, reaction[FORWARD], RRL_TRIGGER, RRL_PORT, s->in[0]));
    MUST(rrl_graph_declare(s->g, reaction[FORWARD], RRL_EFFECT, RRL_PORT, s->out[1]));
    MUST(rrl_graph_declare(s->g, reaction[ANSWERED], RRL_TRIGGER, RRL_PORT, s->in[1]));
    if (has_action) { /* of enclave 1: answers with what it has not got, so with nothing */
        MUST(rrl_graph_add_action(s->g, reactor[1], RRL_NONE, &spec, &s->action_view, &s->action));
        MUST(rrl_graph_declare(s->g, reaction[FORWARD], RRL_TRIGGER, RRL_ACTION, s->action));
    }
    MUST(rrl_graph_connect(s->g, s->out[0], s->in[0], 1, false, RRL_NONE));
    MUST(rrl_graph_connect(s->g, s->out[1], s->in[1], 0, false, RRL_NONE));
    options.n_workers = 1;
    MUST(rrl_program_create(s->g, &options, &host, &s->p, &cycle, &n_cycle));
    rrl_graph_destroy(s->g);
    s->p->is_oversubscribed = true; /* no spinning */
    /* What rrl_program_start leaves to its threads; check_program has the start itself. */
    rrl_store_relaxed_u32(&s->p->n_running, 2);
    s->p->has_run = true;
    rrl_store_relaxed_u32(&s->p->phase, RRL_RUNNING);
}

/* Threads 0 and 1 are the enclaves. */
static void work(uint32_t index) { rrl__worker_main(&s->p->workers[index]); }

static void check_same(void) {
    rrl_stats_t stats;
    rrl_program_stats(s->p, &stats);
    MODEL_CHECK(stats.status == RRL_OK);
    if (!is_expected) {
        is_expected = true;
        expected_hash = stats.trace_hash;
        memcpy(expected_seen, s->seen, sizeof expected_seen);
    }
    MODEL_CHECK(stats.trace_hash == expected_hash);
    MODEL_CHECK(s->seen[0] == expected_seen[0] && s->seen[1] == expected_seen[1]);
}

static void free_all(void) {
    rrl_program_destroy(s->p);
    free(s);
}

static void end_same(void) {
    MODEL_CHECK(s->n_run[TICK] == 3 && s->n_run[FORWARD] == 2 && s->n_run[ANSWERED] == 1);
    check_same();
    free_all();
}

/* ---- by themselves -------------------------------------------------------------------------------- */

static void two_begin(void) { begin((rrl_options_t){.fast = true, .timeout_ns = 2}, false); }

static void two(uint32_t index) {
    if (index < 2) {
        work(index);
        return;
    }
    MODEL_CHECK(rrl_program_wait(s->p, RRL_FOREVER) == RRL_OK);
    MODEL_CHECK(s->n_run[TICK] == 3 && s->n_run[FORWARD] == 2);
}

/* The clock goes on by itself. */
static void timed_begin(void) { begin((rrl_options_t){.timeout_ns = 2}, false); }

static void virtual_begin(void) {
    begin((rrl_options_t){.virtual_clock = true, .timeout_ns = 2}, false);
}

/* ---- beside others -------------------------------------------------------------------------------- */

static void stop_begin(void) {
    begin((rrl_options_t){.fast = false, .keepalive = true, .timeout_ns = RRL_FOREVER}, true);
    model_clock_step(1);
}

/* A push into enclave 1, and then a stop. */
static void stop(uint32_t index) {
    if (index < 2) {
        work(index);
        return;
    }
    rrl_tag_t tag;
    rrl_status_t rc = rrl_schedule_physical(s->p, s->action, 0, &present, &tag);
    MODEL_CHECK(rc == RRL_OK);
    rrl_program_request_stop(s->p);
    MODEL_CHECK(rrl_program_wait(s->p, RRL_FOREVER) == RRL_OK);
}

static void stop_end(void) {
    MODEL_CHECK(rrl_load_relaxed_u32(&s->n_redeemed) == 1);
    free_all();
}

/* ---- step by step --------------------------------------------------------------------------------- */

static void step_begin(void) {
    begin((rrl_options_t){.fast = true, .stepped = true, .timeout_ns = 2}, false);
}

static void step(uint32_t index) {
    if (index < 2) {
        work(index);
        return;
    }
    rrl_tag_t next;
    MODEL_CHECK(rrl_program_wait_for_pause(s->p, RRL_FOREVER, &next) == RRL_OK);
    MODEL_CHECK(next.time_ns == 0 && s->n_run[TICK] == 0);
    for (int64_t t = 0; t < 2; t++) {
        rrl_program_step(s->p, (rrl_tag_t){t, UINT32_MAX});
        MODEL_CHECK(rrl_program_wait_for_pause(s->p, RRL_FOREVER, &next) == RRL_OK);
        MODEL_CHECK(next.time_ns == t + 1);
        MODEL_CHECK(s->n_run[TICK] == t + 1 && s->n_run[FORWARD] == t);
    }
    rrl_program_step(s->p, (rrl_tag_t){2, UINT32_MAX});
    MODEL_CHECK(rrl_program_wait_for_pause(s->p, RRL_FOREVER, &next) == RRL_STOPPED);
    MODEL_CHECK(rrl_program_wait(s->p, RRL_FOREVER) == RRL_OK);
}

const model_check_t model_checks[] = {
    {"two_enclaves", 3, MODEL_RANDOM, 10000, two_begin, two, end_same, false},
    {"two_bounded", 3, MODEL_BOUND, 1, two_begin, two, end_same, false},
    {"two_on_a_clock", 3, MODEL_RANDOM, 10000, timed_begin, two, end_same, true},
    {"two_on_a_virtual_clock", 3, MODEL_RANDOM, 10000, virtual_begin, two, end_same, true},
    {"push_and_stop", 3, MODEL_RANDOM, 10000, stop_begin, stop, stop_end, true},
    {"stepped", 3, MODEL_RANDOM, 20000, step_begin, step, end_same, true},
    {0},
};
