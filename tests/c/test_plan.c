#include "plan.h"

#include "modes.h"

/* ---- helpers --------------------------------------------------------------------------------- */

static rrl_plan_t compile(const app_t *app, uint32_t n_workers) {
    rrl_plan_t plan;
    rrl_cycle_step_t *cycle;
    size_t n_cycle;
    CHECK_EQ(rrl__plan_compile(app->g, n_workers, &plan, &cycle, &n_cycle), RRL_OK);
    return plan;
}

static rrl_id_t reaction(app_t *app, rrl_id_t reactor) {
    return app_reaction(app, reactor, NULL, NULL);
}

static void trigger(app_t *app, rrl_id_t reaction_id, rrl_id_t port) {
    declare(app, reaction_id, RRL_TRIGGER, RRL_PORT, port);
}

static void effect(app_t *app, rrl_id_t reaction_id, rrl_id_t port) {
    declare(app, reaction_id, RRL_EFFECT, RRL_PORT, port);
}

/* A reactor that passes a value on: one input, one output, one reaction. */
typedef struct stage {
    rrl_id_t in, out, reaction;
} stage_t;

static stage_t add_stage(app_t *app) {
    rrl_id_t reactor = app_reactor(app);
    stage_t s = {app_port(app), app_port(app), reaction(app, reactor)};
    trigger(app, s.reaction, s.in);
    effect(app, s.reaction, s.out);
    return s;
}

static void free_all(app_t *app, rrl_plan_t *plan) {
    rrl__plan_destroy(plan);
    app_free(app);
}

static void check_cycle(app_t *app, const char *expected) {
    char text[200] = "";
    rrl_plan_t plan;
    rrl_cycle_step_t *cycle = NULL;
    size_t n_cycle = 0, used = 0;
    if (!app->n_reactors) app_reactor(app); /* that of the ports */
    CHECK_EQ(rrl__plan_compile(app->g, 2, &plan, &cycle, &n_cycle), RRL_E_CYCLE);
    CHECK(!plan.ports && !plan.reactions);
    for (size_t i = 0; i < n_cycle; i++) {
        char from[16] = "-", port[16] = "-";
        if (cycle[i].reaction != RRL_NONE) snprintf(from, sizeof from, "r%u", cycle[i].reaction);
        if (cycle[i].port != RRL_NONE) snprintf(port, sizeof port, "p%u", cycle[i].port);
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s %s", i ? ", " : "", from, port);
    }
    CHECK_STR_EQ(text, expected);
    free(cycle);
    app_free(app);
}

/* ---- levels ---------------------------------------------------------------------------------- */

static void reactions_of_one_reactor_are_ordered_without_any_port(void) {
    app_t *app = app_new();
    rrl_id_t a = app_reactor(app), b = app_reactor(app);
    for (int i = 0; i < 3; i++) reaction(app, a);
    for (int i = 0; i < 2; i++) reaction(app, b);
    rrl_plan_t plan = compile(app, 1);
    for (uint32_t r = 0; r < 3; r++) CHECK_EQ(plan.reactions[r].level, r);
    for (uint32_t r = 3; r < 5; r++) CHECK_EQ(plan.reactions[r].level, r - 3);
    CHECK_EQ(plan.n_levels, 3);
    free_all(app, &plan);
}

static void a_chain_of_connections_is_a_chain_of_levels(void) {
    app_t *app = app_new();
    stage_t s[5];
    for (int i = 0; i < 5; i++) s[i] = add_stage(app);
    /* in any order */
    for (int i = 4; i > 0; i--) connect(app, s[i - 1].out, s[i].in, RRL_NO_DELAY);
    rrl_plan_t plan = compile(app, 1);
    for (uint32_t i = 0; i < 5; i++) CHECK_EQ(plan.reactions[s[i].reaction].level, i);
    free_all(app, &plan);
}

static void a_delay_ends_a_chain_of_levels(void) {
    app_t *app = app_new();
    stage_t a = add_stage(app), b = add_stage(app), c = add_stage(app), d = add_stage(app);
    connect(app, a.out, b.in, 0);
    connect(app, b.out, c.in, RRL_NO_DELAY);
    CHECK_EQ(rrl_graph_connect(app->g, c.out, d.in, RRL_NO_DELAY, true, RRL_NONE),
             RRL_OK); /* physical */
    connect(app, d.out, a.in, 5);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.reactions[a.reaction].level, 0);
    CHECK_EQ(plan.reactions[b.reaction].level, 0);
    CHECK_EQ(plan.reactions[c.reaction].level, 1);
    CHECK_EQ(plan.reactions[d.reaction].level, 0);
    CHECK_EQ(plan.n_delays, 3);
    free_all(app, &plan);
}

static void the_longest_way_decides_in_a_diamond(void) {
    app_t *app = app_new();
    stage_t top = add_stage(app), left = add_stage(app), right = add_stage(app),
            far = add_stage(app);
    rrl_id_t reactor = app_reactor(app), in0 = app_port(app), in1 = app_port(app);
    rrl_id_t join = reaction(app, reactor);
    connect(app, top.out, left.in, RRL_NO_DELAY);
    connect(app, top.out, right.in, RRL_NO_DELAY);
    connect(app, right.out, far.in, RRL_NO_DELAY);
    connect(app, left.out, in0, RRL_NO_DELAY);
    connect(app, far.out, in1, RRL_NO_DELAY);
    trigger(app, join, in0);
    declare(app, join, RRL_USE, RRL_PORT, in1);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.reactions[left.reaction].level, 1);
    CHECK_EQ(plan.reactions[far.reaction].level, 2);
    CHECK_EQ(plan.reactions[join].level, 3); /* a use orders as a trigger does */
    free_all(app, &plan);
}

static void reading_an_own_output_adds_no_order(void) {
    app_t *app = app_new();
    rrl_id_t reactor = app_reactor(app), out = app_port(app);
    rrl_id_t first = reaction(app, reactor), second = reaction(app, reactor),
             third = reaction(app, reactor);
    declare(app, first, RRL_USE, RRL_PORT, out); /* before it is set: no loop */
    effect(app, second, out);
    declare(app, third, RRL_PEEK, RRL_PORT, out);
    declare(app, first, RRL_PEEK, RRL_PORT, out);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.reactions[first].level, 0);
    CHECK_EQ(plan.reactions[second].level, 1);
    CHECK_EQ(plan.reactions[third].level, 2);
    CHECK(rrl__plan_may_read(&plan, third, RRL_PORT, out));
    CHECK(rrl__plan_may_read(&plan, second, RRL_PORT, out)); /* an effect may be looked up */
    free_all(app, &plan);
}

static void a_parent_stands_between_the_children_that_it_reads_and_writes(void) {
    app_t *app = app_new();
    rrl_id_t parent = app_reactor(app), before = reaction(app, parent),
             relay = reaction(app, parent);
    stage_t a = add_stage(app), b = add_stage(app);
    effect(app, before, a.in); /* children's inputs are its effects, their outputs its triggers */
    trigger(app, relay, a.out);
    effect(app, relay, b.in);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.reactions[before].level, 0);
    CHECK_EQ(plan.reactions[a.reaction].level, 1);
    CHECK_EQ(plan.reactions[relay].level, 2);
    CHECK_EQ(plan.reactions[b.reaction].level, 3);
    CHECK(rrl__csr_has(&plan.port_writers, b.in, relay));
    CHECK(!rrl__csr_has(&plan.port_writers, b.in, before));
    free_all(app, &plan);
}

static void a_multiport_orders_after_the_writers_of_all_channels(void) {
    app_t *app = app_new();
    stage_t s[3];
    for (int i = 0; i < 3; i++) s[i] = add_stage(app);
    connect(app, s[0].out, s[1].in, RRL_NO_DELAY);
    rrl_id_t reactor = app_reactor(app), first, wide = app_multiport(app, 3, &first);
    rrl_id_t gather = reaction(app, reactor);
    declare(app, gather, RRL_TRIGGER, RRL_MULTIPORT, wide);
    connect(app, s[2].out, first, RRL_NO_DELAY);
    connect(app, s[1].out, first + 2, RRL_NO_DELAY);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.reactions[gather].level, 2);
    CHECK(rrl__csr_has(&plan.triggers, s[2].out, gather));
    CHECK(rrl__csr_has(&plan.triggers, s[1].out, gather));
    CHECK(rrl__csr_has(&plan.triggers, first + 1, gather));
    CHECK(rrl__plan_may_read(&plan, gather, RRL_PORT, first + 1));
    CHECK(!rrl__plan_may_read(&plan, s[0].reaction, RRL_PORT, first + 1));
    free_all(app, &plan);
}

/* Random acyclic graphs against the definition: one more than the highest of the predecessors. */
static void levels_are_longest_paths_in_random_graphs(void) {
    for (uint64_t seed = 1; seed <= 60 / CHECK_SLOWDOWN; seed++) {
        enum { N = 40 };
        app_t *app = app_new();
        uint64_t random = seed * 0x9e3779b97f4a7c15u;
        uint32_t expected[N] = {0};
        bool precedes[N][N] = {{false}};
        rrl_id_t out[N], reactor_of[N], last_of[N];
        for (uint32_t r = 0; r < N; r++) { /* reactors have ascending reactions, not in one piece */
            bool joins = r && check_random(&random) % 3 == 0;
            reactor_of[r] =
                joins ? (rrl_id_t)(check_random(&random) % app->n_reactors) : app_reactor(app);
            reaction(app, reactor_of[r]);
            out[r] = app_port(app);
            effect(app, r, out[r]);
            if (joins) precedes[last_of[reactor_of[r]]][r] = true;
            last_of[reactor_of[r]] = r;
            for (uint32_t k = (uint32_t)(check_random(&random) % 4); k && r; k--) {
                uint32_t from = (uint32_t)(check_random(&random) % r);
                rrl_id_t in = app_port(app);
                trigger(app, r, in);
                connect(app, out[from], in, RRL_NO_DELAY);
                precedes[from][r] = true;
            }
        }
        for (uint32_t r = 0; r < N; r++) {
            for (uint32_t s = 0; s < r; s++) {
                if (precedes[s][r] && expected[s] + 1 > expected[r]) expected[r] = expected[s] + 1;
            }
        }
        rrl_plan_t plan = compile(app, 1 + (uint32_t)(seed % 5));
        for (uint32_t r = 0; r < N; r++) CHECK_EQ(plan.reactions[r].level, expected[r]);
        free_all(app, &plan);
    }
}

/* ---- loops ----------------------------------------------------------------------------------- */

static void a_loop_is_reported_in_running_order_with_its_ports(void) {
    app_t *app = app_new();
    /* r0: p0 p1, r1: p2 p3, r2: p4 p5 */
    stage_t a = add_stage(app), b = add_stage(app), c = add_stage(app);
    /* not on the loop: not in the report */
    stage_t behind = add_stage(app), before = add_stage(app);
    rrl_id_t also = app_port(app);
    trigger(app, c.reaction, also); /* p10 */
    connect(app, a.out, b.in, RRL_NO_DELAY);
    connect(app, b.out, c.in, RRL_NO_DELAY);
    connect(app, c.out, a.in, RRL_NO_DELAY);
    connect(app, c.out, behind.in, RRL_NO_DELAY);
    connect(app, before.out, also, RRL_NO_DELAY);
    check_cycle(app, "r0 p2, r1 p4, r2 p0");
}

static void a_reaction_that_triggers_itself_is_a_loop_of_one(void) {
    app_t *app = app_new();
    stage_t s = add_stage(app);
    connect(app, s.out, s.in, RRL_NO_DELAY);
    check_cycle(app, "r0 p0");
}

static void the_order_inside_a_reactor_may_close_a_loop(void) {
    app_t *app = app_new();
    rrl_id_t reactor = app_reactor(app), in = app_port(app), out = app_port(app);
    rrl_id_t first = reaction(app, reactor), second = reaction(app, reactor);
    stage_t other = add_stage(app);
    trigger(app, first, in);
    effect(app, second, out);
    connect(app, out, other.in, RRL_NO_DELAY);
    connect(app, other.out, in, RRL_NO_DELAY);
    check_cycle(app, "r0 -, r1 p2, r2 p0");
}

static void a_loop_goes_through_pass_through_ports(void) {
    app_t *app = app_new();
    stage_t s = add_stage(app); /* p0 p1 */
    rrl_id_t parent_in = app_port(app), parent_out = app_port(app);
    connect(app, s.out, parent_out, RRL_NO_DELAY);
    connect(app, parent_out, parent_in, RRL_NO_DELAY);
    connect(app, parent_in, s.in, RRL_NO_DELAY);
    check_cycle(app, "r0 p0");
}

static void ports_alone_may_form_a_loop(void) {
    app_t *app = app_new();
    rrl_id_t a = app_port(app), b = app_port(app), c = app_port(app), tail = app_port(app);
    connect(app, c, tail, RRL_NO_DELAY);
    connect(app, a, b, RRL_NO_DELAY);
    connect(app, b, c, RRL_NO_DELAY);
    connect(app, c, a, RRL_NO_DELAY);
    check_cycle(app, "- p1, - p2, - p0");

    app = app_new();
    a = app_port(app);
    connect(app, a, a, RRL_NO_DELAY);
    check_cycle(app, "- p0");
}

static void all_loops_are_told_whatever_is_on_them(void) {
    app_t *app = app_new();
    stage_t s = add_stage(app); /* p0 p1 */
    for (int i = 0; i < 2; i++) {
        rrl_id_t a = app_port(app), b = app_port(app);
        connect(app, a, b, RRL_NO_DELAY);
        connect(app, b, a, RRL_NO_DELAY);
    }
    connect(app, s.out, s.in, RRL_NO_DELAY);
    check_cycle(app, "- p3, - p2, - -, - p5, - p4, - -, r0 p0");
}

static void a_loop_of_ports_is_found_from_a_port_that_hangs_on_it(void) {
    app_t *app = app_new();
    rrl_id_t tail = app_port(app), a = app_port(app), b = app_port(app);
    connect(app, a, tail, RRL_NO_DELAY);
    connect(app, a, b, RRL_NO_DELAY);
    connect(app, b, a, RRL_NO_DELAY);
    check_cycle(app, "- p2, - p1");
}

static void a_loop_with_any_delay_is_none(void) {
    for (int physical = 0; physical < 2; physical++) {
        app_t *app = app_new();
        stage_t a = add_stage(app), b = add_stage(app);
        rrl_id_t p = app_port(app);
        connect(app, a.out, b.in, RRL_NO_DELAY);
        CHECK_EQ(
            rrl_graph_connect(app->g, b.out, a.in, physical ? RRL_NO_DELAY : 0, physical, RRL_NONE),
            RRL_OK);
        CHECK_EQ(rrl_graph_connect(app->g, p, p, physical ? RRL_NO_DELAY : 0, physical, RRL_NONE),
                 RRL_OK);
        rrl_plan_t plan = compile(app, 1);
        CHECK_EQ(plan.n_delays, 2);
        free_all(app, &plan);
    }
}

/* ---- modes ----------------------------------------------------------------------------------- */

static rrl_id_t member(app_t *app, rrl_id_t reactor, rrl_id_t mode) {
    return reaction_in(app, reactor, mode, NULL, NULL);
}

static void modes_of_one_reactor_have_no_order(void) {
    app_t *app = app_new();
    rrl_id_t reactor = app_reactor(app), child = app_reactor(app);
    rrl_id_t a = add_mode(app, reactor, RRL_NONE, true),
             b = add_mode(app, reactor, RRL_NONE, false);
    /* as declared:                 0         a, b, a    0                          */
    static const uint32_t expected[] = {0, 1, 1, 2, 3, 4, 4, 5, 5, 6, 0, 1};
    const rrl_id_t modes[] = {RRL_NONE, a, b, a, RRL_NONE, b, a, a, b, RRL_NONE};
    for (int i = 0; i < 10; i++) member(app, reactor, modes[i]);
    for (int i = 0; i < 2; i++) member(app, child, a); /* not a mode of its own: in order */
    rrl_plan_t plan = compile(app, 1);
    for (uint32_t r = 0; r < 12; r++) CHECK_EQ(plan.reactions[r].level, expected[r]);
    CHECK_EQ(plan.reactions[10].mode, a);
    CHECK_EQ(plan.n_modals, 1);
    free_all(app, &plan);
}

/* r0: p0 -> p1 in one mode, r1: p2 -> p3 in the other, of one reactor. */
static void add_halves(app_t *app, rrl_id_t a, rrl_id_t b, rrl_id_t reactor) {
    for (int i = 0; i < 2; i++) {
        rrl_id_t in = app_port(app), out = app_port(app), r = member(app, reactor, i ? b : a);
        trigger(app, r, in);
        effect(app, r, out);
    }
}

static void modes_that_exclude_each_other_close_no_loop(void) {
    app_t *app = app_new();
    rrl_id_t reactor = app_reactor(app), a = add_mode(app, reactor, RRL_NONE, true),
             b = add_mode(app, reactor, RRL_NONE, false);
    add_halves(app, a, b, reactor);
    connect(app, 1, 2, RRL_NO_DELAY);
    connect(app, 3, 0, RRL_NO_DELAY);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.n_levels, 1);
    free_all(app, &plan);

    app = app_new(); /* in a chain, only the edge between the two is missing */
    reactor = app_reactor(app);
    a = add_mode(app, reactor, RRL_NONE, true);
    b = add_mode(app, reactor, RRL_NONE, false);
    add_halves(app, a, b, reactor);
    stage_t between = add_stage(app); /* r2: p4 -> p5 */
    connect(app, 1, between.in, RRL_NO_DELAY);
    connect(app, between.out, 2, RRL_NO_DELAY);
    connect(app, 3, 0, RRL_NO_DELAY);
    plan = compile(app, 1);
    CHECK_EQ(plan.n_levels, 3);
    free_all(app, &plan);

    app = app_new(); /* modes of different reactors do not */
    rrl_id_t other = app_reactor(app);
    reactor = app_reactor(app);
    a = add_mode(app, reactor, RRL_NONE, true);
    b = add_mode(app, other, RRL_NONE, true);
    add_halves(app, a, b, reactor);
    connect(app, 1, 2, RRL_NO_DELAY);
    connect(app, 3, 0, RRL_NO_DELAY);
    check_cycle(app, "r0 p2, r1 p0");
}

static void what_a_mode_connects_is_ordered(void) {
    app_t *app = app_new();
    rrl_id_t main = app_reactor(app), a = add_mode(app, main, RRL_NONE, true),
             b = add_mode(app, main, RRL_NONE, false);
    stage_t s[4];
    for (int i = 0; i < 4; i++) s[i] = add_stage(app);
    link_in(app, a, s[0].out, s[1].in, RRL_NO_DELAY);
    link_in(app, b, s[0].out, s[2].in, RRL_NO_DELAY);
    link_in(app, a, s[1].out, s[2].in, RRL_NO_DELAY);
    link_in(app, a, s[2].out, s[3].in, 0);
    rrl_id_t outer = app_port(app);
    connect(app, s[1].in, outer, RRL_NO_DELAY);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.n_forwards, 4);
    static const uint32_t expected[] = {0, 1, 2, 0};
    for (int i = 0; i < 4; i++) CHECK_EQ(plan.reactions[s[i].reaction].level, expected[i]);
    CHECK_EQ(plan.port_cell[s[1].in], s[1].in);
    CHECK_EQ(plan.port_cell[outer], s[1].in);
    CHECK_EQ(plan.delay[0].mode, a);
    CHECK_EQ(plan.forward[3].from, plan.first_delay);
    free_all(app, &plan);
}

static void a_loop_through_connections_of_modes_names_their_ports(void) {
    app_t *app = app_new();
    rrl_id_t main = app_reactor(app), a = add_mode(app, main, RRL_NONE, true);
    stage_t s = add_stage(app), t = add_stage(app); /* p0 p1, p2 p3 */
    rrl_id_t middle = app_port(app);
    link_in(app, a, s.out, middle, RRL_NO_DELAY);
    link_in(app, a, middle, t.in, RRL_NO_DELAY);
    connect(app, t.out, s.in, RRL_NO_DELAY);
    check_cycle(app, "r0 p2, r1 p0");

    app = app_new();
    main = app_reactor(app);
    a = add_mode(app, main, RRL_NONE, true);
    for (int i = 0; i < 4; i++) app_port(app);
    link_in(app, a, 0, 1, RRL_NO_DELAY);
    connect(app, 1, 2, RRL_NO_DELAY);
    link_in(app, a, 2, 0, RRL_NO_DELAY);
    link_in(app, a, 2, 3, RRL_NO_DELAY); /* behind it */
    check_cycle(app, "- p0, - p1");
}

static void modes_must_fit_together(void) {
    for (int wrong = 0; wrong < 6; wrong++) {
        app_t *app = app_new();
        rrl_id_t main = app_reactor(app), child = app_reactor(app), enclave, far;
        CHECK_EQ(rrl_graph_add_enclave(app->g, 1, 1, &enclave), RRL_OK);
        CHECK_EQ(rrl_graph_add_reactor(app->g, enclave, &far), RRL_OK);
        rrl_id_t a = add_mode(app, main, RRL_NONE, true), r = member(app, child, a);
        if (wrong == 1) add_mode(app, main, RRL_NONE, true);   /* two are initial */
        if (wrong == 2) add_mode(app, child, RRL_NONE, false); /* none is */
        if (wrong == 3) {                                      /* in two places */
            add_mode(app, child, a, true);
            add_mode(app, child, RRL_NONE, false);
        }
        if (wrong == 4) declare(app, r, RRL_EFFECT, RRL_MODE_RESET, a); /* another's mode */
        if (wrong == 5) add_mode(app, far, a, true);                    /* another enclave */
        rrl_plan_t plan;
        rrl_cycle_step_t *cycle;
        size_t n;
        CHECK_EQ(rrl__plan_compile(app->g, 1, &plan, &cycle, &n), wrong ? RRL_E_INVAL : RRL_OK);
        free_all(app, &plan);
    }
}

/* ---- delays and cells ------------------------------------------------------------------------ */

static void connections_that_agree_share_a_delay(void) {
    app_t *app = app_new();
    stage_t source = add_stage(app), other = add_stage(app), sink[7];
    for (int i = 0; i < 7; i++) sink[i] = add_stage(app);
    for (int i = 0; i < 3; i++) connect(app, source.out, sink[i].in, 10);
    connect(app, source.out, sink[3].in, 20);
    connect(app, source.out, sink[4].in, 0);
    CHECK_EQ(rrl_graph_connect(app->g, source.out, sink[5].in, 10, true, RRL_NONE), RRL_OK);
    connect(app, other.out, sink[6].in, 10);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.n_delays, 5);
    uint32_t shared = plan.port_cell[sink[0].in];
    CHECK(shared >= plan.first_delay && shared < plan.first_action);
    for (int i = 1; i < 7; i++) CHECK_EQ(plan.port_cell[sink[i].in] == shared, i < 3);
    CHECK_EQ(plan.delay[shared - plan.first_delay].source, source.out);
    CHECK_EQ(plan.delay[shared - plan.first_delay].delay_ns, 10);
    for (int i = 0; i < 3; i++) CHECK(rrl__csr_has(&plan.triggers, shared, sink[i].reaction));
    CHECK_EQ(plan.delays.begin[source.out + 1] - plan.delays.begin[source.out], 4);
    CHECK_EQ(plan.delays.begin[other.out + 1] - plan.delays.begin[other.out], 1);
    uint32_t physical = plan.port_cell[sink[5].in] - plan.first_delay;
    CHECK(plan.delay[physical].is_physical);
    CHECK(!plan.delay[shared - plan.first_delay].is_physical);
    free_all(app, &plan);
}

static void a_pass_through_chain_shows_the_cell_where_it_begins(void) {
    app_t *app = app_new();
    rrl_id_t end = app_port(app), middle = app_port(app); /* added before what they are fed from */
    stage_t source = add_stage(app);
    rrl_id_t late = app_port(app), later = app_port(app), hung = app_port(app);
    connect(app, middle, end, RRL_NO_DELAY);
    connect(app, source.out, middle, RRL_NO_DELAY);
    connect(app, end, late, 5);
    connect(app, late, later, RRL_NO_DELAY);
    connect(app, later, hung, 7);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.port_cell[source.out], source.out);
    CHECK_EQ(plan.port_cell[middle], source.out);
    CHECK_EQ(plan.port_cell[end], source.out);
    uint32_t d = plan.port_cell[late] - plan.first_delay,
             e = plan.port_cell[hung] - plan.first_delay;
    CHECK_EQ(plan.port_cell[later], plan.port_cell[late]);
    CHECK_EQ(plan.delay[d].source, source.out); /* the delay captures the cell, not the port */
    CHECK_EQ(plan.delay[e].source, plan.first_delay + d);
    free_all(app, &plan);
}

static void cells_are_numbered_kind_by_kind(void) {
    app_t *app = app_new();
    stage_t s = add_stage(app), t = add_stage(app);
    connect(app, s.out, t.in, 3);
    app_logical(app, 0);
    app_timer(app, 0, 0);
    app_timer(app, 0, 0);
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.first_delay, 4);
    CHECK_EQ(plan.first_action, 5);
    CHECK_EQ(plan.first_timer, 6);
    CHECK_EQ(plan.startup, 8);
    CHECK_EQ(plan.shutdown, 9);
    CHECK_EQ(plan.n_cells, 10);
    free_all(app, &plan);
}

static void a_connected_port_has_no_other_writer(void) {
    app_t *app = app_new();
    stage_t a = add_stage(app), b = add_stage(app);
    rrl_cycle_step_t *cycle;
    size_t n_cycle;
    rrl_plan_t plan;
    connect(app, a.out, b.in, RRL_NO_DELAY);
    CHECK_EQ(rrl_graph_connect(app->g, a.out, b.in, 5, false, RRL_NONE), RRL_E_INVAL);
    effect(app, a.reaction, b.in);
    CHECK_EQ(rrl__plan_compile(app->g, 1, &plan, &cycle, &n_cycle), RRL_E_INVAL);
    app_free(app);
}

static void a_view_stands_once_however_often_it_is_declared(void) {
    app_t *app = app_new();
    rrl_id_t reactor = app_reactor(app), in = app_port(app), first,
             wide = app_multiport(app, 2, &first);
    rrl_id_t action = app_logical(app, 0), timer = app_timer(app, 0, 0), r = reaction(app, reactor);
    for (int twice = 0; twice < 2; twice++) {
        trigger(app, r, in);
        declare(app, r, RRL_USE, RRL_PORT, in);
        declare(app, r, RRL_TRIGGER, RRL_MULTIPORT, wide);
        declare(app, r, RRL_USE, RRL_MULTIPORT, wide);
        declare(app, r, RRL_TRIGGER, RRL_ACTION, action);
        declare(app, r, RRL_EFFECT, RRL_ACTION, action);
        declare(app, r, RRL_TRIGGER, RRL_TIMER, timer);
        declare(app, r, RRL_TRIGGER, RRL_STARTUP, 0);
    }
    rrl_plan_t plan = compile(app, 1);
    CHECK_EQ(plan.reactions[r].reads_end - plan.reactions[r].reads_begin, 3);
    CHECK_EQ(plan.reactions[r].wide_end - plan.reactions[r].wide_begin, 1);
    CHECK_EQ(plan.triggers.begin[plan.startup + 1] - plan.triggers.begin[plan.startup], 1);
    CHECK_EQ(plan.triggers.begin[in + 1] - plan.triggers.begin[in], 1);
    CHECK_EQ(plan.action_writers.begin[1] - plan.action_writers.begin[0], 1);
    free_all(app, &plan);
}

static void what_does_not_exist_cannot_be_declared(void) {
    app_t *app = app_new();
    rrl_id_t id, reactor = app_reactor(app), port = app_port(app), r = reaction(app, reactor);
    rrl_action_spec_t spec = {.min_spacing_ns = RRL_NO_SPACING};
    CHECK_EQ(rrl_graph_declare(app->g, r, RRL_TRIGGER, RRL_PORT, 1), RRL_E_INVAL);
    CHECK_EQ(rrl_graph_declare(app->g, r + 1, RRL_TRIGGER, RRL_PORT, port), RRL_E_INVAL);
    CHECK_EQ(rrl_graph_declare(app->g, r, RRL_TRIGGER, RRL_TIMER, 0), RRL_E_INVAL);
    CHECK_EQ(rrl_graph_declare(app->g, r, RRL_TRIGGER, RRL_STARTUP, 1), RRL_E_INVAL);
    CHECK_EQ(rrl_graph_add_reaction(app->g, reactor + 1, RRL_NONE, 0, RRL_NO_DEADLINE, false, &id),
             RRL_E_INVAL);
    CHECK_EQ(rrl_graph_add_multiport(app->g, 0, 2, NULL, NULL, &id), RRL_E_INVAL);
    CHECK_EQ(rrl_graph_add_multiport(app->g, 0, 1, NULL, NULL, &id), RRL_OK);
    CHECK_EQ(rrl_graph_add_multiport(app->g, 0, 1, NULL, NULL, &id), RRL_E_INVAL); /* taken */
    CHECK_EQ(rrl_graph_add_timer(app->g, 0, RRL_NONE, -1, 0, NULL, &id), RRL_E_INVAL);
    CHECK_EQ(rrl_graph_add_timer(app->g, 0, RRL_NONE, 0, -1, NULL, &id), RRL_E_INVAL);
    CHECK_EQ(rrl_graph_add_timer(app->g, 0, RRL_NONE, RRL_FOREVER, 0, NULL, &id),
             RRL_E_INVAL); /* never comes */
    CHECK_EQ(rrl_graph_connect(app->g, port, port + 1, 0, false, RRL_NONE), RRL_E_INVAL);
    CHECK_EQ(rrl_graph_connect(app->g, port, port, -2, false, RRL_NONE), RRL_E_INVAL);
    spec.min_delay_ns = -1;
    CHECK_EQ(rrl_graph_add_action(app->g, 0, RRL_NONE, &spec, NULL, &id), RRL_E_INVAL);
    spec = (rrl_action_spec_t){.min_spacing_ns = -2};
    CHECK_EQ(rrl_graph_add_action(app->g, 0, RRL_NONE, &spec, NULL, &id), RRL_E_INVAL);
    spec = (rrl_action_spec_t){.min_spacing_ns = RRL_NO_SPACING, .is_physical = true};
    CHECK_EQ(rrl_graph_add_action(app->g, 0, RRL_NONE, &spec, NULL, &id),
             RRL_E_INVAL); /* capacity 0 */
    app_free(app);
}

static void nothing_at_all_compiles(void) {
    app_t *app = app_new();
    rrl_plan_t plan = compile(app, 3);
    CHECK_EQ(plan.n_levels, 0);
    CHECK_EQ(plan.n_cells, 2);
    free_all(app, &plan);
}

/* ---- placement ------------------------------------------------------------------------------- */

static void check_homes(const rrl_plan_t *plan, const rrl_id_t *reactions, uint32_t n,
                        const uint32_t *expected) {
    for (uint32_t i = 0; i < n; i++) CHECK_EQ(plan->reactions[reactions[i]].home, expected[i]);
}

static void a_bank_is_cut_into_contiguous_slices(void) {
    enum { N = 10 };
    app_t *app = app_new();
    rrl_id_t members[N];
    rrl_id_t timer = app_timer(app, 0, 1);
    for (int i = 0; i < N; i++) {
        members[i] = reaction(app, app_reactor(app));
        declare(app, members[i], RRL_TRIGGER, RRL_TIMER, timer);
    }
    rrl_plan_t plan = compile(app, 4);
    check_homes(&plan, members, N, (uint32_t[]){0, 0, 0, 1, 1, 2, 2, 2, 3, 3});
    rrl__plan_destroy(&plan);
    plan = compile(app, 16); /* fewer members than workers: one each */
    check_homes(&plan, members, N, (uint32_t[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    rrl__plan_destroy(&plan);
    plan = compile(app, 1);
    check_homes(&plan, members, N, (uint32_t[N]){0});
    free_all(app, &plan);
}

static void all_reactions_of_a_reactor_have_one_home(void) {
    app_t *app = app_new();
    rrl_id_t timer = app_timer(app, 0, 1), first[6], second[6];
    for (int i = 0; i < 6; i++) {
        rrl_id_t reactor = app_reactor(app);
        first[i] = reaction(app, reactor);
        second[i] = reaction(app, reactor);
        declare(app, first[i], RRL_TRIGGER, RRL_TIMER, timer);
        if (i < 5) declare(app, second[i], RRL_TRIGGER, RRL_TIMER, timer);
    }
    rrl_plan_t plan = compile(app, 3);
    check_homes(&plan, first, 6, (uint32_t[]){0, 0, 1, 1, 2, 2});
    check_homes(&plan, second, 6, (uint32_t[]){0, 0, 1, 1, 2, 2});
    free_all(app, &plan);
}

static void reactions_for_startup_and_shutdown_alone_decide_nothing(void) {
    app_t *app = app_new();
    rrl_id_t timer = app_timer(app, 0, 1), steady[4];
    for (int i = 0; i < 12; i++) { /* many that only start, on the same level as the steady ones */
        rrl_id_t r = reaction(app, app_reactor(app));
        declare(app, r, RRL_TRIGGER, i % 2 ? RRL_STARTUP : RRL_SHUTDOWN, 0);
        if (i % 4 != 0) continue;
        steady[i / 4] = reaction(app, app_reactor(app));
        declare(app, steady[i / 4], RRL_TRIGGER, RRL_TIMER, timer);
    }
    steady[3] = reaction(app, app_reactor(app));
    declare(app, steady[3], RRL_TRIGGER, RRL_TIMER, timer);
    declare(app, steady[3], RRL_TRIGGER, RRL_STARTUP, 0);
    rrl_plan_t plan = compile(app, 4);
    check_homes(&plan, steady, 4, (uint32_t[]){0, 1, 2, 3});
    free_all(app, &plan);
}

static void every_reaction_has_a_slot(void) {
    for (uint32_t n_workers = 1; n_workers <= 5; n_workers++) {
        app_t *app = app_new();
        rrl_id_t timer = app_timer(app, 0, 1);
        for (int i = 0; i < 9; i++) {
            rrl_id_t reactor = app_reactor(app);
            for (int k = 0; k <= i % 3; k++)
                declare(app, reaction(app, reactor), RRL_TRIGGER, RRL_TIMER, timer);
        }
        rrl_plan_t plan = compile(app, n_workers);
        uint32_t n_slots = plan.n_levels * n_workers, n_of[16] = {0};
        CHECK_EQ(plan.n_levels, 3);
        for (uint32_t r = 0; r < plan.n_reactions; r++) {
            CHECK(plan.reactions[r].home < n_workers);
            n_of[plan.reactions[r].level * n_workers + plan.reactions[r].home]++;
        }
        CHECK_EQ(plan.slot_begin[0], 0);
        CHECK_EQ(plan.slot_begin[n_slots], plan.n_reactions);
        for (uint32_t s = 0; s < n_slots; s++)
            CHECK_EQ(plan.slot_begin[s + 1] - plan.slot_begin[s], n_of[s]);
        free_all(app, &plan);
    }
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(reactions_of_one_reactor_are_ordered_without_any_port),
        CHECK_CASE(a_chain_of_connections_is_a_chain_of_levels),
        CHECK_CASE(a_delay_ends_a_chain_of_levels),
        CHECK_CASE(the_longest_way_decides_in_a_diamond),
        CHECK_CASE(reading_an_own_output_adds_no_order),
        CHECK_CASE(a_parent_stands_between_the_children_that_it_reads_and_writes),
        CHECK_CASE(a_multiport_orders_after_the_writers_of_all_channels),
        CHECK_CASE(levels_are_longest_paths_in_random_graphs),
        CHECK_CASE(a_loop_is_reported_in_running_order_with_its_ports),
        CHECK_CASE(a_reaction_that_triggers_itself_is_a_loop_of_one),
        CHECK_CASE(the_order_inside_a_reactor_may_close_a_loop),
        CHECK_CASE(a_loop_goes_through_pass_through_ports),
        CHECK_CASE(ports_alone_may_form_a_loop),
        CHECK_CASE(all_loops_are_told_whatever_is_on_them),
        CHECK_CASE(a_loop_of_ports_is_found_from_a_port_that_hangs_on_it),
        CHECK_CASE(a_loop_with_any_delay_is_none),
        CHECK_CASE(modes_of_one_reactor_have_no_order),
        CHECK_CASE(modes_that_exclude_each_other_close_no_loop),
        CHECK_CASE(what_a_mode_connects_is_ordered),
        CHECK_CASE(a_loop_through_connections_of_modes_names_their_ports),
        CHECK_CASE(modes_must_fit_together),
        CHECK_CASE(connections_that_agree_share_a_delay),
        CHECK_CASE(a_pass_through_chain_shows_the_cell_where_it_begins),
        CHECK_CASE(cells_are_numbered_kind_by_kind),
        CHECK_CASE(a_connected_port_has_no_other_writer),
        CHECK_CASE(a_view_stands_once_however_often_it_is_declared),
        CHECK_CASE(what_does_not_exist_cannot_be_declared),
        CHECK_CASE(nothing_at_all_compiles),
        CHECK_CASE(a_bank_is_cut_into_contiguous_slices),
        CHECK_CASE(all_reactions_of_a_reactor_have_one_home),
        CHECK_CASE(reactions_for_startup_and_shutdown_alone_decide_nothing),
        CHECK_CASE(every_reaction_has_a_slot),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
