//! Captured output of an lmms-eval process: whether it is one, and how it ended.

use super::Survey;
use crate::command::arguments;
use crate::document::Kind;
use crate::log::{Item, Line, LogParser, Notice, Phase, Stream};
use crate::outcome::{Evidence, Outcome, judge};
use crate::results::label;
use crate::secrets::redact;

/// How much of the end is kept for the judgement, in bytes.
const TAIL: usize = 64 * 1024;
/// Parts of the package in which a frame of a traceback belongs to a run.
const PARTS: [&str; 9] = [
    "__main__.py",
    "evaluator.py",
    "api/",
    "caching/",
    "cli/",
    "loggers/",
    "models/",
    "tasks/",
    "utils",
];

/// Reads a log piece by piece.
#[derive(Debug)]
pub(super) struct LogSurvey {
    parser: LogParser,
    tail: Vec<u8>,
    is_run: bool,
    model: Option<String>,
    /// How the run that ended last ended.
    last: Option<Ended>,
    tables: u32,
    failures: u32,
    gave_up: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Table,
    Failure,
}

impl Default for LogSurvey {
    fn default() -> Self {
        Self {
            parser: LogParser::new(Stream::Stdout),
            tail: Vec::new(),
            is_run: false,
            model: None,
            last: None,
            tables: 0,
            failures: 0,
            gave_up: 0,
        }
    }
}

impl LogSurvey {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
        for item in self.parser.push(bytes) {
            self.take(&item);
        }
    }

    /// Takes the end, and says whether lmms-eval ran in it.
    pub(super) fn finish(&mut self) -> bool {
        let parser = std::mem::replace(&mut self.parser, LogParser::new(Stream::Stdout));
        for item in parser.finish() {
            self.take(&item);
        }
        self.is_run
    }

    fn take(&mut self, item: &Item) {
        match item {
            Item::Line(line) => self.take_line(line),
            Item::Progress(bar) => {
                self.is_run |= bar.desc.as_deref() == Some("Model Responding");
            }
            Item::Phase(mark) => self.is_run |= mark.phase == Phase::Done,
        }
    }

    fn take_line(&mut self, line: &Line) {
        self.is_run |= is_of_run(line);
        match &line.notice {
            Some(Notice::EvaluationError { .. }) => {
                self.failures += 1;
                self.last = Some(Ended::Failure);
            }
            Some(Notice::GaveUp { .. }) => self.gave_up += 1,
            Some(Notice::Traceback) if self.last != Some(Ended::Failure) => self.last = None,
            _ => {}
        }
        if is_table(&line.message) {
            self.is_run = true;
            self.tables += 1;
            self.last = Some(Ended::Table);
        } else if self.model.is_none() {
            self.model = model_of(&line.message);
        }
    }

    /// What the log amounts to.
    pub(super) fn survey(self) -> Survey {
        let mut survey = Survey {
            model: self.model.as_deref().map(redact),
            ..Survey::of(Kind::Log)
        };
        if self.last == Some(Ended::Table) {
            survey.outcome = Some(Outcome::Completed);
        } else {
            self.judge_failure(&mut survey);
        }
        if self.gave_up > 0 {
            let message = format!(
                "{} requests failed for good and were scored as wrong",
                self.gave_up
            );
            survey.problems.push(message);
        }
        if self.tables > 0 && self.failures > 0 {
            survey.problems.push(format!(
                "several runs in one log: {} tables and {} failures",
                self.tables, self.failures
            ));
        }
        survey
            .problems
            .push("a log: no metrics are taken from it, as its values are rounded".to_owned());
        survey
    }

    fn judge_failure(&self, survey: &mut Survey) {
        let judgement = judge(&Evidence {
            imported: true,
            stderr_tail: String::from_utf8_lossy(&self.tail).into_owned(),
            ..Evidence::default()
        });
        match judgement.cause {
            Some(cause) if judgement.outcome != Outcome::Lost => {
                survey.outcome = Some(judgement.outcome);
                survey.problems.push(cause);
            }
            _ => survey
                .problems
                .push("the log ends before a table of results, and names no error".to_owned()),
        }
    }
}

/// Whether bytes are the output of an lmms-eval process.
pub(crate) fn is_log(bytes: &[u8]) -> bool {
    let mut survey = LogSurvey::default();
    survey.push(bytes);
    survey.finish()
}

/// Whether a line is one that only a run prints: programs beside it also live in folders that are
/// called so, and texts about lmms-eval name it, too.
fn is_of_run(line: &Line) -> bool {
    let message = line.message.as_str();
    if matches!(
        line.notice,
        Some(Notice::EvaluationError { .. } | Notice::BudgetExceeded)
    ) {
        return true;
    }
    if let Some(origin) = &line.origin {
        return origin.contains("lmms_eval") || origin.contains(":cli_evaluate");
    }
    message.contains("Model Responding")
        || ["usage: lmms-eval", "usage: lmms_eval", "lmms-eval: error: "]
            .iter()
            .any(|start| message.starts_with(start))
        || is_frame(message)
        || names_package(message)
}

/// A frame of a traceback, or a warning, from inside of the package.
fn is_frame(message: &str) -> bool {
    let inside = |(at, _): (usize, &str)| {
        let rest = &message[at + "lmms_eval/".len()..];
        PARTS.iter().any(|part| rest.starts_with(part))
    };
    let spoken = message.trim_start().starts_with("File \"") || message.contains("Warning: ");
    spoken && message.match_indices("lmms_eval/").any(inside)
}

/// A line with a level, a shell's echo or Python's own refusal that names the package.
fn names_package(message: &str) -> bool {
    let Some(at) = message.find("lmms_eval") else {
        return false;
    };
    let is_path = message[..at].ends_with('/') || message[at..].starts_with("lmms_eval/");
    let is_level = |word: &str| {
        let word = word.trim_end_matches(|c: char| !c.is_alphanumeric());
        ["INFO", "WARNING", "ERROR", "DEBUG"]
            .iter()
            .any(|level| word.ends_with(level))
    };
    let leveled = message.split_whitespace().any(is_level);
    (leveled && !is_path) || message.starts_with("+ ") || message.contains("No module named")
}

/// The header of a table of results, whose columns differ between versions.
fn is_table(message: &str) -> bool {
    let has = |name: &str| message.split('|').any(|cell| cell.trim() == name);
    message.starts_with('|') && has("Tasks") && has("Metric") && has("Value")
}

/// The model from the line before a table: `<model> (<model_args>), gen_kwargs: (...), limit: ...`.
fn model_of(message: &str) -> Option<String> {
    let (before, _) = message.split_once("), gen_kwargs: (")?;
    let (model, args) = before.split_once(" (")?;
    Some(label(&arguments::pairs(args)).unwrap_or_else(|| model.to_owned()))
}
