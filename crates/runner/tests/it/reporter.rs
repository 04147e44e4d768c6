//! What reaches the API: everything, once, in order.

use crate::{
    attempt::{Attempt, Executor, process_alive, results, until},
    receiver::{Receiver, Store},
};
use std::{collections::BTreeSet, fs, process::Command};
use types::{LogStream, News, Order, Outcome};

fn has_exited(store: &Store) -> bool {
    store.news().any(|news| matches!(news, News::Exited { .. }))
}

/// The reporter of an executor: its one child with the same command line.
fn reporter_of(executor: &Executor) -> Option<u32> {
    let keeper = executor.child.id();
    let children = fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).ok()?;
    let own = fs::read(format!("/proc/{keeper}/cmdline")).ok()?;
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    children
        .filter(|pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line == own))
        .find(|&pid| process_alive(pid))
}

fn kill(pid: u32) {
    Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .unwrap();
}

/// Every byte of both logs is there, and every line of `seq` exactly once.
fn assert_whole(attempt: &Attempt, store: &Store, last: usize) {
    for name in ["stdout.log", "stderr.log"] {
        let sent = store.logs.get(name).cloned().unwrap_or_default();
        assert!(
            sent == fs::read(attempt.dir.path(name)).unwrap(),
            "`{name}` differs"
        );
    }
    let expected: Vec<String> = (1..=last).map(|n| n.to_string()).collect();
    assert_eq!(store.lines(LogStream::Stdout), expected);
    let offsets = store
        .batches
        .iter()
        .flat_map(|b| &b.lines)
        .map(|l| (l.stream, l.byte_offset));
    let all: Vec<_> = offsets.collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

#[test]
fn everything_is_told_once_and_in_order() {
    let receiver = Receiver::start();
    let script = format!(
        "seq 1 3000; printf 'oh\\n\\033[31mred\\033[0m\\n' >&2; {}; echo x > 'out/0/a b#ü.txt'",
        results(0)
    );
    let attempt = Attempt::of_scripts(&[&script, "seq 3001 3010"]).reporting_to(&receiver.endpoint_file());
    attempt.run();
    let store = receiver.store();
    assert_whole(&attempt, &store, 3010);
    assert_eq!(store.lines(LogStream::Stderr), ["oh", "red"]);
    let kinds: Vec<&str> = store.news().filter_map(kind).collect();
    let expected = [
        "started",
        "benchmark_started",
        "benchmark_started",
        "benchmark_finished",
        "benchmark_finished",
        "exited",
    ];
    let mut sorted = kinds.clone();
    sorted.sort_by_key(|kind| expected.iter().position(|e| e == kind));
    assert_eq!(sorted, expected);
    assert_eq!((kinds[0], kinds[5]), ("started", "exited"));
    for news in store.news() {
        let News::BenchmarkFinished {
            run_benchmark_id,
            done,
        } = news
        else {
            continue;
        };
        assert_eq!(
            *run_benchmark_id,
            attempt.job.processes[done.order as usize].benchmarks[0].run_benchmark_id
        );
        assert_eq!(*done, attempt.done(done.order));
        for file in &done.files {
            let path = format!("{}/{}", done.order, file.path);
            let sent = path
                .replace(' ', "%20")
                .replace('#', "%23")
                .replace('ü', "%C3%BC");
            assert_eq!(
                store.files[&sent],
                fs::read(attempt.dir.path(&format!("out/{path}"))).unwrap()
            );
            assert_eq!(store.hashes[&sent], file.sha256);
        }
    }
    assert!(
        store
            .news()
            .any(|news| matches!(news, News::Exited { exit } if *exit == attempt.exit()))
    );
    for (batch, number) in store.batches.iter().zip(1..) {
        assert_eq!((batch.batch_no, batch.epoch), (number, 3));
    }
}

fn kind(news: &News) -> Option<&'static str> {
    match news {
        News::Started { .. } => Some("started"),
        News::BenchmarkStarted { .. } => Some("benchmark_started"),
        News::BenchmarkFinished { .. } => Some("benchmark_finished"),
        News::Exited { .. } => Some("exited"),
        _ => None,
    }
}

#[test]
fn a_bar_becomes_progress_and_no_lines() {
    let receiver = Receiver::start();
    let bar = r"i=0; while [ $i -le 40 ]; do printf '\rModel Responding: %d%%|##  | %d/40 [00:01<00:03, 19.5it/s]' $((i*5/2)) $i >&2; i=$((i+1)); done; echo >&2; while ! test -e go; do sleep 0.02; done";
    let attempt = Attempt::of_scripts(&[bar]).reporting_to(&receiver.endpoint_file());
    let mut executor = attempt.start();
    receiver.until("the bar", |store| {
        let is_bar = |news: &News| {
            matches!(
                news,
                News::Progress {
                    done: Some(1..),
                    total: Some(40),
                    ..
                }
            )
        };
        store.news().any(is_bar)
    });
    fs::write(attempt.dir.path("go"), "").unwrap();
    assert_eq!(executor.wait(), 0);
    let store = receiver.store();
    let seen: Vec<(Option<u64>, Option<u64>)> = store
        .news()
        .filter_map(|news| match news {
            News::Progress { done, total, .. } => Some((*done, *total)),
            _ => None,
        })
        .collect();
    assert!(seen.len() < 12, "{seen:?}");
    assert_eq!(store.lines(LogStream::Stderr), [""; 0]);
}

#[test]
fn a_killed_reporter_loses_and_doubles_nothing() {
    let receiver = Receiver::start();
    let script = "for i in $(seq 1 400); do echo $i; echo e$i >&2; sleep 0.01; done; while ! test -e go; do sleep 0.02; done";
    let attempt = Attempt::of_scripts(&[script]).reporting_to(&receiver.endpoint_file());
    let mut executor = attempt.start();
    for killed in 1..=3 {
        receiver.until("more lines", |store| {
            store.lines(LogStream::Stdout).len() > 60 * killed
        });
        let reporter = until("a reporter", || reporter_of(&executor));
        kill(reporter);
    }
    fs::write(attempt.dir.path("go"), "").unwrap();
    assert_eq!(executor.wait(), 0);
    let store = receiver.store();
    assert_whole(&attempt, &store, 400);
    assert!(has_exited(&store));
}

#[test]
fn a_lost_answer_doubles_nothing() {
    let receiver = Receiver::start();
    receiver.store().drop_answers = 3;
    let attempt = Attempt::of_scripts(&["seq 1 50"]).reporting_to(&receiver.endpoint_file());
    attempt.run();
    let store = receiver.store();
    assert_eq!(store.drop_answers, 0);
    assert_whole(&attempt, &store, 50);
}

#[test]
fn a_lost_cursor_doubles_nothing_that_the_api_knows() {
    let receiver = Receiver::start();
    let script = "seq 1 100; while ! test -e go; do sleep 0.02; done; seq 101 200";
    let attempt = Attempt::of_scripts(&[script]).reporting_to(&receiver.endpoint_file());
    let mut executor = attempt.start();
    receiver.until("lines", |store| store.lines(LogStream::Stdout).len() == 100);
    kill(until("a reporter", || reporter_of(&executor)));
    fs::remove_file(attempt.dir.path("reporter.json")).unwrap();
    fs::write(attempt.dir.path("go"), "").unwrap();
    assert_eq!(executor.wait(), 0);
    assert_whole(&attempt, &receiver.store(), 200);
}

#[test]
fn an_api_that_is_away_is_told_later() {
    let mut receiver = Receiver::start();
    let script = "seq 1 100; while ! test -e go; do sleep 0.02; done; seq 101 200; touch over";
    let attempt = Attempt::of_scripts(&[script]).reporting_to(&receiver.endpoint_file());
    let mut executor = attempt.start();
    receiver.until("lines", |store| store.lines(LogStream::Stdout).len() == 100);
    receiver.fall();
    fs::write(attempt.dir.path("go"), "").unwrap();
    until("the end of the child", || attempt.dir.exit().unwrap());
    assert!(attempt.dir.path("over").exists());
    assert!(!has_exited(&receiver.store()));
    receiver.up();
    assert_eq!(executor.wait(), 0);
    let store = receiver.store();
    assert_whole(&attempt, &store, 200);
    assert!(has_exited(&store));
}

#[test]
fn a_server_that_is_not_well_costs_nothing() {
    let receiver = Receiver::start();
    receiver.store().refuse = Some(404);
    let attempt = Attempt::of_scripts(&["seq 1 20"]).reporting_to(&receiver.endpoint_file());
    let mut executor = attempt.start();
    until("the end of the child", || attempt.dir.exit().unwrap());
    for status in [401, 403, 503, 500] {
        let before = {
            let mut store = receiver.store();
            store.refuse = Some(status);
            store.requests
        };
        receiver.until("another try", |store| store.requests > before);
    }
    receiver.store().refuse = None;
    assert_eq!(executor.wait(), 0);
    assert_whole(&attempt, &receiver.store(), 20);
}

#[test]
fn an_order_to_cancel_stops_the_processes() {
    let receiver = Receiver::start();
    let attempt = Attempt::of_scripts(&["echo 1; sleep 600"]).reporting_to(&receiver.endpoint_file());
    let mut executor = attempt.start();
    attempt.await_line("stdout.log");
    receiver.store().order = Some(Order::Cancel);
    assert_eq!(executor.wait(), 0);
    assert_eq!(attempt.exit().outcome, Outcome::Cancelled);
    assert_whole(&attempt, &receiver.store(), 1);
    assert!(has_exited(&receiver.store()));
}

#[test]
fn a_fenced_executor_stops_and_says_no_more() {
    let receiver = Receiver::start();
    receiver.store().order = Some(Order::Fenced);
    let attempt = Attempt::of_scripts(&["echo 1; sleep 600"]).reporting_to(&receiver.endpoint_file());
    let mut executor = attempt.start();
    assert_eq!(executor.wait(), 0);
    assert_eq!(attempt.read("cancel"), "fenced");
    assert_eq!(attempt.exit().outcome, Outcome::Cancelled);
    assert_eq!(receiver.store().batches.len(), 1);
}

#[test]
fn secrets_reach_the_process_and_nothing_else() {
    const VALUE: &str = "canary-6d1f0a";
    let receiver = Receiver::down();
    let script =
        "test \"$MY_KEY\" = $(printf canary-; printf 6d1f0a) && echo right >&2; env | grep MY_KEY; exit 1";
    let mut attempt = Attempt::of_scripts(&[script]).reporting_to(&receiver.endpoint_file());
    attempt.job.secret_env = vec!["MY_KEY".to_owned()];
    receiver.store().secrets = [("MY_KEY", VALUE), ("OTHER", "unasked")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
    let mut executor = attempt.start();
    let mut receiver = receiver;
    receiver.up();
    assert_eq!(executor.wait(), 0);
    let store = receiver.store();
    assert_eq!(store.lines(LogStream::Stderr), ["right"]);
    assert_eq!(store.lines(LogStream::Stdout), ["MY_KEY=[REDACTED]"]);
    assert_eq!(store.logs["stdout.log"], b"MY_KEY=*************\n");
    assert!(!serde_json::to_string(&store.batches).unwrap().contains(VALUE));
    for entry in fs::read_dir(attempt.dir.root()).unwrap().flatten() {
        let text = fs::read(entry.path()).unwrap_or_default();
        let found = String::from_utf8_lossy(&text).contains(VALUE);
        // What the process itself prints is its own affair.
        assert!(!found || entry.file_name() == "stdout.log", "{:?}", entry.path());
    }
}

#[test]
fn a_secret_that_is_not_handed_out_ends_the_attempt() {
    let receiver = Receiver::start();
    let mut attempt = Attempt::of_scripts(&["echo never"]).reporting_to(&receiver.endpoint_file());
    attempt.job.secret_env = vec!["MY_KEY".to_owned()];
    let exit = attempt.run();
    assert_eq!(exit.outcome, Outcome::StartFailed);
    assert_eq!(
        exit.reason.as_deref(),
        Some("the secret for `MY_KEY` was not handed out")
    );
    assert!(has_exited(&receiver.store()));
}

#[test]
fn an_orphaned_reporter_tells_what_is_left_and_ends() {
    let receiver = Receiver::start();
    let attempt = Attempt::of_scripts(&["echo 1; sleep 600"]).reporting_to(&receiver.endpoint_file());
    let mut executor = attempt.start();
    attempt.await_line("stdout.log");
    let reporter = until("a reporter", || reporter_of(&executor));
    executor.kill();
    until("the end of the reporter", || {
        (!process_alive(reporter)).then_some(())
    });
    assert_eq!(receiver.store().lines(LogStream::Stdout), ["1"]);
    assert!(!has_exited(&receiver.store()));
}

#[test]
fn a_storm_of_lines_stays_within_the_size_of_a_batch() {
    let receiver = Receiver::start();
    let attempt = Attempt::of_scripts(&["seq 1 20000"]).reporting_to(&receiver.endpoint_file());
    attempt.run();
    assert_whole(&attempt, &receiver.store(), 20000);
}
