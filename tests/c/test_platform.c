#define _GNU_SOURCE /* sigset_t, pthread_kill */
#include <limits.h>
#include <pthread.h>
#include <signal.h>

#include "check.h"
#include "platform.h"

static void the_clock_does_not_go_back(void) {
    int64_t last = rrl__clock_ns();
    CHECK(last > 0);
    for (int i = 0; i < 1000; i++) {
        int64_t now = rrl__clock_ns();
        CHECK(now >= last);
        last = now;
    }
}

static void processor_time_grows_with_work(void) {
    int64_t before = rrl__thread_cpu_ns(), preemptions = rrl__thread_preemptions();
    uint64_t random = 1;
    for (int i = 0; i < 100000; i++) check_random(&random);
    CHECK(random != 0);
    CHECK(rrl__thread_cpu_ns() > before);
    CHECK(rrl__thread_preemptions() >= preemptions);
}

/* ---- futex ----------------------------------------------------------------------------------- */

static void a_wait_for_another_value_returns_at_once(void) {
    rrl_atomic_u32_t word;
    rrl_atomic_u64_t wide;
    rrl_store_relaxed_u32(&word, 7);
    rrl_store_relaxed_u64(&wide, (uint64_t)1 << 32 | 7);
    CHECK_EQ(rrl__futex_wait(&word, 8, RRL_FOREVER), RRL_OK);
    CHECK_EQ(rrl__futex_wait_low32(&wide, (uint64_t)1 << 32 | 8, RRL_FOREVER), RRL_OK);
}

static void a_wait_ends_with_its_deadline(void) {
    rrl_atomic_u32_t word;
    rrl_atomic_u64_t wide;
    rrl_store_relaxed_u32(&word, 7);
    rrl_store_relaxed_u64(&wide, (uint64_t)1 << 32 | 7);
    CHECK_EQ(rrl__futex_wait(&word, 7, RRL_NEVER), RRL_TIMEOUT);
    CHECK_EQ(rrl__futex_wait(&word, 7, rrl__clock_ns()), RRL_TIMEOUT);
    int64_t deadline_ns = rrl__clock_ns() + 2000000;
    CHECK_EQ(rrl__futex_wait(&word, 7, deadline_ns), RRL_TIMEOUT);
    CHECK(rrl__clock_ns() >= deadline_ns);
    /* Only the low half counts: a high half that differs does not end the wait. */
    CHECK_EQ(rrl__futex_wait_low32(&wide, (uint64_t)5 << 32 | 7, rrl__clock_ns() + 1000),
             RRL_TIMEOUT);
}

static void *wait_until_changed(void *arg) {
    rrl_atomic_u32_t *word = arg;
    while (rrl_load_acquire_u32(word) == 0) CHECK_EQ(rrl__futex_wait(word, 0, RRL_FOREVER), RRL_OK);
    return NULL;
}

static void wake_reaches_every_sleeper(void) {
    for (int round = 0; round < 200 / CHECK_SLOWDOWN; round++) {
        rrl_atomic_u32_t word;
        rrl__thread_t threads[3];
        rrl_store_relaxed_u32(&word, 0);
        for (int i = 0; i < 3; i++)
            CHECK_EQ(rrl__thread_start(&threads[i], wait_until_changed, &word), RRL_OK);
        rrl_store_release_u32(&word, 1);
        rrl__futex_wake(&word, INT_MAX);
        for (int i = 0; i < 3; i++) rrl__thread_join(threads[i]);
    }
}

/* ---- signals --------------------------------------------------------------------------------- */

static void ignore_signal(int number) { (void)number; }

typedef struct interruption {
    pthread_t target;
    rrl_atomic_u32_t is_over;
} interruption_t;

static void *interrupt(void *arg) {
    interruption_t *i = arg;
    while (!rrl_load_acquire_u32(&i->is_over)) {
        CHECK_EQ(pthread_kill(i->target, SIGUSR1), 0);
        rrl__thread_yield();
    }
    return NULL;
}

static void a_signal_ends_a_wait(void) {
    struct sigaction action = {.sa_handler = ignore_signal, .sa_flags = SA_RESTART};
    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    interruption_t i = {.target = pthread_self()};
    rrl_atomic_u32_t word;
    rrl__thread_t thread;
    rrl_store_relaxed_u32(&word, 0);
    rrl_store_relaxed_u32(&i.is_over, 0);
    CHECK_EQ(rrl__thread_start(&thread, interrupt, &i), RRL_OK);
    CHECK_EQ(rrl__futex_wait(&word, 0, RRL_FOREVER), RRL_INTERRUPTED);
    rrl_store_release_u32(&i.is_over, 1);
    rrl__thread_join(thread);
}

static void *look_at_signals(void *arg) {
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, arg), 0);
    return NULL;
}

static void a_new_thread_blocks_signals_and_the_caller_does_not(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1, SIGCHLD, SIGALRM};
    sigset_t before, after, inside;
    rrl__thread_t thread;
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    CHECK_EQ(rrl__thread_start(&thread, look_at_signals, &inside), RRL_OK);
    rrl__thread_join(thread);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        CHECK_EQ(sigismember(&inside, numbers[i]), 1);
        CHECK_EQ(sigismember(&after, numbers[i]), sigismember(&before, numbers[i]));
    }
}

/* ---- processors ------------------------------------------------------------------------------ */

static void *pin_to_first(void *arg) {
    int32_t *first = arg;
    CHECK_EQ(rrl__thread_pin(*first), RRL_OK);
    CHECK_EQ(rrl__usable_cpus(), 1);
    CHECK_EQ(rrl__thread_pin(-1), RRL_E_OS);
    CHECK_EQ(rrl__thread_pin(1 << 19), RRL_E_OS);
    CHECK_EQ(rrl__usable_cpus(), 1);
    return NULL;
}

static void pinning_is_of_one_thread(void) {
    int32_t *cpus;
    size_t n, n_after;
    rrl__thread_t thread;
    CHECK_EQ(rrl__allowed_cpus(&cpus, &n), RRL_OK);
    CHECK(n >= 1);
    CHECK_EQ(n, rrl__usable_cpus());
    for (size_t i = 1; i < n; i++) CHECK(cpus[i - 1] < cpus[i]);
    CHECK_EQ(rrl__thread_start(&thread, pin_to_first, cpus), RRL_OK);
    rrl__thread_join(thread);
    free(cpus);
    CHECK_EQ(rrl__allowed_cpus(&cpus, &n_after), RRL_OK);
    CHECK_EQ(n_after, n);
    free(cpus);
}

typedef struct sleeper {
    int32_t id;
    rrl_atomic_u32_t step; /* 1: it waits to be woken, 2: it is woken */
    rrl__cpus_t before;
    uint32_t n_kept, n_allowed;
} sleeper_t;

static void *sleep_until_woken(void *arg) {
    sleeper_t *s = arg;
    s->id = rrl__thread_id();
    rrl_store_release_u32(&s->step, 1);
    rrl__futex_wake(&s->step, 1);
    while (rrl_load_acquire_u32(&s->step) == 1) rrl__futex_wait(&s->step, 1, RRL_FOREVER);
    s->n_kept = rrl__usable_cpus();
    rrl__thread_allow(&s->before);
    s->n_allowed = rrl__usable_cpus();
    return NULL;
}

static void a_sleeper_is_kept_off_one_processor_until_it_lifts_that(void) {
    sleeper_t s = {0};
    rrl__thread_t thread;
    uint32_t n = rrl__usable_cpus();
    CHECK_EQ(rrl__thread_start(&thread, sleep_until_woken, &s), RRL_OK);
    while (rrl_load_acquire_u32(&s.step) == 0) rrl__futex_wait(&s.step, 0, RRL_FOREVER);
    CHECK(s.id != rrl__thread_id());
    bool is_kept_off = rrl__thread_keep_off(s.id, &s.before);
    CHECK_EQ(is_kept_off, n > 1);
    CHECK_EQ(rrl__usable_cpus(), n);
    rrl_store_release_u32(&s.step, 2);
    rrl__futex_wake(&s.step, 1);
    rrl__thread_join(thread);
    CHECK_EQ(s.n_kept, n > 1 ? n - 1 : n);
    CHECK_EQ(s.n_allowed, n);
}

static void *keep_off_the_only_one(void *arg) {
    rrl__cpus_t before;
    CHECK_EQ(rrl__thread_pin(*(int32_t *)arg), RRL_OK);
    CHECK(!rrl__thread_keep_off(rrl__thread_id(), &before));
    CHECK_EQ(rrl__usable_cpus(), 1);
    return NULL;
}

static void nobody_is_kept_off_the_only_processor_he_has(void) {
    int32_t *cpus;
    size_t n;
    rrl__thread_t thread;
    CHECK_EQ(rrl__allowed_cpus(&cpus, &n), RRL_OK);
    CHECK_EQ(rrl__thread_start(&thread, keep_off_the_only_one, cpus), RRL_OK);
    rrl__thread_join(thread);
    free(cpus);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void a_file_is_read_up_to_the_size(void) {
    char buffer[8];
    CHECK(rrl__file_read("/proc/self/comm", buffer, sizeof buffer));
    CHECK_STR_EQ(buffer, "test_pl"); /* of test_platform */
    CHECK(rrl__file_read("/dev/null", buffer, sizeof buffer));
    CHECK_STR_EQ(buffer, "");
    buffer[0] = 'x';
    CHECK(!rrl__file_read("/no such file", buffer, sizeof buffer));
    CHECK_STR_EQ(buffer, "");
    CHECK(!rrl__file_read("/", buffer, sizeof buffer));
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(the_clock_does_not_go_back),
        CHECK_CASE(processor_time_grows_with_work),
        CHECK_CASE(a_wait_for_another_value_returns_at_once),
        CHECK_CASE(a_wait_ends_with_its_deadline),
        CHECK_CASE(wake_reaches_every_sleeper),
        CHECK_CASE(a_signal_ends_a_wait),
        CHECK_CASE(a_new_thread_blocks_signals_and_the_caller_does_not),
        CHECK_CASE(pinning_is_of_one_thread),
        CHECK_CASE(a_sleeper_is_kept_off_one_processor_until_it_lifts_that),
        CHECK_CASE(nobody_is_kept_off_the_only_processor_he_has),
        CHECK_CASE(a_file_is_read_up_to_the_size),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
