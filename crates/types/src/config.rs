//! What a user may change about a run.

use crate::{ArgList, ComputeProfile, FieldError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The settings of a run. A field left alone (absent or null) adds no flag,
/// so that lmms-eval's and the task's own values hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// One seed for all four generators, or four (python, numpy, torch, few-shot).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// Few-shot examples per question; 0 adds no flag.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        alias = "num_shots",
        alias = "num_fewshot"
    )]
    pub shots: Option<u32>,
    /// Sampling temperature, 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Further generation arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gen_kwargs: Option<ArgList>,
    /// At 1 or more the number of documents per task, below 1 a fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Index of the first document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Documents per batch, or `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<BatchSize>,
    /// Answers per question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<u32>,
    /// The hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute_profile: Option<ComputeProfile>,
    /// Arguments of the model, set key by key over the model's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_args: Option<ArgList>,
    /// Environment of the processes: plain values, or secrets by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<BTreeMap<String, EnvValue>>,
    /// Whether the model is loaded once for all benchmarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// What happens after a loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Longest duration of an attempt, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_clock_limit: Option<u64>,
}

/// Random seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Seed {
    /// For all generators.
    One(u32),
    /// For python, numpy, torch and few-shot sampling; null leaves one alone.
    Four([Option<u32>; 4]),
}

/// Documents per batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum BatchSize {
    /// A number.
    Fixed(u32),
    /// `auto` or `auto:N`.
    Auto(String),
}

/// A value of the child's environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged, deny_unknown_fields)]
pub enum EnvValue {
    /// The value itself.
    Plain(String),
    /// The name of a secret of the organization.
    Secret {
        /// Its name.
        secret: String,
    },
}

/// How benchmarks share processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// The driver loads the model once and commits after each benchmark.
    #[default]
    ModelOnce,
    /// One plain lmms-eval process per benchmark.
    ProcessPerBenchmark,
}

/// What happens when a process or an executor is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How often a benchmark that killed its process is started again in an attempt.
    #[serde(default)]
    pub benchmark: u32,
    /// How many new attempts follow a lost one by themselves.
    #[serde(default)]
    pub attempt: u32,
}

impl RunConfig {
    /// Everything that is out of range, named `config.<field>`.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut found = Vec::new();
        let mut check = |ok: bool, field: &str, message: String| {
            if !ok {
                found.push(FieldError::new(format!("config.{field}"), message));
            }
        };
        if let Some(t) = self.temperature {
            check(
                (0.0..=10.0).contains(&t),
                "temperature",
                format!("is {t}; expected 0 to 10"),
            );
        }
        if let Some(l) = self.limit {
            let ok = l.is_finite() && (l > 0.0 && l < 1.0 || l >= 1.0 && l.fract() == 0.0 && l <= 1e9);
            check(
                ok,
                "limit",
                format!("is {l}; expected a whole number from 1, or a fraction between 0 and 1"),
            );
        }
        if let Some(n) = self.shots {
            check(n <= 128, "shots", format!("is {n}; expected at most 128"));
        }
        if let Some(n) = self.repeats {
            check(
                (1..=1000).contains(&n),
                "repeats",
                format!("is {n}; expected 1 to 1000"),
            );
        }
        if let Some(n) = self.offset {
            check(
                n <= 1_000_000_000,
                "offset",
                format!("is {n}; expected at most 1000000000"),
            );
        }
        if let Some(s) = self.wall_clock_limit {
            check(
                (1..=31_536_000).contains(&s),
                "wall_clock_limit",
                format!("is {s}; expected 1 to 31536000 seconds"),
            );
        }
        if let Some(r) = self.retry {
            check(
                r.benchmark <= 10,
                "retry.benchmark",
                format!("is {}; expected at most 10", r.benchmark),
            );
            check(
                r.attempt <= 10,
                "retry.attempt",
                format!("is {}; expected at most 10", r.attempt),
            );
        }
        found.extend(self.batch_size.as_ref().and_then(batch_size_problem));
        found.extend(
            self.environment
                .iter()
                .flatten()
                .filter_map(|(k, v)| environment_problem(k, v)),
        );
        found
    }
}

fn batch_size_problem(size: &BatchSize) -> Option<FieldError> {
    let refuse = |shown: &dyn std::fmt::Display| {
        let message = format!("is `{shown}`; expected 1 to 65536, `auto` or `auto:N`");
        Some(FieldError::new("config.batch_size", message))
    };
    match size {
        BatchSize::Fixed(n) if !(1..=65536).contains(n) => refuse(n),
        BatchSize::Auto(text) if !is_auto(text) => refuse(text),
        _ => None,
    }
}

fn is_auto(text: &str) -> bool {
    text == "auto"
        || text
            .strip_prefix("auto:")
            .is_some_and(|n| n.parse::<u32>().is_ok_and(|n| n > 0))
}

fn environment_problem(key: &str, value: &EnvValue) -> Option<FieldError> {
    let field = format!("config.environment.{key}");
    let mut chars = key.chars();
    let head = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !head || !chars.all(|c| c.is_ascii_alphanumeric() || c == '_') || key.len() > 128 {
        return Some(FieldError::new(
            field,
            "is no variable name; expected letters, digits and `_`",
        ));
    }
    match value {
        EnvValue::Plain(text) if text.contains('\0') || text.len() > 32 * 1024 => {
            Some(FieldError::new(field, "holds a NUL or more than 32 kB"))
        }
        EnvValue::Secret { secret } if secret.is_empty() => Some(FieldError::new(
            field,
            "names no secret; expected the name of one",
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_read_and_unknown_fields_named() {
        let config: RunConfig = serde_json::from_str(r#"{"num_fewshot":5,"seed":42,"limit":null}"#).unwrap();
        assert_eq!((config.shots, config.limit), (Some(5), None));
        let error = serde_json::from_str::<RunConfig>(r#"{"shotz":5}"#).unwrap_err();
        assert!(error.to_string().contains("shotz"), "{error}");
    }

    #[test]
    fn names_each_field_out_of_range() {
        let config = RunConfig {
            temperature: Some(-1.0),
            limit: Some(2.5),
            repeats: Some(0),
            batch_size: Some(BatchSize::Auto("many".into())),
            environment: Some([("1A".to_owned(), EnvValue::Plain(String::new()))].into()),
            ..RunConfig::default()
        };
        let fields: Vec<_> = config.problems().into_iter().map(|p| p.field).collect();
        assert_eq!(
            fields,
            [
                "config.temperature",
                "config.limit",
                "config.repeats",
                "config.batch_size",
                "config.environment.1A"
            ]
        );
    }

    #[test]
    fn nothing_set_is_nothing_sent() {
        assert_eq!(serde_json::to_string(&RunConfig::default()).unwrap(), "{}");
    }
}
