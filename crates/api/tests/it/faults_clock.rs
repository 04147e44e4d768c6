//! Clocks that somebody sets: that of the API's machine, and that of the database's.

use super::faults_follower::Follower;
use super::faults_invariants::hold;
use super::faults_stage::{Ground, House, own_cluster};
use super::runs_flow::{go, running, starts};
use super::runs_stage::{prepare, until};
use serde_json::json;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const HOUR: i64 = 3600;

/// A clock that can be set for the processes that are started with its library.
struct Clock {
    folder: TempDir,
}

impl Clock {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The database's account must get at it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/clock.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(folder.path().join("clock.so"))
            .arg(source);
        assert!(cc.status().unwrap().success());
        let clock = Self { folder };
        fs::write(clock.file(), 0_i64.to_ne_bytes()).unwrap();
        clock
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ahead")
    }

    fn library(&self) -> String {
        self.folder.path().join("clock.so").display().to_string()
    }

    /// In place: the file is mapped.
    fn set_ahead(&self, seconds: i64) {
        let file = fs::OpenOptions::new().write(true).open(self.file()).unwrap();
        file.write_all_at(&seconds.to_ne_bytes(), 0).unwrap();
    }

    /// PostgreSQL's programs under this clock.
    fn programs(&self, real: &Path) -> PathBuf {
        let folder = self.folder.path().join("bin");
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(real).unwrap().flatten() {
            let (real, name) = (entry.path(), folder.join(entry.file_name()));
            let (library, file) = (self.library(), self.file());
            let text = format!(
                "#!/bin/sh\nLD_PRELOAD='{library}' CLOCK_AHEAD='{}' exec '{}' \"$@\"\n",
                file.display(),
                real.display()
            );
            fs::write(&name, text).unwrap();
            fs::set_permissions(&name, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }
}

/// An hour ahead, an hour back, and right again, while a run is under way.
async fn jump_about(house: &House, clock: &Clock) {
    let run = house.create(&["wait_w", "last"], json!({})).await;
    let follower = Follower::of(house, &run);
    running(&house.stage, &house.org, &run, 0).await;
    for ahead in [HOUR, -HOUR, 0] {
        clock.set_ahead(ahead);
        // Everybody has seen the new time once another run has come through.
        let other = house.create(&["quick"], json!({})).await;
        assert_eq!(house.until_over(&other).await["status"], "completed");
    }
    go(&house.stage, &run, 1);
    let detail = house.until_over(&run).await;
    assert_eq!(detail["status"], "completed", "{detail:#}");
    assert_eq!(detail["attempts"].as_array().unwrap().len(), 1);
    assert_eq!(starts(&house.stage.attempt_dir(&run, 1)), ["wait_w", "last"]);
    follower.all(house).await;
    hold(house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_where_the_api_runs_ends_nothing() {
    let clock = Clock::new();
    let (library, file) = (clock.library(), clock.file().display().to_string());
    let settings = [("LD_PRELOAD", library.as_str()), ("CLOCK_AHEAD", file.as_str())];
    let house = House::with(Ground::Shared, &settings).await;
    jump_about(&house, &clock).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_where_the_database_runs_only_hands_runs_over() {
    let clock = Clock::new();
    let real = super::runs_stage::server().cluster.binaries().dir.clone();
    let folder = tempfile::Builder::new().prefix("lmms-own").tempdir().unwrap();
    let cluster = own_cluster(folder.path(), Some(clock.programs(&real))).await;
    prepare(&cluster).await;
    let url = cluster.url("lmms_api", "postgres");
    let admin = cluster.url(cluster.superuser(), "postgres");
    let house = House::on(url, admin, Some((cluster, folder)), &[]).await;
    clock.set_ahead(HOUR);
    let rows = house
        .rows("select extract(epoch from clock_timestamp())::bigint")
        .await
        .unwrap();
    let there: i64 = rows[0].get(0);
    assert!(
        there > chrono::Utc::now().timestamp() + HOUR / 2,
        "the database's clock is set"
    );
    clock.set_ahead(0);
    // A second worker, who takes over what seems to have run out.
    let _second = house.second_worker(&[]);
    until("both workers", || async {
        let sql = "select 1 from pg_stat_activity where query like 'listen%' having count(*) >= 3";
        (!house.rows(sql).await.unwrap().is_empty()).then_some(())
    })
    .await;
    jump_about(&house, &clock).await;
}
