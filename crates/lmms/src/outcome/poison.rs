//! Errors after which a process cannot be used for another benchmark.

/// Parts of messages, in lower case, that leave the GPU or the group of ranks unusable.
const POISON: [&str; 14] = [
    "cuda error",
    "cuda out of memory",
    "outofmemoryerror",
    "device-side assert",
    "cublas_status",
    "cudnn_status",
    "cudnn error",
    "nccl",
    "illegal memory access",
    "hip error",
    "hip out of memory",
    "process group",
    "enginedeaderror",
    "cannot allocate memory",
];

/// Whether an error leaves its process unusable: CUDA, NCCL, out of memory.
#[must_use]
pub fn poisoned(error: &str) -> bool {
    let error = error.to_lowercase();
    POISON.iter().any(|part| error.contains(part))
}
