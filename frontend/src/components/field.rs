//! Form fields: label above, hint below; an error replaces the hint and says what to do.

use std::sync::atomic::{AtomicUsize, Ordering};

use leptos::prelude::*;

use super::icon::{Glyph, Icon};

/// An id that no other element of this page has.
pub fn fresh_id(prefix: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Label, hint and error around a control. The control is built by `control` with the id that the label points
/// at and the id of its description.
#[component]
pub fn Field(
    /// The name of the field.
    #[prop(into)]
    label: Signal<String>,
    /// What helps to fill it in.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
    /// What is wrong and what to do; shown instead of the hint.
    #[prop(optional, into)]
    error: MaybeProp<String>,
    /// Builds the control from (id, id of the description).
    control: impl FnOnce(String, String) -> AnyView,
) -> impl IntoView {
    let id = fresh_id("field");
    let described = format!("{id}-d");
    let control = control(id.clone(), described.clone());
    view! {
        <div class="field">
            <label class="field__label" for=id>{move || label.get()}</label>
            {control}
            <div id=described class="field__note" aria-live="polite">
                {move || match error.get() {
                    Some(error) => view! { <span class="field__error"><Icon glyph=Glyph::Bad/>{error}</span> }.into_any(),
                    None => hint.get().map(|hint| view! { <span class="field__hint">{hint}</span> }).into_any(),
                }}
            </div>
        </div>
    }
    .into_any()
}

/// What a text field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Any text.
    #[default]
    Text,
    /// An address.
    Email,
    /// A secret.
    Password,
    /// A number: right-aligned, with a numeric keyboard; kept as text until it is parsed.
    Number,
    /// What a machine reads: set in the monospaced face.
    Code,
}

/// A one-line field.
#[component]
pub fn TextField(
    /// The name of the field.
    #[prop(into)]
    label: Signal<String>,
    /// The text, both ways.
    value: RwSignal<String>,
    /// What it takes.
    #[prop(optional)]
    kind: Kind,
    /// What helps to fill it in.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
    /// What is wrong and what to do.
    #[prop(optional, into)]
    error: MaybeProp<String>,
    /// Shown while it is empty: the value that holds then.
    #[prop(optional, into)]
    placeholder: MaybeProp<String>,
    /// For the browser's memory: `username`, `current-password`.
    #[prop(optional, into)]
    autocomplete: Option<String>,
    /// Must not be empty.
    #[prop(optional)]
    required: bool,
    /// Cannot be used now; say why in `hint`.
    #[prop(optional, into)]
    disabled: Signal<bool>,
) -> impl IntoView {
    let (class, input_type, mode) = match kind {
        Kind::Text => ("input", "text", None),
        Kind::Email => ("input", "email", None),
        Kind::Password => ("input", "password", None),
        Kind::Number => ("input input--num", "text", Some("decimal")),
        Kind::Code => ("input input--mono", "text", None),
    };
    let control = move |id: String, described: String| {
        view! {
            <input
                class=class
                id=id
                type=input_type
                inputmode=mode
                autocomplete=autocomplete.unwrap_or_else(|| "off".to_owned())
                placeholder=move || placeholder.get()
                aria-describedby=described
                aria-invalid=move || error.get().map(|_| "true")
                prop:required=required
                prop:disabled=move || disabled.get()
                prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())
            />
        }
        .into_any()
    };
    view! { <Field label hint error control/> }
}

/// A field of several lines.
#[component]
pub fn TextArea(
    /// The name of the field.
    #[prop(into)]
    label: Signal<String>,
    /// The text, both ways.
    value: RwSignal<String>,
    /// Lines shown.
    #[prop(default = 6)]
    rows: u32,
    /// Set in the monospaced face.
    #[prop(optional)]
    code: bool,
    /// What helps to fill it in.
    #[prop(optional, into)]
    hint: MaybeProp<String>,
    /// What is wrong and what to do.
    #[prop(optional, into)]
    error: MaybeProp<String>,
) -> impl IntoView {
    let control = move |id: String, described: String| {
        view! {
            <textarea
                class=if code { "input input--mono" } else { "input" }
                id=id
                rows=rows
                spellcheck=if code { "false" } else { "true" }
                aria-describedby=described
                aria-invalid=move || error.get().map(|_| "true")
                prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())
            ></textarea>
        }
        .into_any()
    };
    view! { <Field label hint error control/> }
}

/// A search box: an icon, a name for those who do not see it, the text both ways.
#[component]
pub fn SearchField(
    /// What is searched, as the accessible name.
    #[prop(into)]
    label: String,
    /// The text, both ways.
    value: RwSignal<String>,
    /// What can be typed.
    #[prop(optional, into)]
    placeholder: Option<String>,
    /// The element, for focus by key.
    #[prop(optional)]
    node: NodeRef<leptos::html::Input>,
) -> impl IntoView {
    view! {
        <label class="search search--bar">
            <Icon glyph=Glyph::Search/>
            <span class="vh">{label}</span>
            <input
                class="input"
                type="text"
                autocomplete="off"
                spellcheck="false"
                placeholder=placeholder
                node_ref=node
                prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())
            />
        </label>
    }
}
