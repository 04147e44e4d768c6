//! All runs.

use leptos::prelude::*;

/// The page of all runs.
#[component]
pub fn Runs() -> impl IntoView {
    ().into_any()
}
