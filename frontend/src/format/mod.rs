//! Values as people read them: counts with thin spaces, a real minus, human units, relative time.
//!
//! Plain functions without a browser, so that they are tested natively.

mod diff;
mod number;
mod parquet;
mod sample;
mod sheet;
mod text;
mod time;
mod xlsx;

pub use diff::{Part, words as diff_words};
pub use number::{
    bytes, count, gibibytes, half_width, interval, parameters, percent, real, scored, signed, significant,
};
pub use parquet::parquet;
pub use sample::{flag_words, input_text, metrics_text, text_of};
pub use sheet::Sheet;
pub use text::{Piece, plural, short_id, visible};
pub use time::{Zone, about, clock, clock_seconds, duration, exact, relative, stopwatch};
pub use xlsx::workbook;

/// What stands for a value that does not exist.
pub const MISSING: &str = "–";
