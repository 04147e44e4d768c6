//! The table of slices.

use leptos::prelude::*;
use types::{SliceId, SliceReport, SliceRow};

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
    // A row is built once per slice and name, so that an open menu or the focus outlives new numbers.
    let names = move || {
        let name = |line: &Line| (line.slice.id, line.slice.name.clone());
        rows.with(|rows| rows.iter().map(name).collect::<Vec<_>>())
    };
    let row = move |(id, name): (SliceId, String)| {
        let line =
            Memo::new(move |_| rows.with(|rows| rows.iter().find(|line| line.slice.id == id).cloned()));
        view! { <Row line id=id.to_string() name board/> }
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
                    <tbody><For each=names key=Clone::clone children=row/></tbody>
                </table>
            </div>
            <div class="pager"><span>{shown}</span></div>
        </Section>
    }
    .into_any()
}

#[component]
fn Row(line: Memo<Option<Line>>, id: String, name: String, board: Board) -> impl IntoView {
    let set = use_set_params();
    let picks = use_param("sel");
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
    let items = move |()| {
        let id = id.clone();
        let slice = line.get_untracked().map(|line| line.slice);
        let (edited, doomed) = (slice.clone(), slice);
        vec![
            Item::new("Look through it everywhere", move || {
                set(&[("slice", &id)], Step::Push);
            }),
            Item::new("Edit…", move || {
                board.editing.set(edited.as_ref().map(Editing::of));
            }),
            Item::new("Delete…", move || board.doomed.set(doomed.clone())),
        ]
    };
    let is_dim = move || {
        line.with(|line| {
            line.as_ref()
                .and_then(|line| line.row.as_ref())
                .is_none_or(|row| row.small)
        })
    };
    let (carry, report) = (use_carry(), board.report.value());
    let cells = move || {
        let report = report.get();
        line.get().map(|line| cells(&line, report.as_deref(), carry))
    };
    view! {
        <tr class:is-dim=is_dim>
            <td><Check ticked on_change=toggle label=format!("Select {name}")/></td>
            {cells}
            <td class="r"><Menu label=format!("Actions for {name}") look=MenuLook::Dots items/></td>
        </tr>
    }
    .into_any()
}

/// What a row says of its slice, between the check box and the menu.
fn cells(
    line: &Line,
    report: Option<&SliceReport>,
    carry: impl Fn(&str) -> String + Send + 'static,
) -> AnyView {
    let (slice, row) = (&line.slice, line.row.as_ref());
    let samples = report.map(|report| {
        format!(
            "/failures?run={}&task={}&slice={}",
            report.run_id, report.benchmark_id, slice.id
        )
    });
    let n = row.map(|row| row.n);
    let share = n
        .zip(report)
        .map(|(n, report)| percent(n as f64 / report.n.max(1) as f64));
    let name = slice.name.clone();
    let state = state_words(slice);
    view! {
        <th scope="row" title=slice.description.clone()>
            {match samples {
                Some(href) => view! { <a class="num" href=move || carry(&href)>{name}</a> }.into_any(),
                None => view! { <span>{name}</span> }.into_any(),
            }}
            {state.map(|state| view! { <small class="slices__state">{state}</small> })}
        </th>
        <td class="mono slices__rule" title=slice.rule.clone()>{slice.rule.clone()}</td>
        <td class="r dim">{count(slice.samples)}</td>
        <td class="r">{n.map_or_else(|| MISSING.to_owned(), count)}</td>
        <td class="r">{share.unwrap_or_else(|| MISSING.to_owned())}</td>
        {numbers(row, report)}
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
    let range = row.low.zip(row.high);
    let (shown, pm) = scored(value, half_width(range));
    let digits = decimals(report);
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
    let around =
        half_width(row.delta_low.zip(row.delta_high)).map(|half| format!(" ± {}", real(half, digits)));
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
