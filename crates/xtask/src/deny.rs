//! `cargo deny`: found, or installed once into the build folder.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::process::{cargo, run, say, which};
use crate::workspace::{root, target};

const VERSION: &str = "0.20.2";

/// A check of the given kinds against `deny.toml`.
pub(crate) fn check<S: AsRef<OsStr>>(kinds: &[S]) -> Result<Command> {
    let mut command = Command::new(find()?);
    command
        .current_dir(root())
        .args(["--locked", "check", "--hide-inclusion-graph"])
        .args(kinds);
    Ok(command)
}

fn find() -> Result<PathBuf> {
    if let Some(program) = which("cargo-deny") {
        return Ok(program);
    }
    let tools = target().join("tools");
    let program = tools.join(format!("{VERSION}/bin/cargo-deny"));
    if !program.exists() {
        say("installing cargo-deny (two to four minutes, once)");
        // Unoptimised: it runs for a second, and builds in half the time.
        run(cargo(&root())
            .args([
                "install",
                "--quiet",
                "--locked",
                "--debug",
                "--no-track",
                "--version",
                VERSION,
            ])
            .arg("--root")
            .arg(tools.join(VERSION))
            .arg("--target-dir")
            .arg(tools.join("build"))
            .arg("cargo-deny"))?;
    }
    Ok(program)
}
