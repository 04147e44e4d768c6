//! A picture with zoom and pan, by mouse, touch and keyboard.

use leptos::{ev, html::Img, prelude::*};
use wasm_bindgen::JsCast;

use super::zoom::{Look, STEP};
use crate::{
    components::{button::IconButton, icon::Glyph},
    format,
    shell::keys::{Binding, bind},
};

/// How far an arrow moves, in parts of what is seen.
const ARROW: f64 = 0.15;

/// The picture and its controls.
#[component]
pub fn Picture(
    /// Its address.
    url: String,
    /// What it is, for those who do not see it.
    name: String,
    /// Pixels.
    size: Option<(u32, u32)>,
    /// Set when it cannot be shown.
    failed: RwSignal<Option<&'static str>>,
    /// What is known of it.
    facts: Vec<String>,
) -> impl IntoView {
    let look = RwSignal::new(Look::FIT);
    let fitted = RwSignal::new(None::<f64>);
    let image: NodeRef<Img> = NodeRef::new();
    let zoom = move |factor: f64| look.update(|look| *look = look.zoom(factor));
    bind(vec![
        Binding::new("+", "zoom in", move || zoom(STEP)),
        Binding::new("=", "zoom in", move || zoom(STEP)),
        Binding::new("-", "zoom out", move || zoom(1.0 / STEP)),
        Binding::new("0", "all of the image", move || look.set(Look::FIT)),
    ]);
    let loaded = move |_| {
        let ratio = image
            .get_untracked()
            .map(|image| f64::from(image.client_width()) / f64::from(image.natural_width().max(1)));
        fitted.set(ratio);
    };
    let percent = move || {
        let shown = fitted.get()? * look.get().scale;
        Some(format::percent(shown))
    };
    let is_coarse = move || {
        fitted
            .get()
            .is_some_and(|fitted| fitted * look.get().scale >= 2.0)
    };
    let (width, height) = size.unzip();
    view! {
        <Stage look label=name.clone()>
            <img node_ref=image class="media__image" class=("media__image--coarse", is_coarse) src=url alt=name
                width=width height=height draggable="false" decoding="async"
                style=("transform", move || look.get().transform())
                on:load=loaded
                on:error=move |_| failed.set(Some("The image cannot be shown: its address may have run out."))/>
        </Stage>
        <div class="media__bar">
            <IconButton small=true label="Zoom in" glyph=Glyph::ZoomIn on_click=move |_| zoom(STEP)/>
            <IconButton small=true label="Fit" glyph=Glyph::Fit on_click=move |_| look.set(Look::FIT)/>
            <span class="media__percent">{percent}</span>
            <span class="media__facts">{facts.join(" · ")}</span>
        </div>
    }
}

/// Where the picture is moved: with the pointer, with arrows while it has the focus, and pinched.
#[component]
fn Stage(look: RwSignal<Look>, label: String, children: Children) -> impl IntoView {
    let held = StoredValue::new(None::<(f64, f64)>);
    let pan = move |x: f64, y: f64| look.update(|look| *look = look.pan(x, y));
    let down = move |event: ev::PointerEvent| {
        if look.with_untracked(|look| look.scale <= 1.0) {
            return;
        }
        held.set_value(Some((f64::from(event.client_x()), f64::from(event.client_y()))));
        if let Some(stage) = stage_of(&event) {
            let _ = stage.set_pointer_capture(event.pointer_id());
        }
    };
    let moved = move |event: ev::PointerEvent| {
        let Some((x, y)) = held.get_value() else { return };
        let now = (f64::from(event.client_x()), f64::from(event.client_y()));
        held.set_value(Some(now));
        if let Some(image) = stage_of(&event).and_then(|stage| stage.first_element_child()) {
            let (width, height) = (f64::from(image.client_width()), f64::from(image.client_height()));
            pan((now.0 - x) / width.max(1.0), (now.1 - y) / height.max(1.0));
        }
    };
    let key = move |event: ev::KeyboardEvent| {
        let (x, y) = match event.key().as_str() {
            "ArrowLeft" => (ARROW, 0.0),
            "ArrowRight" => (-ARROW, 0.0),
            "ArrowUp" => (0.0, ARROW),
            "ArrowDown" => (0.0, -ARROW),
            _ => return,
        };
        if look.with_untracked(|look| look.scale > 1.0) {
            event.prevent_default();
            event.stop_propagation();
            pan(x, y);
        }
    };
    let wheel = move |event: ev::WheelEvent| {
        // Pinching on a touchpad arrives so; plain scrolling is the page's.
        if event.ctrl_key() {
            event.prevent_default();
            look.update(|look| *look = look.zoom((-event.delta_y() * 0.01).exp()));
        }
    };
    view! {
        <div class="media__stage media__stage--image" class=("media__stage--held", move || look.get().scale > 1.0)
            tabindex="0" role="group" aria-label=format!("{label}. Plus and minus zoom, arrows move, zero shows all of it.")
            on:pointerdown=down on:pointermove=moved
            on:pointerup=move |_| held.set_value(None) on:pointercancel=move |_| held.set_value(None)
            on:keydown=key on:wheel=wheel>
            {children()}
        </div>
    }
}

fn stage_of(event: &ev::PointerEvent) -> Option<web_sys::Element> {
    event.current_target()?.dyn_into().ok()
}
