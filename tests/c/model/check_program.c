/* check_program.c: whole programs on the real core, and the parts of it that other threads meet: the inbox,
 * the gate, room, holds, stop requests, the end. The host counts references; its own words are relaxed, so
 * that it orders nothing that the core should. */
#include <math.h>
#include <string.h>

#include "model.h"
#include "runtime.h"

enum { MAX_TICKETS = 4, MAX_HANDLED = 8, CHAIN = 2 };

typedef struct payload {
    rrl_atomic_u32_t n_refs;
    uint32_t value;        /* plain */
    struct payload *inner; /* a ticket's */
    bool is_redeemed;
} payload_t;

static struct state {
    rrl_graph_t *g;
    rrl_program_t *p;
    rrl_id_t action;
    bool is_attached[MODEL_MAX_THREADS * 4]; /* [worker * 4]: a word of its own */
    payload_t tickets[MAX_TICKETS], values[MAX_TICKETS + CHAIN * 16];
    uint32_t n_values; /* plain; taken by the source only */
    rrl_atomic_u32_t n_accepted, n_done;
    uint32_t handled[MAX_HANDLED], n_handled; /* by the reaction of the physical action */
    uint32_t n_seen[CHAIN], sum[CHAIN];       /* by the two sinks */
    rrl_view_t action_view, in_views[CHAIN], out_views[CHAIN + 1], back_view;
    rrl_id_t in[CHAIN], out;
} *s;

static char present, absent;

/* ---- the host ------------------------------------------------------------------------------------- */

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
    rrl_add_relaxed_u32(&((payload_t *)payload)->n_refs, 1);
}

static void release(void *ctx, void *const *payloads, size_t n) {
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        payload_t *payload = payloads[i];
        MODEL_CHECK(rrl_sub_acq_rel_u32(&payload->n_refs, 1) > 0);
    }
}

static void *redeem(void *ctx, void *ticket) {
    payload_t *t = ticket;
    MODEL_CHECK(!t->is_redeemed);
    t->is_redeemed = true;
    retain(ctx, t->inner);
    return t->inner;
}

/* Reaction 0 answers the physical action and sets the port; the others, in reactors of their own, read it. */
static rrl_status_t run_reaction(void *ctx, uint32_t index, rrl_id_t reaction) {
    (void)ctx;
    MODEL_CHECK(s->is_attached[index * 4]);
    if (reaction == 0) {
        payload_t *payload = s->action_view.value;
        MODEL_CHECK(s->n_handled < MAX_HANDLED);
        s->handled[s->n_handled++] = payload->value;
        if (s->in[0] == RRL_NONE) return RRL_OK;
        payload_t *value = &s->values[MAX_TICKETS + s->n_values++];
        value->value = payload->value;
        rrl_store_relaxed_u32(&value->n_refs, 1);
        MODEL_CHECK(rrl_port_set(&s->p->workers[index], s->out, value) == RRL_OK);
        return RRL_OK;
    }
    uint32_t i = reaction - 1;
    payload_t *payload = s->in_views[i].value;
    MODEL_CHECK(s->in_views[i].is_present == &present);
    s->n_seen[i]++;
    s->sum[i] += payload->value;
    return RRL_OK;
}

/* ---- building ------------------------------------------------------------------------------------- */

#define MUST(call) MODEL_CHECK((call) == RRL_OK)

static void assemble(uint32_t n_workers, uint32_t capacity, bool has_chain, bool keepalive) {
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
    rrl_options_t options = {
        .n_workers = n_workers, .fast = true, .keepalive = keepalive, .timeout_ns = RRL_FOREVER};
    rrl_action_spec_t spec = {
        .min_spacing_ns = RRL_NO_SPACING, .is_physical = true, .capacity = capacity};
    rrl_cycle_step_t *cycle;
    size_t n_cycle;
    rrl_id_t reactor, reaction;
    s = calloc(1, sizeof *s);
    s->in[0] = RRL_NONE;
    MUST(rrl_graph_create(&s->g));
    MUST(rrl_graph_add_reactor(s->g, 0, &reactor));
    MUST(rrl_graph_add_action(s->g, reactor, RRL_NONE, &spec, &s->action_view, &s->action));
    MUST(rrl_graph_add_reaction(s->g, reactor, RRL_NONE, 1, RRL_NO_DEADLINE, false, &reaction));
    MUST(rrl_graph_declare(s->g, reaction, RRL_TRIGGER, RRL_ACTION, s->action));
    if (has_chain) {
        MUST(rrl_graph_add_port(s->g, reactor, false, &s->out_views[0], &s->out));
        MUST(rrl_graph_declare(s->g, reaction, RRL_EFFECT, RRL_PORT, s->out));
        for (uint32_t i = 0; i < CHAIN; i++) {
            MUST(rrl_graph_add_reactor(s->g, 0, &reactor));
            MUST(rrl_graph_add_port(s->g, reactor, false, &s->in_views[i], &s->in[i]));
            MUST(rrl_graph_connect(s->g, s->out, s->in[i], RRL_NO_DELAY, false, RRL_NONE));
            MUST(rrl_graph_add_reaction(s->g, reactor, RRL_NONE, 2 + i, RRL_NO_DEADLINE, false,
                                        &reaction));
            MUST(rrl_graph_declare(s->g, reaction, RRL_TRIGGER, RRL_PORT, s->in[i]));
        }
    }
    MUST(rrl_program_create(s->g, &options, &host, &s->p, &cycle, &n_cycle));
    rrl_graph_destroy(s->g);
    for (size_t i = 0; i < (size_t)s->p->plan.n_levels * n_workers; i++)
        s->p->slice_ns[i] = INFINITY;
    for (uint32_t l = 0; l < s->p->plan.n_levels; l++) /* every level is worth handing out */
        s->p->enclaves[0].level_costs[l] = (rrl_level_cost_t){INFINITY, 1, 0, UINT32_MAX, false};
    s->p->is_oversubscribed = true; /* park at once */
}

/* With what rrl_program_start leaves to its threads; the start itself is a check of its own. */
static void begin(uint32_t n_workers, uint32_t capacity, bool has_chain, bool keepalive) {
    assemble(n_workers, capacity, has_chain, keepalive);
    rrl_store_relaxed_u32(&s->p->n_running, n_workers);
    s->p->has_run = true;
    rrl_store_relaxed_u32(&s->p->phase, RRL_RUNNING);
}

static void work(uint32_t index) { rrl__worker_main(&s->p->workers[index]); }

static rrl_status_t push(uint32_t i) {
    payload_t *t = &s->tickets[i];
    rrl_tag_t tag;
    s->values[i].value = i + 1;
    rrl_store_relaxed_u32(&s->values[i].n_refs, 1);
    t->inner = &s->values[i];
    rrl_store_relaxed_u32(&t->n_refs, 1);
    rrl_status_t rc = rrl_schedule_physical(s->p, s->action, 0, t, &tag);
    if (rc == RRL_OK) rrl_add_relaxed_u32(&s->n_accepted, 1);
    return rc;
}

static void free_all(void) {
    rrl_program_destroy(s->p);
    free(s);
}

/* Every reference is back, whatever became of the event. */
static void check_references(uint32_t n_tickets) {
    for (uint32_t i = 0; i < n_tickets; i++) {
        bool was_accepted = s->tickets[i].is_redeemed;
        uint32_t own = was_accepted ? 0 : 1; /* a refused push leaves the ticket's reference */
        MODEL_CHECK(rrl_load_relaxed_u32(&s->tickets[i].n_refs) == own);
        MODEL_CHECK(rrl_load_relaxed_u32(&s->values[i].n_refs) == 1); /* the test's own */
    }
    for (uint32_t i = 0; i < s->n_values; i++)
        MODEL_CHECK(rrl_load_relaxed_u32(&s->values[MAX_TICKETS + i].n_refs) == 0);
}

static uint32_t n_redeemed(void) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < MAX_TICKETS; i++) n += s->tickets[i].is_redeemed;
    return n;
}

/* ---- the gate: at the end a push was either taken over or turned away ------------------------------ */

static void gate_begin(void) { begin(1, 2, false, true); }

/* Thread 0 does what the coordinator's end() does. */
static void gate(uint32_t index) {
    if (index > 0) {
        rrl_status_t rc = push(index - 1);
        MODEL_CHECK(rc == RRL_OK || rc == RRL_STOPPED);
        return;
    }
    rrl__close_gate(&s->p->enclaves[0]);
    rrl__drain_inbox(&s->p->enclaves[0]);
    rrl__attach(&s->p->workers[0]);
    rrl__discard_pending(&s->p->enclaves[0]);
    rrl__release_garbage(&s->p->enclaves[0]);
}

static void gate_end(void) {
    MODEL_CHECK(n_redeemed() == rrl_load_relaxed_u32(&s->n_accepted));
    MODEL_CHECK(rrl__mpsc_is_empty(&s->p->enclaves[0].inbox));
    check_references(0);
    free_all();
}

/* ---- room: who waits for it does not sleep over it -------------------------------------------------- */

static void room_begin(void) { begin(1, 1, false, true); }

/* Thread 0 drains until all that the others push has come. */
static void room(uint32_t index, uint32_t n_pushers) {
    if (index > 0) {
        while (push(index - 1) == RRL_FULL)
            MODEL_CHECK(rrl_wait_for_room(s->p, s->action, RRL_FOREVER) == RRL_OK);
        return;
    }
    rrl_pending_t *q = &s->p->triggers[s->p->first_action_trigger + s->action].pending;
    while (q->n < n_pushers) {
        rrl__drain_inbox(&s->p->enclaves[0]);
        if (q->n < n_pushers) model_yield();
    }
}

static void room_two(uint32_t index) { room(index, 2); }
static void room_three(uint32_t index) { room(index, 3); }

/* One waits, the others give up at once, so that nobody comes later and wakes it by chance. */
static void room_full_begin(void) {
    begin(1, 1, false, true);
    MODEL_CHECK(push(3) == RRL_OK);
}

static void room_patient(uint32_t index) {
    if (index == 1) {
        room(1, 1);
        rrl_add_relaxed_u32(&s->n_done, 1);
    } else if (index > 1) {
        (void)push(index - 1);
    } else {
        while (rrl_load_relaxed_u32(&s->n_done) == 0) {
            rrl__drain_inbox(&s->p->enclaves[0]);
            model_yield();
        }
        rrl__drain_inbox(&s->p->enclaves[0]);
    }
}

static void room_end(void) {
    rrl__drain_inbox(&s->p->enclaves[0]);
    rrl_store_relaxed_u32(&s->p->phase, RRL_ENDED);
    rrl__attach(&s->p->workers[0]);
    rrl__discard_pending(&s->p->enclaves[0]);
    rrl__release_garbage(&s->p->enclaves[0]);
    MODEL_CHECK(n_redeemed() == rrl_load_relaxed_u32(&s->n_accepted));
    free_all();
}

/* Who waits for room when the program ends is told so. */
static void room_or_end(uint32_t index) {
    if (index > 0) {
        rrl_status_t rc;
        while ((rc = push(index - 1)) == RRL_FULL) {
            rc = rrl_wait_for_room(s->p, s->action, RRL_FOREVER);
            if (rc == RRL_STOPPED) break;
            MODEL_CHECK(rc == RRL_OK);
        }
        MODEL_CHECK(rc == RRL_OK || rc == RRL_STOPPED);
        return;
    }
    gate(0);
}

/* ---- whole programs --------------------------------------------------------------------------------- */

/* The push is made under a hold, which is let go at once: it is handled, and then the program ends. */
static void hold_begin(void) {
    begin(1, 2, false, false);
    rrl_program_hold(s->p, RRL_NONE, true);
}

static void hold(uint32_t index) {
    if (index == 0) {
        work(0);
    } else {
        MODEL_CHECK(push(0) == RRL_OK);
        rrl_program_hold(s->p, RRL_NONE, false);
    }
}

static void hold_end(void) {
    MODEL_CHECK(s->n_handled == 1 && s->handled[0] == 1);
    check_references(1);
    free_all();
}

/* A stop from outside reaches a program that idles; pushes beside it are handled, dropped or refused. */
static void stop_begin(void) { begin(1, 2, false, true); }

static void stop(uint32_t index) {
    if (index == 0) {
        work(0);
    } else if (index == 1) {
        rrl_program_request_stop(s->p);
        MODEL_CHECK(rrl_program_wait(s->p, RRL_FOREVER) == RRL_OK);
    } else {
        rrl_status_t rc = push(0);
        MODEL_CHECK(rc == RRL_OK || rc == RRL_STOPPED);
    }
}

static void stop_end(void) {
    MODEL_CHECK(n_redeemed() == rrl_load_relaxed_u32(&s->n_accepted));
    MODEL_CHECK(s->n_handled <= 1);
    check_references(1);
    free_all();
}

/* Two workers, a source and two sinks in different homes, a pusher with two events, who then waits. */
static void program_begin(void) {
    begin(2, 2, true, false);
    rrl_program_hold(s->p, RRL_NONE, true);
}

static void program_spinning(void) {
    program_begin();
    s->p->is_oversubscribed = false;
    model_clock_step(30000);
}

static void program(uint32_t index) {
    if (index < 2) {
        work(index);
        return;
    }
    MODEL_CHECK(push(0) == RRL_OK);
    MODEL_CHECK(push(1) == RRL_OK);
    rrl_program_hold(s->p, RRL_NONE, false);
    MODEL_CHECK(rrl_program_wait(s->p, RRL_FOREVER) == RRL_OK);
    /* What the workers wrote is visible after the wait. */
    rrl_stats_t stats;
    rrl_program_stats(s->p, &stats);
    MODEL_CHECK(stats.n_reactions == 6 && stats.status == RRL_OK);
    for (uint32_t i = 0; i < 2; i++) {
        rrl_worker_stats_t ws;
        rrl_program_worker_stats(s->p, i, &ws);
        MODEL_CHECK(ws.n_reactions <= 6 && ws.parked_ns >= 0);
    }
    MODEL_CHECK(s->n_handled == 2 && s->handled[0] == 1 && s->handled[1] == 2);
    for (uint32_t i = 0; i < CHAIN; i++) MODEL_CHECK(s->n_seen[i] == 2 && s->sum[i] == 3);
}

static void program_end(void) {
    check_references(2);
    free_all();
}

/* Two workers start, and nothing happens before both are ready; what the start has written is seen. */
static void start_begin(void) {
    assemble(2, 2, false, true);
    model_clock_step(1);
}

static void start(uint32_t index) {
    if (index < 2) {
        while (!model_is_started(index)) model_yield();
        model_run_started(index);
        return;
    }
    MODEL_CHECK(rrl_program_start(s->p) == RRL_OK);
    MODEL_CHECK(rrl_load_relaxed_u32(&s->p->n_started) == 2);
    rrl_program_request_stop(s->p);
    MODEL_CHECK(rrl_program_wait(s->p, RRL_FOREVER) == RRL_OK);
}

static void start_end(void) { free_all(); }

const model_check_t model_checks[] = {
    {"start", 3, MODEL_BOUND, 1, start_begin, start, start_end, false},
    {"gate", 2, MODEL_BOUND, 4, gate_begin, gate, gate_end, false},
    {"gate_two_pushers", 3, MODEL_BOUND, 2, gate_begin, gate, gate_end, false},
    {"room", 3, MODEL_BOUND, 1, room_begin, room_two, room_end, false},
    {"room_three_pushers", 4, MODEL_RANDOM, 50000, room_begin, room_three, room_end, true},
    {"room_beside_others", 3, MODEL_RANDOM, 100000, room_full_begin, room_patient, room_end, false},
    {"room_or_end", 3, MODEL_BOUND, 2, room_begin, room_or_end, gate_end, false},
    {"hold", 2, MODEL_BOUND, 3, hold_begin, hold, hold_end, false},
    {"stop", 3, MODEL_BOUND, 1, stop_begin, stop, stop_end, false},
    {"stop_at_random", 3, MODEL_RANDOM, 50000, stop_begin, stop, stop_end, true},
    {"program_parking", 3, MODEL_RANDOM, 20000, program_begin, program, program_end, true},
    {"program_spinning", 3, MODEL_RANDOM, 20000, program_spinning, program, program_end, true},
    {0},
};
