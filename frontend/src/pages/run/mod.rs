//! One run: how far it is, what it scores, what it prints, why it failed. Everything live and everything fetched is
//! in one store.

pub mod actions;
pub mod artifacts;
pub mod benchmarks;
pub mod console;
pub mod facts;
pub mod failure;
pub mod graphs;
pub mod head;
pub mod progress;
pub mod rates;
pub mod samples;
pub mod scores;
pub mod setup;
pub mod story;
pub mod window;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use types::{RunDetail, RunId};

use self::{
    artifacts::Artifacts,
    benchmarks::{Benchmarks, Metrics},
    console::Console,
    failure::Failures,
    graphs::{Gpus, Throughput},
    head::Head,
    progress::ProgressCard,
    samples::Samples,
    setup::{Differs, Setup},
    story::Story,
};
use crate::{
    components::{
        panel::{Empty, Panel, Reconnecting},
        tabs::{Crumb, Tab, Tabs},
    },
    format::{count, short_id},
    live::store::RunStore,
    shell::{
        keys::{Binding, bind},
        page::describe_page,
    },
    url::{Step, use_carry, use_changed, use_param, use_set_params},
};

/// The page.
#[component]
pub fn Run() -> impl IntoView {
    let params = use_params_map();
    let id =
        Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<RunId>().ok())));
    move || match id.get() {
        Some(id) => view! { <Opened id/> }.into_any(),
        None => view! { <Nameless/> }.into_any(),
    }
}

/// An address that names no run.
#[component]
fn Nameless() -> impl IntoView {
    let carry = use_carry();
    describe_page(
        || "No such run".to_owned(),
        move || vec![Crumb::link("Runs", carry("/runs"))],
    );
    view! {
        <Empty title="This address names no run">
            <a class="btn" href=move || carry("/runs")>"Go to the runs"</a>
        </Empty>
    }
}

#[component]
fn Opened(id: RunId) -> impl IntoView {
    let store = RunStore::open(id);
    provide_context(store);
    let run = Memo::new(move |_| {
        let mut run = store.detail(Clone::clone)?;
        store.metrics(|state| facts::fill_sizes(&mut run, state.metrics.values()));
        Some(run)
    });
    provide_context(Known(run));
    let carry = use_carry();
    describe_page(
        move || short_id(&id.to_string()),
        move || vec![Crumb::link("Runs", carry("/runs"))],
    );
    let unknown = Memo::new(move |_| store.detail(|_| ()).is_none());
    view! {
        {move || unknown.get().then(|| view! { <h1 class="run__pending">{format!("Run {}", short_id(&id.to_string()))}</h1> })}
        <Panel load=store.load() on_retry=move |()| store.refresh() lines=12 children=move |_| view! { <Body/> }.into_any()/>
    }
    .into_any()
}

/// The store of this page.
pub fn use_store() -> RunStore {
    expect_context()
}

/// The run with what its scores say about sizes.
#[derive(Clone, Copy)]
pub struct Known(Memo<Option<RunDetail>>);

impl Known {
    /// Reads the run; the reader runs again when status, progress, benchmarks or scores change.
    pub fn read<T>(self, read: impl FnOnce(&RunDetail) -> T) -> Option<T> {
        self.0.with(|run| run.as_ref().map(read))
    }
}

/// The run of this page with its sizes.
pub fn use_run() -> Known {
    expect_context()
}

/// A part of the page, by its name in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Overview,
    Log,
    Samples,
    Artifacts,
    Config,
    Timeline,
}

impl Part {
    const ALL: [Self; 6] = [
        Self::Overview,
        Self::Log,
        Self::Samples,
        Self::Artifacts,
        Self::Config,
        Self::Timeline,
    ];

    fn name(self) -> &'static str {
        ["", "log", "samples", "artifacts", "config", "timeline"][self as usize]
    }

    fn words(self) -> &'static str {
        ["Overview", "Log", "Samples", "Artifacts", "Config", "Timeline"][self as usize]
    }

    fn of(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|part| part.name() == name)
            .unwrap_or(Self::Overview)
    }

    /// The part `step` places on, around the end.
    fn beside(self, step: usize) -> Self {
        Self::ALL[(self as usize + step) % Self::ALL.len()]
    }
}

#[component]
fn Body() -> impl IntoView {
    let store = use_store();
    let tab = use_param("tab");
    let part = Memo::new(move |_| tab.with(|tab| Part::of(tab)));
    let changed = use_changed();
    let set = use_set_params();
    let go = move |step: usize| set(&[("tab", part.get_untracked().beside(step).name())], Step::Push);
    bind(vec![
        Binding::new("]", "next part of the page", move || go(1)),
        Binding::new("[", "previous part of the page", move || go(Part::ALL.len() - 1)),
    ]);
    let samples = move || {
        store
            .detail(|run| run.benchmarks.iter().map(|row| row.sample_count).sum::<u64>())
            .unwrap_or(0)
    };
    let tabs = Signal::derive(move || {
        let samples = samples();
        let tab = |one: Part| Tab {
            name: one.words().to_owned(),
            href: changed(&[("tab", one.name())]),
            count: (one == Part::Samples && samples > 0).then(|| count(samples)),
            open: one == part.get(),
        };
        Part::ALL.into_iter().map(tab).collect::<Vec<_>>()
    });
    let content = move || match part.get() {
        Part::Overview => view! { <Overview/> }.into_any(),
        Part::Log => view! { <Console tall=true/> }.into_any(),
        Part::Samples => view! { <Samples/> }.into_any(),
        Part::Artifacts => view! { <Artifacts/> }.into_any(),
        Part::Config => view! { <Setup/> }.into_any(),
        Part::Timeline => view! { <Story/> }.into_any(),
    };
    let since = Signal::derive(move || store.link().get().stale_since());
    view! {
        <Head/>
        <Reconnecting since/>
        <ProgressCard/>
        <Failures/>
        <div class="run__tabs"><Tabs label="Parts of the run" tabs/></div>
        {content}
    }
    .into_any()
}

#[component]
fn Overview() -> impl IntoView {
    view! {
        <Benchmarks/>
        <div class="cols cols--2 sect"><Throughput/><Gpus/></div>
        <Metrics/>
        <div class="cols cols--main sect">
            <Console/>
            <aside class="stack run__side"><Story/><Differs/></aside>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn parts_follow_each_other_around() {
        assert_eq!(Part::of("log"), Part::Log);
        assert_eq!(Part::of("nonsense"), Part::Overview);
        assert_eq!(Part::Timeline.beside(1), Part::Overview);
        assert_eq!(Part::Overview.beside(Part::ALL.len() - 1), Part::Timeline);
    }
}
