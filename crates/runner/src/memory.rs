//! What the kernel has killed for want of memory.

use std::{fs, path::PathBuf};

/// How many processes of this cgroup were killed for want of memory so far; of this machine, where
/// no cgroup counts them. The cgroup's own count leaves out what others have caused.
#[must_use]
pub(crate) fn oom_kills() -> u64 {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let files = counters(&own).into_iter().chain([PathBuf::from("/proc/vmstat")]);
    let mut counts = files.filter_map(|file| count_in(&fs::read_to_string(file).ok()?));
    counts.next().unwrap_or(0)
}

/// Where this cgroup's kills are counted, by what `/proc/self/cgroup` says: version 2 alone, beside
/// version 1, or version 1.
fn counters(cgroups: &str) -> Vec<PathBuf> {
    let groups = cgroups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        Some((controllers, path.trim_start_matches('/')))
    });
    let at = |root: &str, path: &str, file: &str| PathBuf::from(root).join(path).join(file);
    groups
        .flat_map(|(controllers, path)| match controllers {
            "" => vec![
                at("/sys/fs/cgroup", path, "memory.events"),
                at("/sys/fs/cgroup/unified", path, "memory.events"),
            ],
            list if list.split(',').any(|name| name == "memory") => {
                vec![at("/sys/fs/cgroup/memory", path, "memory.oom_control")]
            }
            _ => Vec::new(),
        })
        .collect()
}

fn count_in(text: &str) -> Option<u64> {
    let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    count?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_cgroup_is_asked() {
        let files = |text| {
            let files = counters(text);
            let shown = files.iter().map(|file| file.display().to_string());
            shown.collect::<Vec<_>>()
        };
        let second = "/sys/fs/cgroup/user.slice/a:b/memory.events";
        assert_eq!(files("0::/user.slice/a:b\n")[0], second);
        assert_eq!(
            files("7:cpu,memory:/box/1\n8:pids:/\n"),
            ["/sys/fs/cgroup/memory/box/1/memory.oom_control"]
        );
        assert!(files("nonsense").is_empty());
    }

    #[test]
    fn only_kills_count() {
        assert_eq!(count_in("low 0\noom 4\noom_kill 3\noom_group_kill 1\n"), Some(3));
        assert_eq!(count_in("under_oom 0\n"), None);
    }
}
