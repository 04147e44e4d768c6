//! The table of slices.

use std::sync::Arc;

use leptos::prelude::*;
use types::{SliceReport, SliceRow};

use super::{
    Board,
    edit::Editing,
    words::{By, Line, better, decimals, delta_label, p_words, scale, sorting, span},
};
use crate::{
    charts::cell::{DifferenceCell, RangeCell, margin},
    components::{
        choice::{Check, Ticked},
        overlay::{Item, Menu, MenuLook},
        table::{Order, SortHead},
    },
    format::{MISSING, count, half_width, percent, real, scored, signed},
    shell::{page::Section, slice::state_words},
    url::{Step, use_carry, use_param, use_set_params},
};

/// The table.
#[component]
pub fn SliceTable(
    /// The page.
    board: Board,
) -> impl IntoView {
    let set = use_set_params();
    let (sort, small) = (use_param("sort"), use_param("small"));
    let (report, list) = (board.report.value(), board.slices.value());
    let rows = board.lines();
    let head = move |by: By, name: &'static str| {
        let id = By::ALL
            .iter()
            .find(|(own, _)| *own == by)
            .map_or("", |(_, id)| *id);
        let order = Signal::derive(move || {
            let (now, down) = sort.with(|text| sorting(text));
            (now == by).then_some(if down { Order::Down } else { Order::Up })
        });
        let on_sort = move |order: Order| {
            let text = if order == Order::Down {
                format!("-{id}")
            } else {
                id.to_owned()
            };
            set(&[("sort", &text)], Step::Replace);
        };
        let right = by != By::Name;
        view! { <SortHead name order on_sort right/> }
    };
    let scored_by = move || {
        report.with(|report| {
            report.as_ref().map_or_else(
                || "Score".to_owned(),
                |report| {
                    let (low, high) = scale(report);
                    format!("{} to {}", real(low, 2), real(high, 2))
                },
            )
        })
    };
    let tools = move || {
        view! {
            <Check ticked=Signal::derive(move || Ticked::from(small.with(|text| text != "no")))
                on_change=move |on: bool| set(&[("small", if on { "" } else { "no" })], Step::Replace)>"Small groups"</Check>
        }
    };
    let body = move || {
        let report = report.get();
        rows.get()
            .into_iter()
            .map(|line| view! { <Row line report=report.clone() board/> })
            .collect_view()
    };
    let shown = move || {
        let all = list.with(|list| list.as_ref().map_or(0, |list| list.slices.len()));
        format!(
            "Showing {} of {}",
            count(rows.with(Vec::len) as u64),
            count(all as u64)
        )
    };
    view! {
        <Section title="All slices" tools
            note="95 % intervals; the rest: all samples that are not in the slice; p after Benjamini and Hochberg">
            <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Slices, table">
                <table class="table slices__table">
                    <thead><tr>
                        <th scope="col"><span class="vh">"Select"</span></th>
                        {head(By::Name, "Slice")}
                        <th scope="col">"Rule"</th>
                        <th scope="col" class="r">"In all runs"</th>
                        {head(By::Size, "n")}
                        <th scope="col" class="r">"Share"</th>
                        {head(By::Score, "Score")}
                        <th scope="col"><span class="vh">"Interval"</span><small>{scored_by}</small></th>
                        {head(By::Delta, "Against the rest")}
                        <th scope="col" class="c">"less · more"</th>
                        <th scope="col" class="r">"p"</th>
                        <th scope="col"><span class="vh">"Actions"</span></th>
                    </tr></thead>
                    <tbody>{body}</tbody>
                </table>
            </div>
            <div class="pager"><span>{shown}</span></div>
        </Section>
    }
    .into_any()
}

#[component]
fn Row(line: Line, report: Option<Arc<SliceReport>>, board: Board) -> impl IntoView {
    let set = use_set_params();
    let carry = use_carry();
    let picks = use_param("sel");
    let Line { slice, row } = line;
    let id = slice.id.to_string();
    let (own, other) = (id.clone(), id.clone());
    let ticked =
        Signal::derive(move || Ticked::from(picks.with(|picks| picks.split(',').any(|pick| pick == own))));
    let toggle = move |on: bool| {
        let now = picks.get_untracked();
        let mut next: Vec<&str> = now
            .split(',')
            .filter(|pick| !pick.is_empty() && *pick != other)
            .collect();
        if on {
            next.push(&other);
        }
        set(&[("sel", &next.join(","))], Step::Replace);
    };
    let samples = report.as_ref().map(|report| {
        format!(
            "/failures?run={}&task={}&slice={id}",
            report.run_id, report.benchmark_id
        )
    });
    let (edited, doomed) = (slice.clone(), slice.clone());
    let items = move |()| {
        let (edited, doomed, id) = (edited.clone(), doomed.clone(), id.clone());
        vec![
            Item::new("Look through it everywhere", move || {
                set(&[("slice", &id)], Step::Push);
            }),
            Item::new("Edit…", move || board.editing.set(Some(Editing::of(&edited)))),
            Item::new("Delete…", move || board.doomed.set(Some(doomed.clone()))),
        ]
    };
    let state = state_words(&slice);
    let dim = row.as_ref().is_none_or(|row| row.small);
    let n = row.as_ref().map(|row| row.n);
    let share = n
        .zip(report.as_ref())
        .map(|(n, report)| percent(n as f64 / report.n.max(1) as f64));
    let name = slice.name.clone();
    let numbers = numbers(row.as_ref(), report.as_deref());
    let title = slice.description.clone();
    view! {
        <tr class:is-dim=dim>
            <td><Check ticked on_change=toggle label=format!("Select {name}")/></td>
            <th scope="row" title=title>
                {match samples {
                    Some(href) => view! { <a class="num" href=move || carry(&href)>{name.clone()}</a> }.into_any(),
                    None => view! { <span>{name.clone()}</span> }.into_any(),
                }}
                {state.map(|state| view! { <small class="slices__state">{state}</small> })}
            </th>
            <td class="mono slices__rule" title=slice.rule.clone()>{slice.rule.clone()}</td>
            <td class="r dim">{count(slice.samples)}</td>
            <td class="r">{n.map_or_else(|| MISSING.to_owned(), count)}</td>
            <td class="r">{share.unwrap_or_else(|| MISSING.to_owned())}</td>
            {numbers}
            <td class="r"><Menu label=format!("Actions for {name}") look=MenuLook::Dots items/></td>
        </tr>
    }
    .into_any()
}

/// Score, interval, difference and p; a sentence where there are none.
fn numbers(row: Option<&SliceRow>, report: Option<&SliceReport>) -> AnyView {
    let sentence = |words: String| view! { <td colspan="5" class="slices__why">{words}</td> }.into_any();
    let (Some(row), Some(report)) = (row, report) else {
        return sentence(if report.is_some() {
            "no samples in this benchmark".to_owned()
        } else {
            String::new()
        });
    };
    if row.small {
        return sentence(format!(
            "too few samples to judge: shown from n = {}",
            types::SMALL_SLICE
        ));
    }
    let Some(value) = row.value else {
        return sentence("no score; see above".to_owned());
    };
    let (shown, pm) = scored(value, half_width(row.low, row.high));
    let digits = decimals(report);
    let range = row.low.zip(row.high);
    let label = format!(
        "score {shown}, 95 % interval {} to {}",
        real(row.low.unwrap_or(value), digits),
        real(row.high.unwrap_or(value), digits)
    );
    let scale = scale(report);
    let interval = range.map(|range| view! { <RangeCell value range scale width=104.0 label/> });
    let better = better(row, report.higher_is_better);
    let class = match better {
        Some(true) => "delta delta--up",
        Some(false) => "delta delta--down",
        None => "delta delta--flat",
    };
    let around = half_width(row.delta_low, row.delta_high).map(|half| format!(" ± {}", real(half, digits)));
    let delta = row
        .delta
        .map_or_else(|| MISSING.to_owned(), |delta| signed(delta, digits));
    let (span, label) = (span(report), delta_label(row, digits));
    let bar = row
        .delta
        .zip(row.delta_low.zip(row.delta_high))
        .map(|(value, range)| {
            view! { <DifferenceCell value range span better label/> }
        });
    view! {
        <td class="r" data-value=value.to_string()>{shown}{margin(pm)}</td>
        <td>{interval}</td>
        <td class="r"><span class=class>{delta}</span><span class="pm">{around}</span></td>
        <td class="c">{bar}</td>
        <td class="r">{p_words(row.p_adjusted)}</td>
    }
    .into_any()
}
