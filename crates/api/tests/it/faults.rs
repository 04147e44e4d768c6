//! The faults that this product is made for, and the test that shows each. Those in `faults_*` kill
//! real processes of the product; a table instead of two tests where one was there before.
//!
//! | fault | shown by |
//! |---|---|
//! | F1 the API is killed during a run | `faults_executor::a_killed_server_costs_nothing`, `…::a_killed_worker_is_replaced_…`; with the worker inside the test `runs_flow::a_new_worker_takes_over_…` |
//! | F2 the keeper is killed | `faults_executor::a_killed_keeper_takes_everything_with_it`; retries only when asked for: `runs_flow::a_lost_run_tries_again_by_itself_when_it_may` |
//! | F3 the child is killed | `faults_executor::a_killed_child_is_named`; by the kernel, for want of memory: `stops::a_child_that_the_kernel_kills_for_want_of_memory_is_named_so` of `runner` |
//! | F4 the machine is restarted | `faults_executor::a_restarted_machine_loses_its_attempts_…`; a folder that was emptied by it: `engine::what_a_crash_of_the_machine_has_emptied_is_seen` of `runner` |
//! | F5 PostgreSQL is killed | `faults_database::a_killed_database_loses_nothing_that_was_acknowledged` |
//! | F6 no PostgreSQL when a run ends | `faults_database::a_run_that_ends_without_a_database_…`; the pages say how old they are: `away.spec.ts` |
//! | F7 the disk is full | `faults_output::a_full_disk_costs_output_but_no_verdict`; the room that is set aside: `stops::a_verdict_fits_on_a_full_disk` of `runner`; the cluster's: `disk` of `pg`. The child writes into the file itself, so what it could not write cannot be counted: the attempt says that output may be missing |
//! | F8 the child ignores INT and TERM | `faults_executor::a_child_that_ignores_every_request_is_killed` |
//! | F9 grandchildren leave the session | `faults_executor::what_a_child_leaves_behind_is_killed_and_counted` |
//! | F10 a line without an end | `faults_output::an_endless_line_is_streamed_and_shown_in_part` |
//! | F11 bytes that are no text | `faults_output::bytes_that_are_no_text_are_kept_and_shown` |
//! | F12 a storm of lines | `faults_output::a_storm_of_lines_…` |
//! | F13 a viewer that does not read | `faults_sockets::a_viewer_that_does_not_read_is_cut_…`; the bound: `events::hub` |
//! | F14 results that are none | `faults_output::results_that_are_none_are_named_and_kept`; 2 GB: `keeper::results_that_nobody_can_read_whole_are_none` of `runner` |
//! | F15 two workers, one run | `faults_replicas::two_workers_share_the_queue`, `…::of_many_claims_one_wins` |
//! | F16 a worker oversleeps | `faults_replicas::a_worker_that_overslept_changes_nothing` |
//! | F17 clocks jump | `faults_clock` |
//! | F18 notifications are lost, or too long | `faults_database::lost_notifications_cost_a_moment_and_no_message`, `…::notifications_carry_ids_and_numbers_only` |
//! | F19 a create is repeated | `faults_replicas::a_create_repeated_after_a_timeout_is_the_same_run`; other answers: `runs_create` |
//! | a bad line to the server | `faults_sockets::a_bad_line_loses_nothing` |
//! | stalls, time limits, retries, orphans | `faults_limits` |
//! | anybody at any time | `faults_loop`, and `worker::simulation` around the pure step |
//!
//! After each, `faults_invariants` looks at I1 to I9.
