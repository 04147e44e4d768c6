//! The table of runs.

use leptos::prelude::*;
use types::{RunSummary, UserId};

use super::{
    bulk::{Actions, Selection},
    feed::Feed,
    filter::{SortBy, Sorting},
    words::{Why, all, can_cancel, can_requeue, count, millis, segments, took, why},
};
use crate::{
    components::{
        choice::{Check, Ticked},
        overlay::{Item, Menu, MenuLook},
        progress::segmented,
        table::{Order, SortHead, Viewport, VirtualTable},
        time::{use_now, use_zone},
        words::{Badge, status_mark, untrusted},
    },
    format::{MISSING, Zone, duration, exact, short_id},
    lasting::{forget_reader, lasting},
    session::use_session,
    status::{run_tone, run_word},
    url::{Step, use_carry, use_go, use_set_params},
};

/// What the table needs from its page.
#[derive(Clone, Copy)]
pub struct Board {
    /// The rows.
    pub feed: Feed,
    /// The selected runs.
    pub selection: Selection,
    /// What can be done with them.
    pub actions: Actions,
    /// The order.
    pub sorting: Memo<Sorting>,
    /// The columns that are hidden, by name.
    pub hidden: Memo<Vec<String>>,
    /// The row that the keys are on.
    pub cursor: RwSignal<Option<usize>>,
    /// Where the table is scrolled to.
    pub viewport: Viewport,
}

impl Board {
    fn shows(self, column: &'static str) -> bool {
        self.hidden
            .with(|hidden| !hidden.iter().any(|name| name == column))
    }

    fn row(self, index: usize) -> Memo<Option<RunSummary>> {
        Memo::new(move |_| {
            forget_reader(self.feed.rows);
            self.feed.rows.with(|rows| rows.row(index).cloned())
        })
    }

    fn is_at(self, index: usize) -> bool {
        forget_reader(self.cursor);
        self.cursor.get() == Some(index)
    }
}

/// The table.
#[component]
pub fn RunTable(
    /// What it shows and acts on.
    board: Board,
) -> impl IntoView {
    let total = Memo::new(move |_| board.feed.rows.with(super::feed::Rows::shown));
    let key = move |index: usize| {
        let known = board
            .feed
            .rows
            .with(|rows| rows.row(index).map(|run| run.id.to_string()));
        known.unwrap_or_else(|| format!("waiting {index}"))
    };
    let cells = Cells::of(board);
    view! {
        <VirtualTable
            label="Runs"
            total
            columns=11
            viewport=board.viewport
            on_window=move |window| board.feed.look(window)
            key
            head=head(board)
            row=move |index| row(board, cells, index)
            class="runs"
        />
    }
}

fn head(board: Board) -> AnyView {
    let set = use_set_params();
    let order = move |by: SortBy| {
        Signal::derive(move || {
            let now = board.sorting.get();
            (now.by == by).then_some(if now.up { Order::Up } else { Order::Down })
        })
    };
    let sort = move |by: SortBy| {
        move |order: Order| {
            let sorting = Sorting {
                by,
                up: order == Order::Up,
            };
            set(&[("sort", &sorting.param())], Step::Replace);
        }
    };
    let shown = move || {
        board
            .feed
            .rows
            .with(|rows| rows.known().map(|run| run.id).collect::<Vec<_>>())
    };
    let ticked = Signal::derive(move || {
        let ids = shown();
        Ticked::of(
            ids.iter().filter(|id| board.selection.has(**id)).count(),
            ids.len(),
        )
    });
    let tick = move |on: bool| {
        let rows = board.feed.rows.get_untracked();
        for run in rows.known() {
            board.selection.set(run, on);
        }
    };
    view! {
        <th scope="col" class="runs__check"><Check ticked on_change=tick label="Select all loaded runs"/></th>
        <th scope="col">"Status"</th>
        <SortHead name="Model" order=order(SortBy::Model) on_sort=sort(SortBy::Model)/>
        <Show when=move || board.shows("run")><th scope="col">"Run"</th></Show>
        <Show when=move || board.shows("benchmarks")>
            <SortHead name="Benchmarks" order=order(SortBy::Progress) on_sort=sort(SortBy::Progress)/>
            <th scope="col"><span class="vh">"Done"</span></th>
        </Show>
        <Show when=move || board.shows("gpus")><th scope="col">"GPUs"</th></Show>
        <Show when=move || board.shows("why")>
            <SortHead name="When and why" order=order(SortBy::Created) on_sort=sort(SortBy::Created)/>
        </Show>
        <Show when=move || board.shows("took")>
            <SortHead name="Took" order=order(SortBy::Took) on_sort=sort(SortBy::Took) right=true/>
        </Show>
        <Show when=move || board.shows("by")><th scope="col">"By"</th></Show>
        <th scope="col"><span class="vh">"Actions"</span></th>
    }
    .into_any()
}

/// The row at a place. It is built once per run: its cells are drawn again in place when the run changes, so that a
/// check box or a link keeps the focus while the run goes on. A row has few signals: the table makes thousands of rows
/// while it is scrolled.
fn row(board: Board, cells: Cells, index: usize) -> AnyView {
    let run = board.row(index);
    let Some(first) = run.get_untracked() else {
        return waiting(index);
    };
    let id = first.id;
    let run = Signal::derive(move || run.get().unwrap_or_else(|| first.clone()));
    let selected = move || board.selection.has(id);
    let name = short_id(&id.to_string());
    let href = use_carry();
    view! {
        <tr
            id=format!("row-{index}")
            aria-rowindex=(index + 2).to_string()
            aria-selected=move || if selected() { "true" } else { "false" }
            class:is-cursor=move || board.is_at(index)
        >
            <td>
                <Check
                    ticked=Signal::derive(move || Ticked::from(selected()))
                    label=format!("Select run {name}")
                    on_change=move |on| board.selection.set(&run.get_untracked(), on)
                />
            </td>
            {move || run.with(|run| cells.draw(run, href(&format!("/runs/{id}"))))}
            <td class="r"><RowMenu run name board/></td>
        </tr>
    }
    .into_any()
}

fn waiting(index: usize) -> AnyView {
    view! {
        <tr aria-rowindex=(index + 2).to_string() aria-busy="true">
            <td colspan="11"><span class="skel skel--3"></span></td>
        </tr>
    }
    .into_any()
}

/// What the cells of a row are drawn from, beside the run; one for all rows.
#[derive(Clone, Copy)]
struct Cells {
    hidden: Signal<Vec<String>>,
    now: Signal<f64>,
    zone: Zone,
    own: Signal<Option<UserId>>,
}

impl Cells {
    fn of(board: Board) -> Self {
        let me = use_session().me();
        let own = Memo::new(move |_| me.with(|me| me.as_ref().and_then(|me| me.user_id)));
        Self {
            hidden: lasting(board.hidden),
            now: use_now(),
            zone: use_zone(),
            own: lasting(own),
        }
    }

    /// The cells between the check box and the menu.
    fn draw(self, run: &RunSummary, href: String) -> AnyView {
        let hidden = self.hidden.get();
        let shows = |column: &str| !hidden.iter().any(|name| name == column);
        let id = run.id.to_string();
        let gpus = run.gpu_device_id.clone().unwrap_or_else(|| MISSING.to_owned());
        view! {
            <td>{status_mark(run_tone(run), run_word(run).to_owned())}</td>
            {model_cell(run, href)}
            {shows("run").then(|| view! { <td class="mono dim" title=id.clone()>{short_id(&id)}</td> })}
            {shows("benchmarks").then(|| benchmark_cells(run))}
            {shows("gpus").then(|| view! { <td class="muted">{gpus}</td> })}
            {shows("why").then(|| why_cell(run, self.now.get(), self.zone))}
            {shows("took").then(|| {
                let words = took(run, self.now.get()).map_or_else(|| MISSING.to_owned(), duration);
                view! { <td class="r">{words}</td> }
            })}
            {shows("by").then(|| {
                let by = by(run.created_by, run.created_by_name.as_deref(), self.own.get());
                view! { <td class="muted"><span class="trunc" title=by.to_owned()>{untrusted(by)}</span></td> }
            })}
        }
        .into_any()
    }
}

fn model_cell(run: &RunSummary, href: String) -> impl IntoView + use<> {
    view! {
        <th scope="row" title=run.name.clone()>
            <a class="num" href=href>{run.model_name.clone()}</a>
            " "
            <span class="dim reg">{run.checkpoint_variant.clone()}</span>
            {run.demo.then(|| view! { " " <Badge>"demo"</Badge> })}
        </th>
    }
}

fn benchmark_cells(run: &RunSummary) -> impl IntoView + use<> {
    let done = count(run, types::BenchmarkStatus::Completed);
    let bar = segmented(format!("Benchmarks of {}", run.name), segments(run), true);
    view! {
        <td class="runs__bar" title=run.benchmark_names.join(", ")>{bar}</td>
        <td class="r">{format!("{done} of {}", all(run))}</td>
    }
}

fn why_cell(run: &RunSummary, now: f64, zone: Zone) -> impl IntoView + use<> {
    let Why { words, class } = why(run, now, zone);
    let created = format!("created {}", exact(millis(run.created_at), zone));
    let times = run.completed_at.map_or(created.clone(), |at| {
        format!("{created}; ended {}", exact(millis(at), zone))
    });
    view! {
        <td class=class><span class="trunc" title=format!("{words} ({times})")>{untrusted(&words)}</span></td>
    }
}

fn by(creator: Option<UserId>, name: Option<&str>, own: Option<UserId>) -> &str {
    match creator {
        None => "API token",
        Some(creator) if Some(creator) == own => "you",
        Some(_) => name.unwrap_or("a member"),
    }
}

#[component]
fn RowMenu(run: Signal<RunSummary>, name: String, board: Board) -> impl IntoView {
    let (carry, go) = (use_carry(), use_go());
    let label = format!("More for run {name}");
    let items = move |()| {
        let now = run.get_untracked();
        let refuse = |allowed: bool, reason: &str| (!allowed).then(|| reason.to_owned());
        let open = untrack(|| carry(&format!("/runs/{}", now.id)));
        let clone = untrack(|| carry(&format!("/launcher?from={}", now.id)));
        let (cancel, requeue) = (now.clone(), now.clone());
        vec![
            Item::new("Open", move || go(&open, Step::Push)),
            Item::new("Launch the same", move || go(&clone, Step::Push)),
            Item::new("Requeue what is left", move || {
                board.actions.requeue(vec![requeue.clone()]);
            })
            .disabled(refuse(can_requeue(&now), "nothing is left")),
            Item::new("Cancel…", move || {
                board.actions.ask_cancel(vec![cancel.clone()]);
            })
            .disabled(refuse(can_cancel(&now), "not under way")),
        ]
    };
    view! { <Menu label look=MenuLook::Dots items/> }
}

#[cfg(test)]
mod tests {
    use super::by;
    use types::UserId;
    use uuid::Uuid;

    #[test]
    fn a_run_names_who_made_it() {
        let (one, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        assert_eq!(by(None, None, Some(one)), "API token");
        assert_eq!(by(Some(one), Some("ada@example.test"), Some(one)), "you");
        assert_eq!(
            by(Some(other), Some("eve@example.test"), Some(one)),
            "eve@example.test"
        );
        assert_eq!(by(Some(other), None, Some(one)), "a member");
    }
}
