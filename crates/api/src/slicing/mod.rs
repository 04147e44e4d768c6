//! What models score on slices: numbers in, numbers out, no I/O.
//!
//! A slice has a score where the committed one is the mean of its samples' scores, for then it can be computed again
//! from a part of them. Where it is something else (an F1 over all answers, a corpus CIDEr) there is none, and the
//! reason is kept in its place.

mod fields;
mod report;
mod scores;

pub use fields::fields;
pub use report::{Labelled, report};
pub use scores::{NOT_KNOWN, mean_scale, scores, sole};
