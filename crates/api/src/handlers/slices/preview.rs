//! Trying a rule before a slice is made of it.

use super::write::parsed;
use crate::auth::{Principal, Scope};
use crate::db::Conn;
use crate::db::slices::preview;
use crate::error::{AppError, AppResult};
use crate::json::Json;
use crate::slicing;
use crate::state::AppState;
use actix_web::web::{self, Data};
use types::rule::Rule;
use types::{MAX_BENCHMARKS, OrganizationId, PreviewSlice, Problem, Role, SlicePreview};

/// What a rule would find in the newest run of each benchmark, and what documents hold. Stores nothing.
#[utoipa::path(post, path = "/api/v1/slices/preview", operation_id = "preview_slice", tag = "catalogue",
    request_body = PreviewSlice, responses((status = 200, body = SlicePreview), (status = 422, body = Problem)))]
pub async fn preview_slice(
    state: Data<AppState>,
    caller: Principal,
    wanted: Json<PreviewSlice>,
) -> AppResult<web::Json<SlicePreview>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let wanted = wanted.accept()?;
    if wanted.benchmark_ids.len() > MAX_BENCHMARKS {
        let message = format!(
            "names {}; expected at most {MAX_BENCHMARKS}",
            wanted.benchmark_ids.len()
        );
        return Err(AppError::field("benchmark_ids", message));
    }
    let rule = wanted.rule.as_deref().filter(|text| !text.trim().is_empty());
    let rule = rule.map(parsed).transpose()?;
    state
        .db
        .user(&caller, async |conn: &mut Conn| {
            found(conn, organization, &wanted, rule.as_ref()).await
        })
        .await
        .map(web::Json)
}

async fn found(
    conn: &mut Conn,
    organization: OrganizationId,
    wanted: &PreviewSlice,
    rule: Option<&Rule>,
) -> AppResult<SlicePreview> {
    let at = preview::newest(conn, organization, &wanted.benchmark_ids).await?;
    let benchmarks = preview::count(conn, &at, rule).await?;
    let examples = match rule {
        Some(rule) => preview::examples(conn, &at, rule).await?,
        None => Vec::new(),
    };
    Ok(SlicePreview {
        rule: rule.map(Rule::to_string),
        seen: benchmarks.iter().map(|b| b.seen).sum(),
        samples: benchmarks.iter().map(|b| b.samples).sum(),
        benchmarks,
        examples,
        fields: slicing::fields(&preview::fields(conn, &at).await?),
    })
}
