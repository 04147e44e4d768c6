//! The form for what the files do not say: which model, which checkpoint, which task.

use std::sync::Arc;

use leptos::prelude::*;
use types::{FileRule, ImportMapping, ImportPlan, ModelRule, PlannedModel, PlannedTask};

use crate::{
    api::{endpoints, remote::remote},
    components::{
        choice::{Check, Ticked},
        field::fresh_id,
        words::{Badge, Untrusted, Weight},
    },
    format::{MISSING, plural},
    shell::page::Section,
};

/// Changes the rule of a model that the files name.
fn rule_of<'a>(mapping: &'a mut ImportMapping, label: &str) -> &'a mut ModelRule {
    mapping.models.entry(label.to_owned()).or_default()
}

/// Changes the rule of a file; longer paths stand first, so that no rule hides one that is meant for less.
fn file_rule<'a>(mapping: &'a mut ImportMapping, path: &str) -> &'a mut FileRule {
    let at = mapping.files.iter().position(|rule| rule.path == path);
    let at = at.unwrap_or_else(|| {
        let depth = |path: &str| path.matches('/').count();
        let rules = &mut mapping.files;
        let place = rules.iter().position(|rule| depth(&rule.path) < depth(path));
        let place = place.unwrap_or(rules.len());
        let rule = FileRule {
            path: path.to_owned(),
            ..FileRule::default()
        };
        rules.insert(place, rule);
        place
    });
    &mut mapping.files[at]
}

fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Without rules that say nothing.
pub fn tidy(mapping: &ImportMapping) -> ImportMapping {
    let mut tidy = mapping.clone();
    tidy.models.retain(|_, rule| *rule != ModelRule::default());
    tidy.tasks.retain(|label, name| !name.is_empty() && label != name);
    tidy.files.retain(|rule| {
        let nothing = FileRule {
            path: rule.path.clone(),
            ..FileRule::default()
        };
        *rule != nothing
    });
    tidy
}

/// A field in a table, with suggestions.
#[component]
fn Cell(
    /// Its accessible name.
    #[prop(into)]
    label: String,
    /// What stands in it at first.
    value: String,
    /// What holds while it is empty.
    #[prop(into)]
    placeholder: String,
    /// The id of the list of suggestions.
    #[prop(optional, into)]
    list: Option<String>,
    /// Called with each change.
    #[prop(into)]
    on_change: Callback<String>,
) -> impl IntoView {
    view! {
        <input class="input map__in" type="text" autocomplete="off" spellcheck="false" aria-label=label list=list
            placeholder=placeholder value=value maxlength="200"
            on:input:target=move |event| on_change.run(event.target().value())/>
    }
}

/// The form.
#[component]
pub fn MappingForm(
    /// What the files need.
    plan: ImportPlan,
    /// What the user says, both ways.
    mapping: RwSignal<ImportMapping>,
) -> impl IntoView {
    let models = remote(|| Some(()), async |client, ()| endpoints::models(&client).await).value();
    let list = fresh_id("models");
    let options = move || {
        let all = models.get();
        let names = all.iter().flat_map(|all| all.models.iter());
        names
            .map(|model| view! { <option value=model.name.clone()></option> })
            .collect_view()
    };
    let of_models = Arc::new(plan.models);
    let tasks = plan.tasks;
    let unknown = tasks.iter().filter(|task| !task.known).count() as u64;
    let note = (unknown > 0).then(|| {
        format!(
            "{} not in the catalogue: made when you import",
            plural(unknown, "is", "are")
        )
    });
    view! {
        <datalist id=list.clone()>{options}</datalist>
        <Section title="Models" note="what the files call them, and what they are called here">
            <div class="scroll" tabindex="0" role="region" aria-label="Models of the files, table">
                <table class="table">
                    <thead><tr>
                        <th scope="col">"In the files"</th><th scope="col">"Model here"</th><th scope="col">"Checkpoint"</th>
                        <th scope="col" class="r">"Runs"</th>
                    </tr></thead>
                    <tbody>{of_models.iter().map(|model| model_row(model, mapping, &list)).collect_view()}</tbody>
                </table>
            </div>
        </Section>
        <Section title="Benchmarks" note>
            <div class="scroll" tabindex="0" role="region" aria-label="Benchmarks of the files, table">
                <table class="table">
                    <thead><tr><th scope="col">"In the files"</th><th scope="col">"Benchmark here"</th><th scope="col">"Catalogue"</th></tr></thead>
                    <tbody>{tasks.iter().map(|task| task_row(task, mapping)).collect_view()}</tbody>
                </table>
            </div>
        </Section>
    }
    .into_any()
}

fn model_row(model: &PlannedModel, mapping: RwSignal<ImportMapping>, list: &str) -> impl IntoView + use<> {
    let label = model.label.clone();
    let files = model.files.clone();
    let name = label.clone().unwrap_or_else(|| "(no name)".to_owned());
    let before = mapping.with_untracked(|mapping| match &label {
        Some(label) => mapping.models.get(label).cloned().unwrap_or_default(),
        None => files
            .first()
            .and_then(|path| mapping.file(path))
            .map_or_else(ModelRule::default, |rule| ModelRule {
                model: rule.model.clone(),
                checkpoint: rule.checkpoint.clone(),
            }),
    });
    let change = StoredValue::new((label, files.clone()));
    let set = move |what: fn(&mut ModelRule) -> &mut Option<String>, text: String| {
        let (label, files) = change.get_value();
        mapping.update(|mapping| match label {
            Some(label) => *what(rule_of(mapping, &label)) = given(&text),
            None => files.iter().for_each(|path| {
                let rule = file_rule(mapping, path);
                let mut of_model = ModelRule {
                    model: rule.model.take(),
                    checkpoint: rule.checkpoint.take(),
                };
                *what(&mut of_model) = given(&text);
                (rule.model, rule.checkpoint) = (of_model.model, of_model.checkpoint);
            }),
        });
    };
    let weight = if model.model_id.is_some() {
        Weight::Ok
    } else {
        Weight::Plain
    };
    let known = if model.model_id.is_some() { "known" } else { "new" };
    let more = (!files.is_empty())
        .then(|| view! { <div class="small dim"><Untrusted text=files.join(", ")/></div> });
    view! {
        <tr>
            <th scope="row" class="map__label"><Untrusted text=name.clone()/>{more}</th>
            <td><span class="row">
                <Cell label=format!("Model here for {name}") value=before.model.unwrap_or_default() placeholder=model.name.clone()
                    list=list.to_owned() on_change=move |text| set(|rule| &mut rule.model, text)/>
                <Badge weight>{known}</Badge>
            </span></td>
            <td><Cell label=format!("Checkpoint here for {name}") value=before.checkpoint.unwrap_or_default()
                placeholder=model.checkpoint.clone() on_change=move |text| set(|rule| &mut rule.checkpoint, text)/></td>
            <td class="r">{model.runs}</td>
        </tr>
    }
}

fn task_row(task: &PlannedTask, mapping: RwSignal<ImportMapping>) -> impl IntoView + use<> {
    let label = task.label.clone();
    let before = mapping.with_untracked(|mapping| mapping.tasks.get(&label).cloned().unwrap_or_default());
    let key = label.clone();
    let change = move |text: String| {
        mapping.update(|mapping| match given(&text) {
            Some(name) => drop(mapping.tasks.insert(key.clone(), name)),
            None => drop(mapping.tasks.remove(&key)),
        });
    };
    let (weight, known) = if task.known {
        (Weight::Ok, "known")
    } else {
        (Weight::Plain, "new")
    };
    view! {
        <tr>
            <th scope="row" class="map__label"><Untrusted text=label.clone()/></th>
            <td><Cell label=format!("Benchmark here for {label}") value=before placeholder=task.label.clone() on_change=change/></td>
            <td><Badge weight>{known}</Badge></td>
        </tr>
    }
}

/// What a file that is left out lacks: model and task of samples, or the word that it is to be left out.
#[component]
pub fn FileFields(
    /// Its path.
    #[prop(into)]
    path: String,
    /// What it is.
    #[prop(into)]
    kind: String,
    /// What the user says, both ways.
    mapping: RwSignal<ImportMapping>,
) -> impl IntoView {
    let path = StoredValue::new(path);
    let before = path
        .with_value(|path| mapping.with_untracked(|mapping| mapping.file(path).cloned().unwrap_or_default()));
    let skip = RwSignal::new(before.skip);
    let set = move |change: &dyn Fn(&mut FileRule)| {
        path.with_value(|path| mapping.update(|mapping| change(file_rule(mapping, path))));
    };
    let leave = move |on: bool| {
        skip.set(on);
        set(&|rule| rule.skip = on);
    };
    let ticked = Signal::derive(move || Ticked::of(usize::from(skip.get()), 1));
    let lone = kind == "samples";
    let fields = lone.then(|| {
        let name = path.get_value();
        view! {
            <Cell label=format!("Model of {name}") value=before.model.unwrap_or_default() placeholder="Model"
                on_change=move |text: String| set(&|rule| rule.model = given(&text))/>
            <Cell label=format!("Task of {name}") value=before.task.unwrap_or_default() placeholder="Task"
                on_change=move |text: String| set(&|rule| rule.task = given(&text))/>
        }
    });
    let results = lone.then(|| {
        let name = path.get_value();
        view! {
            <Cell label=format!("Results document of {name}") value=before.results.unwrap_or_default() placeholder="or its results document"
                on_change=move |text: String| set(&|rule| rule.results = given(&text))/>
        }
    });
    let label = format!("Leave out {}", path.get_value());
    view! {
        <div class="map__file">
            {fields}{results}
            <Check ticked on_change=leave label>"Leave out"</Check>
        </div>
    }
}

/// What stands for nothing.
pub fn or_missing(text: &str) -> String {
    if text.is_empty() {
        MISSING.to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deeper_path_comes_before_the_one_that_would_hide_it() {
        let mut mapping = ImportMapping::default();
        file_rule(&mut mapping, "a.json").skip = true;
        file_rule(&mut mapping, "x/a.json").model = given(" m ");
        file_rule(&mut mapping, "a.json").task = given("t");
        let paths: Vec<&str> = mapping.files.iter().map(|rule| rule.path.as_str()).collect();
        assert_eq!(paths, ["x/a.json", "a.json"]);
        assert_eq!(mapping.file("x/a.json").unwrap().model.as_deref(), Some("m"));
        assert!(mapping.file("a.json").unwrap().skip);
    }

    #[test]
    fn rules_that_say_nothing_are_not_sent() {
        let mut mapping = ImportMapping::default();
        rule_of(&mut mapping, "m");
        file_rule(&mut mapping, "a.json");
        mapping.tasks.insert("t".into(), "t".into());
        assert_eq!(tidy(&mapping), ImportMapping::default());
        rule_of(&mut mapping, "m").checkpoint = given("step-1");
        assert_eq!(tidy(&mapping).models.len(), 1);
    }
}
