//! One entry from the content of its file.

use std::path::Path;

use serde_json::Value;

use super::loader::{Config, Loader, names};
use super::{DeclaredMetric, Entry, EntryKind, TaskRoot};
use super::{category, modality, yaml};

/// What a file defines: a name and what it is; `None` for a template.
pub(super) fn defined(config: &Config) -> Option<(String, EntryKind)> {
    let name = |key: &str| config.get(key)?.as_str().map(str::to_owned);
    if config.contains_key("class") {
        return Some((name("task")?, EntryKind::Task));
    }
    match config.get("task")? {
        Value::Array(_) => Some((name("group")?, EntryKind::Group)),
        Value::String(task) => Some((task.clone(), EntryKind::Task)),
        _ => None,
    }
}

/// The entry that a file defines.
pub(super) fn read(
    loader: &Loader,
    root: &TaskRoot,
    path: &Path,
    config: &Config,
    (name, kind): (String, EntryKind),
) -> Entry {
    let folder = folder(root, path);
    let is_task = kind == EntryKind::Task;
    let mut entry = empty(name, kind, root, path);
    entry.category = category(&folder).to_owned();
    entry.alias = text(config, if is_task { "task_alias" } else { "group_alias" });
    entry.version = version(config);
    entry.description = text(config, "description").filter(|text| !text.starts_with(yaml::FUNCTION));
    if is_task {
        read_task(loader, path, &folder, config, &mut entry);
    } else {
        entry.tags = config.get("tag").map(names).unwrap_or_default();
        entry.members = config.get("task").map(members).unwrap_or_default();
    }
    entry
}

/// An entry about which nothing is known but its name.
pub(super) fn empty(name: String, kind: EntryKind, root: &TaskRoot, path: &Path) -> Entry {
    Entry {
        name,
        kind,
        source: root.source,
        yaml_path: path.to_owned(),
        alias: None,
        tags: Vec::new(),
        members: Vec::new(),
        dataset_path: None,
        dataset_name: None,
        split: None,
        output_type: None,
        metrics: Vec::new(),
        filters: Vec::new(),
        num_fewshot: None,
        supports_fewshot: false,
        generation_kwargs: None,
        modality: None,
        category: super::category::OTHER.to_owned(),
        needs_judge: false,
        version: None,
        description: None,
        cluster_key: None,
    }
}

fn read_task(loader: &Loader, path: &Path, folder: &str, config: &Config, entry: &mut Entry) {
    entry.tags = ["tag", "group"]
        .iter()
        .filter_map(|key| config.get(*key))
        .flat_map(names)
        .collect();
    entry.dataset_path = text(config, "dataset_path");
    entry.dataset_name = text(config, "dataset_name");
    entry.split = ["test_split", "validation_split"]
        .iter()
        .find_map(|key| text(config, key));
    entry.output_type = text(config, "output_type").or_else(|| Some("generate_until".to_owned()));
    entry.metrics = metrics(config);
    entry.filters = filters(config);
    entry.num_fewshot = count(config.get("num_fewshot"));
    entry.supports_fewshot = config.get("fewshot_config").is_some_and(|value| !value.is_null());
    entry.generation_kwargs = config
        .get("generation_kwargs")
        .filter(|value| value.is_object())
        .cloned();
    entry.cluster_key = text(config, "cluster_key");
    entry.modality = Some(modality::guess(folder, config));
    entry.needs_judge = needs_judge(loader, path, config);
}

/// The first folder below the root, which names the benchmark.
fn folder(root: &TaskRoot, path: &Path) -> String {
    let below = path.strip_prefix(&root.path).ok().and_then(Path::parent);
    let first = below.and_then(|below| below.components().next());
    let name = first
        .map(std::path::Component::as_os_str)
        .or_else(|| root.path.file_name());
    name.map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// A text with content; a number counts as its text.
pub(super) fn text(config: &Config, key: &str) -> Option<String> {
    match config.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn count(value: Option<&Value>) -> Option<u32> {
    u32::try_from(value?.as_u64()?).ok()
}

/// YAML 1.1, which lmms-eval's loader speaks, has more words for true and false than 1.2.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(word) => match word.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// `metadata` is an object, a list of objects, or absent.
fn version(config: &Config) -> Option<String> {
    let metadata = config.get("metadata")?;
    let version = metadata
        .get("version")
        .or_else(|| metadata.as_array()?.iter().find_map(|part| part.get("version")))?;
    match version {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn metrics(config: &Config) -> Vec<DeclaredMetric> {
    let list = config.get("metric_list").and_then(Value::as_array);
    let metric = |metric: &Value| {
        let text = |key: &str| metric.get(key)?.as_str().map(str::to_owned);
        Some(DeclaredMetric {
            name: text("metric")?,
            aggregation: text("aggregation"),
            higher_is_better: metric.get("higher_is_better").and_then(truth),
        })
    };
    list.map(|list| list.iter().filter_map(metric).collect())
        .unwrap_or_default()
}

fn filters(config: &Config) -> Vec<String> {
    let list = config.get("filter_list").and_then(Value::as_array);
    let name = |filter: &Value| filter.get("name")?.as_str().map(str::to_owned);
    list.map(|list| list.iter().filter_map(name).collect())
        .unwrap_or_default()
}

/// Names of the members. A group written inside the list has no file and cannot be picked, so its
/// members stand in its place.
fn members(value: &Value) -> Vec<String> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::Array(list) => list.iter().flat_map(members).collect(),
        Value::Object(inner) => inner.get("task").map(members).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Metrics or settings that name a judge, or a scoring module that speaks of one.
fn needs_judge(loader: &Loader, path: &Path, config: &Config) -> bool {
    let is_judge = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["gpt_eval", "llm_as_judge", "judge", "gpt4", "llm_eval"]
            .iter()
            .any(|part| name.contains(part))
    };
    if metrics(config).iter().any(|metric| is_judge(&metric.name)) {
        return true;
    }
    let metadata = config.get("metadata").and_then(Value::as_object);
    if metadata.is_some_and(|metadata| metadata.keys().any(|key| is_judge(key))) {
        return true;
    }
    let scoring = config.get("process_results").and_then(Value::as_str);
    let Some(function) = scoring.and_then(|scoring| scoring.strip_prefix(yaml::FUNCTION)) else {
        return false;
    };
    let Some((module, _)) = function.trim().rsplit_once('.') else {
        return false;
    };
    let file = format!("{}.py", module.replace('.', "/"));
    path.parent()
        .is_some_and(|folder| loader.speaks_of_judge(&folder.join(file)))
}
