//! Slices: what they are. Which samples are in them is in [`assign`], what is scored on them in [`scores`].

pub mod assign;
pub mod preview;
pub mod report;
pub mod scores;

use super::{Conn, schema::slices};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::rule::Rule;
use types::{BenchmarkId, OrganizationId, SliceId, SliceState, SliceType, SliceView};
use uuid::Uuid;

/// What is left of a slice that is being removed.
const GOING: &str = "deleting";

#[derive(Queryable, Selectable)]
#[diesel(table_name = slices)]
struct SliceRow {
    id: Uuid,
    organization_id: Uuid,
    name: String,
    slice_type: String,
    slice_value: Option<String>,
    associated_benchmarks: Vec<Uuid>,
    description: Option<String>,
    rule: Option<String>,
    state: String,
    error: Option<String>,
    seen: i64,
    to_see: i64,
    samples: i64,
    updated_at: DateTime<Utc>,
}

impl From<SliceRow> for SliceView {
    fn from(row: SliceRow) -> Self {
        let SliceRow {
            id,
            organization_id: _,
            name,
            slice_type,
            slice_value,
            associated_benchmarks,
            description,
            rule,
            state,
            error,
            seen,
            to_see,
            samples,
            updated_at,
        } = row;
        let own_rule = rule.is_some();
        let effective = rule_of(&slice_type, slice_value.as_deref(), rule.as_deref());
        Self {
            id: SliceId(id),
            name,
            slice_type: slice_type.parse().unwrap_or(SliceType::Custom),
            slice_value,
            rule: effective.map_or_else(|_| rule.unwrap_or_default(), |rule| rule.to_string()),
            own_rule,
            associated_benchmarks: associated_benchmarks.into_iter().map(BenchmarkId).collect(),
            description,
            state: state.parse().unwrap_or(SliceState::Pending),
            error,
            seen,
            to_see,
            samples,
            updated_at,
        }
    }
}

/// The rule of a slice: its own, else that of its type and value.
///
/// # Errors
/// In words, when there is none that can be read.
pub fn rule_of(slice_type: &str, value: Option<&str>, rule: Option<&str>) -> Result<Rule, String> {
    if let Some(text) = rule {
        return text.parse().map_err(|e| format!("the rule cannot be read: {e}"));
    }
    let kind: SliceType = slice_type
        .parse()
        .map_err(|e: types::UnknownVariant| e.to_string())?;
    kind.rule(value.unwrap_or_default())
        .map_err(|e| format!("`slice_value` {e}"))
}

/// All slices of an organization, by type and name.
pub async fn list(conn: &mut Conn, organization: OrganizationId) -> QueryResult<Vec<SliceView>> {
    let rows: Vec<SliceRow> = slices::table
        .filter(slices::organization_id.eq(organization.0))
        .filter(slices::state.ne(GOING))
        .order((slices::slice_type, slices::name))
        .select(SliceRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// One slice and its organization.
pub async fn find(conn: &mut Conn, id: SliceId) -> QueryResult<Option<(OrganizationId, SliceView)>> {
    let row: Option<SliceRow> = slices::table
        .find(id.0)
        .filter(slices::state.ne(GOING))
        .select(SliceRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|row| (OrganizationId(row.organization_id), row.into())))
}

/// A slice to store.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = slices)]
pub struct NewSlice {
    /// Its id.
    pub id: Uuid,
    /// Its organization.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// What kind of property it is about.
    pub slice_type: &'static str,
    /// The value of the property.
    pub slice_value: Option<String>,
    /// Its own rule.
    pub rule: Option<String>,
    /// The benchmarks it applies to.
    pub associated_benchmarks: Vec<Uuid>,
    /// In words.
    pub description: Option<String>,
    /// Who made it.
    pub created_by: Option<Uuid>,
}

/// Stores a slice; a trigger says that samples are to be looked at.
pub async fn insert(conn: &mut Conn, slice: &NewSlice) -> QueryResult<()> {
    diesel::insert_into(slices::table)
        .values(slice)
        .execute(conn)
        .await
        .map(|_| ())
}

/// What is to change of a slice.
#[derive(Clone, Debug, Default, PartialEq, AsChangeset)]
#[diesel(table_name = slices)]
pub struct SliceChange {
    /// Its name.
    pub name: Option<String>,
    /// The value of the property.
    pub slice_value: Option<Option<String>>,
    /// Its own rule.
    pub rule: Option<Option<String>>,
    /// The benchmarks it applies to.
    pub associated_benchmarks: Option<Vec<Uuid>>,
    /// In words.
    pub description: Option<Option<String>>,
}

/// Changes a slice; a trigger says whether samples are to be looked at again.
pub async fn update(conn: &mut Conn, id: SliceId, change: &SliceChange) -> QueryResult<()> {
    diesel::update(slices::table.find(id.0))
        .set(change)
        .execute(conn)
        .await
        .map(|_| ())
}

/// Takes a slice away from everybody; the worker removes what it leaves behind.
pub async fn retire(conn: &mut Conn, id: SliceId) -> QueryResult<bool> {
    let changed = diesel::update(slices::table.find(id.0).filter(slices::state.ne(GOING)))
        .set((slices::state.eq(GOING), slices::fence.eq(None::<i64>)))
        .execute(conn)
        .await?;
    Ok(changed > 0)
}
