//! `cargo xtask up`: installs what is missing, builds what has changed, becomes `lmms-dash up`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::process::{cargo, run, say};
use crate::workspace::{Stamp, fingerprint, root, target};
use crate::{python, web};

/// What the program is made of.
const SOURCES: &[&str] = &[
    "crates",
    "migrations",
    "supabase",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
];

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct UpOptions {
    #[command(flatten)]
    python: python::PythonOptions,
    /// Add a demo organization: local tasks and models that need no GPU, no key and no network
    #[arg(long)]
    demo: bool,
    /// Where to listen [default: the one of lmms-dash, 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Write address, sign-in link, pid and version as JSON into this file once ready
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Leave out a step
    #[arg(long, value_enum, value_delimiter = ',')]
    skip: Vec<Part>,
    /// Install and build, but do not start
    #[arg(long)]
    prepare: bool,
    /// More arguments for `lmms-dash up`
    #[arg(last = true)]
    rest: Vec<OsString>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The Python environment
    Python,
    /// The pages
    Web,
    /// The program
    Program,
}

/// Returns only when something failed, or after `--prepare`.
pub(crate) fn up(options: &UpOptions) -> Result<()> {
    let skips = |part| options.skip.contains(&part);
    let python = if skips(Part::Python) {
        None
    } else {
        Some(python::ensure(&options.python)?)
    };
    let dist = if skips(Part::Web) {
        root().join("dist")
    } else {
        web::build(&web::WebOptions {
            release: true,
            force: false,
        })?
    };
    let program = if skips(Part::Program) { built() } else { program()? };
    if options.prepare {
        say("everything is ready: `cargo xtask up` starts it");
        return Ok(());
    }
    let mut command = command(&program, options, &dist)?;
    if let Some(python) = python {
        command.env("LMMS_EVAL_PYTHON", python);
    }
    Err(command.exec()).with_context(|| format!("cannot start `{}`", program.display()))
}

fn built() -> PathBuf {
    target().join("dash/lmms-dash")
}

/// The program, built unless its sources are those of the last build; cargo is not even asked then.
pub(crate) fn program() -> Result<PathBuf> {
    let program = built();
    let stamp = Stamp::new("dash", fingerprint("dash", SOURCES)?)?;
    if stamp.is_fresh() && program.exists() {
        say("lmms-dash is up to date");
        return Ok(program);
    }
    let start = Instant::now();
    say("building lmms-dash (four to ten minutes when nothing is built yet)");
    run(cargo(&root()).args([
        "build",
        "--locked",
        "--profile",
        "dash",
        "--package",
        "api",
        "--bin",
        "lmms-dash",
    ]))?;
    say(format_args!(
        "lmms-dash is built ({:.0} s)",
        start.elapsed().as_secs_f32()
    ));
    stamp.store()?;
    Ok(program)
}

/// A command that knows nothing of the cargo that runs us.
pub(crate) fn clean_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    forget_cargo(&mut command);
    command
}

fn command(program: &Path, options: &UpOptions, dist: &Path) -> Result<Command> {
    let mut command = clean_command(program);
    command.arg("up").arg("--spa-dir").arg(dist);
    command
        .arg("--data-dir")
        .arg(std::path::absolute(&options.python.data_dir)?);
    if let Some(listen) = &options.listen {
        command.arg("--listen").arg(listen);
    }
    if let Some(file) = &options.ready_file {
        command.arg("--ready-file").arg(std::path::absolute(file)?);
    }
    if options.demo {
        command.arg("--demo");
    }
    command.args(&options.rest);
    Ok(command)
}

/// Removes what `cargo run` put into the environment: evaluations must not load libraries from a toolchain.
pub(crate) fn forget_cargo(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO") || text.starts_with("RUSTUP_TOOLCHAIN") || text == "RUST_RECURSION_COUNT"
        {
            command.env_remove(&name);
        }
    }
    if let Some(paths) = std::env::var_os("LD_LIBRARY_PATH") {
        let target = target();
        let keep = |path: &PathBuf| !path.starts_with(&target) && !path.to_string_lossy().contains("rustlib");
        match std::env::join_paths(std::env::split_paths(&paths).filter(keep)) {
            Ok(left) if !left.is_empty() => command.env("LD_LIBRARY_PATH", left),
            _ => command.env_remove("LD_LIBRARY_PATH"),
        };
    }
}
