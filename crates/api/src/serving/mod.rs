//! Handing bytes out: parts of them, and names under which they are saved.

mod disposition;
mod range;

pub use disposition::attachment;
pub use range::{begin, whole};
