//! Typed key-value arguments: how a text is read.

use serde::{Deserialize, Serialize};
use types::{ArgList, ArgValue};

/// One row of a table of arguments, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArgRow {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

impl ArgRow {
    /// Whether nothing has been typed.
    pub fn is_blank(&self) -> bool {
        self.key.trim().is_empty() && self.value.is_empty()
    }
}

/// What lmms-eval reads from a text, in words.
pub fn kind(text: &str) -> &'static str {
    match text {
        "" => "",
        "True" | "False" | "true" | "false" => "yes or no",
        "None" => "nothing",
        _ if text.parse::<i64>().is_ok() => "integer",
        _ if text.parse::<f64>().is_ok() => "number",
        _ if text.starts_with(['{', '[']) => "JSON",
        _ => "text",
    }
}

/// The value of a text. A number that would be printed differently stays text, so that the command line holds what
/// was typed.
pub fn value(text: &str) -> ArgValue {
    let as_typed = |value: ArgValue| Some(value).filter(|value| value.to_string() == text);
    let boolean = match text {
        "True" => Some(ArgValue::Bool(true)),
        "False" => Some(ArgValue::Bool(false)),
        _ => None,
    };
    boolean
        .or_else(|| as_typed(ArgValue::Int(text.parse().ok()?)))
        .or_else(|| {
            as_typed(ArgValue::Float(
                text.parse().ok().filter(|x: &f64| x.is_finite())?,
            ))
        })
        .unwrap_or_else(|| ArgValue::Text(text.to_owned()))
}

/// The rows as arguments; blank rows are left out.
///
/// # Errors
/// A value without a key, or a key that is there twice.
pub fn list_of(rows: &[ArgRow]) -> Result<ArgList, String> {
    let mut list = ArgList::default();
    for row in rows.iter().filter(|row| !row.is_blank()) {
        let key = row.key.trim();
        if key.is_empty() {
            return Err(format!("`{}` has no key", row.value));
        }
        if list.get(key).is_some() {
            return Err(format!("`{key}` is there twice"));
        }
        list.set(key, value(&row.value));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_printed_as_they_were_typed() {
        for text in [
            "True",
            "42",
            "-1",
            "0.7",
            "0.10",
            "1e-4",
            "+5",
            "007",
            "NaN",
            "inf",
            "auto",
            "",
            "{\"a\":1}",
        ] {
            assert_eq!(value(text).to_string(), text);
        }
        assert_eq!(value("42"), ArgValue::Int(42));
        assert_eq!(value("0.7"), ArgValue::Float(0.7));
        assert_eq!(value("0.10"), ArgValue::Text("0.10".into()));
        assert_eq!(
            [kind("42"), kind("0.10"), kind("False"), kind("bf16"), kind("")],
            ["integer", "number", "yes or no", "text", ""]
        );
    }

    #[test]
    fn a_key_is_there_once() {
        let rows = [("a", "1"), ("", ""), ("a", "2")].map(|(key, value)| ArgRow {
            key: key.into(),
            value: value.into(),
        });
        assert_eq!(list_of(&rows).unwrap_err(), "`a` is there twice");
        assert_eq!(
            list_of(&rows[..2]).unwrap().0,
            [("a".to_owned(), ArgValue::Int(1))]
        );
        assert_eq!(
            list_of(&[ArgRow {
                key: " ".into(),
                value: "x".into()
            }])
            .unwrap_err(),
            "`x` has no key"
        );
    }
}
