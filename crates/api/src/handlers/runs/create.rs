//! `POST /runs/create`

use super::draft::{Draft, draft};
use crate::auth::{Principal, Scope};
use crate::db::events::{NewEvent, append};
use crate::db::{Conn, idempotency, run_benchmarks, runs};
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::plan;
use crate::state::AppState;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web::Data};
use chrono::Utc;
use serde_json::json;
use sha2::{Digest, Sha256};
use types::{CreateRun, CreatedRun, LiveEvent, OrganizationId, Role, RunId, RunStatus, StatusEvent};
use uuid::Uuid;

/// Create a run and put it into the queue.
///
/// With an `Idempotency-Key` a repeated request is answered as the first one and creates nothing.
#[utoipa::path(
    post, path = "/api/v1/runs/create",
    tag = "runs", operation_id = "create_run",
    params(("Idempotency-Key" = Option<String>, Header, description = "At most 255 characters, chosen by the client")),
    request_body = CreateRun,
    responses((status = 201, body = CreatedRun), (status = 422, body = types::Problem))
)]
pub async fn create_run(
    state: Data<AppState>,
    principal: Principal,
    request: HttpRequest,
    body: Json<CreateRun>,
) -> AppResult<HttpResponse> {
    let organization = principal.require(Role::Editor, Scope::Runs)?;
    let owner = owner_of(&request, &principal, organization)?;
    let body = body.accept()?;
    let hash = Sha256::digest(serde_json::to_vec(&body)?).to_vec();
    if let Some(owner) = &owner
        && let Some(kept) = kept(&state, owner, &hash).await?
    {
        return Ok(kept);
    }
    let draft = draft(&state, &principal, organization, &body).await?;
    if !draft.obstacles.is_empty() {
        return Err(AppError::Validation(draft.obstacles));
    }
    state
        .db
        .service(async |conn: &mut Conn| store(conn, &principal, draft, owner.as_ref(), &hash).await)
        .await
}

fn owner_of(
    request: &HttpRequest,
    principal: &Principal,
    organization: OrganizationId,
) -> AppResult<Option<idempotency::Owner>> {
    let Some(value) = request.headers().get("Idempotency-Key") else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|k| (1..=255).contains(&k.len()));
    let key = key.ok_or_else(|| {
        AppError::field(
            "Idempotency-Key",
            "is not 1 to 255 printable ASCII characters; expected e.g. a UUID",
        )
    })?;
    Ok(Some(idempotency::Owner {
        organization,
        principal: principal.key(),
        key: key.to_owned(),
    }))
}

async fn kept(state: &AppState, owner: &idempotency::Owner, hash: &[u8]) -> AppResult<Option<HttpResponse>> {
    let kept = state
        .db
        .service(async |conn: &mut Conn| -> AppResult<_> { Ok(idempotency::find(conn, owner).await?) })
        .await?;
    kept.map(|k| answer_of(k, hash)).transpose()
}

fn answer_of(kept: idempotency::Kept, hash: &[u8]) -> AppResult<HttpResponse> {
    if kept.request_hash != hash {
        return Err(AppError::field(
            "Idempotency-Key",
            "was used for another request; expected a new key for a new request",
        ));
    }
    let status = u16::try_from(kept.status)
        .ok()
        .and_then(|s| StatusCode::from_u16(s).ok());
    Ok(HttpResponse::build(status.unwrap_or(StatusCode::CREATED)).json(kept.response))
}

/// Writes run, picks, first event, audit and kept answer in one transaction.
async fn store(
    conn: &mut Conn,
    principal: &Principal,
    draft: Draft,
    owner: Option<&idempotency::Owner>,
    hash: &[u8],
) -> AppResult<HttpResponse> {
    if let Some(owner) = owner {
        idempotency::lock(conn, owner).await?;
        if let Some(kept) = idempotency::find(conn, owner).await? {
            return answer_of(kept, hash);
        }
    }
    let id = Uuid::now_v7();
    let created = CreatedRun {
        run_id: RunId(id),
        total_tasks: draft.total_tasks(),
        eta_seconds: draft.eta_seconds(),
    };
    let organization = draft.organization.0;
    runs::insert(conn, new_run(id, principal, &draft, &created)).await?;
    run_benchmarks::insert(conn, new_picks(id, draft)).await?;
    append(conn, id, vec![queued_event()]).await?;
    runs::audit(conn, organization, &principal.actor(), "run.create", RunId(id)).await?;
    runs::notify_work(conn).await?;
    let answer = serde_json::to_value(&created)?;
    if let Some(owner) = owner {
        idempotency::keep(conn, owner, hash, 201, &answer).await?;
    }
    Ok(HttpResponse::Created().json(answer))
}

fn new_run(id: Uuid, principal: &Principal, draft: &Draft, created: &CreatedRun) -> runs::NewRun {
    runs::NewRun {
        id,
        organization_id: draft.organization.0,
        name: draft.name.clone(),
        model_id: draft.model.id,
        checkpoint_variant: draft.resolved.checkpoint_variant.clone(),
        total_tasks: i32::try_from(created.total_tasks).unwrap_or(i32::MAX),
        config: json!(draft.config),
        plan: json!({
            "resolved": draft.resolved,
            "expected_seconds": draft.expected_seconds(),
            "commands": plan::views(&draft.plan),
        }),
        demo: draft.model.demo,
        created_by: principal.user_id().map(|u| u.0),
        created_by_token: principal.token_id().map(|t| t.0),
        eta_seconds: created.eta_seconds.and_then(|s| i64::try_from(s).ok()),
    }
}

fn new_picks(run: Uuid, draft: Draft) -> Vec<run_benchmarks::NewPick> {
    let organization = draft.organization.0;
    let pick = |(order, b): (i32, super::draft::Picked)| run_benchmarks::NewPick {
        id: Uuid::now_v7(),
        organization_id: organization,
        run_id: run,
        benchmark_id: b.row.id,
        name: b.row.name,
        order,
        leaf_tasks: b.leaves,
    };
    (0..).zip(draft.benchmarks).map(pick).collect()
}

pub(super) fn queued_event() -> NewEvent {
    NewEvent::One(LiveEvent::Status(StatusEvent {
        at: Some(Utc::now()),
        status: Some(RunStatus::Queued),
        ..StatusEvent::default()
    }))
}
