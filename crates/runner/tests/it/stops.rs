//! Every way in which processes are stopped.

use crate::attempt::{Attempt, results, until};
use std::fs;
use types::Outcome;

/// Ignores what it can, and sends a grandchild out of its group and session.
const STUBBORN: &str =
    "trap '' INT TERM; setsid sh -c \"trap '' INT TERM; sleep 600\" & echo up; while :; do sleep 1; done";

fn cancel(attempt: &Attempt, reason: &str) {
    fs::write(attempt.dir.path("cancel"), reason).unwrap();
}

#[test]
fn a_polite_child_ends_on_int() {
    let attempt = Attempt::of_scripts(&[
        "trap 'echo int; exit 130' INT; echo up; while :; do sleep 0.05; done",
        "true",
    ]);
    let mut executor = attempt.start();
    attempt.await_line("stdout.log");
    cancel(&attempt, "user");
    assert_eq!(executor.wait(), 0);
    assert_eq!(attempt.read("stdout.log"), "up\nint\n");
    assert_eq!(attempt.exit().outcome, Outcome::Cancelled);
    assert_eq!(attempt.done(0).outcome, Outcome::Cancelled);
    assert_eq!(attempt.dir.done(1).unwrap(), None);
}

#[test]
fn a_stubborn_tree_is_killed() {
    let attempt = Attempt::of_scripts(&[STUBBORN]);
    let mut executor = attempt.start();
    attempt.await_line("stdout.log");
    cancel(&attempt, "user");
    assert_eq!(executor.wait(), 0);
    let exit = attempt.exit();
    assert_eq!(exit.outcome, Outcome::Cancelled);
    assert_eq!(exit.processes[0].signal, Some(9));
    assert_eq!(attempt.processes(), [0_u32; 0]);
}

#[test]
fn a_cancel_before_the_first_process_starts_nothing() {
    let attempt = Attempt::of_scripts(&["echo START"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    cancel(&attempt, "user");
    assert_eq!(attempt.start_another().wait(), 0);
    let exit = attempt.exit();
    assert!(exit.outcome == Outcome::Cancelled || attempt.dir.done(0).unwrap().is_some());
}

#[test]
fn the_wall_clock_ends_the_attempt() {
    let mut attempt = Attempt::of_scripts(&["echo up; sleep 600", "echo never"]);
    attempt.job.limits.wall_clock_s = Some(1);
    let exit = attempt.run();
    assert_eq!(exit.outcome, Outcome::TimedOut);
    assert_eq!(attempt.done(0).outcome, Outcome::TimedOut);
    assert_eq!(attempt.dir.done(1).unwrap(), None);
}

#[test]
fn a_stalled_benchmark_is_ended_and_the_next_goes_on() {
    let mut attempt = Attempt::of_scripts(&["echo up; sleep 600", &results(1)]);
    attempt.job.limits.stall_s = Some(1);
    let exit = attempt.run();
    assert_eq!(attempt.done(0).outcome, Outcome::Stalled);
    assert_eq!(attempt.done(1).outcome, Outcome::Completed);
    assert_eq!(exit.outcome, Outcome::Completed);
}

#[test]
fn endless_output_is_cut_off() {
    let mut attempt = Attempt::of_scripts(&["yes"]);
    attempt.job.limits.max_log_bytes = 1 << 20;
    let exit = attempt.run();
    assert_eq!(exit.outcome, Outcome::Crashed);
    let done = attempt.done(0);
    assert_eq!(done.outcome, Outcome::Crashed);
    assert_eq!(done.cause.as_deref(), Some("the output exceeds 1048576 bytes"));
}

#[test]
fn a_signal_to_the_keeper_ends_the_attempt() {
    let attempt = Attempt::of_scripts(&["echo up; sleep 600"]);
    let mut executor = attempt.start();
    attempt.await_line("stdout.log");
    let sent = std::process::Command::new("kill")
        .arg(executor.child.id().to_string())
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(executor.wait(), 0);
    assert_eq!(attempt.done(0).outcome, Outcome::Killed);
    assert_eq!(attempt.processes(), [0_u32; 0]);
}

#[test]
fn a_verdict_fits_on_a_full_disk() {
    let attempt = Attempt::of_scripts(&["echo up; read line < go"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    std::process::Command::new("mkfifo")
        .arg(attempt.dir.path("go"))
        .status()
        .unwrap();
    let mut executor = attempt.start_another();
    attempt.await_line("stdout.log");
    // A folder where the file would be written aside: nothing new can be written, as on a full disk.
    fs::create_dir(attempt.dir.path(".exit.json.tmp")).unwrap();
    fs::create_dir(attempt.dir.path("out/0/.done.json.tmp")).unwrap();
    fs::write(attempt.dir.path("go"), "\n").unwrap();
    assert_eq!(executor.wait(), 0);
    until("the end", || attempt.dir.exit().unwrap());
    assert!(attempt.dir.done(0).unwrap().is_some());
}
