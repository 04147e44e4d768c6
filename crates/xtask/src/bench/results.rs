//! P7 and P18: pages of samples and the leaderboard of a full database, against their own statements.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Effort;
use super::comparison::{Comparison, Round, Target, alternate, wait_for};
use super::filled::Filled;
use super::generators::{Request, pgbench, wrk};
use super::http;
use super::machine::{Core, pinned, tool};
use super::script::{said, script};
use super::statements::Statement;
use super::timed;
use crate::process::{read, say};

/// Queries whose 95th percentile counts.
const QUERIES: usize = 200;
const PAGE: usize = 100;
/// What people ask for, as far as a query string says it.
const FILTERS: [&str; 7] = [
    "",
    "&mark=wrong",
    "&flag=truncated",
    "&category=counting",
    "&score_max=0.5",
    "&mark=right&category=text",
    "&search=building+year",
];
const SORTS: [&str; 4] = ["error", "disagreement", "index", "confidence"];

/// All that is measured on a full database, which takes long to make.
pub(super) fn results(effort: &Effort) -> Result<Vec<Comparison>> {
    let filled = Filled::new(effort)?;
    let mut rows = leaderboard(effort, &filled)?;
    rows.extend(samples(effort, &filled)?);
    rows.extend(super::scroll::scroll(effort, &filled)?);
    Ok(rows)
}

/// P7: filtered, sorted pages among all samples.
fn samples(effort: &Effort, filled: &Filled) -> Result<Vec<Comparison>> {
    let agreed = || {
        filled
            .product
            .sql("select count(*) from agreement_state where changes > counted")
    };
    wait_for("the agreement of models", Duration::from_secs(1_800), || {
        agreed().is_ok_and(|n| n == "0")
    })?;
    filled.product.sql("vacuum (analyze) document_agreement")?;
    let paths = pages(filled)?;
    say(format_args!(
        "reading what {QUERIES} pages of samples say to the database"
    ));
    let requests = filled.statements(&paths)?;
    requests
        .iter()
        .try_for_each(|request| filled.check_plans(request))?;
    let file = filled.file("pages.sql");
    fs::write(&file, timing(&requests)?)?;
    let mut medians = Vec::new();
    let rounds = alternate(
        effort.rounds,
        || Ok(percentile(&spoken(filled)?, 0.95)),
        || {
            let took = asked(filled, &paths)?;
            medians.push(percentile(&took, 0.5));
            Ok(percentile(&took, 0.95))
        },
    )?;
    Ok(vec![Comparison {
        id: "P7",
        name: format!(
            "p95 of {QUERIES} filtered, sorted pages of {PAGE} among {} samples",
            filled.samples
        ),
        unit: "ms",
        reference: "same SQL by psql",
        target: Target::RatioAtMost(1.5),
        rounds,
        notes: vec![
            format!("median {:.1} ms", percentile(&medians, 0.5)),
            "no plan reads a whole table".to_owned(),
        ],
    }])
}

/// Pages of the largest run and of others, in turn.
fn pages(filled: &Filled) -> Result<Vec<String>> {
    let runs = filled.product.sql(&format!(
        "select run_id from (select run_id, sum(sample_count) as n from run_benchmarks group by run_id order by n desc limit {QUERIES}) x order by n desc"
    ))?;
    let runs: Vec<&str> = runs.lines().collect();
    let path = |number: usize| {
        let run = runs.get(if number.is_multiple_of(2) { 0 } else { number })?;
        let (filter, sort) = (FILTERS[number % FILTERS.len()], SORTS[number / 2 % SORTS.len()]);
        Some(format!(
            "/api/v1/runs/{run}/samples?limit={PAGE}&sort_by={sort}{filter}"
        ))
    };
    (0..QUERIES)
        .map(|n| path(n).context("too few runs have samples"))
        .collect()
}

/// A script for psql that says how long each request's statements take.
fn timing(requests: &[Vec<Statement>]) -> Result<String> {
    let mut text = String::from("\\set ON_ERROR_STOP 1\n\\o /dev/null\n\\timing on\n");
    for request in requests {
        writeln!(text, "\\echo request")?;
        for statement in request {
            writeln!(text, "{};", said(statement))?;
        }
    }
    Ok(text)
}

/// Milliseconds of each request's statements.
fn spoken(filled: &Filled) -> Result<Vec<f64>> {
    let psql = tool("psql", "postgresql-client")?;
    let mut command: Command = pinned(Core::Load, &psql);
    command.args(["-X", "-q", "-A", "-t", "-d", &filled.product.database()?, "-f"]);
    let told = read(command.arg(filled.file("pages.sql")))?;
    let took = times(&told);
    match took.len() {
        QUERIES => Ok(took),
        n => bail!("psql tells the times of {n} requests, expected {QUERIES}"),
    }
}

fn times(told: &str) -> Vec<f64> {
    let mut took: Vec<f64> = Vec::new();
    for line in told.lines() {
        if line == "request" {
            took.push(0.0);
        }
        let time = line
            .strip_prefix("Time: ")
            .and_then(|rest| rest.split(' ').next()?.parse::<f64>().ok());
        if let (Some(last), Some(time)) = (took.last_mut(), time) {
            *last += time;
        }
    }
    took
}

/// Milliseconds of each request.
fn asked(filled: &Filled, paths: &[String]) -> Result<Vec<f64>> {
    let bearer = filled.bearer();
    let ask = |path: &String| {
        let send = || {
            http::request(
                &filled.product.address,
                "GET",
                path,
                &[("authorization", &bearer)],
                "",
            )
        };
        let ((status, body), seconds) = timed(send)?;
        if status != 200 {
            bail!("`{path}` answers {status}: {body}");
        }
        Ok(seconds * 1e3)
    };
    paths.iter().map(ask).collect()
}

fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

/// P18: the leaderboard, with the intervals that the worker stored.
fn leaderboard(effort: &Effort, filled: &Filled) -> Result<Vec<Comparison>> {
    let first = until_ranked(filled)?;
    let path = "/api/v1/leaderboard".to_owned();
    let once = filled.statements(&[path.clone(), path.clone()])?;
    filled.check_plans(&once[0])?;
    let file = filled.file("leaderboard.sql");
    fs::write(&file, script(&once[0], &once[1])?)?;
    let bearer = filled.bearer();
    let request = Request {
        url: format!("http://{}{path}", filled.product.address),
        method: "GET",
        headers: &[("Authorization", &bearer)],
        body: String::new(),
    };
    let rounds = alternate(
        effort.rounds,
        || pgbench(&filled.product, &file, effort.seconds),
        || Ok(wrk(filled.folder.path(), &request, effort.seconds)?.per_second),
    )?;
    let body = filled.product.api("GET", "/leaderboard", "")?;
    let mut rows = vec![Comparison {
        id: "P18",
        name: format!("GET /leaderboard, {} runs", effort.seed_runs),
        unit: "/s",
        reference: "pgbench, same SQL",
        target: Target::RatioAtLeast(0.5),
        rounds,
        notes: vec![
            format!(
                "{} of {} entries, {} columns",
                body["entries"].as_array().map_or(0, Vec::len),
                body["total"],
                body["columns"].as_array().map_or(0, Vec::len)
            ),
            "no plan reads a whole table; intervals are stored and say their age".to_owned(),
        ],
    }];
    rows.push(refresh(effort, filled, first)?);
    Ok(rows)
}

/// Waits for stored intervals and returns how many seconds the worker took for the whole organization.
fn until_ranked(filled: &Filled) -> Result<f64> {
    until_fresh(filled)?;
    let body = filled.product.api("GET", "/leaderboard", "")?;
    if !body["ranks"]["at"].is_string() {
        bail!(
            "the leaderboard does not say how old its intervals are: {}",
            body["ranks"]
        );
    }
    took(filled)
}

/// What the worker says the last time took it.
fn took(filled: &Filled) -> Result<f64> {
    let told = filled
        .product
        .sql("select extract(epoch from took) from board_state order by changes desc limit 1")?;
    Ok(told.parse()?)
}

fn until_fresh(filled: &Filled) -> Result<()> {
    let fresh = || {
        let left = filled
            .product
            .sql("select count(*) from board_state where changes > ranked");
        left.is_ok_and(|n| n == "0")
    };
    wait_for("the ranks", Duration::from_secs(900), fresh)
}

/// One new run among all: how long until the intervals know it.
fn refresh(effort: &Effort, filled: &Filled, first: f64) -> Result<Comparison> {
    let mut rounds = Vec::new();
    for number in 0..effort.rounds {
        filled.product.sql(&one_more(number))?;
        until_fresh(filled)?;
        let ours = took(filled)?;
        say(format_args!(
            "one more run: ranked in {ours:.3} s, all of them in {first:.3} s"
        ));
        rounds.push(Round {
            reference: first,
            ours,
        });
    }
    Ok(Comparison {
        id: "P18",
        name: "ranks after one more run".to_owned(),
        unit: "s",
        reference: "all anew",
        target: Target::Open,
        rounds,
        notes: vec![
            "only what is new is compared; the same process has compared the others before".to_owned(),
        ],
    })
}

/// The newest completed run that counts, once more with the same scores.
fn one_more(number: usize) -> String {
    let copy = format!("md5('one more {number}')::uuid");
    let pick = format!("md5('pick of one more {number}')::uuid");
    format!(
        "create temporary table old as select run_id, run_benchmark_id from board_scores where metric_name = 'acc' \
           order by ran_at desc, benchmark_id limit 1; \
         insert into runs (id, organization_id, name, model_id, checkpoint_variant, status, total_tasks, started_at, completed_at) \
         select {copy}, organization_id, 'one more', model_id, checkpoint_variant, 'completed', 1, now(), now() from runs \
           where id = (select run_id from old); \
         insert into run_benchmarks (id, organization_id, run_id, benchmark_id, name, \"order\", status) \
         select {pick}, organization_id, {copy}, benchmark_id, name, 0, 'completed' from run_benchmarks \
           where id = (select run_benchmark_id from old); \
         insert into run_metrics (id, organization_id, run_id, run_benchmark_id, benchmark_id, metric_name, metric_value, stderr, \
           higher_is_better, sample_count, conditions) \
         select gen_random_uuid(), organization_id, {copy}, {pick}, benchmark_id, metric_name, metric_value, stderr, higher_is_better, \
           sample_count, conditions from run_metrics where run_benchmark_id = (select run_benchmark_id from old)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_summed_by_request() {
        let told = "request\nTime: 1.500 ms\nTime: 2.000 ms (00:00.002)\nrequest\nTime: 4.000 ms\n";
        assert_eq!(times(told), [3.5, 4.0]);
        assert_eq!(percentile(&[3.0, 1.0, 2.0], 0.5), 2.0);
    }
}
