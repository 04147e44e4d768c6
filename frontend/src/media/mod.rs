//! Media of samples: small in lists, large where one is looked at, and the reason where there is nothing to see.
//!
//! Addresses come with the samples. Bytes are fetched here only where a page has to look into them (the wave of a
//! sound, the frames of a film), and without saying who asks.

pub mod bytes;
pub mod film;
pub mod picture;
pub mod reel;
pub mod reel_player;
pub mod sound;
pub mod thumb;
pub mod zoom;

use leptos::prelude::*;
use types::{MediaKind, MediaView};

use self::{film::Film, picture::Picture, reel_player::ReelPlayer, sound::Sound};
use crate::{
    components::{
        button::{Button, IconButton, Size},
        icon::{Glyph, Icon},
        words::Untrusted,
    },
    format,
    shell::keys::{Binding, bind},
};

pub use thumb::{Thumb, Thumbs};

/// What a browser cannot play by itself.
const AVI: &str = "video/x-msvideo";

/// The media of a document, one at a time.
#[component]
pub fn Viewer(
    /// What there is, in order.
    media: Vec<MediaView>,
    /// What it belongs to, for those who do not see it.
    caption: String,
    /// Asks for new addresses: they work for a while only.
    on_stale: Callback<()>,
) -> impl IntoView {
    let n = media.len();
    if n == 0 {
        return ().into_any();
    }
    let at = RwSignal::new(0_usize);
    let go = move |by: isize| {
        at.update(|at| *at = at.saturating_add_signed(by).min(n - 1));
    };
    if n > 1 {
        bind(vec![
            Binding::new("[", "previous image or sound of the sample", move || go(-1)),
            Binding::new("]", "next image or sound of the sample", move || go(1)),
        ]);
    }
    let media = StoredValue::new(media);
    let caption = StoredValue::new(caption);
    let shown = move || {
        let medium = media.with_value(|media| media[at.get()].clone());
        let place = if n > 1 {
            format!(" {} of {n}", at.get() + 1)
        } else {
            String::new()
        };
        let name = format!("{}{place}: {}", noun(medium.kind), caption.get_value());
        view! { <Medium medium name on_stale/> }
    };
    let steps = (n > 1).then(|| {
        view! {
            <div class="media__steps">
                <IconButton small=true label="Previous" glyph=Glyph::Left on_click=move |_| go(-1)
                    disabled=Signal::derive(move || at.get() == 0)/>
                <span aria-live="polite">{move || format!("{} of {n}", at.get() + 1)}</span>
                <IconButton small=true label="Next" glyph=Glyph::Right on_click=move |_| go(1)
                    disabled=Signal::derive(move || at.get() + 1 == n)/>
            </div>
        }
    });
    view! { <div class="media__all">{shown}{steps}</div> }.into_any()
}

/// One medium, or why it is not shown.
#[component]
fn Medium(medium: MediaView, name: String, on_stale: Callback<()>) -> impl IntoView {
    let Some(url) = medium.url.clone() else {
        return view! { <Unavailable medium/> }.into_any();
    };
    let facts = facts(&medium);
    let is_avi = medium.mime.as_deref() == Some(AVI);
    let download = medium.download.clone();
    let failed = RwSignal::new(None::<&'static str>);
    let stage = move || {
        match (failed.get(), medium.kind) {
        (Some(why), _) => view! {
            <div class="media__stage media__stage--words">
                <p>{why}</p>
                <Button size=Size::Small on_click=move |_| { failed.set(None); on_stale.run(()) }>"Try again"</Button>
            </div>
        }
        .into_any(),
        (None, MediaKind::Image) => view! {
            <Picture url=url.clone() name=name.clone() size=medium.width.zip(medium.height) failed facts=facts.clone()/>
        }
        .into_any(),
        (None, MediaKind::Audio) => view! { <Sound url=url.clone() name=name.clone() bytes=medium.bytes failed/> }.into_any(),
        (None, MediaKind::Video) if is_avi => view! { <ReelPlayer url=url.clone() name=name.clone() bytes=medium.bytes failed/> }.into_any(),
        (None, _) => view! { <Film url=url.clone() name=name.clone() failed/> }.into_any(),
    }
    };
    let is_picture = medium.kind == MediaKind::Image;
    let line = (!is_picture).then(|| {
        view! { <div class="media__bar"><span class="media__facts">{facts_line(&medium)}</span></div> }
    });
    view! {
        <figure class="media">{stage}{line}</figure>
        {download.map(|href| view! { <Save href/> })}
    }
    .into_any()
}

/// What there would be, and why there is not.
#[component]
fn Unavailable(medium: MediaView) -> impl IntoView {
    let name = medium.name.clone().unwrap_or_default();
    let words = format!("{} is not shown", noun(medium.kind));
    let reason = medium
        .reason
        .clone()
        .unwrap_or_else(|| "its file is not there".to_owned());
    view! {
        <figure class="media media--none">
            <div class="media__stage media__stage--words">
                <Icon glyph=glyph(medium.kind)/>
                <p><b class="mid">{words}</b>" "<Untrusted text=reason/></p>
                {(!name.is_empty()).then(|| view! { <p class="small dim mono"><Untrusted text=name/></p> })}
            </div>
        </figure>
        {medium.download.clone().map(|href| view! { <Save href/> })}
    }
}

#[component]
fn Save(href: String) -> impl IntoView {
    // Not a link of the router's: it leaves the page alone and saves a file.
    view! {
        <p class="small media__save">
            <a href=href download="" rel="external">"Save the file"</a>
        </p>
    }
}

/// `Image`, at the beginning of a sentence.
pub(super) fn noun(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "Image",
        MediaKind::Audio => "Sound",
        MediaKind::Video => "Film",
        MediaKind::Other => "File",
    }
}

/// The symbol of a kind.
pub(super) fn glyph(kind: MediaKind) -> Glyph {
    match kind {
        MediaKind::Image => Glyph::Image,
        MediaKind::Audio => Glyph::Audio,
        MediaKind::Video => Glyph::Video,
        MediaKind::Other => Glyph::File,
    }
}

/// What is known of a medium: `850 × 640 px`, `2.0 s`, `48 kB`.
fn facts(medium: &MediaView) -> Vec<String> {
    let size = medium
        .width
        .zip(medium.height)
        .map(|(width, height)| format!("{width} × {height} px"));
    let lasts = medium.duration.map(format::duration);
    let bytes = medium.bytes.map(format::bytes);
    [size, lasts, bytes].into_iter().flatten().collect()
}

fn facts_line(medium: &MediaView) -> String {
    facts(medium).join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_said_in_one_line() {
        let medium = MediaView {
            position: 0,
            kind: MediaKind::Audio,
            name: None,
            sha256: None,
            mime: None,
            bytes: Some(64_044),
            width: None,
            height: None,
            duration: Some(2.0),
            url: None,
            thumbnail: None,
            download: None,
            problem: None,
            reason: None,
        };
        assert_eq!(facts_line(&medium).replace('\u{a0}', " "), "2 s · 64 kB");
    }
}
