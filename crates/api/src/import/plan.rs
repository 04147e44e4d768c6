//! From files that were looked at to runs that are to be stored: no I/O.

use super::matching::Documents;
use super::stage::Staged;
use lmms::document::Kind;
use lmms::results::Results;
use std::collections::{BTreeSet, HashMap, HashSet};
use types::{FileRule, ImportMapping as Mapping, path_fits};

/// The stamp of files whose name has none.
const NO_STAMP: &str = "00000000_000000";

/// A run that is to be stored: one results document with its samples.
#[derive(Debug)]
pub(super) struct PlannedRun {
    /// Index of the file with the document.
    pub(super) file: usize,
    /// What the file calls the model.
    pub(super) label: Option<String>,
    /// What the user calls it.
    pub(super) model: Option<String>,
    /// Its checkpoint, as the user says.
    pub(super) checkpoint: Option<String>,
    /// What was picked.
    pub(super) picks: Vec<PlannedPick>,
    /// Samples by leaf task: index of the file, and index of the list in it.
    pub(super) samples: HashMap<String, (usize, usize)>,
    /// The driver's documents by leaf task: index of the file.
    pub(super) docs: HashMap<String, usize>,
    /// The driver's lists of media by leaf task: index of the file.
    pub(super) media: HashMap<String, usize>,
}

impl PlannedRun {
    /// The files whose samples or lists name media.
    pub(super) fn naming_media<'a>(&'a self, files: &'a [Staged]) -> impl Iterator<Item = &'a Staged> {
        let samples = self.samples.values().map(|(file, _)| *file);
        samples.chain(self.media.values().copied()).map(|at| &files[at])
    }
}

/// A task or group that stands at the top of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PlannedPick {
    /// Its name.
    pub(super) name: String,
    /// Itself and all that is in it.
    pub(super) scope: HashSet<String>,
    /// The leaf tasks in it.
    pub(super) leaves: Vec<String>,
}

/// What becomes of the files.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// The runs.
    pub(super) runs: Vec<PlannedRun>,
    /// Files that are left out, and why.
    pub(super) left_out: Vec<(usize, String)>,
}

/// Plans the runs of some files.
pub(super) fn plan(files: &[Staged], mapping: &Mapping) -> Planned {
    let mut planned = Planned::default();
    let mut by_file: HashMap<usize, usize> = HashMap::new();
    let mut seen = HashSet::new();
    for (index, file) in files.iter().enumerate() {
        let rule = mapping.file(&file.path);
        let Some(results) = file.survey.results.as_ref().filter(|_| file.document.is_some()) else {
            continue;
        };
        if rule.is_some_and(|rule| rule.skip) {
            planned
                .left_out
                .push((index, "left out, as the mapping says".to_owned()));
        } else if seen.insert(file.sha256) {
            by_file.insert(index, planned.runs.len());
            planned.runs.push(run_of(index, file, results, rule, mapping));
        } else {
            planned
                .left_out
                .push((index, "the same bytes as another file: taken once".to_owned()));
        }
    }
    for (index, file) in files.iter().enumerate() {
        match file.survey.kind {
            // A document stands in for the one that they lack.
            Kind::Samples if file.document.is_some() => {}
            Kind::Samples | Kind::OldSamples => {
                if let Err(why) = add_samples(&mut planned.runs, &by_file, files, index, mapping) {
                    planned.left_out.push((index, why));
                }
            }
            _ if file.docs_of.is_some() || file.media_of.is_some() => {
                add_driven(&mut planned.runs, files, index);
            }
            _ => {}
        }
    }
    planned
}

fn run_of(
    index: usize,
    file: &Staged,
    results: &Results,
    rule: Option<&FileRule>,
    mapping: &Mapping,
) -> PlannedRun {
    let label = file.survey.model.clone();
    let known = label.as_ref().and_then(|label| mapping.models.get(label));
    let of_rule = |pick: fn(&FileRule) -> &Option<String>| rule.and_then(|rule| pick(rule).clone());
    let own = file.survey.samples.iter().enumerate();
    PlannedRun {
        file: index,
        model: of_rule(|rule| &rule.model).or_else(|| known.and_then(|known| known.model.clone())),
        checkpoint: of_rule(|rule| &rule.checkpoint)
            .or_else(|| known.and_then(|known| known.checkpoint.clone())),
        label,
        picks: picks(results),
        samples: own
            .filter_map(|(list, samples)| Some((samples.task.clone()?, (index, list))))
            .collect(),
        docs: HashMap::new(),
        media: HashMap::new(),
    }
}

fn add_samples(
    runs: &mut [PlannedRun],
    by_file: &HashMap<usize, usize>,
    files: &[Staged],
    index: usize,
    mapping: &Mapping,
) -> Result<(), String> {
    let file = &files[index];
    let rule = mapping.file(&file.path);
    if rule.is_some_and(|rule| rule.skip) {
        return Err("left out, as the mapping says".to_owned());
    }
    let named = rule.and_then(|rule| rule.results.as_deref());
    let candidates = files
        .iter()
        .enumerate()
        .filter(|(at, _)| by_file.contains_key(at))
        .filter(|(_, file)| named.is_none_or(|named| path_fits(named, &file.path)))
        .map(|(at, file)| (at, file.path.as_str(), &file.survey));
    let documents = Documents::of(candidates);
    let told = file
        .survey
        .samples
        .first()
        .and_then(|samples| samples.task.as_deref());
    let task = rule.and_then(|rule| rule.task.as_deref()).or(told);
    let paired = match (named, documents.only()) {
        (Some(_), Some(only)) => documents.with_task(only, task)?,
        _ => documents.partner(&file.path, task)?,
    };
    let run = &mut runs[by_file[&paired.results]];
    if run.samples.contains_key(&paired.task) {
        return Err(format!(
            "another file holds the samples of `{}` in this run",
            paired.task
        ));
    }
    run.samples.insert(paired.task, (index, 0));
    Ok(())
}

/// The driver writes its documents, and what media they show, above the folder that lmms-eval makes.
fn add_driven(runs: &mut [PlannedRun], files: &[Staged], index: usize) {
    let folder = files[index]
        .path
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    for run in runs {
        let path = &files[run.file].path;
        let inside = path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/') || folder.is_empty());
        let own = |of: &Option<String>, run: &PlannedRun| {
            let of = of.as_ref().filter(|_| inside)?;
            let mut leaves = run.picks.iter().flat_map(|pick| &pick.leaves);
            leaves
                .find(|leaf| *leaf == of || leaf.replace('/', "_") == *of)
                .cloned()
        };
        if let Some(leaf) = own(&files[index].docs_of, run) {
            run.docs.entry(leaf).or_insert(index);
        }
        if let Some(leaf) = own(&files[index].media_of, run) {
            run.media.entry(leaf).or_insert(index);
        }
    }
}

/// What stands at the top of a document: groups that are in no other group, and tasks that are in
/// none, in the document's order.
fn picks(results: &Results) -> Vec<PlannedPick> {
    let members: HashMap<&str, &[String]> = results
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.members.as_slice()))
        .collect();
    let inner: HashSet<&str> = results
        .groups
        .iter()
        .flat_map(|group| group.members.iter().filter(|member| **member != group.name))
        .map(String::as_str)
        .collect();
    let leaves: BTreeSet<&str> = results.tasks.iter().map(|task| task.name.as_str()).collect();
    let names = results.groups.iter().map(|group| &group.name);
    let names = names.chain(results.tasks.iter().map(|task| &task.name));
    let pick = |name: &String| {
        let mut scope = HashSet::new();
        let mut open = vec![name.as_str()];
        while let Some(next) = open.pop() {
            if scope.insert(next.to_owned()) {
                open.extend(
                    members
                        .get(next)
                        .into_iter()
                        .flat_map(|m| m.iter())
                        .map(String::as_str),
                );
            }
        }
        let leaves = leaves.iter().filter(|leaf| scope.contains(**leaf));
        PlannedPick {
            name: name.clone(),
            leaves: leaves.map(|leaf| (*leaf).to_owned()).collect(),
            scope,
        }
    };
    names
        .filter(|name| !inner.contains(name.as_str()))
        .map(pick)
        .collect()
}

/// The stamp under which the files of a run are kept.
pub(super) fn stamp_of(file: &Staged) -> String {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let dated = file
        .survey
        .results
        .as_ref()
        .and_then(|results| results.date.clone());
    lmms::document::file_name(name)
        .map(|parts| parts.stamp)
        .or_else(|| dated.filter(|date| lmms::document::is_stamp(date)))
        .unwrap_or_else(|| NO_STAMP.to_owned())
}

/// A short name for a model from what a file calls it: of a path the last part, of a folder in
/// the hub's cache the repository.
pub(super) fn short_name(label: &str) -> String {
    let parts: Vec<&str> = label.split('/').filter(|part| !part.is_empty()).collect();
    let cached = parts.iter().find_map(|part| part.strip_prefix("models--"));
    if let Some(repository) = cached {
        return repository.replacen("--", "/", 1);
    }
    match parts.as_slice() {
        [.., parent, last] if last.starts_with("checkpoint") => format!("{parent}/{last}"),
        [_, _] if !label.starts_with(['/', '.', '~']) => parts.join("/"),
        [.., last] => (*last).to_owned(),
        [] => "unknown model".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models_are_short() {
        for (label, short) in [
            ("Qwen/Qwen2.5-VL-7B", "Qwen/Qwen2.5-VL-7B"),
            ("/root/x/models/foo/", "foo"),
            ("/c/hub/models--Qwen--Q-3B/snapshots/66285546d2b8", "Qwen/Q-3B"),
            ("./out/run/checkpoint-100", "run/checkpoint-100"),
            ("gpt-4o", "gpt-4o"),
            ("//", "unknown model"),
        ] {
            assert_eq!(short_name(label), short);
        }
    }

    #[test]
    fn groups_hold_their_tasks() {
        let text = br#"{"results": {"g": {" ": " "}, "h": {" ": " "}, "a": {"x,none": 1}, "b": {"x,none": 1}, "c": {"x,none": 1}},
            "group_subtasks": {"g": ["h", "b"], "h": ["a", "h"], "a": []}, "configs": {"a": {}, "b": {}, "c": {}}, "config": {}}"#;
        let results = lmms::results::parse(text).unwrap();
        let found: Vec<(String, Vec<String>)> = picks(&results)
            .into_iter()
            .map(|pick| (pick.name, pick.leaves))
            .collect();
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found,
            [
                ("g".to_owned(), names(&["a", "b"])),
                ("c".to_owned(), names(&["c"]))
            ]
        );
    }
}
