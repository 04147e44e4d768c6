//! Media of samples: what they are, how they are kept, and the addresses under which they are shown.
//!
//! Media are hostile. What one is says its content alone, never a name or a claim; only types that
//! a browser shows without running anything are served as what they are, everything else is a
//! file to save. A picture is decoded only after its header has said how large it will be.

mod address;
mod content;
mod facts;
mod keep;
mod thumbnail;

pub use address::{Address, Purpose, Signed};
pub use content::{Content, sniff};
pub use facts::{Facts, MAX_PIXELS, facts};
pub use keep::{HEAD, embedded, keep, keep_bytes};
pub use thumbnail::{MAX_FILE as MAX_THUMBNAIL_SOURCE, ThumbnailError, Thumbnails};
