//! How it is run: the grid of settings, arguments and environment.

use leptos::prelude::*;

use super::{
    desk::use_desk,
    hardware::{profiles, words},
    table::{ArgTable, EnvTable},
};
use crate::{
    api::{endpoints, remote::remote},
    components::{
        choice::{Check, Entry, SelectField},
        field::{Kind, TextField},
    },
    format::plural,
    shell::page::Section,
};

/// The grid of settings.
#[component]
pub fn ConfigGrid() -> impl IntoView {
    let desk = use_desk();
    let changed = Memo::new(move |_| desk.form.with(super::form::Form::changed));
    let note = Signal::derive(move || {
        Some(match changed.get() {
            0 => "all left to the tasks and to lmms-eval".to_owned(),
            1 => "1 differs from the defaults".to_owned(),
            n => format!("{n} differ from the defaults"),
        })
    });
    view! {
        <Section title="Settings" note id="settings">
            <Sampling/>
            <h3 class="args__head">"Where and how long"</h3>
            <Execution/>
            <h3 class="args__head">"Model arguments"</h3>
            <ArgTable rows=desk.fields.model_args name="argument" fault=row_faults("model_args")/>
            <h3 class="args__head">"Further generation arguments"</h3>
            <ArgTable rows=desk.fields.gen_kwargs name="generation argument" fault=row_faults("gen_kwargs")/>
            <h3 class="args__head">"Environment"</h3>
            <Environment/>
        </Section>
    }
    .into_any()
}

fn row_faults(table: &'static str) -> Callback<RwSignal<String>, Option<String>> {
    let desk = use_desk();
    Callback::new(move |key: RwSignal<String>| desk.row_fault(table, key).get())
}

/// What the model is asked, and how.
#[component]
fn Sampling() -> impl IntoView {
    let desk = use_desk();
    let fields = desk.fields;
    let hints = desk.hints();
    let own = move |read: fn(&super::hints::Hints) -> Option<String>, otherwise: &'static str| {
        Signal::derive(move || Some(hints.with(read).unwrap_or_else(|| otherwise.to_owned())))
    };
    let said = move |read: fn(&super::hints::Hints) -> Option<String>| {
        Signal::derive(move || hints.with(read).map(|value| format!("tasks say {value}")))
    };
    let shots_hint = Signal::derive(move || Some(hints.with(super::hints::Hints::shots_words)));
    let no_shots = Signal::derive(move || {
        !hints.with(super::hints::Hints::shots_usable) && fields.shots.with(String::is_empty)
    });
    let shots_error = Signal::derive(move || {
        let useless = fields.shots.with(|shots| !matches!(shots.trim(), "" | "0"))
            && !hints.with(super::hints::Hints::shots_usable);
        let words = hints.with(super::hints::Hints::shots_words);
        desk.fault("config.shots")
            .get()
            .or_else(|| useless.then(|| format!("Remove it: {words}.")))
    });
    view! {
        <div class="grid-4">
            <TextField label="Seed" value=fields.seed kind=Kind::Number placeholder="0,1234,…" hint="one for all, or four"
                error=desk.fault("config.seed")/>
            <TextField label="Limit" value=fields.limit kind=Kind::Number placeholder="all" hint="first n, never random"
                error=desk.fault("config.limit")/>
            <TextField label="Temperature" value=fields.temperature kind=Kind::Number
                placeholder=own(|h| h.temperature.clone(), "task's own") hint=said(|h| h.temperature.clone())
                error=desk.fault("config.temperature")/>
            <TextField label="Max new tokens" value=fields.max_new_tokens kind=Kind::Number
                placeholder=own(|h| h.max_new_tokens.clone(), "task's own") hint=said(|h| h.max_new_tokens.clone())
                error=desk.fault("config.gen_kwargs.max_new_tokens")/>
            <TextField label="Batch size" value=fields.batch_size kind=Kind::Number placeholder="1" hint="a number or auto"
                error=desk.fault("config.batch_size")/>
            <TextField label="Shots" value=fields.shots kind=Kind::Number placeholder=own(|h| h.shots.clone(), "0")
                hint=shots_hint error=shots_error disabled=no_shots/>
            <TextField label="Top p" value=fields.top_p kind=Kind::Number placeholder=own(|h| h.top_p.clone(), "task's own")
                hint=said(|h| h.top_p.clone()) error=desk.fault("config.gen_kwargs.top_p")/>
            <TextField label="Repeats" value=fields.repeats kind=Kind::Number placeholder="1" hint="answers per question"
                error=desk.fault("config.repeats")/>
        </div>
    }
    .into_any()
}

/// Where it runs, and what happens when it goes wrong.
#[component]
fn Execution() -> impl IntoView {
    let desk = use_desk();
    let fields = desk.fields;
    let status = move || desk.system.load.with(|load| load.value.clone());
    let options = Signal::derive(move || {
        let now = fields.compute.get();
        let mut entries = vec![Entry::new("", "Automatic")];
        entries.extend(status().map(|status| profiles(&status)).unwrap_or_default());
        if !entries.iter().any(|entry| entry.value == now) {
            entries.push(Entry::new(now.clone(), now));
        }
        entries
    });
    let hint = Signal::derive(move || status().map(|status| words(&status, &fields.compute.get())));
    let isolation = Signal::derive(move || {
        if fields.separate.get() {
            "separate".to_owned()
        } else {
            String::new()
        }
    });
    let several = Signal::derive(move || {
        fields
            .compute
            .with(|text| text.parse::<types::ComputeProfile>().is_ok_and(|p| p.gpus > 1))
    });
    let isolations = || {
        vec![
            Entry::new("", "Load the model once"),
            Entry::new("separate", "One process per benchmark"),
        ]
    };
    view! {
        <div class="grid-4 grid-4--wide">
            <SelectField label="Compute" options value=fields.compute on_change=move |profile| fields.compute.set(profile)
                hint error=desk.fault("config.compute_profile")/>
            <SelectField label="Isolation" options=Signal::derive(isolations) value=isolation
                on_change=move |value: String| fields.separate.set(value == "separate") error=desk.fault("config.isolation")
                hint="separate is slower"/>
            <TextField label="Time limit" value=fields.wall_clock placeholder="none" hint="of an attempt: 90 min, 2 h"
                error=desk.fault("config.wall_clock_limit")/>
            <TextField label="Name" value=fields.name placeholder="automatic" hint="made from model and benchmarks"
                error=desk.fault("name")/>
            <TextField label="Offset" value=fields.offset kind=Kind::Number placeholder="0" hint="first document"
                error=desk.fault("config.offset")/>
            <TextField label="Restarts" value=fields.retry_benchmark kind=Kind::Number placeholder="0"
                hint="of a benchmark that killed its process" error=desk.fault("config.retry.benchmark")/>
            <TextField label="New attempts" value=fields.retry_attempt kind=Kind::Number placeholder="0"
                hint="after a lost machine" error=desk.fault("config.retry.attempt")/>
        </div>
        <div hidden=move || !several.get()>
            <Check ticked=Signal::derive(move || fields.data_parallel.get().into()) on_change=move |on| fields.data_parallel.set(on)>
                "One process per GPU, each with a full copy of the model"
            </Check>
        </div>
    }
    .into_any()
}

#[component]
fn Environment() -> impl IntoView {
    let desk = use_desk();
    let secrets = remote(
        move || Some(()),
        async |client, ()| endpoints::secrets(&client).await,
    );
    let names = Signal::derive(move || {
        secrets.load.with(|load| {
            load.value
                .as_ref()
                .map(|list| list.names.clone())
                .unwrap_or_default()
        })
    });
    let note = move || {
        let trouble = secrets
            .load
            .with(|load| load.fault.as_ref().map(|fault| fault.cause.clone()));
        trouble.map_or_else(
            || format!("{} can be used. A plain value is part of this page's address; a key belongs into a secret.",
                plural(names.with(Vec::len) as u64, "secret", "secrets")),
            |cause| format!("The secrets could not be loaded: {cause}"),
        )
    };
    view! {
        <p class="small muted args__note">{note}</p>
        <EnvTable rows=desk.fields.environment secrets=names fault=row_faults("environment")/>
        {move || desk.fault("config.environment").get().map(|words| view! { <p class="field__error">{words}</p> })}
    }
    .into_any()
}
