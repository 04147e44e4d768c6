//! What `/proc` tells about processes.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fs, io};

/// A process, told apart from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks after the start of the machine.
    pub start_ticks: u64,
    /// The start of the machine.
    pub boot_id: String,
}

impl Identity {
    /// The calling process.
    #[must_use]
    pub fn own() -> Self {
        let pid = std::process::id();
        Self {
            pid,
            start_ticks: start_ticks(pid).unwrap_or(0),
            boot_id: boot_id(),
        }
    }

    /// Whether this very process still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.boot_id == boot_id() && start_ticks(self.pid) == Some(self.start_ticks) && !is_zombie(self.pid)
    }

    /// Sends a signal to this very process; false when it is gone.
    #[must_use]
    pub fn signal(&self, signal: i32) -> bool {
        let Ok(pid) = libc::pid_t::try_from(self.pid) else {
            return false;
        };
        // SAFETY: the call takes plain numbers; the descriptor is closed below.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let Ok(fd @ 0..) = libc::c_int::try_from(fd) else {
            return false;
        };
        // The number may have been given away before it was opened, but not after.
        let sent = self.is_alive() && {
            let no_info = std::ptr::null::<libc::siginfo_t>();
            // SAFETY: `fd` is open, and a null siginfo means what kill(2) sends.
            unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, no_info, 0) == 0 }
        };
        // SAFETY: `fd` is ours and used no more.
        unsafe { libc::close(fd) };
        sent
    }
}

/// The id of this start of the machine.
#[must_use]
pub(crate) fn boot_id() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    text.map(|t| t.trim().to_owned()).unwrap_or_default()
}

/// The fields of `/proc/<pid>/stat` after the name, which may hold blanks and brackets itself.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

fn start_ticks(pid: u32) -> Option<u64> {
    stat(pid)?.get(19)?.parse().ok()
}

fn is_zombie(pid: u32) -> bool {
    stat(pid).is_none_or(|fields| matches!(fields.first().map(String::as_str), Some("Z" | "X")))
}

/// Every live descendant of a process. Under a subreaper nobody gets away from this list.
#[must_use]
pub(crate) fn descendants(root: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        for child in children(pid) {
            if found.insert(child) {
                open.push(child);
            }
        }
    }
    found
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let of_task =
        |task: io::Result<fs::DirEntry>| fs::read_to_string(task.ok()?.path().join("children")).ok();
    let texts: Vec<String> = tasks.filter_map(of_task).collect();
    texts
        .iter()
        .flat_map(|text| text.split_whitespace())
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// Every live process whose environment holds this variable with this value.
#[must_use]
pub(crate) fn marked(variable: &str, value: &str) -> Vec<Identity> {
    let needle = format!("{variable}={value}");
    let boot_id = boot_id();
    all()
        .filter(|&pid| has_variable(pid, needle.as_bytes()) && !is_zombie(pid))
        .filter_map(|pid| {
            Some(Identity {
                pid,
                start_ticks: start_ticks(pid)?,
                boot_id: boot_id.clone(),
            })
        })
        .collect()
}

/// The values that a variable has in the environments of live processes.
#[must_use]
pub(crate) fn values_of(variable: &str) -> BTreeSet<String> {
    let prefix = format!("{variable}=");
    let value = |pid: u32| {
        let bytes = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let mut entries = bytes.split(|&b| b == 0);
        let found = entries.find_map(|entry| entry.strip_prefix(prefix.as_bytes()))?;
        (!is_zombie(pid)).then(|| String::from_utf8_lossy(found).into_owned())
    };
    all().filter_map(value).collect()
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn has_variable(pid: u32, needle: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|bytes| bytes.split(|&b| b == 0).any(|entry| entry == needle))
}
