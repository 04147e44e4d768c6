//! JSON as Python writes it: `NaN`, `Infinity` and `-Infinity` are read as null.

use std::borrow::Cow;

use serde_json::Value;

use super::repeated::{self, Repeated};

/// Why a text is not even lenient JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct LenientError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What the parser says, with line and column.
    pub reason: String,
}

impl From<serde_json::Error> for LenientError {
    fn from(error: serde_json::Error) -> Self {
        Self {
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        }
    }
}

/// Parses JSON; on failure once more with Python's literals replaced by null, and with surrogates
/// and invalid UTF-8 replaced by U+FFFD.
///
/// # Errors
///
/// When the text is not JSON either way; the error is that of the second try.
pub fn parse_json(bytes: &[u8]) -> Result<Value, LenientError> {
    let bytes = without_mark(bytes);
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let text = String::from_utf8_lossy(bytes);
    Ok(serde_json::from_str(&without_literals(&text))?)
}

/// Parses JSON as [`parse_json`] does, and notes the keys that stand twice in one object: the last
/// one counts, as in Python.
///
/// # Errors
///
/// When the text is not JSON either way; the error is that of the second try.
pub fn parse_noting(bytes: &[u8]) -> Result<(Value, Repeated), LenientError> {
    let bytes = without_mark(bytes);
    let plain = serde_json::Deserializer::from_slice(bytes);
    if let Ok(found) = repeated::read(plain) {
        return Ok(found);
    }
    let text = String::from_utf8_lossy(bytes);
    let clean = without_literals(&text);
    Ok(repeated::read(serde_json::Deserializer::from_str(&clean))?)
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The text with Python's literals replaced outside of strings, and lone surrogates inside.
fn without_literals(text: &str) -> Cow<'_, str> {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(at) = rest.find(['"', 'N', 'I', '-']) {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with('"') {
            let end = string_end(rest);
            changed |= push_string(&mut clean, &rest[..end]);
            rest = &rest[end..];
        } else if let Some(after) = literal(rest) {
            clean.push_str("null");
            changed = true;
            rest = after;
        } else {
            clean.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    clean.push_str(rest);
    if changed {
        Cow::Owned(clean)
    } else {
        Cow::Borrowed(text)
    }
}

fn literal(text: &str) -> Option<&str> {
    ["NaN", "Infinity", "-Infinity", "-NaN"]
        .iter()
        .find_map(|word| text.strip_prefix(word))
}

/// Where the string that begins the text ends, with its closing quote.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Pushes a string, with lone surrogates (`\ud83d` without its partner) replaced.
fn push_string(clean: &mut String, string: &str) -> bool {
    let mut rest = string;
    let mut changed = false;
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        let first = surrogate(rest);
        let second = rest.get(6..).and_then(surrogate);
        let length = match (first, second) {
            (Some(Surrogate::High), Some(Surrogate::Low)) => 12,
            (Some(_), _) => {
                clean.push_str(r"\ufffd");
                rest = &rest[6..];
                changed = true;
                continue;
            }
            (None, _) => rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at),
        };
        clean.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    clean.push_str(rest);
    changed
}

enum Surrogate {
    High,
    Low,
}

fn surrogate(text: &str) -> Option<Surrogate> {
    let code = u16::from_str_radix(text.strip_prefix(r"\u")?.get(..4)?, 16).ok()?;
    match code {
        0xd800..=0xdbff => Some(Surrogate::High),
        0xdc00..=0xdfff => Some(Surrogate::Low),
        _ => None,
    }
}
