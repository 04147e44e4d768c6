//! What the form holds, as text, and the run that it asks for. No browser here.

use types::{
    BatchSize, BenchmarkId, ComputeProfile, CreateRun, FieldError, GpuLaunch, Isolation, ModelId, Retry,
    RunConfig,
};

use super::{
    args::ArgRow,
    catalogue::Catalogue,
    reading::{Reader, batch_size, env_rows, rows_of, seconds, seconds_text, seed, seed_text},
};

const MAX_NEW_TOKENS: &str = "max_new_tokens";
const TOP_P: &str = "top_p";

/// The form, field by field, as it was typed. An empty field adds no flag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Form {
    /// A name for people.
    pub name: String,
    /// The model's id.
    pub model: String,
    /// The checkpoint; empty for the latest.
    pub checkpoint: String,
    /// Names of the picked benchmarks, in order.
    pub tasks: Vec<String>,
    /// One number, or four separated by commas.
    pub seed: String,
    /// Few-shot examples.
    pub shots: String,
    /// Sampling temperature.
    pub temperature: String,
    /// Number of documents, or a fraction.
    pub limit: String,
    /// Index of the first document.
    pub offset: String,
    /// A number, `auto` or `auto:N`.
    pub batch_size: String,
    /// Answers per question.
    pub repeats: String,
    /// The hardware: `cpu`, `2×A100-80GB`.
    pub compute: String,
    /// One process per GPU instead of one for all.
    pub data_parallel: bool,
    /// One process per benchmark instead of one model for all.
    pub separate: bool,
    /// How often a benchmark that killed its process is started again.
    pub retry_benchmark: String,
    /// How many new attempts follow a lost one.
    pub retry_attempt: String,
    /// Longest duration: `90`, `90 min`, `2 h`.
    pub wall_clock: String,
    /// The longest answer, in tokens: the generation argument `max_new_tokens`.
    pub max_new_tokens: String,
    /// Nucleus sampling: the generation argument `top_p`.
    pub top_p: String,
    /// Further generation arguments.
    pub gen_kwargs: Vec<ArgRow>,
    /// Arguments of the model.
    pub model_args: Vec<ArgRow>,
    /// Environment of the processes.
    pub environment: Vec<EnvRow>,
}

/// One variable of the environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EnvRow {
    /// Its name.
    pub key: String,
    /// Its value, or the name of a secret.
    pub value: String,
    /// The value is the name of a secret.
    pub secret: bool,
}

impl Form {
    /// The run that this form asks for.
    ///
    /// # Errors
    /// Every field that cannot be read or is out of range, named as the server names it.
    pub fn request(&self, catalogue: &Catalogue) -> Result<CreateRun, Vec<FieldError>> {
        let mut faults = Vec::new();
        let model_id: Option<ModelId> = self.model.parse().ok();
        if model_id.is_none() {
            faults.push(FieldError::new("model_id", "choose a model"));
        }
        let benchmark_ids = self.benchmark_ids(catalogue, &mut faults);
        let config = self.config(&mut faults);
        faults.extend(config.problems());
        match (model_id, faults.is_empty()) {
            (Some(model_id), true) => Ok(CreateRun {
                name: Some(self.name.trim().to_owned()).filter(|name| !name.is_empty()),
                model_id,
                benchmark_ids,
                checkpoint_variant: if self.checkpoint.is_empty() {
                    "latest".into()
                } else {
                    self.checkpoint.clone()
                },
                config,
            }),
            _ => Err(faults),
        }
    }

    fn benchmark_ids(&self, catalogue: &Catalogue, faults: &mut Vec<FieldError>) -> Vec<BenchmarkId> {
        if self.tasks.is_empty() {
            faults.push(FieldError::new("benchmark_ids", "choose at least one benchmark"));
        }
        let found = self.tasks.iter().filter_map(|name| match catalogue.find(name) {
            Some(row) => Some(row.id),
            None => {
                faults.push(FieldError::new(
                    "benchmark_ids",
                    format!("“{name}” is not in the catalogue"),
                ));
                None
            }
        });
        found.collect()
    }

    fn config(&self, faults: &mut Vec<FieldError>) -> RunConfig {
        let mut read = Reader(faults);
        RunConfig {
            seed: read.with(
                "seed",
                &self.seed,
                "a whole number, or four separated by commas",
                seed,
            ),
            shots: read.number("shots", &self.shots),
            temperature: read.with("temperature", &self.temperature, "a number", |t| t.parse().ok()),
            gen_kwargs: read.arguments("gen_kwargs", &self.generation()),
            limit: read.with(
                "limit",
                &self.limit,
                "a whole number, or a fraction below 1",
                |t| t.parse().ok(),
            ),
            offset: read.number("offset", &self.offset),
            batch_size: Some(self.batch_size.trim())
                .filter(|text| !text.is_empty())
                .map(batch_size),
            repeats: read.number("repeats", &self.repeats),
            compute_profile: self.profile(&mut read),
            model_args: read.arguments("model_args", &self.model_args),
            environment: read.environment(&self.environment),
            isolation: self.separate.then_some(Isolation::ProcessPerBenchmark),
            retry: self.retry(&mut read),
            wall_clock_limit: read.with(
                "wall_clock_limit",
                &self.wall_clock,
                "a duration: `90 min`, `2 h`",
                seconds,
            ),
        }
    }

    /// All generation arguments: those with a field of their own, then the others.
    fn generation(&self) -> Vec<ArgRow> {
        let own = [(MAX_NEW_TOKENS, &self.max_new_tokens), (TOP_P, &self.top_p)];
        let own = own.into_iter().filter(|(_, value)| !value.trim().is_empty());
        let own = own.map(|(key, value)| ArgRow {
            key: key.to_owned(),
            value: value.trim().to_owned(),
        });
        own.chain(self.gen_kwargs.iter().cloned()).collect()
    }

    /// Gives generation arguments that have a field of their own to it.
    pub fn sort_generation(&mut self) {
        let mut take = |key: &str| {
            let at = self.gen_kwargs.iter().position(|row| row.key.trim() == key)?;
            Some(self.gen_kwargs.remove(at).value)
        };
        let (tokens, top_p) = (take(MAX_NEW_TOKENS), take(TOP_P));
        self.max_new_tokens = tokens.unwrap_or_default();
        self.top_p = top_p.unwrap_or_default();
    }

    fn profile(&self, read: &mut Reader<'_>) -> Option<ComputeProfile> {
        let wanted = "e.g. `cpu`, `24GB`, `2×A100-80GB`";
        let mut profile = read.with("compute_profile", &self.compute, wanted, |text| {
            text.parse::<ComputeProfile>().ok()
        })?;
        if self.data_parallel && profile.gpus > 1 {
            profile.launch = GpuLaunch::DataParallel;
        }
        Some(profile)
    }

    fn retry(&self, read: &mut Reader<'_>) -> Option<Retry> {
        let benchmark = read.number("retry.benchmark", &self.retry_benchmark);
        let attempt = read.number("retry.attempt", &self.retry_attempt);
        (benchmark.is_some() || attempt.is_some()).then(|| Retry {
            benchmark: benchmark.unwrap_or(0),
            attempt: attempt.unwrap_or(0),
        })
    }

    /// The form of a run that exists: "same as run X".
    pub fn of_run(model: ModelId, checkpoint: &str, tasks: Vec<String>, config: &RunConfig) -> Self {
        let text = |value: Option<String>| value.unwrap_or_default();
        let profile = config.compute_profile.as_ref();
        let mut form = Self {
            name: String::new(),
            model: model.to_string(),
            checkpoint: checkpoint.to_owned(),
            tasks,
            seed: text(config.seed.as_ref().map(seed_text)),
            shots: text(config.shots.map(|n| n.to_string())),
            temperature: text(config.temperature.map(|t| t.to_string())),
            limit: text(config.limit.map(|l| l.to_string())),
            offset: text(config.offset.map(|n| n.to_string())),
            batch_size: text(config.batch_size.as_ref().map(|size| match size {
                BatchSize::Fixed(n) => n.to_string(),
                BatchSize::Auto(text) => text.clone(),
            })),
            repeats: text(config.repeats.map(|n| n.to_string())),
            compute: text(profile.map(ToString::to_string)),
            data_parallel: profile.is_some_and(|profile| profile.launch == GpuLaunch::DataParallel),
            separate: config.isolation == Some(Isolation::ProcessPerBenchmark),
            retry_benchmark: text(config.retry.map(|r| r.benchmark.to_string())),
            retry_attempt: text(config.retry.map(|r| r.attempt.to_string())),
            wall_clock: text(config.wall_clock_limit.map(seconds_text)),
            max_new_tokens: String::new(),
            top_p: String::new(),
            gen_kwargs: rows_of(config.gen_kwargs.as_ref()),
            model_args: rows_of(config.model_args.as_ref()),
            environment: env_rows(config.environment.as_ref()),
        };
        form.sort_generation();
        form
    }

    /// How many settings differ from "left alone".
    pub fn changed(&self) -> usize {
        let texts = [
            &self.seed,
            &self.shots,
            &self.temperature,
            &self.limit,
            &self.offset,
            &self.batch_size,
            &self.repeats,
            &self.compute,
            &self.retry_benchmark,
            &self.retry_attempt,
            &self.wall_clock,
            &self.max_new_tokens,
            &self.top_p,
        ];
        let rows = self
            .gen_kwargs
            .iter()
            .chain(&self.model_args)
            .filter(|row| !row.is_blank())
            .count();
        let env = self.environment.iter().filter(|row| !row.key.is_empty()).count();
        texts.iter().filter(|text| !text.trim().is_empty()).count()
            + rows
            + env
            + usize::from(self.separate)
            + usize::from(self.data_parallel)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;
    use types::{BenchmarkView, Seed};

    /// A row of the catalogue.
    pub(crate) fn benchmark(name: &str, more: serde_json::Value) -> BenchmarkView {
        let mut row = json!({
            "id": uuid::Uuid::from_u128(name.bytes().fold(7, |sum, b| sum * 31 + u128::from(b))), "name": name,
            "kind": "task", "modality": "Vision", "category": "VQA", "task_type": "generate_until",
            "primary_metrics": ["acc"], "secondary_metrics": [], "metrics": [], "num_samples": null,
            "description": null, "tags": [], "leaf_tasks": [name], "dataset": null, "supports_fewshot": false,
            "num_fewshot": null, "generation_kwargs": {}, "needs_judge": false, "needs_download": false,
            "origin": "installed", "missing": false, "created_at": "2026-11-20T13:00:00Z"
        });
        if let (Some(row), Some(more)) = (row.as_object_mut(), more.as_object()) {
            row.extend(more.clone());
        }
        serde_json::from_value(row).expect("a row of the catalogue")
    }

    fn full() -> Form {
        Form {
            model: "0198c4aa-1111-7222-8333-444455557f3a".into(),
            checkpoint: "rl-400".into(),
            tasks: vec!["mme".into()],
            seed: "0,None,2,3".into(),
            shots: "5".into(),
            temperature: "0.7".into(),
            max_new_tokens: "64".into(),
            gen_kwargs: vec![ArgRow {
                key: "do_sample".into(),
                value: "True".into(),
            }],
            limit: "8".into(),
            batch_size: "auto:4".into(),
            compute: "2×A100-80GB".into(),
            data_parallel: true,
            separate: true,
            retry_attempt: "1".into(),
            wall_clock: "1.5 h".into(),
            model_args: vec![ArgRow {
                key: "max_pixels".into(),
                value: "1003520".into(),
            }],
            environment: vec![EnvRow {
                key: "OPENAI_API_KEY".into(),
                value: "openai".into(),
                secret: true,
            }],
            ..Form::default()
        }
    }

    #[test]
    fn nothing_typed_is_nothing_sent() {
        let rows = Catalogue::new(vec![benchmark("mme", json!({}))]);
        let form = Form {
            tasks: vec!["mme".into()],
            model: full().model,
            ..Form::default()
        };
        let run = form.request(&rows).unwrap();
        assert_eq!(run.config, RunConfig::default());
        assert_eq!((run.name, run.checkpoint_variant.as_str()), (None, "latest"));
        assert_eq!(form.changed(), 0);
    }

    #[test]
    fn a_run_and_its_form_are_the_same() {
        let rows = Catalogue::new(vec![benchmark("mme", json!({}))]);
        let run = full().request(&rows).unwrap();
        assert_eq!(
            run.config.seed,
            Some(Seed::Four([Some(0), None, Some(2), Some(3)]))
        );
        assert_eq!(run.config.wall_clock_limit, Some(5400));
        let keys: Vec<_> = run
            .config
            .gen_kwargs
            .iter()
            .flat_map(|list| &list.0)
            .map(|(key, _)| key.as_str())
            .collect();
        assert_eq!(keys, ["max_new_tokens", "do_sample"]);
        assert_eq!(
            run.config.compute_profile.as_ref().unwrap().launch,
            GpuLaunch::DataParallel
        );
        let again = Form::of_run(
            run.model_id,
            &run.checkpoint_variant,
            vec!["mme".into()],
            &run.config,
        );
        assert_eq!(again.request(&rows).unwrap(), run);
    }

    #[test]
    fn what_cannot_be_read_is_named_like_on_the_server() {
        let form = Form {
            seed: "x".into(),
            shots: "-1".into(),
            limit: "2.5".into(),
            batch_size: "many".into(),
            wall_clock: "2 weeks".into(),
            tasks: vec!["nope".into()],
            ..Form::default()
        };
        let faults = form.request(&Catalogue::default()).unwrap_err();
        let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        let expected = [
            "model_id",
            "benchmark_ids",
            "config.seed",
            "config.shots",
            "config.wall_clock_limit",
            "config.limit",
            "config.batch_size",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn the_own_benchmark_comes_before_the_installed_one() {
        let own = benchmark(
            "mme",
            json!({"origin": "/tasks", "id": "0198c4aa-1111-7222-8333-444455557f3a"}),
        );
        let rows = Catalogue::new(vec![benchmark("mme", json!({})), own.clone()]);
        assert_eq!(rows.find("mme"), Some(&own));
    }
}
