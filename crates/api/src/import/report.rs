//! What became of each file, or would.

use super::matching::differences;
use super::plan::Planned;
use super::run::StoredRun;
use super::stage::Staged;
use crate::db::imports::NewFile;
use lmms::document::Kind;
use lmms::results::ProblemKind;
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use types::FileFindings;
use uuid::Uuid;

/// How many problems of a file are kept, and how long one of them may be, in characters.
const PROBLEMS: usize = 200;
const PROBLEM: usize = 1000;
/// How many tasks of a file are named.
const TASKS: usize = 100;

/// What became of one file.
#[derive(Clone, Debug, Serialize)]
pub struct FileReport {
    /// Its path.
    pub file: String,
    /// What it is.
    pub kind: Kind,
    /// `taken`, `known`, `left_out` or `failed`.
    pub status: &'static str,
    /// The run that it belongs to.
    pub run: Option<Uuid>,
    /// What was taken of it and what was not.
    #[serde(flatten)]
    pub found: FileFindings,
}

/// One report for each file. Where a run has none, nothing of it was stored.
pub(super) fn reports(files: &[Staged], planned: &Planned, done: &[StoredRun]) -> Vec<FileReport> {
    let mut place: HashMap<usize, usize> = HashMap::new();
    for (at, run) in planned.runs.iter().enumerate() {
        place.insert(run.file, at);
        place.extend(run.samples.values().map(|(file, _)| (*file, at)));
        place.extend(run.docs.values().map(|file| (*file, at)));
        place.extend(run.media.values().map(|file| (*file, at)));
    }
    let mut reports: Vec<FileReport> = files
        .iter()
        .enumerate()
        .map(|(index, file)| {
            let at = place.get(&index);
            let mut report = report(file, at.and_then(|at| done.get(*at)));
            if let Some(stored) = at
                .filter(|at| planned.runs[**at].file == index)
                .and_then(|at| done.get(*at))
            {
                report.found.problems.extend(stored.problems.iter().cloned());
            }
            report
        })
        .collect();
    for (index, why) in &planned.left_out {
        reports[*index].found.problems.push(why.clone());
    }
    note_differences(files, planned, &mut reports);
    reports
        .iter_mut()
        .for_each(|report| tidy(&mut report.found.problems));
    reports
}

/// What samples lack or have too much of, beside their results document.
fn note_differences(files: &[Staged], planned: &Planned, reports: &mut [FileReport]) {
    for run in &planned.runs {
        let Some(results) = &files[run.file].survey.results else {
            continue;
        };
        for (task, (file, list)) in &run.samples {
            if let Some(samples) = files[*file].survey.samples.get(*list) {
                let different = differences(samples, results, task);
                reports[*file].found.problems.extend(different);
            }
        }
    }
}

/// So many problems, each so long, and no more.
fn tidy(problems: &mut Vec<String>) {
    let more = problems.len().saturating_sub(PROBLEMS);
    problems.truncate(PROBLEMS);
    for problem in problems.iter_mut() {
        if let Some((at, _)) = problem.char_indices().nth(PROBLEM) {
            problem.truncate(at);
            problem.push('…');
        }
    }
    if more > 0 {
        problems.push(format!("{more} more problems"));
    }
}

fn report(file: &Staged, run: Option<&StoredRun>) -> FileReport {
    let results = file.survey.results.as_ref();
    let metrics = results.map_or(&[][..], |results| &results.metrics);
    let numbers = metrics.iter().filter(|metric| metric.value.is_some()).count() as u64;
    let problems = results.map_or(&[][..], |results| &results.problems);
    let redacted = problems.iter().filter(|p| p.kind == ProblemKind::Redacted);
    FileReport {
        file: file.path.clone(),
        kind: file.survey.kind,
        status: match run {
            Some(run) if run.known => "known",
            Some(_) => "taken",
            None => "left_out",
        },
        run: run.and_then(|run| run.id),
        found: FileFindings {
            model: file.survey.model.clone(),
            tasks: tasks_of(file),
            metrics: numbers,
            not_numeric: metrics.len() as u64 - numbers,
            redacted: redacted.count() as u64,
            samples: file.survey.samples.iter().map(|samples| samples.count).sum(),
            broken: file.survey.samples.iter().map(|samples| samples.bad).sum(),
            problems: file.survey.problems.clone(),
        },
    }
}

fn tasks_of(file: &Staged) -> Vec<String> {
    let of_results = file.survey.results.iter().flat_map(|results| &results.tasks);
    let named = of_results.map(|task| &task.name);
    let of_samples = file
        .survey
        .samples
        .iter()
        .filter_map(|samples| samples.task.as_ref());
    let all: BTreeSet<&String> = named.chain(of_samples).chain(&file.docs_of).collect();
    all.into_iter().take(TASKS).cloned().collect()
}

/// The rows of the reports.
pub(super) fn rows(
    import: Uuid,
    organization: Uuid,
    files: &[Staged],
    reports: &[FileReport],
) -> Vec<NewFile> {
    (0..)
        .zip(files.iter().zip(reports))
        .map(|(position, (file, report))| NewFile {
            import_id: import,
            position,
            organization_id: organization,
            path: report.file.replace('\0', "\u{FFFD}"),
            sha256: file.sha256.map(hex::encode),
            kind: report.kind.as_str(),
            status: report.status,
            run_id: report.run,
            report: crate::db::events::without_nul(json!(report.found)),
        })
        .collect()
}
