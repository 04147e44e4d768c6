//! What executors say: batches of news, bytes of output, files, and the question for secrets.
//!
//! The rule it keeps: an executor is believed about its own attempt only, while that attempt is
//! the run's newest and not over. It stores; the worker decides what follows.

pub mod batch;
pub mod files;
pub mod media;
mod news;
mod progress;
pub mod secrets;
mod token;
