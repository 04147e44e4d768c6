//! The selected slices across models: the newest score of each model and checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::prelude::*;
use types::{BenchmarkId, SliceId, SliceMetric, SliceMetricList};

use super::Board;
use crate::{
    api::{endpoints, remote::remote},
    charts::cell::{RangeCell, margin},
    components::panel::{Empty, Panel},
    format::{MISSING, count, half_width, real, scored},
    shell::page::Section,
    url::{use_carry, use_param},
};

/// The most slices that stand side by side.
const MOST: usize = 6;

/// Name of a slice with its scores.
type Column = (SliceId, String, Arc<SliceMetricList>);
/// Model and checkpoint with a cell for each slice.
pub type Rows = BTreeMap<(String, String), Vec<Option<SliceMetric>>>;

/// The table; nothing while no slice is selected.
#[component]
pub fn Models(
    /// The page.
    board: Board,
) -> impl IntoView {
    let picks = use_param("sel");
    let (slices, report) = (board.slices.value(), board.report.value());
    let key = Memo::new(move |_| {
        let task = report.with(|report| report.as_ref().map(|report| report.benchmark_id))?;
        let list = slices.get()?;
        let named = |pick: &str| list.slices.iter().find(|slice| slice.id.to_string() == pick);
        let chosen: Vec<(SliceId, String)> = picks.with(|picks| {
            picks
                .split(',')
                .filter_map(named)
                .take(MOST)
                .map(|slice| (slice.id, slice.name.clone()))
                .collect()
        });
        (!chosen.is_empty()).then_some((task, chosen))
    });
    let scores = remote(
        move || key.get(),
        async |client, (task, chosen): (BenchmarkId, Vec<(SliceId, String)>)| {
            let mut columns: Vec<Column> = Vec::new();
            for (id, name) in chosen {
                columns.push((
                    id,
                    name,
                    Arc::new(endpoints::slice_metrics(&client, id, task).await?),
                ));
            }
            Ok(columns)
        },
    );
    let table = move |columns: Signal<Arc<Vec<Column>>>| view! { <Side columns/> }.into_any();
    move || {
        key.with(Option::is_some).then(|| {
            view! {
                <Section title="Selected slices, all models" note="the newest score of each model and checkpoint in this benchmark; grey: fewer than 20 samples">
                    <Panel load=scores.load on_retry=scores.retry() lines=4
                        is_empty=Callback::new(|columns: Arc<Vec<Column>>| columns.iter().all(|column| column.2.metrics.is_empty()))
                        empty=|| view! { <Empty title="No score yet"><span>"No run has samples of these slices in this benchmark."</span></Empty> }
                        children=table/>
                </Section>
            }
        })
    }
}

#[component]
fn Side(columns: Signal<Arc<Vec<Column>>>) -> impl IntoView {
    let carry = use_carry();
    let body = move || {
        let columns = columns.get();
        let rows = rows(&columns);
        let scale = scale(&rows);
        let row = move |((model, checkpoint), cells): ((String, String), Vec<Option<SliceMetric>>)| {
            let cells = cells
                .into_iter()
                .map(|cell| view! { <Cell cell scale/> })
                .collect_view();
            let checkpoint = Some(checkpoint).filter(|name| name != "latest");
            view! {
                <tr>
                    <th scope="row" class="pinned">{model}{checkpoint.map(|name| view! { " "<span class="dim reg">{name}</span> })}</th>
                    {cells}
                </tr>
            }
        };
        rows.into_iter().map(row).collect_view()
    };
    let heads = move || {
        let head = |(id, name, _): &Column| {
            let href = format!("/leaderboard?slice={id}");
            view! { <th scope="col" class="r"><a class="num" href=move || carry(&href)>{name.clone()}</a></th> }
        };
        columns.with(|columns| columns.iter().map(head).collect_view())
    };
    view! {
        <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Selected slices by model, table">
            <table class="table">
                <thead><tr><th scope="col" class="pinned">"Model"</th>{heads}</tr></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
    }
}

#[component]
fn Cell(cell: Option<SliceMetric>, scale: (f64, f64)) -> impl IntoView {
    let Some(cell) = cell else {
        return view! { <td class="r dim">{MISSING}</td> }.into_any();
    };
    let Some(value) = cell.metric_value else {
        let why = cell.reason.unwrap_or_default();
        return view! { <td class="r dim" title=why>"not available"</td> }.into_any();
    };
    let range = cell.low.zip(cell.high);
    let (shown, pm) = scored(value, half_width(range));
    let n = cell
        .sample_count
        .map(|n| format!("n = {}", count(n)))
        .unwrap_or_default();
    let label = format!(
        "{shown}, {n}, 95 % interval {} to {}",
        real(cell.low.unwrap_or(value), 3),
        real(cell.high.unwrap_or(value), 3)
    );
    let (dim, small) = (
        cell.small,
        cell.small.then(|| format!(" ({n}, too few to judge)")),
    );
    let mark = range.map(|range| view! { <RangeCell value range scale dim label/> });
    view! {
        <td class="r" class:dim=dim title=n>
            {shown}{margin(pm)}
            {small.map(|words| view! { <span class="vh">{words}</span> })}
            {mark}
        </td>
    }
    .into_any()
}

/// The newest score of each model and checkpoint, slice by slice.
fn rows(columns: &[Column]) -> Rows {
    let mut rows = Rows::new();
    for (at, (_, _, list)) in columns.iter().enumerate() {
        // The newest comes first, and the first one stays.
        for metric in &list.metrics {
            let key = (metric.model_name.clone(), metric.checkpoint.clone());
            let cells = rows.entry(key).or_insert_with(|| vec![None; columns.len()]);
            if cells[at].is_none() {
                cells[at] = Some(metric.clone());
            }
        }
    }
    rows
}

fn scale(rows: &Rows) -> (f64, f64) {
    let ends = rows
        .values()
        .flatten()
        .flatten()
        .flat_map(|cell| [cell.low, cell.high, cell.metric_value]);
    let all: Vec<f64> = ends.flatten().collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low < high { (low, high) } else { (0.0, 1.0) }
}
