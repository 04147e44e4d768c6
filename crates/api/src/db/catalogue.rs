//! The catalogue rows that results refer to.

use super::{Conn, schema::benchmarks};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use std::collections::HashMap;
use uuid::Uuid;

/// The ids of these tasks and groups, an organization's own before the installed ones. A name that
/// no catalogue has (a task of another version, a group that only results know) gets a row of the organization's.
pub async fn resolve(
    conn: &mut Conn,
    organization: Uuid,
    names: &[String],
    groups: &[&str],
) -> QueryResult<HashMap<String, Uuid>> {
    let mut known = ids(conn, organization, names).await?;
    let missing: Vec<&String> = names.iter().filter(|n| !known.contains_key(*n)).collect();
    if missing.is_empty() {
        return Ok(known);
    }
    for name in missing {
        let kind = if groups.contains(&name.as_str()) {
            "group"
        } else {
            "task"
        };
        insert(conn, organization, name, kind).await?;
    }
    known.extend(ids(conn, organization, names).await?);
    Ok(known)
}

/// Notes how many documents a task has.
pub async fn set_num_samples(conn: &mut Conn, id: Uuid, n: i64) -> QueryResult<()> {
    diesel::update(benchmarks::table.find(id))
        .filter(benchmarks::num_samples.is_distinct_from(n))
        .set(benchmarks::num_samples.eq(n))
        .execute(conn)
        .await?;
    Ok(())
}

async fn ids(conn: &mut Conn, organization: Uuid, names: &[String]) -> QueryResult<HashMap<String, Uuid>> {
    let own = benchmarks::organization_id
        .is_null()
        .or(benchmarks::organization_id.eq(organization));
    let rows: Vec<(String, Uuid)> = benchmarks::table
        .filter(benchmarks::name.eq_any(names).and(own))
        // Nulls first: an own row replaces the installed one in the map.
        .order(benchmarks::organization_id.asc().nulls_first())
        .select((benchmarks::name, benchmarks::id))
        .load(conn)
        .await?;
    Ok(rows.into_iter().collect())
}

async fn insert(conn: &mut Conn, organization: Uuid, name: &str, kind: &str) -> QueryResult<()> {
    let leaves = if kind == "task" { vec![name] } else { Vec::new() };
    diesel::insert_into(benchmarks::table)
        .values((
            benchmarks::id.eq(Uuid::now_v7()),
            benchmarks::organization_id.eq(organization),
            benchmarks::name.eq(name),
            benchmarks::kind.eq(kind),
            benchmarks::modality.eq("Text"),
            benchmarks::leaf_tasks.eq(leaves),
            benchmarks::origin.eq("results"),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}
