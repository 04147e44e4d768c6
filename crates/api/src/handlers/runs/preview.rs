//! `POST /runs/preview`

use super::draft::{Draft, Picked, draft};
use crate::auth::{Principal, Scope};
use crate::error::AppResult;
use crate::json::Json;
use crate::plan;
use crate::state::AppState;
use actix_web::web;
use types::{BenchmarkPreview, CreateRun, Role, RunPreview, Warning};

/// Show what a run would execute, without executing it.
#[utoipa::path(
    post, path = "/api/v1/runs/preview",
    tag = "runs", operation_id = "preview_run", request_body = CreateRun,
    responses((status = 200, body = RunPreview), (status = 422, body = types::Problem))
)]
pub async fn preview_run(
    state: web::Data<AppState>,
    principal: Principal,
    body: Json<CreateRun>,
) -> AppResult<web::Json<RunPreview>> {
    let organization = principal.require(Role::Viewer, Scope::Read)?;
    let draft = draft(&state, &principal, organization, &body.accept()?).await?;
    Ok(web::Json(RunPreview {
        commands: plan::views(&draft.plan),
        benchmarks: draft.benchmarks.iter().map(benchmark_preview).collect(),
        total_tasks: draft.total_tasks(),
        total_samples: draft.benchmarks.iter().map(|b| b.samples).sum(),
        eta_seconds: draft.eta_seconds(),
        compute: draft.compute.clone(),
        warnings: warnings(&draft),
        checkpoint_variant: draft.resolved.checkpoint_variant.clone(),
        config_yaml: plan::config_yaml(&draft.plan),
    }))
}

fn benchmark_preview(b: &Picked) -> BenchmarkPreview {
    BenchmarkPreview {
        benchmark_id: b.row.id.into(),
        name: b.row.name.clone(),
        leaf_tasks: b.leaves.clone(),
        samples: b.samples,
        eta_seconds: b.expected_seconds.map(|s| s.ceil() as u64),
        detectable_difference: b.samples.and_then(plan::detectable_difference),
    }
}

fn warnings(draft: &Draft) -> Vec<Warning> {
    let about_run = |code: &str, message: String| Warning {
        code: code.to_owned(),
        message,
        benchmark: None,
    };
    let mut found = Vec::new();
    if draft.config.limit.is_some() || draft.config.offset.is_some() {
        found.push(about_run(
            "limit_incomparable",
            "a limit or offset evaluates a part of each task: the scores are not comparable with full runs"
                .to_owned(),
        ));
    }
    if !draft.compute.satisfiable {
        found.push(about_run("profile_unsatisfiable", draft.compute.message.clone()));
    } else if draft.compute.free < draft.compute.gpus {
        found.push(about_run("no_gpu_free", draft.compute.message.clone()));
    }
    if draft.model.archived_at.is_some() {
        found.push(about_run(
            "model_archived",
            format!("the model `{}` is archived", draft.model.name),
        ));
    }
    found.extend(draft.benchmarks.iter().flat_map(|b| benchmark_warnings(draft, b)));
    found
}

fn benchmark_warnings(draft: &Draft, b: &Picked) -> Vec<Warning> {
    let row = &b.row;
    let shots = draft.config.shots.unwrap_or(0);
    let cases = [
        (
            row.missing_since.is_some(),
            "benchmark_missing",
            "the installed lmms-eval no longer has it".to_owned(),
        ),
        (
            shots > 0 && !row.supports_fewshot,
            "fewshot_unsupported",
            format!("it has no few-shot examples: `shots: {shots}` would make it fail"),
        ),
        (
            row.needs_judge,
            "needs_judge",
            "a language model scores it, which needs a key and costs".to_owned(),
        ),
        (
            row.needs_download,
            "needs_download",
            "its data are fetched from a hub when they are not cached".to_owned(),
        ),
        (
            row.task_type.as_deref() == Some("multiple_choice"),
            "multiple_choice",
            "it compares log-likelihoods, which API backends cannot give and lmms-eval 0.7 fails to score"
                .to_owned(),
        ),
    ];
    let warning = |(_, code, message): (bool, &str, String)| Warning {
        code: code.to_owned(),
        message: format!("`{}`: {message}", row.name),
        benchmark: Some(row.name.clone()),
    };
    cases
        .into_iter()
        .filter(|(applies, ..)| *applies)
        .map(warning)
        .collect()
}
