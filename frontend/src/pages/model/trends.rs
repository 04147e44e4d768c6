//! Trends over checkpoints: one large, all others small.

use leptos::prelude::*;

use super::grid::{Checkpoint, Grid, Row, shown};
use crate::{
    charts::{cell::Sparkline, line::LineChart, plot::Plot},
    components::choice::{Entry, Select},
    shell::page::Section,
    url::{Step, use_changed, use_param, use_set_params},
};

/// The trends; nothing where no metric was measured twice.
#[component]
pub fn Trends(
    /// The grid.
    scores: Memo<Grid>,
) -> impl IntoView {
    let trend = use_param("trend");
    let rows = Memo::new(move |_| {
        scores.with(|grid| {
            grid.rows
                .iter()
                .filter(|row| is_trend(row))
                .cloned()
                .collect::<Vec<_>>()
        })
    });
    let open = Memo::new(move |_| {
        let named = trend.get();
        rows.with(|rows| {
            rows.iter()
                .find(|row| row.key == named)
                .or_else(|| rows.first())
                .cloned()
        })
    });
    let columns = Memo::new(move |_| scores.with(|grid| grid.columns.clone()));
    view! {
        <Show when=move || rows.with(|rows| !rows.is_empty())>
            <Large open columns rows/>
            <Small rows/>
        </Show>
    }
}

fn is_trend(row: &Row) -> bool {
    row.cells.iter().flatten().count() > 1
}

#[component]
fn Large(open: Memo<Option<Row>>, columns: Memo<Vec<Checkpoint>>, rows: Memo<Vec<Row>>) -> impl IntoView {
    let set = use_set_params();
    let plot = Signal::derive(move || {
        open.with(|row| row.as_ref().map(|row| columns.with(|columns| row.plot(columns))))
            .unwrap_or_default()
    });
    let name = move || {
        open.with(|row| {
            row.as_ref()
                .map(|row| format!("{}, {}", row.benchmark, row.metric))
        })
        .unwrap_or_default()
    };
    let label = Signal::derive(move || format!("{} over checkpoints, with its 95 % interval.", name()));
    let note = Signal::derive(move || {
        let marks = plot.with(|plot: &Plot| plot.marks.len());
        let changes = if marks > 0 { "; dotted: change points" } else { "" };
        Some(format!("{} · ribbon: 95 % interval{changes}", name()))
    });
    let options = Signal::derive(move || {
        rows.with(|rows| {
            let entry =
                |row: &Row| Entry::new(row.key.clone(), format!("{} · {}", row.benchmark, row.metric));
            rows.iter().map(entry).collect::<Vec<_>>()
        })
    });
    let value = Signal::derive(move || {
        open.with(|row| row.as_ref().map(|row| row.key.clone()))
            .unwrap_or_default()
    });
    let tools = move || {
        view! {
            <Select label="Benchmark of the trend" options value
                on_change=move |key: String| set(&[("trend", &key)], Step::Replace)/>
        }
    };
    view! {
        <Section title="Trend" note tools>
            <LineChart label plot unit="" height=228.0/>
            <p class="small dim">"Across: the checkpoint's index in training."</p>
        </Section>
    }
}

#[component]
fn Small(rows: Memo<Vec<Row>>) -> impl IntoView {
    let changed = use_changed();
    let each = move |row: Row| {
        let values: Vec<f64> = row.cells.iter().flatten().map(|score| score.value).collect();
        let last = row.cells.iter().flatten().last().map(shown).unwrap_or_default();
        let key = row.key.clone();
        view! {
            <a class="smallmult" href=move || changed(&[("trend", &key)])>
                <span class="small muted">{row.benchmark}</span>
                <span class="model__spark"><Sparkline values=values width=128.0 height=40.0/><b class="reg">{last}</b></span>
            </a>
        }
    };
    let all = move || rows.get().into_iter().map(each).collect_view();
    view! {
        <Show when=move || rows.with(|rows| rows.len() > 1)>
            <Section title="All trends" note="each on its own scale, last value at the end">
                <div class="smallmults">{all}</div>
            </Section>
        </Show>
    }
}
