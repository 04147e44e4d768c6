//! Models and their checkpoints.

use super::{
    Conn,
    schema::{model_checkpoints, models, runs},
};
use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use std::collections::HashMap;
use types::{CheckpointId, CheckpointView, ModelId, ModelView, OrganizationId};
use uuid::Uuid;

/// A model.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = models)]
pub struct ModelRow {
    id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    name: String,
    family: Option<String>,
    source: Option<String>,
    dtype: Option<String>,
    num_parameters: Option<i64>,
    notes: Option<String>,
    backend: String,
    model_args: Value,
    metadata: Value,
    demo: bool,
    created_at: DateTime<Utc>,
    archived_at: Option<DateTime<Utc>>,
}

/// A model to store.
#[derive(Debug, Insertable)]
#[diesel(table_name = models)]
pub struct NewModel {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// E.g. `LLaVA`.
    pub family: Option<String>,
    /// Where the weights are.
    pub source: Option<String>,
    /// E.g. `bfloat16`.
    pub dtype: Option<String>,
    /// Number of parameters.
    pub num_parameters: Option<i64>,
    /// Free text.
    pub notes: Option<String>,
    /// lmms-eval's model id.
    pub backend: String,
    /// Arguments, as a list of pairs.
    pub model_args: Value,
    /// Anything else.
    pub metadata: Value,
    /// Who made it.
    pub created_by: Option<Uuid>,
}

/// What may change about a model; absent things stay.
#[derive(Debug, Default, AsChangeset)]
#[diesel(table_name = models)]
pub struct ModelChange {
    /// Its name.
    pub name: Option<String>,
    /// E.g. `LLaVA`.
    pub family: Option<String>,
    /// Where the weights are.
    pub source: Option<String>,
    /// E.g. `bfloat16`.
    pub dtype: Option<String>,
    /// Number of parameters.
    pub num_parameters: Option<i64>,
    /// Free text.
    pub notes: Option<String>,
    /// lmms-eval's model id.
    pub backend: Option<String>,
    /// Arguments, as a list of pairs.
    pub model_args: Option<Value>,
    /// Anything else.
    pub metadata: Option<Value>,
    /// When it was archived; the inner null brings it back.
    pub archived_at: Option<Option<DateTime<Utc>>>,
}

/// A checkpoint.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = model_checkpoints)]
pub struct CheckpointRow {
    id: Uuid,
    model_id: Uuid,
    checkpoint_variant: String,
    checkpoint_index: i32,
    source: Option<String>,
    metadata: Value,
    created_at: DateTime<Utc>,
}

/// A checkpoint to store.
#[derive(Debug, Insertable)]
#[diesel(table_name = model_checkpoints)]
pub struct NewCheckpoint {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// Its model.
    pub model_id: Uuid,
    /// E.g. `checkpoint-1000`.
    pub checkpoint_variant: String,
    /// Its place in training.
    pub checkpoint_index: i32,
    /// Where the weights are.
    pub source: Option<String>,
    /// Anything else.
    pub metadata: Value,
}

/// What may change about a checkpoint; absent things stay.
#[derive(Debug, Default, AsChangeset)]
#[diesel(table_name = model_checkpoints)]
pub struct CheckpointChange {
    /// Its place in training.
    pub checkpoint_index: Option<i32>,
    /// Where the weights are.
    pub source: Option<String>,
    /// Anything else.
    pub metadata: Option<Value>,
}

impl From<CheckpointRow> for CheckpointView {
    fn from(row: CheckpointRow) -> Self {
        let CheckpointRow {
            id,
            model_id: _,
            checkpoint_variant,
            checkpoint_index,
            source,
            metadata,
            created_at,
        } = row;
        Self {
            id: CheckpointId(id),
            checkpoint_variant,
            checkpoint_index,
            source,
            created_at,
            metadata,
        }
    }
}

fn view(row: ModelRow, checkpoints: Vec<CheckpointView>, run_count: u64) -> ModelView {
    let ModelRow {
        id,
        organization_id: _,
        name,
        family,
        source,
        dtype,
        num_parameters,
        notes,
        backend,
        model_args,
        metadata,
        demo,
        created_at,
        archived_at,
    } = row;
    ModelView {
        id: ModelId(id),
        name,
        family,
        source,
        dtype,
        num_parameters,
        notes,
        backend,
        model_args: serde_json::from_value(model_args).unwrap_or_default(),
        metadata,
        created_at,
        archived_at,
        checkpoints,
        run_count,
        benchmark_count: 0,
        last_run_at: None,
        demo,
    }
}

/// All models of an organization, by name.
pub async fn list(conn: &mut Conn, organization: OrganizationId) -> QueryResult<Vec<ModelView>> {
    let rows: Vec<ModelRow> = models::table
        .filter(models::organization_id.eq(organization.0))
        .order(models::name)
        .select(ModelRow::as_select())
        .load(conn)
        .await?;
    with_checkpoints(conn, rows).await
}

/// The model, as far as the caller may see it.
pub async fn find(conn: &mut Conn, id: ModelId) -> QueryResult<Option<(OrganizationId, ModelView)>> {
    let row: Option<ModelRow> = models::table
        .find(id.0)
        .select(ModelRow::as_select())
        .first(conn)
        .await
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let organization = OrganizationId(row.organization_id);
    let view = with_checkpoints(conn, vec![row]).await?.pop();
    Ok(view.map(|v| (organization, v)))
}

async fn with_checkpoints(conn: &mut Conn, rows: Vec<ModelRow>) -> QueryResult<Vec<ModelView>> {
    let ids: Vec<Uuid> = rows.iter().map(|r| r.id).collect();
    let checkpoints: Vec<CheckpointRow> = model_checkpoints::table
        .filter(model_checkpoints::model_id.eq_any(&ids))
        .order((
            model_checkpoints::checkpoint_index,
            model_checkpoints::checkpoint_variant,
        ))
        .select(CheckpointRow::as_select())
        .load(conn)
        .await?;
    let counts: Vec<(Uuid, i64)> = runs::table
        .filter(runs::model_id.eq_any(&ids))
        .group_by(runs::model_id)
        .select((runs::model_id, count_star()))
        .load(conn)
        .await?;
    let counts: HashMap<Uuid, i64> = counts.into_iter().collect();
    let mut own: HashMap<Uuid, Vec<CheckpointView>> = HashMap::new();
    for row in checkpoints {
        own.entry(row.model_id).or_default().push(row.into());
    }
    let mut measured = super::coverage::measured(conn, &ids).await?;
    let view_of = |row: ModelRow| {
        let scores = measured.remove(&row.id);
        let runs = counts
            .get(&row.id)
            .copied()
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or(0);
        let checkpoints = own.remove(&row.id).unwrap_or_default();
        ModelView {
            benchmark_count: scores.map_or(0, |s| s.0),
            last_run_at: scores.map(|s| s.1),
            ..view(row, checkpoints, runs)
        }
    };
    Ok(rows.into_iter().map(view_of).collect())
}

/// Stores a model.
pub async fn insert(conn: &mut Conn, model: &NewModel) -> QueryResult<()> {
    diesel::insert_into(models::table)
        .values(model)
        .execute(conn)
        .await?;
    Ok(())
}

/// Marks a model as the demo's; only the server does that.
pub async fn mark_demo(conn: &mut Conn, id: ModelId) -> QueryResult<()> {
    diesel::update(models::table.find(id.0))
        .set(models::demo.eq(true))
        .execute(conn)
        .await?;
    Ok(())
}

/// Changes a model; false when the caller may not.
pub async fn update(conn: &mut Conn, id: ModelId, change: &ModelChange) -> QueryResult<bool> {
    Ok(diesel::update(models::table.find(id.0))
        .set(change)
        .execute(conn)
        .await?
        == 1)
}

/// The index that the next checkpoint of a model gets.
pub async fn next_index(conn: &mut Conn, model: ModelId) -> QueryResult<i32> {
    let highest: Option<i32> = model_checkpoints::table
        .filter(model_checkpoints::model_id.eq(model.0))
        .select(diesel::dsl::max(model_checkpoints::checkpoint_index))
        .first(conn)
        .await?;
    Ok(highest.map_or(0, |h| h.saturating_add(1)))
}

/// Stores a checkpoint.
pub async fn insert_checkpoint(conn: &mut Conn, checkpoint: &NewCheckpoint) -> QueryResult<CheckpointView> {
    let row: CheckpointRow = diesel::insert_into(model_checkpoints::table)
        .values(checkpoint)
        .returning(CheckpointRow::as_returning())
        .get_result(conn)
        .await?;
    Ok(row.into())
}

/// Changes a checkpoint of a model; `None` when there is none.
pub async fn update_checkpoint(
    conn: &mut Conn,
    model: ModelId,
    id: CheckpointId,
    change: &CheckpointChange,
) -> QueryResult<Option<CheckpointView>> {
    let row: Option<CheckpointRow> = diesel::update(model_checkpoints::table.find(id.0))
        .filter(model_checkpoints::model_id.eq(model.0))
        .set(change)
        .returning(CheckpointRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    Ok(row.map(Into::into))
}
