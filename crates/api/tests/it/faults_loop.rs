//! The kill loop: while runs go through, one process of six kinds is killed at an instant, both
//! drawn from a seed. Afterwards everything must have ended, and every invariant hold.
//!
//! `LMMS_KILL_SEED` and `LMMS_KILL_ROUNDS` choose other rounds.

use super::faults_invariants::{hold, hold_for};
use super::faults_stage::{Ground, House, signal_process};
use super::runs_gpus::library;
use super::runs_stage::until;
use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;

/// The seeds of every test run.
const FIRST_SEED: u64 = 1000;
const ROUNDS: u64 = 50;
/// Houses that are haunted at the same time.
const HOUSES: u64 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Server,
    Worker,
    Database,
    Reporter,
    Keeper,
    Child,
}

const VICTIMS: [Victim; 6] = [
    Victim::Server,
    Victim::Worker,
    Victim::Database,
    Victim::Reporter,
    Victim::Keeper,
    Victim::Child,
];

/// One round, by its seed.
#[derive(Debug)]
struct Round {
    seed: u64,
    victim: Victim,
    instant: Duration,
}

impl Round {
    fn of(seed: u64) -> Self {
        // SplitMix64, so that a seed means the same for ever.
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        Self {
            seed,
            victim: VICTIMS[(z % 6) as usize],
            instant: Duration::from_millis((z >> 16) % 1200),
        }
    }
}

/// Says which round it was, whatever goes wrong in it.
impl Drop for Round {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "the round was {self:?}; again with LMMS_KILL_SEED={} LMMS_KILL_ROUNDS=1",
                self.seed
            );
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    let set = std::env::var(variable).ok();
    set.map_or(default, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_whenever_nothing_is_lost() {
    let (first, rounds) = (
        number("LMMS_KILL_SEED", FIRST_SEED),
        number("LMMS_KILL_ROUNDS", ROUNDS),
    );
    let haunted = (0..HOUSES.min(rounds)).map(|n| {
        let seeds: Vec<u64> = (first + n..first + rounds).step_by(HOUSES as usize).collect();
        haunt(seeds)
    });
    join_all(haunted).await;
}

async fn haunt(seeds: Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let gpus = folder.path().join("gpus");
    let card = |uuid: &str| format!("NVIDIA A100-SXM4-80GB|{uuid}|81559|10|0|0|\n");
    std::fs::write(&gpus, card("GPU-aaaa") + &card("GPU-bbbb")).unwrap();
    let (library, gpus) = (library(folder.path()), gpus.display().to_string());
    let settings = [("LMMS_NVML_LIB", library.as_str()), ("FAKE_NVML", gpus.as_str())];
    let mut house = House::with(Ground::Own, &settings).await;
    until("the report of the GPUs", || async {
        let (_, system) = house.stage.get("/system", &house.org.viewer).await;
        (system["gpus"].as_array()?.len() == 2).then_some(())
    })
    .await;
    for seed in seeds {
        let round = Round::of(seed);
        println!("{round:?}");
        play(&mut house, &round).await;
    }
    hold(&house).await;
}

/// Two runs before the kill, and one after it where the fall is one that creates must survive.
async fn play(house: &mut House, round: &Round) {
    let config = json!({"retry": {"attempt": 2}, "compute_profile": "A100"});
    let body = house.request(&["one", "two"], config).await;
    let mut runs = Vec::new();
    for n in 0..2 {
        runs.push(house.insist(&body, &format!("{} {n}", round.seed)).await.0);
    }
    // The instant is drawn: there is no condition to wait for.
    tokio::time::sleep(round.instant).await;
    kill(house, round.victim, &runs).await;
    if matches!(round.victim, Victim::Server | Victim::Database) {
        runs.push(house.insist(&body, &format!("{} after", round.seed)).await.0);
    }
    for run in &runs {
        let detail = house.until_over(run).await;
        let hurts = round.victim == Victim::Child;
        assert!(hurts || detail["status"] == "completed", "{detail:#}");
    }
    hold_for(house, &runs).await;
}

async fn kill(house: &mut House, victim: Victim, runs: &[String]) {
    match victim {
        Victim::Server => house.restart_server().await,
        Victim::Worker => house.restart_worker(),
        Victim::Database => kill_database(house).await,
        Victim::Reporter | Victim::Keeper | Victim::Child => {
            let processes = runs.iter().map(|run| house.processes(run, 1));
            let mut of_kind = processes.filter_map(|found| match victim {
                Victim::Reporter => found.reporter,
                Victim::Keeper => found.keeper,
                _ => found.child,
            });
            // Too early or too late for all of them is an instant too.
            if let Some(pid) = of_kind.next_back() {
                signal_process(pid, Signal::KILL);
            }
        }
    }
}

/// The whole server, as long as it is started again at once; then a part of it, which makes it
/// throw everybody out and recover by itself.
async fn kill_database(house: &House) {
    if !matches!(house.cluster().health(), pg::Health::Restarted(2..)) {
        signal_process(house.cluster().pid(), Signal::KILL);
        return;
    }
    let sql =
        "select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
    let part: i32 = house.rows(sql).await.unwrap()[0].get(0);
    signal_process(part.unsigned_abs(), Signal::KILL);
}

#[test]
fn the_committed_rounds_kill_everybody() {
    let rounds: Vec<Round> = (FIRST_SEED..FIRST_SEED + ROUNDS).map(Round::of).collect();
    for victim in VICTIMS {
        assert!(
            rounds.iter().filter(|r| r.victim == victim).count() >= 4,
            "{victim:?}"
        );
    }
}
