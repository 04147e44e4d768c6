//! How many samples there are, and which lines are none.

use std::collections::{BTreeSet, HashMap};

use crate::samples::{BadLine, Sample};

/// How many broken lines are named.
const NAMED: u64 = 10;
/// How many media are named.
const MEDIA: usize = 200_000;
/// Longest name of a medium, in bytes.
const PATH: usize = 4096;

/// The samples of one task in a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SampleSurvey {
    /// The leaf task, when name or place tells.
    pub task: Option<String>,
    /// Samples that can be read.
    pub count: u64,
    /// Documents that they are about.
    pub documents: u64,
    /// How often the document comes up that comes up most.
    pub most_often: u64,
    /// Lines, or entries of the list, that are no sample.
    pub bad: u64,
    /// The media that samples name, each once; embedded ones are not among them.
    pub media: BTreeSet<String>,
}

/// The samples of one task, as the check prints them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SampleCount {
    /// The leaf task.
    pub task: Option<String>,
    /// Samples that can be read.
    pub count: u64,
}

impl SampleSurvey {
    /// Reads all samples; those that are none go to `problems`.
    pub(super) fn read(
        task: Option<String>,
        samples: impl IntoIterator<Item = Result<Sample, BadLine>>,
        problems: &mut Vec<String>,
    ) -> Self {
        let mut survey = Self {
            task,
            ..Self::default()
        };
        let mut documents: HashMap<i64, u32> = HashMap::new();
        let mut truncated = 0_u64;
        for sample in samples {
            match sample {
                Ok(sample) => {
                    survey.count += 1;
                    truncated += u64::from(sample.flags.truncated);
                    survey.take_media(sample.input_media);
                    *documents.entry(sample.doc_id).or_default() += 1;
                }
                Err(bad) => {
                    survey.bad += 1;
                    if survey.bad <= NAMED {
                        problems.push(format!("{bad}: this sample is lost"));
                    }
                }
            }
        }
        if survey.bad > NAMED {
            problems.push(format!("{} more samples cannot be read", survey.bad - NAMED));
        }
        if truncated > 0 {
            problems.push(format!(
                "{truncated} samples hold a text that is cut, as it is too long"
            ));
        }
        survey.documents = documents.len() as u64;
        survey.most_often = documents.values().max().copied().unwrap_or(0).into();
        survey
    }

    fn take_media(&mut self, sources: Vec<String>) {
        let named = sources.into_iter().filter(|source| !source.starts_with("data:"));
        let room = MEDIA.saturating_sub(self.media.len());
        self.media
            .extend(named.filter(|source| source.len() <= PATH).take(room));
    }

    /// What the check prints.
    #[must_use]
    pub fn counted(&self) -> SampleCount {
        SampleCount {
            task: self.task.clone(),
            count: self.count,
        }
    }
}
