//! The engine of this machine.

use crate::attempt::{Attempt, await_end, executor, marked, process_alive, results, until};
use runner::{CancelReason, Engine, LocalEngine, Lost, Observation};
use std::{
    fs,
    time::{Duration, SystemTime},
};
use types::Outcome;

fn engine() -> LocalEngine {
    LocalEngine::new(executor())
}

/// The engine's answers need no runtime: they come from the file system.
fn ask<T>(answer: runner::Answer<'_, T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(answer).unwrap()
}

fn keeper(attempt: &Attempt) -> u32 {
    until("the keeper", || match ask(engine().observe(&attempt.dir)) {
        Observation::Alive(keeper) => Some(keeper.pid),
        Observation::Unclaimed => None,
        other => panic!("{other:?}"),
    })
}

#[test]
fn an_executor_is_found_again_until_it_is_over() {
    let script = format!("echo up; while ! test -e go; do sleep 0.02; done; {}", results(0));
    let attempt = Attempt::of_scripts(&[&script]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    assert_eq!(ask(engine().observe(&attempt.dir)), Observation::Unclaimed);
    ask(engine().launch(&attempt.dir));
    let pid = keeper(&attempt);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_ne!(
        fields[1],
        std::process::id().to_string(),
        "it should not be our child"
    );
    assert_eq!(fields[3], pid.to_string(), "it should lead a session of its own");
    attempt.await_line("stdout.log");
    // A launch that is repeated changes nothing.
    ask(engine().launch(&attempt.dir));
    assert_eq!(keeper(&attempt), pid);
    fs::write(attempt.dir.path("go"), "").unwrap();
    let exit = until("the end", || match ask(engine().observe(&attempt.dir)) {
        Observation::Exited(exit) => Some(exit),
        _ => None,
    });
    assert_eq!((exit.outcome, exit.processes.len()), (Outcome::Completed, 1));
}

#[test]
fn a_cancel_reaches_the_executor() {
    let attempt = Attempt::of_scripts(&["echo up; sleep 600"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    ask(engine().launch(&attempt.dir));
    attempt.await_line("stdout.log");
    ask(engine().cancel(&attempt.dir, CancelReason::User));
    let exit = until("the end", || attempt.dir.exit().unwrap());
    assert_eq!(exit.outcome, Outcome::Cancelled);
    assert_eq!(attempt.processes(), [0_u32; 0]);
}

#[test]
fn what_a_dead_keeper_leaves_is_swept() {
    let attempt =
        Attempt::of_scripts(&["setsid sleep 600 & setsid sh -c 'sleep 601; true' & echo $$; sleep 602"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    ask(engine().launch(&attempt.dir));
    let child: u32 = attempt.await_line("stdout.log").parse().unwrap();
    let pid = keeper(&attempt);
    until("all processes", || (attempt.processes().len() >= 5).then_some(()));
    std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .unwrap();
    await_end(pid);
    await_end(child);
    assert_eq!(
        ask(engine().observe(&attempt.dir)),
        Observation::Lost(Lost::KeeperGone)
    );
    let left = marked(&attempt.job.tracking_id);
    assert!(!left.is_empty(), "grandchildren should survive their keeper");
    assert_eq!(ask(engine().sweep(&attempt.job.tracking_id)) as usize, left.len());
    assert!(left.into_iter().all(|pid| !process_alive(pid)));
    assert_eq!(ask(engine().sweep(&attempt.job.tracking_id)), 0);
}

#[test]
fn an_attempt_of_another_start_of_the_machine_is_lost() {
    let attempt = Attempt::of_scripts(&["true"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    fs::write(attempt.dir.path("claim"), "").unwrap();
    let record =
        r#"{"pid":1,"start_ticks":1,"boot_id":"another","host":"h","started_at":"2026-01-01T00:00:00Z"}"#;
    fs::write(attempt.dir.path("pid.json"), record).unwrap();
    assert_eq!(
        ask(engine().observe(&attempt.dir)),
        Observation::Lost(Lost::HostRebooted)
    );
}

#[test]
fn what_a_crash_of_the_machine_has_emptied_is_seen() {
    let attempt = Attempt::of_scripts(&["true"]);
    assert_eq!(attempt.dir.prepare(&attempt.job, "00").unwrap(), "00");
    assert!(attempt.dir.is_whole());
    fs::write(attempt.dir.path("token"), "").unwrap();
    assert!(!attempt.dir.is_whole());
    assert_eq!(
        attempt.dir.prepare(&attempt.job, "11").unwrap(),
        "11",
        "an empty token was given to nobody"
    );
    assert_eq!(attempt.dir.prepare(&attempt.job, "22").unwrap(), "11");
    fs::write(attempt.dir.path("job.json"), "").unwrap();
    assert!(!attempt.dir.is_whole());

    let claim = fs::File::create(attempt.dir.path("claim")).unwrap();
    fs::write(attempt.dir.path("pid.json"), "").unwrap();
    assert_eq!(ask(engine().observe(&attempt.dir)), Observation::Unclaimed);
    claim
        .set_modified(SystemTime::now() - Duration::from_secs(60))
        .unwrap();
    assert_eq!(
        ask(engine().observe(&attempt.dir)),
        Observation::Lost(Lost::KeeperGone)
    );
}

#[test]
fn a_reused_process_number_is_nobody() {
    let attempt = Attempt::of_scripts(&["true"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    fs::write(attempt.dir.path("claim"), "").unwrap();
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let pid = std::process::id();
    let record = format!(
        r#"{{"pid":{pid},"start_ticks":1,"boot_id":"{}","host":"h","started_at":"2026-01-01T00:00:00Z"}}"#,
        boot_id.trim()
    );
    fs::write(attempt.dir.path("pid.json"), record).unwrap();
    assert_eq!(
        ask(engine().observe(&attempt.dir)),
        Observation::Lost(Lost::KeeperGone)
    );
}

#[test]
fn an_executor_that_is_not_there_is_named() {
    let attempt = Attempt::of_scripts(&["true"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    let engine = LocalEngine::new("/nowhere/lmms-dash");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(engine.launch(&attempt.dir)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the executor `/nowhere/lmms-dash` cannot be started"
    );
}
