//! What holds after every fault, whatever it was: I1 to I9.

use super::faults_stage::House;
use super::runs_flow::{marked_processes, starts};
use super::runs_stage::{answer, try_until};
use reqwest::Method;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tokio_postgres::Row;

const LIVE: &str = "('claimed', 'submitting', 'submitted', 'starting', 'running')";

/// Stops the test when an invariant is broken.
pub(crate) async fn hold(house: &House) {
    let broken = broken(house, None).await;
    assert!(broken.is_empty(), "broken: {broken:#?}");
}

/// The same, where only the files and processes of these runs are looked at.
pub(crate) async fn hold_for(house: &House, runs: &[String]) {
    let broken = broken(house, Some(runs)).await;
    assert!(broken.is_empty(), "broken: {broken:#?}");
}

/// The invariants that are broken, with what shows it.
async fn broken(house: &House, runs: Option<&[String]>) -> Vec<String> {
    let mut broken = Vec::from_iter(settled(house).await);
    for (name, sql) in QUERIES {
        let rows = house.rows(&sql.replace("LIVE", LIVE)).await.unwrap();
        broken.extend(
            rows.iter()
                .map(|row| format!("{name}: {}", row.get::<_, String>(0))),
        );
    }
    broken.extend(terminal_is_terminal(house).await);
    broken.extend(acknowledged_runs_are_there(house).await);
    let ended = attempts(house).await.into_iter();
    for attempt in ended.filter(|a| runs.is_none_or(|runs| runs.contains(&a.run))) {
        broken.extend(no_benchmark_is_started_twice(&attempt));
        broken.extend(nothing_survives(&attempt));
        broken.extend(the_stream_is_the_file(house, &attempt).await);
    }
    broken.extend(nothing_completed_is_repeated(house).await);
    broken
}

/// Each returns a row for what breaks it.
const QUERIES: &[(&str, &str)] = &[
    (
        "I1: one live attempt per run",
        "select run_id::text from run_attempts where state in LIVE group by run_id having count(*) > 1",
    ),
    (
        "I3: an attempt ends once",
        "select run_id || ' ' || (payload->>'attempt') from run_events where kind = 'status' \
         and payload->>'attempt_state' in ('succeeded', 'failed', 'cancelled', 'lost', 'timed_out') \
         group by run_id, payload->>'attempt' having count(*) > 1",
    ),
    (
        "I3: a benchmark is committed once",
        "select run_id || ' ' || (payload->>'benchmark') from run_events where kind = 'status' \
         and payload->>'benchmark_status' = 'completed' group by run_id, payload->>'benchmark' having count(*) > 1",
    ),
    (
        "I4: epochs count up from 1",
        "select r.id::text from runs r join (select run_id, count(*) as n, min(epoch) as low, max(epoch) as high \
         from run_attempts group by run_id) a on a.run_id = r.id where low <> 1 or high <> n or high <> r.epoch",
    ),
    (
        "I4: the live attempt is the last one",
        "select a.run_id::text from run_attempts a join runs r on r.id = a.run_id \
         where a.state in LIVE and a.epoch <> r.epoch",
    ),
    (
        "I6: a GPU has one holder, who lives",
        "select gpu_uuid from gpu_allocations where released_at is null group by host, gpu_uuid having count(*) > 1 \
         union all select g.gpu_uuid from gpu_allocations g join run_attempts a on a.id = g.attempt_id \
         where g.released_at is null and a.state not in LIVE",
    ),
    (
        "I8: what runs has an attempt, and what is over has none",
        "select r.id::text from runs r where (r.status = 'running') is distinct from \
         exists (select 1 from run_attempts a where a.run_id = r.id and a.state in LIVE)",
    ),
    (
        "the sequence of a run does not overlap",
        "select run_id || ' ' || seq from (select run_id, seq, first_seq, lag(seq) over \
         (partition by run_id order by seq) as before from run_events) e where before >= first_seq",
    ),
    (
        "the sequence of a run has no gap but superseded progress",
        "select r.id::text from runs r where r.last_seq <> (select coalesce(sum(seq - first_seq + 1), 0) \
         from run_events where run_id = r.id) and not exists (select 1 from run_attempts \
         where run_id = r.id and state not in LIVE)",
    ),
    (
        "every line that was numbered is there",
        "select run_id || ' ' || seq from run_events e where kind = 'log_line' and seq - first_seq + 1 <> \
         (select count(*) from run_logs l where l.run_id = e.run_id and l.seq between e.first_seq and e.seq)",
    ),
];

/// An attempt that is over.
struct Attempt {
    id: String,
    run: String,
    epoch: i32,
    folder: PathBuf,
}

async fn attempts(house: &House) -> Vec<Attempt> {
    let sql = format!("select id::text, run_id::text, epoch from run_attempts where state not in {LIVE}");
    let of = |row: &Row| {
        let (run, epoch) = (row.get::<_, String>(1), row.get(2));
        Attempt {
            id: row.get(0),
            folder: house.stage.attempt_dir(&run, epoch),
            run,
            epoch,
        }
    };
    house.rows(&sql).await.unwrap().iter().map(of).collect()
}

/// I8: no attempt stays alive for long once its executor is gone.
async fn settled(house: &House) -> Option<String> {
    let sql = format!("select run_id::text, epoch from run_attempts where state in {LIVE}");
    let orphans = || async {
        let rows = house.rows(&sql).await.unwrap();
        let gone = |row: &&Row| house.processes(row.get(0), row.get(1)).keeper.is_none();
        rows.iter()
            .filter(gone)
            .map(|row| row.get::<_, String>(0))
            .collect::<Vec<_>>()
    };
    let settled = try_until(|| async { orphans().await.is_empty().then_some(()) }).await;
    match settled {
        Some(()) => None,
        None => Some(format!("I8: alive without an executor: {:?}", orphans().await)),
    }
}

/// I3: the database itself refuses to wake what is over.
async fn terminal_is_terminal(house: &House) -> Option<String> {
    let sql = format!("select 1 from run_attempts where state not in {LIVE}");
    if house.rows(&sql).await.unwrap().is_empty() {
        return None;
    }
    let wake = format!(
        "with woken as (update run_attempts set state = 'running' where state not in {LIVE} returning 1) \
         select 1 / (count(*) - count(*)) from woken"
    );
    // Were the update let through, the division would still undo it.
    let refused = house.rows(&wake).await.expect_err("refused or undone");
    let code = refused.code().map(|c| c.code().to_owned());
    (code.as_deref() == Some("22012")).then(|| "I3: a terminal state can be changed".to_owned())
}

/// I7
async fn acknowledged_runs_are_there(house: &House) -> Option<String> {
    let rows = house.rows("select id::text from runs").await.unwrap();
    let there: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let lost: Vec<String> = house
        .acknowledged()
        .into_iter()
        .filter(|run| !there.contains(run))
        .collect();
    (!lost.is_empty()).then(|| format!("I7: acknowledged and lost: {lost:?}"))
}

/// I2: within an attempt, as often as its job allows.
fn no_benchmark_is_started_twice(attempt: &Attempt) -> Option<String> {
    let job = std::fs::read(attempt.folder.join("job.json")).unwrap_or_default();
    let job: Value = serde_json::from_slice(&job).unwrap_or_default();
    let allowed = 1 + job["retry_benchmark"].as_u64().unwrap_or(0);
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for name in starts(&attempt.folder) {
        *counts.entry(name).or_default() += 1;
    }
    counts.retain(|_, count| *count > allowed);
    (!counts.is_empty()).then(|| format!("I2: {} {} started {counts:?}", attempt.run, attempt.epoch))
}

/// I2: across attempts, what is completed is not started again.
async fn nothing_completed_is_repeated(house: &House) -> Vec<String> {
    let sql = "select b.run_id::text, b.name, a.epoch, r.epoch from run_benchmarks b \
               join run_attempts a on a.id = b.attempt_id join runs r on r.id = b.run_id where b.status = 'completed'";
    let mut broken = Vec::new();
    for row in house.rows(sql).await.unwrap() {
        let (run, name): (String, String) = (row.get(0), row.get(1));
        let (completed_in, last): (i32, i32) = (row.get(2), row.get(3));
        for epoch in completed_in + 1..=last {
            if starts(&house.stage.attempt_dir(&run, epoch)).contains(&name) {
                broken.push(format!("I2: {run} {epoch} repeats `{name}`"));
            }
        }
    }
    broken
}

/// I5: what the server hands out is what the processes wrote.
async fn the_stream_is_the_file(house: &House, attempt: &Attempt) -> Vec<String> {
    let mut broken = Vec::new();
    for stream in ["stdout", "stderr"] {
        let file = std::fs::read(attempt.folder.join(format!("{stream}.log"))).unwrap_or_default();
        if file.is_empty() {
            continue;
        }
        let path = format!(
            "/runs/{}/logs?raw={stream}&attempt={}",
            attempt.run, attempt.epoch
        );
        let request = house.stage.request(Method::GET, &path, &house.org.viewer);
        let response = request.send().await.unwrap();
        let bytes = response.bytes().await.unwrap();
        if bytes != file {
            let (run, epoch) = (&attempt.run, attempt.epoch);
            broken.push(format!(
                "I5: {run} {epoch} {stream}: {} bytes of {}",
                bytes.len(),
                file.len()
            ));
        }
    }
    broken
}

/// I9
fn nothing_survives(attempt: &Attempt) -> Option<String> {
    let count = marked_processes(&attempt.id);
    (count > 0).then(|| format!("I9: {count} processes survive {} {}", attempt.run, attempt.epoch))
}

/// The detail of a run whose server answers.
pub(crate) async fn detail(house: &House, run: &str) -> Value {
    let path = format!("/runs/{run}");
    answer(house.stage.request(Method::GET, &path, &house.org.viewer))
        .await
        .1
}
