//! What stands behind the name of a group or tag.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::{Catalogue, CatalogueProblem, Entry, EntryKind, Modality, TaskRoot, entry};

impl Catalogue {
    /// The entry of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Entry> {
        let index = self
            .entries
            .binary_search_by(|entry| entry.name.as_str().cmp(name))
            .ok()?;
        self.entries.get(index)
    }

    /// The distinct leaf tasks behind a name, in order; empty for an unknown name.
    #[must_use]
    pub fn leaves(&self, name: &str) -> Vec<String> {
        let mut leaves = Vec::new();
        let mut seen = HashSet::new();
        self.collect(name, &mut seen, &mut leaves);
        leaves.into_iter().map(str::to_owned).collect()
    }

    /// Whether picking `outer` already runs everything of `inner`.
    #[must_use]
    pub fn contains(&self, outer: &str, inner: &str) -> bool {
        let inner = self.leaves(inner);
        let outer: HashSet<String> = self.leaves(outer).into_iter().collect();
        !inner.is_empty() && inner.iter().all(|leaf| outer.contains(leaf))
    }

    /// The first two of the picked names of which the first contains the second.
    #[must_use]
    pub fn overlap<'a>(&self, picked: &'a [String]) -> Option<(&'a str, &'a str)> {
        let pairs = picked.iter().enumerate().flat_map(|(at, outer)| {
            let others = picked.iter().enumerate().filter(move |(other, _)| *other != at);
            others.map(move |(_, inner)| (outer.as_str(), inner.as_str()))
        });
        pairs
            .into_iter()
            .find(|(outer, inner)| self.contains(outer, inner))
    }

    fn collect<'a>(&'a self, name: &str, seen: &mut HashSet<&'a str>, leaves: &mut Vec<&'a str>) {
        let Some(entry) = self.get(name) else {
            return;
        };
        // A group that holds itself is entered once.
        if !seen.insert(&entry.name) {
            return;
        }
        if entry.kind == EntryKind::Task {
            leaves.push(&entry.name);
        }
        for member in &entry.members {
            self.collect(member, seen, leaves);
        }
    }
}

/// Adds the tags that tasks put on themselves. A name that is a task or group already stays one,
/// and a tag belongs to the root that names it first.
pub(super) fn add_tags(root: &TaskRoot, own: &[Entry], entries: &mut HashMap<String, Entry>) {
    let mut tags: Vec<(&str, &Path, Vec<String>)> = Vec::new();
    let mut place = HashMap::new();
    for task in own.iter().filter(|entry| entry.kind == EntryKind::Task) {
        for tag in &task.tags {
            let at = *place.entry(tag.as_str()).or_insert_with(|| {
                tags.push((tag, &task.yaml_path, Vec::new()));
                tags.len() - 1
            });
            tags[at].2.push(task.name.clone());
        }
    }
    for (tag, path, mut members) in tags {
        let mut seen = HashSet::new();
        members.retain(|member| seen.insert(member.clone()));
        entries.entry(tag.to_owned()).or_insert_with(|| Entry {
            members,
            ..entry::empty(tag.to_owned(), EntryKind::Tag, root, path)
        });
    }
}

/// Notes the members of groups that no file defines: lmms-eval fails on them only when it runs.
pub(super) fn note_missing(catalogue: &mut Catalogue) {
    let mut problems = Vec::new();
    for entry in &catalogue.entries {
        let missing = entry
            .members
            .iter()
            .filter(|member| catalogue.get(member).is_none());
        problems.extend(missing.map(|member| CatalogueProblem {
            path: entry.yaml_path.clone(),
            message: format!("`{}` holds `{member}`, which no file defines", entry.name),
        }));
    }
    catalogue.problems.extend(problems);
}

/// Gives groups and tags what all their tasks have in common.
pub(super) fn summarise(catalogue: &mut Catalogue) {
    let mut summaries = Vec::new();
    for (index, entry) in catalogue.entries.iter().enumerate() {
        if entry.kind != EntryKind::Task {
            let leaves = catalogue.leaves(&entry.name);
            let leaves: Vec<&Entry> = leaves.iter().filter_map(|leaf| catalogue.get(leaf)).collect();
            summaries.push((index, Summary::of(&leaves)));
        }
    }
    for (index, summary) in summaries {
        summary.apply(&mut catalogue.entries[index]);
    }
}

struct Summary {
    modality: Option<Modality>,
    category: Option<String>,
    output_type: Option<String>,
    supports_fewshot: bool,
    needs_judge: bool,
}

impl Summary {
    fn of(leaves: &[&Entry]) -> Self {
        Self {
            modality: common(leaves, |leaf| leaf.modality),
            category: common(leaves, |leaf| Some(leaf.category.clone())),
            output_type: common(leaves, |leaf| leaf.output_type.clone()),
            supports_fewshot: !leaves.is_empty() && leaves.iter().all(|leaf| leaf.supports_fewshot),
            needs_judge: leaves.iter().any(|leaf| leaf.needs_judge),
        }
    }

    fn apply(self, entry: &mut Entry) {
        entry.modality = self.modality;
        entry.output_type = self.output_type;
        entry.supports_fewshot = self.supports_fewshot;
        entry.needs_judge = self.needs_judge;
        // A group lies in a folder of its own kind, or in one of mere aliases.
        if entry.category == super::category::OTHER {
            entry.category = self.category.unwrap_or_else(|| super::category::OTHER.to_owned());
        }
    }
}

/// What all leaves agree on.
fn common<T: PartialEq>(leaves: &[&Entry], value: impl Fn(&Entry) -> Option<T>) -> Option<T> {
    let first = value(leaves.first()?)?;
    leaves
        .iter()
        .all(|leaf| value(leaf).as_ref() == Some(&first))
        .then_some(first)
}
