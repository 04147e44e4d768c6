//! The heatmap: benchmarks by checkpoints; a cell leads to its samples.

use analysis::display::{color, text_color};
use leptos::prelude::*;
use types::ModelScore;

use super::grid::{Grid, Row, shown, title};
use crate::{
    components::choice::{Check, Ticked},
    shell::page::Section,
    url::{Step, use_carry, use_changed, use_param, use_set_params},
};

/// Stops of the legend.
const STOPS: u32 = 24;

/// The heatmap with its legend.
#[component]
pub fn Heat(
    /// The grid.
    scores: Memo<Grid>,
    /// Whether every metric has a row.
    all: Memo<bool>,
) -> impl IntoView {
    let set = use_set_params();
    let heads = move || {
        scores.with(|grid| {
            let head = |name: &String| view! { <th scope="col" class="c">{name.clone()}</th> };
            grid.columns
                .iter()
                .map(|column| head(&column.name))
                .collect_view()
        })
    };
    let rows = move || {
        scores.with(|grid| {
            grid.rows
                .iter()
                .cloned()
                .map(|row| view! { <HeatRow row/> })
                .collect_view()
        })
    };
    let tools = move || {
        view! {
            <Legend/>
            <Check ticked=Signal::derive(move || Ticked::from(all.get()))
                on_change=move |on: bool| set(&[("metrics", if on { "all" } else { "" })], Step::Replace)>"All metrics"</Check>
        }
    };
    view! {
        <Section title="Scores by checkpoint" note="best of a row underlined; hatched was not run; a cell opens its samples" tools>
            <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Scores by checkpoint, table">
                <table class="table heat">
                    <thead><tr><th scope="col" class="pinned">"Benchmark"</th>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </Section>
    }
}

#[component]
fn HeatRow(row: Row) -> impl IntoView {
    let changed = use_changed();
    let carry = use_carry();
    let shown_trend = use_param("trend");
    let (key, best) = (row.key.clone(), row.best());
    let (arrow, direction) = match row.up {
        Some(true) => ("↑", "higher is better"),
        Some(false) => ("↓", "lower is better"),
        None => ("", "no direction"),
    };
    let current = {
        let key = key.clone();
        move || shown_trend.with(|shown| *shown == key).then_some("true")
    };
    let cells = row.cells.iter().enumerate().map(|(at, cell)| match cell {
        Some(score) => filled(&row, score, best == Some(at), carry),
        None => view! { <td><span class="vh">"not run"</span></td> }.into_any(),
    });
    let cells = cells.collect_view();
    view! {
        <tr>
            <th scope="row" class="pinned">
                <a class="num" href=move || changed(&[("trend", &key)]) aria-current=current title=format!("{}; {direction}; show its trend", row.metric)>{row.benchmark}</a>
                " "<span class="dim reg small">{row.metric}" "<span aria-hidden="true">{arrow}</span></span>
            </th>
            {cells}
        </tr>
    }
}

fn filled(
    row: &Row,
    score: &ModelScore,
    best: bool,
    carry: impl Fn(&str) -> String + Copy + Send + Sync + 'static,
) -> AnyView {
    let href = format!(
        "/failures?run={}&of={}&task={}",
        score.run_id, score.run_benchmark_id, score.benchmark_id
    );
    let colours = row
        .goodness(score.value)
        .and_then(|t| color("cividis", t))
        .map(|ground| (ground, text_color(ground)));
    let css = |[r, g, b]: [u8; 3]| format!("rgb({r} {g} {b})");
    let ground = colours.map_or_else(|| "var(--bg-sunk)".to_owned(), |(ground, _)| css(ground));
    let ink = colours.map_or_else(|| "var(--ink)".to_owned(), |(_, ink)| css(ink));
    let value = if score.limited {
        format!("{}*", shown(score))
    } else {
        shown(score)
    };
    view! {
        <td class="heat__cell" style=("--cell", ground) style=("--on", ink)>
            <a class:heat__best=best href=move || carry(&href) title=title(row, score)>{value}</a>
        </td>
    }
    .into_any()
}

/// The colours from the worst to the best possible score.
#[component]
fn Legend() -> impl IntoView {
    let stop = |at: u32| {
        let rgb = color("cividis", f64::from(at) / f64::from(STOPS - 1)).unwrap_or([128, 128, 128]);
        let fill = format!("rgb({} {} {})", rgb[0], rgb[1], rgb[2]);
        view! { <rect x=(at * 4).to_string() width="4" height="8" fill=fill></rect> }
    };
    view! {
        <span class="heat__legend small muted">
            "worst"
            <svg width=(STOPS * 4).to_string() height="8" aria-hidden="true">{(0..STOPS).map(stop).collect_view()}</svg>
            "best possible"
        </span>
    }
}
