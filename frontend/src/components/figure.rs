//! Figures: a number with its name, without a box.

use leptos::prelude::*;

/// A number that matters, with what it is and what qualifies it.
#[component]
pub fn Figure(
    /// What it is.
    #[prop(into)]
    name: String,
    /// The number.
    #[prop(into)]
    value: Signal<String>,
    /// The unit or the whole, after the number.
    #[prop(optional, into)]
    unit: MaybeProp<String>,
    /// What is bad about it, after the unit.
    #[prop(optional, into)]
    bad: MaybeProp<String>,
    /// A second line: where it comes from.
    #[prop(optional, into)]
    note: MaybeProp<String>,
) -> impl IntoView {
    view! {
        <div>
            <div class="fig__k">{name}</div>
            <div class="fig__v">
                {move || value.get()}
                {move || unit.get().map(|unit| view! { " " <small>{unit}</small> })}
                {move || bad.get().map(|bad| view! { " " <small class="bad">{bad}</small> })}
            </div>
            {move || note.get().map(|note| view! { <div class="fig__s">{note}</div> })}
        </div>
    }
}

/// A row of [`Figure`]s.
#[component]
pub fn Figures(
    /// The figures are not the newest.
    #[prop(optional, into)]
    stale: Signal<bool>,
    /// The figures.
    children: Children,
) -> impl IntoView {
    view! { <div class=move || if stale.get() { "figs is-stale" } else { "figs" }>{children()}</div> }
}
