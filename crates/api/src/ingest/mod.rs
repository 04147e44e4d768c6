//! From lmms-eval's files to rows: one path for the worker and for imports.
//!
//! A benchmark is ingested in one transaction and replaces what it left before, so doing it twice
//! changes nothing. Its files are untrusted: what cannot be read is counted and told, and only a
//! results document that cannot be used fails the benchmark.

mod docs;
pub mod files;
pub mod lines;
pub mod media;
mod metrics;
mod pick;
mod pump;
mod rows;
mod samples;
mod slices;

pub use pick::{Ingested, Pick, ingest};
pub use slices::rescore;

use crate::db;
use crate::store::StoreError;
use thiserror::Error;

/// Why a benchmark's files could not be ingested now; trying again may help.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// A file cannot be read from the object store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reading thread ended without an answer.
    #[error("the thread that reads samples ended early")]
    Reader,
}

impl From<diesel::result::Error> for IngestError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
