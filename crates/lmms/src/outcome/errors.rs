//! The error texts of the evidence, by how much they are worth.

use super::cause::{classify, sentence};
use super::judge::Verdict;
use super::traceback::{last_chain, lines};
use super::{DriverEnd, ErrorLine, Evidence};
use crate::log::{Level, Notice, Stream};
use crate::secrets::redact;

/// How many lines are shown as evidence.
const EVIDENCE_LINES: usize = 8;
/// How long one of them, and the cause, may be, in bytes.
const TEXT_CAP: usize = 1000;
/// What the CLI puts before an error that it swallows.
const LEAD: &str = "Error during evaluation: ";

/// All error texts of the evidence, by how much they are worth.
#[derive(Debug, Default)]
pub(super) struct Errors {
    /// The first exception of the last chain on stderr, when the benchmark failed.
    pub(super) root: Option<String>,
    /// What the driver saw.
    driver: Option<String>,
    /// What the CLI printed after `Error during evaluation:`.
    pub(super) evaluation: Option<String>,
    /// What argparse printed.
    pub(super) usage: Option<String>,
    /// Every other line at level ERROR.
    others: Vec<String>,
}

impl Errors {
    pub(super) fn of(evidence: &Evidence) -> Self {
        let mut errors = Self {
            root: last_chain(&evidence.stderr_tail).into_iter().next(),
            driver: evidence.driver.as_ref().and_then(driver_error),
            ..Self::default()
        };
        for line in &evidence.error_lines {
            errors.add(&line.message);
        }
        for (text, stream) in [
            (&evidence.stdout_tail, Stream::Stdout),
            (&evidence.stderr_tail, Stream::Stderr),
        ] {
            for line in lines(text, stream) {
                let said = matches!(line.notice, Some(Notice::EvaluationError { .. }));
                if said || line.level == Level::Error {
                    errors.add(&line.message);
                }
            }
        }
        errors
    }

    fn add(&mut self, message: &str) {
        if let Some(error) = message.strip_prefix(LEAD) {
            self.evaluation
                .get_or_insert_with(|| strip_hint(error).to_owned());
        } else if let Some((_, refusal)) = message.split_once(": error: ") {
            self.usage.get_or_insert_with(|| refusal.to_owned());
        } else if !is_frame(message) && !self.others.iter().any(|other| other == message) {
            self.others.push(message.to_owned());
        }
    }

    /// The outcome of the first text that speaks of a known cause.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.ranked().find_map(|error| {
            let outcome = classify(error)?;
            Some((outcome, Some(sentence(outcome, error))))
        })
    }

    /// The texts about the failure itself; other errors only speak where there is none, as a
    /// request that failed and was scored as wrong is no cause.
    fn ranked(&self) -> impl Iterator<Item = &String> {
        let direct = [&self.root, &self.evaluation, &self.driver];
        let any = direct.iter().any(|text| text.is_some());
        let others = if any { &[][..] } else { &self.others };
        direct.into_iter().flatten().chain(others)
    }

    /// The text that says most about an error of no known kind.
    pub(super) fn best(&self) -> Option<&String> {
        self.ranked().next()
    }

    /// The lines of the log that show the failure, the true cause first. One error is often said
    /// several times, bare and behind its class or behind a sentence of the CLI: it is shown once.
    pub(super) fn shown(&self, lines: &[ErrorLine]) -> Vec<ErrorLine> {
        let root = self.root.as_ref();
        let cause = lines.iter().rfind(|line| Some(&line.message) == root);
        let mut shown: Vec<ErrorLine> = Vec::new();
        for line in cause.into_iter().chain(lines) {
            let message = one_line(strip_hint(strip_lead(&line.message)));
            let same =
                |other: &ErrorLine| other.message.ends_with(&message) || message.ends_with(&other.message);
            if shown.len() < EVIDENCE_LINES && !is_frame(&line.message) && !shown.iter().any(same) {
                shown.push(ErrorLine {
                    message,
                    ..line.clone()
                });
            }
        }
        shown
    }
}

fn driver_error(end: &DriverEnd) -> Option<String> {
    let error = end.error.as_ref()?;
    match &end.error_type {
        Some(kind) if !error.starts_with(kind.as_str()) => Some(format!("{kind}: {error}")),
        _ => Some(error.clone()),
    }
}

/// Frames of a traceback say nothing alone; its last line does.
fn is_frame(message: &str) -> bool {
    message.starts_with([' ', '\t'])
        || message.contains("Traceback (most recent call last)")
        || message.ends_with("following exception:")
        || message.ends_with("another exception occurred:")
}

fn strip_lead(message: &str) -> &str {
    message.strip_prefix(LEAD).unwrap_or(message)
}

fn strip_hint(error: &str) -> &str {
    let hint = ". Please set `--verbosity=DEBUG` to get more information.";
    error.strip_suffix(hint).unwrap_or(error)
}

/// The text on one line, redacted and cut.
pub(super) fn one_line(text: &str) -> String {
    let mut line = redact(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.len() > TEXT_CAP {
        line.truncate(line.floor_char_boundary(TEXT_CAP));
        line.push_str(" ...");
    }
    line
}
