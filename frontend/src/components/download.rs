//! Files between the page and the viewer's disk.

use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, File, HtmlAnchorElement, Url};

/// Offers a text as a file; true when the browser took it.
pub fn save(name: &str, kind: &str, text: &str) -> bool {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let parts = Array::of1(&JsValue::from_str(text));
    let Ok(blob) = Blob::new_with_str_sequence_and_options(&parts, &options) else {
        return false;
    };
    save_blob(name, &blob)
}

/// Offers bytes that were made here as a file; true when the browser took it.
pub fn save_bytes(name: &str, kind: &str, bytes: &[u8]) -> bool {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let parts = Array::of1(&js_sys::Uint8Array::from(bytes));
    let Ok(blob) = Blob::new_with_u8_array_sequence_and_options(&parts, &options) else {
        return false;
    };
    save_blob(name, &blob)
}

/// Offers bytes as a file; true when the browser took it.
pub fn save_blob(name: &str, blob: &Blob) -> bool {
    let Ok(url) = Url::create_object_url_with_blob(blob) else {
        return false;
    };
    let link = document()
        .create_element("a")
        .ok()
        .and_then(|link| link.dyn_into::<HtmlAnchorElement>().ok());
    if let Some(link) = &link {
        link.set_href(&url);
        link.set_download(name);
        link.click();
    }
    // Fails only for an address that is no object's, and this one is.
    let _ = Url::revoke_object_url(&url);
    link.is_some()
}

/// The text of a chosen file, unless it is larger than `limit` bytes or no UTF-8.
pub async fn text_of(file: &File, limit: usize) -> Option<String> {
    if file.size() > limit as f64 {
        return None;
    }
    JsFuture::from(file.text()).await.ok()?.as_string()
}
