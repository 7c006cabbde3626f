#include "modes.h"

static rrl_id_t mutable_port(app_t *app) {
    rrl_id_t id;
    CHECK_EQ(rrl_graph_add_port(app->g, 0, true, &app->port_views[app->n_ports], &id), RRL_OK);
    CHECK_EQ(id, app->n_ports++);
    return id;
}

static payload_t *shown(const here_t *h, rrl_id_t port) { return h->app->port_views[port].value; }

/* What the binding does when a body asks for the value. */
static payload_t *take(const here_t *h, rrl_id_t port) {
    CHECK(h->app->port_views[port].is_present == &app_present);
    if (!shown(h, port)) {
        CHECK(rrl_port_needs_copy(h->app->p, port));
        payload_t *copy = payload_new(h->app, look_up(h, port));
        CHECK_EQ(rrl_port_own(h->w, port, copy), RRL_OK);
        CHECK_EQ(rrl_port_own(h->w, port, copy), RRL_E_INVAL); /* one for each tag */
        CHECK(shown(h, port) == copy);
    }
    CHECK_EQ(look_up(h, port), shown(h, port)->value);
    return shown(h, port);
}

/* Writes into what it reads. */
static rrl_status_t scribble(const here_t *h) {
    const wire_t *wire = h->arg;
    payload_t *payload = take(h, wire->in);
    payload->value += 100;
    note(h, "%s %lld", wire->name, (long long)payload->value);
    return RRL_OK;
}

static rrl_status_t emit_time(const here_t *h) {
    set(h, ((const wire_t *)h->arg)->out, h->tag.time_ns);
    return RRL_OK;
}

static rrl_id_t add_source(app_t *app, wire_t *source) {
    *source = (wire_t){.out = app_port(app)};
    rrl_id_t r = app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 1, 1), emit_time, source);
    declare(app, r, RRL_EFFECT, RRL_PORT, source->out);
    app->options.timeout_ns = 2;
    return r;
}

static void the_only_reader_gets_the_object_itself(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wire_t source, sink = {mutable_port(app), RRL_NONE, "sink"};
        add_source(app, &source);
        app_on(app, app_reactor(app), RRL_PORT, sink.in, scribble, &sink);
        connect(app, source.out, sink.in, RRL_NO_DELAY);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "1.0 sink 101; 2.0 sink 102");
        CHECK(!rrl_port_needs_copy(app->p, sink.in));
        CHECK(rrl_port_is_moved(app->p, source.out));
        app_free(app);
    }
}

static void each_mutable_one_of_several_readers_gets_a_copy(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wire_t source, sinks[3] = {{mutable_port(app), RRL_NONE, "a"},
                                   {mutable_port(app), RRL_NONE, "b"},
                                   {app_port(app), RRL_NONE, "c"}};
        add_source(app, &source);
        for (int i = 0; i < 3; i++) {
            app_on(app, app_reactor(app), RRL_PORT, sinks[i].in, i < 2 ? scribble : forward,
                   &sinks[i]);
            connect(app, source.out, sinks[i].in, RRL_NO_DELAY);
        }
        app_go(app);
        CHECK_STR_EQ(app_log(app), "1.0 a 101; 1.0 b 101; 1.0 c 1; 2.0 a 102; 2.0 b 102; 2.0 c 2");
        for (int i = 0; i < 3; i++) CHECK_EQ(rrl_port_needs_copy(app->p, sinks[i].in), i < 2);
        CHECK(!rrl_port_is_moved(app->p, source.out));
        app_free(app);
    }
}

static void a_copy_lasts_until_the_tag_ends(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wire_t source, sink = {mutable_port(app), RRL_NONE, "sink"},
                       other = {app_port(app), RRL_NONE, "other"};
        add_source(app, &source);
        rrl_id_t reader = app_reactor(app);
        for (int i = 0; i < 3; i++) /* each sees what those before have written */
            app_on(app, reader, RRL_PORT, sink.in, scribble, &sink);
        add_wire(app, &other);
        connect(app, source.out, sink.in, RRL_NO_DELAY);
        connect(app, source.out, other.in, RRL_NO_DELAY);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "1.0 sink 101; 1.0 sink 201; 1.0 sink 301; 1.0 other 1; "
                                   "2.0 sink 102; 2.0 sink 202; 2.0 sink 302; 2.0 other 2");
        app_free(app);
    }
}

/* The first of two channels is set by nobody. */
static rrl_status_t scribble_on_channels(const here_t *h) {
    const wire_t *wire = h->arg;
    const uint32_t *channels;
    uint32_t n;
    CHECK_EQ(rrl_multiport_present(h->w, 0, &channels, &n), RRL_OK);
    CHECK(n == 1 && channels[0] == 1);
    CHECK(!shown(h, wire->in) && h->app->port_views[wire->in].is_present == &app_concealed);
    CHECK_EQ(rrl_port_own(h->w, wire->in, h->app), RRL_E_INVAL); /* absent */
    payload_t *payload = take(h, wire->in + 1);
    payload->value += 100;
    note(h, "%s %lld", wire->name, (long long)payload->value);
    return RRL_OK;
}

static void a_channel_is_copied_by_itself(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        rrl_id_t wide, unset = app_port(app), first = app->n_ports;
        wire_t source, sink = {first, RRL_NONE, "sink"}, other[2];
        for (int i = 0; i < 2; i++) {
            app->port_concealed[app->n_ports] = &app_concealed;
            app->port_views[app->n_ports].is_present = &app_concealed;
            mutable_port(app);
        }
        CHECK_EQ(rrl_graph_add_multiport(app->g, first, 2, &app->multiport_views[0], &app_concealed,
                                         &wide),
                 RRL_OK);
        app->n_multiports++;
        add_source(app, &source);
        rrl_id_t reader = app_reactor(app);
        for (int i = 0; i < 2; i++)
            app_on(app, reader, RRL_MULTIPORT, wide, scribble_on_channels, &sink);
        for (int i = 0; i < 2; i++) {
            other[i] = (wire_t){app_port(app), RRL_NONE, "other"};
            add_wire(app, &other[i]);
            connect(app, i ? source.out : unset, other[i].in, RRL_NO_DELAY);
            connect(app, i ? source.out : unset, first + (rrl_id_t)i, RRL_NO_DELAY);
        }
        rrl_id_t r = app_on(app, app_reactor(app), RRL_SHUTDOWN, 0, NULL, NULL);
        declare(app, r, RRL_EFFECT, RRL_PORT, unset);
        app_go(app);
        CHECK_STR_EQ(app_log(app), "1.0 sink 101; 1.0 sink 201; 1.0 other 1; "
                                   "2.0 sink 102; 2.0 sink 202; 2.0 other 2");
        app_free(app);
    }
}

static rrl_status_t try_to_own(const here_t *h) {
    const wire_t *wire = h->arg;
    CHECK_EQ(rrl_port_own(h->w, wire->in, h->app), RRL_E_UNDECLARED_USE);
    CHECK_EQ(rrl_port_own(h->w, wire->out, h->app), RRL_E_INVAL); /* not mutable */
    CHECK_EQ(rrl_port_own(h->w, 1000, h->app), RRL_E_INVAL);
    return RRL_OK;
}

static void only_a_reader_can_own(void) {
    FOR_POOLS(pool) {
        app_t *app = app_new_for(pool);
        wire_t source, sink = {mutable_port(app), RRL_NONE, "sink"},
                       other = {app_port(app), RRL_NONE, "other"}, both;
        add_source(app, &source);
        app_on(app, app_reactor(app), RRL_PORT, sink.in, scribble, &sink);
        add_wire(app, &other);
        connect(app, source.out, sink.in, RRL_NO_DELAY);
        connect(app, source.out, other.in, RRL_NO_DELAY);
        both = (wire_t){.in = sink.in, .out = source.out};
        app_on(app, app_reactor(app), RRL_TIMER, app_timer(app, 2, 0), try_to_own, &both);
        app_go(app);
        CHECK_EQ(app->stats.n_reactions, 7);
        CHECK_EQ(rrl_port_own(app->workers[0].w, sink.in, app), RRL_E_PHASE);
        CHECK(!rrl_port_needs_copy(app->p, 1000) && !rrl_port_is_moved(app->p, 1000));
        app_free(app);
    }
}

/* ---- who counts as a reader ------------------------------------------------------------------ */

/* A source, a mutable port that its values reach, and what each test adds. */
typedef struct census {
    app_t *app;
    rrl_id_t writer, writes; /* a reactor and its reaction */
    rrl_id_t out, in;
} census_t;

static void begin_census(census_t *c) {
    app_t *app = app_new();
    *c = (census_t){.app = app, .out = app_port(app), .in = mutable_port(app)};
    c->writer = app_reactor(app);
    c->writes = app_on(app, c->writer, RRL_STARTUP, 0, NULL, NULL);
    declare(app, c->writes, RRL_EFFECT, RRL_PORT, c->out);
    rrl_id_t reader = app_reactor(app);
    for (int i = 0; i < 2; i++) /* two reactions, one reader */
        app_on(app, reader, RRL_PORT, c->in, NULL, NULL);
}

static void end_census(census_t *c, uint32_t n_readers) {
    app_create(c->app, 1);
    CHECK_EQ(rrl_port_needs_copy(c->app->p, c->in), n_readers > 1);
    CHECK_EQ(rrl_port_is_moved(c->app->p, c->out), n_readers == 1);
    app_free(c->app);
}

static rrl_id_t add_reader(app_t *app, rrl_id_t port, rrl_role_t role) {
    rrl_id_t r = app_on(app, app_reactor(app), RRL_STARTUP, 0, NULL, NULL);
    declare(app, r, role, RRL_PORT, port);
    return r;
}

static void readers_are_counted_wherever_connections_lead(void) {
    census_t c;
    for (int64_t delay_ns = RRL_NO_DELAY; delay_ns < 2; delay_ns++) {
        begin_census(&c); /* through a port that nobody reads */
        rrl_id_t middle = app_port(c.app);
        connect(c.app, c.out, middle, delay_ns);
        connect(c.app, middle, c.in, RRL_NO_DELAY);
        end_census(&c, 1);

        begin_census(&c); /* another port, at once or later */
        rrl_id_t other = app_port(c.app);
        connect(c.app, c.out, c.in, RRL_NO_DELAY);
        connect(c.app, c.out, other, delay_ns);
        add_reader(c.app, other, RRL_USE);
        end_census(&c, 2);

        begin_census(&c); /* behind the port itself */
        other = app_port(c.app);
        connect(c.app, c.out, c.in, RRL_NO_DELAY);
        connect(c.app, c.in, other, delay_ns);
        add_reader(c.app, other, RRL_TRIGGER);
        end_census(&c, 2);
    }
    begin_census(&c); /* in a circle */
    connect(c.app, c.out, c.in, RRL_NO_DELAY);
    rrl_id_t a = app_port(c.app);
    connect(c.app, a, a, 0);
    add_reader(c.app, a, RRL_TRIGGER);
    end_census(&c, 1);
}

static void a_parent_that_reads_counts_and_the_writer_does_not(void) {
    census_t c;
    begin_census(&c);
    connect(c.app, c.out, c.in, RRL_NO_DELAY);
    add_reader(c.app, c.out, RRL_USE); /* the parent, at the child's output */
    end_census(&c, 2);

    begin_census(&c);
    connect(c.app, c.out, c.in, RRL_NO_DELAY);
    rrl_id_t r = app_on(c.app, c.writer, RRL_STARTUP, 0, NULL, NULL);
    declare(c.app, r, RRL_USE, RRL_PORT, c.out);
    declare(c.app, c.writes, RRL_PEEK, RRL_PORT, c.out);
    end_census(&c, 1);

    begin_census(&c); /* an input of the writer is a port like any other */
    rrl_id_t own = app_port(c.app);
    connect(c.app, c.out, c.in, RRL_NO_DELAY);
    connect(c.app, c.out, own, 1);
    r = app_on(c.app, c.writer, RRL_PORT, own, NULL, NULL);
    end_census(&c, 2);
}

static void connections_of_modes_count_whether_active_or_not(void) {
    census_t c;
    for (int n_modes = 1; n_modes <= 2; n_modes++) {
        begin_census(&c);
        rrl_id_t main = app_reactor(c.app), other = app_port(c.app);
        rrl_id_t mode[] = {add_mode(c.app, main, RRL_NONE, true),
                           add_mode(c.app, main, RRL_NONE, false)};
        link_in(c.app, mode[0], c.out, c.in, RRL_NO_DELAY);
        if (n_modes == 2) link_in(c.app, mode[1], c.out, other, RRL_NO_DELAY);
        add_reader(c.app, other, RRL_TRIGGER);
        end_census(&c, (uint32_t)n_modes);
    }
}

static void a_mutable_port_that_is_set_directly_has_one_reader(void) {
    app_t *app = app_new();
    rrl_id_t in = mutable_port(app), plain = app_port(app), unread = mutable_port(app);
    rrl_id_t parent = app_on(app, app_reactor(app), RRL_STARTUP, 0, NULL, NULL);
    rrl_id_t child = app_on(app, app_reactor(app), RRL_PORT, in, NULL, NULL);
    declare(app, child, RRL_USE, RRL_PORT, plain);
    declare(app, parent, RRL_EFFECT, RRL_PORT, in);
    declare(app, parent, RRL_EFFECT, RRL_PORT, plain);
    declare(app, parent, RRL_EFFECT, RRL_PORT, unread);
    app_create(app, 1);
    CHECK(rrl_port_is_moved(app->p, in) && !rrl_port_needs_copy(app->p, in));
    CHECK(!rrl_port_is_moved(app->p, plain) && !rrl_port_is_moved(app->p, unread));
    app_free(app);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(the_only_reader_gets_the_object_itself),
        CHECK_CASE(each_mutable_one_of_several_readers_gets_a_copy),
        CHECK_CASE(a_copy_lasts_until_the_tag_ends),
        CHECK_CASE(a_channel_is_copied_by_itself),
        CHECK_CASE(only_a_reader_can_own),
        CHECK_CASE(readers_are_counted_wherever_connections_lead),
        CHECK_CASE(a_parent_that_reads_counts_and_the_writer_does_not),
        CHECK_CASE(connections_of_modes_count_whether_active_or_not),
        CHECK_CASE(a_mutable_port_that_is_set_directly_has_one_reader),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
