//! The table of runs.

use leptos::prelude::*;
use types::{RunSummary, UserId};

use super::{
    bulk::{Actions, Selection},
    feed::Feed,
    filter::{SortBy, Sorting},
    words::{all, can_cancel, can_requeue, count, millis, segments, took, why},
};
use crate::{
    components::{
        choice::{Check, Ticked},
        overlay::{Item, Menu, MenuLook},
        progress::SegmentedProgress,
        table::{Order, SortHead, Viewport, VirtualTable},
        time::{use_now, use_zone},
        words::{Badge, StatusMark, Untrusted},
    },
    format::{MISSING, duration, exact, short_id},
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
        Memo::new(move |_| self.feed.rows.with(|rows| rows.row(index).cloned()))
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
    view! {
        <VirtualTable
            label="Runs"
            total
            columns=11
            viewport=board.viewport
            on_window=move |window| board.feed.look(window)
            key
            head=head(board)
            row=move |index| row(board, index)
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

/// The row at a place. It is built once per run: what changes are the values in its cells, so that a check box or a
/// link keeps the focus while the run goes on.
fn row(board: Board, index: usize) -> AnyView {
    let run = board.row(index);
    let Some(first) = run.get_untracked() else {
        return waiting(index);
    };
    let id = first.id;
    let run = Signal::derive(move || run.get().unwrap_or_else(|| first.clone()));
    let selected = move || board.selection.has(id);
    view! {
        <tr
            id=format!("row-{index}")
            aria-rowindex=(index + 2).to_string()
            aria-selected=move || if selected() { "true" } else { "false" }
            class:is-cursor=move || board.cursor.get() == Some(index)
        >
            <td>
                <Check
                    ticked=Signal::derive(move || Ticked::from(selected()))
                    label=format!("Select run {}", short_id(&id.to_string()))
                    on_change=move |on| board.selection.set(&run.get_untracked(), on)
                />
            </td>
            <td>
                <StatusMark
                    tone=Signal::derive(move || run.with(run_tone))
                    word=Signal::derive(move || run.with(run_word).to_owned())
                />
            </td>
            <ModelCell run/>
            <Show when=move || board.shows("run")>
                <td class="mono dim" title=id.to_string()>{short_id(&id.to_string())}</td>
            </Show>
            <Show when=move || board.shows("benchmarks")><BenchmarkCells run/></Show>
            <Show when=move || board.shows("gpus")>
                <td class="muted">{move || run.with(|run| run.gpu_device_id.clone()).unwrap_or_else(|| MISSING.to_owned())}</td>
            </Show>
            <Show when=move || board.shows("why")><WhyCell run/></Show>
            <Show when=move || board.shows("took")><TookCell run/></Show>
            <Show when=move || board.shows("by")><ByCell run/></Show>
            <td class="r"><RowMenu run board/></td>
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

#[component]
fn ModelCell(run: Signal<RunSummary>) -> impl IntoView {
    let carry = use_carry();
    let variant = move || run.with(|run| run.checkpoint_variant.clone());
    view! {
        <th scope="row" title=move || run.with(|run| run.name.clone())>
            <a class="num" href=move || carry(&format!("/runs/{}", run.with(|run| run.id)))>
                {move || run.with(|run| run.model_name.clone())}
            </a>
            " "
            <span class="dim reg">{variant}</span>
            {move || run.with(|run| run.demo).then(|| view! { " " <Badge>"demo"</Badge> })}
        </th>
    }
}

#[component]
fn BenchmarkCells(run: Signal<RunSummary>) -> impl IntoView {
    let segments = Memo::new(move |_| run.with(segments));
    let label = Signal::derive(move || run.with(|run| format!("Benchmarks of {}", run.name)));
    let done = move || {
        run.with(|run| {
            format!(
                "{} of {}",
                count(run, types::BenchmarkStatus::Completed),
                all(run)
            )
        })
    };
    view! {
        <td class="runs__bar" title=move || run.with(|run| run.benchmark_names.join(", "))>
            <SegmentedProgress label segments small=true/>
        </td>
        <td class="r">{done}</td>
    }
}

#[component]
fn WhyCell(run: Signal<RunSummary>) -> impl IntoView {
    let (now, zone) = (use_now(), use_zone());
    let why = Memo::new(move |_| run.with(|run| why(run, now.get(), zone)));
    let title = move || {
        run.with(|run| {
            let created = format!("created {}", exact(millis(run.created_at), zone));
            run.completed_at.map_or(created.clone(), |at| {
                format!("{created}; ended {}", exact(millis(at), zone))
            })
        })
    };
    let text = Signal::derive(move || why.with(|why| why.words.clone()));
    view! {
        <td class=move || why.with(|why| why.class)>
            <span class="trunc" title=move || format!("{} ({})", text.get(), title())><Untrusted text/></span>
        </td>
    }
}

#[component]
fn TookCell(run: Signal<RunSummary>) -> impl IntoView {
    let now = use_now();
    let words = move || run.with(|run| took(run, now.get()).map_or_else(|| MISSING.to_owned(), duration));
    view! { <td class="r">{words}</td> }
}

#[component]
fn ByCell(run: Signal<RunSummary>) -> impl IntoView {
    let me = use_session().me();
    let words = move || {
        let own = me.with(|me| me.as_ref().and_then(|me| me.user_id));
        run.with(|run| by(run.created_by, run.created_by_name.as_deref(), own).to_owned())
    };
    let text = Signal::derive(words);
    view! { <td class="muted"><span class="trunc" title=move || text.get()><Untrusted text/></span></td> }
}

fn by(creator: Option<UserId>, name: Option<&str>, own: Option<UserId>) -> &str {
    match creator {
        None => "API token",
        Some(creator) if Some(creator) == own => "you",
        Some(_) => name.unwrap_or("a member"),
    }
}

#[component]
fn RowMenu(run: Signal<RunSummary>, board: Board) -> impl IntoView {
    let (carry, go) = (use_carry(), use_go());
    let label =
        Signal::derive(move || run.with(|run| format!("More for run {}", short_id(&run.id.to_string()))));
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
