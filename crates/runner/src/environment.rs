//! The environment of the processes: made anew, never inherited as it is.
//!
//! The dashboard may itself run under a launcher (`RANK`, `SLURM_*`) or hold credentials of its
//! own, and neither may reach lmms-eval. So only a list of names comes through.

use crate::job::{Job, JobProcess};
use std::collections::BTreeMap;

/// The variable that marks every process of an attempt.
pub const TRACKING: &str = "LMMS_RUN_TRACKING_ID";

/// Names that come through.
const NAMES: [&str; 25] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "CUDA_HOME",
    "CUDA_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "TORCH_HOME",
    "TRITON_CACHE_DIR",
    "MPLCONFIGDIR",
    "NLTK_DATA",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TOKENIZERS_PARALLELISM",
    "HF_HUB_OFFLINE",
    "LMMS_EVAL_HOME",
    "LMMS_NVML_LIB",
];

/// Beginnings of names that come through.
const PREFIXES: [&str; 5] = ["LC_", "HF_", "XDG_", "TRANSFORMERS_", "NCCL_"];

/// Names of credentials that begin like an allowed one: they come as secrets, or not at all.
const REFUSED: [&str; 2] = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];

/// Whether a variable of ours may reach an executor and its processes.
#[must_use]
pub fn is_inherited(name: &str) -> bool {
    let allowed =
        NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || is_proxy(name);
    allowed && !REFUSED.contains(&name)
}

fn is_proxy(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(
        name.as_str(),
        "http_proxy" | "https_proxy" | "all_proxy" | "no_proxy"
    )
}

/// The part of our own environment that comes through.
#[must_use]
pub fn inherited() -> BTreeMap<String, String> {
    let text = |(k, v): (std::ffi::OsString, std::ffi::OsString)| {
        Some((k.into_string().ok()?, v.into_string().ok()?))
    };
    std::env::vars_os()
        .filter_map(text)
        .filter(|(name, _)| is_inherited(name))
        .collect()
}

/// The whole environment of one process: what comes through, then the job's, then the secrets,
/// then what is ours to say.
#[must_use]
pub fn of_process(
    job: &Job,
    process: &JobProcess,
    inherited: &BTreeMap<String, String>,
    secrets: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut env = inherited.clone();
    env.extend(job.env.clone());
    env.extend(process.env_extra.clone());
    env.extend(secrets.clone());
    let ours = [
        ("TZ", "UTC"),
        ("PYTHONUNBUFFERED", "1"),
        ("CUDA_DEVICE_ORDER", "PCI_BUS_ID"),
        // Without GPUs none may be seen, or two attempts would meet on the first one.
        ("CUDA_VISIBLE_DEVICES", &job.gpus.join(",")),
        (TRACKING, &job.tracking_id),
    ];
    env.extend(ours.map(|(name, value)| (name.to_owned(), value.to_owned())));
    env
}
