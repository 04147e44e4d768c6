//! P4 and P5: the list of runs and the creation of one, against their own statements and against MLflow.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::comparison::{Comparison, Round, Target, alternate};
use super::generators::{Request, Throughput, pgbench, scripted, wrk};
use super::machine::with_share;
use super::mlflow::{self, Mlflow};
use super::product::serve;
use super::script::script;
use super::seed::{MODEL, old_runs};
use super::stage::Stage;
use super::statements::{Statement, capture};
use super::{Effort, http};
use crate::process::say;
use crate::workspace::scratch;

/// The name under which the second server's statements are found in the log.
const CAPTURED: &str = "capture";
const PAGE: usize = 100;
/// A generator busier than this measures itself.
const BUSY: f64 = 0.7;

/// A product with runs in its database.
struct Full {
    stage: Stage,
}

impl Full {
    /// One run that never ends holds the only place: nothing else is executed, for what is measured is the request.
    fn new(runs: usize) -> Result<Self> {
        let stage = Stage::new("runs", &[("LMMS_MAX_PARALLEL", "1")])?;
        stage.child("exec sleep 3600")?;
        stage.create()?;
        say(format_args!("filling the database with {runs} runs"));
        stage.product.sql(&old_runs(runs))?;
        Ok(Self { stage })
    }

    fn folder(&self) -> &Path {
        self.stage.folder.path()
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.stage.product.token)
    }

    /// The statements of one request, as a script for pgbench, which stays for people to look at.
    fn limit(&self, name: &str, method: &str, path: &str, body: &str) -> Result<PathBuf> {
        let product = &self.stage.product;
        let (_server, address) = serve(product, CAPTURED, &[("LMMS_DB_POOL", "1")])?;
        let bearer = self.bearer();
        let send = || http::json(&address, method, path, &[("authorization", &bearer)], body).map(drop);
        // The first ones look up types and prepare statements.
        send()?;
        send()?;
        let take = || -> Result<Vec<Statement>> { capture(product, CAPTURED, send) };
        let file = scratch()?.join(name);
        fs::write(&file, script(&take()?, &take()?)?)?;
        Ok(file)
    }
}

/// P4: the list, at this many runs.
pub(super) fn list(effort: &Effort) -> Result<Vec<Comparison>> {
    listing(effort, &Full::new(effort.runs)?)
}

/// P5: the creation of a run.
pub(super) fn create(effort: &Effort) -> Result<Vec<Comparison>> {
    creating(effort, &Full::new(effort.runs)?)
}

/// Started only when its turn has come: at rest it takes time from whatever else is measured.
fn peer(effort: &Effort) -> Result<Option<Mlflow>> {
    if effort.without_mlflow {
        return Ok(None);
    }
    let mut mlflow = Mlflow::prepare(effort.runs)?;
    mlflow.start()?;
    Ok(Some(mlflow))
}

fn listing(effort: &Effort, full: &Full) -> Result<Vec<Comparison>> {
    let path = format!("/api/v1/runs?limit={PAGE}");
    check_page(
        &full
            .stage
            .product
            .api("GET", &format!("/runs?limit={PAGE}"), "")?,
        effort.runs,
    )?;
    let limit = full.limit("list.sql", "GET", &path, "")?;
    let url = format!("http://{}{path}", full.stage.product.address);
    let bearer = full.bearer();
    let request = Request {
        url,
        method: "GET",
        headers: &[("Authorization", &bearer)],
        body: String::new(),
    };
    let name = format!("GET /runs?limit={PAGE}, {} runs", effort.runs);
    let ours = || wrk(full.folder(), &request, effort.seconds);
    let mut done = vec![against_pgbench(
        effort,
        full,
        ("P4", name.clone(), Target::RatioAtLeast(0.6)),
        &limit,
        ours,
    )?];
    if let Some(mlflow) = peer(effort)? {
        let url = format!("http://{}/api/2.0/mlflow/runs/search", mlflow.address);
        let request = Request {
            url,
            method: "POST",
            headers: &[],
            body: mlflow::search(PAGE).to_string(),
        };
        let theirs = || Ok(wrk(full.folder(), &request, effort.seconds)?.per_second);
        done.push(against_mlflow(
            effort,
            ("P4", name, Target::RatioAtLeast(100.0)),
            theirs,
            || mlflow.while_still(ours),
        )?);
    }
    Ok(done)
}

fn check_page(page: &Value, runs: usize) -> Result<()> {
    let rows = page["runs"].as_array().map_or(0, Vec::len);
    match (rows, page["total"].as_u64()) {
        (PAGE, Some(total)) if total >= runs as u64 => Ok(()),
        (rows, total) => bail!("the page has {rows} of {total:?} runs, expected {PAGE} of {runs}"),
    }
}

fn creating(effort: &Effort, full: &Full) -> Result<Vec<Comparison>> {
    let path = "/api/v1/runs/create";
    let picks = full
        .stage
        .product
        .sql("select json_agg(id) from benchmarks where name in ('bench_1', 'bench_2', 'bench_3')")?;
    let picks: Value = serde_json::from_str(&picks)?;
    let body = json!({"model_id": MODEL, "benchmark_ids": picks, "config": {"limit": 8}}).to_string();
    let limit = full.limit("create.sql", "POST", path, &body)?;
    let url = format!("http://{}{path}", full.stage.product.address);
    let bearer = full.bearer();
    let request = Request {
        url,
        method: "POST",
        headers: &[("Authorization", &bearer)],
        body,
    };
    let name = "POST /runs/create".to_owned();
    let ours = || wrk(full.folder(), &request, effort.seconds);
    let mut done = vec![against_pgbench(
        effort,
        full,
        ("P5", name.clone(), Target::RatioAtLeast(0.5)),
        &limit,
        ours,
    )?];
    if let Some(mlflow) = peer(effort)? {
        let url = format!("http://{}", mlflow.address);
        // Two requests make one run.
        let theirs = || Ok(scripted(full.folder(), mlflow::CREATE, &url, effort.seconds)?.per_second / 2.0);
        done.push(against_mlflow(
            effort,
            ("P5", name, Target::RatioAtLeast(20.0)),
            theirs,
            || mlflow.while_still(ours),
        )?);
    }
    Ok(done)
}

type Row = (&'static str, String, Target);

fn against_pgbench(
    effort: &Effort,
    full: &Full,
    (id, name, target): Row,
    limit: &Path,
    ours: impl Fn() -> Result<Throughput>,
) -> Result<Comparison> {
    let (mut p99, mut busiest) = (Vec::new(), 0.0_f64);
    let rounds = alternate(
        effort.rounds,
        || pgbench(&full.stage.product, limit, effort.seconds),
        || {
            let (through, share) = with_share(&ours)?;
            p99.push(through.p99);
            busiest = busiest.max(share);
            Ok(through.per_second)
        },
    )?;
    let mut notes = vec![format!("p99 {:.1} ms", super::comparison::spread(&p99)[0])];
    if busiest > BUSY {
        notes.push(format!(
            "void: the generator took {:.0} % of a core",
            busiest * 100.0
        ));
    }
    Ok(row((id, name, target), "pgbench, same SQL", rounds, notes))
}

fn against_mlflow(
    effort: &Effort,
    head: Row,
    theirs: impl FnMut() -> Result<f64>,
    ours: impl Fn() -> Result<Throughput>,
) -> Result<Comparison> {
    let rounds = alternate(effort.rounds, theirs, || Ok(ours()?.per_second))?;
    Ok(row(head, "MLflow", rounds, Vec::new()))
}

fn row(
    (id, name, target): Row,
    reference: &'static str,
    rounds: Vec<Round>,
    notes: Vec<String>,
) -> Comparison {
    Comparison {
        id,
        name,
        unit: "/s",
        reference,
        target,
        rounds,
        notes,
    }
}
