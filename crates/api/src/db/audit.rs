//! Who did what; append-only.

use super::{Conn, schema::audit_log};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use types::OrganizationId;

/// Records one deed.
pub async fn append(
    conn: &mut Conn,
    organization: OrganizationId,
    actor: &Value,
    action: &str,
    object_type: &str,
    object_id: &str,
) -> QueryResult<()> {
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::organization_id.eq(organization.0),
            audit_log::actor.eq(actor),
            audit_log::action.eq(action),
            audit_log::object_type.eq(object_type),
            audit_log::object_id.eq(object_id),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
