//! The reporter's reader on a log that is complete: how fast lines are found, with nobody to tell.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use runner::{AttemptDir, Unreported};
use serde_json::json;
use types::LogStream;

/// Reads `stdout.log` of a folder to its end and prints what was found, and how fast.
pub(crate) fn tail(folder: &str) -> Result<(), Box<dyn Error>> {
    let dir = AttemptDir::new(Path::new(folder));
    let begin = Instant::now();
    let mut log = Unreported::from(LogStream::Stdout, 0, 1);
    let (mut lines, mut bytes) = (0, 0);
    while let Some((found, offset)) = log.next(&dir, &BTreeMap::new())? {
        lines += found.len();
        bytes = offset;
    }
    let speed = bytes as f64 / 1e6 / begin.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({"lines": lines, "bytes": bytes, "mb_per_second": speed})
    );
    Ok(())
}
