"""The rules of the runtime, one sentence each, and the tests that hold them.

A test is named `module.function` (a module of this folder or of `tests`), a check of the C core
`c/file.function`. `test_coverage.py` compares this table with the tests that there are.
"""

from typing import NamedTuple


class Rule(NamedTuple):
    text: str
    tests: tuple[str, ...]


RULES: dict[str, Rule] = {}


def rules(module, table):
    """Adds {id: (sentence, test, ...)}; a test without a dot belongs to `module`."""
    for name, (text, *tests) in table.items():
        assert name not in RULES, f"two rules are called {name}"
        RULES[name] = Rule(text, tuple(t if "." in t else f"{module}.{t}" for t in tests))


rules(
    "test_time",
    {
        "tag.order": (
            "Tags are ordered by time, then by microstep, and are equal in both parts only.",
            "test_tags_are_ordered_by_time_then_microstep",
        ),
        "tag.first": (
            "At the first tag, (0, 0), there are startup and timers without offset, nothing else.",
            "test_only_startup_and_timers_without_offset_happen_at_the_first_tag",
            "test_a_timer_at_offset_zero_fires_together_with_startup",
        ),
        "tag.absent-later": (
            "What is present at a tag is absent at the next one, unless it is set again.",
            "test_presence_lasts_one_microstep",
        ),
        "delay.zero": (
            "A delay of 0 leads to the next microstep of the same time.",
            "test_zero_delays_count_microsteps_and_leave_time_alone",
            "c/test_tag.no_delay_is_the_next_microstep",
        ),
        "delay.positive": (
            "A positive delay leads to a later time, at microstep 0.",
            "test_zero_delays_count_microsteps_and_leave_time_alone",
            "c/test_tag.a_delay_is_a_later_time_at_microstep_zero",
        ),
        "delay.overflow": (
            "A sum past the end of time is an OverflowError, whatever the stop tag is.",
            "test_sums_past_the_end_of_time_overflow",
            "test_the_last_instant_can_be_reached_and_nothing_after_it",
            "c/test_tag.a_time_that_reaches_forever_is_an_overflow",
        ),
        "delay.microsteps": (
            "When the microsteps of a time run out, scheduling one more is an OverflowError.",
            "c/test_tag.no_delay_is_the_next_microstep",
            "c/test_pending.the_microsteps_of_a_time_may_run_out",
            "test_scheduling_at_the_last_microstep_overflows",
            "c/test_program.after_the_last_microstep_comes_the_next_nanosecond",
        ),
        "delay.lost": (
            "What a connection would bring past the end of time, or past the microsteps, is an"
            " OverflowError out of `run`; at the next microstep only shutdown reactions run.",
            "test_a_connection_past_the_end_of_time_ends_the_program",
            "test_a_connection_at_the_last_microstep_overflows",
            "test_after_an_overflow_only_shutdown_reactions_run",
            "test_an_overflow_at_the_tag_of_an_error_is_a_note",
            "test_a_physical_connection_past_the_end_of_time_ends_the_program",
            "c/test_program.a_delay_past_all_time_ends_the_program",
        ),
        "delay.lost-spacing": (
            "So is a physical event that min_spacing moves past the end of time.",
            "test_a_spacing_of_physical_events_past_the_end_of_time_ends_the_program",
        ),
        "delay.lost-mode": (
            "So is an event that the pause of its mode moves past the end of time.",
            "test_a_mode_s_pause_past_the_end_of_time_ends_the_program",
            "test_what_comes_for_a_paused_mode_past_the_end_of_time_ends_the_program",
        ),
        "time.units": (
            "A time is an int of nanoseconds, which nsec, usec, msec and sec give.",
            "test_units_are_ints_of_nanoseconds",
        ),
        "time.types": (
            "A time that is neither an int nor a timedelta is a TypeError at once.",
            "test_a_time_is_an_int_or_a_timedelta",
            "test_actions.test_a_bad_delay_is_refused_at_once",
        ),
        "time.negative": (
            "A negative delay, offset, period or spacing is a ValueError when it is given.",
            "test_a_negative_time_is_a_value_error",
            "test_after.test_a_negative_after_is_a_value_error",
            "test_actions.test_a_bad_delay_is_refused_at_once",
        ),
        "clock.standstill": (
            "Logical time stands still during a body while physical time goes on.",
            "test_logical_time_stands_still_while_physical_time_moves",
        ),
        "clock.lag": (
            "The lag is physical time less the time of the tag.",
            "test_logical_time_stands_still_while_physical_time_moves",
        ),
        "clock.wait": (
            "Without `fast` no tag is processed before physical time has come to its time.",
            "test_a_tag_is_not_processed_before_its_time",
        ),
        "clock.microsteps": (
            "Microsteps of one time follow each other without waiting.",
            "test_microsteps_do_not_wait",
        ),
        "clock.fast": (
            "With `fast` the program never waits for physical time.",
            "test_a_fast_program_never_waits",
        ),
        "timer.fires": (
            "A timer is present at its offset and every period after it, without drift.",
            "test_a_timer_fires_at_offset_and_then_every_period",
        ),
        "timer.once": (
            "A timer whose period is None or 0 is present once.",
            "test_a_timer_without_period_fires_once",
        ),
        "timer.meet": (
            "Timers that meet at a tag run a reaction of both once, which can tell them apart.",
            "test_timers_that_meet_run_a_reaction_once",
        ),
        "timer.end": (
            "A timer whose next time would lie past the end of time is present no more.",
            "test_a_timer_stops_before_the_end_of_time",
            "c/test_program.a_timer_whose_next_time_is_past_all_time_fires_once",
        ),
        "timer.names": (
            "Offset and period may be times or names of attributes of the instance.",
            "test_a_timer_takes_timedeltas_and_names_of_attributes",
            "test_each_member_of_a_bank_has_timers_of_its_own",
        ),
        "timer.bad-attribute": (
            "An attribute that is a bad number is an AssemblyError and a ValueError.",
            "test_a_bad_attribute_of_a_timer_is_an_assembly_error_and_a_value_error",
        ),
    },
)

rules(
    "test_actions",
    {
        "action.tag": (
            "An event of a logical action comes min_delay + delay after the tag of the call.",
            "test_an_event_comes_after_min_delay_plus_delay",
            "test_a_delay_may_be_a_timedelta",
        ),
        "action.value": (
            "Every value is present, None, 0 and False too, and arrives as itself.",
            "test_every_value_is_a_value",
            "test_a_schedule_without_value_is_present_with_none",
        ),
        "action.absent": (
            "Of an absent action `.value` raises AbsentError and `.get` gives the default.",
            "test_an_absent_action_has_no_value",
        ),
        "action.meet": (
            "Actions that are present at one tag run a reaction of both once.",
            "test_actions_that_meet_run_a_reaction_once",
        ),
        "action.use": (
            "An action that is used is read, and triggers nothing.",
            "test_a_used_action_is_read_but_does_not_trigger",
        ),
        "action.pile": (
            "Without min_spacing, events of one time take a microstep each, in order of the calls.",
            "test_events_of_one_time_take_one_microstep_each",
            "test_events_of_zero_delay_take_the_next_microsteps",
            "test_an_event_joins_the_pile_that_is_already_there",
            "test_a_pile_is_joined_from_within",
        ),
        "action.order": (
            "Reactions of one reactor schedule in their order.",
            "test_two_reactions_schedule_in_their_order",
        ),
        "action.none-lost": (
            "However long a program schedules, every event comes at its tag.",
            "test_a_long_self_scheduling_chain_keeps_every_event",
        ),
        "action.stop": (
            "An event at the stop tag happens beside shutdown; a later one is dropped without an"
            " error and its handle has no tag.",
            "test_an_event_at_the_stop_tag_runs_and_later_ones_are_dropped",
        ),
        "action.shutdown": (
            "What a shutdown reaction schedules is dropped.",
            "test_nothing_can_be_scheduled_in_shutdown",
        ),
        "action.declared": (
            "Scheduling without declaring the effect is an UndeclaredEffectError in the body.",
            "test_an_undeclared_action_cannot_be_scheduled",
        ),
        "action.phase": (
            "Scheduling a logical action outside a reaction is a PhaseError.",
            "test_a_logical_action_is_not_scheduled_outside_of_a_reaction",
        ),
        "action.owner": (
            "Another reactor's action cannot be scheduled.",
            "test_another_reactors_action_cannot_be_scheduled",
        ),
    },
)

rules(
    "test_spacing",
    {
        "spacing.kept": (
            "An event that is at least min_spacing after the last one is placed unchanged.",
            "test_events_that_keep_their_distance_are_not_touched",
        ),
        "spacing.defer": (
            "`defer` moves an early event to min_spacing after the last one.",
            "test_defer_moves_an_early_event_to_the_end_of_the_spacing",
        ),
        "spacing.drop": (
            "`drop` discards an early event, and it does not count for the spacing.",
            "test_drop_discards_an_early_event",
        ),
        "spacing.replace": (
            "`replace` puts an early event's value into the pending event, whose tag stays.",
            "test_replace_changes_the_value_of_a_pending_event",
        ),
        "spacing.update": (
            "`update` removes the pending event and places the new one unadjusted.",
            "test_update_removes_the_pending_event_and_takes_its_own_time",
        ),
        "spacing.handled": (
            "After a handled event `replace` acts as `defer`, and `update` places unadjusted.",
            "test_a_handled_event_still_spaces_the_next",
        ),
        "spacing.zero": (
            "min_spacing 0 is a spacing: an event of an equal or earlier time is early.",
            "test_spacing_zero_is_not_no_spacing",
        ),
        "spacing.zero-defer": (
            "With min_spacing 0, `defer` takes the first microstep after now and the last event.",
            "test_spacing_zero_defers_behind_now_and_the_last_event",
        ),
        "spacing.own-tag": (
            "One action never has two events at one tag, nor one at or before the current tag.",
            "test_an_unadjusted_event_never_shares_a_tag",
        ),
        "spacing.stop": (
            "An event dropped past the stop tag is not the last one given.",
            "test_an_event_dropped_by_the_stop_tag_does_not_count_for_the_spacing",
        ),
        "spacing.policy": (
            "A policy is one of four, and one without min_spacing is an AssemblyError.",
            "test_an_unknown_policy_is_refused_at_once",
            "test_a_policy_without_spacing_is_an_assembly_error",
        ),
        "handle.cancel": (
            "`cancel` removes a pending event and is true if it was still pending.",
            "test_cancel_removes_a_pending_event_once",
            "test_a_later_reaction_may_cancel",
        ),
        "handle.empty-tag": (
            "A tag at which only cancelled events were due does not happen.",
            "test_a_tag_left_empty_by_cancel_does_not_happen",
        ),
        "handle.at-timeout": (
            "What was cancelled or updated away at or past the timeout does not keep a program.",
            "test_what_does_not_come_at_the_timeout_brings_no_timeout",
        ),
        "handle.spacing": (
            "A cancelled event still counts as the last one given.",
            "test_a_cancelled_event_still_counts_for_the_spacing",
        ),
        "handle.replaced": (
            "A replacing call returns a handle of the pending event.",
            "test_a_replacing_call_returns_the_pending_events_handle",
        ),
        "handle.updated": (
            "The handle of an event that was updated away cancels nothing.",
            "test_a_handle_of_an_event_updated_away_cancels_nothing",
        ),
        "handle.dropped": (
            "The handle of a dropped event has no tag and cancels nothing.",
            "test_a_dropped_events_handle_cancels_nothing",
        ),
        "handle.phase": (
            "A logical event is cancelled in a reaction only.",
            "test_a_handle_cannot_be_used_outside_of_a_reaction",
        ),
    },
)

rules(
    "test_physical",
    {
        "physical.tag": (
            "A physical event lands at the physical time of the call plus the delays, microstep 0.",
            "test_an_event_lands_at_the_time_of_the_call",
            "test_delays_are_added",
        ),
        "physical.wait": (
            "Without `fast` a physical event waits for the time of its tag.",
            "test_an_event_is_not_handled_before_its_time",
        ),
        "physical.order": (
            "Events of one thread come in the order of its calls, at distinct tags, none lost.",
            "test_events_of_one_thread_come_in_the_order_of_the_calls",
            "test_events_of_many_threads_all_come",
        ),
        "physical.fast": (
            "With `fast`, an event whose time has passed lands at the next microstep.",
            "test_a_fast_program_takes_an_event_at_the_next_microstep_when_it_is_ahead",
        ),
        "physical.body": (
            "In a body a physical action is an effect to declare, and its event is later.",
            "test_a_body_may_schedule_its_own_physical_action",
            "test_an_undeclared_physical_action_cannot_be_scheduled_in_a_body",
        ),
        "physical.value": (
            "None is a value of a physical event.",
            "test_none_is_a_value",
        ),
        "physical.phase": (
            "Before the start and after the end, scheduling it is a PhaseError.",
            "test_a_physical_action_is_scheduled_while_its_program_runs_only",
        ),
        "physical.bad-delay": (
            "A bad delay is an error of the call.",
            "test_a_bad_delay_is_refused_at_the_call",
        ),
        "physical.alive": (
            "A physical action does not keep a finished program alive.",
            "test_a_physical_action_alone_does_not_keep_a_program_alive",
        ),
        "physical.producer": (
            "An open producer keeps the program alive, and from its timeout under `fast`.",
            "test_a_producer_keeps_a_program_alive_until_it_is_closed",
            "test_an_open_producer_holds_a_fast_program_before_its_timeout",
        ),
        "physical.spacing": (
            "min_spacing and its policies apply to physical events.",
            "test_spacing_applies_to_physical_events",
            "test_defer_keeps_physical_events_apart",
        ),
        "physical.cancel": (
            "A pending physical event can be cancelled from any thread.",
            "test_a_pending_physical_event_can_be_cancelled_from_any_thread",
        ),
        "physical.one-order": (
            "Logical and physical events happen in one order of tags.",
            "test_physical_events_meet_logical_ones",
        ),
        "physical.programs": (
            "A body of one program may schedule a physical action of another.",
            "test_an_emitter_in_another_program_feeds_this_one",
        ),
    },
)

rules(
    "test_ingress",
    {
        "queue.raise": (
            "By default a full queue of a physical action raises CapacityError.",
            "test_a_full_queue_raises_by_default",
        ),
        "queue.drop": (
            'With full="drop" an event that finds no room is dropped, and its handle says so.',
            "test_a_full_queue_drops_if_told_to",
        ),
        "queue.block": (
            'With full="block" the caller waits for room, and nothing is lost.',
            "test_a_full_queue_blocks_if_told_to",
        ),
        "queue.block-body": (
            "A body never waits for room: it gets an error.",
            "test_blocking_inside_of_a_body_raises",
        ),
        "queue.end": (
            "The end of the program releases whoever waits for room.",
            "test_a_blocked_caller_is_released_when_the_program_ends",
            "test_threads_that_push_survive_the_end_of_the_program",
        ),
        "queue.bad": (
            "A capacity is a positive int, and `full` one of three words.",
            "test_bad_bounds_are_refused_at_once",
        ),
        "wire.physical": (
            "A physical connection stamps a value with physical time plus `after`.",
            "test_a_physical_connection_stamps_with_the_clock",
            "test_a_physical_connection_of_a_fast_program_is_never_early",
        ),
        "wire.physical-wide": (
            "Channels of a wide physical connection arrive at distinct, increasing tags.",
            "test_a_wide_physical_connection_keeps_the_channels_apart",
        ),
        "wire.physical-loop": (
            "A physical connection breaks a causality loop.",
            "test_a_physical_connection_breaks_a_loop",
        ),
    },
)

rules(
    "test_lifecycle",
    {
        "end.starvation": (
            "When no event is left the program ends one microstep after the last tag.",
            "test_an_empty_program_ends_one_microstep_after_its_start",
            "test_starvation_is_one_microstep_after_the_last_event",
            "test_starvation_does_not_wait_for_a_timeout",
        ),
        "end.timeout": (
            "A timeout T ends the program at exactly (T, 0), whose events still happen.",
            "test_a_timeout_is_an_exact_tag_whose_events_still_run",
            "test_a_timeout_between_two_ticks_is_a_tag_of_its_own",
            "test_microsteps_at_the_time_of_the_timeout_are_past_it",
        ),
        "end.timeout-zero": (
            "With timeout 0, startup and shutdown are both at (0, 0).",
            "test_timeout_zero_is_startup_and_shutdown_at_one_tag",
        ),
        "end.past-timeout": (
            "A program with an event past the timeout does not starve but ends at (T, 0).",
            "test_who_has_an_event_past_the_timeout_does_not_starve",
        ),
        "end.keepalive": (
            "With keepalive an idle program lasts until its timeout.",
            "test_keepalive_lasts_until_the_timeout",
        ),
        "end.request": (
            "request_stop ends the program at the next microstep, after the tag is complete.",
            "test_request_stop_ends_the_program_at_the_next_microstep",
        ),
        "end.request-events": (
            "Events due at the requested stop tag happen, later ones do not.",
            "test_events_of_the_stop_tag_run_and_later_ones_do_not",
        ),
        "end.earliest": (
            "Of several stops the earliest counts; a request in shutdown is ignored.",
            "test_the_earliest_stop_wins",
            "test_several_requests_are_one",
            "test_request_stop_ends_the_program_at_the_next_microstep",
        ),
        "shutdown.graph": (
            "Shutdown reactions take part in the stop tag as all others, and trigger downstream.",
            "test_shutdown_reactions_take_part_in_the_graph",
            "test_shutdown_runs_after_what_precedes_it",
        ),
        "trigger.mixed": (
            "A reaction may have startup, shutdown and others as triggers.",
            "test_one_reaction_may_have_all_triggers",
        ),
        "trigger.every-reactor": (
            "Startup and shutdown reach every reactor once.",
            "test_every_reactor_starts_and_ends",
        ),
        "class.order": (
            "Reactions of base classes come first, in listed order, a diamond's base once.",
            "test_a_base_classs_reactions_come_first",
        ),
        "class.override": (
            "Overriding a reaction by name replaces its body and keeps its place.",
            "test_an_override_replaces_the_body_and_keeps_the_place",
        ),
        "class.elements": (
            "A derived class has the elements of its bases.",
            "test_a_derived_class_has_its_bases_elements",
        ),
    },
)

rules(
    "test_ports",
    {
        "port.value": (
            "Every value set on a port is present and arrives as itself, by reference.",
            "test_every_value_is_present_and_arrives_as_itself",
        ),
        "port.absent": (
            "Of an absent port `.value` raises AbsentError: there is never a stale value.",
            "test_an_absent_port_has_no_value",
            "test_reading_back_an_absent_output_raises",
        ),
        "port.use": (
            "A used port is read after its writers, and triggers nothing.",
            "test_a_used_port_is_read_after_its_writer_and_does_not_trigger",
        ),
        "port.last-write": (
            "A port has one value at a tag, the one written last.",
            "test_the_last_write_wins",
        ),
        "port.read-back": (
            "A reactor's own output can be read where it is an effect or a use.",
            "test_an_output_can_be_read_back",
        ),
        "port.fan-out": (
            "One source feeds any number of destinations.",
            "test_an_output_feeds_any_number_of_inputs",
        ),
        "port.same-tag": (
            "Setting a port runs what is downstream at the same tag, however far.",
            "test_a_long_chain_happens_at_one_tag",
            "test_only_present_ports_trigger",
        ),
        "reaction.once": (
            "At a tag a reaction runs at most once, after all that it depends on.",
            "test_a_diamond_joins_in_one_run",
        ),
        "reaction.order": (
            "Reactions of a reactor run in order of definition, those added afterwards last.",
            "test_reactions_run_in_the_order_of_definition",
            "test_added_reactions_come_after_the_decorated_ones",
        ),
        "reaction.exclusion": (
            "Reactions of one reactor never run at the same time.",
            "test_reactions_of_one_reactor_exclude_each_other",
        ),
        "reaction.parallel": (
            "Reactions of different reactors wait for each other only along a path.",
            "test_a_reaction_without_a_path_to_another_does_not_wait_for_it",
        ),
        "tree.pass-through": (
            "Values pass through reactors by connections alone, at the same tag.",
            "test_values_pass_through_reactors_without_reactions",
        ),
        "tree.depth": (
            "Reactors may be nested as deeply as memory allows.",
            "test_reactors_may_be_nested_deeply",
        ),
        "tree.parent": (
            "A parent's reaction reads its children's outputs and sets their inputs.",
            "test_a_parent_reads_and_writes_its_childrens_ports",
        ),
        "tree.between": (
            "A parent's reaction runs after the child that writes and before the one that reads.",
            "test_a_parents_reaction_stands_between_writer_and_reader",
        ),
    },
)

rules(
    "test_multiports",
    {
        "wide.trigger": (
            "A multiport triggers once when any of its channels is present.",
            "test_a_multiport_triggers_once_for_any_of_its_channels",
        ),
        "wide.sequence": (
            "A multiport is a sequence of channels, each of which is a port.",
            "test_a_multiport_is_a_sequence_of_channels",
            "test_an_absent_channel_has_no_value",
            "test_own_output_channels_can_be_read_back",
        ),
        "wide.width": (
            "A width is any number from 0 on, fixed for an instance.",
            "test_a_multiport_may_have_no_channel_or_one",
        ),
        "wide.name": (
            "A width given by name is the instance's attribute, known right after construction.",
            "test_a_width_by_name_is_known_right_after_construction",
        ),
        "wide.bad": (
            "A bad width is refused where it is written.",
            "test_a_bad_width_is_refused_at_once",
        ),
        "wide.sparse": (
            "present() costs what is present, not the width.",
            "test_present_channels_cost_what_is_present",
        ),
        "wire.linear": (
            "Assembly is linear in the number of channels.",
            "test_assembly_is_linear_in_the_number_of_channels",
        ),
        "wire.lists": (
            "Each side is flattened to channels, and the sides are zipped.",
            "test_lists_are_connected_channel_by_channel",
        ),
        "wire.bank-major": (
            "Ports of a bank are flattened bank-major.",
            "test_banks_of_multiports_are_bank_major",
        ),
        "wire.interleaved": (
            "interleaved() flattens channel-major, on either side or both.",
            "test_an_interleaved_source_is_channel_major",
            "test_an_interleaved_destination_is_channel_major",
            "test_both_sides_may_be_interleaved",
        ),
        "wire.broadcast": (
            "broadcast repeats the left side.",
            "test_broadcast_repeats_the_left_side",
        ),
    },
)

rules(
    "test_banks",
    {
        "bank.index": (
            "Members of a bank know their index in __init__; elsewhere bank_index is 0.",
            "test_a_bank_numbers_its_members",
        ),
        "bank.empty": (
            "A bank may be empty.",
            "test_an_empty_bank_is_a_bank",
        ),
        "bank.nested": (
            "Banks may be nested, each with its own index.",
            "test_nested_banks_have_nested_paths",
        ),
        "bank.wire": (
            "A bank's ports connect to the channels of a multiport, either way.",
            "test_a_bank_feeds_a_multiport_in_bank_order",
            "test_a_multiport_feeds_a_bank_in_bank_order",
        ),
        "bank.parent": (
            "A parent's reaction may name the ports of a whole bank, or one channel.",
            "test_a_parent_reads_and_writes_whole_banks",
            "test_a_parent_uses_one_channel_of_one_member",
        ),
    },
)

rules(
    "test_after",
    {
        "after.none": (
            "A plain connection has no delay.",
            "test_without_after_a_value_arrives_at_the_same_tag",
        ),
        "after.zero": (
            "after=0 is one microstep later.",
            "test_after_zero_is_one_microstep_later",
        ),
        "after.positive": (
            "A positive `after` adds to the time and resets the microstep.",
            "test_a_positive_after_adds_to_the_time",
            "test_after_resets_the_microstep",
            "test_delays_in_a_row_add_up",
        ),
        "after.in-flight": (
            "Values in flight all arrive, in order.",
            "test_values_in_flight_overlap",
        ),
        "after.pile": (
            "Values of several microsteps of one time arrive one microstep each, per channel.",
            "test_values_of_one_time_pile_up_behind_a_positive_after",
            "test_values_pile_up_for_each_channel_by_itself",
        ),
        "after.value": (
            "`after` carries every value, the last one written at the tag.",
            "test_after_carries_every_value",
            "test_the_last_write_of_a_tag_goes_through_after",
        ),
        "after.broadcast": (
            "`after` delays every copy of a broadcast, and each connection by its own delay.",
            "test_after_with_broadcast_delays_every_copy",
            "test_one_source_feeds_delayed_and_direct_destinations",
        ),
        "after.stop": (
            "A delayed value at the stop tag arrives, a later one does not.",
            "test_a_delayed_value_at_the_stop_tag_arrives_and_a_later_one_does_not",
        ),
    },
)

rules(
    "test_loops",
    {
        "loop.error": (
            "A cycle of same-tag dependencies is an AssemblyError that names the cycle.",
            "test_a_zero_delay_loop_is_an_error_that_names_the_loop",
            "test_a_loop_without_reactions_is_an_error",
        ),
        "loop.all": (
            "All loops that share nothing are told at once, with everything else that is wrong.",
            "test_problems.test_all_causality_loops_at_once",
            "test_problems.test_loops_of_connections_alone_are_told_at_once",
            "test_problems.test_a_loop_beside_other_problems",
            "c/test_plan.all_loops_are_told_whatever_is_on_them",
        ),
        "loop.advice": (
            "The error suggests where a delay would break it.",
            "test_the_error_says_where_a_delay_would_break_the_loop",
        ),
        "loop.order": (
            "The order inside a reactor closes a cycle, also one that nothing could trigger.",
            "test_a_loop_through_the_order_inside_a_reactor_is_a_loop",
            "test_the_same_two_reactions_the_other_way_round_are_no_loop",
        ),
        "loop.use": (
            "A use closes a cycle as a trigger does.",
            "test_a_use_closes_a_loop_as_a_trigger_does",
        ),
        "loop.parent": (
            "A parent's reactions can close a cycle.",
            "test_a_parents_reactions_can_close_a_loop",
        ),
        "loop.broken": (
            "A delay, even 0, or an action breaks a cycle.",
            "test_a_delay_breaks_a_loop",
            "test_an_action_breaks_a_loop",
        ),
    },
)

rules(
    "test_access",
    {
        "access.effect": (
            "A body that sets an undeclared port gets an UndeclaredEffectError.",
            "test_an_undeclared_output_cannot_be_set",
            "test_an_undeclared_childs_input_cannot_be_set",
        ),
        "access.use": (
            "A body that reads anything undeclared gets an UndeclaredUseError, also of channels.",
            "test_an_undeclared_input_cannot_be_read",
            "test_nothing_undeclared_can_be_read",
            "test_who_declares_single_channels_cannot_ask_the_whole_multiport",
        ),
        "access.phase": (
            "A port is read and set in a reaction only: elsewhere it is a PhaseError.",
            "test_ports_are_used_inside_of_reactions_only",
        ),
        "access.owner": (
            "Another reactor's ports are a PhaseError.",
            "test_another_reactors_ports_are_out_of_reach",
        ),
    },
)

rules(
    "test_assembly",
    {
        "assembly.width": (
            "A width mismatch is an AssemblyError.",
            "test_widths_must_match",
        ),
        "assembly.writers": (
            "A destination has one writer: a connection or the effects of one reactor.",
            "test_a_destination_has_one_writer",
            "test_a_connection_and_an_effect_are_two_writers",
            "test_two_reactors_cannot_write_one_output",
            "test_two_reactions_of_one_reactor_may_write_one_output",
        ),
        "assembly.directions": (
            "Connections go from own inputs and children's outputs to own outputs and children's"
            " inputs.",
            "test_connections_go_the_allowed_ways_only",
        ),
        "assembly.types": (
            "Wrong types are a TypeError at once.",
            "test_only_ports_are_connected",
            "test_only_elements_are_declared",
            "test_a_body_takes_no_argument",
        ),
        "assembly.roles": (
            "An own output is no trigger, an own input and a timer no effect.",
            "test_an_own_output_is_no_trigger",
            "test_an_own_input_is_no_effect",
            "test_a_timer_is_no_effect",
        ),
        "assembly.border": (
            "Only ports of children cross the border between reactors, in their direction.",
            "test_only_ports_of_children_cross_the_border",
        ),
        "assembly.trigger": (
            "A reaction without triggers is an AssemblyError; a trigger named twice is one.",
            "test_a_reaction_without_trigger_is_an_error",
            "test_a_trigger_listed_twice_is_allowed",
        ),
        "assembly.names": (
            "Names that clash are an AssemblyError.",
            "test_a_derived_class_does_not_redefine_an_element",
            "test_public_names_of_reactors_are_taken",
            "test_an_element_and_a_child_cannot_share_a_name",
            "test_a_child_name_is_assigned_once",
        ),
        "assembly.endless": (
            "A reactor that contains its own class without end is an AssemblyError.",
            "test_a_reactor_that_contains_its_own_class_without_end_is_an_error",
        ),
        "assembly.main-ports": (
            "A main reactor may have ports, which stay absent.",
            "test_a_main_with_ports_runs_with_them_absent",
        ),
        "assembly.all": (
            "All problems come at once, with full paths, and nothing has run.",
            "test_all_problems_come_at_once_with_full_paths",
            "test_a_failed_assembly_runs_nothing",
        ),
        "assembly.fixed": (
            "Connecting, or adding reactions or children, while running is a PhaseError.",
            "test_the_structure_is_fixed_while_running",
        ),
    },
)

rules(
    "test_elements",
    {
        "element.generic": (
            "Types of ports are for the reader and are not checked.",
            "test_elements_are_generic_for_type_checkers_only",
        ),
        "element.init": (
            "Elements assigned to self in __init__ are as good as those of the class.",
            "test_elements_may_be_made_in_init",
        ),
        "element.instance": (
            "Instances share neither elements nor state.",
            "test_instances_do_not_share_elements_or_state",
        ),
        "state.kept": (
            "Attributes that bodies assign are the reactor's state.",
            "test_state_assigned_in_a_body_stays",
        ),
        "child.list": (
            "Lists and tuples of reactors are children with indexed names.",
            "test_lists_of_reactors_are_children",
        ),
        "child.given": (
            "A child belongs to whom it is assigned to; a reference to a sibling is no child.",
            "test_children_may_be_made_elsewhere_and_passed_in",
            "test_a_reference_to_a_sibling_is_no_child",
        ),
        "child.one-program": (
            "An instance belongs to one program.",
            "test_an_instance_belongs_to_one_program",
        ),
    },
)

rules(
    "test_exceptions",
    {
        "error.reaction": (
            "A body that raises makes run() raise a ReactionError with path, tag, cause, report.",
            "test_run_raises_a_reaction_error_that_tells_where",
            "test_the_original_traceback_is_kept",
        ),
        "error.level": (
            "The level of a body that raises finishes, and later levels do not run.",
            "test_the_level_finishes_and_later_levels_do_not_run",
            "test_a_level_is_the_longest_path",
        ),
        "error.first": (
            "Of several errors the first in static order is raised, the others are notes.",
            "test_several_errors_are_one_error_with_notes",
            "test_static_order_is_the_order_of_assignment",
            "test_a_parents_reactions_come_before_its_childrens_in_static_order",
        ),
        "error.shutdown": (
            "Shutdown runs at the failing tag, each reaction at most once, nothing downstream.",
            "test_shutdown_reactions_run_once_and_nothing_downstream_of_them",
            "test_a_shutdown_reaction_at_the_failing_tag_can_read",
        ),
        "error.pending": (
            "Nothing happens after the failing tag.",
            "test_pending_events_are_discarded",
        ),
        "error.in-shutdown": (
            "An error of a shutdown reaction is told like all others.",
            "test_a_shutdown_reaction_that_raises_is_an_error_too",
            "test_an_error_in_shutdown_joins_the_one_that_stopped_the_program",
        ),
        "error.any": (
            "Every exception of a body is an error of its reaction, mistakes of use included.",
            "test_every_exception_is_an_error_of_its_reaction",
            "test_mistakes_in_a_body_are_its_errors",
        ),
        "error.caught": (
            "What a body catches is no error.",
            "test_a_caught_error_is_no_error",
        ),
        "error.next": (
            "After an error the next program runs as if nothing had been.",
            "test_the_next_program_runs_as_if_nothing_had_been",
        ),
    },
)

rules(
    "test_running",
    {
        "report.counts": (
            "The report counts bodies run, events handled, and tags with the stop tag.",
            "test_a_report_counts_reactions_events_and_tags",
            "test_events_that_meet_are_counted_one_by_one",
            "test_a_report_counts_each_reaction_and_worker",
            "test_a_report_prints_as_a_short_table",
        ),
        "report.hash": (
            "trace_hash is of tags, reactions, ports set and actions scheduled, not of values.",
            "test_trace_hash_is_equal_for_equal_behaviour_and_every_number_of_workers",
            "test_trace_hash_is_of_tags_reactions_ports_and_actions",
        ),
        "determinism": (
            "Outputs, tags and trace_hash depend neither on workers nor on how long bodies take.",
            "test_delays_in_bodies_change_nothing",
            "test_there_may_be_many_more_workers_than_processors",
            "test_options.test_affinity_changes_nothing_that_a_program_shows",
            "test_determinism"
            ".test_random_programs_behave_as_the_reference_for_every_number_of_workers",
        ),
        "program.background": (
            "start() returns, join() waits and gives what run() would, stop() ends orderly.",
            "test_a_started_program_runs_until_it_is_stopped",
            "test_a_started_program_may_end_by_itself",
            "test_join_may_be_called_again_and_by_several_threads",
            "test_join_raises_what_run_would_raise",
        ),
        "program.context": (
            "Leaving a program's block ends it in good order.",
            "test_a_program_is_a_context_manager",
        ),
        "program.once": (
            "A program runs once.",
            "test_a_program_runs_once",
        ),
        "program.stop": (
            "stop(), from any thread, ends the program one microstep after the current tag.",
            "test_stop_may_come_from_any_thread",
            "test_stop_may_come_before_start_returns",
            "test_stop_comes_between_tags",
        ),
        "program.several": (
            "Programs one after another, at once, and inside a body do not know of each other.",
            "test_programs_one_after_another_do_not_know_of_each_other",
            "test_programs_at_once_do_not_know_of_each_other",
            "test_a_body_may_run_another_program",
            "test_a_body_may_build_reactors",
        ),
        "program.signals": (
            "Ctrl-C and SIGTERM stop as request_stop does, then KeyboardInterrupt is raised.",
            "test_processes.test_a_signal_ends_run_in_good_order",
        ),
        "body.questions": (
            "tag, lag, physical_elapsed and request_stop are for a body of that reactor only.",
            "test_tags_are_asked_for_inside_of_bodies_only",
        ),
        "body.path": (
            "path is the full name, in and out of bodies.",
            "test_a_path_is_known_once_the_tree_is_built",
        ),
    },
)

rules(
    "test_options",
    {
        "option.bad": (
            "A bad option is refused at once, and main is an instance of Reactor.",
            "test_bad_options_are_refused_at_once",
            "test_only_a_reactor_is_a_program",
        ),
        "option.seed": (
            "rng depends on seed and path alone, and is not there without a seed.",
            "test_rng_depends_on_seed_and_path_and_on_nothing_else",
            "test_there_is_no_rng_without_a_seed",
        ),
        "option.trace": (
            "trace= writes every body run with path and tag.",
            "test_a_trace_file_shows_every_reaction_with_path_and_tag",
        ),
        "option.check": (
            "With check=True an array is read-only while it is a payload.",
            "test_with_check_an_array_is_read_only_while_it_is_a_payload",
        ),
    },
)

rules(
    "test_modes",
    {
        "mode.initial": (
            "At first the one initial mode is active, and nothing of the others happens.",
            "test_only_the_initial_mode_is_active_at_first",
            "test_a_class_with_modes_has_one_initial_mode",
        ),
        "mode.transition": (
            "A transition takes effect after the tag of its set, of several the last one's.",
            "test_a_transition_takes_effect_after_the_tag",
            "test_the_last_set_of_a_tag_counts",
        ),
        "mode.reset": (
            "An entry by reset discards the events of the mode and starts its timers again.",
            "test_a_reset_starts_the_timers_again",
            "test_a_timer_that_fires_once_fires_again_after_a_reset",
            "test_events_wait_while_their_mode_is_not_active",
        ),
        "mode.history": (
            "An entry by history goes on with the events of the mode and what was left of them.",
            "test_history_goes_on_with_what_was_left",
            "test_events_wait_while_their_mode_is_not_active",
        ),
        "mode.microsteps": (
            "Events of the time of the leave come as many microsteps after the entry.",
            "test_microsteps_go_on_where_they_were",
        ),
        "mode.spacing": (
            "min_spacing counts the time of the mode, and is forgotten by a reset.",
            "test_spacing_keeps_its_distance_in_the_time_of_the_mode",
        ),
        "mode.first-entry": (
            "The first entry starts a mode's timers, whatever its kind.",
            "test_a_mode_that_was_never_active_starts_its_timers_at_the_first_entry",
        ),
        "mode.self": (
            "A transition to the current mode does nothing by history, and resets it by reset.",
            "test_a_transition_to_the_current_mode",
        ),
        "mode.stop": (
            "An event that resumes past the stop tag is dropped there.",
            "test_an_event_that_resumes_past_the_stop_tag_is_dropped",
        ),
        "mode.starvation": (
            "Suspended events keep no program alive.",
            "test_suspended_events_keep_no_program_alive",
        ),
        "mode.physical": (
            "Physical events of a mode that is not active wait for it.",
            "test_physical_events_wait_in_the_time_of_their_mode",
        ),
        "mode.startup": (
            "Startup is present once, at the first activation.",
            "test_startup_is_present_once_at_the_first_entry",
        ),
        "mode.reset-trigger": (
            "The reset trigger is present a microstep after every entry by reset.",
            "test_reset_is_present_after_every_entry_by_reset",
        ),
        "mode.shutdown": (
            "Shutdown runs in every mode that ever was active, at the last tag.",
            "test_shutdown_reaches_every_mode_that_ever_was_active",
        ),
        "mode.nested": (
            "A mode suspends and resets what its children hold, modes included.",
            "test_a_mode_suspends_what_its_children_hold",
            "test_a_reset_brings_nested_modes_back_to_their_initial_one",
            "test_an_inner_transition_counts_when_the_outer_mode_leaves",
        ),
        "mode.is-active": (
            "is_active says in a body whether a mode and all that enclose it are current.",
            "test_is_active_is_about_all_enclosing_modes",
        ),
        "mode.reactions": (
            "Reactions of modes that are not active do not run, whatever arrives.",
            "test_reactions_of_other_modes_do_not_run",
        ),
        "mode.order": (
            "Between reactions of different modes of a reactor there is no order, else as defined.",
            "test_reactions_outside_of_modes_keep_their_place",
            "test_modes_break_a_causality_loop",
        ),
        "mode.connections": (
            "Connections of a mode transport while it is active, and may share a destination.",
            "test_connections_of_two_modes_may_write_one_destination",
            "test_a_delayed_connection_pauses_with_its_mode",
        ),
        "mode.hash": (
            "Transitions enter the trace_hash and are no events.",
            "test_modes_enter_the_trace_hash",
        ),
        "mode.derived": (
            "A derived class has the modes of its bases, and may continue and add some.",
            "test_a_derived_class_has_its_bases_modes",
        ),
        "mode.declared": (
            "A mode is set where it is a declared effect.",
            "test_a_mode_is_set_where_it_is_declared",
        ),
        "mode.mistakes": (
            "What belongs to a mode is named in it alone, and other mistakes are AssemblyErrors.",
            "test_what_modes_do_not_allow_is_an_assembly_error",
            "test_modes_are_not_nested_lexically",
        ),
    },
)

rules(
    "test_deadlines",
    {
        "deadline.missed": (
            "A deadline d is missed when the clock is past tag + d just before the body.",
            "test_a_deadline_is_missed_when_the_clock_is_past_it",
            "test_the_clock_is_looked_at_just_before_the_body",
        ),
        "deadline.zero": (
            "A deadline of 0 is always missed.",
            "test_a_deadline_of_zero_is_always_missed",
        ),
        "deadline.kept": (
            "A deadline that is kept changes nothing.",
            "test_a_deadline_that_is_kept_changes_nothing",
        ),
        "deadline.handler": (
            "The handler runs instead of the body, with the same declarations, as a reaction.",
            "test_a_handler_has_what_the_body_has",
            "test_a_handler_declares_what_its_body_declares",
            "test_a_handler_that_raises_is_a_body_that_raises",
            "test_a_handler_needs_a_deadline",
        ),
        "deadline.fast": (
            "With fast=True the clock of deadlines is the physical time since the start.",
            "test_a_fast_program_s_deadlines_are_about_physical_time",
        ),
        "deadline.hash": (
            "The trace_hash tells whether a body or its handler ran.",
            "test_a_missed_deadline_shows_in_the_trace_hash",
        ),
        "deadline.skip": (
            "Without a handler the body is skipped and counted in the report.",
            "test_without_a_handler_the_body_is_skipped_and_counted",
        ),
        "deadline.override": (
            "An override keeps deadline and handler unless it is decorated again.",
            "test_an_override_keeps_deadline_and_handler",
        ),
        "deadline.added": (
            "Added reactions have deadlines and handlers, too.",
            "test_added_reactions_have_deadlines",
        ),
        "deadline.order": (
            "The least deadline of what follows at the tag orders the reactions of a level.",
            "test_the_most_urgent_reaction_of_a_level_comes_first",
        ),
        "deadline.bad": (
            "A deadline is a time, or an error at once.",
            "test_a_bad_deadline_is_refused_at_once",
        ),
    },
)

rules(
    "test_mutable",
    {
        "mutable.only": (
            "The only reader of a value gets the object itself in a mutable input.",
            "test_the_only_reader_gets_the_object_itself",
        ),
        "mutable.several": (
            "Of several readers each mutable one gets a copy.",
            "test_each_mutable_one_of_several_readers_gets_a_copy",
        ),
        "mutable.copy": (
            "The copy is ndarray.copy, Tensor.clone, or else copy.deepcopy, whose error is told.",
            "test_a_copy_is_deep",
            "test_arrays_are_copied_as_arrays",
            "test_what_has_a_clone_is_cloned",
            "test_a_value_that_cannot_be_copied_is_an_error_of_the_reader",
        ),
        "mutable.count": (
            "Readers are input ports with reactions and parents that read, delayed ones included.",
            "test_readers_are_counted_as_declared_not_as_run",
            "test_a_delayed_reader_is_a_reader",
            "test_a_parent_that_reads_is_a_reader_and_the_writer_is_none",
            "test_channels_of_a_multiport_are_counted_one_by_one",
        ),
        "mutable.stable": (
            "There is one copy for a tag and channel.",
            "test_there_is_one_copy_for_a_tag_and_channel",
        ),
        "mutable.value": (
            "None, 0 and False are values of a mutable input.",
            "test_small_values_are_values",
        ),
    },
)

rules(
    "test_enclaves",
    {
        "enclave.same": (
            "Enclaves compute what one time line would, for any workers, speed and capacity.",
            "test_a_program_of_enclaves_computes_what_it_would_without",
            "test_the_trace_hash_does_not_depend_on_workers",
            "test_a_small_capacity_makes_senders_wait_and_changes_nothing",
        ),
        "enclave.made": (
            "enclave() makes one of a reactor or of each member of a bank, and returns it.",
            "test_enclave_returns_what_it_is_given",
            "test_a_bad_enclave_is_refused_at_once",
        ),
        "enclave.starvation": (
            "An idle enclave ends at the earliest tag at which nothing more can come to it.",
            "test_an_idle_enclave_ends_after_its_last_tag",
            "test_shutdown_runs_at_the_end_of_each_enclave",
            "test_enclaves_in_a_circle_end_together",
        ),
        "enclave.timeout": (
            "A timeout ends every enclave that still runs at exactly its tag.",
            "test_a_timeout_ends_every_enclave_at_its_tag",
        ),
        "enclave.request": (
            "request_stop reaches other enclaves as late as a value would.",
            "test_request_stop_travels_along_the_connections",
        ),
        "enclave.error": (
            "A body that raises ends its enclave at the tag, and the others as a request does.",
            "test_a_body_that_raises_in_an_enclave_ends_the_program",
        ),
        "enclave.apart": (
            "Enclaves without a connection do not wait for each other, connected ones do.",
            "test_unconnected_enclaves_do_not_wait_for_each_other",
            "test_an_enclave_waits_for_what_may_still_come",
        ),
        "enclave.nested": (
            "Enclaves may be nested.",
            "test_enclaves_may_be_nested",
        ),
        "enclave.report": (
            "The report adds the enclaves up and has a line for each.",
            "test_a_report_adds_the_enclaves_up",
        ),
        "enclave.physical": (
            "A physical connection between enclaves stamps with the clock.",
            "test_a_physical_connection_between_enclaves",
        ),
        "enclave.outside": (
            "A physical event lands behind what others rely on, and is not lost.",
            "test_a_physical_event_lands_behind_what_others_rely_on",
        ),
        "enclave.mistakes": (
            "Ports of two time lines meet by a delayed connection alone, outside of modes.",
            "test_enclaves_are_connected_with_a_delay",
            "test_a_containers_reaction_cannot_name_the_ports_of_an_enclave",
            "test_an_enclave_cannot_be_in_a_mode",
        ),
    },
)
