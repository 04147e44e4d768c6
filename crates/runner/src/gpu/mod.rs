//! The GPUs of this machine, and who gets which.
//!
//! GPUs are known by uuid, never by index. What NVML does not tell is no reason to fail: without
//! a driver there are no GPUs, and the inventory says why.

mod allocate;
mod monitor;
mod nvml;

pub use allocate::{Allocation, Refusal, allocate};
pub use monitor::Monitor;
pub use nvml::Reader;

/// Memory in use, in bytes, above which a GPU without a known process counts as used.
pub const IDLE_MEMORY: u64 = 1 << 30;

/// What this machine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// In the order of the driver.
    pub gpus: Vec<Gpu>,
    /// Why there are none, when there are none.
    pub reason: Option<String>,
}

/// One GPU as it was read last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Its uuid, `GPU-...`.
    pub uuid: String,
    /// Its index, which a restart may change.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Bytes of memory.
    pub memory_total: u64,
    /// Bytes in use.
    pub memory_used: u64,
    /// Percent of the last interval in which a kernel ran.
    pub utilization: u32,
    /// Who computes on it.
    pub processes: Vec<GpuProcess>,
    /// Whether it can be given away.
    pub state: GpuState,
}

/// A process on a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuProcess {
    /// Its id; 0 when the driver hides it (containers).
    pub pid: u32,
    /// Bytes it uses, where the driver tells.
    pub memory_used: Option<u64>,
}

/// Whether a GPU can be given away. That one is allocated is not the driver's knowledge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuState {
    /// Nobody uses it.
    Free,
    /// A process or memory is on it; ours, if it is allocated.
    Used,
    /// The driver has lost it.
    Lost,
    /// It is cut into instances (MIG), which are not scheduled.
    Unsupported,
}

impl GpuState {
    /// The word shown to users for a GPU that is or is not allocated by us.
    #[must_use]
    pub fn shown(self, allocated: bool) -> &'static str {
        match (self, allocated) {
            (Self::Lost, _) => "lost",
            (Self::Unsupported, _) => "unsupported",
            (_, true) => "allocated",
            (Self::Used, false) => "foreign",
            (Self::Free, false) => "free",
        }
    }
}
