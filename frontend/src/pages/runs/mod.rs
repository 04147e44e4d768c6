//! All runs: one table with saved views, filters in the address, and what can be done with many at once.

pub mod bulk;
pub mod chips;
pub mod export;
pub mod feed;
pub mod filter;
pub mod saved;
pub mod table;
pub mod words;

use leptos::{html, prelude::*};
use types::{RunStatus, RunSummary};
use wasm_bindgen::JsCast;

use bulk::{ActionDialogs, Actions, BulkBar, Selection};
use chips::{AgeFilter, CreatorFilter, ModelFilter, StatusFilter};
use feed::{Feed, Rows, SORTED_AT_MOST};
use filter::{Age, COLUMNS, Sorting, VIEWS, View, asked, parse_statuses, view as view_named};
use saved::SavedViews;
use table::{Board, RunTable};

use crate::{
    api::endpoints::RunQuery,
    components::{
        button::{Button, ButtonLink, Look, Size},
        field::SearchField,
        icon::Glyph,
        overlay::{Item, Menu, MenuLook},
        panel::{Empty, Panel},
        table::Viewport,
        tabs::{Tab, Tabs},
        time::now_ms,
    },
    format,
    shell::{
        export::{ExportMenu, Source},
        first::FirstRun,
        keys::{Binding, bind},
        page::{PageHead, describe_page},
    },
    url::{Step, use_carry, use_changed, use_param, use_param_field, use_set_params},
};

/// What the address says about this page.
#[derive(Clone, Copy)]
pub struct Address {
    view: Memo<View>,
    statuses: Memo<Vec<RunStatus>>,
    search: Signal<String>,
    model: Signal<String>,
    mine: Memo<bool>,
    age: Memo<Option<Age>>,
    sorting: Memo<Sorting>,
    hidden: Memo<Vec<String>>,
}

impl Address {
    fn read() -> Self {
        let (view, status, sort, hide) = (
            use_param("view"),
            use_param("status"),
            use_param("sort"),
            use_param("hide"),
        );
        let (by, age) = (use_param("by"), use_param("age"));
        Self {
            view: Memo::new(move |_| view.with(|id| view_named(id))),
            statuses: Memo::new(move |_| status.with(|text| parse_statuses(text))),
            search: use_param("search"),
            model: use_param("model"),
            mine: Memo::new(move |_| by.with(|by| by == "me")),
            age: Memo::new(move |_| age.with(|age| Age::parse(age))),
            sorting: Memo::new(move |_| sort.with(|text| Sorting::parse(text))),
            hidden: Memo::new(move |_| hide.with(|text| text.split(',').map(str::to_owned).collect())),
        }
    }

    fn query(self) -> Memo<RunQuery> {
        Memo::new(move |_| RunQuery {
            statuses: self.statuses.with(|chosen| asked(self.view.get(), chosen)),
            search: self.search.get(),
            model: self.model.get(),
            mine: self.mine.get(),
            since: self.age.get().map_or_else(String::new, |age| age.since(now_ms())),
            ..RunQuery::default()
        })
    }

    fn is_filtered(self) -> bool {
        let view = self.view.with(|view| !view.id.is_empty());
        view || !self.statuses.with(Vec::is_empty)
            || !self.search.with(String::is_empty)
            || !self.model.with(String::is_empty)
            || self.mine.get()
            || self.age.with(Option::is_some)
    }
}

/// The parameters of the filters, all cleared.
const CLEARED: [(&str, &str); 6] = [
    ("view", ""),
    ("status", ""),
    ("search", ""),
    ("model", ""),
    ("by", ""),
    ("age", ""),
];

/// The page of all runs.
#[component]
pub fn Runs() -> impl IntoView {
    describe_page(|| "Runs".to_owned(), Vec::new);
    let carry = use_carry();
    let address = Address::read();
    let feed = Feed::follow(address.query(), address.sorting);
    let selection = Selection::default();
    let board = Board {
        feed,
        selection,
        actions: Actions::new(feed),
        sorting: address.sorting,
        hidden: address.hidden,
        cursor: RwSignal::new(None),
        viewport: Viewport::default(),
    };
    let query = address.query();
    Effect::new(move |before: Option<()>| {
        query.track();
        if before.is_some() {
            board.cursor.set(None);
            board.viewport.rewind();
        }
    });
    Effect::new(move || feed.rows.with(|rows| selection.refresh(rows.known())));
    let search = NodeRef::<html::Input>::new();
    bind_keys(board, search);
    let source = Source::asked(move |client| {
        export::gather(client, query.get_untracked(), address.sorting.get_untracked())
    });
    let actions = move || {
        view! {
            <ExportMenu name="runs" source/>
            <ButtonLink icon=Glyph::Up href=Signal::derive(move || carry("/import"))>"Import"</ButtonLink>
            <ButtonLink look=Look::Primary icon=Glyph::Launch href=Signal::derive(move || carry("/launcher"))>"Launch a run"</ButtonLink>
        }
    };
    view! {
        <PageHead title=|| "Runs" actions/>
        <ViewTabs feed address/>
        <FilterBar board address search/>
        <ActionDialogs actions=board.actions/>
        <Panel
            load=feed.load
            on_retry=move |()| feed.reload()
            lines=12
            is_empty=move |_| feed.rows.with(|rows| rows.total == 0)
            empty=move || view! { <Nothing address/> }
            children=move |_| {
                let busy = move || feed.load.with(|load| load.busy);
                view! { <div class:is-busy=busy><RunTable board/></div><Count board address/> }.into_any()
            }
        />
    }
    .into_any()
}

/// The saved views as tabs: those that are always there, then the viewer's own.
#[component]
fn ViewTabs(feed: Feed, address: Address) -> impl IntoView {
    let changed = use_changed();
    let carry = use_carry();
    let saved = SavedViews::load();
    let count = move |view: View| {
        feed.rows.with(|rows| match view.statuses {
            [] => rows.counts.values().sum::<u64>(),
            some => some.iter().filter_map(|status| rows.counts.get(status)).sum(),
        })
    };
    let here = use_changed();
    let tabs = Signal::derive(move || {
        let open_saved = saved.open(&here(&[]));
        let standing = VIEWS.into_iter().map(|view| Tab {
            name: view.name.to_owned(),
            href: changed(&[("view", view.id), ("status", "")]),
            count: Some(format::count(count(view))),
            open: open_saved.is_none() && address.view.get() == view,
        });
        let own = saved.all().into_iter().map(|own| Tab {
            open: open_saved.as_ref().map(|view| view.id) == Some(own.id),
            name: own.name,
            href: carry(&format!("/runs?{}", own.query)),
            count: None,
        });
        standing.chain(own).collect::<Vec<_>>()
    });
    view! { <Tabs label="Saved views" tabs><saved::ViewMenu saved/></Tabs> }
}

/// Search, filters, what can be done with the selection, columns.
#[component]
fn FilterBar(board: Board, address: Address, search: NodeRef<html::Input>) -> impl IntoView {
    let field = use_param_field("search");
    view! {
        <div class="bar">
            <SearchField label="Search runs" value=field placeholder="Model, benchmark, name or id" node=search/>
            <StatusFilter address/>
            <ModelFilter address/>
            <CreatorFilter address/>
            <AgeFilter address/>
            <span class="bar__end">
                <BulkBar selection=board.selection actions=board.actions/>
                <ColumnMenu address/>
            </span>
        </div>
    }
    .into_any()
}

#[component]
fn ColumnMenu(address: Address) -> impl IntoView {
    let set = use_set_params();
    let items = move |()| {
        let hidden: Vec<String> = address
            .hidden
            .get_untracked()
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect();
        let item = |(id, name): (&'static str, &'static str)| {
            let shown = !hidden.iter().any(|hidden| hidden == id);
            let mut next: Vec<String> = hidden.iter().filter(|hidden| *hidden != id).cloned().collect();
            if shown {
                next.push(id.to_owned());
            }
            let next = next.join(",");
            Item::new(name, move || set(&[("hide", &next)], Step::Replace)).chosen(shown)
        };
        COLUMNS.into_iter().map(item).collect::<Vec<_>>()
    };
    view! { <Menu label="Columns" look=MenuLook::Quiet icon=Glyph::Columns items/> }
}

/// What an empty table says.
#[component]
fn Nothing(address: Address) -> impl IntoView {
    let set = use_set_params();
    move || {
        if address.is_filtered() {
            view! {
                <Empty title="No run matches">
                    <span>"Take a filter away, or look at all runs."</span>
                    <Button size=Size::Small on_click=move |_| set(&CLEARED, Step::Push)>"Show all runs"</Button>
                </Empty>
            }
            .into_any()
        } else {
            view! { <FirstRun/> }.into_any()
        }
    }
}

/// How many of how many are shown, and what is hidden.
#[component]
fn Count(board: Board, address: Address) -> impl IntoView {
    let shown = move || {
        let total = board.feed.rows.with(Rows::shown);
        let range = board.viewport.shown(total);
        format!(
            "Showing {}–{} of {}",
            format::count((range.start + 1).min(total) as u64),
            format::count(range.end as u64),
            format::count(total as u64)
        )
    };
    let hidden = move || {
        let (total, all) = board
            .feed
            .rows
            .with(|rows| (rows.total as u64, rows.counts.values().sum::<u64>()));
        let other = all.saturating_sub(total);
        (address.is_filtered() && other > 0)
            .then(|| format!("{} not in this view", format::plural(other, "run", "runs")))
    };
    let limited = move || {
        let total = board.feed.rows.with(|rows| rows.total);
        (!board.sorting.get().is_default() && total > SORTED_AT_MOST).then(|| {
            format!(
                "ordered among the newest {} only",
                format::count(SORTED_AT_MOST as u64)
            )
        })
    };
    view! {
        <div class="pager">
            <span>{shown}</span>
            <span class="dim">{hidden}</span>
            <span class="warn">{limited}</span>
        </div>
    }
}

fn bind_keys(board: Board, search: NodeRef<html::Input>) {
    let go = move |step: isize| {
        let last = board.feed.rows.with_untracked(Rows::shown).checked_sub(1);
        let Some(last) = last else { return };
        let next = match board.cursor.get_untracked() {
            None => 0,
            Some(at) => at.saturating_add_signed(step).min(last),
        };
        board.cursor.set(Some(next));
        board.viewport.reveal(next);
        // The row exists once the table has followed its scroll position.
        request_animation_frame(move || focus_row(next));
    };
    let at_cursor = move || -> Option<RunSummary> {
        let at = board.cursor.get_untracked()?;
        board.feed.rows.with_untracked(|rows| rows.row(at).cloned())
    };
    bind(vec![
        Binding::new("j", "next run", move || go(1)),
        Binding::new("k", "previous run", move || go(-1)),
        Binding::new("x", "select the run, or no longer", move || {
            if let Some(run) = at_cursor() {
                board
                    .selection
                    .set(&run, !untrack(|| board.selection.has(run.id)));
            }
        }),
        Binding::new("/", "search", move || {
            if let Some(input) = search.get_untracked() {
                let _ = input.focus();
            }
        }),
        Binding::new("Escape", "select nothing", move || board.selection.clear()),
    ]);
}

fn focus_row(index: usize) {
    let link = document()
        .query_selector(&format!("#row-{index} th a"))
        .ok()
        .flatten();
    if let Some(link) = link.and_then(|link| link.dyn_into::<web_sys::HtmlElement>().ok()) {
        // Focus fails only when the row has just left the page.
        let _ = link.focus();
    }
}
