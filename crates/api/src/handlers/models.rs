//! Models and their checkpoints.

use crate::auth::{Principal, Scope};
use crate::db::models::{self, CheckpointChange, ModelChange, NewCheckpoint, NewModel};
use crate::db::{Conn, indexed, runs};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::state::AppState;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use chrono::Utc;
use serde_json::{Value, json};
use types::{
    ArgList, ArgValue, BackendList, BackendView, CheckpointId, CheckpointView, CreateCheckpoint, CreateModel,
    FieldError, ModelDetail, ModelId, ModelList, ModelView, OrganizationId, Problem, Role, UpdateCheckpoint,
    UpdateModel, check_name,
};
use uuid::Uuid;

/// Longest free text, in bytes.
const MAX_TEXT: usize = 4000;
/// Largest `metadata`, in bytes of JSON.
const MAX_METADATA: usize = 64 * 1024;
/// Most arguments of a model.
const MAX_ARGS: usize = 200;
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

/// A model with its runs.
#[utoipa::path(get, path = "/api/v1/models/{model_id}", operation_id = "get_model", tag = "catalogue",
    params(("model_id" = ModelId, Path)),
    responses((status = 200, body = ModelDetail), (status = 404, body = Problem)))]
pub async fn get_model(
    state: Data<AppState>,
    caller: Principal,
    id: Path<ModelId>,
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
            Ok(ModelDetail { model, runs })
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
    let Json(wanted) = wanted;
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
    let Json(wanted) = wanted;
    refuse(update_problems(&wanted))?;
    let name = wanted.name.clone().unwrap_or_default();
    let model = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            let (organization, _) = visible(conn, *id).await?;
            caller.require_in(organization, Role::Editor, Scope::Models)?;
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
    let Json(wanted) = wanted;
    refuse(checkpoint_problems("", &wanted))?;
    let name = wanted.checkpoint_variant.trim().to_owned();
    let checkpoint = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            let (organization, _) = visible(conn, *id).await?;
            caller.require_in(organization, Role::Editor, Scope::Models)?;
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
    let Json(wanted) = wanted;
    let mut found = Vec::new();
    text_problem(&mut found, "source", wanted.source.as_deref());
    metadata_problem(&mut found, "metadata", wanted.metadata.as_ref());
    refuse(found)?;
    let checkpoint = state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            let (organization, model_view) = visible(conn, model).await?;
            caller.require_in(organization, Role::Editor, Scope::Models)?;
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
    match &error {
        AppError::Db(db) if db.is_duplicate() => {
            AppError::Conflict(format!("there is already a {what} `{name}`"))
        }
        _ => error,
    }
}

fn refuse(problems: Vec<FieldError>) -> AppResult<()> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(AppError::Validation(problems))
    }
}

fn create_problems(wanted: &CreateModel) -> Vec<FieldError> {
    let mut found = Vec::new();
    name_problem(&mut found, "name", &wanted.name);
    name_problem(&mut found, "backend", &wanted.backend);
    for (field, text) in [
        ("family", &wanted.family),
        ("source", &wanted.source),
        ("dtype", &wanted.dtype),
        ("notes", &wanted.notes),
    ] {
        text_problem(&mut found, field, text.as_deref());
    }
    number_problem(&mut found, wanted.num_parameters);
    found.extend(args_problems(&wanted.model_args));
    metadata_problem(&mut found, "metadata", wanted.metadata.as_ref());
    for (i, checkpoint) in wanted.checkpoints.iter().enumerate() {
        found.extend(checkpoint_problems(&format!("checkpoints[{i}]."), checkpoint));
    }
    found
}

fn update_problems(wanted: &UpdateModel) -> Vec<FieldError> {
    let mut found = Vec::new();
    if let Some(name) = &wanted.name {
        name_problem(&mut found, "name", name);
    }
    if let Some(backend) = &wanted.backend {
        name_problem(&mut found, "backend", backend);
    }
    for (field, text) in [
        ("family", &wanted.family),
        ("source", &wanted.source),
        ("dtype", &wanted.dtype),
        ("notes", &wanted.notes),
    ] {
        text_problem(&mut found, field, text.as_deref());
    }
    number_problem(&mut found, wanted.num_parameters);
    found.extend(wanted.model_args.iter().flat_map(args_problems));
    metadata_problem(&mut found, "metadata", wanted.metadata.as_ref());
    found
}

fn checkpoint_problems(prefix: &str, wanted: &CreateCheckpoint) -> Vec<FieldError> {
    let mut found = Vec::new();
    let field = |name: &str| format!("{prefix}{name}");
    name_problem(
        &mut found,
        &field("checkpoint_variant"),
        &wanted.checkpoint_variant,
    );
    if wanted.checkpoint_variant.trim() == "latest" {
        let message = "is `latest`, which always means the newest one; expected another name";
        found.push(FieldError::new(field("checkpoint_variant"), message));
    }
    text_problem(&mut found, &field("source"), wanted.source.as_deref());
    metadata_problem(&mut found, &field("metadata"), wanted.metadata.as_ref());
    found
}

fn name_problem(found: &mut Vec<FieldError>, field: &str, text: &str) {
    if let Err(error) = check_name(text) {
        found.push(FieldError::new(field, error.to_string()));
    } else if text.trim().starts_with('-') {
        found.push(FieldError::new(
            field,
            format!("`{}` begins with `-` like a flag; expected a name", text.trim()),
        ));
    }
}

fn text_problem(found: &mut Vec<FieldError>, field: &str, text: Option<&str>) {
    let Some(text) = text else { return };
    if text.len() > MAX_TEXT {
        found.push(FieldError::new(
            field,
            format!("has {} bytes; expected at most {MAX_TEXT}", text.len()),
        ));
    } else if text.contains('\0') {
        found.push(FieldError::new(field, "holds a NUL; expected text"));
    } else if field.ends_with("source") && text.trim_start().starts_with('-') {
        found.push(FieldError::new(
            field,
            format!("`{text}` begins with `-` like a flag; expected a path or a name on a hub"),
        ));
    }
}

fn number_problem(found: &mut Vec<FieldError>, number: Option<i64>) {
    if let Some(n) = number.filter(|n| *n < 0) {
        found.push(FieldError::new(
            "num_parameters",
            format!("is {n}; expected 0 or more"),
        ));
    }
}

fn metadata_problem(found: &mut Vec<FieldError>, field: &str, metadata: Option<&Value>) {
    match metadata {
        None | Some(Value::Null) => {}
        Some(Value::Object(_)) if metadata.is_some_and(|m| m.to_string().len() <= MAX_METADATA) => {}
        Some(Value::Object(_)) => found.push(FieldError::new(
            field,
            format!("has more than {MAX_METADATA} bytes"),
        )),
        Some(_) => found.push(FieldError::new(field, "is no object; expected one")),
    }
}

fn args_problems(args: &ArgList) -> Vec<FieldError> {
    let mut found = Vec::new();
    if args.0.len() > MAX_ARGS {
        found.push(FieldError::new(
            "model_args",
            format!("has {} entries; expected at most {MAX_ARGS}", args.0.len()),
        ));
    }
    for (key, value) in &args.0 {
        let field = format!("model_args.{key}");
        let text = value.to_string();
        if lmms::secrets::looks_secret(key, &text) {
            found.push(FieldError::new(field, "looks like a secret, and arguments are shown to everyone; expected the run's `environment` with a secret by name"));
        } else if text.len() > MAX_TEXT || text.contains('\0') {
            found.push(FieldError::new(
                field,
                format!("holds a NUL or more than {MAX_TEXT} bytes"),
            ));
        }
    }
    let pairs: Vec<_> = args.0.iter().map(|(k, v)| (k.clone(), argument(v))).collect();
    if let Err(error) = lmms::command::arguments::join("model_args", &pairs) {
        found.push(FieldError::new("model_args", error.to_string()));
    }
    found
}

fn argument(value: &ArgValue) -> lmms::command::ArgValue {
    match value {
        ArgValue::Bool(b) => lmms::command::ArgValue::Bool(*b),
        ArgValue::Int(n) => lmms::command::ArgValue::Int(*n),
        ArgValue::Float(x) => lmms::command::ArgValue::Float(*x),
        ArgValue::Text(text) => lmms::command::ArgValue::Text(text.clone()),
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
