//! One model: its scores by checkpoint, their trends, its runs, what it is.

pub mod about;
pub mod grid;
pub mod heat;
pub mod runs;
pub mod trends;

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use types::{ModelDetail, ModelId};

use about::About;
use grid::Grid;
use heat::Heat;
use runs::ModelRuns;
use trends::Trends;

use crate::{
    api::{
        endpoints,
        remote::{Remote, poll, remote},
    },
    components::{
        button::{ButtonLink, Look},
        code::CopyLink,
        icon::Glyph,
        panel::{Empty, Panel},
        tabs::{Crumb, Tab, Tabs},
    },
    format::{count, parameters, plural},
    shell::{
        export::ExportMenu,
        page::{PageHead, describe_page},
        slice::{SliceNote, use_slice},
    },
    url::{use_carry, use_changed, use_param},
};

/// How often the model is asked for again.
const FRESH: u32 = 30_000;

/// The page of one model.
#[component]
pub fn Model() -> impl IntoView {
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<ModelId>().ok())));
    let slice = use_slice();
    let model = remote(
        move || id.get().map(|id| (id, slice.get())),
        async |client, (id, slice): (ModelId, String)| endpoints::model(&client, id, &slice).await,
    );
    poll(model, FRESH, || true);
    let value = model.value();
    let carry = use_carry();
    describe_page(
        move || {
            value
                .get()
                .map_or_else(|| "Model".to_owned(), |model| model.model.name.clone())
        },
        move || vec![Crumb::link("Models", carry("/models"))],
    );
    let view_of = |detail: Signal<Arc<ModelDetail>>| view! { <Page detail/> }.into_any();
    view! {
        <Show when=move || id.get().is_some()
            fallback=|| view! { <Empty title="There is no such model"><span>"The address is no model's."</span></Empty> }>
            <Head model/>
            <SliceNote what="scores"/>
            <Panel load=model.load on_retry=model.retry() lines=14 children=view_of/>
        </Show>
    }
    .into_any()
}

#[component]
fn Head(model: Remote<ModelDetail>) -> impl IntoView {
    let carry = use_carry();
    let value = model.value();
    let title = move || {
        value
            .get()
            .map_or_else(|| "Model".to_owned(), |model| model.model.name.clone())
    };
    let lede = move || value.get().map(|detail| lede_of(&detail));
    let sheet = Callback::new(move |()| {
        let detail = value.get_untracked();
        detail
            .map(|detail| grid::sheet(&detail.model.name, &grid::grid(&detail.scores, true)))
            .unwrap_or_default()
    });
    let launch = Signal::derive(move || {
        let id = value
            .get()
            .map(|detail| detail.model.id.to_string())
            .unwrap_or_default();
        carry(&format!("/launcher?model={id}"))
    });
    let actions = move || {
        view! {
            <CopyLink/>
            <ExportMenu name="model-scores" sheet/>
            <ButtonLink look=Look::Primary icon=Glyph::Launch href=launch>"Evaluate"</ButtonLink>
        }
    };
    view! { <PageHead title lede actions/> }
}

fn lede_of(detail: &ModelDetail) -> String {
    let model = &detail.model;
    let size = model.num_parameters.and_then(|n| u64::try_from(n).ok());
    let size = size.map(|n| format!("{} parameters", parameters(n)));
    let parts = [
        model.family.clone(),
        size,
        model.dtype.clone(),
        model.source.clone(),
        Some(plural(
            model.checkpoints.len() as u64,
            "checkpoint",
            "checkpoints",
        )),
        Some(plural(model.run_count, "run", "runs")),
        Some(plural(
            model.benchmark_count,
            "benchmark measured",
            "benchmarks measured",
        )),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[component]
fn Page(detail: Signal<Arc<ModelDetail>>) -> impl IntoView {
    let (tab, metrics) = (use_param("tab"), use_param("metrics"));
    let changed = use_changed();
    let all = Memo::new(move |_| metrics.with(|metrics| metrics == "all"));
    let scores = Memo::new(move |_| detail.with(|detail| grid::grid(&detail.scores, all.get())));
    let tabs = Signal::derive(move || {
        let runs = detail.with(|detail| detail.model.run_count);
        let entry = |id: &str, name: &str, count: Option<String>| Tab {
            name: name.to_owned(),
            href: changed(&[("tab", id)]),
            count,
            open: tab.with(|tab| tab == id),
        };
        vec![
            entry("", "Scores", None),
            entry("runs", "Runs", Some(count(runs))),
            entry("about", "About", None),
        ]
    });
    let body = move || match tab.get().as_str() {
        "runs" => view! { <ModelRuns detail/> }.into_any(),
        "about" => view! { <About detail/> }.into_any(),
        _ => view! { <Scores scores all/> }.into_any(),
    };
    view! { <Tabs label="Parts of the model" tabs/>{body} }
}

#[component]
fn Scores(scores: Memo<Grid>, all: Memo<bool>) -> impl IntoView {
    let carry = use_carry();
    let none = move || scores.with(|grid| grid.rows.is_empty());
    let sliced = use_slice();
    view! {
        <Show when=move || !none() fallback=move || if !sliced.with(String::is_empty) { view! {
            <Empty title="No score on this slice">
                <span>"None of the model's benchmarks has samples in the slice, or none of them is the mean of its samples. The page of slices says why."</span>
                <ButtonLink icon=Glyph::Slice href=Signal::derive(move || carry("/slices"))>"See the slices"</ButtonLink>
            </Empty>
        }.into_any() } else { view! {
            <Empty title="No score yet">
                <span>"Scores stand here as soon as a benchmark of one of its runs is committed."</span>
                <ButtonLink icon=Glyph::Launch href=Signal::derive(move || carry("/launcher"))>"Launch a run"</ButtonLink>
            </Empty>
        }.into_any() }>
            <Heat scores all/>
            <Trends scores/>
        </Show>
    }
}
