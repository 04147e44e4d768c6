//! Slices.

use super::{Conn, schema::slices};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::{BenchmarkId, OrganizationId, SliceId, SliceView};
use uuid::Uuid;

#[derive(Queryable, Selectable)]
#[diesel(table_name = slices)]
struct SliceRow {
    id: Uuid,
    name: String,
    slice_type: String,
    slice_value: Option<String>,
    associated_benchmarks: Vec<Uuid>,
    description: Option<String>,
}

impl From<SliceRow> for SliceView {
    fn from(row: SliceRow) -> Self {
        let SliceRow {
            id,
            name,
            slice_type,
            slice_value,
            associated_benchmarks,
            description,
        } = row;
        let associated_benchmarks = associated_benchmarks.into_iter().map(BenchmarkId).collect();
        Self {
            id: SliceId(id),
            name,
            slice_type,
            slice_value,
            associated_benchmarks,
            description,
        }
    }
}

/// All slices of an organization, by type and name.
pub async fn list(conn: &mut Conn, organization: OrganizationId) -> QueryResult<Vec<SliceView>> {
    let rows: Vec<SliceRow> = slices::table
        .filter(slices::organization_id.eq(organization.0))
        .order((slices::slice_type, slices::name))
        .select(SliceRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
