//! The one string behind `--model_args` and `--gen_kwargs`.
//!
//! lmms-eval cuts it at commas outside quotes and braces, strips each piece, splits it at the
//! first `=` and coerces what looks like a bool or a number. Quotes and braces only guard their
//! commas: they stay part of the value. [`split`] is that rule, and [`join`] only returns what
//! the rule takes apart again into the same pairs.

use serde::{Deserialize, Serialize};

use super::CommandError;
use crate::python;

/// A value of one argument. lmms-eval coerces by looks: `Text("1")` arrives as the number 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ArgValue {
    /// `True` or `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A decimal number.
    Float(f64),
    /// Everything else.
    Text(String),
}

impl ArgValue {
    /// The value as Python would print it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => format!("{number:?}"),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Joins pairs into the string that lmms-eval takes apart into the same pairs.
///
/// A value with an unclosed quote or brace (`it's`) would swallow the commas after it, so the
/// one that there may be is moved to the end.
///
/// # Errors
///
/// When a key or value cannot be said in this string, e.g. with a comma outside braces.
pub fn join(field: &str, pairs: &[(String, ArgValue)]) -> Result<String, CommandError> {
    let mut closed = Vec::with_capacity(pairs.len());
    let mut open: Option<(&str, String)> = None;
    for (key, value) in pairs {
        let piece = piece(field, key, value)?;
        if Scan::of(&piece).is_closed() {
            closed.push(piece);
        } else if let Some((other, _)) = open {
            let expected = format!("closed quotes and braces, as `{other}` already has open ones");
            return Err(CommandError::new(
                format!("{field}.{key}"),
                value.text(),
                &expected,
            ));
        } else {
            open = Some((key, piece));
        }
    }
    closed.extend(open.map(|(_, piece)| piece));
    Ok(closed.join(","))
}

fn piece(field: &str, key: &str, value: &ArgValue) -> Result<String, CommandError> {
    if !is_keyword(key) {
        let expected = "letters, digits and `_` as the name of an argument";
        return Err(CommandError::new(field, key, expected));
    }
    let text = value.text();
    let refuse = |expected| CommandError::new(format!("{field}.{key}"), &text, expected);
    if matches!(value, ArgValue::Float(number) if !number.is_finite()) {
        return Err(refuse("a finite number"));
    }
    if text.contains('\0') {
        return Err(refuse("text without NUL characters"));
    }
    let piece = format!("{key}={text}");
    match split(&piece).as_slice() {
        [only] if *only == piece => Ok(piece),
        [_] => Err(refuse("text that does not end in white space")),
        _ => Err(refuse("text without a comma outside of quotes and braces")),
    }
}

fn is_keyword(key: &str) -> bool {
    let mut chars = key.chars();
    chars
        .next()
        .is_some_and(|first| first == '_' || first.is_alphabetic())
        && chars.all(|rest| rest == '_' || rest.is_alphanumeric())
}

/// lmms-eval's own rule (`_smart_comma_split`), piece by piece.
#[must_use]
pub fn split(text: &str) -> Vec<String> {
    let mut scan = Scan::default();
    let mut pieces = Vec::new();
    let mut current = String::new();
    for character in python::strip(text).chars() {
        if scan.step(character) {
            push_piece(&mut pieces, &current);
            current.clear();
        } else {
            current.push(character);
        }
    }
    push_piece(&mut pieces, &current);
    pieces
}

fn push_piece(pieces: &mut Vec<String>, piece: &str) {
    let piece = python::strip(piece);
    if !piece.is_empty() {
        pieces.push(piece.to_owned());
    }
}

/// Takes a string of arguments apart into pairs, as lmms-eval does. A piece without `=`, on
/// which lmms-eval would fail, has an empty value.
#[must_use]
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |piece: String| match piece.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (piece, String::new()),
    };
    split(text).into_iter().map(pair).collect()
}

/// The state of lmms-eval's splitter after some characters.
#[derive(Default)]
struct Scan {
    depth: i64,
    quote: Option<char>,
    previous: Option<char>,
}

impl Scan {
    fn of(text: &str) -> Self {
        let mut scan = Self::default();
        for character in text.chars() {
            scan.step(character);
        }
        scan
    }

    fn is_closed(&self) -> bool {
        self.depth == 0 && self.quote.is_none()
    }

    /// Takes one character; true when it is a comma that separates.
    fn step(&mut self, character: char) -> bool {
        let escaped = self.previous.replace(character) == Some('\\');
        match (character, self.quote) {
            ('"' | '\'', None) if !escaped => self.quote = Some(character),
            ('"' | '\'', Some(open)) if !escaped => {
                self.quote = (open != character).then_some(open);
            }
            ('{' | '[', None) => self.depth += 1,
            ('}' | ']', None) => self.depth -= 1,
            (',', None) => return self.depth == 0,
            _ => {}
        }
        false
    }
}
