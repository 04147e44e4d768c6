//! The keys of the page: registered by whoever acts on them, shown by `?`.

use leptos::{ev, ev::KeyboardEvent, prelude::*};
use wasm_bindgen::JsCast;

use crate::components::{overlay::Dialog, words::Kbd};

/// A key and what it does.
#[derive(Clone)]
pub struct Binding {
    /// The key as the browser names it: `j`, `/`, `Enter`.
    pub key: &'static str,
    /// What it does.
    pub does: &'static str,
    /// Called when it is pressed.
    pub act: Callback<()>,
}

impl Binding {
    /// A binding.
    pub fn new(key: &'static str, does: &'static str, act: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            key,
            does,
            act: Callback::new(move |()| act()),
        }
    }
}

/// The keys that hold now.
#[derive(Clone, Copy)]
pub struct Keys {
    groups: RwSignal<Vec<(u32, Vec<Binding>)>>,
    next: StoredValue<u32>,
    help: RwSignal<bool>,
    palette: RwSignal<bool>,
}

impl Keys {
    /// Whether the palette is open.
    pub fn palette(self) -> RwSignal<bool> {
        self.palette
    }

    /// Whether the help is open.
    pub fn help(self) -> RwSignal<bool> {
        self.help
    }
}

/// Provides the keys and listens for them.
pub fn provide_keys() -> Keys {
    let keys = Keys {
        groups: RwSignal::new(Vec::new()),
        next: StoredValue::new(0),
        help: RwSignal::new(false),
        palette: RwSignal::new(false),
    };
    provide_context(keys);
    let listener = window_event_listener(ev::keydown, move |event| pressed(keys, &event));
    on_cleanup(move || listener.remove());
    keys
}

/// The keys of the page.
pub fn use_keys() -> Keys {
    expect_context()
}

/// Binds keys for as long as the calling view lives. They do nothing while something is typed or a dialog is open.
pub fn bind(bindings: Vec<Binding>) {
    let keys = use_keys();
    let id = keys
        .next
        .try_update_value(|next| {
            *next += 1;
            *next
        })
        .unwrap_or(0);
    keys.groups.update(|groups| groups.push((id, bindings)));
    on_cleanup(move || {
        let _ = keys
            .groups
            .try_update(|groups| groups.retain(|group| group.0 != id));
    });
}

fn pressed(keys: Keys, event: &KeyboardEvent) {
    if (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k") {
        event.prevent_default();
        keys.palette.update(|open| *open = !*open);
        return;
    }
    if event.ctrl_key() || event.meta_key() || event.alt_key() || is_typing(event) || dialog_is_open() {
        return;
    }
    if event.key() == "?" {
        event.prevent_default();
        keys.help.set(true);
        return;
    }
    let act = keys.groups.with_untracked(|groups| {
        let all = groups.iter().rev().flat_map(|group| &group.1);
        all.into_iter()
            .find(|binding| binding.key == event.key())
            .map(|binding| binding.act)
    });
    if let Some(act) = act {
        event.prevent_default();
        act.run(());
    }
}

fn is_typing(event: &KeyboardEvent) -> bool {
    let target = event
        .target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    target.is_some_and(|target| {
        let text = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
        target.closest(text).is_ok_and(|found| found.is_some())
    })
}

fn dialog_is_open() -> bool {
    document()
        .query_selector("dialog[open], [popover]:popover-open")
        .is_ok_and(|found| found.is_some())
}

/// The dialog that shows the keys.
#[component]
pub fn KeyHelp() -> impl IntoView {
    let keys = use_keys();
    let rows = move || {
        let of_page = keys.groups.get().into_iter().flat_map(|group| group.1);
        let mut rows: Vec<(String, &'static str)> =
            of_page.map(|b| (shown(b.key).to_owned(), b.does)).collect();
        rows.push(("Ctrl K".to_owned(), "commands: pages, runs, models, benchmarks"));
        rows.push(("?".to_owned(), "this list"));
        rows.push(("Esc".to_owned(), "close what is open"));
        let row = |(key, does): (String, &'static str)| {
            view! { <div class="keys__row"><dt><Kbd keys=key/></dt><dd>{does}</dd></div> }
        };
        rows.into_iter().map(row).collect_view()
    };
    view! {
        <Dialog open=keys.help title="Keys of this page">
            <div class="dialog__body"><dl class="keys">{rows}</dl></div>
        </Dialog>
    }
}

fn shown(key: &str) -> &str {
    match key {
        " " => "Space",
        "ArrowUp" => "↑",
        "ArrowDown" => "↓",
        "ArrowLeft" => "←",
        "ArrowRight" => "→",
        other => other,
    }
}
