//! What a file is, judged by its content and never by its name alone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::results::{Variant, detect, parse_json};
use crate::samples::{Sample, parse_line};
use crate::survey::is_log;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A results document.
    Results,
    /// A samples file: one sample a line.
    Samples,
    /// A results document with its samples inside.
    ApiDump,
    /// Samples of one task as one JSON object with `logs` (before 0.2.4).
    OldSamples,
    /// Captured output of an lmms-eval process.
    Log,
    /// Readable, but nothing that lmms-eval writes.
    NotLmmsEval,
    /// Empty, binary, or JSON that is cut off.
    Unreadable,
}

impl Kind {
    /// The name as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Results => "results",
            Self::Samples => "samples",
            Self::ApiDump => "api_dump",
            Self::OldSamples => "old_samples",
            Self::Log => "log",
            Self::NotLmmsEval => "not_lmms_eval",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What a file is, from its bytes or its first bytes.
///
/// `whole` says whether `bytes` is all of it: a document that the caller has cut is judged by the
/// keys that are there. The name only decides between a log and a JSON file that is broken.
#[must_use]
pub fn kind_of(bytes: &[u8], name: &str, whole: bool) -> Kind {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    if text.is_empty() || is_binary(text) {
        return Kind::Unreadable;
    }
    if is_sample_line(text) {
        return Kind::Samples;
    }
    if !is_json_like(text) {
        return kind_of_text(text);
    }
    match parse_json(text) {
        Ok(document) => kind_of_json(&document),
        Err(_) if !whole && text[0] == b'{' => kind_of_keys(&top_level_keys(text)),
        // Some lines may be broken, and the first may be one of them.
        Err(_) if text.split(|&byte| byte == b'\n').take(100).any(is_sample_line) => Kind::Samples,
        Err(_) if is_json_name(name) || !whole => Kind::Unreadable,
        Err(_) => match kind_of_text(text) {
            Kind::Log => Kind::Log,
            _ => Kind::Unreadable,
        },
    }
}

/// Whether a text begins as a JSON object or list does, and not as `[2026-01-01] a log`.
pub(crate) fn is_json_like(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let next = text.get(1..).unwrap_or_default().trim_ascii_start().first();
    match text.first() {
        Some(b'{') => matches!(next, None | Some(b'"' | b'}')),
        Some(b'[') => matches!(next, None | Some(b'"' | b'{' | b'[' | b']')),
        _ => false,
    }
}

/// Whether the name promises JSON.
pub(crate) fn is_json_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".json") || name.ends_with(".jsonl")
}

/// Text has few control characters; images, archives and databases have many.
fn is_binary(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(4096)];
    let control = |byte: &&u8| matches!(**byte, 0..=7 | 14..=26 | 28..=31);
    head.iter().filter(control).count() * 10 > head.len()
}

fn is_sample_line(bytes: &[u8]) -> bool {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(bytes);
    if !line.trim_ascii_start().starts_with(b"{") {
        return false;
    }
    parse_line(line).is_ok_and(|sample| is_sample(&sample))
}

/// Whether a line with a `doc_id` is about an answer: tasks write other lines with one, too.
pub(crate) fn is_sample(sample: &Sample) -> bool {
    sample.answers > 0 || sample.raw.is_some() || sample.target.is_some()
}

/// What a JSON document is.
pub(crate) fn kind_of_json(document: &Value) -> Kind {
    match detect(document) {
        Some(Variant::D) if document["samples"].is_object() => Kind::ApiDump,
        Some(_) => Kind::Results,
        None if document.get("logs").is_some_and(Value::is_array) => Kind::OldSamples,
        None => Kind::NotLmmsEval,
    }
}

fn kind_of_keys(keys: &[String]) -> Kind {
    let has = |wanted: &str| keys.iter().any(|key| key == wanted);
    match (has("results"), has("samples"), has("logs")) {
        (true, true, _) => Kind::ApiDump,
        (true, false, _) => Kind::Results,
        (false, _, true) => Kind::OldSamples,
        (false, _, false) => Kind::NotLmmsEval,
    }
}

fn kind_of_text(bytes: &[u8]) -> Kind {
    if is_log(bytes) {
        Kind::Log
    } else {
        Kind::NotLmmsEval
    }
}

/// The keys of the outermost object, as far as the text goes.
fn top_level_keys(bytes: &[u8]) -> Vec<String> {
    let mut keys = Vec::new();
    let mut depth = 0_u32;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = string_end(bytes, at);
                let rest = bytes.get(end..).unwrap_or_default().trim_ascii_start();
                if depth == 1 && rest.first() == Some(&b':') {
                    keys.push(String::from_utf8_lossy(&bytes[at + 1..end - 1]).into_owned());
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    keys
}

/// Where the string that begins at `start` ends, behind its closing quote.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// What a file's name says; files of one process share directory and stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// What stands before the stamp, often nothing.
    pub prefix: String,
    /// `YYYYMMDD_HHMMSS`, taken just before inference in an unknown zone.
    pub stamp: String,
    /// The leaf task, for a samples file.
    pub task: Option<String>,
}

/// Takes `<stamp>_results.json` and `<stamp>_samples_<task>.jsonl` apart.
#[must_use]
pub fn file_name(name: &str) -> Option<FileName> {
    let parts = |marker: &str| {
        let at = name.find(marker)?;
        let stamp = name.get(at.checked_sub(15)?..at)?;
        is_stamp(stamp).then(|| {
            (
                name[..at - 15].to_owned(),
                stamp.to_owned(),
                &name[at + marker.len()..],
            )
        })
    };
    if let Some((prefix, stamp, rest)) = parts("_samples_") {
        let task = rest.strip_suffix(".jsonl")?.to_owned();
        return (!task.is_empty()).then_some(FileName {
            prefix,
            stamp,
            task: Some(task),
        });
    }
    let (prefix, stamp, rest) = parts("_results")?;
    (rest == ".json").then_some(FileName {
        prefix,
        stamp,
        task: None,
    })
}

/// Whether a text is a stamp: `YYYYMMDD_HHMMSS`.
#[must_use]
pub fn is_stamp(text: &str) -> bool {
    let digit = |(at, byte): (usize, u8)| {
        if at == 8 {
            byte == b'_'
        } else {
            byte.is_ascii_digit()
        }
    };
    text.len() == 15 && text.bytes().enumerate().all(digit)
}
