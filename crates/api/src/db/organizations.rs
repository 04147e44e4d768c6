//! Organizations and their members.

use super::{
    Conn,
    schema::{memberships, organizations},
};
use crate::auth::Membership;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::{OrganizationId, Role, UserId};
use uuid::Uuid;

/// Where a person is a member, by name.
pub async fn memberships_of(conn: &mut Conn, user: UserId) -> QueryResult<Vec<Membership>> {
    let rows: Vec<(Uuid, String, String, bool)> = memberships::table
        .inner_join(organizations::table)
        .filter(memberships::user_id.eq(user.0))
        .order(organizations::name)
        .select((
            organizations::id,
            organizations::name,
            memberships::role,
            organizations::demo,
        ))
        .load(conn)
        .await?;
    let parsed = rows.into_iter().filter_map(|(id, name, role, demo)| {
        Some(Membership {
            organization_id: id.into(),
            name,
            role: role.parse().ok()?,
            demo,
        })
    });
    Ok(parsed.collect())
}

/// What a token's organization looks like as a membership; empty when it is gone.
pub async fn as_member(conn: &mut Conn, id: OrganizationId, role: Role) -> QueryResult<Vec<Membership>> {
    let row: Option<(String, bool)> = organizations::table
        .find(id.0)
        .select((organizations::name, organizations::demo))
        .first(conn)
        .await
        .optional()?;
    let membership = row.map(|(name, demo)| Membership {
        organization_id: id,
        name,
        role,
        demo,
    });
    Ok(membership.into_iter().collect())
}

/// The organization with this name or id.
pub async fn find(conn: &mut Conn, name_or_id: &str) -> QueryResult<Option<OrganizationId>> {
    let id = Uuid::parse_str(name_or_id).ok();
    let found: Option<Uuid> = organizations::table
        .filter(
            organizations::name
                .eq(name_or_id)
                .or(organizations::id.nullable().eq(id)),
        )
        .select(organizations::id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(OrganizationId))
}

/// The demo's organization.
pub async fn demo(conn: &mut Conn) -> QueryResult<Option<OrganizationId>> {
    let found: Option<Uuid> = organizations::table
        .filter(organizations::demo.eq(true))
        .order(organizations::created_at)
        .select(organizations::id)
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(OrganizationId))
}

/// Creates an organization.
pub async fn insert(conn: &mut Conn, name: &str, demo: bool) -> QueryResult<OrganizationId> {
    let id = Uuid::now_v7();
    diesel::insert_into(organizations::table)
        .values((
            organizations::id.eq(id),
            organizations::name.eq(name),
            organizations::demo.eq(demo),
        ))
        .execute(conn)
        .await?;
    Ok(OrganizationId(id))
}

/// Makes someone a member, or changes their role.
pub async fn add_member(
    conn: &mut Conn,
    organization: OrganizationId,
    user: UserId,
    role: Role,
) -> QueryResult<()> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::organization_id.eq(organization.0),
            memberships::user_id.eq(user.0),
            memberships::role.eq(role.as_str()),
        ))
        .on_conflict((memberships::organization_id, memberships::user_id))
        .do_update()
        .set(memberships::role.eq(role.as_str()))
        .execute(conn)
        .await?;
    Ok(())
}
