//! The two load generators that others have written: wrk for HTTP, pgbench for PostgreSQL.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::machine::{Core, pinned, tool};
use super::product::Product;
use crate::process::{output, read, which};

/// Clients at a time on both sides.
const CLIENTS: &str = "8";

/// A request to be sent over and over.
pub(crate) struct Request<'a> {
    pub(crate) url: String,
    pub(crate) method: &'static str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: String,
}

/// What a closed loop came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Throughput {
    pub(crate) per_second: f64,
    /// In milliseconds.
    pub(crate) p99: f64,
}

/// Sends the request from eight connections for some seconds. Any answer that is no success is an error, so that
/// speed cannot come from wrong answers.
pub(crate) fn wrk(folder: &Path, request: &Request<'_>, seconds: u32) -> Result<Throughput> {
    scripted(folder, &lua(request), &request.url, seconds)
}

/// The same with requests that a script makes.
pub(crate) fn scripted(folder: &Path, lua: &str, url: &str, seconds: u32) -> Result<Throughput> {
    let script = folder.join("request.lua");
    fs::write(&script, lua)?;
    let mut command = pinned(Core::Load, &tool("wrk", "wrk")?);
    command.args([
        "-t",
        "1",
        "-c",
        CLIENTS,
        "--latency",
        "--timeout",
        "30s",
        "-d",
        &format!("{seconds}s"),
        "-s",
    ]);
    let text = read(command.arg(&script).arg(url))?;
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        bail!("`{url}` does not answer every request:\n{text}");
    }
    throughput_of(&text).with_context(|| format!("wrk says what it should not:\n{text}"))
}

fn lua(request: &Request<'_>) -> String {
    let mut text = format!("wrk.method = \"{}\"\n", request.method);
    for (name, value) in request.headers {
        text += &format!("wrk.headers[\"{name}\"] = \"{value}\"\n");
    }
    if !request.body.is_empty() {
        text += &format!(
            "wrk.headers[\"content-type\"] = \"application/json\"\nwrk.body = [==[{}]==]\n",
            request.body
        );
    }
    text
}

fn throughput_of(text: &str) -> Option<Throughput> {
    let after = |label: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(label))
            .map(str::trim)
    };
    Some(Throughput {
        per_second: after("Requests/sec:")?.parse().ok()?,
        p99: milliseconds(after("99%")?)?,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let value: f64 = text[..unit].parse().ok()?;
    Some(match &text[unit..] {
        "us" => value / 1e3,
        "ms" => value,
        "s" => value * 1e3,
        _ => return None,
    })
}

/// Runs a script of statements from eight connections for some seconds; transactions per second.
pub(crate) fn pgbench(product: &Product, script: &Path, seconds: u32) -> Result<f64> {
    let mut command = pinned(Core::Load, &pgbench_program()?);
    command.args([
        "-n",
        "-M",
        "prepared",
        "-j",
        "1",
        "-c",
        CLIENTS,
        "-T",
        &seconds.to_string(),
        "-f",
    ]);
    let output = output(command.arg(script).arg(product.database()?))?;
    let (text, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let failed = !output.status.success() || errors.contains("ERROR") || errors.contains("aborted");
    match tps_of(&text) {
        Some(tps) if !failed => Ok(tps),
        _ => bail!("pgbench fails on `{}`:\n{text}{errors}", script.display()),
    }
}

fn tps_of(text: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix("tps = "))?;
    rest.split_whitespace().next()?.parse().ok()
}

fn pgbench_program() -> Result<std::path::PathBuf> {
    if let Some(found) = which("pgbench") {
        return Ok(found);
    }
    let versions = Command::new("sh")
        .args(["-c", "ls /usr/lib/postgresql/*/bin/pgbench"])
        .output()?;
    let found = String::from_utf8_lossy(&versions.stdout);
    found
        .lines()
        .last()
        .map(Into::into)
        .context("`pgbench` is missing: install PostgreSQL's server package")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generators_are_understood() {
        let text =
            "  Latency Distribution\n     50%  635.00us\n     99%    1.25s \nRequests/sec:   1234.50\n";
        assert_eq!(
            throughput_of(text),
            Some(Throughput {
                per_second: 1234.5,
                p99: 1250.0
            })
        );
        assert_eq!(milliseconds("635.00us"), Some(0.635));
        assert_eq!(
            tps_of("a\ntps = 12.5 (without initial connection time)\n"),
            Some(12.5)
        );
        assert_eq!(tps_of("nothing"), None);
    }
}
