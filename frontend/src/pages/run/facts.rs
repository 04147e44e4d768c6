//! What a run is, as facts that can be read and compared: settings, environment, progress, losses.

use std::collections::BTreeMap;

use serde_json::Value;
use types::{
    BatchSize, BenchmarkStatus, EnvValue, Isolation, MetricView, RunBenchmarkId, RunBenchmarkView, RunConfig,
    RunDetail, RunStatus, Seed,
};

use crate::{
    format::{count, duration, plural},
    status::outcome_words,
};

/// A named value.
pub type Fact = (String, String);

/// The settings that were given, in the order of the launcher.
pub fn settings(config: &RunConfig) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut put =
        |name: &str, value: Option<String>| facts.extend(value.map(|value| (name.to_owned(), value)));
    put("seed", config.seed.as_ref().map(seed));
    put("shots", config.shots.map(|n| n.to_string()));
    put("temperature", config.temperature.map(|t| t.to_string()));
    put("limit", config.limit.map(|l| l.to_string()));
    put("offset", config.offset.map(|n| n.to_string()));
    put(
        "batch_size",
        config.batch_size.as_ref().map(|size| match size {
            BatchSize::Fixed(n) => n.to_string(),
            BatchSize::Auto(text) => text.clone(),
        }),
    );
    put("repeats", config.repeats.map(|n| n.to_string()));
    put(
        "compute_profile",
        config.compute_profile.as_ref().map(|profile| {
            let each = if profile.launch == types::GpuLaunch::DataParallel {
                ", one process per GPU"
            } else {
                ""
            };
            format!("{profile}{each}")
        }),
    );
    put(
        "isolation",
        config.isolation.map(|isolation| match isolation {
            Isolation::ModelOnce => "model loaded once".to_owned(),
            Isolation::ProcessPerBenchmark => "one process per benchmark".to_owned(),
        }),
    );
    put(
        "retry",
        config.retry.map(|retry| {
            let restarts = plural(u64::from(retry.benchmark), "restart", "restarts");
            format!(
                "{restarts} of a benchmark, {}",
                plural(u64::from(retry.attempt), "new attempt", "new attempts")
            )
        }),
    );
    put(
        "wall_clock_limit",
        config.wall_clock_limit.map(|seconds| duration(seconds as f64)),
    );
    for (table, list) in [
        ("gen_kwargs", &config.gen_kwargs),
        ("model_args", &config.model_args),
    ] {
        let pairs = list.iter().flat_map(|list| &list.0);
        facts.extend(pairs.map(|(key, value)| (format!("{table}.{key}"), value.to_string())));
    }
    let variables = config.environment.iter().flatten();
    facts.extend(variables.map(|(key, value)| {
        let value = match value {
            EnvValue::Plain(text) => text.clone(),
            EnvValue::Secret { secret } => format!("secret {secret}"),
        };
        (format!("environment.{key}"), value)
    }));
    facts
}

fn seed(seed: &Seed) -> String {
    let one = |seed: &Option<u32>| seed.map_or_else(|| "None".to_owned(), |seed| seed.to_string());
    match seed {
        Seed::One(seed) => seed.to_string(),
        Seed::Four(seeds) => seeds.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

/// Model, checkpoint and picks, then the settings: what makes two runs the same.
pub fn identity(run: &RunDetail) -> Vec<Fact> {
    let mut facts = vec![
        ("model".to_owned(), run.model.name.clone()),
        ("backend".to_owned(), run.model.backend.clone()),
        ("checkpoint".to_owned(), run.model.checkpoint_variant.clone()),
    ];
    facts.extend(
        run.model
            .source
            .clone()
            .map(|source| ("source".to_owned(), source)),
    );
    let names: Vec<&str> = run.benchmarks.iter().map(|row| row.name.as_str()).collect();
    facts.push(("benchmarks".to_owned(), names.join(", ")));
    facts.extend(settings(&run.config));
    facts
}

/// A record of unknown shape as facts: keys joined by dots, lists in one line, at most 400.
pub fn record(value: &Value) -> Vec<Fact> {
    let mut facts = Vec::new();
    flatten("", value, &mut facts);
    // By name, whatever order the reader of JSON keeps.
    facts.sort();
    facts.truncate(400);
    facts
}

fn flatten(prefix: &str, value: &Value, facts: &mut Vec<Fact>) {
    let named = |key: &str| {
        if prefix.is_empty() {
            key.to_owned()
        } else {
            format!("{prefix}.{key}")
        }
    };
    match value {
        Value::Object(map) => map
            .iter()
            .for_each(|(key, value)| flatten(&named(key), value, facts)),
        Value::Null => {}
        Value::String(text) => facts.push((prefix.to_owned(), text.clone())),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let one = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            facts.push((
                prefix.to_owned(),
                items.iter().map(one).collect::<Vec<_>>().join(", "),
            ));
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, item)| flatten(&named(&at.to_string()), item, facts)),
        other => facts.push((prefix.to_owned(), other.to_string())),
    }
}

/// A fact that differs: its name, before, after.
pub type Difference = (String, Option<String>, Option<String>);

/// What differs between two lists of facts, in the order of the second, and how many are the same.
pub fn differences(before: &[Fact], after: &[Fact]) -> (Vec<Difference>, usize) {
    let find = |facts: &[Fact], name: &str| {
        facts
            .iter()
            .find(|fact| fact.0 == name)
            .map(|fact| fact.1.clone())
    };
    let gone = before.iter().filter(|fact| find(after, &fact.0).is_none());
    let names = after.iter().chain(gone).map(|fact| fact.0.clone());
    let all: Vec<Difference> = names
        .map(|name| (name.clone(), find(before, &name), find(after, &name)))
        .collect();
    let same = all.iter().filter(|(_, a, b)| a == b).count();
    (all.into_iter().filter(|(_, a, b)| a != b).collect(), same)
}

/// Documents answered and to answer over all benchmarks; none while a total is unknown.
pub fn documents(run: &RunDetail) -> Option<(u64, u64)> {
    run.benchmarks.iter().try_fold((0, 0), |(done, total), row| {
        let all = size(row)?;
        let answered = match row.status {
            BenchmarkStatus::Completed => all,
            _ => row.done.unwrap_or(0).min(all),
        };
        Some((done + answered, total + all))
    })
}

/// The documents of a benchmark, where they are known.
pub fn size(row: &RunBenchmarkView) -> Option<u64> {
    row.total.or_else(|| Some(row.sample_count).filter(|n| *n > 0))
}

/// Gives completed benchmarks the number of their documents where only their scores know it: the documents of each
/// leaf task, counted once however many filters scored them.
pub fn fill_sizes<'a>(run: &mut RunDetail, metrics: impl Iterator<Item = &'a MetricView>) {
    let mut leaves: BTreeMap<(RunBenchmarkId, &str), u64> = BTreeMap::new();
    for metric in metrics.filter(|metric| !metric.is_group && metric.slice_id.is_none()) {
        let n = metric
            .sample_count
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0);
        let known = leaves
            .entry((metric.run_benchmark_id, &metric.benchmark))
            .or_default();
        *known = (*known).max(n);
    }
    for row in run.benchmarks.iter_mut().filter(|row| row.total.is_none()) {
        let own = leaves
            .iter()
            .filter(|((id, _), _)| *id == row.id)
            .map(|(_, n)| n)
            .sum::<u64>();
        row.total = Some(own).filter(|n| *n > 0);
    }
}

/// How many benchmarks completed and failed: "2 of 3", "1 failed".
pub fn tally(run: &RunDetail) -> (usize, usize, usize) {
    let with = |status| run.benchmarks.iter().filter(|row| row.status == status).count();
    (
        with(BenchmarkStatus::Completed),
        with(BenchmarkStatus::Failed),
        run.benchmarks.len(),
    )
}

/// What a cancel loses and keeps, in sentences.
pub fn losses(run: &RunDetail) -> Vec<String> {
    if run.summary.status != RunStatus::Running {
        return vec!["The run waits in the queue; nothing has been computed yet.".to_owned()];
    }
    let running = run
        .benchmarks
        .iter()
        .filter(|row| row.status == BenchmarkStatus::Running)
        .map(|row| match (row.done, row.total) {
            (Some(done), Some(total)) => {
                format!(
                    "{} of {} answers of {} are lost.",
                    count(done),
                    count(total),
                    row.name
                )
            }
            _ => format!("What {} has computed so far is lost.", row.name),
        });
    let (completed, _, _) = tally(run);
    let waiting = run
        .benchmarks
        .iter()
        .filter(|row| row.status == BenchmarkStatus::Pending)
        .count();
    let kept = match completed {
        0 => "No benchmark is committed yet.".to_owned(),
        1 => "1 committed benchmark stays with its results.".to_owned(),
        n => format!(
            "{} committed benchmarks stay with their results.",
            count(n as i64)
        ),
    };
    let not_begun = (waiting > 0).then(|| {
        format!(
            "{} will not begin.",
            plural(waiting as u64, "benchmark", "benchmarks")
        )
    });
    running.chain([kept]).chain(not_begun).collect()
}

/// Whether a requeue has anything to do.
pub fn can_requeue(run: &RunDetail) -> bool {
    run.summary.status.is_terminal()
        && run
            .benchmarks
            .iter()
            .any(|row| row.status != BenchmarkStatus::Completed)
}

/// The cause of a benchmark's failure in one sentence that begins with its name.
pub fn cause(row: &RunBenchmarkView) -> String {
    let outcome = row.outcome.map_or("failed", outcome_words);
    match row
        .error_message
        .as_deref()
        .map(str::trim)
        .filter(|message| !message.is_empty())
    {
        Some(message) if message.contains(&row.name) => stopped(message),
        Some(message) => stopped(&format!("{} {outcome}: {message}", row.name)),
        None => stopped(&format!("{} {outcome}", row.name)),
    }
}

fn stopped(sentence: &str) -> String {
    if sentence.ends_with(['.', '!', '?']) {
        sentence.to_owned()
    } else {
        format!("{sentence}.")
    }
}

/// Documents per second of a benchmark over its whole time.
pub fn mean_rate(row: &RunBenchmarkView) -> Option<f64> {
    let (from, to) = (row.started_at?, row.completed_at?);
    let seconds = (to - from).num_milliseconds() as f64 / 1000.0;
    let answered = match row.status {
        BenchmarkStatus::Completed => size(row)?,
        _ => row.done?,
    };
    (seconds > 0.0 && answered > 0).then(|| answered as f64 / seconds)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    /// A benchmark of a run.
    pub(crate) fn benchmark(order: u32, name: &str, status: &str) -> RunBenchmarkView {
        let id = uuid::Uuid::from_u128(u128::from(order) + 1);
        serde_json::from_value(json!({
            "id": id, "benchmark_id": id, "name": name, "kind": "task", "modality": "Vision", "order": order,
            "status": status, "outcome": null, "error_message": null, "evidence": [], "degraded": null,
            "leaf_tasks": [name], "started_at": null, "completed_at": null, "done": null, "total": null,
            "phase": null, "sample_count": 0
        }))
        .expect("a benchmark of a run")
    }

    /// A run of these benchmarks.
    pub(crate) fn run(status: &str, benchmarks: Vec<RunBenchmarkView>) -> RunDetail {
        let id = uuid::Uuid::from_u128(9);
        let mut run: RunDetail = serde_json::from_value(json!({
            "id": id, "name": "r", "model_id": id, "model_name": "m", "checkpoint_variant": "latest",
            "status": status, "cancelling": false, "outcome": null, "error_message": null,
            "created_at": "2026-11-20T13:00:00Z", "started_at": null, "completed_at": null, "total_tasks": 1,
            "completed_tasks": 0, "progress_percent": 0.0, "items_per_second": null, "eta_seconds": null,
            "current_benchmark": null, "benchmark_names": [], "benchmark_counts": {}, "gpu_device_id": null,
            "queue_position": null, "created_by": null, "last_seq": 1, "degraded": false, "demo": false,
            "model": {"id": id, "name": "m", "backend": "b", "checkpoint_variant": "latest", "source": null},
            "config": {}, "benchmarks": [], "attempts": [], "metrics_snapshot": {}, "commands": [],
            "environment": {}, "timeline": []
        }))
        .expect("a run");
        run.benchmarks = benchmarks;
        run
    }

    #[test]
    fn a_cancel_names_what_is_lost() {
        let mut going = benchmark(1, "textvqa", "running");
        (going.done, going.total) = (Some(3106), Some(5000));
        let run_ = run(
            "running",
            vec![
                benchmark(0, "mme", "completed"),
                going,
                benchmark(2, "ai2d", "pending"),
            ],
        );
        let expected = [
            "3\u{202f}106 of 5\u{202f}000 answers of textvqa are lost.",
            "1 committed benchmark stays with its results.",
            "1 benchmark will not begin.",
        ];
        assert_eq!(losses(&run_), expected);
        assert_eq!(losses(&run("queued", vec![])).len(), 1);
        assert!(!can_requeue(&run_));
        assert!(can_requeue(&run("failed", vec![benchmark(0, "a", "failed")])));
        assert!(!can_requeue(&run(
            "completed",
            vec![benchmark(0, "a", "completed")]
        )));
    }

    #[test]
    fn documents_are_counted_when_all_totals_are_known() {
        let mut done = benchmark(0, "a", "completed");
        done.sample_count = 10;
        let mut going = benchmark(1, "b", "running");
        (going.done, going.total) = (Some(5), Some(20));
        assert_eq!(
            documents(&run("running", vec![done.clone(), going])),
            Some((15, 30))
        );
        assert_eq!(
            documents(&run("running", vec![done, benchmark(1, "b", "pending")])),
            None
        );
    }

    #[test]
    fn scores_know_how_many_documents_there_were() {
        let row = benchmark(0, "demo_count", "completed");
        let metric = |task: &str, filter: &str, n: i64, is_group: bool| -> MetricView {
            serde_json::from_value(json!({
                "benchmark_id": uuid::Uuid::nil(), "benchmark": task, "run_benchmark_id": row.id, "metric_name": "m",
                "filter": filter, "metric_value": 0.5, "stderr": null, "sample_count": n, "higher_is_better": true,
                "slice_id": null, "is_group": is_group, "updated_at": "2026-11-20T13:00:00Z"
            }))
            .unwrap()
        };
        let mut run = run("completed", vec![row.clone()]);
        run.benchmarks[0].sample_count = 84;
        let metrics = [
            metric("a", "strict", 42, false),
            metric("a", "flexible", 42, false),
            metric("g", "none", 50, true),
            metric("b", "none", 8, false),
        ];
        fill_sizes(&mut run, metrics.iter());
        assert_eq!(documents(&run), Some((50, 50)));
    }

    #[test]
    fn a_cause_is_one_sentence_with_the_name() {
        let mut row = benchmark(0, "ocrbench", "failed");
        assert_eq!(cause(&row), "ocrbench failed.");
        row.outcome = Some(types::Outcome::OutOfMemory);
        assert_eq!(cause(&row), "ocrbench ran out of memory.");
        row.error_message = Some("CUDA out of memory".into());
        assert_eq!(cause(&row), "ocrbench ran out of memory: CUDA out of memory.");
        row.error_message = Some("ocrbench needs a judge.".into());
        assert_eq!(cause(&row), "ocrbench needs a judge.");
    }

    #[test]
    fn facts_differ_by_name() {
        let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (found, same) = differences(
            &[fact("a", "1"), fact("b", "2"), fact("c", "3")],
            &[fact("a", "1"), fact("b", "5")],
        );
        assert_eq!(same, 1);
        assert_eq!(
            found,
            [
                ("b".into(), Some("2".into()), Some("5".into())),
                ("c".into(), Some("3".into()), None)
            ]
        );
    }

    #[test]
    fn a_record_of_any_shape_is_flattened() {
        let facts =
            record(&json!({"torch": {"version": "2.9", "cuda": null}, "gpus": ["A", 1], "x": [{"y": true}]}));
        let shown: Vec<_> = facts.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(shown, ["gpus=A, 1", "torch.version=2.9", "x.0.y=true"]);
        assert!(record(&Value::Null).is_empty());
    }

    #[test]
    fn settings_are_listed_as_they_were_given() {
        let config: RunConfig = serde_json::from_value(json!({
            "seed": [0, null, 2, 3], "limit": 8, "model_args": [["max_pixels", 5]], "wall_clock_limit": 5400,
            "environment": {"KEY": {"secret": "openai"}}
        }))
        .unwrap();
        let shown: Vec<String> = settings(&config)
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        assert_eq!(shown[0], "seed=0, None, 2, 3");
        assert_eq!(shown[1], "limit=8");
        assert_eq!(
            shown[3..],
            ["model_args.max_pixels=5", "environment.KEY=secret openai"]
        );
    }
}
