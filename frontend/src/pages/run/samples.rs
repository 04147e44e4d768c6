//! The first samples: what was asked, what was expected, what was answered. All of it is untrusted text.

use std::sync::Arc;

use leptos::prelude::*;
use types::{SamplePage, SampleView};

use super::use_store;
use crate::{
    api::{
        endpoints::{self, SampleQuery},
        remote::remote,
    },
    components::{
        button::Button,
        choice::{Entry, SelectField},
        panel::{Empty, Panel},
        rows::Rows,
        words::{Badge, Untrusted, Weight},
    },
    format::{count, flag_words, input_text, metrics_text, significant, text_of},
    media::Thumbs,
    shell::{
        keys::{Binding, bind},
        page::Section,
    },
    url::{Step, use_carry, use_param, use_set_params},
};

/// Samples of a page.
const PAGE: u32 = 50;
/// Characters of a text that are shown before "Show all".
const CUT: usize = 1200;

/// The samples of the run.
#[component]
pub fn Samples() -> impl IntoView {
    let store = use_store();
    let (of, task, order, from) = (
        use_param("of"),
        use_param("task"),
        use_param("order"),
        use_param("from_sample"),
    );
    // New samples arrive when a benchmark is committed.
    let stored = Memo::new(move |_| {
        store.detail(|run| run.benchmarks.iter().map(|row| row.sample_count).sum::<u64>())
    });
    let query = Memo::new(move |_| {
        let _ = stored.get()?;
        Some((
            stored.get(),
            SampleQuery {
                run_benchmark: of.get().parse().ok(),
                benchmark: task.get().parse().ok(),
                sort_by: order.get(),
                cursor: from.get(),
                limit: PAGE,
                ..SampleQuery::default()
            },
        ))
    });
    let page = remote(
        move || query.get(),
        move |client, (_, query): (Option<u64>, SampleQuery)| async move {
            endpoints::samples(&client, store.id, &query).await
        },
    );
    let empty = move || {
        view! {
            <Empty title="No sample is stored yet">
                <span>"Samples are stored when their benchmark is committed. A failed benchmark leaves none."</span>
            </Empty>
        }
        .into_any()
    };
    let nothing = Callback::new(|page: Arc<SamplePage>| page.samples.is_empty());
    let note = Signal::derive(move || {
        page.load.with(|load| {
            load.value.as_ref().map(|page| {
                format!(
                    "showing {} of {}",
                    count(page.samples.len() as i64),
                    count(page.total)
                )
            })
        })
    });
    view! {
        <Section title="Samples" note>
            <Filters/>
            <Panel
                load=page.load
                on_retry=page.retry()
                lines=10
                is_empty=nothing
                empty=empty
                children=move |page| view! { <List page/> }.into_any()
            />
        </Section>
    }
    .into_any()
}

#[component]
fn Filters() -> impl IntoView {
    let store = use_store();
    let (of, order) = (use_param("of"), use_param("order"));
    let set = use_set_params();
    let options = Signal::derive(move || {
        let mut entries = vec![Entry::new("", "All benchmarks")];
        let rows = store.detail(|run| {
            let entry = |row: &types::RunBenchmarkView| {
                Entry::new(
                    row.id.to_string(),
                    format!("{} · {}", row.name, count(row.sample_count)),
                )
            };
            run.benchmarks.iter().map(entry).collect::<Vec<_>>()
        });
        entries.extend(rows.unwrap_or_default());
        entries
    });
    let orders = || {
        vec![
            Entry::new("", "As in the file"),
            Entry::new("error", "Largest error first"),
            Entry::new("confidence", "Least confidence first"),
        ]
    };
    view! {
        <div class="grid-4 grid-4--wide run__filters">
            <SelectField label="Benchmark" options value=of
                on_change=move |id: String| set(&[("of", &id), ("task", ""), ("from_sample", ""), ("sample", "")], Step::Replace)/>
            <SelectField label="Order" options=Signal::derive(orders) value=order
                on_change=move |order: String| set(&[("order", &order), ("from_sample", ""), ("sample", "")], Step::Replace)/>
        </div>
    }
}

#[component]
fn List(page: Signal<Arc<SamplePage>>) -> impl IntoView {
    let picked = use_param("sample");
    let set = use_set_params();
    let step = move |by: isize| {
        let next = page.with_untracked(|page| {
            let at = picked.with_untracked(|id| {
                page.samples
                    .iter()
                    .position(|sample| sample.id.to_string() == *id)
            });
            let last = page.samples.len().checked_sub(1)?;
            let next = at.map_or(0, |at| at.saturating_add_signed(by).min(last));
            Some(page.samples[next].id.to_string())
        });
        if let Some(id) = next {
            set(&[("sample", &id)], Step::Replace);
            reveal(&id);
        }
    };
    bind(vec![
        Binding::new("j", "next sample", move || step(1)),
        Binding::new("k", "previous sample", move || step(-1)),
    ]);
    let items = move || page.with(|page| page.samples.clone());
    let next = move || page.with(|page| page.next_cursor.clone());
    let from = use_param("from_sample");
    let more = move || {
        let first = from.with(|from| !from.is_empty()).then(|| {
            view! { <Button on_click=move |_| set(&[("from_sample", "")], Step::Push)>"First page"</Button> }
        });
        let after = next().map(|cursor| {
            view! { <Button on_click=move |_| set(&[("from_sample", &cursor), ("sample", "")], Step::Push)>"Next page"</Button> }
        });
        view! { <div class="pager"><span class="pager__end">{first}{after}</span></div> }
    };
    view! {
        <div class="run__samples">
            <Rows each=items key=|sample: &SampleView| sample.id children=move |sample| view! { <Sample sample picked/> }/>
        </div>
        {more}
    }
    .into_any()
}

fn reveal(id: &str) {
    if let Some(card) = document().get_element_by_id(&format!("sample-{id}")) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        card.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

#[component]
fn Sample(sample: SampleView, picked: Signal<String>) -> impl IntoView {
    let id = sample.id.to_string();
    let (store, carry) = (use_store(), use_carry());
    let href = {
        let address = format!("/failures?run={}&mark=all&sample={id}", store.id);
        Signal::derive(move || carry(&address))
    };
    let current = {
        let id = id.clone();
        move || picked.with(|picked| *picked == id).then_some("true")
    };
    let flags = sample.flags.iter().map(|flag| {
        let (words, title) = flag_words(flag);
        view! { <Badge weight=Weight::Warn title>{words}</Badge> }
    });
    let flags: Vec<_> = flags.collect();
    let score = match (sample.score, &sample.score_reason) {
        (Some(score), _) => {
            view! { <span>"score " <b class="mid">{significant(score)}</b></span> }.into_any()
        }
        (None, Some(reason)) => {
            view! { <span class="dim">"no score: "<Untrusted text=reason.clone()/></span> }.into_any()
        }
        (None, None) => view! { <span class="dim">"no score"</span> }.into_any(),
    };
    let filter = (sample.filter != "none")
        .then(|| view! { <span class="dim">{format!("filter {}", sample.filter)}</span> });
    let raw = sample
        .raw_prediction
        .as_ref()
        .map(|raw| view! { <Part name="Raw answer" text=text_of(raw)/> });
    view! {
        <article class="run__sample" id=format!("sample-{id}") aria-current=current aria-label=format!("{} document {}", sample.benchmark, sample.doc_id)>
            <header class="row small">
                <span class="mid">{sample.benchmark.clone()}</span>
                <span class="dim">{format!("document {}", sample.doc_id)}</span>
                {filter}
                {flags}
                <span class="run__score">{score}</span>
            </header>
            <Thumbs media=sample.media.clone() href/>
            <dl class="run__parts">
                <Part name="Input" text=input_text(&sample.input)/>
                <Part name="Expected" text=text_of(&sample.ground_truth)/>
                <Part name="Answer" text=text_of(&sample.prediction)/>
                {raw}
                <Part name="Metrics" text=metrics_text(&sample.metrics)/>
            </dl>
        </article>
    }
    .into_any()
}

#[component]
fn Part(name: &'static str, text: String) -> impl IntoView {
    if text.is_empty() {
        return view! { <dt>{name}</dt><dd class="dim">"empty"</dd> }.into_any();
    }
    let length = text.chars().count();
    let open = RwSignal::new(length <= CUT);
    let all = StoredValue::new(text);
    let shown = Signal::derive(move || {
        all.with_value(|text| {
            if open.get() {
                text.clone()
            } else {
                text.chars().take(CUT).collect()
            }
        })
    });
    let more = move || {
        (!open.get()).then(|| {
            view! { <button type="button" class="link small" on:click=move |_| open.set(true)>{format!("Show all {} characters", count(length as i64))}</button> }
        })
    };
    view! { <dt>{name}</dt><dd class="run__text"><Untrusted text=shown/>{more}</dd> }.into_any()
}
