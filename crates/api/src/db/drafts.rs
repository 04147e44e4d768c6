//! What a launch form is filled with from a file: models and benchmarks by what they are called.

use super::Conn;
use super::schema::{benchmarks, models};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::OrganizationId;
use uuid::Uuid;

/// Id and arguments of the models in use with this backend.
pub async fn models_of(
    conn: &mut Conn,
    organization: OrganizationId,
    backend: &str,
) -> QueryResult<Vec<(Uuid, Value)>> {
    models::table
        .filter(models::organization_id.eq(organization.0))
        .filter(models::backend.eq(backend))
        .filter(models::archived_at.is_null())
        .order(models::name)
        .select((models::id, models::model_args))
        .load(conn)
        .await
}

/// Name and id of the benchmarks with these names; the organization's own before the installed ones.
pub async fn benchmarks_named(
    conn: &mut Conn,
    organization: OrganizationId,
    names: &[String],
) -> QueryResult<Vec<(String, Uuid)>> {
    benchmarks::table
        .filter(benchmarks::name.eq_any(names))
        .filter(
            benchmarks::organization_id
                .eq(organization.0)
                .or(benchmarks::organization_id.is_null()),
        )
        .order(benchmarks::organization_id.is_null())
        .select((benchmarks::name, benchmarks::id))
        .load(conn)
        .await
}
