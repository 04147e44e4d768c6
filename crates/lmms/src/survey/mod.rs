//! Reads a file of unknown kind and says what is in it.
//!
//! Nothing is stored and nothing trusted: the kind is judged by the content, memory is bounded by
//! the caps of the readers, and what cannot be used is a problem in one sentence. [`pair`] then
//! finds the results document that a samples file belongs to.

mod encoding;
mod log;
mod pairing;
mod samples;

pub use encoding::Utf8Reader;
pub(crate) use log::is_log;
pub use pairing::{Candidate, Paired, pair};
pub use samples::{SampleCount, SampleSurvey};

use std::io::{self, BufRead, BufReader, Read, Seek};

use serde_json::Value;

use crate::document::{Kind, is_json_like, is_json_name, is_sample, kind_of, kind_of_json};
use crate::outcome::Outcome;
use crate::results::{DOCUMENT_CAP, Results, from_value, label, parse_json, parse_noting};
use crate::samples::{SampleReader, of_dump, of_old};
use crate::secrets::redact;
use log::LogSurvey;

/// How much is read to guess what a file is, in bytes.
const HEAD: usize = 64 * 1024;
/// In how many lines a sample is looked for.
const PROBED_LINES: usize = 100;

/// What is in a file.
#[derive(Debug, Clone)]
pub struct Survey {
    /// What it is.
    pub kind: Kind,
    /// What it says about the lmms-eval version.
    pub lmms_eval_version: Option<String>,
    /// The model, as well as the file tells.
    pub model: Option<String>,
    /// The document, of a results document and an API dump.
    pub results: Option<Results>,
    /// The samples in the file.
    pub samples: Vec<SampleSurvey>,
    /// How the run ended, of a log that tells.
    pub outcome: Option<Outcome>,
    /// What could not be used, or should be known, each in one sentence.
    pub problems: Vec<String>,
}

impl Survey {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            lmms_eval_version: None,
            model: None,
            results: None,
            samples: Vec::new(),
            outcome: None,
            problems: Vec::new(),
        }
    }

    /// A file of a kind that says nothing but why.
    #[must_use]
    pub fn refused(kind: Kind, problem: impl Into<String>) -> Self {
        Self {
            problems: vec![problem.into()],
            ..Self::of(kind)
        }
    }
}

/// Reads a file to its end. `name` is its name without folders.
///
/// # Errors
///
/// When it cannot be read.
pub fn survey<R: Read + Seek>(name: &str, input: &mut R) -> io::Result<Survey> {
    let head = head(input)?;
    if head.is_empty() {
        return Ok(Survey::refused(Kind::Unreadable, "the file is empty"));
    }
    match kind_of(&head, name, head.len() < HEAD) {
        Kind::Samples => samples_of(name, input),
        _ if is_json_like(&head) => survey_json(name, input),
        Kind::Unreadable if head.trim_ascii().is_empty() => Ok(Survey::refused(
            Kind::Unreadable,
            "the file holds nothing but blanks",
        )),
        Kind::Unreadable => Ok(Survey::refused(
            Kind::Unreadable,
            "the file is binary; expected JSON, JSON lines or a log",
        )),
        _ => survey_text(name, input),
    }
}

fn text<R: Read + Seek>(input: &mut R) -> io::Result<BufReader<Utf8Reader<&mut R>>> {
    input.rewind()?;
    Ok(BufReader::with_capacity(HEAD, Utf8Reader::new(input)))
}

fn head<R: Read + Seek>(input: &mut R) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    text(input)?.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn samples_of<R: Read + Seek>(name: &str, input: &mut R) -> io::Result<Survey> {
    let mut survey = Survey::of(Kind::Samples);
    let lines = SampleReader::new(text(input)?);
    let found = SampleSurvey::read(pairing::task_of(name), lines, &mut survey.problems);
    survey.samples.push(found);
    Ok(survey)
}

/// Whether a sample is among the first lines.
fn is_sample_within<R: Read + Seek>(lines: usize, input: &mut R) -> io::Result<bool> {
    let mut lines = SampleReader::new(text(input)?).take(lines);
    Ok(lines.any(|line| line.is_ok_and(|sample| is_sample(&sample))))
}

fn survey_json<R: Read + Seek>(name: &str, input: &mut R) -> io::Result<Survey> {
    if is_sample_within(1, input)? {
        return samples_of(name, input);
    }
    let mut bytes = Vec::new();
    text(input)?
        .take(DOCUMENT_CAP as u64 + 1)
        .read_to_end(&mut bytes)?;
    let problem = if bytes.len() > DOCUMENT_CAP {
        format!("one JSON document of more than {DOCUMENT_CAP} bytes")
    } else {
        match parse_noting(&bytes) {
            Ok((document, repeated)) => return Ok(survey_document(name, document, &repeated)),
            Err(error) => format!("the file is no JSON: {}", redact(&error.to_string())),
        }
    };
    drop(bytes);
    // Some lines may be broken, and the first may be one of them.
    if is_sample_within(PROBED_LINES, input)? {
        return samples_of(name, input);
    }
    if !is_json_name(name)
        && let Some(log) = survey_log(input)?
    {
        return Ok(log);
    }
    let kind = if is_lines_of_json(input)? {
        Kind::NotLmmsEval
    } else {
        Kind::Unreadable
    };
    let problem = match kind {
        Kind::NotLmmsEval => "JSON lines without `doc_id` and an answer: no samples".to_owned(),
        _ => problem,
    };
    Ok(Survey::refused(kind, problem))
}

/// Whether the first lines are each a JSON value of their own.
fn is_lines_of_json<R: Read + Seek>(input: &mut R) -> io::Result<bool> {
    let mut lines = text(input)?.take(HEAD as u64).split(b'\n');
    let mut good = 0;
    for _ in 0..2 {
        let Some(line) = lines.next().transpose()? else {
            break;
        };
        good += u32::from(serde_json::from_slice::<Value>(&line).is_ok());
    }
    Ok(good == 2)
}

/// The JSON document in a file.
///
/// # Errors
///
/// When it cannot be read, is too large, or is no JSON.
pub fn document<R: Read + Seek>(input: &mut R) -> io::Result<Value> {
    let mut bytes = Vec::new();
    text(input)?
        .take(DOCUMENT_CAP as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > DOCUMENT_CAP {
        return Err(io::Error::other("the document is too large"));
    }
    parse_json(&bytes).map_err(io::Error::other)
}

fn survey_document(name: &str, document: Value, repeated: &[String]) -> Survey {
    let kind = kind_of_json(&document);
    let mut survey = Survey::of(kind);
    match kind {
        Kind::Results | Kind::ApiDump => read_results(&mut survey, &document, repeated),
        Kind::OldSamples => {
            let (task, model) = old_head(&document);
            survey.model = model;
            let task = task.or_else(|| name.strip_suffix(".json").map(str::to_owned));
            let found = SampleSurvey::read(task, of_old(document), &mut survey.problems);
            survey.samples.push(found);
            return survey;
        }
        _ => survey.problems.push(
            "JSON, but nothing that lmms-eval writes: expected an object `results`, or a list `logs`"
                .to_owned(),
        ),
    }
    if kind == Kind::ApiDump {
        for (task, list) in of_dump(document) {
            let found = SampleSurvey::read(Some(task), list, &mut survey.problems);
            survey.samples.push(found);
        }
    }
    survey
}

fn read_results(survey: &mut Survey, document: &Value, repeated: &[String]) {
    match from_value(document) {
        Ok(mut results) => {
            results.note_repeated(repeated);
            survey.lmms_eval_version = results.lmms_eval_version.clone();
            survey.model = results.model_label.clone();
            survey.problems = results.problems.iter().map(ToString::to_string).collect();
            survey.results = Some(results);
        }
        Err(error) => survey.problems.push(error.to_string()),
    }
}

/// Task and model of an old samples file: its `model_configs` is the configuration of the task.
fn old_head(document: &Value) -> (Option<String>, Option<String>) {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let args = &document["args"];
    let pairs = text(&args["model_args"]).map(|args| crate::command::arguments::pairs(&args));
    let model = pairs
        .and_then(|pairs| label(&pairs))
        .or_else(|| text(&args["model"]));
    (
        text(&document["model_configs"]["task"]),
        model.as_deref().map(redact),
    )
}

fn survey_text<R: Read + Seek>(name: &str, input: &mut R) -> io::Result<Survey> {
    if let Some(log) = survey_log(input)? {
        return Ok(log);
    }
    if is_sample_within(PROBED_LINES, input)? {
        return samples_of(name, input);
    }
    Ok(Survey::refused(
        Kind::NotLmmsEval,
        "text, but no output of lmms-eval",
    ))
}

fn survey_log<R: Read + Seek>(input: &mut R) -> io::Result<Option<Survey>> {
    let mut survey = LogSurvey::default();
    let mut input = text(input)?;
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            break;
        }
        let n = bytes.len();
        survey.push(bytes);
        input.consume(n);
    }
    Ok(survey.finish().then(|| survey.survey()))
}
