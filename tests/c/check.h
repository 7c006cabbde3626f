/* check.h: checks that are never compiled away, and a main that runs one named test or all.
 *
 * A failing check prints where, what, and both values, and ends the process. */
#ifndef RRL_CHECK_H
#define RRL_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much less a run does under a sanitizer, which makes it as much slower. */
#if defined(__SANITIZE_THREAD__)
#define CHECK_SLOWDOWN 10
#elif defined(__SANITIZE_ADDRESS__)
#define CHECK_SLOWDOWN 3
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CHECK_SLOWDOWN 10
#elif __has_feature(address_sanitizer)
#define CHECK_SLOWDOWN 3
#endif
#endif
#ifndef CHECK_SLOWDOWN
#define CHECK_SLOWDOWN 1
#endif

#define CHECK(expr) ((expr) ? (void)0 : check_fail(__FILE__, __LINE__, #expr, NULL, 0, 0))
/* Integers up to 64 bits, enums, booleans. */
#define CHECK_EQ(actual, expected)                                                                 \
    check_equal(__FILE__, __LINE__, #actual, #expected, (long long)(actual), (long long)(expected))
#define CHECK_STR_EQ(actual, expected)                                                             \
    check_equal_strings(__FILE__, __LINE__, #actual, (actual), (expected))

_Noreturn static inline void check_fail(const char *file, int line, const char *actual,
                                        const char *expected, long long a, long long b) {
    if (expected) {
        fprintf(stderr, "%s:%d: %s == %s\n    is %lld, expected %lld\n", file, line, actual,
                expected, a, b);
    } else {
        fprintf(stderr, "%s:%d: %s\n", file, line, actual);
    }
    fflush(NULL);
    abort();
}

static inline void check_equal(const char *file, int line, const char *actual, const char *expected,
                               long long a, long long b) {
    if (a != b) check_fail(file, line, actual, expected, a, b);
}

static inline void check_equal_strings(const char *file, int line, const char *what, const char *a,
                                       const char *b) {
    if (strcmp(a, b) == 0) return;
    fprintf(stderr, "%s:%d: %s\n    is \"%s\", expected \"%s\"\n", file, line, what, a, b);
    abort();
}

/* xorshift64: the tests' random numbers; state != 0. */
static inline uint64_t check_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

typedef struct check_case {
    const char *name;
    void (*run)(void);
} check_case_t;

#define CHECK_CASE(function) {#function, function}

/* Arguments: names of cases, or none for all. */
static inline int check_main(int argc, char **argv, const check_case_t *cases, size_t n_cases) {
    int n_run = 0;
    for (size_t i = 0; i < n_cases; i++) {
        bool is_asked = argc < 2;
        for (int a = 1; a < argc; a++) is_asked |= strcmp(argv[a], cases[i].name) == 0;
        if (!is_asked) continue;
        printf("%s\n", cases[i].name);
        fflush(stdout);
        cases[i].run();
        n_run++;
    }
    return n_run >= (argc < 2 ? 1 : argc - 1) ? 0 : 2;
}

#endif
