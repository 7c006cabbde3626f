/* stress_runtime.c: random programs under 1, 2, 3, 4 and 8 workers: all must do the same.
 *
 *     stress_runtime [percent of the usual length [first seed]]
 *
 * A program is chains, fans, banks with a gather, pass-through ports, delayed loops, actions of all
 * policies, timers, reads and writes across reactors, now and then a request to stop or a body that
 * fails; bodies take random time, some long enough to be stolen. Compared are the trace hash, the counts
 * of every reaction, and what every reactor has seen. A failure prints the seed, which repeats it. */
#include <inttypes.h>

#include "body.h"

#define N_PROGRAMS 40
#define MAX_NODES 80
#define MAX_INS 4
#define MAX_OUTS 3
#define MAX_ACTIONS 2

/* ---- a reactor ------------------------------------------------------------------------------- */

typedef struct node {
    /* Made with the program. */
    uint32_t index;
    rrl_id_t in[MAX_INS], out[MAX_OUTS], action[MAX_ACTIONS], timer;
    uint32_t n_in, n_out, n_actions;
    rrl_id_t wide_in, wide_out, first_in, first_out; /* multiports, or RRL_NONE */
    uint32_t wide_in_width, wide_out_width;
    rrl_id_t reactor;
    /* The bodies'. */
    uint64_t random, seen; /* seen: a hash of all that was read, and what came of it */
    uint32_t n_left;       /* effects; an endless loop without delay ends with it */
    handle_t handles[MAX_ACTIONS];
    uint64_t n_failed;
} node_t;

enum { N_READS = 8 };

typedef struct rx {
    node_t *node;
    rrl_id_t reads[N_READS]; /* ports */
    uint32_t n_reads;
    bool reads_wide, reads_timer;
    uint32_t reads_actions;   /* bits */
    rrl_id_t writes[N_READS]; /* ports */
    uint32_t n_writes;
    bool writes_wide;
    uint32_t writes_actions;             /* bits */
    uint64_t stops_one_in, fails_one_in; /* 0: never */
    uint64_t busy_random;                /* decides how long, nothing else */
} rx_t;

typedef struct world {
    app_t *app;
    node_t nodes[MAX_NODES];
    rx_t rxs[APP_MAX_OTHERS];
    uint32_t n_nodes;
    uint64_t random;
    rrl_id_t open_out[MAX_NODES * MAX_OUTS]; /* outputs, with the node of each */
    uint32_t node_of_out[MAX_NODES * MAX_OUTS], n_open;
    bool is_read_directly[APP_MAX_PORTS];
    bool may_stop, may_fail;
} world_t;

static void see(node_t *node, uint64_t what) { node->seen = rrl__mix(node->seen ^ rrl__mix(what)); }

static void stay_busy(rx_t *rx) {
    uint64_t choice = check_random(&rx->busy_random) % 64;
    int64_t ns = choice < 52 ? 0 : choice < 60 ? 4000 : 25000 + (int64_t)choice * 500;
    if (!ns) return;
    for (int64_t until_ns = rrl__clock_ns() + ns; rrl__clock_ns() < until_ns;) rrl_cpu_relax();
}

static bool chance(node_t *node, uint32_t one_in) {
    return check_random(&node->random) % one_in == 0;
}

static void read_all(const here_t *h, const rx_t *rx) {
    node_t *node = rx->node;
    see(node, (uint64_t)h->tag.time_ns * 1000 + h->tag.microstep);
    for (uint32_t i = 0; i < rx->n_reads; i++) see(node, (uint64_t)get(h, rx->reads[i]));
    for (uint32_t i = 0; i < node->n_actions; i++) {
        if (rx->reads_actions >> i & 1) see(node, (uint64_t)get_action(h, node->action[i]));
    }
    if (rx->reads_timer) see(node, timer_fired(h, node->timer));
    if (rx->reads_wide) {
        const uint32_t *channels;
        uint32_t n;
        CHECK_EQ(rrl_multiport_present(h->w, node->wide_in, &channels, &n), RRL_OK);
        for (uint32_t i = 0; i < n; i++) {
            CHECK(i == 0 || channels[i - 1] < channels[i]);
            see(node, channels[i]);
            see(node, (uint64_t)get(h, node->first_in + channels[i]));
        }
    }
}

static void act(const here_t *h, const rx_t *rx) {
    static const int64_t delays[8] = {0, 1, 1, 2, 3, 5, 8, 13};
    node_t *node = rx->node;
    for (uint32_t i = 0; i < rx->n_writes && node->n_left; i++) {
        if (chance(node, 3)) continue;
        node->n_left--;
        set(h, rx->writes[i], (int64_t)(node->seen >> 1));
        /* the last one wins */
        if (chance(node, 8)) set(h, rx->writes[i], (int64_t)(node->seen >> 2));
    }
    for (uint32_t i = 0; rx->writes_wide && i < node->wide_out_width && node->n_left; i++) {
        if (chance(node, 4)) continue;
        node->n_left--;
        set(h, node->first_out + i, (int64_t)(node->seen >> 3) + i);
    }
    for (uint32_t i = 0; i < node->n_actions; i++) {
        if (!(rx->writes_actions >> i & 1)) continue;
        if (node->handles[i].serial && chance(node, 6))
            see(node, (uint64_t)rrl_cancel(h->w, node->action[i], node->handles[i].tag,
                                           node->handles[i].serial));
        for (uint32_t k = 0; k < 2 && node->n_left && chance(node, 2); k++) {
            node->n_left--;
            node->handles[i] = schedule(h, node->action[i], delays[check_random(&node->random) % 8],
                                        (int64_t)(node->seen >> 4));
            see(node,
                (uint64_t)node->handles[i].tag.time_ns * 1000 + node->handles[i].tag.microstep);
            see(node, node->handles[i].serial);
        }
    }
}

static rrl_status_t run_rx(const here_t *h) {
    rx_t *rx = h->arg;
    read_all(h, rx);
    stay_busy(rx);
    act(h, rx);
    if (rx->stops_one_in && chance(rx->node, (uint32_t)rx->stops_one_in))
        CHECK_EQ(rrl_request_stop(h->w), RRL_OK);
    if (rx->fails_one_in && chance(rx->node, (uint32_t)rx->fails_one_in)) {
        rx->node->n_failed++;
        return RRL_E_REACTION;
    }
    return RRL_OK;
}

/* ---- a program ------------------------------------------------------------------------------- */

static uint32_t below(world_t *world, uint32_t n) {
    return (uint32_t)(check_random(&world->random) % n);
}

static node_t *add_node(world_t *world, uint32_t n_in, uint32_t n_out) {
    app_t *app = world->app;
    node_t *node = &world->nodes[world->n_nodes];
    CHECK(world->n_nodes < MAX_NODES);
    *node = (node_t){.index = world->n_nodes++,
                     .n_in = n_in,
                     .n_out = n_out,
                     .wide_in = RRL_NONE,
                     .wide_out = RRL_NONE,
                     .timer = RRL_NONE,
                     .random = 1 + check_random(&world->random),
                     .n_left = 400};
    node->reactor = app_reactor(app);
    for (uint32_t i = 0; i < n_in; i++) node->in[i] = app_port(app);
    for (uint32_t i = 0; i < n_out; i++) {
        node->out[i] = app_port(app);
        world->open_out[world->n_open] = node->out[i];
        world->node_of_out[world->n_open++] = node->index;
    }
    return node;
}

static rrl_action_spec_t random_spec(world_t *world) {
    static const int64_t spacings[4] = {RRL_NO_SPACING, RRL_NO_SPACING, 0, 4};
    return (rrl_action_spec_t){.min_delay_ns = below(world, 3),
                               .min_spacing_ns = spacings[below(world, 4)],
                               .policy = (rrl_policy_t)below(world, 4)};
}

/* Gives the node its reactions; each reads and writes some of what the node has. */
static void add_reactions(world_t *world, node_t *node, uint32_t n_reactions, bool is_steady) {
    app_t *app = world->app;
    for (uint32_t i = 0; i < node->n_actions; i++)
        node->action[i] = app_action(app, random_spec(world));
    for (uint32_t k = 0; k < n_reactions; k++) {
        rx_t *rx = &world->rxs[app->n_reactions];
        *rx = (rx_t){.node = node, .busy_random = 1 + check_random(&world->random)};
        rrl_id_t r = app_reaction(app, node->reactor, run_rx, rx);
        bool has_trigger = false;
        for (uint32_t i = 0; i < node->n_in; i++) {
            if (n_reactions > 1 && below(world, 3) == 0) continue;
            bool is_trigger = below(world, 4) != 0;
            declare(app, r, is_trigger ? RRL_TRIGGER : RRL_USE, RRL_PORT, node->in[i]);
            rx->reads[rx->n_reads++] = node->in[i];
            has_trigger |= is_trigger;
        }
        if (node->wide_in != RRL_NONE) {
            declare(app, r, k == 0 ? RRL_TRIGGER : RRL_USE, RRL_MULTIPORT, node->wide_in);
            rx->reads_wide = true;
            has_trigger |= k == 0;
        }
        for (uint32_t i = 0; i < node->n_actions; i++) {
            if (k == 0 || below(world, 2)) {
                declare(app, r, RRL_TRIGGER, RRL_ACTION, node->action[i]);
                rx->reads_actions |= 1u << i;
                has_trigger = true;
            }
            if (below(world, 2)) {
                declare(app, r, RRL_EFFECT, RRL_ACTION, node->action[i]);
                rx->writes_actions |= 1u << i;
            }
        }
        if (!has_trigger || (is_steady && k == 0)) {
            if (node->timer == RRL_NONE)
                node->timer = app_timer(app, below(world, 4), 1 + below(world, 9));
            declare(app, r, RRL_TRIGGER, RRL_TIMER, node->timer);
            rx->reads_timer = true;
        }
        if (below(world, 8) == 0) declare(app, r, RRL_TRIGGER, RRL_STARTUP, 0);
        if (below(world, 8) == 0) declare(app, r, RRL_TRIGGER, RRL_SHUTDOWN, 0);
        for (uint32_t i = 0; i < node->n_out; i++) {
            if (k && below(world, 3)) continue;
            declare(app, r, RRL_EFFECT, RRL_PORT, node->out[i]);
            rx->writes[rx->n_writes++] = node->out[i];
        }
        if (node->wide_out != RRL_NONE && (k == 0 || below(world, 2))) {
            declare(app, r, RRL_EFFECT, RRL_MULTIPORT, node->wide_out);
            rx->writes_wide = true;
        }
        if (world->may_stop && below(world, 6) == 0) rx->stops_one_in = 40;
        if (world->may_fail && below(world, 6) == 0) rx->fails_one_in = 60;
    }
}

/* Connects a destination: undelayed from an earlier reactor, or delayed from any, or not at all. */
static void feed(world_t *world, rrl_id_t destination, uint32_t node_index) {
    static const int64_t delays[4] = {0, 1, 3, 7};
    app_t *app = world->app;
    uint32_t choice = below(world, 10);
    if (choice == 9 || !world->n_open) return;
    uint32_t source = below(world, world->n_open);
    bool is_delayed = choice >= 6 || world->node_of_out[source] >= node_index;
    int64_t delay_ns = is_delayed ? delays[below(world, 4)] : RRL_NO_DELAY;
    if (below(world, 5)) {
        connect(app, world->open_out[source], destination, delay_ns);
        return;
    }
    rrl_id_t between = app_port(app); /* passes through; the delay before it or behind it */
    bool is_before = below(world, 2);
    connect(app, world->open_out[source], between, is_before ? delay_ns : RRL_NO_DELAY);
    connect(app, between, destination, is_before ? RRL_NO_DELAY : delay_ns);
}

/* A reaction of a later reactor reads an output itself, or writes an unconnected input of an even
 * later one, as parents do with their children. A view has one reader. */
static void reach_across(world_t *world) {
    app_t *app = world->app;
    for (rrl_id_t r = 0; r < app->n_reactions; r++) {
        rx_t *rx = &world->rxs[r];
        uint32_t k = world->n_open ? below(world, world->n_open) : 0;
        if (world->n_open && below(world, 6) == 0 && rx->n_reads < N_READS &&
            world->node_of_out[k] < rx->node->index &&
            !world->is_read_directly[world->open_out[k]]) {
            world->is_read_directly[world->open_out[k]] = true;
            rx->reads[rx->n_reads++] = world->open_out[k];
            declare(app, r, below(world, 2) ? RRL_TRIGGER : RRL_USE, RRL_PORT, world->open_out[k]);
        }
        node_t *other = &world->nodes[below(world, world->n_nodes)];
        if (below(world, 6) == 0 && rx->n_writes < N_READS && other->index > rx->node->index &&
            other->n_in && app->g->ports[other->in[0]].source == RRL_NONE &&
            !world->is_read_directly[other->in[0]]) {
            world->is_read_directly[other->in[0]] = true; /* one writing reactor, too */
            rx->writes[rx->n_writes++] = other->in[0];
            declare(app, r, RRL_EFFECT, RRL_PORT, other->in[0]);
        }
    }
}

static void add_bank(world_t *world) {
    app_t *app = world->app;
    uint32_t width = 2 + below(world, 11);
    node_t *scatter = add_node(world, 1, 1), *members[16];
    scatter->wide_out_width = width;
    scatter->wide_out = app_multiport(app, width, &scatter->first_out);
    scatter->n_actions = below(world, 2);
    for (uint32_t i = 0; i < width; i++) {
        members[i] = add_node(world, 1, 1);
        members[i]->n_actions = below(world, 4) == 0;
        connect(app, scatter->first_out + i, members[i]->in[0], below(world, 6) ? RRL_NO_DELAY : 1);
    }
    node_t *gather = add_node(world, below(world, 2), 1);
    gather->wide_in_width = width;
    gather->wide_in = app_multiport(app, width, &gather->first_in);
    for (uint32_t i = 0; i < width; i++)
        connect(app, members[i]->out[0], gather->first_in + i, below(world, 8) ? RRL_NO_DELAY : 2);
    connect(app, gather->out[0], scatter->in[0], 1 + below(world, 3)); /* the loop */
    add_reactions(world, scatter, 1 + below(world, 2), true);
    for (uint32_t i = 0; i < width; i++)
        add_reactions(world, members[i], 1 + below(world, 2), false);
    add_reactions(world, gather, 1 + below(world, 2), false);
    for (uint32_t i = 0; i < gather->n_in; i++) feed(world, gather->in[i], gather->index);
}

static world_t *make_world(uint64_t seed) {
    world_t *world = calloc(1, sizeof *world);
    CHECK(world);
    world->random = rrl__mix(seed) | 1;
    world->app = app_new();
    world->may_stop = below(world, 4) == 0;
    world->may_fail = below(world, 4) == 0;
    uint32_t n_banks = 1 + below(world, 3), n_loose = 3 + below(world, 12);
    for (uint32_t i = 0; i < n_banks; i++) add_bank(world);
    for (uint32_t i = 0; i < n_loose; i++) {
        node_t *node = add_node(world, below(world, MAX_INS + 1), 1 + below(world, MAX_OUTS));
        node->n_actions = below(world, MAX_ACTIONS + 1);
        add_reactions(world, node, 1 + below(world, 3), below(world, 3) == 0);
        for (uint32_t k = 0; k < node->n_in; k++) feed(world, node->in[k], node->index);
    }
    reach_across(world);
    world->app->options.timeout_ns = 10 + below(world, 60);
    return world;
}

/* ---- runs ------------------------------------------------------------------------------------ */

typedef struct result {
    rrl_stats_t stats;
    uint64_t counts[APP_MAX_OTHERS];
    uint64_t seen[MAX_NODES];
    uint64_t n_failed;
} result_t;

typedef struct totals {
    uint64_t n_reactions, n_stolen, n_rescued, n_runs, n_parallel_runs, n_failed_runs;
} totals_t;

static void run_world(uint64_t seed, uint32_t n_workers, app_mode_t mode, uint64_t yield_seed,
                      result_t *out, totals_t *totals) {
    world_t *world = make_world(seed);
    app_t *app = world->app;
    app->mode = mode;
    app->options.yield_seed = yield_seed;
    for (uint32_t r = 0; r < app->n_reactions; r++) /* other durations in every run */
        world->rxs[r].busy_random = rrl__mix(world->rxs[r].busy_random + n_workers) | 1;
    app_run(app, n_workers);
    *out = (result_t){.stats = app->stats};
    for (rrl_id_t r = 0; r < app->n_reactions; r++)
        out->counts[r] = rrl_program_reaction_count(app->p, r);
    for (uint32_t i = 0; i < world->n_nodes; i++) {
        out->seen[i] = world->nodes[i].seen;
        out->n_failed += world->nodes[i].n_failed;
    }
    totals->n_runs++;
    totals->n_reactions += app->stats.n_reactions;
    totals->n_stolen += app->n_stolen;
    for (uint32_t i = 0; i < app->p->plan.n_workers; i++)
        totals->n_rescued += app->p->workers[i].n_rescued;
    totals->n_parallel_runs += app->n_workers_used > 1;
    totals->n_failed_runs += out->n_failed != 0;
    app_free(app);
    free(world);
}

static void check_same(const result_t *a, const result_t *b) {
    CHECK_EQ(a->stats.stop_tag.time_ns, b->stats.stop_tag.time_ns);
    CHECK_EQ(a->stats.stop_tag.microstep, b->stats.stop_tag.microstep);
    CHECK_EQ(a->stats.n_tags, b->stats.n_tags);
    CHECK_EQ(a->stats.n_reactions, b->stats.n_reactions);
    CHECK_EQ(a->stats.n_events, b->stats.n_events);
    CHECK_EQ(a->stats.n_dropped, b->stats.n_dropped);
    CHECK_EQ(a->n_failed, b->n_failed);
    for (uint32_t i = 0; i < APP_MAX_OTHERS; i++) CHECK_EQ(a->counts[i], b->counts[i]);
    for (uint32_t i = 0; i < MAX_NODES; i++) CHECK_EQ(a->seen[i], b->seen[i]);
    CHECK_EQ(a->stats.trace_hash, b->stats.trace_hash);
}

int main(int argc, char **argv) {
    static const uint32_t worker_counts[] = {2, 3, 4, 8};
    static const app_mode_t modes[] = {MODE_SPIN, MODE_PARK, MODE_LEARN, MODE_NATURAL};
    static result_t expected, result;
    uint64_t percent = argc > 1 ? strtoull(argv[1], NULL, 0) : 100;
    uint64_t first_seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    uint64_t n_programs = (N_PROGRAMS * percent / 100 + CHECK_SLOWDOWN - 1) / CHECK_SLOWDOWN;
    totals_t totals = {.n_runs = 0};
    for (uint64_t seed = first_seed; seed < first_seed + n_programs; seed++) {
        run_world(seed, 1, MODE_NATURAL, 0, &expected, &totals);
        for (uint32_t i = 0; i < 4; i++) {
            app_mode_t mode = modes[(i + seed) % 4];
            uint64_t yield_seed = (seed + i) % 2 ? seed * 100 + i : 0;
            fprintf(stderr, "seed %" PRIu64 ", %u workers, mode %d, yields %" PRIu64 "\n", seed,
                    worker_counts[i], mode, yield_seed); /* shown when the test fails */
            run_world(seed, worker_counts[i], mode, yield_seed, &result, &totals);
            check_same(&result, &expected);
        }
    }
    printf("%" PRIu64 " runs, %" PRIu64 " of them on several workers, %" PRIu64
           " with failures; %" PRIu64 " reactions, %" PRIu64 " stolen, %" PRIu64
           " times a late slice\n",
           totals.n_runs, totals.n_parallel_runs, totals.n_failed_runs, totals.n_reactions,
           totals.n_stolen, totals.n_rescued);
    CHECK(totals.n_parallel_runs > 0);
    CHECK(totals.n_stolen > 0);
    return 0;
}
