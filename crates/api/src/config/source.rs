//! Where settings come from.

use super::{Value, all_settings};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the settings are refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings file `{path}` cannot be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("the settings file is not valid TOML")]
    NotToml(#[source] Box<toml::de::Error>),
    /// The file holds a key that means nothing.
    #[error("the settings file holds the unknown key `{0}`; see `lmms-dash --help` for the known ones")]
    UnknownKey(String),
    /// `--set` names a variable that means nothing.
    #[error("`{0}` is no setting; see `lmms-dash --help` for the known ones")]
    UnknownVariable(String),
    /// A variable is not Unicode.
    #[error("`{0}` is not valid Unicode")]
    NotUnicode(String),
    /// A value cannot be used.
    #[error("`{variable}` is `{value}`; expected {expected}")]
    BadValue {
        /// The variable, or the key in the file.
        variable: String,
        /// As it was given; masked for secrets.
        value: String,
        /// What would be accepted.
        expected: &'static str,
    },
}

/// Everything that was set, before the defaults.
#[derive(Debug, Default)]
pub struct Source {
    flags: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
}

impl Source {
    /// Reads `file`, if any; the environment keeps what is a setting.
    ///
    /// # Errors
    /// [`ConfigError`] when the file or a name in it is refused.
    pub fn new(
        flags: Vec<(String, String)>,
        environment: impl Iterator<Item = (OsString, OsString)>,
        file: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let text = match file {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            })?,
        };
        Self::parse(flags, environment, &text)
    }

    /// The same with the file's text.
    ///
    /// # Errors
    /// As [`Source::new`].
    pub fn parse(
        flags: Vec<(String, String)>,
        environment: impl Iterator<Item = (OsString, OsString)>,
        file: &str,
    ) -> Result<Self, ConfigError> {
        for (variable, _) in &flags {
            if !all_settings().any(|s| s.variable == variable) {
                return Err(ConfigError::UnknownVariable(variable.clone()));
            }
        }
        Ok(Self {
            flags: flags.into_iter().collect(),
            environment: known_variables(environment)?,
            file: keys_of(file)?,
        })
    }

    /// The value of a setting.
    pub(super) fn value<V: Value>(&self, variable: &str, key: &str, default: &str) -> Result<V, ConfigError> {
        let (name, text) = if let Some(text) = self
            .flags
            .get(variable)
            .or_else(|| self.environment.get(variable))
        {
            (variable, text.as_str())
        } else if let Some(text) = self.file.get(key) {
            (key, text.as_str())
        } else {
            (variable, default)
        };
        V::read(text.trim()).ok_or_else(|| ConfigError::BadValue {
            variable: name.to_owned(),
            value: if V::SECRET {
                "…".to_owned()
            } else {
                text.to_owned()
            },
            expected: V::EXPECTED,
        })
    }
}

fn known_variables(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    environment
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v)))
        .filter(|(k, _)| all_settings().any(|s| s.variable == k))
        .map(|(k, v)| match v.into_string() {
            Ok(v) => Ok((k, v)),
            Err(_) => Err(ConfigError::NotUnicode(k)),
        })
        .collect()
}

/// `section.field` to the value as it would be written in the environment.
fn keys_of(file: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let table: toml::Table = file.parse().map_err(|e| ConfigError::NotToml(Box::new(e)))?;
    let mut keys = BTreeMap::new();
    for (section, content) in table {
        let toml::Value::Table(fields) = content else {
            return Err(ConfigError::UnknownKey(section));
        };
        for (field, value) in fields {
            let key = format!("{section}.{field}");
            if !all_settings().any(|s| s.key == key) {
                return Err(ConfigError::UnknownKey(key));
            }
            keys.insert(key, text_of(&value));
        }
    }
    Ok(keys)
}

fn text_of(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
