//! `import`: output of lmms-eval from elsewhere.

use crate::cli::ImportArgs;
use crate::import;
use anyhow::Context;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

/// Checks the files of the paths.
pub(super) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let checked = import::check(&args.paths, &mut out).and_then(|found| out.flush().map(|()| found));
    match checked {
        Ok(true) => Ok(ExitCode::SUCCESS),
        Ok(false) => Ok(ExitCode::FAILURE),
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error).context("the lines cannot be written"),
    }
}
