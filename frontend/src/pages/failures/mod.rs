//! What went wrong, sample by sample: a list, the sample that is open, what others answered.

pub mod address;
pub mod detail;
pub mod export;
pub mod filters;
pub mod list;

use std::sync::Arc;

use leptos::prelude::*;
use types::{RunId, RunList, SampleDetail, SamplePage};

use address::Address;
use detail::Detail;
use filters::Filters;
use list::{List, next_of};

use crate::{
    api::{
        endpoints::{self, SampleQuery},
        remote::{Remote, remote},
    },
    components::{
        button::{ButtonLink, Look},
        code::copy_address,
        icon::Glyph,
        panel::{Empty, Panel},
    },
    shell::{
        keys::{Binding, bind},
        page::describe_page,
        slice::SliceNote,
    },
    url::{Step, use_carry, use_set_params},
};

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub struct Explorer {
    /// The address.
    pub address: Address,
    /// The runs to choose from.
    pub runs: Remote<RunList>,
    /// The page of the list.
    pub page: Remote<SamplePage>,
    /// The sample that is open.
    pub detail: Remote<SampleDetail>,
}

/// The page.
#[component]
pub fn Failures() -> impl IntoView {
    let address = Address::read();
    let runs = remote(
        || Some(()),
        async |client, ()| endpoints::finished_runs(&client).await,
    );
    let run = Memo::new(move |_| address.run.get().parse::<RunId>().ok());
    let page = remote(
        move || Some((run.get()?, address.page())),
        async |client, (run, query): (RunId, SampleQuery)| endpoints::samples(&client, run, &query).await,
    );
    let value = page.value();
    let open = Memo::new(move |_| {
        let named = address.sample.get();
        let first = || value.with(|page| page.as_ref()?.samples.first().map(|sample| sample.id));
        named.parse().ok().or_else(first)
    });
    let detail = remote(
        move || open.get(),
        async |client, id| endpoints::sample(&client, id).await,
    );
    let explorer = Explorer {
        address,
        runs,
        page,
        detail,
    };
    start_with_newest(explorer);
    describe(explorer);
    bind_keys(explorer);
    view! {
        <h1 class="vh">{move || heading(explorer)}</h1>
        <Filters explorer/>
        <SliceNote what="samples"/>
        <Show when=move || run.get().is_some() fallback=move || view! { <NoRun explorer/> }>
            <div class="explore">
                <List explorer/>
                <Show when=move || open.get().is_some()>
                    <Panel load=detail.load on_retry=detail.retry() lines=12
                        children=move |sample| view! { <Detail sample address on_stale=detail.retry()/> }.into_any()/>
                </Show>
            </div>
        </Show>
    }
    .into_any()
}

fn heading(explorer: Explorer) -> String {
    let detail = explorer.detail.value().get();
    match detail {
        Some(detail) => format!("Failures of {} on {}", detail.model_name, detail.sample.benchmark),
        None => "Failures".to_owned(),
    }
}

fn describe(explorer: Explorer) {
    let detail = explorer.detail.value();
    describe_page(
        move || {
            let named = explorer.address.sample.with(|sample| !sample.is_empty());
            let open = detail.get().filter(|_| named);
            open.map_or_else(
                || "Failures".to_owned(),
                |detail| format!("{} {}", detail.sample.benchmark, detail.sample.doc_id),
            )
        },
        Vec::new,
    );
}

/// Without a run in the address the newest one is shown; a sample in the address brings its own.
fn start_with_newest(explorer: Explorer) {
    let set = use_set_params();
    let (runs, detail) = (explorer.runs.value(), explorer.detail.value());
    Effect::new(move || {
        if !explorer.address.run.with(String::is_empty) {
            return;
        }
        let named = explorer.address.sample.with(|sample| !sample.is_empty());
        let id = if named {
            detail.get().map(|detail| detail.run_id)
        } else {
            let has_samples = |list: Arc<RunList>| {
                list.runs
                    .iter()
                    .find(|run| run.completed_tasks > 0)
                    .map(|run| run.id)
            };
            runs.get().and_then(has_samples)
        };
        if let Some(id) = id {
            set(&[("run", &id.to_string())], Step::Replace);
        }
    });
}

#[component]
fn NoRun(explorer: Explorer) -> impl IntoView {
    let carry = use_carry();
    view! {
        <Panel load=explorer.runs.load on_retry=explorer.runs.retry() lines=6
            children=move |_| view! {
                <Empty title="No run has samples yet">
                    <span>"Samples are stored when the first benchmark of a run is committed."</span>
                    <ButtonLink look=Look::Primary icon=Glyph::Launch href=Signal::derive(move || carry("/launcher"))>"Launch a run"</ButtonLink>
                </Empty>
            }.into_any()/>
    }
}

fn bind_keys(explorer: Explorer) {
    let set = use_set_params();
    let address = explorer.address;
    let go = move |by: isize| {
        let Some(page) = explorer.page.value().get_untracked() else {
            return;
        };
        match next_of(&page, &address.sample.get_untracked(), by) {
            list::Next::Sample(id) => {
                set(&[("sample", &id)], Step::Replace);
                list::reveal(&id);
            }
            list::Next::Page(cursor) => set(&[("from", &cursor), ("sample", "")], Step::Push),
            list::Next::None => {}
        }
    };
    let turn = move || {
        let side = address.view.with_untracked(|view| view == "side");
        set(&[("view", if side { "" } else { "side" })], Step::Replace);
    };
    bind(vec![
        Binding::new("j", "next sample", move || go(1)),
        Binding::new("k", "previous sample", move || go(-1)),
        Binding::new("d", "difference, or side by side", turn),
        Binding::new("c", "copy the link to this sample", move || {
            let Some(detail) = explorer.detail.value().get_untracked() else {
                return;
            };
            set(&[("sample", &detail.sample.id.to_string())], Step::Replace);
            request_animation_frame(copy_address);
        }),
    ]);
}
