//! Who, what, where, and what can be done about it.

use leptos::prelude::*;
use types::RunDetail;

use super::{actions::Actions, use_store};
use crate::{
    components::{
        time::Ago,
        words::{Badge, StatusMark, Tone},
    },
    format::plural,
    shell::page::PageHead,
    status::{run_tone, run_word},
};

/// The head of the page.
#[component]
pub fn Head() -> impl IntoView {
    let store = use_store();
    let of = move |read: fn(&RunDetail) -> String| Memo::new(move |_| store.detail(read).unwrap_or_default());
    let (model, checkpoint) = (
        of(|run| run.model.name.clone()),
        of(|run| run.model.checkpoint_variant.clone()),
    );
    let tone = Signal::derive(move || store.detail(|run| run_tone(&run.summary)).unwrap_or(Tone::Queued));
    let word = Signal::derive(move || {
        store
            .detail(|run| run_word(&run.summary).to_owned())
            .unwrap_or_default()
    });
    let title = move || view! { {model} " " <span class="muted">{checkpoint}</span> }.into_any();
    let demo = Memo::new(move |_| store.detail(|run| run.summary.demo).unwrap_or(false));
    let beside = move || {
        view! {
            <StatusMark tone word/>
            {move || demo.get().then(|| view! { <Badge title="Answers of a demo model, right with a given probability">"demo"</Badge> })}
        }
        .into_any()
    };
    view! { <PageHead title beside lede=|| view! { <Lede/> }.into_any() actions=|| view! { <Actions/> }.into_any()/> }.into_any()
}

#[component]
fn Lede() -> impl IntoView {
    let store = use_store();
    let first = Memo::new(move |_| store.detail(opening).unwrap_or_default());
    let place = Memo::new(move |_| store.detail(whereabouts).unwrap_or_default());
    let (created, began) = (
        Memo::new(move |_| {
            store
                .detail(|run| run.summary.created_at.timestamp_millis() as f64)
                .unwrap_or(0.0)
        }),
        Memo::new(move |_| {
            store
                .detail(|run| run.summary.started_at.is_some())
                .unwrap_or(false)
        }),
    );
    let started = Signal::derive(move || {
        store
            .detail(|run| {
                run.summary
                    .started_at
                    .unwrap_or(run.summary.created_at)
                    .timestamp_millis() as f64
            })
            .unwrap_or(0.0)
    });
    let verb = move || {
        if began.get() {
            " · started "
        } else {
            " · created "
        }
    };
    let at = Signal::derive(move || if began.get() { started.get() } else { created.get() });
    view! { {first} {verb} <Ago at/> {place} }
}

/// Its name and how much there is to do.
fn opening(run: &RunDetail) -> String {
    format!(
        "{} · {}",
        run.summary.name,
        plural(run.benchmarks.len() as u64, "benchmark", "benchmarks")
    )
}

/// Where it runs, or where it waits.
fn whereabouts(run: &RunDetail) -> String {
    if let Some(position) = run.summary.queue_position {
        return format!(" · number {position} in the queue");
    }
    let Some(attempt) = run.attempts.last() else {
        return String::new();
    };
    let host = attempt
        .host
        .as_ref()
        .map(|host| format!(" ({host})"))
        .unwrap_or_default();
    let gpus = match attempt.gpus.len() {
        0 => String::new(),
        n => format!(", {}", plural(n as u64, "GPU", "GPUs")),
    };
    let number = if run.attempts.len() > 1 {
        format!(", attempt {}", attempt.epoch)
    } else {
        String::new()
    };
    format!(" on {}{host}{gpus}{number}", attempt.engine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::run::facts::tests::{benchmark, run};

    #[test]
    fn a_run_says_where_it_is() {
        let mut run = run("queued", vec![benchmark(0, "a", "pending")]);
        run.summary.queue_position = Some(3);
        assert_eq!(opening(&run), "r · 1 benchmark");
        assert_eq!(whereabouts(&run), " · number 3 in the queue");
        run.summary.queue_position = None;
        assert_eq!(whereabouts(&run), "");
    }
}
