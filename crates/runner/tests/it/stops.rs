//! Every way in which processes are stopped.

use crate::attempt::{Attempt, executor, results, until};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use types::Outcome;

/// Ignores what it can, and sends a grandchild out of its group and session.
const STUBBORN: &str =
    "trap '' INT TERM; setsid sh -c \"trap '' INT TERM; sleep 600\" & echo up; while :; do sleep 1; done";

fn cancel(attempt: &Attempt, reason: &str) {
    fs::write(attempt.dir.path("cancel"), reason).unwrap();
}

#[test]
fn a_polite_child_ends_on_int() {
    let mut attempt = Attempt::of_scripts(&[
        "trap 'echo int; exit 130' INT; echo up; while :; do sleep 0.05; done",
        "true",
    ]);
    attempt.job.limits.grace_int_ms = 60_000;
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
    attempt.job.limits.wall_clock_s = Some(3);
    let exit = attempt.run();
    assert_eq!(exit.outcome, Outcome::TimedOut);
    assert_eq!(attempt.done(0).outcome, Outcome::TimedOut);
    assert_eq!(attempt.dir.done(1).unwrap(), None);
}

#[test]
fn a_stalled_benchmark_is_ended_and_the_next_goes_on() {
    let mut attempt = Attempt::of_scripts(&["echo up; sleep 600", &results(1)]);
    attempt.job.limits.stall_s = Some(3);
    let exit = attempt.run();
    assert_eq!(attempt.done(0).outcome, Outcome::Stalled);
    assert_eq!(attempt.done(1).outcome, Outcome::Completed);
    assert_eq!(exit.outcome, Outcome::Completed);
}

#[test]
fn endless_output_is_cut_off() {
    let mut attempt = Attempt::of_scripts(&["yes $(printf %01000d 0)"]);
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
    for name in [".exit.json", "out/0/.done.json"] {
        let aside = format!("{name}.tmp-{}", executor.child.id());
        fs::create_dir(attempt.dir.path(&aside)).unwrap();
    }
    fs::write(attempt.dir.path("go"), "\n").unwrap();
    assert_eq!(executor.wait(), 0);
    until("the end", || attempt.dir.exit().unwrap());
    assert!(attempt.dir.done(0).unwrap().is_some());
}

/// A cgroup with little memory that goes away with the test.
struct SmallGroup(PathBuf);

impl SmallGroup {
    /// `None`, with the reason on standard output, where no such group can be made.
    fn new() -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let path = |controller: &str| {
            let mut lines = own
                .lines()
                .filter_map(|line| line.split_once(':')?.1.split_once(':'));
            lines
                .find(|(names, _)| *names == controller)
                .map(|(_, path)| path.trim_start_matches('/'))
        };
        let name = format!("lmms-test-{}", std::process::id());
        let first = path("memory").map(|own| {
            (
                Path::new("/sys/fs/cgroup/memory").join(own),
                "memory.limit_in_bytes",
            )
        });
        let second = path("").map(|own| (Path::new("/sys/fs/cgroup").join(own), "memory.max"));
        for (parent, limit) in first.into_iter().chain(second) {
            let group = Self(parent.join(&name));
            if fs::create_dir(&group.0).is_ok() && fs::write(group.0.join(limit), "80000000").is_ok() {
                return Some(group);
            }
        }
        println!("skipped, because no cgroup with a limit of memory can be made");
        None
    }
}

impl Drop for SmallGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_child_that_the_kernel_kills_for_want_of_memory_is_named_so() {
    let Some(group) = SmallGroup::new() else { return };
    let attempt = Attempt::of_scripts(&["exec python3 -c 'x = bytearray(400 << 20)'", "kill -9 $$"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    let script = format!(
        "echo $$ > {}/cgroup.procs && exec {} exec --attempt-dir {}",
        group.0.display(),
        executor().display(),
        attempt.dir.root().display()
    );
    assert!(
        Command::new("sh")
            .args(["-c", &script])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(attempt.done(0).outcome, Outcome::OutOfMemory);
    assert_eq!(attempt.done(1).outcome, Outcome::Killed, "a kill alone is none");
}
