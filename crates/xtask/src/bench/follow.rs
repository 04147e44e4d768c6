//! P3: a noisy child. Does following its output slow it, and does the follower keep up?

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Effort;
use super::comparison::{Comparison, Round, Target, wait_for};
use super::machine::{Core, pinned};
use super::product::Running;
use super::stage::Stage;
use super::timed;
use super::viewers::load;
use crate::process::{read, run, say};

/// Bytes of a line.
const LINE: usize = 100;
const PATIENCE: Duration = Duration::from_secs(120);

/// Lines as fast as the child can print them.
pub(super) fn follow(effort: &Effort) -> Result<Vec<Comparison>> {
    let (stage, load) = (Stage::new("follow", &[])?, load()?);
    let took = stage.folder.path().join("took");
    stage.child(&script(&load, effort.lines, &took))?;
    let lines = effort.lines as f64;
    let megabytes = (effort.lines * LINE) as f64 / 1e6;
    let (mut child, mut beside, mut tailer, mut follower) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 1..=effort.rounds {
        let tail = {
            let _tail = tail(&stage)?;
            bare(&stage, &took)?
        };
        let bare = bare(&stage, &took)?;
        let copied = copied(&stage)?;
        tailer.push(Round {
            reference: megabytes / copied,
            ours: tailed(&stage, &load, effort.lines)?,
        });
        let (id, all) = timed(|| followed(&stage, &took))?;
        let followed = nanoseconds(&took)?;
        check(&stage, &id, effort.lines)?;
        say(format_args!(
            "round {number}: child bare {bare:.2} s, followed {followed:.2} s, by tail {tail:.2} s, \
             all stored {all:.2} s"
        ));
        child.push(Round {
            reference: megabytes / bare,
            ours: megabytes / followed,
        });
        beside.push(Round {
            reference: megabytes / tail,
            ours: megabytes / followed,
        });
        follower.push(Round {
            reference: lines / inserted(&stage, &id)?,
            ours: lines / all,
        });
    }
    let row = |name: &str, unit, reference, target, rounds, note: &str| Comparison {
        id: "P3",
        name: name.to_owned(),
        unit,
        reference,
        target,
        rounds,
        notes: vec![note.to_owned()],
    };
    Ok(vec![
        row(
            "child that prints while it is followed",
            "MB/s",
            "into a file",
            Target::RatioAtLeast(0.98),
            child,
            "the child writes into a file on both sides",
        ),
        row(
            "the same",
            "MB/s",
            "read by tail -f",
            Target::Open,
            beside,
            "what a reader costs the child that only reads",
        ),
        row(
            "the follower's reading and parsing of a log",
            "MB/s",
            "cat",
            Target::AtLeast(200.0),
            tailer,
            "the reporter's own reader, without the network and the database",
        ),
        row(
            "from created to every line in the database",
            "lines/s",
            "copied by one statement",
            Target::Open,
            follower,
            "includes launch, parsing, numbering and the end of the run; the reference has no index, key or trigger to keep",
        ),
    ])
}

/// On the core that the server does not have: a child competes with its follower for nothing but the disk.
fn script(load: &Path, lines: usize, took: &Path) -> String {
    let emit = pinned(Core::Load, load);
    let words = std::iter::once(emit.get_program()).chain(emit.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!(
        "s=$(date +%s%N); {} emit {lines} 0 {LINE}; e=$(date +%s%N); echo $((e - s)) > {}",
        words.join(" "),
        took.display()
    )
}

/// A reader of the log to come, on the server's core.
fn tail(stage: &Stage) -> Result<Running> {
    let log = stage.folder.path().join("bare.log");
    File::create(&log)?;
    let mut tail = pinned(Core::Server, Path::new("tail"));
    tail.args(["-n", "+1", "-f"]).arg(log).stdout(Stdio::null());
    Ok(Running(tail.spawn()?))
}

/// No side waits for what was written before it.
fn settle(stage: &Stage) -> Result<()> {
    stage.product.sql("checkpoint")?;
    run(&mut Command::new("sync"))
}

fn bare(stage: &Stage, took: &Path) -> Result<f64> {
    settle(stage)?;
    let script = stage.folder.path().join("child");
    let log = File::create(stage.folder.path().join("bare.log"))?;
    run(pinned(Core::Server, Path::new("/bin/sh")).arg(script).stdout(log))?;
    nanoseconds(took)
}

fn copied(stage: &Stage) -> Result<f64> {
    let from = stage.folder.path().join("bare.log");
    let to = File::create(stage.folder.path().join("copy.log"))?;
    Ok(timed(|| run(Command::new("cat").arg(from).stdout(to)))?.1)
}

/// Megabytes a second of the reporter's reader.
fn tailed(stage: &Stage, load: &Path, lines: usize) -> Result<f64> {
    let folder = stage.folder.path().join("tailed");
    fs::create_dir_all(&folder)?;
    fs::copy(stage.folder.path().join("bare.log"), folder.join("stdout.log"))?;
    let told = read(pinned(Core::Server, load).arg("tail").arg(&folder))?;
    let told: serde_json::Value = serde_json::from_str(&told)?;
    match (told["lines"].as_u64(), told["mb_per_second"].as_f64()) {
        (Some(seen), Some(speed)) if seen == lines as u64 => Ok(speed),
        (seen, _) => bail!("the reader finds {seen:?} lines, expected {lines}"),
    }
}

/// Seconds that PostgreSQL needs to write the lines of a run once more, into a table without anything.
fn inserted(stage: &Stage, id: &str) -> Result<f64> {
    let took = stage.product.sql(&format!(
        "create temporary table t (began timestamptz); insert into t values (clock_timestamp()); \
         create table copied as select * from run_logs where run_id = '{id}'; drop table copied; \
         select extract(epoch from clock_timestamp() - began) from t"
    ))?;
    took.parse().context("the copy has not said how long it took")
}

fn followed(stage: &Stage, took: &Path) -> Result<String> {
    fs::remove_file(took).context("the child before has not said how long it took")?;
    settle(stage)?;
    let id = stage.create()?;
    // A session of the database that begins now would take the child's core.
    wait_for("the child's end", PATIENCE, || took.exists())?;
    stage.until_over(&id)?;
    Ok(id)
}

fn nanoseconds(took: &Path) -> Result<f64> {
    let text = fs::read_to_string(took).context("the child has not said how long it took")?;
    Ok(text.trim().parse::<f64>()? / 1e9)
}

/// Every line is there once.
fn check(stage: &Stage, id: &str, lines: usize) -> Result<()> {
    let count = stage.product.sql(&format!(
        "select count(distinct seq) from run_logs where run_id = '{id}'"
    ))?;
    match count.parse::<usize>()? {
        count if count == lines => Ok(()),
        count => bail!("{count} lines are stored, expected {lines}"),
    }
}
