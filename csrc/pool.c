/* pool.c: the workers: claiming a slice, stealing, waiting, and the wait for physical time.
 *
 * Every wait goes: detach from the host, spin for about the cost of a wake, then park on a futex. A parked
 * worker costs its waker microseconds and comes late by tens of them; a spinning one costs nothing but
 * its processor, so it spins about as long as a wake would have taken, longer where work comes often enough,
 * and not at all when there are more workers than processors. */
#include <limits.h>

#include "runtime.h"

/* Spinning stops after this long (ski rental: about the price of a wake), */
#define SPIN_NS 50000
/* or after this long where more work is expected before a sleeper would be awake again, as where one
 * reaction of 0.1 ms separates two wide levels: after a wake, unless that has been in vain of late. */
#define LONG_SPIN_NS 500000
/* After a second long spin in vain as many wakes, twice as many each time, are not followed by one. */
#define MOST_SHORT 63
/* A published slice that nobody has started for this long is run by who waits for it. */
#define LATE_NS 50000
/* Reactions at least this long may be stolen one by one: then what a thief pays for touching another
 * worker's objects is small beside the work. */
#define STEAL_NS 20000.0f
/* Between two looks at the clock or at other workers: 64 pauses, one or two microseconds. */
#ifdef RRL_MODEL_CHECK
#define SPINS_PER_LOOK 2
#else
#define SPINS_PER_LOOK 64
#endif

bool rrl__is_parked(const rrl_worker_t *w) {
    /* relaxed: a hint; publishing finds out for certain. */
    return (rrl_load_relaxed_u64(&w->claim) & RRL_CLAIM_PARKED) != 0;
}

/* ---- publishing ------------------------------------------------------------------------------------ */

/* A parked worker is to wake on another processor than ours. Left to itself, the kernel may queue it behind
 * its waker, though others idle, for a millisecond or two: seen in most wakes of a virtual machine (KVM, Linux
 * 6.18), and not where workers were pinned. The worker lifts this in park().
 * Nobody but the publisher can end its sleep, so that until then it does not run. */
static void keep_off(rrl_worker_t *w) {
    /* acquire: pairs with the exchange in park(), before which the owner wrote the same. */
    if (rrl_load_acquire_u64(&w->claim) & RRL_CLAIM_PARKED)
        w->is_kept_off = rrl__thread_keep_off(w->thread_id, &w->cpus);
}

static void publish(rrl_enclave_t *e, rrl_worker_t *w, uint32_t n_chunks) {
    uint64_t word = e->publications * RRL_CLAIM_EPOCH | (uint64_t)n_chunks << 8;
    if (n_chunks && w->cpu < 0) keep_off(w);
    /* acq_rel: the release publishes the slice to claim_chunk() and try_to_park(). */
    uint64_t seen = rrl_xchg_acq_rel_u64(&w->claim, word);
    if (seen & RRL_CLAIM_PARKED) rrl__futex_wake_low32(&w->claim, 1);
}

static uint32_t prepare_slice(rrl_enclave_t *e, rrl_worker_t *w, size_t slot) {
    rrl_program_t *p = e->program;
    uint32_t n = p->n_ready[slot];
    uint32_t n_chunks = p->slice_ns[slot] < STEAL_NS ? 1 : n;
    if (n_chunks > RRL_CLAIM_MAX_CHUNKS) n_chunks = RRL_CLAIM_MAX_CHUNKS;
    p->n_ready[slot] = 0;
    w->slice = &p->ready[p->plan.slot_begin[slot]];
    w->slice_n = n;
    w->slot = (uint32_t)slot;
    w->chunk = (n + n_chunks - 1) / n_chunks;
    return (n + w->chunk - 1) / w->chunk;
}

void rrl__publish_level(rrl_enclave_t *e, rrl_worker_t *w, uint32_t level) {
    rrl_program_t *p = e->program;
    size_t first_slot = rrl__first_slot(e, level);
    uint32_t left = 0;
    for (uint32_t home = 0; home < e->n_workers; home++) left += p->n_ready[first_slot + home];
    /* relaxed: the publications below release it. Nobody subtracts before claiming. */
    rrl_store_relaxed_u32(&e->left, left);
    e->publications++;
    for (uint32_t k = 1; left; k++) { /* our own slice last, the others are waiting */
        uint32_t home = (w->rank + k) % e->n_workers;
        uint32_t n = p->n_ready[first_slot + home];
        if (!n) continue;
        left -= n;
        /* With the last slice handed out we may no longer be the coordinator: nothing is touched after. */
        publish(e, &e->workers[home], prepare_slice(e, &e->workers[home], first_slot + home));
    }
}

void rrl__publish_quit(rrl_enclave_t *e) {
    rrl_store_release_u32(&e->is_quitting, 1);
    e->publications++;
    for (uint32_t i = 0; i < e->n_workers; i++) publish(e, &e->workers[i], 0);
}

/* ---- running --------------------------------------------------------------------------------------- */

void rrl__take_returns(rrl_worker_t *w) {
    void *payloads[64];
    const rrl_program_t *p = w->program;
    if (!rrl_load_relaxed_u32(&w->has_returns))
        return; /* relaxed: one missed now is seen at the next visit */
    rrl_xchg_acq_rel_u32(&w->has_returns, 0); /* acquire: pairs with give_back */
    for (uint32_t i = 0; i < w->enclave->n_workers; i++) {
        uint32_t n;
        while ((n = rrl__spsc_pop(&w->returns[i], payloads, 64)) != 0)
            p->host.release(p->host.ctx, payloads, n);
    }
}

/* event path 8/10 (ARCHITECTURE.md): a chunk of a published slice becomes this worker's */
static uint32_t claim_chunk(rrl_worker_t *owner, const uint32_t **out_reactions) {
    uint64_t word = rrl_load_acquire_u64(&owner->claim); /* pairs with publish() */
    while (rrl__claim_next(word) < rrl__claim_chunks(word)) {
        if (!rrl_cas_weak_acq_rel_u64(&owner->claim, &word, word + 1)) continue;
        uint32_t begin = rrl__claim_next(word) * owner->chunk;
        uint32_t n = owner->slice_n - begin;
        *out_reactions = owner->slice + begin;
        return n < owner->chunk ? n : owner->chunk;
    }
    return 0;
}

static uint32_t run_own(rrl_enclave_t *e, rrl_worker_t *w) {
    rrl_program_t *p = e->program;
    const uint32_t *reactions;
    uint32_t n_run = 0, n;
    int64_t begin_ns = 0;
    bool is_timed = false;
    while ((n = claim_chunk(w, &reactions)) != 0) {
        if (!n_run) {
            rrl__attach(w);
            rrl__take_returns(w);
            is_timed = rrl__is_worth_timing(p->slice_ns[w->slot], n, w->n_visits++);
            if (is_timed) begin_ns = rrl__clock_ns();
        }
        rrl__run_reactions(e, w, reactions, n);
        n_run += n;
    }
    if (is_timed)
        p->slice_ns[w->slot] = rrl__learn(p->slice_ns[w->slot], rrl__clock_ns() - begin_ns, n_run);
    return n_run;
}

/* Whether the slice has chunks that may be stolen at any time. */
static bool is_stealable(uint64_t word) {
    return rrl__claim_chunks(word) > 1 && rrl__claim_next(word) < rrl__claim_chunks(word);
}

static uint32_t steal(rrl_enclave_t *e, rrl_worker_t *w) {
    uint32_t n_run = 0;
    for (uint32_t k = 1; k < e->n_workers; k++) {
        rrl_worker_t *victim = &e->workers[(w->rank + k) % e->n_workers];
        while (is_stealable(
            rrl_load_relaxed_u64(&victim->claim))) { /* relaxed: claim_chunk looks again */
            const uint32_t *reactions;
            uint32_t n = claim_chunk(victim, &reactions);
            if (!n) break;
            rrl__attach(w);
            rrl__run_reactions(e, w, reactions, n);
            n_run += n;
        }
    }
    w->n_stolen += n_run;
    return n_run;
}

/* Takes over what is left of a slice whose owner does not come. */
static uint32_t rescue(rrl_enclave_t *e, rrl_worker_t *w, rrl_worker_t *victim) {
    const uint32_t *reactions;
    uint32_t n_run = 0, n;
    while ((n = claim_chunk(victim, &reactions)) != 0) {
        rrl__attach(w);
        rrl__run_reactions(e, w, reactions, n);
        n_run += n;
    }
    w->n_rescued += n_run != 0;
    w->n_stolen += n_run;
    return n_run;
}

/* Reports n reactions of the level as done. True: they were the last, and the caller is coordinator. */
static bool finish(rrl_enclave_t *e, uint32_t n) {
    return n && rrl_sub_acq_rel_u32(&e->left, n) == n; /* acq_rel: I6 */
}

/* ---- waiting --------------------------------------------------------------------------------------- */

static bool has_work(uint64_t word) { return rrl__claim_next(word) < rrl__claim_chunks(word); }

/* A worker whose slice lies unclaimed, as `*word` shows it; NULL: none. */
static rrl_worker_t *find_unclaimed(rrl_enclave_t *e, const rrl_worker_t *w, uint64_t *out_word) {
    for (uint32_t k = 1; k < e->n_workers; k++) {
        rrl_worker_t *other = &e->workers[(w->rank + k) % e->n_workers];
        *out_word = rrl_load_relaxed_u64(&other->claim); /* relaxed: claiming looks again */
        if (has_work(*out_word)) return other;
    }
    *out_word = 0;
    return NULL;
}

/* Adds to what the worker has waited, and to its trace. */
static void end_wait(rrl_worker_t *w, rrl_trace_kind_t kind, int64_t begin_ns, int64_t end_ns) {
    rrl_store_relaxed_i64(&w->asleep_since_ns, 0);
    rrl__count_ns(kind == RRL_TRACE_SPINNING ? &w->spinning_ns : &w->parked_ns, end_ns - begin_ns);
    if (rrl__is_traced(w->enclave)) rrl__trace_wait(w, kind, begin_ns, end_ns);
}

/* Parks while the claim word stays as `word` showed it. */
static void park(rrl_worker_t *w, uint64_t word) {
    uint64_t parked = word | RRL_CLAIM_PARKED;
    if (!rrl_cas_acq_rel_u64(&w->claim, &word, parked)) return;
    int64_t begin_ns = rrl__clock_ns();
    rrl_store_relaxed_i64(&w->asleep_since_ns, begin_ns);
    while (rrl_load_acquire_u64(&w->claim) == parked)
        rrl__futex_wait_low32(&w->claim, parked, RRL_FOREVER);
    if (w->is_kept_off) {
        w->is_kept_off = false;
        rrl__thread_allow(&w->cpus);
    }
    end_wait(w, RRL_TRACE_PARKED, begin_ns, rrl__clock_ns());
}

static void expect_nothing_soon(rrl_worker_t *w) {
    w->is_soon = false;
    w->n_short = w->n_vain;
    w->n_vain = w->n_vain * 2 + 1 < MOST_SHORT ? w->n_vain * 2 + 1 : MOST_SHORT;
}

/* After a wait that ended with a wake. */
static void expect_more(rrl_worker_t *w, int64_t waited_ns) {
    if (waited_ns < LONG_SPIN_NS) w->n_short = w->n_vain = 0;
    w->is_soon = w->n_short == 0;
    if (w->n_short) w->n_short--;
}

typedef enum wait_result { WAIT_OWN, WAIT_STEAL, WAIT_RESCUE, WAIT_QUIT } wait_result_t;

/* Spins until there is something to do, then parks until there is. *out_late: the worker to rescue. */
static wait_result_t wait_for_work(rrl_enclave_t *e, rrl_worker_t *w, rrl_worker_t **out_late) {
    rrl_program_t *p = e->program;
    uint64_t word = rrl_load_acquire_u64(&w->claim); /* pairs with publish() */
    if (has_work(word)) return WAIT_OWN;
    rrl__detach(w);
    bool is_exact = rrl__is_traced(e); /* else a wait begins at the first look at the clock */
    int64_t begin_ns = is_exact ? rrl__clock_ns() : 0, now_ns = 0, late_since_ns = 0;
    int64_t spin_ns = w->is_soon ? LONG_SPIN_NS : SPIN_NS;
    uint64_t late_word = 0;
    rrl_worker_t *late = NULL;
    for (uint32_t n = 0;; n++) {
        word = rrl_load_acquire_u64(&w->claim);
        if (has_work(word)) break;
        if (rrl_load_acquire_u32(&e->is_quitting)) return WAIT_QUIT;
        if (!p->is_oversubscribed && n % SPINS_PER_LOOK != SPINS_PER_LOOK - 1) {
            rrl_cpu_relax();
            continue;
        }
        now_ns = rrl__clock_ns();
        if (!begin_ns) begin_ns = now_ns;
        uint64_t seen;
        rrl_worker_t *unclaimed = find_unclaimed(e, w, &seen);
        if (unclaimed && is_stealable(seen)) {
            end_wait(w, RRL_TRACE_SPINNING, begin_ns, now_ns);
            return WAIT_STEAL;
        }
        if (unclaimed != late || seen != late_word) {
            late = unclaimed;
            late_word = seen;
            late_since_ns = now_ns;
        } else if (late && now_ns - late_since_ns > LATE_NS) {
            end_wait(w, RRL_TRACE_SPINNING, begin_ns, now_ns);
            *out_late = late;
            return WAIT_RESCUE;
        }
        if (p->is_oversubscribed || (!late && now_ns - begin_ns > spin_ns)) {
            end_wait(w, RRL_TRACE_SPINNING, begin_ns, now_ns);
            if (rrl_load_relaxed_u32(&w->has_returns)) {
                rrl__attach(w); /* nothing of others is kept while parked */
                rrl__take_returns(w);
                rrl__detach(w);
            }
            if (spin_ns == LONG_SPIN_NS) expect_nothing_soon(w);
            park(w, word);
            expect_more(w, rrl__clock_ns() - begin_ns);
            spin_ns = w->is_soon ? LONG_SPIN_NS : SPIN_NS; /* if it came too late for its slice */
            begin_ns = is_exact ? rrl__clock_ns() : 0;
        }
    }
    if (w->is_soon) w->n_vain = 0;
    if (is_exact) now_ns = rrl__clock_ns();
    if (begin_ns) end_wait(w, RRL_TRACE_SPINNING, begin_ns, now_ns);
    return WAIT_OWN;
}

void rrl__ring_bell(rrl_enclave_t *e) {
    /* acq_rel: what the caller did before is seen by who answers the bell. */
    if (rrl_xchg_acq_rel_u32(&e->bell, RRL_BELL_RUNG) == RRL_BELL_SLEEPING)
        rrl__futex_wake(&e->bell, 1);
}

/* How long before its time the timekeeper stops sleeping: a sleeper comes late by about a wake. */
#define EARLY_NS 60000

bool rrl__wait_for_bell(rrl_enclave_t *e, rrl_worker_t *w, int64_t deadline_ns) {
    rrl_program_t *p = e->program;
    rrl__detach(w);
    bool is_due = false;
    int64_t begin_ns = rrl__clock_ns();
    rrl_store_relaxed_i64(&w->asleep_since_ns, begin_ns);
    rrl_store_relaxed_u32(&e->is_idle, 1);
    for (;;) {
        int64_t now_ns = rrl__clock_ns();
        if (now_ns >= deadline_ns) {
            is_due = true;
            break;
        }
        int64_t nap_until_ns = deadline_ns == RRL_FOREVER ? RRL_FOREVER : deadline_ns - EARLY_NS;
        if (!p->is_oversubscribed &&
            now_ns >= nap_until_ns) { /* so close that sleeping would be late */
            if (rrl_load_relaxed_u32(&e->bell) == RRL_BELL_RUNG) break;
            rrl_cpu_relax();
            continue;
        }
        uint32_t quiet = RRL_BELL_QUIET;
        if (!rrl_cas_acq_rel_u32(&e->bell, &quiet, RRL_BELL_SLEEPING)) break; /* rung */
        rrl__futex_wait(&e->bell, RRL_BELL_SLEEPING,
                        p->is_oversubscribed ? deadline_ns : nap_until_ns);
        uint32_t sleeping = RRL_BELL_SLEEPING;
        if (!rrl_cas_acq_rel_u32(&e->bell, &sleeping, RRL_BELL_QUIET)) break; /* rung */
    }
    /* acquire: sees what was done before the bell was rung; quiet before looking, so that no ring is lost. */
    if (!is_due) {
        rrl_store_relaxed_u32(&e->is_awake, 1); /* relaxed: released by the exchange */
        rrl_xchg_acq_rel_u32(&e->bell, RRL_BELL_QUIET);
    }
    rrl_store_relaxed_u32(&e->is_idle, 0);
    end_wait(w, RRL_TRACE_IDLE, begin_ns, rrl__clock_ns());
    rrl__attach(w);
    return is_due;
}

/* ---- a worker's life ------------------------------------------------------------------------------- */

static void announce_end(rrl_program_t *p) {
    rrl_store_release_u32(&p->phase, RRL_ENDED); /* pairs with rrl_program_wait */
    rrl__futex_wake(&p->phase, INT_MAX);
    if (!p->ledger) return;
    rrl_add_acq_rel_u32(&p->ledger->pause, 2); /* release: pairs with wait_for_pause */
    rrl__futex_wake(&p->ledger->pause, INT_MAX);
}

/* Says that this thread is ready, or refused, and waits for all. False: the program does not start. */
static bool check_in(rrl_program_t *p, bool is_refused) {
    uint32_t phase;
    if (is_refused) rrl_store_relaxed_u32(&p->is_refused, 1); /* relaxed: released below */
    rrl_add_acq_rel_u32(&p->n_started, 1); /* release: pairs with rrl_program_start */
    rrl__futex_wake(&p->n_started, 1);
    while ((phase = rrl_load_acquire_u32(&p->phase)) == RRL_CREATED)
        rrl__futex_wait(&p->phase, RRL_CREATED, RRL_FOREVER);
    return phase != RRL_FORGOTTEN;
}

void *rrl__worker_main(void *worker) {
    rrl_worker_t *w = worker;
    rrl_program_t *p = w->program;
    rrl_enclave_t *e = w->enclave;
#ifdef RRL_TEST_YIELD
    rrl_test_yield_seed(p->options.yield_seed ? p->options.yield_seed + w->index : 0);
#endif
    if (w->cpu >= 0 && rrl__thread_pin(w->cpu)) w->cpu = -1;
    w->thread_id = rrl__thread_id();
    bool is_refused = p->host.thread_start(p->host.ctx, w, w->index) != RRL_OK;
    if (!check_in(p, is_refused)) {
        if (!is_refused) p->host.thread_stop(p->host.ctx, w->index);
        return NULL;
    }
    if (w->rank == 0) rrl__coordinate(e, w);
    for (;;) {
        rrl_worker_t *late = NULL;
        uint32_t n = 0;
        wait_result_t what = wait_for_work(e, w, &late);
        if (what == WAIT_QUIT) break;
        if (what == WAIT_RESCUE) n = rescue(e, w, late);
        n += run_own(e, w);
        n += steal(e, w);
        if (finish(e, n)) rrl__coordinate(e, w);
    }
    rrl__attach(w);
    rrl__take_returns(w);
    rrl__detach(w);
    p->host.thread_stop(p->host.ctx, w->index);
    w->end_ns = rrl__clock_ns();
    if (rrl_sub_acq_rel_u32(&p->n_running, 1) == 1) announce_end(p); /* all reports are complete */
    return NULL;
}
