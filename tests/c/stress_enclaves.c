/* stress_enclaves.c: random programs of several enclaves. However many workers they have, wherever they yield
 * and however soon senders are held back, they do what they do when the enclaves take turns.
 *
 *     stress_enclaves [percent of the usual number] [first seed] */
#include <inttypes.h>

#include "body.h"

#define N_PROGRAMS 400
#define MAX_NODES 10
#define MAX_INS 3

typedef struct node {
    uint32_t enclave;
    rrl_id_t in[MAX_INS], out, again;
    uint32_t n_in;
    uint64_t digest, stops_at, fails_at, count;
} node_t;

typedef struct world {
    app_t *app;
    uint64_t random;
    node_t nodes[MAX_NODES];
    uint32_t n_nodes, n_enclaves;
} world_t;

static uint32_t below(world_t *world, uint32_t n) {
    return (uint32_t)(check_random(&world->random) % n);
}

static void dawdle(uint64_t random) {
    if (random % 8) return;
    for (uint64_t i = 0; i < random / 8 % 2000; i++) rrl_cpu_relax();
}

static rrl_status_t run_node(const here_t *h) {
    node_t *n = h->arg;
    int64_t got_again = get_action(h, n->again);
    n->digest = rrl__mix(n->digest ^ (uint64_t)h->tag.time_ns * 31 ^ h->tag.microstep);
    for (uint32_t i = 0; i < n->n_in; i++)
        n->digest = rrl__mix(n->digest + (uint64_t)get(h, n->in[i]));
    n->digest = rrl__mix(n->digest + (uint64_t)got_again);
    n->count++;
    dawdle(rrl__mix(n->digest));
    if (n->digest % 4) set(h, n->out, (int64_t)(n->digest >> 40));
    if (n->digest / 4 % 3 == 0) schedule(h, n->again, (int64_t)(n->digest / 16 % 7), 1);
    if (n->count == n->stops_at) CHECK_EQ(rrl_request_stop(h->w), RRL_OK);
    return n->count == n->fails_at ? RRL_E_REACTION : RRL_OK;
}

static rrl_status_t run_end(const here_t *h) {
    node_t *n = h->arg;
    n->digest = rrl__mix(n->digest + (uint64_t)h->tag.time_ns * 7 + h->tag.microstep);
    set(h, n->out, -1);
    return RRL_OK;
}

static void add_node(world_t *world, uint32_t enclave) {
    app_t *app = world->app;
    node_t *n = &world->nodes[world->n_nodes++];
    n->enclave = enclave;
    rrl_id_t reactor = app_reactor(app);
    app->owner = reactor;
    n->out = app_port(app);
    n->again = app_logical(app, below(world, 4));
    n->n_in = below(world, MAX_INS + 1);
    rrl_id_t r = app_reaction(app, reactor, run_node, n);
    for (uint32_t i = 0; i < n->n_in; i++)
        declare(app, r, RRL_TRIGGER, RRL_PORT, n->in[i] = app_port(app));
    if (below(world, 3) == 0) {
        int64_t period_ns = below(world, 2) ? 1 + below(world, 9) : 0;
        declare(app, r, RRL_TRIGGER, RRL_TIMER, app_timer(app, below(world, 9), period_ns));
    }
    if (below(world, 2)) declare(app, r, RRL_TRIGGER, RRL_STARTUP, 0);
    declare(app, r, RRL_TRIGGER, RRL_ACTION, n->again);
    declare(app, r, RRL_EFFECT, RRL_ACTION, n->again);
    declare(app, r, RRL_EFFECT, RRL_PORT, n->out);
    if (below(world, 3) == 0) {
        rrl_id_t end = app_on(app, reactor, RRL_SHUTDOWN, 0, run_end, n);
        declare(app, end, RRL_EFFECT, RRL_PORT, n->out);
    }
}

static void connect_nodes(world_t *world) {
    for (uint32_t i = 0; i < world->n_nodes; i++) {
        node_t *n = &world->nodes[i];
        for (uint32_t k = 0; k < n->n_in; k++) {
            const node_t *source = &world->nodes[below(world, world->n_nodes)];
            bool may_be_direct = source->enclave == n->enclave && source < n;
            bool is_direct = may_be_direct && below(world, 2);
            int64_t delay_ns = is_direct ? RRL_NO_DELAY : (int64_t)below(world, 6);
            if (below(world, 6)) connect(world->app, source->out, n->in[k], delay_ns);
        }
    }
}

typedef struct result {
    rrl_stats_t stats;
    rrl_enclave_stats_t enclaves[MAX_NODES];
    uint64_t digests[MAX_NODES];
} result_t;

static void run_world(uint64_t seed, uint32_t n_workers, app_mode_t mode, uint64_t yield_seed,
                      bool takes_turns, result_t *out) {
    world_t *world = calloc(1, sizeof *world);
    CHECK(world);
    world->random = rrl__mix(seed) | 1;
    app_t *app = world->app = app_new();
    world->n_enclaves = 2 + below(world, 4);
    for (uint32_t e = 0; e < world->n_enclaves; e++) {
        if (e) {
            uint32_t capacity = 1 + (uint32_t)(rrl__mix(seed + n_workers) % 4);
            CHECK_EQ(rrl_graph_add_enclave(app->g, n_workers, capacity, &app->enclave), RRL_OK);
        }
        for (uint32_t n = 1 + below(world, 2); n > 0; n--) add_node(world, e);
    }
    connect_nodes(world);
    node_t *special = &world->nodes[below(world, world->n_nodes)];
    if (below(world, 3) == 0) special->stops_at = 1 + below(world, 20);
    if (below(world, 5) == 0) special->fails_at = 1 + below(world, 20);
    app->options.timeout_ns = 20 + below(world, 80);
    /* A stop that does not reach everybody by connections is not deterministic. */
    app->mode = mode;
    app->options.yield_seed = yield_seed;
    app->options.virtual_clock = takes_turns;
    app_run(app, n_workers);
    *out = (result_t){.stats = app->stats};
    for (uint32_t e = 0; e < world->n_enclaves; e++)
        rrl_program_enclave_stats(app->p, e, &out->enclaves[e]);
    for (uint32_t i = 0; i < world->n_nodes; i++) out->digests[i] = world->nodes[i].digest;
    bool is_ordered = special->stops_at || special->fails_at;
    for (uint32_t e = 0; e < world->n_enclaves; e++) {
        uint32_t from = special->enclave;
        if (!is_ordered || e == from) continue;
        if (app->p->ledger->distance[from * world->n_enclaves + e].time_ns >= 0) continue;
        out->stats.trace_hash = 0; /* not comparable */
    }
    app_free(app);
    free(world);
}

static void check_same(const result_t *a, const result_t *b) {
    if (!a->stats.trace_hash) return;
    for (uint32_t i = 0; i < MAX_NODES; i++) {
        CHECK_EQ(a->enclaves[i].stop_tag.time_ns, b->enclaves[i].stop_tag.time_ns);
        CHECK_EQ(a->enclaves[i].stop_tag.microstep, b->enclaves[i].stop_tag.microstep);
        CHECK_EQ(a->enclaves[i].n_tags, b->enclaves[i].n_tags);
        CHECK_EQ(a->enclaves[i].n_events, b->enclaves[i].n_events);
        CHECK_EQ(a->digests[i], b->digests[i]);
        CHECK_EQ(a->enclaves[i].trace_hash, b->enclaves[i].trace_hash);
    }
    CHECK_EQ(a->stats.n_reactions, b->stats.n_reactions);
    CHECK_EQ(a->stats.n_dropped, b->stats.n_dropped);
    CHECK_EQ(a->stats.trace_hash, b->stats.trace_hash);
}

int main(int argc, char **argv) {
    static const app_mode_t modes[] = {MODE_SPIN, MODE_PARK, MODE_LEARN, MODE_NATURAL};
    static result_t expected, result;
    uint64_t percent = argc > 1 ? strtoull(argv[1], NULL, 0) : 100;
    uint64_t first_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    uint64_t n_programs = (N_PROGRAMS * percent / 100 + CHECK_SLOWDOWN - 1) / CHECK_SLOWDOWN;
    uint64_t n_compared = 0, n_reactions = 0;
    for (uint64_t seed = first_seed; n_compared < n_programs; seed++) {
        CHECK(seed < first_seed + 20 * n_programs); /* three of four can be compared */
        run_world(seed, 1, MODE_NATURAL, 0, true, &expected);
        n_compared += expected.stats.trace_hash != 0;
        n_reactions += expected.stats.n_reactions;
        for (uint32_t i = 0; i < 3; i++) {
            app_mode_t mode = modes[(i + seed) % 4];
            uint64_t yield_seed = (seed + i) % 2 ? seed * 100 + i : 0;
            fprintf(stderr, "seed %" PRIu64 ", %u workers, mode %d, yields %" PRIu64 "\n", seed,
                    i + 1, mode, yield_seed); /* shown when the test fails */
            run_world(seed, i + 1, mode, yield_seed, false, &result);
            check_same(&expected, &result);
        }
    }
    printf("%" PRIu64 " programs compared in 3 runs each; %" PRIu64 " reactions\n", n_compared,
           n_reactions);
    return 0;
}
