//! What this machine is and has, told every few seconds.

use super::Worker;
use crate::db::machines::{GpuRow, HostRow};
use crate::db::{self, Conn, machines};
use chrono::{DateTime, Utc};
use runner::gpu::Inventory;
use std::collections::BTreeSet;
use std::path::Path;

impl Worker {
    /// Writes the rows of this machine and its GPUs.
    pub(super) async fn report(&self) -> Result<(), db::Error> {
        let inventory = self.gpus.latest();
        let now = Utc::now();
        let host = self.host_row(&inventory, now);
        self.state
            .db
            .service(async |conn: &mut Conn| -> Result<_, db::Error> {
                let held = machines::held(conn, &self.host).await?;
                Ok(machines::report(conn, &host, gpu_rows(&self.host, &inventory, &held, now)).await?)
            })
            .await
    }

    fn host_row(&self, inventory: &Inventory, now: DateTime<Utc>) -> HostRow {
        let python = self.state.config.eval.python.as_deref();
        HostRow {
            host: self.host.clone(),
            engine: self.engine.name().to_owned(),
            worker_id: self.owner,
            lmms_eval_version: python.and_then(lmms_eval_version),
            gpu_reason: inventory.reason.clone(),
            disk_free: free_bytes(&self.state.config.attempts_dir()),
            problem: problem(python).or_else(|| self.full_disk()),
            seen_at: now,
        }
    }
}

impl Worker {
    /// Why nothing is started on this disk, in one sentence: a run that cannot write down how it
    /// went is not worth its time.
    pub(super) fn full_disk(&self) -> Option<String> {
        let folder = self.state.config.attempts_dir();
        let free = free_bytes(&folder)? >> 20;
        let floor = i64::try_from(self.state.config.storage.min_free_mb).unwrap_or(i64::MAX);
        (free < floor).then(|| {
            let folder = folder.display();
            format!("the disk of `{folder}` has {free} MB left; runs wait until there are {floor} MB")
        })
    }
}

fn gpu_rows(host: &str, inventory: &Inventory, held: &BTreeSet<String>, now: DateTime<Utc>) -> Vec<GpuRow> {
    let bytes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let row = |g: &runner::gpu::Gpu| GpuRow {
        host: host.to_owned(),
        uuid: g.uuid.clone(),
        index: i32::try_from(g.index).unwrap_or(i32::MAX),
        name: g.name.clone(),
        memory_total: bytes(g.memory_total),
        memory_used: bytes(g.memory_used),
        utilization: i32::try_from(g.utilization).unwrap_or(100),
        state: g.state.shown(held.contains(&g.uuid)),
        seen_at: now,
    };
    inventory.gpus.iter().map(row).collect()
}

fn free_bytes(folder: &Path) -> Option<i64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    i64::try_from(stat.f_bavail.saturating_mul(stat.f_frsize)).ok()
}

/// Why no run can start here, in one sentence.
fn problem(python: Option<&Path>) -> Option<String> {
    match python {
        None => Some("no Python with lmms-eval is configured; set `LMMS_EVAL_PYTHON`".to_owned()),
        Some(path) if !path.exists() => Some(format!(
            "`{}` does not exist; set `LMMS_EVAL_PYTHON`",
            path.display()
        )),
        Some(_) => None,
    }
}

/// Of the distribution in the interpreter's environment, read from the name of its folder.
fn lmms_eval_version(python: &Path) -> Option<String> {
    let environment = python.parent()?.parent()?;
    let versions = std::fs::read_dir(environment.join("lib")).ok()?;
    let packages = versions.flatten().map(|v| v.path().join("site-packages"));
    packages
        .flat_map(|p| std::fs::read_dir(p).into_iter().flatten().flatten())
        .find_map(|entry| version_of(&entry.path()))
}

fn version_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let rest = name.strip_prefix("lmms_eval-")?.strip_suffix(".dist-info")?;
    Some(rest.to_owned())
}
