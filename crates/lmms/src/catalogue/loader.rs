//! One task file with everything that it includes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::yaml;

/// How many includes may follow one another.
const DEPTH_CAP: usize = 8;
/// The largest task file that is read, in bytes.
const FILE_CAP: u64 = 4 * 1024 * 1024;

/// The content of a task file, includes resolved.
pub(super) type Config = Map<String, Value>;

/// Reads task files. Included files (usually `_default_template_yaml`) are read once.
#[derive(Debug, Default)]
pub(super) struct Loader {
    included: Mutex<HashMap<PathBuf, Arc<Result<Config, String>>>>,
    modules: Mutex<HashMap<PathBuf, bool>>,
}

impl Loader {
    /// Reads a file; what it says itself wins over what it includes.
    pub(super) fn load(&self, path: &Path) -> Result<Config, String> {
        self.load_nested(path, 0)
    }

    fn load_nested(&self, path: &Path, depth: usize) -> Result<Config, String> {
        if depth > DEPTH_CAP {
            return Err(format!("more than {DEPTH_CAP} includes inside one another"));
        }
        let mut config = read(path)?;
        let Some(include) = config.shift_remove("include") else {
            return Ok(config);
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut whole = Config::new();
        // The first of several wins, as lmms-eval goes through them backwards.
        for name in names(&include).iter().rev() {
            let included = self.included(&folder.join(name), depth + 1);
            match included.as_ref() {
                Ok(included) => whole.extend(included.clone()),
                Err(error) => return Err(format!("`include: {name}`: {error}")),
            }
        }
        whole.extend(config);
        Ok(whole)
    }

    fn included(&self, path: &Path, depth: usize) -> Arc<Result<Config, String>> {
        if let Some(known) = lock(&self.included).get(path) {
            return Arc::clone(known);
        }
        let loaded = Arc::new(self.load_nested(path, depth));
        lock(&self.included).insert(path.to_owned(), Arc::clone(&loaded));
        loaded
    }

    /// Whether the Python file speaks of a judging language model.
    pub(super) fn speaks_of_judge(&self, path: &Path) -> bool {
        const MARKS: [&str; 5] = [
            "llm_judge",
            "GPT_EVAL_MODEL_NAME",
            "gpt_eval_model_name",
            "JUDGE_MODEL",
            "get_chat_response",
        ];
        if let Some(&known) = lock(&self.modules).get(path) {
            return known;
        }
        let text = fs::read_to_string(path).unwrap_or_default();
        let found = MARKS.iter().any(|mark| text.contains(mark));
        lock(&self.modules).insert(path.to_owned(), found);
        found
    }
}

/// A panic while the lock was held leaves a cache that is merely less full.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(path: &Path) -> Result<Config, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > FILE_CAP {
        return Err(format!("{size} bytes, at most {FILE_CAP} are read"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes);
    match yaml::parse(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(config)) => Ok(config),
        Ok(_) => Err("not a mapping of keys to values".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// One name, or a list of them.
pub(super) fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}
