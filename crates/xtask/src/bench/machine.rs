//! The machine that measures: its load, its cores, and what processes cost it.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::comparison::wait_for;
use crate::process::{apt_install, can_apt, read, say, which};
use crate::workspace::root;

/// Above this somebody else is working here, and figures mean little.
const QUIET: f64 = 0.5;
/// Ticks of `/proc/*/stat`; Linux has used this number everywhere for decades.
const TICKS: f64 = 100.0;

/// Who runs on which core.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Core {
    /// What is measured.
    Server,
    /// What measures.
    Load,
}

/// The load of the last minute.
fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("`/proc/loadavg` cannot be read")?;
    let first = text
        .split_whitespace()
        .next()
        .context("`/proc/loadavg` is empty")?;
    Ok(first.parse()?)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Refuses a machine that does something else, unless told.
pub(crate) fn check(loaded: bool) -> Result<()> {
    let load = load()?;
    match load > QUIET {
        true if loaded => say(format_args!("the load is {load}: the ratios are rough")),
        true => {
            bail!("the load of this machine is {load}, expected at most {QUIET}; `--loaded` measures anyway")
        }
        false => {}
    }
    Ok(())
}

/// What a reader of the figures wants to know of where they come from.
pub(crate) fn describe() -> Result<Value> {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map(|(_, name)| name);
    let commit = read(
        Command::new("git")
            .current_dir(root())
            .args(["rev-parse", "HEAD"]),
    )
    .ok();
    Ok(json!({"processor": model, "cores": cores(), "load": load()?, "commit": commit}))
}

/// A script that starts a program on every core, for what is started by a server that has only one.
pub(crate) fn on_every_core(program: &Path, script: &Path) -> Result<()> {
    let last = cores().saturating_sub(1);
    let program = program.display();
    let prefix = which("taskset").map_or(String::new(), |tool| format!("{} -c 0-{last} ", tool.display()));
    fs::write(script, format!("#!/bin/sh\nexec {prefix}{program} \"$@\"\n"))?;
    Ok(fs::set_permissions(script, fs::Permissions::from_mode(0o755))?)
}

/// A command on one core of its own, so that load and server do not take each other's time.
pub(crate) fn pinned(core: Core, program: &Path) -> Command {
    let Some(taskset) = which("taskset").filter(|_| cores() > 1) else {
        return Command::new(program);
    };
    let number = match core {
        Core::Server => "0",
        Core::Load => "1",
    };
    let mut command = Command::new(taskset);
    command.args(["-c", number]).arg(program);
    command
}

/// The same command with as many open files as the machine allows: a viewer is one on either side.
pub(crate) fn with_many_files(inner: &Command) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n $(ulimit -Hn); exec \"$@\"", "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    command
}

/// Processes that name something in this folder on their command line.
pub(crate) fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy();
    let names = |pid: &String| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(folder.as_ref())
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().into_string().ok());
    pids.filter(|name| name.parse::<u32>().is_ok())
        .filter(names)
        .collect()
}

/// A process and its descendants.
pub(crate) fn family(pid: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some(parent) = stat(child).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(&parent) = all.get(next) {
        all.extend(children.remove(&parent).unwrap_or_default());
        next += 1;
    }
    all
}

/// The fields of `stat` from the state on: the name before it may hold anything.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let rest = text.rsplit_once(") ")?.1;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// The memory of processes in bytes, with shared pages counted once.
pub(crate) fn memory(pids: &[u32]) -> f64 {
    pids.iter().filter_map(|pid| rolled_up(*pid, "Pss:")).sum()
}

/// What a process has written for itself in bytes: what grows with what it keeps.
pub(crate) fn kept(pid: u32) -> f64 {
    rolled_up(pid, "Anonymous:").unwrap_or(f64::NAN)
}

fn rolled_up(pid: u32, field: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? * 1024.0)
}

/// The processor time of processes so far.
pub(crate) fn cpu(pids: &[u32]) -> Duration {
    let of = |pid: &u32| {
        let fields = stat(*pid)?;
        let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
        Some(ticks(11)? + ticks(12)?)
    };
    Duration::from_secs_f64(pids.iter().filter_map(of).sum::<f64>() / TICKS)
}

/// The processor time of a process to the nanosecond, in seconds; `None` when it is gone.
pub(crate) fn exact_cpu(pid: u32) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let of = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    Some(threads.flatten().filter_map(of).sum::<f64>() / 1e9)
}

/// Waits until these processes have nothing to do: a tenth of a core, at most.
pub(crate) fn settled(pids: &[u32]) -> Result<()> {
    let look = Duration::from_millis(200);
    wait_for("processes with nothing to do", Duration::from_secs(20), || {
        let before = cpu(pids);
        std::thread::sleep(look);
        cpu(pids).saturating_sub(before) <= look / 10
    })
}

/// A tool of Debian's, installed when it is missing and we may.
pub(crate) fn tool(name: &str, package: &str) -> Result<std::path::PathBuf> {
    if let Some(found) = which(name) {
        return Ok(found);
    }
    if !can_apt() {
        bail!("`{name}` is missing: install it (Debian: `apt-get install {package}`)");
    }
    say(format_args!("installing {package} with apt-get"));
    apt_install(&[package])?;
    which(name).with_context(|| format!("apt-get installed {package}, but `{name}` is not on PATH"))
}

/// The share of a core that our own finished children took while some work ran.
pub(crate) fn with_share<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let spent = || {
        let fields = stat(std::process::id()).unwrap_or_default();
        let ticks = |at: usize| fields.get(at).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
        (ticks(13) + ticks(14)) / TICKS
    };
    let (before, start) = (spent(), std::time::Instant::now());
    let value = work()?;
    Ok((
        value,
        (spent() - before) / start.elapsed().as_secs_f64().max(0.001),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_of_its_own_family_and_takes_memory() {
        let me = std::process::id();
        assert!(family(me).contains(&me));
        assert!(memory(&[me]) > 0.0);
        assert!(exact_cpu(me).is_some_and(|seconds| seconds > 0.0));
    }
}
