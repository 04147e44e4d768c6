//! Which model a document is about, as well as it tells.

use serde_json::Value;

use super::document::{plain_text, section, text};
use super::{Problem, ProblemKind};
use crate::command::arguments;
use crate::secrets::{blotted, looks_secret, redact};

/// Keys of `model_args` that name the weights, in lmms-eval's own order of search.
const LABEL_KEYS: [&str; 9] = [
    "peft",
    "delta",
    "pretrained",
    "model",
    "model_version",
    "model_name",
    "model_id",
    "path",
    "engine",
];

/// What is known about the model.
pub(super) struct Model {
    pub(super) label: Option<String>,
    pub(super) backend: Option<String>,
    pub(super) args: Option<String>,
    pub(super) pairs: Vec<(String, String)>,
}

/// Reads it, with secrets blotted out.
pub(super) fn read(document: &Value, problems: &mut Vec<Problem>) -> Model {
    let config = section(document, "config");
    let configs = section(document, "model_configs");
    let given = config.get("model_args").or_else(|| configs.get("model_args"));
    let mut pairs = given.map(pairs).unwrap_or_default();
    for (key, value) in &mut pairs {
        if looks_secret(key, value) {
            *value = blotted(value);
            problems.push(Problem {
                kind: ProblemKind::Redacted,
                task: None,
                message: format!("the model argument `{key}` held a secret and was blotted out"),
            });
        }
    }
    let joined = pairs.iter().map(|(key, value)| format!("{key}={value}"));
    let args = joined.collect::<Vec<_>>().join(",");
    let named = text(document.get("model_name")).or_else(|| label(&pairs));
    let backend = ["model", "model_source"]
        .iter()
        .find_map(|key| text(config.get(*key)).or_else(|| text(configs.get(*key))))
        .or_else(|| text(document.get("model_source")));
    Model {
        label: named.map(|label| redact(&label)),
        backend,
        args: (!args.is_empty()).then_some(args),
        pairs,
    }
}

/// The argument that names the weights.
pub(crate) fn label(pairs: &[(String, String)]) -> Option<String> {
    let value = |key: &&str| {
        pairs
            .iter()
            .find(|(name, _)| name == *key)
            .map(|(_, value)| value.clone())
    };
    LABEL_KEYS
        .iter()
        .find_map(value)
        .filter(|label| !label.is_empty())
}

/// The arguments from the string that they usually are, or from the object that they may be.
fn pairs(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::String(text) => arguments::pairs(text),
        Value::Object(object) => {
            let pair = |(key, value): (&String, &Value)| {
                let text = plain_text(value).unwrap_or_else(|| match value {
                    Value::Null => "None".to_owned(),
                    Value::Bool(true) => "True".to_owned(),
                    Value::Bool(false) => "False".to_owned(),
                    other => other.to_string(),
                });
                (key.clone(), text)
            };
            object.iter().map(pair).collect()
        }
        _ => Vec::new(),
    }
}
