//! P9 and P10: how long a run waits for its process, and how long a killed server needs to hold its runs again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use super::Effort;
use super::comparison::{Comparison, Round, Target, spread, wait_for};
use super::machine::{Core, kept, pinned};
use super::stage::Stage;
use super::viewers::load;
use crate::process::say;

/// Launches of one round.
const LAUNCHES: usize = 20;
const PATIENCE: Duration = Duration::from_secs(120);
/// Attempts that run.
const LIVE: &str = "(select count(*) from run_attempts where state = 'running' and heartbeat_at is not null)";

/// P9: from the request that creates a run to the first instruction of its process.
pub(super) fn queued(effort: &Effort) -> Result<Vec<Comparison>> {
    let (stage, load) = (Stage::new("queue", &[])?, load()?);
    stage.child(&format!("exec {} emit 1 0 100", load.display()))?;
    // The first one warms what every other finds warm.
    launched(&stage)?;
    let (mut medians, mut slowest) = (Vec::new(), Vec::new());
    for number in 1..=effort.rounds {
        let mut bare = Vec::new();
        let mut ours = Vec::new();
        for _ in 0..LAUNCHES {
            bare.push(spawned(&stage, &load)?);
            ours.push(launched(&stage)?);
        }
        let ([bare, _, slow_bare], [ours, _, slow_ours]) = (spread(&bare), spread(&ours));
        say(format_args!(
            "round {number}: bare {bare:.1} ms, ours {ours:.1} ms"
        ));
        medians.push(Round {
            reference: bare,
            ours,
        });
        slowest.push(Round {
            reference: slow_bare,
            ours: slow_ours,
        });
    }
    let row = |name: &str, most: f64, rounds| Comparison {
        id: "P9",
        name: name.to_owned(),
        unit: "ms",
        reference: "bare spawn",
        target: Target::AtMost(most),
        rounds,
        notes: Vec::new(),
    };
    Ok(vec![
        row("queued to executing, median", 50.0, medians),
        row(
            &format!("queued to executing, slowest of {LAUNCHES}"),
            200.0,
            slowest,
        ),
    ])
}

/// Milliseconds from now to the time that the child prints.
fn until_printed(log: impl Fn() -> Result<PathBuf>) -> Result<f64> {
    let begin = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let log = log()?;
    let printed = || fs::read_to_string(&log).ok().and_then(|text| time_in(&text));
    wait_for("the first line of a child", PATIENCE, || printed().is_some())?;
    let at = printed().context("a printed line stays")?;
    Ok(at.saturating_sub(begin) as f64 / 1e6)
}

fn time_in(text: &str) -> Option<u128> {
    text.strip_prefix("t=")?.split_whitespace().next()?.parse().ok()
}

fn spawned(stage: &Stage, load: &Path) -> Result<f64> {
    until_printed(|| {
        let log = stage.folder.path().join("bare.log");
        let mut command = pinned(Core::Server, load);
        command
            .args(["emit", "1", "0", "100"])
            .stdout(File::create(&log)?)
            .spawn()?
            .wait()?;
        Ok(log)
    })
}

fn launched(stage: &Stage) -> Result<f64> {
    let id = std::cell::RefCell::new(String::new());
    let took = until_printed(|| {
        *id.borrow_mut() = stage.create()?;
        Ok(stage
            .product
            .data
            .join("attempts")
            .join(&*id.borrow())
            .join("1/stdout.log"))
    })?;
    stage.until_over(&id.into_inner())?;
    Ok(took)
}

/// P10: a server killed in the middle of many runs, from its next start to the last executor that reports again.
pub(super) fn recovery(effort: &Effort) -> Result<Vec<Comparison>> {
    let parallel = effort.live_runs.to_string();
    let mut stage = Stage::new("recovery", &[("LMMS_MAX_PARALLEL", &parallel)])?;
    stage.child("echo live; exec sleep 3600")?;
    let before = kept(stage.product.pid());
    say(format_args!("starting {} runs", effort.live_runs));
    for _ in 0..effort.live_runs {
        stage.create()?;
    }
    let all_live = format!("{LIVE} = {}", effort.live_runs);
    stage
        .product
        .until(&all_live, PATIENCE * 3)
        .context("the runs are not live")?;
    let held = (kept(stage.product.pid()) - before) / effort.live_runs as f64 / 1e3;
    let mut rounds = Vec::new();
    for number in 1..=effort.rounds {
        let reference = probe(&stage.product.data.join("attempts"), effort.live_runs)?;
        let ours = restarted(&mut stage, effort.live_runs)?;
        say(format_args!(
            "round {number}: probe {reference:.4} s, ours {ours:.2} s"
        ));
        rounds.push(Round { reference, ours });
    }
    let name = format!("kill -9 to {} runs heard of again", effort.live_runs);
    let row = |id, name, unit, reference, target, rounds| Comparison {
        id,
        name,
        unit,
        reference,
        target,
        rounds,
        notes: Vec::new(),
    };
    let memory = vec![Round {
        reference: 64.0,
        ours: held,
    }];
    Ok(vec![
        row(
            "P10",
            name,
            "s",
            "readdir and lock probe",
            Target::AtMost(2.0),
            rounds,
        ),
        row(
            "P11",
            "server's memory for a live run".to_owned(),
            "kB",
            "limit",
            Target::AtMost(64.0),
            memory,
        ),
    ])
}

/// What a look at every attempt costs at least: read the folders and try a lock in each.
fn probe(attempts: &Path, expected: usize) -> Result<f64> {
    let begin = Instant::now();
    let mut held = 0;
    for run in fs::read_dir(attempts)? {
        let lock = File::open(run?.path().join("1/job.json")).map(|file| file.try_lock_shared());
        held += usize::from(matches!(lock, Ok(Ok(()))));
    }
    match held {
        held if held >= expected => Ok(begin.elapsed().as_secs_f64()),
        held => bail!("there are {held} attempts, expected {expected}"),
    }
}

/// Kills the server, starts it again and waits for every executor.
fn restarted(stage: &mut Stage, expected: usize) -> Result<f64> {
    stage.product.kill()?;
    let begin = Instant::now();
    stage.start()?;
    let ready = begin.elapsed().as_millis();
    let since = stage
        .product
        .sql(&format!("select now() - interval '{ready} milliseconds'"))?;
    let heard = format!(
        "select count(*) >= {expected} from run_attempts where state = 'running' and heartbeat_at > '{since}'"
    );
    stage
        .product
        .until(&heard, PATIENCE)
        .context("not every executor was heard of again")?;
    Ok(begin.elapsed().as_secs_f64())
}
