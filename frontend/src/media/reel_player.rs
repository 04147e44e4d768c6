//! Plays a film whose frames are pictures, frame by frame.

use gloo_timers::callback::Interval;
use js_sys::{Array, Uint8Array};
use leptos::{html::Canvas, prelude::*, task::spawn_local};
use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, CanvasRenderingContext2d, HtmlCanvasElement, ImageBitmap};

use super::{bytes, reel::Reel};
use crate::{
    components::{
        button::{Button, IconButton, Size},
        icon::Glyph,
    },
    format,
    shell::keys::{Binding, bind},
};

const NOT_PLAYED: &str = "The frames of this film cannot be shown here.";

/// A film and where its frames are.
struct Film {
    file: Vec<u8>,
    reel: Reel,
}

/// The film and its controls.
#[component]
pub fn ReelPlayer(
    /// Its address.
    url: String,
    /// What it is, for those who do not see it.
    name: String,
    /// Its size, where it is known.
    bytes: Option<u64>,
    /// Set when it cannot be shown.
    failed: RwSignal<Option<&'static str>>,
) -> impl IntoView {
    let canvas: NodeRef<Canvas> = NodeRef::new();
    let film = StoredValue::new(None::<Film>);
    // The number of frames once they are there.
    let count = RwSignal::new(0_usize);
    let (at, playing) = (RwSignal::new(0_usize), RwSignal::new(false));
    let small = bytes.is_some_and(|bytes| bytes <= super::bytes::MOST);
    spawn_local(async move {
        let found = if small { load(&url).await } else { Err(NOT_PLAYED) };
        match found {
            Ok(found) => {
                let n = found.reel.frames.len();
                let _ = film.try_set_value(Some(found));
                let _ = count.try_set(n);
            }
            Err(why) => {
                let _ = failed.try_set(Some(why));
            }
        }
    });
    Effect::new(move || {
        let (n, frame) = (count.get(), at.get());
        let Some(canvas) = canvas.get().filter(|_| n > 0) else {
            return;
        };
        let picture = film.with_value(|film| {
            film.as_ref()
                .map(|film| film.file[film.reel.frames[frame].clone()].to_vec())
        });
        spawn_local(async move {
            if draw(&canvas, &picture.unwrap_or_default()).await.is_none() {
                let _ = failed.try_set(Some(NOT_PLAYED));
            }
        });
    });
    let rate = move || film.with_value(|film| film.as_ref().map_or(1.0, |film| film.reel.rate));
    Effect::new(move || {
        if !playing.get() {
            return;
        }
        let tick = move || {
            let last = count.get_untracked().saturating_sub(1);
            if at.get_untracked() >= last {
                playing.set(false);
            } else {
                at.update(|at| *at += 1);
            }
        };
        let timer = SendWrapper::new(Interval::new((1000.0 / rate()).max(4.0) as u32, tick));
        on_cleanup(move || drop(timer));
    });
    let step = move |by: isize| {
        playing.set(false);
        at.update(|at| {
            *at = at
                .saturating_add_signed(by)
                .min(count.get_untracked().saturating_sub(1));
        });
    };
    let play = move || {
        if at.get_untracked() + 1 >= count.get_untracked() {
            at.set(0);
        }
        playing.update(|playing| *playing = !*playing);
    };
    bind(vec![
        Binding::new("p", "play or pause", play),
        Binding::new(",", "one frame back", move || step(-1)),
        Binding::new(".", "one frame on", move || step(1)),
    ]);
    let place = move || {
        let (n, frame) = (count.get(), at.get());
        (n > 0).then(|| {
            format!(
                "frame {} of {n}, {} s",
                frame + 1,
                format::real(frame as f64 / rate(), 2)
            )
        })
    };
    view! {
        <div class="media__stage media__stage--reel">
            <canvas node_ref=canvas class="media__frame" role="img" aria-label=name></canvas>
        </div>
        <div class="media__bar">
            <Button size=Size::Small on_click=move |_| play() disabled=Signal::derive(move || count.get() == 0)>
                {move || if playing.get() { "Pause" } else { "Play" }}
            </Button>
            <IconButton small=true label="One frame back" glyph=Glyph::Left on_click=move |_| step(-1)
                disabled=Signal::derive(move || at.get() == 0)/>
            <IconButton small=true label="One frame on" glyph=Glyph::Right on_click=move |_| step(1)
                disabled=Signal::derive(move || at.get() + 1 >= count.get())/>
            <span class="media__percent">{place}</span>
        </div>
    }
}

async fn load(url: &str) -> Result<Film, &'static str> {
    let file = bytes::fetch(url).await?;
    let reel = Reel::read(&file).ok_or("This browser cannot play the film; it can be saved.")?;
    Ok(Film { file, reel })
}

/// Draws a picture in its own size; CSS fits it in.
async fn draw(canvas: &HtmlCanvasElement, picture: &[u8]) -> Option<()> {
    let parts = Array::of1(&Uint8Array::from(picture));
    let blob = Blob::new_with_u8_array_sequence(&parts).ok()?;
    let decoding = window().create_image_bitmap_with_blob(&blob).ok()?;
    let picture: ImageBitmap = JsFuture::from(decoding).await.ok()?.dyn_into().ok()?;
    canvas.set_width(picture.width());
    canvas.set_height(picture.height());
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    let drawn = context.draw_image_with_image_bitmap(&picture, 0.0, 0.0);
    picture.close();
    drawn.ok()
}
