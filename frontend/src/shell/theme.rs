//! Light or dark: the system's preference unless the viewer chose one. `static/theme.js` applies a saved choice
//! before the first paint.

use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::charts::theme::Repaint;

/// The theme of the page.
#[derive(Clone, Copy)]
pub struct Theme {
    repaint: Repaint,
}

/// Provides the theme, and tells the painters when it changes.
pub fn provide_theme() {
    let repaint = Repaint(RwSignal::new(0));
    provide_context(repaint);
    provide_context(Theme { repaint });
    follow_system(repaint);
    follow_fonts(repaint);
}

/// The theme of the page.
pub fn use_theme() -> Theme {
    expect_context()
}

impl Theme {
    /// Whether it is dark now.
    pub fn is_dark(self) -> bool {
        self.repaint.0.track();
        match root_theme().as_deref() {
            Some("dark") => true,
            Some("light") => false,
            _ => prefers_dark(),
        }
    }

    /// Switches, and remembers the choice where storage is allowed.
    pub fn toggle(self) {
        let next = if untrack(|| self.is_dark()) {
            "light"
        } else {
            "dark"
        };
        if let Some(root) = document().document_element() {
            // Setting an attribute of the root element does not fail.
            let _ = root.set_attribute("data-theme", next);
        }
        if let Ok(Some(storage)) = window().local_storage() {
            let _ = storage.set_item("theme", next);
        }
        self.repaint.0.update(|count| *count += 1);
    }
}

fn root_theme() -> Option<String> {
    document().document_element()?.get_attribute("data-theme")
}

fn prefers_dark() -> bool {
    window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}

fn follow_system(repaint: Repaint) {
    let Ok(Some(query)) = window().match_media("(prefers-color-scheme: dark)") else {
        return;
    };
    let changed = Closure::<dyn FnMut()>::new(move || {
        let _ = repaint.0.try_update(|count| *count += 1);
    });
    if query
        .add_event_listener_with_callback("change", changed.as_ref().unchecked_ref())
        .is_ok()
    {
        let held = SendWrapper::new((query, changed));
        on_cleanup(move || {
            let _ = held
                .0
                .remove_event_listener_with_callback("change", held.1.as_ref().unchecked_ref());
        });
    }
}

/// A chart that was painted before the page's font arrived is painted again.
fn follow_fonts(repaint: Repaint) {
    let ready = js_sys::Reflect::get(&document(), &JsValue::from_str("fonts"))
        .and_then(|fonts| js_sys::Reflect::get(&fonts, &JsValue::from_str("ready")))
        .ok()
        .and_then(|ready| ready.dyn_into::<js_sys::Promise>().ok());
    if let Some(ready) = ready {
        spawn_local(async move {
            if JsFuture::from(ready).await.is_ok() {
                let _ = repaint.0.try_update(|count| *count += 1);
            }
        });
    }
}
