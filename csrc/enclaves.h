/* enclaves.h: the ledger of a program with several time lines, or with a clock that is under test.
 *
 * Each enclave writes down the tag that it wants to process next, its *head*. It may process it once no
 * other enclave can still bring it an event at or before that tag: X brings none before X's head, delayed by
 * the shortest way from X. So an enclave computes what it would compute on one time line, whatever
 * the others' speed. (Conservative discrete-event simulation with global knowledge instead of null messages:
 * R. M. Fujimoto, Parallel and Distributed Simulation Systems, 2000, chapter 3.)
 *
 * One lock, held for looking and noting only: nothing waits and no host code runs under it. A program with
 * one enclave and a real clock has no ledger. */
#ifndef RRL_ENCLAVES_H
#define RRL_ENCLAVES_H

#include "lock.h"
#include "plan.h"

/* What a value passes on its way: the sum of its delays, and the microsteps since the last that was not 0. */
typedef struct rrl_distance {
    int64_t time_ns; /* < 0: there is no way */
    uint32_t microsteps;
} rrl_distance_t;

/* An event on its way into an enclave, already with its tag. */
typedef struct rrl_mail {
    rrl_tag_t tag;
    uint32_t delay;
    void *payload;
} rrl_mail_t;

typedef struct rrl_mailbox {
    rrl_mail_t *items;
    uint32_t n, capacity;
} rrl_mailbox_t;

typedef enum rrl_stance {
    RRL_BUSY,  /* processes its head, or has been told to look again */
    RRL_HELD,  /* would process its head if it might */
    RRL_TIMED, /* waits for the clock to show its head's time */
    RRL_IDLE,  /* has nothing to process */
    RRL_OVER,  /* has ended */
} rrl_stance_t;

typedef struct rrl_entry {
    rrl_stance_t stance;
    rrl_tag_t head; /* BUSY: sends nothing that is stamped before; time RRL_FOREVER: none */
    rrl_tag_t
        floor;      /* always before head: others rely on it that nothing is processed up to here */
    rrl_tag_t last; /* processed */
    rrl_tag_t stop; /* ordered by others, or for lack of events; time RRL_FOREVER: none */
    bool has_news;  /* `stop` was lowered since the last exchange */
    bool may_receive;
    uint32_t n_inside; /* events of others, sent and not yet processed */
    uint32_t group;    /* enclaves that can reach each other share a number */
    rrl_mailbox_t mailbox;
} rrl_entry_t;

typedef struct rrl_ledger {
    rrl__lock_t lock;
    uint32_t n;
    rrl_entry_t *entries;
    rrl_distance_t *distance; /* [from * n + to], by delays; none by physical connections */
    uint8_t *is_linked;       /* [from * n + to]: one connection */
    uint8_t *can_reach;       /* [from * n + to]: some way, physical connections too */
    rrl_tag_t limit;          /* stepped: nothing later is processed */
    bool takes_turns;         /* one enclave at a time, smallest head first */
    uint32_t visitor;         /* whose coordinator holds the lock, or RRL_NONE */
    /* Counts pauses, times two; bit 0: nothing can happen before the next step. Futex of wait_for_pause. */
    rrl_atomic_u32_t pause;
} rrl_ledger_t;

typedef enum rrl_answer { RRL_GO, RRL_LOOK_AGAIN, RRL_WAIT } rrl_answer_t;

struct rrl_program;
struct rrl_enclave;
struct rrl_worker;

/* Gives the program its ledger if it needs one. */
rrl_status_t rrl__ledger_create(struct rrl_program *p);
void rrl__ledger_destroy(rrl_ledger_t *l);

/* All below: the coordinator's of the enclave, attached. */

/* Posts what the enclave has sent and its stop, takes over what came for it. */
void rrl__ledger_exchange(struct rrl_enclave *e, struct rrl_worker *w);
/* Whether the enclave may process `head` (RRL_FOREVER: it has none). WAIT: the bell will be rung, unless it
 * waits for a real clock. */
rrl_answer_t rrl__ledger_ask(struct rrl_enclave *e, struct rrl_worker *w, rrl_tag_t head,
                             bool is_due, bool may_receive);
/* The enclave has ended. */
void rrl__ledger_leave(struct rrl_enclave *e, struct rrl_worker *w);

#endif
