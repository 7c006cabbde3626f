#include "body.h"

/* ---- ports ----------------------------------------------------------------------------------- */

static rrl_status_t set_twice(const here_t *h) {
    const wire_t *wire = h->arg;
    set(h, wire->out, 1);
    CHECK_EQ(look_up(h, wire->out), 1);
    set(h, wire->out, 2);
    CHECK_EQ(look_up(h, wire->out), 2);
    return RRL_OK;
}

static rrl_status_t set_again(const here_t *h) {
    const wire_t *wire = h->arg;
    CHECK_EQ(look_up(h, wire->out), 2);
    CHECK(!h->app->port_views[wire->out].is_present); /* effects have no view */
    set(h, wire->out, 3);
    return RRL_OK;
}

static void the_last_write_wins(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t out = app_port(app), in = app_port(app), timer = app_timer(app, 0, 1);
        rrl_id_t reactor = app_reactor(app);
        wire_t source = {.out = out}, sink = {in, RRL_NONE, "got"};
        declare(app, app_on(app, reactor, RRL_TIMER, timer, set_twice, &source), RRL_EFFECT,
                RRL_PORT, out);
        declare(app, app_on(app, reactor, RRL_TIMER, timer, set_again, &source), RRL_EFFECT,
                RRL_PORT, out);
        add_wire(app, &sink);
        connect(app, out, in, RRL_NO_DELAY);
        app->options.timeout_ns = 2;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 got 3; 1.0 got 3; 2.0 got 3");
        app_free(app);
    }
}

static rrl_status_t touch_what_is_not_declared(const here_t *h) {
    const wire_t *wire = h->arg;
    void *payload;
    const uint32_t *channels;
    uint32_t n;
    handle_t handle;
    CHECK_EQ(try_set(h, wire->in, 1), RRL_E_UNDECLARED);
    CHECK_EQ(try_set(h, 1000, 1), RRL_E_INVAL);
    CHECK_EQ(rrl_port_payload(h->w, wire->out, &payload), RRL_E_UNDECLARED_USE);
    CHECK_EQ(rrl_port_payload(h->w, 1000, &payload), RRL_E_INVAL);
    CHECK_EQ(rrl_multiport_present(h->w, 0, &channels, &n), RRL_E_UNDECLARED_USE);
    CHECK_EQ(rrl_multiport_present(h->w, 1, &channels, &n), RRL_E_INVAL);
    handle = schedule(h, 0, 0, 1);
    CHECK_EQ(handle.status, RRL_E_UNDECLARED);
    CHECK_EQ(rrl_cancel(h->w, 0, h->tag, 1), RRL_E_UNDECLARED);
    CHECK(!rrl_may_schedule(h->w, 0));
    CHECK(!rrl_may_schedule(h->w, 1000));
    CHECK(!rrl_may_touch(h->w, 0));
    CHECK_EQ(look_up(h, wire->in), ABSENT);
    CHECK_EQ(get(h, wire->in), ABSENT);
    return RRL_OK;
}

static void only_what_is_declared_can_be_touched(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t first;
        wire_t wire = {app_port(app), app_port(app), NULL};
        app_multiport(app, 2, &first);
        app_logical(app, 0);
        rrl_id_t r =
            app_on(app, app_reactor(app), RRL_STARTUP, 0, touch_what_is_not_declared, &wire);
        declare(app, r, RRL_USE, RRL_PORT, wire.in);
        app_go(app);
        CHECK_EQ(app->stats.n_reactions, 1);

        here_t nowhere = {.app = app, .w = app->workers[0].w}; /* no body runs */
        void *payload;
        CHECK_EQ(try_set(&nowhere, wire.out, 1), RRL_E_PHASE);
        CHECK_EQ(rrl_port_payload(nowhere.w, wire.in, &payload), RRL_E_PHASE);
        CHECK_EQ(schedule(&nowhere, 0, 0, 1).status, RRL_E_PHASE);
        CHECK_EQ(rrl_request_stop(nowhere.w), RRL_E_PHASE);
        CHECK_EQ(rrl_load_relaxed_u64(&app->n_live), 0);
        app_free(app);
    }
}

static rrl_status_t join_two(const here_t *h) {
    const wire_t *wires = h->arg;
    note(h, "join %lld %lld", (long long)get(h, wires[0].in), (long long)get(h, wires[1].in));
    return RRL_OK;
}

static void a_join_runs_once_after_all_that_it_reads(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t p[9];
        for (int i = 0; i < 9; i++) p[i] = app_port(app);
        wire_t source = {.out = p[0]}, left = {p[1], p[2], "left"}, right = {p[3], p[4], "right"},
               far = {p[5], p[6], "far"}, join[2] = {{.in = p[7]}, {.in = p[8]}};
        rrl_id_t r =
            app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), emit_one, &source);
        declare(app, r, RRL_EFFECT, RRL_PORT, p[0]);
        add_wire(app, &left);
        add_wire(app, &right);
        add_wire(app, &far);
        r = app_on(app, app_reactor(app), RRL_PORT, p[7], join_two, join);
        declare(app, r, RRL_TRIGGER, RRL_PORT, p[8]);
        connect(app, p[0], p[1], RRL_NO_DELAY);
        connect(app, p[0], p[3], RRL_NO_DELAY);
        connect(app, p[4], p[5], RRL_NO_DELAY);
        connect(app, p[2], p[7], RRL_NO_DELAY);
        connect(app, p[6], p[8], RRL_NO_DELAY);
        app->options.timeout_ns = 1;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 left 1; 0.0 right 1; 0.0 far 2; 0.0 join 2 3; "
                                   "1.0 left 1; 1.0 right 1; 1.0 far 2; 1.0 join 2 3");
        app_free(app);
    }
}

static rrl_status_t relay(const here_t *h) {
    const wire_t *wires = h->arg; /* reads the child's output, sets the other child's input */
    set(h, wires[1].in, get(h, wires[0].out) * 10);
    return RRL_OK;
}

static void a_parent_reads_outputs_and_sets_inputs_of_its_children(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wire_t child[2] = {{app_port(app), app_port(app), "a"}, {app_port(app), RRL_NONE, "b"}};
        wire_t start = {.out = child[0].in};
        rrl_id_t parent = app_reactor(app);
        rrl_id_t r = app_on(app, parent, RRL_TIMER, app_timer(app, 0, 1), emit_one, &start);
        declare(app, r, RRL_EFFECT, RRL_PORT, child[0].in);
        r = app_on(app, parent, RRL_PORT, child[0].out, relay, child);
        declare(app, r, RRL_EFFECT, RRL_PORT, child[1].in);
        add_wire(app, &child[0]);
        add_wire(app, &child[1]);
        app->options.timeout_ns = 1;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 a 1; 0.0 b 20; 1.0 a 1; 1.0 b 20");
        app_free(app);
    }
}

/* ---- finalisers ------------------------------------------------------------------------------ */

/* Elements 0 and 1 of each kind: what the body uses, and what the finaliser of a value uses. */
enum { MARKED = 666 };

static void use_the_runtime(const payload_t *payload) {
    here_t h = {.app = payload->app, .w = app_here->w, .tag = rrl_worker_tag(app_here->w)};
    h.reaction = rrl_worker_reaction(h.w);
    if (payload->value != MARKED) return;
    bool is_in_body = h.reaction != RRL_NONE;
    CHECK_EQ(try_set(&h, 1, 7), is_in_body ? RRL_OK : RRL_E_PHASE);
    CHECK_EQ(schedule(&h, 1, 0, 8).status, is_in_body ? RRL_OK : RRL_E_PHASE);
    CHECK_EQ(push(h.app, 2, 0, 9, NULL), RRL_OK); /* legal anywhere */
}

static rrl_status_t drop_in_all_ways(const here_t *h) {
    set(h, 0, MARKED);
    set(h, 0, 1); /* drops the first: here */
    schedule(h, 0, 5, MARKED);
    handle_t handle = schedule(h, 0, 5, 2); /* replaces it */
    CHECK_EQ(handle.status, RRL_OK);
    schedule(h, 0, 5, MARKED);
    CHECK_EQ(rrl_cancel(h->w, 0, handle.tag, handle.serial), RRL_OK);
    set(h, 0, MARKED); /* dropped when the tag ends */
    return RRL_OK;
}

static void a_finaliser_may_use_the_runtime(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        app_port(app);
        app_port(app);
        app_action(app, (rrl_action_spec_t){.min_spacing_ns = 100, .policy = RRL_REPLACE});
        app_logical(app, 0);
        rrl_id_t physical = app_physical(app, 100), reactor = app_reactor(app);
        rrl_id_t r = app_on(app, reactor, RRL_STARTUP, 0, drop_in_all_ways, NULL);
        for (rrl_id_t i = 0; i < 2; i++) {
            declare(app, r, RRL_EFFECT, RRL_PORT, i);
            declare(app, r, RRL_EFFECT, RRL_ACTION, i);
        }
        app_on(app, reactor, RRL_ACTION, 1, say, "logical");
        app_on(app, reactor, RRL_ACTION, physical, NULL, NULL);
        app->on_drop = use_the_runtime;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.1 logical; 0.2 logical; 0.3 logical");
        CHECK_EQ(rrl_program_reaction_count(app->p, 2), 4);
        app_free(app);
    }
}

/* ---- multiports ------------------------------------------------------------------------------ */

/* A multiport and the first of its channels. */
typedef struct wide {
    rrl_id_t id, first;
    uint32_t width;
    const char *name;
} wide_t;

static wide_t add_wide(app_t *app, uint32_t width, const char *name) {
    wide_t wide = {.width = width, .name = name};
    wide.id = app_multiport(app, width, &wide.first);
    return wide;
}

/* The present channels and their values: "name 1=5 3=7". */
static rrl_status_t gather(const here_t *h) {
    const wide_t *wide = h->arg;
    char text[40];
    const uint32_t *channels;
    uint32_t n, k = 0;
    size_t used = (size_t)snprintf(text, sizeof text, "%s", wide->name);
    CHECK_EQ(rrl_multiport_present(h->w, wide->id, &channels, &n), RRL_OK);
    CHECK(h->app->multiport_views[wide->id].is_present == (n ? &app_present : &app_absent));
    for (uint32_t i = 0; i < wide->width; i++) { /* the views of the channels say the same */
        bool is_listed = k < n && channels[k] == i;
        int64_t value = get(h, wide->first + i);
        CHECK_EQ(value != ABSENT, is_listed);
        CHECK_EQ(look_up(h, wide->first + i), value);
        if (!is_listed) continue;
        used += (size_t)snprintf(text + used, sizeof text - used, " %u=%lld", i, (long long)value);
        k++;
    }
    CHECK_EQ(k, n); /* ascending, none twice */
    note(h, "%s", text);
    return RRL_OK;
}

/* Sets some channels of its own multiport, in no order: those of the bits of the tag's time. */
static rrl_status_t scatter(const here_t *h) {
    const wide_t *wide = h->arg;
    for (uint32_t i = 0; i < wide->width; i++) {
        uint32_t channel = (i * 5 + 3) % wide->width; /* every one once: 5 divides no width here */
        if (h->tag.time_ns >> channel & 1) set(h, wide->first + channel, channel * 10);
    }
    return RRL_OK;
}

static void a_multiport_lists_its_present_channels_in_order(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wide_t out = add_wide(app, 4, "out"), in = add_wide(app, 4, "in");
        rrl_id_t reactor = app_reactor(app);
        rrl_id_t r = app_on(app, reactor, RRL_TIMER, app_timer(app, 0, 1), scatter, &out);
        declare(app, r, RRL_EFFECT, RRL_MULTIPORT, out.id);
        app_on(app, app_reactor(app), RRL_MULTIPORT, in.id, gather, &in);
        for (uint32_t i = 0; i < 4; i++) connect(app, out.first + i, in.first + i, RRL_NO_DELAY);
        app->options.timeout_ns = 15;
        app_go(app);
        CHECK_STR_EQ(app_log(app),
                     "1.0 in 0=0; 2.0 in 1=10; 3.0 in 0=0 1=10; 4.0 in 2=20; 5.0 in 0=0 2=20; "
                     "6.0 in 1=10 2=20; 7.0 in 0=0 1=10 2=20; 8.0 in 3=30; 9.0 in 0=0 3=30; "
                     "10.0 in 1=10 3=30; 11.0 in 0=0 1=10 3=30; 12.0 in 2=20 3=30; "
                     "13.0 in 0=0 2=20 3=30; 14.0 in 1=10 2=20 3=30; 15.0 in 0=0 1=10 2=20 3=30");
        app_free(app);
    }
}

static void a_use_of_a_multiport_shows_it_absent(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wide_t in = add_wide(app, 3, "in"), none = add_wide(app, 0, "none");
        rrl_id_t r = app_on(app, app_reactor(app), RRL_STARTUP, 0, gather, &in);
        declare(app, r, RRL_USE, RRL_MULTIPORT, in.id);
        r = app_on(app, app_reactor(app), RRL_STARTUP, 0, gather, &none);
        declare(app, r, RRL_USE, RRL_MULTIPORT, none.id);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 in; 0.0 none");
        app_free(app);
    }
}

/* How many channels are present, and the first. */
static rrl_status_t count_present(const here_t *h) {
    const uint32_t *channels;
    uint32_t n;
    CHECK_EQ(rrl_multiport_present(h->w, ((const wide_t *)h->arg)->id, &channels, &n), RRL_OK);
    for (uint32_t i = 1; i < n; i++) CHECK(channels[i - 1] < channels[i]);
    note(h, "%u from %u", n, n ? channels[0] : 0);
    return RRL_OK;
}

static void a_wide_bank_is_gathered_in_order(void) {
    enum { N = 100 };
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        static wire_t members[N];
        wide_t in = add_wide(app, N, "in");
        /* connected backwards, so that no order is there by chance */
        for (uint32_t i = 0; i < N; i++) {
            members[i] = (wire_t){.out = app_port(app)};
            rrl_id_t r = app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, i % 3, 3),
                                emit_one, &members[i]);
            declare(app, r, RRL_EFFECT, RRL_PORT, members[i].out);
            connect(app, members[i].out, in.first + N - 1 - i, RRL_NO_DELAY);
        }
        rrl_id_t r = app_on(app, app_reactor(app), RRL_MULTIPORT, in.id, count_present, &in);
        CHECK_EQ(app->n_reactions, r + 1);
        app->options.timeout_ns = 3;
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 34 from 0; 1.0 33 from 2; 2.0 33 from 1; 3.0 34 from 0");
        app_free(app);
    }
}

static void one_source_may_feed_several_channels(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wire_t source = {.out = app_port(app)};
        wide_t in = add_wide(app, 3, "in"), late = add_wide(app, 3, "late");
        rrl_id_t r =
            app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 0), emit_one, &source);
        declare(app, r, RRL_EFFECT, RRL_PORT, source.out);
        app_on(app, app_reactor(app), RRL_MULTIPORT, in.id, gather, &in);
        app_on(app, app_reactor(app), RRL_MULTIPORT, late.id, gather, &late);
        for (uint32_t i = 0; i < 3; i++) connect(app, source.out, in.first + i, RRL_NO_DELAY);
        /* one delay for all */
        for (uint32_t i = 0; i < 3; i++) connect(app, source.out, late.first + i, 2);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "0.0 in 0=1 1=1 2=1; 2.0 late 0=1 1=1 2=1");
        CHECK_EQ(app->stats.n_events, 2);
        app_free(app);
    }
}

/* The writer looks at its own multiport, between two writes. */
static rrl_status_t set_and_look(const here_t *h) {
    const wide_t *wide = h->arg;
    const uint32_t *channels;
    uint32_t n;
    CHECK_EQ(rrl_multiport_present(h->w, wide->id, &channels, &n), RRL_OK);
    CHECK_EQ(n, 0);
    set(h, wide->first + 2, 2);
    CHECK_EQ(rrl_multiport_present(h->w, wide->id, &channels, &n), RRL_OK);
    CHECK(n == 1 && channels[0] == 2);
    set(h, wide->first + 1, 1);
    CHECK_EQ(rrl_multiport_present(h->w, wide->id, &channels, &n), RRL_OK);
    CHECK(n == 2 && channels[0] == 1 && channels[1] == 2);
    return RRL_OK;
}

/* A later reaction of the same reactor looks at it, too, and adds a channel if it may. */
static rrl_status_t look_at_own(const here_t *h) {
    const wide_t *wide = h->arg;
    const uint32_t *channels;
    uint32_t n;
    CHECK_EQ(rrl_multiport_present(h->w, wide->id, &channels, &n), RRL_OK);
    CHECK(n == 2 && channels[0] == 1 && channels[1] == 2);
    if (try_set(h, wide->first, 0) == RRL_OK) {
        CHECK_EQ(rrl_multiport_present(h->w, wide->id, &channels, &n), RRL_OK);
        CHECK(n == 3 && channels[0] == 0);
    }
    return RRL_OK;
}

static void looking_at_an_own_multiport_takes_nothing_from_its_reader(void) {
    FOR_POOLS(pool) {
        for (int adds = 0; adds < 2; adds++) {
            app_t *app = app_new_for(pool);
            wide_t out = add_wide(app, 4, "out");
            rrl_id_t parent = app_reactor(app), child = app_reactor(app);
            /* reads the child's output itself */
            app_on(app, parent, RRL_MULTIPORT, out.id, gather, &out);
            rrl_id_t r = app_on(app, child, RRL_TIMER, app_timer(app, 0, 1), set_and_look, &out);
            declare(app, r, RRL_EFFECT, RRL_MULTIPORT, out.id);
            r = app_on(app, child, RRL_TIMER, app_timer(app, 0, 1), look_at_own, &out);
            declare(app, r, adds ? RRL_EFFECT : RRL_PEEK, RRL_MULTIPORT, out.id);
            app->options.timeout_ns = 1;
            app_go(app);
            CHECK_STR_EQ(app_log(app), adds ? "0.0 out 0=0 1=1 2=2; 1.0 out 0=0 1=1 2=2"
                                            : "0.0 out 1=1 2=2; 1.0 out 1=1 2=2");
            app_free(app);
        }
    }
}

/* Reads one channel of what the next reaction reads whole. */
static rrl_status_t read_one_channel(const here_t *h) {
    const wide_t *wide = h->arg;
    note(h, "one %lld", (long long)(get(h, wide->first + 1) != ABSENT));
    CHECK_EQ(rrl_may_touch(h->w, wide->id), true);
    return RRL_OK;
}

static void a_channel_may_be_declared_by_itself(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wide_t out = add_wide(app, 3, "out");
        rrl_id_t parent = app_reactor(app);
        rrl_id_t r = app_on(app, parent, RRL_TIMER, app_timer(app, 0, 1), read_one_channel, &out);
        declare(app, r, RRL_USE, RRL_PORT, out.first + 1);
        app_on(app, parent, RRL_MULTIPORT, out.id, gather, &out);
        r = app_on(app, parent, RRL_MULTIPORT, out.id, gather, &out);
        declare(app, r, RRL_TRIGGER, RRL_PORT, out.first + 1); /* together with the whole */
        r = app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 0, 1), scatter, &out);
        declare(app, r, RRL_EFFECT, RRL_MULTIPORT, out.id);
        app->options.timeout_ns = 4;
        app_go(app);
        CHECK_STR_EQ(app_log(app),
                     "0.0 one 0; 1.0 one 0; 1.0 out 0=0; 1.0 out 0=0; "
                     "2.0 one 1; 2.0 out 1=10; 2.0 out 1=10; 3.0 one 1; 3.0 out 0=0 1=10; "
                     "3.0 out 0=0 1=10; 4.0 one 0; 4.0 out 2=20; 4.0 out 2=20");
        app_free(app);
    }
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(the_last_write_wins),
        CHECK_CASE(only_what_is_declared_can_be_touched),
        CHECK_CASE(a_join_runs_once_after_all_that_it_reads),
        CHECK_CASE(a_parent_reads_outputs_and_sets_inputs_of_its_children),
        CHECK_CASE(a_finaliser_may_use_the_runtime),
        CHECK_CASE(a_multiport_lists_its_present_channels_in_order),
        CHECK_CASE(a_use_of_a_multiport_shows_it_absent),
        CHECK_CASE(a_wide_bank_is_gathered_in_order),
        CHECK_CASE(one_source_may_feed_several_channels),
        CHECK_CASE(looking_at_an_own_multiport_takes_nothing_from_its_reader),
        CHECK_CASE(a_channel_may_be_declared_by_itself),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
