//! What a message or a bar says about where the run is.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{Notice, Phase};

/// What only the final line has in it.
static FINAL: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("), gen_kwargs: ("));

/// The phase that a message of the log begins.
pub(super) fn of_message(message: &str) -> Option<Phase> {
    let starts = |prefix: &str| message.starts_with(prefix);
    if starts("Verbosity set to ") {
        Some(Phase::Indexing)
    } else if starts("Selected Tasks: ") {
        Some(Phase::LoadingModel)
    } else if let Some(rest) = message.strip_prefix("Building contexts for ") {
        let task = rest.split(" on rank ").next().unwrap_or(rest);
        Some(Phase::Building {
            task: task.trim_end_matches('.').to_owned(),
        })
    } else if starts("Running ") && message.ends_with(" requests") {
        Some(Phase::Inferring)
    } else if starts("Metric summary - ") {
        Some(Phase::Scoring)
    } else if starts("bootstrapping for stddev") || is_postprocessed(message) {
        Some(Phase::Aggregating)
    } else if [
        "Saving results aggregated",
        "Saving samples to ",
        "Token Usage - ",
    ]
    .iter()
    .any(|prefix| starts(prefix))
    {
        Some(Phase::Saving)
    } else if is_final_line(message) {
        Some(Phase::Done)
    } else {
        None
    }
}

fn is_postprocessed(message: &str) -> bool {
    message.starts_with("Postprocessed ") && message.contains(" docs for ")
}

/// The line before the final tables, the only one that names the model there.
fn is_final_line(message: &str) -> bool {
    FINAL.find(message.as_bytes()).is_some()
        && message.contains(", num_fewshot: ")
        && message.contains(", batch_size: ")
}

/// The phase that a bar belongs to.
pub(super) fn of_bar(desc: &str) -> Option<Phase> {
    if desc == "Model Responding" {
        Some(Phase::Inferring)
    } else if desc == "Postprocessing" {
        Some(Phase::Scoring)
    } else if desc.starts_with("Loading ") && (desc.contains("shards") || desc.contains("weights")) {
        Some(Phase::LoadingModel)
    } else {
        None
    }
}

/// What a message means for the fate of the run.
pub(super) fn notice(message: &str) -> Option<Notice> {
    if let Some(error) = message.strip_prefix("Error during evaluation: ") {
        let hint = ". Please set `--verbosity=DEBUG` to get more information.";
        return Some(Notice::EvaluationError {
            error: error.strip_suffix(hint).unwrap_or(error).to_owned(),
        });
    }
    if message.starts_with("Could not save ") {
        return Some(Notice::SaveFailed);
    }
    if message.starts_with("Evaluation stopped early: token budget exceeded") {
        return Some(Notice::BudgetExceeded);
    }
    retry(message).or_else(|| gave_up(message))
}

/// `Attempt 1/2 failed with error: ...`; older backends leave the total out.
fn retry(message: &str) -> Option<Notice> {
    let (count, _) = message.strip_prefix("Attempt ")?.split_once(" failed")?;
    let (attempt, of) = match count.split_once('/') {
        Some((attempt, of)) => (attempt.parse().ok()?, of.parse().ok()?),
        None => (count.parse().ok()?, 0),
    };
    Some(Notice::Retry { attempt, of })
}

/// `All 2 attempts failed. Last error: ...`.
fn gave_up(message: &str) -> Option<Notice> {
    let (attempts, _) = message.strip_prefix("All ")?.split_once(" attempts failed")?;
    Some(Notice::GaveUp {
        attempts: attempts.parse().ok()?,
    })
}
