//! Takes a configuration file of lmms-eval, or the settings of an earlier run, into the form.

use leptos::{prelude::*, task::spawn_local};
use types::{ModelView, RunDetail, RunSummary};

use super::{
    desk::{Desk, use_desk},
    form::Form,
    yaml::{Imported, read},
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
    format::short_id,
    url::{Step, use_param, use_set_params},
};

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
    let result = Memo::new(move |_| {
        Some(text.get())
            .filter(|text| !text.trim().is_empty())
            .map(|text| read(&text))
    });
    let error = Signal::derive(move || result.with(|result| result.clone()?.err()));
    let found = move || {
        result.with(|result| match result {
            Some(Ok(imported)) => {
                let lines = found_words(desk, imported);
                let line = |text: String| view! { <li><Untrusted text/></li> };
                let cause = format!("This fills {} fields.", imported.form.changed() + usize::from(!imported.form.tasks.is_empty()));
                view! {
                    <Alert weight=Weight::Plain cause><ul>{lines.into_iter().map(line).collect_view()}</ul></Alert>
                }
                .into_any()
            }
            _ => ().into_any(),
        })
    };
    let take = move |_| {
        if let Some(Ok(imported)) = result.get_untracked() {
            desk.fields.write(&placed(desk, imported));
            open.set(false);
        }
    };
    let unusable = Signal::derive(move || !result.with(|result| matches!(result, Some(Ok(_)))));
    let choose = move |event: web_sys::Event| {
        let input = event_target::<web_sys::HtmlInputElement>(&event);
        let Some(file) = input.files().and_then(|files| files.get(0)) else {
            return;
        };
        spawn_local(async move {
            if let Some(content) = crate::components::download::text_of(&file, super::yaml::MAX_YAML).await {
                let _ = text.try_set(content);
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

/// What the file holds and what becomes of it.
fn found_words(desk: Desk, imported: &Imported) -> Vec<String> {
    let mut lines = Vec::new();
    let models = desk.models.load.with(|load| load.value.clone());
    if let Some(backend) = &imported.backend {
        let known = models.and_then(|list| matching(&list.models, imported).map(|model| model.name.clone()));
        lines.push(match known {
            Some(name) => format!("model: {backend}, which is {name} here"),
            None => format!(
                "model: {backend}; no model here has this backend and these weights, so the chosen one stays"
            ),
        });
    }
    let unknown: Vec<&str> = desk.catalogue.with(|catalogue| {
        imported
            .form
            .tasks
            .iter()
            .filter(|name| catalogue.find(name).is_none())
            .map(String::as_str)
            .collect()
    });
    if !unknown.is_empty() {
        lines.push(format!("not in the catalogue: {}", unknown.join(", ")));
    }
    if !imported.ignored.is_empty() {
        lines.push(format!(
            "left out, because the form has no field for it: {}",
            imported.ignored.join("; ")
        ));
    }
    lines
}

/// The model of the organization that a file means: the same backend, and the same weights where both name them.
fn matching<'a>(models: &'a [ModelView], imported: &Imported) -> Option<&'a ModelView> {
    let backend = imported.backend.as_deref()?;
    let weights = imported
        .form
        .model_args
        .iter()
        .find(|row| WEIGHTS.contains(&row.key.as_str()))
        .map(|row| row.value.clone());
    let of = |model: &ModelView| {
        let named = model
            .model_args
            .0
            .iter()
            .find(|(key, _)| WEIGHTS.contains(&key.as_str()))
            .map(|(_, value)| value.to_string());
        model.source.clone().or(named)
    };
    let mut same = models
        .iter()
        .filter(|model| model.backend == backend && model.archived_at.is_none());
    match weights {
        Some(weights) => same.find(|model| of(model).as_deref() == Some(weights.as_str())),
        None => same.next().filter(|_| same.next().is_none()),
    }
}

/// Keys by which backends name their weights.
const WEIGHTS: [&str; 4] = ["pretrained", "model", "model_version", "model_name"];

/// The form that a file gives: with the model it means, or the chosen one; arguments that the model has already are
/// left out.
fn placed(desk: Desk, imported: Imported) -> Form {
    let models = desk.models.load.with_untracked(|load| load.value.clone());
    let found = models.as_ref().and_then(|list| matching(&list.models, &imported));
    let now = desk.form.get_untracked();
    let mut form = imported.form;
    match found {
        Some(model) => {
            let own = |key: &str, value: &str| {
                WEIGHTS.contains(&key)
                    || model
                        .model_args
                        .get(key)
                        .is_some_and(|known| known.to_string() == value)
            };
            form.model_args.retain(|row| !own(&row.key, &row.value));
            form.model = model.id.to_string();
        }
        None => {
            form.model_args.retain(|row| !WEIGHTS.contains(&row.key.as_str()));
            form.model = now.model;
            form.checkpoint = now.checkpoint;
        }
    }
    if form.tasks.is_empty() {
        form.tasks = now.tasks;
    }
    form
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
