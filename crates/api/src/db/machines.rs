//! What workers say of their machines, and which attempt holds which GPU.

use super::Conn;
use super::schema::{gpu_allocations, gpu_devices, hosts};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A machine with a worker.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = hosts, treat_none_as_null = true)]
pub struct HostRow {
    /// Its name.
    pub host: String,
    /// The engine its worker drives.
    pub engine: String,
    /// The worker.
    pub worker_id: Uuid,
    /// lmms-eval's version there.
    pub lmms_eval_version: Option<String>,
    /// Why it has no GPUs.
    pub gpu_reason: Option<String>,
    /// Free bytes where attempts are kept.
    pub disk_free: Option<i64>,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// When this was said.
    pub seen_at: DateTime<Utc>,
}

/// One of its GPUs.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = gpu_devices)]
pub struct GpuRow {
    /// The machine.
    pub host: String,
    /// Its uuid.
    pub uuid: String,
    /// Its index.
    pub index: i32,
    /// Its name.
    pub name: String,
    /// Bytes of memory.
    pub memory_total: i64,
    /// Bytes in use.
    pub memory_used: i64,
    /// Percent.
    pub utilization: i32,
    /// `free`, `allocated`, `foreign`, `lost` or `unsupported`.
    pub state: &'static str,
    /// When this was read.
    pub seen_at: DateTime<Utc>,
}

/// Writes what a worker says of its machine.
pub async fn report(conn: &mut Conn, host: &HostRow, gpus: Vec<GpuRow>) -> QueryResult<()> {
    diesel::insert_into(hosts::table)
        .values(host)
        .on_conflict(hosts::host)
        .do_update()
        .set(host)
        .execute(conn)
        .await?;
    diesel::delete(gpu_devices::table.filter(gpu_devices::host.eq(&host.host)))
        .execute(conn)
        .await?;
    diesel::insert_into(gpu_devices::table)
        .values(gpus)
        .execute(conn)
        .await?;
    Ok(())
}

/// The GPUs of a machine that live attempts hold.
pub async fn held(conn: &mut Conn, host: &str) -> QueryResult<BTreeSet<String>> {
    let uuids: Vec<String> = gpu_allocations::table
        .filter(
            gpu_allocations::host
                .eq(host)
                .and(gpu_allocations::released_at.is_null()),
        )
        .select(gpu_allocations::gpu_uuid)
        .load(conn)
        .await?;
    Ok(uuids.into_iter().collect())
}

/// Gives GPUs to an attempt; a unique index refuses one that is held.
pub async fn hold(
    conn: &mut Conn,
    host: &str,
    uuids: &[String],
    attempt: Uuid,
    organization: Uuid,
) -> QueryResult<()> {
    let row = |uuid: &String| {
        (
            gpu_allocations::host.eq(host.to_owned()),
            gpu_allocations::gpu_uuid.eq(uuid.clone()),
            gpu_allocations::attempt_id.eq(attempt),
            gpu_allocations::organization_id.eq(organization),
        )
    };
    diesel::insert_into(gpu_allocations::table)
        .values(uuids.iter().map(row).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(|_| ())
}

/// Takes an attempt's GPUs back.
pub async fn release(conn: &mut Conn, attempt: Uuid) -> QueryResult<()> {
    diesel::update(gpu_allocations::table)
        .filter(
            gpu_allocations::attempt_id
                .eq(attempt)
                .and(gpu_allocations::released_at.is_null()),
        )
        .set(gpu_allocations::released_at.eq(diesel::dsl::now))
        .execute(conn)
        .await
        .map(|_| ())
}

/// A GPU that a worker reported lately.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = gpu_devices)]
pub struct SeenGpu {
    /// The machine.
    pub host: String,
    /// Its name.
    pub name: String,
    /// Bytes of memory.
    pub memory_total: i64,
    /// `free`, `allocated`, `foreign`, `lost` or `unsupported`.
    pub state: String,
}

/// The GPUs of all machines.
pub async fn gpus(conn: &mut Conn) -> QueryResult<Vec<SeenGpu>> {
    gpu_devices::table
        .order((gpu_devices::host, gpu_devices::index))
        .select(SeenGpu::as_select())
        .load(conn)
        .await
}

/// The machines, and why each has no GPUs.
pub async fn reasons(conn: &mut Conn) -> QueryResult<Vec<(String, Option<String>)>> {
    hosts::table
        .select((hosts::host, hosts::gpu_reason))
        .load(conn)
        .await
}
