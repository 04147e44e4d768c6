//! Organizations and their members.

use super::{
    Conn,
    schema::{memberships, organizations},
};
use crate::auth::Membership;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::{OrganizationId, Role, UserId};
use uuid::Uuid;

/// Where a person is a member, by name; the demo comes after what is really theirs.
pub async fn memberships_of(conn: &mut Conn, user: UserId) -> QueryResult<Vec<Membership>> {
    let rows: Vec<(Uuid, String, String, bool)> = memberships::table
        .inner_join(organizations::table)
        .filter(memberships::user_id.eq(user.0))
        .order((organizations::demo, organizations::name))
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

/// Gives an organization another name; false when there is none.
pub async fn rename(conn: &mut Conn, id: OrganizationId, name: &str) -> QueryResult<bool> {
    let changed = diesel::update(organizations::table.find(id.0))
        .set(organizations::name.eq(name))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// A member of an organization.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = memberships)]
pub struct MemberRow {
    /// The person.
    pub user_id: Uuid,
    /// What they may do.
    pub role: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// The members of an organization, oldest first.
pub async fn members(conn: &mut Conn, organization: OrganizationId) -> QueryResult<Vec<MemberRow>> {
    memberships::table
        .filter(memberships::organization_id.eq(organization.0))
        .order((memberships::created_at, memberships::user_id))
        .select(MemberRow::as_select())
        .load(conn)
        .await
}

/// The same, with the organization locked, so that two changes do not take away both last owners.
pub async fn lock_members(conn: &mut Conn, organization: OrganizationId) -> QueryResult<Vec<MemberRow>> {
    organizations::table
        .find(organization.0)
        .select(organizations::id)
        .for_update()
        .first::<Uuid>(conn)
        .await
        .optional()?;
    members(conn, organization).await
}

/// Takes somebody out of an organization.
pub async fn remove_member(conn: &mut Conn, organization: OrganizationId, user: UserId) -> QueryResult<()> {
    diesel::delete(memberships::table.find((organization.0, user.0)))
        .execute(conn)
        .await
        .map(|_| ())
}
