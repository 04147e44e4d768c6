//! The header: where we are, the slice, the search, the theme.

use leptos::prelude::*;

use super::{keys::use_keys, page::use_crumbs, slice::SliceSelector, theme::use_theme};
use crate::components::{
    button::IconButton,
    icon::{Glyph, Icon},
    tabs::Crumbs,
};

/// The header.
#[component]
pub fn Header() -> impl IntoView {
    let keys = use_keys();
    let theme = use_theme();
    let label = Signal::derive(move || {
        if theme.is_dark() {
            "Switch to light"
        } else {
            "Switch to dark"
        }
        .to_owned()
    });
    view! {
        <header class="top">
            <Crumbs crumbs=use_crumbs()/>
            <div class="top__right">
                <SliceSelector/>
                <button type="button" class="btn btn--quiet" aria-keyshortcuts="Control+K" on:click=move |_| keys.palette().set(true)>
                    <Icon glyph=Glyph::Search/>
                    <span class="vh-s">"Search"</span>
                    <kbd class="kbd hide-s">"Ctrl K"</kbd>
                </button>
                <IconButton label glyph=Glyph::Sun on_click=move |_| theme.toggle()/>
            </div>
        </header>
    }
    .into_any()
}
