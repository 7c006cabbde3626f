/* relacy.cpp: ThreadSanitizer's and the platform's functions, answered by the Relacy model checker. See
 * model.h. Relacy itself is Debian's relacy-dev (D. Vyukov).
 *
 *     executable [--list] [--explain] [check ...]
 *
 * For each check one line: name, search, interleavings tried, result. */
#include <relacy/relacy.hpp>

#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert

#include <chrono>
#include <cstdarg>

extern "C" {
#include "model.h"
}

namespace {

const model_check_t *check;
uint64_t iteration; /* counts on over checks */
bool is_watching;   /* the threads run, so accesses count */
const char *failure;

rl::debug_info here(const void *pc) {
    /* Shown by --explain; addr2line makes a line of it. */
    static char names[64][32];
    static unsigned next;
    char *name = names[next++ % 64];
    snprintf(name, 32, "%p", pc);
    return rl::debug_info(name, "", 0);
}

[[noreturn]] void fail(const char *what, rl::test_result_e result, const void *pc) {
    failure = what;
    rl::ctx().fail_test(what, result, here(pc));
    abort(); /* it does not come back */
}

/* ---- memory: one arena, the same addresses in every interleaving ------------------------------- */

constexpr size_t ARENA_BYTES = 1 << 18, GRANULE = 4, N_GRANULES = ARENA_BYTES / GRANULE;
alignas(4096) char arena[ARENA_BYTES];
size_t arena_used;
int64_t n_blocks;

bool is_shared(const volatile void *address) {
    const char *a = (const char *)address;
    return a >= arena && a < arena + ARENA_BYTES;
}

size_t granule_of(const volatile void *address) { return ((const char *)address - arena) / GRANULE; }

void *allocate(size_t size, size_t alignment) {
    size_t begin = (arena_used + alignment - 1) / alignment * alignment;
    begin += 16; /* room for the size */
    begin = (begin + alignment - 1) / alignment * alignment;
    if (begin + size > ARENA_BYTES) {
        fprintf(stderr, "model: the arena is too small\n");
        abort();
    }
    *(size_t *)(arena + begin - 16) = size;
    arena_used = (begin + size + 15) / 16 * 16;
    memset(arena + begin, 0xa5, size);
    n_blocks++;
    return arena + begin;
}

/* ---- plain accesses: data races ------------------------------------------------------------------ */

/* Who last read and wrote it, by thread, in the thread's own time. */
struct plain_t {
    uint64_t iteration;
    rl::timestamp_t loads[MODEL_MAX_THREADS], stores[MODEL_MAX_THREADS];
    bool has_bytes; /* of a word: one of its bytes was accessed by itself */
};
plain_t words[N_GRANULES], bytes[ARENA_BYTES];

plain_t &of_now(plain_t &p) {
    if (p.iteration != iteration) {
        memset(&p, 0, sizeof p);
        p.iteration = iteration;
    }
    return p;
}

void access_plain(const volatile void *address, size_t size, bool is_store, const void *pc) {
    if (!is_watching || !is_shared(address)) return;
    rl::thread_info_base &t = *rl::ctx().threadx_;
    auto check_one = [&](const plain_t &p) {
        for (uint32_t i = 0; i < check->n_threads; i++) {
            if (t.acq_rel_order_[i] >= p.stores[i] &&
                (!is_store || t.acq_rel_order_[i] >= p.loads[i]))
                continue;
            fail(is_store ? "at a store" : "at a load", rl::test_result_data_race, pc);
        }
    };
    auto note_one = [&](plain_t &p) {
        t.own_acq_rel_order_ += 1;
        (is_store ? p.stores : p.loads)[t.index_] = t.own_acq_rel_order_;
    };
    size_t begin = (const char *)address - arena;
    if (size < GRANULE) {
        plain_t &word = of_now(words[begin / GRANULE]);
        word.has_bytes = true;
        check_one(word);
        for (size_t i = begin; i < begin + size; i++) {
            check_one(of_now(bytes[i]));
            note_one(bytes[i]);
        }
        return;
    }
    for (size_t g = begin / GRANULE; g <= (begin + size - 1) / GRANULE; g++) {
        plain_t &word = of_now(words[g]);
        check_one(word);
        for (size_t i = 0; word.has_bytes && i < GRANULE; i++)
            check_one(of_now(bytes[g * GRANULE + i]));
        note_one(word);
    }
}

/* ---- atomic accesses ----------------------------------------------------------------------------- */

struct atomic_t {
    uint64_t iteration;
    uint64_t value; /* the latest */
    uint64_t history[rl::atomic_history_size];
    rl::atomic_data *data;
    bool has_failed; /* without cause, once */
};
atomic_t atomics[N_GRANULES];
size_t used_atomics[N_GRANULES], n_used_atomics;
void (*complete)(rl::atomic_data *); /* what Relacy leaves unset */

struct event_t {
    const char *what;
    const volatile void *address;
    uint64_t value;
    int order;
    void output(std::ostream &s) const {
        static const char *const orders[] = {"relaxed", "consume", "acquire",
                                             "release", "acq_rel", "seq_cst"};
        s << what << " " << orders[order] << " <" << std::hex << (const char *)address - arena
          << "> = " << value << std::dec;
    }
};

void tell(const void *pc, const event_t &event) {
    rl::context &c = rl::ctx();
    if (c.collecting_history()) c.exec_log(here(pc), event);
}

template <typename T> atomic_t &atomic_at(const volatile void *address) {
    if (!is_shared(address)) {
        fprintf(stderr, "model: an atomic word outside the heap\n");
        abort();
    }
    atomic_t &a = atomics[granule_of(address)];
    if (a.iteration != iteration) {
        a.iteration = iteration;
        a.has_failed = false;
        a.value = *(const volatile T *)address;
        a.data = rl::ctx().atomic_ctor(&a);
        unsigned index = rl::ctx().threadx_->atomic_init(a.data);
        complete(a.data);
        a.history[index] = a.value;
        used_atomics[n_used_atomics++] = granule_of(address);
    }
    return a;
}

template <typename T> T load(const volatile T *address, int order, const void *pc) {
    if (!is_watching) return *address;
    rl::ctx().sched();
    atomic_t &a = atomic_at<T>(address);
    rl::thread_info_base &t = *rl::ctx().threadx_;
    unsigned index = order == __ATOMIC_RELAXED ? t.atomic_load_relaxed(a.data)
                                               : t.atomic_load_acquire(a.data);
    T value = (T)a.history[index];
    tell(pc, {"load", address, value, order});
    return value;
}

template <typename T> void put(volatile T *address, atomic_t &a, unsigned index, T value) {
    a.value = a.history[index] = value;
    *address = value; /* for before() and after() */
}

template <typename T> void store(volatile T *address, T value, int order, const void *pc) {
    if (!is_watching) {
        *address = value;
        return;
    }
    rl::ctx().sched();
    atomic_t &a = atomic_at<T>(address);
    rl::thread_info_base &t = *rl::ctx().threadx_;
    put(address, a,
        order == __ATOMIC_RELAXED ? t.atomic_store_relaxed(a.data) : t.atomic_store_release(a.data),
        value);
    tell(pc, {"store", address, value, order});
}

unsigned modify(atomic_t &a, int order) {
    rl::thread_info_base &t = *rl::ctx().threadx_;
    bool aba;
    switch (order) {
    case __ATOMIC_RELAXED: return t.atomic_rmw_relaxed(a.data, aba);
    case __ATOMIC_ACQUIRE: return t.atomic_rmw_acquire(a.data, aba);
    case __ATOMIC_RELEASE: return t.atomic_rmw_release(a.data, aba);
    default: return t.atomic_rmw_acq_rel(a.data, aba);
    }
}

template <typename T, typename F>
T change(volatile T *address, int order, const char *what, const void *pc, F next) {
    if (!is_watching) {
        T before = *address;
        *address = next(before);
        return before;
    }
    rl::ctx().sched();
    atomic_t &a = atomic_at<T>(address);
    T before = (T)a.value;
    put(address, a, modify(a, order), next(before));
    tell(pc, {what, address, a.value, order});
    return before;
}

template <typename T>
bool exchange_if(volatile T *address, T *expected, T desired, int order, int order_if_not,
                 bool is_weak, const void *pc) {
    if (!is_watching) {
        if (*address != *expected) {
            *expected = *address;
            return false;
        }
        *address = desired;
        return true;
    }
    rl::context &c = rl::ctx();
    c.sched();
    atomic_t &a = atomic_at<T>(address);
    bool succeeds = (T)a.value == *expected;
    if (succeeds && is_weak) { /* may fail all the same; in a search of all, once for each word */
        if (c.is_random_sched()) {
            succeeds = c.rand(4, rl::sched_type_cas_fail) != 0;
        } else if (!a.has_failed) {
            succeeds = c.rand(2, rl::sched_type_cas_fail) != 0;
            a.has_failed = !succeeds;
        }
    }
    if (succeeds) {
        put(address, a, modify(a, order), desired);
    } else {
        rl::thread_info_base &t = *c.threadx_;
        if (order_if_not == __ATOMIC_RELAXED) {
            t.atomic_load_relaxed_rmw(a.data);
        } else {
            t.atomic_load_acquire_rmw(a.data);
        }
        *expected = (T)a.value;
    }
    tell(pc, {succeeds ? "cas" : "cas fails", address, a.value, succeeds ? order : order_if_not});
    return succeeds;
}

/* ---- waiting ------------------------------------------------------------------------------------- */

struct sleeper_t {
    const volatile void *address;
    int thread;
} sleepers[MODEL_MAX_THREADS];
uint32_t n_sleepers;
int64_t clock_ns, clock_step_ns;

/* Compares the low half with what the word is now and goes to sleep, in one step, as the kernel does.
 * That is a relaxed load by this thread, so later ones see nothing older; more order there is not. */
template <typename T>
int wait_on(const volatile void *address, T expected, int64_t deadline_ns, const void *pc) {
    rl::context &c = rl::ctx();
    c.sched();
    atomic_t &a = atomic_at<T>(address);
    c.threadx_->atomic_load_relaxed_rmw(a.data);
    if ((uint32_t)a.value != (uint32_t)expected) return 0;
    sleepers[n_sleepers++] = {address, c.threadx_->index_};
    tell(pc, {"sleep", address, 0, 0});
    int thread = c.threadx_->index_;
    rl::unpark_reason why = c.park_current_thread(
        deadline_ns != INT64_MAX, check->may_wake_without_cause && c.is_random_sched(), false,
        here(pc));
    if (why != rl::unpark_reason_normal) {
        for (uint32_t i = 0; i < n_sleepers; i++) {
            if (sleepers[i].thread == thread) sleepers[i] = sleepers[--n_sleepers];
        }
    }
    if (why != rl::unpark_reason_timeout) return 0;
    if (clock_ns < deadline_ns) clock_ns = deadline_ns;
    return 4; /* RRL_TIMEOUT */
}

void wake_on(const volatile void *address, int n, const void *pc) {
    rl::context &c = rl::ctx();
    c.sched();
    tell(pc, {"wake", address, (uint64_t)n, 0});
    for (uint32_t i = 0; i < n_sleepers && n > 0;) {
        if (sleepers[i].address != address) {
            i++;
            continue;
        }
        int thread = sleepers[i].thread;
        sleepers[i] = sleepers[--n_sleepers];
        n--;
        c.unpark_thread(thread, false, here(pc));
    }
}

void *(*started_entry[MODEL_MAX_THREADS])(void *);
void *started_arg[MODEL_MAX_THREADS];
uint32_t n_started;

/* ---- an interleaving ----------------------------------------------------------------------------- */

void begin_interleaving() {
    is_watching = false;
    iteration++;
    arena_used = 0;
    n_blocks = 0;
    n_used_atomics = 0;
    n_sleepers = n_started = 0;
    clock_ns = 1000;
    clock_step_ns = 1000;
}

template <int N> void complete_atomic(rl::atomic_data *data) {
    auto *a = static_cast<rl::atomic_data_impl<N> *>(data);
    auto &record = a->history_[a->current_index_ % rl::atomic_history_size];
    for (int i = 0; i < N; i++) record.first_seen_order_[i] = (rl::timestamp_t)-1;
}

template <int N> struct suite : rl::test_suite<suite<N>, N> {
    void before() {
        begin_interleaving();
        complete = complete_atomic<N>;
        check->before();
        is_watching = true;
    }

    void thread(unsigned index) { check->thread(index); }

    void after() {
        is_watching = false;
        check->after();
        for (size_t i = 0; i < n_used_atomics; i++)
            rl::ctx().atomic_dtor(atomics[used_atomics[i]].data);
        if (n_blocks != 0) fail("memory is left over", rl::test_result_memory_leak, nullptr);
    }
};

struct null_buffer : std::streambuf {
    int overflow(int c) override { return c; }
};

bool run(bool explains) {
    static const rl::scheduler_type_e searches[] = {rl::sched_full, rl::sched_bound,
                                                    rl::sched_random};
    static const char *const names[] = {"full", "bound", "random"};
    static null_buffer nothing;
    static std::ostream silence(&nothing);
    rl::test_params params;
    params.search_type = searches[check->search];
    params.context_bound = check->bound;
    params.iteration_count = check->bound;
    params.execution_depth_limit = 20000;
    params.output_stream = explains ? &std::cout : &silence;
    params.progress_stream = &silence;
    failure = "";
    auto begin = std::chrono::steady_clock::now();
    bool ok = check->n_threads == 2   ? rl::simulate<suite<2>>(params)
              : check->n_threads == 3 ? rl::simulate<suite<3>>(params)
                                      : rl::simulate<suite<4>>(params);
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    char search[32];
    if (check->search == MODEL_BOUND) {
        snprintf(search, sizeof search, "bound-%u", check->bound);
    } else {
        snprintf(search, sizeof search, "%s", names[check->search]);
    }
    printf("model check=%s threads=%u search=%s interleavings=%llu seconds=%.2f result=%s\n",
           check->name, check->n_threads, search, (unsigned long long)params.stop_iteration, seconds,
           ok ? "ok" : "FAILED");
    if (!ok) printf("    %s: %s\n", rl::test_result_str(params.test_result), failure);
    fflush(stdout);
    return ok;
}

} // namespace

int main(int argc, char **argv) {
    bool explains = false, lists = false, is_fine = true;
    int n_named = 0, n_run = 0;
    for (int a = 1; a < argc; a++) {
        explains |= !strcmp(argv[a], "--explain");
        lists |= !strcmp(argv[a], "--list");
        n_named += argv[a][0] != '-';
    }
    for (const model_check_t *k = model_checks; k->name; k++) {
        bool is_asked = n_named == 0;
        for (int a = 1; a < argc; a++) is_asked |= !strcmp(argv[a], k->name);
        if (!is_asked) continue;
        n_run++;
        if (lists) {
            puts(k->name);
            continue;
        }
        check = k;
        is_fine &= run(explains);
    }
    if (n_run < n_named || n_run == 0) {
        fprintf(stderr, "model: no such check\n");
        return 2;
    }
    return is_fine ? 0 : 1;
}

/* ---- what the compiled core calls ---------------------------------------------------------------- */

#define PC __builtin_return_address(0)

extern "C" {

void __tsan_init(void) {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit(void) {}
void __tsan_read_range(void *a, unsigned long n) { access_plain(a, n, false, PC); }
void __tsan_write_range(void *a, unsigned long n) { access_plain(a, n, true, PC); }

#define PLAIN(n)                                                                                   \
    void __tsan_read##n(void *a) { access_plain(a, n, false, PC); }                                \
    void __tsan_write##n(void *a) { access_plain(a, n, true, PC); }                                \
    void __tsan_unaligned_read##n(void *a) { access_plain(a, n, false, PC); }                      \
    void __tsan_unaligned_write##n(void *a) { access_plain(a, n, true, PC); }
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

#define ATOMIC(bits, T)                                                                            \
    T __tsan_atomic##bits##_load(const volatile T *a, int mo) { return load<T>(a, mo, PC); }       \
    void __tsan_atomic##bits##_store(volatile T *a, T v, int mo) { store<T>(a, v, mo, PC); }       \
    T __tsan_atomic##bits##_exchange(volatile T *a, T v, int mo) {                                 \
        return change<T>(a, mo, "xchg", PC, [v](T) { return v; });                                 \
    }                                                                                              \
    T __tsan_atomic##bits##_fetch_add(volatile T *a, T v, int mo) {                                \
        return change<T>(a, mo, "add", PC, [v](T x) { return (T)(x + v); });                       \
    }                                                                                              \
    T __tsan_atomic##bits##_fetch_sub(volatile T *a, T v, int mo) {                                \
        return change<T>(a, mo, "sub", PC, [v](T x) { return (T)(x - v); });                       \
    }                                                                                              \
    T __tsan_atomic##bits##_fetch_and(volatile T *a, T v, int mo) {                                \
        return change<T>(a, mo, "and", PC, [v](T x) { return (T)(x & v); });                       \
    }                                                                                              \
    T __tsan_atomic##bits##_fetch_or(volatile T *a, T v, int mo) {                                 \
        return change<T>(a, mo, "or", PC, [v](T x) { return (T)(x | v); });                        \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile T *a, T *e, T v, int mo, int no) {  \
        return exchange_if<T>(a, e, v, mo, no, false, PC);                                         \
    }                                                                                              \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile T *a, T *e, T v, int mo, int no) {    \
        return exchange_if<T>(a, e, v, mo, no, true, PC);                                          \
    }
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

/* ---- memory */

void *model_malloc(size_t size) { return allocate(size, 16); }

void *model_calloc(size_t n, size_t size) {
    void *block = allocate(n * size, 16);
    memset(block, 0, n * size);
    return block;
}

void model_free(void *block) {
    if (!block) return;
    n_blocks--;
    /* Counts as a store: who still uses it races with us. */
    access_plain(block, *(size_t *)((char *)block - 16), true, PC);
}

void *model_realloc(void *block, size_t size) {
    void *grown = allocate(size, 16);
    if (block) {
        size_t old = *(size_t *)((char *)block - 16);
        memcpy(grown, block, old < size ? old : size);
        model_free(block);
    }
    return grown;
}

void *model_aligned_alloc(size_t alignment, size_t size) { return allocate(size, alignment); }

void model_abort(void) { fail("an assertion of the core", rl::test_result_user_assert_failed, PC); }

/* ---- platform.h */

typedef int rrl_status_t;
struct rrl_atomic_u32_t;
struct rrl_atomic_u64_t;

int64_t rrl__clock_ns(void) { return clock_ns += clock_step_ns; }
int64_t rrl__thread_cpu_ns(void) { return 0; }
int64_t rrl__thread_preemptions(void) { return 0; }

int rrl__futex_wait(const volatile void *word, uint32_t expected, int64_t deadline_ns) {
    return wait_on(word, expected, deadline_ns, PC);
}

void rrl__futex_wake(const volatile void *word, int n) {
    if (is_watching) wake_on(word, n, PC);
}

int rrl__futex_wait_low32(const volatile void *word, uint64_t expected, int64_t deadline_ns) {
    return wait_on(word, expected, deadline_ns, PC);
}

void rrl__futex_wake_low32(const volatile void *word, int n) {
    if (is_watching) wake_on(word, n, PC);
}

int rrl__thread_start(uintptr_t *out_thread, void *(*entry)(void *), void *arg) {
    started_entry[n_started] = entry;
    started_arg[n_started] = arg;
    *out_thread = n_started++;
    return 0;
}

void rrl__thread_join(uintptr_t) {}
int rrl__thread_pin(int32_t) { return 0; }
int32_t rrl__thread_id() { return 1; }
bool rrl__thread_keep_off(int32_t, void *) { return true; }
void rrl__thread_allow(const void *) {}
void rrl__thread_yield(void) { model_yield(); }
uint32_t rrl__usable_cpus(void) { return MODEL_MAX_THREADS; }

/* ---- model.h */

void model_fail(const char *what) { fail(what, rl::test_result_user_assert_failed, PC); }
uint32_t model_choice(uint32_t n) { return rl::ctx().rand(n, rl::sched_type_user); }
void model_yield(void) { rl::ctx().yield(1, here(PC)); }
void rrl__model_pause(void) { model_yield(); }
void model_clock_step(int64_t ns) { clock_step_ns = ns; }
void model_run_started(uint32_t index) { started_entry[index](started_arg[index]); }
bool model_is_started(uint32_t index) { return index < n_started; }

} // extern "C"
