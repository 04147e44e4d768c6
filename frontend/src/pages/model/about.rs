//! What a model is: where its weights are, how it is called, its checkpoints, notes.

use std::sync::Arc;

use leptos::prelude::*;
use types::{CheckpointView, ModelDetail};

use crate::{
    components::{time::Ago, words::Untrusted},
    format::{MISSING, parameters},
    shell::page::Section,
};

/// Everything that was written down about the model.
#[component]
pub fn About(
    /// The model.
    detail: Signal<Arc<ModelDetail>>,
) -> impl IntoView {
    let facts = move || {
        let model = detail.with(|detail| detail.model.clone());
        let size = model
            .num_parameters
            .and_then(|n| u64::try_from(n).ok())
            .map(parameters);
        let args = model
            .model_args
            .0
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>();
        let facts = [
            ("Backend", Some(model.backend)),
            ("Source", model.source),
            ("Family", model.family),
            ("Parameters", size),
            ("Precision", model.dtype),
            ("Arguments", Some(args.join("\n")).filter(|args| !args.is_empty())),
            ("Notes", model.notes),
        ];
        let fact = |(name, value): (&'static str, Option<String>)| {
            let value = value.unwrap_or_else(|| MISSING.to_owned());
            view! { <dt>{name}</dt><dd class="model__fact"><Untrusted text=value/></dd> }
        };
        facts.into_iter().map(fact).collect_view()
    };
    let checkpoints = move || {
        let rows = detail.with(|detail| detail.model.checkpoints.clone());
        if rows.is_empty() {
            return view! { <p class="muted">"None: runs use the model's own source."</p> }.into_any();
        }
        view! {
            <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Checkpoints, table">
                <table class="table table--tight">
                    <thead><tr>
                        <th scope="col">"Checkpoint"</th><th scope="col" class="r">"Index"</th><th scope="col">"Source"</th>
                        <th scope="col" class="r">"Added"</th>
                    </tr></thead>
                    <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <Section title="Model"><dl class="kv">{facts}</dl></Section>
        <Section title="Checkpoints">{checkpoints}</Section>
    }
}

fn row(checkpoint: CheckpointView) -> impl IntoView {
    let source = checkpoint.source.unwrap_or_else(|| MISSING.to_owned());
    view! {
        <tr>
            <th scope="row">{checkpoint.checkpoint_variant}</th>
            <td class="r">{checkpoint.checkpoint_index}</td>
            <td class="mono small"><Untrusted text=source/></td>
            <td class="r dim"><Ago at=checkpoint.created_at.timestamp_millis() as f64/></td>
        </tr>
    }
}
