//! Which model, which checkpoint.

use leptos::prelude::*;
use types::{ArgList, CheckpointView, ModelView};

use super::{desk::use_desk, new_model::NewModel};
use crate::{
    components::{
        button::{Button, Look, Size},
        choice::{Entry, SelectField},
        icon::Glyph,
        panel::{Empty, Panel},
        picker::{Choice, Picker},
        time::{now_ms, use_zone},
    },
    format::{plural, relative},
    shell::page::Section,
};

/// The picker of model and checkpoint.
#[component]
pub fn ModelPicker() -> impl IntoView {
    let desk = use_desk();
    let adding = RwSignal::new(false);
    let tools = move || {
        view! {
            <Button look=Look::Quiet size=Size::Small icon=Glyph::Plus on_click=move |_| adding.set(true)>
                "New model…"
            </Button>
        }
        .into_any()
    };
    let empty = move || {
        view! {
            <Empty title="There are no models yet">
                <span>"A model is a backend of lmms-eval with its arguments, and the checkpoints you evaluate."</span>
                <Button look=Look::Primary on_click=move |_| adding.set(true)>"New model…"</Button>
            </Empty>
        }
        .into_any()
    };
    view! {
        <Section title="Model" tools=tools>
            <Panel
                load=desk.models.load
                on_retry=desk.models.retry()
                lines=2
                is_empty=Callback::new(|list: std::sync::Arc<types::ModelList>| list.models.is_empty())
                empty=empty
                children=|_| view! { <div class="grid-2"><Model/><Checkpoint/></div> }.into_any()
            />
            <NewModel open=adding/>
        </Section>
    }
    .into_any()
}

#[component]
fn Model() -> impl IntoView {
    let desk = use_desk();
    let model = desk.model();
    let choices = Signal::derive(move || {
        let list = desk.models.load.with(|load| load.value.clone());
        list.map(|list| {
            list.models
                .iter()
                .filter(|m| m.archived_at.is_none())
                .map(choice)
                .collect()
        })
        .unwrap_or_default()
    });
    let hint = Signal::derive(move || model.with(|model| model.as_ref().map(in_words)));
    let error = Signal::derive(move || {
        let named = desk.fields.model.with(|id| !id.is_empty());
        let unknown = named && model.with(Option::is_none);
        let unknown =
            unknown.then(|| "This model is not in your organization; choose another one.".to_owned());
        unknown.or_else(|| desk.fault("model_id").get())
    });
    let pick = move |id: String| {
        desk.fields.model.set(id);
        desk.fields.checkpoint.set(String::new());
    };
    view! {
        <Picker label="Model" choices value=desk.fields.model on_pick=pick placeholder="Search models" hint error/>
    }
}

fn choice(model: &ModelView) -> Choice {
    Choice {
        value: model.id.to_string(),
        name: model.name.clone(),
        meta: model.backend.clone(),
        refused: None,
    }
}

/// Backend and arguments in one line.
fn in_words(model: &ModelView) -> String {
    let arguments = arguments(&model.model_args);
    let source = model
        .source
        .clone()
        .filter(|source| !arguments.contains(source.as_str()));
    let parts = [
        Some(format!("{} backend", model.backend)),
        source,
        Some(arguments),
    ];
    parts
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" · ")
}

fn arguments(list: &ArgList) -> String {
    list.0
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(",")
}

#[component]
fn Checkpoint() -> impl IntoView {
    let desk = use_desk();
    let model = desk.model();
    let zone = use_zone();
    let options = Signal::derive(move || {
        let checkpoints = model.with(|model| {
            model
                .as_ref()
                .map(|model| model.checkpoints.clone())
                .unwrap_or_default()
        });
        let newest = newest(&checkpoints).map(|c| format!("Latest: {}", c.checkpoint_variant));
        let mut entries = vec![Entry::new(
            "",
            newest.unwrap_or_else(|| "The model's own weights".to_owned()),
        )];
        let mut sorted = checkpoints;
        sorted.sort_by_key(|c| std::cmp::Reverse(c.checkpoint_index));
        entries.extend(sorted.iter().map(|c| {
            let age = relative(c.created_at.timestamp_millis() as f64, now_ms(), zone);
            Entry::new(
                c.checkpoint_variant.clone(),
                format!("{} · added {age}", c.checkpoint_variant),
            )
        }));
        entries
    });
    let hint = Signal::derive(move || {
        let chosen = desk.fields.checkpoint.get();
        model.with(|model| model.as_ref().map(|model| place(&model.checkpoints, &chosen)))
    });
    let value = Signal::derive(move || {
        Some(desk.fields.checkpoint.get())
            .filter(|c| c != "latest")
            .unwrap_or_default()
    });
    let disabled = Signal::derive(move || model.with(Option::is_none));
    view! {
        <SelectField label="Checkpoint" options value on_change=move |variant| desk.fields.checkpoint.set(variant)
            hint error=desk.fault("checkpoint_variant") disabled/>
    }
}

fn newest(checkpoints: &[CheckpointView]) -> Option<&CheckpointView> {
    checkpoints.iter().max_by_key(|c| c.checkpoint_index)
}

/// Where a checkpoint stands among the others.
fn place(checkpoints: &[CheckpointView], chosen: &str) -> String {
    let all = plural(checkpoints.len() as u64, "checkpoint", "checkpoints");
    let found = checkpoints.iter().find(|c| c.checkpoint_variant == chosen);
    match (found, newest(checkpoints)) {
        (Some(own), Some(last)) if own.id == last.id => {
            format!("index {}, the newest of {all}", own.checkpoint_index)
        }
        (Some(own), _) => format!("index {} of {all}", own.checkpoint_index),
        (None, Some(last)) if chosen.is_empty() || chosen == "latest" => {
            format!("index {}, {all}", last.checkpoint_index)
        }
        (None, _) if chosen.is_empty() || chosen == "latest" => "this model has no checkpoints".to_owned(),
        (None, _) => format!("“{chosen}” is none of this model's {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checkpoint(name: &str, index: i32) -> CheckpointView {
        serde_json::from_value(json!({
            "id": uuid::Uuid::from_u128(index as u128), "checkpoint_variant": name, "checkpoint_index": index,
            "source": null, "created_at": "2026-11-20T13:00:00Z", "metadata": {}
        }))
        .unwrap()
    }

    #[test]
    fn a_checkpoint_knows_its_place() {
        let all = [checkpoint("a", 1), checkpoint("b", 12)];
        assert_eq!(place(&all, "b"), "index 12, the newest of 2 checkpoints");
        assert_eq!(place(&all, "a"), "index 1 of 2 checkpoints");
        assert_eq!(place(&all, ""), "index 12, 2 checkpoints");
        assert_eq!(place(&all, "c"), "“c” is none of this model's 2 checkpoints");
        assert_eq!(place(&[], "latest"), "this model has no checkpoints");
    }
}
