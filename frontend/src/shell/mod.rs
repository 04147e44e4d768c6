//! The frame around every page: navigation, header, palette, toasts, keys, theme, slice, account.

pub mod account;
pub mod export;
pub mod first;
pub mod header;
pub mod keys;
pub mod nav;
pub mod page;
pub mod palette;
pub mod pulse;
pub mod slice;
pub mod theme;
pub mod toasts;

use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;

use crate::components::panel::StaleNote;
use account::{CredentialsDialog, CredentialsOpen, keep_organization};
use header::Header;
use keys::{KeyHelp, provide_keys};
use nav::Nav;
use page::provide_page;
use palette::Palette;
use pulse::provide_pulse;
use toasts::{ToastStack, provide_toasts};

/// The frame; `children` is the page.
#[component]
pub fn Shell(
    /// The page.
    children: Children,
) -> impl IntoView {
    provide_toasts();
    provide_page();
    provide_keys();
    provide_context(CredentialsOpen(RwSignal::new(false)));
    keep_organization();
    let service = provide_pulse().system;
    slice::provide_slices();
    let main = NodeRef::<html::Main>::new();
    focus_on_arrival(main);
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        <div class="app">
            <Nav/>
            <Header/>
            <main class="page" id="main" tabindex="-1" node_ref=main>
                // What a page shows is as old as the last answer, also where the page itself asks nobody.
                <div class="page__state"><StaleNote load=Signal::from(service.load) on_retry=service.retry()/></div>
                {children()}
            </main>
        </div>
        <ToastStack/>
        <Palette/>
        <KeyHelp/>
        <CredentialsDialog/>
    }
    .into_any()
}

/// A new page takes the focus, so that the next Tab and a screen reader begin there.
fn focus_on_arrival(main: NodeRef<html::Main>) {
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now)
            && let Some(main) = main.get_untracked()
        {
            let _ = main.focus();
        }
        now
    });
}
