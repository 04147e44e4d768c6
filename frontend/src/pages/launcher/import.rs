//! Takes a configuration file of lmms-eval, or the settings of an earlier run, into the form.

use leptos::{prelude::*, task::spawn_local};
use types::{ArgList, ImportConfig, LaunchDraft, ModelId, ModelView, RunConfig, RunDetail, RunSummary};

use super::{
    desk::{Desk, use_desk},
    form::Form,
};
use crate::{
    api::{
        client::use_client,
        endpoints::{self, RunQuery},
        remote::remote,
    },
    components::{
        button::{Button, Look},
        field::TextArea,
        overlay::{Dialog, Item, Menu, MenuLook},
        words::{Alert, Untrusted, Weight},
    },
    format::{plural, short_id},
    url::{Step, use_param, use_set_params},
};

/// The largest file that is read.
const MAX_YAML: usize = 512 * 1024;

/// The dialog that takes a YAML file.
#[component]
pub fn ImportDialog(
    /// Open or not, both ways.
    open: RwSignal<bool>,
) -> impl IntoView {
    view! { <Dialog open title="Import YAML" class="dialog--wide"><ImportForm open/></Dialog> }
}

#[component]
fn ImportForm(open: RwSignal<bool>) -> impl IntoView {
    let desk = use_desk();
    let text = RwSignal::new(String::new());
    let settled = super::desk::settle(Memo::new(move |_| text.get()));
    let draft = remote(
        move || Some(settled.get()).filter(|text| !text.trim().is_empty()),
        async |client, yaml: String| endpoints::draft(&client, &ImportConfig { yaml }).await,
    );
    let unread = RwSignal::new(None::<String>);
    let typed = move || text.with(|text| !text.trim().is_empty());
    let current = move || typed() && text.with(|text| settled.with(|settled| text == settled));
    let error = Signal::derive(move || {
        let refused = draft.load.with(|load| {
            load.fault
                .as_ref()
                .map(|fault| fault.field("yaml").unwrap_or_else(|| fault.line()))
        });
        unread.get().or_else(|| refused.filter(|_| typed()))
    });
    let good = move || {
        draft
            .load
            .with(|load| load.value.clone().filter(|_| load.fault.is_none() && !load.busy))
            .filter(|_| current())
    };
    let found = move || {
        good().map(|draft| {
            let line = |text: String| view! { <li><Untrusted text/></li> };
            let lines = found_words(desk, &draft);
            view! { <Alert weight=Weight::Plain cause="The file can be read."><ul>{lines.into_iter().map(line).collect_view()}</ul></Alert> }
        })
    };
    let take = move |_| {
        if let Some(draft) = untrack(good) {
            desk.fields.write(&placed(desk, &draft));
            open.set(false);
        }
    };
    let unusable = Signal::derive(move || good().is_none());
    let choose = move |event: web_sys::Event| {
        let input = event_target::<web_sys::HtmlInputElement>(&event);
        let Some(file) = input.files().and_then(|files| files.get(0)) else {
            return;
        };
        spawn_local(async move {
            match crate::components::download::text_of(&file, MAX_YAML).await {
                Some(content) => {
                    let _ = unread.try_set(None);
                    let _ = text.try_set(content);
                }
                None => drop(unread.try_set(Some(
                    "The file is larger than 512 kB or cannot be read.".to_owned(),
                ))),
            }
        });
    };
    view! {
        <div class="dialog__body stack stack--4">
            <p class="muted">"What "<span class="mono">"lmms-eval --config"</span>" reads: one run, or a list of runs that differ in their tasks only."</p>
            <label class="btn launch__file">
                "Choose a file…"
                <input class="vh" type="file" accept=".yaml,.yml,.json" on:change=choose/>
            </label>
            <TextArea label="Or paste it" value=text rows=10 code=true error/>
            {found}
        </div>
        <div class="dialog__foot">
            <Button on_click=move |_| open.set(false)>"Cancel"</Button>
            <Button look=Look::Primary disabled=unusable on_click=take>"Fill the form"</Button>
        </div>
    }
    .into_any()
}

fn model_of(desk: Desk, draft: &LaunchDraft) -> Option<ModelView> {
    let models = untrack(|| desk.models.load.with(|load| load.value.clone()))?;
    models
        .models
        .iter()
        .find(|model| Some(model.id) == draft.model_id)
        .cloned()
}

/// What the file holds and what becomes of it.
fn found_words(desk: Desk, draft: &LaunchDraft) -> Vec<String> {
    let model = draft.backend.as_ref().map(|backend| match model_of(desk, draft) {
        Some(model) => format!("model {backend}, which is {} here", model.name),
        None => format!(
            "model {backend}: no model here has this backend and these arguments, so the chosen one stays"
        ),
    });
    let tasks = (!draft.benchmark_ids.is_empty())
        .then(|| plural(draft.benchmark_ids.len() as u64, "benchmark", "benchmarks"));
    let problems = draft
        .problems
        .iter()
        .map(|problem| format!("{} {}", problem.field, problem.message));
    model.into_iter().chain(tasks).chain(problems).collect()
}

/// The form that a file gives: with the model it means, or the chosen one; arguments that the model has already are
/// left out.
fn placed(desk: Desk, draft: &LaunchDraft) -> Form {
    let now = desk.form.get_untracked();
    let names: Vec<String> = desk.catalogue.with_untracked(|all| {
        all.rows()
            .iter()
            .filter(|row| draft.benchmark_ids.contains(&row.id))
            .map(|row| row.name.clone())
            .collect()
    });
    let found = model_of(desk, draft);
    let config = RunConfig {
        model_args: Some(overrides(found.as_ref(), &draft.model_args)),
        ..draft.config.clone()
    };
    let (model, checkpoint) = match &found {
        Some(model) => (model.id.to_string(), String::new()),
        None => (now.model.clone(), now.checkpoint.clone()),
    };
    let tasks = if names.is_empty() {
        now.tasks.clone()
    } else {
        names
    };
    Form {
        model,
        checkpoint: checkpoint.clone(),
        compute: now.compute,
        data_parallel: now.data_parallel,
        ..Form::of_run(ModelId::from(uuid::Uuid::nil()), &checkpoint, tasks, &config)
    }
}

/// The arguments of a file that the model does not have by itself. For another model the weights of the file are
/// left out, because they would put the one in the other's place.
fn overrides(model: Option<&ModelView>, args: &ArgList) -> ArgList {
    const WEIGHTS: [&str; 4] = ["pretrained", "model", "model_version", "model_name"];
    let kept = args.0.iter().filter(|(key, value)| match model {
        Some(model) => model.model_args.get(key) != Some(value),
        None => !WEIGHTS.contains(&key.as_str()),
    });
    ArgList(kept.cloned().collect())
}

/// A menu of the last runs whose settings can be taken.
#[component]
pub fn SameAs() -> impl IntoView {
    let query = RunQuery {
        limit: 10,
        ..RunQuery::default()
    };
    let runs = remote(
        move || Some(query.clone()),
        async |client, query: RunQuery| endpoints::runs(&client, &query).await,
    );
    let set = use_set_params();
    let item = move |run: &RunSummary| {
        let id = run.id.to_string();
        let words = format!("{} {}", run.model_name, run.checkpoint_variant);
        Item::new(words, move || set(&[("from", &id)], Step::Replace)).meta(short_id(&run.id.to_string()))
    };
    let items = move |()| {
        let list = runs.load.with_untracked(|load| load.value.clone());
        let items: Vec<Item> = list
            .map(|list| list.runs.iter().map(item).collect())
            .unwrap_or_default();
        if items.is_empty() {
            vec![Item::new("No runs yet", || ()).disabled(Some(String::new()))]
        } else {
            items
        }
    };
    view! { <Menu label="Same as run" look=MenuLook::Quiet icon=crate::components::icon::Glyph::Redo items/> }
}

/// Takes the settings of the run that `?from=` names, once the catalogue is there, and drops the parameter.
pub fn take_from(desk: Desk) -> RwSignal<Option<Result<String, String>>> {
    let from = use_param("from");
    let set = use_set_params();
    let client = StoredValue::new_local(use_client());
    let said = RwSignal::new(None);
    Effect::new(move || {
        let Ok(id) = from.get().parse() else { return };
        let client = client.get_value();
        spawn_local(async move {
            let answer = endpoints::run(&client, id).await;
            if from.try_get_untracked().as_deref() != Some(id.to_string().as_str()) {
                return;
            }
            let words = match answer {
                Ok(run) => {
                    desk.fields.write(&form_of(&run));
                    Ok(format!(
                        "These are the settings of {} ({}).",
                        run.summary.name,
                        short_id(&id.to_string())
                    ))
                }
                Err(fault) => Err(format!(
                    "The run {} could not be read: {}",
                    short_id(&id.to_string()),
                    fault.line()
                )),
            };
            let _ = said.try_set(Some(words));
            set(&[("from", "")], Step::Replace);
        });
    });
    said
}

fn form_of(run: &RunDetail) -> Form {
    let tasks = run.benchmarks.iter().map(|row| row.name.clone()).collect();
    Form::of_run(
        run.summary.model_id,
        &run.summary.checkpoint_variant,
        tasks,
        &run.config,
    )
}

/// Takes `?benchmarks=<id,id>`, the form in which other pages name picks, once the catalogue is there.
pub fn take_ids(desk: Desk) {
    let ids = use_param("benchmarks");
    let set = use_set_params();
    Effect::new(move || {
        let ids = ids.get();
        let names: Vec<String> = desk.catalogue.with(|catalogue| {
            let named = |id: &str| {
                catalogue
                    .rows()
                    .iter()
                    .find(|row| row.id.to_string() == id)
                    .map(|row| row.name.clone())
            };
            ids.split(',').filter_map(named).collect()
        });
        if !names.is_empty() {
            let picked = desk
                .catalogue
                .with_untracked(|all| super::picks::add_all(all, &desk.fields.tasks.get_untracked(), &names));
            desk.fields.tasks.set(picked.picks);
            set(&[("benchmarks", "")], Step::Replace);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::ArgValue;

    #[test]
    fn weights_of_another_model_stay_out() {
        let pair = |key: &str, value: i64| (key.to_owned(), ArgValue::Int(value));
        let args = ArgList(vec![pair("pretrained", 1), pair("max_pixels", 2)]);
        assert_eq!(overrides(None, &args).0, [pair("max_pixels", 2)]);
        let model: ModelView = serde_json::from_value(serde_json::json!({
            "id": uuid::Uuid::nil(), "name": "m", "family": null, "source": null, "dtype": null, "num_parameters": null,
            "notes": null, "backend": "b", "model_args": [["pretrained", 1], ["max_pixels", 5]], "metadata": {},
            "created_at": "2026-11-20T13:00:00Z", "archived_at": null, "checkpoints": [], "run_count": 0, "demo": false
        }))
        .unwrap();
        assert_eq!(overrides(Some(&model), &args).0, [pair("max_pixels", 2)]);
    }
}
