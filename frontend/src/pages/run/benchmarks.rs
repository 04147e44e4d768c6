//! The benchmarks of the run, and every score as it is committed.

use leptos::prelude::*;
use types::{BenchmarkStatus, RunBenchmarkView};

use super::{
    facts::{mean_rate, size},
    scores::{Score, by_benchmark, primary, scale},
    use_run, use_store,
};
use crate::{
    charts::cell::{IntervalCell, margin},
    components::{
        panel::Empty,
        progress::Progress,
        time::use_seconds,
        words::{StatusMark, Untrusted},
    },
    format::{MISSING, count, duration, real, significant},
    shell::{
        keys::{Binding, bind},
        page::Section,
        slice::{is_busy, use_slice, use_slices},
    },
    status::{benchmark_tone, benchmark_word},
    url::{Step, use_changed, use_param, use_set_params},
};

type Rows = Vec<(RunBenchmarkView, Vec<Score>)>;

fn use_rows() -> Memo<Rows> {
    let (store, run, slice) = (use_store(), use_run(), use_slice());
    Memo::new(move |_| {
        let slice = slice.with(|id| id.parse::<types::SliceId>().ok());
        let benchmarks = run.read(|run| run.benchmarks.clone()).unwrap_or_default();
        store.metrics(|state| by_benchmark(&benchmarks, state.metrics.values(), slice))
    })
}

/// The scores on a slice are there once all samples have been looked at.
fn ask_when_sliced() {
    let (store, chosen) = (use_store(), use_slices().chosen());
    Effect::new(move |was_busy: Option<bool>| {
        let busy = chosen.with(|slice| slice.as_ref().is_some_and(is_busy));
        if was_busy == Some(true) && !busy {
            store.refresh();
        }
        busy
    });
}

/// The table of benchmarks.
#[component]
pub fn Benchmarks() -> impl IntoView {
    let rows = use_rows();
    ask_when_sliced();
    let column = Memo::new(move |_| {
        let shown: Vec<Score> = rows.with(|rows| {
            rows.iter()
                .filter_map(|(row, scores)| primary(row, scores))
                .collect()
        });
        scale(&shown)
    });
    let head = move || match column.get() {
        Some((low, high)) => format!("Score, {} to {}", real(low, 0), real(high, 0)),
        None => "Score".to_owned(),
    };
    let picked = use_param("row");
    let set = use_set_params();
    let step = move |by: isize| {
        let count = rows.with_untracked(Vec::len);
        if count == 0 {
            return;
        }
        let now = picked.with_untracked(|picked| picked.parse::<usize>().ok());
        let next = now.map_or(if by > 0 { 0 } else { count - 1 }, |now| {
            now.saturating_add_signed(by).min(count - 1)
        });
        set(&[("row", &next.to_string())], Step::Replace);
    };
    bind(vec![
        Binding::new("j", "next benchmark", move || step(1)),
        Binding::new("k", "previous benchmark", move || step(-1)),
    ]);
    let keys = move || rows.with(|rows| (0..rows.len()).collect::<Vec<_>>());
    let row = move |index: usize| {
        let entry = Memo::new(move |_| rows.with(|rows| rows.get(index).cloned()));
        view! { <Row entry column index/> }
    };
    view! {
        <Section title="Benchmarks" id="run-benchmarks"
            note="95 % CI from lmms-eval's standard error; a score appears when its benchmark is committed">
            <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Benchmarks of this run, table">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col" class="pinned">"Benchmark"</th><th scope="col">"Status"</th><th scope="col" class="r">"Samples"</th>
                            <th scope="col"><span class="vh">"Progress"</span></th><th scope="col">"Metric"</th>
                            <th scope="col" class="r">{head}</th><th scope="col" class="r">"items/s"</th><th scope="col" class="r">"Took"</th>
                        </tr>
                    </thead>
                    <tbody><For each=keys key=|index| *index children=row/></tbody>
                </table>
            </div>
        </Section>
    }
    .into_any()
}

#[component]
fn Row(
    entry: Memo<Option<(RunBenchmarkView, Vec<Score>)>>,
    column: Memo<Option<(f64, f64)>>,
    index: usize,
) -> impl IntoView {
    let (changed, picked, seconds) = (use_changed(), use_param("row"), use_seconds());
    let view_of = move || entry.with(|entry| entry.as_ref().map(|(row, _)| row.clone()));
    let first =
        Memo::new(move |_| entry.with(|entry| entry.as_ref().and_then(|(row, scores)| primary(row, scores))));
    let more = Memo::new(move |_| {
        entry.with(|entry| {
            entry
                .as_ref()
                .map_or(0, |(_, scores)| scores.len().saturating_sub(1))
        })
    });
    let text = move |read: fn(&RunBenchmarkView) -> String| {
        Memo::new(move |_| view_of().map(|row| read(&row)).unwrap_or_default())
    };
    let name = text(|row| row.name.clone());
    let samples = move || {
        changed(&[
            ("tab", "samples"),
            ("of", &view_of().map(|row| row.id.to_string()).unwrap_or_default()),
        ])
    };
    let tone = Signal::derive(move || {
        view_of().map_or(crate::components::words::Tone::Queued, |row| benchmark_tone(&row))
    });
    let word = text(|row| benchmark_word(row).to_owned());
    let why = Memo::new(move |_| view_of().and_then(|row| row.degraded.or(row.error_message)));
    let done = text(|row| {
        row.done
            .filter(|_| row.status != BenchmarkStatus::Completed)
            .map(count)
            .unwrap_or_default()
    });
    let total = text(|row| size(row).map(count).unwrap_or_else(|| MISSING.to_owned()));
    let share = Signal::derive(move || view_of().and_then(|row| share(&row)));
    let barred = Memo::new(move |_| view_of().is_some_and(|row| row.status != BenchmarkStatus::Pending));
    let run = use_run();
    let rate = Memo::new(move |_| {
        let row = view_of();
        let running = row
            .as_ref()
            .is_some_and(|row| row.status == BenchmarkStatus::Running);
        let now = running.then(|| run.read(|run| run.summary.items_per_second).flatten());
        now.flatten()
            .or_else(|| mean_rate(row.as_ref()?))
            .map_or_else(|| MISSING.to_owned(), significant)
    });
    let took = move || match view_of().map(|row| (row.started_at, row.completed_at, row.status)) {
        Some((Some(from), Some(to), _)) => duration((to - from).num_milliseconds() as f64 / 1000.0),
        Some((Some(from), None, BenchmarkStatus::Running)) => {
            duration((seconds.get() - from.timestamp_millis() as f64).max(0.0) / 1000.0)
        }
        _ => MISSING.to_owned(),
    };
    let failed = Memo::new(move |_| view_of().is_some_and(|row| row.status == BenchmarkStatus::Failed));
    let metric = move || {
        first.get().map(|score| {
            let rest = more.get();
            let filter = score.filter.clone().map(|filter| format!(", {filter}")).unwrap_or_default();
            view! {
                {score.metric.clone()}{filter}" "<span class="dir" title=score.direction()>{score.arrow()}</span>
                {(rest > 0).then(|| view! { " "<a class="num small" href="#run-metrics">{format!("+{rest}")}</a> })}
            }
        })
    };
    let value = move || match first.get() {
        None => view! { <span class="dim">{MISSING}</span> }.into_any(),
        Some(score) => view! { <Value href=samples() scale=column.get() score/> }.into_any(),
    };
    let bar = move || {
        barred
            .get()
            .then(|| view! { <div class="run__bar"><Progress label=name share tone/></div> })
    };
    let picked_now = move || picked.with(|picked| picked.parse() == Ok(index));
    view! {
        <tr class:is-block=move || failed.get() aria-selected=move || picked_now().then_some("true")>
            <th scope="row" class="pinned"><a class="num" href=samples>{name}</a></th>
            <td><span title=why><StatusMark tone word/></span></td>
            <td class="r">
                {move || done.with(|done| (!done.is_empty()).then(|| view! { {done.clone()}" "<span class="dim">"of "</span> }))}
                <span class:dim=move || done.with(|done| !done.is_empty())>{total}</span>
            </td>
            <td>{bar}</td>
            <td class="dim">{metric}</td>
            <td class="r">{value}</td>
            <td class="r">{rate}</td>
            <td class="r">{took}</td>
        </tr>
    }
    .into_any()
}

fn share(row: &RunBenchmarkView) -> Option<f64> {
    match (row.status, row.done, size(row)) {
        (BenchmarkStatus::Completed, ..) => Some(1.0),
        (_, Some(done), Some(total)) if total > 0 => Some(done as f64 / total as f64),
        (BenchmarkStatus::Running, ..) => None,
        _ => Some(0.0),
    }
}

/// A score that leads to its samples, with its doubt.
#[component]
fn Value(href: String, score: Score, scale: Option<(f64, f64)>) -> impl IntoView {
    let title = score.title();
    let exact = score.value.map(|value| value.to_string());
    match score.shown() {
        None if score.reason.is_some() => {
            view! { <span class="dim" title=title>"not available"</span> }.into_any()
        }
        None => view! { <span class="dim" title=title>{MISSING}</span> }.into_any(),
        Some((value, half)) => {
            let interval = score.value.zip(score.range).zip(scale);
            let cell = interval.map(|((value, range), scale)| view! { <IntervalCell value range scale/> });
            view! { <a class="num" href=href title=title data-value=exact>{value}</a>{margin(half)}{cell} }
                .into_any()
        }
    }
}

/// Every score, as committed.
#[component]
pub fn Metrics() -> impl IntoView {
    let rows = use_rows();
    let changed = use_changed();
    let shown = Memo::new(move |_| {
        rows.with(|rows| {
            rows.iter()
                .filter(|(_, scores)| !scores.is_empty())
                .cloned()
                .collect::<Rows>()
        })
    });
    let note = Signal::derive(move || {
        let amount: usize = shown.with(|rows| rows.iter().map(|(_, scores)| scores.len()).sum());
        Some(if amount == 0 {
            String::new()
        } else {
            crate::format::plural(amount as u64, "score", "scores")
        })
    });
    let score_row = move |score: Score| {
        let id = score.run_benchmark_id.to_string();
        let task = score.benchmark_id.to_string();
        let leaf = if score.is_group { "" } else { task.as_str() };
        let href = changed(&[("tab", "samples"), ("of", &id), ("task", leaf)]);
        let n = score.n.map_or_else(|| MISSING.to_owned(), count);
        view! {
            <tr>
                <th scope="row" class="reg">{score.task.clone()}{score.is_group.then(|| view! { " "<span class="dim">"aggregate"</span> })}</th>
                <td>{score.metric.clone()}" "<span class="dir" title=score.direction()>{score.arrow()}</span></td>
                <td class="dim">{score.filter.clone().unwrap_or_else(|| "none".to_owned())}</td>
                <td class="r"><Value href score scale=None/></td>
                <td class="r">{n}</td>
            </tr>
        }
    };
    let group = move |(row, scores): (RunBenchmarkView, Vec<Score>)| {
        let note = row
            .degraded
            .clone()
            .map(|why| view! { " "<span class="run__degraded"><Untrusted text=why/></span> });
        view! {
            <tr class="table__group"><th scope="colgroup" colspan="5">{row.name}{note}</th></tr>
            {scores.into_iter().map(score_row).collect_view()}
        }
    };
    let body = move || {
        match shown.with(Vec::is_empty) {
        true => view! {
            <Empty title="No score is committed yet">
                <span>"lmms-eval computes scores at the end of a benchmark; they appear here at that moment."</span>
            </Empty>
        }
        .into_any(),
        false => view! {
            <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Scores of this run, table">
                <table class="table table--tight">
                    <thead>
                        <tr><th scope="col">"Task"</th><th scope="col">"Metric"</th><th scope="col">"Filter"</th>
                            <th scope="col" class="r">"Value"</th><th scope="col" class="r">"n"</th></tr>
                    </thead>
                    <tbody>{move || shown.get().into_iter().map(group).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any(),
    }
    };
    view! { <Section title="Scores" note id="run-metrics">{body}</Section> }.into_any()
}
