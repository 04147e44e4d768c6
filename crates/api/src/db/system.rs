//! What workers say of their machines, for people.

use super::{
    Conn,
    schema::{gpu_devices, hosts, runs},
};
use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use types::{GpuView, HostView, OrganizationId, SystemStatus};

#[derive(Queryable, Selectable)]
#[diesel(table_name = hosts)]
struct HostRow {
    host: String,
    engine: String,
    lmms_eval_version: Option<String>,
    gpu_reason: Option<String>,
    disk_free: Option<i64>,
    problem: Option<String>,
    seen_at: DateTime<Utc>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = gpu_devices)]
struct GpuRow {
    host: String,
    uuid: String,
    index: i32,
    name: String,
    memory_total: i64,
    memory_used: i64,
    utilization: i32,
    state: String,
    seen_at: DateTime<Utc>,
}

impl From<HostRow> for HostView {
    fn from(row: HostRow) -> Self {
        let HostRow {
            host,
            engine,
            lmms_eval_version,
            gpu_reason,
            disk_free,
            problem,
            seen_at,
        } = row;
        Self {
            host,
            engine,
            lmms_eval_version,
            gpu_reason,
            disk_free,
            problem,
            seen_at,
        }
    }
}

impl From<GpuRow> for GpuView {
    fn from(row: GpuRow) -> Self {
        let GpuRow {
            host,
            uuid,
            index,
            name,
            memory_total,
            memory_used,
            utilization,
            state,
            seen_at,
        } = row;
        Self {
            host,
            uuid,
            index,
            name,
            memory_total,
            memory_used,
            utilization,
            state,
            seen_at,
        }
    }
}

/// Machines, their GPUs, and how many runs of an organization wait and run.
pub async fn status(conn: &mut Conn, organization: OrganizationId) -> QueryResult<SystemStatus> {
    let machines: Vec<HostRow> = hosts::table
        .order(hosts::host)
        .select(HostRow::as_select())
        .load(conn)
        .await?;
    let gpus: Vec<GpuRow> = gpu_devices::table
        .order((gpu_devices::host, gpu_devices::index))
        .select(GpuRow::as_select())
        .load(conn)
        .await?;
    let counts: Vec<(String, i64)> = runs::table
        .filter(runs::organization_id.eq(organization.0))
        .filter(runs::status.eq_any(["queued", "running"]))
        .group_by(runs::status)
        .select((runs::status, count_star()))
        .load(conn)
        .await?;
    let of = |status: &str| {
        let found = counts.iter().find(|(s, _)| s == status);
        found.and_then(|(_, n)| u64::try_from(*n).ok()).unwrap_or(0)
    };
    Ok(SystemStatus {
        queued: of("queued"),
        running: of("running"),
        hosts: machines.into_iter().map(Into::into).collect(),
        gpus: gpus.into_iter().map(Into::into).collect(),
    })
}
