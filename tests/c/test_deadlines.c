#include "modes.h"

static rrl_id_t reaction_due(app_t *app, rrl_id_t reactor, int64_t deadline_ns, body_t body,
                             void *arg) {
    rrl_id_t id;
    CHECK_EQ(rrl_graph_add_reaction(app->g, reactor, RRL_NONE, 1000 + app->n_reactions, deadline_ns,
                                    true, &id),
             RRL_OK);
    CHECK_EQ(id, app->n_reactions++);
    app->reactions[id] = (app_reaction_t){body, arg, reactor, {RRL_NEVER, 0}};
    return id;
}

#define LATE ((int64_t)1000000000000) /* never missed */

/* The order in which bodies run, as digits: those of one worker need no lock. */
typedef struct order {
    char text[64];
    uint32_t n;
} order_t;

static rrl_status_t say_who(const here_t *h) {
    order_t *order = h->arg;
    CHECK(order->n < sizeof order->text - 1);
    order->text[order->n++] = (char)('0' + h->reaction);
    return RRL_OK;
}

static rrl_status_t say_who_and_set(const here_t *h) {
    set(h, h->reaction, 1); /* the port of its number */
    return say_who(h);
}

static void ready_reactions_of_a_level_run_earliest_deadline_first(void) {
    for (int urgent = 0; urgent < 2; urgent++) {
        app_t *app = app_new();
        order_t order = {.n = 0};
        rrl_id_t timer = app_timer(app, 0, 0);
        /* the sixth: no deadline; the second and the fourth: the same one */
        static const int64_t deadlines_ns[] = {5, 3, 4, 3, 1, 0};
        for (int i = 0; i < 6; i++) {
            bool has_one = urgent && deadlines_ns[i];
            rrl_id_t r =
                reaction_due(app, app_reactor(app),
                             has_one ? LATE + deadlines_ns[i] : RRL_NO_DEADLINE, say_who, &order);
            declare(app, r, RRL_TRIGGER, RRL_TIMER, timer);
        }
        app_run(app, 1);
        CHECK_STR_EQ(order.text, urgent ? "413205" : "012345");
        app_free(app);
    }
}

/* 0 and 1 set ports that 3 and 4 read; 2 is alone; after 4 the same reactor has 5. All but 5 are on two
 * levels, and only what comes after is in a hurry. */
static void what_follows_at_the_tag_hurries_what_comes_before(void) {
    app_t *app = app_new();
    order_t order = {.n = 0};
    rrl_id_t timer = app_timer(app, 0, 0), later = app_reactor(app);
    for (int i = 0; i < 3; i++) {
        rrl_id_t out = app_port(app);
        rrl_id_t r = reaction_due(app, app_reactor(app), i == 2 ? LATE + 4 : RRL_NO_DEADLINE,
                                  say_who_and_set, &order);
        declare(app, r, RRL_TRIGGER, RRL_TIMER, timer);
        declare(app, r, RRL_EFFECT, RRL_PORT, out);
    }
    rrl_id_t in[3];
    for (int i = 0; i < 3; i++) in[i] = app_port(app);
    declare(app, reaction_due(app, app_reactor(app), LATE + 5, say_who, &order), RRL_TRIGGER,
            RRL_PORT, in[0]);
    declare(app, reaction_due(app, later, RRL_NO_DEADLINE, say_who, &order), RRL_TRIGGER, RRL_PORT,
            in[1]);
    declare(app, reaction_due(app, later, LATE + 3, say_who, &order), RRL_TRIGGER, RRL_TIMER,
            timer);
    /* a delay passes nothing on */
    declare(app, reaction_due(app, app_reactor(app), LATE, say_who, &order), RRL_TRIGGER, RRL_PORT,
            in[2]);
    connect(app, 0, in[0], RRL_NO_DELAY);
    connect(app, 1, in[1], RRL_NO_DELAY);
    connect(app, 2, in[2], 0);
    app_run(app, 1);
    CHECK_STR_EQ(order.text, "120"
                             "43"
                             "5"
                             "6");
    app_free(app);
}

static uint64_t hash_with(const pool_t *pool, int64_t deadline_ns) {
    enum { N = 12 };
    app_t *app = app_new_for(pool);
    for (int i = 0; i < N; i++) {
        int64_t own_ns = deadline_ns == RRL_NO_DEADLINE ? RRL_NO_DEADLINE : deadline_ns + N - i;
        rrl_id_t r = reaction_due(app, app_reactor(app), own_ns, NULL, NULL);
        declare(app, r, RRL_TRIGGER, RRL_TIMER, app_timer(app, 0, 1));
    }
    app->options.timeout_ns = 20;
    app_go(app);
    uint64_t hash = app->stats.trace_hash;
    app_free(app);
    return hash;
}

static void the_order_changes_no_result(void) {
    uint64_t expected = hash_with(app_pools, RRL_NO_DEADLINE);
    FOR_POOLS(pool) CHECK(hash_with(pool, LATE) == expected);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(ready_reactions_of_a_level_run_earliest_deadline_first),
        CHECK_CASE(what_follows_at_the_tag_hurries_what_comes_before),
        CHECK_CASE(the_order_changes_no_result),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
