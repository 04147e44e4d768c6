//! P1 and P2: from the line that a child prints to the viewers of its run, against a bare relay.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::Effort;
use super::comparison::{Comparison, Round, Target, wait_for};
use super::machine::{Core, cpu, pinned, settled};
use super::product::Running;
use super::stage::Stage;
use super::viewers::{Viewers, load};
use crate::process::say;

/// Bytes of a printed line.
const LINE: usize = 200;
/// Lines a second.
const RATE: usize = 100;

/// A stage, and the tool that prints and looks.
struct Live {
    stage: Stage,
    load: PathBuf,
}

/// What one side came to.
struct Side {
    report: Value,
    cpu: f64,
}

impl Side {
    /// Frames for each second of processor time.
    fn per_core_second(&self) -> f64 {
        self.report["frames"].as_f64().unwrap_or(f64::NAN) / self.cpu.max(0.01)
    }

    fn p(&self, which: &str) -> f64 {
        self.report[which].as_f64().unwrap_or(f64::NAN)
    }
}

fn emit(live: &Live, lines: usize, rate: usize) -> Vec<String> {
    let go = live.stage.go().display().to_string();
    let program = live.load.display().to_string();
    vec![
        program,
        "emit".to_owned(),
        lines.to_string(),
        rate.to_string(),
        LINE.to_string(),
        go,
    ]
}

fn ours(live: &Live, viewers: usize, lines: usize) -> Result<Side> {
    let stage = &live.stage;
    let _ = fs::remove_file(stage.go());
    stage.child(&format!("exec {}", emit(live, lines, RATE).join(" ")))?;
    let id = stage.create()?;
    let (path, product) = (format!("/ws/runs/{id}"), &stage.product);
    let viewers = Viewers::join(
        &live.load,
        &product.address,
        &path,
        &product.token,
        viewers,
        lines,
    )?;
    // Whoever joins reads what was said before, and checks who they are: that is not what is measured.
    settled(&product.family())?;
    let before = cpu(&product.family());
    fs::write(stage.go(), "")?;
    let report = viewers.finish()?;
    let spent = cpu(&product.family()).saturating_sub(before).as_secs_f64();
    stage.until_over(&id)?;
    Ok(Side { report, cpu: spent })
}

/// A relay that hands out at once, or one that puts what it hands out on the disk first, as a commit does.
fn relay(live: &Live, viewers: usize, lines: usize, keeps: bool) -> Result<Side> {
    let stage = &live.stage;
    let _ = fs::remove_file(stage.go());
    let words = emit(live, lines, RATE);
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .stdout(Stdio::piped())
        .spawn()?;
    let pipe = child.stdout.take().context("the child's output is a pipe")?;
    let _child = Running(child);
    let port = stage.folder.path().join("port");
    let _ = fs::remove_file(&port);
    let log = keeps.then(|| stage.folder.path().join("relay.log"));
    let relay = pinned(Core::Server, &live.load)
        .arg("relay")
        .arg(&port)
        .args(log)
        .stdin(pipe)
        .spawn()?;
    let relay = Running(relay);
    let address = || fs::read_to_string(&port).ok().filter(|port| !port.is_empty());
    wait_for("the relay", Duration::from_secs(20), || address().is_some())?;
    let address = format!("127.0.0.1:{}", address().unwrap_or_default());
    let viewers = Viewers::join(&live.load, &address, "/", "none", viewers, lines)?;
    let before = cpu(&[relay.0.id()]);
    fs::write(stage.go(), "")?;
    let report = viewers.finish()?;
    // A relay that has read everything ends: what it took is asked before.
    let spent = cpu(&[relay.0.id()]).saturating_sub(before).as_secs_f64();
    Ok(Side { report, cpu: spent })
}

/// Latency to a hundred viewers.
pub(super) fn latency(effort: &Effort) -> Result<Vec<Comparison>> {
    let live = Live {
        stage: Stage::new("live", &[])?,
        load: load()?,
    };
    let lines = RATE * effort.seconds as usize;
    let (mut p99, mut p50, mut durable) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=effort.rounds {
        let bare = relay(&live, 100, lines, false)?;
        let keeping = relay(&live, 100, lines, true)?;
        let ours = ours(&live, 100, lines)?;
        say(format_args!(
            "round {number}: relay {}, keeping {}, ours {}",
            bare.report, keeping.report, ours.report
        ));
        let round = |reference: &Side, which| Round {
            reference: reference.p(which),
            ours: ours.p(which),
        };
        p99.push(round(&bare, "p99_ms"));
        p50.push(round(&bare, "p50_ms"));
        durable.push(round(&keeping, "p99_ms"));
    }
    let name = |which: &str| format!("line to viewer, {which}, 100 viewers");
    let mut keeping = row("P1", &name("p99"), "ms", Target::Open, durable);
    keeping.reference = "relay that syncs first";
    Ok(vec![
        row("P1", &name("p99"), "ms", Target::RatioAtMost(3.0), p99),
        row("P1", &name("p50"), "ms", Target::Open, p50),
        keeping,
    ])
}

/// Messages for each second of a core, at many viewers.
pub(super) fn fan_out(effort: &Effort) -> Result<Comparison> {
    let live = Live {
        stage: Stage::new("fan", &[])?,
        load: load()?,
    };
    let lines = RATE * effort.seconds as usize;
    let mut rounds = Vec::new();
    for number in 1..=effort.rounds {
        let (theirs, ours) = (
            relay(&live, effort.viewers, lines, false)?,
            ours(&live, effort.viewers, lines)?,
        );
        say(format_args!(
            "round {number}: relay {}, ours {}",
            theirs.report, ours.report
        ));
        rounds.push(Round {
            reference: theirs.per_core_second(),
            ours: ours.per_core_second(),
        });
    }
    let name = format!(
        "messages of {LINE} B to {} viewers, a core second",
        effort.viewers
    );
    let mut row = row("P2", &name, "frames", Target::RatioAtLeast(0.5), rounds);
    row.notes
        .push("ours includes PostgreSQL and the ingest of the lines".to_owned());
    Ok(row)
}

fn row(id: &'static str, name: &str, unit: &'static str, target: Target, rounds: Vec<Round>) -> Comparison {
    Comparison {
        id,
        name: name.to_owned(),
        unit,
        reference: "bare relay",
        target,
        rounds,
        notes: Vec::new(),
    }
}
