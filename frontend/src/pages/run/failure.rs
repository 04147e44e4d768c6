//! Why it failed: the cause in one bold sentence, the lines that show it, one button.

use leptos::prelude::*;
use types::{BenchmarkStatus, EvidenceLine, RunBenchmarkView, RunDetail, RunStatus};

use super::{
    actions::Task,
    facts::{can_requeue, cause, tally},
    use_store,
};
use crate::{
    api::endpoints,
    components::{
        button::{Button, Size},
        words::{Alert, Untrusted, Weight},
    },
    format::plural,
    status::outcome_words,
    url::use_changed,
};

/// How many failed benchmarks are told in full.
const TOLD: usize = 3;
/// How many characters of a line are searched for in the log.
const NEEDLE: usize = 80;

/// One failure.
#[derive(Debug, Clone, PartialEq)]
struct Failure {
    cause: String,
    evidence: Vec<EvidenceLine>,
}

/// The failures to tell, and how many more there are.
fn failures(run: &RunDetail) -> (Vec<Failure>, usize) {
    let failed: Vec<&RunBenchmarkView> = run
        .benchmarks
        .iter()
        .filter(|row| row.status == BenchmarkStatus::Failed)
        .collect();
    let told = failed.iter().take(TOLD).map(|row| Failure {
        cause: cause(row),
        evidence: row.evidence.clone(),
    });
    let mut told: Vec<Failure> = told.collect();
    if told.is_empty() && run.summary.status == RunStatus::Failed {
        let words = run.summary.outcome.map_or("failed", outcome_words);
        let cause = run
            .summary
            .error_message
            .clone()
            .unwrap_or_else(|| format!("The run {words}."));
        told.push(Failure {
            cause,
            evidence: Vec::new(),
        });
    }
    (told, failed.len().saturating_sub(TOLD))
}

/// What the run keeps in spite of it.
fn kept(run: &RunDetail) -> Option<String> {
    let (completed, failed, all) = tally(run);
    (failed > 0 && completed > 0).then(|| {
        format!(
            "{completed} of {} completed and are kept.",
            plural(all as u64, "benchmark", "benchmarks")
        )
    })
}

/// The failures of the run.
#[component]
pub fn Failures() -> impl IntoView {
    let store = use_store();
    let found = Memo::new(move |_| store.detail(|run| (failures(run), kept(run), can_requeue(run))));
    let (task, changed) = (Task::new(), use_changed());
    let again = move |_| {
        task.ask(
            "The run was not queued again",
            move |client| async move { endpoints::requeue(&client, store.id).await },
            move |_| store.refresh(),
        );
    };
    let one = move |at: usize, failure: Failure, kept: Option<String>, requeue: bool| {
        let link = failure.evidence.first().map(|line| {
            let needle: String = line.message.trim().chars().take(NEEDLE).collect();
            changed(&[("tab", "log"), ("find", &needle), ("level", "")])
        });
        let lines = (!failure.evidence.is_empty()).then(|| {
            let text = failure.evidence.iter().map(|line| line.message.clone()).collect::<Vec<_>>().join("\n");
            view! { <pre class="run__evidence" tabindex="0" role="region" aria-label="Lines that show the cause"><Untrusted text/></pre> }
        });
        let button = move || {
            requeue.then(|| view! { <Button size=Size::Small busy=task.busy on_click=again>"Requeue what is not completed"</Button> }).into_any()
        };
        let notes = kept.filter(|_| at == 0);
        view! {
            <div class="run__failure">
                <Alert weight=Weight::Bad cause=failure.cause actions=button>
                    {notes}
                    {lines}
                    {link.map(|href| view! { <a class="link" href=href>"Show in the log"</a> })}
                </Alert>
            </div>
        }
    };
    move || {
        let ((told, more), kept, requeue) = found.get()?;
        let last = told.len().saturating_sub(1);
        let alerts: Vec<_> = told
            .into_iter()
            .enumerate()
            .map(|(at, failure)| one(at, failure, kept.clone(), requeue && at == last))
            .collect();
        Some(view! {
            {alerts}
            {(more > 0).then(|| view! { <p class="small muted">{format!("{more} more failed; the table says why.")}</p> })}
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::run::facts::tests::{benchmark, run};

    #[test]
    fn failures_are_told_and_the_rest_counted() {
        let rows = |n: u32| {
            (0..n)
                .map(|k| benchmark(k, &format!("b{k}"), "failed"))
                .collect::<Vec<_>>()
        };
        let (told, more) = failures(&run("failed", rows(5)));
        assert_eq!((told.len(), more), (3, 2));
        assert_eq!(told[0].cause, "b0 failed.");
        let mut alone = run("failed", vec![benchmark(0, "a", "cancelled")]);
        alone.summary.outcome = Some(types::Outcome::Lost);
        assert_eq!(
            failures(&alone).0[0].cause,
            "The run was lost: its executor vanished."
        );
        assert!(failures(&run("completed", vec![])).0.is_empty());
    }

    #[test]
    fn what_is_kept_is_said() {
        let two = run(
            "failed",
            vec![benchmark(0, "a", "completed"), benchmark(1, "b", "failed")],
        );
        assert_eq!(kept(&two).unwrap(), "1 of 2 benchmarks completed and are kept.");
        assert_eq!(kept(&run("failed", vec![benchmark(0, "a", "failed")])), None);
    }
}
