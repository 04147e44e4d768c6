//! The driver: one process for several benchmarks.

use crate::{
    attempt::{Attempt, until},
    receiver::{Receiver, Store},
};
use runner::{JobBenchmark, JobProcess};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};
use types::{BenchmarkDone, Outcome};
use uuid::Uuid;

pub(crate) static PYTHON: LazyLock<String> = LazyLock::new(|| {
    let asked = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output();
    let path = String::from_utf8(asked.expect("python3 should be on PATH").stdout).unwrap();
    path.trim().to_owned()
});

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures")
}

fn benchmark(order: u32, name: &str, more: &[&str]) -> JobBenchmark {
    let output_path = format!("out/{order}");
    let argv = ["--tasks", name, "--output_path", &output_path];
    JobBenchmark {
        order,
        name: name.to_owned(),
        run_benchmark_id: Uuid::new_v4().into(),
        leaf_tasks: vec![name.to_owned()],
        argv: argv.iter().chain(more).map(|&a| a.to_owned()).collect(),
        output_path,
    }
}

fn by_driver(python: &str, benchmarks: Vec<JobBenchmark>) -> JobProcess {
    JobProcess {
        argv: [python, "driver.py", "job.json"].map(str::to_owned).to_vec(),
        env_extra: BTreeMap::new(),
        benchmarks,
    }
}

fn by_command_line(python: &str, benchmark: &JobBenchmark) -> JobProcess {
    let mut argv = [python, "-m", "lmms_eval"].map(str::to_owned).to_vec();
    argv.extend_from_slice(&benchmark.argv);
    JobProcess {
        argv,
        env_extra: BTreeMap::new(),
        benchmarks: vec![benchmark.clone()],
    }
}

/// An attempt whose Python finds the stand-in for lmms-eval.
pub(crate) fn beside_the_stand_in(processes: Vec<JobProcess>) -> Attempt {
    let mut attempt = Attempt::of_processes(processes);
    let path = fixtures().join("fake").display().to_string();
    let env = [("PYTHONPATH", path), ("PYTHONDONTWRITEBYTECODE", "1".to_owned())];
    attempt
        .job
        .env
        .extend(env.map(|(name, value)| (name.to_owned(), value)));
    attempt
}

/// A job over benchmarks of the stand-in.
fn attempt(names: &[&str]) -> Attempt {
    let benchmarks: Vec<_> = (0..)
        .zip(names)
        .map(|(order, name)| benchmark(order, name, &[]))
        .collect();
    let plain = benchmarks.iter().map(|b| by_command_line(&PYTHON, b)).collect();
    let mut attempt = beside_the_stand_in(vec![by_driver(&PYTHON, benchmarks)]);
    attempt.job.fallback_processes = plain;
    attempt
}

fn events(attempt: &Attempt, kind: &str) -> Vec<Value> {
    let text = attempt.read("events.jsonl");
    let events = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["event"] == kind).collect()
}

fn outcomes(attempt: &Attempt) -> Vec<Outcome> {
    attempt
        .job
        .benchmarks()
        .map(|b| attempt.done(b.order).outcome)
        .collect()
}

fn files(done: &BenchmarkDone) -> Vec<&str> {
    done.files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn the_model_is_loaded_once_and_a_failure_stops_nothing() {
    let attempt = attempt(&["first", "boom", "last"]);
    let exit = attempt.run();
    assert_eq!(exit.processes.len(), 1);
    assert_eq!(
        outcomes(&attempt),
        [Outcome::Completed, Outcome::Crashed, Outcome::Completed]
    );
    assert_eq!(attempt.read("starts"), "first\nboom\nlast\n");
    assert_eq!(attempt.read("loads"), "LOAD\n");
    assert_eq!(
        attempt.read("verdicts"),
        "0\n1\n2\n",
        "each verdict comes before the next start"
    );
    assert!(attempt.done(1).cause.unwrap().contains("boom"));
    let started = events(&attempt, "benchmark_started");
    for (event, benchmark) in started.iter().zip(attempt.job.benchmarks()) {
        assert_eq!(event["argv"], serde_json::json!(benchmark.argv));
    }
}

#[test]
fn what_is_done_before_the_first_benchmark_is_told() {
    let receiver = Receiver::start();
    let mut attempt = attempt(&["first", "last"]).reporting_to(&receiver.endpoint_file());
    attempt
        .job
        .env
        .insert("FAKE_SLOW_IMPORT".to_owned(), "1".to_owned());
    let mut executor = attempt.start();
    receiver.until("the import", |store| {
        phases(store).contains(&"importing".to_owned())
    });
    let begun = |news: &types::News| matches!(news, types::News::BenchmarkStarted { .. });
    assert!(!receiver.store().news().any(begun), "nothing has begun yet");
    std::fs::write(attempt.dir.path("go"), "").unwrap();
    assert_eq!(executor.wait(), 0);
    let store = receiver.store();
    let first = attempt.job.benchmarks().next().unwrap().run_benchmark_id;
    let importing = store.news().find_map(|news| match news {
        types::News::Progress {
            run_benchmark_id,
            phase,
            ..
        } if phase.is_some() => Some(*run_benchmark_id),
        _ => None,
    });
    assert_eq!(importing, Some(first));
}

fn phases(store: &Store) -> Vec<String> {
    let phase = |news: &types::News| match news {
        types::News::Progress { phase, .. } => phase.clone(),
        _ => None,
    };
    store.news().filter_map(phase).collect()
}

#[test]
fn documents_are_written_without_media() {
    let mut attempt = attempt(&["first"]);
    attempt.job.processes[0].benchmarks[0]
        .argv
        .extend(["--limit", "2"].map(str::to_owned));
    attempt.run();
    assert_eq!(
        files(&attempt.done(0)),
        ["docs_first.jsonl", "m/20260101_000000_results.json"]
    );
    let expected = "{\"doc_id\": 0, \"doc\": {\"q\": \"a\", \"media\": null}}\n{\"doc_id\": 1, \"doc\": {\"q\": \"é\"}}\n";
    assert_eq!(attempt.read("out/0/docs_first.jsonl"), expected);
}

/// The lines of an index: document, place, kind, or the problem.
fn media(attempt: &Attempt, name: &str) -> Vec<String> {
    let lines = attempt.read(name);
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str::<types::MediaLine>(line).unwrap());
    let said = |line: types::MediaLine| {
        let what = line.kind.or(line.problem).unwrap();
        format!("{} {} {what}", line.doc_id, line.position)
    };
    lines.map(said).collect()
}

#[test]
fn what_documents_show_is_kept_once_the_verdict_is_there() {
    let receiver = Receiver::start();
    let attempt = attempt(&["seen", "first"]).reporting_to(&receiver.endpoint_file());
    attempt.run();
    assert_eq!(outcomes(&attempt), [Outcome::Completed, Outcome::Completed]);
    assert_eq!(
        files(&attempt.done(0)).len(),
        2,
        "media are no files of the verdict"
    );
    let expected = [
        "0 0 image",
        "0 1 audio",
        "0 2 wrong_type",
        "0 3 remote",
        "0 4 unsupported",
        "1 0 image",
        "2 0 failed",
    ];
    assert_eq!(media(&attempt, "out/0/media_seen.jsonl"), expected);
    assert!(
        !attempt.dir.path("out/1/media.json").exists(),
        "a text has no media"
    );
    let told = events(&attempt, "media_kept");
    assert_eq!(
        (told.len(), &told[0]["count"], &told[0]["left_out"]),
        (1, &2.into(), &4.into())
    );
    let seen = attempt.job.benchmarks().next().unwrap().run_benchmark_id;
    receiver.until("the media", |store| {
        let uploaded = |news: &types::News| matches!(news, types::News::MediaUploaded { run_benchmark_id } if *run_benchmark_id == seen);
        store.news().any(uploaded)
    });
    let store = receiver.store();
    assert_eq!(store.media.len(), 2, "the same picture goes up once");
    for (hash, bytes) in &store.media {
        assert_eq!(*hash, hex::encode(Sha256::digest(bytes)));
    }
    assert!(
        store.files.contains_key("0/media_seen.jsonl"),
        "{:?}",
        store.files.keys()
    );
}

#[test]
fn more_media_than_the_limit_are_left_out_and_said() {
    let mut attempt = attempt(&["seen"]);
    attempt.job.media.max_count = 1;
    attempt.run();
    let lines = media(&attempt, "out/0/media_seen.jsonl");
    assert_eq!(lines[..2], ["0 0 image", "0 1 left_out"]);
    assert_eq!(lines[lines.len() - 2..], ["1 0 left_out", "2 0 left_out"]);
    let mut none = self::attempt(&["seen"]);
    none.job.media.max_count = 0;
    none.run();
    assert!(!none.dir.path("out/0/media").exists());
    assert_eq!(outcomes(&none), [Outcome::Completed]);
}

#[test]
fn a_spoilt_process_is_replaced_for_the_rest() {
    let attempt = attempt(&["first", "oom", "last"]);
    let exit = attempt.run();
    assert_eq!(
        outcomes(&attempt),
        [Outcome::Completed, Outcome::OutOfMemory, Outcome::Completed]
    );
    assert_eq!(attempt.read("starts"), "first\noom\nlast\n");
    let processes: Vec<_> = exit
        .processes
        .iter()
        .map(|p| (p.code, p.benchmarks.clone()))
        .collect();
    assert_eq!(processes, [(Some(75), vec![0, 1, 2]), (Some(0), vec![2])]);
}

#[test]
fn a_benchmark_that_kills_the_process_costs_only_itself() {
    let attempt = attempt(&["first", "die", "last"]);
    let exit = attempt.run();
    assert_eq!(
        outcomes(&attempt),
        [Outcome::Completed, Outcome::Killed, Outcome::Completed]
    );
    assert_eq!(attempt.read("starts"), "first\ndie\nlast\n");
    assert_eq!(exit.processes[0].signal, Some(9));
}

#[test]
fn it_is_tried_again_when_that_is_allowed() {
    let mut attempt = attempt(&["once", "last"]);
    attempt.job.retry_benchmark = 1;
    attempt.run();
    assert_eq!(outcomes(&attempt), [Outcome::Completed, Outcome::Completed]);
    assert_eq!(attempt.read("starts"), "once\nonce\nlast\n");
}

#[test]
fn a_strange_lmms_eval_gets_plain_processes() {
    let mut attempt = attempt(&["first", "last"]);
    attempt
        .job
        .env
        .insert("FAKE_WITHOUT_HOOKS".to_owned(), "1".to_owned());
    let exit = attempt.run();
    assert_eq!(outcomes(&attempt), [Outcome::Completed, Outcome::Completed]);
    let codes: Vec<_> = exit.processes.iter().map(|p| p.code).collect();
    assert_eq!(codes, [Some(70), Some(0), Some(0)]);
    assert_eq!(
        events(&attempt, "hook_missing")[0]["name"],
        "lmms_eval.__main__.TaskManager"
    );
    assert_eq!(events(&attempt, "notice").len(), 1);
}

#[test]
fn without_lmms_eval_every_benchmark_has_the_cause() {
    let mut attempt = attempt(&["first", "last"]);
    attempt.job.env.remove("PYTHONPATH");
    let exit = attempt.run();
    assert_eq!(exit.processes.len(), 1);
    for order in [0, 1] {
        let done = attempt.done(order);
        assert_eq!(done.outcome, Outcome::StartFailed);
        assert!(done.cause.unwrap().contains("lmms_eval"));
    }
}

#[test]
fn a_cancel_between_benchmarks_keeps_what_is_done() {
    let attempt = attempt(&["first", "boom", "last"]);
    let mut executor = attempt.start();
    until("a verdict", || attempt.dir.done(0).unwrap());
    std::fs::write(attempt.dir.path("cancel"), "user").unwrap();
    assert_eq!(executor.wait(), 0);
    assert_eq!(attempt.done(0).outcome, Outcome::Completed);
    assert_eq!(attempt.processes(), [0_u32; 0]);
}

/// The real lmms-eval, when there is one.
fn real() -> Option<String> {
    let python = std::env::var("LMMS_EVAL_PYTHON")
        .ok()
        .filter(|python| !python.is_empty());
    if python.is_none() {
        println!("skipped: LMMS_EVAL_PYTHON is not set");
    }
    python
}

const REAL: [&str; 4] = ["sums", "sums_boom", "not_a_task", "sums_again"];

fn real_benchmarks() -> Vec<JobBenchmark> {
    let tasks = fixtures().join("tasks").display().to_string();
    let model = [
        "--model",
        "dummy",
        "--model_args",
        "response=4",
        "--include_path",
        &tasks,
    ];
    let rest = ["--log_samples", "--timezone", "UTC"];
    let more: Vec<&str> = model.into_iter().chain(rest).collect();
    (0..)
        .zip(REAL)
        .map(|(order, name)| benchmark(order, name, &more))
        .collect()
}

fn run_real(processes: Vec<JobProcess>, cache: &Path) -> Attempt {
    let mut attempt = Attempt::of_processes(processes);
    for (name, value) in [
        ("HF_HUB_OFFLINE", "1"),
        ("HF_DATASETS_OFFLINE", "1"),
        ("HF_HOME", cache.to_str().unwrap()),
    ] {
        attempt.job.env.insert(name.to_owned(), value.to_owned());
    }
    attempt.job.limits.stall_s = Some(600);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    let mut executor = attempt.start_another();
    let begin = std::time::Instant::now();
    while executor.child.try_wait().unwrap().is_none() {
        assert!(begin.elapsed().as_secs() < 600, "lmms-eval did not end");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    attempt
}

/// The evidence of a failure begins with its true cause, and says each line once, where it stands.
fn assert_shown(attempt: &Attempt, order: u32) {
    let lines = attempt.done(order).evidence;
    assert_eq!(lines[0].message, "RuntimeError: boom in process_results");
    let retries = lines.iter().filter(|line| line.message.contains("RetryError"));
    assert!(retries.count() <= 1, "{lines:?}");
    for line in &lines {
        let log = std::fs::read(attempt.dir.path(&format!("{}.log", line.stream))).unwrap();
        let rest = String::from_utf8_lossy(&log[line.byte_offset as usize..]).into_owned();
        let there = rest.lines().next().unwrap();
        assert!(there.contains(&line.message), "{line:?} is not {there:?}");
    }
}

/// The scores of one benchmark by its own results document.
fn scores(attempt: &Attempt, order: u32) -> Value {
    let done = attempt.done(order);
    let file = done
        .files
        .iter()
        .find(|file| file.path.ends_with("_results.json"))
        .unwrap();
    let document: Value = serde_json::from_str(&attempt.read(&format!("out/{order}/{}", file.path))).unwrap();
    document["results"].clone()
}

#[test]
fn the_real_lmms_eval_gives_the_same_scores_both_ways() {
    let Some(python) = real() else { return };
    let cache = tempfile::tempdir().unwrap();
    let together = run_real(vec![by_driver(&python, real_benchmarks())], cache.path());
    let expected = [
        Outcome::Completed,
        Outcome::Crashed,
        Outcome::TaskNotFound,
        Outcome::Completed,
    ];
    assert_eq!(outcomes(&together), expected);
    assert!(
        together
            .done(1)
            .cause
            .unwrap()
            .contains("boom in process_results")
    );
    assert_shown(&together, 1);
    assert_eq!(events(&together, "hook_missing").len(), 0);
    assert_eq!(events(&together, "model_loaded").len(), 1);
    assert_eq!(together.read("out/0/docs_sums.jsonl").lines().count(), 8);
    let datasets = &events(&together, "benchmark_finished")[0]["datasets"]["sums"];
    assert_eq!(datasets["documents"], 8);
    let environment = &events(&together, "environment")[0];
    assert!(environment["versions"]["lmms_eval"].is_string(), "{environment}");

    let last = real_benchmarks().pop().unwrap();
    let alone = run_real(vec![by_command_line(&python, &last)], cache.path());
    assert_eq!(alone.done(3).outcome, Outcome::Completed);
    assert_eq!(scores(&together, 3), scores(&alone, 3));
    assert_eq!(scores(&alone, 3)["sums_again"]["exact_match,none"], 0.625);
}
