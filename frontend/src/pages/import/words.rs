//! What is said of an import and of its files.

use types::{ImportFileView, ImportPlan, ImportStatus, ImportView};

use crate::{components::words::Tone, format::plural};

/// How a status is drawn.
pub fn status_tone(import: &ImportView) -> Tone {
    match import.status {
        ImportStatus::Open | ImportStatus::Queued => Tone::Queued,
        ImportStatus::Checking | ImportStatus::Running => Tone::Running,
        ImportStatus::Checked => Tone::Degraded,
        ImportStatus::Completed => Tone::Ok,
        ImportStatus::Failed => Tone::Bad,
        ImportStatus::Cancelled => Tone::Cancelled,
    }
}

/// A status in words.
pub fn status_word(import: &ImportView) -> &'static str {
    match import.status {
        _ if import.cancelling => "Stopping",
        ImportStatus::Open => "Files arrive",
        ImportStatus::Checking => "Being looked at",
        ImportStatus::Checked => "Waits for you",
        ImportStatus::Queued => "Waits for a worker",
        ImportStatus::Running => "Being imported",
        ImportStatus::Completed => "Imported",
        ImportStatus::Failed => "Failed",
        ImportStatus::Cancelled => "Cancelled",
    }
}

/// What a file is.
pub fn kind_word(kind: &str) -> &str {
    match kind {
        "results" => "Results document",
        "samples" => "Samples",
        "api_dump" => "Results with samples",
        "old_samples" => "Samples (before 0.2.4)",
        "log" => "Log",
        "not_lmms_eval" => "Not of lmms-eval",
        "unreadable" => "Unreadable",
        other => other,
    }
}

/// What becomes of a file; before the import, and after it.
pub fn fate(file: &ImportFileView, over: bool) -> (Tone, &'static str) {
    match (file.status.as_str(), over) {
        ("taken", true) => (Tone::Ok, "Taken"),
        ("taken", false) => (Tone::Queued, "Will be taken"),
        ("known", _) => (Tone::Ok, "Known already"),
        ("failed", _) => (Tone::Bad, "Failed"),
        // Logs and other programs' files are no loss.
        _ if matches!(
            file.kind.as_str(),
            "samples" | "old_samples" | "results" | "api_dump"
        ) =>
        {
            (Tone::Degraded, "Left out")
        }
        _ => (Tone::Cancelled, "Left out"),
    }
}

/// What is in a file: scores, samples, and what of them cannot be used.
pub fn contents(file: &ImportFileView) -> String {
    let found = &file.report;
    let parts = [
        (found.metrics, "score", "scores"),
        (found.not_numeric, "not numeric", "not numeric"),
        (found.samples, "sample", "samples"),
        (found.broken, "broken line", "broken lines"),
        (found.redacted, "secret blotted out", "secrets blotted out"),
    ];
    let told = parts.iter().filter(|part| part.0 > 0);
    told.map(|(n, one, many)| plural(*n, one, many))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What an import would do, in one sentence.
pub fn plan_words(plan: &ImportPlan) -> String {
    let new = u64::from(plan.runs - plan.known.min(plan.runs));
    match (new, plan.known) {
        (0, 0) => "There is no run in these files.".to_owned(),
        (0, known) => format!(
            "{} in these files, known already.",
            plural(known.into(), "run", "runs")
        ),
        (new, 0) => format!("{} will be stored.", plural(new, "run", "runs")),
        (new, known) => format!(
            "{} will be stored; {known} known already.",
            plural(new, "run", "runs")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::FileFindings;

    fn file(kind: &str, status: &str) -> ImportFileView {
        ImportFileView {
            position: 0,
            path: "a".into(),
            kind: kind.into(),
            status: status.into(),
            run_id: None,
            sha256: None,
            report: FileFindings {
                metrics: 1,
                samples: 1204,
                broken: 2,
                ..FileFindings::default()
            },
        }
    }

    #[test]
    fn files_are_told_in_words() {
        let told = contents(&file("results", "taken"));
        assert!(
            told.starts_with("1 score, ") && told.ends_with("2 broken lines"),
            "{told}"
        );
        assert_eq!(fate(&file("results", "taken"), false).1, "Will be taken");
        assert_eq!(fate(&file("samples", "left_out"), true).0, Tone::Degraded);
        assert_eq!(fate(&file("log", "left_out"), true).0, Tone::Cancelled);
    }

    #[test]
    fn a_plan_says_what_is_new() {
        let plan = |runs, known| ImportPlan {
            runs,
            known,
            ..ImportPlan::default()
        };
        assert_eq!(plan_words(&plan(0, 0)), "There is no run in these files.");
        assert_eq!(plan_words(&plan(3, 0)), "3 runs will be stored.");
        assert_eq!(plan_words(&plan(3, 2)), "1 run will be stored; 2 known already.");
        assert_eq!(plan_words(&plan(2, 2)), "2 runs in these files, known already.");
    }
}
