//! What holds for all bytes: no panic, and chunks don't matter.

use lmms::log::{Item, LogParser, MESSAGE_CAP, Stream};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::fixtures::{capture, items};

/// Pieces that make a log interesting, and noise.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&'static str> = vec![
        "\n",
        "\r",
        "\r\n",
        "\u{1b}[32m",
        "\u{1b}[",
        "\u{1b}]0;title\u{7}",
        "Model Responding:  43%|████▎     | 43/102 [00:02<00:03, 19.59it/s, tokens=9,693]",
        "Traceback (most recent call last):\n  File \"x\"\nValueError: é",
        "2026-11-20 12:44:02 | INFO     | a.b:c:1 - Building contexts for t on rank 0...",
        "2026-11-20 12:39:10.205 | DEBUG    | a:b:1 - ✓",
        "Error during evaluation: é漢😀",
        "[rank 0] Model Responding: 104/2837 (3.7%) | 1.52 it/s | elapsed 1m08s | ETA 30m02s",
        "Generating test split: 24 examples [00:00, 1840.25 examples/s]",
    ];
    prop_oneof![
        4 => prop::sample::select(known).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
    ]
}

fn in_chunks(stream: Stream, bytes: &[u8], sizes: &[usize]) -> Vec<Item> {
    let mut parser = LogParser::new(stream);
    let mut found = Vec::new();
    let mut rest = bytes;
    for size in sizes.iter().cycle().take(bytes.len() + 1) {
        let (chunk, after) = rest.split_at((*size).min(rest.len()));
        found.extend(parser.push(chunk));
        // Looking must not change what is found.
        let _ = parser.peek();
        rest = after;
    }
    found.extend(parser.push(rest));
    found.extend(parser.finish());
    found
}

proptest! {
    #![proptest_config(crate::fixtures::cases(300))]

    #[test]
    fn chunks_do_not_matter(pieces in vec(piece(), 0..30), sizes in vec(1_usize..50, 1..6)) {
        let bytes = pieces.concat();
        for stream in [Stream::Stdout, Stream::Stderr] {
            prop_assert_eq!(in_chunks(stream, &bytes, &sizes), items(stream, &bytes));
        }
    }

    #[test]
    fn offsets_lie_inside_the_stream_and_never_go_back(pieces in vec(piece(), 0..30)) {
        let bytes = pieces.concat();
        let mut last = 0;
        for item in items(Stream::Stderr, &bytes) {
            let offset = match item {
                Item::Line(line) => line.byte_offset,
                Item::Progress(progress) => progress.byte_offset,
                Item::Phase(mark) => mark.byte_offset,
            };
            prop_assert!(offset >= last && offset < bytes.len() as u64, "{} {} {}", last, offset, bytes.len());
            last = offset;
        }
    }

    #[test]
    fn a_parser_can_resume_at_its_offset(before in vec(piece(), 0..20), after in vec(piece(), 0..20)) {
        let (before, after) = (before.concat(), after.concat());
        let mut first = LogParser::new(Stream::Stdout);
        let found = first.push(&before);
        let at = first.resume_offset();
        let mut second = LogParser::resume(Stream::Stdout, at);
        let rest = &before[usize::try_from(at).expect("small")..];
        let mut resumed: Vec<Item> = second.push(rest);
        prop_assert!(resumed.is_empty(), "nothing is found twice");
        resumed.extend(second.push(&after));
        resumed.extend(second.finish());
        let whole = items(Stream::Stdout, &[before, after].concat());
        let texts = |items: &[Item]| -> Vec<(u64, String)> {
            let text = |item: &Item| match item {
                Item::Line(line) => Some((line.byte_offset, line.message.clone())),
                _ => None,
            };
            items.iter().filter_map(text).collect()
        };
        prop_assert_eq!(texts(&[found, resumed].concat()), texts(&whole));
    }
}

#[test]
fn a_real_log_byte_by_byte() {
    for name in ["openai_ok", "boom", "torchrun2_openai", "sigint"] {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let bytes = capture(name, stream);
            assert_eq!(in_chunks(stream, &bytes, &[1]), items(stream, &bytes), "{name}");
        }
    }
}

#[test]
fn a_line_of_megabytes_is_cut_and_memory_is_not() {
    let mut parser = LogParser::new(Stream::Stdout);
    for _ in 0..1000 {
        assert!(parser.push(&vec![b'x'; 10_000]).is_empty());
    }
    let items = parser.push(b"\nnext\n");
    let [Item::Line(long), Item::Line(next)] = &items[..] else {
        panic!("{} items", items.len());
    };
    assert!(long.truncated && long.message.len() == MESSAGE_CAP);
    assert!(!next.truncated && next.byte_offset == 10_000_001);
}
