/* check_pool.c: pool.c as it is, with a script in the coordinator's place: claiming, stealing, rescuing,
 * the barrier, parking, the bell, quitting. Bodies are plain writes, which race if a reaction runs twice,
 * beside the next level, or before what it reads was written. */
#include "pool.c"

#include <string.h>

#include "model.h"

enum { MAX_LEVELS = 3, MAX_WORKERS = 3, MAX_REACTIONS = 4 };

/* n[level][home]: reactions of the script. */
typedef struct script {
    uint32_t n_workers, n_levels;
    uint32_t n[MAX_LEVELS][MAX_WORKERS];
    bool is_long;  /* reactions are worth stealing */
    bool may_spin; /* else workers park at once */
} script_t;

static const script_t *script;

static struct state {
    rrl_program_t p;
    rrl_enclave_t e;
    uint32_t level;          /* the next one to publish; plain: the coordinator's */
    uint32_t n_coordinating; /* plain */
    uint32_t input[MAX_LEVELS];
    uint32_t n_run[MAX_LEVELS][MAX_REACTIONS * MAX_WORKERS];
    /* of the plan and the program */
    uint32_t slot_begin[MAX_LEVELS * MAX_WORKERS + 1];
    uint32_t n_ready[MAX_LEVELS * MAX_WORKERS];
    float slice_ns[MAX_LEVELS * MAX_WORKERS];
    uint32_t ready[MAX_LEVELS * MAX_REACTIONS * MAX_WORKERS];
} *s;

/* ---- the rest of the core, as far as pool.c calls it -------------------------------------------- */

/* Reactions are numbered level * 100 + place in it. */
void rrl__run_reactions(rrl_enclave_t *e, rrl_worker_t *w, const uint32_t *reactions, uint32_t n) {
    MODEL_CHECK(e == &s->e && w->is_attached);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t level = reactions[i] / 100, place = reactions[i] % 100;
        MODEL_CHECK(s->input[level] == level + 1);
        s->n_run[level][place]++;
        if (level > 0) MODEL_CHECK(s->n_run[level - 1][0] == 1);
    }
}

void rrl__trace_wait(rrl_worker_t *w, rrl_trace_kind_t kind, int64_t begin_ns, int64_t end_ns) {
    (void)w, (void)kind, (void)begin_ns, (void)end_ns;
    MODEL_CHECK(!"a trace");
}

bool rrl__coordinate(rrl_enclave_t *e, rrl_worker_t *w) {
    rrl_program_t *p = e->program;
    MODEL_CHECK(s->n_coordinating++ == s->level);
    for (uint32_t l = 0; l < s->level; l++) {
        for (uint32_t i = 0; i < MAX_REACTIONS * MAX_WORKERS; i++) MODEL_CHECK(s->n_run[l][i] <= 1);
    }
    uint32_t level = s->level;
    if (level == script->n_levels) {
        rrl__detach(w);
        rrl__publish_quit(e);
        return false;
    }
    s->level++;
    s->input[level] = level + 1;
    uint32_t place = 0;
    for (uint32_t home = 0; home < script->n_workers; home++) {
        uint32_t slot = level * script->n_workers + home;
        for (uint32_t i = 0; i < script->n[level][home]; i++)
            p->ready[p->plan.slot_begin[slot] + i] = level * 100 + place++;
        p->n_ready[slot] = script->n[level][home];
    }
    rrl__publish_level(e, w, level);
    return true;
}

static rrl_status_t thread_start(void *ctx, rrl_worker_t *w, uint32_t index) {
    (void)ctx;
    (void)w;
    (void)index;
    return RRL_OK;
}
static void nothing(void *ctx, uint32_t index) {
    (void)ctx;
    (void)index;
}

/* ---- whole levels --------------------------------------------------------------------------------- */

static void begin(const script_t *what) {
    script = what;
    s = aligned_alloc(RRL_CACHE_LINE, (sizeof *s + 127) / 128 * 128);
    memset(s, 0, sizeof *s);
    rrl_program_t *p = &s->p;
    p->plan.n_workers = script->n_workers;
    p->plan.n_levels = script->n_levels;
    p->plan.slot_begin = s->slot_begin;
    for (uint32_t i = 0; i < script->n_levels * script->n_workers; i++) {
        s->slot_begin[i] = i * MAX_REACTIONS;
        s->slice_ns[i] = script->is_long ? 1e9f : 1.0f;
    }
    p->n_ready = s->n_ready;
    p->slice_ns = s->slice_ns;
    p->ready = s->ready;
    p->is_oversubscribed = !script->may_spin;
    p->enclaves = &s->e;
    s->e.program = p;
    s->e.n_workers = script->n_workers;
    p->host.thread_start = thread_start;
    p->host.thread_stop = p->host.attach = p->host.detach = nothing;
    p->workers = aligned_alloc(RRL_CACHE_LINE, script->n_workers * sizeof *p->workers);
    memset(p->workers, 0, script->n_workers * sizeof *p->workers);
    s->e.workers = p->workers;
    for (uint32_t i = 0; i < script->n_workers; i++) {
        p->workers[i].program = p;
        p->workers[i].enclave = &s->e;
        p->workers[i].index = p->workers[i].rank = i;
        p->workers[i].cpu = -1;
    }
    rrl_store_relaxed_u32(&p->n_running, script->n_workers);
    rrl_store_relaxed_u32(&p->phase, RRL_RUNNING);
    model_clock_step(30000); /* a late slice is late at the second look */
}

static void work(uint32_t index) { rrl__worker_main(&s->p.workers[index]); }

static void end(void) {
    for (uint32_t l = 0; l < script->n_levels; l++) {
        uint32_t n = 0;
        for (uint32_t home = 0; home < script->n_workers; home++) n += script->n[l][home];
        for (uint32_t i = 0; i < n; i++) MODEL_CHECK(s->n_run[l][i] == 1);
    }
    MODEL_CHECK(rrl_load_relaxed_u32(&s->p.phase) == RRL_ENDED);
    free(s->p.workers);
    free(s);
}

/* One level for the other, one for both. */
static void level_of_the_other(void) {
    static const script_t script_of = {2, 1, {{0, 1}}, false, false};
    begin(&script_of);
}
static void level_of_both(void) {
    static const script_t script_of = {2, 1, {{1, 1}}, false, false};
    begin(&script_of);
}
static void two_levels(void) {
    static const script_t script_of = {2, 2, {{1, 1}, {0, 2}}, false, false};
    begin(&script_of);
}
static void stealing(void) {
    static const script_t script_of = {2, 2, {{1, 2}, {1, 1}}, true, true};
    begin(&script_of);
}
static void three_workers(void) {
    static const script_t script_of = {3, 3, {{1, 1, 1}, {0, 2, 1}, {1, 0, 1}}, false, false};
    begin(&script_of);
}
static void three_spinning(void) {
    static const script_t script_of = {3, 3, {{1, 2, 1}, {0, 3, 1}, {1, 0, 2}}, true, true};
    begin(&script_of);
}

/* ---- one claim word ------------------------------------------------------------------------------- */

/* Worker 0 owns a published slice of two chunks; 1 rescues. Who finishes publishes the next slice into the
 * same word, while the other may still hold what it read of the first. */
static void claims_begin(void) {
    static const script_t script_of = {2, 2, {{2, 0}, {2, 0}}, true, false};
    begin(&script_of);
    s->p.workers[0].is_attached = s->p.workers[1].is_attached = true;
    (void)rrl__coordinate(&s->e, &s->p.workers[1]);
}

static void claims(uint32_t index) {
    rrl_worker_t *w = &s->p.workers[index];
    for (int i = 0; i < 2; i++) {
        uint32_t n = index == 0 ? run_own(&s->e, w) : rescue(&s->e, w, &s->p.workers[0]);
        if (finish(&s->e, n) && s->level < 2) rrl__coordinate(&s->e, w);
    }
}

static void claims_end(void) {
    uint32_t n = 0;
    for (uint32_t l = 0; l < 2; l++) {
        for (uint32_t i = 0; i < 2; i++) {
            MODEL_CHECK(s->n_run[l][i] <= 1);
            n += s->n_run[l][i];
        }
    }
    MODEL_CHECK(n + rrl_load_relaxed_u32(&s->e.left) == 2 * s->level);
    free(s->p.workers);
    free(s);
}

/* ---- parking -------------------------------------------------------------------------------------- */

/* Worker 1 waits for what worker 0 publishes, twice. */
static void parking_begin(void) {
    static const script_t script_of = {2, 2, {{0, 1}, {0, 1}}, false, false};
    begin(&script_of);
    s->p.workers[1].is_attached = true;
}

static void parking(uint32_t index) {
    rrl_program_t *p = &s->p;
    rrl_worker_t *w = &p->workers[index];
    if (index == 0) {
        (void)rrl__coordinate(&s->e, w);
        return;
    }
    for (int i = 0; i < 2; i++) {
        rrl_worker_t *late;
        MODEL_CHECK(wait_for_work(&s->e, w, &late) == WAIT_OWN);
        MODEL_CHECK(run_own(&s->e, w) == 1);
        MODEL_CHECK(finish(&s->e, 1));
        if (i == 0) (void)rrl__coordinate(&s->e, w);
    }
}

static void parking_end(void) {
    MODEL_CHECK(s->n_run[0][0] == 1 && s->n_run[1][0] == 1);
    free(s->p.workers);
    free(s);
}

/* ---- the bell ------------------------------------------------------------------------------------- */

/* Threads 1 and up do something and ring; 0 waits until it has seen all. */
static uint32_t n_ringers;
static struct bell_state {
    rrl_atomic_u32_t n_done;
    uint32_t seen;
} *bell;

static void bell_begin(uint32_t n, bool may_spin) {
    static const script_t script_of = {2, 1, {{0, 1}}, false, false};
    begin(&script_of);
    s->p.is_oversubscribed = !may_spin;
    n_ringers = n;
    bell = calloc(1, sizeof *bell);
}
static void bell_one(void) { bell_begin(1, false); }
static void bell_two(void) { bell_begin(2, false); }
static void bell_spinning(void) { bell_begin(2, true); }

static void ring(uint32_t index) {
    rrl_program_t *p = &s->p;
    if (index > 0) {
        /* relaxed: only the bell carries it over */
        rrl_add_relaxed_u32(&bell->n_done, 1);
        rrl__ring_bell(&s->e);
        return;
    }
    while (rrl_load_relaxed_u32(&bell->n_done) < n_ringers) {
        bool is_due = rrl__wait_for_bell(&s->e, &p->workers[0], RRL_FOREVER);
        MODEL_CHECK(!is_due);
    }
}

/* The first ringer writes, plainly, before it rings; one ring, one answer. */
static void ring_plain(uint32_t index) {
    rrl_program_t *p = &s->p;
    if (index > 0) {
        bell->seen = 7;
        rrl__ring_bell(&s->e);
        return;
    }
    (void)rrl__wait_for_bell(&s->e, &p->workers[0], RRL_FOREVER);
    MODEL_CHECK(bell->seen == 7);
}

/* With a time: whatever comes first, nothing is lost afterwards. */
static void ring_or_due(uint32_t index) {
    rrl_program_t *p = &s->p;
    if (index > 0) {
        rrl_add_relaxed_u32(&bell->n_done, 1);
        rrl__ring_bell(&s->e);
        return;
    }
    (void)rrl__wait_for_bell(&s->e, &p->workers[0], rrl__clock_ns() + 200000);
    while (rrl_load_relaxed_u32(&bell->n_done) < n_ringers)
        (void)rrl__wait_for_bell(&s->e, &p->workers[0], RRL_FOREVER);
}

static void bell_end(void) {
    free(bell);
    free(s->p.workers);
    free(s);
}

const model_check_t model_checks[] = {
    {"claim", 2, MODEL_BOUND, 5, claims_begin, claims, claims_end, false},
    {"park", 2, MODEL_FULL, 0, parking_begin, parking, parking_end, false},
    {"level_of_the_other", 2, MODEL_BOUND, 3, level_of_the_other, work, end, false},
    {"level_of_both", 2, MODEL_BOUND, 3, level_of_both, work, end, false},
    {"two_levels", 2, MODEL_BOUND, 2, two_levels, work, end, false},
    {"stealing", 2, MODEL_RANDOM, 100000, stealing, work, end, false},
    {"three_workers", 3, MODEL_RANDOM, 100000, three_workers, work, end, true},
    {"three_spinning", 3, MODEL_RANDOM, 50000, three_spinning, work, end, true},
    {"bell_one_ringer", 2, MODEL_FULL, 0, bell_one, ring, bell_end, false},
    {"bell_two_ringers", 3, MODEL_BOUND, 3, bell_two, ring, bell_end, false},
    {"bell_carries_writes", 2, MODEL_FULL, 0, bell_one, ring_plain, bell_end, false},
    {"bell_spinning", 3, MODEL_RANDOM, 100000, bell_spinning, ring_or_due, bell_end, true},
    {0},
};
