//! The runs of a model.

use std::sync::Arc;

use leptos::prelude::*;
use types::{ModelDetail, RunSummary};

use crate::{
    components::{panel::Empty, time::Ago, words::StatusMark},
    format::{count, short_id},
    shell::page::Section,
    status::{run_tone, run_word},
    url::use_carry,
};

/// The table of its runs, newest first.
#[component]
pub fn ModelRuns(
    /// The model.
    detail: Signal<Arc<ModelDetail>>,
) -> impl IntoView {
    let carry = use_carry();
    let rows = move || {
        detail.with(|detail| {
            detail
                .runs
                .iter()
                .cloned()
                .map(|run| view! { <RunRow run/> })
                .collect_view()
        })
    };
    let note = Signal::derive(move || {
        detail.with(|detail| {
            let (shown, all) = (detail.runs.len() as u64, detail.model.run_count);
            Some(format!("showing {} of {}", count(shown), count(all)))
        })
    });
    let none = move || detail.with(|detail| detail.runs.is_empty());
    let all = move || {
        let id = detail.with(|detail| detail.model.id);
        carry(&format!("/runs?model={id}"))
    };
    let tools = move || view! { <a class="link small" href=all>"All runs of this model"</a> };
    view! {
        <Section title="Runs" note tools>
            <Show when=move || !none() fallback=|| view! { <Empty title="No run yet"><span>"Its runs will stand here."</span></Empty> }>
                <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Runs of the model, table">
                    <table class="table">
                        <thead><tr>
                            <th scope="col">"Run"</th><th scope="col">"Status"</th><th scope="col">"Checkpoint"</th>
                            <th scope="col">"Benchmarks"</th><th scope="col" class="r">"Created"</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </Show>
        </Section>
    }
}

#[component]
fn RunRow(run: RunSummary) -> impl IntoView {
    let carry = use_carry();
    let id = run.id;
    let tone = run_tone(&run);
    let word = run_word(&run);
    let names = run.benchmark_names.join(", ");
    view! {
        <tr>
            <th scope="row"><a class="num" href=move || carry(&format!("/runs/{id}"))>{run.name}</a>" "<span class="dim reg mono small">{short_id(&id.to_string())}</span></th>
            <td><StatusMark tone word=word.to_owned()/></td>
            <td>{run.checkpoint_variant}</td>
            <td class="dim"><span class="trunc" title=names.clone()>{names.clone()}</span></td>
            <td class="r dim"><Ago at=run.created_at.timestamp_millis() as f64/></td>
        </tr>
    }
}
