//! A request for a run, checked and resolved: what `create` stores and `preview` shows.

use super::compute;
use crate::auth::Principal;
use crate::db::planning::{self, BenchmarkRow, ModelRow};
use crate::db::{Conn, machines};
use crate::error::{AppError, AppResult};
use crate::plan::{self, Checkpoint, Model, Past, Pick, Resolved};
use crate::state::AppState;
use lmms::command::Plan;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use types::{
    BenchmarkId, ComputePreview, CreateRun, EnvValue, FieldError, MAX_BENCHMARKS, OrganizationId, RunConfig,
    check_name,
};

/// A request for a run, checked and resolved.
pub(super) struct Draft {
    pub(super) organization: OrganizationId,
    pub(super) name: String,
    pub(super) model: ModelRow,
    pub(super) benchmarks: Vec<Picked>,
    pub(super) resolved: Resolved,
    pub(super) config: RunConfig,
    pub(super) plan: Plan,
    pub(super) compute: ComputePreview,
    /// What forbids a launch, but not a look at the plan.
    pub(super) obstacles: Vec<FieldError>,
}

/// A picked benchmark.
pub(super) struct Picked {
    pub(super) row: BenchmarkRow,
    pub(super) leaves: Vec<String>,
    pub(super) samples: Option<u64>,
    pub(super) expected_seconds: Option<f64>,
}

/// What the database knows about a request.
struct Known {
    model: Option<ModelRow>,
    checkpoints: Vec<Checkpoint>,
    benchmarks: HashMap<BenchmarkId, BenchmarkRow>,
    leaf_samples: HashMap<String, u64>,
    secrets: BTreeSet<String>,
    past: Vec<planning::PastRow>,
    gpus: Vec<machines::SeenGpu>,
    reasons: Vec<(String, Option<String>)>,
}

impl Draft {
    /// Distinct leaf tasks.
    pub(super) fn total_tasks(&self) -> u32 {
        let leaves: BTreeSet<&String> = self.benchmarks.iter().flat_map(|b| &b.leaves).collect();
        u32::try_from(leaves.len()).unwrap_or(u32::MAX)
    }

    /// Expected seconds; null when one benchmark has no past.
    pub(super) fn eta_seconds(&self) -> Option<u64> {
        let seconds: Option<f64> = self.benchmarks.iter().map(|b| b.expected_seconds).sum();
        seconds.map(|s| s.ceil() as u64)
    }

    /// Expected seconds by name, as kept with the run.
    pub(super) fn expected_seconds(&self) -> BTreeMap<&str, f64> {
        let known = |b: &'_ Picked| b.expected_seconds;
        self.benchmarks
            .iter()
            .filter_map(|b| Some((b.row.name.as_str(), known(b)?)))
            .collect()
    }
}

/// Checks and resolves a request.
///
/// # Errors
/// 422 with every field that is wrong.
pub(super) async fn draft(
    state: &AppState,
    principal: &Principal,
    organization: OrganizationId,
    request: &CreateRun,
) -> AppResult<Draft> {
    let mut problems = shape_problems(request);
    if request.benchmark_ids.is_empty() || request.benchmark_ids.len() > MAX_BENCHMARKS {
        return Err(AppError::Validation(problems));
    }
    let known = state
        .db
        .user(principal, async |conn: &mut Conn| {
            known(conn, organization, request).await
        })
        .await?;
    problems.extend(known_problems(&known, organization, request));
    let (Some(model), true) = (known.model.clone(), problems.is_empty()) else {
        return Err(AppError::Validation(problems));
    };
    assemble(state, organization, request, known, model)
}

/// What can be said without the database.
fn shape_problems(request: &CreateRun) -> Vec<FieldError> {
    let mut problems = plan::settings_problems(&request.config);
    if let Some(Err(error)) = request.name.as_deref().map(check_name) {
        problems.push(FieldError::new("name", error.to_string()));
    }
    let n = request.benchmark_ids.len();
    if n == 0 || n > MAX_BENCHMARKS {
        let message = format!("has {n} entries; expected 1 to {MAX_BENCHMARKS}");
        problems.push(FieldError::new("benchmark_ids", message));
    }
    let mut seen = BTreeSet::new();
    for (i, id) in request.benchmark_ids.iter().enumerate() {
        if !seen.insert(*id) {
            problems.push(FieldError::new(
                format!("benchmark_ids[{i}]"),
                format!("is `{id}` again; expected each once"),
            ));
        }
    }
    problems
}

async fn known(conn: &mut Conn, organization: OrganizationId, request: &CreateRun) -> AppResult<Known> {
    let model = planning::model(conn, request.model_id).await?;
    let rows = planning::benchmarks(conn, &request.benchmark_ids).await?;
    let leaves: Vec<String> = rows.iter().flat_map(leaves_of).collect();
    let leaf_samples = planning::leaf_samples(conn, &leaves).await?;
    let count = |(name, n): (String, Option<i64>)| Some((name, u64::try_from(n?).ok()?));
    let checkpoint = |(variant, index, source)| Checkpoint {
        variant,
        index,
        source,
    };
    Ok(Known {
        checkpoints: planning::checkpoints(conn, request.model_id)
            .await?
            .into_iter()
            .map(checkpoint)
            .collect(),
        model,
        benchmarks: rows.into_iter().map(|r| (r.id.into(), r)).collect(),
        leaf_samples: leaf_samples.into_iter().filter_map(count).collect(),
        secrets: planning::secret_names(conn, organization).await?,
        past: planning::past(conn, organization, request.model_id, &request.benchmark_ids).await?,
        gpus: machines::gpus(conn).await?,
        reasons: machines::reasons(conn).await?,
    })
}

/// A task names itself.
fn leaves_of(row: &BenchmarkRow) -> Vec<String> {
    match (row.kind.as_str(), row.leaf_tasks.as_slice()) {
        ("task", []) => vec![row.name.clone()],
        (_, leaves) => leaves.to_vec(),
    }
}

fn known_problems(known: &Known, organization: OrganizationId, request: &CreateRun) -> Vec<FieldError> {
    let mut problems = Vec::new();
    match &known.model {
        Some(m) if m.organization_id == organization.0 => {}
        _ => problems.push(FieldError::new(
            "model_id",
            format!("is `{}`, which is no model here", request.model_id),
        )),
    }
    for (i, id) in request.benchmark_ids.iter().enumerate() {
        let here = |b: &BenchmarkRow| b.organization_id.is_none_or(|o| o == organization.0);
        if !known.benchmarks.get(id).is_some_and(here) {
            let message = format!("is `{id}`, which is no benchmark here");
            problems.push(FieldError::new(format!("benchmark_ids[{i}]"), message));
        }
    }
    let secrets = request.config.environment.iter().flatten();
    problems.extend(secrets.filter_map(|(key, value)| match value {
        EnvValue::Secret { secret } if !known.secrets.contains(secret) => Some(FieldError::new(
            format!("config.environment.{key}"),
            format!("names the secret `{secret}`; expected one that is stored"),
        )),
        _ => None,
    }));
    problems
}

fn assemble(
    state: &AppState,
    organization: OrganizationId,
    request: &CreateRun,
    known: Known,
    model: ModelRow,
) -> AppResult<Draft> {
    let config = request.config.clone();
    let benchmarks = picked(&known, request);
    refuse_contained(&benchmarks)?;
    let folders = include_paths(&benchmarks)?;
    let source = Model {
        backend: model.backend.clone(),
        model_args: serde_json::from_value(model.model_args.clone()).unwrap_or_default(),
        source: model.source.clone(),
        checkpoints: known.checkpoints,
    };
    let resolved = plan::resolve(&source, &request.checkpoint_variant, &config, folders)
        .map_err(|e| AppError::field("checkpoint_variant", e.to_string()))?;
    let python = plan::interpreter(&state.config.eval);
    let plan = plan::commands(&resolved, &config, &picks(&benchmarks), &python)
        .map_err(|e| AppError::Validation(vec![plan::field_of(&e)]))?;
    let compute = compute::preview(config.compute_profile.as_ref(), &known.gpus, &known.reasons);
    Ok(Draft {
        organization,
        name: name_of(request, &model, &benchmarks),
        obstacles: obstacles(&model, &benchmarks, &compute),
        model,
        benchmarks,
        resolved,
        config,
        plan,
        compute,
    })
}

fn picked(known: &Known, request: &CreateRun) -> Vec<Picked> {
    let config = &request.config;
    let pick = |id: &BenchmarkId| {
        let row = known.benchmarks.get(id)?.clone();
        let leaves = leaves_of(&row);
        let own = |name: &String| known.leaf_samples.get(name).copied();
        let counts: Vec<Option<u64>> = leaves.iter().map(own).collect();
        let samples = plan::samples_of(&counts, config.limit, config.offset);
        let past: Vec<Past> = known
            .past
            .iter()
            .filter(|p| p.benchmark_id == row.id)
            .map(past_of)
            .collect();
        let expected_seconds = plan::expected_seconds(&past, samples);
        Some(Picked {
            row,
            leaves,
            samples,
            expected_seconds,
        })
    };
    request.benchmark_ids.iter().filter_map(pick).collect()
}

fn past_of(row: &planning::PastRow) -> Past {
    Past {
        same_model: row.same_model,
        seconds: row.seconds,
        samples: u64::try_from(row.samples).unwrap_or(0),
    }
}

fn picks(benchmarks: &[Picked]) -> Vec<Pick> {
    let pick = |(order, b): (u32, &Picked)| Pick {
        order,
        name: b.row.name.clone(),
    };
    (0..).zip(benchmarks).map(pick).collect()
}

fn refuse_contained(benchmarks: &[Picked]) -> AppResult<()> {
    let leaves: Vec<Vec<String>> = benchmarks.iter().map(|b| b.leaves.clone()).collect();
    let problem = |(inner, outer): (usize, usize)| {
        let (name, other) = (&benchmarks[inner].row.name, &benchmarks[outer].row.name);
        let message = format!("is `{name}`, which `{other}` already contains; expected one of the two");
        FieldError::new(format!("benchmark_ids[{inner}]"), message)
    };
    let problems: Vec<_> = plan::contained_picks(&leaves).into_iter().map(problem).collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(AppError::Validation(problems))
    }
}

/// lmms-eval takes one folder of further tasks.
fn include_paths(benchmarks: &[Picked]) -> AppResult<Vec<String>> {
    let folders: BTreeSet<&String> = benchmarks
        .iter()
        .map(|b| &b.row.origin)
        .filter(|o| o.starts_with('/'))
        .collect();
    if folders.len() > 1 {
        let list: Vec<_> = folders.iter().map(|f| f.as_str()).collect();
        let message = format!(
            "come from {}; expected one task folder per run",
            list.join(" and ")
        );
        return Err(AppError::field("benchmark_ids", message));
    }
    Ok(folders.into_iter().cloned().collect())
}

fn obstacles(model: &ModelRow, benchmarks: &[Picked], compute: &ComputePreview) -> Vec<FieldError> {
    let mut obstacles = Vec::new();
    if model.archived_at.is_some() {
        obstacles.push(FieldError::new(
            "model_id",
            format!("is `{}`, which is archived", model.name),
        ));
    }
    for (i, b) in benchmarks
        .iter()
        .enumerate()
        .filter(|(_, b)| b.row.missing_since.is_some())
    {
        let message = format!("is `{}`, which the installed lmms-eval no longer has", b.row.name);
        obstacles.push(FieldError::new(format!("benchmark_ids[{i}]"), message));
    }
    if !compute.satisfiable {
        obstacles.push(FieldError::new("config.compute_profile", compute.message.clone()));
    }
    obstacles
}

fn name_of(request: &CreateRun, model: &ModelRow, benchmarks: &[Picked]) -> String {
    if let Some(Ok(name)) = request.name.as_deref().map(check_name) {
        return name.to_owned();
    }
    let first = benchmarks.first().map_or("", |b| b.row.name.as_str());
    let rest = match benchmarks.len() {
        0 | 1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    format!("{} on {first}{rest}", model.name)
        .chars()
        .take(types::MAX_NAME)
        .collect()
}
