//! How a benchmark ended: gathers the evidence and lets `lmms` judge it.

use super::{outputs, stop::Why};
use crate::{
    dir::{AttemptDir, open_regular, read_capped},
    job::{JobBenchmark, Limits},
};
use chrono::{DateTime, Utc};
use lmms::{
    log::{Item, Level, LogParser, Notice, Stream},
    outcome::{DriverEnd, ErrorLine, Evidence, Exit, Judgement, ResultsFound, judge},
    results,
};
use std::{
    collections::BTreeMap,
    io::{Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};
use types::{BenchmarkDone, EvidenceLine, LogStream, Outcome};

/// Of a longer log only the last part is looked at.
const LOG_CAP: u64 = 32 << 20;
/// Holds the longest chain of tracebacks.
const TAIL: usize = 64 * 1024;
const ERROR_LINES: usize = 400;

/// What the keeper knows about the end of a benchmark.
#[derive(Debug, Default)]
pub(super) struct Ending {
    pub(super) exit: Option<Exit>,
    pub(super) alive: bool,
    pub(super) start_error: Option<String>,
    pub(super) by_driver: bool,
    pub(super) imported: bool,
    pub(super) driver: Option<DriverEnd>,
    pub(super) why: Option<Why>,
    /// Whether the machine ran out of memory when the process was killed.
    pub(super) out_of_memory: bool,
    pub(super) stdout: Range<u64>,
    pub(super) stderr: Range<u64>,
}

/// Judges a benchmark and describes its files.
pub(super) fn reach(
    dir: &AttemptDir,
    benchmark: &JobBenchmark,
    limits: &Limits,
    ending: &Ending,
    started_at: DateTime<Utc>,
    secrets: &BTreeMap<String, String>,
) -> BenchmarkDone {
    let evidence = gather(dir, benchmark, limits, ending);
    let mut verdict = judge(&evidence);
    overrule(&mut verdict, ending, limits);
    let blot = |text: String| blot_out(text, secrets);
    BenchmarkDone {
        order: benchmark.order,
        name: benchmark.name.clone(),
        outcome: outcome(verdict.outcome),
        cause: verdict.cause.map(blot),
        evidence: verdict
            .evidence_lines
            .into_iter()
            .map(|line| EvidenceLine {
                stream: stream(line.stream),
                byte_offset: line.byte_offset,
                message: blot(line.message),
            })
            .collect(),
        started_at,
        ended_at: Utc::now(),
        files: outputs::list(dir, benchmark.order, limits),
    }
}

/// What the log cannot tell: the keeper's own reason, and the kernel's.
fn overrule(verdict: &mut Judgement, ending: &Ending, limits: &Limits) {
    use lmms::outcome::Outcome::{Completed, Crashed, Killed, OutOfMemory};
    let (outcome, cause) = match (verdict.outcome, ending.why) {
        (Completed, _) => return,
        (_, Some(why @ Why::LogLimit)) => (Crashed, why.sentence(limits)),
        (Killed, None) if ending.out_of_memory => {
            let cause = "the process was killed when this machine had run out of memory";
            (OutOfMemory, cause.to_owned())
        }
        _ => return,
    };
    verdict.outcome = outcome;
    verdict.cause = Some(cause);
}

fn outcome(outcome: lmms::outcome::Outcome) -> Outcome {
    // Both are the same closed list; a test below holds them together.
    outcome.as_str().parse().unwrap_or(Outcome::Crashed)
}

/// Replaces the values of secrets; what is too short to be told from chance is left.
pub(crate) fn blot_out(mut text: String, secrets: &BTreeMap<String, String>) -> String {
    for value in secrets.values().filter(|value| value.len() >= 6) {
        if text.contains(value.as_str()) {
            text = text.replace(value.as_str(), lmms::secrets::REDACTED);
        }
    }
    text
}

fn stream(stream: Stream) -> LogStream {
    match stream {
        Stream::Stdout => LogStream::Stdout,
        Stream::Stderr => LogStream::Stderr,
    }
}

fn gather(dir: &AttemptDir, benchmark: &JobBenchmark, limits: &Limits, ending: &Ending) -> Evidence {
    let stdout = Part::read(&dir.path("stdout.log"), Stream::Stdout, &ending.stdout);
    let stderr = Part::read(&dir.path("stderr.log"), Stream::Stderr, &ending.stderr);
    let outcome = ending.why.map(Why::outcome);
    let mut error_lines = stdout.errors;
    error_lines.extend(stderr.errors);
    Evidence {
        exit: ending.exit,
        alive: ending.alive,
        start_error: ending.start_error.clone(),
        imported: ending.imported || stdout.logged,
        by_driver: ending.by_driver,
        driver: ending.driver.clone(),
        results: results_of(dir, benchmark, limits),
        asked: benchmark.leaf_tasks.clone(),
        error_lines,
        stdout_tail: stdout.tail,
        stderr_tail: stderr.tail,
        cancel_requested: outcome == Some(Outcome::Cancelled),
        timed_out: outcome == Some(Outcome::TimedOut),
        stalled: outcome == Some(Outcome::Stalled),
        ..Evidence::default()
    }
}

fn results_of(dir: &AttemptDir, benchmark: &JobBenchmark, limits: &Limits) -> ResultsFound {
    let Some(path) = outputs::newest_results(dir, benchmark.order, limits) else {
        return ResultsFound::default();
    };
    let bytes = read_capped(&path, results::DOCUMENT_CAP as u64).map_err(|error| error.to_string());
    let parsed = bytes.and_then(|bytes| results::parse(&bytes).map_err(|error| error.to_string()));
    match parsed {
        Ok(results) => ResultsFound {
            found: true,
            unreadable: None,
            tasks: results.rows().into_iter().map(str::to_owned).collect(),
        },
        Err(reason) => ResultsFound {
            found: true,
            unreadable: Some(reason),
            tasks: Vec::new(),
        },
    }
}

/// What one stream said during the benchmark.
#[derive(Default)]
struct Part {
    errors: Vec<ErrorLine>,
    tail: String,
    logged: bool,
}

impl Part {
    fn read(path: &Path, stream: Stream, range: &Range<u64>) -> Self {
        let begin = range.start.max(range.end.saturating_sub(LOG_CAP));
        let Some(bytes) = read_range(path, begin..range.end) else {
            return Self::default();
        };
        let tail = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(TAIL)..]).into_owned();
        let mut parser = LogParser::resume(stream, begin);
        let mut items = parser.push(&bytes);
        items.extend(parser.finish());
        let mut part = Self {
            tail,
            ..Self::default()
        };
        for item in items {
            part.take(stream, item);
        }
        part
    }

    fn take(&mut self, stream: Stream, item: Item) {
        let Item::Line(line) = item else {
            return;
        };
        self.logged |= line.origin.is_some();
        let said = matches!(line.notice, Some(Notice::EvaluationError { .. }));
        if line.level != Level::Error && !said {
            return;
        }
        // Of very many the first and the last are kept: the first traceback is the cause.
        if self.errors.len() == ERROR_LINES {
            self.errors.remove(ERROR_LINES / 2);
        }
        self.errors.push(ErrorLine {
            stream,
            byte_offset: line.byte_offset,
            message: line.message,
        });
    }
}

fn read_range(path: &Path, range: Range<u64>) -> Option<Vec<u8>> {
    let mut file = open_regular(path).ok()?;
    file.seek(SeekFrom::Start(range.start)).ok()?;
    let mut bytes = Vec::new();
    file.take(range.end.saturating_sub(range.start))
        .read_to_end(&mut bytes)
        .ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_by_the_kernel_is_told_from_others() {
        let killed = Judgement {
            outcome: lmms::outcome::Outcome::Killed,
            degraded: None,
            cause: None,
            evidence_lines: Vec::new(),
        };
        for (out_of_memory, expected) in [(true, Outcome::OutOfMemory), (false, Outcome::Killed)] {
            let mut verdict = killed.clone();
            let ending = Ending {
                out_of_memory,
                ..Ending::default()
            };
            overrule(&mut verdict, &ending, &Limits::default());
            assert_eq!(outcome(verdict.outcome), expected);
        }
    }

    #[test]
    fn every_outcome_of_lmms_is_one_of_ours() {
        for theirs in lmms::outcome::Outcome::ALL {
            assert_eq!(outcome(theirs).as_str(), theirs.as_str());
        }
    }
}
