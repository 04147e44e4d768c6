//! The home page: what happened lately, and what needs somebody.

use crate::auth::{Principal, Scope};
use crate::db::{Conn, home, runs};
use crate::error::{AppError, AppResult};
use crate::state::AppState;
use actix_web::web::{Data, Json, Query};
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use types::{HomeView, Problem, Role, RunStatus};

/// Runs that are shown of each kind.
const SHOWN: i64 = 5;
/// Runs under way that are shown.
const SHOWN_RUNNING: i64 = 20;
/// The longest time range, in days.
const MOST_DAYS: u32 = 365;

/// The time range.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GetHome {
    /// Days back from now, at most 365; 7 when absent.
    days: Option<u32>,
}

/// What happened lately.
#[utoipa::path(get, path = "/api/v1/home", operation_id = "get_home", tag = "runs", params(GetHome),
    responses((status = 200, body = HomeView), (status = 422, body = Problem)))]
pub async fn get_home(
    state: Data<AppState>,
    caller: Principal,
    query: Query<GetHome>,
) -> AppResult<Json<HomeView>> {
    let organization = caller.require(Role::Viewer, Scope::Read)?;
    let days = match query.days.unwrap_or(7) {
        n @ 1..=MOST_DAYS => n,
        n => {
            return Err(AppError::field(
                "days",
                format!("is {n}; expected 1 to {MOST_DAYS}"),
            ));
        }
    };
    let since = Utc::now() - TimeDelta::days(i64::from(days));
    let of = |status: &[RunStatus]| runs::Filter {
        organization: Some(organization),
        status: status.to_vec(),
        ..runs::Filter::default()
    };
    state
        .db
        .user(&caller, async |conn: &mut Conn| -> AppResult<_> {
            let mut failed = runs::list(conn, &of(&[RunStatus::Failed]), SHOWN, 0).await?;
            failed.retain(|run| run.completed_at.is_some_and(|at| at >= since));
            Ok(Json(HomeView {
                since,
                recent: runs::list(conn, &of(&[]), SHOWN, 0).await?,
                running: runs::list(conn, &of(&[RunStatus::Running]), SHOWN_RUNNING, 0).await?,
                failed,
                counts: runs::counts(conn, &of(&[])).await?,
                database_size: home::database_size(conn).await?,
                days: home::days(conn, organization, since).await?,
            }))
        })
        .await
}
