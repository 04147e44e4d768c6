//! Taking runs from the queue, with the GPUs they need.

use super::Worker;
use crate::db::attempts::NewAttempt;
use crate::db::events::{NewEvent, append};
use crate::db::queue::{self, Claimed, WaitingRow};
use crate::db::{self, Conn, attempts, machines};
use chrono::Utc;
use runner::AttemptDir;
use runner::gpu::{self, Inventory};
use std::collections::BTreeSet;
use types::{AttemptState, LiveEvent, RunConfig, RunId, RunStatus, StatusEvent};
use uuid::Uuid;

/// How far into the queue a worker looks.
const LOOK_AHEAD: i64 = 64;

impl Worker {
    /// Claims what this machine has room for, oldest first. A run that waits for GPUs holds back
    /// the GPU runs behind it, so that small ones do not starve it.
    pub(super) async fn claim_what_fits(&self) -> Result<usize, db::Error> {
        if self.full_disk().is_some() {
            return Ok(0);
        }
        let inventory = self.gpus.latest();
        let (waiting, mut held, mut plain) = self
            .state
            .db
            .service(async |conn: &mut Conn| self.waiting(conn, &inventory).await)
            .await?;
        let (mut claimed, mut gpus_are_wanted) = (0, false);
        for row in waiting {
            let gpus = match self.fits(&row, &inventory, &held, plain, gpus_are_wanted) {
                Fit::Takes(gpus) => gpus,
                Fit::WaitsForGpus => {
                    gpus_are_wanted = true;
                    continue;
                }
                Fit::No => continue,
            };
            if self.claim(row.id, &gpus, &inventory).await? {
                claimed += 1;
                plain += usize::from(gpus.is_empty());
                held.extend(gpus);
            }
        }
        Ok(claimed)
    }

    /// The first of the queue, the GPUs that are held, and how many runs without one this worker has. A full machine
    /// does not look at the queue, which many requests may be filling.
    async fn waiting(
        &self,
        conn: &mut Conn,
        inventory: &Inventory,
    ) -> Result<(Vec<WaitingRow>, BTreeSet<String>, usize), db::Error> {
        let held = machines::held(conn, &self.host).await?;
        let plain = queue::owned_without_gpus(conn, self.owner).await?;
        let has_gpus = inventory.gpus.iter().any(|gpu| !held.contains(&gpu.uuid));
        let waiting = if has_gpus || self.takes_another(plain) {
            queue::waiting(conn, LOOK_AHEAD).await?
        } else {
            Vec::new()
        };
        Ok((waiting, held, plain))
    }

    /// Whether there is room beside so many runs without a GPU.
    fn takes_another(&self, plain: usize) -> bool {
        plain < self.state.config.worker.max_parallel
    }

    fn fits(
        &self,
        row: &WaitingRow,
        inventory: &Inventory,
        held: &BTreeSet<String>,
        plain: usize,
        gpus_are_wanted: bool,
    ) -> Fit {
        let config: RunConfig = serde_json::from_value(row.config.clone()).unwrap_or_default();
        let profile = config.compute_profile.unwrap_or_default();
        if profile.gpus == 0 {
            return if self.takes_another(plain) {
                Fit::Takes(Vec::new())
            } else {
                Fit::No
            };
        }
        match gpu::allocate(inventory, held, &profile) {
            Ok(_) if gpus_are_wanted => Fit::No,
            Ok(allocation) => Fit::Takes(allocation.uuids),
            Err(gpu::Refusal::Busy { .. }) => Fit::WaitsForGpus,
            Err(gpu::Refusal::Never { .. }) => Fit::No,
        }
    }

    /// Claims a run and makes its attempt in one transaction; false when somebody was faster.
    async fn claim(&self, run: Uuid, gpus: &[String], inventory: &Inventory) -> Result<bool, db::Error> {
        let claimed = self
            .state
            .db
            .service(async |conn: &mut Conn| self.claim_in(conn, run, gpus, inventory).await)
            .await;
        match claimed {
            // Another worker of this machine took one of the GPUs: look again next time.
            Err(error) if error.is_duplicate() => Ok(false),
            other => other,
        }
    }

    async fn claim_in(
        &self,
        conn: &mut Conn,
        run: Uuid,
        gpus: &[String],
        inventory: &Inventory,
    ) -> Result<bool, db::Error> {
        let lease = self.state.config.worker.lease;
        let Some(claimed) = queue::claim(conn, run, self.owner, lease).await? else {
            return Ok(false);
        };
        let attempt = self.new_attempt(&claimed, gpus);
        let id = attempt.id;
        attempts::insert(conn, attempt).await?;
        if !gpus.is_empty() {
            machines::hold(conn, &self.host, gpus, id, claimed.organization_id).await?;
        }
        queue::set_gpus(conn, run, device_text(gpus, inventory)).await?;
        append(conn, run, vec![claimed_event(claimed.epoch, &self.host)]).await?;
        Ok(true)
    }

    fn new_attempt(&self, claimed: &Claimed, gpus: &[String]) -> NewAttempt {
        let dir = AttemptDir::of(&self.state.config.data_dir(), RunId(claimed.id), claimed.epoch);
        NewAttempt {
            id: Uuid::now_v7(),
            organization_id: claimed.organization_id,
            run_id: claimed.id,
            epoch: claimed.epoch,
            engine: self.engine.name(),
            engine_name: format!("lmms-{}-a{}", claimed.id, claimed.epoch),
            host: Some(self.host.clone()),
            directory: Some(dir.root().display().to_string()),
            gpus: gpus.to_vec(),
            // No token has this hash: the real one is made with the folder.
            token_hash: Vec::new(),
        }
    }
}

enum Fit {
    Takes(Vec<String>),
    WaitsForGpus,
    No,
}

/// `cuda:0,1`
fn device_text(gpus: &[String], inventory: &Inventory) -> Option<String> {
    let index = |uuid: &String| {
        inventory
            .gpus
            .iter()
            .find(|g| g.uuid == *uuid)
            .map(|g| g.index.to_string())
    };
    let indices: Vec<String> = gpus.iter().filter_map(index).collect();
    (!indices.is_empty()).then(|| format!("cuda:{}", indices.join(",")))
}

fn claimed_event(epoch: i32, host: &str) -> NewEvent {
    LiveEvent::Status(StatusEvent {
        at: Some(Utc::now()),
        status: Some(RunStatus::Running),
        attempt: Some(epoch),
        attempt_state: Some(AttemptState::Claimed),
        reason: Some(format!("a worker on `{host}` took it")),
        ..StatusEvent::default()
    })
    .into()
}
