/* runtime.h: the state of a running program, shared by scheduler.c, pool.c, actions.c and program.c.
 *
 * Who touches what:
 *   const plan, options, host   everybody, read only
 *   an enclave                  its coordinator and its workers
 *   coordinator's               the worker that finished the last reaction of a level (I9); the role moves
 *                               with the level barrier, which orders one coordinator's writes before the
 *                               next one's reads
 *   worker's own                that worker inside a body; the coordinator between levels
 *   atomics                     as said at each field
 */
#ifndef RRL_RUNTIME_H
#define RRL_RUNTIME_H

#include "atomic.h"
#include "enclaves.h"
#include "event_queue.h"
#include "hash.h"
#include "pending.h"
#include "plan.h"
#include "platform.h"
#include "ring.h"
#include "tag.h"
#include "trace.h"

/* A logical or physical action, or a delay: what is scheduled for it. */
typedef struct rrl_trigger_state {
    rrl_pending_t pending;
    rrl_tag_t last_tag;   /* given to the latest event, handled or not; time RRL_NEVER: none yet */
    uint64_t last_serial; /* of that event */
    /* Physical: pushes in the inbox, at most the capacity. Added to by pushers, subtracted from by the
     * coordinator before it announces room. */
    rrl_atomic_u32_t n_waiting;
} rrl_trigger_state_t;

/* See modes.h. The coordinator's; bodies read is_active. */
typedef struct rrl_mode_state {
    rrl_tag_t left;      /* where its time stands still while it is not active */
    bool is_current;     /* of the modes of its reactor */
    bool is_active;      /* and so are all around it */
    bool is_active_next; /* equal to is_active but while transitions take effect */
    bool was_active;     /* ever */
    bool is_fresh;       /* its timers start when it becomes active next */
    bool by_reset;       /* and that counts as an entry by reset */
} rrl_mode_state_t;

/* A reactor with modes. */
typedef struct rrl_modal {
    rrl_id_t current;
    /* Asked for at this tag, or RRL_NONE. Its reaction's in a body, and these never run at once. */
    rrl_id_t next;
    bool by_reset;
} rrl_modal_t;

typedef struct rrl_enclave rrl_enclave_t;

typedef struct rrl_missed {
    rrl_tag_t tag;
    rrl_id_t reaction;
} rrl_missed_t;

typedef struct rrl_wake {
    rrl_tag_t tag;
    uint32_t trigger; /* as rrl_program.triggers counts */
} rrl_wake_t;

/* What a reaction of a level costs on the wall clock, run by the coordinator alone or handed out; 0: not
 * known. The cheaper way is taken, and the other tried again now and then. */
typedef struct rrl_level_cost {
    float inline_ns;
    float published_ns;
    uint32_t age;      /* runs since the other way was tried */
    uint32_t interval; /* after so many it is tried again */
    bool is_waking;    /* the others were woken for a trial */
} rrl_level_cost_t;

/* Present channels of a multiport, filled by the coordinator, sorted by the only reactor that reads it. */
typedef struct rrl_present {
    uint32_t *channels;
    uint32_t n;
    bool is_sorted;
} rrl_present_t;

/* The claim word of a worker: what is left of its slice of the published level, and whether it sleeps.
 *
 *      63       17     16     15      8 7        0
 *     [   epoch   | parked | n chunks | next chunk ]
 *
 * One word, so that claiming, publishing and parking are each one atomic step: a publisher exchanges the
 * word and sees in the old one whether it must wake the owner, who parks only by exchanging exactly the
 * word that showed it nothing to do. The epoch counts publications, so that a late thief's claim fails.
 * A slice of cheap reactions is one chunk; a slice of long ones has many, which others may steal. */
#define RRL_CLAIM_MAX_CHUNKS 255u
#define RRL_CLAIM_PARKED (1ull << 16)
#define RRL_CLAIM_EPOCH (1ull << 17)

static inline uint32_t rrl__claim_next(uint64_t word) { return (uint32_t)(word & 0xFF); }

static inline uint32_t rrl__claim_chunks(uint64_t word) { return (uint32_t)(word >> 8 & 0xFF); }

struct rrl_worker {
    /* Written by publishers, thieves and the owner. A publisher's release publishes the slice and all that
     * the coordinator wrote before; it pairs with the acquire in claim_chunk(). */
    RRL_ALIGNED_LINE rrl_atomic_u64_t claim;
    /* The publisher's; read by who has claimed a chunk, which keeps them in place. */
    const uint32_t *slice; /* the published reactions */
    uint32_t slice_n;
    uint32_t chunk; /* reactions in a chunk; the last one may be shorter */
    uint32_t slot;  /* where slice_ns of the slice is */
    /* The publisher's while the owner is parked, then the owner's. */
    bool is_kept_off; /* its waker's processor */
    rrl__cpus_t cpus; /* those it may use otherwise */

    /* The owner's, in a body or between. */
    RRL_ALIGNED_LINE rrl_program_t *program;
    rrl_enclave_t *enclave;
    uint32_t index;            /* among all of the program */
    uint32_t rank;             /* among those of its enclave */
    rrl_atomic_u32_t reaction; /* running now, or RRL_NONE; relaxed: others only describe it */
    bool is_attached;
    bool is_soon; /* more work is expected soon enough to spin for it, see pool.c */
    uint32_t n_vain,
        n_short; /* wakes without a long spin: after the last in vain, and still to come */
    bool wants_stop;
    int64_t advance_ns;       /* virtual clock: what the running body has taken so far */
    int64_t level_advance_ns; /* the longest of its bodies at this level */
    uint64_t hash;            /* sum over what happened at this tag, see rrl__mix */
    uint32_t *set_cells;      /* ports first set, and copies made, at this tag, in order */
    uint32_t n_set;
    uint32_t n_merged, n_forwarded; /* of these, seen by the coordinator: marked, carried on */
    rrl_wake_t *wakes;              /* events scheduled at this tag */
    uint32_t n_wakes, cap_wakes;
    uint32_t *modals_set; /* reactors for which a transition was first asked for at this tag */
    uint32_t n_modals_set;
    uint32_t *channels; /* as wide as the widest multiport: an answer of rrl_multiport_present */
    uint32_t *failed;   /* reactions that raised at this level */
    uint32_t n_failed, cap_failed;
    uint64_t n_stolen, n_allocations, n_dropped;
    uint64_t n_rescued; /* slices of workers that did not come */
    uint64_t n_visits;  /* own slices begun */
    uint32_t n_stale;   /* wakes that cancelled events left behind, at this tag */
    bool is_past_stop;  /* an event was dropped because it lies past the stop tag */
    int64_t end_ns;     /* of the clock; 0: it has not left */
    /* The owner's, too; relaxed, for who looks on from outside: */
    rrl_atomic_u64_t n_reactions;
    rrl_atomic_i64_t spinning_ns, parked_ns;
    rrl_atomic_i64_t asleep_since_ns; /* of the clock; 0: it is awake */
    int32_t cpu;
    int32_t thread_id;
    rrl_spsc_t *
        returns; /* by the coordinator's rank: payloads that this worker set, to be released here */
    rrl_atomic_u32_t
        has_returns; /* a coordinator has pushed; release pairs with take_returns' acquire */
    rrl_lane_t lane;
    rrl_mark_t mark;
    rrl__thread_t thread;
};

enum { RRL_BELL_QUIET, RRL_BELL_RUNG, RRL_BELL_SLEEPING };
enum { RRL_CREATED, RRL_RUNNING, RRL_ENDED, RRL_FORGOTTEN };
#define RRL_GATE_CLOSED (1u << 31)

/* One time line: its tags, its queue, its workers. Enclaves share nothing that is written but what goes
 * through the ledger (enclaves.c), and each slot, cell and trigger belongs to one of them. */
struct rrl_enclave {
    rrl_program_t *program;
    uint32_t index;
    uint32_t first_worker; /* its number among all */
    uint32_t n_workers;
    rrl_worker_t *workers; /* the first of its own */

    /* The coordinator's. */
    rrl_event_queue_t events;
    rrl_tag_t tag;
    uint64_t epoch;         /* of the tag, from 1 */
    bool is_new_tag;        /* no body of it has begun; for a trace */
    rrl_tag_t stop_tag;     /* only ever lowered; written between tags, or when a body raised */
    bool tells_stop;        /* at this tag it asked for a stop, which others have not been told */
    bool is_unwinding;      /* a body raised, or time ran out: only shutdown reactions are left */
    uint64_t *ready_levels; /* a bit for each level with ready reactions */
    uint32_t level_word;    /* no level below 64 times this is ready */
    uint32_t *event_cells;  /* cells that events made present at this tag */
    uint32_t n_event_cells;
    uint32_t *forwarded;            /* forwards that have filled their cells at this tag */
    uint32_t n_forwarded, n_marked; /* n_marked: of these, marked present */
    uint32_t *modals_set;           /* those of all workers, at the end of a tag */
    uint32_t *mode_stack;           /* modes yet to be visited */
    bool must_filter;               /* a stale wake lies beyond the stop tag */
    void **garbage;                 /* payloads to release together */
    uint32_t n_garbage, cap_garbage;
    uint32_t *physical; /* delays to stamp with the clock at the end of a tag */
    uint32_t n_physical;
    bool has_physical_delays;
    uint64_t n_stale; /* wakes of cancelled events still in the queue, about */
    uint64_t publications;
    rrl_level_cost_t *level_costs; /* by level */
    float credit_ns;               /* gain forgone because workers were parked */
    uint32_t timed_level;          /* of the level handed out, or RRL_NONE: its time says nothing */
    uint32_t timed_n;              /* its reactions */
    int64_t timed_since_ns;        /* of the clock */
    uint64_t n_levels_run;
    uint64_t trace_hash, n_events, n_allocations, n_dropped;
    rrl_lane_t lane;
    rrl_tag_t last_stamp; /* given to a value of a physical connection, before its delay */
    bool is_past_stop;    /* something was due after the stop tag: not starved, but timed out */
    int64_t end_ns;       /* of the clock; 0: not yet */
    rrl_status_t status;  /* why it ended early: RRL_E_NOMEM, or RRL_OK */

    /* Of another enclave or a recorded run: becomes the stop tag when it is reached, as until then nobody
     * can tell when the order came. */
    rrl_tag_t ordered_stop;

    /* With a ledger: */
    rrl_tag_t floor; /* as it was at the last exchange: what comes from outside lands behind it */
    rrl_mailbox_t outbox;  /* sent to other enclaves at this tag */
    rrl_mailbox_t inbound; /* from other enclaves, being taken over */
    uint32_t n_taken;      /* events of others processed or dropped since the last exchange */

    /* Reactions of the published level not yet finished. Every visit subtracts what it ran (release); the
     * one that reaches 0 (acquire) sees all of them and becomes the coordinator (I6). */
    RRL_ALIGNED_LINE rrl_atomic_u32_t left;
    /* The coordinator has ended; release before the last publication, acquire in the pool. */
    rrl_atomic_u32_t is_quitting;
    /* Relaxed, for who looks on from outside: */
    rrl_atomic_i64_t shown_time_ns; /* of the tag */
    rrl_atomic_u64_t n_tags;
    rrl_atomic_u32_t is_idle; /* waits for its next tag */

    /* The outside. */
    RRL_ALIGNED_LINE rrl_mpsc_t inbox;
    rrl_atomic_u32_t bell; /* RRL_BELL_*; exchanged by ringers and by the waiting coordinator */
    /* Threads inside rrl_schedule_physical, and the bit that turns away all that come later: in one word, so
     * that the end either sees a pusher or is seen by it. */
    rrl_atomic_u32_t gate;
    rrl_atomic_u32_t n_holds; /* open producers */
    rrl_atomic_u32_t
        room; /* counts drains of the inbox, times two; bit 0: somebody waits for the next */
    rrl_atomic_u32_t stop_requested; /* from outside */
    rrl_atomic_u32_t is_awake;       /* has answered the bell, and not said since that it waits */
};

struct rrl_program {
    rrl_plan_t plan;
    rrl_options_t options;
    rrl_host_t host;
    rrl_enclave_t *enclaves;
    rrl_ledger_t *ledger;  /* NULL: one enclave and a real clock */
    rrl_worker_t *workers; /* enclave by enclave */

    /* Values of the current tag. Written by the worker that sets, or the coordinator. */
    void **cells;
    rrl_present_t *present; /* by multiport */

    /* By trigger: delays, then actions; its enclave's coordinator's. Timers come next, and then the entries
     * of modes: by mode reset, then startup. */
    rrl_trigger_state_t *triggers;
    uint32_t n_triggers, first_action_trigger, first_timer_trigger, first_entry_trigger;

    /* NULL in a program without modes. */
    rrl_mode_state_t *modes;
    rrl_modal_t *modals;
    rrl_id_t *trigger_mode;  /* by trigger: where it lies, or RRL_NONE */
    rrl_csr_t mode_triggers; /* by mode: what lies in it and in no inner one */
    rrl_tag_t *timer_due;    /* by timer: its next tag; time RRL_FOREVER: none */

    uint64_t *queued_epoch; /* by reaction: the tag at which it was last queued (I4) */
    uint32_t *ready;        /* the reaction queue: a slot for each reaction, see plan.slot_begin */
    uint32_t *n_ready;      /* by slot */
    float *slice_ns;        /* by slot: mean cost of one of its reactions; 0: not known */
    int64_t start_ns;       /* of the clock */
    /* A virtual clock. Added to by the coordinator whose turn it is and, under the ledger's lock, from outside;
     * set under the lock while all wait. */
    rrl_atomic_i64_t virtual_ns;
    uint64_t *misses;         /* by reaction: deadlines missed; the worker's that runs it */
    rrl_missed_t *fed_misses; /* those of a recorded run, sorted once it starts */
    uint32_t n_fed_misses, cap_fed_misses;

    /* By reaction, written by the worker that runs it. */
    uint64_t *counts;
    int64_t *spent_ns; /* with profile */

    rrl_atomic_u32_t
        phase; /* RRL_CREATED ...; futex of rrl_program_wait. Release publishes the reports */
    rrl_atomic_u32_t
        n_running; /* workers that have not left; the last one (acq_rel) announces the end */
    rrl_atomic_u32_t n_started; /* threads that thread_start has returned for; futex of the start */
    rrl_atomic_u32_t is_refused; /* by some thread_start */
    bool has_run;
    bool is_oversubscribed; /* fewer usable processors than workers: never spin */
    uint32_t n_usable_cpus;
};

/* Of the enclave's first worker at this level. */
static inline size_t rrl__first_slot(const rrl_enclave_t *e, uint32_t level) {
    return (size_t)level * e->program->plan.n_workers + e->first_worker;
}

static inline void rrl__attach(rrl_worker_t *w) {
    if (w->is_attached) return;
    w->program->host.attach(w->program->host.ctx, w->index);
    w->is_attached = true;
}

static inline void rrl__detach(rrl_worker_t *w) {
    if (!w->is_attached) return;
    w->is_attached = false;
    w->program->host.detach(w->program->host.ctx, w->index);
}

/* The program's clock: ns since the start. Bodies of one level of a virtual clock see one time. */
static inline int64_t rrl__elapsed_ns(const rrl_program_t *p) {
    /* relaxed: the level barrier, or the ledger's lock */
    return p->options.virtual_clock ? rrl_load_relaxed_i64(&p->virtual_ns)
                                    : rrl__clock_ns() - p->start_ns;
}

/* One writer's counters; relaxed: others only look on. */
static inline void rrl__count(rrl_atomic_u64_t *counter, uint64_t n) {
    rrl_store_relaxed_u64(counter, rrl_load_relaxed_u64(counter) + n);
}

static inline void rrl__count_ns(rrl_atomic_i64_t *counter, int64_t ns) {
    rrl_store_relaxed_i64(counter, rrl_load_relaxed_i64(counter) + ns);
}

/* What comes from outside lands after this tag: others may have gone on relying on it. */
static inline rrl_tag_t rrl__present_of(const rrl_enclave_t *e) {
    return e->program->ledger && rrl_tag_is_before(e->tag, e->floor) ? e->floor : e->tag;
}

/* The mean cost of a reaction, with one more sample of n. A preempted sample says too much by orders of
 * magnitude, so a rise is bounded; nothing says too little, so a fall to less than half is believed. */
static inline float rrl__learn(float mean, int64_t elapsed_ns, uint32_t n) {
    float sample = (float)elapsed_ns / (float)n + 1.0f; /* never 0, which means unknown */
    if (mean == 0 || sample < mean * 0.5f) return sample;
    if (sample > mean * 2.0f) sample = mean * 2.0f;
    return mean * 0.75f + sample * 0.25f;
}

/* Reading the clock twice costs about 50 ns: what is short is timed now and then, until known always. */
static inline bool rrl__is_worth_timing(float mean_ns, uint32_t n, uint64_t count) {
    return mean_ns == 0 || mean_ns * (float)n > 2000.0f || count % 16 == 0;
}

/* scheduler.c */

/* Coordinator: runs levels inline, advances tags, until it has published a level (true; the caller then
 * goes on as any worker) or has ended the program (false). */
bool rrl__coordinate(rrl_enclave_t *e, rrl_worker_t *w);
/* Runs reactions, attached. */
void rrl__run_reactions(rrl_enclave_t *e, rrl_worker_t *w, const uint32_t *reactions, uint32_t n);

/* actions.c */

/* Coordinator: puts the inbox's events into the queue. */
void rrl__drain_inbox(rrl_enclave_t *e);
/* Coordinator: captures the value of a delay's source for later; takes one reference over. */
void rrl__capture_delay(rrl_enclave_t *e, uint32_t delay, void *payload);
/* Coordinator: an event of the trigger would come past the end of time. The host is told, and the enclave ends
 * at the next tag, where only shutdown reactions run. */
void rrl__fail_overflow(rrl_enclave_t *e, uint32_t trigger);
/* Coordinator: queues an event; out of memory ends the enclave. */
void rrl__push_event(rrl_enclave_t *e, rrl_tag_t tag, uint32_t trigger);
/* Coordinator: the payload of a trigger's event at this tag, with its reference; NULL: none is due. */
void *rrl__take_due(rrl_enclave_t *e, uint32_t trigger, rrl_tag_t tag);
/* Coordinator: gives what an event of the trigger holds to `discard`; false: it had been cancelled. */
bool rrl__discard_event(rrl_enclave_t *e, uint32_t trigger, void *payload);
/* The same for all that are pending; how many there were. */
uint32_t rrl__discard_events(rrl_enclave_t *e, uint32_t trigger);
/* Coordinator, at the end: gives every pending payload to `discard`. */
void rrl__discard_pending(rrl_enclave_t *e);
/* Whether the queue's wake still has an event. */
bool rrl__is_live_wake(void *program, rrl_tag_t tag, uint32_t trigger);
/* Coordinator: collects a payload to be released at the end of the tag. */
void rrl__discard(rrl_enclave_t *e, void *payload);
void rrl__release_garbage(rrl_enclave_t *e);

/* Coordinator: stores an event that another enclave has sent. */
void rrl__take_mail(rrl_enclave_t *e, const rrl_mail_t *mail);

/* trace.c */

static inline bool rrl__is_traced(const rrl_enclave_t *e) { return e->lane.records != NULL; }

/* Worker: bodies of one level follow, each of them ends; with a trace or a profile. */
void rrl__begin_bodies(rrl_worker_t *w, rrl_id_t first);
void rrl__end_body(rrl_worker_t *w, rrl_id_t reaction, rrl_trace_kind_t kind);
/* All that follow: with a trace. Worker: it has waited. */
void rrl__trace_wait(rrl_worker_t *w, rrl_trace_kind_t kind, int64_t begin_ns, int64_t end_ns);
/* Coordinator: it is about to hand the level out, or with RRL_NONE to end. */
void rrl__trace_hand_out(rrl_worker_t *w, uint32_t level);
/* Coordinator: an event of a trigger that has to do with two tags. */
void rrl__trace_event(rrl_enclave_t *e, rrl_trace_kind_t kind, uint32_t trigger, rrl_tag_t from,
                      rrl_tag_t tag);
/* Coordinator: took in what was pushed from outside at `stamp_ns` of the program's clock. */
void rrl__trace_arrival(rrl_enclave_t *e, uint32_t trigger, int64_t stamp_ns, rrl_tag_t tag);

/* program.c */

/* The number of the enclave whose the trigger is. */
uint32_t rrl__enclave_of_trigger(const rrl_program_t *p, uint32_t trigger);
/* Whether the recorded run missed the reaction's deadline at this tag. */
bool rrl__was_missed(const rrl_program_t *p, rrl_id_t reaction, rrl_tag_t tag);
/* A virtual clock moves on; bodies' time and outside's add up, whoever comes first. RRL_E_OVERFLOW. */
rrl_status_t rrl__advance_virtual(rrl_program_t *p, int64_t delta_ns);
/* Worker: a body has returned that took virtual time. */
void rrl__end_advance(rrl_worker_t *w);
/* Coordinator: a virtual clock moves on by what the level took. */
void rrl__move_clock(rrl_enclave_t *e);

/* pool.c */

/* Coordinator: hands the level's slices out; w's own slice too. */
void rrl__publish_level(rrl_enclave_t *e, rrl_worker_t *w, uint32_t level);
void rrl__publish_quit(rrl_enclave_t *e);
/* Worker: releases the payloads that coordinators gave back to it. Attached. */
void rrl__take_returns(rrl_worker_t *w);
bool rrl__is_parked(const rrl_worker_t *w);
/* Coordinator: waits, detached, until the clock shows `deadline_ns` (true) or the bell rings (false). */
bool rrl__wait_for_bell(rrl_enclave_t *e, rrl_worker_t *w, int64_t deadline_ns);
/* Any thread. */
void rrl__ring_bell(rrl_enclave_t *e);
/* Coordinator, at the very end: no push is under way and none will come. */
void rrl__close_gate(rrl_enclave_t *e);
void *rrl__worker_main(void *worker);

#endif
