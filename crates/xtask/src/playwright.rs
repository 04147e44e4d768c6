//! Tests that Node runs: the product in a browser, and the programs of others that judge it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::node::{Node, chromium};
use crate::process::{cargo, path_with, run, say};
use crate::python::{self, PythonOptions};
use crate::web;
use crate::workspace::{root, scratch, target};

/// Judges the API against its own document.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// What others made for Supabase and for OpenAPI, unchanged, against the real program without its pages.
pub(crate) fn judges(python: &PythonOptions, filter: &[String]) -> Result<Command> {
    let home = scratch()?;
    let site = python::tool(&home, SCHEMATHESIS)?;
    // `lib/python3.x/site-packages` of a virtual environment.
    let environment = site
        .ancestors()
        .nth(3)
        .context("a package lies in an environment")?;
    let pages = home.join("no-pages");
    std::fs::create_dir_all(&pages)?;
    let mut command = playwright(python)?;
    command.args(["--config", "judges.config.ts"]).args(filter);
    command
        .env("SCHEMATHESIS", environment.join("bin/schemathesis"))
        .env("LMMS_DASH_SPA", pages);
    Ok(command)
}

/// Playwright against the real program and the optimised pages.
pub(crate) fn browser(python: &PythonOptions, filter: &[String]) -> Result<Command> {
    let chromium = chromium()?;
    let dist = web::build(&web::WebOptions {
        release: true,
        force: false,
    })?;
    let mut command = playwright(python)?;
    command.args(filter);
    command.env("CHROMIUM", chromium).env("LMMS_DASH_SPA", dist);
    Ok(command)
}

/// Playwright's runner with the real program and the real lmms-eval.
fn playwright(python: &PythonOptions) -> Result<Command> {
    let folder = root().join("frontend/e2e");
    let node = Node::find()?;
    let python = python::ensure(python)?;
    let program = program()?;
    install_packages(&node, &folder)?;
    let mut command = Command::new(node.bin.join("node"));
    command
        .current_dir(&folder)
        .arg("node_modules/@playwright/test/cli.js")
        .arg("test");
    command
        .env("PATH", path_with(&node.bin)?)
        .env("LMMS_DASH", program)
        .env("LMMS_EVAL_PYTHON", python)
        .env("LMMS_E2E_OUT", scratch()?.join("e2e"));
    Ok(command)
}

/// The program to test: the one named in `LMMS_DASH`, else a debug build, which the other tests need as well.
fn program() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("LMMS_DASH") {
        return Ok(named.into());
    }
    run(cargo(&root()).args(["build", "--locked", "--package", "api", "--bin", "lmms-dash"]))?;
    Ok(target().join("debug/lmms-dash"))
}

/// What `package-lock.json` names, unless it is there.
pub(crate) fn install_packages(node: &Node, folder: &Path) -> Result<()> {
    let installed = folder.join("node_modules/.package-lock.json");
    let age = |file: &Path| file.metadata().and_then(|meta| meta.modified()).ok();
    if age(&installed).is_some_and(|then| Some(then) > age(&folder.join("package-lock.json"))) {
        return Ok(());
    }
    if !folder.join("package-lock.json").exists() {
        bail!("`frontend/e2e/package-lock.json` is missing");
    }
    say("installing Playwright and the clients that judge (half a minute)");
    run(node
        .npm()?
        .current_dir(folder)
        .args(["ci", "--no-audit", "--no-fund"]))
}
