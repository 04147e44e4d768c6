//! `import --check`: reads, and prints one JSON line per file. Needs no database.

use super::matching::{self, Documents};
use super::source::{Found, Walk};
use lmms::document::Kind;
use lmms::results::Metric;
use lmms::survey::{SampleCount, Survey, survey};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::PathBuf;

/// How many problems of one file are told, and how long one of them may be, in bytes.
const PROBLEMS: usize = 200;
const PROBLEM: usize = 1000;

/// What is said about one file.
#[derive(Clone, Debug, Serialize)]
pub struct FileLine {
    /// Its path.
    pub file: String,
    /// What it is.
    pub kind: Kind,
    /// What it says about the lmms-eval version.
    pub lmms_eval_version: Option<String>,
    /// The model, as well as the file tells.
    pub model: Option<String>,
    /// The scores in it.
    pub metrics: Vec<MetricLine>,
    /// The samples in it.
    pub samples: Vec<SampleCount>,
    /// The results document that its samples belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results_file: Option<String>,
    /// How the run ended, of a log that tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// What could not be used, or should be known.
    pub problems: Vec<String>,
}

/// One score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricLine {
    /// The task or group.
    pub task: String,
    /// The metric; `metric/sub key` when it comes from an object.
    pub metric: String,
    /// The filter.
    pub filter: String,
    /// The value; null when there is no score.
    pub value: Option<f64>,
    /// Its standard error.
    pub stderr: Option<f64>,
    /// How many documents were evaluated.
    pub n: Option<u64>,
    /// The direction that the task declares.
    pub higher_is_better: Option<bool>,
}

impl From<&Metric> for MetricLine {
    fn from(metric: &Metric) -> Self {
        Self {
            task: metric.task.clone(),
            metric: metric.name.clone(),
            filter: metric.filter.clone(),
            value: metric.value,
            stderr: metric.stderr,
            n: metric.n,
            higher_is_better: metric.higher_is_better,
        }
    }
}

/// A file that was looked at.
struct Looked {
    path: String,
    survey: Survey,
    sha256: Option<[u8; 32]>,
}

/// Prints a line for every file of the paths; false when a path is not there at all.
///
/// # Errors
/// When nothing can be printed.
pub fn check(paths: &[PathBuf], out: &mut dyn Write) -> io::Result<bool> {
    let mut looked = Vec::new();
    Walk::default().each(paths, &mut |found| looked.push(look(found)));
    for line in lines(&looked) {
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)?;
    }
    Ok(paths.iter().all(|path| path.symlink_metadata().is_ok()))
}

fn look(found: Found) -> Looked {
    let name = found.path.rsplit('/').next().unwrap_or_default();
    let read = found.content.and_then(|mut file| {
        let hash = digest(&mut file).and_then(|hash| Ok((survey(name, &mut file)?, hash)));
        hash.map_err(|error| format!("it cannot be read: {error}"))
    });
    match read {
        Ok((survey, hash)) => Looked {
            sha256: Some(hash),
            path: found.path,
            survey,
        },
        Err(why) => Looked {
            path: found.path,
            survey: Survey::refused(Kind::Unreadable, why),
            sha256: None,
        },
    }
}

/// The hash of a file's bytes.
pub(super) fn digest(file: &mut File) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    file.rewind()?;
    let mut input = BufReader::with_capacity(1 << 16, &mut *file);
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        hash.update(bytes);
        let n = bytes.len();
        input.consume(n);
    }
    file.rewind()?;
    Ok(hash.finalize().into())
}

fn lines(looked: &[Looked]) -> Vec<FileLine> {
    let documents = Documents::of(
        looked
            .iter()
            .enumerate()
            .map(|(index, file)| (index, file.path.as_str(), &file.survey)),
    );
    let mut first: HashMap<[u8; 32], &str> = HashMap::new();
    let mut lines = Vec::with_capacity(looked.len());
    for file in looked {
        let mut line = line(file);
        if matches!(file.survey.kind, Kind::Samples | Kind::OldSamples) {
            join(&mut line, file, &documents, looked);
        }
        if let Some(results) = &file.survey.results {
            let own = file.survey.samples.iter();
            let different =
                own.flat_map(|s| matching::differences(s, results, s.task.as_deref().unwrap_or("")));
            line.problems.extend(different);
        }
        if let Some(hash) = file.sha256.filter(|_| is_taken(file.survey.kind)) {
            match first.get(&hash) {
                Some(path) => line
                    .problems
                    .push(format!("the same bytes as `{path}`: taken once")),
                None => {
                    first.insert(hash, &file.path);
                }
            }
        }
        tidy(&mut line.problems);
        lines.push(line);
    }
    lines
}

/// Whether an import takes rows from files of this kind.
fn is_taken(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Results | Kind::Samples | Kind::ApiDump | Kind::OldSamples
    )
}

fn line(file: &Looked) -> FileLine {
    let survey = &file.survey;
    let metrics = survey.results.iter().flat_map(|results| &results.metrics);
    FileLine {
        file: file.path.clone(),
        kind: survey.kind,
        lmms_eval_version: survey.lmms_eval_version.clone(),
        model: survey.model.clone(),
        metrics: metrics.map(MetricLine::from).collect(),
        samples: survey
            .samples
            .iter()
            .map(lmms::survey::SampleSurvey::counted)
            .collect(),
        results_file: None,
        outcome: survey.outcome.map(lmms::outcome::Outcome::as_str),
        problems: survey.problems.clone(),
    }
}

/// Joins samples with their results document, and says what does not fit.
fn join(line: &mut FileLine, file: &Looked, documents: &Documents<'_>, looked: &[Looked]) {
    for (samples, counted) in file.survey.samples.iter().zip(&mut line.samples) {
        match documents.partner(&file.path, samples.task.as_deref()) {
            Ok(paired) => {
                let partner = &looked[paired.results];
                if let Some(results) = &partner.survey.results {
                    line.problems
                        .extend(matching::differences(samples, results, &paired.task));
                }
                line.results_file = Some(partner.path.clone());
                counted.task = Some(paired.task);
            }
            Err(why) => line.problems.push(why),
        }
    }
}

/// So many problems, each so long, and no more.
fn tidy(problems: &mut Vec<String>) {
    let more = problems.len().saturating_sub(PROBLEMS);
    problems.truncate(PROBLEMS);
    for problem in problems.iter_mut().filter(|problem| problem.len() > PROBLEM) {
        problem.truncate(problem.floor_char_boundary(PROBLEM));
        problem.push('…');
    }
    if more > 0 {
        problems.push(format!("{more} more problems"));
    }
}

#[cfg(test)]
mod tests;
