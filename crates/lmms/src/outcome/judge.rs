//! The success rule, and the order in which the evidence of a failure is heard.
//!
//! A benchmark succeeded when the driver reported no exception (in plain mode: the process exited
//! 0), a new results document appeared, it holds every leaf task that was asked for, and no line
//! said `Error during evaluation:`. What we did to the process ourselves (cancel, limits) only
//! explains a failure: a benchmark that was through by then is through.

use super::cause::sentence;
use super::errors::{Errors, one_line};
use super::{Degraded, Evidence, Exit, Judgement, Outcome, SampleCounts};

/// Judges how a benchmark ended.
#[must_use]
pub fn judge(evidence: &Evidence) -> Judgement {
    let errors = Errors::of(evidence);
    let (outcome, cause) = verdict(evidence, &errors);
    Judgement {
        outcome,
        degraded: (outcome == Outcome::Completed)
            .then(|| degraded(evidence.samples))
            .flatten(),
        cause: cause.map(|cause| one_line(&cause)),
        evidence_lines: if outcome == Outcome::Completed {
            Vec::new()
        } else {
            errors.shown(&evidence.error_lines)
        },
    }
}

/// An outcome and one sentence on its cause.
pub(super) type Verdict = (Outcome, Option<String>);

fn verdict(evidence: &Evidence, errors: &Errors) -> Verdict {
    if let Some(error) = &evidence.start_error {
        return (
            Outcome::StartFailed,
            Some(format!("the process could not be started: {error}")),
        );
    }
    let ended_well = ended_well(evidence) && errors.evaluation.is_none();
    if ended_well {
        let (outcome, cause) = results_verdict(evidence);
        if outcome == Outcome::Completed {
            return (outcome, cause);
        }
    }
    our_own_doing(evidence)
        .or_else(|| signal_verdict(evidence, errors))
        .or_else(|| errors.verdict())
        .or_else(|| not_started(evidence, errors))
        .or_else(|| ended_well.then(|| results_verdict(evidence)))
        .unwrap_or_else(|| unexplained(evidence, errors))
}

fn ended_well(evidence: &Evidence) -> bool {
    if !evidence.by_driver {
        return evidence.exit == Some(Exit::Code(0));
    }
    let clean_exit = |exit: &str| matches!(exit, "" | "0" | "None");
    evidence
        .driver
        .as_ref()
        .is_some_and(|end| end.error.is_none() && end.exit.as_deref().is_none_or(clean_exit))
}

fn results_verdict(evidence: &Evidence) -> Verdict {
    let results = &evidence.results;
    let missing: Vec<&str> = evidence
        .asked
        .iter()
        .filter(|task| !results.tasks.contains(task))
        .map(String::as_str)
        .collect();
    let cause = if let Some(reason) = &results.unreadable {
        format!("the results document cannot be read: {reason}")
    } else if !results.found {
        "lmms-eval ended without an error, but wrote no results document".to_owned()
    } else if !missing.is_empty() {
        format!("the results document has no entry for `{}`", missing.join("`, `"))
    } else {
        return (Outcome::Completed, None);
    };
    (Outcome::ResultsUnreadable, Some(cause))
}

fn our_own_doing(evidence: &Evidence) -> Option<Verdict> {
    let (outcome, cause) = if evidence.cancel_requested {
        (Outcome::Cancelled, "cancelled on request")
    } else if evidence.timed_out {
        (
            Outcome::TimedOut,
            "ended because the wall-clock limit was reached",
        )
    } else if evidence.stalled {
        (
            Outcome::Stalled,
            "ended because it gave no sign of life for longer than allowed",
        )
    } else {
        return None;
    };
    Some((outcome, Some(cause.to_owned())))
}

/// Signals that others send; those of a fault of the process itself are a crash. A process that is
/// killed prints nothing, so older errors explain nothing, unless they speak of memory.
fn signal_verdict(evidence: &Evidence, errors: &Errors) -> Option<Verdict> {
    let signal = match evidence.exit? {
        Exit::Signal(signal) => signal,
        // A shell or launcher in between reports a signal as 128 + n.
        Exit::Code(code @ (130 | 137 | 143)) => code - 128,
        Exit::Code(_) => return None,
    };
    let said = errors.verdict();
    if said
        .as_ref()
        .is_some_and(|(outcome, _)| *outcome == Outcome::OutOfMemory)
    {
        return said;
    }
    let name = signal_name(signal);
    let (outcome, cause) = match (signal, errors.best()) {
        (9, _) => {
            let guess = "perhaps by the kernel for lack of memory";
            (
                Outcome::Killed,
                format!("the process was ended by {name}, {guess}"),
            )
        }
        (1 | 2 | 15, _) => (
            Outcome::Killed,
            format!("the process was ended by {name} from outside"),
        ),
        (_, Some(error)) => (
            Outcome::Crashed,
            format!("the process crashed with {name}: {error}"),
        ),
        (_, None) => (Outcome::Crashed, format!("the process crashed with {name}")),
    };
    Some((outcome, Some(cause)))
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

/// Before lmms-eval was imported, everything that goes wrong is a failed start.
fn not_started(evidence: &Evidence, errors: &Errors) -> Option<Verdict> {
    let failed = matches!(evidence.exit, Some(Exit::Code(code)) if code != 0);
    let refused = errors.usage.clone();
    if let Some(refusal) = refused.filter(|_| failed || refused_in_driver(evidence)) {
        return Some((
            Outcome::BadArguments,
            Some(sentence(Outcome::BadArguments, &refusal)),
        ));
    }
    if !failed || evidence.imported {
        return None;
    }
    let why = errors.root.clone().unwrap_or_else(|| exit_text(evidence.exit));
    Some((
        Outcome::StartFailed,
        Some(format!("lmms-eval could not be imported: {why}")),
    ))
}

fn refused_in_driver(evidence: &Evidence) -> bool {
    let exit = evidence.driver.as_ref().and_then(|end| end.exit.as_deref());
    exit == Some("2")
}

fn unexplained(evidence: &Evidence, errors: &Errors) -> Verdict {
    if let Some(error) = errors.best() {
        return (Outcome::Crashed, Some(sentence(Outcome::Crashed, error)));
    }
    if evidence.exit.is_none() && evidence.driver.is_none() {
        let cause = "the executor lost contact, and nothing tells how the process ended";
        return (Outcome::Lost, Some(cause.to_owned()));
    }
    (
        Outcome::Crashed,
        Some(format!("the process ended early: {}", exit_text(evidence.exit))),
    )
}

fn exit_text(exit: Option<Exit>) -> String {
    match exit {
        Some(Exit::Code(code)) => format!("exit code {code}"),
        Some(Exit::Signal(signal)) => signal_name(signal),
        None => "it exited without a code".to_owned(),
    }
}

fn degraded(counts: SampleCounts) -> Option<Degraded> {
    let parts = [
        (counts.failed_requests, "requests failed and were scored as wrong"),
        (
            counts.over_budget,
            "samples were never asked because the token budget ran out",
        ),
        (counts.empty, "answers are empty"),
        (counts.bad_lines, "lines of the samples cannot be read"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} of {} {what}", counts.total.max(*count)))
        .collect();
    (!said.is_empty()).then(|| Degraded {
        counts,
        reason: said.join("; "),
    })
}
