//! What was asked for, the exact commands, the environment, and how all that differs from another run.

use leptos::prelude::*;
use types::{RunDetail, RunSummary};

use super::{
    facts::{Difference, Fact, differences, identity, record, settings},
    use_store,
};
use crate::{
    api::{
        endpoints::{self, RunQuery},
        remote::remote,
    },
    components::{
        code::{CodeBlock, CopyButton},
        panel::{Empty, Panel},
        picker::{Choice, Picker},
        words::Untrusted,
    },
    format::{plural, short_id},
    shell::page::Section,
    url::{Step, use_changed, use_param, use_set_params},
};

/// Settings, commands, environment.
#[component]
pub fn Setup() -> impl IntoView {
    view! { <Settings/><Compared/><Commands/><Environment/> }.into_any()
}

fn facts_view(facts: Vec<Fact>) -> impl IntoView {
    let one = |(name, value): Fact| view! { <dt><Untrusted text=name/></dt><dd class="run__value"><Untrusted text=value/></dd> };
    view! { <dl class="kv">{facts.into_iter().map(one).collect_view()}</dl> }
}

#[component]
fn Settings() -> impl IntoView {
    let store = use_store();
    let facts = Memo::new(move |_| {
        store
            .detail(|run| (identity(run), settings(&run.config).len()))
            .unwrap_or_default()
    });
    let note = Signal::derive(move || {
        Some(match facts.with(|facts| facts.1) {
            0 => "everything left to the tasks and to lmms-eval".to_owned(),
            n => plural(
                n as u64,
                "setting differs from the defaults",
                "settings differ from the defaults",
            ),
        })
    });
    view! { <Section title="Config" note>{move || facts_view(facts.get().0)}</Section> }
}

#[component]
fn Commands() -> impl IntoView {
    let store = use_store();
    let commands = Memo::new(move |_| store.detail(|run| run.commands.clone()).unwrap_or_default());
    let process = Signal::derive(move || {
        commands.with(|all| all.iter().map(|c| c.shell.clone()).collect::<Vec<_>>().join("\n"))
    });
    let each = Signal::derive(move || {
        commands.with(|all| {
            let lines = all.iter().flat_map(|c| &c.benchmarks).map(|b| b.shell.clone());
            lines.collect::<Vec<_>>().join("\n\n")
        })
    });
    let tools = move || view! { <CopyButton label="Copy the command" text=process/> }.into_any();
    let body = move || {
        match commands.with(Vec::is_empty) {
        true => view! { <Empty title="No command has been executed yet"><span>"It is recorded when an attempt begins."</span></Empty> }.into_any(),
        false => view! {
            <CodeBlock label="Command line" text=process wrap=true/>
            <div class="row run__each"><h3>"lmms-eval's own command line of each benchmark"</h3><CopyButton label="Copy the command lines" text=each/></div>
            <CodeBlock label="Command line of each benchmark" text=each wrap=true/>
        }
        .into_any(),
    }
    };
    view! { <Section title="Command" note="as it was executed" tools=tools>{body}</Section> }.into_any()
}

#[component]
fn Environment() -> impl IntoView {
    let store = use_store();
    let facts = Memo::new(move |_| store.detail(|run| record(&run.environment)).unwrap_or_default());
    let body = move || {
        match facts.with(Vec::is_empty) {
        true => view! { <Empty title="Nothing is recorded yet"><span>"Versions and machine are recorded when lmms-eval has started."</span></Empty> }.into_any(),
        false => facts_view(facts.get()).into_any(),
    }
    };
    view! { <Section title="Environment" note="versions and machine of the last attempt">{body}</Section> }
        .into_any()
}

/// The other run, which `?diff=` names.
fn use_other() -> crate::api::remote::Remote<RunDetail> {
    let diff = use_param("diff");
    remote(
        move || diff.get().parse().ok(),
        async |client, id| endpoints::run(&client, id).await,
    )
}

#[component]
fn Compared() -> impl IntoView {
    let store = use_store();
    let diff = use_param("diff");
    let set = use_set_params();
    let query = RunQuery {
        limit: 50,
        ..RunQuery::default()
    };
    let runs = remote(
        move || Some(query.clone()),
        async |client, query: RunQuery| endpoints::runs(&client, &query).await,
    );
    let choice = |run: &RunSummary| Choice {
        value: run.id.to_string(),
        name: format!("{} {} · {}", run.model_name, run.checkpoint_variant, run.name),
        meta: short_id(&run.id.to_string()),
        refused: None,
    };
    let choices = Signal::derive(move || {
        let list = runs.load.with(|load| load.value.clone());
        let others = list.map(|list| {
            list.runs
                .iter()
                .filter(|run| run.id != store.id)
                .map(choice)
                .collect::<Vec<_>>()
        });
        others.unwrap_or_default()
    });
    let named = Memo::new(move |_| diff.with(|diff| !diff.is_empty()));
    view! {
        <Section title="Differs from another run" id="run-diff">
            <div class="run__other">
                <Picker label="Other run" choices value=diff on_pick=move |id: String| set(&[("diff", &id)], Step::Replace)
                    placeholder="Search the last 50 runs" hint="its settings and environment beside this run's"/>
            </div>
            {move || named.get().then(|| view! { <Table all=true/> })}
        </Section>
    }
    .into_any()
}

/// A short form for the overview, when the address names another run.
#[component]
pub fn Differs() -> impl IntoView {
    let diff = use_param("diff");
    let changed = use_changed();
    move || {
        diff.get().parse::<types::RunId>().ok().map(|id| {
            let tools = move || view! { <a class="link small" href=move || changed(&[("tab", "config")])>"Full config"</a> }.into_any();
            view! {
                <Section title=format!("Differs from run {}", short_id(&id.to_string())) tools=tools><Table all=false/></Section>
            }
        })
    }
}

#[component]
fn Table(all: bool) -> impl IntoView {
    let store = use_store();
    let other = use_other();
    let body = move |before: Signal<std::sync::Arc<RunDetail>>| {
        let found = Memo::new(move |_| {
            let facts = |run: &RunDetail| {
                let mut facts = identity(run);
                if all {
                    facts.extend(
                        record(&run.environment)
                            .into_iter()
                            .map(|(k, v)| (format!("environment record {k}"), v)),
                    );
                }
                facts
            };
            let now = store.detail(facts).unwrap_or_default();
            before.with(|before| differences(&facts(before), &now))
        });
        let one = |(name, before, after): Difference| {
            let del = before.map(|text| view! { <del><Untrusted text/></del>" " });
            let ins = view! { <ins><Untrusted text=after.unwrap_or_else(|| "not set".to_owned())/></ins> };
            view! { <dt><Untrusted text=name/></dt><dd><span class="diff diff--sm">{del}{ins}</span></dd> }
        };
        view! {
            <dl class="kv">
                {move || found.get().0.into_iter().map(one).collect_view()}
                <dt>"same"</dt><dd class="muted">{move || plural(found.with(|found| found.1) as u64, "entry", "entries")}</dd>
            </dl>
        }
        .into_any()
    };
    view! { <Panel load=other.load on_retry=other.retry() lines=4 children=body/> }
}
