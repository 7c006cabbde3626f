/* The processors as sysfs and cgroupfs describe them. Every file may be missing: then the
 * processors look alike, each a core of its own, all on one cache. Assembly only; any thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "platform.h"
#include "rrl.h"

#define PATH_BYTES 512
#define TEXT_BYTES 4096
#define MAX_CACHE_INDEX 9

typedef struct cpu_facts {
    rrl_cpu_t cpu;   /* core and cache: keys while reading, dense numbers afterwards */
    int32_t sibling; /* how many allowed processors of its core have a smaller id */
    int32_t crowd;   /* allowed processors that share its cache */
} cpu_facts_t;

/* ---- reading --------------------------------------------------------------------------------- */

static bool read_cpu_file(const char *sysfs, int32_t cpu, const char *name, char *text) {
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/devices/system/cpu/cpu%d/%s", sysfs, (int)cpu, name);
    return n < (int)sizeof path && rrl__file_read(path, text, TEXT_BYTES);
}

/* The next "a" or "a-b" of a list such as "0-3,8,10-11"; false at its end. */
static bool next_range(const char **list, long *out_low, long *out_high) {
    const char *p = *list + strspn(*list, ", \n");
    char *end;
    *out_low = *out_high = strtol(p, &end, 10);
    if (end == p) return false;
    if (*end == '-') *out_high = strtol(end + 1, &end, 10);
    *list = end;
    return true;
}

static bool list_has(const char *list, int32_t cpu) {
    long low, high;
    while (next_range(&list, &low, &high)) {
        if (low <= cpu && cpu <= high) return true;
    }
    return false;
}

/* The first number of the file, or `missing`. */
static int32_t read_cpu_number(const char *sysfs, int32_t cpu, const char *name, int32_t missing) {
    char text[TEXT_BYTES];
    const char *list = text;
    long low, high;
    if (!read_cpu_file(sysfs, cpu, name, text) || !next_range(&list, &low, &high)) return missing;
    return low >= 0 && low <= INT32_MAX ? (int32_t)low : missing;
}

/* A core and a cache are known by the smallest processor in them, allowed or not. */
static int32_t read_core(const char *sysfs, int32_t cpu) {
    int32_t first = read_cpu_number(sysfs, cpu, "topology/thread_siblings_list", -1);
    return first >= 0 ? first : read_cpu_number(sysfs, cpu, "topology/core_cpus_list", cpu);
}

static int32_t read_cache(const char *sysfs, int32_t cpu) {
    for (int i = MAX_CACHE_INDEX; i >= 0; i--) {
        char name[] = "cache/index0/shared_cpu_list";
        name[strlen("cache/index")] = (char)('0' + i);
        int32_t first = read_cpu_number(sysfs, cpu, name, -1);
        if (first >= 0) return first;
    }
    int32_t first = read_cpu_number(sysfs, cpu, "topology/package_cpus_list", -1);
    return first >= 0 ? first : read_cpu_number(sysfs, cpu, "topology/core_siblings_list", 0);
}

/* ---- performance ----------------------------------------------------------------------------- */

/* Hybrid x86: the kernel says which processors are the fast ones. */
static bool read_hybrid(const char *sysfs, cpu_facts_t *facts, size_t n) {
    char path[PATH_BYTES], core[TEXT_BYTES], atom[TEXT_BYTES];
    snprintf(path, sizeof path, "%s/devices/cpu_core/cpus", sysfs);
    if (!rrl__file_read(path, core, sizeof core)) return false;
    snprintf(path, sizeof path, "%s/devices/cpu_atom/cpus", sysfs);
    if (!rrl__file_read(path, atom, sizeof atom)) return false;
    for (size_t i = 0; i < n; i++)
        facts[i].cpu.performance =
            list_has(core, facts[i].cpu.id) && !list_has(atom, facts[i].cpu.id);
    return true;
}

/* One number for every processor, or none at all. */
static bool read_performance(const char *sysfs, const char *name, cpu_facts_t *facts, size_t n) {
    for (size_t i = 0; i < n; i++) {
        facts[i].cpu.performance = read_cpu_number(sysfs, facts[i].cpu.id, name, -1);
        if (facts[i].cpu.performance < 0) return false;
    }
    return true;
}

static int by_performance(const void *a, const void *b) {
    const cpu_facts_t *x = a, *y = b;
    return (x->cpu.performance < y->cpu.performance) - (x->cpu.performance > y->cpu.performance);
}

/* Equal cores differ a little in what they may reach ("preferred cores"), and that must not scatter
 * the workers over caches: two thirds of the fastest of a class count as much as it. */
static void merge_classes(cpu_facts_t *facts, size_t n) {
    qsort(facts, n, sizeof *facts, by_performance);
    for (size_t i = 1; i < n; i++) {
        int32_t best = facts[i - 1].cpu.performance;
        if ((int64_t)facts[i].cpu.performance * 3 >= (int64_t)best * 2)
            facts[i].cpu.performance = best;
    }
}

static void rate(const char *sysfs, cpu_facts_t *facts, size_t n) {
    if (read_hybrid(sysfs, facts, n)) return;
    if (read_performance(sysfs, "cpu_capacity", facts, n)) return;
    if (read_performance(sysfs, "acpi_cppc/highest_perf", facts, n) ||
        read_performance(sysfs, "cpufreq/cpuinfo_max_freq", facts, n)) {
        merge_classes(facts, n);
        return;
    }
    for (size_t i = 0; i < n; i++) facts[i].cpu.performance = 0;
}

/* ---- order ----------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b) {
    const cpu_facts_t *x = a, *y = b;
    return (x->cpu.id > y->cpu.id) - (x->cpu.id < y->cpu.id);
}

/* Turns the keys, which `facts` holds in order of id, into dense numbers, and counts siblings.
 * O(n^2): a few hundred processors, once. */
static void number_groups(cpu_facts_t *facts, size_t n, const int32_t *core_keys,
                          const int32_t *cache_keys) {
    int32_t n_cores = 0, n_caches = 0;
    for (size_t i = 0; i < n; i++) {
        cpu_facts_t *me = &facts[i];
        me->cpu.core = me->cpu.cache = -1;
        me->sibling = me->crowd = 0;
        for (size_t j = 0; j < n; j++) {
            if (cache_keys[j] == cache_keys[i]) {
                me->crowd++;
                if (j < i) me->cpu.cache = facts[j].cpu.cache;
            }
            if (j < i && core_keys[j] == core_keys[i]) {
                me->cpu.core = facts[j].cpu.core;
                me->sibling++;
            }
        }
        if (me->cpu.core < 0) me->cpu.core = n_cores++;
        if (me->cpu.cache < 0) me->cpu.cache = n_caches++;
    }
}

/* Siblings come last, behind slow cores: two threads of a fast core share what one has. Among
 * equals the cache that most of them share, so that a small program fits into one. */
static int by_preference(const void *a, const void *b) {
    const cpu_facts_t *x = a, *y = b;
    if (x->sibling != y->sibling) return x->sibling < y->sibling ? -1 : 1;
    int order = by_performance(x, y);
    if (order) return order;
    if (x->crowd != y->crowd) return x->crowd > y->crowd ? -1 : 1;
    if (x->cpu.cache != y->cpu.cache) return x->cpu.cache < y->cpu.cache ? -1 : 1;
    return by_id(x, y);
}

static void describe(const char *sysfs, cpu_facts_t *facts, size_t n, int32_t *core_keys,
                     int32_t *cache_keys) {
    rate(sysfs, facts, n);
    qsort(facts, n, sizeof *facts, by_id);
    for (size_t i = 0; i < n; i++) {
        core_keys[i] = read_core(sysfs, facts[i].cpu.id);
        cache_keys[i] = read_cache(sysfs, facts[i].cpu.id);
    }
    number_groups(facts, n, core_keys, cache_keys);
    qsort(facts, n, sizeof *facts, by_preference);
}

rrl_status_t rrl_topology_read(const char *sysfs, const int32_t *allowed, size_t n_allowed,
                               rrl_cpu_t *out_cpus, size_t capacity, size_t *out_n) {
    int32_t *asked = NULL;
    if (!allowed) {
        rrl_status_t rc = rrl__allowed_cpus(&asked, &n_allowed);
        if (rc) return rc;
        allowed = asked;
    }
    rrl_status_t rc = RRL_E_NOMEM;
    cpu_facts_t *facts = rrl__calloc(n_allowed ? n_allowed : 1, sizeof *facts);
    int32_t *keys = rrl__calloc(n_allowed ? n_allowed : 1, 2 * sizeof *keys);
    if (!facts || !keys) goto done;
    for (size_t i = 0; i < n_allowed; i++) facts[i].cpu.id = allowed[i];
    describe(sysfs, facts, n_allowed, keys, keys + n_allowed);
    *out_n = n_allowed < capacity ? n_allowed : capacity;
    for (size_t i = 0; i < *out_n; i++) out_cpus[i] = facts[i].cpu;
    rc = RRL_OK;
done:
    rrl__free(facts);
    rrl__free(keys);
    rrl__free(asked);
    return rc;
}

/* ---- cgroups --------------------------------------------------------------------------------- */

static uint32_t cpus_of(long long quota, long long period) {
    if (quota <= 0 || period <= 0) return 0;
    long long cpus = (quota + period - 1) / period;
    return cpus > INT32_MAX ? 0 : (uint32_t)cpus;
}

static uint32_t read_v2(const char *folder) {
    char path[2 * PATH_BYTES], text[TEXT_BYTES], *end;
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    if (!rrl__file_read(path, text, sizeof text)) return 0;
    long long quota = strtoll(text, &end, 10); /* "quota period"; no limit: "max period" */
    return end == text ? 0 : cpus_of(quota, strtoll(end, NULL, 10));
}

static uint32_t read_v1(const char *folder) {
    char path[2 * PATH_BYTES], quota[TEXT_BYTES], period[TEXT_BYTES];
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!rrl__file_read(path, quota, sizeof quota)) return 0;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (!rrl__file_read(path, period, sizeof period)) return 0;
    return cpus_of(strtoll(quota, NULL, 10), strtoll(period, NULL, 10)); /* no limit: -1 */
}

static uint32_t tighter(uint32_t a, uint32_t b) { return a == 0 || (b != 0 && b < a) ? b : a; }

/* The tightest limit of the group and of all that contain it, up to the mount point. */
static uint32_t read_path(const char *root, const char *mount, const char *group,
                          uint32_t (*read_folder)(const char *folder)) {
    char folder[PATH_BYTES];
    int base = snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s", root, mount);
    int n = snprintf(folder, sizeof folder, "%s/sys/fs/cgroup%s%s", root, mount, group);
    if (n >= (int)sizeof folder) return 0;
    uint32_t cpus = 0;
    for (;;) {
        cpus = tighter(cpus, read_folder(folder));
        char *slash = strrchr(folder, '/');
        if (!slash || slash - folder < base) return cpus;
        *slash = '\0';
    }
}

static bool has_controller(const char *controllers, size_t length, const char *name) {
    size_t n = strlen(name);
    for (size_t i = 0; i + n <= length; i++) {
        bool begins = i == 0 || controllers[i - 1] == ',';
        bool ends = i + n == length || controllers[i + n] == ',';
        if (begins && ends && strncmp(controllers + i, name, n) == 0) return true;
    }
    return false;
}

uint32_t rrl_cgroup_cpus(const char *root) {
    char path[PATH_BYTES], text[TEXT_BYTES];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (!rrl__file_read(path, text, sizeof text)) return 0;
    uint32_t cpus = 0;
    /* Lines "number:controllers:path"; version 2 has one line, and no controllers in it. */
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next) *next++ = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(++controllers, ':') : NULL;
        if (!group) continue;
        size_t length = (size_t)(group++ - controllers);
        if (length == 0) {
            cpus = tighter(cpus, read_path(root, "", group, read_v2));
            /* Where version 1 has the mount point: */
            cpus = tighter(cpus, read_path(root, "/unified", group, read_v2));
        } else if (has_controller(controllers, length, "cpu")) {
            cpus = tighter(cpus, read_path(root, "/cpu", group, read_v1));
            cpus = tighter(cpus, read_path(root, "/cpu,cpuacct", group, read_v1));
        }
    }
    return cpus;
}
