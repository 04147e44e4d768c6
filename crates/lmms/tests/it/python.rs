//! The command lines as Python's own argparse and a POSIX shell take them apart.

use std::io::Write as _;
use std::process::{Command, Stdio};

use lmms::command::arguments::pairs;
use lmms::command::{ArgValue, Plan, plan, shell_line};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::command::input;
use crate::fixtures::folder;

/// Runs a program that reads stdin; `None` when this machine has no such program.
fn run(program: &str, arguments: &[&str], stdin: &[u8]) -> Option<Vec<u8>> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: no `{program}` on this machine");
        return None;
    };
    let mut pipe = child.stdin.take().expect("piped");
    let bytes = stdin.to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&bytes));
    let output = child.wait_with_output().expect("it ran");
    writer.join().expect("no panic").expect("written");
    assert!(output.status.success(), "{program}: {:?}", output.status);
    Some(output.stdout)
}

fn text() -> impl Strategy<Value = String> {
    let traps: Vec<&'static str> = vec![
        "--tui",
        "-1",
        "--model=x",
        "it's",
        "a\\'b",
        "\"",
        "{\"a\":1,\"b\":[2,3]}",
        "[1,2]",
        "a b",
        " lead",
        "trail ",
        "a\nb",
        "é漢😀",
        "$HOME",
        "`id`",
        "a;b",
        "=",
        "a=b=c",
        "",
        "\u{1c}x",
        "x\u{a0}",
        "}{",
        "a,b",
        "*",
        "~",
        "!",
        "\\",
        "'a,b'",
        "-",
        "#x",
    ];
    prop_oneof![
        prop::sample::select(traps).prop_map(str::to_owned),
        "\\PC{0,12}",
        any::<String>()
    ]
}

/// Plans of arbitrary values that could be built, with the pairs that must arrive.
fn plans(count: usize) -> Vec<(Plan, Vec<(String, String)>)> {
    let mut runner = TestRunner::deterministic();
    let strategy = vec(("[a-z_]{1,6}", text().prop_map(ArgValue::Text)), 0..4);
    let mut plans = Vec::new();
    for _ in 0..count {
        let pairs = strategy.new_tree(&mut runner).expect("a value").current();
        let mut wanted = input();
        wanted.model_args = pairs.clone();
        if let Ok(plan) = plan(&wanted) {
            plans.push((
                plan,
                pairs
                    .into_iter()
                    .map(|(key, value)| (key, value.text()))
                    .collect(),
            ));
        }
    }
    plans
}

fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort();
    pairs
}

#[test]
fn arbitrary_values_arrive_in_python_unchanged() {
    let plans = plans(3000);
    assert!(plans.len() > 1000, "{} plans of 3000 could be built", plans.len());
    let argvs: Vec<_> = plans
        .iter()
        .map(|(plan, _)| &plan.processes[0].benchmarks[0].argv)
        .collect();
    let stdin = serde_json::to_vec(&argvs).expect("JSON");
    let script = folder().join("arguments.py");
    let Some(stdout) = run("python3", &[&script.to_string_lossy()], &stdin) else {
        return;
    };
    let answers: Vec<Value> = serde_json::from_slice(&stdout).expect("JSON");
    for ((plan, wanted), answer) in plans.into_iter().zip(answers) {
        let argv = &plan.processes[0].benchmarks[0].argv;
        let arrived: Vec<(String, String)> =
            serde_json::from_value(answer["model_args"].clone()).expect("pairs");
        assert_eq!(sorted(arrived), sorted(wanted), "{argv:?}");
        assert_eq!(answer["tui"], false, "{argv:?}");
        assert_eq!(answer["log_samples"], true);
        assert_eq!(answer["timezone"], "UTC");
        assert_eq!(answer["output_path"], "out/0");
    }
}

#[test]
fn the_rule_in_rust_is_the_rule_in_python() {
    let mut runner = TestRunner::deterministic();
    let strategy = vec(
        prop_oneof![text(), Just(",".to_owned()), Just("k=".to_owned())],
        0..8,
    );
    let texts: Vec<String> = (0..2000)
        .map(|_| {
            strategy
                .new_tree(&mut runner)
                .expect("a value")
                .current()
                .concat()
        })
        // Python would fail on a piece without `=`.
        .filter(|text| {
            !pairs(text).is_empty()
                && lmms::command::arguments::split(text)
                    .iter()
                    .all(|p| p.contains('='))
        })
        .filter(|text| !text.contains('\0'))
        .collect();
    let argvs: Vec<_> = texts
        .iter()
        .map(|text| vec![format!("--model_args={text}")])
        .collect();
    let stdin = serde_json::to_vec(&argvs).expect("JSON");
    let script = folder().join("arguments.py");
    let Some(stdout) = run("python3", &[&script.to_string_lossy()], &stdin) else {
        return;
    };
    let answers: Vec<Value> = serde_json::from_slice(&stdout).expect("JSON");
    for (text, answer) in texts.iter().zip(answers) {
        let theirs: Vec<(String, String)> =
            serde_json::from_value(answer["model_args"].clone()).expect("pairs");
        assert_eq!(pairs(text), theirs, "{text:?}");
    }
}

#[test]
fn the_shell_line_arrives_in_a_shell_unchanged() {
    let plans = plans(60);
    let mut script = String::new();
    let mut wanted = Vec::new();
    for (plan, _) in &plans {
        let argv = &plan.processes[0].argv;
        script.push_str("printf '%s\\0' ");
        script.push_str(&shell_line(argv));
        script.push('\n');
        for word in argv {
            wanted.extend_from_slice(word.as_bytes());
            wanted.push(0);
        }
    }
    if let Some(stdout) = run("sh", &[], script.as_bytes()) {
        assert_eq!(String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&wanted));
    }
}
