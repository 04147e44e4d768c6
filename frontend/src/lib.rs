//! The single page application. `app` is the table of contents.

pub mod charts;
pub mod components;
pub mod format;

/// Starts the application in the page's body.
pub fn start() {
    console_error_panic_hook::set_once();
}
