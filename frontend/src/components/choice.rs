//! Choices: check box, switch, radio-like segments, select.

use leptos::{html, prelude::*};

use super::field::{Field, fresh_id};

/// The state of a check box that may stand for several things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ticked {
    /// None.
    #[default]
    Off,
    /// All.
    On,
    /// Some.
    Mixed,
}

impl From<bool> for Ticked {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

impl Ticked {
    /// The state over `chosen` of `all`.
    pub fn of(chosen: usize, all: usize) -> Self {
        match chosen {
            0 => Self::Off,
            n if n >= all => Self::On,
            _ => Self::Mixed,
        }
    }
}

/// A check box. Without children it needs a `label`, which is then its accessible name.
#[component]
pub fn Check(
    /// Its state.
    #[prop(into)]
    ticked: Signal<Ticked>,
    /// Called with what it should become.
    #[prop(into)]
    on_change: Callback<bool>,
    /// The accessible name where there are no words beside it.
    #[prop(optional, into)]
    label: MaybeProp<String>,
    /// Cannot be used now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
    /// Not a tab stop: inside a tree or a list with keys of its own.
    #[prop(optional)]
    untabbed: bool,
    /// The words.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                aria-label=move || label.get()
                tabindex=untabbed.then_some("-1")
                prop:disabled=move || disabled.get()
                prop:checked=move || ticked.get() == Ticked::On
                prop:indeterminate=move || ticked.get() == Ticked::Mixed
                on:change:target=move |event| on_change.run(event.target().checked())
            />
            {children.map(|children| children())}
        </label>
    }
}

/// A switch: something that is on or off at once.
#[component]
pub fn Switch(
    /// On or off.
    #[prop(into)]
    on: Signal<bool>,
    /// Called with what it should become.
    #[prop(into)]
    on_change: Callback<bool>,
    /// The words.
    children: Children,
) -> impl IntoView {
    view! {
        <label class="check check--sw">
            <input
                type="checkbox"
                role="switch"
                prop:checked=move || on.get()
                on:change:target=move |event| on_change.run(event.target().checked())
            />
            {children()}
        </label>
    }
}

/// One of a few, all visible.
#[component]
pub fn Segmented(
    /// What is chosen, as the accessible name.
    #[prop(into)]
    label: String,
    /// Value and words of each choice.
    options: Vec<(String, String)>,
    /// The value that holds.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the new value.
    #[prop(into)]
    on_change: Callback<String>,
) -> impl IntoView {
    let values: Vec<String> = options.iter().map(|(value, _)| value.clone()).collect();
    let group = NodeRef::<html::Span>::new();
    let keys = move |event: leptos::ev::KeyboardEvent| {
        let step: isize = match event.key().as_str() {
            "ArrowRight" | "ArrowDown" => 1,
            "ArrowLeft" | "ArrowUp" => -1,
            _ => return,
        };
        event.prevent_default();
        let now = value
            .with_untracked(|now| values.iter().position(|v| v == now))
            .unwrap_or(0);
        let next = (now as isize + step).rem_euclid(values.len() as isize) as usize;
        on_change.run(values[next].clone());
        focus_child(group, next);
    };
    let buttons = options.into_iter().map(|(option, words)| {
        let checked = {
            let option = option.clone();
            Signal::derive(move || value.with(|now| *now == option))
        };
        view! {
            <button
                type="button"
                class="seg__b"
                role="radio"
                aria-checked=move || if checked.get() { "true" } else { "false" }
                tabindex=move || if checked.get() { "0" } else { "-1" }
                on:click=move |_| on_change.run(option.clone())
            >
                {words}
            </button>
        }
    });
    view! {
        <span class="seg" role="radiogroup" aria-label=label node_ref=group on:keydown=keys>
            {buttons.collect_view()}
        </span>
    }
}

fn focus_child(group: NodeRef<html::Span>, index: usize) {
    use wasm_bindgen::JsCast;
    let child = group
        .get_untracked()
        .and_then(|group| group.children().item(index as u32));
    if let Some(child) = child.and_then(|child| child.dyn_into::<web_sys::HtmlElement>().ok()) {
        // A focus that fails changes nothing else.
        let _ = child.focus();
    }
}

/// One entry of a [`Select`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// What is stored.
    pub value: String,
    /// What is shown.
    pub words: String,
    /// Cannot be chosen.
    pub disabled: bool,
}

impl Entry {
    /// An entry that can be chosen.
    pub fn new(value: impl Into<String>, words: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            words: words.into(),
            disabled: false,
        }
    }
}

/// One of a list.
#[component]
pub fn Select(
    /// The entries.
    #[prop(into)]
    options: Signal<Vec<Entry>>,
    /// The value that holds.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the new value.
    #[prop(into)]
    on_change: Callback<String>,
    /// The accessible name, where no label points here.
    #[prop(optional, into)]
    label: Option<String>,
    /// The id that a label points at.
    #[prop(optional, into)]
    id: Option<String>,
    /// The id of its description.
    #[prop(optional, into)]
    described: Option<String>,
    /// Cannot be used now.
    #[prop(optional, into)]
    disabled: Signal<bool>,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| fresh_id("select"));
    let entry = move |entry: Entry| {
        let own = entry.value.clone();
        let selected = move || value.with(|now| *now == own);
        view! { <option value=entry.value.clone() prop:selected=selected disabled=entry.disabled>{entry.words}</option> }
    };
    view! {
        <select
            class="select"
            id=id
            aria-label=label
            aria-describedby=described
            prop:disabled=move || disabled.get()
            on:change:target=move |event| on_change.run(event.target().value())
        >
            {move || options.get().into_iter().map(entry).collect_view()}
        </select>
    }
}

/// A [`Select`] with label, hint and error.
#[component]
pub fn SelectField(
    /// The name of the field.
    #[prop(into)]
    label: Signal<String>,
    /// The entries.
    #[prop(into)]
    options: Signal<Vec<Entry>>,
    /// The value that holds.
    #[prop(into)]
    value: Signal<String>,
    /// Called with the new value.
    #[prop(into)]
    on_change: Callback<String>,
    /// What helps to choose.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
    /// What is wrong and what to do.
    #[prop(optional, into)]
    error: MaybeProp<String>,
    /// Cannot be used now; say why in `hint`.
    #[prop(optional, into)]
    disabled: Signal<bool>,
) -> impl IntoView {
    let control = move |id: String, described: String| {
        view! { <Select options value on_change id described disabled/> }.into_any()
    };
    view! { <Field label hint error control/> }
}

#[cfg(test)]
mod tests {
    use super::Ticked;

    #[test]
    fn some_of_all_is_mixed() {
        assert_eq!(Ticked::of(0, 3), Ticked::Off);
        assert_eq!(Ticked::of(2, 3), Ticked::Mixed);
        assert_eq!(Ticked::of(3, 3), Ticked::On);
        assert_eq!(Ticked::of(0, 0), Ticked::Off);
    }
}
