//! The table: tiers, rank intervals, scores with their doubt.

use std::sync::Arc;

use leptos::prelude::*;
use types::{BoardCell, BoardColumn, BoardEntry, LeaderboardView, NoteKind};

use super::{
    address::{Address, By, Sorting, column_key, key_of, toggled},
    words::{cell_title, footnotes, letters, rank_title, rank_words, tier_words},
};
use crate::{
    charts::cell::{IntervalCell, RankCell, margin},
    components::{
        button::{Button, IconButton, Size},
        icon::{Glyph, Icon},
        table::Order,
        time::Ago,
    },
    format::{MISSING, count, half_width, percent, scored},
    url::{Step, use_carry, use_param, use_set_params},
};

/// Rows that are drawn before "Show all".
const ROWS: usize = 100;

/// What every row needs.
#[derive(Clone)]
struct Sight {
    board: Arc<LeaderboardView>,
    notes: Arc<Vec<(NoteKind, String)>>,
    pins: Arc<Vec<String>>,
    ranked: usize,
}

/// The table.
#[component]
pub fn BoardTable(
    /// What the server says.
    board: Signal<Arc<LeaderboardView>>,
    /// The rows in the order of the address.
    rows: Memo<Vec<BoardEntry>>,
    /// The address.
    address: Address,
) -> impl IntoView {
    let set = use_set_params();
    let all = use_param("rows");
    let cut = move || {
        let length = rows.with(Vec::len);
        if all.with(|all| all == "all") {
            length
        } else {
            length.min(ROWS)
        }
    };
    let body = move || {
        let board = board.get();
        let sight = Sight {
            notes: Arc::new(rows.with(|rows| footnotes(rows))),
            pins: Arc::new(address.pins.get()),
            ranked: board.entries.iter().filter(|row| row.rank_lo.is_some()).count(),
            board,
        };
        let tiers = address.sorting.with(Sorting::in_tiers);
        rows.with(|rows| body_of(&rows[..cut()], rows, tiers, &sight))
    };
    let more = move || {
        let length = rows.with(Vec::len);
        (cut() < length).then(|| {
            let words = format!("Show all {}", count(length as u64));
            view! { <div class="pager"><Button size=Size::Small on_click=move |_| set(&[("rows", "all")], Step::Replace)>{words}</Button></div> }
        })
    };
    view! {
        <div class="scroll scroll--edge" tabindex="0" role="region" aria-label="Leaderboard, table">
            <table class="table table--board">
                <thead><Head board address/></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
        {more}
    }
    .into_any()
}

#[component]
fn Head(board: Signal<Arc<LeaderboardView>>, address: Address) -> impl IntoView {
    let columns = Memo::new(move |_| board.with(|board| board.columns.clone()));
    let many = move || format!("mean of {}", columns.with(Vec::len));
    let heads = move || {
        columns
            .get()
            .into_iter()
            .map(|column| view! { <ColumnHead column address/> })
            .collect_view()
    };
    view! {
        <tr>
            <SortableHead by=By::Rank address small="95 % interval">"Rank"</SortableHead>
            <SortableHead by=By::Model address class="pinned board__model">"Model"</SortableHead>
            <SortableHead by=By::Win address class="r" small=Signal::derive(many)>"Win rate"</SortableHead>
            {heads}
            <SortableHead by=By::Run address class="r" small="age">"Run"</SortableHead>
        </tr>
    }
}

#[component]
fn ColumnHead(column: BoardColumn, address: Address) -> impl IntoView {
    let (arrow, direction) = match column.higher_is_better {
        Some(true) => ("↑", "higher is better"),
        Some(false) => ("↓", "lower is better"),
        None => ("", "nobody says whether more is better, so it does not count"),
    };
    let n = column.n.map(|n| format!(" · {}", count(n))).unwrap_or_default();
    let filter = match column.filter.as_str() {
        "none" => String::new(),
        named => format!(", {named}"),
    };
    let title = format!("{}: {}{filter}; {direction}", column.benchmark, column.metric);
    let small = format!("{}{filter}{n}", column.metric);
    let by = By::Column(column_key(&column));
    view! {
        <SortableHead by address class="r" small title>
            {column.benchmark}
            " "
            <span class="dir" aria-hidden="true">{arrow}</span>
            <span class="vh">{direction}</span>
        </SortableHead>
    }
}

/// A head that orders by its column.
#[component]
fn SortableHead(
    by: By,
    address: Address,
    #[prop(optional)] class: &'static str,
    #[prop(optional, into)] small: MaybeProp<String>,
    #[prop(optional, into)] title: Option<String>,
    children: Children,
) -> impl IntoView {
    let set = use_set_params();
    let own = StoredValue::new(by);
    let order = Memo::new(move |_| {
        let now = address.sorting.get();
        let is = own.with_value(|own| *own == now.by);
        // The best rank is the smallest.
        let up = now.up != (now.by == By::Rank);
        is.then_some(if up { Order::Up } else { Order::Down })
    });
    let click = move |_| {
        let now = address.sorting.get_untracked();
        let by = own.get_value();
        let up = if now.by == by { !now.up } else { by == By::Model };
        set(&[("sort", &Sorting { by, up }.param())], Step::Replace);
    };
    let aria = move || match order.get() {
        Some(Order::Up) => "ascending",
        Some(Order::Down) => "descending",
        None => "none",
    };
    let mark = move || {
        order.get().map(|order| {
            let glyph = if order == Order::Up {
                Glyph::SortUp
            } else {
                Glyph::SortDown
            };
            view! { <Icon glyph/> }
        })
    };
    view! {
        <th scope="col" class=class aria-sort=aria>
            <button type="button" class="sort" title=title on:click=click>{children()}{mark}</button>
            <small>{move || small.get()}</small>
        </th>
    }
}

fn body_of(shown: &[BoardEntry], all: &[BoardEntry], tiers: bool, sight: &Sight) -> Vec<AnyView> {
    let columns = sight.board.columns.len() + 4;
    let mut last = None;
    let mut out = Vec::with_capacity(shown.len());
    for row in shown {
        if tiers && last != Some(row.tier) {
            last = Some(row.tier);
            let (name, note) = tier_words(all, row.tier);
            let head = view! {
                <tr class="table__group">
                    <th scope="rowgroup" colspan=columns.to_string()>{name}" "<span class="dim">"· "{note}</span></th>
                </tr>
            };
            out.push(head.into_any());
        }
        out.push(view! { <Row row=row.clone() sight=sight.clone()/> }.into_any());
    }
    out
}

#[component]
fn Row(row: BoardEntry, sight: Sight) -> impl IntoView {
    let carry = use_carry();
    let set = use_set_params();
    let key = key_of(&row);
    let pinned = sight.pins.contains(&key);
    let next = toggled(&sight.pins, &key);
    let name = row.model_name.clone();
    let checkpoint = (row.checkpoint != "latest").then(|| row.checkpoint.clone());
    let label = format!("Pin {name} {}", checkpoint.as_deref().unwrap_or_default());
    let model = row.model_id;
    let columns = sight.board.columns.len() as u32;
    let partial = (row.counted < columns && row.win_rate.is_some())
        .then(|| format!("mean of {} of {columns} columns", row.counted));
    let win = row.win_rate.map_or_else(|| MISSING.to_owned(), percent);
    let (ranked, place) = (sight.ranked as u32, row.rank_lo.zip(row.rank_hi));
    let cells = sight
        .board
        .columns
        .iter()
        .zip(&row.cells)
        .map(|(column, cell)| match cell {
            Some(cell) => score(
                column,
                cell,
                &letters(cell, &sight.notes),
                few(&sight.board, cell),
                carry,
            ),
            None => view! { <td class="r dim">{MISSING}</td> }.into_any(),
        })
        .collect_view();
    let last = row.last_run.timestamp_millis() as f64;
    view! {
        <tr aria-selected=if pinned { "true" } else { "false" }>
            <td class="nowrap" title=rank_title(&row, sight.ranked)>
                <span class="board__rank">
                    {place.map(|(lo, hi)| view! { <RankCell lo hi all=ranked pick=pinned/> })}
                    <span>{rank_words(&row)}</span>
                </span>
            </td>
            <th scope="row" class="pinned">
                <span class="board__name">
                    <IconButton small=true label glyph=Glyph::Pin pressed=pinned on_click=move |_| set(&[("pin", &next)], Step::Replace)/>
                    <span>
                        <a class="num" href=move || carry(&format!("/models/{model}"))>{name}</a>
                        {checkpoint.map(|checkpoint| view! { " " <span class="dim reg">{checkpoint}</span> })}
                    </span>
                </span>
            </th>
            <td class="r">{partial.map(|words| view! { <span class="note" title=words.clone()>"*"</span><span class="vh">{words}</span> })}{win}</td>
            {cells}
            <td class="r dim"><Ago at=last/></td>
        </tr>
    }
}

/// The size of a group that is too small to judge; only slices are.
fn few(board: &LeaderboardView, cell: &BoardCell) -> Option<i64> {
    cell.n
        .filter(|n| board.slice != "all" && n.unsigned_abs() < types::SMALL_SLICE)
}

/// A score that leads to its samples.
fn score(
    column: &BoardColumn,
    cell: &BoardCell,
    letters: &str,
    few: Option<i64>,
    carry: impl Fn(&str) -> String + Copy + Send + Sync + 'static,
) -> AnyView {
    let range = cell.low.zip(cell.high);
    let (shown, pm) = scored(cell.value, half_width(range));
    let words = cell
        .notes
        .iter()
        .map(|note| note.text.clone())
        .collect::<Vec<_>>()
        .join("; ");
    let note = (!letters.is_empty()).then(|| {
        let said = if cell.counts { words.clone() } else { format!("not comparable: {words}") };
        view! { <span class="note" title=words aria-hidden="true">{letters.to_owned()}</span><span class="vh">{said}</span> }
    });
    let href = format!(
        "/failures?run={}&of={}&task={}",
        cell.run_id, cell.run_benchmark_id, column.benchmark_id
    );
    let mark = range.filter(|(low, high)| low < high).map(|range| {
        view! { <IntervalCell value=cell.value range scale=(column.low, column.high) width=50.0 dim={!cell.counts}/> }
    });
    let class = if cell.counts && few.is_none() {
        "num"
    } else {
        "num dim"
    };
    let small = few.map(|n| {
        view! { " " <small class="dim" title="too few samples to judge">{format!("n = {n}")}<span class="vh">": too few samples to judge"</span></small> }
    });
    view! {
        <td class="r">
            {note}
            <a class=class href=move || carry(&href) title=cell_title(cell)>{shown}</a>
            {margin(pm)}
            {small}
            {mark}
        </td>
    }
    .into_any()
}
