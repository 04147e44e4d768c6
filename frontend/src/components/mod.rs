//! The parts that pages are made of, one file per kind; `mock/components.html` is their picture.
//!
//! They take values and callbacks and never fetch: nothing here knows the API, the session or the live socket.
//! Nothing sets a `style` attribute: what depends on data goes through the CSSOM (`style=("--v", ..)`), which a
//! content security policy without `unsafe-inline` allows.

pub mod button;
pub mod choice;
pub mod code;
pub mod download;
pub mod field;
pub mod figure;
pub mod icon;
pub mod overlay;
pub mod panel;
pub mod picker;
pub mod progress;
pub mod rows;
pub mod table;
pub mod tabs;
pub mod time;
pub mod timeline;
pub mod toast;
pub mod tree;
pub mod words;
