//! What children write: too much, nonsense, or nothing; and disks that are full.

use super::faults_follower::Follower;
use super::faults_invariants::{detail, hold};
use super::faults_stage::{Ground, House};
use super::runs_flow::{go, running, statuses};
use super::runs_stage::until;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use types::MAX_LOG_MESSAGE;

/// A small file system in memory that goes away with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, with the reason on standard output, where nothing can be mounted.
    fn at(folder: &Path, size: &str) -> Option<Self> {
        let options = format!("size={size},mode=0755");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder)
            .output();
        match mount {
            Ok(done) if done.status.success() => Some(Self(folder.to_owned())),
            Ok(done) => {
                println!(
                    "skipped, because nothing can be mounted: {}",
                    String::from_utf8_lossy(&done.stderr)
                );
                None
            }
            Err(error) => {
                println!("skipped, because `mount` cannot be run: {error}");
                None
            }
        }
    }

    /// Takes all the room there is; returns what has to be removed to have it back.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = File::create(&ballast).unwrap();
        assert!(
            std::io::copy(&mut std::io::repeat(0), &mut file).is_err(),
            "the disk is not full"
        );
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_output_but_no_verdict() {
    let mut house = House::with(Ground::Shared, &[("LMMS_MIN_FREE_MB", "4")]).await;
    house.worker.kill();
    let attempts = house.stage.data.path().join("attempts");
    let Some(disk) = SmallDisk::at(&attempts, "24m") else {
        return;
    };
    house.restart_worker();
    let run = house.create(&["first", "wait_w"], json!({})).await;
    running(&house.stage, &house.org, &run, 1).await;
    File::create(house.stage.attempt_dir(&run, 1).join("go.tmp")).unwrap();
    let ballast = disk.fill();
    let folder = house.stage.attempt_dir(&run, 1);
    fs::rename(folder.join("go.tmp"), folder.join("go")).unwrap();
    until("the end of the attempt", || async {
        folder.join("exit.json").exists().then_some(())
    })
    .await;
    let over = house.until_over(&run).await;
    assert_eq!(statuses(&over), ["completed", "failed"], "{over:#}");
    assert_eq!(
        over["attempts"][0]["reason"],
        "the disk was full: output may be missing"
    );
    // Nothing is started on such a disk, and the page says why.
    let next = house.create(&["quick"], json!({})).await;
    until("the problem", || async {
        let (_, system) = house.stage.get("/system", &house.org.viewer).await;
        let problem = system["hosts"][0]["problem"].as_str()?.to_owned();
        problem.contains("MB left; runs wait").then_some(())
    })
    .await;
    assert_eq!(detail(&house, &next).await["status"], "queued");
    fs::remove_file(ballast).unwrap();
    assert_eq!(house.until_over(&next).await["status"], "completed");
    hold(&house).await;
}

/// Most memory that a process has ever had, in bytes.
fn peak_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_line_is_streamed_and_shown_in_part() {
    let house = House::new().await;
    let run = house.create(&["endless_e"], json!({})).await;
    running(&house.stage, &house.org, &run, 0).await;
    let folder = house.stage.attempt_dir(&run, 1);
    let length = fs::metadata(folder.join("stdout.log")).unwrap().len();
    assert!(length >= 100 << 20, "{length}");
    let stored = format!(
        "select coalesce(sum(length), 0)::bigint from log_chunks where stream = 'stdout' and length > 0 \
         and attempt_id in (select id from run_attempts where run_id = '{run}')"
    );
    until("all of it in the store", || async {
        let rows = house.rows(&stored).await.unwrap();
        (rows[0].get::<_, i64>(0) >= i64::try_from(length).unwrap()).then_some(())
    })
    .await;
    let processes = house.processes(&run, 1);
    for pid in [
        processes.keeper.unwrap(),
        processes.reporter.unwrap(),
        house.server.pid(),
    ] {
        let peak = peak_memory(pid);
        assert!(peak < length, "{peak} bytes of memory for a line of {length}");
    }
    go(&house.stage, &run, 1);
    assert_eq!(house.until_over(&run).await["status"], "completed");
    let longest = house
        .rows("select max(octet_length(message)) from run_logs")
        .await
        .unwrap();
    let longest: i32 = longest[0].get(0);
    assert!(
        longest > 1000 && usize::try_from(longest).unwrap() <= MAX_LOG_MESSAGE,
        "{longest}"
    );
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_are_kept_and_shown() {
    let house = House::new().await;
    let run = house.create(&["bytes_b"], json!({})).await;
    let follower = Follower::of(&house, &run);
    assert_eq!(house.until_over(&run).await["status"], "completed");
    let raw = fs::read(house.stage.attempt_dir(&run, 1).join("stdout.log")).unwrap();
    assert!(
        raw.windows(4).any(|w| w == b"\xff\x00\xfeZ"),
        "the child's bytes are in the file"
    );
    let seen = follower.all(&house).await;
    let lines: Vec<&str> = seen
        .iter()
        .filter_map(|m| m["data"]["message"].as_str())
        .collect();
    let odd = lines
        .iter()
        .find(|l| l.contains('Z'))
        .unwrap_or_else(|| panic!("{lines:?}"));
    assert!(odd.contains('\u{FFFD}') && !odd.contains('\0'), "{odd:?}");
    let bars = lines.iter().filter(|l| l.contains("Model Responding")).count();
    assert!(
        bars <= 1,
        "a bar that is drawn over is progress, not {bars} lines"
    );
    hold(&house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_lines_reaches_the_file_whole_and_the_viewer_in_order() {
    let house = House::new().await;
    let run = house.create(&["storm_s"], json!({})).await;
    let follower = Follower::of(&house, &run);
    assert_eq!(house.until_over(&run).await["status"], "completed");
    let text = fs::read_to_string(house.stage.attempt_dir(&run, 1).join("stdout.log")).unwrap();
    let written = text.lines().filter(|l| l.starts_with("storm ")).count();
    let seen = follower.all(&house).await;
    let numbers = seen
        .iter()
        .filter_map(|m| m["data"]["message"].as_str()?.strip_prefix("storm "));
    let numbers: Vec<usize> = numbers.map(|n| n.parse().unwrap()).collect();
    assert!(
        numbers.is_sorted_by(|a, b| a + 1 == *b),
        "in order and without gaps"
    );
    assert_eq!((written, numbers.len()), (50_000, 50_000));
    hold(&house).await;
}

/// What becomes of results that are not what they should be: why, and what is still there.
#[tokio::test(flavor = "multi_thread")]
async fn results_that_are_none_are_named_and_kept() {
    let house = House::new().await;
    let tasks = ["cut_c", "none_n", "twice_t", "nan_n", "deep_d", "good_g"];
    let run = house.create(&tasks, json!({})).await;
    let over = house.until_over(&run).await;
    let outcomes: Vec<&Value> = over["benchmarks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| &b["outcome"])
        .collect();
    let unreadable = "results_unreadable";
    assert_eq!(
        outcomes,
        [
            unreadable,
            unreadable,
            "completed",
            "completed",
            unreadable,
            "completed"
        ],
        "{over:#}"
    );
    let (_, metrics) = house
        .stage
        .get(&format!("/runs/{run}/metrics"), &house.org.viewer)
        .await;
    let value = |name: &str| {
        let all = metrics["metrics"].as_array().unwrap();
        let found = all
            .iter()
            .find(|m| m["benchmark"] == name && m["metric_name"] == "acc");
        found.map(|m| m["metric_value"].clone())
    };
    assert_eq!(value("good_g"), Some(json!(0.6)), "{metrics:#}");
    assert_eq!(value("cut_c"), None);
    assert_ne!(
        value("nan_n"),
        Some(json!(0.6)),
        "what is no number is not made one"
    );
    let (_, list) = house
        .stage
        .get(&format!("/runs/{run}/artifacts"), &house.org.viewer)
        .await;
    let names: Vec<&str> = list["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|a| a["name"].as_str())
        .collect();
    assert!(
        names
            .iter()
            .any(|n| n.starts_with("out/0/") && n.ends_with("_results.json")),
        "{names:?}"
    );
    hold(&house).await;
}
