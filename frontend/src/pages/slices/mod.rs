//! All slices: their rules and sizes, what one run scores on each, how far they are apart and how far by chance.

pub mod edit;
pub mod models;
pub mod report;
pub mod table;
pub mod words;

use std::sync::Arc;

use leptos::prelude::*;
use types::{MetricList, RunId, RunList, SliceList, SliceReport, SliceView};

use edit::{Editing, SliceDialog};
use models::Models;
use report::Figures;
use table::SliceTable;
use words::{By, Line, lede, lines, sheet, sorting};

use crate::{
    api::{
        endpoints,
        remote::{Remote, remote},
    },
    components::{
        button::{Button, ButtonLink, Look},
        choice::{Entry, Select},
        code::CopyLink,
        icon::Glyph,
        panel::{Empty, Panel},
        words::{Alert, Weight},
    },
    shell::{
        export::ExportMenu,
        page::{PageHead, describe_page},
        slice::{is_busy, use_slices},
    },
    url::{Step, use_carry, use_param, use_set_params},
};

/// What the parts of the page share.
#[derive(Clone, Copy)]
pub struct Board {
    /// All slices.
    pub slices: Remote<SliceList>,
    /// Runs to choose from.
    pub runs: Remote<RunList>,
    /// The slices of the chosen task against each other.
    pub report: Remote<SliceReport>,
    /// What the dialog is about.
    pub editing: RwSignal<Option<Editing>>,
    /// The slice that is asked about before it goes.
    pub doomed: RwSignal<Option<SliceView>>,
}

impl Board {
    /// The lines of the table in the order of the address.
    pub fn lines(self) -> Memo<Vec<Line>> {
        let (sort, small) = (use_param("sort"), use_param("small"));
        let (slices, report) = (self.slices.value(), self.report.value());
        Memo::new(move |_| {
            let order: (By, bool) = sort.with(|text| sorting(text));
            let with_small = small.with(|text| text != "no");
            let Some(list) = slices.get() else {
                return Vec::new();
            };
            lines(&list.slices, report.get().as_deref(), order, with_small)
        })
    }
}

/// The page.
#[component]
pub fn Slices() -> impl IntoView {
    describe_page(|| "Slices".to_owned(), Vec::new);
    let (run, task, filter) = (use_param("run"), use_param("task"), use_param("filter"));
    let runs = remote(
        || Some(()),
        async |client, ()| endpoints::finished_runs(&client).await,
    );
    let list = runs.value();
    let chosen = Memo::new(move |_| {
        let named = run.with(|run| run.parse::<RunId>().ok());
        let newest = || {
            list.with(|list| {
                list.as_ref()?
                    .runs
                    .iter()
                    .find(|run| run.completed_tasks > 0)
                    .map(|run| run.id)
            })
        };
        named.or_else(newest)
    });
    let report = remote(
        move || Some((chosen.get()?, task.get(), filter.get())),
        async |client, (run, task, filter): (RunId, String, String)| {
            endpoints::run_slices(&client, run, &task, &filter).await
        },
    );
    let board = Board {
        slices: use_slices().list,
        runs,
        report,
        editing: RwSignal::new(None),
        doomed: RwSignal::new(None),
    };
    ask_when_done(board);
    view! {
        <Head board/>
        <Panel
            load=board.slices.load
            on_retry=board.slices.retry()
            lines=12
            is_empty=Callback::new(|list: Arc<SliceList>| list.slices.is_empty())
            empty=move || view! { <NoSlices board/> }
            children=move |_| view! { <Body board chosen/> }.into_any()
        />
        <SliceDialog editing=board.editing slices=board.slices report=board.report.value()/>
        <edit::Removal doomed=board.doomed slices=board.slices/>
    }
    .into_any()
}

/// The report is another one when samples have been looked at.
fn ask_when_done(board: Board) {
    let list = board.slices.value();
    Effect::new(move |before: Option<Vec<String>>| {
        let state = |slice: &SliceView| format!("{} {} {}", slice.id, is_busy(slice), slice.samples);
        let now: Vec<String> = list.with(|list| {
            list.iter()
                .flat_map(|list| list.slices.iter().map(state))
                .collect()
        });
        if before.is_some_and(|before| before != now) {
            board.report.reload();
        }
        now
    });
}

#[component]
fn Head(board: Board) -> impl IntoView {
    let report = board.report.value();
    let rows = board.lines();
    let sentence = move || report.get().map(|report| lede(&report));
    let file = Callback::new(move |()| sheet(&rows.get_untracked(), report.get_untracked().as_deref()));
    let actions = move || {
        view! {
            <CopyLink/>
            <ExportMenu name="slices" sheet=file/>
            <Button look=Look::Primary icon=Glyph::Plus on_click=move |_| board.editing.set(Some(Editing::blank()))>"New slice…"</Button>
        }
    };
    view! { <PageHead title=|| "Slices" lede=sentence actions/> }
}

#[component]
fn NoSlices(board: Board) -> impl IntoView {
    view! {
        <Empty title="No slice yet">
            <span>"A slice is a part of the samples that a rule finds in their documents, such as category = \"ocr\". Every page can look through it."</span>
            <Button look=Look::Primary icon=Glyph::Plus on_click=move |_| board.editing.set(Some(Editing::blank()))>"New slice…"</Button>
        </Empty>
    }
}

#[component]
fn Body(board: Board, chosen: Memo<Option<RunId>>) -> impl IntoView {
    view! {
        <Bar board chosen/>
        <ReportState board chosen/>
        <Figures report=board.report.value() slices=board.slices.value()/>
        <SliceTable board/>
        <Models board/>
    }
}

/// Why there are no numbers, where there are none.
#[component]
fn ReportState(board: Board, chosen: Memo<Option<RunId>>) -> impl IntoView {
    let carry = use_carry();
    let (runs, report) = (board.runs.value(), board.report.value());
    let fault = move || board.report.load.with(|load| load.fault.clone());
    let reason = move || report.get().and_then(|report| report.reason.clone());
    move || {
        if chosen.get().is_none() {
            return runs.get().map(|_| view! {
                <Empty title="No run has samples yet">
                    <span>"The rules are kept; sizes and scores come with the first run."</span>
                    <ButtonLink icon=Glyph::Launch href=Signal::derive(move || carry("/launcher"))>"Launch a run"</ButtonLink>
                </Empty>
            }.into_any());
        }
        let none = fault().filter(|fault| fault.status == 422);
        if none.is_some() {
            return Some(view! { <p class="muted" role="status">"This run has no scored samples in this benchmark; choose another."</p> }.into_any());
        }
        if let Some(fault) = fault() {
            let cause = fault.cause.clone();
            let retry = board.report.retry();
            let actions =
                move || view! { <Button on_click=move |_| retry.run(())>"Try again"</Button> }.into_any();
            return Some(
                view! { <Alert weight=Weight::Bad cause actions live=true>{fault.detail}</Alert> }.into_any(),
            );
        }
        reason().map(|reason| {
            view! { <Alert weight=Weight::Warn cause="Slices have no score here".to_owned()>{reason}"."</Alert> }.into_any()
        })
    }
}

/// The run and the task whose numbers are shown.
#[component]
fn Bar(board: Board, chosen: Memo<Option<RunId>>) -> impl IntoView {
    let set = use_set_params();
    let runs = board.runs.value();
    let options = Signal::derive(move || {
        let entry = |run: &types::RunSummary| {
            Entry::new(run.id.to_string(), format!("{} · {}", run.model_name, run.name))
        };
        runs.get()
            .map(|list| list.runs.iter().map(entry).collect::<Vec<_>>())
            .unwrap_or_default()
    });
    let value = Signal::derive(move || chosen.get().map(|id| id.to_string()).unwrap_or_default());
    let metrics = remote(
        move || chosen.get(),
        async |client, run| endpoints::metrics(&client, run).await,
    );
    let known = metrics.value();
    let tasks = Signal::derive(move || known.get().map(|list| tasks_of(&list)).unwrap_or_default());
    let report = board.report.value();
    let now = Signal::derive(move || {
        report
            .get()
            .map(|report| key(&report.benchmark_id.to_string(), &report.filter))
            .unwrap_or_default()
    });
    let choose = move |text: String| {
        let (task, filter) = text.split_once(' ').unwrap_or((&text, ""));
        set(&[("task", task), ("filter", filter)], Step::Push);
    };
    view! {
        <div class="bar">
            <Select label="Run" options value on_change=move |id: String| set(&[("run", &id), ("task", ""), ("filter", "")], Step::Push)/>
            <Select label="Benchmark" options=tasks value=now on_change=choose/>
        </div>
    }
}

fn key(task: &str, filter: &str) -> String {
    format!("{task} {filter}")
}

/// The tasks of a run, each with its filters.
fn tasks_of(list: &MetricList) -> Vec<Entry> {
    let mut found: Vec<(String, String)> = list
        .metrics
        .iter()
        .filter(|metric| metric.slice_id.is_none() && !metric.is_group)
        .map(|metric| {
            let words = match metric.filter.as_str() {
                "none" => metric.benchmark.clone(),
                filter => format!("{}, {filter}", metric.benchmark),
            };
            (key(&metric.benchmark_id.to_string(), &metric.filter), words)
        })
        .collect();
    found.sort_by(|a, b| a.1.cmp(&b.1));
    found.dedup();
    found
        .into_iter()
        .map(|(value, words)| Entry::new(value, words))
        .collect()
}
