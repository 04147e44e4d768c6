//! From a claimed run to the job of its executor.

use crate::config::{Config, MediaConfig, WorkerConfig};
use crate::db::run_benchmarks::PickRow;
use crate::plan::{self, Pick, Resolved};
use lmms::command::{CommandError, Plan, Process};
use runner::{Job, JobBenchmark, JobProcess, Limits, MediaLimits};
use std::collections::BTreeMap;
use std::time::Duration;
use types::{BenchmarkStatus, EnvValue, Isolation, RunConfig};
use uuid::Uuid;

/// What a job is made of.
pub(super) struct Source<'a> {
    pub(super) config: &'a Config,
    pub(super) run: Uuid,
    pub(super) attempt: Uuid,
    pub(super) epoch: i32,
    pub(super) settings: &'a RunConfig,
    pub(super) resolved: &'a Resolved,
    pub(super) picks: &'a [PickRow],
    pub(super) gpus: &'a [String],
}

/// The job, with the plan that it was made from.
///
/// # Errors
/// When a value cannot reach lmms-eval unchanged.
pub(super) fn job(source: &Source<'_>) -> Result<(Job, Plan), CommandError> {
    let python = plan::interpreter(&source.config.eval);
    let picks = waiting(source.picks);
    let plan = plan::commands(source.resolved, source.settings, &picks, &python)?;
    let isolation = source.settings.isolation.unwrap_or_default();
    let fallback = match isolation {
        Isolation::ModelOnce => {
            plan::plain_commands(source.resolved, source.settings, &picks, &python)?.processes
        }
        Isolation::ProcessPerBenchmark => Vec::new(),
    };
    let (env, secret_env) = environment(source.settings);
    let job = Job {
        version: runner::job::VERSION,
        run_id: source.run.into(),
        attempt_id: source.attempt.into(),
        epoch: source.epoch,
        tracking_id: source.attempt.to_string(),
        python,
        processes: processes(&plan.processes, source.picks),
        fallback_processes: processes(&fallback, source.picks),
        env,
        secret_env,
        gpus: source.gpus.to_vec(),
        endpoint_file: Some(source.config.endpoint_file().display().to_string()),
        endpoint_url: None,
        limits: limits(&source.config.worker, source.settings),
        retry_benchmark: source.settings.retry.map_or(0, |r| r.benchmark),
        isolation,
        media: media(&source.config.media),
    };
    Ok((job, plan))
}

/// The picks that this attempt has to run, at their places in the run.
fn waiting(picks: &[PickRow]) -> Vec<Pick> {
    let waits = |p: &&PickRow| p.status() == BenchmarkStatus::Pending;
    let pick = |p: &PickRow| Pick {
        order: u32::try_from(p.order).unwrap_or(0),
        name: p.name.clone(),
    };
    picks.iter().filter(waits).map(pick).collect()
}

fn processes(processes: &[Process], picks: &[PickRow]) -> Vec<JobProcess> {
    let benchmark = |b: &lmms::command::BenchmarkCommand| {
        let row = picks.iter().find(|p| u32::try_from(p.order) == Ok(b.order))?;
        Some(JobBenchmark {
            order: b.order,
            name: b.name.clone(),
            run_benchmark_id: row.id.into(),
            leaf_tasks: row.leaf_tasks.clone(),
            argv: b.argv.clone(),
            output_path: b.output_path.clone(),
        })
    };
    let process = |p: &Process| JobProcess {
        argv: p.argv.clone(),
        env_extra: BTreeMap::new(),
        benchmarks: p.benchmarks.iter().filter_map(benchmark).collect(),
    };
    processes.iter().map(process).collect()
}

/// Plain variables with their values, and the names of those that are secret.
fn environment(settings: &RunConfig) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut plain, mut secret) = (BTreeMap::new(), Vec::new());
    for (key, value) in settings.environment.iter().flatten() {
        match value {
            EnvValue::Plain(text) => drop(plain.insert(key.clone(), text.clone())),
            EnvValue::Secret { .. } => secret.push(key.clone()),
        }
    }
    (plain, secret)
}

fn media(config: &MediaConfig) -> MediaLimits {
    MediaLimits {
        max_count: config.max_count,
        max_bytes: config.max_mb.saturating_mul(1 << 20),
        max_seconds: config.max_time.as_secs(),
    }
}

fn limits(worker: &WorkerConfig, settings: &RunConfig) -> Limits {
    let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    let set = |d: Duration| Some(d.as_secs()).filter(|_| !d.is_zero());
    Limits {
        grace_int_ms: millis(worker.grace_int),
        grace_term_ms: millis(worker.grace_term),
        wall_clock_s: settings.wall_clock_limit.or_else(|| set(worker.wall_clock)),
        stall_s: set(worker.stall),
        max_log_bytes: worker.max_log_mb.saturating_mul(1 << 20),
        ..Limits::default()
    }
}
