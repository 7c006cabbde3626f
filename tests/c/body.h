/* body.h: what the tests' bodies say and do, and the log that a program leaves. */
#ifndef RRL_TEST_BODY_H
#define RRL_TEST_BODY_H

#include "host.h"

/* ---- in a body ------------------------------------------------------------------------------- */

/* A line of the log; lines are compared in order of tags, then of reactions, whoever ran them. */
__attribute__((format(printf, 2, 3))) static inline void note(const here_t *h, const char *format,
                                                              ...) {
    uint32_t i = rrl_add_relaxed_u32(&h->app->n_notes, 1);
    CHECK(i < APP_MAX_NOTES);
    app_note_t *n = &h->app->notes[i];
    va_list list;
    n->tag = h->tag;
    n->reaction = h->reaction;
    va_start(list, format);
    CHECK((size_t)vsnprintf(n->text, sizeof n->text, format, list) < sizeof n->text);
    va_end(list);
}

static inline int compare_notes(const void *a, const void *b) {
    const app_note_t *x = *(const app_note_t *const *)a, *y = *(const app_note_t *const *)b;
    int order = rrl_tag_compare(x->tag, y->tag);
    if (order) return order;
    if (x->reaction != y->reaction) return x->reaction < y->reaction ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* "time.microstep text; ..." of the program that has run. */
static inline const char *app_log(app_t *app) {
    static app_note_t *sorted[APP_MAX_NOTES];
    uint32_t n = rrl_load_relaxed_u32(&app->n_notes);
    size_t used = 0;
    for (uint32_t i = 0; i < n; i++) sorted[i] = &app->notes[i];
    qsort(sorted, n, sizeof *sorted, compare_notes);
    app->log[0] = '\0';
    for (uint32_t i = 0; i < n && used < sizeof app->log; i++) {
        used += (size_t)snprintf(app->log + used, sizeof app->log - used, "%s%lld.%u %s",
                                 i ? "; " : "", (long long)sorted[i]->tag.time_ns,
                                 sorted[i]->tag.microstep, sorted[i]->text);
    }
    CHECK(used < sizeof app->log);
    return app->log;
}

static inline void check_stop_tag(const app_t *app, int64_t time_ns, uint32_t microstep) {
    CHECK_EQ(app->stats.stop_tag.time_ns, time_ns);
    CHECK_EQ(app->stats.stop_tag.microstep, microstep);
}

/* Through a view: the value, or ABSENT. */
static inline int64_t value_of(const rrl_view_t *view) {
    if (!view->value) {
        CHECK(view->is_present == &app_absent || view->is_present == &app_concealed);
        return ABSENT;
    }
    CHECK(view->is_present == &app_present);
    return ((const payload_t *)view->value)->value;
}

static inline int64_t get(const here_t *h, rrl_id_t port) {
    return value_of(&h->app->port_views[port]);
}

static inline int64_t get_action(const here_t *h, rrl_id_t action) {
    return value_of(&h->app->action_views[action]);
}

static inline bool timer_fired(const here_t *h, rrl_id_t timer) {
    const rrl_view_t *view = &h->app->timer_views[timer];
    CHECK(view->is_present == &app_present || view->is_present == &app_absent);
    CHECK((view->value != NULL) == (view->is_present == &app_present));
    return view->value != NULL;
}

/* By rrl_port_payload. */
static inline int64_t look_up(const here_t *h, rrl_id_t port) {
    void *payload;
    CHECK_EQ(rrl_port_payload(h->w, port, &payload), RRL_OK);
    return payload ? ((const payload_t *)payload)->value : ABSENT;
}

static inline rrl_status_t try_set(const here_t *h, rrl_id_t port, int64_t value) {
    payload_t *payload = payload_new(h->app, value);
    rrl_status_t rc = rrl_port_set(h->w, port, payload);
    if (rc) payload_drop(payload);
    return rc;
}

static inline void set(const here_t *h, rrl_id_t port, int64_t value) {
    CHECK_EQ(try_set(h, port, value), RRL_OK);
}

typedef struct handle {
    rrl_tag_t tag;
    uint64_t serial; /* 0: dropped */
    rrl_status_t status;
} handle_t;

static inline handle_t schedule(const here_t *h, rrl_id_t action, int64_t delay_ns, int64_t value) {
    payload_t *payload = payload_new(h->app, value);
    handle_t handle = {.serial = 0};
    handle.status = rrl_schedule(h->w, action, delay_ns, payload, &handle.tag, &handle.serial);
    if (handle.status != RRL_OK && handle.status != RRL_STOPPED) payload_drop(payload);
    CHECK_EQ(handle.serial != 0, handle.status == RRL_OK);
    return handle;
}

/* From any thread. *out_ticket, if not NULL, gets a reference of its own when the push goes well. */
static inline rrl_status_t push(app_t *app, rrl_id_t action, int64_t delay_ns, int64_t value,
                                payload_t **out_ticket) {
    payload_t *ticket = ticket_new(app, value);
    rrl_tag_t tag;
    if (out_ticket) {
        rrl_add_relaxed_u32(&ticket->n_refs, 1);
        rrl_add_relaxed_u64(&app->n_taken, 1);
        *out_ticket = ticket;
    }
    rrl_status_t rc = rrl_schedule_physical(app->p, action, delay_ns, ticket, &tag);
    if (rc) {
        payload_drop(ticket);
        if (out_ticket) payload_drop(ticket);
    }
    return rc;
}

/* ---- bodies and reactors that many tests need ------------------------------------------------ */

static inline rrl_status_t say(const here_t *h) {
    note(h, "%s", (const char *)h->arg);
    return RRL_OK;
}

static inline rrl_status_t fail(const here_t *h) {
    note(h, "%s fails", (const char *)h->arg);
    return RRL_E_REACTION;
}

static inline rrl_status_t say_and_stop(const here_t *h) {
    note(h, "%s", (const char *)h->arg);
    CHECK_EQ(rrl_request_stop(h->w), RRL_OK);
    return RRL_OK;
}

/* What a stage knows: where it reads, where it writes. */
typedef struct wire {
    rrl_id_t in, out;
    const char *name;
} wire_t;

static inline rrl_status_t forward(const here_t *h) {
    const wire_t *wire = h->arg;
    note(h, "%s %lld", wire->name, (long long)get(h, wire->in));
    if (wire->out != RRL_NONE) set(h, wire->out, get(h, wire->in) + 1);
    return RRL_OK;
}

static inline rrl_status_t emit_one(const here_t *h) {
    set(h, ((const wire_t *)h->arg)->out, 1);
    return RRL_OK;
}

/* A reactor that forwards. */
static inline void add_wire(app_t *app, wire_t *wire) {
    rrl_id_t r = app_on(app, app_reactor(app), RRL_PORT, wire->in, forward, wire);
    if (wire->out != RRL_NONE) declare(app, r, RRL_EFFECT, RRL_PORT, wire->out);
}

#endif
