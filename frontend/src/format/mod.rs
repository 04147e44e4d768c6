//! Values as people read them: counts with thin spaces, a real minus, human units, relative time.
//!
//! Plain functions without a browser, so that they are tested natively.

mod number;
mod text;
mod time;

pub use number::{bytes, count, gibibytes, parameters, percent, real, scored, signed, significant};
pub use text::{Piece, plural, short_id, visible};
pub use time::{Zone, about, clock, clock_seconds, duration, exact, relative, stopwatch};

/// What stands for a value that does not exist.
pub const MISSING: &str = "–";
