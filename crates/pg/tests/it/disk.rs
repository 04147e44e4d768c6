//! A full disk, on a small file system in memory.

use std::fs;
use std::path::Path;
use std::process::Command;

use pg::{Error, Options};
use tempfile::TempDir;

use crate::scene::{folder, refusal, sql, start};

/// A mounted file system that goes away with the test.
struct Mount(TempDir);

impl Mount {
    fn new(size: &str) -> Option<Self> {
        let dir = folder();
        let output = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=0755"), "tmpfs"])
            .arg(dir.path())
            .output();
        match output {
            Ok(output) if output.status.success() => Some(Self(dir)),
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr).into_owned();
                println!("skipped, because nothing can be mounted here: {why}");
                None
            }
            Err(error) => {
                println!("skipped, because `mount` cannot be run: {error}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.path()).status().ok();
    }
}

fn assert_full(error: &Error) {
    assert!(matches!(error, Error::NoSpace { .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("no space left on device at `"), "{text}");
    assert!(text.ends_with("free some and start again"), "{text}");
}

#[test]
fn a_disk_too_small_for_a_cluster_is_named() {
    let Some(mount) = Mount::new("20m") else { return };
    let dir = mount.path().join("pg");
    assert_full(&refusal(Options::for_tests(&dir)));
    let names: Vec<_> = fs::read_dir(&dir).expect("there").flatten().collect();
    let half_made = names
        .iter()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("data"));
    assert!(!half_made, "{names:?}");
}

#[test]
fn a_disk_that_fills_up_stops_the_start_until_there_is_room() {
    let Some(mount) = Mount::new("150m") else { return };
    let dir = mount.path().join("pg");
    let cluster = start(&dir);
    sql(&cluster, "create table kept as select 42 as answer");
    cluster.stop().expect("stopped");
    let ballast = mount.path().join("ballast");
    let written =
        fs::File::create(&ballast).and_then(|mut file| std::io::copy(&mut std::io::repeat(0), &mut file));
    assert!(written.is_err(), "the disk is not full");
    assert_full(&refusal(Options::for_tests(&dir)));
    fs::remove_file(&ballast).expect("removed");
    let cluster = start(&dir);
    assert_eq!(sql(&cluster, "select answer from kept"), "42");
}
