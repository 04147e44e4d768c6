//! Where each model stands: scores with their doubt, tiers and rank intervals instead of places.

pub mod address;
pub mod controls;
pub mod table;
pub mod words;

use std::sync::Arc;

use leptos::prelude::*;
use types::{BoardEntry, LeaderboardView};

use address::{Address, key_of};
use controls::Controls;
use table::BoardTable;

use crate::{
    api::{
        endpoints,
        remote::{poll, remote},
    },
    components::{
        button::{Button, ButtonLink, Look, Size},
        code::CopyLink,
        icon::Glyph,
        panel::{Empty, Panel},
        time::Ago,
    },
    format::plural,
    shell::{
        export::ExportMenu,
        page::{PageHead, describe_page},
        slice::SliceNote,
    },
    url::{Step, use_carry, use_set_params},
};

/// How often the board is asked for again.
const FRESH: u32 = 30_000;

/// The page.
#[component]
pub fn Leaderboard() -> impl IntoView {
    describe_page(|| "Leaderboard".to_owned(), Vec::new);
    let address = Address::read();
    let board = remote(
        move || address.query(),
        async |client, query: endpoints::BoardQuery| endpoints::leaderboard(&client, &query).await,
    );
    poll(board, FRESH, || true);
    let value = board.value();
    let rows = Memo::new(move |_| {
        value
            .get()
            .map(|board| shown(&board, address))
            .unwrap_or_default()
    });
    let sheet = Callback::new(move |()| {
        value
            .get_untracked()
            .map(|board| words::sheet(&board, &rows.get_untracked()))
            .unwrap_or_default()
    });
    let actions = move || {
        view! { <CopyLink/><ExportMenu name="leaderboard" sheet/> }
    };
    let lede = move || {
        value.get().map(|board| {
            let columns = plural(board.columns.len() as u64, "column", "columns");
            let models = plural(board.total, "row", "rows");
            format!(
                "{}: {columns}, {models}. {}",
                board.benchmark,
                order_words(address)
            )
        })
    };
    let waits = move || address.query().is_none();
    view! {
        <PageHead title=|| "Leaderboard" lede actions/>
        <Controls address board=value/>
        <SliceNote what="scores"/>
        <Missing board=value/>
        <Show when=waits>
            <Empty title="Name a checkpoint"><span>"The table compares the models that have a checkpoint of this name."</span></Empty>
        </Show>
        <div hidden=waits>
            <Panel
                load=board.load
                on_retry=board.retry()
                lines=14
                is_empty=Callback::new(|board: Arc<LeaderboardView>| board.entries.is_empty())
                empty=move || view! { <Nothing address/> }
                children=move |board| {
                    view! { <BoardTable board rows address/><Count board rows address/><Reading board rows/> }.into_any()
                }
            />
        </div>
    }
    .into_any()
}

fn order_words(address: Address) -> &'static str {
    match address.mode.get().as_str() {
        "all" => "Each checkpoint for itself.",
        "specific" => "One checkpoint of each model.",
        _ => "The best checkpoint of each model.",
    }
}

/// The rows in the order of the address.
fn shown(board: &LeaderboardView, address: Address) -> Vec<BoardEntry> {
    let pins = address.pins.get();
    let only = address.only_pins.get() && !pins.is_empty();
    let mut rows: Vec<BoardEntry> = board
        .entries
        .iter()
        .filter(|row| !only || pins.contains(&key_of(row)))
        .cloned()
        .collect();
    address.sorting.get().apply(board, &mut rows);
    rows
}

#[component]
fn Nothing(address: Address) -> impl IntoView {
    let carry = use_carry();
    let set = use_set_params();
    let filtered = move || {
        let chosen = address.benchmarks.with(|ids| !ids.is_empty());
        chosen || address.mode.with(|mode| mode == "specific") || !address.slice.with(String::is_empty)
    };
    let clear = move |_| {
        let cleared = [
            ("benchmarks", ""),
            ("mode", ""),
            ("checkpoint", ""),
            ("slice", ""),
            ("sort", ""),
        ];
        set(&cleared, Step::Push);
    };
    move || {
        if filtered() {
            view! {
                <Empty title="No score fits this choice">
                    <span>"No model has a committed score for these benchmarks, this checkpoint and this slice."</span>
                    <Button size=Size::Small on_click=clear>"Show all scores"</Button>
                </Empty>
            }
            .into_any()
        } else {
            view! {
                <Empty title="No score yet">
                    <span>"A model stands here as soon as a benchmark of one of its runs is committed."</span>
                    <ButtonLink look=Look::Primary icon=Glyph::Launch href=Signal::derive(move || carry("/launcher"))>"Launch a run"</ButtonLink>
                </Empty>
            }
            .into_any()
        }
    }
}

/// Which benchmarks have a score, but not on the slice, and why.
#[component]
fn Missing(board: Signal<Option<Arc<LeaderboardView>>>) -> impl IntoView {
    let lines = move || {
        let missing = board.with(|board| {
            board
                .as_ref()
                .map(|board| board.missing.clone())
                .unwrap_or_default()
        });
        (!missing.is_empty()).then(|| {
            let line = |lacking: types::SliceMissing| {
                let who = plural(lacking.entries, "row", "rows");
                view! { <li>{format!("{} ({who}): {}", lacking.benchmark, lacking.reason)}</li> }
            };
            view! {
                <div class="lens__missing" role="note">
                    <strong>"Not available for this slice"</strong>
                    <ul>{missing.into_iter().map(line).collect_view()}</ul>
                </div>
            }
        })
    };
    view! { <div>{lines}</div> }
}

/// How many of how many are shown, and what is not.
#[component]
fn Count(
    board: Signal<Arc<LeaderboardView>>,
    rows: Memo<Vec<BoardEntry>>,
    address: Address,
) -> impl IntoView {
    let set = use_set_params();
    let count = move || {
        let (shown, total) = (rows.with(Vec::len) as u64, board.with(|board| board.total));
        format!(
            "Showing {} of {}",
            crate::format::count(shown),
            plural(total, "row", "rows")
        )
    };
    let more = move || {
        let hidden = board.with(|board| board.more_columns);
        (hidden > 0).then(|| {
            format!(
                "{} not shown: choose benchmarks to see them",
                plural(hidden, "column", "columns")
            )
        })
    };
    let pins = move || {
        let n = address.pins.with(Vec::len) as u64;
        let only = address.only_pins.get();
        (n > 0).then(|| {
            let words = if only { "Show all".to_owned() } else { format!("Only pinned ({n})") };
            let next = if only { "" } else { "pinned" };
            view! { <Button size=Size::Small on_click=move |_| set(&[("only", next)], Step::Push)>{words}</Button> }
        })
    };
    view! {
        <div class="pager">
            <span>{count}</span>
            <span class="dim">{more}</span>
            <span class="pager__end">{pins}</span>
        </div>
    }
}

/// How the table is read.
#[component]
fn Reading(board: Signal<Arc<LeaderboardView>>, rows: Memo<Vec<BoardEntry>>) -> impl IntoView {
    let basis = move || board.with(|board| words::basis_words(board));
    let age = move || {
        let ranks = board.with(|board| board.ranks.clone());
        ranks.at.map(|at| {
            let outdated = ranks
                .outdated
                .then_some(" Scores have changed since; the worker is at it.");
            view! { <p class="muted">"Found "<Ago at=at.timestamp_millis() as f64/>"."{outdated}</p> }
        })
    };
    let marks = move || {
        let notes = rows.with(|rows| words::footnotes(rows));
        if notes.is_empty() {
            return view! { <p class="muted">"Every score in this table was measured under the same conditions."</p> }.into_any();
        }
        let items = notes.into_iter().enumerate().map(|(place, (_, text))| {
            view! { <span class="note">{words::letter(place)}</span>{text}". " }
        });
        view! {
            <p class="muted">{items.collect_view()}"Grey values do not count for rank and win rate."</p>
        }
        .into_any()
    };
    view! {
        <div class="cols cols--3 sect">
            <section aria-labelledby="board-cell">
                <h2 id="board-cell">"Reading a cell"</h2>
                <p class="muted">"Score, half width of its 95 % interval, and the interval on the column's own scale. The overlap of two bars is no test."</p>
            </section>
            <section aria-labelledby="board-rank">
                <h2 id="board-rank">"Rank interval"</h2>
                <p class="muted">{basis}" “4–7” means: three models are surely better, and the place is the seventh at worst."</p>
                {age}
            </section>
            <section aria-labelledby="board-marks"><h2 id="board-marks">"Marks"</h2>{marks}</section>
        </div>
    }
}
