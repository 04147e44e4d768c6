//! Tables: sortable heads, and rows that exist only while they are in sight.

use leptos::{html, prelude::*};
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{HtmlElement, ResizeObserver};

use super::{
    icon::{Glyph, Icon},
    rows::Rows,
};

/// The order of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Up,
    /// Largest first.
    Down,
}

impl Order {
    fn aria(self) -> &'static str {
        match self {
            Self::Up => "ascending",
            Self::Down => "descending",
        }
    }

    fn glyph(self) -> Glyph {
        match self {
            Self::Up => Glyph::SortUp,
            Self::Down => Glyph::SortDown,
        }
    }
}

/// The head of a column that can be sorted by.
#[component]
pub fn SortHead(
    /// The name.
    #[prop(into)]
    name: String,
    /// The order that holds, if it is this column's.
    #[prop(into)]
    order: Signal<Option<Order>>,
    /// Called with the order that the click asks for.
    #[prop(into)]
    on_sort: Callback<Order>,
    /// The column holds numbers.
    #[prop(optional)]
    right: bool,
) -> impl IntoView {
    let click = move |_| match order.get_untracked() {
        Some(Order::Down) => on_sort.run(Order::Up),
        _ => on_sort.run(Order::Down),
    };
    view! {
        <th scope="col" class:r=right aria-sort=move || order.get().map_or("none", Order::aria)>
            <button type="button" class="sort" on:click=click>
                {name}
                {move || order.get().map(|order| view! { <Icon glyph=order.glyph()/> })}
            </button>
        </th>
    }
}

/// Which rows are in sight, with a few more on either side so that a scroll never shows a gap.
pub fn window_of(total: usize, row: f64, scroll: f64, height: f64) -> std::ops::Range<usize> {
    const EXTRA: usize = 8;
    if total == 0 || row <= 0.0 {
        return 0..0;
    }
    let first = (scroll.max(0.0) / row) as usize;
    let shown = (height.max(row) / row).ceil() as usize + 1;
    let start = first.saturating_sub(EXTRA).min(total);
    start..(first + shown + EXTRA).min(total)
}

/// Where a virtual table is scrolled to; made by the page, so that keys can move it.
#[derive(Clone, Copy)]
pub struct Viewport {
    node: NodeRef<html::Div>,
    scroll: RwSignal<f64>,
    height: RwSignal<f64>,
    row: RwSignal<f64>,
}

impl Default for Viewport {
    fn default() -> Self {
        Self {
            node: NodeRef::new(),
            scroll: RwSignal::new(0.0),
            height: RwSignal::new(640.0),
            row: RwSignal::new(32.0),
        }
    }
}

impl Viewport {
    /// Scrolls until the row is in sight.
    pub fn reveal(self, index: usize) {
        let Some(node) = self.node.get_untracked() else {
            return;
        };
        let (row, height) = (self.row.get_untracked(), self.height.get_untracked());
        let (top, scroll) = (index as f64 * row, self.scroll.get_untracked());
        if top < scroll {
            node.set_scroll_top(top as i32);
        } else if top + 2.0 * row > scroll + height {
            node.set_scroll_top((top + 2.0 * row - height).ceil() as i32);
        }
    }

    /// Scrolls back to the first row.
    pub fn rewind(self) {
        if let Some(node) = self.node.get_untracked() {
            node.set_scroll_top(0);
        }
    }

    /// The rows in sight, without the extra ones: for "showing 1–15 of 168".
    pub fn shown(self, total: usize) -> std::ops::Range<usize> {
        let (row, scroll) = (self.row.get(), self.scroll.get());
        let first = (scroll / row).floor() as usize;
        let last = ((scroll + self.height.get() - row) / row).floor() as usize;
        first.min(total)..last.clamp(first.min(total), total)
    }
}

/// A table whose body holds only the rows in sight, plus the space of the others.
#[component]
pub fn VirtualTable(
    /// What it holds, as the accessible name.
    #[prop(into)]
    label: String,
    /// How many rows there are in all.
    #[prop(into)]
    total: Signal<usize>,
    /// How many columns the head has.
    columns: usize,
    /// Where it is scrolled to.
    #[prop(optional)]
    viewport: Viewport,
    /// Called with the rows in sight whenever they change, to load them.
    #[prop(optional, into)]
    on_window: Option<Callback<std::ops::Range<usize>>>,
    /// What tells the row at an index apart: the row is rebuilt when it changes.
    #[prop(into)]
    key: Callback<usize, String>,
    /// The cells of the head: `<th>`s.
    head: AnyView,
    /// The row at an index: a `<tr>` with `aria-rowindex` = index + 2.
    row: impl Fn(usize) -> AnyView + Clone + Send + Sync + 'static,
    /// Further classes of the table.
    #[prop(optional, into)]
    class: Option<&'static str>,
) -> impl IntoView {
    let Viewport {
        node,
        scroll,
        height,
        row: row_height,
    } = viewport;
    let range = Memo::new(move |_| window_of(total.get(), row_height.get(), scroll.get(), height.get()));
    if let Some(on_window) = on_window {
        Effect::new(move || on_window.run(range.get()));
    }
    watch_size(node, height, row_height);
    let each = move || {
        range
            .get()
            .map(|index| (index, key.run(index)))
            .collect::<Vec<_>>()
    };
    let space = move |rows: usize| format!("{}px", rows as f64 * row_height.get());
    let spacer = move |rows: Signal<usize>| {
        view! {
            <tr class="spacer" aria-hidden="true" hidden=move || rows.get() == 0>
                <td colspan=columns.to_string() style=("height", move || space(rows.get()))></td>
            </tr>
        }
    };
    view! {
        <div
            class="scroll scroll--edge scroll--tall"
            tabindex="0"
            role="region"
            aria-label=format!("{label}, table")
            node_ref=node
            on:scroll:target=move |event| scroll.set(f64::from(event.target().scroll_top()))
        >
            <table class=format!("table table--virtual {}", class.unwrap_or_default()) aria-rowcount=move || (total.get() + 1).to_string()>
                <thead><tr aria-rowindex="1">{head}</tr></thead>
                <tbody>
                    {spacer(Signal::derive(move || range.get().start))}
                    <Rows each key=Clone::clone children=move |(index, _): (usize, String)| row(index)/>
                    {spacer(Signal::derive(move || total.get().saturating_sub(range.get().end)))}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Follows the height of the viewport and of a row (which differs by pointer and theme).
fn watch_size(node: NodeRef<html::Div>, height: RwSignal<f64>, row: RwSignal<f64>) {
    Effect::new(move || {
        let Some(node) = node.get() else { return };
        let watched: HtmlElement = (*node).clone().unchecked_into();
        let measure = move || {
            let _ = height.try_set(f64::from(watched.client_height()));
            if let Some(measured) = row_of(&watched) {
                let _ = row.try_set(measured);
            }
        };
        measure();
        let callback = Closure::<dyn FnMut()>::new(measure);
        let Ok(observer) = ResizeObserver::new(callback.as_ref().unchecked_ref()) else {
            return;
        };
        observer.observe(&node);
        let held = SendWrapper::new((observer, callback));
        on_cleanup(move || held.0.disconnect());
    });
}

fn row_of(node: &HtmlElement) -> Option<f64> {
    let style = window().get_computed_style(node).ok().flatten()?;
    let text = style.get_property_value("--row").ok()?;
    text.trim().strip_suffix("px")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::window_of;

    #[test]
    fn only_rows_in_sight_exist() {
        assert_eq!(window_of(100_000, 32.0, 0.0, 640.0), 0..29);
        assert_eq!(window_of(100_000, 32.0, 32_000.0, 640.0), 992..1029);
        assert_eq!(window_of(10, 32.0, 0.0, 640.0), 0..10);
        assert_eq!(window_of(0, 32.0, 500.0, 640.0), 0..0);
        assert_eq!(window_of(10, 32.0, 99_999.0, 640.0), 10..10);
    }
}
