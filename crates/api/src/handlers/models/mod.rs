//! Models and their checkpoints.

mod problems;

use crate::auth::{Principal, Scope};
use crate::db::models::{self, CheckpointChange, ModelChange, NewCheckpoint, NewModel};
use crate::db::{Conn, board, indexed, runs};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, Query};
use chrono::Utc;
use problems::{checkpoint_problems, create_problems, metadata_problem, text_problem, update_problems};
use serde::Deserialize;
use serde_json::{Value, json};
use types::{
    BackendList, BackendView, CheckpointId, CheckpointView, CreateCheckpoint, CreateModel, FieldError,
    ModelDetail, ModelId, ModelList, ModelView, OrganizationId, Problem, Role, SliceId, UpdateCheckpoint,
    UpdateModel,
};
use uuid::Uuid;

/// Runs of a model that are shown with it.
const SHOWN_RUNS: i64 = 200;

/// All models.
#[utoipa::path(get, path = "/api/v1/models", operation_id = "list_models", tag = "catalogue",
    responses((status = 200, body = ModelList)))]
pub async fn list_models(state: Data<AppState>, caller: Principal) -> AppResult<web::Json<ModelList>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let models = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(models::list(conn, organization).await?)
        })
        .await?;
    Ok(web::Json(ModelList { models }))
}

/// What is shown of a model.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetModel {
    /// Scores over the samples of this slice only.
    slice_id: Option<SliceId>,
}

/// A model with its runs.
#[utoipa::path(get, path = "/api/v1/models/{model_id}", operation_id = "get_model", tag = "catalogue",
    params(("model_id" = ModelId, Path), GetModel),
    responses((status = 200, body = ModelDetail), (status = 404, body = Problem)))]
pub async fn get_model(
    state: Data<AppState>,
    caller: Principal,
    id: Path<ModelId>,
    query: Query<GetModel>,
) -> AppResult<web::Json<ModelDetail>> {
    let detail = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            let (organization, model) = visible(conn, *id).await?;
            caller.require_in(organization, Role::Viewer, Scope::Read)?;
            let filter = runs::Filter {
                organization: Some(organization),
                model: Some(*id),
                ..runs::Filter::default()
            };
            let runs = runs::list(conn, &filter, SHOWN_RUNS, 0).await?;
            let scores = board::of_model(conn, id.0, query.slice_id.map(|slice| slice.0)).await?;
            Ok(ModelDetail { model, runs, scores })
        })
        .await?;
    Ok(web::Json(detail))
}

/// Add a model.
#[utoipa::path(post, path = "/api/v1/models", operation_id = "create_model", tag = "catalogue", request_body = CreateModel,
    responses((status = 201, body = ModelView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn create_model(
    state: Data<AppState>,
    caller: Principal,
    wanted: Json<CreateModel>,
) -> AppResult<HttpResponse> {
    let organization = caller.require(Role::Editor, Scope::Models)?;
    let wanted = wanted.accept()?;
    refuse(create_problems(&wanted))?;
    let id = ModelId(Uuid::now_v7());
    let name = wanted.name.trim().to_owned();
    let checkpoints = wanted.checkpoints.clone();
    let model = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            known_backend(conn, &wanted.backend).await?;
            models::insert(conn, &new_model(wanted, id, organization, &caller)).await?;
            for (place, checkpoint) in (0..).zip(checkpoints) {
                let index = checkpoint.checkpoint_index.unwrap_or(place);
                models::insert_checkpoint(conn, &new_checkpoint(checkpoint, id, organization, index)).await?;
            }
            Ok(visible(conn, id).await?.1)
        })
        .await
        .map_err(|e| taken(e, "model", &name))?;
    Ok(HttpResponse::Created().json(model))
}

/// Change a model, archive it or bring it back.
#[utoipa::path(patch, path = "/api/v1/models/{model_id}", operation_id = "update_model", tag = "catalogue",
    params(("model_id" = ModelId, Path)), request_body = UpdateModel,
    responses((status = 200, body = ModelView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn update_model(
    state: Data<AppState>,
    caller: Principal,
    id: Path<ModelId>,
    wanted: Json<UpdateModel>,
) -> AppResult<web::Json<ModelView>> {
    changeable(&state, &caller, *id).await?;
    let wanted = wanted.accept()?;
    refuse(update_problems(&wanted))?;
    let name = wanted.name.clone().unwrap_or_default();
    let model = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            if let Some(backend) = &wanted.backend {
                known_backend(conn, backend).await?;
            }
            if wanted != UpdateModel::default() {
                models::update(conn, *id, &change_of(wanted)).await?;
            }
            Ok(visible(conn, *id).await?.1)
        })
        .await
        .map_err(|e| taken(e, "model", name.trim()))?;
    Ok(web::Json(model))
}

/// Add a checkpoint to a model.
#[utoipa::path(post, path = "/api/v1/models/{model_id}/checkpoints", operation_id = "create_checkpoint", tag = "catalogue",
    params(("model_id" = ModelId, Path)), request_body = CreateCheckpoint,
    responses((status = 201, body = CheckpointView), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub async fn create_checkpoint(
    state: Data<AppState>,
    caller: Principal,
    id: Path<ModelId>,
    wanted: Json<CreateCheckpoint>,
) -> AppResult<HttpResponse> {
    let (organization, _) = changeable(&state, &caller, *id).await?;
    let wanted = wanted.accept()?;
    refuse(checkpoint_problems("", &wanted))?;
    let name = wanted.checkpoint_variant.trim().to_owned();
    let checkpoint = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            let index = match wanted.checkpoint_index {
                Some(index) => index,
                None => models::next_index(conn, *id).await?,
            };
            Ok(models::insert_checkpoint(conn, &new_checkpoint(wanted, *id, organization, index)).await?)
        })
        .await
        .map_err(|e| taken(e, "checkpoint", &name))?;
    Ok(HttpResponse::Created().json(checkpoint))
}

/// Change a checkpoint.
#[utoipa::path(patch, path = "/api/v1/models/{model_id}/checkpoints/{checkpoint_id}", operation_id = "update_checkpoint",
    tag = "catalogue", params(("model_id" = ModelId, Path), ("checkpoint_id" = CheckpointId, Path)),
    request_body = UpdateCheckpoint,
    responses((status = 200, body = CheckpointView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn update_checkpoint(
    state: Data<AppState>,
    caller: Principal,
    ids: Path<(ModelId, CheckpointId)>,
    wanted: Json<UpdateCheckpoint>,
) -> AppResult<web::Json<CheckpointView>> {
    let (model, id) = ids.into_inner();
    let (_, model_view) = changeable(&state, &caller, model).await?;
    let wanted = wanted.accept()?;
    let mut found = Vec::new();
    text_problem(&mut found, "source", wanted.source.as_deref());
    metadata_problem(&mut found, "metadata", wanted.metadata.as_ref());
    refuse(found)?;
    let checkpoint = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            if wanted == UpdateCheckpoint::default() {
                return Ok(model_view.checkpoints.into_iter().find(|c| c.id == id));
            }
            let UpdateCheckpoint {
                checkpoint_index,
                source,
                metadata,
            } = wanted;
            let change = CheckpointChange {
                checkpoint_index,
                source,
                metadata,
            };
            Ok(models::update_checkpoint(conn, model, id, &change).await?)
        })
        .await?;
    checkpoint
        .map(web::Json)
        .ok_or_else(|| AppError::not_found("checkpoint", id))
}

/// The model backends of the installed lmms-eval.
#[utoipa::path(get, path = "/api/v1/backends", operation_id = "list_backends", tag = "catalogue",
    responses((status = 200, body = BackendList)))]
pub async fn list_backends(state: Data<AppState>, caller: Principal) -> AppResult<web::Json<BackendList>> {
    let row = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            Ok(indexed::state(conn).await?)
        })
        .await?;
    let (backends, lmms_eval_version) =
        row.map_or((Value::Null, None), |r| (r.backends, r.lmms_eval_version));
    let backends: Vec<BackendView> = serde_json::from_value(backends).unwrap_or_default();
    Ok(web::Json(BackendList {
        backends,
        lmms_eval_version,
    }))
}

async fn visible(conn: &mut Conn, id: ModelId) -> AppResult<(OrganizationId, ModelView)> {
    models::find(conn, id)
        .await?
        .ok_or_else(|| AppError::not_found("model", id))
}

/// The model, when the caller may change it: asked before anything that was sent is looked at.
async fn changeable(
    state: &AppState,
    caller: &Principal,
    id: ModelId,
) -> AppResult<(OrganizationId, ModelView)> {
    let (organization, model) = state
        .db
        .user(caller, async |conn: &mut Conn| visible(conn, id).await)
        .await?;
    caller.require_in(organization, Role::Editor, Scope::Models)?;
    Ok((organization, model))
}

/// A backend that the installed lmms-eval does not have is refused by name; without an index nothing is known.
async fn known_backend(conn: &mut Conn, name: &str) -> AppResult<()> {
    let state = indexed::state(conn).await?;
    let backends: Vec<BackendView> = state
        .and_then(|s| serde_json::from_value(s.backends).ok())
        .unwrap_or_default();
    let known = backends
        .iter()
        .any(|b| b.name == name || b.aliases.iter().any(|a| a == name));
    if known || backends.is_empty() {
        return Ok(());
    }
    let near = backends
        .iter()
        .filter(|b| b.name.contains(name) || name.contains(&b.name))
        .map(|b| b.name.as_str());
    let near: Vec<_> = near.take(5).collect();
    let hint = if near.is_empty() {
        String::new()
    } else {
        format!(" such as `{}`", near.join("`, `"))
    };
    Err(AppError::field(
        "backend",
        format!(
            "`{name}` is no backend of the installed lmms-eval; expected one of {}{hint}",
            backends.len()
        ),
    ))
}

fn taken(error: AppError, what: &str, name: &str) -> AppError {
    error.or_taken(|| format!("there is already a {what} `{name}`"))
}

fn refuse(problems: Vec<FieldError>) -> AppResult<()> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(AppError::Validation(problems))
    }
}

fn new_model(wanted: CreateModel, id: ModelId, organization: OrganizationId, caller: &Principal) -> NewModel {
    NewModel {
        id: id.0,
        organization_id: organization.0,
        name: wanted.name.trim().to_owned(),
        family: wanted.family,
        source: wanted.source,
        dtype: wanted.dtype,
        num_parameters: wanted.num_parameters,
        notes: wanted.notes,
        backend: wanted.backend.trim().to_owned(),
        model_args: json!(wanted.model_args),
        metadata: wanted
            .metadata
            .filter(|m| !m.is_null())
            .unwrap_or_else(|| json!({})),
        created_by: caller.user_id().map(|u| u.0),
    }
}

fn new_checkpoint(
    wanted: CreateCheckpoint,
    model: ModelId,
    organization: OrganizationId,
    index: i32,
) -> NewCheckpoint {
    NewCheckpoint {
        id: Uuid::now_v7(),
        organization_id: organization.0,
        model_id: model.0,
        checkpoint_variant: wanted.checkpoint_variant.trim().to_owned(),
        checkpoint_index: index,
        source: wanted.source,
        metadata: wanted
            .metadata
            .filter(|m| !m.is_null())
            .unwrap_or_else(|| json!({})),
    }
}

fn change_of(wanted: UpdateModel) -> ModelChange {
    let UpdateModel {
        name,
        backend,
        family,
        source,
        dtype,
        num_parameters,
        notes,
        model_args,
        metadata,
        archived,
    } = wanted;
    ModelChange {
        name: name.map(|n| n.trim().to_owned()),
        backend,
        family,
        source,
        dtype,
        num_parameters,
        notes,
        model_args: model_args.map(|a| json!(a)),
        metadata,
        archived_at: archived.map(|yes| yes.then(Utc::now)),
    }
}
