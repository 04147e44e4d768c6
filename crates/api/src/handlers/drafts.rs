//! Launch forms from files of lmms-eval's `--config`.

use crate::auth::{Principal, Scope};
use crate::db::{Conn, drafts};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::plan::{Draft, draft};
use crate::state::AppState;
use actix_web::web::{self, Data};
use lmms::config_file::parse_config;
use types::{ArgList, FieldError, ImportConfig, LaunchDraft, ModelId, OrganizationId, Role};

/// Reads a file of lmms-eval's `--config` into a launch form; nothing is created.
#[utoipa::path(post, path = "/api/v1/drafts", tag = "runs", operation_id = "create_draft", request_body = ImportConfig,
    responses((status = 200, body = LaunchDraft), (status = 422, body = types::Problem)))]
pub async fn create_draft(
    state: Data<AppState>,
    caller: Principal,
    file: Json<ImportConfig>,
) -> AppResult<web::Json<LaunchDraft>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let file = file.accept()?;
    let entries = parse_config(&file.yaml).map_err(|e| AppError::field("yaml", e.to_string()))?;
    let draft = draft(&entries);
    let filled = state
        .db
        .user(&caller, async |conn| {
            Ok::<_, AppError>(fill(conn, organization, draft).await?)
        })
        .await?;
    Ok(web::Json(filled))
}

async fn fill(
    conn: &mut Conn,
    organization: OrganizationId,
    draft: Draft,
) -> diesel::QueryResult<LaunchDraft> {
    let Draft {
        backend,
        model_args,
        tasks,
        config,
        mut problems,
    } = draft;
    let model_id = match &backend {
        Some(backend) => the_model(
            &drafts::models_of(conn, organization, backend).await?,
            &model_args,
        ),
        None => None,
    };
    let known = drafts::benchmarks_named(conn, organization, &tasks).await?;
    let mut benchmark_ids = Vec::new();
    for task in &tasks {
        match known.iter().find(|(name, _)| name == task) {
            Some((_, id)) => benchmark_ids.push((*id).into()),
            None => problems.push(FieldError::new(
                "tasks",
                format!("`{task}` is not in the catalogue"),
            )),
        }
    }
    Ok(LaunchDraft {
        model_id,
        backend,
        model_args,
        benchmark_ids,
        config,
        problems,
    })
}

/// The model with exactly these arguments, else the only one of the backend.
fn the_model(candidates: &[(uuid::Uuid, serde_json::Value)], wanted: &ArgList) -> Option<ModelId> {
    let arguments =
        |value: &serde_json::Value| serde_json::from_value::<ArgList>(value.clone()).unwrap_or_default();
    let same = candidates.iter().find(|(_, args)| arguments(args) == *wanted);
    let only = candidates.first().filter(|_| candidates.len() == 1);
    same.or(only).map(|(id, _)| ModelId(*id))
}
