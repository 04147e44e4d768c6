//! What the server says of itself.

use crate::config::{Config, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Sends log lines to standard error; a second call changes nothing.
pub(super) fn init(config: &Config) {
    let filter = EnvFilter::try_new(&config.log.filter).unwrap_or_else(|error| {
        eprintln!(
            "warning: `LMMS_LOG` is `{}`, which is no filter ({error}); using `info`",
            config.log.filter
        );
        EnvFilter::new("info")
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let done = match config.log.format {
        LogFormat::Pretty => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    if let Err(error) = done {
        eprintln!("warning: logging stays as it was: {error}");
    }
}
