//! Sealed secrets; the key is not in the database.

use super::{Conn, schema::secrets};
use chrono::Utc;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::OrganizationId;

/// The names of an organization's secrets.
pub async fn names(conn: &mut Conn, organization: OrganizationId) -> QueryResult<Vec<String>> {
    secrets::table
        .filter(secrets::organization_id.eq(organization.0))
        .order(secrets::name)
        .select(secrets::name)
        .load(conn)
        .await
}

/// Stores a secret, over an older one of the same name.
pub async fn put(
    conn: &mut Conn,
    organization: OrganizationId,
    name: &str,
    sealed: &[u8],
) -> QueryResult<()> {
    diesel::insert_into(secrets::table)
        .values((
            secrets::organization_id.eq(organization.0),
            secrets::name.eq(name),
            secrets::sealed.eq(sealed),
        ))
        .on_conflict((secrets::organization_id, secrets::name))
        .do_update()
        .set((secrets::sealed.eq(sealed), secrets::updated_at.eq(Utc::now())))
        .execute(conn)
        .await?;
    Ok(())
}

/// Forgets a secret; false when there is none.
pub async fn delete(conn: &mut Conn, organization: OrganizationId, name: &str) -> QueryResult<bool> {
    let deleted = diesel::delete(secrets::table.find((organization.0, name)))
        .execute(conn)
        .await?;
    Ok(deleted == 1)
}
