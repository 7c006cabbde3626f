/* assert.h: checks of our own reasoning, never of what a user passed in.
 *
 *   RRL_DEBUG=0  (default) compiled away; the expression is still type-checked
 *   RRL_DEBUG=1  rrl_assert    cheap checks at the borders between modules
 *   RRL_DEBUG=2  rrl_assert2   checks inside a module, in its loops
 *   RRL_DEBUG=3  rrl_assert3   a whole `*_is_valid` after each mutation
 *
 * A failing check prints the expression, file and line, and aborts.
 *
 * This folder is on the -iquote path; on the -I path this file would be <assert.h> for everyone. */

#ifndef RRL_ASSERT_H
#define RRL_ASSERT_H

#include <stdio.h>
#include <stdlib.h>

#ifndef RRL_DEBUG
#define RRL_DEBUG 0
#endif

_Noreturn __attribute__((cold)) static inline void rrl__assert_failed(const char *expression,
                                                                      const char *file, int line) {
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}

#define RRL__ASSERT_ON(expr) ((expr) ? (void)0 : rrl__assert_failed(#expr, __FILE__, __LINE__))
#define RRL__ASSERT_OFF(expr) ((void)sizeof((expr) ? 1 : 0))

#if RRL_DEBUG >= 1
#define rrl_assert(expr) RRL__ASSERT_ON(expr)
#else
#define rrl_assert(expr) RRL__ASSERT_OFF(expr)
#endif

#if RRL_DEBUG >= 2
#define rrl_assert2(expr) RRL__ASSERT_ON(expr)
#else
#define rrl_assert2(expr) RRL__ASSERT_OFF(expr)
#endif

#if RRL_DEBUG >= 3
#define rrl_assert3(expr) RRL__ASSERT_ON(expr)
#else
#define rrl_assert3(expr) RRL__ASSERT_OFF(expr)
#endif

#endif
