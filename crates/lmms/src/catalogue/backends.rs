//! The model backends of an installation, read off the source text of its registry.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::command::weights_key;

/// How a backend takes its prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackendKind {
    /// Chat messages only.
    Chat,
    /// Plain text and images only.
    Simple,
    /// Both; chat is the default.
    ChatAndSimple,
}

/// A model backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backend {
    /// Its canonical id.
    pub name: String,
    /// How it takes prompts.
    pub kind: BackendKind,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// The key of `--model_args` that names the weights.
    pub weights_key: Option<String>,
}

/// The backends of the package directory (`.../site-packages/lmms_eval`), sorted by name.
///
/// # Errors
///
/// When `models/__init__.py` cannot be read.
pub fn backends(package_dir: &Path) -> io::Result<Vec<Backend>> {
    let registry = package_dir.join("models").join("__init__.py");
    Ok(backends_in(&std::fs::read_to_string(registry)?))
}

/// The backends that the source text of the registry lists.
#[must_use]
pub fn backends_in(source: &str) -> Vec<Backend> {
    let simple = dictionary(source, "AVAILABLE_SIMPLE_MODELS");
    let chat = dictionary(source, "AVAILABLE_CHAT_TEMPLATE_MODELS");
    // Before 0.5 there was one list for all.
    let older = if simple.is_empty() {
        dictionary(source, "AVAILABLE_MODELS")
    } else {
        BTreeMap::new()
    };
    let aliases = dictionary(source, "MODEL_ALIASES");
    let mut kinds = BTreeMap::new();
    for name in simple.keys().chain(older.keys()) {
        kinds.insert(name, BackendKind::Simple);
    }
    for name in chat.keys() {
        let both = kinds.contains_key(name);
        kinds.insert(
            name,
            if both {
                BackendKind::ChatAndSimple
            } else {
                BackendKind::Chat
            },
        );
    }
    let backend = |(name, kind): (&String, BackendKind)| Backend {
        name: name.clone(),
        kind,
        aliases: aliases.get(name).cloned().unwrap_or_default(),
        weights_key: weights_key(name).map(str::to_owned),
    };
    kinds.into_iter().map(backend).collect()
}

/// A dictionary literal that is assigned at the start of a line: keys, and all strings of each
/// value.
fn dictionary(source: &str, name: &str) -> BTreeMap<String, Vec<String>> {
    let is_assignment = |at: usize| {
        let starts = at == 0 || source[..at].ends_with('\n');
        starts && source[at + name.len()..].starts_with([' ', ':', '='])
    };
    let start = source
        .match_indices(name)
        .map(|(at, _)| at)
        .find(|at| is_assignment(*at));
    let assignment = start.map_or("", |at| &source[at..]);
    assignment
        .split_once('{')
        .map(|(_, body)| entries(body))
        .unwrap_or_default()
}

fn entries(body: &str) -> BTreeMap<String, Vec<String>> {
    let mut entries = BTreeMap::new();
    let mut key: Option<String> = None;
    let mut values = Vec::new();
    let mut depth = 0_u32;
    let mut rest = body;
    while let Some(at) = rest.find(['"', '\'', '#', '(', ')', '[', ']', ':', ',', '}']) {
        let found = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match found {
            b'#' => rest = rest.split_once('\n').map_or("", |(_, rest)| rest),
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => key = values.pop(),
            b',' | b'}' if depth == 0 => {
                if let Some(key) = key.take() {
                    entries.insert(key, std::mem::take(&mut values));
                }
                if found == b'}' {
                    break;
                }
            }
            quote @ (b'"' | b'\'') => {
                let Some((text, after)) = rest.split_once(char::from(quote)) else {
                    break;
                };
                values.push(text.to_owned());
                rest = after;
            }
            _ => {}
        }
    }
    entries
}
