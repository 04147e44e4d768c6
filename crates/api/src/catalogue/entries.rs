//! From what the index says to rows.

use crate::db::benchmarks::Indexed;
use lmms::catalogue::{Catalogue, Entry, EntryKind, Modality, Source};
use serde_json::{Value, json};
use std::path::PathBuf;
use types::MetricInfo;
use uuid::Uuid;

/// Rows of every entry.
pub(super) fn all(catalogue: &Catalogue) -> Vec<Indexed> {
    catalogue.entries.iter().map(|e| row(catalogue, e, &[])).collect()
}

/// Rows of the entries that come from these folders.
pub(super) fn below(catalogue: &Catalogue, folders: &[PathBuf]) -> Vec<Indexed> {
    let own = |e: &&Entry| folders.iter().any(|f| e.yaml_path.starts_with(f));
    catalogue
        .entries
        .iter()
        .filter(own)
        .map(|e| row(catalogue, e, folders))
        .collect()
}

fn row(catalogue: &Catalogue, entry: &Entry, folders: &[PathBuf]) -> Indexed {
    let metrics = metrics(entry);
    let (primary, secondary) = split(&metrics);
    let leaf_tasks = match entry.kind {
        EntryKind::Task => vec![entry.name.clone()],
        EntryKind::Group | EntryKind::Tag => catalogue.leaves(&entry.name),
    };
    Indexed {
        id: Uuid::now_v7(),
        // Filled in for an organization's own folders.
        organization_id: None,
        name: entry.name.clone(),
        kind: kind(entry.kind).to_owned(),
        modality: modality(prevailing(catalogue, &leaf_tasks).or(entry.modality)).to_owned(),
        category: entry.category.clone(),
        task_type: entry.output_type.clone(),
        primary_metrics: json!(primary),
        secondary_metrics: json!(secondary),
        metrics: json!(metrics),
        filters: json!(entry.filters),
        description: entry.description.clone(),
        tags: entry.tags.clone(),
        leaf_tasks,
        dataset: dataset(entry),
        supports_fewshot: entry.supports_fewshot,
        num_fewshot: entry.num_fewshot.and_then(|n| i32::try_from(n).ok()),
        generation_kwargs: entry
            .generation_kwargs
            .clone()
            .filter(Value::is_object)
            .unwrap_or_else(|| json!({})),
        needs_judge: entry.needs_judge,
        needs_download: needs_download(entry),
        origin: origin(entry, folders),
        yaml_path: Some(entry.yaml_path.display().to_string()),
        version: entry.version.clone(),
    }
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Task => "task",
        EntryKind::Group => "group",
        EntryKind::Tag => "tag",
    }
}

/// What most of the tasks are given.
fn prevailing(catalogue: &Catalogue, leaves: &[String]) -> Option<Modality> {
    let given: Vec<_> = leaves
        .iter()
        .filter_map(|leaf| catalogue.get(leaf)?.modality)
        .collect();
    let count = |wanted: &Modality| given.iter().filter(|m| *m == wanted).count();
    given.iter().copied().max_by_key(count)
}

fn modality(modality: Option<Modality>) -> &'static str {
    match modality {
        Some(Modality::Image) => "Vision",
        Some(Modality::Video) => "Video",
        Some(Modality::Audio) => "Audio",
        Some(Modality::Text) | None => "Text",
    }
}

fn metrics(entry: &Entry) -> Vec<MetricInfo> {
    let info = |m: &lmms::catalogue::DeclaredMetric| MetricInfo {
        name: m.name.clone(),
        higher_is_better: m.higher_is_better,
    };
    entry.metrics.iter().map(info).collect()
}

/// The first metric with a direction decides; the rest stand beside it.
fn split(metrics: &[MetricInfo]) -> (Vec<&str>, Vec<&str>) {
    let first = metrics.iter().position(|m| m.higher_is_better.is_some());
    let names = metrics.iter().enumerate();
    let (primary, secondary): (Vec<_>, Vec<_>) = names.partition(|(i, _)| Some(*i) == first);
    (names_of(primary), names_of(secondary))
}

fn names_of(list: Vec<(usize, &MetricInfo)>) -> Vec<&str> {
    list.into_iter().map(|(_, m)| m.name.as_str()).collect()
}

fn dataset(entry: &Entry) -> Option<String> {
    let path = entry.dataset_path.as_ref()?;
    Some(match &entry.dataset_name {
        Some(name) => format!("{path}/{name}"),
        None => path.clone(),
    })
}

/// Builders of the datasets library read local files; anything else is a hub's.
fn needs_download(entry: &Entry) -> bool {
    const LOCAL: [&str; 8] = [
        "json",
        "csv",
        "parquet",
        "text",
        "arrow",
        "imagefolder",
        "audiofolder",
        "videofolder",
    ];
    entry
        .dataset_path
        .as_ref()
        .is_some_and(|path| !LOCAL.contains(&path.as_str()) && !path.starts_with(['/', '.']))
}

fn origin(entry: &Entry, folders: &[PathBuf]) -> String {
    let folder = folders.iter().find(|f| entry.yaml_path.starts_with(f));
    match (folder, entry.source) {
        (Some(folder), _) => folder.display().to_string(),
        (None, Source::Installed) => "installed".to_owned(),
        (None, Source::Include) => {
            let parent = entry.yaml_path.parent().unwrap_or(&entry.yaml_path);
            parent.display().to_string()
        }
    }
}
