//! What the keeper promises about the processes.

use crate::attempt::{Attempt, await_end, plain, results, until};
use proptest::prelude::*;
use runner::CLAIMED;
use std::os::unix::fs::symlink;
use types::Outcome;

#[test]
fn a_benchmark_with_results_is_completed_and_its_files_are_listed() {
    let attempt = Attempt::of_scripts(&[&results(0)]);
    let exit = attempt.run();
    assert_eq!((exit.outcome, exit.reason), (Outcome::Completed, None));
    assert_eq!(exit.processes.len(), 1);
    assert_eq!(exit.processes[0].code, Some(0));
    let done = attempt.done(0);
    assert_eq!(done.outcome, Outcome::Completed, "{done:?}");
    assert_eq!(done.files.len(), 1);
    let file = &done.files[0];
    assert_eq!(file.path, "m/20260101_000000_results.json");
    assert_eq!(
        file.size as usize,
        attempt.read(&format!("out/0/{}", file.path)).len()
    );
    assert_eq!(file.sha256.len(), 64);
}

#[test]
fn an_attempt_is_executed_once() {
    let attempt = Attempt::of_scripts(&["echo START >> starts; echo up; read line < go"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(attempt.dir.path("go"))
        .status();
    assert!(made.unwrap().success());
    let mut first = attempt.start_another();
    attempt.await_line("stdout.log");
    assert_eq!(attempt.start_another().wait(), i32::from(CLAIMED));
    std::fs::write(attempt.dir.path("go"), "\n").unwrap();
    assert_eq!(first.wait(), 0);
    assert_eq!(attempt.start_another().wait(), i32::from(CLAIMED));
    assert_eq!(attempt.read("starts"), "START\n");
}

#[test]
fn a_verdict_is_written_before_the_next_benchmark_starts() {
    let second = format!("test -s out/0/done.json && echo seen > seen; {}", results(1));
    let attempt = Attempt::of_scripts(&["echo broken >&2; exit 1", &second]);
    let exit = attempt.run();
    assert_eq!(exit.outcome, Outcome::Completed);
    assert_eq!(attempt.read("seen"), "seen\n");
    assert_eq!(attempt.done(0).outcome, Outcome::StartFailed);
    assert_eq!(attempt.done(1).outcome, Outcome::Completed);
}

#[test]
fn exit_code_0_without_results_is_no_success() {
    let attempt = Attempt::of_scripts(&["true"]);
    attempt.run();
    assert_ne!(attempt.done(0).outcome, Outcome::Completed);
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let mut attempt = Attempt::of_scripts(&["true"]);
    attempt.job.processes[0].argv[0] = "/nowhere/python".to_owned();
    let exit = attempt.run();
    assert_eq!(exit.outcome, Outcome::StartFailed);
    assert!(exit.reason.unwrap().contains("`/nowhere/python`"));
    assert_eq!(attempt.done(0).outcome, Outcome::StartFailed);
}

#[test]
fn a_job_that_is_none_ends_at_once() {
    let attempt = Attempt::of_scripts(&["true"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    std::fs::write(attempt.dir.path("job.json"), "{\"version\":1}").unwrap();
    assert_eq!(attempt.start_another().wait(), 1);
    let exit = attempt.exit();
    assert_eq!(exit.outcome, Outcome::StartFailed);
    assert!(exit.reason.unwrap().contains("job.json"));
}

#[test]
fn the_environment_is_made_anew() {
    let mut attempt = Attempt::of_scripts(&["cat /proc/$$/environ > environ"]);
    attempt
        .job
        .env
        .insert("OPENAI_API_BASE".to_owned(), "http://x y".to_owned());
    attempt.job.env.insert("TZ".to_owned(), "Asia/Tokyo".to_owned());
    attempt.job.gpus = vec!["GPU-b".to_owned(), "GPU-a".to_owned()];
    let mut executor = attempt.start_with(&[
        ("RANK", "3"),
        ("WORLD_SIZE", "8"),
        ("LOCAL_RANK", "3"),
        ("MASTER_ADDR", "x"),
        ("SLURM_JOB_ID", "9"),
        ("DATABASE_URL", "postgres://secret"),
        ("HF_TOKEN", "hf_secret"),
        ("HF_HOME", "/cache"),
        ("https_proxy", "http://proxy"),
        ("LC_ALL", "C.UTF-8"),
    ]);
    assert_eq!(executor.wait(), 0);
    let environ = attempt.read("environ");
    let get = |name: &str| {
        let entry = environ
            .split('\0')
            .find_map(|entry| entry.strip_prefix(&format!("{name}=")));
        entry.map(str::to_owned)
    };
    for name in [
        "RANK",
        "WORLD_SIZE",
        "LOCAL_RANK",
        "MASTER_ADDR",
        "SLURM_JOB_ID",
        "DATABASE_URL",
        "HF_TOKEN",
    ] {
        assert_eq!(get(name), None, "{name}");
    }
    for (name, value) in [
        ("HF_HOME", "/cache"),
        ("https_proxy", "http://proxy"),
        ("LC_ALL", "C.UTF-8"),
        ("OPENAI_API_BASE", "http://x y"),
        ("TZ", "UTC"),
        ("PYTHONUNBUFFERED", "1"),
        ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
        ("CUDA_VISIBLE_DEVICES", "GPU-b,GPU-a"),
        ("LMMS_RUN_TRACKING_ID", &attempt.job.tracking_id),
    ] {
        assert_eq!(get(name).as_deref(), Some(value), "{name}");
    }
    assert!(get("PATH").is_some());
}

#[test]
fn nothing_but_the_three_streams_is_open_in_a_process() {
    let attempt = Attempt::of_scripts(&["exec ls -l /proc/self/fd"]);
    attempt.run();
    let listed = attempt.read("stdout.log");
    let open: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.split(" -> ").nth(1))
        .collect();
    // `ls` itself opens the folder it lists.
    let ours = |path: &&&str| !path.starts_with("/proc/");
    let open: Vec<&&str> = open.iter().filter(ours).collect();
    assert_eq!(open.len(), 3, "{listed}");
    assert_eq!(*open[0], "/dev/null");
    assert!(
        open[1].ends_with("/stdout.log") && open[2].ends_with("/stderr.log"),
        "{listed}"
    );
}

#[test]
fn only_real_files_are_listed() {
    let attempt = Attempt::of_scripts(&[&format!(
        "{}; echo ok > out/0/extra.txt; mkfifo out/0/fifo",
        results(0)
    )]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    std::fs::create_dir_all(attempt.dir.out(0)).unwrap();
    symlink("/etc/passwd", attempt.dir.out(0).join("stolen.json")).unwrap();
    symlink("/etc", attempt.dir.out(0).join("folder")).unwrap();
    assert_eq!(attempt.start_another().wait(), 0);
    let paths: Vec<String> = attempt.done(0).files.into_iter().map(|file| file.path).collect();
    assert_eq!(paths, ["extra.txt", "m/20260101_000000_results.json"]);
}

#[test]
fn a_file_above_the_cap_is_left_out() {
    let mut attempt = Attempt::of_scripts(&["truncate -s 10G out/0/huge; echo small > out/0/small"]);
    attempt.job.limits.max_file_bytes = 1 << 20;
    attempt.run();
    let paths: Vec<String> = attempt.done(0).files.into_iter().map(|file| file.path).collect();
    assert_eq!(paths, ["small"]);
}

#[test]
fn of_too_many_files_some_are_left_out() {
    let mut attempt = Attempt::of_scripts(&["cd out/0; for n in $(seq 300); do : > $n; done"]);
    attempt.job.limits.max_files = 20;
    attempt.run();
    assert_eq!(attempt.done(0).files.len(), 20);
}

#[test]
fn results_that_nobody_can_read_whole_are_none() {
    let script = format!(
        "{}; truncate -s 2G out/0/m/20260101_000000_results.json",
        results(0)
    );
    let mut attempt = Attempt::of_scripts(&[&script]);
    attempt.job.limits.max_file_bytes = 1 << 20;
    attempt.run();
    let done = attempt.done(0);
    assert_eq!(done.outcome, Outcome::ResultsUnreadable, "{done:?}");
    assert!(done.files.is_empty());
}

#[test]
fn a_benchmark_that_kills_its_process_is_tried_again_as_often_as_allowed() {
    let script = format!(
        "echo START >> starts; test $(wc -l < starts) -ge 2 || kill -9 $$; {}",
        results(0)
    );
    let mut attempt = Attempt::of_scripts(&[&script]);
    attempt.job.retry_benchmark = 1;
    let exit = attempt.run();
    let signals: Vec<_> = exit.processes.iter().map(|p| p.signal).collect();
    assert_eq!(signals, [Some(9), None]);
    assert_eq!(attempt.done(0).outcome, Outcome::Completed);

    let attempt = Attempt::of_scripts(&["echo START >> starts; kill -9 $$"]);
    attempt.run();
    assert_eq!(attempt.done(0).outcome, Outcome::Killed);
    assert_eq!(attempt.read("starts"), "START\n");
}

#[test]
fn children_that_daemonise_end_with_their_benchmark() {
    // The second `setsid` forks, and its parent is waited for: it would be a third to be killed.
    let script = format!(
        "setsid sleep 600 & setsid setsid sleep 601 & wait $!; {}",
        results(0)
    );
    let attempt = Attempt::of_scripts(&[&script]);
    let exit = attempt.run();
    assert_eq!(exit.killed_leftovers, 2);
    assert_eq!(attempt.done(0).outcome, Outcome::Completed);
    assert_eq!(attempt.processes(), [0_u32; 0]);
}

#[test]
fn a_dead_keeper_takes_its_child_with_it() {
    let attempt = Attempt::of_scripts(&["echo $$; sleep 600"]);
    let mut executor = attempt.start();
    let child: u32 = attempt.await_line("stdout.log").parse().unwrap();
    executor.kill();
    await_end(child);
    assert_eq!(attempt.dir.exit().unwrap(), None);
}

#[test]
fn the_keeper_shows_that_it_lives() {
    let attempt = Attempt::of_scripts(&["echo up; read line < go"]);
    attempt.dir.prepare(&attempt.job, "00").unwrap();
    std::process::Command::new("mkfifo")
        .arg(attempt.dir.path("go"))
        .status()
        .unwrap();
    let mut executor = attempt.start_another();
    attempt.await_line("stdout.log");
    let record: serde_json::Value = serde_json::from_str(&attempt.read("pid.json")).unwrap();
    assert_eq!(record["pid"], executor.child.id());
    let modified = || {
        std::fs::metadata(attempt.dir.path("heartbeat"))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = modified();
    until("a heartbeat", || (modified() > before).then_some(()));
    std::fs::write(attempt.dir.path("go"), "\n").unwrap();
    assert_eq!(executor.wait(), 0);
}

/// What the process was given, by its own account.
fn cmdline(arguments: &[String]) -> Vec<String> {
    let mut process = plain(0, "cat /proc/$$/cmdline > cmdline");
    process.argv.extend_from_slice(arguments);
    let attempt = Attempt::of_processes(vec![process]);
    attempt.run();
    let cmdline = attempt.read("cmdline");
    let mut parts: Vec<String> = cmdline.split('\0').map(str::to_owned).collect();
    assert_eq!(parts.pop().as_deref(), Some(""));
    assert_eq!(parts, attempt.job.processes[0].argv);
    parts.split_off(3)
}

#[test]
fn hard_arguments_arrive_byte_for_byte() {
    let hard = [
        "",
        " ",
        "a b",
        "it's",
        "\"q\"",
        "line\nbreak",
        "$(id)",
        "`id`",
        "é漢字🙂",
        "--x=-1",
        "-",
        "\\",
        "*",
    ];
    let hard = hard.map(str::to_owned).to_vec();
    assert_eq!(cmdline(&hard), hard);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_arguments_arrive_byte_for_byte(arguments in proptest::collection::vec("[^\0]{0,40}", 0..6)) {
        prop_assert_eq!(cmdline(&arguments), arguments);
    }
}
