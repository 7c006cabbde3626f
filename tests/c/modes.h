/* modes.h: what tests build and do with modes. */
#ifndef RRL_TEST_MODES_H
#define RRL_TEST_MODES_H

#include "body.h"

static inline rrl_id_t add_mode(app_t *app, rrl_id_t reactor, rrl_id_t within, bool is_initial) {
    rrl_id_t id;
    CHECK_EQ(rrl_graph_add_mode(app->g, reactor, within, is_initial, &id), RRL_OK);
    return id;
}

static inline rrl_id_t timer_in(app_t *app, rrl_id_t mode, int64_t offset_ns, int64_t period_ns) {
    rrl_id_t id;
    rrl_view_t *view = &app->timer_views[app->n_timers++];
    CHECK_EQ(rrl_graph_add_timer(app->g, 0, mode, offset_ns, period_ns, view, &id), RRL_OK);
    return id;
}

static inline rrl_id_t action_in(app_t *app, rrl_id_t mode, rrl_action_spec_t spec) {
    rrl_id_t id;
    rrl_view_t *view = &app->action_views[app->n_actions++];
    CHECK_EQ(rrl_graph_add_action(app->g, 0, mode, &spec, view, &id), RRL_OK);
    return id;
}

static inline rrl_id_t logical_in(app_t *app, rrl_id_t mode) {
    return action_in(app, mode, (rrl_action_spec_t){.min_spacing_ns = RRL_NO_SPACING});
}

static inline rrl_id_t reaction_in(app_t *app, rrl_id_t reactor, rrl_id_t mode, body_t body,
                                   void *arg) {
    rrl_id_t id;
    CHECK_EQ(rrl_graph_add_reaction(app->g, reactor, mode, 1000 + app->n_reactions, RRL_NO_DEADLINE,
                                    false, &id),
             RRL_OK);
    CHECK_EQ(id, app->n_reactions++);
    app->reactions[id] = (app_reaction_t){body, arg, reactor, {RRL_NEVER, 0}};
    return id;
}

/* A reaction with one trigger. */
static inline rrl_id_t on_in(app_t *app, rrl_id_t reactor, rrl_id_t mode, rrl_kind_t kind,
                             rrl_id_t element, body_t body, void *arg) {
    rrl_id_t id = reaction_in(app, reactor, mode, body, arg);
    declare(app, id, RRL_TRIGGER, kind, element);
    return id;
}

static inline void link_in(app_t *app, rrl_id_t mode, rrl_id_t source, rrl_id_t destination,
                           int64_t delay_ns) {
    CHECK_EQ(rrl_graph_connect(app->g, source, destination, delay_ns, false, mode), RRL_OK);
}

/* A transition, and what the body that makes it says. */
typedef struct turn {
    rrl_id_t mode;
    const char *name;
} turn_t;

static inline rrl_status_t go(const here_t *h) {
    const turn_t *turn = h->arg;
    note(h, "%s", turn->name);
    CHECK_EQ(rrl_mode_set(h->w, turn->mode), RRL_OK);
    return RRL_OK;
}

/* A reaction of the reactor, in no mode, that makes a transition at `time_ns`. */
static inline rrl_id_t go_at(app_t *app, rrl_id_t reactor, int64_t time_ns, rrl_kind_t kind,
                             turn_t *turn) {
    rrl_id_t r =
        on_in(app, reactor, RRL_NONE, RRL_TIMER, timer_in(app, RRL_NONE, time_ns, 0), go, turn);
    declare(app, r, RRL_EFFECT, kind, turn->mode);
    return r;
}

#endif
