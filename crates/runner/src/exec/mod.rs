//! The executor of one attempt, `lmms-dash exec --attempt-dir D`.

pub mod claim;

use crate::dir::AttemptDir;
use std::{path::Path, process::ExitCode};

/// The exit code of an executor that finds its attempt claimed.
pub const CLAIMED: u8 = 97;

/// Executes the attempt in `dir`. Must be called before this process has a second thread.
#[must_use]
pub fn main(dir: &Path) -> ExitCode {
    let dir = AttemptDir::new(dir);
    match claim::take(&dir) {
        Ok(Some(_claim)) => ExitCode::SUCCESS,
        Ok(None) => ExitCode::from(CLAIMED),
        Err(error) => {
            eprintln!("`{}` cannot be claimed: {error}", dir.root().display());
            ExitCode::FAILURE
        }
    }
}
