//! What the machines say to a compute profile.

use crate::db::machines::SeenGpu;
use std::collections::BTreeMap;
use types::{ComputePreview, ComputeProfile};

/// Whether some machine has what is asked for, and whether it is free.
pub(super) fn preview(
    profile: Option<&ComputeProfile>,
    gpus: &[SeenGpu],
    reasons: &[(String, Option<String>)],
) -> ComputePreview {
    let Some(profile) = profile.filter(|p| p.gpus > 0) else {
        return ComputePreview {
            satisfiable: true,
            message: "no GPU is asked for".to_owned(),
            ..ComputePreview::default()
        };
    };
    let mut hosts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for gpu in gpus.iter().filter(|g| meets(profile, g)) {
        let (matching, free) = hosts.entry(&gpu.host).or_default();
        *matching += 1;
        *free += u32::from(gpu.state == "free");
    }
    // GPUs of several machines are not used together: the best machine counts.
    let (matching, free) = hosts
        .values()
        .copied()
        .max_by_key(|&(matching, free)| (matching >= profile.gpus, free, matching))
        .unwrap_or_default();
    let satisfiable = matching >= profile.gpus;
    ComputePreview {
        gpus: profile.gpus,
        matching,
        free,
        satisfiable,
        message: message(profile, matching, free, reasons),
    }
}

fn meets(profile: &ComputeProfile, gpu: &SeenGpu) -> bool {
    let memory = u64::try_from(gpu.memory_total).unwrap_or(0);
    matches!(gpu.state.as_str(), "free" | "allocated" | "foreign") && profile.is_met_by(&gpu.name, memory)
}

fn message(
    profile: &ComputeProfile,
    matching: u32,
    free: u32,
    reasons: &[(String, Option<String>)],
) -> String {
    if matching >= profile.gpus {
        return match free >= profile.gpus {
            true => format!("{free} of {matching} matching GPUs are free"),
            false => format!(
                "waits: {free} of {matching} matching GPUs are free, {} are asked for",
                profile.gpus
            ),
        };
    }
    let why: Vec<String> = reasons
        .iter()
        .filter_map(|(host, reason)| reason.as_ref().map(|r| format!("`{host}`: {r}")))
        .collect();
    let because = if why.is_empty() {
        String::new()
    } else {
        format!(" ({})", why.join("; "))
    };
    format!(
        "is `{profile}`, which no machine can satisfy: {matching} GPUs match, {} are asked for{because}",
        profile.gpus
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(host: &str, name: &str, gib: i64, state: &str) -> SeenGpu {
        SeenGpu {
            host: host.into(),
            name: name.into(),
            memory_total: gib << 30,
            state: state.into(),
        }
    }

    #[test]
    fn gpus_of_one_machine_count_together() {
        let gpus = [
            gpu("a", "A100", 80, "free"),
            gpu("b", "A100", 80, "free"),
            gpu("b", "A100", 80, "allocated"),
        ];
        let profile: ComputeProfile = "2xA100".parse().unwrap();
        let found = preview(Some(&profile), &gpus, &[]);
        assert_eq!((found.matching, found.free, found.satisfiable), (2, 1, true));
        let profile: ComputeProfile = "3xA100".parse().unwrap();
        assert!(!preview(Some(&profile), &gpus, &[]).satisfiable);
    }

    #[test]
    fn without_gpus_the_reason_is_told() {
        let profile: ComputeProfile = "4070-8GB".parse().unwrap();
        let found = preview(
            Some(&profile),
            &[],
            &[("box".into(), Some("no NVIDIA driver".into()))],
        );
        assert!(
            !found.satisfiable && found.message.contains("no NVIDIA driver"),
            "{}",
            found.message
        );
        assert!(preview(None, &[], &[]).satisfiable);
    }
}
