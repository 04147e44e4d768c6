//! A sound: its wave, and the browser's own controls to play it.

use js_sys::Uint8Array;
use leptos::{
    ev,
    html::{Audio, Canvas},
    prelude::*,
    task::spawn_local,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AudioBuffer, CanvasRenderingContext2d, HtmlCanvasElement, OfflineAudioContext};

use super::bytes;
use crate::shell::keys::{Binding, bind};

/// The height of the wave, in CSS pixels.
const HEIGHT: f64 = 96.0;
/// The width of a bar and of the gap after it.
const BAR: f64 = 3.0;
/// What is decoded to; the wave is no more exact than a bar.
const RATE: f32 = 8_000.0;

/// The sound.
#[component]
pub fn Sound(
    /// Its address.
    url: String,
    /// What it is, for those who do not hear it.
    name: String,
    /// Its size, where it is known.
    bytes: Option<u64>,
    /// Set when it cannot be played.
    failed: RwSignal<Option<&'static str>>,
) -> impl IntoView {
    let sound: NodeRef<Audio> = NodeRef::new();
    let canvas: NodeRef<Canvas> = NodeRef::new();
    let samples = StoredValue::new(None::<Vec<f32>>);
    let (ready, at) = (RwSignal::new(None::<bool>), RwSignal::new(0.0_f64));
    let small = bytes.is_some_and(|bytes| bytes <= super::bytes::MOST);
    let source = url.clone();
    spawn_local(async move {
        let decoded = if small { decode(&source).await } else { None };
        let _ = samples.try_set_value(decoded);
        let _ = ready.try_set(Some(samples.try_with_value(Option::is_some).unwrap_or(false)));
    });
    Effect::new(move || {
        let at = at.get();
        if ready.get() != Some(true) {
            return;
        }
        if let Some(canvas) = canvas.get() {
            samples.with_value(|samples| paint(&canvas, samples.as_deref().unwrap_or_default(), at));
        }
    });
    let play = move || {
        if let Some(sound) = sound.get_untracked() {
            if sound.paused() {
                let _ = sound.play();
            } else {
                let _ = sound.pause();
            }
        }
    };
    bind(vec![Binding::new("p", "play or pause", play)]);
    let told = move |_| {
        if let Some(sound) = sound.get_untracked() {
            let lasts = sound.duration();
            at.set(if lasts > 0.0 {
                sound.current_time() / lasts
            } else {
                0.0
            });
        }
    };
    let seek = move |event: ev::MouseEvent| {
        if let (Some(sound), Some(canvas)) = (sound.get_untracked(), canvas.get_untracked()) {
            let share = f64::from(event.offset_x()) / f64::from(canvas.client_width().max(1));
            if sound.duration().is_finite() {
                sound.set_current_time(share.clamp(0.0, 1.0) * sound.duration());
            }
        }
    };
    let wave = move || {
        match ready.get() {
        Some(false) => view! { <p class="small dim media__nowave">"The wave is not drawn: the sound is too large, or of a type that this browser does not decode."</p> }.into_any(),
        _ => view! {
            <canvas node_ref=canvas class="media__wave" role="img" aria-label="Wave of the sound; the controls below play it" on:click=seek></canvas>
        }
        .into_any(),
    }
    };
    view! {
        <div class="media__stage media__stage--sound">
            {wave}
            <audio node_ref=sound src=url aria-label=name controls=true preload="metadata"
                on:timeupdate=told on:seeked=told
                on:error=move |_| failed.set(Some("This browser cannot play the sound, or its address has run out."))></audio>
        </div>
    }
}

/// The first channel, at a low rate; `None` when the browser cannot decode it.
async fn decode(url: &str) -> Option<Vec<f32>> {
    let content = bytes::fetch(url).await.ok()?;
    let context =
        OfflineAudioContext::new_with_number_of_channels_and_length_and_sample_rate(1, 1, RATE).ok()?;
    let buffer = Uint8Array::from(content.as_slice()).buffer();
    let decoded = JsFuture::from(context.decode_audio_data(&buffer).ok()?)
        .await
        .ok()?;
    let decoded: AudioBuffer = decoded.dyn_into().ok()?;
    decoded.get_channel_data(0).ok()
}

/// The largest swing of each of `bars` parts, from 0 to 1, where 1 is the largest of all.
fn peaks(samples: &[f32], bars: usize) -> Vec<f64> {
    let part = |bar: usize| {
        let (from, to) = (bar * samples.len() / bars, (bar + 1) * samples.len() / bars);
        let swing = samples[from..to.max(from)]
            .iter()
            .fold(0.0_f32, |most, x| most.max(x.abs()));
        f64::from(swing)
    };
    let all: Vec<f64> = (0..bars).map(part).collect();
    let most = all.iter().copied().fold(0.0, f64::max);
    all.into_iter()
        .map(|peak| if most > 0.0 { peak / most } else { 0.0 })
        .collect()
}

fn paint(canvas: &HtmlCanvasElement, samples: &[f32], at: f64) -> Option<()> {
    let width = f64::from(canvas.client_width());
    let ratio = window().device_pixel_ratio().max(1.0);
    canvas.set_width((width * ratio) as u32);
    canvas.set_height((HEIGHT * ratio) as u32);
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    context.scale(ratio, ratio).ok()?;
    let style = window().get_computed_style(canvas).ok()??;
    let colour = |name: &str| style.get_property_value(name).unwrap_or_default();
    let (played, rest) = (colour("--accent"), colour("--ink-3"));
    let bars = (width / BAR).floor().max(1.0) as usize;
    for (bar, peak) in peaks(samples, bars).into_iter().enumerate() {
        let is_played = (bar as f64) < at * bars as f64;
        context.set_fill_style_str(if is_played { &played } else { &rest });
        let height = (peak * (HEIGHT - 4.0)).max(1.0);
        context.fill_rect(bar as f64 * BAR, (HEIGHT - height) / 2.0, BAR - 1.0, height);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::peaks;

    #[test]
    fn a_wave_is_as_high_as_its_loudest_part() {
        assert_eq!(peaks(&[0.1, -0.2, 0.4, 0.0], 2), [0.5, 1.0]);
        assert_eq!(peaks(&[0.0; 4], 2), [0.0, 0.0]);
        assert_eq!(peaks(&[], 3), [0.0; 3]);
        assert_eq!(peaks(&[0.5], 2).len(), 2);
    }
}
