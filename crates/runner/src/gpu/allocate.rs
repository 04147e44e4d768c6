//! Who gets which GPUs: a pure function.

use super::{Gpu, GpuState, Inventory};
use std::collections::BTreeSet;
use thiserror::Error;
use types::ComputeProfile;

/// The GPUs given to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Their uuids, in the order of the driver.
    pub uuids: Vec<String>,
}

/// Why no GPUs are given.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// This machine cannot satisfy the profile, however long one waits.
    #[error("`{profile}` can never run here: {matching} of {present} GPUs match{}", because(.reason))]
    Never {
        /// The profile.
        profile: String,
        /// GPUs that satisfy it.
        matching: u32,
        /// GPUs in working order.
        present: u32,
        /// Why there are none at all.
        reason: Option<String>,
    },
    /// Too few of the matching GPUs are free now.
    #[error("`{profile}` waits: {free} of {matching} matching GPUs are free")]
    Busy {
        /// The profile.
        profile: String,
        /// GPUs that satisfy it.
        matching: u32,
        /// Those of them that are free.
        free: u32,
    },
}

fn because(reason: &Option<String>) -> String {
    reason.as_deref().map(|r| format!(" ({r})")).unwrap_or_default()
}

/// Picks free GPUs that satisfy a profile. `taken` are the uuids that live attempts hold.
///
/// Of several that would do, the smallest are taken, so that large ones stay for those who need
/// them.
///
/// # Errors
///
/// Names whether waiting helps.
pub fn allocate(
    inventory: &Inventory,
    taken: &BTreeSet<String>,
    profile: &ComputeProfile,
) -> Result<Allocation, Refusal> {
    let wanted = profile.gpus as usize;
    let present: Vec<&Gpu> = inventory.gpus.iter().filter(|g| is_present(g)).collect();
    let matching: Vec<&Gpu> = present
        .iter()
        .copied()
        .filter(|g| profile.is_met_by(&g.name, g.memory_total))
        .collect();
    if matching.len() < wanted {
        return Err(Refusal::Never {
            profile: profile.to_string(),
            matching: count(&matching),
            present: count(&present),
            reason: inventory.reason.clone(),
        });
    }
    let is_free = |g: &&&Gpu| g.state == GpuState::Free && !taken.contains(&g.uuid);
    let mut free: Vec<&Gpu> = matching.iter().filter(is_free).copied().collect();
    if free.len() < wanted {
        return Err(Refusal::Busy {
            profile: profile.to_string(),
            matching: count(&matching),
            free: count(&free),
        });
    }
    free.sort_by_key(|g| (g.memory_total, g.index));
    free.truncate(wanted);
    free.sort_by_key(|g| g.index);
    Ok(Allocation {
        uuids: free.into_iter().map(|g| g.uuid.clone()).collect(),
    })
}

fn count(gpus: &[&Gpu]) -> u32 {
    u32::try_from(gpus.len()).unwrap_or(u32::MAX)
}

fn is_present(gpu: &Gpu) -> bool {
    matches!(gpu.state, GpuState::Free | GpuState::Used)
}
