//! Reads what the user knows better than the files: which model they are about, and which task.

use std::path::Path;
use thiserror::Error;
use types::ImportMapping;

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

/// Reads a mapping: TOML, JSON or YAML; the name decides between the first and the other two.
///
/// # Errors
/// When it is too long or of another shape.
pub fn parse_mapping(text: &str, name: &Path) -> Result<ImportMapping, MappingError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_says_the_same() {
        let toml = "[models.\"/x/m\"]\nmodel = \"M\"\n[[files]]\npath = \"*.jsonl\"\ntask = \"mme\"";
        let json = r#"{"models": {"/x/m": {"model": "M"}}, "files": [{"path": "*.jsonl", "task": "mme"}]}"#;
        let yaml = "models:\n  /x/m: {model: M}\nfiles:\n- {path: '*.jsonl', task: mme}";
        let read = |text: &str, name: &str| parse_mapping(text, Path::new(name)).unwrap();
        assert_eq!(read(toml, "m.toml"), read(json, "m.json"));
        assert_eq!(read(yaml, "m.yaml"), read(json, "m"));
        let wrong = parse_mapping("model: x", Path::new("m.yml"))
            .unwrap_err()
            .to_string();
        assert!(wrong.contains("`model`"), "{wrong}");
    }
}
