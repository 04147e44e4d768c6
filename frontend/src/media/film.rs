//! A film that the browser plays, with steps from frame to frame.

use leptos::{html::Video, prelude::*};

use crate::{
    components::{button::IconButton, icon::Glyph},
    format,
    shell::keys::{Binding, bind},
};

/// A step, in seconds: a browser does not say how long a frame is shown.
const STEP: f64 = 1.0 / 25.0;

/// The film and its controls.
#[component]
pub fn Film(
    /// Its address.
    url: String,
    /// What it is, for those who do not see it.
    name: String,
    /// Set when it cannot be shown.
    failed: RwSignal<Option<&'static str>>,
) -> impl IntoView {
    let film: NodeRef<Video> = NodeRef::new();
    let at = RwSignal::new(0.0_f64);
    let step = move |by: f64| {
        if let Some(film) = film.get_untracked() {
            let _ = film.pause();
            film.set_current_time((film.current_time() + by).max(0.0));
        }
    };
    let play = move || {
        if let Some(film) = film.get_untracked() {
            if film.paused() {
                let _ = film.play();
            } else {
                let _ = film.pause();
            }
        }
    };
    bind(vec![
        Binding::new("p", "play or pause", play),
        Binding::new(",", "one frame back", move || step(-STEP)),
        Binding::new(".", "one frame on", move || step(STEP)),
    ]);
    let told = move |_| {
        if let Some(film) = film.get_untracked() {
            at.set(film.current_time());
        }
    };
    view! {
        <div class="media__stage">
            <video node_ref=film class="media__film" src=url aria-label=name controls=true preload="metadata" playsinline=true
                on:timeupdate=told on:seeked=told
                on:error=move |_| failed.set(Some("This browser cannot play the film, or its address has run out."))/>
        </div>
        <div class="media__bar">
            <IconButton small=true label="One frame back" glyph=Glyph::Left on_click=move |_| step(-STEP)/>
            <IconButton small=true label="One frame on" glyph=Glyph::Right on_click=move |_| step(STEP)/>
            <span class="media__percent">{move || format!("{} s", format::real(at.get(), 2))}</span>
        </div>
    }
}
