//! The machines' GPUs as compute profiles.

use std::collections::BTreeMap;

use types::{ComputeProfile, GpuView, SystemStatus};

use crate::{components::choice::Entry, format::plural};

/// The profiles that these machines can satisfy: no GPU, and each kind of GPU in every number there is on one host.
pub fn profiles(status: &SystemStatus) -> Vec<Entry> {
    let mut found = vec![Entry::new("cpu", "No GPU")];
    for ((name, gib), free, most) in kinds(status) {
        let numbers = [1_usize, 2, 4, 8, 16].into_iter().filter(|&n| n <= most);
        for number in numbers {
            let profile = ComputeProfile {
                gpus: number as u32,
                min_memory: Some(gib),
                name: Some(name.clone()),
                ..ComputeProfile::default()
            };
            let words = format!("{number} × {name}, {gib} GB · {free} free");
            found.push(Entry::new(profile.to_string(), words));
        }
    }
    found
}

type Named = (String, u32);

/// Each kind of GPU: how many are free, how many the largest host has.
fn kinds(status: &SystemStatus) -> Vec<(Named, usize, usize)> {
    let mut by_kind: BTreeMap<Named, BTreeMap<&str, Vec<&GpuView>>> = BTreeMap::new();
    for gpu in status
        .gpus
        .iter()
        .filter(|gpu| gpu.state != "lost" && gpu.state != "unsupported")
    {
        let gib = (gpu.memory_total / (1 << 30)).max(1) as u32;
        by_kind
            .entry((short(&gpu.name), gib))
            .or_default()
            .entry(&gpu.host)
            .or_default()
            .push(gpu);
    }
    let counted = by_kind.into_iter().map(|(kind, hosts)| {
        let free = hosts.values().flatten().filter(|gpu| gpu.state == "free").count();
        let most = hosts.values().map(Vec::len).max().unwrap_or(0);
        (kind, free, most)
    });
    counted.collect()
}

/// The part of a GPU's name that tells it apart: `NVIDIA A100-SXM4-80GB` is `A100`.
fn short(name: &str) -> String {
    let rest = name
        .trim_start_matches("NVIDIA ")
        .trim_start_matches("GeForce ")
        .trim_start_matches("Tesla ");
    let word = rest.split(['-', ' ']).next().unwrap_or(rest);
    let keep = if matches!(word, "RTX" | "GTX" | "Quadro") {
        rest.split('-').next().unwrap_or(rest)
    } else {
        word
    };
    keep.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == ' ')
        .collect()
}

/// What the machines have for a profile, in a few words.
pub fn words(status: &SystemStatus, profile: &str) -> String {
    let free = status.gpus.iter().filter(|gpu| gpu.state == "free").count();
    let reason = status.hosts.iter().find_map(|host| host.gpu_reason.clone());
    match (profile, status.gpus.is_empty(), reason) {
        ("cpu", ..) => "no GPU is held".to_owned(),
        (_, true, Some(reason)) => format!("no GPUs: {reason}"),
        (_, true, None) => "no machine has reported a GPU".to_owned(),
        _ => format!(
            "{free} of {} free",
            plural(status.gpus.len() as u64, "GPU", "GPUs")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(gpus: &[(&str, &str, &str)]) -> SystemStatus {
        let gpus: Vec<_> = gpus
            .iter()
            .enumerate()
            .map(|(index, (host, name, state))| {
                json!({"host": host, "uuid": format!("GPU-{index}"), "index": index, "name": name, "memory_total": 80_u64 << 30,
                    "memory_used": 0, "utilization": 0, "state": state, "seen_at": "2026-11-20T13:00:00Z"})
            })
            .collect();
        let host = json!({"host": "a", "engine": "local", "lmms_eval_version": null, "gpu_reason": "no NVML", "disk_free": null,
            "problem": null, "seen_at": "2026-11-20T13:00:00Z"});
        serde_json::from_value(json!({"hosts": [host], "gpus": gpus, "queued": 0, "running": 0})).unwrap()
    }

    #[test]
    fn each_kind_is_offered_in_the_numbers_of_one_host() {
        let a100 = "NVIDIA A100-SXM4-80GB";
        let status = status(&[
            ("a", a100, "free"),
            ("a", a100, "foreign"),
            ("b", a100, "free"),
            ("b", "NVIDIA GeForce RTX 4070", "lost"),
        ]);
        let all: Vec<_> = profiles(&status)
            .into_iter()
            .map(|entry| (entry.value, entry.words))
            .collect();
        let expected = [
            ("cpu", "No GPU"),
            ("A100-80GB", "1 × A100, 80 GB · 2 free"),
            ("2×A100-80GB", "2 × A100, 80 GB · 2 free"),
        ];
        assert_eq!(
            all,
            expected.map(|(value, words)| (value.to_owned(), words.to_owned()))
        );
        assert!(
            all.iter()
                .all(|(value, _)| value.parse::<ComputeProfile>().is_ok())
        );
        assert_eq!(words(&status, ""), "2 of 4 GPUs free");
    }

    #[test]
    fn a_machine_without_gpus_says_why() {
        let status = status(&[]);
        assert_eq!(profiles(&status).len(), 1);
        assert_eq!(words(&status, ""), "no GPUs: no NVML");
        assert_eq!(words(&status, "cpu"), "no GPU is held");
        assert_eq!(short("NVIDIA GeForce RTX 4090"), "RTX 4090");
        assert_eq!(short("NVIDIA H100 80GB HBM3"), "H100");
    }
}
