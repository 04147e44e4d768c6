//! The YAML of lmms-eval's `--config`: one run, or a list of runs.
//!
//! Only what a launch form can hold is kept; flags that this product sets itself are dropped, and
//! every other known flag is named, so that nothing is lost in silence.

use crate::command::arguments::{pairs, split};
use serde_yaml_ng::{Mapping, Value};
use thiserror::Error;

/// Longest accepted file, in bytes.
pub const MAX_CONFIG: usize = 256 * 1024;

/// What a file asks for, one entry per run in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigEntry {
    /// `model`: the backend.
    pub model: Option<String>,
    /// `model_args`, in order.
    pub model_args: Vec<(String, String)>,
    /// `tasks`.
    pub tasks: Vec<String>,
    /// `num_fewshot`.
    pub num_fewshot: Option<u32>,
    /// `gen_kwargs`, in order.
    pub gen_kwargs: Vec<(String, String)>,
    /// `limit`; -1 means all and is dropped.
    pub limit: Option<f64>,
    /// `offset`.
    pub offset: Option<u64>,
    /// `batch_size`.
    pub batch_size: Option<String>,
    /// `repeats`.
    pub repeats: Option<u32>,
    /// `seed`, as written.
    pub seed: Option<String>,
    /// `env`, in order.
    pub env: Vec<(String, String)>,
    /// Known flags that a launch form cannot hold.
    pub ignored: Vec<String>,
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigFileError {
    /// Too long.
    #[error("has {0} bytes; expected at most {MAX_CONFIG}")]
    Long(usize),
    /// No YAML.
    #[error("is no YAML: {0}")]
    Yaml(String),
    /// Neither a mapping nor a list of mappings.
    #[error("is neither a mapping nor a list of mappings")]
    Shape,
    /// A key that lmms-eval does not know either.
    #[error("holds the unknown key `{0}`; expected lmms-eval's flags, e.g. `model`, `tasks`, `limit`")]
    Unknown(String),
    /// A value of the wrong kind.
    #[error("`{key}` is `{value}`; expected {expected}")]
    Value {
        /// Which.
        key: String,
        /// What it is.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
}

/// Set by this product for every run.
const OURS: &[&str] = &[
    "output_path",
    "log_samples",
    "timezone",
    "verbosity",
    "include_path",
];

/// Known to lmms-eval, without a place in a launch form.
const WITHOUT_PLACE: &[&str] = &[
    "config",
    "launcher_args",
    "max_batch_size",
    "device",
    "use_cache",
    "cache_requests",
    "check_integrity",
    "write_out",
    "wandb_log_samples",
    "swanlab_log_samples",
    "log_samples_suffix",
    "system_instruction",
    "apply_chat_template",
    "fewshot_as_multiturn",
    "show_config",
    "reasoning_tags",
    "wandb_args",
    "swanlab_args",
    "hf_hub_log_args",
    "predict_only",
    "trust_remote_code",
    "process_with_media",
    "process_docs_parallel",
    "agentic_trace_mode",
    "force_simple",
    "tui",
    "baseline",
    "max_tokens",
    "power_analysis",
    "effect_size",
    "alpha",
    "power",
    "correlation",
    "std_a",
    "std_b",
];

/// The runs of a file.
///
/// # Errors
/// [`ConfigFileError`] naming what is wrong.
pub fn parse_config(text: &str) -> Result<Vec<ConfigEntry>, ConfigFileError> {
    if text.len() > MAX_CONFIG {
        return Err(ConfigFileError::Long(text.len()));
    }
    match serde_yaml_ng::from_str(text).map_err(|e| ConfigFileError::Yaml(e.to_string()))? {
        Value::Mapping(map) => Ok(vec![entry(&map)?]),
        Value::Sequence(list) if !list.is_empty() => list
            .iter()
            .map(|item| item.as_mapping().ok_or(ConfigFileError::Shape).and_then(entry))
            .collect(),
        _ => Err(ConfigFileError::Shape),
    }
}

fn entry(map: &Mapping) -> Result<ConfigEntry, ConfigFileError> {
    let mut entry = ConfigEntry::default();
    for (key, value) in map {
        let key = key.as_str().ok_or(ConfigFileError::Shape)?;
        if !value.is_null() {
            set(&mut entry, key, value)?;
        }
    }
    Ok(entry)
}

fn set(entry: &mut ConfigEntry, key: &str, value: &Value) -> Result<(), ConfigFileError> {
    match key {
        "model" => entry.model = Some(text(key, value)?),
        "model_args" => entry.model_args = arguments(key, value)?,
        "gen_kwargs" => entry.gen_kwargs = arguments(key, value)?,
        "tasks" => entry.tasks = names(key, value)?,
        "num_fewshot" => entry.num_fewshot = Some(number(key, value, "a whole number")?),
        "repeats" | "num_samples" => entry.repeats = Some(number(key, value, "a whole number")?),
        "offset" => entry.offset = Some(number(key, value, "a whole number")?),
        "limit" => entry.limit = Some(number(key, value, "a number")?).filter(|&l: &f64| l != -1.0),
        "batch_size" => entry.batch_size = Some(text(key, value)?),
        "seed" => entry.seed = Some(names(key, value)?.join(",")),
        "env" => entry.env = mapping(key, value)?,
        known if OURS.contains(&known) => {}
        known if WITHOUT_PLACE.contains(&known) => entry.ignored.push(known.to_owned()),
        unknown => return Err(ConfigFileError::Unknown(unknown.to_owned())),
    }
    Ok(())
}

fn wrong(key: &str, value: &Value, expected: &'static str) -> ConfigFileError {
    let value = serde_yaml_ng::to_string(value).unwrap_or_default();
    let value = value.trim().chars().take(100).collect();
    ConfigFileError::Value {
        key: key.to_owned(),
        value,
        expected,
    }
}

fn text(key: &str, value: &Value) -> Result<String, ConfigFileError> {
    scalar(value).ok_or_else(|| wrong(key, value, "a text or a number"))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(true) => Some("True".to_owned()),
        Value::Bool(false) => Some("False".to_owned()),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(
    key: &str,
    value: &Value,
    expected: &'static str,
) -> Result<T, ConfigFileError> {
    scalar(value)
        .and_then(|t| t.parse().ok())
        .ok_or_else(|| wrong(key, value, expected))
}

fn names(key: &str, value: &Value) -> Result<Vec<String>, ConfigFileError> {
    let parts: Vec<String> = match value {
        Value::Sequence(list) => list.iter().filter_map(scalar).collect(),
        _ => text(key, value)?.split(',').map(str::to_owned).collect(),
    };
    Ok(parts
        .iter()
        .map(|p| p.trim().to_owned())
        .filter(|p| !p.is_empty())
        .collect())
}

fn arguments(key: &str, value: &Value) -> Result<Vec<(String, String)>, ConfigFileError> {
    match value {
        Value::Mapping(_) => mapping(key, value),
        Value::String(text) if split(text).iter().all(|part| part.contains('=')) => Ok(pairs(text)),
        Value::String(text) if text.trim().is_empty() => Ok(Vec::new()),
        _ => Err(wrong(key, value, "`key=value,key=value` or a mapping")),
    }
}

fn mapping(key: &str, value: &Value) -> Result<Vec<(String, String)>, ConfigFileError> {
    let map = value.as_mapping().ok_or_else(|| wrong(key, value, "a mapping"))?;
    map.iter()
        .map(|(k, v)| match (scalar(k), scalar(v)) {
            (Some(k), Some(v)) => Ok((k, v)),
            _ => Err(wrong(key, v, "texts and numbers")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_one_run_and_a_list_of_runs() {
        let one =
            parse_config("model: openai\nmodel_args: model=x,timeout=20\ntasks: a, b\nlimit: 8\nseed: 42")
                .unwrap();
        assert_eq!(one[0].model.as_deref(), Some("openai"));
        assert_eq!(
            one[0].model_args,
            [("model".into(), "x".into()), ("timeout".into(), "20".to_owned())]
        );
        assert_eq!(
            (&one[0].tasks[..], one[0].limit),
            (&["a".to_owned(), "b".to_owned()][..], Some(8.0))
        );
        let list =
            parse_config("- tasks: [a]\n  limit: -1\n- tasks: b\n  device: cuda\n  output_path: o").unwrap();
        assert_eq!((list.len(), list[0].limit), (2, None));
        assert_eq!(list[1].ignored, ["device"]);
    }

    #[test]
    fn names_what_is_wrong() {
        let message = |text: &str| parse_config(text).unwrap_err().to_string();
        assert!(message("shots: 5").contains("`shots`"));
        assert!(message("limit: many").contains("`limit` is `many`"));
        assert!(message("- 1").contains("neither"));
        assert!(message("a: [").contains("no YAML"));
        assert!(message("gen_kwargs: fast").contains("key=value"));
    }
}
