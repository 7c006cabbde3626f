/* placement.h: which worker is the home of which reactor.
 *
 * Every reaction of a reactor runs at one home, so that what the reactor owns stays with one thread: on
 * a free-threaded interpreter an object that another thread drops costs several times its use. A wide
 * level is cut into contiguous slices, one for each worker; levels are served widest first, because there
 * the balance matters most. Reactions that only startup or shutdown trigger decide nothing. */
#ifndef RRL_PLACEMENT_H
#define RRL_PLACEMENT_H

#include "plan.h"

/* Fills reactions[].home and slot_begin. Needs levels and triggers. */
rrl_status_t rrl__place(rrl_plan_t *plan, uint32_t n_reactors);

#endif
