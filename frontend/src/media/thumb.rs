//! Media in lists: small, and never in the way of the words.

use leptos::prelude::*;
use types::{MediaKind, MediaView};

use super::{glyph, noun};
use crate::{
    components::{icon::Icon, words::Untrusted},
    format,
};

/// So many media of a document are shown small.
const SHOWN: usize = 6;

/// The first medium of a document, small; nothing where there is none.
#[component]
pub fn Thumb(
    /// The media of the document.
    media: Vec<MediaView>,
) -> impl IntoView {
    media
        .into_iter()
        .next()
        .map(|first| view! { <Small medium=first/> })
}

/// The media of a document, small, with the reasons why some are not there.
#[component]
pub fn Thumbs(
    /// The media of the document.
    media: Vec<MediaView>,
    /// Where they are shown large.
    #[prop(into)]
    href: Signal<String>,
) -> impl IntoView {
    if media.is_empty() {
        return ().into_any();
    }
    let more = media.len().saturating_sub(SHOWN);
    let mut reasons: Vec<String> = media
        .iter()
        .filter(|m| m.url.is_none())
        .filter_map(|m| m.reason.clone())
        .collect();
    reasons.dedup();
    let label = move || {
        let kinds: Vec<&str> = media.iter().map(|medium| noun(medium.kind)).collect();
        (kinds.join(", "), media.clone())
    };
    let (words, media) = label();
    let small = media
        .into_iter()
        .take(SHOWN)
        .map(|medium| view! { <Small medium/> });
    view! {
        <div class="media__row">
            <a class="media__thumbs" href=move || href.get() aria-label=format!("Look at: {words}")>
                {small.collect_view()}
                {(more > 0).then(|| view! { <span class="small dim">{format!("and {more} more")}</span> })}
            </a>
            {reasons.into_iter().take(2).map(|reason| view! { <p class="small dim">"Not available: "<Untrusted text=reason/></p> }).collect_view()}
        </div>
    }
    .into_any()
}

#[component]
fn Small(medium: MediaView) -> impl IntoView {
    let failed = RwSignal::new(false);
    let title = match (&medium.reason, medium.bytes) {
        (Some(reason), _) => format!("{} is not shown: {reason}", noun(medium.kind)),
        (None, Some(bytes)) => format!("{}, {}", noun(medium.kind), format::bytes(bytes)),
        (None, None) => noun(medium.kind).to_owned(),
    };
    let is_gone = medium.url.is_none();
    let picture = medium.thumbnail.filter(|_| medium.kind == MediaKind::Image);
    let kind = medium.kind;
    view! {
        <span class="thumb" class=("thumb--none", is_gone) title=title>
            {move || match picture.clone().filter(|_| !failed.get()) {
                Some(src) => view! { <img src=src alt="" loading="lazy" decoding="async" on:error=move |_| failed.set(true)/> }.into_any(),
                None => view! { <Icon glyph=glyph(kind)/> }.into_any(),
            }}
        </span>
    }
}
