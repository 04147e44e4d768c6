//! The single page application. [`app`] is the table of contents.

#![allow(
    clippy::needless_pass_by_value,
    reason = "the properties of a component are its own"
)]

pub mod api;
pub mod app;
#[cfg(test)]
mod boundaries;
pub mod charts;
pub mod components;
pub mod format;
pub mod lasting;
pub mod live;
pub mod media;
pub mod pages;
pub mod session;
pub mod shell;
pub mod status;
pub mod url;

/// Starts the application in the page's body.
pub fn start() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::App);
}
