//! What a started server leaves behind for others: where it is, and how to sign in.

use serde_json::json;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Tells executors on this machine where the API is.
pub(super) fn write_endpoint(path: &Path, url: &str) -> std::io::Result<()> {
    write_atomically(path, &json!({"url": url, "pid": std::process::id()}).to_string())
}

/// Tells scripts that the server is ready.
pub(super) fn write_ready(path: &Path, url: &str, sign_in_url: Option<&str>) -> std::io::Result<()> {
    let text = json!({
        "url": url, "sign_in_url": sign_in_url, "pid": std::process::id(), "version": env!("CARGO_PKG_VERSION"),
    });
    write_atomically(path, &text.to_string())
}

/// Readable by its owner alone: it may hold a sign-in link.
pub(super) fn write_atomically(path: &Path, text: &str) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("new.{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}
