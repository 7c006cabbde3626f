"""Mirror of csrc/rrl.h, and nothing else: the C core as the binding sees it."""

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t


cdef extern from "rrl.h" nogil:
    ctypedef enum rrl_status_t:
        RRL_OK
        RRL_EMPTY
        RRL_FULL
        RRL_STOPPED
        RRL_TIMEOUT
        RRL_INTERRUPTED
        RRL_E_NOMEM
        RRL_E_INVAL
        RRL_E_OVERFLOW
        RRL_E_OS
        RRL_E_PHASE
        RRL_E_CYCLE
        RRL_E_UNDECLARED
        RRL_E_UNDECLARED_USE
        RRL_E_CAPACITY
        RRL_E_REACTION

    const int64_t RRL_FOREVER
    const int64_t RRL_NEVER
    const uint32_t RRL_NONE
    const int64_t RRL_NO_SPACING
    const int64_t RRL_NO_DELAY
    const int64_t RRL_NO_DEADLINE

    ctypedef uint32_t rrl_id_t

    ctypedef struct rrl_tag_t:
        int64_t time_ns
        uint32_t microstep

    ctypedef enum rrl_kind_t:
        RRL_PORT
        RRL_MULTIPORT
        RRL_ACTION
        RRL_TIMER
        RRL_STARTUP
        RRL_SHUTDOWN
        RRL_RESET
        RRL_MODE_RESET
        RRL_MODE_HISTORY

    ctypedef enum rrl_role_t:
        RRL_TRIGGER
        RRL_USE
        RRL_EFFECT
        RRL_PEEK

    ctypedef struct rrl_view_t:
        void *value
        void *is_present

    ctypedef struct rrl_graph_t:
        pass

    ctypedef enum rrl_policy_t:
        RRL_DEFER
        RRL_DROP
        RRL_REPLACE
        RRL_UPDATE

    ctypedef struct rrl_action_spec_t:
        int64_t min_delay_ns
        int64_t min_spacing_ns
        rrl_policy_t policy
        bint is_physical
        uint32_t capacity

    ctypedef struct rrl_cycle_step_t:
        rrl_id_t reaction
        rrl_id_t port

    ctypedef struct rrl_program_t:
        pass

    ctypedef struct rrl_worker_t:
        pass

    ctypedef struct rrl_host_t:
        void *ctx
        void *present
        void *absent
        rrl_status_t (*thread_start)(void *ctx, rrl_worker_t *w, uint32_t index)
        void (*thread_stop)(void *ctx, uint32_t index)
        void (*attach)(void *ctx, uint32_t index)
        void (*detach)(void *ctx, uint32_t index)
        rrl_status_t (*run_reaction)(void *ctx, uint32_t index, rrl_id_t reaction)
        rrl_status_t (*run_handler)(void *ctx, uint32_t index, rrl_id_t reaction)
        void (*retain)(void *ctx, void *payload)
        void (*release)(void *ctx, void *const *payloads, size_t n)
        void *(*redeem)(void *ctx, void *ticket)
        void (*overflowed)(void *ctx, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag)
        void (*record)(void *ctx, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag, void *payload)
        void (*missed)(void *ctx, rrl_id_t reaction, rrl_tag_t tag)

    ctypedef struct rrl_options_t:
        uint32_t n_workers
        bint fast
        bint virtual_clock
        bint stepped
        bint replay
        bint keepalive
        bint profile
        int64_t timeout_ns
        const int32_t *cpus
        uint32_t trace_capacity
        uint64_t yield_seed

    ctypedef struct rrl_stats_t:
        rrl_tag_t stop_tag
        uint64_t n_reactions
        uint64_t n_events
        uint64_t n_tags
        uint64_t trace_hash
        int64_t wall_ns
        uint64_t n_allocations
        uint64_t n_dropped
        rrl_status_t status

    ctypedef struct rrl_enclave_stats_t:
        rrl_tag_t stop_tag
        uint64_t n_events
        uint64_t n_tags
        uint64_t trace_hash

    ctypedef struct rrl_worker_stats_t:
        int64_t wall_ns
        int64_t spinning_ns
        int64_t parked_ns
        uint64_t n_reactions
        uint64_t n_stolen
        int32_t cpu

    ctypedef enum rrl_trace_kind_t:
        RRL_TRACE_NONE
        RRL_TRACE_REACTION
        RRL_TRACE_HANDLER
        RRL_TRACE_SKIPPED
        RRL_TRACE_COORDINATING
        RRL_TRACE_SPINNING
        RRL_TRACE_PARKED
        RRL_TRACE_IDLE
        RRL_TRACE_RAISED
        RRL_TRACE_SET
        RRL_TRACE_SENT
        RRL_TRACE_TAG
        RRL_TRACE_DUE
        RRL_TRACE_MOVED
        RRL_TRACE_ARRIVED

    const uint32_t RRL_TRACE_ID_BITS

    ctypedef struct rrl_trace_record_t:
        int64_t begin_ns
        int64_t end_ns
        int64_t time_ns
        uint32_t microstep
        uint32_t what

    ctypedef enum rrl_link_kind_t:
        RRL_LINK_REACTION
        RRL_LINK_CELL
        RRL_LINK_DELAY
        RRL_LINK_ACTION

    ctypedef struct rrl_link_t:
        uint32_t kind
        uint32_t cell
        uint32_t to

    ctypedef struct rrl_pulse_t:
        uint64_t n_reactions
        int64_t waiting_ns
        uint64_t n_tags
        int64_t lag_ns

    ctypedef struct rrl_cpu_t:
        int32_t id
        int32_t core
        int32_t cache
        int32_t performance

    const char *rrl_status_name(rrl_status_t status)
    const char *rrl_status_text(rrl_status_t status)
    const char *rrl_status_exception(rrl_status_t status)
    rrl_status_t rrl_graph_create(rrl_graph_t **out_graph)
    void rrl_graph_destroy(rrl_graph_t *g)
    rrl_status_t rrl_graph_add_enclave(rrl_graph_t *g, uint32_t n_workers, uint32_t capacity,
        rrl_id_t *out_id)
    rrl_status_t rrl_graph_add_reactor(rrl_graph_t *g, rrl_id_t enclave, rrl_id_t *out_id)
    rrl_status_t rrl_graph_add_mode(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t within,
        bint is_initial, rrl_id_t *out_id)
    rrl_status_t rrl_graph_add_port(rrl_graph_t *g, rrl_id_t reactor, bint is_mutable,
        rrl_view_t *view, rrl_id_t *out_id)
    rrl_status_t rrl_graph_add_multiport(rrl_graph_t *g, rrl_id_t first, uint32_t width,
        rrl_view_t *view, void *concealed, rrl_id_t *out_id)
    rrl_status_t rrl_graph_add_action(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode,
        const rrl_action_spec_t *spec, rrl_view_t *view, rrl_id_t *out_id)
    rrl_status_t rrl_graph_add_timer(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode,
        int64_t offset_ns, int64_t period_ns, rrl_view_t *view, rrl_id_t *out_id)
    rrl_status_t rrl_graph_add_reaction(rrl_graph_t *g, rrl_id_t reactor, rrl_id_t mode,
        uint64_t hash, int64_t deadline_ns, bint has_handler, rrl_id_t *out_id)
    rrl_status_t rrl_graph_declare(rrl_graph_t *g, rrl_id_t reaction, rrl_role_t role,
        rrl_kind_t kind, rrl_id_t element)
    rrl_status_t rrl_graph_connect(rrl_graph_t *g, rrl_id_t source, rrl_id_t destination,
        int64_t delay_ns, bint is_physical, rrl_id_t mode)
    rrl_status_t rrl_program_create(const rrl_graph_t *g, const rrl_options_t *options,
        const rrl_host_t *host, rrl_program_t **out_program, rrl_cycle_step_t **out_cycle,
        size_t *out_n_cycle)
    void rrl_program_destroy(rrl_program_t *p)
    rrl_status_t rrl_program_start(rrl_program_t *p)
    rrl_status_t rrl_program_wait(rrl_program_t *p, int64_t timeout_ns)
    rrl_status_t rrl_program_join(rrl_program_t *p)
    void rrl_program_request_stop(rrl_program_t *p)
    void rrl_program_hold(rrl_program_t *p, rrl_id_t action, bint open)
    void rrl_program_forget_threads(rrl_program_t *p)
    rrl_status_t rrl_schedule_physical(rrl_program_t *p, rrl_id_t action, int64_t delay_ns,
        void *ticket, rrl_tag_t *out_tag)
    rrl_status_t rrl_wait_for_room(rrl_program_t *p, rrl_id_t action, int64_t timeout_ns)
    rrl_status_t rrl_clock_advance(rrl_program_t *p, rrl_worker_t *w, int64_t delta_ns)
    void rrl_program_step(rrl_program_t *p, rrl_tag_t tag)
    rrl_status_t rrl_program_wait_for_pause(rrl_program_t *p, int64_t timeout_ns,
        rrl_tag_t *out_tag)
    rrl_status_t rrl_program_feed(rrl_program_t *p, rrl_kind_t kind, rrl_id_t id, rrl_tag_t tag,
        void *payload)
    rrl_status_t rrl_program_feed_miss(rrl_program_t *p, rrl_id_t reaction, rrl_tag_t tag)
    rrl_status_t rrl_program_feed_stop(rrl_program_t *p, rrl_id_t enclave, rrl_tag_t tag)
    rrl_id_t rrl_worker_reaction(const rrl_worker_t *w)
    rrl_program_t *rrl_worker_program(const rrl_worker_t *w)
    uint32_t rrl_worker_index(const rrl_worker_t *w)
    rrl_tag_t rrl_worker_tag(const rrl_worker_t *w)
    rrl_status_t rrl_port_set(rrl_worker_t *w, rrl_id_t port, void *payload)
    rrl_status_t rrl_port_payload(const rrl_worker_t *w, rrl_id_t port, void **out_payload)
    rrl_status_t rrl_multiport_present(const rrl_worker_t *w, rrl_id_t multiport,
        const uint32_t **out_channels, uint32_t *out_n)
    bint rrl_may_touch(const rrl_worker_t *w, rrl_id_t multiport)
    rrl_status_t rrl_schedule(rrl_worker_t *w, rrl_id_t action, int64_t delay_ns, void *payload,
        rrl_tag_t *out_tag, uint64_t *out_serial)
    rrl_status_t rrl_cancel(rrl_worker_t *w, rrl_id_t action, rrl_tag_t tag, uint64_t serial)
    rrl_status_t rrl_mode_set(rrl_worker_t *w, rrl_id_t mode)
    bint rrl_mode_is_active(const rrl_worker_t *w, rrl_id_t mode)
    bint rrl_program_mode_is_active(const rrl_program_t *p, rrl_id_t mode)
    rrl_status_t rrl_port_own(rrl_worker_t *w, rrl_id_t port, void *copy)
    bint rrl_may_schedule(const rrl_worker_t *w, rrl_id_t action)
    rrl_status_t rrl_request_stop(rrl_worker_t *w)
    bint rrl_worker_is_unwinding(const rrl_worker_t *w)
    int64_t rrl_program_elapsed_ns(const rrl_program_t *p)
    int64_t rrl_worker_elapsed_ns(const rrl_worker_t *w)
    uint32_t rrl_program_n_workers(const rrl_program_t *p)
    bint rrl_port_needs_copy(const rrl_program_t *p, rrl_id_t port)
    bint rrl_port_is_moved(const rrl_program_t *p, rrl_id_t port)
    uint32_t rrl_program_n_levels(const rrl_program_t *p)
    uint32_t rrl_program_level(const rrl_program_t *p, rrl_id_t reaction)
    uint32_t rrl_program_home(const rrl_program_t *p, rrl_id_t reaction)
    void rrl_program_stats(const rrl_program_t *p, rrl_stats_t *out_stats)
    void rrl_program_enclave_stats(const rrl_program_t *p, rrl_id_t enclave,
        rrl_enclave_stats_t *out_stats)
    void rrl_program_worker_stats(const rrl_program_t *p, uint32_t worker,
        rrl_worker_stats_t *out_stats)
    uint64_t rrl_program_reaction_count(const rrl_program_t *p, rrl_id_t reaction)
    uint64_t rrl_program_miss_count(const rrl_program_t *p, rrl_id_t reaction)
    int64_t rrl_program_reaction_ns(const rrl_program_t *p, rrl_id_t reaction)
    size_t rrl_program_trace(const rrl_program_t *p, uint32_t lane,
        rrl_trace_record_t *out_records, uint64_t *out_n_lost)
    size_t rrl_program_links(const rrl_program_t *p, rrl_link_t *out_links)
    void rrl_program_pulse(const rrl_program_t *p, uint32_t worker, rrl_pulse_t *out_pulse)
    rrl_id_t rrl_program_running(const rrl_program_t *p, uint32_t worker)
    int64_t rrl_program_time_ns(const rrl_program_t *p)
    rrl_status_t rrl_topology_read(const char *sysfs, const int32_t *allowed, size_t n_allowed,
        rrl_cpu_t *out_cpus, size_t capacity, size_t *out_n)
    uint32_t rrl_cgroup_cpus(const char *root)

    ctypedef struct rrl_probe_t:
        int64_t trip_ns
        int64_t slow_trip_ns
        int64_t wake_ns
        int64_t slow_wake_ns
        int64_t alone_ns
        int64_t beside_ns

    rrl_status_t rrl_probe(int32_t a, int32_t b, int64_t budget_ns, rrl_probe_t *out_probe)
