//! Texts of the form read as values, and values written as texts.

use std::collections::BTreeMap;

use types::{ArgList, ArgValue, BatchSize, EnvValue, FieldError, Seed};

use super::{
    args::{ArgRow, list_of},
    form::EnvRow,
};

/// Reads fields and notes what is wrong.
pub struct Reader<'a>(pub &'a mut Vec<FieldError>);

impl Reader<'_> {
    /// What `read` makes of a text; an empty one is nothing.
    pub fn with<T>(
        &mut self,
        field: &str,
        text: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let value = read(text);
        if value.is_none() {
            let message = format!("is `{text}`; expected {expected}");
            self.0.push(FieldError::new(format!("config.{field}"), message));
        }
        value
    }

    /// A whole number.
    pub fn number<T: std::str::FromStr>(&mut self, field: &str, text: &str) -> Option<T> {
        self.with(field, text, "a whole number", |text| text.parse().ok())
    }

    /// Typed arguments; none when there are no rows.
    pub fn arguments(&mut self, field: &str, rows: &[ArgRow]) -> Option<ArgList> {
        match list_of(rows) {
            Ok(list) => Some(list).filter(|list| !list.is_empty()),
            Err(message) => {
                self.0.push(FieldError::new(format!("config.{field}"), message));
                None
            }
        }
    }

    /// Variables; none when there are no rows.
    pub fn environment(&mut self, rows: &[EnvRow]) -> Option<BTreeMap<String, EnvValue>> {
        let mut map = BTreeMap::new();
        for row in rows
            .iter()
            .filter(|row| !(row.key.is_empty() && row.value.is_empty()))
        {
            let value = if row.secret {
                EnvValue::Secret {
                    secret: row.value.clone(),
                }
            } else {
                EnvValue::Plain(row.value.clone())
            };
            if map.insert(row.key.trim().to_owned(), value).is_some() {
                let message = format!("`{}` is there twice", row.key.trim());
                self.0.push(FieldError::new("config.environment", message));
            }
        }
        Some(map).filter(|map| !map.is_empty())
    }
}

/// One seed, or four.
pub fn seed(text: &str) -> Option<Seed> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let one = |part: &&str| match *part {
        "None" | "none" | "" => Some(None),
        number => number.parse().ok().map(Some),
    };
    match parts[..] {
        [only] => only.parse().ok().map(Seed::One),
        [a, b, c, d] => Some(Seed::Four([one(&a)?, one(&b)?, one(&c)?, one(&d)?])),
        _ => None,
    }
}

/// The seeds as they are typed.
pub fn seed_text(seed: &Seed) -> String {
    let one = |seed: &Option<u32>| seed.map_or_else(|| "None".to_owned(), |seed| seed.to_string());
    match seed {
        Seed::One(seed) => seed.to_string(),
        Seed::Four(seeds) => seeds.iter().map(one).collect::<Vec<_>>().join(","),
    }
}

/// A number, else a word for the server to judge.
pub fn batch_size(text: &str) -> BatchSize {
    text.parse()
        .map_or_else(|_| BatchSize::Auto(text.to_owned()), BatchSize::Fixed)
}

/// `90` is seconds; `90 s`, `90 min`, `1.5 h` and `2 d` say their unit.
pub fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic() || c.is_whitespace());
    let factor = match text[digits.len()..].trim() {
        "" | "s" | "sec" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let total = digits.parse::<f64>().ok()? * factor;
    (total.is_finite() && (0.0..1e12).contains(&total)).then(|| total.round() as u64)
}

/// A duration as it is typed.
pub fn seconds_text(seconds: u64) -> String {
    match seconds {
        s if s >= 3600 && s % 3600 == 0 => format!("{} h", s / 3600),
        s if s >= 60 && s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// The rows of arguments.
pub fn rows_of(list: Option<&ArgList>) -> Vec<ArgRow> {
    let row = |(key, value): &(String, ArgValue)| ArgRow {
        key: key.clone(),
        value: value.to_string(),
    };
    list.map(|list| list.0.iter().map(row).collect())
        .unwrap_or_default()
}

/// The rows of variables.
pub fn env_rows(environment: Option<&BTreeMap<String, EnvValue>>) -> Vec<EnvRow> {
    let row = |(key, value): (&String, &EnvValue)| {
        let (value, secret) = match value {
            EnvValue::Plain(text) => (text.clone(), false),
            EnvValue::Secret { secret } => (secret.clone(), true),
        };
        EnvRow {
            key: key.clone(),
            value,
            secret,
        }
    };
    environment
        .map(|map| map.iter().map(row).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        assert_eq!(
            [seconds("90"), seconds("90min"), seconds("1.5 h"), seconds("2 d")].map(Option::unwrap),
            [90, 5400, 5400, 172_800]
        );
        assert_eq!(seconds("soon"), None);
        assert_eq!([90, 5400, 7200].map(seconds_text), ["90 s", "90 min", "2 h"]);
        assert!(
            [1, 59, 60, 3600, 86_401]
                .iter()
                .all(|&s| seconds(&seconds_text(s)) == Some(s))
        );
    }
}
