//! What the user knows better than the files: which model they are about, and which task.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use thiserror::Error;

/// Largest mapping that is read, in bytes.
const MAX: usize = 1 << 20;

/// Why a mapping cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MappingError {
    /// Too long.
    #[error("the mapping has {0} bytes; expected at most {MAX}")]
    Long(usize),
    /// Not of the shape that is expected.
    #[error("the mapping is not as expected: {0}")]
    Shape(String),
}

/// The user's mapping: TOML, JSON or YAML.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    /// Models by the name that the files give them.
    pub models: BTreeMap<String, ModelRule>,
    /// Names of tasks and what they are called here.
    pub tasks: BTreeMap<String, String>,
    /// Rules for files, the first that fits holds.
    pub files: Vec<FileRule>,
}

/// Which model it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelRule {
    /// Its name here.
    pub model: Option<String>,
    /// Its checkpoint.
    pub checkpoint: Option<String>,
}

/// What is known about some files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FileRule {
    /// The end of their path; `*` stands for any part of a name.
    pub path: String,
    /// The model.
    pub model: Option<String>,
    /// Its checkpoint.
    pub checkpoint: Option<String>,
    /// The task of a samples file.
    pub task: Option<String>,
    /// The end of the path of the results document that samples belong to.
    pub results: Option<String>,
    /// Whether they are left out.
    pub skip: bool,
}

impl Mapping {
    /// Reads a mapping; the name decides between TOML and the other two.
    ///
    /// # Errors
    /// When it is too long or of another shape.
    pub fn parse(text: &str, name: &Path) -> Result<Self, MappingError> {
        if text.len() > MAX {
            return Err(MappingError::Long(text.len()));
        }
        if name.extension().is_some_and(|end| end == "toml") {
            return toml::from_str(text).map_err(|error| MappingError::Shape(error.message().to_owned()));
        }
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map_err(|error| MappingError::Shape(error.to_string()));
        }
        serde_yaml_ng::from_str(text).map_err(|error| MappingError::Shape(error.to_string()))
    }

    /// The rule for a file.
    pub(super) fn file(&self, path: &str) -> Option<&FileRule> {
        self.files.iter().find(|rule| fits(&rule.path, path))
    }

    /// The name here of a task.
    pub(super) fn task<'a>(&'a self, name: &'a str) -> &'a str {
        self.tasks.get(name).map_or(name, String::as_str)
    }
}

/// Whether a path ends as the pattern says: part by part, `*` for any text within a part.
pub(super) fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let mut wanted = pattern.trim_start_matches("./").rsplit('/');
    wanted.all(|wanted| parts.next().is_some_and(|part| glob(wanted, part)))
}

fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(before) = last.replace(piece) {
            match rest.find(before) {
                Some(at) => rest = &rest[at + before.len()..],
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_says_the_same() {
        let toml = "[models.\"/x/m\"]\nmodel = \"M\"\n[[files]]\npath = \"*.jsonl\"\ntask = \"mme\"";
        let json = r#"{"models": {"/x/m": {"model": "M"}}, "files": [{"path": "*.jsonl", "task": "mme"}]}"#;
        let yaml = "models:\n  /x/m: {model: M}\nfiles:\n- {path: '*.jsonl', task: mme}";
        let read = |text: &str, name: &str| Mapping::parse(text, Path::new(name)).unwrap();
        assert_eq!(read(toml, "m.toml"), read(json, "m.json"));
        assert_eq!(read(yaml, "m.yaml"), read(json, "m"));
        let wrong = Mapping::parse("model: x", Path::new("m.yml"))
            .unwrap_err()
            .to_string();
        assert!(wrong.contains("`model`"), "{wrong}");
    }

    #[test]
    fn patterns_are_ends_of_paths() {
        for (pattern, path, holds) in [
            ("a.json", "x/a.json", true),
            ("*.json", "x/a.json", true),
            ("x/*", "y/x/a.json", true),
            ("run*/a*n", "run7/a.json", true),
            ("a*a", "a", false),
            ("z/a.json", "x/a.json", false),
            ("a.json", "x/ba.json", false),
            ("q/x/a.json", "x/a.json", false),
        ] {
            assert_eq!(fits(pattern, path), holds, "{pattern} {path}");
        }
    }
}
