#define _GNU_SOURCE /* mkdtemp */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "platform.h"
#include "rrl.h"

/* ---- faked trees ----------------------------------------------------------------------------- */

static char root[256];

static void run_shell(const char *format, const char *argument) {
    char command[512];
    snprintf(command, sizeof command, format, argument);
    CHECK_EQ(system(command), 0);
}

static void make_root(void) {
    const char *tmp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/rrl-topology-XXXXXX", tmp ? tmp : "/tmp");
    CHECK(mkdtemp(root) != NULL);
}

static void remove_root(void) { run_shell("rm -r '%s'", root); }

static void put(const char *name, const char *text) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    CHECK(fputs(text, file) >= 0);
    CHECK_EQ(fclose(file), 0);
}

static void put_cpu(int cpu, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "devices/system/cpu/cpu%d/%s", cpu, name);
    put(path, text);
}

/* ---- reading them ---------------------------------------------------------------------------- */

static rrl_cpu_t cpus[64];
static size_t n_cpus;

static void read_allowed(const int32_t *allowed, size_t n) {
    memset(cpus, 0xee, sizeof cpus);
    CHECK_EQ(rrl_topology_read(root, allowed, n, cpus, 64, &n_cpus), RRL_OK);
    CHECK_EQ(n_cpus, n);
}

static void read_first(int n) {
    int32_t allowed[64];
    for (int i = 0; i < n; i++) allowed[i] = i;
    read_allowed(allowed, (size_t)n);
}

static void check_order(const char *expected) {
    char actual[512] = "";
    for (size_t i = 0; i < n_cpus; i++) {
        size_t n = strlen(actual);
        snprintf(actual + n, sizeof actual - n, i ? " %d" : "%d", (int)cpus[i].id);
    }
    CHECK_STR_EQ(actual, expected);
}

static const rrl_cpu_t *find(int id) {
    for (size_t i = 0; i < n_cpus; i++) {
        if (cpus[i].id == id) return &cpus[i];
    }
    CHECK(!"no such processor");
    return NULL;
}

/* ---- the processors -------------------------------------------------------------------------- */

/* Siblings numbered as Intel does: 0 and 4, 1 and 5, ... */
static void an_smt_laptop_gives_cores_before_siblings(void) {
    make_root();
    for (int cpu = 0; cpu < 8; cpu++) {
        char siblings[32];
        snprintf(siblings, sizeof siblings, "%d,%d\n", cpu % 4, cpu % 4 + 4);
        put_cpu(cpu, "topology/thread_siblings_list", siblings);
        put_cpu(cpu, "cache/index0/shared_cpu_list", siblings);
        put_cpu(cpu, "cache/index3/shared_cpu_list", "0-7\n");
    }
    read_first(8);
    check_order("0 1 2 3 4 5 6 7");
    for (int cpu = 0; cpu < 8; cpu++) {
        CHECK_EQ(find(cpu)->core, cpu % 4);
        CHECK_EQ(find(cpu)->cache, 0);
        CHECK_EQ(find(cpu)->performance, find(0)->performance);
    }
    remove_root();
}

/* Siblings numbered as AMD and virtual machines do, and under the file's newer name. */
static void adjacent_siblings_are_one_core_too(void) {
    make_root();
    for (int cpu = 0; cpu < 6; cpu++) {
        char siblings[32];
        snprintf(siblings, sizeof siblings, "%d-%d\n", cpu & ~1, cpu | 1);
        put_cpu(cpu, "topology/core_cpus_list", siblings);
    }
    read_first(6);
    check_order("0 2 4 1 3 5");
    for (int cpu = 0; cpu < 6; cpu++) CHECK_EQ(find(cpu)->core, cpu / 2);
    remove_root();
}

/* Two P cores with siblings (0-3), four E cores (4-7) that share an L2 but the same L3. */
static void a_hybrid_gives_p_then_e_then_siblings(void) {
    make_root();
    put("devices/cpu_core/cpus", "0-3\n");
    put("devices/cpu_atom/cpus", "4-7\n");
    for (int cpu = 0; cpu < 8; cpu++) {
        char siblings[32];
        snprintf(siblings, sizeof siblings, cpu < 4 ? "%d-%d\n" : "%d\n", cpu < 4 ? cpu & ~1 : cpu,
                 cpu | 1);
        put_cpu(cpu, "topology/thread_siblings_list", siblings);
        put_cpu(cpu, "cache/index2/shared_cpu_list", cpu < 4 ? siblings : "4-7\n");
        put_cpu(cpu, "cache/index3/shared_cpu_list", "0-7\n");
        /* not looked at: */
        put_cpu(cpu, "cpufreq/cpuinfo_max_freq", cpu < 4 ? "3000000\n" : "5000000\n");
    }
    read_first(8);
    check_order("0 2 4 5 6 7 1 3");
    CHECK(find(0)->performance > find(4)->performance);
    CHECK_EQ(find(0)->performance, find(3)->performance);
    CHECK_EQ(find(4)->performance, find(7)->performance);
    for (int cpu = 0; cpu < 8; cpu++) CHECK_EQ(find(cpu)->cache, 0);
    remove_root();
}

/* Four little, two big, one prime core; no cache description, as on many ARM boards. */
static void a_big_little_follows_cpu_capacity(void) {
    static const char *capacity[] = {"250\n", "250\n", "250\n", "250\n",
                                     "760\n", "760\n", "1024\n"};
    make_root();
    for (int cpu = 0; cpu < 7; cpu++) {
        put_cpu(cpu, "cpu_capacity", capacity[cpu]);
        put_cpu(cpu, "topology/package_cpus_list", "0-6\n");
    }
    read_first(7);
    check_order("6 4 5 0 1 2 3");
    CHECK_EQ(find(6)->performance, 1024);
    CHECK_EQ(find(0)->performance, 250);
    CHECK_EQ(find(0)->cache, find(6)->cache);
    CHECK(find(0)->core != find(1)->core);
    remove_root();
}

/* Preferred cores of equal cores scatter over both dies; compact cores are another class. */
static void preferred_cores_do_not_scatter_over_caches(void) {
    static const char *perf[] = {"196\n", "231\n", "201\n", "186\n",
                                 "211\n", "191\n", "226\n", "181\n"};
    make_root();
    for (int cpu = 0; cpu < 10; cpu++) {
        put_cpu(cpu, "acpi_cppc/highest_perf", cpu < 8 ? perf[cpu] : "115\n");
        put_cpu(cpu, "cache/index3/shared_cpu_list", cpu < 4 ? "0-3\n" : "4-9\n");
    }
    read_first(10);
    check_order("4 5 6 7 0 1 2 3 8 9");
    CHECK_EQ(find(3)->performance, find(1)->performance);
    CHECK(find(8)->performance < find(3)->performance);
    remove_root();
}

static void without_anything_better_the_frequency_decides(void) {
    make_root();
    for (int cpu = 0; cpu < 4; cpu++)
        put_cpu(cpu, "cpufreq/cpuinfo_max_freq", cpu < 2 ? "1400000\n" : "2400000\n");
    read_first(4);
    check_order("2 3 0 1");
    remove_root();
}

/* Two sockets of two cores with siblings; the kernel numbers the sockets alternately. */
static void two_sockets_fill_one_cache_first(void) {
    make_root();
    for (int cpu = 0; cpu < 8; cpu++) {
        char siblings[32];
        snprintf(siblings, sizeof siblings, "%d,%d\n", cpu % 4, cpu % 4 + 4);
        put_cpu(cpu, "topology/thread_siblings_list", siblings);
        put_cpu(cpu, "cache/index3/shared_cpu_list", cpu % 2 ? "1,3,5,7\n" : "0,2,4,6\n");
    }
    read_first(8);
    check_order("0 2 1 3 4 6 5 7");
    CHECK_EQ(find(6)->cache, 0);
    CHECK_EQ(find(7)->cache, 1);
    remove_root();
}

/* With one processor of the first cache and both of the second, the second holds two workers. */
static void a_restricted_set_numbers_only_what_is_allowed(void) {
    static const int32_t allowed[] = {7, 5, 2, 6};
    make_root();
    for (int cpu = 0; cpu < 8; cpu++) {
        char siblings[32];
        snprintf(siblings, sizeof siblings, "%d-%d\n", cpu & ~1, cpu | 1);
        put_cpu(cpu, "topology/thread_siblings_list", siblings);
        put_cpu(cpu, "cache/index3/shared_cpu_list", cpu < 4 ? "0-3\n" : "4-7\n");
    }
    read_allowed(allowed, 4);
    check_order("5 6 2 7");
    CHECK_EQ(find(2)->core, 0); /* dense, in order of id */
    CHECK_EQ(find(5)->core, 1);
    CHECK_EQ(find(6)->core, 2);
    CHECK_EQ(find(7)->core, 2);
    CHECK_EQ(find(2)->cache, 0);
    CHECK_EQ(find(5)->cache, 1);
    remove_root();
}

static void missing_files_mean_equal_processors(void) {
    static const int32_t allowed[] = {3, 1, 2};
    make_root();
    read_allowed(allowed, 3);
    check_order("1 2 3");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(cpus[i].core, i);
        CHECK_EQ(cpus[i].cache, 0);
        CHECK_EQ(cpus[i].performance, 0);
    }
    remove_root();
}

/* One processor without the file, or with rubbish in it: nobody is rated by it. */
static void incomplete_files_are_not_believed(void) {
    make_root();
    put_cpu(0, "cpu_capacity", "250\n");
    put_cpu(1, "cpu_capacity", "1024\n");
    put_cpu(2, "cpu_capacity", "big\n");
    put_cpu(1, "topology/thread_siblings_list", "\n");
    put_cpu(2, "cache/index3/shared_cpu_list", "");
    put("devices/cpu_core/cpus", "0\n"); /* and no cpu_atom */
    read_first(3);
    check_order("0 1 2");
    for (int cpu = 0; cpu < 3; cpu++) {
        CHECK_EQ(find(cpu)->performance, 0);
        CHECK_EQ(find(cpu)->core, cpu);
        CHECK_EQ(find(cpu)->cache, 0);
    }
    remove_root();
}

static void a_small_capacity_gets_the_best(void) {
    static const int32_t allowed[] = {0, 1, 2};
    make_root();
    for (int cpu = 0; cpu < 3; cpu++) put_cpu(cpu, "cpu_capacity", cpu == 1 ? "1024\n" : "512\n");
    CHECK_EQ(rrl_topology_read(root, allowed, 3, cpus, 2, &n_cpus), RRL_OK);
    CHECK_EQ(n_cpus, 2);
    check_order("1 0");
    CHECK_EQ(rrl_topology_read(root, allowed, 0, cpus, 2, &n_cpus), RRL_OK);
    CHECK_EQ(n_cpus, 0);
    remove_root();
}

static void this_machine_lists_every_usable_processor_once(void) {
    static rrl_cpu_t here[4096];
    size_t n;
    CHECK_EQ(rrl_topology_read("/sys", NULL, 0, here, 4096, &n), RRL_OK);
    CHECK_EQ(n, rrl__usable_cpus());
    for (size_t i = 0; i < n; i++) {
        CHECK(here[i].core >= 0 && here[i].core < (int32_t)n);
        CHECK(here[i].cache >= 0 && here[i].cache < (int32_t)n);
        for (size_t j = 0; j < i; j++) CHECK(here[i].id != here[j].id);
    }
}

/* ---- cgroups --------------------------------------------------------------------------------- */

static void check_cgroup(const char *membership, const char *file, const char *text,
                         uint32_t expected) {
    make_root();
    put("proc/self/cgroup", membership);
    if (file) put(file, text);
    CHECK_EQ(rrl_cgroup_cpus(root), expected);
    remove_root();
}

static void a_version_2_limit_is_rounded_up(void) {
    check_cgroup("0::/\n", "sys/fs/cgroup/cpu.max", "150000 100000\n", 2);
    check_cgroup("0::/\n", "sys/fs/cgroup/cpu.max", "200000 100000\n", 2);
    check_cgroup("0::/\n", "sys/fs/cgroup/cpu.max", "1000 100000\n", 1);
    check_cgroup("0::/\n", "sys/fs/cgroup/cpu.max", "max 100000\n", 0);
    check_cgroup("0::/job/x\n", "sys/fs/cgroup/job/x/cpu.max", "400000 50000\n", 8);
    check_cgroup("0::/job/x\n", "sys/fs/cgroup/job/cpu.max", "300000 100000\n", 3);
    check_cgroup("0::/job/x\n", "sys/fs/cgroup/cpu.max", "500000 100000\n", 5); /* a container */
    check_cgroup("0::/job/x\n", "sys/fs/cgroup/other/cpu.max", "500000 100000\n", 0);
}

static void the_tightest_group_on_the_path_counts(void) {
    make_root();
    put("proc/self/cgroup", "0::/a/b/c\n");
    put("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/a/b/cpu.max", "600000 100000\n");
    put("sys/fs/cgroup/a/cpu.max", "350000 100000\n");
    CHECK_EQ(rrl_cgroup_cpus(root), 4);
    put("sys/fs/cgroup/a/b/c/cpu.max", "50000 100000\n");
    CHECK_EQ(rrl_cgroup_cpus(root), 1);
    remove_root();
}

static void a_version_1_quota_counts_as_well(void) {
    make_root();
    put("proc/self/cgroup", "12:cpuset:/deep\n5:cpuacct,cpu:/docker/x\n1:name=systemd:/\n0::/\n");
    put("sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "250000\n");
    put("sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(rrl_cgroup_cpus(root), 3);
    put("sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "-1\n");
    CHECK_EQ(rrl_cgroup_cpus(root), 0);
    put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(rrl_cgroup_cpus(root), 1);
    remove_root();
    check_cgroup("4:cpuset:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000\n", 0);
}

static void no_cgroup_means_no_limit(void) {
    make_root();
    CHECK_EQ(rrl_cgroup_cpus(root), 0);
    remove_root();
    check_cgroup("", NULL, NULL, 0);
    check_cgroup("rubbish\n:\n::\n0::", NULL, NULL, 0);
    check_cgroup("0::/\n", "sys/fs/cgroup/cpu.max", "", 0);
    check_cgroup("0::/\n", "sys/fs/cgroup/cpu.max", "100000", 0);
}

int main(int argc, char **argv) {
    static const check_case_t cases[] = {
        CHECK_CASE(an_smt_laptop_gives_cores_before_siblings),
        CHECK_CASE(adjacent_siblings_are_one_core_too),
        CHECK_CASE(a_hybrid_gives_p_then_e_then_siblings),
        CHECK_CASE(a_big_little_follows_cpu_capacity),
        CHECK_CASE(preferred_cores_do_not_scatter_over_caches),
        CHECK_CASE(without_anything_better_the_frequency_decides),
        CHECK_CASE(two_sockets_fill_one_cache_first),
        CHECK_CASE(a_restricted_set_numbers_only_what_is_allowed),
        CHECK_CASE(missing_files_mean_equal_processors),
        CHECK_CASE(incomplete_files_are_not_believed),
        CHECK_CASE(a_small_capacity_gets_the_best),
        CHECK_CASE(this_machine_lists_every_usable_processor_once),
        CHECK_CASE(a_version_2_limit_is_rounded_up),
        CHECK_CASE(the_tightest_group_on_the_path_counts),
        CHECK_CASE(a_version_1_quota_counts_as_well),
        CHECK_CASE(no_cgroup_means_no_limit),
    };
    return check_main(argc, argv, cases, sizeof cases / sizeof *cases);
}
