/* Random programs with modes, nested and connected: every pool runs each to the same end. */
#include "modes.h"

enum { N_REACTORS = 6, N_MODES = 3 };

/* A reactor with modes, of which some lie in a mode of an earlier one. In each mode a timer, an action that
 * two reactions schedule, cancel and answer, and reactions to startup, shutdown and reset. */
typedef struct part {
    rrl_id_t in, out, actions[N_MODES], modes[N_MODES];
    uint64_t state; /* decides what bodies do */
    handle_t last;
} part_t;

typedef struct member {
    part_t *part;
    int mode;
} member_t;

static rrl_status_t act(const here_t *h) {
    const member_t *member = h->arg;
    part_t *part = member->part;
    rrl_id_t action = part->actions[member->mode];
    const rrl_view_t *in = &h->app->port_views[part->in];
    if (in->value) part->state += (uint64_t)((const payload_t *)in->value)->value;
    uint64_t choice = check_random(&part->state);
    CHECK(part->state != 0 || (part->state = 1));
    if (choice % 3 == 0) set(h, part->out, (int64_t)(choice >> 8 & 0xFF));
    if (choice % 5 < 2) part->last = schedule(h, action, (int64_t)(choice >> 16 & 7), 1);
    if (choice % 7 == 0 && part->last.serial)
        CHECK(rrl_cancel(h->w, action, part->last.tag, part->last.serial) >= RRL_OK);
    if (choice % 11 < 4)
        CHECK_EQ(rrl_mode_set(h->w, part->modes[choice >> 24 & 1 ? 1 : 2]), RRL_OK);
    if (choice % 13 == 0) CHECK_EQ(rrl_mode_set(h->w, part->modes[0]), RRL_OK);
    return RRL_OK;
}

static rrl_id_t random_mode(const part_t *parts, int n, uint64_t *random) {
    if (n == 0 || check_random(random) % 2) return RRL_NONE;
    return parts[check_random(random) % (uint64_t)n].modes[check_random(random) % N_MODES];
}

static void add_reactions(app_t *app, rrl_id_t reactor, member_t *member, uint64_t *random) {
    part_t *part = member->part;
    rrl_id_t mode = part->modes[member->mode];
    rrl_action_spec_t spec = {.min_delay_ns = (int64_t)(check_random(random) % 3),
                              .min_spacing_ns = (int64_t)(check_random(random) % 4) - 1,
                              .policy = (rrl_policy_t)(check_random(random) % 4)};
    rrl_id_t action = part->actions[member->mode] = action_in(app, mode, spec);
    int64_t offset_ns = (int64_t)(check_random(random) % 5);
    rrl_id_t timer = timer_in(app, mode, offset_ns, (int64_t)(check_random(random) % 9));
    for (int i = 0; i < 2; i++) {
        rrl_id_t r = reaction_in(app, reactor, mode, act, member);
        declare(app, r, RRL_TRIGGER, RRL_ACTION, action);
        declare(app, r, RRL_TRIGGER, i ? RRL_TIMER : RRL_RESET, i ? timer : 0);
        declare(app, r, RRL_TRIGGER, i ? RRL_SHUTDOWN : RRL_STARTUP, 0);
        declare(app, r, i ? RRL_USE : RRL_TRIGGER, RRL_PORT, part->in);
        declare(app, r, RRL_EFFECT, RRL_PORT, part->out);
        declare(app, r, RRL_EFFECT, RRL_ACTION, action);
        for (int k = 0; k < N_MODES; k++) {
            bool by_reset = check_random(random) % 2;
            declare(app, r, RRL_EFFECT, by_reset ? RRL_MODE_RESET : RRL_MODE_HISTORY,
                    part->modes[k]);
        }
    }
}

/* From outputs of earlier reactors, so that nothing goes round; or later. */
static void add_links(app_t *app, part_t *parts, int i, uint64_t *random) {
    rrl_id_t source = i ? parts[check_random(random) % (uint64_t)i].out : parts[0].out;
    int64_t delay_ns =
        i && check_random(random) % 2 ? RRL_NO_DELAY : (int64_t)(check_random(random) % 4);
    const part_t *holder = &parts[check_random(random) % N_REACTORS];
    if (check_random(random) % 3 == 0) {
        connect(app, source, parts[i].in, delay_ns);
        return;
    }
    for (int k = 0; k < N_MODES; k += 2) {
        link_in(app, holder->modes[k], source, parts[i].in, delay_ns);
        if (i) source = parts[check_random(random) % (uint64_t)i].out;
    }
}

static uint64_t run(const pool_t *pool, uint64_t seed, rrl_stats_t *out_stats) {
    part_t parts[N_REACTORS] = {{0}};
    member_t members[N_REACTORS][N_MODES];
    app_t *app = app_new_for(pool);
    uint64_t random = seed * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < N_REACTORS; i++) {
        rrl_id_t reactor = app_reactor(app), within = random_mode(parts, i, &random);
        parts[i].state = check_random(&random);
        parts[i].in = app_port(app);
        parts[i].out = app_port(app);
        for (int k = 0; k < N_MODES; k++)
            parts[i].modes[k] = add_mode(app, reactor, within, k == 0);
        for (int k = 0; k < N_MODES; k++) {
            members[i][k] = (member_t){&parts[i], k};
            add_reactions(app, reactor, &members[i][k], &random);
        }
    }
    for (int i = 0; i < N_REACTORS; i++) add_links(app, parts, i, &random);
    app->options.timeout_ns = 300;
    app_go(app);
    *out_stats = app->stats;
    app_free(app);
    return out_stats->trace_hash;
}

static void every_pool_comes_to_the_same_end(void) {
    uint64_t n_reactions = 0;
    for (uint64_t seed = 1; seed <= 300 / CHECK_SLOWDOWN; seed++) {
        rrl_stats_t expected, stats;
        run(app_pools, seed, &expected);
        n_reactions += expected.n_reactions;
        for (const pool_t *pool = app_pools + 1; pool->n_workers; pool++) {
            run(pool, seed, &stats);
            CHECK_EQ(stats.trace_hash, expected.trace_hash);
            CHECK_EQ(stats.n_reactions, expected.n_reactions);
            CHECK_EQ(stats.n_events, expected.n_events);
            CHECK_EQ(stats.n_dropped, expected.n_dropped);
            CHECK_EQ(stats.stop_tag.time_ns, expected.stop_tag.time_ns);
            CHECK_EQ(stats.stop_tag.microstep, expected.stop_tag.microstep);
        }
    }
    CHECK(n_reactions > 20000 / CHECK_SLOWDOWN); /* something happens */
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {CHECK_CASE(every_pool_comes_to_the_same_end)};
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
