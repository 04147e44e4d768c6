//! Reads the GPUs through NVML, which need not be there.

use super::{Gpu, GpuProcess, GpuState, IDLE_MEMORY, Inventory};
use nvml_wrapper::{
    Device, Nvml, enum_wrappers::device::TemperatureSensor, enums::device::UsedGpuMemory, error::NvmlError,
};
use std::path::{Path, PathBuf};
use types::GpuSample;

/// The variable that names another NVML library.
pub(super) const LIBRARY: &str = "LMMS_NVML_LIB";

/// Reads this machine's GPUs. Blocking, and quick (well below a millisecond a GPU).
#[derive(Debug)]
pub struct Reader {
    nvml: Result<Nvml, String>,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(std::env::var_os(LIBRARY).map(PathBuf::from).as_deref())
    }
}

impl Reader {
    /// A reader over the given NVML library, or the system's.
    #[must_use]
    pub fn new(library: Option<&Path>) -> Self {
        let nvml = match library {
            Some(path) => Nvml::builder().lib_path(path.as_os_str()).init(),
            None => Nvml::init(),
        };
        Self {
            nvml: nvml.map_err(|error| reason(&error)),
        }
    }

    /// What this machine has now.
    #[must_use]
    pub fn read(&self) -> Inventory {
        match &self.nvml {
            Err(reason) => without(reason.clone()),
            Ok(nvml) => match nvml.device_count() {
                Err(error) => without(reason(&error)),
                Ok(0) => without("the driver sees no GPU".to_owned()),
                Ok(count) => Inventory {
                    gpus: (0..count).map(|index| read_gpu(nvml, index)).collect(),
                    reason: None,
                },
            },
        }
    }

    /// Readings of some GPUs; those that do not answer are left out.
    #[must_use]
    pub fn samples(&self, uuids: &[String]) -> Vec<GpuSample> {
        let Ok(nvml) = &self.nvml else {
            return Vec::new();
        };
        uuids.iter().filter_map(|uuid| sample(nvml, uuid)).collect()
    }
}

fn without(reason: String) -> Inventory {
    Inventory {
        gpus: Vec::new(),
        reason: Some(reason),
    }
}

/// The library's own texts speak of its calls; users want to know what is missing.
fn reason(error: &NvmlError) -> String {
    match error {
        NvmlError::LibloadingError(_) => "no NVIDIA driver is installed (libnvidia-ml is missing)".to_owned(),
        NvmlError::DriverNotLoaded => "the NVIDIA driver is not loaded".to_owned(),
        other => format!("the NVIDIA driver does not answer: {other}"),
    }
}

fn sample(nvml: &Nvml, uuid: &str) -> Option<GpuSample> {
    let device = nvml.device_by_uuid(uuid).ok()?;
    let memory = device.memory_info().ok()?;
    Some(GpuSample {
        uuid: uuid.to_owned(),
        utilization: device.utilization_rates().map_or(0, |u| u.gpu),
        memory_used: memory.used,
        memory_total: memory.total,
    })
}

/// A GPU that cannot even be named is lost; its index stands for its uuid.
fn read_gpu(nvml: &Nvml, index: u32) -> Gpu {
    let read = nvml.device_by_index(index).and_then(|d| read_device(&d, index));
    read.unwrap_or_else(|_| Gpu {
        uuid: format!("lost-{index}"),
        index,
        name: "lost".to_owned(),
        memory_total: 0,
        memory_used: 0,
        utilization: 0,
        processes: Vec::new(),
        state: GpuState::Lost,
    })
}

fn read_device(device: &Device<'_>, index: u32) -> Result<Gpu, NvmlError> {
    let memory = device.memory_info()?;
    let processes = processes(device);
    let mut gpu = Gpu {
        uuid: device.uuid()?,
        index,
        name: device.name()?,
        memory_total: memory.total,
        memory_used: memory.used,
        utilization: device.utilization_rates().map_or(0, |u| u.gpu),
        processes,
        state: GpuState::Free,
    };
    gpu.state = state(device, &gpu);
    Ok(gpu)
}

fn state(device: &Device<'_>, gpu: &Gpu) -> GpuState {
    let in_instances = device.mig_mode().is_ok_and(|mode| mode.current != 0);
    // A device that falls off the bus between two calls answers the cheapest one with an error.
    let lost = matches!(
        device.temperature(TemperatureSensor::Gpu),
        Err(NvmlError::GpuLost)
    );
    match () {
        () if lost => GpuState::Lost,
        () if in_instances => GpuState::Unsupported,
        () if !gpu.processes.is_empty() || gpu.memory_used > IDLE_MEMORY => GpuState::Used,
        () => GpuState::Free,
    }
}

fn processes(device: &Device<'_>) -> Vec<GpuProcess> {
    let found = device.running_compute_processes().unwrap_or_default();
    let process = |p: nvml_wrapper::struct_wrappers::device::ProcessInfo| GpuProcess {
        pid: p.pid,
        memory_used: match p.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(bytes),
            UsedGpuMemory::Unavailable => None,
        },
    };
    found.into_iter().map(process).collect()
}
