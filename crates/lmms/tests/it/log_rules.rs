//! Single lines and bars of every known grammar.

use insta::assert_debug_snapshot;
use lmms::log::{Item, Level, Line, LogParser, Notice, Phase, Progress, Stream};

use crate::fixtures::items;

fn lines(stream: Stream, text: &str) -> Vec<Line> {
    let line = |item| match item {
        Item::Line(line) => Some(line),
        _ => None,
    };
    items(stream, text.as_bytes())
        .into_iter()
        .filter_map(line)
        .collect()
}

fn bar(text: &str) -> Progress {
    match &items(Stream::Stderr, text.as_bytes())[..] {
        [Item::Progress(progress)] | [Item::Phase(_), Item::Progress(progress)] => progress.clone(),
        other => panic!("{text:?} became {other:?}"),
    }
}

fn numbers(text: &str) -> (u64, Option<u64>, Option<f64>, Option<f64>, Option<f64>) {
    let bar = bar(text);
    (bar.n, bar.total, bar.elapsed_s, bar.rate_per_s, bar.eta_s)
}

#[test]
fn bars_of_tqdm() {
    let bar = bar("Model Responding:  43%|████▎     | 43/102 [00:02<00:03, 19.59it/s, tokens=9,693]");
    assert_eq!(bar.desc.as_deref(), Some("Model Responding"));
    assert_eq!(bar.postfix.as_deref(), Some("tokens=9,693"));
    assert_eq!((bar.n, bar.total), (43, Some(102)));
    assert_eq!(
        numbers("  0%|          | 0/24 [00:00<?, ?it/s]"),
        (0, Some(24), Some(0.0), None, None)
    );
    assert_eq!(
        numbers("Model Responding:  91%|█▏| 11/12 [1:02:09<05:01,  2.00s/it, tokens=138]"),
        (11, Some(12), Some(3729.0), Some(0.5), Some(301.0))
    );
}

#[test]
fn bars_without_a_total() {
    assert_eq!(
        numbers("Generating test split: 24 examples [00:00, 1840.25 examples/s]"),
        (24, None, Some(0.0), Some(1840.25), None)
    );
    assert_eq!(
        numbers("12it [00:04,  3.00it/s]"),
        (12, None, Some(4.0), Some(3.0), None)
    );
}

#[test]
fn bars_in_bytes_and_of_vllm() {
    assert_eq!(
        numbers("model.safetensors:  45%|████▌     | 2.22G/4.97G [00:20<00:25, 108MB/s]"),
        (
            2_220_000_000,
            Some(4_970_000_000),
            Some(20.0),
            Some(1.08e8),
            Some(25.0)
        )
    );
    let text = "Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:01<00:01,  1.25s/it]";
    assert_eq!(numbers(text), (1, Some(2), Some(1.0), Some(0.8), Some(1.0)));
    assert_eq!(
        bar(text).desc.as_deref(),
        Some("Loading safetensors checkpoint shards")
    );
}

#[test]
fn progress_that_is_logged_instead_of_drawn() {
    let found = items(
        Stream::Stdout,
        b"2026-11-20 12:44:02 | INFO     | a:b:83 - [rank 3] Model Responding: 104/2837 (3.7%) | 1.52 it/s | elapsed 1m08s | ETA 2h05m\n\
          2026-11-20 12:44:02 | INFO     | a:b:90 - [rank 3] Model Responding: done 2837/2837 in 31m05s (1.52 it/s)\n",
    );
    assert_debug_snapshot!(found);
}

#[test]
fn a_traceback_that_follows_a_bar_without_a_break() {
    let text = "Postprocessing:   0%|          | 0/4 [00:00<?, ?it/s]Traceback (most recent call last):\n  \
                File \"x.py\", line 1\nRuntimeError: boom\n\nnot an error\n";
    let lines = lines(Stream::Stderr, text);
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (line.level, line.message.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (Level::Error, "Traceback (most recent call last):"),
            (Level::Error, "  File \"x.py\", line 1"),
            (Level::Error, "RuntimeError: boom"),
            (Level::Info, "not an error"),
        ]
    );
    let offset = usize::try_from(lines[0].byte_offset).expect("small");
    assert!(
        text[offset..].starts_with("Traceback"),
        "the offset points at the text"
    );
    assert_eq!(lines[2].notice, Some(Notice::Exception));
}

#[test]
fn offsets_count_the_bytes_of_colours() {
    let text = "\u{1b}[1m  0%|   | 0/4 [00:00<?, ?it/s]\u{1b}[0m \u{1b}[31mafter\u{1b}[0m\n";
    let lines = lines(Stream::Stderr, text);
    let offset = usize::try_from(lines[0].byte_offset).expect("small");
    assert_eq!(&text[offset..offset + 5], "after");
}

#[test]
fn tracebacks_of_ranks() {
    let lines = lines(
        Stream::Stderr,
        "[rank1]: Traceback (most recent call last):\n[rank1]:   File \"x\"\n[rank1]: ValueError: no\nlater\n",
    );
    let levels: Vec<_> = lines.iter().map(|line| line.level).collect();
    assert_eq!(levels, [Level::Error, Level::Error, Level::Error, Level::Info]);
}

#[test]
fn both_formats_of_loguru() {
    let both = lines(
        Stream::Stderr,
        "2026-11-20 12:39:10.205 | DEBUG    | lmms_eval.tasks:<module>:12 - text - with dashes | and bars\n\
         2026-11-20 12:39:11 | SUCCESS  | a.b:f:1 -  --limit SHOULD\n",
    );
    assert_debug_snapshot!(both);
}

#[test]
fn levels_that_other_loggers_name() {
    let level = |text: &str| lines(Stream::Stderr, text)[0].level;
    assert_eq!(
        level("WARNING 11-20 12:00:01 [vllm.py:33] text\n"),
        Level::Warning
    );
    assert_eq!(level("ERROR: no such thing\n"), Level::Error);
    assert_eq!(
        level("lmms-eval: error: unrecognized arguments: --x\n"),
        Level::Error
    );
    assert_eq!(level("INFO is a word\n"), Level::Info);
    assert_eq!(level("ERROR is a word too\n"), Level::Info);
}

#[test]
fn words_that_look_like_bars_are_lines() {
    for text in [
        "took [00:10, 3 tries/s]",
        "array[1, 2]",
        "50% of 1/2 [a, b/s]",
        "[00:01<00:02, 3it/s]",
    ] {
        assert_eq!(lines(Stream::Stdout, text).len(), 1, "{text}");
    }
}

#[test]
fn nul_and_control_characters_go() {
    assert_eq!(lines(Stream::Stdout, "a\0b\u{7}c\u{8}\td\n")[0].message, "abc\td");
    assert!(lines(Stream::Stdout, "\0\0\n \n\n").is_empty());
}

#[test]
fn notices() {
    let notice = |text: &str| lines(Stream::Stdout, text)[0].notice.clone();
    assert_eq!(
        notice("Attempt 1/2 failed with error: x"),
        Some(Notice::Retry { attempt: 1, of: 2 })
    );
    assert_eq!(
        notice("Attempt 3 failed with error: x"),
        Some(Notice::Retry { attempt: 3, of: 0 })
    );
    assert_eq!(
        notice("All 2 attempts failed. Last error: x"),
        Some(Notice::GaveUp { attempts: 2 })
    );
    assert_eq!(
        notice("Could not save results aggregated"),
        Some(Notice::SaveFailed)
    );
    let error = "Tasks not found: x".to_owned();
    assert_eq!(
        notice(
            "Error during evaluation: Tasks not found: x. Please set `--verbosity=DEBUG` to get more information."
        ),
        Some(Notice::EvaluationError { error })
    );
}

#[test]
fn a_bar_that_is_being_drawn_can_be_seen() {
    let mut parser = LogParser::new(Stream::Stderr);
    assert!(
        parser
            .push(b"\rModel Responding:  50%|#    | 5/10 [00:02<00:02, 2.50it/s]")
            .is_empty()
    );
    assert_eq!(parser.peek().map(|bar| (bar.n, bar.byte_offset)), Some((5, 1)));
}

#[test]
fn a_phase_is_said_once() {
    let text = "2026-11-20 12:44:02 | INFO     | a:b:1 - Building contexts for t.x on rank 0...\n\
                2026-11-20 12:44:02 | INFO     | a:b:1 - Building contexts for t.x on rank 1...\n";
    let phases: Vec<_> = items(Stream::Stdout, text.as_bytes())
        .into_iter()
        .filter_map(|item| match item {
            Item::Phase(mark) => Some(mark.phase),
            _ => None,
        })
        .collect();
    assert_eq!(
        phases,
        [Phase::Building {
            task: "t.x".to_owned()
        }]
    );
}
