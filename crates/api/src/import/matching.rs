//! Which files belong together, once all of them were looked at.

use lmms::results::Results;
use lmms::survey::{Candidate, Paired, SampleSurvey, Survey, pair};

/// The results documents among some files.
pub(super) struct Documents<'a> {
    files: Vec<Document<'a>>,
}

struct Document<'a> {
    index: usize,
    path: &'a str,
    results: &'a Results,
    tasks: Vec<&'a str>,
}

impl<'a> Documents<'a> {
    /// Those of the files, which keep their index.
    pub(super) fn of(files: impl Iterator<Item = (usize, &'a str, &'a Survey)>) -> Self {
        let document = |(index, path, survey): (usize, &'a str, &'a Survey)| {
            let results = survey.results.as_ref()?;
            let tasks = results.tasks.iter().map(|task| task.name.as_str()).collect();
            Some(Document {
                index,
                path,
                results,
                tasks,
            })
        };
        Self {
            files: files.filter_map(document).collect(),
        }
    }

    /// The only document that there is.
    pub(super) fn only(&self) -> Option<usize> {
        match self.files.as_slice() {
            [only] => Some(only.index),
            _ => None,
        }
    }

    /// A document that the user named, with the task that these samples are of.
    pub(super) fn with_task(&self, file: usize, task: Option<&str>) -> Result<Paired, String> {
        let document = self.files.iter().find(|document| document.index == file);
        let tasks = document.map_or(&[][..], |document| &document.tasks);
        let task = match (task, tasks) {
            (Some(task), tasks) => tasks.iter().find(|own| **own == task),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let paired = |task: &&str| Paired {
            results: file,
            task: (*task).to_owned(),
        };
        task.map(paired)
            .ok_or_else(|| "the results document that the mapping names has no such task".to_owned())
    }

    /// The document that samples belong to, as the index of its file.
    pub(super) fn partner(&self, path: &str, task: Option<&str>) -> Result<Paired, String> {
        let candidates: Vec<Candidate<'_>> = self
            .files
            .iter()
            .map(|document| Candidate {
                path: document.path,
                date: document.results.date.as_deref(),
                tasks: &document.tasks,
            })
            .collect();
        pair(path, task, &candidates).map(|paired| Paired {
            results: self.files[paired.results].index,
            ..paired
        })
    }
}

/// What samples lack or have too much of, beside their results document.
pub(super) fn differences(samples: &SampleSurvey, results: &Results, task: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(summary) = results.task(task) else {
        return problems;
    };
    if let Some(n) = summary.n.filter(|n| samples.documents < *n) {
        problems.push(format!(
            "samples of {} documents, but {n} were evaluated",
            samples.documents
        ));
    }
    let filters = summary.filters.len().max(1) as u64;
    if samples.most_often > filters {
        problems.push(format!(
            "a document comes up {} times, but the task has {filters} filters: more than one run in one file",
            samples.most_often
        ));
    }
    problems
}
