//! Live messages: a hint from the database, one read, one text for every subscriber.
//!
//! The rule it keeps: rows are the truth and notifications only say "look". A lost notification
//! costs a second, because the pump also looks by the clock; a slow subscriber is cut, never
//! waited for, and resumes with the last number it saw.

mod hub;
mod inbox;
mod listener;

pub use hub::{Hub, Subscription};
pub use inbox::Lagged;
pub use listener::{Hint, RUNS, WORK, listen};
