//! What a machine wrote or will read, and a way to take it along.

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

use super::{
    button::{Button, IconButton, Size},
    icon::Glyph,
    words::Untrusted,
};

/// Puts text on the clipboard; true when the browser allowed it.
pub async fn copy(text: &str) -> bool {
    JsFuture::from(window().navigator().clipboard().write_text(text))
        .await
        .is_ok()
}

/// Copies a text; its icon says for two seconds whether that worked.
#[component]
pub fn CopyButton(
    /// What the button does: `Copy the command`.
    #[prop(into)]
    label: String,
    /// The text.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let done = RwSignal::new(None::<bool>);
    let click = move |_| {
        spawn_local(async move {
            let Some(text) = text.try_get_untracked() else {
                return;
            };
            let _ = done.try_set(Some(copy(&text).await));
            TimeoutFuture::new(2000).await;
            let _ = done.try_set(None);
        });
    };
    let glyph = Signal::derive(move || match done.get() {
        None => Glyph::Copy,
        Some(true) => Glyph::Check,
        Some(false) => Glyph::X,
    });
    let shown = Signal::derive(move || match done.get() {
        None => label.clone(),
        Some(true) => "Copied".to_owned(),
        Some(false) => "The browser did not allow it".to_owned(),
    });
    view! { <IconButton small=true label=shown glyph on_click=click/> }
}

/// Puts the address of the page on the clipboard: it opens what is seen now.
pub fn copy_address() {
    spawn_local(async {
        let address = window().location().href().unwrap_or_default();
        // What is copied can be seen where it is pasted.
        let _ = copy(&address).await;
    });
}

/// "Copy link": the address of the page.
#[component]
pub fn CopyLink(
    /// The height of the button.
    #[prop(optional)]
    size: Size,
) -> impl IntoView {
    let done = RwSignal::new(false);
    let click = move |_| {
        copy_address();
        done.set(true);
        spawn_local(async move {
            TimeoutFuture::new(2000).await;
            let _ = done.try_set(false);
        });
    };
    let words = move || if done.get() { "Copied" } else { "Copy link" };
    view! { <Button size icon=Glyph::Link on_click=click>{words}</Button> }
}

/// A block of code.
#[component]
pub fn CodeBlock(
    /// What it is, as the accessible name.
    #[prop(into)]
    label: String,
    /// The text; untrusted.
    #[prop(into)]
    text: Signal<String>,
    /// Long lines are broken.
    #[prop(optional)]
    wrap: bool,
) -> impl IntoView {
    view! {
        <pre class=if wrap { "code code--wrap" } else { "code" } tabindex="0" role="region" aria-label=label><Untrusted text/></pre>
    }
}
