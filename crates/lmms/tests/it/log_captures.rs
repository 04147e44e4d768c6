//! The logs of real runs, as the parser reads them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use insta::assert_snapshot;
use lmms::log::{Item, Phase, Progress, Stream};

use crate::fixtures::{bytes, capture, items};

/// Phases, notices, and the last draw of each bar: what a page shows of a log.
fn summary(stream: Stream, bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut levels = BTreeMap::new();
    let mut bars: Vec<(Option<String>, usize, Progress)> = Vec::new();
    for item in items(stream, bytes) {
        match item {
            Item::Phase(mark) => {
                let task = match &mark.phase {
                    Phase::Building { task } => format!(" {task}"),
                    _ => String::new(),
                };
                _ = writeln!(
                    text,
                    "{:>6} phase {}{task}",
                    mark.byte_offset,
                    mark.phase.as_str()
                );
            }
            Item::Line(line) => {
                *levels.entry(format!("{:?}", line.level)).or_insert(0) += 1;
                if let Some(notice) = &line.notice {
                    let short: String = format!("{notice:?} {}", line.message).chars().take(160).collect();
                    _ = writeln!(text, "{:>6} {short}", line.byte_offset);
                }
            }
            Item::Progress(progress) => match bars.last_mut() {
                Some((desc, draws, last)) if *desc == progress.desc && last.total == progress.total => {
                    *draws += 1;
                    *last = progress;
                }
                _ => bars.push((progress.desc.clone(), 1, progress)),
            },
        }
    }
    for (_, draws, last) in bars {
        let Progress {
            desc,
            n,
            total,
            elapsed_s,
            rate_per_s,
            eta_s,
            postfix,
            ..
        } = last;
        _ = writeln!(
            text,
            "bar {} {n}/{total:?} in {elapsed_s:?} s, {rate_per_s:?}/s, eta {eta_s:?}, {postfix:?}, draws {draws}",
            desc.as_deref().unwrap_or("-"),
        );
    }
    _ = writeln!(text, "lines {levels:?}");
    text
}

fn both(name: &str) -> String {
    let part = |stream| summary(stream, &capture(name, stream));
    format!(
        "== stdout\n{}== stderr\n{}",
        part(Stream::Stdout),
        part(Stream::Stderr)
    )
}

#[test]
fn a_run_that_succeeds() {
    assert_snapshot!(both("openai_ok"));
}

#[test]
fn a_local_model_of_hugging_face() {
    assert_snapshot!(both("tiny_vlm3"));
}

#[test]
fn scoring_that_raises() {
    assert_snapshot!(both("boom"));
}

#[test]
fn requests_that_fail() {
    assert_snapshot!(both("api_fail"));
}

#[test]
fn an_unknown_task() {
    assert_snapshot!(both("bad_task"));
}

#[test]
fn an_unknown_flag() {
    assert_snapshot!(both("bad_flag"));
}

#[test]
fn a_dataset_out_of_reach() {
    assert_snapshot!(both("hub_task"));
}

#[test]
fn a_token_budget() {
    assert_snapshot!(both("budget"));
}

#[test]
fn two_ranks_in_one_log() {
    assert_snapshot!(both("torchrun2_openai"));
}

#[test]
fn several_runs_in_one_process() {
    assert_snapshot!(both("config_multi"));
}

#[test]
fn an_interrupt() {
    assert_snapshot!(both("sigint"));
}

#[test]
fn a_terminal_that_merges_both_streams() {
    assert_snapshot!(summary(Stream::Stdout, &bytes("captures/caps/pty.typescript")));
}

#[test]
fn no_line_of_any_capture_keeps_an_escape() {
    let folder = crate::fixtures::folder().join("captures/caps");
    let mut seen = 0;
    for path in crate::fixtures::files(&folder, "")
        .iter()
        .filter(|path| path.extension().is_some())
    {
        let stderr = path.extension().is_some_and(|ending| ending == "stderr");
        let stream = if stderr { Stream::Stderr } else { Stream::Stdout };
        for item in items(stream, &std::fs::read(path).expect("a capture")) {
            if let Item::Line(line) = item {
                assert!(
                    !line.message.contains(['\u{1b}', '\r', '\n', '\0']),
                    "{path:?} {line:?}"
                );
                assert!(
                    !line.message.contains("it/s]"),
                    "a bar became a line: {path:?} {line:?}"
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 1000, "{seen} lines");
}
