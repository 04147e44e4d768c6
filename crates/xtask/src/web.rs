//! Building the pages: cargo for wasm32, then the `pack` tool, into `dist/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use crate::process::{cargo, read, run, say, which};
use crate::workspace::{Stamp, fingerprint, root, scratch, target};

/// What the pages are made of.
const SOURCES: &[&str] = &[
    "frontend",
    "crates/types",
    "crates/analysis",
    "crates/xtask/src/bin/pack.rs",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
];

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct WebOptions {
    /// Optimise for size and write .br and .gz beside each file (two to four minutes when nothing is built yet)
    #[arg(long)]
    pub(crate) release: bool,
    /// Build even when no source has changed
    #[arg(long)]
    pub(crate) force: bool,
}

/// Builds `dist/` unless it is up to date, and returns its path.
pub(crate) fn build(options: &WebOptions) -> Result<PathBuf> {
    let dist = root().join("dist");
    let profile = if options.release {
        "wasm-release"
    } else {
        "wasm-dev"
    };
    let stamp = Stamp::new("web", fingerprint(profile, SOURCES)?)?;
    if !options.force && stamp.is_fresh() && dist.join("index.html").exists() {
        say("the pages in dist/ are up to date");
        return Ok(dist);
    }
    let start = Instant::now();
    add_target()?;
    say(format_args!(
        "building the pages ({profile}; minutes when nothing is built yet, seconds later)"
    ));
    let wasm = compile(profile)?;
    pack(&wasm, options.release, &dist)?;
    stamp.store()?;
    say(format_args!(
        "the pages are in dist/ ({:.0} s)",
        start.elapsed().as_secs_f32()
    ));
    Ok(dist)
}

/// The wasm32 part of the standard library; rustup does not always install it from `rust-toolchain.toml`.
pub(crate) fn add_target() -> Result<()> {
    const TRIPLE: &str = "wasm32-unknown-unknown";
    let sysroot = read(
        std::process::Command::new("rustc")
            .current_dir(root())
            .args(["--print", "sysroot"]),
    )?;
    if Path::new(&sysroot).join("lib/rustlib").join(TRIPLE).exists() {
        return Ok(());
    }
    which("rustup")
        .context("the target `wasm32-unknown-unknown` is missing and there is no rustup to add it")?;
    say("adding the Rust target wasm32-unknown-unknown (about 15 s)");
    run(std::process::Command::new("rustup")
        .current_dir(root())
        .args(["target", "add", TRIPLE]))
}

fn compile(profile: &str) -> Result<PathBuf> {
    run(cargo(&root()).args([
        "build",
        "--locked",
        "--package",
        "frontend",
        "--target",
        "wasm32-unknown-unknown",
        "--profile",
        profile,
    ]))?;
    Ok(target()
        .join("wasm32-unknown-unknown")
        .join(profile)
        .join("frontend.wasm"))
}

/// Packs beside the old folder and swaps, so that a running server never sees half of it.
fn pack(wasm: &Path, release: bool, dist: &Path) -> Result<()> {
    let (fresh, old) = (dist.with_extension("new"), dist.with_extension("old"));
    remove(&fresh)?;
    remove(&old)?;
    let mut command = cargo(&root());
    command
        .args([
            "run",
            "--locked",
            "--quiet",
            "--package",
            "xtask",
            "--features",
            "pack",
            "--bin",
            "pack",
            "--",
        ])
        .arg(wasm)
        .arg(root().join("frontend"))
        .arg(&fresh);
    if release {
        command.arg("--release");
    }
    if !scratch()?
        .parent()
        .is_some_and(|target| target.join("debug/pack").exists())
    {
        say("building the packer (wasm-bindgen; about a minute, once)");
    }
    run(&mut command)?;
    if dist.exists() {
        fs::rename(dist, &old)?;
    }
    fs::rename(&fresh, dist).with_context(|| format!("cannot move the pages to `{}`", dist.display()))?;
    remove(&old)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}
