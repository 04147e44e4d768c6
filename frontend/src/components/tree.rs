//! A tree of things to choose from. Arrow keys move, Space toggles; a parent shows how many of its own are chosen.
//! A long one scrolls by itself, and only the rows in sight exist.

use leptos::{ev::KeyboardEvent, html, prelude::*};
use wasm_bindgen::JsCast;

use super::{
    choice::{Check, Ticked},
    icon::{Glyph, Icon},
    rows::Rows,
    table::window_of,
};

/// From how many rows on it scrolls by itself.
const LONG: usize = 80;
/// Height of a row in CSS pixels until one has been measured.
const ROW: f64 = 28.0;

/// One visible row of a tree, in the order of display: rows of closed parents are left out by the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeRow {
    /// What tells it apart.
    pub key: String,
    /// 0 for the outermost.
    pub level: usize,
    /// The name.
    pub name: String,
    /// Words after the name: `4 of 18`.
    pub note: String,
    /// What qualifies it, at the right; the last one is the number.
    pub meta: Vec<String>,
    /// Short warnings, each with an explanation.
    pub badges: Vec<(String, String)>,
    /// Whether it is open; `None` for a leaf.
    pub open: Option<bool>,
    /// Chosen or not.
    pub ticked: Ticked,
    /// Cannot be chosen, for this reason.
    pub refused: Option<String>,
}

/// The tree.
#[component]
pub fn Tree(
    /// What it holds, as the accessible name.
    #[prop(into)]
    label: String,
    /// The visible rows.
    #[prop(into)]
    rows: Signal<Vec<TreeRow>>,
    /// Called with the key and what it should become.
    #[prop(into)]
    on_tick: Callback<(String, bool)>,
    /// Called with the key of a parent to open or close.
    #[prop(into)]
    on_open: Callback<(String, bool)>,
) -> impl IntoView {
    let cursor = RwSignal::new(0_usize);
    let node = NodeRef::<html::Ul>::new();
    let row_at = move |index: usize| rows.with_untracked(|rows| rows.get(index).cloned());
    let long = Memo::new(move |_| rows.with(Vec::len) > LONG);
    let (scroll, height, unit) = (
        RwSignal::new(0.0_f64),
        RwSignal::new(720.0_f64),
        RwSignal::new(ROW),
    );
    let range = Memo::new(move |_| {
        let all = rows.with(Vec::len);
        if long.get() {
            window_of(all, unit.get(), scroll.get(), height.get())
        } else {
            0..all
        }
    });
    let go = move |index: usize| {
        let last = rows.with_untracked(Vec::len).saturating_sub(1);
        let index = index.min(last);
        if long.get_untracked() {
            bring(node, index, unit.get_untracked());
        }
        cursor.set(index);
        reveal(index);
    };
    let scrolled = move |_| {
        let Some(list) = node.get_untracked() else { return };
        scroll.set(f64::from(list.scroll_top()));
        height.set(f64::from(list.client_height()));
        if let Ok(Some(row)) = list.query_selector(".tree__row") {
            unit.set(row.get_bounding_client_rect().height().max(1.0));
        }
    };
    // A list that has become shorter has no place where it was scrolled to.
    Effect::new(move || {
        rows.track();
        scrolled(());
    });
    let space = move |rows: usize| format!("{:.1}px", rows as f64 * unit.get());
    let below = move || rows.with(Vec::len).saturating_sub(range.get().end);
    let keys = move |event: KeyboardEvent| {
        let at = cursor.get_untracked();
        let Some(row) = row_at(at) else { return };
        match event.key().as_str() {
            "ArrowDown" => go(at + 1),
            "ArrowUp" => go(at.saturating_sub(1)),
            "Home" => go(0),
            "End" => go(usize::MAX),
            "ArrowRight" if row.open == Some(false) => on_open.run((row.key, true)),
            "ArrowRight" if row.open == Some(true) => go(at + 1),
            "ArrowLeft" if row.open == Some(true) => on_open.run((row.key, false)),
            "ArrowLeft" => go(parent(&rows.get_untracked(), at)),
            " " | "Enter" if row.refused.is_none() => on_tick.run((row.key, row.ticked != Ticked::On)),
            _ => return,
        }
        event.prevent_default();
    };
    let active = move || rows.with(|rows| rows.get(cursor.get()).map(|_| format!("tree-{}", cursor.get())));
    let row = move |(index, _): (usize, String)| {
        let row = Memo::new(move |_| rows.with(|rows| rows.get(index).cloned()));
        let field =
            move |read: fn(&TreeRow) -> String| row.with(|row| row.as_ref().map(read).unwrap_or_default());
        let key =
            move || row.with_untracked(|row| row.as_ref().map(|row| row.key.clone()).unwrap_or_default());
        let is_open = move || row.with(|row| row.as_ref().and_then(|row| row.open));
        let ticked =
            Signal::derive(move || row.with(|row| row.as_ref().map(|row| row.ticked).unwrap_or_default()));
        let refused =
            Signal::derive(move || row.with(|row| row.as_ref().is_some_and(|row| row.refused.is_some())));
        let level = move || row.with(|row| row.as_ref().map_or(0, |row| row.level));
        let badges = move || {
            let badges = row.with(|row| row.as_ref().map(|row| row.badges.clone()).unwrap_or_default());
            let badge = |(name, title)| view! { <span class="badge badge--warn" title=title>{name}</span> };
            badges.into_iter().map(badge).collect_view()
        };
        let meta = move || {
            let meta = row.with(|row| row.as_ref().map(|row| row.meta.clone()).unwrap_or_default());
            let last = meta.len().saturating_sub(1);
            let one =
                move |(at, text): (usize, String)| view! { <span class:hide-s=at != last>{text}</span> };
            meta.into_iter().enumerate().map(one).collect_view()
        };
        view! {
            <li
                role="treeitem"
                id=format!("tree-{index}")
                {..leptos::attr::custom::custom_attribute("aria-level", move || (level() + 1).to_string())}
                aria-expanded=move || is_open().map(|open| if open { "true" } else { "false" })
                aria-selected=move || if ticked.get() == Ticked::On { "true" } else { "false" }
                aria-checked=move || match ticked.get() {
                    Ticked::On => "true",
                    Ticked::Off => "false",
                    Ticked::Mixed => "mixed",
                }
                class:is-cursor=move || cursor.get() == index
                title=move || row.with(|row| row.as_ref().and_then(|row| row.refused.clone()))
                on:mousedown=move |_| cursor.set(index)
            >
                <div class="tree__row" style=("--lv", move || level().to_string())>
                    <span class="tree__tw" on:click=move |_| if let Some(open) = is_open() { on_open.run((key(), !open)) }>
                        {move || is_open().is_some().then(|| view! { <Icon glyph=Glyph::Right/> })}
                    </span>
                    <Check ticked disabled=refused untabbed=true on_change=move |on| on_tick.run((key(), on))>
                        <span class:mid=move || level() == 0>
                            {move || field(|row| row.name.clone())} " "
                            <span class="dim">{move || field(|row| row.note.clone())}</span>
                        </span>
                    </Check>
                    {badges}
                    <span class="tree__meta">{meta}</span>
                </div>
            </li>
        }
    };
    let each = move || {
        rows.with(|rows| {
            let shown = range.get();
            let from = shown.start;
            let keys = rows
                .get(shown)
                .unwrap_or_default()
                .iter()
                .map(|row| row.key.clone());
            keys.enumerate()
                .map(|(place, key)| (from + place, key))
                .collect::<Vec<_>>()
        })
    };
    view! {
        <ul
            class=move || if long.get() { "tree tree--tall" } else { "tree" }
            role="tree"
            aria-label=label
            aria-multiselectable="true"
            aria-activedescendant=active
            tabindex="0"
            node_ref=node
            on:keydown=keys
            on:scroll=move |_| scrolled(())
        >
            <li role="presentation" style=("height", move || space(range.get().start))></li>
            <Rows each key=Clone::clone children=row/>
            <li role="presentation" style=("height", move || space(below()))></li>
        </ul>
    }
    .into_any()
}

/// The row that the row at `index` belongs to, or itself.
fn parent(rows: &[TreeRow], index: usize) -> usize {
    let level = rows.get(index).map_or(0, |row| row.level);
    (0..index)
        .rev()
        .find(|&above| rows[above].level < level)
        .unwrap_or(index)
}

/// Scrolls a long list until the row at `index` exists.
fn bring(node: NodeRef<html::Ul>, index: usize, unit: f64) {
    let Some(list) = node.get_untracked() else { return };
    let (top, height) = (index as f64 * unit, f64::from(list.client_height()));
    let scroll = f64::from(list.scroll_top());
    if top < scroll {
        list.set_scroll_top(top as i32);
    } else if top + unit > scroll + height {
        list.set_scroll_top((top + unit - height).ceil() as i32);
    }
}

fn reveal(index: usize) {
    let child = document().get_element_by_id(&format!("tree-{index}"));
    if let Some(child) = child.and_then(|child| child.dyn_into::<web_sys::HtmlElement>().ok()) {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Nearest);
        child.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_the_next_outer_row_above() {
        let row = |level| TreeRow {
            key: String::new(),
            level,
            name: String::new(),
            note: String::new(),
            meta: vec![],
            badges: vec![],
            open: None,
            ticked: Ticked::Off,
            refused: None,
        };
        let rows = [row(0), row(1), row(2), row(2), row(1)];
        assert_eq!(parent(&rows, 3), 1);
        assert_eq!(parent(&rows, 4), 0);
        assert_eq!(parent(&rows, 0), 0);
    }
}
