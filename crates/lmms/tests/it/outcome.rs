//! Verdicts over the evidence of real runs, and over each kind of end.

use std::fmt::Write as _;

use insta::assert_snapshot;
use lmms::log::{Item, Level, Stream};
use lmms::outcome::{
    DriverEnd, ErrorLine, Evidence, Exit, Outcome, ResultsFound, SampleCounts, judge, poisoned,
};

use crate::fixtures::{capture, files, folder, items};

/// The evidence that a keeper would have after a captured run in plain mode.
fn evidence(name: &str, exit: Exit, asked: &[&str]) -> Evidence {
    let (stdout, stderr) = (capture(name, Stream::Stdout), capture(name, Stream::Stderr));
    let mut error_lines = Vec::new();
    for (stream, bytes) in [(Stream::Stdout, &stdout), (Stream::Stderr, &stderr)] {
        for item in items(stream, bytes) {
            if let Item::Line(line) = item
                && line.level == Level::Error
            {
                error_lines.push(ErrorLine {
                    stream,
                    byte_offset: line.byte_offset,
                    message: line.message,
                });
            }
        }
    }
    Evidence {
        exit: Some(exit),
        imported: !stdout.is_empty(),
        asked: asked.iter().map(|&task| task.to_owned()).collect(),
        error_lines,
        stdout_tail: String::from_utf8_lossy(&stdout).into_owned(),
        stderr_tail: String::from_utf8_lossy(&stderr).into_owned(),
        ..Evidence::default()
    }
}

fn found(tasks: &[&str]) -> ResultsFound {
    ResultsFound {
        found: true,
        unreadable: None,
        tasks: tasks.iter().map(|&task| task.to_owned()).collect(),
    }
}

fn success() -> Evidence {
    Evidence {
        exit: Some(Exit::Code(0)),
        imported: true,
        results: found(&["mme"]),
        asked: vec!["mme".to_owned()],
        ..Evidence::default()
    }
}

fn outcome(change: impl FnOnce(&mut Evidence)) -> Outcome {
    let mut evidence = success();
    change(&mut evidence);
    judge(&evidence).outcome
}

#[test]
fn captured_runs() {
    let code = Exit::Code;
    let cases = [
        ("bad_task", code(0)),
        ("bad_model", code(0)),
        ("bad_flag", code(2)),
        ("boom", code(0)),
        ("boom_debug", code(1)),
        ("config_bad", code(1)),
        ("dummy_ok", code(0)),
        ("fewshot", code(0)),
        ("hub_task", code(0)),
        ("ll_only_dummy", code(0)),
        ("log_no_out", code(0)),
        ("no_task", code(0)),
        ("sigint", Exit::Signal(2)),
        ("sigterm", Exit::Signal(15)),
        ("tiny_vlm", code(0)),
        ("torchrun2", code(0)),
        ("tasks_list_flag", code(0)),
    ];
    let mut text = String::new();
    for (name, exit) in cases {
        let verdict = judge(&evidence(name, exit, &[]));
        let cause = verdict.cause.unwrap_or_default();
        _ = writeln!(text, "{name}: {} | {cause}", verdict.outcome.as_str());
    }
    assert_snapshot!(text);
}

#[test]
fn captured_runs_that_succeeded() {
    for (name, out) in [
        ("openai_ok", "openai_ok"),
        ("torchrun2_openai", "torchrun2"),
        ("tiny_vlm3", "tiny"),
        ("budget", "budget"),
    ] {
        let document = &files(&folder().join("captures/out").join(out), "_results.json")[0];
        let results = lmms::results::parse(&std::fs::read(document).expect("a file")).expect("a document");
        let rows = results.rows();
        let mut evidence = evidence(name, Exit::Code(0), &rows);
        evidence.results = found(&rows);
        let verdict = judge(&evidence);
        assert_eq!(verdict.outcome, Outcome::Completed, "{name}: {verdict:?}");
        assert_eq!(verdict.cause, None);
    }
}

#[test]
fn the_true_cause_is_shown_first_and_each_error_once_where_it_stands() {
    let verdict = judge(&evidence("boom", Exit::Code(0), &["shapes_boom"]));
    let mut text = String::new();
    for line in &verdict.evidence_lines {
        let bytes = capture("boom", line.stream);
        let offset = usize::try_from(line.byte_offset).expect("a small offset");
        let rest = String::from_utf8_lossy(&bytes[offset..]);
        let there = rest.lines().next().expect("a line");
        assert!(there.contains(&line.message), "{offset}: {there}");
        _ = writeln!(text, "{:?} {}", line.stream, line.message);
    }
    assert_snapshot!(text);
}

#[test]
fn success_needs_all_of_it() {
    assert_eq!(outcome(|_| {}), Outcome::Completed);
    assert_eq!(outcome(|e| e.results.found = false), Outcome::ResultsUnreadable);
    assert_eq!(
        outcome(|e| e.asked.push("pope".to_owned())),
        Outcome::ResultsUnreadable
    );
    assert_eq!(
        outcome(|e| e.results.unreadable = Some("cut off".to_owned())),
        Outcome::ResultsUnreadable
    );
    assert_eq!(outcome(|e| e.exit = Some(Exit::Code(1))), Outcome::Crashed);
    assert_eq!(
        outcome(|e| e.stdout_tail = "Error during evaluation: boom\n".to_owned()),
        Outcome::Crashed
    );
}

#[test]
fn the_drivers_word_counts_instead_of_the_exit_code() {
    let driven = |end: Option<DriverEnd>| {
        outcome(|e| {
            e.by_driver = true;
            e.alive = true;
            e.exit = None;
            e.driver = end;
        })
    };
    assert_eq!(driven(Some(DriverEnd::default())), Outcome::Completed);
    let end = |error: &str| {
        Some(DriverEnd {
            error: Some(error.to_owned()),
            ..DriverEnd::default()
        })
    };
    assert_eq!(driven(end("RuntimeError('x')")), Outcome::Crashed);
    assert_eq!(
        driven(end("OutOfMemoryError('CUDA out of memory.')")),
        Outcome::OutOfMemory
    );
    assert_eq!(
        driven(end("ValueError('Tasks not found: x. Try')")),
        Outcome::TaskNotFound
    );
    let refused = Some(DriverEnd {
        exit: Some("2".to_owned()),
        ..DriverEnd::default()
    });
    assert_ne!(driven(refused), Outcome::Completed);
    assert_eq!(driven(None), Outcome::Lost);
}

#[test]
fn what_we_did_ourselves_explains_a_failure_but_undoes_no_success() {
    assert_eq!(outcome(|e| e.cancel_requested = true), Outcome::Completed);
    let ended = |change: fn(&mut Evidence)| {
        outcome(|e| {
            e.exit = Some(Exit::Signal(15));
            e.results.found = false;
            change(e);
        })
    };
    assert_eq!(ended(|e| e.cancel_requested = true), Outcome::Cancelled);
    assert_eq!(ended(|e| e.timed_out = true), Outcome::TimedOut);
    assert_eq!(ended(|e| e.stalled = true), Outcome::Stalled);
    assert_eq!(ended(|_| {}), Outcome::Killed);
}

#[test]
fn signals() {
    let by = |signal: i32| outcome(|e| e.exit = Some(Exit::Signal(signal)));
    assert_eq!(by(9), Outcome::Killed);
    assert_eq!(by(11), Outcome::Crashed);
    assert_eq!(outcome(|e| e.exit = Some(Exit::Code(137))), Outcome::Killed);
    let older = "Traceback (most recent call last):\nConnectionError: Couldn't reach 'x' on the Hub\n";
    let with_older = |text: &str| {
        outcome(|e| {
            e.exit = Some(Exit::Signal(9));
            e.stderr_tail = text.to_owned();
        })
    };
    assert_eq!(with_older(older), Outcome::Killed);
    let memory = "Traceback (most recent call last):\ntorch.OutOfMemoryError: CUDA out of memory.\n";
    assert_eq!(with_older(memory), Outcome::OutOfMemory);
}

#[test]
fn nothing_is_known() {
    assert_eq!(judge(&Evidence::default()).outcome, Outcome::Lost);
    let start = Evidence {
        start_error: Some("no such file".to_owned()),
        ..Evidence::default()
    };
    assert_eq!(judge(&start).outcome, Outcome::StartFailed);
    let import = Evidence {
        exit: Some(Exit::Code(1)),
        stderr_tail: "/usr/bin/python: No module named lmms_eval\n".to_owned(),
        ..Evidence::default()
    };
    assert_eq!(judge(&import).outcome, Outcome::StartFailed);
}

#[test]
fn the_first_exception_of_the_last_chain_is_the_cause() {
    let stderr = "Traceback (most recent call last):\n  a\nValueError: older\n\n\
                  Traceback (most recent call last):\n  a\nKeyError: 'true cause'\n\n\
                  The above exception was the direct cause of the following exception:\n\n\
                  Traceback (most recent call last):\n  a\ntenacity.RetryError: RetryError[x]\n";
    let mut evidence = success();
    evidence.exit = Some(Exit::Code(1));
    evidence.stderr_tail = stderr.to_owned();
    assert_eq!(
        judge(&evidence).cause.as_deref(),
        Some("the evaluation failed: KeyError: 'true cause'")
    );
}

#[test]
fn a_request_that_failed_is_not_the_cause() {
    let mut evidence = evidence("boom", Exit::Code(0), &["shapes_boom"]);
    let line = "All 2 attempts failed. Last error: Error code: 500 - CUDA out of memory.";
    evidence.error_lines.push(ErrorLine {
        stream: Stream::Stdout,
        byte_offset: 0,
        message: line.to_owned(),
    });
    assert_eq!(judge(&evidence).outcome, Outcome::Crashed);
}

#[test]
fn degraded_answers_are_counted() {
    let mut evidence = success();
    evidence.samples = SampleCounts {
        total: 100,
        failed_requests: 12,
        empty: 3,
        ..SampleCounts::default()
    };
    let verdict = judge(&evidence);
    assert_eq!(verdict.outcome, Outcome::Completed);
    assert_eq!(
        verdict.degraded.expect("degraded").reason,
        "12 of 100 requests failed and were scored as wrong; 3 of 100 answers are empty"
    );
}

#[test]
fn secrets_and_length_of_causes() {
    let mut evidence = success();
    evidence.exit = Some(Exit::Code(1));
    evidence.error_lines.push(ErrorLine {
        stream: Stream::Stdout,
        byte_offset: 0,
        message: format!("Error during evaluation: api_key=abcdef123 {}", "x".repeat(5000)),
    });
    let cause = judge(&evidence).cause.expect("a cause");
    assert!(cause.contains("[REDACTED]") && !cause.contains("abcdef123") && cause.len() < 1100);
}

#[test]
fn errors_that_poison_a_process() {
    for error in [
        "OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')",
        "RuntimeError('CUDA error: device-side assert triggered')",
        "torch.distributed.DistBackendError: NCCL error",
    ] {
        assert!(poisoned(error), "{error}");
    }
    assert!(!poisoned("RuntimeError('boom in process_results')"));
    assert!(!poisoned("ValueError('Tasks not found: nope')"));
}

#[test]
fn names_of_outcomes() {
    for outcome in Outcome::ALL {
        assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        assert_eq!(serde_json::to_value(outcome).expect("JSON"), outcome.as_str());
    }
    assert_eq!(Outcome::parse("well"), None);
}
